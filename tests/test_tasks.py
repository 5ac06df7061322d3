"""The reaching task and the physics of the hand, against closed forms and an independent solver."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ltr_core.tasks import CurlField, Hand, Reaching, VisuomotorRotation, lateral_deviation

DT = 0.02
REST = torch.zeros(40, 2, dtype=torch.float64)


def test_a_free_hand_in_a_curl_field_moves_on_the_circle_of_the_closed_form():
    mass, strength, speed = 1.5, 3.0, 0.4
    hand = Hand(mass=mass, viscosity=0.0)
    path = hand.move(REST, DT, CurlField(strength), velocity=(speed, 0.0)).position
    t = DT * np.arange(1, 41)
    turn = strength / mass  # rad/s, counter-clockwise: the force pushes to the left
    circle = (speed / turn) * np.stack([np.sin(turn * t), 1 - np.cos(turn * t)], axis=-1)
    np.testing.assert_allclose(path.numpy(), circle, atol=1e-13)


def test_a_viscous_hand_in_a_curl_field_spirals_as_the_closed_form_does():
    hand = Hand(mass=2.0, viscosity=1.2)
    path = hand.move(REST, DT, CurlField(2.5), velocity=(0.3, -0.1)).position
    t = DT * np.arange(1, 41)
    rate = (-1.2 + 2.5j) / 2.0
    spiral = (0.3 - 0.1j) * (np.exp(rate * t) - 1) / rate
    np.testing.assert_allclose(path.numpy(), np.stack([spiral.real, spiral.imag], -1), atol=1e-13)


def test_a_pushed_hand_agrees_with_an_independent_solver():
    rng = np.random.default_rng(0)
    force = rng.normal(size=(30, 2))
    hand, field = Hand(mass=0.8, viscosity=1.5), CurlField(2.0)

    def motion(t, state):
        velocity = state[2:]
        push = force[min(int(t / DT), 29)] + 2.0 * np.array([-velocity[1], velocity[0]])
        return np.concatenate([velocity, (push - 1.5 * velocity) / 0.8])

    state = np.zeros(4)
    solved = []
    for step in range(30):  # step by step, since the force jumps between steps
        span = (step * DT + 1e-12, (step + 1) * DT - 1e-12)
        state = solve_ivp(motion, span, state, rtol=1e-10, atol=1e-12).y[:, -1]
        solved.append(state[:2])
    path = hand.move(torch.from_numpy(force), DT, field).position
    np.testing.assert_allclose(path.numpy(), solved, atol=1e-9)


def test_the_curl_field_does_no_work():
    hand = Hand(mass=1.0, viscosity=0.0)
    path = hand.move(REST, DT, CurlField(4.0), velocity=(0.0, 0.5)).position
    steps = torch.diff(path, dim=0).norm(dim=-1)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps))


def test_a_visuomotor_rotation_turns_the_cursor_and_not_the_hand():
    force = torch.ones(20, 2, dtype=torch.float64)
    path = Hand().move(force, DT, VisuomotorRotation(math.pi / 2))
    torch.testing.assert_close(path.position, Hand().move(force, DT).position)
    turned = torch.stack([-path.position[:, 1], path.position[:, 0]], dim=-1)
    torch.testing.assert_close(path.cursor, turned)


def test_trials_show_the_target_and_ask_for_a_reach_after_the_go_cue():
    task = Reaching(n_targets=4, preparation=0.2, movement=0.4, hold=0.2)
    trials = task.trials(torch.arange(4))
    before = task.time < task.dt / 2
    assert (trials.inputs[:, before, 2] == 1).all()
    assert (trials.inputs[:, ~before, 2] == 0).all()
    assert (trials.targets[:, before] == 0).all()
    torch.testing.assert_close(trials.targets[:, -1], task.target_positions)
    half = trials.targets[0, torch.isclose(task.time, torch.tensor(0.2, dtype=torch.float64))]
    torch.testing.assert_close(half[0, 0], torch.tensor(task.distance / 2, dtype=torch.float64))


@given(n_trials=st.integers(1, 40), n_targets=st.integers(1, 9), seed=st.integers(0, 100))
def test_targets_come_in_whole_blocks(n_trials, n_targets, seed):
    drawn = Reaching(n_targets=n_targets).sample(n_trials, np.random.default_rng(seed)).condition
    for start in range(0, n_trials - n_targets + 1, n_targets):
        assert sorted(drawn[start : start + n_targets].tolist()) == list(range(n_targets))


def test_the_go_cue_is_jittered_within_its_bounds_and_the_same_for_a_seed():
    task = Reaching(go_jitter=0.1)
    first, again = (task.sample(64, np.random.default_rng(5)) for _ in range(2))
    torch.testing.assert_close(first.inputs, again.inputs)
    n_held = first.inputs[..., 2].sum(1) * task.dt
    assert n_held.min() < task.preparation - 0.05
    assert n_held.max() > task.preparation + 0.05
    assert (n_held - task.preparation).abs().max() <= task.go_jitter + task.dt


def test_lateral_deviation_is_signed_and_turns_with_the_reach():
    goal = torch.tensor([0.1, 0.0], dtype=torch.float64)
    path = torch.tensor([[0.0, 0.0], [0.05, 0.02], [0.1, 0.0]], dtype=torch.float64)
    assert lateral_deviation(path, goal).item() == pytest.approx(0.02)
    assert lateral_deviation(path * torch.tensor([1.0, -1.0]), goal).item() == pytest.approx(-0.02)
    turned = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64).T
    assert lateral_deviation(path @ turned, goal @ turned).item() == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"preparation": -0.1}, "preparation"),
        ({"movement": 0.0}, "movement"),
        ({"n_targets": 0}, "empty task"),
        ({"dt": float("nan")}, "dt"),
        ({"go_jitter": 0.4}, "go_jitter"),
    ],
)
def test_impossible_settings_are_named(settings, named):
    with pytest.raises(ValueError, match=named):
        Reaching(**settings)


def test_an_empty_or_unknown_request_is_refused():
    task = Reaching(n_targets=3)
    with pytest.raises(ValueError, match="n_trials is 0"):
        task.sample(0, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"0\.\.2"):
        task.trials(torch.tensor([3]))
    with pytest.raises(ValueError, match="empty"):
        task.trials(torch.zeros(0, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"dt is 0\.0 s"):
        Hand().move(REST, 0.0)
    with pytest.raises(ValueError, match="mass"):
        Hand(mass=0.0)
    with pytest.raises(ValueError, match="viscosity"):
        Hand(viscosity=-1.0)
