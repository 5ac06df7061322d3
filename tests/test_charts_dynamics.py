"""Charts of dynamics: spectra, flows, trajectories, and the overview of a fit."""

import json

import numpy as np
import pandas as pd
import pytest
from chart_parts import marks, nodes, picture, spec, table, width
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core import charts
from ltr_core.dynamics import FixedPoints, VectorField

RNG = np.random.default_rng(1)
TIME = np.linspace(-1.0, 1.0, 21)
EPOCHS = ["baseline"] * 4 + ["washout"] * 6
EIGENVALUES = RNG.normal(size=(10, 3)) + 1j * RNG.normal(size=(10, 3))
LATENTS = {f"target {i}": RNG.normal(size=(21, 4)) for i in range(8)}
GRID = np.linspace(-2.0, 2.0, 5)


def field(turn: float = 1.0) -> VectorField:
    """A rotation about the origin, with some velocity out of the plane."""
    x, y = np.meshgrid(GRID, GRID)
    return VectorField(GRID, GRID, -turn * y, turn * x, np.ones((5, 5)))


def fixed(dimension: int = 2) -> FixedPoints:
    points = np.array([[0.0, 0.0, 5.0], [1.0, -1.0, 5.0]])[:, :dimension]
    eigenvalues = np.array([[-1.0, -2.0, -3.0], [0.5, -1.0, -3.0]])[:, :dimension].astype(complex)
    stable = np.array([True, False])
    return FixedPoints(points, eigenvalues, stable, 0, np.zeros(2), np.array([3, 1]))


PATHS = RNG.normal(size=(3, 12, 3))
PLANE = (np.array([0.0, 0.0, 5.0]), np.eye(3)[:2])
OVERVIEW = {
    "activity": {"recorded": RNG.normal(size=(21, 30)), "model": RNG.normal(size=(21, 30))},
    "recorded": {"a": RNG.normal(size=(21, 2))},
    "predicted": {"a": RNG.normal(size=(21, 2))},
    "drive": LATENTS,
    "initial": RNG.normal(size=(8, 4)),
    "conditions": list(LATENTS),
    "trial_factors": RNG.normal(size=(10, 3)),
    "lower": np.full((10, 3), -9.0),
    "upper": np.full((10, 3), 9.0),
    "epoch": EPOCHS,
    "latents": LATENTS,
    "eigenvalues": EIGENVALUES,
    "history": pd.DataFrame({"step": [1, 2], "train": [1.0, 0.5], "validation": [1.0, 0.6]}),
    "fields": {"baseline": field(), "washout": field(2.0)},
    "fixed_points": {"baseline": fixed(3)},
    "trajectories": {"washout": PATHS},
    "plane": PLANE,
}
CHARTS = {
    "spectra": lambda: charts.spectra(EIGENVALUES, epoch=np.array(EPOCHS)),
    "flow": lambda: charts.flow_fields(
        {"a": field(), "b": field(2.0), "c": field(3.0)},
        fixed_points={"a": fixed()},
        trajectories={"b": PATHS[..., :2]},
    ),
    "projections": lambda: charts.projections(LATENTS, TIME),
    "two-axes": lambda: charts.projections(LATENTS, TIME, axes=(0, 3)),
    "inputs": lambda: charts.inputs(LATENTS, TIME),
    "initial": lambda: charts.initial_states(RNG.normal(size=(3, 4)), ["a", "b", "c"]),
    "overview": lambda: charts.overview(charts.Overview(time=TIME, **OVERVIEW)),
}


@pytest.mark.parametrize("name", list(CHARTS))
def test_it_can_be_shown_and_fits_the_page(name):
    svg = picture(CHARTS[name]())
    assert width(svg) <= 560
    assert len(svg) < 1_500_000


# Spectra


def test_the_slider_of_the_spectra_begins_at_a_trial_that_is_drawn():
    chart = charts.spectra(np.exp(1j * np.arange(901.0))[:, None])
    (slider,) = (p for p in spec(chart)["params"] if "bind" in p)
    drawn = {row["number"] for row in table(chart, "number")}
    assert slider["value"] in drawn
    assert len(drawn) <= 200
    bind = slider["bind"]
    assert drawn == set(range(bind["min"], bind["max"] + 1, bind["step"]))
    assert f"large symbols: trial {slider['value']}" in picture(chart)


@pytest.mark.parametrize(("largest", "side"), [(1.1, "left"), (9.0, "right")])
def test_the_labels_above_the_spectra_keep_apart(largest, side):
    layers = spec(charts.spectra(np.array([[largest + 0j]] * 3)))["layer"]
    (named,) = (layer for layer in layers if "large symbols" in str(layer.get("transform", "")))
    assert named["mark"]["align"] == side
    assert named["encoding"]["x"]["value"] == (0 if side == "left" else "width")


def test_spectra_hold_every_eigenvalue_with_its_trial_and_epoch():
    rows = table(charts.spectra(EIGENVALUES, trial_id=np.arange(10) * 2.0, epoch=EPOCHS), "real")
    rows = [row for row in rows if "number" in row]
    found = np.array([row["real"] + 1j * row["imaginary"] for row in rows]).reshape(10, 3)
    np.testing.assert_allclose(found, EIGENVALUES, rtol=1e-3)
    assert [row["trial"] for row in rows[::3]] == list(range(0, 20, 2))
    assert [row["epoch"] for row in rows[::3]] == EPOCHS
    with pytest.raises(ValueError, match="epoch has 3 values, the eigenvalues' first axis has 10"):
        charts.spectra(EIGENVALUES, epoch=EPOCHS[:3])


def test_real_eigenvalues_still_span_a_plane():
    assert picture(charts.spectra(np.ones((4, 2)) + 0j))


# Flows


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_arrows_point_along_the_velocity_centred_on_their_place(seed):
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, 5, 5))
    flow = VectorField(GRID, GRID, u, v, np.zeros((5, 5)))
    rows = table(charts.flow_fields({"a": flow}), "left_x")
    tail, tip, left, right = (
        np.array([[row[x], row[y]] for row in rows])
        for x, y in (("x", "y"), ("x2", "y2"), ("left_x", "left_y"), ("right_x", "right_y"))
    )
    places = np.stack([grid.ravel() for grid in np.meshgrid(GRID, GRID)], axis=1)
    np.testing.assert_allclose((tail + tip) / 2, places, atol=2e-3)
    along, velocity = tip - tail, np.stack([u.ravel(), v.ravel()], axis=1)
    cosine = (
        (along * velocity).sum(1) / np.linalg.norm(along, axis=1) / np.linalg.norm(velocity, axis=1)
    )
    assert cosine.min() > 0.99
    # lengths grow with the root of the speed, and none reaches the next arrow
    speed = np.linalg.norm(velocity, axis=1)
    lengths = 0.95 * np.sqrt(speed / speed.max())
    np.testing.assert_allclose(np.linalg.norm(along, axis=1), lengths, atol=5e-3)
    # the barbs point back, to either side
    for barb in (left, right):
        assert ((barb - tip) * along).sum(1).max() < 0
    np.testing.assert_allclose(
        ((left + right) / 2 - tip) @ [1, 0], -0.38 * np.cos(2.6 - np.pi) * along[:, 0], atol=5e-3
    )


def test_a_flow_at_rest_is_drawn_without_a_division_by_zero():
    still = VectorField(GRID, GRID, *np.zeros((3, 5, 5)))
    rows = table(charts.flow_fields({"a": still}), "left_x")
    assert all(row["x"] == row["x2"] for row in rows)


def test_arrows_tell_how_much_of_the_velocity_stays_in_the_plane():
    rows = table(charts.flow_fields({"a": field()}), "share")
    at_rest, corner = rows[12], rows[0]
    assert at_rest["share"] == 0
    assert corner["share"] == pytest.approx(np.sqrt(8) / 3, abs=1e-3)


def test_fixed_points_and_trajectories_are_projected_on_the_plane():
    axes = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    origin = np.array([1.0, 1.0, 1.0])
    chart = charts.flow_fields(
        {"a": field()},
        fixed_points={"a": fixed(3)},
        trajectories={"a": PATHS},
        plane=(origin, axes),
    )
    points = table(chart, "kind")
    assert [(row["x"], row["y"], row["kind"]) for row in points] == [
        (4, -1, "stable"),
        (4, -2, "unstable"),
    ]
    assert [row["n_unstable"] for row in points] == [0, 1]
    first = [row for row in table(chart, "path", "step") if row["path"] == 1]
    assert [row["x"] for row in first] == pytest.approx(PATHS[0, :, 2] - 1, abs=1e-3)


def test_a_flow_without_any_fixed_point_is_drawn():
    none = FixedPoints(*(part[:0] for part in fixed()[:3]), 9, np.zeros(0), np.zeros(0, dtype=int))
    assert picture(charts.flow_fields({"a": field()}, fixed_points={"a": none}))


def test_flows_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"no vector field for 'b'; fields: \['a'\]"):
        charts.flow_fields({"a": field()}, fixed_points={"b": fixed()})
    with pytest.raises(ValueError, match=r"3 dimensions; pass plane"):
        charts.flow_fields({"a": field()}, trajectories={"a": PATHS})
    with pytest.raises(ValueError, match="do not fit states of 2 dimensions"):
        charts.flow_fields({"a": field()}, fixed_points={"a": fixed()}, plane=PLANE)
    with pytest.raises(ValueError, match="no vector field to draw"):
        charts.flow_fields({})


# Latent trajectories


def test_projections_hold_the_chosen_axes_and_mark_start_and_go():
    chart = charts.projections(LATENTS, TIME, axes=(2, 0))
    rows = [row for row in table(chart, "z0") if row["series"] == "target 3"]
    assert [row["z0"] for row in rows] == pytest.approx(LATENTS["target 3"][:, 2], rel=1e-2)
    assert [row["z1"] for row in rows] == pytest.approx(LATENTS["target 3"][:, 0], rel=1e-2)
    assert [(row["time"], row["stage"]) for row in rows if row["stage"]] == [
        (-1, "start"),
        (0, "go"),
    ]
    titles = {node["y"]["title"] for node in nodes(spec(chart)) if node.get("y", {}).get("title")}
    assert titles == {"a₃", "a₁"}


def test_the_latents_are_written_once_and_without_a_go_cue_none_is_marked():
    chart = charts.projections(LATENTS, TIME + 5)
    assert len(table(chart, "series")) == 8 * 21
    assert not any(row["stage"] == "go" for row in table(chart, "stage"))
    assert not any(mark["type"] == "rule" for mark in marks(chart))


def test_projections_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"axes \[0, 4\]: pass two or more from 0 to 3"):
        charts.projections(LATENTS, TIME, axes=(0, 4))
    with pytest.raises(ValueError, match="time has 20 values"):
        charts.projections(LATENTS, TIME[1:])
    with pytest.raises(ValueError, match="no series"):
        charts.inputs({}, TIME)
    with pytest.raises(ValueError, match="conditions has 1 values"):
        charts.initial_states(np.zeros((2, 3)), ["a"])


def test_initial_states_are_a_row_for_each_condition():
    rows = table(charts.initial_states(np.array([[1.0, -2.0]]), ["left"]), "condition")
    assert [(row["condition"], row["axis"], row["value"]) for row in rows] == [
        ("left", "a₁", 1),
        ("left", "a₂", -2),
    ]


# Overview


def test_the_overview_has_all_parts_in_order_and_leaves_out_those_not_given():
    titles = [part["title"]["text"] for part in spec(CHARTS["overview"]())["vconcat"]]
    assert [title[0] for title in titles] == list("ABCDEFGHI")
    few = charts.Overview(time=TIME, history=OVERVIEW["history"], initial=OVERVIEW["initial"])
    assert [part["title"]["text"] for part in spec(charts.overview(few))["vconcat"]] == [
        "A  Initial states",
        "B  Loss of the fit",
    ]
    with pytest.raises(ValueError, match="no part to draw"):
        charts.overview(charts.Overview(time=TIME))


def test_an_overview_of_a_whole_recording_stays_small():
    trials, rank = 250, 5
    parts = {
        **OVERVIEW,
        "activity": {name: RNG.normal(size=(41, 200)) for name in ("recorded", "model")},
        "trial_factors": RNG.normal(size=(trials, rank)),
        "lower": None,
        "upper": None,
        "epoch": ["a"] * trials,
        "eigenvalues": RNG.normal(size=(trials, rank)) + 0j,
        "drive": {f"{i}": RNG.normal(size=(41, rank)) for i in range(8)},
        "latents": {f"{i}": RNG.normal(size=(41, rank)) for i in range(8)},
        "recorded": {"a": RNG.normal(size=(41, 4))},
        "predicted": {"a": RNG.normal(size=(41, 4))},
    }
    chart = charts.overview(charts.Overview(time=np.linspace(-2.0, 2.0, 41), **parts))
    assert len(json.dumps(spec(chart))) < 800_000
