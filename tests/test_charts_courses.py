"""Lines and dots over learning: what is drawn is what was given."""

import numpy as np
import pytest
from chart_parts import picture, table

from ltr_core.charts import courses

X = np.arange(101) * 0.5
LINES = {"visible": {"a": np.stack([X, 2 * X]), "b": X[None] + 1}, "other": {"c": -X[None]}}
TITLES = {"x_title": "time", "y_title": "overlap"}


def test_lines_and_dots_are_where_the_curves_are():
    chart = courses(LINES, {"N = 50": LINES, "N = 500": LINES}, X, **TITLES)
    rows = table(chart, "source", "kind", "line")
    slopes = {"a 0": (1, 0), "a 1": (2, 0), "b 0": (1, 1), "c 0": (-1, 0)}
    for row in rows:
        slope, offset = slopes[row["line"]]
        assert row["y"] == pytest.approx(slope * row["x"] + offset, rel=1e-3)
    by_source = {
        name: {row["x"] for row in rows if row["source"] == name and row["line"] == "c 0"}
        for name in ("flow", "N = 50", "N = 500")
    }
    assert len(by_source["flow"]) > 40
    assert 5 < len(by_source["N = 50"]) < 15
    assert not by_source["N = 50"] & by_source["N = 500"]
    assert "N = 500" in picture(chart)


@pytest.mark.parametrize(
    "dots",
    [
        {"visible": LINES["visible"]},
        {"visible": {"a": LINES["visible"]["a"]}, "other": LINES["other"]},
        {"visible": LINES["visible"], "other": {"c": -X[None, 1:]}},
    ],
)
def test_refuses_dots_that_are_not_those_of_the_lines(dots):
    with pytest.raises(ValueError, match="has the curves"):
        courses(LINES, {"N = 50": dots}, X, **TITLES)


def test_refuses_too_many_sources():
    with pytest.raises(ValueError, match="told apart"):
        courses(LINES, {f"N = {i}": LINES for i in range(9)}, X, **TITLES)
