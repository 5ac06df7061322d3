"""tanh from zero weights: what is bounded is searched for violations, and wrong bounds are caught.

Every check takes the bound as an argument, so that one made wrong on purpose meets the same check.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev

from ltr_core.learned_change import scaling_exponents
from ltr_core.theory import (
    factors_of_gradient,
    leak,
    leaks_outside,
    learn_problem,
    learning_vectors,
    monomial_count,
    monomial_tail,
    product_space,
    product_spaces,
    random_problem,
    random_space,
    slope_remainder,
    spanned,
    tanh_remainder,
)

# no shrinking: a wrong bound is to be caught, not explained
SEARCH = settings(max_examples=40, phases=[Phase.generate], report_multiple_bugs=False)
KINDS = {
    "tanh": (tanh_remainder, np.tanh),
    "slope": (slope_remainder, lambda y: 1 - np.tanh(y) ** 2),
}
reaches = st.floats(0.05, 6.0)


# --- polynomials near tanh ------------------------------------------------------------------------


def least_error(function, degree, reach):
    """How near to a function a polynomial comes at best, from below (de la Vallee Poussin).

    If a polynomial's error takes alternating signs at degree + 2 points, none is nearer than the
    least of these errors. Here: the polynomial that interpolates at the nodes of Chebyshev, one
    degree higher than an odd or even function needs.
    """
    extrema = np.cos(np.pi * np.arange(degree + 3) / (degree + 2))  # of T_{degree + 2}
    alternating = (-1.0) ** np.arange(degree + 3)
    columns = chebyshev.chebvander(extrema, degree + 1)
    *_, error = np.linalg.solve(np.column_stack([columns, alternating]), function(reach * extrema))
    return abs(error)


def check_best(change: Callable, kind: str) -> None:
    """No polynomial is nearer than the bound claims, and one that we can write down is as near."""
    remainder, function = KINDS[kind]

    @SEARCH
    @given(reaches, st.integers(0, 6))
    def check(reach, half):
        degree = 2 * half + (kind == "tanh")
        claimed = change(float(remainder(degree, reach)))
        least = least_error(function, degree, reach)
        assert claimed >= least * (1 - 1e-6) - 1e-15
        # the interpolating polynomial's own error is within twice the best (and some)
        nearest = chebyshev.Chebyshev.interpolate(function, degree + 1, [-reach, reach])
        y = np.linspace(-reach, reach, 400)
        assert np.abs(function(y) - nearest(y)).max() <= 4 * max(claimed, 1e-15)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_no_polynomial_is_nearer_than_the_bound_allows(kind):
    check_best(lambda claimed: claimed, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_that_claims_too_much_is_caught(kind):
    with pytest.raises(AssertionError):
        check_best(lambda claimed: claimed / 20, kind)


def explicit_polynomial(y, degree, reach, n_poles=4000):
    """The polynomial of the proof: each partial fraction of tanh by its own best one."""
    n = (degree - 1) // 2
    poles = ((2 * np.arange(n_poles) + 1) * np.pi / 2)[:, None] ** 2
    a, x = 1 + 2 * poles / reach**2, 1 - 2 * y**2 / reach**2
    turns = np.exp(1j * np.arccos(np.clip(x, -1, 1)))
    rho = a + np.sqrt(a**2 - 1)
    error = (turns**n * (turns - 1 / rho) / (1 - turns / rho)).real / rho**n / (a**2 - 1)
    return 2 * y * 2 / reach**2 * (1 / (a - x) - error).sum(0)


@pytest.mark.parametrize(("degree", "reach"), [(1, 0.5), (3, 1.0), (5, 2.0), (9, 4.0)])
def test_the_polynomial_of_the_proof_is_one_and_is_that_near(degree, reach):
    y = np.linspace(-reach, reach, 301)
    values = explicit_polynomial(y, degree, reach)
    fitted = chebyshev.Chebyshev.fit(y, values, degree)
    np.testing.assert_allclose(fitted(y), values, atol=1e-9)
    # the sum over poles is cut after 4000: what is left out is nearly linear in y
    assert np.abs(np.tanh(y) - values).max() <= tanh_remainder(degree, reach) + reach * 1e-4


@given(st.floats(0.0, 20.0))
def test_the_taylor_series_errs_by_less_than_its_next_term_at_every_reach(y):
    terms = [1, -1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155925, 21844 / 6081075]
    for n_terms in range(1, 6):
        degree = 2 * n_terms - 1
        taylor = sum(c * y ** (2 * k + 1) for k, c in enumerate(terms[:n_terms]))
        error = abs(np.tanh(y) - taylor)
        told = float(tanh_remainder(degree, y, best=False))
        assert told == pytest.approx(abs(terms[n_terms]) * y ** (degree + 2))
        assert error <= told * (1 + 1e-9) + 1e-14
        slope = sum((2 * k + 1) * c * y ** (2 * k) for k, c in enumerate(terms[:n_terms]))
        told = float(slope_remainder(degree - 1, y, best=False))
        assert abs(1 - np.tanh(y) ** 2 - slope) <= told * (1 + 1e-9) + 1e-14


def test_beyond_the_poles_only_the_best_polynomial_gets_nearer():
    degrees = range(1, 30, 2)
    taylor, best = (
        [float(tanh_remainder(m, 3.0, best=which)) for m in degrees] for which in (False, True)
    )
    assert (np.diff(taylor) > 0).all()
    assert (np.diff(best) < 0).all()
    assert best[-1] < 1e-5
    assert max(tanh_remainder(3, 0.0), slope_remainder(2, 0.0)) < 1e-100
    small = tanh_remainder(1, np.array([0.9e-3, 1.1e-3]))  # on both sides of the change of formula
    np.testing.assert_allclose(small, np.array([0.9e-3, 1.1e-3]) ** 3 / 6, rtol=1e-4)


# --- the first gradient ---------------------------------------------------------------------------

drawn_problems = st.builds(
    random_problem,
    st.integers(1000, 9999),
    n_units=st.integers(5, 60),
    n_inputs=st.integers(1, 2),
    n_outputs=st.integers(1, 2),
    initial_rank=st.integers(0, 1),
    input_scale=st.sampled_from([0.05, 0.5, 2.0, 10.0]),
    n_trials=st.integers(1, 6),
    n_time=st.integers(1, 15),
    dt=st.sampled_from([0.2, 1.0]),
    nonlinearity=st.just("tanh"),
)
WRONG = {
    "the next degree's": lambda b: b._replace(remainder=np.append(b.remainder[1:], 0.0)),
    "half of the monomials": lambda b: b._replace(rank=(b.rank + 1) // 2),
    "a hundredth": lambda b: b._replace(remainder=b.remainder / 100),
}


def check_first_gradient(change: Callable, part: str, best: bool = True) -> None:
    @SEARCH
    @given(drawn_problems, st.sampled_from(["squared", "quartic", "logistic"]))
    def check(problem, loss):
        given = problem._asdict() | {"loss": loss}
        bounds = monomial_tail(**given, best=best, highest=15)
        matrix = getattr(factors_of_gradient(**given), part)
        assert change(getattr(bounds, part)).broken_by(matrix) <= 1e-9

    check()


@pytest.mark.parametrize("best", [True, False])
@pytest.mark.parametrize("part", ["rates", "adjoint"])
def test_no_tail_of_the_first_gradient_is_above_its_bound(part, best):
    check_first_gradient(lambda bound: bound, part, best)


@pytest.mark.parametrize("part", ["rates", "adjoint"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_bounds_of_the_first_gradient_are_caught(part, wrong):
    with pytest.raises(AssertionError):
        check_first_gradient(WRONG[wrong], part)


def test_the_rank_that_is_promised_for_a_tolerance():
    problem = random_problem(1000, n_units=80, nonlinearity="tanh")
    shown = (problem.network, problem.inputs, problem.targets)
    sizes = np.linalg.svd(factors_of_gradient(*shown, dt=problem.dt).rates, compute_uv=False)
    told = [
        monomial_tail(*shown, dt=problem.dt, best=best).rates.rank_above(1e-3 * sizes[0])
        for best in (True, False)
    ]
    assert (sizes > 1e-3 * sizes[0]).sum() <= told[0] <= told[1] < 80


# --- all of learning ------------------------------------------------------------------------------


def learned(problem):
    """A run of several steps, and V: the input weights, the readout and the initial states."""
    run = learn_problem(problem, n_steps=8, learning_rate=2.0, momentum=0.5)
    return run, learning_vectors(problem.network, problem.initial).numpy()


def scaled_problem(seed, scale, initial_rank=0):
    """Inputs and initial states of this scale."""
    problem = random_problem(
        seed, n_units=60, input_scale=scale, nonlinearity="tanh", initial_rank=initial_rank
    )
    return problem._replace(initial=scale * problem.initial)


def powers_of_inputs(vectors, degree):
    """Products of the two inputs alone, beside the space itself."""
    together = np.hstack([vectors, product_space(vectors[:, :2], degree)])
    return spanned(torch.from_numpy(together)).numpy()


def as_many_at_random(vectors, degree):
    return random_space(len(vectors), product_space(vectors, degree).shape[1], seed=0)


def check_slope(degree, space, **options):
    scales = np.array([0.01, 0.05])
    leaks = []
    for scale in scales:
        run, vectors = learned(scaled_problem(1000, scale, **options))
        leaks.append(leak(run, space(vectors, degree)))
    slope = np.diff(np.log(leaks)) / np.diff(np.log(scales))
    assert abs(slope[0] - (degree + 1)) < 0.2


@pytest.mark.parametrize(("degree", "initial_rank"), [(1, 0), (3, 0), (1, 1), (3, 1)])
def test_what_products_leave_out_falls_with_two_powers_more(degree, initial_rank):
    check_slope(degree, product_space, initial_rank=initial_rank)


@pytest.mark.parametrize("wrong", [powers_of_inputs, as_many_at_random])
def test_spaces_without_all_products_are_caught(wrong):
    with pytest.raises(AssertionError):
        check_slope(3, wrong)


def test_exponents_of_what_spaces_leave_out():
    scales = np.array([0.01, 0.03])
    problems = [[scaled_problem(1000, float(scale)) for scale in scales]]
    leaks = leaks_outside(product_spaces, problems)
    expected = {"m = 1": 2, "m = 3": 4, "inputs alone": 2, "random": 0}
    for name, slope in expected.items():
        assert scaling_exponents(leaks[name], scales)[0] == pytest.approx(slope, abs=0.2)


def test_spaces_of_products_with_one_input():
    spaces = product_spaces(random_problem(0, n_inputs=1, n_outputs=1, nonlinearity="tanh"))
    dimensions = {name: basis.shape[1] for name, basis in spaces.items()}
    assert dimensions == {"m = 1": 2, "m = 3": 6, "inputs alone": 3, "random": 6}


@pytest.mark.parametrize(
    ("n", "degrees", "expected"),
    [(2, [1], 2), (2, [1, 3], 6), (4, [1, 3], 24), (3, [0, 2], 7), (0, [1], 0), (1, [5], 1)],
)
def test_monomials_are_counted(n, degrees, expected):
    assert monomial_count(n, degrees) == expected
    if all(degree % 2 for degree in degrees) and degrees[0] == 1 and n:
        vectors = np.random.default_rng(0).standard_normal((40, n))
        basis = product_space(vectors, degrees[-1])
        all_degrees = range(1, degrees[-1] + 1, 2)
        assert basis.shape[1] == monomial_count(n, all_degrees)
        np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-10)
        cubed = vectors[:, 0] ** degrees[-1]
        np.testing.assert_allclose(basis @ (basis.T @ cubed), cubed, atol=1e-8)


def test_a_setting_that_is_not_covered_is_refused():
    linear, random = random_problem(0), random_problem(0, g=0.1, nonlinearity="tanh")
    for problem, named in ((linear, "assumes tanh"), (random, "assumes W_0 = 0")):
        with pytest.raises(ValueError, match=named):
            monomial_tail(*problem[:3], dt=problem.dt)
    with pytest.raises(ValueError, match="degree is 2: give an odd one"):
        tanh_remainder(2, 1.0)
    with pytest.raises(ValueError, match="degree is 1: give an even one, 0 or more"):
        slope_remainder(1, 1.0)
    for wrong in (-1.0, np.inf):
        with pytest.raises(ValueError, match="it must be finite and not negative"):
            tanh_remainder(1, wrong)
    vectors = np.random.default_rng(0).standard_normal((24, 4))
    with pytest.raises(ValueError, match="span all 24 dimensions, and say nothing"):
        product_space(vectors, 3)
    with pytest.raises(ValueError, match="none is negative"):
        monomial_count(-1, [1])
