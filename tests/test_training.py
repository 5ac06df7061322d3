"""Training with recorded changes: gradients against autograd, what is kept, what is refused."""

import numpy as np
import pytest
import torch

from ltr_core.learning import Diverged
from ltr_core.rnn import mean_field_networks
from ltr_core.rollout import rollout_by_autograd
from ltr_core.tasks import Cosine, DelayedDiscrimination, FixedPoint, FlipFlop, Trials
from ltr_core.training import ALL_WEIGHTS, task_loss, train

SHORT = FlipFlop(duration=12.0, decision_delay=2.0, interval=(1.0, 3.0))
# the target counts from the first step on, before any input
ROMO = DelayedDiscrimination(fixation=2.0, delay=(1.0, 2.0), decision_delay=1.0, decision=3.0)
N_UNITS = 20


def networks(n=2, task=SHORT, g=1.2, dtype=torch.float32, **settings):
    made = {"g": g, "dtype": dtype, **settings}
    return mean_field_networks(n, N_UNITS, task.n_inputs, task.n_outputs, **made)


def learn(start, task=SHORT, **settings):
    chosen = {"n_epochs": 12, "n_trials": 6, "learning_rate": 0.01, "seed": 3, **settings}
    return train(start, task, **chosen)


def one(start, index):
    weights = {name: getattr(start, name)[index : index + 1] for name in ALL_WEIGHTS}
    return start._replace(**weights)


def batch(task, n_networks, n_trials=6, seed=3):
    """The trials of the first epoch."""
    drawn = [task.sample(n_trials, np.random.default_rng([seed, i, 1])) for i in range(n_networks)]
    return Trials(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))


def by_autograd(start, task, initial=None):
    """Loss and gradients, written from their definitions."""
    weights = {name: getattr(start, name).clone().requires_grad_() for name in ALL_WEIGHTS}
    dtype = start.recurrent.dtype
    trials = batch(task, start.n_networks)
    inputs = trials.inputs.to(dtype).permute(2, 0, 3, 1)
    state = torch.zeros(start.n_networks, N_UNITS, 6, dtype=dtype)
    if initial is not None:
        state = state + initial[..., None]
    rates = rollout_by_autograd(
        weights["recurrent"],
        weights["inward"],
        inputs,
        state,
        h=task.dt / start.tau,
        nonlinearity=start.nonlinearity,
    )
    output = torch.einsum("nop,tnpb->nbto", weights["outward"], rates)
    mask = trials.mask[..., None].expand_as(trials.targets)
    squares = mask * (output - trials.targets) ** 2
    loss = 0.5 * squares.sum((1, 2, 3)) / mask.sum((1, 2, 3))
    loss.sum().backward()
    return loss.detach(), {name: weight.grad for name, weight in weights.items()}


def after_one_step(start, task, **settings):
    """Gradients, from a step of plain descent that is so large that weights round little of it."""
    rate = 1e4
    found = learn(start, task, n_epochs=1, learning_rate=rate, optimiser="sgd", **settings)
    steps = {n: (getattr(start, n) - getattr(found.final, n)) / rate for n in ALL_WEIGHTS}
    return found, steps


@pytest.mark.parametrize("task", [SHORT, ROMO], ids=["flip-flop", "Romo"])
@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_a_step_is_along_the_gradient_of_autograd(dtype, tolerance, started, task):
    start = networks(task=task, dtype=dtype)
    initial = torch.randn(2, N_UNITS, generator=torch.manual_seed(0)).to(dtype) if started else None
    found, steps = after_one_step(start, task, initial=initial)
    loss, wanted = by_autograd(start, task, initial)
    torch.testing.assert_close(found.loss[:, 0], loss.float(), rtol=1e-5, atol=0)
    norm = wanted["recurrent"].norm(dim=(1, 2)).float()
    torch.testing.assert_close(found.gradient_norm[:, 0], norm, rtol=1e-4, atol=0)
    for name, gradient in wanted.items():
        assert (steps[name] - gradient).norm() <= tolerance * gradient.norm(), name


def test_gradients_are_those_of_each_networks_own_trials():
    # so that the comparison above could fail
    start = networks(dtype=torch.float64)
    _, wanted = by_autograd(start, SHORT)
    _, steps = after_one_step(start, SHORT, seed=4)
    for name, gradient in wanted.items():
        assert (steps[name] - gradient).norm() > 0.01 * gradient.norm()


def test_a_linear_network_learns_along_its_own_gradient():
    task = FixedPoint(duration=10.0)
    start = networks(task=task, g=0.5, dtype=torch.float64, nonlinearity="identity")
    _, steps = after_one_step(start, task)
    _, wanted = by_autograd(start, task)
    for name, gradient in wanted.items():
        assert (steps[name] - gradient).norm() <= 1e-10 * gradient.norm()


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_network_learns_the_same_alone_as_among_others(optimiser):
    start = networks(3, dtype=torch.float64)
    settings = {"optimiser": optimiser, "record_at": [5]}
    together = learn(start, **settings)
    first = learn(one(start, 0), **settings)
    torch.testing.assert_close(together.loss[:1], first.loss)
    torch.testing.assert_close(together.change[:1], first.change)
    for name in ALL_WEIGHTS:
        torch.testing.assert_close(getattr(together.final, name)[:1], getattr(first.final, name))
    assert not torch.allclose(together.loss[1], first.loss[0])


def test_momentum_adds_a_share_of_the_update_before():
    start = networks(dtype=torch.float64)
    settings = {"optimiser": "sgd", "momentum": 0.8, "learning_rate": 0.5}
    first, second = (learn(start, n_epochs=n, **settings).final for n in (1, 2))
    plain = learn(start, n_epochs=2, **(settings | {"momentum": 0.0})).final
    update = first.recurrent - start.recurrent
    own = plain.recurrent - first.recurrent  # the first updates are alike
    torch.testing.assert_close(second.recurrent, first.recurrent + own + 0.8 * update)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_weight_decay_shrinks_the_recurrent_weights_alone(optimiser):
    start = networks(dtype=torch.float64)
    settings = {"n_epochs": 1, "optimiser": optimiser, "learning_rate": 0.1}
    plain, decayed = (learn(start, weight_decay=d, **settings).final for d in (0.0, 0.5))
    lost = plain.recurrent - decayed.recurrent
    torch.testing.assert_close(lost, 0.05 * start.recurrent)
    assert torch.equal(plain.inward, decayed.inward)
    assert torch.equal(plain.outward, decayed.outward)


@pytest.mark.parametrize(("optimiser", "rate"), [("adam", 0.05), ("sgd", 0.5)])
def test_losses_fall(optimiser, rate):
    found = learn(networks(), n_epochs=60, optimiser=optimiser, learning_rate=rate)
    assert (found.loss[:, -5:].mean(1) < 0.5 * found.loss[:, 0]).all()


def test_changes_are_those_after_the_updates_that_were_asked_for():
    start = networks()
    found = learn(start, record_at=[0, 3, 12])
    assert found.recorded.tolist() == [0, 3, 12]
    assert not found.change[:, 0].any()
    # the first epochs do not know how many follow
    three = learn(start, n_epochs=3)
    assert torch.equal(found.change[:, 1], three.final.recurrent - start.recurrent)
    assert torch.equal(found.change[:, 2], found.final.recurrent - start.recurrent)
    assert three.change.shape == (2, 0, N_UNITS, N_UNITS)


def test_the_networks_that_are_given_stay_as_they_are():
    start = networks()
    copy = [getattr(start, name).clone() for name in ALL_WEIGHTS]
    found = learn(start)
    for name, before in zip(ALL_WEIGHTS, copy, strict=True):
        assert torch.equal(getattr(start, name), before)
        assert torch.equal(getattr(found.start, name), before)
        assert not torch.equal(getattr(found.final, name), before)


def test_training_stops_when_every_network_has_been_below():
    start = networks()
    whole = learn(start, n_epochs=40, learning_rate=0.003)
    share = 0.3
    below = whole.loss < share * whole.loss[:, :1]
    reached = below.to(torch.int8).argmax(1)
    last = int(reached.max())
    assert below.any(1).all()
    assert reached[0] != reached[1]
    kept = [0, last - 1, last, last + 1, 40]
    found = learn(start, n_epochs=40, learning_rate=0.003, stop_below=share, record_at=kept)
    assert torch.equal(found.loss, whole.loss[:, : last + 1])
    assert found.gradient_norm.shape == found.loss.shape
    # the networks are those that made the last loss, and nothing is recorded after it
    assert found.recorded.tolist() == [0, last - 1, last]
    assert torch.equal(found.change[:, -1], found.final.recurrent - start.recurrent)
    assert torch.equal(found.best.recurrent, found.final.recurrent)


def test_the_best_is_that_of_the_least_loss_among_the_recent_epochs():
    start = networks(4)
    settings = {"learning_rate": 0.02, "n_trials": 1}  # the loss of one trial goes up and down
    found = learn(start, recent=3, **settings)
    early, recent = found.loss[:, :9], found.loss[:, 9:]
    least = 9 + recent.argmin(1)
    assert (least < 11).any()
    assert (early.min(1).values < recent.min(1).values).any()
    for network, epoch in enumerate(least.tolist()):
        there = learn(start, n_epochs=epoch, **settings).final
        for name in ALL_WEIGHTS:
            kept = getattr(found.best, name)[network]
            assert torch.equal(kept, getattr(there, name)[network])


def test_a_fifth_of_the_epochs_is_recent_unless_told():
    start = networks(4)
    settings = {"learning_rate": 0.02, "n_trials": 1}
    usual, fifth = (learn(start, **settings, **other).best for other in ({}, {"recent": 2}))
    assert torch.equal(usual.recurrent, fifth.recurrent)
    whole = learn(start, recent=12, **settings).best
    assert not torch.equal(usual.recurrent, whole.recurrent)


@pytest.mark.parametrize("name", ALL_WEIGHTS)
def test_only_the_weights_that_are_named_are_trained(name):
    start = networks()
    found = learn(start, trained=(name,))
    for other in ALL_WEIGHTS:
        same = torch.equal(getattr(found.final, other), getattr(start, other))
        assert same == (other != name)


def test_the_same_seed_gives_the_same_training():
    start = networks()
    assert torch.equal(learn(start).loss, learn(start).loss)
    assert not torch.equal(learn(start).loss, learn(start, seed=4).loss)


def test_the_loss_counts_the_mask_once_for_every_output():
    start = networks(1, dtype=torch.float64)
    silent = start._replace(outward=torch.zeros_like(start.outward))
    trials = SHORT.sample(40, np.random.default_rng(0))
    # one of the two targets is at 0.5 wherever the mask counts
    torch.testing.assert_close(task_loss(silent, SHORT, trials), torch.tensor([0.0625]).double())
    found = learn(start)
    first = SHORT.sample(6, np.random.default_rng([3, 0, 1]))
    torch.testing.assert_close(task_loss(start, SHORT, first).float(), found.loss[:, 0])


def test_the_state_before_the_first_step_counts():
    task = Cosine()
    start = networks(1, task=task, dtype=torch.float64)
    trials = task.sample(2, np.random.default_rng(0))
    moved = start.inward[..., 0]
    still = task_loss(start, task, trials)
    torch.testing.assert_close(still, task_loss(start, task, trials, torch.zeros_like(moved)))
    assert task_loss(start, task, trials, moved) != still
    found = learn(start, task, initial=moved)
    torch.testing.assert_close(found.loss[:, 0].double(), task_loss(start, task, trials, moved))


@pytest.mark.parametrize(("optimiser", "rate"), [("sgd", 1e3), ("adam", 30.0)])
def test_a_rate_that_is_too_large_is_named(optimiser, rate):
    task = FixedPoint(duration=40.0)
    start = networks(task=task, g=0.5, nonlinearity="identity")
    said = rf"The loss of network \d became \S+ at epoch [1-9]\d* .*\(now {rate}, {optimiser}\)"
    with pytest.raises(Diverged, match=said):
        learn(start, task, optimiser=optimiser, learning_rate=rate)


@pytest.mark.parametrize("scale", [50.0, 1e8])  # the loss becomes infinite; the activity does
def test_the_network_that_diverges_is_named_and_not_its_neighbour(scale):
    task = FixedPoint(duration=40.0)
    start = networks(2, task=task, g=0.5, nonlinearity="identity")
    learn(start, task, learning_rate=1e-6)
    start.recurrent[1] *= scale
    with pytest.raises(Diverged, match=r"network 1 became (inf|nan) at epoch 0"):
        learn(start, task, learning_rate=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_epochs": 0}, "n_epochs is 0: it must be at least 1"),
        ({"n_trials": 0}, "n_trials is 0: it must be at least 1"),
        ({"recent": 0}, "recent is 0: it must be at least 1"),
        ({"trained": ()}, "trained is \\(\\): give some of recurrent, inward, outward"),
        ({"record_at": [3, 1]}, "increasing numbers from 0 to 12"),
        ({"record_at": [1, 1]}, "increasing numbers from 0 to 12"),
        ({"record_at": [13]}, r"record_at is \[13\]: increasing numbers from 0 to 12"),
        ({"record_at": [-1]}, "increasing numbers from 0 to 12"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1"),
        ({"optimiser": "sgd", "momentum": 1.0}, "momentum is 1.0: it must be"),
        ({"optimiser": "adam", "momentum": 0.5}, "momentum is 0.5 with Adam, which has its own"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0 with learning_rate 0.01"),
        ({"weight_decay": 100.0}, "weight_decay is 100.0 with learning_rate 0.01"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        learn(networks(), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trained": ("bias",)}, r"trained is \('bias',\): give some of"),
        ({"optimiser": "Adam"}, "optimiser is 'Adam': give one of adam, sgd"),
    ],
)
@pytest.mark.usefixtures("as_in_use")
def test_unknown_names_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        learn(networks(), **settings)


def test_networks_for_another_task_are_refused():
    start = mean_field_networks(1, 8, 1, 2, g=0.0)
    with pytest.raises(ValueError, match="have 1 inputs and 2 outputs, the task 2 and 2"):
        learn(start)
