"""How signatures are written: axes of arrays in full, everything else by its short name."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

import jaxtyping
from ltr_api_names import PACKAGE, paths_by_identity, plain

_SHORT = {"numpy": "np.", "pandas": "pd.", "xarray": "xr.", "altair": "alt."}
_STARS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


def signature(value: Any, bound: bool = False) -> tuple[str, str | None]:
    """The arguments of a function or of a class's constructor, and the annotation of its result.

    `bound`: without the first argument, as a method is called.
    """
    is_class = isinstance(value, type)
    if is_class and (getattr(value, "_is_protocol", False) or issubclass(value, BaseException)):
        return "", None
    hints = _hints(value)
    arguments = list(inspect.signature(value).parameters.values())[1 if bound else 0 :]
    written, keyword_only = [], False
    for argument in arguments:
        if argument.kind is inspect.Parameter.KEYWORD_ONLY and not keyword_only:
            written.append("*")
        keyword_only |= argument.kind not in _NAMED
        written.append(_argument(argument, hints, value))
    result = None if is_class or "return" not in hints else annotation(hints["return"])
    return f"({', '.join(written)})", result


def annotation(hint: Any) -> str:
    """A type as a signature shows it; own classes by the path under which they are described."""
    if hint in (None, type(None)):
        return "None"
    if hint is ...:
        return "..."
    if isinstance(hint, type) and issubclass(hint, jaxtyping.AbstractArray):
        array: Any = hint
        return f'{array.dtype.__name__}[{annotation(array.array_type)}, "{array.dim_str.strip()}"]'
    if isinstance(hint, list):  # the arguments of a Callable
        return f"[{', '.join(annotation(argument) for argument in hint)}]"
    return _with_arguments(hint) if typing.get_args(hint) else _name(hint)


def _with_arguments(hint: Any) -> str:
    """A union, a choice of values, or a generic type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return f"Literal[{', '.join(repr(argument) for argument in arguments)}]"
    written = [annotation(argument) for argument in arguments]
    if origin in (typing.Union, types.UnionType):
        return " | ".join(written)
    return f"{annotation(origin)}[{', '.join(written)}]"


def property_type(value: Any) -> str | None:
    """The annotation of what a property gives."""
    hints = _hints(plain(value))
    return annotation(hints["return"]) if "return" in hints else None


def _hints(value: Any) -> dict[str, Any]:
    """Annotations by the name of the argument."""
    made = getattr(value, "__dataclass_params__", None)  # its fields are its arguments
    constructor = vars(value).get("__init__") if isinstance(value, type) else None
    if inspect.isfunction(constructor) and not (made and made.init):
        value = constructor
    return typing.get_type_hints(value)


def _name(hint: Any) -> str:
    path = paths_by_identity().get(id(hint))
    if path:
        return f"~{path}"
    name = getattr(hint, "__qualname__", None) or getattr(hint, "__name__", str(hint))
    module = getattr(hint, "__module__", "").split(".")
    if module[:2] == ["numpy", "random"]:
        return f"np.random.{name}"
    return f"{_SHORT.get(module[0], '')}{name}"


def _argument(argument: inspect.Parameter, hints: dict[str, Any], owner: Any) -> str:
    text = _STARS.get(argument.kind, "") + argument.name
    hinted = argument.name in hints
    if hinted:
        text += f": {annotation(hints[argument.name])}"
    if argument.default is not inspect.Parameter.empty:
        text += f"{' = ' if hinted else '='}{_default(argument, owner)}"
    return text


def _default(argument: inspect.Parameter, owner: Any) -> str:
    value = argument.default
    if dataclasses.is_dataclass(owner):
        field = {field.name: field for field in dataclasses.fields(owner)}.get(argument.name)
        if field is not None and field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
    return shown(value)


def shown(value: Any) -> str:
    """A default as a user would write it."""
    if isinstance(value, type) or inspect.isroutine(value):
        return str(value.__name__)
    if type(value).__module__.startswith(PACKAGE):
        made: Callable[[], Any] = type(value)
        try:
            bare = made() == value
        except TypeError:
            bare = False
        return f"{type(value).__name__}({'' if bare else '...'})"
    if isinstance(value, tuple) and value:
        inner = ", ".join(shown(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
