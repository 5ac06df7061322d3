"""Simulation, learning and decomposition of networks whose weights are low tensor rank.

Tasks and networks
    `Reaching`, `Hand`                  centre-out reaching with a point-mass hand
    `CurlField`, `VisuomotorRotation`   what perturbs it
    `Task`, `Trials`                    what every task offers; what it asks for
    `FlipFlop`                          remember the last of many pulses
    `ContextDecision`                   judge the sense that the context names
    `DelayedDiscrimination`             compare two stimuli over a delay
    `FixedPoint`, `Cosine`              for linear networks: settle at a value; oscillate
    `RNN`, `random_networks`            the rate network; a batch of random ones
    `simulate`                          its activity and output
Learning
    `pretrain`                          bring networks to proficiency
    `adaptation_schedule`, `Epoch`      baseline, perturbed, washout trials
    `record_learning`                   learn trial by trial and keep every step's weights
    `course`, `replay`                  the course of the errors; behaviour with other weights
    `theory`                            module: how linear networks learn, in closed form
Decomposition
    `CP`, `cp`, `rank_curve`            CP decomposition; its fit over ranks and seeds
    `factor_match`, `match_components`  how alike two decompositions are; which correspond
    `mode_spectra`, `mode_ranks`        singular values and ranks of a tensor's unfoldings
    `energy_ranks`                      components per mode that hold a fraction of the norm
Recordings
    `Recording`                         activity over learning: trials x times x neurons, labelled
    `load`, `fetch`                     one from a file; the path of a published data set
    `preprocessing`                     module: bin, smooth, scale, choose, align, average
    `held_out_blocks`, `HeldOut`        blocks that test a model, and what it may be fitted to
    `simulate_ltrrnn`                   recordings made by the model itself, with the truth known
The model
    `LtrRNN`                            the low-tensor-rank RNN: fit, predict, score, save, load
    `comparisons`                       module: what it must beat, in the same interface
    `cross_validate`, `grid_search`     held-out scores over settings, seeds and masks
    `one_standard_error`                the smallest setting that is as good as the best
    `recovery`, `uncertainty`           modules: a fit against the truth; intervals
    `dynamics`                          module: fixed points, vector fields, spectra, changes
    `relearn_to_reach`                  the reaching experiment in one call
Language
    `sentiment`                         module: an LSTM that reads film reviews, and truncations
The book
    `Chapter`                           scale, seed, claims, published values of a chapter
    `charts`                            module: pictures in house style
    `nulls`, `synthetic`                modules: what low rank must beat; known components
"""

from ltr_core import charts, comparisons, dynamics, preprocessing, sentiment, theory
from ltr_core.adaptation import course, replay
from ltr_core.claims import Chapter
from ltr_core.decomposition import (
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
from ltr_core.experiments import relearn_to_reach
from ltr_core.held_out import HeldOut, held_out_blocks
from ltr_core.learning import Epoch, adaptation_schedule, record_learning
from ltr_core.loaders import load
from ltr_core.ltrrnn import LtrRNN, recovery, simulate_ltrrnn, uncertainty
from ltr_core.model_selection import cross_validate, grid_search, one_standard_error
from ltr_core.pretraining import pretrain
from ltr_core.recordings import Recording
from ltr_core.registry import fetch
from ltr_core.rnn import RNN, random_networks, simulate
from ltr_core.tasks import (
    ContextDecision,
    Cosine,
    CurlField,
    DelayedDiscrimination,
    FixedPoint,
    FlipFlop,
    Hand,
    Reaching,
    Task,
    Trials,
    VisuomotorRotation,
)

__all__ = [
    "CP",
    "RNN",
    "Chapter",
    "ContextDecision",
    "Cosine",
    "CurlField",
    "DelayedDiscrimination",
    "Epoch",
    "FixedPoint",
    "FlipFlop",
    "Hand",
    "HeldOut",
    "LtrRNN",
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
