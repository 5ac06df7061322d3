"""How much of a recording's variance any model of its trials could explain."""

import numpy as np
from jaxtyping import Bool

from ltr_core.recordings import Recording


def neighbour_noise(
    recording: Recording, mask: Bool[np.ndarray, "trial time neuron"] | None = None
) -> float:
    """Share of the variance that differs between neighbouring trials of a condition and epoch.

    Half the mean squared difference of each trial to the next one of its condition and epoch, over
    the variance; entries that both observe and, if given, that `mask` holds in the first of them.
    What changes slowly over trials cancels, so that this is the noise of single trials: no model
    whose weights change gradually, and whose inputs belong to the condition, can be expected to
    have a normalised mean squared error below it.

    Raises ValueError where no two trials can be compared, and for activity that does not vary.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.reliability import neighbour_noise
    >>> signal = np.tile(np.sin(np.arange(30.0))[:, None], (40, 1, 5))  # the same in each trial
    >>> noise = np.random.default_rng(0).normal(size=signal.shape)
    >>> kinds = (Recording(kind, time=np.arange(30.0)) for kind in (signal, noise))
    >>> [round(neighbour_noise(recording), 1) for recording in kinds]
    [0.0, 1.0]
    """
    activity = recording.activity.astype(np.float64)
    first, second = _neighbours(recording)
    both = recording.observed[first] & recording.observed[second]
    if mask is not None:
        both &= mask[first]
    if not both.any():
        raise ValueError(
            "No trial has a neighbour of its condition and epoch with which it shares an entry."
        )
    used = recording.observed if mask is None else recording.observed & mask
    variance = activity[used].var()
    if not variance > 0:
        raise ValueError("The activity does not vary: there is nothing to explain.")
    return float(0.5 * np.square(activity[second] - activity[first])[both].mean() / variance)


def _neighbours(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of trials that follow each other in one condition and epoch."""
    group = recording.group_index
    order = np.argsort(group, kind="stable")
    same = group[order[1:]] == group[order[:-1]]
    return order[:-1][same], order[1:][same]
