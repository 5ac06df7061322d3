"""The ledger: verdicts are computed, controls must fail, rows survive the notebook."""

import json

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr_core import claims
from ltr_core.claims import MIME, Chapter, rows_of
from ltr_core.expressions import evaluate, names_in
from ltr_core.ledger_text import ledger_markdown, summary_text, verdict

finite = st.floats(-1e6, 1e6)
samples = st.lists(finite, min_size=1, max_size=6)


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, as the outputs of a notebook's cell."""
    outputs = []
    monkeypatch.setattr(claims, "display", lambda bundle, raw: outputs.append(bundle))
    return outputs


def stated(scale="book", expression="min(fit) >= 0.9"):
    return Chapter("02_test", scale=scale, seed=3).claim(
        "P3.fit", statement="It fits.", source="P", criterion="At least 0.9.", expression=expression
    )


def test_a_claim_holds_if_it_is_true_of_the_measured_and_of_no_control(shown):
    row = stated().judge({"fit": [0.95, 0.92]}, {"shuffled": {"fit": [0.95, 0.2]}})
    assert row["holds"] is True
    assert row["claim"] == "P3"
    assert row["measured"]["fit"]["mean"] == pytest.approx(0.935)
    assert row["measured"]["fit"]["sd"] == pytest.approx(np.std([0.95, 0.92], ddof=1))
    assert row["control"]["shuffled"]["fit"]["values"] == [0.95, 0.2]


def test_a_claim_that_is_not_true_does_not_hold(shown):
    assert stated().judge({"fit": [0.95, 0.89]}, {"c": {"fit": [0.1]}})["holds"] is False


def test_a_claim_that_its_control_passes_too_does_not_hold(shown):
    controls = {"one": {"fit": [0.1]}, "other": {"fit": [0.91]}}
    assert stated().judge({"fit": [0.95]}, controls)["holds"] is False


def test_at_smoke_scale_nothing_is_claimed(shown):
    row = stated("smoke").judge({"fit": [0.95]}, {"shuffled": {"fit": [0.2]}})
    assert row["holds"] is None
    assert "not judged" in verdict(row)


@given(values=samples, control=samples, level=finite)
def test_the_verdict_is_that_of_the_expression_whatever_the_values(values, control, level):
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "display", lambda bundle, raw: shown.append(bundle))
        claim = stated(expression=f"min(fit) >= {level!r} and mean(fit) < {level!r} + 5")
        row = claim.judge({"fit": values}, {"control": {"fit": control}})

    def passes(x):
        return min(x) >= level and np.mean(x) < level + 5

    assert row["holds"] == (passes(values) and not passes(control))
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data=bundle)])
            for bundle in shown
        ]
    )
    # stated first, judged later: one row; and it survives being written and read
    assert rows_of(nbformat.reads(nbformat.writes(notebook), as_version=4)) == [
        json.loads(json.dumps(row))
    ]


def test_the_card_shows_the_criterion_before_and_the_verdict_after(shown):
    stated(expression="min(fit) >= 0.9 and max(fit) < 2").judge({"fit": [0.5]})
    before, after = shown
    assert MIME not in before
    assert "stated, not yet measured" in before["text/html"]
    assert 'data-holds="false"' in after["text/html"]
    assert "✗ does not hold" in after["text/html"]
    assert "max(fit) &lt; 2" in after["text/html"]


def test_markup_in_a_statement_is_shown_and_not_obeyed(shown):
    Chapter("02_test", scale="book", seed=0).claim(
        "P3.x", statement="a < b & <script>", source="P", criterion="c", expression="min(x) > 0"
    )
    assert "<script>" not in shown[0]["text/html"]


def test_the_table_has_a_line_for_every_row(shown):
    held = stated().judge({"fit": [0.95, 0.96]}, {"walk": {"fit": [0.2]}})
    rows = [held, stated("smoke").judge({"fit": [0.1]})]
    table = ledger_markdown(rows).splitlines()
    assert len(table) == 2 + len(rows)
    assert "| `min(fit) >= 0.9` | fit 0.955 | walk: fit 0.2 |" in table[2]
    assert "holds" in table[2]
    assert "not judged" in table[3]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"values": [0.94, 0.95, 0.96], "mean": 0.95, "sd": 0.01}, "0.95 ± 0.01 (n = 3)"),
        ({"values": [2.0], "mean": 2.0, "sd": None}, "2 (n = 1)"),
        ({"values": [-1.0, -3.0], "mean": -2.0, "sd": 1.41421}, "−2 ± 1.4 (n = 2)"),
        ({"values": [1.0, 1.0], "mean": 1.0, "sd": 1.9e-15}, "1 ± 0 (n = 2)"),
    ],
)
def test_summaries(numbers, text):
    assert summary_text(numbers) == text


def test_a_comparison_stands_beside_and_does_not_enter_the_verdict(shown):
    row = stated().judge({"fit": [0.95]}, {"c": {"fit": [0.1]}}, {"one matrix": {"fit": [0.97]}})
    assert row["holds"] is True
    assert row["comparison"]["one matrix"]["fit"]["values"] == [0.97]
    assert "Beside it: one matrix" in shown[-1]["text/html"]
    with pytest.raises(ValueError, match="'fit' of 'one matrix'"):
        stated().judge({"fit": [0.95]}, comparisons={"one matrix": {"fit": [float("nan")]}})


@pytest.mark.parametrize(
    ("scale", "fit", "assumed", "warned"),
    [
        ("book", 0.95, True, None),
        ("book", 0.95, False, "does not hold. Here it does."),
        ("paper", 0.5, True, "holds. Here it does not."),
        ("smoke", 0.5, True, None),
    ],
)
def test_words_that_a_verdict_contradicts_are_announced(shown, scale, fit, assumed, warned):
    claim = stated(scale)
    row = claim.judge({"fit": [fit]})
    n_before = len(shown)
    claim.prose_assumes(row, holds=assumed)
    assert [bundle["text/plain"] for bundle in shown[n_before:]] == (
        []
        if warned is None
        else [f"The words below were written for a run in which P3.fit {warned}"]
    )


@pytest.mark.parametrize(
    ("measured", "controls", "named"),
    [
        ({"fit": [0.9, float("nan")]}, {}, "'fit' of 'measured'"),
        ({"fit": []}, {}, "'fit' of 'measured'"),
        ({"score": [0.9]}, {}, "needs \\['fit'\\]"),
        ({"fit": [0.9], "extra": [1.0]}, {}, "gives \\['extra', 'fit'\\]"),
        ({"fit": [0.9]}, {"walk": {"fit": [float("inf")]}}, "'fit' of 'walk'"),
    ],
)
def test_values_that_do_not_fit_the_criterion_are_refused(shown, measured, controls, named):
    with pytest.raises(ValueError, match=named):
        stated().judge(measured, controls)


@pytest.mark.parametrize(
    ("id", "statement", "expression", "named"),
    [
        ("fit", "s", "min(x) > 0", "id is 'fit'"),
        ("P3.fit", " ", "min(x) > 0", "statement of claim P3.fit is empty"),
        ("P3.fit", "s", "1 > 0", "names no measured value"),
        ("P3.fit", "s", "min(x >", "cannot be read"),
    ],
)
def test_claims_that_cannot_be_judged_are_refused_when_stated(
    shown, id, statement, expression, named
):
    chapter = Chapter("02_test", scale="book", seed=0)
    with pytest.raises(ValueError, match=named):
        chapter.claim(id, statement=statement, source="P", criterion="c", expression=expression)


@pytest.mark.parametrize(("scale", "seed"), [("tiny", 0), ("book", -1), ("book", 0.5)])
def test_a_chapter_knows_its_scales_and_seeds(scale, seed):
    with pytest.raises((ValueError, TypeError)):
        Chapter("02_test", scale=scale, seed=seed)


def test_settings_follow_the_scale():
    chapter = Chapter("02_test", scale="paper", seed=0)
    assert chapter.at_scale(smoke=1, book=2, paper=3) == 3


def test_only_long_work_is_given_a_checkpoint(monkeypatch, tmp_path):
    paper, book = (Chapter("02_test", scale=scale, seed=1) for scale in ("paper", "book"))
    monkeypatch.delenv("LTR_CHECKPOINTS", raising=False)
    assert paper.checkpoint("trained") is None
    monkeypatch.setenv("LTR_CHECKPOINTS", str(tmp_path))
    assert paper.checkpoint("trained") == tmp_path / "02_test-1" / "trained.safetensors"
    assert book.checkpoint("trained") is None
    assert paper.kept_cells() == tmp_path / "cells-1"
    assert book.kept_cells() is None


def test_a_row_without_its_fields_is_refused():
    output = nbformat.v4.new_output("display_data", data={MIME: {"id": "P3.fit"}})
    cell = nbformat.v4.new_code_cell(outputs=[output])
    with pytest.raises(ValueError, match=r"P3\.fit lacks"):
        rows_of(nbformat.v4.new_notebook(cells=[cell]))


def test_expressions_compute_what_they_say():
    values = {"a": np.array([1.0, 2.0, 4.0]), "b": np.array([2.0, 2.0, 2.0])}
    assert evaluate("max(a / b) >= 2 and not min(a) > 1", values)
    assert evaluate("1 < mean(a) - abs(-1) < 2 or sum(b) > 100", values)
    assert not evaluate("median(a) ** 2 < 4", values)
    assert names_in("min(a) > b and mean(c) < 1") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("a > 1", "is 3 values"),
        ("min(a) + 1", "neither true nor false"),
        ("min(a) and 1 > 0", "not a comparison"),
        ("min(a) / 0 > 1", "not finite"),
        ("__import__('os') > 1", "not part of the language"),
        ("a.mean() > 1", "not part of the language"),
        ("min(z) > 1", "not part of the language"),
        ("(min(a) > 1) + 1 > 0", "where a number is needed"),
    ],
)
def test_what_is_not_a_criterion_is_refused(expression, named):
    with pytest.raises(ValueError, match=named):
        evaluate(expression, {"a": np.array([1.0, 2.0, 3.0])})


def test_a_claim_that_is_not_run_is_recorded_so_and_never_holds(shown):
    row = stated().not_run("its data are not at hand")
    assert row["holds"] is None
    assert verdict(row) == "– not run: its data are not at hand"
    assert "not at hand" in shown[-1]["text/html"]
    assert "not at hand" in ledger_markdown([row])
    cell = {"outputs": [{"data": shown[-1]}]}
    assert rows_of({"cells": [cell]}) == [row]
    with pytest.raises(ValueError, match="why"):
        stated().not_run(" ")
