"""What the chapters found at the published sizes, kept in git for builds that are smaller."""

import json
from pathlib import Path

import nbformat

from ltr_core.published_results import results_of

from .project import Project, Settings, write_atomically
from .stage import records_of_chapter


def keep_results(name: str, project: Project, settings: Settings) -> Path | None:
    """Write what an executed chapter compared at scale paper to ``results/<name>.json``.

    The same execution gives the same file. Returns its path if it has changed, and None if it has
    not, at another scale, or if the chapter compares nothing.

    Raises
    ------
    BuildError
        If what the chapter compared is not whole.
    """
    if settings.scale != "paper":
        return None
    executed = project.executed(settings) / name
    notebook = nbformat.read(executed.with_suffix(".ipynb"), as_version=4)
    records = records_of_chapter(notebook, name, settings)
    if not records:
        return None
    stamp = json.loads(executed.with_suffix(".json").read_text(encoding="utf-8"))
    results = results_of(records, stamp["packages"])
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    path = project.results / f"{name}.json"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return None
    write_atomically(path, text)
    return path
