from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.learning import Diverged
from ltr_core.theory import (
    LowRankNetwork,
    by_kind,
    descend_low_rank,
    descend_overlaps,
    network_with_overlaps,
    overlap_flow,
    overlap_output,
    overlaps,
    pulse_problem,
    visible_overlaps,
)

DT = 0.25
FEW = settings(max_examples=8)


def normal(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def drawn(seed, n_units=20, rank=1, p=1, q=1, *, nonlinearity="identity"):
    """A network with random vectors that overlap enough to learn at once."""
    left, right = normal([seed, 0], n_units, rank), normal([seed, 1], n_units, rank)
    inward, outward = normal([seed, 2], n_units, p), normal([seed, 3], q, n_units)
    left = 0.5 * left + 0.8 * outward.mean(0)[:, None]
    right = 0.5 * right + 0.8 * inward.mean(1, keepdim=True)
    return LowRankNetwork(left, right, inward, outward, 1.0, nonlinearity)


def aim(seed=0, p=1, q=1, n_trials=2, n_time=16):
    """A constant input for each trial, and a value to settle at."""
    inputs = normal([seed, 4], n_trials, 1, p).expand(-1, n_time, -1)
    return inputs, normal([seed, 5], n_trials, 1, q).expand(-1, n_time, -1)


def far(one, other):
    return float((one - other).abs().max())


SETTINGS = {"dt": DT, "n_steps": 40, "learning_rate": 0.05}


@FEW
@given(
    rank=st.integers(1, 2),
    p=st.integers(1, 3),
    q=st.integers(1, 3),
    n_units=st.sampled_from([20, 200]),
    loss=st.sampled_from(["squared", "quartic", "logistic"]),
    seed=st.integers(0, 999),
)
def test_the_map_is_gradient_descent(*, rank, p, q, n_units, loss, seed):
    network = drawn(seed, n_units, rank, p, q)
    course = descend_low_rank(network, *aim(seed, p, q), loss=loss, **SETTINGS)
    reduced = descend_overlaps(overlaps(network), *aim(seed, p, q), loss=loss, **SETTINGS)
    assert far(course.overlaps, reduced.overlaps) < 1e-10
    assert far(course.loss, reduced.loss) < 1e-10
    assert float(course.loss[0] - course.loss[-1]) > 1e-3


@pytest.mark.parametrize("rank", [1, 2])
def test_the_change_has_the_mode_ranks_of_the_theorem(rank):
    network = drawn(7, 60, rank, 2, 1)
    course = descend_low_rank(network, *aim(7, 2, 1), **SETTINGS)
    change = course.left @ course.right.mT / 60
    change = change[1:] - change[0]
    sizes = np.linalg.svd(np.moveaxis(change.numpy(), 1, 0).reshape(60, -1), compute_uv=False)
    assert np.sum(sizes > 1e-10 * sizes[0]) <= 2 * rank + 3


def test_frozen_invisible_overlaps_give_another_course():
    start = overlaps(drawn(3))
    free = descend_overlaps(start, *aim(3), **SETTINGS)
    frozen = descend_overlaps(start, *aim(3), invisible="frozen", **SETTINGS)
    assert far(free.overlaps[1], frozen.overlaps[1]) > 1e-3
    visible = visible_overlaps(start)
    assert far(free.overlaps[1][visible], frozen.overlaps[1][visible]) < 1e-12
    assert far(frozen.overlaps[:, ~visible], start.matrix[~visible]) == 0
    assert far(free.loss, frozen.loss) > 1e-3 * float(free.loss[0])


def test_a_network_that_is_not_linear_leaves_the_map():
    network = drawn(3, nonlinearity="tanh")
    course = descend_low_rank(network, *aim(3), **SETTINGS)
    linear = overlaps(network._replace(nonlinearity="identity"))
    reduced = descend_overlaps(linear, *aim(3), **SETTINGS)
    assert far(course.loss, reduced.loss) > 0.01 * float(course.loss[0])


def test_the_error_of_the_flow_is_proportional_to_the_step():
    start, errors = overlaps(drawn(3, rank=2)), []
    flow = overlap_flow(start, *aim(3), dt=DT, times=[0.0, 1.0, 2.0])
    for n in (25, 50, 100):
        course = descend_overlaps(start, *aim(3), dt=DT, n_steps=2 * n, learning_rate=1 / n)
        errors.append(far(course.overlaps[[0, n, 2 * n]], flow.overlaps))
    assert 1e-5 < errors[-1] < 0.05
    assert all(1.8 < one / half < 2.2 for one, half in pairwise(errors))


def test_the_flow_conserves_what_it_must():
    # the loss knows M and N by their product alone, so M^T M - N^T N stays
    start = overlaps(drawn(4, rank=2, p=2))
    flow = overlap_flow(start, *aim(4, 2), dt=DT, times=[0.0, 3.0])
    left, right = start.places["left"], start.places["right"]
    kept = flow.overlaps[:, left, left] - flow.overlaps[:, right, right]
    assert far(kept[0], kept[1]) < 1e-6
    assert far(flow.overlaps[0, left, left], flow.overlaps[1, left, left]) > 1e-2


@FEW
@given(rank=st.integers(1, 2), p=st.integers(1, 2), seed=st.integers(0, 999))
def test_visible_overlaps_determine_the_output(rank, p, seed):
    network, inputs = drawn(seed, 30, rank, p, 2), aim(seed, p)[0]
    found = overlaps(network)
    said = overlap_output(found, inputs, dt=DT)
    ones = network_with_overlaps(found, 90, seed=seed)
    hidden = found._replace(matrix=found.matrix + torch.eye(len(found.matrix)))
    for one in (network, ones, network_with_overlaps(hidden, 40)):
        simulated = descend_low_rank(one, inputs, said, dt=DT, n_steps=0, learning_rate=0.0).loss
        assert float(simulated[0]) < 1e-18 * float(1 + said.abs().max() ** 2)


def test_equal_overlaps_learn_equally_and_other_invisible_ones_do_not():
    start = overlaps(drawn(3, 12))
    small, large = (network_with_overlaps(start, n, seed=n) for n in (12, 100))
    first = descend_low_rank(small, *aim(3), **SETTINGS)
    assert far(first.overlaps, descend_low_rank(large, *aim(3), **SETTINGS).overlaps) < 1e-10
    longer = start.with_block("left", "left", 3 * start.block("left", "left"))
    other = descend_overlaps(longer, *aim(3), **SETTINGS)
    assert far(first.loss[0], other.loss[0]) < 1e-14
    assert far(first.loss, other.loss) > 0.01 * float(first.loss[0])


@pytest.mark.parametrize("n_units", [6, 7, 300])
def test_overlaps_are_realised_exactly(n_units):
    start = overlaps(drawn(6, 20, 2))
    found = overlaps(network_with_overlaps(start, n_units, seed=1))
    assert far(start.matrix, found.matrix) < 1e-13
    singular = overlaps(drawn(6, 4, 2))  # six vectors of four units
    found = overlaps(network_with_overlaps(singular, n_units, seed=1))
    assert far(singular.matrix, found.matrix) < 1e-12


def test_kinds_hold_every_overlap_that_learns_once():
    start = overlaps(drawn(8, 20, 2, 1, 3))
    kinds = by_kind(start, start.matrix[None])
    assert {name: len(values) for name, values in kinds["visible"].items()} == {
        "n·m": 4,
        "n·b": 2,
        "c·m": 6,
    }
    assert {name: len(values) for name, values in kinds["invisible"].items()} == {
        "m·m": 3,
        "n·n": 3,
        "m·b": 2,
        "n·c": 6,
    }
    assert kinds["visible"]["n·b"][1, 0] == float(start.block("right", "inward")[1, 0])


def test_refuses_overlaps_that_no_network_has():
    start = overlaps(drawn(9))
    with pytest.raises(ValueError, match="no vectors overlap so"):
        start.with_block("right", "left", torch.tensor([[9.0]]).double())
    wrong = {
        "asymmetric": (start.matrix + torch.eye(4).roll(1, 0), "not symmetric"),
        "size": (start.matrix[:3, :3], "ask for 4 rows"),
        "nan": (torch.full((4, 4), torch.nan).double(), "NaN or infinity"),
    }
    for matrix, message in wrong.values():
        with pytest.raises(ValueError, match=message):
            network_with_overlaps(start._replace(matrix=matrix), 20)
    with pytest.raises(ValueError, match="as many units"):
        network_with_overlaps(start, 3)


def test_refuses_what_the_theory_does_not_cover():
    with pytest.raises(ValueError, match="assumption: linear"):
        overlaps(drawn(0, nonlinearity="tanh"))
    start, (inputs, targets) = overlaps(drawn(0)), aim()
    with pytest.raises(ValueError, match="at most tau"):
        descend_overlaps(start, inputs, targets, dt=1.5, n_steps=1, learning_rate=0.1)
    with pytest.raises(ValueError, match="at most tau"):
        overlap_output(start, inputs, dt=1.5)
    with pytest.raises(ValueError, match=r"trial, time, output"):
        descend_overlaps(start, inputs, targets.expand(-1, -1, 2), **SETTINGS)
    with pytest.raises(ValueError, match="targets hold NaN"):
        descend_low_rank(drawn(0), inputs, targets * torch.nan, **SETTINGS)
    with pytest.raises(ValueError, match="n_steps"):
        descend_overlaps(start, inputs, targets, dt=DT, n_steps=-1, learning_rate=0.1)
    with pytest.raises(ValueError, match="increase"):
        overlap_flow(start, inputs, targets, dt=DT, times=[1.0, 0.5])
    network = drawn(0)
    with pytest.raises(ValueError, match="of the same neurons"):
        overlaps(network._replace(right=network.right[1:]))
    with pytest.raises(ValueError, match="left holds NaN"):
        overlaps(network._replace(left=network.left * torch.nan))


def test_says_where_it_diverges():
    start = overlaps(drawn(0))
    with pytest.raises(Diverged, match="lower learning_rate"):
        descend_overlaps(start, *aim(), dt=DT, n_steps=400, learning_rate=100.0)


@pytest.mark.parametrize("rank", [1, 2])
def test_pulse_problems_start_as_they_say_and_can_be_learned(rank):
    problem = pulse_problem(rank, seed=1000)
    start = problem.start
    for pair in (("right", "inward"), ("outward", "left")):
        assert far(start.block(*pair), torch.tensor(0.4).double()) < 1e-7
    assert abs(float(start.block("outward", "inward"))) < 1e-12
    trial = (problem.inputs, problem.targets)
    learned = descend_overlaps(
        start, *trial, dt=problem.dt, n_steps=300, learning_rate=0.1 if rank == 1 else 0.4
    )
    assert float(learned.loss[-1]) < 0.05 * float(learned.loss[0])
    loop = learned.overlaps[-1][start.places["right"], start.places["left"]]
    values = torch.linalg.eigvals(loop).numpy()
    # what makes exp(rate t) in Euler steps
    rate = np.array([-0.25]) if rank == 1 else -0.25 + 0.4j * np.pi * np.array([1, -1])
    wanted = 1 + (np.exp(problem.dt * rate) - 1) / problem.dt
    assert np.abs(np.sort(values) - np.sort(wanted)).max() < 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank": 3}, "rank is 3"),
        ({"rank": 1, "dt": 2.0}, "dt is 2"),
        ({"rank": 1, "gain": 0.0}, "gain is 0"),
    ],
)
def test_pulse_problems_refuse(settings, message):
    with pytest.raises(ValueError, match=message):
        pulse_problem(**settings)
