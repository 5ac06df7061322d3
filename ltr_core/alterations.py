"""Recordings made from others: with more noise, spliced from two, or with other epochs."""

from collections.abc import Sequence

import numpy as np

from ltr_core.preprocessing.rebuilding import rebuilt
from ltr_core.recordings import Recording


def splice(first: Recording, second: Recording) -> Recording:
    """The first recording's first epoch, and the second's activity in all later ones.

    Where the two come from different networks, no subspace serves all of the epochs.

    Raises ValueError for recordings of different shapes or of one epoch only.

    Examples
    --------
    >>> from ltr_core import simulate_ltrrnn
    >>> from ltr_core.alterations import splice
    >>> first, _ = simulate_ltrrnn(n_trials=(2, 3), n_neurons=10, rank=1, dt=0.4)
    >>> second, _ = simulate_ltrrnn(n_trials=(2, 3), n_neurons=10, rank=1, dt=0.4, seed=1)
    >>> (splice(first, second).activity == first.activity).all((1, 2)).tolist()
    [True, True, False, False, False]
    """
    if first.activity.shape != second.activity.shape:
        raise ValueError(
            f"The recordings have shapes {first.activity.shape} and {second.activity.shape}: only "
            "those of the same trials, times and neurons can be spliced."
        )
    if len(first.epochs) < 2:
        raise ValueError("The first recording has one epoch: there is no later one to replace.")
    later = (first.epoch_index > 0)[:, None, None]
    return rebuilt(first, np.where(later, second.activity, first.activity))


def in_stretches(recording: Recording, names: Sequence[str]) -> Recording:
    """The same recording, its trials in as many epochs of equal length as there are names.

    Raises ValueError for fewer trials than names, and for names that are alike.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.alterations import in_stretches
    >>> recording = Recording(np.zeros((5, 3, 2)), time=np.arange(3.0))
    >>> in_stretches(recording, ["early", "late"]).epoch.tolist()
    ['early', 'early', 'early', 'late', 'late']
    """
    if not 1 <= len(names) <= recording.n_trials or len(set(names)) < len(names):
        raise ValueError(
            f"names are {list(names)}: give different ones, at most as many as there are trials "
            f"({recording.n_trials})."
        )
    place = np.arange(recording.n_trials) * len(names) // recording.n_trials
    return Recording(
        recording.activity,
        time=recording.time,
        condition=recording.condition,
        epoch=np.array(names)[place],
        trial_id=recording.trial_id,
        counts=recording.counts,
    )


def add_noise(recording: Recording, noise: float, seed: int = 0) -> Recording:
    """The rates with Gaussian noise of standard deviation `noise` on every entry.

    Raises ValueError for counts and a noise that is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.alterations import add_noise
    >>> recording = Recording(np.zeros((10, 30, 20)), time=np.arange(30.0))
    >>> round(float(add_noise(recording, 0.5).activity.std()), 1)
    0.5
    """
    if recording.counts:
        raise ValueError("The recording holds counts, which have noise of their own.")
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise is {noise}: it must be finite and not negative.")
    drawn = np.random.default_rng(seed).normal(size=recording.activity.shape)
    noisy = recording.activity + noise * drawn
    return rebuilt(recording, noisy.astype(recording.activity.dtype))
