"""Theory of learning in linear networks, to hold against simulation."""

from ltr_core.theory.bounds import (
    RUNGS,
    RankBounds,
    Tail,
    TailBounds,
    cp_bound,
    ladder,
    learned_part,
    rank_bounds,
    tail_bounds,
)
from ltr_core.theory.comparison import (
    Comparison,
    MissedChange,
    compare,
    missed_change,
)
from ltr_core.theory.factorisation import singular_value_bounds
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
from ltr_core.theory.runs import (
    LOSSES,
    Factors,
    ObservedRun,
    combination,
    descend,
    factors_of_gradient,
)
from ltr_core.theory.structureless import SubspaceBound, leak, subspace_bound
from ltr_core.theory.subspaces import invariant_subspace, spanned

__all__ = [
    "LOSSES",
    "RUNGS",
    "ChangeOrders",
    "Comparison",
    "Expansion",
    "Factors",
    "FixedPointLearning",
    "MissedChange",
    "ObservedRun",
    "Problem",
    "RankBounds",
    "ResolventNorms",
    "SubspaceBound",
    "Tail",
    "TailBounds",
    "amplification",
    "change_orders",
    "combination",
    "compare",
    "cp_bound",
    "descend",
    "descend_fixed_point",
    "expansion",
    "factors_of_gradient",
    "fixed_point_output",
    "invariant_subspace",
    "ladder",
    "large_network_norms",
    "leak",
    "learned_part",
    "learning_time",
    "missed_change",
    "observe_reaching",
    "observe_training",
    "random_problem",
    "rank_bounds",
    "resolvent_norms",
    "scaled_time",
    "shuffled_loss",
    "singular_value_bounds",
    "small_target_expansion",
    "small_target_learning_time",
    "spanned",
    "spread",
    "subspace_bound",
    "tail_bounds",
    "two_unit_equivalent",
    "valid_until",
]
