"""Pictures of dynamics: the flow on a plane of latent states, its fixed points, trajectories."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float

from ltr_core.charts.output import records
from ltr_core.charts.series import thinned
from ltr_core.charts.style import BLUE, GREY, ORANGE
from ltr_core.dynamics import FixedPoints, VectorField

MOST_ARROWS = 17
"""Arrows along each axis at most."""

PANEL = 205


def flow_fields(
    fields: Mapping[str, VectorField],
    *,
    fixed_points: Mapping[str, FixedPoints] | None = None,
    trajectories: Mapping[str, Float[np.ndarray, "_condition _time _dimension"]] | None = None,
    plane: tuple[Float[np.ndarray, " _dimension"], Float[np.ndarray, "2 _dimension"]] | None = None,
    x_title: str = "a₁",
    y_title: str = "a₂",
    panel: int = PANEL,
) -> alt.ConcatChart:
    """The flow on one plane, a panel for each epoch: arrows, fixed points, trajectories.

    An arrow's length grows with the square root of the speed in the plane, on one scale for all
    panels; it is the fainter, the more of the velocity leaves the plane. Fixed points: filled
    circles are stable, open diamonds unstable. Trajectories begin at the small dots. `plane`
    (origin, two axes) projects fixed points and trajectories of more than two dimensions; it is
    the plane of `ltr_core.dynamics.vector_field`. What lies outside the plane's window is not
    drawn. Raises `ValueError` for epochs without a field and dimensions that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> from ltr_core.dynamics import VectorField
    >>> grid = np.linspace(-1, 1, 5)
    >>> x, y = np.meshgrid(grid, grid)
    >>> field = VectorField(x=grid, y=grid, u=-x, v=-y, out_of_plane=0 * x)
    >>> chart = charts.flow_fields({"baseline": field})
    >>> chart.to_dict()["concat"][0]["title"]["text"]
    'baseline'
    """
    if not fields:
        raise ValueError("there is no vector field to draw.")
    fixed_points, trajectories = fixed_points or {}, trajectories or {}
    for name in (*fixed_points, *trajectories):
        if name not in fields:
            raise ValueError(f"there is no vector field for '{name}'; fields: {list(fields)}.")
    fastest = max(float(np.hypot(field.u, field.v).max()) for field in fields.values()) or 1.0
    panels = []
    for name, field in fields.items():
        axes = _plane_axes(field, x_title, y_title)
        layers: list[Any] = [_arrows(field, fastest, axes)]
        if name in trajectories:
            layers += _paths(_on_plane(trajectories[name], plane), axes)
        if name in fixed_points:
            layers.append(_still_points(fixed_points[name], plane, axes))
        panels.append(
            alt.layer(*layers).properties(
                width=panel, height=panel, title=alt.Title(name, frame="group", fontSize=13)
            )
        )
    return alt.concat(*panels, columns=2, spacing=16)


def _plane_axes(field: VectorField, x_title: str, y_title: str) -> tuple[alt.X, alt.Y]:
    """Both axes of a panel, half a cell beyond the grid."""
    ends = []
    for grid in (field.x, field.y):
        half = 0.5 * float(grid[1] - grid[0])
        ends.append(alt.Scale(domain=[float(grid[0]) - half, float(grid[-1]) + half], nice=False))
    axis = alt.Axis(tickCount=4, grid=False)
    return (
        alt.X("x:Q", title=x_title, scale=ends[0], axis=axis),
        alt.Y("y:Q", title=y_title, scale=ends[1], axis=axis),
    )


def _arrows(
    field: VectorField, fastest: float, axes: tuple[alt.X, alt.Y]
) -> alt.LayerChart | alt.FacetChart:
    """Arrows of three strokes in the coordinates of the plane: right at any size of the panel."""
    rows, columns = thinned(len(field.y), MOST_ARROWS), thinned(len(field.x), MOST_ARROWS)
    cells = np.ix_(rows, columns)
    u, v, out = field.u[cells].ravel(), field.v[cells].ravel(), field.out_of_plane[cells].ravel()
    x, y = (grid.ravel() for grid in np.meshgrid(field.x[columns], field.y[rows]))
    span = np.array(
        [np.ptp(field.x[columns]) / (len(columns) - 1), np.ptp(field.y[rows]) / (len(rows) - 1)]
    )
    speed = np.hypot(u, v)
    # in cells of the grid, so that both directions of a plane are as long on the page
    direction = np.stack([u, v], axis=1) / span
    norm = np.linalg.norm(direction, axis=1, keepdims=True)
    along = 0.95 * np.sqrt(speed / fastest)[:, None] * direction / np.where(norm > 0, norm, 1)
    middle = np.stack([x, y], axis=1)
    tip, tail = middle + 0.5 * along * span, middle - 0.5 * along * span
    barbs = []
    for turn in (2.6, -2.6):
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        barbs.append(tip + 0.38 * along @ rotation.T * span)
    total = np.hypot(speed, out)
    data = records(
        digits=4,
        x=tail[:, 0],
        y=tail[:, 1],
        x2=tip[:, 0],
        y2=tip[:, 1],
        left_x=barbs[0][:, 0],
        left_y=barbs[0][:, 1],
        right_x=barbs[1][:, 0],
        right_y=barbs[1][:, 1],
        share=np.divide(speed, total, out=np.ones_like(speed), where=total > 0),
        speed=speed,
        out=out,
    )
    base = alt.Chart().mark_rule(color=GREY, strokeWidth=1.1, aria=False)
    strokes = [
        base.encode(
            axes[0] if start == "x" else alt.X(f"{start}x:Q"),
            axes[1] if start == "x" else alt.Y(f"{start}y:Q"),
            alt.X2("x2"),
            alt.Y2("y2"),
            alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.25, 1]), legend=None),
            tooltip=[
                alt.Tooltip("speed:Q", title="speed in the plane (1/s)", format=".3g"),
                alt.Tooltip("out:Q", title="speed out of it (1/s)", format=".3g"),
            ],
        )
        for start in ("x", "left_", "right_")
    ]
    return alt.layer(*strokes, data=data)


def _paths(paths: np.ndarray, axes: tuple[alt.X, alt.Y]) -> list[alt.Chart]:
    n_paths, n_time, _ = paths.shape
    shown = thinned(n_time, 60)
    kept = paths[:, shown]
    data = records(
        digits=4,
        path=np.repeat(np.arange(1, n_paths + 1), len(shown)),
        step=np.tile(shown, n_paths),
        x=kept[..., 0].ravel(),
        y=kept[..., 1].ravel(),
    )
    tooltip = [alt.Tooltip("path:O", title="trajectory")]
    lines = alt.Chart(data).mark_line(strokeWidth=1.5, color=BLUE, opacity=0.8, clip=True)
    starts = records(digits=4, path=np.arange(1, n_paths + 1), x=paths[:, 0, 0], y=paths[:, 0, 1])
    dots = alt.Chart(starts).mark_point(size=26, filled=True, color=BLUE, clip=True)
    return [
        lines.encode(*axes, alt.Order("step:Q"), alt.Detail("path:N"), tooltip=tooltip),
        dots.encode(*axes, tooltip=tooltip),
    ]


def _still_points(
    found: FixedPoints,
    plane: tuple[np.ndarray, np.ndarray] | None,
    axes: tuple[alt.X, alt.Y],
) -> alt.Chart:
    points = _on_plane(found.points, plane)
    kinds = ["stable", "unstable"]
    data = records(
        digits=4,
        x=points[:, 0],
        y=points[:, 1],
        kind=[kinds[0] if stable else kinds[1] for stable in found.stable],
        n_unstable=(found.eigenvalues.real > 0).sum(axis=1),
        leading=found.eigenvalues.real.max(axis=1),
    )
    legend = alt.Legend(
        orient="top",
        title="fixed points",
        titleOrient="left",
        titleBaseline="middle",
        titlePadding=10,
        symbolSize=110,
        symbolStrokeWidth=2.4,
        symbolOpacity=1,
    )
    return (
        alt.Chart(data)
        .mark_point(size=130, filled=False, strokeWidth=2.4, opacity=1, clip=True)
        .encode(
            *axes,
            alt.Shape(
                "kind:N", legend=legend, scale=alt.Scale(domain=kinds, range=["circle", "diamond"])
            ),
            alt.Fill(
                "kind:N",
                legend=legend,
                scale=alt.Scale(domain=kinds, range=[ORANGE, "transparent"]),
            ),
            alt.Stroke(
                "kind:N", legend=legend, scale=alt.Scale(domain=kinds, range=[ORANGE, ORANGE])
            ),
            tooltip=[
                alt.Tooltip("kind:N", title="fixed point"),
                alt.Tooltip("n_unstable:Q", title="unstable directions"),
                alt.Tooltip("leading:Q", title="leading real part (1/s)", format=".3g"),
            ],
        )
    )


def _on_plane(states: np.ndarray, plane: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Coordinates (..., 2) of states (..., dimension) along the two axes, from the origin."""
    dimension = states.shape[-1]
    if plane is None:
        if dimension != 2:
            raise ValueError(f"the states have {dimension} dimensions; pass plane=(origin, axes).")
        return states
    origin, axes = plane
    if axes.shape != (2, dimension) or origin.shape != (dimension,):
        raise ValueError(
            f"the plane's origin {origin.shape} and axes {axes.shape} do not fit states of "
            f"{dimension} dimensions."
        )
    return np.asarray((states - origin) @ np.linalg.pinv(axes))
