"""A change taken slice by slice, nulls of several changes, and what ranks hold of them."""

import numpy as np
import pytest

from ltr_core.decomposition import cp, mode_ranks, nulls, slices
from ltr_core.decomposition.held import cp_fits, fixed_and_free, slice_energies


def moving(n_steps: int = 5, shape: tuple[int, int] = (7, 6), seed: int = 0) -> np.ndarray:
    """A change of rank one at every step, in directions that move."""
    rng = np.random.default_rng(seed)
    post, pre = (rng.normal(size=(n_steps, size)) for size in shape)
    return np.einsum("ki,kj->kij", post, pre)


def test_updates_add_up_to_the_change() -> None:
    change = moving()
    added = slices.updates(change)
    np.testing.assert_array_equal(added[0], change[0])
    np.testing.assert_allclose(added.cumsum(axis=0), change)
    np.testing.assert_allclose(added[3], change[3] - change[2])


def test_slices_of_norm_one_keep_their_directions() -> None:
    change = moving() * np.array([1.0, 2.0, 0.1, 5.0, 1.0])[:, None, None]
    found = slices.unit_norm(change)
    np.testing.assert_allclose(np.linalg.norm(found, axis=(1, 2)), 1.0)
    np.testing.assert_allclose(found * np.linalg.norm(change, axis=(1, 2))[:, None, None], change)


def test_the_final_slice_grows_as_the_norms_do() -> None:
    change = moving()
    found = slices.grown_final(change)
    assert nulls.grows_along_itself(found) == pytest.approx(1)
    assert nulls.grows_along_itself(change) < 0.6
    norms, wanted = (np.linalg.norm(one, axis=(1, 2)) for one in (found, change))
    np.testing.assert_allclose(norms / norms[-1], wanted / wanted[-1])
    np.testing.assert_allclose(found[-1] / norms[-1], change[-1] / wanted[-1])


def test_permuted_slices_keep_their_numbers_and_lose_their_rank() -> None:
    change = moving()
    found = slices.permuted(change, np.random.default_rng(1))
    for one, other in zip(found, change, strict=True):
        np.testing.assert_array_equal(np.sort(one.ravel()), np.sort(other.ravel()))
        assert np.linalg.matrix_rank(other) == 1
        assert np.linalg.matrix_rank(one) == 6
    orders = [np.argsort(one.ravel()).tolist() for one in slices.permuted(change[[0, 0]], rng())]
    assert orders[0] != orders[1]  # a permutation of its own for each


@pytest.mark.parametrize("made", [slices.updates, slices.unit_norm, slices.grown_final])
def test_the_data_type_is_kept(made) -> None:
    assert made(moving().astype(np.float32)).dtype == np.float32


def test_bad_slices_are_refused() -> None:
    change = moving()
    change[2] = 0
    with pytest.raises(ValueError, match="slice 2 of 5 is zero"):
        slices.unit_norm(change)
    change[1, 0, 0] = np.nan
    for made in (slices.updates, slices.unit_norm, slices.grown_final):
        with pytest.raises(ValueError, match="step 1, post 0, pre 0"):
            made(change)
    with pytest.raises(ValueError, match="step 1, post 0, pre 0"):
        slices.permuted(change, rng())


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def test_turned_slices_keep_singular_values_and_share_no_subspace() -> None:
    stays = np.multiply.outer(np.arange(1.0, 7.0), np.diag([2.0, 1.0, 0.0, 0.0]))
    found = nulls.turned_slices(stays, rng())
    np.testing.assert_allclose(
        np.linalg.svd(found, compute_uv=False), np.linalg.svd(stays, compute_uv=False), atol=1e-12
    )
    assert mode_ranks(stays) == (1, 2, 2)
    assert mode_ranks(found) == (6, 4, 4)


def test_a_tensor_gets_the_same_null_however_many_there_are() -> None:
    changes = [moving(seed=seed) for seed in (1, 1, 2)]
    found = list(nulls.of_each(nulls.random_walk_null, changes, seed=5))
    (alone,) = nulls.of_each(nulls.random_walk_null, changes[:1], seed=5)
    np.testing.assert_array_equal(found[0], alone)
    assert not np.allclose(found[0], found[1])  # of equal tensors
    (other,) = nulls.of_each(nulls.random_walk_null, changes[:1], seed=6)
    assert not np.allclose(alone, other)


def test_nulls_are_made_when_they_are_asked_for() -> None:
    made = []

    def null(tensor: np.ndarray, _: np.random.Generator) -> np.ndarray:
        made.append(len(made))
        return tensor

    found = nulls.of_each(null, [moving(), moving()])
    assert made == []
    next(found)
    assert made == [0]


def test_what_ranks_hold_is_that_of_every_tensor_and_rank() -> None:
    changes = [moving(seed=1), np.multiply.outer(np.arange(1.0, 6.0), moving(seed=2)[0])]
    fits = cp_fits(iter(changes), [1, 2], seed=3)
    assert fits.shape == (2, 2)
    assert fits[0, 1] == cp(changes[0], 2, seed=3).fit
    assert fits[0, 0] < fits[0, 1] < 0.95
    np.testing.assert_allclose(fits[1], 1)
    alone = slice_energies(iter(changes), [1, 2])
    np.testing.assert_allclose(alone, 1)  # every slice is of rank one
    full = np.random.default_rng(0).normal(size=(3, 6, 6))
    assert slice_energies([full], [1])[0, 0] < slice_energies([full], [2])[0, 0] < 1


def test_fixed_subspaces_hold_what_free_ones_do_only_if_nothing_moves() -> None:
    stays = np.multiply.outer(np.arange(1.0, 6.0), moving(seed=2)[0])
    found = fixed_and_free((one for one in (stays, moving(seed=1))), 1)
    np.testing.assert_allclose(found.free, 1)
    assert found.fixed[0] == pytest.approx(1)
    assert found.fixed[1] < 0.7
    np.testing.assert_array_equal(found.kept, found.fixed / found.free)
    assert found.fixed[1] == nulls.shared_subspace_energy(moving(seed=1), 1)
