"""Fixed points of a flow, found from many starts, with their stability."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Complex, Float, Int
from scipy.optimize import root
from scipy.spatial.distance import cdist

from ltr_core.dynamics.interface import Flow, check_points, rms_spread


class FixedPoints(NamedTuple):
    """States at which a flow stands still; those found from most starts come first.

    - `points` (point, dimension).
    - `eigenvalues` (point, dimension): of the Jacobian, in 1/s, by falling real part.
    - `stable` (point,): all real parts are negative.
    - `n_failed`: starts from which no fixed point was reached.
    - `speed` (point,): what is left of the velocity's norm, per second.
    - `n_starts` (point,): how many starts led to each point.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow = dynamics.NetworkFlow(np.array([[2.0]]), tau=0.1)
    >>> states = np.linspace(-3, 3, 21)[:, None]
    >>> found = dynamics.fixed_points(flow, states)
    >>> attractors = found.where(found.stable)
    >>> np.sort(attractors.points[:, 0]).round(1).tolist(), found.n_unstable.sum().item()
    ([-1.9, 1.9], 1)
    >>> sorted(found.table()["kind"])
    ['source', 'stable', 'stable']
    >>> bool(found.distance_to(states).max() < 0.1)
    True
    """

    points: Float[np.ndarray, "point dimension"]
    eigenvalues: Complex[np.ndarray, "point dimension"]
    stable: Bool[np.ndarray, " point"]
    n_failed: int
    speed: Float[np.ndarray, " point"]
    n_starts: Int[np.ndarray, " point"]

    @property
    def n_unstable(self) -> Int[np.ndarray, " point"]:
        """Directions in which each point repels: 0 for a stable one, more for a saddle."""
        return (self.eigenvalues.real >= 0).sum(1)

    def where(self, chosen: Bool[np.ndarray, " point"]) -> "FixedPoints":
        """Some of the points, such as ``found.where(found.stable)``."""
        return FixedPoints(
            self.points[chosen],
            self.eigenvalues[chosen],
            self.stable[chosen],
            self.n_failed,
            self.speed[chosen],
            self.n_starts[chosen],
        )

    def distance_to(
        self, states: Float[np.ndarray, "state dimension"]
    ) -> Float[np.ndarray, " point"]:
        """Distance of each point to the nearest visited state, in spreads of these states.

        A spread is the states' root mean square distance from their mean. A fixed point at a
        distance above about 1 lies where no activity was seen: an extrapolation of the fit.
        """
        return cdist(self.points, states).min(1) / rms_spread(states)

    def table(self) -> pd.DataFrame:
        """A row for each point, led by its slowest or most unstable mode.

        Columns: point, kind (stable, saddle or source), n_unstable, leading_real (1/s), the
        time in s in which that mode decays or grows e-fold, its frequency in Hz (0: it does
        not rotate), n_starts and speed.
        """
        leading = self.eigenvalues[:, 0]
        kind = np.where(self.n_unstable == self.eigenvalues.shape[1], "source", "saddle")
        with np.errstate(divide="ignore"):
            time = 1 / np.abs(leading.real)
        return pd.DataFrame(
            {
                "point": np.arange(len(leading)),
                "kind": np.where(self.stable, "stable", kind),
                "n_unstable": self.n_unstable,
                "leading_real": leading.real,
                "time": time,
                "frequency": np.abs(leading.imag) / (2 * np.pi),
                "n_starts": self.n_starts,
                "speed": self.speed,
            }
        )


def starts_from(
    states: Float[np.ndarray, "state dimension"], n: int, spread: float = 0.5, seed: int = 0
) -> Float[np.ndarray, "n dimension"]:
    """Starts for `fixed_points`: states that activity visits, with noise around them.

    The first is the states' mean, without noise. For each of the others a visited state is
    drawn, and Gaussian noise is added whose norm is about `spread` times the root mean square
    distance of the states from their mean, distributed over directions as the states are plus a
    tenth evenly over all: so that starts are where the network was, and around it.

    Raises ValueError for n below 1, a negative spread, or states that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> states = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 3.0]])
    >>> starts = dynamics.starts_from(states, 30)
    >>> starts.shape, starts[0].tolist()
    ((30, 2), [2.0, 1.0])
    """
    check_points("states", states, states.shape[-1], "dimension")
    if n < 1:
        raise ValueError(f"n is {n}: at least one start is needed.")
    if not (np.isfinite(spread) and spread >= 0):
        raise ValueError(f"spread is {spread}: it must be finite and not negative.")
    rng = np.random.default_rng(seed)
    mean = states.mean(0)
    drawn = states[rng.integers(len(states), size=n - 1)].astype(np.float64)
    # Random mixtures of centred states have the states' own covariance.
    n_mixed = min(len(states), 100)
    centred = states[rng.choice(len(states), n_mixed, replace=False)] - mean
    along = rng.standard_normal((n - 1, n_mixed)) @ centred / np.sqrt(n_mixed)
    evenly = rng.standard_normal(drawn.shape) * rms_spread(states) / np.sqrt(states.shape[1])
    return np.concatenate([mean[None], drawn + spread * (along + 0.1 * evenly)])


def fixed_points(
    flow: Flow,
    starts: Float[np.ndarray, "start dimension"],
    *,
    tolerance: float = 1e-8,
    merge: float = 1e-3,
    relaxation: float = 30.0,
) -> FixedPoints:
    """Fixed points of a flow, sought from each start twice, and merged.

    Powell's hybrid method (scipy.optimize.root) with the exact Jacobian goes from each start as
    given, which finds saddles and sources too, and from where the start has flowed to after
    `relaxation` time constants, which finds the attractor it belongs to. The states' spread, the
    root mean square distance of the starts from their mean (1 if they coincide), is the unit of
    two thresholds:

    - `tolerance`: a state stands still if its speed is at most this many spreads per second.
    - `merge`: points nearer to each other than this many spreads are one.

    That every fixed point was found cannot be known; more starts, and how many led to each, tell
    how likely one was missed. Compare Sussillo & Barak 2013 (Neural Computation 25).

    Raises ValueError for starts of another dimension or not finite, or thresholds that are not
    positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow = dynamics.NetworkFlow(np.diag([2.0, 0.5]))  # two attractors, a saddle between them
    >>> states = np.random.default_rng(0).standard_normal((50, 2))
    >>> found = dynamics.fixed_points(flow, dynamics.starts_from(states, 20))
    >>> found.points.shape, found.stable.sum().item(), found.n_unstable.max().item()
    ((3, 2), 2, 1)
    """
    _check(flow, starts, tolerance, merge, relaxation)
    starts = starts.astype(np.float64)
    scale = rms_spread(starts) or 1.0
    relaxed = _relax(flow, starts, relaxation)
    leaders, group = _merge(relaxed, merge * scale)
    from_starts = _solve_each(flow, starts, tolerance * scale)
    # Many starts flow to the same attractor: one search serves all of them.
    from_relaxed = _solve_each(flow, relaxed[leaders], tolerance * scale)[group]
    found = np.concatenate([from_starts, from_relaxed])
    reached = np.isfinite(found).all(1)
    origin = np.tile(np.arange(len(starts)), 2)[reached]
    n_failed = len(starts) - len(np.unique(origin))
    first, label = _merge(found[reached], merge * scale)
    points = found[reached][first]
    pairs = np.unique(np.stack([label, origin], 1), axis=0)
    n_starts = np.bincount(pairs[:, 0], minlength=len(points))
    order = np.argsort(-n_starts, kind="stable")
    return _describe(flow, points[order], n_failed, n_starts[order])


def _check(
    flow: Flow, starts: np.ndarray, tolerance: float, merge: float, relaxation: float
) -> None:
    check_points("starts", starts, flow.dimension, "dimension")
    if len(starts) == 0:
        raise ValueError("There are no starts: give at least one (see starts_from).")
    for name, value in {"tolerance": tolerance, "merge": merge}.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}: it must be positive.")
    if not (np.isfinite(relaxation) and relaxation >= 0):
        raise ValueError(f"relaxation is {relaxation}: it must be finite and not negative.")


def _relax(flow: Flow, states: np.ndarray, duration: float) -> np.ndarray:
    """Where the states are after so many time constants, by Euler steps of a fifth of one."""
    for _ in range(round(duration / 0.2)):
        moved = states + 0.2 * flow.tau * flow.velocity(states)
        if not np.isfinite(moved).all() or np.abs(moved).max() > 1e6 * (1 + np.abs(states).max()):
            break  # a flow without bounds: where it was will do as a start
        states = moved
    return states


def _solve_each(flow: Flow, starts: np.ndarray, slowest: float) -> np.ndarray:
    """The fixed point reached from each start; NaN where none is."""

    def scaled_velocity(state: np.ndarray) -> np.ndarray:
        # Nought ends the search: the method's own criterion, a step small relative to the state,
        # is never met at the origin.
        if not np.isfinite(state).all():
            return np.zeros_like(state)
        velocity = flow.velocity(state[None])[0]
        still = np.linalg.norm(velocity) <= 1e-4 * slowest
        return np.zeros_like(state) if still else flow.tau * velocity

    def scaled_jacobian(state: np.ndarray) -> np.ndarray:
        return flow.tau * flow.jacobian(state[None])[0]

    found = np.full(starts.shape, np.nan)
    for index, start in enumerate(starts):
        state = start
        if scaled_velocity(start).any():
            options = {"xtol": 1e-12}
            state = root(scaled_velocity, start, jac=scaled_jacobian, options=options).x
        # What the method says of its success is about its last step; the speed is what counts.
        if np.isfinite(state).all() and np.linalg.norm(flow.velocity(state[None])) <= slowest:
            found[index] = state
    return found


def _merge(points: np.ndarray, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of points that stand for all within a distance, and each point's among them."""
    leaders: list[int] = []
    label = np.full(len(points), -1)
    while (label < 0).any():
        leader = int(np.argmax(label < 0))
        near = cdist(points[leader : leader + 1], points)[0] <= distance
        label[near & (label < 0)] = len(leaders)
        leaders.append(leader)
    return np.array(leaders, dtype=np.int64), label


def _describe(flow: Flow, points: np.ndarray, n_failed: int, n_starts: np.ndarray) -> FixedPoints:
    # One Jacobian at a time: in a network's full space each is neurons x neurons.
    values = np.array([np.linalg.eigvals(flow.jacobian(point[None])[0]) for point in points])
    values = values.reshape(points.shape).astype(np.complex128)
    order = np.lexsort((-values.imag, -values.real), axis=1)
    values = np.take_along_axis(values, order, axis=1)
    speed = np.linalg.norm(flow.velocity(points), axis=1)
    stable = np.max(values.real, axis=1) < 0
    return FixedPoints(points, values, stable, n_failed, speed, n_starts)
