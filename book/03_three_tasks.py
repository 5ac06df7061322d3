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
# # Three neuroscience tasks: the change is low rank
#
# A recurrent network of $N$ units has $N^2$ connections. Before learning
# they are random; then gradient descent may change every one of them.
# What does it do? {cite:t}`schuessler2020` trained networks on three
# tasks that neuroscientists give to animals, and looked at the
# *difference* of the connections after and before. They found a matrix
# with a handful of large singular values and little else: of **low
# rank**, though nothing in the training asks for it.
#
# This chapter re-does that, and puts three of their claims to the test:
# that the change is low rank (**S1**), that this holds from random
# connections of full rank (**S2**), and that the change fits the random
# connections it grew on, so that it is useless on others (**S4**). Then
# we ask what this book asks throughout: what if one looks not at the
# final change only, but at all of it over learning, as a tensor?
#
# *What is theirs and what is ours.* The tasks, the network, the training
# and its settings, the cut to a rank and the shuffle are the paper's,
# read off its published code. The criteria and thresholds are ours, and
# so is everything about the tensor.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

import ltr_core as ltr
from ltr_core import Chapter, charts, interplay, nulls
from ltr_core.decomposition import slices
from ltr_core.decomposition.held import (
    cp_fits,
    fixed_and_free,
    slice_energies,
)
from ltr_core.learned_change import functional_rank
from ltr_core.outliers import n_outliers, spectrum_change
from ltr_core.rnn import mean_field_networks
from ltr_core.training import train

chapter = Chapter("03_three_tasks", scale=scale, seed=seed)
tasks = interplay.TASKS
strengths = (0.0, 0.9, 1.5)
n_networks = chapter.at_scale(smoke=2, book=3, paper=5)
n_units = chapter.at_scale(smoke=24, book=128, paper=256)
print(
    f"{scale} scale, seed {seed}: {n_networks} networks for each task "
    f"and each g, {n_units} units each"
)

# %% [markdown]
# ## The claims, before the results
#
# Some words first. $g$ is the strength of the random connections, $W_0$,
# whose entries have the variance $g^2/N$. The **change** is
# $\Delta W = W - W_0$. To **cut** a matrix to rank $r$ is to keep its $r$
# largest singular values and the directions that belong to them. The
# **squared norm** of a matrix or tensor is the sum of its squared
# entries; of a matrix it is also the sum of its squared singular values.
# An **epoch** is one batch of fresh trials and one update. Losses are
# shares of the loss in the first epoch, on trials that were not trained
# on. A network **counts** if its loss after learning is below
# 0.05. (The paper shows a $g$ only if all its networks learn. We leave
# out single networks that do not, and say how many.) "Every network"
# below means: every one that counts, of every task. A claim **holds** if
# its criterion is true of what we measure *and false of every control*.
#
# The last three claims use words of [the first
# chapter](01_weight_tensor.py): a *CP decomposition* of rank $r$ is a sum
# of $r$ components, each one profile over epochs times one pattern of
# receiving and one of sending units; a *slice* of the tensor is the
# change at one record; the *matrix-rank null* is one matrix times one
# profile. To *turn* a step, the difference of two records, is to keep its
# singular values and to draw its directions at random.
#
# The criteria were written and committed after pilots with other seeds,
# before any run with the seed shown here.

# %% tags=["remove-input"]
S = "Schuessler et al. 2020"
OURS = "the companion's own check"
learned = chapter.claim(
    "S1.learned",
    statement="The networks learn the three tasks, and do so by changing "
    "their recurrent connections.",
    source=OURS + " that the networks learn what the paper's learned",
    criterion="For every task, at g 0.9 and 1.5, at least 60 % of the "
    "networks have a loss below 0.05 after learning. The same "
    "networks with the change taken away, and what was learned "
    "of the inputs and outputs left, must not pass.",
    expression="min(share_learned) >= 0.6",
)

# %% tags=["remove-input"]
few_values = chapter.claim(
    "S1.values",
    statement="The change that learning makes is low rank: few singular "
    "values are large.",
    source=S + "; that this is asked of ten singular values is ours",
    criterion="In every network, at g 0, 0.9 and 1.5, the first ten "
    "singular values hold at least 80 % of the squared norm "
    "of the change. The change with its entries permuted must not pass.",
    expression="min(held) >= 0.8",
)

# %% tags=["remove-input"]
few_work = chapter.claim(
    "S1.function",
    statement="The few large singular values do the work.",
    source=S + "; the number ten is ours",
    criterion="In every network, at g 0, 0.9 and 1.5, the change cut to "
    "rank ten leaves at most a tenth of the loss that is there "
    "without it. The change cut to rank one must not pass.",
    expression="max(left) <= 0.1",
)

# %% tags=["remove-input"]
full_rank = chapter.claim(
    "S2.function",
    statement="This holds from random connections of full rank, which "
    "themselves cannot be cut.",
    source=S,
    criterion="In every network, at g 0.9 and 1.5, the change cut to "
    "rank ten leaves at most a tenth of the loss that is there "
    "without it. The weights themselves (start and change "
    "together) cut to rank ten must not pass.",
    expression="max(left) <= 0.1",
)

# %% tags=["remove-input"]
outliers = chapter.claim(
    "S2.outliers",
    statement="In the spectrum of the connections the change shows as a "
    "few outliers; the disk of the random ones stays.",
    source=S,
    criterion="In every network, at g 0.9, from 1 to 12 eigenvalues are "
    "beyond 1 in modulus after learning, and the median "
    "modulus is within 15 % of that before. The start plus "
    "the change with its entries permuted must not pass.",
    expression="min(beyond) >= 1 and max(beyond) <= 12 and "
    "max(abs(median_modulus - 1)) <= 0.15",
)

# %% tags=["remove-input"]
shuffle = chapter.claim(
    "S4.shuffle",
    statement="The change is correlated with the random connections: on "
    "others of the same kind it does not solve the task.",
    source=S + "; the threshold is ours",
    criterion="In every network, at g 0.9 and 1.5, the loss with the "
    "entries of the start permuted is at least half of the "
    "first. The same networks with the start in place, and "
    "networks at g 0, where there is nothing to permute, must not pass.",
    expression="min(loss) >= 0.5",
)

# %% tags=["remove-input"]
tensor_rank = chapter.claim(
    "S1.tensor",
    statement="The change over learning, recorded 30 times, is low "
    "tensor rank, and hardly less so than its slices are low rank.",
    source=OURS,
    criterion="In every network, at g 0.9, a CP decomposition of rank 5 "
    "holds at least 70 % of the squared norm of the change "
    "over learning, and at least 90 % of what rank 5 holds of "
    "every slice by itself. Steps turned into random "
    "directions must not pass.",
    expression="min(fit) >= 0.7 and min(fit / slices) >= 0.9",
)

# %% tags=["remove-input"]
not_growth = chapter.claim(
    "S1.not-growth",
    statement="The change over learning is more than one matrix that "
    "grows.",
    source=OURS + " (the matrix-rank null)",
    criterion="In every network, at g 0.9, one profile over epochs times "
    "one matrix of any rank holds less than 90 % of the "
    "squared norm of the change over learning. The final "
    "change, scaled to the norm at each record, must not pass.",
    expression="max(one_profile) < 0.9",
)

# %% tags=["remove-input"]
same_directions = chapter.claim(
    "S1.updates",
    statement="Step by step, learning stays in few fixed directions.",
    source=OURS,
    criterion="In every network, at g 0.9, take the differences between "
    "records. Five directions of the receiving and five of the "
    "sending units, fixed over learning, hold at least 60 % of "
    "what five directions chosen anew for each difference "
    "hold. Steps turned into random directions must not pass.",
    expression="min(fixed / free) >= 0.6",
)

# %% [markdown]
# The paper's numbers, to be held against ours. Our networks are half as
# wide here ($N = 128$, where the paper has 256), three in place of five,
# and trained for fewer epochs; the paper reports that norms and ranks do
# not depend on $N$. A rule for all: ranks agree within 2, norms and
# singular values within a quarter, shuffled losses within 0.25 (within
# 0.05, the threshold of learning, where the published one is zero).

# %% tags=["remove-input"]
SETTING = chapter.at_scale(
    smoke="not to be compared",
    book="N 128, 3 networks; flip-flop 300 epochs, Mante 600 (1000 at g "
    "0), Romo 1000 (5000 at g 0); 128 test trials",
    paper="N 256, 5 networks; flip-flop 1000 epochs, Mante 2000, Romo "
    "6000; 512 test trials",
)
norm_values = {
    "flip-flop": (1.9, 1.2, 0.6),
    "Mante": (2.06, 0.98, 0.75),
    "Romo": (3.5, 2.2, 1.25),
}
published_norms = chapter.published(
    "change-norms",
    figure="Norm of the change against g",
    source=S + ", read off the figure",
    setting=SETTING,
    values={
        f"{name}, g {g:g}": (value, value / 4)
        for name, row in norm_values.items()
        for g, value in zip(strengths, row, strict=True)
    },
)

# %% tags=["remove-input"]
rank_values = {
    ("flip-flop", 0.0): 2,
    ("flip-flop", 0.9): 5,
    ("Mante", 0.9): 4.5,
    ("Romo", 0.9): 6,
}
published_ranks = chapter.published(
    "functional-ranks",
    figure="Functional rank",
    source=S
    + ", read off the figure (4 to 5 and 5 to 7 as their middle)",
    setting=SETTING,
    values={
        f"{name}, g {g:g}": (value, 2)
        for (name, g), value in rank_values.items()
    },
)

# %% tags=["remove-input"]
loss_values = {
    ("flip-flop", 0.0): 0,
    ("flip-flop", 0.3): 0.37,
    ("flip-flop", 0.6): 0.9,
    ("flip-flop", 0.9): 1,
    ("Mante", 0.9): 1,
    ("Romo", 0.9): 1,
}
published_losses = chapter.published(
    "shuffled-losses",
    figure="Loss after the shuffle over the first loss",
    source=S + ", read off the figure",
    setting=SETTING,
    values={
        f"{name}, g {g:g}": (value, 0.25 if value else 0.05)
        for (name, g), value in loss_values.items()
    },
)

# %% tags=["remove-input"]
published_values = chapter.published(
    "singular-values",
    figure="Singular values of the change",
    source=S + ", read off the figure; that it is for g 0 we infer from "
    "the norms",
    setting=SETTING,
    values={
        "flip-flop, g 0, first": (1.35, 1.35 / 4),
        "flip-flop, g 0, second": (1.35, 1.35 / 4),
        "Mante, g 0, first": (1.65, 1.65 / 4),
    },
)

# %% [markdown]
# ## Three tasks
#
# All three are about memory, each in its own way. Time is in units of the
# time constant of a unit, τ: left alone, its activity falls to about a
# third in one τ. To show them, we train one network on each, as the paper
# does: random connections with $g = 0.9$, Adam with a learning rate of
# $0.05/N$, fresh trials in every epoch, and nothing in the loss but the
# error of the output.

# %%
n_demo = chapter.at_scale(
    smoke={"flip-flop": 4, "Mante": 4, "Romo": 4},
    book={"flip-flop": 150, "Mante": 200, "Romo": 500},
    paper={"flip-flop": 300, "Mante": 400, "Romo": 1000},
)
shown, outputs = {}, {}
for name, task in tasks.items():
    start = mean_field_networks(
        1, n_units, task.n_inputs, task.n_outputs, g=0.9, seed=seed
    )
    training = train(
        start,
        task,
        n_epochs=n_demo[name],
        learning_rate=0.05 / n_units,
        seed=seed,
    )
    shown[name] = task.sample(2, np.random.default_rng([seed, 7]))
    inputs = shown[name].inputs[None]
    outputs[name] = ltr.simulate(training.best, inputs, task.dt).output[0]

# %% tags=["hide-input"]
charts.show(
    charts.trials(
        shown["flip-flop"], tasks["flip-flop"].time, outputs["flip-flop"]
    ),
    name="flip-flop",
    caption="Flip-flop: two trials. Above, the inputs: short pulses in "
    "one of two channels, up or down. Below, what the network gives out "
    "(solid) and what is asked (dashed), one colour for each channel; "
    "the error counts where it is grey. The channel of the last pulse is "
    "to be held at plus or minus one half, the other to be at zero.",
    alt="Two trials of pulses in two input channels; the outputs of the "
    "network jump to plus or minus one half after a pulse in their "
    "channel and lie near the dashed targets in the grey stretches.",
)

# %% [markdown]
# **Flip-flop.** Pulses come at irregular times; the network has to know
# which was the last. Five states must be held for as long as it takes
# (two channels, two signs, and the quiet start). For 5 τ after a pulse
# the output may be anything.

# %% tags=["hide-input"]
charts.show(
    charts.trials(
        shown["Mante"],
        tasks["Mante"].time,
        outputs["Mante"],
        input_names=["context 1", "context 2", "sense 1", "sense 2"],
    ),
    name="mante",
    caption="Mante: two trials. Two noisy senses lean up or down during "
    "the stimulus; a context says which one to judge. Below, what the "
    "network gives out (solid) and what is asked (dashed), where the "
    "error counts (grey): zero until the stimulus ends, and after a "
    "delay plus or minus one half, the sign of the sense that the "
    "context named.",
    alt="Two trials: a constant context input and two noisy senses for "
    "twenty time constants; the output stays near zero and then goes to "
    "plus or minus one half.",
)

# %% [markdown]
# **Mante**, after {cite:t}`mante2013`, a decision in context. Both senses
# always speak; the network must not listen to one of them. It has to
# gather evidence against noise, and hold the answer when the stimulus
# is gone.

# %% tags=["hide-input"]
charts.show(
    charts.trials(
        shown["Romo"],
        tasks["Romo"].time,
        outputs["Romo"],
        output_names=["first is larger", "second is larger"],
    ),
    name="romo",
    caption="Romo: two trials. Above, two short stimuli of different "
    "size with a pause of irregular length. Below, what the network "
    "gives out (solid) and what is asked (dashed), where the error "
    "counts (grey): one of the two outputs is to say which stimulus "
    "was the larger.",
    alt="Two trials with two input pulses of different height each; of "
    "the two outputs, one rises to one half late in the trial.",
)

# %% [markdown]
# **Romo**, after {cite:t}`romo1999`, a comparison over a delay. It is the
# only one of the three that asks for a *graded* memory: a number, the
# size of the first stimulus, kept until the second one comes.
#
# ## Networks that learn them
#
# The network is that of [the chapter on
# re-learning](02_relearning_to_reach.py), in units of its time constant
# and in the paper's normalisation:
#
# ```{math}
# :label: mean-field-network
# \dot{\mathbf x} = -\mathbf x + W \tanh(\mathbf x)
# + W_{\mathrm{in}}\,\mathbf u(t), \qquad
# \mathbf z = W_{\mathrm{out}} \tanh(\mathbf x),
# ```
#
# in steps of 0.5, with input vectors of norm $\sqrt N$ and readouts of
# norm $1/\sqrt N$. Here $\mathbf x$ is the state of the units,
# $\mathbf u$ the input and $\mathbf z$ the output. All three matrices
# are trained. One call trains several networks and measures what the
# paper measures.

# %%
epochs = {
    "flip-flop": {},
    "Mante": {0.0: 1000},
    "Romo": {0.0: 5000},
}
usual = {"flip-flop": 300, "Mante": 600, "Romo": 1000}
wanted = [(name, g) for name in tasks for g in strengths]
wanted += [("flip-flop", 0.3), ("flip-flop", 0.6)]
n_test, ranks = chapter.at_scale(
    smoke=(8, (0, 1, 5, 10, 24)),
    book=(128, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25)),
    paper=(512, tuple(range(26))),
)
cells = {
    (name, g): {
        "task": tasks[name],
        "g": g,
        "n_networks": n_networks,
        "n_units": n_units,
        "n_epochs": chapter.at_scale(
            smoke=6, book=epochs[name].get(g, usual[name]), paper=0
        ),
        "n_records": chapter.at_scale(smoke=3, book=30, paper=30),
        "ranks": ranks,
        "n_test": n_test,
        "seed": seed,
    }
    for name, g in wanted
}
if scale == "paper":
    published_cells = interplay.published_cells(seed)
    cells = {cell: published_cells[cell] for cell in wanted}
every = interplay.learn_over(
    cells,
    folder=chapter.kept_cells(),
    n_jobs=chapter.at_scale(smoke=1, book=1, paper=-1),
)
below = chapter.at_scale(smoke=np.inf, book=0.05, paper=0.05)
found = {cell: one.only(one.after < below) for cell, one in every.items()}

# %% tags=["remove-input"]
strong = [(name, g) for name in tasks for g in strengths if g > 0]
weak = [(name, 0.0) for name in tasks]
n_left_out = {
    cell: int((one.after >= below).sum()) for cell, one in every.items()
}
left_out = [
    f"{n} of {n_networks} in {name} at g {g:g}"
    for (name, g), n in n_left_out.items()
    if n
]
glue("left-out", ", ".join(left_out) or "none", display=False)


def joined(field, cells):
    """A field of all networks that count, of several cells."""
    return np.concatenate([getattr(found[cell], field) for cell in cells])


def share_below(losses):
    """For every task and g, the share of networks that solve the task."""
    return {"share_learned": [float((x < 0.05).mean()) for x in losses]}


row = learned.judge(
    share_below(every[cell].after for cell in strong),
    {
        "the change taken away": share_below(
            every[cell].truncated[:, 0] for cell in strong
        )
    },
    {"at g 0": share_below(every[cell].after for cell in weak)},
)
learned.prose_assumes(row, holds=True)

# %% [markdown]
# Networks that do not count: {glue:text}`left-out`. That depends on the
# seed, and even on rounding: when the same networks were first trained,
# by the same equations with other rounding in the last digits, all of
# them learned. Losses of Mante and Romo have spikes, and without random
# connections learning takes very long ([how
# long](04_random_connectivity.py) is another chapter). With another seed
# one of three networks failed in three of these nine cases (three tasks,
# three $g$).
#
# ## The change has few large singular values
#
# Here they are, for the three tasks, from no random connections
# ($g = 0$) to strong ones.

# %% tags=["hide-input"]
n_values = found["flip-flop", 0.0].values.shape[1]
charts.show(
    charts.curve_panels(
        {
            name: {f"g {g:g}": found[name, g].values for g in strengths}
            for name in tasks
        },
        dict.fromkeys(tasks, np.arange(1, n_values + 1)),
        x_title="number, by size",
        y_title="singular value",
        y_scale={"domainMin": 0},
    ),
    name="singular-values",
    caption="Singular values of the change, for three strengths of the "
    "random connections, from the largest down: mean (dots, line) and "
    "range (band) over the networks that count. The first "
    f"{n_values} of {n_units}.",
    alt="Three panels of singular values against their number: two large "
    "ones for the flip-flop without random connections, a few for the "
    "other tasks, then values that fall towards zero; with stronger "
    "random connections the first ones are smaller and the fall is "
    "slower.",
)

# %% tags=["remove-input"]
every_cell = [*strong, *weak]


def held_by_ten(changes):
    """Share of the squared norm in the first ten singular values."""
    return {"held": slice_energies(changes[:, None], [10])[:, 0]}


def permuted(changes):
    """The same entries in other places."""
    return slices.permuted(changes, np.random.default_rng([seed, 11]))


changes = joined("final_change", every_cell)
row = few_values.judge(
    held_by_ten(changes),
    {"entries permuted": held_by_ten(permuted(changes))},
)
few_values.prose_assumes(row, holds=True)
glue("held", 100 * row["measured"]["held"]["mean"], display=False)
glue(
    "least-held",
    100 * min(row["measured"]["held"]["values"]),
    display=False,
)
mean = row["control"]["entries permuted"]["held"]["mean"]
glue("held-permuted", 100 * mean, display=False)

# %% [markdown]
# On average the first ten hold {glue:text}`held:.0f` % of the squared
# norm (in the worst network {glue:text}`least-held:.0f` %). Of the same
# numbers in other places they would hold
# {glue:text}`held-permuted:.0f` %. {numref}`fig-singular-values` shows
# two more things. The stronger the random connections, the *smaller* is
# the change that learning makes. And the more slowly its singular values
# fall: relative to the first, the tail grows. Had the ten held little
# more than those of the permuted change, S1 would be refuted. Is the tail
# of any use?
#
# ```{margin}
# That the change is smaller may in part be because Mante and Romo were
# trained for longer at $g = 0$.
# ```

# %% tags=["remove-input"]
values_record = published_values.compare(
    {
        "flip-flop, g 0, first": found["flip-flop", 0.0].values[:, 0],
        "flip-flop, g 0, second": found["flip-flop", 0.0].values[:, 1],
        "Mante, g 0, first": found["Mante", 0.0].values[:, 0],
    },
    missing={
        f"{name}, g 0, first": f"{n_left_out[name, 0.0]} of {n_networks} "
        "networks do not count"
        for name in ("flip-flop", "Mante")
        if n_left_out[name, 0.0]
    },
)

# %% tags=["remove-input"]


def not_all(cells):
    """Why a quantity is not what is published: networks are missing."""
    return {
        f"{name}, g {g:g}": f"{n_left_out[name, g]} of {n_networks} "
        "networks do not count"
        for name, g in cells
        if n_left_out[name, g]
    }


norm_cells = [(name, g) for name in tasks for g in strengths]
norms_record = published_norms.compare(
    {f"{name}, g {g:g}": found[name, g].norm for name, g in norm_cells},
    missing=not_all(norm_cells),
)

# %% [markdown]
# Where every network counts, ours agree within the quarter that we
# allow, some only just; where one does not, the table says so and counts
# it as disagreeing. The flip-flop at $g = 0$ and Romo with random
# connections lie lower here, as one would expect after fewer epochs: the
# values go on growing, slowly, when the task has long been learned. Mante
# lies higher; that we cannot explain.
#
# ## The few do the work
#
# Cut the change to rank $r$, put it back on the random connections, and
# measure the loss; inputs and outputs stay as learned. At $r = 0$ only
# the random connections are left. The contrast is to cut the *weights*
# themselves, start and change together.

# %% tags=["hide-input"]
cuts = {
    "change, g 0": ("truncated", 0.0),
    "change, g 0.9": ("truncated", 0.9),
    "change, g 1.5": ("truncated", 1.5),
    "weights, g 0.9": ("truncated_weights", 0.9),
    "weights, g 1.5": ("truncated_weights", 1.5),
}
charts.show(
    charts.curve_panels(
        {
            name: {
                label: getattr(found[name, g], field)
                for label, (field, g) in cuts.items()
            }
            for name in tasks
        },
        dict.fromkeys(tasks, found["flip-flop", 0.0].ranks),
        x_title="rank kept",
        y_title="loss (share of the first)",
        y_scale={"type": "log"},
        band_opacity=0.15,
    ),
    name="loss-against-rank",
    caption="Loss with the change, or the weights themselves, cut to a "
    "rank: mean (dots, line) and range (band) over the networks that "
    "count. Logarithmic axis; 1 is the loss in the first epoch.",
    alt="Three panels of loss against the rank kept, on a logarithmic "
    "axis. With the change cut, the loss falls by two orders of "
    "magnitude within ten ranks; with the weights cut it stays near one, "
    "and even at rank 25 above a tenth.",
)

# %% tags=["remove-input"]


def left(of, cells, rank=10):
    """The loss with a rank kept, over that with no change at all."""
    shares = [found[cell].loss_left(rank, of) for cell in cells]
    return {"left": np.concatenate(shares)}


row = few_work.judge(
    left("change", every_cell),
    {"cut to rank one": left("change", every_cell, rank=1)},
    {"cut to rank five": left("change", every_cell, rank=5)},
)
few_work.prose_assumes(row, holds=True)
glue(
    "most-left",
    100 * max(row["measured"]["left"]["values"]),
    display=False,
)

# %% tags=["remove-input"]
row = full_rank.judge(
    left("change", strong),
    {"the weights cut to rank ten": left("weights", strong)},
)
full_rank.prose_assumes(row, holds=True)
mean = row["control"]["the weights cut to rank ten"]["left"]["mean"]
glue("weights-left", 100 * mean, display=False)

# %% [markdown]
# Ten ranks suffice everywhere ({numref}`fig-loss-against-rank`): at most
# {glue:text}`most-left:.1f` % of the loss is left. Of the weights, which
# *contain* this change, ten ranks are worth little: on average
# {glue:text}`weights-left:.0f` % of the loss is left, more than with no
# change at all, though in some networks less. The first singular values
# of $W$ belong mostly to the random part, and the random part has far
# more than ten directions that are needed. At $g = 0$ there is no
# difference between change and weights, and no contrast. Had the change
# needed as many ranks as the weights, S1 and S2 would be refuted.
#
# Note that the curves need not fall with every rank. One direction more
# can be worse if its partner is missing.
#
# The paper calls the least rank that brings the loss below 5 % of that
# without the change the **functional rank**.

# %% tags=["remove-input"]
functional = {
    (name, g): functional_rank(
        found[name, g].truncated, found[name, g].ranks.tolist()
    )
    for name, g in norm_cells
}
ranks_record = published_ranks.compare(
    {
        f"{name}, g {g:g}": functional[name, g][
            np.isfinite(functional[name, g])
        ]
        for name, g in rank_values
    },
    missing=not_all(rank_values)
    | {
        f"{name}, g {g:g}": "above 25 in some network"
        for name, g in rank_values
        if not np.isfinite(functional[name, g]).all()
    },
)

# %% [markdown]
# Two to six ranks, as published. With a tolerance of 2 this is a coarse
# agreement, and at $g = 0$ hardly a test.
#
# ## What it does to the spectrum
#
# The eigenvalues of the random connections fill a disk of radius $g$.
# Where the real part of an eigenvalue is beyond 1, the quiet state of the
# network is no longer stable: this is where memories can live. What does
# learning do to the disk?

# %% tags=["hide-input"]
charts.show(
    charts.eigenvalue_panels(
        {
            name: found[name, 0.9].eigenvalues("before")[0]
            for name in tasks
        },
        {
            name: found[name, 0.9].eigenvalues("after")[0]
            for name in tasks
        },
        radius=dict.fromkeys(tasks, 0.9),
    ),
    name="eigenvalues",
    caption="Eigenvalues of the connections of one network for each task "
    "before and after learning, g 0.9. The dashed circle has the radius "
    "g. Of the networks that count, the first is shown.",
    alt="Three panels of eigenvalues in the complex plane: before and "
    "after, a cloud fills the disk; after learning a few eigenvalues lie "
    "outside it, to the right.",
)

# %% tags=["remove-input"]
at_09 = [(name, 0.9) for name in tasks]
before, after = (
    np.concatenate([found[cell].eigenvalues(when) for cell in at_09])
    for when in ("before", "after")
)
starts = np.concatenate(
    [
        mean_field_networks(
            n_networks,
            n_units,
            task.n_inputs,
            task.n_outputs,
            g=0.9,
            seed=seed,
        ).recurrent.numpy()[every[name, 0.9].after < below]
        for name, task in tasks.items()
    ]
)
other = starts + permuted(joined("final_change", at_09))
row = outliers.judge(
    spectrum_change(before, after)._asdict(),
    {
        "entries of the change permuted": spectrum_change(
            before, np.linalg.eigvals(other)
        )._asdict()
    },
)
outliers.prose_assumes(row, holds=True)
beyond = row["measured"]["beyond"]["values"]
glue("fewest-beyond", int(min(beyond)), display=False)
glue("most-beyond", int(max(beyond)), display=False)
early_beyond = n_outliers(before) > 0
glue("early-beyond", int(early_beyond.sum()), display=False)
glue("n-at-09", len(early_beyond), display=False)

# %% [markdown]
# The cloud stays where it was. After learning, from
# {glue:text}`fewest-beyond` to {glue:text}`most-beyond` eigenvalues are
# beyond 1 ({numref}`fig-eigenvalues`). Not all are the work of learning:
# with this few units the edge of the disk is soft, and
# {glue:text}`early-beyond` of the {glue:text}`n-at-09` networks (the
# three tasks share their starts) have an eigenvalue beyond 1 from the
# start. {ref}`outliers-in-chaos` counts those that are farther out than
# every one before; there is at least one in each network. (The criterion
# counts moduli, so on either side; the figure shows the new ones on the
# right, where they make the quiet state unstable.) A change of the same
# numbers in other places leaves the spectrum much as it was, for its
# norm, of order 1, is then spread over all directions, and small against
# the $g\sqrt N$ of the start. To bring eigenvalues across the line, so
# small a change must be concentrated in a few directions. Had the
# permuted change done it as well, or had the cloud been moved, the claim
# would be refuted.
#
# ## On other random connections it is useless
#
# The change is small, and of low rank. Does it simply carry the task, on
# whatever random connections one puts it? Permute the entries of $W_0$
# and keep everything else: the change, and the learned inputs and
# outputs.

# %% tags=["hide-input"]
at = {
    name: sorted(g for other, g in every if other == name)
    for name in tasks
}
charts.show(
    charts.curve_panels(
        {
            name: {
                label: np.stack(
                    [getattr(every[name, g], field) for g in at[name]], 1
                )
                for label, field in (
                    ("start permuted", "shuffled"),
                    ("start in place", "after"),
                )
            }
            for name in tasks
        },
        {name: np.array(at[name]) for name in tasks},
        x_title="g",
        y_title="loss (share of the first)",
        y_scale={"domainMin": 0},
    ),
    name="shuffle",
    caption="Loss after learning with the entries of the initial "
    "connections permuted, and in place, against their strength: mean "
    "(dots, at the g that were trained, and line) and range (band) over "
    "all networks, those that do not count as well.",
    alt="Three panels of loss against g: with the start in place the "
    "loss is near zero; permuted it rises from zero at g 0 to about one.",
)

# %% tags=["remove-input"]
row = shuffle.judge(
    {"loss": joined("shuffled", strong)},
    {
        "start in place": {"loss": joined("after", strong)},
        "g 0": {"loss": joined("shuffled", weak)},
    },
)
shuffle.prose_assumes(row, holds=True)
glue("shuffled", row["measured"]["loss"]["mean"], display=False)

# %% tags=["remove-input"]
losses_record = published_losses.compare(
    {
        f"{name}, g {g:g}": found[name, g].shuffled
        for name, g in loss_values
    },
    missing=not_all(loss_values),
)

# %% [markdown]
# The loss is back at {glue:text}`shuffled:.2f` of the first: the network
# is as bad as before learning. The random connections are not a
# background that the change ignores; it was fitted to these numbers in
# these places. Had the loss stayed where it is with the start in place,
# as it does at $g = 0$, S4 would be refuted. (Only at $g = 0.3$ do ours
# and the published loss differ; {ref}`longer-training` looks for the
# reason.) Why a *low-rank* matrix should depend so much on a random one
# [the linear theory](05_linear_theory.py) makes plain: its directions are
# input and output weights passed through the random connections.
#
# ## How the change grows
#
# So far we looked at the end of learning. The training recorded the
# change 30 times, evenly over its epochs.

# %% tags=["hide-input"]
order = ("first", "second", "third", "fourth", "fifth", "sixth")
charts.show(
    charts.curve_panels(
        {
            name: {
                number: found[name, 0.9].spectrum_over_training[:, :, i]
                for i, number in enumerate(order)
            }
            for name in tasks
        },
        {name: found[name, 0.9].recorded for name in tasks},
        x_title="epoch",
        y_title="singular value",
        y_scale={"domainMin": 0},
        band_opacity=0.12,
    ),
    name="values-over-training",
    caption="The first six singular values of the change over training, "
    "g 0.9: mean (line) and range (band) over the networks that count.",
    alt="Three panels of six singular values against the epoch: they "
    "rise early in training, the first ones most, then creep on.",
)

# %% [markdown]
# In {numref}`fig-values-over-training` the values rise fast while the
# task is learned, the first ones most; then they creep on. To see
# learning itself, we must record while it goes on. So for the question
# of this book we train again, for about twice as many epochs as it takes,
# with 30 records; and the flip-flop also with plain gradient descent
# (*SGD*) instead of Adam.

# %%
phase = {
    "flip-flop, Adam": ("flip-flop", 90, {}),
    "flip-flop, SGD": (
        "flip-flop",
        300,
        {"optimiser": "sgd", "learning_rate": 6.4 / n_units},
    ),
    "Mante, Adam": ("Mante", 120, {}),
    "Romo, Adam": ("Romo", 450, {}),
}
while_learning = interplay.learn_over(
    {
        label: {
            "task": tasks[name],
            "g": 0.9,
            "n_networks": n_networks,
            "n_units": n_units,
            "n_epochs": chapter.at_scale(smoke=6, book=n, paper=n),
            "n_records": chapter.at_scale(smoke=3, book=30, paper=30),
            "ranks": (0,),
            "n_test": chapter.at_scale(smoke=8, book=64, paper=512),
            "seed": seed,
            **options,
        }
        for label, (name, n, options) in phase.items()
    },
    folder=chapter.kept_cells(),
    n_jobs=chapter.at_scale(smoke=1, book=1, paper=-1),
)
tensors = {
    label: [change.astype(float) for change in one.change]
    for label, one in while_learning.items()
}

# %% [markdown]
# ## The tensor over learning
#
# Stack the 30 records of a network: a tensor of epochs × receiving units
# × sending units. Its CP rank asks for more than that every slice be of
# low rank. The *same* directions must serve all epochs. Beside the CP fit
# we draw two lines that know nothing of this: how much rank $r$ holds of
# every slice by itself, with directions chosen anew each time, which no
# CP fit can exceed; and how much it holds of the final change, one
# matrix, which is no bound but a yardstick.

# %%
fit_ranks = (1, 2, 3, 5, 8)
fits = {
    label: {
        "tensor (CP)": cp_fits(changes, fit_ranks, seed=seed),
        "every slice by itself": slice_energies(changes, fit_ranks),
        "final change alone": slice_energies(
            [change[-1:] for change in changes], fit_ranks
        ),
    }
    for label, changes in tensors.items()
}

# %% tags=["hide-input"]
charts.show(
    charts.curve_panels(
        {
            label: {name: 100 * fit for name, fit in rows.items()}
            for label, rows in fits.items()
        },
        dict.fromkeys(fits, np.array(fit_ranks)),
        x_title="rank",
        y_title="held (% of the squared norm)",
        y_scale={"domain": [0, 100]},
        columns=2,
        width=220,
    ),
    name="tensor-fit",
    caption="How much of the change over learning a CP decomposition "
    "holds, against rank; beside it how much that rank holds of every "
    "slice by itself, and of the final change alone. g 0.9; mean (dots, "
    "line) and range (band) over the networks.",
    alt="Four panels of per cent held against rank; the three lines lie "
    "close together and rise steeply, most steeply for the flip-flop "
    "with SGD.",
)

# %% tags=["remove-input"]
five = fit_ranks.index(5)
adam = [label for label in phase if "Adam" in label]
of_adam = [change for label in adam for change in tensors[label]]
rng = np.random.default_rng([seed, 13])
turned = [nulls.rotated_steps_null(change, rng) for change in of_adam]


def fit_of_five(changes):
    """CP fit at rank 5, and what rank 5 holds slice by slice."""
    return {
        "fit": cp_fits(changes, [5], seed=seed)[:, 0],
        "slices": slice_energies(changes, [5])[:, 0],
    }


def of_phase(labels):
    """The same from the values that are drawn."""
    return {
        "fit": np.concatenate(
            [fits[label]["tensor (CP)"][:, five] for label in labels]
        ),
        "slices": np.concatenate(
            [
                fits[label]["every slice by itself"][:, five]
                for label in labels
            ]
        ),
    }


row = tensor_rank.judge(
    of_phase(adam),
    {"turned steps": fit_of_five(turned)},
    {
        "flip-flop with SGD": of_phase(["flip-flop, SGD"]),
        "the null itself (one matrix, one profile)": fit_of_five(
            [nulls.best_single_profile(c) for c in of_adam]
        ),
    },
)
tensor_rank.prose_assumes(row, holds=True)
glue("fit", 100 * row["measured"]["fit"]["mean"], display=False)
glue(
    "fit-sgd",
    float(100 * np.mean(of_phase(["flip-flop, SGD"])["fit"])),
    display=False,
)
mean = row["control"]["turned steps"]["fit"]["mean"]
glue("fit-turned", 100 * mean, display=False)

# %% tags=["remove-input"]


def one_profile(changes):
    """Share of one matrix times one profile over epochs."""
    return {"one_profile": [nulls.grows_along_itself(c) for c in changes]}


row = not_growth.judge(
    one_profile(of_adam),
    {
        "final change, rescaled": one_profile(
            map(slices.grown_final, of_adam)
        )
    },
    {
        "turned steps": one_profile(turned),
        "flip-flop with SGD": one_profile(tensors["flip-flop, SGD"]),
    },
)
not_growth.prose_assumes(row, holds=False)
profile = row["measured"]["one_profile"]["mean"]
glue("profile", 100 * profile, display=False)
mean = row["comparison"]["turned steps"]["one_profile"]["mean"]
glue("profile-turned", 100 * mean, display=False)

# %% tags=["remove-input"]
alike_profile = one_profile(map(slices.unit_norm, of_adam))["one_profile"]
glue("profile-alike", 100 * float(np.mean(alike_profile)), display=False)
alike_turned = one_profile(map(slices.unit_norm, turned))["one_profile"]
glue(
    "profile-alike-turned",
    100 * float(np.mean(alike_turned)),
    display=False,
)

# %% [markdown]
# Five components hold {glue:text}`fit:.0f` % of the change over learning,
# against {glue:text}`fit-turned:.0f` % if every step is turned into a
# random direction. The change is low tensor rank. But
# {numref}`fig-tensor-fit` says how little this adds. The lines nearly
# coincide. A low rank of the *final matrix* is enough to explain them, if
# on the way the change looks like a smaller copy of it; and the null
# itself, the best one matrix with one profile, is fitted even a little
# better. (A CP fit far below that of the slices would have refuted claim
# S1.tensor.) One matrix with one profile over epochs holds
# {glue:text}`profile:.0f` %, and claim S1.not-growth **fails**, as its
# like did for [re-learning to reach](02_relearning_to_reach.py).
#
# How striking is {glue:text}`profile:.0f` %? Not at all. The *turned
# steps*, which go into a new direction each, reach
# {glue:text}`profile-turned:.0f` %. A sum of steps is always dominated by
# what has been summed already, the more so if the early steps are the
# larger ones. If every record counts alike (each slice scaled to norm 1)
# the two are {glue:text}`profile-alike:.0f` % and
# {glue:text}`profile-alike-turned:.0f` %. So a high share of one profile
# is no sign of structure.
#
# To ask whether learning *keeps its directions*, look at what is added
# from one record to the next. There nothing has been summed up.

# %%
five_directions = {
    name: fixed_and_free(map(slices.updates, changes), 5)
    for name, changes in (
        ("Adam", of_adam),
        ("turned steps", turned),
        ("flip-flop with SGD", tensors["flip-flop, SGD"]),
    )
}

# %% tags=["remove-input"]
judged = {name: one._asdict() for name, one in five_directions.items()}
row = same_directions.judge(
    judged["Adam"],
    {"turned steps": judged["turned steps"]},
    {"flip-flop with SGD": judged["flip-flop with SGD"]},
)
same_directions.prose_assumes(row, holds=True)
for name, held in zip(
    ("kept", "kept-turned", "kept-sgd"),
    five_directions.values(),
    strict=True,
):
    glue(name, float(100 * held.kept.mean()), display=False)
glue("free", 100 * row["measured"]["free"]["mean"], display=False)
needed = {
    label: [ltr.energy_ranks(c, 0.99)[1] for c in tensors[label]]
    for label in ("flip-flop, Adam", "flip-flop, SGD")
}
for label, name in (
    ("flip-flop, Adam", "adam"),
    ("flip-flop, SGD", "sgd"),
):
    glue(f"needed-{name}", float(np.mean(needed[label])), display=False)
    norm = float(while_learning[label].norm.mean())
    glue(f"norm-{name}", norm, display=False)

# %% [markdown]
# Five free directions, chosen anew for each difference of two records (3
# to 15 epochs), hold {glue:text}`free:.0f` % of it. Five fixed ones on
# either side hold {glue:text}`kept:.0f` % of that; of turned steps they
# hold {glue:text}`kept-turned:.0f` %, and a share like that would have
# refuted the claim. This is something that the rank of the
# final matrix does not tell: not only does learning end in few
# directions, it moves in few directions all along, if not in the very
# same ones.
#
# ```{margin}
# The comparison is not of like with like. SGD has one rate for all
# weights, took more epochs, and may leave more to the inputs and outputs:
# the norm of the change is {glue:text}`norm-sgd:.2f`, against
# {glue:text}`norm-adam:.2f`.
# ```
#
# **Adam leaves a tail.** With SGD the flip-flop is learned within still
# fewer directions: rank 5 holds {glue:text}`fit-sgd:.0f` % of the tensor,
# and its fixed directions {glue:text}`kept-sgd:.0f` % of the free ones.
# To hold 99 % of the change takes {glue:text}`needed-sgd:.0f` directions
# of the receiving units with SGD and {glue:text}`needed-adam:.0f` with
# Adam. A likely reason: Adam divides every entry of the gradient by its
# own recent size, which can turn a matrix of low rank into one of higher
# rank. That tail does little: {numref}`fig-loss-against-rank` was made
# with Adam, and beyond rank ten there is hardly any loss left to remove.
#
# ## What we have, and what it does not show
#
# - In three tasks, with and without random connections, the change is
#   low rank and its few large singular values do the work. This is what
#   the paper claims.
# - "Low rank" is of the *function*. The tail of small singular values is
#   real, and depends on the optimiser (in the one task where we compared
#   two).
# - The change belongs to its random connections: on others, of $g = 0.9$
#   or more, it solves nothing.
# - Over learning it is low tensor rank, nearly for free. A claim of low
#   *tensor* rank needs the rank of the matrix beside it, and what is
#   added step by step, not the sum. Learning one task once is not where
#   the tensor shows more than the matrix does.
# - Our networks are half as wide as the paper's and were trained for
#   fewer epochs; the tables above say where that shows.
#
# ## Exercises
#
# ::::{exercise}
# :label: outliers-in-chaos
# At $g = 1.5$ the disk of eigenvalues is across the line of instability
# before anything is learned. Do outliers appear there, too? For each
# network count the eigenvalues after learning that are farther from zero
# than every one before.
# ::::

# %% [markdown]
# ::::{solution-start} outliers-in-chaos
# :class: dropdown
# ::::

# %%
for name in tasks:
    for g in (0.9, 1.5):
        one = found[name, g]
        edge = np.abs(one.eigenvalues("before")).max(axis=1)
        outside = n_outliers(one.eigenvalues("after"), edge)
        print(f"{name}, g {g}: {outside.tolist()}")

# %% [markdown]
# Fewer in all, and in some networks none. Where the random connections
# are strong, networks solve the task without any. That is no paradox: the
# line is that of the quiet state, and at $g = 1.5$ that state is unstable
# from the start.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: longer-training
# Between "on others it is useless" ($g = 0.9$) and "there are no others"
# ($g = 0$) lies $g = 0.3$, where the shuffle does some harm. We trained
# for 300 epochs, the paper for 1000. Train one network for longer: does
# that matter here?
# ::::

# %% [markdown]
# ::::{solution-start} longer-training
# :class: dropdown
# ::::

# %%
longer = {
    **cells["flip-flop", 0.3],
    "n_networks": 1,
    "n_epochs": chapter.at_scale(smoke=12, book=1000, paper=2000),
    "ranks": (0,),
}
same = interplay.learn_over({"longer": longer}, n_jobs=1)["longer"]
for one in (every["flip-flop", 0.3], same):  # the same network twice
    moduli = np.abs(one.eigenvalues("after")[0])
    print(
        f"{one.recorded[-1]} epochs: loss {one.after[0]:.4f}, shuffled "
        f"{one.shuffled[0]:.2f}, largest eigenvalue {moduli.max():.2f}"
    )

# %% [markdown]
# It does: trained for longer, the same network is harmed less by the
# shuffle. A likely reason is in the last number. The change goes on
# growing and takes the largest eigenvalue farther out, so less is left to
# the random connections. What a shuffle destroys is a matter of degree,
# and of when one looks. (One network is a hint, not a test.)
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: free-tensor-rank
# Take the final change alone, and let it grow in proportion to the norm
# that was recorded. What is the CP fit of this tensor, against rank, and
# which line of {numref}`fig-tensor-fit` must it be?
# ::::

# %% [markdown]
# ::::{solution-start} free-tensor-rank
# :class: dropdown
# ::::

# %%
grown = slices.grown_final(tensors["flip-flop, Adam"][0])
for r, fit, alone in zip(
    fit_ranks,
    cp_fits([grown], fit_ranks, seed=seed)[0],
    fits["flip-flop, Adam"]["final change alone"][0],
    strict=True,
):
    print(f"rank {r}: CP {fit:.3f}, final change alone {alone:.3f}")

# %% [markdown]
# The same numbers: its best components are the singular vectors of the
# final change, all with the same profile. By its fit alone a network's
# own tensor can hardly be told from it.
#
# ::::{solution-end}
# ::::
