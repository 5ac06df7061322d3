"""The chapters' charts: what they draw is what they were given, and they can be shown."""

import json

import altair as alt
import numpy as np
import pytest
import torch
from chart_parts import hover

from ltr_core import charts
from ltr_core.charts.curves import epoch_marks, series_channels

RNG = np.random.default_rng(0)
EPOCHS = ["baseline"] * 3 + ["perturbed"] * 4 + ["washout"] * 2


def spec(chart):
    """The chart's specification, with its data beside it by name."""
    with alt.data_transformers.disable_max_rows():
        return chart.to_dict()


def rows(chart):
    """All rows of data in a chart, from the chart itself and its layers and panels."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            found.extend(node.get("data", {}).get("values", []))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    written = spec(chart)
    for values in written.pop("datasets", {}).values():
        found.extend(values)
    walk(written)
    return found


def every_chart():
    x = np.arange(9)
    return {
        "curves": charts.curves(
            {"a": RNG.normal(size=(3, 9)), "b": RNG.normal(size=(2, 9))},
            x,
            x_title="trial",
            y_title="error (%)",
            epochs=EPOCHS,
            reference=0.5,
        ),
        "paths": charts.hand_paths(
            {"early": RNG.normal(size=(4, 6, 2)), "late": RNG.normal(size=(4, 6, 2))},
            RNG.normal(size=(4, 2)),
        ),
        "matrices": charts.matrices({"W": RNG.normal(size=(5, 5))}, value_title="weight"),
        "factors": charts.trial_factors(RNG.normal(size=(9, 3)), epochs=EPOCHS),
        "eigenvalues": charts.eigenvalue_panels(
            {"task": 1j * RNG.normal(size=5)},
            {"task": 1j * RNG.normal(size=5)},
            radius={"task": 1.0},
        ),
        "projections": charts.projections({"a": RNG.normal(size=(9, 3))}, x / 10 - 0.2),
        "tails": charts.tail_panels({"run": {"pre": (np.ones(4), np.ones(4))}}),
        "explorer": charts.tensor_explorer(*RNG.normal(size=(3, 9, 2))),
    }


@pytest.mark.parametrize("name", list(every_chart()))
def test_every_chart_can_be_shown_in_the_book(name, monkeypatch):
    monkeypatch.setenv("LTR_BOOK", "1")
    bundle = charts.figure_bundle(every_chart()[name], name=name, caption="c", alt="a")
    assert "image/svg+xml;base64" in bundle["text/html"]


@pytest.mark.parametrize("name", list(every_chart()))
def test_every_view_tells_its_values_and_lines_leave_that_to_points(name):
    views = hover(every_chart()[name])
    assert views
    assert all(view.tells and not view.first_only for view in views)


def test_curves_hold_mean_and_range_of_the_runs():
    values = np.array([[1.0, 4.0], [3.0, 8.0]])
    chart = charts.curves({"only": values}, [10, 20], x_title="x", y_title="y")
    points = [row for row in rows(chart) if "mean" in row]
    assert [(p["x"], p["mean"], p["low"], p["high"]) for p in points[:2]] == [
        (10, 2, 1, 3),
        (20, 6, 4, 8),
    ]


def test_epochs_are_marked_where_they_begin():
    rules, names = epoch_marks(EPOCHS, np.arange(1, 10))
    assert [row["x"] for row in rows(rules)] == [4, 8]
    assert [(row["x"], row["epoch"]) for row in rows(names)] == [
        (1, "baseline"),
        (4, "perturbed"),
        (8, "washout"),
    ]


def test_paths_are_drawn_in_centimetres_in_the_order_given():
    path = torch.tensor([[[0.0, 0.0], [0.1, -0.05]]]).numpy()
    points = rows(charts.hand_paths({"now": path}, np.array([[0.1, 0.0]])))
    moved = [(r["x"], r["y"]) for r in points if r["step"] == 1]
    goal = [(r["x"], r["y"]) for r in points if r["step"] == -1]
    assert moved == [(10, -5)]
    with pytest.raises(ValueError, match="panel 'now' has 1 paths, goals are 2"):
        charts.hand_paths({"now": path}, np.zeros((2, 2)))
    assert goal == [(10, 0)]


def test_a_matrix_is_drawn_with_receiving_units_down_and_a_centred_scale():
    matrix = np.array([[0.0, 2.0], [0.0, -1.0]])
    chart = charts.matrices({"W": matrix}, value_title="weight")
    cells = {(r["post"], r["pre"]): r["value"] for r in rows(chart)}
    assert cells[1, 2] == 2
    assert cells[2, 2] == -1
    assert spec(chart)["spec"]["encoding"]["color"]["scale"]["domain"] == [-2, 2]


def test_the_explorer_adds_up_the_components_that_its_sliders_keep():
    step, post, pre = (RNG.normal(size=(n, 2)) for n in (4, 3, 3))
    written = spec(charts.tensor_explorer(step, post, pre))
    (calculate,) = (
        panel["transform"][0]["calculate"]
        for panel in written["hconcat"]
        if "weight" in json.dumps(panel.get("transform", ""))
    )
    cells = [r for r in rows(charts.tensor_explorer(step, post, pre)) if "outer0" in r]
    for trial, kept in ((1, 1), (3, 2), (4, 2)):
        for cell in cells:
            # the expression is the same in Python, but for ?: and lists indexed by numbers
            terms = [step[trial - 1, r] * cell[f"outer{r}"] if kept > r else 0.0 for r in range(2)]
            truth = (step[trial - 1] * post[cell["post"] - 1] * pre[cell["pre"] - 1])[:kept].sum()
            assert sum(terms) == pytest.approx(truth, abs=1e-3)
    for r in range(2):
        assert f"kept > {r} ? {np.round(step[:, r], 4).tolist()}[trial - 1]" in calculate
    names = {p["name"]: p["bind"] for p in written["params"]}
    assert (names["trial"]["min"], names["trial"]["max"]) == (1, 4)
    assert (names["kept"]["min"], names["kept"]["max"]) == (1, 2)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="series 'a' has 3 points, x has 2"):
        charts.curves({"a": np.zeros((1, 3))}, [1, 2], x_title="x", y_title="y")
    with pytest.raises(ValueError, match="epochs name 9 points"):
        epoch_marks(EPOCHS, np.arange(4))
    with pytest.raises(ValueError, match="at most 6 can be told apart"):
        series_channels("s", list("abcdefg"))
