"""Published values beside ours: stated first, compared later, kept at the published size."""

import json
import re

import nbformat
import numpy as np
import pytest

from ltr_core import published
from ltr_core.claims import Chapter
from ltr_core.published import MIME, records_of
from ltr_core.published_results import read_results, results_of
from ltr_core.published_text import agreement

VALUES = {"flip-flop, g 0": (105, 50), "flip-flop, g 0.9": (44, 20.0)}
VERSIONS = {"ltr-core": "0.1", "torch": "2", "numpy": "2", "scipy": "1"}


@pytest.fixture(autouse=True)
def no_results(monkeypatch):
    monkeypatch.delenv("LTR_RESULTS", raising=False)


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, as the outputs of a notebook's cell."""
    outputs = []
    monkeypatch.setattr(published, "display", lambda bundle, raw: outputs.append(bundle))
    return outputs


def stated(scale="book", values=VALUES, **changes):
    texts = {"figure": "Learning time", "source": "S", "setting": "N 128", "unit": "epochs"}
    return Chapter("03_test", scale=scale, seed=3).published(
        "learning-time", values=values, **(texts | changes)
    )


def notebook_of(bundles):
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in bundles]
    cells = [nbformat.v4.new_code_cell(outputs=[output]) for output in outputs]
    return nbformat.v4.new_notebook(cells=cells)


def agrees(record):
    return [row["agrees"] for row in record["rows"]]


def plain(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_ours_agrees_if_its_mean_is_within_the_tolerance(shown):
    # one sample alone would be too far away; the mean is not
    record = stated().compare({"flip-flop, g 0": [30, 90], "flip-flop, g 0.9": [65.0, 66.0]})
    assert agrees(record) == [True, False]
    assert record["rows"][0] == {
        "quantity": "flip-flop, g 0",
        "published": 105.0,
        "tolerance": 50.0,
        "ours": {
            "values": [30.0, 90.0],
            "mean": 60.0,
            "sd": pytest.approx(np.std([30, 90], ddof=1)),
        },
        "missing": None,
        "agrees": True,
        "at_published_size": None,
    }


@pytest.mark.parametrize(
    ("ours", "verdict"), [(0.4, True), (0.2, True), (0.41, False), (0.19, False)]
)
def test_exactly_the_tolerance_is_within_it(shown, ours, verdict):
    # 0.4 - 0.3 is a little above 0.1 in floating point
    record = stated(values={"x": (0.3, 0.1)}).compare({"x": [ours]})
    assert agrees(record) == [verdict]


def test_at_smoke_scale_nothing_is_judged(shown):
    record = stated("smoke").compare(
        {"flip-flop, g 0": [105], "flip-flop, g 0.9": []}, missing={"flip-flop, g 0.9": "too short"}
    )
    assert agrees(record) == [None, None]
    assert "not judged at smoke scale" in shown[-1]["text/html"]


@pytest.mark.parametrize("found", [[], [44.0, 45.0]])
def test_what_is_missing_does_not_agree_and_says_why(shown, found):
    ours = {"flip-flop, g 0": np.array([100, 110]), "flip-flop, g 0.9": found}
    record = stated().compare(ours, missing={"flip-flop, g 0.9": "one of three never learned"})
    assert agrees(record) == [True, False]
    text = plain(shown[-1]["text/html"])
    assert "one of three never learned ✗ does not agree" in text
    assert ("44.5 ± 0.71 (n = 2) one of" in text) == bool(found)


def test_the_card_states_before_and_the_table_compares_after(shown):
    stated().compare({"flip-flop, g 0": [1500.0, 1300.0], "flip-flop, g 0.9": [44.0]})
    before, after = shown
    assert MIME not in before
    for part in (
        "g 0 105 ± 50",
        "stated, not yet compared",
        "within ± of the published value",
        "N 128",
    ):
        assert part in plain(before["text/html"])
    text = plain(after["text/html"])
    assert "1 of 2 agree" in text
    assert "flip-flop, g 0 105 ± 50 1400 ± 141 (n = 2) ✗ does not agree" in text
    assert "flip-flop, g 0.9 44 ± 20 44 (n = 1) ✓ agrees" in text
    assert "at the published size" not in text
    assert "g 0.9: published 44 ± 20, ours 44 (n = 1): ✓ agrees" in after["text/plain"]


def test_markup_in_texts_is_shown_and_not_obeyed(shown):
    figure = stated(values={"<b>": (1, 1)}, figure="a < b <script>", setting="<i>", unit="<u>")
    figure.compare({"<b>": []}, missing={"<b>": "<em>"})
    for bundle in shown:
        for tag in ("<b>", "<script>", "<i>", "<u>", "<em>"):
            assert tag not in bundle["text/html"]


def test_records_survive_the_notebook(shown):
    record = stated().compare({"flip-flop, g 0": [105], "flip-flop, g 0.9": [44]})
    notebook = nbformat.reads(nbformat.writes(notebook_of(shown)), as_version=4)
    assert records_of(notebook) == [json.loads(json.dumps(record))]
    with pytest.raises(ValueError, match="'learning-time' is compared twice"):
        records_of(notebook_of([*shown, shown[-1]]))
    with pytest.raises(ValueError, match=r"'x' lacks .*'rows'"):
        records_of(notebook_of([{MIME: {"id": "x"}}]))


@pytest.mark.parametrize(
    ("ours", "missing", "named"),
    [
        ({"a": [1.0]}, {}, r"published are \['a', 'b'\], ours gives \['a'\]"),
        ({"a": [1.0], "b": [1.0], "c": [1.0]}, {}, "ours gives .*'c'"),
        ({"a": [1.0], "b": []}, {}, "ours of 'b' is empty: .* the reason in missing"),
        ({"a": [1.0], "b": [float("nan")]}, {"b": "diverged"}, "ours of 'b' is .*finite"),
        ({"a": [1.0], "b": [1.0]}, {"z": "why"}, r"missing names \['z'\]"),
        ({"a": [1.0], "b": []}, {"b": " "}, "'b' is missing: say why"),
    ],
)
def test_values_that_do_not_fit_what_is_stated_are_refused(shown, ours, missing, named):
    with pytest.raises(ValueError, match=named):
        stated(values={"a": (1, 1), "b": (2, 1)}).compare(ours, missing=missing)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"values": {}}, "no published values"),
        ({"values": {"a": (float("nan"), 1)}}, "published 'a' is nan"),
        ({"values": {"a": (1, 0)}}, "tolerance of 'a' is 0"),
        ({"values": {"a": (1, float("inf"))}}, "tolerance of 'a' is inf"),
        ({"source": " "}, "source of learning-time is empty"),
        ({"setting": ""}, "setting of learning-time is empty"),
        ({"figure": ""}, "figure of learning-time is empty"),
    ],
)
def test_figures_that_cannot_be_compared_are_refused_when_stated(shown, changes, named):
    with pytest.raises(ValueError, match=named):
        stated(**changes)
    assert not shown


def test_a_figure_has_a_plain_name(shown):
    with pytest.raises(ValueError, match="name is 'Fig 2'"):
        Chapter("03_test", scale="book", seed=0).published(
            "Fig 2", figure="f", source="s", setting="s", values={"a": (1, 1)}
        )


def test_agreement_in_words():
    assert agreement([True, False, True]) == "2 of 3 agree"
    assert agreement([None, None]) == "not judged at smoke scale"


def kept(shown, monkeypatch, folder, values=VALUES):
    """Keep the results of a run at paper scale where a run at book scale finds them."""
    record = stated("paper", values, setting="N 256").compare(
        {"flip-flop, g 0": [70, 74], "flip-flop, g 0.9": []}, missing={"flip-flop, g 0.9": "none"}
    )
    path = folder / "03_test.json"
    path.write_text(json.dumps(results_of([record], VERSIONS)))
    monkeypatch.setenv("LTR_RESULTS", str(folder))
    shown.clear()
    return path


OURS = {"flip-flop, g 0": [400], "flip-flop, g 0.9": [44]}


def test_a_kept_result_stands_beside_ours_with_its_setting(shown, monkeypatch, tmp_path):
    kept(shown, monkeypatch, tmp_path)
    record = stated().compare(OURS)
    assert agrees(record) == [False, True]
    assert [row["at_published_size"]["agrees"] for row in record["rows"]] == [True, False]
    assert record["at_published_size"] == {
        "setting": "N 256",
        "seed": 3,
        "versions": {"ltr-core": "0.1", "torch": "2", "numpy": "2"},
    }
    text = plain(shown[-1]["text/html"])
    assert "g 0 105 ± 50 400 (n = 1) ✗ does not agree 72 ± 2.8 (n = 2) ✓ agrees" in text
    assert "At the published size N 256" in text


def test_a_kept_result_is_judged_by_what_is_stated_now(shown, monkeypatch, tmp_path):
    kept(shown, monkeypatch, tmp_path)
    values = {"flip-flop, g 0": (105, 10), "new": (1, 1)}
    first, new = stated(values=values).compare({"flip-flop, g 0": [105], "new": [1]})["rows"]
    assert first["at_published_size"]["agrees"] is False
    assert new["at_published_size"] is None


def test_only_the_books_own_scale_reads_kept_results(shown, monkeypatch, tmp_path):
    path = kept(shown, monkeypatch, tmp_path)
    for scale in ("smoke", "paper"):
        assert stated(scale).compare(OURS)["at_published_size"] is None
    results = json.loads(path.read_text())
    results["figures"]["other"] = results["figures"].pop("learning-time")
    path.write_text(json.dumps(results))
    assert stated().compare(OURS)["at_published_size"] is None
    path.unlink()
    assert stated().compare(OURS)["at_published_size"] is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: text.replace('"figures"', '"figure"'),
        lambda text: text.replace('"mean"', '"average"'),
        lambda text: text.replace("72.0", '"72"'),
        lambda text: text.replace('"setting": "N 256"', '"setting": null'),
        lambda text: text.replace('"values": [70.0, 74.0]', '"values": 2'),
        lambda text: text.replace('"seed"', '"sed"'),
    ],
)
def test_a_damaged_file_of_results_is_named(shown, monkeypatch, tmp_path, damage):
    path = kept(shown, monkeypatch, tmp_path)
    before = path.read_text()
    read_results(path)
    path.write_text(damage(before))
    assert path.read_text() != before
    with pytest.raises(ValueError, match=r"03_test\.json is not a file of results .*make paper"):
        stated().compare(OURS)
