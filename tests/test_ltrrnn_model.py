"""The fitted model: what its values mean, its canonical form, and files."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ltrrnn_parts import (
    SETTINGS,
    assert_identical,
    fitted_parts,
)

from ltr_core.estimators import NotFitted
from ltr_core.held_out import held_out_blocks
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN
from ltr_core.ltrrnn.integration import System, integrate
from ltr_core.ltrrnn.solution import Weights, canonical
from ltr_core.recordings import Recording


@pytest.fixture(scope="module")
def fitted(tiny: Recording) -> LtrRNN:
    """With bias, an offset, and inputs with a column of their own; Euler steps, one per time."""
    model = LtrRNN(
        **SETTINGS
        | {"bias": True, "readout_bias": True, "input_columns": 1, "n_units": 12}
        | {"scheme": "euler", "substeps": 1, "dtype": "float64", "input_period": "both"}
    )
    return model.fit(tiny)


def test_values_obey_the_equation(fitted: LtrRNN, tiny: Recording) -> None:
    """From weights_, inputs_, initial_ and bias_ alone: states of all units, then the rates."""
    condition = tiny.condition_index
    weights = fitted.weights_[:]
    state = fitted.initial_[condition] @ fitted.columns_.T + fitted.bias_
    inputs = fitted.inputs_[condition] @ fitted.columns_.T
    latents, predicted = fitted.transform(), fitted.predict()
    for now in range(tiny.n_time):
        states = latents[:, now] @ fitted.columns_.T + fitted.bias_
        np.testing.assert_allclose(states, state, atol=1e-9)
        rates = np.tanh(state) @ fitted.readout_.T + fitted.readout_bias_
        np.testing.assert_allclose(predicted[:, now], rates, atol=1e-9)
        recurrent = np.einsum("kij,kj->ki", weights, np.tanh(state))
        pushed = fitted.bias_ - state + recurrent + inputs[:, now]
        state = state + tiny.dt / fitted.tau_ * pushed
    assert np.abs(fitted.bias_).max() > 1e-3
    assert np.abs(fitted.inputs_[..., 2]).max() > 1e-3
    assert not fitted.inputs_[..., :2].any()  # inputs act along their own column only


def test_shapes(fitted: LtrRNN) -> None:
    """(unit, latent) and so on, as documented."""
    shapes = {name: value.shape for name, value in fitted_parts(fitted).items()}
    assert shapes == {
        "columns_": (12, 3),
        "row_factors_": (12, 2),
        "trial_factors_": (24, 2),
        "bias_": (12,),
        "initial_": (3, 3),
        "inputs_": (3, 11, 3),
        "readout_": (15, 12),
        "readout_bias_": (15,),
        "train_": (24, 11, 15),
        "history_": (3, 3),
        "predicted": (24, 11, 15),
    }
    assert fitted.column_factors_.shape == (12, 2)
    assert fitted.transform().shape == (24, 11, 3)
    assert list(fitted.history_) == ["step", "train", "validation"]
    gram = fitted.readout_.T @ fitted.readout_
    np.testing.assert_allclose(gram, gram[0, 0] * np.eye(12), atol=1e-9)


def test_weights_are_made_when_asked_for(fitted: LtrRNN) -> None:
    """weights_[k] is the sum of components of trial k; nothing of trials x units x units."""
    expected = np.zeros((12, 12))
    for r in range(2):
        outer = np.outer(fitted.column_factors_[:, r], fitted.row_factors_[:, r])
        expected += fitted.trial_factors_[5, r] * outer
    assert isinstance(fitted.weights_, Weights)
    np.testing.assert_allclose(fitted.weights_[5], expected, atol=1e-12)
    np.testing.assert_allclose(fitted.weights_[[3, 5]][1], expected, atol=1e-12)
    assert fitted.weights_[2:9:3].shape == (3, 12, 12)
    assert fitted.weights_.shape == (24, 12, 12)
    assert len(fitted.weights_) == 24
    np.testing.assert_allclose(np.stack(list(fitted.weights_))[5], expected, atol=1e-12)
    n_units, n_trials = 3_000, 100_000  # 6.5 TiB in double precision
    rng = np.random.default_rng(0)
    large = Weights(*(rng.normal(size=(n, 2)) for n in (n_units, n_units, n_trials)))
    assert large.shape == (n_trials, n_units, n_units)
    assert large[99_999].shape == (n_units, n_units)


def test_settings_are_left_alone(tiny: Recording) -> None:
    """fit returns the model itself, with its settings as they were."""
    model = LtrRNN(**SETTINGS | {"n_steps": 1})
    before = model.get_params()
    assert model.fit(tiny) is model
    assert model.get_params() == before
    assert before["tau"] is None
    assert model.tau_ == pytest.approx(1.0)


def test_scores(tiny: Recording, tiny_counts: Recording) -> None:
    """R2 and nmse of rates, bits per spike and pseudo-R2 of counts, on any entries."""
    train = held_out_blocks(tiny, share=0.1, seed=0)
    model = LtrRNN(**SETTINGS).fit(tiny, train.train)
    assert 0.7 < model.score(tiny, train.test) < 1
    assert model.score(tiny) == pytest.approx(1 - model.score(tiny, metric="nmse"))
    counts = LtrRNN(**SETTINGS | {"likelihood": "poisson"}).fit(tiny_counts)
    assert counts.predict().min() > 0
    assert 0.02 < counts.score(tiny_counts) < 3
    assert 0.1 < counts.score(tiny_counts, metric="pseudo_r2") < 1


def test_not_fitted(tmp_path: Path) -> None:
    """Said by whatever needs a fit."""
    model = LtrRNN(rank=2)
    for asked in (model.predict, model.transform, lambda: model.save(tmp_path / "model")):
        with pytest.raises(NotFitted, match="call fit"):
            asked()


def test_factors_in_the_space_of_neurons(tiny: Recording) -> None:
    """With the identity they are the factors themselves; orthonormal readouts turn them."""
    model = LtrRNN(**SETTINGS | {"readout": "identity"}).fit(tiny)
    columns, rows = model.in_neurons()
    np.testing.assert_allclose(columns, model.column_factors_, atol=1e-6)
    np.testing.assert_allclose(rows, model.row_factors_, atol=1e-6)
    turned = LtrRNN(**SETTINGS).fit(tiny)
    columns, rows = turned.in_neurons()
    np.testing.assert_allclose(
        columns.T @ rows, turned.column_factors_.T @ turned.row_factors_, atol=1e-5
    )
    with pytest.raises(ValueError, match="readout='orthonormal'"):
        LtrRNN(**SETTINGS | {"readout": "linear"}).fit(tiny).in_neurons()


def test_fitted_values_are_canonical(fitted: LtrRNN) -> None:
    """Unit norms, positive means of trial factors, largest entries of columns positive, order."""
    np.testing.assert_allclose(np.linalg.norm(fitted.columns_, axis=0), 1, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(fitted.row_factors_, axis=0), 1, atol=1e-9)
    assert (fitted.trial_factors_.mean(0) > 0).all()
    largest = np.abs(fitted.columns_).argmax(0)
    assert (fitted.columns_[largest, np.arange(3)] > 0).all()
    size = np.square(fitted.trial_factors_).mean(0)
    assert (np.diff(size) <= 0).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), rank=st.integers(1, 4), n_own=st.integers(0, 2))
def test_equal_models_have_one_canonical_form(seed: int, rank: int, n_own: int) -> None:
    """Signs and order of components, changed at random, come out the same; so do the rates."""
    rng = np.random.default_rng(seed)
    n_latents = rank + n_own

    def normal(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.normal(size=shape))

    drive = normal(3, 2, n_latents, 2)
    system = System(
        *(normal(8, n_latents), normal(8, rank), normal(rank, 5), normal(8), normal(n_latents, 2)),
        drive,
        torch.from_numpy(rng.integers(0, 2, 5)),
    )
    order = torch.from_numpy(np.r_[rng.permutation(rank), rank + np.arange(n_own)])
    signs = torch.from_numpy(rng.choice([-1.0, 1.0], n_latents))
    upright = torch.from_numpy(rng.choice([-1.0, 1.0], rank))
    other = System(
        columns=(system.columns * signs)[:, order],
        rows=(system.rows * signs[:rank] * upright)[:, order[:rank]],
        trial_factors=(system.trial_factors * upright[:, None])[order[:rank]],
        bias=system.bias,
        initial=(system.initial * signs[:, None])[order],
        drive=(drive * signs[:, None])[:, :, order],
        group=system.group,
    )
    first, second = canonical(system, rank), canonical(other, rank)
    for one, another in zip(first, second, strict=True):
        torch.testing.assert_close(one, another)
    for one, another in zip(first, canonical(first, rank), strict=True):
        assert torch.equal(one, another)
    rates = [integrate(part, 0.2).rates for part in (system, other, first)]
    for changed in rates[1:]:
        torch.testing.assert_close(rates[0], changed)


def test_components_alike_are_warned_of(tiny: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two components with nearly the same factors: the fit says which."""
    apart = LtrRNN(**SETTINGS | {"n_steps": 2}).fit(tiny)
    overlaps = apart.component_overlaps()
    np.testing.assert_allclose(np.diag(overlaps), 1, atol=1e-5)
    np.testing.assert_allclose(overlaps, overlaps.T, atol=1e-6)
    monkeypatch.setattr(
        LtrRNN, "component_overlaps", lambda _: np.array([[1.0, -0.97], [-0.97, 1.0]])
    )
    with pytest.warns(DegenerateWarning, match=r"\[\(0, 1\)\].*compare subspaces"):
        LtrRNN(**SETTINGS | {"n_steps": 2}).fit(tiny)


def test_overlap_of_planted_twins(fitted: LtrRNN) -> None:
    """Overlap is the product of three cosines: 1 for a copy, whatever its signs."""
    model = LtrRNN(rank=2)
    model.columns_ = np.repeat(fitted.columns_[:, :1], 2, 1)
    model.row_factors_ = np.repeat(fitted.row_factors_[:, :1], 2, 1) * [1, -1]
    model.trial_factors_ = np.repeat(fitted.trial_factors_[:, :1], 2, 1) * [1, -3]
    np.testing.assert_allclose(model.component_overlaps(), np.ones((2, 2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_save_and_load(tiny: Recording, tmp_path: Path, dtype: str) -> None:
    """Everything comes back, bit for bit and in its precision; the file is one."""
    changes = {"dtype": dtype, "validation": 0.15, "input_columns": 1, "tau": 0.8}
    model = LtrRNN(**SETTINGS | changes).fit(tiny)
    path = tmp_path / "of mine" / "model.safetensors"
    model.save(path)
    loaded = LtrRNN.load(path)
    assert_identical(model, loaded)
    assert loaded.predict().dtype == loaded.columns_.dtype == np.dtype(dtype)
    assert np.array_equal(model.transform(), loaded.transform())
    assert loaded.get_params() == model.get_params()
    assert (loaded.tau_, loaded.interrupted_) == (model.tau_, False)
    assert loaded.noise_variance_ == model.noise_variance_ > 0
    assert list(loaded.history_.dtypes) == list(model.history_.dtypes)
    assert loaded.score(tiny) == model.score(tiny)
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]
    loaded.save(path)
    assert_identical(model, LtrRNN.load(path))


@pytest.mark.usefixtures("as_in_use")
def test_save_with_settings_from_numpy(tiny: Recording, tmp_path: Path) -> None:
    """Ranks and seeds that come out of numpy's ranges are settings like any others."""
    changes = {"rank": np.int64(2), "seed": np.int64(3), "length": np.float32(9.0), "n_steps": 1}
    model = LtrRNN(**SETTINGS | changes).fit(tiny)
    model.save(tmp_path / "model")
    loaded = LtrRNN.load(tmp_path / "model")
    assert (loaded.rank, loaded.seed, loaded.length) == (2, 3, 9.0)


def test_counts_are_loaded_as_counts(tiny_counts: Recording, tmp_path: Path) -> None:
    """A loaded Poisson model predicts expected counts."""
    model = LtrRNN(**SETTINGS | {"likelihood": "poisson", "n_steps": 2}).fit(tiny_counts)
    model.save(tmp_path / "model")
    assert np.array_equal(LtrRNN.load(tmp_path / "model").predict(), model.predict())


class Trap:
    """Its pickle makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (self.path,))


def test_loading_executes_nothing(tmp_path: Path) -> None:
    """A pickle, or torch's own file, under a model's name is refused, and not run."""
    sprung = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()  # the trap works
    sprung.unlink()
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(ValueError, match="cannot be read as a saved model"):
        LtrRNN.load(path)
    torch.save({"trap": Trap(sprung)}, path)
    with pytest.raises(ValueError, match="cannot be read as a saved model"):
        LtrRNN.load(path)
    assert not sprung.exists()


def test_files_that_are_no_models(tiny: Recording, tmp_path: Path) -> None:
    """Cut short, changed, missing, or another kind of file: each told, with its path."""
    model = LtrRNN(**SETTINGS | {"n_steps": 50})
    path, checkpoint = tmp_path / "model", tmp_path / "checkpoint"
    model.fit(tiny, checkpoint=checkpoint).save(path)
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:-1], whole[:20], b"", b"\xff" * 100):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="model cannot be read as a saved model"):
            LtrRNN.load(path)
    path.write_bytes(whole.replace(b"ltr_core.LtrRNN 1", b"ltr_core.LtrRNN 9"))
    with pytest.raises(ValueError, match="not a saved LtrRNN of this version"):
        LtrRNN.load(path)
    for other in (tmp_path / "none", checkpoint):
        with pytest.raises(ValueError, match="saved"):
            LtrRNN.load(other)
