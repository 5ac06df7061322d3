"""The benchmark of a step of learning, at sizes that say nothing about speed."""

import json

import pytest
import torch

from benchmarks import learning
from ltr_core.tasks import FlipFlop


def test_a_quick_run_measures_every_method_and_judges_nothing():
    result = learning.measure(quick=True)
    assert [(row["units"], row["method"]) for row in result.rows[:3]] == [
        (8, "Rollout"),
        (8, "plain loop"),
        (8, "our loop by autograd"),
    ]
    for row in result.rows:
        assert row["seconds"] > 0
        assert row["least cpu seconds"] <= row["cpu seconds"]
        assert (row["ratio"] is None) == (row["method"] == "Rollout")
    assert [criterion.holds for criterion in result.criteria] == [None]
    json.dumps(result.as_json())


def test_it_is_judged_at_its_size_against_the_plain_loop():
    def rows(n_units, ratio):
        ours = {"units": n_units, "method": "Rollout", "cpu ratio": None}
        return [ours, {"units": n_units, "method": "plain loop", "cpu ratio": ratio}]

    (criterion,) = learning.judge([*rows(64, 9.0), *rows(256, 2.4), *rows(512, 9.0)], False)
    assert (criterion.measured, criterion.holds) == (2.4, False)
    assert learning.judge(rows(256, 2.6), False)[0].holds is True


def test_methods_that_do_not_compute_the_same_are_not_compared(monkeypatch):
    monkeypatch.setattr(
        learning, "our_loop_by_autograd", lambda *given: lambda: _shifted(learning.ours(*given)())
    )
    with pytest.raises(RuntimeError, match="the gradient of recurrent is another one"):
        learning.compare(8, FlipFlop(duration=10.0), 1)


def _shifted(gradients):
    return {name: gradient + torch.ones_like(gradient) for name, gradient in gradients.items()}
