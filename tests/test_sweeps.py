"""Sweeps: their order, what is kept and not computed again, and what a failure leaves."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ltr_core.sweeps import sweep


def computed(folder: Path) -> list[int]:
    """Which cells were computed, as often as they were."""
    return sorted(int(path.name.split("-")[0]) for path in folder.glob("*-*"))


def mark(folder: str, size: int) -> None:
    """Leave a file for each call, also from another process."""
    count = len(list(Path(folder).glob(f"{size}-*")))
    (Path(folder) / f"{size}-{count}").touch()


def compute(size: int, folder: str, g: float = 1.0) -> dict[str, np.ndarray]:
    """Arrays that know their cell, and the threads they were made on."""
    mark(folder, size)
    drawn = g * np.random.default_rng(size).normal(size=(size, 2))
    return {"drawn": drawn, "size": np.array(size), "threads": np.array([torch.get_num_threads()])}


def twice(size: int, folder: str) -> dict[str, np.ndarray]:
    """Another function of the same settings."""
    mark(folder, size)
    return {"drawn": np.zeros(2)}


def fails_at_3(size: int, folder: str) -> dict[str, np.ndarray]:
    """Stops at one cell, until it is mended."""
    if size == 3 and not (Path(folder) / "mended").exists():
        raise ValueError("three is too much")
    return compute(size, folder)


def interrupted_at_3(size: int, folder: str) -> dict[str, np.ndarray]:
    """As if Ctrl-C was pressed in one cell, the first time."""
    if size == 3 and not (Path(folder) / "mended").exists():
        raise KeyboardInterrupt
    return compute(size, folder)


def views(size: int) -> dict[str, np.ndarray]:
    """Arrays that share memory, one of them backwards."""
    whole = np.arange(size)
    return {"whole": whole, "part": whole[1:], "backwards": whole[::-1], "same": whole}


@pytest.fixture
def cells(tmp_path):
    calls = tmp_path / "calls"
    calls.mkdir()
    return [{"size": size, "folder": str(calls)} for size in (5, 2, 3, 4)]


@pytest.fixture
def calls(tmp_path):
    return tmp_path / "calls"


def test_results_come_in_the_order_of_the_cells(cells):
    found = sweep(compute, cells)
    assert [len(one["drawn"]) for one in found] == [5, 2, 3, 4]
    for one, cell in zip(found, cells, strict=True):
        wanted = np.random.default_rng(cell["size"]).normal(size=(cell["size"], 2))
        np.testing.assert_array_equal(one["drawn"], wanted)


def test_two_processes_give_the_same_arrays(cells, tmp_path, calls):
    alone, together = (sweep(compute, cells, n_jobs=n_jobs) for n_jobs in (1, 2))
    kept = sweep(compute, cells, folder=tmp_path / "kept", n_jobs=2)
    for one, other, third in zip(alone, together, kept, strict=True):
        for name, wanted in one.items():
            np.testing.assert_array_equal(other[name], wanted)
            np.testing.assert_array_equal(third[name], wanted)
    assert len(computed(calls)) == 12


def test_kept_cells_are_not_computed_again(cells, tmp_path, calls):
    first = sweep(compute, cells[:2], folder=tmp_path / "kept")
    assert computed(calls) == [2, 5]
    again = sweep(compute, cells, folder=tmp_path / "kept")
    assert computed(calls) == [2, 3, 4, 5]
    for one, other in zip(first, again, strict=False):
        for name, wanted in one.items():
            assert other[name].dtype == wanted.dtype
            np.testing.assert_array_equal(other[name], wanted)
    assert len(sweep(compute, cells, folder=tmp_path / "kept")) == 4
    assert computed(calls) == [2, 3, 4, 5]


def test_without_a_folder_nothing_is_kept(cells, tmp_path, calls):
    for _ in range(2):
        sweep(compute, cells[:1])
    assert computed(calls) == [5, 5]
    assert [path.name for path in tmp_path.iterdir()] == ["calls"]


def test_other_settings_and_other_functions_have_files_of_their_own(cells, tmp_path, calls):
    kept = tmp_path / "kept"
    usual = sweep(compute, cells[:1], folder=kept)[0]
    stronger = sweep(compute, [{**cells[0], "g": 2.0}], folder=kept)[0]
    sweep(twice, cells[:1], folder=kept)
    assert computed(calls) == [5, 5, 5]
    assert len(list(kept.iterdir())) == 3
    np.testing.assert_allclose(stronger["drawn"], 2 * usual["drawn"])


def test_a_cell_that_fails_is_named_and_the_finished_ones_are_kept(cells, tmp_path, calls):
    kept = tmp_path / "kept"
    with pytest.raises(RuntimeError, match=r"The cell \{'size': 3, .*failed: three is too much"):
        sweep(fails_at_3, cells, folder=kept, n_jobs=1)
    assert computed(calls)[:2] == [2, 5]
    finished = len(list(kept.iterdir()))
    assert finished == 2
    (calls / "mended").touch()
    assert len(sweep(fails_at_3, cells, folder=kept, n_jobs=1)) == 4
    assert computed(calls).count(5) == computed(calls).count(2) == 1


def test_a_failure_in_another_process_is_named(cells, tmp_path):
    with pytest.raises(RuntimeError, match="'size': 3") as caught:
        sweep(fails_at_3, cells, folder=tmp_path / "kept", n_jobs=2)
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_interrupt_keeps_what_was_finished(cells, tmp_path, calls):
    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        sweep(interrupted_at_3, cells, folder=kept, n_jobs=1)
    assert computed(calls) == [2, 5]
    assert len(list(kept.iterdir())) == 2
    (calls / "mended").touch()
    sweep(interrupted_at_3, cells, folder=kept, n_jobs=1)
    assert computed(calls) == [2, 3, 4, 5]
    assert not list(kept.glob("*.partial"))


@pytest.mark.parametrize("content", [b"", b"not arrays at all"])
def test_a_damaged_file_is_named_and_left_as_it_is(cells, tmp_path, content):
    kept = tmp_path / "kept"
    sweep(compute, cells[:1], folder=kept)
    (file,) = kept.iterdir()
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{file.name} is not a readable checkpoint.*move it"):
        sweep(compute, cells, folder=kept)
    assert file.read_bytes() == content


def test_results_may_share_memory(tmp_path):
    for _ in range(2):
        (found,) = sweep(views, [{"size": 4}], folder=tmp_path)
        assert found["backwards"].tolist() == [3, 2, 1, 0]
        assert found["part"].tolist() == [1, 2, 3]
        assert found["same"].tolist() == found["whole"].tolist() == [0, 1, 2, 3]


def test_each_cell_has_one_thread_and_the_caller_gets_its_own_back(cells):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert sweep(compute, cells[:1])[0]["threads"] == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_no_cells_are_refused():
    with pytest.raises(ValueError, match="no cells"):
        sweep(compute, [])
