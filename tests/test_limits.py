"""Learning until as much is learned, and ranks of changes whose ranks are known."""

import numpy as np
import pytest
import torch

from ltr_core.change_ranks import (
    epoch_changes,
    held_by_earlier,
    ranks_of,
    span_of_earlier,
    without,
)
from ltr_core.learning import Epoch, record_learning
from ltr_core.limits import Learnt, first_rate, learn_to
from ltr_core.rnn import mean_field_networks, random_networks
from ltr_core.tasks import Associations, Hand, Noisy, Reaching
from ltr_core.training import task_loss, train

TASK = Associations(n_conditions=4, duration=3.0, decision=1.0, dt=0.5)
SETTING = {
    "task": TASK,
    "g": 0.8,
    "n_networks": 2,
    "n_units": 16,
    "n_trials": 4,
    "n_epochs": 400,
    "n_records": 8,
    "share": 0.2,
    "seed": 5,
}


def learnt(**other):
    return Learnt(**learn_to(**(SETTING | other)))


def start(seed=5):
    return mean_field_networks(2, 16, TASK.n_inputs, TASK.n_outputs, g=0.8, seed=seed)


@pytest.mark.parametrize("readout", [1.0, 4.0])
def test_every_network_is_recorded_until_its_loss_is_low_enough(readout):
    found = learnt(readout=readout)
    assert found.reached.all()
    assert found.updates[0] != found.updates[1]
    trials = TASK.sample(4, np.random.default_rng(0))
    network = start()._replace(outward=readout * start().outward)
    first = task_loss(network, TASK, trials)
    change = torch.from_numpy(found.change)
    after = network._replace(recurrent=network.recurrent + change[:, -1])
    share = (task_loss(after, TASK, trials) / first).numpy()
    np.testing.assert_allclose(share, found.loss, rtol=1e-5)
    assert (share <= 0.2).all()
    assert (share > 0.1).all()  # and not long after
    before = network._replace(recurrent=network.recurrent + change[:, -2])
    assert (task_loss(before, TASK, trials) / first > 0.2).all()
    np.testing.assert_allclose(
        found.relative, np.linalg.norm(found.change[:, -1], axis=(1, 2)) / 4, rtol=1e-5
    )


def test_a_large_readout_leaves_the_activity_nearer_to_where_it_was():
    rich, lazy = (learnt(readout=factor, n_units=64) for factor in (1.0, 20.0))
    assert (lazy.activity < 0.6 * rich.activity).all()
    assert (lazy.relative < 0.4 * rich.relative).all()


def test_networks_that_do_not_get_there_say_so():
    found = learnt(n_epochs=10)
    assert not found.reached.any()
    assert (found.updates == 10).all()
    assert (found.loss > 0.2).all()


def test_the_loss_is_judged_without_the_noise():
    clean, noisy = learnt(), learnt(task=Noisy(TASK, target_sd=1.0), n_trials=8)
    assert noisy.reached.all()
    assert not np.array_equal(clean.change, noisy.change)
    assert (noisy.loss > 0.1).all()
    private = learnt(task=Noisy(TASK, unit_sd=0.1, n_units=16), n_trials=8)
    assert private.reached.all()


def test_the_rate_takes_the_share_of_a_loss_that_is_asked_for():
    rate = first_rate(start(), TASK, 4, 1e-3, 5)
    once = train(
        start(),
        TASK,
        n_epochs=2,
        learning_rate=rate,
        n_trials=4,
        optimiser="sgd",
        trained=("recurrent",),
        seed=5,
    )
    lost = 1 - once.loss[:, 1] / once.loss[:, 0]
    assert lost.mean().item() == pytest.approx(1e-3, rel=0.3)


def test_too_few_updates_are_refused():
    with pytest.raises(ValueError, match="n_epochs is 3: give at least n_records"):
        learnt(n_epochs=3)


def planted(n_steps=12, size=10, seed=0):
    """Two components of equal size whose profiles differ."""
    rng = np.random.default_rng(seed)
    post, pre = (np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(2))
    time = np.linspace(0, 1, n_steps)
    profiles = np.stack([np.sin(np.pi * time), np.cos(np.pi * time)], axis=1)
    return np.einsum("sr,ir,jr->sij", profiles, post[:, :2], pre[:, :2]), post, pre


def test_ranks_are_those_that_were_planted():
    tensor, post, pre = planted()
    found = ranks_of(tensor, cp_ranks=(1, 2, 3))
    assert found[:4] == (2, 2, 2, 2.0)
    assert found.final == 1  # at the end only the second is there
    assert found.one_profile == pytest.approx(0.5, abs=0.1)
    assert np.isinf(ranks_of(tensor, cp_ranks=(1,)).cp)
    grown = np.linspace(0.1, 1, 12)[:, None, None] * (post @ np.diag(np.ones(10)) @ pre.T)
    alone = ranks_of(grown, cp_ranks=())
    assert alone[:3] == (1, 10, 10)
    assert alone.final == 10
    assert alone.one_profile == pytest.approx(1)


def test_a_matrix_is_taken_out():
    tensor, post, pre = planted()
    start = 3 * np.outer(post[:, 5], pre[:, 7])
    decayed = tensor - np.linspace(0, 1, 12)[:, None, None] * start
    np.testing.assert_allclose(without(decayed, start), tensor, atol=1e-12)


def test_what_is_new_is_told_from_what_is_not():
    _, post, pre = planted()
    one, two, three = (np.outer(post[:, k], pre[:, k]) for k in range(3))
    crossed = np.outer(post[:, 0], pre[:, 1])  # old directions, in a new combination
    changes = np.stack([one, two, one - two, crossed, three])
    # (two directions of the first, which has only one, are not determined)
    np.testing.assert_allclose(held_by_earlier(changes, 2)[1:], [1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(span_of_earlier(changes), [0, 1, 0, 0], atol=1e-12)


def test_the_changes_of_epochs_add_up_to_the_whole():
    schedule = [Epoch("a", 3), Epoch("b", 5), Epoch("c", 2)]
    networks = random_networks(2, 12, 3, 2)
    record = record_learning(networks, Reaching(), Hand(), schedule, learning_rate=0.001)
    added = epoch_changes(record, 1)
    assert added.shape == (3, 12, 12)
    weights = record.weights[1].double().numpy()
    np.testing.assert_array_equal(added[1], weights[8] - weights[3])
    np.testing.assert_allclose(added.sum(0), weights[-1] - weights[0], atol=1e-12)
