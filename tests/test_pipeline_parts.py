"""The pipeline's parts, without a kernel."""

import json
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from _pipeline import chapters, notebooks, publish, results, stage
from _pipeline.kernel import kernel_environment
from _pipeline.progress import Progress
from _pipeline.project import BuildError, Project, Settings
from tiny_book import TinyBook

import ltr_core.charts.output
import ltr_core.claims
import ltr_core.published
import ltr_core.published_results


def notebook_with(cell: str) -> nbformat.NotebookNode:
    return jupytext.reads(f'# %% tags=["parameters"]\n{cell}\n', fmt="py:percent")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('scale = "book"', "does not set 'seed'"),
        ("seed = 0", "does not set 'scale'"),
        ('scale = "book"\nseed = 0\nrank = max(3, 2)', "only lines like seed = 0"),
        ('scale = "large"\nseed = 0', "scale is 'large': choose one of smoke, book, paper"),
        ('scale = "book"\nseed = -1', "seed is -1"),
        ('scale = "book"\nseed = True', "seed is True"),
        ('scale = "book"\nseed = 0.5', "seed is 0.5"),
        ('scale = "book"\nseed = int(3)', "only lines like seed = 0"),
        ('scale = "book"\nseed = 0\nprint(seed)', "only lines like seed = 0"),
    ],
)
def test_parameters_cell_is_checked(cell: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        chapters.check_parameters(notebook_with(cell))


def test_parameters_of_a_chapters_own_are_literals() -> None:
    chapters.check_parameters(notebook_with('scale = "book"\nseed = 0\npath = ""\nrank = [2, 3]'))


@pytest.mark.parametrize("number", [0, 2])
def test_there_must_be_one_parameters_cell(number: int) -> None:
    text = '# %% tags=["parameters"]\nscale = "book"\nseed = 0\n\n' * number + "# %%\nx = 1\n"
    with pytest.raises(BuildError, match=f"{number} cells are tagged"):
        chapters.check_parameters(jupytext.reads(text, fmt="py:percent"))


def test_faults_of_all_chapters_are_told_at_once(tmp_path: Path) -> None:
    book = TinyBook.create(tmp_path)
    book.chapter("01_first", parameters="# %%\nx = 1")
    book.chapter("02_second", parameters='# %% tags=["parameters"]\nscale = (\n')
    book.chapter("notes")
    book.chapter("03_third")
    (tmp_path / "_toc.yml").write_text((tmp_path / "_toc.yml").read_text() + "- file: 04_fourth\n")
    with pytest.raises(BuildError) as raised:
        chapters.discover(Project(tmp_path))
    faults = str(raised.value).splitlines()
    assert any("01_first.py: 0 cells are tagged" in fault for fault in faults)
    assert any("02_second.py: '(' was never closed" in fault for fault in faults)
    assert any("notes.py: a chapter's file is named like" in fault for fault in faults)
    assert any("03_third is not in _toc.yml" in fault for fault in faults)
    assert any("there is no book/04_fourth.py" in fault for fault in faults)


def test_files_that_are_no_text_are_named(tmp_path: Path) -> None:
    book = TinyBook.create(tmp_path)
    (book.root / "book" / "01_first.py").write_bytes(b"# caf\xe9\n")
    (book.root / "_toc.yml").write_text("root: [intro\n")
    with pytest.raises(BuildError) as raised:
        chapters.discover(Project(tmp_path))
    assert f"{tmp_path / 'book' / '01_first.py'} is not text in UTF-8" in str(raised.value)
    assert f"{tmp_path / '_toc.yml'} is not YAML: while parsing" in str(raised.value)
    (book.root / "_config.yml").write_text("title: [\n")
    with pytest.raises(BuildError, match=r"_config\.yml is not YAML"):
        stage.read_address(Project(tmp_path))


def test_a_book_without_chapters_or_contents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    with pytest.raises(BuildError, match="no chapters"):
        chapters.discover(Project(tmp_path))
    book = TinyBook.create(tmp_path / "other")
    (book.root / "_toc.yml").unlink()
    with pytest.raises(BuildError, match="table of contents, is missing"):
        chapters.discover(Project(book.root))


def test_fingerprint_follows_all_that_a_chapter_depends_on(tmp_path: Path) -> None:
    book = TinyBook.create(tmp_path)
    project = Project(tmp_path)

    def fingerprint(settings: Settings = Settings()) -> str:  # noqa: B008 - frozen
        return chapters.fingerprint(chapters.discover(project)[0], project, settings)

    seen = [fingerprint(), fingerprint(Settings(scale="paper")), fingerprint(Settings(seed=1))]
    book.chapter("01_first", "x = 2")
    seen.append(fingerprint())
    (tmp_path / "ltr_core").mkdir()
    (tmp_path / "ltr_core" / "new.py").write_text("x = 1\n")
    seen.append(fingerprint())
    (tmp_path / "ltr_core" / "new.py").write_text("x = 2\n")
    seen.append(fingerprint())
    (tmp_path / "requirements.lock").write_text("numpy==1.0\n")
    seen.append(fingerprint())
    assert len(set(seen)) == len(seen)
    book.chapter("02_second", "x = 3")
    assert fingerprint(Settings(jobs=5, cell_timeout=9)) == seen[-1]


def test_a_kept_result_is_part_of_the_fingerprint_where_it_is_shown(tmp_path: Path) -> None:
    TinyBook.create(tmp_path)
    project = Project(tmp_path)
    chapter = chapters.discover(project)[0]

    def fingerprints() -> list[str]:
        scales = ("book", "smoke", "paper")
        return [chapters.fingerprint(chapter, project, Settings(scale)) for scale in scales]

    before = fingerprints()
    project.results.mkdir()
    (project.results / "02_second.json").write_text("{}")
    assert fingerprints() == before
    (project.results / "01_first.json").write_text("{}")
    first = fingerprints()
    (project.results / "01_first.json").write_text("[]")
    second = fingerprints()
    assert len({before[0], first[0], second[0]}) == 3
    # at scale paper it is what the chapter makes, not what it depends on
    assert before[1:] == first[1:] == second[1:]
    environment = kernel_environment(tmp_path, tmp_path / "scratch")
    assert environment["LTR_RESULTS"] == str(project.results)


def test_with_values_changes_values_and_nothing_else() -> None:
    source = "# don't\nscale = 'book'   # it's\nseed=0;  # s\npath = ''\n"
    used = notebooks.with_values(source, {"scale": "paper", "seed": 12})
    assert used == "# don't\nscale = \"paper\"   # it's\nseed=12;  # s\npath = ''"


def test_with_values_leaves_a_chapters_own_parameters() -> None:
    used = notebooks.with_values('seed = 0\npath = ""  # yours', {"scale": "book", "seed": 7})
    assert used == 'seed = 7\npath = ""  # yours'


def test_addresses_in_plain_representations_are_hidden() -> None:
    cell = nbformat.v4.new_code_cell("object()")
    data = {"text/plain": "<object at 0x7f00ab>"}
    cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    notebook = notebooks.normalise(nbformat.v4.new_notebook(cells=[cell]), {})
    assert notebook.cells[0].outputs[0].data["text/plain"] == "<object at 0x...>"


def test_stderr_counts_unless_the_cell_drops_it() -> None:
    cell = nbformat.v4.new_code_cell("warn()")
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="odd")]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert notebooks.noisy_cell(notebook) == (0, "odd")
    cell.metadata["tags"] = [notebooks.KEEP_QUIET]
    assert notebooks.noisy_cell(notebook) is None
    assert notebooks.normalise(notebook, {}).cells[0].outputs == []


def test_two_figures_in_a_cell_are_refused() -> None:
    figures = [
        {notebooks.FIGURE: {"name": name, "caption": "c", "alt": "a"}}
        for name in ("fig-a", "fig-b")
    ]
    cell = nbformat.v4.new_code_cell("both()")
    cell.outputs = [nbformat.v4.new_output("display_data", data) for data in figures]
    with pytest.raises(BuildError, match="cell 1: shows fig-a, fig-b: one figure a cell"):
        notebooks.label_figures(nbformat.v4.new_notebook(cells=[cell]), "01_first")


def test_figures_are_marked_as_the_package_marks_them() -> None:
    assert notebooks.FIGURE == ltr_core.charts.output.FIGURE_MIME


def test_row_of_another_scale_or_chapter_is_refused() -> None:
    row = dict.fromkeys(ltr_core.claims.FIELDS, "x") | {
        "id": "P3.one",
        "chapter": "01_first",
        "scale": "book",
        "seed": 0,
    }
    cell = nbformat.v4.new_code_cell("claim()")
    cell.outputs = [nbformat.v4.new_output("display_data", {ltr_core.claims.MIME: row})]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert stage.rows_of_chapter(notebook, "01_first", Settings()) == [row]
    with pytest.raises(BuildError, match="says scale 'book', executed was 'smoke'"):
        stage.rows_of_chapter(notebook, "01_first", Settings(scale="smoke"))
    with pytest.raises(BuildError, match=r"02_second: claim 'P3\.one' says chapter '01_first'"):
        stage.rows_of_chapter(notebook, "02_second", Settings())
    del cell.outputs[0].data[ltr_core.claims.MIME]["holds"]
    with pytest.raises(BuildError, match=r"01_first: .*holds"):
        stage.rows_of_chapter(notebook, "01_first", Settings())


def published_notebook(**changes: Any) -> Any:
    """A notebook that compares one published value, at scale paper."""
    found = {"values": [2.0], "mean": 2.0, "sd": None}
    row = {"quantity": "g 0", "published": 1.0, "tolerance": 2.0, "ours": found, "missing": None}
    record = dict.fromkeys(ltr_core.published.FIELDS, "x") | {
        "id": "time",
        "chapter": "01_first",
        "rows": [row | {"agrees": True, "at_published_size": None}],
        "scale": "paper",
        "seed": 0,
    }
    cell = nbformat.v4.new_code_cell("compare()")
    data = {ltr_core.published.MIME: record | changes}
    cell.outputs = [nbformat.v4.new_output("display_data", data)]
    return nbformat.v4.new_notebook(cells=[cell])


def test_published_figure_of_another_scale_is_refused() -> None:
    settings = Settings("paper")
    (record,) = stage.records_of_chapter(published_notebook(), "01_first", settings)
    assert record["id"] == "time"
    with pytest.raises(BuildError, match="published figure 'time' says scale 'book'"):
        stage.records_of_chapter(published_notebook(scale="book"), "01_first", settings)
    twice = published_notebook()
    twice.cells *= 2
    with pytest.raises(BuildError, match="01_first: 'time' is compared twice"):
        stage.records_of_chapter(twice, "01_first", settings)


def test_results_are_kept_at_scale_paper_and_only_where_they_changed(tmp_path: Path) -> None:
    project, settings = Project(tmp_path), Settings("paper")
    executed = project.executed(settings)
    executed.mkdir(parents=True)
    packages = {"numpy": "2.4", "torch": "2.13", "ltr-core": "0.1", "scipy": "1.1"}
    (executed / "01_first.json").write_text(json.dumps({"packages": packages}))
    nbformat.write(published_notebook(), executed / "01_first.ipynb")
    kept = results.keep_results("01_first", project, settings)
    assert kept == tmp_path / "results" / "01_first.json"
    found = ltr_core.published_results.read_results(kept)
    assert found["versions"] == {"ltr-core": "0.1", "torch": "2.13", "numpy": "2.4"}
    assert (found["scale"], found["seed"]) == ("paper", 0)
    assert results.keep_results("01_first", project, settings) is None
    nbformat.write(published_notebook(setting="N 512"), executed / "01_first.ipynb")
    assert results.keep_results("01_first", project, settings) == kept
    assert "N 512" in kept.read_text()
    assert [path.name for path in kept.parent.iterdir()] == ["01_first.json"]
    nbformat.write(nbformat.v4.new_notebook(), executed / "01_first.ipynb")
    assert results.keep_results("01_first", project, settings) is None
    assert results.keep_results("01_first", project, Settings("book")) is None


@pytest.mark.parametrize("address", ["", None, "https://github.com/someone/ltr"])
def test_buttons_follow_the_address(tmp_path: Path, address: str | None) -> None:
    config = {
        "repository": {"url": address},
        "launch_buttons": {"notebook_interface": "jupyterlab"},
        "sphinx": {"local_extensions": {"one": "book/_ext"}},
    }
    derived = stage.site_config(config, Project(tmp_path))
    assert derived["html"]["use_repository_button"] is bool(address)
    assert ("launch_buttons" in derived) is bool(address)
    assert derived["execute"]["execute_notebooks"] == "off"
    assert derived["sphinx"]["local_extensions"] == {"one": str(tmp_path / "book" / "_ext")}
    if address:
        assert derived["repository"]["url"] == address
        assert derived["launch_buttons"]["binderhub_url"] == stage.BINDER


@pytest.mark.parametrize(
    ("written", "staged"),
    [
        ("[next](02_second.py)", "[next](02_second.ipynb)"),
        ("[there](02_second.py#a-place)", "[there](02_second.ipynb#a-place)"),
        ("[a script](tools.py) and 02_second.py", "[a script](tools.py) and 02_second.py"),
    ],
)
def test_links_to_scripts_lead_to_pages(written: str, staged: str) -> None:
    assert notebooks.link_pages(written) == staged


def test_publishing_replaces_the_whole_site(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.html.mkdir(parents=True)
    (project.html / "old.html").write_text("old")
    built = project.build / "new"
    built.mkdir()
    (built / "index.html").write_text("new")
    publish.publish(built, project)
    assert [path.name for path in project.html.iterdir()] == ["index.html"]
    assert [path.name for path in project.build.iterdir()] == ["html"]


def test_site_comes_back_after_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    project = Project(tmp_path)
    previous = project.build / "html.previous"
    previous.mkdir(parents=True)
    (previous / "index.html").write_text("good")
    publish.restore(project)
    assert (project.html / "index.html").read_text() == "good"


def test_progress_tells_name_state_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(["01_first", "02_second_one"])
    progress.unchanged("01_first")
    progress.started("02_second_one")
    progress.done("02_second_one")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["01_first", "unchanged"],
        ["02_second_one", "started"],
        ["02_second_one", "done"],
    ]
    assert lines[-1].endswith(" s")
    assert lines[0].index("unchanged") == lines[1].index("started")


def test_execution_record_and_ledger_are_plain_json(tmp_path: Path) -> None:
    rows = {"01_first": [{"id": "P3.a"}], "02_second": [{"id": "P3.b"}, {"id": "P3.c"}]}
    assert [row["id"] for row in stage.merge_ledger(rows)] == ["P3.a", "P3.b", "P3.c"]
    with pytest.raises(BuildError, match=r"'P3\.b' is made twice, in 02_second and in 02_second"):
        stage.merge_ledger({"02_second": [{"id": "P3.b"}, {"id": "P3.b"}]})
    assert json.loads(json.dumps(stage.merge_ledger(rows))) == stage.merge_ledger(rows)
