"""Simulated recordings: they obey the model's equation, are rich, and vary through the weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ltr_core.ltrrnn.simulation import Simulated, simulate_ltrrnn

SMALL: dict[str, Any] = {"n_trials": (16, 24, 24), "n_neurons": 60}


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    """One small recording of rank 4."""
    return simulate_ltrrnn(**SMALL, seed=1)


def mean_of_condition(simulated: Simulated) -> np.ndarray:
    """Each trial predicted by the mean rates of its condition."""
    rates, index = simulated.truth.rates, simulated.recording.condition_index
    return np.stack([rates[index == c].mean(0) for c in range(index.max() + 1)])[index]


def test_factors_are_normed(simulated: Simulated) -> None:
    """Columns orthonormal, rows of unit norm, trial factors positive."""
    truth = simulated.truth
    assert np.allclose(truth.columns.T @ truth.columns, np.eye(4), atol=1e-12)
    assert np.allclose(np.linalg.norm(truth.rows, axis=0), 1)
    assert truth.trial_factors.shape == (64, 4)
    assert truth.trial_factors.min() > 0


def test_weights_are_the_sum_of_their_components(simulated: Simulated) -> None:
    """W_k = sum_r c_kr a_r b_r^T, for trials chosen in any way."""
    truth = simulated.truth
    expected = np.zeros((60, 60))
    for column, row, factor in zip(
        truth.columns.T, truth.rows.T, truth.trial_factors[7], strict=True
    ):
        expected += factor * np.outer(column, row)
    assert np.allclose(truth.weights([7])[0], expected, atol=1e-14)
    assert np.allclose(truth.weights(np.array([3, 7]))[1], expected)
    assert truth.weights(slice(0, 5)).shape == (5, 60, 60)


@pytest.mark.parametrize("rotated", [False, True])
def test_after_the_go_cue_the_whole_network_does_the_same(rotated: bool) -> None:
    """From t = 0 on, scipy's solver on all N units with the full weights gives the same rates."""
    truth = simulate_ltrrnn(**SMALL, rotated=rotated, seed=2).truth
    time = 0.1 * np.arange(21)
    for trial in (0, 40):
        weights = truth.weights([trial])[0]
        start = truth.columns @ truth.latents[trial, 20]
        solved = solve_ivp(
            lambda _, x, w=weights: (w @ np.tanh(x) - x) / truth.tau,
            (0.0, 2.0),
            start,
            t_eval=time,
            rtol=1e-9,
            atol=1e-9,
        )
        full = np.tanh(solved.y.T) @ truth.readout.T
        assert np.allclose(truth.rates[trial, 20:], full, atol=2e-6)
    assert np.allclose(truth.readout @ truth.readout.T, np.eye(60), atol=1e-12)
    assert np.array_equal(truth.readout, np.eye(60)) == (not rotated)


def test_before_it_the_inputs_close_the_equation() -> None:
    """tau dkappa/dt + kappa - c B^T tanh(A kappa) is the condition's input at every time."""
    recording, truth = simulate_ltrrnn(
        n_trials=(10,), n_neurons=40, rank=3, dt=0.01, tau=0.7, after=0.5, seed=3
    )
    kappa = truth.latents
    rate = (kappa[:, 2:] - kappa[:, :-2]) / 0.02
    inner = kappa[:, 1:-1]
    recurrent = truth.trial_factors[:, None] * (np.tanh(inner @ truth.columns.T) @ truth.rows)
    drive = truth.tau * rate + inner - recurrent
    expected = truth.inputs[recording.condition_index][:, 1:-1]
    assert abs(expected).max() > 1
    assert abs(drive - expected).max() < 2e-3 * abs(expected).max()


def test_inputs_belong_to_the_condition_and_stop_at_the_go_cue(simulated: Simulated) -> None:
    """Exactly zero from t = 0 on; every condition has one of its own."""
    recording, inputs = simulated.recording, simulated.truth.inputs
    assert recording.time[20] == 0
    assert not inputs[:, recording.time >= 0].any()
    before = inputs[:, recording.time < 0].reshape(8, -1)
    assert np.linalg.norm(before, axis=1).min() > 1
    alike = np.corrcoef(before) - np.eye(8)
    assert alike.max() < 0.98


def test_recording_is_labelled(simulated: Simulated) -> None:
    """Epochs in order, conditions in shuffled rounds, float32 activity with the noise asked for."""
    recording, truth = simulated
    assert recording.epochs == ("baseline", "adaptation", "washout")
    assert np.bincount(recording.epoch_index).tolist() == [16, 24, 24]
    assert sorted(recording.condition[:8].tolist()) == list(range(8))
    assert recording.condition[:8].tolist() != recording.condition[8:16].tolist()
    assert recording.activity.dtype == np.float32
    assert (recording.activity - truth.rates).std() == pytest.approx(0.055, rel=0.02)
    assert recording.time[0] == pytest.approx(-2)
    assert recording.time[-1] == pytest.approx(2)


@pytest.mark.parametrize("rank", range(1, 9))
@pytest.mark.parametrize("n_neurons", [40, 200])
def test_activity_is_rich_for_all_ranks(rank: int, n_neurons: int) -> None:
    """Neither dying nor saturated, spread over dimensions, and changed by the trial factors."""
    unlike = []
    for seed in range(3):
        made = simulate_ltrrnn(
            n_trials=(24, 32, 32), n_neurons=n_neurons, rank=rank, seed=seed + 10 * rank
        )
        rates = made.truth.rates.astype(np.float64)
        after = made.recording.time > 0
        assert 0.08 < rates[:, after].var() < 0.6
        assert rates[:, -1].std() > 0.2
        assert np.mean(abs(rates) > 0.9) < 0.25
        spectrum = np.linalg.eigvalsh(np.cov(rates.reshape(-1, n_neurons).T))
        dimension = spectrum.sum() ** 2 / (spectrum**2).sum()
        assert dimension > max(1, 0.35 * rank)
        missed = np.square(rates - mean_of_condition(made))[:, after].mean()
        unlike.append(missed / rates[:, after].var())
    # A mean over trials leaves clearly more than the noise does (about 0.01).
    assert max(unlike) > (0.05 if rank > 1 else 0.02)
    assert np.median(unlike) > (0.03 if rank > 1 else 0.005)


def test_trial_factors_drift_within_epochs_and_jump_between(simulated: Simulated) -> None:
    """Steps within an epoch are small; a longer length makes them smaller."""
    steps = abs(np.diff(np.log(simulated.truth.trial_factors), axis=0)).mean(1)
    between = steps[[15, 39]]
    within = np.delete(steps, [15, 39])
    assert between.min() > 5 * within.mean()
    longer = simulate_ltrrnn(**SMALL, length=60.0, seed=1).truth.trial_factors
    assert np.delete(abs(np.diff(np.log(longer), axis=0)).mean(1), [15, 39]).mean() < within.mean()


def test_counts_are_poisson_around_the_rates() -> None:
    """Whole numbers with the mean asked for in each neuron, variance equal to the mean."""
    made = simulate_ltrrnn(n_trials=(60, 60), n_neurons=50, counts=True, mean_count=0.8, seed=4)
    recording, truth = made
    assert recording.counts
    assert np.allclose(truth.rates.mean((0, 1)), 0.8, rtol=1e-4)
    assert recording.activity.mean() == pytest.approx(0.8, rel=0.02)
    scaled = np.square(recording.activity - truth.rates) / truth.rates
    assert scaled.mean() == pytest.approx(1, rel=0.02)
    linear = np.tanh(truth.latents @ truth.columns.T) + truth.readout_bias
    assert np.allclose(np.log(truth.rates), linear, atol=1e-5)
    assert truth.rates.std() > 0.15


def test_seed_decides() -> None:
    """The same seed gives the same, another seed another recording and another truth."""
    first, again, other = (simulate_ltrrnn(**SMALL, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(first.recording.activity, again.recording.activity)
    assert not np.allclose(first.truth.columns, other.truth.columns)
    assert not np.allclose(first.truth.trial_factors, other.truth.trial_factors)


@settings(max_examples=20)
@given(
    rank=st.integers(1, 6),
    spare=st.integers(1, 20),
    n_trials=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    n_conditions=st.integers(1, 5),
    dt=st.sampled_from([0.03, 0.1, 0.25]),
    tau=st.sampled_from([0.1, 1.0]),
    seed=st.integers(0, 1000),
)
def test_any_sizes_give_a_valid_recording(
    *,
    rank: int,
    spare: int,
    n_trials: list[int],
    n_conditions: int,
    dt: float,
    tau: float,
    seed: int,
) -> None:
    """Finite bounded rates that follow from the latents, one epoch for each entry of n_trials."""
    recording, truth = simulate_ltrrnn(
        n_trials=n_trials,
        n_neurons=rank + spare,
        rank=rank,
        n_conditions=n_conditions,
        before=0.5,
        after=0.5,
        dt=dt,
        tau=tau,
        seed=seed,
    )
    assert recording.n_trials == sum(n_trials)
    assert len(recording.epochs) == len(n_trials)
    assert recording.observed.all()
    assert truth.inputs.shape == (n_conditions, recording.n_time, rank)
    assert np.allclose(truth.rates, np.tanh(truth.latents @ truth.columns.T), atol=1e-6)
    assert truth.latents[:, -1].any(axis=1).all()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"n_trials": ()}, r"n_trials is \(\)"),
        ({"n_trials": (10, 0)}, r"n_trials is \(10, 0\): give every epoch at least one"),
        ({"rank": 0}, "rank is 0"),
        ({"n_conditions": 0}, "n_conditions 0"),
        ({"n_neurons": 4}, "n_neurons is 4, rank 4: there must be more neurons"),
        ({"before": 0.1}, "before is 0.1 s .* two time steps before the go cue"),
        ({"after": 0.0}, "after is 0.0: it must be finite and positive"),
        ({"dt": float("nan")}, "dt is nan"),
        ({"tau": -1.0}, "tau is -1.0"),
        ({"length": 0.0}, "length is 0.0"),
        ({"noise": -0.1}, "noise is -0.1: it must be finite and not negative"),
        ({"counts": True, "mean_count": 0.0}, "mean_count is 0.0"),
    ],
)
def test_bad_settings_are_named(chosen: dict[str, Any], said: str) -> None:
    """What is wrong with which."""
    with pytest.raises(ValueError, match=said):
        simulate_ltrrnn(**chosen)
