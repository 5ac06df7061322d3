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

    Examples
    --------
    >>> from ltr_core import comparisons, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = comparisons.FixedWeights(rank=2, n_steps=5, substeps=1).fit(recording)
    >>> bool((model.weights_[0] == model.weights_[11]).all()), model.predict().shape
    (True, (12, 11, 10))
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

    Examples
    --------
    >>> from ltr_core import comparisons, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = comparisons.TrialInputs(rank=2, n_steps=5, substeps=1).fit(recording)
    >>> model.inputs_.shape, model.initial_.shape  # of every trial, not every condition
    ((12, 11, 2), (12, 2))
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
