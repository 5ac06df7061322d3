"""Which components of two decompositions correspond, and how well."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tensorly.metrics import congruence_coefficient

from ltr_core.decomposition.cp_decomposition import CP


@dataclass(frozen=True)
class Match:
    """How the components of one decomposition correspond to another's."""

    #: Component `permutation[r]` of the second corresponds to component r of the first.
    permutation: Int[np.ndarray, " rank"]
    #: What each factor column of the second, so ordered, is to be multiplied by: 1 or -1.
    signs: Float[np.ndarray, "3 rank"]
    #: For each pair, the product over the three axes of the absolute cosines.
    cosines: Float[np.ndarray, " rank"]


def factor_match(a: CP, b: CP) -> float:
    """The factor match score, 0 to 1: 1 if the components have the same directions.

    The mean over components of the product, over the three axes, of the absolute cosines between
    corresponding factors, under the best correspondence (Acar, Dunlavy, Kolda & Morup 2011,
    without the optional term for the weights). It ignores order, signs and weights.

    Raises
    ------
    ValueError
        If the two differ in rank or in the tensor's shape.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import cp, factor_match, synthetic
    >>> truth = synthetic.planted(np.random.default_rng(0), (12, 10, 10), rank=3)
    >>> round(factor_match(truth, cp(truth.reconstruct(), rank=3)), 3)
    1.0
    """
    _check_comparable(a, b)
    score, _ = congruence_coefficient(list(a.factors), list(b.factors))
    return float(score)


def match_components(a: CP, b: CP) -> Match:
    """The correspondence behind `factor_match`: permutation, signs and cosines.

    Raises
    ------
    ValueError
        If the two differ in rank or in the tensor's shape.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import cp, match_components, synthetic
    >>> truth = synthetic.planted(np.random.default_rng(0), (12, 10, 10), rank=3)
    >>> match = match_components(truth, cp(truth.reconstruct(), rank=3))
    >>> sorted(match.permutation.tolist()), match.cosines.round(3).tolist()
    ([0, 1, 2], [1.0, 1.0, 1.0])
    """
    _check_comparable(a, b)
    _, order = congruence_coefficient(list(a.factors), list(b.factors))
    permutation = np.array(order, dtype=np.int64)
    cosines = np.array(
        [np.sum(f * g[:, permutation], axis=0) for f, g in zip(a.factors, b.factors, strict=True)]
    )
    signs = np.where(cosines < 0, -1.0, 1.0)
    return Match(permutation, signs, np.abs(np.prod(cosines, axis=0)))


def _check_comparable(a: CP, b: CP) -> None:
    if a.rank != b.rank:
        raise ValueError(
            f"one decomposition has rank {a.rank}, the other {b.rank}; give equal ones"
        )
    shapes = [tuple(len(f) for f in cp.factors) for cp in (a, b)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"one decomposition is of a tensor of shape {shapes[0]}, the other of "
            f"{shapes[1]}; give two of the same shape"
        )
