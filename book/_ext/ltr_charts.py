"""Sphinx extension: live Vega charts from the site's own files, on the pages that have charts.

A figure is a `div.ltr-chart` with a static picture and its Vega-Lite spec (see
`ltr_core.charts.output`). One shared script holds Vega, Vega-Lite and vega-embed; a small script
of ours draws each figure in the page's theme. Pages without charts load neither. Under each
figure stand links to its data, written as CSV files (see `ltr_chart_data`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vl_convert
from ltr_chart_data import figures, link_line, tables
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from ltr_core.charts.output import VEGA_LITE
from ltr_core.charts.style import config

VEGA_FILE = "ltr-vega.js"
DATA_FOLDER = "_downloads/data"
_EXPORTS = "window.ltrVega = {embed: vegaEmbed};"


def vega_script() -> str:
    """The shared script: Vega with its dependencies, and the two themes of the charts."""
    bundle = vl_convert.javascript_bundle(_EXPORTS, vl_version=VEGA_LITE)
    themes = json.dumps({"light": config("light"), "dark": config("dark")}, sort_keys=True)
    # The bundle declares hundreds of short global names: a function of their own keeps them in.
    return f"(function () {{\n{bundle}\nwindow.ltrVega.themes = {themes};\n}})();\n"


def has_charts(body: str) -> bool:
    """Whether a page's HTML holds a figure that the script can draw."""
    return 'class="ltr-chart"' in body


def with_data(body: str, outdir: Path, pathto: Callable[..., str]) -> str:
    """A page's HTML with links to each figure's data under it; the CSV files are written.

    `pathto` tells the address of a file of the site from the page. Raises `ExtensionError` for
    a figure whose data cannot be written.
    """
    parts, at = [], 0
    for figure, spec, end in figures(body):
        try:
            found = tables(spec, figure)
        except ValueError as error:
            raise ExtensionError(str(error)) from error
        names = [f"{figure}{'' if i == 0 else f'-{i + 1}'}.csv" for i in range(len(found))]
        (outdir / DATA_FOLDER).mkdir(parents=True, exist_ok=True)
        for name, table in zip(names, found, strict=True):
            target = outdir / DATA_FOLDER / name
            target.write_text(table.text, encoding="utf-8", newline="")
        addresses = [pathto(f"{DATA_FOLDER}/{name}", 1) for name in names]
        parts += [body[at:end], link_line(figure, found, addresses)]
        at = end
    return "".join([*parts, body[at:]])


def _write_vega(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / VEGA_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    script = vega_script()
    if not target.exists() or target.read_text(encoding="utf-8") != script:
        target.write_text(script, encoding="utf-8")


def _add_to_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    if has_charts(context.get("body", "")):
        context["body"] = with_data(context["body"], Path(app.outdir), context["pathto"])
        app.add_css_file("ltr-charts.css")
        app.add_js_file(VEGA_FILE, loading_method="defer")
        app.add_js_file("ltr-charts.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("ltr_look")
    app.connect("builder-inited", _write_vega)
    app.connect("html-page-context", _add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
