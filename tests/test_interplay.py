"""The experiments of the second paper: what is measured fits together."""

import numpy as np
import pytest

from ltr_core.interplay import TASKS, Learned, learn, learn_over, published_cells
from ltr_core.rnn import mean_field_networks
from ltr_core.tasks import FlipFlop
from ltr_core.training import train

N_UNITS = 12
SHORT = FlipFlop(duration=20.0)
CELL = {
    "task": SHORT,
    "g": 0.5,
    "n_networks": 3,
    "n_units": N_UNITS,
    "n_epochs": 8,
    "n_records": 4,
    "ranks": (0, 1, N_UNITS),
    "n_test": 16,
}


@pytest.fixture(scope="module")
def found():
    return Learned(**learn(**CELL))


def test_every_measure_has_its_axes(found):
    units = (N_UNITS, N_UNITS)
    assert {name: value.shape for name, value in found._asdict().items()} == {
        "loss": (3, 8),
        "time": (3,),
        "gradient_norm": (3, 8),
        "change_norm": (3, 8),
        "recorded": (4,),
        "change": (3, 4, *units),
        "spectrum_over_training": (3, 4, N_UNITS),
        "final_change": (3, *units),
        "norm": (3,),
        "norm_start": (3,),
        "values": (3, N_UNITS),
        "eigenvalues_before": (3, N_UNITS, 2),
        "eigenvalues_after": (3, N_UNITS, 2),
        "ranks": (3,),
        "truncated": (3, 3),
        "truncated_weights": (3, 3),
        "shuffled": (3,),
        "after": (3,),
    }


def test_measures_are_those_of_the_same_training_by_hand():
    quick = {**CELL, "n_epochs": 150, "learning_rate": 0.02, "n_records": 0}
    found = Learned(**learn(**quick))
    start = mean_field_networks(3, N_UNITS, 2, 2, g=0.5)
    training = train(start, SHORT, n_epochs=150, learning_rate=0.02)
    loss = training.loss.numpy()
    np.testing.assert_allclose(found.loss, loss / loss[:, :1], rtol=1e-6)
    below = loss < 0.05 * loss[:, :1]
    wanted = [np.flatnonzero(row)[0] if row.any() else np.inf for row in below]
    assert found.time.tolist() == wanted
    assert np.isfinite(wanted).any()
    change = (training.best.recurrent - start.recurrent).numpy()
    np.testing.assert_array_equal(found.final_change, change)
    np.testing.assert_allclose(found.norm, [np.linalg.norm(one) for one in change], rtol=1e-5)
    np.testing.assert_allclose(
        found.norm_start, [np.linalg.norm(one) for one in start.recurrent], rtol=1e-5
    )
    before = np.linalg.eigvals(start.recurrent.double().numpy())
    ours = found.eigenvalues_before @ [1, 1j]
    np.testing.assert_allclose(np.sort_complex(ours), np.sort_complex(before), atol=1e-9)
    assert found.change.shape == (3, 0, N_UNITS, N_UNITS)


def test_the_published_rate_is_taken_unless_one_is_given(found):
    given = Learned(**learn(**CELL, learning_rate=0.05 / N_UNITS))
    np.testing.assert_array_equal(given.loss, found.loss)


def test_a_training_that_stops_early_is_measured_where_it_stopped():
    found = Learned(**learn(**{**CELL, "stop_below": 1.1}))
    assert found.loss.shape == (3, 1)
    assert found.recorded.tolist() == []
    assert not found.norm.any()


def test_ranks_that_do_not_exist_are_refused_before_the_training(monkeypatch):
    monkeypatch.setattr("ltr_core.interplay.train", None)
    with pytest.raises(ValueError, match=f"give ranks from 0 to {N_UNITS}"):
        learn(**{**CELL, "ranks": (0, 25)})


def test_published_cells_are_of_every_task_and_strength():
    cells = published_cells()
    assert {name for name, _ in cells} == set(TASKS)
    assert len(cells) == 8 + 10 + 11
    assert cells["Romo", 0.3]["g"] == 0.3
    assert max(g for name, g in cells if name == "Mante") == 2.7


def test_the_whole_change_is_what_was_learned(found):
    np.testing.assert_allclose(found.truncated[:, -1], found.after, rtol=1e-4)
    np.testing.assert_allclose(found.truncated_weights[:, -1], found.after, rtol=1e-4)
    assert (found.shuffled != found.after).all()
    assert found.recorded.tolist() == [2, 4, 6, 8]
    np.testing.assert_allclose(
        found.spectrum_over_training[:, -1],
        np.linalg.svd(found.change[:, -1], compute_uv=False),
        atol=1e-5,
    )


def test_without_randomness_the_shuffle_changes_nothing():
    plain = Learned(**learn(**{**CELL, "g": 0.0}))
    np.testing.assert_allclose(plain.shuffled, plain.after, rtol=1e-5)
    np.testing.assert_allclose(plain.truncated, plain.truncated_weights, rtol=1e-4)


def test_only_some_of_the_networks(found):
    some = found.only(np.array([True, False, True]))
    np.testing.assert_array_equal(some.change, found.change[[0, 2]])
    np.testing.assert_array_equal(some.truncated, found.truncated[[0, 2]])
    np.testing.assert_array_equal(some.ranks, found.ranks)
    np.testing.assert_array_equal(some.recorded, found.recorded)


def test_cells_are_found_under_their_names(found):
    both = learn_over({"strong": {**CELL, "g": 1.5}, "weak": CELL}, n_jobs=1)
    np.testing.assert_array_equal(both["weak"].loss, found.loss)
    assert list(both) == ["strong", "weak"]
    assert both["strong"].norm_start.mean() > both["weak"].norm_start.mean()


def test_eigenvalues_are_those_of_the_start_and_of_what_was_learned(found):
    start = mean_field_networks(3, N_UNITS, 2, 2, g=0.5).recurrent.double().numpy()
    for when, weights in (("before", start), ("after", start + found.final_change)):
        wanted = np.sort_complex(np.linalg.eigvals(weights))
        ours = np.sort_complex(found.eigenvalues(when))
        np.testing.assert_allclose(ours, wanted, atol=1e-5)
    assert not np.allclose(found.eigenvalues("before"), found.eigenvalues("after"), atol=1e-4)


def test_what_a_rank_leaves_is_a_share_of_the_loss_without_the_change(found):
    np.testing.assert_array_equal(found.loss_left(0), 1)
    np.testing.assert_allclose(found.loss_left(1), found.truncated[:, 1] / found.truncated[:, 0])
    of_weights = found.truncated_weights[:, 1] / found.truncated[:, 0]
    np.testing.assert_allclose(found.loss_left(1, "weights"), of_weights)
    assert not np.allclose(of_weights, found.loss_left(1), rtol=1e-3)
    with pytest.raises(ValueError, match="rank 2 was not measured"):
        found.loss_left(2)
