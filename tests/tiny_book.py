"""A book of two small chapters in a temporary folder, to be broken."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIPELINE = Path(__file__).resolve().parent.parent / "book" / "_pipeline"

PARAMETERS = '# %% tags=["parameters"]\nscale = "book"  # how large\nseed = 0'

CONFIG = """\
title: Tiny
author: nobody
repository: {url: ""}
sphinx:
  config: {suppress_warnings: [mystnb.unknown_mime_type]}
"""

CONTENTS = """\
format: jb-book
root: intro
chapters:
- file: 01_first
- file: 02_second
"""

DRAW = """\
import random
random.seed(seed)
print(scale)
random.random()"""


def claim_cell(id: str, chapter: str) -> str:
    """Source of a cell that puts one row into the ledger, without the package's help."""
    row = {
        "id": id,
        "claim": "P3",
        "chapter": chapter,
        "statement": "s",
        "source": "P",
        "criterion": "c",
        "expression": "x > 0",
        "measured": {"x": {"values": [1.0], "mean": 1.0, "sd": None}},
        "control": {},
        "comparison": {},
        "holds": None,
    }
    return (
        "import json\nfrom IPython.display import display\n"
        f"row = json.loads({json.dumps(row)!r}) | dict(scale=scale, seed=seed)\n"
        'display({"application/vnd.ltr.claim+json": row, "text/plain": row["id"]}, raw=True)'
    )


def published_cell(id: str, chapter: str) -> str:
    """Source of a cell that compares a published value, without the package's help."""
    row = {
        "quantity": "g 0",
        "published": 105.0,
        "tolerance": 50.0,
        "ours": {"values": [70.0, 74.0], "mean": 72.0, "sd": 2.8},
        "missing": None,
        "agrees": True,
        "at_published_size": None,
    }
    record = {
        "id": id,
        "chapter": chapter,
        "figure": "Learning time",
        "source": "S",
        "setting": "N 256",
        "unit": "epochs",
        "rows": [row],
        "at_published_size": None,
    }
    mime = "application/vnd.ltr.published+json"
    return (
        "from types import SimpleNamespace\nfrom IPython.display import display\n"
        f"show = lambda record: display({{{mime!r}: record, 'text/plain': '-'}}, raw=True)\n"
        "chapter = SimpleNamespace(published=show)\n"
        f"chapter.published({record!r} | dict(scale=scale, seed=seed))"
    )


FIGURE_CELL = """\
bundle = {"name": "fig-line", "caption": "A line.", "alt": "a line"}
data = {"application/vnd.ltr.figure+json": bundle, "text/html": "<p>line</p>"}
display(data, raw=True)"""


@dataclass
class TinyBook:
    """The project's folder, and how to run the pipeline on it."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> "TinyBook":
        """Two chapters, each with a claim, the first with a figure, the second compared."""
        book = cls(root)
        (root / "book").mkdir(parents=True)
        (root / "_config.yml").write_text(CONFIG)
        (root / "_toc.yml").write_text(CONTENTS)
        (root / "book" / "intro.md").write_text("# Welcome\n\n[Begin](01_first.py)\n")
        book.chapter("01_first", DRAW, claim_cell("P3.one", "01_first"), FIGURE_CELL)
        comparison = published_cell("time", "02_second")
        book.chapter("02_second", claim_cell("P3.two", "02_second"), comparison)
        return book

    def chapter(self, name: str, *cells: str, parameters: str = PARAMETERS) -> None:
        """Write a chapter: a heading, the parameters, and these code cells."""
        parts = [
            f"# %% [markdown]\n# # Chapter {name}\n# See [both](02_second.py).",
            parameters,
            *(f"# %%\n{c}" for c in cells),
        ]
        (self.root / "book" / f"{name}.py").write_text("\n\n".join(parts) + "\n")

    def start(self, command: str, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Start ``python book/_pipeline COMMAND OPTIONS`` on this book, at smoke scale."""
        arguments = [command, "--root", str(self.root), "--scale", "smoke", *options]
        return subprocess.Popen(
            [sys.executable, str(PIPELINE), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def run(self, command: str, *options: str, **environment: str) -> tuple[int, str, str]:
        """Run it to its end: exit status, standard output, standard error."""
        process = self.start(command, *options, **environment)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def states(self, out: str) -> dict[str, str]:
        """The last state of each chapter that the output reports."""
        lines = [line.split() for line in out.splitlines() if line.startswith("  0")]
        return {words[0]: words[1] for words in lines}

    @property
    def executed(self) -> Path:
        return self.root / "_build" / "executed" / "smoke-0"

    def notebook_bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.executed.glob("*.ipynb")}

    def site_bytes(self) -> dict[str, bytes]:
        html = self.root / "_build" / "html"
        return {
            str(path.relative_to(html)): path.read_bytes()
            for path in html.rglob("*")
            if path.is_file()
        }

    def page(self, name: str) -> str:
        return (self.root / "_build" / "html" / f"{name}.html").read_text(encoding="utf-8")

    def times(self) -> dict[str, int]:
        """When each executed notebook and page of the site was written."""
        build = self.root / "_build"
        files = [*self.executed.iterdir(), *(build / "html").rglob("*.html")]
        return {str(path): path.stat().st_mtime_ns for path in files}

    def json(self, name: str) -> Any:
        return json.loads((self.root / "_build" / name).read_text())
