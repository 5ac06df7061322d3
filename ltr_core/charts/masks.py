"""What is held out of a recording: which entries of one neuron train a model, and which test it."""

import altair as alt
import numpy as np
from jaxtyping import Bool, Float

from ltr_core.charts.output import records
from ltr_core.charts.series import checked_length
from ltr_core.charts.style import GREY, ORANGE

MOST_TRIALS = 300
KINDS = ("trains", "neither", "tests")


def held_out(
    test: Bool[np.ndarray, "_trial _time"],
    train: Bool[np.ndarray, "_trial _time"],
    time: Float[np.ndarray, " _time"],
    *,
    height: int = 300,
) -> alt.Chart:
    """The entries of one neuron, a row for each trial: those that train, test, or do neither.

    `time` in seconds. At most 300 trials, the first ones, are drawn; stretches of one kind are
    one mark. Raises `ValueError` where shapes do not fit or an entry both trains and tests.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> test = np.zeros((3, 10), dtype=bool)
    >>> test[1, 4:8] = True
    >>> chart = charts.held_out(test, ~test, np.arange(10) / 10)
    >>> len(chart.to_dict()["data"]["values"])  # stretches of one kind
    5
    """
    if test.shape != train.shape:
        raise ValueError(f"test has shape {test.shape}, train {train.shape}; both (trial, time).")
    checked_length(len(time), test.shape[1], "time", "the masks' second axis")
    if (test & train).any():
        raise ValueError(f"{int((test & train).sum())} entries both train and test.")
    kind = np.where(test, 2, np.where(train, 0, 1))[:MOST_TRIALS]
    step = float(time[1] - time[0]) if len(time) > 1 else 1.0
    edges = np.append(time, time[-1] + step) - step / 2
    rows = []
    for trial, kinds in enumerate(kind):
        starts = np.flatnonzero(np.diff(kinds, prepend=-1))
        ends = np.append(starts[1:], len(kinds))
        rows += [
            (trial, edges[s], edges[e], KINDS[kinds[s]]) for s, e in zip(starts, ends, strict=True)
        ]
    trials, start, end, names = zip(*rows, strict=True)
    data = records(
        digits=4,
        top=np.array(trials) + 0.5,
        bottom=np.array(trials) + 2.0,  # under the next row, so that no seam is left
        trial=np.array(trials) + 1,
        start=np.array(start),
        end=np.array(end),
        kind=np.array(names),
    )
    # three levels of lightness, so that colour is not all that tells them apart
    hues = ["#A5CAE6", GREY, ORANGE]
    x_scale = alt.Scale(domain=[float(edges[0]), float(edges[-1])], nice=False)
    y_scale = alt.Scale(domain=[0.5, len(kind) + 0.5], nice=False, reverse=True)
    return (
        alt.Chart(data)
        .mark_rect(aria=False, clip=True)
        .encode(
            alt.X("start:Q", title="time (s)", scale=x_scale, axis=alt.Axis(tickCount=6)),
            alt.X2("end"),
            alt.Y("top:Q", title="trial", scale=y_scale, axis=alt.Axis(grid=False)),
            alt.Y2("bottom"),
            alt.Color(
                "kind:N",
                title="the entry",
                scale=alt.Scale(domain=list(KINDS), range=hues),
                legend=alt.Legend(orient="top", symbolType="square", symbolOpacity=1),
            ),
            tooltip=["trial:Q", "kind:N", alt.Tooltip("start:Q", title="from (s)")],
        )
        .properties(width=420, height=height)
    )
