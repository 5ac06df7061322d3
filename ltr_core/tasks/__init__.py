"""Tasks: what a network is shown and what it is asked to do.

A task is a frozen dataclass of named settings with ``sample(n_trials, rng)``, which returns
`Trials`, and a few properties more (`Task`). Its time step and time axis are in its own unit of
time, in which the time constant of a network must be given.

Centre-out `Reaching` is in seconds, metres and radians, and has a body: `Hand`, a point mass that
the network's output pushes, and a perturbation that acts on it (`CurlField`, or any linear
`ForceField`) or on what is seen of it (`VisuomotorRotation`).

The others are those of Schuessler et al. (2020), in units of the networks' time constant, with the
published settings as defaults: `FlipFlop`, `ContextDecision`, `DelayedDiscrimination`, and for
linear networks `FixedPoint` and `Cosine`. Each phase is rounded down to whole steps, and step t
shows the input and takes the target of the time at which it begins.

The companion's own, in the same units: `Associations`, inputs with a target each, and `Noisy`,
which puts noise on any task.
"""

from ltr_core.tasks.associations import Associations
from ltr_core.tasks.context_decision import ContextDecision
from ltr_core.tasks.cosine import Cosine
from ltr_core.tasks.delayed_discrimination import DelayedDiscrimination
from ltr_core.tasks.fixed_point import FixedPoint
from ltr_core.tasks.flip_flop import FlipFlop
from ltr_core.tasks.hand import (
    CurlField,
    ForceField,
    Hand,
    HandPath,
    Perturbation,
    VisuomotorRotation,
)
from ltr_core.tasks.noisy import Noisy, with_private_inputs
from ltr_core.tasks.reaching import Reaching, lateral_deviation
from ltr_core.tasks.trials import Task, Trials

__all__ = [
    "Associations",
    "ContextDecision",
    "Cosine",
    "CurlField",
    "DelayedDiscrimination",
    "FixedPoint",
    "FlipFlop",
    "ForceField",
    "Hand",
    "HandPath",
    "Noisy",
    "Perturbation",
    "Reaching",
    "Task",
    "Trials",
    "VisuomotorRotation",
    "lateral_deviation",
    "with_private_inputs",
]
