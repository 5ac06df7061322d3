"""The settings of an ltrRNN, and what they may be."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from ltr_core.estimators import Estimator
from ltr_core.ltrrnn.integration import Scheme
from ltr_core.ltrrnn.kernel import Smoothness

Likelihood = Literal["gaussian", "poisson"]
Readout = Literal["orthonormal", "linear", "identity"]
TrialFactors = Literal["smooth", "independent", "constant"]
Inputs = Literal["basis", "neural_ode", "none"]
Period = Literal["preparatory", "execution", "both"]
Vary = Literal["condition", "trial"]
Initial = Literal["condition", "zero"]
Precision = Literal["float32", "float64"]

#: Length of a step over tau below which Heun's scheme is accurate to half a percent.
LONGEST_STEP = 0.1


@dataclass
class Settings(Estimator):
    """What an `LtrRNN` may be told; see there."""

    rank: int = 5
    # the network
    n_units: int | None = None
    tau: float | None = None
    bias: bool = False
    process_noise: float = 0.0
    # what is observed of it
    likelihood: Likelihood = "gaussian"
    readout: Readout = "orthonormal"
    readout_bias: bool = False
    # how weights change over trials
    trial_factors: TrialFactors = "smooth"
    length: float = 15.0
    alpha: float = 1.0
    scale: float = 1.0
    noise: float = 0.1
    jumps: bool = False
    # inputs and initial states
    inputs: Inputs = "basis"
    input_period: Period | None = None
    inputs_vary_with: Vary = "condition"
    input_columns: int = 0
    n_bumps: int = 6
    n_hidden: int = 20
    initial_state: Initial = "condition"
    go: float = 0.0
    # integration
    scheme: Scheme = "heun"
    substeps: int | None = None
    # the fit
    n_steps: int = 300
    learning_rate: float = 0.06
    batch_trials: int | None = None
    penalty: float = 0.0
    validation: float = 0.0
    patience: int = 5
    seed: int = 0
    device: str = "cpu"
    dtype: Precision = "float32"

    accepts_counts: ClassVar[bool] = True

    @property
    def smoothness(self) -> Smoothness:
        """The prior of trial factors."""
        return Smoothness(self.length, self.alpha, self.scale, self.noise, self.jumps)

    def check(self) -> None:
        """Raise ValueError for a setting out of range, alone or with others."""
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value not in get_args(allowed) and not (name == "input_period" and value is None):
                raise ValueError(f"{name} is {value!r}: it must be one of {get_args(allowed)}.")
        least = {"rank": 1, "input_columns": 0, "n_bumps": 1, "n_hidden": 1, "n_steps": 0}
        least |= {"seed": 0, "patience": 1, "n_units": 1, "substeps": 1, "batch_trials": 1}
        for name, lowest in least.items():
            self._check_whole(name, getattr(self, name), lowest)
        for name in ("learning_rate", "tau"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}: it must be positive.")
        for name in ("process_noise", "penalty"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}: it must not be negative.")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is {self.validation}: a share, at least 0 and below 1.")
        self.smoothness.check()
        if self.inputs_vary_with == "trial" and self.inputs == "neural_ode":
            raise ValueError("A neural ODE for each trial is too free: set inputs='basis'.")

    @staticmethod
    def _check_whole(name: str, value: Any, lowest: int) -> None:
        if value is None and name in ("n_units", "substeps", "batch_trials"):
            return
        if not isinstance(value, int | np.integer) or value < lowest:
            raise ValueError(f"{name} is {value!r}: it must be a whole number, at least {lowest}.")


CHOICES = {
    "likelihood": Likelihood,
    "readout": Readout,
    "trial_factors": TrialFactors,
    "inputs": Inputs,
    "input_period": Period,
    "inputs_vary_with": Vary,
    "initial_state": Initial,
    "scheme": Scheme,
    "dtype": Precision,
}
