"""Checks that all comparison models make before they are fitted, and when they are asked."""

import numpy as np
from jaxtyping import Bool

from ltr_core.estimators import Estimator, NotFitted
from ltr_core.held_out import check_train
from ltr_core.recordings import Recording

Mask = Bool[np.ndarray, "trial time neuron"]


def training_entries(model: Estimator, recording: Recording, train: Mask | None) -> Mask:
    """The observed entries, or those of them in `train`.

    Raises ValueError for counts that the model cannot take, for a mask that does not fit or
    leaves nothing of a trial or neuron, and for neurons that were never observed.
    """
    if recording.counts and not model.accepts_counts:
        raise ValueError(
            f"{type(model).__name__} takes rates, the recording holds counts: smooth them to rates "
            "first, or compare with ConditionMean or EpochMean."
        )
    used = check_train(recording, train)
    unseen = np.flatnonzero(~used.any((0, 1))).tolist()
    if unseen:
        raise ValueError(
            f"Neurons {unseen[:10]} were never observed ({len(unseen)} in all): nothing can be "
            "said of them. Leave them out with recording.select(neurons=...)."
        )
    return used


def check_fitted(model: Estimator, attribute: str) -> None:
    """Raises NotFitted unless the model has what `fit` gives it."""
    if not hasattr(model, attribute):
        raise NotFitted(f"{type(model).__name__} is not fitted: call fit(recording) first.")
