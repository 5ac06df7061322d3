"""A fit that was stopped goes on as if it never had been; a seed decides all of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ltrrnn_parts import (
    SETTINGS,
    assert_identical,
)
from tqdm import tqdm

from ltr_core.ltrrnn import LtrRNN, fitting
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.recordings import Recording


@pytest.fixture(scope="module")
def tiny_of(tiny: Recording, tiny_counts: Recording) -> dict[bool, Recording]:
    """Both, by whether they hold counts."""
    return {False: tiny, True: tiny_counts}


def test_a_seed_decides(tiny: Recording) -> None:
    """The same seed gives the same fit to the bit, another one another fit."""
    random = {"batch_trials": 9, "process_noise": 0.05}
    model = LtrRNN(**SETTINGS | random).with_params(n_steps=8)
    first, again = model.with_params().fit(tiny), model.with_params().fit(tiny)
    assert_identical(first, again)
    other = model.with_params(seed=1).fit(tiny)
    assert not np.allclose(first.predict(), other.predict(), atol=1e-5)


def test_seed_of_the_caller_is_left_alone(tiny: Recording) -> None:
    """A fit draws from generators of its own."""
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    states = torch.get_rng_state().clone(), np.random.get_state()[1].copy()  # noqa: NPY002
    LtrRNN(**SETTINGS | {"n_steps": 2, "batch_trials": 9}).fit(tiny)
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batches": {"batch_trials": 9, "process_noise": 0.02},
    "validated": {"validation": 0.15, "readout": "linear", "readout_bias": True},
    "counts": {"likelihood": "poisson"},
}


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, error: type[BaseException]) -> None:
    """Raise an error when a fit comes to a step, once."""
    whole, stopped = Fit._step, []

    def step_or_stop(self: Fit, bar: tqdm) -> None:
        if self.progress.step == step and not stopped:
            stopped.append(True)
            raise error
        whole(self, bar)

    monkeypatch.setattr(Fit, "_step", step_or_stop)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_going_on_is_as_if_never_stopped(
    tiny_of: dict[bool, Recording],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: type[BaseException],
) -> None:
    """Stopped between checkpoints, fitted again from the file: the same to the bit."""
    monkeypatch.setattr(fitting, "CHECKPOINT_EVERY", 5)
    recording = tiny_of[name == "counts"]
    model = LtrRNN(**SETTINGS | VARIANTS[name])
    path = tmp_path / "fit.safetensors"
    whole = model.with_params().fit(recording)
    stop_at(monkeypatch, 12, error)
    if error is KeyboardInterrupt:
        stopped = model.with_params().fit(recording, checkpoint=path)
        assert stopped.interrupted_
        assert name == "validated" or not np.array_equal(stopped.predict(), whole.predict())
    else:
        with pytest.raises(RuntimeError):
            model.with_params().fit(recording, checkpoint=path)
    resumed = model.with_params().fit(recording, checkpoint=path)
    assert not resumed.interrupted_
    assert_identical(whole, resumed)
    # and once more: the finished fit is read, not made again
    monkeypatch.setattr(Fit, "_step", lambda *_: pytest.fail("a finished fit was fitted again"))
    assert_identical(whole, model.with_params().fit(recording, checkpoint=path))


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ltr_core.ltrrnn import LtrRNN, fitting
from ltr_core.recordings import Recording
fitting.CHECKPOINT_EVERY = 5
step = fitting.Fit._step
def killed(self, bar):
    if self.progress.step == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, bar)
fitting.Fit._step = killed
held = np.load(sys.argv[1])
recording = Recording(held["activity"], time=held["time"], condition=held["condition"])
model = LtrRNN(rank=2, n_steps=20, learning_rate=0.02, substeps=2)
model.fit(recording, checkpoint=Path(sys.argv[2]))
"""


def test_killed_process(tiny: Recording, tmp_path: Path, repository: Path) -> None:
    """A process that is killed outright leaves a whole checkpoint, and no other file."""
    data, path = tmp_path / "data.npz", tmp_path / "made" / "fit.safetensors"
    parts = {"activity": tiny.activity, "time": tiny.time, "condition": tiny.condition}
    np.savez(data, **parts)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(data), str(path)],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [p.name for p in path.parent.iterdir()] == ["fit.safetensors"]
    recording = Recording(tiny.activity, time=tiny.time, condition=tiny.condition)
    model = LtrRNN(**SETTINGS)
    assert_identical(
        model.with_params().fit(recording),
        model.with_params().fit(recording, checkpoint=path),
    )


def test_checkpoint_of_another_fit_is_refused(tiny: Recording, tmp_path: Path) -> None:
    """Other settings, values, entries, times, epochs or conditions: an error, the file stays."""
    path = tmp_path / "fit.safetensors"
    model = LtrRNN(**SETTINGS | {"n_steps": 50, "substeps": 1})
    model.fit(tiny, checkpoint=path)
    before = path.read_bytes()
    labels: dict[str, Any] = {"time": tiny.time, "condition": tiny.condition, "epoch": tiny.epoch}
    train = np.ones(tiny.activity.shape, bool)
    train[0, 0, 0] = False
    others = [
        Recording(tiny.activity * 1.01, **labels),
        Recording(tiny.activity, **labels | {"time": tiny.time * 2}),
        Recording(tiny.activity, **labels | {"time": tiny.time + 1}),
        Recording(tiny.activity, **labels | {"epoch": ["one"] * tiny.n_trials}),
        Recording(tiny.activity, **labels | {"condition": tiny.condition[::-1]}),
        Recording(tiny.activity, **labels, trial_id=2.0 * np.arange(tiny.n_trials)),
    ]
    for other in others:
        with pytest.raises(ValueError, match="made with other settings"):
            model.with_params().fit(other, checkpoint=path)
    with pytest.raises(ValueError, match="made with other settings"):
        model.with_params().fit(tiny, train, checkpoint=path)
    with pytest.raises(ValueError, match="made with other settings"):
        model.with_params(seed=2).fit(tiny, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("validation", [0.0, 0.15])
def test_interrupt_returns_what_there_is(
    tiny: Recording, monkeypatch: pytest.MonkeyPatch, validation: float
) -> None:
    """Ctrl-C ends the fit, not the work: a fitted model with the losses so far."""
    stop_at(monkeypatch, 15, KeyboardInterrupt)
    model = LtrRNN(**SETTINGS | {"validation": validation}).fit(tiny)
    assert model.interrupted_
    assert model.history_.step.tolist() == [0, 10, 15]
    assert np.isfinite(model.predict()).all()
    assert model.score(tiny) > 0.7
    assert not LtrRNN(**SETTINGS).fit(tiny).interrupted_


def test_interrupt_before_the_first_step(tiny: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even then there is the data-driven start; so with no steps at all."""
    stop_at(monkeypatch, 0, KeyboardInterrupt)
    model = LtrRNN(**SETTINGS).fit(tiny)
    assert model.interrupted_
    assert model.history_.step.tolist() == [0]
    start = LtrRNN(**SETTINGS).with_params(n_steps=0).fit(tiny)
    assert np.array_equal(model.predict(), start.predict())
    assert start.score(tiny) > 0.6
