"""Small linear networks that learn exactly as large ones do."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.theory.subspaces import check_linear, invariant_subspace, learning_vectors


class EquivalentNetwork(NamedTuple):
    """A small network that stands for a large one.

    - `network`: of d units, a batch of one; `initial` (trial, unit): its states x before the first
      step, None where the large network starts from zero.
    - `basis` (neuron, unit): P. Under plain gradient descent, with momentum or without, the large
      network's change is P M P^T, with M that of the small one.

    Examples
    --------
    >>> from ltr_core import theory
    >>> large = theory.random_problem(n_units=50)
    >>> small = theory.equivalent_network(large.network)
    >>> small.basis.shape, small.network.recurrent.shape
    (torch.Size([50, 4]), torch.Size([1, 4, 4]))
    """

    network: RNN
    initial: Float[Tensor, "trial unit"] | None
    basis: Float[Tensor, "neuron unit"]


def equivalent_network(
    network: RNN,
    initial: Float[Tensor, "trial neuron"] | None = None,
    *,
    tolerance: float = 1e-10,
) -> EquivalentNetwork:
    """The network of fewest units, by this construction, that learns as a linear network does.

    P spans the smallest subspace with the columns of B, of C^T and all initial states in it that W
    and W^T map into itself; the small network has P^T W P, P^T B and C P. Output, loss and
    gradients are the same before learning, so a step of gradient descent on W leads to networks
    that are equivalent again. Without structure, W = alpha I, d is at most the number of inputs
    and outputs and the rank of the initial states; a part of W of rank r adds 2 r at most.
    Generalises `two_unit_equivalent`. Adam is not covered: its steps depend on the coordinates.

    `tolerance`: see `invariant_subspace`.

    Raises ValueError, and says which assumption fails: for several networks, one that is not
    linear, values not finite or shapes that do not fit, and where the subspace is everything (a
    start without structure is assumed: with generic weights no smaller network will do).

    Examples
    --------
    >>> from ltr_core import theory
    >>> large = theory.random_problem(n_units=50, n_inputs=2, n_outputs=1)
    >>> small = theory.equivalent_network(large.network).network
    >>> small.n_units
    3
    >>> given = {"dt": large.dt, "n_steps": 5, "learning_rate": 0.5}
    >>> runs = [theory.descend(one, *large[1:3], **given) for one in (large.network, small)]
    >>> bool(abs(runs[0].loss - runs[1].loss).max() < 1e-12)
    True
    """
    check_linear(network)
    vectors = learning_vectors(network, initial)
    recurrent, inward, outward = (part[0].double() for part in network[:3])
    basis = invariant_subspace(recurrent, vectors, tolerance)
    if basis.shape[1] == network.n_units:
        raise ValueError(
            f"Nothing less than all {network.n_units} units holds input, readout and initial "
            "states and is mapped into itself by W and W^T; assumption: W is a multiple of the "
            "identity and a matrix of low rank, so no smaller network learns as this one does."
        )
    if not basis.shape[1]:
        raise ValueError("Input, readout and initial states are all 0: there is nothing to learn.")
    small = network._replace(
        recurrent=(basis.mT @ recurrent @ basis)[None],
        inward=(basis.mT @ inward)[None],
        outward=(outward @ basis)[None],
    )
    return EquivalentNetwork(small, None if initial is None else initial.double() @ basis, basis)
