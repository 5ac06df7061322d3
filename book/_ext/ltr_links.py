"""Sphinx extension: buttons that open a chapter elsewhere, and what can be downloaded of a page.

The theme points launch and source buttons at the staged notebook, which is built and not in the
repository. Binder opens the percent script that git holds, as a notebook, through jupytext. Colab
opens notebooks only, and only those on GitHub: it gets one of its own, see `ltr_colab`. Services
that can open neither are left out. The executed notebook stays on offer as a download.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import ltr_colab
from sphinx.application import Sphinx

_OPENS_SCRIPTS = ("Binder", "JupyterHub")
# what a reader gets: (of a notebook, of another page), as text and tooltip
_DOWNLOADS = {
    "download-source-button": (
        ("Notebook with results (.ipynb)", "Download this chapter as it was executed"),
        ("Source of this page ({})", "Download the text that this page is made from"),
    ),
    "download-pdf-button": (
        ("Print this page, or save it as PDF", "Open the browser's print dialogue"),
        ("Print this page, or save it as PDF", "Open the browser's print dialogue"),
    ),
}


def to_source(url: str, pagename: str) -> str:
    """The address with the page's staged notebook replaced by its script."""
    return re.sub(rf"{re.escape(pagename)}\.ipynb\b", f"{pagename}.py", url)


def source_buttons(
    buttons: list[dict[str, Any]], pagename: str, colab: str = ""
) -> list[dict[str, Any]]:
    """Header buttons with links to scripts, and one to Colab where it has an address.

    A group left without a button is dropped.
    """
    kept = []
    for button in buttons:
        changed = dict(button)
        if button.get("label") == "launch-buttons":
            changed["buttons"] = [b for b in button["buttons"] if b["text"] in _OPENS_SCRIPTS]
            changed["tooltip"] = "Run this chapter elsewhere"
        if "buttons" in changed:
            if button.get("label") != "download-buttons":
                changed["buttons"] = source_buttons(changed["buttons"], pagename)
            if button.get("label") == "launch-buttons" and colab:
                changed["buttons"].append(_colab_button(colab))
            if not changed["buttons"]:
                continue
        elif "url" in changed:
            changed["url"] = to_source(changed["url"], pagename)
        kept.append(changed)
    return kept


def named_downloads(buttons: list[dict[str, Any]], is_notebook: bool) -> list[dict[str, Any]]:
    """Header buttons of which those to download say what a reader gets."""
    named = []
    for button in buttons:
        changed = dict(button)
        if "buttons" in changed:
            changed["buttons"] = named_downloads(changed["buttons"], is_notebook)
        elif button.get("label") in _DOWNLOADS:
            text, tooltip = _DOWNLOADS[button["label"]][0 if is_notebook else 1]
            changed |= {"text": text.format(button["text"]), "tooltip": tooltip}
        named.append(changed)
    return named


def _colab_button(url: str) -> dict[str, Any]:
    return {
        "type": "link",
        "text": "Colab",
        "tooltip": "Launch on Colab",
        "icon": "_static/images/logo_colab.png",
        "url": url,
    }


def _repository(app: Sphinx) -> str:
    """The public address; the theme's own option has Jupyter Book's where there is none."""
    return str(app.config.html_context.get("ltr_build", {}).get("address", ""))


def _rewrite(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    if "header_buttons" not in context:
        return
    is_notebook = str(context.get("page_source_suffix", "")) == ".ipynb"
    buttons = named_downloads(context["header_buttons"], is_notebook)
    if is_notebook:
        buttons = source_buttons(buttons, pagename, ltr_colab.link(_repository(app), pagename))
    context["header_buttons"] = buttons


def _write_for_colab(app: Sphinx, exception: Exception | None) -> None:
    """The notebooks that Colab opens, in the site's folder ``colab``."""
    if exception or app.builder.name != "html" or not ltr_colab.link(_repository(app), ""):
        return
    build = app.config.html_context.get("ltr_build", {})
    for name in sorted(app.env.found_docs):
        staged = Path(app.env.doc2path(name))
        if staged.suffix == ".ipynb":
            target = Path(app.outdir) / "colab" / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            text = staged.read_text(encoding="utf-8")
            made = ltr_colab.notebook(text, _repository(app), build.get("commit", ""))
            target.write_text(made, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx; after the theme, which fills the buttons at priority 501."""
    app.connect("html-page-context", _rewrite, priority=600)
    app.connect("build-finished", _write_for_colab)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
