"""Data sets are found at hand, fetched whole or not at all, and never taken for another file."""

import hashlib
import http.server
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from ltr_core import registry
from ltr_core.registry import DATASETS, Dataset, NotAtHand, available, fetch

CONTENT = bytes(range(256)) * 40


class Served:
    """A local server of one file; `content` is what it sends, `asked` how often it was asked."""

    def __init__(self):
        self.content = CONTENT
        self.promised = None  # the length that it announces, if it is another one
        self.asked = 0

    def handler(self):
        served = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                served.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", str(served.promised or len(served.content)))
                self.end_headers()
                self.wfile.write(served.content)

            def log_message(self, *args):
                pass

        return Handler


@pytest.fixture
def served(monkeypatch, tmp_path):
    """The registry's only data set, "planted", on a local server; an empty cache."""
    pytest.importorskip("pooch")
    served = Served()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), served.handler())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    _plant(monkeypatch, tmp_path, f"http://127.0.0.1:{server.server_port}/numbers.bin")
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """The same data set at an address where nothing answers."""
    pytest.importorskip("pooch")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and not listening: connections are refused
        _plant(monkeypatch, tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}/numbers.bin")
        yield


def _plant(monkeypatch, tmp_path, url):
    planted = Dataset(
        name="planted",
        file="numbers.bin",
        url=url,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        licence="CC0-1.0",
        citation="Nobody (2020).",
        doi="10.0000/0",
    )
    monkeypatch.setattr(registry, "DATASETS", {"planted": planted})
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("LTR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("LTR_DATA_DIR", raising=False)


def put(folder, content):
    path = folder / "planted" / "numbers.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_fetched_once_then_found_in_the_cache(served, tmp_path, capfd, caplog):
    logger = sys.modules["pooch"].get_logger()
    logger.addHandler(caplog.handler)
    level = logger.level
    assert not available("planted")
    assert served.asked == 0
    path = fetch("planted")
    assert path == tmp_path / "cache" / "planted" / "numbers.bin"
    assert path.read_bytes() == CONTENT
    assert available("planted")
    assert fetch("planted") == path
    assert served.asked == 1
    assert files(tmp_path) == [path]  # no partial file stays
    logger.removeHandler(caplog.handler)
    assert capfd.readouterr() == ("", "")  # quiet where stderr is no terminal
    assert caplog.records == []
    assert logger.level == level


@pytest.mark.parametrize("broken", [CONTENT[:-1], CONTENT[:-1] + b"x", b""])
def test_a_damaged_file_in_the_cache_is_fetched_again(served, tmp_path, broken):
    path = put(tmp_path / "cache", broken)
    assert not available("planted")
    assert fetch("planted") == path
    assert path.read_bytes() == CONTENT
    assert served.asked == 1


def test_what_the_url_holds_is_not_the_data_set(served, tmp_path):
    served.content = b"<html>Moved</html>"
    with pytest.raises(ValueError, match=r"does not hold the data set 'planted' any more"):
        fetch("planted")
    assert files(tmp_path) == []


def test_a_connection_that_breaks_leaves_nothing(served, tmp_path):
    served.content, served.promised = CONTENT[:100], len(CONTENT)
    with pytest.raises(NotAtHand, match="could not be fetched"):
        fetch("planted")
    assert files(tmp_path) == []
    assert not available("planted")


def test_a_broken_connection_leaves_the_damaged_file_it_was_to_replace(served, tmp_path):
    path = put(tmp_path / "cache", b"damaged")
    served.content, served.promised = CONTENT[:100], len(CONTENT)
    with pytest.raises(NotAtHand):
        fetch("planted")
    assert files(tmp_path) == [path]


def test_offline_the_error_says_what_to_do(offline, tmp_path):
    assert not available("planted")
    with pytest.raises(NotAtHand) as raised:
        fetch("planted")
    message = str(raised.value)
    assert "set LTR_DATA_DIR to a folder that holds planted/numbers.bin" in message
    assert registry.DATASETS["planted"].url in message
    place = tmp_path / "cache" / "planted" / "numbers.bin"
    assert str(place) in message
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(CONTENT)  # as the message advises
    assert fetch("planted") == place


def test_the_users_own_folder_comes_first(offline, tmp_path, monkeypatch):
    put(tmp_path / "cache", CONTENT)
    own = put(tmp_path / "data", CONTENT)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in (str(tmp_path / "data"), "~/data"):
        monkeypatch.setenv("LTR_DATA_DIR", folder)
        assert fetch("planted") == own
        assert available("planted")


def test_another_file_in_the_users_own_folder_is_an_error_and_stays(served, tmp_path, monkeypatch):
    put(tmp_path / "cache", CONTENT)
    own = put(tmp_path / "data", CONTENT[::-1])
    monkeypatch.setenv("LTR_DATA_DIR", str(tmp_path / "data"))
    assert not available("planted")
    with pytest.raises(ValueError, match=f"{own} is not the data set 'planted'"):
        fetch("planted")
    assert own.read_bytes() == CONTENT[::-1]
    assert served.asked == 0


def test_a_folder_without_the_file_is_passed_over(offline, tmp_path, monkeypatch):
    cached = put(tmp_path / "cache", CONTENT)
    monkeypatch.setenv("LTR_DATA_DIR", str(tmp_path / "elsewhere"))
    assert fetch("planted") == cached


@pytest.mark.parametrize("ask", [fetch, available])
def test_unknown_names_are_answered_with_the_nearest(ask):
    with pytest.raises(ValueError, match=r"there is hennig2021, .*\. Did you mean 'hennig2021'\?"):
        ask("henning2021")
    with pytest.raises(ValueError, match=r"'xyz': there is hennig2021, hutto2014\.$"):
        ask("xyz")


def test_without_pooch_only_fetching_fails(tmp_path, monkeypatch, served):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"needs pooch.*pip install ltr-core\[data\]"):
        fetch("planted")
    cached = put(tmp_path / "cache", CONTENT)
    assert fetch("planted") == cached
    monkeypatch.delenv("LTR_CACHE_DIR")
    assert not available("planted")
    own = put(tmp_path / "data", CONTENT)
    monkeypatch.setenv("LTR_DATA_DIR", str(tmp_path / "data"))
    assert fetch("planted") == own


def test_the_users_cache_is_the_default(monkeypatch, tmp_path):
    pooch = pytest.importorskip("pooch")
    monkeypatch.delenv("LTR_CACHE_DIR", raising=False)
    monkeypatch.delenv("LTR_DATA_DIR", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    planted = replace(
        DATASETS["hennig2021"],
        name="planted",
        file="numbers.bin",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    monkeypatch.setattr(registry, "DATASETS", {"planted": planted})
    path = put(tmp_path / "ltr-core", CONTENT)
    assert fetch("planted") == path


def test_every_entry_is_complete():
    for name, dataset in DATASETS.items():
        assert name == dataset.name
        assert dataset.url.startswith("https://")
        if dataset.package:
            package, version = dataset.package.split("==")
            assert dataset.url == f"https://pypi.org/project/{package}/{version}/#files"
            assert dataset.file == f"{package}-{version}.tar.gz"
        else:
            assert dataset.url.endswith(dataset.file)
        assert len(dataset.sha256) == 64
        assert dataset.size > 0
        assert dataset.licence
        assert dataset.citation
        assert dataset.doi.startswith("10.")


def test_the_registry_imports_without_pooch():
    code = "import sys, ltr_core.registry; sys.exit('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_command_fetches_everything(served, capfd):
    assert registry.main() == 0
    assert "planted: /" in capfd.readouterr().out
    assert served.asked == 1


def test_the_command_says_what_is_not_at_hand(offline, capfd):
    assert registry.main() == 1
    assert "planted: NOT AT HAND." in capfd.readouterr().out
