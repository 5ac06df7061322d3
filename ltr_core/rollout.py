"""The recurrent loop of a rate network, and its gradient by a backward pass of its own.

    x_{t+1} = (1 - h) x_t + h (W phi(x_t) + W_in u_t),        r_t = phi(x_t),        h = dt / tau

With the adjoint lambda_t = dL/dx_t, G_t = dL/dr_t of everything that reads the rates out, and
D_t = phi'(x_t), backpropagation through time is

    lambda_t = D_t * (G_t + h W^T lambda_{t+1}) + (1 - h) lambda_{t+1}
    dL/dW = h sum_t lambda_{t+1} r_t^T,        dL/dW_in = h sum_t lambda_{t+1} u_t^T

Autograd keeps a graph of several nodes per step and adds one matrix to dL/dW at each. Here a step
is one product and a few passes over units x trials, and each of the two sums is one product: in
memory the trials of all times of a network are the rows of one matrix.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Nonlinearity = Literal["tanh", "identity"]
Array = np.ndarray

# Multiplications of a product that OpenBLAS counts as small; the fewest columns of a block of one.
SMALL, NARROWEST = 10**6, 16


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

    In memory the axes are (network, time, trial, neuron), read fastest if given so: `as_in_memory`.

    - `rates` (time + 1, network, neuron, trial): phi(x) before the first step and after each.
    - `adjoint` (time, network, neuron, trial): dL/dx after each step, once `backward` was called.
    """

    def __init__(self, h: float, nonlinearity: Nonlinearity = "tanh") -> None:
        check_nonlinearity(nonlinearity)
        self.h = h
        self.nonlinearity = nonlinearity
        self._buffers: dict[str, Array] = {}

    @property
    def rates(self) -> Float[Array, "steps network neuron trial"]:
        """phi(x) before the first step and after each."""
        return as_in_memory(self._buffers["rates"])

    @property
    def adjoint(self) -> Float[Array, "time network neuron trial"]:
        """dL/dx after each step."""
        return as_in_memory(self._buffers["states"])

    def forward(
        self,
        recurrent: Float[Array, "network post pre"],
        inward: Float[Array, "network post input"],
        inputs: Float[Array, "time networks_or_1 input trial"],
        initial: Float[Array, "network post trial"],
    ) -> Float[Array, "time network post trial"]:
        """Rates after each step, from the state x (not the rate) before the first."""
        self._recurrent = recurrent
        self._inputs = np.ascontiguousarray(as_in_memory(inputs))
        x = np.swapaxes(initial, 1, 2).copy()
        n_networks, *sizes = x.shape
        drive = self._buffer("states", (n_networks, len(inputs), *sizes), x.dtype)
        rates = self._buffer("rates", (n_networks, len(inputs) + 1, *sizes), x.dtype)
        np.matmul(_rows(self._inputs), _transposed(self.h * inward), out=_rows(drive))
        product, arriving = _product(_transposed(self.h * recurrent), x)
        phi = np.tanh if self.nonlinearity == "tanh" else np.positive
        phi(x, out=rates[:, 0])
        steps = rates.swapaxes(0, 1)
        for before, after, driven in zip(steps, steps[1:], drive.swapaxes(0, 1), strict=False):
            product(before)
            x *= 1 - self.h
            x += driven
            x += arriving
            phi(x, out=after)
        return self.rates[1:]

    def backward(self, by_rates: Float[Array, "time network post trial"]) -> Gradient:
        """The gradient of a loss whose derivatives by the rates after each step are given."""
        # the drive is used up: its buffer takes the adjoint
        adjoint, rates = self._buffers["states"], self._buffers["rates"]
        by_rates = as_in_memory(by_rates)
        slope = np.ones_like(adjoint[:, 0])
        product, arriving = _product(self.h * self._recurrent, slope)
        np.multiply(by_rates[:, -1], self._slope(rates[:, -1], slope), out=adjoint[:, -1])
        parts = (adjoint, adjoint[:, :-1], by_rates[:, :-1], rates[:, :-1])
        latest_first = (part.swapaxes(0, 1)[::-1] for part in parts)
        for later, now, shown, rate in zip(*latest_first, strict=False):
            product(later)
            arriving += shown
            arriving *= self._slope(rate, slope)
            np.multiply(later, 1 - self.h, out=now)
            np.add(now, arriving, out=now)
        product(adjoint[:, 0])
        arriving *= self._slope(rates[:, 0], slope)
        arriving += (1 - self.h) * adjoint[:, 0]
        by_input = _transposed(_rows(self._inputs)) @ _rows(adjoint)
        return Gradient(
            recurrent=self.h * (np.swapaxes(_rows(adjoint), 1, 2) @ _rows(rates[:, :-1])),
            inward=self.h * np.swapaxes(by_input, 1, 2),
            initial=np.swapaxes(arriving, 1, 2),
        )

    def by_readout(
        self, by_readout: Float[Array, "time network output trial"]
    ) -> Float[Array, "network output pre"]:
        """The gradient by readout weights of a loss whose derivatives by the outputs are given."""
        given = _transposed(_rows(as_in_memory(by_readout)))
        return given @ _rows(self._buffers["rates"][:, 1:])

    def _slope(self, rate: Array, room: Array) -> Array:
        """phi' at a rate, written into `room` (which holds ones)."""
        if self.nonlinearity == "tanh":
            np.multiply(rate, rate, out=room)
            np.subtract(1, room, out=room)
        return room

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        found = self._buffers.get(name)
        if found is None or found.shape != shape or found.dtype != dtype:
            found = self._buffers[name] = np.empty(shape, dtype=dtype)
        return found


def check_nonlinearity(nonlinearity: str) -> None:
    """Raise ValueError unless it is the name of one."""
    if nonlinearity not in get_args(Nonlinearity):
        raise ValueError(
            f"nonlinearity is '{nonlinearity}': give one of {', '.join(get_args(Nonlinearity))}."
        )


def as_in_memory(array: Array) -> Array:
    """(time, network, row, trial) as (network, time, trial, row), or the other way round."""
    return array.transpose(1, 0, 3, 2)


def _rows(array: Array) -> Float[Array, "network time_and_trial column"]:
    """The trials of all times as rows, so that a sum over both is one product; a view."""
    return array.reshape(len(array), -1, array.shape[-1])


def _transposed(array: Array) -> Array:
    return np.ascontiguousarray(np.swapaxes(array, 1, 2))


def _product(weights: Array, like: Array) -> tuple[Callable[[Array], object], Array]:
    """A function that multiplies (network, trial, neuron) by weights, and where it writes.

    Large weights are taken in blocks of columns: OpenBLAS, with AVX-512, is faster at small ones.
    """
    n_networks, n_rows, n_columns = weights.shape
    wanted = -(-like.shape[1] * n_rows * n_columns // SMALL)
    sizes = range(wanted, n_columns // NARROWEST + 1)
    n_blocks = next((n for n in sizes if n_columns % n == 0), 1)
    out = np.empty_like(like)
    blocks, room = (
        array.reshape(n_networks, -1, n_blocks, n_columns // n_blocks).transpose(0, 2, 1, 3)
        for array in (weights, out)
    )
    blocks = np.ascontiguousarray(blocks)
    return lambda left: np.matmul(left[:, None], blocks, out=room), out


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
    check_nonlinearity(nonlinearity)
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
