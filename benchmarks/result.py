"""What a benchmark gives back."""

from dataclasses import asdict, dataclass
from typing import Any

#: What was measured of one method on one case; columns by name.
Row = dict[str, Any]


@dataclass(frozen=True)
class Criterion:
    """A statement fixed beforehand, what was measured, and whether it holds (None: not judged)."""

    words: str
    measured: float
    holds: bool | None


@dataclass(frozen=True)
class Result:
    """A row for each case and method, and the criteria judged on them."""

    name: str
    rows: list[Row]
    criteria: list[Criterion]

    def as_json(self) -> dict[str, object]:
        """As plain lists and dictionaries."""
        return asdict(self)
