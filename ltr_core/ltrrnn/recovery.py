"""How well a fit recovers a known truth: subspaces, components, and changes of the weights.

Everything is compared in the space of the neurons, where weights act on rates (`in_neurons` of a
fit). What activity can and cannot determine decides what is compared:

- W acts on the rates, so a row factor is seen through B^T phi(x) alone: what it has at right
  angles to the rates that are visited is left to chance. Rows are therefore also compared once
  both are projected on the span of the visited rates (`visited_span`).
- As b_r has unit norm, that unseen part enters the size of c_r. Trial factors are compared by
  correlation, and sizes by `change_scale`.
- With a time constant tau' in place of the true tau, the weights that move the rates alike are
  (tau' / tau) W plus what stands in for the decay, the same in every trial. Changes of the weights
  keep their correlation and their subspaces, and grow by tau' / tau.
- Components are less well determined than the subspaces that they span; both are here.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import subspace_angles

from ltr_core.decomposition import cp
from ltr_core.ltrrnn.matching import (
    Matched,
    canonical_correlations,
    factor_correlations,
    match_factors,
    matched_cosines,
)
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.ltrrnn.simulation import Truth
from ltr_core.ltrrnn.weight_changes import Basis, Factors, Tensor, Trials, agreement


class Recovery(NamedTuple):
    """A fit against the truth. Angles are in degrees, largest first; correlations 1 at best.

    - `column_angles`, `row_angles`: principal angles between the spans of all a_r, of all b_r.
    - `visited_row_angles`: those of the rows projected on the visited span.
    - `weight_correlation`: over all entries of all trials' weights.
    - `change_correlation`: the same for the weights less their mean over the reference trials:
      what learning changed. `visited_change_correlation`: of that, what acts on visited rates.
      0 if the fit's weights do not change.
    - `change_scale`: root mean square of the fitted change over that of the true one, of what acts
      on visited rates.
    - `matched`: the correspondence of components, with cosines of their columns and rows.
    - `visited_row_cosines` (rank,): absolute cosines of projected rows of corresponding components.
    - `factor_correlations` (rank,): of each true trial factor with its counterpart's over trials; 0
      if either is constant or there is no counterpart.
    - `canonical_correlations`: between the spans of the trial factors less their means, largest
      first: as many as the smaller span has dimensions. Smooth factors over few trials correlate
      by chance, so compare with a control.

    Examples
    --------
    >>> from ltr_core import recovery, simulate_ltrrnn
    >>> _, truth = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> true = recovery.true_factors(truth)
    >>> found = recovery.recovery(true, true)
    >>> found.column_angles.round(2).tolist(), found.matched.order.tolist()
    ([0.0, 0.0], [0, 1])
    """

    column_angles: Float[np.ndarray, " angle"]
    row_angles: Float[np.ndarray, " angle"]
    visited_row_angles: Float[np.ndarray, " angle"]
    weight_correlation: float
    change_correlation: float
    visited_change_correlation: float
    change_scale: float
    matched: Matched
    visited_row_cosines: Float[np.ndarray, " rank"]
    factor_correlations: Float[np.ndarray, " rank"]
    canonical_correlations: Float[np.ndarray, " direction"]


def recovery(
    fit: Factors,
    truth: Factors,
    *,
    weights: Float[np.ndarray, "trial post pre"] | None = None,
    visited: Basis | None = None,
    reference: Trials = slice(None),
) -> Recovery:
    """Compare a fit's factors with the true ones, of the same neurons and trials.

    - `weights`: the true weights (or their changes), where they are more than the product of
      the true factors; they replace it in the correlations. Each trial's are read on their own.
    - `visited`: orthonormal directions of the rates that were visited; all of the space if not
      given.
    - `reference`: the trials whose mean weights a change is counted from (indices, a boolean mask
      or a slice; all if not given), such as those of the first epoch.

    A truth that is a full tensor has factors by `tensor_factors`. Where some of the neurons were
    recorded, give the truth's rows of `columns` and `rows` for these alone.

    Raises ValueError for shapes that do not fit together, values that are not finite, factors
    that are zero, no reference trials, and a truth without change.

    Examples
    --------
    >>> from ltr_core import recovery, simulate_ltrrnn
    >>> _, truth = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> true = recovery.true_factors(truth)
    >>> fit = true._replace(columns=true.columns[:, :1], rows=true.rows[:, :1])
    >>> fit = fit._replace(trial_factors=true.trial_factors[:, :1])  # it lacks a component
    >>> visited = recovery.visited_span(truth.rates)
    >>> found = recovery.recovery(fit, true, visited=visited, reference=slice(6))
    >>> found.matched.order.tolist(), found.factor_correlations.round(3).tolist()
    ([0, -1], [1.0, 0.0])
    >>> bool(found.change_correlation < 0.99)
    True
    """
    _check(fit, truth, weights, visited, reference)
    fit, truth = (Factors(*(part.astype(np.float64) for part in f)) for f in (fit, truth))
    basis = np.eye(len(truth.columns)) if visited is None else visited.astype(np.float64)
    true_weights = truth if weights is None else Tensor(weights)
    fitted_change, true_change = fit.change(reference), true_weights.change(reference)
    acting = agreement(fitted_change.acting_on(basis), true_change.acting_on(basis))
    matched = match_factors(fit, truth)
    fit_rows, true_rows = basis.T @ fit.rows, basis.T @ truth.rows
    return Recovery(
        column_angles=_angles(fit.columns, truth.columns),
        row_angles=_angles(fit.rows, truth.rows),
        visited_row_angles=_angles(fit_rows, true_rows),
        weight_correlation=agreement(fit, true_weights).correlation,
        change_correlation=agreement(fitted_change, true_change).correlation,
        visited_change_correlation=acting.correlation,
        change_scale=acting.scale,
        matched=matched,
        visited_row_cosines=matched_cosines(fit_rows, true_rows, matched),
        factor_correlations=factor_correlations(fit, truth, matched),
        canonical_correlations=canonical_correlations(fit.trial_factors, truth.trial_factors),
    )


def fitted_factors(model: LtrRNN) -> Factors:
    """The factors of a fit in the space of neurons.

    Raises NotFitted, and ValueError for a linear readout, which has no such space.

    Examples
    --------
    >>> from ltr_core import LtrRNN, recovery, simulate_ltrrnn
    >>> recording, truth = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = LtrRNN(rank=2, n_steps=5, substeps=1).fit(recording)
    >>> found = recovery.recovery(recovery.fitted_factors(model), recovery.true_factors(truth))
    >>> found.column_angles.shape, found.factor_correlations.shape
    ((2,), (2,))
    """
    return Factors(*model.in_neurons(), model.trial_factors_)


def true_factors(truth: Truth) -> Factors:
    """The factors of a simulated recording in the space of neurons.

    Examples
    --------
    >>> from ltr_core import recovery, simulate_ltrrnn
    >>> _, truth = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> true = recovery.true_factors(truth)
    >>> [part.shape for part in true]
    [(10, 2), (10, 2), (12, 2)]
    """
    return Factors(truth.readout @ truth.columns, truth.readout @ truth.rows, truth.trial_factors)


def tensor_factors(
    weights: Float[np.ndarray, "trial post pre"], rank: int, *, seed: int = 0
) -> Factors:
    """The factors of a full tensor of weights, or of their changes, by its CP decomposition.

    Raises ValueError as `ltr_core.cp` does.

    Examples
    --------
    >>> from ltr_core import recovery, simulate_ltrrnn
    >>> _, truth = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> true = recovery.true_factors(truth)
    >>> found = recovery.tensor_factors(truth.weights(), rank=2)
    >>> round(recovery.recovery(found, true).weight_correlation, 3)
    1.0
    """
    found = cp(weights.astype(np.float64), rank, seed=seed)
    return Factors(found.post, found.pre, found.step * found.weights)


def visited_span(
    rates: Float[np.ndarray, "*sample neuron"], share: float = 0.99, least: int = 1
) -> Basis:
    """Orthonormal directions that hold this share of the rates' summed squares, at least `least`.

    Rates are counted from 0, as weights act on them, and noise-free: a model's or the truth's.

    Raises ValueError for a share outside (0, 1], more directions than neurons, or rates of zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import recovery
    >>> rates = np.zeros((5, 8, 4))  # trials, times, neurons
    >>> rates[..., 1], rates[..., 3] = 1.0, 0.01  # hardly anything but the second neuron
    >>> recovery.visited_span(rates).shape, recovery.visited_span(rates, least=2).shape
    ((4, 1), (4, 2))
    """
    if not (0 < share <= 1 and 1 <= least <= rates.shape[-1]):
        raise ValueError(
            f"share is {share}, least {least}: share lies above 0 and at most at 1, least between "
            f"1 and the {rates.shape[-1]} neurons."
        )
    flat = rates.reshape(-1, rates.shape[-1])
    power, directions = np.linalg.eigh((flat.T @ flat).astype(np.float64))
    power = np.maximum(power[::-1], 0)
    if not (np.isfinite(power).all() and power[0] > 0):
        raise ValueError("rates are zero, or not finite: they span nothing.")
    held = np.cumsum(power) / power.sum()
    number = max(int(np.searchsorted(held, share * (1 - 1e-12))) + 1, least)
    return directions[:, ::-1][:, : min(number, len(power))]


def _angles(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, " angle"]:
    return np.degrees(subspace_angles(first, second))


def _check(
    fit: Factors,
    truth: Factors,
    weights: np.ndarray | None,
    visited: np.ndarray | None,
    reference: Trials,
) -> None:
    n_neurons, n_trials = len(truth.columns), len(truth.trial_factors)
    for name, factors in {"fit": fit, "truth": truth}.items():
        rank = factors.columns.shape[1]
        shapes = tuple(part.shape for part in factors)
        if shapes != ((n_neurons, rank), (n_neurons, rank), (n_trials, rank)):
            raise ValueError(
                f"columns, rows and trial factors of {name} have shapes {shapes}; they are (neuron,"
                f" rank), (neuron, rank) and (trial, rank), here with {n_neurons} neurons and "
                f"{n_trials} trials, as the truth's columns and trial factors have."
            )
        for part, values in factors._asdict().items():
            if not np.isfinite(values).all():
                raise ValueError(f"{part} of {name} hold NaN or infinity.")
            if not values.any(axis=0).all():
                raise ValueError(f"{part} of {name} are zero in a component: leave it out.")
    if weights is not None and weights.shape != (n_trials, n_neurons, n_neurons):
        raise ValueError(
            f"weights have shape {weights.shape}, the factors tell of {n_trials} trials and "
            f"{n_neurons} neurons: they are (trial, post, pre)."
        )
    if weights is not None and (weights == weights[:1]).all():
        raise ValueError("The true weights do not change over trials: there is nothing to recover.")
    if len(np.arange(n_trials)[reference]) == 0:
        raise ValueError("reference chooses no trial: a change is counted from some trials' mean.")
    if visited is not None and len(visited) != n_neurons:
        raise ValueError(f"visited has {len(visited)} neurons, the factors have {n_neurons}.")
