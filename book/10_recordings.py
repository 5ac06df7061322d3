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
# # Neural recordings during learning
#
# So far every network that learned was one that we had made. Now a
# brain. {cite:t}`pellegrino2023` fitted their model to recordings of
# motor cortex, made while monkeys learned to reach in a force field, and
# found weights of low tensor rank (**P1**) that change within one fixed
# subspace (**P2**). Does a recording of learning bear this out?
#
# *What is theirs and what is ours.* The two claims and the model are the
# paper's. Their recordings are not public. Ours is another one, of
# another kind of learning, and every measure and threshold below is our
# own. It is **one session of one animal**: what holds here supports the
# claims, and what fails here does not refute what the authors saw in
# their data. At {ref}`the end <other-recordings>` is told
# how to run this chapter on recordings like theirs.

# %% tags=["parameters"]
scale = "book"
seed = 0
path = ""

# %% tags=["hide-input"]
import warnings

import numpy as np
from myst_nb import glue
from scipy.ndimage import uniform_filter1d

from ltr_core import Chapter, charts
from ltr_core.alterations import in_stretches, splice
from ltr_core.bci import load_hennig
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
    compare_flows,
    latent_flow,
    principal_plane,
    vector_field,
)
from ltr_core.experiments import relearn_to_reach
from ltr_core.held_out import held_out_blocks
from ltr_core.loaders import load
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN
from ltr_core.ltrrnn.stretches import fit_epochs
from ltr_core.model_selection import grid_search, one_standard_error
from ltr_core.preprocessing import (
    grouped_average,
    keep,
    running_average,
    smooth,
    soft_normalise,
    square_root,
    z_score,
)
from ltr_core.recordings import Recording
from ltr_core.registry import NotAtHand, fetch
from ltr_core.reliability import neighbour_noise
from ltr_core.scores import score
from ltr_core.surrogates import shuffle_trials, spiking

# with a spare component or two, alike ones are expected
warnings.simplefilter("ignore", DegenerateWarning)
chapter = Chapter("10_recordings", scale=scale, seed=seed)
sizes = chapter.at_scale(
    smoke={"ranks": (2, 3), "units": 12, "steps": 3, "folds": 2},
    book={
        "ranks": (1, 4, 6, 8, 10),
        "units": 60,
        "steps": 160,
        "folds": 3,
    },
    paper={
        "ranks": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        "units": 120,
        "steps": 600,
        "folds": 8,
    },
)
print(f"{scale} scale, seed {seed}")

# %% [markdown]
# ## The claims, before the results
#
# A recording's truth is not known. What can be tested is prediction:
# blocks of trials and times are held out, all neurons at once, and the
# model must fill them in from what it saw of the trials before and
# after. Its bar is what needs no model of learning: the mean of each
# condition, that of each condition *in each epoch*, and the same network
# with weights that never change.
#
# (A *condition* is one of the eight targets. An *epoch* is a stretch of
# the session under one and the same map, not a pass over the data.)
#
# Settings, criteria and thresholds were fixed after pilot runs on this
# same recording (other held-out blocks, seeds from 1000 on), and
# committed before the first run at this seed. There is only one
# recording: its blocks here are not independent of the pilots, as a
# second animal would be. After the last pilot, and with no other one,
# P2 was cut to two folds, P1.spikes got its threshold, and fits were made
# shorter (160 steps for 200) to keep the page within five minutes; one
# way to prepare the data, neurons that are not scaled, was dropped for
# the same reason.

# %% tags=["remove-input"]
P1 = P2 = "Pellegrino, Cayco-Gajic & Chadwick 2023, abstract"
OURS = "the companion's own check"
recording_claim = chapter.claim(
    "P1.recording",
    statement="On a recording made while an animal learned, a network "
    "whose weights change over trials, at low tensor rank, predicts "
    "held-out activity better than all that does not learn gradually.",
    source=P1,
    criterion="In every fold the held-out error (mean squared error over "
    "variance) of the ltrRNN is less than the least of three: the mean "
    "of "
    "each condition, that of each condition and epoch, and the network "
    "with fixed weights. Not so when trials of a condition are shuffled.",
    expression="min(gain) > 0",
)
rank_claim = chapter.claim(
    "P1.small-rank",
    statement="Most of the fall of the error on held-out activity is "
    "reached at a small rank. (Before the run it said: it stops falling "
    "at a small rank. The criterion is the same.)",
    source=P1,
    criterion="In every fold 90 % of what the error falls from rank 1 to "
    "the largest rank, 10, is reached by rank 6. Not so for the share of "
    "variance that as many principal components of the activity leave.",
    expression="min(reached) >= 0.9",
)
subspace_claim = chapter.claim(
    "P2.recording",
    statement="One subspace serves all of learning: allowed other "
    "columns "
    "and rows in each epoch, the model predicts no better.",
    source=P2,
    criterion="In each of two folds the error of one fit is at most 1.01 "
    "times that of separate fits to each epoch. Not so for a recording "
    "whose neurons change places after the first epoch.",
    expression="max(ratio) <= 1.01",
)
spikes_claim = chapter.claim(
    "P1.spikes",
    statement="In spikes of some neurons of a network that is known to "
    "have learned by its weights, the method sees that they changed.",
    source=OURS,
    criterion="In every network, at every firing rate tried, the ltrRNN "
    "tells at least 0.05 bits per held-out spike more than the best of "
    "the two means and of fixed weights. Not so when trials of a "
    "condition are shuffled. (Where weights may change at all, a little "
    "is gained in any order: in a pilot run without a threshold the "
    "shuffled trials passed, and the threshold was set for that.)",
    expression="min(bits) >= 0.05",
)

# %% [markdown]
# ## The recording
#
# {cite:t}`hennig2021` recorded some ninety channels in the motor cortex
# of a monkey that moved a cursor on a screen by its neural activity
# alone, through a **brain-computer interface** (BCI): a fixed linear map
# from activity to the cursor's velocity. After a first block of trials
# with an **intuitive** map, the map was **perturbed**, and over some six
# hundred trials the animal learned the new one. Learning by BCI suits
# the question well: all that moves the cursor is in the recording.
#
# What the authors published are not spikes, but ten **latents** for every
# 45 ms. A factor analysis (much as PCA, but with noise of its own for
# each channel) found them in the channels' counts of threshold crossings,
# the moments at which a channel's voltage passes a threshold: spikes of a
# few cells near it. We take the latents as ten "neurons". Whatever is
# fitted to them varies in ten dimensions at most.
#
# ```{margin}
# The file is not part of this book. It is fetched by its address, checked
# by its SHA-256, and kept on the reader's machine (licence:
# BSD-3-Clause).
# ```


# %% tags=["hide-input"]
def known_networks(n_networks):
    """Networks that learned to reach, in the rich setting."""
    return relearn_to_reach(
        n_networks,
        chapter.at_scale(smoke=16, book=100, paper=200),
        g=0.5,
        input_scale=0.5,
        output_scale=0.1,
        learning_rate=0.2,
        trials=chapter.at_scale(
            smoke=(16, 16, 16), book=(50, 100, 100), paper=(50, 100, 100)
        ),
        pretraining_steps=chapter.at_scale(
            smoke=20, book=1500, paper=3000
        ),
        proficiency=chapter.at_scale(smoke=5.0, book=0.3, paper=0.3),
        seed=seed,
        checkpoint=chapter.checkpoint("rich"),
    ).record


networks = known_networks(chapter.at_scale(smoke=1, book=2, paper=5))
rates = [
    Recording.from_learning(networks, i)
    for i in range(len(networks.weights))
]
why_not = ""
behaviour = None
if path:
    session = load(path)
    why_not = "this run is of a file of the reader's own"
    source = (
        f"**This page was run on a file of the reader's own**: {path}"
    )
else:
    try:
        published = load_hennig(fetch("hennig2021"))
        long_enough = published.n_bins >= 12
        session = published.recording.select(trials=long_enough)
        behaviour = published.progress[long_enough]
        measure = "progress towards the target (mm/s)"
        source = "This page was run on the recording described above."
    except NotAtHand:
        why_not = (
            "the recording was not at hand, and no network to fetch it"
        )
        session = square_root(
            spiking(
                rates[0],
                width=0.04,
                median_rate=20.0,
                gain=2.0,
                seed=seed,
            ).recording
        )
        behaviour = networks.error[0].numpy()
        measure = "error of the reach"
        source = (
            "**The recording was not at hand when this page was made**, "
            "nor a network to fetch it. Everything below was run on a "
            "*surrogate*: spikes of a network that learned to reach. "
            "What "
            "the text says of the animal does not apply, and the claims "
            "about it were not run."
        )
if scale == "smoke":
    few = slice(None, None, 8) if session.n_trials > 200 else slice(None)
    session = session.select(trials=few)
    behaviour = None if behaviour is None else behaviour[few]
if session.counts:
    session = square_root(session)
if len(session.epochs) == 1:  # without a perturbation: early against late
    session = in_stretches(session, ("first half", "second half"))
before, after = session.epochs[:2]

# %% tags=["remove-input"]
from IPython.display import Markdown

display(Markdown(f":::{{note}}\n{source}\n:::"))
print(session)
if behaviour is not None:
    learned = behaviour[session.epoch == after]
    n_ends = min(50, len(learned) // 2)
    for name, part in (
        ("behaviour-first", learned[:n_ends]),
        ("behaviour-last", learned[-n_ends:]),
    ):
        glue(name, float(np.nanmean(part)), display=False)
else:
    for name in ("behaviour-first", "behaviour-last"):
        glue(name, "(not in the file)", display=False)
n_ends = 50 if behaviour is None else n_ends
for name, value in (
    ("n-ends", n_ends),
    ("n-trials", session.n_trials),
    ("n-neurons", session.n_neurons),
    ("missing", 100 * float(1 - session.observed.mean())),
):
    glue(name, value, display=False)

# %% [markdown]
# Of the session we keep the trials of at least 12 bins:
# {glue:text}`n-trials` of them. They differ in length; what lies after a
# trial's end ({glue:text}`missing:.0f` % of the entries) counts as not
# observed. Time 0 is when the cursor is released.


# %% tags=["hide-input"]
def over_trials(values, width=25):
    """A running mean of each epoch's trials."""
    smoothed = np.empty(len(values))
    for epoch in session.epochs:
        now = session.epoch == epoch
        filled = np.where(
            np.isnan(values[now]), np.nanmean(values[now]), values[now]
        )
        smoothed[now] = uniform_filter1d(filled, width, mode="nearest")
    return smoothed


if behaviour is not None:
    shown = charts.curves(
        {"running mean over 25 trials": over_trials(behaviour)[None]},
        session.trial_id,
        x_title="trial",
        y_title=measure,
        epochs=list(session.epoch),
    )
    charts.show(
        shown,
        name="learning-curve",
        caption="What the animal learned: the speed towards the target "
        "that its activity gives the cursor under the *perturbed* map, "
        "also for the trials of the first epoch, where another map moved "
        "the cursor. Mean over each trial, running mean over 25 trials "
        "of an epoch.",
        alt="A curve over trials: low in the intuitive epoch, a step up "
        "where the perturbed map begins, a climb over some hundreds of "
        "trials, then about level.",
    )

# %% [markdown]
# Over the perturbed trials the animal's progress goes from
# {glue:text}`behaviour-first:.0f` mm/s (mean of the first
# {glue:text}`n-ends`) to {glue:text}`behaviour-last:.0f` mm/s (the last):
# it learned. Does its activity show it?

# %% tags=["hide-input"]
smoothed_trials = running_average(session, 25)
# the condition with the most trials, in case some have none in an epoch
often = int(np.bincount(session.condition_index).argmax())
at_target = np.flatnonzero(session.condition_index == often)
stages = {
    f"{before}, end": at_target[session.epoch[at_target] == before][-1],
    f"{after}, start": at_target[session.epoch[at_target] == after][0],
    f"{after}, end": at_target[session.epoch[at_target] == after][-1],
}
n_shown = min(4, session.n_neurons)
charts.show(
    charts.neurons(
        {
            k: session.activity[at, :, :n_shown]
            for k, at in stages.items()
        },
        {
            k: smoothed_trials.activity[at, :, :n_shown]
            for k, at in stages.items()
        },
        session.time,
        numbers=list(range(1, 1 + n_shown)),
        y_title="latent (as published)",
    ),
    name="single-trials",
    caption="Four of the latents, in trials to one target: three single "
    "trials (dots), and running averages over 25 trials of this target "
    "around them (lines), at three stages of the session. (25 trials to "
    "one target are spread over some 200 of the session.) Panels name "
    "the latents as neurons.",
    alt="Four panels of activity over time. The dots of single trials "
    "scatter widely around the averages, whose courses differ little "
    "from stage to stage.",
)
noise = neighbour_noise(z_score(session))
glue("noise", noise, display=False)
glue("noise-share", 100 * noise, display=False)

# %% [markdown]
# Not to the eye: single trials scatter so widely that learning hides in
# them. How widely can be told without a model. Two neighbouring trials
# to the same target share all that changes slowly; half their squared
# difference is **noise**, {glue:text}`noise-share:.0f` % of the variance
# here. No model whose inputs belong to the target and whose weights
# change gradually can have an error much below {glue:text}`noise:.2f`,
# and what learning did is some part of what remains.
#
# ## How many components?
#
# Each block that is held out is five trials by three times, of *all*
# neurons, since in what one latent does on a trial another one may be
# guessed from. Around each a larger block is not used at all. Every
# neuron is brought to unit variance, as computed from entries that all
# folds train on.
#
# The network has more units than the recording has neurons, and a linear
# readout. Inputs act through all of the trial, as the animal sees its
# cursor move. Trial factors are independent between the two epochs (the
# map changes at once) and change slowly within each.

# %%
n_folds = sizes["folds"]
everyone = session.n_neurons - 1
blocks = {"test": (2, 1, everyone), "train": (5, 3, everyone)}


def masks_of(recording, number):
    return held_out_blocks(
        recording, share=0.1, **blocks, seed=seed + number
    )


masks = [masks_of(session, number) for number in range(2 * n_folds)]
shared = np.logical_and.reduce([mask.train for mask in masks])
recording = z_score(session, shared)
settings = {
    "n_units": sizes["units"],
    "readout": "linear",
    "readout_bias": True,
    "input_period": "both",
    "tau": 0.3,
    "noise": 0.01,
    "length": 100.0,
    "jumps": True,
    "substeps": 1,  # a step of 0.15 tau: exact enough beside the noise
    "n_steps": sizes["steps"],
}
by_rank = grid_search(
    LtrRNN(**settings),
    recording,
    {"rank": sizes["ranks"]},
    folds=masks[:n_folds],
    metric="nmse",
    n_jobs=1,
)
rank = one_standard_error(by_rank, over="rank")

# %% tags=["hide-input"]
charts.show(
    charts.scores(
        by_rank,
        chosen=rank,
        x_title="rank (number of components)",
        y_title="held-out error",
    ),
    name="recording-rank",
    caption="Held-out error against the rank of the ltrRNN: each set of "
    "held-out blocks (small dots), their mean (large dots and line) with "
    "its standard error (bars). The dashed rule is the rank that the "
    "one-standard-error rule takes.",
    alt="Held-out error against rank: it falls steeply from rank one to "
    "four, then slowly, up to ten, the largest that was tried.",
)
errors_by_rank = by_rank.pivot(
    index="fold", columns="rank", values="score"
)
least, most = min(sizes["ranks"]), max(sizes["ranks"])
middle = chapter.at_scale(smoke=2, book=6, paper=6)


def reached(by_number):
    """The share of the fall of the error that a middle rank reaches."""
    fall = by_number[least] - by_number[most]
    return (by_number[least] - by_number[middle]) / fall


values = np.nan_to_num(recording.activity.reshape(-1, session.n_neurons))
own = np.linalg.svd(values, compute_uv=False) ** 2
left = 1 - np.cumsum(own) / own.sum()
components = {
    k: left[k - 1] for k in (least, middle, min(most, len(own)))
}
components[most] = components[min(most, len(own))]


def judged(claim, *values):
    """The verdict, where the claim's recording is what was fitted."""
    if why_not:
        return claim.not_run(why_not)
    return claim.judge(*values)


glue("rank", rank, display=False)
glue("middle", middle, display=False)
glue("largest", most, display=False)
glue(
    "reached", 100 * float(reached(errors_by_rank).mean()), display=False
)
glue(
    "reached-least",
    100 * float(reached(errors_by_rank).min()),
    display=False,
)
glue(
    "left-over",
    float((errors_by_rank[middle] - errors_by_rank[most]).mean()),
    display=False,
)
glue("components", 100 * float(reached(components)), display=False)

# %% tags=["remove-input"]
row = judged(
    rank_claim,
    {"reached": reached(errors_by_rank).to_numpy()},
    {"principal components": {"reached": [reached(components)]}},
)
rank_claim.prose_assumes(row, holds=True)

# %% [markdown]
# The criterion is met: in {numref}`fig-recording-rank` rank
# {glue:text}`middle` reaches {glue:text}`reached:.0f` % of what rank
# {glue:text}`largest` does on average, {glue:text}`reached-least:.1f` %
# in the fold where it is least. But it was a generous one. Rank 1 is so
# poor that 90 % is soon reached; what is left from rank
# {glue:text}`middle` on is an error of {glue:text}`left-over:.3f`, more
# than most differences further below; and the one-standard-error rule
# takes rank {glue:text}`rank`. By the stricter reading, that the error
# stops falling, we have **not** seen it stop within the ten dimensions of
# this recording. (The control is weak as well: as many principal
# components hold {glue:text}`components:.0f` % of what ten of them do,
# and most of that variance is noise.) Small beside the network's units
# such a rank is; beside the recording's {glue:text}`n-neurons` latents it
# is not.
#
# ## Does the model of learning earn its keep?
#
# New sets of held-out blocks, which chose nothing, and the models beside
# it, at the same rank.

# %%
chosen = settings | {"rank": int(rank)}
# priors of trial factors mean nothing where weights are fixed
fixed = {
    name: value
    for name, value in chosen.items()
    if name not in ("noise", "length", "jumps")
}
bars = {
    "condition mean": ConditionMean(),
    "condition × epoch mean": EpochMean(),
    "fixed weights": FixedWeights(**fixed),
}
others = {
    "inputs of each trial": TrialInputs(**fixed, penalty=1.0),
    "free low-rank weights": FreeLowRank(
        **chosen,
        n_free_steps=chapter.at_scale(smoke=2, book=40, paper=200),
    ),
    "TCA": TCA(rank=int(rank), seed=seed),
    "PCA": PCAModel(n_components=min(int(rank), everyone)),
}


def error(model, recording, mask):
    """The error on the mask's test entries, fitted to its others."""
    fitted = model.with_params().fit(recording, mask.train)
    return fitted.score(recording, mask.test, "nmse")


def gains(recording, masks):
    """How much less the ltrRNN's error is than the best bar's."""
    found = {
        name: np.array([error(model, recording, mask) for mask in masks])
        for name, model in ({"ltrRNN": LtrRNN(**chosen)} | bars).items()
    }
    least = np.min([found[name] for name in bars], axis=0)
    return found, least - found["ltrRNN"]


fresh = masks[n_folds:]
found, gain = gains(recording, fresh)
found |= {
    name: np.array([error(model, recording, fresh[0])])
    for name, model in others.items()
}
longer = LtrRNN(**chosen | {"n_steps": 2 * sizes["steps"]})
least_bar = np.min([found[name] for name in bars], axis=0)
gain_longer = least_bar - [
    error(longer, recording, mask) for mask in fresh
]
shuffled = shuffle_trials(recording, seed=seed)
in_disorder, lost = gains(shuffled, [masks_of(shuffled, 2 * n_folds + 1)])

# %% tags=["hide-input"]
told = "; ".join(f"{name} {found[name].mean():.3f}" for name in found)
charts.show(
    charts.compared(
        {
            name: value
            for name, value in found.items()
            if value.max() < 1.4 * found["condition mean"].max()
        },
        score_title="held-out error",
        reference={"noise of single trials": noise},
    ),
    name="recording-compared",
    caption="Held-out error of the ltrRNN and the models beside it: each "
    "fold (small dots), mean (large dots) and standard error (bars). "
    "Dashed: the noise of single trials. Models whose error is more than "
    "1.4 times the condition mean's are left out; the text has them. "
    "Models other than the ltrRNN and its bars: the first fold only. "
    "Less is better.",
    alt="Models in rows, held-out error on the horizontal axis. Mean "
    f"errors: {told}.",
)

# %% tags=["remove-input"]
row = judged(
    recording_claim,
    {"gain": gain},
    {"trials shuffled": {"gain": lost}},
    {"twice as many steps": {"gain": gain_longer}},
)
recording_claim.prose_assumes(row, holds=False)
explained = {
    name: 100 * float((1 - value.mean()) / (1 - noise))
    for name, value in found.items()
}
for name, key in (
    ("ltrRNN", "ours"),
    ("condition mean", "mean"),
    ("condition × epoch mean", "epoch-mean"),
    ("fixed weights", "fixed"),
):
    glue(f"{key}-explained", explained[name], display=False)
for name, key in (
    ("inputs of each trial", "trial-inputs"),
    ("free low-rank weights", "free"),
    ("TCA", "tca"),
    ("PCA", "pca"),
):
    glue(f"{key}-error", float(found[name].mean()), display=False)
glue("ours-first", float(found["ltrRNN"][0]), display=False)
glue("n-won", int((gain > 0).sum()), display=False)
glue("n-fresh", len(gain), display=False)
glue("longer-mean", float(gain_longer.mean()), display=False)
glue("n-longer", int((gain_longer > 0).sum()), display=False)
glue("gain-mean", float(gain.mean()), display=False)
glue("lost-mean", float(lost.mean()), display=False)

# %% [markdown]
# Of the variance that is not noise, the ltrRNN
# ({numref}`fig-recording-compared`) explains
# {glue:text}`ours-explained:.0f` % in the held-out blocks; fixed weights
# {glue:text}`fixed-explained:.0f` %, the condition mean
# {glue:text}`mean-explained:.0f` %, and that of each epoch
# {glue:text}`epoch-mean-explained:.0f` %. So nearly all that the ltrRNN
# adds to the condition mean is a step between the two epochs, which the
# mean of each epoch has too, and which may be the new map itself rather
# than learning. The rest no model here explains. Is there more, something
# *gradual*?
#
# The ltrRNN's error is below the best bar's in {glue:text}`n-won` of
# {glue:text}`n-fresh` folds, by {glue:text}`gain-mean:.3f` on average.
# The claim asked for every fold: it **does not hold**. Fits of twice as
# many steps, beside it on the card, are better in
# {glue:text}`n-longer` folds (by {glue:text}`longer-mean:.3f` on
# average); but they were tried after the verdict, and are no part of it.
# With trials shuffled (over the epochs, so that the step goes as well;
# one fold) the difference is {glue:text}`lost-mean:.3f`, no further from
# zero than some of the real folds. Beside the step, what is gradual is at
# the edge of what single trials of this recording can tell.
#
# Weights of their own in every trial do no better: they leave
# {glue:text}`free-error:.3f` in a fold where the ltrRNN, from which they
# start, leaves {glue:text}`ours-first:.3f`. The rest are not built for
# this test. PCA fills in from neurons recorded at the same time, and
# there are none, so that its error ({glue:text}`pca-error:.2f`) is about
# 1 by construction, that of the overall mean. Inputs of their own in
# every trial ({glue:text}`trial-inputs-error:.2f`) and TCA
# ({glue:text}`tca-error:.2f`), neither of them tuned to this recording,
# exceed 1, as overfitting would.
#
# ## One subspace?
#
# If learning moved the weights out of their subspace when the map
# changed, a fit with columns and rows of its own for each epoch should
# predict better, though each has fewer trials to learn from. For the
# control we change the neurons' places after the first epoch: then no
# one subspace serves both.


# %%
def of_each_epoch(recording, mask):
    """The error of separate fits to each epoch."""
    models = fit_epochs(LtrRNN(**chosen), recording, mask.train)
    predicted = np.concatenate([model.predict() for model in models])
    return score(recording.activity, predicted, mask.test, "nmse")


n_split = chapter.at_scale(smoke=1, book=2, paper=n_folds)
places = np.random.default_rng(seed).permutation(session.n_neurons)
swapped = splice(recording, recording.select(neurons=places))
swapped_mask = masks_of(swapped, 2 * n_folds + 2)
ratio = np.array(
    [
        one / of_each_epoch(recording, mask)
        for one, mask in zip(
            found["ltrRNN"], fresh[:n_split], strict=False
        )
    ]
)
swapped_ratio = error(
    LtrRNN(**chosen), swapped, swapped_mask
) / of_each_epoch(swapped, swapped_mask)

# %% tags=["remove-input"]
row = judged(
    subspace_claim,
    {"ratio": ratio},
    {"neurons change places": {"ratio": [swapped_ratio]}},
    {
        "free weights in every trial": {
            "ratio": found["ltrRNN"][:1] / found["free low-rank weights"]
        }
    },
)
subspace_claim.prose_assumes(row, holds=True)
glue("ratio", float(ratio.mean()), display=False)
glue("swapped-ratio", float(swapped_ratio), display=False)

# %% [markdown]
# The criterion is met: the error of one fit is {glue:text}`ratio:.3f`
# times that of one for each epoch (for exchanged neurons
# {glue:text}`swapped-ratio:.3f` times). Where the ratio is above 1,
# separate fits are the better ones, by less than the 1 % that we had
# allowed. But 1 % of the error is about as much as the ltrRNN gains over
# its bars, and ten latents leave little room for another subspace: the
# test can exclude large changes of the subspace only.
#
# ## What changed, and when?
#
# The fit to all observed entries, and the part of its trial factors that
# varies most over the perturbed trials, beside the learning curve. Trial
# factors are smooth by their prior, and any two smooth curves may
# resemble each other: so the same is done for fits to shuffled trials.


# %%
def leading_course(recording):
    """The course of trial factors that varies most in the later epoch."""
    model = LtrRNN(**chosen).fit(recording)
    factors = model.trial_factors_[recording.epoch == after]
    around = factors - factors.mean(0)
    left, sizes_, _ = np.linalg.svd(around, full_matrices=False)
    return model, left[:, 0] * sizes_[0], sizes_


model, course, spread = leading_course(recording)
in_other_orders = [
    leading_course(shuffle_trials(recording, seed=seed + i))
    for i in range(chapter.at_scale(smoke=1, book=1, paper=10))
]

# %% tags=["hide-input"]


def standard(values):
    return (values - values.mean()) / values.std()


if behaviour is not None:
    later = session.epoch == after
    curve = standard(over_trials(behaviour)[later])
    agreement = float(np.corrcoef(course, curve)[0, 1])
    chance = [
        abs(float(np.corrcoef(other, curve)[0, 1]))
        for _, other, _ in in_other_orders
    ]
    charts.show(
        charts.curves(
            {
                "behaviour": curve[None],
                "trial factors": standard(np.sign(agreement) * course)[
                    None
                ],
            },
            session.trial_id[later],
            x_title="trial",
            y_title="standard deviations",
        ),
        name="factors-and-behaviour",
        caption="The learning curve in the later epoch, and the course "
        "of the trial factors along the direction in which they vary "
        "most there (its sign is arbitrary and was chosen to match). "
        "Both in standard deviations.",
        alt="Two curves over the trials of the perturbed epoch, with a "
        f"correlation of {abs(agreement):.2f}.",
    )
    glue("agreement", abs(agreement), display=False)
    glue("chance", max(chance), display=False)
else:
    glue("agreement", "(no behaviour)", display=False)
    glue("chance", "(no behaviour)", display=False)
shuffled_spread = np.mean(
    [np.linalg.norm(s) for *_, s in in_other_orders]
)
glue(
    "factor-spread",
    float(np.linalg.norm(spread) / shuffled_spread),
    display=False,
)

# %% [markdown]
# The two correlate at {glue:text}`agreement:.2f`; a fit to shuffled
# trials, which cannot know of learning, at {glue:text}`chance:.2f`. Two
# slow curves over one session are weak evidence whatever their
# correlation, and one shuffled fit is no distribution: we make no claim
# of it. The trial factors vary
# {glue:text}`factor-spread:.1f` times as much as they do when trials
# are shuffled.
#
# And what became of the dynamics? The flow under the input of the first
# target, after release, at the end of the first epoch and at the end of
# the second, on the plane in which the latents vary most.

# %% tags=["hide-input"]
moving = np.flatnonzero(recording.time >= 0)
n_late = chapter.at_scale(smoke=10, book=50, paper=50)
late = {
    f"{epoch}, end": np.flatnonzero(recording.epoch == epoch)[-n_late:]
    for epoch in (before, after)
}
flows = {
    name: latent_flow(model, trials, condition=0, times=moving)
    for name, trials in late.items()
}
latents = model.transform().astype(float)
visited = latents[np.concatenate(list(late.values()))][:, moving]
states = visited.reshape(-1, visited.shape[2])
plane = principal_plane(states)
paths = {
    name: np.stack(
        [
            latents[trials[recording.condition_index[trials] == target]][
                :, moving
            ].mean(0)
            for target in range(len(recording.conditions))
            if (recording.condition_index[trials] == target).any()
        ]
    )
    for name, trials in late.items()
}
charts.show(
    charts.flow_fields(
        {
            name: vector_field(flow, *plane)
            for name, flow in flows.items()
        },
        trajectories=paths,
        plane=(plane.origin, plane.axes),
        x_title="first axis of the latents",
        y_title="second axis",
    ),
    name="recording-flow",
    caption="The inferred flow under the input of the first target, "
    "before and after learning, on the plane in which the latents vary "
    "most (measured from their mean), with the mean paths to every "
    "target (dots: their starts). Faint arrows leave the plane.",
    alt="Two vector fields with the paths to the targets, before and "
    "after learning. How far they differ is printed below.",
)

# %%
first, last = flows.values()
print(compare_flows(first, last, states, seed=seed).describe())

# %% [markdown]
# This is what the method is for: a statement about dynamics that can be
# tested in the next experiment. Whether it is *true* of this brain we
# cannot know, and the numbers have no control: how far the flows of two
# fits to an unchanged brain would differ was not measured. We make no
# claim of them. In networks where the truth is known the flow's change
# was recovered in part ([the last chapter](09_reverse_engineering.py)),
# at far better signal than here.
#
# ## Does it hang on how the data were prepared?
#
# The ltrRNN against the two means (not against fixed weights), one fold
# each, for other choices: soft normalisation (by a neuron's range instead
# of its standard deviation), smoothing in time, only longer trials, and
# averages over groups of five trials to a target.

# %%
lengths = session.observed.any(2).sum(1)
prepared = {
    "as above": (session, z_score),
    "soft-normalised": (
        session,
        lambda each, train: soft_normalise(each, train, soft=1.0),
    ),
    "smoothed over 45 ms": (smooth(session, 0.045), z_score),
    "trials of 16 bins or more": (
        session.select(
            trials=lengths >= min(16, int(np.median(lengths)))
        ),
        z_score,
    ),
    "averages of 5 trials": (
        grouped_average(
            session, chapter.at_scale(smoke=2, book=5, paper=5)
        ),
        z_score,
    ),
}
robust = {}
for name, (variant, scaled) in prepared.items():
    mask = masks_of(variant, 2 * n_folds + 3)
    ready = scaled(variant, mask.train)
    ours = error(LtrRNN(**chosen), ready, mask)
    bar = min(
        error(each, ready, mask)
        for each in (ConditionMean(), EpochMean())
    )
    robust[name] = [(bar - ours) / bar]

# %% tags=["hide-input"]
robust_told = "; ".join(f"{k} {v[0]:+.3f}" for k, v in robust.items())
charts.show(
    charts.compared(
        robust,
        score_title="gain over the better mean (share of its error)",
        reference={"none": 0.0},
    ),
    name="robustness",
    caption="By how much the ltrRNN's held-out error is below that of "
    "the better of the two means, as a share of it, for other ways to "
    "prepare the recording. One fold each; right of the dashed line the "
    "ltrRNN is better.",
    alt="Ways to prepare the recording in rows; the gain on the "
    f"horizontal axis: {robust_told}.",
)
n_better = sum(value[0] > 0 for value in robust.values())
glue("n-better", n_better, display=False)
glue("n-prepared", len(robust), display=False)
glue(
    "gain-averages",
    100 * robust["averages of 5 trials"][0],
    display=False,
)
glue("gain-single", 100 * robust["as above"][0], display=False)

# %% [markdown]
# The ltrRNN is better than both means in {glue:text}`n-better` of
# {glue:text}`n-prepared` cases. On single trials its error is
# {glue:text}`gain-single:.1f` % less than theirs; on averages of five
# {glue:text}`gain-averages:.1f` %. Averages have less noise, and it is
# there that the lead is largest: a hint, from one fold and without a
# shuffled control, to be tested on another session. Smoothing carries
# activity a little way into the blocks that are held out, to the good of
# all models.
#
# ## What could such data show?
#
# Where nothing is known of the truth, a *surrogate* helps: a recording
# of networks that did learn through their weights, as an experiment
# would see it. We take the [reaching networks](08_recovery.py) in their
# rich setting, let part of their units fire Poisson spikes, at rates as
# they are found in cortex (log-normal over neurons), and count them in
# bins of 40 ms. The model for counts has a Poisson likelihood, and its
# score is in bits per spike: how much likelier (in powers of two, for
# each spike) it makes the counts than the neuron's mean count does.

# %%
spike_settings = {
    "rank": chapter.at_scale(smoke=2, book=6, paper=6),
    "likelihood": "poisson",
    "readout": "linear",
    "input_columns": 3,
    "input_period": "both",
    "tau": 0.1,
    "n_steps": sizes["steps"],
}
slow = {"scale": 0.3, "noise": 0.01, "length": 30.0}  # trial factors
all_neurons = {"test": (2, 1, 200), "train": (4, 2, 200), "share": 0.1}
spike_bars = {
    "condition mean": ConditionMean(),
    "condition × epoch mean": EpochMean(),
    "fixed weights": FixedWeights(**spike_settings),
}
firing = chapter.at_scale(
    smoke=(20.0,), book=(5.0, 20.0), paper=(2.0, 5.0, 10.0, 20.0)
)


def bits(recording):
    """Bits per spike of every model, on held-out blocks."""
    mask = held_out_blocks(recording, **all_neurons, seed=seed)
    models = {"ltrRNN": LtrRNN(**spike_settings, **slow)} | spike_bars
    return {
        name: each.with_params()
        .fit(recording, mask.train)
        .score(recording, mask.test, "bits_per_spike")
        for name, each in models.items()
    }


def more_bits(found):
    return found["ltrRNN"] - max(found[name] for name in spike_bars)


recorded = {
    (i, hertz): spiking(
        each,
        width=0.04,
        median_rate=hertz,
        gain=2.0,
        share=0.6,
        seed=seed,
    ).recording
    for i, each in enumerate(rates)
    for hertz in firing
}
spike_bits = {key: bits(each) for key, each in recorded.items()}
disordered = bits(shuffle_trials(recorded[0, firing[-1]], seed=seed))

# %% tags=["hide-input"]
shown_bits = {
    f"{name}, {hertz:g} Hz": [
        each[name] for (_, h), each in spike_bits.items() if h == hertz
    ]
    for hertz in firing
    for name in ("ltrRNN", *spike_bars)
}
charts.show(
    charts.compared(shown_bits, score_title="bits per held-out spike"),
    name="spikes-compared",
    caption="Bits per held-out spike that each model tells, at each "
    "median firing rate: networks (small dots), their mean (large dots) "
    "and standard error (bars). More is better.",
    alt="Models at each firing rate in rows, bits per spike on the "
    "horizontal axis: "
    + "; ".join(
        f"{name} {np.mean(value):.2f}"
        for name, value in shown_bits.items()
    )
    + ".",
)

# %% tags=["remove-input"]
row = spikes_claim.judge(
    {"bits": [more_bits(each) for each in spike_bits.values()]},
    {"trials shuffled": {"bits": [more_bits(disordered)]}},
)
spikes_claim.prose_assumes(row, holds=False)
glue("firing-least", min(firing), display=False)
glue("firing-most", max(firing), display=False)
by_network = [
    [more_bits(spike_bits[i, hertz]) for hertz in firing]
    for i in range(len(rates))
]
changed = [
    ConditionMean().fit(each).score(each, metric="nmse") for each in rates
]
for i, key in ((0, "one"), (len(rates) - 1, "two")):
    glue(f"bits-{key}-least", by_network[i][0], display=False)
    glue(f"bits-{key}-most", by_network[i][-1], display=False)
    glue(f"changed-{key}", 100 * float(changed[i]), display=False)
glue("bits-shuffled", float(more_bits(disordered)), display=False)
glue("n-spiking", recorded[0, firing[0]].n_neurons, display=False)

# %% [markdown]
# The claim asked for 0.05 bits more than the best bar in every network at
# every rate, and **does not hold**. With {glue:text}`n-spiking` neurons
# the first network gains {glue:text}`bits-one-least:.3f` bits per spike
# at a median of {glue:text}`firing-least:.0f` Hz and
# {glue:text}`bits-one-most:.3f` at {glue:text}`firing-most:.0f` Hz; the
# second {glue:text}`bits-two-least:.3f` and
# {glue:text}`bits-two-most:.3f`. In the pilot's two networks it had been
# about 0.1. With the trials in another order it is
# {glue:text}`bits-shuffled:.3f` (first network, highest rate). In both
# networks learning does move the
# activity (what the mean of a condition leaves of the noise-free rates is
# {glue:text}`changed-one:.0f` % and {glue:text}`changed-two:.0f` % of
# their variance): it is not that nothing changed in the second.
#
# ```{margin}
# The authors of these data report that engagement changes abruptly during
# such sessions, and shapes what is learned.
# ```
#
# So a gain of nothing means little: the method misses, in data of this
# kind, a change that is known to be there. And what would a clear gain
# mean? In the surrogates it is known that weights changed. In an animal
# it would say that activity changed gradually, which drifting electrodes
# or the animal's engagement can do as well.
#
# ## What would have refuted it
#
# - fixed weights, or the mean of each epoch, predicting as well as the
#   ltrRNN (so in part of the folds: P1.recording);
# - the ltrRNN doing as well with shuffled trials;
# - an error that falls as much from a middle rank on as before it (it
#   does not; that it falls at all up to the largest rank speaks against
#   the stricter reading);
# - separate fits to each epoch predicting better than one by more than
#   the margin.
#
# (other-recordings)=
# ## The same chapter on other recordings
#
# The parameter `path` takes a file of your own: NWB, TrialData `.mat`,
# NetCDF or `.npz`. Recordings of reaching in force fields as the paper's
# are held by the laboratories that made them. If you have one as a
# TrialData file, or a file of
# [DANDI:000688](https://dandiarchive.org/dandiset/000688) (monkeys
# reaching, without a perturbation), this runs the chapter on it:
#
# ```
# jupytext --to ipynb book/10_recordings.py --output mine.ipynb
# papermill mine.ipynb result.ipynb -p path /data/file.mat
# ```
#
# Its claims about *this* recording are then entered as not run. For more
# than a look use [the next chapter](11_your_own_data.py), which checks
# the file first.

# %% [markdown]
# ## Exercises
#
# ::::{exercise}
# :label: fewer-latents
# What if only the first five latents had been published? Keep them by
# `session.select(neurons=slice(0, 5))`, hold out blocks as above, and
# compare the held-out error of the ltrRNN of rank 4 with that of both
# means.
# ::::

# %% [markdown]
# ::::{solution-start} fewer-latents
# :class: dropdown
# ::::

# %%
fewer = session.select(neurons=slice(0, 5))
fewer_mask = held_out_blocks(
    fewer, share=0.1, test=(2, 1, 4), train=(5, 3, 4), seed=seed
)
fewer = z_score(fewer, fewer_mask.train)
for each in (
    LtrRNN(**settings | {"rank": min(4, rank)}),
    ConditionMean(),
    EpochMean(),
):
    print(f"{type(each).__name__}: {error(each, fewer, fewer_mask):.3f}")

# %% [markdown]
# The errors are smaller than for all ten: latents are ordered by the
# variance that channels share, and the last ones are noisier. In our run
# the mean of each epoch is a little ahead of the ltrRNN; it is one fold.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: before-the-map
# Is there anything gradual *before* the map changed? Keep the first
# epoch's trials (`keep(session, epochs=[before])`) and compare the
# held-out error of the ltrRNN with that of fixed weights.
# ::::

# %% [markdown]
# ::::{solution-start} before-the-map
# :class: dropdown
# ::::

# %%
early = keep(session, epochs=[before])
early_mask = masks_of(early, 2 * n_folds + 4)
early = z_score(early, early_mask.train)
for each in (LtrRNN(**chosen), FixedWeights(**fixed), ConditionMean()):
    print(f"{type(each).__name__}: {error(each, early, early_mask):.3f}")

# %% [markdown]
# In our run the ltrRNN is the worst of the three: nothing gradual shows,
# and what is free to change follows noise. With a quarter of the trials
# and one fold, a hundredth or two mean little.
#
# ::::{solution-end}
# ::::
