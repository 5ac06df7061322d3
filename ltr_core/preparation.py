"""From a file to a recording that can be fitted, and what a fit to it is told."""

import warnings
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from ltr_core.held_out import HeldOut, held_out_blocks
from ltr_core.loaders import LOADERS, load
from ltr_core.preprocessing import keep, rebin, smooth
from ltr_core.recordings import Recording

REACH = 4.0  # standard deviations at which the Gaussian of `smooth` ends


def prepared(
    path: str | Path,
    *,
    width: float = 0.0,
    sd: float = 0.0,
    min_rate: float = 0.0,
    **options: Any,
) -> Recording:
    """The recording in a file, in bins and smoothed as wanted, without neurons never observed.

    - `width`: s, of a bin; 0 leaves it to the file, or to the loader of spike times.
    - `sd`: s, standard deviation of the Gaussian that it is smoothed with (counts become rates in
      Hz); 0 does not smooth.
    - `min_rate`: neurons with a lower mean rate are left out, in Hz for counts and in the units of
      the activity otherwise; 0 keeps all.
    - `options`: of the loader (see `ltr_core.loaders.load`); "" stands for its default.

    Warns of neurons that were never observed. Raises as the loader does, and ValueError for a width
    that does not fit the file's and for settings that leave nothing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from ltr_core.preparation import prepared
    >>> counts = np.random.default_rng(0).poisson(1.0, size=(6, 8, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "recording.npz"
    ...     np.savez(path, activity=counts, time=0.1 * np.arange(8), counts=True)
    ...     recording = prepared(path, width=0.2)
    >>> recording.activity.shape, bool((recording.activity[0, 0] == counts[0, :2].sum(0)).all())
    ((6, 4, 3), True)
    """
    given = {name: value for name, value in options.items() if value != ""}
    loader = LOADERS.get(Path(path).suffix.lower())
    bins_itself = loader is not None and "bin" in signature(loader).parameters
    if width and bins_itself:
        given["bin"] = width
    recording = load(path, **given)
    if width and not bins_itself:
        recording = rebin(recording, width)
    seen = recording.observed.any((0, 1))
    if not seen.all():
        warnings.warn(
            f"Nothing was observed of {int((~seen).sum())} of {seen.size} neurons: left out.",
            stacklevel=2,
        )
        recording = recording.select(neurons=np.flatnonzero(seen))
    if min_rate:
        recording = keep(recording, min_rate=min_rate)
    return smooth(recording, sd) if sd else recording


def suited_settings(recording: Recording, likelihood: str = "auto") -> dict[str, Any]:
    """Settings of an `LtrRNN` that follow from what a recording holds.

    The likelihood ("auto": poisson for counts, gaussian for rates), a bias of each neuron, and
    jumps of the trial factors between epochs if there are several.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.preparation import suited_settings
    >>> recording = Recording(np.ones((4, 3, 2)), time=np.arange(3.0), counts=True)
    >>> suited_settings(recording)
    {'likelihood': 'poisson', 'readout_bias': True, 'jumps': False}
    """
    if likelihood == "auto":
        likelihood = "poisson" if recording.counts else "gaussian"
    n_epochs = len(recording.epochs)
    return {"likelihood": likelihood, "readout_bias": True, "jumps": n_epochs > 1}


def blocks_beyond(recording: Recording, sd: float = 0.0, *, seed: int = 0) -> HeldOut:
    """Held-out blocks, the wider ones around them as wide as smoothing has carried what they hold.

    - `sd`: s, of the Gaussian that the recording was smoothed with (0: it was not).

    Raises ValueError where the trials are too short for such blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> from ltr_core.preparation import blocks_beyond
    >>> recording = Recording(np.zeros((40, 60, 12)), time=0.02 * np.arange(60))
    >>> plain, smoothed = blocks_beyond(recording), blocks_beyond(recording, sd=0.04)
    >>> bool(plain.train.mean() > smoothed.train.mean())
    True
    """
    test, train = (2, 2, 0), (5, 5, 0)
    carried = int(np.ceil(REACH * sd / recording.dt - 1e-6))
    beyond = max(train[1], test[1] + carried)
    return held_out_blocks(recording, test=test, train=(train[0], beyond, train[2]), seed=seed)
