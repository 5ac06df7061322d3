"""Autonomous dynamics at one moment of learning: the fitted network's, and a known network's.

A flow is what the state does under weights and inputs that stand still. Two flows of the same
neurons are compared through their rates (see `agreement` and `epochs`), whatever coordinates each
has its state in.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from ltr_core.dynamics.interface import check_points, check_shape

# Rates are drawn this near to tanh's bounds before they are inverted.
LARGEST_RATE = 1 - 1e-6


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
    - `bias` (unit,) and `inputs` (latent,): none if not given.
    - `tau`: time constant in s.
    - `readout` (neuron, unit), `readout_bias` (neuron,).

    Raises ValueError for a rank above the number of columns, values that are not finite, or a
    tau that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> flow = dynamics.LatentFlow(column, column, np.array([3.0]), tau=0.5)
    >>> origin = np.zeros((1, 1))
    >>> flow.jacobian(origin).item()  # (3 - 1) / tau: it repels
    4.0
    >>> flow.rates(origin + 1).shape, flow.rate_velocity(origin + 1).shape
    ((1, 4), (1, 4))
    >>> round(flow.state_of(flow.rates(origin + 1)).item(), 3)
    1.0
    """

    columns: Float[np.ndarray, "unit latent"]
    rows: Float[np.ndarray, "unit rank"]
    trial_factors: Float[np.ndarray, " rank"]
    bias: Float[np.ndarray, " unit"] | None = None
    inputs: Float[np.ndarray, " latent"] | None = None
    tau: float = 1.0
    readout: Float[np.ndarray, "neuron unit"] | None = None
    readout_bias: Float[np.ndarray, " neuron"] | None = None

    def __post_init__(self) -> None:
        """Everything in float64, and the sizes checked."""
        units, latent = self.columns.shape
        _to_float64(self)
        neurons = units if self.readout is None else self.readout.shape[0]
        rank = len(self.trial_factors)
        check_shape("rows", self.rows, (units, rank), "(unit, rank)")
        check_shape("bias", self.bias, (units,), "(unit,)")
        check_shape("inputs", self.inputs, (latent,), "(latent,)")
        check_shape("readout", self.readout, (neurons, units), "(neuron, unit)")
        check_shape("readout_bias", self.readout_bias, (neurons,), "(neuron,)")
        if rank > latent:
            raise ValueError(
                f"rank is {rank} and columns have only {latent}: each component needs a column; "
                "columns are (unit, latent), rows (unit, rank)."
            )

    @property
    def dimension(self) -> int:
        """Latent coordinates, the number of columns."""
        return self.columns.shape[1]

    def velocity(
        self, state: Float[np.ndarray, "point latent"]
    ) -> Float[np.ndarray, "point latent"]:
        """Change of each latent state per second."""
        unit_rates = np.tanh(self._units(state))
        recurrent = unit_rates @ self.rows * self.trial_factors
        change = -state if self.inputs is None else self.inputs - state
        change[:, : len(self.trial_factors)] += recurrent
        return change / self.tau

    def jacobian(
        self, state: Float[np.ndarray, "point latent"]
    ) -> Float[np.ndarray, "point latent latent"]:
        """Derivative of the velocity by the latent state, in 1/s."""
        gain = 1 - np.tanh(self._units(state)) ** 2
        units, rank = self.rows.shape
        pairs = (self.rows[:, :, None] * self.columns[:, None, :]).reshape(units, -1)
        jacobian = np.tile(-np.eye(self.dimension), (len(state), 1, 1))
        recurrent = (gain @ pairs).reshape(len(state), rank, self.dimension)
        jacobian[:, :rank] += self.trial_factors[:, None] * recurrent
        return jacobian / self.tau

    def rates(self, state: Float[np.ndarray, "point latent"]) -> Float[np.ndarray, "point neuron"]:
        """The neurons' rates at each latent state."""
        seen = self._read_out(np.tanh(self._units(state)))
        return seen if self.readout_bias is None else seen + self.readout_bias

    def rate_velocity(
        self, state: Float[np.ndarray, "point latent"]
    ) -> Float[np.ndarray, "point neuron"]:
        """Change of the neurons' rates per second."""
        gain = 1 - np.tanh(self._units(state)) ** 2
        return self._read_out(gain * (self.velocity(state) @ self.columns.T))

    def state_of(
        self, rates: Float[np.ndarray, "point neuron"]
    ) -> Float[np.ndarray, "point latent"]:
        """The latent states whose rates come nearest to the given ones, by least squares.

        Raises ValueError for another number of neurons, NaN, or fewer neurons than latents.
        """
        neurons = len(self.columns if self.readout is None else self.readout)
        check_points("rates", rates, neurons, "neuron")
        if neurons < self.dimension:
            raise ValueError(
                f"The rates of {neurons} neurons do not determine {self.dimension} latents: "
                "give states instead."
            )
        # A thousand at a time: the derivatives are (point, neuron, latent).
        parts = [self._nearest(rates[i : i + 1000]) for i in range(0, max(len(rates), 1), 1000)]
        return np.concatenate(parts)

    def _units(self, state: np.ndarray) -> Float[np.ndarray, "point unit"]:
        check_points("state", state, self.dimension, "latent")
        units = state @ self.columns.T
        return units if self.bias is None else units + self.bias

    def _read_out(
        self, units: Float[np.ndarray, "point unit"]
    ) -> Float[np.ndarray, "point neuron"]:
        return units if self.readout is None else units @ self.readout.T

    def _nearest(self, rates: Float[np.ndarray, "point neuron"]) -> np.ndarray:
        """Levenberg and Marquardt's least squares for all points at once."""
        seen = rates if self.readout_bias is None else rates - self.readout_bias
        seen = seen if self.readout is None else seen @ np.linalg.pinv(self.readout).T
        units = np.arctanh(np.clip(seen, -0.99, 0.99))
        units = units if self.bias is None else units - self.bias
        state = np.linalg.lstsq(self.columns, units.T, rcond=None)[0].T
        left = rates - self.rates(state)
        damping = np.full((len(rates), 1), 1e-3)
        for _ in range(100):
            gain = 1 - np.tanh(self._units(state)) ** 2
            slopes = gain[:, :, None] * self.columns
            slopes = slopes if self.readout is None else self.readout @ slopes
            curvature = slopes.transpose(0, 2, 1) @ slopes
            diagonal = np.einsum("pll->pl", curvature)
            diagonal += damping * diagonal.max(axis=1, keepdims=True) + 1e-300
            step = np.linalg.solve(curvature, np.einsum("pnl,pn->pl", slopes, left)[..., None])
            tried = state + step[..., 0]
            left_then = rates - self.rates(tried)
            better = (left_then**2).sum(1) < (left**2).sum(1)
            state[better], left[better] = tried[better], left_then[better]
            # Where a step does not help, damping rises until the next one does or is nil.
            damping = np.clip(damping * np.where(better, 0.2, 5.0)[:, None], 1e-9, 1e15)
            if np.all(np.abs(step) <= 1e-11 * (1 + np.abs(state[..., None]))):
                break
        return state


@dataclass(frozen=True)
class NetworkFlow:
    """A network of known weights in the full space of its units.

        tau dx/dt = -x + weights tanh(x) + drive,        rates = tanh(x)

    - `weights` (post, pre), `drive` (neuron,) (none if not given): the input's effect on each
      unit, such as ``W_in @ u`` of `ltr_core.rnn`.
    - `tau`: time constant in s.

    Raises ValueError for weights that are not square, values that are not finite, or a tau that
    is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow = dynamics.NetworkFlow(2 * np.eye(3), drive=np.ones(3), tau=0.5)
    >>> origin = np.zeros((1, 3))
    >>> flow.velocity(origin).tolist(), flow.jacobian(origin).shape
    ([[2.0, 2.0, 2.0]], (1, 3, 3))
    >>> flow.rates(flow.state_of(origin + 0.5)).round(3).tolist()
    [[0.5, 0.5, 0.5]]
    """

    weights: Float[np.ndarray, "post pre"]
    drive: Float[np.ndarray, " neuron"] | None = None
    tau: float = 0.1

    def __post_init__(self) -> None:
        """Everything in float64, and the sizes checked."""
        _to_float64(self)
        units = len(self.weights)
        check_shape("weights", self.weights, (units, units), "(post, pre)")
        check_shape("drive", self.drive, (units,), "(neuron,)")

    @property
    def dimension(self) -> int:
        """How many units."""
        return len(self.weights)

    def velocity(
        self, state: Float[np.ndarray, "point neuron"]
    ) -> Float[np.ndarray, "point neuron"]:
        """Change of each state x per second."""
        change = self.rates(state) @ self.weights.T - state
        return (change if self.drive is None else change + self.drive) / self.tau

    def jacobian(
        self, state: Float[np.ndarray, "point neuron"]
    ) -> Float[np.ndarray, "point neuron neuron"]:
        """Derivative of the velocity by x, in 1/s."""
        gain = 1 - self.rates(state) ** 2
        return (self.weights * gain[:, None, :] - np.eye(self.dimension)) / self.tau

    def rates(self, state: Float[np.ndarray, "point neuron"]) -> Float[np.ndarray, "point neuron"]:
        """The rates tanh(x) at each state."""
        check_points("state", state, self.dimension, "neuron")
        return np.tanh(state)

    def rate_velocity(
        self, state: Float[np.ndarray, "point neuron"]
    ) -> Float[np.ndarray, "point neuron"]:
        """Change of the rates per second."""
        return (1 - self.rates(state) ** 2) * self.velocity(state)

    def state_of(
        self, rates: Float[np.ndarray, "point neuron"]
    ) -> Float[np.ndarray, "point neuron"]:
        """The states x = artanh(rates); rates are first drawn just inside -1 and 1.

        Raises ValueError for another number of neurons, or NaN.
        """
        check_points("rates", rates, self.dimension, "neuron")
        return np.arctanh(np.clip(rates, -LARGEST_RATE, LARGEST_RATE))


def _set(flow: object, name: str, value: object) -> None:
    object.__setattr__(flow, name, value)  # the classes are frozen


def _to_float64(flow: LatentFlow | NetworkFlow) -> None:
    for field in fields(flow):
        value = getattr(flow, field.name)
        if isinstance(value, np.ndarray):
            if not np.isfinite(value).all():
                raise ValueError(f"{field.name} holds NaN or infinity.")
            _set(flow, field.name, value.astype(np.float64))
    if not (np.isfinite(flow.tau) and flow.tau > 0):
        raise ValueError(f"tau is {flow.tau} s: it must be positive.")
