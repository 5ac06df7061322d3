"""Learning of tasks from random connectivity, with the recurrent weights recorded on the way.

As Schuessler et al. (2020) train: batches of fresh trials, plain gradient descent or Adam, input,
recurrent and output weights all trained unless said otherwise, and the loss

    L = 1/2 sum m (y - z)^2 / sum m

over trials, times and outputs, with the mask m counted once for every output. Every network of the
batch has trials and a loss of its own, so that one call trains several samples.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from ltr_core.counts import check_counts
from ltr_core.descent import ALL_WEIGHTS, Descent, Weights
from ltr_core.learning import Diverged, check_rate
from ltr_core.rnn import RNN, simulate
from ltr_core.tasks import Task, Trials

Optimiser = Literal["adam", "sgd"]
# Losses of the nonlinear tasks spike; beyond this multiple of the first they do not come back.
DIVERGED = 1e3


class Training(NamedTuple):
    """Networks that learned a task, and what was recorded of it.

    - `start`, `final`: the networks before the first update and after the last.
    - `best`: with the weights of the least loss among the last `recent` epochs, since losses spike.
    - `loss` (network, epoch): of each epoch's batch, before its update.
    - `gradient_norm` (network, epoch): Frobenius norm of the gradient by the recurrent weights.
    - `change_norm` (network, epoch): and of their change so far, before that epoch's update.
    - `recorded` (record,): numbers of updates after which the recurrent weights were recorded.
    - `change` (network, record, post, pre): recurrent weights then, less those of the start.
    """

    start: RNN
    best: RNN
    final: RNN
    loss: Float[Tensor, "network epoch"]
    gradient_norm: Float[Tensor, "network epoch"]
    change_norm: Float[Tensor, "network epoch"]
    recorded: Int[Tensor, " record"]
    change: Float[Tensor, "network record post pre"]


def train(
    networks: RNN,
    task: Task,
    *,
    n_epochs: int,
    learning_rate: float,
    n_trials: int = 32,
    optimiser: Optimiser = "adam",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    trained: Sequence[Weights] = ALL_WEIGHTS,
    record_at: Sequence[int] = (),
    recent: int | None = None,
    initial: Float[Tensor, "network neuron"] | None = None,
    stop_below: float | None = None,
    observer: Callable[[Descent], None] | None = None,
    seed: int = 0,
) -> Training:
    """Train networks on a task, each on batches of trials of its own.

    - `learning_rate`: Schuessler et al. use 0.05 / N with Adam.
    - `momentum`: of plain gradient descent (each update adds this share of the one before).
    - `weight_decay`: of the recurrent weights, towards zero. With "sgd" it is added to the gradient
      (weight_decay W, an L2 penalty), with "adam" it is decoupled (AdamW).
    - `record_at`: numbers of updates, increasing, from 0 to `n_epochs`.
    - `recent`: how many of the last epochs `best` is chosen from (default: a fifth of them).
    - `initial`: the state x before the first step (zero if not given).
    - `stop_below`: stop when every network's loss has been below this share of its first.
    - `observer`: is shown every epoch's gradients, and what they are made of, before the update.

    Raises `Diverged` when a loss is not finite or a thousand times the first, and ValueError for
    settings out of range.

    Examples
    --------
    >>> from ltr_core import FixedPoint
    >>> from ltr_core.rnn import mean_field_networks
    >>> from ltr_core.training import train
    >>> task = FixedPoint()
    >>> networks = mean_field_networks(2, 20, task.n_inputs, task.n_outputs, g=0.5)
    >>> training = train(networks, task, n_epochs=5, learning_rate=0.01, record_at=[2, 5])
    >>> tuple(training.loss.shape), tuple(training.change.shape)
    ((2, 5), (2, 2, 20, 20))
    """
    recent = max(1, n_epochs // 5) if recent is None else recent
    counts = {"n_epochs": n_epochs, "n_trials": n_trials, "recent": recent}
    _check(networks, task, counts, trained, record_at)
    check_rate(learning_rate)
    if optimiser not in get_args(Optimiser):
        raise ValueError(
            f"optimiser is '{optimiser}': give one of {', '.join(get_args(Optimiser))}."
        )
    weights: dict[str, Tensor] = {name: getattr(networks, name).clone() for name in ALL_WEIGHTS}
    decay = {"recurrent": weight_decay}
    groups = [{"params": [weights[n]], "weight_decay": decay.get(n, 0.0)} for n in trained]
    optimizer = _optimizer(groups, optimiser, learning_rate, momentum)
    generators = [np.random.default_rng([seed, i, 1]) for i in range(networks.n_networks)]
    descent = Descent(networks, weights, trained, task, initial)
    keeper = _Keeper(networks, weights, n_epochs, record_at, recent)
    for epoch in tqdm(range(n_epochs), desc="training", leave=False):
        keeper.record(epoch)
        batch = _stacked([task.sample(n_trials, rng) for rng in generators])
        with np.errstate(over="ignore", invalid="ignore"):  # told below, as Diverged
            loss, norm = descent.gradients(batch)
        keeper.note(epoch, loss, norm)
        if observer is not None:
            observer(descent)
        _check_finite(keeper.loss, epoch, optimiser, learning_rate)
        if stop_below is not None and keeper.all_below(stop_below):
            break
        optimizer.step()
    else:
        keeper.record(n_epochs)
    return keeper.training()


class _Keeper:
    """What is kept of a training: losses, changes at chosen updates, the best recent weights."""

    def __init__(
        self,
        start: RNN,
        weights: dict[str, Tensor],
        n_epochs: int,
        record_at: Sequence[int],
        recent: int,
    ) -> None:
        n_networks, n_units = start.n_networks, start.n_units
        self.start, self.weights = start, weights
        self.n_epochs, self.recent = n_epochs, recent
        self.record_at = list(record_at)
        self.loss = torch.full((n_networks, n_epochs), torch.inf)
        self.gradient_norm = torch.zeros(n_networks, n_epochs)
        self.change_norm = torch.zeros(n_networks, n_epochs)
        # the changes themselves: nothing is held as weights and as changes at once
        self.change = start.recurrent.new_zeros(n_networks, len(record_at), n_units, n_units)
        self.best = {name: weight.clone() for name, weight in weights.items()}
        self.least = torch.full((n_networks,), torch.inf)
        self.n_updates = 0
        self.n_run = 0

    def record(self, n_updates: int) -> None:
        """Record the change if it is asked for after so many updates."""
        self.n_updates = n_updates
        if n_updates in self.record_at:
            place = self.record_at.index(n_updates)
            torch.sub(self.weights["recurrent"], self.start.recurrent, out=self.change[:, place])

    def note(self, epoch: int, loss: np.ndarray, gradient_norm: np.ndarray) -> None:
        """Keep an epoch's loss, and the weights that made it if they are the best of late."""
        self.n_run = epoch + 1
        self.loss[:, epoch] = torch.from_numpy(loss)
        self.gradient_norm[:, epoch] = torch.from_numpy(gradient_norm)
        change = self.weights["recurrent"] - self.start.recurrent
        self.change_norm[:, epoch] = torch.linalg.matrix_norm(change)
        if epoch >= self.n_epochs - self.recent:
            better = self.loss[:, epoch] < self.least
            self.least[better] = self.loss[better, epoch]
            for name, weight in self.weights.items():
                self.best[name][better] = weight[better]

    def all_below(self, share: float) -> bool:
        """Whether every network's loss has been below a share of its first."""
        run = self.loss[:, : self.n_run]
        return bool((run.min(1).values < share * run[:, 0]).all())

    def training(self) -> Training:
        """The record; networks that were stopped early are at their best where they stopped."""
        final = self._with(self.weights)
        stopped = self.n_updates < self.n_epochs
        kept = [place for place, n in enumerate(self.record_at) if n <= self.n_updates]
        return Training(
            start=self.start,
            best=final if stopped else self._with(self.best),
            final=final,
            loss=self.loss[:, : self.n_run],
            gradient_norm=self.gradient_norm[:, : self.n_run],
            change_norm=self.change_norm[:, : self.n_run],
            recorded=torch.tensor(self.record_at, dtype=torch.int64)[: len(kept)],
            change=self.change[:, : len(kept)],
        )

    def _with(self, weights: dict[str, Tensor]) -> RNN:
        recurrent, inward, outward = (weights[name] for name in ALL_WEIGHTS)
        return self.start._replace(recurrent=recurrent, inward=inward, outward=outward)


def task_loss(
    networks: RNN,
    task: Task,
    trials: Trials,
    initial: Float[Tensor, "network neuron"] | None = None,
) -> Float[Tensor, " network"]:
    """The loss L of each network on the same trials."""
    n_trials = len(trials.condition)
    start = None if initial is None else initial[:, None].expand(-1, n_trials, -1).contiguous()
    dtype = networks.recurrent.dtype
    with torch.no_grad():
        output = simulate(networks, trials.inputs[None].to(dtype), task.dt, start).output
    error = (output - trials.targets) ** 2 * trials.mask[..., None]
    return 0.5 * error.sum((1, 2, 3)) / (trials.mask.sum() * task.n_outputs)


def _stacked(batches: list[Trials]) -> Trials:
    return Trials(*(torch.stack(parts) for parts in zip(*batches, strict=True)))


def _optimizer(
    groups: list[dict[str, Any]], optimiser: Optimiser, learning_rate: float, momentum: float
) -> torch.optim.Optimizer:
    """Raises ValueError for a momentum or decay out of range, or a momentum of Adam's."""
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum}: it must be at least 0 and below 1.")
    for decay in (group["weight_decay"] for group in groups):
        if not 0 <= decay * learning_rate < 1:
            raise ValueError(
                f"weight_decay is {decay} with learning_rate {learning_rate}: their product, the "
                "share of the weights that each update takes, must be at least 0 and below 1."
            )
    if optimiser == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum)
    if momentum:
        raise ValueError(f"momentum is {momentum} with Adam, which has its own: leave it at 0.")
    # the first is the second where nothing decays
    return torch.optim.AdamW(groups, lr=learning_rate)


def _check(
    networks: RNN,
    task: Task,
    counts: Mapping[str, int],
    trained: Sequence[Weights],
    record_at: Sequence[int],
) -> None:
    check_counts(**counts)
    channels = (networks.inward.shape[-1], networks.outward.shape[1])
    if channels != (task.n_inputs, task.n_outputs):
        raise ValueError(
            f"The networks have {channels[0]} inputs and {channels[1]} outputs, the task "
            f"{task.n_inputs} and {task.n_outputs}: make them for this task."
        )
    if not trained or not set(trained) <= set(ALL_WEIGHTS):
        raise ValueError(f"trained is {tuple(trained)}: give some of {', '.join(ALL_WEIGHTS)}.")
    order, last = list(record_at), counts["n_epochs"]
    if order != sorted(set(order)) or any(not 0 <= n <= last for n in order):
        raise ValueError(f"record_at is {order}: increasing numbers from 0 to {last} are asked.")


def _check_finite(
    loss: Float[Tensor, "network epoch"], epoch: int, optimiser: str, learning_rate: float
) -> None:
    now, first = loss[:, epoch], loss[:, 0]
    gone = ~(now.isfinite() & (now <= DIVERGED * first))
    if gone.any():
        network = int(gone.nonzero()[0, 0])
        raise Diverged(
            f"The loss of network {network} became {now[network].item():.3g} at epoch {epoch} (the "
            f"first was {first[network].item():.3g}): lower learning_rate (now {learning_rate}, "
            f"{optimiser}).",
            None,
        )
