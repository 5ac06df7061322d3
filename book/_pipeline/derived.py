"""Parts of other files that are derived: from the book, the public address and the lock."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import nbformat
import yaml

from ltr_core.ledger_text import ledger_markdown

from .notebooks import FIGURE
from .project import BuildError, Project, write_atomically
from .stage import BINDER, read_address
from .zenodo import zenodo_json

PICTURE = "book/images/hand_paths.svg"
PICTURED = "fig-hand-paths"
FIRST_CHAPTER = "book/01_weight_tensor.py"
NOT_RUN = "not run:"  # begins such a verdict, see ltr_core.ledger_text.verdict
# conda's name of a package -> its name in the lock
_CONDA = {"pytorch-cpu": "torch", "numpy": "numpy"}


def write_derived(project: Project) -> None:
    """Bring every derived part up to date; the README's table and picture only from a book."""
    for path, derive in _derivations(project).items():
        text = path.read_text(encoding="utf-8")
        if derive(text) != text:
            write_atomically(path, derive(text))
            print(f"  {path.name}: brought up to date")
    table = _table(project)
    if table is None:
        print("  README.md: table left as it is, for want of a ledger at book scale: make book")
        return
    readme = project.root / "README.md"
    write_atomically(readme, _between(readme.read_text(encoding="utf-8"), "ledger", table))
    picture = _picture(project)
    if picture:
        write_atomically(project.root / PICTURE, picture)


def check_derived(project: Project) -> None:
    """Check that every derived line is up to date.

    Of the README's table only the claims and their verdicts are compared, and only if there is a
    ledger at book scale: measured values may differ in their last digits between machines. A claim
    that was not run, for want of its data, agrees with every verdict.

    Raises
    ------
    BuildError
        Naming the files that are not.
    """
    stale = []
    for path, derive in _derivations(project).items():
        text = path.read_text(encoding="utf-8")
        if derive(text) != text:
            stale.append(path.name)
    table = _table(project)
    readme = (project.root / "README.md").read_text(encoding="utf-8")
    if table is not None and not _agree(_verdicts(_inside(readme, "ledger")), _verdicts(table)):
        stale.append("README.md (the table of claims)")
    if stale:
        raise BuildError(f"not up to date: {', '.join(stale)}: run make derived")


def locked_versions(lock: str) -> dict[str, str]:
    """Names and versions that the lock file's text pins."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", lock, flags=re.MULTILINE))


def readme_address(address: str) -> str:
    """The README's lines about where the project is to be found."""
    if not address:
        return (
            "The public address is not known yet. Its one place is `repository.url` in "
            "`_config.yml`; once it stands there, `make derived` writes it here, with the link "
            "to Binder, and into `CITATION.cff`."
        )
    github = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)", address)
    source = f"gh/{github.group(1)}" if github else f"git/{quote(address, safe='')}"
    binder = f"{BINDER}/v2/{source}/HEAD?urlpath=lab/tree/{FIRST_CHAPTER}"
    return (
        f"- Repository: <{address}>\n"
        f"- Run in the browser, nothing to install: [open the first chapter in Binder]({binder})"
    )


def _derivations(project: Project) -> dict[Path, Callable[[str], str]]:
    """Files with derived lines, and for each how its text as it should be follows."""
    address = read_address(project)
    lock = locked_versions((project.root / "requirements.lock").read_text(encoding="utf-8"))
    code = f"repository-code: {json.dumps(address)}\n" if address else ""

    def citation(text: str) -> str:
        bare = re.sub(r"^repository-code:.*\n", "", text, flags=re.MULTILINE)
        return re.sub(r"^(version:.*\n)", rf"\g<1>{code}", bare, flags=re.MULTILINE)

    def environment(text: str) -> str:
        for conda, name in _CONDA.items():
            text = re.sub(rf"(- {conda}=)\S+", rf"\g<1>{lock[name]}", text)
        return text

    def zenodo(text: str) -> str:
        # of the file as it is by now, which may have been written just before
        written = (project.root / "CITATION.cff").read_text(encoding="utf-8")
        return zenodo_json(yaml.safe_load(written))

    return {
        project.root / "README.md": lambda text: _between(text, "address", readme_address(address)),
        project.root / "CITATION.cff": citation,
        project.root / ".zenodo.json": zenodo,
        project.root / "environment.yml": environment,
    }


def _table(project: Project) -> str | None:
    """The ledger as a table; None without a ledger, or with one of another scale than book."""
    path = project.build / "ledger.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    if not rows or any(row["scale"] != "book" for row in rows):
        return None
    return ledger_markdown(rows)


def _picture(project: Project) -> str | None:
    """The static picture (SVG) of the figure that the README shows; None if no chapter has it."""
    for path in sorted(project.stage.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for data in (output.get("data", {}) for output in cell.get("outputs", [])):
                if data.get(FIGURE, {}).get("name") == PICTURED:
                    coded = re.search(r"data:image/svg\+xml;base64,([^\"]+)", data["text/html"])
                    if coded is None:
                        return None
                    svg = base64.b64decode(coded.group(1)).decode()
                    # the README may be read on a dark page, which the picture cannot follow
                    return svg.replace("<svg ", '<svg style="background: white" ', 1)
    return None


def _verdicts(table: str) -> list[tuple[str, str]]:
    """First and last cell of each row of a Markdown table."""
    cells = [re.split(r"(?<!\\)\|", line) for line in table.strip().splitlines()]
    return [(row[1].strip(), row[-2].strip()) for row in cells if len(row) > 3]


def _agree(written: list[tuple[str, str]], found: list[tuple[str, str]]) -> bool:
    """Whether two lists of claims and verdicts are the same but for what was not run here."""
    if len(written) != len(found):
        return False
    pairs = zip(written, found, strict=True)
    return all(old == new or (old[0] == new[0] and NOT_RUN in new[1]) for old, new in pairs)


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}:begin -->\n", f"\n<!-- {name}:end -->"


def _inside(text: str, name: str) -> str:
    """The text between a pair of markers.

    Raises
    ------
    BuildError
        If they are not there once each, in their order.
    """
    begin, end = _markers(name)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise BuildError(f"README.md lacks its pair of lines {begin.strip()} and {end.strip()}")
    return text.partition(begin)[2].partition(end)[0]


def _between(text: str, name: str, content: str) -> str:
    """The text with other content between a pair of markers."""
    begin, end = _markers(name)
    return text.replace(f"{begin}{_inside(text, name)}{end}", f"{begin}{content}{end}")
