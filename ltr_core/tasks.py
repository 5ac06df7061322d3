"""Tasks: what a network is shown and what it is asked to do.

A task is a frozen dataclass of named settings (durations in seconds, lengths in metres,
angles in radians) with ``sample(n_trials, rng)``, which returns `Trials`. The reaching task
of the weight-tensor chapters also has a body: `Hand`, a point mass that the network's output
pushes, and a perturbation that acts on it (`CurlField`) or on what is seen of it
(`VisuomotorRotation`).
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.linalg import expm
from torch import Tensor


class Trials(NamedTuple):
    """What a task asks for in a number of trials.

    - `inputs` (trial, time, input): what the network is shown.
    - `targets` (trial, time, output): what is wanted, in the task's units.
    - `mask` (trial, time): 1 where the target counts, 0 where it does not.
    - `condition` (trial,): which of the task's conditions the trial belongs to.
    """

    inputs: Float[Tensor, "trial time input"]
    targets: Float[Tensor, "trial time output"]
    mask: Float[Tensor, "trial time"]
    condition: Int[Tensor, " trial"]


@dataclass(frozen=True)
class CurlField:
    """A velocity-dependent force at right angles to the hand's motion.

    The force is ``strength * [[0, -1], [1, 0]] @ velocity``: it pushes to the left of the
    motion if `strength` (N s/m) is positive, and does no work (Shadmehr & Mussa-Ivaldi 1994).
    """

    strength: float


@dataclass(frozen=True)
class VisuomotorRotation:
    """The cursor is the hand's position turned by `angle` (rad, counter-clockwise)."""

    angle: float


Perturbation = CurlField | VisuomotorRotation | None


class HandPath(NamedTuple):
    """The hand in space and the cursor that is seen of it, both in metres."""

    position: Float[Tensor, "*batch time 2"]
    cursor: Float[Tensor, "*batch time 2"]


@dataclass(frozen=True)
class Hand:
    """A point mass in the plane, slowed by viscosity and pushed by the network's output.

        mass dv/dt = force - viscosity v + perturbing force,    dp/dt = v

    `mass` in kg, `viscosity` in N s/m.
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
        curl = perturbation.strength if isinstance(perturbation, CurlField) else 0.0
        if force.ndim < 2 or force.shape[-1] != 2:
            raise ValueError(
                f"force has shape {tuple(force.shape)}: its last axes are (time, 2), a force in "
                "the plane at each step."
            )
        if not dt > 0:
            raise ValueError(f"dt is {dt} s: a step takes a positive time.")
        step, push = _exact_step(self.mass, self.viscosity, curl, dt)
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


def _seen(position: Tensor, perturbation: Perturbation) -> Tensor:
    if not isinstance(perturbation, VisuomotorRotation):
        return position
    cos, sin = np.cos(perturbation.angle), np.sin(perturbation.angle)
    return position @ position.new_tensor([[cos, -sin], [sin, cos]]).T


@lru_cache(maxsize=32)
def _exact_step(mass: float, viscosity: float, curl: float, dt: float) -> tuple[Tensor, Tensor]:
    """The map of (position, velocity) over one step, and what a unit force adds to it."""
    generator = np.zeros((6, 6))
    generator[:2, 2:4] = np.eye(2)
    generator[2:4, 2:4] = (curl * np.array([[0, -1], [1, 0]]) - viscosity * np.eye(2)) / mass
    generator[2:4, 4:] = np.eye(2) / mass
    flow = torch.from_numpy(expm(generator * dt))
    return flow[:4, :4], flow[:4, 4:]


@dataclass(frozen=True)
class Reaching:
    """Centre-out reaching: a target is shown, a go cue falls, the hand goes to the target.

    The inputs are the target's direction (cosine, sine), shown throughout, and a hold signal
    that falls from 1 to 0 at the go cue. The wanted path rests at the centre, then follows a
    minimum-jerk profile (Flash & Hogan 1985) and rests at the target.

    - `n_targets`: on a circle of radius `distance` (m).
    - `preparation`, `movement`, `hold`: durations in s; the go cue ends the preparation.
    - `go_jitter`: the go cue of each trial falls up to this much (s) earlier or later.
    - `dt`: time step in s.
    """

    n_targets: int = 8
    distance: float = 0.1
    preparation: float = 0.3
    movement: float = 0.5
    hold: float = 0.2
    go_jitter: float = 0.0
    dt: float = 0.02

    n_inputs = 3
    n_outputs = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not np.isfinite(value) or value < 0:
                raise ValueError(f"{field.name} is {value}: it must be finite and not negative.")
        if self.n_targets < 1:
            raise ValueError("n_targets is 0: an empty task; give at least one target.")
        for name in ("distance", "movement", "dt"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name} is 0: it must be positive.")
        if self.go_jitter > min(self.preparation, self.hold):
            raise ValueError(
                f"go_jitter ({self.go_jitter} s) is longer than the preparation "
                f"({self.preparation} s) or the hold ({self.hold} s) that must take it up."
            )

    @property
    def time(self) -> Float[Tensor, " time"]:
        """Seconds from the (unjittered) go cue, at the end of each step."""
        duration = self.preparation + self.movement + self.hold
        steps = torch.arange(1, round(duration / self.dt) + 1, dtype=torch.float64)
        return steps * self.dt - self.preparation

    @property
    def target_positions(self) -> Float[Tensor, "condition 2"]:
        """Where the targets are, in metres from the centre."""
        angle = torch.arange(self.n_targets, dtype=torch.float64) * (2 * np.pi / self.n_targets)
        return self.distance * torch.stack([angle.cos(), angle.sin()], dim=-1)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials in blocks of all targets, each block in an order of its own."""
        if n_trials < 1:
            raise ValueError(f"n_trials is {n_trials}: ask for at least one trial.")
        n_blocks = -(-n_trials // self.n_targets)
        order = np.concatenate([rng.permutation(self.n_targets) for _ in range(n_blocks)])
        jitter = rng.uniform(-self.go_jitter, self.go_jitter, n_trials)
        return self.trials(torch.from_numpy(order[:n_trials]), torch.from_numpy(jitter))

    def trials(
        self,
        condition: Int[Tensor, " trial"],
        go_shift: Float[Tensor, " trial"] | None = None,
    ) -> Trials:
        """Trials to the given targets, with each go cue shifted by `go_shift` seconds."""
        if len(condition) == 0:
            raise ValueError("condition is empty: give the target of at least one trial.")
        if condition.min() < 0 or condition.max() >= self.n_targets:
            raise ValueError(f"condition must lie in 0..{self.n_targets - 1} (n_targets).")
        if go_shift is None:
            go_shift = torch.zeros(len(condition), dtype=torch.float64)
        since_go = self.time - go_shift[:, None]
        goal = self.target_positions[condition]
        cue = (goal / self.distance)[:, None].expand(-1, len(self.time), -1)
        holding = (since_go <= self.dt / 2).double()[..., None]
        progress = (since_go / self.movement).clamp(0, 1)
        profile = 10 * progress**3 - 15 * progress**4 + 6 * progress**5
        return Trials(
            inputs=torch.cat([cue, holding], dim=-1),
            targets=profile[..., None] * goal[:, None],
            mask=torch.ones_like(progress),
            condition=condition,
        )


def lateral_deviation(
    path: Float[Tensor, "*batch time 2"], goal: Float[Tensor, "*batch 2"]
) -> Float[Tensor, "*batch"]:
    """Largest signed distance (m) of a path from the straight line to its goal.

    Positive to the left of the line, as seen from the start.
    """
    unit = goal / goal.norm(dim=-1, keepdim=True)
    left = torch.stack([-unit[..., 1], unit[..., 0]], dim=-1)
    aside = (path * left[..., None, :]).sum(-1)
    largest = aside.abs().argmax(dim=-1, keepdim=True)
    return aside.gather(-1, largest).squeeze(-1)
