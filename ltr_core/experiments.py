"""The reaching experiment of the book in one call: networks reach, are perturbed, re-learn."""

from pathlib import Path
from typing import NamedTuple

from ltr_core.learning import LearningRecord, adaptation_schedule, record_learning
from ltr_core.pretraining import pretrain
from ltr_core.rnn import RNN, random_networks
from ltr_core.tasks import CurlField, Hand, Perturbation, Reaching

STANDARD_FIELD = CurlField(strength=2.0)  # N s/m


class Relearning(NamedTuple):
    """Proficient networks before they re-learn, what they do it with, and the record of it."""

    task: Reaching
    hand: Hand
    networks: RNN
    record: LearningRecord


def relearn_to_reach(
    n_networks: int,
    n_units: int,
    *,
    pretraining_steps: int = 1500,
    proficiency: float = 0.1,
    perturbation: Perturbation = STANDARD_FIELD,
    trials: tuple[int, int, int] = (50, 100, 100),
    g: float = 1.0,
    input_scale: float = 1.0,
    output_scale: float = 1.0,
    learning_rate: float = 0.005,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> Relearning:
    """Pretrain networks to reach, then record them through baseline, perturbation and washout.

    With the same sizes and seed these are the networks of the chapter on re-learning to reach;
    network i is the same however many there are. `trials`: of each epoch.

    `input_scale` and `output_scale` multiply the random input and output weights that pretraining
    starts from. With small ones the activity itself must change for the hand to move otherwise
    (the rich regime); with those of chapter 2 learning hardly shows in it (the lazy regime).

    Raises what `pretrain` and `record_learning` do.

    Examples
    --------
    >>> from ltr_core import relearn_to_reach
    >>> toy = relearn_to_reach(2, 8, pretraining_steps=2, proficiency=9.0, trials=(3, 3, 3))
    >>> tuple(toy.record.weights.shape)  # (network, step, post, pre)
    (2, 10, 8, 8)
    """
    task, hand = Reaching(go_jitter=0.1), Hand(mass=1.0, viscosity=2.0)
    raw = random_networks(n_networks, n_units, task.n_inputs, task.n_outputs, g=g, seed=seed)
    raw = raw._replace(inward=raw.inward * input_scale, outward=raw.outward * output_scale)
    networks = pretrain(
        raw,
        task,
        hand,
        n_steps=pretraining_steps,
        proficiency=proficiency,
        seed=seed,
        checkpoint=checkpoint,
    )
    schedule = adaptation_schedule(perturbation, *trials)
    record = record_learning(networks, task, hand, schedule, learning_rate=learning_rate, seed=seed)
    return Relearning(task, hand, networks, record)
