"""Sphinx from clean, every warning an error; then the new site takes the old one's place."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .chapters import hash_files, package_sources
from .notebooks import plain
from .project import BuildError, Project, want_of_space, write_atomically

# Python's collector finds next to nothing in a book's million nodes, and looks at them all.
_JUPYTER_BOOK = """
import gc
from jupyter_book.cli.main import main

gc.set_threshold(100_000, 20, 50)
main(prog_name="jupyter-book")
"""

RECORDS = ("ledger.json", "published.json")


def build_site(project: Project) -> None:
    """Build the staged book and publish it, unless the published one is of the same inputs.

    Its ledger and published values come to lie beside it, `RECORDS`.

    Raises
    ------
    BuildError
        If Sphinx fails or warns; the last good site is left as it was.
    """
    stamp = project.build / "html.sha256"
    inputs = hash_files(site_inputs(project), project.root)
    if project.html.exists() and stamp.exists() and stamp.read_bytes() == inputs.encode():
        _keep_records(project)
        print(f"  site unchanged: {project.shown(project.html / 'index.html')}", flush=True)
        return
    print("  site building", flush=True)
    begun = time.monotonic()
    built = _sphinx(project)
    stamp.unlink(missing_ok=True)
    publish(built, project)
    _keep_records(project)
    write_atomically(stamp, inputs)
    elapsed = time.monotonic() - begun
    index = project.shown(project.html / "index.html")
    print(f"  site done {elapsed:.1f} s: {index}", flush=True)


def _keep_records(project: Project) -> None:
    for name in RECORDS:
        text = (project.stage / name).read_text(encoding="utf-8")
        write_atomically(project.build / name, text)


def site_inputs(project: Project) -> Iterator[Path]:
    """All files that the site depends on."""
    yield project.build / "_config.yml"
    yield project.toc
    for folder in (project.stage, project.book / "_ext", project.book / "_pipeline"):
        yield from (
            path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        )
    # the generated pages' words and how to cite
    yield from sorted(package_sources(project))
    for name in ("requirements.lock", "CITATION.cff"):
        if (project.root / name).exists():
            yield project.root / name


def _sphinx(project: Project) -> Path:
    """Run jupyter-book from clean; the folder of the new site."""
    output = project.build / "sphinx"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-c", _JUPYTER_BOOK, "build", str(project.stage)]
    command += ["--config", str(project.build / "_config.yml"), "--toc", str(project.toc)]
    command += ["--path-output", str(output), "-n", "-W", "--keep-going"]
    log = project.build / "sphinx.log"
    settings = {"NO_COLOR": "1", "PYTHONUTF8": "1", "PYTHONPATH": str(project.root)}
    with log.open("w", encoding="utf-8") as file:
        environment = {**os.environ, **settings}
        done = subprocess.run(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, check=False
        )
    built = output / "_build" / "html"
    if done.returncode != 0 or not (built / "index.html").exists():
        raise BuildError(
            f"{want_of_space(project.build)}"
            "the site could not be built; the last good one was left as it was\n"
            f"{_complaints(log)}\n    The whole log: {project.shown(log)}"
        )
    return built


def _complaints(log: Path, most: int = 20) -> str:
    """Sphinx's warnings and errors, or the end of its log where it names none."""
    lines = plain(log.read_text(encoding="utf-8")).splitlines()
    named = [line for line in lines if "WARNING" in line or "ERROR" in line or "rror:" in line]
    shown = named[:most] or lines[-most:]
    more = [f"... and {len(named) - most} more"] if len(named) > most else []
    return "\n".join(f"    {line}" for line in shown + more)


def publish(built: Path, project: Project) -> None:
    """Put the new site in the old one's place by two renames.

    Raises
    ------
    OSError
        If the system refuses one of them; the old site stands.
    """
    previous = project.build / "html.previous"
    shutil.rmtree(previous, ignore_errors=True)
    if project.html.exists():
        project.html.rename(previous)
    try:
        built.rename(project.html)
    except OSError:
        restore(project)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def restore(project: Project) -> None:
    """Bring the site back if a build was killed between the two renames."""
    previous = project.build / "html.previous"
    if previous.exists() and not project.html.exists():
        previous.rename(project.html)
