"""What every task offers, and the trials it makes."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor


class Trials(NamedTuple):
    """What a task asks for in a number of trials.

    - `inputs` (trial, time, input): what the network is shown.
    - `targets` (trial, time, output): what is wanted, in the task's units.
    - `mask` (trial, time): 1 where the target counts, 0 where it does not.
    - `condition` (trial,): which of the task's conditions the trial belongs to.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Reaching
    >>> rng = np.random.default_rng(0)
    >>> trials = Reaching().sample(3, rng)
    >>> trials._fields
    ('inputs', 'targets', 'mask', 'condition')
    >>> tuple(trials.mask.shape)
    (3, 50)
    """

    inputs: Float[Tensor, "trial time input"]
    targets: Float[Tensor, "trial time output"]
    mask: Float[Tensor, "trial time"]
    condition: Int[Tensor, " trial"]


@runtime_checkable
class Task(Protocol):
    """What a task offers: its numbers of channels, its time axis and its trials.

    Examples
    --------
    >>> from ltr_core import FlipFlop, Task
    >>> isinstance(FlipFlop(), Task), isinstance("flip-flop", Task)
    (True, False)
    """

    @property
    def n_inputs(self) -> int:
        """Input channels."""

    @property
    def n_outputs(self) -> int:
        """Output channels."""

    @property
    def dt(self) -> float:
        """Time step, in the task's unit of time."""

    @property
    def time(self) -> Float[Tensor, " time"]:
        """The time axis of its trials, in the task's unit of time."""

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials drawn at random; raises ValueError for fewer than one."""


def check_n_trials(n_trials: int) -> None:
    """Refuse to draw no trials."""
    if n_trials < 1:
        raise ValueError(f"n_trials is {n_trials}: ask for at least one trial.")
