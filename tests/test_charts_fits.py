"""Charts of recordings and fits: they draw what they were given, and refuse what does not fit."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from chart_parts import marks, nodes, picture, spec, table, width
from hypothesis import given
from hypothesis import strategies as st

from ltr_core import charts
from ltr_core.charts.series import line_styles, padded, thinned

RNG = np.random.default_rng(0)
TIME = np.linspace(-1.0, 1.0, 21)
EPOCHS = ["baseline"] * 4 + ["adaptation"] * 5 + ["washout"] * 3
ACTIVITY = RNG.normal(size=(21, 7))
FACTORS = 2 + RNG.normal(size=(12, 3))
HISTORY = pd.DataFrame(
    {
        "step": [1, 2, 3, 4, 5],
        "train": [1.0, 0.5, 0.3, 0.2, 0.1],
        "validation": [np.nan, 0.6, np.nan, 0.4, 0.45],
    }
)
RESULTS = pd.DataFrame(
    {
        "rank": [1, 1, 2, 2, 3],
        "fold": [0, 1, 0, 1, 0],
        "score": [0.5, 0.7, 0.9, 0.92, np.nan],
        "error": [None] * 4 + ["ValueError: no"],
    }
)

CHARTS = {
    "population": lambda: charts.population(ACTIVITY, TIME, title="recorded"),
    "panels": lambda: charts.population_panels(dict.fromkeys("abcd", ACTIVITY), TIME),
    "three": lambda: charts.population_panels(dict.fromkeys("abc", ACTIVITY), TIME),
    "neurons": lambda: charts.neurons(
        {"a": ACTIVITY, "b": -ACTIVITY}, {"a": ACTIVITY, "b": ACTIVITY}, TIME
    ),
    "factors": lambda: charts.factor_bands(
        FACTORS, FACTORS - 1, FACTORS + 1, epoch=EPOCHS, truth=FACTORS + 0.1
    ),
    "bare-factors": lambda: charts.factor_bands(FACTORS),
    "losses": lambda: charts.losses(HISTORY),
    "scores": lambda: charts.scores(RESULTS, chosen=2),
    "compared": lambda: charts.compared(
        {"a model with a long name of many words": [0.9, 0.8], "mean": [0.1]},
        reference={"noise": 1.0},
    ),
}


@pytest.mark.parametrize("name", list(CHARTS))
def test_it_can_be_shown_and_fits_the_page(name):
    svg = picture(CHARTS[name]())
    assert width(svg) <= 560
    assert len(svg) < 500_000


# Populations


def test_neurons_are_sorted_by_the_time_of_their_peak_and_silent_ones_come_last():
    activity = np.zeros((5, 4))
    activity[[3, 0, 4], [0, 1, 2]] = 1
    activity[:, 3] = np.nan
    assert charts.peak_order(activity).tolist() == [1, 0, 2, 3]


@given(st.integers(2, 30), st.integers(1, 30), st.integers(0, 1000))
def test_the_order_is_a_permutation_along_which_peaks_never_come_earlier(n_time, n_neurons, seed):
    activity = np.random.default_rng(seed).normal(size=(n_time, n_neurons))
    order = charts.peak_order(activity)
    assert sorted(order) == list(range(n_neurons))
    assert (np.diff(activity.argmax(axis=0)[order]) >= 0).all()


def test_a_map_holds_the_activity_in_the_order_of_the_first_panel():
    order = charts.peak_order(ACTIVITY)
    rows = table(charts.population_panels({"a": ACTIVITY, "b": 2 * ACTIVITY}, TIME), "neuron")
    assert [row["neuron"] for row in rows] == [*order, *order]
    drawn = np.array([row["value"] for row in rows])
    np.testing.assert_allclose(drawn[:7], ACTIVITY[:, order].T, atol=0.01)
    np.testing.assert_allclose(drawn[7:], 2 * ACTIVITY[:, order].T, atol=0.01)


def test_all_panels_share_one_scale_centred_at_zero_for_signed_values():
    domains = [
        node["color"]["scale"]["domain"]
        for node in nodes(spec(charts.population_panels({"a": ACTIVITY, "b": ACTIVITY * 3}, TIME)))
        if "color" in node
    ]
    limit = np.percentile(np.abs(np.stack([ACTIVITY, 3 * ACTIVITY])), 99.5)
    assert domains[0] == domains[1] == pytest.approx([-limit, limit], rel=0.05)
    (unsigned,) = (
        node["color"]["scale"]["domain"]
        for node in nodes(spec(charts.population(np.abs(ACTIVITY), TIME)))
        if "color" in node
    )
    assert unsigned[0] == 0


def test_a_large_population_is_thinned_and_times_are_averaged_in_bins():
    activity = np.arange(200.0)[:, None] + np.zeros((200, 1000), dtype=np.float32)
    chart = charts.population(activity, np.arange(200) * 0.1, order=np.arange(1000))
    rows = table(chart, "neuron")
    assert [row["neuron"] for row in rows] == list(range(0, 1000, 10))
    assert rows[0]["value"] == pytest.approx(np.arange(200).reshape(50, 4).mean(axis=1), abs=1)
    assert len(json.dumps(spec(chart))) < 100_000


def test_a_missing_value_is_a_gap_in_the_map():
    activity = ACTIVITY.copy()
    activity[3, 2] = np.nan
    rows = table(charts.population(activity, TIME), "neuron")
    (row,) = (row for row in rows if row["neuron"] == 2)
    assert row["value"][3] is None
    assert sum(value is None for row in rows for value in row["value"]) == 1


def test_a_silent_population_still_has_a_scale():
    assert picture(charts.population(np.zeros((21, 2)), TIME))


def test_maps_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="time has 20 values, the activity's first axis has 21"):
        charts.population(ACTIVITY, TIME[:20])
    with pytest.raises(ValueError, match=r"panel 'b' has shape \(21, 3\), the first one \(21, 7\)"):
        charts.population_panels({"a": ACTIVITY, "b": ACTIVITY[:, :3]}, TIME)
    with pytest.raises(ValueError, match="order must hold each of 0 to 6 once"):
        charts.population(ACTIVITY, TIME, order=np.zeros(7, dtype=np.int64))
    with pytest.raises(ValueError, match="no finite value"):
        charts.population(np.full((21, 2), np.nan), TIME)
    with pytest.raises(ValueError, match="no activity"):
        charts.population_panels({}, TIME)


def test_single_neurons_show_recorded_and_model_values_by_name():
    recorded, predicted = {"x": ACTIVITY[:, :2]}, {"x": ACTIVITY[:, :2] + 1}
    rows = table(charts.neurons(recorded, predicted, TIME, numbers=[5, 9]), "recorded")
    ninth = [row for row in rows if row["neuron"] == "neuron 9"]
    assert [row["recorded"] for row in ninth] == pytest.approx(ACTIVITY[:, 1], rel=0.01)
    assert [row["predicted"] for row in ninth] == pytest.approx(ACTIVITY[:, 1] + 1, rel=0.01)
    assert [row["time"] for row in ninth] == pytest.approx(TIME)


def test_single_neurons_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"recorded has the series \['a'\], predicted \['b'\]"):
        charts.neurons({"a": ACTIVITY}, {"b": ACTIVITY}, TIME)
    with pytest.raises(ValueError, match="choose at most 12"):
        charts.neurons({"a": np.zeros((21, 13))}, {"a": np.zeros((21, 13))}, TIME)
    with pytest.raises(ValueError, match="numbers has 2 values"):
        charts.neurons({"a": ACTIVITY}, {"a": ACTIVITY}, TIME, numbers=[1, 2])


# Trial factors


def test_factors_stand_over_the_true_trial_ids_with_their_interval():
    ids = np.array([1.0, 2, 3, 4, 8, 9, 10, 11, 12, 20, 21, 22])
    chart = charts.factor_bands(FACTORS, FACTORS - 1, FACTORS + 2, trial_id=ids, epoch=EPOCHS)
    rows = table(chart, "factor")
    assert [row["trial"] for row in rows[:12]] == ids.tolist()
    assert [row["factor"] for row in rows[12:24]] == pytest.approx(FACTORS[:, 1], rel=1e-3)
    assert [row["lower"] for row in rows[:12]] == pytest.approx(
        FACTORS[:, 0] - 1, rel=1e-2, abs=1e-3
    )
    assert [row["upper"] for row in rows[:12]] == pytest.approx(FACTORS[:, 0] + 2, rel=1e-2)
    # lines stop where an epoch ends
    assert [row["stretch"] for row in rows[:12]] == [0] * 4 + [1] * 5 + [2] * 3
    rules = [
        node
        for node in nodes(spec(chart))
        if node.get("mark", {}) and "strokeDash" in str(node.get("mark"))
    ]
    assert len([r for r in rules if r["mark"]["type"] == "rule"]) == 3
    assert {row["x"] for row in table(chart, "x") if "epoch" not in row} == {8, 20}


def test_the_band_is_drawn_only_where_there_is_an_interval_and_truth_only_if_known():
    assert {mark["type"] for mark in marks(charts.factor_bands(FACTORS))} == {"line", "point"}
    both = charts.factor_bands(FACTORS, FACTORS - 1, FACTORS + 1, truth=FACTORS)
    kinds = [mark["type"] for mark in marks(both)]
    assert kinds.count("area") == 3
    assert kinds.count("line") == 6
    assert "truth" in picture(both)


def test_factors_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="both ends of the interval"):
        charts.factor_bands(FACTORS, FACTORS)
    with pytest.raises(ValueError, match=r"truth has shape \(12, 2\), the factors \(12, 3\)"):
        charts.factor_bands(FACTORS, truth=FACTORS[:, :2])
    with pytest.raises(ValueError, match="epoch has 3 values, the factors' first axis has 12"):
        charts.factor_bands(FACTORS, epoch=EPOCHS[:3])


def test_missing_trials_are_gaps_and_a_component_without_any_is_named():
    factors = FACTORS.copy()
    factors[3, 0] = np.nan
    rows = table(charts.factor_bands(factors), "factor")
    assert [row["trial"] for row in rows if row["factor"] is None] == [4]
    factors[:, 1] = np.nan
    with pytest.raises(ValueError, match="component 2 has no finite value"):
        charts.factor_bands(factors)


def test_thousands_of_trials_are_thinned():
    rows = table(charts.factor_bands(RNG.normal(size=(5000, 1))), "factor")
    assert len(rows) <= 400
    assert [row["trial"] for row in rows[:3]] == [1, 14, 27]


# Fits


def test_losses_skip_steps_without_validation_and_mark_its_least():
    chart = charts.losses(HISTORY)
    rows = table(chart, "loss")
    validation = [(row["step"], row["loss"]) for row in rows if row["series"] == "validation"]
    # every layer has the same data
    assert set(validation) == {(2, 0.6), (4, 0.4), (5, 0.45)}
    assert [row["step"] for row in rows if row["series"] == "least validation"] == [4]
    scales = [node["y"]["scale"] for node in nodes(spec(chart)) if "y" in node]
    assert {scale["type"] for scale in scales} == {"log"}
    negative = charts.losses(HISTORY.assign(train=[1.0, 0.5, 0.0, -0.5, -1.0]))
    assert not any("type" in node["y"]["scale"] for node in nodes(spec(negative)) if "y" in node)


def test_losses_need_their_columns_and_a_number():
    with pytest.raises(ValueError, match="no column 'train'"):
        charts.losses(HISTORY[["step"]])
    with pytest.raises(ValueError, match="no finite loss"):
        charts.losses(HISTORY.assign(train=np.nan, validation=np.nan))
    assert picture(charts.losses(HISTORY.assign(validation=np.nan)))


def test_scores_show_each_run_with_mean_and_standard_error():
    chart = charts.scores(RESULTS)
    summary = {row["setting"]: row for row in table(chart, "error")}
    assert list(summary) == ["1", "2"]  # the failed cell has no score
    assert summary["1"]["score"] == pytest.approx(0.6)
    assert summary["1"]["error"] == pytest.approx(np.std([0.5, 0.7], ddof=1) / np.sqrt(2))
    assert [row["score"] for row in table(chart, "setting", "score") if "n" not in row] == [
        0.5,
        0.7,
        0.9,
        0.92,
    ]
    assert [row["setting"] for row in table(charts.scores(RESULTS, chosen=2), "text")] == ["2", "2"]


def test_scores_refuse_what_is_not_there():
    with pytest.raises(ValueError, match="no column 'penalty'"):
        charts.scores(RESULTS, over="penalty")
    with pytest.raises(ValueError, match=r"rank = 3 was not tried; tried: \[1, 2\]"):
        charts.scores(RESULTS, chosen=3)
    with pytest.raises(ValueError, match="no finite score"):
        charts.scores(RESULTS.assign(score=np.nan))


def test_models_stand_in_the_order_given_with_long_names_on_two_lines():
    chart = charts.compared({"b": [1.0, 3.0], "a model with a name of many words": [0.5]})
    rows = table(chart, "n")
    assert [row["setting"] for row in rows[:2]] == ["b", "a model with a name of\nmany words"]
    assert [(row["score"], row["n"]) for row in rows[:2]] == [(2, 2), (0.5, 1)]
    sorts = [node["y"]["sort"] for node in nodes(spec(chart)) if "sort" in node.get("y", {})]
    assert sorts[0][0] == "b"
    assert "many words</tspan>" in picture(chart) or ">many words<" in picture(chart)
    with pytest.raises(ValueError, match="model 'none' has no finite score"):
        charts.compared({"none": [np.nan]})


# What they share


@given(st.integers(1, 24))
def test_no_two_series_look_alike(n):
    looks = list(zip(*line_styles([str(i) for i in range(n)]), strict=True))
    assert len({(hue, tuple(dash)) for hue, dash in looks}) == n


@given(st.integers(1, 5000), st.integers(1, 500))
def test_thinning_keeps_evenly_spaced_items_up_to_the_limit(n, at_most):
    kept = thinned(n, at_most)
    assert kept[0] == 0
    assert len(kept) <= at_most
    assert len(set(np.diff(kept))) <= 1
    assert kept[-1] < n


def test_series_that_cannot_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="25 series"):
        line_styles([str(i) for i in range(25)])
    with pytest.raises(ValueError, match="not distinct"):
        line_styles(["a", "a"])
    assert padded(1.0, 1.0)[0] < 1 < padded(1.0, 1.0)[1]


def test_a_loss_on_a_narrow_range_still_has_numbers_on_its_axis():
    history = pd.DataFrame(
        {"step": [0, 10, 20], "train": [0.913, 0.906, 0.905], "validation": np.nan}
    )
    svg = picture(charts.losses(history))
    assert re.search(r">0\.9\d*<", svg)
