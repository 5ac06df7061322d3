"""How a chart leaves a notebook: numbered figure, static picture, and spec for the browser."""

from __future__ import annotations

import base64
import hashlib
import html
import inspect
import json
import os
import re
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from ltr_core.charts.style import Theme, themed
from ltr_core.charts.validation import check_spec

FIGURE_MIME = "application/vnd.ltr.figure+json"
VEGA_LITE = "6.4"
"""Version of Vega-Lite that draws the static picture and, on the site, the live chart."""

_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_BYTES = 3_000_000


class SharedData(alt.Data):
    """Rows that the copies of a chart share: Altair copies a chart whenever it becomes a part."""

    def __deepcopy__(self, memo: object = None) -> SharedData:  # Altair passes the object itself
        return self


def records(digits: int = 6, **columns: Any) -> alt.Data:
    """Columns of equal length as inline chart data (a list of plain dicts).

    Floats keep `digits` significant digits, which keeps pages small; NaN becomes a gap
    (null). Scalars are repeated. Arrays must be one-dimensional: `(row,)`.

    Raises `ValueError` for columns of unequal length or of more than one dimension.

    Examples
    --------
    >>> from ltr_core import charts
    >>> charts.records(digits=2, trial=[1, 2], error=[0.123, float("nan")]).to_dict()["values"]
    [{'trial': 1, 'error': 0.12}, {'trial': 2, 'error': None}]
    """
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    for name, array in arrays.items():
        if array.ndim > 1:
            raise ValueError(
                f"column {name} has shape {array.shape}; pass one value per row, for example "
                "array.ravel()"
            )
    lengths = {name: array.size for name, array in arrays.items() if array.ndim == 1}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}; pass one value per row in each")
    n_rows = next(iter(lengths.values()), 1)
    columns = {
        name: [_plain(value, digits) for value in np.broadcast_to(array, (n_rows,)).tolist()]
        for name, array in arrays.items()
    }
    rows = zip(*columns.values(), strict=True)
    return SharedData(values=[dict(zip(columns, row, strict=True)) for row in rows])


def row_of_lists(digits: int = 4, **columns: Any) -> dict[str, Any]:
    """One row of chart data that holds arrays as lists, to be flattened by the chart.

    A fifth of the size of a row for each value. Numbers are rounded as in `records`.
    """
    arrays = {name: np.asarray(values).tolist() for name, values in columns.items()}
    return {
        name: [_plain(value, digits) for value in values]
        if isinstance(values, list)
        else _plain(values, digits)
        for name, values in arrays.items()
    }


def show(chart: Any, *, name: str, caption: str, alt: str) -> None:
    """Display an Altair chart as a numbered figure of the book; one per cell.

    `name` is a slug such as "hand-paths" (cited as ``{numref}`fig-hand-paths` ``), `caption` is
    MyST text, and `alt` says in words what the picture shows, for those who cannot see it.
    Raises `ValueError` if one of them is missing or an axis of the chart has no title.

    Examples
    --------
    >>> import altair as alt
    >>> from ltr_core import charts
    >>> data = charts.records(trial=[1, 2], error=[0.3, 0.1])
    >>> chart = alt.Chart(data).mark_line().encode(
    ...     alt.X("trial:Q", title="trial"), alt.Y("error:Q", title="error")
    ... )
    >>> charts.show(chart, name="toy", caption="The error falls.", alt="A falling line.")
    ... # doctest: +SKIP
    """
    try:
        from IPython.display import display  # noqa: PLC0415 - needed in notebooks only
    except ImportError as error:
        raise RuntimeError(
            "show() displays in a notebook and needs IPython; install the extra 'book', or use "
            "figure_bundle() elsewhere"
        ) from error
    display(figure_bundle(chart, name=name, caption=caption, alt=alt), raw=True)


def figure_bundle(chart: Any, *, name: str, caption: str, alt: str) -> dict[str, Any]:
    """The MIME bundle that `show` displays; equal charts give equal bundles.

    In the book's build (environment variable LTR_BOOK=1) the HTML holds a static SVG and the
    spec, drawn live by the site's own script; elsewhere it is Altair's interactive HTML.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> chart = charts.curves(
    ...     {"error": np.array([[3.0, 1.0]])}, [1, 2], x_title="trial", y_title="error"
    ... )
    >>> bundle = charts.figure_bundle(chart, name="toy", caption="It falls.", alt="A line.")
    >>> bundle["text/plain"]
    'Figure toy: A line.'
    """
    caption, alt = _checked_texts(name, caption, alt)
    spec = spec_of(chart, name=name, description=alt)
    in_book = os.environ.get("LTR_BOOK") == "1"
    return {
        FIGURE_MIME: {"name": f"fig-{name}", "caption": caption, "alt": alt},
        "text/html": _book_html(spec, alt) if in_book else _notebook_html(spec, caption),
        "text/plain": f"Figure {name}: {alt}",
    }


def spec_of(chart: Any, *, name: str, description: str) -> dict[str, Any]:
    """Validated Vega-Lite spec of a chart, without a theme's config."""
    with alt.theme.enable("none"), alt.data_transformers.disable_max_rows():
        spec = chart.to_dict()
    check_spec(spec, name)
    spec.pop("usermeta", None)
    spec["description"] = description
    try:
        size = len(json.dumps(spec, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"figure {name}: the chart's data are not plain JSON ({error}); build them with "
            "ltr_core.charts.records, which turns NaN into gaps and arrays into numbers"
        ) from error
    if size > _MAX_BYTES:
        raise ValueError(
            f"figure {name}: the chart holds {size / 1e6:.1f} MB of data, more than "
            f"{_MAX_BYTES / 1e6:.0f} MB; draw fewer points or round them"
        )
    return dict(spec)


def static_svg(spec: Mapping[str, Any], theme: Theme = "light") -> str:
    """The chart as a self-contained SVG with a theme's config; the same for the same spec."""
    svg = vl_convert.vegalite_to_svg(
        themed(_seen(spec), theme), vl_version=VEGA_LITE, allowed_base_urls=[]
    )
    return _renumbered(svg)


def _seen(node: Any) -> Any:
    """A spec without the layers that only answer a pointer, which a picture has not."""
    if isinstance(node, Mapping):
        return {
            key: value
            if key in {"data", "datasets"}
            else _seen([part for part in value if not _is_unseen(part)])
            if key == "layer"
            else _seen(value)
            for key, value in node.items()
        }
    return [_seen(part) for part in node] if isinstance(node, list) else node


def _is_unseen(part: Mapping[str, Any]) -> bool:
    mark = part.get("mark")
    return isinstance(mark, Mapping) and mark.get("opacity") == 0


def _checked_texts(name: str, caption: str, alternative: str) -> tuple[str, str]:
    if not _SLUG.fullmatch(name) or name.startswith("fig-"):
        raise ValueError(
            f"figure name {name!r} is not a slug; use lower-case words joined by hyphens, such as "
            "'hand-paths', without the prefix 'fig-'"
        )
    for what, text in (("caption", caption), ("alt", alternative)):
        if not text.strip():
            raise ValueError(f"figure {name}: {what} is empty; say what the figure shows")
    return inspect.cleandoc(caption), " ".join(alternative.split())


def _renumbered(svg: str) -> str:
    """Number an SVG's clip paths and gradients from 0: the renderer counts them for ever."""
    order: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        return order.setdefault(match[0], f"{match[1]}{len(order)}")

    return re.sub(r'(?<=["#])(clip|gradient_|p_)\d+\b', replace, svg)


def _book_html(spec: Mapping[str, Any], alternative: str) -> str:
    picture = base64.b64encode(static_svg(spec).encode()).decode()
    # "</" would end the script element; "<!--" would open a comment in it.
    source = json.dumps(spec, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="ltr-chart" id="{_identity(spec)}">'
        f'<img class="ltr-chart-static" alt="{html.escape(alternative)}" '
        f'src="data:image/svg+xml;base64,{picture}">'
        '<div class="ltr-chart-live"></div>'
        f'<script type="application/json">{source}</script></div>'
    )


def _notebook_html(spec: dict[str, Any], caption: str) -> str:
    # A white page: the reader's notebook may be dark, and no script here follows its theme.
    live = themed(spec, "light")
    live["config"]["background"] = "white"
    bundle = alt.utils.mimebundle.spec_to_mimebundle(
        live,
        format="html",
        mode="vega-lite",
        vega_version=alt.VEGA_VERSION,
        vegaembed_version=alt.VEGAEMBED_VERSION,
        vegalite_version=alt.VEGALITE_VERSION,
        template="universal",
        output_div=_identity(spec),
    )
    chart_html: str = bundle["text/html"]
    return f"{chart_html}\n<p>{html.escape(caption)}</p>"


def _identity(spec: Mapping[str, Any]) -> str:
    canonical = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return f"chart-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


def _plain(value: Any, digits: int) -> Any:
    """A JSON value: rounded float, null for NaN and infinities, anything else as it is."""
    if not isinstance(value, float):
        return value
    if not np.isfinite(value):
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
