"""The page of a report: one HTML file with its pictures inside, for light and dark screens."""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ltr_core.charts.output import spec_of, static_svg
from ltr_core.charts.style import PAGE, Theme
from ltr_core.examination import Examination

STYLE = f"""
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
  margin: 0 auto; max-width: 46rem; padding: 1rem; overflow-wrap: anywhere;
  background: {PAGE["light"]}; color: #222832; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; }}
h2 {{ font-size: 1.15rem; margin-top: 2rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #8886; padding: .25rem .9rem .25rem 0; text-align: left;
  vertical-align: top; }}
td.number {{ font-variant-numeric: tabular-nums; }}
figure {{ margin: 1.5rem 0; }}
img {{ display: block; max-width: 100%; height: auto; }}
figcaption {{ font-size: .9rem; }}
.note {{ border-left: 4px solid #EA5F0F; padding-left: .8rem; }}
footer {{ margin-top: 2rem; font-size: .85rem; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: {PAGE["dark"]}; color: #ced6dd; }}
}}
"""


class Figure(NamedTuple):
    """A chart, and what `charts.show` and a report say about it.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import charts
    >>> from ltr_core.reports import Figure
    >>> chart = charts.overview(charts.Overview(time=np.arange(3.0), trial_factors=np.ones((4, 1))))
    >>> figure = Figure(chart, "factors", "Trial factors.", "A line that does not change.")
    >>> figure.name  # charts.show(**figure._asdict()) shows it in a notebook
    'factors'
    """

    chart: Any
    name: str
    caption: str
    alt: str


def page(
    title: str,
    examination: Examination,
    *,
    verdict: str,
    scores: pd.DataFrame,
    figures: Sequence[Figure],
    facts: Mapping[str, Any],
) -> str:
    """The whole page; every text is escaped."""
    fitted = facts["fitted"]
    found = [_paragraph(verdict), _scores(scores)]
    if fitted["interrupted"]:
        found.insert(0, _note("The fit was interrupted: this is how far it had come."))
    settings = {
        **{f"read with {name}": value for name, value in facts["loaded_with"].items()},
        **facts["model"],
        "tau used (s)": f"{fitted['tau']:.4g}",
        "steps taken": fitted["steps"],
    }
    file = facts["file"]
    source = [] if file is None else [_paragraph(f"{file['name']}, SHA-256 {file['sha256']}")]
    warnings = [_note(text) for text in examination.warnings] or [_paragraph("Nothing stands out.")]
    parts = [
        "<h2>The recording</h2>",
        *source,
        *(_paragraph(text) for text in examination.sentences),
        "<h2>To look out for</h2>",
        *warnings,
        "<h2>What the fit is worth</h2>",
        *found,
        "<h2>Pictures</h2>" if figures else "",
        *(_figure(figure) for figure in figures),
        "<h2>Settings</h2>",
        _table([(name, _shown(value)) for name, value in settings.items()]),
        "<h2>The files beside this page</h2>",
        _paragraph(
            "model.safetensors holds the fitted model: LtrRNN.load('model.safetensors') in Python "
            "(ltr_core). scores.csv and, where several ranks were tried, ranks.csv hold the "
            "held-out scores; settings.json the settings."
        ),
        _footer(facts),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


def _scores(scores: pd.DataFrame) -> str:
    """Mean and range of each model's scores."""
    rows, ranged = [], False
    for name, group in scores.groupby("model", sort=False)["score"]:
        known = group.dropna()
        shown = "failed" if known.empty else f"{known.mean():.4f}"
        if len(known) > 1:
            ranged = True
            shown += f" ({known.min():.4f} to {known.max():.4f})"
        rows.append((str(name), shown))
    means = ": mean (least to most)" if ranged else ""
    heads = ("model", f"held-out score, {scores['metric'].iloc[0]}{means}")
    return _table(rows, heads)


def _table(rows: Sequence[tuple[str, str]], heads: tuple[str, str] | None = None) -> str:
    head = ""
    if heads:
        cells = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
        head = f"<thead><tr>{cells}</tr></thead>"
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        f'<td class="number">{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def _figure(figure: Figure) -> str:
    spec = spec_of(figure.chart, name=figure.name, description=figure.alt)
    light, dark = (_picture(spec, theme) for theme in ("light", "dark"))
    caption = html.escape(" ".join(figure.caption.split()))
    return (
        f'<figure id="{html.escape(figure.name)}"><picture>'
        f'<source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img alt="{html.escape(figure.alt)}" src="{light}"></picture>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _picture(spec: Mapping[str, Any], theme: Theme) -> str:
    coded = base64.b64encode(static_svg(spec, theme).encode()).decode()
    return f"data:image/svg+xml;base64,{coded}"


def _shown(value: Any) -> str:
    if value is None:
        return "chosen by the model"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value)


def _footer(facts: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return f"<footer>Written {html.escape(facts['written'])} with {html.escape(versions)}.</footer>"
