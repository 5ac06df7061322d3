"""What is in a recording, in plain words, and what to look out for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ltr_core import recording_warnings
from ltr_core.recordings import Recording


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

    Examples
    --------
    >>> from ltr_core import simulate_ltrrnn
    >>> from ltr_core.examination import examine
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 9), n_neurons=8, rank=1, dt=0.4)
    >>> found = examine(recording)  # print(found) gives all of it in words
    >>> found.warnings[0].partition(" to see")[0], found.missing
    ('15 trials are few', 0.0)
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
            *recording_warnings.of_trials(recording, cells),
            *recording_warnings.of_neurons(recording, mean_rates),
            *recording_warnings.of_values(recording, missing),
        ),
    )


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
            f"Of {recording_warnings.named('neuron', unseen)} nothing was observed: leave such "
            "neurons out, with recording.select(neurons=...)."
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


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
