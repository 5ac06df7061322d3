"""Recordings that keep much of a recording and lose one thing, so that a model can fail on it."""

import numpy as np

from ltr_core.recordings import Recording


def shuffle_trials(recording: Recording, seed: int = 0, *, each_neuron: bool = False) -> Recording:
    """The same activity, the trials of each condition in random order.

    What neurons do remains, and what they do together; that it changes gradually over trials, and
    with the epochs, does not. With `each_neuron`, every neuron's trials are shuffled on their own:
    then neurons do not change together any more. Labels, trial ids and times stay as they are.
    """
    rng = np.random.default_rng(seed)
    activity = np.empty_like(recording.activity)
    n_neurons = recording.n_neurons
    together = np.arange(n_neurons)[:, None] if each_neuron else np.arange(n_neurons)[None]
    for condition in range(len(recording.conditions)):
        trials = np.flatnonzero(recording.condition_index == condition)
        for neurons in together:
            drawn = rng.permutation(trials)
            activity[trials[:, None], :, neurons] = recording.activity[drawn[:, None], :, neurons]
    activity.flags.writeable = False  # so that it is not copied again
    return recording.with_activity(activity)
