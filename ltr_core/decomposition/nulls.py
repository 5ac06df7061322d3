"""What a tensor of weight changes would look like if learning were not low tensor rank.

Two kinds of comparison. Surrogates: the same updates turned at random, or random updates of the
same size. Energies: how much of the change simpler or freer models hold - one pattern that only
grows; a subspace that is free to move from step to step; one that is not.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from jaxtyping import Float
from tensorly import unfold

from ltr_core.decomposition.compression import compress_to
from ltr_core.decomposition.slices import updates
from ltr_core.decomposition.unfolding import energies
from ltr_core.decomposition.validation import (
    AnyTensor,
    as_nonzero_tensor,
    as_tensor,
    check_count,
    squared_norm,
)

Tensor = Float[np.ndarray, "step post pre"]


def rotated_steps_null(tensor: AnyTensor, rng: np.random.Generator) -> Tensor:
    """A change whose every update keeps its singular values but points anywhere.

    Each update, change[k] - change[k - 1] (the first: change[0]), is multiplied from both sides by
    its own random orthogonal matrix, uniformly distributed; the updates are cumulated again. What
    is lost is that updates share a subspace, and that they recur.

    - `tensor`: changes of the weights since the start of learning, (step, post, pre).
    - `rng`: the source of randomness.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import mode_ranks, nulls, synthetic
    >>> rng = np.random.default_rng(0)
    >>> change = synthetic.planted(rng, (6, 8, 8), rank=2).reconstruct()
    >>> mode_ranks(change), mode_ranks(nulls.rotated_steps_null(change, rng))
    ((2, 2, 2), (6, 8, 8))
    """
    steps = updates(as_tensor(tensor))
    return np.cumsum([turned(step, rng) for step in steps], axis=0)


def turned(
    matrix: Float[np.ndarray, "post pre"], rng: np.random.Generator
) -> Float[np.ndarray, "post pre"]:
    """A matrix with the same singular values, and singular vectors that point anywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> matrix = nulls.turned(np.diag([3.0, 2.0, 0.0]), np.random.default_rng(0))
    >>> np.linalg.svd(matrix)[1].round(3).tolist()
    [3.0, 2.0, 0.0]
    """
    n_post, n_pre = matrix.shape
    return _random_orthogonal(n_post, rng) @ matrix @ _random_orthogonal(n_pre, rng)


def turned_slices(tensor: AnyTensor, rng: np.random.Generator) -> Tensor:
    """Every slice `turned` by itself: each is of the same rank, and no subspace is shared.

    - `tensor`: (step, post, pre).
    - `rng`: the source of randomness.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import mode_ranks, nulls
    >>> stays = np.multiply.outer(np.arange(1.0, 5.0), np.diag([1.0, 0.0, 0.0, 0.0]))
    >>> mode_ranks(stays), mode_ranks(nulls.turned_slices(stays, np.random.default_rng(0)))
    ((1, 1, 1), (4, 4, 4))
    """
    return np.stack([turned(matrix, rng) for matrix in as_tensor(tensor)])


def random_walk_null(tensor: AnyTensor, rng: np.random.Generator) -> Tensor:
    """A random walk whose every step is as long as the update that it replaces.

    Gaussian matrices are scaled to the Frobenius norms of the updates and cumulated.

    - `tensor`: changes of the weights since the start of learning, (step, post, pre).
    - `rng`: the source of randomness.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> change = np.multiply.outer(np.arange(1.0, 5.0), np.eye(6))
    >>> walk = nulls.random_walk_null(change, np.random.default_rng(0))
    >>> first = np.linalg.norm(walk[0]), np.linalg.norm(walk[1] - walk[0])
    >>> np.allclose(first, np.linalg.norm(change[0]))
    True
    """
    steps = updates(as_tensor(tensor))
    walk = rng.standard_normal(steps.shape)
    walk *= np.linalg.norm(steps, axis=(1, 2), keepdims=True) / np.linalg.norm(
        walk, axis=(1, 2), keepdims=True
    )
    return np.cumsum(walk, axis=0)


def of_each(
    null: Callable[[AnyTensor, np.random.Generator], Tensor],
    tensors: Iterable[AnyTensor],
    *,
    seed: int = 0,
) -> Iterator[Tensor]:
    """One null for each of several tensors, made when it is asked for.

    Tensor i gets the same null however many there are.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> change = np.multiply.outer(np.arange(1.0, 5.0), np.eye(6))
    >>> one, other = nulls.of_each(nulls.random_walk_null, [change, change], seed=3)
    >>> one.shape, bool((one == other).any())
    ((4, 6, 6), False)
    """
    for index, tensor in enumerate(tensors):
        yield null(tensor, np.random.default_rng([seed, index]))


def grows_along_itself(tensor: AnyTensor) -> float:
    """The fraction of the squared norm held by the best single matrix times a profile over steps.

    Near 1, the change merely grows along itself: it is low rank over steps for free, and the
    tensor's rank tells no more than the rank of one matrix (the matrix-rank null).

    - `tensor`: changes of the weights, (step, post, pre), not zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> matrix = np.random.default_rng(0).normal(size=(6, 6))
    >>> round(nulls.grows_along_itself(np.multiply.outer(np.arange(1.0, 5.0), matrix)), 3)
    1.0
    """
    array = as_nonzero_tensor(tensor)
    return float(energies(array, 0)[0] / squared_norm(array))


def best_single_profile(tensor: AnyTensor) -> Tensor:
    """The best approximation by one matrix times a profile over steps: what just grows or shrinks.

    It holds the fraction `grows_along_itself` of the squared norm; the matrix may have any rank.

    - `tensor`: changes of the weights, (step, post, pre), not zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import mode_ranks, nulls
    >>> change = np.random.default_rng(0).normal(size=(5, 6, 6)).cumsum(axis=0)
    >>> mode_ranks(nulls.best_single_profile(change))
    (1, 6, 6)
    """
    array = as_nonzero_tensor(tensor)
    slices = array.reshape(len(array), -1)
    profile, _ = _leading(slices, 1)
    return (profile @ (profile.T @ slices)).reshape(array.shape)


def slice_truncation_energy(tensor: AnyTensor, rank: int) -> float:
    """The fraction of the squared norm held if every step's matrix is cut to this rank by itself.

    The subspace is free to move from step to step. No CP decomposition of this rank, and no
    shared subspace, can hold more.

    - `tensor`: changes of the weights, (step, post, pre), not zero.
    - `rank`: 1 to the smaller of post and pre.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> change = np.stack([np.diag([2.0, 0.0, 0.0]), np.diag([0.0, 2.0, 0.0])])
    >>> nulls.slice_truncation_energy(change, rank=1)  # each step is of rank one
    1.0
    """
    array = as_nonzero_tensor(tensor)
    check_count(rank, "rank", min(array.shape[1:]))
    singular_values = np.linalg.svd(array, compute_uv=False)
    return float(np.sum(singular_values[:, :rank] ** 2) / squared_norm(array))


def shared_subspace_energy(
    tensor: AnyTensor, rank: int, *, max_iterations: int = 100, tolerance: float = 1e-8
) -> float:
    """The fraction of the squared norm held by one post and one pre subspace for all steps.

    The subspaces are fixed; within them each step's matrix is free: a Tucker decomposition of
    sizes (step, rank, rank), by higher-order orthogonal iteration (De Lathauwer, De Moor &
    Vandewalle 2000) from the truncated higher-order SVD. It lies between the CP fit of this rank
    and `slice_truncation_energy`.

    - `tensor`: changes of the weights, (step, post, pre), not zero.
    - `rank`: dimension of the subspaces, 1 to the smaller of post and pre.
    - `max_iterations`: of the alternation.
    - `tolerance`: stops when the fraction grows by less.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import nulls
    >>> change = np.stack([np.diag([2.0, 0.0, 0.0]), np.diag([0.0, 2.0, 0.0])])
    >>> [round(nulls.shared_subspace_energy(change, rank), 3) for rank in (1, 2)]
    [0.5, 1.0]
    """
    array = as_nonzero_tensor(tensor)
    check_count(rank, "rank", min(array.shape[1:]))
    _, _, pre = compress_to(array, (len(array), rank, rank)).bases
    held, total = 0.0, squared_norm(array)
    for _ in range(max_iterations):
        post, _ = _leading(unfold(array @ pre, 1), rank)
        pre, energy = _leading(unfold(post.T @ array, 2), rank)
        previous, held = held, energy / total
        if held - previous < tolerance:
            break
    return held


def _random_orthogonal(size: int, rng: np.random.Generator) -> Float[np.ndarray, "n n"]:
    """Uniform over the orthogonal group: QR with the signs of R's diagonal (Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


def _leading(
    matrix: Float[np.ndarray, "size rest"], rank: int
) -> tuple[Float[np.ndarray, "size rank"], float]:
    """The leading left singular vectors of a matrix and the energy that they hold."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    return np.ascontiguousarray(vectors[:, -rank:]), float(np.sum(values[-rank:]))
