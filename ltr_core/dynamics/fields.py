"""Velocities on a plane through the states of a flow."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class VectorField(NamedTuple):
    """Velocity on a grid of a plane; u[i, j] and v[i, j] belong to (x[j], y[i]).

    - `x` (column,), `y` (row,): coordinates along the two axes, in the state's units.
    - `u`, `v` (row, column): the velocity along them, per second.
    - `out_of_plane` (row, column): norm of the velocity that leaves the plane, per second.
    """

    x: Float[np.ndarray, " column"]
    y: Float[np.ndarray, " row"]
    u: Float[np.ndarray, "row column"]
    v: Float[np.ndarray, "row column"]
    out_of_plane: Float[np.ndarray, "row column"]
