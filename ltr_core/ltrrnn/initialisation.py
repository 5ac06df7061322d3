"""Where the fit starts: an estimate of every parameter from the activity itself.

1. Entries that are not fitted are filled in by principal components (`missing`).
2. The leading components give the latents, once the saturation of phi is undone on average over
   random column factors; the readout follows by orthogonal Procrustes or ridge regression.
3. `dynamics_start` takes it from there: weights from a regression in every trial, inputs from what
   the mean latents of a condition need beyond that.

Latents are in units of sqrt(units), so that everything here is of order 1.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ltr_core.ltrrnn.data import Data
from ltr_core.ltrrnn.dynamics_start import Dynamics, start_dynamics
from ltr_core.ltrrnn.kernel import rational_quadratic
from ltr_core.ltrrnn.missing import Completed, fill_missing
from ltr_core.ltrrnn.settings import Settings

N_COMPONENTS = 12
USUAL_RATE = 0.55  # root mean square of units' rates, where the data leave it open
LARGEST_RATE = 0.95  # of one unit, before phi is inverted
FEWEST_COUNTS = 0.1  # added to smoothed counts before the logarithm, times the neuron's mean
SMOOTHED_TRIALS, SMOOTHED_TIMES = 5.0, 2.0
ENTRIES = 20_000_000  # of the activity that the estimate is made from, about

Array = np.ndarray


class Start(NamedTuple):
    """Parameters to begin with.

    - `dynamics`: factors, initial states and inputs.
    - `readout` (neuron, unit), `readout_bias` (neuron,), `gain`: the readout of rates phi is
      ``gain * readout @ phi + readout_bias``.
    """

    dynamics: Dynamics
    readout: Float[Array, "neuron unit"]
    readout_bias: Float[Array, " neuron"]
    gain: float


class _Embedding(NamedTuple):
    """Latents (sample, rank) with x = columns @ latents, and the readout that goes with them."""

    latents: Float[Array, "sample rank"]
    columns: Float[Array, "unit rank"]
    readout: Float[Array, "neuron unit"]
    gain: float


def start_from(settings: Settings, data: Data, rng: np.random.Generator) -> Start:
    """The estimate described above; `rng` chooses among equivalent column factors.

    Raises ValueError if the activity does not vary in as many dimensions as the rank.
    """
    few = _some_trials(data)
    target, fitted = _signal(settings, data, few)
    n_neurons = target.shape[2]
    flat, observed = target.reshape(-1, n_neurons), fitted.reshape(-1, n_neurons)
    n_components = min(max(N_COMPONENTS, 2 * settings.rank + 2), *flat.shape)
    filled = fill_missing(flat, observed, n_components)
    with_bias = settings.readout_bias or settings.likelihood == "poisson"
    bias = filled.mean if with_bias else np.zeros_like(filled.mean)
    axes = _leading_axes(filled, filled.mean - bias, settings.rank)
    smooth = filled.scores @ filled.loadings.T + (filled.mean - bias)
    found = _embedding(settings, smooth, axes, rng)
    latents = found.latents.reshape(*target.shape[:2], settings.rank)
    dynamics = start_dynamics(
        settings, data, trials=few, latents=latents, columns=found.columns, rng=rng
    )
    return Start(dynamics, found.readout, bias, found.gain)


def _some_trials(data: Data) -> Array:
    """Evenly spread trials that hold about `ENTRIES` entries, with one of each condition."""
    n_seen, n_neurons, n_trials = data.activity.shape
    every = max(1, round(n_seen * n_neurons * n_trials / ENTRIES))
    firsts = np.unique(data.condition.cpu().numpy(), return_index=True)[1]
    return np.union1d(np.arange(0, n_trials, every), firsts)


def _signal(settings: Settings, data: Data, trials: Array) -> tuple[Array, Array]:
    """What the readout should give (trial, seen, neuron), and which entries of it are fitted."""

    def first(array: Array) -> Array:
        return np.ascontiguousarray(array[:, :, trials].transpose(2, 0, 1))

    values = first(data.activity.cpu().numpy())
    fitted = first(data.train.cpu().numpy())
    if settings.likelihood == "poisson":
        values = _log_rates(values, fitted, data, trials)
    return values, fitted


def _log_rates(
    counts: Float[Array, "trial seen neuron"],
    fitted: Bool[Array, "trial seen neuron"],
    data: Data,
    trials: Array,
) -> Float[Array, "trial seen neuron"]:
    """Logarithm of counts, smoothed over time and over near trials of the same condition."""
    near = rational_quadratic(data.trial_id[trials], SMOOTHED_TRIALS, 1.0)
    condition = data.condition.cpu().numpy()[trials]
    near = near * (condition[:, None] == condition[None, :])
    steps = np.arange(counts.shape[1])
    close = np.exp(-np.square(steps[:, None] - steps[None, :]) / (2 * SMOOTHED_TIMES**2))
    weight = fitted.astype(counts.dtype)

    def smoothed(values: Array) -> Array:
        over_time = np.einsum("st,ktn->ksn", close, values, optimize=True)
        return np.einsum("kl,lsn->ksn", near, over_time, optimize=True)

    mean = (counts * weight).sum((0, 1)) / np.maximum(weight.sum((0, 1)), 1)
    floor = FEWEST_COUNTS * np.maximum(mean, 1 / counts.shape[0])
    rate = smoothed(counts * weight) / np.maximum(smoothed(weight), 1e-6)
    return np.log(rate + floor).astype(counts.dtype)


def _leading_axes(filled: Completed, offset: Array, rank: int) -> Float[Array, "neuron rank"]:
    """Principal axes of the completed activity less its bias, about zero."""
    spanned = np.column_stack([filled.loadings, offset]).astype(np.float64)
    inner = np.zeros((spanned.shape[1],) * 2)
    inner[:-1, :-1] = filled.scores.T @ filled.scores / len(filled.scores)
    inner[-1, -1] = 1.0
    basis, mixing = np.linalg.qr(spanned)
    values, vectors = np.linalg.eigh(mixing @ inner @ mixing.T)
    if len(values) < rank or values[-rank] <= 1e-10 * values[-1]:
        raise ValueError(
            f"The activity varies in fewer than {rank} dimensions: lower rank, or look for "
            "constant or duplicated neurons."
        )
    return (basis @ vectors[:, : -rank - 1 : -1]).astype(filled.loadings.dtype)


def _embedding(
    settings: Settings, smooth: Array, axes: Array, rng: np.random.Generator
) -> _Embedding:
    """Latents and column factors whose rates the readout brings to the smoothed activity."""
    n_neurons, rank = axes.shape
    n_units = settings.n_units or n_neurons
    root = n_units**0.5
    if settings.readout == "identity":
        state = np.arctanh(np.clip(smooth, -LARGEST_RATE, LARGEST_RATE))
        columns = np.linalg.eigh(state.T @ state)[1][:, : -rank - 1 : -1]
        return _Embedding(state @ columns / root, columns * root, np.eye(n_neurons), 1.0)
    columns = np.linalg.qr(rng.normal(size=(n_units, rank)))[0].astype(axes.dtype)
    # the root mean square that units' rates would have, were the gain 1
    size = float(np.sqrt(np.square(smooth).sum(1).mean() / n_units))
    gain = size / USUAL_RATE if settings.readout == "linear" else max(size / USUAL_RATE, 1.0)
    latents = _unsaturated(smooth @ axes / (gain * root))
    rates = np.tanh(latents @ columns.T * root)
    readout = _readout(settings.readout, rates, smooth / gain)
    return _Embedding(latents, columns * root, readout, gain)


def _unsaturated(scores: Float[Array, "sample rank"]) -> Float[Array, "sample rank"]:
    """The latents whose rates have `scores` along random columns, on average over these.

    For Gaussian entries of the columns the rates' part along them is kappa * E[phi'(|kappa| g)].
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    sizes = np.linspace(0, 8, 800)
    gain = (1 - np.square(np.tanh(sizes[:, None] * nodes))) @ (weights / weights.sum())
    length = np.linalg.norm(scores, axis=1, keepdims=True)
    latent = np.interp(length, sizes * gain, sizes)
    return (scores * (latent / np.maximum(length, 1e-12))).astype(scores.dtype)


def _readout(kind: str, rates: Array, target: Array) -> Float[Array, "neuron unit"]:
    """The readout that brings rates of units closest to the target."""
    crossed = (target.T @ rates).astype(np.float64)
    if kind == "orthonormal":
        left, _, right = np.linalg.svd(crossed, full_matrices=False)
        return left @ right
    gram = (rates.T @ rates).astype(np.float64)
    gram += 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, crossed.T).T
