"""Pictures of bounds: what theory allows beside what learning did."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float

from ltr_core.charts.output import records
from ltr_core.charts.series import pointers
from ltr_core.charts.style import BLUE, DASHES, ORANGE

SHARE_LIMITS = (1e-4, 20.0)
Setting = tuple[int, int, int]
MODES = {"step": "steps", "post": "receiving units", "pre": "sending units"}
FLOOR = 1e-17
PANEL_SIZE = (170, 190)


def bound_explorer(
    spectra: Mapping[Setting, Sequence[Float[np.ndarray, " _component"]]],
    bounds: Mapping[Setting, tuple[int, int, int]],
    *,
    tolerance: float = 1e-8,
    most: int = 30,
) -> alt.HConcatChart:
    """Singular values of a tensor's unfoldings and the bound on their number, with three sliders.

    Settings are (inputs, outputs, rank of the start), every combination of the values that occur;
    for each the spectra and the bounds in the order step, post, pre. Dots are singular values as
    shares of the largest, the first `most` of them; the vertical line is the bound, beyond which
    all must lie below the horizontal one, the `tolerance`. It works without a kernel.

    Raises ValueError where a combination is missing, or the two have different settings.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> settings = [(1, 1, 0), (1, 2, 0)]  # inputs, outputs, rank of the start
    >>> spectra = {at: [np.array([1.0, 0.1, 1e-12])] * 3 for at in settings}
    >>> chart = charts.bound_explorer(spectra, {at: (2, 2, 2) for at in settings})
    >>> [panel["title"] for panel in chart.to_dict()["hconcat"]]
    ['steps', 'receiving units', 'sending units']
    """
    sizes = [sorted(set(values)) for values in zip(*spectra, strict=True)]
    if len(spectra) != np.prod([len(values) for values in sizes]) or set(spectra) != set(bounds):
        raise ValueError(
            f"There are {len(spectra)} settings of spectra and {len(bounds)} of bounds: give both "
            f"for every combination of {', '.join(str(values) for values in sizes)}."
        )
    names = ("inputs", "outputs", "start")
    labels = ("inputs ", "outputs ", "rank of the start ")
    sliders = [
        alt.param(
            name=f"bound_{name}",
            value=values[(len(values) - 1) // 2 if name != "start" else 0],
            bind=alt.binding_range(min=values[0], max=values[-1], step=1, name=label),
        )
        for name, label, values in zip(names, labels, sizes, strict=True)
    ]
    chosen = "datum.p == bound_inputs && datum.q == bound_outputs && datum.r == bound_start"
    columns: dict[str, Any] = dict(zip("pqr", zip(*bounds, strict=True), strict=True))
    columns |= dict(zip(MODES, zip(*bounds.values(), strict=True), strict=True))
    lines = records(**columns)
    panels = [_bound_panel(mode, lines, chosen, tolerance=tolerance, most=most) for mode in MODES]
    # one table for the three panels
    return alt.hconcat(*panels, data=_spectra_rows(spectra, most), spacing=14).add_params(*sliders)


def tail_panels(
    tails: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    *,
    columns: int = 2,
    most: int | None = None,
) -> alt.FacetChart:
    """Measured tails and their bounds against rank, one panel for each run.

    For each run, and each side of its tensor (the series), the shares of the squared norm that are
    left out at ranks 0 on: as measured (solid) and at most (dashed). The rules are at 1, above
    which a bound says nothing, and at a tenth. Ranks from 0 to `most` (None: all).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> tails = {"run 1": {"sending": (np.array([1.0, 0.2, 0.01]), np.array([1.0, 0.5, 0.1]))}}
    >>> chart = charts.tail_panels(tails)
    >>> chart.to_dict()["data"]["values"][1]
    {'run': 'run 1', 'side': 'sending', 'kind': 'measured', 'rank': 1, 'share': 0.2}
    """
    parts: dict[str, list] = {name: [] for name in ("run", "side", "kind", "rank", "share")}
    sides = list(dict.fromkeys(side for run in tails.values() for side in run))
    for run, of_side in tails.items():
        for side, pair in of_side.items():
            for kind, tail in zip(("measured", "bound"), pair, strict=True):
                n = len(tail) if most is None else min(most + 1, len(tail))
                # what falls below the picture, and zeros, are gaps of a logarithmic axis
                shown = np.where(tail[:n] >= SHARE_LIMITS[0], tail[:n], np.nan)
                rows: tuple[Any, ...] = ([run] * n, [side] * n, [kind] * n, np.arange(n), shown)
                for part, column in zip(parts.values(), rows, strict=True):
                    part.extend(column)
    style: dict[str, Any] = {
        "orient": "top",
        "symbolType": "stroke",
        "symbolSize": 300,
        "symbolOpacity": 1,
    }
    y = alt.Y(
        "share:Q",
        title="share left out",
        scale=alt.Scale(type="log", domain=list(SHARE_LIMITS), nice=False),
        axis=alt.Axis(values=[1e-4, 1e-3, 1e-2, 0.1, 1, 10], format="~g"),
    )
    base = alt.Chart()
    x = alt.X("rank:Q", title="rank", scale=alt.Scale(nice=False))
    lines = base.mark_line(clip=True, strokeWidth=1.8).encode(
        x,
        y,
        alt.Color(
            "side:N",
            title=None,
            scale=alt.Scale(domain=sides, range=[BLUE, ORANGE][: len(sides)]),
            legend=alt.Legend(**style),
        ),
        alt.StrokeDash(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=["measured", "bound"], range=[list(DASHES[0]), list(DASHES[1])]),
            legend=alt.Legend(**style),
        ),
    )
    share = alt.Tooltip("share:Q", title="share left out", format=".3g")
    points = pointers(x, y, tooltip=["run:N", "side:N", "kind:N", "rank:Q", share])
    once = base.transform_aggregate(number="count()", groupby=["run"])  # not for every row
    rules = [
        once.mark_rule(strokeWidth=1, strokeDash=[2, 3]).encode(alt.YDatum(at)) for at in (0.1, 1)
    ]
    return (
        alt.layer(*rules, lines, points, data=records(digits=3, **parts))
        .properties(width=230, height=170)
        .facet(alt.Facet("run:N", title=None, sort=list(tails)), columns=columns)
    )


def ladder_points(
    rungs: Mapping[str, Mapping[str, float]], *, x_title: str = "share left out"
) -> alt.FacetChart:
    """From the measured tail to the bound, rung by rung, for each run: dots on a logarithmic axis.

    `rungs` gives for each run the named shares, from the least to the greatest.

    Examples
    --------
    >>> from ltr_core import charts
    >>> chart = charts.ladder_points({"run 1": {"measured": 0.01, "bound": 0.3}})
    >>> [row["share"] for row in chart.to_dict()["data"]["values"]]
    [0.01, 0.3]
    """
    order = list(dict.fromkeys(name for run in rungs.values() for name in run))
    data = records(
        digits=3,
        run=[run for run, shares in rungs.items() for _ in shares],
        rung=[name for shares in rungs.values() for name in shares],
        share=[value for shares in rungs.values() for value in shares.values()],
    )
    base = alt.Chart()
    y = alt.Y(
        "rung:N",
        title="what is assumed",
        sort=order,
        axis=alt.Axis(labelLimit=260, titlePadding=14),
    )
    x = alt.X(
        "share:Q",
        title=x_title,
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~g", tickCount=5),
    )
    points = base.mark_point(size=60, filled=True, opacity=1).encode(
        x, y, tooltip=["run:N", "rung:N", alt.Tooltip("share:Q", format=".3g")]
    )
    once = base.transform_aggregate(number="count()", groupby=["run"])
    one = once.mark_rule(strokeWidth=1, strokeDash=[2, 3]).encode(alt.XDatum(1))
    return (
        alt.layer(one, points, data=data)
        .properties(width=190, height=110)
        .facet(alt.Facet("run:N", title=None, sort=list(rungs)), columns=2)
    )


def _spectra_rows(
    spectra: Mapping[Setting, Sequence[Float[np.ndarray, " _component"]]], most: int
) -> alt.Data:
    """One row for each setting and component, with log10 of the three modes' shares."""
    parts: dict[str, list] = {name: [] for name in ("p", "q", "r", "k", *MODES)}
    for setting, of_mode in spectra.items():
        n = min(most, max(len(values) for values in of_mode))
        shares = np.full((3, n), np.nan)
        for room, values in zip(shares, of_mode, strict=True):
            shown = values[:n] / values[0]
            room[: len(shown)] = np.log10(np.maximum(shown, FLOOR))
        columns = (*([size] * n for size in setting), np.arange(1, n + 1), *shares)
        for part, column in zip(parts.values(), columns, strict=True):
            part.extend(column)
    return records(digits=3, **parts)


def _bound_panel(
    mode: str, lines: alt.Data, chosen: str, *, tolerance: float, most: int
) -> alt.LayerChart | alt.FacetChart:
    x_scale = alt.Scale(domain=[0, most + 1], nice=False)
    y_scale = alt.Scale(domain=[float(np.log10(FLOOR)), 0.5], nice=False)
    y_title = "log₁₀ of singular value"
    dots = (
        alt.Chart()
        .transform_filter(chosen)
        .mark_point(size=22, filled=True, opacity=0.9)
        .encode(
            alt.X("k:Q", title="component", scale=x_scale, axis=alt.Axis(tickCount=5)),
            alt.Y(
                f"{mode}:Q",
                title=y_title,
                scale=y_scale,
                axis=alt.Axis(tickCount=6),
            ),
            tooltip=[
                alt.Tooltip("k:Q", title="component"),
                alt.Tooltip(f"{mode}:Q", title="log₁₀"),
            ],
        )
    )
    limit = (
        alt.Chart(lines)
        .transform_filter(chosen)
        .transform_calculate(at=f"min(datum.{mode} + 0.5, {most + 1})")
        .mark_rule(strokeWidth=1.5, color=ORANGE)
        .encode(alt.X("at:Q", title="component"), tooltip=[alt.Tooltip(f"{mode}:Q", title="bound")])
    )
    shown = (
        alt.Chart(lines)
        .transform_filter(chosen)
        .transform_calculate(label=f"'bound ' + datum.{mode}")
        .mark_text(align="right", x=PANEL_SIZE[0] - 4, y=8)
        .encode(alt.Text("label:N"))
    )
    floor = (
        alt.Chart(records(at=[float(np.log10(tolerance))]))
        .mark_rule(strokeWidth=1, strokeDash=[2, 3])
        .encode(alt.Y("at:Q", title=y_title))
    )
    width, height = PANEL_SIZE
    return alt.layer(floor, dots, limit, shown).properties(
        width=width, height=height, title=MODES[mode]
    )
