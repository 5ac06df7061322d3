"""Closed forms of the linear network: against its learning, and where they end."""

import numpy as np
import pytest
import torch
from theory_parts import flow, forward_and_back, linear_networks, parts

from ltr_core.theory import (
    amplification,
    change_orders,
    descend_fixed_point,
    expansion,
    fixed_point_output,
    large_network_norms,
    learning_time,
    resolvent_norms,
    scaled_time,
    shuffled_loss,
    small_target_expansion,
    small_target_learning_time,
    spread,
    two_unit_equivalent,
    valid_until,
)

TARGETS = (0.1, 0.5, 1.0, 2.0)


def learned(networks, target, t, g=0.0, n_epochs=100):
    """The networks' course up to scaled time t, and the tau of its epochs."""
    rate = t * (1 - g**2) ** 2 / n_epochs
    course = descend_fixed_point(networks, target, learning_rate=rate, n_epochs=n_epochs)
    return course, rate * np.arange(n_epochs + 1)


@pytest.fixture(scope="module")
def planar():
    """One network without W0, its readout orthogonal to its input: the large-N limit at g = 0."""
    return two_unit_equivalent(linear_networks(1, 20, g=0.0, overlap=0.0))


@pytest.mark.parametrize("target", [*TARGETS, -0.5])
def test_the_third_order_leaves_out_what_is_of_fourth_order(planar, target):
    times = np.array([0.005, 0.01])
    theory = expansion(0.0, target, times)
    weights = flow(planar, target, times)  # W0 is 0: these are the changes
    outputs = [forward_and_back(now, *parts(planar)[1:])[0] for now in weights]
    sizes = np.linalg.svd(weights)[1].T
    fourth = target * times**4 / 24
    size = 1 + 56 * target**2
    np.testing.assert_allclose(theory.output - outputs, fourth * size, rtol=0.08)
    left_out = (theory.output - outputs)[0] / (target * times[0])  # a share of the first term
    assert valid_until(0.0, target, error=left_out) == pytest.approx(times[0], rel=0.03)
    second = theory.second_singular_value - sizes[1]
    np.testing.assert_allclose(second, abs(target) ** 3 * times**4 / 8, rtol=0.1)
    first = theory.first_singular_value - sizes[0]
    assert 14 < first[1] / first[0] < 18  # 2^4; a wrong third-order term would give 8


@pytest.mark.parametrize("target", TARGETS)
def test_inside_its_range_the_series_holds_and_outside_it_does_not(planar, target):
    inside = float(valid_until(0.0, target))
    for t, holds in ((inside, True), (3 * inside, False)):
        course, tau = learned(planar, target, t)
        theory = expansion(0.0, target, tau, freeze=False)
        error = abs(theory.output[-1] / course.output[0, -1].item() - 1)
        assert (error < 0.2) == holds, (t, error)
        assert holds or error > 0.5


@pytest.mark.parametrize(("g", "target"), [(0.3, 0.5), (0.3, 2.0), (0.6, 0.5)])
def test_random_connectivity_enters_through_its_amplification_alone(g, target):
    networks = linear_networks(10, 500, g=g)
    t = float(valid_until(g, target, error=0.03))
    course, tau = learned(networks, target, t, g)
    theory = expansion(g, target, tau)
    late = slice(50, None)
    output = course.output.mean(0).numpy()[late]
    sizes = course.singular_values.mean(0).numpy()[late, 0]
    np.testing.assert_allclose(theory.output[late], output, rtol=0.08)
    np.testing.assert_allclose(theory.first_singular_value[late], sizes, rtol=0.05)
    without = expansion(0.0, target, tau)  # the control: the same time, W0 not known
    assert abs(without.output[-1] / output[-1] - 1) > 0.12


def test_networks_spread_as_stated_and_that_ends_the_theory_before_its_series_does():
    networks = linear_networks(100, 200, g=0.6)
    mixed = resolvent_norms(networks).mixed
    beta = 1 / (1 - 0.6**2)
    assert mixed.std() == pytest.approx(beta**4.5 / 200**0.5, rel=0.35)
    assert spread(0.6, 2.0, 200) == pytest.approx(8 * beta**2.5 / 200**0.5)
    assert spread(0.8, 2.0, 1024) > 1
    assert spread(0.3, 0.5, 1024) < 0.1


def test_the_spread_is_that_of_the_second_derivative_of_the_output():
    networks = linear_networks(1, 30, g=0.5)
    norms = resolvent_norms(networks)
    step = 1e-4
    weights = [parts(networks)[0], *flow(networks, 2.0, [step, 2 * step])]
    outputs = [forward_and_back(now, *parts(networks)[1:])[0] for now in weights]
    second = (outputs[2] - 2 * outputs[1] + outputs[0]) / step**2
    speed, error = (norms.input * norms.readout).item(), 2.0 - outputs[0]
    share = 4 * error * norms.mixed.item() / speed
    assert second == pytest.approx(-error * speed**2 * (1 - share), rel=0.02)
    assert abs(share) > 0.05


@pytest.mark.parametrize("target", [0.5, -2.0])
def test_orders_of_the_change_are_the_derivatives_of_learning(target):
    networks = linear_networks(1, 25, g=0.5)
    orders = change_orders(networks, target)
    step = 1e-3
    start = parts(networks)[0]
    slopes = [
        (now - start) / (k * step)
        for k, now in enumerate(flow(networks, target, [step, 2 * step]), 1)
    ]
    first, second = 2 * slopes[0] - slopes[1], (slopes[1] - slopes[0]) / step
    size = orders.second.abs().max().item()
    np.testing.assert_allclose(first, orders.first[0], rtol=0, atol=1e-4 * size)
    np.testing.assert_allclose(second, orders.second[0], rtol=0, atol=0.03 * size)


@pytest.mark.parametrize(("g", "within"), [(0.0, 1e-12), (0.3, 0.05), (0.6, 0.12)])
def test_norms_tend_to_their_large_n_values(g, within):
    measured, theory = resolvent_norms(linear_networks(4, 1000, g=g)), large_network_norms(g, 1000)
    for name in ("input", "readout", "input_again", "readout_again", "input_overlap"):
        mean = getattr(measured, name).mean()
        assert mean == pytest.approx(getattr(theory, name), rel=within), name
    assert theory.mixed == 0
    beta = amplification(g)
    assert abs(measured.mixed).max() < 4 * beta**4.5 / 1000**0.5
    assert measured.input_again.mean() != pytest.approx(float(1000 * beta), rel=0.1) or g < 0.2


def test_a_small_target_is_described_at_all_times(planar):
    course, tau = learned(planar, 0.1, 4.0, n_epochs=800)
    theory = small_target_expansion(0.0, 0.1, tau)
    np.testing.assert_allclose(theory.output, course.output[0], rtol=0.035, atol=1e-4)
    np.testing.assert_allclose(
        theory.first_singular_value, course.singular_values[0, :, 0], rtol=0.035, atol=1e-4
    )
    course, tau = learned(planar, 2.0, 4.0, n_epochs=800)
    theory = small_target_expansion(0.0, 2.0, tau)
    assert np.abs(theory.output - course.output[0].numpy()).max() > 0.3  # a large one is not


def test_learning_times_are_those_of_the_loss():
    for g, target in ((0.0, 0.5), (0.6, 2.0), (0.9, 0.1)):
        tau = learning_time(g, target)
        first = target**2 / 2
        assert expansion(g, target, tau).loss == pytest.approx(0.05 * first)
        tau = small_target_learning_time(g)
        assert small_target_expansion(g, target, tau).loss == pytest.approx(0.05 * first)
    g = np.array([0.0, 0.3, 0.6, 0.8])
    small = learning_time(g, 1e-6)
    np.testing.assert_allclose(small / small[0], (1 - g**2) ** 2)
    assert (learning_time(g, 2.0)[1:] / learning_time(g, 2.0)[0] < (1 - g[1:] ** 2) ** 2).all()
    assert learning_time(0.0, 0.5, threshold=0.5) < learning_time(0.0, 0.5)


def test_a_random_network_learns_faster_as_the_theory_says():
    times = []
    for g in (0.0, 0.6):
        course, tau = learned(linear_networks(5, 300, g=g), 0.5, 2.0, g, n_epochs=150)
        loss = course.loss.mean(0).numpy()
        times.append(tau[np.argmax(loss < 0.05 * loss[0])])
    theory = learning_time(np.array([0.0, 0.6]), 0.5)
    assert times[1] / times[0] == pytest.approx(theory[1] / theory[0], rel=0.1)
    assert abs(theory[0] / times[0] - 1) > 0.2  # the time itself lies outside the series' range


def test_shuffled_networks_lose_what_the_theory_says():
    g, n = 0.4, 700
    networks = linear_networks(4, n, g=g)
    course = descend_fixed_point(
        networks, 0.3, learning_rate=0.02 * (1 - g**2) ** 2, n_epochs=600, record_at=[600]
    )
    assert course.loss[:, -1].max() < 1e-6
    order = torch.from_numpy(np.random.default_rng(0).permutation(n * n))
    shuffled = networks.recurrent.flatten(1)[:, order].unflatten(1, (n, n))
    output = fixed_point_output(networks._replace(recurrent=shuffled + course.change[:, 0]))
    loss = (0.3 - output.mean().item()) ** 2 / 0.3**2
    assert loss == pytest.approx(float(shuffled_loss(g)), abs=0.05)
    assert shuffled_loss(0.0) == 0
    assert shuffled_loss(0.6) == pytest.approx(0.6**4 * (2 - 0.6**2) ** 2)


def test_theory_is_frozen_once_the_target_is_reached():
    tau = np.linspace(0, 5, 200)
    frozen, free = (expansion(0.3, 1.0, tau, freeze=freeze) for freeze in (True, False))
    reached = free.output >= 1
    assert 10 < reached.sum() < 190
    for held, going in zip(frozen, free, strict=True):
        np.testing.assert_array_equal(held[~reached], going[~reached])
        assert np.ptp(held[reached]) < 1e-12
        assert going[-1] > 2 * held[-1]
    np.testing.assert_allclose(frozen.output[reached], 1)


def test_arguments_broadcast():
    theory = expansion(np.array([[0.0], [0.5]]), 2, np.linspace(0, 0.1, 7))
    assert {part.shape for part in theory} == {(2, 7)}
    one = expansion(0.5, 2.0, 0.1)
    np.testing.assert_allclose(one, [part[1, -1] for part in theory], rtol=1e-12)
    assert scaled_time(0.5, 1.0) == pytest.approx(16 / 9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expansion(1.0, 1.0, 1.0), "g is 1.0: the linear network is stable for"),
        (lambda: expansion(-0.1, 1.0, 1.0), "g is -0.1"),
        (lambda: learning_time(np.array([0.5, 1.5]), 1.0), "g is 1.5"),
        (lambda: shuffled_loss(np.nan), "g is nan"),
        (lambda: expansion(0.5, 0.0, 1.0), "target is 0.0: it must be finite, and not 0"),
        (lambda: valid_until(0.5, np.inf), "target is inf"),
        (lambda: expansion(0.5, 1.0, -1.0), "tau holds a value that is negative"),
        (lambda: small_target_expansion(0.5, 1.0, np.array([np.nan])), "tau holds a value"),
        (lambda: learning_time(0.5, 1.0, threshold=1.0), "threshold is 1.0"),
        (lambda: valid_until(0.5, 1.0, error=0.0), "error is 0.0"),
        (lambda: spread(0.5, 1.0, 0), "n_units is 0"),
        (lambda: large_network_norms(1.2, 10), "g is 1.2"),
        (lambda: change_orders(linear_networks(1, 5, g=0.1), np.nan), "target is nan"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
