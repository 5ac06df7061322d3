"""What a chart's Vega-Lite spec must satisfy before it is shown: named axes, inline data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PANELS = ("hconcat", "vconcat", "concat")


def check_spec(spec: Mapping[str, Any], name: str) -> None:
    """Raise `ValueError` if a drawn axis of the figure has no title, or data are not inline."""
    for where, channel, field in untitled_axes(spec):
        raise ValueError(
            f"figure {name}: the {channel} axis{field}{where} has no title; give it one, with its "
            f"unit, as in alt.{channel.upper()}({channel!r}, title='Time (s)'), or axis=None to "
            "draw no axis"
        )
    for url in _urls(spec):
        raise ValueError(
            f"figure {name}: data come from {url!r}; the book is read offline, so put them inline "
            "as alt.Data(values=[{...}, ...])"
        )


def untitled_axes(spec: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str, str]]:
    """Every drawn positional axis without a title, as (where in the chart, channel, field)."""
    for key in _PANELS:
        for index, panel in enumerate(spec.get(key, [])):
            yield from untitled_axes(panel, f"{where} in {key}[{index}]")
    if "spec" in spec:  # facet and repeat
        yield from untitled_axes(spec["spec"], where)
    if any(key in spec for key in (*_PANELS, "spec")):
        return
    for channel in ("x", "y"):
        for group in _axis_groups(spec, channel):
            drawn = [definition for definition in group if _is_drawn(definition)]
            if drawn and not any(_title(definition) for definition in drawn):
                field = next((f" (field {d['field']!r})" for d in drawn if "field" in d), "")
                yield where, channel, field


def _axis_groups(spec: Mapping[str, Any], channel: str) -> list[list[Mapping[str, Any]]]:
    """Definitions of a channel in a view, grouped by the axis that they share."""
    own = spec.get("encoding", {}).get(channel)
    inherited = [own] if own is not None else []
    if "layer" not in spec:
        return [inherited]
    groups = [group for layer in spec["layer"] for group in _axis_groups(layer, channel)]
    resolve = spec.get("resolve", {})
    shared = "independent" not in {resolve.get(kind, {}).get(channel) for kind in ("scale", "axis")}
    if shared:
        return [inherited + [definition for group in groups for definition in group]]
    return [inherited + group for group in groups]


def _is_drawn(definition: Mapping[str, Any]) -> bool:
    return "value" not in definition and definition.get("axis", {}) is not None


def _title(definition: Mapping[str, Any]) -> Any:
    axis = definition.get("axis") or {}
    return axis.get("title") or definition.get("title")


def _urls(node: Any) -> Iterator[str]:
    """Addresses of data or images that a browser would have to fetch."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "data" and isinstance(value, Mapping) and "url" in value:
                yield value["url"]
            if key not in {"values", "datasets"}:
                yield from _urls(value)
    elif isinstance(node, list):
        for value in node:
            yield from _urls(value)
