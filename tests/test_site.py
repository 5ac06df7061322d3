"""The built site in headless Chromium: quiet, self-contained, readable in every way it is read.

Each page is visited once in each way of reading; the tests then judge what was seen.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route
from site_visits import (
    BROWSERS,
    PHONE,
    READY,
    SEEN,
    TIMEOUT,
    WAYS,
    Visits,
    launched,
    open_page,
    problems,
    served,
    violations,
    visit_all,
)

from ltr_core.charts.style import config


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site served on this machine."""
    with served(site) as base:
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with launched() as chromium:
        if chromium is None:
            pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
        yield chromium


@pytest.fixture(scope="module")
def pages(site: Path) -> list[str]:
    """Names of all pages; the address without a name only leads on to the first."""
    # The theme keeps templates among its static files.
    found = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    names = {path.relative_to(site).as_posix() for path in found}
    return sorted(names - {"index.html"})


@pytest.fixture(scope="module")
def visits(browser: Browser, address: str, pages: list[str]) -> Visits:
    """Every page read in every way."""
    return visit_all(browser, address, pages)


def charts(visits: Visits) -> list[dict[str, Any]]:
    return [chart for visit in visits.values() for chart in visit.seen["charts"]]


def test_the_book_has_its_pages(pages: list[str]) -> None:
    assert {"intro.html", "scorecard.html", "execution.html"} <= set(pages)
    assert any(re.match(r"\d\d_", name) for name in pages)


def test_the_bare_address_leads_to_the_first_page(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_url("**/intro.html", timeout=TIMEOUT)
    page.close()


def test_no_errors(visits: Visits) -> None:
    assert not problems(visits, lambda visit: visit.errors)


def test_nothing_is_missing_or_comes_from_elsewhere(visits: Visits) -> None:
    assert not problems(visits, lambda visit: visit.failed)
    assert not problems(visits, lambda visit: visit.foreign)


def test_every_chart_is_drawn(visits: Visits) -> None:
    assert charts(visits), "no page has a chart"
    undrawn = [chart for chart in charts(visits) if not chart["marks"] or chart["picture"]]
    assert not undrawn


def test_every_chart_says_what_it_shows(visits: Visits) -> None:
    for chart in charts(visits):
        assert chart["alt"].strip()
        assert chart["label"] == chart["alt"]


def test_every_image_has_an_alternative_text(visits: Visits) -> None:
    assert not problems(visits, lambda visit: visit.seen["unnamed"])


def test_math_is_typeset(visits: Visits) -> None:
    assert any(visit.seen["math"] for visit in visits.values()), "no page has math"
    assert not problems(visits, lambda visit: visit.seen["math"] - visit.seen["typeset"])
    assert not problems(visits, lambda visit: visit.seen["mistakes"])


def test_a_phone_needs_no_sideways_scrolling(visits: Visits) -> None:
    on_phone = {where: visit for where, visit in visits.items() if where[1] == "phone"}
    assert not problems(on_phone, lambda visit: max(0, visit.seen["width"] - PHONE))
    assert {chart["overflow"] for chart in charts(on_phone)} == {"auto"}


def test_no_page_breaks_a_rule_of_accessibility(visits: Visits) -> None:
    assert not problems(visits, lambda visit: visit.violations)


def test_a_page_that_breaks_the_rules_is_found_out(browser: Browser) -> None:
    page = browser.new_page()
    grey = '<p style="color: #aaa; background: #fff">Too pale to read</p>'
    page.set_content(f'<main><h1>A page</h1>{grey}<img src="data:,"><button></button></main>')
    found = " ".join(violations(page))
    page.close()
    for rule in ("color-contrast", "image-alt", "button-name", "html-has-lang"):
        assert rule in found


def test_headings_follow_each_other(visits: Visits) -> None:
    for (name, way), visit in visits.items():
        levels = visit.seen["headings"]
        assert levels.count(1) == 1, f"{name} in {way} has {levels.count(1)} first headings"
        assert levels[0] == 1
        steps = [after - before for before, after in pairwise(levels)]
        assert max(steps, default=0) <= 1, f"{name} leaves out a level of headings: {levels}"


def test_the_keyboard_reaches_text_search_and_folded_parts(
    browser: Browser, address: str, visits: Visits
) -> None:
    name = first_with(visits, lambda seen: seen["sliders"] and seen["folded"], "folded parts")
    context = browser.new_context(**WAYS["light"])
    page, _ = open_page(context, address, name)
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    folded = page.locator("main details:not([open])").first
    folded.locator("summary").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.parentElement.open", timeout=TIMEOUT)
    page.keyboard.press("Control+k")
    page.keyboard.type("tensor rank")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*", timeout=TIMEOUT)
    page.locator("#search-results li a").first.wait_for(timeout=TIMEOUT)
    context.close()


@pytest.mark.parametrize(("way", "theme"), [("light", "light"), ("phone", "dark")])
def test_axes_are_written_in_the_themes_ink(visits: Visits, way: str, theme: Any) -> None:
    ink = config(theme)["axis"]["labelColor"]
    read = {where: visit for where, visit in visits.items() if where[1] == way}
    assert {visit.seen["theme"] for visit in read.values()} == {theme}
    inks = {fill for chart in charts(read) for fill in chart["axes"]}
    assert inks == {ink}


def first_with(visits: Visits, wanted: Callable[[dict[str, Any]], Any], what: str) -> str:
    """The first page, as read in light, that has what is wanted."""
    found = [name for (name, way), v in visits.items() if way == "light" and wanted(v.seen)]
    assert found, f"no page has {what}"
    return found[0]


def marks_of(page: Page, chart: str) -> Any:
    """The drawn marks of the chart with this id."""
    script = "id => document.querySelector(`#${id} svg.marks g`).innerHTML"
    return page.evaluate(script, chart)


def test_a_control_changes_its_chart_and_keeps_its_value(
    browser: Browser, address: str, visits: Visits
) -> None:
    context = browser.new_context(**WAYS["light"])
    slid = 0
    for name in sorted({name for (name, _), v in visits.items() if v.seen["sliders"]}):
        page, _ = open_page(context, address, name)
        moved: dict[str, str] = {}  # a control -> its value
        for slider in page.locator(".ltr-chart input[type=range]").all():
            chart = slider.evaluate("element => element.closest('.ltr-chart').id")
            assert slider.evaluate("element => element.labels[0].innerText.trim()")
            before = marks_of(page, chart)
            at_end = slider.input_value() == slider.get_attribute("max")
            slider.focus()
            page.keyboard.press("Home" if at_end else "End")
            page.wait_for_function(
                "([id, old]) => document.querySelector(`#${id} svg.marks g`).innerHTML !== old",
                arg=[chart, before],
                timeout=TIMEOUT,
            )
            control = f"#{chart} input[name='{slider.get_attribute('name')}']"
            moved[control] = slider.input_value()
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        page.wait_for_function(READY, timeout=TIMEOUT)
        assert {control: page.locator(control).input_value() for control in moved} == moved
        slid += len(moved)
        page.close()
    context.close()
    assert slid, "no chart has a slider"


def test_the_readers_switch_redraws_the_charts(
    browser: Browser, address: str, visits: Visits
) -> None:
    name = first_with(visits, lambda seen: seen["charts"], "a chart")
    context = browser.new_context(**WAYS["light"])
    page, visit = open_page(context, address, name)
    for _ in range(3):  # the button goes round auto, light and dark
        page.locator("button.theme-switch-button:visible").first.click()
        page.wait_for_function(READY, timeout=TIMEOUT)
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    inks = {fill for chart in page.evaluate(SEEN)["charts"] for fill in chart["axes"]}
    context.close()
    assert inks == {config("dark")["axis"]["labelColor"]}
    assert not visit.errors


def test_without_scripts_the_pictures_are_there(
    browser: Browser, address: str, visits: Visits
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=WAYS["phone"]["viewport"])
    page = context.new_page()
    for name in sorted({name for (name, _), v in visits.items() if v.seen["charts"]}):
        page.goto(address + name)
        pictures = page.locator("img.ltr-chart-static").all()
        assert len(pictures) == page.locator(".ltr-chart").count() > 0
        for picture in pictures:
            box = picture.bounding_box()
            assert box is not None
            assert box["width"] > 100
            assert box["height"] > 50
            assert box["x"] + box["width"] <= PHONE
    context.close()


def test_the_site_opens_as_files(browser: Browser, site: Path, visits: Visits) -> None:
    base = site.resolve().as_uri() + "/"
    context = browser.new_context(**WAYS["light"])
    chapter = first_with(visits, lambda seen: seen["charts"] and seen["math"], "charts and math")
    for name in ("intro.html", chapter, "scorecard.html"):
        page, visit = open_page(context, base, name)
        assert (name, visit.errors, visit.failed, visit.foreign) == (name, [], [], [])
        assert all(chart["marks"] for chart in visit.seen["charts"])
        page.close()
    context.close()


def test_a_chart_that_fails_leaves_its_picture(
    browser: Browser, address: str, visits: Visits
) -> None:
    name = first_with(visits, lambda seen: seen["charts"], "a chart")
    context = browser.new_context(**WAYS["light"])
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)

    def break_first(route: Route) -> None:
        response = route.fetch()
        broken = re.sub(
            r'(<div class="ltr-chart".*?<script type="application/json">).*?(</script>)',
            r'\1{"mark": "no such mark", "encoding": {"x": {"type": 7}}}\2',
            response.text(),
            count=1,
            flags=re.DOTALL,
        )
        route.fulfill(response=response, body=broken)

    page.route(address + name, break_first)
    page.goto(address + name)
    page.wait_for_function(
        "[...document.querySelectorAll('.ltr-chart')].slice(1)"
        ".every(chart => chart.classList.contains('ltr-live'))",
        timeout=TIMEOUT,
    )
    first = page.locator(".ltr-chart").first
    identity = first.get_attribute("id")
    assert first.locator("img").is_visible()
    assert any(f"chart {identity} was not drawn" in text for text in errors)
    context.close()


def test_printed_charts_are_the_light_pictures(
    browser: Browser, address: str, visits: Visits
) -> None:
    name = first_with(visits, lambda seen: seen["charts"], "a chart")
    context = browser.new_context(**WAYS["phone"])
    page, _ = open_page(context, address, name)
    page.emulate_media(media="print")
    chart = page.locator(".ltr-chart").first
    assert chart.locator("img").is_visible()
    assert not chart.locator(".ltr-chart-live").is_visible()
    context.close()


def test_links_within_the_site_lead_somewhere(site: Path, pages: list[str]) -> None:
    texts = {name: (site / name).read_text(encoding="utf-8") for name in pages}
    identities = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in texts.items()}
    dead = []
    for name, text in texts.items():
        for link in re.findall(r'\b(?:href|src)="([^"]+)"', text):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            key = target.resolve().relative_to(site.resolve()).as_posix()
            lost = parts.fragment and key in identities and parts.fragment not in identities[key]
            if not target.exists() or lost:
                dead.append(f"{name}: {link}")
    assert not dead


def test_executed_notebooks_are_on_offer(site: Path, pages: list[str]) -> None:
    chapters = [name for name in pages if re.match(r"\d\d_", name)]
    for name in chapters:
        notebook = f"_sources/{name.removesuffix('.html')}.ipynb"
        assert f'href="{notebook}"' in (site / name).read_text(encoding="utf-8")
        cells = json.loads((site / notebook).read_text(encoding="utf-8"))["cells"]
        assert any(cell.get("outputs") for cell in cells)


def test_pages_without_charts_are_spared_the_script(site: Path, visits: Visits) -> None:
    with_charts = {name for (name, _), visit in visits.items() if visit.seen["charts"]}
    for name in {name for name, _ in visits}:
        loads = "ltr-vega.js" in (site / name).read_text(encoding="utf-8")
        assert loads == (name in with_charts)
