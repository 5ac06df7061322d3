"""Altered recordings, and whether one subspace serves all of learning."""

import numpy as np
import pytest

from ltr_core.alterations import add_noise, in_stretches, splice
from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.recovery import visited_span
from ltr_core.ltrrnn.stretches import fit_epochs, shares_between_fits, shares_of_change
from ltr_core.recordings import Recording

SIZES = {"n_trials": (20, 24), "n_neurons": 24, "rank": 2, "n_conditions": 4, "noise": 0.02}


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return [simulate_ltrrnn(**SIZES, seed=seed).recording for seed in (0, 1)]


def test_splicing_replaces_all_but_the_first_epoch(recordings: list[Recording]) -> None:
    first, second = recordings
    made = splice(first, second)
    early = first.epoch_index == 0
    np.testing.assert_array_equal(made.activity[early], first.activity[early])
    np.testing.assert_array_equal(made.activity[~early], second.activity[~early])
    assert made.epochs == first.epochs


def test_splicing_says_what_does_not_fit(recordings: list[Recording]) -> None:
    first, second = recordings
    with pytest.raises(ValueError, match="have shapes"):
        splice(first, second.select(neurons=slice(5)))
    one = first.select(trials=first.epoch_index == 0)
    with pytest.raises(ValueError, match="one epoch"):
        splice(one, one)


def test_noise_is_as_large_as_asked_for(recordings: list[Recording]) -> None:
    noisy = add_noise(recordings[0], 0.2, seed=1)
    added = noisy.activity - recordings[0].activity
    assert noisy.activity.dtype == recordings[0].activity.dtype
    assert added.std() == pytest.approx(0.2, rel=0.02)
    with pytest.raises(ValueError, match="noise is -1"):
        add_noise(recordings[0], -1.0)
    counts = simulate_ltrrnn(**SIZES | {"counts": True}).recording
    with pytest.raises(ValueError, match="holds counts"):
        add_noise(counts, 0.1)


def test_one_subspace_is_told_from_two(recordings: list[Recording]) -> None:
    model = LtrRNN(rank=2, tau=1.0, n_steps=20)
    held = []
    for recording in (recordings[0], splice(*recordings)):
        fits = fit_epochs(model, recording)
        assert [len(fit.trial_factors_) for fit in fits] == [20, 24]
        shares = shares_between_fits(fits, visited_span(recording.activity, 0.9))
        assert [len(share.both) for share in shares] == [20, 24]
        held.append(min(share.both.mean() for share in shares))
    assert held[0] > 0.9
    assert held[1] < 0.5


def test_changes_in_one_subspace_hold_each_other() -> None:
    rng = np.random.default_rng(0)
    a, b = (np.linalg.qr(rng.normal(size=(12, 2)))[0] for _ in range(2))
    change = np.einsum("kr,ir,jr->kij", rng.normal(size=(10, 2)), a, b)
    stretch = np.repeat(["early", "late"], 5)
    np.testing.assert_allclose(shares_of_change(change, stretch, 2).both, 1, atol=1e-9)
    elsewhere = change.copy()
    elsewhere[5:] = np.roll(elsewhere[5:], 5, axis=1)
    assert shares_of_change(elsewhere, stretch, 2).both.max() < 0.9


def test_trials_in_stretches() -> None:
    recording = Recording(np.random.default_rng(0).normal(size=(7, 4, 2)), time=np.arange(4.0))
    halves = in_stretches(recording, ("early", "late"))
    assert halves.epoch.tolist() == ["early"] * 4 + ["late"] * 3
    np.testing.assert_array_equal(halves.activity, recording.activity)
    for names in ((), ("one", "one"), tuple("abcdefgh")):
        with pytest.raises(ValueError, match="names are"):
            in_stretches(recording, names)
