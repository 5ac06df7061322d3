"""Maps of a population's activity: a row for each neuron, sorted by the time of its peak."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float, Int

from ltr_core.charts.output import SharedData
from ltr_core.charts.series import checked_length, thinned
from ltr_core.charts.style import DIVERGING, SEQUENTIAL

MOST_NEURONS, MOST_BINS = 100, 50
"""Rows and columns of a drawn map: more could not be told apart and would make pages heavy."""

PANEL, MAP_HEIGHT = 205, 200


def peak_order(activity: Float[np.ndarray, "time neuron"]) -> Int[np.ndarray, " neuron"]:
    """Indices of the neurons by the time of their greatest activity; silent (NaN) ones last.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> charts.peak_order(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()  # (time, neuron)
    [1, 0]
    """
    seen = np.where(np.isnan(activity), -np.inf, activity)
    peaks = np.where(np.isneginf(seen).all(axis=0), len(seen), seen.argmax(axis=0))
    return np.argsort(peaks, kind="stable").astype(np.int64)


def population(
    activity: Float[np.ndarray, "time neuron"],
    time: Float[np.ndarray, " _time"],
    *,
    order: Int[np.ndarray, " _neuron"] | None = None,
    title: str = "",
    value_title: str = "rate",
) -> alt.Chart:
    """One map of a population's activity; the neurons sorted by their peak, or by `order`.

    As `population_panels`, for one panel of the full width.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> activity = np.random.default_rng(0).random((30, 8))  # (time, neuron)
    >>> chart = charts.population(activity, np.arange(30) / 10)
    >>> len(chart.to_dict()["data"]["values"])  # a row of data for each neuron
    8
    """
    maps = _Maps({title: activity}, time, order, value_title)
    chart = maps.panel(title, width=2 * PANEL)
    return chart.properties(title=alt.Title(title, frame="group")) if title else chart


def population_panels(
    activity: Mapping[str, Float[np.ndarray, "_time _neuron"]],
    time: Float[np.ndarray, " _time"],
    *,
    order: Int[np.ndarray, " _neuron"] | None = None,
    value_title: str = "rate",
) -> alt.ConcatChart:
    """Maps of the same neurons side by side: one order, one colour scale.

    `time` in seconds. The order is that of the first panel's peaks, unless `order` is given
    (`peak_order`). Signed values get a scale centred at zero, others one from zero; it ends at
    the 99.5th percentile of the magnitudes, where the colours saturate. At most 100 neurons,
    evenly spaced in that order, and 50 bins of time, in which values are averaged, are drawn;
    a cell tells its neuron's index. Raises `ValueError` where shapes or times do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> activity = np.random.default_rng(0).random((30, 8))  # (time, neuron)
    >>> maps = {"recorded": activity, "model": activity}
    >>> len(charts.population_panels(maps, np.arange(30) / 10).to_dict()["concat"])
    2
    """
    maps = _Maps(activity, time, order, value_title)
    columns = 3 if len(activity) == 3 else 2
    panels = [
        maps.panel(name, 145 if columns == 3 else PANEL, labelled=i % columns == 0).properties(
            title=alt.Title(name, frame="group")
        )
        for i, name in enumerate(activity)
    ]
    return alt.concat(*panels, columns=columns, spacing=20)


class _Maps:
    """What the panels have in common: times, order of neurons, colour scale."""

    def __init__(
        self,
        activity: Mapping[str, np.ndarray],
        time: np.ndarray,
        order: np.ndarray | None,
        value_title: str,
    ) -> None:
        if not activity:
            raise ValueError("there is no activity to draw.")
        first = next(iter(activity.values()))
        for name, values in activity.items():
            if values.shape != first.shape:
                raise ValueError(
                    f"panel '{name}' has shape {values.shape}, the first one {first.shape}."
                )
        checked_length(len(time), len(first), "time", "the activity's first axis")
        n_neurons = first.shape[1]
        order = peak_order(first) if order is None else order
        if not np.array_equal(np.sort(order), np.arange(n_neurons)):
            raise ValueError(f"order must hold each of 0 to {n_neurons - 1} once.")
        self.shown = order[thinned(n_neurons, MOST_NEURONS)]
        self.starts = thinned(len(time), MOST_BINS)
        step = float(time[1] - time[0]) if len(time) > 1 else 1.0
        edges = [*time[self.starts], time[-1] + step]
        self.edges = np.array(edges, dtype=np.float64) - step / 2
        self.activity = {name: self._binned(values) for name, values in activity.items()}
        self.n_neurons, self.value_title = n_neurons, value_title
        self.colour = self._scale()

    def _binned(self, values: np.ndarray) -> np.ndarray:
        """(neuron, bin): the shown neurons in order, means over the observed times of each bin."""
        kept = values[:, self.shown].astype(np.float64)
        seen = ~np.isnan(kept)
        total = np.add.reduceat(np.where(seen, kept, 0), self.starts, axis=0)
        count = np.add.reduceat(seen.astype(np.float64), self.starts, axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).T

    def _scale(self) -> alt.Scale:
        values = np.concatenate([panel.ravel() for panel in self.activity.values()])
        values = values[np.isfinite(values)]
        if not values.size:
            raise ValueError("the activity has no finite value to draw.")
        limit = float(np.percentile(np.abs(values), 99.5)) or 1.0
        self.limit = limit = float(f"{limit:.2g}")
        if values.min() < 0:
            domain, hues = [-limit, limit], list(DIVERGING)
        else:
            domain, hues = [0.0, limit], list(SEQUENTIAL)
        return alt.Scale(domain=domain, range=hues, interpolate="rgb", clamp=True)

    def _rows(self, name: str) -> list[dict[str, Any]]:
        values = self.activity[name]
        decimals = 2 - int(np.floor(np.log10(self.limit)))
        bins = list(range(values.shape[1]))
        return [
            {
                "row": row,
                "neuron": int(neuron),
                "bin": bins,
                "value": [None if np.isnan(v) else v for v in np.round(line, decimals).tolist()],
            }
            for row, (neuron, line) in enumerate(zip(self.shown, values, strict=True))
        ]

    def panel(self, name: str, width: int, labelled: bool = True) -> alt.Chart:
        n_rows = len(self.activity[name])
        height = self.n_neurons / n_rows
        right = self.edges[1:] + np.append(np.diff(self.edges)[1:] / 2, 0)
        return (
            # one row of data for each neuron, a fifth of the size of one for each cell
            alt.Chart(SharedData(values=self._rows(name)))
            .transform_flatten(["value", "bin"])
            .transform_filter("isValid(datum.value)")
            # each cell reaches under the next ones, so that no seam is left between them
            .transform_calculate(
                start=f"{np.round(self.edges[:-1], 5).tolist()}[datum.bin]",
                end=f"{np.round(right, 5).tolist()}[datum.bin]",
                top=f"datum.row * {height}",
                bottom=f"min((datum.row + 1.5) * {height}, {self.n_neurons})",
            )
            # thousands of cells: a label on each for screen readers would double the page
            .mark_rect(aria=False)
            .encode(
                alt.X(
                    "start:Q",
                    title="time (s)",
                    scale=alt.Scale(
                        domain=[float(self.edges[0]), float(self.edges[-1])], nice=False
                    ),
                    axis=alt.Axis(tickCount=5),
                ),
                alt.X2("end"),
                alt.Y(
                    "top:Q",
                    title="neurons, sorted",
                    scale=alt.Scale(domain=[0, self.n_neurons], nice=False, reverse=True),
                    axis=(
                        alt.Axis(grid=False, tickCount=4, format="d", labelFlush=True)
                        if labelled
                        else None
                    ),
                ),
                alt.Y2("bottom"),
                alt.Color(
                    "value:Q",
                    title=self.value_title,
                    scale=self.colour,
                    legend=alt.Legend(
                        orient="bottom", gradientLength=180, gradientThickness=10, titleLimit=0
                    ),
                ),
                tooltip=[
                    alt.Tooltip("neuron:Q", title="neuron"),
                    alt.Tooltip("start:Q", title="from (s)"),
                    alt.Tooltip("value:Q", title=self.value_title),
                ],
            )
            .properties(width=width, height=MAP_HEIGHT)
        )
