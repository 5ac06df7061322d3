"""A ledger held against an older one: what may differ, and what must not."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from _pipeline.cli import main
from _pipeline.compare import compare_ledgers, keep_reference
from _pipeline.project import BuildError, Project


def row(name: str, mean: float = 0.9, sd: float = 0.02, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "scale": "book",
        "seed": 0,
        "holds": True,
        "expression": "min(fit) >= 0.8",
        "measured": {"fit": {"mean": mean, "sd": sd, "values": [mean - sd, mean + sd]}},
        "control": {},
        **more,
    }


@pytest.fixture
def ledgers(tmp_path: Path):
    """Write two ledgers and compare them."""

    def compare(before: list, after: list) -> None:
        paths = tmp_path / "old.json", tmp_path / "new.json"
        for path, rows in zip(paths, (before, after), strict=True):
            path.write_text(json.dumps(rows), encoding="utf-8")
        compare_ledgers(*paths)

    return compare


def test_a_build_agrees_with_itself_and_within_its_spread(ledgers, capsys):
    ledgers([row("P1.a"), row("P1.b")], [row("P1.b", 0.915), row("P1.a", 0.885)])
    assert "2 claims as in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holds": False}, "P1.a: flipped, held before and did not hold now"),
        ({"expression": "min(fit) >= 0.7"}, "P1.a: restated, min(fit) >= 0.8 became"),
        ({"measured": {}}, "P1.a: fit is not measured in the new ledger"),
        (
            {"measured": {"fit": {"mean": 0.93, "sd": 0.01}}},
            "P1.a: fit moved from 0.9 to 0.93, by more than its spread (0.02)",
        ),
    ],
)
def test_what_must_not_differ_is_told(ledgers, capsys, change, message):
    with pytest.raises(BuildError, match="1 difference from"):
        ledgers([row("P1.a"), row("P1.b")], [row("P1.a") | change, row("P1.b")])
    assert message in capsys.readouterr().out


def test_all_differences_are_told_and_new_claims_are_none(ledgers, capsys):
    with pytest.raises(BuildError, match="2 differences"):
        ledgers([row("P1.a"), row("P1.b")], [row("P1.b", holds=False), row("P1.c")])
    out = capsys.readouterr().out
    assert "P1.a: lost" in out
    assert "P1.b: flipped" in out
    assert "P1.c: new" in out


def test_a_claim_that_was_not_run_is_not_compared(ledgers):
    idle = row("P1.a", holds=None, measured={}, not_run="no data")
    ledgers([row("P1.a")], [idle])
    ledgers([idle], [row("P1.a")])


def test_exact_values_may_differ_by_rounding_alone(ledgers):
    ledgers([row("P1.a", 1.0, 0.0)], [row("P1.a", 1 + 1e-7, 0.0)])
    ledgers([row("P1.a", 1e-15, 0.0)], [row("P1.a", 3e-15, 0.0)])
    with pytest.raises(BuildError):
        ledgers([row("P1.a", 1.0, 0.0)], [row("P1.a", 1.001, 0.0)])


def test_other_scales_and_seeds_are_refused(ledgers):
    with pytest.raises(BuildError, match=r"of scale book, seed 0, .* of scale book, seed 1"):
        ledgers([row("P1.a")], [row("P1.a", seed=1)])


def test_what_is_no_ledger_is_refused(tmp_path: Path):
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps([row("P1.a")]), encoding="utf-8")
    with pytest.raises(BuildError, match="there is no ledger"):
        compare_ledgers(tmp_path / "none.json", whole)
    broken = copy.deepcopy(row("P1.a"))
    del broken["measured"]["fit"]["sd"]
    for text in ("[{", "[1]", '{"P1.a": 1}', json.dumps([broken])):
        (tmp_path / "bad.json").write_text(text, encoding="utf-8")
        with pytest.raises(BuildError, match="is not a ledger"):
            compare_ledgers(whole, tmp_path / "bad.json")


def test_the_command_fails_where_a_claim_flipped(tmp_path: Path, capsys):
    for name, holds in (("old", True), ("new", False)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps([row("P1.a", holds=holds)]), encoding="utf-8")
    old, new = str(tmp_path / "old.json"), str(tmp_path / "new.json")
    assert main(["compare", old, old]) == 0
    assert main(["compare", old, new]) == 1
    assert "1 difference" in capsys.readouterr().err


def test_the_last_build_becomes_the_reference(tmp_path: Path, capsys):
    project = Project(tmp_path)
    project.build.mkdir()
    ledger = project.build / "ledger.json"

    def built(**changes: Any) -> None:
        ledger.write_text(json.dumps([row("P1.a", **changes)]), encoding="utf-8")

    with pytest.raises(BuildError, match="there is no ledger"):
        keep_reference(project)
    for fault, message in (
        ({"scale": "smoke"}, "not of scale book"),
        ({"seed": 1}, "not of scale book, seed 0"),
        ({"holds": None}, "P1.a: not run"),
    ):
        built(**fault)
        with pytest.raises(BuildError, match=message):
            keep_reference(project)
    assert not project.reference.exists()
    built(source="ours")
    root = ["--root", str(tmp_path)]
    assert main(["compare", *root]) == 1
    assert "there is no ledger" in capsys.readouterr().err
    assert main(["compare", *root, "--keep"]) == 0
    assert main(["compare", *root]) == 0
    (kept,) = json.loads(project.reference.read_text(encoding="utf-8"))
    assert "source" not in kept
    assert main(["compare", *root, "--keep", str(ledger)]) == 1
    assert "name no other" in capsys.readouterr().err
    built(mean=0.95)
    assert main(["compare", *root]) == 1


def test_the_reference_knows_every_claim_that_the_readme_tells(repository: Path):
    kept = json.loads(Project(repository).reference.read_text(encoding="utf-8"))
    readme = (repository / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([PS]\d\.[\w-]+) \|.*\| (.) (?:holds|does not hold) \|$", readme, re.M)
    assert {row["id"]: row["holds"] for row in kept} == {name: sign == "✓" for name, sign in told}
