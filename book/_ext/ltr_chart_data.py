"""The data behind each chart as CSV files: every table of a Vega-Lite specification, once.

Tables are written as they stand in the specification, with its column names, the largest first.
Columns of lists, which a chart flattens, become rows; what is looked up in a list of the
specification by such a column (where a map's bins begin) becomes a column, if the tooltip tells
it.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Row = dict[str, Any]

MOST_IN_LINE = 4
"""Links that stand under a chart in a line; more are folded away."""

_LOOKUP = re.compile(r"(\[[^\[\]]*\])\[datum\.(\w+)\]")
_FIGURE = re.compile(r'<figure\b[^>]*\bid="([^"]+)"')
_CHART = re.compile(
    r'<div class="ltr-chart" id="([^"]+)">.*?'
    r'<script type="application/json">(.*?)</script></div>',
    re.DOTALL,
)


def figures(body: str) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Each chart of a page's HTML: its figure's name, its specification, where its element ends."""
    names = [(found.start(), found[1].removeprefix("fig-")) for found in _FIGURE.finditer(body)]
    for found in _CHART.finditer(body):
        before = [name for start, name in names if start < found.start()]
        # a chart that is no figure of the book has its own identity only
        inside = before and body.rfind("</figure>", 0, found.start()) < body.rfind(
            "<figure", 0, found.start()
        )
        yield before[-1] if inside else found[1], json.loads(found[2]), found.end()


class Table(NamedTuple):
    """The text of a CSV file, and the title of the panel that it is drawn in (may be empty)."""

    text: str
    panel: str


def tables(spec: Mapping[str, Any], figure: str) -> list[Table]:
    """The tables of a chart; raises `ValueError` for one that cannot be written.

    A single number, where a rule or a word stands, is left out where there is more.
    """
    named = spec.get("datasets", {})
    written: dict[str, tuple[int, str]] = {}
    for source, transforms, panel in _sources(spec):
        if "values" not in source and source.get("name") not in named:
            raise ValueError(
                f"figure {figure}: the data {json.dumps(source)[:80]} are not in the chart, so "
                "they cannot be offered as CSV; put them inline, as ltr_core.charts.records does"
            )
        values = source["values"] if "values" in source else named[source["name"]]
        if values:
            rows = _long(values, figure)
            text = as_csv([_looked_up(row, transforms) for row in rows])
            written.setdefault(text, (len(rows) * len(rows[0]), panel))
    largest = sorted(written, key=lambda text: -written[text][0])
    kept = [text for text in largest if written[text][0] > 1 or text == largest[0]]
    return [Table(text, written[text][1]) for text in kept]


def as_csv(rows: Sequence[Row]) -> str:
    """Rows as CSV with a line of column names; missing values are empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def link_line(figure: str, found: Sequence[Table], addresses: Sequence[str]) -> str:
    """The line under a chart that offers its tables; its links need no script."""
    links = []
    for i, (table, address) in enumerate(zip(found, addresses, strict=True)):
        word = "CSV" if len(found) == 1 else f"CSV {i + 1}"
        word += f" ({table.panel})" if table.panel and len(found) > 1 else ""
        columns = ", ".join(next(csv.reader(io.StringIO(table.text))))
        told = html.escape(f"{word}, data of figure {figure}: {columns}")
        links.append(
            f'<a href="{html.escape(address)}" download title="{html.escape(columns)}" '
            f'aria-label="{told}">{html.escape(word)}</a>'
        )
    if len(links) > MOST_IN_LINE:
        return (
            '<details class="ltr-data d-print-none">'
            f"<summary>Data: {len(links)} CSV files</summary>{', '.join(links)}</details>"
        )
    return f'<p class="ltr-data d-print-none">Data: {", ".join(links)}</p>' if links else ""


def _sources(
    node: Any, panel: str = ""
) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]], str]]:
    """Every `data` of a specification, with its view's title and transforms that tooltips tell."""
    if isinstance(node, list):
        for part in node:
            yield from _sources(part, panel)
    elif isinstance(node, Mapping):
        title = node.get("title", panel)
        title = title.get("text", panel) if isinstance(title, Mapping) else title
        panel = " ".join(title if isinstance(title, list) else str(title).split())
        if isinstance(node.get("data"), Mapping):
            # a cell's far edge, drawn under the next one, is no quantity: tooltips do not tell it
            tooltip = node.get("encoding", {}).get("tooltip", [])
            told = {part.get("field") for part in tooltip} if isinstance(tooltip, list) else set()
            transforms = [one for one in node.get("transform", []) if one.get("as") in told]
            yield node["data"], transforms, panel
        for key in ("layer", "concat", "hconcat", "vconcat", "spec"):
            yield from _sources(node.get(key, []), panel)


def _long(values: Any, figure: str) -> list[Row]:
    """Rows of single values: lists of one length in a row become a row for each of their items."""
    if not isinstance(values, list):
        raise ValueError(f"figure {figure}: its data are {type(values).__name__}, not rows")
    rows: list[Row] = []
    for value in values:
        row = value if isinstance(value, dict) else {"data": value}
        lists = {name: part for name, part in row.items() if isinstance(part, list)}
        lengths = {name: len(part) for name, part in lists.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"figure {figure}: lists of one row differ in length: {lengths}")
        n = next(iter(lengths.values()), 1)
        items = [{**row, **{name: part[i] for name, part in lists.items()}} for i in range(n)]
        for item in items:
            for name, part in item.items():
                if isinstance(part, list | dict):
                    raise ValueError(
                        f"figure {figure}: column {name} holds {type(part).__name__}s, which have "
                        "no place in a CSV file; give one value for each row"
                    )
        rows += items
    return rows


def _looked_up(row: Row, transforms: Sequence[Mapping[str, Any]]) -> Row:
    """The row with the columns that the chart takes from a list by the number in another one."""
    for transform in transforms:
        found = _LOOKUP.fullmatch(str(transform.get("calculate", "")))
        if found and found[2] in row:
            row = {**row, transform["as"]: json.loads(found[1])[row[found[2]]]}
    return row


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value
