"""What a fit found, in its canonical form, and what follows from it: latents, rates, weights.

The model is the same under a change of sign of (a_r, b_r), of (b_r, c_r), and under another order
of its components. The canonical form has a_r, b_r of unit norm, the mean of each c_r positive, the
largest entry of each a_r positive, and components in falling order of the root mean square of c_r.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.ltrrnn.integration import Scheme, System, integrate

AT_ONCE = 20_000_000  # entries of (stage, unit, trial) that prediction works on at once


class Solution(NamedTuple):
    """A fitted model; `system` is in hat units (columns of norm sqrt(units)) and canonical form."""

    system: System
    readout: Float[Tensor, "neuron unit"]
    readout_bias: Float[Tensor, " neuron"]
    step: float
    scheme: Scheme
    substeps: int
    counts: bool

    @property
    def root(self) -> float:
        """The square root of the number of units."""
        return len(self.system.columns) ** 0.5

    def on(self, device: str) -> "Solution":
        """The solution on another device."""
        system = System(*(part.to(device) for part in self.system))
        readout, bias = self.readout.to(device), self.readout_bias.to(device)
        return self._replace(system=system, readout=readout, readout_bias=bias)

    def chunks(self) -> Iterator[slice]:
        """Trials that fit into memory together."""
        n_units, n_trials = len(self.system.columns), len(self.system.group)
        n_stages = len(self.system.drive) * (4 if self.scheme == "rk4" else 2)
        size = max(1, AT_ONCE // (n_stages * n_units))
        for first in range(0, n_trials, size):
            yield slice(first, first + size)

    def latents(self) -> Float[np.ndarray, "trial time latent"]:
        """kappa: x = columns_ @ kappa + bias_, columns of unit norm."""
        return np.concatenate([_first(part[0] * self.root) for part in self._rollouts()])

    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """Rates of the neurons, or their expected counts."""
        predicted = []
        for _, rates in self._rollouts():
            out = torch.matmul(self.readout, rates) + self.readout_bias[:, None]
            predicted.append(_first(out.exp() if self.counts else out))
        return np.concatenate(predicted)

    def _rollouts(self) -> Iterator[tuple[Tensor, Tensor]]:
        with torch.no_grad():
            for trials in self.chunks():
                part = self.system._replace(
                    trial_factors=self.system.trial_factors[:, trials],
                    group=self.system.group[trials],
                )
                yield integrate(part, self.step, self.scheme, self.substeps)


def canonical(system: System, rank: int) -> System:
    """The system in canonical form; it moves through the same states."""
    factors = system.trial_factors
    order = factors.square().mean(1).argsort(descending=True, stable=True)
    latents = torch.cat([order, torch.arange(rank, system.columns.shape[1]).to(order)])
    columns, factors = system.columns[:, latents], factors[order]
    rows = system.rows[:, order]
    largest = columns.gather(0, columns.abs().argmax(0, keepdim=True))[0]
    turned = torch.where(largest < 0, -1.0, 1.0).to(columns)
    upright = torch.where(factors.mean(1) < 0, -1.0, 1.0).to(columns)
    return system._replace(
        columns=columns * turned,
        rows=rows * turned[:rank] * upright,
        trial_factors=factors * upright[:, None],
        initial=system.initial[latents] * turned[:, None],
        drive=system.drive[:, :, latents] * turned[:, None],
    )


class Weights:
    """W_k = sum_r c_kr a_r b_r^T of every trial k, made when asked for: ``weights[k]``.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.ltrrnn.solution import Weights
    >>> column = np.array([[1.0], [0.0], [0.0]])
    >>> weights = Weights(column, column, np.array([[1.0], [3.0]]))  # as `LtrRNN.weights_` is
    >>> len(weights), weights.shape, weights[1].max().item(), weights[:2].shape
    (2, (2, 3, 3), 3.0, (2, 3, 3))
    """

    def __init__(self, columns: np.ndarray, rows: np.ndarray, factors: np.ndarray) -> None:
        self._parts = columns, rows, factors

    @property
    def shape(self) -> tuple[int, int, int]:
        """(trial, post, pre)."""
        columns, rows, factors = self._parts
        return len(factors), len(columns), len(rows)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, trials: Any) -> Float[np.ndarray, "..."]:
        columns, rows, factors = self._parts
        return (factors[trials][..., None, :] * columns) @ rows.T


def _first(trials_last: Float[Tensor, "time unit trial"]) -> np.ndarray:
    """As an array (trial, time, unit)."""
    return np.ascontiguousarray(trials_last.cpu().numpy().transpose(2, 0, 1))
