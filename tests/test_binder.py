"""The environment that Binder makes: built anew, equal to the lock, and large enough for a chapter.

There is no conda here. What it would install (Python, pip, NumPy and PyTorch for the CPU) is taken
from the environment that runs the tests, by links and not by copies; its versions are those of
environment.yml. All the rest is installed by pip into a fresh environment, as Binder does it.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from _pipeline.derived import locked_versions
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repositories import copy_project

MEMORY = 1_500_000_000  # bytes, what Binder gives
CONDA_NAMES = {"pytorch-cpu": "torch"}
NO_NETWORK = r"NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError"
# Nobody answers at this address, and pip is told of no index: as without a network.
OFFLINE = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "",
    "LTR_DATA_DIR": "",
}

HUNGRY = """\
# %% [markdown]
# # Hungry

# %% tags=["parameters"]
scale = "book"
seed = 0

# %%
import numpy as np
print(np.ones(1_000_000_000 // 8).sum())

# %%
print(np.ones(1_500_000_000 // 8).sum())
"""


@dataclass
class Binder:
    """A copy of the project, an environment, and a home folder of their own."""

    project: Path
    folder: Path
    home: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(
        self, *command: str | Path, memory: int | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder, each of its processes within `memory` bytes.

        The limit is that of private writable memory, used or set aside: what cannot be given back
        when memory runs out. Files mapped into memory, such as libraries, are not counted.
        """
        limited = ["sh", "-c", 'ulimit -d "$0" && exec "$@"', str(memory // 1024)] if memory else []
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME", "JUPYTER_CONFIG_DIR")
        }
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [*limited, *map(str, command)],
            cwd=self.project,
            env={**inherited, "PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def binder(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Binder]:
    """What Binder makes of the project's environment.yml; removed in the end, it is large."""
    root = tmp_path_factory.mktemp("binder")
    made = Binder(root / "project", root / "environment", root / "home")
    copy_project(repository, made.project)
    made.home.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.folder], check=True)
    *conda, pip = yaml.safe_load((made.project / "environment.yml").read_text())["dependencies"]
    _link_what_conda_installs(conda, made.python)
    # as conda does it: a file beside environment.yml, and --upgrade
    (made.project / "wanted.txt").write_text("\n".join(pip["pip"]) + "\n")
    install = ["install", "--quiet", "--no-compile", "--upgrade", "-r", "wanted.txt"]
    done = made.run(made.python, "-m", "pip", *install)
    if done.returncode and re.search(NO_NETWORK, done.stderr):
        pytest.skip(f"pip reaches no package index: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
    yield made
    # thirty thousand files: nobody waits for them to go
    subprocess.run(["sh", "-c", 'rm -rf "$0" >/dev/null 2>&1 &', root], check=True)


def _link_what_conda_installs(lines: list[str], python: Path) -> None:
    """Link pinned distributions into another environment, with what they need beyond the lock."""
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    target = python.parent.parent / "lib" / f"python{minor}" / "site-packages"
    lock = {canonicalize_name(name) for name in locked_versions(_lock_text(python))}
    wanted = []
    for line in lines:
        name, _, version = line.partition("=")
        if name == "python":
            assert version == minor, f"environment.yml asks for Python {version}"
            continue
        name = CONDA_NAMES.get(name, name)
        found = importlib.metadata.version(name).partition("+")[0]
        assert version in ("", found), f"{name} is {found} here, environment.yml asks for {version}"
        wanted.append(name)
    linked: set[str] = set()
    while wanted:
        distribution = importlib.metadata.distribution(wanted.pop())
        name = canonicalize_name(distribution.metadata["Name"])
        if name in linked:
            continue
        linked.add(name)
        for file in distribution.files or []:
            if not {"..", "include"} & set(file.parts):  # scripts, and ten thousand C++ headers
                _link(Path(str(distribution.locate_file(file))), target / file)
        needs = map(Requirement, distribution.requires or [])
        needed = [n.name for n in needs if n.marker is None or n.marker.evaluate({"extra": ""})]
        # PyTorch for a graphics card brings packages that the lock, made for the CPU, has not
        wanted += [name for name in needed if canonicalize_name(name) not in lock]


def _lock_text(python: Path) -> str:
    return (python.parents[2] / "project" / "requirements.lock").read_text()


def _link(source: Path, target: Path) -> None:
    if not source.is_file():  # such as bytecode that was never written
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def test_the_environment_is_the_lock(binder: Binder, repository: Path) -> None:
    check = binder.run(binder.python, "-m", "pip", "check")
    assert check.returncode == 0, check.stdout
    frozen = binder.run(binder.python, "-m", "pip", "list", "--format", "json").stdout
    found = {canonicalize_name(one["name"]): one for one in json.loads(frozen)}
    versions = {name: one["version"].partition("+")[0] for name, one in found.items()}
    lock = {canonicalize_name(n): v for n, v in locked_versions(_lock_text(binder.python)).items()}
    assert {name: versions.get(name) for name in lock} == lock
    beyond = {name for name in versions if name not in lock}
    cuda = {name for name in beyond if name.startswith(("nvidia-", "cuda-", "triton"))}
    assert beyond - cuda == {"pip", "ltr-core"}
    assert Path(found["ltr-core"]["editable_project_location"]) == binder.project


def test_without_a_network_the_image_is_still_made(binder: Binder) -> None:
    cache, settings = binder.home / "cache", binder.home / "jupyter"
    done = binder.run(
        binder.project / "postBuild",
        HOME=str(binder.home),
        JUPYTER_CONFIG_DIR=str(settings),
        LTR_CACHE_DIR=str(cache),
        **OFFLINE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("NOT AT HAND") == 2
    assert "run on made data and say so" in done.stdout
    opens = json.loads((settings / "labconfig" / "default_setting_overrides.json").read_text())
    viewers = opens["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers == {"python": "Jupytext Notebook"}


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_a_chapter_runs_in_binders_memory(binder: Binder) -> None:
    name = "01_weight_tensor"
    command = [binder.python, "book/_pipeline", "execute", name, "--scale", "book"]
    done = binder.run(*command, memory=MEMORY, HOME=str(binder.home))
    assert done.returncode == 0, done.stdout + done.stderr
    stamp = json.loads((binder.project / f"_build/executed/book-0/{name}.json").read_text())
    assert 100 < stamp["peak_memory_mb"] < MEMORY / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_the_limit_of_memory_bites(binder: Binder) -> None:
    """The control: a cell that wants all of it fails, the one before, which wants less, runs."""
    hungry = binder.home / "hungry"
    (hungry / "book").mkdir(parents=True)
    (hungry / "_toc.yml").write_text("format: jb-book\nroot: intro\nchapters:\n- file: 01_hungry\n")
    (hungry / "book" / "01_hungry.py").write_text(HUNGRY)
    command = [binder.python, "book/_pipeline", "execute", "--root", hungry]
    done = binder.run(*command, memory=MEMORY, HOME=str(binder.home))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "book/01_hungry.py:13, cell 4" in done.stderr
    assert "Unable to allocate 1.40 GiB" in done.stderr
