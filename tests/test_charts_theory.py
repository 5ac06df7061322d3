"""Theory beside simulation: what is drawn is what was given."""

import numpy as np
import pytest
from chart_parts import picture, table

from ltr_core.charts import Predicted, predictions

X = np.arange(5)
RUNS = np.stack([X + 1.0, X + 3.0])
LINE = Predicted(X, RUNS, X + 2.5, until=2.0)


def rows(chart, kind):
    return [row for row in table(chart, "kind", "middle") if row["kind"] == kind]


def test_lines_bands_and_the_end_of_the_range():
    chart = predictions({"output": {"a": LINE}}, x_title="t")
    simulated = rows(chart, "simulation")
    assert [row["x"] for row in simulated] == X.tolist()
    assert [row["middle"] for row in simulated] == (X + 2.0).tolist()
    assert [row["low"] for row in simulated] == (X + 1.0).tolist()
    assert [row["high"] for row in simulated] == (X + 3.0).tolist()
    assert [row["middle"] for row in rows(chart, "theory")] == (X + 2.5).tolist()
    ends = [row for row in table(chart, "series", "middle") if "kind" not in row]
    assert [(row["x"], row["middle"]) for row in ends] == [(2.0, 4.5)]


def test_panels_share_colours_and_many_points_are_thinned_to_the_last():
    many = Predicted(np.arange(201), np.ones((3, 201)), np.ones(201))
    chart = predictions(
        {"loss": {"a": many, "b": many}, "size": {"b": many}},
        x_title="t",
        logarithmic=("loss",),
        y_domains={"size": (0.0, 2.0)},
    )
    drawn = rows(chart, "theory")
    assert len(drawn) < 3 * 70
    assert max(row["x"] for row in drawn) == 200
    svg = picture(chart)
    for text in ("loss", "size", "simulation"):
        assert text in svg


def test_bad_input_is_refused():
    short = LINE._replace(theory=np.ones(4))
    with pytest.raises(ValueError, match="'a' has 5 places, 5 simulated and 4 predicted"):
        predictions({"output": {"a": short}}, x_title="t")
    with pytest.raises(ValueError, match="There is no panel"):
        predictions({"output": {"a": LINE}}, x_title="t", logarithmic=("loss",))
    with pytest.raises(ValueError, match="7 series: at most 6"):
        predictions({"output": dict.fromkeys("abcdefg", LINE)}, x_title="t")
