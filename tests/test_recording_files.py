"""Recordings on disk: all of a recording comes back, and nothing is read from half a file."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core import recording_files
from ltr_core.recording_files import load_npz
from ltr_core.recordings import Recording

LABELS: dict[str, Any] = {
    "condition": list("abcabc"),
    "epoch": ["baseline"] * 3 + ["adaptation"] * 3,
    "trial_id": [1, 2, 5, 6.5, 7, 9],
}
FIELDS = ("activity", "observed", "time", "condition", "epoch", "trial_id", "counts")
FIELDS += ("conditions", "condition_index", "epochs", "epoch_index")


def counted(dtype: type = np.float64) -> Recording:
    """Counts of 6 trials, 8 times, 5 neurons, some of them not observed."""
    activity = np.random.default_rng(0).poisson(3.0, (6, 8, 5)).astype(dtype)
    activity[0, 5:] = np.nan
    activity[3, 2, 1] = np.nan
    return Recording(activity, time=0.05 * np.arange(8) - 0.2, counts=True, **LABELS)


def arrays(recording: Recording) -> dict[str, Any]:
    """What an npz file holds."""
    names = ("activity", "time", "condition", "epoch", "trial_id", "counts")
    return {name: getattr(recording, name) for name in names}


def assert_same(first: Recording, second: Recording) -> None:
    """Bit for bit, types included; joblib's hashes name the files of finished fits."""
    for name in FIELDS:
        one, other = getattr(first, name), getattr(second, name)
        assert type(one) is type(other), name
        assert joblib.hash(one) == joblib.hash(other), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_netcdf_gives_back_every_field(tmp_path: Path, dtype: type) -> None:
    """Activity in its precision, gaps, times, labels, ids, and that it is counts."""
    recording = counted(dtype)
    recording.to_netcdf(tmp_path / "new folder" / "a recording.nc")
    found = Recording.from_netcdf(str(tmp_path / "new folder" / "a recording.nc"))
    assert_same(found, recording)
    assert not found.observed[0, 5:].any()
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["a recording.nc"]


@pytest.mark.parametrize(
    "condition",
    [
        np.array(["né", "", "a longer one"] * 2),
        np.array(list("abcabc"), dtype="<U9"),  # as of a recording that lost its longest label
        np.array(list("abcabc"), dtype=object),
        np.array([b"a", b"bc", b"d"] * 2),
        np.array([0.1, 2 * np.pi, -np.inf] * 2),
        np.array([0.1, 2.5, 3.5] * 2, np.float32),
        np.array([-3, 2, 1] * 2, np.int8),
        np.array([2**63 + 1, 2, 1] * 2, np.uint64),
        np.array([1, 2, 3] * 2, ">i4"),
        np.array([True, False, True] * 2),
    ],
    ids=lambda condition: condition.dtype.str,
)
def test_netcdf_keeps_the_type_of_labels(tmp_path: Path, condition: np.ndarray) -> None:
    """Text of any width, whole numbers, fractions and truth values stay what they are."""
    recording = Recording(counted().activity, time=counted().time, condition=condition)
    recording.to_netcdf(tmp_path / "a.nc")
    assert_same(Recording.from_netcdf(tmp_path / "a.nc"), recording)


@settings(max_examples=15)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(1, 4)),
    epoch=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    missing=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_netcdf_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, int, int],
    epoch: str,
    missing: float,
    seed: int,
) -> None:
    """Any recording comes back as it was."""
    rng = np.random.default_rng(seed)
    activity = rng.normal(size=shape)
    activity[rng.random(shape) < missing] = np.nan
    activity[0, 0, 0] = 1.0
    times = rng.normal() + 0.01 * np.arange(shape[1])
    recording = Recording(activity, time=times, epoch=[epoch] * shape[0])
    path = tmp_path_factory.mktemp("round") / "a.nc"
    recording.to_netcdf(path)
    assert_same(Recording.from_netcdf(path), recording)


def test_labels_that_netcdf_does_not_keep(tmp_path: Path) -> None:
    """Dates are refused before anything is written."""
    days = np.array(["2016-07-28", "2016-07-29"] * 3, dtype="datetime64[D]")
    recording = Recording(counted().activity, time=counted().time, condition=days)
    with pytest.raises(ValueError, match=r"condition holds datetime64.* text and numbers"):
        recording.to_netcdf(tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a changed file nor a partial one stays behind."""
    path = tmp_path / "a.nc"
    counted().to_netcdf(path)
    before = path.read_bytes()

    def interrupted(partial: Path, target: Path) -> None:
        assert Path(partial).parent == tmp_path
        assert Path(partial).stat().st_size > 0
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        counted(np.float32).to_netcdf(path)
    assert path.read_bytes() == before
    assert [other.name for other in tmp_path.iterdir()] == ["a.nc"]


def test_truncated_netcdf(tmp_path: Path) -> None:
    """Wherever it ends, the file is refused by name."""
    path, cut = tmp_path / "a.nc", tmp_path / "cut.nc"
    counted().to_netcdf(path)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.nc is no whole recording in NetCDF-4"):
            Recording.from_netcdf(cut)


def test_damaged_netcdf(tmp_path: Path) -> None:
    """A byte that changed within the activity fails its checksum."""
    path = tmp_path / "a.nc"
    noise = np.random.default_rng(0).normal(size=(100, 50, 4))
    Recording(noise, time=np.arange(50) / 10).to_netcdf(path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"a\.nc is no whole recording"):
        Recording.from_netcdf(path)


def test_files_that_are_no_netcdf(tmp_path: Path) -> None:
    """Text, an npz, another HDF5 file; and a file that is not there says so."""
    h5py = pytest.importorskip("h5py")
    (tmp_path / "text").write_text("trial,time,neuron\n" * 1000)
    np.savez(tmp_path / "npz", activity=np.zeros(3))
    with h5py.File(tmp_path / "hdf5", "w") as file:
        file["activity"] = np.zeros((2, 3, 4))
    for name in ("text", "npz.npz", "hdf5"):
        with pytest.raises(ValueError, match=f"{name} is no whole recording in NetCDF-4"):
            Recording.from_netcdf(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        Recording.from_netcdf(tmp_path / "absent.nc")


def written(path: Path, dataset: xr.Dataset) -> Path:
    """A NetCDF file of somebody else's making."""
    dataset.to_netcdf(path, engine="h5netcdf")
    return path


def test_netcdf_that_lacks_something(tmp_path: Path) -> None:
    """The error names what is missing and what is there."""
    whole = counted().data.assign_attrs(counts=1)
    path = tmp_path / "a.nc"
    for name in ("activity", "time", "condition", "epoch", "trial_id"):
        written(path, whole.drop_vars(name))
        with pytest.raises(ValueError, match=rf"a\.nc .* lacks {name}; it holds .*observed"):
            Recording.from_netcdf(path)
    written(path, whole.rename(activity="activities"))
    with pytest.raises(ValueError, match=r"lacks activity.* Did you mean 'activities'\?"):
        Recording.from_netcdf(path)
    written(path, whole.drop_attrs())
    with pytest.raises(ValueError, match="lacks the attribute counts"):
        Recording.from_netcdf(path)
    written(path, whole.rename(neuron="unit"))
    with pytest.raises(ValueError, match=r"dimensions \('trial', 'time', 'unit'\): they must be"):
        Recording.from_netcdf(path)
    written(path, whole.assign(activity=-whole["activity"]))
    with pytest.raises(ValueError, match=r"a\.nc is .*counts are whole and not negative"):
        Recording.from_netcdf(path)


def test_netcdf_of_others(tmp_path: Path) -> None:
    """Axes in another order, no `observed`; and an `observed` that says more than NaN."""
    recording = counted()
    whole = recording.data.assign_attrs(counts=1)
    turned = whole.drop_vars("observed").transpose("neuron", "trial", "time")
    assert_same(Recording.from_netcdf(written(tmp_path / "a.nc", turned)), recording)
    fewer = recording.observed.copy()
    fewer[:, :, 2] = False
    hidden = whole.assign(observed=(("trial", "time", "neuron"), fewer))
    found = Recording.from_netcdf(written(tmp_path / "b.nc", hidden))
    assert np.array_equal(found.observed, fewer)


def test_without_h5netcdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it."""
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    with pytest.raises(ImportError, match=r"pip install ltr-core\[data\]"):
        counted().to_netcdf(tmp_path / "a.nc")
    with pytest.raises(ImportError, match=r"pip install ltr-core\[data\]"):
        Recording.from_netcdf(tmp_path / "a.nc")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, save: Any) -> None:
    """Everything that a recording takes; two arrays suffice; a mask counts."""
    recording = counted()
    save(tmp_path / "a.npz", **arrays(recording))
    assert_same(load_npz(tmp_path / "a.npz"), recording)
    save(tmp_path / "a.npz", activity=np.abs(recording.activity) / 3, time=recording.time)
    least = load_npz(str(tmp_path / "a.npz"))
    assert (least.counts, least.epochs, least.conditions) == (False, ("all",), (0,))
    mask = np.ones(recording.activity.shape, bool)
    mask[2] = False
    save(tmp_path / "a.npz", **arrays(recording), mask=mask)
    assert load_npz(tmp_path / "a.npz").silent_trials.tolist() == [2]


def test_npz_with_wrong_names(tmp_path: Path) -> None:
    """What is missing, what is too much, and what may have been meant."""
    path, good = tmp_path / "a.npz", arrays(counted())
    np.savez(path, **{name: good[name] for name in ("activity", "epoch")})
    with pytest.raises(ValueError, match=r"a\.npz .* lacks time; it holds activity, epoch\."):
        load_npz(path)
    np.savez(path, **{k: v for k, v in good.items() if k != "time"}, times=good["time"])
    with pytest.raises(ValueError, match=r"lacks time; .* Did you mean 'times'\?"):
        load_npz(path)
    np.savez(path, activity=good["activity"], time=good["time"], conditions=good["condition"])
    with pytest.raises(ValueError, match=r"takes no 'conditions'.* Did you mean 'condition'\?"):
        load_npz(path)
    np.savez(path, **good | {"counts": [True, False]})
    with pytest.raises(ValueError, match=r"counts has shape \(2,\): it must be one True or"):
        load_npz(path)
    np.savez(path, **good | {"time": good["time"][:-1]})
    with pytest.raises(ValueError, match=r"a\.npz .*time has 7 values"):
        load_npz(path)


class Harm:
    """Raises when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('unpickled')",)


def test_npz_never_unpickles(tmp_path: Path) -> None:
    """Neither an array of objects nor a file that is a pickle."""
    path, good = tmp_path / "a.npz", arrays(counted())
    np.savez(path, **good | {"condition": np.array([Harm()] * 6)}, allow_pickle=True)
    with pytest.raises(ValueError, match=r"condition cannot be read .*astype\(str\)"):
        load_npz(path)
    path.write_bytes(pickle.dumps(Harm()))
    with pytest.raises(ValueError, match=r"a\.npz is no whole recording in npz"):
        load_npz(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_npz(tmp_path: Path, save: Any) -> None:
    """Truncated anywhere, one bit changed in the activity, or another kind of file."""
    path, cut = tmp_path / "a.npz", tmp_path / "cut.npz"
    save(path, **arrays(counted()))
    whole = path.read_bytes()
    for length in range(0, len(whole), 50):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.npz is no whole recording in npz"):
            load_npz(cut)
    damaged = bytearray(whole)
    damaged[250] ^= 1
    cut.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"cut\.npz is no whole recording in npz"):
        load_npz(cut)
    np.savez(path, activity=np.ones((6, 8, 5)), time=np.arange(8))
    cut.write_bytes(path.read_bytes().replace(b"(6, 8, 5)", b"(5, 8, 5)"))  # a trial less
    with pytest.raises(ValueError, match=r"activity\.npy fails its checksum"):
        load_npz(cut)
    np.save(tmp_path / "one.npy", counted().activity)
    with pytest.raises(ValueError, match=r"one\.npy is no whole recording in npz"):
        load_npz(tmp_path / "one.npy")
    with pytest.raises(FileNotFoundError):
        load_npz(tmp_path / "absent.npz")


def test_reading_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    """A file can be replaced after it was read, and one that is read only can be read."""
    path = tmp_path / "a.nc"
    counted().to_netcdf(path)
    path.chmod(0o444)
    first = recording_files.read_netcdf(path)
    counted(np.float32).to_netcdf(path)
    assert first.activity.dtype == np.float64
    assert recording_files.read_netcdf(path).activity.dtype == np.float32
