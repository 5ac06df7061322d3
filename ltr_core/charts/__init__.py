"""Altair charts in one house style, and how they are shown in the book."""

from ltr_core.charts.bounds import bound_explorer, ladder_points, tail_panels
from ltr_core.charts.courses import courses
from ltr_core.charts.curves import curves
from ltr_core.charts.factors import factor_bands
from ltr_core.charts.fits import compared, losses, scores
from ltr_core.charts.flows import flow_fields
from ltr_core.charts.linked import linked_trials
from ltr_core.charts.masks import held_out
from ltr_core.charts.neurons import neurons
from ltr_core.charts.output import figure_bundle, records, show
from ltr_core.charts.overview import Overview, overview
from ltr_core.charts.panels import curve_panels, eigenvalue_panels
from ltr_core.charts.population import peak_order, population, population_panels
from ltr_core.charts.projections import initial_states, inputs, projections
from ltr_core.charts.reaching import hand_paths
from ltr_core.charts.runs import runs
from ltr_core.charts.settings import settings_map
from ltr_core.charts.spectra import spectra
from ltr_core.charts.tensors import matrices, tensor_explorer, trial_factors
from ltr_core.charts.theory import Predicted, predictions
from ltr_core.charts.through_learning import through_learning
from ltr_core.charts.trials import trials

__all__ = [
    "Overview",
    "Predicted",
    "bound_explorer",
    "compared",
    "courses",
    "curve_panels",
    "curves",
    "eigenvalue_panels",
    "factor_bands",
    "figure_bundle",
    "flow_fields",
    "hand_paths",
    "held_out",
    "initial_states",
    "inputs",
    "ladder_points",
    "linked_trials",
    "losses",
    "matrices",
    "neurons",
    "overview",
    "peak_order",
    "population",
    "population_panels",
    "predictions",
    "projections",
    "records",
    "runs",
    "scores",
    "settings_map",
    "show",
    "spectra",
    "tail_panels",
    "tensor_explorer",
    "through_learning",
    "trial_factors",
    "trials",
]
