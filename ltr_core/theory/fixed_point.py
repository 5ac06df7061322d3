"""Gradient descent on the fixed point of a linear network, without simulating it.

The output of a linear network under a constant input m settles at z = w^T (1 - W)^-1 m, and the
gradient of (z* - z)^2 / 2 with respect to W is -(z* - z) b a^T with a = (1 - W)^-1 m and
b = (1 - W)^-T w (Schuessler et al. 2020). This is what backpropagation through a long simulation
gives, at a small part of its cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.theory.resolvent import check_linear

# A direction of the change that is smaller than this share of it is rounding.
ROUNDING = 1e-13


class FixedPointLearning(NamedTuple):
    """The course of gradient descent on the fixed point; epoch k follows k steps.

    - `output` (network, epoch): z, for epochs 0 to n_epochs; `loss`: (z* - z)^2 / 2.
    - `singular_values` (network, epoch, 2): the two largest of the change W - W0.
    - `recorded`: the epochs of `change` (network, record, post, pre), which is W - W0.
    - `spectrum_at`: the epochs of `largest_real_part` (network, spectrum), of W's eigenvalues.
    - `diverged_at`: for each network the epoch at which it lost its stable fixed point, None if
      it did not. From then on everything is NaN (but the largest real part at that epoch).

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 20, 1, 1, g=0.5, nonlinearity="identity")
    >>> course = theory.descend_fixed_point(
    ...     networks, 0.5, learning_rate=0.02, n_epochs=10, record_at=[5, 10]
    ... )
    >>> course.output.shape, course.recorded, course.change.shape
    (torch.Size([2, 11]), (5, 10), torch.Size([2, 2, 20, 20]))
    """

    output: Float[Tensor, "network epoch"]
    loss: Float[Tensor, "network epoch"]
    singular_values: Float[Tensor, "network epoch 2"]
    recorded: tuple[int, ...]
    change: Float[Tensor, "network record post pre"]
    spectrum_at: tuple[int, ...]
    largest_real_part: Float[Tensor, "network spectrum"]
    diverged_at: tuple[int | None, ...]


def descend_fixed_point(
    networks: RNN,
    target: float,
    *,
    learning_rate: float,
    n_epochs: int,
    record_at: Sequence[int] = (),
    spectrum_at: Sequence[int] = (),
) -> FixedPointLearning:
    """Steps of gradient descent on W, from each network's weights, in double precision.

    A network diverges at the first epoch at which the loss is not finite or an eigenvalue of W
    has a real part of 1 or more: activity then grows instead of settling. One real eigenvalue is
    seen at every epoch, from the sign of det(1 - W); a pair only at the epochs `spectrum_at`,
    whose eigenvalues are computed in full (0.05 s at 256 units, seconds at 1024).

    Raises ValueError if a network is not linear, has no stable fixed point to begin with, has
    other than one input and one output, or holds values that are not finite, and for settings
    out of range.

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 20, 1, 1, g=0.5, nonlinearity="identity")
    >>> course = theory.descend_fixed_point(networks, 0.5, learning_rate=0.05, n_epochs=100)
    >>> course.output[:, -1].numpy().round(2), course.diverged_at
    (array([0.5, 0.5]), (None, None))
    """
    _check(networks, target, learning_rate, n_epochs)
    recorded = _epochs("record_at", record_at, n_epochs)
    spectra = _epochs("spectrum_at", spectrum_at, n_epochs)
    n, size = networks.n_networks, networks.n_units
    empty = torch.full((n, n_epochs + 1), torch.nan, dtype=torch.float64)
    out = FixedPointLearning(
        output=empty,
        loss=empty.clone(),
        singular_values=empty[..., None].repeat(1, 1, 2),
        recorded=recorded,
        change=torch.full((n, len(recorded), size, size), torch.nan, dtype=torch.float64),
        spectrum_at=spectra,
        largest_real_part=torch.full((n, len(spectra)), torch.nan, dtype=torch.float64),
        diverged_at=(None,) * n,
    )
    diverged = [_descend(networks, i, target, learning_rate, out) for i in range(n)]
    return out._replace(diverged_at=tuple(diverged))


def two_unit_equivalent(networks: RNN) -> RNN:
    """Networks of two units that learn exactly as networks without random weights do.

    With W0 = 0 the change stays in the plane of the input vector m and the readout vector w. In
    an orthonormal basis of the plane, m and w scaled by `sqrt(|m| |w|)`, it is a network of two
    units with the same output, loss, singular values and eigenvalues at every epoch.

    Raises ValueError where W0 is not 0, or m or w is.

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> large = mean_field_networks(1, 100, 1, 1, g=0.0, nonlinearity="identity")
    >>> small = theory.two_unit_equivalent(large)
    >>> options = {"learning_rate": 0.1, "n_epochs": 10}
    >>> courses = [theory.descend_fixed_point(one, 0.5, **options) for one in (large, small)]
    >>> small.n_units, bool((courses[0].output - courses[1].output).abs().max() < 1e-6)
    (2, True)
    """
    check_linear(networks)
    if networks.recurrent.any():
        raise ValueError("recurrent is not 0: two units are equivalent only without W0 (g = 0).")
    m, w = networks.inward[..., 0].double(), networks.outward[:, 0].double()
    length = m.norm(dim=-1) * w.norm(dim=-1)
    if (length == 0).any():
        raise ValueError("The input or the readout vector of a network is 0: it cannot learn.")
    first = w / w.norm(dim=-1, keepdim=True)
    along = (m * first).sum(-1) / m.norm(dim=-1)
    across = (1 - along.square()).clamp_min(0).sqrt()
    scale = length.sqrt()
    inward = (scale[:, None] * torch.stack([along, across], dim=-1))[..., None]
    outward = (scale[:, None] * scale.new_tensor([1.0, 0.0]))[:, None]
    recurrent = scale.new_zeros(networks.n_networks, 2, 2)
    return networks._replace(recurrent=recurrent, inward=inward, outward=outward)


@dataclass
class _Descent:
    """One network: W = W0 + U M V^T, in orthonormal bases of all b (U) and all a (V) so far.

    They are few, so that after one factorisation of 1 - W0 an epoch costs a few products of N by
    their number (the Woodbury identity); W0 itself is never updated, so no error builds up.
    """

    factors: tuple[Tensor, Tensor]
    a0: Tensor
    b0: Tensor
    z0: float
    left: Tensor = field(init=False)  # U (unit, direction)
    right: Tensor = field(init=False)  # V (unit, direction)
    core: Tensor = field(init=False)  # M
    through_left: Tensor = field(init=False)  # (1 - W0)^-1 U
    through_right: Tensor = field(init=False)  # (1 - W0)^-T V

    def __post_init__(self) -> None:
        for name in ("left", "right", "through_left", "through_right"):
            setattr(self, name, self.a0.new_zeros(len(self.a0), 0))
        self.core = self.a0.new_zeros(0, 0)

    def now(self) -> tuple[float, Tensor, Tensor, float]:
        """z, a, b and det(1 - W) / det(1 - W0)."""
        loop = -self.core @ (self.right.T @ self.through_left)
        loop.diagonal().add_(1)
        ratio = float(torch.linalg.det(loop))
        if ratio == 0 or not np.isfinite(ratio):
            return np.nan, self.a0, self.b0, ratio
        passed = torch.linalg.solve(loop, self.core)
        into, onto = self.right.T @ self.a0, self.left.T @ self.b0
        z = self.z0 + float(onto @ passed @ into)
        a = self.a0 + self.through_left @ (passed @ into)
        b = self.b0 + self.through_right @ (onto @ passed)
        return z, a, b, ratio

    def step(self, size: float, b: Tensor, a: Tensor) -> None:
        """W += size b a^T."""
        self.left, of_b = _extended(self.left, b)
        self.right, of_a = _extended(self.right, a)
        grown = self.core.new_zeros(len(of_b), len(of_a))
        grown[: self.core.shape[0], : self.core.shape[1]] = self.core
        self.core = grown + size * torch.outer(of_b, of_a)
        lu, pivots = self.factors
        if self.through_left.shape != self.left.shape:
            new = torch.linalg.lu_solve(lu, pivots, self.left[:, -1:])
            self.through_left = torch.cat([self.through_left, new], dim=1)
        if self.through_right.shape != self.right.shape:
            new = torch.linalg.lu_solve(lu, pivots, self.right[:, -1:], adjoint=True)
            self.through_right = torch.cat([self.through_right, new], dim=1)

    def change(self) -> Tensor:
        return self.left @ self.core @ self.right.T


def _descend(
    networks: RNN, which: int, target: float, learning_rate: float, out: FixedPointLearning
) -> int | None:
    """Fill in one network's part of `out`; returns the epoch at which it diverged."""
    recurrent, m, w = (part[which].double() for part in networks[:3])
    gap = torch.eye(networks.n_units).to(recurrent) - recurrent
    if torch.linalg.slogdet(gap).sign <= 0:
        raise _unstable(which)
    lu, pivots = torch.linalg.lu_factor(gap)
    a0 = torch.linalg.lu_solve(lu, pivots, m)[:, 0]
    b0 = torch.linalg.lu_solve(lu, pivots, w.T, adjoint=True)[:, 0]
    descent = _Descent((lu, pivots), a0, b0, float(w[0] @ a0))
    for epoch in range(out.output.shape[1]):
        z, a, b, ratio = descent.now()
        loss = (target - z) * (target - z) / 2  # a power would raise where this is infinite
        stable = bool(np.isfinite(loss)) and ratio > 0
        if np.isfinite(z) and epoch in out.spectrum_at:
            real = torch.linalg.eigvals(recurrent + descent.change()).real.max()
            out.largest_real_part[which, out.spectrum_at.index(epoch)] = real
            stable = stable and bool(real < 1)
        if not stable and epoch == 0:
            raise _unstable(which)
        if not stable:
            return epoch
        out.output[which, epoch] = z
        out.loss[which, epoch] = loss
        sizes = torch.linalg.svdvals(descent.core)[:2]
        out.singular_values[which, epoch] = 0
        out.singular_values[which, epoch, : len(sizes)] = sizes
        if epoch in out.recorded:
            out.change[which, out.recorded.index(epoch)] = descent.change()
        descent.step(learning_rate * (target - z), b, a)
    return None


def _unstable(which: int) -> ValueError:
    return ValueError(
        f"Network {which} has an eigenvalue of real part 1 or more before it learns: it has no "
        "stable fixed point; lower g, or draw it with another seed."
    )


def _extended(basis: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
    """The orthonormal basis, with one column more if `vector` needs it; its coordinates."""
    rest = vector
    for _ in range(2):  # the second pass takes away what rounding left
        rest = rest - basis @ (basis.T @ rest)
    length = rest.norm()
    if length > ROUNDING * vector.norm() and basis.shape[1] < len(vector):
        basis = torch.cat([basis, (rest / length)[:, None]], dim=1)
    return basis, basis.T @ vector


def _epochs(name: str, epochs: Sequence[int], n_epochs: int) -> tuple[int, ...]:
    chosen = tuple(sorted(set(epochs)))
    if chosen and not 0 <= chosen[0] <= chosen[-1] <= n_epochs:
        raise ValueError(f"{name} is {tuple(epochs)}: epochs lie between 0 and {n_epochs}.")
    return chosen


def _check(networks: RNN, target: float, learning_rate: float, n_epochs: int) -> None:
    check_linear(networks)
    if not np.isfinite(target):
        raise ValueError(f"target is {target}: it must be finite.")
    if not (np.isfinite(learning_rate) and learning_rate >= 0):
        raise ValueError(f"learning_rate is {learning_rate}: it must be finite and not negative.")
    if n_epochs < 0:
        raise ValueError(f"n_epochs is {n_epochs}: it must not be negative.")
