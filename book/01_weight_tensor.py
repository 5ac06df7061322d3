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
# # The weight tensor
#
# A recurrent network of $N$ units has $N \times N$ weights. While it
# learns, they change: after trial $k$ they are $W_k$. Put the matrices of
# all $K$ trials behind one another, and you have a box of numbers, a
# **tensor** of size $K \times N \times N$.
#
# How complicated is that box? {cite:t}`pellegrino2023` claim that it is
# simple in networks that learn a motor task, and in the brain as far as
# it can be inferred: it has **low tensor rank**. This chapter explains
# what that means on a toy small enough to see. It serves claim **P3**
# (that a trained network's weights are low tensor rank; all claims are
# listed on the [first page](intro.md)) by testing the instrument with
# which the [next chapter](02_relearning_to_reach.py) measures. If the CP
# decomposition (the one into components that is explained below) could
# not find a structure that we planted, or found one that is not there,
# its verdict on a trained network would be worth nothing. The toys and
# all thresholds are ours.
#
# ```{margin}
# *CP* is short for canonical polyadic. The same decomposition is known as
# PARAFAC or CANDECOMP.
# ```

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

import ltr_core as ltr
from ltr_core import Chapter, charts, nulls, synthetic
from ltr_core.decomposition.held import slice_energies

chapter = Chapter("01_weight_tensor", scale=scale, seed=seed)
n_toys = chapter.at_scale(smoke=2, book=5, paper=20)
print(f"{scale} scale, seed {seed}: {n_toys} toy tensors")

# %% [markdown]
# ## The claims, before the results
#
# Each claim has a criterion, folded here and shown again with its result.
# Their words are explained on the way.

# %% tags=["remove-input"]
recovery = chapter.claim(
    "P3.instrument",
    statement="CP decomposition finds the components that made a weight "
    "tensor, in spite of noise and of trial factors that look alike.",
    source="the companion's own check of the instrument",
    criterion="On tensors of three known components with trial factors "
    "at cosine 0.9 and noise of a quarter of the squared "
    "norm, the factor match with the truth is at least 0.99 "
    "in every tensor. The same numbers in random order must "
    "not pass.",
    expression="min(match) >= 0.99",
)

# %% tags=["remove-input"]
fixed = chapter.claim(
    "P3.fixed-subspace",
    statement="The tensor's rank tells patterns that stay from patterns "
    "that move, even where every single matrix has the same rank.",
    source="the companion's own check of the instrument",
    criterion="A tensor of three components is explained to at least "
    "99 % by three components. One whose matrices have the "
    "same singular values, but in directions drawn anew after "
    "each trial, must not pass.",
    expression="min(fit) >= 0.99",
)

# %% [markdown]
# ## A tensor made of three components
#
# The simplest change of a weight matrix is an outer product
# $\mathbf a\,\mathbf b^\top$: the units in the pattern $\mathbf b$ talk
# more to the units in the pattern $\mathbf a$. Let such a change come and
# go over trials with a strength $c_k$. Then what trial $k$ adds to the
# weight from unit $j$ to unit $i$ is a product of three numbers,
# $c_k\,a_i\,b_j$. That is a **component**, a tensor of rank one. The
# **tensor rank**, or CP rank, is the least number of components whose sum
# is the tensor {cite}`kolda2009`:
#
# ```{math}
# :label: cp
# W_k = \sum_{r=1}^{R} c_{kr}\; \mathbf a_r \mathbf b_r^\top .
# ```
#
# In a real network, $W_k$ here stands for the change $W_k - W_0$ from the
# start, since random weights to start from have full rank
# ([the next chapter](02_relearning_to_reach.py)).
#
# - The **trial factor** $c_{kr}$ says *when*: how strong component $r$ is
#   in trial $k$. In the code this axis is called `step`.
# - The **column factor** $\mathbf a_r$ says *where to*: which units
#   receive its input. In the code: `post`, for postsynaptic.
# - The **row factor** $\mathbf b_r$ says *where from*: which pattern of
#   activity it reads. In the code: `pre`.
#
# Our toy has three. The first is learned early and stays; the second
# comes with a perturbation and goes; the third drifts all along.

# %%
rng = np.random.default_rng(seed)
n_units, n_trials = 14, 60
trial = np.arange(1, n_trials + 1)


def switch(at, width):
    """A smooth step from 0 to 1."""
    return 1 / (1 + np.exp(-(trial - at) / width))


early, perturbation = switch(12, 3), switch(25, 2) - switch(45, 2)
drift = trial / n_trials - 0.5
# trial factors: (trial, component)
step = np.stack([early, perturbation, drift], axis=1)
post, pre = rng.normal(size=(2, n_units, 3))

# %% tags=["hide-input"]
charts.show(
    charts.tensor_explorer(step, post, pre),
    name="explorer",
    caption="A weight tensor of rank three. Move the sliders (under the "
    "chart): *trial* shows the weights of that trial; *rank* "
    "keeps only the first components. With rank 1, every trial "
    "shows the same plaid pattern, stronger or weaker; each "
    "further component adds a pattern with a course of its own.",
    alt="A heat map of the 14 by 14 weights of one trial, and three "
    "trial factors as curves with a line at that trial. Two sliders "
    "choose the trial and the number of components.",
)

# %% [markdown]
# Three things to try in {numref}`fig-explorer`. At rank 1, move through
# the trials: the pattern never changes, only its strength. At rank 2,
# compare trials 20, 35 and 55: a second plaid is laid over the first and
# taken away again. At rank 3, go to trial 30, where the drift passes
# through zero: there the third component is invisible, and the matrix of
# that trial alone could not tell you that it exists.
#
# ## Low tensor rank is more than low matrix rank
#
# Every slice of this tensor is a matrix of rank three at most. But slices
# of low rank do not make a tensor of low rank, and this is the point of
# the whole book: a network may change by matrices of rank three after
# each trial, and yet in *different directions*. Then no three components
# will do.
#
# The **CP fit** at rank $R$ is the share of the tensor's squared norm
# that the best $R$ components found explain. Draw such toys anew, with 30
# units and the same trial factors, and give each slice the same singular
# values in new, random directions (third curve: each moving slice cut to
# rank $R$ by itself):


# %%
def toy(rng, n_units=30):
    """A tensor of three components, with patterns drawn at random."""
    return ltr.CP.of(
        step, *rng.normal(size=(2, n_units, 3))
    ).reconstruct()


def fits(tensors):
    """The CP fit of each tensor at each rank: (tensor, rank)."""
    return np.array([ltr.rank_curve(t, ranks).best_fit for t in tensors])


ranks = (1, 2, 3, 4, 6, 8, 12)
toys = [toy(np.random.default_rng([seed, i])) for i in range(n_toys)]
# each slice turned into directions of its own
moving = [nulls.turned_slices(tensor, rng) for tensor in toys]
curves = {
    "patterns that stay": fits(toys),
    "patterns that move": fits(moving),
    "moving, each slice by itself": slice_energies(moving, ranks),
}

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        {name: 100 * values for name, values in curves.items()},
        ranks,
        x_title="rank (number of components)",
        y_title="fit (% of the squared norm)",
        y_scale={"domain": [0, 100]},
    ),
    name="toy-rank-curves",
    caption="CP fit against rank (mean and range over toys). Both "
    "tensors have slices with the same singular values, which a "
    "truncation of each slice by itself recovers at rank 3 "
    "(third curve). Only the one whose patterns stay is low "
    "tensor rank.",
    alt="Fit against rank. With patterns that stay it reaches 100 "
    "percent at rank 3, and so it does for slices taken one by one; "
    "with patterns that move it is far below even at rank 12.",
)

# %% tags=["remove-input"]
three = ranks.index(3)
row = fixed.judge(
    {"fit": curves["patterns that stay"][:, three]},
    {
        "patterns that move": {
            "fit": curves["patterns that move"][:, three]
        }
    },
)
moved_fit = row["control"]["patterns that move"]["fit"]["mean"]
glue("moving-at-three", 100 * moved_fit, display=False)

# %% [markdown]
# With patterns that move, three components explain
# {glue:text}`moving-at-three:.0f` % of the tensor. So a small tensor rank
# carries a message that the ranks of single matrices do not: **learning
# stays in one small subspace**, and what changes from trial to trial is
# only how strongly each of a few patterns is used.
#
# One caution for later. A change may also grow *along itself*: one matrix
# $M$ that is switched on and off, $W_k = c_k M$. It stays in one subspace
# too, whatever it learns, and its tensor rank is just the rank of $M$. We
# call this the **matrix-rank null** ({ref}`growing-along-itself`), and
# the next chapter must ask how far its networks differ from it.
#
# ## Finding the components
#
# A matrix can be factored in endless ways: any invertible matrix can be
# slipped between its factors. Three axes change that. Under mild
# conditions the components of a tensor are **unique**, up to their order
# and scale {cite}`kruskal1977`, and so they can be *found*. We build new
# tensors whose trial factors are much alike (cosine 0.9), hide them in
# noise that makes up a quarter of the squared norm, and decompose. The
# **factor match** compares what is found with what was planted: for each
# component the product of the cosines along the three axes, averaged over
# components; 1 is perfect.


# %%
a_quarter = np.sqrt(0.25 / 0.75)  # of the squared norm, noise included


def matches(cosine, disorder=False):
    """The factor match of each toy."""
    found = []
    for i in range(n_toys):
        rng = np.random.default_rng([seed, i])
        truth = synthetic.planted(rng, (60, 40, 40), 3, cosine)
        data = synthetic.with_noise(truth.reconstruct(), rng, a_quarter)
        if disorder:
            data = rng.permutation(data.ravel()).reshape(data.shape)
        found.append(ltr.factor_match(truth, ltr.cp(data, 3, seed=seed)))
    return found


row = recovery.judge(
    {"match": matches(cosine=0.9)},
    {
        "same numbers in random order": {
            "match": matches(0.9, disorder=True)
        }
    },
)

# %% tags=["remove-input"]
glue("match", row["measured"]["match"]["mean"], display=False)

# %% [markdown]
# The match with the truth is {glue:text}`match:.4f` on average. Where
# does the instrument end? The more alike the trial factors, the harder it
# is to tell the components apart:

# %%
distances = np.array([0.5, 0.1, 0.01, 0.001, 0.0001])
by_distance = np.array([matches(1 - distance) for distance in distances])

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        {"three components": by_distance.T},
        distances,
        x_title="distance of the trial factors (1 - cosine)",
        y_title="factor match with the truth",
        x_scale={"type": "log"},
        y_scale={"domain": [0, 1]},
        height=200,
    ),
    name="match-cosine",
    caption="Factor match against the distance between trial factors, "
    "at noise of a quarter of the squared norm (mean and range "
    "over toys). To the left the trial factors are nearly "
    "parallel.",
    alt="Factor match against the distance of the trial factors, from "
    "0.0001 to 0.5: low where they are nearly parallel, near 1 "
    "elsewhere.",
)

# %% tags=["remove-input"]
for name, index in (("match-hard", 2), ("match-hardest", -1)):
    glue(name, float(by_distance[index].mean()), display=False)

# %% [markdown]
# At a cosine of 0.99 the match is {glue:text}`match-hard:.3f`, at 0.9999
# it is {glue:text}`match-hardest:.2f`. In the limit of equal trial
# factors single components are not determined at all
# ({ref}`same-trial-factor`). Keep this in mind when trial factors of
# trained networks look alike; and note that here the model is exact but
# for noise, which in a network it is not.
#
# ```{margin}
# To decompose the core is far faster than to decompose the tensor as it
# is, at the same fit; how much, `make bench` measures on your machine.
# ```
#
# How is it done? Not by decomposing the whole tensor. A tensor of low
# rank lives in small subspaces along each of its axes; we find them first
# {cite}`delathauwer2000,vannieuwenhoven2012`, express the tensor in them,
# which leaves a *core* of a few numbers along each axis, and let TensorLy
# {cite}`kossaifi2019` decompose the core from several starts.
#
# ## What would have refuted the instrument
#
# A match well below one on tensors that we built, or a high fit of three
# components to patterns that move. Neither would have said anything about
# brains, only that we had better not measure them this way.
#
# ## Exercises
#
# ::::{exercise}
# :label: counting-numbers
# How many numbers does a tensor of rank $R$ have, against $K N^2$ of a
# full one? What does rank 5 save for 250 trials and 100, 200, 400 units?
# ::::

# %% [markdown]
# ::::{solution-start} counting-numbers
# :class: dropdown
# ::::

# %%
K, R = 250, 5
for N in (100, 200, 400):
    low, full = R * (K + 2 * N), K * N**2
    print(f"{N} units: {low} numbers of {full}, 1 in {full / low:.0f}")

# %% [markdown]
# $R\,(K + 2N)$, of which $2R$ are only scale. The saving grows with $N^2$
# while there are few units against trials, and with $N$ when there are
# many.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: growing-along-itself
# Let a change grow along itself: $W_k = c_k M$, with an orthogonal $M$ of
# eight units. What are its ranks along the three axes? What is its CP fit
# at rank 4, and its CP rank?
# ::::

# %% [markdown]
# ::::{solution-start} growing-along-itself
# :class: dropdown
# ::::

# %%
M = np.linalg.qr(rng.normal(size=(8, 8)))[0]
grown = step[:, 0, None, None] * M
print("ranks along trials, receiving, sending:", ltr.mode_ranks(grown))
for rank in (4, 7, 8):
    print(f"CP fit at rank {rank}: {ltr.cp(grown, rank).fit:.3f}")

# %% [markdown]
# One along trials; along the units, and as a tensor, the rank of $M$,
# which is 8: each component holds an eighth. So tensor rank *contains*
# matrix rank, and a change that only grows along itself says nothing new
# over trials. This is the matrix-rank null of the next chapter.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: same-trial-factor
# Give two components the same trial factor. Are all three still found?
# ::::

# %% [markdown]
# ::::{solution-start} same-trial-factor
# :class: dropdown
# ::::

# %%
tied = ltr.CP.of(step[:, [0, 0, 1]], *rng.normal(size=(2, 30, 3)))
print("fits from three random starts, and cosines of the components:")
for found in ltr.rank_curve(tied.reconstruct(), (3,)).decompositions[0]:
    cosines = ltr.match_components(tied, found).cosines
    print(f"  {found.fit:.6f}  {np.round(np.sort(cosines), 2)}")

# %% [markdown]
# The fits are perfect, but only one component is found for certain. The
# two with one trial factor are a *matrix* of rank two, which can be
# factored in endless ways; what is determined is the plane of their
# receiving patterns and the plane of their sending patterns. When trial
# factors are nearly alike, single components must be read with care.
#
# ::::{solution-end}
# ::::
