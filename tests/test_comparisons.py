"""Comparison models: what they compute, what they recover, and that held-out entries never leak."""

import tracemalloc

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ltr_core import comparisons
from ltr_core.comparisons import TCA, ConditionMean, EpochMean, PCAModel
from ltr_core.decomposition import CP, factor_match
from ltr_core.estimators import Estimator, NotFitted
from ltr_core.held_out import held_out_blocks
from ltr_core.recordings import Recording


def recording_of(
    activity: np.ndarray, *, n_conditions: int = 3, n_epochs: int = 2, **more: object
) -> Recording:
    """Conditions in turn, epochs of equal length."""
    n_trials, n_time, _ = activity.shape
    more = {
        "time": 0.1 * np.arange(n_time),
        "condition": np.arange(n_trials) % n_conditions,
        "epoch": [f"epoch {n_epochs * k // n_trials}" for k in range(n_trials)],
    } | more
    return Recording(activity, **more)


def planted(
    seed: int = 0, rank: int = 3, noise: float = 0.05, dtype: type = np.float64
) -> tuple[Recording, np.ndarray, CP]:
    """Activity of known CP rank: as recorded, without noise, the factors."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.standard_normal((60, rank)), axis=0)
    courses = np.cos(np.outer(np.linspace(0, 3, 20), 1 + np.arange(rank)) + rng.uniform(0, 6, rank))
    truth = CP.of(steps / steps.std(0), courses, rng.standard_normal((30, rank)))
    tensor = truth.reconstruct() / np.sqrt(np.square(truth.reconstruct()).mean())
    noisy = tensor + rng.normal(0, noise, tensor.shape)
    return recording_of(noisy.astype(dtype)), tensor, truth


def random_mask(shape: tuple[int, ...], share: float, seed: int) -> np.ndarray:
    """True with this share, and in at least one entry of each trial and neuron."""
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < share
    mask[np.arange(shape[0]), 0, rng.integers(0, shape[2], shape[0])] = True
    mask[rng.integers(0, shape[0], shape[2]), 0, np.arange(shape[2])] = True
    return mask


# Every model without a network, and how many copies of the recording its fit may hold.
COPIES = [
    (ConditionMean(), 0.4),
    (EpochMean(), 0.4),
    (PCAModel(2, 10), 1.8),
    (TCA(2, n_restarts=1, n_iterations=10), 3.0),
]
MODELS = [model for model, _ in COPIES]
OF_COUNTS = [model for model in MODELS if model.accepts_counts]
OF_RATES = [model for model in MODELS if not model.accepts_counts]
# These are tried in test_comparisons_networks.py.
NETWORKS = {"FixedWeights", "FreeLowRank", "TrialInputs"}


def name_of(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, Estimator) else None


def fresh(model: Estimator) -> Estimator:
    return model.with_params()


def test_every_model_of_the_package_is_tried() -> None:
    offered = {
        name
        for name, kind in vars(comparisons).items()
        if name in comparisons.__all__ and isinstance(kind, type) and issubclass(kind, Estimator)
    }
    assert offered == NETWORKS | {name_of(model) for model in MODELS}, "add it to COPIES above"


def test_means_are_those_of_the_cells() -> None:
    rng = np.random.default_rng(0)
    rec = recording_of(rng.standard_normal((24, 5, 4)))
    train = random_mask(rec.activity.shape, 0.9, seed=1)
    by_condition = ConditionMean().fit(rec, train).predict()
    by_epoch = EpochMean().fit(rec, train).predict()
    seen = np.where(train, rec.activity, np.nan)
    for k in range(24):
        same = rec.condition == rec.condition[k]
        np.testing.assert_allclose(by_condition[k], np.nanmean(seen[same], 0))
        same &= rec.epoch == rec.epoch[k]
        np.testing.assert_allclose(by_epoch[k], np.nanmean(seen[same], 0))


def test_a_cell_without_entries_gets_the_next_coarser_mean() -> None:
    activity = np.random.default_rng(0).standard_normal((12, 3, 2))
    rec = recording_of(activity)
    cell = (rec.condition == 1) & (rec.epoch == "epoch 1")
    train = np.ones(activity.shape, bool)
    train[cell, 0, 0] = False
    train[rec.condition == 1, 1, 0] = False
    train[:, 2, 0] = False
    predicted = EpochMean().fit(rec, train).predict()[cell][0]
    earlier = (rec.condition == 1) & (rec.epoch == "epoch 0")
    np.testing.assert_allclose(predicted[0, 0], activity[earlier, 0, 0].mean())
    np.testing.assert_allclose(predicted[1, 0], activity[rec.condition != 1, 1, 0].mean())
    np.testing.assert_allclose(predicted[2, 0], activity[..., 0][train[..., 0]].mean())
    np.testing.assert_allclose(predicted[:, 1], activity[cell, :, 1].mean(0))


def test_no_spike_is_impossible_under_mean_counts() -> None:
    counts = np.zeros((12, 2, 2))
    counts[0, 0, 0] = 3  # condition 0, epoch 0, time 0: mean 1.5 of two trials
    rec = recording_of(counts, counts=True)
    predicted = EpochMean().fit(rec).predict()
    assert predicted[0, 0, 0] == 1.5
    # Condition 0 without a spike at time 1: half a spike over its 4 entries would be more than ...
    assert predicted[0, 1, 0] == 0.5 / 12  # ... half a spike over the 12 entries at that time.
    # Time 0 of the second epoch: the condition's mean is 3 / 4; the cell has two entries.
    assert predicted[6, 0, 0] == 0.25
    assert (predicted[..., 1] == 0.5 / 24).all()


def test_mean_counts_predict_held_out_spikes_better_than_the_neurons_rates() -> None:
    rng = np.random.default_rng(0)
    expected = rng.gamma(1.0, 0.5, (4, 6, 10))
    rec = recording_of(
        rng.poisson(np.tile(expected, (30, 1, 1))).astype(float), n_conditions=4, counts=True
    )
    held_out = held_out_blocks(rec, seed=1, train=(2, 2, 0), test=(1, 1, 0))
    for model in (ConditionMean(), EpochMean()):
        assert model.fit(rec, held_out.train).score(rec, held_out.test) > 0.2


def test_only_the_epoch_mean_sees_what_changed_between_epochs() -> None:
    rng = np.random.default_rng(0)
    activity = 0.1 * rng.standard_normal((60, 8, 6)) + rng.standard_normal((8, 6))
    activity[30:] += rng.standard_normal((8, 6))
    rec = recording_of(activity)
    held_out = held_out_blocks(rec, seed=0, test=(1, 1, 0), train=(2, 2, 0))
    kinds = (ConditionMean, EpochMean)
    scores = [kind().fit(rec, held_out.train).score(rec, held_out.test) for kind in kinds]
    assert scores[0] < 0.9
    assert scores[1] > 0.97


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pca_is_the_truncated_svd_of_all_trials_and_times(dtype: type) -> None:
    rec = recording_of(np.random.default_rng(0).standard_normal((20, 6, 8)).astype(dtype))
    model = PCAModel(3).fit(rec)
    flat = rec.activity.reshape(-1, 8).astype(float)
    u, s, vt = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    expected = (u[:, :3] * s[:3]) @ vt[:3] + flat.mean(0)
    predicted = model.predict()
    np.testing.assert_allclose(predicted.reshape(-1, 8), expected, atol=1e-5)
    assert predicted.dtype == dtype
    assert model.scores_.shape == (20, 6, 3)
    assert model.loadings_.shape == (8, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("model", [PCAModel(3), TCA(3)], ids=["PCA", "TCA"])
def test_planted_components_predict_held_out_blocks(model: Estimator, dtype: type) -> None:
    rec, clean, _ = planted(dtype=dtype)
    held_out = held_out_blocks(rec, seed=0, test=(1, 1, 0), train=(2, 2, 0))
    predicted = model.with_params().fit(rec, held_out.train).predict()
    error = np.square(predicted - clean)[held_out.test].mean()
    # Of the noise's variance, 0.0025, what three scores of some 15 neurons let through; and little.
    assert error < (0.0015 if isinstance(model, PCAModel) else 0.0002)


def test_tca_recovers_planted_factors_from_under_half_of_the_entries() -> None:
    rec, _, truth = planted()
    held_out = held_out_blocks(rec, seed=0)
    assert held_out.train.mean() < 0.5
    model = TCA(3).fit(rec, held_out.train)
    found = CP.of(model.trial_factors_, model.time_factors_, model.neuron_factors_)
    assert factor_match(found, truth) > 0.98
    assert 0 < model.iterations_ < 200
    # The control: each neuron's entries in another order have no such structure.
    rng = np.random.default_rng(0)
    flat = rng.permuted(rec.activity.reshape(-1, 30), axis=0)
    shuffled = recording_of(flat.reshape(rec.activity.shape))
    assert TCA(3).fit(shuffled, held_out.train).score(shuffled, held_out.test) < 0.1


def test_tca_error_falls_with_iterations_and_form_is_canonical() -> None:
    rec, _, _ = planted(seed=4, noise=0.5)
    train = random_mask(rec.activity.shape, 0.4, seed=0)
    errors = []
    for n in (1, 2, 5, 20):
        model = TCA(4, n_iterations=n, tolerance=0.0).fit(rec, train)
        errors.append(model.score(rec, train, "nmse"))
    assert (np.diff(errors) < 0).all()
    for factor in (model.time_factors_, model.neuron_factors_):
        np.testing.assert_allclose(np.linalg.norm(factor, axis=0), 1)
        assert (factor.max(0) >= -factor.min(0)).all()
    assert (np.diff(np.linalg.norm(model.trial_factors_, axis=0)) <= 0).all()


def test_tca_of_more_components_than_neurons_and_of_spare_ones() -> None:
    rec, _, _ = planted(rank=2)
    few = rec.select(neurons=slice(0, 3))
    assert TCA(5).fit(few).score(few) > 0.99
    held_out = held_out_blocks(rec, seed=0, test=(1, 1, 0), train=(2, 2, 0))
    scores = [TCA(r).fit(rec, held_out.train).score(rec, held_out.test) for r in (1, 2, 6)]
    assert scores[1] > 0.99 > scores[0]
    assert 0.8 < scores[2] < scores[1]  # spare components fit noise, but do not blow up


@pytest.mark.parametrize("model", MODELS, ids=name_of)
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000), share=st.floats(0.3, 0.9))
def test_property_held_out_entries_never_influence_a_fit(
    model: Estimator, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    activity = rng.standard_normal((12, 5, 6))
    train = random_mask(activity.shape, share, seed)
    other = np.where(train, activity, 1e3 * rng.standard_normal(activity.shape))
    gone = np.where(train, activity, np.nan)
    fitted = fresh(model).fit(recording_of(activity), train).predict()
    assert np.array_equal(fitted, fresh(model).fit(recording_of(other), train).predict())
    assert np.array_equal(fitted, fresh(model).fit(recording_of(gone)).predict())
    assert np.isfinite(fitted).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9))
def test_property_mean_counts_are_positive_and_never_leak(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.3, (12, 5, 6)).astype(float)
    train = random_mask(counts.shape, share, seed)
    other = np.where(train, counts, counts + 50)
    for model in OF_COUNTS:
        fitted = fresh(model).fit(recording_of(counts, counts=True), train).predict()
        again = fresh(model).fit(recording_of(other, counts=True), train).predict()
        assert np.array_equal(fitted, again)
        assert (fitted > 0).all()


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_float32_stays_and_a_silent_trial_and_a_constant_neuron_are_harmless(
    model: Estimator,
) -> None:
    activity = planted(dtype=np.float32)[0].activity.copy()
    activity[5] = np.nan
    activity[..., 2] = 1.5
    predicted = fresh(model).fit(recording_of(activity)).predict()
    assert predicted.dtype == np.float32
    assert predicted.shape == activity.shape
    assert np.isfinite(predicted).all()
    if not isinstance(model, TCA):
        np.testing.assert_allclose(predicted[..., 2], 1.5, atol=1e-3)
    assert np.abs(predicted[5]).max() < 2 * np.nanmax(np.abs(activity))


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_fit_keeps_settings_and_is_repeatable(model: Estimator) -> None:
    rec, _, _ = planted()
    one = fresh(model)
    before = one.get_params()
    assert one.fit(rec) is one
    assert one.get_params() == before
    assert np.array_equal(one.predict(), fresh(one).fit(rec).predict())
    with pytest.raises(NotFitted, match="call fit"):
        fresh(one).predict()


@pytest.mark.parametrize(("model", "copies"), COPIES, ids=name_of)
def test_memory_beyond_the_recording(model: Estimator, copies: float) -> None:
    """No copy for the means; one for components, with blocks' temporaries and small factors."""
    activity = np.random.default_rng(0).standard_normal((800, 40, 60)).astype(np.float32)
    rec = recording_of(activity)
    train = random_mask(activity.shape, 0.8, seed=0)
    fresh(model).fit(rec.select(trials=slice(0, 20)))  # what is loaded and compiled on first use
    tracemalloc.start()
    try:
        fresh(model).fit(rec, train)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    held = peak / activity.nbytes - 0.25  # the mask is a quarter
    assert held < copies, f"it held {held:.2f} copies: hold fewer, or raise its number in COPIES"


@pytest.mark.parametrize("model", OF_RATES, ids=name_of)
def test_counts_are_refused_by_models_of_rates(model: Estimator) -> None:
    rec = recording_of(np.ones((6, 3, 4)), counts=True)
    with pytest.raises(ValueError, match=f"{type(model).__name__} takes rates"):
        fresh(model).fit(rec)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_bad_masks_and_neurons_never_observed_are_named(model: Estimator) -> None:
    activity = np.random.default_rng(0).standard_normal((6, 3, 4))
    train = np.ones(activity.shape, bool)
    train[2] = False
    with pytest.raises(ValueError, match="nothing of trial 2"):
        fresh(model).fit(recording_of(activity), train)
    with pytest.raises(ValueError, match="shape"):
        fresh(model).fit(recording_of(activity), train[:5])
    activity[..., 1] = np.nan
    with pytest.raises(ValueError, match=r"Neurons \[1\] were never observed"):
        fresh(model).fit(recording_of(activity))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (PCAModel(0), "n_components is 0"),
        (PCAModel(5), "must be 1 to 4"),
        (PCAModel(2, -1), "n_iterations is -1"),
        (TCA(0), "rank is 0"),
        (TCA(13), "rank is 13"),
        (TCA(2, n_iterations=0), "n_iterations is 0"),
        (TCA(2, n_restarts=0), "n_restarts is 0"),
    ],
)
def test_settings_out_of_range_are_named(model: Estimator, message: str) -> None:
    rec = recording_of(np.random.default_rng(0).standard_normal((6, 3, 4)))
    with pytest.raises(ValueError, match=message):
        model.fit(rec)


def test_zero_activity_has_no_components_and_constant_activity_one() -> None:
    with pytest.raises(ValueError, match="activity is zero"):
        TCA(2).fit(recording_of(np.zeros((6, 3, 4))))
    train = random_mask((6, 3, 4), 0.5, seed=0)
    predicted = TCA(2).fit(recording_of(np.full((6, 3, 4), 2.0)), train).predict()
    np.testing.assert_allclose(predicted, 2.0)
