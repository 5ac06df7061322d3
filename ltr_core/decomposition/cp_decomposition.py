"""CP decomposition (canonical polyadic, PARAFAC) of a tensor of weights over learning."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition.als import Factors, Solution, best_of_restarts, refine
from ltr_core.decomposition.compression import Compression, compress_to
from ltr_core.decomposition.validation import (
    AnyTensor,
    as_nonzero_tensor,
    check_count,
    check_rank,
    check_ranks,
    squared_norm,
)

# Two components are nearly opposite if the product of their cosines is below OPPOSITE, and
# components cancel if together they hold less than CANCELLED of the sum of their squared norms
# (two of equal norm at -0.95 hold 5 % of it). Components of a true solution, even with collinear
# step factors, stay far from both; those of a degenerate one go to -1 and 0 (Kruskal, Harshman &
# Lundy 1989; Krijnen, Dijkstra & Stegeman 2008).
OPPOSITE = -0.95
CANCELLED = 0.1

# The core's size beyond the rank, where the tensor's multilinear rank is not below that.
SPARE = 10


@dataclass(frozen=True)
class CP:
    """A sum of rank-one terms: tensor[k, i, j] ~ sum_r weights[r] step[k, r] post[i, r] pre[j, r].

    In canonical form: components in descending order of weight, factors with columns of norm 1,
    the largest entry of each `post` and `pre` column positive, the sign in the `step` column.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import CP
    >>> steps, units = np.arange(1.0, 6.0)[:, None], np.ones((4, 1))
    >>> one = CP.of(steps, units, units)
    >>> one.rank, one.reconstruct().shape
    (1, (5, 4, 4))
    """

    #: Norms of the components, largest first.
    weights: Float[np.ndarray, " rank"]
    #: The factors step, post, pre; columns of norm 1.
    factors: tuple[
        Float[np.ndarray, "step rank"],
        Float[np.ndarray, "post rank"],
        Float[np.ndarray, "pre rank"],
    ]
    #: Fraction of the tensor's squared norm explained: 1 - |X - Xhat|^2 / |X|^2.
    fit: float
    #: The fit of each restart when it was compared with the others, on the first core and after at
    #: most 50 iterations; only the best goes on.
    restart_fits: Float[np.ndarray, " restart"]
    #: Iterations spent on the solution.
    iterations: int
    #: Whether components cancel one another, so that single factors mean nothing.
    degenerate: bool

    @classmethod
    def of(
        cls,
        step: Float[np.ndarray, "step rank"],
        post: Float[np.ndarray, "post rank"],
        pre: Float[np.ndarray, "pre rank"],
    ) -> "CP":
        """Known factors in canonical form, for comparison with found ones; the fit is 1."""
        weights, factors = _canonical([step, post, pre])
        none = np.empty(0)
        return cls(weights, factors, 1.0, none, 0, _is_degenerate(weights, factors))

    @property
    def rank(self) -> int:
        """Number of components."""
        return len(self.weights)

    @property
    def step(self) -> Float[np.ndarray, "step rank"]:
        """How strong each component is at each step of learning."""
        return self.factors[0]

    @property
    def post(self) -> Float[np.ndarray, "post rank"]:
        """Each component's pattern over postsynaptic neurons."""
        return self.factors[1]

    @property
    def pre(self) -> Float[np.ndarray, "pre rank"]:
        """Each component's pattern over presynaptic neurons."""
        return self.factors[2]

    def reconstruct(self, components: Sequence[int] | None = None) -> Float[np.ndarray, "s i j"]:
        """The tensor (step, post, pre) that all components, or the chosen ones, add up to."""
        chosen = list(range(self.rank)) if components is None else list(components)
        step, post, pre = (f[:, chosen] for f in self.factors)
        return np.einsum("kr,ir,jr->kij", step * self.weights[chosen], post, pre, optimize=True)


def cp(
    tensor: AnyTensor,
    rank: int,
    *,
    n_restarts: int = 5,
    seed: int = 0,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
    core_ranks: Sequence[int] | None = None,
) -> CP:
    """CP decomposition by alternating least squares on the compressed tensor.

    The tensor is compressed (Bro & Andersson 1998), TensorLy decomposes the core from several
    starts, and the best solution is expanded. The fit is that to the whole tensor. By default the
    core has the tensor's multilinear rank where that is low, else it is somewhat larger than
    `rank`, and is enlarged if an update at full size shows that it limits the fit.

    - `tensor`: (step, post, pre), for instance every step's weights less the initial ones.
    - `rank`: number of components; it may exceed the sizes of single axes.
    - `n_restarts`: starts; the first is the higher-order SVD, the others are random.
    - `seed`: of the random starts; the same seed gives the same result.
    - `max_iterations`: of alternating least squares, for each core.
    - `tolerance`: stops when the relative error changes by less.
    - `core_ranks`: the core's size along each axis, used as given.

    Raises
    ------
    ValueError
        For a tensor that is not three-dimensional, finite and non-zero; a rank below
        1 or above the possible; core sizes that do not fit; settings that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import cp, synthetic
    >>> change = synthetic.planted(np.random.default_rng(0), (12, 10, 10), rank=3).reconstruct()
    >>> found = cp(change, rank=3)
    >>> bool(found.fit > 0.9999), found.step.shape, found.post.shape
    (True, (12, 3), (10, 3))
    >>> bool(cp(change, rank=2).fit < 0.95)
    True
    """
    array = as_nonzero_tensor(tensor)
    check_rank(rank, array.shape)
    if core_ranks is None:
        compression = compress_for(array, rank)
    else:
        check_ranks(core_ranks, array.shape)
        compression = compress_to(array, core_ranks)
    return decompose(
        compression,
        rank,
        n_restarts=n_restarts,
        seed=seed,
        max_iterations=max_iterations,
        tolerance=tolerance,
        may_refine=core_ranks is None,
        hosvd_start=True,
    )


def compress_for(array: Float[np.ndarray, "step post pre"], rank: int) -> Compression:
    """The compression that serves a CP of this rank or less."""
    return compress_to(array, [rank + SPARE] * 3)


def decompose(
    compression: Compression,
    rank: int,
    *,
    n_restarts: int,
    seed: int,
    max_iterations: int,
    tolerance: float,
    may_refine: bool,
    hosvd_start: bool,
) -> CP:
    """CP of a tensor that is already compressed; arguments as for `cp`."""
    check_count(n_restarts, "n_restarts")
    check_count(max_iterations, "max_iterations")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}; expected above 0 and below 1, such as 1e-8")
    solution, screened = best_of_restarts(
        compression.core,
        rank,
        n_restarts=n_restarts,
        seed=seed,
        max_iterations=max_iterations,
        tolerance=tolerance,
        hosvd_start=hosvd_start,
    )
    restart_fits = np.array([_fit(compression, s) for s in screened])
    if may_refine:
        compression, solution = refine(compression, solution, max_iterations, tolerance)
    expanded = [b @ f for b, f in zip(compression.bases, solution.factors, strict=True)]
    weights, factors = _canonical(expanded)
    return CP(
        weights=weights,
        factors=factors,
        fit=_fit(compression, solution),
        restart_fits=restart_fits,
        iterations=solution.iterations,
        degenerate=_is_degenerate(weights, factors),
    )


def _fit(compression: Compression, solution: Solution) -> float:
    """The fit to the whole tensor: what the core leaves out is orthogonal to the core's error."""
    total = compression.squared_norm
    outside = max(total - squared_norm(compression.core), 0.0)
    return 1.0 - (outside + solution.squared_error) / total


def _canonical(
    factors: Factors,
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    norms = [np.linalg.norm(f, axis=0) for f in factors]
    weights = norms[0] * norms[1] * norms[2]
    order = np.argsort(-weights, kind="stable")
    units = [_unit_columns(f, n)[:, order] for f, n in zip(factors, norms, strict=True)]
    step, (post, post_sign), (pre, pre_sign) = units[0], _positive(units[1]), _positive(units[2])
    return weights[order], (step * post_sign * pre_sign, post, pre)


def _unit_columns(
    factor: Float[np.ndarray, "size rank"], norms: Float[np.ndarray, " rank"]
) -> Float[np.ndarray, "size rank"]:
    """Columns of norm 1; a column of zeros, whose component has weight 0, becomes e_1."""
    unit = factor / np.where(norms > 0, norms, 1.0)
    unit[:, norms == 0] = np.eye(len(factor), 1)
    return unit


def _positive(
    factor: Float[np.ndarray, "size rank"],
) -> tuple[Float[np.ndarray, "size rank"], Float[np.ndarray, " rank"]]:
    largest = np.argmax(np.abs(factor), axis=0)
    signs = np.sign(factor[largest, np.arange(factor.shape[1])])
    return factor * signs, signs


def _is_degenerate(
    weights: Float[np.ndarray, " rank"], factors: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> bool:
    """Whether two components are opposite and cancel, or more of them cancel as a group."""
    step, post, pre = factors
    cosines = (step.T @ step) * (post.T @ post) * (pre.T @ pre)
    inner = cosines * np.outer(weights, weights)
    squares = np.add.outer(weights**2, weights**2)
    pair = (cosines < OPPOSITE) & (squares + 2 * inner < CANCELLED * squares)
    return bool(np.any(pair) or np.sum(inner) < CANCELLED * np.sum(weights**2))
