"""Subspaces that hold everything a linear network learns from."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


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
