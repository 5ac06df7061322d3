"""The ledger: claims with criteria that are written before their results are known.

A chapter opens with its claims, each with a criterion in words and as an expression, and judges
them once the values are measured. The verdict is computed, never typed in: a claim holds if its
expression is true of what was measured and *false of every control* that is given. The row travels
in the notebook's output; `rows_of` reads it from there.
"""

import html
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from IPython.display import display

from ltr_core.expressions import evaluate, names_in
from ltr_core.ledger_text import card, summary, verdict
from ltr_core.published import Published

MIME = "application/vnd.ltr.claim+json"
SCALES = ("smoke", "book", "paper")
FIELDS = (
    "id",
    "claim",
    "chapter",
    "statement",
    "source",
    "criterion",
    "expression",
    "measured",
    "control",
    "comparison",
    "holds",
    "scale",
    "seed",
)

Setting = TypeVar("Setting")
Values = Mapping[str, Sequence[float] | np.ndarray]


@dataclass(frozen=True)
class Chapter:
    """A chapter as it is being run: its name, its scale (smoke, book or paper), its seed.

    Examples
    --------
    >>> import contextlib, io
    >>> from ltr_core import Chapter
    >>> chapter = Chapter("01_weight_tensor", "book", seed=0)
    >>> chapter.at_scale(smoke=8, book=64, paper=512)
    64
    >>> says = {"statement": "Low rank.", "source": "a toy", "criterion": "The fit exceeds 0.9."}
    >>> with contextlib.redirect_stdout(io.StringIO()):  # cards, in a notebook
    ...     claim = chapter.claim("P3.fit", **says, expression="min(fit) > 0.9")
    ...     row = claim.judge({"fit": [0.97, 0.98]}, {"shuffled": {"fit": [0.4, 0.5]}})
    >>> row["holds"]
    True
    """

    name: str
    scale: str
    seed: int

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"scale is '{self.scale}': it must be one of {', '.join(SCALES)}.")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}: it must be a whole number, 0 or more.")

    def at_scale(self, *, smoke: Setting, book: Setting, paper: Setting) -> Setting:
        """The setting for the scale at which the chapter runs."""
        return {"smoke": smoke, "book": book, "paper": paper}[self.scale]

    def checkpoint(self, name: str) -> Path | None:
        """Where long work of this chapter may leave its state; None where it is short.

        Only at paper scale, and in the folder that the environment variable LTR_CHECKPOINTS names,
        as it does while the book is built.
        """
        folder = self._checkpoints
        return folder and folder / f"{self.name}-{self.seed}" / f"{name}.safetensors"

    def kept_cells(self) -> Path | None:
        """Where sweeps leave finished cells, for all chapters at one seed; as `checkpoint` says."""
        folder = self._checkpoints
        return folder and folder / f"cells-{self.seed}"

    @property
    def _checkpoints(self) -> Path | None:
        folder = os.environ.get("LTR_CHECKPOINTS")
        return None if folder is None or self.scale != "paper" else Path(folder)

    def claim(
        self, id: str, *, statement: str, source: str, criterion: str, expression: str
    ) -> "Claim":
        """State a claim and its criterion, and show them as a card.

        - `id`: the claim of the papers that it serves and a word of its own, ``P3.fit``.
        - `criterion`: in words. `expression`: the same in terms of the values' names, with
          comparisons, and, or, not, arithmetic, and min, max, mean, median, abs, sum.

        Raises ValueError for an id or an expression that cannot be read, or an empty text.
        """
        texts = {"statement": statement, "source": source, "criterion": criterion}
        for name, text in texts.items():
            if not text.strip():
                raise ValueError(f"{name} of claim {id} is empty: say it in words.")
        if not re.fullmatch(r"[A-Z]\d+\.[a-z][a-z0-9-]*", id):
            raise ValueError(f"id is '{id}': give the claim served and a word, like 'P3.fit'.")
        if not names_in(expression):
            raise ValueError(f"expression of claim {id} names no measured value: '{expression}'.")
        claim = Claim(self, id, statement, source, criterion, expression)
        display({"text/html": card(claim.stated), "text/plain": f"{id}: {criterion}"}, raw=True)
        return claim

    def published(
        self,
        name: str,
        *,
        figure: str,
        source: str,
        setting: str,
        values: Mapping[str, tuple[float | int, float | int]],
        unit: str = "",
    ) -> Published:
        """State a figure's published values before ours are known, and show them as a card.

        - `values`: for each quantity the published value and how far the mean of ours may be from
          it, both in `unit` (empty for pure numbers). `setting`: with what ours is made.

        Raises ValueError for an empty text, no values, one not finite, a tolerance not above 0.
        """
        stated = Published(
            self.name, self.scale, self.seed, name, figure, source, setting, unit, dict(values)
        )
        stated.show()
        return stated


@dataclass(frozen=True)
class Claim:
    """A claim that is stated and waits for its values; see `Chapter.claim`."""

    chapter: Chapter
    id: str
    statement: str
    source: str
    criterion: str
    expression: str

    @property
    def stated(self) -> dict[str, str]:
        """The part of the ledger's row that is known before anything is measured."""
        names = ("id", "statement", "source", "criterion", "expression")
        return {name: getattr(self, name) for name in names}

    def judge(
        self,
        measured: Values,
        controls: Mapping[str, Values] | None = None,
        comparisons: Mapping[str, Values] | None = None,
    ) -> dict[str, Any]:
        """Compute the verdict, show it as a card, and return the ledger's row.

        `measured`, each of `controls` and each of `comparisons` give, for every name in the
        expression, one value per network or seed. Controls must not pass; comparisons stand beside
        the measured values and do not enter the verdict, whether they pass or not. At smoke
        scale no verdict is given (`holds` is None).

        Raises ValueError where a name is missing or unknown, or a value is not finite.
        """
        controls, comparisons = controls or {}, comparisons or {}
        passed = self._passes(measured, "measured")
        fooled = [name for name, values in controls.items() if self._passes(values, name)]
        for name, values in comparisons.items():
            self._passes(values, name)  # the same checks
        return self._recorded(
            measured=_summaries(measured),
            control={name: _summaries(values) for name, values in controls.items()},
            comparison={name: _summaries(values) for name, values in comparisons.items()},
            holds=None if self.chapter.scale == "smoke" else passed and not fooled,
        )

    def not_run(self, why: str) -> dict[str, Any]:
        """Record that the claim was not put to the test, as where its data are not at hand.

        Shows it as a card and returns the ledger's row, whose `holds` is None.

        Raises ValueError without a reason.
        """
        if not why.strip():
            raise ValueError(f"Claim {self.id} is not run: say why in words.")
        empty: dict[str, Any] = {"measured": {}, "control": {}, "comparison": {}}
        return self._recorded(**empty, holds=None, not_run=why)

    def prose_assumes(self, row: Mapping[str, Any], *, holds: bool) -> None:
        """Show a warning where a run's verdict is not the one that the words after it speak of.

        The words are written for the book's own run; another seed or scale may come out otherwise.
        """
        if row["holds"] in (holds, None):
            return
        spoken, here = ("holds", "does not") if holds else ("does not hold", "does")
        note = (
            f"The words below were written for a run in which {self.id} {spoken}. Here it {here}."
        )
        shown = f'<div class="admonition warning"><p>{html.escape(note)}</p></div>'
        display({"text/html": shown, "text/plain": note}, raw=True)

    def _recorded(self, **found: Any) -> dict[str, Any]:
        """Show what was found as a card that carries the ledger's row."""
        row = {
            **self.stated,
            "claim": self.id.split(".", maxsplit=1)[0],
            "chapter": self.chapter.name,
            **found,
            "scale": self.chapter.scale,
            "seed": self.chapter.seed,
        }
        plain = f"{self.id}: {verdict(row)}"
        display({MIME: row, "text/html": card(row), "text/plain": plain}, raw=True)
        return row

    def _passes(self, values: Values, whose: str) -> bool:
        needed = names_in(self.expression)
        if needed != set(values):
            raise ValueError(
                f"Claim {self.id}: the expression needs {sorted(needed)}, "
                f"'{whose}' gives {sorted(values)}."
            )
        arrays = {name: np.asarray(value, dtype=float).ravel() for name, value in values.items()}
        for name, array in arrays.items():
            if array.size == 0 or not np.isfinite(array).all():
                raise ValueError(
                    f"Claim {self.id}: '{name}' of '{whose}' is {array.tolist()}: every value "
                    "must be finite, and there must be one."
                )
        return evaluate(self.expression, arrays)


def rows_of(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that an executed notebook (nbformat 4) carries, in their order.

    Raises ValueError for a row that lacks one of the ledger's fields.
    """
    rows = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            row = output.get("data", {}).get(MIME)
            if row is None:
                continue
            missing = [name for name in FIELDS if name not in row]
            if missing:
                raise ValueError(f"The row of claim {row.get('id', '?')} lacks {missing}.")
            rows.append(dict(row))
    return rows


def _summaries(values: Values) -> dict[str, Any]:
    return {name: summary(numbers) for name, numbers in values.items()}
