"""Theory of learning in linear networks, to hold against simulation."""

from ltr_core.theory.comparison import (
    Comparison,
    MissedChange,
    compare,
    missed_change,
)
from ltr_core.theory.fixed_point import (
    FixedPointLearning,
    descend_fixed_point,
    two_unit_equivalent,
)
from ltr_core.theory.linear import (
    Expansion,
    amplification,
    expansion,
    learning_time,
    scaled_time,
    shuffled_loss,
    small_target_expansion,
    small_target_learning_time,
    spread,
    valid_until,
)
from ltr_core.theory.observed import observe_reaching, observe_training
from ltr_core.theory.problems import Problem, random_problem
from ltr_core.theory.resolvent import (
    ChangeOrders,
    ResolventNorms,
    change_orders,
    fixed_point_output,
    large_network_norms,
    resolvent_norms,
)
from ltr_core.theory.runs import Factors, ObservedRun, descend, factors_of_gradient
from ltr_core.theory.subspaces import invariant_subspace, spanned

__all__ = [
    "ChangeOrders",
    "Comparison",
    "Expansion",
    "Factors",
    "FixedPointLearning",
    "MissedChange",
    "ObservedRun",
    "Problem",
    "ResolventNorms",
    "amplification",
    "change_orders",
    "compare",
    "descend",
    "descend_fixed_point",
    "expansion",
    "factors_of_gradient",
    "fixed_point_output",
    "invariant_subspace",
    "large_network_norms",
    "learning_time",
    "missed_change",
    "observe_reaching",
    "observe_training",
    "random_problem",
    "resolvent_norms",
    "scaled_time",
    "shuffled_loss",
    "small_target_expansion",
    "small_target_learning_time",
    "spanned",
    "spread",
    "two_unit_equivalent",
    "valid_until",
]
