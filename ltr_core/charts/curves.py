"""Curves over trials, ranks or components, with their spread over networks or seeds."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float, Real

from ltr_core.charts.output import records
from ltr_core.charts.style import CATEGORICAL, DASHES, HEIGHT, WIDTH


def curves(
    series: Mapping[str, Float[np.ndarray, "run x"]],
    x: Real[np.ndarray, " x"] | Sequence[int] | Sequence[float],
    *,
    x_title: str,
    y_title: str,
    epochs: Sequence[str] | None = None,
    x_scale: Mapping[str, Any] | None = None,
    y_scale: Mapping[str, Any] | None = None,
    reference: float | None = None,
    band_opacity: float = 0.25,
    clip: bool = False,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> alt.LayerChart | alt.FacetChart:
    """Each series' mean over its runs as a line, their range (least to greatest) as a band.

    `epochs` names the epoch of every x, and draws where they change; `reference` is a dashed
    level. A point on a line tells its values. With `clip`, all of it ends where the scales'
    domains do. Raises ValueError where the lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> errors = np.array([[3.0, 2.0, 1.0], [5.0, 2.0, 1.0]])  # two runs, three trials
    >>> chart = charts.curves({"learning": errors}, [1, 2, 3], x_title="trial", y_title="error")
    >>> chart.to_dict()["data"]["values"][0]
    {'series': 'learning', 'x': 1, 'mean': 4, 'low': 3, 'high': 5}
    """
    for name, values in series.items():
        if values.shape[1] != len(x):
            raise ValueError(f"series '{name}' has {values.shape[1]} points, x has {len(x)}.")
    names = list(series)
    numbers = np.asarray(x)
    base = alt.Chart(_summary(series, numbers))
    position = alt.X(
        "x:Q", title=x_title, scale=alt.Scale(**(x_scale or {})), axis=_axis(numbers, x_scale)
    )
    levels = np.concatenate([values.ravel() for values in series.values()])
    level = alt.Y(
        "mean:Q", title=y_title, scale=alt.Scale(**(y_scale or {})), axis=_axis(levels, y_scale)
    )
    colour, dash = series_channels("series", names, offset=8 if epochs is None else 24)
    layers = [
        base.mark_area(opacity=band_opacity, clip=clip).encode(
            position, alt.Y("low:Q"), alt.Y2("high:Q"), colour
        ),
        base.mark_line(strokeWidth=1.6, clip=clip).encode(position, level, colour, dash),
        # where few points were tried they are shown; elsewhere they only answer the pointer
        base.mark_point(
            size=45, opacity=1 if len(numbers) <= 20 else 0, filled=True, clip=clip
        ).encode(
            position,
            level,
            colour,
            tooltip=[
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("x:Q", title=x_title),
                alt.Tooltip("mean:Q", title="mean", format=".3g"),
                alt.Tooltip("low:Q", title="least", format=".3g"),
                alt.Tooltip("high:Q", title="greatest", format=".3g"),
            ],
        ),
    ]
    if reference is not None:
        layers.append(
            alt.Chart(records(y=reference)).mark_rule(strokeDash=[4, 4]).encode(alt.Y("y:Q"))
        )
    if epochs is not None:
        layers += epoch_marks(epochs, numbers)
    return alt.layer(*layers).properties(width=width, height=height)


def series_channels(
    field: str, names: Sequence[str], offset: int = 8
) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour and dash that tell named series apart; one legend, `offset` pixels above the chart."""
    if len(names) > len(CATEGORICAL):
        raise ValueError(f"{len(names)} series: at most {len(CATEGORICAL)} can be told apart.")
    legend = (
        alt.Legend(
            orient="top",
            columns=3,
            offset=offset,
            symbolType="stroke",
            symbolSize=300,
            symbolOpacity=1,
        )
        if len(names) > 1
        else None
    )
    colours = alt.Scale(domain=list(names), range=list(CATEGORICAL[: len(names)]))
    dashes = alt.Scale(domain=list(names), range=list(DASHES[: len(names)]))
    return (
        alt.Color(f"{field}:N", title=None, scale=colours, legend=legend),
        alt.StrokeDash(f"{field}:N", title=None, scale=dashes, legend=legend),
    )


def epoch_marks(epochs: Sequence[str], x: np.ndarray) -> list[alt.Chart]:
    """Layers that mark where epochs begin and name them along the top of the x axis."""
    if len(epochs) != len(x):
        raise ValueError(f"epochs name {len(epochs)} points, x has {len(x)}.")
    lengths = [(name, len(list(group))) for name, group in groupby(epochs)]
    starts = np.cumsum([0, *(length for _, length in lengths[:-1])])
    data = records(x=x[starts], epoch=[name for name, _ in lengths])
    names = (
        alt.Chart(data)
        .mark_text(align="left", baseline="bottom", dx=2, fontSize=12)
        .encode(alt.X("x:Q"), alt.YValue(-3), text="epoch:N")
    )
    later = records(x=x[starts[1:]]) if len(starts) > 1 else records(x=np.empty(0))
    return [alt.Chart(later).mark_rule(strokeDash=[2, 3]).encode(alt.X("x:Q")), names]


def _axis(values: np.ndarray, scale: Mapping[str, Any] | None) -> alt.Axis:
    """Marks at whole numbers for whole numbers, at powers of ten on a logarithmic scale."""
    if (scale or {}).get("type") == "log":
        lowest, highest = np.log10(values[values > 0].min()), np.log10(np.nanmax(values))
        powers = np.arange(np.floor(lowest), np.ceil(highest) + 1)
        return alt.Axis(values=[float(10**power) for power in powers], format="~g")
    return alt.Axis(format="d", tickMinStep=1) if values.dtype.kind == "i" else alt.Axis()


def _summary(series: Mapping[str, np.ndarray], x: np.ndarray) -> alt.Data:
    return records(
        digits=4,
        series=np.repeat(list(series), len(x)),
        x=np.tile(x, len(series)),
        mean=np.concatenate([values.mean(0) for values in series.values()]),
        low=np.concatenate([values.min(0) for values in series.values()]),
        high=np.concatenate([values.max(0) for values in series.values()]),
    )
