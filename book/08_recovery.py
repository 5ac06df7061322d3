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
# # Does it recover the truth?
#
# [The last chapter](07_ltrrnn.py) fitted a network to the activity of
# another one, and the fit was good. A good fit is not yet a true one:
# many networks make the same activity. What of the *weights*, and of how
# they change as the network learns, can be read from activity at all?
#
# {cite:t}`pellegrino2023` claim that their method, given nothing but the
# activity of a network that learns, faithfully recovers the structure of
# low tensor rank in its weights ([the first
# chapter](01_weight_tensor.py) says what that is): this is claim **P4**.
# They also claim that the weights move in one fixed low-dimensional
# subspace through all of learning (**P2**). Both can be tested where the
# truth is known, and we know it in two places:
#
# 1. **recordings made by the model itself**, from factors that we chose.
#    Here the model is right, and all that can go wrong is the inference;
# 2. **networks that [learned to reach](02_relearning_to_reach.py)**, with
#    weights of full rank that change by gradient descent. Here the model
#    is an approximation too.
#
# *What is theirs and what is ours.* The two claims and the model are the
# paper's. The recordings, the networks, the measures of recovery, the
# intervals and all thresholds are ours.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import warnings

import altair as alt
import numpy as np
from myst_nb import glue

from ltr_core import Chapter, charts, nulls
from ltr_core.alterations import add_noise, splice
from ltr_core.comparisons import ConditionMean, FreeLowRank
from ltr_core.experiments import relearn_to_reach
from ltr_core.held_out import held_out_blocks
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.model import ALIKE
from ltr_core.ltrrnn.recovery import (
    Factors,
    fitted_factors,
    recovery,
    tensor_factors,
    true_factors,
    visited_span,
)
from ltr_core.ltrrnn.stretches import (
    fit_epochs,
    shares_between_fits,
    shares_of_change,
)
from ltr_core.ltrrnn.uncertainty import (
    coverage,
    ensemble_intervals,
    trial_factor_intervals,
)
from ltr_core.recordings import Recording
from ltr_core.surrogates import shuffle_trials

chapter = Chapter("08_recovery", scale=scale, seed=seed)
sizes = chapter.at_scale(
    smoke={"recordings": 2, "neurons": 16, "trials": (8, 8, 8)},
    book={"recordings": 3, "neurons": 60, "trials": (30, 35, 35)},
    paper={"recordings": 10, "neurons": 200, "trials": (50, 100, 100)},
)
steps = chapter.at_scale(
    smoke={"model": 3, "free": 1, "network": 3},
    book={"model": 100, "free": 60, "network": 150},
    paper={"model": 300, "free": 300, "network": 600},
)
n_starts, n_spare = chapter.at_scale(
    smoke=(2, 1), book=(4, 3), paper=(10, 10)
)
rank = 4
print(
    f"{scale} scale, seed {seed}: {sizes['recordings']} recordings of "
    f"{sizes['neurons']} neurons and {sum(sizes['trials'])} trials"
)

# %% [markdown]
# ## The claims, before the results
#
# In the model, the *ltrRNN* of the last chapter, the weights of trial $k$
# are $W_k=\sum_r c_{kr}\,\mathbf a_r\mathbf b_r^\top$: columns
# $\mathbf a_r$ (where a component writes to), rows $\mathbf b_r$ (what it
# listens to), and *trial factors* $c_{kr}$ (how strong it is). Weights
# act on rates, the outputs of the units, so of $\mathbf b_r$ only its
# projection on rates that occur can be seen in activity. We call
# **visited** the directions, as few as possible, that hold 95 % of the
# rates' summed squares, and compare the weights' action on these.
#
# The main **control** is a fit to *trial-shuffled* activity: trials of
# the same condition (to the same target, where there is a hand) change
# places. Each is as before, but the order in which learning made them is
# gone. Other words that the criteria use:
#
# - **Epochs** are the three parts of an experiment, as in [the chapter on
#   re-learning to reach](02_relearning_to_reach.py). In the *baseline*
#   nothing disturbs the hand. In the *perturbed* epoch a *curl field*
#   does, a force at right angles to the hand's motion; a claim that says
#   "in the field" means this epoch. In the *washout* the force is off
#   again. Recordings made by the model have no hand: there an epoch's
#   beginning is just where trial factors may jump.
# - The **start** of a fit is the set of values that its parameters have
#   before the first step. They are estimated roughly from the activity,
#   with a part that is drawn at random by the fit's seed. Fits of one
#   recording from several starts tell how far the result depends on them.
#   (An *epoch's own start* is something else: the moment before its
#   first trial.)
# - The **largest principal angle** of two subspaces is the largest angle
#   that a direction in the smaller one makes with the other.
# - A recording is **spliced** if its first epoch comes from one network
#   and its later ones from another. No single subspace serves both.
# - **Turned steps** and a **random walk** are made-up changes of weights,
#   [introduced earlier](02_relearning_to_reach.py). Each trial's update
#   is as large as the true one. In turned steps it keeps its singular
#   values, but points in a random direction of its own; in the random
#   walk it is a matrix of random numbers.
# - A network is **rich** if its activity must change for it to learn, and
#   **lazy** if learning hardly shows there; [the last
#   chapter](07_ltrrnn.py) says how both are made.
#
# Settings and thresholds were chosen in pilot runs at other seeds (10,
# and from 1000 on); the claims were then committed to the repository,
# before any result at the seed shown here was looked at (one of them was
# restated once, as told below).

# %% tags=["remove-input"]
P4 = "Pellegrino, Cayco-Gajic & Chadwick 2023, abstract"
OURS = "the companion's own check"
factors_claim = chapter.claim(
    "P4.factors",
    statement="From activity made by the model, the fit recovers how "
    "each component's strength changes over trials, and the change of "
    "the weights as far as it acts on visited rates.",
    source=P4 + "; the measures are ours",
    criterion="In every recording even the worst component's trial "
    "factor correlates with the true one by at least 0.8, and the change "
    "of the weights (from their mean over trials; all entries, acting on "
    "visited rates) by at least 0.7. The fit to trial-shuffled activity "
    "must not pass.",
    expression="min(factors) >= 0.8 and min(change) >= 0.7",
)

# %% tags=["remove-input"]
subspace_claim = chapter.claim(
    "P4.subspace-first",
    statement="With one component to spare, the subspace that the "
    "columns span is better determined than its single components.",
    source=OURS,
    criterion="In every recording, fits of one rank too many hold the "
    "true columns' span to within 15 degrees (largest principal angle, "
    "mean over starts), and their worst component is off by at least 1.5 "
    "times as much. Columns drawn at random must not pass.",
    expression="max(span) <= 15 and min(component / span) >= 1.5",
)

# %% tags=["remove-input"]
fixed_claim = chapter.claim(
    "P2.fixed-subspace",
    statement="That the weights stay in one subspace can be seen in "
    "activity: fits to each epoch by itself find the same one.",
    source=P4 + "; the test by separate fits is ours",
    criterion="In every recording and every epoch, the subspace of the "
    "other epochs' fits holds at least 90 % of the squared weights "
    "(acting on visited rates) of the epoch's own fit. Recordings that "
    "are spliced from two networks must not pass.",
    expression="min(share) >= 0.9",
)

# %% tags=["remove-input"]
true_claim = chapter.claim(
    "P2.true-weights",
    statement="In networks that learn to reach, what the weights learn "
    "in the field and in the washout lies in one subspace.",
    source=P4 + "; networks and measure are ours",
    criterion="In every network, five receiving and five sending "
    "directions from one of the two epochs hold, on average over "
    "trials, at least 85 % of the squared change in the other, each "
    "epoch's change counted from the weights at its own start. Turned "
    "steps and a random walk must not pass.",
    expression="min(share) >= 0.85",
)

# %% tags=["remove-input"]
network_claim = chapter.claim(
    "P4.network",
    statement="From the activity of a network that learns to reach, the "
    "fit recovers part of how its weights changed.",
    source=P4 + "; that a part will do is ours",
    criterion="In every network (rich regime) the change of the "
    "weights from the baseline, acting on visited rates, correlates "
    "with the true one by at least 0.2, over all entries and trials. The "
    "fit to trial-shuffled activity must not pass.",
    expression="min(change) >= 0.2",
)

# %% tags=["remove-input"]
intervals_claim = chapter.claim(
    "P4.intervals",
    statement="The 95 % intervals of the trial factors are about right.",
    source=OURS,
    criterion="The intervals of fits from several starts (within and "
    "between starts) hold at least 85 % of the true trial factors in "
    "every recording, and on average over recordings at most 99 %. The "
    "intervals of one recording with the truth of another must not pass.",
    expression="min(covered) >= 0.85 and mean(covered) <= 0.99",
)

# %% [markdown]
# ## A truth that we made
#
# `simulate_ltrrnn` draws columns, rows and inputs at random and lets the
# trial factors drift smoothly, with a jump where a new epoch begins. The
# activity gets noise on top (standard deviation {glue:text}`noise`; that
# of the rates is {glue:text}`rates-sd:.2f`). The fit is told the number
# of components (4), the time constant (1 s) and that factors may jump;
# not the truth.


# %%
def simulated(number, noise=0.055):
    """One of the recordings of this chapter, and its truth."""
    return simulate_ltrrnn(
        n_trials=sizes["trials"],
        n_neurons=sizes["neurons"],
        rank=rank,
        before=1.0,
        after=1.0,
        noise=noise,
        seed=100 * seed + number,
    )


warned = []  # fits with components that could not be told apart


def fit(recording, rank=rank, **settings):
    """A fit; warnings of near-degenerate components are collected."""
    model = LtrRNN(rank=rank, jumps=True, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")  # any other warning
        warnings.simplefilter("always", DegenerateWarning)
        model.fit(recording)
    warned.extend(model for _ in caught)
    return model


def fit_made(recording, rank=rank, start=0):
    """A fit to a recording that the model made."""
    return fit(
        recording, rank, tau=1.0, n_steps=steps["model"], seed=start
    )


def recovered(model, truth, neurons=slice(None), trials=slice(None)):
    """How well a fit to some of the neurons and trials did."""
    columns, rows, courses = true_factors(truth)
    return recovery(
        fitted_factors(model),
        Factors(columns[neurons], rows[neurons], courses[trials]),
        visited=visited_span(truth.rates[trials][:, :, neurons], 0.95),
    )


made = [simulated(number) for number in range(sizes["recordings"])]
fits = [
    [fit_made(one.recording, start=start) for start in range(n_starts)]
    for one in made
]
scores = [
    recovered(own[0], one.truth)
    for own, one in zip(fits, made, strict=True)
]
shuffled = [
    recovered(
        fit_made(shuffle_trials(one.recording, seed=seed + number)),
        one.truth,
    )
    for number, one in enumerate(made)
]

# %% [markdown]
# One recording's trial factors, with the truth beside them (how the
# intervals are made comes later):

# %%
within = [
    [trial_factor_intervals(model, one.recording) for model in own]
    for own, one in zip(fits, made, strict=True)
]
intervals = [
    ensemble_intervals(own, within=each)
    for own, each in zip(fits, within, strict=True)
]
covered = [
    coverage(each, fitted_factors(own[0]), true_factors(one.truth))
    for each, own, one in zip(intervals, fits, made, strict=True)
]

# %% tags=["hide-input"]
shown, place = made[0], scores[0].matched.order
charts.show(
    charts.factor_bands(
        intervals[0].centre[:, place],
        intervals[0].lower[:, place],
        intervals[0].upper[:, place],
        epoch=[
            {"adaptation": "perturbed"}.get(name, name)  # one word for it
            for name in shown.recording.epoch
        ],
        truth=shown.truth.trial_factors * covered[0].scale,
        interval_title="95 % interval",
        band_opacity=0.4,
    ),
    name="recovered-factors",
    caption="Trial factors of one recording, a panel for each component. "
    f"Solid line: estimated from activity (mean of {n_starts} starts); "
    "band: its interval; dashed line: the truth (scaled, as a trial "
    "factor's scale cannot be told from activity). Dotted rules: where "
    "epochs begin.",
    alt="Four panels of curves over trials with bands. The dashed true "
    "curves and the estimates run close together, also where they jump "
    "from one epoch to the next.",
)

# %% tags=["remove-input"]


def measured(results):
    """What claim P4.factors asks of each recording."""
    return {
        "factors": [one.factor_correlations.min() for one in results],
        "change": [one.visited_change_correlation for one in results],
    }


row = factors_claim.judge(
    measured(scores), {"trial-shuffled": measured(shuffled)}
)
factors_claim.prose_assumes(row, holds=True)


def mean_of(results, name):
    """The mean over recordings of a measure."""
    return float(np.mean([getattr(one, name) for one in results]))


rates_sd = float(np.mean([one.truth.rates.std() for one in made]))
n_visited = [visited_span(one.truth.rates, 0.95).shape[1] for one in made]
glue("rates-sd", rates_sd, display=False)
glue("visited-least", min(n_visited), display=False)
glue("visited-most", max(n_visited), display=False)
glue("neurons", sizes["neurons"], display=False)
glue("ten-hold", 100 * 10 / sizes["neurons"], display=False)
glue("factors", mean_of(scores, "factor_correlations"), display=False)
glue(
    "change", mean_of(scores, "visited_change_correlation"), display=False
)
glue("whole-change", mean_of(scores, "change_correlation"), display=False)
glue(
    "column-angle",
    float(np.mean([one.column_angles[0] for one in scores])),
    display=False,
)
glue(
    "row-angle",
    float(np.mean([one.row_angles[0] for one in scores])),
    display=False,
)
glue(
    "shuffled-angle",
    float(np.mean([one.column_angles[0] for one in shuffled])),
    display=False,
)
glue(
    "shuffled-change",
    mean_of(shuffled, "visited_change_correlation"),
    display=False,
)

# %% [markdown]
# {numref}`fig-recovered-factors` is what one would hope for: the mean
# correlation with the true factors is {glue:text}`factors:.2f` (of the
# first of several starts; how they differ comes below). The columns are
# found as well: the largest angle between their span and the true one is
# {glue:text}`column-angle:.0f`° on average. That is the easy
# part, since in this model the state can only move in the columns' span;
# it is the subspace of the activity. (The shuffled control finds it too,
# to {glue:text}`shuffled-angle:.0f`°: finding it says nothing of
# learning.)
#
# Not all of the rows' span is found: its largest angle is
# {glue:text}`row-angle:.0f`°. No wonder: whatever
# part of a row is at right angles to all rates that ever occur has no
# effect, and no method could see it. And rates occur in few directions:
# {glue:text}`visited-least` to {glue:text}`visited-most` of
# {glue:text}`neurons`, depending on the recording, are visited. So the
# change of the weights, over all entries, is recovered with a correlation
# of {glue:text}`whole-change:.2f` only, but with {glue:text}`change:.2f`
# where it acts on visited rates. (The shuffled control:
# {glue:text}`shuffled-change:.2f`.) A statement about weights that were
# inferred from activity is a statement about their action on that
# activity.
#
# ## How much does it take?
#
# The same with too few and too many components, more noise, fewer
# neurons, fewer trials:

# %%
ranks = chapter.at_scale(
    smoke=(3, 4, 5), book=(2, 3, 4, 5, 6), paper=tuple(range(1, 9))
)
noises = chapter.at_scale(
    smoke=(0.055, 0.6), book=(0.055, 0.2, 0.6), paper=(0.055, 0.2, 0.6)
)
parts = chapter.at_scale(smoke=(2, 1), book=(6, 2, 1), paper=(20, 4, 1))
kept = tuple(sizes["neurons"] // part for part in parts)
every = chapter.at_scale(smoke=(2, 1), book=(4, 2, 1), paper=(8, 4, 2, 1))
spare = [
    [
        fit_made(one.recording, rank + 1, start=start)
        for start in range(n_spare)
    ]
    for one in made
]
by_rank, by_noise, by_neurons, by_trials = [], [], [], []
overlaps = []
for number, (one, right, more) in enumerate(
    zip(made, fits, spare, strict=True)
):
    models = [
        {rank: right[0], rank + 1: more[0]}.get(other)
        or fit_made(one.recording, other)
        for other in ranks
    ]
    overlaps.append(
        [
            np.abs(np.triu(model.component_overlaps(), 1)).max()
            for model in models
        ]
    )
    by_rank.append([recovered(model, one.truth) for model in models])
    louder = [simulated(number, noise) for noise in noises[1:]]
    by_noise.append(
        [scores[number]]
        + [recovered(fit_made(o.recording), o.truth) for o in louder]
    )
    by_neurons.append(
        [
            recovered(
                fit_made(one.recording.select(neurons=slice(n))),
                one.truth,
                neurons=slice(n),
            )
            for n in kept[:-1]
        ]
        + [scores[number]]
    )
    by_trials.append(
        [
            recovered(
                fit_made(one.recording.select(trials=slice(0, None, k))),
                one.truth,
                trials=slice(0, None, k),
            )
            for k in every[:-1]
        ]
        + [scores[number]]
    )


def both_measures(results):
    """Trial factors (mean over components) and change, for a chart."""
    return {
        "trial factors": np.array(
            [
                [o.factor_correlations.mean() for o in own]
                for own in results
            ]
        ),
        "weight change": np.array(
            [
                [o.visited_change_correlation for o in own]
                for own in results
            ]
        ),
    }


def sweep(results, x, x_title, **settings):
    """Recovery against one of the things that it depends on."""
    return charts.curves(
        both_measures(results),
        x,
        x_title=x_title,
        y_title="correlation with the truth",
        y_scale={"domain": [-0.2, 1]},
        height=170,
        band_opacity=0.4,
        **settings,
    )


# %% tags=["hide-input"]
charts.show(
    sweep(by_rank, ranks, "rank of the fit (the truth: 4)"),
    name="recovery-against-rank",
    caption="Recovery against the rank of the fit. Dots and lines: mean "
    "over recordings; bands: their range. Trial factors: mean over the "
    "true components, 0 for one that the fit lacks. Weight change: "
    "acting on visited rates.",
    alt="Two curves of correlation against rank. Both rise steeply up to "
    "rank four, the true one; beyond it they stay or sink a little.",
)

# %% tags=["hide-input"]
n_trials = sum(sizes["trials"])
charts.show(
    alt.vconcat(
        sweep(
            by_noise,
            noises,
            f"noise (sd; that of the rates is {rates_sd:.2f})",
        ),
        sweep(by_neurons, kept, "neurons observed"),
        sweep(by_trials, [-(-n_trials // k) for k in every], "trials"),
    ),
    name="recovery-against-data",
    caption="Recovery against noise, the number of neurons observed and "
    "the number of trials (evenly spread over learning). Dots and lines: "
    "mean over recordings; bands: their range.",
    alt="Three panels with two curves of correlation each: falling with "
    "noise, rising with neurons and with trials.",
)

# %% tags=["remove-input"]


def at(results, place, name):
    """The mean over recordings of a measure at one point of a sweep."""
    return float(both_measures(results)[name][:, place].mean())


def fallen(name):
    """How far a measure falls, at most, at ranks that are too high."""
    means = both_measures(by_rank)[name].mean(0)
    right = ranks.index(rank)
    return float(means[right] - means[right:].min())


two_less, one_less, two_more = (
    ranks.index(min(max(ranks[0], other), ranks[-1]))
    for other in (rank - 2, rank - 1, rank + 2)
)
glue(
    "low-rank-change",
    at(by_rank, two_less, "weight change"),
    display=False,
)
glue(
    "one-less-change",
    at(by_rank, one_less, "weight change"),
    display=False,
)
glue(
    "right-change",
    at(by_rank, ranks.index(rank), "weight change"),
    display=False,
)
glue("change-fallen", fallen("weight change"), display=False)
glue("factors-fallen", fallen("trial factors"), display=False)
glue("noise", noises[0], display=False)
glue("loud-noise", noises[-1], display=False)
glue("loud-factors", at(by_noise, -1, "trial factors"), display=False)
glue("loud-change", at(by_noise, -1, "weight change"), display=False)
glue("few-neurons", kept[0], display=False)
glue(
    "few-neurons-factors",
    at(by_neurons, 0, "trial factors"),
    display=False,
)
glue(
    "few-neurons-change",
    at(by_neurons, 0, "weight change"),
    display=False,
)
glue(
    "few-neurons-worst",
    float(both_measures(by_neurons)["trial factors"][:, 0].min()),
    display=False,
)
glue("few-trials", -(-n_trials // every[0]), display=False)
glue(
    "few-trials-factors", at(by_trials, 0, "trial factors"), display=False
)
glue(
    "few-trials-change", at(by_trials, 0, "weight change"), display=False
)

# %% [markdown]
# *Rank* ({numref}`fig-recovery-against-rank`). Too few components do
# real harm: the change of the weights is recovered at
# {glue:text}`right-change:.2f` with all four, at
# {glue:text}`one-less-change:.2f` with three and at
# {glue:text}`low-rank-change:.2f` with two. Presumably what the missing
# components did is ascribed to the others. Too many cost little: with one
# or two to spare the correlation falls by at most
# {glue:text}`change-fallen:.2f` for the change, and by at most
# {glue:text}`factors-fallen:.2f` for the trial factors. So where two
# neighbouring ranks are in question, the larger is the safer choice: one
# component too many costs little, one too few costs much. But do not read
# the components of such a fit one by one (below).
#
# *Data* ({numref}`fig-recovery-against-data`). With noise of
# {glue:text}`loud-noise`, more than the rates themselves vary, the trial
# factors still come out at {glue:text}`loud-factors:.2f` and the change
# at {glue:text}`loud-change:.2f`. With {glue:text}`few-neurons` neurons
# the two correlations are {glue:text}`few-neurons-factors:.2f` and
# {glue:text}`few-neurons-change:.2f` on average, but that of the trial
# factors is {glue:text}`few-neurons-worst:.2f` in the worst recording.
# With {glue:text}`few-trials` of the trials they are
# {glue:text}`few-trials-factors:.2f` and
# {glue:text}`few-trials-change:.2f`. What unobserved neurons do is seen
# through the observed ones alone, so the weights among the observed ones
# come to stand for them too.
#
# ## What is determined, and what is not
#
# The same network can be written in several ways. Flip the signs of
# $\mathbf a_r$ and $\mathbf b_r$, or renumber the components, and nothing
# changes. This much is settled by a **canonical form**: unit columns and
# rows, a positive mean trial factor, the largest entry of each column
# positive, components in falling order of their strength. Then two fits
# can be compared.
#
# What no convention can settle is a component to spare. A fit with five
# where the truth has four can split one into two that look alike; their
# sum is right, and each by itself means nothing. The fit measures this as
# the *overlap* of two components: the product of the cosines of their
# columns, rows and trial factors, 1 for two that are the same. It warns
# (`DegenerateWarning`) where an overlap exceeds
# {glue:text}`alike`, the package's constant `ALIKE`.

# %%
right_scores = [
    [recovered(model, one.truth) for model in own]
    for own, one in zip(fits, made, strict=True)
]
spare_scores = [
    [recovered(model, one.truth) for model in own]
    for own, one in zip(spare, made, strict=True)
]


def angles(results):
    """Largest angles (degrees) of the span and of single columns."""
    return {
        "span": [
            np.mean([one.column_angles[0] for one in own])
            for own in results
        ],
        "component": [
            np.mean(
                [
                    np.degrees(
                        np.arccos(min(1, one.matched.columns.min()))
                    )
                    for one in own
                ]
            )
            for own in results
        ],
    }


at_random = []
for number, one in enumerate(made):
    rng = np.random.default_rng([seed, number])
    truth = true_factors(one.truth)
    drawn = rng.normal(size=(2, sizes["neurons"], rank + 1))
    courses = rng.normal(size=(len(truth.trial_factors), rank + 1))
    at_random.append([recovery(Factors(*drawn, courses), truth)])

# %% tags=["hide-input"]
exact, surplus = angles(right_scores), angles(spare_scores)
charts.show(
    charts.compared(
        {
            "rank 4: the span": exact["span"],
            "rank 4: the worst component": exact["component"],
            "rank 5: the span": surplus["span"],
            "rank 5: the worst component": surplus["component"],
        },
        score_title="largest angle to the truth (degrees)",
    ),
    name="span-and-components",
    caption="How far the columns are from the true ones, which are four: "
    "the span of all of them (its largest principal angle) and the worst "
    "single one, matched to its true counterpart. A small grey dot is a "
    "recording (mean over starts), a large dot the mean over recordings, "
    "a bar its standard error on either side.",
    alt="Dot plot of angles in four rows. The spans are off by at most "
    f"{max(exact['span'] + surplus['span']):.0f} degrees; the worst "
    "components are farther off, by up to "
    f"{max(exact['component'] + surplus['component']):.0f} degrees, at "
    "either rank.",
)

# %% tags=["remove-input"]
row = subspace_claim.judge(
    surplus,
    {"random columns": angles(at_random)},
    {"the right rank": exact},
)
subspace_claim.prose_assumes(row, holds=True)
for name, values in (("exact", exact), ("surplus", surplus)):
    for what, each in values.items():
        glue(f"{name}-{what}", float(np.mean(each)), display=False)
glue(
    "overlap-exact",
    float(np.mean(overlaps, axis=0)[ranks.index(rank)]),
    display=False,
)
glue(
    "overlap-six",
    float(np.mean(overlaps, axis=0)[two_more]),
    display=False,
)
between = (noises[-2] + noises[-1]) / 2  # the fits estimate the noise
warned_of = {
    "noise": [one.noise_variance_ > between**2 for one in warned],
    "neurons": [one.train_.shape[2] == kept[0] for one in warned],
    "trials": [
        one.train_.shape[0] == -(-n_trials // every[0]) for one in warned
    ],
    "right": [one.rank == rank for one in warned],
}
glue("alike", ALIKE, display=False)
glue("n-warned", len(warned), display=False)
for name, those in warned_of.items():
    glue(f"warned-{name}", int(np.sum(those)), display=False)

# %% [markdown]
# The span is off by {glue:text}`exact-span:.0f`° at the right rank and by
# {glue:text}`surplus-span:.0f`° with one component to spare; the worst
# component by {glue:text}`exact-component:.0f`° and
# {glue:text}`surplus-component:.0f`° ({numref}`fig-span-and-components`).
# In one recording a component is as far off at the right rank as with
# one to spare: even the right rank does not make single components safe.
# The largest overlap of two components, on average, grows from
# {glue:text}`overlap-exact:.2f` at rank 4 to
# {glue:text}`overlap-six:.2f` at rank 6. Of all fits so far,
# {glue:text}`n-warned` gave the warning, {glue:text}`warned-right` of
# them at the right rank: {glue:text}`warned-noise` with the loudest
# noise, {glue:text}`warned-neurons` with the fewest neurons,
# {glue:text}`warned-trials` with the fewest trials. Poor data, too, can
# make components alike. Read the span first.
#
# ## One subspace for all of learning?
#
# An ltrRNN has *one* subspace because it is built that way; its fit can
# never contradict P2. To give P2 a chance to fail, we fit each epoch **by
# itself**, and ask how much of its weights lies in the subspace found by
# the other epochs' fits. The control is a recording that *does* change
# its subspace, one that is spliced: the baseline from one network, the
# other two epochs from another.


# %%
def shares(recording):
    """Of each epoch's own weights, the share in the others' subspace."""
    model = LtrRNN(rank=rank, tau=1.0, n_steps=steps["model"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateWarning)
        epochs = fit_epochs(model, recording)
    visited = visited_span(recording.activity, 0.95)
    return [
        each.both.mean() for each in shares_between_fits(epochs, visited)
    ]


def held_out_errors(recording):
    """Of one subspace, and of weights that are free in every trial."""
    masks = held_out_blocks(recording, seed=seed)
    settings = {"rank": rank, "tau": 1.0, "jumps": True}
    model = FreeLowRank(
        **settings, n_steps=steps["model"], n_free_steps=steps["free"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateWarning)
        model.fit(recording, masks.train)
    return [
        each.score(recording, masks.test, "nmse")
        for each in (model.start_, model)
    ]


others = [simulated(50 + number) for number in range(len(made))]
spliced = [
    splice(one.recording, other.recording)
    for one, other in zip(made, others, strict=True)
]
one_subspace = [shares(one.recording) for one in made]
two_subspaces = [shares(recording) for recording in spliced]
n_held_out = chapter.at_scale(smoke=1, book=2, paper=10)
errors = np.array(
    [held_out_errors(one.recording) for one in made[:n_held_out]]
)
spliced_errors = np.array(
    [held_out_errors(one) for one in spliced[:n_held_out]]
)

# %% tags=["remove-input"]
row = fixed_claim.judge(
    {"share": np.ravel(one_subspace)},
    {"spliced from two networks": {"share": np.ravel(two_subspaces)}},
)
fixed_claim.prose_assumes(row, holds=True)
glue("share", float(100 * np.mean(one_subspace)), display=False)
glue("spliced-share", float(100 * np.mean(two_subspaces)), display=False)
for name, values in (("kept", errors), ("spliced", spliced_errors)):
    glue(f"{name}-one", float(values[:, 0].mean()), display=False)
    glue(f"{name}-free", float(values[:, 1].mean()), display=False)

# %% [markdown]
# The other epochs' subspace holds {glue:text}`share:.0f` % of an epoch's
# weights, and {glue:text}`spliced-share:.0f` % in the spliced recordings.
# So activity can tell.
#
# ```{margin}
# That activity can tell is first of all a statement about the activity:
# in this model the subspace in which it moves *is* the span of the
# columns.
# ```
#
# A second way to ask: does it help to let every trial have *its own*
# low-rank weights? We begin with the fit that has one subspace, hold its
# inputs and readout, and let each trial's weights go. The *held-out
# error* is the squared error on activity that was left out of the fit, as
# a share of that activity's variance. With one subspace it is
# {glue:text}`kept-one:.4f`, with weights let go
# {glue:text}`kept-free:.4f`: the freedom buys nothing. On the spliced
# recordings it buys something: {glue:text}`spliced-one:.2f` becomes
# {glue:text}`spliced-free:.2f`. (Both are bad: one set of inputs and one
# readout have to serve two networks.)
#
# ## How sure are the trial factors?
#
# An estimate needs an interval, and an interval must be checked. Two
# sources of error can be estimated: the noise in the data (Laplace's
# approximation: a Gaussian around the fitted trial factors, as wide as
# the curvature of the loss there allows, with everything else held as
# fitted), and the start of the fit (the spread of fits from several
# starts). The bands of {numref}`fig-recovered-factors` combine
# them. **Coverage** is the share of true trial factors inside, once each
# is brought to the fit's scale.

# %%
laplace = [
    coverage(
        each[0], fitted_factors(own[0]), true_factors(one.truth)
    ).share
    for each, own, one in zip(within, fits, made, strict=True)
]
wrong = [
    coverage(each, fitted_factors(own[0]), true_factors(one.truth)).share
    for each, own, one in zip(
        intervals, fits, made[1:] + made[:1], strict=True
    )
]

# %% tags=["remove-input"]
row = intervals_claim.judge(
    {"covered": [one.share for one in covered]},
    {"the truth of another recording": {"covered": wrong}},
    {"Laplace alone": {"covered": laplace}},
)
intervals_claim.prose_assumes(row, holds=True)
glue(
    "covered",
    float(100 * np.mean([one.share for one in covered])),
    display=False,
)
glue(
    "covered-most",
    float(100 * max(one.share for one in covered)),
    display=False,
)
glue("starts", n_starts, display=False)
glue("laplace", float(100 * np.mean(laplace)), display=False)

# %% [markdown]
# Together they cover {glue:text}`covered:.0f` % on average, and
# {glue:text}`covered-most:.1f` % in one recording (their width follows
# from {glue:text}`starts` starts only, so it is itself uncertain).
# Laplace's intervals alone, which one
# would be tempted to print, cover {glue:text}`laplace:.0f` % where they
# promise 95 %: they take columns and rows as known, and an error in those
# shifts a trial factor in all trials alike.
#
# ## Networks that learned to reach
#
# Now the networks that [re-learned to reach](02_relearning_to_reach.py)
# through baseline, perturbed epoch and washout, in the *rich* setting of
# [the last chapter](07_ltrrnn.py) (small input and output weights, so
# that the activity itself must change for the hand to move otherwise;
# these networks still improve in the baseline). We know the weights after
# every trial. First P2 for those: does the change in the perturbed epoch
# lie in the subspace of the change in the washout, and the reverse?

# %%
settings = chapter.at_scale(
    smoke={"n_networks": 1, "n_units": 16, "pretraining_steps": 20},
    book={"n_networks": 3, "n_units": 100, "pretraining_steps": 1500},
    paper={"n_networks": 10, "n_units": 200, "pretraining_steps": 3000},
)
short, full = (8, 8, 8), (50, 100, 100)
settings["trials"] = chapter.at_scale(smoke=short, book=full, paper=full)
easy = chapter.at_scale(smoke=2.0, book=0.3, paper=0.3)
rich = relearn_to_reach(
    **settings,
    g=0.5,
    input_scale=0.5,
    output_scale=0.1,
    learning_rate=0.2,
    proficiency=easy,
    seed=seed,
    checkpoint=chapter.checkpoint("rich"),
).record
epoch = np.array(rich.epoch)
later = np.flatnonzero(epoch != "baseline")[2::5]
begins = np.argmax(epoch != "baseline"), np.argmax(epoch == "washout")


def own_changes(change, own_start=True):
    """Changes in the perturbed and washout epochs, from their starts."""
    start = np.where(
        (epoch[later] == "washout")[:, None, None],
        change[begins[1] - 1],
        change[begins[0] - 1],
    )
    return change[later] - own_start * start


def true_shares(changes, own_start=True):
    """The share of each epoch's change in the other's subspace."""
    found = (
        shares_of_change(own_changes(one, own_start), epoch[later], 5)
        for one in changes
    )
    return {"share": [one.both.mean() for one in found]}


changes = [change.numpy() for change in rich.change]
surrogates = {
    "turned steps": nulls.rotated_steps_null,
    "random walk": nulls.random_walk_null,
}

# %% tags=["remove-input"]
row = true_claim.judge(
    true_shares(changes),
    {
        name: true_shares(nulls.of_each(null, changes, seed=seed))
        for name, null in surrogates.items()
    },
    {"counted from the very start": true_shares(changes, False)},
)
true_claim.prose_assumes(row, holds=False)
for name, part in (
    ("true-share", row["measured"]),
    ("turned-share", row["control"]["turned steps"]),
    ("start-share", row["comparison"]["counted from the very start"]),
):
    glue(name, 100 * part["share"]["mean"], display=False)
own_five = [
    nulls.shared_subspace_energy(
        own_changes(change)[epoch[later] == name], 5
    )
    for change in changes
    for name in ("perturbed", "washout")
]
glue("own-share", float(100 * np.mean(own_five)), display=False)

# %% [markdown]
# No. Of what is learned in one epoch, five directions from the other hold
# {glue:text}`true-share:.0f` % on average, far more than chance (turned
# steps: {glue:text}`turned-share:.1f` %), and less than its own best five
# ({glue:text}`own-share:.0f` %): the claim **fails**. Counted from before
# the first trial it would have held ({glue:text}`start-share:.0f` %),
# because then both epochs share what the baseline had taught. The pilots
# showed us this trap, and the claim was restated before anything at this
# seed was looked at (a run was stopped for it, unread), at the same
# threshold. In these networks the washout does not simply take back what
# the perturbed epoch taught.
#
# ```{margin}
# A similar claim, P3.subspace of [the chapter on re-learning to
# reach](02_relearning_to_reach.py), held, for lazy networks and for
# changes counted from before the first trial.
# ```
#
# And from activity alone? The model gets the rates of all units, and
# neither the weights nor the task. Its rank of 8 and its tighter prior
# (standard deviation 0.3 of the trial factors) were chosen in the pilots,
# on one network, with held-out error and recovery both in view.
# The units of the fit are those of the network, so weights are compared
# unit by unit, as a change from their mean over the baseline trials.


# %%
def fit_network(record, network=0, shuffle=False, noise=0.0):
    """A fit to the activity of one network, and its recovery."""
    truth = recording = Recording.from_learning(record, network)
    if noise:
        recording = add_noise(recording, noise, seed=seed)
    if shuffle:
        recording = shuffle_trials(recording, seed=seed + network)
    model = fit(
        recording,
        rank=8,
        tau=0.1,
        readout="identity",
        input_columns=3,
        input_period="both",
        scale=0.3,
        n_steps=steps["network"],
    )
    change = record.change[network].numpy()
    return model, recovery(
        fitted_factors(model),
        tensor_factors(change, 3),
        weights=change,
        visited=visited_span(truth.activity, 0.95),
        reference=recording.epoch == "baseline",
    )


networks = range(settings["n_networks"])
found = [fit_network(rich, network) for network in networks]
without_order = [fit_network(rich, network, True) for network in networks]

# %% tags=["hide-input"]


def sizes_of_change(weights, record, network):
    """Norm over trials of the change on visited rates, over its mean."""
    activity = record.activity[network].numpy()
    visited = visited_span(activity, 0.95)
    acting = weights @ visited
    acting = acting - acting[epoch == "baseline"].mean(0)
    size = np.linalg.norm(acting, axis=(1, 2))
    return size / size.mean()


course = {
    "true": [sizes_of_change(changes[i], rich, i) for i in networks],
    "from activity": [
        sizes_of_change(found[i][0].weights_[:], rich, i)
        for i in networks
    ],
    "from shuffled activity": [
        sizes_of_change(without_order[i][0].weights_[:], rich, i)
        for i in networks
    ],
}
top = 1.1 * np.max([course["true"], course["from activity"]])
charts.show(
    charts.curves(
        {name: np.array(values) for name, values in course.items()},
        np.arange(1, len(epoch) + 1),
        x_title="trial",
        y_title="size of the change, over its mean",
        epochs=list(epoch),
        x_scale={"domain": [1, len(epoch)], "nice": False},
        y_scale={"domain": [0, float(top)], "nice": False},
        clip=True,
    ),
    name="course-of-the-change",
    caption="The size of the weight change from baseline (norm, acting "
    "on visited rates, over its mean over trials): true, inferred from "
    "activity, and inferred from trial-shuffled activity. Lines: mean "
    "over networks; bands: their range. The vertical axis follows the "
    "first two; the band of the third goes up to "
    f"{np.max(course['from shuffled activity']):.1f} and is cut off.",
    alt="Three curves over trials. The true one falls from a high level "
    "at the first trials to a low one, rises in the perturbed epoch and "
    "stays up in the washout; the inferred one follows it roughly; that "
    "from shuffled activity does not.",
)

# %% [markdown]
# ({numref}`fig-course-of-the-change` counts changes from the mean of the
# baseline, in whose first trials the network still improves.)
#
# The *lazy* networks of [the chapter on re-learning to
# reach](02_relearning_to_reach.py) should be the hard case. Their weights
# change as much as the task asks, but their activity hardly does. We take
# one of them as it is, trial-shuffled, and with noise of 0.05 on the
# rates.

# %%
lazy = relearn_to_reach(
    **(settings | {"n_networks": 1}),
    proficiency=chapter.at_scale(smoke=2.0, book=0.3, paper=0.1),
    seed=seed,
    checkpoint=chapter.checkpoint("lazy"),
).record
lazy_found = fit_network(lazy)
lazy_shuffled = fit_network(lazy, shuffle=True)
lazy_noisy = fit_network(lazy, noise=0.05)


def unexplained(record, network=0):
    """What the mean of each condition leaves of the variance, in %."""
    recording = Recording.from_learning(record, network)
    mean = ConditionMean().fit(recording)
    return 100 * mean.score(recording, metric="nmse")


def changes_of(results):
    """The measure of claim P4.network."""
    return {
        "change": [one.visited_change_correlation for _, one in results]
    }


# %% tags=["hide-input"]
charts.show(
    charts.compared(
        {
            "rich networks": changes_of(found)["change"],
            "rich, trial-shuffled": changes_of(without_order)["change"],
            "lazy network": changes_of([lazy_found])["change"],
            "lazy, trial-shuffled": changes_of([lazy_shuffled])["change"],
            "lazy, with noise": changes_of([lazy_noisy])["change"],
        },
        score_title="correlation of the change with the true one",
    ),
    name="network-recovery",
    caption="Recovery of the change of a network's weights from its "
    "activity (correlation over all entries and trials, acting on "
    "visited rates). A small grey dot is a network, a large dot their "
    "mean, a bar its standard error on either side (none for the lazy "
    "network, as there is one).",
    alt="Dot plot: rich networks between "
    f"{min(changes_of(found)['change']):.1f} and "
    f"{max(changes_of(found)['change']):.1f}, the lazy network at "
    f"{changes_of([lazy_found])['change'][0]:.1f}, with noise at "
    f"{changes_of([lazy_noisy])['change'][0]:.1f}, shuffled controls "
    "near zero or below.",
)

# %% tags=["remove-input"]
row = network_claim.judge(
    changes_of(found),
    {"trial-shuffled": changes_of(without_order)},
    {
        "lazy network": changes_of([lazy_found]),
        "lazy network, trial-shuffled": changes_of([lazy_shuffled]),
        "lazy network, with noise": changes_of([lazy_noisy]),
    },
)
network_claim.prose_assumes(row, holds=False)


def leading(results):
    """The mean of the largest canonical correlation."""
    return float(
        np.mean([one.canonical_correlations[0] for _, one in results])
    )


glue("network-change", row["measured"]["change"]["mean"], display=False)
glue(
    "network-shuffled",
    row["control"]["trial-shuffled"]["change"]["mean"],
    display=False,
)
glue(
    "network-scale",
    float(np.mean([one.change_scale for _, one in found])),
    display=False,
)
glue("network-leading", leading(found), display=False)
glue("shuffled-leading", leading(without_order), display=False)
for name, (_, one) in {
    "lazy": lazy_found,
    "lazy-shuffled": lazy_shuffled,
    "lazy-noisy": lazy_noisy,
}.items():
    glue(f"{name}-change", one.visited_change_correlation, display=False)
left = {
    "lazy-left": unexplained(lazy),
    "rich-left": np.mean([unexplained(rich, i) for i in networks]),
}
fit_errors = [
    found[i][0].score(Recording.from_learning(rich, i), metric="nmse")
    for i in networks
]
worst = int(np.argmin(changes_of(found)["change"]))
left["worst-error"] = 100 * fit_errors[worst]
left["other-errors"] = 100 * np.mean(
    np.delete(fit_errors, worst) if len(fit_errors) > 1 else fit_errors
)
left["worst-change"] = min(changes_of(found)["change"])
for name, value in left.items():
    glue(name, float(value), display=False)
perturbed = np.flatnonzero(epoch == "perturbed")
for when, trials in (
    ("early", perturbed[: len(perturbed) // 2]),
    ("late", np.flatnonzero(epoch == "washout")),
):
    for name, which in (("true", "true"), ("found", "from activity")):
        size = np.array(course[which])[:, trials].mean()
        glue(f"{name}-{when}", float(size), display=False)

# %% [markdown]
# The change of the weights is recovered *in part*: the correlation is
# {glue:text}`network-change:.2f` on average, against
# {glue:text}`network-shuffled:.2f` when trials are shuffled
# ({numref}`fig-network-recovery`). In one network it is
# {glue:text}`worst-change:.2f` only, below the 0.2 that we had asked of
# each, and the claim **fails**. Its error does not give that network
# away: on the activity that was fitted it is
# {glue:text}`worst-error:.1f` % of the variance, that of the others
# {glue:text}`other-errors:.1f` %. A good fit is not a true one. On
# average the size of the change comes out about right
# ({glue:text}`network-scale:.1f` times the true one). Its course does so
# only roughly ({numref}`fig-course-of-the-change`): in the first half of
# the perturbed epoch it is {glue:text}`found-early:.2f` times its own
# mean, where the true one is at {glue:text}`true-early:.2f`; in the
# washout {glue:text}`found-late:.2f` and {glue:text}`true-late:.2f`.
#
# Beware of a better-looking number. The best-matching combination of the
# inferred trial factors correlates with one of the true ones (of a CP
# decomposition of the change) by {glue:text}`network-leading:.2f`. In the
# shuffled control it is {glue:text}`shuffled-leading:.2f`: the best of
# many combinations of smooth curves looks alike by chance.
#
# The lazy network surprised us. The mean of each condition leaves
# {glue:text}`lazy-left:.2f` % of its activity unexplained (in the rich
# ones {glue:text}`rich-left:.0f` %), so we expected the model to report
# its own misfit as learning. But the correlation is
# {glue:text}`lazy-change:.2f`, {glue:text}`lazy-noisy-change:.2f` with
# noise, and {glue:text}`lazy-shuffled-change:.2f` when trials are
# shuffled. We suspect that the trace of learning, small as it is, helps
# by being spread over all neurons and many trials; we did not test that.
# It is one network, and all of its neurons were recorded.
#
# ## What we have, and what it does not show
#
# - Where the model is right, activity determines the trial factors, the
#   columns' span, and the change of the weights as far as it acts on
#   visited rates. It does not determine rows outside of these, nor the
#   scale of a trial factor.
# - Spans first: single components can be far off when their span is not.
# - Intervals must count in how far a fit depends on its start; those
#   that do not are much too narrow.
# - One subspace can be told from two by fits to each epoch. What networks
#   learn in the perturbed epoch and in the washout shares a subspace in
#   part.
# - For networks trained by gradient descent, what is recovered of the
#   change is above the shuffled control on average, incomplete, and in
#   one of our networks poor. We cannot call that faithful recovery, and
#   we did not have the paper's own networks and settings to compare.
# - All time constants were given, and all units of the networks were
#   observed. Real recordings offer neither.
#
# ## Exercises
#
# ::::{exercise}
# :label: wrong-tau
# Every fit to the recordings that we made was told the true time
# constant, 1 s. Fit the first of them, `made[0].recording`, once more by
# `fit`, with `tau=1.5` and all else as in `fit_made`, and compare the
# result with the truth by `recovered`. Beside the same for the right time
# constant (`scores[0]`), look at three things: the mean of
# `factor_correlations` (are the trial factors found?),
# `visited_change_correlation` (are course and direction of the weight
# change found?) and `change_scale` (how large is the change, as a
# multiple of the true one?).
# ::::

# %% [markdown]
# ::::{solution-start} wrong-tau
# :class: dropdown
# ::::

# %%
slow = recovered(
    fit(made[0].recording, tau=1.5, n_steps=steps["model"]), made[0].truth
)
for name, one in (("tau 1.0 s", scores[0]), ("tau 1.5 s", slow)):
    print(
        f"{name}: trial factors {one.factor_correlations.mean():.2f}, "
        f"change {one.visited_change_correlation:.2f}, "
        f"its size {one.change_scale:.2f} of the true one"
    )

# %% [markdown]
# The equation $\tau\dot{\mathbf x}=-\mathbf x+W\phi(\mathbf x)$ has the
# same solutions if $\tau$ and all that stands on its right grow together.
# The decay cannot grow, but the weights can stand in for it. So the size
# of the change grows with the time constant that was assumed (less than
# in proportion here), while its directions and course are found as well
# as before. The single trial factors are not.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: too-many
# The first recording was made from four components. Fit ten to it, by
# `fit_made(made[0].recording, 10)`. What is the largest overlap of two
# different components (the largest absolute value off the diagonal of
# `component_overlaps()`), and how far off is the span (the first of
# `column_angles`, which `recovered` gives)?
# ::::

# %% [markdown]
# ::::{solution-start} too-many
# :class: dropdown
# ::::

# %%
for one in made[:1]:
    model = fit_made(one.recording, 10)
    overlap = np.abs(np.triu(model.component_overlaps(), 1)).max()
    angle = recovered(model, one.truth).column_angles[0]
    print(
        f"largest overlap {overlap:.2f}, span off by {angle:.0f} degrees"
    )

# %% [markdown]
# Two components are rather alike, as far as the overlap goes (the fit
# warns above {glue:text}`alike`), while the four true columns still
# lie within the span of the ten, nearly. (A larger span holds more by
# chance; but of the squared length of a direction among
# {glue:text}`neurons` neurons, ten random ones hold only
# {glue:text}`ten-hold:.0f` % on average.)
#
# ::::{solution-end}
# ::::
