"""Figures: legible colours, checked specs, one bundle for one chart, and what a notebook gets."""

import base64
import json
import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import altair as alt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr_core.charts import figure_bundle, records, show
from ltr_core.charts.output import FIGURE_MIME, spec_of, static_svg
from ltr_core.charts.style import (
    CATEGORICAL,
    DASHES,
    DIVERGING,
    ORDERED,
    PAGE,
    SEQUENTIAL,
    SHAPES,
    config,
    merged,
    themed,
)

TEXTS = {"name": "hand-paths", "caption": "Paths, $x(t)$.", "alt": 'Eight "paths" < one centre.'}

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
# Ottosson's Oklab, in which equal distances look about equally far apart.
LMS = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
OKLAB = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]


def linear(colour: str) -> np.ndarray:
    """Linear RGB of a hex colour."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.1."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    return 100 * np.array(OKLAB) @ np.cbrt(np.array(LMS) @ rgb)


def test_contrast_is_the_one_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("page", PAGE.values(), ids=PAGE)
@pytest.mark.parametrize("colour", [*CATEGORICAL, *ORDERED])
def test_marks_are_legible_on_both_pages(colour: str, page: str) -> None:
    assert contrast(colour, page) >= 3


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_categories_stay_apart_for_every_eye(deficiency: str) -> None:
    seen = [
        oklab(np.clip(np.array(DEFICIENCIES[deficiency]) @ linear(colour), 0, 1))
        for colour in CATEGORICAL
    ]
    nearest = min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2))
    assert nearest > 8  # about four just noticeable differences


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_in_its_theme(theme: Any) -> None:
    style = config(theme)
    for part, key in [("axis", "labelColor"), ("axis", "titleColor"), ("legend", "labelColor")]:
        assert contrast(style[part][key], PAGE[theme]) >= 4.5
    assert style["background"] == "transparent"
    json.dumps(style)  # plain


def test_schemes_are_ordered() -> None:
    lightness = [luminance(colour) for colour in SEQUENTIAL]
    assert lightness == sorted(lightness)
    middle = len(DIVERGING) // 2
    diverging = [luminance(colour) for colour in DIVERGING]
    assert diverging[: middle + 1] == sorted(diverging[: middle + 1])
    assert diverging[middle:] == sorted(diverging[middle:], reverse=True)
    assert len(DASHES) == len(SHAPES) == len(CATEGORICAL)


def test_a_charts_own_config_wins_and_neither_is_changed() -> None:
    base, over = {"axis": {"grid": True, "ticks": True}}, {"axis": {"grid": False}, "font": "x"}
    assert merged(base, over) == {"axis": {"grid": False, "ticks": True}, "font": "x"}
    assert base == {"axis": {"grid": True, "ticks": True}}
    spec = {"mark": "line", "config": {"font": "serif"}}
    assert themed(spec, "dark")["config"]["font"] == "serif"
    assert spec["config"] == {"font": "serif"}


def line(x_title: str | None = "Time (s)", y_title: str | None = "Speed (m/s)") -> alt.Chart:
    data = records(t=np.linspace(0, 1, 4), v=[0.0, 2.0, np.nan, 1.0])
    return (
        alt.Chart(data)
        .mark_line(clip=True)
        .encode(x=alt.X("t:Q", title=x_title), y=alt.Y("v:Q", title=y_title))
    )


# Records


def test_records_are_plain_rounded_and_have_gaps() -> None:
    data = records(digits=3, a=np.array([1, 2]), b=[1 / 3, np.nan], c="x", d=np.float32(0.1))
    assert data.to_dict()["values"] == [
        {"a": 1, "b": 0.333, "c": "x", "d": 0.1},
        {"a": 2, "b": None, "c": "x", "d": 0.1},
    ]


def test_more_rows_than_altairs_limit_are_kept() -> None:
    data = records(x=np.arange(6000))
    chart = alt.Chart(data).mark_tick().encode(x=alt.X("x:Q", title="x"))
    assert len(spec_of(chart, name="a", description="b")["data"]["values"]) == 6000


def test_records_refuse_columns_that_do_not_match() -> None:
    with pytest.raises(ValueError, match=r"differ in length: \{'a': 2, 'b': 3\}"):
        records(a=[1, 2], b=[1, 2, 3])
    with pytest.raises(ValueError, match=r"column w has shape \(2, 2\).*ravel"):
        records(w=np.eye(2))


# Checks


@pytest.mark.parametrize("text", ["name", "caption", "alt"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        figure_bundle(line(), **{**TEXTS, text: " "})


@pytest.mark.parametrize("name", ["Hand", "hand paths", "-hand", "hand_paths", "fig-hand", "1hand"])
def test_a_name_that_is_no_slug_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a slug"):
        figure_bundle(line(), **{**TEXTS, "name": name})


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        (line(x_title=None), r"hand-paths: the x axis \(field 't'\) has no title"),
        (line(y_title=""), r"the y axis \(field 'v'\) has no title"),
        (line() | line(x_title=None), r"the x axis .* in hconcat\[1\]"),
        (line() & (line(y_title=None) + line(y_title=None)), r"the y axis .* in vconcat\[1\]"),
        (
            (line() + line(y_title=None)).resolve_scale(y="independent"),
            r"the y axis \(field 'v'\) has no title",
        ),
        (line(x_title=None).facet("v:N"), r"the x axis \(field 't'\) has no title"),
    ],
)
def test_an_axis_without_a_title_is_named(chart: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figure_bundle(chart, **TEXTS)


def test_titles_are_shared_by_layers_and_not_needed_without_an_axis() -> None:
    hidden = line().encode(x=alt.X("t:Q", axis=None))
    at_axis = line().encode(x=alt.X("t:Q", axis=alt.Axis(title="Time (s)")))
    for chart in (line() + line(y_title=None), hidden, at_axis):
        assert figure_bundle(chart, **TEXTS)


def test_data_from_elsewhere_are_refused() -> None:
    far = alt.Chart("https://example.org/a.csv").mark_point()
    with pytest.raises(ValueError, match=r"example\.org/a\.csv.*inline"):
        figure_bundle(far, **TEXTS)


def test_data_that_are_not_json_are_refused() -> None:
    chart = alt.Chart(alt.Data(values=[{"x": float("nan")}])).mark_point()
    with pytest.raises(ValueError, match="records"):
        figure_bundle(chart, **TEXTS)


# Bundles


def embedded(html: str) -> dict[str, Any]:
    """The spec in a figure's HTML, read as a browser would."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def picture(html: str) -> str:
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert found
    return base64.b64decode(found[1]).decode()


def test_the_book_gets_a_picture_and_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LTR_BOOK", "1")
    bundle = figure_bundle(line(), **TEXTS)
    assert bundle[FIGURE_MIME] == {
        "name": "fig-hand-paths",
        "caption": "Paths, $x(t)$.",
        "alt": 'Eight "paths" < one centre.',
    }
    html = bundle["text/html"]
    assert 'alt="Eight &quot;paths&quot; &lt; one centre."' in html
    assert "//" not in html.replace("https://vega.github.io/schema", "").split("base64,")[0]
    spec = embedded(html)
    assert spec["description"] == TEXTS["alt"]
    assert "config" not in spec
    assert "usermeta" not in spec
    svg = ElementTree.fromstring(picture(html))
    assert "Time (s)" in "".join(svg.itertext())


def test_text_in_the_spec_cannot_end_its_element(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LTR_BOOK", "1")
    html = figure_bundle(line(x_title="</script><!--"), **TEXTS)["text/html"]
    assert html.count("</script>") == 1
    assert embedded(html)["encoding"]["x"]["title"] == "</script><!--"


def test_a_reader_in_jupyter_gets_a_live_chart_and_the_caption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LTR_BOOK", raising=False)
    html = figure_bundle(line(), **TEXTS)["text/html"]
    assert "vega-embed" in html
    assert html.endswith("<p>Paths, $x(t)$.</p>")


@pytest.mark.parametrize("book", ["0", "1"])
def test_equal_charts_give_equal_bundles(book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LTR_BOOK", book)

    def chart() -> Any:
        chosen = alt.selection_interval(encodings=["x"])
        panel = line().encode(color=alt.condition(chosen, alt.value("red"), alt.value("blue")))
        return panel.add_params(chosen) | line()

    assert figure_bundle(chart(), **TEXTS) == figure_bundle(chart(), **TEXTS)


def test_the_identity_follows_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LTR_BOOK", "1")

    def identity(chart: Any) -> str:
        return str(figure_bundle(chart, **TEXTS)["text/html"].split('id="')[1].split('"')[0])

    assert identity(line()) == identity(line())
    assert identity(line()) != identity(line(x_title="Time (ms)"))


def test_the_picture_does_not_depend_on_what_was_drawn_before() -> None:
    spec = spec_of(line(), name="a", description="b")
    first = static_svg(spec)
    assert "clip" in first
    assert static_svg(spec) == first


@given(st.text(min_size=1).filter(str.strip))
def test_alternative_text_is_one_line(text: str) -> None:
    alternative = figure_bundle(line(), **{**TEXTS, "alt": text})[FIGURE_MIME]["alt"]
    assert alternative.split() == text.split()
    assert "\n" not in alternative


def test_show_displays_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    show(line(), **TEXTS)
    assert shown == [(figure_bundle(line(), **TEXTS), True)]
