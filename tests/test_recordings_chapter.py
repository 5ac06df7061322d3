"""The chapter on recordings without its recording, and on a reader's own file."""

from pathlib import Path

import nbformat
import numpy as np
from chapter_runs import note_of, run

from ltr_core.claims import rows_of
from ltr_core.recordings import Recording

CHAPTER = "10_recordings"
OF_THE_RECORDING = {"P1.small-rank", "P1.recording", "P2.recording"}


def reasons(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Why each claim of the recording was not run."""
    rows = {row["id"]: row for row in rows_of(notebook)}
    assert set(rows) == {*OF_THE_RECORDING, "P1.spikes"}
    assert "not_run" not in rows["P1.spikes"], "it needs no recording"
    assert all(rows[name]["holds"] is None for name in OF_THE_RECORDING)
    return {name: rows[name]["not_run"] for name in OF_THE_RECORDING}


def test_without_data_and_network_it_runs_on_a_surrogate_and_says_so(
    repository: Path, tmp_path: Path
) -> None:
    notebook = run(repository, CHAPTER, tmp_path)
    assert "was not at hand" in note_of(notebook)
    assert "surrogate" in note_of(notebook)
    assert all("not at hand" in why for why in reasons(notebook).values())
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").rglob("*.mat"))


def test_it_runs_on_a_readers_own_file_of_one_epoch(repository: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n_trials = 40
    Recording(
        rng.poisson(2.0, (n_trials, 20, 12)) * 1.0,
        time=0.05 * np.arange(20) - 0.5,
        condition=np.arange(n_trials) % 4,
        counts=True,
    ).to_netcdf(tmp_path / "own.nc")
    notebook = run(repository, CHAPTER, tmp_path, "-p", "path", "own.nc")
    assert "own.nc" in note_of(notebook)
    assert all("reader's own" in why for why in reasons(notebook).values())
