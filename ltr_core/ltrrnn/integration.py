"""Exact integration of the ltrRNN in its latent space, with its own backward pass.

With x = C kappa + beta, where the columns of C are the column factors followed by the columns of
inputs that have their own, the equation of Pellegrino et al. (2023) becomes one in the P latents:

    tau dkappa/dt = -kappa + [c_k * (B^T phi(C kappa + beta)), 0] + u(t),        phi = tanh

so that a step costs trials x units x P, and no trials x units x units tensor is formed. Autograd
through the loop would keep every intermediate product; the backward pass here keeps the rates of
each stage alone. Trials come last in every array: products with few latents are then several
times faster than with trials first.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

Scheme = Literal["euler", "heun", "rk4"]


class Tableau(NamedTuple):
    """An explicit Runge-Kutta scheme whose every stage starts from the one before alone.

    - `nodes`: where in the step, as a share of it, each stage is taken.
    - `weights`: share of each stage's slope in the step.
    """

    nodes: tuple[float, ...]
    weights: tuple[float, ...]


TABLEAUX: dict[Scheme, Tableau] = {
    "euler": Tableau((0.0,), (1.0,)),
    "heun": Tableau((0.0, 1.0), (1 / 2, 1 / 2)),
    "rk4": Tableau((0.0, 0.5, 0.5, 1.0), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}


class System(NamedTuple):
    """What moves the latents; the gradient is taken with respect to all but `group`.

    - `columns` (unit, latent): C. `rows` (unit, rank): B, for the first latents.
    - `trial_factors` (rank, trial): c. `bias` (unit,): beta.
    - `initial` (latent, group): kappa at the first time.
    - `drive` (step, node, latent, group): u at each distinct node of every step.
    - `group` (trial,): which inputs and initial state a trial has (its condition).

    Examples
    --------
    >>> import torch
    >>> from ltr_core.ltrrnn.integration import System
    >>> unit, factors = torch.eye(4)[:, :1], torch.tensor([[0.5, 1.0]])  # of two trials
    >>> start, drive, group = torch.ones(1, 1), torch.zeros(10, 2, 1, 1), torch.tensor([0, 0])
    >>> system = System(unit, unit, factors, torch.zeros(4), start, drive, group)
    >>> tuple(system.columns.shape), tuple(system.drive.shape)
    ((4, 1), (10, 2, 1, 1))
    """

    columns: Float[Tensor, "unit latent"]
    rows: Float[Tensor, "unit rank"]
    trial_factors: Float[Tensor, "rank trial"]
    bias: Float[Tensor, " unit"]
    initial: Float[Tensor, "latent group"]
    drive: Float[Tensor, "step node latent group"]
    group: Int[Tensor, " trial"]


class Rollout(NamedTuple):
    """Latents and rates phi(x) at every recorded time."""

    latents: Float[Tensor, "time latent trial"]
    rates: Float[Tensor, "time unit trial"]


def drive_nodes(scheme: Scheme) -> list[float]:
    """The distinct nodes of a step at which the drive is needed, in order."""
    return sorted(set(TABLEAUX[scheme].nodes))


def integrate(
    system: System,
    step: float,
    scheme: Scheme = "heun",
    substeps: int = 1,
    noise: Float[Tensor, "step latent trial"] | None = None,
) -> Rollout:
    """Latents and rates of all trials.

    `step` is the length of a step over tau; every `substeps` steps there is a recorded time.
    `noise` is added to the latents after each step.

    Examples
    --------
    >>> import torch
    >>> from ltr_core.ltrrnn.integration import System, integrate
    >>> unit, factors = torch.eye(4)[:, :1], torch.tensor([[0.0, 1.0]])  # of two trials
    >>> start, drive, group = torch.ones(1, 1), torch.zeros(10, 2, 1, 1), torch.tensor([0, 0])
    >>> system = System(unit, unit, factors, torch.zeros(4), start, drive, group)
    >>> latents, rates = integrate(system, step=0.1)
    >>> tuple(rates.shape), round(latents[-1, 0, 0].item(), 2)  # decays as exp(-t)
    ((11, 4, 2), 0.37)
    """
    return Rollout(*_Integration.apply(*system, step, scheme, substeps, noise))


def phi_(state: Tensor) -> Tensor:
    """The tanh of a tensor, in its own place."""
    if state.device.type == "cpu":
        array = state.numpy()
        np.tanh(array, out=array)  # several times faster than torch's
        return state
    return state.tanh_()


class _Integration(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - torch hands its inputs over by place
        ctx: Any,
        columns: Tensor,
        rows: Tensor,
        trial_factors: Tensor,
        bias: Tensor,
        initial: Tensor,
        drive: Tensor,
        group: Tensor,
        step: float,
        scheme: Scheme,
        substeps: int,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        tableau = TABLEAUX[scheme]
        places = [drive_nodes(scheme).index(node) for node in tableau.nodes]
        n_stages, (n_latents, n_units) = len(tableau.nodes), columns.T.shape
        rank, n_trials = trial_factors.shape
        # one place more than stages: the last time has no step after it
        n_places = len(drive) * n_stages + 1
        rates = columns.new_empty(n_places, n_units, n_trials)
        states = columns.new_ones(n_places, n_latents + 1, n_trials)  # a latent of 1 for the bias
        overlaps = columns.new_empty(n_places - 1, rank, n_trials)
        across, back = torch.cat([columns, bias[:, None]], 1), rows.T.contiguous()
        driven = drive[..., group]
        latent = initial[:, group]
        for now in range(len(drive)):
            total = torch.zeros_like(latent)
            slope = total
            for stage, weight in enumerate(tableau.weights):
                at = now * n_stages + stage
                state = states[at, :n_latents]
                torch.add(latent, slope, alpha=step * tableau.nodes[stage], out=state)
                rate = phi_(torch.mm(across, states[at], out=rates[at]))
                slope = driven[now, places[stage]] - state
                torch.mm(back, rate, out=overlaps[at])
                slope[:rank].addcmul_(trial_factors, overlaps[at])
                total.add_(slope, alpha=step * weight)
            latent = latent + total
            if noise is not None:
                latent = latent + noise[now]
        states[-1, :n_latents] = latent
        phi_(torch.mm(across, states[-1], out=rates[-1]))
        ctx.save_for_backward(columns, rows, trial_factors, group)
        ctx.kept = rates, states, overlaps
        ctx.how = step, tableau, places, substeps, tuple(drive.shape)
        every = n_stages * substeps
        return states[::every, :n_latents].clone(), rates[::every]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        at_latents, at_rates = gradients
        columns, rows, trial_factors, group = ctx.saved_tensors
        rates, states, overlaps = ctx.kept
        step, tableau, places, substeps, drive_shape = ctx.how
        rank, n_stages, n_latents = len(trial_factors), len(tableau.nodes), columns.shape[1]
        of_across = columns.new_zeros(n_latents + 1, len(columns))
        of_rows = columns.new_zeros(rank, len(columns))
        slopes = columns.new_empty(drive_shape[0] * n_stages, *states[0, :-1].shape)
        across = columns.T.contiguous()

        def through_rates(at: int, of_rates: Tensor) -> Tensor:
            """From the gradient with respect to rates to that with respect to their state."""
            torch.ops.aten.tanh_backward.grad_input(of_rates, rates[at], grad_input=of_rates)
            of_across.addmm_(states[at], of_rates.T)
            return across @ of_rates

        pulled = at_rates[-1].clone()
        latent = at_latents[-1] + through_rates(len(rates) - 1, pulled)
        for now in range(drive_shape[0] - 1, -1, -1):
            recorded, between = divmod(now, substeps)
            summed = latent.clone()
            onward = latent  # its factor is 0 for the last stage
            for stage in range(n_stages - 1, -1, -1):
                at = now * n_stages + stage
                slope = torch.mul(latent, step * tableau.weights[stage], out=slopes[at])
                if stage + 1 < n_stages:
                    slope.add_(onward, alpha=step * tableau.nodes[stage + 1])
                scaled = slope[:rank] * trial_factors
                of_rows.addmm_(scaled, rates[at].T)
                torch.mm(rows, scaled, out=pulled)
                if stage == 0 and between == 0:
                    pulled.add_(at_rates[recorded])
                onward = through_rates(at, pulled).sub_(slope)
                summed.add_(onward)
            latent = summed
            if between == 0:
                latent.add_(at_latents[recorded])
        of_factors = (slopes[:, :rank] * overlaps).sum(0)
        of_initial = latent.new_zeros(n_latents, drive_shape[-1]).index_add_(1, group, latent)
        of_drive = _onto_nodes(slopes, group, places, drive_shape)
        of_columns, of_bias = of_across[:-1].T, of_across[-1]
        wanted = (of_columns, of_rows.T, of_factors, of_bias, of_initial, of_drive)
        return *wanted, None, None, None, None, None


def _onto_nodes(
    slopes: Float[Tensor, "stage latent trial"],
    group: Int[Tensor, " trial"],
    places: list[int],
    shape: tuple[int, int, int, int],
) -> Float[Tensor, "step node latent group"]:
    """The gradient of the slopes, summed over the trials of a group and the stages of a node."""
    summed = slopes.new_zeros(*slopes.shape[:2], shape[-1]).index_add_(2, group, slopes)
    stages = summed.view(shape[0], len(places), shape[2], shape[3])
    chosen = torch.tensor(places, device=slopes.device)
    return slopes.new_zeros(shape).index_add_(1, chosen, stages)
