"""Pictures of weight tensors: their slices, their factors, their spectra."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
from jaxtyping import Float

from ltr_core.charts.curves import epoch_marks, series_channels
from ltr_core.charts.output import records
from ltr_core.charts.series import pointers
from ltr_core.charts.style import DIVERGING, WIDTH

PANEL = 200


def matrices(
    slices: Mapping[str, Float[np.ndarray, "post pre"]], *, value_title: str
) -> alt.FacetChart:
    """Matrices side by side as heat maps with one colour scale, centred at zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> slices = {"before": np.eye(3), "after": -2 * np.eye(3)}
    >>> chart = charts.matrices(slices, value_title="weight")
    >>> chart.to_dict()["spec"]["encoding"]["color"]["scale"]["domain"]
    [-2.0, 2.0]
    """
    names = list(slices)
    n_post, n_pre = next(iter(slices.values())).shape
    post, pre = np.indices((n_post, n_pre)).reshape(2, -1)
    data = records(
        digits=3,
        slice=np.repeat(names, n_post * n_pre),
        post=np.tile(post + 1, len(names)),
        pre=np.tile(pre + 1, len(names)),
        value=np.concatenate([matrix.ravel() for matrix in slices.values()]),
    )
    limit = max(float(np.abs(matrix).max()) for matrix in slices.values())
    return (
        alt.Chart(data)
        .mark_rect()
        .encode(
            *_unit_axes(n_post),
            _diverging("value:Q", value_title, limit),
            tooltip=["post:O", "pre:O", alt.Tooltip("value:Q", title=value_title)],
        )
        .properties(width=PANEL, height=PANEL)
        .facet(alt.Facet("slice:N", title=None, sort=names), columns=2)
    )


def trial_factors(
    factors: Float[np.ndarray, "step component"],
    *,
    epochs: Sequence[str] | None = None,
    y_title: str = "trial factor",
) -> alt.LayerChart | alt.FacetChart:
    """Each component's factor over trials; a click on the legend singles one out.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> chart = charts.trial_factors(np.ones((6, 2)), epochs=["baseline"] * 3 + ["field"] * 3)
    >>> chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]["domain"]
    ['component 1', 'component 2']
    """
    n_steps, n_components = factors.shape
    names = [f"component {r + 1}" for r in range(n_components)]
    steps = np.arange(1, n_steps + 1)
    data = records(
        digits=4,
        trial=np.tile(steps, n_components),
        component=np.repeat(names, n_steps),
        value=factors.T.ravel(),
    )
    chosen = alt.selection_point(fields=["component"], bind="legend")
    lines = (
        alt.Chart(data)
        .mark_line()
        .encode(
            alt.X("trial:Q", title="trial"),
            alt.Y("value:Q", title=y_title),
            *series_channels("component", names, offset=8 if epochs is None else 24),
            opacity=alt.condition(chosen, alt.value(1.0), alt.value(0.15)),
        )
        .add_params(chosen)
    )
    points = pointers(
        alt.X("trial:Q", title="trial"),
        alt.Y("value:Q", title=y_title),
        tooltip=["component:N", "trial:Q", alt.Tooltip("value:Q", title=y_title, format=".3g")],
    )
    marks = [] if epochs is None else epoch_marks(epochs, steps)
    return alt.layer(lines, points.properties(data=data), *marks).properties(
        width=WIDTH, height=260
    )


def tensor_explorer(
    step: Float[np.ndarray, "step component"],
    post: Float[np.ndarray, "post component"],
    pre: Float[np.ndarray, "pre component"],
) -> alt.HConcatChart:
    """A tensor of few components to play with: two sliders, the trial and the rank.

    On the left the weights of that trial, summed over the first components; on the right the
    trial factors of those components. It works without a kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> step, post, pre = np.ones((9, 2)), np.ones((4, 2)), np.ones((4, 2))
    >>> chart = charts.tensor_explorer(step, post, pre)
    >>> {param["name"]: param["bind"]["max"] for param in chart.to_dict()["params"]}
    {'trial': 9, 'kept': 2}
    """
    n_steps, rank = step.shape
    trial = alt.param(
        name="trial",
        value=n_steps // 2,
        bind=alt.binding_range(min=1, max=n_steps, step=1, name="trial "),
    )
    kept = alt.param(
        name="kept", value=rank, bind=alt.binding_range(min=1, max=rank, step=1, name="rank ")
    )
    limit = float(np.abs(np.einsum("kr,ir,jr->kij", step, post, pre)).max())
    weights = _slice_of(step, post, pre, limit)
    return (
        alt.hconcat(weights, _factors_kept(step), spacing=40)
        .resolve_scale(color="independent", strokeDash="independent")
        .add_params(trial, kept)
    )


def _slice_of(step: np.ndarray, post: np.ndarray, pre: np.ndarray, limit: float) -> alt.Chart:
    n_post, n_pre, rank = len(post), len(pre), step.shape[1]
    i, j = np.indices((n_post, n_pre)).reshape(2, -1)
    outer = {f"outer{r}": post[i, r] * pre[j, r] for r in range(rank)}
    # the trial factors stand in the expression itself, so that a slider can look them up
    terms = [
        f"(kept > {r} ? {np.round(step[:, r], 4).tolist()}[trial - 1] * datum.outer{r} : 0)"
        for r in range(rank)
    ]
    return (
        alt.Chart(records(digits=4, post=i + 1, pre=j + 1, **outer))
        .transform_calculate(weight=" + ".join(terms))
        .mark_rect()
        .encode(
            *_unit_axes(n_post),
            _diverging("weight:Q", "weight", limit),
            tooltip=["post:O", "pre:O", alt.Tooltip("weight:Q", format=".3f")],
        )
        .properties(width=PANEL, height=PANEL, title="weights of the trial")
    )


def _factors_kept(step: np.ndarray) -> alt.LayerChart | alt.FacetChart:
    n_steps, rank = step.shape
    names = [str(r + 1) for r in range(rank)]
    data = records(
        digits=4,
        trial=np.tile(np.arange(1, n_steps + 1), rank),
        index=np.repeat(np.arange(rank), n_steps),
        component=np.repeat(names, n_steps),
        value=step.T.ravel(),
    )
    axes = (
        alt.X("trial:Q", title="trial", scale=alt.Scale(domain=[1, n_steps], nice=False)),
        alt.Y(
            "value:Q",
            title="trial factor",
            scale=alt.Scale(domain=[float(step.min()), float(step.max())]),
        ),
    )
    kept = alt.Chart().transform_filter("datum.index < kept")
    lines = kept.mark_line().encode(*axes, *series_channels("component", names))
    told = ["component:N", "trial:Q", alt.Tooltip("value:Q", title="trial factor", format=".3g")]
    points = pointers(*axes, tooltip=told).transform_filter("datum.index < kept")
    now = (
        alt.Chart(records(at=[0]))
        .transform_calculate(now="trial")
        .mark_rule(strokeWidth=1.5)
        .encode(alt.X("now:Q"))
    )
    return alt.layer(lines, now, points, data=data).properties(
        width=PANEL, height=PANEL, title="trial factors"
    )


def _unit_axes(n_post: int) -> tuple[alt.X, alt.Y]:
    every = max(1, n_post // 5)
    shown = alt.Axis(
        labelExpr=f"(datum.value - 1) % {every} == 0 ? datum.label : ''", ticks=False, labelAngle=0
    )
    return (
        alt.X("pre:O", title="sending unit", axis=shown),
        alt.Y("post:O", title="receiving unit", axis=shown),
    )


def _diverging(field: str, title: str, limit: float) -> alt.Color:
    return alt.Color(
        field,
        title=title,
        scale=alt.Scale(domain=[-limit, limit], domainMid=0, range=list(DIVERGING)),
        legend=alt.Legend(
            orient="bottom", gradientLength=PANEL, gradientThickness=10, titleLimit=0
        ),
    )
