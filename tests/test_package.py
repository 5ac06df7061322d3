"""The package's face: every public name is there, and loads no more than it needs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ltr_core


@pytest.mark.parametrize("name", ltr_core.__all__)
def test_every_public_name_is_found_and_described(name: str) -> None:
    assert getattr(ltr_core, name) is not None
    assert name in dir(ltr_core)
    assert f"`{name}`" in (ltr_core.__doc__ or "")


def test_the_list_of_names_is_in_two_columns() -> None:
    """The pages of the API are made from it."""
    listed = [line for line in ltr_core.__doc__.splitlines() if line.startswith("    ")]
    for line in listed:
        assert re.match(r" {4}`\w+`(, `\w+`)* {2,}\S", line), f"{line.strip()}: align it"
    assert len(listed) > 30


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = ltr_core.no_such_name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "modules",
    [
        "ltr_core.registry, ltr_core.ledger_text, ltr_core.published_text",
        "_pipeline.build, _pipeline.execute, _pipeline.stage",
    ],
)
def test_what_needs_no_torch_does_not_load_it(repository: Path, modules: str) -> None:
    """Each of a build's processes would wait seconds for it."""
    code = f"import sys; sys.path[:0] = ['book', '.']; import {modules}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "ltr_core" in loaded
    assert not loaded & {"torch", "scipy", "altair"}
