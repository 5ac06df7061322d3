"""The ltrRNN's benchmarks, at sizes that say nothing about speed, and the baseline they use."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from benchmarks import ltrrnn, ltrrnn_alone, ltrrnn_cases, ltrrnn_data, ltrrnn_grid, ltrrnn_scaling
from benchmarks.explicit import Explicit, Task
from benchmarks.ltrrnn import judge_fits
from benchmarks.measuring import ROOT, Memory, alone
from benchmarks.result import Result
from ltr_core.ltrrnn import LtrRNN, inputs, simulate_ltrrnn
from ltr_core.ltrrnn.data import prepare
from ltr_core.ltrrnn.fitting import Fit


class SameInputs(nn.Module):
    """The neural ODE of an `LtrRNN` fit, in seconds and with conditions first."""

    def __init__(self, free: dict[str, Tensor], tau: float) -> None:
        super().__init__()
        self.free = {name: value.detach() for name, value in free.items()}
        self.start = self.free["ode_start"].T
        self.tau = tau

    def velocity(self, state: Tensor) -> Tensor:
        free = self.free
        hidden = torch.tanh(free["ode_in"] @ state.T + free["ode_in_bias"])
        return (free["ode_out"] @ hidden + free["ode_out_bias"] - state.T).T / self.tau

    def drive(self, state: Tensor) -> Tensor:
        return state


def as_explicit(fit: Fit, task: Task) -> Explicit:
    """The explicit form with the parameters of a fit."""
    model = Explicit(task, fit.settings.rank).double()
    free = {name: value.detach() for name, value in fit.network.free.items()}
    root = len(free["columns"]) ** 0.5
    model.inputs = SameInputs(free, len(fit.data.grid.active) / 4 * fit.data.grid.step)
    values = {
        "columns": free["columns"],
        "rows": free["rows"],
        "factors": fit.network.trial_factors().detach().T,
        "mean_factors": torch.zeros(fit.settings.rank),
        "initial": root * free["initial"].T,
        "input_scale": torch.full((fit.settings.rank,), root),
    }
    for name, value in values.items():
        getattr(model, name).data = value.double()
    model.readout.weight = fit.readout.matrix
    return model


def test_the_baseline_predicts_what_the_same_parameters_predict_in_the_latent_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inputs, "PREFIT_STEPS", 10)  # any inputs will do
    recording = simulate_ltrrnn(
        n_trials=(5, 4), n_neurons=12, rank=2, n_conditions=3, before=0.6, after=0.8
    ).recording
    settings = {"inputs": "neural_ode", "scheme": "rk4", "substeps": 16, "tau": 1.0}
    model = LtrRNN(rank=2, n_steps=1, dtype="float64").with_params(**settings)
    fit = Fit(model, prepare(model, recording, None))
    fit.run()
    rates = fit.network.rollout(fit.network.system()).rates.detach()
    ours = fit.readout.predict(rates) / fit.readout.gain
    task = Task(
        activity=torch.zeros(recording.n_time, recording.n_trials, recording.n_neurons),
        train=torch.ones(recording.n_time, recording.n_trials, recording.n_neurons) > 0,
        time=torch.arange(-6, 9, dtype=torch.float64) * recording.dt,
        condition=torch.from_numpy(recording.condition_index.copy()),
        chol=torch.eye(recording.n_trials, dtype=torch.float64),
    )
    explicit = as_explicit(fit, task)
    with torch.no_grad():
        solved = explicit.solve()
        theirs = explicit.predict(solved.states).transpose(1, 2)
    assert theirs.std() > 0.05
    assert float((theirs - theirs[0]).abs().max()) > 0.1
    # what is left falls fourfold with every doubling of substeps (Heun steps of the inputs)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=5e-5)
    assert solved.evaluations > 30


def test_the_baseline_learns() -> None:
    model = ltrrnn_cases.explicit(ltrrnn_cases.standard(quick=True))
    losses = [model.step()[0] for _ in range(8)]
    assert losses[-1] < 0.99 * losses[0]
    weight = model.readout.weight.detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(len(weight)), rtol=0, atol=1e-4)


def test_simulated_cases_hold_out_entries_of_the_execution_and_fit_others() -> None:
    case = ltrrnn_cases.simulated("x", n_trials=(40, 40), n_neurons=30, rank=2, seed=1)
    before = case.recording.time < -0.05
    for mask in (case.train, case.test):
        assert not mask[:, before].any()
        assert mask.any((0, 2))[~before].all()
    assert not (case.train & case.test).any()
    assert case.train.sum() > 1.5 * case.test.sum()
    assert 0 < case.floor < 0.05
    assert not ltrrnn_cases.is_file(case)


def test_without_the_data_a_stand_in_of_the_same_shape_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LTR_DATA_DIR", raising=False)
    case = ltrrnn_cases.standard()
    assert "NOT the file (LTR_DATA_DIR is not set)" in case.name
    assert case.recording.activity.shape == (250, 41, 200)
    assert not ltrrnn_cases.is_file(case)


def test_the_file_is_read_with_its_masks_over_the_execution(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    train: Bool[np.ndarray, "6 3 4"] = rng.random((6, 3, 4)) < 0.5
    activity: Float[np.ndarray, "6 5 4"] = rng.random((6, 5, 4), dtype=np.float32)
    (tmp_path / "benchmark").mkdir()
    np.savez(
        tmp_path / ltrrnn_cases.FILE,
        activity=activity,
        time=np.arange(-2, 3) * 0.1,
        condition=np.arange(6) % 2,
        epoch=np.repeat(["BL", "AD"], 3),
        trial_id=np.arange(6),
        train_mask=train,
        test_mask=~train,
    )
    monkeypatch.setenv("LTR_DATA_DIR", str(tmp_path))
    case = ltrrnn_cases.standard()
    assert ltrrnn_cases.is_file(case)
    np.testing.assert_array_equal(case.train[:, 2:], train)
    np.testing.assert_array_equal(case.test[:, 2:], ~train)
    assert not case.train[:, :2].any()
    assert not case.test[:, :2].any()


def test_the_large_recording_is_float32_and_not_copied() -> None:
    recording = ltrrnn_alone.large_recording(60, 20, 30)
    assert recording.activity.shape == (60, 20, 30)
    assert recording.activity.dtype == np.float32
    assert 0.2 < recording.activity.std() < 0.9
    assert len(recording.conditions) == 8


def test_memory_above_what_was_there() -> None:
    memory = Memory()
    filled = np.ones(40_000_000 // 8)
    del filled
    assert 35 < memory.peak < 60


def test_fits_are_judged_by_the_longest_schedule_that_keeps_the_time() -> None:
    def rows(n_steps: int, explicit_steps: float, *nmse: float) -> list[dict]:
        return [{"steps": n_steps, "explicit steps": explicit_steps, "nmse": n} for n in nmse]

    fits = [*rows(60, 0.4, 0.019, 0.021, 0.018), *rows(90, 0.9, 0.015, 0.016, 0.02)]
    whole, whole_spread, half, half_spread = judge_fits(fits + rows(150, 1.1, 0.01, 0.01, 0.01), 3)
    assert (whole.measured, whole.holds) == (0.016, True)
    assert whole_spread.measured == pytest.approx(1.25)
    assert whole_spread.holds is False
    assert (half.measured, half.holds) == (0.019, True)
    assert half_spread.holds is True
    too_slow = judge_fits(rows(60, 0.7, 0.01, 0.01), 2)
    assert [c.holds for c in too_slow] == [True, True, False]


@pytest.mark.parametrize("part", [ltrrnn_data, ltrrnn_scaling])
def test_a_quick_run_of_a_part_measures_and_judges_nothing(part: object) -> None:
    result: Result = part.measure(quick=True)  # type: ignore[attr-defined]
    assert result.rows
    assert result.criteria
    for row in result.rows:
        assert row["seconds"] > 0
    assert all(c.holds is None and np.isfinite(c.measured) for c in result.criteria)
    json.dumps(result.as_json())


def test_a_quick_grid_fits_every_cell_twice() -> None:
    result = ltrrnn_grid.measure(quick=True)
    assert [row["what"] for row in result.rows] == [
        "single fit, rank 3",
        "grid, cold processes",
        "grid, warm processes",
    ]
    cold, warm = result.rows[1:]
    assert cold["best rank's nmse"] == warm["best rank's nmse"]
    assert all(c.holds is None for c in result.criteria)


def test_a_quick_comparison_reports_steps_memory_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ltrrnn, "alone", lambda task, quick: ltrrnn_alone.TASKS[task](quick))
    result = ltrrnn.measure(quick=True)
    rows = {row["what"]: row for row in result.rows}
    assert rows["explicit, step"]["ratio"] > 1
    assert rows["explicit, step"]["evaluations"] > 50
    assert rows["explicit, memory"]["MB"] >= 0
    assert sum(row["what"] == "LtrRNN, whole fit" for row in result.rows) == 4
    assert sum("quoted, measured elsewhere" in row["what"] for row in result.rows) == 3
    assert all(c.holds is None for c in result.criteria)


def test_the_runner_reports_a_part_that_measures_in_a_process_of_its_own(tmp_path: Path) -> None:
    output = tmp_path / "benchmarks.json"
    command = [sys.executable, "benchmarks/run.py", "--quick", "--only", "ltrrnn_large"]
    command += ["--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(output.read_text())["benchmarks"]
    (row,) = result["rows"]
    assert row["peak MB"] > 50
    assert row["seconds per step"] >= 0


def test_a_task_that_fails_in_its_own_process_says_why() -> None:
    with pytest.raises(RuntimeError, match="invalid choice: 'nothing'"):
        alone("nothing", quick=True)
