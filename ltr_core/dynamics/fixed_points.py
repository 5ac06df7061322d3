"""Fixed points of a flow, found from many starts, with their stability."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int


class FixedPoints(NamedTuple):
    """States at which a flow stands still; those found from most starts come first.

    - `points` (point, dimension).
    - `eigenvalues` (point, dimension): of the Jacobian, in 1/s, by falling real part.
    - `stable` (point,): all real parts are negative.
    - `n_failed`: starts from which no fixed point was reached.
    - `speed` (point,): what is left of the velocity's norm, per second.
    - `n_starts` (point,): how many starts led to each point.
    """

    points: Float[np.ndarray, "point dimension"]
    eigenvalues: Complex[np.ndarray, "point dimension"]
    stable: Bool[np.ndarray, " point"]
    n_failed: int
    speed: Float[np.ndarray, " point"]
    n_starts: Int[np.ndarray, " point"]
