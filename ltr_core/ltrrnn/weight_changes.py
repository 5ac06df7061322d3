"""Two series of weights over trials compared entry by entry, without forming a product of factors.

Inner products of tensors given by their factors are sums over products of small Gram matrices; a
full tensor is read one trial at a time.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Basis = Float[np.ndarray, "neuron direction"]
Trials = np.ndarray | slice

ROUNDING = 1e-12  # relative to the weights; changes below it are none


class Factors(NamedTuple):
    """W_k = sum_r c_kr a_r b_r^T in the space of neurons; norms of a_r and b_r do not matter.

    `columns` (neuron, rank): a. `rows` (neuron, rank): b. `trial_factors` (trial, rank): c.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import recovery
    >>> column = np.array([[1.0], [0.0], [0.0]])  # one component, three neurons, two trials
    >>> factors = recovery.Factors(column, column, np.array([[1.0], [3.0]]))
    >>> factors.change(slice(None)).trial_factors.tolist()
    [[-1.0], [1.0]]
    """

    columns: Float[np.ndarray, "neuron rank"]
    rows: Float[np.ndarray, "neuron rank"]
    trial_factors: Float[np.ndarray, "trial rank"]

    def change(self, reference: Trials) -> "Factors":
        """The weights less their mean over the reference trials."""
        factors = self.trial_factors
        change = factors - factors[reference].mean(0)
        change[:, np.abs(change).max(0) < ROUNDING * np.abs(factors).max(0)] = 0
        return self._replace(trial_factors=change)

    def acting_on(self, basis: Basis) -> "Factors":
        """What of the weights acts on the span of orthonormal directions."""
        return self._replace(rows=basis @ (basis.T @ self.rows))


class Tensor(NamedTuple):
    """Weights (trial, post, pre) less an `origin`, of which what acts on a `basis` counts."""

    weights: Float[np.ndarray, "trial post pre"]
    origin: Float[np.ndarray, "post pre"] | float = 0.0
    basis: Basis | None = None

    def change(self, reference: Trials) -> "Tensor":
        """The weights less their mean over the reference trials."""
        return self._replace(origin=self.weights[reference].mean(0, dtype=np.float64))

    def acting_on(self, basis: Basis) -> "Tensor":
        """What of the weights acts on the span of orthonormal directions."""
        return self._replace(basis=basis)

    def of_trial(self, trial: int) -> Float[np.ndarray, "post pre"]:
        """One trial's weights."""
        matrix = self.weights[trial].astype(np.float64) - self.origin
        return matrix if self.basis is None else (matrix @ self.basis) @ self.basis.T


class Agreement(NamedTuple):
    """Correlation over all entries of all trials; 0 if the first tensor is constant.

    `scale`: root mean square of the first tensor's entries over that of the second's.
    """

    correlation: float
    scale: float


def agreement(first: Factors, second: Factors | Tensor) -> Agreement:
    """How alike two tensors are; raises ValueError if the second is the same in all entries."""
    n_entries = len(first.trial_factors) * len(first.columns) * len(first.rows)
    own = _inner(first, first)
    if isinstance(second, Factors):
        others, product, total = _inner(second, second), _inner(first, second), _total(second)
    else:
        others, product, total = _over_trials(first, second)
    variance = own / n_entries - (_total(first) / n_entries) ** 2
    of_second = others / n_entries - (total / n_entries) ** 2
    covariance = product / n_entries - _total(first) * total / n_entries**2
    if not of_second > 0:
        raise ValueError("The true weights do not change over trials: there is nothing to recover.")
    scale = float(np.sqrt(max(own, 0.0) / others))
    if not variance > 0:
        return Agreement(0.0, scale)
    return Agreement(float(covariance / np.sqrt(variance * of_second)), scale)


def _inner(first: Factors, second: Factors) -> float:
    """Sum over all entries of the product of two tensors."""
    grams = [one.T @ other for one, other in zip(first, second, strict=True)]
    return float((grams[0] * grams[1] * grams[2]).sum())


def _total(factors: Factors) -> float:
    """Sum over all entries."""
    return float(np.prod([part.sum(0) for part in factors], axis=0).sum())


def _over_trials(first: Factors, second: Tensor) -> tuple[float, float, float]:
    """Sum over entries of the second squared, of the product of both, and of the second."""
    squared, product, total = 0.0, 0.0, 0.0
    for trial, factors in enumerate(first.trial_factors):
        matrix = second.of_trial(trial)
        squared += float(np.vdot(matrix, matrix))
        product += float(factors @ (first.columns * (matrix @ first.rows)).sum(0))
        total += float(matrix.sum())
    return squared, product, total
