"""How many named lines are told apart: conditions, epochs, models."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from ltr_core.charts.style import BLUE, CATEGORICAL, DASHES, GREEN, ORANGE, PURPLE

HUES = (BLUE, ORANGE, GREEN, PURPLE)


def line_styles(names: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """A colour and a dash for each name; no two names have both in common.

    Up to six names differ in both. Beyond, up to 24, four hues take turns and the dash changes
    with each round: eight reaching targets are four hues, solid and dashed. Raises `ValueError`
    for more, for none, and for names that are not distinct.
    """
    n = len(names)
    if not 0 < n <= len(HUES) * len(DASHES):
        raise ValueError(f"{n} series: from 1 to {len(HUES) * len(DASHES)} can be told apart.")
    if len(set(names)) < n:
        raise ValueError(f"the names of the series are not distinct: {list(names)}.")
    if n <= len(CATEGORICAL):
        return list(CATEGORICAL[:n]), [list(dash) for dash in DASHES[:n]]
    hues = [HUES[i % len(HUES)] for i in range(n)]
    return hues, [list(DASHES[i // len(HUES)]) for i in range(n)]


def line_channels(
    field: str, names: Sequence[str], *, title: str | None = None, columns: int = 4, offset: int = 8
) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour and dash of named lines, with one legend above the chart (none for a single name).

    `offset` is its distance in pixels, 24 where names of epochs stand between.
    """
    hues, dashes = line_styles(names)
    legend = (
        alt.Legend(
            orient="top",
            offset=offset,
            direction="horizontal",
            columns=columns,
            symbolType="stroke",
            symbolSize=300,
            symbolOpacity=1,
        )
        if len(names) > 1
        else None
    )
    scale: dict[str, Any] = {"domain": list(names)}
    return (
        alt.Color(f"{field}:N", title=title, scale=alt.Scale(**scale, range=hues), legend=legend),
        alt.StrokeDash(
            f"{field}:N", title=title, scale=alt.Scale(**scale, range=dashes), legend=legend
        ),
    )


def thinned(n: int, at_most: int) -> np.ndarray:
    """Indices of evenly spaced items: all `n` of them, or every second, third, ... one."""
    return np.arange(0, n, max(1, -(-n // at_most)))


def padded(low: float, high: float, share: float = 0.05) -> list[float]:
    """A scale's ends around values from `low` to `high`, with room; never of no length."""
    room = share * (high - low) or 0.05 * abs(high) or 1.0
    return [low - room, high + room]


def checked_length(n_found: int, n_wanted: int, what: str, of_what: str) -> None:
    """Raise `ValueError` where two lengths that belong together differ."""
    if n_found != n_wanted:
        raise ValueError(f"{what} has {n_found} values, {of_what} has {n_wanted}.")


def pointers(*axes: Any, tooltip: Sequence[Any]) -> alt.Chart:
    """Points that are not seen and only answer the pointer: a layer over lines.

    A line answers the pointer with the values of its first point alone.
    """
    return (
        alt.Chart()
        .mark_point(size=45, opacity=0, filled=True, aria=False)
        .encode(*axes, tooltip=list(tooltip))
    )
