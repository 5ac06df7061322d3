"""The course of an adaptation and its replay with other weights."""

import pytest
import torch

from ltr_core.adaptation import course, error_difference, replay
from ltr_core.learning import Epoch, adaptation_schedule, record_learning
from ltr_core.rnn import random_networks
from ltr_core.tasks import CurlField, Hand, Reaching, lateral_deviation

TASK = Reaching(n_targets=2, preparation=0.1, movement=0.2, hold=0.1)
HAND = Hand()
SCHEDULE = adaptation_schedule(CurlField(2.0), baseline=3, perturbed=5, washout=4)


@pytest.fixture(scope="module")
def networks():
    return random_networks(2, 6, TASK.n_inputs, TASK.n_outputs, seed=0)


@pytest.fixture(scope="module")
def record(networks):
    return record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.1, seed=1)


def test_the_recorded_change_gives_the_recorded_errors(networks, record):
    errors = replay(networks, TASK, HAND, SCHEDULE, record, change=record.change)
    torch.testing.assert_close(errors, record.error)


def test_no_change_gives_the_errors_of_a_network_that_does_not_learn(networks, record):
    still = record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.0, seed=1)
    errors = replay(networks, TASK, HAND, SCHEDULE, record, change=torch.zeros_like(record.change))
    torch.testing.assert_close(errors, still.error)
    assert not torch.allclose(errors, record.error, rtol=1e-3)


def test_the_course_reads_the_right_trials(record):
    read = course(record, n_trials=2)
    side = 100 * lateral_deviation(record.cursor, record.goal)
    torch.testing.assert_close(read.baseline, record.error[:, 1:3].mean(1).sqrt())
    torch.testing.assert_close(read.early, record.error[:, 3:5].mean(1).sqrt())
    torch.testing.assert_close(read.late, record.error[:, 6:8].mean(1).sqrt())
    torch.testing.assert_close(read.early_side, side[:, 3:5].mean(1))
    torch.testing.assert_close(read.after_side, side[:, 8:10].mean(1))


def test_what_does_not_fit_the_record_is_refused(networks, record):
    with pytest.raises(ValueError, match="'baseline' has 3 trials; 8 are averaged"):
        course(record)
    with pytest.raises(ValueError, match="change has shape"):
        replay(networks, TASK, HAND, SCHEDULE, record, change=record.change[:, 1:])
    with pytest.raises(ValueError, match="12 trials"):
        replay(networks, TASK, HAND, [Epoch("baseline", 3)], record, change=record.change)


def test_the_difference_of_errors_is_a_share_of_the_networks_own():
    error = torch.tensor([[1.0, 3.0], [2.0, 2.0], [2.0, 2.0]])
    other = torch.tensor([[3.0, 1.0], [2.0, 2.0], [1.0, 2.0]])
    # the first by 2 in each trial, though the means are equal
    assert error_difference(other, error).tolist() == [1.0, 0.0, 0.25]
