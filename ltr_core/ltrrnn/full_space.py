"""The same network with all its units and weights written out: what the latent space must equal.

    tau dx/dt = -x + beta + W_k tanh(x) + C u(t),      W_k = sum_r c_kr a_r b_r^T

The weights are a tensor trials x units x units, a step costs as much, and autograd goes through
the loop. Of use as a reference for tests and as the baseline of benchmarks only.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.ltrrnn.integration import TABLEAUX, Scheme, System, drive_nodes


class FullSystem(NamedTuple):
    """What moves the states of all units.

    - `weights` (trial, post, pre): W. `bias` (unit,): beta.
    - `initial` (trial, unit): x at the first time.
    - `drive` (step, node, trial, unit): C u at each distinct node of every step.
    """

    weights: Float[Tensor, "trial post pre"]
    bias: Float[Tensor, " unit"]
    initial: Float[Tensor, "trial unit"]
    drive: Float[Tensor, "step node trial unit"]


class FullRollout(NamedTuple):
    """States x and rates tanh(x) at every recorded time."""

    states: Float[Tensor, "time trial unit"]
    rates: Float[Tensor, "time trial unit"]


def full_system(system: System) -> FullSystem:
    """The network of a system of latents, with x = C kappa + beta; differentiable.

    Examples
    --------
    >>> import torch
    >>> from ltr_core.ltrrnn.full_space import full_system
    >>> from ltr_core.ltrrnn.integration import System
    >>> unit, factors = torch.eye(4)[:, :1], torch.tensor([[0.5, 1.0]])  # of two trials
    >>> start, drive, group = torch.ones(1, 1), torch.zeros(10, 2, 1, 1), torch.tensor([0, 0])
    >>> full = full_system(System(unit, unit, factors, torch.zeros(4), start, drive, group))
    >>> tuple(full.weights.shape), full.weights[:, 0, 0].tolist()
    ((2, 4, 4), [0.5, 1.0])
    """
    columns, rank = system.columns, len(system.trial_factors)
    weights = torch.einsum("rk,nr,mr->knm", system.trial_factors, columns[:, :rank], system.rows)
    initial = (columns @ system.initial).T[system.group] + system.bias
    drive = torch.einsum("nl,splg->spgn", columns, system.drive)[:, :, system.group]
    return FullSystem(weights, system.bias, initial, drive)


def velocity(
    full: FullSystem, state: Float[Tensor, "trial unit"], drive: Float[Tensor, "trial unit"]
) -> Float[Tensor, "trial unit"]:
    """tau dx/dt of every trial's state under its own drive."""
    recurrent = torch.matmul(full.weights, torch.tanh(state)[:, :, None])[:, :, 0]
    return full.bias - state + recurrent + drive


def integrate_full(
    full: FullSystem,
    step: float,
    scheme: Scheme = "heun",
    substeps: int = 1,
    noise: Float[Tensor, "step trial unit"] | None = None,
) -> FullRollout:
    """States and rates of all trials, by the scheme that `integrate` uses in the latent space.

    `step` is the length of a step over tau; every `substeps` steps there is a recorded time.
    `noise` is added to the states after each step.

    Examples
    --------
    >>> import torch
    >>> from ltr_core.ltrrnn.full_space import full_system, integrate_full
    >>> from ltr_core.ltrrnn.integration import System, integrate
    >>> unit, factors = torch.eye(4)[:, :1], torch.tensor([[0.5, 1.0]])  # of two trials
    >>> start, drive, group = torch.ones(1, 1), torch.zeros(10, 2, 1, 1), torch.tensor([0, 0])
    >>> system = System(unit, unit, factors, torch.zeros(4), start, drive, group)
    >>> rates = integrate_full(full_system(system), step=0.1).rates
    >>> torch.allclose(rates, integrate(system, step=0.1).rates.transpose(1, 2), atol=1e-6)
    True
    """
    tableau, nodes = TABLEAUX[scheme], drive_nodes(scheme)
    state = full.initial
    states = [state]
    for now, driven in enumerate(full.drive):
        slope, total = torch.zeros_like(state), torch.zeros_like(state)
        for node, weight in zip(tableau.nodes, tableau.weights, strict=True):
            slope = velocity(full, state + step * node * slope, driven[nodes.index(node)])
            total = total + weight * slope
        state = state + step * total
        if noise is not None:
            state = state + noise[now]
        if (now + 1) % substeps == 0:
            states.append(state)
    recorded = torch.stack(states)
    return FullRollout(recorded, torch.tanh(recorded))
