"""Gradient descent on the fixed point: against plain descent and against the unrolled network."""

import numpy as np
import pytest
import torch
from theory_parts import linear_networks, parts, plain_descent

from ltr_core.theory import descend_fixed_point, fixed_point_output, two_unit_equivalent


def unrolled_gradient(recurrent, m, w, target, *, duration, dt=0.5):
    """The gradient of the loss at the end of a simulation, by backpropagation through time."""
    weights = torch.from_numpy(recurrent).requires_grad_()
    state = torch.zeros(len(m), dtype=torch.float64)
    for _ in range(int(duration / dt)):
        state = (1 - dt) * state + dt * (weights @ state + torch.from_numpy(m))
    loss = (target - torch.from_numpy(w) @ state) ** 2 / 2
    return torch.autograd.grad(loss, weights)[0]


@pytest.mark.parametrize(("duration", "within"), [(101, 1e-5), (5, None)])
def test_a_step_is_that_of_backpropagation_through_a_long_simulation(duration, within):
    networks = linear_networks(2, 60, g=0.6)
    course = descend_fixed_point(networks, 0.5, learning_rate=1e-3, n_epochs=1, record_at=[1])
    for which in range(2):
        gradient = unrolled_gradient(*parts(networks, which), 0.5, duration=duration)
        error = (course.change[which, 0] / -1e-3 - gradient).norm() / gradient.norm()
        assert error < within if within else error > 0.01


@pytest.mark.parametrize(("g", "target"), [(0.0, 1.0), (0.5, 0.5), (0.8, -0.5)])
def test_every_epoch_is_that_of_plain_descent(g, target):
    networks = linear_networks(1, 80, g=g, seed=1)
    rate = 0.01 * (1 - g**2) ** 2
    course = descend_fixed_point(
        networks, target, learning_rate=rate, n_epochs=120, record_at=[120, 0, 40]
    )
    weights, outputs = plain_descent(networks, target, rate, 120)
    assert course.recorded == (0, 40, 120)
    assert course.diverged_at == (None,)
    np.testing.assert_allclose(course.output[0], outputs, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(course.loss[0], (target - outputs) ** 2 / 2, rtol=1e-9, atol=1e-14)
    sizes = np.linalg.svd(weights - weights[0])[1][:, :2]
    np.testing.assert_allclose(course.singular_values[0], sizes, rtol=0, atol=1e-12)
    changes = (weights - weights[0])[[0, 40, 120]]
    np.testing.assert_allclose(course.change[0], changes, rtol=0, atol=1e-12)
    assert sizes[-1, 0] > 0.1
    assert abs(outputs[-1] / target - 1) < abs(outputs[0] / target - 1)


@pytest.mark.parametrize("overlap", [0.0, 0.3, -1.0, 1.0])
def test_without_random_weights_two_units_learn_alike(overlap):
    networks = linear_networks(2, 70, g=0.0, overlap=overlap)
    networks = networks._replace(outward=1.7 * networks.outward)
    settings = {"learning_rate": 0.004, "n_epochs": 150, "record_at": [150], "spectrum_at": [150]}
    small = descend_fixed_point(two_unit_equivalent(networks), 0.6, **settings)
    _, outputs = plain_descent(two_unit_equivalent(networks), 0.6, 0.004, 150)
    weights, plain = plain_descent(networks, 0.6, 0.004, 150)
    np.testing.assert_allclose(outputs, plain, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(small.output[0], plain, rtol=1e-10, atol=1e-12)
    sizes = np.linalg.svd(weights)[1][:, :2]
    np.testing.assert_allclose(small.singular_values[0], sizes, rtol=0, atol=1e-10)
    real = np.linalg.eigvals(weights[-1]).real.max()
    assert small.largest_real_part[0, 0].item() == pytest.approx(max(real, 0), abs=1e-7)
    assert small.change.shape == (2, 1, 2, 2)


def test_the_published_singular_values_without_random_weights():
    for target, rate, size in ((0.5, 0.015, 0.428), (2.0, 0.003, 0.852)):
        networks = two_unit_equivalent(linear_networks(1, 10, g=0.0, overlap=0.0))
        course = descend_fixed_point(networks, target, learning_rate=rate, n_epochs=200)
        assert course.singular_values[0, -1, 0].item() == pytest.approx(size, abs=6e-4)


def test_outputs_are_where_the_simulation_settles():
    networks = linear_networks(3, 50, g=0.5)
    state = torch.zeros(3, 50, 1, dtype=torch.float64)
    for _ in range(300):
        state = state + 0.5 * (-state + networks.recurrent @ state + networks.inward)
    settled = (networks.outward @ state)[:, 0, 0]
    torch.testing.assert_close(fixed_point_output(networks), settled)
    course = descend_fixed_point(networks, 1.0, learning_rate=0.0, n_epochs=2)
    torch.testing.assert_close(course.output, settled[:, None].expand(3, 3))


def test_a_network_that_loses_its_fixed_point_is_named_and_the_others_go_on():
    networks = linear_networks(4, 100, g=0.8, seed=2)
    rate = 0.003 * (1 - 0.8**2) ** 2
    course = descend_fixed_point(networks, 4.0, learning_rate=rate, n_epochs=120, record_at=[120])
    assert any(epoch is not None for epoch in course.diverged_at)
    for which, epoch in enumerate(course.diverged_at):
        finite = torch.isfinite(course.output[which]).numpy()
        weights, _ = plain_descent(
            networks._replace(
                recurrent=networks.recurrent[[which]],
                inward=networks.inward[[which]],
                outward=networks.outward[[which]],
            ),
            4.0,
            rate,
            120 if epoch is None else epoch,
        )
        largest = np.linalg.eigvals(weights).real.max(-1)
        if epoch is None:
            assert finite.all()
            assert (largest < 1).all()
            continue
        assert largest[epoch] >= 1
        assert (largest[:epoch] < 1).all()
        np.testing.assert_array_equal(finite, np.arange(121) < epoch)
        assert torch.isnan(course.change[which]).all()
    moderate = descend_fixed_point(networks, 0.5, learning_rate=rate, n_epochs=120)
    assert moderate.diverged_at == (None,) * 4


def test_a_growing_oscillation_is_seen_where_the_spectrum_is_asked_for():
    turning = torch.tensor([[0.9, -2.0, 0.0], [2.0, 0.9, 0.0], [0.0, 0.0, 0.0]]).double()
    networks = linear_networks(1, 3, g=0.0, seed=2)._replace(recurrent=turning[None])
    settings = {"learning_rate": 0.02, "n_epochs": 60}
    unasked = descend_fixed_point(networks, 3.0, **settings)
    asked = descend_fixed_point(networks, 3.0, **settings, spectrum_at=range(61))
    epoch = asked.diverged_at[0]
    assert unasked.diverged_at == (None,)  # the fixed point is there, but activity leaves it
    assert 0 < epoch < 60
    assert asked.largest_real_part[0, epoch] >= 1 > asked.largest_real_part[0, epoch - 1]
    assert torch.isnan(asked.loss[0, epoch:]).all()


@pytest.mark.parametrize("rate", [1e3, 1e200, 1e308])
def test_a_step_that_is_too_large_is_a_divergence(rate):
    networks = linear_networks(1, 20, g=0.0, overlap=0.5)
    course = descend_fixed_point(networks, 1.0, learning_rate=rate, n_epochs=5)
    assert course.diverged_at == (1,)
    assert torch.isfinite(course.output[0]).tolist() == [True] + 5 * [False]


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"target": np.inf}, "target is inf"),
        ({}, {"learning_rate": -0.1}, "learning_rate is -0.1"),
        ({}, {"learning_rate": np.nan}, "learning_rate is nan"),
        ({}, {"n_epochs": -1}, "n_epochs is -1"),
        ({}, {"record_at": [3, 9]}, "record_at is .3, 9.: epochs lie between 0 and 5"),
        ({}, {"spectrum_at": [-1]}, "spectrum_at is .-1,."),
        ({"nonlinearity": "tanh"}, {}, "nonlinearity is 'tanh': the theory is of linear"),
        ({"inward": torch.ones(1, 4, 2).double()}, {}, "2 inputs and 1 outputs"),
        ({"outward": torch.full((1, 1, 4), torch.nan).double()}, {}, "outward holds NaN"),
        ({"recurrent": 2 * torch.eye(4).double()[:, :1] * torch.eye(4)[None, :1]}, {}, "Network 0"),
        ({"recurrent": torch.eye(4).double()[None]}, {}, "Network 0 has an eigenvalue of real"),
    ],
)
def test_bad_input_is_refused(changes, options, message):
    networks = linear_networks(1, 4, g=0.0)._replace(**changes)
    settings = {"target": 1.0, "learning_rate": 0.1, "n_epochs": 5} | options
    with pytest.raises(ValueError, match=message):
        descend_fixed_point(networks, **settings)


def test_an_unstable_pair_is_refused_where_the_spectrum_is_asked_for():
    networks = linear_networks(1, 4, g=0.0)._replace(recurrent=2 * torch.eye(4).double()[None])
    with pytest.raises(ValueError, match="Network 0 has an eigenvalue of real part 1 or more"):
        descend_fixed_point(networks, 1.0, learning_rate=0.1, n_epochs=5, spectrum_at=[0])


def test_two_units_are_refused_where_they_are_not_equivalent():
    with pytest.raises(ValueError, match="recurrent is not 0"):
        two_unit_equivalent(linear_networks(1, 10, g=0.1))
    networks = linear_networks(1, 10, g=0.0)
    with pytest.raises(ValueError, match="of a network is 0"):
        two_unit_equivalent(networks._replace(inward=0 * networks.inward))
