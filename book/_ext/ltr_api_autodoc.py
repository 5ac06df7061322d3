"""How autodoc reads the package: its docstrings, its signatures, and which members it shows."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import ltr_api_names as names
from ltr_api_signatures import property_type, signature
from ltr_api_text import Link, to_rst
from sphinx.application import Sphinx
from sphinx.ext.autodoc import PropertyDocumenter


def link_from(value: Any) -> Link:
    """What a name between backticks means in an object's docstring: the path described, if any."""
    home = value if isinstance(value, ModuleType) else inspect.getmodule(value)
    taken: set[str] = set()
    if isinstance(value, type) or inspect.isroutine(value):
        try:
            taken = set(inspect.signature(value).parameters)
        except (TypeError, ValueError):
            taken = set()

    def link(code: str) -> str | None:
        first, *others = code.removesuffix("()").split(".")
        if not first.isidentifier() or first in taken:
            return None
        for scope in (vars(home) if home else {}, vars(names.get(names.PACKAGE))):
            found = scope.get(first)
            path = names.paths_by_identity().get(id(found)) if found is not None else None
            if path and len(others) <= 1:
                if not others:
                    return path
                if isinstance(found, type) and others[0] in dict(names.own_members(found)):
                    return f"{path}.{others[0]}"
        return None

    return link


def _docstring(  # noqa: PLR0917 - as Sphinx calls it
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    lines[:] = to_rst(lines, link_from(names.plain(value)))


def _signature(  # noqa: PLR0917 - as Sphinx calls it
    app: Sphinx,
    what: str,
    name: str,
    value: Any,
    options: Any,
    given: str | None,
    result: str | None,
) -> tuple[str, str | None] | None:
    if what not in ("class", "function", "method", "exception") or given is None:
        return None
    return signature(value, bound=what == "method" and not inspect.ismethod(value))


def _skip(app: Sphinx, what: str, name: str, value: Any, *others: Any) -> bool | None:
    """Leave out what others wrote (of torch, of tuples) and fields, which the class describes."""
    function = names.plain(value)
    own = inspect.isfunction(function) and function.__module__.startswith(names.PACKAGE)
    return None if own and function.__doc__ else True


class _Property(PropertyDocumenter):
    """A property whose type is written as signatures write theirs."""

    def add_directive_header(self, sig: str) -> None:
        typehints = self.config.autodoc_typehints
        self.config.autodoc_typehints = "none"
        super().add_directive_header(sig)
        self.config.autodoc_typehints = typehints
        kind = property_type(self.object)
        if kind:
            self.add_line(f"   :type: {kind}", self.get_sourcename())


def setup(app: Sphinx) -> None:
    """Register with Sphinx, for `ltr_api`."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_autodocumenter(_Property, override=True)
    app.connect("autodoc-process-docstring", _docstring, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-skip-member", _skip)
