"""Spike times counted in bins around an event of each trial."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

TOLERANCE = 1e-6  # s; below any sampling interval, above the rounding of times

PerTrial = Float[np.ndarray, " trial"]


class BinnedSpikes(NamedTuple):
    """Counts of spikes; NaN where nothing was recorded. `time`: the bins' centres in s."""

    counts: Float[np.ndarray, "trial time neuron"]
    time: Float[np.ndarray, " time"]


def bin_spikes(
    spike_times: Sequence[np.ndarray],
    events: PerTrial,
    *,
    before: float,
    after: float,
    bin: float,
    start: PerTrial | None = None,
    stop: PerTrial | None = None,
    observed: Sequence[np.ndarray] | None = None,
    units: Sequence[object] | None = None,
) -> BinnedSpikes:
    """Count the spikes of every unit in bins of `bin` s, from `before` to `after` s of each event.

    - `spike_times`: one array (spike,) for each unit, in s, sorted.
    - `events` (trial,): s on the same clock. The event is an edge of bins and 0 of `time`; a
      spike on an edge belongs to the bin after it. A negative `before` starts after the event.
    - `start`, `stop` (trial,): s, a trial's own extent. Bins that are not wholly within it are NaN.
    - `observed`: for each unit, the intervals (interval, 2) in s in which it was recorded. Bins
      that are not wholly within them are NaN. Every unit was always recorded if not given.
    - `units`: what errors call the units; their places if not given.

    Raises ValueError for spike times that are not sorted, negative or NaN, for a window that is
    no whole number of bins, for events that are not finite or outside their trial, and for trials
    that overlap.
    """
    named = list(units) if units is not None else list(range(len(spike_times)))
    if not spike_times:
        raise ValueError("spike_times is empty: there is no unit.")
    if observed is not None and len(observed) != len(spike_times):
        raise ValueError(f"observed is of {len(observed)} units, there are {len(spike_times)}.")
    edges = bin_edges(before, after, bin)
    recorded = _recorded(events, bin * edges, start, stop)
    at = events[:, None] + bin * edges
    counts = np.empty((len(events), len(edges) - 1, len(spike_times)))
    for place, times in enumerate(spike_times):
        checked = _checked(np.asarray(times), f"unit {named[place]}")
        counts[..., place] = np.diff(np.searchsorted(checked, at))
        inside = recorded
        if observed is not None:
            inside = recorded & _within(np.asarray(observed[place]), at)
        counts[~inside, place] = np.nan
    return BinnedSpikes(counts, bin * (edges[:-1] + 0.5))


def bin_edges(before: float, after: float, bin: float) -> Int[np.ndarray, " edge"]:
    """The edges of the bins of a window, in bins from the event.

    Raises ValueError unless the window is at least two bins, and whole bins before and after.
    """
    if not 0 < bin < np.inf:
        raise ValueError(f"bin is {bin} s: it must be positive.")
    numbers = []
    for name, length in (("before", before), ("after", after)):
        if not np.isfinite(length):
            raise ValueError(f"{name} is {length} s: it must be finite.")
        number = round(length / bin)
        if abs(length / bin - number) > 1e-6 * max(1, abs(number)):
            raise ValueError(
                f"{name} is {length:g} s, which is no whole multiple of the bins of {bin:g} s: "
                f"give {number * bin:g} s."
            )
        numbers.append(number)
    if sum(numbers) < 2:
        raise ValueError(
            f"From {before:g} s before to {after:g} s after the event there are fewer than 2 bins "
            f"of {bin:g} s: a recording has at least 2."
        )
    return np.arange(-numbers[0], numbers[1] + 1)


def _checked(times: np.ndarray, unit: str) -> np.ndarray:
    """A unit's spike times as they are; raises ValueError if they cannot be right."""
    if times.ndim != 1 or times.dtype.kind not in "iuf":
        raise ValueError(
            f"spike_times of {unit} has shape {times.shape} and holds {times.dtype}: it must hold "
            "one number in s for each spike."
        )
    for wrong, what in (
        (~np.isfinite(times), "which is not finite"),
        (times < 0, "which is negative"),
        (np.r_[False, np.diff(times) < 0], "which is before the spike before it: sort them"),
    ):
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ValueError(f"spike {place} of {unit} is at {times[place]:g} s, {what}.")
    return times


def _recorded(
    events: PerTrial, edges: np.ndarray, start: PerTrial | None, stop: PerTrial | None
) -> Bool[np.ndarray, "trial time"]:
    """Which bins lie within their trial; raises ValueError if trials are not in order."""
    starts = np.full(len(events), -np.inf) if start is None else start
    stops = np.full(len(events), np.inf) if stop is None else stop
    for name, values in (("start", starts), ("stop", stops)):
        if values.shape != events.shape:
            raise ValueError(f"{name} has {len(values)} values, there are {len(events)} events.")
    for wrong, what in (
        (~np.isfinite(events), "its event is not finite"),
        (~(starts < stops), "it does not stop after its start"),
        (
            ~((starts - TOLERANCE <= events) & (events <= stops + TOLERANCE)),
            "its event is outside it",
        ),
    ):
        if wrong.any():
            trial = int(np.argmax(wrong))
            raise ValueError(
                f"Trial {trial} lasts from {starts[trial]:g} to {stops[trial]:g} s, with its event "
                f"at {events[trial]:g} s: {what}."
            )
    if start is not None and stop is not None:
        overlap = start[1:] < stop[:-1] - TOLERANCE
        if overlap.any():
            trial = int(np.argmax(overlap))
            raise ValueError(
                f"Trials overlap: the one at place {trial} stops at {stop[trial]:g} s, the next "
                f"starts at {start[trial + 1]:g} s. Sort the trials, each of them once."
            )
    at = events[:, None] + edges
    return (at[:, :-1] >= starts[:, None] - TOLERANCE) & (at[:, 1:] <= stops[:, None] + TOLERANCE)


def _within(
    intervals: np.ndarray, at: Float[np.ndarray, "trial edge"]
) -> Bool[np.ndarray, "trial time"]:
    """Which bins lie wholly within intervals; those that touch are one."""
    if intervals.size == 0:
        return np.zeros((len(at), at.shape[1] - 1), dtype=bool)
    starts, stops = intervals[np.argsort(intervals[:, 0])].T
    reach = np.maximum.accumulate(stops)
    first = np.r_[True, starts[1:] > reach[:-1] + TOLERANCE]
    starts, stops = starts[first], reach[np.r_[first[1:], True]]
    place = np.searchsorted(starts, at[:, :-1] + TOLERANCE, side="right") - 1
    return (place >= 0) & (at[:, 1:] <= stops[place] + TOLERANCE)
