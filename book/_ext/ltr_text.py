"""How the generated pages write numbers, times, verdicts and citations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def duration(seconds: float) -> str:
    """Time as a reader would say it: 4.2 s, 3 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def memory(megabytes: float) -> str:
    """Memory in MB, or in GB from one on."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.2f} GB"


def when(iso: str) -> str:
    """Date from an ISO 8601 text."""
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d")


def citation_text(item: Mapping[str, Any]) -> str:
    """One line for an entry of a CITATION.cff (the project itself or one of its references)."""
    year = item.get("year") or str(item.get("date-released", ""))[:4]
    place = item.get("journal") or (item.get("conference") or {}).get("name") or ""
    place = place or (item.get("collection-title") or "")
    version = f"Version {item['version']}" if item.get("version") and not place else ""
    parts = [
        f"{_names(item)}{f' ({year})' if year else ''}",
        item["title"].rstrip("."),
        place or version,
    ]
    return ". ".join(part for part in parts if part) + "."


def to_bibtex(cff: Mapping[str, Any]) -> str:
    """The project's own entry for a bibliography."""
    fields = {
        "title": f"{{{cff['title']}}}",
        "author": " and ".join(_bibtex_name(person) for person in cff["authors"]),
        "year": str(cff.get("date-released", ""))[:4],
        "version": str(cff.get("version", "")),
        "url": str(cff.get("repository-code") or cff.get("url") or ""),
        "doi": str(cff.get("doi") or ""),
    }
    lines = [f"  {name:<8}= {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(["@software{low_tensor_rank_learning,", *lines, "}"])


def _names(item: Mapping[str, Any]) -> str:
    names = [_full(person) for person in item.get("authors", [])]
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _bibtex_name(person: Mapping[str, Any]) -> str:
    """Braces keep BibTeX from taking a group's name apart."""
    return f"{{{person['name']}}}" if "name" in person else _full(person)


def _full(person: Mapping[str, Any]) -> str:
    """A person's or a group's name."""
    if "name" in person:
        return str(person["name"])
    return " ".join(str(person[key]) for key in ("given-names", "family-names") if key in person)


def address(item: Mapping[str, Any]) -> str:
    """Where to find an entry of a CITATION.cff: its DOI, or its address, or an empty text."""
    if item.get("doi"):
        return f"https://doi.org/{item['doi']}"
    return str(item.get("url") or item.get("repository-code") or "")
