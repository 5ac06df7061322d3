"""How the ledger reads: verdicts, values with their spread, claims as cards and as a table."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_VERDICTS: dict[bool | None, str] = {
    True: "✓ holds",
    False: "✗ does not hold",
    None: "– not judged at smoke scale",
}


def verdict(row: Mapping[str, Any]) -> str:
    """A row's verdict in words, with a mark before it."""
    if row.get("not_run"):
        return f"– not run: {row['not_run']}"
    return _VERDICTS[row["holds"]]


def ledger_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The ledger as a Markdown table: claim, criterion, mean of what was measured, verdict."""
    lines = ["| claim | statement | criterion | measured | controls | verdict |", "|---" * 6 + "|"]
    for row in rows:
        controls = [f"{name}: {_means(values)}" for name, values in row["control"].items()]
        measured, criterion = _means(row["measured"]), f"`{row['expression']}`"
        cells = [row["id"], row["statement"], criterion, measured, "; ".join(controls)]
        escaped = [cell.replace("|", "\\|") for cell in [*cells, verdict(row)]]
        lines.append("| " + " | ".join(escaped) + " |")
    return "\n".join(lines)


def _means(measured: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_rounded(found['mean'])}" for name, found in measured.items())


def _rounded(value: float, digits: int = 3) -> str:
    """Significant digits; larger numbers, such as epochs, as whole ones instead of powers."""
    whole = 10**digits - 0.5 <= abs(value) < 1e6
    return f"{value:.0f}" if whole else f"{value:.{digits}g}"


def summary(values: Sequence[float] | np.ndarray) -> dict[str, Any]:
    """Values with their mean and, from two on, their standard deviation, as rows hold them."""
    array = np.asarray(values, dtype=float).ravel()
    sd = float(array.std(ddof=1)) if array.size > 1 else None
    return {"values": array.tolist(), "mean": float(array.mean()), "sd": sd}


def summary_text(summary: Mapping[str, Any]) -> str:
    """Mean, spread and number of values: ``0.93 ± 0.01 (n = 5)``."""
    n = len(summary["values"])
    mean = _rounded(summary["mean"]).replace("-", "−")
    if summary["sd"] is None:
        return f"{mean} (n = {n})"
    # what is left of equal values by rounding is no spread
    spread = summary["sd"] if summary["sd"] > 1e-12 * abs(summary["mean"]) else 0.0
    return f"{mean} ± {_rounded(spread, 2)} (n = {n})"


def card(row: Mapping[str, Any]) -> str:
    """A row as an HTML card; as long as it is not judged, criterion and source are folded."""
    text = {name: html.escape(row[name]) for name in ("id", "statement", "source", "criterion")}
    judged = "holds" in row
    holds = {True: "true", False: "false", None: "null"}[row["holds"]] if judged else "stated"
    status = verdict(row) if judged else "stated, not yet measured"
    criterion = f"{text['criterion']}<br><code>{html.escape(row['expression'])}</code>"
    entries = {"Criterion": criterion}
    if not judged:
        entries["Source"] = text["source"]
    else:
        entries["Measured"] = _list(row["measured"]) or "nothing"
        entries |= {
            f"{kind}: {html.escape(name)}": _list(values)
            for kind, key in (("Control", "control"), ("Beside it", "comparison"))
            for name, values in row[key].items()
        }
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries.items())
    details = f"<dl>{listed}</dl>"
    if not judged:
        details = f"<details><summary>Criterion and source</summary>{details}</details>"
    return (
        f'<div class="ltr-claim" data-holds="{holds}" data-claim="{text["id"]}">'
        f'<p class="ltr-claim-head"><strong>{text["id"]}</strong> '
        f'<span class="ltr-claim-verdict">{html.escape(status)}</span></p>'
        f"<p>{text['statement']}</p>{details}</div>"
    )


def _list(measured: Mapping[str, Any]) -> str:
    return "<br>".join(
        f"<code>{html.escape(name)}</code> {summary_text(summary)}"
        for name, summary in measured.items()
    )
