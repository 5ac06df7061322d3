"""Bounds on the rank of what gradient descent writes into the recurrent weights.

Every gradient is a product G = h Lambda Phi^T of the adjoint and the rates (see `runs`), and the
learned weights are sums of gradients, W_s = k_s W_0 - sum c_ss' G_s'. So neither can be higher in
rank than activity and adjoint. The statements are ours, in the spirit of Pellegrino et al. (2023).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ltr_core.decomposition import cp, mode_ranks
from ltr_core.decomposition.unfolding import energies
from ltr_core.theory.runs import ObservedRun
from ltr_core.theory.tails import Tail, TailBounds, sums_after

Side = Literal["post", "pre"]
AXIS: dict[Side, int] = {"post": 1, "pre": 2}
RUNGS = (
    "measured",
    "directions of the factors",
    "no cancellation over steps",
    "no alignment within a step",
    "one average over steps (bound)",
)
"""Names of the rungs of `ladder`, from what is measured up to the bound."""


class RankBounds(NamedTuple):
    """Mode ranks (step, post, pre), as measured and as bounded, and the bound on the CP rank.

    `cp_measured`: the least CP rank tried that leaves no more than the tolerance; None if none does
    or none was tried.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> ranks = theory.rank_bounds(run)
    >>> ranks.bound, ranks.cp_rank, ranks.cp_measured
    ((5, 4, 4), 16, None)
    """

    measured: tuple[int, int, int]
    bound: tuple[int, int, int]
    cp_measured: int | None
    cp_rank: int


def learned_part(run: ObservedRun) -> Float[np.ndarray, "step post pre"]:
    """W_s - k_s W_0, the sum of gradients in the weights: the change, if no weight decays.

    Raises ValueError for a run whose updates are no sums of gradients (Adam).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> np.array_equal(theory.learned_part(run), run.change)  # no weight decay
    True
    """
    _, kept = _coefficients(run)
    start = run.start.recurrent[0].double().numpy()
    return run.change + (1 - kept)[:, None, None] * start


def tail_bounds(run: ObservedRun) -> TailBounds:
    """What the best r directions of each side leave of `learned_part`, and at most can leave.

    With P the leading r eigenvectors of the weighted sum K of Lambda Lambda^T over steps,

        sum_s |(1-P) dW_s|^2 <= h^2 sum_s (sum_s' |c_ss'| |Phi_s'|_2 |(1-P) Lambda_s'|_F)^2
                             <= tail_r(K),    K = h^2 sum_s' w_s' |Phi_s'|_2^2 Lambda_s' Lambda_s'^T

    by the triangle and the Cauchy-Schwarz inequality, where `w_s' = sum_s a_s |c_ss'| / b_s'`,
    `a_s = sum_s' |c_ss'| b_s'`, for any positive b; `b_s = |Lambda_s|_F |Phi_s|_2` makes the second
    an equality at r = 0. For the other side, Lambda and Phi change places.

    Raises ValueError for a run of Adam, or one whose gradients are all zero.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> measured, guaranteed = theory.tail_bounds(run).post.ranks(0.9)
    >>> measured, guaranteed
    (1, 2)
    """
    tensor = _nonzero_part(run)
    total = float(np.square(tensor).sum())
    tails = []
    for side, axis in AXIS.items():
        stacked = _stacked(run, side)
        bound = sums_after(np.maximum(np.linalg.eigvalsh(stacked)[::-1], 0))
        tails.append(Tail(sums_after(np.maximum(energies(tensor, axis), 0)) / total, bound / total))
    return TailBounds(*tails)


def rank_bounds(
    run: ObservedRun, tolerance: float = 1e-6, *, cp_ranks: Sequence[int] = (), seed: int = 0
) -> RankBounds:
    """Mode ranks of `learned_part`, and at most the dimensions that adjoint and rates span.

    The post rank is at most the dimension of all steps' Lambda together, the pre rank that of all
    Phi, the step rank at most the number of steps and the product of the other two; the CP rank at
    most the least product of two of the three.

    `tolerance`: singular values below this share of the largest count as zero; of the factors only
    squares are known, so that less than 1e-7 cannot be told. `cp_ranks` are tried in turn, the
    least first, until one leaves at most this share of the norm (a CP decomposition converges
    slowly: ask for no less than 1e-4).

    Raises ValueError as `tail_bounds` does, or for a tolerance outside [1e-7, 1).

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)  # two inputs, two outputs, no structure
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> theory.rank_bounds(run).bound
    (5, 4, 4)
    """
    if not 1e-7 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}: it must be at least 1e-7 and below 1.")
    tensor, least = _nonzero_part(run), 1 - tolerance**2
    post, pre = (_dimension(grams, tolerance) for grams in (run.adjoint_gram, run.rates_gram))
    bound = (min(len(tensor), post * pre), post, pre)
    fits = (cp(tensor, rank, seed=seed).fit for rank in sorted(cp_ranks))
    enough = (rank for rank, fit in zip(sorted(cp_ranks), fits, strict=True) if fit >= least)
    return RankBounds(mode_ranks(tensor, tolerance), bound, next(enough, None), cp_bound(bound))


def cp_bound(ranks: tuple[int, int, int]) -> int:
    """The least product of two mode ranks: a tensor's CP rank is at most that.

    Examples
    --------
    >>> from ltr_core import theory
    >>> theory.cp_bound((5, 4, 3))
    12
    """
    first, second, _ = sorted(ranks)
    return first * second


def ladder(
    run: ObservedRun, ranks: Int[np.ndarray, " rank"], side: Side = "post"
) -> dict[str, Float[np.ndarray, " rank"]]:
    """What is left at some ranks, from the measured tail up to the bound: where it is lost.

    Each of `RUNGS` as a share of the squared norm, none below the one before: the best directions;
    those of the stacked factor instead; the same with every step's gradient of one sign (no
    cancellation); with the product of norms for the norm of each product (no alignment); with one
    average over steps for the norms of each. Raises ValueError as `tail_bounds` does, or for a
    rank outside [0, N].

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> left = theory.ladder(run, np.array([1, 2]), "pre")
    >>> [bool((left[rung] >= left["measured"]).all()) for rung in theory.RUNGS]
    [True, True, True, True, True]
    """
    tensor, axis = _nonzero_part(run), AXIS[side]
    n_units = tensor.shape[axis]
    if ranks.min() < 0 or ranks.max() > n_units:
        raise ValueError(f"ranks are {ranks.tolist()}: each lies between 0 and {n_units}.")
    size = np.abs(_coefficients(run)[0])
    held, directions = np.linalg.eigh(_stacked(run, side))
    grams, other = _sides(run, side)

    def squares(matrices: Float[np.ndarray, "..."], left: Float[np.ndarray, "..."]) -> np.ndarray:
        along = left.T @ matrices if side == "post" else matrices @ left
        return np.square(along).sum((1, 2))

    rows = []
    for r in ranks:
        left = directions[:, : n_units - r]
        of_factor = np.maximum(np.einsum("ia,sij,ja->s", left, grams, left, optimize=True), 0)
        rows.append(
            (
                energies(tensor, axis)[r:].sum(),
                squares(tensor, left).sum(),
                np.square(size @ np.sqrt(squares(run.gradient, left))).sum(),
                np.square(run.h * size @ (other * np.sqrt(of_factor))).sum(),
                held[: n_units - r].sum(),
            )
        )
    shares = np.array(rows).T / np.square(tensor).sum()
    return dict(zip(RUNGS, shares, strict=True))


def _sides(
    run: ObservedRun, side: Side
) -> tuple[Float[np.ndarray, "step size size"], Float[np.ndarray, " step"]]:
    """The Gram matrices of this side's factors, and the spectral norms of the other's."""
    grams, others = run.adjoint_gram, run.rates_gram
    if side == "pre":
        grams, others = others, grams
    return grams, np.sqrt(np.maximum(np.linalg.eigvalsh(others)[:, -1], 0))


def _stacked(run: ObservedRun, side: Side) -> Float[np.ndarray, "size size"]:
    """K of `tail_bounds`."""
    size = np.abs(_coefficients(run)[0])
    grams, other = _sides(run, side)
    own = np.sqrt(np.trace(grams, axis1=1, axis2=2))
    counted = own * other
    weight = size.T @ (size @ counted)
    # w |Phi|^2 / (|Lambda| |Phi|); steps without a gradient count for nothing
    each = np.divide(weight * other, own, out=np.zeros_like(own), where=own > 0)
    return run.h**2 * np.tensordot(each, grams, axes=1)


def _dimension(grams: Float[np.ndarray, "step size size"], tolerance: float) -> int:
    sizes = np.trace(grams, axis1=1, axis2=2)
    counted = sizes > 0
    each = grams[counted] / sizes[counted, None, None]  # late steps count like early ones
    held = np.linalg.eigvalsh(each.sum(0))
    return int((held > tolerance**2 * held[-1]).sum())


def _coefficients(
    run: ObservedRun,
) -> tuple[Float[np.ndarray, "step gradient"], Float[np.ndarray, " step"]]:
    if run.coefficients is None or run.kept is None:
        raise ValueError(
            "The run's updates are no sums of gradients (Adam scales each entry by itself), and "
            "that is what the bound assumes: give a run of plain gradient descent, with momentum "
            "or weight decay if you like."
        )
    return run.coefficients, run.kept


def _nonzero_part(run: ObservedRun) -> Float[np.ndarray, "step post pre"]:
    tensor = learned_part(run)
    if not run.gradient.any():
        raise ValueError("All gradients are zero: nothing was learned, there is nothing to bound.")
    return tensor
