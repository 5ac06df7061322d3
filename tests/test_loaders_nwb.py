"""NWB files, as DANDI:000688 has them: what is read, what is left out, what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynwb
import pytest

from ltr_core.loaders.labels import as_conditions
from ltr_core.loaders.nwb import load_nwb

AREAS = {"M1": "Primary Motor Cortex", "PMd": "Dorsal Premotor Cortex"}
DIRECTIONS = [0, 1, 2, 0, 1, 2, 0, 2]
TRIALS: list[dict[str, Any]] = [
    {
        "start_time": 2.0 * k,
        "stop_time": 2.0 * k + 2,
        "target_on_time": 2 * k + 0.25,
        "go_cue_time": 2 * k + 0.75,
        "target_dir": np.pi / 4 * DIRECTIONS[k] + 1e-6 * k,  # as different as rounding makes them
        "result": "R",
    }
    for k in range(8)
]
TRIALS[2] |= {"result": "A", "go_cue_time": np.nan, "target_dir": np.nan}
TRIALS[5] |= {"result": "F"}
TRIALS[6] |= {"go_cue_time": np.nan}
KEPT = [0, 1, 3, 4, 7]
CUES = np.array([2 * k + 0.75 for k in range(8)])
# Unit u has u + 1 spikes 0.12 s after each cue, and the last unit one before it.
SPIKES = [np.sort(np.repeat(CUES + 0.12, u + 1)) for u in range(3)] + [CUES - 0.33]
UNIT_AREAS = ["M1", "PMd", "PMd", "M1"]


def write(
    path: Path,
    *,
    trials: list[dict[str, Any]] = TRIALS,
    spikes: list[np.ndarray] = SPIKES,
    intervals: list[np.ndarray] | None = None,
    electrodes: bool = True,
) -> Path:
    """A file in the structure of DANDI:000688."""
    nwb = pynwb.NWBFile("session", "id", datetime(2013, 10, 3, tzinfo=UTC))
    if electrodes:
        device = nwb.create_device(name="array")
        for area, location in AREAS.items():
            group = nwb.create_electrode_group(
                name=area, description="array", location=location, device=device
            )
            for _ in range(4):
                nwb.add_electrode(location=location, group=group)
    for name in list(trials[0])[2:] if trials else []:
        nwb.add_trial_column(name, name)
    for trial in trials:
        nwb.add_trial(**trial)
    for unit, times in enumerate(spikes):
        more: dict[str, Any] = {}
        if electrodes:
            more["electrodes"] = [unit + 4 * (UNIT_AREAS[unit] == "PMd")]
        if intervals is not None:
            more["obs_intervals"] = intervals[unit]
        nwb.add_unit(spike_times=times, id=10 + unit, **more)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(nwb)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file as it should be."""
    return write(tmp_path_factory.mktemp("nwb") / "a session.nwb")


def changed(**columns: list[Any]) -> list[dict[str, Any]]:
    """The trials with other columns, or more."""
    return [
        {**trial, **{name: values[k] for name, values in columns.items()}}
        for k, trial in enumerate(TRIALS)
    ]


def test_read_without_options(file: Path) -> None:
    """Rewarded trials around the go cue, conditions by direction, gaps in trial_id."""
    recording = load_nwb(file)
    assert recording.activity.shape == (5, 30, 4)
    assert recording.trial_id.tolist() == KEPT
    assert recording.counts
    assert recording.conditions == pytest.approx((0, 0.785, 1.571))
    assert recording.condition_index.tolist() == [0, 1, 0, 1, 2]
    assert recording.epochs == ("all",)
    assert recording.time[[0, -1]] == pytest.approx([-0.475, 0.975])
    at = int(np.argmin(abs(recording.time - 0.125)))
    assert recording.observed.all()
    assert (recording.activity[:, at] == [1, 2, 3, 0]).all()
    assert recording.activity.sum() == 5 * 7
    assert recording.activity[:, int(np.argmin(abs(recording.time + 0.325))), 3].sum() == 5


def test_bins_beyond_the_trial_belong_to_the_next(file: Path) -> None:
    """A window longer than the trial: NaN, and no spike twice."""
    recording = load_nwb(file, before=1.0, after=1.5, bin=0.25)
    seen = recording.observed[0, :, 0]
    assert recording.time[seen][[0, -1]] == pytest.approx([-0.625, 1.125])
    assert np.nansum(recording.activity) == 5 * 7


@pytest.mark.parametrize(
    ("area", "units"), [("Primary Motor Cortex", [0, 3]), ("Dorsal Premotor Cortex", [1, 2])]
)
def test_units_of_a_region(file: Path, area: str, units: list[int]) -> None:
    """By the location of each unit's electrode."""
    everywhere, there = load_nwb(file), load_nwb(file, region=area)
    assert np.array_equal(there.activity, everywhere.activity[..., units])


def test_columns_by_name(tmp_path: Path) -> None:
    """Another event, condition, epoch and outcome; a trial without an epoch is left out."""
    epochs = ["BL"] * 3 + ["AD"] * 4 + [""]
    path = write(tmp_path / "a.nwb", trials=changed(epoch=epochs, hand=["left", "right"] * 4))
    recording = load_nwb(
        path, align="target_on_time", before=0.25, condition="hand", outcome="all", after=0.75
    )
    assert recording.trial_id.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert recording.conditions == ("left", "right")
    assert recording.epoch.tolist() == epochs[:7]
    at = int(np.argmin(abs(recording.time - 0.625)))
    assert (recording.activity[:, at, 2] == 3).all()
    assert load_nwb(path, outcome="F").trial_id.tolist() == [5]
    assert load_nwb(path, epoch="hand").epochs == ("left", "right")


def test_other_files_than_that_data_set(tmp_path: Path) -> None:
    """Without results, directions and electrodes: every trial, one condition."""
    trials = [
        {"start_time": t["start_time"], "stop_time": t["stop_time"], "cue": cue}
        for t, cue in zip(TRIALS, CUES.tolist(), strict=True)
    ]
    path = write(tmp_path / "a.nwb", trials=trials, electrodes=False)
    with pytest.raises(ValueError, match=r"no column 'go_cue_time': name the one to align to"):
        load_nwb(path)
    recording = load_nwb(path, align="cue")
    assert recording.n_trials == 8
    assert recording.conditions == (0,)
    with pytest.raises(ValueError, match="region: the units have no column 'electrodes'"):
        load_nwb(path, align="cue", region="M1")


def test_one_trial_and_one_neuron(tmp_path: Path) -> None:
    """The least there can be."""
    path = write(tmp_path / "a.nwb", trials=TRIALS[:1], spikes=SPIKES[:1])
    recording = load_nwb(path)
    assert recording.activity.shape == (1, 30, 1)
    assert recording.activity.sum() == 1


def test_a_unit_that_never_fired_and_one_not_always_observed(tmp_path: Path) -> None:
    """No spikes is zeros; not observed is NaN."""
    spikes = [np.array([]), SPIKES[0]]
    intervals = [np.array([[0.0, 16.0]]), np.array([[0.0, 3.0], [3.0, 8.0]])]
    recording = load_nwb(write(tmp_path / "a.nwb", spikes=spikes, intervals=intervals))
    assert (recording.activity[..., 0] == 0).all()
    assert recording.observed[..., 1].all(1).tolist() == [True, True, True, False, False]
    assert not recording.observed[3:, :, 1].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"align": "go_cue"}, r"align: .*no column 'go_cue'.*Did you mean 'go_cue_time'\?"),
        ({"align": "result"}, "align: result holds .*it must hold times"),
        ({"condition": "target"}, "condition: .*'target'.*start_time, stop_time, target_on_time"),
        ({"epoch": "block"}, "epoch: the trials have no column 'block'"),
        ({"region": "primary motor"}, r"No unit is in .*Did you mean 'Primary Motor Cortex'\?"),
        ({"outcome": "S"}, r"No trial has outcome 'S' in result\. There are A, F, R\."),
        ({"outcome": "A"}, r"No trial is left: 1 of 8 have the outcome; align is known of 0"),
        ({"bin": 0.4}, r"before is 0\.5 s"),
    ],
)
def test_options_that_do_not_fit_the_file(
    file: Path, options: dict[str, Any], message: str
) -> None:
    """What is there is listed, and the nearest suggested."""
    with pytest.raises(ValueError, match=message):
        load_nwb(file, **options)


def test_conditions_are_few(tmp_path: Path) -> None:
    """A continuous direction is refused, densely or sparsely sampled."""
    rng = np.random.default_rng(0)
    for n_trials, message in ((40, "has 39 values in 40 trials"), (3000, "is continuous")):
        trials = [
            TRIALS[0]
            | {"start_time": 2.0 * k, "stop_time": 2.0 * k + 2, "go_cue_time": 2.0 * k + 1}
            | {"target_dir": rng.uniform(0, 1 if n_trials > 100 else 6)}
            for k in range(n_trials)
        ]
        path = write(tmp_path / f"{n_trials}.nwb", trials=trials, spikes=SPIKES[:1])
        with pytest.raises(ValueError, match=f"condition: target_dir {message}"):
            load_nwb(path)


def test_rounding_does_not_part_a_condition() -> None:
    """Numbers on both sides of half a thousandth are one; minus zero is zero."""
    labels = as_conditions(np.array([0.7854999, 0.7855001, -1e-9, 0.0, -0.786]), "target_dir")
    assert labels[0] == labels[1] == pytest.approx(0.7855, abs=6e-4)
    assert str(labels[2]) == str(labels[3]) == "0.0"
    assert labels[4] == -0.786
    assert as_conditions(np.array([3, 1, 2]), "target_id").tolist() == [3, 1, 2]


def remove(name: str) -> Callable[[Path], object]:
    """A file without one of its parts."""

    def change(path: Path) -> None:
        with h5py.File(path, "r+") as opened:
            del opened[name]

    return change


def put(name: str, at: int, value: float) -> Callable[[Path], object]:
    """A file with one number changed."""

    def change(path: Path) -> None:
        with h5py.File(path, "r+") as opened:
            opened[name][at] = value

    return change


def keep_half(path: Path) -> None:
    """A download that broke off."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def another_hdf5(path: Path) -> None:
    """HDF5, but not NWB."""
    with h5py.File(path, "w") as opened:
        opened["x"] = 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (keep_half, "is not a readable NWB file.*truncated"),
        (lambda path: path.write_bytes(b"text"), "is not a readable NWB file"),
        (another_hdf5, "is not an NWB file, or is damaged: Missing NWB version"),
        (remove("intervals/trials"), "has no trials"),
        (
            remove("intervals/trials/start_time"),
            r"trials lacks start_time\. There are go_cue",
        ),
        (remove("intervals/trials/go_cue_time"), "trials lacks go_cue_time"),
        (remove("units"), "has no units"),
        (remove("units/spike_times"), "units lacks spike_times"),
        (put("units/spike_times", 1, 0.1), r"spike 1 of unit 10 is at 0\.1 s, which is before"),
        (put("units/spike_times", 9, -2.0), r"spike 1 of unit 11 is at -2 s, which is negative"),
        (put("units/spike_times", 10, np.nan), "spike 2 of unit 11 is at nan s"),
        (put("units/spike_times_index", -1, 30), "spike_times are damaged"),
        (put("intervals/trials/start_time", 4, 7.0), "Trials overlap.* at place 2 stops at 8 s"),
        (put("intervals/trials/go_cue_time", 1, 9.0), "its event is outside it"),
    ],
)
def test_damaged_files(
    tmp_path: Path, file: Path, damage: Callable[[Path], object], message: str
) -> None:
    """A ValueError that says what is wrong, whatever the libraries below raise."""
    path = tmp_path / "damaged.nwb"
    path.write_bytes(file.read_bytes())
    damage(path)
    with pytest.raises(ValueError, match=message):
        load_nwb(path)


def test_columns_that_cannot_be_labels(tmp_path: Path) -> None:
    """Several values for each trial, in a list or a matrix."""
    lists = [[1.0, 2.0], [3.0]] * 4
    path = write(tmp_path / "a.nwb", trials=changed(corners=[[0.0, 1.0]] * 8))
    with pytest.raises(ValueError, match=r"condition: corners has shape \(8, 2\)"):
        load_nwb(path, condition="corners")
    nwb = pynwb.NWBFile("session", "id", datetime(2013, 10, 3, tzinfo=UTC))
    nwb.add_trial_column("cues", "cues", index=True)
    for trial, cues in zip(TRIALS, lists, strict=True):
        nwb.add_trial(trial["start_time"], trial["stop_time"], cues=cues)
    nwb.add_unit(spike_times=SPIKES[0])
    with pynwb.NWBHDF5IO(str(tmp_path / "b.nwb"), "w") as io:
        io.write(nwb)
    with pytest.raises(ValueError, match="align: cues has a list for each trial"):
        load_nwb(tmp_path / "b.nwb", align="cues")


def test_without_the_package(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How to install it is said."""
    monkeypatch.setitem(__import__("sys").modules, "pynwb", None)
    with pytest.raises(ImportError, match=r"pip install ltr-core\[data\]"):
        load_nwb(file)
