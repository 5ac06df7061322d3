"""Decomposition of a tensor of weights over learning, (step, post, pre)."""

from ltr_core.decomposition import nulls, synthetic
from ltr_core.decomposition.compression import compress
from ltr_core.decomposition.cp_decomposition import CP, cp
from ltr_core.decomposition.matching import Match, factor_match, match_components
from ltr_core.decomposition.nulls import (
    grows_along_itself,
    random_walk_null,
    rotated_steps_null,
    shared_subspace_energy,
    slice_truncation_energy,
)
from ltr_core.decomposition.rank_curves import RankCurve, rank_curve
from ltr_core.decomposition.unfolding import (
    energy_ranks,
    fold,
    mode_ranks,
    mode_spectra,
    unfold,
)

__all__ = [
    "CP",
    "Match",
    "RankCurve",
    "compress",
    "cp",
    "energy_ranks",
    "factor_match",
    "fold",
    "grows_along_itself",
    "match_components",
    "mode_ranks",
    "mode_spectra",
    "nulls",
    "random_walk_null",
    "rank_curve",
    "rotated_steps_null",
    "shared_subspace_energy",
    "slice_truncation_energy",
    "synthetic",
    "unfold",
]
