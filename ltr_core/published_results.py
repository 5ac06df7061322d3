"""Results of runs at the published size, kept as files so that smaller runs can show them.

One file for each chapter, ``results/<chapter>.json``: scale, seed, versions, and for each figure
the setting and the rows of its record (see `ltr_core.published`).
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

VERSIONS = ("ltr-core", "torch", "numpy")


def results_of(records: Sequence[Mapping[str, Any]], versions: Mapping[str, str]) -> dict[str, Any]:
    """What is kept of a chapter's run at the published size: the same for the same run."""
    first = records[0]
    kept = ("quantity", "published", "tolerance", "ours", "missing", "agrees")
    return {
        "chapter": first["chapter"],
        "scale": first["scale"],
        "seed": first["seed"],
        "versions": {name: versions[name] for name in VERSIONS},
        "figures": {
            record["id"]: {
                "setting": record["setting"],
                "rows": [{name: row[name] for name in kept} for row in record["rows"]],
            }
            for record in records
        },
    }


def read_results(path: Path) -> dict[str, Any]:
    """A file of kept results; ValueError, naming it, if it is not one."""
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for figure in results["figures"].values():
            _ = figure["setting"].strip()
            for row in figure["rows"]:
                _ = row["quantity"].strip(), row["missing"]
                if row["ours"] is not None:
                    _ = row["ours"]["sd"], math.isfinite(row["ours"]["mean"])
                    _ = len(row["ours"]["values"])
        _ = results["seed"], results["versions"].items()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not a file of results at the published size ({error!r}): restore it, or "
            "remove it and run make paper, which writes it anew."
        ) from error
    return results


def kept_results(chapter: str) -> dict[str, Any] | None:
    """Results of a chapter at the published size, from the folder that LTR_RESULTS names."""
    folder = os.environ.get("LTR_RESULTS")
    path = Path(folder) / f"{chapter}.json" if folder else None
    return read_results(path) if path and path.exists() else None
