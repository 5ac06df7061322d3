"""Grids: the table, failures, what is kept and not repeated, parallel fits, the chosen setting."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dask.sizeof
import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from distributed import Client, LocalCluster
from hypothesis import assume, given
from hypothesis import strategies as st

from ltr_core.estimators import Estimator
from ltr_core.held_out import HeldOut, held_out_blocks
from ltr_core.model_selection import cross_validate, grid_search, one_standard_error
from ltr_core.model_selection.cells import Shared
from ltr_core.recordings import Recording

#: Small enough that a test block does not cover a neuron.
TIMES = (np.arange(8) * 0.1).tolist()


@dataclass
class Shrunken(Estimator):
    """Each neuron's mean over the training entries, shrunken, plus noise of a seed."""

    accepts_counts = True

    shrinkage: float | None = 0.0
    seed: int = 0
    #: Shrinkages at which the fit fails.
    failing: tuple[float, ...] = ()
    #: A file that gets a line from every fit.
    log: str = ""
    #: "raise" or "swallow" a Ctrl-C at the shrinkage 0.5, or nothing.
    interrupt: str = ""
    #: A setting that `fit` changes, as it should not.
    changed: list[int] = field(default_factory=list)

    def fit(self, recording: Recording, train: np.ndarray | None = None) -> "Shrunken":
        if self.log:
            with open(self.log, "a", encoding="utf-8") as log:
                threads, place = torch.get_num_threads(), type(recording.activity).__name__
                log.write(f"{self.shrinkage} {self.seed} {threads} {place} {os.getpid()}\n")
        if self.shrinkage in self.failing:
            raise ValueError(f"no fit at {self.shrinkage}")
        if self.interrupt and self.shrinkage == 0.5:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                if self.interrupt == "raise":
                    raise
        self.changed.append(1)
        fitted = recording.observed if train is None else recording.observed & train
        sums = np.where(fitted, recording.activity, 0).sum((0, 1))
        noise = 0.01 * np.random.default_rng(self.seed).random(recording.n_neurons)
        self.means_ = (1 - (self.shrinkage or 0)) * sums / fitted.sum((0, 1)) + noise
        self.shape_ = recording.activity.shape
        return self

    def predict(self) -> np.ndarray:
        return np.broadcast_to(self.means_, self.shape_)


def a_recording(n_trials: int = 12, n_neurons: int = 6, seed: int = 0) -> Recording:
    rng = np.random.default_rng(seed)
    means = rng.uniform(1, 5, n_neurons)
    noise = rng.normal(size=(n_trials, len(TIMES), n_neurons))
    return Recording(means + 0.5 * noise, time=TIMES)


def random_fold(recording: Recording, seed: int) -> HeldOut:
    test = np.random.default_rng(seed).random(recording.activity.shape) < 0.2
    return HeldOut(test, ~test)


RECORDING = a_recording()
FOLDS = [random_fold(RECORDING, seed) for seed in (0, 1)]


def fits(log: Path) -> list[list[str]]:
    """Shrinkage, seed, threads, type of the array and process of every fit in a log."""
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def same_table(first: pd.DataFrame, second: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(first.drop(columns="seconds"), second.drop(columns="seconds"))


def test_each_row_is_the_score_of_a_fit_without_the_held_out_entries():
    grid = {"shrinkage": [0.0, 0.4], "seed": [1, 2, 3]}
    results = grid_search(Shrunken(), RECORDING, grid, folds=FOLDS, metric="nmse")
    expected = [
        (
            shrinkage,
            seed,
            number,
            model.fit(RECORDING, fold.train).score(RECORDING, fold.test, "nmse"),
        )
        for shrinkage in (0.0, 0.4)
        for seed in (1, 2, 3)
        for number, fold in enumerate(FOLDS)
        for model in [Shrunken(shrinkage, seed)]
    ]
    found = results[["shrinkage", "seed", "fold", "score"]].itertuples(index=False, name=None)
    assert list(found) == expected
    assert list(results) == ["shrinkage", "seed", "fold", "score", "metric", "seconds", "error"]
    assert set(results["metric"]) == {"nmse"}
    assert results["error"].tolist() == [None] * 12
    assert (results["seconds"] > 0).all()
    assert results["score"].nunique() == 12


def test_cross_validation_is_a_grid_of_one_and_holds_out_other_blocks_in_each_fold():
    recording = a_recording(n_trials=40, n_neurons=15)
    results = cross_validate(Shrunken(), recording, folds=3, seed=7)
    assert list(results) == ["fold", "score", "metric", "seconds", "error"]
    folds = [held_out_blocks(recording, seed=7 + number) for number in range(3)]
    same_table(results, cross_validate(Shrunken(), recording, folds=folds))
    assert results["score"].nunique() == 3
    assert set(results["metric"]) == {"r2"}


def test_counts_are_scored_in_bits_per_spike():
    counts = np.random.default_rng(0).poisson(2.0, RECORDING.activity.shape)
    recording = Recording(counts, time=TIMES, counts=True)
    assert cross_validate(Shrunken(), recording, folds=FOLDS)["metric"].unique() == "bits_per_spike"


def test_the_callers_objects_stay_as_they_are():
    model = Shrunken(0.2, changed=[]).fit(RECORDING)
    before = (model.means_.copy(), list(model.changed), joblib.hash(RECORDING.activity))
    grid = {"shrinkage": [0.0, 0.4]}
    grid_search(model, RECORDING, grid, folds=FOLDS)
    np.testing.assert_array_equal(model.means_, before[0])
    assert (model.shrinkage, model.changed) == (0.2, before[1])
    assert joblib.hash(RECORDING.activity) == before[2]
    assert grid == {"shrinkage": [0.0, 0.4]}


def test_values_become_plain_python_and_none_stays_none():
    grid = {"shrinkage": [None, 0.1], "seed": np.arange(2)}
    results = grid_search(Shrunken(), RECORDING, grid, folds=FOLDS[:1])
    assert results["shrinkage"].tolist() == [None, None, 0.1, 0.1]
    assert results["seed"].tolist() == [0, 1, 0, 1]


def test_a_fit_that_fails_keeps_its_error_and_the_others_go_on():
    grid = {"shrinkage": [0.0, 0.3, 0.6]}
    results = grid_search(Shrunken(failing=(0.3,)), RECORDING, grid, folds=FOLDS)
    failed = results["shrinkage"] == 0.3
    assert results["error"][failed].tolist() == ["ValueError: no fit at 0.3"] * 2
    assert results["score"].isna().tolist() == failed.tolist()
    same_table(
        results[~failed].reset_index(drop=True),
        grid_search(Shrunken(), RECORDING, {"shrinkage": [0.0, 0.6]}, folds=FOLDS),
    )


def test_if_all_fits_fail_the_first_error_is_raised():
    model = Shrunken(failing=(0.3, 0.6))
    with pytest.raises(RuntimeError, match=r"All 4 .* shrinkage=0.6, fold 0, .*no fit at 0.6"):
        grid_search(model, RECORDING, {"shrinkage": [0.6, 0.3]}, folds=FOLDS)


def test_a_score_that_is_not_finite_is_an_error():
    results = grid_search(Shrunken(), RECORDING, {"shrinkage": [0.0, np.inf]}, folds=FOLDS[:1])
    assert results["error"][0] is None
    assert "NaN or infinity" in results["error"][1]


# ---------------------------------------------------------------- in parallel


@pytest.fixture(scope="module")
def large() -> tuple[Recording, list[HeldOut]]:
    """A recording above the size from which joblib maps arrays into the workers' memory."""
    recording = a_recording(n_trials=300, n_neurons=60)
    return recording, [random_fold(recording, seed) for seed in (0, 1)]


GRID = {"shrinkage": [0.0, 0.3, 0.6], "seed": [0, 1]}


def test_in_two_processes_the_table_is_the_same_and_the_recording_is_not_copied(large, tmp_path):
    recording, folds = large
    log = tmp_path / "log"
    model = Shrunken(failing=(0.3,), log=str(log))
    alone = grid_search(model, recording, GRID, folds=folds)
    assert {(threads, place) for _, _, threads, place, _ in fits(log)} == {("1", "ndarray")}
    log.unlink()
    same_table(alone, grid_search(model, recording, GRID, folds=folds, n_jobs=2))
    assert {(threads, place) for _, _, threads, place, _ in fits(log)} == {("1", "memmap")}
    assert len(fits(log)) == 12
    assert str(os.getpid()) not in {process for *_, process in fits(log)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = str(tmp_path_factory.mktemp("dask"))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=folder
        ) as local,
        Client(local) as client,
    ):
        yield client


def test_on_a_dask_cluster_of_two_workers_the_table_is_the_same(large, cluster, tmp_path):
    recording, folds = large
    log = tmp_path / "log"
    model = Shrunken(failing=(0.3,), log=str(log))
    with joblib.parallel_config("dask"):
        spread = grid_search(model, recording, GRID, folds=folds, folder=tmp_path / "kept")
    workers = {str(pid) for pid in cluster.run(os.getpid).values()}
    assert len(workers) == 2
    assert {process for *_, process in fits(log)} <= workers
    assert len(fits(log)) == 12
    assert {threads for _, _, threads, *_ in fits(log)} == {"1"}
    assert len(list((tmp_path / "kept").iterdir())) == 8
    same_table(spread, grid_search(model, recording, GRID, folds=folds))


def test_dask_sees_the_size_of_what_all_fits_share(large):
    recording, folds = large
    shared = Shared(Shrunken(), recording, folds, "r2")
    assert dask.sizeof.sizeof(shared) > recording.activity.nbytes + folds[0].test.nbytes


def test_threads_are_one_within_a_fit_and_the_callers_own_afterwards(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        cross_validate(Shrunken(log=str(tmp_path / "log")), RECORDING, folds=FOLDS)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert [threads for _, _, threads, *_ in fits(tmp_path / "log")] == ["1", "1"]


# ---------------------------------------------------------------- what is kept


def test_finished_fits_are_not_repeated_and_failed_ones_are(tmp_path):
    log, folder = tmp_path / "log", tmp_path / "some" / "folder"
    model = Shrunken(failing=(0.3,), log=str(log))
    grid = {"shrinkage": [0.0, 0.3]}
    first = grid_search(model, RECORDING, grid, folds=FOLDS, folder=folder)
    log.unlink()
    again = grid_search(model, RECORDING, grid, folds=FOLDS, folder=str(folder))
    same_table(first, again)
    assert again["seconds"][:2].tolist() == first["seconds"][:2].tolist()
    assert [line[0] for line in fits(log)] == ["0.3", "0.3"]
    log.unlink()
    wider = {"shrinkage": [0.6, 0.0], "seed": [0]}
    found = grid_search(model, RECORDING, wider, folds=FOLDS[::-1], folder=folder)
    assert [line[0] for line in fits(log)] == ["0.6", "0.6"]
    assert found["score"][2:].tolist() == first["score"][1::-1].tolist()
    names = [path.name for path in folder.iterdir()]
    assert len(names) == 4
    assert all(name.endswith(".json") for name in names)
    content = json.loads(next(folder.iterdir()).read_text())
    assert content["model"].endswith("Shrunken")
    assert content["settings"]["log"] == str(log)


@dataclass
class OtherModel(Shrunken):
    """A model with the same settings."""


def test_nothing_is_taken_from_another_recording_fold_model_setting_or_metric(tmp_path):
    changed = RECORDING.activity.copy()
    changed[3, 2, 1] += 1e-9
    later = np.arange(12.0) + (np.arange(12) > 5)
    others = [
        (Shrunken(), RECORDING, FOLDS[0], "nmse"),
        (Shrunken(0.1), RECORDING, FOLDS[0], "r2"),
        (OtherModel(), RECORDING, FOLDS[0], "r2"),
        (Shrunken(), RECORDING, FOLDS[1], "r2"),
        (Shrunken(), RECORDING, HeldOut(FOLDS[0].test, FOLDS[0].train & FOLDS[1].train), "r2"),
        (Shrunken(), Recording(changed, time=TIMES), FOLDS[0], "r2"),
        (Shrunken(), Recording(RECORDING.activity, time=TIMES, trial_id=later), FOLDS[0], "r2"),
        (Shrunken(), Recording(RECORDING.activity, time=TIMES, epoch=["a"] * 12), FOLDS[0], "r2"),
    ]
    cross_validate(Shrunken(), RECORDING, folds=FOLDS[:1], folder=tmp_path, metric="r2")
    for number, (model, recording, fold, metric) in enumerate(others):
        cross_validate(model, recording, folds=[fold], metric=metric, folder=tmp_path)
        assert len(list(tmp_path.iterdir())) == number + 2
    cross_validate(Shrunken(), a_recording(), folds=[FOLDS[0]], folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == len(others) + 1


@pytest.fixture
def interruptible():
    """Ctrl-C interrupts, also where the tests were started with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("way", ["raise", "swallow"])
def test_an_interrupted_grid_keeps_what_is_finished_and_goes_on_from_there(tmp_path, way):
    log, folder = tmp_path / "log", tmp_path / "kept"
    grid = {"shrinkage": [0.0, 0.3, 0.5, 0.6]}
    before = signal.getsignal(signal.SIGINT)
    model = Shrunken(interrupt=way, log=str(log))
    with pytest.raises(KeyboardInterrupt):
        grid_search(model, RECORDING, grid, folds=FOLDS[:1], folder=folder)
    assert [line[0] for line in fits(log)] == ["0.0", "0.3", "0.5"]
    assert len(list(folder.iterdir())) == 2
    assert signal.getsignal(signal.SIGINT) is before
    log.unlink()
    with pytest.raises(KeyboardInterrupt):
        grid_search(model, RECORDING, grid, folds=FOLDS[:1], folder=folder)
    assert [line[0] for line in fits(log)] == ["0.5"]


def test_a_broken_file_is_named_and_left_alone(tmp_path):
    cross_validate(Shrunken(), RECORDING, folds=FOLDS[:1], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text('{"score": ')
    with pytest.raises(ValueError, match=f"{path.name} is not the file of a finished fit"):
        cross_validate(Shrunken(), RECORDING, folds=FOLDS[:1], folder=tmp_path)
    assert path.read_text() == '{"score": '
    with pytest.raises(ValueError, match="is not a folder"):
        cross_validate(Shrunken(), RECORDING, folds=FOLDS[:1], folder=path)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"rank": [1]}, "Shrunken has no setting 'rank', only .*shrinkage"),
        ({"shrinkage": []}, "is empty"),
        ({"log": "abc"}, "give a list"),
        ({"shrinkage": [0.1, 0.2, 0.1]}, "twice"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(grid, message):
    with pytest.raises(ValueError, match=message):
        grid_search(Shrunken(), RECORDING, grid, folds=FOLDS)


def test_a_setting_named_as_a_column_of_the_results_is_refused():
    @dataclass
    class Named(Shrunken):
        metric: str = "r2"

    with pytest.raises(ValueError, match="'metric' has the name of a column"):
        grid_search(Named(), RECORDING, {"metric": ["r2"]}, folds=FOLDS)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (0, "must be at least 1"),
        ([], "folds is empty"),
        ([HeldOut(FOLDS[0].test, np.ones_like(FOLDS[0].test))], "in test and in train"),
        ([FOLDS[0], HeldOut(FOLDS[0].test[:, :3], FOLDS[0].train)], "Fold 1: test is"),
        ([HeldOut(FOLDS[0].test, FOLDS[0].train[:, :3])], "train"),
    ],
)
def test_folds_that_do_not_fit_are_refused(folds, message):
    with pytest.raises(ValueError, match=message):
        cross_validate(Shrunken(), RECORDING, folds=folds)


# ---------------------------------------------------------------- the chosen setting


def table(scores: dict[int, list[float]], **columns: object) -> pd.DataFrame:
    rows = [
        {"rank": rank, "fold": fold, "score": score}
        for rank, values in scores.items()
        for fold, score in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(**columns)


def test_the_smallest_rank_within_one_standard_error_of_the_best_is_chosen():
    # The best mean is 0.8; its standard error is 0.1 / sqrt(3) = 0.0577.
    scores = {1: [0.5, 0.5, 0.5], 2: [0.74, 0.76, 0.77], 3: [0.7, 0.8, 0.9], 4: [0.79, 0.8, 0.79]}
    assert one_standard_error(table(scores)) == 2
    assert one_standard_error(table(scores | {2: [0.74] * 3})) == 3
    errors = {rank: [1 - score for score in values] for rank, values in scores.items()}
    assert one_standard_error(table(errors), best="min") == 2
    assert one_standard_error(table(errors, metric="nmse")) == 2
    assert one_standard_error(table(scores, metric="r2")) == 2
    assert type(one_standard_error(table(scores))) is int


values = st.lists(st.floats(-1, 1), min_size=2, max_size=5)


@given(st.dictionaries(st.integers(1, 9), values, min_size=1, max_size=5))
def test_the_rule_by_its_definition(scores):
    means = {rank: np.mean(values) for rank, values in scores.items()}
    top = max(means, key=lambda rank: means[rank])
    threshold = means[top] - np.std(scores[top], ddof=1) / np.sqrt(len(scores[top]))
    margins = [abs(mean - threshold) for rank, mean in means.items() if rank != top]
    tied = sum(abs(mean - means[top]) < 1e-12 for mean in means.values())
    assume(tied == 1 and min(margins, default=1) > 1e-12)  # not decided by rounding
    chosen = one_standard_error(table(scores))
    assert chosen == min(rank for rank, mean in means.items() if mean >= threshold or rank == top)
    assert chosen <= top


def test_seeds_of_a_fold_are_averaged_and_of_one_fold_are_the_repeats():
    # Folds differ by 0.2, seeds by nothing: with seeds counted as repeats the error would be
    # 0.2 / sqrt(2) / sqrt(7) = 0.042 instead of 0.1.
    rows = [
        {"rank": rank, "fold": fold, "seed": seed, "score": base + 0.2 * fold}
        for rank, base in ((1, 0.42), (2, 0.5))
        for fold in (0, 1)
        for seed in range(4)
    ]
    results = pd.DataFrame(rows)
    assert one_standard_error(results) == 1
    assert one_standard_error(results.assign(fold=0)) == 2


def test_failed_fits_do_not_count():
    results = table({1: [0.5, 0.5], 2: [0.7, 0.8, np.nan], 3: [np.nan, np.nan]})
    assert one_standard_error(results) == 2


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (table({1: [0.5], 2: [0.6]}), r"rank \[1, 2\] has a single score"),
        (table({1: [0.5, 0.4], 2: [0.6, np.nan]}), r"rank \[2\] has a single score"),
        (table({1: [np.nan, np.nan]}), "No fit in the table has a score"),
        (table({1: [0.5, 0.6]}).drop(columns="rank"), "no column 'rank'"),
        (table({1: [0.5, 0.6]}).drop(columns="score"), "no column 'score'"),
        (table({1: [0.5, 0.6]}, metric=["r2", "nmse"]), "mixes metrics"),
        (table({1: [0.5, 0.6]}, smoothness=[1.0, 2.0]), "'smoothness' varies too"),
    ],
)
def test_a_table_that_does_not_say_which_is_best_is_refused(results, message):
    with pytest.raises(ValueError, match=message):
        one_standard_error(results)
