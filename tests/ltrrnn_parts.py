"""Small recordings for the tests of the ltrRNN, and what makes two fits the same."""

from typing import Any

import numpy as np

from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.recordings import Recording

TINY: dict[str, Any] = {
    "n_trials": (12, 12),
    "n_neurons": 15,
    "rank": 2,
    "n_conditions": 3,
    "dt": 0.4,
    "seed": 1,
}
SETTINGS: dict[str, Any] = {"rank": 2, "n_steps": 20, "learning_rate": 0.02, "substeps": 2}


def tiny_recording(**changes: Any) -> Recording:
    """24 trials, 11 times, 15 neurons."""
    return simulate_ltrrnn(**TINY | changes).recording


def tiny_count_recording() -> Recording:
    """The same in counts."""
    return tiny_recording(counts=True, mean_count=2.0)


def fitted_parts(model: LtrRNN) -> dict[str, np.ndarray]:
    """Everything that a fit found, by name."""
    names = ("columns_", "row_factors_", "trial_factors_", "bias_", "initial_", "inputs_")
    names += ("readout_", "readout_bias_", "train_")
    parts = {name: getattr(model, name) for name in names}
    return parts | {"history_": model.history_.to_numpy(), "predicted": model.predict()}


def assert_identical(first: LtrRNN, second: LtrRNN) -> None:
    """Bit for bit."""
    other = fitted_parts(second)
    for name, value in fitted_parts(first).items():
        assert value.tobytes() == other[name].tobytes(), name
