"""The nulls keep what they claim to keep and lose what they claim to lose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorly.decomposition import partial_tucker

from ltr_core.decomposition import (
    cp,
    grows_along_itself,
    mode_ranks,
    random_walk_null,
    rotated_steps_null,
    shared_subspace_energy,
    slice_truncation_energy,
)
from ltr_core.decomposition.nulls import best_single_profile, turned


def learned(seed: int = 0, shape: tuple[int, int, int] = (30, 14, 12), rank: int = 2) -> np.ndarray:
    """A change that moves within one low-dimensional subspace, with two time courses."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, shape[0])
    step = np.stack([np.sin((r + 1) * np.pi / 2 * time) for r in range(rank)], axis=1)
    post, pre = (rng.standard_normal((size, rank)) for size in shape[1:])
    return np.einsum("kr,ir,jr->kij", step, post, pre)


def updates(changes: np.ndarray) -> np.ndarray:
    return np.concatenate([changes[:1], np.diff(changes, axis=0)])


def test_rotated_steps_keep_each_updates_singular_values() -> None:
    changes = learned()
    null = rotated_steps_null(changes, np.random.default_rng(1))
    np.testing.assert_allclose(
        np.linalg.svd(updates(null), compute_uv=False),
        np.linalg.svd(updates(changes), compute_uv=False),
        atol=1e-10,
    )


def test_rotated_steps_lose_the_shared_subspace() -> None:
    changes = learned()
    null = rotated_steps_null(changes, np.random.default_rng(1))
    assert mode_ranks(changes) == (2, 2, 2)
    assert mode_ranks(null)[1:] == (14, 12)
    assert cp(changes, 2).fit > 0.999
    assert cp(null, 2).fit < 0.6


def test_rotations_are_uniform_over_the_orthogonal_group() -> None:
    # The first two moments of an entry of Q diag(1, 0, 0) P are 0 and 1/9.
    single = np.zeros((4000, 3, 3))
    single[:, 0, 0] = 1.0
    null = updates(rotated_steps_null(np.cumsum(single, axis=0), np.random.default_rng(2)))
    np.testing.assert_allclose(null.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose((null**2).mean(axis=0), 1 / 9, atol=0.015)


def test_a_turned_matrix_keeps_its_singular_values_on_neither_of_its_subspaces() -> None:
    rng = np.random.default_rng(7)
    matrix = np.outer(rng.standard_normal(40), rng.standard_normal(30))
    other = turned(matrix, rng)
    np.testing.assert_allclose(
        np.linalg.svd(other, compute_uv=False),
        np.linalg.svd(matrix, compute_uv=False),
        atol=1e-10,
    )
    scale = np.linalg.norm(matrix) ** 2
    assert np.linalg.norm(matrix.T @ other) / scale < 0.6
    assert np.linalg.norm(matrix @ other.T) / scale < 0.6


@pytest.mark.parametrize("null", [rotated_steps_null, random_walk_null])
def test_nulls_keep_each_updates_size_and_follow_the_generator(null) -> None:
    changes = learned()
    first, again, other = (null(changes, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(
        np.linalg.norm(updates(first), axis=(1, 2)),
        np.linalg.norm(updates(changes), axis=(1, 2)),
        atol=1e-12,
    )
    # The first step of a change is zero, and stays so.
    np.testing.assert_array_equal(first[0], 0.0)


def test_a_change_that_only_grows_is_recognised() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((14, 12))
    growing = np.linspace(0, 1, 30)[:, None, None] ** 2 * matrix
    assert grows_along_itself(growing) == pytest.approx(1.0)
    changes = learned()
    singular_values = np.linalg.svd(changes.reshape(30, -1), compute_uv=False)
    expected = singular_values[0] ** 2 / np.sum(singular_values**2)
    assert grows_along_itself(changes) == pytest.approx(expected)
    assert expected < 0.99


@pytest.mark.parametrize("rank", [1, 3, 12])
def test_slice_truncation_is_the_best_matrix_of_each_step(rank: int) -> None:
    tensor = np.random.default_rng(4).standard_normal((5, 14, 12))
    u, s, vh = np.linalg.svd(tensor, full_matrices=False)
    cut = (u[:, :, :rank] * s[:, None, :rank]) @ vh[:, :rank]
    expected = 1 - np.sum((tensor - cut) ** 2) / np.sum(tensor**2)
    assert slice_truncation_energy(tensor, rank) == pytest.approx(expected)


@pytest.mark.parametrize("rank", [1, 3, 12])
def test_the_shared_subspace_is_that_of_a_partial_tucker_decomposition(rank: int) -> None:
    tensor = np.random.default_rng(5).standard_normal((5, 14, 12)) + 3 * learned(1, (5, 14, 12))
    (core, _), _ = partial_tucker(tensor, [rank, rank], modes=[1, 2], n_iter_max=500, tol=1e-12)
    held = np.sum(core**2) / np.sum(tensor**2)
    assert shared_subspace_energy(tensor, rank) == pytest.approx(held, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), rank=st.integers(1, 3), noise=st.floats(0.0, 3.0))
def test_less_freedom_never_holds_more(seed: int, rank: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    tensor = learned(seed, (8, 6, 5)) + noise * rng.standard_normal((8, 6, 5))
    shared, free = shared_subspace_energy(tensor, rank), slice_truncation_energy(tensor, rank)
    assert cp(tensor, rank).fit <= shared + 1e-3
    assert shared <= free + 1e-9
    assert free <= 1 + 1e-12


def test_a_subspace_that_moves_is_told_from_one_that_does_not() -> None:
    changes = learned()
    assert shared_subspace_energy(changes, 2) == pytest.approx(1.0)
    moving = updates(rotated_steps_null(np.cumsum(changes, axis=0), np.random.default_rng(6)))
    assert slice_truncation_energy(moving, 2) == pytest.approx(1.0)
    assert shared_subspace_energy(moving, 2) < 0.6


@pytest.mark.parametrize("energy", [slice_truncation_energy, shared_subspace_energy])
def test_bad_ranks(energy) -> None:
    with pytest.raises(ValueError, match="rank is 13; expected a whole number of 1 to 12"):
        energy(learned(), 13)
    with pytest.raises(ValueError, match="rank is 0"):
        energy(learned(), 0)


def test_bad_tensors() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="all entries of the tensor are zero"):
        grows_along_itself(np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match="2 axes"):
        rotated_steps_null(np.ones((3, 2)), rng)
    with pytest.raises(ValueError, match="not finite"):
        random_walk_null(np.full((3, 2, 2), np.nan), rng)


def test_the_best_single_profile_is_one_matrix_and_nothing_of_its_kind_is_better() -> None:
    changes = learned()
    single = best_single_profile(changes)
    assert mode_ranks(single)[0] == 1
    left = np.linalg.norm(changes - single) ** 2 / np.linalg.norm(changes) ** 2
    assert 1 - left == pytest.approx(grows_along_itself(changes))
    assert left > 0.01  # two time courses: one profile cannot hold them
    rng = np.random.default_rng(0)
    for _ in range(20):
        profile = single[:, :1, :1] + 0.1 * np.abs(single).max() * rng.standard_normal((30, 1, 1))
        matrix = np.einsum("k,kij->ij", profile.ravel(), changes) / np.sum(profile**2)
        assert np.linalg.norm(changes - profile * matrix) >= np.linalg.norm(changes - single)
