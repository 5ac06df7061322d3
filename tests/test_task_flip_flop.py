"""The flip-flop task against its definition, read off the pulses that it shows."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from ltr_core.tasks import FlipFlop

PUBLISHED = FlipFlop()
LONG = FlipFlop(n_channels=3, duration=400.0)
CHANCE = 1e-3  # what falls below this is not left to chance


def pulses(task, trial):
    """Onset (step), channel and sign of each pulse of one trial's inputs (time, input)."""
    on = np.abs(trial).sum(-1) > 0
    onsets = np.flatnonzero(on & ~np.r_[False, on[:-1]])
    channels = np.abs(trial[onsets]).argmax(-1)
    return onsets, channels, np.sign(trial[onsets, channels])


@pytest.fixture(scope="module")
def long():
    """All pulses of 300 long trials: gaps between onsets, channels, signs."""
    inputs = LONG.sample(300, np.random.default_rng(3)).inputs.numpy()
    onsets, channels, signs = zip(*(pulses(LONG, trial) for trial in inputs), strict=True)
    return [np.diff(trial) for trial in onsets], channels, signs


@pytest.mark.parametrize("task", [PUBLISHED, LONG, FlipFlop(dt=0.1, pulse=0.3)])
def test_targets_and_mask_follow_from_the_pulses(task):
    trials = task.sample(20, np.random.default_rng(0))
    delay, width = round(task.decision_delay / task.dt), round(task.pulse / task.dt)
    for trial in range(20):
        shown = trials.inputs[trial].numpy()
        onsets, channels, signs = pulses(task, shown)
        inputs, targets = np.zeros_like(shown), np.zeros_like(shown)
        mask = np.zeros(len(shown))
        ends = [*onsets[1:], len(shown)]
        for onset, end, channel, sign in zip(onsets, ends, channels, signs, strict=True):
            inputs[onset : onset + width, channel] = sign
            targets[onset + delay : end, channel] = 0.5 * sign
            mask[onset + delay : end] = 1
        assert onsets[0] == round(task.fixation / task.dt)
        np.testing.assert_array_equal(shown, inputs)
        np.testing.assert_array_equal(trials.targets[trial], targets)
        np.testing.assert_array_equal(trials.mask[trial], mask)
        assert trials.condition[trial] == 2 * channels[0] + (signs[0] > 0)


def test_the_time_between_pulses_is_uniform_over_its_range(long):
    gaps = np.concatenate(long[0])
    # decision delay 5 and interval 5 to 25, in steps of 0.5, rounded down
    counts = np.bincount(gaps, minlength=60)
    assert counts[:20].sum() == 0
    assert len(counts) == 60
    # trials end at a fixed time, which favours short gaps among the last: the first few are fair
    fair = np.concatenate([trial[:8] for trial in long[0]])
    assert chisquare(np.bincount(fair, minlength=60)[20:]).pvalue > CHANCE
    assert fair.mean() == pytest.approx(39.5, abs=1.0)


def test_channels_and_signs_are_even_and_independent(long):
    channels, signs = np.concatenate(long[1]), np.concatenate(long[2])
    counts = np.zeros((3, 2))
    np.add.at(counts, (channels, (signs > 0).astype(int)), 1)
    assert chisquare(counts.ravel()).pvalue > CHANCE
    following = np.zeros((3, 3))
    for trial in long[1]:
        np.add.at(following, (trial[:-1], trial[1:]), 1)
    assert chi2_contingency(following).pvalue > CHANCE


def test_amplitudes_scale_inputs_and_targets():
    settings = {"input_amplitude": 2.0, "target_amplitude": 0.25}
    trials = FlipFlop(**settings).sample(8, np.random.default_rng(0))
    assert set(trials.inputs.unique().tolist()) == {-2, 0, 2}
    assert set(trials.targets.unique().tolist()) == {-0.25, 0, 0.25}


def test_pulses_may_follow_each_other_at_once():
    task = FlipFlop(duration=6.0, decision_delay=0.5, pulse=0.5, interval=(0.0, 0.0))
    trials = task.sample(5, np.random.default_rng(0))
    assert (trials.inputs[:, 2:].abs().sum(-1) == 1).all()
    assert trials.mask.sum() == 0  # the next pulse comes as the target would


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"duration": 6.0}, r"no longer than fixation \(1.0\) and decision_delay \(5.0\)"),
        ({"interval": (25.0, 5.0)}, r"interval is \(25.0, 5.0\): give a lower"),
        ({"interval": (5.0, float("inf"))}, "interval is .* finite"),
        ({"pulse": 11.0}, "pulses would overlap"),
        ({"pulse": 0.4}, "pulse is 0.4, shorter than one step of dt = 0.5"),
        ({"decision_delay": -1.0}, "decision_delay is -1.0"),
        ({"n_channels": 0}, "n_channels is 0"),
        ({"dt": 0.0}, "dt is 0"),
        ({"dt": float("nan")}, "dt is nan"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, named):
    with pytest.raises(ValueError, match=named):
        FlipFlop(**settings)
