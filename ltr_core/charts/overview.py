"""One figure of a whole fit: what went in, what came out, what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from jaxtyping import Complex, Float, Real

from ltr_core.charts.factors import factor_bands
from ltr_core.charts.fits import losses
from ltr_core.charts.flows import flow_fields
from ltr_core.charts.neurons import neurons
from ltr_core.charts.population import population_panels
from ltr_core.charts.projections import initial_states, inputs, projections
from ltr_core.charts.spectra import spectra
from ltr_core.dynamics import FixedPoints, VectorField

WIDTH = 470


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What the overview of a fit draws, in this order; a part that is None is left out.

    - `time` (time,), in seconds, of everything that follows.
    - `activity`: maps by name, such as "recorded" and "model", each (time, neuron).
    - `recorded`, `predicted`: single neurons, by condition or epoch, each (time, neuron), and
      their `numbers` in the recording.
    - `drive`: the inputs of each condition, (time, latent axis); `initial` (condition, axis).
    - `trial_factors` (trial, rank) with the ends of their interval, the true trial ids, epochs.
    - `latents` by condition or epoch, (time, latent axis).
    - `eigenvalues` (trial, rank) of the weights.
    - `history` of the fit: columns step, train, validation.
    - `fields` by epoch, with fixed points and trajectories, and the plane they lie on
      (its axes are named by `plane_titles`).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> parts = charts.Overview(time=np.arange(5) / 10, trial_factors=np.ones((4, 2)))
    >>> parts.latents is None  # what is not given is left out
    True
    """

    time: Float[np.ndarray, " _time"]
    activity: Mapping[str, Float[np.ndarray, "_time _neuron"]] | None = None
    recorded: Mapping[str, Float[np.ndarray, "_time _neuron"]] | None = None
    predicted: Mapping[str, Float[np.ndarray, "_time _neuron"]] | None = None
    numbers: Sequence[int] | None = None
    drive: Mapping[str, Float[np.ndarray, "_time _axis"]] | None = None
    initial: Float[np.ndarray, "_condition _axis"] | None = None
    conditions: Sequence[str] | None = None
    trial_factors: Float[np.ndarray, "_trial _rank"] | None = None
    lower: Float[np.ndarray, "_trial _rank"] | None = None
    upper: Float[np.ndarray, "_trial _rank"] | None = None
    truth: Float[np.ndarray, "_trial _rank"] | None = None
    interval_title: str = "interval"
    trial_id: Real[np.ndarray, " _trial"] | None = None
    epoch: Sequence[str] | np.ndarray | None = None
    latents: Mapping[str, Float[np.ndarray, "_time _axis"]] | None = None
    axes: Sequence[int] = (0, 1, 2)
    eigenvalues: Complex[np.ndarray, "_trial _rank"] | None = None
    history: pd.DataFrame | None = None
    fields: Mapping[str, VectorField] | None = None
    fixed_points: Mapping[str, FixedPoints] | None = None
    trajectories: Mapping[str, Float[np.ndarray, "_condition _time _dimension"]] | None = None
    plane: tuple[Float[np.ndarray, " _dimension"], Float[np.ndarray, "2 _dimension"]] | None = None
    plane_titles: tuple[str, str] = ("a₁", "a₂")
    value_title: str = "rate"


def overview(parts: Overview) -> alt.VConcatChart:
    """The parts of a fit under each other, lettered; raises `ValueError` if there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> factors = np.random.default_rng(0).normal(size=(8, 2))
    >>> parts = charts.Overview(
    ...     time=np.arange(20) / 10, trial_factors=factors, eigenvalues=factors + 0.5j
    ... )
    >>> [panel.title.text for panel in charts.overview(parts).vconcat]
    ['A  Trial factors', 'B  Eigenvalues of the weights']
    """
    drawn = [*_activity(parts), *_drive(parts), *_learning(parts), *_flow(parts)]
    if not drawn:
        raise ValueError("the overview has no part to draw; give at least one, such as activity.")
    titled = [
        chart.properties(
            title=alt.Title(f"{chr(ord('A') + i)}  {title}", anchor="start", offset=14)
        )
        for i, (title, chart) in enumerate(drawn)
    ]
    channels = ("color", "fill", "stroke", "strokeDash", "shape", "opacity")
    apart: dict[str, Any] = dict.fromkeys(channels, "independent")
    return alt.vconcat(*titled, spacing=34).resolve_scale(**apart)


def _activity(parts: Overview) -> list[tuple[str, Any]]:
    drawn: list[tuple[str, Any]] = []
    if parts.activity is not None:
        maps = population_panels(parts.activity, parts.time, value_title=parts.value_title)
        drawn.append(("Activity of the population", maps))
    if parts.recorded is not None and parts.predicted is not None:
        single = neurons(
            parts.recorded,
            parts.predicted,
            parts.time,
            numbers=parts.numbers,
            y_title=parts.value_title,
        )
        drawn.append(("Single neurons: data (dots), model (lines)", single))
    return drawn


def _drive(parts: Overview) -> list[tuple[str, Any]]:
    drawn: list[tuple[str, Any]] = []
    if parts.drive is not None:
        drawn.append(("Inputs of each condition", inputs(parts.drive, parts.time)))
    if parts.initial is not None:
        names = parts.conditions or [str(i + 1) for i in range(len(parts.initial))]
        drawn.append(("Initial states", initial_states(parts.initial, names)))
    return drawn


def _learning(parts: Overview) -> list[tuple[str, Any]]:
    drawn: list[tuple[str, Any]] = []
    if parts.trial_factors is not None:
        bands = factor_bands(
            parts.trial_factors,
            parts.lower,
            parts.upper,
            trial_id=parts.trial_id,
            epoch=parts.epoch,
            truth=parts.truth,
            interval_title=parts.interval_title,
            width=WIDTH,
            height=56,
        )
        drawn.append(("Trial factors", bands))
    if parts.latents is not None:
        paths = projections(parts.latents, parts.time, axes=parts.axes)
        drawn.append(("Activity along the column factors", paths))
    if parts.eigenvalues is not None:
        plane = spectra(
            parts.eigenvalues, trial_id=parts.trial_id, epoch=parts.epoch, width=WIDTH, height=220
        )
        drawn.append(("Eigenvalues of the weights", plane))
    return drawn


def _flow(parts: Overview) -> list[tuple[str, Any]]:
    drawn: list[tuple[str, Any]] = []
    if parts.fields is not None:
        flows = flow_fields(
            parts.fields,
            fixed_points=parts.fixed_points,
            trajectories=parts.trajectories,
            plane=parts.plane,
            x_title=parts.plane_titles[0],
            y_title=parts.plane_titles[1],
        )
        drawn.append(("Flow in each epoch", flows))
    if parts.history is not None:
        drawn.append(("Loss of the fit", losses(parts.history, width=WIDTH, height=170)))
    return drawn
