# ---
# jupytext:
#   text_representation:
#     extension: .py
#     format_name: percent
# kernelspec:
#   display_name: Python 3
#   language: python
#   name: python3
# ---

# %% [markdown]
# # The weight tensor
#
# A recurrent network of $N$ units has $N \times N$ weights. While it
# learns, they change: after trial $k$ they are $W_k$. Put the matrices of
# all $K$ trials behind one another, and you have a box of numbers, a
# **tensor** of $K \times N \times N$.
#
# How complicated is that box? {cite:t}`pellegrino2023` claim that in
# networks that learn a motor task, and in the brain as far as it can be
# inferred, it is simple: it has **low tensor rank**. This chapter
# explains what that means on a toy small enough to see. It serves claim
# **P3** by testing the instrument with which the [next
# chapter](02_relearning_to_reach.py) measures: if the CP decomposition
# could not find a structure that we planted, or found one that is not
# there, its verdict on a trained network would be worth nothing. The toy
# and its thresholds are ours.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

import ltr_core as ltr
from ltr_core import Chapter, charts, nulls

chapter = Chapter("01_weight_tensor", scale=scale, seed=seed)
n_toys = chapter.at_scale(smoke=2, book=5, paper=20)
print(f"scale {scale}, seed {seed}: {n_toys} toy tensors")

# %% [markdown]
# ## The claims, before the results

# %% tags=["remove-input"]
recovery = chapter.claim(
    "P3.instrument",
    statement="CP decomposition finds the components that made a weight "
    "tensor, in spite of noise and of trial factors that look "
    "alike.",
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
    statement="The tensor's rank tells a fixed subspace from one that "
    "moves, even where every single matrix has the same rank.",
    source="the companion's own check of the instrument",
    criterion="A tensor whose matrices all have rank 3 in one subspace "
    "is explained to at least 99 % by three components. One "
    "whose matrices have the same singular values, but in a "
    "subspace drawn anew after each trial, must not pass.",
    expression="min(fit) >= 0.99",
)

# %% [markdown]
# ## A tensor made of three components
#
# The simplest change of a weight matrix is an outer product
# $\mathbf a\,\mathbf b^\top$: the units in the pattern $\mathbf b$ talk
# more to the units in the pattern $\mathbf a$. Let such a change come and
# go over trials with a strength $c_k$. Then the weights of trial $k$,
# unit $i$ and unit $j$ are a product of three numbers, $c_k\,a_i\,b_j$.
# That is a **component**, a tensor of rank one. The **tensor rank**, or
# CP rank, is the least number of components whose sum is the tensor
# {cite}`kolda2009`:
#
# ```{math}
# :label: cp
# W_k = \sum_{r=1}^{R} c_{kr}\; \mathbf a_r \mathbf b_r^\top .
# ```
#
# - The **trial factor** $c_{kr}$ says *when*: how strong component $r$ is
#   in trial $k$.
# - The **column factor** $\mathbf a_r$ says *where to*: which units
#   receive its input.
# - The **row factor** $\mathbf b_r$ says *where from*: which pattern of
#   activity it reads.
#
# Our toy has three. The first is learned early and stays; the second
# comes with a perturbation and goes; the third drifts all along.

# %%
rng = np.random.default_rng(seed)
n_units, n_trials = 14, 60
trial = np.arange(1, n_trials + 1)
step = np.stack(
    [
        1 / (1 + np.exp(-(trial - 12) / 3)),  # learned early, and kept
        1 / (1 + np.exp(-(trial - 25) / 2))
        - 1 / (1 + np.exp(-(trial - 45) / 2)),  # comes and goes
        trial / n_trials - 0.5,  # drifts
    ],
    axis=1,
)
post, pre = rng.normal(size=(2, n_units, 3))

# %% tags=["hide-input"]
charts.show(
    charts.tensor_explorer(step, post, pre),
    name="explorer",
    caption="A weight tensor of rank three. Move the sliders (under the "
    "chart): *trial* shows the weights of that trial; *rank* keeps "
    "only the first components. With rank 1, every trial shows the "
    "same plaid pattern, stronger or weaker; each further component "
    "adds a pattern with a course of its own.",
    alt="A heat map of the 14 by 14 weights of one trial, and three "
    "trial factors as curves with a line at that trial. Two sliders "
    "choose the trial and the number of components.",
)

# %% [markdown]
# Three things to try in {numref}`fig-explorer`. At rank 1, move through
# the trials: the pattern never changes, only its strength. At rank 2,
# compare trials 20, 35 and 55: a second plaid is laid over the first and
# taken away again. At rank 3, go to trial 30, where the drift passes
# through zero: there the third component is invisible, and no single
# matrix could tell you that it exists.
#
# ## Low tensor rank is more than low matrix rank
#
# Every slice of this tensor is a matrix of rank three at most. The
# reverse is false, and this is the point of the whole book: a network may
# change by matrices of rank three after each trial, and yet by
# *different* ones. Then no three components will do. Take the toy's
# slices and give each the same singular values in new, random directions:


# %%
def toy(rng, n_units=30):
    """A tensor of three components, with patterns drawn at random."""
    return np.einsum(
        "kr,ir,jr->kij", step, *rng.normal(size=(2, n_units, 3))
    )


def moved(tensor, rng):
    """The same tensor, each slice turned into a subspace of its own."""
    return np.stack([nulls.turned(matrix, rng) for matrix in tensor])


toys = [toy(np.random.default_rng([seed, i])) for i in range(n_toys)]
moving = [moved(tensor, rng) for tensor in toys]
ranks = (1, 2, 3, 4, 6, 8, 12)
curves = {
    "fixed subspace": np.array(
        [ltr.rank_curve(t, ranks, (0,)).fit[:, 0] for t in toys]
    ),
    "moving subspace": np.array(
        [ltr.rank_curve(t, ranks, (0,)).fit[:, 0] for t in moving]
    ),
    "each slice by itself": np.array(
        [
            [nulls.slice_truncation_energy(t, rank) for rank in ranks]
            for t in moving
        ]
    ),
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
    caption=f"CP fit against rank (mean and range of {n_toys} toys). "
    "Both tensors have slices with the same singular values, "
    "which a truncation of each slice by itself recovers at "
    "rank 3 (third curve). Only the one with a fixed subspace "
    "is low tensor rank.",
    alt="Fit against rank. The fixed subspace reaches 100 percent at "
    "rank 3, and so do slices taken one by one; the moving subspace "
    "stays far below even at rank 12.",
)

# %% tags=["hide-input"]
three = ranks.index(3)
row = fixed.judge(
    {"fit": curves["fixed subspace"][:, three]},
    {"moving subspace": {"fit": curves["moving subspace"][:, three]}},
)
glue(
    "moving-at-three",
    100 * row["control"]["moving subspace"]["fit"]["mean"],
    display=False,
)

# %% [markdown]
# With a moving subspace, three components explain
# {glue:text}`moving-at-three:.0f` % of the tensor. So a small tensor rank
# carries a message that the ranks of single matrices do not: **learning
# stays in one small subspace**, and what changes from trial to trial is
# only how strongly each direction is used.
#
# ## Finding the components
#
# A matrix can be factored in endless ways: any rotation of the factors
# gives the same product. Three axes change that. Under mild conditions
# the components of a tensor are **unique**, up to their order and scale
# {cite}`kruskal1977`, and so they can be *found*. We hide the toys'
# components in noise that makes up a quarter of the squared norm, give
# them trial factors that are much alike (cosine 0.9), and decompose:


# %%
def noisy(rng, n_trials=60, n_units=40, cosine=0.9, noise=0.25):
    """Three components with similar trial factors, and with noise."""
    common, *own = np.linalg.qr(rng.normal(size=(n_trials, 4)))[0].T
    similar = np.sqrt(cosine) * common[:, None] + np.sqrt(
        1 - cosine
    ) * np.stack(own, axis=1)
    tensor = np.einsum(
        "kr,ir,jr->kij", similar, *rng.normal(size=(2, n_units, 3))
    )
    error = rng.normal(size=tensor.shape)
    error *= (
        np.sqrt(noise / (1 - noise))
        * np.linalg.norm(tensor)
        / np.linalg.norm(error)
    )
    return tensor, tensor + error


pairs = [noisy(np.random.default_rng([seed, i])) for i in range(n_toys)]
truths = [ltr.cp(tensor, 3, seed=seed) for tensor, _ in pairs]
found = [ltr.cp(data, 3, seed=seed) for _, data in pairs]
disordered = [
    ltr.cp(rng.permutation(data.ravel()).reshape(data.shape), 3)
    for _, data in pairs
]

# %% tags=["hide-input"]
row = recovery.judge(
    {
        "match": [
            ltr.factor_match(a, b)
            for a, b in zip(truths, found, strict=True)
        ]
    },
    {
        "same numbers in random order": {
            "match": [
                ltr.factor_match(a, b)
                for a, b in zip(truths, disordered, strict=True)
            ]
        }
    },
)
glue("match", row["measured"]["match"]["mean"], display=False)

# %% [markdown]
# The match with the truth is {glue:text}`match:.4f` on average (1 would
# be perfect: the mean over components of the product of the cosines
# between true and found factors along the three axes).
#
# How is it done? Not by decomposing the whole tensor. A
# $K \times N \times N$ tensor of low rank lives in small subspaces along
# each of its axes; we find them first
# {cite}`delathauwer2000,vannieuwenhoven2012`, express the tensor in them,
# which leaves a *core* of a few numbers along each axis, and let TensorLy
# {cite}`kossaifi2019` decompose the core from several random starts. This
# is far faster than decomposing the tensor as it is, at the same fit; how
# much, `make bench` measures on your machine.
#
# ## What would have refuted the instrument
#
# A match well below one on tensors that we built, or a high fit of three
# components to the moving subspace. Neither would have said anything
# about brains, only that we had better not measure them this way.
#
# ## Exercises
#
# ::::{exercise}
# :label: counting-numbers
# How many numbers does a tensor of rank $R$ have, against $K N^2$ of a
# full one? What does rank 5 save for 250 trials and 100 units?
# ::::

# %% [markdown]
# ::::{solution-start} counting-numbers
# :class: dropdown
# ::::

# %%
K, N, R = 250, 100, 5
print(
    f"rank {R}: {R * (K + 2 * N)} numbers; full: {K * N**2}; 1 in "
    f"{K * N**2 / (R * (K + 2 * N)):.0f}"
)

# %% [markdown]
# $R\,(K + 2N)$, of which $2R$ are only scale. The saving grows with
# $N^2$.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: growing-along-itself
# Let a change grow along itself: $W_k = c_k M$ with a *full-rank* $M$.
# What are its ranks along the three axes? What is its CP rank?
# ::::

# %% [markdown]
# ::::{solution-start} growing-along-itself
# :class: dropdown
# ::::

# %%
grown = step[:, :1, None] * rng.normal(size=(8, 8))
print(
    "ranks along trials, receiving and sending units:",
    ltr.mode_ranks(grown),
)
for rank in (7, 8):
    print(f"CP fit at rank {rank}: {ltr.cp(grown, rank).fit:.6f}")

# %% [markdown]
# One along trials; along the units, and as a tensor, the rank of $M$. So
# tensor rank *contains* matrix rank, and a change that only grows along
# itself says nothing new over trials. The next chapter calls it the
# matrix-rank null, and tests against it.
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
twins = step[:, [0, 0, 1]]
tied = np.einsum("kr,ir,jr->kij", twins, *rng.normal(size=(2, 30, 3)))
starts = ltr.rank_curve(tied, ranks=(3,), seeds=(0, 1, 2))
print("fits from three random starts: ", np.round(starts.fit[0], 6))
print("factor match between them:     ", np.round(starts.match[0], 3))

# %% [markdown]
# The fits are perfect, the components are not the same. Two components
# with one trial factor are a *matrix* of rank two, which can be factored
# in endless ways; only the third is unique, and the plane that the two
# share. When trial factors are nearly alike, single components must be
# read with care.
#
# ::::{solution-end}
# ::::
