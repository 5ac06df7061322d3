"""The recurrent loop: its own backward pass against autograd, and its buffers."""

import numpy as np
import pytest
import torch

from ltr_core.rnn import mean_field_networks, simulate
from ltr_core.rollout import Rollout, rollout, rollout_by_autograd

N_TIME, N_NETWORKS, N_UNITS, N_INPUTS, N_TRIALS = 30, 2, 24, 3, 5


def parts(dtype=torch.float64, shared=False, seed=0):
    made = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=made, dtype=dtype)

    return {
        "recurrent": 1.2 / N_UNITS**0.5 * normal(N_NETWORKS, N_UNITS, N_UNITS),
        "inward": normal(N_NETWORKS, N_UNITS, N_INPUTS),
        "inputs": normal(N_TIME, 1 if shared else N_NETWORKS, N_INPUTS, N_TRIALS),
        "initial": normal(N_NETWORKS, N_UNITS, N_TRIALS),
    }


def gradients(run, given, nonlinearity, h=0.3):
    """Gradients of a loss that weighs every rate at random."""
    leaves = {name: part.clone().requires_grad_(name != "inputs") for name, part in given.items()}
    rates = run(*leaves.values(), h=h, nonlinearity=nonlinearity)
    weight = torch.randn(rates.shape, generator=torch.Generator().manual_seed(9)).to(rates)
    (rates**2 * weight).sum().backward()
    return rates.detach(), [leaf.grad for name, leaf in leaves.items() if name != "inputs"]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("nonlinearity", ["tanh", "identity"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_rates_and_gradients_are_those_of_autograd(dtype, tolerance, nonlinearity, shared):
    given = parts(dtype, shared)
    if nonlinearity == "identity":
        given["recurrent"] *= 0.5  # a stable linear network
    rates, ours = gradients(rollout, given, nonlinearity)
    wanted_rates, wanted = gradients(rollout_by_autograd, given, nonlinearity)
    assert torch.allclose(rates, wanted_rates, rtol=0, atol=tolerance * wanted_rates.abs().max())
    for found, right in zip(ours, wanted, strict=True):
        assert (found - right).norm() <= tolerance * right.norm()


@pytest.mark.parametrize("n_units", [256, 251])
def test_products_of_large_networks_are_whole(n_units):
    # in blocks, or in one where no number divides the units
    drawn = np.random.default_rng(0)
    recurrent = drawn.normal(0, n_units**-0.5, (2, n_units, n_units))
    given = [recurrent, drawn.normal(size=(2, n_units, 1)), drawn.normal(size=(3, 1, 1, 32))]
    given = [torch.from_numpy(part) for part in (*given, drawn.normal(size=(2, n_units, 32)))]
    named = dict(zip(("recurrent", "inward", "inputs", "initial"), given, strict=True))
    rates, ours = gradients(rollout, named, "tanh")
    wanted_rates, wanted = gradients(rollout_by_autograd, named, "tanh")
    for found, right in zip((rates, *ours), (wanted_rates, *wanted), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-10, atol=1e-10)


def test_a_step_less_changes_the_gradients():
    # so that the comparison above could fail
    given = parts()
    _, whole = gradients(rollout, given, "tanh")
    _, shorter = gradients(rollout, given | {"inputs": given["inputs"][:-1]}, "tanh")
    assert (whole[0] - shorter[0]).norm() > 1e-3 * whole[0].norm()


def test_the_adjoint_makes_the_gradient():
    given = {name: part.numpy() for name, part in parts().items()}
    loop = Rollout(0.3)
    loop.forward(*given.values())
    by_rates = np.random.default_rng(1).standard_normal(loop.rates[1:].shape)
    found = loop.backward(by_rates)
    summed = 0.3 * np.einsum("tnib,tnjb->nij", loop.adjoint, loop.rates[:-1])
    np.testing.assert_allclose(found.recurrent, summed, rtol=1e-12)


def test_readout_gradient_is_the_sum_over_times_and_trials():
    given = {name: part.numpy() for name, part in parts().items()}
    loop = Rollout(0.3)
    rates = loop.forward(*given.values()).copy()
    by_output = np.random.default_rng(2).standard_normal((N_TIME, N_NETWORKS, 2, N_TRIALS))
    wanted = np.einsum("tnob,tnib->noi", by_output, rates)
    np.testing.assert_allclose(loop.by_readout(by_output), wanted, rtol=1e-12)


def test_buffers_serve_again_and_for_other_sizes():
    loop = Rollout(0.3)
    for seed, n_time in ((0, N_TIME), (1, N_TIME), (2, 7)):
        given = {name: part.numpy() for name, part in parts(seed=seed).items()}
        given["inputs"] = given["inputs"][:n_time]
        fresh = Rollout(0.3)
        np.testing.assert_array_equal(loop.forward(*given.values()), fresh.forward(*given.values()))
        by_rates = np.random.default_rng(seed).standard_normal(fresh.rates[1:].shape)
        for used, new in zip(loop.backward(by_rates), fresh.backward(by_rates), strict=True):
            np.testing.assert_array_equal(used, new)


def test_two_forward_passes_do_not_share_what_backward_needs():
    given = parts()
    weights = given["recurrent"].clone().requires_grad_()
    first = rollout(weights, *list(given.values())[1:], h=0.3)
    kept = first.detach().clone()
    rollout(2 * weights.detach(), *list(given.values())[1:], h=0.3)
    assert torch.equal(first.detach(), kept)


@pytest.mark.usefixtures("as_in_use")
def test_a_mistyped_nonlinearity_is_refused_and_not_taken_for_another():
    network = mean_field_networks(1, 4, 1, 1, g=0.5)._replace(nonlinearity="tahn")
    with pytest.raises(ValueError, match="nonlinearity is 'tahn': give one of tanh, identity"):
        simulate(network, torch.zeros(1, 1, 3, 1), 0.1)
