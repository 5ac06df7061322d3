"""From a file to a recording that is fitted: what is read, left out, told, held out."""

from pathlib import Path

import numpy as np
import pytest
from ltrrnn_parts import SETTINGS

from ltr_core.examination import examine
from ltr_core.ltrrnn import LtrRNN
from ltr_core.preparation import blocks_beyond, prepared, suited_settings
from ltr_core.preprocessing import smooth
from ltr_core.recordings import Recording


def test_a_file_is_read_binned_and_smoothed(tmp_path: Path, tiny_counts: Recording) -> None:
    path = tmp_path / "session.nc"
    tiny_counts.to_netcdf(path)
    as_it_is = prepared(path, align="", condition="", epoch="")
    np.testing.assert_array_equal(as_it_is.activity, tiny_counts.activity)
    wider = prepared(path, width=2 * tiny_counts.dt)
    assert wider.dt == pytest.approx(2 * tiny_counts.dt)
    assert np.nansum(wider.activity) == np.nansum(tiny_counts.activity[:, :10])
    smoothed = prepared(path, sd=0.8)
    assert not smoothed.counts
    np.testing.assert_array_equal(smoothed.activity, smooth(tiny_counts, 0.8).activity)
    rates = examine(tiny_counts).mean_rates
    assert prepared(path, min_rate=float(np.median(rates))).n_neurons == (15 + 1) // 2


def test_neurons_never_observed_are_left_out_aloud(tmp_path: Path, tiny: Recording) -> None:
    activity = tiny.activity.copy()
    activity[..., 4] = np.nan
    tiny.with_activity(activity).to_netcdf(tmp_path / "a.nc")
    with pytest.warns(UserWarning, match="1 of 15 neurons"):
        left = prepared(tmp_path / "a.nc")
    np.testing.assert_array_equal(left.activity, np.delete(activity, 4, axis=2))


def test_what_a_file_lacks_reaches_the_caller(tmp_path: Path, tiny: Recording) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        prepared(tmp_path / "nowhere.nc")
    np.savez(tmp_path / "a.npz", activty=tiny.activity, time=tiny.time)
    with pytest.raises(ValueError, match=r"a\.npz.*lacks activity.*Did you mean 'activty'"):
        prepared(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", activity=np.array([[["x", None]]], dtype=object), time=tiny.time)
    with pytest.raises(ValueError, match="Python objects are never loaded"):
        prepared(tmp_path / "b.npz")
    tiny.to_netcdf(tmp_path / "c.nc")
    with pytest.raises(ValueError, match="does not take 'align'"):
        prepared(tmp_path / "c.nc", align="go_cue_time")


def test_settings_follow_from_what_was_recorded(tiny: Recording, tiny_counts: Recording) -> None:
    assert suited_settings(tiny)["likelihood"] == "gaussian"
    assert suited_settings(tiny_counts)["likelihood"] == "poisson"
    assert suited_settings(tiny)["jumps"]
    one_epoch = tiny.select(trials=np.flatnonzero(tiny.epoch_index == 0))
    assert not suited_settings(one_epoch)["jumps"]
    LtrRNN(**SETTINGS | suited_settings(tiny_counts)).fit(tiny_counts)


def test_no_training_entry_has_seen_what_smoothing_carried_out_of_a_test_block() -> None:
    """A value that is planted in a test entry does not show in any training entry."""
    rates = np.random.default_rng(0).normal(size=(36, 80, 2))
    recording, sd = Recording(rates, time=0.05 * np.arange(80)), 0.06
    blocks = blocks_beyond(recording, sd, seed=3)
    assert blocks.test.any()
    planted = recording.activity.copy()
    planted[blocks.test] += 100.0
    after = smooth(recording.with_activity(planted), sd).activity
    changed = np.abs(after - smooth(recording, sd).activity) > 1e-9
    assert changed[blocks.test].all()
    assert not changed[blocks.train].any()
    near = blocks_beyond(recording, seed=3)
    assert changed[near.train].any(), "the plain blocks should fail, or this shows nothing"
