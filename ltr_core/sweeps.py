"""One computation over many settings, in parallel, with finished ones kept.

`sweep` calls a function once per cell (a mapping of its settings) through joblib, so that a lab's
cluster is one setting away (joblib's Dask backend). Each cell's result is a file of its own, so an
interrupted sweep goes on where it was.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltr_core import checkpoints
from ltr_core.parallel import as_finished

Arrays = dict[str, np.ndarray]


def sweep(
    compute: Callable[..., Arrays],
    cells: Sequence[Mapping[str, Any]],
    *,
    folder: Path | None = None,
    n_jobs: int | None = None,
) -> list[Arrays]:
    """What `compute(**cell)` returns for each cell, in their order.

    - `compute`: a function of a module, with one thread of its own per call; returns named arrays
      of numbers (not complex).
    - `folder`: each result is kept there and not computed again by later calls with the same
      function and cell. Files do not know the code that made them: after a change of it take a new
      folder.
    - `n_jobs`: processes, as joblib counts them (-1: as many as there are cores).

    Raises RuntimeError naming the cell where one fails, once all that finished before it are kept;
    ValueError for a kept file that cannot be read, or without cells.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.sweeps import sweep
    >>> def powers(base, n):
    ...     return {"values": base ** np.arange(n)}
    >>> cells = [{"base": base, "n": 4} for base in (2, 3)]
    >>> [found["values"].tolist() for found in sweep(powers, cells, n_jobs=1)]
    [[1, 2, 4, 8], [1, 3, 9, 27]]
    """
    if not cells:
        raise ValueError("There are no cells: give at least one mapping of settings.")
    paths = [None if folder is None else _path(folder, compute, cell) for cell in cells]
    results = {place: found for place, path in enumerate(paths) if (found := _kept(path))}
    waiting = [place for place in range(len(cells)) if place not in results]
    arguments = [(compute, cells[place], place) for place in waiting]
    for place, found in as_finished(
        _one, arguments, n_jobs=n_jobs, n_done=len(results), description="sweep"
    ):
        if isinstance(found, Exception):
            raise RuntimeError(f"The cell {dict(cells[place])} failed: {found}") from found
        results[place] = found
        if (path := paths[place]) is not None:
            # copies: a file holds no array that is a view of another
            tensors = {name: torch.from_numpy(array.copy()) for name, array in found.items()}
            checkpoints.save(path, tensors, path.stem)
    return [results[place] for place in range(len(cells))]


def _one(
    compute: Callable[..., Arrays], cell: Mapping[str, Any], place: int
) -> tuple[int, Arrays | Exception]:
    """One cell's result, or why it failed, on one thread: two on two cores are faster so."""
    torch.set_num_threads(1)
    try:
        return place, compute(**cell)
    except Exception as failure:
        return place, failure


def _path(folder: Path, compute: Callable[..., Arrays], cell: Mapping[str, Any]) -> Path:
    name = f"{compute.__module__}.{compute.__qualname__}"
    return folder / f"{checkpoints.fingerprint({'compute': name, **cell}, {})}.safetensors"


def _kept(path: Path | None) -> Arrays | None:
    saved = None if path is None else checkpoints.load(path, path.stem)
    return None if saved is None else {name: tensor.numpy() for name, tensor in saved.items()}
