"""Gradient descent on everything: Adam, a schedule, early stopping, checkpoints, divergence."""

import multiprocessing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ltr_core.learning import Diverged
from ltr_core.ltrrnn.data import Data
from ltr_core.ltrrnn.initialisation import start_from
from ltr_core.ltrrnn.integration import System
from ltr_core.ltrrnn.network import Network
from ltr_core.ltrrnn.readouts import EVERY, Readout
from ltr_core.ltrrnn.resuming import fingerprint, resume, save
from ltr_core.ltrrnn.settings import Settings

WARM_UP = 0.1  # of the steps, in which the learning rate rises
BETAS = (0.9, 0.95)
LOOK_EVERY = 10  # steps from one look at the losses to the next
RISEN = 2.0  # times the lowest loss, on top of it: the fit turns back
LEAST_RISE = {"gaussian": 0.02, "poisson": 1.0}  # that counts, in the units of the loss
NOISY = 5.0  # times more may the loss of a batch rise
HALVINGS = 6  # of the learning rate, before giving up
CHECKPOINT_EVERY = 50

State = dict[str, Tensor]


@dataclass
class Progress:
    """Where a fit stands. Losses are as `Fit.loss_of` gives them, NaN without validation."""

    step: int = 0
    halvings: int = 0
    stale: int = 0
    best: float = float("inf")
    lowest: float = float("inf")
    variance: float = 1.0
    history: list[tuple[int, float, float]] = field(default_factory=list)


class Fit:
    """One fit: its network and readout, the optimiser, and how far it is."""

    def __init__(self, settings: Settings, data: Data) -> None:
        self.settings, self.data = settings, data
        self.generator = torch.Generator().manual_seed(int(settings.seed))
        start = start_from(settings, data, np.random.default_rng(settings.seed))
        self.network = Network(settings, data)
        self.network.start(start.dynamics, self.generator)
        self.readout = Readout(settings, start, data.activity)
        self.n_fitted = int(data.train.sum())
        self.spread = _spread(data)
        self.progress = Progress()
        groups = [*self.network.rates_of_learning(), *self._readout_groups()]
        groups = [group | {"lr": 0.0} for group in groups if group["params"]]
        self.optimiser = torch.optim.Adam(groups, betas=BETAS)
        self.kept = self.state()

    def run(self, checkpoint: Path | None = None) -> bool:
        """Fit to the end; returns whether it was interrupted.

        Raises Diverged if halving the learning rate does not help.
        """
        made_with = "" if checkpoint is None else fingerprint(self)
        if checkpoint is not None:
            resume(self, checkpoint, made_with)
        total = self.settings.n_steps
        # processes of a grid do not draw bars over each other
        quiet: dict[str, Any] = {"disable": True} if multiprocessing.parent_process() else {}
        with tqdm(
            total=total, initial=self.progress.step, desc="ltrRNN", leave=False, **quiet
        ) as bar:
            try:
                while self.progress.step < total and self.progress.stale < self.settings.patience:
                    self._step(bar)
                    if checkpoint is not None and self.progress.step % CHECKPOINT_EVERY == 0:
                        save(self, checkpoint, made_with)
            except KeyboardInterrupt:
                return True
            finally:
                self._finish(bar)
        return False

    def _step(self, bar: tqdm) -> None:
        """One step of gradient descent, and a look at the losses now and then."""
        now = self.progress
        self._set_rate()
        data, network, readout = self._batch(), self.network, self.readout
        system = self._of_batch(network.system(), data)
        rollout = network.rollout(system, self._noise(system))
        rates = rollout.rates.detach()[data.seen]
        loss, residuals = readout.residuals(readout.predict(rates), data.activity, data.train)
        n_here = self.n_fitted if data is self.data else max(int(data.train.sum()), 1)
        train = self.loss_of(float(loss), n_here)
        if self._has_risen(train, noisy=data is not self.data):
            self._turn_back(train)
            return
        if now.step % LOOK_EVERY == 0:
            self._look(train, bar)
        if self.settings.likelihood == "gaussian":
            now.variance = 2 * float(loss) / n_here
        at_rates = torch.zeros_like(rollout.rates)
        at_rates[data.seen] = readout.pull_back(residuals) / n_here
        others = -network.log_prior() * (self._temperature() / self.n_fitted)
        if self.settings.penalty:
            size = rollout.latents.square().mean() + system.drive.square().mean()
            others = others + self.settings.penalty * size
        self.optimiser.zero_grad()
        outputs, gradients = [rollout.rates], [at_rates]
        if others.requires_grad:  # it does not without a prior and penalty
            outputs, gradients = [*outputs, others], [at_rates, torch.ones_like(others)]
        torch.autograd.backward(outputs, gradients)
        free = readout.free
        for name, gradient in readout.gradients(residuals, rates).items():
            free[name].grad = gradient / n_here
        self.optimiser.step()
        readout.retract()
        if now.step % EVERY == 0:
            readout.improve(residuals, rates, data.n_trials / self.data.n_trials)
        now.step += 1
        bar.update()

    def loss_of(self, negative_log_likelihood: float, n_entries: int) -> float:
        """Normalised mean squared error of rates; mean negative log-likelihood of counts."""
        mean = negative_log_likelihood / n_entries
        return mean if self.settings.likelihood == "poisson" else 2 * mean / self.spread

    def state(self) -> State:
        """Copies of everything that is fitted."""
        free = {f"network.{k}": v.detach().clone() for k, v in self.network.free.items()}
        readout = {"readout.matrix": self.readout.matrix, "readout.bias": self.readout.bias}
        return free | {name: value.detach().clone() for name, value in readout.items()}

    def restore(self, state: State) -> None:
        """Set everything that is fitted to an earlier state."""
        with torch.no_grad():
            for name, value in self.network.free.items():
                value.copy_(state[f"network.{name}"])
            self.readout.matrix.data.copy_(state["readout.matrix"])
            self.readout.bias.data.copy_(state["readout.bias"])

    def train_loss(self) -> float:
        """The loss over all entries that are fitted."""
        return self._loss_over(self.data.train)

    def validation_loss(self) -> float:
        """The loss over the entries held out from the fit; NaN if there are none."""
        held = self.data.validation
        return float("nan") if held is None else self._loss_over(held)

    def _loss_over(self, mask: Tensor) -> float:
        with torch.no_grad():
            rates = self.network.rollout(self.network.system()).rates[self.data.seen]
            predicted = self.readout.predict(rates)
            loss, _ = self.readout.residuals(predicted, self.data.activity, mask)
        return self.loss_of(float(loss), int(mask.sum()))

    def _look(self, train: float, bar: tqdm) -> None:
        now = self.progress
        validation = self.validation_loss()
        now.history.append((now.step, train, validation))
        bar.set_postfix(train=f"{train:.4f}", validation=f"{validation:.4f}")
        now.lowest = min(now.lowest, train)
        score = validation if np.isfinite(validation) else train
        if score < now.best:
            now.best, now.stale, self.kept = score, 0, self.state()
        elif np.isfinite(validation) and now.step > WARM_UP * self.settings.n_steps:
            now.stale += 1  # what a warm-up reaches is no measure of the fit

    def _finish(self, bar: tqdm) -> None:
        """A last look, and back to the best state unless batches make losses incomparable."""
        whole = self._batch_size() is None
        if whole:
            last = self.train_loss()
            if not self._has_risen(last, noisy=False):
                self._look(last, bar)
        if whole or self.data.validation is not None:
            self.restore(self.kept)
        if whole and self.settings.likelihood == "gaussian":
            self.progress.variance = self.train_loss() * self.spread

    def _has_risen(self, train: float, noisy: bool) -> bool:
        """Whether the loss is no number any more, or far above the lowest one."""
        lowest = self.progress.lowest
        if not np.isfinite(train) or not np.isfinite(lowest):
            return not np.isfinite(train)
        rise = max(RISEN * abs(lowest), LEAST_RISE[self.settings.likelihood])
        return train > lowest + rise * (NOISY if noisy else 1.0)

    def _turn_back(self, train: float) -> None:
        """Return to the best state with half the learning rate."""
        now = self.progress
        now.halvings += 1
        if now.halvings > HALVINGS:
            raise Diverged(
                f"The fit diverged at step {now.step} (loss {train:.3g}), and again after the "
                f"learning rate was halved {HALVINGS} times: lower learning_rate (now "
                f"{self.settings.learning_rate}), use more substeps, or centre the activity."
            )
        self.restore(self.kept)
        self.optimiser.state.clear()

    def _set_rate(self) -> None:
        """Warm-up, then a half cosine to zero; halved after each divergence."""
        now, total = self.progress, max(self.settings.n_steps, 1)
        share = now.step / total
        rise = min(1.0, (now.step + 1) / max(WARM_UP * total, 1))
        fall = 0.5 * (1 + np.cos(np.pi * max(0.0, share - WARM_UP) / (1 - WARM_UP)))
        rate = self.settings.learning_rate * rise * fall * 0.5**now.halvings
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]

    def _temperature(self) -> float:
        """Weight of the prior against the data's part, which is written for a variance of 1."""
        return 1.0 if self.settings.likelihood == "poisson" else self.progress.variance

    def _batch_size(self) -> int | None:
        """Trials in a batch; None if that is all of them."""
        size = self.settings.batch_trials
        return None if size is None or size >= self.data.n_trials else size

    def _batch(self) -> Data:
        size = self._batch_size()
        if size is None:
            return self.data
        chosen = torch.randperm(self.data.n_trials, generator=self.generator)[:size].sort().values
        self.chosen = chosen.to(self.data.activity.device)
        return self.data.of_trials(self.chosen)

    def _of_batch(self, system: System, data: Data) -> System:
        if data is self.data:
            return system
        return system._replace(trial_factors=system.trial_factors[:, self.chosen], group=data.group)

    def _noise(self, system: System) -> Tensor | None:
        """Fresh noise whose stationary standard deviation is `process_noise`."""
        if not self.settings.process_noise:
            return None
        size = (len(system.drive), system.columns.shape[1], system.trial_factors.shape[1])
        drawn = torch.randn(size, generator=self.generator, dtype=torch.float64).to(system.columns)
        return drawn * self.settings.process_noise * (2 * self.data.grid.step) ** 0.5

    def _readout_groups(self) -> list[dict[str, Any]]:
        sizes = {"readout": float(self.readout.matrix.square().mean().sqrt())}
        spread = self.spread**0.5 if self.settings.likelihood == "gaussian" else 1.0
        sizes["readout_bias"] = spread
        return [{"params": [v], "factor": sizes[k]} for k, v in self.readout.free.items()]


def _spread(data: Data) -> float:
    """Variance of the entries that are fitted; raises ValueError if it is zero."""

    def summed(centre: float, power: int) -> float:
        # time by time: choosing all entries at once would take many times their memory
        pairs = zip(data.activity, data.train, strict=True)
        return sum(float((now[kept].double() - centre).pow(power).sum()) for now, kept in pairs)

    n_entries = int(data.train.sum())
    spread = summed(summed(0.0, 1) / n_entries, 2) / n_entries
    if not spread > 0:
        raise ValueError("All entries to fit are equal: there is nothing to learn from them.")
    return spread
