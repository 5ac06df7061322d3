"""Associations, noise on top of a task, and linear force fields."""

import numpy as np
import pytest
import torch

from ltr_core.rnn import mean_field_networks, simulate
from ltr_core.tasks import (
    Associations,
    CurlField,
    FixedPoint,
    FlipFlop,
    ForceField,
    Hand,
    Noisy,
    Task,
    with_private_inputs,
)

RNG = np.random.default_rng


def test_a_linear_map_is_linear_and_an_arbitrary_one_is_not():
    found = {}
    for mapping in ("linear", "arbitrary"):
        inputs, targets = Associations(n_conditions=9, n_channels=3, mapping=mapping).pairs
        solved = torch.linalg.lstsq(inputs, targets).solution
        found[mapping] = (inputs @ solved - targets).norm().item()
        torch.testing.assert_close(inputs[:, :3].norm(dim=1), torch.ones(9).double())
        torch.testing.assert_close(targets.norm(dim=1), torch.full((9,), 0.5).double())
        assert (inputs[:, 3] == 1).all()
    assert found["linear"] < 1e-12
    assert found["arbitrary"] > 0.5


def test_conditions_on_the_circle_are_evenly_spaced_and_share_their_map():
    few, many = (Associations(n_conditions=n).pairs for n in (4, 8))
    for one, other in zip(few, many, strict=True):
        torch.testing.assert_close(one, other[::2])
    assert not torch.equal(few[1], Associations(n_conditions=4, draw=1).pairs[1])


def test_trials_go_through_the_conditions_and_count_at_the_end():
    task = Associations(n_conditions=3, duration=4.0, decision=1.0, dt=0.5)
    assert isinstance(task, Task)
    trials = task.sample(7, RNG(0))
    assert trials.condition.tolist() == [0, 1, 2, 0, 1, 2, 0]
    inputs, targets = task.pairs
    assert torch.equal(trials.inputs[4], inputs[1].expand(8, -1))
    assert trials.mask.sum(1).tolist() == [2] * 7
    assert torch.equal(trials.targets[5, -1], targets[2])
    assert len(task.time) == 8


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"n_conditions": 0}, "n_conditions is 0"),
        ({"n_channels": 0}, "n_channels is 0"),
        ({"decision": 0.1}, "decision is 0.1"),
        ({"decision": 7.0}, "decision is 7.0"),
        ({"dt": 0.0}, "dt is 0.0"),
        ({"target_amplitude": float("nan")}, "target_amplitude is nan"),
    ],
)
def test_associations_that_cannot_be_are_named(settings, named):
    with pytest.raises(ValueError, match=named):
        Associations(**settings)


@pytest.mark.usefixtures("as_in_use")
def test_an_unknown_map_is_refused():
    with pytest.raises(ValueError, match="mapping is 'cubic': give linear or arbitrary"):
        Associations(mapping="cubic")


def test_noise_is_where_it_is_asked_for_and_of_the_size_that_is_asked_for():
    task = FlipFlop()
    noisy = Noisy(task, input_sd=0.3, target_sd=0.2, unit_sd=0.1, n_units=5)
    assert isinstance(noisy, Task)
    assert (noisy.n_inputs, noisy.n_outputs) == (7, 2)
    clean, trials = task.sample(400, RNG(1)), noisy.sample(400, RNG(1))
    added = trials.inputs[..., :2] - clean.inputs
    assert added.std().item() == pytest.approx(0.3 / 0.5**0.5, rel=0.02)
    assert trials.inputs[..., 2:].std().item() == pytest.approx(0.1 / 0.5**0.5, rel=0.02)
    moved = trials.targets - clean.targets
    torch.testing.assert_close(moved, moved[:, :1].expand_as(moved))  # the same through a trial
    assert moved[:, 0].std().item() == pytest.approx(0.2, rel=0.1)
    assert torch.equal(trials.mask, clean.mask)


def test_no_noise_is_the_task_itself():
    clean, same = FlipFlop().sample(5, RNG(2)), Noisy(FlipFlop()).sample(5, RNG(2))
    for one, other in zip(clean, same, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("dt", [0.5, 0.1])
def test_private_noise_is_each_units_own_and_does_not_depend_on_the_step(dt):
    # without connections dx = -x dt + sd dB: variance sd^2 / 2, and units do not know each other
    task = Noisy(FixedPoint(duration=40.0, input_amplitude=0.0, dt=dt), unit_sd=0.4, n_units=6)
    bare = mean_field_networks(1, 6, 1, 1, g=0.0, nonlinearity="identity", dtype=torch.float64)
    networks = with_private_inputs(bare)
    activity = simulate(networks, task.sample(600, RNG(3)).inputs[None], dt).activity
    covariance = torch.cov(activity[0, :, -1].T).numpy()
    wanted = 0.16 / (2 - dt)  # that of the Euler steps; 0.08 for short ones
    np.testing.assert_allclose(covariance, wanted * np.eye(6), atol=0.2 * wanted)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"input_sd": -0.1}, "input_sd is -0.1"),
        ({"target_sd": float("inf")}, "target_sd is inf"),
        ({"unit_sd": 0.1}, "n_units 0: private noise needs both"),
        ({"n_units": 3}, "unit_sd is 0.0"),
    ],
)
def test_noise_that_cannot_be_is_named(settings, named):
    with pytest.raises(ValueError, match=named):
        Noisy(FlipFlop(), **settings)


def test_a_force_field_that_is_a_curl_is_the_curl_field():
    force = torch.from_numpy(RNG(4).normal(size=(3, 30, 2)))
    curl = Hand().move(force, 0.02, CurlField(2.0)).position
    same = Hand().move(force, 0.02, ForceField(((0.0, -2.0), (2.0, 0.0)))).position
    assert torch.equal(curl, same)
    assert not torch.allclose(curl, Hand().move(force, 0.02).position)


def test_a_saddle_speeds_up_one_axis_and_slows_down_the_other():
    hand = Hand(mass=2.0, viscosity=1.0)
    rest = torch.zeros(50, 2, dtype=torch.float64)
    path = hand.move(rest, 0.01, ForceField(((3.0, 0.0), (0.0, -3.0))), velocity=(0.1, 0.1))
    time = 0.01 * np.arange(1, 51)
    rates = np.array([(3.0 - 1.0) / 2.0, (-3.0 - 1.0) / 2.0])
    wanted = 0.1 * (np.exp(np.outer(time, rates)) - 1) / rates
    np.testing.assert_allclose(path.position.numpy(), wanted, atol=1e-13)


@pytest.mark.parametrize("matrix", [((1.0, 0.0), (0.0, float("nan")))])
def test_a_field_that_is_not_finite_is_refused(matrix):
    with pytest.raises(ValueError, match="2 rows of 2 finite numbers"):
        ForceField(matrix)
