"""Recordings on disk: NetCDF files, which hold all of a recording, and npz files from elsewhere.

Nothing in a file is executed. A file that cannot be read whole is refused by name.
"""

import os
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ltr_core.extras import data_package
from ltr_core.recordings import Recording
from ltr_core.suggestions import did_you_mean

DIMS = ("trial", "time", "neuron")
LABELS = ("condition", "epoch", "trial_id")
NEEDED = ("activity", "time")
DTYPE = "numpy_dtype"  # attribute of a label: NetCDF keeps neither the width of text nor byte order


def write_netcdf(recording: Recording, path: str | Path) -> None:
    """Write a recording to a NetCDF-4 file in one stroke; an older file stays until it is whole.

    The file is `Recording.data`, compressed, with a checksum for every array of numbers.

    Raises ValueError for conditions that are neither text nor numbers, and ImportError where
    h5netcdf is not installed.
    """
    data_package("h5netcdf")
    path = Path(path)
    dataset = recording.data.assign_attrs(counts=int(recording.counts))  # NetCDF has no bool
    for name in ("condition", "epoch"):
        labels = dataset[name]
        if not _storable(labels.values):
            raise ValueError(
                f"{name} holds {labels.dtype}: a NetCDF file keeps text and numbers. Convert the "
                f"labels, with np.array(recording.{name}).astype(str) for example."
            )
        labels.attrs[DTYPE] = labels.dtype.str
    kept = {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        numbers = [str(k) for k, v in dataset.variables.items() if v.dtype.kind in "biuf"]
        encoding = dict.fromkeys(numbers, kept)
        dataset.to_netcdf(partial, engine="h5netcdf", encoding=encoding)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_netcdf(path: str | Path) -> Recording:
    """The recording of a NetCDF-4 file that `write_netcdf` wrote, or of the same structure.

    That is: `activity` (trial, time, neuron); `time` in s; `condition`, `epoch`, `trial_id`
    (trial,); the attribute `counts`; and, where it is there, `observed` (trial, time, neuron).

    Raises ValueError naming the file for one that is truncated or damaged, is no NetCDF-4 file,
    lacks something, or holds no valid recording, FileNotFoundError where there is none, and
    ImportError where h5netcdf is not installed.
    """
    data_package("h5netcdf")
    h5py = data_package("h5py")
    with open(path, "rb"):  # a file that is not there or not ours to read says so itself
        pass
    try:
        with h5py.File(path):  # h5netcdf leaves a half-made object behind where this fails
            pass
        options: dict[str, Any] = {"decode_times": False, "decode_timedelta": False}
        options["phony_dims"] = "sort"  # for HDF5 files that are not NetCDF: refused below
        with xr.open_dataset(path, engine="h5netcdf", **options) as opened:
            return _recording(opened.load())
    except (OSError, RuntimeError, ValueError, TypeError, LookupError) as error:
        raise ValueError(f"{path} is no whole recording in NetCDF-4 (HDF5): {error}") from error


def load_npz(path: str | Path) -> Recording:
    """The recording of an npz file, as np.savez or np.savez_compressed write it.

    - `activity` (trial, time, neuron) and `time` (time,) in s: needed.
    - `condition`, `epoch`, `trial_id` (trial,), `counts` (one bool), `mask` (trial, time, neuron):
      as `Recording` takes them.

    Raises ValueError naming the file for one that is truncated or is no npz file, for pickled
    objects (which are never unpickled), for arrays that are missing or that no recording takes,
    and where they are no valid recording; FileNotFoundError where there is no file.
    """
    with open(path, "rb"):  # as above
        pass
    try:
        arrays = _arrays(path)
        _check_names(arrays, NEEDED)
        optional = (*LABELS, "counts", "mask")
        for name in arrays:
            if name not in (*NEEDED, *optional):
                free = [other for other in (*NEEDED, *optional) if other not in arrays]
                raise ValueError(
                    f"a recording takes no {name!r}. It takes {', '.join(NEEDED)} and, where they "
                    f"are known, {', '.join(optional)}.{did_you_mean(name, free)}"
                )
        counts = arrays.pop("counts", np.array(False))
        if counts.size != 1:
            raise ValueError(
                f"counts has shape {counts.shape}: it must be one True or False, which says "
                "whether activity holds numbers of spikes."
            )
        if counts.item() not in (0, 1):
            raise ValueError(f"counts is {counts}: it must be one True or False.")
        activity, time = (arrays.pop(name) for name in NEEDED)
        return Recording(activity, time=time, counts=bool(counts.item()), **arrays)
    except EOFError as error:  # without a message
        raise ValueError(f"{path} is no whole recording in npz: it ends too early.") from error
    except (ValueError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no whole recording in npz: {error}") from error


def _recording(dataset: xr.Dataset) -> Recording:
    there = [str(name) for name in dataset.variables]
    _check_names(there, (*NEEDED, *LABELS))
    if "counts" not in dataset.attrs:
        raise ValueError("it lacks the attribute counts: 1 if activity is counts, 0 if rates.")
    found = dataset["activity"].dims
    if sorted(map(str, found)) != sorted(DIMS):
        raise ValueError(f"activity has the dimensions {found}: they must be {DIMS}.")
    mask = None
    if "observed" in there:
        mask = dataset["observed"].transpose(*DIMS).values.astype(bool)
    return Recording(
        dataset["activity"].transpose(*DIMS).values,
        time=dataset["time"].values,
        counts=bool(dataset.attrs["counts"]),
        mask=mask,
        **{name: _as_written(dataset[name]) for name in LABELS},
    )


def _arrays(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an npz file, its checksums verified; objects are refused."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        others = [name for name in archive.namelist() if not name.endswith(".npy")]
    if damaged is not None or others:
        wrong = f"{others[0]} is no array" if others else f"{damaged} fails its checksum"
        raise ValueError(f"{wrong}. Write the file again with np.savez.")
    arrays = {}
    with np.load(path, allow_pickle=False) as loaded:
        for name in loaded.files:
            try:
                arrays[name] = loaded[name]
            except ValueError as error:
                raise ValueError(
                    f"{name} cannot be read ({error}). Python objects are never loaded, since "
                    "they can run code: save numbers, or text with array.astype(str)."
                ) from error
    return arrays


def _check_names(there: Collection[str], needed: Collection[str]) -> None:
    """Raise ValueError unless everything that is needed is there."""
    missing = [name for name in needed if name not in there]
    if missing:
        others = [name for name in there if name not in needed]
        raise ValueError(
            f"it lacks {' and '.join(missing)}; it holds {', '.join(there) or 'nothing'}."
            f"{did_you_mean(missing[0], others)}"
        )


def _storable(labels: np.ndarray) -> bool:
    if labels.dtype.kind == "O":
        return all(isinstance(label, str) for label in labels)
    return labels.dtype.kind in "biufUS"


def _as_written(labels: xr.DataArray) -> np.ndarray:
    """Labels in the dtype they were written with."""
    written = labels.attrs.get(DTYPE)
    return labels.values if written is None else labels.values.astype(written)
