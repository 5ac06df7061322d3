"""Fits over a grid of settings, each scored on activity that was held out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from ltr_core.counts import check_counts
from ltr_core.estimators import Estimator
from ltr_core.held_out import HeldOut, check_train, held_out_blocks
from ltr_core.model_selection.cells import Cell, Kept, Outcome, Shared, run
from ltr_core.parallel import as_finished
from ltr_core.recordings import Recording
from ltr_core.scores import Metric

RESULT_COLUMNS = ("fold", "score", "metric", "seconds", "error")


def cross_validate(
    model: Estimator,
    recording: Recording,
    *,
    folds: int | Sequence[HeldOut] = 1,
    metric: Metric | None = None,
    n_jobs: int | None = None,
    folder: Path | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Held-out scores of one model: `grid_search` over a grid of one.

    Takes, returns and raises what that does; the table has a row for each fold.

    Examples
    --------
    >>> from ltr_core import comparisons, cross_validate, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(15, 15), n_neurons=12, rank=2, dt=0.2)
    >>> table = cross_validate(comparisons.PCAModel(n_components=2), recording, folds=2)
    >>> table.columns.tolist(), len(table)
    (['fold', 'score', 'metric', 'seconds', 'error'], 2)
    """
    return grid_search(
        model, recording, {}, folds=folds, metric=metric, n_jobs=n_jobs, folder=folder, seed=seed
    )


def grid_search(
    model: Estimator,
    recording: Recording,
    grid: Mapping[str, Iterable[Any]],
    *,
    folds: int | Sequence[HeldOut] = 1,
    metric: Metric | None = None,
    n_jobs: int | None = None,
    folder: Path | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Held-out scores of a model for every combination of settings and every fold.

    - `grid`: values to try by the name of the setting; the model's own `seed` may be one.
    - `folds`: masks, or a number of them: fold i is then `held_out_blocks` of seed `seed` + i.
    - `metric`: r2 for rates and bits_per_spike for counts if not given.
    - `n_jobs`: processes, -1 for all cores. If not given one, or what `joblib.parallel_config`
      says; under ``joblib.parallel_config("dask")`` the workers of the cluster. Every fit computes
      with one torch thread.
    - `folder`: each finished fit is kept there in a small file, and not repeated by later calls
      with the same model, settings, recording, fold and metric; so an interrupted grid goes on.
      Files do not know the code they were made with: after a change of the model take a new folder.

    Returns a table with a row per combination (the last setting varies fastest) and fold: the
    settings, fold, score, metric, seconds (wall time of fit and score), error. A fit that fails
    has a score of NaN and its error as text, "ValueError: ..."; the others go on, and it is tried
    again in a later call with the same folder. `model` and `recording` are left as they are.

    Raises ValueError for settings that the model does not have or without values, and for masks
    that do not fit; RuntimeError, with the first error, if all fits fail.

    Examples
    --------
    >>> from ltr_core import comparisons, grid_search, one_standard_error, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(15, 15), n_neurons=12, rank=2, dt=0.2)
    >>> grid = {"n_components": [1, 2, 3]}
    >>> table = grid_search(comparisons.PCAModel(), recording, grid, folds=2)
    >>> table[["n_components", "fold"]].to_numpy().tolist()
    [[1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1]]
    >>> one_standard_error(table, over="n_components") in grid["n_components"]
    True
    """
    values = _values(model, grid)
    metric = metric or ("bits_per_spike" if recording.counts else "r2")
    masks = _masks(recording, folds, seed)
    shared = Shared(model, recording, masks, metric)
    combinations = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    cells = [Cell(settings, fold) for settings in combinations for fold in range(len(masks))]
    outcomes = _outcomes(shared, cells, n_jobs, None if folder is None else Path(folder))
    errors = [outcome.error for outcome in outcomes]
    if None not in errors:
        raise RuntimeError(f"All {len(cells)} fits failed; the first, {cells[0]}, with {errors[0]}")
    columns = {name: _column([cell.settings[name] for cell in cells]) for name in values}
    return pd.DataFrame(
        {
            **columns,
            "fold": [cell.fold for cell in cells],
            "score": [outcome.score for outcome in outcomes],
            "metric": metric,
            "seconds": [outcome.seconds for outcome in outcomes],
            "error": pd.Series(errors, dtype=object),
        }
    )


def _outcomes(
    shared: Shared, cells: list[Cell], n_jobs: int | None, folder: Path | None
) -> list[Outcome]:
    """The outcomes of all cells, those that the folder holds read from it."""
    kept = None if folder is None else Kept(folder, shared)
    found = {} if kept is None else {place: kept.load(cell) for place, cell in enumerate(cells)}
    outcomes = {place: outcome for place, outcome in found.items() if outcome is not None}
    waiting = [(shared, cell, place) for place, cell in enumerate(cells) if place not in outcomes]
    for place, outcome in as_finished(
        run, waiting, n_jobs=n_jobs, n_done=len(outcomes), description="grid"
    ):
        outcomes[place] = outcome
        if kept is not None:
            kept.save(cells[place], outcome)
    return [outcomes[place] for place in range(len(cells))]


def _values(model: Estimator, grid: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    """The values of each setting as plain Python; raises ValueError where they make no grid."""
    values = {}
    known = list(model.get_params())
    for name, given in grid.items():
        if name not in known:
            raise ValueError(f"{type(model).__name__} has no setting '{name}', only {known}.")
        if name in RESULT_COLUMNS:
            raise ValueError(f"The setting '{name}' has the name of a column of the results.")
        if isinstance(given, str):
            raise ValueError(f"grid['{name}'] is '{given}': give a list of values.")
        values[name] = [v.item() if isinstance(v, np.generic) else v for v in given]
        if not values[name]:
            raise ValueError(f"grid['{name}'] is empty: give at least one value.")
        if len({joblib.hash(value) for value in values[name]}) < len(values[name]):
            raise ValueError(f"grid['{name}'] holds a value twice: {values[name]}.")
    return values


def _masks(recording: Recording, folds: int | Sequence[HeldOut], seed: int) -> list[HeldOut]:
    """The folds, validated; raises ValueError where test and training entries overlap."""
    if isinstance(folds, int):
        check_counts(folds=folds)
        return [held_out_blocks(recording, seed=seed + fold) for fold in range(folds)]
    masks = [folds] if isinstance(folds, HeldOut) else list(folds)
    if not masks:
        raise ValueError("folds is empty: give a number of folds, or at least one HeldOut.")
    for number, fold in enumerate(masks):
        check_train(recording, fold.train)
        if fold.test.shape != recording.activity.shape:
            raise ValueError(
                f"Fold {number}: test is {fold.test.shape}, the recording "
                f"{recording.activity.shape} (trial, time, neuron)."
            )
        n_shared = int((fold.test & fold.train).sum())
        if n_shared:
            raise ValueError(
                f"Fold {number}: {n_shared} entries are in test and in train. Held-out entries "
                "must not be fitted."
            )
    return masks


def _column(values: list[Any]) -> pd.Series:
    """A column of settings; None and sequences are kept as they are."""
    plain = all(isinstance(value, bool | int | float | str) for value in values)
    return pd.Series(values, dtype=None if plain else object)
