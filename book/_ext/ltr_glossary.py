"""Sphinx extension: the first use of each of the glossary's terms on a page links to its entry.

Terms are those of `{glossary}` directives; the front matter of the glossary's page says by which
forms they are found (see there). Links go into running text only, on the first page and in the
chapters: not into headings, links, code, formulas, captions, tables, outputs or margin notes. Each
bears the first sentence of the entry as its title. A term that no page uses is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from ltr_reading import is_chapter, pages_in
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

NOT_IN: tuple[type[nodes.Node], ...] = (
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.math_block,
    nodes.title,
    nodes.caption,
    nodes.legend,
    nodes.table,
    nodes.sidebar,
    nodes.footnote,
    nodes.citation,
    addnodes.pending_xref,
    addnodes.glossary,
    addnodes.start_of_file,
)
_LINK = "\ue000"  # stands for a link in a definition
_QUOTES = str.maketrans({"’": "'", "‘": "'"})


@dataclass(frozen=True)
class Entry:
    """A term of the glossary: where it stands, and the first sentence of what it means."""

    term: str
    page: str
    anchor: str
    meaning: str


class Forms:
    """Where the glossary's terms occur in a text, the longest form first."""

    def __init__(self, forms: dict[str, list[str]], ordinary: Iterable[str] = ()) -> None:
        self._terms: dict[str, str | None] = {_key(phrase): None for phrase in ordinary}
        for term, written in forms.items():
            for form in written:
                if self._terms.setdefault(_key(form), term) != term:
                    other = self._terms[_key(form)] or "an ordinary phrase"
                    raise ExtensionError(f"glossary: {form!r} is a form of {term!r} and of {other}")
        listed = [*ordinary, *(form for written in forms.values() for form in written)]
        longest = sorted(listed, key=lambda form: (-len(form), form))
        words = "|".join(map(_expression, longest))
        self._pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])" if listed else r"(?!)")

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Begin, end and term of each use in a text; ordinary phrases are passed over."""
        for match in self._pattern.finditer(text.translate(_QUOTES)):
            term = self._terms[_key(match.group())]
            if term is not None:
                yield match.start(), match.end(), term


def _key(form: str) -> str:
    words = " ".join(form.split())
    return words[:1].lower() + words[1:]


def _expression(form: str) -> str:
    """A form with any white space between its words; its first letter may be a capital."""
    first, rest = form[0], form[1:]
    either = f"[{first}{first.upper()}]" if first.islower() else re.escape(first)
    return either + r"\s+".join(re.escape(part) for part in re.split(r"\s+", rest))


def forms_of(terms: Iterable[str], front: dict[str, Any]) -> Forms:
    """The forms by which terms are found: as listed in the front matter, or with a plural s.

    Raises
    ------
    ExtensionError
        If forms are listed for what is no term.
    """
    terms = list(terms)
    listed: dict[str, list[str]] = front.get("forms") or {}
    unknown = sorted(set(listed) - set(terms))
    if unknown:
        raise ExtensionError(f"glossary: forms of {', '.join(unknown)}, which are no terms there")
    return Forms(
        {term: listed.get(term, [term, f"{term}s"]) for term in terms}, front.get("ordinary") or ()
    )


def front_matter(text: str) -> dict[str, Any]:
    """What stands between the two lines of dashes at the top of a page."""
    found = re.match(r"---\n(.*?)\n---\n", text, flags=re.DOTALL)
    return dict(yaml.safe_load(found.group(1)) or {}) if found else {}


def first_sentence(definition: nodes.Node) -> str:
    """The first sentence of a definition, less a link in brackets."""
    paragraph = next(iter(definition.findall(nodes.paragraph))).deepcopy()
    for link in [*paragraph.findall(nodes.reference), *paragraph.findall(addnodes.pending_xref)]:
        link.parent.replace(link, nodes.Text(_LINK))
    text = " ".join(paragraph.astext().split())
    text = re.sub(rf"\s*\([^()]*{_LINK}[^()]*\)", "", text)
    return re.split(r"(?<=[.])\s", text.replace(_LINK, ""), maxsplit=1)[0]


def entries_in(page: str, doctree: nodes.document) -> Iterator[Entry]:
    """The entries of a page's glossaries."""
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            definition = next(iter(item.findall(nodes.definition)))
            for term in item.findall(nodes.term):
                name = " ".join(term.astext().split())
                yield Entry(name, page, term["ids"][0], first_sentence(definition))


def link_terms(
    root: nodes.Element, forms: Forms, entries: dict[str, Entry], address: Any
) -> set[str]:
    """Link the first use of each term in a page's running text; the terms that are linked.

    `address` gives the address of an entry.
    """
    linked: set[str] = set()
    for paragraph in list(root.findall(nodes.paragraph)):
        if _inside(paragraph, root):
            continue
        _join(paragraph)
        for text in list(paragraph.findall(nodes.Text)):
            if not _inside(text, paragraph):
                _link_in(text, forms, entries, address, linked)
    return linked


def _join(paragraph: nodes.Element) -> None:
    """Make one of texts that follow each other, as where a line of the source ends."""
    for parent in [paragraph, *paragraph.findall(nodes.TextElement)]:
        for index in range(len(parent) - 1, 0, -1):
            before, after = parent[index - 1 : index + 1]
            if isinstance(before, nodes.Text) and isinstance(after, nodes.Text):
                parent[index - 1 : index + 1] = [nodes.Text(f"{before}{after}")]


def _inside(node: nodes.Node, root: nodes.Node) -> bool:
    """Whether a node is, below a root, in a place without links."""
    place = node.parent
    while place is not root:
        output = isinstance(place, nodes.container) and (
            place.get("nb_element") == "cell_code_output"
        )
        if output or isinstance(place, NOT_IN):
            return True
        place = place.parent
    return False


def _link_in(
    text: nodes.Text, forms: Forms, entries: dict[str, Entry], address: Any, linked: set[str]
) -> None:
    written = text.astext()
    parts: list[nodes.Node] = []
    done = 0
    for begin, end, term in forms.find(written):
        if term in linked:
            continue
        linked.add(term)
        entry = entries[term]
        link = nodes.reference("", written[begin:end], internal=True, classes=["ltr-term"])
        link["refuri"] = address(entry)
        link["reftitle"] = entry.meaning
        parts += [nodes.Text(written[done:begin]), link]
        done = end
    if parts:
        parts.append(nodes.Text(written[done:]))
        text.parent.replace(text, [part for part in parts if part.astext()])


class Links:
    """The links of one build."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] | None = None
        self.forms = Forms({})
        self.used: dict[str, set[str]] = {}

    def read(self, env: BuildEnvironment) -> dict[str, Entry]:
        """The glossary's entries, once for all pages."""
        if self.entries is not None:
            return self.entries
        found = env.get_domain("std").get_objects()
        pages = sorted({page for _, _, kind, page, _, _ in found if kind == "term"})
        front: dict[str, Any] = {}
        self.entries = {}
        for page in pages:
            front |= front_matter(Path(env.doc2path(page)).read_text(encoding="utf-8"))
            self.entries |= {e.term: e for e in entries_in(page, env.get_doctree(page))}
        self.forms = forms_of(self.entries, front)
        return self.entries

    def add(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        """Link the terms on the pages that a document holds."""
        entries = self.read(app.env)

        def address(entry: Entry) -> str:
            return f"{app.builder.get_relative_uri(docname, entry.page)}#{entry.anchor}"

        for page, root in pages_in(doctree, docname):
            if is_chapter(page) or page == app.config.root_doc:
                self.used[page] = link_terms(root, self.forms, entries, address)

    def check(self, app: Sphinx, failure: Exception | None) -> None:
        """Warn of terms that no page uses, if all pages were written."""
        wanted = {page for page in app.env.found_docs if is_chapter(page)}
        if failure is None and wanted and wanted <= set(self.used):
            for term in sorted(set(self.entries or ()) - set().union(*self.used.values())):
                logger.warning("glossary: no chapter uses the term %r", term, type="ltr")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("ltr_reading")
    links = Links()
    app.connect("doctree-resolved", links.add)
    app.connect("build-finished", links.check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
