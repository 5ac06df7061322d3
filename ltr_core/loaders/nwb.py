"""Recordings from Neurodata Without Borders files (NWB 2), read by pynwb."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from ltr_core.extras import data_package
from ltr_core.loaders.files import existing
from ltr_core.loaders.labels import ALL, as_conditions, as_labels, with_all, with_outcome
from ltr_core.loaders.listing import there_is
from ltr_core.recordings import Recording
from ltr_core.spikes import bin_spikes

PerTrial = Shaped[np.ndarray, " trial"]
Rows = Int[np.ndarray, " row"]


def load_nwb(
    path: str | Path,
    *,
    align: str | None = None,
    before: float = 0.5,
    after: float = 1.0,
    bin: float = 0.05,
    condition: str | None = None,
    epoch: str | None = None,
    region: str | None = None,
    outcome: str | None = None,
) -> Recording:
    """Spike counts of a file's sorted units in its trials, (trial, time, neuron).

    Where an option is not given, the column that the motor cortex recordings of DANDI:000688
    (Perich et al. 2018) have for it is taken, if the file has it.

    - `align`: the column of `trials` with the time that becomes 0; ``go_cue_time``.
    - `before`, `after`, `bin`: s around it, and the width of bins in s.
    - `condition`: the column with each trial's condition; ``target_dir`` (rad). Numbers that differ
      by less than 1e-3 are one condition.
    - `epoch`: the column with each trial's epoch; ``epoch``.
    - `region`: only the units whose electrode has this `location`; all units if not given.
    - `outcome`: only the trials with this ``result``, "R" (rewarded); "all" takes every trial.

    Trials without a time to align to, a condition or an epoch (NaN) are left out; `trial_id` is the
    place in the file's table, so that it keeps the gap. Bins outside a trial's start_time and
    stop_time, or outside the intervals in which a unit was observed (`obs_intervals`), are NaN.

    Raises FileNotFoundError; ValueError for a file that is no NWB file or is damaged, for columns
    and regions that are not there, for trials that overlap, spike times that are not sorted, and
    more than 32 conditions. Without pynwb, ImportError.
    """
    with _opened(existing(path)) as nwb:
        trials = _chosen_trials(nwb.trials, align, condition, epoch, outcome)
        units = _units(nwb.units, region)
        counts, time = bin_spikes(
            _ragged(nwb.units, "spike_times", units),
            trials.events,
            before=before,
            after=after,
            bin=bin,
            start=trials.start,
            stop=trials.stop,
            observed=_observed(nwb.units, units),
            units=np.asarray(nwb.units.id[:])[units].tolist(),
        )
    counts.flags.writeable = False  # so that it is not copied again
    return Recording(counts, time=time, trial_id=trials.rows, counts=True, **trials.labels)


class _Trials(NamedTuple):
    """The trials that are kept: their places in the table, times in s, and labels."""

    rows: Rows
    events: PerTrial
    start: PerTrial
    stop: PerTrial
    labels: dict[str, PerTrial]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, with trials and units that can be read."""
    pynwb = data_package("pynwb")
    try:
        io = pynwb.NWBHDF5IO(str(path), "r")
    except Exception as error:  # of many kinds, whatever the damage
        raise ValueError(f"{path} is not a readable NWB file: {error}.") from error
    with io:
        try:
            nwb = io.read()
        except Exception as error:
            raise ValueError(
                f"{path} is not an NWB file, or is damaged: {_lacking(path) or error}"
            ) from error
        for name in ("trials", "units"):
            if getattr(nwb, name) is None:
                raise ValueError(f"{path} has no {name}: a recording is made of trials and units.")
        try:
            yield nwb
        except OSError as error:
            raise ValueError(f"{path} is damaged: {error}.") from error


def _lacking(path: Path) -> str:
    """The columns that the tables of a file should have and have not."""
    with data_package("h5py").File(path, "r") as file:
        for table in ("intervals/trials", "units"):
            columns = file[table].attrs.get("colnames", ()) if table in file else ()
            missing = [name for name in columns if name not in file[table]]
            if missing:
                return f"{table} lacks {', '.join(missing)}. {there_is(missing[0], file[table])}"
    return ""


def _chosen_trials(
    table: Any, align: str | None, condition: str | None, epoch: str | None, outcome: str | None
) -> _Trials:
    """The trials that have the outcome, the event and labels."""
    columns = {name: table[name] for name in table.colnames}
    if align is None and "go_cue_time" not in columns:
        raise ValueError(
            "The trials have no column 'go_cue_time': name the one to align to, align='...'. "
            f"{there_is('go_cue_time', columns)}"
        )
    events = _times(columns, align or "go_cue_time", "align")
    labels = {
        option: _column(columns, name or usual, option)
        for option, name, usual in (
            ("condition", condition, "target_dir"),
            ("epoch", epoch, "epoch"),
        )
        if name is not None or usual in columns
    }
    if outcome == ALL or (outcome is None and "result" not in columns):
        chosen = np.ones(len(events), dtype=bool)
    else:
        chosen = with_outcome(_column(columns, "result", "outcome"), "result", outcome or "R")
    rows = with_all(chosen, {"align": events, **labels})
    labels = {option: values[rows] for option, values in labels.items()}
    if "condition" in labels:
        labels["condition"] = as_conditions(labels["condition"], condition or "target_dir")
    start, stop = (_times(columns, name, "trials")[rows] for name in ("start_time", "stop_time"))
    return _Trials(rows, events[rows], start, stop, labels)


def _column(trials: dict[str, Any], name: str, option: str) -> PerTrial:
    if name not in trials:
        raise ValueError(f"{option}: the trials have no column {name!r}. {there_is(name, trials)}")
    column = trials[name]
    if hasattr(column, "target"):  # an index into a ragged column
        raise ValueError(f"{option}: {name} has a list for each trial; it must have one value.")
    return as_labels(np.asarray(column.data[:]), f"{option}: {name}")


def _times(trials: dict[str, Any], name: str, option: str) -> PerTrial:
    column = _column(trials, name, option)
    if column.dtype.kind not in "iuf":
        raise ValueError(f"{option}: {name} holds {column.dtype}; it must hold times in s.")
    return column.astype(np.float64)


def _units(units: Any, region: str | None) -> Rows:
    """Places of the units of a region."""
    if "spike_times" not in units.colnames:
        raise ValueError(
            f"The units have no spike_times. {there_is('spike_times', units.colnames)}"
        )
    every = np.arange(len(units))
    if region is None:
        return every
    if "electrodes" not in units.colnames:
        raise ValueError(
            "region: the units have no column 'electrodes' that would tell where they are. "
            f"{there_is('electrodes', units.colnames)}"
        )
    electrodes = units["electrodes"]
    table = getattr(electrodes, "target", electrodes).table
    if "location" not in table.colnames:
        raise ValueError(
            f"region: the electrodes have no location. {there_is('location', table.colnames)}"
        )
    locations = as_labels(np.asarray(table["location"].data[:]), "location").astype(str)
    places = [np.atleast_1d(place) for place in _ragged(units, "electrodes", every)]
    found = np.array([locations[place[0]] if place.size else "" for place in places])
    if region not in found:
        raise ValueError(f"No unit is in region {region!r}. {there_is(region, np.unique(found))}")
    return np.flatnonzero(found == region)


def _observed(units: Any, rows: Rows) -> Sequence[np.ndarray] | None:
    """When each unit was observed, where the file tells."""
    if "obs_intervals" not in units.colnames:
        return None
    return _ragged(units, "obs_intervals", rows)


def _ragged(units: Any, name: str, rows: Rows) -> list[np.ndarray]:
    """A column's values of some rows, read in one go."""
    column = units[name]
    if not hasattr(column, "target"):
        return list(np.asarray(column.data[:])[rows])
    ends = np.asarray(column.data[:]).astype(np.int64)
    values = np.asarray(column.target.data[:])
    if (np.diff(ends, prepend=0) < 0).any() or (ends.size and ends[-1] != len(values)):
        raise ValueError(f"The units' {name} are damaged: their index does not fit them.")
    parts = np.split(values, ends[:-1])
    return [parts[row] for row in rows.tolist()]
