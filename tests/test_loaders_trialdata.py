"""TrialData files of both MATLAB formats: what is read, what is left out, what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from mat_files import Trials, write_v5, write_v73

from ltr_core.loaders.trialdata import load_trialdata

BIN, CUE = 0.02, 30  # s; the go cue's bin, counted from 1
KEPT = [0, 1, 3, 4, 7]
LENGTHS = [90, 75, 90, 95, 50, 90, 90, 90]
WRITERS = {"5": write_v5, "7.3": write_v73}
Write = Callable[[Path, dict[str, Any]], Path]


def trial_data() -> Trials:
    """Trials whose counts name their trial, bin and unit."""
    trials: Trials = []
    for k, length in enumerate(LENGTHS):
        at = np.arange(length)[:, None] - (CUE - 1) - k  # the cue is a bin later in each trial
        unit = np.arange(3)[None]
        trials.append(
            {
                "monkey": "C",
                "trial_id": float(k + 5),
                "result": "R",
                "epoch": ["BL", "AD", "WO"][k // 3],
                "target_direction": np.pi / 4 * (k % 4) + 1e-7 * k,
                "bin_size": BIN,
                "idx_target_on": 10.0,
                "idx_go_cue": float(CUE + k),
                "pos": np.zeros((length, 2)),
                "M1_spikes": (100.0 * (at + 100) + 10 * unit + k).astype(float),
                "PMd_spikes": np.full((length, 2), k, np.uint8),
            }
        )
    trials[2]["idx_go_cue"] = np.nan
    trials[5]["result"] = "F"
    trials[6]["target_direction"] = np.empty((0, 0))
    return trials


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Write:
    """Either format."""
    return WRITERS[request.param]


def test_read_without_options(tmp_path: Path, write: Write) -> None:
    """Rewarded trials in M1 around the go cue; text is read as text; ragged trials."""
    path = write(tmp_path / "Chewie_CO_FF.mat", {"trial_data": trial_data(), "note": "hello"})
    recording = load_trialdata(path)
    assert recording.activity.shape == (5, 75, 3)
    assert recording.counts
    assert recording.trial_id.tolist() == KEPT
    assert recording.epoch.tolist() == ["BL", "BL", "AD", "AD", "WO"]
    assert recording.conditions == pytest.approx((0, 0.785, 2.356))
    assert recording.condition_index.tolist() == [0, 1, 2, 0, 2]
    assert recording.time[[0, 25, -1]] == pytest.approx([-0.49, 0.01, 0.99])
    at, unit = np.arange(-25, 50)[:, None], np.arange(3)
    for row, trial in enumerate(KEPT):
        expected = 100.0 * (at + 100) + 10 * unit + trial
        past = at[:, 0] + CUE - 1 + trial >= LENGTHS[trial]
        expected[past] = np.nan
        assert np.array_equal(recording.activity[row], expected, equal_nan=True)
    assert (~recording.observed).any((1, 2)).tolist() == [False, True, False, True, False]


def test_bins_are_joined(tmp_path: Path, write: Write) -> None:
    """Counts add up in whole multiples of the file's bins; an edge stays at the event."""
    path = write(tmp_path / "a.mat", {"trial_data": trial_data()})
    fine = load_trialdata(path, before=0.2, after=0.3, bin=None)
    wide = load_trialdata(path, before=0.2, after=0.3, bin=0.1)
    assert wide.time == pytest.approx([-0.15, -0.05, 0.05, 0.15, 0.25])
    assert np.array_equal(wide.activity, fine.activity.reshape(5, 5, 5, 3).sum(2), equal_nan=True)
    for wrong in (0.03, 0.05):
        with pytest.raises(ValueError, match="multiple"):
            load_trialdata(path, before=0.3, after=0.3, bin=wrong)
    with pytest.raises(ValueError, match=r"before is 0\.3 s, .* no whole multiple"):
        load_trialdata(path, before=0.3, after=0.4, bin=0.2)


def test_other_areas_events_labels_and_outcomes(tmp_path: Path, write: Write) -> None:
    """By the names of fields."""
    path = write(tmp_path / "a.mat", {"trial_data": trial_data()})
    recording = load_trialdata(
        path,
        area="PMd",
        align="idx_target_on",
        before=0.1,
        after=0.2,
        condition="epoch",
        epoch=None,
        outcome="all",
    )
    assert recording.activity.shape == (8, 15, 2)
    assert (recording.activity == np.arange(8)[:, None, None]).all()
    assert recording.conditions == ("AD", "BL", "WO")
    assert recording.epochs == ("all",)
    assert load_trialdata(path, outcome="F", condition=None).conditions == (0,)


def test_the_labs_other_name_of_the_go_cue(tmp_path: Path, write: Write) -> None:
    """idx_goCueTime; without either the fields there are listed."""
    trials = trial_data()
    first = load_trialdata(write(tmp_path / "a.mat", {"td": trials}))
    for trial in trials:
        trial["idx_goCueTime"] = trial.pop("idx_go_cue")
    path = write(tmp_path / "b.mat", {"td": trials})
    assert np.array_equal(load_trialdata(path).activity, first.activity, equal_nan=True)
    for trial in trials:
        del trial["idx_goCueTime"]
    path = write(tmp_path / "c.mat", {"td": trials})
    with pytest.raises(ValueError, match=r"neither of idx_go_cue, .* There is idx_target_on\."):
        load_trialdata(path)


def test_one_trial_and_one_neuron(tmp_path: Path, write: Write) -> None:
    """A single struct is no array of references, and one unit's counts are still a matrix."""
    trial = trial_data()[0]
    trial["M1_spikes"] = trial["M1_spikes"][:, :1]
    recording = load_trialdata(write(tmp_path / "a.mat", {"trial_data": [trial]}))
    assert recording.activity.shape == (1, 75, 1)
    assert recording.activity[0, 25, 0] == 10_000


def test_smoothed_spikes_are_rates(tmp_path: Path, write: Write) -> None:
    """Whoever smooths TrialData leaves the field's name as it is."""
    trials = trial_data()
    for trial in trials:
        trial["M1_spikes"] = trial["M1_spikes"] / 7
    assert not load_trialdata(write(tmp_path / "a.mat", {"trial_data": trials})).counts


def test_which_variable(tmp_path: Path, write: Write) -> None:
    """Several struct arrays: the name is asked for; one that is none is refused."""
    good, other = trial_data(), [{"a": 1.0}, {"a": 2.0}]
    path = write(tmp_path / "a.mat", {"trial_data": good, "params": other, "note": "x"})
    assert load_trialdata(path, name="trial_data").n_trials == 5
    for name, message in (
        (None, r"several struct arrays: pass name\. There are (trial_data|params), "),
        ("trial_dat", r"'trial_dat' is not there.*Did you mean 'trial_data'\?"),
        ("note", "'note' is no struct array"),
        ("params", r"neither of idx_go_cue, idx_goCueTime"),
    ):
        with pytest.raises(ValueError, match=message):
            load_trialdata(path, name=name)
    path = write(tmp_path / "b.mat", {"note": "x", "numbers": np.zeros((2, 2))})
    with pytest.raises(
        ValueError, match=r"has no struct array\. Of variables: There are note, numbers"
    ):
        load_trialdata(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"area": "S1"}, r"no field 'S1_spikes'\. Of areas: There are M1, PMd\."),
        ({"align": "idx_gocue"}, r"no field 'idx_gocue'.*Did you mean 'idx_go_cue'\?"),
        ({"align": "result"}, "result holds text"),
        ({"condition": "tgtDir"}, "no field 'tgtDir'.*target_direction"),
        ({"condition": "pos"}, r"pos of trial 0 has shape \(90, 2\)"),
        ({"epoch": "epochs"}, r"no field 'epochs'.*Did you mean 'epoch'\?"),
        ({"outcome": "A"}, r"No trial has outcome 'A' in result\. There are F, R\."),
        ({"before": 0.51}, r"before is 0\.51 s"),
    ],
)
def test_options_that_do_not_fit_the_file(
    tmp_path: Path, write: Write, options: dict[str, Any], message: str
) -> None:
    """What is there is listed, and the nearest suggested."""
    path = write(tmp_path / "a.mat", {"trial_data": trial_data()})
    with pytest.raises(ValueError, match=message):
        load_trialdata(path, **options)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("bin_size", 5), 0.01, r"bin_size is 0\.01, 0\.02 s: it must be the same in every trial"),
        (("bin_size", 5), np.nan, r"bin_size is 0\.02, nan s"),
        (("idx_go_cue", 3), 0.0, "The event of trial 3 is bin 0 of 95"),
        (("idx_go_cue", 3), 96.0, "The event of trial 3 is bin 96 of 95"),
        (("idx_go_cue", 3), 3.5, r"The event of trial 3 is bin 3\.5 of 95"),
        (("idx_go_cue", 3), np.array([[3.0, 4.0]]), r"idx_go_cue of trial 3 has shape \(1, 2\)"),
        (("M1_spikes", 4), np.zeros((50, 2)), "M1_spikes has 2 units in trial 4 and 3 in trial 0"),
        (("M1_spikes", 0), "none", "M1_spikes of trial 0 is no matrix"),
        (("M1_spikes", 1), np.full((80, 3), np.inf), "it must be finite"),
        (("epoch", 1), 3.0, "epoch is text, but not in trial 1"),
        (("result", 1), 3.0, "result is text, but not in trial 1"),
    ],
)
def test_trials_that_do_not_fit(
    tmp_path: Path, write: Write, place: tuple[str, int], value: Any, message: str
) -> None:
    """The trial is named by its place in the file."""
    trials, (field, trial) = trial_data(), place
    trials[trial][field] = value
    path = write(tmp_path / "a.mat", {"trial_data": trials})
    with pytest.raises(ValueError, match=message):
        load_trialdata(path)


def test_trials_without_an_epoch_are_left_out(tmp_path: Path, write: Write) -> None:
    """Empty text, or MATLAB's empty matrix instead of it."""
    trials = trial_data()
    trials[0]["epoch"], trials[3]["epoch"] = "", np.empty((0, 0))
    path = write(tmp_path / "a.mat", {"trial_data": trials})
    assert load_trialdata(path).trial_id.tolist() == [1, 4, 7]


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_truncated_files(tmp_path: Path, write: Write, share: float) -> None:
    """A download that broke off, early or late."""
    path = write(tmp_path / "a.mat", {"trial_data": trial_data()})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"a\.mat is not a readable MATLAB file, or is damaged"):
        load_trialdata(path)


def test_files_of_another_kind(tmp_path: Path) -> None:
    """Text, nothing, and HDF5 without MATLAB's classes."""
    path = tmp_path / "a.mat"
    for content in (b"", b"text" * 100):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a readable MATLAB file"):
            load_trialdata(path)
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(ValueError, match="has no struct array"):
        load_trialdata(path)
    with pytest.raises(FileNotFoundError, match=r"none\.mat does not exist"):
        load_trialdata(tmp_path / "none.mat")
