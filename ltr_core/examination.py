"""What is in a recording, in plain words, what to look out for, and how long a fit will take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ltr_core.ltrrnn.data import prepare
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.ltrrnn.model import LtrRNN
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
TIMED_STEPS = 3
MISSING_LABELS = ("", "nan", "NaN", "NaT", "None", "<NA>")  # text made of what was missing
NAMED = 8  # neurons, trials, ... that a sentence names; of more it tells how many


@dataclass(frozen=True, eq=False)
class Examination:
    """What `examine` found. ``print(examination)`` gives all of it in words.

    - `n_trials`, `n_times`, `n_neurons`; `trials` (condition, epoch): how many there are of each.
    - `mean_rates` (neuron,): over what was observed; Hz for counts, otherwise in the units of the
      activity.
    - `missing`: share of the entries that were not observed. `left_out`: trials that the gaps in
      the trial ids stand for, None where the ids are not whole numbers.
    - `sentences`: these and more in words. `warnings`: what to look out for, each with what to do.
    """

    n_trials: int
    n_times: int
    n_neurons: int
    trials: Int[np.ndarray, "condition epoch"]
    mean_rates: Float[np.ndarray, " neuron"]
    missing: float
    left_out: int | None
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        noted = [f"- {warning}" for warning in self.warnings] or ["Nothing stands out."]
        head = ["", "To look out for:"] if self.warnings else [""]
        return "\n".join([*self.sentences, *head, *noted])


def examine(recording: Recording) -> Examination:
    """Look a recording over before it is fitted.

    Raises ValueError where no fit could say anything: a single trial, a single neuron, fewer than
    three times, neurons or times of which nothing was observed.
    """
    _check_possible(recording)
    cells = np.zeros((len(recording.conditions), len(recording.epochs)), np.int64)
    np.add.at(cells, (recording.condition_index, recording.epoch_index), 1)
    unit = recording.dt if recording.counts else 1.0
    mean_rates = np.asarray(np.nanmean(recording.activity, axis=(0, 1), dtype=np.float64) / unit)
    missing = 1 - float(recording.observed.mean())
    left_out = _left_out(recording.trial_id)
    return Examination(
        recording.n_trials,
        recording.n_time,
        recording.n_neurons,
        cells,
        mean_rates,
        missing,
        left_out,
        sentences=(
            _of_trials(recording, cells),
            _of_times(recording),
            _of_neurons(recording, mean_rates),
            _of_missing(recording, missing),
            _of_ids(recording, left_out),
        ),
        warnings=(
            *_trial_warnings(recording, cells),
            *_neuron_warnings(recording, mean_rates),
            *_value_warnings(recording, missing),
        ),
    )


class Estimate(NamedTuple):
    """How long a fit takes, in s: its `start` (before the first step), and in `total`."""

    start: float
    total: float


def estimate_seconds(
    model: LtrRNN, recording: Recording, train: Bool[np.ndarray, "trial time neuron"] | None = None
) -> Estimate:
    """How long `model.fit` would take here, from its start and a few of its steps.

    The model is left as it is. A fit that stops early, or one of several side by side, differs.

    Raises ValueError as the fit does.
    """
    tried = model.with_params(n_steps=min(TIMED_STEPS, model.n_steps))
    Fit(tried, prepare(tried, recording, train))  # the first in a session takes longer
    begun = time.perf_counter()
    fit = Fit(tried, prepare(tried, recording, train))
    start = time.perf_counter() - begun
    if not tried.n_steps:
        return Estimate(start, start)
    fit.run()
    steps = time.perf_counter() - begun - start
    return Estimate(start, start + steps * model.n_steps / tried.n_steps)


def in_words(seconds: float) -> str:
    """A duration as people say it: "about 40 seconds", "about 3 hours"."""
    if seconds < 10:
        return "less than 10 seconds"
    for unit, size in (("seconds", 1), ("minutes", 60), ("hours", 3600)):
        if seconds < 100 * size or unit == "hours":
            number = seconds / size
            return f"about {round(number, -1) if number > 20 else number:.0f} {unit}"
    raise AssertionError


def _check_possible(recording: Recording) -> None:
    for n, name, why in (
        (recording.n_trials, "trial", "learning is what differs between trials"),
        (recording.n_neurons, "neuron", "a network has several"),
    ):
        if n < 2:
            raise ValueError(f"The recording has one {name}, and {why}: there is nothing to fit.")
    n_times = int(recording.observed.any((0, 2)).sum())
    if n_times < 3:
        raise ValueError(
            f"Something was observed at {n_times} times of a trial: dynamics need three at least. "
            "Take narrower bins, or more of each trial."
        )
    unseen = np.flatnonzero(~recording.observed.any((0, 1)))
    if unseen.size:
        raise ValueError(
            f"Of {_named('neuron', unseen)} nothing was observed: leave such neurons out, with "
            "recording.select(neurons=...)."
        )


def _left_out(trial_id: Float[np.ndarray, " trial"]) -> int | None:
    """How many whole numbers are missing between the first id and the last."""
    if (trial_id != np.round(trial_id)).any():
        return None
    return int(trial_id[-1] - trial_id[0]) + 1 - len(trial_id)


def _of_trials(recording: Recording, cells: Int[np.ndarray, "condition epoch"]) -> str:
    n_conditions, n_epochs = cells.shape
    totals = zip(recording.epochs, cells.sum(0).tolist(), strict=True)
    epochs = ", ".join(f"{name if name.strip() else repr(name)} ({n} trials)" for name, n in totals)
    text = f"{recording.n_trials} trials"
    text += f" in {n_epochs} epochs: {epochs}." if n_epochs > 1 else f" in one epoch: {epochs}."
    if n_conditions == 1:
        return text + " All are of the same condition."
    fewest, most = int(cells.min()), int(cells.max())
    each = f"{fewest} to {most} trials" if fewest < most else _counted(fewest, "trial")
    within = " in each epoch" if n_epochs > 1 else ""
    return text + f" Of each of the {n_conditions} conditions there are {each}{within}."


def _of_times(recording: Recording) -> str:
    return (
        f"{recording.n_time} times in a trial, from {recording.time[0]:.4g} s to "
        f"{recording.time[-1]:.4g} s, {1000 * recording.dt:.4g} ms apart."
    )


def _of_neurons(recording: Recording, mean_rates: Float[np.ndarray, " neuron"]) -> str:
    low, middle, high = np.quantile(mean_rates, [0, 0.5, 1])
    if recording.counts:
        per_bin = middle * recording.dt
        return (
            f"{recording.n_neurons} neurons, counts of spikes. Mean rates go from {low:.3g} to "
            f"{high:.3g} Hz, half of them below {middle:.3g} Hz ({per_bin:#.2g} spikes in a bin)."
        )
    lowest, highest = np.nanmin(recording.activity), np.nanmax(recording.activity)
    return (
        f"{recording.n_neurons} neurons, rates between {lowest:.3g} and {highest:.3g} (in units "
        f"of their own). Their means go from {low:.3g} to {high:.3g}."
    )


def _of_missing(recording: Recording, missing: float) -> str:
    if not missing:
        return "Nothing is missing: every neuron was observed at all times of all trials."
    partly = int((~recording.observed).any((1, 2)).sum())
    share = f"{100 * missing:.2g} %" if missing >= 5e-4 else "Less than 0.05 %"
    return f"{share} of the entries are missing; they are in {_counted(partly, 'trial')}."


def _of_ids(recording: Recording, left_out: int | None) -> str:
    first, last = recording.trial_id[[0, -1]]
    text = f"Trial ids go from {first:g} to {last:g}"
    if left_out is None:
        return text + ", and are not all whole numbers."
    if not left_out:
        return text + " without a gap."
    n_gaps = int((np.diff(recording.trial_id) > 1).sum())
    return (
        f"{text}; {_counted(left_out, 'number')} between them "
        f"{'is' if left_out == 1 else 'are'} skipped, in {_counted(n_gaps, 'gap')}. The model "
        "keeps the distance."
    )


def _trial_warnings(recording: Recording, cells: Int[np.ndarray, "condition epoch"]) -> list[str]:
    found = []
    if recording.n_trials < FEW_TRIALS:
        found.append(
            f"{recording.n_trials} trials are few to see learning in. Take more of them (trials "
            "without reward too, say), or read the result as a hint."
        )
    if recording.silent_trials.size:
        named = _named("trial", recording.silent_trials)
        found.append(
            f"In {named} (places in the file, from 0) nothing was observed. Such trials say "
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
            f"{_begun(_named('condition', alone))} {'is' if len(alone) == 1 else 'are'} in one "
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


def _neuron_warnings(recording: Recording, mean_rates: Float[np.ndarray, " neuron"]) -> list[str]:
    found = []
    constant = recording.constant_neurons
    if constant.size:
        found.append(
            f"{_begun(_named('neuron', constant))} never "
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
                f"{_begun(_named('neuron', quiet))} {'fires' if quiet.size == 1 else 'fire'} less "
                f"than {LOW_RATE:g} spikes a second, which does no harm and is of little use. To "
                f"leave out such neurons: min_rate = {LOW_RATE:g}."
            )
    return found


def _value_warnings(recording: Recording, missing: float) -> list[str]:
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


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _named(noun: str, names: Sequence[object] | np.ndarray) -> str:
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
