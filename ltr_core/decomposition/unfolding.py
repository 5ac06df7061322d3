"""Unfoldings of a tensor, their singular values and the ranks read from them."""

from collections.abc import Sequence

import numpy as np
import tensorly
from jaxtyping import Float

from ltr_core.decomposition.validation import AnyTensor, as_array, as_nonzero_tensor, as_tensor


def unfold(tensor: AnyTensor, mode: int) -> Float[np.ndarray, "size rest"]:
    """The tensor as a matrix whose rows run along the axis `mode`.

    TensorLy's convention: axis `mode` is moved to the front and the others, in their order, are
    flattened with the last varying fastest. (Kolda & Bader 2009 let the first vary fastest: the
    same columns in another order, hence the same singular values.)

    - `tensor`: of any number of axes.
    - `mode`: the axis, counted from 0.

    Raises
    ------
    ValueError
        If the tensor has no such axis.
    """
    array = as_array(tensor)
    _check_mode(mode, array.ndim)
    return tensorly.unfold(array, mode)


def fold(
    matrix: Float[np.ndarray, "size rest"], mode: int, shape: Sequence[int]
) -> Float[np.ndarray, "..."]:
    """The tensor of this shape whose unfolding along `mode` is the matrix: undoes `unfold`.

    Raises
    ------
    ValueError
        If the shape has no such axis or the matrix does not fit it.
    """
    array = as_array(matrix)
    shape = tuple(int(size) for size in shape)
    _check_mode(mode, len(shape))
    rest = int(np.prod(shape[:mode] + shape[mode + 1 :]))
    if array.shape != (shape[mode], rest):
        raise ValueError(
            f"the matrix has shape {array.shape}, but the unfolding along axis {mode} of a tensor "
            f"of shape {shape} has {(shape[mode], rest)}"
        )
    return tensorly.fold(array, mode, shape)


def mode_spectra(tensor: AnyTensor) -> list[Float[np.ndarray, " component"]]:
    """The singular values of the three unfoldings, largest first.

    Accurate to machine precision relative to the largest: each unfolding is reduced by a QR
    decomposition. (Squaring it into a Gram matrix would be faster, but would bury every singular
    value below 1e-8 of the largest.)

    - `tensor`: (step, post, pre).

    Returns
    -------
    One array for each axis, min(its size, the product of the other two) long.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import mode_spectra
    >>> tensor = np.multiply.outer(np.array([3.0, 4.0]), np.eye(2))
    >>> [spectrum.round(3).tolist() for spectrum in mode_spectra(tensor)]
    [[7.071, 0.0], [5.0, 5.0], [5.0, 5.0]]
    """
    array = as_tensor(tensor)
    return [_singular_values(tensorly.unfold(array, mode)) for mode in range(3)]


def mode_ranks(tensor: AnyTensor, tolerance: float = 1e-8) -> tuple[int, int, int]:
    """The multilinear rank: how many singular values of each unfolding are not negligible.

    - `tensor`: (step, post, pre); a zero tensor has ranks (0, 0, 0).
    - `tolerance`: a singular value counts if it is above this fraction of the largest.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import mode_ranks
    >>> grows = np.multiply.outer(np.arange(1.0, 6.0), np.diag([1.0, 2.0, 0.0]))
    >>> mode_ranks(grows)  # one matrix of rank 2, times a profile over steps
    (1, 2, 2)
    """
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}; expected a fraction of 0 to below 1")
    step, post, pre = (int(np.sum(s > tolerance * s[0])) for s in mode_spectra(tensor))
    return step, post, pre


def energy_ranks(tensor: AnyTensor, fraction: float) -> tuple[int, int, int]:
    """The fewest components of each axis that hold this fraction of the squared norm.

    - `tensor`: (step, post, pre), not zero.
    - `fraction`: above 0 and below 1 (for all of it, ask `mode_ranks`).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import energy_ranks
    >>> grows = np.multiply.outer(np.arange(1.0, 6.0), np.diag([10.0, 1.0, 0.0]))
    >>> energy_ranks(grows, 0.9), energy_ranks(grows, 0.999)
    ((1, 1, 1), (1, 2, 2))
    """
    if not 0 < fraction < 1:
        raise ValueError(
            f"fraction is {fraction}; expected above 0 and below 1 (for 1, use mode_ranks)"
        )
    array = as_nonzero_tensor(tensor)
    step, post, pre = (_components_holding(fraction, energies(array, m)) for m in range(3))
    return step, post, pre


def energies(
    array: Float[np.ndarray, "step post pre"], mode: int
) -> Float[np.ndarray, " component"]:
    """The squared singular values of an unfolding, largest first, from its Gram matrix.

    As fractions of the squared norm they are as accurate as those of a singular value
    decomposition; their square roots are not.
    """
    return np.maximum(np.linalg.eigvalsh(gram(array, mode))[::-1], 0.0)


def gram(array: Float[np.ndarray, "step post pre"], mode: int) -> Float[np.ndarray, "size size"]:
    """The unfolding times its own transpose, formed without copying the first and last mode."""
    if mode == array.ndim - 1:
        rows = array.reshape(-1, array.shape[mode])
        return rows.T @ rows
    matrix = tensorly.unfold(array, mode)
    return matrix @ matrix.T


def _singular_values(matrix: Float[np.ndarray, "size rest"]) -> Float[np.ndarray, " component"]:
    if matrix.shape[1] > matrix.shape[0]:
        return np.linalg.svd(np.linalg.qr(matrix.T, mode="r"), compute_uv=False)
    return np.linalg.svd(matrix, compute_uv=False)


def _components_holding(fraction: float, held: Float[np.ndarray, " component"]) -> int:
    cumulated = np.cumsum(held)
    return int(np.searchsorted(cumulated, fraction * cumulated[-1])) + 1


def _check_mode(mode: int, n_axes: int) -> None:
    if not 0 <= mode < n_axes:
        raise ValueError(f"mode is {mode}; a tensor of {n_axes} axes has modes 0 to {n_axes - 1}")
