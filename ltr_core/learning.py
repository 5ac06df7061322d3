"""Gradient descent with every step's weights recorded, and every trial's activity.

`record_learning` lets proficient networks (see `pretraining`) go on learning, one trial and one
step of stochastic gradient descent at a time, while a schedule of epochs perturbs the hand
(Pellegrino et al. 2023 record such a network to test their method on it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from ltr_core import checkpoints
from ltr_core.rnn import RNN, simulate
from ltr_core.tasks import Hand, HandPath, Perturbation, Reaching, Trials

CHECKPOINT_EVERY = 50


class Epoch(NamedTuple):
    """A stretch of trials under one perturbation (None: unperturbed).

    Examples
    --------
    >>> from ltr_core import CurlField, Epoch
    >>> schedule = (Epoch("baseline", 20), Epoch("perturbed", 40, CurlField(5.0)))
    >>> sum(epoch.n_trials for epoch in schedule)
    60
    """

    name: str
    n_trials: int
    perturbation: Perturbation = None


def adaptation_schedule(
    perturbation: Perturbation, baseline: int = 50, perturbed: int = 100, washout: int = 100
) -> tuple[Epoch, ...]:
    """The schedule of an adaptation experiment: baseline, perturbed, washout trials.

    Examples
    --------
    >>> from ltr_core import CurlField, adaptation_schedule
    >>> schedule = adaptation_schedule(CurlField(5.0), baseline=10, perturbed=30, washout=20)
    >>> [(epoch.name, epoch.n_trials) for epoch in schedule]
    [('baseline', 10), ('perturbed', 30), ('washout', 20)]
    """
    return (
        Epoch("baseline", baseline),
        Epoch("perturbed", perturbed, perturbation),
        Epoch("washout", washout),
    )


class Reach(NamedTuple):
    """What networks do with the hand in a number of trials.

    - `error` (network, trial): mean squared distance of the cursor from the wanted path, in units
      of the squared distance of the target. This is the loss that learning descends.
    - `hand_path` (network, trial, time, 2): where the hand is, in m.
    - `cursor` (network, trial, time, 2): what is seen of it, in m.
    - `activity` (network, trial, time, neuron): phi(x).
    """

    error: Float[Tensor, "network trial"]
    hand_path: Float[Tensor, "network trial time 2"]
    cursor: Float[Tensor, "network trial time 2"]
    activity: Float[Tensor, "network trial time neuron"]


@dataclass(frozen=True)
class LearningRecord:
    """Everything about networks that learned: one step of gradient descent after each trial.

    - `weights` (network, step, post, pre): step 0 is the start, step k follows trial k.
    - `activity` (network, trial, time, neuron): phi(x) at `time` (s from the go cue).
    - `inputs` (network, trial, time, input).
    - `hand_path`, `cursor` (network, trial, time, 2): the hand, and what is seen of it, in m.
    - `goal` (network, trial, 2): the target's position in m.
    - `error` (network, trial): see `Reach`.
    - `condition` (network, trial): the target's index.
    - `epoch`: the name of each trial's epoch.
    """

    weights: Float[Tensor, "network step post pre"]
    activity: Float[Tensor, "network trial time neuron"]
    inputs: Float[Tensor, "network trial time input"]
    hand_path: Float[Tensor, "network trial time 2"]
    cursor: Float[Tensor, "network trial time 2"]
    goal: Float[Tensor, "network trial 2"]
    error: Float[Tensor, "network trial"]
    condition: Int[Tensor, "network trial"]
    epoch: tuple[str, ...]
    time: Float[Tensor, " time"]

    @property
    def change(self) -> Float[Tensor, "network step post pre"]:
        """The weights of steps 1, 2, ... less those of step 0."""
        return self.weights[:, 1:] - self.weights[:, :1]

    def reaches(
        self, network: int, epoch: str, which: Literal["first", "last"]
    ) -> Int[Tensor, " condition"]:
        """The trial of a network's first or last reach to each target in an epoch.

        Raises ValueError for an unknown epoch, or one too short to hold all targets.
        """
        if epoch not in self.epoch:
            raise ValueError(f"'{epoch}' is none of the epochs {list(dict.fromkeys(self.epoch))}.")
        trials = [k for k, name in enumerate(self.epoch) if name == epoch]
        found = {int(self.condition[network, k]): k for k in _ordered(trials, which)}
        n_targets = int(self.condition.max()) + 1
        if len(found) < n_targets:
            raise ValueError(f"Epoch '{epoch}' has reaches to {len(found)} of {n_targets} targets.")
        return torch.tensor([found[target] for target in range(n_targets)])


def _ordered(trials: list[int], which: Literal["first", "last"]) -> list[int]:
    """The trials in the order in which a later one may replace an earlier one."""
    return trials if which == "last" else trials[::-1]


class Diverged(RuntimeError):
    """The loss became NaN or infinite; `record` holds all trials before that (None if none)."""

    def __init__(self, message: str, record: LearningRecord | None = None) -> None:
        super().__init__(message)
        self.record = record


def reach(
    network: RNN, task: Reaching, hand: Hand, trials: Trials, perturbation: Perturbation = None
) -> Reach:
    """Let networks reach; the arrays of `trials` lead with a network axis (of 1: same for all).

    The error is a mean over the times at which the trial's mask is 1.
    Raises ValueError if a trial's mask is 0 throughout.
    """
    response = simulate(network, trials.inputs, task.dt)
    path = hand.move(response.output, task.dt, perturbation)
    return Reach(reach_error(path, task, trials), path.position, path.cursor, response.activity)


def reach_error(path: HandPath, task: Reaching, trials: Trials) -> Float[Tensor, "*network trial"]:
    """The error of each trial, see `Reach`; raises ValueError if a mask is 0 throughout."""
    counted = trials.mask.sum(-1)
    if (counted == 0).any():
        raise ValueError("A trial's mask is 0 at every time: it has no error; leave the trial out.")
    distance = (path.cursor - trials.targets).square().sum(-1)
    return (distance * trials.mask).sum(-1) / counted / task.distance**2


def record_learning(
    network: RNN,
    task: Reaching,
    hand: Hand,
    schedule: Sequence[Epoch],
    *,
    learning_rate: float = 0.005,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> LearningRecord:
    """Learn trial by trial (SGD on the recurrent weights alone) and keep everything.

    Each network meets the targets in an order of its own. A `learning_rate` of 0 gives the
    network that does not learn. With a `checkpoint` path the work goes on where an earlier call
    with the same settings was interrupted.

    Raises `Diverged` (which carries the trials before), and ValueError for an empty schedule or
    settings out of range.

    Examples
    --------
    >>> from ltr_core import Epoch, Hand, Reaching, random_networks, record_learning
    >>> task = Reaching()
    >>> networks = random_networks(2, 10, task.n_inputs, task.n_outputs)
    >>> record = record_learning(networks, task, Hand(), [Epoch("first", 4), Epoch("second", 4)])
    >>> tuple(record.weights.shape), tuple(record.activity.shape)
    ((2, 9, 10, 10), (2, 8, 50, 10))
    >>> tuple(record.change.shape), record.epoch[3:5]
    ((2, 8, 10, 10), ('first', 'second'))
    """
    check_rate(learning_rate)
    check_schedule(schedule)
    epochs = [epoch for epoch in schedule for _ in range(epoch.n_trials)]
    trials = own_trials(task, network.n_networks, len(epochs), seed)
    made_with = checkpoints.fingerprint(
        {"record": (task, hand, tuple(schedule), learning_rate, seed, network.tau)},
        dict(zip("rio", network[:3], strict=True)),
    )
    kept = _room_for(network, trials)
    first = _resume_record(checkpoint, made_with, kept)
    weights = kept["weights"][:, first].clone()
    for trial in tqdm(range(first, len(epochs)), desc="learning", leave=False):
        now = Trials(*(part[:, trial : trial + 1] for part in trials))
        weights.requires_grad_()
        out = reach(
            network._replace(recurrent=weights), task, hand, now, epochs[trial].perturbation
        )
        if not torch.isfinite(out.error).all():
            raise Diverged(
                f"The loss became {out.error.max().item()} at trial {trial} "
                f"({epochs[trial].name}): lower learning_rate (now {learning_rate}). The "
                "error's `record` holds the trials before.",
                _record(kept, trials, task, epochs, trial),
            )
        (gradient,) = torch.autograd.grad(out.error.sum(), weights)
        weights = weights.detach() - learning_rate * gradient
        kept["weights"][:, trial + 1] = weights
        for name, value in out._asdict().items():
            kept[name][:, trial] = value.detach()[:, 0]
        if checkpoint is not None and (trial + 1) % CHECKPOINT_EVERY == 0:
            done = torch.tensor(trial + 1)
            checkpoints.save(checkpoint, kept | {"done": done}, made_with)
    record = _record(kept, trials, task, epochs, len(epochs))
    assert record is not None  # the schedule is not empty
    return record


def check_rate(learning_rate: float) -> None:
    """Raise ValueError unless the learning rate is finite and not negative."""
    if not (np.isfinite(learning_rate) and learning_rate >= 0):
        raise ValueError(f"learning_rate is {learning_rate}: it must be finite and not negative.")


def check_schedule(schedule: Sequence[Epoch]) -> None:
    """Raise ValueError for an empty schedule, an epoch without trials or a name used twice."""
    if not schedule:
        raise ValueError("The schedule is empty: give at least one Epoch.")
    for epoch in schedule:
        if epoch.n_trials < 1:
            raise ValueError(f"Epoch '{epoch.name}' has {epoch.n_trials} trials: give at least 1.")
    names = [epoch.name for epoch in schedule]
    if len(set(names)) < len(names):
        raise ValueError(f"Epochs share a name, {names}: each needs one of its own.")


def own_trials(task: Reaching, n_networks: int, n_trials: int, seed: int) -> Trials:
    """Trials for each network, network i drawing the same ones however many there are."""
    steady = replace(task, go_jitter=0.0)  # recorded trials are aligned on the go cue
    drawn = [steady.sample(n_trials, np.random.default_rng([seed, i])) for i in range(n_networks)]
    return Trials(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))


def _room_for(network: RNN, trials: Trials) -> dict[str, Tensor]:
    n_networks, n_trials, n_time, _ = trials.inputs.shape
    sizes = {
        "weights": (n_trials + 1, network.n_units, network.n_units),
        "activity": (n_trials, n_time, network.n_units),
        "hand_path": (n_trials, n_time, 2),
        "cursor": (n_trials, n_time, 2),
        "error": (n_trials,),
    }
    room = {name: network.recurrent.new_zeros(n_networks, *size) for name, size in sizes.items()}
    room["weights"][:, 0] = network.recurrent
    return room


def _record(
    kept: dict[str, Tensor], trials: Trials, task: Reaching, epochs: list[Epoch], n_done: int
) -> LearningRecord | None:
    if n_done == 0:
        return None
    return LearningRecord(
        weights=kept["weights"][:, : n_done + 1],
        activity=kept["activity"][:, :n_done],
        inputs=trials.inputs[:, :n_done],
        hand_path=kept["hand_path"][:, :n_done],
        cursor=kept["cursor"][:, :n_done],
        goal=task.target_positions[trials.condition[:, :n_done]],
        error=kept["error"][:, :n_done],
        condition=trials.condition[:, :n_done],
        epoch=tuple(epoch.name for epoch in epochs[:n_done]),
        time=task.time,
    )


def _resume_record(path: Path | None, made_with: str, kept: dict[str, Tensor]) -> int:
    saved = None if path is None else checkpoints.load(path, made_with)
    if saved is None:
        return 0
    for name, room in kept.items():
        room.copy_(saved[name])
    return int(saved["done"])
