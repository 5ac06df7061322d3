"""The folder that a fit leaves: whole, self-contained, never over anything else."""

import base64
import csv
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ltrrnn_parts import SETTINGS, assert_identical

from ltr_core import charts, reports
from ltr_core.charts.style import config
from ltr_core.estimators import NotFitted
from ltr_core.examination import examine
from ltr_core.fit_overview import overview_parts
from ltr_core.ltrrnn import LtrRNN
from ltr_core.recordings import Recording
from ltr_core.reports import FILES, Figure, free_folder, verdict, write_report

ALWAYS = set(FILES) - {"ranks.csv"}


@pytest.fixture(scope="module")
def fitted(tiny: Recording) -> LtrRNN:
    return LtrRNN(**SETTINGS).fit(tiny)


def scored(**models: list[float]) -> pd.DataFrame:
    """A table of held-out scores, one for each fold."""
    rows = [
        {"model": name.replace("_", " "), "fold": fold, "score": score, "metric": "r2"}
        for name, values in models.items()
        for fold, score in enumerate(values)
    ]
    return pd.DataFrame(rows)


SCORES = scored(ltrRNN=[0.5, 0.6], condition_mean=[0.3, 0.2], fixed_weights=[0.4, 0.45])


def written(folder: Path, recording: Recording, model: LtrRNN, **changes: Any) -> Path:
    given = {
        "title": "A fit",
        "examination": examine(recording),
        "model": model,
        "scores": SCORES,
        **changes,
    }
    return write_report(folder, **given)


def figure(recording: Recording, model: LtrRNN) -> Figure:
    return Figure(
        charts.overview(overview_parts(model, recording)), "overview", "All <of> it.", "Nine parts."
    )


def test_everything_is_there_and_can_be_read(
    tmp_path: Path, tiny: Recording, fitted: LtrRNN
) -> None:
    tiny.to_netcdf(tmp_path / "session.nc")
    ranks = pd.DataFrame({"rank": [1, 2], "fold": 0, "score": [0.1, 0.2], "metric": "r2"})
    source = tmp_path / "session.nc"
    folder = written(
        tmp_path / "new" / "out",
        tiny,
        fitted,
        ranks=ranks,
        source=source,
        loaded_with={"width": 0.1},
    )
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert_identical(LtrRNN.load(folder / "model.safetensors"), fitted)
    with (folder / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["model"], float(row["score"])) for row in rows] == [
        (row.model, row.score) for row in SCORES.itertuples()
    ]
    assert len(pd.read_csv(folder / "ranks.csv")) == 2
    facts = json.loads((folder / "settings.json").read_text())
    assert facts["model"] == fitted.get_params()
    assert facts["loaded_with"] == {"width": 0.1}
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert facts["file"] == {"name": "session.nc", "sha256": digest}
    assert facts["fitted"]["steps"] == SETTINGS["n_steps"]
    assert {"python", "ltr-core", "torch"} <= set(facts["versions"])
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_the_page_says_all_that_was_found(tmp_path: Path, tiny: Recording, fitted: LtrRNN) -> None:
    few = tiny.select(trials=slice(0, 12))
    page = (written(tmp_path / "out", few, fitted) / "report.html").read_text()
    found = examine(few)
    assert found.warnings
    for sentence in (*found.sentences, *found.warnings, verdict(SCORES)):
        assert sentence in page
    for name, mean in (("condition mean", "0.2500"), ("fixed weights", "0.4250")):
        assert re.search(rf"{name}</th><td[^>]*>{re.escape(mean)}", page)
    assert "held-out score, r2: mean (least to most)</th>" in page
    for name in fitted.get_params():
        assert f">{name}</th>" in page


def test_the_page_needs_nothing_but_itself_and_suits_both_themes(
    tmp_path: Path, tiny: Recording, fitted: LtrRNN
) -> None:
    folder = written(tmp_path / "out", tiny, fitted, figures=[figure(tiny, fitted)])
    page = (folder / "report.html").read_text()
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page
    references = re.findall(r'(?:src|href|srcset)="([^"]*)"', page)
    assert len(references) == 2
    assert all(reference.startswith("data:image/svg+xml;base64,") for reference in references)
    dark, light = (
        base64.b64decode(reference.partition(",")[2]).decode() for reference in references
    )
    for svg, theme in ((dark, "dark"), (light, "light")):
        assert config(theme)["title"]["color"] in svg
        assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)
    assert '<meta name="viewport" content="width=device-width' in page
    assert "prefers-color-scheme: dark" in page
    assert "All &lt;of&gt; it." in page
    assert 'alt="Nine parts."' in page


def test_what_comes_from_a_file_is_escaped(tmp_path: Path, tiny: Recording, fitted: LtrRNN) -> None:
    evil = "<script>alert(1)</script>"
    labelled = Recording(
        tiny.activity, time=tiny.time, epoch=[evil] * tiny.n_trials, condition=tiny.condition
    )
    scores = SCORES.replace("condition mean", evil)
    folder = written(
        tmp_path / "out", labelled, fitted, title=evil, scores=scores, loaded_with={evil: evil}
    )
    page = (folder / "report.html").read_text()
    assert evil not in page
    assert page.count("&lt;script&gt;") >= 4


def test_an_earlier_report_is_replaced(tmp_path: Path, tiny: Recording, fitted: LtrRNN) -> None:
    ranks = pd.DataFrame({"rank": [1], "score": [0.1]})
    written(tmp_path / "out", tiny, fitted, ranks=ranks, title="The first")
    written(tmp_path / "out", tiny, fitted, title="The second")
    assert {path.name for path in (tmp_path / "out").iterdir()} == ALWAYS
    assert "The second" in (tmp_path / "out" / "report.html").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def a_folder_of_ones_own(target: Path) -> None:
    target.mkdir()
    (target / "thesis.txt").write_text("all of it")


def settings_of_something_else(target: Path) -> None:
    target.mkdir()
    (target / "settings.json").write_text('{"format": "another"}')


def a_report_with_notes_in_it(target: Path) -> None:
    target.mkdir()
    (target / "settings.json").write_text(json.dumps({"format": reports.FORMAT}))
    (target / "notes.txt").write_text("mine")


def a_file(target: Path) -> None:
    target.write_text("a file")


def a_link(target: Path) -> None:
    target.with_name("elsewhere").mkdir()
    target.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "there",
    [
        a_folder_of_ones_own,
        settings_of_something_else,
        a_report_with_notes_in_it,
        a_file,
        a_link,
    ],
)
def test_anything_else_is_left_as_it_is(
    there: Any, tmp_path: Path, tiny: Recording, fitted: LtrRNN
) -> None:
    target = tmp_path / "out"
    there(target)

    def state() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    before = state()
    with pytest.raises(FileExistsError, match="name another"):
        free_folder(target)
    with pytest.raises(FileExistsError):
        written(target, tiny, fitted)
    assert state() == before


def test_an_empty_folder_is_free(tmp_path: Path, tiny: Recording, fitted: LtrRNN) -> None:
    (tmp_path / "out").mkdir()
    assert (written(tmp_path / "out", tiny, fitted) / "report.html").exists()


@pytest.mark.parametrize("case", ["page", "replace", "page, the first", "replace, the first"])
def test_an_interruption_leaves_nothing_half_written(
    case: str,
    tmp_path: Path,
    tiny: Recording,
    fitted: LtrRNN,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where, _, first = case.partition(", ")
    if not first:
        written(tmp_path / "out", tiny, fitted, title="The first")

    def interrupt(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    def interrupt_at_the_new(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise KeyboardInterrupt
        os.rename(source, target)

    with monkeypatch.context() as patched:
        if where == "page":
            patched.setattr(reports, "page", interrupt)
        else:
            patched.setattr(reports.os, "replace", interrupt_at_the_new)
        with pytest.raises(KeyboardInterrupt):
            written(tmp_path / "out", tiny, fitted, title="The second")
    assert [path.name for path in tmp_path.iterdir()] == ([] if first else ["out"])
    if not first:
        assert "The first" in (tmp_path / "out" / "report.html").read_text()


def test_a_model_without_a_fit_and_scores_without_columns_are_refused(
    tmp_path: Path, tiny: Recording, fitted: LtrRNN
) -> None:
    with pytest.raises(NotFitted):
        written(tmp_path / "out", tiny, LtrRNN())
    with pytest.raises(ValueError, match="no column 'metric'"):
        written(tmp_path / "out", tiny, fitted, scores=SCORES.drop(columns="metric"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (SCORES, r"is better in every set of blocks \(2\), by 0\.1 at least"),
        (scored(ltrRNN=[0.5, 0.4], mean=[0.2, 0.5]), "in 1 of 2. That is weak evidence"),
        (scored(ltrRNN=[0.3, 0.3], mean=[0.2, 0.5]), "not better.*Do not read its factors"),
        (scored(ltrRNN=[0.3]), "nothing to compare"),
        (scored(ltrRNN=[np.nan], mean=[0.1]), "no held-out score of the ltrRNN"),
        (scored(ltrRNN=[0.3, 0.4], mean=[np.nan, 0.1]), r"every set of blocks \(1\)"),
        (scored(ltrRNN=[0.1, 0.1], mean=[0.2, 0.3]).assign(metric="nmse"), "is better in every"),
        (scored(ltrRNN=[0.5], mean=[0.2]).assign(metric="nmse"), "not better"),
    ],
)
def test_the_verdict_follows_from_the_scores(scores: pd.DataFrame, said: str) -> None:
    assert re.search(said, verdict(scores))


def test_a_few_steps_give_no_verdict(tmp_path: Path, tiny: Recording) -> None:
    model = LtrRNN(**SETTINGS | {"n_steps": 4}).fit(tiny)
    losing = scored(ltrRNN=[0.3, 0.3], mean=[0.2, 0.5])
    page = (written(tmp_path / "out", tiny, model, scores=losing) / "report.html").read_text()
    assert "Each fit took 4 steps only: this is a test of the way" in page
    assert "rests on no evidence" not in page
    assert "no verdict" not in verdict(losing, steps=300)


@pytest.mark.parametrize("changes", [{"rank": 1}, {"rank": 3}, {"inputs": "none"}])
def test_an_overview_can_be_drawn_of_any_fit(changes: dict[str, Any], tiny: Recording) -> None:
    model = LtrRNN(**SETTINGS | changes).fit(tiny)
    parts = overview_parts(model, tiny)
    charts.overview(parts).to_dict()
    assert parts.trial_factors.shape == (tiny.n_trials, model.rank)
    assert (parts.drive is None) == (model.inputs == "none")


def test_the_overview_follows_one_condition_through_the_epochs(
    tiny: Recording, fitted: LtrRNN
) -> None:
    """A neuron that changes between epochs in that condition is drawn first, and its means fit."""
    activity = tiny.activity.copy()
    late = tiny.epoch_index == 1
    activity[late, :, 7] += 5
    activity[~late, 3:, 2] = np.nan
    activity[tiny.condition_index == 0, -1] = np.nan
    changed = tiny.with_activity(activity)
    parts = overview_parts(fitted, changed)
    assert parts.numbers[0] == 7
    (of_condition,) = {
        c
        for c in range(3)
        if np.allclose(
            np.nanmean(activity[late & (tiny.condition_index == c)][:, :-1, 7], axis=0),
            parts.recorded[tiny.epochs[1]][:-1, 0],
        )
    }
    trials = late & (tiny.condition_index == of_condition)
    np.testing.assert_allclose(
        parts.predicted[tiny.epochs[1]][:-1, 0],
        fitted.predict()[trials][:, :-1, 7].mean(0),
        rtol=1e-5,
    )
