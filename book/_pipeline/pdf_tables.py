"""The appendix of the printed book: claims and published numbers, each as one table."""

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from ltr_core.ledger_text import summary_text, verdict
from ltr_core.published_text import MEANING, agreement, comparison_table, settings

from .pdf_parts import anchor

_STATES = {True: "holds", False: "fails", None: "open"}


def claims_table(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Every claim: statement, criterion as an expression, what was measured, controls, verdict."""
    if not rows:
        return "<p>No claim has been recorded: the ledger is empty.</p>"
    head = ["Claim", "Statement", "Criterion", "Measured, mean ± sd", "Controls", "Verdict"]
    groups = []
    for chapter, members in groupby(rows, key=lambda row: str(row["chapter"])):
        title = html.escape(titles.get(chapter, chapter))
        first = f'<tr class="group"><th colspan="6" scope="rowgroup">{title}</th></tr>'
        groups.append(f"<tbody>{first}{''.join(map(_claim, members))}</tbody>")
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f"<p>{_overview(rows)} A claim holds if its criterion, written before the result was "
        "known, is true of what was measured and false of every control; n is the number of "
        "networks or seeds. The criterion in words, and values for comparison that do not enter "
        "the verdict, stand in the claim’s chapter.</p>"
        f'<table class="claims"><thead><tr>{columns}</tr></thead>{"".join(groups)}</table>'
    )


def _overview(rows: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(verdict(row) for row in rows)
    parts = "; ".join(f"{html.escape(words)}: {n}" for words, n in counts.most_common())
    return f"{len(rows)} claims. {parts}. Computed at {computed_at(rows)}."


def computed_at(rows: Sequence[Mapping[str, Any]]) -> str:
    """Scale and seed of the ledger's rows, in words."""
    return "; ".join(sorted({f"{row['scale']} scale, seed {row['seed']}" for row in rows}))


def _claim(row: Mapping[str, Any]) -> str:
    cells = [
        _prose(row["statement"]),
        f"<code>{_breakable(row['expression'])}</code>",
        _values(row["measured"]),
        "".join(
            f'<p class="control">{html.escape(name)}</p>{_values(values)}'
            for name, values in row["control"].items()
        ),
        f'<span class="{_STATES[row["holds"]]}">{html.escape(verdict(row))}</span>',
    ]
    identity = anchor("scorecard", f"claim-{_make_id(row['id'])}")
    named = html.escape(row["id"]).replace(".", ".<wbr>")
    rest = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr id="{identity}"><th scope="row">{named}</th>{rest}</tr>'


def _values(measured: Mapping[str, Any]) -> str:
    return "".join(
        f"<p><code>{html.escape(name)}</code> {summary_text(found)}</p>"
        for name, found in measured.items()
    )


def _prose(text: str) -> str:
    """A statement, whose formulas stand between dollar signs."""
    return re.sub(r"\$([^$]+)\$", r'<span class="math">\\(\1\\)</span>', html.escape(text))


def _breakable(code: str) -> str:
    """An expression that may break after its commas and before its signs."""
    return re.sub(r"(?<=[,(_])", "<wbr>", html.escape(code))


def _make_id(name: str) -> str:
    """As docutils makes an id of a claim's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def published_table(records: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Every published number with the book's own beside it, figure by figure."""
    if not records:
        return "<p>No chapter compares its values with published ones.</p>"
    agree = agreement([row["agrees"] for record in records for row in record["rows"]])
    return f"<p>Computed at {computed_at(records)}: {agree}. {MEANING}</p>" + "".join(
        _figure(record, titles) for record in records
    )


def _figure(record: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    chapter = str(record["chapter"])
    identity = anchor("scorecard", _make_id(f"published-{chapter}-{record['id']}"))
    made = "".join(
        f"<p><strong>{name}:</strong> {html.escape(text)}</p>"
        for name, text in [("Source", record["source"]), *settings(record)]
    )
    title = f"{html.escape(record['figure'])} ({html.escape(titles.get(chapter, chapter))})"
    return (
        f'<div class="published" id="{identity}"><p class="published-title">{title}</p>'
        f"{comparison_table(record)}{made}</div>"
    )
