"""What all models of a recording share: settings, fit, predict, score.

A model is a dataclass whose fields are its settings; what is fitted ends in an underscore, as in
scikit-learn. `fit` leaves the settings alone, so that a model can be copied and fitted again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from ltr_core import scores
from ltr_core.recordings import Recording

Mask = Bool[np.ndarray, "trial time neuron"]
Fitted = TypeVar("Fitted", bound="Estimator")


class NotFitted(RuntimeError):
    """The model was asked for what it only knows once it is fitted."""


@dataclass
class Estimator(ABC):
    """A model of activity over learning; subclasses are dataclasses of their settings.

    Examples
    --------
    >>> from ltr_core import comparisons
    >>> model = comparisons.PCAModel(n_components=3)
    >>> model.get_params()
    {'n_components': 3, 'n_iterations': 100}
    >>> model.with_params(n_components=2)
    PCAModel(n_components=2, n_iterations=100)
    """

    #: Whether the model can be fitted to counts, to rates.
    accepts_counts: ClassVar[bool] = False

    @abstractmethod
    def fit(self: Fitted, recording: Recording, train: Mask | None = None) -> Fitted:
        """Fit to a recording's observed entries, or to those of them that are in `train`."""

    @abstractmethod
    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """Rates (or expected counts) at every entry of the recording that was fitted."""

    def score(
        self, recording: Recording, mask: Mask | None = None, metric: scores.Metric | None = None
    ) -> float:
        """How well the fitted model predicts a recording's entries in `mask` (default: all).

        `recording` has the trials that were fitted. `metric`: r2 for rates and bits_per_spike for
        counts if not given. Entries that were not observed do not count.

        Raises NotFitted, and ValueError where shapes do not fit or nothing is chosen.
        """
        predicted = self.predict()
        chosen = recording.observed if mask is None else recording.observed & mask
        metric = metric or ("bits_per_spike" if recording.counts else "r2")
        return scores.score(recording.activity, predicted, chosen, metric)

    def get_params(self) -> dict[str, Any]:
        """The settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def with_params(self: Fitted, **settings: Any) -> Fitted:
        """An unfitted copy with some settings changed; raises ValueError for an unknown name."""
        known = [field.name for field in fields(self)]
        for name in settings:
            if name not in known:
                raise ValueError(f"{type(self).__name__} has no setting '{name}', only {known}.")
        return replace(self, **settings)
