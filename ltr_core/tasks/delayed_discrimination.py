"""Delayed discrimination: which of two stimuli was the larger?"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.tasks.phases import ROUNDING, check_range, check_settings, time_axis, whole_steps
from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class DelayedDiscrimination:
    """Two stimuli with a delay between them, to be compared (Romo et al. 1999).

    In the form of Schuessler et al. (2020). One input shows both stimuli. In the decision the
    first output is wanted at the target amplitude if the first stimulus was the larger, the second
    one if the second was; the other stays at zero.

    - `fixation`, `stimulus` (each of the two), `decision_delay`, `decision`: durations in time
      constants.
    - `delay`: ends of the uniform distribution of the time between the stimuli. Trials are as
      long as the longest needs; after an earlier decision nothing counts.
    - `amplitudes`: ends of the uniform distribution of both stimuli; pairs closer than
      `least_difference` do not occur.
    - `target_amplitude`; `dt`: time step in time constants.
    - `fixation_counts`: whether a zero target counts from the start to the end of the second
      stimulus.

    The `condition` of a trial is 0 if the first stimulus is the larger, 1 if the second is.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import DelayedDiscrimination
    >>> rng = np.random.default_rng(0)
    >>> task = DelayedDiscrimination()
    >>> trials = task.sample(10, rng)
    >>> len(trials.condition), trials.inputs.shape[1] == len(task.time)
    (10, True)
    >>> trials.condition.unique().tolist()
    [0, 1]
    """

    fixation: float = 3.0
    stimulus: float = 1.0
    delay: tuple[float, float] = (2.0, 8.0)
    decision_delay: float = 5.0
    decision: float = 10.0
    amplitudes: tuple[float, float] = (0.5, 1.5)
    least_difference: float = 0.2
    target_amplitude: float = 0.5
    dt: float = 0.5
    fixation_counts: bool = True

    n_inputs = 1
    n_outputs = 2

    def __post_init__(self) -> None:
        check_settings(self, phases=("stimulus", "decision"))
        check_range("delay", self.delay)
        check_range("amplitudes", self.amplitudes)
        if not self.least_difference < self.amplitudes[1] - self.amplitudes[0]:
            raise ValueError(
                f"least_difference is {self.least_difference}: it must be less than the width of "
                f"the range of amplitudes, {self.amplitudes}, or no pair of stimuli is left."
            )

    @property
    def n_steps(self) -> int:
        """Steps of a trial."""
        around = ("fixation", "stimulus", "stimulus", "decision_delay", "decision")
        longest = whole_steps(self.delay[1], self.dt)
        return longest + sum(whole_steps(getattr(self, name), self.dt) for name in around)

    @property
    def time(self) -> Float[Tensor, " time"]:
        """When each step begins, in time constants."""
        return time_axis(self.n_steps, self.dt)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials with random delays and random pairs of stimuli."""
        check_n_trials(n_trials)
        delay = (rng.uniform(*self.delay, n_trials) / self.dt + ROUNDING).astype(int)[:, None]
        pair = self._pairs(n_trials, rng)
        larger = pair.argmax(axis=1)

        n_fixation, n_stimulus, n_wait, n_decision = (
            whole_steps(duration, self.dt)
            for duration in (self.fixation, self.stimulus, self.decision_delay, self.decision)
        )
        steps = np.arange(self.n_steps)
        first = (steps >= n_fixation) & (steps < n_fixation + n_stimulus)
        since = steps - (n_fixation + n_stimulus + delay)  # (trial, time), from the second's onset
        second = (since >= 0) & (since < n_stimulus)
        response = since - n_stimulus - n_wait
        deciding = (response >= 0) & (response < n_decision)
        fixating = self.fixation_counts & (since < n_stimulus)
        shown = pair[:, :1] * first + pair[:, 1:] * second
        wanted = self.target_amplitude * np.eye(2)[larger][:, None] * deciding[..., None]
        return Trials(
            inputs=torch.from_numpy(shown)[..., None],
            targets=torch.from_numpy(wanted),
            mask=torch.from_numpy((deciding | fixating).astype(float)),
            condition=torch.from_numpy(larger),
        )

    def _pairs(self, n_trials: int, rng: np.random.Generator) -> Float[np.ndarray, "trial 2"]:
        """Uniform pairs at least so far apart, drawn without trying again.

        Pairs with the second larger fill a triangle. Two sorted uniform numbers on a range that is
        shorter by the least difference fill it, once the larger is moved up by that difference.
        """
        low, high = self.amplitudes
        pair = np.sort(rng.uniform(low, high - self.least_difference, (n_trials, 2)), axis=1)
        pair[:, 1] += self.least_difference
        swapped = rng.integers(2, size=(n_trials, 1)).astype(bool)
        return np.where(swapped, pair[:, ::-1], pair)
