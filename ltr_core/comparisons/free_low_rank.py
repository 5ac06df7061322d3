"""Low-rank weights of every trial on their own: no shared subspace, no smoothness.

    tau dx/dt = -x + W_k tanh(x) + u_c(t),    W_k = A_k B_k^T,    A_k, B_k of rank R in each trial k

It is the fit that the claim of one subspace for all of learning (Pellegrino et al. 2023) is to be
held against.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm import tqdm

from ltr_core.comparisons.entries import check_fitted
from ltr_core.comparisons.free_rollout import (
    FreeWeights,
    chunks,
    driven_part,
    predict,
    start_weights,
)
from ltr_core.learning import Diverged
from ltr_core.ltrrnn.data import Data, prepare
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.ltrrnn.readouts import LARGEST_LOG_COUNT
from ltr_core.ltrrnn.settings import Settings
from ltr_core.ltrrnn.solution import Solution
from ltr_core.recordings import Recording

LOOK_EVERY = 10


@dataclass
class FreeLowRank(Settings):
    """Weights A_k B_k^T of every trial on their own, started from an `LtrRNN`.

    The settings are those of `LtrRNN`, which are used for the start (with smooth, independent or
    constant trial factors). Readout, inputs, initial states and bias stay as found there: only
    A_k and B_k are then learned, by Adam, on each trial's entries alone.

    - `n_free_steps`, `free_rate`: of that second fit; its rate of learning, in units of the
      factors' entries, falls to 0 by a half cosine.
    - `decay`: penalty on the mean squared entry of A_k and B_k, which lowers what the trial's
      activity does not ask for. Without it the start's subspaces remain there, in all trials.
    - `spread`: what is added to the start of A_k and B_k, in each trial anew, relative to their
      size. Directions that a trial's activity does not determine keep it.

    With a share `validation` of entries held out (here 0.05 if not given, as single trials are
    soon overfitted), those A_k and B_k are kept that predicted them best, over all trials, at a
    look (one every 10 steps), and the fit stops after `patience` looks without a better one.

    Fitted: `start_` (the `LtrRNN`), `columns_`, `rows_` (trial, unit, rank) with trial k's weights
    ``columns_[k] @ rows_[k].T``, `readout_` (neuron, unit), `history_` (step, train, validation:
    mean squared error over variance, or mean negative log-likelihood of counts), `train_`.

    Examples
    --------
    >>> from ltr_core import comparisons, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = comparisons.FreeLowRank(rank=2, n_steps=5, n_free_steps=10, substeps=1)
    >>> model = model.fit(recording)
    >>> model.columns_.shape, model.rows_.shape, model.predict().shape
    ((12, 10, 2), (12, 10, 2), (12, 11, 10))
    >>> columns, rows = model.in_neurons()
    >>> comparisons.shared_subspace(columns, rows, recording.epoch).columns.shape
    (12,)
    """

    n_free_steps: int = 150
    free_rate: float = 0.02
    decay: float = 1e-3
    spread: float = 0.0
    validation: float = 0.05

    accepts_counts: ClassVar[bool] = True

    def check(self) -> None:
        """Raise ValueError for a setting out of range, alone or with others."""
        super().check()
        self._check_whole("n_free_steps", self.n_free_steps, 0)
        if not (np.isfinite(self.free_rate) and self.free_rate > 0):
            raise ValueError(f"free_rate is {self.free_rate}: it must be positive.")
        for name in ("decay", "spread"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}: it must not be negative.")

    def fit(
        self, recording: Recording, train: Bool[np.ndarray, "trial time neuron"] | None = None
    ) -> "FreeLowRank":
        """Fit to a recording's observed entries, or to those in `train`.

        Raises what `LtrRNN.fit` raises, and `Diverged` if weights of a trial do.
        """
        data = prepare(self, recording, train)
        start = {field.name: getattr(self, field.name) for field in fields(LtrRNN)}
        self.start_ = LtrRNN(**start).fit(recording, train)
        self.train_ = self.start_.train_
        self.readout_ = self.start_.readout_
        fit = _Fit(self, self.start_._solution, data)
        self.history_ = fit.run()
        whole, predicted = fit.result()
        self.columns_, self.rows_ = (
            np.ascontiguousarray(part.permute(2, 1, 0).cpu()) for part in whole
        )
        self._predicted = predicted
        return self

    def predict(self) -> Float[np.ndarray, "trial time neuron"]:
        """Rates (or expected counts) at every entry of the recording; raises NotFitted."""
        check_fitted(self, "columns_")
        return self._predicted

    def in_neurons(
        self,
    ) -> tuple[Float[np.ndarray, "trial neuron rank"], Float[np.ndarray, "trial neuron rank"]]:
        """Each trial's A_k and B_k in the space of neurons, for `shared_subspace`.

        Raises NotFitted, and ValueError for a linear readout, which has no such space.
        """
        check_fitted(self, "columns_")
        self.start_.in_neurons()  # says what is wrong with a linear readout
        unit = self.readout_ / np.linalg.norm(self.readout_, axis=0)
        return unit @ self.columns_, unit @ self.rows_


class _Fit:
    """Adam on the factors of chunks of trials, which share nothing but the course of the rate."""

    def __init__(self, settings: FreeLowRank, solution: Solution, data: Data) -> None:
        self.settings, self.solution, self.data = settings, solution, data
        start = start_weights(solution, settings.spread, settings.seed)
        self.trials = chunks(solution)
        self.driven = driven_part(solution)
        self.weights = [
            FreeWeights(*(part[..., trials].clone().requires_grad_() for part in start))
            for trials in self.trials
        ]
        self.optimiser = torch.optim.Adam([part for own in self.weights for part in own])
        self.spread = float(data.activity[data.train].double().var(correction=0))
        self.best, self.kept = float("inf"), self.weights

    def run(self) -> pd.DataFrame:
        """All steps, or until the validation loss rises; returns the losses at the looks."""
        total, history, stale = self.settings.n_free_steps, [], 0
        for step in tqdm(range(total + 1), desc="free weights", leave=False):
            train = self._step(step / max(total, 1), moves=step < total)
            if not np.isfinite(train):
                raise Diverged(f"The free weights diverged at step {step}: lower free_rate.")
            if step % LOOK_EVERY == 0 or step == total:
                validation = self._validation()
                history.append((step, train, validation))
                stale += 1
                if validation < self.best or self.data.validation is None:
                    self.best, stale = validation, 0
                    self.kept = [
                        FreeWeights(*(p.detach().clone() for p in w)) for w in self.weights
                    ]
                if stale == self.settings.patience:
                    break
        return pd.DataFrame(history, columns=["step", "train", "validation"])

    def result(self) -> tuple[FreeWeights, Float[np.ndarray, "trial time neuron"]]:
        """The weights that were kept, in units of x, and what they predict."""
        with torch.no_grad():
            predicted = torch.cat(
                [self._predict(w, k) for w, k in zip(self.kept, self.trials, strict=True)], 2
            )
        predicted = predicted.exp() if self.solution.counts else predicted
        whole = (torch.cat(parts, 2) / self.solution.root for parts in zip(*self.kept, strict=True))
        return FreeWeights(*whole), np.ascontiguousarray(predicted.permute(2, 0, 1).cpu())

    def _step(self, share: float, moves: bool) -> float:
        """One step of all trials; the training loss before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.free_rate * 0.5 * (1 + np.cos(np.pi * share))
        self.optimiser.zero_grad()
        n_fitted, summed = int(self.data.train.sum()), 0.0
        for weights, trials in zip(self.weights, self.trials, strict=True):
            with torch.set_grad_enabled(moves):
                loss = self._loss(self._predict(weights, trials), trials, self.data.train)
                loss = loss / n_fitted
                summed += float(loss.detach())
                size = sum(part.square().sum() for part in weights) / self.data.n_trials
                penalised = loss + self.settings.decay * size / len(self.solution.system.columns)
            if moves:
                penalised.backward()
        if moves:
            self.optimiser.step()
        return summed

    def _validation(self) -> float:
        if self.data.validation is None:
            return float("nan")
        held_out, summed = self.data.validation, 0.0
        with torch.no_grad():
            for weights, trials in zip(self.weights, self.trials, strict=True):
                summed += float(self._loss(self._predict(weights, trials), trials, held_out))
        return summed / int(held_out.sum())

    def _predict(self, weights: FreeWeights, trials: slice) -> Float[Tensor, "time neuron trial"]:
        return predict(self.solution, weights, self.driven, self.solution.system.group[trials])

    def _loss(
        self,
        predicted: Float[Tensor, "time neuron trial"],
        trials: slice,
        mask: Bool[Tensor, "seen neuron all"],
    ) -> Tensor:
        """Summed over the entries in the mask of these trials."""
        predicted = predicted[self.data.seen]
        activity, chosen = self.data.activity[..., trials], mask[..., trials]
        if self.solution.counts:
            expected = predicted.clamp(max=LARGEST_LOG_COUNT).exp()
            return torch.where(chosen, expected - activity * predicted, 0).sum()
        return torch.where(chosen, predicted - activity, 0).square().sum() / self.spread
