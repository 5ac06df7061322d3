"""The map of the chapters as an SVG: boxes that are links, arrows to what builds on them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

BOX, HEIGHT = 128.0, 48.0  # of a chapter
APART, BELOW = 24.0, 46.0  # between two columns, and between two rows
PAD, LABEL = 9.0, 16.0  # around the boxes of a part, and the height of a line of its caption
LETTERS, CAPTION_LETTERS = 12, 6.8  # in a line of a box; pixels of a letter of a caption

Boxes = Mapping[str, Mapping[str, Any]]


def draw(boxes: Boxes, parts: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The map, as HTML that needs no script.

    Each box has a number, a short name, a title, an address, a place (`at`, column and row) and
    the chapters that it `builds on`; a part has a caption and its chapters.
    """
    regions = [_Region(caption, [boxes[name] for name in held], boxes) for caption, held in parts]
    left = min(region.left for region in regions) - 1
    top = min(region.top for region in regions) - 1
    right = max(region.right for region in regions) + 1
    bottom = max(region.bottom for region in regions) + 1
    inside = [
        *(line for region in regions for line in region.lines()),
        *(_arrow(boxes[name], box) for box in boxes.values() for name in box["builds on"]),
        *(line for box in boxes.values() for line in _box(box, boxes)),
    ]
    return "\n".join(
        [
            '<figure class="ltr-map">',
            f'<svg viewBox="{left:g} {top:g} {right - left:g} {bottom - top:g}" role="group" '
            'aria-label="Map of the chapters; the list below tells the same">',
            '<defs><marker id="ltr-map-tip" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>'
            "</defs>",
            *inside,
            "</svg>",
            "<figcaption>An arrow leads from a chapter to one that builds on it.</figcaption>",
            "</figure>",
        ]
    )


def _corner(box: Mapping[str, Any]) -> tuple[float, float]:
    column, row = box["at"]
    return column * (BOX + APART), row * (HEIGHT + BELOW)


class _Region:
    """What encloses the chapters of a part, with its caption where no arrow comes in or goes out:
    above the boxes of the first row, else below."""

    def __init__(self, caption: str, held: Sequence[Mapping[str, Any]], boxes: Boxes) -> None:
        corners = [_corner(box) for box in held]
        self.left = min(x for x, _ in corners) - PAD
        self.right = max(x for x, _ in corners) + BOX + PAD
        letters = int((self.right - self.left - PAD) / CAPTION_LETTERS)
        self.caption = textwrap.wrap(caption, letters)
        room = LABEL * len(self.caption)
        first = min(box["at"][1] for box in boxes.values())
        self.above = any(box["at"][1] == first for box in held)
        self.top = min(y for _, y in corners) - PAD - (room if self.above else 0)
        self.bottom = max(y for _, y in corners) + HEIGHT + PAD + (0 if self.above else room)

    def lines(self) -> Iterator[str]:
        yield (
            f'<rect class="ltr-map-part" x="{self.left:g}" y="{self.top:g}" rx="8" '
            f'width="{self.right - self.left:g}" height="{self.bottom - self.top:g}"/>'
        )
        y = self.top + LABEL if self.above else self.bottom - LABEL * len(self.caption) + 8
        for number, line in enumerate(self.caption):
            yield (
                f'<text class="ltr-map-caption" x="{self.left + PAD:g}" '
                f'y="{y + number * LABEL:g}">{escape(line)}</text>'
            )


def _arrow(start: Mapping[str, Any], end: Mapping[str, Any]) -> str:
    (x0, y0), (x1, y1) = _corner(start), _corner(end)
    if y0 == y1:
        begin, stop = (x0 + BOX, y0 + HEIGHT / 2), (x1 - 1, y1 + HEIGHT / 2)
        bend = f"L{stop[0]:g} {stop[1]:g}"
    else:
        begin, stop = (x0 + BOX / 2, y0 + HEIGHT), (x1 + BOX / 2, y1 - 1)
        middle = (begin[1] + min(stop[1], begin[1] + BELOW)) / 2
        bend = f"C{begin[0]:g} {middle + 12:g} {stop[0]:g} {stop[1] - BELOW * 0.7:g} "
        bend += f"{stop[0]:g} {stop[1]:g}"
    return f'<path class="ltr-map-arrow" d="M{begin[0]:g} {begin[1]:g} {bend}"/>'


def _box(box: Mapping[str, Any], boxes: Boxes) -> Iterator[str]:
    x, y = _corner(box)
    before = " and ".join(boxes[name]["number"] for name in box["builds on"])
    label = f"Chapter {box['number']}: {box['title']}"
    label += f"; builds on {before}" if before else ""
    yield f'<a href="{escape(box["address"])}" aria-label="{escape(label)}">'
    yield f"<title>{escape(box['title'])}</title>"
    yield f'<rect x="{x:g}" y="{y:g}" width="{BOX:g}" height="{HEIGHT:g}" rx="5"/>'
    middle = y + HEIGHT / 2
    yield f'<text class="ltr-map-number" x="{x + 8:g}" y="{middle + 5.5:g}">{box["number"]}</text>'
    words = textwrap.wrap(box["name"], LETTERS)
    for number, line in enumerate(words):
        at = middle + 4.5 + 16 * (number - (len(words) - 1) / 2)
        yield f'<text x="{x + 34:g}" y="{at:g}">{escape(line)}</text>'
    yield "</a>"
