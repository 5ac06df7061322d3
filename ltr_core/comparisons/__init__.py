"""Models that an `LtrRNN` must beat or explain: without a network, or with another learning."""

from ltr_core.comparisons.free_low_rank import FreeLowRank
from ltr_core.comparisons.means import ConditionMean, EpochMean
from ltr_core.comparisons.networks import FixedWeights, TrialInputs
from ltr_core.comparisons.pca import PCAModel
from ltr_core.comparisons.shared_subspace import Shares, shared_subspace
from ltr_core.comparisons.tca import TCA

__all__ = [
    "TCA",
    "ConditionMean",
    "EpochMean",
    "FixedWeights",
    "FreeLowRank",
    "PCAModel",
    "Shares",
    "TrialInputs",
    "shared_subspace",
]
