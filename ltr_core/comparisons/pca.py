"""PCA of equal dimension: what any linear readout of as many latent variables could explain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ltr_core.comparisons.entries import Mask, check_fitted, training_entries
from ltr_core.estimators import Estimator
from ltr_core.ltrrnn.missing import fill_missing
from ltr_core.recordings import Recording


@dataclass
class PCAModel(Estimator):
    """Principal components of the neurons over trials x time, for rates.

    Its latent variables are free at every time of every trial: no dynamics, no inputs, no
    smoothness. A held-out entry is predicted from the other neurons at the same time of the same
    trial; with missing entries it is `ltr_core.ltrrnn.missing.fill_missing`.

    - `n_components`: at most the neurons, and the trials x times.
    - `n_iterations`: for missing entries.

    Fitted: `scores_` (trial, time, component) of mean zero and uncorrelated, `loadings_` (neuron,
    component) with orthonormal columns, `mean_` (neuron,).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording, comparisons
    >>> rng = np.random.default_rng(0)
    >>> activity = rng.standard_normal((5, 8, 2)) @ rng.standard_normal((2, 6))  # two latents
    >>> recording = Recording(activity, time=0.1 * np.arange(8))
    >>> model = comparisons.PCAModel(n_components=2).fit(recording)
    >>> model.scores_.shape, model.loadings_.shape, round(model.score(recording), 3)
    ((5, 8, 2), (6, 2), 1.0)
    """

    n_components: int = 5
    n_iterations: int = 100

    def fit(self, recording: Recording, train: Mask | None = None) -> "PCAModel":
        """Fit to the observed entries, or to those of them that are in `train`.

        Raises ValueError for counts, a mask that does not fit or leaves nothing of a trial or
        neuron, neurons that were never observed, and settings out of range.
        """
        used = training_entries(self, recording, train)
        if not 1 <= self.n_components <= recording.n_neurons:
            raise ValueError(
                f"n_components is {self.n_components}: it must be 1 to {recording.n_neurons}, the "
                "recording's neurons."
            )
        shape = recording.activity.shape
        done = fill_missing(
            recording.activity.reshape(-1, shape[2]),
            used.reshape(-1, shape[2]),
            self.n_components,
            self.n_iterations,
        )
        self.scores_ = done.scores.reshape(*shape[:2], -1)
        self.loadings_ = done.loadings
        self.mean_ = done.mean
        return self

    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """What the components say at every entry; raises NotFitted."""
        check_fitted(self, "scores_")
        predicted = self.scores_ @ self.loadings_.T
        predicted += self.mean_
        return predicted
