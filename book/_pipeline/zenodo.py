"""What Zenodo reads when it archives a release, derived from CITATION.cff."""

import json
import re
from collections.abc import Mapping
from typing import Any

_LICENCES = {"MIT": "Code: MIT", "CC-BY-4.0": "text and figures: CC BY 4.0"}


def zenodo_json(citation: Mapping[str, Any]) -> str:
    """Text of ``.zenodo.json``: the project's own record, and the papers that it belongs to.

    Zenodo takes one licence, the code's; the other stands in the notes. The DOI is not among it:
    Zenodo gives it.
    """
    licences = citation["license"]
    papers = [_arxiv(reference) for reference in citation.get("references", [])]
    record = {
        "upload_type": "software",
        "title": citation["title"],
        "description": f"<p>{citation['abstract']}</p>",
        "creators": [{"name": _name(person)} for person in citation["authors"]],
        "version": str(citation["version"]),
        "license": licences[0],
        "notes": "; ".join(_LICENCES[licence] for licence in licences) + ".",
        "access_right": "open",
        "language": "eng",
        "keywords": citation["keywords"],
        "related_identifiers": [
            {"identifier": paper, "relation": relation, "scheme": "arxiv"}
            for relation in ("isSupplementTo", "cites")
            for paper in papers
        ],
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _name(person: Mapping[str, str]) -> str:
    """As Zenodo wants it: family name first; a group's as it is."""
    return person.get("name") or f"{person['family-names']}, {person['given-names']}"


def _arxiv(reference: Mapping[str, Any]) -> str:
    """For example ``arXiv:2308.11567``."""
    found = re.search(r"arxiv\.org/abs/(\S+)$", reference["url"])
    assert found is not None, reference["url"]
    return f"arXiv:{found.group(1)}"
