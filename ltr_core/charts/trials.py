"""Example trials of a task: what is shown, what is wanted and when it counts, what comes out."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float
from torch import Tensor

from ltr_core.charts.output import records
from ltr_core.charts.series import checked_length, line_styles, padded, pointers, thinned
from ltr_core.charts.style import DASHES, GREY
from ltr_core.tasks import Trials

WIDTH = 560
MOST_STEPS = 300


def trials(
    shown: Trials,
    time: Float[Tensor, " _time"],
    output: Float[Tensor, "_trial _time _output"] | None = None,
    *,
    names: Sequence[str] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    time_title: str = "time (τ)",
    height: int = 110,
) -> alt.VConcatChart:
    """A column for each trial: its inputs above, its targets below, shaded where they count.

    Targets are drawn only where they count: as lines, or dashed over the lines of one network's
    `output`. `names` are those of the trials ("trial 1", ... otherwise), `input_names` and
    `output_names` those of the channels. From 1 to 4 trials; of more than 300 steps, evenly
    spaced ones are drawn. Raises `ValueError` where shapes or lengths do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> import ltr_core as ltr
    >>> from ltr_core import charts
    >>> task = ltr.FlipFlop()
    >>> shown = task.sample(2, np.random.default_rng(0))
    >>> time = torch.arange(shown.inputs.shape[1], dtype=torch.float32)
    >>> len(charts.trials(shown, time).to_dict()["vconcat"])  # inputs, targets
    2
    """
    inputs, targets, mask = (part.numpy() for part in (shown.inputs, shown.targets, shown.mask))
    if not 1 <= len(mask) <= 4:
        raise ValueError(f"{len(mask)} trials: choose from 1 to 4 to draw side by side.")
    if output is not None and output.shape != shown.targets.shape:
        raise ValueError(
            f"output has shape {tuple(output.shape)}, the targets have {targets.shape}: both are "
            "(trial, time, output), of one network."
        )
    checked_length(len(time), mask.shape[1], "time", "the trials' second axis")
    names = _named(names, len(mask), "trial")
    wanted = {"target": np.where(mask[..., None] > 0, targets, np.nan)}
    below = wanted if output is None else {"network": output.detach().numpy(), **wanted}
    rows = [
        _row(
            {"input": inputs},
            None,
            time.numpy(),
            names,
            _named(input_names, inputs.shape[2], "input"),
        ),
        _row(below, mask, time.numpy(), names, _named(output_names, targets.shape[2], "output")),
    ]
    scale = alt.Scale(domain=_edges(time.numpy())[[0, -1]].tolist(), nice=False)
    # the time axis stands once, under the lower row, and the trials' names above the upper one
    across = [
        alt.X("time:Q", title=time_title, scale=scale, axis=axis)
        for axis in (None, alt.Axis(tickCount=5))
    ]
    panels = [
        alt.layer(*[layer.encode(x) for layer in layers], data=data)
        .properties(width=WIDTH // len(names) - 18, height=height)
        .facet(
            column=alt.Column("trial:N", title=None, sort=names, header=alt.Header(labels=i == 0)),
            spacing=14,
        )
        for i, ((data, layers), x) in enumerate(zip(rows, across, strict=True))
    ]
    apart: dict[str, Any] = {"color": "independent", "strokeDash": "independent"}
    return alt.vconcat(*panels, spacing=10).resolve_scale(**apart)


def _named(names: Sequence[str] | None, n: int, one: str) -> list[str]:
    if names is None:
        return [f"{one} {i + 1}" for i in range(n)]
    checked_length(len(names), n, f"the names of {one}s", "their axis")
    if len(set(names)) < n:
        raise ValueError(f"the names of {one}s are not distinct: {list(names)}.")
    return list(names)


def _edges(time: np.ndarray) -> np.ndarray:
    """Where steps begin, and where the last one ends."""
    return np.append(time, 2 * time[-1] - time[-2] if len(time) > 1 else time[-1] + 1)


def _row(
    values: Mapping[str, np.ndarray],
    mask: np.ndarray | None,
    time: np.ndarray,
    names: list[str],
    channels: list[str],
) -> tuple[alt.Data, list[alt.Chart]]:
    """The data of a row of panels, and its layers: a band where the mask is 1, and lines."""
    kept = thinned(len(time), MOST_STEPS)
    everything = np.concatenate([part.ravel() for part in values.values()])
    ends = padded(min(0.0, np.nanmin(everything)), max(0.0, np.nanmax(everything)), 0.08)
    points = [
        (names[i], time[t], np.nan, kind, channels[c], part[i, t, c])
        for kind, part in values.items()
        for i in range(len(names))
        for c in range(len(channels))
        for t in kept
    ]
    edges = _edges(time)
    for i, counts in enumerate([] if mask is None else mask > 0):
        turns = np.flatnonzero(np.diff(counts, prepend=False, append=False))
        points += [
            (names[i], edges[a], edges[b], "counts", "", np.nan) for a, b in turns.reshape(-1, 2)
        ]
    columns = ("trial", "time", "end", "kind", "channel", "value")
    data = records(digits=4, **dict(zip(columns, zip(*points, strict=True), strict=True)))
    y = alt.Y(
        "value:Q",
        title=next(iter(values)) if len(values) == 1 else "output",
        scale=alt.Scale(domain=ends, nice=False),
        axis=alt.Axis(tickCount=4),
    )
    lines = (
        alt.Chart()
        .transform_filter("datum.kind != 'counts'")
        .mark_line(strokeWidth=1.6)
        .encode(y, alt.Detail("kind:N"), *_channels(list(values), channels))
    )
    told = [alt.Tooltip(f"{name}:N") for name in ("trial", "kind", "channel")]
    told += [alt.Tooltip(f"{name}:Q", format=".3g") for name in ("time", "value")]
    answers = pointers(y, tooltip=told).transform_filter("datum.kind != 'counts'")
    if mask is None:
        return data, [lines, answers]
    band = (
        alt.Chart()
        .transform_filter("datum.kind == 'counts'")
        .mark_rect(color=GREY, opacity=0.14, aria=False)
        .encode(alt.X2("end"))
    )
    return data, [band, lines, answers]


def _channels(kinds: list[str], channels: list[str]) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour tells channels apart; the dash does too, or tells a network's output from targets."""
    hues, dashes = line_styles(channels)
    legend = alt.Legend(
        orient="top", direction="horizontal", symbolType="stroke", symbolSize=300, symbolOpacity=1
    )
    by, told = ("channel", channels) if len(kinds) == 1 else ("kind", kinds)
    styles = dashes if len(kinds) == 1 else [list(dash) for dash in DASHES[:2]]
    return (
        alt.Color(
            "channel:N",
            title=None,
            scale=alt.Scale(domain=channels, range=hues),
            legend=legend if len(channels) > 1 else None,
        ),
        alt.StrokeDash(
            f"{by}:N",
            title=None,
            scale=alt.Scale(domain=told, range=styles),
            legend=legend if len(told) > 1 else None,
        ),
    )
