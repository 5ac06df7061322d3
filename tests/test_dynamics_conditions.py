"""Flows of several conditions against the truth: equal ones agree in all, wrong ones do not."""

from dataclasses import replace

import numpy as np
import pytest

from ltr_core.dynamics import LatentFlow, NetworkFlow
from ltr_core.dynamics.conditions import Learned, against_truth

UNITS = 30


def learned(seed: int = 0) -> tuple[Learned, Learned]:
    """A low-rank network under two inputs before and after learning, and it in full space."""
    rng = np.random.default_rng(seed)
    columns = np.linalg.qr(rng.standard_normal((UNITS, 2)))[0]
    rows = columns + 0.1 * rng.standard_normal((UNITS, 2)) / np.sqrt(UNITS)
    inputs = [np.array([1.5, 0.5]), np.array([-0.5, 1.5])]
    states = [2 * rng.standard_normal((40, 2)) + push for push in inputs]
    flows = [
        [LatentFlow(columns, rows, factors, inputs=push, tau=0.5) for push in inputs]
        for factors in (np.array([0.9, 0.5]), np.array([0.2, 0.9]))
    ]
    full = [
        [
            NetworkFlow(columns * flow.trial_factors @ rows.T, columns @ push, 0.5)
            for flow, push in zip(epoch, inputs, strict=True)
        ]
        for epoch in flows
    ]
    return Learned(*flows, states), Learned(*full, [state @ columns.T for state in states])


def test_a_fit_that_is_the_truth_agrees_in_everything() -> None:
    fit, truth = learned()
    table = against_truth(fit, truth)
    assert list(table["condition"]) == [0, 1]
    for name in ("along", "elsewhere", "change", "change_ratio", "moved"):
        np.testing.assert_allclose(table[name], 1, atol=1e-5, err_msg=name)
    for name in ("along_error", "elsewhere_error", "change_error", "distance"):
        np.testing.assert_allclose(table[name], 0, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(table["moved_by"], table["fit_moved_by"], rtol=1e-4)
    assert (table["moved_by"] > 0.05).all()
    assert (table["by_nearest"] < table["by_chance"]).all()
    assert (table["stable_before"] == table["fit_stable_before"]).all()
    assert (table["stable_after"] == table["fit_stable_after"]).all()


def test_before_and_after_exchanged_turns_the_changes_round_and_no_more() -> None:
    fit, truth = learned()
    table = against_truth(Learned(fit.after, fit.before, fit.states), truth)
    np.testing.assert_allclose(table["change"], -1, atol=1e-5)
    np.testing.assert_allclose(table["moved"], -1, atol=1e-3)
    assert (table["along"] > 0).all()
    assert (table["distance"] > 0.01).all()


def test_the_inputs_of_other_conditions_are_told() -> None:
    fit, truth = learned()
    wrong = Learned(fit.before[::-1], fit.after[::-1], fit.states)
    table, right = against_truth(wrong, truth), against_truth(fit, truth)
    assert (table["elsewhere"] < right["elsewhere"] - 0.05).all()
    assert (table["distance"] > table["by_nearest"]).all()


def test_without_weights_nothing_changes_and_fixed_points_are_where_inputs_push() -> None:
    fit, truth = learned()
    silent = [
        [replace(flow, trial_factors=np.zeros(2)) for flow in epoch]
        for epoch in (fit.before, fit.after)
    ]
    table = against_truth(Learned(*silent, fit.states), truth)
    np.testing.assert_allclose(table["change"], 0)
    np.testing.assert_allclose(table["moved"], 0)
    np.testing.assert_allclose(table["change_error"], 1)
    assert table["fit_stable_before"].all()


class Drift:
    """A flow without fixed points."""

    dimension, tau = 2, 0.5

    def __init__(self, flow: LatentFlow) -> None:
        self.flow = flow
        self.rates, self.state_of = flow.rates, flow.state_of

    def velocity(self, state: np.ndarray) -> np.ndarray:
        return np.full_like(state, 10.0)

    def jacobian(self, state: np.ndarray) -> np.ndarray:
        return np.zeros((len(state), 2, 2))

    def rate_velocity(self, state: np.ndarray) -> np.ndarray:
        return self.flow.rate_velocity(state)


def test_a_fit_without_fixed_points_is_charged_a_guess() -> None:
    fit, truth = learned()
    drifting = [[Drift(flow) for flow in epoch] for epoch in (fit.before, fit.after)]
    table = against_truth(Learned(*drifting, fit.states), truth)
    np.testing.assert_allclose(table["distance"], table["by_chance"])
    np.testing.assert_allclose(table["moved"], 0)
    assert not table["fit_stable_before"].any()


def test_a_truth_without_fixed_points_is_an_error() -> None:
    fit, _ = learned()
    drifting = [[Drift(flow) for flow in epoch] for epoch in (fit.before, fit.after)]
    with pytest.raises(ValueError, match="No fixed point of the truth was found before"):
        against_truth(fit, Learned(*drifting, fit.states))


@pytest.mark.parametrize("part", ["before", "after", "states"])
def test_conditions_must_correspond(part: str) -> None:
    fit, truth = learned()
    with pytest.raises(ValueError, match="one flow before, one after"):
        against_truth(fit._replace(**{part: getattr(fit, part)[:1]}), truth)
