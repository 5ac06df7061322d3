"""The rate network of both papers, and its simulation for a batch of networks at once.

    tau dx/dt = -x + W phi(x) + W_in u,        phi = tanh,        y = W_out phi(x)

Euler steps of length dt, as in both papers. A leading axis holds independent networks, so that a
sweep over seeds is one computation.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.counts import check_counts
from ltr_core.rollout import Nonlinearity, check_nonlinearity, rollout


class RNN(NamedTuple):
    """The weights of independent networks of equal size.

    - `recurrent` (network, post, pre): W, acting as ``W @ phi(x)``.
    - `inward` (network, post, input): W_in.
    - `outward` (network, output, pre): W_out.
    - `tau`: time constant in s.
    - `nonlinearity`: phi, "tanh" or "identity" (a linear network).

    Examples
    --------
    >>> from ltr_core import RNN, random_networks
    >>> networks = random_networks(n_networks=3, n_units=10, n_inputs=2, n_outputs=1)
    >>> isinstance(networks, RNN), networks.n_networks, networks.n_units
    (True, 3, 10)
    >>> networks.only(1).n_networks
    1
    """

    recurrent: Float[Tensor, "network post pre"]
    inward: Float[Tensor, "network post input"]
    outward: Float[Tensor, "network output pre"]
    tau: float = 0.1
    nonlinearity: Nonlinearity = "tanh"

    @property
    def n_networks(self) -> int:
        """How many networks."""
        return self.recurrent.shape[0]

    @property
    def n_units(self) -> int:
        """Units of each network."""
        return self.recurrent.shape[-1]

    def only(self, which: int) -> "RNN":
        """One network, as a batch of one."""
        recurrent, inward, outward = (part[which : which + 1] for part in self[:3])
        return self._replace(recurrent=recurrent, inward=inward, outward=outward)

    def doubled(self) -> "RNN":
        """The same networks in double precision."""
        recurrent, inward, outward = (part.double() for part in self[:3])
        return self._replace(recurrent=recurrent, inward=inward, outward=outward)


class Response(NamedTuple):
    """What networks do in a number of trials: phi(x) and the output, after each step."""

    activity: Float[Tensor, "network trial time neuron"]
    output: Float[Tensor, "network trial time output"]


def random_networks(
    n_networks: int,
    n_units: int,
    n_inputs: int,
    n_outputs: int,
    *,
    g: float = 1.0,
    tau: float = 0.1,
    seed: int = 0,
) -> RNN:
    """Networks with Gaussian weights; network i is the same however many there are.

    Recurrent weights have variance g^2 / N, input weights 1, output weights 1 / N, so that the
    columns of the input have norm near sqrt(N) and the rows of the output norm near 1.

    Raises ValueError for sizes below 1, a negative g or a tau that is not positive.

    Examples
    --------
    >>> from ltr_core import random_networks
    >>> networks = random_networks(2, 50, n_inputs=3, n_outputs=1, g=0.8)
    >>> tuple(networks.recurrent.shape), tuple(networks.inward.shape), tuple(networks.outward.shape)
    ((2, 50, 50), (2, 50, 3), (2, 1, 50))
    >>> alone = random_networks(1, 50, n_inputs=3, n_outputs=1, g=0.8)
    >>> bool((alone.recurrent[0] == networks.recurrent[0]).all())
    True
    """
    check_counts(n_networks=n_networks, n_units=n_units, n_inputs=n_inputs, n_outputs=n_outputs)
    _check_strength(g)
    if not (np.isfinite(tau) and tau > 0):
        raise ValueError(f"tau is {tau} s: it must be positive.")
    shapes = [(n_units, n_units), (n_units, n_inputs), (n_outputs, n_units)]
    scales = [g / n_units**0.5, 1.0, n_units**-0.5]
    drawn = []
    for network in range(n_networks):
        rng = np.random.default_rng([seed, network])
        drawn.append([rng.normal(0, s, shape) for s, shape in zip(scales, shapes, strict=True)])
    stacked = [torch.from_numpy(np.stack(kind)) for kind in zip(*drawn, strict=True)]
    return RNN(stacked[0], stacked[1], stacked[2], tau)


def mean_field_networks(
    n_networks: int,
    n_units: int,
    n_inputs: int,
    n_outputs: int,
    *,
    g: float,
    nonlinearity: Nonlinearity = "tanh",
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> RNN:
    """Networks as Schuessler et al. (2020) start from: random connectivity and a small readout.

    Recurrent weights have variance g^2 / N; every column of the input weights has norm sqrt(N),
    every row of the output weights norm 1 / sqrt(N) (the mean-field scaling: an output of order 1
    needs structured activity). Time is in units of tau = 1. Network i is the same however many
    there are, and its recurrent weights are the same up to g.

    Raises ValueError for sizes below 1, a negative g, or a linear network with g of 1 or more.

    Examples
    --------
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 100, n_inputs=3, n_outputs=1, g=0.9)
    >>> tuple(networks.recurrent.shape), networks.tau
    ((2, 100, 100), 1.0)
    >>> networks.inward[0].norm(dim=0).numpy().round(3).tolist()
    [10.0, 10.0, 10.0]
    """
    check_counts(n_networks=n_networks, n_units=n_units, n_inputs=n_inputs, n_outputs=n_outputs)
    _check_strength(g)
    check_nonlinearity(nonlinearity)
    if nonlinearity == "identity" and g >= 1:
        raise ValueError(
            f"g is {g}: a linear network whose random weights have g >= 1 is unstable, its "
            "eigenvalues fill a disk of radius g and some have a real part above 1. Give g < 1."
        )
    drawn = []
    for network in range(n_networks):
        rng = np.random.default_rng([seed, network])
        recurrent = rng.normal(0, n_units**-0.5, (n_units, n_units))
        inward = rng.normal(0, 1, (n_units, n_inputs))
        outward = rng.normal(0, 1, (n_outputs, n_units))
        inward *= n_units**0.5 / np.linalg.norm(inward, axis=0)
        outward *= n_units**-0.5 / np.linalg.norm(outward, axis=1, keepdims=True)
        drawn.append([g * recurrent, inward, outward])
    stacked = [torch.from_numpy(np.stack(kind)).to(dtype) for kind in zip(*drawn, strict=True)]
    return RNN(stacked[0], stacked[1], stacked[2], 1.0, nonlinearity)


def _check_strength(g: float) -> None:
    if not (np.isfinite(g) and g >= 0):
        raise ValueError(f"g is {g}: the strength of random weights is finite and not negative.")


def simulate(
    network: RNN,
    inputs: Float[Tensor, "networks_or_1 trial time input"],
    dt: float,
    initial: Float[Tensor, "network trial neuron"] | None = None,
) -> Response:
    """Activity and output of every network in its own trials.

    `inputs` holds the trials of each network; a leading axis of 1 shows the same trials to all.
    Euler steps of `dt` seconds from `initial` (zero if not given).

    Raises ValueError where shapes do not fit, and if dt exceeds tau (the step is then unstable).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Reaching, random_networks, simulate
    >>> rng = np.random.default_rng(0)
    >>> task = Reaching()
    >>> networks = random_networks(2, 20, task.n_inputs, task.n_outputs)
    >>> response = simulate(networks, task.sample(5, rng).inputs[None], task.dt)
    >>> tuple(response.activity.shape), tuple(response.output.shape)
    ((2, 5, 50, 20), (2, 5, 50, 2))
    """
    check(network, inputs, dt)
    n_trials = inputs.shape[1]
    if initial is None:
        initial = network.recurrent.new_zeros(network.n_networks, n_trials, network.n_units)
    rates = rollout(
        network.recurrent,
        network.inward,
        inputs.permute(2, 0, 3, 1),
        initial.transpose(1, 2),
        h=dt / network.tau,
        nonlinearity=network.nonlinearity,
    )
    by_time = rates.permute(1, 0, 3, 2)  # as it lies in memory
    output = by_time @ network.outward.transpose(1, 2)[:, None]
    return Response(by_time.transpose(1, 2), output.transpose(1, 2))


def check(network: RNN, inputs: Tensor, dt: float) -> None:
    """Raise ValueError where weights, inputs (network, trial, time, input) and dt do not fit."""
    sizes = {
        "recurrent": (*network.recurrent.shape[:1], *network.recurrent.shape[-1:] * 2),
        "inward": (*network.recurrent.shape[:2], network.inward.shape[-1]),
        "outward": (network.n_networks, network.outward.shape[1], network.n_units),
    }
    for name, size in sizes.items():
        if getattr(network, name).shape != size:
            raise ValueError(
                f"{name} has shape {tuple(getattr(network, name).shape)}, expected is {size}: "
                "recurrent (network, post, pre), inward (network, post, input) and outward "
                "(network, output, pre) must agree on networks and units."
            )
    if inputs.ndim != 4:
        raise ValueError(
            f"inputs have shape {tuple(inputs.shape)}: the axes are (network, trial, time, input)."
        )
    if not 0 < dt <= network.tau:
        raise ValueError(
            f"dt is {dt} s and tau {network.tau} s: an Euler step must be positive and at most tau."
        )
    if inputs.shape[0] not in (1, network.n_networks):
        raise ValueError(
            f"inputs are for {inputs.shape[0]} networks, there are {network.n_networks}: "
            "give one set of trials for each, or a leading axis of 1 for all."
        )
    if inputs.shape[-1] != network.inward.shape[-1]:
        raise ValueError(
            f"inputs have {inputs.shape[-1]} channels, the networks take "
            f"{network.inward.shape[-1]}; the axes are (network, trial, time, input)."
        )
    if 0 in inputs.shape:
        raise ValueError(f"inputs are empty: shape {tuple(inputs.shape)}.")
    if not torch.isfinite(inputs).all():
        raise ValueError("inputs hold NaN or infinity; the axes are (network, trial, time, input).")
