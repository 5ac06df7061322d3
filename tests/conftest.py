"""What all tests share: shapes checked at run time, and the book built at smoke scale."""

import os

# Before torch is imported: on small matrices two threads are slower than one, by far if others run.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import jaxtyping
import nbformat
import pytest
from jaxtyping import install_import_hook

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


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the real book was built at smoke scale."""
    root = tmp_path_factory.mktemp("book") / "a copy"  # with a space, as users' folders have
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target)
    done = subprocess.run(
        [sys.executable, "book/_pipeline", "build", "--scale", "smoke", "--seed", "0"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the book could not be built\n{done.stdout}\n{done.stderr}"
    return root


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
