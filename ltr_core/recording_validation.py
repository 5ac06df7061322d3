"""What a recording is checked for when it is made: its axes, labels, times and values."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

Index = Sequence[Any] | np.ndarray | slice

AXES = "the axes are (trial, time, neuron)"


def check_shape(activity: np.ndarray, time: np.ndarray, given: dict[str, np.ndarray]) -> None:
    """Raise ValueError unless labels and axes fit; name an order of the axes that would."""
    if activity.ndim != 3:
        raise ValueError(f"activity has shape {activity.shape}: {AXES}.")
    if 0 in activity.shape:
        raise ValueError(f"activity is empty, shape {activity.shape}: {AXES}.")
    for name, value in {"time": time, **given}.items():
        if value.ndim != 1:
            raise ValueError(f"{name} has shape {value.shape}: it takes one value for each.")
    if time.size < 2:
        raise ValueError(f"time has {time.size} values: a recording has at least 2 time points.")
    lengths = {name: len(value) for name, value in given.items()}
    fits = [
        order
        for order in permutations(range(3))
        if activity.shape[order[1]] == len(time)
        and all(length == activity.shape[order[0]] for length in lengths.values())
    ]
    if (0, 1, 2) in fits:
        return
    if fits:
        # Without labels of trials two orders may fit: neurons come last in most formats.
        order = min(fits, key=lambda fit: (fit[2] != 2, fit))
        found = ", ".join(f"{k} has {n} values" for k, n in {"time": len(time), **lengths}.items())
        raise ValueError(
            f"activity has shape {activity.shape}, but {found}: {AXES}. "
            f"activity.transpose{order} would fit."
        )
    for name, length in lengths.items():
        if length != activity.shape[0]:
            raise ValueError(
                f"{name} has {length} values, the recording has {activity.shape[0]} trials "
                f"(activity has shape {activity.shape}; {AXES})."
            )
    raise ValueError(
        f"time has {len(time)} values, the recording has {activity.shape[1]} time points "
        f"(activity has shape {activity.shape}; {AXES})."
    )


def distinct_conditions(
    labels: Shaped[np.ndarray, " trial"],
) -> tuple[tuple[Any, ...], Int[np.ndarray, " trial"]]:
    """The distinct labels, sorted, and each trial's place among them."""
    try:
        distinct, index = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ValueError(
            "condition mixes labels that cannot be sorted: give all of them as text, or as numbers."
        ) from error
    if distinct.dtype.kind == "f" and np.isnan(distinct).any():
        raise ValueError("condition holds NaN: give every trial a label, or leave trials out.")
    return tuple(distinct.tolist()), index.astype(np.int64)


def even_times(time: Shaped[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Times in s; raises ValueError unless they are evenly spaced and increase."""
    seconds = _finite(time, "time")
    steps = np.diff(seconds)
    if not (steps > 0).all():
        place = int(np.argmin(steps > 0))
        raise ValueError(
            f"time does not increase: {seconds[place]} s is followed by {seconds[place + 1]} s."
        )
    if not np.allclose(steps, steps.mean(), rtol=1e-3, atol=0):
        raise ValueError(
            f"time is not evenly spaced: steps from {steps.min():.6g} to {steps.max():.6g} s. "
            "Interpolate or bin the activity to a regular grid."
        )
    return seconds


def increasing_ids(trial_id: Shaped[np.ndarray, " trial"]) -> Float[np.ndarray, " trial"]:
    """Numbers of the trials; raises ValueError unless they increase."""
    ids = _finite(trial_id, "trial_id")
    falls = np.flatnonzero(np.diff(ids) <= 0)
    if falls.size:
        place = int(falls[0])
        raise ValueError(
            f"trial_id must increase: trial {place} has {ids[place]:g}, the next "
            f"{ids[place + 1]:g}. Sort the trials, each of them once."
        )
    return ids


def _finite(values: np.ndarray, name: str) -> Float[np.ndarray, " value"]:
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds {values.dtype}: it must hold numbers.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinity.")
    return np.array(values, np.float64)


def kept_values(
    activity: Shaped[np.ndarray, "trial time neuron"], counts: bool, mask: np.ndarray | None
) -> Float[np.ndarray, "trial time neuron"]:
    """The activity with NaN outside the mask, copied at most once."""
    if activity.dtype.kind not in "biuf":
        raise ValueError(f"activity holds {activity.dtype}: it must hold real numbers.")
    if activity.dtype.kind in "biu" and not counts:
        raise ValueError(
            f"activity holds integers ({activity.dtype}): pass counts=True if they are counts of "
            "spikes (in a file: numpy.savez(..., counts=True)), or convert them to rates with "
            "activity.astype(float)."
        )
    if mask is not None and (mask.shape != activity.shape or mask.dtype != np.bool_):
        raise ValueError(
            f"mask has shape {mask.shape} and holds {mask.dtype}: it must be bool and of the "
            f"activity's shape {activity.shape}; {AXES}."
        )
    dtype = activity.dtype if activity.dtype in (np.float32, np.float64) else np.float64
    if mask is None and activity.dtype == dtype and not activity.flags.writeable:
        return activity
    values = np.array(activity, dtype, order="C")
    if mask is not None:
        np.copyto(values, np.nan, where=~mask)
    return values


def check_values(
    values: Float[np.ndarray, "trial time neuron"],
    observed: Bool[np.ndarray, "trial time neuron"],
    counts: bool,
) -> None:
    """Raise ValueError for infinite values, for counts that are none, and without any data."""
    if not observed.any():
        raise ValueError("Nothing was observed: every entry is NaN or outside mask.")
    for trial, block in enumerate(values):  # by trial: no temporary as large as the recording
        wrong = np.isinf(block)
        if counts:
            wrong |= (block < 0) | (block != np.round(block)) & ~np.isnan(block)
        if wrong.any():
            at, neuron = np.argwhere(wrong)[0].tolist()
            found = (
                f"activity is {block[at, neuron]:g} at trial {trial}, time {at}, neuron {neuron}"
            )
            if np.isinf(block[at, neuron]):
                raise ValueError(f"{found}: it must be finite (NaN where nothing was observed).")
            raise ValueError(
                f"{found}: counts are whole and not negative; pass counts=False for rates."
            )


def as_index(index: Index | None, size: int, name: str) -> slice | np.ndarray:
    """What numpy takes as an index of an axis; raises ValueError if it does not fit."""
    if index is None:
        return slice(None)
    if isinstance(index, slice):
        return index
    chosen = np.asarray(index)
    if chosen.size == 0:
        raise ValueError(f"{name} selects nothing.")
    if chosen.ndim != 1 or chosen.dtype.kind not in "biu":
        raise ValueError(f"{name} must be a slice, whole numbers or a boolean mask along its axis.")
    if chosen.dtype.kind == "b" and chosen.size != size:
        raise ValueError(f"{name} is a mask of {chosen.size} values, the recording has {size}.")
    if chosen.dtype.kind != "b" and not ((-size <= chosen) & (chosen < size)).all():
        raise ValueError(f"{name} holds indices beyond the recording's {size}.")
    return chosen
