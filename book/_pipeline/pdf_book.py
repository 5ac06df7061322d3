"""The printed book put together: title page, contents, chapters, appendix, running titles."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from bs4 import BeautifulSoup

from .pdf_parts import (
    Heading,
    anchor,
    contents_list,
    headings,
    math_scripts,
    mend_links,
    printed_article,
    read_parts,
)
from .pdf_tables import claims_table, computed_at, published_table
from .project import BuildError, Project
from .stage import read_address

SCORECARD = "scorecard"  # the page that the appendix takes the place of
_NUMBERED = re.compile(r"\d\d_")


def assemble(project: Project) -> str:
    """The whole book as one HTML document, made of the published site.

    Raises
    ------
    BuildError
        If there is no site, or if a page or a record of it is missing.
    """
    if not (project.html / "index.html").exists():
        raise BuildError(f"there is no site in {project.shown(project.html)}: run make book")
    ledger, published = _record(project, "ledger"), _record(project, "published")
    cff = yaml.safe_load((project.root / "CITATION.cff").read_text(encoding="utf-8"))
    parts = read_parts(yaml.safe_load(project.toc.read_text(encoding="utf-8")))
    printed = [page for part in parts for page in part.pages]
    lines: list[Heading] = []
    titles: dict[str, str] = {}
    body = ""
    for part in parts:
        for number, page in enumerate(part.pages):
            if page == SCORECARD:
                chapter, found = _appendix(ledger, published, titles)
            else:
                article = printed_article(project.html / f"{page}.html", page, printed)
                chapter, found = str(article), headings(article)
            if number == 0 and part.caption:
                caption = html.escape(part.caption)
                chapter = _inside(chapter, f"<h1>{caption}</h1>")
                lines.append(Heading(0, caption, anchor(page)))
            titles[page] = _text(found[0].text) if found else page
            lines += found
            body += chapter
    whole = f"{title_page(cff, project, ledger)}{contents_list(lines)}{body}"
    soup = BeautifulSoup(whole, "html.parser")
    mend_links(soup)
    rules = page_rules(titles, str(cff["title"]))
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{html.escape(str(cff['title']))}</title>"
        f'{_map_style(project)}<link rel="stylesheet" href="pdf.css"><style>{rules}</style>'
        f"{_math_scripts(project, printed)}</head><body>{soup}</body></html>"
    )


def _record(project: Project, name: str) -> list[dict[str, Any]]:
    path = project.build / f"{name}.json"
    try:
        return list(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BuildError(f"{project.shown(path)} is missing: run make book") from None


def _math_scripts(project: Project, printed: Sequence[str]) -> str:
    """What typesets the formulas, as the first page that has some asks for it."""
    pages = (project.html / f"{page}.html" for page in printed)
    return next((found for page in pages if page.exists() and (found := math_scripts(page))), "")


def _map_style(project: Project) -> str:
    """The style of the map of the chapters, which is drawn in the page itself."""
    style = "_static/ltr-reading.css"
    found = (project.html / style).exists()
    return f'<link rel="stylesheet" href="{style}">' if found else ""


def _inside(section: str, first: str) -> str:
    """A section with something put at its beginning."""
    opening, closing, rest = section.partition(">")
    return f"{opening}{closing}{first}{rest}"


def _text(line: str) -> str:
    return BeautifulSoup(line, "html.parser").get_text()


def _appendix(
    ledger: Sequence[Mapping[str, Any]],
    published: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
) -> tuple[str, list[Heading]]:
    """The scorecard's two tables, compact."""
    claims, numbers = anchor(SCORECARD, "claims"), anchor(SCORECARD, "published-numbers")
    title = "Appendix: claims and published numbers"
    section = (
        f'<section class="chapter appendix" id="{SCORECARD}"><h2>{title}</h2>'
        f'<section id="{claims}"><h3>Claims, measured</h3>'
        f"{claims_table(ledger, titles)}</section>"
        f'<section class="numbers" id="{numbers}"><h3>Published numbers, and ours</h3>'
        f"{published_table(published, titles)}</section></section>"
    )
    return section, [
        Heading(1, title, SCORECARD),
        Heading(2, "Claims, measured", claims),
        Heading(2, "Published numbers, and ours", numbers),
    ]


def title_page(
    cff: Mapping[str, Any], project: Project, ledger: Sequence[Mapping[str, Any]]
) -> str:
    """Title, authors, what it is a companion to, version, scale and seed, licence."""
    papers = "".join(f"<li>{_cited(paper)}</li>" for paper in cff.get("references", []))
    record, address = site_record(project), read_address(project)
    made = [f"Computed at {computed_at(ledger)}."] if ledger else []
    online = f'The online book, its code and data: <a href="{address}">{address}</a>.'
    facts = [
        " of ".join(filter(None, [record["line"], record["date"]])) + ".",
        *made,
        "Charts are shown as they stand when the online book is opened, without its sliders. Code "
        "that is folded there is left out here; the chapters’ scripts, book/NN_name.py, hold all.",
        *([online] if address else []),
        "Licence: the code under MIT, text and figures under CC BY 4.0.",
    ]
    return (
        f'<section class="title-page"><p class="title">{html.escape(str(cff["title"]))}</p>'
        f'<p class="authors">{html.escape(names(cff["authors"]))}</p>'
        f"<p>An executable companion to</p><ul>{papers}</ul>"
        f'<div class="facts">{"".join(f"<p>{fact}</p>" for fact in facts if fact)}</div></section>'
    )


def _cited(paper: Mapping[str, Any]) -> str:
    place = (paper.get("conference") or {}).get("name") or paper.get("journal") or ""
    parts = [names(paper["authors"]), str(paper["title"]), str(place)]
    text = html.escape(". ".join(part.rstrip(".") for part in parts if part))
    url = html.escape(str(paper.get("url", "")))
    return f"{text}.{f' <a href={url!r}>{url}</a>' if url else ''}"


def names(people: Sequence[Mapping[str, Any]]) -> str:
    """Persons and groups of a CITATION.cff, as text."""
    listed = [
        str(
            person.get("name") or f"{person.get('given-names', '')} {person['family-names']}"
        ).strip()
        for person in people
    ]
    return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]]))


def page_rules(titles: Mapping[str, str], book: str) -> str:
    """Each chapter's pages by name, with the book's title and its own above them."""
    rules = []
    for number, (page, title) in enumerate(titles.items()):
        font = 'font: 8pt "Liberation Sans", Arial, sans-serif; color: #4d5661;'
        right = "" if title == book else title
        above = (
            f"@top-left {{ content: {_css(book)}; {font} }} "
            f"@top-right {{ content: {_css(right)}; {font} }}"
        )
        if page == SCORECARD:  # the claims on wide pages, then the numbers
            rules.append(f"@page numbers {{ {above} }}")
            above = f"size: A4 landscape; margin: 20mm 18mm 18mm; {above}"
        rules.append(f'@page p{number} {{ {above} }}\n[id="{page}"] {{ page: p{number}; }}')
    return "\n".join(rules)


def _css(text: str) -> str:
    """A string of CSS."""
    escaped = re.sub(r'["\\<>\n]', lambda found: f"\\{ord(found[0]):x} ", text)
    return f'"{escaped}"'


def site_record(project: Project) -> dict[str, Any]:
    """Version, commit and its day of what the site was built from, which may not be the newest."""
    try:
        config = yaml.safe_load((project.build / "_config.yml").read_text(encoding="utf-8"))
        record: dict[str, Any] = config["sphinx"]["config"]["html_context"]["ltr_build"]
    except (OSError, KeyError, TypeError):
        raise BuildError(
            f"{project.shown(project.build / '_config.yml')} does not say what the site was built "
            "from: run make book"
        ) from None
    return record
