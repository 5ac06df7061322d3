"""Published values beside ours: stated before ours are computed, compared when they are.

A figure's record holds a row for every quantity: the published value, its tolerance, ours, whether
they agree. It travels in the notebook's output, from where `records_of` reads it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from IPython.display import display

from ltr_core.ledger_text import summary
from ltr_core.published_results import kept_results
from ltr_core.published_text import compared_card, comparison_text, stated_card

MIME = "application/vnd.ltr.published+json"
FIELDS = (
    "id",
    "chapter",
    "figure",
    "source",
    "setting",
    "unit",
    "rows",
    "at_published_size",
    "scale",
    "seed",
)

# Not a margin: what rounding adds to a difference that is exactly the tolerance.
_ROUNDING = 1 + 1e-9

Samples = Mapping[str, Sequence[float | int] | np.ndarray]


@dataclass(frozen=True)
class Published:
    """A figure's published values, which wait for ours; see `Chapter.published`."""

    chapter: str
    scale: str
    seed: int
    id: str
    figure: str
    source: str
    setting: str
    unit: str
    values: Mapping[str, tuple[float | int, float | int]]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.id):
            raise ValueError(f"name is '{self.id}': give lower-case words, like 'learning-time'.")
        for name in ("figure", "source", "setting"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} of {self.id} is empty: say it in words.")
        if not self.values:
            raise ValueError(f"{self.id} has no published values: give at least one.")
        for name, (value, tolerance) in self.values.items():
            if not math.isfinite(value):
                raise ValueError(f"{self.id}: published '{name}' is {value}: it must be finite.")
            if not (math.isfinite(tolerance) and tolerance > 0):
                raise ValueError(
                    f"{self.id}: the tolerance of '{name}' is {tolerance}: give how far, more "
                    "than 0, the mean of ours may be from the published value."
                )

    @property
    def stated(self) -> dict[str, Any]:
        """The part of the record that is known before anything is measured."""
        names = ("id", "chapter", "figure", "source", "setting", "unit")
        rows = [
            {"quantity": name, "published": float(value), "tolerance": float(tolerance)}
            for name, (value, tolerance) in self.values.items()
        ]
        return {**{name: getattr(self, name) for name in names}, "rows": rows}

    def show(self) -> None:
        """Show what is stated, as a folded card."""
        plain = f"{self.figure}: {len(self.values)} published values"
        display({"text/html": stated_card(self.stated), "text/plain": plain}, raw=True)

    def compare(self, ours: Samples, *, missing: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Show the published values with ours beside them, and return the figure's record.

        `ours` gives, for every published quantity, one value per network or seed. Ours agrees if
        its mean is within the tolerance. What could not be measured, wholly or in part, as in a
        network that never learned, is named in `missing` with the reason; it does not agree. At
        smoke scale nothing is judged (`agrees` is None). At book scale a kept result at the
        published size, if there is one, is shown as well.

        Raises ValueError where a quantity is missing or unknown, a value is not finite, or there is
        neither a value nor a reason.
        """
        missing = missing or {}
        self._check(ours, missing)
        rows = []
        for row in self.stated["rows"]:
            name = row["quantity"]
            values = np.asarray(ours[name], dtype=float).ravel()
            found = {
                "ours": summary(values) if values.size else None,
                "missing": missing.get(name),
            }
            judged = None if self.scale == "smoke" else _agrees(found, row)
            rows.append({**row, **found, "agrees": judged, "at_published_size": None})
        record = {
            **self.stated,
            "rows": rows,
            "at_published_size": None,
            "scale": self.scale,
            "seed": self.seed,
        }
        if self.scale == "book":
            _add_published_size(record, kept_results(self.chapter))
        html, plain = compared_card(record), comparison_text(record)
        display({MIME: record, "text/html": html, "text/plain": plain}, raw=True)
        return record

    def _check(self, ours: Samples, missing: Mapping[str, str]) -> None:
        if set(ours) != set(self.values):
            raise ValueError(
                f"{self.id}: published are {sorted(self.values)}, ours gives {sorted(ours)}."
            )
        if unknown := set(missing) - set(self.values):
            raise ValueError(
                f"{self.id}: missing names {sorted(unknown)}, published are {sorted(self.values)}."
            )
        for name, why in missing.items():
            if not why.strip():
                raise ValueError(f"{self.id}: '{name}' is missing: say why in words.")
        for name, values in ours.items():
            array = np.asarray(values, dtype=float)
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{self.id}: ours of '{name}' is {array.tolist()}: every value must be finite; "
                    "leave out what was not measured, and name it in missing with the reason."
                )
            if array.size == 0 and name not in missing:
                raise ValueError(
                    f"{self.id}: ours of '{name}' is empty: give a value, or the reason in missing."
                )


def records_of(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records that an executed notebook (nbformat 4) carries, in their order.

    Raises ValueError for a record that lacks one of its fields, and for two of the same id.
    """
    records: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            record = output.get("data", {}).get(MIME)
            if record is None:
                continue
            lacking = [name for name in FIELDS if name not in record]
            if lacking:
                raise ValueError(f"The record of '{record.get('id', '?')}' lacks {lacking}.")
            if record["id"] in [other["id"] for other in records]:
                raise ValueError(f"'{record['id']}' is compared twice: give one another name.")
            records.append(dict(record))
    return records


def _add_published_size(record: dict[str, Any], results: dict[str, Any] | None) -> None:
    """Put the kept results beside ours; judged anew, by what is stated now."""
    figure = results["figures"].get(record["id"]) if results else None
    if results is None or figure is None:
        return
    record["at_published_size"] = {
        "setting": figure["setting"],
        "seed": results["seed"],
        "versions": results["versions"],
    }
    found = {row["quantity"]: row for row in figure["rows"]}
    for row in record["rows"]:
        other = found.get(row["quantity"])
        if other:
            kept = {"ours": other["ours"], "missing": other["missing"]}
            row["at_published_size"] = {**kept, "agrees": _agrees(kept, row)}


def _agrees(found: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    if found["missing"] or found["ours"] is None:
        return False
    difference = abs(found["ours"]["mean"] - row["published"])
    return bool(difference <= row["tolerance"] * _ROUNDING)
