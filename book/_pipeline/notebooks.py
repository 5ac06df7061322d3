"""Executed notebooks: made byte-identical from run to run, and read for figures and failures."""

import json
import re
from typing import Any

import nbformat

from .chapters import Chapter, assignments, tags
from .project import BuildError

FIGURE = "application/vnd.ltr.figure+json"
KEEP_QUIET = "remove-stderr"

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]+")
_PAPERMILL_TAGS = ("injected-parameters", "papermill-error-cell-tag")


def plain(text: str) -> str:
    """Text without the terminal's colour codes."""
    return _ANSI.sub("", text)


def normalise(notebook: Any, parameters: dict[str, Any]) -> Any:
    """The notebook less all that differs between two runs, in place.

    Drops papermill's records and the executions' times, derives cell ids from positions, hides
    memory addresses in plain representations. Papermill's cell of injected parameters goes too:
    the chapter's own parameters cell shows the values that were used instead of the defaults.
    """
    notebook.metadata.pop("papermill", None)
    notebook.cells = [cell for cell in notebook.cells if not is_papermills(cell)]
    for position, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{position:03d}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not tags(cell):
            cell.metadata.pop("tags", None)
        if "parameters" in tags(cell):
            cell.source = with_values(cell.source, parameters)
        if cell.cell_type == "code":
            cell.outputs = [_normalise_output(output) for output in _kept_outputs(cell)]
    nbformat.validate(notebook)
    return notebook


def is_papermills(cell: Any) -> bool:
    """Whether papermill has added the cell."""
    return any(tag in _PAPERMILL_TAGS for tag in tags(cell))


def with_values(source: str, parameters: dict[str, Any]) -> str:
    """The parameters cell's source with these values; a name that is not given keeps its own."""
    lines = source.splitlines()
    for name, node in assignments(source):
        if name not in parameters:
            continue
        row = node.lineno - 1
        line = lines[row]
        lines[row] = (
            line[: node.col_offset] + json.dumps(parameters[name]) + line[node.end_col_offset :]
        )
    return "\n".join(lines)


def _kept_outputs(cell: Any) -> list[Any]:
    if KEEP_QUIET not in tags(cell):
        return list(cell.outputs)
    return [output for output in cell.outputs if output.get("name") != "stderr"]


def _normalise_output(output: Any) -> Any:
    data = output.get("data", {})
    if "text/plain" in data:
        data["text/plain"] = _ADDRESS.sub("0x...", data["text/plain"])
    return output


def serialise(notebook: Any) -> str:
    """The notebook's text, one way to write it."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def label_figures(notebook: Any, chapter_name: str) -> None:
    """Copy each figure's name and caption to its cell, where myst-nb looks for them.

    Raises
    ------
    BuildError
        If a cell shows more than one figure: Sphinx can number only one a cell.
    """
    for number, cell in enumerate(notebook.cells, start=1):
        found = [
            out.data[FIGURE] for out in cell.get("outputs", []) if FIGURE in out.get("data", {})
        ]
        if len(found) > 1:
            names = ", ".join(figure["name"] for figure in found)
            raise BuildError(f"{chapter_name}, cell {number}: shows {names}: one figure a cell")
        if found:
            cell.metadata["mystnb"] = {
                "figure": {"name": found[0]["name"], "caption": found[0]["caption"]}
            }


def link_pages(text: str) -> str:
    """Markdown whose links to chapters' scripts, which work in Jupyter, lead to their pages."""
    return re.sub(r"(?<=\]\()(\d\d_[a-z0-9_]+)\.py(?=[)#])", r"\1.ipynb", text)


def failing_cell(notebook: Any) -> int | None:
    """Index of the cell at which an execution stopped, or None if it stopped before the first."""
    last = None
    for index, cell in enumerate(notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return index
        status = cell.metadata.get("papermill", {}).get("status", "pending")
        if cell.cell_type == "code" and status != "pending":
            last = index
    return last


def noisy_cell(notebook: Any) -> tuple[int, str] | None:
    """Index and text of the first cell that wrote to standard error: a warning, as a rule."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or KEEP_QUIET in tags(cell):
            continue
        text = "".join(out.text for out in cell.outputs if out.get("name") == "stderr")
        if text.strip():
            return index, text
    return None


def describe_failure(chapter: Chapter, notebook: Any, index: int | None, error: str) -> str:
    """Say which chapter failed, in which cell and line, with an excerpt, and how.

    ``index`` counts the cells of ``notebook``, papermill's included; the message counts the
    chapter's own, from 1.
    """
    if index is None:
        return f"book/{chapter.path.name}, before its first cell: {error}"
    cell = notebook.cells[index]
    number = sum(not is_papermills(other) for other in notebook.cells[: index + 1])
    start = _first_line(chapter, notebook, index)
    traceback = _traceback(cell)
    inner = re.findall(rf"Cell In\[{cell.execution_count}\], line (\d+)", traceback)
    row = int(inner[0]) if inner else None
    where = f"book/{chapter.path.name}" + (f":{start + (row or 1) - 1}" if start else "")
    deepest = re.findall(r"^File (\S+:\d+)", traceback, flags=re.MULTILINE)
    raised = f"\n    (raised in {deepest[-1]})" if deepest else ""
    return f"{where}, cell {number}\n{_excerpt(cell.source, row)}\n    {error}{raised}"


def _traceback(cell: Any) -> str:
    lines = [line for out in cell.outputs for line in out.get("traceback", [])]
    return plain("\n".join(lines))


def _first_line(chapter: Chapter, notebook: Any, index: int) -> int | None:
    """Line of the script at which a cell begins; None if its text is not found there."""
    position = 0
    for cell in notebook.cells[: index + 1]:
        if cell.cell_type == "code" and not is_papermills(cell):
            found = chapter.source.find(cell.source, position)
            if found < 0:
                return None
            position = found + (0 if cell is notebook.cells[index] else len(cell.source))
    return chapter.source.count("\n", 0, position) + 1


def _excerpt(source: str, row: int | None, around: int = 3) -> str:
    """The lines of a cell about row ``row`` (from 1), that row marked; the first ones if None."""
    lines = source.splitlines()
    first = max(0, row - 1 - around) if row else 0
    shown = enumerate(lines[first : first + 2 * around + 1], start=first + 1)
    return "\n".join(f"    {'>' if number == row else '|'} {line}" for number, line in shown)
