"""Velocities on a plane through the states of a flow."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.dynamics.interface import Flow, check_points


class VectorField(NamedTuple):
    """Velocity on a grid of a plane; u[i, j] and v[i, j] belong to (x[j], y[i]).

    - `x` (column,), `y` (row,): coordinates along the two axes, in the state's units.
    - `u`, `v` (row, column): the velocity along them, per second.
    - `out_of_plane` (row, column): norm of the velocity that leaves the plane, per second.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow = dynamics.NetworkFlow(np.zeros((3, 3)), tau=0.5)  # every unit decays on its own
    >>> field = dynamics.vector_field(flow, np.zeros(3), np.eye(3)[:2], 1.0, n=3)
    >>> field.u.tolist()  # -x / tau
    [[2.0, 0.0, -2.0], [2.0, 0.0, -2.0], [2.0, 0.0, -2.0]]
    >>> field.share_in_plane
    1.0
    """

    x: Float[np.ndarray, " column"]
    y: Float[np.ndarray, " row"]
    u: Float[np.ndarray, "row column"]
    v: Float[np.ndarray, "row column"]
    out_of_plane: Float[np.ndarray, "row column"]

    @property
    def share_in_plane(self) -> float:
        """Share of the squared velocity, over the grid, that lies in the plane."""
        inside = np.sum(self.u**2 + self.v**2)
        total = inside + np.sum(self.out_of_plane**2)
        return float(inside / total) if total > 0 else 1.0


class Plane(NamedTuple):
    """A plane in the space of states; ``vector_field(flow, *plane)`` fills it.

    - `origin` (dimension,), `axes` (2, dimension): states are origin + p axes[0] + q axes[1].
    - `extent`: the lowest and highest p, the lowest and highest q.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> plane = dynamics.Plane(np.ones(3), np.eye(3)[:2], (-1.0, 1.0, -1.0, 1.0))
    >>> plane.project(np.array([3.0, 1.0, 7.0])).tolist()
    [2.0, 0.0]
    >>> plane.lift(np.array([2.0, 0.0])).tolist()
    [3.0, 1.0, 1.0]
    """

    origin: Float[np.ndarray, " dimension"]
    axes: Float[np.ndarray, "2 dimension"]
    extent: tuple[float, float, float, float]

    def project(self, states: Float[np.ndarray, "*points dimension"]) -> np.ndarray:
        """Coordinates (p, q) of the plane's point next to each state: ``(*points, 2)``."""
        return (states - self.origin) @ np.linalg.pinv(self.axes)

    def lift(self, coordinates: Float[np.ndarray, "*points 2"]) -> np.ndarray:
        """States at coordinates of the plane: ``(*points, dimension)``."""
        return self.origin + coordinates @ self.axes


def principal_plane(states: Float[np.ndarray, "state dimension"], *, margin: float = 0.15) -> Plane:
    """The plane of the two leading principal components of visited states.

    Axes are orthonormal, each with its largest entry positive; the extent holds all states,
    widened by `margin` of its width at each side.

    Raises ValueError for fewer than two dimensions, or states that vary in fewer than two.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    >>> ellipse = np.stack([2 * np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    >>> plane = dynamics.principal_plane(ellipse, margin=0.0)
    >>> (plane.axes.round(3) + 0).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    >>> np.round(plane.extent, 3).tolist()
    [-2.0, 2.0, -1.0, 1.0]
    """
    check_points("states", states, states.shape[-1], "dimension")
    centred = states - states.mean(0)
    sizes, axes = np.linalg.svd(centred.astype(np.float64), full_matrices=False)[1:]
    if len(sizes) < 2 or sizes[1] <= 1e-12 * max(sizes[0], 1e-300):
        raise ValueError(
            "The states vary in fewer than two dimensions, so they do not define a plane: "
            "give origin and axes to vector_field."
        )
    axes = axes[:2]
    largest = np.abs(axes).argmax(1)
    axes = axes * np.sign(axes[[0, 1], largest])[:, None]
    seen = centred @ axes.T
    low, high = seen.min(0), seen.max(0)
    room = margin * (high - low)
    low, high = low - room, high + room
    extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    return Plane(states.mean(0).astype(np.float64), axes, extent)


def vector_field(
    flow: Flow,
    origin: Float[np.ndarray, " dimension"],
    axes: Float[np.ndarray, "2 dimension"],
    extent: float | tuple[float, float, float, float],
    n: int = 15,
) -> VectorField:
    """Velocity of a flow on an n by n grid of the plane origin + p axes[0] + q axes[1].

    `extent` bounds p and q (lowest and highest p, lowest and highest q); one number stands for
    that distance at all sides of the origin. For the plane of two latents, give an origin with
    the values at which the others are held, and two rows of the identity as axes. The velocity
    is split into its part in the plane, in the axes' coordinates, and the norm of the rest.

    Raises ValueError for shapes that do not fit the flow, axes that are parallel, an empty
    extent or n below 2.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow = dynamics.NetworkFlow(2 * np.eye(3), tau=0.1)
    >>> plane = dynamics.principal_plane(np.random.default_rng(0).standard_normal((50, 3)))
    >>> field = dynamics.vector_field(flow, *plane, n=11)
    >>> field.x.shape, field.u.shape, bool(field.out_of_plane.min() >= 0)
    ((11,), (11, 11), True)
    """
    axes, bounds = _checked(flow, origin, axes, extent, n)
    p, q = np.linspace(bounds[0], bounds[1], n), np.linspace(bounds[2], bounds[3], n)
    grid = np.stack(np.meshgrid(p, q), axis=-1).reshape(-1, 2)
    velocity = flow.velocity(origin + grid @ axes)
    inside = velocity @ np.linalg.pinv(axes)
    outside = np.linalg.norm(velocity - inside @ axes, axis=1)
    u, v, out_of_plane = (part.reshape(n, n) for part in (*inside.T, outside))
    return VectorField(p, q, u, v, out_of_plane)


def _checked(
    flow: Flow,
    origin: np.ndarray,
    axes: np.ndarray,
    extent: float | tuple[float, float, float, float],
    n: int,
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    check_points("axes", axes, flow.dimension, "dimension")
    check_points("origin", origin[None], flow.dimension, "dimension")
    if len(axes) != 2 or np.linalg.matrix_rank(axes) < 2:
        raise ValueError("axes must be two directions that are not parallel: (2, dimension).")
    bounds = extent if isinstance(extent, tuple) else (-extent, extent, -extent, extent)
    if not (np.isfinite(bounds).all() and bounds[0] < bounds[1] and bounds[2] < bounds[3]):
        raise ValueError(f"extent is {extent}: each axis needs a lowest value below its highest.")
    if n < 2:
        raise ValueError(f"n is {n}: a grid needs at least 2 points along each axis.")
    return axes.astype(np.float64), bounds
