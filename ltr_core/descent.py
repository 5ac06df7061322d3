"""The gradient of a task's loss by all weights of a batch of networks, step after step."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.rollout import Rollout, as_in_memory
from ltr_core.tasks import Task, Trials

Weights = Literal["recurrent", "inward", "outward"]
ALL_WEIGHTS: tuple[Weights, ...] = ("recurrent", "inward", "outward")


class Descent:
    """Gradients of the loss for all networks, by the hand-written backward pass."""

    def __init__(
        self,
        networks: RNN,
        weights: dict[str, Tensor],
        trained: Sequence[Weights],
        task: Task,
        initial: Tensor | None,
    ) -> None:
        self.weights = weights
        self.trained = trained
        self.initial = initial
        self.rollout = Rollout(task.dt / networks.tau, networks.nonlinearity)
        self._by_rates = np.empty((0, 0, 0, 0))

    def gradients(self, batch: Trials) -> tuple[np.ndarray, np.ndarray]:
        """Set every trained weight's gradient; each network's loss and gradient's norm."""
        recurrent, inward, outward = (self.weights[name].numpy() for name in ALL_WEIGHTS)
        inputs, targets, mask = (
            np.ascontiguousarray(np.swapaxes(part.numpy(), 1, 2), dtype=recurrent.dtype)
            for part in (batch.inputs, batch.targets, batch.mask[..., None])
        )  # (network, time, trial, channel), as the rollout has it in memory
        start = np.zeros((*recurrent.shape[:2], inputs.shape[2]), dtype=recurrent.dtype)
        silent = 0
        if self.initial is not None:
            start += self.initial.numpy()[..., None]
        else:  # until the first input all rates are zero: nothing to compute
            silent = int(inputs.any((0, 2, 3)).argmax())
        loop = self.rollout
        rates = as_in_memory(
            loop.forward(recurrent, inward, as_in_memory(inputs[:, silent:]), start)
        )
        error = -targets
        error[:, silent:] += rates @ np.swapaxes(outward, 1, 2)[:, None]
        counted = mask.sum((1, 2, 3), keepdims=True) * targets.shape[-1]
        by_output = mask / counted * error
        loss = 0.5 * (error * by_output).sum((1, 2, 3))
        heard = by_output[:, silent:]
        if self._by_rates.shape != rates.shape:
            self._by_rates = np.empty_like(rates)
        np.matmul(heard, outward[:, None], out=self._by_rates)
        found = loop.backward(as_in_memory(self._by_rates))
        gradients = {"recurrent": found.recurrent, "inward": found.inward}
        if "outward" in self.trained:
            gradients["outward"] = loop.by_readout(as_in_memory(heard))
        for name in self.trained:
            self.weights[name].grad = torch.from_numpy(gradients[name])
        return loss, np.linalg.norm(found.recurrent, axis=(1, 2))
