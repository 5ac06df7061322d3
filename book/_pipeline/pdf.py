"""The whole book as one PDF: the published site's pages assembled, and printed by Chromium.

No LaTeX is needed. Charts are their static pictures, the site's own MathJax typesets the formulas,
and the numbers of pages come from a first printing.
"""

import hashlib
import io
import json
import mimetypes
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

from .pdf_book import assemble, names, site_record
from .project import BuildError, Project, build_lock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route, ViewportSize

NAME = "low-tensor-rank-learning.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = (
    f"no browser to print with: install one of {', '.join(BROWSERS)}, or run "
    ".venv/bin/python -m playwright install --with-deps chromium"
)
OLDEST = 131  # the first version that prints the margins of @page: numbers and running titles
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ORIGIN = "http://book.invalid/"  # asked nothing: the site's files answer every request
PATIENCE_MS = 600_000
# The box of A4 within the margins of pdf.css, in CSS pixels (96 an inch).
ROOM: "ViewportSize" = {"width": round(170 / 25.4 * 96), "height": round(251 / 25.4 * 96)}

_HERE = Path(__file__).parent


def make_pdf(project: Project) -> Path:
    """Print the published site as one PDF, ``_build/low-tensor-rank-learning.pdf``.

    Raises
    ------
    BuildError
        If there is no site or no browser, or if printing fails; the last good PDF stays.
    """
    target = project.build / NAME
    with build_lock(project):
        print("  pdf printing", flush=True)
        begun = time.monotonic()
        document = assemble(project)
        with chromium() as browser:
            printed = print_document(browser, document, project.html)
        content = finished(printed, project)
        partial = project.work / NAME
        partial.write_bytes(content)
        os.replace(partial, target)
        elapsed = time.monotonic() - begun
    shown = project.shown(target)
    print(f"  pdf done {elapsed:.1f} s: {shown}, {len(content) / 1e6:.1f} MB", flush=True)
    return target


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Headless Chromium: the system's, or the one that Playwright installed.

    Raises
    ------
    BuildError
        If there is none, or if it is too old to print the margins of pages.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - with the extra 'test'

    with sync_playwright() as playwright:
        found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        executable = Path(found or playwright.chromium.executable_path)
        if not executable.exists():
            raise BuildError(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            if int(browser.version.split(".")[0]) < OLDEST:
                raise BuildError(
                    f"{executable} is version {browser.version}: version {OLDEST} or later prints "
                    "the numbers of pages"
                )
            yield browser
        finally:
            browser.close()


def print_document(browser: "Browser", document: str, site: Path) -> bytes:
    """Print the assembled document, whose files are the site's, twice: the second time the
    contents know where everything landed.

    Raises
    ------
    BuildError
        If a file is missing, a formula is not typeset, or the browser fails.
    """
    from playwright.sync_api import Error  # noqa: PLC0415 - as above

    lost: list[str] = []
    page = browser.new_page(viewport=ROOM, color_scheme="light")
    page.set_default_timeout(PATIENCE_MS)
    page.emulate_media(media="print")
    page.route("**/*", lambda route: _answer(route, document, site, lost))
    try:
        page.goto(f"{ORIGIN}book.html", wait_until="load")
        page.evaluate("() => window.MathJax?.startup?.promise")
        mistakes = page.evaluate((_HERE / "pdf.js").read_text(encoding="utf-8"), ROOM)
        if lost or mistakes:
            raise BuildError(
                f"the book cannot be printed: {mistakes} formulas are not typeset; "
                f"not found: {', '.join(lost) or 'nothing'}"
            )
        numbers = _numbers(_pdf(page, tagged=False))
        _fill_in(page, numbers)
        printed = _pdf(page, tagged=True)
        if _numbers(printed) != numbers:
            raise BuildError("the contents, with their numbers, took other pages than without")
        return printed
    except Error as fault:
        raise BuildError(f"the browser could not print the book: {fault}") from None
    finally:
        page.close()


def _answer(route: "Route", document: str, site: Path, lost: list[str]) -> None:
    """A request's answer: the document, its style, or a file of the site; nothing from outside."""
    url = route.request.url
    name = unquote(urlsplit(url).path).lstrip("/")
    if not url.startswith(ORIGIN):
        lost.append(url[:200])
        route.abort()
    elif name == "book.html":
        route.fulfill(body=document, content_type="text/html; charset=utf-8")
    elif (path := _HERE / name if name == "pdf.css" else site / name).is_file():
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(path=path, content_type=kind)
    else:
        lost.append(name)
        route.fulfill(status=404)


def _pdf(page: "Page", *, tagged: bool) -> bytes:
    return page.pdf(prefer_css_page_size=True, print_background=True, outline=tagged, tagged=tagged)


def _numbers(printed: bytes) -> dict[str, int]:
    """The page, counted from 1, of each place that a link within the document leads to."""
    from pypdf import PdfReader  # noqa: PLC0415 - as above

    reader = PdfReader(io.BytesIO(printed))
    numbers = {}
    for name, place in reader.named_destinations.items():
        number = reader.get_destination_page_number(place)
        if number is not None:
            numbers[name.lstrip("/")] = number + 1
    return numbers


def _fill_in(page: "Page", numbers: dict[str, int]) -> None:
    """Write the numbers into the contents.

    Raises
    ------
    BuildError
        If a heading of the contents landed nowhere.
    """
    script = """numbers => [...document.querySelectorAll(".contents .page")]
      .filter(place => !(place.textContent = numbers[place.dataset.target] ?? ""))
      .map(place => place.dataset.target)"""
    nowhere = page.evaluate(script, numbers)
    if nowhere:
        raise BuildError(f"the contents name what is not printed: {', '.join(nowhere)}")


def finished(printed: bytes, project: Project) -> bytes:
    """The PDF with the book's own metadata: the same bytes for the same site."""
    from pypdf import PdfWriter  # noqa: PLC0415 - as above
    from pypdf.generic import ArrayObject, BooleanObject, ByteStringObject  # noqa: PLC0415
    from pypdf.generic import DictionaryObject, NameObject  # noqa: PLC0415

    cff = yaml.safe_load((project.root / "CITATION.cff").read_text(encoding="utf-8"))
    writer = PdfWriter(clone_from=io.BytesIO(printed))
    metadata: dict[str, Any] = {
        "/Title": str(cff["title"]),
        "/Author": names(cff["authors"]),
        "/Subject": " ".join(str(cff.get("abstract", "")).split()),
        "/Keywords": ", ".join(cff.get("keywords", [])),
    }
    day = str(site_record(project)["date"]).replace("-", "")
    if day:  # of the commit, not of the build
        metadata |= dict.fromkeys(("/CreationDate", "/ModDate"), f"D:{day}000000Z")
    writer.metadata = None
    writer.add_metadata(metadata)
    shown = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    writer.root_object[NameObject("/ViewerPreferences")] = shown
    identity = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).digest()[:16]
    writer._ID = ArrayObject([ByteStringObject(identity)] * 2)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
