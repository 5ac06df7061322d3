"""The exact bound: linear networks that start without structure, or with little."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ltr_core.counts import check_counts
from ltr_core.decomposition import mode_ranks
from ltr_core.rnn import RNN
from ltr_core.theory.bounds import cp_bound, learned_part
from ltr_core.theory.runs import ObservedRun
from ltr_core.theory.subspaces import check_linear, invariant_subspace, learning_vectors


class SubspaceBound(NamedTuple):
    """A subspace out of which gradient descent never leads, and what follows for the tensor.

    - `basis`: an orthonormal basis P of it; the learned part of the weights is P M_s P^T.
    - `mode_ranks`: at most (step, post, pre). `cp_rank`: at most.
    - `everything`: the subspace is the whole space, so that nothing is said.

    Examples
    --------
    >>> from ltr_core import theory
    >>> bound = theory.subspace_bound(theory.random_problem().network, n_steps=5)
    >>> bound.dimension, bound.mode_ranks, bound.cp_rank, bound.everything
    (4, (5, 4, 4), 16, False)
    """

    basis: Float[np.ndarray, "neuron direction"]
    mode_ranks: tuple[int, int, int]
    cp_rank: int
    everything: bool

    @property
    def dimension(self) -> int:
        """d, the dimension of the subspace."""
        return self.basis.shape[1]


def subspace_bound(
    network: RNN,
    initial: Float[Tensor, "trial neuron"] | None = None,
    *,
    n_steps: int,
    tolerance: float = 1e-10,
) -> SubspaceBound:
    """The bound for a linear network (a batch of one), whatever it learns in `n_steps` steps.

    The subspace is the smallest that holds the columns of the input weights, the rows of the
    readout and the states before the first step (`initial`; none: zero), and that W_0 and its
    transpose map into itself. For W_0 = alpha 1 that is the span of the vectors, d <= p + q + rank
    X_0; a part of rank r adds at most 2 r dimensions (r if it is symmetric); for a random W_0 it is
    everything. The bound holds for every loss, data, step sizes, momentum and weight decay (of
    W_s - k_s W_0), also if input weights and readout learn.

    Raises ValueError for a network that is not linear, no steps, and as `learning_vectors` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> network = theory.random_problem(n_inputs=2, n_outputs=1, start_rank=1).network
    >>> theory.subspace_bound(network, n_steps=50).dimension  # 2 + 1, and 2 more of W_0
    5
    """
    check_linear(network)
    check_counts(n_steps=n_steps)
    vectors = learning_vectors(network, initial)
    basis = invariant_subspace(network.recurrent[0], vectors, tolerance).numpy()
    d = basis.shape[1]
    ranks = (min(n_steps, d**2), d, d)
    return SubspaceBound(basis, ranks, cp_bound(ranks), everything=d == network.n_units)


def leak(run: ObservedRun, basis: Float[np.ndarray, "neuron direction"]) -> float:
    """How much of the learned part lies outside P M_s P^T, relative to its largest step.

    Of a run of Adam, the change itself. Raises ValueError for weights that did not change.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem()
    >>> space = theory.subspace_bound(problem.network, n_steps=5).basis
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> theory.leak(run, space) < 1e-12, theory.leak(run, space[:, :2]) < 1e-12
    (True, False)
    """
    tensor = _learned(run)
    size = np.linalg.norm(tensor, axis=(1, 2)).max()
    if size == 0:
        raise ValueError("The weights did not change: nothing could leak.")
    inside = basis @ (basis.T @ tensor @ basis) @ basis.T
    return float(np.linalg.norm(tensor - inside, axis=(1, 2)).max() / size)


class Departure(NamedTuple):
    """How far a run leaves a space of d dimensions that should hold it; at most 0 where it does.

    - `leak`: out of the space, see `leak` (but for rounding).
    - `over`: by how much a mode rank is above d^2, d and d; the largest excess, which may be
      negative.

    Examples
    --------
    >>> from ltr_core import theory
    >>> theory.Departure(leak=0.3, over=2).over
    2
    """

    leak: float
    over: int


def departure(
    run: ObservedRun, basis: Float[np.ndarray, "neuron direction"], tolerance: float = 1e-8
) -> Departure:
    """The leak out of a space, and the mode ranks (at the tolerance) above what it allows.

    Raises ValueError as `leak` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem()
    >>> space = theory.subspace_bound(problem.network, n_steps=5).basis
    >>> run = theory.learn_problem(problem, n_steps=5, learning_rate=0.5)
    >>> theory.departure(run, space).over, theory.departure(run, space[:, :2]).over
    (0, 2)
    """
    d = basis.shape[1]
    ranks = mode_ranks(_learned(run), tolerance)
    over = max(rank - most for rank, most in zip(ranks, (d**2, d, d), strict=True))
    return Departure(leak(run, basis), over)


def _learned(run: ObservedRun) -> Float[np.ndarray, "step post pre"]:
    """The learned part, or of a run of Adam the change itself."""
    return run.change if run.kept is None else learned_part(run)
