"""A recording made of another one, with its trials and their labels."""

import numpy as np
from jaxtyping import Float

from ltr_core.recordings import Recording


def rebuilt(
    recording: Recording,
    activity: Float[np.ndarray, "trial new_time neuron"],
    *,
    time: Float[np.ndarray, " new_time"] | None = None,
    counts: bool | None = None,
) -> Recording:
    """The same trials with other activity, which is not copied; times and counts as given.

    Raises ValueError where that is no valid recording.
    """
    activity.flags.writeable = False  # so that it is not copied again
    return Recording(
        activity,
        time=recording.time if time is None else time,
        condition=recording.condition,
        epoch=recording.epoch,
        trial_id=recording.trial_id,
        counts=recording.counts if counts is None else counts,
    )
