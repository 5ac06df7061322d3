"""Flows against finite differences, against each other, and against what they invert."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.dynamics import Flow, LatentFlow, NetworkFlow, NeuralFlow
from ltr_core.dynamics.flows import LARGEST_RATE


def latent_flow(
    seed: int = 0, units: int = 12, rank: int = 2, extra: int = 1, neurons: int | None = None
) -> LatentFlow:
    """Random, with every part present; `extra` columns carry inputs alone."""
    rng = np.random.default_rng(seed)
    latent = rank + extra
    return LatentFlow(
        rng.standard_normal((units, latent)) / np.sqrt(units),
        rng.standard_normal((units, rank)) / np.sqrt(units),
        rng.uniform(1, 4, rank),
        0.3 * rng.standard_normal(units),
        rng.standard_normal(latent),
        0.4,
        None if neurons is None else rng.standard_normal((neurons, units)),
        None if neurons is None else rng.standard_normal(neurons),
    )


def network_flow(seed: int = 0, units: int = 7) -> NetworkFlow:
    rng = np.random.default_rng(seed)
    weights = 1.5 * rng.standard_normal((units, units)) / np.sqrt(units)
    return NetworkFlow(weights, rng.standard_normal(units), 0.2)


def slopes(function, state: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences: (value, coordinate) at one state."""
    shifts = step * np.eye(len(state))
    return ((function(state + shifts) - function(state - shifts)) / (2 * step)).T


@pytest.mark.parametrize(
    "flow", [latent_flow(), latent_flow(neurons=5), network_flow()], ids=["latent", "read", "full"]
)
def test_jacobian_is_the_slope_of_the_velocity(flow: NeuralFlow) -> None:
    states = np.random.default_rng(1).standard_normal((4, flow.dimension))
    jacobian = flow.jacobian(states)
    for state, found in zip(states, jacobian, strict=True):
        np.testing.assert_allclose(found, slopes(flow.velocity, state), atol=1e-7)


@pytest.mark.parametrize(
    "flow", [latent_flow(), latent_flow(neurons=5), network_flow()], ids=["latent", "read", "full"]
)
def test_rates_change_by_the_chain_rule(flow: NeuralFlow) -> None:
    states = np.random.default_rng(2).standard_normal((4, flow.dimension))
    velocity = flow.velocity(states)
    expected = (flow.rates(states + 1e-6 * velocity) - flow.rates(states - 1e-6 * velocity)) / 2e-6
    np.testing.assert_allclose(flow.rate_velocity(states), expected, atol=1e-6)
    assert isinstance(flow, Flow)
    assert isinstance(flow, NeuralFlow)


@given(
    seed=st.integers(0, 1000), rank=st.integers(1, 4), extra=st.integers(0, 2), bias=st.booleans()
)
def test_latent_dynamics_are_the_full_networks(
    seed: int, rank: int, extra: int, bias: bool
) -> None:
    # x = columns k + bias moves as x does under W and the drive columns @ inputs + bias.
    flow = latent_flow(seed, 12, rank, extra)
    if not bias:
        flow = LatentFlow(
            flow.columns, flow.rows, flow.trial_factors, inputs=flow.inputs, tau=flow.tau
        )
    offset = np.zeros(12) if flow.bias is None else flow.bias
    weights = flow.columns[:, :rank] * flow.trial_factors @ flow.rows.T
    full = NetworkFlow(weights, flow.columns @ flow.inputs + offset, flow.tau)
    latents = np.random.default_rng(seed).standard_normal((3, rank + extra))
    states = latents @ flow.columns.T + offset
    np.testing.assert_allclose(
        flow.velocity(latents) @ flow.columns.T, full.velocity(states), atol=1e-12
    )
    np.testing.assert_allclose(flow.rates(latents), full.rates(states), atol=1e-12)
    np.testing.assert_allclose(flow.rate_velocity(latents), full.rate_velocity(states), atol=1e-12)


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), neurons=st.sampled_from([None, 6, 30]))
def test_states_are_found_from_their_rates(seed: int, neurons: int | None) -> None:
    flow = latent_flow(seed, neurons=neurons)
    states = 1.5 * np.random.default_rng(seed).standard_normal((5, flow.dimension))
    rates = flow.rates(states)
    found = flow.state_of(rates)
    np.testing.assert_allclose(flow.rates(found), rates, atol=1e-6)
    if neurons is None:  # with so many neurons, the states too are determined
        np.testing.assert_allclose(found, states, atol=1e-5)


def test_nearest_state_to_noisy_rates_is_a_minimum() -> None:
    flow = latent_flow(3, units=40)
    rng = np.random.default_rng(0)
    rates = flow.rates(rng.standard_normal((20, 3))) + 0.3 * rng.standard_normal((20, 40))
    found = flow.state_of(rates)
    for state, seen in zip(found, rates, strict=True):
        left = seen - flow.rates(state[None])[0]
        gradient = slopes(flow.rates, state).T @ left
        np.testing.assert_allclose(gradient, 0, atol=1e-5)
    together = flow.state_of(np.tile(rates, (60, 1)))  # more than are taken at a time
    np.testing.assert_allclose(together, np.tile(found, (60, 1)), atol=1e-9)


def test_states_of_a_network_are_the_inverse_of_tanh() -> None:
    flow = network_flow()
    states = np.random.default_rng(0).uniform(-3, 3, (5, 7))
    np.testing.assert_allclose(flow.state_of(flow.rates(states)), states, atol=1e-9)
    saturated = flow.state_of(np.full((1, 7), 1.2))
    np.testing.assert_allclose(np.tanh(saturated), LARGEST_RATE, rtol=1e-12)


def test_arrays_are_kept_in_double_precision_and_the_callers_unchanged() -> None:
    columns = np.ones((4, 1), dtype=np.float32)
    flow = LatentFlow(columns, columns, np.ones(1, dtype=np.float32))
    assert flow.columns.dtype == np.float64
    flow.columns[0] = 7
    assert columns[0] == 1
    assert flow.velocity(np.zeros((1, 1))).dtype == np.float64


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": np.ones((5, 1))}, r"rows has shape \(5, 1\), expected is \(unit, rank\): \(4, 1"),
        (
            {"rows": np.ones((4, 3)), "trial_factors": np.ones(3)},
            "rank is 3 and columns have only 2: each component needs a column",
        ),
        ({"bias": np.ones(3)}, r"bias has shape \(3,\), expected is \(unit,\): \(4,\)"),
        ({"inputs": np.ones(1)}, r"inputs has shape \(1,\), expected is \(latent,\): \(2,\)"),
        ({"readout": np.ones((4, 3))}, r"readout has shape \(4, 3\), expected is \(neuron, unit"),
        ({"readout_bias": np.ones(3)}, r"readout_bias has shape \(3,\), expected is \(neuron,\)"),
        ({"columns": np.full((4, 2), np.nan)}, "columns holds NaN or infinity"),
        ({"tau": 0.0}, "tau is 0.0 s: it must be positive"),
    ],
)
def test_parts_of_a_latent_flow_that_do_not_fit(changes: dict, message: str) -> None:
    parts = {"columns": np.ones((4, 2)), "rows": np.ones((4, 1)), "trial_factors": np.ones(1)}
    with pytest.raises(ValueError, match=message):
        LatentFlow(**{**parts, **changes})


def test_parts_of_a_network_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"weights has shape \(3, 2\), expected is \(post, pre\)"):
        NetworkFlow(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"drive has shape \(2,\), expected is \(neuron,\)"):
        NetworkFlow(np.ones((3, 3)), np.ones(2))
    with pytest.raises(ValueError, match="tau is -1"):
        NetworkFlow(np.ones((3, 3)), tau=-1.0)


def test_states_and_rates_that_do_not_fit() -> None:
    flow = latent_flow()
    with pytest.raises(ValueError, match=r"state has shape \(4, 2\), .*\(point, latent\) with 3"):
        flow.velocity(np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"rates has shape \(4, 2\), .*\(point, neuron\) with 12"):
        flow.state_of(np.ones((4, 2)))
    with pytest.raises(ValueError, match="rates holds NaN"):
        flow.state_of(np.full((1, 12), np.nan))
    with pytest.raises(ValueError, match="rates of 2 neurons do not determine 3 latents"):
        latent_flow(neurons=2).state_of(np.ones((1, 2)))
    with pytest.raises(ValueError, match="state holds NaN"):
        network_flow().velocity(np.full((1, 7), np.nan))
