"""What all tests share: shapes checked at run time, and the book built at smoke scale."""

import os

# Before torch is imported: on small matrices two threads are slower than one, by far if others run.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import jaxtyping
import nbformat
import pytest
from _pipeline.project import usable_cores
from filelock import FileLock
from jaxtyping import install_import_hook
from repositories import copy_project

if TYPE_CHECKING:
    from ltr_core.recordings import Recording

# Before the package is imported: every annotated array is checked at each call.
install_import_hook("ltr_core", "beartype.beartype")

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")

REPOSITORY = Path(__file__).resolve().parent.parent

# A relative folder of recordings is relative to where the tests were started.
if os.environ.get("LTR_DATA_DIR"):
    os.environ["LTR_DATA_DIR"] = str(Path(os.environ["LTR_DATA_DIR"]).resolve())


# Files of tests that take long, in seconds of the whole: the first builds the book for all.
SLOW = (
    "test_pipeline_chapters.py",
    "test_binder.py",
    "test_pipeline_build.py",
    "test_faults.py",
    "test_ltrrnn_benchmarks.py",
    "test_site.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """Of ``-n auto``: one more than cores, as some wait for browsers, pip or the disk.

    More than that hardly help, as the book's build is as long as the rest.
    """
    return min(usable_cores() + 1, 4)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, give out long files early.

    Those that read the book come halfway: it is built by then, and short files are left to fill up.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    of_file: dict[Path, list[pytest.Item]] = {}
    for item in items:
        of_file.setdefault(item.path, []).append(item)
    readers = {item.path for item in items if "built" in getattr(item, "fixturenames", ())}
    first = sorted((p for p in of_file if p.name in SLOW), key=lambda p: SLOW.index(p.name))
    others = [path for path in of_file if path not in {*first, *readers}]
    half = len(others) // 2
    halfway = [path for path in of_file if path in readers and path not in first]
    files = [*first, *others[:half], *halfway, *others[half:]]
    items[:] = [item for path in files for item in of_file[path]]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def jobs() -> int:
    """Chapters to execute side by side: this process's share of the cores."""
    return max(1, usable_cores() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, jobs: int) -> Path:
    """A copy of the project in which the real book was built at smoke scale; not to be changed."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # the folder above is common to all processes
        folder = folder.parent
    root = folder / "book" / "a copy"  # with a space, as users' folders have
    failure = folder / "book-failure.txt"  # empty if there was none
    with FileLock(folder / "book.lock"):  # the first process builds, the others wait for it
        if not failure.exists():
            failure.write_text(_build(root, jobs), encoding="utf-8")
    text = failure.read_text(encoding="utf-8")
    assert not text, f"the book could not be built\n{text}"
    return root


def _build(root: Path, jobs: int) -> str:
    """Copy the project and build its book there; what was printed if that failed, or nothing."""
    copy_project(REPOSITORY, root)
    done = subprocess.run(
        [sys.executable, "book/_pipeline", "build", "--scale", "smoke", "--jobs", str(jobs)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}\n{done.stderr}" if done.returncode else ""


@pytest.fixture(scope="session")
def executed(built: Path) -> dict[str, Any]:
    """The real book's notebooks, executed at smoke scale: name of the chapter -> notebook."""
    folder = built / "_build" / "executed" / "smoke-0"
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}


@pytest.fixture(scope="session")
def site(built: Path) -> Path:
    """Folder of the real book's site, built at smoke scale."""
    return built / "_build" / "html"


@pytest.fixture
def as_in_use() -> Iterator[None]:
    """Without the tests' own check of shapes, which would come before the package's."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def tiny() -> "Recording":
    """24 trials, 11 times, 15 neurons."""
    from ltrrnn_parts import tiny_recording  # noqa: PLC0415 - after the hook above

    return tiny_recording()


@pytest.fixture(scope="session")
def tiny_counts() -> "Recording":
    """The same in counts."""
    from ltrrnn_parts import tiny_count_recording  # noqa: PLC0415 - after the hook above

    return tiny_count_recording()
