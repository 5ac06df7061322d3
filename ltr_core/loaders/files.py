"""Files to load from."""

from pathlib import Path


def existing(path: str | Path) -> Path:
    """The path of a file that is there; raises FileNotFoundError."""
    found = Path(path).expanduser()
    if not found.is_file():
        what = "is a folder" if found.is_dir() else "does not exist"
        raise FileNotFoundError(
            f"{found} {what}: give the path of a file (seen from {Path.cwd()})."
        )
    return found
