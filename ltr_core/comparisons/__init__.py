"""Models of a recording without a network, which a network must beat or explain."""

from ltr_core.comparisons.means import ConditionMean, EpochMean
from ltr_core.comparisons.pca import PCAModel
from ltr_core.comparisons.tca import TCA

__all__ = ["TCA", "ConditionMean", "EpochMean", "PCAModel"]
