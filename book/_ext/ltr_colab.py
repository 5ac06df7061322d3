"""The notebooks that Colab opens: a chapter without results, and before it what it needs.

They are part of the site, in its folder ``colab``; Colab reads them from the branch of the
repository that holds the site.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "gh-pages"
# Colab runs its own IPython already: another one under its feet would break the session.
_ALREADY_THERE = ("ipython",)

_INTRODUCTION = """\
**To run this chapter in Colab**, run the next cell first. It installs the book's package{state},
and the packages that it needs, which takes a minute or two. The book is tested with Python 3.11 and
exact versions of all packages; Colab has others, and numbers may differ in their last digits.
"""


def link(repository: str, name: str) -> str:
    """Where Colab opens a chapter; empty if the repository is not on GitHub."""
    found = re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(\.git)?/?", repository)
    if found is None:
        return ""
    return f"https://colab.research.google.com/github/{found[1]}/blob/{BRANCH}/colab/{name}.ipynb"


def notebook(staged: str, repository: str, commit: str) -> str:
    """Text of a chapter's notebook for Colab, from that of the executed one."""
    made = nbformat.reads(staged, as_version=4)
    for cell in made.cells:
        cell.metadata.pop("mystnb", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = _linked(cell.source, repository)
    state = f" as it was at commit {commit[:7]}" if commit else ""
    introduction = nbformat.v4.new_markdown_cell(_INTRODUCTION.format(state=state))
    install = nbformat.v4.new_code_cell(installation(repository, commit))
    introduction.id, install.id = "colab-introduction", "colab-installation"
    made.cells = [introduction, install, *made.cells]
    made.metadata.pop("language_info", None)
    return nbformat.writes(made, version=4).rstrip("\n") + "\n"


def installation(repository: str, commit: str) -> str:
    """The cell that installs the package at a commit, and what it needs.

    Two steps: the package itself asks for the Python that the book is tested with, which Colab may
    not have, and for a newer IPython than the one that is running there.
    """
    source = f"git+{repository.rstrip('/')}" + (f"@{commit}" if commit else "")
    needed = " ".join(f'"{requirement}"' for requirement in requirements())
    return (
        f'%pip install --quiet --no-deps --ignore-requires-python "ltr-core @ {source}"\n'
        f"%pip install --quiet {needed}"
    )


def requirements() -> list[str]:
    """What a chapter needs beside the package: its dependencies, data's, and `myst_nb.glue`."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    metadata = project["project"]
    listed = [*metadata["dependencies"], *metadata["optional-dependencies"]["data"], "myst-nb>=1.4"]
    return [line for line in listed if re.split(r"[^\w-]", line)[0] not in _ALREADY_THERE]


def _linked(source: str, repository: str) -> str:
    """Markdown whose links to other chapters open them in Colab, and to pages on GitHub."""
    base = repository.rstrip("/").removesuffix(".git")
    to_chapters = re.sub(
        r"(?<=\]\()(\d\d_\w+)\.ipynb(#[^)]*)?(?=\))", lambda m: link(repository, m[1]), source
    )
    return re.sub(r"(?<=\]\()(\w+\.md)(?=[)#])", rf"{base}/blob/HEAD/book/\1", to_chapters)
