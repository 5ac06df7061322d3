"""The estimator: `LtrRNN(rank=5).fit(recording)`."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from safetensors import SafetensorError, safe_open

from ltr_core import checkpoints
from ltr_core.estimators import NotFitted
from ltr_core.ltrrnn.data import Data, prepare
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.ltrrnn.integration import System
from ltr_core.ltrrnn.settings import Settings
from ltr_core.ltrrnn.solution import Solution, Weights, canonical
from ltr_core.recordings import Recording

FORMAT = "ltr_core.LtrRNN 1"
ALIKE = 0.9  # product of the three cosines above which two components are near-degenerate

Self = TypeVar("Self", bound="LtrRNN")


class DegenerateWarning(UserWarning):
    """Components of a fit that cannot be told apart: read their subspace, not each of them.

    Examples
    --------
    >>> import warnings
    >>> from ltr_core.ltrrnn import DegenerateWarning, LtrRNN, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(4, 4), n_neurons=10, rank=1, dt=0.4)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", DegenerateWarning)  # such a fit is then an error
    ...     model = LtrRNN(rank=1, n_steps=5, substeps=1).fit(recording)
    >>> model.component_overlaps().round(2).tolist()  # of each with itself
    [[1.0]]
    """


@dataclass
class LtrRNN(Settings):
    """A recurrent network whose weights over trials are a tensor of low rank.

    Pellegrino, Cayco-Gajic & Chadwick (2023):

        tau dx/dt = -x + W_k phi(x) + u_c(t),    W_k = sum_r c_kr a_r b_r^T,    phi = tanh
        rates = D phi(x) + d,   or   expected counts = exp(D phi(x) + d)

    The network: `rank`; `n_units` (as many as neurons); `tau` in s (a quarter of the trial's
    duration); `bias` in x; `process_noise` (standard deviation of the latents, over sqrt(units),
    that noise alone would cause; for fitting only). Observation: `likelihood` gaussian or poisson;
    `readout` D orthonormal (columns, times one gain), linear (free) or identity; `readout_bias` d
    (always there for counts).

    Trial factors: smooth (Gaussian process over trial ids, of `length` trials, `alpha`, standard
    deviation `scale`, `noise` of each trial's own; independent between epochs if `jumps`),
    independent (free in each trial), or constant (no learning).

    Inputs belong to the condition (or to each trial: `inputs_vary_with`). `inputs`: a basis of
    `n_bumps` smooth bumps, a neural_ode with `n_hidden` units, or none; in `input_period`
    (preparatory: before `go`, in s; execution; both; preparatory if not given and there is such a
    time). They act along the column factors, or along `input_columns` of their own. The
    `initial_state` is that of the condition, or zero.

    Integration: `scheme` euler, heun or rk4 with `substeps` from one recorded time to the next (as
    many as keep a step below a tenth of tau).

    The fit: `n_steps` of Adam at `learning_rate`, on `batch_trials` random trials each (all), with
    a `penalty` on latents and inputs; a share `validation` of the entries is held out in blocks
    and stops the fit when it has not improved at `patience` looks (one every 10 steps). `seed`,
    `device`, `dtype`.

    Fitted values, in canonical form (see `solution`): `columns_` (unit, latent), of which the first
    `rank` are `column_factors_`; `row_factors_` (unit, rank), `trial_factors_` (trial, rank),
    `bias_` (unit,), `readout_` (neuron, unit), `readout_bias_` (neuron,), `inputs_` (condition,
    time, latent), `initial_` (condition, latent) (trial instead of condition if they vary with it),
    `weights_` (``weights_[k]`` is trial k's, (post, pre)), `history_` (step, train, validation),
    `noise_variance_`, `tau_` in s, `train_` (the entries fitted), `interrupted_`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ltr_core import LtrRNN, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = LtrRNN(rank=2, n_steps=5, substeps=1).fit(recording)  # far too few steps
    >>> model.trial_factors_.shape, model.weights_[3].shape, model.transform().shape
    ((12, 2), (10, 10), (12, 11, 2))
    >>> model.predict().shape, bool(model.score(recording) > 0.5)
    ((12, 11, 10), True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder) / "model.safetensors")
    ...     again = LtrRNN.load(Path(folder) / "model.safetensors")
    >>> bool((again.predict() == model.predict()).all())
    True
    """

    def fit(
        self: Self,
        recording: Recording,
        train: Bool[np.ndarray, "trial time neuron"] | None = None,
        *,
        checkpoint: Path | None = None,
    ) -> Self:
        """Fit to a recording's observed entries, or to those in `train`.

        Ctrl-C returns what there is (`interrupted_`). With a `checkpoint` path the fit goes on
        where an earlier one with the same settings and data was stopped.

        Raises ValueError for settings or a recording that do not fit together, `Diverged` if
        halving the learning rate does not help; warns of near-degenerate components.
        """
        data = prepare(self, recording, train)
        _warn_of_offset(self, recording)
        fit = Fit(self, data)
        self.interrupted_ = fit.run(checkpoint)
        self.train_ = _entries(data, recording)
        self.history_ = pd.DataFrame(
            fit.progress.history, columns=["step", "train", "validation"]
        ).astype({"step": int})
        with torch.no_grad():
            system = System(*(part.detach().clone() for part in fit.network.system()))
        grid = data.grid
        solution = Solution(
            canonical(system, self.rank),
            (fit.readout.matrix * fit.readout.gain).detach(),
            fit.readout.bias.detach(),
            *(grid.step, self.scheme, grid.substeps, recording.counts),
        )
        self.tau_, self.noise_variance_ = grid.tau, fit.progress.variance
        self._adopt(solution)
        self._warn_of_degeneracy()
        return self

    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """Rates (or expected counts) at every entry of the recording; raises NotFitted."""
        return self._solution.predict()

    def transform(self) -> Float[np.ndarray, "trial time latent"]:
        """The latents kappa of every trial: ``x = columns_ @ kappa + bias_``; raises NotFitted."""
        return self._solution.latents()

    @property
    def column_factors_(self) -> Float[np.ndarray, "unit rank"]:
        """a_r, the first columns."""
        return self.columns_[:, : self.rank]

    @property
    def weights_(self) -> Weights:
        """W_k of every trial, made when asked for."""
        return Weights(self.column_factors_, self.row_factors_, self.trial_factors_)

    def in_neurons(
        self,
    ) -> tuple[Float[np.ndarray, "neuron rank"], Float[np.ndarray, "neuron rank"]]:
        """Column and row factors in the space of neurons, where D W D^T acts on the rates.

        Only this can be compared with a network whose units are the neurons, or between two fits
        with different readouts.

        Raises NotFitted, and ValueError for a linear readout, which has no such space.
        """
        if self.readout == "linear":
            raise ValueError(
                "A linear readout does not keep lengths and angles, so the factors have no image "
                "among the neurons: fit with readout='orthonormal'."
            )
        unit = self.readout_ / np.linalg.norm(self.readout_, axis=0)
        return unit @ self.column_factors_, unit @ self.row_factors_

    def component_overlaps(self) -> Float[np.ndarray, "rank rank"]:
        """How alike components are: product of the cosines of their three factors."""
        parts = (self.column_factors_, self.row_factors_, self.trial_factors_)
        overlap = np.ones((self.rank, self.rank))
        for part in parts:
            unit = part / np.linalg.norm(part, axis=0)
            overlap *= unit.T @ unit
        return overlap

    def save(self, path: Path) -> None:
        """Write settings and fitted values to one safetensors file, in one stroke.

        Raises NotFitted.
        """
        tensors = {f"system.{k}": v for k, v in self._solution.system._asdict().items()}
        tensors |= {"readout": self._solution.readout, "readout_bias": self._solution.readout_bias}
        tensors |= {
            "history": torch.tensor(self.history_.to_numpy(dtype=np.float64)),
            "train": torch.from_numpy(np.packbits(self.train_)),
        }
        solution = self._solution
        facts = {
            "settings": self.get_params(),
            "solution": [solution.step, solution.scheme, solution.substeps, solution.counts],
            "tau": self.tau_,
            "noise_variance": self.noise_variance_,
            "interrupted": self.interrupted_,
            "shape": list(self.train_.shape),
            "format": FORMAT,
        }
        checkpoints.save(path, tensors, json.dumps(facts, default=np.generic.item))

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> "LtrRNN":
        """A saved model, on any device; nothing in the file is executed.

        Raises ValueError for a file that is no saved model.
        """
        try:
            with safe_open(path, framework="pt", device=device) as file:
                facts = json.loads((file.metadata() or {}).get("made_with", "null"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} cannot be read as a saved model: {error}") from error
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            raise ValueError(f"{path} is not a saved LtrRNN of this version ({FORMAT}).")
        model = cls(**facts["settings"] | {"device": device})
        system = System(*(tensors[f"system.{name}"] for name in System._fields))
        model.tau_, model.noise_variance_ = facts["tau"], facts["noise_variance"]
        model.interrupted_ = facts["interrupted"]
        model.history_ = pd.DataFrame(
            tensors["history"].cpu().numpy(), columns=["step", "train", "validation"]
        ).astype({"step": int})
        size = int(np.prod(facts["shape"]))
        bits = np.unpackbits(tensors["train"].cpu().numpy(), count=size)
        model.train_ = bits.astype(bool).reshape(facts["shape"])
        model._adopt(
            Solution(system, tensors["readout"], tensors["readout_bias"], *facts["solution"])
        )
        return model

    @property
    def _solution(self) -> Solution:
        if not hasattr(self, "_found"):
            raise NotFitted("This LtrRNN is not fitted: call fit(recording) first.")
        return self._found

    def _adopt(self, solution: Solution) -> None:
        """Keep a solution, and its parts as arrays in units of x."""
        self._found = solution
        system, root = solution.system, solution.root
        at_times = system.drive[:: solution.substeps, 0]
        last = system.drive[-1:, -1]
        inputs = torch.cat([at_times, last]) * root
        self.columns_ = (system.columns / root).cpu().numpy()
        self.row_factors_ = (system.rows * root).cpu().numpy()
        self.trial_factors_ = np.ascontiguousarray(system.trial_factors.T.cpu().numpy())
        self.bias_ = system.bias.cpu().numpy()
        self.initial_ = (system.initial.T * root).cpu().numpy()
        self.inputs_ = np.ascontiguousarray(inputs.permute(2, 0, 1).cpu().numpy())
        self.readout_ = solution.readout.cpu().numpy()
        self.readout_bias_ = solution.readout_bias.cpu().numpy()

    def _warn_of_degeneracy(self) -> None:
        overlap = np.abs(np.triu(self.component_overlaps(), 1))
        alike = [(int(i), int(j)) for i, j in np.argwhere(overlap > ALIKE)]
        if alike:
            warnings.warn(
                f"Components {alike} have nearly the same factors: only the subspace that they "
                "span is determined. Lower rank, or compare subspaces.",
                DegenerateWarning,
                stacklevel=3,
            )


def _warn_of_offset(settings: Settings, recording: Recording) -> None:
    if settings.likelihood == "gaussian" and not settings.readout_bias:
        lowest = np.nanmin(recording.activity)
        if lowest >= 0:
            warnings.warn(
                "Rates are never negative and there is no readout_bias: set readout_bias=True, or "
                "subtract each neuron's mean.",
                stacklevel=3,
            )


def _entries(data: Data, recording: Recording) -> Bool[np.ndarray, "trial time neuron"]:
    """The entries that were fitted, in the recording's shape."""
    train = np.zeros(recording.activity.shape, dtype=bool)
    train[:, data.seen.cpu().numpy()] = data.train.cpu().numpy().transpose(2, 0, 1)
    return train
