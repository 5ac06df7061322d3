"""What learning changed in the recurrent weights, and how much of it the task needs.

The measures of Schuessler et al. (2020). The *change* is the recurrent weights after learning less
those before; its *functional rank* is the least rank to which it can be cut without losing the
task. Networks after learning are taken at the best of their recent epochs (`Training.best`).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Real
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.tasks import Task, Trials
from ltr_core.training import Training, task_loss

THRESHOLD = 0.05


def learning_time(
    loss: Float[Tensor, "network epoch"], threshold: float = THRESHOLD
) -> Float[np.ndarray, " network"]:
    """The first epoch whose loss is below a share of the first epoch's; infinite if there is none.

    The loss is that of single batches, not smoothed.

    Examples
    --------
    >>> import torch
    >>> from ltr_core.learned_change import learning_time
    >>> learning_time(torch.tensor([[1.0, 0.5, 0.04, 0.01], [1.0, 0.9, 0.8, 0.7]])).tolist()
    [2.0, inf]
    """
    below = loss < threshold * loss[:, :1]
    first = below.to(torch.int8).argmax(1).double()
    return torch.where(below.any(1), first, torch.inf).numpy()


def at_learning(
    values: Real[np.ndarray, "network epoch"], time: Float[np.ndarray, " network"]
) -> Float[np.ndarray, " network"]:
    """What was measured at every epoch, at each network's learning time (the last without one).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.learned_change import at_learning
    >>> norms = np.array([[0.0, 2.0, 3.0], [0.0, 1.0, 5.0]])
    >>> at_learning(norms, np.array([1.0, np.inf])).tolist()
    [2.0, 5.0]
    """
    places = np.minimum(time, values.shape[1] - 1).astype(int)
    return np.take_along_axis(values, places[:, None], 1)[:, 0].astype(float)


def until_learning(
    values: Real[np.ndarray, "network epoch"], time: Float[np.ndarray, " network"]
) -> Float[np.ndarray, " network"]:
    """Its mean over the epochs before each network's learning time (all without one).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.learned_change import until_learning
    >>> norms = np.array([[0.0, 2.0, 3.0], [0.0, 1.0, 5.0]])
    >>> until_learning(norms, np.array([2.0, np.inf])).tolist()
    [1.0, 2.0]
    """
    before = np.arange(values.shape[1]) < time[:, None]
    return (values * before).sum(1) / before.sum(1)


def scaling_exponents(
    values: Real[np.ndarray, "network size"], sizes: Sequence[int] | Real[np.ndarray, " size"]
) -> Float[np.ndarray, " network"]:
    """The power that each network's values grow with: a straight line on logarithmic axes.

    - `sizes`: of the networks, or any other quantity that was varied.

    Raises ValueError where values or sizes are not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.learned_change import scaling_exponents
    >>> sizes = [64, 128, 256]
    >>> scaling_exponents(np.array([np.sqrt(sizes)]), sizes).round(2).tolist()
    [0.5]
    """
    if not (values > 0).all() or not (np.asarray(sizes) > 0).all():
        raise ValueError("values and sizes must be above 0: their logarithms are taken.")
    return np.polyfit(np.log(sizes), np.log(values.T), 1)[0]


def change_of(training: Training) -> Float[Tensor, "network post pre"]:
    """The change of the recurrent weights, at the best recent epoch."""
    return training.best.recurrent - training.start.recurrent


def truncated(
    matrix: Float[Tensor, "network post pre"], ranks: Sequence[int]
) -> Float[Tensor, "rank network post pre"]:
    """The best approximations of matrices at given ranks (0 included), by their SVD."""
    check_ranks(ranks, min(matrix.shape[1:]))
    u, s, v = torch.linalg.svd(matrix.double(), full_matrices=False)
    cut = [(u[..., :r] * s[..., None, :r]) @ v[..., :r, :] for r in ranks]
    return torch.stack(cut).to(matrix.dtype)


def truncation_losses(
    training: Training,
    task: Task,
    trials: Trials,
    ranks: Sequence[int],
    *,
    of: Literal["change", "weights"] = "change",
    initial: Float[Tensor, "network neuron"] | None = None,
) -> Float[np.ndarray, "network rank"]:
    """The loss with the change, or the weights themselves, cut to each rank.

    Trained input and output weights are kept in any case; the loss is that of `trials`.
    Raises ValueError for ranks that are not from 0 to the number of units, or for another `of`.
    """
    if of == "change":
        versions = training.start.recurrent + truncated(change_of(training), ranks)
    elif of != "weights":
        raise ValueError(f"of is '{of}': give 'change' or 'weights'.")
    else:
        versions = truncated(training.best.recurrent, ranks)
    losses = [
        task_loss(training.best._replace(recurrent=version), task, trials, initial)
        for version in versions
    ]
    return torch.stack(losses, dim=1).double().numpy()


def functional_rank(
    losses: Float[np.ndarray, "network rank"],
    ranks: Sequence[int],
    threshold: float = THRESHOLD,
) -> Float[np.ndarray, " network"]:
    """The least rank whose loss is below a share of that at rank 0; infinite if there is none.

    Losses are not monotone in the rank: a higher rank may be worse again. Raises ValueError unless
    `ranks` begins with 0 and fits `losses`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.learned_change import functional_rank
    >>> losses = np.array([[1.0, 0.4, 0.01], [1.0, 0.8, 0.6]])
    >>> functional_rank(losses, ranks=[0, 1, 2]).tolist()
    [2.0, inf]
    """
    if len(ranks) != losses.shape[1] or ranks[0] != 0:
        raise ValueError(
            f"ranks are {list(ranks)}, losses have {losses.shape[1]}: give the rank of each loss, "
            "beginning with 0."
        )
    below = losses < threshold * losses[:, :1]
    least = np.asarray(ranks, dtype=float)[below.argmax(1)]
    return np.where(below.any(1), least, np.inf)


def shuffled_loss(
    training: Training,
    task: Task,
    trials: Trials,
    *,
    seed: int = 0,
    initial: Float[Tensor, "network neuron"] | None = None,
) -> Float[np.ndarray, " network"]:
    """The loss with all entries of the initial recurrent weights permuted and the change kept.

    If the change alone did the work, or any random weights would serve it, this were the loss
    after learning. Network i is permuted the same however many there are.
    """
    recurrent = permuted(training.start.recurrent, seed=seed) + change_of(training)
    shuffled = training.best._replace(recurrent=recurrent)
    return task_loss(shuffled, task, trials, initial).double().numpy()


def permuted(
    recurrent: Float[Tensor, "network post pre"], *, seed: int = 0
) -> Float[Tensor, "network post pre"]:
    """Each matrix with all its entries permuted; matrix i the same however many there are."""
    found = []
    for index, weights in enumerate(recurrent):
        order = np.random.default_rng([seed, index, 2]).permutation(weights.numel())
        found.append(weights.flatten()[torch.from_numpy(order)].reshape(weights.shape))
    return torch.stack(found)


def singular_values(
    change: Float[Tensor, "*batch post pre"], n: int
) -> Float[np.ndarray, "*batch value"]:
    """The `n` largest singular values of matrices, descending."""
    return torch.linalg.svdvals(change.double())[..., :n].numpy()


def eigenvalues(networks: RNN) -> np.ndarray:
    """Eigenvalues of the recurrent weights, complex, (network, neuron).

    Examples
    --------
    >>> from ltr_core import random_networks
    >>> from ltr_core.learned_change import eigenvalues
    >>> found = eigenvalues(random_networks(2, 100, n_inputs=1, n_outputs=1, g=0.5))
    >>> found.shape, bool(abs(found).max() < 0.6)  # a disk of radius g
    ((2, 100), True)
    """
    return torch.linalg.eigvals(networks.recurrent.double()).numpy()


def norms(matrix: Float[Tensor, "*batch post pre"]) -> Float[np.ndarray, "*batch"]:
    """Frobenius norms."""
    return torch.linalg.matrix_norm(matrix.double()).numpy()


def check_ranks(ranks: Sequence[int], largest: int) -> None:
    """Raise ValueError unless there are ranks, all from 0 to the largest."""
    if not ranks or any(not 0 <= rank <= largest for rank in ranks):
        raise ValueError(f"ranks are {list(ranks)}: give ranks from 0 to {largest}.")
