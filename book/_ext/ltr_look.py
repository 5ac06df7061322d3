"""Sphinx extension: the book's own style sheet, logo and icon, on every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

STATIC = Path(__file__).resolve().parent / "static"
LOGO = STATIC / "logo.svg"


def _configure(app: Sphinx, sphinx_config: Any) -> None:
    sphinx_config.html_static_path.append(str(STATIC))
    sphinx_config.html_logo = str(LOGO)
    sphinx_config.html_favicon = str(LOGO)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    # Before the other extensions, which look the files up.
    app.connect("config-inited", _configure, priority=100)
    app.add_css_file("ltr.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
