"""Sphinx extension: what a reader wants to know before a chapter.

Under each chapter's title stands how long it takes to read and what it took to run; and
`{chapter-map}` draws the chapters with what builds on what, and lists them. Its content is YAML:
for each chapter its short `name`, where it is drawn (`at`, column and row), the chapters that it
`builds on`, and what it `says`, a line for the list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from ltr_map import draw
from ltr_text import duration, memory
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

CHAPTER = re.compile(r"\d\d_[a-z0-9_]+")
# What a reader takes for a minute, as the page on execution tells.
WORDS, LINES, FORMULAS, OUTPUTS = 200, 20, 4, 3
_HIDDEN = {"tag_hide-input", "tag_hide-cell", "tag_remove-input", "tag_remove-cell"}
_KEYS = {"name", "at", "builds on", "says"}


def is_chapter(docname: str) -> bool:
    """Whether a page is a chapter."""
    return CHAPTER.fullmatch(docname) is not None


def pages_in(doctree: nodes.document, docname: str) -> Iterator[tuple[str, nodes.Element]]:
    """The pages that a document holds: itself, and others where all are put into one."""
    for file in doctree.findall(addnodes.start_of_file):
        for child in file.children:
            child.parent = file  # Sphinx leaves it with the page's own document
        yield file["docname"], file
    yield docname, doctree


def reading_minutes(page: nodes.Element) -> int:
    """How long a page takes to read, its hidden code and solutions left out."""
    words = lines = formulas = outputs = 0
    for node in page.findall():
        if isinstance(node, nodes.paragraph | nodes.title) and not _folded(node, page):
            words += _words(node)
        elif isinstance(node, nodes.math_block) and not _folded(node, page):
            formulas += 1
        elif isinstance(node, nodes.container) and not _folded(node, page):
            if node.get("nb_element") == "cell_code_source":
                lines += len(node.astext().splitlines())
            elif node.get("nb_element") == "cell_code_output":
                outputs += 1
    return max(1, ceil(words / WORDS + lines / LINES + formulas / FORMULAS + outputs / OUTPUTS))


def _words(node: nodes.Element) -> int:
    """Words of a paragraph; a formula in the line counts as one."""
    formulas = list(node.findall(nodes.math))
    text = node.astext()
    for formula in formulas:
        text = text.replace(formula.astext(), "", 1)
    return len(formulas) + len(re.findall(r"\w[\w'’-]*", text))


def _folded(node: nodes.Node, page: nodes.Element) -> bool:
    """Whether a node is hidden until it is asked for, or an output's own text."""
    classes = set(node.get("classes", ())) if isinstance(node, nodes.Element) else set()
    if node.get("nb_element") == "cell_code_source" and _HIDDEN & set(node.parent["classes"]):
        return True
    while node is not page and node.parent is not None:
        node = node.parent
        classes = set(node.get("classes", ()))
        if {"solution", "dropdown"} <= classes or node.get("nb_element") == "cell_code_output":
            return True
    return False


def stamps(env: BuildEnvironment) -> dict[str, dict[str, Any]]:
    """What each chapter's run cost, as the pipeline left it."""
    path = Path(env.srcdir) / "execution.json"
    if not path.exists():
        return {}
    return {stamp["chapter"]: stamp for stamp in json.loads(path.read_text(encoding="utf-8"))}


def running(stamp: Mapping[str, Any]) -> str:
    """What a run cost in words: 3 min 05 s with 1.21 GB."""
    return f"{duration(stamp['elapsed_s'])} with {memory(stamp['peak_memory_mb'])}"


def _add_times(app: Sphinx, doctree: nodes.document) -> None:
    """Write a chapter's times under its title."""
    env = app.env
    if not is_chapter(env.docname):
        return
    minutes = reading_minutes(doctree)
    env.metadata[env.docname]["ltr_minutes"] = minutes
    stamp = stamps(env).get(env.docname)
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is None:
        return
    line = nodes.paragraph("", f"About {_minutes(minutes)} to read.", classes=["ltr-times"])
    if stamp is not None:
        measured = addnodes.pending_xref(
            "", nodes.inline("", "measured"), refdomain="std", reftype="doc", refexplicit=True
        )
        measured.attributes |= {"reftarget": "/execution", "refdoc": env.docname, "refwarn": True}
        line += nodes.Text(f" Runs in {running(stamp)} at scale {stamp['scale']}, ")
        line += measured
        line += nodes.Text(" when this page was built.")
    title.parent.insert(title.parent.index(title) + 1, line)


def _minutes(number: int) -> str:
    return "1 minute" if number == 1 else f"{number} minutes"


class chapter_map(nodes.General, nodes.Element):
    """A map of the chapters, before their numbers are known."""


class ChapterMap(SphinxDirective):
    """The chapters: what builds on what, and what each says."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A node with a list item for each chapter; the map follows when all pages are read."""
        content = yaml.safe_load("\n".join(self.content)) or {}
        self._check(content)
        found = chapter_map("", chapters=content)
        for name, told in content.items():
            link = addnodes.pending_xref(
                "", nodes.inline("", name), refdomain="std", reftype="doc", refexplicit=False
            )
            link.attributes |= {"reftarget": f"/{name}", "refdoc": self.env.docname}
            said = self.parse_text_to_nodes(told["says"])[0].children
            found += nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(": "), *said))
        self.env.note_reread()  # the times and numbers of other pages enter
        return [found]

    def _check(self, content: dict[str, Any]) -> None:
        known = {name for name in self.env.found_docs if is_chapter(name)}
        missing = sorted(known - set(content))
        if missing:
            raise self.error(f"chapter-map: not on the map: {', '.join(missing)}")
        for name, told in content.items():
            keys = set(told) | {"builds on"}
            if keys != _KEYS:
                raise self.error(f"chapter-map: {name} has {sorted(keys)}, not {sorted(_KEYS)}")
            unknown = sorted({name, *told.get("builds on", [])} - known)
            if unknown:
                raise self.error(f"chapter-map: no such chapter: {', '.join(unknown)}")


def _make_maps(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put drawing and list in a map's place."""
    env = app.env
    for found in list(doctree.findall(chapter_map)):
        boxes = {
            name: {
                "number": str(env.titles[name].get("secnumber", ("",))[0]),
                "name": told["name"],
                "title": env.titles[name].astext(),
                "at": told["at"],
                "builds on": told.get("builds on", []),
                "address": app.builder.get_relative_uri(docname, name),
            }
            for name, told in found["chapters"].items()
        }
        items = dict(zip(boxes, found.children, strict=True))
        parts = _parts(env)
        made: list[nodes.Node] = [nodes.raw("", draw(boxes, parts), format="html")]
        for caption, held in parts:
            if caption:
                made.append(nodes.rubric("", caption, classes=["ltr-map-caption"]))
            listed = nodes.enumerated_list("", enumtype="arabic", prefix="", suffix=".")
            listed["start"] = int(boxes[held[0]]["number"] or 1)
            for name in held:
                before = [boxes[other]["number"] for other in boxes[name]["builds on"]]
                items[name] += nodes.paragraph("", _told(env, name, before), classes=["ltr-times"])
                listed += items[name]
            made.append(listed)
        found.replace_self(made)


def _told(env: BuildEnvironment, name: str, before: Sequence[str]) -> str:
    """A chapter's times, and the numbers of those that it builds on."""
    told = [f"{env.metadata[name].get('ltr_minutes', '?')} min to read"]
    stamp = stamps(env).get(name)
    if stamp is not None:
        told.append(f"runs in {running(stamp)}")
    if before:
        told.append(f"builds on {' and '.join(before)}")
    return f"{'; '.join(told)}."


def _parts(env: BuildEnvironment) -> list[tuple[str, list[str]]]:
    """Captions of the contents' parts, and the chapters in each."""
    trees = env.get_doctree(env.config.root_doc).findall(addnodes.toctree)
    parts = [
        (tree.get("caption") or "", [name for _, name in tree["entries"] if is_chapter(name)])
        for tree in trees
    ]
    return [(caption, held) for caption, held in parts if held]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_node(chapter_map)
    app.add_directive("chapter-map", ChapterMap)
    app.add_css_file("ltr-reading.css")
    app.connect("doctree-read", _add_times)
    app.connect("doctree-resolved", _make_maps)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
