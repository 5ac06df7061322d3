"""Charts that a reader asks: linked trials, and a slider through learning, also in a browser."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chart_parts import hover, spec, tables
from playwright.sync_api import Page
from site_visits import BROWSERS, launched

from ltr_core import charts

RNG = np.random.default_rng(0)
EPOCHS = ["baseline"] * 4 + ["field"] * 8
TARGETS = np.arange(12) % 4
FACTORS = RNG.normal(size=(12, 3))
LATENTS = RNG.normal(size=(12, 40, 4))
TIME = np.linspace(-0.2, 0.6, 40)


def linked(**changes: Any) -> Any:
    """Twelve trials, every second of 23, to four targets."""
    settings: dict[str, Any] = {
        "trial_id": np.arange(1, 24, 2),
        "epoch": EPOCHS,
        "condition": [f"target {i + 1}" for i in TARGETS],
        "measure": np.arange(12.0),
        "measure_title": "error (%)",
    }
    return charts.linked_trials(FACTORS, LATENTS, TIME, **settings | changes)


def through(**changes: Any) -> Any:
    """Twelve reaches to four targets, each straight to its goal."""
    goals = np.array([[0.1, 0.0], [0.0, 0.1], [-0.1, 0.0], [0.0, -0.1]])
    paths = goals[TARGETS][:, None] * np.linspace(0, 1, 40)[:, None]
    settings: dict[str, Any] = {"epochs": EPOCHS, "start": 6} | changes
    curves = {"error (%)": {"error": np.arange(12.0)}, "norm": {"1": FACTORS[:, 0]}}
    return charts.through_learning(paths, goals, TARGETS, curves, **settings)


def test_the_linked_panels_hold_the_factors_and_the_latents() -> None:
    drawn, *_ = (rows for rows in tables(linked()) if "factor" in rows[0])
    found = {(row["component"], row["trial"]): row["factor"] for row in drawn}
    assert found["component 2", 5] == pytest.approx(FACTORS[2, 1], rel=1e-3)
    courses, *_ = (rows for rows in tables(linked()) if "z1" in rows[0])
    at = courses[3]["time"].index(0.0 if 0.0 in courses[3]["time"] else courses[3]["time"][7])
    where = int(np.abs(TIME - courses[3]["time"][at]).argmin())
    assert courses[3]["z3"][at] == pytest.approx(LATENTS[3, where, 2], rel=1e-3)
    assert set(courses[0]) == {"trial", "epoch", "condition", "measure", "time", "z1", "z2", "z3"}


def test_one_condition_or_component_leaves_nothing_to_choose() -> None:
    bound = {p["name"] for p in spec(linked())["params"] if "bind" in p and "select" not in p}
    assert bound == {"linked_first", "linked_last", "linked_condition", "linked_menu"}
    alone = charts.linked_trials(FACTORS[:, :1], LATENTS, TIME)
    bound = {p["name"] for p in spec(alone)["params"] if "bind" in p and "select" not in p}
    assert bound == {"linked_first", "linked_last"}


def test_linked_trials_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="measure has 3 values"):
        linked(measure=np.ones(3))
    with pytest.raises(ValueError, match="must ascend"):
        linked(trial_id=np.zeros(12))
    with pytest.raises(ValueError, match="the latents have 2 axes: 3 are drawn"):
        charts.linked_trials(FACTORS, LATENTS[:, :, :2], TIME)


def test_the_slider_shows_the_last_reach_to_each_target() -> None:
    reaches, *_ = (rows for rows in tables(through()) if "until" in rows[0])
    for trial in (1, 3, 6, 12):
        now = [row for row in reaches if row["trial"] <= trial < row["until"]]
        last = {TARGETS[k] + 1: k + 1 for k in range(trial)}
        assert {row["target"]: row["trial"] for row in now} == last
    assert reaches[0]["x"][-1] == pytest.approx(10)  # cm
    with pytest.raises(ValueError, match="start is 13"):
        through(start=13)


def test_charts_for_the_book_stay_small() -> None:
    rng, n = np.random.default_rng(0), 250
    many = charts.linked_trials(
        rng.normal(size=(n, 5)), rng.normal(size=(n, 60, 5)), np.linspace(0, 1, 60)
    )
    assert len(json.dumps(spec(many))) < 0.5e6


def test_lines_leave_their_values_to_points() -> None:
    """A line tells the values of its first point wherever it is pointed at."""
    assert [view for view in hover(linked()) + hover(through()) if view.first_only] == []


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Page]:
    """Both charts on a page of their own, drawn by the site's scripts."""
    folder = tmp_path_factory.mktemp("linked")
    extensions = repository / "book" / "_ext"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(extensions))
        patch.setenv("LTR_BOOK", "1")
        import ltr_charts  # noqa: PLC0415 - found on the path just set

        (folder / "vega.js").write_text(ltr_charts.vega_script(), encoding="utf-8")
        bodies = [
            charts.figure_bundle(chart, name=name, caption="c", alt="a")["text/html"]
            for name, chart in {"linked": linked(), "through": through()}.items()
        ]
    shutil.copy(extensions / "static" / "ltr-charts.js", folder)
    scripts = "".join(
        f'<script defer src="{name}"></script>' for name in ("vega.js", "ltr-charts.js")
    )
    html = f'<!doctype html><meta charset="utf-8">{scripts}<main>{"".join(bodies)}</main>'
    (folder / "index.html").write_text(html, encoding="utf-8")
    with launched() as browser:
        if browser is None:
            pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
        shown = browser.new_page(viewport={"width": 900, "height": 800})
        shown.goto((folder / "index.html").as_uri())
        shown.wait_for_function("document.querySelectorAll('.ltr-live').length == 2")
        yield shown


LINES = "[...document.querySelectorAll('.ltr-chart')[{}].querySelectorAll('.mark-line path')]"
FADED = LINES.format(0) + ".filter((line) => +line.getAttribute('opacity') < 0.1).length"


def test_brush_and_sliders_choose_the_trials_of_the_other_panels(page: Page) -> None:
    assert page.evaluate(FADED) == 0
    slider = page.locator("input[name=linked_first]")
    slider.focus()
    page.keyboard.press("End")  # the last trial alone, which is not to target 1
    page.wait_for_function(f"{FADED} == 6", timeout=5000)  # three trials to target 1, in two panels
    page.keyboard.press("Home")
    assert page.evaluate(FADED) == 0
    lines = page.locator(".ltr-chart .mark-line").first
    lines.scroll_into_view_if_needed()
    area = lines.bounding_box()
    assert area
    y = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] - 2, y)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 4, y, steps=3)
    page.mouse.up()
    # of trials 1, 9 and 17 the first is in the brush
    page.wait_for_function(f"{FADED} == 4", timeout=5000)


def test_a_component_is_singled_out_by_its_legend(page: Page) -> None:
    word = page.locator(".ltr-chart").first.locator(".role-legend-label text").nth(1)
    word.click()
    titles = (
        page.locator(".ltr-chart").first.locator(".role-mark.mark-text text").all_text_contents()
    )
    assert "component 2" in titles
    page.locator("select[name=linked_menu]").select_option("component 3")
    titles = (
        page.locator(".ltr-chart").first.locator(".role-mark.mark-text text").all_text_contents()
    )
    assert "component 3" in titles


def test_the_slider_moves_hand_and_curves_together(page: Page) -> None:
    label = page.locator(".ltr-chart").nth(1).locator(".role-mark.mark-text text").first
    assert label.text_content() == "trial 6, field"
    slider = page.locator(".ltr-chart").nth(1).locator("input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    assert label.text_content() == "trial 1, baseline"
    bold = LINES.format(1) + ".filter((line) => line.getAttribute('stroke-width') == '3.5').length"
    assert page.evaluate(bold) == 1
