"""Unfoldings, spectra, ranks and compression, against NumPy and planted tensors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ltr_core.decomposition import (
    compress,
    energy_ranks,
    fold,
    mode_ranks,
    mode_spectra,
    unfold,
)

SHAPES = [(7, 5, 4), (4, 5, 7), (30, 2, 3), (1, 6, 6), (6, 1, 1)]


def tucker(core: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """The core in random orthonormal bases."""
    bases = [
        np.linalg.qr(rng.standard_normal((n, r)))[0] for n, r in zip(shape, core.shape, strict=True)
    ]
    return np.einsum("abc,ka,ib,jc->kij", core, *bases, optimize=True)


def expand(core: np.ndarray, bases: tuple[np.ndarray, ...]) -> np.ndarray:
    return np.einsum("abc,ka,ib,jc->kij", core, *bases, optimize=True)


@given(
    tensor=arrays(np.float64, array_shapes(min_dims=1, max_dims=4), elements=st.floats(-9, 9)),
    data=st.data(),
)
def test_fold_undoes_unfold(tensor: np.ndarray, data: st.DataObject) -> None:
    mode = data.draw(st.integers(0, tensor.ndim - 1))
    np.testing.assert_array_equal(fold(unfold(tensor, mode), mode, tensor.shape), tensor)


@given(
    tensor=arrays(np.float64, array_shapes(min_dims=3, max_dims=3), elements=st.floats(-9, 9)),
    mode=st.integers(0, 2),
)
def test_rows_of_an_unfolding_are_slices(tensor: np.ndarray, mode: int) -> None:
    for index, row in enumerate(unfold(tensor, mode)):
        np.testing.assert_array_equal(row, tensor.take(index, axis=mode).ravel())


@pytest.mark.parametrize("mode", [-1, 3])
def test_a_mode_that_does_not_exist(mode: int) -> None:
    with pytest.raises(ValueError, match=f"mode is {mode}; a tensor of 3 axes has modes 0 to 2"):
        unfold(np.ones((2, 3, 4)), mode)
    with pytest.raises(ValueError, match=f"mode is {mode}"):
        fold(np.ones((2, 12)), mode, (2, 3, 4))


def test_a_matrix_that_does_not_fit_the_shape() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 11\).*axis 0.*has \(2, 12\)"):
        fold(np.ones((2, 11)), 0, (2, 3, 4))


@pytest.mark.parametrize("shape", SHAPES)
def test_spectra_are_those_of_the_unfoldings(shape: tuple[int, ...]) -> None:
    tensor = np.random.default_rng(0).standard_normal(shape)
    for mode, spectrum in enumerate(mode_spectra(tensor)):
        expected = np.linalg.svd(unfold(tensor, mode), compute_uv=False)
        np.testing.assert_allclose(spectrum, expected, rtol=1e-12, atol=1e-13 * expected[0])
        np.testing.assert_allclose(np.sum(spectrum**2), np.sum(tensor**2))


def test_spectra_resolve_what_a_gram_matrix_would_bury() -> None:
    sizes = 10.0 ** -np.arange(0, 13, 3)
    core = np.zeros((5, 5, 5))
    core[range(5), range(5), range(5)] = sizes
    tensor = tucker(core, (12, 9, 8), np.random.default_rng(1))
    for spectrum in mode_spectra(tensor):
        np.testing.assert_allclose(spectrum[:5], sizes, atol=1e-15)
    assert mode_ranks(tensor, tolerance=1e-8) == (3, 3, 3)
    assert mode_ranks(tensor, tolerance=1e-10) == (4, 4, 4)


@settings(max_examples=25)
@given(
    ranks=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)).filter(
        lambda r: all(r[i] <= r[(i + 1) % 3] * r[(i + 2) % 3] for i in range(3))
    ),
    seed=st.integers(0, 1000),
)
def test_mode_ranks_of_planted_tensors(ranks: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert mode_ranks(tucker(rng.standard_normal(ranks), (9, 8, 7), rng)) == ranks


def test_mode_ranks_of_a_zero_tensor() -> None:
    assert mode_ranks(np.zeros((3, 4, 5))) == (0, 0, 0)


@pytest.mark.parametrize("fraction", [0.3, 0.9, 0.999])
def test_energy_ranks_are_the_fewest_that_suffice(fraction: float) -> None:
    tensor = np.random.default_rng(2).standard_normal((9, 6, 5)) ** 3
    for rank, spectrum in zip(energy_ranks(tensor, fraction), mode_spectra(tensor), strict=True):
        held = np.sum(spectrum[:rank] ** 2) / np.sum(spectrum**2)
        assert held >= fraction
        assert held - spectrum[rank - 1] ** 2 / np.sum(spectrum**2) < fraction


def test_compression_to_the_multilinear_rank_is_exact() -> None:
    rng = np.random.default_rng(3)
    tensor = tucker(rng.standard_normal((2, 3, 4)), (9, 8, 7), rng)
    core, bases = compress(tensor, (2, 3, 4))
    assert core.shape == (2, 3, 4)
    np.testing.assert_allclose(expand(core, bases), tensor, atol=1e-12)
    for basis in bases:
        np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_error_of_compression_is_bounded_by_what_is_left_out(shape: tuple[int, ...]) -> None:
    tensor = np.random.default_rng(4).standard_normal(shape)
    ranks = [max(1, size - 2) for size in shape]
    core, bases = compress(tensor, ranks)
    error = np.sum((tensor - expand(core, bases)) ** 2)
    left_out = sum(np.sum(s[r:] ** 2) for s, r in zip(mode_spectra(tensor), ranks, strict=True))
    assert error <= left_out * (1 + 1e-12) + 1e-20
    # Orthogonal projection: the core holds all the rest.
    np.testing.assert_allclose(np.sum(core**2) + error, np.sum(tensor**2))


@pytest.mark.parametrize("convert", [np.float32, np.int64], ids=["float32", "int64"])
def test_other_number_types_are_converted(convert: type) -> None:
    tensor = np.arange(24).reshape(2, 3, 4).astype(convert)
    np.testing.assert_allclose(mode_spectra(tensor)[1], mode_spectra(tensor * 1.0)[1])


def test_torch_tensors_are_converted() -> None:
    tensor = torch.arange(24.0, requires_grad=True).reshape(2, 3, 4)
    core, _ = compress(tensor, (1, 2, 2))
    expected, _ = compress(tensor.detach().numpy(), (1, 2, 2))
    np.testing.assert_array_equal(core, expected)


def test_wrong_settings() -> None:
    tensor = np.ones((2, 3, 4))
    with pytest.raises(ValueError, match="tolerance is 1"):
        mode_ranks(tensor, tolerance=1.0)
    with pytest.raises(ValueError, match=r"fraction is 1.*mode_ranks"):
        energy_ranks(tensor, 1.0)
    with pytest.raises(ValueError, match=r"rank of axis 'post' is 4; expected .* 1 to 3"):
        compress(tensor, (1, 4, 1))
    with pytest.raises(ValueError, match="2 ranks were given"):
        compress(tensor, (1, 1))
