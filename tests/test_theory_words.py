"""A random start: what is bounded is searched for violations, and wrong bounds are caught.

Every check takes the bound as an argument, so that one made wrong on purpose meets the same check.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ltr_core.learned_change import scaling_exponents
from ltr_core.theory import (
    FirstGradient,
    Remainders,
    compare_runs,
    completed_basis,
    factors_of_gradient,
    krylov_tail,
    leak,
    leaks_outside,
    learn_problem,
    learning_vectors,
    matched_steps,
    optimiser_outcome,
    random_problem,
    random_space,
    relative_tails,
    singular_tails,
    spanned,
    turned,
    word_space,
    word_spaces,
)

# no shrinking: a wrong bound is to be caught, not explained
SEARCH = settings(max_examples=30, phases=[Phase.generate], report_multiple_bugs=False)
alphas = st.sampled_from([0.0, 0.5, -1.0, 2.0])
settings_of_problems = st.fixed_dictionaries(
    {
        "seed": st.integers(1000, 9999),
        "n_units": st.integers(4, 30),
        "n_inputs": st.integers(1, 3),
        "n_outputs": st.integers(1, 3),
        "initial_rank": st.integers(0, 2),
        "g": st.sampled_from([0.0, 0.1, 0.6, 1.5]),
        "n_trials": st.integers(1, 5),
        "n_time": st.integers(1, 12),
        "dt": st.sampled_from([0.1, 0.5, 1.0]),
    }
)
LOSSES = st.sampled_from(["squared", "quartic", "logistic"])


def learn(problem, **training):
    return learn_problem(problem, **{"n_steps": 8, "learning_rate": 0.5} | training)


def vectors_of(problem):
    """Inputs, readout and initial states, as columns."""
    return learning_vectors(problem.network, problem.initial).numpy()


def first_gradient(problem, bound, loss="squared", **options):
    """The factors of the first gradient beside their bounds."""
    given = problem._asdict() | {"loss": loss}
    return factors_of_gradient(**given), bound(**given, **options)


# --- tails --------------------------------------------------------------------------------------


def test_tails_are_distances_from_the_nearest_matrix_of_each_rank():
    matrix = np.diag([4.0, 3.0, 0.0])
    np.testing.assert_allclose(singular_tails(matrix), [5.0, 3.0, 0.0, 0.0])
    told = Remainders(np.array([0, 1, 2, 5]), np.array([5.0, 3.5, 0.1, 0.0]))
    assert told.broken_by(matrix) == 0.0
    assert told.broken_by(matrix + np.diag([0, 0, 1.0])) == pytest.approx(0.9 / 26**0.5)
    assert [told.rank_above(t) for t in (5.0, 1.0, 0.0)] == [0, 2, 5]
    with pytest.raises(ValueError, match="says nothing about singular values above 0"):
        told._replace(remainder=told.remainder + 1.0).rank_above(0.5)


def test_both_factors_count_with_changed_remainders_too():
    bound = Remainders(np.array([0, 1]), np.array([5.0, 2.0]))
    factors = factors_of_gradient(**random_problem(0, n_units=2)._asdict())
    factors = factors._replace(rates=np.diag([4.0, 3.0]), adjoint=np.diag([4.0, 0.0]))
    both = FirstGradient(bound, bound)
    assert both.broken_by(factors) == pytest.approx(0.2)  # of the rates: (3 - 2) / 5
    assert both._replace(rates=bound._replace(rank=bound.rank + 1)).broken_by(factors) <= 0
    assert both.broken_by(factors, lambda left: left / 5) == pytest.approx(4 / 5)
    flipped = factors._replace(rates=factors.adjoint, adjoint=factors.rates)
    assert both.broken_by(flipped) == both.broken_by(factors)


def test_relative_tails_are_shares_of_each_networks_own_norm():
    matrices = [np.diag([4.0, 3.0]), np.diag([8.0, 6.0])]
    bounds = [Remainders(np.array([0, 1, 2]), np.array([5.0, 4.0, 0.0])) for _ in matrices]
    ranks, curves = relative_tails(matrices, {"told": bounds}, 2)
    assert ranks.tolist() == [0, 1]
    np.testing.assert_allclose(curves["measured"], [[1.0, 0.6], [1.0, 0.6]])
    np.testing.assert_allclose(curves["told"], [[1.0, 0.8], [0.5, 0.4]])


# --- the first gradient --------------------------------------------------------------------------


def check_krylov(change: Callable) -> None:
    @SEARCH
    @given(settings_of_problems, alphas, LOSSES)
    def check(drawn, alpha, loss):
        problem = random_problem(**drawn, alpha=alpha)
        factors, bounds = first_gradient(problem, krylov_tail, loss, alpha=alpha)
        assert change(bounds.rates).broken_by(factors.rates) <= 1e-9
        assert change(bounds.adjoint).broken_by(factors.adjoint) <= 1e-9

    check()


def shifted(bound):
    """Each remainder in the place of the one before: a term too few."""
    return bound._replace(remainder=np.append(bound.remainder[1:], 0.0))


WRONG = {
    "a term too few": shifted,
    "half": lambda bound: bound._replace(remainder=bound.remainder / 2),
    "a rank less": lambda bound: bound._replace(rank=np.maximum(bound.rank - 1, 0)),
}


def test_no_tail_of_the_first_gradient_is_above_its_bound():
    check_krylov(lambda bound: bound)


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_bounds_of_the_first_gradient_are_caught(wrong):
    with pytest.raises(AssertionError):
        check_krylov(WRONG[wrong])


def test_the_bound_is_exact_where_only_one_term_is_left():
    """One unit of time: the activity is the initial state, and one power of W_0 never acts."""
    problem = random_problem(1001, n_units=12, g=0.6, initial_rank=1, n_time=2, n_inputs=1)
    factors, bounds = first_gradient(problem, krylov_tail)
    assert bounds.rates.remainder[0] >= np.linalg.norm(factors.rates)
    assert bounds.rates.remainder[-1] == 0
    assert len(bounds.rates.rank) == 3  # powers 0 and 1, and nothing left
    direct = np.linalg.norm(
        problem.network.recurrent[0].numpy()
        @ np.linalg.qr(
            np.hstack([problem.network.inward[0].numpy(), problem.initial[:1].numpy().T])
        )[0],
        2,
    )
    at_rest = problem.initial.norm().item()  # h z^(1)_1 = h x_0
    assert bounds.rates.remainder[1] == pytest.approx(problem.dt * direct * at_rest)


def test_remainders_fall_with_every_power_of_g():
    tails = []
    for g in (0.01, 0.1):
        problem = random_problem(1002, n_units=60, g=g)
        factors, bounds = first_gradient(problem, krylov_tail)
        tails.append([bounds.rates.remainder[:4], singular_tails(factors.rates)[[0, 2, 4, 6]]])
    slopes = np.log10(tails[1]) - np.log10(tails[0])
    np.testing.assert_allclose(slopes, [range(4)] * 2, atol=0.15)


# --- all of learning -----------------------------------------------------------------------------


def without_mixing(recurrent, problem, length):
    """Each Krylov space by itself: W on the inputs, W^T on the readout."""
    inward, outward = problem.network.inward[0].numpy(), problem.network.outward[0].numpy()
    forwards = word_space(recurrent, inward, length, "forward")
    backwards = word_space(recurrent, outward.T, length, "backward")
    return spanned(torch.from_numpy(np.hstack([forwards, backwards]))).numpy()


def as_many_at_random(recurrent, problem, length):
    size = word_space(recurrent, vectors_of(problem), length).shape[1]
    return random_space(len(recurrent), size, seed=0)


SPACES = {
    "words": lambda recurrent, problem, length: word_space(recurrent, vectors_of(problem), length),
    "a letter too few": lambda recurrent, problem, length: word_space(
        recurrent, vectors_of(problem), length - 1
    ),
    "without mixing": without_mixing,
    "random": as_many_at_random,
}


def check_decay(length, space, **options):
    strengths = np.array([1e-3, 1e-2])
    leaks = []
    for g in strengths:
        problem = random_problem(1003, n_units=60, g=g, **options)
        run = learn(problem, momentum=0.5)
        leaks.append(leak(run, space(problem.network.recurrent[0].numpy(), problem, length)))
    slope = np.diff(np.log(leaks)) / np.diff(np.log(strengths))
    assert abs(slope[0] - (length + 1)) < 0.1


@pytest.mark.parametrize("length", [0, 1, 2])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_what_words_leave_out_falls_with_one_power_more(length, alpha):
    check_decay(length, SPACES["words"], alpha=alpha)


@pytest.mark.parametrize("wrong", [name for name in SPACES if name != "words"])
def test_spaces_without_all_words_are_caught(wrong):
    with pytest.raises(AssertionError):
        check_decay(1, SPACES[wrong])


def test_exponents_of_what_spaces_leave_out():
    strengths = np.array([1e-3, 1e-2])
    problems = [[random_problem(k, n_units=50, g=g) for g in strengths] for k in (1003, 1004)]
    leaks = leaks_outside(word_spaces, problems, seed=1000)
    slopes = {name: scaling_exponents(part, strengths) for name, part in leaks.items()}
    expected = {"m = 0": 1, "m = 1": 2, "m = 2": 3, "not mixed": 1, "random": 0}
    for name, slope in expected.items():
        np.testing.assert_allclose(slopes[name], [slope, slope], atol=0.1)
    one = leak(learn_problem(problems[1][0]), word_spaces(problems[1][0], [1000, 1])["random"])
    assert leaks["random"][1, 0] == one


def test_a_low_rank_part_of_the_start_counts_as_vectors():
    check_decay(
        1,
        lambda recurrent, problem, length: word_space(
            recurrent,
            np.hstack([vectors_of(problem), *low_rank_part(1003, 60)]),
            length,
        ),
        start_rank=1,
        n_inputs=1,
        n_outputs=1,
    )


def low_rank_part(seed, n_units):
    structured = random_problem(seed, n_units=n_units, start_rank=1).network.recurrent[0].numpy()
    left, _, right = np.linalg.svd(structured)
    return left[:, :1], right[:1].T


@pytest.mark.parametrize(("letters", "expected"), [("both", [2, 6, 14]), ("forward", [2, 4, 6])])
def test_dimensions_of_word_spaces(letters, expected):
    rng = np.random.default_rng(0)
    recurrent, vectors = 1e-3 * rng.standard_normal((40, 40)), rng.standard_normal((40, 2))
    spaces = [word_space(recurrent, vectors, length, letters) for length in range(3)]
    assert [space.shape[1] for space in spaces] == expected
    np.testing.assert_allclose(spaces[2].T @ spaces[2], np.eye(expected[2]), atol=1e-10)
    direct = recurrent @ recurrent @ vectors
    direct /= np.linalg.norm(direct)
    assert np.linalg.norm(direct - spaces[2] @ spaces[2].T @ direct) < 1e-8
    assert np.linalg.norm(direct - spaces[1] @ spaces[1].T @ direct) > 0.1
    shifted_too = word_space(recurrent + 0.7 * np.eye(40), vectors, 2, letters)
    assert np.linalg.norm(shifted_too - spaces[2] @ spaces[2].T @ shifted_too) < 1e-6
    assert word_space(np.zeros((40, 40)), vectors, 5, letters).shape[1] == 2


@pytest.mark.usefixtures("as_in_use")
def test_a_setting_that_is_not_covered_is_refused():
    tanh = random_problem(0, nonlinearity="tanh")
    with pytest.raises(ValueError, match="assumes a linear network"):
        krylov_tail(*tanh[:3], dt=tanh.dt)
    rng = np.random.default_rng(0)
    recurrent, vectors = rng.standard_normal((10, 10)), rng.standard_normal((10, 2))
    with pytest.raises(ValueError, match="span all 10 dimensions, and say nothing"):
        word_space(recurrent, vectors, 2)
    with pytest.raises(ValueError, match="letters is 'all': give one of both, forward, backward"):
        word_space(recurrent, vectors, 1, "all")
    with pytest.raises(ValueError, match="length is -1"):
        word_space(recurrent, vectors, -1)
    with pytest.raises(ValueError, match=r"recurrent has shape \(10, 10\), the vectors have 9"):
        word_space(recurrent, vectors[:9], 1)


# --- Adam ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_and_aligned():
    problem = random_problem(1004, n_units=30, alpha=0.3, initial_rank=1)
    space = spanned(torch.from_numpy(vectors_of(problem))).numpy()
    return problem, space, turned(problem, completed_basis(space))


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_only_gradient_descent_does_not_know_the_coordinates(plain_and_aligned, optimiser):
    problem, space, aligned = plain_and_aligned
    axes = completed_basis(space)
    rate = 0.5 if optimiser == "sgd" else 0.01
    here, there = (
        learn(one, n_steps=20, optimiser=optimiser, learning_rate=rate)
        for one in (problem, aligned)
    )
    np.testing.assert_allclose(here.loss[0], there.loss[0], rtol=1e-12)
    back = axes @ there.change[-1] @ axes.T
    apart = np.linalg.norm(back - here.change[-1]) / np.linalg.norm(back)
    assert leak(there, np.eye(30)[:, : space.shape[1]]) < 1e-12
    if optimiser == "sgd":
        assert apart < 1e-10
        assert leak(here, space) < 1e-10
    else:
        assert apart > 0.3
        assert leak(here, space) > 0.3


def test_the_first_step_of_adam_is_the_sign_of_the_gradient():
    problem = random_problem(1000, n_units=30)
    run = learn(problem, n_steps=1, optimiser="adam", learning_rate=0.01)
    large = np.abs(run.gradient[0]) > 1e-4
    assert large.mean() > 0.5
    signs = -np.sign(run.gradient[0])
    np.testing.assert_allclose(run.change[0][large], 0.01 * signs[large], rtol=1e-3)
    assert np.linalg.matrix_rank(run.gradient[0]) <= 4 < np.linalg.matrix_rank(signs)


def test_what_a_change_is_for(plain_and_aligned):
    problem, space, _ = plain_and_aligned
    runs = {
        "sgd": learn(problem, n_steps=40),
        "adam": learn(problem, n_steps=40, optimiser="adam", learning_rate=0.003),
    }
    steps = matched_steps(runs)
    level = max(run.loss.min() for run in runs.values())
    for name, step in steps.items():
        assert runs[name].loss[step] <= level < runs[name].loss[step - 1]
    compared = compare_runs(problem, runs, space)
    sgd, adam = (one.outcome for one in compared.values())
    assert compared["adam"].leak == leak(runs["adam"], space)
    assert sgd == optimiser_outcome(problem, runs["sgd"], steps["sgd"], space)
    np.testing.assert_array_equal(compared["adam"].change, runs["adam"].change[steps["adam"] - 1])
    assert sgd.loss == pytest.approx(runs["sgd"].loss[steps["sgd"]])
    assert sgd.outside_space < 1e-10
    assert sgd.kept_by_space == pytest.approx(1)
    assert sgd.rank <= 5 < adam.rank
    assert adam.outside_space > 0.3
    assert adam.kept_by_own > 0.9
    assert adam.kept_by_random < 0.3
    with pytest.raises(ValueError, match="step is 0: the run has steps 1 to 40"):
        optimiser_outcome(problem, runs["sgd"], 0, space)
    backwards = runs["sgd"]._replace(change=-runs["sgd"].change)
    with pytest.raises(ValueError, match="nothing was learned"):
        optimiser_outcome(problem, backwards, 40, space)
    with pytest.raises(ValueError, match="not all are below the first"):
        matched_steps({"risen": runs["sgd"]._replace(loss=runs["sgd"].loss[::-1])})


def test_other_coordinates_are_for_linear_networks_and_orthogonal_axes():
    with pytest.raises(ValueError, match="with other coordinates tanh is another function"):
        turned(random_problem(0, n_units=5, nonlinearity="tanh"), np.eye(5))
    with pytest.raises(ValueError, match="not orthonormal"):
        turned(random_problem(0, n_units=5), 2 * np.eye(5))
