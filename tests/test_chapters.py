"""The real chapters, executed at smoke scale: what each must have."""

import re

import pytest

from ltr_core.charts.output import FIGURE_MIME
from ltr_core.claims import MIME, rows_of
from ltr_core.published import MIME as PUBLISHED_MIME
from ltr_core.published import records_of

CHAPTERS = {
    "01_weight_tensor": {"P3.instrument", "P3.fixed-subspace"},
    "02_relearning_to_reach": {
        "P3.learning",
        "P3.fit",
        "P3.not-growth",
        "P3.subspace",
        "P3.function",
        "P3.rotation",
    },
    "03_three_tasks": {
        "S1.learned",
        "S1.values",
        "S1.function",
        "S2.function",
        "S2.outliers",
        "S4.shuffle",
        "S1.tensor",
        "S1.not-growth",
        "S1.updates",
    },
    "04_random_connectivity": {
        "S3.faster",
        "S3.too-much",
        "S3.smaller",
        "S7.norms",
        "S7.rank",
    },
    "05_linear_theory": {
        "S5.backpropagation",
        "S5.output",
        "S5.singular-value",
        "S5.matrix",
        "S5.shuffle",
        "S5.edge",
        "S6.small-target",
        "S6.acceleration",
        "S6.amplitude",
        "S7.cosine",
    },
    "06_bounds": {
        "P5.factorisation",
        "P5.tensor",
        "P5.exact",
        "P5.tight",
        "P5.krylov",
        "P5.decay",
        "P5.polynomial",
        "P5.monomials",
        "P5.adam",
        "P5.adam-tail",
        "P5.real-runs",
        "P5.explains",
    },
    "14_overlaps": {"P5.overlaps", "P5.invisible"},
    "07_ltrrnn": {"P4.reduction", "P4.learning-shows", "P4.weights-or-inputs"},
    "08_recovery": {
        "P4.factors",
        "P4.subspace-first",
        "P2.fixed-subspace",
        "P2.true-weights",
        "P4.network",
        "P4.intervals",
    },
    "09_reverse_engineering": {
        "P6.spectrum",
        "P6.velocity",
        "P6.change",
        "P6.fixed-points",
        "P6.moved",
    },
    "10_recordings": {"P1.recording", "P1.small-rank", "P2.recording", "P1.spikes"},
    "11_your_own_data": {"P4.own-data"},
    "12_where_low_rank_ends": {
        "P5.lazy",
        "P5.optimiser",
        "P5.noise",
        "P5.conditions",
        "P5.successive",
    },
    "13_language": {
        "S7.language",
        "S7.first-layer",
        "S7.weights",
        "S7.spectrum",
        "S4.language",
        "S7.order",
    },
}

chapters = pytest.mark.parametrize("name", list(CHAPTERS))


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def data_of(notebook, mime):
    """Where in the notebook there is output of a kind, and the output."""
    return [
        (index, output["data"])
        for index, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if mime in output.get("data", {})
    ]


def test_every_chapter_is_tested_here(executed):
    assert set(executed) == set(CHAPTERS), "add the chapter, with its claims' ids, to CHAPTERS"


@chapters
def test_its_rows_are_in_the_ledger_and_claim_nothing_at_smoke_scale(executed, name):
    rows = rows_of(executed[name])
    assert {row["id"] for row in rows} == CHAPTERS[name], "bring CHAPTERS above up to date"
    for row in rows:
        assert row["chapter"] == name
        assert row["scale"] == "smoke"
        assert row["holds"] is None
        if "not_run" in row:  # its recording is not at hand
            continue
        assert row["control"], "a criterion that nothing can fail shows nothing"


@chapters
def test_its_claims_are_stated_before_the_first_is_judged(executed, name):
    notebook = executed[name]
    stated = [
        index
        for index, data in data_of(notebook, "text/html")
        if 'data-holds="stated"' in data["text/html"]
    ]
    judged = [index for index, _ in data_of(notebook, MIME)]
    assert len(stated) == len(judged)
    assert max(stated) < min(judged)


@chapters
def test_its_published_values_are_stated_before_any_is_compared(executed, name):
    notebook = executed[name]
    stated = {}
    for index, data in data_of(notebook, "text/html"):
        found = re.search(r'data-published="stated" data-figure="([\w-]+)"', data["text/html"])
        if found:
            stated[found[1]] = index
    records = records_of(notebook)
    assert set(stated) == {record["id"] for record in records}
    for record in records:
        assert record["chapter"] == name
        assert all(row["agrees"] is None for row in record["rows"])
    if stated:
        assert max(stated.values()) < data_of(notebook, PUBLISHED_MIME)[0][0]


@chapters
def test_it_names_its_claims_and_cites_their_paper(executed, name):
    text = text_of(executed[name])
    for claim in {id.split(".")[0] for id in CHAPTERS[name]}:
        assert f"**{claim}**" in text, f"say in the text which claim is served: **{claim}**"
        paper = {"P": "pellegrino2023", "S": "schuessler2020"}[claim[0]]
        assert paper in text, f"cite the claim's paper, {paper}"


@chapters
def test_every_figure_is_spoken_of_or_follows_its_words_and_has_alt_text(executed, name):
    figures = [data[FIGURE_MIME] for _, data in data_of(executed[name], FIGURE_MIME)]
    assert len(figures) >= 2, "a chapter has at least two figures"
    assert all(len(figure["alt"].split()) >= 8 for figure in figures), "an alt text is a sentence"
    named = [figure["name"] for figure in figures]
    spoken = any(f"{{numref}}`{figure}`" in text_of(executed[name]) for figure in named)
    assert spoken, f"speak of a figure: {{numref}}`{named[0]}`"


@chapters
def test_every_exercise_has_a_solution_that_ran(executed, name):
    notebook = executed[name]
    text = text_of(notebook)
    asked = re.findall(r":label: ([\w-]+)", text.split("## Exercises")[1])
    solved = re.findall(r"\{solution-start\} ([\w-]+)\n:class: dropdown", text)
    assert asked == solved, "each exercise has its solution, in their order"
    assert 2 <= len(asked) <= 3, "a chapter has two or three exercises"
    inside = False
    ran = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            inside = (inside or "{solution-start}" in cell.source) and not (
                "{solution-end}" in cell.source and "{solution-start}" not in cell.source
            )
        elif inside:
            assert cell.outputs, "a solution that prints nothing"
            ran += 1
    assert ran == len(asked), "each solution has one cell of code"


@chapters
def test_numbers_in_its_prose_are_glued_from_the_computation(executed, name):
    notebook = executed[name]
    used = set(re.findall(r"\{glue:text\}`([\w-]+)", text_of(notebook)))
    glued = {
        output["metadata"]["scrapbook"]["name"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "scrapbook" in output.get("metadata", {})
    }
    assert used == glued, "glue all that the text uses, and no more"


@chapters
def test_no_line_of_prose_is_taken_for_a_comment(executed, name):
    # MyST drops a line that begins with a percent sign, and with it half a sentence
    assert not re.findall(r"^\s*%.*", text_of(executed[name]), flags=re.MULTILINE)


@chapters
def test_nothing_was_written_to_the_error_stream(executed, name):
    streams = [
        output["text"]
        for cell in executed[name].cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output["name"] == "stderr"
    ]
    assert streams == []


@chapters
def test_no_cell_ends_in_a_value_that_python_merely_spells_out(executed, name):
    spelled = [
        cell.source.splitlines()[-1]
        for cell in executed[name].cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result" and "text/html" not in output["data"]
    ]
    assert not spelled, "give the value a name, or print what a reader should see of it"
