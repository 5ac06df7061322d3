"""The flip-flop: remember the sign of the last pulse, and on which channel it came."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.tasks.phases import ROUNDING, check_range, check_settings, time_axis, whole_steps
from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class FlipFlop:
    """Pulses come one after another; the output tells the last one (Schuessler et al. 2020).

    Each pulse has a random channel and a random sign. Some time after its onset the output of
    its channel is wanted at that sign, the others at zero, until the next pulse. Nothing counts
    in between: before the first pulse, and from each onset until the decision delay is over.

    - `n_channels`: inputs, and as many outputs.
    - `duration`, `fixation` (before the first pulse), `pulse`: in time constants.
    - `decision_delay`: from a pulse's onset until its target counts.
    - `interval`: ends of the uniform distribution of how long a target counts; with the decision
      delay, the time from a pulse's onset to the next.
    - `input_amplitude` of pulses, `target_amplitude`; `dt`: time step in time constants.

    The `condition` of a trial is that of its first pulse: twice its channel, plus one if positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import FlipFlop
    >>> rng = np.random.default_rng(0)
    >>> task = FlipFlop(n_channels=2)
    >>> trials = task.sample(5, rng)
    >>> trials.inputs.shape[-1], trials.targets.shape[-1]
    (2, 2)
    >>> trials.targets.abs().unique().tolist()
    [0.0, 0.5]
    """

    n_channels: int = 2
    duration: float = 50.0
    fixation: float = 1.0
    pulse: float = 1.0
    decision_delay: float = 5.0
    interval: tuple[float, float] = (5.0, 25.0)
    input_amplitude: float = 1.0
    target_amplitude: float = 0.5
    dt: float = 0.5

    def __post_init__(self) -> None:
        check_settings(self, phases=("duration", "pulse"))
        check_range("interval", self.interval)
        if self.n_channels < 1:
            raise ValueError("n_channels is 0: give at least one.")
        shortest = self.decision_delay + self.interval[0]
        if whole_steps(self.pulse, self.dt) > whole_steps(shortest, self.dt):
            raise ValueError(
                f"pulse is {self.pulse}, but the next may follow {shortest} after its onset "
                "(decision_delay + interval[0]): pulses would overlap."
            )
        if self.n_steps <= self._n_fixation + self._n_delay:
            raise ValueError(
                f"duration is {self.duration}, no longer than fixation ({self.fixation}) and "
                f"decision_delay ({self.decision_delay}): no target would count."
            )

    @property
    def n_inputs(self) -> int:
        """Input channels."""
        return self.n_channels

    @property
    def n_outputs(self) -> int:
        """Output channels: one for each input."""
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
    def _n_fixation(self) -> int:
        return whole_steps(self.fixation, self.dt)

    @property
    def _n_delay(self) -> int:
        return whole_steps(self.decision_delay, self.dt)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials with pulses at random times, on random channels, of random signs."""
        check_n_trials(n_trials)
        shortest = whole_steps(self.decision_delay + self.interval[0], self.dt)
        size = (n_trials, -(-(self.n_steps - self._n_fixation) // shortest))  # no more will fit
        gaps = self.decision_delay + rng.uniform(*self.interval, size)
        channels = rng.integers(self.n_channels, size=size)
        signs = rng.choice([-1.0, 1.0], size)
        gap_steps = (gaps / self.dt + ROUNDING).astype(int)
        onsets = self._n_fixation + np.cumsum(gap_steps, axis=1) - gap_steps

        steps = np.arange(self.n_steps)
        last = (onsets[:, :, None] <= steps).sum(1) - 1  # (trial, time); -1 before the first
        begun = last >= 0
        last = last.clip(min=0)
        since = steps - np.take_along_axis(onsets, last, axis=1)
        pulsed = begun & (since < whole_steps(self.pulse, self.dt))
        counts = begun & (since >= self._n_delay)
        channel = np.take_along_axis(channels, last, axis=1)
        sign = np.take_along_axis(signs, last, axis=1)
        signed = sign[..., None] * np.eye(self.n_channels)[channel]
        return Trials(
            inputs=torch.from_numpy(self.input_amplitude * signed * pulsed[..., None]),
            targets=torch.from_numpy(self.target_amplitude * signed * counts[..., None]),
            mask=torch.from_numpy(counts.astype(float)),
            condition=torch.from_numpy(2 * channels[:, 0] + (signs[:, 0] > 0)),
        )
