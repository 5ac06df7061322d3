"""Which state of the project a build is of: its version, and the commit that it was made from."""

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml

from .project import Project

UNKNOWN = "unknown commit"
CHANGED = "with local changes"


def build_record(project: Project) -> dict[str, Any]:
    """Version and commit of what is being built; what is not known is an empty text.

    - `version`: see `project_version`. `commit`: in full. `changed`: whether files differ from it.
    - `date`: day of the commit, YYYY-MM-DD. `line`: all of it in words.
    """
    commit, date = _last_commit(project.root)
    changed = bool(commit) and bool(_git(project.root, "status", "--porcelain"))
    version = project_version(project.root)
    state = f"commit {commit[:7]}" if commit else UNKNOWN
    parts = [f"version {version}" if version else "", f"{state} {CHANGED}" if changed else state]
    line = ", ".join(part for part in parts if part)
    return {
        "version": version,
        "commit": commit,
        "changed": changed,
        "date": date,
        "line": line[0].upper() + line[1:],
    }


def version_line(project: Project) -> str:
    """For example ``Version 0.1.0, commit 4e066bf with local changes``."""
    return str(build_record(project)["line"])


def project_version(root: Path) -> str:
    """The version that CITATION.cff states, or else pyproject.toml; empty without either."""
    citation, metadata = root / "CITATION.cff", root / "pyproject.toml"
    if citation.exists():
        return str(yaml.safe_load(citation.read_text(encoding="utf-8")).get("version", ""))
    if metadata.exists():
        return str(tomllib.loads(metadata.read_text(encoding="utf-8"))["project"]["version"])
    return ""


def _last_commit(root: Path) -> tuple[str, str]:
    """Hash and day of the last commit; empty where the project is no repository of its own."""
    if not (root / ".git").exists():  # a folder, or a file in a work tree; not one further up
        return "", ""
    commit, _, date = _git(root, "log", "-1", "--format=%H %cs").partition(" ")
    return commit, date


def _git(root: Path, *arguments: str) -> str:
    """What git prints, or nothing where it fails or is not installed."""
    # Not the repository of a hook that may run this; and no lock for what only looks.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={**clean, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
