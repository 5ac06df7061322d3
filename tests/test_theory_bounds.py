"""Bounds on what gradient descent writes: searched for violations, and wrong ones are caught.

Every check takes the bound as an argument, so that one made wrong on purpose meets the same check.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import Phase, assume, given, reject, settings
from hypothesis import strategies as st

from ltr_core.decomposition import cp, mode_ranks
from ltr_core.learning import Diverged
from ltr_core.theory import (
    LOSSES,
    RUNGS,
    SIZES,
    GradientBounds,
    Tail,
    TailBounds,
    cp_bound,
    departure,
    exact_trials,
    factors_of_gradient,
    gradient_bounds,
    ladder,
    leak,
    learn_problem,
    learned_part,
    missing_ranks,
    random_problem,
    rank_bounds,
    singular_value_bounds,
    subspace_bound,
    tail_bounds,
    varied_problems,
    varied_rates,
)

# no shrinking: a wrong bound is to be caught, not explained
SEARCH = settings(max_examples=40, phases=[Phase.generate], report_multiple_bugs=False)
NONLINEARITIES = st.sampled_from(["tanh", "identity"])
problems = st.builds(
    random_problem,
    st.integers(1000, 9999),
    n_units=st.integers(2, 12),
    n_inputs=st.integers(1, 3),
    n_outputs=st.integers(1, 3),
    initial_rank=st.integers(0, 2),
    start_rank=st.integers(0, 2),
    g=st.sampled_from([0.0, 0.8, 2.0]),
    input_scale=st.sampled_from([0.1, 1.0, 5.0]),
    n_trials=st.integers(1, 4),
    n_time=st.integers(1, 6),
    nonlinearity=NONLINEARITIES,
)
trainings = st.fixed_dictionaries(
    {
        "n_steps": st.integers(1, 6),
        "learning_rate": st.sampled_from([0.05, 0.5]),
        "momentum": st.sampled_from([0.0, 0.9]),
        "weight_decay": st.sampled_from([0.0, 0.1]),
        "loss": st.sampled_from(list(LOSSES)),
        "trained": st.sampled_from([("recurrent",), ("recurrent", "inward", "outward")]),
    }
)


def learn(problem, **training):
    return learn_problem(problem, **{"n_steps": 6, "learning_rate": 0.5} | training)


def learned(problem, training):
    """A run that hypothesis drew, if it learned anything and did not diverge."""
    try:
        run = learn(problem, **training)
    except Diverged:
        reject()
    assume(run.gradient.any())
    return run


def searched(check: Callable, *strategies: st.SearchStrategy) -> None:
    """Search for an example that the check refuses."""
    SEARCH(given(*strategies)(check))()


def shifted(values: np.ndarray) -> np.ndarray:
    """Each bound in the place of the one before it."""
    return np.append(values[1:], 0.0)


WRONG = {"half": lambda values: values / 2, "the next": shifted}


# --- Theorem 1 ---------------------------------------------------------------------------------


def check_factorisation(change: Callable, balanced: bool) -> None:
    def check(problem):
        found, *bounds = gradient_bounds(problem)
        bound = change(bounds[balanced])
        assert (found <= bound * (1 + 1e-9) + 1e-12 * found[0]).all()

    searched(check, problems)


@pytest.mark.parametrize("balanced", [False, True])
def test_no_singular_value_of_a_gradient_is_above_its_bound(balanced):
    check_factorisation(lambda values: values, balanced)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_bounds_on_singular_values_are_caught(wrong, balanced):
    with pytest.raises(AssertionError):
        check_factorisation(WRONG[wrong], balanced)


def test_the_bound_takes_the_best_pair():
    left, right = np.diag([4.0, 1.0, 0.5]), np.diag([3.0, 2.0, 0.0])
    bound = singular_value_bounds(left, right, 0.5)
    np.testing.assert_allclose(bound, [6.0, 1.5, 0.0])  # 4 3, min(4 2, 1 3), min(4 0, 1 2, .5 3)


def test_both_bounds_are_those_of_the_gradient_that_descent_takes():
    problem = random_problem(1000, n_units=8, g=0.8, nonlinearity="tanh", initial_rank=1)
    values, *bounds = gradient_bounds(problem)
    gradient = learn(problem, n_steps=1).gradient[0]
    np.testing.assert_allclose(values, np.linalg.svd(gradient, compute_uv=False))
    factors = factors_of_gradient(**problem._asdict())
    for found, balanced in zip(bounds, (False, True), strict=True):
        told = singular_value_bounds(*factors[:2], problem.dt, balanced=balanced)
        np.testing.assert_array_equal(found, told)


def test_the_excess_is_the_largest_of_both_bounds_as_a_share_of_the_first_value():
    rows = np.array([[4.0, 2.0], [5.0, 1.0], [4.5, 3.0]])
    assert GradientBounds(*rows).excess() == 0.25
    assert GradientBounds(*rows[[0, 2, 1]]).excess() == 0.25
    assert GradientBounds(*rows).excess(lambda bound: bound + 1) == 0.0


def test_balanced_columns_bound_more_closely_where_they_differ_in_length():
    lengths = np.array([1.0, 1e-3])
    left = np.eye(2) * lengths
    right = np.eye(2) / lengths  # the product is the identity
    np.testing.assert_allclose(singular_value_bounds(left, right, 1.0), [1e3, 1.0])
    np.testing.assert_allclose(singular_value_bounds(left, right, 1.0, balanced=True), [1.0, 1.0])
    left[:, 1] = 0  # a column that counts for nothing
    np.testing.assert_allclose(singular_value_bounds(left, right, 1.0, balanced=True), [1.0, 0.0])


# --- Theorem 2 ---------------------------------------------------------------------------------


def check_tails(change: Callable) -> None:
    def check(problem, training):
        run = learned(problem, training)
        for measured, bound in tail_bounds(run):
            assert (measured <= change(bound) * (1 + 1e-9) + 1e-11 * bound[0]).all()

    searched(check, problems, trainings)


def test_no_tail_is_above_its_bound():
    check_tails(lambda values: values)


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_bounds_on_tails_are_caught(wrong):
    with pytest.raises(AssertionError):
        check_tails(WRONG[wrong])


def test_excess_and_guarantee_of_tails():
    post = Tail(np.array([1.0, 0.3, 0.0]), np.array([1.5, 0.25, 0.0]))
    pre = Tail(np.array([1.0, 0.05, 0.0]), np.array([1.5, 0.05, 0.0]))
    assert post.excess() == pytest.approx(0.05)
    assert pre.excess() == 0.0
    assert pre.excess(shifted) == pytest.approx(0.95)
    assert [TailBounds(post, pre).guaranteed(share) for share in (0.9, 0.7)] == [2, 1]
    assert TailBounds(pre, pre).guaranteed(0.9) == 1


def check_ranks(fewer: int) -> None:
    def check(problem, training):
        run = learned(problem, training)
        found = rank_bounds(run, 1e-6)
        bound = tuple(rank - fewer for rank in found.bound)
        # what the factors hold below the tolerance may show in the product: 1e-3 is far above
        measured = mode_ranks(learned_part(run), 1e-3)
        assert all(m <= b for m, b in zip(measured, bound, strict=True))
        assert found.cp_rank == cp_bound(found.bound)

    searched(check, problems, trainings)


def test_mode_ranks_are_at_most_what_the_factors_span():
    check_ranks(0)


def test_one_dimension_fewer_is_caught():
    with pytest.raises(AssertionError):
        check_ranks(1)


def test_the_cp_rank_is_measured_beside_its_bound():
    # one input and one output: at most 3, one less than the bound tells
    run = learn(random_problem(1000, n_inputs=1, n_outputs=1), n_steps=30)
    found = rank_bounds(run, 1e-3, cp_ranks=(4, 3, 2, 1))
    assert found.bound == (4, 2, 2)
    assert found.cp_rank == 4
    assert found.cp_measured in (2, 3)
    fit = cp(learned_part(run), found.cp_measured).fit
    assert fit >= 1 - 1e-6 > cp(learned_part(run), found.cp_measured - 1).fit
    assert rank_bounds(run, 1e-3).cp_measured is None
    assert rank_bounds(run, 1e-3, cp_ranks=(1,)).cp_measured is None


def test_the_bound_on_the_cp_rank_is_the_least_product_of_two():
    assert cp_bound((40, 3, 5)) == 15
    assert cp_bound((2, 7, 5)) == 10


@pytest.mark.parametrize("side", ["post", "pre"])
def test_every_rung_of_the_ladder_is_above_the_one_before(side):
    def check(problem, training):
        run = learned(problem, training)
        ranks = np.arange(problem.network.n_units + 1)
        rungs = ladder(run, ranks, side)
        assert tuple(rungs) == RUNGS
        tail = getattr(tail_bounds(run), side)
        slack = 1e-10 * tail.bound[0]
        np.testing.assert_allclose(rungs[RUNGS[0]], tail.measured, atol=1e-10)
        np.testing.assert_allclose(rungs[RUNGS[-1]], tail.bound, atol=slack)
        np.testing.assert_allclose(rungs[RUNGS[3]][0], tail.bound[0])  # lossless at rank 0
        for below, above in pairwise(RUNGS):
            assert (rungs[below] <= rungs[above] + slack).all()

    searched(check, problems, trainings)


def test_adam_is_refused_and_weight_decay_is_taken_out():
    problem = random_problem(1000, n_units=6, g=0.8)
    adam = learn(problem, optimiser="adam")
    for bound in (learned_part, tail_bounds, rank_bounds):
        with pytest.raises(ValueError, match=r"no sums of gradients \(Adam"):
            bound(adam)
    run = learn(problem, weight_decay=0.3)
    plain = -np.tensordot(run.coefficients, run.gradient, axes=1)
    np.testing.assert_allclose(learned_part(run), plain, atol=1e-13)
    assert np.abs(run.change - plain).max() > 0.01


def test_ranks_that_hold_a_share_and_what_is_refused():
    run = learn(random_problem(1000, n_units=6))
    tail = tail_bounds(run).post._replace(
        measured=np.array([1.0, 0.09, 0.0]), bound=np.array([5.0, 0.2, 0.0])
    )
    assert tail.ranks(0.9) == (1, 2)
    with pytest.raises(ValueError, match="share is 1"):
        tail.ranks(1.0)
    with pytest.raises(ValueError, match="tolerance is 1e-09"):
        rank_bounds(run, 1e-9)
    with pytest.raises(ValueError, match="between 0 and 6"):
        ladder(run, np.array([7]))
    with pytest.raises(ValueError, match="nothing to bound"):
        tail_bounds(run._replace(gradient=np.zeros_like(run.gradient)))
    with pytest.raises(ValueError, match="h is 0"):
        singular_value_bounds(np.ones((3, 2)), np.ones((3, 2)), 0.0)


# --- Theorem 3 ---------------------------------------------------------------------------------

SOME_SIZES = [size for size in SIZES if (size.n_inputs, size.n_outputs) in ((1, 1), (3, 2))]
TRAININGS = [
    {"loss": loss, "learning_rate": rate, "momentum": momentum}
    for loss in LOSSES
    for rate in (0.1, [0.02, 0.18, 0.1, 0.06, 0.14, 0.04, 0.08, 0.12])
    for momentum in (0.0, 0.9)
]


def linear_runs(nonlinearity: str = "identity") -> Iterator[tuple]:
    """Each size with another training, in turn."""
    for place, (n_units, p, q, states, start) in enumerate(SOME_SIZES):
        problem = random_problem(
            1000 + place,
            n_units=n_units,
            n_inputs=p,
            n_outputs=q,
            initial_rank=states,
            start_rank=start,
            alpha=0.5 * (place % 2),
            n_time=8,
            nonlinearity=nonlinearity,
        )
        training = TRAININGS[(5 * place) % len(TRAININGS)]
        yield problem, start, learn(problem, n_steps=8, **training)


def check_subspace(run, basis: np.ndarray) -> None:
    leaked, over = departure(run, basis)
    assert leaked <= 1e-8
    assert over <= 0


def test_linear_networks_never_leave_the_subspace():
    for problem, start, run in linear_runs():
        found = subspace_bound(problem.network, problem.initial, n_steps=8)
        p, q = problem.network.inward.shape[2], problem.network.outward.shape[1]
        states = int(torch.linalg.matrix_rank(problem.initial))
        assert found.dimension == p + q + states + 2 * start
        assert found.mode_ranks == (min(8, found.dimension**2), found.dimension, found.dimension)
        assert not found.everything
        check_subspace(run, found.basis)


def test_wrong_subspaces_are_caught():
    for problem, start, run in linear_runs():
        found = subspace_bound(problem.network, problem.initial, n_steps=8)
        with pytest.raises(AssertionError):
            check_subspace(run, found.basis[:, :-1])
        if start:  # the part of low rank forgotten
            plain = problem.network._replace(recurrent=torch.zeros_like(problem.network.recurrent))
            with pytest.raises(AssertionError):
                check_subspace(run, subspace_bound(plain, problem.initial, n_steps=8).basis)


def test_tanh_and_adam_leave_it():
    for problem, _, run in linear_runs("tanh"):
        linear = problem.network._replace(nonlinearity="identity")
        with pytest.raises(AssertionError):
            check_subspace(run, subspace_bound(linear, problem.initial, n_steps=8).basis)
    problem = random_problem(1000)
    adam = learn(problem, optimiser="adam", learning_rate=0.01)
    with pytest.raises(AssertionError):
        check_subspace(adam, subspace_bound(problem.network, n_steps=6).basis)


@pytest.mark.parametrize(
    "more", [{"weight_decay": 0.2}, {"trained": ("recurrent", "inward", "outward")}]
)
def test_weight_decay_and_learning_inputs_and_readout_change_nothing(more):
    problem = random_problem(1000, start_rank=1, initial_rank=1, alpha=0.3)
    run = learn(problem, **more)
    check_subspace(run, subspace_bound(problem.network, problem.initial, n_steps=6).basis)


def test_a_symmetric_part_of_low_rank_adds_half_as_much():
    problem = random_problem(1000, alpha=0.3)
    vectors = torch.from_numpy(np.random.default_rng(1).standard_normal((40, 2)))
    recurrent = problem.network.recurrent + 0.01 * (vectors @ vectors.T)
    network = problem.network._replace(recurrent=recurrent)
    found = subspace_bound(network, n_steps=6)
    assert found.dimension == 4 + 2
    check_subspace(learn(problem._replace(network=network)), found.basis)


def test_a_random_start_says_nothing_and_other_settings_are_refused():
    problem = random_problem(1000, g=0.8)
    found = subspace_bound(problem.network, n_steps=6)
    assert found.everything
    assert found.dimension == 40
    with pytest.raises(ValueError, match="assumes a linear network"):
        subspace_bound(problem.network._replace(nonlinearity="tanh"), n_steps=6)
    with pytest.raises(ValueError, match="n_steps is 0"):
        subspace_bound(problem.network, n_steps=0)


def test_one_input_and_one_output_have_three_directions_over_steps():
    def step_rank(**settings):
        problem = random_problem(1000, n_units=12, n_inputs=1, n_outputs=1, **settings)
        rates = [0.05 + 0.45 * (k * 0.618 % 1) for k in range(40)]
        run = learn(problem, n_steps=40, learning_rate=rates, momentum=0.5)
        return mode_ranks(run.change, 1e-12)

    assert step_rank() == (3, 2, 2)  # symmetric under the mirror that swaps B and C
    assert step_rank(initial_rank=1) == (9, 3, 3)
    assert step_rank(start_rank=1)[0] > 4


def test_a_departure_tells_ranks_apart_from_the_leak():
    run = learn(random_problem(1000, n_units=12))
    space = subspace_bound(run.start, n_steps=6).basis
    assert departure(run, space).over == 0  # filled
    assert departure(run, np.eye(12)[:, :5]).over == -1  # enough dimensions, of the wrong space
    assert departure(run, np.eye(12)[:, :5]).leak > 0.1
    assert departure(run, space[:, :3]) == (leak(run, space[:, :3]), 1)
    decayed = learn(random_problem(1000, n_units=12, g=0.3), weight_decay=0.2, n_steps=2)
    assert departure(decayed, space).over == max(
        np.subtract(mode_ranks(learned_part(decayed), 1e-8), (16, 4, 4))
    )


def test_trials_of_the_exact_bound_catch_what_is_wrong():
    sizes = SIZES[::7]
    found, wrong = exact_trials(sizes, seed=1000)
    assert max(found["leak"]) <= 1e-8
    assert max(found["over"]) <= 0
    assert len(found["leak"]) == len(wrong["one dimension less"]["over"]) == len(sizes)
    started = sum(size.start_rank > 0 for size in sizes)
    assert len(wrong["the start forgotten"]["leak"]) == started
    assert len(wrong["tanh"]["leak"]) == len(wrong["Adam"]["leak"]) == 3
    for columns in wrong.values():
        assert min(columns["leak"]) > 1e-6
    assert max(wrong["one dimension less"]["over"]) > 0
    with pytest.raises(ValueError, match="none to be forgotten"):
        exact_trials([size for size in sizes if not size.start_rank])


def test_ranks_that_are_missing():
    np.testing.assert_array_equal(missing_ranks(2, 1, 2, seed=1000), np.zeros((2, 3)))
    np.testing.assert_array_equal(missing_ranks(2, 1, 2, more=1, seed=1000), [[7, 1, 1]] * 2)


def test_varied_problems_and_rates():
    some = [problem for problem, _ in varied_problems(12, seed=1000)]
    again, _ = list(varied_problems(3, seed=1000))[2]
    np.testing.assert_array_equal(again.network.recurrent, some[2].network.recurrent)
    assert len({(*one.network.inward.shape, *one.network.outward.shape) for one in some}) > 8
    assert [k for k, one in enumerate(some) if one.inputs.shape[:2] == (1, 1)] == [0, 10]
    assert {one.network.nonlinearity for one in some} == {"tanh", "identity"}
    assert varied_rates(5, seed=1) == varied_rates(5, seed=1) != varied_rates(5, seed=2)
    assert 0.05 < min(varied_rates(99)) < 0.1
    assert 0.45 < max(varied_rates(99)) < 0.5
