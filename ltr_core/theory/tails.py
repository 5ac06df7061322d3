"""How far a matrix is from one of low rank, and statements that bound it.

By Eckart and Young the distance (in the Frobenius norm) of a matrix from the nearest one of rank r
is its *tail*, the root of the sum of its squared singular values after the r-th. So a matrix that
is within e of some matrix of rank r has a tail of at most e, and at most r singular values above e.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ltr_core.rnn import RNN, simulate
from ltr_core.theory.runs import Factors, Loss, LossName, factors_of_gradient, named_loss
from ltr_core.theory.subspaces import spanned


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
    """

    rates: Remainders
    adjoint: Remainders


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
