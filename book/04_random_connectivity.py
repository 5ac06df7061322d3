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
# # Random connectivity makes learning faster
#
# [Networks that start from random connections](03_three_tasks.py) learn
# three tasks by a change of low rank. The change does the work; so what
# is the random part good for? One could leave it out. A network whose
# recurrent connections all start at zero is the tidiest of starts: it
# has no activity of its own that could get in the way.
#
# {cite:t}`schuessler2020` claim that it is also a slow one: **random
# initial connectivity accelerates learning**. This is claim **S3**. The
# knob is one number, $g$. Initial weights are drawn with variance
# $g^2/N$ ($N$ is the number of units), so that their eigenvalues fill a
# disk of radius about $g$. At $g=0$ there are no connections. Up to
# $g=1$ activity that is left alone dies out. Above, in large networks, it
# goes on for ever, and chaotically: two states that hardly differ soon
# lead to quite different ones.
#
# Here we turn the knob and count epochs. Then we ask where the time
# goes, and whether what we see in small networks is there in larger ones
# (the paper's supplement says how it should scale: part of claim
# **S7**).
#
# *What is theirs and what is ours.* Tasks, networks, learning and the
# definition of learning time follow the authors' published notebooks, at
# half the number of units and with fewer networks. The criteria, their
# thresholds and controls are ours, and so is the split of the learning
# time into a distance and a speed.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
import torch
from myst_nb import glue

from ltr_core import Chapter, charts, interplay, learned_change
from ltr_core.rnn import mean_field_networks
from ltr_core.training import train

chapter = Chapter("04_random_connectivity", scale=scale, seed=seed)
TASKS = ("flip-flop", "Mante", "Romo")
strengths = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1)
sizes = chapter.at_scale(
    smoke={"units": 16, "epochs": (6, 4, 4), "n": (8, 16, 32)},
    book={
        "units": 128,
        "epochs": (400, 1200, 5000),
        "n": (64, 128, 256, 512),
    },
    paper={
        "units": 256,
        "epochs": (1000, 2000, 6000),
        "n": (64, 128, 256, 512, 1024),
    },
)
longest = dict(zip(TASKS, sizes["epochs"], strict=True))
print(f"{scale} scale, seed {seed}: {sizes['units']} units, tasks of at")
print(f"most {longest} epochs")

# %% [markdown]
# ## The claims, before the results
#
# The three tasks are those of [the chapter before](03_three_tasks.py).
# In the **flip-flop** a network holds the sign of the last of many
# pulses; in **Mante** it judges one of two noisy inputs and a context
# says which; in **Romo** it compares two stimuli with a pause between
# them. The networks are the same, too: leaky units with a time constant
# of 1 and a tanh, whose input, recurrent and output weights are all
# trained. The **change** is that of the recurrent weights, after less
# before; its **norm** is the root of the sum of its squared entries. To
# **cut** it to rank $r$ is to keep its $r$ largest singular values; at
# rank 0 none of it is left.
#
# An *epoch* is one batch of 32 fresh trials and one update of all
# weights, by Adam with a learning rate of $0.05/N$. The **learning time**
# is the first epoch whose loss is below 5 % of the first epoch's. We
# train until all networks have got there, or up to a limit, stated above;
# a network that has not learned by then is counted as if it had learned
# at the limit. (For the claims below that is the cautious reading: it
# makes the slow seem faster than they are.)
#
# Networks at $g=0$ still differ: in their input and output weights and in
# the trials they see. They are divided in two. The first half (the larger
# one for an odd number) says how long learning takes without random
# connections; the other half is a **control**. It is judged by the same
# criterion as the networks at $g=0.9$, and must fail it: a criterion that
# other networks at $g=0$ pass would be one that chance can pass.
#
# The criteria were written, and committed to the repository, after
# looking at a pilot with other random numbers (seed 1000) and before the
# run that you see.

# %% tags=["remove-input"]
S = "Schuessler et al. 2020"
OURS = "the companion's own check"
faster = chapter.claim(
    "S3.faster",
    statement="Random initial connectivity accelerates learning, in each "
    "of the three tasks.",
    source=S + ", abstract; criterion ours",
    criterion="Every network at g = 0.9 learns within a share of the "
    "mean learning time at g = 0: 0.85 for the flip-flop, 0.3 for "
    "Mante, 0.3 for Romo. Other networks at g = 0 must not pass, "
    "for any of the tasks.",
    expression="max(flip_flop) <= 0.85 and max(mante) <= 0.3 and "
    "max(romo) <= 0.3",
)

# %% tags=["remove-input"]
too_much = chapter.claim(
    "S3.too-much",
    statement="Too much of it slows learning down again.",
    source=S + ", learning time against g; criterion ours",
    criterion="In flip-flop and Mante, the mean learning time at g = 2.1 "
    "is at least 1.5 times that at g = 1.2. Networks at g = 1.5 "
    "in place of 2.1 must not pass.",
    expression="mean(flip_flop) >= 1.5 and mean(mante) >= 1.5",
)

# %% tags=["remove-input"]
smaller = chapter.claim(
    "S3.smaller",
    statement="From random connectivity a task is learned by a smaller "
    "change.",
    source=S + ", norm of the change against g; criterion ours",
    criterion="At its learning time, the change of every network at "
    "g = 0.9 has at most 0.75 times the mean norm at g = 0, in each "
    "task. Other networks at g = 0 must not pass, for any of them.",
    expression="max(flip_flop) <= 0.75 and max(mante) <= 0.75 and "
    "max(romo) <= 0.75",
)

# %% tags=["remove-input"]
flat = chapter.claim(
    "S7.norms",
    statement="The norm of the change does not grow with the number of "
    "units, though that of the initial weights does.",
    source=S + ", supplement; criterion ours",
    criterion="Flip-flop at g = 0.9: for every sample, the norm of the "
    "change grows as a power of N between -0.15 and 0.15. The "
    "norm of the initial weights must not pass (it is g times "
    "the root of N: a power of 0.5).",
    expression="min(power) >= -0.15 and max(power) <= 0.15",
)

# %% tags=["remove-input"]
few = chapter.claim(
    "S7.rank",
    statement="Neither does the rank that the task needs.",
    source=S + ", supplement; criterion ours",
    criterion="Flip-flop at g = 0.9: at every N, and in every network, "
    "the change cut to rank 8 leaves less than 0.05 of the loss "
    "at rank 0. The weights themselves cut to rank 8 must not "
    "pass.",
    expression="max(left) < 0.05",
)

# %% [markdown]
# The paper's figures give values to compare with. Learning times vary
# from network to network, and we read them off a figure, so ours agree if
# their mean is within **half** of the published value. In the supplement,
# norm and rank are flat in $N$. We fit a power of $N$ to each (a straight
# line on logarithmic axes), take flat for a power of 0, and allow 0.15.
# The *functional rank* is the least rank to which the change can be cut
# with less than 5 % of the loss at rank 0. Norms at the end of a longer
# training are compared in [the chapter on the three
# tasks](03_three_tasks.py).

# %% tags=["remove-input"]
published_times = {
    ("flip-flop", 0.0): 105,
    ("flip-flop", 0.9): 44,
    ("flip-flop", 1.8): 187,
    ("Mante", 0.0): 365,
    ("Mante", 0.9): 54,
    ("Mante", 1.5): 48,
    ("Mante", 2.1): 117,
    ("Romo", 0.0): 3000,
    ("Romo", 0.9): 320,
    ("Romo", 1.5): 86,
}
times_figure = chapter.published(
    "learning-times",
    figure="Learning time against g",
    source=S + ", read off the figure of learning times",
    setting=f"N {sizes['units']} (there 256), at most "
    f"{', '.join(str(n) for n in sizes['epochs'])} epochs",
    unit="epochs",
    values={
        f"{task}, g {g:g}": (value, value / 2)
        for (task, g), value in published_times.items()
    },
)

# %% tags=["remove-input"]
scaling_figure = chapter.published(
    "scaling",
    figure="Scaling with the number of units",
    source=S + ", supplement: flat, read as a power of 0; the norm of "
    "the initial weights is g times the root of N",
    setting=f"flip-flop, g 0.9, N {sizes['n'][0]} to {sizes['n'][-1]} "
    "(there 64 to 1024)",
    unit="power of N",
    values={
        "norm of the change": (0, 0.15),
        "norm of the initial weights": (0.5, 0.15),
        "functional rank": (0, 0.15),
    },
)

# %% [markdown]
# ## Learning time
#
# Three tasks, up to eight strengths of random connections, and three
# networks each; six at $g=0$ in the flip-flop and Mante. Romo, which
# takes longest, is trained at five strengths, up to 1.5. (At the paper's
# scale there are five networks each, at all of the paper's strengths.)
# Networks of different $g$ share their random numbers: network 1 at
# $g=1.2$ starts from twice the weights of network 1 at $g=0.6$, and sees
# the same trials.


# %%
def cell(name, g, n_networks):
    """The settings of one cell of the sweep."""
    return {
        "task": interplay.TASKS[name],
        "g": g,
        "n_networks": n_networks,
        "n_units": sizes["units"],
        "n_epochs": longest[name],
        "stop_below": 0.05,
        "ranks": (0,),
        "n_test": 32,
        "seed": seed,
    }


few_romo = {("Romo", g): 3 for g in (0.0, 0.6, 0.9, 1.2, 1.5)}
both = {(name, g): 3 for name in TASKS[:2] for g in strengths}
twice = {(name, 0.0): 6 for name in TASKS[:2]}
reduced = {
    key: cell(*key, n) for key, n in {**both, **few_romo, **twice}.items()
}
cells = chapter.at_scale(
    smoke=reduced, book=reduced, paper=interplay.published_cells(seed)
)
found = interplay.learn_over(
    cells,
    folder=chapter.kept_cells(),
    n_jobs=chapter.at_scale(smoke=None, book=None, paper=-1),
)


def times(name, g):
    """Learning times; the limit for those that did not learn."""
    return np.minimum(found[name, g].time, longest[name])


# %% tags=["hide-input"]
tried = {name: [g for task, g in cells if task == name] for name in TASKS}
charts.show(
    charts.runs(
        {
            name: (gs, [found[name, g].time for g in gs])
            for name, gs in tried.items()
        },
        limits=longest,
        x_title="strength g of the random connectivity",
        y_title="learning time (epochs)",
    ),
    name="learning-times",
    caption="Learning time against the strength of the initial random "
    "connections: each network (dots) and the median (lines), on a "
    "logarithmic axis. Open triangles, at the limit, are networks that "
    "had not learned when training was stopped.",
    alt="Learning time of three tasks against g. All fall from g of 0 to "
    "about 1; Romo most, by more than ten times. Flip-flop and Mante "
    "rise again towards g of 2.",
)

# %% tags=["remove-input"]
glue(
    "mante-spread",
    float(times("Mante", 0.9).max() / times("Mante", 0.9).min()),
    display=False,
)
for name in TASKS:
    for g in (0.0, 0.9):
        glue(
            f"time-{name}-{g:g}".replace(".", "").lower(),
            float(times(name, g).mean()),
            display=False,
        )

# %% [markdown]
# {numref}`fig-learning-times` shows what the paper says. From no random
# connections to $g=0.9$, the mean learning time falls from
# {glue:text}`time-flip-flop-0:.0f` to
# {glue:text}`time-flip-flop-09:.0f` epochs in the flip-flop, from
# {glue:text}`time-mante-0:.0f` to {glue:text}`time-mante-09:.0f` in
# Mante, and from {glue:text}`time-romo-0:.0f` to
# {glue:text}`time-romo-09:.0f` in Romo. Had a single network at $g=0.9$
# taken longer than its task's share of the mean at $g=0$, or had the
# other networks at $g=0$ all been within it, the claim would have failed.

# %% tags=["remove-input"]
WORDS = {"flip-flop": "flip_flop", "Mante": "mante", "Romo": "romo"}


def reference(values):
    """The first half of the networks at g = 0."""
    return values[: (len(values) + 1) // 2]


def others(values):
    """The other half."""
    return values[(len(values) + 1) // 2 :]


def shares(measure, g=0.9):
    """A measure at g, over its mean at g = 0, for each task."""
    return {
        WORDS[name]: measure(name, g)
        / reference(measure(name, 0.0)).mean()
        for name in TASKS
    }


def one_replaced(measure):
    """As measured, but with other networks at g = 0 in one task."""
    measured = shares(measure)
    return {
        f"{name}: other networks at g = 0": {
            **measured,
            WORDS[name]: others(measure(name, 0.0))
            / reference(measure(name, 0.0)).mean(),
        }
        for name in TASKS
    }


row = faster.judge(
    shares(times),
    one_replaced(times),
    {"at g = 1.5": shares(times, 1.5)},
)
faster.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
ours, missing = {}, {}
for (name, g), _ in published_times.items():
    learned = found[name, g].time
    key = f"{name}, g {g:g}"
    ours[key] = learned[np.isfinite(learned)]
    if len(ours[key]) < len(learned):
        missing[key] = (
            f"{len(learned) - len(ours[key])} of {len(learned)} did not "
            f"learn within {longest[name]} epochs"
        )
times_record = times_figure.compare(ours, missing=missing)

# %% [markdown]
# The table has the flip-flop's published time at $g=0$ as it stands in
# the paper's figure. The authors' published code, when it is run, gives
# less: 63 to 83 epochs. Networks that did not learn are left out of the
# means in the table, and named there.
#
# ## Too much randomness
#
# Towards $g=2$ learning slows down in the flip-flop and Mante. Well above
# $g=1$ the network is active without any input, and as a rule
# chaotically: what a weight does to the output late in a trial depends on
# everything before. Presumably the gradients of one batch then say little
# about the next; we did not test this. {numref}`fig-loss-curves` shows
# that slow learning has two faces. At $g=0$ the loss rests on a long
# plateau, then falls in fits. At 2.1 there is no such plateau: it begins
# to fall about as early as at 0.9, only not as fast.
#
# ```{margin}
# Slower than at $g$ about 1, that is; in Mante it is still faster than at
# 0.
# ```

# %% tags=["hide-input"]
shown = [found["Mante", g].loss for g in (0.0, 0.9, 2.1)]
n_shown = max(loss.shape[1] for loss in shown)
charts.show(
    charts.curves(
        {
            f"g = {g:g}": np.pad(
                loss[:3],
                ((0, 0), (0, n_shown - loss.shape[1])),
                constant_values=np.nan,
            )
            for g, loss in zip((0.0, 0.9, 2.1), shown, strict=True)
        },
        np.arange(1, n_shown + 1),
        x_title="epoch",
        y_title="loss, as a share of the first",
        x_scale={"type": "log", "nice": False},
        y_scale={"type": "log", "nice": False},
        reference=0.05,
        band_opacity=0.15,
    ),
    name="loss-curves",
    caption="Loss over epochs in Mante's task, both axes logarithmic: "
    "mean (line) and range (band) of three networks, up to the epoch at "
    "which the last of them had been below the dashed line, at 5 per "
    "cent. The mean need not cross it: the loss is that of one batch, "
    "and jumps up again after a network's first epoch below the line.",
    alt="Loss on logarithmic axes against epoch, at three strengths g. "
    "At 0.9 it drops within some tens of epochs; at 0 it "
    "rests on a plateau for more than a hundred; at 2.1 it falls early, "
    "but more slowly.",
)


# %% tags=["remove-input"]
def slowed(g):
    """Learning time at g over the mean at 1.2, where it is short."""
    return {
        WORDS[name]: times(name, g) / times(name, 1.2).mean()
        for name in TASKS[:2]
    }


row = too_much.judge(
    slowed(2.1), {"g = 1.5": slowed(1.5)}, {"g = 1.8": slowed(1.8)}
)
too_much.prose_assumes(row, holds=True)

# %% [markdown]
# Had learning at $g=2.1$ taken less than one and a half times as long as
# at 1.2, in either task, the claim would have failed; likewise if both
# had slowed down that much at 1.5. The claim needs both tasks, and so the
# control fails as soon as one of them does: look at its two rows before
# you take it that nothing slows down by 1.5.
#
# ## Where the time goes
#
# A journey is short because the way is short, or because one goes fast.
# Here the way is the norm of the change at the learning time, and the
# speed is that norm divided by the learning time: how far the weights get
# in an epoch, detours left out. Adam divides each gradient by its recent
# size. So at a rate of $0.05/N$ for each of $N^2$ weights, a step has a
# norm of about 0.05 at most, however small the gradient; and what varies
# is mostly how well the gradients of one epoch after another agree.


# %%
def distance(name, g):
    """Norm of the change when the task was learned."""
    learned = found[name, g]
    return learned_change.at_learning(learned.change_norm, learned.time)


def speed(name, g):
    """Net change in an epoch."""
    return distance(name, g) / times(name, g)


def steepness(name, g):
    """Mean norm of the gradient while the task was being learned."""
    learned = found[name, g]
    return learned_change.until_learning(
        learned.gradient_norm, learned.time
    )


# %% tags=["hide-input"]
def against_g(measure):
    """What a measure gives for every network of the sweep."""
    return {
        name: (gs, [measure(name, g) for g in gs])
        for name, gs in tried.items()
    }


charts.show(
    charts.runs(
        against_g(distance),
        x_title="strength g of the random connectivity",
        y_title="norm of the change",
    ),
    name="change-norms",
    caption="Norm of the change of the recurrent weights at the learning "
    "time (or at the limit, for the few that did not learn), "
    "against g, on a logarithmic axis: each network (dots) and the "
    "median (lines).",
    alt="Norm of the change against g for three tasks: all fall from "
    "between 1.5 and 4 at g of 0 to between a half and one at 1.5; "
    "above, that of the flip-flop rises a little.",
)

# %% tags=["remove-input"]
row = smaller.judge(
    shares(distance),
    one_replaced(distance),
    {"at g = 1.5": shares(distance, 1.5)},
)
smaller.prose_assumes(row, holds=True)
for name in TASKS:
    for what, measure in (
        ("way", distance),
        ("speed", speed),
        ("slope", steepness),
    ):
        at_zero, at_nine = (measure(name, g).mean() for g in (0.0, 0.9))
        glue(
            f"{what}-{name.lower()}",
            float(at_nine / at_zero),
            display=False,
        )

# %% [markdown]
# Had one network at $g=0.9$ needed more than three quarters of the mean
# change at $g=0$, or had the other networks at $g=0$ made do with so
# little, the claim would have failed.
#
# {numref}`fig-change-norms` shows the way. From $g=0$ to 0.9 its mean
# length changes by a factor of {glue:text}`way-flip-flop:.2f`
# (flip-flop), {glue:text}`way-mante:.2f` (Mante) and
# {glue:text}`way-romo:.2f` (Romo). The mean speed changes by factors of
# {glue:text}`speed-flip-flop:.1f`, {glue:text}`speed-mante:.1f` and
# {glue:text}`speed-romo:.1f`. So the flip-flop gains mostly by the
# shorter way, Mante by both, and Romo more by speed. Mante no longer
# waits on its plateau; Romo has one too, halfway down
# ({ref}`another-threshold`).
#
# Why can the way be shorter? If it were straight, and only the recurrent
# weights were trained, the loss could fall by at most the length of the
# way times the mean slope along it, where the slope is the norm of the
# gradient. Neither is quite so here, but the rule of thumb remains: a
# short way needs a steep slope ({numref}`fig-gradients`).

# %% tags=["hide-input"]
charts.show(
    charts.runs(
        against_g(steepness),
        x_title="strength g of the random connectivity",
        y_title="mean norm of the gradient",
    ),
    name="gradients",
    caption="Norm of the loss's gradient by the recurrent weights (loss "
    "for each unit of weight), mean over the epochs before the learning "
    "time, against g, on a logarithmic axis: each network (dots) and the "
    "median (lines).",
    alt="Mean norm of the gradient against g for three tasks: all rise "
    "several times from g of 0 to the largest g that was tried.",
)

# %% [markdown]
# ```{margin}
# Towards $g=2$ the slope is steeper still while learning is slower: a
# steep slope is needed, but not enough.
# ```
#
# The mean slope at $g=0.9$ is {glue:text}`slope-flip-flop:.1f`,
# {glue:text}`slope-mante:.1f` and {glue:text}`slope-romo:.1f` times that
# at 0. A random network already carries its inputs through many loops; a
# weight that is changed a little changes all that passes through it. How
# much is an exact statement for linear networks, where the loops sum up
# to a factor of $1/(1-g^2)$: see [the linear
# theory](05_linear_theory.py).
#
# ## Larger networks
#
# Is all this a matter of $N=128$? The initial weights grow with the
# number of units: their norm is $g\sqrt N$. If the change grew likewise,
# larger networks would need a larger change, and perhaps one of higher
# rank. We train the flip-flop at $g=0.9$ for the same number of epochs at
# several sizes, well past the learning time, and take the weights of the
# least loss among the last fifth of epochs. The learning rate is again
# $0.05/N$, as in the paper, so that a step of Adam can have the same norm
# at every size.

# %%
scaling = interplay.learn_over(
    {
        n: {
            "task": interplay.TASKS["flip-flop"],
            "g": 0.9,
            "n_networks": chapter.at_scale(smoke=2, book=3, paper=5),
            "n_units": n,
            "n_epochs": chapter.at_scale(smoke=6, book=100, paper=1000),
            "ranks": tuple(
                range(chapter.at_scale(smoke=9, book=11, paper=26))
            ),
            "n_test": chapter.at_scale(smoke=8, book=64, paper=512),
            "seed": seed,
        }
        for n in sizes["n"]
    },
    folder=chapter.kept_cells(),
    n_jobs=chapter.at_scale(smoke=None, book=None, paper=-1),
)


def power(measure):
    """The power of N that a measure grows with, for each sample."""
    values = np.stack([measure(learned) for learned in scaling.values()])
    return learned_change.scaling_exponents(values.T, sizes["n"])


# %% tags=["hide-input"]
charts.show(
    charts.runs(
        {
            "change": (
                sizes["n"],
                [learned.norm for learned in scaling.values()],
            ),
            "initial weights": (
                sizes["n"],
                [learned.norm_start for learned in scaling.values()],
            ),
        },
        x_title="number of units N",
        y_title="norm",
        x_scale={"type": "log", "nice": False, "padding": 12},
    ),
    name="norms-by-size",
    caption="Norm of the change that learns the flip-flop, and of the "
    "random weights that it is added to (g 0.9), against the number "
    "of units: each network (dots) and the median (lines), both axes "
    "logarithmic.",
    alt="Two lines on logarithmic axes: the norm of the initial weights "
    "rises with the number of units, that of the change is nearly level.",
)

# %% tags=["remove-input"]
row = flat.judge(
    {"power": power(lambda learned: learned.norm)},
    {
        "initial weights": {
            "power": power(lambda learned: learned.norm_start)
        }
    },
)
flat.prose_assumes(row, holds=True)
ends = [scaling[n].norm for n in (sizes["n"][0], sizes["n"][-1])]
starts = [scaling[n].norm_start for n in (sizes["n"][0], sizes["n"][-1])]
glue("smallest-n", sizes["n"][0], display=False)
glue("largest-n", sizes["n"][-1], display=False)
for what, (first, last) in {"change": ends, "start": starts}.items():
    glue(f"{what}-small", float(first.mean()), display=False)
    glue(f"{what}-large", float(last.mean()), display=False)

# %% [markdown]
# From {glue:text}`smallest-n` to {glue:text}`largest-n` units, the norm
# of the initial weights grows from {glue:text}`start-small:.1f` to
# {glue:text}`start-large:.1f`; that of the change goes from
# {glue:text}`change-small:.2f` to {glue:text}`change-large:.2f`. In a
# large network, what is learned is small beside the random weights.
# Each single weight hardly moves; they move together. Had the change
# grown as the initial weights do, or by any power beyond 0.15, the claim
# would have failed.
#
# And the rank? Had the change been spread over more and more
# directions, the curves of {numref}`fig-ranks-by-size` would move to the
# right as networks grow.

# %% tags=["hide-input"]
ranks = scaling[sizes["n"][0]].ranks
charts.show(
    charts.curves(
        {
            f"N = {n}": learned.truncated / learned.truncated[:, :1]
            for n, learned in scaling.items()
        },
        ranks,
        x_title="rank of the change that is kept",
        y_title="loss, as a share of that at rank 0",
        y_scale={"type": "log", "nice": False},
        reference=0.05,
    ),
    name="ranks-by-size",
    caption="Loss with the change cut to a rank, against that rank, at "
    "several numbers of units N: mean (line) and range (band) of the "
    "networks. At rank 0 the recurrent weights are the initial ones, and "
    "input and output weights the trained ones. The dashed line is at 5 "
    "per cent.",
    alt="Loss against rank on a logarithmic axis, one line for each "
    "number of units; all fall alike, below 5 per cent within few ranks.",
)


# %% tags=["remove-input"]
def left_at_eight(of):
    """The loss at rank 8, over that at rank 0 of the change."""
    shares = [learned.loss_left(8, of) for learned in scaling.values()]
    return {"left": np.concatenate(shares)}


row = few.judge(
    left_at_eight("change"),
    {"weights themselves": left_at_eight("weights")},
)
few.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
least = np.stack(
    [
        learned_change.functional_rank(
            learned.truncated, learned.ranks.tolist()
        )
        for learned in scaling.values()
    ],
    axis=1,
)
known = np.isfinite(least).all(axis=1)
scaling_record = scaling_figure.compare(
    {
        "norm of the change": power(lambda learned: learned.norm),
        "norm of the initial weights": power(
            lambda learned: learned.norm_start
        ),
        "functional rank": learned_change.scaling_exponents(
            least[known], sizes["n"]
        )
        if known.any()
        else [],
    },
    missing={}
    if known.all()
    else {
        "functional rank": f"{(~known).sum()} of {len(known)} need more "
        "than the ranks that were tried"
    },
)

# %% [markdown]
# ## What we have, and what it does not show
#
# - Random connections make learning faster in all three tasks, in every
#   network that we trained at $g=0.9$. In the flip-flop and Mante, those
#   that are too strong make it slower again; Romo was not tried there.
# - The change that is needed is smaller, and the gradients on the way are
#   steeper. In the flip-flop, norm and rank of the change do not grow
#   with the network, from {glue:text}`smallest-n` to
#   {glue:text}`largest-n` units. That so small a change *can* learn the
#   task at every size is shown; that none larger is made may in part be
#   the learning rate's doing, which falls as $1/N$.
# - There are three networks at most strengths, and times vary: in Mante
#   at $g=0.9$ the slowest took {glue:text}`mante-spread:.1f` times as
#   long as the fastest. The acceleration is larger than that in Mante,
#   and far larger in Romo; in the flip-flop it is a smaller ratio. Romo
#   has three networks at $g=0$ here, so that its control is a single one.
# - Adam and its learning rate are the same for all $g$, as in the paper;
#   a rate tuned for each $g$ might change the picture.
#   {ref}`plain-descent` takes plain gradient descent.
# - The networks at $g=0$ are not without recurrent connections for long:
#   these are trained, too. That the start is *random*, rather than just
#   not zero, we did not test.
#
# ## Exercises
#
# ::::{exercise}
# :label: another-threshold
# The learning time depends on a threshold of 5 %. What remains of the
# acceleration at 20 % and 50 %? (The losses are in
# `found[task, g].loss`, network by epoch, as shares of the first.)
# ::::

# %% [markdown]
# ::::{solution-start} another-threshold
# :class: dropdown
# ::::

# %%
for name in TASKS:
    for threshold in (0.5, 0.2, 0.05):
        zero, random = (
            np.minimum(
                learned_change.learning_time(
                    torch.from_numpy(found[name, g].loss), threshold
                ),
                longest[name],
            ).mean()
            for g in (0.0, 0.9)
        )
        print(
            f"{name}, {threshold:.0%}: {zero:.0f} epochs at g 0, "
            f"{random:.0f} at 0.9"
        )

# %% [markdown]
# It is there at every threshold, so it is not an effect of the last few
# per cent of the loss. Romo at $g=0$ spends most of its time between
# half of the loss and a fifth. (Networks that did not get there are
# counted at the limit.)
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: plain-descent
# Is it Adam's doing? Train the flip-flop by plain gradient descent, at
# $g=0$ and 0.9. (`train` takes `optimiser="sgd"`. It needs a far larger
# learning rate than Adam: try 0.3.)
# ::::

# %% [markdown]
# ::::{solution-start} plain-descent
# :class: dropdown
# ::::

# %%
task = interplay.TASKS["flip-flop"]
for g in (0.0, 0.9):
    descent = train(
        mean_field_networks(
            1,
            sizes["units"],
            task.n_inputs,
            task.n_outputs,
            g=g,
            seed=seed,
        ),
        task,
        n_epochs=chapter.at_scale(smoke=4, book=600, paper=3000),
        optimiser="sgd",
        learning_rate=0.3,
        stop_below=0.05,
        seed=seed,
    )
    left = float(descent.loss[0, -1] / descent.loss[0, 0])
    n_run = descent.loss.shape[1]
    slope = float(descent.gradient_norm[0, 0])
    print(
        f"g {g:g}: {left:.3f} of the loss is left after {n_run} epochs; "
        f"norm of the first gradient {slope:.4f}"
    )

# %% [markdown]
# No: plain descent shows the difference more clearly, here in one network
# at each $g$ and at one learning rate. At $g=0$ nothing happens for
# hundreds of epochs. A unit without connections forgets a pulse within a
# few time constants, and the loss begins to count 5 time constants after
# the pulse began; what is left by then is tiny, and so is the gradient.
# Plain descent is as slow as the gradient is small. Adam, which divides
# every gradient by its recent size, leaves such a plateau much sooner. At
# $g=0.9$ random loops still carry the pulse when the loss begins.
#
# ::::{solution-end}
# ::::
