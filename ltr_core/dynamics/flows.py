"""Autonomous dynamics at one moment of learning: the fitted network's, and a known network's.

A flow is what the state does under weights and inputs that stand still. Two flows of the same
neurons are compared through their rates (see `agreement` and `epochs`), whatever coordinates each
has its state in.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

# Rates are drawn this near to tanh's bounds before they are inverted.
LARGEST_RATE = 1 - 1e-6


@runtime_checkable
class Flow(Protocol):
    """Autonomous dynamics of a state; time in s, many states (points) at once.

    - `dimension`: of the state.
    - `tau`: the time constant in s, by which steps of an integration are measured.
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
    """A flow whose states are seen as rates of neurons."""

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


@dataclass(frozen=True)
class LatentFlow:
    """The low-rank network in its latent coordinates, x = columns k + bias.

        tau dk/dt = -k + [trial_factors * (rows^T tanh(x)), 0] + inputs

    This equals the dynamics of all units exactly if inputs and initial states lie in the span of
    the columns. The first columns are those of the weights, one for each component; columns
    beyond the rank carry inputs alone. Rates are ``readout @ tanh(x) + readout_bias``, or tanh(x)
    if there is no readout. Arrays are kept in float64.

    - `columns` (unit, latent), `rows` (unit, rank), `trial_factors` (rank,), of one trial or the
      mean of several.
    - `bias` (unit,) and `inputs` (latent,): zero if not given.
    - `tau`: time constant in s.
    - `readout` (neuron, unit), `readout_bias` (neuron,).

    Raises ValueError for a rank above the number of columns, values that are not finite, or a
    tau that is not positive.
    """

    columns: Float[np.ndarray, "unit latent"]
    rows: Float[np.ndarray, "unit rank"]
    trial_factors: Float[np.ndarray, " rank"]
    bias: Float[np.ndarray, " unit"] | None = None
    inputs: Float[np.ndarray, " latent"] | None = None
    tau: float = 1.0
    readout: Float[np.ndarray, "neuron unit"] | None = None
    readout_bias: Float[np.ndarray, " neuron"] | None = None


@dataclass(frozen=True)
class NetworkFlow:
    """A network of known weights in the full space of its units.

        tau dx/dt = -x + weights tanh(x) + drive,        rates = tanh(x)

    - `weights` (post, pre), `drive` (neuron,) (zero if not given): the input's effect on each
      unit, such as ``W_in @ u`` of `ltr_core.rnn`.
    - `tau`: time constant in s.

    Raises ValueError for weights that are not square, values that are not finite, or a tau that
    is not positive.
    """

    weights: Float[np.ndarray, "neuron neuron"]
    drive: Float[np.ndarray, " neuron"] | None = None
    tau: float = 0.1
