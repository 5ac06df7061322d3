"""A labelled recording of activity over learning: trials, times, neurons, and what was observed.

Rates or counts stand in one array (trial, time, neuron) with a time in seconds, a condition, an
epoch and a number for each trial. Everything is validated once, on construction, and is read-only
afterwards. `Recording.data` is the same as an xarray.Dataset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int, Shaped

from ltr_core.learning import LearningRecord
from ltr_core.recording_validation import (
    Index,
    as_index,
    check_shape,
    check_values,
    distinct_conditions,
    even_times,
    increasing_ids,
    kept_values,
)

Labels = Sequence[Any] | np.ndarray


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Recording:
    """Activity of neurons in trials of equal sampling, with what is known of each trial.

    - `activity` (trial, time, neuron): rates in units of the caller's, or counts per bin; NaN
      wherever nothing was observed. float32 stays float32, everything else becomes float64.
    - `observed` (trial, time, neuron): the entries that are not NaN and were in `mask`.
    - `time` (time,): s, evenly spaced.
    - `condition`, `epoch` (trial,): labels; `condition_index`, `epoch_index` their places in
      `conditions` (sorted) and `epochs` (in order of first appearance).
    - `trial_id` (trial,): number of each trial; gaps stand for trials that were left out.
    - `counts`: whether activity is counts.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Recording
    >>> activity = np.random.default_rng(0).normal(size=(6, 20, 3))
    >>> recording = Recording(activity, time=0.05 * np.arange(20), condition=[0, 1, 2] * 2)
    >>> recording
    Recording(6 trials, 20 times of 0.05 s, 3 neurons, rates, 3 conditions, epochs ['all'])
    >>> recording.select(trials=recording.condition == 1).n_trials
    2
    >>> recording.data.activity.dims
    ('trial', 'time', 'neuron')
    """

    activity: Float[np.ndarray, "trial time neuron"]
    observed: Bool[np.ndarray, "trial time neuron"]
    time: Float[np.ndarray, " time"]
    condition: Shaped[np.ndarray, " trial"]
    conditions: tuple[Any, ...]
    condition_index: Int[np.ndarray, " trial"]
    epoch: Shaped[np.ndarray, " trial"]
    epochs: tuple[str, ...]
    epoch_index: Int[np.ndarray, " trial"]
    trial_id: Float[np.ndarray, " trial"]
    counts: bool

    def __init__(
        self,
        activity: np.ndarray,
        *,
        time: Labels,
        condition: Labels | None = None,
        epoch: Labels | None = None,
        trial_id: Labels | None = None,
        counts: bool = False,
        mask: np.ndarray | None = None,
    ) -> None:
        """Validate and keep; one copy of `activity` is made, none if it is a read-only array.

        - `condition`, `epoch`: labels of the trials; one condition 0 and one epoch "all" if not
          given. `trial_id`: increasing numbers; 0, 1, 2, ... if not given.
        - `mask` (trial, time, neuron): False where an entry was not observed. NaN says the same.

        Trials without any observed entry and constant neurons are kept; `silent_trials` and
        `constant_neurons` list them.

        Raises ValueError for axes in another order, labels of a wrong length, times that are not
        evenly spaced, trial_id that does not increase, infinite values, counts that are negative
        or not whole, integers without ``counts=True``, and if nothing was observed.
        """
        labels = {"condition": condition, "epoch": epoch, "trial_id": trial_id}
        given = {name: np.asarray(value) for name, value in labels.items() if value is not None}
        times = np.asarray(time)
        check_shape(activity, times, given)
        n_trials = activity.shape[0]
        conditions, condition_index = distinct_conditions(
            given.get("condition", np.zeros(n_trials, np.int64))
        )
        names = given.get("epoch", np.full(n_trials, "all")).astype(str)
        epochs = tuple(dict.fromkeys(names.tolist()))
        values = kept_values(activity, counts, mask)
        fields = {
            "activity": values,
            "observed": ~np.isnan(values),
            "time": even_times(times),
            "condition": np.array(given.get("condition", condition_index)),
            "conditions": conditions,
            "condition_index": condition_index,
            "epoch": names,
            "epochs": epochs,
            "epoch_index": np.array([epochs.index(name) for name in names.tolist()], np.int64),
            "trial_id": increasing_ids(given.get("trial_id", np.arange(n_trials))),
            "counts": counts,
        }
        check_values(values, fields["observed"], counts)
        for name, value in fields.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        kind = "counts" if self.counts else "rates"
        return (
            f"Recording({self.n_trials} trials, {self.n_time} times of {self.dt:.4g} s, "
            f"{self.n_neurons} neurons, {kind}, {len(self.conditions)} conditions, "
            f"epochs {list(self.epochs)})"
        )

    @property
    def n_trials(self) -> int:
        """How many trials."""
        return self.activity.shape[0]

    @property
    def n_time(self) -> int:
        """How many time points in a trial."""
        return self.activity.shape[1]

    @property
    def n_neurons(self) -> int:
        """How many neurons."""
        return self.activity.shape[2]

    @property
    def dt(self) -> float:
        """Distance of time points in s."""
        return float(self.time[-1] - self.time[0]) / (self.n_time - 1)

    @cached_property
    def group_index(self) -> Int[np.ndarray, " trial"]:
        """A number for every trial, the same for those of one condition and epoch."""
        return self.condition_index * len(self.epochs) + self.epoch_index

    @cached_property
    def silent_trials(self) -> Int[np.ndarray, " silent"]:
        """The trials in which nothing was observed."""
        return np.flatnonzero(~self.observed.any((1, 2)))

    @cached_property
    def constant_neurons(self) -> Int[np.ndarray, " constant"]:
        """The neurons that were observed with one value only, or never."""
        with np.errstate(invalid="ignore"):  # neurons that were never observed
            lowest = np.fmin.reduce(self.activity, axis=(0, 1))
            highest = np.fmax.reduce(self.activity, axis=(0, 1))
            return np.flatnonzero(~(highest > lowest))

    @property
    def data(self) -> xr.Dataset:
        """The recording as an xarray.Dataset, on the same memory."""
        dims = ("trial", "time", "neuron")
        return xr.Dataset(
            {"activity": (dims, self.activity), "observed": (dims, self.observed)},
            coords={
                "time": ("time", self.time, {"units": "s"}),
                "condition": ("trial", self.condition),
                "epoch": ("trial", self.epoch),
                "trial_id": ("trial", self.trial_id),
            },
            attrs={"counts": self.counts},
        )

    def select(
        self, trials: Index | None = None, neurons: Index | None = None, times: Index | None = None
    ) -> "Recording":
        """The recording of some trials, neurons and time points.

        Each is a slice, indices or a boolean mask along its axis; all if not given. Trials and
        times stay in their order.

        Raises ValueError for an index or mask that does not fit, and where what is selected is no
        valid recording (unevenly spaced times, say).
        """
        trial = as_index(trials, self.n_trials, "trials")
        at = as_index(times, self.n_time, "times")
        neuron = as_index(neurons, self.n_neurons, "neurons")
        if all(isinstance(index, slice) for index in (trial, at, neuron)):
            activity = self.activity[trial, at, neuron]
        else:
            sizes = zip((trial, at, neuron), self.activity.shape, strict=True)
            activity = self.activity[np.ix_(*(np.arange(size)[index] for index, size in sizes))]
        activity.flags.writeable = False  # so that it is not copied again
        return Recording(
            activity,
            time=self.time[at],
            condition=self.condition[trial],
            epoch=self.epoch[trial],
            trial_id=self.trial_id[trial],
            counts=self.counts,
        )

    def with_activity(self, activity: Float[np.ndarray, "trial time neuron"]) -> "Recording":
        """The same trials, times and labels with other activity, copied unless it is read-only.

        Raises ValueError for activity that does not fit them.
        """
        return Recording(
            activity,
            time=self.time,
            condition=self.condition,
            epoch=self.epoch,
            trial_id=self.trial_id,
            counts=self.counts,
        )

    @classmethod
    def from_learning(cls, record: LearningRecord, network: int = 0) -> "Recording":
        """The activity of one network that was recorded while it learned.

        Raises ValueError if there is no such network.
        """
        n_networks = record.activity.shape[0]
        if not 0 <= network < n_networks:
            raise ValueError(f"network is {network}: the record holds 0 to {n_networks - 1}.")
        return cls(
            record.activity[network].detach().cpu().numpy(),
            time=record.time.detach().cpu().numpy(),
            condition=record.condition[network].cpu().numpy(),
            epoch=record.epoch,
        )

    def to_netcdf(self, path: str | Path) -> None:
        """Write the recording to a NetCDF-4 file in one stroke; `from_netcdf` gives it back.

        Raises ValueError for conditions that are neither text nor numbers.
        """
        from ltr_core.recording_files import write_netcdf  # noqa: PLC0415 - it needs this class

        write_netcdf(self, path)

    @classmethod
    def from_netcdf(cls, path: str | Path) -> "Recording":
        """The recording that `to_netcdf` wrote.

        Raises ValueError, which names the file, for one that is truncated, damaged or no NetCDF-4
        file, that lacks something or holds no valid recording.
        """
        from ltr_core.recording_files import read_netcdf  # noqa: PLC0415 - it needs this class

        return read_netcdf(path)
