"""Every option of the ltrRNN in small, alone and with others, and bad input with its message."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ltrrnn_parts import (
    SETTINGS,
    fitted_parts,
)

from ltr_core.ltrrnn import LtrRNN
from ltr_core.ltrrnn.full_space import full_system, integrate_full
from ltr_core.recordings import Recording

OPTIONS: dict[str, list[Any]] = {
    "readout": ["orthonormal", "linear", "identity"],
    "readout_bias": [False, True],
    "inputs": ["basis", "neural_ode", "none"],
    "trial_factors": ["smooth", "independent", "constant"],
    "input_period": [None, "preparatory", "execution", "both"],
    "inputs_vary_with": ["condition", "trial"],
    "input_columns": [0, 1, 3],
    "initial_state": ["condition", "zero"],
    "process_noise": [0.0, 0.05],
    "batch_trials": [None, 7],
    "validation": [0.0, 0.15],
    "dtype": ["float32", "float64"],
    "scheme": ["euler", "heun", "rk4"],
    "substeps": [None, 1, 3],
    "jumps": [False, True],
    "bias": [False, True],
    "penalty": [0.0, 0.01],
    "rank": [1, 3],
    "n_bumps": [1, 40],
    "go": [-0.8, 0.8],
}
LITTLE: dict[str, Any] = {"rank": 2, "n_steps": 2, "learning_rate": 0.02, "substeps": 1}
WITH_COUNTS = ("readout", "readout_bias", "inputs", "trial_factors", "batch_trials", "validation")
SINGLE = [("gaussian", name, value) for name, values in OPTIONS.items() for value in values]
SINGLE += [("poisson", name, value) for name in WITH_COUNTS for value in OPTIONS[name]]


def check_fit(model: LtrRNN, recording: Recording) -> None:
    """All values are there, of their shapes, and finite; predictions follow from them."""
    model.fit(recording)
    n_latents = model.rank + model.input_columns
    parts = fitted_parts(model)
    parts.pop("history_")
    assert all(np.isfinite(part).all() for part in parts.values())
    assert {part.dtype for part in parts.values()} == {np.dtype(model.dtype), np.dtype(bool)}
    n_groups = 3 if model.inputs_vary_with == "condition" else 24
    assert model.inputs_.shape == (n_groups, 11, n_latents)
    assert model.initial_.shape == (n_groups, n_latents)
    looks = model.history_.step.tolist()
    assert looks in ([0], [0, 2])  # no last look at batches, nor at a loss that has risen
    latents = model.transform()
    state = latents @ model.columns_.T + model.bias_
    expected = np.tanh(state) @ model.readout_.T + model.readout_bias_
    expected = np.exp(expected) if model.likelihood == "poisson" else expected
    np.testing.assert_allclose(model.predict(), expected, rtol=1e-4, atol=1e-4)
    system = model._solution.system
    scheme, substeps = model._solution.scheme, model._solution.substeps
    full = integrate_full(full_system(system), model._solution.step, scheme, substeps)
    np.testing.assert_allclose(state, full.states.transpose(0, 1).numpy(), atol=2e-4)
    assert np.isfinite(model.score(recording))


@pytest.mark.filterwarnings("ignore::ltr_core.ltrrnn.DegenerateWarning")
@pytest.mark.parametrize(("likelihood", "name", "value"), SINGLE)
def test_every_option(
    tiny: Recording, tiny_counts: Recording, likelihood: str, name: str, value: Any
) -> None:
    """Each one by itself, for rates; what matters to the likelihood for counts as well."""
    model = LtrRNN(**LITTLE | {"likelihood": likelihood, name: value})
    check_fit(model, tiny if likelihood == "gaussian" else tiny_counts)


@pytest.mark.filterwarnings("ignore::ltr_core.ltrrnn.DegenerateWarning")
@settings(max_examples=8)
@given(
    likelihood=st.sampled_from(["gaussian", "poisson"]),
    changes=st.fixed_dictionaries({k: st.sampled_from(v) for k, v in OPTIONS.items()}),
)
def test_options_together(
    tiny: Recording, tiny_counts: Recording, likelihood: str, changes: dict[str, Any]
) -> None:
    """Any of them, at random."""
    assume(not (changes["inputs"] == "neural_ode" and changes["inputs_vary_with"] == "trial"))
    model = LtrRNN(**LITTLE | changes | {"likelihood": likelihood})
    check_fit(model, tiny if likelihood == "gaussian" else tiny_counts)


def test_inputs_act_in_their_period(tiny: Recording) -> None:
    """Before the go cue, after it, or both; none without inputs; their own for every trial."""
    before = tiny.time < 0
    inputs = {
        period: LtrRNN(**LITTLE | {"input_period": period}).fit(tiny).inputs_
        for period in ("preparatory", "execution", "both")
    }
    assert not inputs["preparatory"][:, ~before].any()
    assert not inputs["execution"][:, before].any()
    assert np.abs(inputs["preparatory"][:, before]).max() > 0.01
    assert np.abs(inputs["execution"][:, ~before]).max() > 0.01
    assert np.abs(inputs["both"]).max((0, 2)).min() > 1e-4
    assert not LtrRNN(**LITTLE | {"inputs": "none"}).fit(tiny).inputs_.any()
    slow = {"inputs_vary_with": "trial", "n_steps": 20, "learning_rate": 0.002}
    each = LtrRNN(**LITTLE | slow).fit(tiny).inputs_
    same = np.flatnonzero(tiny.condition_index == 0)
    assert np.abs(each[same[0]] - each[same[1]]).max() > 1e-3


BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"rank": 0}, r"rank is 0: it must be a whole number, at least 1"),
    ({"rank": 2.5}, r"rank is 2\.5"),
    ({"rank": 16}, r"rank is 16 .* must not exceed the 15 units"),
    ({"rank": 10, "input_columns": 6}, r"rank is 10 and input_columns 6"),
    ({"n_units": 20}, r"n_units is 20, more than the 15 neurons.*readout='linear'"),
    ({"n_units": 9, "readout": "identity"}, r"'identity', but there are 9 units and 15 neurons"),
    ({"likelihood": "poisson"}, r"holds rates and likelihood is 'poisson'.*'gaussian'"),
    ({"likelihood": "normal"}, r"likelihood is 'normal': it must be one of"),
    ({"readout": "free"}, r"readout is 'free'"),
    ({"trial_factors": "rough"}, r"trial_factors is 'rough'"),
    ({"inputs": "spline"}, r"inputs is 'spline'"),
    ({"input_period": "late"}, r"input_period is 'late'"),
    ({"inputs_vary_with": "day"}, r"inputs_vary_with is 'day'"),
    ({"inputs_vary_with": "trial", "inputs": "neural_ode"}, r"set inputs='basis'"),
    ({"initial_state": "one"}, r"initial_state is 'one'"),
    ({"scheme": "midpoint"}, r"scheme is 'midpoint'"),
    ({"dtype": "float16"}, r"dtype is 'float16'"),
    ({"go": 9.0, "input_period": "execution"}, r"'execution', but the recording, from -2 to 2 s"),
    ({"go": -9.0, "input_period": "preparatory"}, r"has no time in it \(go is -9 s\)"),
    ({"tau": 0.0}, r"tau is 0\.0: it must be positive"),
    ({"tau": float("nan")}, r"tau is nan"),
    ({"learning_rate": -1.0}, r"learning_rate is -1\.0: it must be positive"),
    ({"penalty": -1.0}, r"penalty is -1\.0: it must not be negative"),
    ({"process_noise": float("inf")}, r"process_noise is inf"),
    ({"validation": 1.0}, r"validation is 1\.0"),
    ({"validation": -0.1}, r"validation is -0\.1"),
    ({"n_steps": -1}, r"n_steps is -1"),
    ({"seed": -1}, r"seed is -1"),
    ({"patience": 0}, r"patience is 0"),
    ({"batch_trials": 0}, r"batch_trials is 0"),
    ({"substeps": 0}, r"substeps is 0"),
    ({"n_bumps": 0}, r"n_bumps is 0"),
    ({"length": 0.0}, r"length of trial factors is 0\.0"),
]


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(("changes", "message"), BAD_SETTINGS)
def test_settings_that_cannot_be(tiny: Recording, changes: dict[str, Any], message: str) -> None:
    """Each a ValueError that names the setting."""
    with pytest.raises(ValueError, match=message):
        LtrRNN(**LITTLE | changes).fit(tiny)


@pytest.mark.usefixtures("as_in_use")
def test_recordings_that_do_not_fit(tiny: Recording, tiny_counts: Recording) -> None:
    """Counts with a Gaussian likelihood; masks that leave a trial or neuron out, or do not fit."""
    model = LtrRNN(**LITTLE)
    with pytest.raises(ValueError, match=r"holds counts and likelihood is 'gaussian'.*'poisson'"):
        model.fit(tiny_counts)
    for axis, name in ((0, "trial"), (2, "neuron")):
        train = np.ones(tiny.activity.shape, bool)
        np.moveaxis(train, axis, 0)[4] = False
        with pytest.raises(ValueError, match=f"leaves nothing of {name} 4"):
            model.fit(tiny, train)
    with pytest.raises(ValueError, match="must be bool"):
        model.fit(tiny, np.ones((3, 4, 5), bool))
    with pytest.raises(ValueError, match="must be bool"):
        model.fit(tiny, np.ones(tiny.activity.shape))
    flat = tiny.with_activity(np.zeros(tiny.activity.shape))
    with pytest.raises(ValueError, match=r"nothing to learn|fewer than 2 dimensions"):
        model.with_params(readout_bias=True).fit(flat)
    line = tiny.activity[:, :, :1] * np.arange(1.0, 16)
    with pytest.raises(ValueError, match="fewer than 2 dimensions: lower rank"):
        model.fit(tiny.with_activity(line))
    whole = np.abs(np.round(tiny.activity * 9)).astype(int)
    with pytest.raises(ValueError, match="counts=True"):
        tiny.with_activity(whole)
    with pytest.raises(ValueError, match=r"activity\.transpose\(1, 0, 2\)"):
        tiny.with_activity(tiny.activity.transpose(1, 0, 2))
    with pytest.raises(ValueError, match="condition has 23 values, the recording has 24 trials"):
        Recording(tiny.activity, time=tiny.time, condition=tiny.condition[:-1])


def test_harmless_gaps(tiny: Recording) -> None:
    """Trials without data, constant neurons, ragged ends: fitted, and finite."""
    values = tiny.activity.copy()
    values[:, :, 2] = 0.0  # a neuron that never fires
    values[[3, 23]] = np.nan  # trials without any data
    values[5:9, 8:] = np.nan  # shorter trials
    recording = tiny.with_activity(values)
    assert recording.silent_trials.tolist() == [3, 23]
    model = LtrRNN(**SETTINGS).fit(recording)
    predicted = model.predict()
    assert np.isfinite(predicted).all()
    assert model.score(recording) > 0.7
    assert np.abs(predicted[:, :, 2]).max() < 0.3
    # trial factors where there are no data are like their neighbours'
    factors = model.trial_factors_
    assert np.abs(factors[3] - factors[[2, 4]].mean(0)).max() < 3 * np.diff(factors, axis=0).std()
    unseen = tiny.observed[3]
    assert np.corrcoef(predicted[3][unseen], tiny.activity[3][unseen])[0, 1] > 0.5


def test_neuron_that_was_never_observed(tiny: Recording) -> None:
    """Named, to be left out."""
    values = tiny.activity.copy()
    values[:, :, 7] = np.nan
    with pytest.raises(ValueError, match=r"Neurons \[7\] have no observed entry: leave them out"):
        LtrRNN(**LITTLE).fit(tiny.with_activity(values))


def test_times_never_fitted(tiny: Recording) -> None:
    """Times that `train` leaves out altogether are predicted all the same."""
    train = np.ones(tiny.activity.shape, bool)
    train[:, [0, 1, 6]] = False
    model = LtrRNN(**SETTINGS).fit(tiny, train)
    assert not model.train_[:, 6].any()
    assert np.isfinite(model.predict()).all()
    at_gap = ~train & (tiny.time == tiny.time[6])[:, None]
    assert model.score(tiny, at_gap) > 0.2


def test_rates_that_are_never_negative_are_warned_of(tiny: Recording) -> None:
    """Without an offset; with one there is no warning."""
    positive = tiny.with_activity(tiny.activity - tiny.activity.min())
    with pytest.warns(UserWarning, match="readout_bias=True"):
        LtrRNN(**LITTLE).fit(positive)
    model = LtrRNN(**SETTINGS | {"readout_bias": True}).fit(positive)
    assert model.score(positive) > 0.6
    assert model.readout_bias_.min() > 0
