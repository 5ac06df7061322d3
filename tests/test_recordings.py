"""Recordings: what they hold, what they refuse, and that they stay as they were made."""

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr_core.learning import Epoch, record_learning
from ltr_core.recordings import Recording
from ltr_core.rnn import random_networks
from ltr_core.tasks import Hand, Reaching

N_TRIALS, N_TIME, N_NEURONS = 6, 5, 4
TIME = 0.1 * np.arange(N_TIME) - 0.2
LABELS: dict[str, Any] = {
    "condition": ["right", "left"] * 3,
    "epoch": ["washed", "washed", "base", "base", "base", "late"],
    "trial_id": [0, 1, 5, 6, 7, 11],
}


def rates(dtype: type = np.float64) -> np.ndarray:
    """Activity that names its own place: trial, time and neuron as digits."""
    trial, time, neuron = np.indices((N_TRIALS, N_TIME, N_NEURONS))
    return (100 * trial + 10 * time + neuron).astype(dtype)


def test_labels_and_their_indices() -> None:
    """Conditions are sorted, epochs stand in order of appearance, indices point into both."""
    recording = Recording(rates(), time=TIME, **LABELS)
    assert recording.conditions == ("left", "right")
    assert recording.condition_index.tolist() == [1, 0] * 3
    assert recording.epochs == ("washed", "base", "late")
    assert recording.epoch_index.tolist() == [0, 0, 1, 1, 1, 2]
    assert recording.trial_id.tolist() == [0, 1, 5, 6, 7, 11]
    assert (recording.n_trials, recording.n_time, recording.n_neurons) == (6, 5, 4)
    assert recording.dt == pytest.approx(0.1)
    assert "6 trials" in repr(recording)


def test_defaults_are_one_condition_and_one_epoch() -> None:
    """Without labels all trials are alike and numbered from 0."""
    recording = Recording(rates(), time=TIME)
    assert recording.conditions == (0,)
    assert recording.epochs == ("all",)
    assert recording.trial_id.tolist() == [0, 1, 2, 3, 4, 5]
    assert recording.observed.all()
    assert not recording.counts


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.float16, np.float64)],
)
def test_precision_is_kept(given_type: type, kept: type) -> None:
    """float32 is not blown up to float64."""
    assert Recording(rates(given_type), time=TIME).activity.dtype == kept


def test_one_copy_or_none() -> None:
    """The caller's array is copied once; a read-only one, as of a memory map, is shared."""
    activity = rates(np.float32)
    recording = Recording(activity, time=TIME)
    activity[:] = 0
    assert np.array_equal(recording.activity, rates(np.float32))
    assert Recording(recording.activity, time=TIME).activity is recording.activity


def test_nan_and_mask_say_the_same() -> None:
    """What was not observed is NaN, however it was said; infinity behind a mask does no harm."""
    activity, mask = rates(), np.ones((N_TRIALS, N_TIME, N_NEURONS), dtype=bool)
    activity[0, 1, 2], activity[3, 2, 1] = np.nan, np.inf
    mask[3, 2, 1] = False
    recording = Recording(activity, time=TIME, mask=mask)
    assert np.argwhere(~recording.observed).tolist() == [[0, 1, 2], [3, 2, 1]]
    assert np.array_equal(np.isnan(recording.activity), ~recording.observed)


def test_silent_trials_and_constant_neurons_are_kept_and_listed() -> None:
    """They are stated, not refused."""
    activity = rates()
    activity[2] = np.nan
    activity[..., 1], activity[..., 3] = 7.0, np.nan
    activity[2] = np.nan
    recording = Recording(activity, time=TIME)
    assert recording.silent_trials.tolist() == [2]
    assert recording.constant_neurons.tolist() == [1, 3]
    assert recording.n_trials == N_TRIALS


def test_nothing_can_be_changed_afterwards() -> None:
    """Neither the fields nor the values of the arrays."""
    recording = Recording(rates(), time=TIME, **LABELS)
    with pytest.raises(FrozenInstanceError):
        recording.counts = True  # type: ignore[misc]
    for name in ("activity", "observed", "time", "condition_index", "epoch", "trial_id"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(recording, name)[0] = getattr(recording, name)[1]


def test_dataset_is_labelled_and_shares_memory() -> None:
    """The xarray view selects by label, and copies nothing."""
    recording = Recording(rates(), time=TIME, **LABELS)
    data = recording.data
    assert data["activity"].dims == ("trial", "time", "neuron")
    assert np.shares_memory(data["activity"].values, recording.activity)
    late = data["activity"].sel(time=0.2, method="nearest").isel(trial=5, neuron=3)
    assert float(late) == 543
    assert data["epoch"].values.tolist() == LABELS["epoch"]
    assert data.attrs["counts"] is False


def test_pickled_and_back() -> None:
    """Workers of a grid search receive recordings."""
    recording = Recording(rates(), time=TIME, **LABELS)
    back = pickle.loads(pickle.dumps(recording))
    assert np.array_equal(back.activity, recording.activity)
    assert back.conditions == recording.conditions


axis_index = st.one_of(
    st.none(),
    st.builds(slice, st.sampled_from([None, 0, 1]), st.sampled_from([None, 4])),
    st.just([0, 2, 3]),
    st.just(np.array([0, 2, 3])),
)


@given(trials=axis_index, neurons=axis_index, mask_times=st.booleans())
def test_select_takes_the_right_entries(
    trials: slice | list[int] | np.ndarray | None,
    neurons: slice | list[int] | np.ndarray | None,
    mask_times: bool,
) -> None:
    """The values, which name their place, are those of the chosen trials, times and neurons."""
    recording = Recording(rates(), time=TIME, **LABELS)
    times = np.arange(N_TIME) % 2 == 0 if mask_times else None
    part = recording.select(trials=trials, neurons=neurons, times=times)
    chosen = np.arange(N_TRIALS)[slice(None) if trials is None else trials]
    at = np.arange(N_TIME)[slice(None) if times is None else times]
    cells = np.arange(N_NEURONS)[slice(None) if neurons is None else neurons]
    expected = 100 * chosen[:, None, None] + 10 * at[:, None] + cells
    assert np.array_equal(part.activity, expected)
    assert part.time.tolist() == TIME[at].tolist()
    assert part.epoch.tolist() == [LABELS["epoch"][k] for k in chosen]
    assert part.condition.tolist() == [LABELS["condition"][k] for k in chosen]
    assert part.trial_id.tolist() == [LABELS["trial_id"][k] for k in chosen]


def test_select_keeps_what_was_not_observed_and_counts() -> None:
    """A part of counts is counts, with the same holes."""
    activity = rates()
    activity[3, 2, 1] = np.nan
    part = Recording(activity, time=TIME, counts=True).select(trials=[1, 3], neurons=[1])
    assert part.counts
    assert np.argwhere(~part.observed).tolist() == [[1, 2, 0]]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"trials": [6]}, "trials holds indices beyond the recording's 6"),
        ({"neurons": np.ones(5, dtype=bool)}, "neurons is a mask of 5 values"),
        ({"times": [0, 1, 4]}, "not evenly spaced"),
        ({"trials": []}, "trials selects nothing"),
        ({"trials": slice(6, None)}, "empty"),
        ({"neurons": [0.5]}, "neurons must be a slice"),
        ({"trials": [3, 1]}, "trial_id must increase"),
        ({"times": [2]}, "at least 2 time points"),
    ],
)
def test_select_refuses_what_does_not_fit(chosen: dict[str, Any], said: str) -> None:
    """Each with its reason."""
    with pytest.raises(ValueError, match=said):
        Recording(rates(), time=TIME).select(**chosen)


def test_from_learning_takes_one_network() -> None:
    """Activity, targets and epochs are those of the chosen network."""
    task = Reaching()
    network = random_networks(2, 12, task.n_inputs, 2, seed=3)
    record = record_learning(network, task, Hand(), [Epoch("base", 3), Epoch("late", 2)], seed=1)
    recording = Recording.from_learning(record, network=1)
    assert np.array_equal(recording.activity, record.activity[1].numpy())
    assert recording.condition.tolist() == record.condition[1].tolist()
    assert recording.epochs == ("base", "late")
    assert np.allclose(recording.time, record.time.numpy())
    with pytest.raises(ValueError, match="network is 2: the record holds 0 to 1"):
        Recording.from_learning(record, network=2)


def changed(change: Callable[[np.ndarray], None]) -> np.ndarray:
    """Activity with something done to it."""
    activity = rates()
    change(activity)
    return activity


def put(value: float) -> Callable[[np.ndarray], None]:
    """Set the entry (1, 2, 3)."""
    return lambda activity: activity.__setitem__((1, 2, 3), value)


@pytest.mark.parametrize(
    ("activity", "settings", "said"),
    [
        (rates().transpose(1, 0, 2), LABELS, r"activity.transpose\(1, 0, 2\) would fit"),
        (rates().transpose(1, 0, 2), {}, r"activity.transpose\(1, 0, 2\) would fit"),
        (rates().transpose(2, 1, 0), LABELS, r"activity.transpose\(2, 1, 0\) would fit"),
        (rates().transpose(0, 2, 1), LABELS, r"activity.transpose\(0, 2, 1\) would fit"),
        (rates().transpose(1, 2, 0), LABELS, r"activity.transpose\(2, 0, 1\) would fit"),
        (rates(), {"condition": [0] * 7}, "condition has 7 values, the recording has 6 trials"),
        (rates(), {"epoch": ["a"] * 3}, "epoch has 3 values, the recording has 6 trials"),
        (rates(), {"trial_id": [0, 1]}, "trial_id has 2 values, the recording has 6 trials"),
        (rates(), {"trial_id": [0, 1, 2, 4, 3, 5]}, "trial_id must increase: trial 3 has 4"),
        (rates(), {"trial_id": [0, 1, 2, 3, 4, np.nan]}, "trial_id holds NaN"),
        (rates(), {"condition": [0, 1, 2, 3, 4, np.nan]}, "condition holds NaN"),
        (rates(), {"condition": np.eye(6)}, r"condition has shape \(6, 6\)"),
        (rates(), {"condition": np.array([0, "a", None] * 2, object)}, "cannot be sorted"),
        (rates(), {"time": np.arange(7.0)}, "time has 7 values, the recording has 5 time points"),
        (rates(), {"time": [0.0, 0.1, 0.2, 0.4, 0.5]}, "not evenly spaced: steps from 0.1 to 0.2"),
        (rates(), {"time": -TIME}, "time does not increase"),
        (rates(), {"time": [0.0, 0.1, np.inf, 0.3, 0.4]}, "time holds NaN or infinity"),
        (rates(), {"time": list("abcde")}, "time holds .*: it must hold numbers"),
        (rates()[:, :1], {"time": [0.0]}, "at least 2 time points"),
        (rates()[0], {}, r"activity has shape \(5, 4\): the axes are \(trial, time, neuron\)"),
        (rates()[:0], {}, "activity is empty"),
        (rates(np.int64), {}, r"integers \(int64\): pass counts=True"),
        (rates().astype(complex), {}, "real numbers"),
        (changed(put(np.inf)), {}, "activity is inf at trial 1, time 2, neuron 3"),
        (changed(put(-1)), {"counts": True}, "activity is -1 at trial 1, time 2, neuron 3: counts"),
        (changed(put(0.5)), {"counts": True}, "activity is 0.5 at trial 1, time 2, neuron 3"),
        (np.full((6, 5, 4), np.nan), {}, "Nothing was observed"),
        (rates(), {"mask": np.ones((5, 6, 4), dtype=bool)}, r"mask has shape \(5, 6, 4\)"),
        (rates(), {"mask": rates()}, "mask .* must be bool"),
        (rates(), {"mask": np.zeros((6, 5, 4), dtype=bool)}, "Nothing was observed"),
    ],
)
def test_bad_input_is_named(activity: np.ndarray, settings: dict[str, Any], said: str) -> None:
    """What is wrong and where."""
    with pytest.raises(ValueError, match=said):
        Recording(activity, **{"time": TIME, **settings})


def test_integers_are_counts_if_said_so() -> None:
    """Counts of any integer type are kept as numbers with room for NaN."""
    recording = Recording(rates(np.int32), time=TIME, counts=True)
    assert recording.activity.dtype == np.float64
    assert recording.counts
