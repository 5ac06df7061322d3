"""What the weights make activity do: fixed points, vector fields, spectra, and their changes."""

from ltr_core.dynamics.agreement import (
    FixedPointMatch,
    VelocityAgreement,
    change_agreement,
    flow_agreement,
    match_fixed_points,
)
from ltr_core.dynamics.conditions import Learned, against_truth
from ltr_core.dynamics.epochs import EpochChange, compare_flows, epoch_changes, latent_flow
from ltr_core.dynamics.fields import Plane, VectorField, principal_plane, vector_field
from ltr_core.dynamics.fixed_points import FixedPoints, fixed_points, starts_from
from ltr_core.dynamics.flows import LatentFlow, NetworkFlow
from ltr_core.dynamics.interface import Flow, NeuralFlow
from ltr_core.dynamics.spectra import random_subspace_angles, spectrum, subspace_angles

__all__ = [
    "EpochChange",
    "FixedPointMatch",
    "FixedPoints",
    "Flow",
    "LatentFlow",
    "Learned",
    "NetworkFlow",
    "NeuralFlow",
    "Plane",
    "VectorField",
    "VelocityAgreement",
    "against_truth",
    "change_agreement",
    "compare_flows",
    "epoch_changes",
    "fixed_points",
    "flow_agreement",
    "latent_flow",
    "match_fixed_points",
    "principal_plane",
    "random_subspace_angles",
    "spectrum",
    "starts_from",
    "subspace_angles",
    "vector_field",
]
