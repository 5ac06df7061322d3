"""The chapter on a reader's own data, run from the shell on a file of theirs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from ltr_core.claims import rows_of
from ltr_core.ltrrnn import LtrRNN
from ltr_core.recordings import Recording

CHAPTER = "book/11_your_own_data.py"


def run(repository: Path, folder: Path, *parameters: str) -> subprocess.CompletedProcess[str]:
    """The commands of the chapter and the README, in a folder with the file."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(repository),
        "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        "TQDM_DISABLE": "1",
    }
    environment.pop("LTR_BOOK", None)
    notebook = [sys.executable, "-m", "jupytext", "--quiet", "--to", "ipynb", "--output"]
    subprocess.run(
        [*notebook, folder / "mine.ipynb", repository / CHAPTER], env=environment, check=True
    )
    papermill = [sys.executable, "-m", "papermill", "mine.ipynb", "fitted.ipynb"]
    return subprocess.run(
        [*papermill, "-p", "scale", "smoke", *parameters],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def counts() -> Recording:
    rng = np.random.default_rng(0)
    return Recording(
        rng.poisson(1.0, (24, 20, 12)) * 1.0,
        time=0.05 * np.arange(20) - 0.5,
        condition=np.arange(24) % 3,
        epoch=np.repeat(["before", "after"], 12),
        counts=True,
    )


def test_a_file_becomes_a_report_and_a_model(
    repository: Path, tmp_path: Path, counts: Recording
) -> None:
    counts.to_netcdf(tmp_path / "session.nc")
    given = ["-p", "path", "session.nc", "-y", "rank: [1, 2]", "-p", "smooth", "0.1"]
    done = run(repository, tmp_path, *given)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "session-ltrrnn"
    found = {path.name for path in folder.iterdir()}
    assert found == {
        "report.html",
        "model.safetensors",
        "scores.csv",
        "ranks.csv",
        "settings.json",
    }
    model = LtrRNN.load(folder / "model.safetensors")
    assert model.rank in (1, 2)
    assert model.trial_factors_.shape == (24, model.rank)
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["loaded_with"]["sd"] == 0.1
    assert settings["model"]["likelihood"] == "gaussian"
    assert "24 trials in 2 epochs" in (folder / "report.html").read_text()
    notebook = nbformat.read(tmp_path / "fitted.ipynb", as_version=4)
    (row,) = rows_of(notebook)
    assert row["holds"] is None
    assert "not known" in row["not_run"]
    said = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    assert "fits, those of the first exercise included: less than 10 seconds in all" in said
    assert "no verdict" in said
    assert "no verdict" in (folder / "report.html").read_text()


def test_what_cannot_be_fitted_is_told_before_any_fit(
    repository: Path, tmp_path: Path, counts: Recording
) -> None:
    counts.select(neurons=[0]).to_netcdf(tmp_path / "session.nc")
    done = run(repository, tmp_path, "-p", "path", "session.nc")
    assert done.returncode != 0
    assert "The recording has one neuron" in done.stderr
    assert not (tmp_path / "session-ltrrnn").exists()


def test_a_folder_of_the_readers_is_refused_before_any_fit(
    repository: Path, tmp_path: Path, counts: Recording
) -> None:
    counts.to_netcdf(tmp_path / "session.nc")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    done = run(repository, tmp_path, "-p", "path", "session.nc", "-p", "folder", "mine")
    assert done.returncode != 0
    assert "name another folder" in done.stderr.replace("\n", " ")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
