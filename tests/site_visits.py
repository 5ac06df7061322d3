"""Visits of the built site in headless Chromium: what was seen on each page, read in each way."""

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from _pipeline.pdf import BROWSERS, FLAGS
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    ViewportSize,
    sync_playwright,
)

PHONE = 390
TIMEOUT = 30_000  # milliseconds until a page that is not ready counts as broken
WIDE: ViewportSize = {"width": 1280, "height": 900}
WAYS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "phone": {"viewport": {"width": PHONE, "height": 844}, "color_scheme": "dark"},
}

# Not by a route: that would switch off the browser's cache.
NOWHERE_ELSE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# None of them serious: the theme's logo lies outside the landmarks; tables of pandas begin with an
# empty corner.
ALLOWED = ("region", "empty-table-header")
EVERY_RULE = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"color-contrast": {"enabled": False}},
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}

# One element of each style of text on each ground.
STYLES = """() => {
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "";
  };
  const found = new Map();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    const drawn = element.closest("svg, mjx-container, script, style");
    if (!text.data.trim() || drawn || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const parts = [style.color, ground(element), style.fontSize, style.fontWeight, style.opacity];
    if (!found.has(parts.join())) found.set(parts.join(), element);
  }
  window.styles = [...found.values()];
}"""

# A drawn chart is one picture with a name, a formula one expression, a line of code a text but for
# the links in it: without their many parts the rules are judged in a tenth of the time. Equations
# that scroll are left, as a rule is about them, and what contrast is judged of.
TAKE_OUT = """() => {
  const scrolls = box => box.matches("[display=true]") && box.scrollWidth > box.clientWidth;
  [...document.querySelectorAll("svg.marks, mjx-container")]
    .filter(whole => !scrolls(whole))
    .forEach(whole => whole.replaceChildren());
  const judged = new Set(window.styles);
  for (const part of [...document.querySelectorAll("pre span, dt.sig span")].reverse())
    if (!judged.has(part) && !part.id && !part.children.length)
      part.replaceWith(part.textContent);
}"""

# Every chart drawn in the page's present theme, and all math typeset.
READY = """() => {
  const theme = document.documentElement.dataset.theme;
  const charts = [...document.querySelectorAll(".ltr-chart")];
  const math = document.querySelector(".math") === null || window.MathJax?.startup?.promise;
  return charts.every(chart => chart.dataset.theme === theme) && Boolean(math);
}"""

SEEN = """async () => {
  await window.MathJax?.startup?.promise;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const visible = element => element.checkVisibility();
  return {
    theme: document.documentElement.dataset.theme,
    width: document.documentElement.scrollWidth,
    math: all(".math").length,
    typeset: all(".math mjx-container").length,
    mistakes: all("mjx-merror, .MathJax_Error").length,
    folded: all("main details:not([open])").length,
    headings: all("h1, h2, h3, h4, h5, h6").filter(visible).map(h => Number(h.tagName[1])),
    sliders: all(".ltr-chart input[type=range]").length,
    unnamed: all("img").filter(image => !image.alt.trim()).map(image => image.src.slice(0, 200)),
    charts: all(".ltr-chart").map(chart => ({
      id: chart.id,
      marks: all("svg.marks .role-mark *", chart).length,
      label: chart.querySelector("svg.marks")?.getAttribute("aria-label"),
      alt: chart.querySelector("img").alt,
      picture: visible(chart.querySelector("img")),
      axes: all(".role-axis-label text", chart).map(text => text.getAttribute("fill")),
      overflow: getComputedStyle(chart).overflowX,
    })),
  };
}"""


@dataclass
class Visit:
    """What was seen on one page read in one way."""

    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


Visits = dict[tuple[str, str], Visit]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Write nothing."""


def watch(page: Page, base: str) -> list[Visit]:
    """Record what goes wrong on a page, and what it asks of other sites, in the last visit."""
    visits: list[Visit] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((base, "data:", "blob:")):
            visits[-1].foreign.append(request.url)

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # it was not needed any more
            visits[-1].failed.append(request.url)

    page.on("console", lambda m: visits[-1].errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: visits[-1].errors.append(str(error)))
    page.on("response", lambda r: visits[-1].failed.append(r.url) if r.status >= 400 else None)
    page.on("request", asked)
    page.on("requestfailed", failed)
    return visits


def read_page(page: Page, visits: list[Visit], address: str) -> Visit:
    """What is seen at an address once its charts are drawn and its math is typeset."""
    visit = Visit()
    visits.append(visit)
    page.goto(address, wait_until="load")
    try:
        page.wait_for_function(READY, timeout=TIMEOUT)
    except Exception as error:
        visit.errors.append(f"not ready: {error}")
    visit.seen = page.evaluate(SEEN)
    return visit


def open_page(context: BrowserContext, base: str, name: str) -> tuple[Page, Visit]:
    """A page of its own that is ready, and the record of it."""
    page = context.new_page()
    return page, read_page(page, watch(page, base), base + name)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The site served on this machine: its address."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextmanager
def launched() -> Iterator[Browser | None]:
    """Headless Chromium, the system's or the one that Playwright installed; None without one."""
    with sync_playwright() as playwright:
        found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        executable = Path(found or playwright.chromium.executable_path)
        if not executable.exists():
            yield None
            return
        chromium = playwright.chromium.launch(
            executable_path=executable, args=[*FLAGS, NOWHERE_ELSE]
        )
        yield chromium
        chromium.close()


def visit_all(browser: Browser, address: str, pages: Sequence[str]) -> Visits:
    """Every page: opened wide and light, and on a phone that is dark."""
    found: Visits = {}
    for way, judge in (("light", violations), ("phone", dark_contrasts)):
        context = browser.new_context(**WAYS[way])
        page = context.new_page()  # one for all: scripts stay compiled
        visits = watch(page, address)
        for name in pages:
            page.set_viewport_size(WAYS[way]["viewport"])
            visit = found[name, way] = read_page(page, visits, address + name)
            visit.violations = judge(page)
        context.close()
    return found


def violations(page: Page) -> list[str]:
    """What axe-core finds against the rules of accessibility, with elements that break them.

    Afterwards the page is without its charts.
    """
    return [*contrasts(page), *_judged(page, "document", EVERY_RULE)]


def dark_contrasts(page: Page) -> list[str]:
    """Contrasts of a dark page with all that is beside the text where there is room for it."""
    page.set_viewport_size(WIDE)
    return contrasts(page)


def contrasts(page: Page) -> list[str]:
    """Text with too little contrast: one element is judged of each style on each ground."""
    page.evaluate(AXE)
    page.evaluate(STYLES)
    page.evaluate(TAKE_OUT)
    return _judged(page, "{include: window.styles}", CONTRAST)


def _judged(page: Page, context: str, options: dict[str, Any]) -> list[str]:
    # without preload: it would ask for style sheets anew, by addresses that are not theirs
    asked = {"preload": False, "resultTypes": ["violations"], **options}
    found = page.evaluate(f"options => axe.run({context}, options)", asked)
    return [
        f"{rule['impact']} {rule['id']}: {rule['help']}, at {node['html'][:200]} "
        f"({node['failureSummary']})"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
        if rule["id"] not in ALLOWED
    ]


def problems(visits: Visits, of: Callable[[Visit], Any]) -> dict[str, Any]:
    """Page and way -> what `of` finds there, where it finds something."""
    return {" ".join(where): found for where, visit in visits.items() if (found := of(visit))}
