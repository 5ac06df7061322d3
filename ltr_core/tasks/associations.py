"""Associations: each of a number of inputs asks for an output of its own."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.tasks.phases import time_axis, whole_steps
from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class Associations:
    """A constant input from the start on; at the end the output is to be at that input's target.

    Inputs are points on the unit sphere of `n_channels` dimensions (evenly spaced on the circle,
    at random elsewhere), targets have norm `target_amplitude`. One more input is constant: without
    it a network that starts from zero answers to opposite inputs with opposite outputs. The
    companion's own: the number of conditions, of channels and the kind of map can be varied.

    - `n_conditions`; `n_channels`: inputs besides the constant one, and as many outputs.
    - `mapping`: "linear", one random rotation of the inputs; "arbitrary", random points of the
      sphere, which no linear map gives if there are more conditions than channels.
    - `duration`, `decision` (at the end; only there the target counts): in time constants.
    - `input_amplitude`, `target_amplitude`; `dt`: time step in time constants.
    - `draw`: which random points.

    The `condition` of a trial is its input; trials go through all of them in order.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Associations
    >>> rng = np.random.default_rng(0)
    >>> task = Associations(n_conditions=4)
    >>> trials = task.sample(8, rng)
    >>> tuple(trials.inputs.shape), len(task.time)
    ((8, 24, 3), 24)
    >>> trials.condition.tolist()
    [0, 1, 2, 3, 0, 1, 2, 3]
    """

    n_conditions: int = 8
    n_channels: int = 2
    mapping: Literal["linear", "arbitrary"] = "linear"
    duration: float = 6.0
    decision: float = 2.0
    input_amplitude: float = 1.0
    target_amplitude: float = 0.5
    dt: float = 0.25
    draw: int = 0

    def __post_init__(self) -> None:
        for name in ("n_conditions", "n_channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give at least 1.")
        if self.mapping not in get_args(Associations.__annotations__["mapping"]):
            raise ValueError(f"mapping is '{self.mapping}': give linear or arbitrary.")
        for name in ("input_amplitude", "target_amplitude", "dt"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}: it must be finite and positive.")
        if not self.dt <= self.decision <= self.duration < np.inf:
            raise ValueError(
                f"decision is {self.decision}: it must be from dt ({self.dt}) to duration "
                f"({self.duration})."
            )

    @property
    def n_inputs(self) -> int:
        """Input channels: the constant one is the last."""
        return self.n_channels + 1

    @property
    def n_outputs(self) -> int:
        """Output channels."""
        return self.n_channels

    @property
    def n_steps(self) -> int:
        """Steps of a trial."""
        return whole_steps(self.duration, self.dt)

    @property
    def time(self) -> Float[Tensor, " time"]:
        """When each step begins, in time constants."""
        return time_axis(self.n_steps, self.dt)

    @property
    def pairs(
        self,
    ) -> tuple[Float[Tensor, "condition input"], Float[Tensor, "condition channel"]]:
        """The inputs and the targets."""
        rng = np.random.default_rng([self.draw, self.n_channels])
        turn, _ = np.linalg.qr(rng.standard_normal((self.n_channels, self.n_channels)))
        inputs = _on_sphere(rng.standard_normal((self.n_conditions, self.n_channels)))
        targets = _on_sphere(rng.standard_normal((self.n_conditions, self.n_channels)))
        if self.n_channels == 2:
            angle = 2 * np.pi * np.arange(self.n_conditions) / self.n_conditions
            inputs = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        if self.mapping == "linear":
            targets = inputs @ turn.T
        inputs = self.input_amplitude * np.pad(inputs, ((0, 0), (0, 1)), constant_values=1.0)
        return torch.from_numpy(inputs), torch.from_numpy(self.target_amplitude * targets)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials of every condition in turn; nothing is drawn from `rng`."""
        check_n_trials(n_trials)
        inputs, targets = self.pairs
        condition = torch.arange(n_trials) % self.n_conditions
        judged = torch.arange(self.n_steps) >= self.n_steps - whole_steps(self.decision, self.dt)
        shown = inputs[condition][:, None].repeat(1, self.n_steps, 1)
        return Trials(
            inputs=shown,
            targets=targets[condition][:, None] * judged.double()[:, None],
            mask=judged.double().repeat(n_trials, 1),
            condition=condition,
        )


def _on_sphere(points: np.ndarray) -> np.ndarray:
    return points / np.linalg.norm(points, axis=1, keepdims=True)
