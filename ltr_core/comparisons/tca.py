"""CP decomposition of the activity itself: tensor component analysis (Williams et al. 2018).

Missing entries by expectation maximisation (Tomasi & Bro 2005, Chemometrics and Intelligent
Laboratory Systems 75): they are what the components say, and each factor in turn is the least-
squares one of the completed activity. The start is `ltr_core.decomposition.cp` of the activity as
`rank` principal components say it is, in their coordinates: so few that restarts cost little.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.comparisons.entries import Mask, check_fitted, training_entries
from ltr_core.counts import check_counts
from ltr_core.decomposition import CP, cp
from ltr_core.decomposition.validation import check_rank
from ltr_core.estimators import Estimator
from ltr_core.ltrrnn.missing import fill_missing
from ltr_core.recordings import Recording

# A ridge, relative to the others' squared norms: keeps coinciding components solvable.
RIDGE = 1e-10
TRIALS_AT_ONCE = 64


class _Factors(NamedTuple):
    """In float64, whatever the activity: components that nearly cancel would lose their digits."""

    trial: Float[np.ndarray, "trial rank"]
    time: Float[np.ndarray, "time rank"]
    neuron: Float[np.ndarray, "neuron rank"]


@dataclass
class TCA(Estimator):
    """activity[k, t, n] ~ sum_r trial[k, r] time[t, r] neuron[n, r], for rates.

    Tensor component analysis (Williams et al. 2018). Every trial has the same time courses, only
    scaled. Nothing is subtracted: rates with large means spend a component on them. Nothing is
    shrunk either: more components than there are fit noise, so that the rank is to be chosen by
    the held-out score.

    - `rank`: number of components.
    - `seed`, `n_restarts`: of the random starts.
    - `n_iterations`, `tolerance`: stops when an iteration lowers the squared error of the training
      entries by less than this fraction of it.

    Fitted: `trial_factors_` (trial, rank), which carry scale and sign; `time_factors_` (time,
    rank) and `neuron_factors_` (neuron, rank), with columns of norm 1 whose largest entry is
    positive, strongest component first; `iterations_`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, comparisons
    >>> trial, time, neuron = np.linspace(1, 2, 6), np.sin(np.arange(8)), np.arange(1.0, 6.0)
    >>> activity = np.einsum("k,t,n->ktn", trial, time, neuron)  # one component
    >>> recording = Recording(activity, time=0.1 * np.arange(8))
    >>> model = comparisons.TCA(rank=1, n_restarts=1).fit(recording)
    >>> model.trial_factors_.shape, round(model.score(recording), 3)
    ((6, 1), 1.0)
    """

    rank: int = 5
    seed: int = 0
    n_restarts: int = 3
    n_iterations: int = 200
    tolerance: float = 1e-4

    def fit(self, recording: Recording, train: Mask | None = None) -> "TCA":
        """Fit to the observed entries, or to those of them that are in `train`.

        Raises ValueError for counts, a mask that does not fit or leaves nothing of a trial or
        neuron, neurons that were never observed, activity that is zero, and settings out of
        range.
        """
        used = training_entries(self, recording, train)
        check_rank(self.rank, recording.activity.shape)
        check_counts(n_iterations=self.n_iterations)
        filled, factors = self._start(recording, used)
        before = np.inf
        self.iterations_ = 0
        while self.iterations_ < self.n_iterations:
            error = _fill(filled, used, factors)
            if error >= (1 - self.tolerance) * before:
                break
            before = error
            factors = _update(filled, factors)
            self.iterations_ += 1
        found = CP.of(*factors)
        dtype = recording.activity.dtype
        self.trial_factors_ = (found.step * found.weights).astype(dtype)
        self.time_factors_ = found.post.astype(dtype)
        self.neuron_factors_ = found.pre.astype(dtype)
        return self

    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """What the components say at every entry; raises NotFitted."""
        check_fitted(self, "trial_factors_")
        courses = self.trial_factors_[:, None] * self.time_factors_
        return courses @ self.neuron_factors_.T

    def _start(self, recording: Recording, used: Mask) -> tuple[np.ndarray, _Factors]:
        """Completed activity, and CP of its principal components and mean."""
        shape = recording.activity.shape
        flat = recording.activity.reshape(-1, shape[2])
        done = fill_missing(flat, used.reshape(flat.shape), min(self.rank, *flat.shape))
        basis, mixing = np.linalg.qr(np.column_stack([done.loadings, done.mean]).astype(float))
        core = done.scores @ mixing[:, :-1].T + mixing[:, -1]
        if not core.any():
            raise ValueError("The activity is zero wherever it may be fitted to.")
        found = cp(
            core.reshape(*shape[:2], -1), self.rank, n_restarts=self.n_restarts, seed=self.seed
        )
        factors = _Factors(found.step * found.weights, found.post, basis @ found.pre)
        return done.filled.reshape(shape), factors


def _fill(filled: Float[np.ndarray, "trial time neuron"], used: Mask, factors: _Factors) -> float:
    """Fill in what the components say where `used` is False; the squared error elsewhere."""
    dtype = filled.dtype
    neurons = factors.neuron.T.astype(dtype)
    error = 0.0
    for first in range(0, len(filled), TRIALS_AT_ONCE):
        trials = slice(first, first + TRIALS_AT_ONCE)
        courses = factors.trial[trials, None] * factors.time
        change = courses.astype(dtype) @ neurons
        change -= filled[trials]
        error += float(np.vdot(change, change))
        change *= ~used[trials]
        error -= float(np.vdot(change, change))
        filled[trials] += change
    return max(error, 0.0)


def _update(filled: Float[np.ndarray, "trial time neuron"], factors: _Factors) -> _Factors:
    """One round of alternating least squares; the activity meets orthonormal bases only."""
    n_trials, n_time, n_neurons = filled.shape
    basis, mixing = np.linalg.qr(factors.neuron)
    projected = (filled @ basis.astype(filled.dtype)).astype(np.float64)  # (trial, time, basis)
    trial = _solved(projected.reshape(n_trials, -1), _products(factors.time, mixing))
    time = _solved(projected.swapaxes(0, 1).reshape(n_time, -1), _products(trial, mixing))
    trial, time = (f / np.maximum(np.linalg.norm(f, axis=0), 1e-300) for f in (trial, time))
    basis, mixing = np.linalg.qr(_products(trial, time))
    projected = filled.reshape(-1, n_neurons).T @ basis.astype(filled.dtype)
    return _Factors(trial, time, _solved(projected.astype(np.float64), mixing))


def _solved(
    target: Float[np.ndarray, "size entry"], design: Float[np.ndarray, "entry rank"]
) -> Float[np.ndarray, "size rank"]:
    """The factor with factor @ design.T nearest to the target."""
    gram = design.T @ design
    gram += RIDGE * np.trace(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, design.T @ target.T).T


def _products(
    one: Float[np.ndarray, "one rank"], other: Float[np.ndarray, "other rank"]
) -> Float[np.ndarray, "both rank"]:
    """Products of all pairs of rows (Khatri-Rao), the second's rows varying fastest."""
    return (one[:, None] * other).reshape(-1, one.shape[1])
