"""Work over processes: in the order in which it ends, and left without a word."""

import gc
import time

import pytest

from ltr_core.parallel import as_finished


def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_results_come_as_they_finish():
    given = [(0.5,), (0.0,), (0.1,)]
    found = list(as_finished(slow, given, n_jobs=2, description="waiting"))
    assert sorted(found) == [0.0, 0.1, 0.5]
    assert found[0] != 0.5
    assert list(as_finished(slow, [], n_jobs=2, description="nothing")) == []


def stop_at_the_first() -> None:
    for _ in as_finished(slow, [(0.0,), (0.3,), (0.3,), (0.3,)], n_jobs=2, description="left"):
        raise RuntimeError("enough")


def test_work_that_nobody_waits_for_is_left_without_a_warning():
    # warnings are errors here, those of a generator that is thrown away included
    with pytest.raises(RuntimeError, match="enough"):
        stop_at_the_first()
    gc.collect()
