"""The book's own networks, learning by plain gradient descent, held against the bound on tails."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from ltr_core.decomposition import random_walk_null
from ltr_core.learning import adaptation_schedule
from ltr_core.pretraining import pretrain
from ltr_core.rnn import mean_field_networks, random_networks
from ltr_core.tasks import CurlField, Hand, Reaching, Task
from ltr_core.theory.bounds import ladder, tail_bounds
from ltr_core.theory.observed import observe_reaching, observe_training
from ltr_core.theory.runs import ObservedRun
from ltr_core.theory.tails import TailBounds


def observe_task(task: Task, *, n_units: int, n_epochs: int, seed: int = 0) -> ObservedRun:
    """One random network (g = 0.9) that learns a task by plain gradient descent, observed.

    Raises what `observe_training` does.

    Examples
    --------
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> run = theory.observe_task(ltr.FlipFlop(duration=10.0), n_units=10, n_epochs=3)
    >>> run.change.shape
    (3, 10, 10)
    """
    network = mean_field_networks(
        1, n_units, task.n_inputs, task.n_outputs, g=0.9, dtype=torch.float64, seed=seed
    )
    (run,) = observe_training(
        network, task, n_epochs=n_epochs, learning_rate=6.4 / n_units, seed=seed
    )
    return run


def observe_field(
    *,
    n_units: int,
    n_pretraining: int,
    proficiency: float,
    trials: tuple[int, int, int],
    seed: int = 0,
) -> ObservedRun:
    """One network that has learned to reach and then learns to in a curl field, observed.

    `n_pretraining` steps to the `proficiency` that `pretrain` asks for; then `trials` at baseline,
    in the field and at washout.

    Raises what `pretrain` and `observe_reaching` do.

    Examples
    --------
    >>> from ltr_core import theory
    >>> run = theory.observe_field(
    ...     n_units=10, n_pretraining=2, proficiency=10.0, trials=(1, 2, 1)
    ... )
    >>> run.change.shape
    (4, 10, 10)
    """
    hand, task = Hand(mass=1.0, viscosity=2.0), Reaching(go_jitter=0.1)
    raw = random_networks(1, n_units, task.n_inputs, task.n_outputs, g=1.0, seed=seed)
    network = pretrain(raw, task, hand, n_steps=n_pretraining, proficiency=proficiency, seed=seed)
    schedule = adaptation_schedule(CurlField(strength=2.0), *trials)
    return observe_reaching(network, task, hand, schedule, seed=seed)


class RunTails(NamedTuple):
    """What is kept of one run: its tails and those of controls.

    - `tails`: of the run. `walk`: with a random walk of steps of the same sizes for its change.
    - `spread`: if the adjoint (for `post`) or the activity (for `pre`) were of the same size at
      every step, but spread evenly over all directions.
    - `ladder`: of sending units at a sixteenth of all ranks, by the names of `RUNGS`.
    - `loss`: the mean of the last ten steps over that of the first ten, as precise as the run's.

    Examples
    --------
    >>> from ltr_core import theory
    >>> run = theory.learn_problem(theory.random_problem(n_units=16), n_steps=20)
    >>> found = theory.run_tails(run)
    >>> found.tails.guaranteed(0.9) < found.spread.guaranteed(0.9)
    True
    """

    tails: TailBounds
    walk: TailBounds
    spread: TailBounds
    ladder: dict[str, float]
    loss: np.floating


def run_tails(run: ObservedRun, seed: int = 0) -> RunTails:
    """The tails of a run and its controls; see `RunTails`. `seed`: of the random walk.

    Raises ValueError as `tail_bounds` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> run = theory.learn_problem(theory.random_problem(n_units=16), n_steps=20)
    >>> found = theory.run_tails(run)
    >>> [max(side.excess() for side in part) < 1e-9 for part in (found.tails, found.walk)]
    [True, False]
    """
    walk = random_walk_null(run.change, np.random.default_rng(seed))
    errors = run._replace(adjoint_gram=spread_evenly(run.adjoint_gram))
    activity = run._replace(rates_gram=spread_evenly(run.rates_gram))
    rank = np.array([run.change.shape[-1] // 16])
    return RunTails(
        tail_bounds(run),
        tail_bounds(run._replace(change=walk)),
        TailBounds(tail_bounds(errors).post, tail_bounds(activity).pre),
        {rung: float(left[0]) for rung, left in ladder(run, rank, "pre").items()},
        run.loss[-10:].mean() / run.loss[:10].mean(),
    )


def spread_evenly(
    grams: Float[np.ndarray, "step neuron neuron"],
) -> Float[np.ndarray, "step neuron neuron"]:
    """Gram matrices of factors of the same size at every step, in all directions alike.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.spread_evenly(np.diag([4.0, 0.0])[None])
    array([[[2., 0.],
            [0., 2.]]])
    """
    n_units = grams.shape[-1]
    sizes = np.trace(grams, axis1=1, axis2=2) / n_units
    return sizes[:, None, None] * np.eye(n_units)
