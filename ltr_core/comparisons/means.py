"""The plain means that any model must beat: of each condition, and of each condition and epoch.

A cell without training entries gets the mean of the next coarser kind: of the condition over all
epochs, then of the time over all conditions, then of the neuron.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from ltr_core.comparisons.entries import Mask, check_fitted, training_entries
from ltr_core.estimators import Estimator
from ltr_core.recordings import Recording

Cells = Float[np.ndarray, "epoch condition time neuron"]


@dataclass
class EpochMean(Estimator):
    """Condition-by-time-by-epoch mean: all that differs between epochs, without a model.

    For counts, a cell without spikes gets half a spike over its entries, though no more than the
    next coarser mean, so that no spike is impossible elsewhere.

    Fitted: `means_` (epoch, condition, time, neuron), in the order of the recording's `epochs`
    and `conditions`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, comparisons
    >>> activity = np.array([1.0, 2.0, 5.0, 6.0])[:, None, None] * np.ones((4, 2, 1))
    >>> recording = Recording(activity, time=np.array([0.0, 0.1]), epoch=["a", "a", "b", "b"])
    >>> model = comparisons.EpochMean().fit(recording)
    >>> model.predict()[:, 0, 0].tolist(), model.means_.shape
    ([1.5, 1.5, 5.5, 5.5], (2, 1, 2, 1))
    """

    accepts_counts: ClassVar[bool] = True

    def fit(self, recording: Recording, train: Mask | None = None) -> "EpochMean":
        """Average the observed entries, or those of them that are in `train`.

        Raises ValueError for a mask that does not fit or leaves nothing of a trial or neuron, and
        for neurons that were never observed.
        """
        used = training_entries(self, recording, train)
        epoch = self._epoch_of(recording)
        totals, entries = _totals(recording, used, epoch)
        means = _nested_means(totals, entries, recording.counts)
        self.means_ = means.astype(recording.activity.dtype)
        self._cell = (epoch, recording.condition_index)
        return self

    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """The mean of each trial's cell; raises NotFitted."""
        check_fitted(self, "means_")
        return self.means_[self._cell]

    def _epoch_of(self, recording: Recording) -> Int[np.ndarray, " trial"]:
        return recording.epoch_index


@dataclass
class ConditionMean(EpochMean):
    """Condition-by-time mean: all that a model without learning could say.

    For counts, a cell without spikes gets half a spike over its entries, though no more than the
    next coarser mean, so that no spike is impossible elsewhere.

    Fitted: `means_` (1, condition, time, neuron), in the order of the recording's `conditions`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, comparisons
    >>> activity = np.array([1.0, 2.0, 5.0, 6.0])[:, None, None] * np.ones((4, 2, 1))
    >>> recording = Recording(activity, time=np.array([0.0, 0.1]), condition=["a", "b", "a", "b"])
    >>> comparisons.ConditionMean().fit(recording).predict()[:, 0, 0].tolist()
    [3.0, 4.0, 3.0, 4.0]
    """

    def _epoch_of(self, recording: Recording) -> Int[np.ndarray, " trial"]:
        return np.zeros_like(recording.epoch_index)


def _totals(
    recording: Recording, used: Mask, epoch: Int[np.ndarray, " trial"]
) -> tuple[Cells, Int[np.ndarray, "epoch condition time neuron"]]:
    """Sum and number of the entries in each cell; trial by trial, so that nothing is copied."""
    n_cells = (int(epoch.max()) + 1, len(recording.conditions))
    totals = np.zeros((*n_cells, recording.n_time, recording.n_neurons))
    entries = np.zeros(totals.shape, np.int32)
    for trial, cell in enumerate(zip(epoch, recording.condition_index, strict=True)):
        np.add(totals[cell], recording.activity[trial], out=totals[cell], where=used[trial])
        entries[cell] += used[trial]
    return totals, entries


def _nested_means(
    totals: Cells, entries: Int[np.ndarray, "epoch condition time neuron"], counts: bool
) -> Cells:
    """Means over ever fewer entries, each falling back on the one before."""
    mean = np.zeros((1, 1, 1, totals.shape[-1]))
    for pooled in ((0, 1, 2), (0, 1), (0,), ()):
        total = totals.sum(pooled, keepdims=True)
        number = entries.sum(pooled, keepdims=True)
        own = total / np.maximum(number, 1)
        if counts:
            half_a_spike = 0.5 / np.maximum(number, 1)
            is_coarsest = len(pooled) == 3
            own = np.maximum(own, half_a_spike if is_coarsest else np.minimum(half_a_spike, mean))
        mean = np.where(number > 0, own, mean)
    return mean
