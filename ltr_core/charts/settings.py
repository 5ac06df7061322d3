"""A map of settings: several measures of each, told as numbers and coloured by a reference."""

from collections.abc import Mapping

import altair as alt
import numpy as np

from ltr_core.charts.output import records
from ltr_core.charts.style import DIVERGING

FOLD = 4.0
"""Colours end where a value is so many times the reference, or that part of it."""


def settings_map(
    groups: Mapping[str, Mapping[str, Mapping[str, float]]],
    reference: Mapping[str, float],
    *,
    beyond: str,
    width: int = 330,
) -> alt.FacetChart:
    """Settings in groups, a row each; measures in columns; each cell tells its value.

    - `groups`: for each group its settings, for each setting its measures.
    - `reference`: the same measures of the setting that all are compared with; a cell's colour is
      its value over the reference's, on a logarithmic scale from a quarter to four times.
    - `beyond`: what is written for an infinite value, which has the last colour.

    Raises ValueError where a setting has other measures than the reference, or a value is not
    above 0.

    Examples
    --------
    >>> from ltr_core import charts
    >>> groups = {"optimiser": {"Adam": {"rank": 3.0}, "descent": {"rank": 6.0}}}
    >>> chart = charts.settings_map(groups, {"rank": 3.0}, beyond="more")
    >>> [row["colour"] for row in chart.to_dict()["data"]["values"]]
    [0, 1]
    """
    rows: list[tuple[str, str, str, str, float]] = []
    for group, settings in groups.items():
        for setting, measures in settings.items():
            if list(measures) != list(reference):
                raise ValueError(
                    f"'{setting}' has the measures {list(measures)}, the reference has "
                    f"{list(reference)}."
                )
            for name, value in measures.items():
                if not value > 0:
                    raise ValueError(f"'{setting}' has {name} {value}: it must be above 0.")
                times = min(max(value / reference[name], 1 / FOLD), FOLD)
                told = beyond if np.isinf(value) else f"{value:.3g}"
                rows.append((group, setting, name, told, float(np.log2(times))))
    names = ("group", "setting", "measure", "told", "colour")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    data = records(digits=4, **columns)
    limit = float(np.log2(FOLD))
    ticks = [-limit, 0.0, limit]
    base = alt.Chart(data).encode(
        alt.X(
            "measure:N",
            title="measure",
            sort=list(reference),
            axis=alt.Axis(orient="top", labelAngle=-25, domain=False, ticks=False),
        ),
        # each group would repeat the title
        alt.Y(
            "setting:N",
            title="setting",
            axis=alt.Axis(titleOpacity=0),
            sort=list(dict.fromkeys(columns["setting"])),
        ),
    )
    cells = base.mark_rect().encode(
        alt.Color(
            "colour:Q",
            title="times the reference",
            scale=alt.Scale(domain=[-limit, limit], domainMid=0, range=list(DIVERGING)),
            legend=alt.Legend(
                orient="bottom",
                gradientLength=200,
                gradientThickness=10,
                titleLimit=0,
                values=ticks,
                labelExpr="datum.value == 0 ? '1' : datum.value > 0 ? '4 or more' : '¼ or less'",
            ),
        ),
        tooltip=["setting:N", "measure:N", "told:N"],
    )
    # dark and light text on cells, which have the same colours on light and dark pages
    dark = alt.condition("abs(datum.colour) < 1.2", alt.value("#16202c"), alt.value("#ffffff"))
    texts = base.mark_text(fontSize=12).encode(text="told:N", color=dark)
    return (
        alt.layer(cells, texts)
        .properties(width=width, height=alt.Step(22))
        .facet(
            row=alt.Row(
                "group:N",
                title=None,
                sort=list(groups),
                header=alt.Header(orient="top", labelAnchor="start", labelPadding=2),
            ),
            spacing=6,
        )
        .resolve_scale(y="independent")
    )
