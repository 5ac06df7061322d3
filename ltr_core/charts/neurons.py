"""Single neurons: what was recorded, and what a model makes of it."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
from jaxtyping import Float

from ltr_core.charts.output import records
from ltr_core.charts.series import checked_length, line_channels, padded

PANEL = 205


def neurons(
    recorded: Mapping[str, Float[np.ndarray, "_time _neuron"]],
    predicted: Mapping[str, Float[np.ndarray, "_time _neuron"]],
    time: Float[np.ndarray, " _time"],
    *,
    numbers: Sequence[int] | None = None,
    y_title: str = "rate",
) -> alt.FacetChart:
    """Single neurons, one panel each: recorded values as points, the model's as lines.

    The keys of `recorded` (conditions, or epochs) become colours, doubled by the lines' dashes;
    `predicted` has the same keys. `numbers` names the neurons (0, 1, ... otherwise). Each panel
    has its own y axis. At most 12 neurons; missing values (NaN) are gaps. Raises `ValueError`
    where keys, shapes or lengths do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> rates = {"baseline": np.random.default_rng(0).normal(size=(20, 2))}  # (time, neuron)
    >>> chart = charts.neurons(rates, rates, np.arange(20) / 10, numbers=[4, 7])
    >>> chart.to_dict()["facet"]["sort"]
    ['neuron 4', 'neuron 7']
    """
    names = list(recorded)
    if list(predicted) != names:
        raise ValueError(f"recorded has the series {names}, predicted {list(predicted)}.")
    shape = recorded[names[0]].shape
    for name in names:
        if recorded[name].shape != shape or predicted[name].shape != shape:
            raise ValueError(f"series '{name}' and the first one, of shape {shape}, differ.")
    checked_length(len(time), shape[0], "time", "the activity's first axis")
    numbers = range(shape[1]) if numbers is None else numbers
    checked_length(len(numbers), shape[1], "numbers", "the activity's last axis")
    if len(numbers) > 12:
        raise ValueError(f"{len(numbers)} neurons: choose at most 12 to draw singly.")
    n_rows = shape[0] * shape[1]
    titles = [f"neuron {number}" for number in numbers]
    data = records(
        digits=3,
        series=np.repeat(names, n_rows),
        neuron=np.tile(np.repeat(titles, shape[0]), len(names)),
        time=np.tile(time, shape[1] * len(names)),
        recorded=np.concatenate([recorded[name].T.ravel() for name in names]),
        predicted=np.concatenate([predicted[name].T.ravel() for name in names]),
    )
    base = alt.Chart(data).encode(
        alt.X(
            "time:Q",
            title="time (s)",
            scale=alt.Scale(domain=padded(float(time[0]), float(time[-1]), 0.02), nice=False),
            axis=alt.Axis(tickCount=4),
        )
    )
    colour, dash = line_channels("series", names)
    points = base.mark_circle(size=16, opacity=0.6, aria=False).encode(
        alt.Y(
            "recorded:Q",
            title=y_title,
            axis=alt.Axis(tickCount=4),
            # no mark at the very top, which would push the panel out of line with the others
            scale=alt.Scale(zero=False, nice=False, padding=6),
        ),
        colour,
        tooltip=[
            "neuron:N",
            "series:N",
            alt.Tooltip("time:Q", title="time (s)", format=".3g"),
            alt.Tooltip("recorded:Q", format=".3g"),
            alt.Tooltip("predicted:Q", title="model", format=".3g"),
        ],
    )
    lines = base.mark_line(strokeWidth=1.8).encode(alt.Y("predicted:Q"), colour, dash)
    return (
        alt.layer(points, lines)
        .properties(width=PANEL, height=110)
        .facet(alt.Facet("neuron:N", title=None, sort=titles), columns=2)
        .resolve_scale(y="independent")
    )
