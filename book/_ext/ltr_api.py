"""Sphinx extension: the API reference, from the package itself.

`{api} GROUP` describes the names of a group (as the docstring of `ltr_core` groups them), or of
a public module, by autodoc: a new public name is on its page without anyone's doing. `{api-types}`
describes the classes that the names on a page return or take without being public themselves,
`{api-further}` what else chapters import.
`{api-overview}` lists every name with one line and a link.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import ltr_api_autodoc
import ltr_api_html
import ltr_api_names as names
from docutils import nodes
from docutils.parsers.rst import directives
from ltr_api_autodoc import link_from
from ltr_api_signatures import shown
from ltr_api_text import first_sentence, to_rst
from ltr_api_uses import chapters_using, others_used
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class _Reference(SphinxDirective):
    """A directive whose nodes come from reStructuredText that it writes."""

    has_content = False

    def rst(self, lines: list[str]) -> list[nodes.Node]:
        """These lines of reStructuredText as nodes, on a page that is Markdown."""
        self.env.metadata[self.env.docname].setdefault("ltr-api", "")
        fence = "`" * 7
        return list(self.parse_text_to_nodes("\n".join([f"{fence}{{eval-rst}}", *lines, fence])))

    def section(self, title: str, children: list[nodes.Node]) -> nodes.Node:
        """A section with a heading of its own."""
        section = nodes.section(ids=[nodes.make_id(f"api-{title}")], names=[])
        section += [nodes.title("", title), *children]
        return section

    def about(self, path: str) -> list[str]:
        """What a module says of itself."""
        module = names.file(path)
        lines = to_rst(inspect.cleandoc(module.__doc__ or "").splitlines(), link_from(module))
        return list(NumpyDocstring(lines, self.config, what="module").lines())

    def described(self, paths: list[str]) -> list[str]:
        """Each object's signature and docstring."""
        lines: list[str] = []
        for path in paths:
            value = names.get(path)
            kind = "class" if isinstance(value, type) else "function"
            if not isinstance(value, type) and not inspect.isroutine(value):
                lines += [f".. py:data:: {path}", "", *_indented([constant_line(value), ""])]
                continue
            lines += [f".. auto{kind}:: {path}", *(_MEMBERS if kind == "class" else [])]
            if kind == "class" and getattr(vars(value).get("__init__"), "__doc__", None):
                lines.append("   :class-doc-from: both")
            lines.append("")
            lines += ["   .. api-uses:: " + path, ""]
        return lines


_MEMBERS = ["   :members:", "   :inherited-members: tuple, object", "   :member-order: bysource"]


class Api(_Reference):
    """The names of a group, or of a public module, each with its signature and docstring."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"about": directives.unchanged}  # noqa: RUF012 - as docutils has it

    def run(self) -> list[nodes.Node]:
        """A group's names in its order; a module's under a heading for each file of its own."""
        wanted = self.arguments[0]
        begin = [
            line for path in self.options.get("about", "").split() for line in self.about(path)
        ]
        if wanted in names.groups():
            paths = [f"{names.PACKAGE}.{name}" for name in names.groups()[wanted]]
            paths = [path for path in paths if path in names.public()]
            return self.rst([*begin, *self.described(paths)])
        if wanted not in names.modules():
            raise ExtensionError(
                f"{self.env.docname}: {wanted!r} is neither a group of {names.PACKAGE} "
                f"({', '.join(names.groups())}) nor a public module ({', '.join(names.modules())})"
            )
        return self.module(wanted)

    def module(self, path: str) -> list[nodes.Node]:
        """A module's names, file by file."""
        target = [f".. py:module:: {path}", "", *self.about(path)]
        files = list(names.parts(path))
        if len(files) == 1:
            return self.rst([*target, *self.described([f"{path}.{name}" for name in files[0][1]])])
        sections = []
        for file, members in files:
            words = self.rst([*self.about(file), *self.described([f"{path}.{n}" for n in members])])
            sections.append(self.section(file_title(file), words))
        return [*self.rst(target), *sections]


class Types(_Reference):
    """The classes that a page's names return or take without being public themselves."""

    def run(self) -> list[nodes.Node]:
        """Those that are met first on this page."""
        page = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8")
        wanted = re.findall(r"^```\{api\} (.+)$", page, re.MULTILINE)
        shown_here = set()
        for name in wanted:
            group = names.groups().get(name)
            shown_here |= (
                {f"{names.PACKAGE}.{member}" for member in group}
                if group
                else {f"{name}.{member}" for member in names.members(name)}
            )
        paths = [path for path, (first, _) in names.result_types().items() if first in shown_here]
        return [self.section("Types of arguments and results", self.rst(self.described(paths)))]


class Further(_Reference):
    """What chapters use beside the public names, file by file."""

    def run(self) -> list[nodes.Node]:
        """A section for each file."""
        files: dict[str, list[str]] = {}
        for path in others_used(Path(self.env.srcdir)):
            files.setdefault(path.rpartition(".")[0], []).append(path)
        return [
            self.section(file_title(file), self.rst([*self.about(file), *self.described(paths)]))
            for file, paths in files.items()
        ]


class Uses(_Reference):
    """The chapters that use a name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One line, or nothing."""
        chapters = chapters_using(Path(self.env.srcdir)).get(self.arguments[0], ())
        if not chapters:
            return []
        links = ", ".join(f":doc:`/{chapter}`" for chapter in chapters)
        line = nodes.paragraph(classes=["ltr-api-uses"])
        line += self.parse_inline(f"Used in {links}")[0]
        return [line]


class Overview(_Reference):
    """Every public name with one line and a link, group by group."""

    def run(self) -> list[nodes.Node]:
        """A section for each group."""
        sections = []
        for group, members in names.groups().items():
            lines: list[str] = []
            for name in members:
                lines += self.entry(f"{names.PACKAGE}.{name}")
            listed = nodes.compound("", *self.rst(lines), classes=["ltr-api-list"])
            sections.append(self.section(group, [listed]))
        return sections

    def entry(self, path: str) -> list[str]:
        """One name; a module with the names that it offers."""
        value = names.get(path)
        short = path.removeprefix(f"{names.PACKAGE}.")
        sentence = first_sentence(inspect.getdoc(value) or "") if _has_own_doc(value) else ""
        words = " ".join(to_rst([sentence], link_from(value))).strip() or constant_line(value)
        if not isinstance(value, ModuleType):
            return [f"- :py:obj:`{short} <{path}>`: {words}"]
        lines = ["", f"- :py:mod:`{short} <{path}>`: {words}", ""]
        for _, members in names.parts(path):
            for name in members:
                lines += _indented(self.entry(f"{path}.{name}"), 2)
        return [*lines, ""]


def file_title(path: str) -> str:
    """A heading for a file: what its docstring says up to the first colon."""
    sentence = first_sentence(names.file(path).__doc__ or path)
    return re.split(r"[:;] ", sentence)[0].rstrip(".")


def constant_line(value: Any) -> str:
    """A constant's values, or the names that a dictionary has."""
    return "One of " + ", ".join(f"``{shown(item)}``" for item in value) + "."


def _has_own_doc(value: Any) -> bool:
    return isinstance(value, type | ModuleType) or inspect.isroutine(value)


def _indented(lines: list[str], by: int = 3) -> list[str]:
    return [" " * by + line if line else "" for line in lines]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register with Sphinx."""
    app.setup_extension("ltr_look")
    ltr_api_autodoc.setup(app)
    ltr_api_html.setup(app)
    app.add_directive("api", Api)
    app.add_directive("api-types", Types)
    app.add_directive("api-further", Further)
    app.add_directive("api-uses", Uses)
    app.add_directive("api-overview", Overview)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
