"""Held-out blocks: nothing leaks, nothing is emptied, and the numbers add up."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter

from ltr_core.held_out import HeldOut, check_train, held_out_blocks
from ltr_core.recordings import Recording


def recording(shape: tuple[int, int, int], missing: float = 0.0, seed: int = 0) -> Recording:
    """Random rates of which a share was not observed."""
    rng = np.random.default_rng(seed)
    activity = rng.normal(size=shape).astype(np.float32)
    activity[rng.random(shape) < missing] = np.nan
    return Recording(activity, time=0.1 * np.arange(shape[1]))


def around(mask: np.ndarray, half: tuple[int, int, int]) -> np.ndarray:
    """The entries whose block of a half-size holds any of a mask's."""
    size = tuple(2 * h + 1 for h in half)
    return maximum_filter(mask.astype(np.uint8), size, mode="constant") > 0


def explained(
    held: HeldOut, observed: np.ndarray, test: tuple[int, int, int], train: tuple[int, int, int]
) -> np.ndarray:
    """Test entries that lie around a possible centre, found without knowing the centres.

    A centre is possible if all that was observed in its test block is tested and nothing in its
    larger block is trained on.
    """
    untested = around(observed & ~held.test, test)  # centres near an entry that is not tested
    possible = ~untested & ~around(held.train, train)
    return around(possible, test) & held.test


shapes = st.tuples(st.integers(18, 25), st.integers(10, 16), st.integers(8, 12))
half_sizes = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1))


@settings(max_examples=60)
@given(
    shape=shapes,
    test=half_sizes,
    more=half_sizes,
    missing=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 1000),
)
def test_masks_never_leak(
    shape: tuple[int, int, int],
    test: tuple[int, int, int],
    more: tuple[int, int, int],
    missing: float,
    seed: int,
) -> None:
    """Around every tested entry there is a centre whose whole larger block is not trained on."""
    train = (test[0] + more[0], test[1] + more[1], test[2] + more[2])
    data = recording(shape, missing, seed)
    held = held_out_blocks(data, share=0.05, test=test, train=train, seed=seed)
    assert not (held.test & held.train).any()
    assert not ((held.test | held.train) & ~data.observed).any()
    assert np.array_equal(explained(held, data.observed, test, train), held.test)
    assert held.train.any((1, 2))[data.observed.any((1, 2))].all()
    assert held.train.any((0, 1))[data.observed.any((0, 1))].all()
    coverage = held.coverage
    assert coverage["test"] + coverage["train"] + coverage["neither"] == pytest.approx(1)
    assert coverage["test"] == held.test.sum() / data.observed.sum()
    assert coverage["neither"] >= 0
    assert coverage["trials_without_training"] == coverage["neurons_without_training"] == 0
    block_size = np.prod([2 * half + 1 for half in test])
    assert 0.05 <= coverage["test"] < 0.05 + block_size / data.observed.sum()


def test_every_entry_is_as_likely_to_be_tested() -> None:
    """Over seeds, all neurons and the inner trials and times are tested about equally often."""
    data = recording((40, 30, 10))
    tested = np.mean([held_out_blocks(data, seed=seed).test for seed in range(60)], 0)
    inner = tested[2:-2, 2:-2]
    for axes in [(1, 2), (0, 2), (0, 1)]:
        over = inner.mean(axes)
        assert over.std() < 0.15 * over.mean()
        assert abs(over - over.mean()).max() < 0.4 * over.mean()


def test_seed_decides() -> None:
    """The same seed gives the same masks, another seed others."""
    data = recording((30, 20, 10))
    first, again, other = (held_out_blocks(data, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.test, again.test)
    assert np.array_equal(first.train, again.train)
    assert not np.array_equal(first.test, other.test)


def test_times_bound_the_test() -> None:
    """Outside the given times nothing is tested; the share is of the entries there."""
    data = recording((60, 20, 10))
    late = data.time > 0.95
    for times in (late, np.flatnonzero(late), slice(10, None)):
        held = held_out_blocks(data, share=0.3, times=times)
        assert not held.test[:, ~late].any()
        assert held.test[:, late].mean() == pytest.approx(0.3, abs=0.01)
        assert held.train[:, ~late].any()


def test_a_scarcely_observed_trial_keeps_its_entries() -> None:
    """No block is put where it would take a trial's, or a neuron's, last entries."""
    activity = np.random.default_rng(0).normal(size=(30, 20, 8))
    activity[7] = np.nan
    activity[7, 3, 2] = 1.0
    activity[:, :, 5] = np.nan
    activity[20, 8:10, 5] = [1.0, 2.0]
    data = Recording(activity, time=0.1 * np.arange(20))
    for seed in range(5):
        held = held_out_blocks(data, seed=seed)
        assert held.train[7, 3, 2]
        assert held.train[20, 8:10, 5].any()
        assert held.coverage["test"] >= 0.2


def test_what_was_never_observed_needs_no_training() -> None:
    """Silent trials and neurons neither stop the drawing nor count as emptied."""
    activity = np.random.default_rng(0).normal(size=(30, 20, 8))
    activity[4], activity[:, :, 1] = np.nan, np.nan
    held = held_out_blocks(Recording(activity, time=0.1 * np.arange(20)))
    assert held.coverage["trials_without_training"] == 0
    assert not held.test[4].any()


def test_coverage_counts_what_training_lacks() -> None:
    """For masks made by hand."""
    test = np.zeros((4, 3, 2), dtype=bool)
    test[0], test[:, 0, 1] = True, True
    train = ~test
    train[1:, :, 1] = False
    coverage = HeldOut(test, train).coverage
    assert coverage["test"] == pytest.approx(9 / 24)
    assert coverage["train"] == pytest.approx(9 / 24)
    assert coverage["neither"] == pytest.approx(6 / 24)
    assert coverage["trials_without_training"] == 1
    assert coverage["neurons_without_training"] == 1


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"share": 0.0}, "share is 0.0: it must lie between 0 and 1"),
        ({"share": 1.0}, "share is 1.0"),
        ({"test": (2, -1, 0)}, "Half-sizes along time are -1"),
        ({"train": (5, 1, 0)}, r"Half-sizes along time are 2 \(test\) and 1 \(train\)"),
        ({"train": (30, 20, 0)}, r"Only 0 of the entries can be held out.*lower share \(now 0.2\)"),
        ({"share": 0.9}, "Only 0.* of the entries can be held out"),
        ({"times": slice(20, None)}, "Nothing was observed at the given times"),
        ({"times": [20]}, "times holds indices beyond the recording's 20"),
    ],
)
def test_bad_settings_are_named(chosen: dict[str, Any], said: str) -> None:
    """What is wrong, and what to lower."""
    with pytest.raises(ValueError, match=said):
        held_out_blocks(recording((30, 20, 4)), **chosen)


def test_check_train() -> None:
    """The mask of a user is taken with what was observed, and refused if it empties something."""
    data = recording((6, 5, 4), missing=0.2)
    assert np.array_equal(check_train(data, None), data.observed)
    train = np.ones((6, 5, 4), dtype=bool)
    train[:, :2] = False
    assert np.array_equal(check_train(data, train), data.observed & train)
    train[3] = False
    with pytest.raises(ValueError, match=r"train leaves nothing of trial 3 \(1 in all\)"):
        check_train(data, train)
    train[3], train[:, :, 1:3] = True, False
    with pytest.raises(ValueError, match=r"train leaves nothing of neuron 1, 2 \(2 in all\)"):
        check_train(data, train)
    with pytest.raises(ValueError, match=r"train has shape \(5, 6, 4\)"):
        check_train(data, np.ones((5, 6, 4), dtype=bool))
    with pytest.raises(ValueError, match="must be bool"):
        check_train(data, np.ones((6, 5, 4)))


def test_check_train_lets_silent_trials_be() -> None:
    """A trial in which nothing was observed is not the mask's fault."""
    activity = np.ones((6, 5, 4))
    activity[2] = np.nan
    data = Recording(activity, time=0.1 * np.arange(5))
    assert not check_train(data, np.ones((6, 5, 4), dtype=bool))[2].any()


def test_large_recordings_take_no_loop_over_blocks() -> None:
    """Two million entries, 18 thousand blocks: far below the time of a loop over blocks."""
    data = recording((200, 50, 200))
    before = time.process_time()
    held = held_out_blocks(data)
    assert time.process_time() - before < 2
    assert held.coverage["test"] == pytest.approx(0.2, abs=1e-3)
    assert held.coverage["train"] > 0.3
