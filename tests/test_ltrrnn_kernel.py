"""The smoothness prior: the kernel of scikit-learn, gaps, jumps, and its own penalty."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import RationalQuadratic

from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.data import prepare
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.ltrrnn.kernel import Smoothness, covariance, rational_quadratic
from ltr_core.recordings import Recording

NO_EPOCHS = np.zeros(8, np.int64)
IDS = np.array([0.0, 1.0, 2.0, 5.0, 6.0, 40.0, 41.0, 90.0])


@settings(max_examples=30)
@given(
    length=st.floats(0.5, 200),
    alpha=st.floats(0.1, 20),
    steps=st.lists(st.floats(0.5, 30), min_size=1, max_size=12),
)
def test_kernel_is_scikit_learns(length: float, alpha: float, steps: list[float]) -> None:
    """RationalQuadratic of the trial ids themselves."""
    ids = np.cumsum(steps)
    expected = RationalQuadratic(length_scale=length, alpha=alpha)(ids[:, None])
    np.testing.assert_allclose(rational_quadratic(ids, length, alpha), expected, rtol=1e-9)


def test_gaps_count() -> None:
    """Trials 2 and 5 are three apart, though they are neighbours in the recording."""
    kernel = rational_quadratic(IDS, 15.0, 1.0)
    counted = rational_quadratic(np.arange(8.0), 15.0, 1.0)
    assert kernel[0, 1] == counted[0, 1]
    assert kernel[2, 3] == counted[0, 3] < counted[2, 3]


def test_covariance_of_smooth_part_and_own_part() -> None:
    """scale^2 times the kernel, and noise^2 on the diagonal alone."""
    prior = Smoothness(length=10.0, alpha=2.0, scale=1.5, noise=0.3)
    expected = 1.5**2 * RationalQuadratic(length_scale=10.0, alpha=2.0)(IDS[:, None])
    found = covariance(prior, IDS, NO_EPOCHS)
    np.testing.assert_allclose(found, expected + 0.3**2 * np.eye(8), rtol=1e-9)
    assert np.array_equal(np.diag(found), np.full(8, 1.5**2 + 0.3**2))


def test_jumps_make_epochs_independent() -> None:
    """Block-diagonal over epochs, in any order, and within a block as without jumps."""
    epochs = np.array([0, 0, 1, 1, 1, 0, 0, 2])
    prior = Smoothness(jumps=True)
    found = covariance(prior, IDS, epochs)
    same = epochs[:, None] == epochs[None, :]
    assert not found[~same].any()
    smooth = covariance(prior._replace(jumps=False), IDS, epochs)
    assert np.array_equal(found[same], smooth[same])
    assert (smooth > 0).all()


@settings(max_examples=30)
@given(
    length=st.floats(1, 500),
    alpha=st.floats(0.2, 10),
    noise=st.floats(0.01, 1),
    jumps=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_covariance_is_positive_definite(
    length: float, alpha: float, noise: float, jumps: bool, seed: int
) -> None:
    """Its least eigenvalue is the noise's, so that it can be factored."""
    rng = np.random.default_rng(seed)
    ids = np.cumsum(rng.integers(1, 9, 30)).astype(float)
    epochs = np.sort(rng.integers(0, 3, 30))
    found = covariance(Smoothness(length, alpha, 1.0, noise, jumps), ids, epochs)
    assert np.array_equal(found, found.T)
    assert np.linalg.eigvalsh(found)[0] >= noise**2 * (1 - 1e-9) - 1e-12
    np.linalg.cholesky(found)


@pytest.mark.parametrize("name", ["length", "alpha", "scale", "noise"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_values_that_cannot_be(name: str, value: float) -> None:
    """Named, with what they must be."""
    prior = Smoothness()._replace(**{name: value})
    with pytest.raises(ValueError, match=f"{name} of trial factors is {value}"):
        covariance(prior, IDS, NO_EPOCHS)


def small(**settings: object) -> tuple[LtrRNN, Recording]:
    recording = simulate_ltrrnn(
        n_trials=(12, 12), n_neurons=15, rank=2, n_conditions=2, dt=0.25, seed=4
    ).recording
    chosen = {"rank": 2, "substeps": 1, "learning_rate": 0.02} | settings
    return LtrRNN(**chosen), recording


def test_penalty_is_that_of_the_prior() -> None:
    """-|z|^2 / 2 is the Gaussian process's log-density of the trial factors about their mean."""
    model, recording = small(
        dtype="float64", length=4.0, alpha=0.7, scale=0.8, noise=0.2, jumps=True
    )
    network = Fit(model, prepare(model, recording, None)).network
    over_trials = covariance(model.smoothness, recording.trial_id, recording.epoch_index)
    normal = multivariate_normal(np.zeros(24), over_trials)
    rng = torch.Generator().manual_seed(0)
    found, expected = [], []
    for _ in range(3):
        with torch.no_grad():
            network.free["factors"].normal_(generator=rng)
            around = (network.trial_factors() - network.free["mean_factors"]).numpy()
            found.append(float(network.log_prior()))
        expected.append(float(normal.logpdf(around).sum()))
    assert np.ptp(np.array(found) - np.array(expected)) < 1e-8  # the same but for a constant
    assert np.ptp(found) > 1


@pytest.mark.parametrize("kind", ["independent", "constant"])
def test_other_trial_factors_have_no_prior(kind: str) -> None:
    """Only smooth ones are penalised."""
    model, recording = small(trial_factors=kind)
    assert float(Fit(model, prepare(model, recording, None)).network.log_prior()) == 0


def roughness(factors: np.ndarray) -> float:
    """Mean squared change from trial to trial, over the variance over trials."""
    return float((np.square(np.diff(factors, axis=0)).mean(0) / factors.var(0)).mean())


def test_prior_smooths_what_is_fitted() -> None:
    """Longer lengths and less noise give smoother factors; independent ones are rougher."""
    found = {}
    for name, settings_ in {
        "long": {"length": 30.0, "noise": 0.02},
        "short": {"length": 2.0, "noise": 0.3},
        "independent": {"trial_factors": "independent"},
    }.items():
        model, recording = small(n_steps=60, **settings_)
        found[name] = roughness(model.fit(recording).trial_factors_)
    assert 3 * found["long"] < found["short"]
    assert 3 * found["long"] < found["independent"]


def test_jumps_let_factors_jump() -> None:
    """A fit with jumps changes more from the last trial of one epoch to the first of the next."""
    steps = {}
    for jumps in (False, True):
        model, recording = small(jumps=jumps, n_steps=60, length=30.0, noise=0.02)
        factors = model.fit(recording).trial_factors_
        change = np.abs(np.diff(factors, axis=0)).max(1)
        steps[jumps] = change[11] / np.delete(change, 11).max()
    assert steps[True] > 2 > steps[False]


@pytest.mark.usefixtures("as_in_use")
def test_bad_prior_is_refused_by_the_fit() -> None:
    """Before anything is computed."""
    model, recording = small(length=-3.0)
    with pytest.raises(ValueError, match=r"length of trial factors is -3\.0"):
        model.fit(recording)
