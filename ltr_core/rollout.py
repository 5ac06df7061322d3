"""The recurrent loop of a rate network, and its gradient by a backward pass of its own.

    x_{t+1} = (1 - h) x_t + h (W phi(x_t) + W_in u_t),        r_t = phi(x_t),        h = dt / tau

With the adjoint lambda_t = dL/dx_t, G_t = dL/dr_t of everything that reads the rates out, and
D_t = phi'(x_t), backpropagation through time is

    lambda_t = D_t * (G_t + h W^T lambda_{t+1}) + (1 - h) lambda_{t+1}
    dL/dW = h sum_t lambda_{t+1} r_t^T,        dL/dW_in = h sum_t lambda_{t+1} u_t^T

Autograd keeps a graph of several nodes per step and adds one matrix to dL/dW at each. Here a step
is one product and a few passes over units x trials, and each of the two sums is one product.
Trials are the last axis, so that a step's rates lie together in memory.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Nonlinearity = Literal["tanh", "identity"]
Array = np.ndarray


class Gradient(NamedTuple):
    """The gradient of a loss by the weights and by the state before the first step."""

    recurrent: Float[Array, "network post pre"]
    inward: Float[Array, "network post input"]
    initial: Float[Array, "network post trial"]


class Rollout:
    """The loop over time and its backward pass, in buffers that further calls use again.

    Fresh buffers of some megabytes cost more than the passes over them (their pages are mapped anew
    each time), so whoever descends a gradient keeps one `Rollout` for all steps. What `forward` and
    `backward` return are views of the buffers: the next call overwrites them.

    - `rates` (time + 1, network, neuron, trial): phi(x) before the first step and after each.
    - `adjoint` (time, network, neuron, trial): dL/dx after each step, once `backward` was called.
    """

    def __init__(self, h: float, nonlinearity: Nonlinearity = "tanh") -> None:
        self.h = h
        self.nonlinearity = nonlinearity
        self._buffers: dict[str, Array] = {}

    @property
    def rates(self) -> Float[Array, "steps network neuron trial"]:
        """phi(x) before the first step and after each."""
        return self._buffers["rates"]

    @property
    def adjoint(self) -> Float[Array, "time network neuron trial"]:
        """dL/dx after each step."""
        return self._buffers["states"]

    def forward(
        self,
        recurrent: Float[Array, "network post pre"],
        inward: Float[Array, "network post input"],
        inputs: Float[Array, "time networks_or_1 input trial"],
        initial: Float[Array, "network post trial"],
    ) -> Float[Array, "time network post trial"]:
        """Rates after each step, from the state x (not the rate) before the first."""
        self._recurrent, self._inputs = recurrent, inputs
        n_time = len(inputs)
        drive = self._buffer("states", (n_time, *initial.shape), initial.dtype)
        rates = self._buffer("rates", (n_time + 1, *initial.shape), initial.dtype)
        np.matmul(self.h * inward, inputs, out=drive)
        weights, x, arriving = self.h * recurrent, initial.copy(), np.empty_like(initial)
        phi = np.tanh if self.nonlinearity == "tanh" else np.positive
        phi(x, out=rates[0])
        for t in range(n_time):
            np.matmul(weights, rates[t], out=arriving)
            x *= 1 - self.h
            x += drive[t]
            x += arriving
            phi(x, out=rates[t + 1])
        return rates[1:]

    def backward(self, by_rates: Float[Array, "time network post trial"]) -> Gradient:
        """The gradient of a loss whose derivatives by the rates after each step are given."""
        # the drive is used up: its buffer takes the adjoint
        adjoint, rates = self._buffers["states"], self.rates
        transposed = np.ascontiguousarray(np.swapaxes(self._recurrent, 1, 2)) * self.h
        arriving, slope = np.empty_like(adjoint[0]), np.ones_like(adjoint[0])
        np.multiply(by_rates[-1], self._slope(rates[-1], slope), out=adjoint[-1])
        for t in range(len(adjoint) - 2, -1, -1):
            np.matmul(transposed, adjoint[t + 1], out=arriving)
            arriving += by_rates[t]
            arriving *= self._slope(rates[t + 1], slope)
            np.multiply(adjoint[t + 1], 1 - self.h, out=adjoint[t])
            adjoint[t] += arriving
        np.matmul(transposed, adjoint[0], out=arriving)
        arriving *= self._slope(rates[0], slope)
        arriving += (1 - self.h) * adjoint[0]
        sent = np.broadcast_to(
            self._inputs, (len(adjoint), adjoint.shape[1], *self._inputs.shape[2:])
        )
        after = self._side_by_side("adjoint", adjoint)
        before = self._side_by_side("before", rates[:-1])
        shown = self._side_by_side("inputs", sent)
        return Gradient(
            recurrent=self.h * (after @ np.swapaxes(before, 1, 2)),
            inward=self.h * (after @ np.swapaxes(shown, 1, 2)),
            initial=arriving,
        )

    def by_readout(
        self, by_readout: Float[Array, "time network output trial"]
    ) -> Float[Array, "network output pre"]:
        """The gradient by readout weights of a loss whose derivatives by the outputs are given."""
        after = self._side_by_side("after", self.rates[1:])
        return self._side_by_side("outputs", by_readout) @ np.swapaxes(after, 1, 2)

    def _slope(self, rate: Array, room: Array) -> Array:
        """phi' at a rate, written into `room` (which holds ones)."""
        if self.nonlinearity == "tanh":
            np.multiply(rate, rate, out=room)
            np.subtract(1, room, out=room)
        return room

    def _side_by_side(self, name: str, array: Array) -> Float[Array, "network row time_and_trial"]:
        """The trials of all times side by side, so that a sum over both is one product."""
        n_time, n_networks, n_rows, n_trials = array.shape
        room = self._buffer(name, (n_networks, n_rows, n_time, n_trials), array.dtype)
        np.copyto(room, array.transpose(1, 2, 0, 3))
        return room.reshape(n_networks, n_rows, n_time * n_trials)

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        found = self._buffers.get(name)
        if found is None or found.shape != shape or found.dtype != dtype:
            found = self._buffers[name] = np.empty(shape, dtype=dtype)
        return found


def rollout(
    recurrent: Float[Tensor, "network post pre"],
    inward: Float[Tensor, "network post input"],
    inputs: Float[Tensor, "time networks_or_1 input trial"],
    initial: Float[Tensor, "network post trial"],
    *,
    h: float,
    nonlinearity: Nonlinearity = "tanh",
) -> Float[Tensor, "time network post trial"]:
    """Rates after each step, differentiable in both weights and the initial state.

    `initial` is the state x (not the rate) before the first step; `h` is dt / tau. Inputs get no
    gradient. On a device other than the CPU autograd goes through the loop.
    """
    if recurrent.device.type != "cpu":
        return rollout_by_autograd(
            recurrent, inward, inputs, initial, h=h, nonlinearity=nonlinearity
        )
    return _Differentiable.apply(Rollout(h, nonlinearity), recurrent, inward, inputs, initial)


def rollout_by_autograd(
    recurrent: Float[Tensor, "network post pre"],
    inward: Float[Tensor, "network post input"],
    inputs: Float[Tensor, "time networks_or_1 input trial"],
    initial: Float[Tensor, "network post trial"],
    *,
    h: float,
    nonlinearity: Nonlinearity = "tanh",
) -> Float[Tensor, "time network post trial"]:
    """The same by autograd through the loop: what `rollout` is tested and timed against."""
    phi = torch.tanh if nonlinearity == "tanh" else torch.clone
    drive = h * (inward @ inputs)
    x, rates = initial, []
    rate = phi(x)
    for now in drive.unbind(0):
        x = torch.baddbmm((1 - h) * x + now, recurrent, rate, alpha=h)
        rate = phi(x)
        rates.append(rate)
    return torch.stack(rates)


class _Differentiable(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, loop: Rollout, recurrent: Tensor, inward: Tensor, *shown: Tensor
    ) -> Tensor:
        ctx.loop = loop
        parts = (part.detach().numpy() for part in (recurrent, inward, *shown))
        return torch.from_numpy(loop.forward(*parts))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, by_rates: Tensor) -> tuple[Tensor | None, ...]:
        gradient = ctx.loop.backward(by_rates.numpy())
        recurrent, inward, initial = (torch.from_numpy(part) for part in gradient)
        return None, recurrent, inward, None, initial
