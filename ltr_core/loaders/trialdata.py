"""Recordings from TrialData, the struct arrays of trials in which the Miller lab shares data."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from ltr_core.loaders.files import existing
from ltr_core.loaders.labels import ALL, as_conditions, as_labels, with_all, with_outcome
from ltr_core.loaders.listing import there_is
from ltr_core.loaders.mat_structs import StructArray, Value, open_structs
from ltr_core.preprocessing import rebin
from ltr_core.recordings import Recording
from ltr_core.spikes import bin_edges

GO_CUES = ("idx_go_cue", "idx_goCueTime")  # two conventions of the same lab
SPIKES = "_spikes"


def load_trialdata(
    path: str | Path,
    *,
    name: str | None = None,
    area: str = "M1",
    align: str | None = None,
    before: float = 0.5,
    after: float = 1.0,
    bin: float | None = None,
    condition: str | None = "target_direction",
    epoch: str | None = "epoch",
    outcome: str = "R",
) -> Recording:
    """The spikes of an area in the trials of a TrialData file (.mat), (trial, time, neuron).

    - `name`: the variable, where the file has several struct arrays.
    - `area`: whose spikes, (time, unit) in the field ``M1_spikes``, say. Counts; where the file's
      author smoothed them, they are rates.
    - `align`: the field with the bin, counted from 1, that begins at time 0; ``idx_go_cue`` or
      ``idx_goCueTime`` if not given.
    - `before`, `after`: s around it. `bin`: s, a whole multiple of the file's ``bin_size``, which
      it is if not given.
    - `condition`: the field with each trial's condition; ``target_direction`` is in rad. Numbers
      that differ by less than 1e-3 are one condition. None: all trials have the same.
    - `epoch`: the field with each trial's epoch, such as BL, AD, WO. None: one epoch.
    - `outcome`: only the trials with this ``result``, "R" (rewarded); "all" takes every trial.

    Trials without the event, a condition or an epoch (NaN) are left out; `trial_id` is the place
    in the struct array, so that it keeps the gap. Bins outside a trial are NaN.

    The format is described at https://github.com/mattperich/TrialData.

    Raises FileNotFoundError; ValueError for a file that is no MATLAB file or is damaged, for
    fields that are not there, for bins of different sizes and more than 32 conditions. Without
    h5py, ImportError for files of MATLAB 7.3.
    """
    with open_structs(existing(path), name) as trials:
        events = _numbers(trials, _event_field(trials, align))
        labels = {
            option: as_labels(_single(trials, field), f"{option}: {field}")
            for option, field in (("condition", condition), ("epoch", epoch))
            if field is not None
        }
        chosen = np.ones(trials.size, dtype=bool)
        if outcome != ALL:
            chosen = with_outcome(as_labels(_single(trials, "result"), "result"), "result", outcome)
        rows = with_all(chosen, {"align": events, **labels})
        labels = {option: values[rows] for option, values in labels.items()}
        if "condition" in labels:
            labels["condition"] = as_conditions(labels["condition"], str(condition))
        width = _bin_size(trials)
        bin_edges(before, after, bin or width)  # so that the window is whole bins after rebinning
        edges = bin_edges(before, after, width)
        spikes = _spikes(trials, area, rows)
    activity = _around(spikes, events[rows], edges[:-1], rows)
    seen = activity[~np.isnan(activity)]
    activity.flags.writeable = False  # so that it is not copied again
    recording = Recording(
        activity,
        time=width * (edges[:-1] + 0.5),
        trial_id=rows,
        counts=bool((seen >= 0).all() and (seen == np.round(seen)).all()),
        **labels,
    )
    return recording if bin is None else rebin(recording, bin)


def _event_field(trials: StructArray, align: str | None) -> str:
    if align is not None:
        return align
    found = [field for field in GO_CUES if field in trials.fields]
    if not found:
        events = [field for field in trials.fields if field.startswith("idx_")]
        raise ValueError(
            f"The trials have neither of {', '.join(GO_CUES)}: name the field to align to, "
            f"align='...'. {there_is(GO_CUES[0], events)}"
        )
    return found[0]


def _single(trials: StructArray, field: str) -> list[str] | Float[np.ndarray, " trial"]:
    """A text, or a number, of every trial; NaN where a number is missing."""
    values = trials(field)
    if any(isinstance(value, str) for value in values):
        text = ["" if np.size(value) == 0 else value for value in values]
        wrong = [trial for trial, value in enumerate(text) if not isinstance(value, str)]
        if wrong:
            raise ValueError(f"{field} is text, but not in trial {wrong[0]}: it must be in all.")
        return [str(value) for value in text]
    numbers = np.full(len(values), np.nan)
    for trial, value in enumerate(map(np.asarray, values)):
        if value.size > 1 or value.dtype.kind not in "biuf":
            raise ValueError(
                f"{field} of trial {trial} has shape {value.shape} and holds {value.dtype}: it "
                "must be one number or text."
            )
        if value.size == 1:
            numbers[trial] = value.item()
    return numbers


def _numbers(trials: StructArray, field: str) -> Float[np.ndarray, " trial"]:
    values = _single(trials, field)
    if isinstance(values, list):
        raise ValueError(f"{field} holds text: it must hold one number for each trial.")
    return values


def _bin_size(trials: StructArray) -> float:
    sizes = np.unique(_numbers(trials, "bin_size"))
    if len(sizes) != 1 or not sizes[0] > 0:
        raise ValueError(
            f"bin_size is {', '.join(f'{size:g}' for size in sizes)} s: it must be the same in "
            "every trial, and positive. Bin the trials alike first."
        )
    return float(sizes[0])


def _spikes(
    trials: StructArray, area: str, rows: Int[np.ndarray, " kept"]
) -> list[Shaped[np.ndarray, "bin neuron"]]:
    """Counts of the kept trials, each of its own length."""
    field = f"{area}{SPIKES}"
    if field not in trials.fields:
        areas = [name.removesuffix(SPIKES) for name in trials.fields if name.endswith(SPIKES)]
        raise ValueError(f"The trials have no field {field!r}. Of areas: {there_is(area, areas)}")
    spikes = trials(field, rows.tolist())
    for row, counts in zip(rows.tolist(), spikes, strict=True):
        if isinstance(counts, str) or counts.ndim != 2 or counts.dtype.kind not in "biuf":
            raise ValueError(f"{field} of trial {row} is no matrix of numbers (time, unit).")
        if counts.shape[1] != np.shape(spikes[0])[1]:
            raise ValueError(
                f"{field} has {counts.shape[1]} units in trial {row} and {np.shape(spikes[0])[1]} "
                f"in trial {rows[0]}: all trials must have the same."
            )
    return [np.asarray(counts) for counts in spikes]


def _around(
    spikes: Sequence[Value],
    events: Float[np.ndarray, " trial"],
    offsets: Int[np.ndarray, " time"],
    rows: Int[np.ndarray, " trial"],
) -> Float[np.ndarray, "trial time neuron"]:
    """The bins at offsets from each trial's event; NaN where the trial has none."""
    activity = np.full((len(events), len(offsets), np.shape(spikes[0])[1]), np.nan)
    for trial, (counts, event) in enumerate(zip(spikes, events.tolist(), strict=True)):
        if event != int(event) or not 1 <= event <= len(counts):
            raise ValueError(
                f"The event of trial {rows[trial]} is bin {event:g} of {len(counts)}: it must be "
                "one of them, counted from 1."
            )
        at = int(event) - 1 + offsets
        inside = (at >= 0) & (at < len(counts))
        activity[trial, inside] = np.asarray(counts)[at[inside]]
    return activity
