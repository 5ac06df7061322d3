"""The hand that a network's output pushes, and what perturbs it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import expm
from torch import Tensor


@dataclass(frozen=True)
class CurlField:
    """A velocity-dependent force at right angles to the hand's motion.

    The force is ``strength * [[0, -1], [1, 0]] @ velocity``: it pushes to the left of the
    motion if `strength` (N s/m) is positive, and does no work (Shadmehr & Mussa-Ivaldi 1994).

    Examples
    --------
    >>> import torch
    >>> from ltr_core import CurlField, Hand
    >>> push = torch.tensor([[1.0, 0.0]]).repeat(50, 1)  # to the right, for a second
    >>> path = Hand().move(push, dt=0.02, perturbation=CurlField(5.0))
    >>> bool(path.position[-1, 1] > 0)  # turned to the left
    True
    """

    strength: float


Plane = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class ForceField:
    """A force that is any linear map of the hand's velocity: ``matrix @ velocity``.

    `matrix` in N s/m, rows first. A curl ((0, -b), (b, 0)) turns the motion, a dilation
    ((b, 0), (0, b)) speeds it up, the saddles ((b, 0), (0, -b)) and ((0, b), (b, 0)) speed it up
    along one axis and slow it down along another; these four span all fields. Raises ValueError
    for a matrix that is not 2 x 2 or not finite.

    Examples
    --------
    >>> import torch
    >>> from ltr_core import CurlField, ForceField, Hand
    >>> push = torch.tensor([[1.0, 0.0]]).repeat(50, 1)
    >>> field = ForceField(((0.0, -5.0), (5.0, 0.0)))
    >>> path = Hand().move(push, 0.02, field).position
    >>> bool(torch.equal(path, Hand().move(push, 0.02, CurlField(5.0)).position))
    True
    """

    matrix: Plane

    def __post_init__(self) -> None:
        if np.shape(self.matrix) != (2, 2) or not np.isfinite(self.matrix).all():
            raise ValueError(f"matrix is {self.matrix}: give 2 rows of 2 finite numbers (N s/m).")


@dataclass(frozen=True)
class VisuomotorRotation:
    """The cursor is the hand's position turned by `angle` (rad, counter-clockwise).

    Examples
    --------
    >>> import torch
    >>> from ltr_core import Hand, VisuomotorRotation
    >>> push = torch.tensor([[1.0, 0.0]]).repeat(50, 1)
    >>> path = Hand().move(push, 0.02, VisuomotorRotation(torch.pi / 2))
    >>> bool(path.position[-1, 0] > 0), torch.equal(path.cursor[:, 1], path.position[:, 0])
    (True, True)
    """

    angle: float


Perturbation = CurlField | ForceField | VisuomotorRotation | None


class HandPath(NamedTuple):
    """The hand in space and the cursor that is seen of it, both in metres."""

    position: Float[Tensor, "*batch time 2"]
    cursor: Float[Tensor, "*batch time 2"]


@dataclass(frozen=True)
class Hand:
    """A point mass in the plane, slowed by viscosity and pushed by the network's output.

        mass dv/dt = force - viscosity v + perturbing force,    dp/dt = v

    `mass` in kg, `viscosity` in N s/m.

    Examples
    --------
    >>> import torch
    >>> from ltr_core import Hand
    >>> path = Hand(mass=1.0, viscosity=2.0).move(torch.ones(100, 2), dt=0.02)
    >>> tuple(path.position.shape)
    (100, 2)
    """

    mass: float = 1.0
    viscosity: float = 2.0

    def __post_init__(self) -> None:
        if self.mass <= 0:
            raise ValueError(f"mass is {self.mass} kg: a point mass needs a positive one.")
        if self.viscosity < 0:
            raise ValueError(f"viscosity is {self.viscosity} N s/m: it must not be negative.")

    def move(
        self,
        force: Float[Tensor, "*batch time 2"],
        dt: float,
        perturbation: Perturbation = None,
        velocity: tuple[float, float] = (0.0, 0.0),
    ) -> HandPath:
        """The hand's path from the origin, under a force (N) held constant over each step.

        The equation of motion is linear, so each step of `dt` seconds is exact (matrix
        exponential). The path at index t is the one reached at the end of step t.
        `velocity` (m/s) is the one at the start. Raises ValueError for a force that is not one in
        the plane, or a dt that is not positive.
        """
        if force.ndim < 2 or force.shape[-1] != 2:
            raise ValueError(
                f"force has shape {tuple(force.shape)}: its last axes are (time, 2), a force in "
                "the plane at each step."
            )
        if not dt > 0:
            raise ValueError(f"dt is {dt} s: a step takes a positive time.")
        step, push = _exact_step(self.mass, self.viscosity, _field(perturbation), dt)
        step, push = step.to(force), push.to(force)
        # all steps at once: the state after step t is sum_s step^(t-s) push force_s
        n_steps = force.shape[-2]
        powers = [torch.eye(4, dtype=force.dtype, device=force.device)]
        for _ in range(n_steps):
            powers.append(step @ powers[-1])
        response = torch.stack([power[:2] @ push for power in powers[:-1]])  # (lag, 2, 2)
        lag = torch.arange(n_steps)[:, None] - torch.arange(n_steps)[None, :]
        kernel = torch.where((lag >= 0)[..., None, None], response[lag.clamp(min=0)], 0.0)
        position = torch.einsum("tsij,...sj->...ti", kernel, force)
        if velocity != (0.0, 0.0):
            start = force.new_tensor([0.0, 0.0, *velocity])
            position = position + torch.stack([power[:2] @ start for power in powers[1:]])
        return HandPath(position, _seen(position, perturbation))


def _field(perturbation: Perturbation) -> Plane:
    """The perturbing force by the velocity."""
    if isinstance(perturbation, ForceField):
        return perturbation.matrix
    curl = perturbation.strength if isinstance(perturbation, CurlField) else 0.0
    return (0.0, -curl), (curl, 0.0)


def _seen(position: Tensor, perturbation: Perturbation) -> Tensor:
    if not isinstance(perturbation, VisuomotorRotation):
        return position
    cos, sin = np.cos(perturbation.angle), np.sin(perturbation.angle)
    return position @ position.new_tensor([[cos, -sin], [sin, cos]]).T


@lru_cache(maxsize=32)
def _exact_step(mass: float, viscosity: float, field: Plane, dt: float) -> tuple[Tensor, Tensor]:
    """The map of (position, velocity) over one step, and what a unit force adds to it."""
    generator = np.zeros((6, 6))
    generator[:2, 2:4] = np.eye(2)
    generator[2:4, 2:4] = (np.array(field) - viscosity * np.eye(2)) / mass
    generator[2:4, 4:] = np.eye(2) / mass
    flow = torch.from_numpy(expm(generator * dt))
    return flow[:4, :4], flow[:4, 4:]
