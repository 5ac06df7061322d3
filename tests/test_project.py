"""The project's own files agree: lock, environments, citation, README, Makefile, address."""

import ast
import base64
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from _pipeline.chapters import discover
from _pipeline.derived import (
    PICTURE,
    PICTURED,
    check_derived,
    locked_versions,
    readme_address,
    write_derived,
)
from _pipeline.notebooks import FIGURE
from _pipeline.project import BuildError, Project
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ltr_core.published_results import read_results

ADDRESS = "https://github.com/someone/ltr"
DERIVED_FILES = (
    "README.md",
    "CITATION.cff",
    ".zenodo.json",
    "environment.yml",
    "requirements.lock",
    "_config.yml",
)


@pytest.fixture(scope="module")
def lock(repository: Path) -> dict[str, str]:
    text = (repository / "requirements.lock").read_text()
    return {canonicalize_name(name): version for name, version in locked_versions(text).items()}


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Project:
    """The files that derive from each other, in a temporary folder."""
    for name in DERIVED_FILES:
        (tmp_path / name).write_text((repository / name).read_text())
    (tmp_path / "_build").mkdir()
    return Project(tmp_path)


def set_address(project: Project, address: str) -> None:
    config = yaml.safe_load(project.config.read_text())
    config["repository"]["url"] = address
    project.config.write_text(yaml.safe_dump(config))


def make(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make without the variables of a make that may have started the tests."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=repository, env=clean, capture_output=True, text=True, check=False
    )


def test_lock_pins_every_requirement_within_its_range(
    repository: Path, lock: dict[str, str]
) -> None:
    metadata = tomllib.loads((repository / "pyproject.toml").read_text())
    extras = metadata["project"]["optional-dependencies"]
    wanted = metadata["project"]["dependencies"] + metadata["build-system"]["requires"]
    for line in wanted + [line for extra in extras.values() for line in extra]:
        requirement = Requirement(line)
        version = lock.get(canonicalize_name(requirement.name))
        assert version is not None, f"{line} is not in requirements.lock: make lock"
        assert requirement.specifier.contains(version), f"the lock has {version}, wanted is {line}"


def test_lock_holds_exact_versions_only(repository: Path, lock: dict[str, str]) -> None:
    lines = (repository / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) == len(lock) > 100
    for pin in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", pin), pin
    assert not [name for name in lock if name.startswith(("nvidia-", "triton"))]


def test_environment_for_binder_equals_the_lock(repository: Path, lock: dict[str, str]) -> None:
    """Every version that conda pins is the lock's; pip installs the lock and the project only."""
    environment = yaml.safe_load((repository / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}
    pins = {name: version for name, _, version in (line.partition("=") for line in conda)}
    pins["torch"] = pins.pop("pytorch-cpu")
    assert {*pins} == {"python", "pip", "torch", "numpy"}
    assert pins.pop("pip") == "", "pip's version is the environment's own matter"
    python = pins.pop("python")
    assert pins == {name: lock[name] for name in pins}
    metadata = tomllib.loads((repository / "pyproject.toml").read_text())
    wanted = SpecifierSet(metadata["project"]["requires-python"])
    series = [f"3.{minor}" for minor in range(30) if f"3.{minor}.7" in wanted]
    assert series == [python]


def test_binder_opens_percent_scripts_as_notebooks(repository: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "PATH": path}
    subprocess.run([repository / "postBuild"], env=environment, check=True)
    written = (tmp_path / "labconfig" / "default_setting_overrides.json").read_text()
    assert '"python": "Jupytext Notebook"' in written


def test_citation_is_valid(repository: Path) -> None:
    schema = ["--builtin-schema", "vendor.citation-file-format"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, repository / "CITATION.cff"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    citation = yaml.safe_load((repository / "CITATION.cff").read_text())
    assert citation["authors"] == [{"name": "The project's contributors"}]
    urls = [reference["url"] for reference in citation["references"]]
    assert urls == ["https://arxiv.org/abs/2308.11567", "https://arxiv.org/abs/2006.11036"]


def test_readme_names_only_targets_and_variables_that_exist(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    code = re.findall(r"`([^`\n]+)`", readme) + re.findall(r"^ {4}(.+)$", readme, re.MULTILINE)
    commands = [text.partition("#")[0].split() for text in code if text.startswith("make ")]
    assert ["make", "book"] in commands
    assert ["make", "test"] in commands
    for command in commands:
        done = make(repository, "--dry-run", *command[1:])
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


@pytest.mark.parametrize("wrong", ["SEDE=3", "TORCH=gpu"])
def test_make_refuses_what_it_does_not_know(repository: Path, wrong: str) -> None:
    done = make(repository, "--dry-run", "book", wrong)
    assert done.returncode != 0
    assert wrong.partition("=")[0] in done.stderr


def test_make_hands_scale_and_seed_to_the_pipeline(repository: Path) -> None:
    done = make(repository, "--dry-run", "book", "SCALE=smoke", "SEED=4", "JOBS=3")
    assert '--scale "smoke" --seed "4" --jobs "3"' in done.stdout


def test_make_needs_python_3_11(repository: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text((repository / name).read_text())
    done = make(tmp_path, "book", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "error: no no-such-python found" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_derived_lines_are_up_to_date(repository: Path) -> None:
    check_derived(Project(repository))


def test_address_has_one_place(repository: Path) -> None:
    """The configuration says that the pipeline derives the rest; nothing else may name it."""
    address = yaml.safe_load((repository / "_config.yml").read_text())["repository"]["url"]
    if not address:
        citation = (repository / "CITATION.cff").read_text()
        assert "repository-code" not in citation
        assert readme_address("") in (repository / "README.md").read_text()
        return
    listed = subprocess.run(
        ["git", "grep", "-lF", address], cwd=repository, capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.split()) == {"_config.yml", "README.md", "CITATION.cff"}


def test_address_reaches_readme_and_citation(project: Project) -> None:
    set_address(project, ADDRESS)
    with pytest.raises(BuildError, match=r"README\.md, CITATION\.cff: run make derived"):
        check_derived(project)
    write_derived(project)
    check_derived(project)
    readme = (project.root / "README.md").read_text()
    assert "mybinder.org/v2/gh/someone/ltr/HEAD?urlpath=lab/tree/book/01_" in readme
    citation = yaml.safe_load((project.root / "CITATION.cff").read_text())
    assert citation["repository-code"] == ADDRESS
    set_address(project, "")
    write_derived(project)
    for name in DERIVED_FILES[:2]:
        assert ADDRESS not in (project.root / name).read_text()


def test_binder_finds_other_hosts_by_their_quoted_address() -> None:
    assert "/v2/git/https%3A%2F%2Fexample.org%2Fltr/HEAD" in readme_address(
        "https://example.org/ltr"
    )


def test_zenodos_record_follows_the_citation(project: Project) -> None:
    citation = project.root / "CITATION.cff"
    newer = re.sub(r"(?m)^version: .+$", 'version: "77.0"', citation.read_text())
    citation.write_text(newer)
    with pytest.raises(BuildError, match=r"\.zenodo\.json: run make derived"):
        check_derived(project)
    write_derived(project)
    check_derived(project)
    assert '"version": "77.0"' in (project.root / ".zenodo.json").read_text()


def test_environment_follows_the_lock(project: Project) -> None:
    lock = project.root / "requirements.lock"
    lock.write_text(re.sub(r"^numpy==.*$", "numpy==2.9.9", lock.read_text(), flags=re.MULTILINE))
    with pytest.raises(BuildError, match=r"environment\.yml"):
        check_derived(project)
    write_derived(project)
    assert "- numpy=2.9.9\n" in (project.root / "environment.yml").read_text()


def test_readme_table_follows_the_ledger(project: Project) -> None:
    ledger = """[{"id": "P3.one", "statement": "a | b", "expression": "x > 0", "measured":
        {"x": {"values": [1.0], "mean": 1.0, "sd": null}}, "control": {}, "holds": %s,
        "scale": "%s"}]"""
    readme = project.root / "README.md"
    before = readme.read_text()
    path = project.build / "ledger.json"
    path.write_text(ledger % ("null", "smoke"))
    write_derived(project)
    assert readme.read_text() == before, "a ledger at smoke scale must not reach the README"
    path.write_text(ledger % ("true", "book"))
    with pytest.raises(BuildError, match="table of claims"):
        check_derived(project)
    write_derived(project)
    check_derived(project)
    assert "| P3.one | a \\| b | `x > 0` | x 1 |" in readme.read_text()
    # Values may differ between machines, a verdict may not.
    path.write_text((ledger % ("true", "book")).replace("1.0", "1.1"))
    check_derived(project)
    path.write_text(ledger % ("false", "book"))
    with pytest.raises(BuildError, match="table of claims"):
        check_derived(project)
    # A claim whose data are not at hand agrees with every verdict, another claim does not.
    not_run = (ledger % ("null", "book")).replace('"scale"', '"not_run": "no data", "scale"')
    path.write_text(not_run)
    check_derived(project)
    path.write_text(not_run.replace("P3.one", "P3.two"))
    with pytest.raises(BuildError, match="table of claims"):
        check_derived(project)


def test_readme_shows_the_figure_of_the_book(project: Project) -> None:
    svg = '<svg width="9">paths</svg>'
    source = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    data = {FIGURE: {"name": PICTURED}, "text/html": f'<div><img alt="a" src="{source}"></div>'}
    cell = nbformat.v4.new_code_cell("show()")
    cell.outputs = [nbformat.v4.new_output("display_data", data)]
    project.stage.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), project.stage / "02_second.ipynb")
    row = """[{"id": "P3.one", "statement": "s", "expression": "x > 0", "measured": {},
        "control": {}, "holds": true, "scale": "book"}]"""
    (project.build / "ledger.json").write_text(row)
    write_derived(project)
    # on white: the README may be read on a dark page, which the picture cannot follow
    assert (
        project.root / PICTURE
    ).read_text() == '<svg style="background: white" width="9">paths</svg>'


def test_kept_results_are_of_chapters_that_state_published_values(repository: Path) -> None:
    stating = {
        chapter.name for chapter in discover(Project(repository)) if chapter.states_published_values
    }
    for path in (repository / "results").glob("*"):
        results = read_results(path)
        assert path.stem == results["chapter"]
        assert path.stem in stating
        assert results["scale"] == "paper"


def test_files_that_the_readme_links_to_exist(repository: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (repository / "README.md").read_text())
    local = [link for link in links if "://" not in link]
    assert PICTURE in local
    for link in local:
        assert (repository / link).exists(), f"README.md links to {link}: make book derived"


def test_readme_without_its_markers_is_refused(project: Project) -> None:
    readme = project.root / "README.md"
    readme.write_text(readme.read_text().replace("<!-- address:end -->", ""))
    with pytest.raises(BuildError, match="lacks its pair of lines <!-- address:begin -->"):
        check_derived(project)


def printed_by_example(repository: Path, number: int, capsys: pytest.CaptureFixture[str]):
    """The lines that one of README's examples prints."""
    examples = re.findall(r"```python\n(.+?)```", (repository / "README.md").read_text(), re.DOTALL)
    exec(compile(examples[number], "README.md", "exec"), {})
    return capsys.readouterr().out.splitlines()


def test_the_readmes_fit_predicts(repository: Path, capsys: pytest.CaptureFixture[str]):
    score, shapes = printed_by_example(repository, 0, capsys)
    assert float(score) > 0.9
    assert shapes == "(100, 3) (100, 41, 3) (50, 50)"


def test_the_readmes_networks_learn(repository: Path, capsys: pytest.CaptureFixture[str]):
    *_, shape = printed_by_example(repository, 1, capsys)
    assert shape == "torch.Size([3, 10, 64, 64])"


def test_the_readmes_bounds_bound(repository: Path, capsys: pytest.CaptureFixture[str]):
    exact, ranks = printed_by_example(repository, 2, capsys)
    assert exact == "(16, 4, 4)"
    measured, guaranteed = ast.literal_eval(ranks)
    assert measured <= guaranteed < 64
