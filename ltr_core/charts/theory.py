"""Pictures of theory beside simulation."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import altair as alt
import numpy as np
from jaxtyping import Float, Real

from ltr_core.charts.output import records
from ltr_core.charts.series import thinned
from ltr_core.charts.style import CATEGORICAL, DASHES, PANEL

MOST_POINTS = 60
KINDS = ("simulation", "theory")


class Predicted(NamedTuple):
    """One quantity over x, simulated in several runs and predicted.

    `until`: up to where the prediction is to be trusted; None: throughout.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> x = np.linspace(0, 1, 5)
    >>> found = charts.Predicted(x, simulated=np.stack([x, x]), theory=x, until=0.5)
    >>> found.simulated.shape
    (2, 5)
    """

    x: Real[np.ndarray, " x"]
    simulated: Float[np.ndarray, "run x"]
    theory: Float[np.ndarray, " x"]
    until: float | None = None


def predictions(
    panels: Mapping[str, Mapping[str, Predicted]],
    *,
    x_title: str,
    logarithmic: tuple[str, ...] = (),
    y_domains: Mapping[str, tuple[float, float]] | None = None,
    columns: int = 2,
    width: int = PANEL,
    height: int = 170,
) -> alt.ConcatChart:
    """One panel for each quantity (its name is the axis's title), one colour for each series.

    Solid lines are the mean over runs and bands their range, dashed lines are theory; a dot marks
    where a prediction's range ends. `logarithmic` names panels whose vertical axis is so;
    `y_domains` gives axes that end before the values do. Raises ValueError where lengths differ
    or a panel has more series than can be told apart.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> x = np.linspace(0, 1, 5)
    >>> found = charts.Predicted(x, simulated=np.stack([x, x]), theory=x)
    >>> chart = charts.predictions({"output": {"g = 0.6": found}}, x_title="time")
    >>> len(chart.to_dict()["concat"])
    1
    """
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    if len(names) > len(CATEGORICAL):
        raise ValueError(f"{len(names)} series: at most {len(CATEGORICAL)} can be told apart.")
    unknown = {*logarithmic, *(y_domains or {})} - set(panels)
    if unknown:
        raise ValueError(f"There is no panel {sorted(unknown)}, only {list(panels)}.")
    drawn = []
    for title, series in panels.items():
        options: dict[str, Any] = {"zero": False, "nice": False}
        if title in (y_domains or {}):
            options["domain"] = list((y_domains or {})[title])
        if title in logarithmic:
            options["type"] = "log"
        y = alt.Y(
            "middle:Q",
            title=title,
            scale=alt.Scale(**options),
            axis=alt.Axis(tickCount=4, format="~g"),
        )
        drawn.append(_panel(series, names, x_title, y).properties(width=width, height=height))
    return alt.concat(*drawn, columns=columns, spacing=18)


def _panel(series: Mapping[str, Predicted], names: list[str], x_title: str, y: alt.Y) -> Any:
    parts: dict[str, list[Any]] = {
        column: [] for column in ("series", "kind", "x", "middle", "low", "high")
    }
    ends = []
    for name, found in series.items():
        n = len(found.x)
        if found.simulated.shape[1] != n or len(found.theory) != n:
            raise ValueError(
                f"series '{name}' has {n} places, {found.simulated.shape[1]} simulated and "
                f"{len(found.theory)} predicted values."
            )
        at = np.union1d(thinned(n, MOST_POINTS), n - 1)
        runs = found.simulated[:, at]
        rows = {
            KINDS[0]: (runs.mean(0), runs.min(0), runs.max(0)),
            KINDS[1]: (found.theory[at],) * 3,
        }
        for kind, values in rows.items():
            columns = ([name] * len(at), [kind] * len(at), found.x[at], *values)
            for column, part in zip(parts.values(), columns, strict=True):
                column.extend(part)
        if found.until is not None:
            ends.append((name, found.until, np.interp(found.until, found.x, found.theory)))
    base = alt.Chart()
    x = alt.X("x:Q", title=x_title, scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=5))
    style: dict[str, Any] = {"orient": "top", "symbolType": "stroke", "symbolSize": 300}
    colour = alt.Color(
        "series:N",
        title=None,
        scale=alt.Scale(domain=names, range=list(CATEGORICAL[: len(names)])),
        legend=alt.Legend(**style, symbolOpacity=1, columns=3) if len(names) > 1 else None,
    )
    dash = alt.StrokeDash(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=list(KINDS), range=[list(DASHES[0]), list(DASHES[1])]),
        legend=alt.Legend(**style, symbolOpacity=1),
    )
    told = ["series:N", "kind:N", alt.Tooltip("x:Q", title=x_title)]
    told.append(alt.Tooltip("middle:Q", title="mean", format=".3g"))
    simulated = base.transform_filter(f"datum.kind == '{KINDS[0]}'")
    layers = [
        simulated.mark_area(opacity=0.22, clip=True).encode(
            x, alt.Y("low:Q"), alt.Y2("high:Q"), colour
        ),
        base.mark_line(strokeWidth=1.6, clip=True).encode(x, y, colour, dash),
        base.mark_point(size=40, opacity=0, filled=True, clip=True, aria=False).encode(
            x, y, colour, tooltip=told
        ),
    ]
    if ends:
        at_end = dict(zip(("series", "x", "middle"), zip(*ends, strict=True), strict=True))
        dots = alt.Chart(records(digits=4, **at_end))
        layers.append(dots.mark_point(size=55, filled=True, clip=True).encode(x, y, colour))
    return alt.layer(*layers, data=records(digits=4, **parts))
