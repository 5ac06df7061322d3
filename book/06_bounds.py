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
# # Why low tensor rank emerges
#
# Nothing asks a network that learns to change its weights in few
# directions: no term of the loss, no constraint on the weights. Yet in
# [every](02_relearning_to_reach.py) [network](03_three_tasks.py) of this
# book it does. Is that an accident of our tasks, or must it be so?
#
# {cite:t}`pellegrino2023` answer with mathematics: they bound the matrix
# and tensor rank of gradient descent, and conclude that low tensor rank
# follows from a low-dimensional task. This is claim **P5**. The idea
# fits in a sentence. *Gradient descent changes the weight from unit $j$
# to unit $i$ by what unit $j$ does times what is wrong at unit $i$; if
# activity and errors have few dimensions, so has the change.* This
# chapter turns the sentence into statements, proves them, and tries to
# break each of them with numbers.
#
# *What is the paper's and what is ours.* The claim is the paper's. Its
# full text was not at hand, so the statements below are **our own**, in
# its spirit: their number, their order and their proofs follow no page of
# it. The part on overlaps follows the idea of {cite:t}`ger2026`, of which
# we had the abstract, and is derived here from the beginning.
#
# You need matrices, their singular values and the chain rule. Each
# statement comes with a proof, a check by computer, and a control: a
# statement that is *slightly wrong* and must be caught by the same check.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

from ltr_core import Chapter, charts, theory

chapter = Chapter("06_bounds", scale=scale, seed=seed)
print(f"{scale} scale, seed {seed}")

# %% [markdown]
# ## The claims, before the results

# %% tags=["remove-input"]
OURS = "the companion's own statement, in the spirit of the paper"

# >>> claims A
# <<< claims A

# >>> claims B
# <<< claims B

# >>> claims C

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

# <<< claims C

# %% [markdown]
# ## The setting
#
# The network is the rate model of both papers, in steps of time as it is
# simulated. With $h = \mathrm dt/\tau$,
#
# ```{math}
# :label: bounds-network
# \begin{aligned}
# \mathbf x_{t+1} &= (1-h)\,\mathbf x_t
#   + h\,\bigl(W \phi(\mathbf x_t) + B\,\mathbf u_t\bigr), \\
# \mathbf y_t &= C\,\phi(\mathbf x_t),
# \end{aligned}
# ```
#
# with $N$ units, $p$ inputs $\mathbf u_t$ that enter through the columns
# of $B$, and $q$ outputs $\mathbf y_t$ that the rows of $C$ read out;
# $\phi$ is $\tanh$, or the identity (a *linear* network). The loss $L$
# may be *any* differentiable function of the outputs at all times of all
# trials. It is descended by changing $W$; the step sizes may vary, and
# there may be momentum:
#
# ```{math}
# :label: bounds-descent
# W_s = W_0 - \sum_{s' < s} c_{ss'}\, G_{s'},
# \qquad G_s = \left.\frac{\partial L}{\partial W}\right|_{W_s} .
# ```
#
# For plain descent $c_{ss'}$ is the step size of step $s'$; with momentum
# it is what has become of that gradient by step $s$. The quantity that
# this chapter is about is the **change** $\Delta W_s = W_s - W_0$,
# stacked over the steps $s = 1, \dots, S$ into a tensor of steps ×
# receiving units × sending units.
#
# Two matrices will appear everywhere. The **activity**
# $\Phi = [\dots, \phi(\mathbf x_t), \dots]$ has one column for each time
# of each trial. The **adjoint** $\Lambda = [\dots,
# \boldsymbol\lambda_{t+1}, \dots]$ has one, too: $\boldsymbol\lambda_t =
# \partial L / \partial \mathbf x_t$ says how the loss would change if the
# state at time $t$ were pushed a little. It is the *back-propagated
# error*, and it is computed from the end of a trial to its start. With
# $D_t = \operatorname{diag} \phi'(\mathbf x_t)$,
#
# ```{math}
# :label: bounds-adjoint
# \boldsymbol\lambda_t = D_t C^\top \frac{\partial L}{\partial
# \mathbf y_t} + (1-h)\,\boldsymbol\lambda_{t+1}
# + h\, D_t W^\top \boldsymbol\lambda_{t+1},
# \qquad \boldsymbol\lambda_{T+1} = 0 .
# ```
#
# The outputs' errors $\partial L/\partial\mathbf y_t$ enter through the
# columns of $C^\top$ and are sent backwards through $W^\top$, just as the
# inputs enter through the columns of $B$ and are sent forwards through
# $W$. Some words for what follows: the *range* of a matrix is the space
# that its columns span; a *mode rank* of a tensor is the rank of the
# matrix that it becomes when two of its three axes are made one (its
# *unfolding*); the *CP rank* is the least number of components, as in the
# [first chapter](01_weight_tensor.py).

# >>> A1 An update is as simple as the activity or the error
# <<< A1

# >>> A2 All of learning
# <<< A2

# >>> A3 A start without structure
# <<< A3

# >>> B1 From a random start
# <<< B1

# >>> B2 When units are not linear
# <<< B2

# >>> B3 What Adam does
# <<< B3

# >>> A4 The bound and networks that learned
# <<< A4

# >>> C Learning as a low-dimensional flow

# %% [markdown]
# ## Learning as a low-dimensional flow
#
# So far the network was given, and learning was confined to a space that
# could be told beforehand. There is a case in which one can say more:
# not only *where* learning happens, but *how*, in a closed set of
# equations that do not know how many units there are. The idea is that
# of {cite:t}`ger2026`, from whose abstract we take it: follow the
# *overlaps* of the network's vectors in place of its weights. What
# follows is derived here.
#
# Take a linear network whose weights are of rank $R$ and are given by
# their *left* and *right vectors*, the columns of $\mathbf m$ and
# $\mathbf n$ (both $N \times R$). Let it learn by descending the loss in
# these vectors, with $\mathbf b$ ($N \times p$) and $\mathbf c$
# ($N \times q$) held fixed:
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
# overlaps are of order 1, whatever $N$ is.
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
# These four are the *visible* overlaps. The others, the lengths
# $\mathbf m{\cdot}\mathbf m$ and $\mathbf n{\cdot}\mathbf n$, and
# $\mathbf m{\cdot}\mathbf b$, $\mathbf n{\cdot}\mathbf c$,
# $\mathbf b{\cdot}\mathbf b$ and $\mathbf c{\cdot}\mathbf c$, are
# *invisible*: no loss depends on them, however long we look. But
# learning does.
#
# ```{prf:theorem} Learning is closed in overlaps
# :label: overlaps-closure
# Let $\mathbf m$ and $\mathbf n$ descend any differentiable loss from
# $\mathbf x_0 = 0$, with learning rate $\eta N$. Then there is a
# $k \times k$ matrix $K_s$ that depends on the *visible* overlaps of
# step $s$ alone, such that, exactly,
#
# $$
# Z_{s+1} = Z_s\,(1 - \eta K_s), \qquad
# O_{s+1} = (1 - \eta K_s)^\top\, O_s\, (1 - \eta K_s) .
# $$
#
# 1. *Size does not matter.* Networks of any two sizes with the same
#    $O_0$ have the same overlaps and the same loss at every step. For
#    $\eta \to 0$ and $\eta s \to \tau$ they follow the flow
#    $\mathrm dO/\mathrm d\tau = -(K^\top O + O K)$ of at most
#    $k(k+1)/2$ numbers.
# 2. *Low tensor rank.* $\Delta W_s = Z_0 A_s Z_0^\top$ with matrices
#    $A_s$ of $k \times k$: the mode ranks of all of learning are at most
#    $k$, $k$ and $\min(S, k^2)$, its CP rank at most $k^2$.
# ```
#
# ```{prf:proof}
# By {prf:ref}`overlaps-visible` the loss is a function of the visible
# overlaps. Let $A'$, $D'$ and $E'$ be its derivatives by
# $\mathbf n{\cdot}\mathbf m$, $\mathbf n{\cdot}\mathbf b$ and
# $\mathbf c{\cdot}\mathbf m$, of the same shapes as these; they, too,
# are functions of the visible overlaps. By the chain rule
#
# $$
# \frac{\partial L}{\partial \mathbf m} = \tfrac1N(\mathbf n A' +
# \mathbf c E'), \qquad
# \frac{\partial L}{\partial \mathbf n} = \tfrac1N(\mathbf m A'^\top +
# \mathbf b D'^\top) .
# $$
#
# Both are combinations of the columns of $Z$. So a step is
# $Z \to Z(1 - \eta K)$ with
#
# $$
# K = \begin{pmatrix}
# 0 & A'^\top & 0 & 0 \\ A' & 0 & 0 & 0 \\
# 0 & D'^\top & 0 & 0 \\ E' & 0 & 0 & 0
# \end{pmatrix},
# $$
#
# rows and columns in the order of $\mathbf m, \mathbf n, \mathbf b,
# \mathbf c$. Multiplying $Z_{s+1}$ by its transpose gives $O_{s+1}$. The
# right-hand side contains $O_s$ and nothing else of the network, hence
# 1; the flow is the limit of Euler steps. For 2, $Z_s = Z_0 T_s$ with
# $T_s = \prod_{s'<s}(1 - \eta K_{s'})$, and $W_s$ is made of columns of
# $Z_s$ on either side. The stack of all $\Delta W_s$ is then a tensor of
# $S \times k \times k$ numbers, the $A_s$, seen through $Z_0$ along two
# axes, which cannot raise a rank.
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
# We try it on two tasks. Both begin with a pulse. A network without
# recurrent weights forgets it as $e^{-t}$, with time in units of the
# time constant. A network of rank one is to hold it for longer,
# $e^{-t/4} - e^{-t}$: this takes $\mathbf n{\cdot}\mathbf m$ near
# $3/4$. One of rank two is to answer with an oscillation,
# $e^{-t/4}\sin(2\pi t/5)$, which takes a pair of complex eigenvalues,
# and so rank two. We draw the first overlaps at random, but let the
# network hear the pulse and be heard, $\mathbf n{\cdot}\mathbf b =
# \mathbf c{\cdot}\mathbf m = 0.4$. Then there are three ways to go: the
# flow, integrated; the map; and networks of 50 and of 500 units with
# these overlaps, trained by backpropagation through time without any
# knowledge of overlaps.

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


# %% tags=["hide-input"]
def flow_of(one, rank):
    """The flow at the times of all steps."""
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


def overlap_courses(rank):
    """The flow as lines, networks that learn as dots."""
    one = pulse(rank)
    times, flow = flow_of(one, rank)
    dots = {}
    for n_units in (50, pulse_sizes["large"]):
        network = with_units(one, n_units)
        found = learn_pulse(theory.descend_low_rank, network, one, rank)
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
    "pulse. Lines: the flow. Dots: networks of two sizes trained by "
    "backpropagation through time. Left: what the loss depends on; "
    "right: what it does not. m and n are the left and right vector, b "
    "the input, c the readout.",
    alt="Two panels of curves over learning, three visible and four "
    "invisible overlaps, some rising and some falling. The dots of both "
    "network sizes lie on the curves.",
)

# %% tags=["hide-input"]
charts.show(
    overlap_courses(2),
    name="overlaps-rank-two",
    caption="Rank two, learning to answer a pulse with an oscillation: "
    "lines, dots and panels as before. There are several overlaps of "
    "each kind, since there are two left and two right vectors.",
    alt="Two panels with eight visible and ten invisible overlaps over "
    "learning. Two of the overlaps n·m part, one upwards and one "
    "downwards. Dots of both network sizes lie on the curves.",
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
    _, flow = flow_of(one, rank)
    descend, through_map = (
        theory.descend_low_rank,
        theory.descend_overlaps,
    )
    networks = [
        learn_pulse(descend, with_units(one, n), one, rank).overlaps
        for n in (50, 200)
    ]
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
bent = gathered(pulse_cells, "not linear")
glue("overlaps-bent", float(100 * np.mean(bent["flow"])), display=False)

# %% [markdown]
# The map follows the networks to rounding: no overlap of any network, at
# any step, is further from it than {glue:text}`overlaps-map`. From the
# flow it is at most {glue:text}`overlaps-flow:.1f` % of the way that the
# overlaps go, and with steps of twice the length
# {glue:text}`overlaps-doubled:.2f` times as far, as it has to be for
# Euler steps. Freeze the invisible overlaps, and the course misses by
# {glue:text}`overlaps-frozen:.0f` % of the way on average; make the
# units nonlinear, and it is {glue:text}`overlaps-bent:.0f` %. The last
# is no surprise: what a nonlinear network does depends on more than
# scalar products of its vectors, and the theorem says nothing about it.
#
# ### Networks that do the same, and learn differently
#
# Now the other side of it. Lengthen every left vector by a piece of
# length $\sqrt N$ that is orthogonal to the other pieces and to all of
# $Z$. The weights are others, and so is the activity of every neuron;
# but no visible overlap has changed. Or lengthen the right vectors, too,
# and let the new pieces of $\mathbf m$ overlap with the input, which the
# loss does not see either. By the output alone the three networks cannot
# be told apart.


# %%
import torch


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
from ltr_core import simulate

held_pulse = pulse(1)
shown_after = pulse_sizes["steps"] // 2
pulse_courses = {
    name: learn_pulse(
        theory.descend_low_rank,
        with_units(held_pulse._replace(start=start), 50),
        held_pulse,
        1,
    )
    for name, start in same_output(held_pulse).items()
}


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
        x_title="time (τ)",
        y_title="output",
        width=250,
        height=190,
    ),
    name="overlaps-equivalent",
    caption="The answer to a pulse of three networks of 50 units with "
    "the same visible overlaps, before learning (where their lines lie "
    "on each other) and after half of the steps.",
    alt="Two panels, output against time. Left: one line for three "
    "networks, well below the wanted answer. Right: three different "
    "lines, of which the network as drawn is lowest.",
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
    caption="The loss of the three networks, which learn with the same "
    "learning rate.",
    alt="Three curves of loss that begin at 1 and fall at different "
    "times, the network as drawn last.",
)

# %% [markdown]
# They begin with the same answer, and then part
# ({numref}`fig-overlaps-equivalent`): longer vectors learn sooner, as
# {eq}`overlaps-speed` says, and the one that overlaps with the input
# sooner still ({numref}`fig-overlaps-equivalent-loss`). Is it the
# overlaps, and not just that these are other networks? A network of
# other neurons, four times as many, that has *all* overlaps in common
# with the first must learn as it does.


# %% tags=["hide-input"]
def check_invisible(rank, which):
    """How losses part: of equivalent networks, and of the same again."""
    one = pulse(rank, which)
    networks = {
        name: with_units(one._replace(start=start), 50)
        for name, start in same_output(one).items()
    } | {"other neurons": with_units(one, 200)}
    first, *others = (
        learn_pulse(theory.descend_low_rank, network, one, rank).loss
        for network in networks.values()
    )
    return {
        name: {
            "start": farthest(other[0], first[0]) / float(first[0]),
            "apart": farthest(other, first) / float(first[0]),
        }
        for name, other in zip(list(networks)[1:], others, strict=True)
    }


parted = [check_invisible(rank, which) for rank, which in pulse_grid]

# %% tags=["remove-input"]
row = invisible_claim.judge(
    gathered(parted, "longer m"),
    {"other neurons": gathered(parted, "other neurons")},
    {"m·b changed, too": gathered(parted, "longer, m·b changed")},
)
invisible_claim.prose_assumes(row, holds=True)
apart = np.array(gathered(parted, "longer m")["apart"])
glue("overlaps-apart", float(100 * apart.mean()), display=False)
glue("overlaps-apart-sd", float(100 * apart.std()), display=False)
same = max(gathered(parted, "other neurons")["apart"])
glue("overlaps-same", f"{same:.0e}", display=False)

# %% [markdown]
# With longer left vectors the losses part by
# {glue:text}`overlaps-apart:.0f` ± {glue:text}`overlaps-apart-sd:.0f` %
# of the first loss (mean and standard deviation over ranks and starts);
# with other neurons and the same overlaps by
# {glue:text}`overlaps-same` of it, which is rounding. So two networks
# that no experiment on their output could tell apart are told apart by
# *how they learn*. And since learning moves the invisible overlaps as
# well (right panels of {numref}`fig-overlaps-rank-one` and
# {numref}`fig-overlaps-rank-two`), what a network learned before can
# shape what it learns next, even where its output no longer shows it.
# {cite:t}`ger2026` speak of a memory of the history of training.
#
# The second part of {prf:ref}`overlaps-closure` is checked at once. The
# change of the weights over all of learning, steps × receiving × sending
# units, should have mode ranks of at most $k = 2R + 2$ along the units,
# though there are 50; nonlinear units are the control again.

# %%
from ltr_core.decomposition import mode_ranks

for rank in (1, 2):
    for units in ("identity", "tanh"):
        network = with_units(pulse(rank), 50)._replace(nonlinearity=units)
        course = learn_pulse(
            theory.descend_low_rank, network, pulse(rank), rank
        )
        weights = course.left @ course.right.mT / 50
        change = (weights[1:] - weights[0]).numpy()
        print(
            f"R = {rank}, k = {2 * rank + 2}, {units}: "
            f"mode ranks {mode_ranks(change, 1e-8)}"
        )

# %% [markdown]
# What would refute the theorem: one network, of any size, whose overlaps
# leave the map by more than rounding; or two with equal overlaps and
# different losses. What it does not cover: nonlinear units, a start with
# random weights of full rank, initial states outside of the span of
# $Z$ (they would be further columns), and Adam, whose steps are no
# combinations of the columns of $Z$.

# <<< C

# %% [markdown]
# ## What would have refuted it

# %% [markdown]
# ## Exercises

# >>> exercises A
# <<< exercises A

# >>> exercises B
# <<< exercises B

# >>> exercises C

# %% [markdown]
# ::::{exercise}
# :label: overlaps-conserved
# In {numref}`fig-overlaps-rank-one` the curves of
# $\mathbf m{\cdot}\mathbf m$ and $\mathbf n{\cdot}\mathbf n$ look alike.
# Show from $\mathrm dO/\mathrm d\tau = -(K^\top O + O K)$ that the flow
# does not change $\mathbf m{\cdot}\mathbf m -
# \mathbf n{\cdot}\mathbf n$. (Or directly: the loss depends on
# $\mathbf m$ and $\mathbf n$ through $W$ alone. What are
# $\mathbf m^\top\,\partial L/\partial\mathbf m$ and
# $\mathbf n^\top\,\partial L/\partial\mathbf n$?) Check it for rank two.
# Do steps of finite length keep it, too?
# ::::

# %% [markdown]
# ::::{solution-start} overlaps-conserved
# :class: dropdown
# ::::

# %%
ringing = pulse(2)
places = ringing.start.places
m_place, n_place = places["left"], places["right"]


def lost(matrices):
    """Largest change of m·m - n·n."""
    kept = matrices[:, m_place, m_place] - matrices[:, n_place, n_place]
    return float((kept - kept[0]).abs().max())


print(f"flow: {lost(flow_of(ringing, 2)[1]):.0e}")
for longer in (1, 2):
    course = learn_pulse(
        theory.descend_overlaps, ringing.start, ringing, 2, longer=longer
    ).overlaps
    rate = pulse_rates[2] * longer
    print(f"steps with a learning rate of {rate:.1f}: {lost(course):.4f}")

# %% [markdown]
# With $G = \partial L/\partial W$ the chain rule gives
# $\partial L/\partial\mathbf m = G\mathbf n/N$ and
# $\partial L/\partial\mathbf n = G^\top\mathbf m/N$. So
# $\mathbf m^\top\,\partial L/\partial\mathbf m = \mathbf m^\top G\,
# \mathbf n/N$ is the transpose of $\mathbf n^\top\,\partial
# L/\partial\mathbf n$. The flow changes $\mathbf m^\top\mathbf m$ by
# minus the first and its transpose, $\mathbf n^\top\mathbf n$ by minus
# the second and its transpose: by the same. A step of length $\eta$
# adds terms with $\eta^2$, which differ; over a given time there are
# $1/\eta$ steps, so the drift grows in proportion to $\eta$. Of the
# invisible overlaps, then, $R(R+1)/2$ combinations are not moved by any
# task: they are fixed by the start, and do not remember.
#
# ::::{solution-end}
# ::::

# <<< exercises C
