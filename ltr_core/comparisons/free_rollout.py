"""Integration with weights of every trial on their own, in the latents of those weights."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ltr_core.ltrrnn.integration import TABLEAUX, Scheme, drive_nodes
from ltr_core.ltrrnn.solution import Solution

AT_ONCE = 10_000_000  # entries of (stage, unit, trial) that are worked on at once
SMALLEST = 0.1  # root of a trial factor, over that of the mean, that one factor takes on at least


class FreeWeights(NamedTuple):
    """A_k and B_k with entries of order 1: W_k = A_k B_k^T / units.

    Trials come last, so that products with few latents are sums of entrywise products.
    """

    columns: Float[Tensor, "rank unit trial"]
    rows: Float[Tensor, "rank unit trial"]


def start_weights(solution: Solution, spread: float, seed: int) -> FreeWeights:
    """Both factors of equal norm, unless a trial factor is too small to share."""
    system, rank = solution.system, len(solution.system.trial_factors)
    factors = system.trial_factors[:, None, :]
    least = SMALLEST * factors.abs().mean().sqrt()
    size = factors.abs().sqrt().clamp(min=float(least))
    columns = system.columns[:, :rank].T[..., None] * size
    rows = system.rows.T[..., None] * solution.root**2 * (factors / size)
    generator = torch.Generator().manual_seed(seed)

    def perturbed(part: Tensor) -> Tensor:
        drawn = torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part)
        return part + spread * part.square().mean((0, 1), keepdim=True).sqrt() * drawn

    return FreeWeights(perturbed(columns), perturbed(rows))


def chunks(solution: Solution) -> list[slice]:
    """Trials that fit into memory together: none depends on another."""
    n_trials = len(solution.system.group)
    stages = len(solution.system.drive) * len(TABLEAUX[solution.scheme].nodes)
    size = max(1, AT_ONCE // (stages * len(solution.system.columns)))
    return [slice(first, min(first + size, n_trials)) for first in range(0, n_trials, size)]


def driven_part(solution: Solution) -> Float[Tensor, "stage unit group"]:
    """x without recurrent weights, at every stage: the part of x that all weights share.

    The equation is linear but for the recurrent input, so x is this plus A_k times latents that
    start from 0.
    """
    system, tableau = solution.system, TABLEAUX[solution.scheme]
    places = _places(solution.scheme)
    latent, states = system.initial, []
    for drive in system.drive:
        slope = total = torch.zeros_like(latent)
        for stage, weight in enumerate(tableau.weights):
            states.append(latent + solution.step * tableau.nodes[stage] * slope)
            slope = drive[places[stage]] - states[-1]
            total = total + weight * slope
        latent = latent + solution.step * total
    return system.columns @ torch.stack([*states, latent]) + system.bias[:, None]


def _places(scheme: Scheme) -> list[int]:
    nodes = drive_nodes(scheme)
    return [nodes.index(node) for node in TABLEAUX[scheme].nodes]


def _rates(
    solution: Solution,
    weights: FreeWeights,
    driven: Float[Tensor, "stage unit group"],
    group: Int[Tensor, " trial"],
) -> Float[Tensor, "time unit trial"]:
    """Rates at the recorded times, integrated in the latents of each trial's own weights."""
    tableau, n_stages = TABLEAUX[solution.scheme], len(TABLEAUX[solution.scheme].nodes)
    back = weights.rows / solution.root**2
    latent = back.new_zeros(len(back), len(group))

    def rate(at: int, state: Float[Tensor, "rank trial"]) -> Float[Tensor, "unit trial"]:
        return torch.tanh(driven[at][:, group] + (weights.columns * state[:, None]).sum(0))

    found = []
    for now in range(len(solution.system.drive)):
        slope = total = torch.zeros_like(latent)
        for stage, weight in enumerate(tableau.weights):
            state = latent + solution.step * tableau.nodes[stage] * slope
            here = rate(now * n_stages + stage, state)
            if stage == 0 and now % solution.substeps == 0:
                found.append(here)
            slope = (back * here).sum(1) - state
            total = total + weight * slope
        latent = latent + solution.step * total
    return torch.stack([*found, rate(len(driven) - 1, latent)])


def predict(
    solution: Solution,
    weights: FreeWeights,
    driven: Float[Tensor, "stage unit group"],
    group: Int[Tensor, " trial"],
) -> Float[Tensor, "time neuron trial"]:
    """Rates of the neurons, or logarithms of their expected counts."""
    rates = _rates(solution, weights, driven, group)
    return solution.readout @ rates + solution.readout_bias[:, None]
