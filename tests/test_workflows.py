"""The workflows: sound by GitHub's schema, thin over make and .ci, and no freer than they need be.

Each check is a function that names faults; it is tried on the project's workflows, where it must
find none, and on one with that very fault.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pipeline.project import BuildError, Project
from _pipeline.release import check_release, main, pack_release
from repositories import git

REPOSITORY = Path(__file__).resolve().parent.parent
TRIGGERS = {
    "ci": {"push": {"branches-ignore": ["gh-pages"]}, "pull_request": None},
    "deploy": {"workflow_run": {"workflows": ["CI"], "types": ["completed"], "branches": ["main"]}},
    "weekly": {"schedule": [{"cron": "23 4 * * 1"}], "workflow_dispatch": None},
    "release": {"push": {"tags": ["v*"]}},
}
# All that any job may write; a token reads otherwise, if that.
WRITES = {("deploy", "contents"), ("weekly", "issues"), ("release", "contents")}
SCRIPTS = ("deploy", "newest", "release", "run", "tell")

Workflow = dict[str, Any]


def read(name: str) -> Workflow:
    text = (REPOSITORY / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    workflow: Workflow = yaml.safe_load(text)
    workflow["on"] = workflow.pop(True)  # as YAML 1.1 reads it
    return workflow


def steps(workflow: Workflow) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def runs(workflow: Workflow) -> list[str]:
    """The commands of all steps, with a word for what GitHub fills in."""
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    return [re.sub(r"\$\{\{.*?\}\}", "word", command) for command in commands]


def against_the_schema(name: str, workflow: Workflow, folder: Path) -> list[str]:
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(workflow), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json"]
    command += ["--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout]


def started_otherwise(name: str, workflow: Workflow, folder: Path) -> list[str]:
    return [] if workflow["on"] == TRIGGERS[name] else [f"on: {workflow['on']}"]


def without_timeout(name: str, workflow: Workflow, folder: Path) -> list[str]:
    return [job for job, of in workflow["jobs"].items() if "timeout-minutes" not in of]


def with_too_many_rights(name: str, workflow: Workflow, folder: Path) -> list[str]:
    if not isinstance(workflow.get("permissions"), dict):
        return ["permissions are not named one by one"]
    faults = []
    for part in (workflow, *workflow["jobs"].values()):
        for right, kind in part.get("permissions", {}).items():
            if kind == "write" and (name, right) not in WRITES:
                faults.append(f"{right}: write")
    return faults


def of_somebody_elses(name: str, workflow: Workflow, folder: Path) -> list[str]:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    return [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)]


def longer_than_a_line(name: str, workflow: Workflow, folder: Path) -> list[str]:
    return [command for command in runs(workflow) if "\n" in command.strip()]


def no_shell(name: str, workflow: Workflow, folder: Path) -> list[str]:
    found = []
    for command in runs(workflow):
        done = subprocess.run(
            ["bash", "-n"], input=command, capture_output=True, text=True, check=False
        )
        found += [done.stderr] if done.returncode else []
    return found


def calling_what_is_not_there(name: str, workflow: Workflow, folder: Path) -> list[str]:
    return [fault for command in runs(workflow) for fault in missing(command)]


def missing(command: str) -> list[str]:
    """Of a command, the make targets and the scripts of .ci that do not exist."""
    words = shlex.split(command)
    faults = []
    if words[0] == "make":
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        dry = ["make", "--dry-run", *words[1:]]
        done = subprocess.run(
            dry, cwd=REPOSITORY, env=clean, capture_output=True, text=True, check=False
        )
        faults += [done.stderr] if done.returncode else []
    faults += [
        word
        for word in words
        if word.startswith(".ci/") and not os.access(REPOSITORY / word, os.X_OK)
    ]
    return faults


CHECKS = (
    against_the_schema,
    started_otherwise,
    without_timeout,
    with_too_many_rights,
    of_somebody_elses,
    longer_than_a_line,
    no_shell,
    calling_what_is_not_there,
)


def set_step(**step: str) -> Callable[[Workflow], None]:
    def change(workflow: Workflow) -> None:
        next(iter(workflow["jobs"].values()))["steps"].append(step)

    return change


BROKEN = [
    (against_the_schema, lambda w: w["jobs"]["check"].update({"runs_on": "ubuntu-latest"})),
    (against_the_schema, set_step(name="neither run nor uses")),
    (started_otherwise, lambda w: w.update(on={"push": {"branches": ["main"]}})),
    (without_timeout, lambda w: w["jobs"]["check"].pop("timeout-minutes")),
    (with_too_many_rights, lambda w: w.pop("permissions")),
    (with_too_many_rights, lambda w: w.update(permissions="write-all")),
    (with_too_many_rights, lambda w: w["jobs"]["check"].update(permissions={"issues": "write"})),
    (of_somebody_elses, set_step(uses="somebody/deploy@v3")),
    (of_somebody_elses, set_step(uses="actions/checkout@main")),
    (longer_than_a_line, set_step(run="make lint\nmake test\n")),
    (no_shell, set_step(run='echo "half a word')),
    (calling_what_is_not_there, set_step(run="make nonsense")),
    (calling_what_is_not_there, set_step(run="make test TOURCH=cpu")),
    (calling_what_is_not_there, set_step(run="bash .ci/nonsense")),
]


def test_all_workflows_are_checked() -> None:
    found = {path.stem for path in (REPOSITORY / ".github" / "workflows").iterdir()}
    assert found == set(TRIGGERS)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", TRIGGERS)
def test_a_workflow_has_no_fault(name: str, check: Callable[..., list[str]], tmp_path: Path):
    assert check(name, read(name), tmp_path) == []


@pytest.mark.parametrize(("check", "change"), BROKEN)
def test_a_broken_workflow_is_found_out(
    check: Callable[..., list[str]], change: Callable[[Workflow], None], tmp_path: Path
) -> None:
    workflow = read("ci")
    change(workflow)
    assert check("ci", workflow, tmp_path)


def test_every_check_is_seen_to_fail() -> None:
    assert {check for check, _ in BROKEN} == set(CHECKS)


def test_only_our_own_site_is_deployed() -> None:
    condition = read("deploy")["jobs"]["deploy"]["if"]
    assert "workflow_run.conclusion == 'success'" in condition
    assert "workflow_run.event == 'push'" in condition
    assert "head_repository.full_name == github.repository" in condition


def test_what_may_publish_a_release_runs_nothing_of_the_project() -> None:
    jobs = read("release")["jobs"]
    assert "permissions" not in jobs["build"]
    assert [step.get("uses", "run") for step in jobs["publish"]["steps"]] == [
        "actions/download-artifact@v4",
        "run",
    ]


def test_the_weekly_build_fails_nothing() -> None:
    (newest,) = [step for step in steps(read("weekly")) if step.get("id") == "newest"]
    assert newest["continue-on-error"] is True


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_sound_and_calls_what_is_there(name: str) -> None:
    path = REPOSITORY / ".ci" / name
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", path], check=True)
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    commands = [line for line in lines if re.match(r"make [a-z. /]+$", line)]
    commands += [f"make {word}" for word in re.findall(r"\btry make (\w+)", "\n".join(lines))]
    commands += [line for line in lines if line.startswith("bash .ci/")]
    assert not [fault for command in commands for fault in missing(command)]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the script that deploys, a site that git ignores, and an origin."""
    root = tmp_path / "a clone"
    (root / ".ci").mkdir(parents=True)
    (root / ".ci" / "deploy").write_text((REPOSITORY / ".ci" / "deploy").read_text())
    (root / ".gitignore").write_text("_build/\n*.ipynb\n")
    site = root / "_build" / "html"
    (site / "_static").mkdir(parents=True)
    (site / "index.html").write_text("one")
    (site / "_static" / "a.ipynb").write_text("{}")
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def deploy(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", clone / ".ci" / "deploy", *arguments], capture_output=True, text=True, check=False
    )


def test_the_branch_of_the_site_holds_the_site_and_nothing_else(clone: Path) -> None:
    site, origin = clone / "_build" / "html", clone.parent / "origin.git"
    for page in ("one", "two"):
        (site / "index.html").write_text(page)
        done = deploy(clone)
        assert done.returncode == 0, done.stderr
        listed = git(origin, "ls-tree", "-r", "--name-only", "gh-pages").split()
        assert listed == [".nojekyll", "_static/a.ipynb", "index.html"]
        assert git(origin, "show", "gh-pages:index.html") == page
        assert git(origin, "rev-list", "--count", "gh-pages") == "1"
    assert git(clone, "rev-parse", "HEAD").strip() in git(origin, "log", "gh-pages")
    assert git(clone, "status", "--porcelain") == ""
    assert not (site / ".nojekyll").exists()


def test_what_is_no_site_is_not_deployed(clone: Path) -> None:
    (clone / "_build" / "html" / "index.html").unlink()
    done = deploy(clone)
    assert done.returncode == 1
    assert "_build/html holds no site (no index.html): make book" in done.stderr
    assert git(clone.parent / "origin.git", "branch") == ""


# A stand-in for GitHub's own command: notes how it was called, and lists what is open.
GH = '#!/bin/sh\necho "$@" >> "$CALLS"\n[ "$2" != list ] || printf "%s" "$OPEN"\n'
# A stand-in for make: one target fails, and another finds a newer version.
MAKE = """#!/bin/sh
[ "$1" != lock ] || printf "numpy==2\\ntorch==2\\n" > requirements.lock
[ "$1" != "$FAILING" ] || { echo "line of $1"; exit 2; }
"""


def script(
    folder: Path, name: str, *arguments: str, tools: dict[str, str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a copy of a script of .ci in a folder, with stand-ins for other commands."""
    for path, text in {f"bin/{tool}": text for tool, text in tools.items()}.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
        (folder / path).chmod(0o755)
    (folder / ".ci").mkdir(exist_ok=True)
    (folder / ".ci" / name).write_text((REPOSITORY / ".ci" / name).read_text())
    environment |= {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", f".ci/{name}", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("outcome", "issue", "call"),
    [
        ("failure", "", "issue create --title The book fails"),
        ("failure", "7", "issue edit 7 --body-file report.md"),
        ("success", "7", "issue close 7"),
        ("success", "", None),
    ],
)
def test_one_issue_is_open_while_the_newest_fails(
    outcome: str, issue: str, call: str | None, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    done = script(
        tmp_path, "tell", outcome, "report.md", tools={"gh": GH}, CALLS=str(calls), OPEN=issue
    )
    assert done.returncode == 0, done.stderr
    listing, *others = calls.read_text().splitlines()
    assert listing.startswith("issue list --state open")
    assert len(others) == (call is not None)
    assert call is None or others[0].startswith(call)


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("", ["`make lock` passes", "`make test` passes", "`make book` passes", "compare` passes"]),
        ("compare", ["`make book` passes", "/_pipeline compare` **fails**", "    line of compare"]),
        ("test", ["`make test` **fails**", "`make book` passes", "    line of test"]),
        ("lock", ["`make lock` **fails**", "    line of lock"]),
    ],
)
def test_the_newest_are_tried_to_the_end_and_reported(
    failing: str, told: list[str], tmp_path: Path
) -> None:
    (tmp_path / "requirements.lock").write_text("numpy==1\ntorch==2\n")
    compare = tmp_path / ".venv" / "bin" / "python"
    compare.parent.mkdir(parents=True)
    compare.write_text('#!/bin/sh\n[ "$2" != "$FAILING" ] || { echo "line of $2"; exit 1; }\n')
    compare.chmod(0o755)
    done = script(tmp_path, "newest", "report.md", tools={"make": MAKE}, FAILING=failing)
    assert done.returncode == bool(failing)
    report = (tmp_path / "report.md").read_text()
    for line in (*told, "< numpy==1\n> numpy==2\n"):
        assert line in report
    assert ("make test" in report) == (failing != "lock")
    assert "torch" not in report


CHANGELOG = (
    "# Changelog\n\n## [0.2.0] - 2026-02-01\n\n- New.\n\n## [0.1.0] - 2026-01-01\n\n- Old.\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of version 0.2.0 whose book and PDF have been built."""
    texts = {
        "pyproject.toml": '[project]\nversion = "0.2.0"\n',
        "CITATION.cff": "version: 0.2.0\n",
        ".zenodo.json": '{"version": "0.2.0"}',
        "CHANGELOG.md": CHANGELOG,
        "_build/html/index.html": "site",
        "_build/html/_static/a.js": "js",
        "_build/book.pdf": "pdf",
        "_build/ledger.json": '[{"scale": "book"}]',
        "_build/published.json": "[]",
        "_build/executed/book-0/01_first.ipynb": "{}",
        "_build/executed/book-1/01_first.ipynb": "another seed's",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Project(tmp_path)


def test_a_release_is_of_one_version(project: Project) -> None:
    check_release(project, "v0.2.0")
    with pytest.raises(BuildError) as raised:
        check_release(project, "v0.3.0")
    assert len(str(raised.value).splitlines()) == 4
    for name, old in [
        ("pyproject.toml", '"0.2.0"'),
        ("CITATION.cff", "0.2.0"),
        (".zenodo.json", "0.2.0"),
        ("CHANGELOG.md", "0.2.0"),
    ]:
        path = project.root / name
        text = path.read_text()
        path.write_text(text.replace(old, old.replace("0.2.0", "0.9.9")))
        with pytest.raises(BuildError, match=rf"^{re.escape(name)} has version 0\.9\.9, the tag"):
            check_release(project, "v0.2.0")
        path.write_text(text)
    log = project.root / "CHANGELOG.md"
    log.write_text(CHANGELOG.replace("2026-02-01", "not released yet"))
    with pytest.raises(BuildError, match=r"CHANGELOG\.md has no date for 0\.2\.0"):
        check_release(project, "v0.2.0")
    log.unlink()
    with pytest.raises(BuildError, match=r"no heading like ## \[0\.1\.0\]"):
        check_release(project, "v0.2.0")


def test_a_release_has_its_files_and_notes(project: Project) -> None:
    pack_release(project, "v0.2.0")
    folder = project.build / "release"
    files = folder / "files"
    names = ["book-v0.2.0.pdf", "ledger.json", "notebooks-v0.2.0.zip", "published.json"]
    names += ["site-v0.2.0.zip"]
    assert sorted(path.name for path in files.iterdir()) == ["SHA256SUMS", *names]
    with zipfile.ZipFile(files / "site-v0.2.0.zip") as site:
        assert site.namelist() == ["_static/a.js", "index.html"]
    with zipfile.ZipFile(files / "notebooks-v0.2.0.zip") as notebooks:
        assert notebooks.read("01_first.ipynb") == b"{}"
    sums = [f"{hashlib.sha256((files / name).read_bytes()).hexdigest()}  {name}" for name in names]
    assert (files / "SHA256SUMS").read_text().splitlines() == sums
    assert (folder / "notes.md").read_text() == "- New.\n"
    once = (files / "site-v0.2.0.zip").read_bytes()
    pack_release(project, "v0.2.0")
    assert (files / "site-v0.2.0.zip").read_bytes() == once


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("html/index.html", "site"),
        ("book.pdf", "PDF"),
        ("ledger.json", "ledger"),
        ("published.json", "published values"),
        ("executed/book-0/01_first.ipynb", "notebooks"),
    ],
)
def test_a_release_lacks_nothing(project: Project, name: str, what: str) -> None:
    (project.build / name).unlink()
    with pytest.raises(BuildError, match=f"no {what} to release: make book"):
        pack_release(project, "v0.2.0")
    assert not (project.build / "release").exists()


def test_a_release_is_of_the_book(project: Project) -> None:
    (project.build / "ledger.json").write_text(json.dumps([{"scale": "smoke"}]))
    with pytest.raises(BuildError, match="the ledger is of scale smoke: make book"):
        pack_release(project, "v0.2.0")


def test_a_wrong_tag_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "v99.0.0"]) == 1
    assert "the tag is v99.0.0: bring them together" in capsys.readouterr().err
    assert main(["publish", "v1.0.0"]) == 2
