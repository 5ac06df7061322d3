"""The chapter on language without its sentences."""

from pathlib import Path

from chapter_runs import note_of, run

from ltr_core.claims import rows_of
from ltr_core.published import records_of

CHAPTER = "13_language"


def test_without_data_and_index_it_runs_on_a_made_language_and_says_so(
    repository: Path, tmp_path: Path
) -> None:
    notebook = run(repository, CHAPTER, tmp_path)
    assert "were not at hand" in note_of(notebook)
    assert "made language" in note_of(notebook)
    rows = {row["id"]: row for row in rows_of(notebook)}
    assert "not_run" not in rows.pop("S7.order"), "it needs no data"
    assert len(rows) == 5
    assert all("not at hand" in row["not_run"] for row in rows.values())
    (record,) = records_of(notebook)
    assert all("not at hand" in row["missing"] for row in record["rows"])
    assert not list((tmp_path / "cache").rglob("*.tar.gz"))
