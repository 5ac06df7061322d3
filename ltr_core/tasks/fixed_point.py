"""The input-driven fixed point: a constant input, and one value to settle at."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.tasks.phases import check_settings, time_axis, whole_steps
from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class FixedPoint:
    """An input is switched on and stays; the output is judged at the end (Schuessler et al. 2020).

    All trials are alike, and their `condition` is 0.

    - `duration`, `fixation` (before the input), `decision` (at the end; only there the target
      counts): in time constants.
    - `input_amplitude`, `target_amplitude`; `dt`: time step in time constants.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import FixedPoint
    >>> rng = np.random.default_rng(0)
    >>> task = FixedPoint(target_amplitude=0.5)
    >>> trials = task.sample(2, rng)
    >>> trials.targets[trials.mask == 1].unique().tolist()
    [0.5]
    """

    duration: float = 101.0
    fixation: float = 1.0
    decision: float = 1.0
    input_amplitude: float = 1.0
    target_amplitude: float = 1.0
    dt: float = 0.5

    n_inputs = 1
    n_outputs = 1

    def __post_init__(self) -> None:
        check_settings(self, phases=("duration", "decision"))
        needed = [whole_steps(part, self.dt) for part in (self.fixation, self.decision)]
        if sum(needed) > self.n_steps:
            raise ValueError(
                f"duration is {self.duration}, shorter than fixation ({self.fixation}) and "
                f"decision ({self.decision}) together."
            )

    @property
    def n_steps(self) -> int:
        """Steps of a trial."""
        return whole_steps(self.duration, self.dt)

    @property
    def time(self) -> Float[Tensor, " time"]:
        """When each step begins, in time constants."""
        return time_axis(self.n_steps, self.dt)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Equal trials; nothing is drawn from `rng`."""
        check_n_trials(n_trials)
        steps = torch.arange(self.n_steps)
        driven = (steps >= whole_steps(self.fixation, self.dt)).double()
        judged = (steps >= self.n_steps - whole_steps(self.decision, self.dt)).double()
        return Trials(
            inputs=(self.input_amplitude * driven).repeat(n_trials, 1)[..., None],
            targets=(self.target_amplitude * judged).repeat(n_trials, 1)[..., None],
            mask=judged.repeat(n_trials, 1),
            condition=torch.zeros(n_trials, dtype=torch.int64),
        )
