"""The chapters of the book: found, read and checked before anything is executed."""

import ast
import hashlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from ltr_core.registry import DATASETS, available

from .project import SCALES, BuildError, Project, Settings, read_text, read_yaml

PARAMETERS = ("scale", "seed")
NAME = re.compile(r"\d\d_[a-z0-9_]+")

# Distributions whose versions a reader wants to know, and that may change a chapter's numbers.
PACKAGES = ("ltr-core", "torch", "numpy", "scipy", "tensorly", "altair", "ipykernel", "papermill")

# A notebook made by other code than this is made anew.
_PIPELINE_SOURCES = ("execute.py", "kernel.py", "notebooks.py")


@dataclass(frozen=True)
class Chapter:
    """One chapter: its name (``NN_name``), its percent script, and its notebook, not executed."""

    name: str
    path: Path
    source: str
    notebook: Any

    @property
    def title(self) -> str:
        """The first heading, or the name where there is none."""
        for cell in self.notebook.cells:
            heading = re.search(r"^# +(.+?)\s*$", cell.source, flags=re.MULTILINE)
            if cell.cell_type == "markdown" and heading:
                return heading.group(1)
        return self.name

    @property
    def states_published_values(self) -> bool:
        """Whether it compares its own values with published ones, ``chapter.published(...)``."""
        code = (cell.source for cell in self.notebook.cells if cell.cell_type == "code")
        return any(re.search(r"\.published\(", source) for source in code)


def discover(project: Project) -> list[Chapter]:
    """Read and check every chapter, ``book/NN_name.py``, in the order of their names.

    Raises
    ------
    BuildError
        If there is none, or with one line for every fault that was found in them.
    """
    paths = sorted(project.book.glob("*.py"))
    if not paths:
        raise BuildError(f"no chapters: {project.book} holds no file like 01_name.py")
    chapters, faults = [], []
    for path in paths:
        try:
            chapters.append(read_chapter(path))
        except BuildError as fault:
            faults.append(str(fault))
    faults += _contents_faults(project, [path.stem for path in paths])
    if faults:
        raise BuildError("\n".join(faults))
    return chapters


def select(chapters: list[Chapter], names: Iterable[str]) -> list[Chapter]:
    """The chapters of these names, or all where no name is given."""
    wanted = list(names)
    known = {chapter.name: chapter for chapter in chapters}
    for name in wanted:
        if name not in known:
            raise BuildError(f"no chapter {name!r}: the book has {', '.join(known)}")
    return [known[name] for name in wanted] or chapters


def read_chapter(path: Path) -> Chapter:
    """Read one percent script and check its name and its ``parameters`` cell."""
    if not NAME.fullmatch(path.stem):
        raise BuildError(f"book/{path.name}: a chapter's file is named like 01_name.py")
    source = read_text(path)
    try:
        notebook = jupytext.reads(source, fmt="py:percent")
        check_parameters(notebook)
    except (BuildError, SyntaxError) as fault:
        raise BuildError(f"book/{path.name}: {fault}") from None
    return Chapter(path.stem, path, source, notebook)


def tags(cell: Any) -> list[str]:
    """The tags of a notebook's cell."""
    return list(cell.metadata.get("tags", []))


def check_parameters(notebook: Any) -> None:
    """Check that one cell is tagged ``parameters`` and sets ``scale`` and ``seed``.

    Papermill itself only logs a parameter that it does not find, and goes on. Others, such as the
    path of a reader's own file, keep their literal defaults while the book is built.
    """
    cells = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    if len(cells) != 1:
        raise BuildError(f'{len(cells)} cells are tagged "parameters": there must be one')
    values = {name: ast.literal_eval(value) for name, value in assignments(cells[0].source)}
    for name in PARAMETERS:
        if name not in values:
            raise BuildError(f"the parameters cell does not set {name!r}")
    if values["scale"] not in SCALES:
        raise BuildError(f"scale is {values['scale']!r}: choose one of {', '.join(SCALES)}")
    if type(values["seed"]) is not int or values["seed"] < 0:
        raise BuildError(f"seed is {values['seed']!r}: give an integer of at least 0")


def assignments(source: str) -> list[tuple[str, ast.expr]]:
    """Names and value nodes of a cell that holds nothing but ``name = literal`` lines."""
    pairs = []
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_literal(value):
                pairs.append((name, value))
            case _:
                raise BuildError(
                    f"the parameters cell holds {ast.unparse(node)!r}: "
                    "only lines like seed = 0 may stand there"
                )
    return pairs


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _contents_faults(project: Project, names: list[str]) -> list[str]:
    """A chapter missing from the table of contents, or named there without a file."""
    try:
        contents = read_yaml(project.toc)
    except FileNotFoundError:
        return ["_toc.yml, the table of contents, is missing"]
    except BuildError as fault:
        return [str(fault)]
    listed = [file for file in _files(contents) if NAME.fullmatch(file)]
    return [f"{name} is not in _toc.yml: add it" for name in names if name not in listed] + [
        f"_toc.yml lists {file}, but there is no book/{file}.py"
        for file in listed
        if file not in names
    ]


def _files(node: Any) -> list[str]:
    """Every document that a table of contents names."""
    if isinstance(node, list):
        return [file for item in node for file in _files(item)]
    if isinstance(node, dict):
        own = [str(node[key]) for key in ("root", "file") if key in node]
        return own + [file for value in node.values() for file in _files(value)]
    return []


def versions() -> dict[str, str]:
    """Versions of the distributions that a chapter's numbers may depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hash_files(files: Iterable[Path], base: Path) -> str:
    """SHA-256 of the names (relative to ``base``) and contents of files."""
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(base).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def package_sources(project: Project) -> list[Path]:
    """The files of ``ltr_core``, with the stub that says where its public names are defined."""
    return [path for kind in ("*.py", "*.pyi") for path in (project.root / "ltr_core").rglob(kind)]


def fingerprint(chapter: Chapter, project: Project, settings: Settings) -> str:
    """A hash of all that an executed chapter depends on: a change of any means a new execution."""
    here = Path(__file__).parent
    lock = project.root / "requirements.lock"
    # shown at scale book beside the chapter's own values
    kept = project.results / f"{chapter.name}.json"
    shows = settings.scale == "book" and kept.exists()
    parts = {
        "chapter": chapter.source,
        "package": hash_files(package_sources(project), project.root),
        "lock": lock.read_text(encoding="utf-8") if lock.exists() else "",
        "pipeline": hash_files((here / name for name in _PIPELINE_SOURCES), here),
        "python": sys.version,
        "versions": versions(),
        "scale": settings.scale,
        "seed": settings.seed,
        # a chapter says so on its page where its recording is not at hand
        "results": hash_files([kept], project.root) if shows else "",
        "data": [name for name in DATASETS if name in chapter.source and available(name)],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
