"""Sphinx extension: how to cite, from CITATION.cff, and every page's line of version and commit.

`{citation}` shows the project and each of the papers as APA and as BibTeX, with buttons to copy.
The papers' BibTeX is that of the book's own bibliography. Version and commit are the pipeline's
record of the build, `ltr_build` in the configuration that it derives, with the public address.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from ltr_pages import Page
from ltr_text import address, apa, to_bibtex
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[2]
CITATION = ROOT / "CITATION.cff"
BIBLIOGRAPHY = ROOT / "book" / "references.bib"


class Citation(Page):
    """How to cite the project and the papers that it reproduces."""

    def run(self) -> list[nodes.Node]:
        """A section for the project, and one for each of its references."""
        cff = self.read(CITATION)
        build = dict(self.config.html_context.get("ltr_build", {}))
        self.env.note_dependency(str(BIBLIOGRAPHY))
        bibliography = BIBLIOGRAPHY.read_text(encoding="utf-8")
        made = [self.section("This companion", dated(cff, build), to_bibtex(dated(cff, build)))]
        made[0] += self.prose(availability(cff, build))
        for reference in cff.get("references", []):
            heading = f"{_first(reference)} ({reference['year']})"
            made.append(self.section(heading, reference, bibtex_of(reference, bibliography)))
        return list(made)

    def section(self, heading: str, item: Mapping[str, Any], bibtex: str) -> nodes.section:
        """One thing to cite, in both forms."""
        section = nodes.section(ids=[nodes.make_id(heading)], names=[])
        section += nodes.title("", heading)
        section += _label("APA")
        # the copy button looks for paragraphs in this container, see copybutton_selector
        apa_text = nodes.container(classes=["ltr-apa"])
        apa_text += nodes.paragraph("", "", *cited(item))
        section += apa_text
        section += _label("BibTeX")
        section += nodes.literal_block(bibtex, bibtex, language="none")
        return section


def cited(item: Mapping[str, Any]) -> list[nodes.Node]:
    """An entry of a CITATION.cff in APA style: titles in italics where they belong, a link."""
    made: list[nodes.Node] = []
    for text, italic in apa(item):
        made.append(nodes.emphasis("", text) if italic else nodes.Text(text))
    url = address(item)
    return [*made, nodes.Text(" "), nodes.reference("", url, refuri=url)] if url else made


def dated(cff: Mapping[str, Any], build: Mapping[str, Any]) -> dict[str, Any]:
    """The project's entry; before its release with the day and the hash of the commit."""
    if cff.get("date-released") or not build.get("commit"):
        return dict(cff)
    return {**cff, "date-released": build["date"], "commit": build["commit"][:7]}


def availability(cff: Mapping[str, Any], build: Mapping[str, Any]) -> str:
    """What there is to be cited by: a DOI, a released version, or a commit."""
    if cff.get("doi"):
        return f"The DOI is that of version {cff['version']} in its archive."
    if cff.get("date-released"):
        return "There is no DOI yet: cite the version, which does not change any more."
    if build.get("commit"):
        return (
            f"Version {cff['version']} is not released yet, and has no DOI: the commit says which "
            "state of it was read. Every page names it at its end."
        )
    return f"Version {cff['version']} is not released yet, and has no DOI."


def bibtex_of(reference: Mapping[str, Any], bibliography: str) -> str:
    """The bibliography's entry with this address; `ExtensionError` if there is not just one."""
    entries = re.findall(r"^@\w+\{.*?^\}", bibliography, flags=re.MULTILINE | re.DOTALL)
    found = [entry for entry in entries if f"{{{reference['url']}}}" in entry]
    if len(found) != 1:
        raise ExtensionError(
            f"{len(found)} entries of book/references.bib have the url {reference['url']}, which "
            "CITATION.cff names: one must"
        )
    return str(found[0])


def footer(build: Mapping[str, Any]) -> str:
    """Version and commit as HTML, linked to the commit where the repository has an address."""
    line, commit, repository = html.escape(build["line"]), build["commit"], build["address"]
    if repository and commit:
        url = html.escape(f"{repository.rstrip('/')}/commit/{commit}")
        line = line.replace(commit[:7], f'<a href="{url}">{commit[:7]}</a>')
    return f'<p class="ltr-version">{line}</p>'


def _first(reference: Mapping[str, Any]) -> str:
    names = [person["family-names"] for person in reference["authors"]]
    return names[0] if len(names) == 1 else f"{names[0]} et al."


def _label(text: str) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.strong("", text), classes=["ltr-form"])


def _footer(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    build = app.config.html_context.get("ltr_build")
    if build:
        context["theme_extra_footer"] = footer(build)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("citation", Citation)
    app.add_css_file("ltr-cite.css")
    app.connect("html-page-context", _footer, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
