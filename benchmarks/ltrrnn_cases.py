"""Recordings that the ltrRNN benchmarks fit, with their masks and noise floors."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool

from benchmarks.explicit import Explicit, Task
from ltr_core.held_out import held_out_blocks
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.kernel import Smoothness, covariance
from ltr_core.recordings import Recording
from ltr_core.scores import score

#: Where the file is looked for, under the folder LTR_DATA_DIR.
FILE = Path("benchmark") / "learning_250x41x200.npz"
FILE_FLOOR = 0.0099  # its makers' figure
SHARE = 0.17  # of the entries at the times fitted, held out: as in the file
RANK = 5  # one more than the truth has

Mask = Bool[np.ndarray, "trial time neuron"]


class Case(NamedTuple):
    """A recording, the entries to fit and to test, and the NMSE of the noise-free truth there."""

    name: str
    recording: Recording
    train: Mask
    test: Mask
    floor: float
    rank: int

    def nmse(self, model: LtrRNN) -> float:
        """Of a fitted model over the test entries."""
        return model.score(self.recording, self.test, "nmse")


def standard(quick: bool = False) -> Case:
    """The file of 250 trials x 41 times x 200 neurons, or a simulated one of the same shape.

    Only execution (the last 21 times) is fitted and tested, as the file's masks say.
    """
    if quick:
        return simulated("tiny", n_trials=(12, 12), n_neurons=20, rank=2, n_conditions=3, seed=0)
    folder = os.environ.get("LTR_DATA_DIR")
    if folder is None:
        name = "NOT the file (LTR_DATA_DIR is not set): simulated in its shape"
        return simulated(name, n_trials=(50, 100, 100), n_neurons=200, rank=RANK - 1, seed=0)
    with np.load(Path(folder) / FILE) as file:
        data = dict(file)
    recording = Recording(
        data["activity"],
        time=data["time"],
        condition=data["condition"],
        epoch=data["epoch"],
        trial_id=data["trial_id"],
    )
    train, test = (_whole(recording, data[name]) for name in ("train_mask", "test_mask"))
    return Case("file", recording, train, test, FILE_FLOOR, RANK)


def is_file(case: Case) -> bool:
    """Whether the case is the file for which the criteria were fixed."""
    return case.name == "file"


def simulated(
    name: str,
    *,
    n_trials: Sequence[int],
    n_neurons: int,
    rank: int,
    seed: int,
    n_conditions: int = 8,
    dt: float = 0.1,
    tau: float = 1.0,
) -> Case:
    """Generated with a readout that mixes units; preparation is not fitted, as in the file."""
    recording, truth = simulate_ltrrnn(
        n_trials=n_trials,
        n_neurons=n_neurons,
        rank=rank,
        n_conditions=n_conditions,
        dt=dt,
        tau=tau,
        rotated=True,
        seed=seed,
    )
    execution = recording.time > -dt / 2
    held_out = held_out_blocks(recording, share=SHARE, seed=seed, times=execution)
    floor = score(recording.activity, truth.rates, held_out.test, "nmse")
    train = held_out.train & execution[:, None]
    return Case(name, recording, train, held_out.test, floor, rank + 1)


def explicit(case: Case, seed: int = 0) -> Explicit:
    """The baseline for a case, over the whole trial, at its start (prior as in its example)."""
    recording = case.recording
    over_trials = covariance(Smoothness(scale=0.1), recording.trial_id, recording.epoch_index)
    # the file's times are rounded: zero is exact here
    steps = np.arange(recording.n_time) - int((recording.time < -1e-9).sum())
    task = Task(
        activity=torch.tensor(recording.activity.transpose(1, 0, 2)),
        train=torch.tensor(case.train.transpose(1, 0, 2)),
        time=torch.tensor(steps * recording.dt, dtype=torch.float32),
        condition=torch.tensor(recording.condition_index),
        chol=torch.tensor(np.linalg.cholesky(over_trials), dtype=torch.float32),
    )
    return Explicit(task, case.rank, seed)


def fitted(case: Case, **settings: object) -> LtrRNN:
    """Our fit with its defaults but for some settings; what it says of components is not asked."""
    with degeneracy_expected():
        return LtrRNN(rank=case.rank).with_params(**settings).fit(case.recording, case.train)


@contextmanager
def degeneracy_expected() -> Iterator[None]:
    """Without warnings of near-degenerate components, which are expected at a spare rank."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateWarning)
        yield


def _whole(recording: Recording, mask: Bool[np.ndarray, "trial last neuron"]) -> Mask:
    """A mask over the last times, over all of them."""
    whole = np.zeros(recording.activity.shape, dtype=bool)
    whole[:, -mask.shape[1] :] = mask
    return whole
