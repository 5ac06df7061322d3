"""Pictures of the reaching task."""

from collections.abc import Mapping

import altair as alt
import numpy as np
from jaxtyping import Float

from ltr_core.charts.output import records
from ltr_core.charts.series import pointers
from ltr_core.charts.style import BLUE, GREEN, ORANGE, PURPLE

PANEL = 200
HUES = (BLUE, ORANGE, GREEN, PURPLE)


def hand_paths(
    panels: Mapping[str, Float[np.ndarray, "_ time 2"]],
    goals: Float[np.ndarray, "target 2"],
) -> alt.FacetChart:
    """Paths seen from above, one panel for each stage of learning; targets as open circles.

    Path i belongs to goal i and has its colour; neighbours differ. Paths and goals in metres, drawn
    in centimetres. Raises ValueError where a panel does not have a path for each goal.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> path = np.linspace([0.0, 0.0], [0.1, 0.0], 5)[None]  # (path, time, 2)
    >>> chart = charts.hand_paths({"baseline": path}, np.array([[0.1, 0.0]]))
    >>> chart.to_dict()["facet"]["sort"]
    ['baseline']
    """
    for name, paths in panels.items():
        if len(paths) != len(goals):
            raise ValueError(f"panel '{name}' has {len(paths)} paths, goals are {len(goals)}.")
    reach = 1.35 * 100 * float(np.abs(goals).max())
    names = list(panels)
    rows = [
        (name, path, step, *(100 * point))
        for name, paths in panels.items()
        for path, points in enumerate(paths)
        for step, point in enumerate(points)
    ]
    stage, path, step, x, y = zip(*rows, strict=True)
    n_goals = len(goals)
    data = records(
        digits=4,
        stage=[*stage, *np.repeat(names, n_goals)],
        path=[*path, *np.tile(np.arange(n_goals), len(names))],
        step=[*step, *[-1] * (n_goals * len(names))],
        x=[*x, *np.tile(100 * goals[:, 0], len(names))],
        y=[*y, *np.tile(100 * goals[:, 1], len(names))],
    )
    scale = alt.Scale(domain=[-reach, reach], nice=False, clamp=True)
    hues = [HUES[i % len(HUES)] for i in range(n_goals)]
    colour = alt.Color(
        "path:N", scale=alt.Scale(domain=list(range(n_goals)), range=hues), legend=None
    )
    across = alt.X("x:Q", title="left to right (cm)", scale=scale)
    away = alt.Y("y:Q", title="near to far (cm)", scale=scale)
    base = alt.Chart(data)
    targets = (
        base.transform_filter("datum.step < 0")
        .mark_point(filled=False, size=140, strokeWidth=1.5)
        .encode(across, away, colour)
    )
    lines = (
        base.transform_filter("datum.step >= 0")
        .mark_line(strokeWidth=1.6)
        .encode(across, away, colour, alt.Order("step:Q"))
    )
    told = [
        alt.Tooltip("path:Q", title="target, counted from 0"),
        alt.Tooltip("x:Q", title="left to right (cm)", format=".3g"),
        alt.Tooltip("y:Q", title="near to far (cm)", format=".3g"),
    ]
    points = pointers(across, away, tooltip=told).properties(data=data)
    return (
        alt.layer(targets, lines, points)
        .properties(width=PANEL, height=PANEL)
        .facet(alt.Facet("stage:N", title=None, sort=names), columns=2)
    )
