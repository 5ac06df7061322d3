"""The benchmark runner, at sizes that say nothing about speed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_quick_run_reports_every_case_and_judges_nothing(tmp_path: Path) -> None:
    output = tmp_path / "new folder" / "benchmarks.json"
    done = run("--quick", "--only", "cp", "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert "TensorLy random start" in done.stdout
    report = json.loads(output.read_text())
    assert report["quick"] is True
    assert report["threads"] == 1
    (result,) = report["benchmarks"]
    cases = {(r["step factors"], r["noise"], r["method"]) for r in result["rows"]}
    methods = ("ltr_core.cp", "TensorLy default", "TensorLy random start")
    assert cases == {
        (kind, noise, method)
        for kind in ("collinear", "generic")
        for noise in (0.01, 0.25)
        for method in methods
    }
    for row in result["rows"]:
        assert 0 < row["fit"] <= 1
        assert (row["ratio"] is None) == (row["method"] == "ltr_core.cp")
    assert len(result["criteria"]) == 10
    assert all(c["holds"] is None for c in result["criteria"])


def test_an_unknown_benchmark_is_refused() -> None:
    done = run("--only", "speed")
    assert done.returncode == 2
    assert "invalid choice: 'speed'" in done.stderr
