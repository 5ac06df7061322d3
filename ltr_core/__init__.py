"""Simulation, learning and decomposition of networks whose weights are low tensor rank.

Tasks and networks
    `Reaching`, `Hand`                  centre-out reaching with a point-mass hand
    `CurlField`, `VisuomotorRotation`   what perturbs it
    `ForceField`                        any force that is linear in the hand's velocity
    `Task`, `Trials`                    what every task offers; what it asks for
    `FlipFlop`                          remember the last of many pulses
    `ContextDecision`                   judge the sense that the context names
    `DelayedDiscrimination`             compare two stimuli over a delay
    `FixedPoint`, `Cosine`              for linear networks: settle at a value; oscillate
    `Associations`                      inputs with a target each; linear or arbitrary
    `Noisy`                             noise in a task's inputs, its targets, or every unit
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

import lazy_loader

# A module is loaded when one of its names is first used: most bring torch, which takes seconds.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
