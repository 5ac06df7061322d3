"""Runs the benchmarks on one thread, prints a table and writes what was measured as JSON.

    python benchmarks/run.py --output _build/benchmarks.json [--only cp] [--quick]

A benchmark is a module in this folder with a function `measure(quick: bool) -> Result`; its name
is added to `BENCHMARKS`. Everything compared is timed side by side in the same run.
"""
# ruff: noqa: E402

import os

# Before anything imports NumPy or torch: they read these once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["TQDM_DISABLE"] = "1"

import argparse
import importlib
import json
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from benchmarks.result import Result

BENCHMARKS = (
    "cp",
    "learning",
    "ltrrnn",
    "ltrrnn_data",
    "ltrrnn_scaling",
    "ltrrnn_grid",
    "ltrrnn_large",
)
PACKAGES = ("joblib", "numpy", "scipy", "tensorly", "torch", "torchdiffeq")


def main(arguments: list[str] | None = None) -> int:
    """Runs the chosen benchmarks; 0 whether or not their criteria hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "_build" / "benchmarks.json")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="tiny sizes; nothing is judged")
    options = parser.parse_args(arguments)
    results = []
    for name in options.only or BENCHMARKS:
        result = importlib.import_module(f"benchmarks.{name}").measure(options.quick)
        print(as_table(result), flush=True)
        results.append(result)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report(results, options.quick), indent=1) + "\n")
    return 0


def report(results: list[Result], quick: bool) -> dict[str, object]:
    """Everything that was measured, and on what."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "threads": 1,
        "python": platform.python_version(),
        "hardware": f"{platform.machine()}, {os.cpu_count()} logical CPUs, {_processor()}",
        "packages": {package: version(package) for package in PACKAGES},
        "benchmarks": [result.as_json() for result in results],
    }


def as_table(result: Result) -> str:
    """Plain text: a row for each case and method, then the criteria."""
    columns = list(dict.fromkeys(key for row in result.rows for key in row))
    cells = [columns] + [[_cell(row.get(column)) for column in columns] for row in result.rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    verdicts = [
        f"{'holds' if c.holds else 'not judged' if c.holds is None else 'DOES NOT HOLD'}: "
        f"{c.words} (measured {_cell(c.measured)})"
        for c in result.criteria
    ]
    return "\n".join([result.name, *lines, *verdicts, ""])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6f}" if 0.5 < value <= 1 else f"{value:.4g}"
    return "" if value is None else str(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


if __name__ == "__main__":
    sys.exit(main())
