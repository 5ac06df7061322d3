"""The book's Sphinx extensions on their own: generated pages, links, scripts from local files."""

import html
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CONF = """\
extensions = ["myst_parser", "ltr_pages"]
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["out"]
"""
SUMMARY = {"values": [0.94, 0.95, 0.96], "mean": 0.95, "sd": 0.01}


@pytest.fixture
def extensions(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the extensions, importable as Sphinx imports them."""
    folder = repository / "book" / "_ext"
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def load(extensions: Path) -> Any:
    """Import one of the extensions by name."""
    return importlib.import_module


def row(**changes: Any) -> dict[str, Any]:
    """A row of the ledger."""
    return {
        "id": "P3.fit",
        "claim": "P3",
        "chapter": "01_first",
        "statement": "The change $\\Delta W$ is low tensor rank & *small*.",
        "source": "Pellegrino et al. 2023, Fig. 2",
        "criterion": "The fit at rank 3 exceeds 0.9.",
        "expression": "min(fit) > 0.9 and x < 3",
        "measured": {"fit": SUMMARY},
        "control": {"shuffled steps": {"fit": {"values": [0.2], "mean": 0.2, "sd": None}}},
        "comparison": {"one matrix": {"fit": {"values": [0.7], "mean": 0.7, "sd": None}}},
        "holds": True,
        "scale": "book",
        "seed": 0,
    } | changes


def figure(**changes: Any) -> dict[str, Any]:
    """A figure's published values with the book's own."""
    shared = {"quantity": "flip-flop, g < 1", "published": 105.0, "tolerance": 50.0}
    other = {"ours": SUMMARY, "missing": None, "agrees": False}
    rows = [
        {**shared, "ours": SUMMARY, "missing": None, "agrees": True, "at_published_size": other},
        {**shared, "ours": None, "missing": "none learned", "agrees": False}
        | {"quantity": "decision", "at_published_size": None},
    ]
    return {
        "id": "learning-time",
        "chapter": "01_first",
        "figure": "Learning time against g",
        "source": "Schuessler et al. 2020, *a figure*",
        "setting": "N 128",
        "unit": "epochs",
        "rows": rows,
        "at_published_size": {"setting": "N 256", "seed": 0, "versions": {}},
        "scale": "book",
        "seed": 0,
    } | changes


def stamp(**changes: Any) -> dict[str, Any]:
    """What the pipeline leaves about one chapter."""
    return {
        "chapter": "01_first",
        "title": "The first",
        "scale": "book",
        "seed": 3,
        "elapsed_s": 185.4,
        "peak_memory_mb": 1210,
        "finished": "2025-11-22T10:11:12+00:00",
        "python": "3.11.2",
        "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
        "hardware": "A processor, 2 cores",
    } | changes


@pytest.fixture
def page(tmp_path: Path, extensions: Path) -> Any:
    """Build a page with these directives; its text without tags, warnings being errors."""

    def build(*directives: str, **records: Any) -> str:
        (tmp_path / "conf.py").write_text(
            f"import sys\nsys.path.insert(0, {str(extensions)!r})\n{CONF}", encoding="utf-8"
        )
        contents = "```{toctree}\n01_first\n```"
        made = "\n\n".join(f"```{{{directive}}}\n```" for directive in directives)
        (tmp_path / "index.md").write_text(f"# Page\n\n{made}\n\n{contents}\n", encoding="utf-8")
        (tmp_path / "01_first.md").write_text("# The first\n", encoding="utf-8")
        for name, content in records.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-n", "-W"]
        done = subprocess.run(
            [*command, str(tmp_path), str(tmp_path / "out")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        body = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        body = body[body.index("<h1>Page") : body.index("toctree-wrapper")]
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    return build


def test_empty_records_say_so(page: Any) -> None:
    text = page("ledger", "published", ledger=[], published=[])
    assert "the ledger is empty" in text
    assert "No chapter compares" in text


def test_the_scorecard_shows_every_part_of_every_row(page: Any, tmp_path: Path) -> None:
    rows = [row(), row(id="P3.null", holds=False), row(id="S1.x", holds=None, scale="smoke")]
    text = page("ledger", ledger=rows)
    for part in (
        "P3.fit",
        "✓ holds",
        "✗ does not hold",
        "– not judged at smoke scale",
        "low tensor rank & small",
        "Pellegrino et al. 2023, Fig. 2",
        "The fit at rank 3 exceeds 0.9.",
        "min(fit) > 0.9 and x < 3",
        "fit 0.95 ± 0.01 (n = 3)",
        "fit control, shuffled steps 0.2 (n = 1)",
        "fit beside it, one matrix 0.7 (n = 1)",
        "3 claims. ✓ holds: 1 ; ✗ does not hold: 1 ; – not judged at smoke scale: 1 .",
        "book scale, seed 0; smoke scale, seed 0",
    ):
        assert part in text
    source = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert source.count('href="01_first.html"><span class="doc">The first</span></a>') == len(rows)
    assert all(f'id="claim-{name}"' in source for name in ("p3-fit", "p3-null", "s1-x"))


def test_the_verdicts_are_counted_and_those_that_fail_are_named(page: Any) -> None:
    rows = [row(), row(id="P3.null", holds=False), row(id="P1.recording", holds=False)]
    assert "1 of 3 claims hold. 2 do not: P3.null , P1.recording ." in page("verdicts", ledger=rows)


def test_verdicts_where_some_or_all_are_missing(load: Any) -> None:
    outcome = load("ltr_pages").outcome
    smoke = [row(holds=None, scale="smoke")]
    assert outcome(smoke) == outcome([])
    assert "no verdicts" in outcome(smoke)
    assert outcome([row()]) == "In this build **1 of 1** claims hold."
    not_run = row(holds=None, not_run="no data")
    assert outcome([row(holds=False), not_run]).endswith("**1** does not: *P3.fit*. 1 was not run.")


def test_published_values_stand_beside_the_books_own(page: Any, tmp_path: Path) -> None:
    other = figure(chapter="index", figure="The same elsewhere", at_published_size=None)
    text = page("published", published=[figure(), other])
    for part in (
        "Computed at book scale, seed 0: 2 of 4 agree.",
        "Ours agrees where its mean lies within ± of the published value",
        "At the published sizes: 0 of 2 agree.",
        "Learning time against g",
        "quantity published ± tolerance (epochs) ours, mean ± sd verdict ours, at the published",
        "flip-flop, g < 1 105 ± 50 0.95 ± 0.01 (n = 3) ✓ agrees 0.95 ± 0.01 (n = 3) ✗ does not",
        "decision 105 ± 50 none learned ✗ does not agree –",
        "Chapter The first",
        "Source Schuessler et al. 2020, a figure",
        "Ours N 128 At the published size N 256",
    ):
        assert part in text
    source = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'id="published-01-first-learning-time"' in source
    assert 'id="published-index-learning-time"' in source
    assert 'data-label="verdict"' in source


def test_the_execution_page_lists_costs_and_versions(page: Any) -> None:
    text = page("execution", execution=[stamp()])
    assert "The first book 3 3 min 05 s 1.21 GB 2025-11-22" in text
    assert "Environment" in text
    for part in ("A processor, 2 cores", "Python 3.11.2", "numpy 2.4.6", "torch 2.13.0"):
        assert part in text


def test_chapters_run_elsewhere_have_an_environment_of_their_own(page: Any) -> None:
    text = page("execution", execution=[stamp(), stamp(python="3.11.9")])
    assert "Environment 1" in text
    assert "Environment 2" in text
    assert "Python 3.11.9" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.23, "4.2 s"), (60, "1 min 00 s"), (185.4, "3 min 05 s")]
)
def test_durations(load: Any, seconds: float, text: str) -> None:
    assert load("ltr_text").duration(seconds) == text


def test_a_page_that_is_no_chart_page_is_told_apart(load: Any) -> None:
    module: ModuleType = load("ltr_charts")
    assert module.has_charts('<p><div class="ltr-chart" id="chart-1"></div></p>')
    assert not module.has_charts("<p>The class ltr-chart.</p>")


def test_the_shared_script_keeps_its_names_to_itself(load: Any) -> None:
    script = load("ltr_charts").vega_script()
    assert script.startswith("(function () {")
    assert script.rstrip().endswith("})();")
    assert set(re.findall(r"\bwindow\.(\w+)\s*=[^=]", script)) == {"ltrVega"}


def test_mathjax_is_copied_from_its_package(load: Any, tmp_path: Path) -> None:
    module = load("ltr_mathjax")
    module.copy_mathjax(tmp_path / "mathjax")
    copied = {path.name for path in (tmp_path / "mathjax").rglob("*") if path.is_file()}
    assert {"tex-mml-chtml.js", "MathJax_Main-Regular.woff", "mhchem.js", "en.json"} <= copied
    size = sum(path.stat().st_size for path in (tmp_path / "mathjax").rglob("*.*"))
    assert size < 6e6  # the package holds 24 MB


def test_without_mathjax_the_build_says_what_to_install(
    load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("ltr_mathjax")
    monkeypatch.setattr(module, "PACKAGE", "no-such-package")
    with pytest.raises(Exception, match="no-such-package is not installed; install the extra"):
        module.mathjax_folder()


def test_the_list_of_references_keeps_no_roles(load: Any) -> None:
    without_roles = load("ltr_look").without_roles
    listed = '<div role="list" class="citation-list"><div class="citation" role="doc-biblioentry">'
    assert without_roles(listed) == '<div class="citation-list"><div class="citation">'
    assert without_roles('<ul role="list">') == '<ul role="list">'
