"""Preprocessing: what was planted comes back, and what is held out is never looked at."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.preprocessing import (
    align,
    cut,
    cut_to_common,
    grouped_average,
    keep,
    rebin,
    running_average,
    smooth,
    soft_normalise,
    square_root,
    to_rates,
    z_score,
)
from ltr_core.recordings import Recording

N_TRIALS, N_TIME, N_NEURONS, DT = 8, 30, 4, 0.02
LABELS: dict[str, Any] = {
    "condition": [0, 45, 90, 45] * 2,
    "epoch": ["baseline"] * 4 + ["adaptation"] * 4,
    "trial_id": [0, 1, 2, 5, 6, 7, 9, 12],
}


def recorded(
    counts: bool = False, missing: float = 0.0, seed: int = 0, dtype: type = np.float64
) -> Recording:
    """8 trials of 0.6 s, 4 neurons; a share of the entries is missing, at random."""
    rng = np.random.default_rng(seed)
    shape = (N_TRIALS, N_TIME, N_NEURONS)
    activity = rng.poisson(4.0, shape).astype(dtype)
    if not counts:
        activity += rng.random(shape)
    activity[rng.random(shape) < missing] = np.nan
    return Recording(activity, time=DT * (np.arange(N_TIME) - 10), counts=counts, **LABELS)


def with_values(values: np.ndarray, counts: bool = False) -> Recording:
    """Activity of one's own in trials of a time point each 20 ms."""
    return Recording(values, time=DT * np.arange(values.shape[1]), counts=counts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "done",
    [
        lambda r: rebin(r, 2 * DT),
        lambda r: smooth(r, 0.03),
        square_root,
        z_score,
        soft_normalise,
        to_rates,
        lambda r: running_average(r, 2),
        lambda r: align(r, DT * np.arange(N_TRIALS)),
    ],
)
def test_labels_and_precision_stay(done: Callable[[Recording], Recording], dtype: type) -> None:
    """Trials keep their labels and numbers, activity its precision; the input stays."""
    recording = recorded(counts=True, missing=0.1, dtype=dtype)
    before = recording.activity.copy()
    result = done(recording)
    assert result.activity.dtype == dtype
    assert not result.activity.flags.writeable
    assert result.condition.tolist() == recording.condition.tolist()
    assert result.epoch.tolist() == recording.epoch.tolist()
    assert result.trial_id.tolist() == recording.trial_id.tolist()
    assert np.array_equal(recording.activity, before, equal_nan=True)


@settings(max_examples=30)
@given(n_joined=st.integers(1, 15), missing=st.sampled_from([0.0, 0.02]), seed=st.integers(0, 99))
def test_rebin_conserves_counts(n_joined: int, missing: float, seed: int) -> None:
    """Counts of whole bins add up; rates of the same bins are as before on average."""
    recording = recorded(True, missing, seed)
    wide = rebin(recording, n_joined * DT)
    n_bins = N_TIME // n_joined
    assert wide.counts
    assert wide.activity.shape == (N_TRIALS, n_bins, N_NEURONS)
    assert wide.dt == pytest.approx(n_joined * DT)
    for place in range(n_bins):
        part = recording.activity[:, place * n_joined : (place + 1) * n_joined]
        assert np.array_equal(wide.activity[:, place], part.sum(1), equal_nan=True)
        assert np.array_equal(wide.observed[:, place], ~np.isnan(part).any(1))
        middle = recording.time[place * n_joined : (place + 1) * n_joined].mean()
        assert wide.time[place] == pytest.approx(middle)
    rates = rebin(to_rates(recording), n_joined * DT)
    assert not rates.counts
    assert np.allclose(rates.activity, to_rates(wide).activity, equal_nan=True)


def test_rebin_refuses() -> None:
    """Widths that are no multiple, bins longer than half a trial, and bins with gaps only."""
    recording = recorded(True)
    for width in (0.05, 0.044, 0.01, 0.0, -0.02, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"whole multiple of that, 0\.\d+ s for example"):
            rebin(recording, width)
    with pytest.raises(ValueError, match=r"width is 0\.4 s, the trials last 0\.6 s"):
        rebin(recording, 0.4)
    gaps = np.ones((2, 8, 1))
    gaps[:, ::2] = np.nan
    with pytest.raises(ValueError, match=r"No bin of 0\.04 s was observed wholly"):
        rebin(with_values(gaps), 2 * DT)


def test_rebin_times_of_single_precision() -> None:
    """Times that were rounded still have whole multiples."""
    time = np.float32(100) + np.arange(400, dtype=np.float32) * np.float32(0.01)
    assert rebin(Recording(np.ones((1, 400, 1)), time=time), 0.5).n_time == 8


@settings(max_examples=30)
@given(
    level=st.floats(0.1, 1e3),
    sd=st.floats(0.005, 0.3),
    missing=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 99),
)
def test_smoothing_leaves_a_constant_constant(
    level: float, sd: float, missing: float, seed: int
) -> None:
    """At the ends of trials and next to gaps too; gaps stay gaps."""
    recording = recorded(False, missing, seed)
    constant = recording.with_activity(np.where(recording.observed, level, np.nan))
    result = smooth(constant, sd)
    assert np.array_equal(result.observed, recording.observed)
    assert np.allclose(result.activity[result.observed], level, rtol=1e-12)


@settings(max_examples=30)
@given(place=st.integers(40, 60), sd=st.floats(0.01, 0.1))
def test_smoothing_conserves_mass_away_from_gaps(place: int, sd: float) -> None:
    """One spike, 8 sd or more from the ends, becomes a Gaussian of that sd around its time."""
    spikes = np.zeros((2, 101, 2))
    spikes[0, place, 1] = 1.0
    result = smooth(with_values(spikes, counts=True), sd)
    assert not result.counts
    rate = result.activity[0, :, 1]
    assert rate.sum() * DT == pytest.approx(1.0)  # Hz times s: one spike
    assert np.argmax(rate) == place
    variance = ((result.time - place * DT) ** 2 * rate).sum() * DT
    assert np.sqrt(variance) == pytest.approx(sd, rel=0.03, abs=0.1 * DT)
    assert not result.activity[1].any()
    assert not result.activity[0, :, 0].any()


def test_smoothing_weighs_what_was_observed() -> None:
    """Against the sum written out; nothing comes from where nothing was observed."""
    recording = recorded(missing=0.4)
    sd = 1.5 * DT
    distance = np.subtract.outer(recording.time, recording.time)
    weights = np.exp(-0.5 * (distance / sd) ** 2)
    weights[np.abs(distance) > 6.5 * DT] = 0  # at 4 standard deviations
    total = np.einsum("st,itn->isn", weights, np.nan_to_num(recording.activity))
    norm = np.einsum("st,itn->isn", weights, recording.observed.astype(float))
    expected = np.where(recording.observed, total / np.where(norm > 0, norm, 1), np.nan)
    assert np.allclose(smooth(recording, sd).activity, expected, equal_nan=True)


@pytest.mark.parametrize("sd", [0.0, -0.1, np.nan, np.inf, 50.0])
def test_smoothing_refuses(sd: float) -> None:
    """Among others a standard deviation that was given in ms."""
    with pytest.raises(ValueError, match=r"must be positive, and less than the 0\.6 s of a trial"):
        smooth(recorded(), sd)


def test_units() -> None:
    """Counts in bins of 20 ms are 50 Hz each; roots are roots."""
    recording = recorded(counts=True, missing=0.1)
    rates = to_rates(recording)
    assert not rates.counts
    assert np.allclose(rates.activity, 50 * recording.activity, equal_nan=True)
    with pytest.raises(ValueError, match="rates already"):
        to_rates(rates)
    root = square_root(recording)
    assert not root.counts
    assert np.allclose(root.activity**2, recording.activity, equal_nan=True)
    with pytest.raises(ValueError, match="only counts and rates that are not negative"):
        square_root(z_score(recording))


def test_roots_of_poisson_counts_vary_alike() -> None:
    """Variances near 1/4 whatever the mean, while those of the counts are the means."""
    means = np.array([10.0, 20.0, 40.0])
    counts = np.random.default_rng(0).poisson(means, (200, 100, 3)).astype(float)
    variance = square_root(with_values(counts, counts=True)).activity.var((0, 1))
    assert np.all(np.abs(variance - 0.25) < 0.02)
    assert np.all(np.abs(counts.var((0, 1)) / means - 1) < 0.05)


SCALINGS = [z_score, soft_normalise]


@pytest.mark.parametrize("scale", SCALINGS)
@settings(max_examples=30)
@given(
    share=st.floats(0.05, 0.6),
    missing=st.sampled_from([0.0, 0.2]),
    factor=st.floats(-1e3, 1e3),
    seed=st.integers(0, 999),
)
def test_scales_never_read_held_out_entries(
    scale: Any, share: float, missing: float, factor: float, seed: int
) -> None:
    """Whatever stands in held-out entries, the others come out the same bit for bit."""
    recording = recorded(False, missing, seed)
    train = np.random.default_rng(seed + 1).random(recording.activity.shape) > share
    train[0] = True
    train[7] = False  # whole trials may be held out
    changed = np.where(train, recording.activity, factor * recording.activity + factor)
    vanished = np.where(train, recording.activity, np.nan)
    result = scale(recording, train)
    for held_out in (changed, vanished):
        again = scale(recording.with_activity(held_out), train)
        assert again.activity[train].tobytes() == result.activity[train].tobytes()
    # A control: with all entries to compute from, they do change.
    assert scale(recording.with_activity(vanished)).activity[0, 0, 0] != pytest.approx(
        scale(recording).activity[0, 0, 0], rel=1e-9
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_z_scores(dtype: type) -> None:
    """Mean 0 and standard deviation 1 in the training entries; the others on the same scale."""
    recording = recorded(missing=0.2, dtype=dtype)
    train = np.zeros(recording.activity.shape, dtype=bool)
    train[:5] = True
    result = z_score(recording, train)
    for neuron in range(N_NEURONS):
        there = recording.activity[:5, :, neuron].astype(np.float64)
        expected = (recording.activity[:, :, neuron] - np.nanmean(there)) / np.nanstd(there)
        assert np.allclose(result.activity[:, :, neuron], expected, atol=1e-5, equal_nan=True)
    assert not result.counts
    assert np.array_equal(result.observed, recording.observed)


def test_soft_normalisation() -> None:
    """Range over range plus soft, around the mean; counts are taken in Hz."""
    recording = recorded(missing=0.2)
    scale = np.nanmax(recording.activity, (0, 1)) - np.nanmin(recording.activity, (0, 1))
    for soft in (5.0, 0.0):
        result = soft_normalise(recording, soft=soft).activity
        found = np.nanmax(result, (0, 1)) - np.nanmin(result, (0, 1))
        assert np.allclose(found, scale / (scale + soft))
        assert np.allclose(np.nanmean(result, (0, 1)), 0, atol=1e-12)
    counts = recorded(counts=True)
    assert np.array_equal(
        soft_normalise(counts).activity, soft_normalise(to_rates(counts)).activity
    )


@pytest.mark.parametrize("scale", [*SCALINGS, lambda r: soft_normalise(r, soft=0.0)])
@pytest.mark.parametrize("level", [0.0, 0.1, 1e6 / 3])
def test_constant_and_unseen_neurons_do_no_harm(scale: Any, level: float) -> None:
    """A neuron that never changes becomes 0, one that was never observed stays so."""
    recording = recorded()
    activity = recording.activity.copy()
    activity[:, :, 1] = level
    activity[:, :, 2] = np.nan
    result = scale(recording.with_activity(activity))
    assert np.allclose(result.activity[:, :, 1], 0, atol=1e-6)
    assert not result.observed[:, :, 2].any()
    assert np.array_equal(
        result.activity[:, :, [0, 3]], scale(recording).activity[:, :, [0, 3]], equal_nan=True
    )


@pytest.mark.parametrize("scale", SCALINGS)
def test_scales_refuse(scale: Any, as_in_use: None) -> None:
    """Masks that do not fit, neurons without training entries, a negative soft."""
    recording = recorded()
    everything = np.ones(recording.activity.shape, dtype=bool)
    for mask in (everything[:, :, :2], everything.astype(float)):
        with pytest.raises(ValueError, match="must be bool and of the recording's shape"):
            scale(recording, mask)
    everything[:, :, 2] = False
    with pytest.raises(ValueError, match="train leaves nothing of neuron 2"):
        scale(recording, everything)
    for soft in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="must be a finite number that is not negative"):
            soft_normalise(recording, soft=soft)


def test_keep() -> None:
    """Trials by label, several or one; neurons by index."""
    recording = recorded()
    kept = keep(recording, epochs="adaptation")
    assert kept.trial_id.tolist() == [6, 7, 9, 12]
    assert kept.epochs == ("adaptation",)
    kept = keep(recording, conditions=[45, 0], neurons=[3, 1])
    assert kept.trial_id.tolist() == [0, 1, 5, 6, 7, 12]
    assert np.array_equal(kept.activity[1], recording.activity[1][:, [3, 1]])
    assert keep(recording, conditions=90, epochs=["baseline"]).trial_id.tolist() == [2]
    assert keep(recording, conditions=np.array([90.0])).trial_id.tolist() == [2, 9]
    assert np.array_equal(keep(recording).activity, recording.activity)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": "Baseline"}, "no epoch 'Baseline': .* Did you mean 'baseline'?"),
        (
            {"epochs": ["baseline", "x"]},
            "no epoch 'x': the recording has 'baseline', 'adaptation'.",
        ),
        ({"conditions": 44.6}, "no condition 44.6: the recording has 0, 45, 90. Did you mean 45?"),
        ({"conditions": []}, "conditions is [], but no condition is given: the recording has 0,"),
        ({"neurons": [9]}, "neurons holds indices beyond the recording's 4"),
        ({"min_rate": 99.0}, "No neuron has a mean rate of min_rate = 99: the highest is 4."),
    ],
)
def test_keep_refuses(options: dict[str, Any], message: str) -> None:
    """The error lists what is there and suggests the nearest."""
    pattern = re.escape(message).replace(re.escape(".*"), ".*")
    with pytest.raises(ValueError, match=pattern):
        keep(recorded(), **options)


def test_keep_of_labels_that_do_not_meet() -> None:
    """Both labels are known, but no trial has both."""
    recording = recorded().select(trials=[0, 1, 6])
    with pytest.raises(ValueError, match=r"'baseline' .* 90: these epochs hold .* 0, 45\."):
        keep(recording, epochs="baseline", conditions=90)


def test_keep_by_rate() -> None:
    """Rates of counts are in Hz, over observed entries of the kept trials only."""
    activity = np.zeros((2, 50, 4))
    activity[:, ::10, 0] = 1.0  # 5 in 1 s: 5 Hz
    activity[0, ::5, 1] = 1.0  # 10 Hz in the first trial, 0 in the second
    activity[0, :, 2] = np.nan
    activity[1, ::5, 2] = 1.0  # 10 Hz wherever it was observed
    activity[:, :, 3] = np.nan
    labels = {"time": DT * np.arange(50), "epoch": ["first", "second"]}
    recording = Recording(activity, counts=True, **labels)

    def kept(data: Recording, **options: Any) -> list[int]:
        found = keep(data, **options).activity
        whole = data.activity if "epochs" not in options else data.activity[1:]
        same = [
            np.array_equal(whole[:, :, k], x, equal_nan=True)
            for x in np.moveaxis(found, 2, 0)
            for k in range(4)
        ]
        return (np.flatnonzero(same) % 4).tolist()

    assert kept(recording, min_rate=4.9) == [0, 1, 2]
    assert kept(recording, min_rate=5.1) == [2]
    assert kept(recording, min_rate=4.9, epochs="second") == [0, 2]
    assert kept(recording, min_rate=4.9, neurons=[0, 3]) == [0]
    assert kept(recording, min_rate=0.0) == [0, 1, 2]  # one never observed has no rate
    assert kept(Recording(activity, **labels), min_rate=0.19) == [2]  # of rates: their own units


def test_cut() -> None:
    """Both ends belong to it, whatever rounding says; trials that are shorter give less."""
    recording = recorded()
    part = cut(recording, 0.0, 0.06)
    assert np.allclose(part.time, [0.0, 0.02, 0.04, 0.06])
    assert np.array_equal(part.activity, recording.activity[:, 10:14])
    assert cut(recording, 3 * 0.02 + 1e-12, 0.1 - 1e-12).n_time == 3
    assert cut(recording, 0.0, np.inf).n_time == 20
    for ends in ((0.0, 0.01), (0.3, 0.1), (5.0, 9.0), (np.nan, 0.2)):
        with pytest.raises(
            ValueError, match=r"its times go from -0\.2 s to 0\.38 s in steps of 0\.02"
        ):
            cut(recording, *ends)


def test_cut_to_common() -> None:
    """The longest of the windows that all trials share, whichever trials limit it."""
    activity = recorded().activity.copy()
    activity[2, :3] = np.nan
    activity[5, 26:] = np.nan
    activity[1, 8:10] = np.nan  # a gap: 3..7 and 10..25 are left
    activity[4, 5:20, 0] = np.nan  # one neuron alone does not count
    activity[6] = np.nan  # nor does a trial without anything
    recording = recorded().with_activity(activity)
    common = cut_to_common(recording)
    assert np.allclose(common.time, recording.time[10:26])
    assert np.array_equal(common.activity, activity[:, 10:26], equal_nan=True)
    assert cut_to_common(recorded()).n_time == N_TIME
    activity[3, 1:] = np.nan
    with pytest.raises(ValueError, match="Trial 3 was observed at 1 of 30 times"):
        cut_to_common(recorded().with_activity(activity))


@settings(max_examples=30)
@given(
    places=st.lists(st.integers(0, N_TIME - 1), min_size=N_TRIALS, max_size=N_TRIALS),
    jitter=st.floats(-0.45, 0.45),
    seed=st.integers(0, 99),
)
def test_align_recovers_planted_events(places: list[int], jitter: float, seed: int) -> None:
    """What happened at the events stands at time 0, and nothing of the rest is lost or moved."""
    recording = recorded(True, 0.1, seed)
    activity = recording.activity.copy()
    at = np.arange(N_TRIALS), np.array(places)
    activity[at] = 1000.0
    recording = recording.with_activity(activity)
    aligned = align(recording, recording.time[places] + jitter * DT)
    zero = int(np.flatnonzero(aligned.time == 0)[0])
    assert aligned.counts
    assert aligned.dt == pytest.approx(DT)
    assert (aligned.activity[:, zero] == 1000.0).all()
    assert np.sum(aligned.activity == 1000.0) == N_TRIALS * N_NEURONS
    assert aligned.observed.sum() == recording.observed.sum()
    assert aligned.observed[:, [0, -1]].any((0, 2)).all()
    for trial, place in enumerate(places):
        seen = aligned.observed[trial]
        assert np.array_equal(
            aligned.activity[trial][seen], activity[trial][recording.observed[trial]]
        )
        expected = (np.argwhere(recording.observed[trial])[:, 0] - place) * DT
        assert np.allclose(aligned.time[np.argwhere(seen)[:, 0]], expected)


def test_align_to_edges_of_bins() -> None:
    """Events half way between time points fall to the same side in every trial."""
    recording = Recording(np.ones((20, 50, 1)), time=0.02 * np.arange(50) + 0.01, counts=True)
    events = 0.02 * np.arange(1, 21)  # edges, some above and some below by rounding
    aligned = align(recording, events)
    first = [float(aligned.time[seen][0]) for seen in aligned.observed[:, :, 0]]
    assert np.allclose(first, -events)
    ends = align(recording, np.full(20, 0.0))  # the window's own edges are within it
    assert ends.time[0] == 0
    assert align(recording, [1.0] * 20).time[-1] == 0


def test_align_then_cut_to_common() -> None:
    """The window that all trials share around their events."""
    recording = recorded()
    places = np.array([10, 12, 9, 10, 15, 10, 10, 11])
    aligned = align(recording, recording.time[places])
    assert aligned.n_time == N_TIME + 6
    common = cut_to_common(aligned)
    assert common.n_time == N_TIME - 6
    assert common.time[0] == pytest.approx(-9 * DT)
    assert common.observed.all()


def test_align_drops_times_that_no_trial_reaches() -> None:
    """Neither before the first nor after the last entry that was observed; two times at least."""
    activity = recorded().activity.copy()
    activity[:, :4] = np.nan
    activity[:, 25:] = np.nan
    events = [0.0] * 4 + [0.02] * 4
    aligned = align(recorded().with_activity(activity), events)
    assert np.allclose(aligned.time, DT * np.arange(-7, 15))
    for only in (0, N_TIME - 1):
        activity[:] = np.nan
        activity[:, only] = 1.0
        assert align(recorded().with_activity(activity), [0.0] * 8).n_time == 2


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([0.0] * 7, r"events has shape \(7,\).* each of the 8 trials"),
        (["0"] * 8, r"events .* holds <U1"),
        ([0.0, 0.0, np.nan, 0.0, 9.0, 0.0, 0.0, 0.0], r"trial 2 is at nan s \(2 such in all\)"),
        ([0.0] * 7 + [-0.22], r"trial 7 is at -0\.22 s .* times, -0\.2 to 0\.38 s"),
        ([0.0] * 7 + [0.4], r"trial 7 is at 0\.4 s"),
    ],
)
def test_align_refuses(events: list[Any], message: str) -> None:
    """Events that are not one for each trial, and those outside of the recording."""
    with pytest.raises(ValueError, match=message):
        align(recorded(), events)


def test_running_average() -> None:
    """Means over the nearest trials of the same condition and epoch."""
    n_trials = 24
    condition = np.arange(n_trials) % 2
    epoch = np.array(["a"] * 10 + ["b"] * 14)
    number = np.tile(np.arange(n_trials, dtype=float)[:, None, None], (1, 2, 1))
    recording = Recording(number, time=[0.0, 0.1], condition=condition, epoch=epoch)
    three = running_average(recording, 3).activity[:, 0, 0]
    assert three[:10].tolist() == [2, 3, 2, 3, 4, 5, 6, 7, 6, 7]  # 0, 2, 4 for trials 0 and 2
    assert three[10:14].tolist() == [12, 13, 12, 13]
    two = running_average(recording, 2).activity[:, 0, 0]
    assert two[:6].tolist() == [1, 2, 1, 2, 3, 4]
    five = running_average(recording, 5).activity[:, 0, 0]
    assert five[:10].tolist() == [4, 5] * 5
    assert np.array_equal(running_average(recording, 1).activity, number)
    everything = running_average(recording, 99).activity[:, 0, 0]
    assert everything[:10].tolist() == [4, 5] * 5
    assert everything[10:].tolist() == [16, 17] * 7
    with pytest.raises(ValueError, match="n_trials is 0"):
        running_average(recording, 0)


def test_running_average_of_what_was_observed() -> None:
    """Gaps are filled from trials in which there are none; counts become rates."""
    activity = np.ones((5, 2, 2))
    activity[2, 0, 0] = 4.0
    activity[1, 0, 0] = np.nan
    activity[:, 1, 1] = np.nan
    result = running_average(with_values(activity, counts=True), 3)
    assert not result.counts
    assert np.allclose(result.activity[1, 0, 0] * DT, 2.5)
    assert np.allclose(result.activity[2, 0, 0] * DT, 2.5)
    assert np.allclose(result.activity[3, 0, 0] * DT, 2.0)
    assert np.allclose(result.activity[:, 0, 1] * DT, 1.0)
    assert not result.observed[:, 1, 1].any()


def test_grouped_average_uses_each_trial_once() -> None:
    """Planted: each trial's activity is its own number, so that the groups can be read off."""
    numbers = np.arange(20.0)
    epoch = ["early"] * 11 + ["late"] * 9
    recording = Recording(
        np.broadcast_to(numbers[:, None, None], (20, 4, 2)).copy(),
        time=0.1 * np.arange(4),
        condition=np.arange(20) % 2,
        epoch=epoch,
    )
    averaged = grouped_average(recording, 2)
    # early: even 0 2 4 6 8 10, odd 1 3 5 7 9 (9 is left over); late: odd 11 ... 19, even 12 ... 18
    expected = [1, 2, 5, 6, 9, 12, 13, 16, 17]
    np.testing.assert_allclose(averaged.activity[:, 0, 0], expected)
    np.testing.assert_allclose(averaged.trial_id, expected, atol=1e-4)
    assert averaged.epoch.tolist() == ["early"] * 5 + ["late"] * 4
    assert averaged.condition.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="average fewer"):
        grouped_average(recording, 7)
