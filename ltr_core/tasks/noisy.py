"""Noise on top of a task: in its input channels, in its targets, or in every unit by itself."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.tasks.trials import Task, Trials


@dataclass(frozen=True)
class Noisy:
    """A task with noise, drawn anew in every trial.

    - `input_sd`: white noise added to the task's own input channels.
    - `target_sd`: added to the targets, one number for each output, the same through a trial.
    - `unit_sd`, `n_units`: private noise. Every unit gets an input channel to itself, after the
      task's own; the networks need the weights for it (`with_private_inputs`).

    White noise has the standard deviation sd / sqrt(dt) in each step, so that what a network sums
    up over a given time does not depend on dt.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import FixedPoint, Noisy
    >>> rng = np.random.default_rng(0)
    >>> task = Noisy(FixedPoint(), input_sd=0.1)
    >>> trials = task.sample(2, rng)
    >>> bool((trials.inputs[0] == trials.inputs[1]).any())
    False
    """

    task: Task
    input_sd: float = 0.0
    target_sd: float = 0.0
    unit_sd: float = 0.0
    n_units: int = 0

    def __post_init__(self) -> None:
        for name in ("input_sd", "target_sd", "unit_sd"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}: it must be finite and not negative.")
        if (self.n_units > 0) != (self.unit_sd > 0):
            raise ValueError(
                f"unit_sd is {self.unit_sd} and n_units {self.n_units}: private noise needs both, "
                "the number of units that the networks have."
            )

    @property
    def n_inputs(self) -> int:
        """Input channels: the task's, then one for each unit with private noise."""
        return self.task.n_inputs + self.n_units

    @property
    def n_outputs(self) -> int:
        """Output channels: the task's."""
        return self.task.n_outputs

    @property
    def dt(self) -> float:
        """The task's time step."""
        return self.task.dt

    @property
    def time(self) -> Float[Tensor, " time"]:
        """The task's time axis."""
        return self.task.time

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """The task's trials with noise."""
        trials = self.task.sample(n_trials, rng)
        n_time = len(self.time)

        def drawn(sd: float, *shape: int) -> Tensor:
            return torch.from_numpy(sd * rng.standard_normal((n_trials, *shape)))

        white = self.dt**-0.5
        inputs = trials.inputs + drawn(self.input_sd * white, n_time, self.task.n_inputs)
        private = drawn(self.unit_sd * white, n_time, self.n_units)
        return trials._replace(
            inputs=torch.cat([inputs, private], dim=-1),
            targets=trials.targets + drawn(self.target_sd, 1, self.n_outputs),
        )


def with_private_inputs(networks: RNN) -> RNN:
    """The networks with one more input for each unit, of weight 1 to that unit and 0 to others.

    Examples
    --------
    >>> from ltr_core import FixedPoint, Noisy
    >>> from ltr_core.rnn import mean_field_networks
    >>> from ltr_core.tasks import with_private_inputs
    >>> task = Noisy(FixedPoint(), unit_sd=0.1, n_units=10)
    >>> networks = with_private_inputs(mean_field_networks(2, 10, n_inputs=1, n_outputs=1, g=0.5))
    >>> tuple(networks.inward.shape), task.n_inputs
    ((2, 10, 11), 11)
    """
    own = torch.eye(networks.n_units, dtype=networks.inward.dtype)
    own = own.expand(networks.n_networks, -1, -1)
    return networks._replace(inward=torch.cat([networks.inward, own], dim=-1))
