"""Which components of two low-rank series of weights correspond, and how alike they are.

Ranks may differ, as a fit's and the truth's do; `ltr_core.decomposition.match_components` is for
decompositions of one rank.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from ltr_core.ltrrnn.weight_changes import Factors


class Matched(NamedTuple):
    """Which fitted component corresponds to each true one.

    - `order` (rank,): its place in the fit, or -1 if the fit has too few.
    - `signs` (rank,): 1, or -1 where the fitted c_r is the true one's negative.
    - `columns`, `rows` (rank,): absolute cosines; 0 where there is no counterpart.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import recovery
    >>> axes = np.eye(3)[:, :2]
    >>> true = recovery.Factors(axes, axes, np.array([[1.0, 1.0], [2.0, 3.0]]))
    >>> turned = recovery.Factors(*(part[:, ::-1] for part in true))  # components exchanged
    >>> recovery.recovery(turned, true).matched.order.tolist()
    [1, 0]
    """

    order: Int[np.ndarray, " rank"]
    signs: Float[np.ndarray, " rank"]
    columns: Float[np.ndarray, " rank"]
    rows: Float[np.ndarray, " rank"]


def match_factors(fit: Factors, truth: Factors) -> Matched:
    """The correspondence with the largest sum over components of |cos of columns| |cos of rows|.

    Trial factors have no say: smooth ones are often alike.
    """
    columns = _cosines(truth.columns, fit.columns)
    rows = _cosines(truth.rows, fit.rows)
    true, fitted = linear_sum_assignment(np.abs(columns * rows), maximize=True)
    order = np.full(columns.shape[0], -1, dtype=np.int64)
    order[true] = fitted
    there = order >= 0
    column, row = (
        np.where(there, np.take_along_axis(c, order[:, None], 1)[:, 0], 0.0)
        for c in (columns, rows)
    )
    signs = np.where(column * row < 0, -1.0, 1.0)
    return Matched(order, signs, np.abs(column), np.abs(row))


def factor_correlations(
    fit: Factors, truth: Factors, matched: Matched
) -> Float[np.ndarray, " rank"]:
    """Each true trial factor's correlation with its counterpart's, 0 if either is constant."""
    found = np.zeros(len(matched.order))
    for component, place in enumerate(matched.order):
        if place >= 0:
            pair = (fit.trial_factors[:, place], truth.trial_factors[:, component])
            one, other = (course - course.mean() for course in pair)
            size = np.linalg.norm(one) * np.linalg.norm(other)
            if size > 1e-12 * np.linalg.norm(pair[0]) * np.linalg.norm(pair[1]):
                found[component] = matched.signs[component] * float(one @ other) / size
    return found


def matched_cosines(
    fit: Float[np.ndarray, "size fitted"], truth: Float[np.ndarray, "size rank"], matched: Matched
) -> Float[np.ndarray, " rank"]:
    """Absolute cosines of corresponding columns of two matrices; 0 without a counterpart."""
    cosines = np.abs(_cosines(truth, fit))
    taken = np.take_along_axis(cosines, matched.order[:, None], 1)[:, 0]
    return np.where(matched.order >= 0, taken, 0.0)


def canonical_correlations(
    first: Float[np.ndarray, "trial first"], second: Float[np.ndarray, "trial second"]
) -> Float[np.ndarray, " direction"]:
    """Canonical correlations of two sets of courses over trials, largest first (Hotelling 1936).

    Those that are constant over trials count for nothing; none are left if all of a set are.
    """
    bases = []
    for courses in (first, second):
        centred = courses - courses.mean(0)
        left, sizes, _ = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
        bases.append(left[:, sizes > 1e-6 * np.linalg.norm(courses)])
    return np.minimum(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False), 1.0)


def _cosines(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, "first second"]:
    """Cosines of all pairs of columns; 0 for a column of zeros."""
    units = [m / np.maximum(np.linalg.norm(m, axis=0), 1e-300) for m in (first, second)]
    return units[0].T @ units[1]
