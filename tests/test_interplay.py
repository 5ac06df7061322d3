"""The experiments of the second paper: what is measured fits together."""

import numpy as np
import pytest

from ltr_core.interplay import Learned, learn, learn_over
from ltr_core.tasks import FlipFlop

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
    assert both["strong"].norm_start.mean() > both["weak"].norm_start.mean()
