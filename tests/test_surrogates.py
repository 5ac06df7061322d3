"""Shuffled recordings keep what they promise to keep, and nothing else."""

import numpy as np
import pytest

from ltr_core.recordings import Recording
from ltr_core.surrogates import shuffle_trials


def recorded(seed=0, n_trials=30):
    rng = np.random.default_rng(seed)
    activity = rng.normal(size=(n_trials, 4, 3))
    activity[2, 1, 0] = np.nan
    return Recording(
        activity,
        time=np.arange(4) / 10,
        condition=np.arange(n_trials) % 3,
        epoch=["before"] * 10 + ["after"] * (n_trials - 10),
        trial_id=2.0 * np.arange(n_trials),
    )


def origins(recording, other, neuron):
    """For each trial of the other, the trial of the recording whose activity it is."""
    found = []
    for values in other.activity[:, :, neuron]:
        same = (recording.activity[:, :, neuron] == values) | (
            np.isnan(values) & np.isnan(recording.activity[:, :, neuron])
        )
        (place,) = np.flatnonzero(same.all(1))
        found.append(int(place))
    return np.array(found)


@pytest.mark.parametrize("each_neuron", [False, True])
def test_trials_move_within_their_condition_and_none_is_lost(each_neuron):
    recording = recorded()
    other = shuffle_trials(recording, each_neuron=each_neuron, seed=1)
    orders = [origins(recording, other, neuron) for neuron in range(3)]
    for order in orders:
        assert sorted(order) == list(range(30))
        assert (recording.condition_index[order] == recording.condition_index).all()
        assert (order != np.arange(30)).any()
    together = (orders[0] == orders[1]).all() and (orders[0] == orders[2]).all()
    assert bool(together) != each_neuron


@pytest.mark.parametrize("each_neuron", [False, True])
def test_labels_stay_and_the_seed_decides(each_neuron):
    recording = recorded()
    one, two, same = (
        shuffle_trials(recording, each_neuron=each_neuron, seed=seed) for seed in (1, 2, 1)
    )
    for name in ("time", "condition", "epoch", "trial_id"):
        assert (getattr(one, name) == getattr(recording, name)).all()
    assert np.array_equal(one.activity, same.activity, equal_nan=True)
    assert not np.array_equal(one.activity, two.activity, equal_nan=True)
