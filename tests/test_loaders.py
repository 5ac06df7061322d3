"""One call for every format."""

from pathlib import Path

import numpy as np
import pytest
from mat_files import write_v5

from ltr_core.loaders import LOADERS, load
from ltr_core.recordings import Recording

TIME = 0.1 * np.arange(4) + 0.05


@pytest.fixture
def recording() -> Recording:
    """Counts that name their place."""
    trial, time, neuron = np.indices((3, 4, 2))
    return Recording(100 * trial + 10 * time + neuron, time=TIME, counts=True)


def test_each_suffix_has_its_loader(tmp_path: Path, recording: Recording) -> None:
    """The same recording from three formats; NWB's is in its own tests. Suffixes in any case."""
    np.savez(tmp_path / "a.npz", activity=recording.activity, time=TIME, counts=True)
    recording.to_netcdf(tmp_path / "a.nc")
    trials = [
        {"result": "R", "bin_size": 0.1, "idx_go_cue": 1.0, "M1_spikes": counts}
        for counts in recording.activity
    ]
    write_v5(tmp_path / "a.MAT", {"trial_data": trials})
    options = {"before": 0.0, "after": 0.4, "condition": None, "epoch": None}
    for name, given in (("a.npz", {}), ("a.nc", {}), ("a.MAT", options)):
        loaded = load(tmp_path / name, **given)
        assert np.array_equal(loaded.activity, recording.activity), name
        assert loaded.time == pytest.approx(TIME)
        assert loaded.counts
    (tmp_path / "a.nwb").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"a\.nwb is not a readable NWB file"):
        load(tmp_path / "a.nwb")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.npy", r"suffix '\.npy'. Loaded are \.nwb, \.mat, \.npz, \.nc\. Did you mean '\.npz'\?"),
        ("a.xlsx", r"suffix '\.xlsx'. Loaded are"),
        ("a", "suffix ''"),
    ],
)
def test_suffixes_that_are_not_known(name: str, message: str) -> None:
    """Those that are known are listed, whether the file is there or not."""
    with pytest.raises(ValueError, match=message):
        load(name)


@pytest.mark.parametrize(
    ("suffix", "option", "message"),
    [
        (".nwb", "algin", r"load_nwb does not take 'algin'; it takes align, .*mean 'align'\?"),
        (".mat", "region", "load_trialdata does not take 'region'; it takes name, area,"),
        (".npz", "bin", r"load_npz does not take 'bin'; it takes no options\."),
        (".npz", "condition", "no options. The file itself names it: an array condition, one"),
        (".nc", "bin", r"Recording\.from_netcdf does not take 'bin'; it takes no options\."),
    ],
)
def test_options_that_the_loader_does_not_take(suffix: str, option: str, message: str) -> None:
    """Those that it takes are listed."""
    with pytest.raises(ValueError, match=message):
        load(f"a{suffix}", **{option: 1})


@pytest.mark.parametrize("suffix", LOADERS)
def test_files_that_are_not_there(tmp_path: Path, suffix: str) -> None:
    """Also a folder by that name."""
    with pytest.raises(FileNotFoundError, match="does not exist: give the path"):
        load(tmp_path / f"a{suffix}")
    (tmp_path / f"b{suffix}").mkdir()
    with pytest.raises(FileNotFoundError, match="is a folder"):
        load(str(tmp_path / f"b{suffix}"))


class Trap:
    """Runs code when it is unpickled."""

    sprung = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return spring, ()


def spring() -> None:
    """What must not run."""
    Trap.sprung = True


def test_a_pickle_in_an_npz_is_not_opened(tmp_path: Path) -> None:
    """Files of strangers must not run code."""
    path = tmp_path / "a.npz"
    np.savez(path, activity=np.array([Trap()], dtype=object), time=TIME)
    with pytest.raises(ValueError, match=r"a\.npz"):
        load(path)
    assert not Trap.sprung
    np.load(path, allow_pickle=True)["activity"]
    assert Trap.sprung  # the trap works


def test_a_truncated_npz(tmp_path: Path, recording: Recording) -> None:
    """A clear error, whatever zip says."""
    path = tmp_path / "a.npz"
    np.savez(path, activity=recording.activity, time=TIME)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ValueError, match=r"a\.npz"):
        load(path)
