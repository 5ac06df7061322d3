"""What helps in reading: the glossary's links, the map of the chapters, times, headings."""

import importlib
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup, Tag

CONF = """\
extensions = ["myst_parser", "ltr_glossary"]
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["out"]
"""
PAGES = {
    "index": """\
# Book

Networks have a trial factor.

```{toctree}
:caption: The part
:numbered:
01_first
02_second
```

```{toctree}
execution
glossary
```

```{chapter-map}
01_first: {name: First, at: [0, 0], says: a *trial* of it.}
02_second: {name: The second, at: [1, 0], builds on: [01_first], says: more.}
```
""",
    "01_first": """\
# The trial factor

Some `trial`, $trial$, a [trial](02_second) and under trial
conditions a trial; **Trial
factors**, then trials and a trial factor again.

## Neurones fire

- an item with overlaps

| trial |
|---|
| neuron |

```python
neuron = 1
```
""",
    "02_second": "# Second\n\nTrials of low-rank *neurons*, not neuronsome or pre-neuron.\n",
    "execution": "# Execution\n\nA trial.\n",
    "glossary": """\
---
forms:
  overlap: [overlaps]
ordinary: [trial conditions]
---
# Glossary

```{glossary}
trial
  One attempt ([first](01_first)). And a second sentence.

trial factor
  The strength of a component in a trial.

neuron
  A cell.

overlap
  A product; 1 is the same.
```
""",
}
STAMP = {"chapter": "01_first", "elapsed_s": 65.0, "peak_memory_mb": 1210, "scale": "book"}


@pytest.fixture(scope="module")
def extensions(repository: Path) -> Any:
    """The folder of the extensions, importable as Sphinx imports them."""
    folder = str(repository / "book" / "_ext")
    sys.path.insert(0, folder)
    yield folder
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def glossary(extensions: str) -> Any:
    """The extension's module."""
    return importlib.import_module("ltr_glossary")


def build(folder: Path, extensions: str, pages: dict[str, str], builder: str = "html") -> Any:
    """Build a project of these pages in its folder `out`; warnings do not stop it."""
    conf = f"import sys\nsys.path.insert(0, {extensions!r})\n{CONF}"
    (folder / "conf.py").write_text(conf, encoding="utf-8")
    (folder / "execution.json").write_text(json.dumps([STAMP]), encoding="utf-8")
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-q", "-n", "-W", "--keep-going"]
    return subprocess.run(
        [*command, str(folder), str(folder / "out")], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, extensions: str) -> Path:
    """The built pages of a small book."""
    folder = tmp_path_factory.mktemp("small")
    done = build(folder, extensions, PAGES)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def body(folder: Path, name: str) -> Tag:
    """What a page shows, less scripts, which hold the charts."""
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    text = re.sub(r"<script.*?</script>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'src="data:[^"]*"', "", text)
    found = re.search(r'<article.*</article>|<div class="body".*', text, flags=re.DOTALL)
    assert found
    return BeautifulSoup(found.group(), "html.parser")


def linked(page: Tag) -> list[tuple[str, str]]:
    """The links to the glossary: the term and the words that bear it."""
    links = page.select("a.ltr-term")
    return [(str(a["href"]).partition("#term-")[2], " ".join(a.text.split())) for a in links]


def test_first_uses_are_linked_once_and_longest_first(small: Path) -> None:
    page = body(small, "01_first")
    assert linked(page) == [
        ("trial", "trial"),
        ("trial-factor", "Trial factors"),
        ("overlap", "overlaps"),
    ]
    assert page.select("strong > a.ltr-term")
    assert page.select("a.ltr-term")[0]["title"] == "One attempt."
    assert linked(body(small, "02_second")) == [("trial", "Trials"), ("neuron", "neurons")]


def test_the_first_page_is_linked_and_others_are_not(small: Path) -> None:
    assert linked(body(small, "index")) == [("trial-factor", "trial factor"), ("trial", "trial")]
    assert not linked(body(small, "execution"))
    assert not linked(body(small, "glossary"))


def test_all_pages_in_one_keep_their_links(tmp_path: Path, extensions: str) -> None:
    done = build(tmp_path, extensions, PAGES, "singlehtml")
    assert done.returncode == 0, done.stderr
    terms = [term for term, _ in linked(body(tmp_path / "out", "index"))]
    assert sorted(terms) == ["neuron", "overlap", *["trial"] * 3, *["trial-factor"] * 2]


def test_forms_are_found_as_written(glossary: Any) -> None:
    forms = glossary.forms_of(["mode rank", "ltrRNN"], {"forms": {"mode rank": ["mode rank"]}})
    found = [term for _, _, term in forms.find("Mode\nrank mode ranks LtrRNN ltrRNN’s ltrRNNs")]
    assert found == ["mode rank", "ltrRNN", "ltrRNN", "ltrRNN"]


def test_faults_in_the_glossary_are_named(glossary: Any) -> None:
    with pytest.raises(Exception, match="forms of b, which are no terms"):
        glossary.forms_of(["a"], {"forms": {"b": ["b"]}})
    with pytest.raises(Exception, match="'x' is a form of 'b' and of a"):
        glossary.forms_of(["a", "b"], {"forms": {"a": ["x"], "b": ["x"]}})


def test_unused_terms_and_a_wrong_map_are_told(tmp_path: Path, extensions: str) -> None:
    entry = "```{glossary}\nunused term\n  Nobody says it.\n\ntrial\n"
    index = PAGES["index"].replace("builds on: [01_first]", "builds on: [03_none]")
    pages = PAGES | {
        "glossary": PAGES["glossary"].replace("```{glossary}\ntrial\n", entry),
        "index": index + "\n```{chapter-map}\n02_second: {name: a, at: [0, 0], says: b}\n```\n",
    }
    done = build(tmp_path, extensions, pages)
    assert done.returncode == 1
    assert "no chapter uses the term 'unused term'" in done.stderr
    assert "no such chapter: 03_none" in done.stderr
    assert "not on the map: 01_first" in done.stderr


def test_times_stand_under_the_title(small: Path) -> None:
    first, second = (body(small, name).select("p.ltr-times") for name in ("01_first", "02_second"))
    assert [p.text for p in first] == [
        "About 1 minute to read. Runs in 1 min 05 s with 1.21 GB at scale book, "
        "measured when this page was built."
    ]
    assert [p.text for p in second] == ["About 1 minute to read."]
    before = first[0].find_previous_sibling()
    assert before is not None
    assert before.name == "h1"


def test_the_map_has_a_drawing_and_a_list(small: Path) -> None:
    page = body(small, "index")
    links = page.select("figure.ltr-map a")
    assert [a["href"] for a in links] == ["01_first.html", "02_second.html"]
    assert links[1]["aria-label"] == "Chapter 2: Second; builds on 1"
    assert len(page.select("path.ltr-map-arrow")) == 1
    items = [" ".join(item.text.split()) for item in page.select("ol > li")]
    assert items == [
        "The trial factor: a trial of it. 1 min to read; runs in 1 min 05 s with 1.21 GB.",
        "Second: more. 1 min to read; builds on 1.",
    ]


def test_reading_takes_words_code_and_formulas(extensions: str) -> None:
    from docutils import nodes  # noqa: PLC0415 - Sphinx's, as the module below

    reading = importlib.import_module("ltr_reading")
    code = nodes.literal_block("", "x\n" * 60)
    page = nodes.section("", nodes.title("", "A title"), nodes.paragraph("", "word " * 398))
    assert reading.reading_minutes(page) == 2
    source = nodes.container("", code, nb_element="cell_code_source")
    page += nodes.container("", source, classes=["cell"])
    page += [nodes.math_block("", "x") for _ in range(4)]
    assert reading.reading_minutes(page) == 6
    source.parent["classes"].append("tag_hide-input")
    assert reading.reading_minutes(page) == 3


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Tag]:
    """The chapters of the real book and its first page."""
    names = [path.stem for path in sorted(site.glob("[0-9][0-9]_*.html"))]
    return {name: body(site, name) for name in [*names, "intro"]}


def prose(page: Tag) -> str:
    """A page's running text, less what bears no links."""
    kept = []
    for paragraph in page.select("p"):
        if paragraph.find_parent(["table", "aside", "figure", "figcaption"]) or set(
            paragraph.get("class") or ()
        ) & {"rubric", "admonition-title", "caption"}:
            continue
        if paragraph.find_parent(class_=["cell_output", "toctree-wrapper"]):
            continue
        words = BeautifulSoup(str(paragraph), "html.parser")
        for other in words.select("a:not(.ltr-term), code, span.math"):
            other.replace_with("@")
        kept.append(" ".join(words.text.split()))
    return "\n".join(kept)


def test_each_term_is_linked_once_in_each_chapter_that_uses_it(
    pages: dict[str, Tag], site: Path, repository: Path
) -> None:
    text = (repository / "book" / "glossary.md").read_text(encoding="utf-8")
    listed = yaml.safe_load(text.split("---")[1])["forms"]
    terms = [dt.text.strip("# \n") for dt in body(site, "glossary").select("dl.glossary dt")]
    assert len(terms) >= 40
    anywhere = set()
    for name, page in pages.items():
        found = [anchor for anchor, _ in linked(page)]
        assert len(found) == len(set(found)), name
        anywhere |= set(found)
        running = prose(page)
        for term in set(terms) - set(listed):  # those found as they are written
            first = f"[{term[0]}{term[0].upper()}]{re.escape(term[1:])}"
            used = re.search(rf"(?<![\w-]){first}s?(?![\w-])", running)
            assert bool(used) == (term.replace(" ", "-") in found), (name, term)
    assert len(anywhere) == len(terms), "a term that is linked nowhere"


def test_every_chapter_says_what_it_takes_and_is_on_the_map(pages: dict[str, Tag]) -> None:
    chapters = {name for name in pages if name != "intro"}
    for name in chapters:
        line = pages[name].select_one("h1 + p.ltr-times")
        assert line is not None, name
        assert re.match(
            r"About \d+ minutes? to read\. Runs in .+ with .+B at scale smoke", line.text
        )
    drawn = {str(a["href"]).removesuffix(".html") for a in pages["intro"].select(".ltr-map a")}
    listed = pages["intro"].select("ol > li:has(.ltr-times)")
    assert drawn == chapters
    assert len(listed) == len(chapters)


def test_headings_follow_each_other_in_order(site: Path) -> None:
    for path in sorted(site.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        # printed in the title's place, else not there
        text = re.sub(r'<div id="jb-print-docs-body".*?(?=<article)', "", text, flags=re.DOTALL)
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", text)]
        if path.stem == "index":  # leads on to the first page
            continue
        assert levels.count(1) == 1, path.stem
        assert levels[0] == 1, path.stem
        steps = pairwise(levels)
        assert all(after <= before + 1 for before, after in steps), (path.stem, levels)
