"""What Sphinx reads: the executed notebooks with their figures labelled, the pages, the ledger."""

import json
import shutil
from typing import Any

import nbformat
import yaml

from .chapters import Chapter
from .notebooks import label_figures, link_pages, serialise
from .project import BuildError, Project, Settings, read_text, read_yaml, write_atomically
from .versions import build_record

BINDER = "https://mybinder.org"


def fill_stage(chapters: list[Chapter], project: Project, settings: Settings) -> None:
    """Write the stage anew from the executed chapters and the book's other files.

    Raises
    ------
    BuildError
        If a cell shows two figures, two claims have the same id, or a chapter compares one figure
        twice.
    """
    shutil.rmtree(project.stage, ignore_errors=True)
    project.stage.mkdir(parents=True)
    _copy_pages(project)
    executed = project.executed(settings)
    rows_by_chapter, published, stamps = {}, [], []
    for chapter in chapters:
        notebook = nbformat.read(executed / f"{chapter.name}.ipynb", as_version=4)
        rows_by_chapter[chapter.name] = rows_of_chapter(notebook, chapter.name, settings)
        published += records_of_chapter(notebook, chapter.name, settings)
        label_figures(notebook, chapter.name)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = link_pages(cell.source)
        write_atomically(project.stage / f"{chapter.name}.ipynb", serialise(notebook))
        stamp = json.loads((executed / f"{chapter.name}.json").read_text(encoding="utf-8"))
        ran = {"chapter": chapter.name, "scale": settings.scale, "seed": settings.seed}
        stamps.append({**ran, **stamp})
    for name, rows in {"ledger": merge_ledger(rows_by_chapter), "published": published}.items():
        text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
        write_atomically(project.stage / f"{name}.json", text)
    write_atomically(project.stage / "execution.json", json.dumps(stamps, indent=1) + "\n")
    write_site_config(project)


def _copy_pages(project: Project) -> None:
    """Copy pages, references and pictures; scripts and folders like ``_ext`` are no pages."""
    for path in sorted(project.book.iterdir()):
        if path.name.startswith(("_", ".")) or path.suffix in (".py", ".ipynb"):
            continue
        if path.is_dir():
            shutil.copytree(path, project.stage / path.name)
        elif path.suffix == ".md":
            page = link_pages(read_text(path))
            (project.stage / path.name).write_text(page, encoding="utf-8")
        else:
            shutil.copy2(path, project.stage)


def rows_of_chapter(notebook: Any, name: str, settings: Settings) -> list[dict[str, Any]]:
    """The ledger's rows of one chapter, each of this very chapter, scale and seed."""
    # Imported here: the package brings torch, which a build that stops earlier can do without.
    from ltr_core.claims import rows_of  # noqa: PLC0415

    try:
        rows = rows_of(notebook)
    except ValueError as fault:
        raise BuildError(f"{name}: {fault}") from None
    _check_origin("claim", rows, name, settings)
    return rows


def records_of_chapter(notebook: Any, name: str, settings: Settings) -> list[dict[str, Any]]:
    """The published figures that one chapter compares, each of this very chapter, scale and seed.

    Raises
    ------
    BuildError
        If one of them is not, lacks a part, or comes twice.
    """
    from ltr_core.published import records_of  # noqa: PLC0415 - as above

    try:
        records = records_of(notebook)
    except ValueError as fault:
        raise BuildError(f"{name}: {fault}") from None
    _check_origin("published figure", records, name, settings)
    return records


def _check_origin(kind: str, rows: list[dict[str, Any]], name: str, settings: Settings) -> None:
    expected = {"chapter": name, "scale": settings.scale, "seed": settings.seed}
    for row in rows:
        for key, value in expected.items():
            if row[key] != value:
                raise BuildError(
                    f"{name}: {kind} {row['id']!r} says {key} {row[key]!r}, executed was "
                    f"{value!r}: hand the chapter's own {key} on to it"
                )


def merge_ledger(rows_by_chapter: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All rows in the order of the chapters.

    Raises
    ------
    BuildError
        If an id comes twice, naming where.
    """
    first: dict[str, str] = {}
    merged = []
    for chapter, rows in rows_by_chapter.items():
        for row in rows:
            if row["id"] in first:
                raise BuildError(
                    f"the claim {row['id']!r} is made twice, in {first[row['id']]} and in "
                    f"{chapter}: give one of them another id"
                )
            first[row["id"]] = chapter
            merged.append(row)
    return merged


def read_address(project: Project) -> str:
    """The repository's public address, or an empty text while there is none."""
    config = read_yaml(project.config)
    return str(config.get("repository", {}).get("url") or "").rstrip("/")


def site_config(config: dict[str, Any], project: Project) -> dict[str, Any]:
    """The configuration for Sphinx, derived from the project's ``_config.yml``.

    Nothing is executed by Sphinx, the local extensions are found from where the derived file
    lies, and the buttons that need the repository's address are there only if it has one.
    """
    derived: dict[str, Any] = json.loads(json.dumps(config))
    derived["only_build_toc_files"] = True
    derived.setdefault("execute", {})["execute_notebooks"] = "off"
    extensions = derived.get("sphinx", {}).get("local_extensions") or {}
    for name, folder in extensions.items():
        extensions[name] = str((project.root / folder).resolve())
    address = (derived.get("repository") or {}).get("url") or ""
    has_address = bool(address)
    html = derived.setdefault("html", {})
    for button in ("use_repository_button", "use_issues_button"):
        html[button] = has_address
    if has_address:
        derived.setdefault("launch_buttons", {}).setdefault("notebook_interface", "jupyterlab")
        derived["launch_buttons"].setdefault("binderhub_url", BINDER)
    else:
        derived.pop("repository", None)
        derived.pop("launch_buttons", None)
    settings = derived.setdefault("sphinx", {}).setdefault("config", {})
    settings.setdefault("html_context", {})["ltr_build"] = {
        **build_record(project),
        "address": address,
    }
    return derived


def write_site_config(project: Project) -> None:
    """Write the derived configuration to ``_build/_config.yml``."""
    config = read_yaml(project.config)
    text = yaml.safe_dump(site_config(config, project), sort_keys=False, allow_unicode=True)
    write_atomically(project.build / "_config.yml", text)
