"""Panels side by side: what is drawn is what was given, under one legend."""

import numpy as np
import pytest
from chart_parts import picture, table

from ltr_core.charts import curve_panels, eigenvalue_panels

SERIES = {"g 0": np.array([[1.0, 0.5], [1.0, 0.3]]), "g 1": np.array([[1.0, 0.8], [1.0, 0.6]])}
X = np.array([0, 1])


def test_every_panel_has_its_curves_and_the_legend_stands_once():
    other = {name: 2 * values for name, values in SERIES.items()}
    chart = curve_panels(
        {"first": SERIES, "second": other},
        {"first": X, "second": 3 * X},
        x_title="rank",
        y_title="loss",
    )
    rows = [(r["series"], r["x"], r["mean"]) for r in table(chart, "series", "mean")]
    assert ("g 0", 1, 0.4) in rows
    assert ("g 1", 3, 1.4) in rows
    drawn = picture(chart)
    assert drawn.count(">g 1</text>") == 1
    assert "first" in drawn
    assert "second" in drawn


def test_panels_that_differ_are_refused():
    titles = {"x_title": "rank", "y_title": "loss"}
    with pytest.raises(ValueError, match="same series"):
        curve_panels({"a": SERIES, "b": {"g 0": SERIES["g 0"]}}, {"a": X, "b": X}, **titles)
    with pytest.raises(ValueError, match="give an x for each"):
        curve_panels({"a": SERIES}, {"b": X}, **titles)


def test_eigenvalues_and_the_circle_are_where_they_are():
    before = {"weak": np.array([0.1 + 0.1j, 0.1 - 0.1j]), "strong": np.array([0.9j, -0.9j])}
    after = {"weak": np.array([1.2 + 0j, 0.1 + 0j]), "strong": np.array([0.8j, -0.8j])}
    chart = eigenvalue_panels(before, after, radius={"weak": 0.0, "strong": 0.9})
    rows = table(chart, "panel", "kind")
    found = {(r["panel"], r["kind"], r["real"], r["imaginary"]) for r in rows}
    assert ("weak", "after", 1.2, 0) in found
    assert ("strong", "before", 0, -0.9) in found
    circle = [np.hypot(r["real"], r["imaginary"]) for r in rows if r["kind"] == "circle"]
    np.testing.assert_allclose(circle, 0.9, atol=1e-4)
    assert all(r["panel"] == "strong" for r in rows if r["kind"] == "circle")
    assert ">after</text>" in picture(chart)


def test_eigenvalues_of_other_panels_are_refused():
    cloud = {"a": np.array([1j])}
    with pytest.raises(ValueError, match="must be the same"):
        eigenvalue_panels(cloud, cloud, radius={"b": 1.0})
