"""Learning in the space of overlaps, without the network.

Gradient descent on the left and right vectors M and N of a linear network of low rank (see
`ltr_core.theory.overlaps`), with B and C fixed, adds to each of them a combination of the columns
of Z = [M, N, B, C^T]. The coefficients, K, are derivatives of the loss by the visible overlaps:

    Z_{s+1} = Z_s (1 - eta K_s),        O_{s+1} = (1 - eta K_s)^T O_s (1 - eta K_s),

where eta n is the learning rate of M and N. So learning is a map of the overlaps into themselves,
whatever the number of units n; for small eta it is the flow dO/dtau = -(K^T O + O K).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import solve_ivp
from torch import Tensor

from ltr_core.learning import Diverged, check_rate
from ltr_core.rnn import simulate
from ltr_core.theory.overlaps import (
    VISIBLE,
    LowRankNetwork,
    Overlaps,
    check_network,
    check_overlaps,
    output_of_visible,
    visible_overlaps,
)
from ltr_core.theory.runs import Loss, LossName, named_loss

Invisible = Literal["learn", "frozen"]


class OverlapLearning(NamedTuple):
    """The course of learning, step 0 (or time 0) being the start.

    - `overlaps` (step, vector, vector): the matrix O.
    - `loss` (step,).

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1)
    >>> course = theory.descend_overlaps(
    ...     one.start, one.inputs, one.targets, dt=one.dt, n_steps=10, learning_rate=0.1
    ... )
    >>> course.overlaps.shape, course.loss.shape
    (torch.Size([11, 4, 4]), torch.Size([11]))
    """

    overlaps: Float[Tensor, "step vector vector"]
    loss: Float[Tensor, " step"]


class LowRankLearning(NamedTuple):
    """The course of learning of a network, step 0 being the start.

    - `left`, `right` (step, neuron, rank): the connectivity vectors.
    - `loss` (step,). `network`: the one that started.

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1)
    >>> network = theory.network_with_overlaps(one.start, 30)
    >>> course = theory.descend_low_rank(
    ...     network, one.inputs, one.targets, dt=one.dt, n_steps=10, learning_rate=0.1
    ... )
    >>> course.left.shape, course.overlaps.shape, course.at(10).n_units
    (torch.Size([11, 30, 1]), torch.Size([11, 4, 4]), 30)
    """

    left: Float[Tensor, "step neuron rank"]
    right: Float[Tensor, "step neuron rank"]
    loss: Float[Tensor, " step"]
    network: LowRankNetwork

    def at(self, step: int) -> LowRankNetwork:
        """The network after so many steps."""
        return self.network._replace(left=self.left[step], right=self.right[step])

    @property
    def overlaps(self) -> Float[Tensor, "step vector vector"]:
        """O at every step."""
        fixed = [self.network.inward.double(), self.network.outward.double().mT]
        still = torch.cat(fixed, dim=1).expand(len(self.loss), -1, -1)
        vectors = torch.cat([self.left, self.right, still], dim=2)
        return vectors.mT @ vectors / self.network.n_units


def descend_low_rank(
    network: LowRankNetwork,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    n_steps: int,
    learning_rate: float,
    loss: LossName | Loss = "squared",
) -> LowRankLearning:
    """Gradient descent on left and right through the simulated network, in double precision.

    Their learning rate is `learning_rate` times the number of units, so that one number means the
    same for every size. Nothing here knows of overlaps, and the network need not be linear.

    Raises `Diverged` when the loss is not finite, and ValueError where shapes do not fit, a value
    is not finite, dt exceeds tau, or a setting is out of range.

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1)
    >>> network = theory.network_with_overlaps(one.start, 30)
    >>> course = theory.descend_low_rank(
    ...     network, one.inputs, one.targets, dt=one.dt, n_steps=10, learning_rate=0.1
    ... )
    >>> bool(course.loss[-1] < course.loss[0])
    True
    """
    check_network(network)
    _check_steps(n_steps, learning_rate)
    aim = _aim(inputs, targets, len(network.outward), dt, loss)
    now = network._replace(
        left=network.left.double().clone().requires_grad_(),
        right=network.right.double().clone().requires_grad_(),
        inward=network.inward.double(),
        outward=network.outward.double(),
    )
    size = learning_rate * network.n_units
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    for step in range(n_steps + 1):
        with np.errstate(all="ignore"):  # what overflows is found by the loss
            output = simulate(now.as_rnn(), aim.inputs[None], dt).output[0]
        value = aim.measure(output, f"step {step}")
        kept.append((now.left.detach().clone(), now.right.detach().clone(), value.detach()))
        by_left, by_right = torch.autograd.grad(value, (now.left, now.right))
        with torch.no_grad():
            now.left.sub_(size * by_left)
            now.right.sub_(size * by_right)
    left, right, losses = (torch.stack(part) for part in zip(*kept, strict=True))
    return LowRankLearning(left, right, losses, network)


def descend_overlaps(
    overlaps: Overlaps,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    n_steps: int,
    learning_rate: float,
    loss: LossName | Loss = "squared",
    invisible: Invisible = "learn",
) -> OverlapLearning:
    """What `descend_low_rank` does to the overlaps of a linear network of any size, exactly.

    - `invisible`: "frozen" holds the invisible overlaps at their first values, which is wrong.

    Raises `Diverged` when the loss is not finite, and ValueError for overlaps that no network has,
    shapes that do not fit, dt above tau, or settings out of range.

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1)
    >>> given = {"dt": one.dt, "n_steps": 10, "learning_rate": 0.1}
    >>> predicted = theory.descend_overlaps(one.start, one.inputs, one.targets, **given)
    >>> network = theory.network_with_overlaps(one.start, 30)
    >>> simulated = theory.descend_low_rank(network, one.inputs, one.targets, **given)
    >>> bool((predicted.overlaps - simulated.overlaps).abs().max() < 1e-9)
    True
    """
    check_overlaps(overlaps)
    _check_steps(n_steps, learning_rate)
    aim = _aim(inputs, targets, overlaps.n_outputs, dt, loss)
    unseen = ~visible_overlaps(overlaps)
    now, kept = overlaps._replace(matrix=overlaps.matrix.double()), []
    for step in range(n_steps + 1):
        value, pull = _pull(now, aim, f"step {step}")
        kept.append((now.matrix, value))
        onward = torch.eye(len(pull)).to(pull) - learning_rate * pull
        moved = onward.mT @ now.matrix @ onward
        if invisible == "frozen":
            moved = torch.where(unseen, overlaps.matrix, moved)
        now = now._replace(matrix=moved)
    matrices, losses = (torch.stack(part) for part in zip(*kept, strict=True))
    return OverlapLearning(matrices, losses)


def overlap_flow(
    overlaps: Overlaps,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    times: Float[np.ndarray, " step"] | Sequence[float],
    loss: LossName | Loss = "squared",
    tolerance: float = 1e-8,
) -> OverlapLearning:
    """The flow dO/dtau = -(K^T O + O K): learning with very small steps.

    - `times`: increasing, from 0 on; `learning_rate` times the number of steps of
      `descend_overlaps`. `tolerance`: of the integration (relative, and absolute for overlaps of
      order 1).

    Raises `Diverged` where the flow does not reach the last time, and ValueError as
    `descend_overlaps` does or for times that do not increase from 0 on.

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1)
    >>> flow = theory.overlap_flow(
    ...     one.start, one.inputs, one.targets, dt=one.dt, times=[0.0, 0.5, 1.0]
    ... )
    >>> flow.overlaps.shape, bool((flow.loss.diff() < 0).all())
    (torch.Size([3, 4, 4]), True)
    """
    check_overlaps(overlaps)
    aim = _aim(inputs, targets, overlaps.n_outputs, dt, loss)
    at = np.asarray(times, dtype=float)
    if not (len(at) and np.isfinite(at).all() and at[0] >= 0 and (np.diff(at) > 0).all()):
        raise ValueError("times must be finite and increase, from 0 or later.")
    k = len(overlaps.matrix)

    def slope(time: float, flat: np.ndarray) -> np.ndarray:
        now = overlaps._replace(matrix=torch.from_numpy(flat).reshape(k, k))
        _, pull = _pull(now, aim, f"time {time:.3g}")
        moved = -(now.matrix @ pull)
        return (moved + moved.mT).numpy().ravel()

    start = overlaps.matrix.double().numpy().ravel()
    done = solve_ivp(
        slope, (0.0, max(at[-1], 1e-12)), start, t_eval=at, rtol=tolerance, atol=tolerance
    )
    if not done.success:
        raise Diverged(f"The flow of overlaps did not reach time {at[-1]:.3g}: {done.message}")
    matrices = torch.from_numpy(done.y.T.reshape(-1, k, k).copy())
    losses = [_pull(overlaps._replace(matrix=one), aim, "a time asked for")[0] for one in matrices]
    return OverlapLearning(matrices, torch.stack(losses))


class _Aim(NamedTuple):
    """What is to be learned: inputs, wanted outputs, the time step and the loss."""

    inputs: Tensor
    targets: Tensor
    dt: float
    loss: Loss

    def measure(self, output: Tensor, when: str) -> Tensor:
        """The loss of an output; raises `Diverged` where it is not finite."""
        value = self.loss(output, self.targets)
        if not torch.isfinite(value):
            raise Diverged(
                f"The loss became {float(value.detach())} at {when}: lower learning_rate."
            )
        return value


def _pull(overlaps: Overlaps, aim: _Aim, when: str) -> tuple[Tensor, Tensor]:
    """The loss, and K: what a step takes from each column of Z, in columns of Z."""
    *learned, still = (overlaps.block(*pair).clone() for pair in VISIBLE)
    leaves = [block.requires_grad_() for block in learned]
    with np.errstate(all="ignore"):  # what overflows is found by the loss
        output = output_of_visible([*leaves, still], aim.inputs, h=aim.dt / overlaps.tau)
    value = aim.measure(output, when)
    by_recurrent, by_inward, by_outward = torch.autograd.grad(value, leaves)
    left, right, inward, outward = overlaps.places.values()
    pull = torch.zeros_like(overlaps.matrix)
    pull[right, left], pull[outward, left] = by_recurrent, by_outward
    pull[left, right], pull[inward, right] = by_recurrent.mT, by_inward.mT
    return value.detach(), pull


def _aim(inputs: Tensor, targets: Tensor, n_outputs: int, dt: float, loss: LossName | Loss) -> _Aim:
    if targets.shape != (*inputs.shape[:2], n_outputs):
        raise ValueError(
            f"targets have shape {tuple(targets.shape)}, inputs {tuple(inputs.shape)}, and there "
            f"are {n_outputs} outputs: targets are (trial, time, output)."
        )
    if not torch.isfinite(targets).all():
        raise ValueError("targets hold NaN or infinity.")
    return _Aim(inputs.double(), targets.double(), dt, named_loss(loss))


def _check_steps(n_steps: int, learning_rate: float) -> None:
    if n_steps < 0:
        raise ValueError(f"n_steps is {n_steps}: it must not be negative.")
    check_rate(learning_rate)
