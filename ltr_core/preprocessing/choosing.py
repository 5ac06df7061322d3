"""Which trials, neurons and times of a recording are kept, and what its time 0 is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from ltr_core.preprocessing.rebuilding import rebuilt
from ltr_core.recording_validation import Index
from ltr_core.recordings import Labels, Recording
from ltr_core.suggestions import did_you_mean

SLACK = 1e-3  # of the distance of time points: times that differ by less are the same


def keep(
    recording: Recording,
    *,
    epochs: Labels | int | float | None = None,
    conditions: Labels | int | float | None = None,
    neurons: Index | None = None,
    min_rate: float | None = None,
) -> Recording:
    """The trials of some epochs and conditions, and some of the neurons.

    - `epochs`, `conditions`: labels; one alone or several. All if not given.
    - `neurons`: slice, indices or boolean mask; all if not given.
    - `min_rate`: of these neurons, those whose mean over what was observed in the kept trials is
      at least this: in Hz for counts, in units of the activity otherwise.

    Raises ValueError for labels that the recording does not have, and if nothing is left.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> recording = Recording(
    ...     np.random.default_rng(0).standard_normal((6, 4, 3)),
    ...     time=0.1 * np.arange(4),
    ...     condition=["left", "right"] * 3,
    ...     epoch=["before"] * 3 + ["after"] * 3,
    ... )
    >>> preprocessing.keep(recording, epochs="after", conditions="left", neurons=[0, 2])
    Recording(1 trials, 4 times of 0.1 s, 2 neurons, rates, 1 conditions, epochs ['after'])
    """
    in_epochs = _among("epoch", epochs, recording.epochs)[recording.epoch_index]
    trials = (
        in_epochs & _among("condition", conditions, recording.conditions)[recording.condition_index]
    )
    if not trials.any():
        there = {recording.conditions[i] for i in recording.condition_index[in_epochs].tolist()}
        raise ValueError(
            f"No trial is of the epochs {epochs!r} and the conditions {conditions!r}: these epochs "
            f"hold the conditions {', '.join(map(repr, sorted(there)))}."
        )
    kept = recording.select(trials=trials, neurons=neurons)
    return kept if min_rate is None else _active(kept, min_rate)


def cut(recording: Recording, start: float, stop: float) -> Recording:
    """The times from `start` to `stop` in s, both included; less where the trials are shorter.

    Raises ValueError if fewer than two time points lie there.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> recording = Recording(np.ones((2, 11, 3)), time=0.1 * np.arange(11) - 0.5)
    >>> preprocessing.cut(recording, -0.2, 0.1).time.round(3).tolist()
    [-0.2, -0.1, 0.0, 0.1]
    """
    slack = SLACK * recording.dt
    inside = (recording.time >= start - slack) & (recording.time <= stop + slack)
    if inside.sum() < 2:
        raise ValueError(
            f"{inside.sum()} time points lie between start = {start:g} s and stop = {stop:g} s, "
            f"and a recording has at least 2: its times go from {recording.time[0]:g} s to "
            f"{recording.time[-1]:g} s in steps of {recording.dt:g} s."
        )
    return recording.select(times=inside)


def cut_to_common(recording: Recording) -> Recording:
    """The longest window in which every trial is observed; the first of several that are as long.

    A trial is observed at a time where any of its neurons is. Trials in which nothing was
    observed are left aside (`silent_trials` lists them).

    Raises ValueError if there is no such window of two time points.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> activity = np.ones((2, 6, 3))
    >>> activity[0, 4:] = np.nan  # the first trial ends early
    >>> activity[1, 0] = np.nan  # the second one begins late
    >>> recording = Recording(activity, time=0.1 * np.arange(6))
    >>> preprocessing.cut_to_common(recording).time.round(3).tolist()
    [0.1, 0.2, 0.3]
    """
    seen: np.ndarray = np.any(recording.observed, axis=2)
    start, stop = _longest_run(np.all(seen[np.any(seen, axis=1)], axis=0))
    if stop - start < 2:
        lengths = np.where(seen.any(1), seen.sum(1), recording.n_time + 1)
        shortest = int(np.argmin(lengths))
        raise ValueError(
            "No two successive time points were observed in every trial. Trial "
            f"{shortest} was observed at {lengths[shortest]} of {recording.n_time} times, the "
            "fewest of all: select the recording without such trials."
        )
    return recording.select(times=slice(start, stop))


def align(recording: Recording, events: Sequence[Any] | np.ndarray) -> Recording:
    """Trials shifted so that time 0 is an event of each, to the nearest time point.

    The new times hold everything that was observed: where a trial does not reach, it is NaN
    (`cut_to_common` cuts to what all of them share). An event half way between two time points
    belongs to the later one.

    - `events` (trial,): s, in the recording's own time.

    Raises ValueError unless there is one event for each trial, within the recording's times.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> activity = np.arange(8.0).reshape(2, 4, 1)
    >>> recording = Recording(activity, time=0.1 * np.arange(4))
    >>> aligned = preprocessing.align(recording, [0.1, 0.2])  # the event of each trial, in s
    >>> aligned.activity[:, aligned.time == 0, 0].tolist()
    [[1.0], [6.0]]
    >>> aligned.time.round(3).tolist()
    [-0.2, -0.1, 0.0, 0.1, 0.2]
    """
    places = _event_places(recording, np.asarray(events))
    before = int(places.max())
    n_time = before + recording.n_time - int(places.min())
    activity = np.full(
        (recording.n_trials, n_time, recording.n_neurons), np.nan, recording.activity.dtype
    )
    for trial, first in enumerate((before - places).tolist()):
        activity[trial, first : first + recording.n_time] = recording.activity[trial]
    reached = np.flatnonzero((~np.isnan(activity)).any((0, 2)))
    start = min(int(reached[0]), n_time - 2)  # at least two time points are left
    window = slice(start, max(int(reached[-1]), start + 1) + 1)
    time = (np.arange(n_time) - before) * recording.dt
    return rebuilt(recording, activity[:, window].copy(), time=time[window])


def _among(
    name: str, chosen: Labels | int | float | None, known: tuple[Any, ...]
) -> Bool[np.ndarray, " known"]:
    """Which of the known labels were chosen: all if none was."""
    if chosen is None:
        return np.ones(len(known), dtype=bool)
    labels = np.atleast_1d(np.asarray(chosen)).tolist()
    unknown = [label for label in labels if label not in known]
    if unknown or not labels:
        found = f"there is no {name} {unknown[0]!r}" if unknown else f"no {name} is given"
        hint = did_you_mean(unknown[0], known) if unknown else ""
        raise ValueError(
            f"{name}s is {chosen!r}, but {found}: the recording has "
            f"{', '.join(map(repr, known))}.{hint}"
        )
    return np.array([label in labels for label in known])


def _active(recording: Recording, min_rate: float) -> Recording:
    """The neurons with a mean rate of at least `min_rate`."""
    n_observed = recording.observed.sum((0, 1))
    total = recording.activity.sum((0, 1), where=recording.observed, dtype=np.float64)
    means = np.where(n_observed > 0, total / np.maximum(n_observed, 1), -np.inf)
    if recording.counts:
        means /= recording.dt
    if not (means >= min_rate).any():
        unit = " Hz" if recording.counts else ""
        raise ValueError(
            f"No neuron has a mean rate of min_rate = {min_rate:g}{unit}: the highest is "
            f"{means.max():.3g}{unit}."
        )
    return recording.select(neurons=means >= min_rate)


def _longest_run(flags: Bool[np.ndarray, " time"]) -> tuple[int, int]:
    """Start and stop of the longest run of True, the first of equals; (0, 0) without any."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    if edges.size == 0:
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])


def _event_places(recording: Recording, events: np.ndarray) -> Int[np.ndarray, " trial"]:
    """Each trial's time point nearest to its event."""
    if events.shape != (recording.n_trials,) or events.dtype.kind not in "iuf":
        raise ValueError(
            f"events has shape {events.shape} and holds {events.dtype}: it must hold one time in s "
            f"for each of the {recording.n_trials} trials."
        )
    steps = (events - recording.time[0]) / recording.dt + 0.5 + SLACK
    outside = np.flatnonzero(~((steps >= 0) & (steps < recording.n_time + 2 * SLACK)))
    if outside.size:
        trial = int(outside[0])
        raise ValueError(
            f"The event of trial {trial} is at {events[trial]:g} s ({outside.size} such in all): "
            f"events must lie within the recording's times, {recording.time[0]:g} to "
            f"{recording.time[-1]:g} s. Select the recording without trials that have none."
        )
    return np.minimum(np.floor(steps), recording.n_time - 1).astype(np.int64)
