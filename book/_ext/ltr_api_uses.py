"""Which chapters use which names: read from the code of the notebooks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import ltr_api_names as names


@cache
def chapters_using(folder: Path) -> dict[str, tuple[str, ...]]:
    """The path of a name -> the notebooks of a folder that use it, in their order."""
    found: dict[str, list[str]] = {}
    for notebook in sorted(folder.glob("*.ipynb")):
        for path in sorted(set(_used(notebook))):
            found.setdefault(path, []).append(notebook.stem)
    return {path: tuple(chapters) for path, chapters in found.items()}


def others_used(folder: Path) -> list[str]:
    """The functions and classes that chapters use without their being public."""
    return sorted(set(chapters_using(folder)) - set(names.documented()))


def _used(notebook: Path) -> Iterator[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    known: dict[str, str] = {}  # a name in the notebook -> its path
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse("".join(cell["source"]))
        except SyntaxError:  # a cell with a magic command
            continue
        for node in ast.walk(tree):
            known |= dict(_imported(node))
            dotted = _dotted(node, known)
            path = names.own_path(dotted) if dotted else None
            if path:
                yield path


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == names.PACKAGE:
                yield (alias.asname, alias.name) if alias.asname else (names.PACKAGE, names.PACKAGE)
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == names.PACKAGE:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.AST, known: dict[str, str]) -> str:
    """The path that an expression names, or an empty text."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, known)
        return f"{before}.{node.attr}" if before else ""
    return ""
