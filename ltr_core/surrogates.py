"""Recordings made from others: what a model should fail on, and what an experiment would see.

A shuffled recording keeps much of the original and loses one thing. A spiking one stands for an
experiment on a network whose rates are known.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ltr_core.preprocessing import rebin
from ltr_core.preprocessing.rebuilding import rebuilt
from ltr_core.recordings import Recording


def shuffle_trials(recording: Recording, seed: int = 0, *, each_neuron: bool = False) -> Recording:
    """The same activity, the trials of each condition in random order.

    What neurons do remains, and what they do together; that it changes gradually over trials, and
    with the epochs, does not. With `each_neuron`, every neuron's trials are shuffled on their own:
    then neurons do not change together any more. Labels, trial ids and times stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.surrogates import shuffle_trials
    >>> activity = np.arange(6.0)[:, None, None] * np.ones((3, 2))  # the trial's number throughout
    >>> recording = Recording(activity, time=np.arange(3.0), condition=np.array([0, 1] * 3))
    >>> shuffled = shuffle_trials(recording).activity[:, 0, 0]
    >>> sorted(shuffled[::2].tolist()), sorted(shuffled[1::2].tolist())
    ([0.0, 2.0, 4.0], [1.0, 3.0, 5.0])
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
    return rebuilt(recording, activity)


class Spiking(NamedTuple):
    """Spikes of some neurons of a network, and what they were drawn from.

    - `recording`: Poisson counts in bins.
    - `expected` (trial, time, neuron): their expected counts, NaN where nothing was observed.
    - `neurons` (neuron,): which of the network's units they are, increasing.
    """

    recording: Recording
    expected: Float[np.ndarray, "trial time neuron"]
    neurons: Int[np.ndarray, " neuron"]


def spiking(
    rates: Recording,
    *,
    width: float,
    median_rate: float = 8.0,
    spread: float = 0.8,
    gain: float = 1.0,
    share: float = 1.0,
    seed: int = 0,
) -> Spiking:
    """What an experiment would record of a network of tanh units: Poisson counts of some of them.

    Unit i fires at ``m_i exp(gain * r_i) / mean(exp(gain * r_i))`` Hz, where r_i in [-1, 1] is its
    activity in `rates` and the mean is over all that was observed of it: m_i is its mean rate. Mean
    rates are log-normal, as they are close to in cortex (Buzsaki and Mizuseki 2014). The link is
    that of `simulate_ltrrnn` and of `LtrRNN` for counts.

    - `width`: s, of a bin; a whole multiple of the time step of `rates`. Rates are averaged within
      a bin, and what is left over at the end of a trial is dropped.
    - `median_rate`: Hz, of the mean rates. `spread`: standard deviation of their logarithm; at 0.8,
      95% lie within a factor of 4.8 of the median. 0 gives all neurons the same mean rate.
    - `share`: of the units that are observed, chosen at random; at least one is.

    Raises ValueError for rates that are counts or leave [-1, 1], a width that does not fit, a
    median rate that is not positive, a negative spread, a gain outside (0, 20], and a share outside
    (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.surrogates import spiking
    >>> activity = np.tanh(np.random.default_rng(0).normal(size=(10, 20, 8)))
    >>> spikes = spiking(Recording(activity, time=0.01 * np.arange(20)), width=0.04, share=0.5)
    >>> spikes.recording.activity.shape, spikes.recording.counts, spikes.neurons.size
    ((10, 5, 4), True, 4)
    """
    _check_spiking(rates, median_rate, spread, gain, share)
    rng = np.random.default_rng(seed)
    mean_rate = median_rate * np.exp(spread * rng.standard_normal(rates.n_neurons))
    n_kept = max(1, round(share * rates.n_neurons))
    neurons = np.sort(rng.choice(rates.n_neurons, n_kept, replace=False))
    kept = rates.select(neurons=neurons)
    firing = np.exp(gain * kept.activity)
    total = np.nansum(firing, axis=(0, 1), dtype=np.float64)
    n_observed = kept.observed.sum((0, 1))
    firing *= mean_rate[neurons] * n_observed / np.where(n_observed, total, 1)
    binned = rebin(rebuilt(kept, firing), width)
    expected = binned.activity * width
    counts = np.full_like(expected, np.nan)
    for drawn, count, seen in zip(counts, expected, binned.observed, strict=True):
        drawn[seen] = rng.poisson(count[seen])
    return Spiking(rebuilt(binned, counts, counts=True), expected, neurons)


def _check_spiking(
    rates: Recording, median_rate: float, spread: float, gain: float, share: float
) -> None:
    if rates.counts or np.nanmax(np.abs(rates.activity)) > 1 + 1e-6:
        raise ValueError(
            "rates must be the noise-free activity of tanh units, between -1 and 1: "
            f"these {'are counts' if rates.counts else 'leave that range'}."
        )
    if not (np.isfinite(median_rate) and median_rate > 0):
        raise ValueError(f"median_rate is {median_rate}: it must be finite and positive.")
    if not 0 < gain <= 20:
        raise ValueError(f"gain is {gain}: it lies above 0 and at most at 20.")
    if not (np.isfinite(spread) and spread >= 0):
        raise ValueError(f"spread is {spread}: it must be finite and not negative.")
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}: it lies above 0 and at most at 1.")
