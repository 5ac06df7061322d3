"""Labels and outcomes of trials, as recordings take them from files."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from ltr_core.loaders.listing import there_is

MOST_CONDITIONS = 32
SAME = 1e-3  # numbers that differ by less are one condition
ALL = "all"

PerTrial = Shaped[np.ndarray, " trial"]


def as_labels(values: Sequence[Any] | np.ndarray, name: str) -> PerTrial:
    """One text or one number for each trial; raises ValueError for what is neither, or mixed."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        text = [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]
        if not all(isinstance(value, str) for value in text):
            raise ValueError(f"{name} mixes text with something else: a label is text or a number.")
        array = np.array(text, dtype=str)
    if array.dtype.kind == "S":
        array = np.char.decode(array)
    if array.ndim != 1 or array.dtype.kind not in "biufU":
        raise ValueError(
            f"{name} has shape {array.shape} and holds {array.dtype}: it must hold one text or one "
            "number for each trial."
        )
    return array


def as_conditions(values: PerTrial, name: str) -> PerTrial:
    """The labels, with numbers that differ by rounding made the same.

    Raises ValueError for a continuous variable and for more than 32 conditions.
    """
    if values.dtype.kind == "f":
        values = _grouped(values, name)
    n_conditions = len(np.unique(values))
    if n_conditions > MOST_CONDITIONS:
        raise ValueError(
            f"condition: {name} has {n_conditions} values in {len(values)} trials, and at most "
            f"{MOST_CONDITIONS} conditions are taken: give one that repeats, or none."
        )
    return values


def with_outcome(found: PerTrial, name: str, outcome: str) -> Bool[np.ndarray, " trial"]:
    """The trials of an outcome; raises ValueError if there is none."""
    as_text = found.astype(str)
    chosen = as_text == outcome
    if not chosen.any():
        raise ValueError(
            f"No trial has outcome {outcome!r} in {name}. {there_is(outcome, np.unique(as_text))} "
            f"outcome={ALL!r} takes every trial."
        )
    return chosen


def with_all(
    chosen: Bool[np.ndarray, " trial"], needed: dict[str, PerTrial]
) -> Int[np.ndarray, " kept"]:
    """Places of the chosen trials that lack nothing; raises ValueError if none is left."""
    known = {name: _is_known(values) for name, values in needed.items()}
    kept = np.flatnonzero(np.logical_and.reduce([chosen, *known.values()]))
    if not kept.size:
        have = ", ".join(f"{name} is known of {(chosen & k).sum()}" for name, k in known.items())
        raise ValueError(
            f"No trial is left: {chosen.sum()} of {len(chosen)} have the outcome; {have}."
        )
    return kept


def _is_known(values: PerTrial) -> Bool[np.ndarray, " trial"]:
    """Numbers that are not NaN, text that is not empty."""
    if values.dtype.kind == "f":
        return ~np.isnan(values)
    return values != "" if values.dtype.kind == "U" else np.ones(len(values), dtype=bool)


def _grouped(values: PerTrial, name: str) -> PerTrial:
    distinct, index = np.unique(values, return_inverse=True)
    group = np.cumsum(np.diff(distinct, prepend=distinct[:1]) > SAME)
    lowest = np.full(group[-1] + 1, np.inf)
    highest = -lowest
    np.minimum.at(lowest, group, distinct)
    np.maximum.at(highest, group, distinct)
    if (highest - lowest > 2 * SAME).any():
        # Many values so close to each other that no gap parts them: rounding would hide that.
        raise ValueError(
            f"condition: {name} is continuous ({len(distinct)} values from {distinct[0]:g} to "
            f"{distinct[-1]:g}): give one that repeats, or none."
        )
    return np.round((lowest + highest) / 2, 3)[group][index] + 0.0  # and -0 is 0
