"""Averages over neighbouring times and trials."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ltr_core.preprocessing.rebuilding import rebuilt
from ltr_core.preprocessing.scaling import to_rates
from ltr_core.recordings import Recording


def rebin(recording: Recording, width: float) -> Recording:
    """The recording in wider bins: counts are added, rates averaged.

    A bin's time is the mean of the times in it. What is left over at the end, being shorter than
    a bin, is dropped. A bin that was not observed wholly becomes unobserved.

    - `width`: s, a whole multiple of the distance of time points.

    Raises ValueError for another width, for one that leaves fewer than two bins, and if no bin
    was observed wholly.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> counts = np.array([0, 2, 1, 3]).reshape(1, 4, 1)  # one trial, four bins, one neuron
    >>> recording = Recording(counts, time=0.05 * np.arange(4), counts=True)
    >>> wider = preprocessing.rebin(recording, 0.1)
    >>> wider.activity[0, :, 0].tolist(), wider.time.round(3).tolist()
    ([2.0, 4.0], [0.025, 0.125])
    """
    ratio = width / recording.dt
    n_joined = round(ratio) if np.isfinite(ratio) else 0
    if n_joined < 1 or abs(ratio - n_joined) > 0.01:
        raise ValueError(
            f"width is {width:g} s, the time points are {recording.dt:g} s apart: it must be a "
            f"whole multiple of that, {max(n_joined, 1) * recording.dt:g} s for example."
        )
    n_bins = recording.n_time // n_joined
    if n_bins < 2:
        raise ValueError(
            f"width is {width:g} s, the trials last {recording.n_time * recording.dt:g} s: at "
            "least two bins must fit in."
        )
    kept = slice(n_bins * n_joined)
    parts = recording.activity[:, kept].reshape(
        recording.n_trials, n_bins, n_joined, recording.n_neurons
    )
    activity = parts.sum(2) if recording.counts else parts.mean(2)
    if np.isnan(activity).all():
        raise ValueError(f"No bin of {width:g} s was observed wholly: give a smaller width.")
    time = recording.time[kept].reshape(n_bins, n_joined).mean(1)
    return rebuilt(recording, activity, time=time)


def smooth(recording: Recording, sd: float) -> Recording:
    """Each trial convolved with a Gaussian along time. Counts become rates in Hz.

    Near the ends of a trial and near gaps the weights of what was observed are scaled to add up
    to 1; what was not observed stays so. The Gaussian ends at 4 standard deviations.

    - `sd`: standard deviation of the Gaussian, s.

    Raises ValueError unless `sd` is positive and shorter than the trials.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> counts = np.zeros((1, 21, 1), int)
    >>> counts[0, 10] = 1  # one spike
    >>> recording = Recording(counts, time=0.01 * np.arange(21), counts=True)
    >>> rates = preprocessing.smooth(recording, sd=0.02).activity[0, :, 0]
    >>> rates.argmax().item(), bool(0 < rates[5] < rates[10]), round(rates.sum().item() * 0.01, 2)
    (10, True, 1.0)
    """
    duration = recording.n_time * recording.dt
    if not 0 < sd < duration:
        raise ValueError(
            f"sd is {sd:g} s: it must be positive, and less than the {duration:g} s of a trial."
        )
    rates = to_rates(recording) if recording.counts else recording
    smoothed = np.full_like(rates.activity, np.nan)
    options = {"sigma": sd / rates.dt, "axis": 0, "mode": "constant"}
    for activity, observed, target in zip(rates.activity, rates.observed, smoothed, strict=True):
        # Of a trial without gaps the weights are the same for all neurons.
        weighed = observed[:, :1] if observed.all() else observed
        weights = gaussian_filter1d(weighed.astype(activity.dtype), **options)
        total = gaussian_filter1d(np.where(observed, activity, 0), **options)
        np.divide(total, weights, out=target, where=observed)
    return rebuilt(rates, smoothed)


def running_average(recording: Recording, n_trials: int) -> Recording:
    """Each trial replaced by the mean of `n_trials` trials of the same condition and epoch.

    They are the nearest ones in order, the trial itself among them: as many before as after it
    (one more before, if `n_trials` is even), and the first or last ones where there are fewer.
    Where a condition and epoch has fewer trials than that, it is the mean of all of them.

    An entry is the mean of what was observed of it, and unobserved if nothing was. Counts become
    rates in Hz. Neighbouring trials share what they are means of: they are for pictures and for
    fits to averages, and no trial of them tests a model that was fitted to others.

    Raises ValueError for fewer than 1 trial.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> activity = np.array([1.0, 2.0, 6.0, 3.0])[:, None, None] * np.ones((4, 2, 1))
    >>> recording = Recording(activity, time=np.array([0.0, 0.1]))
    >>> preprocessing.running_average(recording, 3).activity[:, 0, 0].round(3).tolist()
    [3.0, 3.0, 3.667, 3.667]
    """
    if n_trials < 1:
        raise ValueError(f"n_trials is {n_trials}: a mean takes at least one trial.")
    rates = to_rates(recording) if recording.counts else recording
    averaged = np.empty_like(rates.activity)
    group = rates.group_index
    for label in np.unique(group):
        members = np.flatnonzero(group == label)
        last_start = max(len(members) - n_trials, 0)
        for place, trial in enumerate(members):
            start = min(max(place - n_trials // 2, 0), last_start)
            near = members[start : start + n_trials]
            averaged[trial] = _observed_mean(rates.activity[near], rates.observed[near])
    return rebuilt(rates, averaged)


def grouped_average(recording: Recording, n_trials: int) -> Recording:
    """Trials of one condition and epoch, averaged in groups of `n_trials` that follow each other.

    No trial is in two groups, so that averages can test a model that was fitted to others. What is
    left over at the end of a condition and epoch is dropped. Groups are ordered by the mean number
    of their trials, which becomes their `trial_id`. An entry is the mean of what was observed of
    it, and unobserved if nothing was. Counts become rates in Hz.

    Raises ValueError for fewer than 1 trial, and if no condition and epoch has as many.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> activity = np.arange(5.0)[:, None, None] * np.ones((5, 2, 1))
    >>> recording = Recording(activity, time=np.array([0.0, 0.1]))
    >>> pairs = preprocessing.grouped_average(recording, 2)  # the fifth trial is left over
    >>> pairs.activity[:, 0, 0].tolist(), pairs.trial_id.round(3).tolist()
    ([0.5, 2.5], [0.5, 2.5])
    """
    if n_trials < 1:
        raise ValueError(f"n_trials is {n_trials}: a mean takes at least one trial.")
    rates = to_rates(recording) if recording.counts else recording
    kinds = rates.group_index
    groups = [
        members[start : start + n_trials]
        for members in (np.flatnonzero(kinds == kind) for kind in np.unique(kinds))
        for start in range(0, len(members) - n_trials + 1, n_trials)
    ]
    if not groups:
        raise ValueError(f"No condition has {n_trials} trials in an epoch: average fewer.")
    at = np.array([rates.trial_id[group].mean() for group in groups])
    order = np.lexsort((rates.condition_index[[group[0] for group in groups]], at))
    groups = [groups[place] for place in order]
    first = [int(group[0]) for group in groups]
    averaged = np.stack([_observed_mean(rates.activity[g], rates.observed[g]) for g in groups])
    averaged.flags.writeable = False  # so that it is not copied again
    # groups with the same mean number follow each other by a trifle
    number = at[order] + 1e-6 * np.arange(len(order))
    return Recording(
        averaged,
        time=rates.time,
        condition=rates.condition[first],
        epoch=rates.epoch[first],
        trial_id=number,
    )


def _observed_mean(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Means over the first axis of what was observed, NaN where nothing was."""
    with np.errstate(invalid="ignore"):  # 0 / 0
        return values.sum(0, where=observed) / observed.sum(0)
