"""Bringing networks to proficiency at their task before their learning is recorded."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ltr_core import checkpoints
from ltr_core.learning import CHECKPOINT_EVERY, Diverged, check_rate, reach
from ltr_core.rnn import RNN
from ltr_core.tasks import Hand, Reaching, Trials


class NotProficient(RuntimeError):
    """Pretraining ended before the networks could do their task."""


def pretrain(
    network: RNN,
    task: Reaching,
    hand: Hand,
    *,
    n_steps: int = 1500,
    n_trials: int = 16,
    learning_rate: float = 1e-3,
    proficiency: float = 0.1,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> RNN:
    """Train all weights (Adam, batches of trials, step size falling linearly to zero).

    `proficiency`: the root mean squared distance from the wanted path, relative to the target's,
    that every network must reach in the end. With a `checkpoint` path the work goes on where
    an earlier call with the same settings was interrupted.

    Raises `NotProficient`, `Diverged`, and ValueError for settings out of range.

    Examples
    --------
    >>> from ltr_core import Hand, Reaching, pretrain, random_networks
    >>> task = Reaching()
    >>> raw = random_networks(1, 10, task.n_inputs, task.n_outputs)
    >>> trained = pretrain(raw, task, Hand(), n_steps=3, proficiency=9.0)
    >>> bool((trained.recurrent != raw.recurrent).all())
    True
    """
    check_rate(learning_rate)
    if n_steps < 1:
        raise ValueError(f"n_steps is {n_steps}: pretraining needs at least one step.")
    parameters = [weight.clone().requires_grad_() for weight in network[:3]]
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    settings = (task, hand, n_steps, n_trials, learning_rate, seed, network.tau)
    made_with = checkpoints.fingerprint(
        {"pretrain": settings}, dict(zip("rio", network[:3], strict=True))
    )
    first = _resume_adam(checkpoint, made_with, parameters, optimizer)
    for step in tqdm(range(first, n_steps), desc="pretraining", leave=False):
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / n_steps)
        # drawn anew from (seed, step), so that an interrupted run goes on with the same trials
        trials = _for_all(task.sample(n_trials, np.random.default_rng([seed, step])))
        error = reach(_with(network, parameters), task, hand, trials).error.mean(1)
        if not torch.isfinite(error).all():
            raise Diverged(
                f"The loss became {error.max().item()} at pretraining step {step}: lower "
                f"learning_rate (now {learning_rate}) or g, the strength of the random weights."
            )
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
        if checkpoint is not None and (step + 1) % CHECKPOINT_EVERY == 0:
            checkpoints.save(checkpoint, _adam_state(parameters, optimizer, step + 1), made_with)
    trained = _with(network, [weight.detach() for weight in parameters])
    _require_proficiency(trained, task, hand, proficiency, n_steps)
    return trained


def _require_proficiency(
    network: RNN, task: Reaching, hand: Hand, proficiency: float, n_steps: int
) -> None:
    every_target = _for_all(task.trials(torch.arange(task.n_targets)))
    with torch.no_grad():
        distance = reach(network, task, hand, every_target).error.mean(1).sqrt()
    if not (distance <= proficiency).all():
        raise NotProficient(
            f"After {n_steps} steps the networks stray from the wanted path by "
            f"{[round(d, 3) for d in distance.tolist()]} of the target's distance; {proficiency} "
            "is asked for. Give more n_steps, another learning_rate, or a laxer proficiency."
        )


def _for_all(trials: Trials) -> Trials:
    return Trials(*(part.unsqueeze(0) for part in trials))


def _with(network: RNN, weights: list[Tensor]) -> RNN:
    recurrent, inward, outward = weights
    return network._replace(recurrent=recurrent, inward=inward, outward=outward)


def _adam_state(
    parameters: list[Tensor], optimizer: torch.optim.Adam, done: int
) -> dict[str, Tensor]:
    state = {"done": torch.tensor(done)}
    for index, weight in enumerate(parameters):
        moments = optimizer.state[weight]
        state |= {f"weight{index}": weight} | {f"{k}{index}": v for k, v in moments.items()}
    return state


def _resume_adam(
    path: Path | None, made_with: str, parameters: list[Tensor], optimizer: torch.optim.Adam
) -> int:
    saved = None if path is None else checkpoints.load(path, made_with)
    if saved is None:
        return 0
    with torch.no_grad():
        for index, weight in enumerate(parameters):
            weight.copy_(saved[f"weight{index}"])
            optimizer.state[weight] = {
                name: saved[f"{name}{index}"] for name in ("step", "exp_avg", "exp_avg_sq")
            }
    return int(saved["done"])
