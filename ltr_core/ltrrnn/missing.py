"""Principal components of activity of which entries are missing, and the entries filled in.

Regularised iterative PCA (Josse & Husson 2012, Journal de la SFdS 153): missing entries are what
the components say, the components those of the completed activity, shrunk by what noise adds to
their variance, so that samples with few observed entries are not overfitted. Each iteration is
one alternating least-squares step from the last one's components: a few products with matrices
of `rank` columns, and no decomposition of the activity. What is filled in is extrapolated along
its last change (Nesterov's momentum), which saves most of the iterations.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

# Rows that are worked on at once: their entries and temporaries stay in the processor's cache.
ENTRIES_AT_ONCE = 2**17
# Iteration i extrapolates by i / (i + 3) of the last change, at most by this share of it.
MOST_MOMENTUM = 0.7


class Completed(NamedTuple):
    """Activity ~ scores @ loadings.T + mean, in principal axes, of largest variance first.

    - `filled` (sample, neuron): as recorded where observed, the components' value elsewhere.
    - `scores` (sample, component): uncorrelated, of mean zero over samples.
    - `loadings` (neuron, component): orthonormal columns, the largest entry of each positive.
    - `mean` (neuron,).
    """

    filled: Float[np.ndarray, "sample neuron"]
    scores: Float[np.ndarray, "sample component"]
    loadings: Float[np.ndarray, "neuron component"]
    mean: Float[np.ndarray, " neuron"]


class _Model(NamedTuple):
    """As `Completed`, about the neurons' observed means, and with any loadings."""

    scores: Float[np.ndarray, "sample component"]
    loadings: Float[np.ndarray, "neuron component"]
    mean: Float[np.ndarray, " neuron"]


def fill_missing(
    activity: Float[np.ndarray, "sample neuron"],
    observed: Bool[np.ndarray, "..."],
    rank: int,
    n_iterations: int = 20,
) -> Completed:
    """The leading principal components of the observed entries, and the others filled in.

    Without missing entries this is exact PCA. With them, scores are drawn to zero by the share
    of noise in their component's variance. A sample without observed entries gets about the mean.

    - `activity`: float32 or float64, worked on as it is; one copy is made. What it holds where
      `observed` is False is never used, so it may be NaN there.
    - `rank`: number of components, at most the smaller side.
    - `n_iterations`: 20 suffice where half of the entries is missing; spare components
      take some 100 until they are shrunk to nothing.

    Raises ValueError for shapes that differ, a rank or number of iterations out of range, a
    neuron without observed entries, and observed entries that are not finite.
    """
    _check(activity, observed, rank, n_iterations)
    # About their means, so that nothing is lost in float32 where these are large.
    start = activity.mean(0, where=observed, dtype=np.float64).astype(activity.dtype)
    filled = np.zeros_like(activity)
    np.subtract(activity, start, out=filled, where=observed)
    model = last = _principal_components(filled, rank)
    n_observed = int(observed.sum())
    if n_observed < observed.size:
        for i in range(n_iterations):
            ahead = _extrapolated(model, last, min(i / (i + 3), MOST_MOMENTUM))
            basis = np.linalg.qr(model.loadings)[0]
            last, model = model, _iterate(filled, observed, n_observed, ahead, basis)
        for rows in _blocks(filled):
            _fill(filled, observed, model, rows)
    scores, loadings = _in_principal_axes(model.scores, model.loadings)
    filled += start
    np.copyto(filled, activity, where=observed)
    return Completed(filled, scores, loadings, model.mean + start)


def _iterate(
    filled: np.ndarray, observed: np.ndarray, n_observed: int, ahead: _Model, basis: np.ndarray
) -> _Model:
    """Fill in from a model, then scores in a basis, then loadings; one pass over the rows."""
    n_samples = len(filled)
    scores = np.empty((n_samples, basis.shape[1]), filled.dtype)
    products = np.zeros(basis.shape)
    total = np.zeros(len(basis))
    squares = 0.0
    for rows in _blocks(filled):
        block = _fill(filled, observed, ahead, rows)
        scores[rows] = block @ basis
        products += block.T @ scores[rows]
        total += block.sum(0)
        squares += float(np.vdot(block, block))
    offset = scores.mean(0, dtype=np.float64)
    products -= np.outer(total, offset)
    scores -= offset.astype(scores.dtype)
    gram = (scores.T @ scores).astype(np.float64)
    loadings = products @ np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    # Filled entries are nearly as the model says: the whole error is that of the observed ones.
    error = squares - total @ total / n_samples - np.sum(gram * (loadings.T @ loadings))
    shrinkage = _shrinkage(gram / n_samples, max(error, 0.0) / n_observed)
    dtype = filled.dtype
    return _Model(
        scores @ shrinkage.astype(dtype), loadings.astype(dtype), (total / n_samples).astype(dtype)
    )


def _shrinkage(
    covariance: Float[np.ndarray, "component component"], noise: float
) -> Float[np.ndarray, "component component"]:
    """Multiplies scores by the share of each principal axis' variance that is not noise."""
    variances, axes = np.linalg.eigh(covariance)
    tiny = np.finfo(np.float64).tiny
    kept = np.maximum(variances - noise, 0) / np.maximum(variances, noise + tiny)
    return (axes * kept) @ axes.T


def _extrapolated(model: _Model, last: _Model, share: float) -> _Model:
    """model + share * (model - last), as a model of twice as many components."""
    if share == 0:
        return model
    return _Model(
        np.hstack([(1 + share) * model.scores, -share * last.scores]),
        np.hstack([model.loadings, last.loadings]),
        model.mean + share * (model.mean - last.mean),
    )


def _fill(filled: np.ndarray, observed: np.ndarray, model: _Model, rows: slice) -> np.ndarray:
    block = filled[rows]
    expected = model.scores[rows] @ model.loadings.T
    expected += model.mean
    # The same as np.copyto(block, expected, where=~observed[rows]) in a third of the time.
    expected -= block
    expected *= ~observed[rows]
    block += expected
    return block


def _principal_components(filled: np.ndarray, rank: int) -> _Model:
    """PCA through the Gram matrix of the smaller side."""
    mean = filled.mean(0, dtype=np.float64).astype(filled.dtype)
    n_samples, n_neurons = filled.shape
    if n_neurons <= n_samples:
        gram = np.zeros((n_neurons, n_neurons))
        for rows in _blocks(filled):
            block = filled[rows] - mean
            gram += block.T @ block
        basis = np.linalg.eigh(gram)[1][:, : -rank - 1 : -1].astype(filled.dtype)
    else:
        centred = filled - mean
        axes = np.linalg.eigh(centred @ centred.T)[1][:, : -rank - 1 : -1]
        basis = np.linalg.qr(centred.T @ axes)[0]
    return _Model(filled @ basis - mean @ basis, basis, mean)


def _in_principal_axes(scores: np.ndarray, loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same scores @ loadings.T, in the form that `Completed` describes."""
    basis, mixing = np.linalg.qr(loadings.astype(np.float64))
    gram = mixing @ (scores.T @ scores).astype(np.float64) @ mixing.T
    rotation = np.linalg.eigh(gram)[1][:, ::-1]
    axes = basis @ rotation
    largest = axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])]
    signs = np.where(largest < 0, -1.0, 1.0)
    into = (mixing.T @ rotation * signs).astype(scores.dtype)
    return scores @ into, (axes * signs).astype(loadings.dtype)


def _blocks(filled: np.ndarray) -> Iterator[slice]:
    n_rows = max(ENTRIES_AT_ONCE // filled.shape[1], 1)
    for first in range(0, len(filled), n_rows):
        yield slice(first, first + n_rows)


def _check(activity: np.ndarray, observed: np.ndarray, rank: int, n_iterations: int) -> None:
    if activity.shape != observed.shape:
        raise ValueError(
            f"activity is {activity.shape}, observed {observed.shape}; both are (sample, neuron)."
        )
    if not 1 <= rank <= min(activity.shape):
        raise ValueError(
            f"rank is {rank}: activity of {activity.shape[0]} samples and {activity.shape[1]} "
            f"neurons has 1 to {min(activity.shape)} components."
        )
    if n_iterations < 0:
        raise ValueError(f"n_iterations is {n_iterations}: it must not be negative.")
    silent = np.flatnonzero(~observed.any(0)).tolist()
    if silent:
        raise ValueError(f"Neurons {silent[:10]} have no observed entry: leave them out.")
    with np.errstate(invalid="ignore"):
        total = activity.sum(where=observed, dtype=np.float64)
    if not np.isfinite(total):
        raise ValueError("activity holds NaN or infinity where it is observed: mask those entries.")
