"""Buttons of a chapter: run it elsewhere, download it; in a site that has an address."""

import base64
import html
import importlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from repositories import git
from tiny_book import TinyBook

ADDRESS = "https://github.com/owner/book"
COLAB = "https://colab.research.google.com/github/owner/book/blob/gh-pages/colab"


@pytest.fixture
def extension(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import one of the book's Sphinx extensions by name."""
    monkeypatch.syspath_prepend(str(repository / "book" / "_ext"))
    return importlib.import_module


@pytest.fixture(scope="module")
def addressed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book that has a public address and a commit."""
    book = TinyBook.create(tmp_path_factory.mktemp("addressed"))
    config = yaml.safe_load((book.root / "_config.yml").read_text())
    config["repository"] = {"url": ADDRESS, "path_to_book": "book", "branch": "main"}
    folder = str(repository / "book" / "_ext")
    config["sphinx"]["local_extensions"] = dict.fromkeys(("ltr_cite", "ltr_links"), folder)
    (book.root / "_config.yml").write_text(yaml.safe_dump(config))
    (book.root / ".gitignore").write_text("_build\n")
    git(book.root, "init", "-q")
    git(book.root, "add", ".")
    git(book.root, "commit", "-qm", "one")
    code, _, err = book.run("build")
    assert code == 0, err
    return book


def page(book: TinyBook, name: str) -> str:
    return html.unescape((book.root / "_build" / "html" / f"{name}.html").read_text())


def test_binder_opens_the_script_that_git_holds(addressed: TinyBook) -> None:
    for name in ("01_first", "02_second"):
        links = re.findall(r'href="(https://mybinder\.org/[^"]+)"', page(addressed, name))
        script = f"book/{name}.py"
        assert links == [f"https://mybinder.org/v2/gh/owner/book/main?urlpath=lab/tree/{script}"]
        assert (addressed.root / script).is_file()
    assert "mybinder" not in page(addressed, "intro")


def test_colab_opens_a_notebook_of_the_site(addressed: TinyBook) -> None:
    commit = git(addressed.root, "rev-parse", "HEAD")
    for name in ("01_first", "02_second"):
        links = re.findall(r'href="(https://colab[^"]+)"', page(addressed, name))
        assert links == [f"{COLAB}/{name}.ipynb"]
        path = addressed.root / "_build" / "html" / "colab" / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        introduction, install, first, parameters, *_ = notebook.cells
        assert f"at commit {commit[:7]}" in introduction.source
        assert f'"ltr-core @ git+{ADDRESS}@{commit}"' in install.source
        assert first.source.startswith(f"# Chapter {name}")
        assert f"See [both]({COLAB}/02_second.ipynb)." in first.source
        assert "scale" in parameters.source
        assert not any(cell.get("outputs") for cell in notebook.cells)
    assert "colab" not in page(addressed, "intro")


def test_every_page_links_to_its_commit(addressed: TinyBook) -> None:
    commit = git(addressed.root, "rev-parse", "HEAD")
    for name in ("intro", "01_first", "02_second"):
        assert f'<a href="{ADDRESS}/commit/{commit}">{commit[:7]}</a>' in page(addressed, name)


def test_one_commit_gives_one_site_and_another_a_new_one(addressed: TinyBook) -> None:
    before = addressed.site_bytes()
    (addressed.root / "_build" / "html.sha256").unlink()
    code, out, _ = addressed.run("build")
    assert code == 0
    assert "site building" in out
    assert addressed.site_bytes() == before
    assert "site unchanged" in addressed.run("build")[1]
    git(addressed.root, "commit", "-q", "--allow-empty", "-m", "two")
    code, out, _ = addressed.run("build")
    assert "site building" in out
    assert git(addressed.root, "rev-parse", "--short=7", "HEAD") in page(addressed, "intro")


def test_colab_installs_what_the_chapters_need(extension: Any, repository: Path) -> None:
    colab = extension("ltr_colab")
    cell = colab.installation(ADDRESS, "")
    assert f'--no-deps --ignore-requires-python "ltr-core @ git+{ADDRESS}"\n' in cell
    metadata = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    for line in [*metadata["dependencies"], *metadata["optional-dependencies"]["data"]]:
        assert (f'"{line}"' in cell) == (not line.startswith("ipython"))
    known = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in colab.requirements()}
    for chapter in (repository / "book").glob("[0-9]*.py"):
        source = chapter.read_text(encoding="utf-8")
        imports = r"^ *(?:from (\w+)[\w.]* import |import (\w+))"
        found = {a or b for a, b in re.findall(imports, source, flags=re.MULTILINE)}
        assert found - known <= {"ltr_core", "IPython", *sys.stdlib_module_names}, chapter.name


@pytest.mark.parametrize("elsewhere", ["", "https://gitlab.com/owner/book", "https://e.org/a/b"])
def test_colab_is_offered_for_github_only(extension: Any, elsewhere: str) -> None:
    assert extension("ltr_colab").link(elsewhere, "01_first") == ""
    assert extension("ltr_colab").link(f"{ADDRESS}.git", "01_first") == f"{COLAB}/01_first.ipynb"


def test_launch_and_source_links_lead_to_the_script(extension: Any) -> None:
    def link(text: str, url: str) -> dict[str, str]:
        return {"type": "link", "text": text, "url": url}

    binder = "https://mybinder.org/v2/gh/o/r/main?urlpath=lab/tree/book/01_first.ipynb"
    buttons = [
        {
            "label": "launch-buttons",
            "buttons": [link("Binder", binder), link("Colab", "https://colab/01_first.ipynb")],
        },
        {"label": "source-buttons", "buttons": [link("Edit", "https://g/edit/01_first.ipynb")]},
        {"label": "download-buttons", "buttons": [link(".ipynb", "_sources/01_first.ipynb")]},
    ]
    module = extension("ltr_links")
    changed = module.source_buttons(buttons, "01_first", f"{COLAB}/01_first.ipynb")
    urls = {b["text"]: b["url"] for group in changed for b in group["buttons"]}
    assert urls == {
        "Binder": "https://mybinder.org/v2/gh/o/r/main?urlpath=lab/tree/book/01_first.py",
        "Colab": f"{COLAB}/01_first.ipynb",
        "Edit": "https://g/edit/01_first.py",
        ".ipynb": "_sources/01_first.ipynb",
    }
    only_colab = [{"label": "launch-buttons", "buttons": [link("Colab", "https://colab")]}]
    assert module.source_buttons(only_colab, "01_first") == []


def test_downloads_say_what_a_reader_gets(addressed: TinyBook) -> None:
    assert "Notebook with results (.ipynb)" in page(addressed, "01_first")
    assert 'href="_sources/01_first.ipynb"' in page(addressed, "01_first")
    assert "Source of this page (.md)" in page(addressed, "intro")


def test_without_an_address_there_are_no_buttons_to_elsewhere(site: Path) -> None:
    assert not (site / "colab").exists()
    for path in site.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        for service in ("mybinder.org", "colab.research", "executablebooks", "github.com/someone"):
            assert service not in text, path.name


def test_a_downloaded_notebook_shows_its_figures_without_the_site(site: Path) -> None:
    """Each figure is a picture in the notebook's own HTML, which needs neither script nor file."""
    notebooks = sorted((site / "_sources").glob("[0-9]*.ipynb"))
    assert notebooks
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata["kernelspec"]["name"] == "python3"
        bundles = [
            output.data
            for cell in notebook.cells
            for output in cell.get("outputs", [])
            if "application/vnd.ltr.figure+json" in output.get("data", {})
        ]
        assert bundles, f"{path.name} has no figure"
        for data in bundles:
            source = data["text/html"]
            picture = re.search(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)"', source)
            assert picture is not None, path.name
            svg = ElementTree.fromstring(base64.b64decode(picture[1]))
            assert svg.tag.endswith("svg")
            assert len(list(svg.iter())) > 20
            rest = source.replace(picture[0], "")
            assert not re.findall(r'\b(?:src|href)="', rest), "something else would have to load"
            assert data["text/plain"].startswith("Figure ")
    assert json.loads(notebooks[0].read_text(encoding="utf-8"))["nbformat"] == 4
