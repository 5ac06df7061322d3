"""Simulation, learning and decomposition of networks whose weights are low tensor rank.

Tasks and networks
    `Reaching`, `Hand`                  centre-out reaching with a point-mass hand
    `CurlField`, `VisuomotorRotation`   what perturbs it
    `RNN`, `random_networks`            the rate network; a batch of random ones
    `simulate`                          its activity and output
Learning
    `pretrain`                          bring networks to proficiency
    `adaptation_schedule`, `Epoch`      baseline, perturbed, washout trials
    `record_learning`                   learn trial by trial and keep every step's weights
    `course`, `replay`                  the course of the errors; behaviour with other weights
Decomposition
    `CP`, `cp`, `rank_curve`            CP decomposition; its fit over ranks and seeds
    `factor_match`, `match_components`  how alike two decompositions are; which correspond
    `mode_spectra`, `mode_ranks`        singular values and ranks of a tensor's unfoldings
    `energy_ranks`                      components per mode that hold a fraction of the norm
The book
    `Chapter`                           scale, seed and claims of a chapter
    `charts`                            module: pictures in house style
    `nulls`, `synthetic`                modules: what low rank must beat; known components
"""

from ltr_core import charts
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
from ltr_core.learning import Epoch, adaptation_schedule, record_learning
from ltr_core.pretraining import pretrain
from ltr_core.rnn import RNN, random_networks, simulate
from ltr_core.tasks import CurlField, Hand, Reaching, VisuomotorRotation

__all__ = [
    "CP",
    "RNN",
    "Chapter",
    "CurlField",
    "Epoch",
    "Hand",
    "Reaching",
    "VisuomotorRotation",
    "adaptation_schedule",
    "charts",
    "course",
    "cp",
    "energy_ranks",
    "factor_match",
    "match_components",
    "mode_ranks",
    "mode_spectra",
    "nulls",
    "pretrain",
    "random_networks",
    "rank_curve",
    "record_learning",
    "replay",
    "simulate",
    "synthetic",
]
