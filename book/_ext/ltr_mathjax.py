"""Sphinx extension: MathJax and its fonts from the site's own files.

MathJax 3.2.2 comes with the package sphinx-mathjax-offline. Only what a page can ask for is
copied: the TeX component, its fonts and extensions, and the English speech for screen readers.
"""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

PACKAGE = "sphinx-mathjax-offline"
SCRIPT = "mathjax/tex-mml-chtml.js"
_NEEDED = (
    "tex-mml-chtml.js",
    "a11y/*.js",
    "input/tex/extensions/*.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
)


def mathjax_folder() -> Path:
    """Folder of MathJax in the installed package; `ExtensionError` if it is not there."""
    try:
        folder = Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/static/mathjax")))
    except PackageNotFoundError as error:
        raise ExtensionError(f"{PACKAGE} is not installed; install the extra 'book'") from error
    if not (folder / "tex-mml-chtml.js").is_file():
        raise ExtensionError(f"{PACKAGE} holds no {folder}/tex-mml-chtml.js; reinstall it")
    return folder


def copy_mathjax(target: Path) -> None:
    """Copy the needed files of MathJax into `target`; files that are there already stay."""
    source = mathjax_folder()
    for pattern in _NEEDED:
        files = sorted(source.glob(pattern))
        if not files:
            raise ExtensionError(f"{PACKAGE} holds no {pattern}; install version 0.0.2")
        for file in files:
            copy = target / file.relative_to(source)
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


def _use_local(app: Sphinx, sphinx_config: Any) -> None:
    sphinx_config.mathjax_path = SCRIPT


def _copy(app: Sphinx) -> None:
    if app.builder.format == "html":
        copy_mathjax(Path(app.outdir) / "_static" / "mathjax")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.mathjax")
    app.connect("config-inited", _use_local)
    app.connect("builder-inited", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
