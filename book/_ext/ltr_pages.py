"""Sphinx extension: pages made from the build's records.

`{verdicts}` counts the claims that hold and names those that do not (`ledger.json`);
`{ledger}` shows every claim with its criterion, values and verdict (`ledger.json`);
`{published}` shows every published value with the book's own beside it (`published.json`);
`{execution}` shows what each chapter cost and where it ran (`execution.json`). These files lie in
the folder that Sphinx reads.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from ltr_text import duration, memory, when
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from ltr_core.ledger_text import summary_text, verdict
from ltr_core.published_text import MEANING, agreement, comparison_table, settings


class Page(SphinxDirective):
    """A directive without content whose nodes come from a file of the build."""

    has_content = False

    def read(self, path: Path) -> Any:
        """The file's JSON or YAML; the page is made again when the file changes."""
        self.env.note_dependency(str(path))
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ExtensionError(
                f"{self.env.docname}: {path} cannot be read ({error.strerror}); the build writes "
                "it before Sphinx runs"
            ) from error
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)

    def record(self, name: str) -> list[dict[str, Any]]:
        """A list that the pipeline left beside the pages."""
        return list(self.read(Path(self.env.srcdir) / name))

    def prose(self, text: str) -> list[nodes.Node]:
        """MyST text as nodes."""
        return list(self.parse_text_to_nodes(text))

    def inline(self, text: str) -> list[nodes.Node]:
        """MyST text of one paragraph, without the paragraph."""
        parsed = self.prose(text)
        single = len(parsed) == 1 and isinstance(parsed[0], nodes.paragraph)
        return list(parsed[0].children) if single else parsed

    def chapter(self, name: str) -> nodes.Node:
        """Link to a chapter, reading as its title."""
        reference = addnodes.pending_xref(
            "", refdomain="std", reftype="doc", reftarget=f"/{name}", refexplicit=False
        )
        reference["refdoc"] = self.env.docname
        reference += nodes.inline("", name)
        return reference


class Ledger(Page):
    """Every claim of the book: what was predicted, by which criterion, and what came out."""

    def run(self) -> list[nodes.Node]:
        """One section for each row."""
        rows = self.record("ledger.json")
        if not rows:
            return self.prose("No claim has been recorded: the ledger is empty.")
        counts = Counter(verdict(row) for row in rows)
        parts = [f"{words}: **{n}**" for words, n in counts.most_common()]
        scales = sorted({f"{row['scale']} scale, seed {row['seed']}" for row in rows})
        noun = "claim" if len(rows) == 1 else "claims"
        overview = f"{len(rows)} {noun}. {'; '.join(parts)}. Computed at {'; '.join(scales)}."
        return [*self.prose(overview), *(self.claim(row) for row in rows)]

    def claim(self, row: dict[str, Any]) -> nodes.Node:
        """One claim as a section with a heading of its own."""
        section = nodes.section(ids=[f"claim-{nodes.make_id(row['id'])}"], names=[])
        section += nodes.title("", row["id"])
        state = {True: "true", False: "false", None: "null"}[row["holds"]]
        card = nodes.compound(classes=["ltr-row", f"ltr-holds-{state}"])
        card += nodes.paragraph("", "", nodes.inline("", verdict(row), classes=["ltr-verdict"]))
        card += nodes.paragraph("", "", *self.inline(row["statement"]))
        card += definitions(
            [
                ("Chapter", [self.chapter(row["chapter"])]),
                ("Source", self.inline(row["source"])),
                ("Criterion", self.inline(row["criterion"])),
                ("As an expression", [nodes.literal("", row["expression"])]),
            ]
        )
        if row["measured"]:
            card += table(["quantity", "mean ± sd"], self.values(row), classes=["ltr-values"])
        section += card
        return section

    def values(self, row: dict[str, Any]) -> Iterable[list[list[nodes.Node]]]:
        """Rows of the table of values: the measured, each control, each comparison."""
        groups = [("", row["measured"])]
        groups += [(f"control, {name}", values) for name, values in row["control"].items()]
        groups += [(f"beside it, {name}", values) for name, values in row["comparison"].items()]
        for label, values in groups:
            for name, numbers in values.items():
                what: list[nodes.Node] = [nodes.literal("", name)]
                if label:
                    what += [nodes.Text(" "), nodes.inline("", label, classes=["ltr-control"])]
                yield [what, [nodes.Text(summary_text(numbers))]]


class Verdicts(Page):
    """How many claims hold, and which do not, in a sentence."""

    def run(self) -> list[nodes.Node]:
        """One paragraph."""
        return self.prose(outcome(self.record("ledger.json")))


class Published(Page):
    """Every published value that the book compares with one of its own, figure by figure."""

    def run(self) -> list[nodes.Node]:
        """One section with a table for each figure."""
        records = self.record("published.json")
        if not records:
            return self.prose("No chapter compares its values with published ones.")
        rows = [row for record in records for row in record["rows"]]
        scales = sorted({f"{record['scale']} scale, seed {record['seed']}" for record in records})
        agree = agreement([row["agrees"] for row in rows])
        words = f"Computed at {'; '.join(scales)}: {agree}. {MEANING}"
        at_size = [row["at_published_size"] for row in rows if row["at_published_size"]]
        if at_size:
            words += f" At the published sizes: {agreement([row['agrees'] for row in at_size])}."
        return [*self.prose(words), *(self.figure(record) for record in records)]

    def figure(self, record: dict[str, Any]) -> nodes.Node:
        """One figure as a section with a heading of its own."""
        name = nodes.make_id(f"published-{record['chapter']}-{record['id']}")
        section = nodes.section(ids=[name], names=[])
        section += nodes.title("", record["figure"])
        section += nodes.raw("", comparison_table(record), format="html")
        made = [(name, [nodes.Text(text)]) for name, text in settings(record)]
        section += definitions(
            [
                ("Chapter", [self.chapter(record["chapter"])]),
                ("Source", self.inline(record["source"])),
                *made,
            ]
        )
        return section


class Execution(Page):
    """What each chapter cost when the site was built, and with what it ran."""

    def run(self) -> list[nodes.Node]:
        """A table of the chapters, then one list for each environment that they ran in."""
        stamps = self.record("execution.json")
        if not stamps:
            return self.prose("No chapter has been executed.")
        head = ["Chapter", "Scale", "Seed", "Time", "Peak memory", "Date (UTC)"]
        chapters = table(
            head,
            [
                [[self.chapter(stamp["chapter"])], *([nodes.Text(text)] for text in costs(stamp))]
                for stamp in stamps
            ],
        )
        return [chapters, *self.environments(stamps)]

    def environments(self, stamps: Sequence[dict[str, Any]]) -> Iterable[nodes.Node]:
        """Hardware and versions, once for all chapters that share them."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for stamp in stamps:
            same = [stamp["hardware"], stamp["python"], stamp["packages"]]
            groups.setdefault(json.dumps(same, sort_keys=True), []).append(stamp)
        for number, members in enumerate(groups.values(), start=1):
            name = "Environment" if len(groups) == 1 else f"Environment {number}"
            section = nodes.section(ids=[nodes.make_id(name)], names=[])
            section += nodes.title("", name)
            if len(groups) > 1:
                links = nodes.bullet_list("")
                for stamp in members:
                    link = self.chapter(stamp["chapter"])
                    links += nodes.list_item("", nodes.paragraph("", "", link))
                section += links
            section += self.environment(members[0])
            yield section

    def environment(self, stamp: dict[str, Any]) -> nodes.Node:
        """Hardware and versions of one stamp."""
        versions = [
            (name, [nodes.Text(version)]) for name, version in sorted(stamp["packages"].items())
        ]
        return definitions(
            [
                ("Hardware", [nodes.Text(stamp["hardware"])]),
                ("Python", [nodes.Text(stamp["python"])]),
                *versions,
            ]
        )


def outcome(rows: Sequence[dict[str, Any]]) -> str:
    """How many claims of the ledger hold, and which do not, as MyST text."""
    judged = [row for row in rows if row["holds"] is not None]
    if not judged:
        return "This build has no verdicts: at scale smoke no claim is judged."
    failed = [row["id"] for row in judged if not row["holds"]]
    text = f"In this build **{len(judged) - len(failed)} of {len(judged)}** claims hold."
    if failed:
        named = ", ".join(f"*{name}*" for name in failed)
        text += f" **{len(failed)}** {'does' if len(failed) == 1 else 'do'} not: {named}."
    unjudged = len(rows) - len(judged)
    if unjudged:
        text += f" {unjudged} {'was' if unjudged == 1 else 'were'} not run."
    return text


def costs(stamp: dict[str, Any]) -> list[str]:
    """Scale, seed, time, memory and date of one chapter's run, as texts."""
    return [
        stamp["scale"],
        str(stamp["seed"]),
        duration(stamp["elapsed_s"]),
        memory(stamp["peak_memory_mb"]),
        when(stamp["finished"]),
    ]


def definitions(items: Iterable[tuple[str, list[nodes.Node]]]) -> nodes.Node:
    """Terms and what they are, as a definition list."""
    listed = nodes.definition_list(classes=["simple", "ltr-facts"])
    for term, children in items:
        listed += nodes.definition_list_item(
            "",
            nodes.term("", term),
            nodes.definition("", nodes.paragraph("", "", *children)),
        )
    return listed


def table(
    head: Sequence[str], rows: Iterable[Sequence[list[nodes.Node]]], classes: Sequence[str] = ()
) -> nodes.table:
    """A table of these cells under these headings."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    titles = [[nodes.Text(title)] if title else [] for title in head]
    group += nodes.thead("", _row(titles))
    group += nodes.tbody("", *(_row(cells) for cells in rows))
    return nodes.table("", group, classes=["ltr-table", *classes])


def _row(cells: Iterable[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_directive("verdicts", Verdicts)
    app.add_directive("published", Published)
    app.add_directive("execution", Execution)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
