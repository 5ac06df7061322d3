"""Source distributions of Python packages, fetched by pip from whatever index the user has set."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


class WrongContent(ValueError):
    """What the index offers under a name and version has another SHA-256."""


def download(requirement: str, sha256: str, path: Path) -> None:
    """Fetch the source distribution of ``name==version`` to `path`, whole or not at all.

    pip compares the SHA-256 before it looks into the file.

    Raises `WrongContent` for another file under that name, and OSError with what pip says where it
    finds none or cannot be run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
        found = Path(folder) / "found"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]
        command += ["--no-build-isolation", "--require-hashes", "-r", str(wanted), "-d", str(found)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        said = "\n".join(line for line in done.stderr.splitlines() if "WARNING" not in line)
        if "DO NOT MATCH THE HASHES" in said:
            raise WrongContent(said.strip())
        if done.returncode != 0:
            raise OSError(f"pip says: {said.strip() or f'nothing (exit {done.returncode})'}")
        if not (found / path.name).is_file():
            listed = sorted(file.name for file in found.iterdir())
            raise OSError(f"pip fetched {', '.join(listed)} in place of {path.name}")
        os.replace(found / path.name, path)
