"""The noise of single trials: what it is planted to be, whatever changes slowly."""

import numpy as np
import pytest

from ltr_core.recordings import Recording
from ltr_core.reliability import neighbour_noise


def made(noise: float, n_trials: int = 400, drift: float = 0.0, missing: float = 0.0) -> Recording:
    """Four conditions, whose courses may drift over trials, with noise on every entry."""
    rng = np.random.default_rng(0)
    courses = rng.normal(size=(4, 12, 5))
    condition = np.arange(n_trials) % 4
    signal = courses[condition] * (1 + drift * np.arange(n_trials) / n_trials)[:, None, None]
    activity = signal + noise * rng.normal(size=signal.shape)
    activity[rng.random(activity.shape) < missing] = np.nan
    return Recording(activity, time=0.1 * np.arange(12), condition=condition)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_planted_noise_is_found(drift: float, missing: float) -> None:
    recording = made(0.7, drift=drift, missing=missing)
    true = 0.7**2 / np.nanvar(recording.activity)
    assert neighbour_noise(recording) == pytest.approx(true, rel=0.05)


def test_conditions_and_epochs_are_not_noise() -> None:
    clean = made(0.0)
    assert neighbour_noise(clean) < 1e-12
    mixed = Recording(clean.activity, time=clean.time, condition=np.zeros(clean.n_trials, int))
    assert neighbour_noise(mixed) > 0.5, "without its conditions the same activity is all noise"


def test_only_the_entries_of_the_mask_count() -> None:
    recording = made(0.5)
    activity = recording.activity.copy()
    activity[:, :6] += 5 * np.random.default_rng(1).normal(size=activity[:, :6].shape)
    noisy = recording.with_activity(activity)
    mask = np.zeros(activity.shape, bool)
    mask[:, 6:] = True
    true = 0.5**2 / activity[:, 6:].var()
    assert neighbour_noise(noisy, mask) == pytest.approx(true, rel=0.05)


def test_nothing_to_compare() -> None:
    one_each = Recording(
        np.random.default_rng(0).normal(size=(3, 4, 2)), time=np.arange(4.0), condition=[0, 1, 2]
    )
    with pytest.raises(ValueError, match="neighbour"):
        neighbour_noise(one_each)
    flat = Recording(np.ones((6, 4, 2)), time=np.arange(4.0))
    with pytest.raises(ValueError, match="vary"):
        neighbour_noise(flat)
