"""Several pictures of one kind side by side: curves of several tasks, clouds of eigenvalues."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Complex, Float, Real

from ltr_core.charts.curves import curves
from ltr_core.charts.output import records
from ltr_core.charts.series import padded
from ltr_core.charts.style import BLUE, GREY, ORANGE, SHAPES


def curve_panels(
    panels: Mapping[str, Mapping[str, Float[np.ndarray, "_run _x"]]],
    x: Mapping[str, Real[np.ndarray, " _x"]],
    *,
    columns: int = 3,
    width: int = 150,
    height: int = 170,
    **options: Any,
) -> alt.ConcatChart:
    """A panel of `curves` for each name, with one legend and one scale of y.

    All panels draw the same series; `x` gives each panel's positions; further settings are those
    of `curves`. Raises ValueError where the series differ or `x` does not name the same panels.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> errors = {"learning": np.array([[3.0, 2.0, 1.0]])}
    >>> chart = charts.curve_panels(
    ...     {"flip-flop": errors, "decision": errors},
    ...     {"flip-flop": np.arange(3), "decision": np.arange(3)},
    ...     x_title="epoch",
    ...     y_title="loss",
    ... )
    >>> [panel["title"]["text"] for panel in chart.to_dict()["concat"]]
    ['flip-flop', 'decision']
    """
    if set(x) != set(panels):
        raise ValueError(f"panels are {list(panels)}, x names {list(x)}: give an x for each.")
    drawn = {name: list(series) for name, series in panels.items()}
    if len({tuple(names) for names in drawn.values()}) != 1:
        raise ValueError(f"all panels must draw the same series, but they are {drawn}.")
    charts = [
        curves(series, x[name], width=width, height=height, **options).properties(
            title=alt.Title(name, anchor="middle", fontSize=12, fontWeight="normal")
        )
        for name, series in panels.items()
    ]
    shared: dict[str, Any] = {"color": "shared", "strokeDash": "shared", "y": "shared"}
    return alt.concat(*charts, columns=columns, spacing=20).resolve_scale(**shared)


def eigenvalue_panels(
    before: Mapping[str, Complex[np.ndarray, " _neuron"]],
    after: Mapping[str, Complex[np.ndarray, " _neuron"]],
    *,
    radius: Mapping[str, float],
    width: int = 170,
) -> alt.FacetChart:
    """Eigenvalues before and after learning in the complex plane, a panel for each name.

    The circle has the panel's `radius` (none is drawn for 0). Raises ValueError where the three
    do not name the same panels.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> before, after = np.array([0.5, -0.5j]), np.array([1.5 + 0j, -0.5j])
    >>> chart = charts.eigenvalue_panels({"task": before}, {"task": after}, radius={"task": 0.0})
    >>> len(chart.to_dict()["data"]["values"])
    4
    """
    if not set(before) == set(after) == set(radius):
        raise ValueError(
            f"before names {list(before)}, after {list(after)}, radius {list(radius)}: the panels "
            "must be the same."
        )
    turn = np.exp(2j * np.pi * np.arange(61) / 60)
    clouds = [
        (panel, kind, values[panel])
        for panel in before
        for kind, values in (("before", before), ("after", after))
    ]
    clouds += [(panel, "circle", radius[panel] * turn) for panel in before if radius[panel] > 0]
    lengths = [len(values) for *_, values in clouds]
    every = np.concatenate([values for *_, values in clouds])
    ends = padded(-float(np.abs(every).max()), float(np.abs(every).max()))
    data = records(
        digits=4,
        panel=np.repeat([panel for panel, *_ in clouds], lengths),
        kind=np.repeat([kind for _, kind, _ in clouds], lengths),
        order=np.concatenate([np.arange(length) for length in lengths]),
        real=every.real,
        imaginary=every.imag,
    )
    scale = alt.Scale(domain=ends, nice=False)
    axes = (
        alt.X("real:Q", title="real part", scale=scale, axis=alt.Axis(tickCount=3)),
        alt.Y("imaginary:Q", title="imaginary part", scale=scale, axis=alt.Axis(tickCount=3)),
    )
    legend = alt.Legend(orient="top", symbolSize=70, symbolOpacity=1)
    kinds = ["before", "after"]
    points = (
        alt.Chart()
        .transform_filter("datum.kind != 'circle'")
        .mark_point(size=16, filled=True, opacity=0.65)
        .encode(
            *axes,
            alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=kinds, range=[BLUE, ORANGE]),
                legend=legend,
            ),
            alt.Shape(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=kinds, range=list(SHAPES[:2])),
                legend=legend,
            ),
            tooltip=[
                alt.Tooltip("kind:N", title="learning"),
                alt.Tooltip("real:Q", title="real part", format=".3g"),
                alt.Tooltip("imaginary:Q", title="imaginary part", format=".3g"),
            ],
        )
    )
    circle = (
        alt.Chart()
        .transform_filter("datum.kind == 'circle'")
        .mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1.4, aria=False)
        .encode(*axes, alt.Order("order:Q"))
    )
    return (
        alt.layer(circle, points, data=data)
        .properties(width=width, height=width)
        .facet(column=alt.Column("panel:N", title=None, sort=list(before)), spacing=14)
    )
