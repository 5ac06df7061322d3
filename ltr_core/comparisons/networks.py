"""Networks that explain learning in another way: not at all, or from outside the network.

Both are an `LtrRNN` with some settings laid down; whatever else it offers they offer as well.
"""

from dataclasses import dataclass
from typing import Any

from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.ltrrnn.settings import TrialFactors, Vary


@dataclass
class FixedWeights(LtrRNN):
    """A network that does not learn: the same weights, and inputs of the condition, in all trials.

    An `LtrRNN` with ``trial_factors='constant'``. What it leaves unexplained and an `LtrRNN` does
    not changed from trial to trial. As one matrix of rank R has no unique components, read its
    weights or their subspaces, not single factors.
    """

    trial_factors: TrialFactors = "constant"

    def check(self) -> None:
        """Raise ValueError for a setting out of range, or trial factors that change."""
        _laid_down(self, trial_factors="constant")
        super().check()


@dataclass
class TrialInputs(LtrRNN):
    """Learning outside the network: fixed weights, inputs and initial states free in every trial.

    An `LtrRNN` with ``trial_factors='constant'`` and ``inputs_vary_with='trial'``. Inputs act in
    `input_period` alone. Nothing ties those of one trial to the next.
    """

    trial_factors: TrialFactors = "constant"
    inputs_vary_with: Vary = "trial"

    def check(self) -> None:
        """Raise ValueError for a setting out of range, or one that this model is defined by."""
        _laid_down(self, trial_factors="constant", inputs_vary_with="trial")
        super().check()


def _laid_down(model: LtrRNN, **settings: Any) -> None:
    for name, value in settings.items():
        if getattr(model, name) != value:
            raise ValueError(
                f"{name} is {getattr(model, name)!r}: {type(model).__name__} is the network with "
                f"{name}={value!r}. Use LtrRNN for any other."
            )
