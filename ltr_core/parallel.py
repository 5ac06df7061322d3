"""Work over processes, whose results come as they finish.

Through joblib, so that a lab's Dask cluster can be chosen by one setting.
"""

import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import joblib
import torch
from tqdm import tqdm


def as_finished(
    function: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int | None,
    n_done: int = 0,
    description: str,
) -> Iterator[Any]:
    """What the function returns for each tuple of arguments, in the order in which they finish.

    One by one, so that an interrupt loses only what is in progress. A bar counts them, and `n_done`
    that need not be computed. `function` may set this process to one torch thread: that is undone.
    """
    parallel = joblib.Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator_unordered")
    total = n_done + len(arguments)
    with _threads_kept(), tqdm(total=total, initial=n_done, desc=description, leave=False) as bar:
        tasks = [joblib.delayed(function)(*given) for given in arguments]
        results = parallel(tasks) if tasks else iter(())
        try:
            for result in results:
                yield result
                bar.update()
        finally:
            _abandon(results)


def _abandon(results: Iterator[Any]) -> None:
    """Let go of what is still being computed, without joblib's warning that it is cancelled."""
    if isinstance(results, Generator):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*have been cancelled")
            results.close()


@contextmanager
def _threads_kept() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
