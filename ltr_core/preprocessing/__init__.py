"""From a recording as it was loaded to one that a model is fitted to.

Each function takes a `Recording` and returns another one; the labels of its trials go with it.
`smooth` and `running_average` carry what was measured at one time or trial to its neighbours. Where
a model is tested on held-out blocks, the blocks taken out of its training must reach as far
(`train` of `held_out_blocks`).
"""

from ltr_core.preprocessing.averages import grouped_average, rebin, running_average, smooth
from ltr_core.preprocessing.choosing import align, cut, cut_to_common, keep
from ltr_core.preprocessing.scaling import soft_normalise, square_root, to_rates, z_score

__all__ = [
    "align",
    "cut",
    "cut_to_common",
    "grouped_average",
    "keep",
    "rebin",
    "running_average",
    "smooth",
    "soft_normalise",
    "square_root",
    "to_rates",
    "z_score",
]
