"""Compression of a tensor to a small core (truncated higher-order SVD)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition.unfolding import gram
from ltr_core.decomposition.validation import (
    AnyTensor,
    as_tensor,
    check_ranks,
    squared_norm,
)

Core = Float[np.ndarray, "core_step core_post core_pre"]
Bases = tuple[
    Float[np.ndarray, "step core_step"],
    Float[np.ndarray, "post core_post"],
    Float[np.ndarray, "pre core_pre"],
]


@dataclass(frozen=True)
class Compression:
    """A tensor and its core: tensor ~ core x_1 bases[0] x_2 bases[1] x_3 bases[2]."""

    tensor: Float[np.ndarray, "step post pre"]
    #: The squared norm of the whole tensor.
    squared_norm: float
    core: Core
    #: Orthonormal columns, one matrix for each axis.
    bases: Bases
    #: Energies (squared singular values) that the truncation of each axis left out, largest first.
    left_out: tuple[
        Float[np.ndarray, " out_step"],
        Float[np.ndarray, " out_post"],
        Float[np.ndarray, " out_pre"],
    ]

    def loss_bound(self, rank: int) -> float:
        """The most that a best rank-`rank` CP of the core can lose of the tensor's own best fit.

        The part left out is a sum of three orthogonal parts, one for each truncation. A CP of
        this rank has at most rank `rank` in every unfolding, so it can gain from a part no more
        than the `rank` largest energies that this truncation left out.
        """
        return float(sum(np.sum(e[:rank]) for e in self.left_out)) / self.squared_norm


def compress(tensor: AnyTensor, ranks: Sequence[int]) -> tuple[Core, Bases]:
    """Sequentially truncated higher-order SVD, through Gram matrices.

    De Lathauwer, De Moor & Vandewalle (2000); Vannieuwenhoven, Vandebril & Meerbergen (2012).
    The shortest axis is truncated first, so that the others work on less.

    - `tensor`: (step, post, pre).
    - `ranks`: the size of the core along each axis.

    Returns
    -------
    The core, and for each axis a matrix with orthonormal columns.

    Raises
    ------
    ValueError
        For a tensor that is not one, or ranks that do not fit it.
    """
    array = as_tensor(tensor)
    check_ranks(ranks, array.shape)
    compression = _truncate(array, ranks, drop_negligible=False)
    return compression.core, compression.bases


def compress_to(array: Float[np.ndarray, "step post pre"], largest: Sequence[int]) -> Compression:
    """As `compress`, to the multilinear rank where that is below `largest`, which it may exceed."""
    return _truncate(array, largest, drop_negligible=True)


def project(array: Float[np.ndarray, "step post pre"], bases: Bases) -> Core:
    """The core that the tensor has in these bases."""
    for mode in np.argsort(array.shape, kind="stable"):
        array = _multiply(array, bases[mode], int(mode))
    return array


def _truncate(
    array: Float[np.ndarray, "step post pre"], ranks: Sequence[int], *, drop_negligible: bool
) -> Compression:
    core = array
    bases: list[np.ndarray] = [np.empty(0)] * 3
    left_out: list[np.ndarray] = [np.empty(0)] * 3
    # Shortest axis first; of equal ones the last, whose Gram matrix needs no copy.
    for mode in sorted(range(3), key=lambda m: (array.shape[m], -m)):
        energies, vectors = np.linalg.eigh(gram(core, mode))
        energies, vectors = np.maximum(energies[::-1], 0.0), vectors[:, ::-1]
        size = min(ranks[mode], len(energies))
        if drop_negligible:
            rounding = len(energies) * np.finfo(np.float64).eps * energies[0]
            size = min(size, max(1, int(np.sum(energies > rounding))))
        bases[mode] = np.ascontiguousarray(vectors[:, :size])
        left_out[mode] = energies[size:]
        core = _multiply(core, bases[mode], mode)
    total = squared_norm(array)
    step, post, pre = left_out
    return Compression(array, total, core, (bases[0], bases[1], bases[2]), (step, post, pre))


def _multiply(
    array: Float[np.ndarray, "step post pre"], basis: Float[np.ndarray, "size kept"], mode: int
) -> Core:
    """The tensor with one axis expressed in the basis; matrix products over stacked slices."""
    if mode == 2:
        return array @ basis
    if mode == 1:
        return basis.T @ array
    return (basis.T @ array.reshape(len(array), -1)).reshape(-1, *array.shape[1:])
