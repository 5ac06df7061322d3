"""Sphinx extension: links to a chapter's source lead to the percent script that git holds.

The theme points launch and source buttons at the staged notebook, which is built and not in the
repository. Binder opens the script as a notebook through jupytext. Services that cannot open a
script are left out. The executed notebook stays on offer as a download.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_OPENS_SCRIPTS = ("Binder", "JupyterHub")


def to_source(url: str, pagename: str) -> str:
    """The address with the page's staged notebook replaced by its script."""
    return re.sub(rf"{re.escape(pagename)}\.ipynb\b", f"{pagename}.py", url)


def source_buttons(buttons: list[dict[str, Any]], pagename: str) -> list[dict[str, Any]]:
    """Header buttons with links to scripts; a group left without a button is dropped."""
    kept = []
    for button in buttons:
        changed = dict(button)
        if button.get("label") == "launch-buttons":
            changed["buttons"] = [b for b in button["buttons"] if b["text"] in _OPENS_SCRIPTS]
        if "buttons" in changed:
            if not changed["buttons"]:
                continue
            if button.get("label") != "download-buttons":
                changed["buttons"] = source_buttons(changed["buttons"], pagename)
        elif "url" in changed:
            changed["url"] = to_source(changed["url"], pagename)
        kept.append(changed)
    return kept


def _rewrite(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    is_notebook = str(context.get("page_source_suffix", "")) == ".ipynb"
    if is_notebook and "header_buttons" in context:
        context["header_buttons"] = source_buttons(context["header_buttons"], pagename)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx; after the theme, which fills the buttons at priority 501."""
    app.connect("html-page-context", _rewrite, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
