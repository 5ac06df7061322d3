"""Sphinx extension: the book's own style sheet, logo and icon, on every page.

It also takes from the list of references the roles that Sphinx gives it: they promise to assistive
technology a structure that the list has not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

STATIC = Path(__file__).resolve().parent / "static"
LOGO = STATIC / "logo.svg"


def _configure(app: Sphinx, sphinx_config: Any) -> None:
    sphinx_config.html_static_path.append(str(STATIC))
    sphinx_config.html_logo = str(LOGO)
    sphinx_config.html_favicon = str(LOGO)


def without_roles(body: str) -> str:
    """A page's HTML less the roles of its list of references."""
    return re.sub(r' role="(?:list"(?= class="citation)|doc-biblioentry")', "", body)


def _plain_references(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    if 'role="doc-biblioentry"' in context.get("body", ""):
        context["body"] = without_roles(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    # Before the other extensions, which look the files up.
    app.connect("config-inited", _configure, priority=100)
    app.connect("html-page-context", _plain_references)
    app.add_css_file("ltr.css")
    app.add_css_file("ltr-print.css")
    app.add_js_file("ltr-look.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
