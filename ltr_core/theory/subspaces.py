"""Subspaces that hold everything a linear network learns from."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.rnn import RNN


def learning_vectors(
    network: RNN, initial: Float[Tensor, "trial neuron"] | None = None
) -> Float[Tensor, "neuron vector"]:
    """What one network (a batch of one) learns from, as columns: inputs, readout, initial states.

    They are the columns of B, the rows of C and, if given, the states before the first step, in
    this order and in double precision.

    Raises ValueError for more networks than one, states that do not fit, or values not finite.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=30, n_inputs=2, n_outputs=1, n_trials=6)
    >>> theory.learning_vectors(problem.network).shape
    torch.Size([30, 3])
    >>> theory.learning_vectors(problem.network, problem.initial).shape
    torch.Size([30, 9])
    """
    if network.n_networks != 1:
        raise ValueError(f"There are {network.n_networks} networks: give one at a time.")
    parts = {"inward": network.inward[0], "outward": network.outward[0].mT}
    if initial is not None:
        if initial.shape[1] != network.n_units:
            raise ValueError(
                f"initial has shape {tuple(initial.shape)}, the network {network.n_units} units: "
                "the axes are (trial, neuron)."
            )
        parts["initial"] = initial.mT
    for name, part in parts.items():
        if not torch.isfinite(part).all():
            raise ValueError(f"{name} holds NaN or infinity.")
    return torch.cat([part.double() for part in parts.values()], dim=1)


def check_linear(network: RNN) -> None:
    """Raises ValueError for a network that is not: it leaves every subspace."""
    if network.nonlinearity != "identity":
        raise ValueError(
            f"The network's nonlinearity is '{network.nonlinearity}', and the subspace assumes a "
            'linear network (nonlinearity="identity"): a nonlinear one leads out of every subspace.'
        )


def spanned(
    vectors: Float[Tensor, "neuron vector"], tolerance: float = 1e-10
) -> Float[Tensor, "neuron direction"]:
    """An orthonormal basis of the span of the columns, in double precision.

    A direction counts if its singular value, with all columns scaled to length 1, is more than
    `tolerance` of the largest; columns of zeros count for nothing.

    Raises ValueError for values that are not finite or a tolerance outside [0, 1).

    Examples
    --------
    >>> import torch
    >>> from ltr_core import theory
    >>> vectors = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    >>> theory.spanned(vectors).shape
    torch.Size([3, 2])
    """
    _check_tolerance(tolerance)
    if not torch.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinity; the axes are (neuron, vector).")
    columns = vectors.double()
    lengths = columns.norm(dim=0)
    columns = columns[:, lengths > 0] / lengths[lengths > 0]
    if not columns.numel():
        return columns.new_zeros(len(columns), 0)
    left, sizes, _ = torch.linalg.svd(columns, full_matrices=False)
    return left[:, sizes > tolerance * sizes[0]]


def basis_of(vectors: Float[np.ndarray, "neuron vector"]) -> Float[np.ndarray, "neuron direction"]:
    """`spanned`, from array to array."""
    return spanned(torch.from_numpy(vectors)).numpy()


def random_space(
    n_units: int, n_directions: int, seed: int | Sequence[int]
) -> Float[np.ndarray, "neuron direction"]:
    """An orthonormal basis of a space that points anywhere, to hold others against.

    Raises ValueError for more directions than units.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> basis = theory.random_space(30, 4, seed=0)
    >>> basis.shape, np.allclose(basis.T @ basis, np.eye(4))
    ((30, 4), True)
    """
    if not 0 <= n_directions <= n_units:
        raise ValueError(f"n_directions is {n_directions}: give 0 to {n_units}, the units.")
    drawn = np.random.default_rng(seed).standard_normal((n_units, n_directions))
    return np.linalg.qr(drawn)[0]


def invariant_subspace(
    recurrent: Float[Tensor, "post pre"],
    vectors: Float[Tensor, "neuron vector"],
    tolerance: float = 1e-10,
) -> Float[Tensor, "neuron direction"]:
    """The smallest subspace with the vectors in it that W and W^T map into itself.

    As an orthonormal basis, in double precision. Whatever W^T and W make of the vectors, in any
    order and number, is in it: so are activity and adjoint of a linear network with W, whose input,
    readout and initial states the vectors are. For W = alpha I it is the span of the vectors, for
    alpha I and a matrix of rank r it has at most 2 r dimensions more, for a generic W it is
    everything.

    `tolerance`: what W (scaled to spectral norm 1) adds to an orthonormal basis counts as a new
    direction if it is longer than this.

    Raises ValueError where W is not square, the sizes differ, a value is not finite, or for a
    tolerance outside [0, 1).

    Examples
    --------
    >>> import torch
    >>> from ltr_core import theory
    >>> shift = torch.diag(torch.ones(2), -1)  # from the first unit to the second to the third
    >>> vector = torch.eye(3)[:, :1]
    >>> theory.invariant_subspace(torch.eye(3), vector).shape
    torch.Size([3, 1])
    >>> theory.invariant_subspace(shift, vector).shape
    torch.Size([3, 3])
    """
    n_units = len(vectors)
    if recurrent.shape != (n_units, n_units):
        raise ValueError(
            f"recurrent has shape {tuple(recurrent.shape)}, the vectors have {n_units} entries: "
            "give one network's weights (post, pre), of as many units."
        )
    if not torch.isfinite(recurrent).all():
        raise ValueError("recurrent holds NaN or infinity.")
    basis = new = spanned(vectors, tolerance)
    weights = recurrent.double()
    size = torch.linalg.matrix_norm(weights, 2)
    while size > 0 and new.shape[1] and basis.shape[1] < n_units:
        reached = torch.cat([weights @ new, weights.T @ new], dim=1) / size
        for _ in range(2):  # the second pass takes away what rounding left
            reached = reached - basis @ (basis.T @ reached)
        left, sizes, _ = torch.linalg.svd(reached, full_matrices=False)
        new = left[:, sizes > tolerance][:, : n_units - basis.shape[1]]
        new, _ = torch.linalg.qr(new - basis @ (basis.T @ new))
        basis = torch.cat([basis, new], dim=1)
    return basis


def _check_tolerance(tolerance: float) -> None:
    if not (np.isfinite(tolerance) and 0 <= tolerance < 1):
        raise ValueError(f"tolerance is {tolerance}: it must be at least 0 and less than 1.")
