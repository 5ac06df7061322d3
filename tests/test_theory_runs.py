"""Observed gradient descent: gradients, what they are made of, and how changes add up."""

import numpy as np
import pytest
import torch

from ltr_core.learning import Diverged, adaptation_schedule, record_learning
from ltr_core.rnn import RNN, mean_field_networks, random_networks, simulate
from ltr_core.tasks import CurlField, FlipFlop, Hand, Reaching
from ltr_core.theory.bounds import RUNGS, tail_bounds
from ltr_core.theory.observed import observe_reaching, observe_training
from ltr_core.theory.problems import learn_problem, random_problem
from ltr_core.theory.real_runs import observe_task, run_tails, spread_evenly
from ltr_core.theory.runs import LOSSES, combination, descend, factors_of_gradient
from ltr_core.training import train

SETTINGS = {"n_units": 12, "n_trials": 3, "n_time": 7}


@pytest.mark.parametrize("nonlinearity", ["identity", "tanh"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_autograds_and_products_of_their_factors(loss, nonlinearity):
    problem = random_problem(3, g=0.8, initial_rank=2, nonlinearity=nonlinearity, **SETTINGS)
    network, inputs, targets, initial, dt = problem
    leaves = [part.clone().requires_grad_() for part in network[:3]]
    output = simulate(
        network._replace(**dict(zip(RNN._fields, leaves, strict=False))),
        inputs[None],
        dt,
        initial[None],
    ).output[0]
    LOSSES[loss](output, targets).backward()
    found = factors_of_gradient(network, inputs, targets, dt=dt, loss=loss, initial=initial)
    assert found.adjoint.shape == found.rates.shape == (12, 3 * 7)
    np.testing.assert_allclose(dt * found.adjoint @ found.rates.T, leaves[0].grad[0], atol=1e-13)
    np.testing.assert_allclose(found.inward, leaves[1].grad[0], atol=1e-13)
    np.testing.assert_allclose(found.outward, leaves[2].grad[0], atol=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_changes_are_the_stated_combination_of_gradients(momentum, weight_decay):
    problem = random_problem(1, g=0.5, **SETTINGS)
    rates = [0.5, 1.0, 0.25, 2.0, 0.1]
    run = descend(
        problem.network,
        problem.inputs,
        problem.targets,
        dt=problem.dt,
        n_steps=5,
        learning_rate=rates,
        momentum=momentum,
        weight_decay=weight_decay,
    )
    start = problem.network.recurrent[0].numpy()
    made_of = np.einsum("sg,gij->sij", run.coefficients, run.gradient)
    rebuilt = (run.kept - 1)[:, None, None] * start - made_of
    np.testing.assert_allclose(rebuilt, run.change, atol=1e-14)
    np.testing.assert_allclose(run.change[-1], run.final.recurrent[0].numpy() - start, atol=1e-14)
    assert (run.kept[-1] == 1) == (weight_decay == 0)
    assert not np.triu(run.coefficients, 1).any()
    wrong, _ = combination(np.array(rates), 0.5)
    assert np.abs(np.einsum("sg,gij->sij", wrong, run.gradient) + run.change).max() > 1e-4


def test_descent_follows_the_trainer_of_torch_with_every_optimiser():
    problem = random_problem(2, g=0.5, nonlinearity="tanh", **SETTINGS)
    for optimiser, rate in (("sgd", 0.5), ("adam", 0.01)):
        run = descend(
            problem.network,
            problem.inputs,
            problem.targets,
            dt=problem.dt,
            n_steps=4,
            learning_rate=rate,
            optimiser=optimiser,
            trained=("recurrent", "inward"),
        )
        leaves = [part.clone().requires_grad_() for part in problem.network[:2]]
        kind = torch.optim.SGD if optimiser == "sgd" else torch.optim.Adam
        rule = kind(leaves, lr=rate)
        for _ in range(4):
            rule.zero_grad()
            now = problem.network._replace(recurrent=leaves[0], inward=leaves[1])
            output = simulate(now, problem.inputs[None], problem.dt).output[0]
            LOSSES["squared"](output, problem.targets).backward()
            rule.step()
        torch.testing.assert_close(run.final.recurrent, leaves[0].detach())
        torch.testing.assert_close(run.final.inward, leaves[1].detach())
        assert (run.coefficients is None) == (optimiser == "adam")


def test_gram_matrices_are_those_of_the_factors_at_every_step():
    problem = random_problem(4, g=0.5, initial_rank=1, **SETTINGS)
    settings = {"dt": problem.dt, "initial": problem.initial}
    run = descend(
        problem.network,
        problem.inputs,
        problem.targets,
        n_steps=3,
        learning_rate=1.0,
        **settings,
    )
    recurrent = problem.network.recurrent + torch.from_numpy(run.change[1])
    network = problem.network._replace(recurrent=recurrent)
    found = factors_of_gradient(network, problem.inputs, problem.targets, **settings)
    np.testing.assert_allclose(found.adjoint @ found.adjoint.T, run.adjoint_gram[2], atol=1e-14)
    np.testing.assert_allclose(found.rates @ found.rates.T, run.rates_gram[2], atol=1e-13)
    assert found.loss == pytest.approx(run.loss[2])


def test_observed_training_is_training():
    task = FlipFlop(duration=20.0, interval=(2.0, 5.0))
    networks = mean_field_networks(2, 16, 2, 2, g=0.9, seed=5)
    settings = {"n_epochs": 6, "learning_rate": 0.5, "optimiser": "sgd", "momentum": 0.5}
    plain = train(networks, task, record_at=[1, 2, 3, 4, 5, 6], seed=5, **settings)
    runs = observe_training(networks, task, seed=5, **settings)
    for i, run in enumerate(runs):
        np.testing.assert_allclose(run.change, plain.change[i], atol=1e-7)
        made_of = np.einsum("sg,gij->sij", run.coefficients, run.gradient)
        np.testing.assert_allclose(run.change, -made_of, atol=1e-6)
        # ||G|| <= h ||Lambda|| ||Phi||, and both are there
        size = np.sqrt(np.trace(run.adjoint_gram[0]) * np.trace(run.rates_gram[0]))
        assert 0 < np.linalg.norm(run.gradient[0]) <= 0.5 * size
    assert np.abs(runs[0].change - runs[1].change).max() > 1e-4


def test_observed_reaching_is_the_recorded_learning():
    task, hand = Reaching(n_targets=3, preparation=0.1, movement=0.2), Hand()
    schedule = adaptation_schedule(CurlField(2.0), 2, 3, 2)
    networks = random_networks(1, 14, 3, 2, seed=1)
    record = record_learning(networks, task, hand, schedule, learning_rate=0.05, seed=3)
    run = observe_reaching(networks, task, hand, schedule, learning_rate=0.05, seed=3)
    np.testing.assert_allclose(run.change, record.change[0], atol=1e-12)
    np.testing.assert_allclose(run.loss, record.error[0], rtol=1e-10)
    with pytest.raises(ValueError, match="observe one at a time"):
        observe_reaching(random_networks(2, 14, 3, 2), task, hand, schedule)


def test_an_observed_task_is_plain_descent_from_a_network_of_its_own():
    task = FlipFlop(duration=10.0)
    run, again, other = (
        observe_task(task, n_units=8, n_epochs=3, seed=seed) for seed in (1000, 1000, 1001)
    )
    np.testing.assert_array_equal(run.change, again.change)
    assert np.abs(run.change - other.change).max() > 0
    np.testing.assert_allclose(run.coefficients[-1], 0.8)  # 6.4 over 8 units
    size = float(run.start.recurrent.std())
    assert size == pytest.approx(0.9 / 8**0.5, rel=0.3)


def test_what_is_kept_of_a_run_and_what_controls_break():
    problem = random_problem(1000, n_units=32, g=0.8, nonlinearity="tanh")
    run = learn_problem(problem, n_steps=25)
    found = run_tails(run, seed=1000)
    plain = tail_bounds(run)
    assert max(side.excess() for side in found.tails) < 1e-9
    assert max(side.excess() for side in found.walk) > 1e-3
    assert tuple(found.ladder) == RUNGS
    assert found.ladder["measured"] == pytest.approx(plain.pre.measured[2])
    assert found.ladder[RUNGS[-1]] == pytest.approx(plain.pre.bound[2])
    assert found.loss == run.loss[-10:].mean() / run.loss[:10].mean() < 1
    for spread, side in zip(found.spread, plain, strict=True):
        np.testing.assert_allclose(spread.bound[0], side.bound[0])  # the size is the same
        np.testing.assert_allclose(np.diff(spread.bound), -spread.bound[0] / 32)  # of all alike
    assert found.spread.guaranteed(0.9) > found.tails.guaranteed(0.9)


def test_factors_spread_evenly_keep_their_size_at_every_step():
    grams = learn_problem(random_problem(1000, n_units=6), n_steps=4).rates_gram
    spread = spread_evenly(grams)
    np.testing.assert_allclose(
        np.trace(spread, axis1=1, axis2=2), np.trace(grams, axis1=1, axis2=2)
    )
    assert all(np.linalg.cond(each) == pytest.approx(1) for each in spread)


@pytest.mark.usefixtures("as_in_use")
def test_bad_settings_are_refused():
    network, inputs, targets, initial, dt = random_problem(0, initial_rank=1, **SETTINGS)
    given = {"dt": dt, "n_steps": 2, "learning_rate": 0.1}
    for wrong, message in (
        ({"loss": "cubic"}, "loss is 'cubic'"),
        ({"n_steps": 0}, "n_steps is 0"),
        ({"learning_rate": [0.1] * 3}, "has 3 values: give one, or 2"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"optimiser": "rmsprop"}, "optimiser is 'rmsprop'"),
        ({"dt": 3.0}, "dt is 3.0"),
        ({"initial": initial[:2]}, "initial has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            descend(network, inputs, targets, **(given | wrong))
    with pytest.raises(ValueError, match="targets have shape"):
        descend(network, inputs, targets[:, :, :1], **given)
    with pytest.raises(ValueError, match="3 networks"):
        descend(random_networks(3, 12, 2, 2), inputs, targets, **given)
    with pytest.raises(Diverged, match="lower learning_rate"):
        descend(network, inputs, targets, **(given | {"n_steps": 60, "learning_rate": 1e4}))
    networks, settings = mean_field_networks(1, 4, 2, 2, g=0.5), {"n_epochs": 1}
    with pytest.raises(ValueError, match="it is the recurrent weights' learning"):
        observe_training(networks, FlipFlop(), learning_rate=0.1, trained=("inward",), **settings)
    for wrong in ({"n_units": 0}, {"start_rank": 13}, {"initial_rank": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            random_problem(0, **({"n_units": 12} | wrong))
