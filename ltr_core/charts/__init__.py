"""Altair charts in one house style, and how they are shown in the book."""

from ltr_core.charts.curves import curves
from ltr_core.charts.output import figure_bundle, records, show
from ltr_core.charts.reaching import hand_paths
from ltr_core.charts.tensors import matrices, tensor_explorer, trial_factors

__all__ = [
    "curves",
    "figure_bundle",
    "hand_paths",
    "matrices",
    "records",
    "show",
    "tensor_explorer",
    "trial_factors",
]
