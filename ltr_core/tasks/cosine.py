"""Cosine generation: an oscillation without any input."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.tasks.phases import check_settings, time_axis, whole_steps
from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class Cosine:
    """The output is to follow ``target_amplitude * cos(2 pi t / period)`` (Schuessler et al. 2020).

    The input stays at zero. A network that starts from zero would stay there, so it has to start
    from its input vector: pass that as the initial state. The first step has t = 0.

    All trials are alike, and their `condition` is 0.

    - `duration`, `period`: in time constants; the target counts in the first `n_periods`.
    - `target_amplitude`; `dt`: time step in time constants.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Cosine
    >>> rng = np.random.default_rng(0)
    >>> task = Cosine()
    >>> trials = task.sample(1, rng)
    >>> bool(trials.inputs.any()), bool(trials.targets[0, 0, 0] == task.target_amplitude)
    (False, True)
    """

    duration: float = 20.0
    period: float = 5.0
    n_periods: int = 2
    target_amplitude: float = 1.0
    dt: float = 0.1

    n_inputs = 1
    n_outputs = 1

    def __post_init__(self) -> None:
        check_settings(self, phases=("duration", "period"))
        if self.n_periods < 1:
            raise ValueError("n_periods is 0: no target would count; give at least one.")
        if self._n_counted > self.n_steps:
            raise ValueError(
                f"duration is {self.duration}, shorter than the {self.n_periods} periods of "
                f"{self.period} in which the target counts."
            )

    @property
    def n_steps(self) -> int:
        """Steps of a trial."""
        return whole_steps(self.duration, self.dt)

    @property
    def _n_counted(self) -> int:
        return whole_steps(self.n_periods * self.period, self.dt)

    @property
    def time(self) -> Float[Tensor, " time"]:
        """When each step begins, in time constants."""
        return time_axis(self.n_steps, self.dt)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Equal trials; nothing is drawn from `rng`."""
        check_n_trials(n_trials)
        wanted = self.target_amplitude * torch.cos(2 * np.pi * self.time / self.period)
        counts = (torch.arange(self.n_steps) < self._n_counted).double()
        return Trials(
            inputs=torch.zeros(n_trials, self.n_steps, 1, dtype=torch.float64),
            targets=wanted.repeat(n_trials, 1)[..., None],
            mask=counts.repeat(n_trials, 1),
            condition=torch.zeros(n_trials, dtype=torch.int64),
        )
