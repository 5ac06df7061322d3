"""Pictures of bounds: sliders choose among what was given."""

import json
from itertools import product

import numpy as np
import pytest
from chart_parts import nodes, picture, spec, table

from ltr_core.charts import bound_explorer, ladder_points, tail_panels

SETTINGS = list(product((1, 2), (1, 2, 3), (0, 1)))
SPECTRA = {setting: [10.0 ** -np.arange(n, dtype=float) for n in (8, 6, 6)] for setting in SETTINGS}
BOUNDS = {(p, q, r): ((p + q) ** 2, p + q + 2 * r, p + q) for p, q, r in SETTINGS}


def test_the_explorer_holds_every_setting_and_filters_by_its_sliders():
    chart = bound_explorer(SPECTRA, BOUNDS, most=7)
    rows = table(chart, "k", "post")
    assert len(rows) == 7 * len(SETTINGS)  # once, for the three panels
    assert [row["step"] for row in rows[:7]] == [0, -1, -2, -3, -4, -5, -6]
    assert rows[6]["post"] is None  # there are only 6
    bounds = [row for row in table(chart, "p", "step") if "k" not in row]
    assert {"p": 2, "q": 3, "r": 1, "step": 25, "post": 7, "pre": 5} in bounds
    made = spec(chart)
    sliders = {param["name"]: param for param in made["params"]}
    ranges = {n: (p["bind"]["min"], p["bind"]["max"]) for n, p in sliders.items()}
    assert ranges == {"bound_inputs": (1, 2), "bound_outputs": (1, 3), "bound_start": (0, 1)}
    filters = {node["filter"] for node in nodes(made) if "filter" in node}
    assert len(filters) == 1
    assert all(name in next(iter(filters)) for name in sliders)
    assert "bound 9" in picture(chart)  # of one input and two outputs, with which it opens


def test_64_settings_stay_small():
    settings = list(product((1, 2, 3, 4), (1, 2, 3, 4), (0, 1, 2, 3)))
    rng = np.random.default_rng(0)
    spectra = {s: [np.sort(rng.random(40))[::-1] for _ in range(3)] for s in settings}
    chart = bound_explorer(spectra, dict.fromkeys(settings, (16, 4, 4)))
    assert len(json.dumps(spec(chart))) < 300_000


def test_a_missing_setting_is_refused():
    fewer = dict(list(SPECTRA.items())[1:])
    with pytest.raises(ValueError, match=r"11 settings .* every combination of \[1, 2\]"):
        bound_explorer(fewer, {setting: BOUNDS[setting] for setting in fewer})
    with pytest.raises(ValueError, match="12 settings of spectra and 11 of bounds"):
        bound_explorer(SPECTRA, {setting: BOUNDS[setting] for setting in fewer})


def test_tails_are_drawn_down_to_the_end_of_the_axis():
    tails = {"a run": {"receiving": (np.array([1.0, 0.1, 0.0]), np.array([30.0, 2.0, 1e-9]))}}
    rows = table(tail_panels(tails), "kind", "share")
    assert [(row["kind"], row["rank"], row["share"]) for row in rows] == [
        ("measured", 0, 1),
        ("measured", 1, 0.1),
        ("measured", 2, None),
        ("bound", 0, 30),
        ("bound", 1, 2),
        ("bound", 2, None),
    ]
    assert len(table(tail_panels(tails, most=1), "kind", "share")) == 4
    assert "a run" in picture(tail_panels(tails))


def test_ladders_keep_their_order():
    chart = ladder_points({"run": {"measured": 0.01, "the bound": 2.0}, "other": {"measured": 1.0}})
    assert [row["rung"] for row in table(chart, "rung")] == ["measured", "the bound", "measured"]
    assert "the bound" in picture(chart)
