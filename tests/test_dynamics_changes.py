"""Comparisons of flows: equal flows agree, planted changes are measured, wrong ones are told."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.dynamics import (
    LatentFlow,
    NetworkFlow,
    change_agreement,
    compare_flows,
    epoch_changes,
    fixed_points,
    flow_agreement,
    latent_flow,
    match_fixed_points,
    starts_from,
)

UNITS = 40


def planted(seed: int = 0, factors: tuple[float, ...] = (2.0, 1.6)) -> LatentFlow:
    """Two components with attractors of their own."""
    rng = np.random.default_rng(seed)
    columns = np.linalg.qr(rng.standard_normal((UNITS, 2)))[0]
    rows = columns + 0.1 * rng.standard_normal((UNITS, 2)) / np.sqrt(UNITS)
    return LatentFlow(columns, rows, np.array(factors), tau=0.5)


def network_of(flow: LatentFlow) -> NetworkFlow:
    weights = flow.columns[:, : len(flow.trial_factors)] * flow.trial_factors @ flow.rows.T
    return NetworkFlow(weights, tau=flow.tau)


def visited(seed: int = 1, n: int = 60) -> np.ndarray:
    return 4 * np.random.default_rng(seed).standard_normal((n, 2))


def regauged(flow: LatentFlow, scales: np.ndarray) -> LatentFlow:
    """The same network in other latent units, in which its states are divided by scales."""
    factors = flow.trial_factors / scales
    return replace(flow, columns=flow.columns * scales, trial_factors=factors)


def separate(*factors: float) -> LatentFlow:
    """Components on separate halves of the units: each above 1 doubles the attractors."""
    columns = np.kron(np.eye(2), np.full((8, 1), 8**-0.5))
    return LatentFlow(columns, columns, np.array(factors), tau=0.5)


@settings(max_examples=20)
@given(seed=st.integers(0, 100), observed=st.sampled_from([None, 15]))
def test_a_flow_agrees_with_the_network_it_is(seed: int, observed: int | None) -> None:
    flow = planted(seed)
    neurons = (
        None if observed is None else np.random.default_rng(seed).permutation(UNITS)[:observed]
    )
    # Seen by some neurons only: a readout that picks these.
    seen = flow if neurons is None else replace(flow, readout=np.eye(UNITS)[neurons])
    latents = visited(seed)
    truth, states = network_of(flow), latents @ flow.columns.T
    scales = np.array([-3.0, 0.5])
    for inferred_states in (None, latents / scales):
        found = flow_agreement(regauged(seen, scales), truth, states, inferred_states, neurons)
        np.testing.assert_allclose(found.cosine, 1, atol=1e-5)
        assert found.relative_error < 1e-4
        assert found.speed_ratio == pytest.approx(1, abs=1e-4)


def test_measures_of_velocities_that_differ() -> None:
    flow = planted()
    states = visited()
    faster = replace(flow, tau=flow.tau / 3)
    found = flow_agreement(faster, flow, states, states)
    assert found.mean_cosine == pytest.approx(1)
    assert found.speed_ratio == pytest.approx(3)
    assert found.relative_error == pytest.approx(2)
    still = NetworkFlow(np.zeros((2, 2)), np.zeros(2))
    decay = NetworkFlow(np.zeros((2, 2)), np.array([1.0, 0.0]))
    found = flow_agreement(decay, still, np.array([[0.0, 1.0], [0.0, 0.0]]), np.zeros((2, 2)))
    assert found.cosine.tolist() == [0, 0]  # at right angles; and where one stands still


def test_unrelated_flows_do_not_agree() -> None:
    truth = planted(0)
    full, states = network_of(truth), visited() @ truth.columns.T
    unrelated = planted(1)
    found = flow_agreement(unrelated, full, states)
    assert found.mean_cosine < 0.4
    assert found.relative_error > 0.7


def test_the_change_is_a_sterner_test_than_the_flow() -> None:
    before, after = planted(factors=(2.0, 1.6)), planted(factors=(2.2, 1.6))
    truth = network_of(before), network_of(after)
    latents = visited()
    states = latents @ before.columns.T
    right = change_agreement((before, after), truth, states, latents)
    assert right.relative_error < 1e-9
    assert right.mean_cosine == pytest.approx(1)
    # A fit that saw the wrong component change agrees on the velocities, yet not on the change.
    wrong = planted(factors=(2.0, 1.8))
    assert flow_agreement(wrong, truth[1], states, latents).mean_cosine > 0.9
    assert abs(change_agreement((before, wrong), truth, states, latents).mean_cosine) < 0.3
    with pytest.raises(ValueError, match="The reference is 0 at every state"):
        change_agreement((before, after), (truth[0], truth[0]), states, latents)


@settings(max_examples=4)
@given(seed=st.integers(0, 100))
def test_fixed_points_are_matched_across_coordinates(seed: int) -> None:
    flow = planted(seed)
    truth, latents = network_of(flow), visited(seed)
    states = latents @ flow.columns.T
    inferred = fixed_points(flow, starts_from(latents, 40))
    true = fixed_points(truth, starts_from(states, 40))
    found = match_fixed_points(inferred, true, (flow, truth), states)
    assert len(found.pairs) == min(len(inferred.points), len(true.points)) >= 3
    np.testing.assert_allclose(found.distance, 0, atol=1e-5)
    assert found.same_stability.all()
    assert found.by_chance > 0.1
    for first, second in found.pairs:
        np.testing.assert_allclose(
            flow.rates(inferred.points[[first]]), truth.rates(true.points[[second]]), atol=1e-5
        )


def test_points_without_a_counterpart() -> None:
    one, two = planted(factors=(0.5, 0.5)), planted(factors=(2.5, 0.5))
    states = visited()
    few, many = (
        fixed_points(one, starts_from(states, 30)),
        fixed_points(two, starts_from(states, 30)),
    )
    assert (len(few.points), len(many.points)) == (1, 3)
    found = match_fixed_points(few, many, (one, two), states)
    assert len(found.pairs) == 1
    assert found.distance[0] < 1e-6
    assert not found.same_stability[0]  # the origin lost its stability
    assert len(found.only_first) == 0
    assert sorted([found.pairs[0, 1], *found.only_second]) == [0, 1, 2]
    assert np.sort(found.nearest)[0] < 1e-6 < np.sort(found.nearest)[1]
    # Distances are in spreads of the rates at states.
    rates = two.rates(states)
    unit = np.sqrt(np.square(rates - rates.mean(0)).sum(1).mean())
    attractor = two.rates(many.points[many.stable])[0]
    assert found.nearest.max() == pytest.approx(np.linalg.norm(attractor) / unit, rel=1e-4)
    none = many.where(np.zeros(3, dtype=bool))
    empty = match_fixed_points(none, many, (two, two), states)
    assert empty.only_second.tolist() == [0, 1, 2]
    assert len(empty.nearest) == len(empty.pairs) == 0
    assert np.isinf(empty.by_chance)


def test_the_limit_decides_what_corresponds() -> None:
    before, after = planted(factors=(2.0, 0.5)), planted(factors=(3.0, 0.5))
    states = visited()
    near = compare_flows(before, after, states, limit=1.0)
    assert (len(near.match.pairs), len(near.match.only_first)) == (3, 0)
    moved = near.match.distance.max()
    assert 0.01 < moved < 1
    strict = compare_flows(before, after, states, limit=moved / 2)
    assert (len(strict.match.pairs), len(strict.match.only_first)) == (1, 2)


def test_a_bifurcation_is_told() -> None:
    before, after = planted(factors=(0.5, 0.5)), planted(factors=(2.5, 0.5))
    change = compare_flows(before, after, visited())
    text = change.describe()
    assert "1 stable and 0 unstable before, 2 stable and 1 unstable after; 1 in both" in text
    assert "0 vanished, 2 appeared" in text
    assert "Point 0 (stable) moved by 0.00 spreads of activity to point" in text
    assert "(unstable in 1 direction); its leading" in text
    # The eigenvalues at the origin are (c (rows . columns) - 1) / tau.
    for flow, found in zip((before, after), change.leading[0], strict=True):
        small = flow.trial_factors[:, None] * (flow.rows.T @ flow.columns)
        assert found.real == pytest.approx(
            (np.linalg.eigvals(small).real.max() - 1) / 0.5, abs=1e-5
        )


def test_nothing_changes_between_equal_epochs() -> None:
    flow = planted()
    change = compare_flows(flow, replace(flow), visited())
    assert change.velocity.relative_error == 0
    assert change.velocity.mean_cosine == pytest.approx(1)
    assert len(change.match.only_first) == len(change.match.only_second) == 0
    np.testing.assert_allclose(change.match.distance, 0, atol=1e-9)
    assert "turned by 0 degrees" in change.describe()


def test_the_table_of_epochs() -> None:
    flows = {
        "baseline": separate(2.0, 0.5),
        "perturbed": separate(2.0, 2.0),
        "washout": separate(2.0, 0.5),
    }
    table = epoch_changes(flows, visited())
    assert list(zip(table["before"], table["after"], strict=True)) == [
        ("baseline", "perturbed"),
        ("perturbed", "washout"),
        ("baseline", "washout"),
    ]
    assert table["stable_before"].tolist() == [2, 4, 2]
    assert table["stable_after"].tolist() == [4, 2, 2]
    assert table["unstable_before"].tolist() == [1, 5, 1]
    assert table["relative_change"].iloc[0] > 0.1
    assert table["relative_change"].iloc[2] == 0
    assert table["kept"].iloc[2] == 3
    assert table["moved"].iloc[2] == pytest.approx(0, abs=1e-9)
    two = {name: flows[name] for name in ("baseline", "perturbed")}
    assert len(epoch_changes(two, visited())) == 1


def fitted(seed: int = 0) -> SimpleNamespace:
    """The attributes of a fitted model, in single precision."""
    rng = np.random.default_rng(seed)
    sizes = {
        "columns_": (12, 3),
        "row_factors_": (12, 2),
        "trial_factors_": (6, 2),
        "bias_": (12,),
        "inputs_": (4, 9, 3),
        "readout_": (10, 12),
        "readout_bias_": (10,),
    }
    drawn = {n: rng.standard_normal(size).astype(np.float32) for n, size in sizes.items()}
    return SimpleNamespace(**drawn, tau_=0.7)


def test_the_flow_of_a_fitted_model() -> None:
    model = fitted()
    flow = latent_flow(model, np.arange(2, 5), condition=3, times=slice(0, 4))
    np.testing.assert_allclose(flow.trial_factors, model.trial_factors_[2:5].mean(0), rtol=1e-6)
    np.testing.assert_allclose(flow.inputs, model.inputs_[3, :4].mean(0), rtol=1e-6)
    assert flow.tau == 0.7
    single = latent_flow(model, 2)
    np.testing.assert_array_equal(single.trial_factors, model.trial_factors_[2])
    assert single.inputs is None
    state = np.random.default_rng(0).standard_normal((3, 3))
    x = state @ model.columns_.T + model.bias_
    np.testing.assert_allclose(
        single.rates(state), np.tanh(x) @ model.readout_.T + model.readout_bias_, atol=1e-5
    )
    masked = latent_flow(model, np.arange(6) >= 4)
    np.testing.assert_allclose(masked.trial_factors, model.trial_factors_[4:].mean(0), rtol=1e-6)


def test_flows_that_a_model_does_not_have() -> None:
    model = fitted()
    with pytest.raises(ValueError, match="trials chooses none"):
        latent_flow(model, slice(6, 9))
    with pytest.raises(ValueError, match="Give condition and times together"):
        latent_flow(model, 0, condition=1)
    with pytest.raises(ValueError, match="times chooses none"):
        latent_flow(model, 0, condition=1, times=slice(9, 12))


@pytest.mark.usefixtures("as_in_use")
def test_flows_that_cannot_be_compared() -> None:
    flow, latents = planted(), visited()
    truth = network_of(flow)
    states = latents @ flow.columns.T
    picked = replace(flow, readout=np.eye(UNITS)[:5])
    with pytest.raises(ValueError, match="One flow has 5 neurons and the other 40: give neurons"):
        flow_agreement(picked, truth, states, latents)
    with pytest.raises(ValueError, match="10 inferred and 60 true states"):
        flow_agreement(flow, truth, states, latents[:10])
    with pytest.raises(ValueError, match="indices from 0 to 39"):
        flow_agreement(picked, truth, states, latents, np.arange(38, 43))
    found = fixed_points(flow, latents)
    with pytest.raises(ValueError, match="rates at states do not vary"):
        match_fixed_points(found, found, (flow, flow), np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"limit is 0\.0"):
        match_fixed_points(found, found, (flow, flow), latents, limit=0.0)
    with pytest.raises(ValueError, match="2 and 40 dimensions"):
        compare_flows(flow, truth, latents)
    with pytest.raises(ValueError, match="There is 1 epoch"):
        epoch_changes({"baseline": flow}, latents)
    with pytest.raises(ValueError, match="differ in dimension"):
        epoch_changes({"baseline": flow, "later": truth}, latents)
