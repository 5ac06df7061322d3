"""Execute one chapter. Runs in a process of its own, so that the kernel's memory can be read."""

import hashlib
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from .chapters import Chapter, fingerprint, versions
from .kernel import KERNEL_NAME, OwnKernelManager, kernel_environment, kill_kernels
from .notebooks import (
    KEEP_QUIET,
    describe_failure,
    failing_cell,
    is_papermills,
    noisy_cell,
    normalise,
    plain,
    serialise,
)
from .project import BuildError, Project, Settings, refusal, usable_cores, write_atomically


def run_chapter(chapter: Chapter, project: Project, settings: Settings) -> int:
    """Execute a chapter, keep its notebook and its stamp; 0, or 1 with the reason on stdout."""
    try:
        scratch = Path(tempfile.mkdtemp(prefix="ltr-"))
        os.environ.update(kernel_environment(project.root, scratch))
        _die_with_parent(scratch)
        try:
            return _run(chapter, project, settings)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        print(f"book/{chapter.path.name}: {refusal(error, project.build)}")
        return 1


def _run(chapter: Chapter, project: Project, settings: Settings) -> int:
    # Before the execution: a source that changes meanwhile must not pass for the executed one.
    made_from = fingerprint(chapter, project, settings)
    partial = project.work / f"{chapter.name}.ipynb"
    try:
        notebook, elapsed = _execute(chapter, project, settings, partial)
    except BuildError as failure:
        project.failed.mkdir(parents=True, exist_ok=True)
        if _read(partial):
            os.replace(partial, project.failed / partial.name)
        print(failure)
        return 1
    # The stamp comes last: where it stands, the notebook is whole.
    target = project.executed(settings) / chapter.name
    text = serialise(notebook)
    content = hashlib.sha256(text.encode()).hexdigest()
    stamp = {"fingerprint": made_from, "notebook": content, **_stamp(chapter, elapsed)}
    write_atomically(target.with_suffix(".ipynb"), text)
    write_atomically(target.with_suffix(".json"), json.dumps(stamp, indent=1) + "\n")
    (project.failed / partial.name).unlink(missing_ok=True)
    return 0


def _execute(
    chapter: Chapter, project: Project, settings: Settings, partial: Path
) -> tuple[Any, float]:
    """The normalised executed notebook and the seconds that it took."""
    parameters = {"scale": settings.scale, "seed": settings.seed}
    begun = time.monotonic()
    try:
        papermill.execute_notebook(
            _with_kernel(chapter.notebook),
            partial,
            parameters=parameters,
            kernel_name=KERNEL_NAME,
            progress_bar=False,
            cwd=project.book,
            execution_timeout=settings.timeout,
            kernel_manager_class=OwnKernelManager,
            coalesce_streams=True,
        )
    except Exception as error:
        raise BuildError(_failure(chapter, partial, error)) from error
    elapsed = time.monotonic() - begun
    notebook = nbformat.read(partial, as_version=4)
    noise = noisy_cell(notebook)
    if noise:
        index, text = noise
        reason = (
            f"the cell wrote to standard error: {text.strip()[:500]}\n"
            "    A reader would see it: mend the cause of the warning, or tag the cell "
            f'"{KEEP_QUIET}" to drop the text'
        )
        raise BuildError(describe_failure(chapter, notebook, index, reason))
    return normalise(notebook, parameters), elapsed


def _with_kernel(notebook: Any) -> Any:
    """A copy with the metadata that papermill needs in order to know the language."""
    prepared = nbformat.from_dict(json.loads(json.dumps(notebook)))
    prepared.metadata["kernelspec"] = {
        "name": KERNEL_NAME,
        "display_name": "Python 3",
        "language": "python",
    }
    prepared.metadata["language_info"] = {"name": "python"}
    return prepared


def _failure(chapter: Chapter, partial: Path, error: Exception) -> str:
    """The readable message for an execution that ended with ``error``."""
    if isinstance(error, PapermillExecutionError):
        text = plain(f"{error.ename}: {error.evalue}" if error.evalue else error.ename)
    elif isinstance(error, TimeoutError):
        text = "the cell ran into its time limit: " + plain(str(error)).splitlines()[0]
    elif type(error).__name__ == "DeadKernelError":
        text = "the kernel died while this cell ran (out of memory, as a rule)"
    elif isinstance(error, OSError):  # not of the chapter: of keeping its notebook
        text = refusal(error, partial)
    else:
        text = f"{type(error).__name__}: {plain(str(error))}"
    notebook = _read(partial)
    if notebook is None:
        return describe_failure(chapter, chapter.notebook, None, text)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" or not is_papermills(cell)  # papermill's notices of the error
    ]
    return describe_failure(chapter, notebook, failing_cell(notebook), text)


def _read(partial: Path) -> Any:
    """The notebook as far as it got; None where there is none, or on a full disk half of one."""
    try:
        return nbformat.read(partial, as_version=4)
    except (FileNotFoundError, nbformat.reader.NotJSONError):
        return None


def _stamp(chapter: Chapter, elapsed: float) -> dict[str, object]:
    """What the execution page lists of a chapter that has just been executed."""
    return {
        "title": chapter.title,
        "elapsed_s": round(elapsed, 2),
        "peak_memory_mb": _peak_memory_mb(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": versions(),
        "hardware": _hardware(),
    }


def _peak_memory_mb() -> int:
    """Largest resident memory of the kernel, which has ended by now, in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6)


def _hardware() -> str:
    """Processor, cores and memory of this machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {usable_cores()} cores, {memory:.0f} GiB, {platform.system()}"


def _die_with_parent(scratch: Path) -> None:
    """End this process and its kernel when the build ends, in whatever way.

    The build holds the other end of standard input: it reads as closed as soon as it is gone.
    """

    def watch() -> None:
        # Not sys.stdin.read: a thread that holds the stream's lock stops Python from ending.
        while os.read(0, 1):
            pass
        kill_kernels()
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(130)

    threading.Thread(target=watch, daemon=True).start()
