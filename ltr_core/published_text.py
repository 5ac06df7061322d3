"""How published values read beside ours: as a card that states them, as a table that compares."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from ltr_core.ledger_text import summary_text

MEANING = (
    "Ours agrees where its mean lies within ± of the published value, which was set before "
    "ours was computed; ± of ours is the spread over networks or seeds, n of them."
)

_AGREES: dict[bool | None, str] = {
    True: "✓ agrees",
    False: "✗ does not agree",
    None: "– not judged",
}


def agreement(verdicts: Sequence[bool | None]) -> str:
    """How many agree, in words: ``2 of 3 agree``."""
    if None in verdicts:
        return "not judged at smoke scale"
    return f"{sum(map(bool, verdicts))} of {len(verdicts)} agree"


def stated_card(record: Mapping[str, Any]) -> str:
    """What a figure's published values are, before ours are known; folded."""
    head = ["quantity", _heading("published ± tolerance", record)]
    rows = [[_text(row["quantity"]), _published(row)] for row in record["rows"]]
    facts = [("Source", record["source"]), ("Ours", record["setting"])]
    return _card(
        record,
        "stated",
        "stated, not yet compared",
        f"<details><summary>Published values and source</summary>{_table(head, rows)}"
        f"{_facts(facts)}<p>{_text(MEANING)}</p></details>",
    )


def compared_card(record: Mapping[str, Any]) -> str:
    """A figure's published values with ours beside them."""
    status = agreement([row["agrees"] for row in record["rows"]])
    note = f"<details><summary>What agrees means</summary><p>{_text(MEANING)}</p></details>"
    return _card(
        record, "compared", status, comparison_table(record) + _facts(settings(record)) + note
    )


def comparison_table(record: Mapping[str, Any]) -> str:
    """Quantity, published, ours, agrees; and ours at the published size, where it is known."""
    at_size = record["at_published_size"] is not None
    head = ["quantity", _heading("published ± tolerance", record), "ours, mean ± sd", "verdict"]
    head += ["ours, at the published size"] if at_size else []
    rows = []
    for row in record["rows"]:
        cells = [
            _text(row["quantity"]),
            _published(row),
            _ours(row),
            _verdict(row),
        ]
        if at_size:
            other = row["at_published_size"]
            cells.append(f"{_ours(other)}<br>{_verdict(other)}" if other else "–")
        rows.append(cells)
    return _table(head, rows)


def settings(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """With what ours was made, and ours at the published size, each under its heading."""
    facts = [("Ours", record["setting"])]
    if record["at_published_size"] is not None:
        facts.append(("At the published size", record["at_published_size"]["setting"]))
    return facts


def comparison_text(record: Mapping[str, Any]) -> str:
    """The comparison in plain text, one line for each quantity."""
    lines = [record["figure"]]
    for row in record["rows"]:
        ours = "; ".join(filter(None, [_summary(row), row["missing"]]))
        published = f"{row['published']:g} ± {row['tolerance']:g}"
        verdict = _AGREES[row["agrees"]]
        lines.append(f"{row['quantity']}: published {published}, ours {ours}: {verdict}")
    return "\n".join(lines)


def _card(record: Mapping[str, Any], state: str, status: str, body: str) -> str:
    return (
        f'<div class="ltr-published" data-published="{state}" data-figure="{_text(record["id"])}">'
        f'<p class="ltr-claim-head"><strong>{_text(record["figure"])}</strong> '
        f'<span class="ltr-claim-verdict">{_text(status)}</span></p>{body}</div>'
    )


def _heading(words: str, record: Mapping[str, Any]) -> str:
    return f"{words} ({record['unit']})" if record["unit"] else words


def _published(row: Mapping[str, Any]) -> str:
    return _unbroken(f"{_number(row['published'])} ± {_number(row['tolerance'])}")


def _number(value: float) -> str:
    """As it was stated: published numbers are not rounded."""
    return f"{value:.10g}".replace("-", "−")


def _summary(row: Mapping[str, Any]) -> str:
    return summary_text(row["ours"]) if row["ours"] else ""


def _ours(row: Mapping[str, Any]) -> str:
    return "<br>".join(filter(None, [_unbroken(_summary(row)), _text(row["missing"] or "")]))


def _unbroken(numbers: str) -> str:
    """Numbers that only break before their n."""
    return numbers.replace(" ", "\N{NO-BREAK SPACE}").replace("\N{NO-BREAK SPACE}(", " (")


def _verdict(row: Mapping[str, Any]) -> str:
    name = {True: "ltr-agrees", False: "ltr-differs", None: "ltr-open"}[row["agrees"]]
    words = _AGREES[row["agrees"]].replace(" ", "\N{NO-BREAK SPACE}", 1)  # the mark stays with them
    return f'<span class="{name}">{words}</span>'


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f"<dt>{_text(name)}</dt><dd>{_text(text)}</dd>" for name, text in facts)
    return f"<dl>{listed}</dl>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells (HTML) repeat their heading, for screens too narrow for it."""
    titles = "".join(f'<th scope="col">{_text(title)}</th>' for title in head)
    lines = []
    for row in rows:
        cells = [f'<th scope="row">{row[0]}</th>']
        cells += [
            f'<td data-label="{_text(title)}"><div>{cell}</div></td>'
            for title, cell in zip(head[1:], row[1:], strict=True)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<table class="table ltr-table ltr-agreement"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _text(text: str) -> str:
    return html.escape(text)
