"""What to look out for in a recording, each with what to do about it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ltr_core.recordings import Recording

FEW_TRIALS = 20
FEW_IN_CELL = 3  # trials of a condition in an epoch
FEW_NEURONS = 10
LOW_RATE = 0.5  # Hz
BUSY_BIN, EMPTY_BIN = 1.0, 0.02  # spikes in a bin, mean over neurons
MUCH_MISSING = 0.3
STRONG_OFFSET = 2.0  # times the standard deviation over trials and times
FEW_TIMES = 10
LONG_BIN = 1.0  # s; of times that may be in ms
MISSING_LABELS = ("", "nan", "NaN", "NaT", "None", "<NA>")  # text made of what was missing
NAMED = 8  # neurons, trials, ... that a sentence names; of more it tells how many


def of_trials(recording: Recording, cells: Int[np.ndarray, "condition epoch"]) -> list[str]:
    """Of the number of trials, and of their conditions and epochs."""
    found = []
    if recording.n_trials < FEW_TRIALS:
        found.append(
            f"{recording.n_trials} trials are few to see learning in. Take more of them (trials "
            "without reward too, say), or read the result as a hint."
        )
    if recording.silent_trials.size:
        silent = named("trial", recording.silent_trials)
        found.append(
            f"In {silent} (places in the file, from 0) nothing was observed. Such trials say "
            "nothing and get trial factors from their neighbours: leave them out if they are many."
        )
    if len(recording.conditions) == 1:
        both = len(recording.epochs) == 1
        found.append(
            f"All trials are of one condition{' and one epoch' if both else ''}. If the file knows "
            f"better, name its {'columns (condition, epoch)' if both else 'column (condition)'}; "
            "in .npz it is an array named condition. Inputs belong to conditions: otherwise "
            "differences between conditions pass for learning."
        )
    for kind, names in (("condition", recording.conditions), ("epoch", recording.epochs)):
        found += [
            f"The {kind} {_label(name)} looks like a missing label: give its trials one, or leave "
            "them out."
            for name in names
            if isinstance(name, str) and name.strip() in MISSING_LABELS
        ]
    there = (cells > 0).sum(1)
    alone = [_label(recording.conditions[c]) for c in np.flatnonzero(there == 1)]
    if alone and len(recording.epochs) > 1:
        found.append(
            f"{_begun(named('condition', alone))} {'is' if len(alone) == 1 else 'are'} in one "
            "epoch only: what is special about the condition and what was learned cannot be "
            "told apart there. Leave it out, or merge it with another."
        )
    few = [
        f"{_label(recording.conditions[c])} in {recording.epochs[e]} ({cells[c, e]})"
        for c, e in np.argwhere((cells > 0) & (cells < FEW_IN_CELL))
    ]
    if few:
        found.append(
            f"Fewer than {FEW_IN_CELL} trials: {_listed(few)}. Means of so few are rough: merge "
            "conditions or epochs, or do not read much into these."
        )
    return found


def of_neurons(recording: Recording, mean_rates: Float[np.ndarray, " neuron"]) -> list[str]:
    """Of the number of neurons, and of those that fire little or never."""
    found = []
    constant = recording.constant_neurons
    if constant.size:
        found.append(
            f"{_begun(named('neuron', constant))} never "
            f"{'changes' if constant.size == 1 else 'change'}, and cannot tell of anything: leave "
            "out neurons that do not fire (min_rate)."
        )
    if recording.n_neurons < FEW_NEURONS:
        found.append(
            f"{recording.n_neurons} neurons are few: the rank must be well below that, and the "
            "weights stand for a small part of the network."
        )
    if recording.counts:
        quiet = np.setdiff1d(np.flatnonzero(mean_rates < LOW_RATE), constant)
        if quiet.size:
            found.append(
                f"{_begun(named('neuron', quiet))} {'fires' if quiet.size == 1 else 'fire'} less "
                f"than {LOW_RATE:g} spikes a second, which does no harm and is of little use. To "
                f"leave out such neurons: min_rate = {LOW_RATE:g}."
            )
    return found


def of_values(recording: Recording, missing: float) -> list[str]:
    """Of missing entries, of the times of a trial, and of the units and size of the activity."""
    found = []
    if missing > MUCH_MISSING:
        found.append(
            f"{100 * missing:.0f} % of the entries are missing. A shorter window around the event, "
            "which more trials reach, may say more."
        )
    if recording.n_time < FEW_TIMES:
        found.append(
            f"{recording.n_time} times in a trial are few for dynamics: take narrower bins (bin), "
            "or more of each trial."
        )
    if recording.dt > LONG_BIN:
        found.append(
            f"The times of a trial are {recording.dt:.4g} s apart: are these ms? Times are in s."
        )
    if recording.counts:
        per_bin = float(np.nanmean(recording.activity))
        if per_bin > BUSY_BIN:
            found.append(
                f"There are {per_bin:#.2g} spikes in a bin on average: narrower bins (bin, now "
                f"{recording.dt:.3g} s) would show faster dynamics at little cost."
            )
        if per_bin < EMPTY_BIN:
            found.append(
                f"There are {per_bin:.2g} spikes in a bin on average: wider bins (bin, now "
                f"{recording.dt:.3g} s) make the fit faster, and lose nothing slower than they are."
            )
        return found
    if all(
        (np.isnan(block) | (block >= 0) & (block == np.round(block))).all()
        for block in recording.activity
    ):
        found.append(
            "All values are whole numbers of at least 0: if they are counts of spikes, save "
            "counts=True with them. As they are, they are taken for rates."
        )
    mean = np.nanmean(recording.activity, axis=(0, 1), dtype=np.float64)
    spread = np.nanstd(recording.activity, axis=(0, 1), dtype=np.float64)
    offset = int((np.abs(mean) > STRONG_OFFSET * spread).sum())
    if 2 * offset > recording.n_neurons:
        found.append(
            f"The means of {offset} neurons are far from 0 beside their spread: fit with "
            "readout_bias=True (this chapter does), or subtract each neuron's mean."
        )
    return found


def named(noun: str, names: Sequence[object] | np.ndarray) -> str:
    """The nouns by name: "neurons 3, 5"."""
    text = f"{noun}s" if len(names) > 1 else noun
    return f"{text} {_listed([str(name) for name in names])}"


def _label(label: object) -> str:
    """A condition as the file has it; text in quotes, so that a blank one is seen."""
    return f"'{label}'" if isinstance(label, str) else str(label)


def _begun(text: str) -> str:
    """Text that begins a sentence."""
    return text[:1].upper() + text[1:]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
