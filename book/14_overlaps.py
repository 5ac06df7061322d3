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
# # Learning as a low-dimensional flow
#
# The [last chapter](06_bounds.py) confined learning to a small space that
# can be told beforehand. There is a case in which one can say more: not
# only *where* learning happens, but *how*, in a closed set of equations
# that do not know how many units there are. What learns is then no longer
# a matrix of thousands of weights but ten or twenty numbers, and learning
# is a curve in their space. It is low-tensor-rank learning, which
# {cite:t}`pellegrino2023` derive from low-dimensional tasks (claim
# **P5**), in its plainest form.
#
# The idea is that of {cite:t}`ger2026`, from whose abstract we take it
# (their text was not at hand): follow the *overlaps* of the network's
# vectors, their scalar products, in place of its weights. What follows,
# statements and proofs, thresholds and tasks, is derived and chosen here.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
from functools import cache

import numpy as np
import torch
from myst_nb import glue

from ltr_core import Chapter, charts, mode_ranks, simulate, theory

chapter = Chapter("14_overlaps", scale=scale, seed=seed)
print(f"{scale} scale, seed {seed}")

# %% [markdown]
# ## The claims, before the results
#
# The words of the claims are explained in the sections below.
#
# The criteria were committed before any network of this seed learned,
# with thresholds from pilots at other seeds. In a pilot one hidden piece
# shared by all left vectors changed too little for P5.invisible; each
# left vector has had a piece of its own since. After the first run at
# this seed, which stopped there with overlaps that no network can have,
# one change of $\mathbf m{\cdot}\mathbf b$ was made smaller, in a
# comparison that no verdict uses. No threshold was touched.

# %% tags=["remove-input"]
OVERLAPS = (
    "the companion's own check of the theorem below, whose idea is "
    "that of Ger & Barak 2026"
)
overlaps_claim = chapter.claim(
    "P5.overlaps",
    statement="Learning of a linear network of low rank is a map of its "
    "overlaps into themselves, and for small steps a flow.",
    source=OVERLAPS,
    criterion="For rank one and two, every start, and networks of 50 "
    "and 200 units: the overlaps of the network that learned differ "
    "from those of the map by at most 1e-8 at every step. The map "
    "differs from the flow by at most a tenth of the way that the "
    "overlaps go, and with steps twice as long by at least 1.8 times "
    "as much. The map with the invisible overlaps frozen, and networks "
    "that are not linear, must not pass.",
    expression="max(map) <= 1e-8 and max(flow) <= 0.1 "
    "and min(doubled) >= 1.8",
)

# %% tags=["remove-input"]
invisible_claim = chapter.claim(
    "P5.invisible",
    statement="Networks that do the same, but differ in overlaps that "
    "the loss cannot see, learn differently.",
    source=OVERLAPS,
    criterion="For rank one and two and every start, lengthening the "
    "left vectors in a hidden direction changes the first loss by at "
    "most 1e-10 of itself, and the loss at some step by at least a "
    "tenth of the first. A network of other neurons with all overlaps "
    "the same must not pass.",
    expression="max(start) <= 1e-10 and min(apart) >= 0.1",
)

# %% [markdown]
# ## Overlaps
#
# The network is that of the last chapter, {eq}`bounds-network`, with
# linear units: the state $\mathbf x_{t+1} = (1-h)\,\mathbf x_t + h\,(W
# \mathbf x_t + B\,\mathbf u_t)$, the output $\mathbf y_t = C\,\mathbf
# x_t$, and $h$ the time step over the time constant. Take one whose
# weights are of rank $R$ and are given by their *left* and *right
# vectors*, the columns of $\mathbf m$ and $\mathbf n$ (both
# $N \times R$). Let it learn by descending the loss in these vectors,
# with $\mathbf b$ ($N \times p$) and $\mathbf c$ ($N \times q$) held
# fixed:
#
# ```{math}
# :label: overlaps-network
# W = \tfrac1N\, \mathbf m\, \mathbf n^\top, \qquad B = \mathbf b,
# \qquad C = \tfrac1N\, \mathbf c^\top .
# ```
#
# Put all vectors side by side, $Z = [\mathbf m, \mathbf n, \mathbf b,
# \mathbf c]$, with $k = 2R + p + q$ columns. The **overlaps** are their
# scalar products over the number of units, the symmetric matrix
# $O = Z^\top Z/N$; we write $\mathbf n{\cdot}\mathbf m =
# \mathbf n^\top\mathbf m/N$ for the part of it that belongs to
# $\mathbf n$ and $\mathbf m$, and so on. With entries of order 1 all
# overlaps are at most of order 1, whatever $N$ is. Below, $s$
# counts steps of learning and $t$ steps of time within a trial.
#
# ```{prf:proposition} Visible overlaps
# :label: overlaps-visible
# From $\mathbf x_0 = 0$, the output of the network
# {eq}`overlaps-network`, and so every loss, depends on its vectors only
# through $\mathbf n{\cdot}\mathbf m$, $\mathbf n{\cdot}\mathbf b$,
# $\mathbf c{\cdot}\mathbf m$ and $\mathbf c{\cdot}\mathbf b$.
# ```
#
# ```{prf:proof}
# Claim: $\mathbf x_t = \mathbf m\,\boldsymbol\kappa_t + \mathbf b\,
# \mathbf v_t$, with $\boldsymbol\kappa_0 = 0$, $\mathbf v_0 = 0$ and
#
# $$
# \begin{aligned}
# \boldsymbol\kappa_{t+1} &= (1-h)\,\boldsymbol\kappa_t + h\,\bigl(
# (\mathbf n{\cdot}\mathbf m)\,\boldsymbol\kappa_t +
# (\mathbf n{\cdot}\mathbf b)\,\mathbf v_t\bigr), \\
# \mathbf v_{t+1} &= (1-h)\,\mathbf v_t + h\,\mathbf u_t .
# \end{aligned}
# $$
#
# It holds at $t = 0$. If it holds at $t$, then $W\mathbf x_t =
# \mathbf m\,\mathbf n^\top(\mathbf m\boldsymbol\kappa_t +
# \mathbf b\mathbf v_t)/N = \mathbf m\,\bigl(
# (\mathbf n{\cdot}\mathbf m)\boldsymbol\kappa_t +
# (\mathbf n{\cdot}\mathbf b)\mathbf v_t\bigr)$, and {eq}`bounds-network`
# gives $\mathbf x_{t+1} = \mathbf m\boldsymbol\kappa_{t+1} +
# \mathbf b\mathbf v_{t+1}$. The output is $\mathbf y_t =
# (\mathbf c{\cdot}\mathbf m)\,\boldsymbol\kappa_t +
# (\mathbf c{\cdot}\mathbf b)\,\mathbf v_t$. Nothing but the four is
# left.
# ```
#
# These four are the *visible* overlaps. The others, the squared lengths
# $\mathbf m{\cdot}\mathbf m$ and $\mathbf n{\cdot}\mathbf n$ (for $R > 1$
# with the scalar products among left and among right vectors), and
# $\mathbf m{\cdot}\mathbf b$, $\mathbf n{\cdot}\mathbf c$,
# $\mathbf b{\cdot}\mathbf b$ and $\mathbf c{\cdot}\mathbf c$, are
# *invisible*: no loss depends on them, however long we look. But learning
# does.
#
# ```{margin}
# As $\mathbf b$ and $\mathbf c$ are held fixed, learning does not change
# their overlaps with themselves and with each other.
# ```
#
# ```{prf:theorem} Learning is closed in overlaps
# :label: overlaps-closure
# Let $\mathbf m$ and $\mathbf n$ descend any differentiable loss from
# $\mathbf x_0 = 0$, with learning rate $\eta N$. Then there is a
# $k \times k$ matrix $K_s$ that depends, for a given loss and given
# inputs, on the *visible* overlaps of step $s$ alone, such that, exactly,
#
# $$
# Z_{s+1} = Z_s\,(1 - \eta K_s), \qquad
# O_{s+1} = (1 - \eta K_s)^\top\, O_s\, (1 - \eta K_s) .
# $$
#
# 1. *Size does not matter.* Networks of any two sizes with the same
#    $O_0$ have the same overlaps and the same loss at every step. If the
#    derivatives of the loss are locally Lipschitz, then for $\eta \to 0$
#    and $\eta s \to \tau$ (a time of learning) they follow the flow
#    $\mathrm dO/\mathrm d\tau = -(K^\top O + O K)$ of at most
#    $k(k+1)/2$ numbers, for as long as it exists.
# 2. *Low tensor rank.* $\Delta W_s = W_s - W_0 = Z_0 A_s Z_0^\top$ with
#    matrices $A_s$ of $k \times k$. So the tensor of $S$ steps ×
#    receiving × sending units has mode ranks of at most $\min(S, k^2)$,
#    $k$ and $k$, and a CP rank of at most $k^2$.
# ```
#
# ```{prf:proof}
# By {prf:ref}`overlaps-visible` the loss is a function of the visible
# overlaps. (The recursion of its proof makes sense for any four matrices
# of these shapes, and the outputs are polynomials in their entries, so
# the loss can be differentiated by each.) Let $A'$, $D'$ and $E'$ be its
# derivatives by $\mathbf n{\cdot}\mathbf m$,
# $\mathbf n{\cdot}\mathbf b$ and $\mathbf c{\cdot}\mathbf m$, of the
# same shapes as these; they, too, are functions of the visible overlaps.
# As $\mathrm d(\mathbf n{\cdot}\mathbf m) = (\mathbf n^\top\,
# \mathrm d\mathbf m + \mathrm d\mathbf n^\top\,\mathbf m)/N$, and
# likewise for the others, the chain rule gives
#
# $$
# \frac{\partial L}{\partial \mathbf m} = \tfrac1N(\mathbf n A' +
# \mathbf c E'), \qquad
# \frac{\partial L}{\partial \mathbf n} = \tfrac1N(\mathbf m A'^\top +
# \mathbf b D'^\top) .
# $$
#
# Both are combinations of the columns of $Z$. The learning rate $\eta N$
# cancels the $1/N$, so a step is $Z \to Z(1 - \eta K)$ with
#
# $$
# K = \begin{pmatrix}
# 0 & A'^\top & 0 & 0 \\ A' & 0 & 0 & 0 \\
# 0 & D'^\top & 0 & 0 \\ E' & 0 & 0 & 0
# \end{pmatrix},
# $$
#
# rows and columns in the order of $\mathbf m, \mathbf n, \mathbf b,
# \mathbf c$. Then $O_{s+1} = Z_{s+1}^\top Z_{s+1}/N$ is as stated. The
# right-hand side contains $O_s$ and nothing else of the network, hence
# the first half of 1. The steps of $Z$ are Euler steps of
# $\mathrm dZ/\mathrm d\tau = -ZK$, where $K$ is a function of
# $Z^\top Z/N$. If that is locally Lipschitz, they converge to its
# solution for as long as there is one, and $Z^\top Z/N$ then obeys the
# flow by the product rule.
#
# For 2, $Z_s = Z_0 T_s$ with $T_s = (1 - \eta K_0)(1 - \eta K_1) \cdots
# (1 - \eta K_{s-1})$. Let $J$ be the $k \times k$ matrix with $1/N$ times
# the identity in the rows of $\mathbf m$ and the columns of $\mathbf n$,
# and zero elsewhere. Then $W_s = Z_s J Z_s^\top$, and so
# $A_s = T_s J T_s^\top - J$. The stack of all $\Delta W_s$ is thus the
# stack of all $A_s$, a tensor of $S \times k \times k$ numbers,
# multiplied by $Z_0$ along two axes, which cannot raise a rank. The $A_s$
# have mode ranks of at most $\min(S, k^2)$, $k$ and $k$; and a tensor
# with slices of $k \times k$ is the sum of $k^2$ terms of rank one, one
# for each entry of a slice.
# ```
#
# The proof shows what the invisible overlaps do. For rank one, to first
# order in $\eta$,
#
# ```{math}
# :label: overlaps-speed
# \mathbf n{\cdot}\mathbf m \to \mathbf n{\cdot}\mathbf m - \eta\,\bigl[
# A'\,(\mathbf m{\cdot}\mathbf m + \mathbf n{\cdot}\mathbf n) +
# D'\,\mathbf m{\cdot}\mathbf b + E'\,\mathbf n{\cdot}\mathbf c \bigr] .
# ```
#
# What would help is told by the visible overlaps ($A'$, $D'$, $E'$).
# *What is done* depends on the invisible ones as well: they act as
# learning rates, and learn themselves.
#
# ### Two tasks for one pulse
#
# We try it on two tasks, with the squared error as the loss. Both begin
# with a pulse of area 1, in the first time step. A network without
# recurrent weights forgets it as $e^{-t}$, with time in units of the
# time constant. A network of rank one is to hold it for longer,
# $e^{-t/4} - e^{-t}$: this takes $\mathbf n{\cdot}\mathbf m$ near
# $3/4$, so that the leak of $1$ is cut to a quarter. One of rank two is
# to answer with an oscillation, $e^{-t/4}\sin(2\pi t/5)$, which takes a
# pair of complex eigenvalues, and so rank two. We draw the first overlaps
# at random, three *starts* for each rank, but let the network hear the
# pulse and be heard, $\mathbf n{\cdot}\mathbf b = \mathbf c
# {\cdot}\mathbf m = 0.4$ (every entry, for rank two),
# and through the loop only,
# $\mathbf c{\cdot}\mathbf b = 0$. Then there are three ways to go: the
# flow, integrated; the map of the theorem; and networks with these
# overlaps, trained by backpropagation through time, which knows nothing
# of overlaps. The figures show networks of 50 and of 500 units, the claim
# is checked with 50 and 200.

# %%
pulse_sizes = chapter.at_scale(
    smoke={"starts": 2, "steps": 40, "large": 100},
    book={"starts": 3, "steps": 300, "large": 500},
    paper={"starts": 3, "steps": 300, "large": 500},
)
pulse_rates = {1: 0.1, 2: 0.4}  # the learning rate of each rank


def pulse(rank, which=0):
    """The problem of this rank, with one of the starts."""
    return theory.pulse_problem(rank, seed=100 * seed + which)


def learn_pulse(descent, start, one, rank, *, longer=1, **options):
    """Learn from a start; with steps `longer` times as long, fewer."""
    return descent(
        start,
        one.inputs,
        one.targets,
        dt=one.dt,
        n_steps=pulse_sizes["steps"] // longer,
        learning_rate=pulse_rates[rank] * longer,
        **options,
    )


def with_units(one, n_units):
    """A network of that many units with the overlaps of the start."""
    return theory.network_with_overlaps(
        one.start, n_units, seed=[seed, n_units]
    )


@cache
def trained(rank, which, n_units):
    """Such a network that learned."""
    one = pulse(rank, which)
    network = with_units(one, n_units)
    return learn_pulse(theory.descend_low_rank, network, one, rank)


@cache
def flow_of(rank, which=0):
    """The flow at the times of all steps."""
    one = pulse(rank, which)
    times = pulse_rates[rank] * np.arange(pulse_sizes["steps"] + 1)
    flow = theory.overlap_flow(
        one.start,
        one.inputs,
        one.targets,
        dt=one.dt,
        times=times,
        tolerance=1e-6,
    )
    return times, flow.overlaps


# %% tags=["hide-input"]
def overlap_courses(rank):
    """The flow as lines, networks that learn as dots."""
    one = pulse(rank)
    times, flow = flow_of(rank)
    dots = {}
    for n_units in (50, pulse_sizes["large"]):
        found = trained(rank, 0, n_units)
        dots[f"N = {n_units}"] = theory.by_kind(one.start, found.overlaps)
    return charts.courses(
        theory.by_kind(one.start, flow),
        dots,
        times,
        x_title="learning rate × steps",
        y_title="overlap",
    )


charts.show(
    overlap_courses(1),
    name="overlaps-rank-one",
    caption="Rank one: the overlaps while the network learns to hold a "
    "pulse, for the first start. Lines: the flow. Circles and squares: "
    "networks of two sizes (N units) trained by backpropagation through "
    "time, each drawn at some of its steps. Left: what the loss depends "
    "on; right: what it does not. m and n are the left and right vector, "
    "b the input, c the readout; overlaps of b and c alone do not change "
    "and are left out. The horizontal axis is the τ of the theorem.",
    alt="Two panels of curves over learning, three visible and four "
    "invisible overlaps. All rise at first; n·m rises most steeply, to "
    "nearly 0.9, and then falls a little. Circles and squares, the two "
    "network sizes, lie on the curves.",
)

# %% tags=["hide-input"]
charts.show(
    overlap_courses(2),
    name="overlaps-rank-two",
    caption="Rank two, learning to answer a pulse with an oscillation: "
    "lines, circles, squares and panels as before. There are several "
    "overlaps of each kind, in one colour, since there are two left and "
    "two right vectors.",
    alt="Two panels with eight visible and ten invisible overlaps over "
    "learning. Of the four overlaps n·m one falls below -1 and three "
    "rise. Circles and squares, the two network sizes, lie on the "
    "curves.",
)

# %% [markdown]
# The dots lie on the lines ({numref}`fig-overlaps-rank-one`,
# {numref}`fig-overlaps-rank-two`). By eye the two sizes cannot be told
# apart; now in numbers, and with two ways to be wrong. In the first the
# invisible overlaps are held where they began, as one might try who sees
# only what the loss sees. In the second the networks are not linear.


# %% tags=["hide-input"]
def farthest(one, other):
    """The largest difference."""
    return float((one - other).abs().max())


def held_against(fine, coarse, networks, flow):
    """How far a course is from networks that learned and the flow."""
    way = farthest(flow, flow[0])
    gap = farthest(fine, flow)
    return {
        "map": max(farthest(fine, network) for network in networks),
        "flow": gap / way,
        "doubled": farthest(coarse, flow[::2]) / gap,
    }


def check_overlaps(rank, which):
    """Measured, and the two that must not pass."""
    one = pulse(rank, which)
    _, flow = flow_of(rank, which)
    descend, through_map = (
        theory.descend_low_rank,
        theory.descend_overlaps,
    )
    networks = [trained(rank, which, n).overlaps for n in (50, 200)]
    bent = with_units(one, 50)._replace(nonlinearity="tanh")
    ways = {
        "measured": (through_map, one.start, {}),
        "frozen": (through_map, one.start, {"invisible": "frozen"}),
        "not linear": (descend, bent, {}),
    }
    found = {}
    for name, (descent, start, options) in ways.items():
        fine, coarse = (
            learn_pulse(
                descent, start, one, rank, longer=n, **options
            ).overlaps
            for n in (1, 2)
        )
        found[name] = held_against(fine, coarse, networks, flow)
    return found


def gathered(found, name):
    """The values of one name, over ranks and starts."""
    return {
        key: [cell[name][key] for cell in found] for key in found[0][name]
    }


pulse_grid = [
    (r, i) for r in (1, 2) for i in range(pulse_sizes["starts"])
]
pulse_cells = [check_overlaps(rank, which) for rank, which in pulse_grid]

# %% tags=["remove-input"]
row = overlaps_claim.judge(
    gathered(pulse_cells, "measured"),
    {
        "invisible overlaps frozen": gathered(pulse_cells, "frozen"),
        "networks with tanh": gathered(pulse_cells, "not linear"),
    },
)
overlaps_claim.prose_assumes(row, holds=True)
overlap_errors = gathered(pulse_cells, "measured")
glue("overlaps-map", f"{max(overlap_errors['map']):.0e}", display=False)
glue(
    "overlaps-flow",
    float(100 * max(overlap_errors["flow"])),
    display=False,
)
glue(
    "overlaps-doubled",
    float(np.mean(overlap_errors["doubled"])),
    display=False,
)
frozen = gathered(pulse_cells, "frozen")
glue(
    "overlaps-frozen", float(100 * np.mean(frozen["flow"])), display=False
)
curved = gathered(pulse_cells, "not linear")
glue("overlaps-bent", float(100 * np.mean(curved["flow"])), display=False)

# %% [markdown]
# The map follows the networks to rounding: no overlap of any network of
# 50 or 200 units, at any step, is further from it than
# {glue:text}`overlaps-map`. For the flow the measure is the *way* that
# the overlaps go, the largest distance of any of them from its start. The
# map is never further from the flow than {glue:text}`overlaps-flow:.1f` %
# of that, and with steps of twice the length
# {glue:text}`overlaps-doubled:.2f` times as far on average: Euler steps
# have an error in proportion to their length. Freeze the invisible
# overlaps, and the map misses the flow by
# {glue:text}`overlaps-frozen:.0f` % of the way on average; make the
# units nonlinear, and it is {glue:text}`overlaps-bent:.0f` %. The last
# is no surprise: what a nonlinear network does depends on more than
# scalar products of its vectors, and the theorem says nothing about it.
#
# ### Networks that do the same, and learn differently
#
# Now the other side of it. Lengthen every left vector by a piece of
# length $\sqrt N$ that is orthogonal to the other pieces and to all of
# $Z$: to $\mathbf m{\cdot}\mathbf m$ this adds the identity. The weights
# are others, and so is the activity of every neuron; but no visible
# overlap has changed. Or lengthen the right vectors, too, and let the new
# pieces of $\mathbf m$ overlap with the input (by 0.4), which the loss
# does not see either. Started at rest, the three networks cannot be told
# apart by their outputs, whatever the input.


# %%
def hidden(start, *, turned=0.0):
    """Longer left vectors; if turned, right ones too and other m·b."""
    more = torch.eye(start.rank)  # hidden directions, one for each vector
    start = start.with_block(
        "left", "left", start.block("left", "left") + more
    )
    if turned:
        start = start.with_block(
            "right", "right", start.block("right", "right") + more
        ).with_block(
            "left", "inward", start.block("left", "inward") + turned
        )
    return start


def same_output(one):
    """Starts that do the same."""
    return {
        "as drawn": one.start,
        "longer m": hidden(one.start),
        "longer, m·b changed": hidden(one.start, turned=0.4),
    }


# %% tags=["hide-input"]
held_pulse = pulse(1)
pulse_courses = {
    name: learn_pulse(
        theory.descend_low_rank,
        with_units(held_pulse._replace(start=start), 50),
        held_pulse,
        1,
    )
    for name, start in same_output(held_pulse).items()
}
gaps = pulse_courses["longer m"].loss - pulse_courses["as drawn"].loss
shown_after = int(gaps.abs().argmax())


def answers(step):
    """Output of every network after so many steps, and what is wanted."""
    shown = {
        name: simulate(
            course.at(step).as_rnn(),
            held_pulse.inputs[None],
            held_pulse.dt,
        ).output[0, :, :, 0]
        for name, course in pulse_courses.items()
    }
    return {
        name: values.numpy()
        for name, values in (
            shown | {"wanted": held_pulse.targets[..., 0]}
        ).items()
    }


answer_panels = {
    f"after {step} steps": answers(step) for step in (0, shown_after)
}
charts.show(
    charts.curve_panels(
        answer_panels,
        dict.fromkeys(answer_panels, held_pulse.time),
        x_title="time (time constants)",
        y_title="output",
        width=250,
        height=190,
    ),
    name="overlaps-equivalent",
    caption="Rank one: the answer to a pulse of three networks of 50 "
    "units with the same visible overlaps, before learning (where their "
    "lines lie on each other) and where the losses of the first two "
    "differ most. Output in arbitrary units; “wanted” is the target.",
    alt="Two panels, output against time. Left: one line for three "
    "networks, well below the wanted answer. Right: three different "
    "lines, of which that of the network as drawn is lowest.",
)

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        {
            name: (course.loss[::5] / course.loss[0])[None].numpy()
            for name, course in pulse_courses.items()
        },
        np.arange(0, pulse_sizes["steps"] + 1, 5),
        x_title="step",
        y_title="loss (share of the first)",
    ),
    name="overlaps-equivalent-loss",
    caption="The loss of the three networks, as a share of its first "
    "value; all learn with the same learning rate.",
    alt="Three curves of loss that begin at 1 and fall at different "
    "times, the network as drawn last.",
)

# %% [markdown]
# They begin with the same answer, and then part
# ({numref}`fig-overlaps-equivalent`). The network with a longer left
# vector learns sooner, as {eq}`overlaps-speed` lets one expect:
# $\mathbf m{\cdot}\mathbf m$ multiplies $A'$. The third, with a longer
# right vector and an overlap with the input as well, learns sooner still
# ({numref}`fig-overlaps-equivalent-loss`); which of the two does it, this
# does not tell. Is it the
# overlaps, and not just that these are other networks? A network of
# other neurons, four times as many, that has *all* overlaps in common
# with the first must learn as it does.


# %% tags=["hide-input"]
def check_invisible(rank, which):
    """How losses part: of equivalent networks, and of the same again."""
    one = pulse(rank, which)
    starts = same_output(one)
    first = trained(rank, which, 50).loss
    others = {
        name: learn_pulse(
            theory.descend_low_rank,
            with_units(one._replace(start=starts[name]), 50),
            one,
            rank,
        ).loss
        for name in list(starts)[1:]
    } | {"other neurons": trained(rank, which, 200).loss}
    return {
        name: {
            "start": farthest(other[0], first[0]) / float(first[0]),
            "apart": farthest(other, first) / float(first[0]),
        }
        for name, other in others.items()
    }


parted = [check_invisible(rank, which) for rank, which in pulse_grid]

# %% tags=["remove-input"]
row = invisible_claim.judge(
    gathered(parted, "longer m"),
    {"other neurons": gathered(parted, "other neurons")},
    {"m·b changed, too": gathered(parted, "longer, m·b changed")},
)
invisible_claim.prose_assumes(row, holds=False)
apart = np.array(gathered(parted, "longer m")["apart"])
glue("overlaps-apart", float(100 * apart.mean()), display=False)
glue("overlaps-apart-sd", float(100 * apart.std(ddof=1)), display=False)
same = max(gathered(parted, "other neurons")["apart"])
glue("overlaps-same", f"{same:.0e}", display=False)
slow_rank, slow_start = pulse_grid[int(apart.argmin())]
slow = pulse(slow_rank, slow_start)
plain, longer = (
    theory.descend_overlaps(
        start,
        slow.inputs,
        slow.targets,
        dt=slow.dt,
        n_steps=2 * pulse_sizes["steps"],
        learning_rate=pulse_rates[slow_rank],
    ).loss
    for start in (slow.start, hidden(slow.start))
)
left_over = float(100 * plain[pulse_sizes["steps"]] / plain[0])
glue("overlaps-least", float(100 * apart.min()), display=False)
glue("overlaps-left", left_over, display=False)
later = farthest(plain, longer) / float(plain[0])
glue("overlaps-later", 100 * later, display=False)

# %% [markdown]
# With longer left vectors the losses part by
# {glue:text}`overlaps-apart:.0f` ± {glue:text}`overlaps-apart-sd:.0f` %
# of the first loss, at the step where they differ most (mean and standard
# deviation over ranks and starts; before learning they are the same);
# with other neurons and the same overlaps by
# {glue:text}`overlaps-same` of it, which is rounding.
#
# And yet P5.invisible **does not hold** as we stated it. We had asked for
# a tenth at every start, and at one start of rank two it is
# {glue:text}`overlaps-least:.1f` %. This network is slow: when
# the steps were over it had {glue:text}`overlaps-left:.0f` % of its loss
# left, and the drop at which networks part was still to come. With twice
# the steps, which we tried afterwards and with the map alone, it is
# {glue:text}`overlaps-later:.0f` %. The criterion was there first, so it
# stays; what failed is our guess of how large the
# difference is by then, not that there is one.
#
# So two networks whose outputs, from rest, are the same for every input
# can be told apart by *how they learn*. And since learning moves the
# invisible overlaps as well (right panels of
# {numref}`fig-overlaps-rank-one` and {numref}`fig-overlaps-rank-two`),
# what a network learned before may shape what it learns next, even where
# its output no longer shows it. We did not test this last step;
# {cite:t}`ger2026` speak of a memory of the history of training.
#
# The second part of {prf:ref}`overlaps-closure` is checked at once. The
# change of the weights over all of learning, steps × receiving × sending
# units, should have mode ranks of at most $k = 2R + 2$ along the units,
# though there are 50. Mode ranks are printed in the order of these axes,
# and count singular values above $10^{-8}$ of the first; networks with
# tanh units, to which the theorem does not apply, are the control again.

# %%
for rank in (1, 2):
    curved = with_units(pulse(rank), 50)._replace(nonlinearity="tanh")
    ways = {
        "linear": trained(rank, 0, 50),
        "tanh": learn_pulse(
            theory.descend_low_rank, curved, pulse(rank), rank
        ),
    }
    for kind, course in ways.items():
        weights = course.left @ course.right.mT / 50
        change = (weights[1:] - weights[0]).numpy()
        print(
            f"R = {rank}, k = {2 * rank + 2}, {kind}: "
            f"mode ranks {mode_ranks(change, 1e-8)}"
        )

# %% [markdown]
# ## What would have refuted it
#
# One network, of any size, whose overlaps leave the map by more than
# rounding; or two with equal overlaps and different losses; or a change
# of the weights with more than $k$ dimensions along the units. Of
# P5.invisible, equal losses where invisible overlaps differ, or, as it
# came, losses that part by less than we had guessed. What the
# theorem does not cover: nonlinear units, a start with random weights of
# full rank, initial states other than zero (they would be further columns
# of $Z$, held fixed, and their overlaps with $\mathbf n$ and $\mathbf c$
# visible), and Adam, whose steps are no combinations of the
# columns of $Z$.

# %% [markdown]
# ## Exercises

# %% [markdown]
# ::::{exercise}
# :label: overlaps-conserved
# In {numref}`fig-overlaps-rank-one` the curves of
# $\mathbf m{\cdot}\mathbf m$ and $\mathbf n{\cdot}\mathbf n$ look alike.
# Show that the flow does not change $\mathbf m{\cdot}\mathbf m -
# \mathbf n{\cdot}\mathbf n$. (The form of $K$ does not suffice; use that
# the loss depends on $\mathbf m$ and $\mathbf n$ through $W$ alone. What
# are $\mathbf m^\top\,\partial L/\partial\mathbf m$ and
# $\mathbf n^\top\,\partial L/\partial\mathbf n$?) Check it for rank two,
# with `flow_of` from above. Do steps of finite length keep it, too? (Use
# `learn_pulse` with `theory.descend_overlaps`.)
# ::::

# %% [markdown]
# ::::{solution-start} overlaps-conserved
# :class: dropdown
# ::::

# %%
ringing = pulse(2)
places = ringing.start.places
m_place, n_place = places["left"], places["right"]


def moved(matrices):
    """Largest change of m·m - n·n."""
    kept = matrices[:, m_place, m_place] - matrices[:, n_place, n_place]
    return float((kept - kept[0]).abs().max())


print(f"flow: {moved(flow_of(2)[1]):.0e}")
for longer in (1, 2):
    course = learn_pulse(
        theory.descend_overlaps, ringing.start, ringing, 2, longer=longer
    ).overlaps
    rate = pulse_rates[2] * longer
    print(
        f"steps with a learning rate of {rate:.1f}: {moved(course):.4f}"
    )

# %% [markdown]
# With $G = \partial L/\partial W$ the chain rule gives
# $\partial L/\partial\mathbf m = G\mathbf n/N$ and
# $\partial L/\partial\mathbf n = G^\top\mathbf m/N$. So
# $\mathbf m^\top\,\partial L/\partial\mathbf m = \mathbf m^\top G\,
# \mathbf n/N$ is the transpose of $\mathbf n^\top\,\partial
# L/\partial\mathbf n$. The flow changes $\mathbf m^\top\mathbf m$ by
# $-N$ times the first and its transpose, $\mathbf n^\top\mathbf n$ by
# $-N$ times the second and its transpose: by the same. A step of length
# $\eta$ adds terms with $\eta^2$, which differ; over a given time there
# are $1/\eta$ steps, so the drift grows in proportion to $\eta$. Of the
# invisible overlaps, then, $R(R+1)/2$ combinations are not moved by the
# flow of any task: they are fixed by the start, and do not remember.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: overlaps-small-network
# Overlaps describe networks of low rank. But a linear network whose
# weights are free, and zero at the start, can be made small as well: by
# the theorem on the smallest invariant space of the [last
# chapter](06_bounds.py) it learns in the span of its inputs and its
# readout, if its states begin at zero. Which network of *four units*
# learns exactly as one of 200 units with two inputs and two outputs? Try
# it with `theory.random_problem`, `theory.equivalent_network` and
# `theory.descend`, with gradient descent and with Adam.
# ::::

# %% [markdown]
# ::::{solution-start} overlaps-small-network
# :class: dropdown
# ::::

# %%
large = theory.random_problem(seed, n_units=200)
small = theory.equivalent_network(large.network)
for name, options in {
    "gradient descent": {"learning_rate": 1.0},
    "Adam": {"learning_rate": 0.01, "optimiser": "adam"},
}.items():
    of_large, of_small = (
        theory.descend(
            network,
            large.inputs,
            large.targets,
            dt=large.dt,
            n_steps=50,
            **options,
        )
        for network in (large.network, small.network)
    )
    lifted = small.basis.numpy() @ of_small.change @ small.basis.numpy().T
    print(
        f"{name}: {small.network.n_units} units, losses differ by "
        f"{np.abs(of_large.loss - of_small.loss).max():.0e}, changes by "
        f"{np.abs(of_large.change - lifted).max():.0e}"
    )

# %% [markdown]
# With an orthonormal basis $P$ of the four vectors it is the network with
# weights $P^\top W P$, inputs $P^\top B$ and readout $CP$. The states and
# adjoints of the large network lie in the span of $P$, and those of the
# small one are $P^\top\mathbf x$ and so on. So outputs and loss are the
# same, the large gradient is $PGP^\top$ with $G$ the small one, and this
# remains so after every step of gradient descent. Adam divides each of
# the 40,000 entries of the large gradient by its own size, and each of
# the 16 of the small one by its own: that is another rule.
#
# ::::{solution-end}
# ::::
