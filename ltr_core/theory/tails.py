"""How far a matrix is from one of low rank, and statements that bound it.

By Eckart and Young the distance (in the Frobenius norm) of a matrix from the nearest one of rank r
is its *tail*, the root of the sum of its squared singular values after the r-th. So a matrix that
is within e of some matrix of rank r has a tail of at most e, and at most r singular values above e.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ltr_core.rnn import RNN, simulate
from ltr_core.theory.runs import Factors, Loss, LossName, factors_of_gradient, named_loss
from ltr_core.theory.subspaces import spanned

Change = Callable[[np.ndarray], np.ndarray]
"""What is made of a bound before it is tried: a wrong one must be caught."""


def unchanged(bound: np.ndarray) -> np.ndarray:
    """The bound as it is."""
    return bound


class Tail(NamedTuple):
    """What the unfolding of one side leaves out of its first r directions, r = 0 to N.

    Both as shares of the squared norm: as `measured`, and the `bound` of theory, which may be
    above 1 and then says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> tail = theory.Tail(measured=np.array([1.0, 0.2, 0.0]), bound=np.array([1.5, 0.4, 0.0]))
    >>> tail.ranks(0.7)
    (1, 2)
    >>> round(tail.excess(), 6), round(tail.excess(lambda bound: bound / 4), 6)  # a wrong bound
    (0.0, 0.625)
    """

    measured: Float[np.ndarray, " rank"]
    bound: Float[np.ndarray, " rank"]

    def ranks(self, share: float) -> tuple[int, int]:
        """The least ranks that hold this share of the squared norm: measured, and guaranteed.

        Raises ValueError for a share outside (0, 1).
        """
        if not 0 < share < 1:
            raise ValueError(f"share is {share}: it must lie between 0 and 1.")
        measured, bound = (int(np.argmax(tail <= 1 - share)) for tail in self)
        return measured, bound

    def excess(self, change: Change = unchanged) -> float:
        """The most by which `measured` is above the bound, or above what `change` makes of it."""
        return float((self.measured - change(self.bound)).max())


class TailBounds(NamedTuple):
    """The tails of both sides' unfoldings.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> post, pre = theory.tail_bounds(run)
    >>> post.measured.shape, pre.excess() < 1e-9
    ((11,), True)
    >>> theory.tail_bounds(run).guaranteed(0.9)
    2
    """

    post: Tail
    pre: Tail

    def guaranteed(self, share: float) -> int:
        """The rank that is certain to hold this share on both sides; raises as `Tail.ranks`."""
        return max(side.ranks(share)[1] for side in self)


class Remainders(NamedTuple):
    """The matrix is within `remainder` of one of rank `rank`, for each of several ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> bound = theory.Remainders(rank=np.array([0, 1, 2]), remainder=np.array([5.0, 3.0, 0.0]))
    >>> bound.rank_above(4.0)
    1
    >>> bound.broken_by(np.diag([3.0, 2.0]))
    0.0
    """

    rank: Int[np.ndarray, " bound"]
    remainder: Float[np.ndarray, " bound"]

    def rank_above(self, threshold: float) -> int:
        """How many singular values can be above the threshold.

        Raises ValueError where no remainder is so small: the bound then says nothing.
        """
        told = self.rank[self.remainder <= threshold]
        if not told.size:
            raise ValueError(
                f"The bound says nothing about singular values above {threshold:.3g}: its least "
                f"remainder is {self.remainder.min():.3g}. Ask for more terms, or a higher one."
            )
        return int(told.min())

    def broken_by(self, matrix: Float[np.ndarray, "row column"]) -> float:
        """By how much the matrix's tails exceed the remainders, as a share of its norm.

        At most 0 if the bound holds, but for rounding.
        """
        tails = singular_tails(matrix)
        at = np.minimum(self.rank, len(tails) - 1)
        return float((tails[at] - self.remainder).max() / (tails[0] or 1.0))


class FirstGradient(NamedTuple):
    """Bounds for the two factors of the first gradient, Phi and Lambda.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_inputs=2, n_outputs=1, g=0.3)
    >>> bound = theory.krylov_tail(*problem[:3], dt=problem.dt)
    >>> bound.rates.rank[:3], bound.adjoint.rank[:3]
    (array([0, 2, 4]), array([0, 1, 2]))
    >>> factors = theory.factors_of_gradient(*problem[:3], dt=problem.dt)
    >>> bound.broken_by(factors) < 1e-9, bound.broken_by(factors, lambda left: left / 10) < 1e-9
    (True, False)
    """

    rates: Remainders
    adjoint: Remainders

    def broken_by(self, factors: Factors, change: Change = unchanged) -> float:
        """The larger of both factors' `Remainders.broken_by`, with changed remainders if you like.

        At most 0 if the bounds hold, but for rounding.
        """
        return max(
            bound._replace(remainder=change(bound.remainder)).broken_by(matrix)
            for bound, matrix in ((self.rates, factors.rates), (self.adjoint, factors.adjoint))
        )


def singular_tails(matrix: Float[np.ndarray, "row column"]) -> Float[np.ndarray, " rank"]:
    """The distance from the nearest matrix of rank 0, 1, ..., the last of them 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.singular_tails(np.diag([4.0, 3.0]))
    array([5., 3., 0.])
    """
    sizes = np.linalg.svd(matrix, compute_uv=False)
    return np.sqrt(sums_after(sizes**2))


def relative_tails(
    matrices: Sequence[Float[np.ndarray, "row column"]],
    bounds: Mapping[str, Sequence[Remainders]],
    n_ranks: int,
) -> tuple[Int[np.ndarray, " rank"], dict[str, Float[np.ndarray, "network rank"]]]:
    """The tails of several networks' matrices at the bounds' first ranks, and the bounds there.

    Returns the ranks, and curves by name, "measured" first: shares of each matrix's own norm.
    All bounds tell of the same ranks.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(g=0.3)._asdict()
    >>> factors, bound = theory.factors_of_gradient(**problem), theory.krylov_tail(**problem)
    >>> ranks, curves = theory.relative_tails([factors.rates], {"bound": [bound.rates]}, 3)
    >>> ranks, bool((curves["measured"] <= curves["bound"]).all())
    (array([0, 2, 4]), True)
    """
    ranks = next(iter(bounds.values()))[0].rank[:n_ranks]
    tails = [singular_tails(matrix) for matrix in matrices]
    sizes = np.array([tail[0] for tail in tails])[:, None]
    told = {
        name: np.stack([bound.remainder[:n_ranks] for bound in each])
        for name, each in bounds.items()
    }
    curves = {"measured": np.stack([tail[ranks] for tail in tails]), **told}
    return ranks, {name: curve / sizes for name, curve in curves.items()}


def sums_after(held: Float[np.ndarray, " direction"]) -> Float[np.ndarray, " rank"]:
    """The sums of all but the first r, r = 0 to their number."""
    return np.append(np.cumsum(held[::-1])[::-1], 0.0)


class Driven(NamedTuple):
    """What drives activity forwards and the adjoint backwards, in orthonormal coordinates.

    - `inward` (neuron, p): a basis of the range of the input weights and the initial states;
      `outward` (neuron, q): of the readout's rows.
    - `inputs` (time, p, trial): B u_t; `initial` (p, trial): x_0. `errors` (time, q, trial):
      C^T dL/dy after each step. `factors`: of the gradient.
    """

    inward: Float[np.ndarray, "neuron p"]
    outward: Float[np.ndarray, "neuron q"]
    inputs: Float[np.ndarray, "time p trial"]
    initial: Float[np.ndarray, "p trial"]
    errors: Float[np.ndarray, "time q trial"]
    factors: Factors


def driven(
    network: RNN,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    loss: LossName | Loss = "squared",
    initial: Float[Tensor, "trial neuron"] | None = None,
) -> Driven:
    """Of one network (a batch of one) before it learns. Raises as `factors_of_gradient` does."""
    factors = factors_of_gradient(network, inputs, targets, dt=dt, loss=loss, initial=initial)
    network = network.doubled()
    inputs = inputs.double()
    states = inputs.new_zeros(len(inputs), network.n_units) if initial is None else initial.double()
    output = simulate(network, inputs[None], dt, states[None]).output[0].requires_grad_()
    (by_output,) = torch.autograd.grad(named_loss(loss)(output, targets.double()), output)
    weights_in, weights_out = network.inward[0], network.outward[0]
    inward = spanned(torch.cat([weights_in, states.T], dim=1))
    outward = spanned(weights_out.T)
    return Driven(
        inward.numpy(),
        outward.numpy(),
        (inputs @ weights_in.T @ inward).permute(1, 2, 0).numpy(),
        (states @ inward).T.numpy(),
        (by_output @ weights_out @ outward).permute(1, 2, 0).numpy(),
        factors,
    )
