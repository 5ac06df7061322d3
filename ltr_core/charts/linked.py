"""Trials, factors and latent activity, linked: what is chosen in one panel is shown in all."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float, Real

from ltr_core.charts.curves import epoch_marks, series_channels
from ltr_core.charts.factors import subscript
from ltr_core.charts.output import SharedData, records, row_of_lists
from ltr_core.charts.series import checked_length, pointers, thinned
from ltr_core.charts.style import GREY, ORDERED

MOST_TRIALS, MOST_TIMES = 200, 30
WIDTH, PANEL = 490, 205
ALL = "all"


def linked_trials(
    factors: Float[np.ndarray, "trial rank"],
    latents: Float[np.ndarray, "_trial _time _axis"],
    time: Float[np.ndarray, " _time"],
    *,
    trial_id: Real[np.ndarray, " _trial"] | None = None,
    epoch: Sequence[str] | np.ndarray | None = None,
    condition: Sequence[str] | np.ndarray | None = None,
    measure: Float[np.ndarray, " _trial"] | None = None,
    measure_title: str = "error",
    symbol: str = "κ",
) -> alt.VConcatChart:
    """A fit's trials, to be asked: trial factors above, the same trials' latent activity below.

    Drag over the trial factors to choose trials: the panel of the `measure` and the trajectories
    show them and fade the others. Click a component in the legend (shift-click: several) to
    single it out; on the lower left are then the latents along that component, at first those
    along the first one. On the lower right is the plane of the first two. Trajectories are those
    of one `condition` at a time, one line for each trial, coloured from the first to the last
    trial. Without a choice all is shown.

    All of this works by keyboard as well: two sliders are the first and the last trial that is
    shown (as well as the dragged range, where there is one), menus choose condition and component.

    - `factors`: from 1 to 6 components; a line stops where an epoch ends.
    - `latents`: one axis for each component, and at least two; `time` in seconds.
    - `measure`: one value for each trial, such as its error, named by `measure_title`.
    - `trial_id`: the trials' true numbers (from 1 otherwise), ascending.

    Of more than 200 trials and 30 times, evenly spaced ones are drawn. Raises `ValueError` where
    shapes or lengths do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> rng = np.random.default_rng(0)
    >>> factors, latents = rng.normal(size=(12, 3)), rng.normal(size=(12, 20, 3))
    >>> targets = ["left", "right"] * 6
    >>> chart = charts.linked_trials(factors, latents, np.linspace(0, 1, 20), condition=targets)
    >>> len(chart.vconcat[0].vconcat), len(chart.vconcat[1].hconcat)  # panels above, below
    (1, 2)
    """
    n_trials, rank = factors.shape
    n_axes = max(2, rank)
    checked_length(len(latents), n_trials, "latents (first axis)", "the factors' first axis")
    checked_length(len(time), latents.shape[1], "time", "the latents' second axis")
    if latents.shape[2] < n_axes:
        raise ValueError(
            f"the latents have {latents.shape[2]} axes: {n_axes} are drawn, one for each component "
            "and at least two."
        )
    columns: dict[str, Any] = {
        "trial": np.arange(1, n_trials + 1) if trial_id is None else np.asarray(trial_id),
        "epoch": [ALL] * n_trials if epoch is None else [str(name) for name in epoch],
        "condition": [ALL] * n_trials if condition is None else [str(name) for name in condition],
    }
    if measure is not None:
        columns["measure"] = measure
    for name, values in columns.items():
        checked_length(len(values), n_trials, name, "the factors' first axis")
    if not (np.diff(columns["trial"]) > 0).all():
        raise ValueError("trial_id must ascend from trial to trial.")
    shown = thinned(n_trials, MOST_TRIALS)
    told = {name: np.asarray(values)[shown] for name, values in columns.items()}
    linked = _Linked(told, [f"component {r + 1}" for r in range(rank)])
    panels = [linked.factors(factors[shown], labelled=measure is None)]
    if measure is not None:
        panels.append(linked.measure(measure_title))
    below = linked.trajectories(latents[shown, :, :n_axes], time, symbol)
    apart: dict[str, Any] = {"color": "independent", "strokeDash": "independent"}
    return (
        alt.vconcat(alt.vconcat(*panels, spacing=8), below, spacing=18)
        .resolve_scale(**apart)
        .add_params(*linked.controls())
    )


class _Linked:
    """The panels' common choices: a range of trials, a condition, a component."""

    def __init__(self, told: Mapping[str, np.ndarray], names: list[str]) -> None:
        self.told, self.names = told, names
        trials = told["trial"]
        self.ends = trials[0].item(), trials[-1].item()
        self.conditions = sorted(  # 2 before 10
            set(told["condition"].tolist()), key=lambda name: (len(name), name)
        )
        self.brush = alt.selection_interval(name="linked_brush", encodings=["x"])
        self.component = alt.selection_point(
            name="linked_component", fields=["component"], bind="legend"
        )
        between = "min(linked_first, linked_last) <= datum.trial"
        between += " && datum.trial <= max(linked_first, linked_last)"
        self.in_range = {"and": [{"param": "linked_brush"}, between]}
        by_menu = f"linked_menu == '{ALL}' || datum.component == linked_menu"
        self.singled = {"and": [{"param": "linked_component"}, by_menu]}

    def controls(self) -> list[alt.Parameter]:
        """Sliders and menus, which say the same as brush and legend to those without a mouse."""
        gaps = np.diff(self.told["trial"])
        step = gaps[0].item() if len(gaps) and (gaps == gaps[0]).all() else 1
        low, high = self.ends
        bounds: dict[str, Any] = {"min": low, "max": high, "step": step}
        sliders = {"linked_first": ("from trial ", low), "linked_last": ("to trial ", high)}
        params = [
            alt.param(name=name, value=value, bind=alt.binding_range(**bounds, name=label))
            for name, (label, value) in sliders.items()
        ]
        menus = {
            "linked_condition": ("condition ", [*self.conditions, ALL]),
            "linked_menu": ("component ", [ALL, *self.names]),
        }
        for name, (label, options) in menus.items():
            # a single condition or component leaves nothing to choose
            bind: Any = alt.Undefined
            if len(options) > 2:
                bind = alt.binding_select(options=options, name=label)
            params.append(alt.param(name=name, value=options[0], bind=bind))
        return params

    def factors(self, factors: np.ndarray, *, labelled: bool) -> Any:
        """Trial factors over trials, with the brush; the sliders' range is shaded."""
        rank, epoch = factors.shape[1], self.told["epoch"]
        stretch = np.cumsum(np.append(False, epoch[1:] != epoch[:-1]))
        data = records(
            digits=4,
            component=np.repeat(self.names, len(factors)),
            trial=np.tile(self.told["trial"], rank),
            epoch=np.tile(epoch, rank),
            stretch=np.tile(stretch, rank),
            factor=factors.T.ravel(),
        )
        several = bool(stretch[-1])
        x = self._across("trial", labelled=labelled)
        y = alt.Y("factor:Q", title="trial factor", axis=alt.Axis(tickCount=5))
        colour, dash = series_channels("component", self.names, offset=24 if several else 8)
        lines = alt.Chart().mark_line(strokeWidth=1.6).encode(x, y, colour, dash)
        lines = lines.encode(
            alt.Detail("stretch:N"),
            opacity=_faded(self.singled, 1.0, 0.12),
        )
        told = ["component:N", *self._told(), alt.Tooltip("factor:Q", format=".3g")]
        marks = epoch_marks(epoch.tolist(), self.told["trial"]) if several else []
        layers = [
            self._range(labelled=labelled),
            lines.add_params(self.brush, self.component),
            pointers(x, y, tooltip=told),
            *[mark.encode(self._across("x", labelled=labelled)) for mark in marks],
        ]
        return alt.layer(*layers, data=data).properties(width=WIDTH, height=150)

    def measure(self, title: str) -> Any:
        """One dot for each trial, under the trial factors."""
        x = self._across("trial", labelled=True)
        y = alt.Y("measure:Q", title=title, axis=alt.Axis(tickCount=4))
        dots = (
            alt.Chart()
            .mark_point(size=26, filled=True)
            .encode(
                x,
                y,
                opacity=_faded(self.in_range, 0.9, 0.12),
                tooltip=[*self._told(), alt.Tooltip("measure:Q", title=title, format=".3g")],
            )
        )
        return alt.layer(
            self._range(labelled=True), dots, data=records(digits=4, **self.told)
        ).properties(width=WIDTH, height=80)

    def trajectories(self, latents: np.ndarray, time: np.ndarray, symbol: str) -> Any:
        """Latents of one condition's trials: over time, and on the plane of the first two."""
        at = thinned(len(time), MOST_TIMES)
        paths = [f"z{i + 1}" for i in range(latents.shape[2])]
        rows = [
            row_of_lists(
                **{name: values[k] for name, values in self.told.items()},
                time=time[at],
                **dict(zip(paths, latents[k, at].T, strict=True)),
            )
            for k in range(len(latents))
        ]
        places = [f"datum.{path}" for path in paths[: len(self.names)]]
        chosen = (
            f"linked_menu != '{ALL}' ? linked_menu : "
            "linked_component.component ? linked_component.component[0] : ''"
        )
        base = (
            alt.Chart()
            .transform_filter(f"linked_condition == '{ALL}' || datum.condition == linked_condition")
            .transform_flatten(["time", *paths])
            .transform_calculate(chosen=f"max(0, indexof({self.names}, {chosen}))")
            .transform_calculate(along=f"[{', '.join(places)}][datum.chosen]")
        )
        latent = f"{symbol} of the component" if len(self.names) > 1 else f"{symbol}{subscript(1)}"
        names = [f"{symbol}{subscript(i + 1)}" for i in range(2)]
        over_time = self._paths(base, ("time", "time (s)"), ("along", latent))
        plane = self._paths(base, (paths[0], names[0]), (paths[1], names[1]))
        label = (
            alt.Chart(records(component=1))
            .transform_calculate(label=f"{self.names}[max(0, indexof({self.names}, {chosen}))]")
            .mark_text(align="left", baseline="bottom")
            .encode(alt.XValue(0), alt.YValue(-4), text="label:N")
        )
        return alt.hconcat(
            alt.layer(over_time, label), plane, spacing=24, data=SharedData(values=rows)
        )

    def _paths(self, base: alt.Chart, across: tuple[str, str], up: tuple[str, str]) -> Any:
        axis = alt.Axis(tickCount=5)
        x = alt.X(f"{across[0]}:Q", title=across[1], scale=alt.Scale(zero=False), axis=axis)
        y = alt.Y(f"{up[0]}:Q", title=up[1], scale=alt.Scale(zero=False), axis=axis)
        colour = alt.Color(
            "trial:Q",
            title="trial",
            scale=alt.Scale(domain=list(self.ends), range=list(ORDERED), interpolate="lab"),
            legend=alt.Legend(orient="bottom", gradientLength=180, gradientThickness=10),
        )
        lines = base.mark_line(strokeWidth=1.5).encode(x, y, colour, alt.Order("time:Q"))
        return lines.encode(
            alt.Detail("trial:Q"),
            opacity=_faded(self.in_range, 0.85, 0.06),
            tooltip=[*self._told(), *(["condition:N"] if len(self.conditions) > 1 else [])],
        ).properties(width=PANEL, height=PANEL)

    def _across(self, field: str, *, labelled: bool) -> alt.X:
        """The trial axis, which stands once, under the last panel that has it."""
        scale = alt.Scale(domain=list(self.ends), nice=False, padding=4)
        axis = alt.Axis(format="d", tickMinStep=1) if labelled else None
        return alt.X(f"{field}:Q", title="trial", scale=scale, axis=axis)

    def _told(self) -> list[str]:
        return ["trial:Q", *(["epoch:N"] if len(set(self.told["epoch"].tolist())) > 1 else [])]

    def _range(self, *, labelled: bool) -> alt.Chart:
        low, high = self.ends
        return (
            alt.Chart(records(first=[low]))
            .transform_filter(f"linked_first != {low} || linked_last != {high}")
            .transform_calculate(
                first="min(linked_first, linked_last)", last="max(linked_first, linked_last)"
            )
            .mark_rect(color=GREY, opacity=0.15, aria=False)
            .encode(self._across("first", labelled=labelled), alt.X2("last"))
        )


def _faded(test: Mapping[str, Any], shown: float, others: float) -> alt.OpacityValue:
    return alt.OpacityValue(others, condition={"test": test, "value": shown})
