"""The smoothness prior of trial factors: a Gaussian process over true trial numbers.

As in Pellegrino et al. (2023), c_r = mean_r + L z_r with L L^T the covariance over trials: a
rational-quadratic kernel over trial ids, so that gaps count, plus observation noise. Here z_r has
its prior's own penalty |z_r|^2 / 2, without which any trial factor would be free.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Smoothness(NamedTuple):
    """The prior of one trial factor.

    - `length`: over how many trials a factor stays alike. `alpha`: mixture of lengths.
    - `scale`: standard deviation of the smooth part. `noise`: that of each trial's own part.
    - `jumps`: whether factors of different epochs are independent (given their common mean).
    """

    length: float = 15.0
    alpha: float = 1.0
    scale: float = 1.0
    noise: float = 0.1
    jumps: bool = False

    def check(self) -> None:
        """Raise ValueError for a value that is not positive and finite."""
        for name in ("length", "alpha", "scale", "noise"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} of trial factors is {value}: it must be positive.")


def rational_quadratic(
    trial_id: Float[np.ndarray, " trial"], length: float, alpha: float
) -> Float[np.ndarray, "trial trial"]:
    """The kernel (1 + d^2 / (2 alpha length^2))^(-alpha) of distances d between trial ids."""
    squared = np.square(trial_id[:, None] - trial_id[None, :])
    return (1 + squared / (2 * alpha * length**2)) ** -alpha


def covariance(
    smoothness: Smoothness,
    trial_id: Float[np.ndarray, " trial"],
    epoch_index: Int[np.ndarray, " trial"],
) -> Float[np.ndarray, "trial trial"]:
    """Covariance of a trial factor about its mean, over trials.

    Raises ValueError for settings of the prior out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.ltrrnn.kernel import Smoothness, covariance
    >>> prior = Smoothness(length=2.0, noise=0.1, jumps=True)
    >>> covariance(prior, np.array([0.0, 2.0, 4.0]), np.array([0, 0, 1])).round(2).tolist()
    [[1.01, 0.67, 0.0], [0.67, 1.01, 0.0], [0.0, 0.0, 1.01]]
    """
    smoothness.check()
    smooth = smoothness.scale**2 * rational_quadratic(trial_id, smoothness.length, smoothness.alpha)
    if smoothness.jumps:
        smooth = smooth * (epoch_index[:, None] == epoch_index[None, :])
    return smooth + smoothness.noise**2 * np.eye(len(trial_id))
