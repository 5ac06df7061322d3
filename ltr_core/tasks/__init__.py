"""Tasks: what a network is shown and what it is asked to do.

A task is a frozen dataclass of named settings (durations in seconds, lengths in metres,
angles in radians) with ``sample(n_trials, rng)``, which returns `Trials`. The reaching task
of the weight-tensor chapters also has a body: `Hand`, a point mass that the network's output
pushes, and a perturbation that acts on it (`CurlField`) or on what is seen of it
(`VisuomotorRotation`).
"""

from ltr_core.tasks.hand import CurlField, Hand, HandPath, Perturbation, VisuomotorRotation
from ltr_core.tasks.reaching import Reaching, lateral_deviation
from ltr_core.tasks.trials import Task, Trials

__all__ = [
    "CurlField",
    "Hand",
    "HandPath",
    "Perturbation",
    "Reaching",
    "Task",
    "Trials",
    "VisuomotorRotation",
    "lateral_deviation",
]
