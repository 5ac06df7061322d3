"""Time, memory, and tasks in a process of their own."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parent.parent
Found = TypeVar("Found")


class Timed(NamedTuple):
    """Seconds on the clock, and of the processor: the latter hardly depend on other load."""

    wall: float
    cpu: float


def timed(work: Callable[[], Found]) -> tuple[Timed, Found]:
    """How long it takes, and what it gives back."""
    start, cpu_start = time.perf_counter(), time.process_time()
    found = work()
    return Timed(time.perf_counter() - start, time.process_time() - cpu_start), found


class Memory:
    """Megabytes above what was there when it began, such as loaded libraries.

    Of the process's resident memory, as Linux counts it; elsewhere only a rise of the peak shows.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
        self.before = _status("VmRSS")

    @property
    def peak(self) -> float:
        """The most since then."""
        return max(_status("VmHWM") - self.before, 0.0)


def peak_of_process() -> float:
    """The most that the process ever held, libraries included; MB.

    Not `ru_maxrss` on Linux: a process inherits it from the one that started it.
    """
    return _status("VmHWM")


def alone(task: str, quick: bool) -> dict[str, Any]:
    """What a task of `ltrrnn_alone` reports from a process of its own.

    Raises RuntimeError with its messages if it fails.
    """
    command = [sys.executable, "-m", "benchmarks.ltrrnn_alone", task, *(["--quick"] * quick)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"The task '{task}' failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _status(name: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1e6 if sys.platform == "darwin" else 1e3)
    (line,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024 / 1e6
