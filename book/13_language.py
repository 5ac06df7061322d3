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
# # A language task: an LSTM reads film reviews
#
# [Three tasks of neuroscience](03_three_tasks.py) were learned by a
# change of low rank. They are small tasks, made by hand, with two or
# three numbers going in and out. Is it the smallness that makes the
# change simple?
#
# {cite:t}`schuessler2020` put this to the test in their supplement. They
# trained a network from another world, an LSTM, to say whether a sentence
# of a film review is friendly (it praises) or not, and found the
# same: of the change of its recurrent weights some ten or twenty
# components out of 256 suffice. This is part of claim **S7** of [the
# list](intro.md). On the way we meet **S4** again: that the change
# belongs to the random weights it was added to.
#
# *What is theirs and what is ours.* The task, the kind of network, and
# the comparison of a truncated change with truncated weights are the
# paper's. Their sentences were those of SST-2, their words came as GloVe
# vectors, which others had learned from a great deal of text. Neither is
# used here. Our sentences are of the same kind but rated anew; our
# network has to learn what the words mean from them alone. It is half as
# wide and learns for seven epochs (passes over the sentences) in place of
# 500, at a larger rate. All criteria and controls are ours.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
import torch
from IPython.display import Markdown
from myst_nb import glue

from ltr_core import Chapter, charts
from ltr_core.registry import NotAtHand, fetch
from ltr_core.sentiment import (
    Examples,
    read_reviews,
    sentiment_accuracy,
    split,
    toy_reviews,
    train_sentiment,
    truncate_sentiment,
)

chapter = Chapter("13_language", scale=scale, seed=seed)
sizes = chapter.at_scale(
    smoke={"held": 80, "choose": 20, "train": 200},
    book={"held": 2000, "choose": 500, "train": None},
    paper={"held": 2000, "choose": 500, "train": None},
)
settings = chapter.at_scale(
    smoke={"n_units": 8, "n_epochs": 1},
    book={
        "n_units": 128,
        "n_epochs": 7,
        "learning_rate": 1e-3,
        "dropout": 0.3,
    },
    paper={
        "n_units": 256,
        "n_epochs": 500,
        "learning_rate": 0.01 / 256,
        "dropout": 0.5,
    },
)
n_units = settings["n_units"]
n_networks = chapter.at_scale(smoke=2, book=3, paper=3)
ranks = chapter.at_scale(
    smoke=(0, 1, 2, 8),
    book=(0, 1, 2, 3, 5, 10, 20, 50, 128),
    paper=(0, 1, 2, 3, 5, 7, 10, 15, 20, 50, 100, 256),
)
ten, twenty = (ranks.index(min(rank, n_units)) for rank in (10, 20))
print(
    f"{scale} scale, seed {seed}: {n_networks} networks, two layers of "
    f"{n_units} units"
)

# %% tags=["remove-input"]
why_not = ""
try:
    reviews = read_reviews(fetch("hutto2014"))
    source = "This page was run on the rated sentences described below."
except NotAtHand:
    why_not = (
        "the sentences were not at hand, and no package index to fetch "
        "them from"
    )
    reviews = toy_reviews(16000, seed)
    source = (
        "**The film reviews were not at hand when this page was made**, "
        "nor a package index to fetch them from. Everything below was "
        "run on the *made language* of a later section (*A language in "
        "which order matters*), in their place. What the text says of "
        "film reviews does not apply, and the claims about them were "
        "not run."
    )
display(Markdown(f":::{{note}}\n{source}\n:::"))

# %% [markdown]
# ## The claims, before the results
#
# An **LSTM** is a recurrent network with two kinds of memory. Each unit
# has a *cell*, a number that stays unless it is written to or erased, and
# an output, which all units of its layer see at the next step. Three
# *gates* (each between 0 and 1) say how much is written to the cell, kept
# in it and let out. The gates, and what is written, are set by a weighted
# sum of the present input plus one of the last step's outputs,
# $W\mathbf h_{t-1}$: this **recurrent matrix** $W$, with four rows for
# each unit (three gates, one cell), is what is looked at. Two such layers
# are stacked, the second reading the outputs of the first, and the paper
# looks at the second. Of the change $\Delta W=W-W_0$ over learning, only
# the leading components (singular values and vectors) are kept: the
# **truncated change** of rank $r$. The network then gets $W_0$ plus it,
# in one layer; all else stays as learned. Rank 0 is the layer's initial,
# random matrix. The same can be done to $W$ itself (**truncated
# weights**); rank 0 is then no recurrent weights at all.
#
# Everything is measured in **accuracy**, the share of sentences judged
# rightly, on sentences that the network did not learn from. Some of
# those choose the epoch from which the weights are taken, the others
# give the numbers below. A *point* is a hundredth of accuracy. Half of
# the sentences, about, are friendly: guessing gives 0.5.
#
# The criteria were written after pilots with other random numbers (seeds
# 1000 and 1001), and committed before the run at this seed. The pilots
# had shown that some of what the paper claims would hardly come out here.
# We state it all the same: a criterion says what should be true, not what
# we expect.

# %% tags=["remove-input"]
S = "Schuessler et al. 2020, supplement"
OURS = "the companion's own check"
second = chapter.claim(
    "S7.language",
    statement="What an LSTM that reads film reviews learns in the "
    "recurrent weights of its second layer is of low rank: a few "
    "components restore its accuracy.",
    source=S + "; criterion ours",
    criterion="In every network, the second layer's change is needed "
    "(truncated to rank 0 it leaves accuracy at least 0.02 lower than as "
    "trained) and of low rank (truncated to rank 20, at most 0.01 "
    "lower). Rank 0 in place of rank 20 must not pass.",
    expression="min(needed) >= 0.02 and max(lost) <= 0.01",
)

# %% tags=["remove-input"]
first = chapter.claim(
    "S7.first-layer",
    statement="What it learns in the recurrent weights of its first "
    "layer is of low rank.",
    source=OURS,
    criterion="As S7.language, for the first layer. Rank 0 in place of "
    "rank 20 must not pass, nor the change without its twenty leading "
    "components.",
    expression="min(needed) >= 0.02 and max(lost) <= 0.01",
)

# %% tags=["remove-input"]
gap_claim = chapter.claim(
    "S7.weights",
    statement="The weights themselves are not of low rank: truncated, "
    "they lose accuracy that the truncated change keeps.",
    source=S + "; criterion ours",
    criterion="In every network, averaged over the ranks tried from 1 to "
    "10, accuracy with the second layer's change truncated is at least "
    "0.03 higher than with its weights truncated. The same average over "
    "ranks of 50 and more, where little is cut, must not pass.",
    expression="min(gap) >= 0.03",
)

# %% tags=["remove-input"]
spectrum = chapter.claim(
    "S7.spectrum",
    statement="A few singular values hold most of the change.",
    source=S + " (singular values of the change); criterion ours",
    criterion="In every network, ten components hold at least half of "
    "the squared norm of the second layer's change. The layer's initial "
    "weights must not pass.",
    expression="min(share) >= 0.5",
)

# %% tags=["remove-input"]
shuffle = chapter.claim(
    "S4.language",
    statement="The change belongs to the initial weights: with their "
    "entries shuffled, it loses its use.",
    source="Schuessler et al. 2020, of their three tasks; carried over "
    "to the LSTM by us",
    criterion="In every network, shuffling the entries of the first "
    "layer's initial weights (mean over three shuffles) costs at least "
    "half of the accuracy that taking away the layer's whole change "
    "costs. With nothing shuffled it must not pass.",
    expression="min(lost - whole / 2) >= 0",
)

# %% tags=["remove-input"]
order = chapter.claim(
    "S7.order",
    statement="Where the sign of a sentence hangs on the order of its "
    "words, the same measurement sees that recurrent weights are needed, "
    "and that a change of low rank suffices.",
    source=OURS + " of the measurement",
    criterion="As S7.first-layer, for one-layer networks that learned "
    "the made language, whose change must be worth at least 0.2.",
    expression="min(needed) >= 0.2 and max(lost) <= 0.01",
)

# %% [markdown]
# The paper gives three numbers. Ours agrees with an accuracy if it is
# within 0.02 of it, with a singular value within a quarter of it; the
# rank must be between the 10 and the 20 that are told.

# %% tags=["remove-input"]
published = chapter.published(
    "lstm",
    figure="The LSTM on film reviews",
    source=S,
    setting=f"{n_units} units in each of two layers, "
    f"{settings['n_epochs']} epochs, embedding learned, sentences of "
    f"Hutto and Gilbert; {n_networks} networks",
    values={
        "validation accuracy": (0.79, 0.02),
        "largest singular value, second layer": (3.4, 0.85),
        "rank that restores the accuracy": (15, 5),
    },
)

# %% [markdown]
# ## The sentences
#
# {cite:t}`hutto2014` had each of 10,605 sentences from film reviews rated
# by twenty people or more, from -4 (negative) to 4 (positive). By their
# account the sentences come from the reviews collected by
# {cite:t}`pang2004`.
#
# ```{margin}
# The sentences are published with the authors' Python package (MIT
# licence). The file is not part of this book; it is fetched by pip from a
# package index, and checked by its SHA-256.
# ```
#
# We keep the sentences rated at least half a point from neutral, and ask
# for the sign alone. A word that is seen less than twice in the training
# sentences is one and the same *unknown* word.


# %%
def learn(k):
    """One network, its sentences and those that it is measured on."""
    parts = split(
        reviews,
        n_validation=sizes["held"],
        n_train=sizes["train"],
        seed=seed + k,
    )
    choose, report = (
        Examples(*(column[part] for column in parts.validation))
        for part in (
            slice(sizes["choose"]),
            slice(sizes["choose"], None),
        )
    )
    training = train_sentiment(
        parts._replace(validation=choose),
        n_layers=2,
        embedding_scale=0.5,
        learned_embedding=True,
        seed=seed + k,
        **settings,
    )
    return training, report, parts


learned = [learn(k) for k in range(n_networks)]

# %% tags=["remove-input"]
training, report, parts = learned[0]
glue("n-train", len(parts.train.length), display=False)
glue("n-choose", sizes["choose"], display=False)
glue("n-report", len(report.length), display=False)
glue("n-words", len(parts.vocabulary), display=False)
best = [training.best_epoch + 1 for training, _, _ in learned]
glue("best-epochs", ", ".join(map(str, best)), display=False)

# %% [markdown]
# Each network has {glue:text}`n-train` sentences to learn from,
# {glue:text}`n-choose` to choose an epoch by and {glue:text}`n-report`
# for the measurements; which are which differs between the networks, as
# do the initial weights. The first one knows {glue:text}`n-words` words.
# The epochs chosen, those of the highest accuracy, are
# {glue:text}`best-epochs`.

# %% tags=["hide-input"]
courses = {
    "training sentences, with dropout": [t.loss for t, _, _ in learned],
    "sentences that choose the epoch": [
        t.validation_loss for t, _, _ in learned
    ],
}
charts.show(
    charts.curves(
        {
            name: torch.stack(loss).numpy()
            for name, loss in courses.items()
        },
        np.arange(1, settings["n_epochs"] + 1),
        x_title="epoch",
        y_title="cross-entropy (nats)",
        reference=float(np.log(2)),
    ),
    name="reading-lessons",
    caption="Learning to read: loss over epochs, mean (line) and range "
    "(band) of the networks; one dot an epoch. Guessing costs log 2 "
    "(thin dashed line). On new sentences the loss soon stops falling, "
    "while on those of the training it falls on: the network begins to "
    "learn them by heart.",
    alt="Loss against epoch. On training sentences it falls all the way; "
    "on others it falls at first, and levels off or rises after a few "
    "epochs.",
)

# %% tags=["hide-input"]
with torch.no_grad():
    odds = training.network(report.words[:6], report.length[:6])
for words, n, said, positive in zip(
    report.words, report.length, odds, report.positive, strict=False
):
    text = " ".join(parts.vocabulary[word] for word in words[:n])
    print(f"{'+' if positive else '-'} {torch.sigmoid(said):.2f}  {text}")

# %% [markdown]
# Six sentences as the first network reads them, which it did not learn
# from. In front are people's verdict (+ friendly, - not) and the
# probability of a friendly one that the network gives.
#
# ## What the second layer's change is worth
#
# First the singular values of the change: how many of them are large.
# Then what the components do to the accuracy.

# %%
layers = {"first layer": 0, "second layer": 1}
cut = {
    name: [
        truncate_sentiment(
            training, report, ranks, layer=layer, seed=seed + k
        )
        for k, (training, report, _) in enumerate(learned)
    ]
    for name, layer in layers.items()
}

# %% tags=["hide-input"]
few = min(40, n_units)
charts.show(
    charts.curve_panels(
        {
            name: {
                "change": np.array([c.change_values[:few] for c in cuts]),
                "initial weights": np.array(
                    [c.initial_values[:few] for c in cuts]
                ),
            }
            for name, cuts in cut.items()
        },
        dict.fromkeys(cut, np.arange(1, few + 1)),
        x_title="component",
        y_title="singular value",
        width=220,
    ),
    name="lstm-singular-values",
    caption=f"The {few} leading singular values (of {n_units}) of the "
    "change and of the initial weights, in both layers: mean (line) and "
    "range (band, often thinner than the line) over the networks. Those "
    "of the change fall off fast, those of the random matrix slowly. The "
    "vertical scales of the panels differ.",
    alt="Two panels of singular values against component. The change has "
    "a few large ones and a long low tail; the initial weights decline "
    "slowly from component to component.",
)


# %% tags=["remove-input"]
def share_of_ten(values):
    """The share of the squared norm in the ten leading components."""
    return [(v[:10] ** 2).sum() / (v**2).sum() for v in values]


def spectra_of(cuts):
    """The same for the changes and for the initial weights."""
    return {
        name: {"share": share_of_ten([getattr(c, field) for c in cuts])}
        for name, field in (
            ("change", "change_values"),
            ("initial weights", "initial_values"),
        )
    }


shares = {name: spectra_of(cuts) for name, cuts in cut.items()}
if why_not:
    spectrum.not_run(why_not)
else:
    row = spectrum.judge(
        shares["second layer"]["change"],
        {"initial weights": shares["second layer"]["initial weights"]},
        {"first layer": shares["first layer"]["change"]},
    )
    spectrum.prose_assumes(row, holds=True)
for what, name in (("change", "change"), ("start", "initial weights")):
    held = np.mean(shares["second layer"][name]["share"])
    glue(f"share-{what}", float(100 * held), display=False)

# %% [markdown]
# Ten components hold {glue:text}`share-change:.0f` % of the squared norm
# of the second layer's change, and {glue:text}`share-start:.0f` % of that
# of its initial weights ({numref}`fig-lstm-singular-values`): as matrices
# go, the change is simple. Whether it does anything is another question.


# %% tags=["hide-input"]
def drawn(cuts):
    """Accuracies up to rank 20, less that of the network as trained."""
    fields = {
        "change truncated": "change",
        "weights truncated": "weights",
        "leading ones left out": "rest",
    }
    return {
        name: np.array(
            [100 * (getattr(c, field) - c.full) for c in cuts]
        )[:, : twenty + 1]
        for name, field in fields.items()
    }


shown = np.array(ranks[: twenty + 1])
panels = {name: drawn(cuts) for name, cuts in cut.items()}
lines = [line for panel in panels.values() for line in panel.values()]
charts.show(
    charts.curve_panels(
        panels,
        dict.fromkeys(panels, shown),
        x_title="rank",
        y_title="accuracy change (points)",
        y_scale={
            "domain": [
                float(np.floor(np.min(lines))),
                float(np.ceil(np.max(lines))),
            ]
        },
        reference=0.0,
        width=220,
    ),
    name="lstm-truncated",
    caption="Accuracy in points of 100, less that of the network as "
    "trained (dashed line at 0), with one layer's recurrent weights "
    "replaced: by the initial ones plus the change truncated to a rank; "
    "by the weights truncated to it; by the weights with as many leading "
    "components of the change left out as the rank says. Mean (dots, one "
    "for each rank tried) and range (band) over the networks.",
    alt="Two panels, one for each layer. In the first, change and "
    "weights start several points below zero at rank 0 and rise together "
    "to about zero within five ranks; with the leading components left "
    "out accuracy falls by as much. In the second the same happens with "
    "differences of a point or two.",
)


# %% tags=["remove-input"]
def kept(cuts, at):
    """What truncation to a rank costs, and to rank 0."""
    return {
        "lost": [c.lost[at] for c in cuts],
        "needed": [c.lost[0] for c in cuts],
    }


def without_leading(cuts, at):
    """The same, with what truncation leaves out in place of the rest."""
    lost = [c.full - c.rest[at] for c in cuts]
    return kept(cuts, at) | {"lost": lost}


of_second, of_first = cut["second layer"], cut["first layer"]
if why_not:
    second.not_run(why_not)
    first.not_run(why_not)
else:
    row = second.judge(
        kept(of_second, twenty), {"rank 0": kept(of_second, 0)}
    )
    second.prose_assumes(row, holds=False)
    row = first.judge(
        kept(of_first, twenty),
        {
            "rank 0": kept(of_first, 0),
            "without its twenty leading components": without_leading(
                of_first, twenty
            ),
        },
        {"rank 10": kept(of_first, ten)},
    )
    first.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
for name, key in (("first layer", "first"), ("second layer", "second")):
    cuts = cut[name]
    lost = [100 * c.lost[0] for c in cuts]
    for what, value in (
        ("zero", np.mean([c.change[0] for c in cuts])),
        ("none", np.mean([c.weights[0] for c in cuts])),
        ("least", min(lost)),
        ("most", max(lost)),
    ):
        glue(f"{key}-{what}", float(value), display=False)
glue(
    "first-one",
    float(np.mean([c.change[1] for c in of_first])),
    display=False,
)
glue(
    "full",
    float(np.mean([c.full for c in cut["first layer"]])),
    display=False,
)

# %% [markdown]
# The whole networks judge {glue:text}`full:.3f` of the sentences rightly.
# With twenty components of the second layer's change they do so as well,
# as the paper has it. But look at rank 0 ({numref}`fig-lstm-truncated`).
# The second layer with its *initial* recurrent weights gives
# {glue:text}`second-zero:.3f`, and with none at all
# {glue:text}`second-none:.3f`. In the network where the change is worth
# least it is worth {glue:text}`second-least:.1f` points in a hundred, in
# that where it is worth most {glue:text}`second-most:.1f`. So claim
# S7.language **does not hold** here. Not because the change is of high
# rank: because it is hardly needed, and of what is hardly needed one
# cannot tell how little of it would do.
#
# Can an LSTM do without recurrent weights? A layer can, since its cells
# remember by themselves. Each word adds something to the cells, and the
# sum is there at the end. For this task that may be much of what it
# takes: friendly words and unfriendly words, counted (the second exercise
# puts them out of order). And what the second layer reads has been
# through the first, whose recurrent weights are in place.
#
# So look at the first layer. There its initial recurrent weights alone
# give {glue:text}`first-zero:.3f` (none at all:
# {glue:text}`first-none:.3f`): what was learned is worth
# {glue:text}`first-least:.1f` to {glue:text}`first-most:.1f` points. One
# single component brings {glue:text}`first-one:.3f`, and twenty all of
# it, within the margin; without those twenty the rest of the change does
# not help. Here the question can be asked, and the answer is the paper's:
# low rank. Claim S7.first-layer **holds**.
#
# ## The change or the weights?
#
# The paper's point is that the *change* is simple while the *weights*
# are not. In the networks of [the three tasks](03_three_tasks.py), which
# have no gates, the random part is needed. Here?

# %% tags=["remove-input"]
grid = np.array(ranks)
low, high = (grid >= 1) & (grid <= 10), grid >= min(50, n_units)


def gap(cuts, chosen):
    return {"gap": [(c.change - c.weights)[chosen].mean() for c in cuts]}


if why_not:
    gap_claim.not_run(why_not)
else:
    row = gap_claim.judge(
        gap(cut["second layer"], low),
        {"ranks of 50 and more": gap(cut["second layer"], high)},
        {"first layer": gap(cut["first layer"], low)},
    )
    gap_claim.prose_assumes(row, holds=False)
glue(
    "first-gap",
    float(np.mean(gap(cut["first layer"], low)["gap"])),
    display=False,
)

# %% [markdown]
# No. In the second layer little is lost either way, so there is little
# room for a gap. In the first, where something can be lost, the truncated
# change is ahead by {glue:text}`first-gap:.3f` on average, a few of the
# {glue:text}`n-report` sentences. The paper's gap does not show: claim
# S7.weights **does not hold**. Perhaps it would in a network as wide as
# theirs, or one that learned as slowly. We do not know.
#
# A second way to ask what the initial weights are good for: keep the
# change, and shuffle them. Their entries stay the same numbers, but stand
# in other places of the matrix.


# %% tags=["remove-input"]
def shuffled(cuts):
    return {
        "lost": [c.full - c.shuffled.mean() for c in cuts],
        "whole": [c.lost[0] for c in cuts],
    }


def unshuffled(cuts):
    return {"lost": [0.0] * len(cuts), "whole": shuffled(cuts)["whole"]}


if why_not:
    shuffle.not_run(why_not)
else:
    row = shuffle.judge(
        shuffled(cut["first layer"]),
        {"nothing shuffled": unshuffled(cut["first layer"])},
        {"second layer": shuffled(cut["second layer"])},
    )
    shuffle.prose_assumes(row, holds=False)
costs = shuffled(cut["first layer"])
for name, values in costs.items():
    glue(f"costs-{name}", float(np.mean(values)), display=False)

# %% [markdown]
# Shuffling costs {glue:text}`costs-lost:.3f` of accuracy in the first
# layer, where taking the whole change away costs
# {glue:text}`costs-whole:.3f`. The change does most of its work on other
# random weights as well. S4, which the paper states for its three tasks,
# **does not** carry over to this network (S4.language). It need not: an
# LSTM's initial weights are small (uniform between $\pm1/\sqrt N$, so
# that the eigenvalues of each of the four $N\times N$ blocks lie within
# a radius of about 0.6), and its cells remember without them.
#
# ## A language in which order matters
#
# One may wonder whether the measurement could have seen that an LSTM
# badly needs its recurrent weights. So the same again
# ({numref}`fig-made-language`) with a language of our own. Its sentences
# are made of a few words that mean nothing, and one that does: *good* or
# *bad*, with or without *not* before it. No single word tells the sign.
# Each network is one layer, as wide as above. The task is easy, and
# here the sentences that choose the epoch also give the numbers.


# %%
def learn_made(k):
    parts = split(
        toy_reviews(2500, seed + k),
        n_validation=chapter.at_scale(smoke=100, book=600, paper=600),
        n_train=chapter.at_scale(smoke=200, book=None, paper=None),
        seed=seed + k,
    )
    training = train_sentiment(
        parts,
        n_units=n_units,
        n_layers=1,
        n_embedding=16,
        learned_embedding=True,
        dropout=0.0,
        learning_rate=1e-3,
        n_epochs=chapter.at_scale(smoke=2, book=10, paper=10),
        seed=seed + k,
    )
    return truncate_sentiment(
        training, parts.validation, ranks, seed=seed + k
    )


made = [learn_made(k) for k in range(n_networks)]
examples = toy_reviews(4, seed)
for sentence, rating in zip(*examples, strict=True):
    print(f"{'+' if rating > 0 else '-'}  {sentence}")

# %% tags=["remove-input"]
row = order.judge(
    kept(made, twenty),
    {
        "rank 0": kept(made, 0),
        "without its twenty leading components": without_leading(
            made, twenty
        ),
    },
    {"rank 10": kept(made, ten)},
)
order.prose_assumes(row, holds=True)
for what, values in (
    ("full", [c.full for c in made]),
    ("zero", [c.change[0] for c in made]),
    ("none", [c.weights[0] for c in made]),
    ("gap", gap(made, low)["gap"]),
    ("shuffled", shuffled(made)["lost"]),
):
    glue(f"made-{what}", float(np.mean(values)), display=False)

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        drawn(made),
        shown,
        x_title="rank",
        y_title="accuracy change (points)",
        reference=0.0,
    ),
    name="made-language",
    caption="The same as in the figure before, for one-layer networks "
    "that learned the made language: mean (dots) and range (band). Here "
    "recurrent weights are needed, and a few components of their change "
    "suffice.",
    alt="Change of the accuracy against rank: with the change truncated "
    "it starts some thirty points below zero, goes up and down between "
    "ranks 1 and 3, and is at zero from about rank 5 on; with the "
    "weights truncated it is much the same.",
)

# %% [markdown]
# ```{margin}
# On the way there accuracy goes up and down: two or three components can
# be worse than one.
# ```
#
# Now recurrent weights are needed: accuracy is
# {glue:text}`made-full:.2f`, with the initial ones
# {glue:text}`made-zero:.2f`, with none {glue:text}`made-none:.2f`. Ten
# components restore it, and so do five, nearly: claim S7.order **holds**.
# From ranks 1 to 10 the truncated change is ahead of the truncated
# weights by {glue:text}`made-gap:.2f` on average, little beside the
# spread. Shuffling the initial weights costs
# {glue:text}`made-shuffled:.2f`: here, too, almost any will do.
#
# ## Published, and ours

# %% tags=["remove-input"]
ours = {
    "validation accuracy": [c.full for c in cut["second layer"]],
    "largest singular value, second layer": [
        c.change_values[0] for c in cut["second layer"]
    ],
    "rank that restores the accuracy": [
        c.restoring_rank() for c in cut["second layer"]
    ],
}
if why_not:
    published.compare(
        dict.fromkeys(ours, ()), missing=dict.fromkeys(ours, why_not)
    )
else:
    published.compare(ours)

# %% [markdown]
# Accuracy and the largest singular value are close to the paper's, though
# sentences, words and learning differ. The rank is not. Ours is the
# smallest of those tried from which on the truncated change is within
# 0.01 of the full accuracy. It is 0 where the change is worth less than
# that, so it says little of the change. What the second layer did in the
# authors' network, with words that came with a meaning and did not
# change, we cannot tell.
#
# ## What we have, and what it does not show
#
# - The change of an LSTM's recurrent weights on a language task is led by
#   a few components, and where the change is needed, these are what is
#   needed.
# - In the layer that the paper shows, our network hardly needs its
#   change. That a truncated change "restores" the accuracy is evidence
#   only beside the accuracy at rank 0.
# - That the change needs the initial weights (S4.language), or bears
#   truncation better than the weights do (S7.weights), we do not find
#   here. Nor did the made language show it: that these two measurements
#   could come out in an LSTM at all is not shown on this page.
# - What would have refuted what we do find: a change whose ten leading
#   components hold less than half of its squared norm (S7.spectrum); a
#   first layer whose twenty leading components do not suffice, or whose
#   others suffice as well (S7.first-layer); the same for the made
#   language (S7.order).
# - A few networks, all of one size and at one learning rate, do not tell
#   what width or slow learning would do.
#
# ## Exercises
#
# ::::{exercise}
# :label: no-recurrence
# Take the recurrent weights of *both* layers away. How much can the first
# network still do? (`network.with_recurrent(matrix, layer)` is a copy of
# it with another recurrent matrix; `training`, `report` and
# `sentiment_accuracy` are in the cells above.)
# ::::

# %% [markdown]
# ::::{solution-start} no-recurrence
# :class: dropdown
# ::::

# %%
nothing = torch.zeros_like(training.best[0])
without = training.network.with_recurrent(nothing, 0)
without = without.with_recurrent(nothing, 1)
for name, network in (
    ("as trained", training.network),
    ("without, in both", without),
):
    print(f"{name}: {sentiment_accuracy(network, report):.3f}")

# %% [markdown]
# Less than without those of one layer, but still better than guessing
# (0.5). A network that was *trained* without them may well do better,
# since this one never had to do without. We have not tried.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: words-in-any-order
# How much does the order of words matter? Shuffle the words of each
# sentence, and measure the first network's accuracy again. (The first
# `report.length[i]` entries of `report.words[i]` are the words of
# sentence `i`, the others only fill up its row.)
# ::::

# %% [markdown]
# ::::{solution-start} words-in-any-order
# :class: dropdown
# ::::

# %%
generator = torch.Generator().manual_seed(seed)
mixed = report.words.clone()
for words, n in zip(mixed, report.length, strict=True):
    words[:n] = words[torch.randperm(int(n), generator=generator)]
jumbled = report._replace(words=mixed)
print(f"in order:   {sentiment_accuracy(training.network, report):.3f}")
print(f"any order:  {sentiment_accuracy(training.network, jumbled):.3f}")

# %% [markdown]
# The network loses a few points. Most of what it goes by is which words
# there are.
#
# ::::{solution-end}
# ::::
