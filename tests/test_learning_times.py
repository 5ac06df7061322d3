"""What was measured at the learning time, how it scales with size, and its chart."""

import numpy as np
import pytest
import torch
from chart_parts import marks, picture, table, width

from ltr_core import charts
from ltr_core.learned_change import at_learning, change_of, scaling_exponents, until_learning
from ltr_core.rnn import mean_field_networks
from ltr_core.tasks import FlipFlop
from ltr_core.training import train

VALUES = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
TIME = np.array([2.0, np.inf])


def test_values_are_those_of_the_learning_time_or_of_the_last_epoch():
    assert at_learning(VALUES, TIME).tolist() == [3.0, 8.0]


def test_means_end_before_the_learning_time():
    assert until_learning(VALUES, TIME).tolist() == [1.5, 6.5]


def test_the_exponent_of_a_power_is_found():
    sizes = (10, 20, 80)
    values = np.array([[3 * n**0.5 for n in sizes], [7.0, 7.0, 7.0]])
    np.testing.assert_allclose(scaling_exponents(values, sizes), [0.5, 0.0], atol=1e-12)
    with pytest.raises(ValueError, match="above 0"):
        scaling_exponents(0 * values, sizes)


def test_the_change_s_norm_is_that_of_each_epoch_before_its_update():
    networks = mean_field_networks(2, 8, 2, 2, g=0.9)
    training = train(
        networks, FlipFlop(duration=20.0), n_epochs=4, learning_rate=0.01, record_at=[1, 3]
    )
    assert (training.change_norm[:, 0] == 0).all()
    recorded = torch.linalg.matrix_norm(training.change)
    torch.testing.assert_close(training.change_norm[:, [1, 3]], recorded)
    assert (change_of(training).norm() > 0).all()


def runs(values, limits=None):
    return charts.runs(
        {"a": ((0.0, 0.9), values)}, limits=limits, x_title="g", y_title="learning time (epochs)"
    )


def test_runs_are_dots_and_those_without_a_time_triangles_at_the_limit():
    chart = runs([np.array([50.0, np.inf, np.inf]), np.array([20.0, 30.0])], {"a": 400})
    rows = table(chart, "y")
    by_mark = [(row["x"], row["y"]) for row in rows]
    assert by_mark == [
        (0, 400), (0.9, 25),  # medians
        (0, 50), (0.9, 20), (0.9, 30),
        (0, 400), (0, 400),
    ]  # fmt: skip
    assert [mark.get("shape") for mark in marks(chart)] == [None, "circle", "triangle-up"]
    assert width(picture(chart)) <= 560


def test_without_a_missing_time_there_is_no_triangle():
    chart = runs([np.array([0.5]), np.array([0.2])])
    assert [mark.get("shape") for mark in marks(chart)] == [None, "circle"]


def test_runs_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="at least one run for each"):
        runs([np.array([1.0])])
    with pytest.raises(ValueError, match="at least one run for each"):
        runs([np.array([1.0]), np.array([])])
    with pytest.raises(ValueError, match=r"has 0\.0: the axis is logarithmic"):
        runs([np.array([1.0]), np.array([0.0])])
    with pytest.raises(ValueError, match="has a run without a value: give its limit"):
        runs([np.array([1.0]), np.array([np.inf])])


def test_curves_with_gaps_have_marks_at_powers_of_ten():
    values = np.array([[1.0, 0.1, np.nan], [1.0, 0.01, np.nan]])
    chart = charts.curves(
        {"short": values, "long": np.array([[1.0, 0.5, 0.2]])},
        [1, 2, 3],
        x_title="epoch",
        y_title="loss",
        y_scale={"type": "log"},
    )
    assert [row["mean"] for row in table(chart, "mean")][:3] == [1.0, 0.055, None]
    assert picture(chart)
