"""The package's public names, and where each is documented: read from the package itself."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

PACKAGE = "ltr_core"
_ROW = re.compile(r"    (`\w+`(?:, `\w+`)*) {2,}\S")


def groups() -> dict[str, list[str]]:
    """The groups of public names, as the package's own docstring gives them."""
    found: dict[str, list[str]] = {}
    for line in (importlib.import_module(PACKAGE).__doc__ or "").split("\n\n", 1)[1].splitlines():
        row = _ROW.match(line)
        if row:
            found[list(found)[-1]] += re.findall(r"`(\w+)`", row[1])
        elif line.strip():
            found[line.strip()] = []
    return found


def file(path: str) -> ModuleType:
    """The module of a path: a function of the same name may stand before it in its package."""
    return sys.modules.get(path) or get(path)


def get(path: str) -> Any:
    """The object of a dotted path that begins with the package's name."""
    parts = path.split(".")
    value: Any = importlib.import_module(parts[0])
    for at, part in enumerate(parts[1:], start=2):
        if not hasattr(value, part):  # a submodule that nothing imported yet
            importlib.import_module(".".join(parts[:at]))
        value = getattr(value, part)
    return value


@cache
def modules() -> tuple[str, ...]:
    """The paths of the public modules, the package itself first."""
    package = get(PACKAGE)
    named = (f"{PACKAGE}.{name}" for name in package.__all__)
    return (PACKAGE, *(path for path in named if isinstance(get(path), ModuleType)))


def members(path: str) -> list[str]:
    """The names that a module offers: `__all__`, or else all functions and classes of its own."""
    module = get(path)
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


@cache
def public() -> dict[str, Any]:
    """Every public function, class and constant under the path that users write."""
    paths = (f"{module}.{name}" for module in modules() for name in members(module))
    return {path: get(path) for path in paths if not isinstance(get(path), ModuleType)}


def parts(path: str) -> Iterator[tuple[str, list[str]]]:
    """The modules that a public module's names come from, each with these names."""
    wanted = set(members(path))
    tree = ast.parse(inspect.getsource(get(path)))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [alias.name for alias in node.names if alias.name in wanted]
            if names:
                yield node.module, names
                wanted -= set(names)
    if wanted:
        yield get(path).__name__, [name for name in members(path) if name in wanted]


@cache
def result_types() -> dict[str, tuple[str, Any]]:
    """Classes that public names take or return without being public themselves.

    Path of the class, under its own module -> the public path where it is met first, the class.
    """
    known = {id(value) for value in public().values()}
    found: dict[str, tuple[str, Any]] = {}
    queue = list(public().items())
    first = dict(zip(public(), public(), strict=True))
    while queue:
        path, value = queue.pop(0)
        for kind in _mentioned(value):
            if kind.__module__.startswith(PACKAGE) and id(kind) not in known:
                known.add(id(kind))
                own = f"{kind.__module__}.{kind.__qualname__}"
                first[own] = first[path]
                found[own] = (first[path], kind)
                queue.append((own, kind))
    return found


@cache
def documented() -> dict[str, Any]:
    """Everything that the pages describe: path -> object."""
    return public() | {path: kind for path, (_, kind) in result_types().items()}


@cache
def paths_by_identity() -> dict[int, str]:
    """The path under which an object is described."""
    return {id(value): path for path, value in reversed(documented().items())}


def own_path(path: str) -> str | None:
    """Where a path's function or class of this project is described, or is at home."""
    try:
        value = get(path)
    except (AttributeError, ImportError):
        return None
    known = paths_by_identity().get(id(value))
    if known or not (isinstance(value, type) or inspect.isfunction(value)):
        return known
    home = f"{value.__module__}.{value.__qualname__}"
    return home if home.startswith(PACKAGE) and "._" not in home else None


def plain(member: Any) -> Any:
    """The function behind a method, a property or a cached one."""
    for attribute in ("__func__", "fget", "func"):
        if hasattr(member, attribute):
            return getattr(member, attribute)
    return member


def own_members(kind: type) -> Iterator[tuple[str, Any]]:
    """A class's public methods and properties that this project wrote, as plain functions."""
    for name, value in inspect.getmembers_static(kind):
        function = plain(value)
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        if function.__module__.startswith(PACKAGE):
            yield name, function


def _mentioned(value: Any) -> Iterator[type]:
    """The classes in the annotations of a function, or of a class, its methods and properties."""
    functions = [value]
    if isinstance(value, type):
        functions += [function for _, function in own_members(value)]
    elif not inspect.isfunction(value):
        return
    for function in functions:
        for hint in typing.get_type_hints(function).values():
            yield from _classes(hint)


def _classes(hint: Any) -> Iterator[type]:
    arguments = hint if isinstance(hint, list | tuple) else typing.get_args(hint)
    if isinstance(hint, type) and not arguments:
        yield hint
    for argument in arguments:
        yield from _classes(argument)
