"""Fixed points of flows whose fixed points are known."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from ltr_core.dynamics import LatentFlow, NetworkFlow, fixed_points, starts_from


@dataclass(frozen=True)
class Linear:
    """dx/dt = matrix (x - centre)."""

    matrix: np.ndarray
    centre: np.ndarray
    tau: float = 1.0

    @property
    def dimension(self) -> int:
        return len(self.centre)

    def velocity(self, state: np.ndarray) -> np.ndarray:
        return (state - self.centre) @ self.matrix.T

    def jacobian(self, state: np.ndarray) -> np.ndarray:
        return np.tile(self.matrix, (len(state), 1, 1))


@dataclass(frozen=True)
class Drift(Linear):
    """dx/dt = 1: no fixed point."""

    def velocity(self, state: np.ndarray) -> np.ndarray:
        return np.ones_like(state)


def rank_one(c: float, units: int = 16, tau: float = 0.5) -> LatentFlow:
    """x = m (1, ..., 1) with m = c tanh(m): a pair of attractors if c exceeds 1."""
    direction = np.full((units, 1), units**-0.5)
    return LatentFlow(direction, direction, np.array([c]), tau=tau)


@given(c=st.floats(1.1, 5), tau=st.floats(0.05, 2))
@settings(max_examples=25)
def test_two_attractors_and_a_source_between_them(c: float, tau: float) -> None:
    flow = rank_one(c, tau=tau)
    found = fixed_points(flow, np.linspace(-9, 9, 10)[:, None])
    m = brentq(lambda m: c * np.tanh(m) - m, 1e-3, 10, xtol=1e-14)
    order = np.argsort(found.points[:, 0])
    np.testing.assert_allclose(found.points[order, 0], [-4 * m, 0, 4 * m], atol=1e-6)
    np.testing.assert_array_equal(found.stable[order], [True, False, True])
    np.testing.assert_array_equal(found.n_unstable[order], [0, 1, 0])
    outer = (c / np.cosh(m) ** 2 - 1) / tau
    np.testing.assert_allclose(
        found.eigenvalues[order, 0].real, [outer, (c - 1) / tau, outer], rtol=1e-5, atol=1e-6
    )
    assert found.n_failed == 0


def test_below_the_bifurcation_rest_is_all_there_is() -> None:
    found = fixed_points(rank_one(0.9), np.linspace(-9, 9, 7)[:, None])
    np.testing.assert_allclose(found.points, [[0]], atol=1e-6)
    assert found.stable.tolist() == [True]
    assert found.n_starts.tolist() == [7]


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_the_fixed_point_of_a_linear_flow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    flow = Linear(rng.standard_normal((4, 4)), rng.standard_normal(4))
    found = fixed_points(flow, rng.standard_normal((6, 4)), relaxation=1.0)
    assert found.points.shape == (1, 4)
    np.testing.assert_allclose(found.points[0], flow.centre, atol=1e-6)
    expected = np.linalg.eigvals(flow.matrix)
    np.testing.assert_allclose(
        found.eigenvalues[0], expected[np.lexsort((-expected.imag, -expected.real))], atol=1e-9
    )
    assert found.stable[0] == (expected.real.max() < 0)


def test_two_planted_attractor_pairs_and_the_saddles_between() -> None:
    # Two orthogonal components on separate halves of the units do not interact: 3 x 3 points.
    columns = np.kron(np.eye(2), np.full((8, 1), 8**-0.5))
    flow = LatentFlow(columns, columns, np.array([2.0, 2.0]), tau=0.1)
    states = np.random.default_rng(0).uniform(-6, 6, (100, 2))
    found = fixed_points(flow, starts_from(states, 100))
    assert len(found.points) == 9
    assert np.bincount(found.n_unstable).tolist() == [4, 4, 1]
    m = brentq(lambda m: 2 * np.tanh(m) - m, 1e-3, 10)
    scaled = found.points / (8**0.5 * m)
    assert np.unique(np.round(scaled, 6) + 0.0).tolist() == [-1, 0, 1]
    # Every start flows to an attractor, whatever its first search led to.
    assert (np.diff(found.n_starts) <= 0).all()
    assert found.n_starts[found.stable].sum() >= 100


def test_full_space_and_latent_space_have_the_same_fixed_points() -> None:
    rng = np.random.default_rng(5)
    columns, rows = rng.standard_normal((2, 30, 2)) / np.sqrt(30)
    flow = LatentFlow(columns, rows + columns, np.array([3.0, 2.5]), tau=0.3)
    network = NetworkFlow(columns * flow.trial_factors @ flow.rows.T, tau=0.3)
    starts = starts_from(4 * rng.standard_normal((50, 2)), 40)
    latent = fixed_points(flow, starts)
    full = fixed_points(network, starts @ columns.T)
    assert len(latent.points) == len(full.points) >= 3
    for point, values in zip(latent.points @ columns.T, latent.eigenvalues, strict=True):
        nearest = np.linalg.norm(full.points - point, axis=1).argmin()
        np.testing.assert_allclose(full.points[nearest], point, atol=1e-6)
        # In full space the other directions decay with the time constant.
        others = np.concatenate([values, np.full(28, -1 / 0.3)])
        others = others[np.lexsort((-others.imag, -others.real))]
        np.testing.assert_allclose(full.eigenvalues[nearest], others, atol=1e-5)


def test_starts_that_reach_nothing_are_counted() -> None:
    found = fixed_points(Drift(np.zeros((3, 3)), np.zeros(3)), np.ones((4, 3)))
    assert found.points.shape == found.eigenvalues.shape == (0, 3)
    assert found.n_failed == 4
    assert found.table().empty


def test_a_rotation_is_told_from_a_decay() -> None:
    frequency = 1.5
    turn = 2 * np.pi * frequency
    found = fixed_points(
        Linear(np.array([[-0.5, turn], [-turn, -0.5]]), np.ones(2)), np.zeros((1, 2))
    )
    row = found.table().iloc[0]
    assert row["kind"] == "stable"
    np.testing.assert_allclose([row["time"], row["frequency"]], [2, frequency])
    saddle = fixed_points(Linear(np.diag([1.0, -1.0]), np.ones(2)), np.zeros((1, 2)))
    source = fixed_points(Linear(np.diag([1.0, 4.0]), np.ones(2)), np.zeros((1, 2)))
    assert saddle.table()["kind"].tolist() == ["saddle"]
    assert source.table()["kind"].tolist() == ["source"]
    assert source.table()["leading_real"].tolist() == pytest.approx([4])


def test_choosing_points_and_their_distance_from_activity() -> None:
    found = fixed_points(rank_one(2.0), np.linspace(-9, 9, 10)[:, None])
    attractors = found.where(found.stable)
    assert attractors.stable.all()
    assert len(attractors.points) == len(attractors.speed) == len(attractors.n_starts) == 2
    states = np.array([[-1.0], [1.0]])  # their spread is 1
    np.testing.assert_allclose(attractors.distance_to(states), 4 * 1.91500805 - 1, atol=1e-6)


def test_starts_lie_where_activity_was() -> None:
    rng = np.random.default_rng(0)
    states = rng.standard_normal((500, 3)) @ np.diag([5.0, 1.0, 0.1]) + 7
    starts = starts_from(states, 2000, 0.5, 3)
    np.testing.assert_array_equal(starts[0], states.mean(0))
    np.testing.assert_array_equal(starts, starts_from(states, 2000, 0.5, 3))
    assert not np.array_equal(starts, starts_from(states, 2000, 0.5, 4))
    np.testing.assert_allclose(starts.mean(0), states.mean(0), atol=0.5)
    # Variances add: the states', a quarter of it along them, and a little evenly.
    evenly = 0.05**2 * states.var(0).sum() / 3
    np.testing.assert_allclose(starts.var(0), 1.25 * states.var(0) + evenly, rtol=0.25)
    visited = starts_from(states, 50, 0.0)[1:]
    assert all((states == start).all(1).any() for start in visited)


def test_what_cannot_be_searched() -> None:
    flow = rank_one(2.0)
    with pytest.raises(ValueError, match=r"starts has shape \(3, 2\).*with 1 of"):
        fixed_points(flow, np.ones((3, 2)))
    with pytest.raises(ValueError, match="There are no starts"):
        fixed_points(flow, np.ones((0, 1)))
    with pytest.raises(ValueError, match="starts holds NaN"):
        fixed_points(flow, np.full((1, 1), np.inf))
    with pytest.raises(ValueError, match=r"tolerance is 0\.0: it must be positive"):
        fixed_points(flow, np.ones((1, 1)), tolerance=0.0)
    with pytest.raises(ValueError, match=r"relaxation is -1\.0"):
        fixed_points(flow, np.ones((1, 1)), relaxation=-1.0)
    with pytest.raises(ValueError, match="n is 0: at least one start"):
        starts_from(np.ones((3, 2)), 0)
    with pytest.raises(ValueError, match=r"spread is -0\.5"):
        starts_from(np.ones((3, 2)), 2, -0.5)
    with pytest.raises(ValueError, match="states holds NaN"):
        starts_from(np.full((3, 2), np.nan), 2)
