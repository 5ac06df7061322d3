"""The parameters of an ltrRNN's dynamics as they are fitted, and the system they make.

Column and row factors are free vectors of which only the direction counts; latents are in units
of sqrt(units), so that one learning rate suits all.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.ltrrnn.data import Data
from ltr_core.ltrrnn.dynamics_start import Dynamics
from ltr_core.ltrrnn.inputs import BasisInputs, Free, Inputs, NeuralODEInputs, NoInputs
from ltr_core.ltrrnn.integration import Rollout, System, drive_nodes, integrate
from ltr_core.ltrrnn.kernel import covariance
from ltr_core.ltrrnn.settings import Settings

#: How much faster than the rest trial factors learn.
TRIAL_RATE = 3.0


class Network:
    """What is fitted of the dynamics (`free`), and what stays as it is."""

    def __init__(self, settings: Settings, data: Data) -> None:
        self.settings = settings
        self.data = data
        self.dtype = getattr(torch, settings.dtype)
        self.device = data.activity.device
        self.nodes = drive_nodes(settings.scheme)
        self.inputs = self._inputs()
        self.free: Free = {}
        if settings.trial_factors == "smooth":
            over_trials = covariance(settings.smoothness, data.trial_id, data.epoch_index)
            self.chol = self._tensor(np.linalg.cholesky(over_trials))

    def start(self, dynamics: Dynamics, generator: torch.Generator) -> None:
        """Take over an estimate of the parameters."""
        free = {
            "columns": self._tensor(dynamics.columns),
            "rows": self._tensor(dynamics.rows),
            "mean_factors": self._tensor(dynamics.trial_factors.mean(1, keepdims=True)),
        }
        around = self._tensor(dynamics.trial_factors) - free["mean_factors"]
        if self.settings.trial_factors == "smooth":
            free["factors"] = self._smooth_start(around)
        elif self.settings.trial_factors == "independent":
            free["factors"] = around
        if self.settings.initial_state == "condition":
            free["initial"] = self._per_group(self._tensor(dynamics.initial))
        if self.settings.bias:
            free["bias"] = torch.zeros(len(dynamics.columns), dtype=self.dtype, device=self.device)
        wanted = self._at_nodes(self._per_group(self._tensor(dynamics.inputs)))
        self.n_driven = wanted.shape[2]
        free |= self.inputs.start(wanted, generator)
        self.free = {name: value.clone().requires_grad_() for name, value in free.items()}

    def rates_of_learning(self) -> list[dict[str, object]]:
        """Groups of parameters with a factor of the learning rate, for the optimiser."""
        fast = [self.free[name] for name in ("factors", "mean_factors") if name in self.free]
        slow = [v for k, v in self.free.items() if k not in ("factors", "mean_factors")]
        return [{"params": slow, "factor": 1.0}, {"params": fast, "factor": TRIAL_RATE}]

    def system(self) -> System:
        """The parameters as the integration takes them."""
        free = self.free
        root = len(free["columns"]) ** 0.5
        columns = free["columns"] / free["columns"].norm(dim=0) * root
        rows = free["rows"] / free["rows"].norm(dim=0) / root
        drive = self.inputs.drive(free)
        n_groups, n_latents = drive.shape[3], columns.shape[1]
        if self.n_driven < n_latents:  # inputs have columns of their own, the last ones
            none = drive.new_zeros(*drive.shape[:2], n_latents - self.n_driven, n_groups)
            drive = torch.cat([none, drive], 2)
        initial = free.get("initial", columns.new_zeros(n_latents, n_groups))
        bias = free.get("bias", columns.new_zeros(len(columns)))
        factors = self.trial_factors()
        return System(columns, rows, factors, bias, initial, drive, self.data.group)

    def trial_factors(self) -> Float[Tensor, "rank trial"]:
        """c: their mean, and what they add to it in each trial."""
        mean = self.free["mean_factors"]
        if "factors" not in self.free:
            return mean.expand(-1, self.data.n_trials)
        around = self.free["factors"]
        return mean + (around @ self.chol.T if self.settings.trial_factors == "smooth" else around)

    def rollout(self, system: System, noise: Tensor | None = None) -> Rollout:
        """Latents and rates at the recorded times."""
        grid = self.data.grid
        return integrate(system, grid.step, self.settings.scheme, grid.substeps, noise)

    def log_prior(self) -> Tensor:
        """Minus |z|^2 / 2 of the smooth trial factors' z, without its constant."""
        if self.settings.trial_factors != "smooth":
            return self.free["columns"].new_zeros(())
        return -0.5 * self.free["factors"].square().sum()

    def _inputs(self) -> Inputs:
        settings, active = self.settings, self.data.grid.active
        if settings.inputs == "none":
            return NoInputs()
        if settings.inputs == "neural_ode":
            return NeuralODEInputs(self.nodes, active, settings.n_hidden, len(active) / 4)
        return BasisInputs(self.nodes, active, settings.n_bumps, self.dtype)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.tensor(np.asarray(array), dtype=self.dtype, device=self.device)

    def _per_group(self, per_condition: Tensor) -> Tensor:
        if self.settings.inputs_vary_with == "condition":
            return per_condition
        return per_condition[..., self.data.condition]

    def _at_nodes(self, wanted: Float[Tensor, "time driven group"]) -> Tensor:
        """Interpolated from recorded times to the nodes of every step; zero where none acts."""
        grid = self.data.grid
        steps = torch.arange(len(grid.active), device=self.device, dtype=self.dtype)
        at = (steps[:, None] + torch.tensor(self.nodes, device=self.device)) / grid.substeps
        at = at.clamp(max=len(wanted) - 1)
        before = at.floor().long().clamp(max=len(wanted) - 2)
        share = (at - before).to(self.dtype)[..., None, None]
        drive = (1 - share) * wanted[before] + share * wanted[before + 1]
        return drive * grid.active[:, None, None, None]

    def _smooth_start(self, around: Float[Tensor, "rank trial"]) -> Float[Tensor, "rank trial"]:
        """z of the prior's mean given rough trial factors (their own part is as large as noise)."""
        over_trials = self.chol @ self.chol.T
        eye = torch.eye(len(over_trials), dtype=self.dtype, device=self.device)
        weighted = torch.linalg.solve(over_trials + 0.3**2 * eye, around.T)
        return (self.chol.T @ weighted).T
