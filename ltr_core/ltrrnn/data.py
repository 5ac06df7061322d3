"""A recording as the fit sees it: tensors with trials last, and the grid of integration steps."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ltr_core.held_out import check_train, held_out_blocks
from ltr_core.ltrrnn.settings import LONGEST_STEP, Settings
from ltr_core.recordings import Recording

Mask = Bool[np.ndarray, "trial time neuron"]


class Grid(NamedTuple):
    """The steps of the integration.

    - `step`: length of a step over tau; every `substeps` of them there is a recorded time.
    - `active` (step,): whether inputs act in a step.
    - `tau`: s.
    """

    step: float
    substeps: int
    active: Bool[Tensor, " step"]
    tau: float


class Data(NamedTuple):
    """The entries that are fitted, with trials last; times without any are left out.

    - `activity` (seen, neuron, trial): zero where an entry is not fitted.
    - `train`, `validation` (seen, neuron, trial): entries fitted, entries that stop the fit.
    - `seen` (seen,): the recorded times that are here.
    - `group` (trial,): which inputs a trial has; `condition` (trial,): its condition.
    """

    activity: Float[Tensor, "seen neuron trial"]
    train: Bool[Tensor, "seen neuron trial"]
    validation: Bool[Tensor, "seen neuron trial"] | None
    seen: Int[Tensor, " seen"]
    group: Int[Tensor, " trial"]
    condition: Int[Tensor, " trial"]
    grid: Grid
    trial_id: Float[np.ndarray, " trial"]
    epoch_index: Int[np.ndarray, " trial"]

    @property
    def n_trials(self) -> int:
        """How many trials."""
        return self.activity.shape[2]

    def of_trials(self, trials: Int[Tensor, " chosen"]) -> "Data":
        """The data of some trials."""
        return self._replace(
            activity=self.activity[:, :, trials],
            train=self.train[:, :, trials],
            validation=None,
            group=self.group[trials],
        )


def prepare(settings: Settings, recording: Recording, train: Mask | None) -> Data:
    """Check a recording against the settings, and bring it into shape.

    Raises ValueError for counts with a Gaussian likelihood and rates with a Poisson one, a rank
    above the units, a mask that removes a whole trial or neuron, and an input period that the
    recording does not have.
    """
    settings.check()
    _check_recording(settings, recording)
    chosen = check_train(recording, train)
    validation = None
    if settings.validation:
        usable = Recording(
            recording.activity, time=recording.time, counts=recording.counts, mask=chosen
        )
        blocks = held_out_blocks(usable, share=settings.validation, seed=settings.seed)
        chosen, validation = blocks.train, blocks.test
    seen = np.flatnonzero(chosen.any((0, 2)))
    dtype = getattr(torch, settings.dtype)

    def last(array: np.ndarray) -> Tensor:
        """Trials last, of the times that are seen."""
        return torch.from_numpy(np.ascontiguousarray(array[:, seen].transpose(1, 2, 0)))

    kept = last(chosen)
    activity = last(recording.activity).to(dtype)
    activity.masked_fill_(~kept if validation is None else ~(kept | last(validation)), 0)
    condition = torch.from_numpy(recording.condition_index.copy())
    by_trial = settings.inputs_vary_with == "trial"
    data = Data(
        activity=activity,
        train=kept,
        validation=None if validation is None else last(validation),
        seen=torch.from_numpy(seen),
        group=torch.arange(recording.n_trials) if by_trial else condition,
        condition=condition,
        grid=_grid(settings, recording),
        trial_id=recording.trial_id,
        epoch_index=recording.epoch_index,
    )
    return to_device(data, settings.device)


def to_device(data: Data, device: str) -> Data:
    """The data on another device."""
    held = data.validation
    return data._replace(
        activity=data.activity.to(device),
        train=data.train.to(device),
        validation=None if held is None else held.to(device),
        seen=data.seen.to(device),
        group=data.group.to(device),
        condition=data.condition.to(device),
        grid=data.grid._replace(active=data.grid.active.to(device)),
    )


def _check_recording(settings: Settings, recording: Recording) -> None:
    if recording.counts != (settings.likelihood == "poisson"):
        kind, other = ("counts", "poisson") if recording.counts else ("rates", "gaussian")
        raise ValueError(
            f"The recording holds {kind} and likelihood is '{settings.likelihood}': set "
            f"likelihood='{other}'."
        )
    n_units, n_neurons = settings.n_units or recording.n_neurons, recording.n_neurons
    if settings.rank + settings.input_columns > n_units:
        raise ValueError(
            f"rank is {settings.rank} and input_columns {settings.input_columns}: together they "
            f"must not exceed the {n_units} units."
        )
    if settings.readout == "orthonormal" and n_units > n_neurons:
        raise ValueError(
            f"n_units is {n_units}, more than the {n_neurons} neurons: the readout's columns "
            "cannot be orthonormal. Lower n_units or set readout='linear'."
        )
    if settings.readout == "identity" and n_units != n_neurons:
        raise ValueError(
            f"readout is 'identity', but there are {n_units} units and {n_neurons} neurons."
        )


def _grid(settings: Settings, recording: Recording) -> Grid:
    duration = float(recording.time[-1] - recording.time[0])
    tau = settings.tau or duration / 4
    substeps = settings.substeps or max(1, round(np.ceil(recording.dt / tau / LONGEST_STEP - 1e-6)))
    n_steps = (recording.n_time - 1) * substeps
    middle = recording.time[0] + (np.arange(n_steps) + 0.5) * recording.dt / substeps
    before = middle < settings.go
    period = settings.input_period or ("preparatory" if before.any() else "execution")
    active = {"preparatory": before, "execution": ~before, "both": np.ones(n_steps, bool)}[period]
    if settings.inputs != "none" and not active.any():
        raise ValueError(
            f"input_period is '{period}', but the recording, from {recording.time[0]:.4g} to "
            f"{recording.time[-1]:.4g} s, has no time in it (go is {settings.go:.4g} s)."
        )
    return Grid(recording.dt / tau / substeps, substeps, torch.from_numpy(active), tau)
