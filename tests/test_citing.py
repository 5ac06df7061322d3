"""How to cite the project and its papers, in every form; version and commit; the changelog."""

import html
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pipeline.project import Project
from _pipeline.stage import site_config
from _pipeline.versions import build_record, project_version, version_line
from _pipeline.zenodo import zenodo_json
from repositories import git

BUILD = {
    "version": "0.1.0",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "changed": True,
    "date": "2026-05-04",
    "line": "Version 0.1.0, commit 0123456 with local changes",
    "address": "https://github.com/someone/ltr",
}


@pytest.fixture
def extension(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import one of the book's Sphinx extensions by name."""
    monkeypatch.syspath_prepend(str(repository / "book" / "_ext"))
    return importlib.import_module


@pytest.fixture
def citation(repository: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def page(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The page made by `{citation}` from this record of a build: source, and text without tags."""
    folder = tmp_path_factory.mktemp("cite")
    cff = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    unreleased = {key: cff[key] for key in cff if key not in ("date-released", "doi")}
    (folder / "unreleased.cff").write_text(yaml.safe_dump(unreleased), encoding="utf-8")
    (folder / "conf.py").write_text(
        f"import pathlib, sys\nsys.path.insert(0, {str(repository / 'book' / '_ext')!r})\n"
        f"import ltr_cite\nltr_cite.CITATION = pathlib.Path({str(folder / 'unreleased.cff')!r})\n"
        'extensions = ["myst_parser", "sphinx_copybutton", "ltr_pages", "ltr_cite"]\n'
        'exclude_patterns = ["out"]\nhtml_theme = "sphinx_book_theme"\n'
        f"html_static_path = [{str(repository / 'book' / '_ext' / 'static')!r}]\n"
        f"html_context = {{'ltr_build': {BUILD!r}}}\n",
        encoding="utf-8",
    )
    (folder / "index.md").write_text("# Page\n\n```{citation}\n```\n", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-n", "-W"]
    done = subprocess.run(
        [*command, str(folder), str(folder / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    source = (folder / "out" / "index.html").read_text(encoding="utf-8")
    return source, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", source)).split())


def test_the_page_has_the_project_in_both_forms(page: Any, citation: dict[str, Any]) -> None:
    source, text = page
    title = citation["title"]
    version = citation["version"]
    written = f"(2026). {title} (Version {version}, commit 0123456) [Computer software]."
    assert written in " ".join(text.split()).replace("  ", " ")
    assert f"<em>{title}</em>" in source
    assert "@software{low_tensor_rank_learning," in text
    assert "note = {Not released, commit 0123456}" in text
    assert "has no DOI" in text


def test_the_page_has_both_papers_in_both_forms(page: Any, repository: Path) -> None:
    _, text = page
    for piece in (
        "Pellegrino, A., Cayco-Gajic, N. A., & Chadwick, A. (2023). Low Tensor Rank Learning of "
        "Neural Dynamics. In Advances in Neural Information Processing Systems 36 (NeurIPS 2023) . "
        "https://arxiv.org/abs/2308.11567",
        "Schuessler, F., Mastrogiuseppe, F., Dubreuil, A., Ostojic, S., & Barak, O. (2020).",
        "@inproceedings{pellegrino2023,",
        "@inproceedings{schuessler2020,",
        "pages = {13352--13362},",
    ):
        assert piece in text
    assert text.count("@") == 3


def test_every_form_can_be_copied(page: Any, repository: Path) -> None:
    source, _ = page
    config = yaml.safe_load((repository / "_config.yml").read_text(encoding="utf-8"))
    selector = config["sphinx"]["config"]["copybutton_selector"]
    assert selector == "div.highlight pre, div.ltr-apa p"
    assert len(re.findall(r'<div class="ltr-apa docutils container">\s*<p>', source)) == 3
    assert len(re.findall(r'<div class="highlight"><pre>', source)) == 3


def test_every_page_ends_with_version_and_commit(page: Any) -> None:
    source, text = page
    assert BUILD["line"] in text
    assert f'href="https://github.com/someone/ltr/commit/{BUILD["commit"]}">0123456</a>' in source


def test_without_an_address_the_commit_is_no_link(extension: Any) -> None:
    footer = extension("ltr_cite").footer
    nowhere = {**BUILD, "address": ""}
    assert footer(nowhere) == f'<p class="ltr-version">{BUILD["line"]}</p>'
    unknown = {**BUILD, "commit": "", "line": "Version 1, unknown commit"}
    assert "<a" not in footer(unknown)


def test_a_release_is_cited_by_its_date_and_doi(extension: Any) -> None:
    module, words = extension("ltr_cite"), extension("ltr_text")
    released = {
        "title": "A title",
        "authors": [{"name": "The group"}, {"given-names": "Ada-Anne B.", "family-names": "Byron"}],
        "version": "1.0.0",
        "date-released": "2027-01-02",
        "doi": "10.5281/zenodo.1",
    }
    assert module.dated(released, BUILD) == released
    text = "".join(piece for piece, _ in words.apa(released))
    assert text == (
        "The group, & Byron, A.-A. B. (2027). A title (Version 1.0.0) [Computer software]."
    )
    assert words.address(released) == "https://doi.org/10.5281/zenodo.1"
    entry = words.to_bibtex(released)
    assert "author  = {{The group} and Byron, Ada-Anne B.}," in entry
    assert "doi     = {10.5281/zenodo.1}," in entry
    assert "note" not in entry
    assert "DOI is that of version 1.0.0" in module.availability(released, BUILD)


def test_a_reference_without_its_entry_is_an_error(extension: Any) -> None:
    with pytest.raises(Exception, match=r"0 entries of book/references\.bib have the url"):
        extension("ltr_cite").bibtex_of({"url": "https://arxiv.org/abs/1"}, "@misc{a,\n}\n")


def test_zenodos_record_agrees_with_the_citation(
    repository: Path, citation: dict[str, Any]
) -> None:
    record = json.loads((repository / ".zenodo.json").read_text(encoding="utf-8"))
    # What Zenodo's documentation of deposits lists; other keys would be dropped without a word.
    text, listed = str, list
    kinds = {
        "upload_type": text,
        "title": text,
        "description": text,
        "creators": listed,
        "version": text,
        "license": text,
        "notes": text,
        "access_right": text,
        "language": text,
        "keywords": listed,
        "related_identifiers": listed,
    }
    assert {key: type(value) for key, value in record.items()} == kinds
    assert record["upload_type"] == "software"
    assert record["access_right"] == "open"
    for key in ("title", "version", "keywords"):
        assert record[key] == citation[key]
    assert citation["abstract"] in record["description"]
    assert record["license"] in citation["license"]
    assert record["creators"] == [{"name": person["name"]} for person in citation["authors"]]
    papers = {
        identifier["value"]
        for paper in citation["references"]
        for identifier in paper["identifiers"]
    }
    for relation in ("isSupplementTo", "cites"):
        related = [one for one in record["related_identifiers"] if one["relation"] == relation]
        assert {one["identifier"] for one in related} == papers
        assert {one["scheme"] for one in related} == {"arxiv"}


def test_zenodo_has_a_persons_family_name_first(citation: dict[str, Any]) -> None:
    person = {"given-names": "Ada", "family-names": "Byron"}
    record = json.loads(zenodo_json({**citation, "authors": [person]}))
    assert record["creators"] == [{"name": "Byron, Ada"}]


def test_the_version_is_the_same_everywhere(repository: Path, citation: dict[str, Any]) -> None:
    metadata = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    version = citation["version"]
    assert metadata["project"]["version"] == version
    assert importlib.metadata.version("ltr-core") == version
    assert project_version(repository) == version
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## \[(.+?)\] - (.+)$", changelog, flags=re.MULTILINE)[0]
    assert newest == (version, str(citation.get("date-released", "not released yet")))


def test_the_build_knows_its_commit(tmp_path: Path) -> None:
    project = Project(tmp_path / "inner")
    project.root.mkdir()
    assert version_line(project) == "Unknown commit"
    (project.root / "pyproject.toml").write_text('[project]\nversion = "2.3.4"\n')
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    assert version_line(project) == "Version 2.3.4, unknown commit", "another's commit was taken"
    git(project.root, "init", "-q")
    git(project.root, "add", ".")
    git(project.root, "commit", "-qm", "two", "--date", "2001-02-03T12:00:00")
    commit = git(project.root, "rev-parse", "HEAD")
    record = build_record(project)
    assert record == build_record(project)
    assert record["commit"] == commit
    assert record["line"] == f"Version 2.3.4, commit {commit[:7]}"
    (project.root / "new.txt").write_text("new")
    assert version_line(project) == f"Version 2.3.4, commit {commit[:7]} with local changes"
    (project.root / "CITATION.cff").write_text("version: 2.3.5\n")
    assert version_line(project).startswith("Version 2.3.5,")


def test_the_site_is_made_anew_for_a_new_commit(tmp_path: Path) -> None:
    """The site's inputs hold the derived configuration, and that holds the commit."""
    project = Project(tmp_path)
    derived = site_config({"title": "t"}, project)
    kept = derived["sphinx"]["config"]["html_context"]["ltr_build"]
    assert kept == {**build_record(project), "address": ""}


def test_the_changelog_is_a_page_of_the_book(site: Path, citation: dict[str, Any]) -> None:
    text = (site / "changelog.html").read_text(encoding="utf-8")
    version = citation["version"]
    assert f"[{version}] - {citation.get('date-released', 'not released yet')}" in text
    for path in site.glob("*.html"):
        # the copy in which the tests build the book is no repository
        if path.name != "index.html":
            assert f"Version {version}, unknown commit" in path.read_text(encoding="utf-8"), (
                path.name
            )
