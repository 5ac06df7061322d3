"""Intervals of trial factors: the information against finite differences, and their coverage."""

import numpy as np
import pytest
import scipy.optimize
import torch

from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.recovery import fitted_factors, true_factors
from ltr_core.ltrrnn.sensitivity import information
from ltr_core.ltrrnn.simulation import Simulated
from ltr_core.ltrrnn.solution import Solution
from ltr_core.ltrrnn.uncertainty import (
    Intervals,
    coverage,
    ensemble_intervals,
    trial_factor_intervals,
)
from ltr_core.ltrrnn.weight_changes import Factors

SMALL = {"rank": 2, "tau": 1.0, "n_steps": 30}


def simulated(seed: int = 0, counts: bool = False) -> Simulated:
    return simulate_ltrrnn(
        n_trials=(15, 20), n_neurons=25, rank=2, n_conditions=3, counts=counts, seed=seed
    )


@pytest.fixture(scope="module")
def example() -> Simulated:
    return simulated()


@pytest.fixture(scope="module")
def model(example: Simulated) -> LtrRNN:
    return LtrRNN(**SMALL).fit(example.recording)


def with_factors(model: LtrRNN, factors: np.ndarray) -> Solution:
    """The model's solution in float64 with other trial factors (trial, rank)."""
    system = type(model._solution.system)(
        *(p.double() if p.is_floating_point() else p for p in model._solution.system)
    )
    system = system._replace(trial_factors=torch.tensor(factors.T.copy(), dtype=torch.float64))
    return model._solution._replace(
        system=system,
        readout=model._solution.readout.double(),
        readout_bias=model._solution.readout_bias.double(),
    )


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"scheme": "rk4", "substeps": 2, "bias": True},
        {"input_columns": 1, "readout_bias": True, "scheme": "euler"},
        {"likelihood": "poisson"},
    ],
    ids=str,
)
def test_information_is_that_of_finite_differences(more: dict[str, object]) -> None:
    counts = "likelihood" in more
    recording = simulated(counts=counts).recording
    train = np.random.default_rng(0).random(recording.activity.shape) < 0.7
    model = LtrRNN(**SMALL | {"n_steps": 5}, **more).fit(recording, train)
    found = information(model, recording)
    factors, h = model.trial_factors_.astype(float), 1e-5

    def predicted(moved: np.ndarray) -> np.ndarray:
        values = with_factors(model, moved).predict()
        return np.log(values) if counts else values

    slopes = [
        (predicted(factors + h * step) - predicted(factors - h * step)) / (2 * h)
        for step in np.eye(2)
    ]
    jacobian = np.stack(slopes, -1)
    weight = train * (np.exp(predicted(factors)) if counts else 1 / model.noise_variance_)
    expected = np.einsum("ktn,ktnr,ktns->krs", weight, jacobian, jacobian)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_trials_in_several_parts_have_the_same_information(
    model: LtrRNN, example: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = information(model, example.recording)
    monkeypatch.setattr("ltr_core.ltrrnn.sensitivity.AT_ONCE", 300)
    np.testing.assert_allclose(information(model, example.recording), whole)


def test_intervals_are_those_of_the_posterior(model: LtrRNN, example: Simulated) -> None:
    """Against the Hessian of the negative log posterior, built in another way."""
    recording = example.recording
    n_trials, rank = model.trial_factors_.shape
    known = information(model, recording)
    kernel = model.smoothness.scale**2 / (
        1 + np.square(np.subtract.outer(recording.trial_id, recording.trial_id)) / (2 * 15.0**2)
    )
    covariance = kernel + model.smoothness.noise**2 * np.eye(n_trials)
    covariance += 1e6  # a mean of which nothing is known
    whole = np.kron(np.eye(rank), np.linalg.inv(covariance))
    for k in range(n_trials):
        places = np.arange(rank) * n_trials + k
        whole[np.ix_(places, places)] += known[k]
    sd = np.sqrt(np.diag(np.linalg.inv(whole))).reshape(rank, n_trials).T
    found = trial_factor_intervals(model, recording, level=0.9)
    np.testing.assert_allclose(found.sd, sd, rtol=1e-3)
    np.testing.assert_allclose(found.upper - found.lower, 2 * 1.6448536 * sd, rtol=1e-3)
    np.testing.assert_allclose(found.centre, model.trial_factors_, rtol=1e-5)


def test_windows_of_trials_come_close_to_all_at_once(
    model: LtrRNN, example: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    joint = trial_factor_intervals(model, example.recording).sd
    monkeypatch.setattr("ltr_core.ltrrnn.uncertainty.LARGEST", 40)
    windowed = trial_factor_intervals(model, example.recording).sd
    np.testing.assert_allclose(windowed, joint, rtol=0.05)
    assert (windowed != joint).any()


def test_more_data_and_smoothness_make_intervals_narrower(example: Simulated) -> None:
    recording = example.recording
    few = np.zeros(recording.activity.shape, bool)
    few[:, ::3] = True
    few[:, 1::3] = np.random.default_rng(0).random(few[:, 1::3].shape) < 0.5
    model = LtrRNN(**SMALL).fit(recording)
    narrow = trial_factor_intervals(model, recording).sd
    model.train_ = few
    assert (trial_factor_intervals(model, recording).sd > narrow).all()
    model.train_, model.trial_factors = recording.observed, "independent"
    assert (trial_factor_intervals(model, recording).sd > narrow).all()
    model.trial_factors = "constant"
    constant = trial_factor_intervals(model, recording).sd
    assert (constant == constant[0]).all()
    assert (constant < narrow).all()


def most_likely(simulated: Simulated, model: LtrRNN, trials: int) -> LtrRNN:
    """A model that knows all but the trial factors: these are refitted, each trial on its own."""
    recording, truth = simulated.recording, simulated.truth
    factors = truth.trial_factors.copy()
    for k in range(trials):

        def residuals(own: np.ndarray, k: int = k) -> np.ndarray:
            moved = factors.copy()
            moved[k] = own
            solution = with_factors(model, moved)
            system = solution.system._replace(
                trial_factors=solution.system.trial_factors[:, k : k + 1],
                group=solution.system.group[k : k + 1],
            )
            return (solution._replace(system=system).predict()[0] - recording.activity[k]).ravel()

        factors[k] = scipy.optimize.least_squares(residuals, factors[k], diff_step=1e-4).x
    model.trial_factors_ = factors.astype(np.float32)
    return model


def test_intervals_hold_the_truth_as_often_as_they_say_if_all_else_is_known(
    example: Simulated,
) -> None:
    """The data are made anew by the fitted network itself, so that it knows everything else."""
    model = LtrRNN(**SMALL, trial_factors="independent").fit(example.recording)
    truth = model.trial_factors_.astype(float)
    rates = with_factors(model, truth).predict()
    rng = np.random.default_rng(0)
    noisy = rates + 0.3 * rng.standard_normal(rates.shape)
    activity = noisy.astype(np.float32)
    recording = type(example.recording)(
        activity, time=example.recording.time, condition=example.recording.condition
    )
    made = Simulated(recording, example.truth._replace(trial_factors=truth))
    model.noise_variance_ = 0.3**2
    model = most_likely(made, model, recording.n_trials)
    model._found = with_factors(model, model.trial_factors_.astype(float))
    own = trial_factor_intervals(model, recording)
    factors = fitted_factors(model)
    found = coverage(own, factors, factors._replace(trial_factors=truth))
    assert 0.85 < found.share <= 1
    assert 0.75 < found.spread < 1.3
    # The control: intervals of a tenth of the noise hold it rarely.
    model.noise_variance_ = 0.03**2
    narrow = trial_factor_intervals(model, recording)
    assert coverage(narrow, factors, factors._replace(trial_factors=truth)).share < 0.3


def planted(rank: int = 2, n_trials: int = 2000) -> tuple[Factors, np.ndarray]:
    rng = np.random.default_rng(0)
    columns, rows = (np.linalg.qr(rng.standard_normal((20, rank)))[0] for _ in range(2))
    truth = Factors(columns, rows, 3 + rng.standard_normal((n_trials, rank)))
    return truth, 0.1 * rng.standard_normal((n_trials, rank))


def test_coverage_of_intervals_that_are_right_and_wrong() -> None:
    truth, errors = planted()
    order = [1, 0]
    fitted = -2 * (truth.trial_factors + errors)[:, order]
    fit = Factors(truth.columns[:, order], -truth.rows[:, order] / 2, fitted)

    def around(sd: float) -> Intervals:
        return Intervals(fitted - 1.96 * sd, fitted + 1.96 * sd, np.full(fitted.shape, sd))

    right = coverage(around(0.2), fit, truth)
    assert right.share == pytest.approx(0.95, abs=0.015)
    assert right.spread == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(right.scale, -2, rtol=0.01)
    assert coverage(around(0.02), fit, truth).share < 0.2
    shifted = truth._replace(trial_factors=truth.trial_factors[::-1])
    assert coverage(around(0.2), fit, shifted).share < 0.4
    lacking = coverage(
        Intervals(*(part[:, :1] for part in around(0.2))), Factors(*(p[:, :1] for p in fit)), truth
    )
    assert lacking.by_component[0] == 0
    assert lacking.by_component[1] > 0.9


def test_fits_from_other_seeds_are_matched_before_they_are_compared(example: Simulated) -> None:
    models = [LtrRNN(**SMALL, seed=seed).fit(example.recording) for seed in range(3)]
    found = ensemble_intervals(models)
    assert found.sd.shape == models[0].trial_factors_.shape
    for model in models:  # the same network in another order and scale
        model.columns_ = model.columns_[:, ::-1]
        model.row_factors_ = model.row_factors_[:, ::-1]
        model.trial_factors_ = model.trial_factors_[:, ::-1]
    turned = ensemble_intervals(models)
    np.testing.assert_allclose(turned.sd, found.sd[:, ::-1], rtol=1e-5)
    models[2].trial_factors_ = -2 * models[2].trial_factors_
    models[2].row_factors_ = -models[2].row_factors_
    again = ensemble_intervals(models)
    np.testing.assert_allclose(again.sd, turned.sd, rtol=1e-4)
    within = [trial_factor_intervals(model, example.recording) for model in models]
    both = ensemble_intervals(models, within=within)
    assert (both.sd > again.sd).all()
    assert (both.upper > again.upper).all()


def test_coverage_on_simulated_recordings_is_far_above_chance(
    model: LtrRNN, example: Simulated
) -> None:
    intervals = trial_factor_intervals(model, example.recording)
    found = coverage(intervals, fitted_factors(model), true_factors(example.truth))
    assert found.share > 0.15
    assert (found.scale > 0).all()


def test_what_has_no_interval_is_said(model: LtrRNN, example: Simulated) -> None:
    with pytest.raises(ValueError, match="level is 95"):
        trial_factor_intervals(model, example.recording, 95.0)
    fewer = example.recording.select(trials=np.arange(5))
    with pytest.raises(ValueError, match="is not that of the one that was"):
        trial_factor_intervals(model, fewer)
    with pytest.raises(ValueError, match="at least two"):
        ensemble_intervals([model])
    with pytest.raises(ValueError, match="within holds 1 intervals for 2"):
        ensemble_intervals(
            [model, model], within=[trial_factor_intervals(model, example.recording)]
        )
    truth = true_factors(example.truth)
    with pytest.raises(ValueError, match="both are"):
        coverage(Intervals(*(np.zeros((3, 2)) for _ in range(3))), fitted_factors(model), truth)
    blind = LtrRNN(**SMALL | {"n_steps": 1}, trial_factors="independent").fit(example.recording)
    blind.train_ = blind.train_.copy()
    blind.train_[7, 1:] = False
    with pytest.raises(ValueError, match=r"trials \[7\] \(1 in all\)"):
        trial_factor_intervals(blind, example.recording)
