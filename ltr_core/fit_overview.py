"""The parts of a fit that its overview draws, chosen so that they suit any recording."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ltr_core.charts import Overview
from ltr_core.dynamics import spectrum
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.ltrrnn.uncertainty import trial_factor_intervals
from ltr_core.recordings import Recording

MOST_SERIES = 8  # conditions or epochs that one panel can tell apart
MOST_NEURONS = 4

Trials = Int[np.ndarray, " trial"]
Mean = Float[np.ndarray, "time neuron"]


def overview_parts(model: LtrRNN, recording: Recording) -> Overview:
    """What `charts.overview` draws of a model that was fitted to this recording.

    Activity is averaged over the trials of one condition within each epoch: of that with the most
    trials in the epoch where it has the fewest. The map is of the last epoch; single neurons are
    those that differ most between the first and the last (or in time, if there is one). Where
    something was not observed, the model's mean leaves it out as well. At most 8 conditions and
    epochs are drawn.

    Raises NotFitted, and ValueError for another recording (by its shape).

    Examples
    --------
    >>> from ltr_core import LtrRNN, charts, simulate_ltrrnn
    >>> from ltr_core.fit_overview import overview_parts
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = LtrRNN(rank=2, n_steps=5, substeps=1).fit(recording)  # far too few steps
    >>> parts = overview_parts(model, recording)
    >>> parts.trial_factors.shape, len(parts.numbers)  # charts.overview(parts) draws them
    ((12, 2), 4)
    """
    interval = trial_factor_intervals(model, recording)
    condition, groups = _followed(recording)
    predicted = np.where(recording.observed, model.predict(), np.nan)
    recorded = {name: _mean(recording.activity[k]) for name, k in groups.items()}
    modelled = {name: _mean(predicted[k]) for name, k in groups.items()}
    names = list(groups)
    shown = _most_changed(recorded[names[0]], recorded[names[-1]])
    conditions = [str(label) for label in recording.conditions[:MOST_SERIES]]
    return Overview(
        time=recording.time,
        activity={
            f"recorded, condition {condition}": recorded[names[-1]],
            "the model's": modelled[names[-1]],
        },
        recorded={name: mean[:, shown] for name, mean in recorded.items()},
        predicted={name: mean[:, shown] for name, mean in modelled.items()},
        numbers=shown.tolist(),
        trial_factors=model.trial_factors_,
        lower=interval.lower,
        upper=interval.upper,
        interval_title="95 % interval, all else held",
        trial_id=recording.trial_id,
        epoch=recording.epoch,
        eigenvalues=spectrum(model.column_factors_, model.row_factors_, model.trial_factors_),
        history=model.history_,
        value_title="spikes in a bin" if recording.counts else "rate",
        **_latent_parts(model, conditions, groups),
    )


def _latent_parts(
    model: LtrRNN, conditions: list[str], groups: dict[str, Trials]
) -> dict[str, Any]:
    """Inputs, initial states and latents, as far as the model has them."""
    parts: dict[str, Any] = {}
    by_condition = model.inputs_vary_with == "condition"
    if model.inputs != "none" and by_condition:
        own = slice(model.rank, None) if model.input_columns else slice(0, model.rank)
        drives = model.inputs_[:, :, own]
        parts["drive"] = {name: drives[c] for c, name in enumerate(conditions)}
    if model.rank < 2:
        return parts
    if model.initial_state == "condition" and by_condition:
        parts["initial"] = model.initial_[: len(conditions), : model.rank]
        parts["conditions"] = conditions
    latents = model.transform()[:, :, : model.rank]
    parts["latents"] = {name: latents[k].mean(0) for name, k in groups.items()}
    parts["axes"] = range(min(3, model.rank))
    return parts


def _followed(recording: Recording) -> tuple[str, dict[str, Trials]]:
    """The condition that is followed, and its trials in each epoch that has any."""
    trials = np.zeros((len(recording.conditions), len(recording.epochs)), np.int64)
    seen = recording.observed.any((1, 2))
    np.add.at(trials, (recording.condition_index[seen], recording.epoch_index[seen]), 1)
    condition = int(np.lexsort((trials.sum(1), trials.min(1)))[-1])
    groups = {
        name: np.flatnonzero(
            seen & (recording.condition_index == condition) & (recording.epoch_index == e)
        )
        for e, name in enumerate(recording.epochs)
        if trials[condition, e]
    }
    return str(recording.conditions[condition]), dict(list(groups.items())[:MOST_SERIES])


def _mean(activity: Float[np.ndarray, "trial time neuron"]) -> Mean:
    """Means over trials of what was observed; NaN where nothing was."""
    number = (~np.isnan(activity)).sum(0)
    total = np.nansum(activity, axis=0, dtype=np.float64)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _most_changed(first: Mean, last: Mean) -> Int[np.ndarray, " chosen"]:
    """The neurons whose means differ most, or vary most in time if it is one and the same mean."""
    change = last - first if first is not last else first - np.nan_to_num(first).mean(0)
    return np.argsort(-np.nan_to_num(np.square(change)).sum(0), kind="stable")[:MOST_NEURONS]
