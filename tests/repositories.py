"""Git as the tests use it: the project's files copied, commands in repositories of their own."""

import os
import shutil
import subprocess
from pathlib import Path


def copy_project(repository: Path, target: Path) -> None:
    """Copy the files that git holds, and those that it would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (repository / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, target / name)


def git(folder: Path, *arguments: str) -> str:
    """What a command prints, in a folder, without the user's own settings."""
    named = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        named |= {f"GIT_{role}_NAME": "nobody", f"GIT_{role}_EMAIL": "nobody@example.org"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=os.environ | named,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
