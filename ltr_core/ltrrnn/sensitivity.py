"""What the fitted entries of each trial say about its trial factors (Gauss-Newton information)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ltr_core.ltrrnn.integration import TABLEAUX, System, drive_nodes
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.ltrrnn.solution import Solution
from ltr_core.recordings import Recording

AT_ONCE = 2_000_000  # entries of (unit, rank, trial) that are worked on at once


class _Parts(NamedTuple):
    """The system of some trials in float64."""

    columns: Float[np.ndarray, "unit latent"]
    rows: Float[np.ndarray, "unit rank"]
    trial_factors: Float[np.ndarray, "rank trial"]
    bias: Float[np.ndarray, " unit"]
    initial: Float[np.ndarray, "latent trial"]
    drive: Float[np.ndarray, "step node latent trial"]


class _Rate(NamedTuple):
    """Rates, and how they change with each of the trial factors."""

    rate: Float[np.ndarray, "unit trial"]
    change: Float[np.ndarray, "unit rank trial"]


def information(model: LtrRNN, recording: Recording) -> Float[np.ndarray, "trial rank rank"]:
    """J^T diag(w) J of each trial: J the change of its fitted entries with its trial factors.

    w is one over `noise_variance_` for rates, and the expected count for counts (J is then that
    of its logarithm). The changes are integrated along with the latents, in float64. Entries are
    those of ``model.train_``.
    """
    solution = model._solution
    n_units, rank = solution.system.rows.shape
    n_trials = recording.n_trials
    size = max(1, AT_ONCE // (n_units * rank))
    found = np.empty((n_trials, rank, rank))
    for first in range(0, n_trials, size):
        trials = slice(first, min(first + size, n_trials))
        found[trials] = _of_trials(solution, trials, model.train_[trials])
    return found if solution.counts else found / model.noise_variance_


def _of_trials(
    solution: Solution, trials: slice, fitted: Bool[np.ndarray, "trial time neuron"]
) -> Float[np.ndarray, "trial rank rank"]:
    parts = _parts(solution.system, trials)
    readout = solution.readout.cpu().numpy().astype(np.float64)
    offset = solution.readout_bias.cpu().numpy().astype(np.float64)
    rank, n_trials = parts.trial_factors.shape
    total = np.zeros((n_trials, rank, rank))
    for now, (rate, change) in enumerate(_rates(parts, solution)):
        if not fitted[:, now].any():
            continue
        weight = fitted[:, now].T.astype(np.float64)
        if solution.counts:
            weight = weight * np.exp(readout @ rate + offset[:, None])
        seen = (readout @ change.reshape(len(change), -1)).reshape(-1, rank, n_trials)
        total += np.einsum("nk,nrk,nsk->krs", weight, seen, seen, optimize=True)
    return total


def _parts(system: System, trials: slice) -> _Parts:
    group = system.group[trials].cpu().numpy()
    columns, rows, factors, bias, initial, drive = (
        part.cpu().numpy().astype(np.float64) for part in system[:-1]
    )
    return _Parts(columns, rows, factors[:, trials], bias, initial[:, group], drive[..., group])


def _rates(parts: _Parts, solution: Solution) -> "list[_Rate]":
    """At every recorded time, by the fit's own scheme and steps."""
    tableau = TABLEAUX[solution.scheme]
    places = [drive_nodes(solution.scheme).index(node) for node in tableau.nodes]
    latent = parts.initial
    change = np.zeros((len(latent), *parts.trial_factors.shape))
    found = []
    for now, drive in enumerate(parts.drive):
        total, of_total = np.zeros_like(latent), np.zeros_like(change)
        slope, of_slope = total, of_total
        for stage, weight in enumerate(tableau.weights):
            ahead = solution.step * tableau.nodes[stage]
            state, of_state = latent + ahead * slope, change + ahead * of_slope
            rates = _rate(parts, state, of_state)
            if stage == 0 and now % solution.substeps == 0:
                found.append(rates)
            slope, of_slope = _slope(parts, state, of_state, rates, drive[places[stage]])
            total, of_total = total + weight * slope, of_total + weight * of_slope
        latent = latent + solution.step * total
        change = change + solution.step * of_total
    found.append(_rate(parts, latent, change))
    return found


def _rate(parts: _Parts, state: np.ndarray, of_state: np.ndarray) -> _Rate:
    rate = np.tanh(parts.columns @ state + parts.bias[:, None])
    across = parts.columns @ of_state.reshape(len(of_state), -1)
    change = across.reshape(-1, *of_state.shape[1:]) * (1 - np.square(rate))[:, None, :]
    return _Rate(rate, change)


def _slope(
    parts: _Parts, state: np.ndarray, of_state: np.ndarray, rates: _Rate, drive: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    rank = len(parts.trial_factors)
    overlap = parts.rows.T @ rates.rate
    slope, of_slope = drive - state, -of_state
    slope[:rank] += parts.trial_factors * overlap
    back = parts.rows.T @ rates.change.reshape(len(rates.change), -1)
    of_slope[:rank] += parts.trial_factors[:, None, :] * back.reshape(rank, rank, -1)
    of_slope[np.arange(rank), np.arange(rank)] += overlap
    return slope, of_slope
