"""One cell of a grid: a fit with some settings, scored on one fold, and the file that keeps it."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch

from ltr_core.estimators import Estimator
from ltr_core.held_out import HeldOut
from ltr_core.recordings import Recording
from ltr_core.scores import Metric


class Cell(NamedTuple):
    """The settings that a cell changes, and the number of its fold."""

    settings: dict[str, Any]
    fold: int

    def __str__(self) -> str:
        return ", ".join([*(f"{k}={v!r}" for k, v in self.settings.items()), f"fold {self.fold}"])


class Outcome(NamedTuple):
    """Held-out score (NaN where the fit failed), wall time in s, and why it failed."""

    score: float
    seconds: float
    error: str | None


class Shared:
    """What all cells need: the model, the recording, the folds and the metric.

    Workers receive it once, not with every cell: joblib maps its arrays into the workers' memory,
    and Dask, which goes by the size, scatters it.
    """

    def __init__(
        self, model: Estimator, recording: Recording, folds: list[HeldOut], metric: Metric
    ) -> None:
        self.model = model.with_params()  # unfitted: what was fitted need not travel
        self.recording = recording
        self.folds = folds
        self.metric = metric

    def __sizeof__(self) -> int:
        arrays = [self.recording.activity, self.recording.observed]
        arrays += [mask for fold in self.folds for mask in (fold.test, fold.train)]
        return object.__sizeof__(self) + sum(array.nbytes for array in arrays)


def run(shared: Shared, cell: Cell, place: int) -> tuple[int, Outcome]:
    """Fit and score one cell, whose `place` in the grid is given back.

    What goes wrong becomes part of the outcome. One thread computes: two fits on two cores
    are faster than one on both.
    """
    torch.set_num_threads(1)
    start = time.perf_counter()
    score, error = np.nan, None
    try:
        # A copy, so that a fit that changes a list among its settings does not change the caller's.
        model = deepcopy(shared.model.with_params(**cell.settings))
        fold = shared.folds[cell.fold]
        with interrupts_raised():
            model.fit(shared.recording, fold.train)
        score = float(model.score(shared.recording, fold.test, shared.metric))
        if not np.isfinite(score):
            raise ValueError(f"The score is {score}.")
    except Exception as failure:
        score, error = np.nan, f"{type(failure).__name__}: {failure}"
    return place, Outcome(score, time.perf_counter() - start, error)


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end if Ctrl-C was pressed inside and dealt with there.

    A fit may answer an interrupt by returning what it has. That is no result of a grid.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield
        return
    noticed = []

    def notice(number: int, frame: FrameType | None) -> None:
        noticed.append(number)
        previous(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if noticed:
            raise KeyboardInterrupt


class Kept:
    """The finished cells of grids, each in a small JSON file of a folder.

    A file is named by a digest of the model's class and settings and of the content of the
    recording, the fold and the metric, so that a cell is found again whatever grid it stands in.
    """

    def __init__(self, folder: Path, shared: Shared) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ValueError(f"{folder} is not a folder: give another one.") from error
        self.folder = folder
        self.shared = shared
        recording = shared.recording
        names = ("activity", "observed", "time", "condition", "epoch", "trial_id", "counts")
        self._recording = joblib.hash([getattr(recording, name) for name in names])
        self._folds = [joblib.hash([fold.test, fold.train]) for fold in shared.folds]

    def path(self, cell: Cell) -> Path:
        """Where the outcome of a cell is kept."""
        settings = self.shared.model.get_params() | cell.settings
        content = [self._recording, self._folds[cell.fold], self.shared.metric]
        return self.folder / f"{joblib.hash([self._model, settings, *content], 'sha1')}.json"

    @property
    def _model(self) -> str:
        kind = type(self.shared.model)
        return f"{kind.__module__}.{kind.__qualname__}"

    def load(self, cell: Cell) -> Outcome | None:
        """The outcome of a cell that was finished earlier, or None.

        Raises ValueError if its file cannot be read.
        """
        path = self.path(cell)
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Outcome(float(found["score"]), float(found["seconds"]), None)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{path} is not the file of a finished fit ({error!r}): delete it, and the fit is "
                "repeated."
            ) from error

    def save(self, cell: Cell, outcome: Outcome) -> None:
        """Write the outcome of a cell in one stroke; one that failed is left for the next time."""
        if outcome.error is not None:
            return
        content = {
            "model": self._model,
            "settings": self.shared.model.get_params() | cell.settings,
            "metric": self.shared.metric,
            "score": outcome.score,
            "seconds": outcome.seconds,
        }
        path = self.path(cell)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            partial.write_text(json.dumps(content, default=repr, indent=1), encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
