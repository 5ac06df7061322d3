"""Where things are, what one build is asked for, and the lock that keeps two builds apart."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SCALES = ("smoke", "book", "paper")

# A cell that runs longer is taken to hang. Seconds; far above the budget of 5 minutes a chapter.
CELL_TIMEOUT = {"smoke": 300, "book": 1800, "paper": 48 * 3600}


# Less than this is a full disk: what is being written now needs more.
FULL_BYTES = 2**16

_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "mount it writable",
    errno.EACCES: "let this user write there",
    errno.EPERM: "let this user write there",
}


class BuildError(Exception):
    """What went wrong, where, and what to do: shown to the user without a traceback."""


def refusal(error: OSError, folder: Path) -> str:
    """What the system refused, where (in ``folder``, if it does not say), and what to do."""
    where = error.filename2 or error.filename or folder
    reason = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{where}: {reason}" + (f"; {remedy}, and run the same command again" if remedy else "")


@contextmanager
def refusals_told(project: "Project") -> Iterator[None]:
    """Where the system refuses a file, say so as of any other fault.

    Raises
    ------
    BuildError
        In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise BuildError(
            f"{refusal(error, project.build)}\nThe last good site was left as it was"
        ) from error


@dataclass(frozen=True)
class Settings:
    """What one build is asked for.

    Raises
    ------
    BuildError
        If the scale is unknown, or the seed, the jobs or the time limit are out of range.
    """

    scale: str = "book"
    seed: int = 0
    jobs: int = 1
    cell_timeout: int | None = None

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise BuildError(f"unknown scale {self.scale!r}: choose one of {', '.join(SCALES)}")
        if self.seed < 0:
            raise BuildError(f"the seed is {self.seed}: give an integer of at least 0")
        if self.jobs < 1:
            raise BuildError(f"the number of jobs is {self.jobs}: give an integer of at least 1")
        if self.cell_timeout is not None and self.cell_timeout < 1:
            raise BuildError(f"the cell timeout is {self.cell_timeout} s: give at least 1 s")

    @property
    def timeout(self) -> int:
        """Time limit of one cell in seconds."""
        return self.cell_timeout or CELL_TIMEOUT[self.scale]


@dataclass(frozen=True)
class Project:
    """The folders of one project; everything that a build makes lies under ``build``."""

    root: Path

    @property
    def book(self) -> Path:
        return self.root / "book"

    @property
    def build(self) -> Path:
        return self.root / "_build"

    @property
    def work(self) -> Path:
        """Unfinished files of the running build; emptied at the start of each."""
        return self.build / "work"

    @property
    def failed(self) -> Path:
        return self.build / "failed"

    @property
    def stage(self) -> Path:
        return self.build / "stage"

    @property
    def html(self) -> Path:
        return self.build / "html"

    @property
    def results(self) -> Path:
        """What chapters found at the published sizes; in git, unlike all that lies in ``build``."""
        return self.root / "results"

    @property
    def reference(self) -> Path:
        """The ledger that new ones are compared with; in git, too."""
        return self.root / "reference" / "ledger.json"

    @property
    def config(self) -> Path:
        return self.root / "_config.yml"

    @property
    def toc(self) -> Path:
        return self.root / "_toc.yml"

    def executed(self, settings: Settings) -> Path:
        """Folder of the executed notebooks of this scale and seed."""
        return self.build / "executed" / f"{settings.scale}-{settings.seed}"

    def shown(self, path: Path) -> str:
        """The path as messages name it: relative to the project where it lies inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_text(path: Path) -> str:
    """The text of a file; raises BuildError naming it if that is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BuildError(f"{path} is not text in UTF-8: {error.reason} at {error.start}") from None


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; raises BuildError naming it, and the line, if it cannot be read."""
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise BuildError(f"{path} is not YAML: {error}") from None


def want_of_space(folder: Path) -> str:
    """The first line of a fault's message if the disk that holds ``folder`` is full, or nothing."""
    if shutil.disk_usage(folder).free >= FULL_BYTES:
        return ""
    return f"no space is left on the disk of {folder}: free some\n    "


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the whole new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        error.filename = str(path)  # which a write itself does not say
        raise


@contextmanager
def build_lock(project: Project) -> Iterator[None]:
    """Hold the project's build folder; the system frees the lock however the process ends.

    Raises
    ------
    BuildError
        If another build holds it.
    """
    project.build.mkdir(parents=True, exist_ok=True)
    with (project.build / ".lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BuildError(
                f"another build (process {holder}) is at work in {project.build}: "
                "wait until it ends, or stop it"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        shutil.rmtree(project.work, ignore_errors=True)
        project.work.mkdir(exist_ok=True)
        try:
            yield
        finally:
            shutil.rmtree(project.work, ignore_errors=True)
