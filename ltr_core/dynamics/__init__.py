"""What the weights make activity do: fixed points, vector fields, spectra, and their changes."""

from ltr_core.dynamics.fields import VectorField
from ltr_core.dynamics.fixed_points import FixedPoints
from ltr_core.dynamics.flows import Flow, LatentFlow, NetworkFlow, NeuralFlow

__all__ = [
    "FixedPoints",
    "Flow",
    "LatentFlow",
    "NetworkFlow",
    "NeuralFlow",
    "VectorField",
]
