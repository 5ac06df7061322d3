"""What assistive technology needs of the reference's HTML and does not get from Sphinx."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

STYLE = "ltr-api.css"
_PARAMETERS = re.compile(r'(<span class="sig-paren">\(</span>\s*)<dl>(.*?)</dl>', re.DOTALL)


def without_lists(body: str) -> str:
    """A page's HTML whose long signatures are plain lines: as lists they would lack their terms."""

    def plain(found: re.Match[str]) -> str:
        lines = found[2].replace("<dd>", '<span class="ltr-api-parameter">')
        return f"{found[1]}{lines.replace('</dd>', '</span>')}"

    return _PARAMETERS.sub(plain, body)


def _page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    if "ltr-api" in app.env.metadata.get(pagename, {}):
        app.add_css_file(STYLE)
        context["body"] = without_lists(context["body"])
    navigation = context.get("generate_toctree_html")
    if navigation is None:
        return

    def named(*arguments: Any, **settings: Any) -> Any:
        """The navigation with a name for each arrow that unfolds the pages below another."""
        tree = navigation(*arguments, **settings)
        for fold in getattr(tree, "select", lambda _: [])("li > details > summary"):
            link = fold.find_parent("li").find("a")
            if link:
                fold["aria-label"] = f"Pages below {link.get_text(strip=True)}"
        return tree

    context["generate_toctree_html"] = named


def setup(app: Sphinx) -> None:
    """Register with Sphinx, for `ltr_api`."""
    app.connect("html-page-context", _page, priority=900)  # after the theme's own
