"""Where low tensor rank ends: learning in one setting, until as much is learned as in the others.

`learn_to` trains networks until each has lost the same share of its loss and keeps the change on
the way; `change_ranks` measures it.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ltr_core.rnn import RNN, mean_field_networks, simulate
from ltr_core.rollout import Nonlinearity
from ltr_core.sweeps import Arrays
from ltr_core.tasks import Noisy, Task, Trials, with_private_inputs
from ltr_core.training import Optimiser, task_loss, train

N_CANDIDATES = 200
"""How often the weights are recorded, for `learn_to` to choose from."""


class Learnt(NamedTuple):
    """Networks of one setting that learned, each recorded until it had lost as much of its loss.

    Losses are shares of the start's, on the task without its noise.

    - `change` (network, record, post, pre): of the recurrent weights, evenly over the updates.
    - `start` (network, post, pre): the recurrent weights before.
    - `updates` (network,): after how many the loss was low enough; `reached`: whether it was (if
      not, the record goes on to the last update). `loss`: the loss then.
    - `relative` (network,): Frobenius norm of the change then, over sqrt(N), that of random weights
      of g = 1.
    - `activity` (network,): norm of the change of phi(x) over that of phi(x) at the start.

    Examples
    --------
    >>> from ltr_core import FixedPoint
    >>> from ltr_core.limits import Learnt, learn_to
    >>> sizes = {"n_networks": 2, "n_units": 10, "n_trials": 2, "n_epochs": 5, "n_records": 5}
    >>> learnt = Learnt(**learn_to(task=FixedPoint(), g=0.5, **sizes))
    >>> learnt.change.shape, learnt.reached.tolist()  # five updates are too few
    ((2, 5, 10, 10), [False, False])
    """

    change: Float[np.ndarray, "network record post pre"]
    start: Float[np.ndarray, "network post pre"]
    updates: Int[np.ndarray, " network"]
    reached: Bool[np.ndarray, " network"]
    loss: Float[np.ndarray, " network"]
    relative: Float[np.ndarray, " network"]
    activity: Float[np.ndarray, " network"]


def learn_to(
    *,
    task: Task,
    g: float,
    n_networks: int,
    n_units: int,
    n_trials: int,
    n_epochs: int,
    share: float = 0.05,
    readout: float = 1.0,
    nonlinearity: Nonlinearity = "tanh",
    optimiser: Optimiser = "sgd",
    learning_rate: float | None = None,
    progress: float = 0.02,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    n_records: int = 25,
    seed: int = 0,
) -> Arrays:
    """Train the recurrent weights until the loss is below a share of the first; see `Learnt`.

    - `task`: one with noise is a `Noisy`; the loss is judged without it.
    - `readout`: factor of the readout weights, whose rows have norm 1 / sqrt(N) at 1 (small: the
      activity must change for the output to; large: hardly).
    - `learning_rate`: if not given, so that the first update, without noise, would take `progress`
      of the loss if the loss were linear (the median over networks; times 1 - momentum).
    - `n_epochs`: where training stops at the latest.

    Raises what `train` does, and ValueError for fewer than `n_records` updates.

    Examples
    --------
    >>> from ltr_core import FixedPoint
    >>> from ltr_core.limits import learn_to
    >>> sizes = {"n_networks": 2, "n_units": 10, "n_trials": 2, "n_epochs": 5, "n_records": 5}
    >>> found = learn_to(task=FixedPoint(), g=0.5, **sizes)
    >>> bool((found["loss"] < 1).all()), bool((found["relative"] > 0).all())
    (True, True)
    """
    if n_epochs < n_records:
        raise ValueError(f"n_epochs is {n_epochs}: give at least n_records ({n_records}).")
    clean = task.task if isinstance(task, Noisy) else task
    plain = mean_field_networks(
        n_networks,
        n_units,
        clean.n_inputs,
        clean.n_outputs,
        g=g,
        nonlinearity=nonlinearity,
        seed=seed,
    )
    plain = plain._replace(outward=readout * plain.outward)
    private = task.n_inputs > clean.n_inputs
    if learning_rate is None:
        learning_rate = (1 - momentum) * first_rate(plain, clean, n_trials, progress, seed)
    every = max(1, n_epochs // N_CANDIDATES)
    training = train(
        with_private_inputs(plain) if private else plain,
        task,
        n_epochs=n_epochs,
        learning_rate=learning_rate,
        n_trials=n_trials,
        optimiser=optimiser,
        momentum=momentum,
        weight_decay=weight_decay,
        trained=("recurrent",),
        record_at=list(range(0, n_epochs + 1, every)),
        # noise lifts the loss of the batches: those runs go on to the end
        stop_below=0.7 * share if task is clean else None,
        seed=seed,
    )
    trials = clean.sample(n_trials, np.random.default_rng(0))
    losses = _losses(plain, clean, trials, training.change)
    below = losses <= share
    last = torch.where(below.any(1), below.to(torch.int8).argmax(1), losses.shape[1] - 1)
    change = _evenly(training.change, last, n_records)
    after = plain._replace(recurrent=plain.recurrent + change[:, -1])
    inputs = trials.inputs[None].to(plain.recurrent.dtype)
    before, now = (simulate(n, inputs, clean.dt).activity for n in (plain, after))
    found = Learnt(
        change=change.numpy(),
        start=plain.recurrent.numpy(),
        updates=training.recorded[last].numpy(),
        reached=below.any(1).numpy(),
        loss=losses.gather(1, last[:, None])[:, 0].double().numpy(),
        relative=torch.linalg.matrix_norm(change[:, -1]).double().numpy() / n_units**0.5,
        activity=((now - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)).numpy(),
    )
    return found._asdict()


def first_rate(networks: RNN, task: Task, n_trials: int, progress: float, seed: int) -> float:
    """The rate at which one update would take this share of a linear loss; median over networks.

    Examples
    --------
    >>> from ltr_core import FixedPoint
    >>> from ltr_core.limits import first_rate
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 10, n_inputs=1, n_outputs=1, g=0.5)
    >>> rates = [first_rate(networks, FixedPoint(), 2, share, seed=0) for share in (0.01, 0.02)]
    >>> round(rates[1] / rates[0], 3)
    2.0
    """
    once = train(
        networks,
        task,
        n_epochs=1,
        learning_rate=0.0,
        n_trials=n_trials,
        optimiser="sgd",
        trained=("recurrent",),
        seed=seed,
    )
    rates = progress * once.loss[:, 0] / once.gradient_norm[:, 0].square()
    return float(rates.median())


def _losses(
    networks: RNN, task: Task, trials: Trials, change: Float[Tensor, "network record post pre"]
) -> Float[Tensor, "network record"]:
    """The loss of each network at each record, as a share of that at its first."""
    found = [
        task_loss(networks._replace(recurrent=networks.recurrent + now), task, trials)
        for now in change.unbind(1)
    ]
    losses = torch.stack(found, dim=1)
    return losses / losses[:, :1]


def _evenly(
    change: Float[Tensor, "network record post pre"], last: Int[Tensor, " network"], n_records: int
) -> Float[Tensor, "network chosen post pre"]:
    """Records spread evenly up to each network's last, which is one of them; never the first."""
    kept = [np.linspace(0, int(k), n_records + 1).round().astype(int)[1:] for k in last]
    return torch.stack([one[torch.from_numpy(k)] for one, k in zip(change, kept, strict=True)])
