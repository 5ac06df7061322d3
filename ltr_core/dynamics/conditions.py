"""Flows inferred for several conditions, before and after learning, against the true ones."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.spatial.distance import cdist

from ltr_core.dynamics.agreement import change_agreement, flow_agreement
from ltr_core.dynamics.fixed_points import fixed_points, starts_from
from ltr_core.dynamics.interface import NeuralFlow, rms_spread


class Learned(NamedTuple):
    """The flows of one network or fit under each condition's input, before and after learning.

    `before`, `after`: a flow for each condition. `states`: those visited under each, (state,
    dimension); of a fit, its latents of the same trials and times, in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> before, after = (
    ...     dynamics.LatentFlow(column, column, np.array([factor])) for factor in (0.5, 0.8)
    ... )
    >>> learned = dynamics.Learned([before], [after], [np.zeros((20, 1))])  # one condition
    >>> [len(part) for part in learned]
    [1, 1, 1]
    """

    before: Sequence[NeuralFlow]
    after: Sequence[NeuralFlow]
    states: Sequence[Float[np.ndarray, "_state _dimension"]]


def against_truth(
    fit: Learned, truth: Learned, *, n_starts: int = 12, seed: int = 0
) -> pd.DataFrame:
    """A row for each condition: what the fit has of the true flows, in the neurons' rates.

    Velocities, as mean cosines over states (`flow_agreement`, `change_agreement`):

    - `along`, `along_error`: cosine and relative error before learning, at the condition's states.
    - `elsewhere`, `elsewhere_error`: the same, under the condition's input at the states that the
      other conditions visited, where this input was never seen (equal to `along` if there is but
      one condition).
    - `change`, `change_error`, `change_ratio`: of what learning changed in the velocities; the
      last is its size over the true one's.

    Fixed points, where the one meant is that which most of `n_starts` starts lead to:

    - `distance`: of the true one to the fit's nearest, in spreads of the condition's activity;
      mean of before and after. A fit that has none is charged `by_chance`.
    - `by_chance`: distance of the true one to a visited state, median; `by_nearest`: to the
      nearest of them.
    - `stable_before`, `stable_after`, and the same with `fit_`: whether they are stable; False
      for a fit that has none.
    - `moved`: cosine between the fit's move of its fixed point through learning and the true
      move; 0 if the fit has none. `moved_by`, `fit_moved_by`: lengths of these, in spreads.

    Raises ValueError for different numbers of conditions, no condition, or a truth in which no
    fixed point was found.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> before, after = (
    ...     dynamics.LatentFlow(column, column, np.array([factor]), inputs=np.array([1.0]))
    ...     for factor in (0.5, 0.8)
    ... )
    >>> states = [np.linspace(-1, 2, 20)[:, None]]
    >>> truth = dynamics.Learned([before], [after], states)
    >>> table = dynamics.against_truth(truth, truth)  # a fit that is the truth
    >>> table[["along", "change", "moved"]].round(3).to_numpy().tolist()
    [[1.0, 1.0, 1.0]]
    """
    n = len(truth.before)
    lengths = {len(part) for part in (*fit, *truth)}
    if lengths != {n} or n == 0:
        raise ValueError(
            f"fit and truth have {sorted(lengths)} flows or sets of states: both need one flow "
            "before, one after and one set of states for each condition."
        )
    rows = []
    for condition in range(n):
        rows.append(
            {"condition": condition}
            | _velocities(fit, truth, condition)
            | _fixed_points(fit, truth, condition, n_starts, seed)
        )
    return pd.DataFrame(rows)


def _velocities(fit: Learned, truth: Learned, condition: int) -> dict[str, float]:
    pairs = [(one.before[condition], one.after[condition]) for one in (fit, truth)]
    here = truth.states[condition], fit.states[condition]
    others = [c for c in range(len(truth.states)) if c != condition] or [condition]
    away = [np.concatenate([one.states[c] for c in others]) for one in (truth, fit)]
    along = flow_agreement(pairs[0][0], pairs[1][0], *here)
    elsewhere = flow_agreement(pairs[0][0], pairs[1][0], away[0], away[1])
    change = change_agreement(pairs[0], pairs[1], *here)
    return {
        "along": along.mean_cosine,
        "along_error": along.relative_error,
        "elsewhere": elsewhere.mean_cosine,
        "elsewhere_error": elsewhere.relative_error,
        "change": change.mean_cosine,
        "change_error": change.relative_error,
        "change_ratio": change.speed_ratio,
    }


def _fixed_points(
    fit: Learned, truth: Learned, condition: int, n_starts: int, seed: int
) -> dict[str, float | bool]:
    visited = truth.before[condition].rates(truth.states[condition])
    spread = rms_spread(visited)
    row: dict[str, float | bool] = {}
    far, chance, nearest, points = [], [], [], []
    for epoch in ("before", "after"):
        inferred, there = (
            _rates_at_rest(getattr(one, epoch)[condition], one.states[condition], n_starts, seed)
            for one in (fit, truth)
        )
        if len(there.rates) == 0:
            raise ValueError(
                f"No fixed point of the truth was found {epoch} learning under condition "
                f"{condition}: raise n_starts."
            )
        point = there.rates[:1]
        guessed = cdist(visited, point) / spread
        chance.append(np.median(guessed))
        nearest.append(guessed.min())
        found = len(inferred.rates) > 0
        far.append(cdist(inferred.rates, point).min() / spread if found else chance[-1])
        points.append((inferred.rates[0] if found else None, point[0]))
        row |= {f"stable_{epoch}": there.stable, f"fit_stable_{epoch}": inferred.stable}
    (first, true_first), (last, true_last) = points
    true_move = true_last - true_first
    move = np.zeros_like(true_move) if first is None or last is None else last - first
    sizes = float(np.linalg.norm(move)), float(np.linalg.norm(true_move))
    return row | {
        "distance": float(np.mean(far)),
        "by_chance": float(np.mean(chance)),
        "by_nearest": float(np.mean(nearest)),
        "moved": float(move @ true_move) / max(sizes[0] * sizes[1], 1e-300),
        "moved_by": sizes[1] / spread,
        "fit_moved_by": sizes[0] / spread,
    }


class _AtRest(NamedTuple):
    """Rates of fixed points, those of most starts first, and whether the first is stable."""

    rates: Float[np.ndarray, "point neuron"]
    stable: bool


def _rates_at_rest(flow: NeuralFlow, states: np.ndarray, n_starts: int, seed: int) -> _AtRest:
    found = fixed_points(flow, starts_from(states, n_starts, seed=seed))
    return _AtRest(flow.rates(found.points), bool(found.stable[:1].any()))
