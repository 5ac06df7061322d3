"""Single runs over a setting on a logarithmic axis, those that reached no value included."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Real

from ltr_core.charts.curves import series_channels
from ltr_core.charts.output import records
from ltr_core.charts.style import HEIGHT, WIDTH

Runs = tuple[Sequence[float | int], Sequence[Real[np.ndarray, " _run"]]]


def runs(
    series: Mapping[str, Runs],
    *,
    x_title: str,
    y_title: str,
    limits: Mapping[str, float | int] | None = None,
    x_scale: Mapping[str, Any] | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> alt.LayerChart | alt.FacetChart:
    """Each run's value as a dot over a setting, on a logarithmic axis; a line through the medians.

    - `series`: for each name its settings, and the runs' values at each of them (their number may
      differ). An infinite value is a time that was not reached: an open triangle at the limit of
      its series, which is also what it counts in the median.
    - `limits`: for each name, the time at which runs were stopped.

    Raises ValueError for lengths that differ, no runs, values that are not above 0, or an infinite
    value without a limit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> times = [np.array([900.0, np.inf]), np.array([100.0, 120.0])]
    >>> chart = charts.runs(
    ...     {"task": ([0.0, 0.9], times)},
    ...     x_title="g",
    ...     y_title="learning time (epochs)",
    ...     limits={"task": 1000.0},
    ... )
    >>> len(chart.to_dict()["layer"])  # medians, runs, and runs that did not get there
    3
    """
    limits = limits or {}
    dots: list[tuple[str, float, float, bool]] = []
    medians: list[tuple[str, float, float]] = []
    for name, (settings, values) in series.items():
        if len(settings) != len(values) or not all(len(found) for found in values):
            raise ValueError(f"series '{name}' needs at least one run for each of its settings.")
        for setting, found in zip(settings, values, strict=True):
            if not (found > 0).all():
                raise ValueError(f"series '{name}' has {found.min()}: the axis is logarithmic.")
            if np.isinf(found).any() and name not in limits:
                raise ValueError(f"series '{name}' has a run without a value: give its limit.")
            shown = np.minimum(found, limits.get(name, np.inf))
            x = float(setting)
            there = np.isfinite(found)
            dots += [(name, x, float(y), bool(it)) for y, it in zip(shown, there, strict=True)]
            medians.append((name, x, float(np.median(shown))))
    colour, dash = series_channels("series", list(series))
    at = alt.X("x:Q", title=x_title, scale=alt.Scale(**(x_scale or {})), axis=_settings(dots))
    level = alt.Y(
        "y:Q",
        title=y_title,
        scale=alt.Scale(type="log", nice=False, padding=8),
        axis=alt.Axis(values=_levels([y for _, _, y, _ in dots]), format="~g"),
    )
    told = [
        alt.Tooltip("series:N", title="series"),
        alt.Tooltip("x:Q", title=x_title),
        alt.Tooltip("y:Q", title=y_title, format=".3g"),
    ]
    layers = [_table(medians).mark_line(strokeWidth=1.6).encode(at, level, colour, dash)]
    for reached, shape, size in ((True, "circle", 34), (False, "triangle-up", 80)):
        chosen = [dot[:3] for dot in dots if dot[3] is reached]
        if chosen:
            points = _table(chosen).mark_point(shape=shape, size=size, filled=reached, opacity=0.9)
            layers.append(points.encode(at, level, colour, tooltip=told))
    return alt.layer(*layers).properties(width=width, height=height)


def _table(rows: list[tuple[str, float, float]]) -> alt.Chart:
    names, x, y = zip(*rows, strict=True)
    return alt.Chart(records(digits=4, series=list(names), x=list(x), y=list(y)))


def _settings(dots: list[tuple[str, float, float, bool]]) -> alt.Axis:
    """A mark at every setting that was tried."""
    return alt.Axis(values=sorted({x for _, x, _, _ in dots}), format="~g")


def _levels(values: list[float]) -> list[float]:
    """1 and 3, or on a narrow range 1, 2 and 5, times powers of ten within the values' range."""
    low, high = min(values), max(values)
    digits = (1, 3) if high > 30 * low else (1, 2, 5)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [float(f"{digit}e{power}") for power in powers for digit in digits]
