"""Surrogates: shuffled recordings keep what they promise; spikes have the planted statistics."""

import numpy as np
import pytest

from ltr_core.recordings import Recording
from ltr_core.surrogates import shuffle_trials, spiking


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


def network(n_trials=40, n_time=30, n_neurons=50, seed=0, **labels):
    """Rates of tanh units, 10 ms apart, of unequal means and sizes."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6, (n_trials, 1, n_neurons)) + np.arange(n_time)[:, None] / 5
    size = rng.uniform(0.1, 3, n_neurons)
    activity = np.tanh(rng.normal(size=n_neurons) + size * np.sin(phase))
    return Recording(activity, time=np.arange(n_time) / 100, **labels)


def test_expected_counts_follow_the_link_with_the_planted_mean_rates():
    rates = network()
    found = spiking(rates, width=0.03, median_rate=12.0, spread=0.0, gain=2.0)
    link = np.exp(2 * rates.activity)
    link *= 12 / link.mean((0, 1))  # Hz
    expected = 0.03 * link.reshape(40, 10, 3, 50).mean(2)
    np.testing.assert_allclose(found.expected, expected)
    np.testing.assert_allclose(found.expected.mean((0, 1)) / 0.03, 12)
    np.testing.assert_allclose(found.recording.time, 0.01 + 0.03 * np.arange(10))


def test_counts_are_poisson_about_the_expected():
    found = spiking(network(n_trials=200), width=0.05, median_rate=20.0, spread=0.5)
    recording, expected = found.recording, found.expected
    assert recording.counts
    residual = (recording.activity - expected) / np.sqrt(expected)
    n = residual.size
    assert abs(residual.mean()) < 4 / np.sqrt(n)
    fano = (residual**2).mean()  # variance over mean, of each entry about its own expectation
    assert fano == pytest.approx(1, abs=0.03)
    shifted = (recording.activity - expected[::-1]) / np.sqrt(expected[::-1])
    assert (shifted**2).mean() > 1.1  # about the wrong expectation it is larger
    by_neuron = (residual**2).mean((0, 1))
    assert by_neuron.min() > 0.8
    assert by_neuron.max() < 1.3


def test_mean_rates_are_log_normal():
    found = spiking(network(n_trials=3, n_neurons=4000), width=0.1, median_rate=5.0, spread=0.8)
    logs = np.log(found.expected.mean((0, 1)) / 0.1)
    assert np.median(logs) == pytest.approx(np.log(5), abs=0.06)
    assert logs.std() == pytest.approx(0.8, abs=0.04)
    assert abs(((logs - logs.mean()) ** 3).mean()) / logs.std() ** 3 < 0.15


def test_a_share_of_the_neurons_is_kept_and_named():
    rates = network()
    found = spiking(rates, width=0.01, spread=0.0, share=0.3, seed=1)
    assert found.recording.activity.shape == found.expected.shape == (40, 30, 15)
    assert (np.diff(found.neurons) > 0).all()
    link = np.log(found.expected)  # linear in the activity of the unit it is said to be
    for place, unit in enumerate(found.neurons):
        others = [
            np.corrcoef(link[:, :, place].ravel(), rates.activity[:, :, other].ravel())[0, 1]
            for other in range(50)
        ]
        assert int(np.argmax(others)) == unit
        assert others[unit] == pytest.approx(1)
    assert not np.array_equal(found.neurons, spiking(rates, width=0.01, share=0.3, seed=2).neurons)
    assert spiking(rates, width=0.01, share=1e-9).recording.n_neurons == 1
    assert spiking(rates, width=0.01).neurons.tolist() == list(range(50))


def test_labels_and_gaps_stay_and_the_seed_decides():
    activity = network(n_trials=6, n_time=7).activity.copy()
    activity[1, 4:] = np.nan
    activity[:, :, 3] = np.nan  # never observed
    labels = {"condition": list("abcabc"), "epoch": ["x"] * 3 + ["y"] * 3, "trial_id": [*range(6)]}
    rates = Recording(activity, time=np.arange(7) / 100, **labels)
    one, same, two = (spiking(rates, width=0.02, seed=seed) for seed in (4, 4, 5))
    recording = one.recording
    for name in ("condition", "epoch", "trial_id"):
        assert (getattr(recording, name) == getattr(rates, name)).all()
    assert recording.n_time == 3  # the seventh point is left over
    unseen = np.isnan(recording.activity)
    assert (unseen == np.isnan(one.expected)).all()
    assert unseen[1, 2].all()
    assert unseen[:, :, 3].all()
    assert unseen.sum() == 6 * 3 + 49
    assert np.array_equal(recording.activity, same.recording.activity, equal_nan=True)
    assert not np.array_equal(recording.activity, two.recording.activity, equal_nan=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0.015}, "width is 0.015 s, .* whole multiple"),
        ({"width": 0.001}, "width is 0.001 s"),
        ({"width": 0.3}, "at least two bins"),
        ({"width": -0.01}, "width is -0.01 s"),
        ({"width": float("nan")}, "width is nan"),
        ({"median_rate": 0.0}, "median_rate is 0.0"),
        ({"gain": -1.0}, "gain is -1.0"),
        ({"gain": 1e4}, "gain is 10000.0"),
        ({"spread": -0.1}, "spread is -0.1"),
        ({"spread": float("inf")}, "spread is inf"),
        ({"share": 0.0}, "share is 0.0"),
        ({"share": 1.1}, "share is 1.1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        spiking(network(n_trials=2), **({"width": 0.01} | change))


def test_other_activity_than_tanh_units_is_refused():
    rates = network(n_trials=2)
    with pytest.raises(ValueError, match="leave that range"):
        spiking(rates.with_activity(3 * rates.activity), width=0.01)
    with pytest.raises(ValueError, match="are counts"):
        spiking(spiking(rates, width=0.01).recording, width=0.01)
