"""Inputs that belong to a condition: a smooth basis, or a small neural ODE.

Both turn their free parameters into the drive of every step, and know how to start near a wanted
drive. Inputs act in chosen steps only (before the go cue, after it, or both).
"""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Free = dict[str, Tensor]
Drive = Float[Tensor, "step node latent group"]

PREFIT_STEPS = 150
PREFIT_RATE = 0.02


@runtime_checkable
class Inputs(Protocol):
    """How free parameters become the drive of conditions."""

    def start(self, wanted: Drive, generator: torch.Generator) -> Free:
        """Free parameters that give about the wanted drive."""

    def drive(self, free: Free) -> Drive:
        """The drive at the nodes of every step."""


class NoInputs:
    """No input at any time: what a condition is shows in its initial state alone."""

    def start(self, wanted: Drive, generator: torch.Generator) -> Free:
        """No parameters; the size of the drive is kept."""
        self._none = torch.zeros_like(wanted)
        return {}

    def drive(self, free: Free) -> Drive:
        """Zero."""
        return self._none


class BasisInputs:
    """Sums of raised-cosine bumps that tile the active steps."""

    def __init__(
        self, nodes: list[float], active: Bool[Tensor, " step"], n_bumps: int, dtype: torch.dtype
    ) -> None:
        at = torch.arange(len(active))[:, None] + torch.tensor(nodes, dtype=torch.float64)
        # the bumps tile the time in which inputs act, over a pause in it as well
        acts = active.nonzero().flatten()
        first, last = float(acts[0]), float(acts[-1]) + 1
        centres = torch.linspace(first, last, n_bumps, dtype=torch.float64)
        width = 1.5 * (last - first) / max(n_bumps - 1, 1)
        away = ((at[..., None] - centres) / width).clamp(-1, 1)
        bumps = 0.5 * (1 + torch.cos(torch.pi * away)).to(active.device, dtype)
        self.bumps: Float[Tensor, "step node bump"] = bumps * active[:, None, None]

    def start(self, wanted: Drive, generator: torch.Generator) -> Free:
        """Least squares, slightly regularised where bumps outnumber the steps."""
        flat = self.bumps.flatten(0, 1).double()
        gram = flat.T @ flat
        gram += 1e-6 * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
        target = flat.T @ wanted.flatten(0, 1).flatten(1).double()
        fitted = torch.linalg.solve(gram, target)
        return {"inputs": fitted.to(wanted.dtype).unflatten(1, wanted.shape[2:])}

    def drive(self, free: Free) -> Drive:
        """The bumps, weighted for every latent and condition."""
        return torch.einsum("snb,blg->snlg", self.bumps, free["inputs"])


class NeuralODEInputs:
    """u = v with tau_v dv/dt = -v + W2 tanh(W1 v + b1) + b2; a condition sets v at the start."""

    def __init__(
        self,
        nodes: list[float],
        active: Bool[Tensor, " step"],
        n_hidden: int,
        tau_steps: float,
    ) -> None:
        self.per_step = max(len(nodes) - 1, 1)
        self.places = [round(node * self.per_step) for node in nodes]
        self.active = active
        self.n_hidden = n_hidden
        self.h = 1 / (self.per_step * tau_steps)

    def start(self, wanted: Drive, generator: torch.Generator) -> Free:
        """Random weights, then a short fit to the wanted drive."""
        n_latents, n_groups = wanted.shape[2:]

        def random(*shape: int, scale: float) -> Tensor:
            drawn = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale
            return drawn.to(wanted)

        free = {
            "ode_start": random(n_latents, n_groups, scale=0.1),
            "ode_in": random(self.n_hidden, n_latents, scale=n_latents**-0.5),
            "ode_in_bias": random(self.n_hidden, 1, scale=0.5),
            "ode_out": random(n_latents, self.n_hidden, scale=self.n_hidden**-0.5),
            "ode_out_bias": random(n_latents, 1, scale=0.1),
        }
        free["ode_start"] += wanted[int(self.active.nonzero()[0]), 0]
        for parameter in free.values():
            parameter.requires_grad_()
        optimiser = torch.optim.Adam(free.values(), lr=PREFIT_RATE)
        for _ in range(PREFIT_STEPS):
            optimiser.zero_grad()
            (self.drive(free) - wanted).square().mean().backward()
            optimiser.step()
        return {name: parameter.detach() for name, parameter in free.items()}

    def drive(self, free: Free) -> Drive:
        """Heun steps from one node to the next, kept where inputs act."""

        def slope(state: Tensor) -> Tensor:
            hidden = torch.tanh(free["ode_in"] @ state + free["ode_in_bias"])
            return free["ode_out"] @ hidden + free["ode_out_bias"] - state

        first = int(self.active.nonzero()[0])
        state = free["ode_start"]
        path = [state] * (first * self.per_step + 1)
        for _ in range((len(self.active) - first) * self.per_step):
            here = slope(state)
            there = slope(state + self.h * here)
            state = state + self.h / 2 * (here + there)
            path.append(state)
        whole = torch.stack(path)
        steps = torch.arange(len(self.active), device=whole.device) * self.per_step
        drive = torch.stack([whole[steps + place] for place in self.places], 1)
        return drive * self.active[:, None, None, None]
