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
# # The linear network: theory over simulation
#
# Random connections
# [make a network learn faster](04_random_connectivity.py), and
# [what it learns is a matrix of low rank](03_three_tasks.py). Why?
# {cite:t}`schuessler2020` answer for the simplest network in which the
# question makes sense: a *linear* one that is to bring its output from
# zero to a given value. There, learning can be followed with pencil and
# paper. They find how fast the output rises,
# what the change of the weights looks like, and how both depend on the
# strength $g$ of the random connections (claim **S5**), and from it how
# much sooner a random network has learned (claim **S6**). A second
# linear task, to make an oscillation, belongs to their supplement
# (claim **S7**).
#
# Theory is worth having if one knows where it ends. So we put it over
# simulation in the same picture, mark the range in which it can be
# trusted, *which the theory itself tells*, and show the rest as well.
#
# *What is theirs and what is ours.* The task, the expansion to third
# order, the settings and the cosine task are the paper's. The range of
# the expansion, the differences that one network of finite size may show,
# all thresholds and controls are ours. We wrote the simulation anew, and
# checked the formulas by deriving them again.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import numpy as np
import torch
from myst_nb import glue

import ltr_core as ltr
from ltr_core import Chapter, charts, theory
from ltr_core.learned_change import eigenvalues, learning_time
from ltr_core.rnn import mean_field_networks
from ltr_core.training import train

chapter = Chapter("05_linear_theory", scale=scale, seed=seed)
sizes = chapter.at_scale(
    smoke={"units": 128, "few": 64, "networks": 2, "epochs": 40},
    book={"units": 1024, "few": 256, "networks": 5, "epochs": 1000},
    paper={"units": 1024, "few": 256, "networks": 5, "epochs": 1000},
)
n_units, n_networks = sizes["units"], sizes["networks"]
print(f"{scale} scale, seed {seed}: {n_networks} networks, N {n_units}")

# %% [markdown]
# ## The claims, before the results
#
# Some words first. The *target* is the value $\hat z$ that the output is
# to reach. The *share of the way* is how far the output has come from
# where it began to the target. *Time* is measured in two ways: $\tau$,
# the learning rate times the number of epochs, and $t$, the theory's
# own time, which is $\tau/(1-g^2)^2$.
#
# The theory is an *expansion*: a sum of terms with $t$, $t^2$ and $t^3$,
# the first, second and third *order*. Its *range* ends where the first
# term that it leaves out, that with $t^4$, would be a tenth of its first.
# For a very small target the whole sum is known, and is an exponential
# approach: this is the *limit of small targets*, good at all times.
#
# Theory is for infinitely many units. In a network of $N$ units the
# second term of the output is off by a random share of itself, whose
# standard deviation is known too: $4\hat z(1-g^2)^{-5/2}/\sqrt N$. The
# claims S5.output, S5.singular-value and S5.matrix are for those
# combinations of $g$ and $\hat z$ in which that is at most a quarter with
# $N=1024$: all three targets at $g = 0$, targets 0.5 and 1 at $g = 0.3$,
# and target 0.5 at $g = 0.6$. The figures show others, too.
#
# What would refute a claim is written in it, and so is what it must be
# able to tell apart: "must not pass" names a control which, if it met
# the same criterion, would show that the criterion tests nothing.

# %% tags=["remove-input"]
S = "Schuessler et al. 2020"
OURS = "the companion's own check"
backpropagation = chapter.claim(
    "S5.backpropagation",
    statement="Gradient descent on the fixed point, by formula, is what "
    "backpropagation through a long simulation does.",
    source=OURS + ", so that the quick way may stand for the slow one",
    criterion="In every network the change after 200 epochs differs by "
    "at most a thousandth of its norm between the two. Trials "
    "of 6 time constants in place of 101 must not pass.",
    expression="max(difference) <= 0.001",
)

# %% tags=["remove-input"]
output = chapter.claim(
    "S5.output",
    statement="Theory gives the course of the output.",
    source=S,
    criterion="Within the range, in every network, for targets 0.5, 1 "
    "and 2 and g of 0, 0.3 and 0.6 (in the combinations named above), "
    "the share of the way differs from theory by at most 20 % of what "
    "theory says at the end of the range. The theory of g = 0 for "
    "networks of g = 0.6, and theory kept up to 200 epochs, must not "
    "pass.",
    expression="max(error) <= 0.2",
)

# %% tags=["remove-input"]
singular = chapter.claim(
    "S5.singular-value",
    statement="Theory gives the first singular value of the change.",
    source=S,
    criterion="At the end of the range, in the same networks, the first "
    "singular value differs by at most 20 % from theory, times "
    "the network's own first distance from the target, which "
    "theory takes to be the target itself. The "
    "theory of g = 0 for networks of g = 0.6, and theory kept "
    "up to 200 epochs, must not pass.",
    expression="max(error) <= 0.2",
)

# %% tags=["remove-input"]
matrix = chapter.claim(
    "S5.matrix",
    statement="Theory gives the change itself, entry by entry, from the "
    "initial weights.",
    source=S,
    criterion="At the end of the range, in every network with g of 0.3 "
    "or 0.6, the change less its first and second order is "
    "at most 20 % of the change (Frobenius norms). The first "
    "order alone, and both orders made with the entries of "
    "the initial weights permuted, must not pass.",
    expression="max(missed) <= 0.2",
)

# %% tags=["remove-input"]
shuffle = chapter.claim(
    "S5.shuffle",
    statement="With the initial weights permuted after learning, the "
    "loss is $g^4(2-g^2)^2$ of the first.",
    source=S + ", for a small target",
    criterion="For target 0.5 and g of 0.6 and 0.8, the mean over "
    "networks is within a quarter of the formula. The same "
    "networks without the permutation must not pass.",
    expression="max(abs(ratio - 1)) <= 0.25",
)

# %% tags=["remove-input"]
edge = chapter.claim(
    "S5.edge",
    statement="With a large target and strong random connections, "
    "learning drives an eigenvalue to 1, and oversteps.",
    source=S + "; that it is the step that fails is ours",
    criterion="At target 4 and g = 0.8, with the learning rate that the "
    "paper uses for target 2, at least half of the networks "
    "lose their stable fixed point within 200 epochs. Target "
    "2 at the same g, and target 4 with steps of a tenth of "
    "the length for ten times the epochs, must not pass.",
    expression="mean(lost) >= 0.5",
)

# %% tags=["remove-input"]
small = chapter.claim(
    "S6.small-target",
    statement="For a small target, theory gives the learning time "
    "itself, at every strength of random connections.",
    source=S,
    criterion="For target 0.1, and g of 0, 0.3, 0.6 and 0.8, the mean "
    "time over networks to 5 % of the first loss is within "
    "15 % of the limit of small targets. The time of g = 0 "
    "taken for all g, and the third-order series at this "
    "time, out of its range, must not pass.",
    expression="max(abs(ratio - 1)) <= 0.15",
)

# %% tags=["remove-input"]
acceleration = chapter.claim(
    "S6.acceleration",
    statement="Theory quantifies how much random connections accelerate "
    "learning.",
    source=S,
    criterion="For targets 0.1 and 0.5, and g of 0.3 and 0.6, the mean "
    "learning time over that at g = 0 is within 15 % of the "
    "third-order theory's. No acceleration, and a time that "
    "falls as 1 - g^2 in place of its square, must not pass.",
    expression="max(abs(ratio - 1)) <= 0.15",
)

# %% tags=["remove-input"]
amplitude = chapter.claim(
    "S6.amplitude",
    statement="The third-order theory gives the learning time itself, "
    "across targets and strengths of random connections.",
    source=S + "; the threshold is ours",
    criterion="For targets 0.1, 0.5, 1 and 2, and g of 0, 0.3 and 0.6, "
    "the mean learning time is within 15 % of the "
    "third-order theory's. The theory of target 0.1 taken "
    "for all targets must not pass.",
    expression="max(abs(ratio - 1)) <= 0.15",
)

# %% tags=["remove-input"]
cosine = chapter.claim(
    "S7.cosine",
    statement="With random connections a linear network learns to make "
    "a cosine, by a pair of eigenvalues; without, it cannot.",
    source=S + ", supplement",
    criterion="In every network with g of 0.4 and 0.8, the loss after "
    "1000 epochs is below 5 % of the first, and the "
    "eigenvalue with the largest real part is within 0.1 of "
    "0.95 + 1.25i (or its conjugate). Networks with g = 0 "
    "must not pass.",
    expression="max(loss) < 0.05 and max(distance) < 0.1",
)

# %% [markdown]
# Some numbers can be read off the authors' published figures. We hold
# ours against them by a rule stated beforehand: singular values and
# eigenvalues agree if they are within a quarter of the published value,
# epochs if within a half.

# %% tags=["remove-input"]
published_sizes = chapter.published(
    "linear-singular-value",
    figure="Linear network: singular value of the change at g = 0",
    source=S + ", read off a figure",
    setting="N 1024, 5 networks, 200 epochs; as published",
    values={"target 0.5": (0.43, 0.11), "target 2": (0.85, 0.21)},
)

# %% tags=["remove-input"]
published_drop = chapter.published(
    "cosine-drop",
    figure="Cosine: epoch at which the loss drops",
    source=S + ", read off a figure",
    setting="N 256, 3 networks; half of the first loss",
    unit="epochs",
    values={"g 0.4": (360, 180), "g 0.8": (360, 180)},
)

# %% tags=["remove-input"]
published_pair = chapter.published(
    "cosine-eigenvalue",
    figure="Cosine: the eigenvalue pair after learning",
    source=S + ", read off a figure",
    setting="N 256, 3 networks, g = 0.4 and 0.8, after 1000 epochs",
    values={"real part": (0.95, 0.24), "imaginary part": (1.25, 0.31)},
)

# %% [markdown]
# ## A network that can be solved
#
# The network is that of the chapters before, without its nonlinearity:
#
# ```{math}
# :label: linear-network
# \dot{\mathbf x} = -\mathbf x + W\mathbf x + \mathbf m, \qquad
# z = \mathbf w^\top\mathbf x .
# ```
#
# A constant input $\mathbf m$ (of length $\sqrt N$) is switched on, the
# activity settles, and the output that is read by $\mathbf w$ (of length
# $1/\sqrt N$) should be $\hat z$. Only $W$ learns; it begins as random
# numbers of variance $g^2/N$. Since activity settles at
# $(1-W)^{-1}\mathbf m$, the output is
# $z=\mathbf w^\top(1-W)^{-1}\mathbf m$, and gradient descent on
# $L=\frac12(\hat z-z)^2$ changes the weights by
#
# ```{math}
# :label: outer-product
# \frac{dW}{d\tau} = (\hat z - z)\,\mathbf b\,\mathbf a^\top, \qquad
# \mathbf a = (1-W)^{-1}\mathbf m, \quad
# \mathbf b = (1-W)^{-\top}\mathbf w .
# ```
#
# Here is all of low rank in one line. A step is **one column times one
# row**: $\mathbf a$ is the activity, $\mathbf b$ says how much each unit
# matters for the output. As long as the two vectors keep their
# directions, the change is a matrix of rank one.
#
# And here is the acceleration. $W_0$ is random, but
# $(1-W_0)^{-1} = 1 + W_0 + W_0^2 + \dots$ sends every vector around the
# loop again and again, and each time something is added to its length:
# $|\mathbf a|^2 = N\beta$ and $|\mathbf b|^2 = \beta/N$ with
# $\beta = 1/(1-g^2)$. The first step of $z$ is proportional to
# $|\mathbf a|^2|\mathbf b|^2=\beta^2$, so learning begins $\beta^2$
# times as fast: with $g = 0.8$, nearly eight times. With $g \ge 1$ the
# sum does not converge, and the network has no stable *fixed point*, no
# state at which its activity settles:


# %%
def linear_networks(g, n_units=n_units, n_networks=n_networks):
    """Linear networks with random connections, in double precision."""
    return mean_field_networks(
        n_networks,
        n_units,
        1,
        1,
        g=g,
        nonlinearity="identity",
        dtype=torch.float64,
        seed=seed,
    )


try:
    linear_networks(g=1.2)
except ValueError as error:
    print(error)

# %% [markdown]
# The paper simulates the network for 101 time constants and goes back
# through all steps to find the gradient. With {eq}`outer-product` the
# gradient is there at once. Are they the same? We train networks both
# ways.

# %%
few = {"n_units": sizes["few"], "n_networks": 2}
g, target = 0.6, 0.5
rate = 0.015 * (1 - g**2) ** 2
by_formula = theory.descend_fixed_point(
    linear_networks(g, **few),
    target,
    learning_rate=rate,
    n_epochs=200,
    record_at=[200],
).change[:, 0]


def difference(duration):
    """The change that backpropagation through time makes, compared."""
    trained = train(
        linear_networks(g, **few),
        ltr.FixedPoint(duration=duration, target_amplitude=target),
        n_epochs=200,
        n_trials=1,
        learning_rate=rate,
        optimiser="sgd",
        trained=["recurrent"],
        record_at=[200],
    ).change[:, 0]
    gap = (trained - by_formula).norm(dim=(1, 2))
    return (gap / by_formula.norm(dim=(1, 2))).numpy()


exact = difference(101.0)

# %% tags=["remove-input"]
row = backpropagation.judge(
    {"difference": exact},
    {"short trials": {"difference": difference(6.0)}},
)
backpropagation.prose_assumes(row, holds=True)
glue("exact", f"{exact.max():.0e}", display=False)

# %% [markdown]
# They agree to rounding (a relative difference of {glue:text}`exact`).
# Trials of only 6 time constants, too short for the activity to settle,
# give another change, so the comparison can tell. From here on we use the
# formula, which lets us afford the published size: 1024 units.
#
# ## Theory over simulation
#
# {eq}`outer-product` looks simple, but $\mathbf a$ and $\mathbf b$ change
# with $W$. The paper expands in the time $t=\beta^2\tau$:
#
# ```{math}
# :label: expansion
# \begin{aligned}
# z/\hat z &= t - \tfrac12 t^2 + \tfrac16 t^3 (1 + 8\hat z^2\beta), \\
# s_1 &= \frac{\hat z}{\beta}\left[t - \tfrac12 t^2
#   + \tfrac16 t^3 (1 + \tfrac72 \hat z^2\beta)\right], \\
# s_2 &= \tfrac1{12}\,\hat z^3 t^3,
# \end{aligned}
# ```
#
# with $s_1$ and $s_2$ the first and second singular values of the change.
# To second order, learning is that of a single neuron: an exponential
# approach. The second singular value comes only with the third order,
# and so does what is new in a *recurrent* network: that the change alters
# the loop by which it is made. Both grow with the target.
#
# The next term of the first series is
# $-\tfrac1{24}t^4(1+56\hat z^2\beta)$ (our derivation); the range ends
# where it is a tenth of the first.
#
# ```{margin}
# Like the authors, we hold theory still once it has reached the target.
# ```
#
# The learning rate is a number for each target times $(1-g^2)^2$. So a
# given number of epochs is the same time $t$ for every $g$, and less of
# it for larger targets, which get shorter steps.

# %%
rates = {0.1: 0.015, 0.5: 0.015, 1.0: 0.009, 2.0: 0.003}
strengths = (0.0, 0.3, 0.6, 0.8)
found = {}
for g in strengths:
    networks = linear_networks(g)
    for target, rate in rates.items():
        found[g, target] = theory.compare(
            networks,
            g,
            target,
            learning_rate=rate * (1 - g**2) ** 2,
            n_epochs=200,
            seed=seed,
        )

# %% tags=["hide-input"]
PANELS = {
    "share of the way": "reached",
    "loss (share of the first)": "loss",
    "first singular value": "first",
    "second singular value": "second",
}


def over_simulation(g):
    """The four quantities at one strength, for three targets."""
    return charts.predictions(
        {
            title: {
                f"target {target:g}": charts.Predicted(
                    found[g, target].t,
                    getattr(found[g, target], part),
                    getattr(found[g, target], f"{part}_theory"),
                    until=float(theory.valid_until(g, target)),
                )
                for target in (0.5, 1.0, 2.0)
            }
            for title, part in PANELS.items()
        },
        x_title="time t",
        y_domains={
            title: (
                0.0,
                1.3
                * max(getattr(found[g, a], part).max() for a in rates),
            )
            for title, part in list(PANELS.items())[2:]
        },
    )


charts.show(
    over_simulation(0.6),
    name="theory-over-simulation",
    caption="Learning with g = 0.6: simulation (solid: mean over "
    "networks, band: their range) and theory to third order (dashed), "
    "against the theory's time. The dot is where the theory's range ends "
    "by its own measure. Lines end with the 200 epochs, which for larger "
    "targets are less time; in the lower panels, theory for target 2 "
    "leaves the picture.",
    alt="Four panels against time: share of the way, loss, first and "
    "second singular value. Dashed theory lies near the solid simulation "
    "up to the dots and leaves it beyond: it arrives early for targets "
    "0.5 and 1, late for target 2. Both singular values of theory leave "
    "the picture for target 2; the bands of targets 1 and 2 are wide.",
)

# %% [markdown]
# In {numref}`fig-theory-over-simulation`, theory and simulation part soon
# after the dots, as they should. Beyond, the cubic term takes over:
# theory arrives at targets 0.5 and 1 too early, and at target 2 too
# late, and for targets 1 and 2 it makes the change too large. The bands
# of these two are so wide that at this $g$ the claims are tested on
# target 0.5 alone. For the second singular value the paper gives only the
# leading term, and the next one is $-\tfrac32 t$ times as large: it says
# that $s_2$ is small and grows late, and not much more.


# %%
def is_narrow(g, target):
    """Whether networks of 1024 units differ little in the second term."""
    return theory.spread(g, target, 1024) <= 0.25


cells = [
    (g, target)
    for g in (0.0, 0.3, 0.6)
    for target in (0.5, 1.0, 2.0)
    if is_narrow(g, target)
]


def errors(cells, *, at_g=None, to_the_end=False):
    """Largest differences from theory, for each network."""
    outputs, sizes = [], []
    for g, target in cells:
        one = found[g, target]
        k = 200 if to_the_end else one.last_valid
        tau = one.t * (1 - g**2) ** 2
        said = theory.expansion(g if at_g is None else at_g, target, tau)
        way = said.output / target
        outputs += [np.abs(one.reached - way)[:, : k + 1].max(1) / way[k]]
        size = said.first_singular_value[k] * one.distance
        sizes += [np.abs(one.first[:, k] / size - 1)]
    return [{"error": np.concatenate(part)} for part in (outputs, sizes)]


strong = [cell for cell in cells if cell[0] == 0.6]
measured = errors(cells)
wrong = errors(strong, at_g=0.0)
beyond = errors(cells, to_the_end=True)

# %% tags=["remove-input"]
row = output.judge(
    measured[0],
    {
        "theory of g = 0 for g = 0.6": wrong[0],
        "theory kept to the end": beyond[0],
    },
)
output.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
row = singular.judge(
    measured[1],
    {
        "theory of g = 0 for g = 0.6": wrong[1],
        "theory kept to the end": beyond[1],
    },
)
singular.prose_assumes(row, holds=True)
glue(
    "worst-output", float(100 * max(measured[0]["error"])), display=False
)
glue("worst-size", float(100 * max(measured[1]["error"])), display=False)
hard = found[0.8, 2.0]
k = hard.last_valid
off = np.abs(hard.reached[:, k] / hard.reached_theory[k] - 1)
glue(
    "hard-spread", float(theory.spread(0.8, 2.0, n_units)), display=False
)
glue("hard-error", float(100 * off.max()), display=False)

# %% [markdown]
# Within the range, no network's share of the way is further from theory
# than {glue:text}`worst-output:.0f` % of what theory says at the end of
# the range. There, no first singular value is further away than
# {glue:text}`worst-size:.0f` %, once theory is told how far from the
# target the network began.
#
# We left out combinations in which single networks of this size differ
# too much. At $g=0.8$ and target 2 the second term is off by a random
# share whose standard deviation is {glue:text}`hard-spread:.1f` (1 would
# be as much as the term itself), and at the end of the range the worst
# network is {glue:text}`hard-error:.0f` % away. More units would help
# only with the square root of their number.
#
# Where theory claims to be right, then, and the network is large enough,
# it is right to within a fifth. This is the beginning of learning: for
# target 0.5 somewhat less than half of the way, for target 2 (at $g=0$)
# the first quarter.
#
# Now look at what it says about the change as a *matrix*. We measure what
# is missed by the Frobenius norm, the root of the summed squares of all
# entries. The first order is $\hat z\,\tau\,\mathbf b_0\mathbf a_0^\top$,
# made of the initial weights alone; the second turns $\mathbf a$ and
# $\mathbf b$ a little. If the change is built from $W_0$, then the same
# formula with the entries of $W_0$ permuted must give another matrix.

# %%
missed = [
    theory.missed_change(
        linear_networks(g),
        g,
        target,
        learning_rate=rates[target] * (1 - g**2) ** 2,
        seed=seed,
    )
    for g, target in cells
    if g > 0
]

# %% tags=["remove-input"]
one_order, two_orders, permuted = map(
    np.concatenate, zip(*missed, strict=True)
)
row = matrix.judge(
    {"missed": two_orders},
    {
        "first order alone": {"missed": one_order},
        "initial weights permuted": {"missed": permuted},
    },
)
matrix.prose_assumes(row, holds=True)
for name, part in (
    ("one-order", one_order),
    ("two-orders", two_orders),
    ("permuted", permuted),
):
    glue(name, float(100 * part.mean()), display=False)

# %% [markdown]
# On average both orders together miss {glue:text}`two-orders:.0f` % of
# the change, the first alone {glue:text}`one-order:.0f` %, and both with
# permuted weights {glue:text}`permuted:.0f` %. So this is where the
# correlation of the change with the initial weights comes from:
# $\mathbf a$ and $\mathbf b$ are the input and the readout *seen
# through* the random network.
#
# ### Take the random network away
#
# For this reason the paper permutes the initial weights after learning,
# and finds that the solution is lost. In the linear network theory says
# how much: $g^4(2-g^2)^2$ of the first loss, for a small target.

# %% tags=["hide-input"]
shuffle_targets = (0.5, 2.0)
charts.show(
    charts.predictions(
        {
            "loss after permutation (share of the first)": {
                f"target {target:g}": charts.Predicted(
                    np.array(strengths),
                    np.stack(
                        [found[g, target].shuffled for g in strengths],
                        axis=1,
                    ),
                    theory.shuffled_loss(np.array(strengths)),
                )
                for target in shuffle_targets
            }
        },
        x_title="strength of random connections g",
        columns=1,
        width=400,
        height=240,
    ),
    name="loss-after-permutation",
    caption="The loss with the initial weights permuted after learning, "
    "at g of 0, 0.3, 0.6 and 0.8: simulated (line: mean, band: range "
    "over networks) and by theory, which knows no target (dashed, one "
    "line for both). 1 is the loss before learning.",
    alt="Loss after permutation against g from 0 to 0.8: both simulation "
    "and theory rise from 0; the mean of simulation lies above theory, "
    "for target 2 far above. At g 0.8 the band of target 0.5 reaches "
    "from 0.6 to 1.2.",
)


# %% tags=["remove-input"]
def shuffled_ratio(target, part="shuffled"):
    """Mean loss over the formula, for strong random connections."""
    means = {
        g: np.mean(
            found[g, target].shuffled
            if part == "shuffled"
            else found[g, target].loss[:, -1]
        )
        for g in (0.6, 0.8)
    }
    return {
        "ratio": [m / theory.shuffled_loss(g) for g, m in means.items()]
    }


row = shuffle.judge(
    shuffled_ratio(0.5),
    {"not permuted": shuffled_ratio(0.5, "loss")},
    {"target 2": shuffled_ratio(2.0)},
)
shuffle.prose_assumes(row, holds=True)
for name, target in (("middle", 0.5), ("large", 2.0)):
    kept = found[0.6, target].shuffled
    glue(f"shuffled-{name}", float(kept.mean()), display=False)
glue("shuffled-theory", float(theory.shuffled_loss(0.6)), display=False)

# %% [markdown]
# {numref}`fig-loss-after-permutation` agrees in kind: nothing is lost
# without random connections, and most with strong ones. At $g = 0.6$ the
# formula says {glue:text}`shuffled-theory:.2f`, and we find
# {glue:text}`shuffled-middle:.2f` for target 0.5. So claim S5.shuffle
# holds, but only just: five other networks, of the run in which we tried
# the chapter out, came to 1.36 times the formula and would have failed
# it. For target 2 we find {glue:text}`shuffled-large:.2f`. The formula is
# for small targets, of which 0.5 is not quite one, and all our means with
# $g>0$ lie above it; and a target much smaller would drown in the
# outputs, random and not zero, that networks of this size have before
# they learn.
#
# ## How much faster?
#
# In time $t$, theory depends on $g$ only by its third term. If that is
# small, networks of every $g$ learn alike in $t$, and with equal learning
# rates a network with random connections needs only $(1-g^2)^2$ times the
# epochs. With target 0.5:

# %% tags=["hide-input"]
losses = {g: found[g, 0.5].loss[:, :101] for g in strengths}
time = 0.015 * np.arange(101)
against_t = {f"g = {g:g}": loss for g, loss in losses.items()}
against_tau = {
    f"g = {g:g}": np.stack(
        [np.interp(time, time * (1 - g**2) ** 2, one) for one in loss]
    )
    for g, loss in losses.items()
}
charts.show(
    charts.curve_panels(
        {"against τ": against_tau, "against t": against_t},
        {"against τ": time, "against t": time},
        columns=2,
        width=225,
        x_title="time",
        y_title="loss (share of the first)",
    ),
    name="loss-collapse",
    caption="The loss for target 0.5 against learning rate times epoch "
    "(τ, left) and against the theory's time (t, right). Lines: mean "
    "over networks, bands: their range.",
    alt="Two panels of four curves of falling losses. On the left, the "
    "stronger the random connections the faster the fall; on the right "
    "the curves nearly coincide, that of g 0.8 being lowest, with a wide "
    "band below it.",
)

# %% [markdown]
# Networks with $g = 0.8$ learn far faster (left), and in their own time
# hardly faster than others (right). In theory, what is left of a
# difference on the right is the third term: a somewhat faster end with
# strong random connections. The wide band at $g = 0.8$ is the difference
# between networks of finite size.
#
# The **learning time** is, as in the paper, the time at which the loss is
# 5 % of the first. For a small target it follows from the exponential
# approach: $\tau = \frac12\ln 20\,(1-g^2)^2$. For larger ones one can
# solve the cubic of {eq}`expansion` for it, but that is outside of the
# range: the series is asked where $z$ is at 78 % of the target. What
# comes out is not an approximation that theory vouches for.

# %% tags=["hide-input"]
charts.show(
    charts.predictions(
        {
            "learning time (τ)": {
                f"target {target:g}": charts.Predicted(
                    np.array(strengths),
                    np.stack(
                        [
                            found[g, target].time * rate * (1 - g**2) ** 2
                            for g in strengths
                        ],
                        axis=1,
                    ),
                    theory.learning_time(np.array(strengths), target),
                )
                for target, rate in rates.items()
            }
        },
        x_title="strength of random connections g",
        logarithmic=("learning time (τ)",),
        columns=1,
        width=440,
        height=260,
    ),
    name="theory-times",
    caption="Learning rate times the epoch at which the loss is 5 % of "
    "the first, for g of 0, 0.3, 0.6 and 0.8: simulation (line: mean, "
    "band: range over networks) and the third-order theory (dashed), "
    "which is used outside of its range here. Theory for target 0.1 "
    "begins under the solid line of target 0.5.",
    alt="Learning time on a logarithmic axis against g: it falls by a "
    "factor of about eight to fifteen from g 0 to 0.8 for every target, "
    "and is smaller for larger targets; theory falls alike but lies "
    "below simulation for small targets and above it for the largest.",
)


# %% tags=["remove-input"]
def over(cells, said):
    """Mean learning time of each combination over what is said of it."""
    return {"ratio": [found[c].time.mean() / said(*c) for c in cells]}


def grown(cells, law):
    """How much time changes from g = 0, over what a law says."""
    ratios = []
    for g, target in cells:
        taken = found[g, target].time.mean() * (1 - g**2) ** 2
        ratios.append(
            taken / found[0.0, target].time.mean() / law(g, target)
        )
    return {"ratio": ratios}


small_cells = [(g, 0.1) for g in strengths]
row = small.judge(
    over(small_cells, lambda *cell: found[cell].time_small),
    {
        "the time of g = 0 for all": over(
            small_cells,
            lambda g, a: found[0.0, a].time_small / (1 - g**2) ** 2,
        ),
        "the third-order series": over(
            small_cells, lambda *cell: found[cell].time_theory
        ),
    },
)
small.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
faster = [(g, target) for g in (0.3, 0.6) for target in (0.1, 0.5)]
row = acceleration.judge(
    grown(
        faster,
        lambda g, a: float(
            theory.learning_time(g, a) / theory.learning_time(0.0, a)
        ),
    ),
    {
        "no acceleration": grown(faster, lambda g, a: 1.0),
        "1 - g^2": grown(faster, lambda g, a: 1 - g**2),
    },
)
acceleration.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
every = [(g, target) for g in (0.0, 0.3, 0.6) for target in rates]
row = amplitude.judge(
    over(every, lambda *cell: found[cell].time_theory),
    {
        "the theory of target 0.1": over(
            every,
            lambda g, a: (
                float(theory.learning_time(g, 0.1))
                / (rates[a] * (1 - g**2) ** 2)
            ),
        )
    },
)
amplitude.prose_assumes(row, holds=False)
by_target = {
    a: found[0.0, a].time.mean() / found[0.0, a].time_theory
    for a in rates
}
glue("ratio-half", float(by_target[0.5]), display=False)
glue("ratio-two", float(by_target[2.0]), display=False)
for name, g in (("none", 0.0), ("strong", 0.8)):
    epochs_taken = found[g, 0.1].time.mean() / found[g, 0.1].time_small
    glue(f"small-{name}", float(epochs_taken), display=False)

# %% [markdown]
# For target 0.1 the limit of small targets is enough: simulated times
# are {glue:text}`small-none:.2f` of those it predicts at $g = 0$ and
# {glue:text}`small-strong:.2f` at $g = 0.8$, while the times themselves
# differ by a factor of eight. And the *acceleration*, the time compared
# with $g=0$, the third-order series gives for targets 0.1 and 0.5 (and
# $g$ up to 0.6): what is wrong with it is there much the same at every
# $g$ and cancels.
#
# The times themselves the third order does not give, and S6.amplitude
# **fails** (look at {numref}`fig-theory-times`). Simulation takes
# {glue:text}`ratio-half:.2f` times as long as the series says for target
# 0.5, and {glue:text}`ratio-two:.2f` times for target 2 (at $g=0$). It
# gets the order right, larger targets sooner, and not the numbers.
#
# ## Where learning fails
#
# The larger the target, the larger the change that is needed, and the
# stronger the random network, the nearer it is to instability. Learning
# has to raise the output, and one way to do so is to move an eigenvalue
# of $W$ towards 1, where the activity runs away. The paper shows this
# for targets 2 and 4.

# %%
failing = {}
looked_at = range(0, 101, 4)
for g, target in ((0.8, 0.5), (0.6, 2.0), (0.8, 2.0), (0.8, 4.0)):
    failing[g, target] = theory.descend_fixed_point(
        linear_networks(g, n_units=sizes["few"]),
        target,
        learning_rate=0.003 * (1 - g**2) ** 2,
        n_epochs=200,
        spectrum_at=looked_at,
    )
careful = theory.descend_fixed_point(
    linear_networks(0.8, n_units=sizes["few"]),
    4.0,
    learning_rate=0.0003 * (1 - 0.8**2) ** 2,
    n_epochs=chapter.at_scale(smoke=200, book=2000, paper=2000),
)

# %% tags=["hide-input"]
lost_at = [epoch or 0 for epoch in failing[0.8, 4.0].diverged_at]
last = int(np.argmax(lost_at))
reach = {
    f"g = {g:g}, target {target:g}": one.largest_real_part.numpy()[[last]]
    for (g, target), one in failing.items()
}
charts.show(
    charts.curves(
        reach,
        np.array(looked_at),
        x_title="epoch",
        y_title="largest real part of the eigenvalues",
        y_scale={"zero": False},
        reference=1.0,
    ),
    name="largest-eigenvalue",
    caption="The largest real part of the eigenvalues of one network's "
    "weights while it learns, at every fourth epoch (with target 4 the "
    "network that fails last; with the others the one of the same "
    "number). "
    "Beyond 1 (dashed) there is no stable fixed point; a line that ends "
    "early belongs to a network that lost it.",
    alt="Largest real part against epoch: for target 0.5 it hardly "
    "moves, for target 2 it rises and stays below 1, for target 4 it "
    "jumps up, falls back and rises again, and the line ends early.",
)


# %% tags=["remove-input"]
def lost(one):
    """Which networks lost their stable fixed point."""
    return {"lost": [epoch is not None for epoch in one.diverged_at]}


row = edge.judge(
    lost(failing[0.8, 4.0]),
    {
        "target 2": lost(failing[0.8, 2.0]),
        "target 4 in short steps": lost(careful),
    },
    {"target 2, g = 0.6": lost(failing[0.6, 2.0])},
)
edge.prose_assumes(row, holds=True)
glue(
    "lost",
    f"{sum(lost(failing[0.8, 4.0])['lost'])} of {n_networks}",
    display=False,
)
glue(
    "nearest",
    float(failing[0.8, 2.0].largest_real_part.nan_to_num(0).max()),
    display=False,
)

# %% [markdown]
# In {numref}`fig-largest-eigenvalue`, targets that are within reach bring
# the eigenvalue up to a level, where it stays. The largest target makes
# it jump: in this network up, back, and up again until the fixed point is
# lost. Of the networks with target 4 and $g=0.8$, {glue:text}`lost` lose
# theirs; with target 2 none does, though at one of the epochs looked at
# an eigenvalue is as near to 1 as {glue:text}`nearest:.2f`. The control
# tells what goes wrong. At an eigenvalue of 1 the output would be
# infinite, and in continuous time gradient descent only ever lowers the
# loss: it cannot go through there. It is the *step* that leaps over it,
# since the nearer to the edge the steeper is the loss. With a tenth of
# the step, and ten times the epochs, all networks keep their fixed point.
#
# ## An oscillation
#
# Can a linear network do more than settle? The paper's supplement lets
# one make a cosine of period 5 time constants, without any input: it
# starts from its input vector $\mathbf m$ and is read along the same
# direction, $\mathbf w = \mathbf m/N$. Without random connections the
# gradient has only this direction: $W$ becomes a multiple of
# $\mathbf m\mathbf m^\top$, which has one real eigenvalue, and one real
# eigenvalue cannot turn. With them, other directions are at hand.

# %%
task = ltr.Cosine(duration=10.0)  # what comes later does not count
learned = {}
for g, rate in ((0.0, 0.2), (0.4, 0.15), (0.8, 0.05)):
    networks = linear_networks(g, n_units=sizes["few"], n_networks=3)
    networks = networks._replace(
        outward=networks.inward.mT / sizes["few"]
    )
    learned[g] = train(
        networks,
        task,
        n_epochs=sizes["epochs"],
        n_trials=1,
        learning_rate=rate,
        optimiser="sgd",
        trained=["recurrent"],
        initial=networks.inward[..., 0],
    )

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        {
            f"g = {g:g}": (one.loss / one.loss[:, :1]).numpy()
            for g, one in learned.items()
        },
        np.arange(sizes["epochs"]),
        x_title="epoch",
        y_title="loss (share of the first)",
        y_scale={"type": "log"},
    ),
    name="cosine-loss",
    caption="The loss of the cosine task over learning, mean and range "
    "over three networks of each strength (each with the learning rate "
    "that the paper uses for it). Networks fall at different epochs, so "
    "that the mean has steps.",
    alt="Loss on a logarithmic axis against epoch: flat near 1 for g 0; "
    "for g 0.4 and 0.8 flat at first, then a steep fall between epochs "
    "330 and 420, then a slow one.",
)

# %% tags=["hide-input"]
charts.show(
    charts.eigenvalue_panels(
        {
            f"g = {g:g}": eigenvalues(one.start)[0]
            for g, one in learned.items()
        },
        {
            f"g = {g:g}": eigenvalues(one.final)[0]
            for g, one in learned.items()
        },
        radius={f"g = {g:g}": g for g in learned},
    ),
    name="cosine-eigenvalues",
    caption="Eigenvalues of one network's weights before (discs) and "
    "after (squares) it learned the cosine. The dashed circle has radius "
    "g. At g = 0 all but one lie on top of each other at zero.",
    alt="Three panels of eigenvalues in the complex plane. For g 0.4 "
    "and 0.8 the initial disk stays and one conjugate pair lies outside, "
    "near 0.95 plus and minus 1.25i. For g 0 all are real: one lies near "
    "-0.5, the others at zero.",
)


# %% tags=["remove-input"]
def leading(one):
    """The eigenvalue of largest real part, in the upper half plane."""
    values = eigenvalues(one.final)
    best = np.take_along_axis(
        values, values.real.argmax(1)[:, None], axis=1
    )
    return best.real[:, 0] + 1j * np.abs(best.imag[:, 0])


def made(strengths):
    """Loss after learning and the distance to the published pair."""
    parts = [learned[g] for g in strengths]
    ends = [(one.loss[:, -1] / one.loss[:, 0]).numpy() for one in parts]
    gaps = [np.abs(leading(one) - (0.95 + 1.25j)) for one in parts]
    return {
        "loss": np.concatenate(ends),
        "distance": np.concatenate(gaps),
    }


row = cosine.judge(
    made((0.4, 0.8)), {"no random connections": made((0.0,))}
)
cosine.prose_assumes(row, holds=True)
pairs = np.concatenate([leading(learned[g]) for g in (0.4, 0.8)])
glue("pair-real", float(pairs.real.mean()), display=False)
glue("pair-imaginary", float(pairs.imag.mean()), display=False)
left = (learned[0.0].loss[:, -1] / learned[0.0].loss[:, 0]).mean()
glue("cosine-left", float(100 * left), display=False)

# %% [markdown]
# Without random connections {glue:text}`cosine-left:.0f` % of the loss
# are left after all epochs. With them the loss falls
# ({numref}`fig-cosine-loss`): one pair of eigenvalues leaves the disk
# and ends, on average, at {glue:text}`pair-real:.2f` ±
# {glue:text}`pair-imaginary:.2f`i ({numref}`fig-cosine-eigenvalues`).
#
# ```{margin}
# That the task needs a pair is what the networks with $g=0$ show; it is
# not a proof that there is no other way.
# ```
#
# Is it where it has to be? For an oscillation that neither grows nor
# decays the real part should be 1, and for a period of 5 the imaginary
# part $2\pi/5 \approx 1.26$: so it is in continuous time. The simulation
# takes Euler steps of $h = 0.1$ time constants, each of which multiplies
# activity by $1 + h(\lambda - 1)$ for an eigenvalue $\lambda$. For this
# to be a turn by $2\pi h/5$ and no more, $\lambda$ has to be $1 +
# (e^{2\pi\mathrm{i}h/5} - 1)/h \approx 0.92 + 1.25\mathrm{i}$. Our pairs
# are near that one.
#
# ## Published values and ours

# %% tags=["remove-input"]
record = published_sizes.compare(
    {
        "target 0.5": found[0.0, 0.5].first[:, -1],
        "target 2": found[0.0, 2.0].first[:, -1],
    }
)

# %% tags=["remove-input"]
drops = {
    f"g {g:g}": learning_time(learned[g].loss, 0.5) for g in (0.4, 0.8)
}
record = published_drop.compare(
    {name: times[np.isfinite(times)] for name, times in drops.items()},
    missing={
        name: "a network did not get there"
        for name, times in drops.items()
        if not np.isfinite(times).all()
    },
)

# %% tags=["remove-input"]
record = published_pair.compare(
    {"real part": pairs.real, "imaginary part": pairs.imag}
)

# %% [markdown]
# ## What we have, and what it does not show
#
# - For the linear network, low rank and acceleration have one cause: each
#   step is an outer product of two vectors, which the random network
#   makes longer and learning turns but little.
# - Theory is right to within a fifth inside its range, in networks large
#   enough for it, and both can be told without any simulation. The range
#   covers the first part of learning only; for large
#   targets and strong random connections, hardly that.
# - The acceleration, $(1-g^2)^2$ for small targets, holds until 5 % of
#   the loss is left. Learning times of larger targets and the second
#   singular value are right in kind, not in number; the loss after
#   permutation is nearly right for a target of 0.5, and not for larger
#   ones.
# - All of this is for one input, one output and one value to settle at.
#   The nonlinear networks of the paper learn beyond $g = 1$, where this
#   theory has nothing to say.
#
# ## Exercises
#
# ::::{exercise}
# :label: two-units
# Without random connections a network of 256 units learns exactly as one
# of two units. Which two directions do these stand for? Build the small
# network (its two vectors need the same angle, and the same product of
# their lengths), let both learn, and compare the singular values.
# ::::

# %% [markdown]
# ::::{solution-start} two-units
# :class: dropdown
# ::::

# %%
large = linear_networks(0.0, n_units=256, n_networks=1)
for name, one in (
    ("256 units", large),
    ("2 units", theory.two_unit_equivalent(large)),
):
    learning = theory.descend_fixed_point(
        one, 2.0, learning_rate=0.003, n_epochs=200
    )
    first, second = learning.singular_values[0, -1].tolist()
    print(f"{name}: s1 {first:.12f}, s2 {second:.12f}")

# %% [markdown]
# Every step is a multiple of $\mathbf b\mathbf a^\top$, and without
# $W_0$ both vectors stay in the plane of $\mathbf m$ and $\mathbf w$;
# `two_unit_equivalent` writes the two in coordinates of this plane. The
# change is a 2 × 2 matrix there, so that it has two singular values and
# no third.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: longer-vectors
# Theory says that $|\mathbf a|^2$ is $N\beta$ and $|\mathbf b|^2$ is
# $\beta/N$ before learning. Is it so? And does it become better with
# more units? (Take several networks of each size, and solve for the two
# vectors of {eq}`outer-product`.)
# ::::

# %% [markdown]
# ::::{solution-start} longer-vectors
# :class: dropdown
# ::::

# %%
for n in (64, 256, 1024):
    norms = theory.resolvent_norms(linear_networks(0.6, n_units=n))
    said = theory.large_network_norms(0.6, n)
    a, b = norms.input / said.input, norms.readout / said.readout
    print(
        f"N {n:4d}: |a|² {a.mean():.3f} ± {a.std():.3f} of theory, "
        f"|b|² {b.mean():.3f} ± {b.std():.3f}"
    )

# %% [markdown]
# It is so on average, with a spread that about halves with four times
# the units. The product of the two is the speed at which learning begins.
#
# ::::{solution-end}
# ::::
