"""The latent space equals the full space, forward and gradient, and its gradients are exact."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ltr_core.ltrrnn.full_space import full_system, integrate_full, velocity
from ltr_core.ltrrnn.integration import Scheme, System, drive_nodes, integrate

SCHEMES: tuple[Scheme, ...] = ("euler", "heun", "rk4")
N_UNITS, N_TRIALS, N_TIMES, N_GROUPS, RANK = 9, 7, 4, 3, 2
FLOATS = ("columns", "rows", "trial_factors", "bias", "initial", "drive")


def random_system(
    scheme: Scheme = "heun",
    substeps: int = 1,
    n_own: int = 0,
    biased: bool = True,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    **sizes: int,
) -> System:
    """A system with everything random; inputs with `n_own` columns of their own."""
    size = {"units": N_UNITS, "trials": N_TRIALS, "times": N_TIMES, "rank": RANK} | sizes
    units, trials, rank = size["units"], size["trials"], size["rank"]
    n_latents, n_groups = rank + n_own, min(N_GROUPS, trials)
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    drive = normal((size["times"] - 1) * substeps, len(drive_nodes(scheme)), n_latents, n_groups)
    if n_own:
        drive[:, :, :rank] = 0
    return System(
        columns=normal(units, n_latents),
        rows=normal(units, rank) / units,
        trial_factors=2 + normal(rank, trials),
        bias=normal(units) if biased else torch.zeros(units, dtype=dtype),
        initial=normal(n_latents, n_groups),
        drive=drive,
        group=torch.randint(n_groups, (trials,), generator=generator),
    )


def with_gradients(system: System) -> System:
    """A copy of which every floating part wants a gradient."""
    return System(*(p.clone().requires_grad_() if p.is_floating_point() else p for p in system))


def latent_states(system: System, latents: Tensor) -> Tensor:
    """X = C kappa + beta as (time, trial, unit)."""
    return torch.einsum("nl,tlk->tkn", system.columns, latents) + system.bias


def both(
    system: System, scheme: Scheme, substeps: int, *, step: float = 0.3, noise: float = 0.0
) -> tuple[list[Tensor], list[Tensor]]:
    """States, rates and gradients of one loss: in the latent space, and in the full one."""
    generator = torch.Generator().manual_seed(1)
    n_latents, n_trials = system.columns.shape[1], len(system.group)
    drawn = torch.randn(len(system.drive), n_latents, n_trials, generator=generator)
    drawn = noise * drawn.to(system.columns)
    n_times = len(system.drive) // substeps + 1
    shape = n_times, n_trials, len(system.columns)
    weighting = torch.randn(2, *shape, generator=generator).to(system.columns)
    results = []
    for full in (False, True):
        parts = with_gradients(system)
        if full:
            pushed = torch.einsum("nl,slk->skn", parts.columns, drawn) if noise else None
            states, rates = integrate_full(full_system(parts), step, scheme, substeps, pushed)
        else:
            rollout = integrate(parts, step, scheme, substeps, drawn if noise else None)
            rates = rollout.rates.transpose(1, 2)
            states = latent_states(parts, rollout.latents)
        assert states.shape == rates.shape == shape
        (weighting[0] * states + weighting[1] * rates.square()).sum().backward()
        gradients = [getattr(parts, name).grad for name in FLOATS]
        results.append([states.detach(), rates.detach(), *gradients])
    return results[0], results[1]


def assert_equal(first: list[Tensor], second: list[Tensor], tolerance: float) -> None:
    for name, one, other in zip(("states", "rates", *FLOATS), first, second, strict=True):
        off = float((one - other).abs().max())
        assert off <= tolerance * max(1.0, float(other.abs().max())), (name, off)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("substeps", [1, 3])
@pytest.mark.parametrize("n_own", [0, 2])
@pytest.mark.parametrize("biased", [False, True])
def test_latent_space_is_the_full_space(
    scheme: Scheme, substeps: int, n_own: int, biased: bool
) -> None:
    """States, rates and all gradients to 1e-10 in float64."""
    assert_equal(*both(random_system(scheme, substeps, n_own, biased), scheme, substeps), 1e-10)


@settings(max_examples=30)
@given(
    scheme=st.sampled_from(SCHEMES),
    substeps=st.integers(1, 4),
    n_own=st.integers(0, 3),
    rank=st.integers(1, 4),
    units=st.integers(4, 12),
    trials=st.integers(1, 6),
    times=st.integers(2, 5),
    noise=st.sampled_from([0.0, 0.2]),
    seed=st.integers(0, 10_000),
)
def test_latent_space_is_the_full_space_whatever_the_sizes(
    scheme: Scheme, substeps: int, n_own: int, noise: float, seed: int, **sizes: int
) -> None:
    """The same for any sizes, noise included."""
    system = random_system(scheme, substeps, n_own, seed=seed, **sizes)
    assert_equal(*both(system, scheme, substeps, noise=noise), 1e-10)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_single_precision(scheme: Scheme) -> None:
    """In float32 to its rounding, and the two parts keep their type."""
    system = random_system(scheme, 2, 1, dtype=torch.float32)
    latent, full = both(system, scheme, 2)
    assert {part.dtype for part in latent} == {torch.float32}
    assert_equal(latent, full, 2e-5)
    exact, _ = both(random_system(scheme, 2, 1), scheme, 2)
    # the full-space comparison is no tautology: float32 differs from float64 by its rounding
    assert 1e-9 < float((exact[0] - latent[0]).abs().max()) < 1e-4


def test_another_network_is_told_apart() -> None:
    """The comparison fails where it should: weights transposed, or inputs of another condition."""
    system = random_system()
    rollout = integrate(system, 0.3)
    states = latent_states(system, rollout.latents)
    full = full_system(system)
    transposed = full._replace(weights=full.weights.transpose(1, 2))
    swapped = full._replace(drive=full.drive.roll(1, 2))
    assert torch.allclose(states, integrate_full(full, 0.3).states)
    for other in (transposed, swapped):
        assert float((states - integrate_full(other, 0.3).states).abs().max()) > 0.05


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("noise", [False, True])
def test_gradients_against_finite_differences(scheme: Scheme, noise: bool) -> None:
    """Latents and rates with respect to every part (torch.autograd.gradcheck)."""
    system = with_gradients(random_system(scheme, 2, 1, units=4, trials=3, times=3, rank=2, seed=3))
    drawn = 0.1 * torch.randn(4, 3, 3, dtype=torch.float64) if noise else None

    def outcome(*parts: Tensor) -> tuple[Tensor, Tensor]:
        whole = System(*parts, system.group)
        latents, rates = integrate(whole, 0.4, scheme, 2, drawn)
        return latents, rates

    torch.manual_seed(0)
    assert torch.autograd.gradcheck(outcome, system[:-1], atol=1e-7)


@pytest.mark.parametrize("which", ["latents", "rates"])
def test_gradient_of_one_output_alone(which: str) -> None:
    """A loss of the latents alone, or of the rates alone, at one time alone."""
    system = random_system()
    found = []
    for full in (False, True):
        parts = with_gradients(system)
        if full:
            states, rates = integrate_full(full_system(parts), 0.3)
            # kappa from x by the pseudo-inverse of the columns, which are kept fixed here
            back = torch.linalg.pinv(system.columns)
            latents = torch.einsum("ln,tkn->tlk", back, states - parts.bias)
        else:
            latents, rates = integrate(parts, 0.3)
            rates = rates.transpose(1, 2)
        chosen = latents if which == "latents" else rates
        chosen[2].square().sum().backward()
        found.append([parts.rows.grad, parts.trial_factors.grad, parts.drive.grad])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-10)
    assert not found[0][2][2:].any()  # what comes later changes nothing


@pytest.mark.parametrize(("scheme", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_order_of_the_schemes(scheme: Scheme, order: int) -> None:
    """Against scipy's solution of the whole network: errors fall as step to the scheme's order."""
    tau, duration = 0.5, 1.0
    system = random_system(units=6, trials=2, rank=2, seed=5)
    nodes = torch.tensor(drive_nodes(scheme), dtype=torch.float64)
    amplitude = system.drive[0, 0]

    def rolled(substeps: int) -> np.ndarray:
        at = (torch.arange(substeps)[:, None] + nodes) * duration / substeps
        drive = torch.sin(3 * at)[..., None, None] * amplitude
        part = system._replace(drive=drive)
        rollout = integrate(part, duration / substeps / tau, scheme, substeps)
        return latent_states(part, rollout.latents)[1].numpy()

    full = full_system(system)
    pushes = (system.columns @ amplitude).T[system.group]

    def speed(time: float, flat: np.ndarray) -> np.ndarray:
        state = torch.from_numpy(flat).view(2, 6)
        return (velocity(full, state, np.sin(3 * time) * pushes) / tau).flatten().numpy()

    exact = solve_ivp(
        speed, (0.0, duration), full.initial.flatten().numpy(), rtol=1e-11, atol=1e-12
    ).y[:, -1]
    coarse, fine = (np.abs(rolled(n).ravel() - exact).max() for n in (40, 80))
    assert fine < 0.05
    assert 0.75 * 2**order < coarse / fine < 1.35 * 2**order


def test_recorded_times_are_every_substeps_th_step() -> None:
    """Five substeps give the same path as five times as many times, seen at every fifth."""
    system = random_system(substeps=5)
    coarse = integrate(system, 0.1, "heun", 5)
    fine = integrate(system, 0.1, "heun", 1)
    assert torch.equal(coarse.latents, fine.latents[::5])
    assert torch.equal(coarse.rates, fine.rates[::5])


def test_noise_moves_later_times_only() -> None:
    """Noise of one step adds to the latents at its end, and is felt from there on."""
    system = random_system()
    noise = torch.zeros(N_TIMES - 1, RANK, N_TRIALS, dtype=torch.float64)
    noise[1, 0] = 0.5
    still, moved = integrate(system, 0.3).latents, integrate(system, 0.3, noise=noise).latents
    assert torch.equal(still[:2], moved[:2])
    assert torch.allclose(moved[2] - still[2], noise[1])
    assert float((moved[3] - still[3]).abs().min()) > 1e-4


@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_trials_do_not_touch_each_other(seed: int) -> None:
    """Any choice of trials, in any order, gives the same paths as all together."""
    system = random_system(seed=seed)
    chosen = torch.from_numpy(np.random.default_rng(seed).permutation(N_TRIALS)[:4])
    part = system._replace(
        trial_factors=system.trial_factors[:, chosen], group=system.group[chosen]
    )
    whole, some = integrate(system, 0.3).latents, integrate(part, 0.3).latents
    assert torch.allclose(whole[..., chosen], some, atol=1e-13)


class Largest(TorchDispatchMode):
    """Watches the number of entries of every tensor that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, Tensor):
                self.entries = max(self.entries, tensor.numel())
        return made


def test_no_tensor_of_trials_by_units_by_units() -> None:
    """Neither forward nor backward; the explicit form has it, so that the watch does see it."""
    system = random_system(units=60, trials=40, times=3)
    largest = {}
    for name in ("latent", "full"):
        parts = with_gradients(system)
        with Largest() as watch:
            if name == "latent":
                integrate(parts, 0.3).rates.sum().backward()
            else:
                integrate_full(full_system(parts), 0.3).rates.sum().backward()
        largest[name] = watch.entries
    assert largest["full"] >= 40 * 60 * 60
    n_stages = 2 * 2 + 1
    assert largest["latent"] <= n_stages * 60 * 40
