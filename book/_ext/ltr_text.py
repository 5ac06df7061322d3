"""How the generated pages write numbers, times, verdicts and citations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


def apa(item: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """An entry of a CITATION.cff in APA style, less its address: pieces, and which are italic."""
    lead = f"{_apa_names(item.get('authors', []))} ({_year(item) or 'n.d.'}). "
    title = item["title"].rstrip(".")
    place = (item.get("conference") or {}).get("name") or item.get("journal") or ""
    if place:
        within = "In " if item.get("conference") else ""
        return [(f"{lead}{title}. {within}", False), (place, True), (".", False)]
    known = {"Version": item.get("version"), "commit": item.get("commit")}
    version = ", ".join(f"{name} {value}" for name, value in known.items() if value)
    kind = " [Computer software]." if item.get("type", "software") == "software" else "."
    return [(lead, False), (title, True), (f" ({version})" * bool(version) + kind, False)]


def to_bibtex(cff: Mapping[str, Any]) -> str:
    """The project's own entry for a bibliography."""
    commit = cff.get("commit")
    fields = {
        "title": f"{{{cff['title']}}}",
        "author": " and ".join(_bibtex_name(person) for person in cff["authors"]),
        "year": _year(cff),
        "version": str(cff.get("version", "")),
        "note": f"Not released, commit {commit}" if commit else "",
        "url": str(cff.get("repository-code") or cff.get("url") or ""),
        "doi": str(cff.get("doi") or ""),
    }
    lines = [f"  {name:<8}= {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(["@software{low_tensor_rank_learning,", *lines, "}"])


def _year(item: Mapping[str, Any]) -> str:
    return str(item.get("year") or str(item.get("date-released", ""))[:4])


def _apa_names(authors: Sequence[Mapping[str, Any]]) -> str:
    """``Byron, A. A., & The group``; the full stop after initials stands in for the list's own."""
    names = [_apa_name(person) for person in authors]
    if len(names) > 1:
        names[-1] = f"& {names[-1]}"
    listed = ", ".join(names)
    return listed if listed.endswith(".") else f"{listed}."


def _apa_name(person: Mapping[str, Any]) -> str:
    if "name" in person:
        return str(person["name"])
    given = re.findall(r"(-?)(\w)\w*", person.get("given-names", ""))
    initials = "".join(f"{hyphen or ' '}{letter}." for hyphen, letter in given).strip()
    return f"{person['family-names']}, {initials}" if initials else str(person["family-names"])


def _bibtex_name(person: Mapping[str, Any]) -> str:
    """Braces keep BibTeX from taking a group's name apart."""
    if "name" in person:
        return f"{{{person['name']}}}"
    return ", ".join(str(person[key]) for key in ("family-names", "given-names") if key in person)


def address(item: Mapping[str, Any]) -> str:
    """Where to find an entry of a CITATION.cff: its DOI, or its address, or an empty text."""
    if item.get("doi"):
        return f"https://doi.org/{item['doi']}"
    return str(item.get("url") or item.get("repository-code") or "")
