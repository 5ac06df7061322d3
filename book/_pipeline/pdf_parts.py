"""The book as one HTML document for print, made of the articles of the site's pages."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from .project import BuildError

# Pages for those who work on the project or look a name up: in the online book only.
ONLINE_ONLY = re.compile(r"(api|developers|contributing|changelog)(_.*|/.*)?")

# Parts of an article that a reader of paper has no use for; `d-print-none` is Bootstrap's class.
_DROPPED = (
    "a.headerlink, a[download], button, input, select, form, iframe, script, style, nav, "
    ".toctree-wrapper, .ltr-chart-live, .d-print-none, .noprint, details.above-input"
)
_CARDS = ".ltr-claim details, .ltr-published details, details.hide"
_REFERRING = ("aria-labelledby", "aria-describedby", "headers", "for")


@dataclass(frozen=True)
class Part:
    """A part of the book: its caption (empty for the first page) and the names of its pages."""

    caption: str
    pages: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """A line of the contents: depth (0 part, 1 chapter, 2 section), HTML, and where it leads."""

    depth: int
    text: str
    target: str


def read_parts(contents: dict[str, Any]) -> list[Part]:
    """The parts of the printed book, in the order of ``_toc.yml``; pages below pages included."""
    parts = [Part("", (str(contents["root"]),))]
    for listed in contents.get("parts") or [{"caption": "", **contents}]:
        pages = tuple(page for page in _files(listed) if not ONLINE_ONLY.fullmatch(page))
        if pages:
            parts.append(Part(str(listed.get("caption", "")), pages))
    return parts


def _files(node: dict[str, Any]) -> Iterator[str]:
    for item in [*node.get("chapters", []), *node.get("sections", [])]:
        if "file" in item:
            yield str(item["file"])
        yield from _files(item)


def anchor(page: str, identity: str = "") -> str:
    """The printed document's id of a page, or of a place on it."""
    return f"{page}--{identity}" if identity else page


def printed_article(path: Path, page: str, printed: Sequence[str]) -> Tag:
    """The article of one page of the site, made ready for print.

    Raises
    ------
    BuildError
        If the page is missing or holds no article.
    """
    try:
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    except OSError as fault:
        raise BuildError(f"{path} cannot be read ({fault.strerror}): run make book") from None
    article = soup.select_one("article.bd-article")
    if article is None:
        raise BuildError(f"{path} holds no article: is it a page of the site? Run make book")
    for dropped in article.select(_DROPPED):
        dropped.decompose()
    _unfold(soup, article)
    for cell in article.select("div.cell"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg"]):
            cell.decompose()
    for heading in article.find_all(re.compile("^h[1-5]$")):
        heading.name = f"h{int(heading.name[1]) + 1}"
    _rename(article, page)
    _relink(article, page, printed)
    article.name = "section"
    article["class"], article["id"] = "chapter", anchor(page)
    return article


def _unfold(soup: BeautifulSoup, article: Tag) -> None:
    """What is folded is shown; the line that was to be clicked stays where it says more."""
    for summary in article.select(", ".join(f"{card} > summary" for card in _CARDS.split(", "))):
        summary.decompose()
    for details in article.find_all("details"):
        details.name, details["class"] = "div", "unfolded"
        clicked = details.find("summary", recursive=False)
        if clicked is not None:
            clicked.name = "p"


def _rename(article: Tag, page: str) -> None:
    """Ids with the page's name before them, and what refers to them within the page."""
    for tag in article.select("[id]:not(svg *)"):  # a drawing's style names its parts
        tag["id"] = anchor(page, str(tag["id"]))
    for attribute in _REFERRING:
        for tag in article.select(f"[{attribute}]"):
            tag[attribute] = " ".join(anchor(page, name) for name in str(tag[attribute]).split())


def _relink(article: Tag, page: str, printed: Sequence[str]) -> None:
    """Links between pages lead within the document; those to what is not printed are text."""
    for link in article.find_all("a", href=True):
        url = urlsplit(str(link["href"]))
        name = unquote(url.path).removesuffix(".html") or page
        link.attrs.pop("title", None)
        if url.scheme or url.netloc:
            continue
        if name in printed:
            link["href"] = f"#{anchor(name, unquote(url.fragment))}"
        else:
            link.unwrap()


def mend_links(body: Tag) -> None:
    """Links to a place that is not printed lead to its page; ids that nothing refers to go."""
    identities = {str(tag["id"]) for tag in body.select("[id]")}
    used = set()
    for link in body.find_all("a", href=re.compile("^#")):
        target = str(link["href"])[1:]
        if target not in identities:
            target = target.partition("--")[0]
            link["href"] = f"#{target}"
        used.add(target)
    for attribute in _REFERRING:
        for tag in body.select(f"[{attribute}]"):
            used.update(str(tag[attribute]).split())
    for tag in body.select("[id]:not(svg *)"):
        if tag["id"] not in used and "chapter" not in (tag.get("class") or []):
            del tag["id"]


def headings(chapter: Tag) -> list[Heading]:
    """The chapter's title and its sections, for the contents."""
    found = []
    for tag in chapter.find_all(["h2", "h3"]):
        section = tag.find_parent(["section", "div"], id=True)
        if section is not None:
            depth = int(tag.name[1]) - 1
            found.append(Heading(depth, _plain_line(tag), str(section["id"])))
    return found


def _plain_line(heading: Tag) -> str:
    """A heading's content without links, which would lie within a link."""
    line = BeautifulSoup(heading.decode_contents(), "html.parser")
    for link in line.find_all("a"):
        link.unwrap()
    return line.decode().strip()


def contents_list(lines: Sequence[Heading]) -> str:
    """The table of contents; numbers of pages are filled in once they are known."""
    items = "".join(
        f'<li class="depth-{line.depth}"><a href="#{html.escape(line.target)}">'
        f'<span class="entry">{line.text}</span><span class="dots"></span>'
        f'<span class="page" data-target="{html.escape(line.target)}">000</span></a></li>'
        for line in lines
    )
    return f'<section class="contents"><h1>Contents</h1><ol>{items}</ol></section>'


def math_scripts(path: Path) -> str:
    """The scripts of a page that configure and load MathJax."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return "".join(
        str(script)
        for script in soup.find_all("script")
        if "window.MathJax" in script.get_text() or "mathjax" in str(script.get("src", "")).lower()
    )
