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
from ltr_core.theory.comparison import Comparison, MissedChange, compare, missed_change
from ltr_core.theory.equivalent import EquivalentNetwork, equivalent_network
from ltr_core.theory.factorisation import singular_value_bounds
from ltr_core.theory.fixed_point import FixedPointLearning, descend_fixed_point, two_unit_equivalent
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
from ltr_core.theory.overlap_learning import (
    LowRankLearning,
    OverlapLearning,
    descend_low_rank,
    descend_overlaps,
    overlap_flow,
)
from ltr_core.theory.overlaps import (
    LowRankNetwork,
    Overlaps,
    by_kind,
    network_with_overlaps,
    overlap_output,
    overlaps,
    visible_overlaps,
)
from ltr_core.theory.problems import Problem, random_problem
from ltr_core.theory.pulse_problems import PulseProblem, pulse_problem
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
    "EquivalentNetwork",
    "Expansion",
    "Factors",
    "FixedPointLearning",
    "LowRankLearning",
    "LowRankNetwork",
    "MissedChange",
    "ObservedRun",
    "OverlapLearning",
    "Overlaps",
    "Problem",
    "PulseProblem",
    "RankBounds",
    "ResolventNorms",
    "SubspaceBound",
    "Tail",
    "TailBounds",
    "amplification",
    "by_kind",
    "change_orders",
    "combination",
    "compare",
    "cp_bound",
    "descend",
    "descend_fixed_point",
    "descend_low_rank",
    "descend_overlaps",
    "equivalent_network",
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
    "network_with_overlaps",
    "observe_reaching",
    "observe_training",
    "overlap_flow",
    "overlap_output",
    "overlaps",
    "pulse_problem",
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
    "visible_overlaps",
]
