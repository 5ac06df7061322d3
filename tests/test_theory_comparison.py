"""Theory and simulation side by side: the parts agree with what they are made of."""

import numpy as np
import pytest
from theory_parts import linear_networks

from ltr_core.theory import compare, descend_fixed_point, missed_change, valid_until


@pytest.fixture(scope="module")
def found():
    networks = linear_networks(2, 300, g=0.6, seed=1)
    rate = 0.015 * (1 - 0.6**2) ** 2
    return networks, rate, compare(networks, 0.6, 0.5, learning_rate=rate, n_epochs=150)


def test_simulation_is_the_descent_and_time_the_theorys(found):
    networks, rate, comparison = found
    learned = descend_fixed_point(networks, 0.5, learning_rate=rate, n_epochs=150)
    np.testing.assert_allclose(comparison.loss, learned.loss / learned.loss[:, :1])
    np.testing.assert_allclose((1 - comparison.reached) ** 2, comparison.loss, atol=1e-12)
    np.testing.assert_allclose(comparison.distance, abs(0.5 - learned.output[:, 0]) / 0.5)
    np.testing.assert_allclose(comparison.first, learned.singular_values[..., 0])
    np.testing.assert_allclose(comparison.t, 0.015 * np.arange(151))
    limit = float(valid_until(0.6, 0.5))
    assert comparison.t[comparison.last_valid] <= limit < comparison.t[comparison.last_valid + 1]
    below = (comparison.loss < 0.05).argmax(1)
    np.testing.assert_array_equal(comparison.time, below)


def test_two_orders_of_the_change_miss_less_than_one_and_a_permutation_misses_most(found):
    networks, rate, comparison = found
    missed = missed_change(networks, 0.6, 0.5, learning_rate=rate)
    assert (missed.both_orders < 0.6 * missed.first_order).all()
    assert (missed.permuted > 3 * missed.both_orders).all()
    assert (comparison.shuffled > 0.1).all()
    assert (comparison.loss[:, -1] < 0.02).all()


def test_without_random_weights_a_permutation_changes_nothing():
    networks = linear_networks(1, 40, g=0.0)
    comparison = compare(networks, 0.0, 0.5, learning_rate=0.015, n_epochs=60)
    np.testing.assert_allclose(comparison.shuffled, comparison.loss[:, -1])
    missed = missed_change(networks, 0.0, 0.5, learning_rate=0.015)
    np.testing.assert_allclose(missed.permuted, missed.both_orders)


def test_a_network_that_never_learns_has_no_time():
    comparison = compare(linear_networks(1, 40, g=0.0), 0.0, 0.5, learning_rate=1e-4, n_epochs=3)
    assert comparison.time.tolist() == [np.inf]
    assert comparison.last_valid == 3


def test_a_step_beyond_the_range_is_refused():
    with pytest.raises(ValueError, match="the first epoch is out of the range"):
        missed_change(linear_networks(1, 40, g=0.0), 0.0, 0.5, learning_rate=2.0)
