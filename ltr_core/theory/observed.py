"""The learning of real tasks, observed: see `runs` for what is kept."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ltr_core.descent import ALL_WEIGHTS, Descent, Weights
from ltr_core.learning import Diverged, Epoch, check_rate, check_schedule, own_trials, reach_error
from ltr_core.rnn import RNN
from ltr_core.tasks import Hand, Reaching, Task, Trials
from ltr_core.theory.runs import ObservedRun, combination, factors_of_gradient, observed
from ltr_core.training import Optimiser, train


def observe_training(
    networks: RNN,
    task: Task,
    *,
    n_epochs: int,
    learning_rate: float,
    n_trials: int = 32,
    optimiser: Optimiser = "sgd",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    trained: Sequence[Weights] = ALL_WEIGHTS,
    seed: int = 0,
) -> list[ObservedRun]:
    """Train networks on a task as `train` does, observed; one run for each network.

    Four matrices of the weights' size are kept at every step.

    Raises what `train` does, and ValueError where the recurrent weights are not trained.

    Examples
    --------
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> networks = ltr.random_networks(2, 10, 2, 2, tau=1.0)
    >>> task = ltr.FlipFlop(duration=10.0)
    >>> runs = theory.observe_training(networks, task, n_epochs=3, learning_rate=0.1, n_trials=4)
    >>> len(runs), runs[0].change.shape
    (2, (3, 10, 10))
    """
    if "recurrent" not in trained:
        raise ValueError(f"trained is {tuple(trained)}: it is the recurrent weights' learning.")
    watch = _Watch()
    training = train(
        networks,
        task,
        n_epochs=n_epochs,
        learning_rate=learning_rate,
        n_trials=n_trials,
        optimiser=optimiser,
        momentum=momentum,
        weight_decay=weight_decay,
        trained=trained,
        observer=watch,
        seed=seed,
    )
    made_of, kept = None, None
    if optimiser == "sgd":
        made_of, kept = combination(np.full(n_epochs, learning_rate), momentum, weight_decay)
    weights = np.stack([*watch.weights, training.final.recurrent.numpy()], axis=1)
    gradients, by_adjoint, by_rates = (
        np.stack(part, axis=1) for part in (watch.gradients, watch.adjoint, watch.rates)
    )
    return [
        ObservedRun(
            networks.only(i),
            training.final.only(i),
            weights[i, 1:] - weights[i, :1],
            gradients[i],
            by_adjoint[i],
            by_rates[i],
            training.loss[i].numpy(),
            made_of,
            kept,
            task.dt / networks.tau,
        )
        for i in range(networks.n_networks)
    ]


class _Watch:
    """What is seen of a training: weights, gradients and Gram matrices before every update."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []
        self.adjoint: list[np.ndarray] = []
        self.rates: list[np.ndarray] = []

    def __call__(self, descent: Descent) -> None:
        weights = descent.weights["recurrent"]
        self.weights.append(weights.numpy().copy())
        self.gradients.append(_gradient(weights))
        adjoint, rates = observed(descent.rollout)
        self.adjoint.append(adjoint.swapaxes(1, 2) @ adjoint)
        self.rates.append(rates.swapaxes(1, 2) @ rates)


def _gradient(weights: Tensor) -> np.ndarray:
    assert weights.grad is not None  # `Descent` has set it
    return weights.grad.numpy().copy()


def observe_reaching(
    network: RNN,
    task: Reaching,
    hand: Hand,
    schedule: Sequence[Epoch],
    *,
    learning_rate: float = 0.005,
    seed: int = 0,
) -> ObservedRun:
    """Let one network (a batch of one) learn trial by trial as `record_learning` does, observed.

    Raises `Diverged` when the error is not finite, ValueError where `record_learning` does and for
    more networks than one.

    Examples
    --------
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> task, hand = ltr.Reaching(preparation=0.1, movement=0.2), ltr.Hand()
    >>> schedule = ltr.adaptation_schedule(ltr.CurlField(2.0), 2, 3, 2)
    >>> run = theory.observe_reaching(ltr.random_networks(1, 10, 3, 2), task, hand, schedule)
    >>> run.change.shape, run.loss.shape
    ((7, 10, 10), (7,))
    """
    check_rate(learning_rate)
    check_schedule(schedule)
    epochs = [epoch for epoch in schedule for _ in range(epoch.n_trials)]
    trials = own_trials(task, 1, len(epochs), seed)
    n_steps, n_units = len(epochs), network.n_units
    start = network.recurrent.double()
    now = network._replace(recurrent=start)
    change, gradient, by_adjoint, by_rates = np.zeros((4, n_steps, n_units, n_units))
    losses = np.zeros(n_steps)
    for k, epoch in enumerate(tqdm(epochs, desc="learning", leave=False)):
        trial = Trials(*(part[0, k : k + 1] for part in trials))

        def error(force: Tensor, _: Tensor, trial: Trials = trial, epoch: Epoch = epoch) -> Tensor:
            path = hand.move(force, task.dt, epoch.perturbation)
            return reach_error(path, task, trial).sum()

        found = factors_of_gradient(now, trial.inputs, trial.targets, dt=task.dt, loss=error)
        if not np.isfinite(found.loss):
            raise Diverged(
                f"The loss became {found.loss} at trial {k} ({epoch.name}): lower learning_rate "
                f"(now {learning_rate})."
            )
        losses[k] = found.loss
        gradient[k] = task.dt / network.tau * found.adjoint @ found.rates.T
        by_adjoint[k] = found.adjoint @ found.adjoint.T
        by_rates[k] = found.rates @ found.rates.T
        recurrent = now.recurrent - learning_rate * torch.from_numpy(gradient[k])
        now = now._replace(recurrent=recurrent)
        change[k] = (recurrent - start)[0].numpy()
    made_of, kept = combination(np.full(n_steps, learning_rate))
    parts = (change, gradient, by_adjoint, by_rates, losses, made_of, kept)
    return ObservedRun(network, now, *parts, task.dt / network.tau)
