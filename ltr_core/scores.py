"""How good a prediction of activity is, over the entries that a mask chooses.

Rates: `nmse` (mean squared error over variance) and `r2`. Counts: `pseudo_r2` (deviance
explained) and `bits_per_spike` (Pillow et al. 2008), both against each neuron's mean count.
"""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import xlogy

Metric = Literal["nmse", "r2", "pseudo_r2", "bits_per_spike"]
Activity = Float[np.ndarray, "trial time neuron"]
Mask = Bool[np.ndarray, "trial time neuron"]


def score(
    activity: Activity,
    predicted: Activity,
    mask: Mask,
    metric: Metric,
    reference: Mask | None = None,
) -> float:
    """A metric over the entries in `mask`; entries of `activity` outside it may be NaN.

    - `activity`: what was recorded; `predicted`: rates, or expected counts in each bin.
    - `reference`: for counts, the entries from which each neuron's mean count is taken (those
      that the model was fitted to); those in `mask` if not given.

    Raises ValueError for an empty mask, NaN in what it chooses, expected counts that are not
    positive, or an unknown metric.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.scores import score
    >>> activity = np.array([[[1.0], [2.0], [3.0], [100.0]]])
    >>> mask = activity < 50  # the entries that count
    >>> score(activity, activity, mask, "r2"), score(activity, np.full((1, 4, 1), 2.0), mask, "r2")
    (1.0, 0.0)
    """
    seen, expected = _chosen(activity, predicted, mask)
    if metric in ("nmse", "r2"):
        variance = seen.var()
        if variance == 0:
            raise ValueError("All entries in mask are equal: nmse divides by their variance.")
        nmse = float(np.square(seen - expected).mean() / variance)
        return nmse if metric == "nmse" else 1 - nmse
    if metric not in ("pseudo_r2", "bits_per_spike"):
        raise ValueError(f"metric is '{metric}': it must be nmse, r2, pseudo_r2 or bits_per_spike.")
    if expected.min() <= 0:
        raise ValueError(f"An expected count is {expected.min()}: {metric} needs positive ones.")
    means = _mean_counts(activity, mask if reference is None else reference)
    null = np.broadcast_to(means, activity.shape)[mask]
    gained = _log_likelihood(seen, expected) - _log_likelihood(seen, null)
    if metric == "bits_per_spike":
        if seen.sum() == 0:
            raise ValueError("There is no spike in mask: bits per spike are undefined.")
        return float(gained / seen.sum() / np.log(2))
    saturated = _log_likelihood(seen, seen) - _log_likelihood(seen, null)
    return float(gained / saturated)


def _chosen(activity: Activity, predicted: Activity, mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    if not activity.shape == predicted.shape == mask.shape:
        raise ValueError(
            f"activity {activity.shape}, predicted {predicted.shape} and mask {mask.shape} differ "
            "in shape: all are (trial, time, neuron)."
        )
    if not mask.any():
        raise ValueError("mask chooses no entry: there is nothing to score.")
    chosen = activity[mask].astype(np.float64), predicted[mask].astype(np.float64)
    for name, values in zip(("activity", "predicted"), chosen, strict=True):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds NaN or infinity inside mask: leave those entries out.")
    return chosen


def _mean_counts(activity: Activity, mask: Mask) -> Float[np.ndarray, " neuron"]:
    """Mean count of each neuron; for a neuron without spikes, that of half a spike in all."""
    spikes = np.where(mask, np.nan_to_num(activity), 0).sum((0, 1), dtype=np.float64)
    return np.maximum(spikes, 0.5) / np.maximum(mask.sum((0, 1)), 1)


def _log_likelihood(counts: np.ndarray, expected: np.ndarray) -> float:
    """Poisson log-likelihood without the term that depends on the counts alone."""
    return float((xlogy(counts, expected) - expected).sum())
