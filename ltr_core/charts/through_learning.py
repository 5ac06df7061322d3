"""A slider through learning: what the hand does in a trial, and where on the curves we are."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float, Int

from ltr_core.charts.curves import epoch_marks, series_channels
from ltr_core.charts.output import SharedData, records, row_of_lists
from ltr_core.charts.reaching import HUES
from ltr_core.charts.series import checked_length, pointers, thinned

MOST_TIMES = 24
PATHS, CURVES, HEIGHT = 220, 250, 110


def through_learning(
    paths: Float[np.ndarray, "trial _time 2"],
    goals: Float[np.ndarray, "target 2"],
    target: Int[np.ndarray, " _trial"],
    curves: Mapping[str, Mapping[str, Float[np.ndarray, " _trial"]]],
    *,
    epochs: Sequence[str],
    start: int | None = None,
) -> alt.HConcatChart:
    """A slider through the trials of learning: hand paths on the left, curves on the right.

    On the left the last reach to every target up to the slider's trial, that trial's own in bold;
    on the right a panel for each title of `curves`, the axis' title: its series fade where
    the slider has not been, and dots tell where they are. The slider works by keyboard.

    - `paths` in metres (drawn in centimetres), of the trials in order; `target` is the row of
      `goals`, in metres, that each is for.
    - `curves`: for each title up to 6 named series, one value for each trial.
    - `epochs`: the name of each trial's epoch.
    - `start`: the trial, counted from 1, at which the slider stands at first (None: in the middle).

    Raises `ValueError` where lengths do not fit, or a target or the start is none there is.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> paths = np.linspace(0, 0.1, 5)[None, :, None] * np.ones((8, 1, 2))
    >>> goals, target = np.array([[0.1, 0.1], [0.1, 0.1]]), np.arange(8) % 2
    >>> curves = {"error (%)": {"network": np.arange(8.0)}}
    >>> chart = charts.through_learning(
    ...     paths, goals, target, curves, epochs=["field"] * 4 + ["washout"] * 4, start=5
    ... )
    >>> chart.params[0].value, chart.params[0].bind.max
    (5, 8)
    """
    n_trials = len(paths)
    start = (n_trials + 1) // 2 if start is None else start
    checked_length(len(target), n_trials, "target", "the paths' first axis")
    checked_length(len(epochs), n_trials, "epochs", "the paths' first axis")
    for title, series in curves.items():
        for name, values in series.items():
            checked_length(len(values), n_trials, f"'{name}' of '{title}'", "the paths' first axis")
    if not 1 <= start <= n_trials:
        raise ValueError(f"start is {start}: trials are counted from 1 to {n_trials}.")
    if not 0 <= target.min() <= target.max() < len(goals):
        raise ValueError(f"target must be from 0 to {len(goals) - 1}, the rows of goals.")
    slider = alt.param(
        name="learning_trial",
        value=start,
        bind=alt.binding_range(min=1, max=n_trials, step=1, name="trial "),
    )
    panels = [
        _curves(title, series, list(epochs), first=i == 0, last=i == len(curves) - 1)
        for i, (title, series) in enumerate(curves.items())
    ]
    apart: dict[str, Any] = {"color": "independent", "strokeDash": "independent"}
    right = alt.vconcat(*panels, spacing=12).resolve_scale(**apart)
    return (
        alt.hconcat(_hand(paths, goals, target, list(epochs)), right, spacing=24)
        .resolve_scale(**apart)
        .add_params(slider)
    )


def _hand(paths: np.ndarray, goals: np.ndarray, target: np.ndarray, epochs: list[str]) -> Any:
    """The last path to each target so far: each is drawn until the next to its target."""
    n_trials = len(paths)
    until = [
        next((k for k in range(now + 1, n_trials) if target[k] == target[now]), n_trials)
        for now in range(n_trials)
    ]
    at = np.union1d(thinned(paths.shape[1], MOST_TIMES), paths.shape[1] - 1)
    rows = [
        row_of_lists(
            trial=now + 1,
            until=until[now] + 1,
            epoch=epochs[now],
            target=int(target[now]) + 1,
            step=at,
            x=100 * paths[now, at, 0],
            y=100 * paths[now, at, 1],
        )
        for now in range(n_trials)
    ]
    reach = 1.35 * 100 * float(np.abs(goals).max())
    scale = alt.Scale(domain=[-reach, reach], nice=False, clamp=True)
    names = list(range(1, len(goals) + 1))
    hues = [HUES[i % len(HUES)] for i in range(len(goals))]
    axes: list[Any] = [
        alt.X("x:Q", title="left to right (cm)", scale=scale, axis=alt.Axis(tickCount=5)),
        alt.Y("y:Q", title="near to far (cm)", scale=scale, axis=alt.Axis(tickCount=5)),
        alt.Color("target:N", scale=alt.Scale(domain=names, range=hues), legend=None),
    ]
    told = ["trial:Q", "epoch:N", "target:N"]
    now = "datum.trial == learning_trial"
    lines = (
        alt.Chart(SharedData(values=rows))
        .transform_filter("datum.trial <= learning_trial && learning_trial < datum.until")
        .transform_flatten(["step", "x", "y"])
        .mark_line()
        .encode(
            *axes,
            alt.Detail("trial:Q"),
            # as recorded, and not from left to right
            alt.Order("step:Q"),
            size=alt.condition(now, alt.value(3.5), alt.value(1.4)),
            opacity=alt.condition(now, alt.value(1.0), alt.value(0.75)),
            tooltip=told,
        )
    )
    at_goals = records(digits=4, target=names, x=100 * goals[:, 0], y=100 * goals[:, 1])
    circles = (
        alt.Chart(at_goals)
        .mark_point(filled=False, size=120, strokeWidth=1.5)
        .encode(*axes, tooltip=["target:N"])
    )
    label = (
        alt.Chart(records(trial=1))
        .transform_calculate(
            label=f"'trial ' + learning_trial + ', ' + {epochs}[learning_trial - 1]"
        )
        .mark_text(align="left", baseline="bottom")
        .encode(alt.XValue(0), alt.YValue(-4), text="label:N")
    )
    return alt.layer(circles, lines, label).properties(width=PATHS, height=PATHS)


def _curves(
    title: str,
    series: Mapping[str, np.ndarray],
    epochs: list[str],
    *,
    first: bool,
    last: bool,
) -> Any:
    names, n_trials = list(series), len(epochs)
    trials = np.arange(1, n_trials + 1)
    data = records(
        digits=4,
        series=np.repeat(names, n_trials),
        trial=np.tile(trials, len(names)),
        value=np.concatenate(list(series.values())),
    )
    across: dict[str, Any] = {
        "title": "trial",
        "scale": alt.Scale(domain=[1, n_trials], nice=False),
        "axis": alt.Axis(format="d", tickCount=5) if last else None,
    }
    x, y = alt.X("trial:Q", **across), alt.Y("value:Q", title=title, axis=alt.Axis(tickCount=4))
    colour, dash = series_channels("series", names, offset=24 if first else 8)
    base = alt.Chart()
    line = base.mark_line(strokeWidth=1.6).encode(x, y, colour, dash)
    dots = base.transform_filter("datum.trial == learning_trial").mark_point(
        size=80, filled=True, opacity=1
    )
    told = [
        alt.Tooltip("series:N", title="series"),
        "trial:Q",
        alt.Tooltip("value:Q", title=title, format=".3g"),
    ]
    marks = epoch_marks(epochs, trials)
    layers = [
        line.encode(opacity=alt.value(0.3)),
        line.transform_filter("datum.trial <= learning_trial"),
        pointers(x, y, tooltip=told),
        dots.encode(x, y, colour, tooltip=told),
        # the names of epochs stand once, above the first panel
        *[mark.encode(alt.X("x:Q", **across)) for mark in marks[: 2 if first else 1]],
    ]
    return alt.layer(*layers, data=data).properties(width=CURVES, height=HEIGHT)
