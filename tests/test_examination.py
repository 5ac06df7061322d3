"""What is said of a recording, and what of it is warned of."""

import re
from typing import Any

import numpy as np
import pytest

from ltr_core.examination import examine
from ltr_core.recordings import Recording

N_TRIALS, N_TIMES, N_NEURONS = 36, 20, 12


def labels(n_trials: int = N_TRIALS) -> dict[str, Any]:
    """Three conditions in turn, two epochs."""
    return {
        "condition": np.arange(n_trials) % 3,
        "epoch": np.where(np.arange(n_trials) < n_trials // 2, "before", "after"),
    }


def recorded(activity: np.ndarray | None = None, **changes: Any) -> Recording:
    """Counts of 8 Hz in bins of 50 ms, unless other activity is given."""
    if activity is None:
        activity = np.random.default_rng(0).poisson(0.4, (N_TRIALS, N_TIMES, N_NEURONS)) * 1.0
    given = {"counts": True, **labels(len(activity)), **changes}
    return Recording(activity, time=0.05 * np.arange(activity.shape[1]) - 0.5, **given)


def counts() -> np.ndarray:
    return recorded().activity.copy()


def test_a_sound_recording_is_described_and_nothing_is_warned_of() -> None:
    found = examine(recorded())
    assert found.warnings == ()
    assert (found.n_trials, found.n_times, found.n_neurons) == (N_TRIALS, N_TIMES, N_NEURONS)
    np.testing.assert_array_equal(found.trials, np.full((3, 2), 6))
    assert found.missing == 0
    assert found.left_out == 0
    text = str(found)
    assert "36 trials in 2 epochs: before (18 trials), after (18 trials)." in text
    assert "Of each of the 3 conditions there are 6 trials in each epoch." in text
    assert "20 times in a trial, from -0.5 s to 0.45 s, 50 ms apart." in text
    assert "Nothing is missing" in text
    assert "Nothing stands out." in text


def test_mean_rates_are_in_hz_over_what_was_observed() -> None:
    activity = np.ones((N_TRIALS, N_TIMES, 2))
    activity[..., 1] = 3
    activity[0, 0] = 2
    activity[5:, :, 1] = np.nan
    found = examine(recorded(activity))
    np.testing.assert_allclose(found.mean_rates, [20 * (1 + 1 / 720), 20 * (3 - 1 / 100)])


def test_missing_entries_and_gaps_in_the_ids_are_counted() -> None:
    activity = counts()
    activity[3, 10:] = np.nan
    activity[7, 15:, :4] = np.nan
    ids = np.delete(np.arange(N_TRIALS + 5), [4, 5, 9, 20, 21])
    found = examine(recorded(activity, trial_id=ids))
    assert found.missing == pytest.approx((10 * 12 + 5 * 4) / activity.size)
    assert found.left_out == 5
    text = str(found)
    assert "1.6 % of the entries are missing; they are in 2 trials." in text
    assert "from 0 to 40; 5 numbers between them are skipped, in 3 gaps." in text


def test_ids_that_are_no_whole_numbers_have_no_gaps() -> None:
    found = examine(recorded(trial_id=np.arange(N_TRIALS) + 0.5))
    assert found.left_out is None
    assert "not all whole numbers" in str(found)


def silent_trial() -> Recording:
    activity = counts()
    activity[4] = np.nan
    return recorded(activity)


def constant_neuron() -> Recording:
    activity = counts()
    activity[..., 3] = 0
    return recorded(activity)


def quiet_neurons() -> Recording:
    activity = counts()
    activity[..., [2, 5]] = 0
    activity[0, 0, [2, 5]] = 1
    return recorded(activity)


def rare_cell() -> Recording:
    condition = np.arange(N_TRIALS) % 3
    condition[18:][condition[18:] == 2] = 0
    condition[[20, 23]] = 2
    return recorded(condition=condition)


def condition_in_one_epoch() -> Recording:
    condition = np.arange(N_TRIALS) % 3
    condition[18:][condition[18:] == 2] = 0
    return recorded(condition=condition)


def half_missing() -> Recording:
    activity = counts()
    activity[:, :10] = np.nan
    return recorded(activity)


def offset_rates() -> Recording:
    rates = np.random.default_rng(1).normal(10, 1, (N_TRIALS, N_TIMES, N_NEURONS))
    return recorded(rates, counts=False)


def without_labels() -> Recording:
    """Labels that were missing, and became text."""
    condition = np.array(["left", "", "right"])[np.arange(N_TRIALS) % 3]
    epoch = np.array(["before", "nan"])[np.arange(N_TRIALS) // 18]
    return recorded(condition=condition, epoch=epoch)


def in_milliseconds() -> Recording:
    return Recording(counts(), time=50.0 * np.arange(N_TIMES), counts=True, **labels())


@pytest.mark.parametrize(
    ("recording", "warning", "remedy"),
    [
        (recorded(counts()[:12]), "12 trials are few", "Take more"),
        (silent_trial(), "In trial 4 ", "leave them out"),
        (constant_neuron(), "Neuron 3 never changes", "min_rate"),
        (quiet_neurons(), "Neurons 2, 5 fire less than 0.5", "min_rate = 0.5"),
        (rare_cell(), r"Fewer than 3 trials: 2 in after \(2\)", "merge"),
        (condition_in_one_epoch(), "Condition 2 is in one epoch only", "merge"),
        (recorded(condition=None, epoch=None), "one condition and one epoch", "columns"),
        (recorded(condition=None), "one condition[.]", "array named condition"),
        (recorded(condition=None, epoch=None), "one condition", "array named condition"),
        (without_labels(), "condition '' looks like a missing label", "leave them out"),
        (without_labels(), "epoch 'nan' looks like a missing label", "leave them out"),
        (in_milliseconds(), "50 s apart: are these ms", "in s"),
        (recorded(counts=False), "All values are whole numbers", "counts=True"),
        (half_missing(), "50 % of the entries are missing", "shorter window"),
        (recorded(counts()[..., :5]), "5 neurons are few", "rank"),
        (recorded(counts()[:, :6]), "6 times in a trial are few", "narrower bins"),
        (recorded(counts() + 3), "3.4 spikes in a bin", "narrower bins"),
        (recorded(np.where(counts() > 2, 1.0, 0.0)), "spikes in a bin", "wider bins"),
        (offset_rates(), "The means of 12 neurons are far from 0", "readout_bias=True"),
    ],
)
def test_each_warning_says_what_is_wrong_and_what_to_do(
    recording: Recording, warning: str, remedy: str
) -> None:
    found = [text for text in examine(recording).warnings if re.search(warning, text)]
    assert len(found) == 1
    assert remedy in found[0]


def test_labels_of_text_are_quoted() -> None:
    condition = np.array(["a", "b", ""])[condition_in_one_epoch().condition]
    (warning,) = (w for w in examine(recorded(condition=condition)).warnings if "only" in w)
    assert warning.startswith("Condition '' is in one epoch only")


def test_rates_are_not_taken_for_counts() -> None:
    for rates in (counts() - 1, counts() + 0.5, np.where(counts() > 2, 0.25, counts())):
        found = examine(recorded(rates, counts=False))
        assert not [w for w in found.warnings if "whole numbers" in w]
    with_gaps = np.where(counts() > 2, np.nan, counts())
    assert "All values are whole" in str(examine(recorded(with_gaps, counts=False)))


@pytest.mark.parametrize(
    ("activity", "message"),
    [
        (counts()[:1], "one trial"),
        (counts()[..., :1], "one neuron"),
        (counts()[:, :2], "at 2 times of a trial"),
        (np.where(np.arange(N_NEURONS) == 4, np.nan, counts()), "Of neuron 4 nothing was observed"),
    ],
)
def test_a_recording_that_no_fit_can_use_is_refused(activity: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        examine(recorded(activity))


def test_many_names_are_cut_short() -> None:
    activity = counts()[..., np.zeros(30, int)]
    activity[..., 5:] = 0
    (warning,) = [text for text in examine(recorded(activity)).warnings if "never" in text]
    assert "Neurons 5, 6, 7, 8, 9, 10, 11, 12 and 17 more never change" in warning
