"""Many quantities over learning: predicted as lines, measured as dots."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float, Real

from ltr_core.charts.output import records
from ltr_core.charts.series import line_styles, thinned
from ltr_core.charts.style import GREY, SHAPES

MOST_LINE_POINTS, MOST_DOTS = 80, 9

Kinds = Mapping[str, Float[np.ndarray, "_line x"]]


def courses(
    lines: Mapping[str, Kinds],
    dots: Mapping[str, Mapping[str, Kinds]],
    x: Real[np.ndarray, " x"],
    *,
    x_title: str,
    y_title: str,
    width: int = 260,
    height: int = 220,
) -> alt.HConcatChart:
    """Panels side by side, on one vertical scale; in each a colour for every kind of quantity.

    - `lines`: for each panel and kind one or more curves over `x`.
    - `dots`: for each of their sources, drawn with a shape of its own, the same panels and kinds.
      Only some of the points are drawn, at other places for other sources.

    Raises ValueError where the panels, kinds or lengths of lines and dots differ, and for more
    kinds or sources than can be told apart.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> x = np.linspace(0, 1, 20)
    >>> lines = {"rank one": {"overlap": x[None] ** 2}}
    >>> chart = charts.courses(
    ...     lines, {"network": lines}, x, x_title="time (τ)", y_title="overlap"
    ... )
    >>> len(chart.to_dict()["hconcat"])
    1
    """
    if len(dots) > len(SHAPES):
        raise ValueError(f"{len(dots)} sources of dots: at most {len(SHAPES)} can be told apart.")
    for source, panels in {"lines": lines, **dots}.items():
        given = {title: {k: v.shape for k, v in kinds.items()} for title, kinds in panels.items()}
        wanted = {
            title: {k: (len(v), len(x)) for k, v in kinds.items()} for title, kinds in lines.items()
        }
        if given != wanted:
            raise ValueError(f"'{source}' has the curves {given}, the lines are {wanted}.")
    values = np.concatenate([v.ravel() for kinds in lines.values() for v in kinds.values()])
    y = alt.Y(
        "y:Q",
        title=y_title,
        scale=alt.Scale(domain=[float(values.min()), float(values.max())], nice=True),
    )
    across = alt.X("x:Q", title=x_title, scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=5))
    drawn = [
        _panel(title, kinds, {name: one[title] for name, one in dots.items()}, x, (across, y))
        for title, kinds in lines.items()
    ]
    sized = [one.properties(width=width, height=height) for one in drawn]
    return alt.hconcat(*sized, spacing=24).resolve_scale(color="independent", shape="shared")


def _panel(
    title: str,
    lines: Kinds,
    dots: Mapping[str, Kinds],
    x: np.ndarray,
    axes: tuple[alt.X, alt.Y],
) -> Any:
    hues, _ = line_styles(list(lines))
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=list(lines), range=hues),
        legend=alt.Legend(orient="top", symbolType="stroke", symbolSize=300, symbolOpacity=1),
    )
    shape = alt.Shape(
        "source:N",
        title=None,
        scale=alt.Scale(domain=list(dots), range=list(SHAPES[: len(dots)])),
        legend=alt.Legend(orient="top", symbolStrokeColor=GREY, symbolSize=60),
    )
    curves = alt.Chart(_table({"flow": lines}, x, [thinned(len(x), MOST_LINE_POINTS)]))
    step = max(1, len(x) // MOST_DOTS)
    shift = max(1, step // max(1, len(dots)))
    at = [np.arange(i * shift, len(x), step) for i in range(len(dots))]
    points = alt.Chart(_table(dots, x, at))
    told = ["source:N", "kind:N", alt.Tooltip("x:Q"), alt.Tooltip("y:Q", format=".3g")]
    return alt.layer(
        curves.mark_line(strokeWidth=1.6).encode(*axes, colour, detail="line:N"),
        points.mark_point(size=36, strokeWidth=1.4).encode(*axes, colour, shape, tooltip=told),
        title=alt.Title(title, anchor="start", fontSize=13),
    )


def _table(sources: Mapping[str, Kinds], x: np.ndarray, at: list[np.ndarray]) -> alt.Data:
    """A row for each point of each curve, thinned."""
    columns: dict[str, list[Any]] = {name: [] for name in ("source", "kind", "line", "x", "y")}
    for (source, kinds), chosen in zip(sources.items(), at, strict=True):
        for kind, curves in kinds.items():
            for i, curve in enumerate(curves):
                n = len(chosen)
                rows = ([source] * n, [kind] * n, [f"{kind} {i}"] * n, x[chosen], curve[chosen])
                for column, part in zip(columns.values(), rows, strict=True):
                    column.extend(part)
    return records(digits=4, **columns)
