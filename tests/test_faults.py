"""Faults from outside, tried in earnest: each has a clear message, and the last good site stands.

The page on development lists all faults with the tests that try them; faults of chapters, Ctrl-C
and two builds at once are tried in test_pipeline_build.py.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from _pipeline import publish
from _pipeline.build import build, is_current
from _pipeline.chapters import discover
from _pipeline.project import BuildError, Project, Settings, write_atomically
from tiny_book import DRAW, FIGURE_CELL, PIPELINE, TinyBook, claim_cell

WORDS = "print('τ ≥ 1 Å')"
# No locale of UTF-8, and Python kept from looking for one.
PLAIN_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# Mounts a small disk of its own at $1, with a copy of what was there; then a filler of all but
# $2 kB; builds; and tells what became of the site, and whether anything is half-written.
ON_A_FULL_DISK = """
set -eu
cp -a "$1/_build" "$1/saved"
mount -t tmpfs -o size=$(( $(du -sk "$1/saved" | cut -f1) + 2000 ))k none "$1/_build"
cp -a "$1/saved/." "$1/_build"
free=$(df -k --output=avail "$1/_build" | tail -n 1)
head -c $(( (free - $2) * 1024 )) /dev/zero > "$1/_build/filler"
status=0
"$3" "$4" build --root "$1" --scale smoke || status=$?
diff -r "$1/_build/html" "$1/saved/html" && echo "the site is as it was"
find "$1/_build" -name "*.partial"
exit $status
"""
READ_ONLY = """
mount --bind "$1/_build" "$1/_build" && mount -o remount,bind,ro "$1/_build" || exit 9
exec "$2" "$3" build --root "$1" --scale smoke
"""


@cache
def has_namespaces(kind: str) -> bool:
    """Whether this user may have mounts, or a network, of its own, as root has."""
    tried = {"--mount": ["mount", "-t", "tmpfs", "none", tempfile.gettempdir()], "--net": ["true"]}
    command = ["unshare", "--map-root-user", kind, *tried[kind]]
    return (
        shutil.which("unshare") is not None and not subprocess.run(command, check=False).returncode
    )


def in_namespace(kind: str, *command: str, **options) -> subprocess.CompletedProcess[str]:
    """Run a command in a namespace of its own; skip the test where there can be none."""
    if not has_namespaces(kind):
        pytest.skip(f"this system gives its users no namespace (unshare {kind})")
    return subprocess.run(
        ["unshare", "--map-root-user", kind, *command],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **options,
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book built in a folder with a space, in a plain locale, without network where it can be."""
    book = TinyBook.create(tmp_path_factory.mktemp("faults") / "späce here")
    book.chapter("01_first", DRAW, WORDS, claim_cell("P3.one", "01_first"), FIGURE_CELL)
    command = [sys.executable, str(PIPELINE), "build", "--root", str(book.root)]
    command += ["--scale", "smoke", "--jobs", "2"]
    if has_namespaces("--net"):
        command = ["unshare", "--map-root-user", "--net", *command]
    done = subprocess.run(
        command, env=os.environ | PLAIN_LOCALE, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return book


@pytest.fixture
def book(good: TinyBook, tmp_path: Path) -> TinyBook:
    """A copy of it, to be broken."""
    shutil.copytree(good.root, tmp_path / "a copy")
    return TinyBook(tmp_path / "a copy")


def test_a_path_with_spaces_is_a_path(good: TinyBook) -> None:
    assert " " in str(good.root)
    assert "Chapter 02_second" in good.page("02_second")


def test_a_locale_without_utf8_changes_nothing(good: TinyBook, tmp_path: Path) -> None:
    assert "τ ≥ 1 Å" in good.page("01_first")
    # Messages too are of UTF-8, as are names of folders.
    empty = tmp_path / "süß"
    (empty / "book").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, str(PIPELINE), "build", "--root", str(empty)],
        env=os.environ | PLAIN_LOCALE,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert f"error: no chapters: {empty / 'book'} holds no file" in done.stderr


def test_a_book_whose_data_are_at_hand_needs_no_network(good: TinyBook) -> None:
    if not has_namespaces("--net"):
        pytest.skip("this system gives its users no network of their own to be without")
    assert good.json("ledger.json")
    assert 'src="http' not in good.page("01_first")


# 0: not even the message of the chapter fits; 64: all but the site.
@pytest.mark.parametrize("room", [0, 64])
def test_a_full_disk(book: TinyBook, room: int) -> None:
    if room:
        (book.root / "book" / "intro.md").write_text("# Changed\n")
    else:
        book.chapter("01_first", WORDS)
    arguments = [str(book.root), str(room), sys.executable, str(PIPELINE)]
    done = in_namespace("--mount", "sh", "-c", ON_A_FULL_DISK, "sh", *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"no space is left on the disk of {book.root / '_build'}: free some" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.endswith("the site is as it was\n"), done.stdout
    assert ("site building" in done.stdout) == (room > 0)


def test_a_disk_that_is_full_while_the_stage_is_filled(
    book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, write = book.site_bytes(), Path.write_text

    def refuse(path: Path, text: str, **options: str) -> int:
        if "stage" not in path.parts or path.suffix == ".md":
            return write(path, text, **options)
        write(path, text[: len(text) // 2], **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(BuildError) as raised:
        build(Project(book.root), Settings("smoke"))
    first, last = str(raised.value).splitlines()
    staged = book.root / "_build" / "stage" / "01_first.ipynb"
    assert first.startswith(f"{staged}: No space left on device; free some space, and run")
    assert last == "The last good site was left as it was"
    assert book.site_bytes() == site
    assert not list(staged.parent.glob(".*"))


def test_a_file_that_cannot_be_written_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")

    def refuse(*paths: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match=r"Input/output error: '.*file'"):
        write_atomically(path, "new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_read_only_output(book: TinyBook) -> None:
    site = book.site_bytes()
    arguments = [str(book.root), sys.executable, str(PIPELINE)]
    done = in_namespace("--mount", "sh", "-c", READ_ONLY, "sh", *arguments)
    if done.returncode == 9:
        pytest.skip(f"this system does not mount a folder read-only: {done.stderr}")
    assert done.returncode == 1, done.stdout + done.stderr
    where = book.root / "_build" / ".lock"
    assert f"error: {where}: Read-only file system; mount it writable, and run" in done.stderr
    assert "Traceback" not in done.stderr
    assert book.site_bytes() == site


@pytest.mark.skipif(os.geteuid() == 0, reason="no mode of a file stops root")
def test_an_output_of_somebody_elses(book: TinyBook) -> None:
    site = book.site_bytes()
    (book.root / "_build" / ".lock").chmod(0o400)
    with pytest.raises(BuildError, match=r"\.lock: Permission denied; let this user write there"):
        build(Project(book.root), Settings("smoke"))
    assert book.site_bytes() == site


def test_a_chapters_process_that_is_killed(book: TinyBook) -> None:
    site = book.site_bytes()
    # the kernel's parent is the process that executes the chapter
    book.chapter("02_second", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    code, _, err = book.run("build")
    assert code == 1
    assert "FAILED 02_second: the process was killed from outside (for want of memory" in err
    assert "Traceback" not in err
    assert book.site_bytes() == site


KILLED_WHILE_PUBLISHING = """
import os, signal, sys
from pathlib import Path
from _pipeline.project import Project
from _pipeline.publish import publish
rename = Path.rename
def last(path, target):
    if target.name == "html":
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = last
root = Path(sys.argv[1])
publish(root / "_build" / "new", Project(root))
"""


def test_a_kill_between_the_two_renames(book: TinyBook) -> None:
    site = book.site_bytes()
    new = book.root / "_build" / "new"
    new.mkdir()
    (new / "index.html").write_text("new")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_PUBLISHING, str(book.root)],
        env=os.environ | {"PYTHONPATH": str(PIPELINE.parent)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not book.site_bytes(), "the old site has gone, and the new one is not there yet"
    # Whatever becomes of the next build, it begins by bringing the site back.
    book.chapter("01_first", parameters="# %%\nx = 1")
    code, _, err = book.run("build")
    assert code == 1
    assert 'cells are tagged "parameters"' in err
    assert book.site_bytes() == site


def test_a_site_that_cannot_be_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, built = Project(tmp_path), tmp_path / "_build" / "new"
    for folder, text in {project.html: "old", built: "new"}.items():
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(text)
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == built:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        publish.publish(built, project)
    assert (project.html / "index.html").read_text() == "old"


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other_content(path: Path) -> None:
    path.write_text(path.read_text().replace("Chapter", "Chaptre"))


@pytest.mark.parametrize(
    ("kind", "damage"), [("ipynb", cut_in_half), ("ipynb", other_content), ("json", cut_in_half)]
)
def test_a_damaged_notebook_is_executed_again(
    book: TinyBook, kind: str, damage: Callable[[Path], None]
) -> None:
    project, settings = Project(book.root), Settings("smoke")
    first, second = discover(project)
    assert is_current(first, project, settings)
    damage(book.executed / f"01_first.{kind}")
    assert not is_current(first, project, settings)
    assert is_current(second, project, settings)


def defined_tests(folder: Path) -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("test_*.py"))
    return set(re.findall(r"^def (test_\w+)", text, flags=re.MULTILINE))


def test_the_table_of_faults_names_tests_that_are_there(repository: Path) -> None:
    page = (repository / "book" / "developers.md").read_text(encoding="utf-8")
    table = page.partition("| what goes wrong |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [line.split("|")[-2].strip() for line in table]
    named = {f"test_{words.replace(' ', '_')}" for cell in cells for words in cell.split("; ")}
    assert len(table) > 15
    assert named <= defined_tests(repository / "tests")


FETCH = "from ltr_core.registry import fetch\nfetch('hennig2021')"
LOAD = "from pathlib import Path\nfrom ltr_core.checkpoints import load\nload(Path({path!r}), 'x')"


def test_damaged_data_and_a_damaged_checkpoint(book: TinyBook, tmp_path: Path) -> None:
    site = book.site_bytes()
    data, checkpoint = tmp_path / "hennig2021" / "20160728.mat", tmp_path / "state.safetensors"
    data.parent.mkdir()
    for path in (data, checkpoint):
        path.write_bytes(b"half of a file")
    book.chapter("01_first", FETCH)
    book.chapter("02_second", LOAD.format(path=str(checkpoint)))
    code, _, err = book.run("build", LTR_DATA_DIR=str(tmp_path))
    assert code == 1
    assert f"{data} is not the data set 'hennig2021' (14 bytes for 2050360" in err
    assert "in its place, or take it away" in err
    assert f"{checkpoint} is not a readable checkpoint" in err
    assert "move it away to start afresh" in err
    assert "Traceback" not in err
    assert book.site_bytes() == site
