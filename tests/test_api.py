"""The API reference: every name is described, with an example that runs, on a page."""

import ast
import doctest
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import ltr_api_names as names
import pytest
from ltr_api_text import to_rst
from ltr_api_uses import others_used

REPOSITORY = Path(__file__).resolve().parent.parent
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
SOURCES = sorted((REPOSITORY / "ltr_core").rglob("*.py"))
GOOGLE = re.compile(
    r"^ *(Args|Arguments|Attributes|Examples?|Notes?|Raises|Returns|Yields):$", re.M
)
FURTHER = {path: names.get(path) for path in others_used(REPOSITORY / "book")}
DESCRIBED = {
    path: value
    for path, value in (names.public() | FURTHER).items()
    if isinstance(value, type) or inspect.isroutine(value)  # what can hold a docstring of its own
}


def documentation(value: Any) -> dict[str, str]:
    """The docstrings of an object and of its own methods, by name."""
    of_members = names.own_members(value) if isinstance(value, type) else []
    found = {"": value.__doc__, **{name: member.__doc__ for name, member in of_members}}
    return {name: inspect.cleandoc(text) for name, text in found.items() if text}


def test_the_public_names_are_found() -> None:
    paths = set(names.public())
    assert {"ltr_core.LtrRNN", "ltr_core.theory.subspace_bound", "ltr_core.nulls.turned"} <= paths
    assert "ltr_core.learning.LearningRecord" in names.result_types()
    grouped = {name for members in names.groups().values() for name in members}
    assert grouped == set(importlib.import_module("ltr_core").__all__)


def test_the_names_that_chapters_import_beside_are_found() -> None:
    assert {"ltr_core.training.train", "ltr_core.registry.NotAtHand"} <= set(FURTHER)
    assert set(FURTHER).isdisjoint(names.public())


@pytest.mark.parametrize("path", DESCRIBED)
def test_every_public_name_has_an_example_that_runs(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = documentation(DESCRIBED[path])
    example = found[""].partition("\nExamples\n--------\n")[2]
    assert ">>>" in example, f"{path} has no section Examples with a line of >>>"
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    complaints: list[str] = []
    for name, text in found.items():
        test = doctest.DocTestParser().get_doctest(text, {}, f"{path} {name}", None, None)
        runner.run(test, out=complaints.append)
    assert runner.failures == 0, "".join(complaints)
    assert not list(tmp_path.iterdir()), f"the example of {path} leaves files behind"


def test_sections_of_docstrings_are_numpydoc_ones() -> None:
    faults = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                section = GOOGLE.search(ast.get_docstring(node) or "")
                if section:
                    faults.append((source.name, getattr(node, "name", "module"), section[1]))
    assert not faults, "write each of these sections over a line of ---"


def test_every_public_name_is_on_a_page_with_its_example(site: Path) -> None:
    pages = {page.name: page.read_text(encoding="utf-8") for page in site.glob("api*.html")}
    overview = pages["api.html"]
    for path in names.public():
        homes = [name for name, text in pages.items() if f'id="{path}"' in text]
        assert len(homes) == 1, f"{path} is described on {homes or 'no page'}"
        assert f'href="{homes[0]}#{path}"' in overview
    for module in names.modules()[1:]:
        assert any(f'id="module-{module}"' in text for text in pages.values()), module


def test_signatures_on_the_pages_show_axes_and_link_own_classes(site: Path) -> None:
    page = (site / "api_tasks.html").read_text(encoding="utf-8")
    shown = re.search(r'<dt[^>]*id="ltr_core.simulate".*?</dt>', page, re.S)
    assert shown is not None
    plain = " ".join(re.sub(r"<[^>]+>", "", shown[0]).replace("&#39;", "'").split())
    assert "Float[Tensor, 'network trial neuron'] | None = None" in plain
    assert 'href="#ltr_core.RNN"' in shown[0]


def test_what_chapters_import_beside_is_described_too(site: Path) -> None:
    page = (site / "api_further.html").read_text(encoding="utf-8")
    assert [path for path in FURTHER if f'id="{path}"' not in page] == []
    assert "04_random_connectivity.html" in page


def test_docstrings_become_markup_that_says_the_same() -> None:
    written = """First `code`, *apart*, a * b and |x_|.

        y = W x

    - `Known`: one
      with more.

    Examples
    --------
    >>> 1 + 1
    2
    """
    lines = to_rst(inspect.cleandoc(written).splitlines(), {"Known": "here.Known"}.get)
    assert lines[0] == r"First ``code``, *apart*, a \* b and \|x\_\|."
    assert lines[2:5] == [".. code-block:: text", "", "    y = W x"]
    assert lines[6:9] == ["- :py:obj:`Known <here.Known>`: one", "  with more.", ""]
    assert lines[9:-1] == ["Examples", "--------", "", ">>> 1 + 1", "2"]
