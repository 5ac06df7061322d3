"""Two ledgers held against each other: what a new build says of the claims of an old one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .project import BuildError, Project, write_atomically

Row = Mapping[str, Any]
COMPARED = ("id", "scale", "seed", "holds", "expression", "measured")
# What rounding alone may move where the values of a claim do not spread.
RELATIVE, ABSOLUTE = 1e-6, 1e-9


def compare_ledgers(old: Path, new: Path) -> None:
    """Print what changed; raise BuildError if a claim was lost, flipped, restated or moved.

    A claim has *moved* if the mean of something that it measures is further from the old one than
    the larger of both standard deviations (over networks or seeds); it is *restated* if its
    criterion is another. One that was not run, for want of its data, is not compared. Claims that
    are new are told, and are no reason to fail.

    Raises
    ------
    BuildError
        Also for a file that cannot be read as a ledger, or ledgers of different scales or seeds.
    """
    before, after = (_rows(path) for path in (old, new))
    _check_made_alike(old, before, new, after)
    for name in sorted(after.keys() - before.keys()):
        print(f"  {name}: new")
    found = list(_differences(before, after))
    for line in found:
        print(f"  {line}")
    if found:
        raise BuildError(f"{len(found)} difference{'s' * (len(found) > 1)} from {old}, see above")
    print(f"  {len(before)} claims as in {old}")


def keep_reference(project: Project) -> Path:
    """Keep the last build's ledger, less what no comparison reads, as the one to compare with.

    Raises
    ------
    BuildError
        Without a ledger, with one that is not of scale book and seed 0, or with a claim that was
        not run.
    """
    path = project.build / "ledger.json"
    rows = _rows(path)
    if {(row["scale"], row["seed"]) for row in rows.values()} != {("book", 0)}:
        raise BuildError(f"{path} is not of scale book, seed 0: make book")
    not_run = [name for name, row in rows.items() if row["holds"] is None]
    if not_run:
        raise BuildError(f"{', '.join(not_run)}: not run, for want of their data (LTR_DATA_DIR)")
    kept = [{name: row[name] for name in COMPARED} for row in rows.values()]
    write_atomically(project.reference, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return project.reference


def _differences(before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[str]:
    for name, row in before.items():
        now = after.get(name)
        if now is None:
            yield f"{name}: lost, the new ledger has no such claim"
        elif None in (row["holds"], now["holds"]):  # not run in one of them
            continue
        elif row["expression"] != now["expression"]:
            yield f"{name}: restated, {row['expression']} became {now['expression']}"
        else:
            if row["holds"] != now["holds"]:
                yield f"{name}: flipped, {_verdict(row)} before and {_verdict(now)} now"
            yield from _moved(name, row["measured"], now["measured"])


def _moved(name: str, before: Row, after: Row) -> Iterator[str]:
    for quantity in sorted(before.keys() | after.keys()):
        if quantity not in before or quantity not in after:
            where = "new" if quantity in before else "old"
            yield f"{name}: {quantity} is not measured in the {where} ledger"
            continue
        one, other = before[quantity], after[quantity]
        size = max(abs(one["mean"]), abs(other["mean"]))
        allowed = max(one["sd"], other["sd"], RELATIVE * size, ABSOLUTE)
        way = other["mean"] - one["mean"]
        if abs(way) > allowed:
            yield (
                f"{name}: {quantity} moved from {one['mean']:.4g} to {other['mean']:.4g}, by more "
                f"than its spread ({allowed:.2g})"
            )


def _verdict(row: Row) -> str:
    return "held" if row["holds"] else "did not hold"


def _check_made_alike(
    old: Path, before: Mapping[str, Row], new: Path, after: Mapping[str, Row]
) -> None:
    made = [{(row["scale"], row["seed"]) for row in rows.values()} for rows in (before, after)]
    if made[0] != made[1]:
        told = [
            " and ".join(f"scale {scale}, seed {seed}" for scale, seed in sorted(one)) or "no claim"
            for one in made
        ]
        raise BuildError(f"{old} is of {told[0]}, {new} of {told[1]}: they cannot be compared")


def _rows(path: Path) -> dict[str, Row]:
    """The ledger's rows by their ids."""
    try:
        rows: Sequence[Row] = json.loads(path.read_text(encoding="utf-8"))
        return {str(_checked(row)["id"]): row for row in rows}
    except FileNotFoundError as error:
        raise BuildError(
            f"there is no ledger {path}: make book writes _build/ledger.json"
        ) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BuildError(f"{path} is not a ledger ({type(error).__name__}: {error})") from error


def _checked(row: Row) -> Row:
    """The row, if it has all that is compared (KeyError or TypeError otherwise)."""
    for name in COMPARED:
        row[name]
    for values in row["measured"].values():
        float(values["mean"]), float(values["sd"])
    return row
