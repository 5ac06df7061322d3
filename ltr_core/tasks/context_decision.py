"""Context-dependent decision: which of two senses counts, and what is its sign?"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.tasks.phases import check_settings, time_axis, whole_steps
from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class ContextDecision:
    """Two noisy senses, and a context that names the one to judge (Mante et al. 2013).

    In the form of Schuessler et al. (2020). The inputs are context 1, context 2, sense 1,
    sense 2. During the stimulus the named context is 1 and each sense carries a coherence of
    random size and sign; its noise is there at all times. After the delay the output is wanted
    at the sign of the coherence of the sense that the context names.

    - `fixation`, `stimulus`, `delay`, `decision`: durations in time constants.
    - `coherences`: their sizes, all positive; each comes with either sign.
    - `noise`: standard deviation of a sense over one time constant, so ``noise / sqrt(dt)`` over
      a step.
    - `target_amplitude`; `dt`: time step in time constants.
    - `fixation_counts`: whether a zero target counts from the start to the end of the stimulus.

    The `condition` of a trial is ``(context * n + i) * n + j``, where sense 1 has the ith and
    sense 2 the jth of the n `signed_coherences`, all counted from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import ContextDecision
    >>> rng = np.random.default_rng(0)
    >>> task = ContextDecision()
    >>> trials = task.sample(10, rng)
    >>> trials.inputs.shape[-1] == task.n_inputs
    True
    >>> trials.targets.abs().unique().tolist()
    [0.0, 0.5]
    """

    fixation: float = 3.0
    stimulus: float = 20.0
    delay: float = 5.0
    decision: float = 20.0
    coherences: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0)
    noise: float = 0.05
    target_amplitude: float = 0.5
    dt: float = 0.5
    fixation_counts: bool = True

    n_inputs = 4
    n_outputs = 1

    def __post_init__(self) -> None:
        check_settings(self, phases=("stimulus", "decision"))
        if not self.coherences or min(self.coherences) == 0:
            raise ValueError(
                f"coherences are {self.coherences}: give at least one, all above zero "
                "(a coherence of zero has no sign to judge)."
            )

    @property
    def signed_coherences(self) -> Float[Tensor, " coherence"]:
        """All coherences that a sense may have, from the most negative up."""
        sizes = torch.tensor(sorted(self.coherences), dtype=torch.float64)
        return torch.cat([-sizes.flip(0), sizes])

    @property
    def n_steps(self) -> int:
        """Steps of a trial."""
        return self._begins("end")

    @property
    def time(self) -> Float[Tensor, " time"]:
        """When each step begins, in time constants."""
        return time_axis(self.n_steps, self.dt)

    def _begins(self, phase: str) -> int:
        """The first step of a phase, or the number of all ("end")."""
        names = ("fixation", "stimulus", "delay", "decision", "end")
        before = names[: names.index(phase)]
        return sum(whole_steps(getattr(self, name), self.dt) for name in before)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials with contexts and coherences drawn independently and evenly."""
        check_n_trials(n_trials)
        levels = self.signed_coherences.numpy()
        context = rng.integers(2, size=n_trials)
        level = rng.integers(len(levels), size=(n_trials, 2))
        noise = rng.normal(0.0, self.noise / self.dt**0.5, (n_trials, self.n_steps, 2))

        steps = np.arange(self.n_steps)
        shown = (steps >= self._begins("stimulus")) & (steps < self._begins("delay"))
        deciding = steps >= self._begins("decision")
        fixating = self.fixation_counts & (steps < self._begins("delay"))
        contexts = np.eye(2)[context][:, None] * shown[:, None]
        senses = levels[level][:, None] * shown[:, None] + noise
        judged = np.sign(levels[level[np.arange(n_trials), context]])
        return Trials(
            inputs=torch.from_numpy(np.concatenate([contexts, senses], axis=-1)),
            targets=torch.from_numpy(self.target_amplitude * np.outer(judged, deciding))[..., None],
            mask=torch.from_numpy(np.tile((deciding | fixating).astype(float), (n_trials, 1))),
            condition=torch.from_numpy(
                (context * len(levels) + level[:, 0]) * len(levels) + level[:, 1]
            ),
        )
