"""What learning changed: measures on changes whose rank and use are known."""

import numpy as np
import pytest
import torch

from ltr_core.learned_change import (
    change_of,
    eigenvalues,
    functional_rank,
    learning_time,
    norms,
    shuffled_loss,
    singular_values,
    truncated,
    truncation_losses,
)
from ltr_core.rnn import mean_field_networks, simulate
from ltr_core.tasks import FlipFlop
from ltr_core.training import Training, task_loss

N_UNITS = 40
VALUES = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)
TASK = FlipFlop(n_channels=3, duration=14.0, decision_delay=1.0, interval=(1.0, 2.0))
RANKS = (0, 1, 2, 3, N_UNITS)


def training(start, change):
    """A training that found this change."""
    best = start._replace(recurrent=start.recurrent + change)
    n_networks = start.n_networks
    return Training(
        start=start,
        best=best,
        final=best,
        loss=torch.ones(n_networks, 1),
        gradient_norm=torch.ones(n_networks, 1),
        recorded=torch.zeros(0, dtype=torch.int64),
        change=torch.zeros(n_networks, 0, N_UNITS, N_UNITS),
    )


def planted(g=0.0, seed=0):
    """A change of rank 3 of two networks, and trials whose targets need all of it.

    Each input comes in along a direction of its own, and the change passes each on to an output of
    its own: nothing reaches the outputs without it.
    """
    start = mean_field_networks(2, N_UNITS, 3, 3, g=g, dtype=torch.float64, seed=seed)
    made = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(2, N_UNITS, 6, generator=made, dtype=torch.float64)).Q
    onto, along = basis[..., :3], basis[..., 3:]
    start = start._replace(inward=2 * along, outward=onto.transpose(1, 2).contiguous())
    return training(start, (onto * VALUES) @ along.transpose(1, 2))


def answered(found, network=0):
    """Trials whose targets are what a network gives after learning: its loss is zero."""
    trials = TASK.sample(12, np.random.default_rng(5))
    best = found.best
    weights = {n: getattr(best, n)[[network]] for n in ("recurrent", "inward", "outward")}
    output = simulate(best._replace(**weights), trials.inputs[None], TASK.dt).output[0]
    return trials._replace(targets=output)


def one(found, network=0):
    def only(networks):
        names = ("recurrent", "inward", "outward")
        return networks._replace(**{n: getattr(networks, n)[[network]] for n in names})

    return found._replace(start=only(found.start), best=only(found.best))


def test_singular_values_and_norm_of_a_planted_change():
    found = planted(g=1.5)
    wanted = np.tile([3.0, 2.0, 1.0, 0.0, 0.0], (2, 1))
    np.testing.assert_allclose(singular_values(change_of(found), 5), wanted, atol=1e-12)
    np.testing.assert_allclose(norms(change_of(found)), 14**0.5)
    many = torch.stack([change_of(found), 2 * change_of(found)])
    np.testing.assert_allclose(singular_values(many, 3)[1], 2 * wanted[:, :3], atol=1e-12)
    np.testing.assert_allclose(norms(many)[:, 0], [14**0.5, 2 * 14**0.5])


def test_truncation_is_exact_at_the_planted_rank_and_loses_the_rest_below():
    change = change_of(planted())
    cut = truncated(change, RANKS)
    assert not cut[0].any()
    torch.testing.assert_close(cut[3], change)
    torch.testing.assert_close(cut[4], change)
    for rank in (1, 2):
        left = singular_values(change - cut[rank], 3)
        wanted = np.zeros((2, 3))
        wanted[:, : 3 - rank] = VALUES[rank:]
        np.testing.assert_allclose(left, wanted, atol=1e-12)
    assert truncated(change.float(), (1,)).dtype == torch.float32


@pytest.mark.parametrize("g", [0.0, 0.8])
def test_a_network_whose_output_needs_three_directions_has_functional_rank_three(g):
    found = one(planted(g))
    losses = truncation_losses(found, TASK, answered(found), RANKS)
    assert losses.shape == (1, 5)
    assert losses[0, 3] < 1e-20
    assert losses[0, 2] > 0.05 * losses[0, 0]
    assert functional_rank(losses, RANKS) == [3]


def test_each_network_is_cut_on_its_own():
    found = planted()
    trials = answered(found, network=1)
    together = truncation_losses(found, TASK, trials, RANKS)
    for network in range(2):
        alone = truncation_losses(one(found, network), TASK, trials, RANKS)
        np.testing.assert_allclose(together[network], alone[0], rtol=1e-9, atol=1e-20)


def test_without_randomness_weights_and_change_are_cut_alike():
    found = planted()
    trials = answered(found)
    change, weights = (
        truncation_losses(found, TASK, trials, RANKS, of=of) for of in ("change", "weights")
    )
    np.testing.assert_allclose(weights, change, rtol=1e-9, atol=1e-20)


def test_of_strongly_random_weights_a_low_rank_is_not_enough():
    found = one(planted(g=1.5))
    trials = answered(found)
    change, weights = (
        truncation_losses(found, TASK, trials, RANKS, of=of) for of in ("change", "weights")
    )
    assert change[0, 3] < 1e-20
    assert weights[0, 3] > 0.05 * change[0, 0]
    assert weights[0, -1] < 1e-20
    assert functional_rank(weights, RANKS) == [N_UNITS]


def test_the_start_without_the_change_is_the_loss_at_rank_zero():
    found = planted(g=0.8)
    trials = answered(found)
    losses = truncation_losses(found, TASK, trials, (0, N_UNITS))
    before = found.best._replace(recurrent=found.start.recurrent)
    np.testing.assert_allclose(losses[:, 0], task_loss(before, TASK, trials))
    np.testing.assert_allclose(losses[:, 1], task_loss(found.best, TASK, trials), atol=1e-20)


def test_without_initial_weights_the_shuffle_changes_nothing():
    found = planted()
    trials = TASK.sample(12, np.random.default_rng(5))
    np.testing.assert_allclose(
        shuffled_loss(found, TASK, trials), task_loss(found.best, TASK, trials), rtol=1e-12
    )


def relayed(seed=0):
    """The change passes inputs on to directions that only the initial weights send to outputs."""
    found = planted(seed=seed)
    made = torch.Generator().manual_seed(seed + 1)
    between = torch.linalg.qr(torch.randn(2, N_UNITS, 3, generator=made).double()).Q
    along = found.start.inward / 2
    start = found.start._replace(recurrent=2 * found.start.outward.mT @ between.mT)
    return training(start, (between * VALUES) @ along.mT)


def test_a_change_that_relies_on_structured_weights_fails_when_they_are_shuffled():
    found = relayed()
    trials = answered(found)
    silent = found.best._replace(outward=torch.zeros_like(found.best.outward))
    shuffled = shuffled_loss(one(found), TASK, trials)
    assert task_loss(found.best, TASK, trials)[0] < 1e-20
    assert shuffled[0] > 0.3 * task_loss(silent, TASK, trials)[0].item()


def test_the_shuffle_permutes_all_entries_by_the_seed_and_the_network():
    found = relayed()
    trials = answered(found)
    losses = shuffled_loss(found, TASK, trials)
    np.testing.assert_array_equal(losses, shuffled_loss(found, TASK, trials))
    np.testing.assert_allclose(losses[:1], shuffled_loss(one(found), TASK, trials))
    assert (losses != shuffled_loss(found, TASK, trials, seed=1)).all()
    # equal entries are equal in any order
    even = found.start._replace(recurrent=torch.full_like(found.start.recurrent, 0.01))
    even = training(even, change_of(found))
    np.testing.assert_allclose(
        shuffled_loss(even, TASK, trials), task_loss(even.best, TASK, trials), rtol=1e-9
    )


def test_the_state_before_the_first_step_reaches_every_measure():
    found = planted(g=0.8)
    trials = answered(found)
    state = found.start.inward[..., 0]
    wanted = task_loss(found.best, TASK, trials, state)
    assert (wanted != task_loss(found.best, TASK, trials)).all()
    whole = truncation_losses(found, TASK, trials, (N_UNITS,), initial=state)
    np.testing.assert_allclose(whole[:, 0], wanted, rtol=1e-9)
    shuffled = shuffled_loss(found, TASK, trials, initial=state)
    assert (shuffled != shuffled_loss(found, TASK, trials)).all()


def test_learning_time_is_the_first_epoch_below_and_infinite_if_there_is_none():
    loss = torch.tensor(
        [
            [2.0, 1.0, 0.09, 0.5, 0.01],  # a spike after it
            [2.0, 1.0, 0.1, 0.1, 0.1],  # at the threshold, not below
            [2.0, 1.0, 0.5, 0.5, 0.02],
        ]
    )
    assert learning_time(loss).tolist() == [2.0, np.inf, 4.0]
    assert learning_time(loss, threshold=0.6).tolist() == [1.0, 1.0, 1.0]
    assert learning_time(loss, threshold=2.0).tolist() == [0.0, 0.0, 0.0]


def test_functional_rank_is_the_least_below_also_where_losses_rise_again():
    losses = np.array(
        [
            [1.0, 0.5, 0.04, 0.3, 0.0],
            [1.0, 0.5, 0.4, 0.3, 0.05],
            [2.0, 0.09, 3.0, 0.0, 0.0],
        ]
    )
    ranks = (0, 1, 2, 5, 9)
    assert functional_rank(losses, ranks).tolist() == [2.0, np.inf, 1.0]
    assert functional_rank(losses, ranks, threshold=0.4).tolist() == [2.0, 5.0, 1.0]


def test_eigenvalues_of_a_rotation():
    start = mean_field_networks(1, 2, 1, 1, g=0.0)
    turning = start._replace(recurrent=torch.tensor([[[0.0, -0.5], [0.5, 0.0]]]))
    found = eigenvalues(turning)
    assert found.shape == (1, 2)
    np.testing.assert_allclose(np.sort_complex(found[0]), [-0.5j, 0.5j])


@pytest.mark.parametrize("ranks", [(), (-1,), (0, N_UNITS + 1)])
def test_ranks_that_do_not_exist_are_refused(ranks):
    found = planted()
    with pytest.raises(ValueError, match=rf"give ranks from 0 to {N_UNITS}"):
        truncation_losses(found, TASK, answered(found), ranks)


@pytest.mark.parametrize("ranks", [(1, 2, 3), (0, 1)])
def test_ranks_that_do_not_fit_the_losses_are_refused(ranks):
    with pytest.raises(ValueError, match="beginning with 0"):
        functional_rank(np.ones((2, 3)), ranks)


@pytest.mark.usefixtures("as_in_use")
def test_what_is_cut_must_be_known():
    found = planted()
    with pytest.raises(ValueError, match="of is 'weight': give 'change' or 'weights'"):
        truncation_losses(found, TASK, answered(found), RANKS, of="weight")
