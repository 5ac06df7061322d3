"""Which chapters use which names: read from the code of their scripts or notebooks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import ltr_api_names as names


@cache
def chapters_using(folder: Path) -> dict[str, tuple[str, ...]]:
    """The path of a name -> the chapters in a folder that use it, in their order.

    The site's folder holds them as notebooks, ``book/`` as percent scripts.
    """
    found: dict[str, list[str]] = {}
    for chapter in sorted([*folder.glob("*.ipynb"), *folder.glob("*.py")]):
        for path in sorted(set(_used(chapter))):
            found.setdefault(path, []).append(chapter.stem)
    return {path: tuple(chapters) for path, chapters in found.items()}


def others_used(folder: Path) -> list[str]:
    """The functions and classes that chapters use without their being public."""
    return sorted(set(chapters_using(folder)) - set(names.documented()))


def _used(chapter: Path) -> Iterator[str]:
    known: dict[str, str] = {}  # a name in the chapter -> its path
    for tree in _trees(chapter):
        for node in ast.walk(tree):
            known |= dict(_imported(node))
            dotted = _dotted(node, known)
            path = names.own_path(dotted) if dotted else None
            if path:
                yield path


def _trees(chapter: Path) -> Iterator[ast.Module]:
    """The code of a script (where magic commands are comments), or of each cell of a notebook."""
    text = chapter.read_text(encoding="utf-8")
    if chapter.suffix == ".py":
        yield ast.parse(text)
        return
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code":
            try:
                tree = ast.parse("".join(cell["source"]))
            except SyntaxError:  # a magic command
                continue
            yield tree


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
