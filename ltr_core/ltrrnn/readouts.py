"""From rates of units to what is observed: the readout, the likelihood and their gradient.

Predictions are ``gain * D @ phi(x) + d``: rates for the Gaussian likelihood, the logarithm of the
expected count for the Poisson one. Residuals are the gradient of the negative log-likelihood with
respect to the predictions, so that everything else follows from them by products.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ltr_core.ltrrnn.initialisation import Start
from ltr_core.ltrrnn.settings import Settings

#: The Procrustes step goes this much further than the best readout for the filled-in entries.
RELAXATION = 1.8
#: Steps from one Procrustes step to the next.
EVERY = 3
#: Expected counts per bin stay below exp of this.
LARGEST_LOG_COUNT = 12.0

Rates = Float[Tensor, "seen unit trial"]
Entries = Float[Tensor, "seen neuron trial"]


class Readout:
    """The readout: fixed, stepped by Procrustes, or learned by gradient descent."""

    def __init__(self, settings: Settings, start: Start, like: Tensor) -> None:
        self.kind = settings.readout
        self.poisson = settings.likelihood == "poisson"
        self.gain = start.gain
        matrix = torch.tensor(start.readout, dtype=like.dtype, device=like.device)
        self.matrix: Float[Tensor, "neuron unit"] = matrix
        offset = torch.tensor(start.readout_bias, dtype=like.dtype, device=like.device)
        self.bias: Float[Tensor, " neuron"] = offset
        self.has_bias = settings.readout_bias or self.poisson
        self.by_procrustes = self.kind == "orthonormal" and not self.poisson
        self.moment: Tensor | None = None

    @property
    def free(self) -> dict[str, Tensor]:
        """What is learned by gradient descent."""
        free = {}
        if self.kind != "identity" and not self.by_procrustes:
            free["readout"] = self.matrix
        if self.has_bias:
            free["readout_bias"] = self.bias
        return free

    def predict(self, rates: Rates) -> Entries:
        """Predictions for the rates of units."""
        linear = rates if self.kind == "identity" else torch.matmul(self.matrix, rates)
        if self.gain != 1.0:
            linear = linear * self.gain
        return linear + self.bias[:, None] if self.has_bias else linear

    def residuals(
        self, predicted: Entries, activity: Entries, mask: Bool[Tensor, "seen neuron trial"]
    ) -> tuple[Tensor, Entries]:
        """Summed negative log-likelihood (for a variance of 1), and its gradient."""
        if self.poisson:
            expected = predicted.clamp(max=LARGEST_LOG_COUNT).exp()
            loss = torch.where(mask, expected - activity * predicted, 0).sum()
            return loss, (expected - activity).mul_(mask)
        off = predicted - activity  # not in place: without a readout, predictions are the rates
        off = off.mul_(mask)
        return 0.5 * off.square().sum(), off

    def pull_back(self, residuals: Entries) -> Rates:
        """Gradient with respect to the rates of units."""
        pulled = residuals if self.kind == "identity" else torch.matmul(self.matrix.T, residuals)
        return pulled * self.gain if self.gain != 1.0 else pulled

    def gradients(self, residuals: Entries, rates: Rates) -> dict[str, Tensor]:
        """Gradient with respect to what is learned by gradient descent."""
        wanted = {}
        if "readout" in self.free:
            wanted["readout"] = self.gain * _summed_product(residuals, rates)
        if self.has_bias:
            wanted["readout_bias"] = residuals.sum((0, 2))
        return wanted

    def improve(self, residuals: Entries, rates: Rates, share: float) -> None:
        """One Procrustes step: entries that are not fitted are taken to be as predicted.

        For minibatches of a `share` of the trials, what it steps towards is averaged over them.
        """
        if not self.by_procrustes:
            return
        far = RELAXATION if share == 1 else 1.0
        moment = self.matrix @ _summed_product(rates, rates)
        moment -= _summed_product(residuals, rates) * (far / self.gain)
        if share < 1 and self.moment is not None:
            moment = (1 - share) * self.moment + share * moment
        self.moment = moment
        left, _, right = torch.linalg.svd(moment, full_matrices=False)
        self.matrix = left @ right

    def retract(self) -> None:
        """Bring a readout that was learned by gradient descent back to orthonormal columns."""
        if self.kind == "orthonormal" and not self.by_procrustes:
            left, _, right = torch.linalg.svd(self.matrix.detach(), full_matrices=False)
            self.matrix.data.copy_(left @ right)


def _summed_product(
    first: Float[Tensor, "seen left trial"], second: Float[Tensor, "seen right trial"]
) -> Float[Tensor, "left right"]:
    """Sum over times and trials of first times second transposed."""
    total = first.new_zeros(first.shape[1], second.shape[1])
    for left, right in zip(first, second, strict=True):
        total.addmm_(left, right.T)
    return total
