"""One gradient: its singular values are bounded by those of the adjoint and of the rates.

The inequality between the singular values of a product and of its factors is Horn's.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.theory.problems import Problem
from ltr_core.theory.runs import factors_of_gradient
from ltr_core.theory.tails import Change, unchanged


class GradientBounds(NamedTuple):
    """The singular values of one gradient, and both bounds on them; see `singular_value_bounds`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> found = theory.GradientBounds(*np.array([[2.0, 1.0], [4.0, 1.0], [3.0, 1.5]]))
    >>> found.excess(), found.excess(lambda bound: bound / 2)  # a wrong bound
    (0.0, 0.25)
    """

    values: Float[np.ndarray, " neuron"]
    plain: Float[np.ndarray, " neuron"]
    balanced: Float[np.ndarray, " neuron"]

    def excess(self, change: Change = unchanged) -> float:
        """The most by which a value is above either bound, as a share of the first value.

        `change`: what is made of the bounds first.
        """
        above = [(self.values - change(bound)).max() for bound in (self.plain, self.balanced)]
        return float(max(above) / self.values[0])


def gradient_bounds(problem: Problem) -> GradientBounds:
    """Of the first gradient of a problem, by the squared loss.

    Examples
    --------
    >>> from ltr_core import theory
    >>> found = theory.gradient_bounds(theory.random_problem(n_units=10, g=0.8))
    >>> found.values.shape, found.excess() < 1e-9
    ((10,), True)
    """
    adjoint, rates, *_ = factors_of_gradient(**problem._asdict())
    h = problem.dt / problem.network.tau
    plain, balanced = (
        singular_value_bounds(adjoint, rates, h, balanced=one) for one in (False, True)
    )
    return GradientBounds(np.linalg.svd(h * adjoint @ rates.T, compute_uv=False), plain, balanced)


def singular_value_bounds(
    adjoint: Float[np.ndarray, "neuron column"],
    rates: Float[np.ndarray, "neuron column"],
    h: float,
    *,
    balanced: bool = False,
) -> Float[np.ndarray, " neuron"]:
    """For each k the least h sigma_i(Lambda) sigma_j(Phi) with i + j - 1 = k: above sigma_k(G).

    G = h Lambda Phi^T, with `h` the Euler step over the time constant. The inequality is Horn's.
    `balanced`: first multiply each column of Lambda, and divide that of Phi, by the number that
    makes them equally long. The product is the same, the bound another (mostly a lower one).

    Raises ValueError for factors of different shapes or an h outside (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> adjoint, rates = np.diag([4.0, 1.0]), np.diag([3.0, 2.0])
    >>> theory.singular_value_bounds(adjoint, rates, 0.5)  # 0.5 * 12, 0.5 * min(8, 3)
    array([6. , 1.5])
    """
    if adjoint.shape != rates.shape:
        raise ValueError(
            f"adjoint has shape {adjoint.shape}, rates {rates.shape}: give both as (neuron, "
            "column), column by column of the same time and trial."
        )
    if not 0 < h <= 1:
        raise ValueError(f"h is {h}: the Euler step over the time constant lies in (0, 1].")
    if balanced:
        adjoint, rates = _balanced(adjoint, rates)
    n_units = len(adjoint)
    left, right = np.zeros((2, n_units))
    for room, factor in ((left, adjoint), (right, rates)):
        found = np.linalg.svd(factor, compute_uv=False)
        room[: len(found)] = found
    return h * np.array([(left[: k + 1] * right[k::-1]).min() for k in range(n_units)])


def _balanced(
    adjoint: Float[np.ndarray, "neuron column"], rates: Float[np.ndarray, "neuron column"]
) -> tuple[Float[np.ndarray, "neuron counted"], Float[np.ndarray, "neuron counted"]]:
    long, wide = (np.linalg.norm(factor, axis=0) for factor in (adjoint, rates))
    counts = (long > 0) & (wide > 0)  # the others add nothing to the product
    scale = np.sqrt(wide[counts] / long[counts])
    return adjoint[:, counts] * scale, rates[:, counts] / scale
