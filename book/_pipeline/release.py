"""What a release promises, checked, and its files: ``python -m _pipeline.release check v0.1.0``.

`.ci/release` runs it, with the whole check and the PDF between its two commands.
"""

import hashlib
import json
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from .project import BuildError, Project, Settings, refusals_told, write_atomically

COMMANDS = ("check", "pack")
# Archives of the same files are the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0, 1 with the reason on standard error, or 2 for a wrong command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 2 or given[0] not in COMMANDS:
        print("usage: python -m _pipeline.release check|pack TAG", file=sys.stderr)
        return 2
    project = Project(Path(__file__).resolve().parent.parent.parent)
    try:
        with refusals_told(project):
            check_release(project, given[1])
            if given[0] == "pack":
                pack_release(project, given[1])
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def check_release(project: Project, tag: str) -> None:
    """Check that the tag, the package, the citation and the changelog are of one version.

    Raises
    ------
    BuildError
        Naming all that are not, or if the changelog's newest version has no date.
    """
    version, heading = tag.removeprefix("v"), _newest(project)[0]
    package = tomllib.loads((project.root / "pyproject.toml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((project.root / "CITATION.cff").read_text(encoding="utf-8"))
    stated = {
        "pyproject.toml": package["project"]["version"],
        "CITATION.cff": str(citation["version"]),
        "CHANGELOG.md": heading.partition("]")[0].lstrip("# ["),
    }
    zenodo = project.root / ".zenodo.json"
    if zenodo.exists():
        stated[zenodo.name] = json.loads(zenodo.read_text(encoding="utf-8")).get("version")
    faults = [
        f"{name} has version {found}, the tag is {tag}: bring them together"
        for name, found in stated.items()
        if f"v{found}" != tag
    ]
    if not re.search(r"\d{4}-\d\d-\d\d$", heading):
        faults.append(f"CHANGELOG.md has no date for {version}: end its heading with one")
    if faults:
        raise BuildError("\n".join(faults))


def pack_release(project: Project, tag: str) -> None:
    """Gather the release's files from a build at scale book, with their SHA-256, and its notes.

    Raises
    ------
    BuildError
        If something has not been built, or the ledger is of another scale.
    """
    ledger, published = (project.build / f"{name}.json" for name in ("ledger", "published"))
    notebooks = sorted(project.executed(Settings("book")).glob("*.ipynb"))
    pdfs = sorted(project.build.glob("*.pdf"))
    site = sorted(path for path in project.html.rglob("*") if path.is_file())
    _check_built({"ledger": [ledger], "published values": [published], "notebooks": notebooks})
    _check_built({"site": [project.html / "index.html"], "PDF": pdfs})
    scales = {row["scale"] for row in json.loads(ledger.read_text(encoding="utf-8"))}
    if scales != {"book"}:
        raise BuildError(f"the ledger is of scale {', '.join(sorted(scales))}: make book")
    folder = project.build / "release"
    shutil.rmtree(folder, ignore_errors=True)
    files = folder / "files"
    files.mkdir(parents=True)
    _zip(files / f"site-{tag}.zip", site, project.html)
    _zip(files / f"notebooks-{tag}.zip", notebooks, notebooks[0].parent)
    for path in pdfs:
        shutil.copyfile(path, files / f"{path.stem}-{tag}.pdf")
    for path in (ledger, published):
        shutil.copyfile(path, files / path.name)
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(files.iterdir())
    ]
    write_atomically(files / "SHA256SUMS", "".join(sums))
    write_atomically(folder / "notes.md", "\n".join(_newest(project)[1:]).strip() + "\n")
    print(f"  {project.shown(files)}: {len(sums) + 1} files", flush=True)


def _newest(project: Project) -> list[str]:
    """The changelog's lines on its newest version, the heading first."""
    path = project.root / "CHANGELOG.md"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    headings = [number for number, line in enumerate(lines) if line.startswith("## [")]
    if not headings:
        raise BuildError("CHANGELOG.md has no heading like ## [0.1.0] - 2026-01-31")
    return lines[headings[0] : headings[1] if len(headings) > 1 else None]


def _check_built(parts: dict[str, list[Path]]) -> None:
    for name, paths in parts.items():
        if not paths or not all(path.exists() for path in paths):
            raise BuildError(f"no {name} to release: make book pdf")


def _zip(archive: Path, paths: Iterable[Path], base: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in paths:
            info = zipfile.ZipInfo(path.relative_to(base).as_posix(), _DATE)
            info.external_attr = 0o644 << 16
            file.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    sys.exit(main())
