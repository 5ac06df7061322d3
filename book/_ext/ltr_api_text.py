"""The project's docstrings as reStructuredText.

They are plain text: code between single backticks, lists with hyphens, formulas that stand apart
by their indentation, examples after `>>>`, sections as numpydoc has them, words *set apart* by
asterisks. Nothing else is markup: any other asterisk, a bar or a trailing underscore means itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

Link = Callable[[str], str | None]

_CODE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)
_BULLET = re.compile(r"( *)- ")
_SECTION = re.compile(r"-{3,}")
_STAR = re.compile(r"(?<![\w*])\*\w[\w '-]*\*(?![\w*])|\*")
_WORD_ = re.compile(r"(?<=\w)_(?!\w)")


def to_rst(lines: Sequence[str], link: Link) -> list[str]:
    """A docstring's lines as reStructuredText; `link` gives the target of a name in backticks."""
    out: list[str] = []
    section = ""
    inside = 0  # indentation of the text around
    for block in _blocks(lines):
        indent = _indent(block[0])
        if len(block) > 1 and _SECTION.fullmatch(block[1].strip()):
            section, inside = block[0].strip(), 0
        if block[0].lstrip().startswith(">>>"):
            out += [*block, ""]
        elif indent > inside and section in ("", "Notes"):
            out += [" " * inside + ".. code-block:: text", "", *block, ""]
        else:
            text = _prose("\n".join(block), link).split("\n")
            out += [*_lists_apart(text), ""]
            inside = _inside(block, indent)
    return out


def first_sentence(docstring: str) -> str:
    """What a docstring says in its first paragraph, up to the first full stop."""
    paragraph = " ".join(docstring.strip().split("\n\n", 1)[0].split())
    return re.split(r"(?<=\.)\s+(?=[A-Z`])", paragraph)[0]


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Runs of lines between empty ones; an example begins one of its own."""
    block: list[str] = []
    for line in [*lines, ""]:
        example = line.lstrip().startswith(">>>")
        if block and (not line.strip() or (example and not block[0].lstrip().startswith(">>>"))):
            yield block
            block = []
        if line.strip():
            block.append(line.rstrip())


def _inside(block: Sequence[str], indent: int) -> int:
    """How far text is indented that goes on where this block ends."""
    for line in reversed(block):
        bullet = _BULLET.match(line)
        if bullet:
            return len(bullet[0])
        if _indent(line) <= indent:
            break
    return indent


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lists_apart(lines: Sequence[str]) -> list[str]:
    """An empty line before a list that follows its introduction directly."""
    out: list[str] = []
    for line in lines:
        bullet = _BULLET.match(line)
        if bullet and out and _indent(out[-1]) <= len(bullet[1]) and not _BULLET.match(out[-1]):
            out.append("")
        out.append(line)
    return out


def _prose(text: str, link: Link) -> str:
    """Code as literals or links, everything else as it stands."""
    out, at = [], 0
    for found in _CODE.finditer(text):
        out += [_escaped(text[at : found.start()]), _code(found, link)]
        at = found.end()
        if text[at : at + 1].isalnum():  # `steps`s: markup ends at a word's end only
            out.append("\\ ")
    return "".join([*out, _escaped(text[at:])])


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("|", "\\|")
    text = _STAR.sub(lambda found: found[0] if len(found[0]) > 1 else "\\*", text)
    return _WORD_.sub("\\_", text)


def _code(found: re.Match[str], link: Link) -> str:
    code = found[1] or found[2]
    target = link(code)
    # A line that breaks within code: as many lines as before, so that lists keep their shape.
    first, *others = re.split(r" *\n *", code)
    if target:
        return f":py:obj:`{code} <{target}>`"
    return f"``{' '.join([first, *others])}``"
