"""A real recording during learning: a brain-computer interface whose mapping was perturbed.

A monkey moved a cursor by the activity of its motor cortex, first through an intuitive mapping from
activity to the cursor's velocity, then through a perturbed one that it had to learn. The files are
those that Hennig et al. published with their code, https://github.com/mobeets/neural-engagement.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.io import loadmat

from ltr_core.recordings import Recording

BIN = 0.045  # s
N_BINS = 20  # of a trial in the files, at most: longer trials were cut
RELEASE = 7  # the bin, counted from 1, from which on activity moves the cursor

EPOCHS = ("intuitive", "perturbed")
SPACES = ("latents", "channels")

ROWS = ("trial_index", "time", "target", "isCorrect", "progress_wmp", "latents")  # of each bin
FACTORS = ("L", "spikeRot", "spikeCountMean", "spikeCountStd")


@dataclass(frozen=True, eq=False)
class BCISession:
    """One session: the recording, and how each of its trials went.

    - `recording`: activity (trial, time, neuron); conditions are `target`, epochs "intuitive" and
      "perturbed", and time is 0 s in the bin in which the cursor was released.
    - `progress` (trial,): mm/s, the speed towards the target that the activity of a bin gives the
      cursor under the perturbed mapping, mean over the bins from the release on (NaN if there are
      none). For the trials of the first epoch it is what that mapping would have given.
    - `correct` (trial,): whether the target was reached.
    - `n_bins` (trial,): how many bins of 45 ms of the trial are in the file, 20 at most.
    - `target` (trial,): direction of the target, deg.
    """

    recording: Recording
    progress: Float[np.ndarray, " trial"]
    correct: Bool[np.ndarray, " trial"]
    n_bins: Int[np.ndarray, " trial"]
    target: Int[np.ndarray, " trial"]


def load_hennig(path: str | Path, *, space: str = "latents") -> BCISession:
    """A session of Hennig et al. (2021), such as `ltr_core.registry.fetch("hennig2021")`.

    - `space`: "latents", the 10 latents that a factor analysis found in the counts of threshold
      crossings in bins of 45 ms; they are coordinates along orthonormal directions of the channels,
      in standard deviations of a channel's counts. Or "channels", what the latents predict for each
      channel (94 in 20160728.mat), mean + std * (latents @ inv(spikeRot) @ L^T), counts per bin.

    The file holds no spikes: neither latents nor channels are counts, the channels' activity can
    fall below zero, and it varies in 10 dimensions only, by construction.

    The recording has 20 time points 45 ms apart, NaN where a trial has no bin. `trial_id` is the
    trial's number in the session.

    Source: Hennig et al. (2021), Nature Neuroscience 24:727-736, doi:10.1038/s41593-021-00822-8.

    Raises FileNotFoundError if there is no file, and ValueError if it is damaged or of another
    structure, or for an unknown space.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from scipy.io import savemat
    >>> from ltr_core.bci import load_hennig
    >>> bins = {"time": [6, 7, 7], "target": [0, 0, 90], "isCorrect": [1, 1, 0]}
    >>> bins |= {"progress_wmp": [5.0, 20.0, 8.0], "latents": [[1.0, 2.0], [1.0, 4.0], [3.0, 4.0]]}
    >>> blocks = [{"trial_index": trials, **bins} for trials in ([1, 1, 2], [3, 3, 4])]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     savemat(Path(folder) / "toy.mat", {"Bs": blocks, "D": {}})  # built as theirs are
    ...     session = load_hennig(Path(folder) / "toy.mat")
    >>> session.recording.activity.shape, session.progress.tolist()
    ((4, 20, 2), [20.0, 8.0, 20.0, 8.0])
    """
    if space not in SPACES:
        raise ValueError(f"space is {space!r}: it is one of {', '.join(SPACES)}.")
    variables = _variables(Path(path))
    try:
        blocks = _blocks(variables["Bs"])
        recorded = {name: np.concatenate([block[name] for block in blocks]) for name in ROWS}
        if space == "channels":
            factors = _fields(variables["D"], ("FactorAnalysisParams",), "D")
            recorded["latents"] = _predicted(
                recorded["latents"], _fields(factors["FactorAnalysisParams"], FACTORS, "D's")
            )
        n_trials = [len(np.unique(block["trial_index"])) for block in blocks]
        return _session(recorded, np.repeat(EPOCHS, n_trials))
    except ValueError as error:
        raise ValueError(f"{path} is not a session of Hennig et al. (2021): {error}") from error


def _variables(path: Path) -> dict[str, Any]:
    """The file's Bs and D. Raises ValueError unless it is a whole .mat file that holds them."""
    with path.open("rb") as file:
        try:
            found = loadmat(file, simplify_cells=True, variable_names=("Bs", "D"))
        except Exception as error:  # damaged files raise errors of many kinds in scipy
            raise ValueError(
                f"{path} is no .mat file (version 5), or is damaged ({error}): fetch it again."
            ) from error
    missing = [name for name in ("Bs", "D") if name not in found]
    if missing:
        raise ValueError(
            f"{path} is not a session of Hennig et al. (2021): it lacks {' and '.join(missing)}."
        )
    return found


def _fields(struct: Any, names: tuple[str, ...], where: str) -> dict[str, Any]:
    """Some fields of a MATLAB struct; raises ValueError if it is none, or lacks any."""
    if not isinstance(struct, dict):
        raise ValueError(f"{where} is no struct.")
    missing = [name for name in names if name not in struct]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}: it holds {', '.join(struct)}.")
    return {name: struct[name] for name in names}


def _blocks(given: Any) -> list[dict[str, Shaped[np.ndarray, "bin ..."]]]:
    """Both blocks: each field an array with one row for each bin."""
    if not isinstance(given, list | np.ndarray) or len(given) != len(EPOCHS):
        raise ValueError("Bs must hold two blocks, of the intuitive and the perturbed mapping.")
    blocks = []
    for place, struct in enumerate(given, start=1):
        block = {}
        for name, value in _fields(struct, ROWS, f"Bs({place})").items():
            block[name] = np.asarray(value)
            n_axes = 2 if name == "latents" else 1
            if block[name].ndim != n_axes or block[name].dtype.kind not in "biuf":
                raise ValueError(f"{name} of Bs({place}) is no array of numbers in {n_axes} axes.")
        lengths = {name: len(value) for name, value in block.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the fields of Bs({place}) differ in their rows: {lengths}.")
        blocks.append(block)
    widths = [block["latents"].shape[1] for block in blocks]
    if len(set(widths)) > 1:
        raise ValueError(f"its blocks have {widths[0]} and {widths[1]} latents.")
    return blocks


def _session(
    bins: dict[str, Shaped[np.ndarray, "bin ..."]], epoch: Shaped[np.ndarray, " trial"]
) -> BCISession:
    """The bins' rows as trials."""
    trial_id, first, trial, n_bins = np.unique(
        bins["trial_index"], return_index=True, return_inverse=True, return_counts=True
    )
    if len(epoch) != len(trial_id) or (np.diff(first) <= 0).any():
        raise ValueError("its trials are not in order: trial_index must increase over both blocks.")
    _check_bins(bins, trial, first)
    time = bins["time"].astype(np.int64)
    activity = np.full((len(trial_id), N_BINS, bins["latents"].shape[1]), np.nan)
    activity[trial, time - 1] = bins["latents"]
    activity.flags.writeable = False  # so that it is not copied again
    moving = time >= RELEASE
    total = np.bincount(trial[moving], bins["progress_wmp"][moving], len(trial_id))
    with np.errstate(invalid="ignore"):  # trials without a bin after the release
        progress = total / np.bincount(trial[moving], minlength=len(trial_id))
    target = bins["target"][first].astype(np.int64)
    recording = Recording(
        activity,
        time=BIN * (np.arange(N_BINS) - (RELEASE - 1)),
        condition=target,
        epoch=epoch,
        trial_id=trial_id,
    )
    return BCISession(recording, progress, bins["isCorrect"][first] == 1, n_bins, target)


def _check_bins(
    bins: dict[str, Shaped[np.ndarray, "bin ..."]],
    trial: Int[np.ndarray, " bin"],
    first: Int[np.ndarray, " trial"],
) -> None:
    """Raise ValueError unless each bin has its own place, and a trial one target and outcome."""
    time = bins["time"]
    if not np.isin(time, np.arange(1, N_BINS + 1)).all():
        raise ValueError(f"time must number the bins of a trial, from 1 to {N_BINS}.")
    if len(np.unique(N_BINS * trial + time)) < len(trial):
        raise ValueError("a trial has two rows for one bin.")
    for name in ("target", "isCorrect"):
        if (bins[name] != bins[name][first][trial]).any():
            raise ValueError(f"{name} changes within a trial.")
    if (bins["target"] % 1 != 0).any():
        raise ValueError("target must hold whole degrees.")
    if not np.isfinite(bins["latents"]).all() or not np.isfinite(bins["progress_wmp"]).all():
        raise ValueError("latents or progress_wmp hold NaN or infinity.")


def _predicted(
    latents: Float[np.ndarray, "bin latent"], factors: dict[str, Any]
) -> Float[np.ndarray, "bin channel"]:
    """Counts per bin of each channel that the factor analysis predicts from the latents."""
    loadings, rotation, mean, std = (np.asarray(factors[name], float) for name in FACTORS)
    n_latents = latents.shape[1]
    shapes = (loadings.shape, rotation.shape, mean.shape, std.shape)
    channels = mean.shape
    if shapes != ((*channels, n_latents), (n_latents, n_latents), channels, channels):
        raise ValueError(f"{', '.join(FACTORS)} have shapes {shapes} for {n_latents} latents.")
    try:
        unrotated = np.linalg.solve(rotation.T, latents.T).T
    except np.linalg.LinAlgError as error:
        raise ValueError("spikeRot cannot be inverted.") from error
    return mean + std * (unrotated @ loadings.T)
