"""Other units: counts as rates, square roots, and neurons brought to a common scale."""

import numpy as np
from jaxtyping import Bool, Float

from ltr_core.held_out import listed, observed_in
from ltr_core.preprocessing.rebuilding import rebuilt
from ltr_core.recordings import Recording

Mask = Bool[np.ndarray, "trial time neuron"]
PerNeuron = Float[np.ndarray, " neuron"]


def to_rates(recording: Recording) -> Recording:
    """Counts per bin as rates in Hz.

    Raises ValueError for a recording of rates.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> recording = Recording(np.full((1, 4, 2), 3), time=0.05 * np.arange(4), counts=True)
    >>> rates = preprocessing.to_rates(recording)  # 3 spikes in 0.05 s
    >>> rates.activity[0, 0].round(3).tolist(), rates.counts
    ([60.0, 60.0], False)
    """
    if not recording.counts:
        raise ValueError("The recording holds rates already: it was made with counts=False.")
    return rebuilt(recording, recording.activity / recording.dt, counts=False)


def square_root(recording: Recording) -> Recording:
    """The square roots of counts or rates, so that a Poisson neuron's variance is near constant.

    The root of a Poisson count has a variance of 0.31 where its mean is 4, of 0.26 where it is
    10, and of 1/4 in the limit.

    Raises ValueError for negative activity.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> counts = np.random.default_rng(0).poisson([4, 8], (2000, 2, 2))
    >>> recording = Recording(counts, time=np.array([0.0, 0.1]), counts=True)
    >>> preprocessing.square_root(recording).activity.var((0, 1)).round(1).tolist()
    [0.3, 0.3]
    """
    if (recording.activity < 0).any():
        trial, time, neuron = np.argwhere(recording.activity < 0)[0].tolist()
        raise ValueError(
            f"activity is {recording.activity[trial, time, neuron]:g} at trial {trial}, time "
            f"{time}, neuron {neuron}: only counts and rates that are not negative have a root. "
            "Take it before neurons are z-scored."
        )
    return rebuilt(recording, np.sqrt(recording.activity), counts=False)


def z_score(recording: Recording, train: Mask | None = None) -> Recording:
    """Each neuron minus its mean, divided by its standard deviation, over trials and times.

    - `train` (trial, time, neuron): the entries from which both are computed; all observed ones
      if not given. The others are scaled by what is found there.

    A neuron that is constant in these entries is not divided: it is 0 there.

    Raises ValueError for a mask of another shape or type, and for one without any entry of a
    neuron that was observed.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> activity = np.random.default_rng(0).normal([5, -1], [10, 2], (20, 4, 2))
    >>> recording = Recording(activity, time=0.1 * np.arange(4))
    >>> scaled = preprocessing.z_score(recording).activity
    >>> np.allclose(scaled.mean((0, 1)), 0), np.allclose(scaled.std((0, 1)), 1)
    (True, True)
    """
    chosen = _chosen(recording, train)
    mean = _mean(recording.activity, chosen)
    variance = _mean((recording.activity - mean) ** 2, chosen)
    varied = (_range(recording.activity, chosen) > 0) & (variance > 0)  # rounding leaves some
    return _scaled(recording, mean, np.sqrt(np.where(varied, variance, 1.0)))


def soft_normalise(recording: Recording, train: Mask | None = None, soft: float = 5.0) -> Recording:
    """Each neuron minus its mean, divided by its range plus `soft`, over trials and times.

    A neuron with a range far above `soft` gets a range of about 1, a weak one less than that
    (Churchland et al. 2012, Nature 487:51-56, with 5 Hz).

    - `train` (trial, time, neuron): the entries from which mean and range are computed; all
      observed ones if not given. The others are scaled by what is found there.
    - `soft`: in units of the activity; in Hz for counts, which become rates first.

    A neuron that is constant in these entries is 0 there, also where `soft` is 0.

    Raises ValueError for a negative `soft`, for a mask of another shape or type, and for one
    without any entry of a neuron that was observed.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, preprocessing
    >>> activity = np.array([[0.0, 0.0], [95.0, 5.0]])[None]  # ranges of 95 Hz and 5 Hz
    >>> recording = Recording(activity, time=np.array([0.0, 0.1]))
    >>> scaled = preprocessing.soft_normalise(recording).activity[0]
    >>> np.ptp(scaled, axis=0).round(3).tolist()
    [0.95, 0.5]
    """
    if not (soft >= 0 and np.isfinite(soft)):
        raise ValueError(f"soft is {soft}: it must be a finite number that is not negative.")
    rates = to_rates(recording) if recording.counts else recording
    chosen = _chosen(rates, train)
    scale = _range(rates.activity, chosen) + soft
    return _scaled(rates, _mean(rates.activity, chosen), np.where(scale > 0, scale, 1.0))


def _chosen(recording: Recording, train: Mask | None) -> Mask:
    """The entries that statistics are computed from. Whole trials may be left out of them."""
    chosen = observed_in(recording, train)
    bare = np.flatnonzero(recording.observed.any((0, 1)) & ~chosen.any((0, 1)))
    if bare.size:
        raise ValueError(
            f"train leaves nothing of neuron {listed(bare)} ({bare.size} in all): its scale is not "
            "known. Leave some entries in, or keep the other neurons only."
        )
    return chosen


def _mean(values: np.ndarray, chosen: Mask) -> PerNeuron:
    """Means over the chosen entries; 0 for neurons without any."""
    total = values.sum((0, 1), where=chosen, dtype=np.float64)
    return total / np.maximum(chosen.sum((0, 1)), 1)


def _range(values: np.ndarray, chosen: Mask) -> PerNeuron:
    """Largest minus smallest chosen entry; 0 for neurons without any."""
    highest = values.max((0, 1), where=chosen, initial=-np.inf)
    lowest = values.min((0, 1), where=chosen, initial=np.inf)
    return np.where(highest > lowest, highest - lowest, 0.0).astype(np.float64)


def _scaled(recording: Recording, offset: PerNeuron, scale: PerNeuron) -> Recording:
    scaled = (recording.activity - offset) / scale
    return rebuilt(recording, scaled.astype(recording.activity.dtype, copy=False), counts=False)
