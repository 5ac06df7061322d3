"""What a recorded adaptation shows: the course of the errors, and behaviour with other weights."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.learning import Epoch, LearningRecord, reach
from ltr_core.rnn import RNN
from ltr_core.tasks import Hand, Reaching, Trials, lateral_deviation


class Course(NamedTuple):
    """Errors at the turning points of an adaptation, one value per network.

    - `baseline`, `early`, `late`: root mean squared distance from the wanted path, relative to the
      target's, in the last trials before the perturbation, the first and the last ones in it.
    - `early_side`, `after_side`: mean signed lateral deviation (cm) in the first trials of the
      perturbation and of the washout.
    """

    baseline: Float[Tensor, " network"]
    early: Float[Tensor, " network"]
    late: Float[Tensor, " network"]
    early_side: Float[Tensor, " network"]
    after_side: Float[Tensor, " network"]


def course(record: LearningRecord, n_trials: int = 8) -> Course:
    """The course of an adaptation recorded under the epochs baseline, perturbed, washout.

    Raises ValueError if the record has other epochs, or one of fewer than `n_trials`.

    Examples
    --------
    >>> from ltr_core import course, relearn_to_reach
    >>> toy = relearn_to_reach(2, 8, pretraining_steps=2, proficiency=9.0, trials=(8, 8, 8))
    >>> errors = course(toy.record, n_trials=4)
    >>> errors._fields
    ('baseline', 'early', 'late', 'early_side', 'after_side')
    >>> tuple(errors.early.shape)
    (2,)
    """
    names = ("baseline", "perturbed", "washout")
    at = {name: [k for k, epoch in enumerate(record.epoch) if epoch == name] for name in names}
    for name, trials in at.items():
        if len(trials) < n_trials:
            raise ValueError(
                f"Epoch '{name}' has {len(trials)} trials; {n_trials} are averaged: record more, "
                "or give a smaller n_trials."
            )
    side = 100 * lateral_deviation(record.cursor, record.goal)

    def error(trials: list[int]) -> Tensor:
        return record.error[:, trials].mean(1).sqrt()

    return Course(
        baseline=error(at["baseline"][-n_trials:]),
        early=error(at["perturbed"][:n_trials]),
        late=error(at["perturbed"][-n_trials:]),
        early_side=side[:, at["perturbed"][:n_trials]].mean(1),
        after_side=side[:, at["washout"][:n_trials]].mean(1),
    )


def replay(
    network: RNN,
    task: Reaching,
    hand: Hand,
    schedule: Sequence[Epoch],
    record: LearningRecord,
    *,
    change: Float[Tensor, "network step post pre"],
) -> Float[Tensor, "network trial"]:
    """The error of every recorded trial (see `Reach`) if the weights had changed otherwise.

    `change` replaces `record.change`: trial k meets the initial weights plus the change that the
    trial before it left; the first trial meets the initial weights.

    Raises ValueError if `change` or `schedule` does not fit the record.

    Examples
    --------
    >>> from ltr_core import CurlField, adaptation_schedule, relearn_to_reach, replay
    >>> field = CurlField(0.5)
    >>> tiny = {"pretraining_steps": 2, "proficiency": 9.0, "trials": (3, 3, 3)}
    >>> toy = relearn_to_reach(1, 8, perturbation=field, **tiny)
    >>> schedule, change = adaptation_schedule(field, 3, 3, 3), toy.record.change
    >>> same = replay(toy.networks, toy.task, toy.hand, schedule, toy.record, change=change)
    >>> bool(abs(same - toy.record.error).max() < 1e-6)
    True
    """
    if change.shape != record.change.shape:
        raise ValueError(
            f"change has shape {tuple(change.shape)}, the record's is "
            f"{tuple(record.change.shape)}: (network, step, post, pre)."
        )
    if sum(epoch.n_trials for epoch in schedule) != len(record.epoch):
        raise ValueError(f"The schedule does not have the record's {len(record.epoch)} trials.")
    errors = []
    for index in range(network.n_networks):
        start, first = record.weights[index, :1], 0
        weights = torch.cat([start, start + change[index, :-1]])
        for epoch in schedule:
            now = slice(first, first := first + epoch.n_trials)
            # each trial as a network of its own: their weights differ
            one = RNN(
                weights[now],
                network.inward[index].expand(epoch.n_trials, -1, -1),
                network.outward[index].expand(epoch.n_trials, -1, -1),
                network.tau,
            )
            trials = task.trials(record.condition[index, now])
            alone = Trials(*(part.unsqueeze(1) for part in trials))
            with torch.no_grad():
                errors.append(reach(one, task, hand, alone, epoch.perturbation).error[:, 0])
    return torch.cat(errors).reshape(record.error.shape)


def error_difference(
    other: Float[Tensor, "network trial"], error: Float[Tensor, "network trial"]
) -> Float[np.ndarray, " network"]:
    """How far other weights' errors are from a network's own: mean over trials, as a share of it.

    The mean absolute difference over trials, over the mean of `error`.

    Examples
    --------
    >>> import torch
    >>> from ltr_core.adaptation import error_difference
    >>> error = torch.tensor([[0.75, 0.25], [0.25, 0.25]])
    >>> error_difference(torch.tensor([[0.5, 0.5], [0.25, 0.25]]), error).tolist()
    [0.5, 0.0]
    """
    return ((other - error).abs().mean(1) / error.mean(1)).numpy()
