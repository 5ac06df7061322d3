"""A chapter run by itself where its data are not at hand."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat


def run(repository: Path, chapter: str, folder: Path, *parameters: str) -> nbformat.NotebookNode:
    """The notebook as papermill leaves it, at smoke scale, with no network and no data at hand."""
    whole = {
        **os.environ,
        "PYTHONPATH": str(repository),
        "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        "TQDM_DISABLE": "1",
        "LTR_DATA_DIR": str(folder / "nothing"),
        "LTR_CACHE_DIR": str(folder / "cache"),
        "https_proxy": "http://127.0.0.1:9",  # where nobody answers
        "PIP_NO_INDEX": "1",
    }
    jupytext = [sys.executable, "-m", "jupytext", "--quiet", "--to", "ipynb", "--output"]
    subprocess.run(
        [*jupytext, folder / "mine.ipynb", repository / "book" / f"{chapter}.py"],
        env=whole,
        check=True,
    )
    papermill = [sys.executable, "-m", "papermill", "mine.ipynb", "result.ipynb"]
    done = subprocess.run(
        [*papermill, "-p", "scale", "smoke", *parameters],
        cwd=folder,
        env=whole,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(folder / "result.ipynb", as_version=4)


def note_of(notebook: nbformat.NotebookNode) -> str:
    """What the page says at its top of where its data are from."""
    shown = [
        output["data"].get("text/markdown", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    return next(text for text in shown if ":::{note}" in text)
