# Where each public name is defined: __init__.py reads it from here.

from . import charts, comparisons, dynamics, preprocessing, sentiment, theory
from .adaptation import course, replay
from .claims import Chapter
from .decomposition import (
    CP,
    cp,
    energy_ranks,
    factor_match,
    match_components,
    mode_ranks,
    mode_spectra,
    nulls,
    rank_curve,
    synthetic,
)
from .experiments import relearn_to_reach
from .held_out import HeldOut, held_out_blocks
from .learning import Epoch, adaptation_schedule, record_learning
from .loaders import load
from .ltrrnn import LtrRNN, recovery, simulate_ltrrnn, uncertainty
from .model_selection import cross_validate, grid_search, one_standard_error
from .pretraining import pretrain
from .recordings import Recording
from .registry import fetch
from .rnn import RNN, random_networks, simulate
from .tasks import (
    Associations,
    ContextDecision,
    Cosine,
    CurlField,
    DelayedDiscrimination,
    FixedPoint,
    FlipFlop,
    ForceField,
    Hand,
    Noisy,
    Reaching,
    Task,
    Trials,
    VisuomotorRotation,
)

__all__ = [
    "CP",
    "RNN",
    "Associations",
    "Chapter",
    "ContextDecision",
    "Cosine",
    "CurlField",
    "DelayedDiscrimination",
    "Epoch",
    "FixedPoint",
    "FlipFlop",
    "ForceField",
    "Hand",
    "HeldOut",
    "LtrRNN",
    "Noisy",
    "Reaching",
    "Recording",
    "Task",
    "Trials",
    "VisuomotorRotation",
    "adaptation_schedule",
    "charts",
    "comparisons",
    "course",
    "cp",
    "cross_validate",
    "dynamics",
    "energy_ranks",
    "factor_match",
    "fetch",
    "grid_search",
    "held_out_blocks",
    "load",
    "match_components",
    "mode_ranks",
    "mode_spectra",
    "nulls",
    "one_standard_error",
    "preprocessing",
    "pretrain",
    "random_networks",
    "rank_curve",
    "record_learning",
    "recovery",
    "relearn_to_reach",
    "replay",
    "sentiment",
    "simulate",
    "simulate_ltrrnn",
    "synthetic",
    "theory",
    "uncertainty",
]
