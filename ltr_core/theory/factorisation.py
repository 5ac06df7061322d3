"""One gradient: its singular values are bounded by those of the adjoint and of the rates.

The inequality between the singular values of a product and of its factors is Horn's.
"""

import numpy as np
from jaxtyping import Float


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
