"""How much of some trials' weights lies in the subspace of other trials' weights.

Where weights move within one low-dimensional subspace through all of learning (Pellegrino et al.
2023), that of some trials holds the weights of the others.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped


class Shares(NamedTuple):
    """Share of each trial's squared weights within the subspace of other trials, 0 to 1.

    - `columns` (trial,): ``|U U^T W_k|^2 / |W_k|^2``, U the leading left directions of the others.
    - `rows` (trial,): ``|W_k V V^T|^2 / |W_k|^2``, V their leading right directions.
    - `both` (trial,): ``|U U^T W_k V V^T|^2 / |W_k|^2``.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import comparisons
    >>> shares = comparisons.shared_subspace(np.ones((4, 5, 1)), np.ones((4, 5, 1)))
    >>> shares.columns.round(3).tolist(), shares.both.shape
    ([1.0, 1.0, 1.0, 1.0], (4,))
    """

    columns: Float[np.ndarray, " trial"]
    rows: Float[np.ndarray, " trial"]
    both: Float[np.ndarray, " trial"]


def shared_subspace(
    columns: Float[np.ndarray, "trial neuron rank"],
    rows: Float[np.ndarray, "trials pre ranks"],
    stretch: Shaped[np.ndarray, " trial"] | None = None,
    dimension: int | None = None,
) -> Shares:
    """For each trial's W_k = columns[k] @ rows[k].T, the share in the subspace of other trials.

    Where weights move within one subspace through all of learning (Pellegrino et al. 2023), it
    is 1.

    - `stretch`: a label for each trial, such as its epoch; the subspace is that of all trials with
      other labels. If not given, ten stretches of equal length.
    - `dimension`: of the subspace; the rank if not given.

    A direction chosen at random holds 1 / neurons. For changes of weights, append those that are
    to be subtracted: columns ``[A_k, -A]``, rows ``[B_k, B]``. The weights of an `LtrRNN` lie in
    one subspace by its making; give here those of `FreeLowRank` or of a network that was trained.
    Rows have what visited rates do not determine: project them first (`recovery.visited_span`).

    Raises ValueError for shapes that do not fit, fewer than two stretches, a dimension out of
    range, and trials whose weights are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import comparisons
    >>> rng = np.random.default_rng(0)
    >>> columns = np.tile(rng.standard_normal((10, 1)), (20, 1, 1))  # the same in every trial
    >>> rows = rng.standard_normal((20, 10, 1))  # unrelated between trials
    >>> shares = comparisons.shared_subspace(columns, rows)
    >>> round(shares.columns.min().item(), 3), bool(shares.rows.mean() < 0.5)
    (1.0, True)
    """
    n_trials, n_neurons, rank = columns.shape
    if rows.shape[:1] + rows.shape[2:] != (n_trials, rank):
        raise ValueError(f"columns have shape {columns.shape}, rows {rows.shape}: they differ.")
    stretch = np.arange(n_trials) * min(10, n_trials) // n_trials if stretch is None else stretch
    labels, place = np.unique(stretch, return_inverse=True)
    if len(labels) < 2:
        raise ValueError("stretch has one label: there are no other trials to compare with.")
    dimension = rank if dimension is None else dimension
    if not 1 <= dimension <= min(n_neurons, rows.shape[1]):
        raise ValueError(f"dimension is {dimension}: it must be 1 to {n_neurons}, the neurons.")
    own = _squared(columns, rows)
    if not (own > 0).all():
        raise ValueError(f"Weights of trials {np.flatnonzero(own <= 0)[:10].tolist()} are zero.")
    left, right = _second_moments(columns, rows, place), _second_moments(rows, columns, place)
    found = np.empty((3, n_trials))
    for label in range(len(labels)):
        here = place == label
        u = _leading(left.sum(0) - left[label], dimension)
        v = _leading(right.sum(0) - right[label], dimension)
        inside = u.T @ columns[here], v.T @ rows[here]
        found[0, here] = _squared(inside[0], rows[here])
        found[1, here] = _squared(columns[here], inside[1])
        found[2, here] = _squared(*inside)
    return Shares(*(found / own))


def _squared(columns: np.ndarray, rows: np.ndarray) -> Float[np.ndarray, " trial"]:
    """|columns rows^T|^2 of each trial."""
    one, other = (part.transpose(0, 2, 1).astype(np.float64) @ part for part in (columns, rows))
    return np.maximum((one * other).sum((1, 2)), 0)


def _second_moments(
    columns: np.ndarray, rows: np.ndarray, place: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, "stretch neuron neuron"]:
    """Sum of W_k W_k^T over the trials of each stretch."""
    found = []
    for label in range(int(place.max()) + 1):
        one, other = columns[place == label].astype(np.float64), rows[place == label]
        pushed = one @ (other.transpose(0, 2, 1).astype(np.float64) @ other)
        found.append(np.einsum("kir,kjr->ij", pushed, one, optimize=True))
    return np.stack(found)


def _leading(moment: np.ndarray, dimension: int) -> Float[np.ndarray, "neuron direction"]:
    return np.linalg.eigh(moment)[1][:, ::-1][:, :dimension]
