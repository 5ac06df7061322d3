"""Recordings from files: `load` by their suffix, or the loader of each format."""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from ltr_core.loaders.files import existing
from ltr_core.loaders.nwb import load_nwb
from ltr_core.loaders.trialdata import load_trialdata
from ltr_core.recording_files import LABELS, load_npz
from ltr_core.recordings import Recording
from ltr_core.suggestions import did_you_mean

LOADERS: dict[str, Callable[..., Recording]] = {
    ".nwb": load_nwb,
    ".mat": load_trialdata,
    ".npz": load_npz,
    ".nc": Recording.from_netcdf,
}

__all__ = ["LOADERS", "load", "load_npz", "load_nwb", "load_trialdata"]


def load(path: str | Path, **options: Any) -> Recording:
    """The recording in a file, read by the loader that its suffix tells.

    - ``.nwb``: `load_nwb`, Neurodata Without Borders.
    - ``.mat``: `load_trialdata`, the Miller lab's TrialData.
    - ``.npz``: `load_npz`, arrays by name.
    - ``.nc``: `Recording.from_netcdf`, as `Recording.to_netcdf` writes it.

    `options` are the loader's own.

    Raises FileNotFoundError; ValueError for another suffix, for options that the loader does not
    take, and as the loader does.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from ltr_core import load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mine.npz"
    ...     np.savez(path, activity=np.ones((4, 10, 3)), time=0.1 * np.arange(10))
    ...     recording = load(path)
    ...     recording.to_netcdf(path.with_suffix(".nc"))
    ...     again = load(path.with_suffix(".nc"))
    >>> again
    Recording(4 trials, 10 times of 0.1 s, 3 neurons, rates, 1 conditions, epochs ['all'])
    """
    suffix = Path(path).suffix.lower()
    if suffix not in LOADERS:
        raise ValueError(
            f"{path} has the suffix {suffix!r}. Loaded are {', '.join(LOADERS)}."
            f"{did_you_mean(suffix, LOADERS)} Anything else: make the arrays a Recording, or "
            "save them as .npz."
        )
    loader = LOADERS[suffix]
    _check_options(loader, options)
    return loader(existing(path), **options)


def _check_options(loader: Callable[..., Recording], options: dict[str, Any]) -> None:
    taken = [
        option.name
        for option in signature(loader).parameters.values()
        if option.kind is Parameter.KEYWORD_ONLY
    ]
    for name in options:
        if name not in taken:
            takes = f"{', '.join(taken)}.{did_you_mean(name, taken)}" if taken else "no options."
            if not taken and name in LABELS:
                takes += f" The file itself names it: an array {name}, one value for each trial."
            raise ValueError(f"{loader.__qualname__} does not take {name!r}; it takes {takes}")
