"""The real chapters, executed at smoke scale: the same bytes again, within the budget."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# It has all kinds: networks that learn, fits side by side, a recording of others.
AGAIN = ("10_recordings",)


def test_real_chapters_give_the_same_bytes_again(built: Path, tmp_path: Path, jobs: int) -> None:
    again = tmp_path / "again"
    shutil.copytree(built, again, ignore=shutil.ignore_patterns("_build"))
    options = ["--scale", "smoke", "--seed", "0", "--jobs", str(jobs)]
    done = subprocess.run(
        [sys.executable, "book/_pipeline", "execute", *AGAIN, *options],
        cwd=again,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = Path("_build", "executed", "smoke-0")
    for name in AGAIN:
        file = f"{name}.ipynb"
        assert (built / folder / file).read_bytes() == (again / folder / file).read_bytes(), name


def test_execution_page_has_the_records_of_every_chapter(
    built: Path, executed: dict[str, Any]
) -> None:
    records = json.loads((built / "_build" / "stage" / "execution.json").read_text())
    assert [record["chapter"] for record in records] == list(executed)
    for record in records:
        assert record["peak_memory_mb"] < 1500, record["chapter"]


def test_no_claim_is_judged_at_smoke_scale(built: Path) -> None:
    rows = json.loads((built / "_build" / "ledger.json").read_text())
    assert rows
    assert {row["holds"] for row in rows} == {None}
    assert {row["scale"] for row in rows} == {"smoke"}


@pytest.mark.parametrize("page", ["index.html", "scorecard.html", "execution.html"])
def test_site_has_its_pages(site: Path, page: str) -> None:
    assert (site / page).exists()
