"""Vector fields of flows that can be written down; spectra and angles against the full matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.dynamics import (
    NetworkFlow,
    principal_plane,
    random_subspace_angles,
    spectrum,
    subspace_angles,
    vector_field,
)


def rotation(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def test_field_on_a_grid_is_the_velocity_there() -> None:
    rng = np.random.default_rng(0)
    flow = NetworkFlow(rng.standard_normal((4, 4)), rng.standard_normal(4), 0.5)
    origin, axes = rng.standard_normal(4), rng.standard_normal((2, 4))  # not orthonormal
    field = vector_field(flow, origin, axes, (-1.0, 2.0, 0.0, 3.0), 4)
    assert field.x.tolist() == [-1, 0, 1, 2]
    assert field.y.tolist() == [0, 1, 2, 3]
    for i, q in enumerate(field.y):
        for j, p in enumerate(field.x):
            velocity = flow.velocity((origin + p * axes[0] + q * axes[1])[None])[0]
            outside = velocity - field.u[i, j] * axes[0] - field.v[i, j] * axes[1]
            np.testing.assert_allclose(axes @ outside, 0, atol=1e-12)
            np.testing.assert_allclose(np.linalg.norm(outside), field.out_of_plane[i, j])
    assert 0 < field.share_in_plane < 1


def test_share_of_a_field_that_stays_in_its_plane() -> None:
    flow = NetworkFlow(np.zeros((3, 3)), tau=0.5)  # decay to the origin
    field = vector_field(flow, np.zeros(3), np.eye(3)[:2], 2.0, 3)
    np.testing.assert_allclose(field.u, np.tile([4.0, 0, -4], (3, 1)))
    assert field.share_in_plane == 1
    lifted = vector_field(flow, np.array([0, 0, 2.0]), np.eye(3)[:2], 2.0, 3)
    np.testing.assert_allclose(lifted.out_of_plane, 4)
    assert lifted.share_in_plane < 1


@given(seed=st.integers(0, 1000), dimension=st.integers(2, 6))
def test_the_principal_plane_holds_what_lies_in_a_plane(seed: int, dimension: int) -> None:
    rng = np.random.default_rng(seed)
    axes = rotation(dimension, rng)[:2]
    states = rng.standard_normal((50, 2)) * [3, 1] @ axes + rng.standard_normal(dimension)
    plane = principal_plane(states, margin=0.1)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-9)
    assert (plane.axes[[0, 1], np.abs(plane.axes).argmax(1)] > 0).all()
    seen = plane.project(states)
    np.testing.assert_allclose(plane.lift(seen), states, atol=1e-9)
    assert seen[:, 0].std() > seen[:, 1].std()
    low, high = seen.min(0), seen.max(0)
    room = 0.1 * (high - low)
    np.testing.assert_allclose(plane.extent[::2], low - room)
    np.testing.assert_allclose(plane.extent[1::2], high + room)
    trials = states.reshape(5, 10, dimension)
    np.testing.assert_allclose(plane.project(trials), seen.reshape(5, 10, 2), atol=1e-12)


@pytest.mark.usefixtures("as_in_use")
def test_planes_that_cannot_be() -> None:
    flow = NetworkFlow(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="vary in fewer than two dimensions"):
        principal_plane(np.outer(np.arange(5.0), np.ones(3)))
    with pytest.raises(ValueError, match="not parallel"):
        vector_field(flow, np.zeros(3), np.ones((2, 3)), 1.0)
    with pytest.raises(ValueError, match=r"axes has shape \(2, 2\).* with 3"):
        vector_field(flow, np.zeros(2), np.eye(2), 1.0)
    with pytest.raises(ValueError, match="lowest value below its highest"):
        vector_field(flow, np.zeros(3), np.eye(3)[:2], (0.0, 1.0, 2.0, 2.0))
    with pytest.raises(ValueError, match="n is 1"):
        vector_field(flow, np.zeros(3), np.eye(3)[:2], 1.0, 1)


@settings(max_examples=50)
@given(seed=st.integers(0, 1000), rank=st.integers(1, 4), gained=st.booleans())
def test_spectrum_is_that_of_the_full_weights(seed: int, rank: int, gained: bool) -> None:
    rng = np.random.default_rng(seed)
    columns, rows = rng.standard_normal((2, 9, rank))
    factors = rng.standard_normal((5, rank))
    gain = rng.uniform(0.2, 1, 9) if gained else None
    found = spectrum(columns, rows, factors, gain)
    for values, c in zip(found, factors, strict=True):
        weights = columns * c @ rows.T * (1 if gain is None else gain)
        full = np.linalg.eigvals(weights)
        largest = full[np.argsort(-np.abs(full))][:rank]
        apart = np.abs(values[:, None] - largest[None])
        assert apart.min(0).max() < 1e-7
        assert apart.min(1).max() < 1e-7
    first = found[0]
    assert (np.diff(first.real) <= 1e-9).all()


def test_eigenvalues_keep_their_place_as_they_cross() -> None:
    # Orthonormal columns that equal the rows: the eigenvalues are the trial factors themselves.
    columns = rotation(8, np.random.default_rng(0))[:, :2]
    trial = np.linspace(0, 1, 41)
    factors = np.stack([2 - 1.5 * trial, 1 + trial], axis=1)  # they cross at 0.4
    found = spectrum(columns, columns, factors)
    np.testing.assert_allclose(found, factors, atol=1e-12)


def test_conjugates_keep_their_place_as_they_turn() -> None:
    angle = np.linspace(0.3, 2.8, 30)
    columns = np.eye(5)[:, :2]
    found = np.stack(
        [
            spectrum(
                columns, columns @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]), c
            )[-1]
            for a, c in ((a, np.ones((1, 2))) for a in angle)
        ]
    )
    np.testing.assert_allclose(found, np.exp(1j * np.outer(angle, [1, -1])), atol=1e-9)


@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_angles_between_planted_subspaces(seed: int) -> None:
    rng = np.random.default_rng(seed)
    planted = np.sort(rng.uniform(1, 89, 2))[::-1]
    basis = rotation(10, rng)
    radians = np.radians(planted)
    tilted = basis[:, :2] * np.cos(radians) + basis[:, 2:4] * np.sin(radians)
    mixed = tilted @ rng.standard_normal((2, 2))
    np.testing.assert_allclose(subspace_angles(basis[:, :2], mixed), planted, atol=1e-5)
    # In a larger subspace that holds it, nothing of it is missed.
    np.testing.assert_allclose(subspace_angles(mixed, basis[:, :4]), 0, atol=1e-4)


def test_random_subspaces_are_the_control() -> None:
    drawn = random_subspace_angles(200, (5, 5), seed=1, n_draws=50)
    assert drawn.shape == (50, 5)
    assert (np.diff(drawn, axis=1) <= 1e-9).all()
    assert drawn.min() > 60  # in a space so large, random subspaces are nearly at right angles
    np.testing.assert_array_equal(drawn, random_subspace_angles(200, (5, 5), seed=1, n_draws=50))
    # The squared cosine of a line with a plane of R^4 is 1/2 on average.
    line = random_subspace_angles(4, (1, 2), n_draws=2000)
    assert line.shape == (2000, 1)
    np.testing.assert_allclose(np.mean(np.cos(np.radians(line)) ** 2), 0.5, atol=0.03)


@pytest.mark.usefixtures("as_in_use")
def test_spectra_and_angles_of_what_does_not_fit() -> None:
    eye = np.eye(4)
    with pytest.raises(ValueError, match=r"columns have shape \(4, 3\), rows \(4, 2\)"):
        spectrum(eye[:, :3], eye[:, :2], np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"gain has shape \(3,\)"):
        spectrum(eye[:, :2], eye[:, :2], np.ones((2, 2)), np.ones(3))
    with pytest.raises(ValueError, match="trial_factors holds NaN"):
        spectrum(eye[:, :2], eye[:, :2], np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="first has 4 units and second 5"):
        subspace_angles(eye[:, :2], np.eye(5)[:, :2])
    with pytest.raises(ValueError, match=r"\(2, 4\), expected .* 1 to 2 columns: give its transp"):
        subspace_angles(eye[:2], eye[:2])
    with pytest.raises(ValueError, match="3 columns of second span only 2 dimensions"):
        subspace_angles(eye[:, :3], eye[:, [0, 1, 1]])
    with pytest.raises(ValueError, match="first holds NaN"):
        subspace_angles(np.full((4, 1), np.nan), eye[:, :1])
    with pytest.raises(ValueError, match=r"dims are \(2, 5\) and n is 4"):
        random_subspace_angles(4, (2, 5))
    with pytest.raises(ValueError, match="n_draws is 0"):
        random_subspace_angles(4, (2, 2), n_draws=0)
