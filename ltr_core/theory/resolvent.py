"""What (1 - W)^-1 does to the input and the readout vector, and the first orders of learning.

    z = w^T (1 - W)^-1 m,        a = (1 - W)^-1 m,        b = (1 - W)^-T w

for linear networks with one constant input m and one readout w, from their weights themselves:
nothing here takes N to be large, but for `large_network_norms`.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.theory.linear import Values, amplification, units


class ResolventNorms(NamedTuple):
    """The sizes of which the large-N theory is made, with A0 = (1 - W0)^-1.

    - `input`: `|a0|^2`; `readout`: `|b0|^2`.
    - `input_again`: `|A0^T a0|^2`; `readout_again`: `|A0 b0|^2`; `input_overlap`: `a0^T A0^T a0`.
    - `mixed`: `a0^T A0 b0`, which differs in sign between networks.

    Examples
    --------
    >>> from ltr_core import theory
    >>> norms = theory.large_network_norms(g=0.5, n_units=100)
    >>> print(norms.input.round(1), norms.mixed)
    133.3 0.0
    """

    input: Float[np.ndarray, "..."]
    readout: Float[np.ndarray, "..."]
    input_again: Float[np.ndarray, "..."]
    readout_again: Float[np.ndarray, "..."]
    input_overlap: Float[np.ndarray, "..."]
    mixed: Float[np.ndarray, "..."]


class ChangeOrders(NamedTuple):
    """The change of the weights at first and second order: tau `first` + tau^2 `second`.

    Examples
    --------
    >>> import torch
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> ones = torch.ones(1, 2, 1)
    >>> network = ltr.RNN(torch.eye(2)[None] / 2, ones, ones.mT / 4, 1.0, "identity")
    >>> orders = theory.change_orders(network, target=1.5)
    >>> orders.first.shape == orders.second.shape == network.recurrent.shape
    True
    """

    first: Float[Tensor, "network post pre"]
    second: Float[Tensor, "network post pre"]


def resolvent_norms(networks: RNN) -> ResolventNorms:
    """The norms of each network (network,).

    Raises ValueError for networks that are not linear, have other than one input and one output,
    or hold values that are not finite.

    Examples
    --------
    >>> import torch
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> ones = torch.ones(1, 2, 1)
    >>> network = ltr.RNN(torch.eye(2)[None] / 2, ones, ones.mT / 4, 1.0, "identity")
    >>> norms = theory.resolvent_norms(network)  # a0 is (2, 2), b0 (1/2, 1/2), A0 2
    >>> norms.input, norms.readout, norms.mixed
    (array([8.]), array([0.5]), array([4.]))
    """
    resolvent, a, b = _resolvent(networks)
    again = (resolvent.mT @ a[..., None])[..., 0]
    readout_again = (resolvent @ b[..., None])[..., 0]
    squares = [(part, part) for part in (a, b, again, readout_again)]
    pairs = [*squares, (a, again), (a, readout_again)]
    norms = [(left * right).sum(-1).cpu().numpy() for left, right in pairs]
    return ResolventNorms(*norms)


def large_network_norms(g: Values, n_units: int) -> ResolventNorms:
    """What they tend to for `|m| = sqrt(N)`, `|w| = 1 / sqrt(N)` (Schuessler et al. 2020).

    N beta, beta / N, N beta^4, beta^4 / N, N beta^2 and 0, with beta = 1 / (1 - g^2).
    Raises ValueError for g outside [0, 1) or fewer than one unit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.large_network_norms(np.array([0.0, 0.5]), 100).input.round(1)
    array([100. , 133.3])
    """
    beta, n = amplification(g), units(n_units)
    powers = (n * beta, beta / n, n * beta**4, beta**4 / n, n * beta**2, 0 * beta)
    return ResolventNorms(*(np.asarray(power) for power in powers))


def change_orders(networks: RNN, target: float) -> ChangeOrders:
    """First and second order of the change under gradient descent, as matrices.

        first  = e0 b0 a0^T
        second = (e0^2 (|b0|^2 A0^T a0 a0^T + |a0|^2 b0 (A0 b0)^T) - e0 |a0|^2 |b0|^2 b0 a0^T) / 2

    with e0 = z* - z0 (Schuessler et al. 2020, there for z0 = 0 and large N; here exact for every
    network). Raises ValueError as `resolvent_norms` does, and for a target that is not finite.

    Examples
    --------
    >>> import torch
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> ones = torch.ones(1, 2, 1)
    >>> network = ltr.RNN(torch.eye(2)[None] / 2, ones, ones.mT / 4, 1.0, "identity")
    >>> theory.change_orders(network, target=1.5).first[0].numpy()  # z0 is 1, b0 a0^T of ones
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    if not np.isfinite(target):
        raise ValueError(f"target is {target}: it must be finite.")
    resolvent, a, b = _resolvent(networks)
    a_size, b_size = a.square().sum(-1)[:, None, None], b.square().sum(-1)[:, None, None]
    row, column = a[:, None, :], b[:, :, None]
    error = (target - networks.outward.double() @ a[..., None])[..., :1]
    turned = b_size * (resolvent.mT @ a[..., None]) * row
    turned = turned + a_size * column * (resolvent @ column).mT
    slowed = a_size * b_size * column * row
    return ChangeOrders(error * column * row, (error.square() * turned - error * slowed) / 2)


def fixed_point_output(networks: RNN) -> Float[Tensor, " network"]:
    """z of every network, where its activity settles if it is stable.

    Raises ValueError for networks that are not linear, have other than one input and one output,
    or hold values that are not finite.

    Examples
    --------
    >>> import torch
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> ones = torch.ones(1, 2, 1)
    >>> network = ltr.RNN(torch.eye(2)[None] / 2, ones, ones.mT / 4, 1.0, "identity")
    >>> theory.fixed_point_output(network).numpy()
    array([1.])
    """
    check_linear(networks)
    recurrent, inward, outward = (part.double() for part in networks[:3])
    return (outward @ torch.linalg.solve(_eye(networks) - recurrent, inward))[:, 0, 0]


def check_linear(networks: RNN) -> None:
    """Raise ValueError unless networks are linear, with one input, one output, finite weights."""
    if networks.nonlinearity != "identity":
        raise ValueError(
            f"The networks' nonlinearity is '{networks.nonlinearity}': the theory is of linear "
            'networks, nonlinearity="identity".'
        )
    n_inputs, n_outputs = networks.inward.shape[-1], networks.outward.shape[1]
    if (n_inputs, n_outputs) != (1, 1):
        raise ValueError(
            f"The networks have {n_inputs} inputs and {n_outputs} outputs: the fixed point is "
            "that of one constant input, read by one output."
        )
    for name, part in zip(("recurrent", "inward", "outward"), networks[:3], strict=True):
        if not torch.isfinite(part).all():
            raise ValueError(f"{name} holds NaN or infinity.")


def _resolvent(networks: RNN) -> tuple[Tensor, Tensor, Tensor]:
    """(1 - W)^-1, a and b."""
    check_linear(networks)
    resolvent = torch.linalg.inv(_eye(networks) - networks.recurrent.double())
    a = (resolvent @ networks.inward.double())[..., 0]
    b = (networks.outward.double() @ resolvent)[:, 0]
    return resolvent, a, b


def _eye(networks: RNN) -> Tensor:
    return torch.eye(networks.n_units, dtype=torch.float64, device=networks.recurrent.device)
