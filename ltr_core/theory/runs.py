"""Gradient descent with what its gradients are made of, to hold theorems about learning against.

The gradient of a loss by the recurrent weights is a product of two matrices,

    G = h Lambda Phi^T,

whose columns, one for each step of each trial, are the adjoint lambda_{t+1} = dL/dx_{t+1} and the
rates phi(x_t) before the step. An `ObservedRun` keeps the gradients and the Gram matrices
Lambda Lambda^T and Phi Phi^T of every step of learning: all that bounds need, at the size of the
weights instead of that of the activity.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from ltr_core.counts import check_counts
from ltr_core.descent import ALL_WEIGHTS, Weights
from ltr_core.learning import Diverged, check_rate
from ltr_core.rnn import RNN, check
from ltr_core.rollout import Rollout, as_in_memory
from ltr_core.training import Optimiser

Loss = Callable[[Tensor, Tensor], Tensor]
LossName = Literal["squared", "absolute", "quartic", "logistic"]
LOSSES: dict[LossName, Loss] = {
    "squared": lambda output, target: (output - target).square().mean() / 2,
    "absolute": lambda output, target: (output - target).abs().mean(),
    "quartic": lambda output, target: (output - target).pow(4).mean() / 4,
    "logistic": lambda output, target: softplus(-output * target).mean(),
}
"""Losses by name: functions of outputs and targets, both (trial, time, output)."""


class ObservedRun(NamedTuple):
    """The learning of one network, step by step, S steps in all.

    - `start`, `final`: the network before and after (a batch of one).
    - `change` (step, post, pre): W_s - W_0 after each update, s = 1 to S.
    - `gradient` (step, post, pre): dL/dW before each update, at W_0 to W_{S-1}.
    - `adjoint_gram`, `rates_gram` (step, neuron, neuron): Lambda Lambda^T and Phi Phi^T of each.
    - `loss` (step,): before each update.
    - `coefficients` (step, gradient): c, and `kept` (step,): k, in W_s = k_s W_0 - sum c_ss' G_s'.
      k is 1 without weight decay. None for Adam, whose updates are no such sums.
    - `h`: the Euler step over the time constant.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> run.gradient.shape, run.rates_gram.shape, run.h
    ((5, 10, 10), (5, 10, 10), 0.2)
    >>> np.allclose(run.change, -np.einsum("sg,gij->sij", run.coefficients, run.gradient))
    True
    """

    start: RNN
    final: RNN
    change: Float[np.ndarray, "step post pre"]
    gradient: Float[np.ndarray, "step post pre"]
    adjoint_gram: Float[np.ndarray, "step post post"]
    rates_gram: Float[np.ndarray, "step pre pre"]
    loss: Float[np.ndarray, " step"]
    coefficients: Float[np.ndarray, "step gradient"] | None
    kept: Float[np.ndarray, " step"] | None
    h: float


class Factors(NamedTuple):
    """What one gradient is made of: G = h `adjoint` @ `rates`.T.

    - Columns are the steps of all trials, time by time.
    - `loss`: at these weights; `inward`, `outward`: its gradients by the other two.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10, n_trials=6, n_time=20)
    >>> factors = theory.factors_of_gradient(*problem[:3], dt=problem.dt)
    >>> factors.adjoint.shape, factors.rates.shape, factors.inward.shape
    ((10, 120), (10, 120), (10, 2))
    """

    adjoint: Float[np.ndarray, "neuron column"]
    rates: Float[np.ndarray, "neuron column"]
    loss: float
    inward: Float[np.ndarray, "neuron input"]
    outward: Float[np.ndarray, "output neuron"]


def factors_of_gradient(
    network: RNN,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    loss: LossName | Loss = "squared",
    initial: Float[Tensor, "trial neuron"] | None = None,
) -> Factors:
    """Lambda and Phi of one network (a batch of one), in double precision.

    The loss takes outputs and targets, both (trial, time, output), and returns a number. `initial`
    is the state x before the first step (zero if not given).

    Raises ValueError where shapes do not fit, for an unknown loss, or a dt above tau.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> factors = theory.factors_of_gradient(*problem[:3], dt=problem.dt, loss="logistic")
    >>> gradient = problem.dt * factors.adjoint @ factors.rates.T  # the time constant is 1
    >>> gradient.shape, int(np.linalg.matrix_rank(gradient))
    ((10, 10), 2)
    """
    _check(network, inputs, targets, dt, initial)
    n_units = network.n_units
    recurrent, inward, outward = (part.double().numpy() for part in network[:3])
    start = np.zeros((len(inputs), n_units)) if initial is None else initial.double().numpy()
    shown = as_in_memory(inputs.double().numpy().swapaxes(0, 1)[None])
    loop = Rollout(dt / network.tau, network.nonlinearity)
    rates = as_in_memory(loop.forward(recurrent, inward, shown, start.T[None]))[0]
    # (time, trial, neuron) here, (trial, time, output) to the loss
    by_output, value = _by_output(
        named_loss(loss), np.ascontiguousarray((rates @ outward[0].T).swapaxes(0, 1)), targets
    )
    by_output = np.ascontiguousarray(by_output.swapaxes(0, 1))[None]
    found = loop.backward(as_in_memory(by_output @ outward))
    by_outward = loop.by_readout(as_in_memory(by_output))
    adjoint, before = observed(loop)
    return Factors(adjoint[0].T, before[0].T, value, found.inward[0], by_outward[0])


def observed(
    loop: Rollout,
) -> tuple[Float[np.ndarray, "network column neuron"], Float[np.ndarray, "network column neuron"]]:
    """Lambda^T and Phi^T of the gradient that a rollout was last asked for (copies)."""
    adjoint, rates = as_in_memory(loop.adjoint), as_in_memory(loop.rates)[:, :-1]
    shape = (len(adjoint), -1, adjoint.shape[-1])
    return adjoint.reshape(shape).copy(), rates.reshape(shape).copy()


def descend(
    network: RNN,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    n_steps: int,
    learning_rate: float | Sequence[float],
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    loss: LossName | Loss = "squared",
    optimiser: Optimiser = "sgd",
    initial: Float[Tensor, "trial neuron"] | None = None,
    trained: Sequence[Weights] = ("recurrent",),
) -> ObservedRun:
    """Let one network (a batch of one) descend a loss on the same trials, and observe it.

    - `dt`, in the units of tau, `loss` and `initial`: as `factors_of_gradient` takes them.
    - `learning_rate`: one for all steps, or one for each.
    - `momentum`: of plain descent. `weight_decay`: of all trained weights; with "sgd" added to the
      gradient, with "adam" decoupled (AdamW), as in `train`.

    Raises `Diverged` when the loss is not finite, and ValueError as `factors_of_gradient` does, or
    for settings out of range.

    Examples
    --------
    >>> from ltr_core import theory
    >>> network, inputs, targets, _, dt = theory.random_problem(n_units=10)
    >>> run = theory.descend(network, inputs, targets, dt=dt, n_steps=5, learning_rate=0.5)
    >>> run.change.shape, bool(run.loss[-1] < run.loss[0])
    ((5, 10, 10), True)
    """
    rates = _check_settings(learning_rate, n_steps, momentum, weight_decay, optimiser)
    n_units = network.n_units
    weights = {name: getattr(network, name).double().clone() for name in ALL_WEIGHTS}
    now = network._replace(**weights)
    optimizer = _optimizer([weights[n] for n in trained], optimiser, momentum, weight_decay)
    losses = np.zeros(n_steps)
    change, gradient, by_adjoint, by_rates = np.zeros((4, n_steps, n_units, n_units))
    for step in range(n_steps):
        with np.errstate(over="ignore", invalid="ignore"):  # told below, as Diverged
            found = factors_of_gradient(now, inputs, targets, dt=dt, loss=loss, initial=initial)
        if not np.isfinite(found.loss):
            raise Diverged(f"The loss became {found.loss} at step {step}: lower learning_rate.")
        losses[step] = found.loss
        gradient[step] = dt / network.tau * found.adjoint @ found.rates.T
        by_adjoint[step] = found.adjoint @ found.adjoint.T
        by_rates[step] = found.rates @ found.rates.T
        by = {"recurrent": gradient[step], "inward": found.inward, "outward": found.outward}
        for name in trained:
            weights[name].grad = torch.from_numpy(by[name])[None]
        optimizer.param_groups[0]["lr"] = float(rates[step])
        optimizer.step()
        change[step] = (now.recurrent - network.recurrent.double())[0].numpy()
    made_of, kept = None, None
    if optimiser == "sgd":
        made_of, kept = combination(rates, momentum, weight_decay)
    parts = (change, gradient, by_adjoint, by_rates, losses)
    return ObservedRun(network, now, *parts, made_of, kept, dt / network.tau)


def _optimizer(
    weights: list[Tensor], optimiser: Optimiser, momentum: float, weight_decay: float
) -> torch.optim.Optimizer:
    """With a learning rate that is set at every step."""
    if optimiser == "adam":
        return torch.optim.AdamW(weights, lr=0.0, weight_decay=weight_decay)
    return torch.optim.SGD(weights, lr=0.0, momentum=momentum, weight_decay=weight_decay)


def combination(
    rates: Float[np.ndarray, " step"], momentum: float = 0.0, weight_decay: float = 0.0
) -> tuple[Float[np.ndarray, "step gradient"], Float[np.ndarray, " step"]]:
    """c and k of W_s = k_s W_0 - sum c_ss' G_s' for plain descent with these settings.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> coefficients, kept = theory.combination(np.array([0.5, 0.25]), momentum=0.5)
    >>> coefficients[-1], kept  # the first gradient counts 0.5 + 0.25 * 0.5
    (array([0.625, 0.25 ]), array([1., 1.]))
    """
    n_steps = len(rates)
    # how W and the velocity are made of W_0 (first) and the gradients
    weights, velocity = np.eye(1, n_steps + 1)[0], np.zeros(n_steps + 1)
    made_of = np.zeros((n_steps, n_steps + 1))
    for step, rate in enumerate(rates):
        velocity = momentum * velocity + weight_decay * weights
        velocity[step + 1] += 1
        weights = weights - rate * velocity
        made_of[step] = weights
    return -made_of[:, 1:], made_of[:, 0]


def named_loss(loss: LossName | Loss) -> Loss:
    """The loss of that name, or the function itself; raises ValueError for an unknown name."""
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(f"loss is '{loss}': give one of {', '.join(LOSSES)}, or a function.")
    return LOSSES[loss]


def _by_output(
    loss: Loss, output: Float[np.ndarray, "trial time output"], target: Tensor
) -> tuple[Float[np.ndarray, "trial time output"], float]:
    """The loss's derivatives by the outputs, and its value."""
    leaf = torch.from_numpy(output).requires_grad_()
    value = loss(leaf, target.double())
    (gradient,) = torch.autograd.grad(value, leaf)
    return gradient.numpy(), float(value.detach())


def _check(
    network: RNN, inputs: Tensor, targets: Tensor, dt: float, initial: Tensor | None
) -> None:
    if network.n_networks != 1:
        raise ValueError(f"There are {network.n_networks} networks: observe one at a time.")
    if targets.shape != (*inputs.shape[:2], network.outward.shape[1]):
        raise ValueError(
            f"targets have shape {tuple(targets.shape)}, inputs {tuple(inputs.shape)}, and the "
            f"network {network.outward.shape[1]} outputs: targets are (trial, time, output)."
        )
    if initial is not None and initial.shape != (len(inputs), network.n_units):
        raise ValueError(
            f"initial has shape {tuple(initial.shape)}: a state of {network.n_units} units for "
            f"each of {len(inputs)} trials is asked."
        )
    check(network, inputs[None], dt)


def _check_settings(
    learning_rate: float | Sequence[float],
    n_steps: int,
    momentum: float,
    weight_decay: float,
    optimiser: str,
) -> Float[np.ndarray, " step"]:
    """The learning rate of every step."""
    check_counts(n_steps=n_steps)
    rates = np.asarray(learning_rate, dtype=float)
    if rates.shape not in ((), (n_steps,)):
        raise ValueError(f"learning_rate has {rates.size} values: give one, or {n_steps}.")
    for rate in np.atleast_1d(rates):
        check_rate(float(rate))
    for name, value in (("momentum", momentum), ("weight_decay", weight_decay)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} is {value}: it must be finite and not negative.")
    if optimiser not in get_args(Optimiser):
        raise ValueError(
            f"optimiser is '{optimiser}': give one of {', '.join(get_args(Optimiser))}."
        )
    return np.broadcast_to(rates, n_steps)
