"""The LSTM learns a planted language; its truncations end where they must."""

import numpy as np
import pytest
import torch

from ltr_core.learning import Diverged
from ltr_core.sentiment import (
    SentimentLSTM,
    sentiment_accuracy,
    split,
    toy_reviews,
    train_sentiment,
    truncate_sentiment,
)

UNITS = 12
SETTINGS = {"n_units": UNITS, "n_embedding": 8, "dropout": 0.1, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def language():
    return split(toy_reviews(1200), n_validation=100, n_train=300, seed=0)


@pytest.fixture(scope="module")
def training(language):
    return train_sentiment(language, n_layers=1, n_epochs=20, **SETTINGS)


@pytest.fixture(scope="module")
def brief(language):
    """Two layers, three epochs."""
    return train_sentiment(language, n_layers=2, n_epochs=3, seed=5, **SETTINGS)


def test_it_learns_a_language_in_which_order_matters(training, language):
    assert training.accuracy[training.best_epoch] > 0.95
    # the words alone say nothing: "not good" and "bad" come in equal numbers
    assert training.accuracy[0] < 0.8
    assert training.loss[-1] < 0.3 < training.loss[0]
    assert sentiment_accuracy(training.network, language.train) > 0.95


def test_signs_at_random_cannot_be_learnt(language):
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    train = language.train._replace(positive=language.train.positive[order])
    mixed = train_sentiment(language._replace(train=train), n_layers=1, n_epochs=4, **SETTINGS)
    assert mixed.accuracy.max() < 0.75


def test_the_training_holds_what_happened(brief, language):
    assert brief.initial.shape == brief.final.shape == (2, 4 * UNITS, UNITS)
    assert brief.loss.shape == brief.validation_loss.shape == brief.accuracy.shape == (3,)
    assert brief.best_epoch == int(brief.accuracy.argmax())
    assert torch.equal(brief.network.recurrent, brief.best)
    best = brief.accuracy[brief.best_epoch].item()
    assert sentiment_accuracy(brief.network, language.validation) == best
    bound = UNITS**-0.5  # torch draws the initial weights uniformly within it
    assert brief.initial.abs().max() <= bound
    assert brief.initial.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)
    for before, after in zip(brief.initial, brief.final, strict=True):
        assert (before - after).norm() > 0.1
    longer = train_sentiment(language, n_layers=2, n_epochs=4, seed=5, **SETTINGS)
    assert torch.equal(longer.loss[:3], brief.loss)
    assert torch.equal(longer.initial, brief.initial)


def test_the_seed_decides_and_nothing_outside(brief, language):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    again = train_sentiment(language, n_layers=2, n_epochs=1, seed=5, **SETTINGS)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(again.loss, brief.loss[:1])
    other = train_sentiment(language, n_layers=2, n_epochs=1, seed=6, **SETTINGS)
    assert not torch.equal(other.initial, brief.initial)


def test_the_loss_is_the_mean_cross_entropy(brief, language):
    held = language.validation
    with torch.no_grad():
        right = torch.sigmoid(brief.network(held.words, held.length))
    right = torch.where(held.positive, right, 1 - right)
    expected = -right.log().mean().item()
    assert brief.validation_loss[brief.best_epoch].item() == pytest.approx(expected, rel=1e-5)


def test_a_sentence_is_judged_alike_alone_and_beside_longer_ones(brief, language):
    words, length, _ = language.validation
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        brief.network.embedding(words), length, batch_first=True, enforce_sorted=False
    )
    with torch.no_grad():
        together = brief.network(words, length)
        _, (last, _) = brief.network.lstm(packed)
        torch.testing.assert_close(together, brief.network.readout(last[-1]).squeeze(-1))
        for k in range(5):
            alone = brief.network(words[k : k + 1, : int(length[k])], length[k : k + 1])
            torch.testing.assert_close(alone, together[k : k + 1])


@pytest.mark.parametrize("learned", [True, False])
def test_the_embedding_is_learned_only_if_asked(language, learned):
    torch.manual_seed(0)
    start = SentimentLSTM(len(language.vocabulary), n_units=UNITS, n_embedding=8, n_layers=1)
    scaled = train_sentiment(
        language, n_layers=1, n_epochs=1, embedding_scale=0.5, learned_embedding=learned, **SETTINGS
    )
    same = torch.equal(scaled.network.embedding.weight, start.embedding.weight * 0.5)
    assert same != learned


def test_truncation_goes_from_the_initial_matrix_to_the_learnt_one(training, language):
    held = language.validation
    ranks = [0, 1, 2, 4, UNITS]
    found = truncate_sentiment(training, held, ranks, n_shuffles=4)
    np.testing.assert_array_equal(found.ranks, ranks)
    assert found.full == training.accuracy[training.best_epoch].item()
    assert found.change[-1] == found.weights[-1] == found.full
    start = training.network.with_recurrent(training.initial[0])
    assert found.change[0] == sentiment_accuracy(start, held)
    none = training.network.with_recurrent(torch.zeros(4 * UNITS, UNITS))
    assert found.weights[0] == sentiment_accuracy(none, held)
    assert found.change[0] < 0.8 < found.full  # learning the recurrence mattered
    assert found.rest[0] == found.full
    assert found.rest[-1] == found.change[0]
    assert found.shuffled.shape == (4,)
    change = (training.best - training.initial)[0]
    assert found.change_values[0] == pytest.approx(torch.linalg.matrix_norm(change, 2).item())
    energy = (found.change_values**2).sum()
    assert energy == pytest.approx(change.square().sum().item(), rel=1e-5)
    assert found.final_values.shape == found.initial_values.shape == (UNITS,)
    again = truncate_sentiment(training, held, ranks, n_shuffles=4)
    np.testing.assert_array_equal(again.shuffled, found.shuffled)


def test_a_change_of_low_rank_is_restored_at_its_rank(training, language):
    """A planted change of rank 2; the weights themselves, W0 included, have no low rank."""
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(4 * UNITS, 2, generator=generator)
    right = torch.randn(2, UNITS, generator=generator)
    planted = training.initial + 0.2 * left @ right
    network = training.network.with_recurrent(planted[0])
    made = training._replace(network=network, best=planted)
    with torch.no_grad():
        said = network(language.train.words, language.train.length)
    said_so = language.train._replace(positive=said > said.median())
    network.readout.bias.data -= said.median()
    found = truncate_sentiment(made, said_so, [0, 1, 2, 3, UNITS], n_shuffles=3)
    assert min(found.full, *found.change[2:]) > 0.99  # one sentence lies on the border
    assert found.change[:2].max() < 0.97
    assert found.rest[2:].max() < 0.97
    assert found.restoring_rank(0.01) == 2
    assert found.weights[:4].max() < 0.97
    assert found.weights[4] > 0.99
    assert found.shuffled.max() < 0.97
    assert found.change_values[2] < 1e-5


def test_the_restoring_rank_is_the_least_from_which_on_nothing_is_lost(training, language):
    found = truncate_sentiment(training, language.validation, [0, 1, 2, 4], n_shuffles=0)
    found = found._replace(full=0.8, change=np.array([0.6, 0.8, 0.7, 0.795]))
    np.testing.assert_allclose(found.lost, [0.2, 0.0, 0.1, 0.005])
    assert found.restoring_rank() == 4
    assert found.restoring_rank(0.15) == 1
    assert found.restoring_rank(0.25) == 0
    with pytest.raises(ValueError, match=r"rank 4 accuracy is 0\.795"):
        found.restoring_rank(0.001)


def test_one_layer_is_changed_and_the_others_stay(brief, language):
    weights = torch.zeros(4 * UNITS, UNITS)
    for layer in (0, 1, -1):
        changed = brief.network.with_recurrent(weights, layer).recurrent
        assert (changed[layer] == 0).all()
        assert torch.equal(changed[layer - 1], brief.best[layer - 1])
    assert torch.equal(brief.network.recurrent, brief.best)
    with pytest.raises(ValueError, match="layer is 2: the network has 2"):
        brief.network.with_recurrent(weights, 2)
    with pytest.raises(ValueError, match=r"shape \(4, 12\), the layer's are \(48, 12\)"):
        brief.network.with_recurrent(weights[:4])
    for layer in (2, -3):
        with pytest.raises(ValueError, match=f"layer is {layer}"):
            truncate_sentiment(brief, language.validation, [0], layer=layer)
    for ranks in ([], [-1, 2], [UNITS + 1]):
        with pytest.raises(ValueError, match="ranks are"):
            truncate_sentiment(brief, language.validation, ranks)


def test_divergence_is_named(language):
    with pytest.raises(Diverged, match=r"The loss became .* in epoch 0: lower learning_rate"):
        train_sentiment(language, n_epochs=2, **(SETTINGS | {"learning_rate": 1e37}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_units": 0}, "n_units is 0"),
        ({"n_layers": 0}, "n_layers is 0"),
        ({"n_embedding": 0}, "n_embedding is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"n_epochs": 0}, "n_epochs is 0"),
    ],
)
def test_settings_out_of_range(language, settings, message):
    with pytest.raises(ValueError, match=message):
        train_sentiment(language, **settings)
