# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The ltrRNN, step by step
#
# In [the chapter on re-learning to reach](02_relearning_to_reach.py) we
# held the weights of a learning network in our hands. In an experiment
# nobody does: there is the activity of some neurons, trial after trial,
# and that is all. What changed in the connections must be *inferred*.
#
# {cite:t}`pellegrino2023` do so with a model that they call the ltrRNN: a
# recurrent network whose weights over trials are a tensor of low rank,
# fitted to the activity. Their claim, **P4**, is that this recovers the
# structure of learning from activity alone. Whether it does is the
# question of [the next chapter](08_recovery.py). This one builds the
# model, one part at a time, fits it to networks that re-learn to reach,
# and asks what must be true first: does it describe the activity better
# than models that know nothing of learning, or that put learning
# elsewhere?
#
# *What is theirs and what is ours.* The model (weights, trial factors and
# their prior, inputs of the condition) and the way of holding activity
# out are the paper's. The reduction to latent variables is exact and
# follows from the equations; this implementation, the comparisons, the
# networks, the criteria and all thresholds are ours.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import warnings

import numpy as np
import torch
from myst_nb import glue

from ltr_core import Chapter, charts
from ltr_core.comparisons import (
    TCA,
    ConditionMean,
    EpochMean,
    FixedWeights,
    FreeLowRank,
    PCAModel,
    TrialInputs,
)
from ltr_core.dynamics import (
    Plane,
    fixed_points,
    latent_flow,
    spectrum,
    starts_from,
    vector_field,
)
from ltr_core.experiments import relearn_to_reach
from ltr_core.held_out import HeldOut, held_out_blocks
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN
from ltr_core.ltrrnn.full_space import full_system, integrate_full
from ltr_core.ltrrnn.integration import System, integrate
from ltr_core.ltrrnn.kernel import Smoothness, covariance
from ltr_core.ltrrnn.uncertainty import trial_factor_intervals
from ltr_core.model_selection import grid_search, one_standard_error
from ltr_core.recordings import Recording
from ltr_core.surrogates import shuffle_trials

chapter = Chapter("07_ltrrnn", scale=scale, seed=seed)
short, full = (10, 16, 16), (50, 100, 100)
sizes = chapter.at_scale(
    smoke={"networks": 1, "units": 24, "trials": short, "every": 1},
    book={"networks": 3, "units": 100, "trials": full, "every": 2},
    paper={"networks": 10, "units": 200, "trials": full, "every": 1},
)
n_networks, n_units = sizes["networks"], sizes["units"]
print(
    f"{scale} scale, seed {seed}: {n_networks} networks, {n_units} units "
    "each, half of them recorded"
)

# %% [markdown]
# ## The claims, before the results
#
# A model's **held-out error** is the mean squared error on activity that
# it was not fitted to, as a share of that activity's variance: 0 is
# perfect, 1 is no better than one constant.
#
# A *condition* is one of the targets. The trials come in three *epochs*:
# the **baseline**, in which nothing disturbs the reach; the **field**
# (called *perturbed* in the figures), in which a **curl field** pushes
# the hand aside, that is, a force at right angles to the hand's velocity
# and in proportion to it; and the **washout**, in which it is off again.
# *Plain models* are the mean of each condition, the mean of each
# condition in each epoch, and a network with the same inputs whose
# weights do not change.
#
# The settings (the rank and the rest) and the thresholds were chosen in
# pilot runs on networks of another seed. Criteria and thresholds were
# then committed to the repository before this chapter first ran on the
# networks that it shows.

# %% tags=["remove-input"]
OURS = "the companion's own check"
reduction = chapter.claim(
    "P4.reduction",
    statement="The latent equation, with as many variables as "
    "components and input columns, is the network: same rates, same "
    "gradients.",
    source=OURS,
    criterion="In every one of five random networks, rates and "
    "gradients computed from the latent equation differ from those of "
    "the simulation of all units by less than 1e-10 of their norm (64 "
    "bits). If one input column is left out of the latent equation, "
    "it must not pass.",
    expression="max(rates) < 1e-10 and max(gradients) < 1e-10",
)

# %% tags=["remove-input"]
learning_shows = chapter.claim(
    "P4.learning-shows",
    statement="Weights that change smoothly over trials describe the "
    "activity better than any plain model, and better in the order in "
    "which the trials came than in another.",
    source="Pellegrino, Cayco-Gajic & Chadwick 2023, the model's "
    "premise; the criterion is ours",
    criterion="In every network the ltrRNN's held-out error is at most "
    "0.67 times the least among the three plain models, and at most 0.8 "
    "times its own error when the same trials are shuffled within their "
    "conditions. A recording in which the trials of each neuron are "
    "shuffled on their own, so that neurons do not change together, must "
    "not pass.",
    expression="max(error / plain) <= 0.67 and "
    "max(error / shuffled) <= 0.8",
)

# %% tags=["remove-input"]
weights_or_inputs = chapter.claim(
    "P4.weights-or-inputs",
    statement="Held-out activity tells learning in the weights from "
    "learning in the inputs: the ltrRNN predicts it better than a "
    "network with fixed weights whose inputs are free in every trial.",
    source=OURS + ", of what the model takes for granted",
    criterion="In every network the ltrRNN's held-out error is below "
    "that of the network with an input and an initial state of its own "
    "for each trial. The network in which neither weights nor inputs "
    "change must not pass. (In the pilot runs this did not hold; it is "
    "the question that a reader will ask.)",
    expression="max(error / trial_inputs) < 1",
)

# %% [markdown]
# ## The recording
#
# The networks are those of [the chapter on re-learning to
# reach](02_relearning_to_reach.py), but start and learn otherwise. There,
# learning changed the weights by very little, and the activity hardly
# showed it. Here the random weights that training starts from are smaller
# (`g`, `input_scale` and `output_scale` below multiply the recurrent, the
# input and the output weights), and the learning rate is larger; to move
# the hand otherwise, such a network must change what its units do. In the
# literature the two settings are called *lazy* and *rich*. The rich one
# was chosen because learning shows in its activity, not because anything
# is recovered well from it. These networks are also less proficient, and
# still improve during the baseline.
#
# As in an experiment, not everything is recorded:
# {glue:text}`n-recorded` of {glue:text}`n-units` units, in
# {glue:text}`n-trials` of {glue:text}`n-all-trials` trials, evenly
# spaced. The neurons of this recording are thus units of the network that
# made it. A `Recording` is activity (trials × times × neurons), here the
# units' rates $\tanh(x)$, between −1 and 1 and without noise. It also
# holds what is known of each trial: condition, epoch, and its true
# number, so that the trials left out between two others count as
# distance.

# %%
relearned = relearn_to_reach(
    n_networks,
    n_units,
    g=0.5,
    input_scale=0.5,
    output_scale=0.1,
    learning_rate=0.2,
    trials=sizes["trials"],
    pretraining_steps=chapter.at_scale(smoke=60, book=1500, paper=3000),
    proficiency=chapter.at_scale(smoke=2.0, book=0.2, paper=0.2),
    seed=seed,
    checkpoint=chapter.checkpoint("pretrained"),
)
recordings = [
    Recording.from_learning(relearned.record, i).select(
        trials=slice(None, None, sizes["every"]),
        neurons=slice(0, n_units // 2),
    )
    for i in range(n_networks)
]
missed = 100 * relearned.record.error[0, :: sizes["every"]].sqrt().numpy()
del relearned  # a Binder session has 1.5 GB
first = recordings[0]
print(first)

# %% tags=["hide-input"]
to_first = np.flatnonzero(first.condition_index == 0)
before, learned = (
    int(to_first[first.epoch[to_first] == name][-1])
    for name in first.epochs[:2]
)
charts.show(
    charts.population_panels(
        {
            "before the field": first.activity[before],
            "after learning in it": first.activity[learned],
        },
        first.time,
    ),
    name="recorded-activity",
    caption="The recording of one network: two reaches to the same "
    "target, the last before the field and the last in it. Neurons are "
    "sorted by the time of their peak in the first panel, in both. At "
    "0 s comes the go cue, the signal to move.",
    alt="Two heat maps of neurons by time, alike in their broad bands of "
    "positive and negative rates, different in detail.",
)
glue("n-recorded", first.n_neurons, display=False)
glue("n-units", n_units, display=False)
glue("n-trials", first.n_trials, display=False)
glue("n-all-trials", sum(sizes["trials"]), display=False)

# %% [markdown]
# {numref}`fig-recorded-activity` shows what the model is up against.
# Most of what the neurons do depends on the target and the time, and is
# the same before and after learning. Before one admires a model for
# explaining activity, one should know what the plain means explain
# already.

# %% tags=["hide-input"]
shares = {}
for name, plain in (
    ("condition", ConditionMean()),
    ("epoch", EpochMean()),
):
    shares[name] = [
        100 * plain.fit(recording).score(recording, metric="nmse")
        for recording in recordings
    ]
    glue(f"{name}-left-least", min(shares[name]), display=False)
    glue(f"{name}-left-most", max(shares[name]), display=False)

# %% [markdown]
# The mean of each condition over all trials leaves
# {glue:text}`condition-left-least:.0f` to
# {glue:text}`condition-left-most:.0f` % of the variance (the range over
# networks); the mean of each condition in each epoch leaves
# {glue:text}`epoch-left-least:.0f` to {glue:text}`epoch-left-most:.0f` %.
# What a model can say about learning lies in the first remainder; what it
# can say beyond a difference between epochs, in the second.
#
# ```{margin}
# Here the means know every entry. Further down they must predict entries
# that they were not given, and leave more.
# ```
#
# (ltrrnn-fixed)=
# ## A network whose weights stay
#
# Begin with a rate network like the recorded one, but with weights of low
# rank that never change:
#
# ```{math}
# :label: fixed-network
# \tau\,\dot{\mathbf x} = -\mathbf x + W \tanh(\mathbf x)
# + \mathbf u_{c}(t), \qquad
# W = \sum_{r=1}^{R} \mathbf a_r \mathbf b_r^\top,
# \qquad \text{rates} = D \tanh(\mathbf x),
# ```
#
# where $c$ is the trial's condition and $D$ the readout. The model has as
# many units as there are recorded neurons, and $D$ is a square
# orthonormal matrix (a rotation, perhaps with a reflection) times one
# gain. So although each recorded neuron is a unit of the network that
# made the recording, it is none of the model's units but a mixture of
# them. What the readout keeps, up to the gain, are lengths and angles
# between patterns of activity. (With `readout="identity"` unit $i$ would
# be neuron $i$.) Everything is fitted but $\tau$, which is given. This is
# `FixedWeights`.
#
# The settings are used throughout: {glue:text}`rank` components, $\tau$ =
# {glue:text}`tau` s and Euler steps of {glue:text}`dt:.2f` s like the
# recorded network's, inputs before and after the go cue, along
# {glue:text}`input-columns` directions of their own.

# %%
settings = {
    "rank": 5,
    "tau": 0.1,
    "length": 15.0,
    "noise": 0.01,
    "readout": "orthonormal",
    "input_period": "both",
    "input_columns": 3,
    "scheme": "euler",
    "substeps": 1,
    "n_steps": chapter.at_scale(smoke=10, book=200, paper=1000),
    "learning_rate": 0.03,
    "seed": seed,
}
# Components that are much alike are no matter until we read them, in the
# last fit, where their overlap is told.
warnings.filterwarnings("ignore", category=DegenerateWarning)

masks = [
    held_out_blocks(recording, seed=seed + i)
    for i, recording in enumerate(recordings)
]
without = FixedWeights(**settings).fit(first, masks[0].train)

# %% tags=["hide-input"]
moved = np.square(first.activity[learned] - first.activity[before])
most = np.argsort(-moved.mean(0))[:4]
stages = {"before the field": before, "after learning in it": learned}
charts.show(
    charts.neurons(
        {name: first.activity[k][:, most] for name, k in stages.items()},
        {
            name: without.predict()[k][:, most]
            for name, k in stages.items()
        },
        first.time,
        numbers=most.tolist(),
    ),
    name="what-fixed-weights-miss",
    caption="The neurons that differ most between the reaches of "
    "the last figure: recorded (dots) and fitted with fixed weights "
    "(lines). Both lines are the same curve.",
    alt="Rates over time, one panel for each neuron. The dots of the two "
    "reaches differ; the two lines coincide, now near the one reach, now "
    "near the other, or between them.",
)
glue("rank", settings["rank"], display=False)
glue("tau", settings["tau"], display=False)
glue("dt", first.dt, display=False)
glue("input-columns", settings["input_columns"], display=False)
glue("n-bumps", without.n_bumps, display=False)

# %% [markdown]
# Nothing in {eq}`fixed-network` knows which trial it is. Two reaches to
# one target are the same to it, however the rates differ
# ({numref}`fig-what-fixed-weights-miss`). At its best it is a condition
# mean with a story about how the activity comes about.
#
# ## Trial factors
#
# Now let each component have a strength of its own in every trial,
# $c_{kr}$:
#
# ```{math}
# :label: ltr-weights
# W_k = \sum_{r=1}^{R} c_{kr}\, \mathbf a_r \mathbf b_r^\top .
# ```
#
# Stacked over trials, this is the tensor of rank $R$ of
# [the chapter on the weight tensor](01_weight_tensor.py). The patterns
# $\mathbf a_r$, $\mathbf b_r$ (both of norm 1) never change; all that
# learning may do is to turn $R$ knobs.
#
# Learning is gradual, and the model is told so. The trial factor of a
# component is a constant plus a **Gaussian process** over trials: before
# anything is seen, its values in two trials are alike if the trials'
# numbers are near. How near is set by `length`, in trials, through the
# rational quadratic kernel $1 / (1 + d^2 / 2\ell^2)$ at distance $d$.
# Besides, each trial has a little of its own (`noise`). With `jumps`, the
# factors of different epochs are independent, which suits a sudden
# change; we do not use it, so that the model is not told when the field
# comes on.

# %% tags=["hide-input"]
drawn = np.random.default_rng(seed).normal(size=first.n_trials)
draws = {}
for length in (3.0, settings["length"], 75.0):
    prior = covariance(
        Smoothness(length=length, noise=settings["noise"]),
        first.trial_id,
        first.epoch_index,
    )
    draws[f"{length:.0f} trials"] = (np.linalg.cholesky(prior) @ drawn)[
        None
    ]
charts.show(
    charts.curves(
        draws,
        first.trial_id + 1,
        x_title="trial",
        y_title="trial factor, less its constant",
        height=220,
    ),
    name="prior-draws",
    caption="Draws of a trial factor from the prior, one for each of "
    "the lengths in the legend, from the same random numbers. The "
    f"fits here have a length of {settings['length']:.0f} trials. The "
    f"prior's standard deviation is {np.sqrt(prior[0, 0]):.0f}.",
    alt="Curves over trials: with the shortest length the curve wiggles "
    "every few trials, with the middle one slowly, with the longest it "
    "drifts.",
)

# %% [markdown]
# The loss adds up what errors cost and what departures from the prior
# cost, each as a negative log-probability. A length of a few trials lets
# a factor follow every whim of the data; a long one lets it drift only
# ({numref}`fig-prior-draws`). The length can be chosen by held-out error
# like any other setting.
#
# ## Inputs and initial states
#
# What distinguishes the targets must come from outside. Each condition
# has an input $\mathbf u_c(t)$, here a sum of {glue:text}`n-bumps` smooth
# bumps in time along each of {glue:text}`input-columns` fitted
# directions, and a state that its trials begin in. Both belong to the
# *condition*, never to the trial. This is the decisive assumption of the
# model: if the input could change from trial to trial, it could explain
# learning just as well, and the weights would be left with nothing to
# explain. One of the models {ref}`compared below <ltrrnn-comparisons>`
# may do just that.
#
# ## From all units to a few latent variables
#
# A network with $N$ units and $K$ trials has $K$ weight matrices of $N
# \times N$ entries. None of them is needed. Collect the $\mathbf a_r$,
# and the directions of the inputs, as the columns of a matrix $C$; and
# suppose that the initial state lies in their span, $\mathbf x(0) = C
# \boldsymbol\kappa(0)$. Everything that ever moves $\mathbf x$ (recurrent
# input, external input, decay) then lies in that span as well, so
# $\mathbf x(t) = C \boldsymbol\kappa(t)$ for all times. Put that into the
# network's equation and compare the coefficients of the columns:
#
# ```{math}
# :label: latent
# \tau\,\dot\kappa_r = -\kappa_r
# + c_{kr}\; \mathbf b_r^\top \tanh(C \boldsymbol\kappa) + u_{c,r}(t),
# ```
#
# where $u_{c,r}$ is the input along column $r$. For columns that carry
# input alone the middle term is missing; the other columns get no input
# in this chapter.
#
# ```{margin}
# As an option the model has a constant bias $\boldsymbol\beta$ added to
# the right-hand side of the network's equation. Then
# $\mathbf x = C \boldsymbol\kappa + \boldsymbol\beta$, and this stands
# inside the tanh. The formulas leave the bias out, and the fits of this
# chapter have none; the check that follows has one.
# ```
#
# This is exact. A time step of all trials takes about $K N R$
# multiplications instead of $K N^2$, and the memory falls alike. Since
# the claim is that *nothing* is lost, we simulate random networks both
# ways, and differentiate the mean squared rate both ways.


# %%
def random_system(seed):
    """A network of random factors; inputs have two own columns."""
    units, rank, own, trials, steps = 60, 3, 2, 12, 30
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, size=1.0):
        drawn = torch.randn(
            *shape, generator=generator, dtype=torch.float64
        )
        return size * drawn

    return System(
        columns=draw(units, rank + own),
        rows=draw(units, rank, size=1 / units),
        trial_factors=2 + draw(rank, trials, size=0.3),
        bias=draw(units, size=0.1),
        initial=draw(rank + own, 4),
        drive=draw(steps, 2, rank + own, 4),
        group=torch.arange(trials) % 4,
    )


def through_latents(system):
    """Rates by the latent equation, (time, unit, trial)."""
    return integrate(system, step=0.1).rates


def through_units(system):
    """Rates by the simulation of all units, in the same order."""
    rates = integrate_full(full_system(system), step=0.1).rates
    return rates.transpose(1, 2)


def rates_and_gradients(simulate, system):
    """Rates; gradients with respect to the factors a, b and c."""
    rank = len(system.trial_factors)
    names = ("columns", "rows", "trial_factors")
    free = {n: getattr(system, n).clone().requires_grad_() for n in names}
    rates = simulate(system._replace(**free))
    found = torch.autograd.grad(
        rates.square().mean(), list(free.values())
    )
    return [rates.detach(), found[0][:, :rank], *found[1:]]


def differences(reduced, whole):
    """Relative norm of the difference: of rates, and of gradients."""
    pairs = zip(
        rates_and_gradients(through_latents, reduced),
        rates_and_gradients(through_units, whole),
        strict=True,
    )
    gaps = [float((a - b).norm() / b.norm()) for a, b in pairs]
    return gaps[0], max(gaps[1:])


def without_last_column(system):
    """The latent equation with its last input column forgotten."""
    return system._replace(
        columns=system.columns[:, :-1],
        initial=system.initial[:-1],
        drive=system.drive[:, :, :-1],
    )


systems = [random_system(seed + i) for i in range(5)]
exact = np.array([differences(s, s) for s in systems])
forgetful = np.array(
    [differences(without_last_column(s), s) for s in systems]
)

# %% tags=["remove-input"]
row = reduction.judge(
    {"rates": exact[:, 0], "gradients": exact[:, 1]},
    {
        "one input column left out": {
            "rates": forgetful[:, 0],
            "gradients": forgetful[:, 1],
        }
    },
)
reduction.prose_assumes(row, holds=True)

# %% [markdown]
# The two agree to the last digits that the computer keeps. With one
# column forgotten they do not, so the check can fail. From here on,
# everything is computed with latent variables.
#
# ## The fit
#
# The parameters start from estimates made from the activity's principal
# components. Adam (gradient descent that scales the step of each
# parameter by the recent size of its gradient) then improves them
# together; only the readout $D$ moves otherwise, towards the orthonormal
# matrix that fits best. To know how good the result is, some activity is
# withheld. But activity is smooth: a single entry left out could be
# filled in from its neighbours in time and in trials. So
# {cite:t}`pellegrino2023` hold out *blocks*, and remove a larger block
# around each of them from the training.

# %% tags=["hide-input"]
charts.show(
    charts.held_out(
        masks[0].test[:, :, 0], masks[0].train[:, :, 0], first.time
    ),
    name="held-out-blocks",
    caption="What is held out of one neuron's activity: small blocks of "
    "neighbouring trials and times that test, each within a larger block "
    "that is removed from the training; blocks may overlap. Rows are the "
    "recorded trials, counted in order. The blocks of other neurons lie "
    "elsewhere.",
    alt="Trials against time: scattered small blocks that test, each in "
    "a wider removed block; the rest trains.",
)
for part in ("test", "train"):
    glue(
        f"share-{part}",
        100 * masks[0].coverage[part],
        display=False,
    )

# %% [markdown]
# Of the entries {glue:text}`share-test:.0f` % test and
# {glue:text}`share-train:.0f` % train ({numref}`fig-held-out-blocks`);
# what lies between does neither. Note what such a block asks for. Other
# neurons are seen in the same trials and times, so a model is asked what
# *this* neuron did, given what the others did.
#
# How many components? Fit with several ranks, score each on
# {glue:text}`n-folds` different sets of blocks, and take the smallest
# whose mean error is within one standard error of the least (with so few
# sets this standard error is itself rough; more are better, and take
# longer).

# %%
ranks = chapter.at_scale(
    smoke=[1, 3], book=[1, 3, 5, 8], paper=[*range(1, 13)]
)
by_rank = grid_search(
    LtrRNN(**settings),
    first,
    {"rank": ranks},
    folds=chapter.at_scale(smoke=2, book=2, paper=5),
    metric="nmse",
    seed=seed + 100,
    n_jobs=1,
)
chosen = one_standard_error(by_rank, over="rank")

# %% tags=["hide-input"]
charts.show(
    charts.scores(
        by_rank,
        chosen=chosen,
        x_title="rank (number of components)",
        y_title="held-out error",
    ),
    name="rank-chosen",
    caption="Held-out error of the ltrRNN against its rank, in one "
    "network: each set of blocks (small dots), their mean (large dots, "
    "line) and its standard error (bars). The dashed rule is the rank "
    "that the one-standard-error rule takes.",
    alt="Held-out error against rank, falling from rank one on and then "
    "further with more components.",
)
glue("chosen-rank", chosen, display=False)
glue("largest-rank", max(ranks), display=False)
glue("n-folds", int(by_rank["fold"].nunique()), display=False)

# %% [markdown]
# For this network the rule takes rank {glue:text}`chosen-rank`, and the
# largest that we tried is {glue:text}`largest-rank`
# ({numref}`fig-rank-chosen`): one would have to go further to see where
# the error stops falling, and with so few sets of blocks the rule itself
# is unsteady. The rank of what follows is {glue:text}`rank`, set
# beforehand and not tuned to these networks.
#
# (ltrrnn-comparisons)=
# ## Against what?
#
# A held-out error means something only beside others. All of these know
# the same training entries and have the same interface, `fit`, `predict`
# and `score`:
#
# - the **condition mean** and the **condition × epoch mean**;
# - **fixed weights**: {ref}`the network whose weights stay
#   <ltrrnn-fixed>`;
# - **inputs of each trial**: fixed weights, but an input and an initial
#   state for each trial, tied to nothing. Learning is outside the
#   network;
# - **free low-rank weights**: the ltrRNN as a start, then weights of the
#   same rank that are free in every trial, with no patterns in common;
# - **PCA** with as many components as the ltrRNN (at every time of every
#   trial, each has a free number);
# - **TCA** (tensor component analysis) with as many: a CP decomposition
#   of the *activity*, that is, a sum of components, each of them one
#   pattern over neurons times one course over time times one strength in
#   every trial.
#
# PCA and TCA have no dynamics.

# %%
models = {
    "ltrRNN": LtrRNN(**settings),
    "condition mean": ConditionMean(),
    "condition × epoch mean": EpochMean(),
    "fixed weights": FixedWeights(**settings),
    "inputs of each trial": TrialInputs(**settings),
    "free low-rank weights": FreeLowRank(
        **settings,
        n_free_steps=chapter.at_scale(smoke=5, book=40, paper=200),
    ),
    "PCA, 5 components": PCAModel(n_components=5),
    "TCA, 5 components": TCA(rank=5, seed=seed),
}


def held_out_error(model, recording, mask):
    """The error on the mask's test entries, fitted to the others."""
    fitted = model.with_params().fit(recording, mask.train)
    return fitted.score(recording, mask.test, "nmse")


errors = {name: np.zeros(0) for name in models}
for i, (recording, mask) in enumerate(
    zip(recordings, masks, strict=True)
):
    for name, model in models.items():
        if i > 0 and scale == "book" and name == "free low-rank weights":
            continue  # it takes longest: the first network only
        error = held_out_error(model, recording, mask)
        errors[name] = np.append(errors[name], error)

# %% tags=["hide-input"]
in_order = sorted(errors, key=lambda name: errors[name].mean())
told = [
    f"{name}: {errors[name].mean():.2f} ({errors[name].min():.2f} to "
    f"{errors[name].max():.2f})"
    for name in in_order
]
charts.show(
    charts.compared(errors, score_title="held-out error"),
    name="models-compared",
    caption="Held-out error of the ltrRNN and the models beside it: "
    "every network (small dots), mean (large dots) and standard error "
    "(bars) over networks. Free low-rank weights were fitted to "
    f"{len(errors['free low-rank weights'])} of {n_networks} networks. "
    "Less is better.",
    alt="Models in rows, held-out error on the horizontal axis: a dot "
    "for every network, and the mean with its standard error. Least "
    f"on average is {in_order[0]}, most {in_order[-1]}. Means, and "
    "ranges over networks, from the least: " + "; ".join(told) + ".",
)

# %% [markdown]
# Two altered recordings tell what the error *would* be. In one, the same
# trials come in another order: shuffled, each condition within itself.
# What the neurons do remains; that it changes gradually does not. In the
# other, the trials of *each neuron* are shuffled on their own. Every
# neuron still does what it did, as often and as variably; but the neurons
# no longer change together, as they must where one network learns.

# %%
plain = ("condition mean", "condition × epoch mean", "fixed weights")
trials_shuffled, neurons_shuffled = [], []
for recording, mask in zip(recordings, masks, strict=True):
    other = shuffle_trials(recording, seed=seed)
    trials_shuffled.append(held_out_error(models["ltrRNN"], other, mask))
    other = shuffle_trials(recording, each_neuron=True, seed=seed)
    neurons_shuffled.append(
        [
            held_out_error(models[n], other, mask)
            for n in ("ltrRNN", *plain)
        ]
    )
in_other_order = np.array(trials_shuffled)
apart = np.array(neurons_shuffled)
best_plain = np.min([errors[name] for name in plain], axis=0)

# %% tags=["remove-input"]
row = learning_shows.judge(
    {
        "error": errors["ltrRNN"],
        "plain": best_plain,
        "shuffled": in_other_order,
    },
    {
        # there, no order of the trials is any better than another
        "each neuron's trials shuffled": {
            "error": apart[:, 0],
            "plain": apart[:, 1:].min(1),
            "shuffled": apart[:, 0],
        }
    },
    {
        name: {
            "error": errors[name],
            "plain": best_plain,
            "shuffled": in_other_order,
        }
        for name in ("PCA, 5 components", "TCA, 5 components")
    },
)
learning_shows.prose_assumes(row, holds=False)
for name, ratio in {
    "plain": errors["ltrRNN"] / best_plain,
    "shuffled": errors["ltrRNN"] / in_other_order,
}.items():
    glue(f"ratio-{name}-least", float(ratio.min()), display=False)
    glue(f"ratio-{name}-most", float(ratio.max()), display=False)
glue("n-steps", settings["n_steps"], display=False)
glue("error-ltr-first", float(errors["ltrRNN"][0]), display=False)
for name, values in {
    "ltr": errors["ltrRNN"],
    "plain": best_plain,
    "trial-inputs": errors["inputs of each trial"],
    "free": errors["free low-rank weights"],
    "pca": errors["PCA, 5 components"],
    "tca": errors["TCA, 5 components"],
}.items():
    glue(f"error-{name}", float(values.mean()), display=False)

# %% [markdown]
# The claim does **not** hold, though it would have on the pilot networks.
# Those were three networks of one seed, too few to set a threshold by;
# and the start of the fit was revised between the pilots and this run.
# (The claim failed in the first run on these networks, and fails in this
# one; single errors differ.)
#
# What is left of it? In every network the ltrRNN's error is below that of
# the best plain model: {glue:text}`ratio-plain-least:.2f` to
# {glue:text}`ratio-plain-most:.2f` times as large, though the criterion
# asks for less than the largest of these. On average it leaves
# {glue:text}`error-ltr:.3f` of the variance, the best plain model
# {glue:text}`error-plain:.3f`. (The best is the network with fixed
# weights in every case: with so few training entries the means are rough
# themselves.) And where neurons do not change together it has no
# advantage over the best plain model: it does not simply follow whatever
# each neuron does. That part stands.
#
# The part about order does not. On shuffled trials the error should have
# been larger; relative to that, the error in the true order is
# {glue:text}`ratio-shuffled-least:.2f` to
# {glue:text}`ratio-shuffled-most:.2f`; above 1, the order did not help at
# all. Perhaps trial factors have room enough to follow any order. And
# the fits, of {glue:text}`n-steps` steps each, are not at the bottom of
# their loss, so that where a fit happens to end may weigh as much as the
# order; we have not measured how much. Held-out blocks are no evidence
# here that learning is *gradual*.
#
# The comparisons are sobering, too. PCA leaves
# {glue:text}`error-pca:.3f` and TCA {glue:text}`error-tca:.3f` on
# average, with as many components and no notion of a network; and each
# of them is better than the ltrRNN in some networks. Good prediction is
# what a model of learning must bring, not what makes it one. Weights that
# are free in every trial were fitted to the first network only, as this
# takes longest; they leave {glue:text}`error-free:.3f` there, the ltrRNN
# {glue:text}`error-ltr-first:.3f`.

# %% tags=["remove-input"]
row = weights_or_inputs.judge(
    {
        "error": errors["ltrRNN"],
        "trial_inputs": errors["inputs of each trial"],
    },
    {
        "neither weights nor inputs change": {
            "error": errors["fixed weights"],
            "trial_inputs": errors["inputs of each trial"],
        }
    },
)
weights_or_inputs.prose_assumes(row, holds=False)

# %% [markdown]
# This claim does not hold. A network whose weights never change, but
# whose inputs may be different in every trial, leaves
# {glue:text}`error-trial-inputs:.3f`: less than the ltrRNN. A block asks
# what some neurons did while the others were seen, and a free description
# of every trial answers that well (an exercise below counts its numbers).
#
# So the score does not tell where learning sits. That it sits in the
# weights is what the model *assumes*, by tying inputs to the condition;
# the data do not force it. In these networks the assumption is true,
# since we made them: the same target always came with the same input, and
# only the weights changed. In an experiment it must be argued for, by a
# stimulus that is the same in all trials or by recording from where the
# inputs come. What the assumption buys is weights to look at. Whether
# these are the right ones is asked in [the next chapter](08_recovery.py).
#
# ## A whole fit, and how to read it
#
# One more fit, to all of the first network's recording. A share of the
# entries (`validation`) is held out in blocks inside the fit: it stops
# once their error has not improved for a while, or after the usual number
# of steps, and returns the best it has seen. The intervals of the trial
# factors come from Laplace's approximation: how far could a trial's
# factors be moved before the fit gets noticeably worse, all else held as
# it is? They are too narrow to the extent that all else is uncertain too.

# %%
model = LtrRNN(**settings | {"validation": 0.1, "patience": 10})
model.fit(first)
level = 0.95  # of the intervals
interval = trial_factor_intervals(model, first, level)

# %% tags=["hide-input"]
latents = model.transform()
rank = model.rank
late = {
    name: np.flatnonzero(first.epoch == name)[
        -(first.epoch == name).sum() // 2 :
    ]
    for name in first.epochs
}
reached = 0.3  # s after the go cue; from then on inputs are averaged
holding = np.flatnonzero(first.time > reached)
flows = {
    name: latent_flow(model, trials, condition=0, times=holding)
    for name, trials in late.items()
}
visited = latents.reshape(-1, latents.shape[2]).astype(np.float64)
low, high = visited[:, :2].min(0), visited[:, :2].max(0)
others = visited.mean(0)
others[:2] = 0.0  # so that coordinates on the plane are the latents' own
plane = Plane(
    others,
    np.eye(visited.shape[1])[:2],
    (low[0], high[0], low[1], high[1]),
)
n_starts = chapter.at_scale(smoke=8, book=40, paper=200)
starts = starts_from(visited, n_starts, seed=seed)


def mean_path(trials, condition):
    """Mean latents of a condition in some trials, (time, latent)."""
    here = trials[first.condition_index[trials] == condition]
    return latents[here].mean(0)


names = [f"target {c + 1}" for c in range(len(first.conditions))]
parts = charts.Overview(
    time=first.time,
    activity={
        "recorded, target 1, late in the field": first.activity[learned],
        "the model's": model.predict()[learned],
    },
    recorded={n: first.activity[k][:, most] for n, k in stages.items()},
    predicted={n: model.predict()[k][:, most] for n, k in stages.items()},
    numbers=most.tolist(),
    drive={
        name: model.inputs_[c][:, rank:] for c, name in enumerate(names)
    },
    initial=model.initial_[:, :rank],
    conditions=names,
    trial_factors=model.trial_factors_,
    lower=interval.lower,
    upper=interval.upper,
    interval_title=f"{100 * level:.0f} % interval",
    trial_id=first.trial_id + 1,
    epoch=first.epoch,
    latents={name: mean_path(k, 0)[:, :rank] for name, k in late.items()},
    eigenvalues=spectrum(
        model.column_factors_, model.row_factors_, model.trial_factors_
    ),
    history=model.history_,
    fields={
        name: vector_field(flow, *plane, n=13)
        for name, flow in flows.items()
    },
    fixed_points={
        name: fixed_points(flow, starts) for name, flow in flows.items()
    },
    trajectories={
        name: np.stack([mean_path(trials, 0)])
        for name, trials in late.items()
    },
    plane=(plane.origin, plane.axes),
    plane_titles=("κ₁ (along a₁)", "κ₂ (along a₂)"),
)
charts.show(
    charts.overview(parts),
    name="overview",
    caption="A whole fit, to one network's recording. A: activity in one "
    "trial, recorded and modelled, neurons in one order. B: the neurons "
    "shown with fixed weights above, recorded (dots) and modelled "
    "(lines). C: inputs along the columns of their own. D: where trials "
    "begin, along the column factors. E: trial factors (lines) with "
    f"{100 * level:.0f} % intervals (bands). F: activity along the "
    "first column factors, target 1, mean of the second half of each "
    "epoch; open dots are the beginnings, filled ones the go cue. G: "
    "eigenvalues of the weights in the recorded trials; large symbols "
    "are the slider's trial. H: the flow of the latents late in the "
    "reach to target 1, in the second half of each epoch, on the plane "
    "of the first two (the others at their mean). The line is the mean "
    "path of the whole trial, from the dot on; filled circles are stable "
    "fixed points, open diamonds unstable ones. I: loss over the steps "
    "of the fit; the open dot is the least on held-out entries.",
    alt="Nine parts in a column, A to I. A: two heat maps of activity "
    "that look alike. B: single neurons, the model's lines near the "
    "recorded dots. C: inputs over time, a line for each target. D: a "
    "table of initial states, targets by latent axes. E: trial factors "
    "as curves over trials, with narrow bands. F: latent trajectories, "
    "over time and on two planes, one for each epoch. G: eigenvalues in "
    "the complex plane, most of them to the right of a line at real part "
    "1. H: a field of arrows for each epoch, with a path that turns "
    "about the middle. I: training and held-out loss, both falling.",
)
overlaps = np.abs(np.triu(model.component_overlaps(), 1))
glue("overlap", float(overlaps.max()), display=False)
glue("n-latents", latents.shape[2], display=False)
glue("reached", reached, display=False)

# %% [markdown]
# From top to bottom of {numref}`fig-overview`:
#
# - **A, B**: does the model look like the data at all? The single neurons
#   are those of {numref}`fig-what-fixed-weights-miss`. There, one line
#   stood for two sets of dots; now there are two lines, which follow
#   the difference though they do not meet every dot.
# - **C, D**: what comes from outside. Inputs and initial states differ
#   between targets and are the same in all trials. The sizes and
#   directions of the input columns are the model's own choice, so
#   only differences between conditions mean something.
# - **E**: learning, as the model has it: the same patterns, stronger or
#   weaker. Look for changes that are larger than the bands, and for when
#   they come; the model was not told of the epochs (the lines are broken
#   there for the eye alone). In this fit much happens early in the
#   baseline, when the networks still improve.
# - **F**: the latent variables $\kappa_1, \kappa_2, \kappa_3$ of one
#   target in the three epochs (the axes bear the names of their columns,
#   $a_1$ to $a_3$). Where the curves part, learning has moved the
#   activity.
# - **G**: the eigenvalues of $W_k$. Those to the right of the line make
#   the resting state $\mathbf x = 0$ unstable (without input). Move the
#   slider to see them move over trials (it counts the recorded ones).
# - **H**: where the latent variables would go from each point of a plane,
#   under this target's mean input from {glue:text}`reached` s after the
#   go cue on. Faint arrows leave the plane. The path need not follow the
#   arrows exactly: it has {glue:text}`n-latents` dimensions, of which the
#   plane is a slice, and before that time its input was another.
# - **I**: the loss. The two curves should fall together; if the held-out
#   one turned up, the model would be too free.
#
# One warning. The components are in a canonical order and sign, a
# convention that makes fits comparable: the strongest trial factor first,
# and signs such that each trial factor is positive on average and the
# largest entry of each $\mathbf a_r$ is positive. But nothing guarantees
# that each component by itself is determined by the data: two of them can
# often be mixed without loss. Where two are nearly the same this is sure
# to be so. Here the most alike pair has an overlap (the product of the
# cosines between their three factors) of {glue:text}`overlap:.2f`, where
# 1 would be the same; but a small overlap is no proof. The subspaces that
# the components span are better determined than they are. [The next
# chapter](08_recovery.py) measures both.
#
# The parts of the overview stand each for itself. In
# {numref}`fig-linked-trials` they are linked, so that one can ask what
# the activity is like where a trial factor is large, or where the hand
# still misses.

# %% tags=["hide-input"]
charts.show(
    charts.linked_trials(
        model.trial_factors_,
        latents[:, :, :rank],
        first.time,
        trial_id=first.trial_id + 1,
        epoch=first.epoch,
        condition=[names[c] for c in first.condition_index],
        measure=missed,
        measure_title="error (% of reach)",
    ),
    name="linked-trials",
    caption="Trials, factors and latent activity of the same fit. Top: "
    "the trial factors. Below them: the error of the network's reach in "
    "each trial, which the model was not given. Bottom: latent activity "
    "in the trials to one target, a line for each trial, coloured from "
    "the first trial to the last: over time, along one component (left), "
    "and on the plane of the first two (right). Drag over the trial "
    "factors, or move the sliders, to choose trials; click a component "
    "in the legend, or choose it in the menu, to single it out.",
    alt="Top: curves over trials, one for each component, that drift "
    "without a jump. Below them: dots, the error in each trial, highest "
    "among the first. Bottom: two panels of latent activity, bundles of "
    "lines whose colour goes from early to late trials; the early ones "
    "turn sooner and swing wider.",
)

# %% [markdown]
# *Try this.* Choose the first ten trials of the field, then the last ten,
# for one component after the other. Along which of them has the activity
# moved, and did its trial factor move at the same time? Do the
# trajectories of the washout come back to those of the baseline?
#
# ## What we have, and what it does not show
#
# - The latent equation is exact, so that working with a handful of
#   variables instead of all units and weights costs nothing in truth.
# - In networks that learn richly, weights that change along a few fixed
#   patterns describe held-out activity better than condition means and
#   fixed weights, though not by the margin that we had asked for, and not
#   demonstrably because they change gradually.
# - Held-out activity alone does not say that it is the *weights* that
#   learn. The model takes that for granted.
# - All this is one setting (a curl field, rich learning, no noise, some
#   of the units). In the lazy networks of [the chapter on re-learning to
#   reach](02_relearning_to_reach.py), learning hardly shows in the
#   activity, and there would be little to compare.
#
# ## Exercises
#
# ::::{exercise}
# :label: count-the-numbers
# How many numbers does each trial bring along in the ltrRNN, in the
# network with inputs of each trial, and in PCA? What does that say about
# {numref}`fig-models-compared`?
# ::::

# %% [markdown]
# ::::{solution-start} count-the-numbers
# :class: dropdown
# ::::

# %%
columns = settings["rank"] + settings["input_columns"]
n_bumps = model.n_bumps
print(
    f"ltrRNN: {settings['rank']} trial factors, tied to their neighbours"
)
print(
    "inputs of each trial:",
    n_bumps * settings["input_columns"] + columns,
    "(bumps times input columns, and an initial state)",
)
n_components = models["PCA, 5 components"].n_components
print(
    f"PCA: {n_components * first.n_time} ({n_components} at each of "
    f"{first.n_time} times)"
)

# %% [markdown]
# Free numbers help to fill a trial in from its own other entries,
# whatever the mechanism. Their count is not all: PCA, with the most, is
# worse than inputs of each trial, and TCA has as few as the ltrRNN. But a
# held-out block rewards such freedom as long as the trial itself is well
# observed. The next exercise takes that away.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: rest-of-the-trial
# The blocks let a model see the same trial's other neurons and other
# times. Hold out instead, in some of the trials, *everything* from soon
# after the go cue on. Which models can say what comes?
# ::::

# %% [markdown]
# ::::{solution-start} rest-of-the-trial
# :class: dropdown
# ::::

# %%
rng = np.random.default_rng(seed)
unseen = rng.permutation(first.n_trials)[: first.n_trials // 5]
rest = np.zeros(first.activity.shape, dtype=bool)
rest[np.ix_(unseen, first.time > 0.1)] = True
for name in ("condition × epoch mean", "ltrRNN", "inputs of each trial"):
    error = held_out_error(models[name], first, HeldOut(rest, ~rest))
    print(f"{name}: {error:.3f}")

# %% [markdown]
# An input that is free in each trial says nothing of times that were not
# seen: the network with fixed weights goes astray there. The ltrRNN,
# which has the trial's start and the trials around it, does better than
# the mean of the epoch, in this one network. It is no proof: inputs that
# were tied to those of neighbouring trials might do as well.
#
# ::::{solution-end}
# ::::
