"""Pictures of eigenvalues: where they lie in the complex plane, and how they move over trials."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Complex, Real

from ltr_core.charts.output import records
from ltr_core.charts.series import checked_length, line_styles, padded, thinned
from ltr_core.charts.style import SHAPES

MOST_TRIALS = 200
"""Trials drawn at most; of more, evenly spaced ones."""


def spectra(
    eigenvalues: Complex[np.ndarray, "trial rank"],
    *,
    trial_id: Real[np.ndarray, " _trial"] | None = None,
    epoch: Sequence[str] | np.ndarray | None = None,
    width: int = 480,
    height: int | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Eigenvalues of the weights of all trials in the complex plane; a slider picks one trial.

    Small points are all trials, coloured (and shaped) by epoch; large open ones the trial of the
    slider, which counts trials from 1 and starts in the middle. At the line Re = 1 the state
    x = 0 of tau dx/dt = -x + W tanh(x) loses stability. At most 200 trials, evenly spaced,
    are drawn. Raises `ValueError` where lengths do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> eigenvalues = np.array([[0.5 + 0.2j, 0.5 - 0.2j]] * 9)  # (trial, rank)
    >>> chart = charts.spectra(eigenvalues)
    >>> chart.to_dict()["params"][0]["value"]  # the slider starts in the middle
    5
    """
    n_trials, rank = eigenvalues.shape
    ids = np.arange(1, n_trials + 1) if trial_id is None else np.asarray(trial_id)
    of_trial = ["all trials"] * n_trials if epoch is None else [str(name) for name in epoch]
    checked_length(len(ids), n_trials, "trial_id", "the eigenvalues' first axis")
    checked_length(len(of_trial), n_trials, "epoch", "the eigenvalues' first axis")
    shown = thinned(n_trials, MOST_TRIALS)
    values = eigenvalues[shown]
    data = records(
        digits=4,
        number=np.repeat(shown + 1, rank),
        trial=np.repeat(ids[shown], rank),
        epoch=np.repeat([of_trial[k] for k in shown], rank),
        real=values.real.ravel(),
        imaginary=values.imag.ravel(),
    )
    step = int(shown[1] - shown[0]) if len(shown) > 1 else 1
    trial = alt.param(
        name="spectrum_trial",
        value=int(shown[len(shown) // 2] + 1),
        bind=alt.binding_range(min=1, max=int(shown[-1] + 1), step=step, name="trial "),
    )
    names = list(dict.fromkeys(of_trial))
    hues, _ = line_styles(names)
    legend = (
        alt.Legend(orient="top", offset=24, symbolSize=70, symbolOpacity=1)
        if len(names) > 1
        else None
    )
    colour = alt.Color(
        "epoch:N", scale=alt.Scale(domain=names, range=hues), title=None, legend=legend
    )
    shape = alt.Shape(
        "epoch:N",
        scale=alt.Scale(domain=names, range=[SHAPES[i % len(SHAPES)] for i in range(len(names))]),
        title=None,
        legend=legend,
    )
    reals = padded(min(0.0, float(values.real.min())), max(1.2, float(values.real.max())))
    imaginaries = padded(*_at_least(values.imag, 0.3))
    height = height or int(np.clip(width * np.ptp(imaginaries) / np.ptp(reals), 90, 280))
    x = alt.X("real:Q", title="real part", scale=alt.Scale(domain=reals, nice=False))
    y = alt.Y(
        "imaginary:Q", title="imaginary part", scale=alt.Scale(domain=imaginaries, nice=False)
    )
    tooltip: list[Any] = ["trial:Q", *(["epoch:N"] if epoch is not None else [])]
    tooltip += [
        alt.Tooltip("real:Q", title="real part"),
        alt.Tooltip("imaginary:Q", title="imaginary part"),
    ]
    chart = alt.Chart()
    cloud = chart.mark_point(size=14, filled=True, opacity=0.6, aria=False).encode(
        x, y, colour, shape, tooltip=tooltip
    )
    chosen = chart.transform_filter("datum.number == spectrum_trial")
    rings = chosen.mark_point(size=150, filled=False, strokeWidth=2.2).encode(
        x, y, colour, shape, tooltip=tooltip
    )
    border = alt.Chart(records(real=1, label="Re = 1"))
    rule = border.mark_rule(strokeDash=[4, 4], strokeWidth=1.5).encode(x)
    label = border.mark_text(align="center", baseline="bottom").encode(
        x, alt.YValue(-4), text="label:N"
    )
    right = sum(reals) / 2 > 1  # away from the line's label
    now = (
        alt.Chart(records(x=1))
        .transform_calculate(label="'large symbols: trial ' + spectrum_trial")
        .mark_text(align="right" if right else "left", baseline="bottom")
        .encode(alt.XValue("width" if right else 0), alt.YValue(-4), text="label:N")
    )
    return (
        alt.layer(rule, label, now, cloud, rings, data=data)
        .properties(width=width, height=height)
        .add_params(trial)
    )


def _at_least(values: np.ndarray, reach: float) -> tuple[float, float]:
    return min(-reach, float(values.min())), max(reach, float(values.max()))
