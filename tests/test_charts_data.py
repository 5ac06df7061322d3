"""The data behind each chart as CSV: what the specification holds, and nothing left out."""

import csv
import importlib
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from chart_parts import spec

from ltr_core import charts


@pytest.fixture
def data(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The extension's module."""
    monkeypatch.syspath_prepend(str(repository / "book" / "_ext"))
    return importlib.import_module("ltr_chart_data")


def read(table: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.text)))


def test_a_charts_table_is_the_one_of_its_specification(data: ModuleType) -> None:
    errors = {"learning, fast": np.array([[3.0, 0.5], [5.0, np.nan]])}
    chart = spec(charts.curves(errors, [1, 2], x_title="trial", y_title="error", reference=1.0))
    (table,) = data.tables(chart, "errors")  # a rule's single number is left out
    assert table.text.splitlines() == [
        "series,x,mean,low,high",
        '"learning, fast",1,4,3,5',
        '"learning, fast",2,,,',
    ]


def test_columns_of_lists_become_rows_and_what_is_looked_up_columns(data: ModuleType) -> None:
    activity = np.random.default_rng(0).random((6, 3))
    maps = {"recorded": activity, "model": activity + 1}
    chart = spec(charts.population_panels(maps, np.arange(6) / 10))
    tables = data.tables(chart, "map")
    assert [table.panel for table in tables] == ["recorded", "model"]
    cells = read(tables[0])
    assert len(cells) == activity.size
    assert list(cells[0]) == ["row", "neuron", "bin", "value", "start"]
    for cell in cells:
        at = round(10 * (float(cell["start"]) + 0.05))  # a bin begins half a step before its time
        assert float(cell["value"]) == pytest.approx(activity[at, int(cell["neuron"])], abs=1e-2)


def test_equal_tables_are_written_once_and_the_largest_comes_first(data: ModuleType) -> None:
    small, large = {"values": [{"a": 1, "b": 2}]}, {"name": "many"}
    chart = {
        "datasets": {"many": [{"x": x, "y": x > 1} for x in range(3)]},
        "hconcat": [{"data": small, "mark": "rule"}, {"layer": [{"data": large}, {"data": small}]}],
        "data": {"values": [5, 6]},
    }
    texts = [table.text for table in data.tables(chart, "many")]
    assert texts == ["x,y\n0,false\n1,false\n2,true\n", "data\n5\n6\n", "a,b\n1,2\n"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"sequence": {"start": 0, "stop": 9}}, "figure toy: the data .* are not in the chart"),
        ({"values": [{"a": [1], "b": [1, 2]}]}, r"figure toy: lists .* \{'a': 1, 'b': 2\}"),
        ({"values": [{"a": {"b": 1}}]}, "figure toy: column a holds dicts"),
        ({"values": "a,b"}, "figure toy: its data are str"),
    ],
)
def test_data_that_cannot_be_written_are_named(
    data: ModuleType, source: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        data.tables({"data": source, "mark": "point"}, "toy")


def test_links_stand_under_their_figure_and_lead_to_files(data: ModuleType, tmp_path: Path) -> None:
    module = importlib.import_module("ltr_charts")

    def figure(name: str, n: int) -> str:
        source = json.dumps(
            {"hconcat": [{"data": {"values": [{"a": i, "b": 0}]}} for i in range(n)]}
        )
        chart = f'<div class="ltr-chart" id="chart-{n}"><script type="application/json">{source}'
        return f'<figure class="x" id="fig-{name}">{chart}</script></div><p>Fig.</p></figure>'

    body = f"<h1>A</h1>{figure('one', 1)}<p>between</p>{figure('six', 6)}"
    body += figure("bare", 2).split(">", 1)[1].replace("</figure>", "")
    made = module.with_data(body, tmp_path, lambda path, _: f"../{path}")
    files = {path.name for path in (tmp_path / "_downloads" / "data").iterdir()}
    assert {"one.csv", "six.csv", "six-6.csv", "chart-2-2.csv"} <= files
    assert 'Data: <a href="../_downloads/data/one.csv" download' in made
    assert 'aria-label="CSV, data of figure one: a, b">CSV</a></p><p>Fig.</p></figure>' in made
    assert "<summary>Data: 6 CSV files</summary>" in made
    assert made.count("<h1>A</h1>") == made.count("between") == 1
    bad = '<div class="ltr-chart" id="c"><script type="application/json">{"data":{"url":"x"}}'
    with pytest.raises(Exception, match=r"figure c: the data .* are not in the chart"):
        module.with_data(bad + "</script></div>", tmp_path, lambda path, _: path)
