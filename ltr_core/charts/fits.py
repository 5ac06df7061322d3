"""Pictures of fits: their losses, their scores on held-out data, and models compared."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from jaxtyping import Float

from ltr_core.charts.output import records
from ltr_core.charts.series import line_channels, padded, thinned
from ltr_core.charts.style import BLUE, GREY, ORANGE, WIDTH

MOST_STEPS = 500


def losses(
    history: pd.DataFrame, *, y_title: str = "loss", width: int = 480, height: int = 220
) -> alt.LayerChart | alt.FacetChart:
    """Loss over the steps of a fit: columns `step`, `train` and, if there is one, `validation`.

    The scale is logarithmic where all losses are above zero. The open dot is the least validation
    loss. Steps without a validation loss (NaN) are skipped. Raises `ValueError` without the
    columns or without any finite loss.

    Examples
    --------
    >>> import pandas as pd
    >>> from ltr_core import charts
    >>> history = pd.DataFrame({"step": [0, 1, 2], "train": [1.0, 0.1, 0.01]})
    >>> charts.losses(history).to_dict()["layer"][0]["encoding"]["y"]["scale"]["type"]
    'log'
    """
    for column in ("step", "train"):
        if column not in history:
            raise ValueError(f"the history has no column '{column}', only {list(history)}.")
    names = [name for name in ("train", "validation") if name in history]
    steps = history["step"].to_numpy(float)
    parts = []
    for name in names:
        values = history[name].to_numpy(float)
        known = np.flatnonzero(np.isfinite(values))
        known = known[thinned(len(known), MOST_STEPS)]
        parts.append((name, steps[known], values[known]))
    everything = np.concatenate([values for _, _, values in parts])
    if not everything.size:
        raise ValueError("the history holds no finite loss.")
    # on a narrow range a logarithmic axis would have no round level to name
    logarithmic = everything.min() > 0 and len(_round_levels(everything)) > 1
    data = records(
        digits=4,
        series=np.concatenate([[name] * len(at) for name, at, _ in parts]),
        step=np.concatenate([at for _, at, _ in parts]),
        loss=np.concatenate([values for _, _, values in parts]),
    )
    x = alt.X("step:Q", title="step", scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=6))
    y = alt.Y(
        "loss:Q",
        title=y_title,
        scale=alt.Scale(type="log", nice=False, padding=6)
        if logarithmic
        else alt.Scale(zero=False),
        axis=alt.Axis(format="~g", values=_round_levels(everything)) if logarithmic else alt.Axis(),
    )
    colour, dash = line_channels("series", [name for name, at, _ in parts if len(at)])
    base = alt.Chart(data)
    tooltip = ["series:N", "step:Q", alt.Tooltip("loss:Q", title=y_title, format=".4g")]
    layers = [
        base.mark_line(strokeWidth=1.8).encode(x, y, colour, dash),
        base.mark_point(size=40, opacity=0, filled=True, aria=False).encode(x, y, tooltip=tooltip),
    ]
    _, at, values = parts[-1]
    if names[-1] == "validation" and len(at):
        best = int(values.argmin())
        least = records(digits=4, series="least validation", step=at[best], loss=values[best])
        ring = alt.Chart(least).mark_point(size=90, filled=False, strokeWidth=2, color=ORANGE)
        layers.append(ring.encode(x, y, tooltip=tooltip))
    return alt.layer(*layers).properties(width=width, height=height)


def scores(
    results: pd.DataFrame,
    over: str = "rank",
    score: str = "score",
    *,
    chosen: Any = None,
    x_title: str | None = None,
    y_title: str = "held-out score",
    height: int = 240,
) -> alt.LayerChart | alt.FacetChart:
    """Held-out scores against a setting: a dot for each seed and fold, the mean as a line.

    Bars are the mean plus and minus its standard error, where there are two or more scores;
    `chosen` marks a value of the setting with a rule. The table is that of
    `ltr_core.cross_validate` or `grid_search`; failed cells (no score) are left out. Raises
    `ValueError` for columns that are not there, no score at all, or a chosen value not tried.

    Examples
    --------
    >>> import pandas as pd
    >>> from ltr_core import charts
    >>> results = pd.DataFrame({"rank": [1, 1, 2, 2], "score": [0.5, 0.6, 0.8, 0.9]})
    >>> chart = charts.scores(results, chosen=2)
    >>> len(chart.to_dict()["layer"])  # rule, dots, bars, line, means, word
    6
    """
    for column in (over, score):
        if column not in results:
            raise ValueError(f"the results have no column '{column}', only {list(results)}.")
    known = results[np.isfinite(results[score].to_numpy(float))]
    if known.empty:
        raise ValueError("the results hold no finite score.")
    values = sorted(known[over].unique().tolist())
    if chosen is not None and chosen not in values:
        raise ValueError(f"{over} = {chosen} was not tried; tried: {values}.")
    labels = [_label(value) for value in values]
    groups = [known.loc[known[over] == value, score].to_numpy(float) for value in values]
    x = alt.X(
        "setting:O", title=x_title or over, sort=labels, axis=alt.Axis(labelAngle=0, grid=False)
    )
    y = alt.Y("score:Q", title=y_title, scale=alt.Scale(zero=False))
    dots = alt.Chart(
        records(
            digits=5,
            setting=np.repeat(labels, [len(group) for group in groups]),
            score=np.concatenate(groups),
        )
    )
    means = alt.Chart(_summary(labels, groups))
    layers = [
        dots.mark_circle(size=26, color=GREY, opacity=0.8, xOffset=-11).encode(
            x, y, tooltip=[alt.Tooltip("setting:O", title=over), alt.Tooltip("score:Q")]
        ),
        means.mark_rule(color=BLUE, strokeWidth=2).encode(x, alt.Y("low:Q"), alt.Y2("high:Q")),
        means.mark_line(color=BLUE, strokeWidth=1.6).encode(x, alt.Y("score:Q")),
        means.mark_point(color=BLUE, size=60, opacity=1).encode(x, alt.Y("score:Q"), tooltip=_TOLD),
    ]
    if chosen is not None:
        mark = alt.Chart(records(setting=[_label(chosen)], text=["chosen"]))
        rule = mark.mark_rule(strokeDash=[4, 4], color=ORANGE, strokeWidth=1.5).encode(x)
        text = mark.mark_text(baseline="bottom").encode(x, alt.YValue(-3), text="text:N")
        layers = [rule, *layers, text]
    return alt.layer(*layers).properties(
        width=max(240, min(WIDTH, 70 * len(values))), height=height
    )


def compared(
    models: Mapping[str, Float[np.ndarray, " _run"] | Sequence[float]],
    *,
    score_title: str = "held-out score",
    reference: Mapping[str, float] | None = None,
    width: int = 350,
) -> alt.LayerChart | alt.FacetChart:
    """Models in rows, in the order given: each one's scores, their mean and standard error.

    A grey dot is one run (seed or fold), the large dot the mean, the bar its standard error (none
    for a single run). `reference` names levels drawn as dashed rules, such as a noise floor.
    Raises `ValueError` for a model without a finite score.

    Examples
    --------
    >>> from ltr_core import charts
    >>> chart = charts.compared({"ltrRNN": [0.8, 0.9], "condition mean": [0.5, 0.6]})
    >>> chart.to_dict()["layer"][0]["encoding"]["y"]["sort"]
    ['ltrRNN', 'condition mean']
    """
    names = list(models)
    groups = [np.asarray(models[name], dtype=np.float64) for name in names]
    groups = [group[np.isfinite(group)] for group in groups]
    for name, group in zip(names, groups, strict=True):
        if not group.size:
            raise ValueError(f"model '{name}' has no finite score.")
    labels = [textwrap.fill(name, 24) for name in names]
    y = alt.Y(
        "setting:N",
        title="model",
        sort=labels,
        axis=alt.Axis(labelExpr=r"split(datum.label, '\n')", grid=True, title=None),
    )
    levels = np.concatenate([*groups, list((reference or {}).values())])
    scale = alt.Scale(domain=padded(float(levels.min()), float(levels.max())), nice=False)
    x = alt.X("score:Q", title=score_title, scale=scale, axis=alt.Axis(grid=True, tickCount=6))
    dots = alt.Chart(
        records(
            digits=5,
            setting=np.repeat(labels, [len(group) for group in groups]),
            score=np.concatenate(groups),
        )
    )
    means = alt.Chart(_summary(labels, groups))
    layers = [
        dots.mark_circle(size=26, color=GREY, opacity=1, yOffset=9).encode(
            x, y, tooltip=[alt.Tooltip("setting:N", title="model"), alt.Tooltip("score:Q")]
        ),
        means.mark_rule(color=BLUE, strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high:Q"), y),
        means.mark_point(color=BLUE, size=70, opacity=1).encode(x, y, tooltip=_TOLD),
    ]
    if reference:
        lines = alt.Chart(records(level=list(reference.values()), text=list(reference)))
        layers.append(lines.mark_rule(strokeDash=[4, 4]).encode(alt.X("level:Q")))
        layers.append(
            lines.mark_text(baseline="bottom").encode(
                alt.X("level:Q"), alt.YValue(-3), text="text:N"
            )
        )
    return alt.layer(*layers).properties(width=width, height=alt.Step(34))


_TOLD = [
    alt.Tooltip("setting:N", title="setting"),
    alt.Tooltip("score:Q", title="mean", format=".4g"),
    alt.Tooltip("error:Q", title="standard error", format=".2g"),
    alt.Tooltip("n:Q", title="runs"),
]


def _summary(labels: Sequence[str], groups: Sequence[np.ndarray]) -> alt.Data:
    mean = np.array([group.mean() for group in groups])
    error = np.array(
        [group.std(ddof=1) / np.sqrt(len(group)) if len(group) > 1 else 0.0 for group in groups]
    )
    return records(
        digits=5,
        setting=list(labels),
        score=mean,
        low=mean - error,
        high=mean + error,
        error=error,
        n=[len(group) for group in groups],
    )


def _round_levels(values: np.ndarray) -> list[float]:
    """1, 2 and 5 times powers of ten within the range of positive values."""
    powers = np.arange(np.floor(np.log10(values.min())), np.log10(values.max()) + 1)
    levels = [float(f"{digit}e{int(power)}") for power in powers for digit in (1, 2, 5)]
    return [level for level in levels if values.min() <= level <= values.max()]


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
