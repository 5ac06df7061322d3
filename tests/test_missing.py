"""Principal components with missing entries: exact without, recovered with, nothing leaked."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

from ltr_core.ltrrnn.missing import Completed, fill_missing


def planted(
    seed: int = 0, samples: int = 600, neurons: int = 60, rank: int = 4, noise: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Activity of known rank about means, with and without noise; slowly varying in samples."""
    rng = np.random.default_rng(seed)
    scores = np.cumsum(rng.standard_normal((samples, rank)), axis=0)
    scores /= scores.std(0)
    clean = scores @ rng.standard_normal((rank, neurons)) / rank**0.5 + rng.normal(0, 2, neurons)
    return clean + noise * rng.standard_normal(clean.shape), clean


def without_blocks(
    shape: tuple[int, int], share: float, seed: int = 0, half: int = 5
) -> np.ndarray:
    """True but in stretches of 2 half + 1 samples of single neurons."""
    rng = np.random.default_rng(seed)
    missing = rng.random(shape) < share / (2 * half + 1)
    kernel = np.ones(2 * half + 1)
    return ~np.apply_along_axis(lambda column: np.convolve(column, kernel, "same") > 0, 0, missing)


def model(done: Completed) -> np.ndarray:
    return done.scores @ done.loadings.T + done.mean


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(90, 20), (20, 90), (30, 30)])
def test_without_missing_entries_it_is_exact_pca(shape: tuple[int, int], dtype: type) -> None:
    rng = np.random.default_rng(1)
    activity = (rng.standard_normal(shape) @ np.diag(np.linspace(1, 3, shape[1]))).astype(dtype)
    done = fill_missing(activity, np.ones(shape, bool), 5)
    centred = activity - activity.mean(0)
    u, s, vt = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    tolerance = 1e-4 if dtype is np.float32 else 1e-10
    np.testing.assert_allclose(
        model(done), (u[:, :5] * s[:5]) @ vt[:5] + activity.mean(0), atol=tolerance
    )
    np.testing.assert_allclose(np.abs(done.loadings.T @ vt[:5].T), np.eye(5), atol=tolerance)
    assert {array.dtype for array in done} == {np.dtype(dtype)}
    assert np.array_equal(done.filled, activity)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_planted_components_are_recovered_from_under_half_of_the_entries(dtype: type) -> None:
    activity, clean = planted()
    observed = without_blocks(activity.shape, 0.8)
    assert 0.4 < observed.mean() < 0.5
    done = fill_missing(np.where(observed, activity, np.nan).astype(dtype), observed, 4)
    left_out = ~observed
    error = np.square(done.filled - clean)[left_out].mean()
    # The noise of a sample's four scores, each from some 27 neurons of noise variance 0.0025.
    assert error < 0.0025
    about_mean = np.square(np.nanmean(np.where(observed, activity, np.nan), 0) - clean)
    assert error < 0.01 * about_mean[left_out].mean()


def test_twenty_iterations_are_as_good_as_many() -> None:
    activity, clean = planted(seed=3)
    observed = without_blocks(activity.shape, 0.8, seed=3)
    few, many = (fill_missing(activity, observed, 4, n) for n in (20, 300))
    errors = [np.square(done.filled - clean)[~observed].mean() for done in (few, many)]
    assert errors[0] < 1.1 * errors[1]


def test_more_components_than_there_are_do_not_overfit() -> None:
    """Spare components are shrunk to nothing; that takes more iterations."""
    activity, clean = planted(neurons=40)
    observed = without_blocks(activity.shape, 0.9)
    errors = [
        np.square(fill_missing(activity, observed, rank, 300).filled - clean)[~observed].mean()
        for rank in (4, 8)
    ]
    assert errors[1] < 1.1 * errors[0]


def test_result_is_in_canonical_form_and_consistent() -> None:
    activity, _ = planted(seed=2)
    observed = without_blocks(activity.shape, 0.5, seed=2)
    done = fill_missing(activity, observed, 4)
    np.testing.assert_allclose(done.loadings.T @ done.loadings, np.eye(4), atol=1e-10)
    covariance = done.scores.T @ done.scores
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-8)
    assert (np.diff(np.diag(covariance)) < 0).all()
    np.testing.assert_allclose(done.scores.mean(0), 0, atol=1e-10)
    assert (done.loadings.max(0) >= -done.loadings.min(0)).all()
    assert np.array_equal(done.filled[observed], activity[observed])
    np.testing.assert_allclose(done.filled[~observed], model(done)[~observed], atol=1e-10)


@settings(max_examples=25)
@example(samples=9, neurons=4, rank=4, share=0.3, seed=0)
@given(
    samples=st.integers(6, 40),
    neurons=st.integers(4, 30),
    rank=st.integers(1, 4),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 1000),
)
def test_property_what_is_not_observed_is_never_used(
    samples: int, neurons: int, rank: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    activity = rng.standard_normal((samples, neurons))
    observed = rng.random(activity.shape) > share
    observed[rng.integers(0, samples, neurons), np.arange(neurons)] = True
    hidden = np.where(observed, activity, rng.choice([np.nan, np.inf, 1e30], activity.shape))
    for one, other in zip(
        fill_missing(activity, observed, rank, 5),
        fill_missing(hidden, observed, rank, 5),
        strict=True,
    ):
        assert np.array_equal(one, other)
        assert np.isfinite(one).all()


def test_samples_without_entries_and_constant_neurons_are_harmless() -> None:
    activity, _ = planted()
    activity[:, 7] = 3.0
    observed = without_blocks(activity.shape, 0.4)
    observed[10:30] = False
    observed[30, 1:] = False
    done = fill_missing(activity, observed, 4, 50)
    np.testing.assert_allclose(done.filled[:, 7], 3.0, atol=1e-6)
    spread = activity.std(0).mean()
    assert np.abs(done.filled[10:30] - done.mean).max() < 0.1 * spread
    assert np.abs(done.filled[30] - done.mean).max() < 10 * spread


def test_activity_without_variance_gives_its_mean() -> None:
    observed = without_blocks((50, 10), 0.5)
    done = fill_missing(np.full((50, 10), 2.0), observed, 3)
    np.testing.assert_allclose(done.filled, 2.0)


def test_large_means_cost_no_precision_in_float32() -> None:
    activity, _ = planted()
    observed = without_blocks(activity.shape, 0.5)
    single = fill_missing((activity + 1000).astype(np.float32), observed, 4)
    double = fill_missing(activity + 1000, observed, 4)
    np.testing.assert_allclose(single.filled, double.filled, atol=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observed": np.ones((5, 4), bool)}, r"activity is \(6, 4\), observed \(5, 4\)"),
        ({"rank": 0}, "rank is 0"),
        ({"rank": 5}, "1 to 4 components"),
        ({"n_iterations": -1}, "n_iterations is -1"),
        ({"observed": np.arange(4) * np.ones((6, 1)) > 0}, r"Neurons \[0\] have no observed"),
        ({"activity": np.where(np.eye(6, 4) > 0, np.nan, 1.0)}, "NaN or infinity"),
        ({"activity": np.where(np.eye(6, 4) > 0, np.inf, -np.inf)}, "NaN or infinity"),
    ],
)
def test_bad_input_is_named(change: dict, message: str) -> None:
    right = {"activity": np.ones((6, 4)), "observed": np.ones((6, 4), bool), "rank": 2}
    with pytest.raises(ValueError, match=message):
        fill_missing(**(right | change))
