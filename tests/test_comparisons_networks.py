"""Comparison networks: no learning, learning in the inputs, and free weights in every trial."""

import json
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from ltr_core.comparisons import FixedWeights, FreeLowRank, TrialInputs, shared_subspace
from ltr_core.comparisons.free_rollout import driven_part, predict, start_weights
from ltr_core.estimators import Estimator, NotFitted
from ltr_core.held_out import held_out_blocks
from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.recordings import Recording

SMALL = {"rank": 2, "tau": 1.0, "n_steps": 40}
FREE = SMALL | {"n_free_steps": 20}


def simulated(seed: int = 0, counts: bool = False) -> Recording:
    return simulate_ltrrnn(
        n_trials=(20, 20), n_neurons=30, rank=2, n_conditions=3, counts=counts, seed=seed
    ).recording


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulated()


@pytest.fixture(scope="module")
def fitted(recording: Recording) -> dict[str, Estimator]:
    longer = {"n_steps": 120}
    models = [kind(**SMALL | longer) for kind in (LtrRNN, FixedWeights, TrialInputs)]
    models.append(FreeLowRank(**FREE))
    train = held_out_blocks(recording, seed=0, test=(1, 1, 0), train=(2, 2, 0)).train
    return {type(model).__name__: model.fit(recording, train) for model in models}


def test_fixed_weights_do_not_change(fitted: dict[str, Estimator], recording: Recording) -> None:
    model = fitted["FixedWeights"]
    assert (model.trial_factors_ == model.trial_factors_[0]).all()
    predicted = model.predict()
    for condition in recording.conditions:
        same = predicted[recording.condition == condition]
        np.testing.assert_allclose(same, np.broadcast_to(same[0], same.shape), atol=1e-5)


def test_inputs_of_trials_differ_and_weights_do_not(
    fitted: dict[str, Estimator], recording: Recording
) -> None:
    model = fitted["TrialInputs"]
    assert (model.trial_factors_ == model.trial_factors_[0]).all()
    assert model.inputs_.shape == (recording.n_trials, recording.n_time, 2)
    assert model.initial_.shape == (recording.n_trials, 2)
    same = recording.condition == recording.condition[0]
    assert model.inputs_[same].std(0).max() > 0.1
    assert (model.inputs_[:, recording.time > 0.1] == 0).all()


def test_learning_is_told_from_none(fitted: dict[str, Estimator], recording: Recording) -> None:
    test = held_out_blocks(recording, seed=0, test=(1, 1, 0), train=(2, 2, 0)).test
    nmse = {name: model.score(recording, test, "nmse") for name, model in fitted.items()}
    # Inputs that change in every trial can stand in for weights that change: this alone tells
    # learning from none, not where it is.
    for name in ("LtrRNN", "TrialInputs", "FreeLowRank"):
        assert nmse[name] < 0.6 * nmse["FixedWeights"]


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (FixedWeights(trial_factors="smooth"), "trial_factors is 'smooth'"),
        (TrialInputs(trial_factors="independent"), "trial_factors is 'independent'"),
        (TrialInputs(inputs_vary_with="condition"), "inputs_vary_with is 'condition'"),
        (TrialInputs(inputs="neural_ode"), "set inputs='basis'"),
        (FixedWeights(rank=0), "rank is 0"),
        (FreeLowRank(n_free_steps=-1), "n_free_steps is -1"),
        (FreeLowRank(free_rate=0.0), "free_rate is 0"),
        (FreeLowRank(decay=-1.0), "decay is -1"),
        (FreeLowRank(spread=float("nan")), "spread is nan"),
        (FreeLowRank(rank=31), "rank is 31"),
    ],
    ids=str,
)
def test_settings_that_contradict_the_model_are_refused(
    model: Estimator, match: str, recording: Recording
) -> None:
    with pytest.raises(ValueError, match=match):
        model.fit(recording)


def test_settings_are_plain_and_can_be_changed() -> None:
    for model in (FixedWeights(), TrialInputs(), FreeLowRank()):
        other = model.with_params(rank=3, seed=1)
        assert type(other) is type(model)
        assert (other.rank, other.seed) == (3, 1)
        assert json.loads(json.dumps(model.get_params())) == model.get_params()
        with pytest.raises(NotFitted):
            model.predict()


def test_a_saved_comparison_is_the_same_when_loaded(
    fitted: dict[str, Estimator], tmp_path: Path
) -> None:
    for name, kind in {"FixedWeights": FixedWeights, "TrialInputs": TrialInputs}.items():
        fitted[name].save(tmp_path / name)
        again = kind.load(tmp_path / name)
        assert type(again) is kind
        np.testing.assert_array_equal(again.predict(), fitted[name].predict())


@pytest.mark.parametrize("scheme", ["euler", "heun", "rk4"])
@pytest.mark.parametrize("more", [{}, {"input_columns": 1, "bias": True, "substeps": 2}], ids=str)
def test_free_weights_start_where_the_network_is(
    scheme: str, more: dict[str, object], recording: Recording
) -> None:
    model = LtrRNN(rank=2, tau=1.0, n_steps=3, scheme=scheme, dtype="float64", **more)
    solution = model.fit(recording)._solution
    weights = start_weights(solution, 0.0, 0)
    found = predict(solution, weights, driven_part(solution), solution.system.group)
    np.testing.assert_allclose(found.permute(2, 0, 1), model.predict(), atol=1e-10)
    whole = (weights.columns[..., 5].T @ weights.rows[..., 5]).numpy() / solution.root**2
    np.testing.assert_allclose(whole, model.weights_[5], atol=1e-10)


def test_a_trial_factor_of_zero_can_still_be_learned(recording: Recording) -> None:
    solution = LtrRNN(**SMALL).fit(recording)._solution
    factors = solution.system.trial_factors.clone()
    factors[0, 3] = 0
    weights = start_weights(
        solution._replace(system=solution.system._replace(trial_factors=factors)), 0.0, 0
    )
    assert float(weights.columns[0, :, 3].norm()) > 0
    assert float(weights.rows[0, :, 3].norm()) == 0


def test_gradients_reach_each_trials_own_weights_only(recording: Recording) -> None:
    model = LtrRNN(**SMALL | {"n_steps": 3}, dtype="float64").fit(recording)
    solution = model._solution
    weights = start_weights(solution, 0.0, 0)
    for part in weights:
        part.requires_grad_()
    predicted = predict(solution, weights, driven_part(solution), solution.system.group)
    predicted[..., 4].square().sum().backward()
    grown = weights.columns.grad.abs().amax((0, 1)) > 0
    assert grown.nonzero().flatten().tolist() == [4]
    h = 1e-6
    moved = weights._replace(columns=weights.columns.detach().clone())
    moved.columns[1, 7, 4] += h
    with torch.no_grad():
        again = predict(solution, moved, driven_part(solution), solution.system.group)
    slope = float(again[..., 4].square().sum() - predicted.detach()[..., 4].square().sum()) / h
    assert slope == pytest.approx(float(weights.columns.grad[1, 7, 4]), rel=1e-3)


def test_free_weights_fit_each_trial_closer(
    fitted: dict[str, Estimator], recording: Recording
) -> None:
    free = fitted["FreeLowRank"]
    assert free.columns_.shape == free.rows_.shape == (40, 30, 2)
    losses = free.history_
    assert losses.columns.tolist() == ["step", "train", "validation"]
    assert losses["train"].iloc[-1] < 0.8 * losses["train"].iloc[0]
    assert free.score(recording, free.train_, "nmse") < free.start_.score(
        recording, free.train_, "nmse"
    )
    predicted = free.predict()
    assert predicted.shape == recording.activity.shape
    assert predicted.dtype == np.float32


def test_free_fits_repeat_for_a_seed_and_chunks_do_not_matter(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FreeLowRank(**FREE | {"n_steps": 10, "n_free_steps": 5}, spread=0.1)
    first = model.with_params().fit(recording).predict()
    np.testing.assert_array_equal(model.with_params().fit(recording).predict(), first)
    monkeypatch.setattr("ltr_core.comparisons.free_rollout.AT_ONCE", 50_000)
    np.testing.assert_allclose(model.with_params().fit(recording).predict(), first, atol=2e-3)
    assert np.abs(model.with_params(seed=1).fit(recording).predict() - first).max() > 1e-3


def test_free_weights_for_counts() -> None:
    recording = simulated(counts=True)
    model = FreeLowRank(**FREE, likelihood="poisson").fit(recording)
    predicted = model.predict()
    assert (predicted > 0).all()
    assert model.score(recording) > 0
    np.testing.assert_allclose(predicted.mean(), recording.activity.mean(), rtol=0.1)


@given(st.integers(0, 1000))
@settings(max_examples=2)
def test_held_out_entries_never_reach_a_fit(seed: int) -> None:
    recording = simulated()
    train = held_out_blocks(recording, seed=seed, test=(1, 1, 0), train=(2, 2, 0)).train
    rng = np.random.default_rng(seed)
    other = np.where(train, recording.activity, rng.normal(0, 5, train.shape)).astype(np.float32)
    changed = Recording(
        other, time=recording.time, condition=recording.condition, epoch=recording.epoch
    )
    for model in (FixedWeights(), TrialInputs(), FreeLowRank(n_free_steps=2)):
        model = model.with_params(**SMALL | {"n_steps": 2})  # noqa: PLW2901
        np.testing.assert_array_equal(
            model.with_params().fit(changed, train).predict(),
            model.with_params().fit(recording, train).predict(),
        )


def planted(own: float, n_trials: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Weights of rank 2 in one subspace, and as many directions of each trial's own."""
    rng = np.random.default_rng(0)
    sizes = (n_trials, 40, 2)
    common = [np.linalg.qr(rng.standard_normal((40, 2)))[0] for _ in range(2)]
    found = []
    for basis in common:
        mixed = basis @ rng.standard_normal((n_trials, 2, 2))
        found.append(mixed + own * rng.standard_normal(sizes) / np.sqrt(20))
    return found[0], found[1]


def test_weights_of_one_subspace_share_it_and_others_do_not() -> None:
    for shares in (shared_subspace(*planted(0.0)), shared_subspace(*planted(0.0), None, 3)):
        for share in shares:
            np.testing.assert_allclose(share, 1)
    columns, rows = (np.random.default_rng(s).standard_normal((24, 40, 2)) for s in (1, 2))
    by_chance = shared_subspace(columns, rows)
    assert by_chance.both.mean() < 0.05
    partly = shared_subspace(*planted(1.0))
    assert 0.2 < partly.both.mean() < 0.8
    assert (partly.both <= np.minimum(partly.columns, partly.rows) + 1e-12).all()


def test_a_new_subspace_in_one_stretch_is_found() -> None:
    columns, rows = planted(0.0)
    columns[16:] = np.roll(columns[16:], 20, axis=1)
    shares = shared_subspace(columns, rows, np.repeat(["a", "b", "c"], 8))
    assert shares.columns[16:].max() < 0.5
    np.testing.assert_allclose(shares.rows, 1)


def test_shares_are_those_of_the_weights_themselves() -> None:
    columns, rows = planted(0.7)
    stretch = np.arange(24) % 4
    weights = columns @ rows.transpose(0, 2, 1)
    others = weights[stretch != 1]
    u = np.linalg.svd(np.concatenate(others, axis=1))[0][:, :2]
    v = np.linalg.svd(np.concatenate(others, axis=0))[2][:2].T
    shares = shared_subspace(columns, rows, stretch)
    for k in np.flatnonzero(stretch == 1):
        size = np.linalg.norm(weights[k]) ** 2
        assert shares.columns[k] == pytest.approx(np.linalg.norm(u.T @ weights[k]) ** 2 / size)
        assert shares.rows[k] == pytest.approx(np.linalg.norm(weights[k] @ v) ** 2 / size)
        assert shares.both[k] == pytest.approx(np.linalg.norm(u.T @ weights[k] @ v) ** 2 / size)


def test_what_has_no_shared_subspace_is_said() -> None:
    columns, rows = planted(0.0)
    with pytest.raises(ValueError, match="one label"):
        shared_subspace(columns, rows, np.zeros(24))
    with pytest.raises(ValueError, match="dimension is 41"):
        shared_subspace(columns, rows, dimension=41)
    with pytest.raises(ValueError, match="they differ"):
        shared_subspace(columns, rows[:, :, :1])
    with pytest.raises(ValueError, match=r"trials \[3\] are zero"):
        shared_subspace(columns * (np.arange(24) != 3)[:, None, None], rows)


def test_free_weights_have_subspaces_in_the_neurons_space(
    fitted: dict[str, Estimator],
) -> None:
    free = fitted["FreeLowRank"]
    columns, rows = free.in_neurons()
    shares = shared_subspace(columns, rows)
    assert shares.both.min() > 0.5
    unit = free.readout_ / np.linalg.norm(free.readout_, axis=0)
    whole = unit @ free.columns_[3] @ free.rows_[3].T @ unit.T
    np.testing.assert_allclose(columns[3] @ rows[3].T, whole, atol=1e-5)
