"""CP decomposition: tensors of known factors, invariances, degeneracy, bad input."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.decomposition import CP, cp, factor_match, match_components, rank_curve
from ltr_core.decomposition.compression import compress_to
from ltr_core.decomposition.cp_decomposition import _is_degenerate

SHAPE = (40, 30, 25)


def columns(rng: np.random.Generator, size: int, rank: int, cosine: float = 0.0) -> np.ndarray:
    """Unit columns: independent, or every two at the given cosine."""
    if cosine == 0.0:
        factor = rng.standard_normal((size, rank))
        return factor / np.linalg.norm(factor, axis=0)
    basis = np.linalg.qr(rng.standard_normal((size, rank + 1)))[0]
    return np.sqrt(cosine) * basis[:, :1] + np.sqrt(1 - cosine) * basis[:, 1:]


def planted(
    rank: int, noise: float, cosine: float = 0.0, seed: int = 0, shape: tuple[int, ...] = SHAPE
) -> tuple[np.ndarray, CP]:
    """A tensor of known components, and these as a CP."""
    rng = np.random.default_rng(seed)
    step = columns(rng, shape[0], rank, cosine)
    truth = CP(
        weights=np.linspace(2.0, 1.0, rank),
        factors=(step, columns(rng, shape[1], rank), columns(rng, shape[2], rank)),
        fit=1 / (1 + noise**2),
        restart_fits=np.ones(1),
        iterations=0,
        degenerate=False,
    )
    signal = truth.reconstruct()
    error = rng.standard_normal(shape)
    error *= noise * np.linalg.norm(signal) / np.linalg.norm(error)
    return signal + error, truth


def random_walk(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.cumsum(np.random.default_rng(5).standard_normal(shape), axis=0)


def decaying(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """All singular values different from zero, falling slowly along every axis."""
    tensor = np.random.default_rng(6).standard_normal(shape)
    for mode, size in enumerate(shape):
        scale = np.expand_dims(
            np.arange(1, size + 1) ** -0.7, tuple(axis for axis in range(3) if axis != mode)
        )
        tensor = tensor * scale
    return tensor


def border_rank() -> np.ndarray:
    """A tensor of rank 3 that tensors of rank 2 approach without end (de Silva & Lim 2008)."""
    a, b = np.linalg.qr(np.random.default_rng(7).standard_normal((9, 2)))[0].T
    return sum(np.einsum("k,i,j->kij", *v) for v in ((a, a, b), (a, b, a), (b, a, a)))


@pytest.mark.parametrize("cosine", [0.0, 0.98], ids=["generic", "collinear"])
@pytest.mark.parametrize(("noise", "least"), [(0.0, 1 - 1e-6), (0.01, 0.9999), (0.25, 0.98)])
def test_known_factors_are_found(noise: float, least: float, cosine: float) -> None:
    tensor, truth = planted(5, noise, cosine)
    found = cp(tensor, 5)
    assert factor_match(found, truth) > least
    # Noise is fitted a little too; it cannot be fitted much.
    assert truth.fit - 1e-9 < found.fit < truth.fit + 0.02 * noise**2 + 1e-9
    assert not found.degenerate
    np.testing.assert_allclose(found.weights, truth.weights, rtol=1e-6 + 2 * noise)


@pytest.mark.parametrize(
    ("tensor", "rank"),
    [
        (planted(3, 0.1)[0], 3),
        (planted(3, 0.0)[0], 2),
        (random_walk(), 4),
        (decaying((6, 5, 4)), 9),
        (border_rank(), 2),
        (np.ones((1, 1, 1)), 1),
    ],
)
def test_the_fit_is_that_of_the_reconstruction(tensor: np.ndarray, rank: int) -> None:
    found = cp(tensor, rank)
    explained = 1 - np.sum((tensor - found.reconstruct()) ** 2) / np.sum(tensor**2)
    np.testing.assert_allclose(found.fit, explained, atol=1e-12)


def test_the_fit_stays_that_of_the_whole_tensor_whatever_the_core() -> None:
    tensor = decaying()
    found = cp(tensor, 4, core_ranks=(5, 4, 6))
    explained = 1 - np.sum((tensor - found.reconstruct()) ** 2) / np.sum(tensor**2)
    np.testing.assert_allclose(found.fit, explained, atol=1e-12)


def test_canonical_form() -> None:
    found = cp(planted(4, 0.1)[0], 4)
    assert all(a >= b > 0 for a, b in pairwise(found.weights))
    for factor in found.factors:
        np.testing.assert_allclose(np.linalg.norm(factor, axis=0), 1.0)
    for factor in (found.post, found.pre):
        assert np.all(factor.max(axis=0) == np.abs(factor).max(axis=0))
    parts = sum(found.reconstruct([r]) for r in range(found.rank))
    np.testing.assert_allclose(parts, found.reconstruct(), atol=1e-12)


def test_the_same_seed_gives_the_same_bits() -> None:
    tensor = decaying()
    first, again, other = cp(tensor, 3, seed=1), cp(tensor, 3, seed=1), cp(tensor, 3, seed=2)
    for a, b in zip(first.factors, again.factors, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.restart_fits, other.restart_fits)


@settings(max_examples=15, deadline=None)
@given(
    scale=st.sampled_from([-1e100, -3.0, 1e-100, 1e-3, 1e8]),
    seed=st.integers(0, 1000),
)
def test_order_and_scale_of_the_tensor_carry_over(scale: float, seed: int) -> None:
    tensor, _ = planted(3, 0.05, shape=(12, 10, 9))
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(size) for size in tensor.shape]
    plain, turned = cp(tensor, 3), cp(scale * tensor[np.ix_(*orders)], 3)
    expected = CP(
        abs(scale) * plain.weights,
        tuple(f[order] for f, order in zip(plain.factors, orders, strict=True)),
        plain.fit,
        plain.restart_fits,
        plain.iterations,
        plain.degenerate,
    )
    assert factor_match(turned, expected) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(turned.fit, plain.fit, atol=1e-7)
    np.testing.assert_allclose(turned.weights, expected.weights, rtol=1e-3)
    restored = turned.reconstruct() / scale
    np.testing.assert_allclose(
        restored,
        expected.reconstruct()
        / abs(scale)
        * np.sign(np.vdot(restored, expected.reconstruct() / abs(scale))),
        atol=1e-3,
    )


def test_swapping_post_and_pre_swaps_the_factors() -> None:
    tensor, _ = planted(3, 0.05)
    plain, swapped = cp(tensor, 3), cp(tensor.transpose(0, 2, 1), 3)
    np.testing.assert_allclose(np.abs(swapped.post), np.abs(plain.pre), atol=1e-4)
    np.testing.assert_allclose(np.abs(swapped.pre), np.abs(plain.post), atol=1e-4)


@pytest.mark.parametrize("rank", [1, 3])
def test_of_a_single_step_it_is_the_truncated_svd(rank: int) -> None:
    matrix = np.random.default_rng(8).standard_normal((9, 7))
    energies = np.linalg.svd(matrix, compute_uv=False) ** 2
    found = cp(matrix[None], rank)
    np.testing.assert_allclose(found.fit, energies[:rank].sum() / energies.sum(), atol=1e-6)


@pytest.mark.parametrize("tensor", [random_walk(), decaying()], ids=["random walk", "decaying"])
@pytest.mark.parametrize("rank", [1, 3])
def test_compression_does_not_cost_fit(tensor: np.ndarray, rank: int) -> None:
    compressed, whole = cp(tensor, rank), cp(tensor, rank, core_ranks=tensor.shape)
    assert compressed.fit > whole.fit - 1e-4
    # The enlarged core is needed for that: these tensors do not fit in a small one.
    small = cp(tensor, rank, core_ranks=(rank, rank, rank))
    assert small.fit < whole.fit - 2e-4


@pytest.mark.parametrize("tensor", [random_walk(), decaying()], ids=["random walk", "decaying"])
def test_the_loss_of_a_core_is_within_its_bound(tensor: np.ndarray) -> None:
    for size in (2, 4, 8):
        compression = compress_to(tensor, [size] * 3)
        loss = cp(tensor, 2).fit - cp(tensor, 2, core_ranks=[size] * 3).fit
        assert 0 < loss < compression.loss_bound(2)


def test_the_rank_may_exceed_the_sizes_of_axes_and_the_multilinear_rank() -> None:
    tensor = np.random.default_rng(9).standard_normal((3, 4, 5))
    assert cp(tensor, 12, n_restarts=2).fit == pytest.approx(1.0, abs=1e-9)
    low, _ = planted(2, 0.0, shape=(9, 8, 7))
    found = cp(low, 20)
    assert found.fit == pytest.approx(1.0, abs=1e-9)
    assert all(np.isfinite(f).all() for f in found.factors)


@pytest.mark.parametrize("rank", [1, 2, 6])
def test_components_beyond_the_true_rank_do_no_harm(rank: int) -> None:
    tensor, _ = planted(1, 0.0, shape=(7, 6, 5))
    assert cp(tensor, rank).fit == pytest.approx(1.0, abs=1e-9)


def test_degenerate_solutions_are_flagged() -> None:
    tensor = border_rank()
    assert cp(tensor, 2).degenerate
    proper = cp(tensor, 3)
    assert proper.fit == pytest.approx(1.0, abs=1e-6)
    assert not proper.degenerate


def test_a_group_of_three_that_cancels_is_flagged() -> None:
    # Three unit vectors in a plane, 120 degrees apart: their sum is zero, no two are opposite.
    angles = 2 * np.pi * np.arange(3) / 3
    step = np.vstack([np.cos(angles), np.sin(angles)])
    step = np.vstack([step, np.full(3, 0.1)])
    ones = np.ones((1, 3))
    step /= np.linalg.norm(step, axis=0)
    assert _is_degenerate(np.ones(3), (step, ones, ones))
    assert not _is_degenerate(np.array([5.0, 1.0, 1.0]), (step, ones, ones))


def test_matching_finds_order_and_signs() -> None:
    _, a = planted(4, 0.0)
    order = np.array([2, 0, 3, 1])
    signs = np.array([[1, -1, 1, 1], [-1, -1, 1, 1], [-1, 1, -1, 1.0]])
    shuffled = CP(
        a.weights[order],
        tuple((f * s)[:, order] for f, s in zip(a.factors, signs, strict=True)),
        a.fit,
        a.restart_fits,
        0,
        False,
    )
    assert factor_match(a, shuffled) == pytest.approx(1.0)
    match = match_components(a, shuffled)
    np.testing.assert_array_equal(order[match.permutation], np.arange(4))
    np.testing.assert_array_equal(match.signs, signs)
    np.testing.assert_allclose(match.cosines, 1.0)


def test_the_match_of_unlike_components_is_low() -> None:
    _, a = planted(4, 0.0, seed=1)
    _, b = planted(4, 0.0, seed=2)
    assert factor_match(a, b) < 0.1
    np.testing.assert_allclose(factor_match(a, b), match_components(a, b).cosines.mean())


def test_only_like_decompositions_are_matched() -> None:
    _, a = planted(4, 0.0)
    with pytest.raises(ValueError, match="rank 4, the other 3"):
        factor_match(a, planted(3, 0.0)[1])
    with pytest.raises(ValueError, match=r"\(40, 30, 25\), the other of \(9, 8, 7\)"):
        match_components(a, planted(4, 0.0, shape=(9, 8, 7))[1])


def test_the_rank_curve_bends_at_the_true_rank() -> None:
    tensor, truth = planted(3, 0.1)
    curve = rank_curve(tensor, [1, 2, 3, 5], seeds=[3, 4, 5])
    assert curve.fit.shape == (4, 3)
    assert curve.match.shape == (4, 3)
    best = curve.best_fit
    assert best.tolist() == [max(fits) for fits in curve.fit.tolist()]
    assert np.all(np.diff(best) > 0)
    assert [curve.rank_holding(fit) for fit in (best[1], best[2], 1.0)] == [2, 3, None]
    assert best[2] - best[1] > 0.05
    assert best[3] - best[2] < 0.005
    # Seeds agree on the components that are there, not on what is fitted to noise.
    assert curve.match[2].min() > 0.999
    assert curve.match[3].min() < 0.95
    assert factor_match(curve.best(3), truth) > 0.99
    np.testing.assert_allclose(curve.fit[2], cp(tensor, 3).fit, atol=1e-5)


def test_rank_curve_settings() -> None:
    tensor = decaying((6, 5, 4))
    assert rank_curve(tensor, [2], seeds=[0]).match.shape == (1, 0)
    with pytest.raises(ValueError, match="ranks are \\[\\]"):
        rank_curve(tensor, [])
    with pytest.raises(ValueError, match=r"seeds are \[1, 1\].*all different"):
        rank_curve(tensor, [1], seeds=[1, 1])
    with pytest.raises(ValueError, match="rank is 21"):
        rank_curve(tensor, [1, 21])
    with pytest.raises(ValueError, match=r"rank 3 is not on the curve; it has \[1, 2\]"):
        rank_curve(tensor, [1, 2], seeds=[0]).best(3)


def with_bad_entry(value: float) -> np.ndarray:
    tensor = np.ones((4, 3, 2))
    tensor[2, 1, 0] = value
    return tensor


@pytest.mark.parametrize(
    ("tensor", "rank", "message"),
    [
        (np.ones((3, 4)), 1, r"2 axes, shape \(3, 4\).*\(step, post, pre\): stack"),
        (np.ones((3, 4, 2, 2)), 1, "4 axes"),
        (np.ones((3, 0, 2)), 1, "empty axis 'post'"),
        (with_bad_entry(np.nan), 1, r"1 entries.*step 2, post 1, pre 0\): nan.*diverge"),
        (with_bad_entry(-np.inf), 1, r"step 2, post 1, pre 0\): -inf"),
        (np.zeros((3, 4, 2)), 1, "all entries of the tensor are zero"),
        (np.full((3, 4, 2), 1e200), 1, "overflows double precision; rescale"),
        (np.full((3, 4, 2), 1e-200), 1, "so small.*rescale"),
        (np.ones((3, 4, 2), dtype=complex), 1, "dtype complex128; give real numbers"),
        (np.ones((3, 4, 2)), 0, "rank is 0; expected a whole number of at least 1"),
        (np.ones((3, 4, 2)), 7, r"rank is 7.*\(3, 4, 2\) is at most 6.*rank of 1 to 6"),
    ],
)
def test_bad_tensors_and_ranks(tensor: np.ndarray, rank: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cp(tensor, rank)
    with pytest.raises(ValueError, match=message):
        rank_curve(torch.as_tensor(tensor), [rank])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n_restarts": 0}, "n_restarts is 0"),
        ({"max_iterations": 0}, "max_iterations is 0"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"core_ranks": (1, 5, 1)}, "rank of axis 'post' is 5; expected a whole number of 1 to 4"),
    ],
)
def test_bad_settings(setting: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cp(np.ones((3, 4, 2)), 1, **setting)


def test_known_factors_in_canonical_form_are_those_that_are_found() -> None:
    rng = np.random.default_rng(3)
    step, post, pre = (rng.standard_normal((size, 3)) for size in (12, 9, 8))
    known = CP.of(step, post, pre)
    tensor = np.einsum("kr,ir,jr->kij", step, post, pre)
    np.testing.assert_allclose(known.reconstruct(), tensor)
    found = cp(tensor, 3)
    np.testing.assert_allclose(found.weights, known.weights, rtol=1e-6)
    for ours, theirs in zip(known.factors, found.factors, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-6)
