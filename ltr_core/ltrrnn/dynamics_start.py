"""The start of a fit's dynamics, from estimated latents.

In each trial, tau dkappa/dt + kappa is regressed on the rates, with trials near by and of the same
epoch counted in. The regressions of all trials form a tensor (trial, pre, latent): its CP
decomposition gives trial, row and column factors at once. Inputs are what the mean latents of a
condition need beyond that (inverse dynamics).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition import cp
from ltr_core.ltrrnn.data import Data
from ltr_core.ltrrnn.kernel import rational_quadratic
from ltr_core.ltrrnn.settings import Settings

N_COMPONENTS = 12  # of the rates, that a trial's regression uses
NEAR_TRIALS = 5.0  # length of the kernel that counts neighbouring trials in
LEAST_TIMES = 5  # recorded times without input that suffice to learn the weights from
RIDGE = 0.02  # of a trial's regression, towards that of all trials
CANCELLED = 50.0  # norm of the components over that of their sum (squared): a degenerate start
NEARLY_SINGULAR = 100.0  # condition number of column factors
APART = 0.1  # share of chance in columns of inputs, which start in span(a) otherwise

Array = np.ndarray


class Dynamics(NamedTuple):
    """Where the parameters of the dynamics start, in hat units (columns of norm sqrt(units)).

    - `columns` (unit, latent), `rows` (unit, rank): of norm sqrt(units).
    - `trial_factors` (rank, trial).
    - `initial` (latent, condition).
    - `inputs` (time, latent, condition): at recorded times; in the latents of inputs' own columns
      if there are any, else in those of the column factors.
    """

    columns: Float[Array, "unit latent"]
    rows: Float[Array, "unit rank"]
    trial_factors: Float[Array, "rank trial"]
    initial: Float[Array, "latent condition"]
    inputs: Float[Array, "time driven condition"]


def start_dynamics(
    settings: Settings,
    data: Data,
    *,
    trials: Array,
    latents: Float[Array, "trial seen rank"],
    columns: Float[Array, "unit rank"],
    rng: np.random.Generator,
) -> Dynamics:
    """Factors, initial states and inputs from the latents of some trials (`trials`).

    `columns` are orthogonal and of norm sqrt(units).
    """
    n_units, rank = columns.shape
    width = data.grid.step * data.grid.substeps  # of a recorded time step, over tau
    rates = np.tanh(latents @ columns.T)
    at = _without_input(settings, data)
    pushed = (latents[:, at + 1] - latents[:, at - 1]) / (2 * width) + latents[:, at]
    flat = rates[:, at].reshape(-1, n_units)
    basis = np.linalg.eigh((flat.T @ flat).astype(np.float64))[1]
    basis = basis[:, : -max(N_COMPONENTS, rank) - 1 : -1]
    tensor, metric = _regressions(data, trials, rates[:, at] @ basis, pushed)
    factors, pre, onto = _components(settings, tensor, metric, rank)
    rows = basis @ pre
    sizes = np.linalg.norm(rows, axis=0), np.linalg.norm(onto, axis=0)
    factors = factors * (sizes[0] * sizes[1] * n_units**0.5)
    signs = np.where(factors.mean(0) < 0, -1.0, 1.0)
    rows, onto = rows / sizes[0] * signs * n_units**0.5, onto / sizes[1]
    factors = factors * signs
    columns = columns @ onto
    turned = np.linalg.solve(onto, latents.reshape(-1, rank).T).T.reshape(latents.shape)
    path = _mean_path(data, trials, turned, start_at_rest=settings.initial_state == "zero")
    condition = data.condition.cpu().numpy()[trials]
    means = np.stack([factors[condition == now].mean(0) for now in range(path.shape[2])], 1)
    inputs = _missing_push(path, columns, rows, means, width)
    initial = np.zeros_like(path[0]) if settings.initial_state == "zero" else path[0]
    all_factors = _at_all_trials(data, trials, factors)
    start = Dynamics(columns, rows, all_factors.T, initial, inputs)
    return _own_columns(start, settings.input_columns, rng) if settings.input_columns else start


def _without_input(settings: Settings, data: Data) -> Array:
    """Places among the seen times with both neighbours there; those without input if enough."""
    seen = data.seen.cpu().numpy()
    inner = np.flatnonzero((seen[1:-1] - seen[:-2] == 1) & (seen[2:] - seen[1:-1] == 1)) + 1
    if len(inner) == 0:
        raise ValueError(
            "No three neighbouring times have entries to fit: the start of the fit needs slopes."
        )
    if settings.inputs == "none":
        return inner
    active = np.asarray(data.grid.active.cpu().numpy().reshape(-1, data.grid.substeps).any(1))
    quiet = inner[~(active[seen[inner] - 1] | active[seen[inner]])]
    return quiet if len(quiet) >= LEAST_TIMES else inner


def _regressions(
    data: Data, trials: Array, rates: Float[Array, "trial at pre"], pushed: Array
) -> tuple[Float[Array, "trial pre latent"], Float[Array, "pre pre"]]:
    """Regression of each trial, and the metric of the rates (their mean second moment)."""
    within = np.einsum("kti,ktj->kij", rates, rates, optimize=True)
    across = np.einsum("kti,ktr->kir", rates, pushed, optimize=True)
    pooled, eye = within.sum(0), np.eye(rates.shape[2])
    common = np.linalg.solve(pooled + 1e-3 * np.trace(pooled) / len(eye) * eye, across.sum(0))
    near = rational_quadratic(data.trial_id[trials], NEAR_TRIALS, 1.0)
    epoch = data.epoch_index[trials]
    near = np.where(epoch[:, None] == epoch[None, :], near, 0)
    within = np.einsum("kl,lij->kij", near, within, optimize=True)
    across = np.einsum("kl,lir->kir", near, across, optimize=True)
    ridge = RIDGE * np.trace(within, axis1=1, axis2=2)[:, None, None] / len(eye) * eye
    metric = within.mean(0) + 1e-6 * np.trace(within.mean(0)) / len(eye) * eye
    return np.linalg.solve(within + ridge, across + ridge @ common), metric


def _components(
    settings: Settings, tensor: Array, metric: Array, rank: int
) -> tuple[Float[Array, "trial rank"], Float[Array, "pre rank"], Float[Array, "latent rank"]]:
    """CP decomposition of the regressions, errors counted as they show in the rates.

    Where components of a CP decomposition cancel each other, or where it has no trials to be
    unique by, the mean's singular vectors serve instead, and each trial's part along them.
    """
    root = np.linalg.cholesky(metric).T
    whitened = np.ascontiguousarray(root @ tensor).astype(np.float64)
    if settings.trial_factors != "constant" and len(tensor) >= 3 and rank > 1:
        found = cp(whitened, rank, seed=settings.seed)
        trial, pre, latent = found.factors
        cancelled = np.square(found.weights).sum() / np.square(whitened).sum()
        if cancelled < CANCELLED and np.linalg.cond(latent) < NEARLY_SINGULAR:
            return trial * found.weights, np.linalg.solve(root, pre), latent
    left, _, right = np.linalg.svd(whitened.mean(0), full_matrices=False)
    left = left[:, :rank]
    factors = np.einsum("kir,is,sr->ks", whitened, left, right, optimize=True)
    if settings.trial_factors == "constant":
        factors = np.broadcast_to(factors.mean(0), factors.shape)
    return factors, np.linalg.solve(root, left), right.T


def _mean_path(
    data: Data, trials: Array, latents: Array, start_at_rest: bool
) -> Float[Array, "time rank condition"]:
    """Mean latents of each condition at every recorded time; unseen ones are interpolated.

    Before the first seen time they rise smoothly from rest.
    """
    seen = data.seen.cpu().numpy()
    condition = data.condition.cpu().numpy()[trials]
    times = np.arange(len(data.grid.active) // data.grid.substeps + 1)
    path = np.empty((len(times), latents.shape[2], int(condition.max()) + 1))
    for now in range(path.shape[2]):
        mean = latents[condition == now].mean(0)
        for latent in range(path.shape[1]):
            path[:, latent, now] = np.interp(times, seen, mean[:, latent])
    rise = seen[0] or (3 if start_at_rest else 0)
    if rise:
        ramp = (1 - np.cos(np.pi * np.minimum(times / rise, 1))) / 2
        path *= ramp[:, None, None]
    return path


def _missing_push(
    path: Float[Array, "time rank condition"],
    columns: Float[Array, "unit rank"],
    rows: Float[Array, "unit rank"],
    means: Float[Array, "rank condition"],
    width: float,
) -> Float[Array, "time rank condition"]:
    """What moves the mean latents besides the recurrent weights (`means`: of trial factors)."""
    rates = np.tanh(np.einsum("nr,trg->tng", columns, path, optimize=True))
    recurrent = means * np.einsum("nr,tng->trg", rows, rates, optimize=True) / len(columns)
    return np.gradient(path, width, axis=0) + path - recurrent


def _at_all_trials(data: Data, trials: Array, factors: Array) -> Float[Array, "trial rank"]:
    if len(trials) == len(data.trial_id):
        return factors
    known = data.trial_id[trials]
    return np.stack([np.interp(data.trial_id, known, column) for column in factors.T], 1)


def _own_columns(start: Dynamics, n_own: int, rng: np.random.Generator) -> Dynamics:
    """Inputs moved to columns of their own, which begin as directions in span(a).

    A column v = C m integrates its input with the same time constant, so that nothing changes.
    """
    n_units, rank = start.columns.shape
    flat = start.inputs.transpose(1, 0, 2).reshape(rank, -1)
    directions = np.linalg.svd(flat, full_matrices=False)[0][:, :n_own]
    if n_own > rank:
        directions = np.column_stack([directions, rng.normal(size=(rank, n_own - rank))])
    own = start.columns @ directions
    own += APART * rng.normal(size=own.shape)
    sizes = np.linalg.norm(own, axis=0) / n_units**0.5
    inputs = np.einsum("rm,trg->tmg", np.linalg.pinv(directions).T, start.inputs)
    none = np.zeros((n_own, start.initial.shape[1]))
    return start._replace(
        columns=np.column_stack([start.columns, own / sizes]),
        initial=np.vstack([start.initial, none]),
        inputs=inputs * sizes[:, None],
    )
