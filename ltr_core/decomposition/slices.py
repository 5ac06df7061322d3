"""A change of weights over learning, slice by slice: what each step adds, scaled, or permuted.

A slice is the matrix of one step. The data type is kept.
"""

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition.validation import as_tensor

Tensor = Float[np.ndarray, "step post pre"]


def updates(tensor: Tensor) -> Tensor:
    """What each step adds: the first slice, and the differences of each to the one before.

    - `tensor`: changes of the weights since the start of learning, (step, post, pre).

    Raises
    ------
    ValueError
        Unless there are three axes, none empty, and all entries are finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.decomposition import slices
    >>> change = np.array([1.0, 3.0, 2.0]).reshape(3, 1, 1)
    >>> slices.updates(change).ravel().tolist()
    [1.0, 2.0, -1.0]
    """
    as_tensor(tensor)
    return np.diff(tensor, axis=0, prepend=tensor.dtype.type(0))


def unit_norm(tensor: Tensor) -> Tensor:
    """Every slice scaled to norm 1, so that all steps count alike in a share of the squared norm.

    - `tensor`: changes of the weights, (step, post, pre), no slice zero.

    Raises
    ------
    ValueError
        For a slice that is zero, which has no direction; or as `updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> from ltr_core.decomposition import slices
    >>> change = np.stack([np.diag([1.0, 0.0]), np.diag([0.0, 3.0])])
    >>> nulls.grows_along_itself(change), nulls.grows_along_itself(slices.unit_norm(change))
    (0.9, 0.5)
    """
    norms = _norms(tensor)
    if not norms.all():
        raise ValueError(
            f"slice {int(norms.ravel().argmin())} of {len(norms)} is zero and cannot be scaled to "
            "norm 1: leave out the steps before anything changed"
        )
    return tensor / norms


def grown_final(tensor: Tensor) -> Tensor:
    """The final slice, growing in proportion to the norms of all slices.

    A change of any course that is one matrix times one profile, and so low rank over steps for
    free (the matrix-rank null).

    - `tensor`: changes of the weights, (step, post, pre).

    Raises
    ------
    ValueError
        As `updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.decomposition import slices
    >>> change = np.stack([np.diag([3.0, 0.0]), np.diag([0.0, 1.0])])
    >>> slices.grown_final(change).tolist()
    [[[0.0, 0.0], [0.0, 3.0]], [[0.0, 0.0], [0.0, 1.0]]]
    """
    return _norms(tensor) * tensor[-1]


def permuted(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    """Every slice with all its entries in other places: the same numbers, no rows or columns.

    - `tensor`: matrices, (step, post, pre); those of several networks will do.
    - `rng`: the source of randomness.

    Raises
    ------
    ValueError
        As `updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.decomposition import slices
    >>> found = slices.permuted(np.ones((1, 4, 4)).cumsum(axis=2), np.random.default_rng(0))
    >>> np.sort(found.ravel()).tolist() == sorted(4 * [1.0, 2.0, 3.0, 4.0])
    True
    """
    as_tensor(tensor)
    return np.stack([rng.permuted(one.ravel()).reshape(one.shape) for one in tensor])


def _norms(tensor: Tensor) -> Float[np.ndarray, "step 1 1"]:
    as_tensor(tensor)
    return np.linalg.norm(tensor, axis=(1, 2), keepdims=True)
