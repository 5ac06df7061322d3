"""What a flow is: autonomous dynamics of a state, seen as rates of neurons or not."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float


@runtime_checkable
class Flow(Protocol):
    """Autonomous dynamics of a state; time in s, many states (points) at once.

    - `dimension`: of the state.
    - `tau`: the time constant in s, by which steps of an integration are measured.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> class Decay:
    ...     dimension, tau = 2, 0.1
    ...     def velocity(self, state):
    ...         return -state / self.tau
    ...     def jacobian(self, state):
    ...         return np.tile(-np.eye(2) / self.tau, (len(state), 1, 1))
    >>> isinstance(Decay(), dynamics.Flow)
    True
    >>> found = dynamics.fixed_points(Decay(), np.eye(2))
    >>> len(found.points), found.eigenvalues.real.round(3).tolist()
    (1, [[-10.0, -10.0]])
    """

    @property
    def dimension(self) -> int:
        """How many coordinates a state has."""

    @property
    def tau(self) -> float:
        """Time constant in s."""

    def velocity(
        self, state: Float[np.ndarray, "point dimension"]
    ) -> Float[np.ndarray, "point dimension"]:
        """Change of each state per second."""

    def jacobian(
        self, state: Float[np.ndarray, "point dimension"]
    ) -> Float[np.ndarray, "point dimension dimension"]:
        """Derivative of the velocity by the state, in 1/s."""


@runtime_checkable
class NeuralFlow(Flow, Protocol):
    """A flow whose states are seen as rates of neurons.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow = dynamics.NetworkFlow(np.zeros((3, 3)))
    >>> isinstance(flow, dynamics.NeuralFlow), flow.rates(np.zeros((5, 3))).shape
    (True, (5, 3))
    """

    def rates(
        self, state: Float[np.ndarray, "point dimension"]
    ) -> Float[np.ndarray, "point neuron"]:
        """The neurons' rates at each state."""

    def rate_velocity(
        self, state: Float[np.ndarray, "point dimension"]
    ) -> Float[np.ndarray, "point neuron"]:
        """Change of the neurons' rates per second."""

    def state_of(
        self, rates: Float[np.ndarray, "point neuron"]
    ) -> Float[np.ndarray, "point dimension"]:
        """The states whose rates come nearest to the given ones."""


def check_shape(name: str, value: np.ndarray | None, shape: tuple[int, ...], axes: str) -> None:
    """Raises ValueError if an array has another shape than these axes ask for."""
    if value is not None and value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}, expected is {axes}: {shape}.")


def check_points(name: str, values: np.ndarray, size: int, axis: str) -> None:
    """Raises ValueError unless values are finite and (point, axis), with so many along the axis."""
    if values.ndim != 2 or values.shape[1] != size:
        raise ValueError(
            f"{name} has shape {values.shape}, expected is (point, {axis}) with {size} of the "
            "latter."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinity.")


def rms_spread(states: Float[np.ndarray, "point dimension"]) -> float:
    """Root mean square distance of states from their mean."""
    return float(np.sqrt(np.square(states - states.mean(0)).sum(1).mean()))
