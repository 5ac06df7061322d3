"""The networks' simulation, against an independent solver and against itself one at a time."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from ltr_core import rnn
from ltr_core.rnn import RNN, mean_field_networks, random_networks, simulate

TAU = 0.1


def ramp(n_steps, dt):
    """Two inputs that change in time, at the start of each step (as Euler reads them)."""
    t = dt * torch.arange(n_steps, dtype=torch.float64)
    return torch.stack([torch.sin(8 * t), torch.cos(5 * t)], dim=-1)[None, None]


def solved(network, duration):
    weights, inward = network.recurrent[0].numpy(), network.inward[0].numpy()

    def motion(t, x):
        drive = np.array([np.sin(8 * t), np.cos(5 * t)])
        return (-x + weights @ np.tanh(x) + inward @ drive) / TAU

    start = np.zeros(len(weights))
    return np.tanh(solve_ivp(motion, (0, duration), start, rtol=1e-10, atol=1e-12).y[:, -1])


def test_simulation_converges_on_an_independent_solver_in_first_order():
    network = random_networks(1, 12, 2, 1, g=1.4, tau=TAU, seed=3)
    truth = solved(network, 0.4)
    errors = []
    for n_steps in (400, 800, 1600):
        activity = simulate(network, ramp(n_steps, 0.4 / n_steps), 0.4 / n_steps).activity
        errors.append(np.abs(activity[0, 0, -1].numpy() - truth).max())
    assert errors[-1] < 2e-3
    # Euler's method: half the step, half the error
    np.testing.assert_allclose([errors[0] / errors[1], errors[1] / errors[2]], 2, rtol=0.05)


def test_networks_in_a_batch_do_not_touch_one_another():
    networks = random_networks(3, 10, 2, 2, seed=1)
    inputs = torch.randn(3, 4, 20, 2, dtype=torch.float64, generator=torch.manual_seed(0))
    together = simulate(networks, inputs, 0.02)
    for i in range(3):
        one = RNN(*(weight[i : i + 1] for weight in networks[:3]), networks.tau)
        alone = simulate(one, inputs[i : i + 1], 0.02)
        torch.testing.assert_close(together.activity[i], alone.activity[0])
        torch.testing.assert_close(together.output[i], alone.output[0])


def test_a_network_is_the_same_however_many_are_drawn():
    few, many = (random_networks(n, 6, 2, 1, seed=4) for n in (2, 5))
    torch.testing.assert_close(few.recurrent, many.recurrent[:2], rtol=0, atol=0)


def test_random_weights_have_the_stated_strength():
    network = random_networks(2, 400, 2, 3, g=1.5, seed=0)
    assert network.recurrent.std().item() == pytest.approx(1.5 / 20, rel=0.01)
    assert network.inward.norm(dim=1).mean().item() == pytest.approx(20, rel=0.1)
    assert network.outward.norm(dim=2).mean().item() == pytest.approx(1, rel=0.1)
    assert (network.n_networks, network.n_units) == (2, 400)


def test_it_starts_where_it_is_told():
    network = random_networks(1, 5, 1, 1, g=0.0, seed=0)
    start = torch.full((1, 1, 5), 0.5, dtype=torch.float64)
    still = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    activity = simulate(network, still, 0.05, start).activity
    torch.testing.assert_close(activity[0, 0, 0], torch.full((5,), np.tanh(0.25)).double())


def test_networks_that_share_trials_start_each_where_it_is_told():
    networks = random_networks(2, 6, 1, 1, seed=0)
    inputs = torch.randn(1, 3, 5, 1, dtype=torch.float64, generator=torch.manual_seed(0))
    starts = torch.randn(2, 3, 6, dtype=torch.float64, generator=torch.manual_seed(1))
    shared = simulate(networks, inputs, 0.02, starts)
    apart = simulate(networks, inputs.expand(2, -1, -1, -1), 0.02, starts)
    torch.testing.assert_close(shared.output, apart.output)
    assert not torch.allclose(shared.output, simulate(networks, inputs, 0.02).output)


def test_mean_field_networks_have_the_stated_scales():
    networks = mean_field_networks(2, 400, 2, 3, g=1.5)
    torch.testing.assert_close(networks.inward.norm(dim=1), torch.full((2, 2), 20.0))
    torch.testing.assert_close(networks.outward.norm(dim=2), torch.full((2, 3), 1 / 20))
    for weights in networks.recurrent:
        assert weights.var().item() == pytest.approx(1.5**2 / 400, rel=0.02)
        assert abs(weights.mean().item()) < 4 * 1.5 / 20 / 400
    # a circular law, not a structured matrix
    radius = torch.linalg.eigvals(networks.recurrent).abs().max(1).values
    torch.testing.assert_close(radius, torch.full((2,), 1.5), rtol=0.1, atol=0)
    assert (networks.tau, networks.nonlinearity) == (1.0, "tanh")
    assert networks.recurrent.dtype == torch.float32


def test_mean_field_networks_are_the_same_up_to_g_and_however_many():
    few, strong = (mean_field_networks(n, 6, 2, 1, g=g, seed=4) for n, g in ((2, 0.5), (5, 2.0)))
    torch.testing.assert_close(4 * few.recurrent, strong.recurrent[:2])
    assert torch.equal(few.inward, strong.inward[:2])
    assert torch.equal(few.outward, strong.outward[:2])
    assert not torch.equal(few.inward[0], few.inward[1])
    other = mean_field_networks(2, 6, 2, 1, g=0.5, seed=5)
    assert not torch.equal(few.recurrent, other.recurrent)
    assert not mean_field_networks(1, 6, 1, 1, g=0.0).recurrent.any()
    double = mean_field_networks(2, 6, 2, 1, g=0.5, dtype=torch.float64, seed=4)
    torch.testing.assert_close(double.recurrent.float(), few.recurrent, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"n_units": 0}, "n_units is 0"),
        ({"n_outputs": 0}, "n_outputs is 0"),
        ({"g": -0.1}, r"g is -0\.1"),
        ({"g": float("inf")}, "g is inf"),
        ({"g": 1.0, "nonlinearity": "identity"}, r"g is 1\.0: a linear network .* unstable"),
        ({"nonlinearity": "relu"}, "nonlinearity is 'relu': give one of tanh, identity"),
    ],
)
@pytest.mark.usefixtures("as_in_use")
def test_impossible_mean_field_networks_are_named(settings, named):
    sizes = {"n_networks": 1, "n_units": 4, "n_inputs": 1, "n_outputs": 1, "g": 0.5}
    with pytest.raises(ValueError, match=named):
        mean_field_networks(**sizes | settings)


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"n_units": 0}, "n_units"), ({"g": -1.0}, "g is"), ({"tau": 0.0}, "tau is")],
)
def test_impossible_networks_are_named(settings, named):
    with pytest.raises(ValueError, match=named):
        random_networks(**{"n_networks": 1, "n_units": 4, "n_inputs": 1, "n_outputs": 1} | settings)


@pytest.mark.parametrize(
    ("shape", "dt", "named"),
    [
        ((1, 2, 10, 3), 0.02, "3 channels"),
        ((3, 2, 10, 2), 0.02, "for 3 networks"),
        ((2, 0, 10, 2), 0.02, "empty"),
        ((1, 2, 10, 2), 0.2, "at most tau"),
    ],
)
def test_inputs_that_do_not_fit_are_named(shape, dt, named):
    network = random_networks(2, 4, 2, 1)
    with pytest.raises(ValueError, match=named):
        simulate(network, torch.zeros(shape, dtype=torch.float64), dt)


# Outside the tests nothing checks annotations: what a user meets there is simulate's own check.
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"recurrent": torch.zeros(2, 4, 5)}, "recurrent has shape"),
        ({"inward": torch.zeros(2, 3, 2)}, "inward has shape"),
        ({"outward": torch.zeros(1, 1, 4)}, "outward has shape"),
    ],
)
def test_weights_that_do_not_fit_each_other_are_named(changed, named):
    network = random_networks(2, 4, 2, 1)._replace(**changed)
    with pytest.raises(ValueError, match=named):
        rnn.check(network, torch.zeros(1, 1, 5, 2, dtype=torch.float64), 0.02)


def test_inputs_without_an_axis_are_named():
    with pytest.raises(ValueError, match=r"the axes are \(network, trial, time, input\)"):
        rnn.check(random_networks(2, 4, 2, 1), torch.zeros(1, 5, 2, dtype=torch.float64), 0.02)


def test_inputs_that_are_not_finite_are_refused():
    inputs = torch.zeros(1, 1, 5, 2, dtype=torch.float64)
    inputs[0, 0, 3, 1] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        simulate(random_networks(1, 4, 2, 1), inputs, 0.02)
