"""The low-tensor-rank RNN (Pellegrino et al. 2023): model, fit, and what is read from it."""

from ltr_core.ltrrnn import recovery, uncertainty
from ltr_core.ltrrnn.model import DegenerateWarning, LtrRNN
from ltr_core.ltrrnn.simulation import Simulated, Truth, simulate_ltrrnn

__all__ = [
    "DegenerateWarning",
    "LtrRNN",
    "Simulated",
    "Truth",
    "recovery",
    "simulate_ltrrnn",
    "uncertainty",
]
