"""Pictures of latent trajectories: along single axes over time and on planes; what drives them."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float

from ltr_core.charts.factors import subscript
from ltr_core.charts.output import records
from ltr_core.charts.series import checked_length, line_channels, padded, pointers, thinned
from ltr_core.charts.style import DIVERGING

MOST_TIMES = 100
PANEL = 205
_SECONDS = alt.Tooltip("time:Q", title="time (s)", format=".3g")


def projections(
    latents: Mapping[str, Float[np.ndarray, "_time _axis"]],
    time: Float[np.ndarray, " _time"],
    *,
    axes: Sequence[int] = (0, 1, 2),
    symbol: str = "a",
    panel: int = PANEL,
) -> alt.HConcatChart:
    """Trajectories over time along some axes (left), and on the planes of the first ones (right).

    The keys are conditions or epochs, at most 24; each has a colour and a dash. A click on the
    legend singles one out; shift-click adds more. `time` in seconds; where it holds 0 (the go cue)
    a dotted rule marks it, and a small dot on each plane. Large open dots are the beginnings.
    `axes` are two or more columns, counted from 0 and shown from 1. Raises `ValueError` where
    shapes or axes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> latents = {"early": np.random.default_rng(0).normal(size=(20, 3))}  # (time, axis)
    >>> chart = charts.projections(latents, np.linspace(-0.5, 1, 20))
    >>> [len(side["vconcat"]) for side in chart.to_dict()["hconcat"]]  # over time; on planes
    [3, 2]
    """
    names = list(latents)
    shape = _common_shape(latents, time)
    if len(axes) < 2 or not all(0 <= axis < shape[1] for axis in axes):
        raise ValueError(f"axes {list(axes)}: pass two or more from 0 to {shape[1] - 1}.")
    shown = thinned(len(time), MOST_TIMES)
    titles = [f"{symbol}{subscript(axis + 1)}" for axis in axes]
    go = int(np.argmin(np.abs(time[shown])))
    stage = np.full(len(shown), "", dtype=object)
    if time[0] < 0 < time[-1]:
        stage[go] = "go"
    stage[0] = "start"
    data = records(
        digits=4,
        series=np.repeat(names, len(shown)),
        time=np.tile(time[shown], len(names)),
        stage=np.tile(stage.astype(str), len(names)),
        **{
            f"z{i}": np.concatenate([latents[name][shown, axis] for name in names])
            for i, axis in enumerate(axes)
        },
    )
    chosen = alt.selection_point(fields=["series"], bind="legend")
    encodings = [
        *line_channels("series", names),
        alt.condition(chosen, alt.value(1.0), alt.value(0.12)),
    ]
    n_planes = min(2, len(axes) - 1)
    tall = 2 * panel + 75 if n_planes == 2 else panel
    height = (tall - 10 * (len(axes) - 1)) // len(axes)
    over_time = [
        _over_time(i, titles[i], time, encodings, labelled=i == len(axes) - 1).properties(
            width=panel, height=height
        )
        for i in range(len(axes))
    ]
    planes = [
        _plane(0, i, titles, encodings).properties(width=panel, height=panel)
        for i in range(1, n_planes + 1)
    ]
    # a choice in the legend holds for every panel, whichever one it is declared in
    over_time[0] = over_time[0].add_params(chosen)
    left, right = alt.vconcat(*over_time, spacing=10), alt.vconcat(*planes, spacing=18)
    return alt.hconcat(left, right, data=data, spacing=24)


def inputs(
    drive: Mapping[str, Float[np.ndarray, "_time _axis"]],
    time: Float[np.ndarray, " _time"],
    *,
    symbol: str = "u",
    panel: int = PANEL,
    height: int = 90,
) -> alt.ConcatChart:
    """Inputs (or other latent series) of each condition over time, a panel for each latent axis.

    At most six axes, the first ones, are drawn, on one scale. The keys are conditions; see
    `projections`. Raises `ValueError` where shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> drive = {"left": np.ones((20, 2)), "right": -np.ones((20, 2))}  # (time, axis)
    >>> len(charts.inputs(drive, np.linspace(0, 1, 20)).to_dict()["concat"])
    2
    """
    names = list(drive)
    shape = _common_shape(drive, time)
    shown = thinned(len(time), MOST_TIMES)
    n_axes = min(shape[1], 6)
    data = records(
        digits=4,
        series=np.repeat(names, len(shown)),
        time=np.tile(time[shown], len(names)),
        **{
            f"z{i}": np.concatenate([drive[name][shown, i] for name in names])
            for i in range(n_axes)
        },
    )
    everything = np.concatenate([values[shown, :n_axes].ravel() for values in drive.values()])
    scale = alt.Scale(domain=padded(float(everything.min()), float(everything.max())), nice=False)
    encodings = [*line_channels("series", names), alt.value(1.0)]
    panels = [
        _over_time(
            i,
            f"{symbol}{subscript(i + 1)}",
            time,
            encodings,
            labelled=i >= n_axes - 2,
            y_scale=scale,
        )
        for i in range(n_axes)
    ]
    sized = [each.properties(width=panel, height=height) for each in panels]
    return alt.concat(*sized, data=data, columns=2, spacing=14)


def initial_states(
    initial: Float[np.ndarray, "condition axis"],
    conditions: Sequence[str],
    *,
    symbol: str = "a",
    width: int = 300,
) -> alt.Chart:
    """Where each condition's trials begin: a row for each condition, a column for each axis.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> chart = charts.initial_states(np.array([[0.1, -0.2], [0.3, 0.0]]), ["left", "right"])
    >>> chart.to_dict()["encoding"]["color"]["scale"]["domain"]
    [-0.3, 0.3]
    """
    checked_length(len(conditions), len(initial), "conditions", "the states' first axis")
    n_conditions, n_axes = initial.shape
    axes = [f"{symbol}{subscript(i + 1)}" for i in range(n_axes)]
    limit = float(np.abs(initial).max()) or 1.0
    data = records(
        digits=3,
        condition=np.repeat(list(conditions), n_axes),
        axis=np.tile(axes, n_conditions),
        value=initial.ravel(),
    )
    scale = alt.Scale(domain=[-limit, limit], range=list(DIVERGING), interpolate="rgb")
    legend = alt.Legend(orient="bottom", gradientLength=180, gradientThickness=10)
    return (
        alt.Chart(data)
        .mark_rect()
        .encode(
            alt.X("axis:O", title="latent axis", sort=axes, axis=alt.Axis(labelAngle=0)),
            alt.Y("condition:O", title="condition", sort=list(conditions)),
            alt.Color("value:Q", title="state", scale=scale, legend=legend),
            tooltip=["condition:O", "axis:O", alt.Tooltip("value:Q", title="initial state")],
        )
        .properties(width=width, height=alt.Step(16))
    )


def _common_shape(series: Mapping[str, np.ndarray], time: np.ndarray) -> tuple[int, ...]:
    """Shape of every series; raises `ValueError` where they differ or do not fit the times."""
    if not series:
        raise ValueError("there is no series to draw.")
    shape: tuple[int, ...] = next(iter(series.values())).shape
    for name, values in series.items():
        if values.shape != shape:
            raise ValueError(f"series '{name}' has shape {values.shape}, the first one {shape}.")
    checked_length(len(time), shape[0], "time", "the latents' first axis")
    return shape


def _over_time(
    i: int,
    title: str,
    time: np.ndarray,
    encodings: Sequence[Any],
    *,
    labelled: bool,
    y_scale: alt.Scale | None = None,
) -> alt.LayerChart | alt.FacetChart:
    colour, dash, opacity = encodings
    scale = alt.Scale(domain=padded(float(time[0]), float(time[-1]), 0.0), nice=False)
    x = alt.X(
        "time:Q", title="time (s)", scale=scale, axis=alt.Axis(tickCount=5) if labelled else None
    )
    y = alt.Y(
        f"z{i}:Q",
        title=title,
        scale=y_scale or alt.Scale(zero=False),
        axis=alt.Axis(tickCount=4, titleAngle=0),
    )
    lines = alt.Chart().mark_line(strokeWidth=1.6).encode(x, y, colour, dash, opacity=opacity)
    value = alt.Tooltip(f"z{i}:Q", title=title, format=".3g")
    points = pointers(x, y, tooltip=["series:N", _SECONDS, value])
    if not time[0] < 0 < time[-1]:
        return alt.layer(lines, points)
    go = alt.Chart(records(time=[0.0])).mark_rule(strokeDash=[2, 3]).encode(x)
    return alt.layer(go, lines, points)


def _plane(
    i: int, j: int, titles: Sequence[str], encodings: Sequence[Any]
) -> alt.LayerChart | alt.FacetChart:
    colour, dash, opacity = encodings
    axis = alt.Axis(tickCount=4, grid=False)
    x = alt.X(f"z{i}:Q", title=titles[i], scale=alt.Scale(zero=False), axis=axis)
    y = alt.Y(
        f"z{j}:Q",
        title=titles[j],
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=4, grid=False, titleAngle=0),
    )
    told = [alt.Tooltip(f"z{k}:Q", title=titles[k], format=".3g") for k in (i, j)]
    base = alt.Chart().encode(x, y, colour, opacity=opacity)
    lines = base.mark_line(strokeWidth=1.6).encode(alt.Order("time:Q"), dash)
    starts = base.transform_filter("datum.stage == 'start'")
    go = base.transform_filter("datum.stage == 'go'")
    return alt.layer(
        lines,
        pointers(x, y, tooltip=["series:N", _SECONDS, *told]),
        starts.mark_point(size=40, filled=False, strokeWidth=1.8),
        go.mark_point(size=28, filled=True),
    )
