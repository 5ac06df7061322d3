"""What the tests of charts share: a chart's specification, its data, its marks as drawn."""

import re
from typing import Any, NamedTuple

from ltr_core.charts.output import spec_of, static_svg


def spec(chart: Any) -> dict[str, Any]:
    """The specification, checked as for the book."""
    return spec_of(chart, name="chart", description="a chart")


def nodes(node: Any) -> list[dict[str, Any]]:
    """Every object in a specification."""
    if isinstance(node, dict):
        return [node] + [found for value in node.values() for found in nodes(value)]
    if isinstance(node, list):
        return [found for value in node for found in nodes(value)]
    return []


def tables(chart: Any) -> list[list[dict[str, Any]]]:
    """The tables of data in a chart, in the order of its layers and panels."""
    return [
        node["data"]["values"] for node in nodes(spec(chart)) if "values" in node.get("data", {})
    ]


def table(chart: Any, *columns: str) -> list[dict[str, Any]]:
    """The rows of all tables that have these columns."""
    return [row for rows in tables(chart) if rows for row in rows if set(columns) <= set(rows[0])]


def marks(chart: Any) -> list[dict[str, Any]]:
    """All marks of a chart."""
    return [node["mark"] for node in nodes(spec(chart)) if isinstance(node.get("mark"), dict)]


def picture(chart: Any) -> str:
    """The static picture."""
    return static_svg(spec(chart))


def width(svg: str) -> float:
    found = re.search(r'<svg[^>]* width="([\d.]+)"', svg)
    assert found
    return float(found[1])


class Hover(NamedTuple):
    """A view's kinds of marks, whether one tells its values, and numbers that only a line tells."""

    marks: tuple[str, ...]
    tells: bool
    first_only: list[str]


def hover(chart: Any) -> list[Hover]:
    """What answers the pointer in each view; a line tells its first point's values everywhere."""

    def units(node: dict[str, Any], above: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        encoding = above | node.get("encoding", {})
        if "layer" in node:
            return [unit for part in node["layer"] for unit in units(part, encoding)]
        return [(node["mark"]["type"], encoding)]

    def views(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [view for part in node for view in views(part)]
        if "layer" in node or "mark" in node:
            return [node]
        return [
            view
            for key in ("concat", "hconcat", "vconcat", "spec")
            for view in views(node.get(key, []))
        ]

    found = []
    for view in views(spec(chart)):
        inside = units(view, {})
        lines = [told for kind, told in inside if kind in {"line", "area"}]
        numbers = [
            one["field"]
            for told in lines
            for one in told.get("tooltip", [])
            if one["type"] == "quantitative" and one["field"] != told.get("detail", {}).get("field")
        ]
        kinds = tuple(kind for kind, _ in inside)
        found.append(Hover(kinds, any("tooltip" in told for _, told in inside), numbers))
    return found
