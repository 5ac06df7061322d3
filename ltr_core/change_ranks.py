"""How much it takes to describe a change of weights over learning, and what learning more adds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition import energy_ranks, nulls, rank_curve
from ltr_core.learning import LearningRecord

CP_RANKS = (1, 2, 3, 4, 6, 8, 12, 16)


class Ranks(NamedTuple):
    """How much it takes to hold a fraction of the squared norm of one network's change.

    - `over_updates`, `receiving`, `sending`: components of the three axes (energy ranks).
    - `cp`: the smallest CP rank tried that fits it; infinite if none does.
    - `final`: singular values of the final change (the matrix-rank null).
    - `one_profile`: what one profile over updates times one matrix holds (a fraction).
    """

    over_updates: int
    receiving: int
    sending: int
    cp: float
    final: int
    one_profile: float


def ranks_of(
    change: Float[np.ndarray, "record post pre"],
    *,
    fraction: float = 0.95,
    cp_ranks: Sequence[int] = CP_RANKS,
    seed: int = 0,
) -> Ranks:
    """The ranks of one change over learning; without `cp_ranks` no CP decomposition is tried.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.change_ranks import ranks_of
    >>> rng = np.random.default_rng(0)
    >>> pattern = np.outer(rng.normal(size=8), rng.normal(size=8))
    >>> change = np.linspace(0, 1, 6)[:, None, None] * pattern  # one pattern that grows
    >>> ranks = ranks_of(change, cp_ranks=(1, 2))
    >>> ranks.over_updates, ranks.receiving, ranks.cp, ranks.final
    (1, 1, 1.0, 1)
    """
    tensor = np.asarray(change, dtype=float)
    cp = np.inf
    if cp_ranks:
        curve = rank_curve(tensor, cp_ranks, (seed,), n_restarts=2, max_iterations=200)
        cp = float(curve.rank_holding(fraction) or np.inf)
    held = np.cumsum(np.linalg.svd(tensor[-1], compute_uv=False) ** 2)
    final = int(np.searchsorted(held, fraction * held[-1])) + 1
    return Ranks(*energy_ranks(tensor, fraction), cp, final, nulls.grows_along_itself(tensor))


def without(
    change: Float[np.ndarray, "record post pre"], matrix: Float[np.ndarray, "post pre"]
) -> Float[np.ndarray, "record post pre"]:
    """A change with its part along one matrix taken out of every slice.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.change_ranks import without
    >>> change = np.array([[[2.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]])
    >>> without(change, np.array([[1.0, 0.0], [0.0, 0.0]])).tolist()
    [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 3.0]]]
    """
    unit = np.asarray(matrix, dtype=float) / np.linalg.norm(matrix)
    along = np.tensordot(change, unit, axes=2)
    return change - along[:, None, None] * unit


def epoch_changes(record: LearningRecord, network: int) -> Float[np.ndarray, "epoch post pre"]:
    """What each epoch of a schedule added to one network's weights.

    Examples
    --------
    >>> from ltr_core import Epoch, Hand, Reaching, random_networks, record_learning
    >>> from ltr_core.change_ranks import epoch_changes
    >>> task = Reaching()
    >>> networks = random_networks(1, 10, task.n_inputs, task.n_outputs)
    >>> record = record_learning(networks, task, Hand(), [Epoch("first", 3), Epoch("second", 2)])
    >>> epoch_changes(record, network=0).shape
    (2, 10, 10)
    """
    names = list(record.epoch)
    ends = [k + 1 for k, name in enumerate(names) if k + 1 == len(names) or names[k + 1] != name]
    weights = record.weights[network, [0, *ends]].double().numpy()
    return np.diff(weights, axis=0)


def held_by_earlier(
    changes: Float[np.ndarray, "epoch post pre"], n_directions: int
) -> Float[np.ndarray, " later_epoch"]:
    """The share of each change, from the second on, in the leading directions of those before.

    As many of the receiving as of the sending units, from the earlier changes side by side. A
    change that points anywhere would have (n_directions / N)^2 of its squared norm there.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.change_ranks import held_by_earlier
    >>> first = np.diag([3.0, 1.0, 0.0])
    >>> other = np.diag([0.0, 0.0, 2.0])
    >>> held_by_earlier(np.array([first, 2 * first + other]), n_directions=2).round(2).tolist()
    [0.91]
    """
    shares = []
    for k in range(1, len(changes)):
        earlier, now = changes[:k], changes[k]
        post = np.linalg.svd(np.concatenate(list(earlier), axis=1))[0][:, :n_directions]
        pre = np.linalg.svd(np.concatenate(list(earlier.transpose(0, 2, 1)), axis=1))[0]
        inside = post.T @ now @ pre[:, :n_directions]
        shares.append(np.sum(inside**2) / np.sum(now**2))
    return np.array(shares)


def span_of_earlier(changes: Float[np.ndarray, "epoch post pre"]) -> Float[np.ndarray, " later"]:
    """The share of each change, from the second on, that is a combination of those before.

    High where a change adds no component to the tensor, not even one of the old directions.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.change_ranks import span_of_earlier
    >>> first = np.diag([3.0, 1.0])
    >>> span_of_earlier(np.array([first, -2 * first, np.diag([1.0, 3.0])])).round(2).tolist()
    [1.0, 0.36]
    """
    shares = []
    for k in range(1, len(changes)):
        basis, values, _ = np.linalg.svd(changes[:k].reshape(k, -1).T, full_matrices=False)
        basis = basis[:, values > 1e-10 * values[0]]  # earlier ones may depend on each other
        now = changes[k].ravel()
        shares.append(np.sum((basis.T @ now) ** 2) / np.sum(now**2))
    return np.array(shares)
