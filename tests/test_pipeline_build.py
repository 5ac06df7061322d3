"""The pipeline as a user meets it: real processes on a small book, sound and broken."""

import shutil
import signal
import time
from pathlib import Path

import nbformat
import pytest
from _pipeline.build import _note
from _pipeline.project import Settings
from tiny_book import DRAW, TinyBook, claim_cell

from ltr_core.published_results import read_results

HANG = "import time\nprint('waiting', flush=True)\ntime.sleep(300)"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A tiny book that was built once; not to be changed."""
    book = TinyBook.create(tmp_path_factory.mktemp("good") / "with space")
    code, out, err = book.run("build", "--jobs", "2")
    assert code == 0, out + err
    return book


@pytest.fixture
def book(good: TinyBook, tmp_path: Path) -> TinyBook:
    """A copy of the book that was built, to be broken."""
    shutil.copytree(good.root, tmp_path / "copy")
    return TinyBook(tmp_path / "copy")


def kernels_of(root: Path) -> list[str]:
    """Command lines of live processes whose working directory lies in a project."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(root):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def wait_until(condition, seconds: float = 30.0) -> None:
    """Wait for a condition; fail if it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.05)


def test_build_makes_site_ledger_and_execution_record(good: TinyBook) -> None:
    assert "Chapter 01_first" in (good.root / "_build/html/01_first.html").read_text()
    assert 'href="02_second.html"' in (good.root / "_build/html/01_first.html").read_text()
    assert [row["id"] for row in good.json("ledger.json")] == ["P3.one", "P3.two"]
    assert good.json("stage/ledger.json") == good.json("ledger.json")
    assert [record["id"] for record in good.json("published.json")] == ["time"]
    assert good.json("stage/published.json") == good.json("published.json")
    first, second = good.json("stage/execution.json")
    assert (first["chapter"], second["chapter"]) == ("01_first", "02_second")
    assert first["title"] == "Chapter 01_first"
    assert first["elapsed_s"] > 0
    assert 20 < first["peak_memory_mb"] < 2000
    assert first["packages"]["ltr-core"]
    assert first["hardware"]


def test_notebook_shows_the_values_that_were_used(good: TinyBook) -> None:
    notebook = nbformat.read(good.executed / "01_first.ipynb", as_version=4)
    parameters, draw = notebook.cells[1], notebook.cells[2]
    assert parameters.source == 'scale = "smoke"  # how large\nseed = 0'
    assert draw.outputs[0].text == "smoke\n"
    assert [cell.id for cell in notebook.cells] == [f"cell-00{n}" for n in range(1, 6)]
    text = nbformat.writes(notebook)
    assert "papermill" not in text
    assert "injected" not in text
    assert "iopub" not in text


def test_figure_is_labelled_in_the_stage_only(good: TinyBook) -> None:
    staged = nbformat.read(good.root / "_build/stage/01_first.ipynb", as_version=4)
    plain = nbformat.read(good.executed / "01_first.ipynb", as_version=4)
    assert staged.cells[-1].metadata.mystnb == {
        "figure": {"name": "fig-line", "caption": "A line."}
    }
    assert "mystnb" not in plain.cells[-1].metadata
    assert 'id="fig-line"' in (good.root / "_build/html/01_first.html").read_text()


def test_same_seed_gives_the_same_bytes_whatever_the_user_has_installed(
    good: TinyBook, tmp_path: Path
) -> None:
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "x"}')
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import random\nrandom.seed = lambda seed: None")
    again = TinyBook.create(tmp_path / "again")
    settings = {
        "JUPYTER_PATH": str(tmp_path / "jupyter"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PYTHONHASHSEED": "7",
    }
    code, out, err = again.run("execute", **settings)
    assert code == 0, out + err
    assert again.notebook_bytes() == good.notebook_bytes()
    assert len(good.notebook_bytes()) == 2


def test_another_seed_gives_other_results_beside_the_first(book: TinyBook) -> None:
    before = book.notebook_bytes()
    code, out, err = book.run("execute", "01_first", "--seed", "1")
    assert code == 0, out + err
    other = (book.root / "_build/executed/smoke-1/01_first.ipynb").read_bytes()
    assert other != before["01_first.ipynb"]
    assert book.notebook_bytes() == before


def test_what_was_found_at_the_published_size_is_kept_and_comes_back(book: TinyBook) -> None:
    assert not (book.root / "results").exists(), "nothing is kept at another scale"
    options = ("execute", "--published", "--scale", "paper")
    code, out, err = book.run(*options)
    assert code == 0, out + err
    assert book.states(out) == {"02_second": "done"}
    kept = book.root / "results" / "02_second.json"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    found = kept.read_bytes()
    assert read_results(kept)["figures"]["time"]["rows"][0]["ours"]["values"] == [70.0, 74.0]
    # hours of work are not done again for a file that was lost
    kept.unlink()
    code, out, err = book.run(*options)
    assert code == 0, out + err
    assert book.states(out) == {"02_second": "unchanged"}
    assert kept.read_bytes() == found
    book.chapter("02_second", "x = 1")
    code, _, err = book.run(*options)
    assert code == 1
    assert "none of the chapters states published values" in err


def test_chapter_over_the_budget_is_told(tmp_path: Path) -> None:
    stamp = tmp_path / "01_first.json"
    stamp.write_text('{"elapsed_s": 9.0, "peak_memory_mb": 1501}')
    assert _note(stamp, Settings(scale="book")).startswith("1501 MB  OVER the budget")
    assert _note(stamp, Settings(scale="paper")) == "1501 MB"
    stamp.write_text('{"elapsed_s": 300.0, "peak_memory_mb": 1500}')
    assert _note(stamp, Settings(scale="book")) == "1500 MB"


def test_second_build_does_nothing(good: TinyBook) -> None:
    before = good.times()
    code, out, err = good.run("build")
    assert code == 0, out + err
    assert good.states(out) == {"01_first": "unchanged", "02_second": "unchanged"}
    assert "site unchanged" in out
    assert good.times() == before


def test_a_change_executes_only_its_chapter(book: TinyBook) -> None:
    book.chapter("02_second", claim_cell("P3.changed", "02_second"))
    code, out, err = book.run("build")
    assert code == 0, out + err
    assert book.states(out) == {"01_first": "unchanged", "02_second": "done"}
    assert [row["id"] for row in book.json("ledger.json")] == ["P3.one", "P3.changed"]


def test_failing_chapter_is_reported_and_leaves_the_rest(book: TinyBook) -> None:
    site, ledger = book.site_bytes(), book.json("ledger.json")
    book.chapter("01_first", "x = 1", "total = 0\nfor n in (2, 1, 0):\n    total += 1 / n\n")
    book.chapter("02_second", claim_cell("P3.new", "02_second"))
    code, out, err = book.run("build")
    assert code == 1
    assert book.states(out) == {"01_first": "FAILED", "02_second": "done"}
    assert "FAILED 01_first: book/01_first.py:15, cell 4\n" in err
    assert "    >     total += 1 / n\n" in err
    assert "ZeroDivisionError: division by zero" in err
    assert "_build/failed/01_first.ipynb" in err
    assert "Traceback" not in err
    kept = nbformat.read(book.root / "_build/failed/01_first.ipynb", as_version=4)
    assert any(out.output_type == "error" for cell in kept.cells for out in cell.get("outputs", []))
    assert book.site_bytes() == site
    assert book.json("ledger.json") == ledger
    # Once mended, only that chapter is executed, and its failed notebook goes.
    book.chapter("01_first", "x = 1")
    code, out, err = book.run("build")
    assert code == 0, out + err
    assert book.states(out) == {"01_first": "done", "02_second": "unchanged"}
    assert not (book.root / "_build/failed/01_first.ipynb").exists()
    assert book.site_bytes() != site


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("import warnings\nwarnings.warn('odd')", "wrote to standard error"),
        ("import os\nos._exit(3)", "the kernel died while this cell ran"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        (HANG, "the cell ran into its time limit"),
    ],
    ids=["warning", "dead kernel", "exit", "hang"],
)
def test_other_failures_name_chapter_and_cell(book: TinyBook, cell: str, message: str) -> None:
    site = book.site_bytes()
    book.chapter("02_second", "ready = True", cell)
    code, _, err = book.run("build", "--cell-timeout", "4")
    assert code == 1
    assert book.site_bytes() == site
    assert "FAILED 02_second: book/02_second.py:" in err
    assert ", cell 4\n" in err
    assert message in err
    assert cell.splitlines()[-1] in err


def test_interrupted_build_ends_its_kernels_keeps_what_is_done_and_resumes(
    book: TinyBook,
) -> None:
    book.chapter("01_first", DRAW, claim_cell("P3.one", "01_first"))
    book.chapter("02_second", HANG)
    site = book.site_bytes()
    finished = book.executed / "01_first.json"
    finished.unlink()
    process = book.start("build", "--jobs", "2")
    wait_until(lambda: finished.exists() and kernels_of(book.root / "book"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    wait_until(lambda: not kernels_of(book.root / "book"), seconds=10)
    assert book.site_bytes() == site
    book.chapter("02_second", claim_cell("P3.mended", "02_second"))
    code, out, err = book.run("execute")
    assert code == 0, out + err
    assert book.states(out) == {"01_first": "unchanged", "02_second": "done"}


def test_killed_build_takes_its_kernels_with_it(book: TinyBook) -> None:
    site = book.site_bytes()
    book.chapter("02_second", HANG)
    process = book.start("build")
    wait_until(lambda: bool(kernels_of(book.root / "book")))
    process.kill()
    process.communicate(timeout=30)
    wait_until(lambda: not kernels_of(book.root / "book"), seconds=10)
    assert book.site_bytes() == site


def test_second_build_at_once_is_refused(book: TinyBook) -> None:
    book.chapter("02_second", HANG)
    process = book.start("execute", "02_second")
    try:
        wait_until(lambda: bool(kernels_of(book.root / "book")))
        code, out, err = book.run("build")
        assert code == 1
        assert f"another build (process {process.pid})" in err
        assert "started" not in out
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 130


def test_failing_sphinx_leaves_the_last_good_site(book: TinyBook) -> None:
    site, ledger = book.site_bytes(), book.json("ledger.json")
    book.chapter("02_second", claim_cell("P3.other", "02_second"))
    (book.root / "book" / "intro.md").write_text("# Welcome\n\nSee [](nowhere).\n")
    code, out, err = book.run("build")
    assert code == 1
    assert "the site could not be built" in err
    assert "nowhere" in err
    assert "_build/sphinx.log" in err
    assert book.site_bytes() == site
    assert book.json("ledger.json") == ledger
    (book.root / "book" / "intro.md").write_text("# Welcome back\n")
    code, out, err = book.run("build")
    assert code == 0, out + err
    assert book.json("ledger.json") != ledger
    assert "Welcome back" in (book.root / "_build/html/intro.html").read_text()


def test_claim_made_twice_names_both_chapters(book: TinyBook) -> None:
    site, ledger = book.site_bytes(), book.json("ledger.json")
    book.chapter("02_second", claim_cell("P3.one", "02_second"))
    code, _, err = book.run("build")
    assert code == 1
    assert "'P3.one' is made twice, in 01_first and in 02_second" in err
    assert book.site_bytes() == site
    assert book.json("ledger.json") == ledger


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "huge"], "unknown scale 'huge'"),
        (["--seed", "-1"], "the seed is -1"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["--jobs", "0"], "the number of jobs is 0"),
        (["--rank", "3"], "unrecognized arguments: --rank 3"),
        (["--sca", "book"], "unrecognized arguments: --sca book"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_executed(
    book: TinyBook, options: list[str], message: str
) -> None:
    shutil.rmtree(book.root / "_build")
    code, out, err = book.run("build", *options)
    assert code in (1, 2)
    assert message in err
    assert "started" not in out
    assert not (book.root / "_build").exists()


def test_missing_parameter_in_a_chapter_stops_the_build_before_the_first(book: TinyBook) -> None:
    book.chapter("01_first", "x = 2")
    book.chapter(
        "02_second", "x = 1", parameters='# %% tags=["parameters"]\nscale = "book"\nrank = 3'
    )
    code, out, err = book.run("build")
    assert code == 1
    assert "book/02_second.py: the parameters cell does not set 'seed'" in err
    assert "started" not in out
