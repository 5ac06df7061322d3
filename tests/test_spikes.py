"""Spikes in bins: counted where they are, not counted where nothing was recorded."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr_core.recordings import Recording
from ltr_core.spikes import bin_spikes

WINDOW: dict[str, float] = {"before": 0.2, "after": 0.3, "bin": 0.1}


def test_spikes_are_in_their_bins() -> None:
    """Two units, two trials, spikes put by hand; the event is an edge."""
    spikes = [np.array([0.75, 0.95, 1.05, 1.05, 1.32]), np.array([5.19, 7.0])]
    counts, time = bin_spikes(spikes, np.array([1.0, 5.0]), **WINDOW)
    assert time == pytest.approx([-0.15, -0.05, 0.05, 0.15, 0.25])
    assert counts[0].T.tolist() == [[0, 1, 2, 0, 0], [0, 0, 0, 0, 0]]
    assert counts[1].T.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]


def test_a_spike_on_an_edge_is_in_the_bin_after_it() -> None:
    """Also at the edges of the window: bins are half open."""
    window = {"before": 0.5, "after": 0.5, "bin": 0.25}
    counts, _ = bin_spikes([np.array([1.5, 2.0, 2.25, 2.5])], np.array([2.0]), **window)
    assert counts[0, :, 0].tolist() == [1, 0, 1, 1]


def test_a_window_may_begin_after_the_event() -> None:
    """A negative `before`."""
    counts, time = bin_spikes(
        [np.array([1.05, 1.25])], np.array([1.0]), before=-0.2, after=0.4, bin=0.1
    )
    assert time == pytest.approx([0.25, 0.35])
    assert counts[0, :, 0].tolist() == [1, 0]


@given(
    st.lists(st.floats(0, 20, allow_subnormal=False), max_size=40).map(sorted),
    st.lists(st.floats(1, 19), min_size=1, max_size=4),
)
def test_counts_are_those_of_a_plain_loop(spikes: list[float], events: list[float]) -> None:
    """Every spike of every window, once."""
    times, cues = np.array(spikes, float), np.array(events)
    counts, time = bin_spikes([times], cues, **WINDOW)
    edges = 0.1 * np.arange(-2, 4)
    for trial, cue in enumerate(cues):
        for at in range(len(time)):
            inside = (times >= cue + edges[at]) & (times < cue + edges[at + 1])
            assert counts[trial, at, 0] == inside.sum()


def test_bins_outside_the_trial_are_not_observed() -> None:
    """Ragged trials: NaN, though there may be spikes of the next trial; whole bins only."""
    spikes = [np.arange(0.0, 10, 0.025) + 0.01]
    starts, stops = np.array([0.8, 4.85]), np.array([1.3, 5.2])
    counts, _ = bin_spikes(spikes, np.array([1.0, 5.0]), start=starts, stop=stops, **WINDOW)
    assert counts[0, :, 0].tolist() == [4, 4, 4, 4, 4]
    assert np.isnan(counts[1, :, 0]).tolist() == [True, False, False, False, True]
    alone, _ = bin_spikes(spikes, np.array([1.0, 5.0]), stop=stops, **WINDOW)
    assert np.isnan(alone[1, :, 0]).tolist() == [False, False, False, False, True]


def test_a_unit_is_not_silent_where_it_was_not_recorded() -> None:
    """Intervals of observation are a unit's own; touching ones are one; none is none."""
    intervals = [
        np.array([[5.0, 9.0], [0.0, 1.05], [1.05, 1.2]]),
        np.empty((0, 2)),
        np.array([[0.0, 1.05], [1.06, 9.0]]),
    ]
    spikes = [np.array([], float)] * 3
    counts, _ = bin_spikes(spikes, np.array([1.0, 5.0]), observed=intervals, **WINDOW)
    seen = ~np.isnan(counts)
    assert seen[0, :, 0].tolist() == [True, True, True, True, False]
    assert seen[1, :, 0].tolist() == [False, False, True, True, True]
    assert not seen[..., 1].any()
    assert seen[0, :, 2].tolist() == [True, True, False, True, True]
    assert np.nansum(counts) == 0


def test_the_counts_make_a_recording() -> None:
    """One trial and one neuron are enough."""
    counts, time = bin_spikes([np.array([1.0])], np.array([1.0]), **WINDOW)
    recording = Recording(counts, time=time, counts=True)
    assert recording.activity.shape == (1, 5, 1)
    assert recording.activity.sum() == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.5, 0.4], r"spike 1 of unit 1 is at 0\.4 s, which is before"),
        ([-0.5, 0.4], r"spike 0 of unit 1 is at -0\.5 s, which is negative"),
        ([0.1, np.nan], "spike 1 of unit 1 is at nan s, which is not finite"),
        ([0.1, np.inf], "spike 1 of unit 1 is at inf s, which is not finite"),
        ([[0.1, 0.2]], r"spike_times of unit 1 has shape \(1, 2\)"),
        (["a"], "spike_times of unit 1 has shape .* and holds <U1"),
    ],
)
def test_spike_times_that_cannot_be_right(wrong: list[Any], message: str) -> None:
    """The unit and the spike are named."""
    with pytest.raises(ValueError, match=message):
        bin_spikes([np.array([0.1]), np.array(wrong)], np.array([1.0]), **WINDOW)


def test_units_are_called_what_they_are_called() -> None:
    """An error says the file's own number of a unit."""
    with pytest.raises(ValueError, match="unit 41 "):
        bin_spikes([np.array([2.0, 1.0])], np.array([1.0]), units=[41], **WINDOW)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bin": 0.0}, "bin is 0.0 s"),
        ({"bin": np.nan}, "bin is nan s"),
        ({"bin": 0.15}, r"before is 0\.2 s, which is no whole multiple .* give 0\.15 s"),
        ({"after": np.inf}, "after is inf s"),
        ({"before": -0.2}, "fewer than 2 bins"),
        ({"before": -0.9}, "fewer than 2 bins"),
        ({"start": np.array([0.0, 1.9])}, r"Trials overlap: the one at place 0 stops at 2 s"),
        ({"start": np.array([0.0])}, "start has 1 values, there are 2 events"),
        ({"start": np.array([0.0, 3.5])}, "Trial 1 lasts from 3.5 to 4 s.*outside"),
        ({"stop": np.array([0.5, 4.0])}, "Trial 0 lasts from 0 to 0.5 s.*outside"),
        ({"stop": np.array([2.0, np.nan])}, "Trial 1 .*does not stop after its start"),
    ],
)
@pytest.mark.usefixtures("as_in_use")
def test_windows_and_trials_that_do_not_fit(changed: dict[str, Any], message: str) -> None:
    """What is wrong, and of which trial."""
    given = WINDOW | {"start": np.array([0.0, 2.0]), "stop": np.array([2.0, 4.0])} | changed
    with pytest.raises(ValueError, match=message):
        bin_spikes([np.array([0.1])], np.array([1.0, 3.0]), **given)


def test_events_and_units_must_be_there() -> None:
    """NaN is no event, and there must be a unit."""
    with pytest.raises(ValueError, match=r"Trial 1 .*its event is not finite"):
        bin_spikes([np.array([0.1])], np.array([1.0, np.nan]), **WINDOW)
    with pytest.raises(ValueError, match="there is no unit"):
        bin_spikes([], np.array([1.0]), **WINDOW)
    with pytest.raises(ValueError, match="observed is of 0 units, there are 1"):
        bin_spikes([np.array([0.1])], np.array([1.0]), observed=[], **WINDOW)
