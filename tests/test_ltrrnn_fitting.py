"""A fit follows the gradient of its objective, sees nothing that was held out, and can diverge."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ltrrnn_parts import (
    SETTINGS,
    assert_identical,
)
from tqdm import tqdm

from ltr_core.held_out import held_out_blocks
from ltr_core.learning import Diverged
from ltr_core.ltrrnn import LtrRNN
from ltr_core.ltrrnn.data import prepare
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.ltrrnn.full_space import full_system, integrate_full
from ltr_core.ltrrnn.readouts import Readout
from ltr_core.recordings import Recording


@pytest.fixture(scope="module")
def tiny_of(tiny: Recording, tiny_counts: Recording) -> dict[bool, Recording]:
    """Both, by whether they hold counts."""
    return {False: tiny, True: tiny_counts}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"readout": "linear", "readout_bias": True, "bias": True, "penalty": 0.1},
        {"readout": "identity", "input_columns": 1, "scheme": "rk4"},
        {"likelihood": "poisson", "n_units": 10},
        {"likelihood": "poisson", "readout": "linear", "trial_factors": "constant"},
        {"inputs": "neural_ode", "trial_factors": "independent", "jumps": True},
        {"inputs_vary_with": "trial", "initial_state": "zero", "scheme": "euler"},
    ],
)
def test_gradient_of_the_objective(
    tiny: Recording, tiny_counts: Recording, changes: dict[str, Any]
) -> None:
    """What Adam is given is the gradient, by plain autograd, of the objective in full space."""
    model = LtrRNN(**SETTINGS | {"dtype": "float64"} | changes)
    counts = model.likelihood == "poisson"
    recording = tiny_counts if counts else tiny
    data = prepare(model, recording, held_out_blocks(recording, share=0.1, seed=0).train)
    fit = Fit(model, data)
    free = dict(fit.network.free)
    matrix, bias = (p.clone().requires_grad_() for p in (fit.readout.matrix, fit.readout.bias))
    system = fit.network.system()
    grid = data.grid
    states, rates = integrate_full(full_system(system), grid.step, model.scheme, grid.substeps)
    linear = torch.einsum("nu,tku->tnk", matrix, rates) * fit.readout.gain + bias[:, None]
    linear = linear[data.seen]
    if counts:
        loss = (linear.exp() - data.activity * linear)[data.train].sum()
        objective = loss / data.train.sum()
        temperature = 1.0
    else:
        mean = (linear - data.activity)[data.train].square().mean()
        objective, temperature = mean / 2, float(mean.detach())
    if model.trial_factors == "smooth":
        prior = 0.5 * free["factors"].square().sum()
        objective = objective + temperature * prior / data.train.sum()
    if model.penalty:
        back = torch.linalg.pinv(system.columns)
        latents = torch.einsum("ln,tkn->tlk", back, states - system.bias)
        size = latents.square().mean() + system.drive.square().mean()
        objective = objective + model.penalty * size
    wanted = torch.autograd.grad(objective, [*free.values(), matrix, bias], allow_unused=True)
    with tqdm(total=1) as bar:
        fit._step(bar)
    for (name, parameter), expected in zip(free.items(), wanted, strict=False):
        assert parameter.grad is not None, name
        torch.testing.assert_close(parameter.grad, expected, atol=1e-10, rtol=1e-7)
    learned = fit.readout.free
    assert ("readout" in learned) == (model.readout == "linear" or counts)
    for name, expected in zip(("readout", "readout_bias"), wanted[-2:], strict=True):
        if name in learned:
            torch.testing.assert_close(learned[name].grad, expected, atol=1e-10, rtol=1e-7)


@pytest.mark.filterwarnings("ignore::ltr_core.ltrrnn.DegenerateWarning")
@settings(max_examples=6)
@given(
    seed=st.integers(0, 1000),
    counts=st.booleans(),
    missing=st.booleans(),
    validation=st.sampled_from([0.0, 0.15]),
    batch=st.sampled_from([None, 10]),
)
def test_held_out_values_never_reach_a_fit(
    tiny_of: dict[bool, Recording],
    *,
    seed: int,
    counts: bool,
    missing: bool,
    validation: float,
    batch: int | None,
) -> None:
    """Values outside `train`, changed or taken away, leave every bit of a fit as it is."""
    recording = tiny_of[counts]
    train = held_out_blocks(recording, share=0.15, seed=seed).train
    rng = np.random.default_rng(seed)
    changed = recording.activity.copy()
    outside = ~train
    values = rng.integers(0, 50, outside.sum()) if counts else rng.normal(0, 9, outside.sum())
    changed[outside] = np.nan if missing else values
    model = LtrRNN(**SETTINGS).with_params(
        n_steps=4,
        validation=validation,
        batch_trials=batch,
        likelihood="poisson" if counts else "gaussian",
    )
    assert_identical(
        model.with_params().fit(recording, train),
        model.with_params().fit(recording.with_activity(changed), train),
    )


def test_values_inside_do_reach_it(tiny: Recording) -> None:
    """The comparison of the test above can fail: one training entry makes a difference."""
    train = held_out_blocks(tiny, share=0.15, seed=0).train
    changed = tiny.activity.copy()
    changed[tuple(np.argwhere(train)[100])] += 0.5
    first = LtrRNN(**SETTINGS).with_params(n_steps=3).fit(tiny, train)
    second = LtrRNN(**SETTINGS).with_params(n_steps=3).fit(tiny.with_activity(changed), train)
    assert not np.array_equal(first.trial_factors_, second.trial_factors_)


def test_divergence_is_remedied(tiny: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step whose loss is NaN is taken back, the learning rate halved, and the fit ends well."""
    whole, calls = Readout.residuals, []

    def residuals(self: Readout, *parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(True)
        loss, off = whole(self, *parts)
        return (loss * float("nan"), off) if len(calls) in (8, 15) else (loss, off)

    data = prepare(LtrRNN(**SETTINGS), tiny, None)
    monkeypatch.setattr(Readout, "residuals", residuals)
    fit = Fit(LtrRNN(**SETTINGS), data)
    assert not fit.run()
    assert fit.progress.halvings >= 2
    assert fit.progress.step == 20
    assert len(calls) == 20 + fit.progress.halvings + 2  # two looks at the end
    assert all(torch.isfinite(value).all() for value in fit.state().values())
    assert fit.progress.history[-1][1] < 1


@pytest.mark.parametrize("readout", ["linear", "orthonormal"])
def test_divergence_that_stays_is_told(tiny_counts: Recording, readout: str) -> None:
    """With a learning rate far too large: an error that says what to do."""
    model = LtrRNN(rank=2, n_steps=40, learning_rate=3e7, likelihood="poisson", readout=readout)
    with pytest.raises(Diverged, match=r"diverged at step \d+ .* lower learning_rate .*substeps"):
        model.fit(tiny_counts)
    with pytest.raises(RuntimeError, match="not fitted"):
        model.predict()


def test_validation_keeps_the_best(tiny: Recording) -> None:
    """The state returned is that of the least loss over the held-out blocks; then it stops."""
    model = LtrRNN(rank=2, n_steps=200, learning_rate=0.3, validation=0.15, patience=1)
    fit = Fit(model, prepare(model, tiny, None))
    fit.run()
    losses = [validation for _, _, validation in fit.progress.history]
    assert fit.progress.step < 200
    assert fit.validation_loss() == pytest.approx(min(losses), rel=1e-5)
    assert losses[-1] > min(losses)
    assert not (fit.data.train & fit.data.validation).any()


def test_validation_entries_are_not_fitted(tiny: Recording) -> None:
    """`train_` is what was fitted: without the validation blocks and what lies around them."""
    train = held_out_blocks(tiny, share=0.1, seed=5).train
    model = LtrRNN(**SETTINGS | {"validation": 0.1}).fit(tiny, train)
    assert not (model.train_ & ~train).any()
    assert model.train_.sum() < 0.95 * train.sum()
    assert np.isfinite(model.history_.to_numpy()).all()
    assert np.isnan(LtrRNN(**SETTINGS).fit(tiny).history_.validation).all()


def test_batches_of_all_trials_are_no_batches(tiny: Recording) -> None:
    """As many as there are, or more: the same fit."""
    model = LtrRNN(**SETTINGS | {"n_steps": 4})
    assert_identical(model.with_params().fit(tiny), model.with_params(batch_trials=500).fit(tiny))
