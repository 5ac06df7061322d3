"""Trial factors of a fitted model: estimates, intervals, and the truth where it is known."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float, Real

from ltr_core.charts.curves import epoch_marks
from ltr_core.charts.output import records
from ltr_core.charts.series import checked_length, line_channels, padded, thinned
from ltr_core.charts.style import BLUE

MOST_TRIALS = 400
"""Trials drawn at most; of more, evenly spaced ones."""


def factor_bands(
    factors: Float[np.ndarray, "trial rank"],
    lower: Float[np.ndarray, "_trial _rank"] | None = None,
    upper: Float[np.ndarray, "_trial _rank"] | None = None,
    *,
    trial_id: Real[np.ndarray, " _trial"] | None = None,
    epoch: Sequence[str] | np.ndarray | None = None,
    truth: Float[np.ndarray, "_trial _rank"] | None = None,
    interval_title: str = "interval",
    band_opacity: float = 0.25,
    width: int = 480,
    height: int = 64,
) -> alt.VConcatChart:
    """Each component's trial factor in a panel of its own, over the true trial ids.

    `lower` and `upper` (given together) are drawn as a band, named by `interval_title` and as
    opaque as `band_opacity` says; `truth`
    as a dashed line; dotted rules mark where epochs begin, and a line stops there, since a
    factor may jump. Trials are numbered from 1 without `trial_id`. Missing values are gaps.
    Raises `ValueError` where shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> factors = np.random.default_rng(0).normal(size=(10, 2))
    >>> chart = charts.factor_bands(factors, factors - 0.1, factors + 0.1)
    >>> len(chart.to_dict()["vconcat"])  # one panel for each component
    2
    """
    parts = {"lower": lower, "upper": upper, "truth": truth}
    for name, values in parts.items():
        if values is not None and values.shape != factors.shape:
            raise ValueError(f"{name} has shape {values.shape}, the factors {factors.shape}.")
    if (lower is None) != (upper is None):
        raise ValueError("pass both ends of the interval, lower and upper, or neither.")
    n_trials, rank = factors.shape
    trials = np.arange(1.0, n_trials + 1) if trial_id is None else np.asarray(trial_id, float)
    names = [""] * n_trials if epoch is None else [str(name) for name in epoch]
    checked_length(len(trials), n_trials, "trial_id", "the factors' first axis")
    checked_length(len(names), n_trials, "epoch", "the factors' first axis")
    shown = thinned(n_trials, MOST_TRIALS)
    stretches = np.cumsum([a != b for a, b in zip([names[0], *names], names, strict=False)])
    columns = {
        "trial": trials[shown],
        "epoch": [names[k] for k in shown],
        "stretch": stretches[shown],
    }
    marks = [] if epoch is None else epoch_marks(names, trials)
    scale = alt.Scale(domain=[float(trials[0]), float(trials[-1])], nice=False)
    panels = []
    for r in range(rank):
        drawn = {
            name: part[shown, r]
            for name, part in {"factor": factors, **parts}.items()
            if part is not None
        }
        # the axis stands once, under the last panel, and the epochs' names above the first
        across: dict[str, Any] = {"scale": scale, "axis": alt.Axis() if r == rank - 1 else None}
        layers = _component(
            drawn, r, across, interval_title, epoch is not None, band_opacity=band_opacity
        )
        inner = marks if r == 0 else marks[:1]
        layers += [mark.encode(alt.X("x:Q", **across)) for mark in inner]
        data = records(digits=4, **columns, **drawn)
        panels.append(alt.layer(*layers, data=data).properties(width=width, height=height))
    return alt.vconcat(*panels, spacing=8)


def _component(
    values: dict[str, np.ndarray],
    r: int,
    across: dict[str, Any],
    interval_title: str,
    with_epochs: bool,
    *,
    band_opacity: float,
) -> list[alt.Chart]:
    base = alt.Chart()  # the layers share the data of the panel, which are written once
    x = alt.X("trial:Q", title="trial", **across)
    everything = np.concatenate(list(values.values()))
    if not np.isfinite(everything).any():
        raise ValueError(f"component {r + 1} has no finite value to draw.")
    ends = padded(float(np.nanmin(everything)), float(np.nanmax(everything)), 0.06)
    y_axis: dict[str, Any] = {
        "title": f"c{subscript(r + 1)}",
        "scale": alt.Scale(domain=ends, nice=False),
        "axis": alt.Axis(tickCount=3, titleAngle=0, titleAlign="right", titlePadding=26),
    }
    estimate = f"estimate, {interval_title}" if "lower" in values else "estimate"
    colour, dash = line_channels("series", [estimate, "truth"] if "truth" in values else [estimate])
    tooltip = [
        alt.Tooltip(name, title=title, format=".3g")
        for name, title in (
            ("trial:Q", "trial"),
            ("factor:Q", "estimate"),
            ("lower:Q", "lower end"),
            ("upper:Q", "upper end"),
            ("truth:Q", "truth"),
        )
        if name[:-2] in {"trial", *values}
    ]
    if with_epochs:
        tooltip.append(alt.Tooltip("epoch:N"))
    layers = []
    if "lower" in values:
        layers.append(
            base.mark_area(opacity=band_opacity, color=BLUE).encode(
                x, alt.Y("lower:Q", **y_axis), alt.Y2("upper:Q"), alt.Detail("stretch:N")
            )
        )
    for field, series in (("factor", estimate), ("truth", "truth")):
        if field in values:
            line = base.transform_calculate(series=f"'{series}'").mark_line(strokeWidth=1.6)
            layers.append(
                line.encode(x, alt.Y(f"{field}:Q", **y_axis), colour, dash, alt.Detail("stretch:N"))
            )
    # points that only answer the pointer
    layers.append(
        base.mark_point(size=45, opacity=0, filled=True, aria=False).encode(
            x, alt.Y("factor:Q", **y_axis), tooltip=tooltip
        )
    )
    return layers


def subscript(number: int) -> str:
    """A whole number in Unicode subscripts: 12 as "₁₂"."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
