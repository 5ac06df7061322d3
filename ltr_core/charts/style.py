"""House style of the charts: colours legible on light and dark pages, sizes, Vega configs.

Every colour that draws a mark on the page's own background has a contrast of at least 3:1
(WCAG 2.1, 1.4.11) with the light and with the dark page, so one chart serves both; only text,
axes and grid change with the theme. Categories stay apart under protanopia, deuteranopia and
tritanopia, and are best doubled by a dash or a shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Theme = Literal["light", "dark"]

PAGE = {"light": "#ffffff", "dark": "#121212"}
"""Background of the page in each theme (sphinx-book-theme)."""

CATEGORICAL = ("#036FB8", "#EA5F0F", "#2D9F5F", "#C779AD", "#A74C00", "#6F6F6F")
"""Blue, orange, green, purple, brown, grey: the Okabe-Ito hues, held to one band of luminance."""

BLUE, ORANGE, GREEN, PURPLE, BROWN, GREY = CATEGORICAL

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3], [12, 4])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")

ORDERED = ("#2F6FD0", "#7A6BC9", "#B55FA6", "#D4607A", "#DA6A3C")
"""Ramp for ordered lines and points (early to late), legible on both pages."""

SEQUENTIAL = (
    "#440154",
    "#472D7B",
    "#3B528B",
    "#2C728E",
    "#21918C",
    "#28AE80",
    "#5EC962",
    "#ADDC30",
    "#FDE725",
)
"""Viridis, for filled cells (heat maps) of one sign."""

DIVERGING = ("#08457E", "#3F86C1", "#A5CAE6", "#F4F2EF", "#F6BD92", "#DB7730", "#8F3D00")
"""Blue to orange through near-white, for filled cells of both signs; centre the scale at 0."""

WIDTH, HEIGHT = 500, 280
"""Default size of a single view in pixels; two panels side by side take `PANEL` each."""
PANEL = 230

FONT = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", "Helvetica Neue", "Liberation Sans", '
    "Arial, sans-serif"
)

_INK = {
    "light": {"text": "#222832", "muted": "#48566b", "line": "#7d8794", "grid": "#e6e9ec"},
    "dark": {"text": "#ced6dd", "muted": "#9ca4af", "line": "#7f8894", "grid": "#2a2f36"},
}


def _neutral() -> dict[str, Any]:
    """The parts of the config that do not depend on the theme."""
    return {
        "background": "transparent",
        "font": FONT,
        "view": {
            "stroke": None,
            "continuousWidth": WIDTH,
            "continuousHeight": HEIGHT,
            "discreteWidth": {"step": 28},
            "discreteHeight": {"step": 28},
        },
        "range": {
            "category": list(CATEGORICAL),
            "ordinal": list(ORDERED),
            "ramp": list(ORDERED),
            "heatmap": list(SEQUENTIAL),
            "diverging": list(DIVERGING),
            "symbol": list(SHAPES),
        },
        "mark": {"color": BLUE},
        "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
        "point": {"size": 50, "filled": True},
        "circle": {"size": 50},
        "axis": {
            "labelFontSize": 12,
            "titleFontSize": 13,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "labelPadding": 4,
            "tickSize": 4,
            "domainWidth": 1,
        },
        "axisY": {"domain": False, "ticks": False},
        "axisX": {"grid": False},
        "legend": {
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "symbolStrokeWidth": 2,
            "labelLimit": 260,
            "titleLimit": 320,
        },
        "header": {"labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal"},
        "title": {
            "anchor": "start",
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleFontSize": 12,
            "subtitlePadding": 4,
            "offset": 10,
        },
        "text": {"fontSize": 12},
    }


def config(theme: Theme) -> dict[str, Any]:
    """Vega-Lite config of a theme as a new plain dict: neutral parts and the theme's inks.

    Raises `ValueError` for a theme other than "light" or "dark".
    """
    if theme not in _INK:
        raise ValueError(f'theme is {theme!r}; use "light" or "dark"')
    ink = _INK[theme]
    inks = {
        "axis": {
            "labelColor": ink["muted"],
            "titleColor": ink["text"],
            "domainColor": ink["line"],
            "tickColor": ink["line"],
            "gridColor": ink["grid"],
        },
        "legend": {"labelColor": ink["text"], "titleColor": ink["text"]},
        "header": {"labelColor": ink["text"], "titleColor": ink["text"]},
        "title": {"color": ink["text"], "subtitleColor": ink["muted"]},
        "text": {"color": ink["text"]},
        "rule": {"color": ink["line"]},
        "style": {"guide-label": {"fill": ink["muted"]}, "guide-title": {"fill": ink["text"]}},
    }
    return merged(_neutral(), inks)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested union of two configs; where both set a value, `over` wins. Neither is changed."""
    out = dict(base)
    for key, value in over.items():
        known = out.get(key)
        nested = isinstance(known, Mapping) and isinstance(value, Mapping)
        out[key] = merged(known, value) if nested else value  # type: ignore[arg-type]
    return out


def themed(spec: Mapping[str, Any], theme: Theme) -> dict[str, Any]:
    """A Vega-Lite spec with the theme's config under the spec's own, which wins."""
    return {**spec, "config": merged(config(theme), spec.get("config", {}))}
