"""CP decomposition of a compressed tensor: TensorLy's alternating least squares on its core.

Around it: random starts, and a check at full size that the core was large enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from tensorly.cp_tensor import CPTensor, cp_to_tensor
from tensorly.decomposition import parafac
from tensorly.tenalg import unfolding_dot_khatri_rao

from ltr_core.decomposition.compression import Compression, Core, project
from ltr_core.decomposition.validation import squared_norm

#: One matrix for each axis, with a column for each component.
Factors = list[np.ndarray]

# Restarts run this far; only the best of them goes on to convergence.
SCREENING_ITERATIONS = 50
# A penalty on the factors' squared norms, for a tensor of norm 1: far below what it costs in fit,
# and enough to keep the least-squares problems solvable when components coincide.
RIDGE = 1e-10
# The core is large enough if at most this fraction of the squared norm can be lost ...
NEGLIGIBLE_LOSS = 1e-5
# ... or if one update of each factor at full size gains less than this fraction.
NEGLIGIBLE_GAIN = 1e-6
MAX_REFINEMENTS = 10


@dataclass(frozen=True)
class Solution:
    """Factors of a core, with the squared error that they leave of it."""

    factors: Factors
    squared_error: float
    iterations: int


def best_of_restarts(
    core: Core,
    rank: int,
    *,
    n_restarts: int,
    seed: int,
    max_iterations: int,
    tolerance: float,
    hosvd_start: bool,
) -> tuple[Solution, list[Solution]]:
    """The best of several starts, carried on to convergence, and each start as screened."""
    screened = [
        alternate(core, start, min(SCREENING_ITERATIONS, max_iterations), tolerance)
        for start in _starts(core, rank, n_restarts, seed, hosvd_start)
    ]
    best = min(screened, key=lambda solution: solution.squared_error)
    if best.iterations >= SCREENING_ITERATIONS and best.iterations < max_iterations:
        more = alternate(core, best.factors, max_iterations - best.iterations, tolerance)
        best = Solution(more.factors, more.squared_error, best.iterations + more.iterations)
    return best, screened


def alternate(core: Core, start: Factors, max_iterations: int, tolerance: float) -> Solution:
    """TensorLy's alternating least squares with line search, from the given factors."""
    norm = np.sqrt(squared_norm(core))
    iterations = -1  # the callback is called once before the first

    def count(*_: object) -> None:
        nonlocal iterations
        iterations += 1

    # Components of a tensor of norm 1, their scale spread evenly over the three axes.
    _, factors = parafac(
        core / norm,
        start[0].shape[1],
        init=CPTensor((None, _balanced(start, 1 / norm))),
        n_iter_max=max_iterations,
        tol=tolerance,
        linesearch=True,
        l2_reg=RIDGE,
        callback=count,
    )
    factors = _balanced(factors, norm)
    error = squared_norm(core - cp_to_tensor((None, factors)))
    return Solution(factors, error, iterations)


def refine(
    compression: Compression, solution: Solution, max_iterations: int, tolerance: float
) -> tuple[Compression, Solution]:
    """Enlarges the core until it no longer limits the fit.

    The bases are extended by the factors that one alternating update at full size would give;
    the larger core then holds both the old solution and the better one.
    """
    rank = solution.factors[0].shape[1]
    if compression.loss_bound(rank) <= NEGLIGIBLE_LOSS:
        return compression, solution
    for _ in range(MAX_REFINEMENTS):
        factors = [b @ f for b, f in zip(compression.bases, solution.factors, strict=True)]
        gain, updated = _update_at_full_size(compression.tensor, factors)
        if gain <= NEGLIGIBLE_GAIN * compression.squared_norm:
            break
        step, post, pre = (
            np.linalg.qr(np.hstack([b, f / np.linalg.norm(f, axis=0)]))[0]
            for b, f in zip(compression.bases, updated, strict=True)
        )
        bases = (step, post, pre)
        compression = replace(compression, core=project(compression.tensor, bases), bases=bases)
        start = [b.T @ f for b, f in zip(bases, factors, strict=True)]
        better = alternate(compression.core, start, max_iterations, tolerance)
        solution = Solution(
            better.factors, better.squared_error, solution.iterations + better.iterations
        )
    return compression, solution


def _starts(
    core: Core, rank: int, n_restarts: int, seed: int, hosvd_start: bool
) -> Iterator[Factors]:
    """Random orthonormal columns where there is room for them, Gaussian ones beyond.

    Orthonormal starts find the best fit more often than Gaussian or uniform ones. The optional
    first start is the truncated higher-order SVD: unit vectors in the core's own coordinates.
    """
    for restart in range(n_restarts):
        rng = np.random.default_rng([seed, restart])
        factors = []
        for size in core.shape:
            known = np.eye(size) if hosvd_start and restart == 0 else _orthogonal(rng, size)
            more = rng.standard_normal((size, max(rank - size, 0))) / np.sqrt(size)
            factors.append(np.hstack([known, more])[:, :rank])
        factors[0] *= np.sqrt(squared_norm(core))
        yield factors


def _orthogonal(rng: np.random.Generator, size: int) -> Float[np.ndarray, "size size"]:
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def _balanced(factors: Factors, scale: float) -> Factors:
    """The components times a scale, each with the same norm along every axis."""
    norms = [np.linalg.norm(f, axis=0) for f in factors]
    share = np.cbrt(scale * norms[0] * norms[1] * norms[2])
    return [f * (share / np.where(n > 0, n, 1.0)) for f, n in zip(factors, norms, strict=True)]


def _update_at_full_size(
    tensor: Float[np.ndarray, "step post pre"], factors: Factors
) -> tuple[float, Factors]:
    """Each factor as least squares would choose it, the other two as they are.

    Returns
    -------
    The most that one of these three updates takes off the squared error, and the updates.
    """
    steps, post, pre = factors
    # The step axis is contracted once, in one pass over the tensor, for both other axes.
    contracted = np.tensordot(steps.T, tensor, axes=1)
    products = [
        unfolding_dot_khatri_rao(tensor, (None, factors), 0),
        np.einsum("rij,jr->ir", contracted, pre),
        np.einsum("rij,ir->jr", contracted, post),
    ]
    grams = [f.T @ f for f in factors]
    modelled = float(np.sum(grams[0] * grams[1] * grams[2]))
    explained = 2 * float(np.sum(products[0] * steps)) - modelled
    gains, updates = [], []
    for mode, product in enumerate(products):
        others = grams[(mode + 1) % 3] * grams[(mode + 2) % 3]
        update = product @ np.linalg.pinv(others, rcond=1e-12, hermitian=True)
        gains.append(float(np.sum(update * product)) - explained)
        updates.append(update)
    return max(gains), updates
