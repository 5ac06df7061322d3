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

# %% tags=["remove-input"]
krylov_bound = chapter.claim(
    "P5.krylov",
    statement="From a random start, the singular values of activity and "
    "adjoint of the first gradient fall at least as fast as the powers "
    "of the random weights that make them.",
    source=OURS,
    criterion="In every linear network, at g of 0.1, 0.3, 0.6 and 0.9, "
    "no tail of the singular values is above its bound (by more than "
    "1e-10 of the whole). The bound with each remainder in the place of "
    "the one before, and half of the bound, must not pass.",
    expression="max(excess) <= 1e-10",
)

# %% tags=["remove-input"]
word_decay = chapter.claim(
    "P5.decay",
    statement="What a linear network learns from a random start of "
    "strength g is, but for a share of order $g^{m+1}$, made of words of "
    "up to m letters in the random weights and their transpose.",
    source=OURS,
    criterion="In every network, for m = 0, 1 and 2, the share of the "
    "change that lies outside grows with g with an exponent (slope of a "
    "line through its logarithms, g from 0.001 to 0.01) within 0.1 of "
    "m + 1. At m = 1, words that do not mix the two, and random spaces "
    "of as many dimensions, must not pass.",
    expression="max(off) <= 0.1",
)

# %% tags=["remove-input"]
polynomial_bound = chapter.claim(
    "P5.polynomial",
    statement="From zero weights, the tails of activity and adjoint of a "
    "tanh network's first gradient are below what its best polynomials "
    "leave.",
    source=OURS,
    criterion="In every network, for inputs of scale 0.03 to 10, no "
    "tail of the singular values after as many as there are monomials "
    "is above its bound (by more than 1e-10 of the whole). The bound "
    "with each remainder in the place of the one before must not pass.",
    expression="max(excess) <= 1e-10",
)

# %% tags=["remove-input"]
product_decay = chapter.claim(
    "P5.monomials",
    statement="What a tanh network learns from zero weights and inputs "
    "of scale $\\varepsilon$ is, but for a share of order "
    "$\\varepsilon^{m+1}$, made of products of up to m vectors out of "
    "inputs and readout.",
    source=OURS,
    criterion="In every network, for m = 1 and 3, the share of the "
    "change that lies outside grows with the scale with an exponent "
    "(scale 0.01 to 0.05) within 0.2 of m + 1. At m = 3, products of the "
    "inputs alone, and random spaces of as many dimensions, must not "
    "pass.",
    expression="max(off) <= 0.2",
)

# %% tags=["remove-input"]
coordinates = chapter.claim(
    "P5.adam",
    statement="Adam does not stay in the space out of which gradient "
    "descent cannot lead, and whether it does depends on the "
    "coordinates.",
    source=OURS,
    criterion="In every linear network that starts from zero weights, "
    "less than 1e-8 of the norm of the change is outside that space for "
    "gradient descent, more than 0.3 for Adam, and less than 1e-8 for "
    "Adam in coordinates of which the first few span the space. "
    "Coordinates turned at random must not pass for these.",
    expression="max(descent) < 1e-8 and min(adam) > 0.3 "
    "and max(adam_aligned) < 1e-8",
)

# %% tags=["remove-input"]
adam_tail = chapter.claim(
    "P5.adam-tail",
    statement="Adam's change is still dominated by as many directions as "
    "the bound allows gradient descent, and its tail beyond has no "
    "function; but the directions are its own.",
    source=OURS,
    criterion="In every one of the same networks, at a loss that "
    "gradient descent reaches too, the change of Adam cut to its own d "
    "leading directions keeps at least 95 % of the fall of the loss (d "
    "is the dimension of the space). Cut to that space, or to d random "
    "dimensions, it must not pass.",
    expression="min(kept) >= 0.95",
)

# <<< claims B

# >>> claims C
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

# %% [markdown]
# ## From a random start
#
# No network of the chapters before started from zero. Let $W_0 =
# \alpha\,1 + gJ$, with $J$ random: independent numbers of variance
# $1/N$. The only space that such a matrix and its transpose map into
# itself is the whole space, the exact bound says nothing, and rightly so:
# the change has full rank. But its singular values fall. Why?
#
# Begin with the first gradient. In a linear network the input enters by
# $B$ and is sent on by $W_0$, again and again. Each time it has passed
# through $J$ it has got another factor $g$.
#
# ```{prf:theorem} First gradient, linear network
# :label: thm-krylov
#
# Let $K = W_0 - \alpha\,1$. Filter the inputs again and again:
# $\mathbf z^{(k)}_{t+1} = (1 - h + h\alpha)\,\mathbf z^{(k)}_t
# + h\,\mathbf z^{(k-1)}_t$, with $\mathbf z^{(-1)} = \mathbf u$,
# and let $Z^{(k)}$ hold $\mathbf z^{(k)}_t$ as its columns. Then, for
# every $m$, $\Phi$ differs from a matrix of rank at most $pm$ by at most
#
# $$
# \sum_{k \ge m} \lVert K^k B \rVert_2 \, \lVert Z^{(k)} \rVert_F
# $$
#
# in the Frobenius norm, so that
# $\bigl(\sum_{i > pm} \sigma_i(\Phi)^2\bigr)^{1/2}$ is no larger.
# $\Lambda$ obeys the same with $K^\top$ for $K$, $C^\top$ for $B$, $q$
# for $p$, and the outputs' errors, filtered backwards, for the inputs.
# ```
#
# ```{prf:proof}
# With $x_0 = 0$, insert $\mathbf x_t = \sum_k K^k B\,\mathbf z^{(k)}_t$
# into $\mathbf x_{t+1} = (1-h+h\alpha)\,\mathbf x_t + hK\mathbf x_t +
# hB\mathbf u_t$. The terms with $K^k B$ on both sides are equal if
# $\mathbf z^{(k)}$ is the filtered $\mathbf z^{(k-1)}$. So $\Phi =
# \sum_k K^k B Z^{(k)}$. The first $m$ terms have their columns in the
# *Krylov space* spanned by $B, KB, \dots, K^{m-1}B$, of at most $pm$
# dimensions; the rest is no larger than the sum of its terms' norms. By
# Eckart and Young no matrix of rank $pm$ is nearer than the tail of the
# singular values. An initial state is one more input, at time 0. The
# adjoint's recursion {eq}`bounds-adjoint` is the same with $W^\top$ and
# the errors, and time reversed.
# ```
#
# The weights of each filter sum to at most $1/(1-\alpha)$ (for
# $0 \le \alpha < 1$), so filtering does not make the input grow for
# $\alpha = 0$. And $\lVert J^k\mathbf b\rVert$ tends to
# $\lVert\mathbf b\rVert$ with growing $N$, for every fixed $k$. So
# **the terms fall like $g^k$**, each brings $p$ more dimensions, and the
# number of units appears nowhere.

# %%
n_tries = chapter.at_scale(smoke=1, book=5, paper=10)
first_seed = 100 * seed


def shown_to(problem):
    """What a bound of the first gradient needs to know of a problem."""
    trials = (problem.network, problem.inputs, problem.targets)
    return trials, {"dt": problem.dt, "initial": problem.initial}


strengths = (0.1, 0.3, 0.6, 0.9)
random_starts = {}
for g in strengths:
    for k in range(n_tries):
        problem = theory.random_problem(first_seed + k, n_units=80, g=g)
        trials, options = shown_to(problem)
        random_starts[g, k] = (
            theory.factors_of_gradient(*trials, **options),
            theory.krylov_tail(*trials, **options),
        )

# %% tags=["remove-input"]


def excess(pairs, change=lambda bound: bound):
    """The largest violation of both factors' bounds, for each network."""
    return [
        max(
            change(bounds.rates).broken_by(factors.rates),
            change(bounds.adjoint).broken_by(factors.adjoint),
        )
        for factors, bounds in pairs
    ]


def one_before(bound):
    """Each remainder in the place of the one before it."""
    return bound._replace(remainder=np.append(bound.remainder[1:], 0.0))


def halved(bound):
    """Half of the bound."""
    return bound._replace(remainder=bound.remainder / 2)


row = krylov_bound.judge(
    {"excess": excess(random_starts.values())},
    {
        "a term too few": {
            "excess": excess(random_starts.values(), one_before)
        },
        "half": {"excess": excess(random_starts.values(), halved)},
    },
)
krylov_bound.prose_assumes(row, holds=True)
room = {
    g: np.mean(
        [
            bounds.rates.remainder[4]
            / theory.singular_tails(factors.rates)[bounds.rates.rank[4]]
            for (at, _), (factors, bounds) in random_starts.items()
            if at == g
        ]
    )
    for g in strengths
}
glue("random-start-room-weak", float(room[0.1]), display=False)
glue("random-start-room-strong", float(room[0.9]), display=False)

# %% tags=["hide-input"]
drawn = {"g = 0.1": 0.1, "g = 0.3": 0.3, "g = 0.9": 0.9}
panels = {}
for title, g in drawn.items():
    pairs = [random_starts[g, k] for k in range(n_tries)]
    ranks = pairs[0][1].rates.rank[:9]
    tails = [theory.singular_tails(one.rates) for one, _ in pairs]
    sizes = np.array([tail[0] for tail in tails])[:, None]
    panels[title] = {
        "measured": np.stack([tail[ranks] for tail in tails]) / sizes,
        "bound": np.stack([b.rates.remainder[:9] for _, b in pairs])
        / sizes,
    }
charts.show(
    charts.curve_panels(
        panels,
        dict.fromkeys(panels, ranks),
        x_title="rank",
        y_title="what this rank leaves (share of the norm)",
        y_scale={"type": "log", "domain": [1e-8, 10], "nice": False},
        clip=True,
    ),
    name="random-start-first-gradient",
    caption="Activity of linear networks from a random start, in the "
    "first gradient: what the best matrix of each rank leaves, and the "
    "bound, which allows 2 more for each power of the random weights "
    "(lines: mean over networks, bands: their range). A measured line "
    "above its bound would refute the theorem.",
    alt="Three panels for g of 0.1, 0.3 and 0.9, on a logarithmic axis. "
    "Measured tail and bound fall with rank, steeply at g = 0.1, slowly "
    "at g = 0.9; the bound is always above.",
)

# %% [markdown]
# In {numref}`fig-random-start-first-gradient` the bound has the measured
# slope. After four powers it is {glue:text}`random-start-room-weak:.0f`
# times what is measured at $g=0.1$, and
# {glue:text}`random-start-room-strong:.0f` times at $g=0.9$: the terms
# of the sum are not at right angles to each other, and their inputs, the
# filtered $\mathbf z^{(k)}$, are much alike.
#
# ### All of learning: words
#
# A first guess for the whole of learning is that the change lives in
# these two Krylov spaces, of $W_0$ on inputs and of $W_0^\top$ on the
# readout. (It was our own guess, too.) It is wrong after the first step.
# The first update writes the readout's rows into the range of $W$; from
# then on, activity has a part along $C^\top$, and $W_0$ acts on *that*.
# And so on: the change is made of *words*. A word is a product such as
# $J J^\top J$, of letters $J$ and $J^\top$, applied to a vector of
# $V = \operatorname{range}[B, C^\top, X_0]$.
#
# ```{prf:theorem} All of learning, linear network
# :label: thm-words
#
# Let $W_0 = \alpha\,1 + gJ$, and let $P_m$ project onto the space $U_m$
# of all words of at most $m$ letters applied to $V$. For every loss with
# a continuous gradient, fixed data, step sizes, momentum, and number of
# steps,
#
# $$
# \lVert \Delta W_s - P_m\,\Delta W_s\,P_m \rVert_F = O(g^{m+1})
# \quad\text{as } g \to 0, \qquad
# \dim U_m \le d\,(2^{m+1} - 1).
# $$
# ```
#
# ```{prf:proof}
# Write $Q_m = 1 - P_m$. Everything that is computed in the run depends
# continuously on $g$, so that states, adjoints and changes are bounded
# for small $g$. We claim that for all $m$, at all times and steps,
# $Q_m\mathbf x_t$, $Q_m\boldsymbol\lambda_t$, $Q_m\Delta W_s$ and
# $\Delta W_s\,Q_m$ are $O(g^{m+1})$. *Steps*: it is true of
# $\Delta W_0 = 0$. Let it be true of $\Delta W_s$. *Forwards in time*:
# $\mathbf x_0$ and $B\mathbf u_t$ are in $V \subseteq U_m$. If the
# claim holds for $\mathbf x_t$, it holds for $\Delta W_s\mathbf x_t$,
# and, since $J$ maps $U_{m-1}$ into $U_m$,
#
# $$
# Q_m\, gJ\mathbf x_t = g\,Q_m J\,(P_{m-1} + Q_{m-1})\,\mathbf x_t
# = g\,Q_m J\, Q_{m-1}\mathbf x_t = g\cdot O(g^m);
# $$
#
# so it holds for $\mathbf x_{t+1}$ (for $m=0$ the factor $g$ is enough).
# *Backwards in time* the same with $J^\top$, $\Delta W_s^\top$ and
# $C^\top$. Then $G_s = h\Lambda\Phi^\top$ has $Q_m G_s = h(Q_m\Lambda)
# \Phi^\top = O(g^{m+1})$, likewise $G_s Q_m$, and so has the sum of
# gradients $\Delta W_{s+1}$. Finally $\Delta W - P_m\Delta W P_m = Q_m
# \Delta W + P_m\Delta W\,Q_m$. Words of exactly $k$ letters are $2^k$, of
# at most $m$ together $2^{m+1}-1$, each applied to $d$ vectors.
# ```
#
# Again no $N$: a random start of strength $g$ learns a change of some
# *effective* rank that depends on $g$ and the task, plus a tail. To try
# it, we let networks learn and measure which share of the change lies
# outside $U_m$. It must fall along a line of slope $m+1$ on logarithmic
# axes. Two spaces that should not do are put beside it.

# %%
n_points = chapter.at_scale(smoke=2, book=4, paper=6)
weak = np.geomspace(1e-3, 0.01, n_points)


def let_learn(problem, n_steps=30, learning_rate=2.0, **options):
    """Gradient descent on the problem, observed."""
    trials, at = shown_to(problem)
    steps = {"n_steps": n_steps, "learning_rate": learning_rate}
    return theory.descend(*trials, **at, **steps, **options)


def learning_vectors(problem):
    """Inputs and readout as columns; initial states are zero here."""
    inward, outward = problem.network[1:3]
    return np.hstack([inward[0].numpy(), outward[0].numpy().T])


def random_space(like, k):
    """As many random dimensions."""
    rng = np.random.default_rng([seed, k])
    return np.linalg.qr(rng.standard_normal(like.shape))[0]


leaks = {}
for k in range(n_tries):
    for g in weak:
        problem = theory.random_problem(first_seed + k, n_units=60, g=g)
        run = let_learn(problem)
        start = problem.network.recurrent[0].numpy()
        vectors = learning_vectors(problem)
        spaces = {
            f"m = {m}": theory.word_space(start, vectors, m)
            for m in (0, 1, 2)
        }
        apart = (
            theory.word_space(start, vectors[:, :2], 1, "forward"),
            theory.word_space(start, vectors[:, 2:], 1, "backward"),
        )
        spaces["not mixed"] = np.linalg.qr(np.hstack(apart))[0]
        spaces["random"] = random_space(spaces["m = 1"], k)
        for name, space in spaces.items():
            leaks.setdefault(name, []).append(theory.leak(run, space))
leaks = {
    name: np.reshape(part, (n_tries, -1)) for name, part in leaks.items()
}

# %% tags=["remove-input"]


def exponents(shares, x):
    """The slope against x on logarithmic axes, for each network."""
    return np.polyfit(np.log(x), np.log(shares).T, 1)[0]


wanted = {"m = 0": 1, "m = 1": 2, "m = 2": 3}
row = word_decay.judge(
    {
        "off": np.concatenate(
            [
                np.abs(exponents(leaks[name], weak) - slope)
                for name, slope in wanted.items()
            ]
        )
    },
    {
        name: {"off": np.abs(exponents(leaks[name], weak) - 2)}
        for name in ("not mixed", "random")
    },
)
word_decay.prose_assumes(row, holds=True)
for name, part in (("0", "m = 0"), ("1", "m = 1"), ("2", "m = 2")):
    slope = float(exponents(leaks[part], weak).mean())
    glue(f"words-slope-{name}", slope, display=False)
slope = float(exponents(leaks["not mixed"], weak).mean())
glue("words-slope-unmixed", slope, display=False)

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        leaks,
        weak,
        x_title="strength of the random start g",
        y_title="share of the change outside",
        x_scale={"type": "log", "nice": False},
        y_scale={"type": "log"},
    ),
    name="words-decay",
    caption="What linear networks learn from a random start: the share "
    "of the change that lies outside the space of words of up to m "
    "letters, against g, both on logarithmic axes (lines: mean over "
    "networks, bands: range). The theorem asks for slopes of 1, 2 and "
    "3. Not mixed: words of up to one letter, J on the inputs and its "
    "transpose on the readout only. Random: as many random dimensions "
    "as for m = 1.",
    alt="Five straight lines. Those of m = 0, 1 and 2 rise ever more "
    "steeply from ever lower; the one without mixing is parallel to m = "
    "0, below it; random dimensions give a flat line near 1.",
)

# %% [markdown]
# The slopes in {numref}`fig-words-decay` are
# {glue:text}`words-slope-0:.2f`, {glue:text}`words-slope-1:.2f` and
# {glue:text}`words-slope-2:.2f`. Words that are not mixed leave what
# falls with an exponent of {glue:text}`words-slope-unmixed:.2f` only,
# where 2 was asked: the mixing is needed.
#
# ### In numbers
#
# At the strengths at which networks are used, $g$ is not small. What is
# left of the theorem there?

# %%
strong = (0.0, 0.1, 0.3, 0.6, 0.9)
network_sizes = chapter.at_scale(
    smoke=(40,), book=(80, 200, 400), paper=(80, 200, 400, 800)
)
effective = {}
for n in network_sizes:
    for g in strong:
        for k in range(min(n_tries, 2)):
            run = let_learn(
                theory.random_problem(first_seed + k, n_units=n, g=g),
                n_steps=20,
                learning_rate=5.0,
            )
            values = np.linalg.svd(run.change[-1], compute_uv=False)
            effective[n, g, k] = values / values[0]


def rank_at(tolerance):
    """Singular values above it, by size and strength."""
    return {
        f"{n} units": np.array(
            [
                [(effective[n, g, k] > tolerance).sum() for g in strong]
                for k in range(min(n_tries, 2))
            ],
            dtype=float,
        )
        for n in network_sizes
    }


# %% tags=["hide-input"]
titles = {"above 1e-2": 1e-2, "above 1e-3": 1e-3, "above 1e-8": 1e-8}
charts.show(
    charts.curve_panels(
        {title: rank_at(at) for title, at in titles.items()},
        dict.fromkeys(titles, np.array(strong)),
        x_title="strength g",
        y_title="singular values",
        y_scale={"type": "log"},
    ),
    name="random-start-ranks",
    caption="How many singular values of the change are above a "
    "hundredth, a thousandth and 1e-8 of the largest, after 20 steps "
    "from random starts, for networks of several sizes (lines: mean of "
    "two networks, bands: both).",
    alt="Three panels against g from 0 to 0.9. At g = 0 all have 4. The "
    "numbers rise with g, most at 1e-8. Lines of all sizes lie nearly on "
    "each other.",
)

# %% tags=["remove-input"]
largest = f"{network_sizes[-1]} units"
for name, at in (("coarse", 1e-2), ("fine", 1e-3), ("exact", 1e-8)):
    found = rank_at(at)
    glue(
        f"random-start-rank-{name}-small",
        float(found[f"{network_sizes[0]} units"][:, -1].mean()),
        display=False,
    )
    glue(
        f"random-start-rank-{name}-large",
        float(found[largest][:, -1].mean()),
        display=False,
    )
longer = let_learn(
    theory.random_problem(first_seed, n_units=network_sizes[0], g=0.9),
    n_steps=150,
    learning_rate=5.0,
)
values = np.linalg.svd(longer.change[-1], compute_uv=False)
for name, at in (("coarse", 1e-2), ("exact", 1e-8)):
    count = int((values > at * values[0]).sum())
    glue(f"random-start-longer-{name}", count, display=False)

# %% [markdown]
# {numref}`fig-random-start-ranks`: at $g = 0.9$ and a hundredth of the
# largest, the smallest networks have
# {glue:text}`random-start-rank-coarse-small:.1f` singular values and the
# largest, five times their size,
# {glue:text}`random-start-rank-coarse-large:.1f`; at a thousandth
# {glue:text}`random-start-rank-fine-small:.1f` and
# {glue:text}`random-start-rank-fine-large:.1f`. The number of units
# hardly matters, as the theorem says. At $10^{-8}$, where 80 is all
# that the smallest can have, it is
# {glue:text}`random-start-rank-exact-small:.0f` and
# {glue:text}`random-start-rank-exact-large:.0f`. Learning for longer
# mixes in longer words: after 150 steps, the first network of the
# smallest has {glue:text}`random-start-longer-coarse` singular values
# above a hundredth, and {glue:text}`random-start-longer-exact` above
# $10^{-8}$.

# <<< B1

# >>> B2 When units are not linear

# %% [markdown]
# ## When units are not linear
#
# With $\phi = \tanh$ a vector of unit activities is bent: $\tanh$ of a
# vector in a plane lies in no plane. How far does it get out? Begin
# again with zero weights and the first gradient. There $\mathbf x_t =
# B\mathbf z_t$, where $\mathbf z_t$ is the filtered input, of only $p$
# dimensions. (Initial states count as inputs.)
#
# If $\tanh$ were a polynomial of degree $m$, nothing more would be
# needed: $x_i^k = (\sum_a B_{ia} z_a)^k$ is a sum of *monomials* like
# $z_1^2 z_2$ with coefficients that depend on the unit, and there are
# $\binom{p+k-1}{k}$ monomials of degree $k$. So the question is how near
# $\tanh$ is to a polynomial.
#
# ```{prf:lemma} Polynomials near tanh
# :label: lem-tanh
#
# Let $m$ be odd. (a) The Taylor polynomial of degree $m$ errs by at most
# the size of the next term, $|c_{m+2}|\,|y|^{m+2}$, *for every real*
# $y$. (b) For every $Y > 0$ there is an odd polynomial of degree $m$
# with
#
# $$
# |\tanh y - p(y)| \;\le\; \tfrac12\,(Y - \tanh Y)\,\rho^{\,1-m}
# \quad\text{for } |y| \le Y, \qquad
# \rho = c + \sqrt{1 + c^2}, \quad c = \frac{\pi}{2Y} .
# $$
# ```
#
# ```{prf:proof}
# Both follow from the partial fractions of $\tanh$: with $b_k =
# ((2k-1)\pi/2)^2$,
#
# $$
# \tanh y = \sum_{k\ge1} \frac{2y}{b_k + y^2} .
# $$
#
# (a) Summing a geometric series, $\frac1{b+y^2} = \frac1b\sum_{j<J}
# (-y^2/b)^j + (-y^2/b)^J\frac1{b+y^2}$. The sums over $k$ of the first
# part are the Taylor terms up to degree $m = 2J-1$; the rest is at most
# $2|y|^{2J+1}\sum_k b_k^{-J-1} = |c_{2J+1}|\,|y|^{2J+1}$.
#
# (b) As a function of $y^2 \in [0, Y^2]$, each fraction is
# $\frac{2}{Y^2}\frac{1}{a-x}$ with $x = 1 - 2y^2/Y^2 \in [-1, 1]$ and
# $a = 1 + 2b/Y^2$. Put $r = 1/(a + \sqrt{a^2-1})$, $x = \cos\theta$,
# $v = e^{i\theta}$, and
#
# $$
# e(x) = \frac{r^n}{a^2-1}\,\operatorname{Re}
# \left[v^n\,\frac{v - r}{1 - rv}\right] .
# $$
#
# The fraction in brackets has modulus 1, so $|e| \le r^n/(a^2-1)$.
# Written over the common denominator $(1-rv)(1-r/v) = 2r(a - x)$, the
# numerator is a polynomial in $x$ of degree $n+1$; at $x = a$, that is
# $v = 1/r$, it makes $e$ equal to $1/(a-x)$ but for what stays finite.
# Hence $1/(a-x) - e(x)$ is a polynomial of degree $n$ (Chebyshev's best
# one). Times $2y\cdot 2/Y^2$ it is odd of degree $m = 2n+1$, and errs by
# at most $\frac{4}{Y}\frac{r^n}{a^2-1} = r^n\,\frac{Y^3}{b(b+Y^2)}$.
# Now sum over $k$. The largest of the $r$ is that of $b_1$, where it is
# $\rho^{-2}$; and $\sum_k \frac{Y^3}{b_k(b_k+Y^2)} = Y\sum_k\bigl(
# \frac1{b_k} - \frac1{b_k+Y^2}\bigr) = Y\bigl(\frac12 -
# \frac{\tanh Y}{2Y}\bigr)$.
# ```
#
# Beyond $Y = \pi/2$ the Taylor series diverges. (a) still holds there,
# but higher degrees make it worse; (b) tends to zero for every $Y$. For
# the slope $1-\tanh^2$, which the adjoint needs, (a) becomes
# $(m+3)\,|c_{m+3}|\,|y|^{m+2}$ for even $m$, by taking the derivative of
# the same sums, and a polynomial as good as in (b) is the Chebyshev
# series: it errs by at most $2M\rho^{-(m+2)}/(1-\rho^{-2})$ with $M =
# 1/\cos^2\vartheta$, $\rho = c + \sqrt{1+c^2}$, $c = \vartheta/Y$, for
# every $\vartheta \in (0, \pi/2)$; we take the best.
#
# ```{prf:theorem} First gradient, tanh network from zero weights
# :label: thm-monomials
#
# Let $W_0 = 0$, and $Y_i$ be the largest $|x_i|$ over all times and
# trials. Then $\Phi$ differs from a matrix of rank at most $\sum_{k \le
# m,\,\text{odd}} \binom{p+k-1}{k}$ by at most $\sqrt{n}\,\bigl(\sum_i
# E_m(Y_i)^2\bigr)^{1/2}$ in the Frobenius norm, with $n$ its number of
# columns and $E_m$ the error (a) or (b) of {prf:ref}`lem-tanh`. The same
# holds for $\Lambda$ with rank $q\sum_{k\le m,\,\text{even}}
# \binom{p+k-1}{k}$ and remainder $\frac1h\bigl(\sum_i E'_m(Y_i)^2\,
# \lVert (C^\top E)_i \rVert^2\bigr)^{1/2}$, where $E'_m$ is the error for
# the slope and the columns of $E$ are the errors $\partial L/
# \partial\mathbf y_t$.
# ```
#
# ```{prf:proof}
# Give every unit a polynomial of its own, on its own interval. Replacing
# $\tanh$ by it changes row $i$ of $\Phi$ by at most $E_m(Y_i)$ in each of
# the $n$ columns. What is left is (units × monomials) times (monomials ×
# columns). Now the adjoint. With $W_0 = 0$, {eq}`bounds-adjoint` is
# $\boldsymbol\lambda_t = \sum_{s \ge t} (1-h)^{s-t} D_s C^\top\mathbf
# e_s$. With polynomials for the slopes in $D_s$, the entry of unit $i$
# in $D_sC^\top\mathbf e_s$ is a sum of monomials of $\mathbf z_s$ times
# entries of $\mathbf e_s$: that is the rank. Summing over $s$ acts on
# columns only, which changes no rank, and enlarges no row's norm by more
# than $\sum_j (1-h)^j \le 1/h$.
# ```
#
# That each unit may have its own polynomial is worth a lot: most units
# are driven much less than the most driven one.

# %%
scales = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
zero_starts = {}
for scale_of_input in scales:
    for k in range(n_tries):
        problem = theory.random_problem(
            first_seed + k,
            n_units=80,
            input_scale=scale_of_input,
            nonlinearity="tanh",
        )
        trials, options = shown_to(problem)
        zero_starts[scale_of_input, k] = (
            theory.factors_of_gradient(*trials, **options),
            theory.monomial_tail(*trials, **options),
            theory.monomial_tail(*trials, **options, best=False),
        )

# %% tags=["remove-input"]
both_forms = [
    (factors, bound)
    for factors, *bounds in zero_starts.values()
    for bound in bounds
]
row = polynomial_bound.judge(
    {"excess": excess(both_forms)},
    {"the next degree's": {"excess": excess(both_forms, one_before)}},
)
polynomial_bound.prose_assumes(row, holds=True)
factors, best, taylor = zero_starts[3.0, 0]
values = np.linalg.svd(factors.rates, compute_uv=False)
threshold = float(0.01 * values[0])
glue("monomials-measured", int((values > threshold).sum()), display=False)
for name, bounds in (("best", best), ("taylor", taylor)):
    promised = bounds.rates.rank_above(threshold)
    glue(f"monomials-{name}", promised, display=False)

# %% tags=["hide-input"]
drawn = {"inputs of scale 0.3": 0.3, "1": 1.0, "10": 10.0}
panels = {}
for title, at in drawn.items():
    found = [zero_starts[at, k] for k in range(n_tries)]
    ranks = found[0][1].rates.rank[:7]
    tails = [theory.singular_tails(one.rates) for one, *_ in found]
    sizes = np.array([tail[0] for tail in tails])[:, None]
    panels[title] = {
        "measured": np.stack([tail[ranks] for tail in tails]) / sizes,
        "best polynomials": np.stack(
            [b.rates.remainder[:7] for _, b, _ in found]
        )
        / sizes,
        "Taylor": np.stack([t.rates.remainder[:7] for *_, t in found])
        / sizes,
    }
charts.show(
    charts.curve_panels(
        panels,
        dict.fromkeys(panels, ranks),
        x_title="rank",
        y_title="what this rank leaves (share of the norm)",
        y_scale={"type": "log", "domain": [1e-10, 100], "nice": False},
        clip=True,
    ),
    name="monomials-first-gradient",
    caption="Activity of tanh networks from zero weights in the first "
    "gradient, for inputs of three scales: what the best matrix of each "
    "rank leaves, and the bounds by best polynomials and by Taylor's, "
    "at the numbers of monomials of degrees 1, 3, 5, ... of two inputs "
    "(lines: mean over networks, bands: range). A measured line above "
    "one of the others would refute the theorem.",
    alt="Three panels with three falling lines each, on a logarithmic "
    "axis. Measured is lowest, best polynomials above it, Taylor on top. "
    "For inputs of scale 10 Taylor rises out of the picture.",
)

# %% [markdown]
# {numref}`fig-monomials-first-gradient` shows the bounds with room to
# spare. What they say on ranks is better than it looks: for inputs of
# scale 3 the activity of the first network has
# {glue:text}`monomials-measured` singular values above a hundredth of the
# largest. Best polynomials promise at most {glue:text}`monomials-best`,
# Taylor's {glue:text}`monomials-taylor`.
#
# ### All of learning: products
#
# In the whole of learning, not only the inputs are bent and multiplied,
# but also what has been written. Scale inputs and initial states by
# $\varepsilon$, and let $A_k$ be the space of all elementwise products of
# $k$ vectors of $V$.
#
# ```{prf:theorem} All of learning, tanh network from zero weights
# :label: thm-products
#
# Let $W_0 = 0$, $m$ odd, and $P_m$ project onto $A_1 + A_3 + \dots +
# A_m$. For every loss with a continuous gradient, fixed data, step
# sizes, momentum, and number of steps,
#
# $$
# \lVert \Delta W_s - P_m\,\Delta W_s\,P_m \rVert_F =
# O(\varepsilon^{m+2}) \quad\text{as } \varepsilon \to 0,
# $$
#
# while $\Delta W_s$ itself is of order $\varepsilon$; and $\dim A_k \le
# \binom{d+k-1}{k}$.
# ```
#
# ```{prf:proof}
# Call a vector *graded from* $j$ if for every odd $m$ it is a sum of
# vectors in $A_k$ of size $O(\varepsilon^{k+j})$ over odd $k \le m$ and a
# rest of size $O(\varepsilon^{m+2+j})$. If $\mathbf x$ is graded from 0,
# so is $\tanh\mathbf x$: an odd power of a sum of terms multiplies an odd
# number of them, the product of terms in $A_k$ and $A_l$ is in
# $A_{k+l}$, and its size is the product of their sizes. In the same way
# the slopes are 1 and terms in $A_2, A_4, \dots$ of size
# $O(\varepsilon^k)$. We claim that, at all times and steps, $\mathbf
# x_t$ is graded from 0, $\boldsymbol\lambda_t$ from $-1$, and $\Delta
# W_s$ a sum of matrices $\mathbf a\mathbf b^\top$ with $\mathbf a$
# graded from $-1$ and $\mathbf b$ from 0. It is true of $\Delta W_0 =
# 0$. If it is true of $\Delta W_s$: *forwards*, $\mathbf x_0$ and
# $B\mathbf u_t$ are in $A_1$ and of size $\varepsilon$, and
# $\mathbf a\,(\mathbf b^\top\phi(\mathbf x_t))$ is $\mathbf a$ times a
# number of size $O(\varepsilon^2)$.
# *Backwards*, $C^\top\mathbf e_t$ is in $A_1$ and of size 1, $\mathbf
# b\,(\mathbf a^\top\boldsymbol\lambda)$ is $\mathbf b$ times a number of
# size 1, and products with slopes keep the grading. Then
# $G_s = h\sum\boldsymbol\lambda\,\phi(\mathbf x)^\top$ is of the claimed
# form, and so is $\Delta W_{s+1}$. What is outside $P_m$ on either side
# is of size $\varepsilon^{m+1}\cdot\varepsilon$ at most.
# ```
#
# So the *share* outside falls with $\varepsilon^{m+1}$: the slopes must
# be 2 and 4. As before, spaces that should not do stand beside.

# %%
small_scales = np.geomspace(0.01, 0.05, n_points)
shares = {}
for k in range(n_tries):
    for scale_of_input in small_scales:
        problem = theory.random_problem(
            first_seed + k,
            n_units=60,
            input_scale=float(scale_of_input),
            nonlinearity="tanh",
        )
        run = let_learn(problem)
        vectors = learning_vectors(problem)
        spaces = {
            f"m = {m}": theory.product_space(vectors, m) for m in (1, 3)
        }
        alone = theory.product_space(vectors[:, :2], 3)
        beside = np.hstack([spaces["m = 1"], alone])
        # 4 and 6 directions, of which both have the inputs
        spaces["inputs alone"] = np.linalg.svd(beside)[0][:, :8]
        spaces["random"] = random_space(spaces["m = 3"], k)
        for name, space in spaces.items():
            shares.setdefault(name, []).append(theory.leak(run, space))
shares = {
    name: np.reshape(part, (n_tries, -1)) for name, part in shares.items()
}

# %% tags=["remove-input"]
row = product_decay.judge(
    {
        "off": np.concatenate(
            [
                np.abs(exponents(shares[name], small_scales) - slope)
                for name, slope in (("m = 1", 2), ("m = 3", 4))
            ]
        )
    },
    {
        name: {"off": np.abs(exponents(shares[name], small_scales) - 4)}
        for name in ("inputs alone", "random")
    },
)
product_decay.prose_assumes(row, holds=True)
for name, part in (
    ("1", "m = 1"),
    ("3", "m = 3"),
    ("alone", "inputs alone"),
):
    slope = float(exponents(shares[part], small_scales).mean())
    glue(f"products-slope-{name}", slope, display=False)

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        shares,
        small_scales,
        x_title="scale of the inputs",
        y_title="share of the change outside",
        x_scale={"type": "log", "nice": False, "domain": [0.01, 0.1]},
        y_scale={"type": "log"},
    ),
    name="products-decay",
    caption="What tanh networks learn from zero weights: the share of "
    "the change that lies outside the space of products of up to m "
    "vectors, against the scale of the inputs, both on logarithmic axes "
    "(lines: mean over networks, bands: range). The theorem asks for "
    "slopes of 2 and 4. Inputs alone: products of the inputs, and the "
    "readout unmultiplied. Random: as many random dimensions as for m = "
    "3.",
    alt="Four lines. m = 1 rises with slope 2, m = 3 from far below with "
    "slope 4; inputs alone runs just below m = 1 and parallel to it; "
    "random dimensions give a flat line near 1.",
)

# %% [markdown]
# The slopes in {numref}`fig-products-decay` are
# {glue:text}`products-slope-1:.2f` and
# {glue:text}`products-slope-3:.2f`. Without products that the readout is
# part of, it stays at {glue:text}`products-slope-alone:.2f`.
#
# And for inputs that are not small? The theorem allows, at two inputs and
# two outputs, 4 dimensions for $m=1$ and 24 for $m=3$.

# %%
bent = {}
for scale_of_input in scales[:5]:
    for k in range(min(n_tries, 3)):
        problem = theory.random_problem(
            first_seed + k,
            n_units=80,
            input_scale=scale_of_input,
            nonlinearity="tanh",
        )
        run = let_learn(problem, n_steps=100)
        values = np.linalg.svd(run.change[-1], compute_uv=False)
        bent[scale_of_input, k] = (
            int((values > 0.01 * values[0]).sum()),
            int((values > 0.001 * values[0]).sum()),
            float(1 - run.loss[-1] / run.loss[0]),
        )
for scale_of_input in scales[:5]:
    rows = [bent[scale_of_input, k] for k in range(min(n_tries, 3))]
    coarse, fine, fall = zip(*rows, strict=True)
    print(
        f"inputs of scale {scale_of_input:4}: above 1e-2 {coarse}, above "
        f"1e-3 {fine}; the loss fell by {100 * np.mean(fall):.0f} %"
    )

# %% tags=["remove-input"]
glue(
    "products-ranks-small",
    str(max(bent[0.1, k][0] for k in range(min(n_tries, 3)))),
    display=False,
)
glue(
    "products-ranks-large",
    str(max(bent[3.0, k][0] for k in range(min(n_tries, 3)))),
    display=False,
)

# %% [markdown]
# With small inputs the change has at most
# {glue:text}`products-ranks-small` singular values above a hundredth of
# the largest; with inputs that drive units into saturation up to
# {glue:text}`products-ranks-large`. Such a number belongs to the time of
# looking, too: the loss has fallen further where inputs are larger, and
# what is written later is made of more factors.

# <<< B2

# >>> B3 What Adam does

# %% [markdown]
# ## What Adam does
#
# The three tasks of [an earlier chapter](03_three_tasks.py) were learned
# with Adam, and all the statements above are for gradient descent. Adam
# divides every entry of the gradient by a running measure of its own
# size. Its first step is, up to the small constant in the denominator,
# $-\eta\operatorname{sign}(G)$. The sign of a matrix of rank one is again
# of rank one; but that of a sum of two such matrices can have any rank.
#
# There is a plain reason why no theorem like those above can hold for
# Adam. Those speak of spaces, and know no axes.
#
# ```{prf:proposition} Gradient descent knows no axes, Adam does
# :label: prop-axes
#
# Describe a linear network in other coordinates: with $Q$ orthogonal, $W'
# = Q^\top WQ$, $B' = Q^\top B$, $C' = CQ$, $\mathbf x' = Q^\top\mathbf
# x$. Outputs and loss are the same. Gradient descent then learns the
# same, $\Delta W' = Q^\top\Delta W\,Q$. Adam does not; and if $W_0 =
# \alpha\,1$ and the first $d$ coordinates span $V$, Adam changes nothing
# but the first $d \times d$ entries, exactly.
# ```
#
# ```{prf:proof}
# $G' = Q^\top GQ$ by the chain rule, and sums of gradients are turned
# alike. In the special coordinates, activity and adjoint have only their
# first $d$ entries as long as $\Delta W$ is zero outside the first $d
# \times d$; so is $G$ then, and Adam moves an entry whose gradient has
# always been zero by $0/(0+\epsilon) = 0$. That it does not learn the
# same in all coordinates is shown by the example that follows.
# ```
#
# The control could not be fairer: the same loss, the same problem, the
# same optimiser, only the axes are turned.

# %%
n_steps = chapter.at_scale(smoke=40, book=200, paper=200)
optimisers = {
    "gradient descent": {"learning_rate": 1.0},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "Adam": {"learning_rate": 0.002, "optimiser": "adam"},
}
turned_leaks, examined = [], {}
for k in range(n_tries):
    problem = theory.random_problem(first_seed + k, n_units=60)
    space = np.linalg.qr(learning_vectors(problem))[0]
    runs = {
        name: let_learn(problem, n_steps, **options)
        for name, options in optimisers.items()
    }
    axes = theory.completed_basis(space)
    rng = np.random.default_rng([seed, k])
    elsewhere = np.linalg.qr(rng.standard_normal(axes.shape))[0]
    leaked = []
    for turn in (axes, elsewhere):
        there = theory.turned(problem, turn)
        run = let_learn(there, n_steps, **optimisers["Adam"])
        leaked.append(theory.leak(run, turn.T @ space))
    turned_leaks.append(leaked)
    if k == 0:
        there = theory.turned(problem, axes)
        seen = {
            f"{name}, {where}": matrix
            for name, options in optimisers.items()
            for where, matrix in (
                ("given axes", axes.T @ runs[name].change[-1] @ axes),
                (
                    "axes turned",
                    let_learn(there, n_steps, **options).change[-1],
                ),
            )
            if name != "momentum"
        }
    steps = theory.matched_steps(runs)
    for name, run in runs.items():
        examined.setdefault(("linear", name), []).append(
            (
                theory.leak(run, space),
                theory.optimiser_outcome(
                    problem, run, steps[name], space, seed=k
                ),
                run.change[steps[name] - 1].copy(),
            )
        )

# %% tags=["remove-input"]
aligned, at_random = np.array(turned_leaks).T
descent_leak, adam_leak = (
    np.array([one for one, *_ in examined["linear", name]])
    for name in ("gradient descent", "Adam")
)
row = coordinates.judge(
    {"descent": descent_leak, "adam": adam_leak, "adam_aligned": aligned},
    {
        "coordinates turned at random": {
            "descent": descent_leak,
            "adam": adam_leak,
            "adam_aligned": at_random,
        }
    },
)
coordinates.prose_assumes(row, holds=True)
glue("adam-leak", float(100 * adam_leak.mean()), display=False)

# %% tags=["hide-input"]
view = 12
seen = {
    name: matrix[:view, :view] / np.abs(matrix).max()
    for name, matrix in seen.items()
}
charts.show(
    charts.matrices(seen, value_title="change (share of the largest)"),
    name="adam-axes",
    caption="What one linear network learns from zero weights, all seen "
    "in coordinates of which the first four span inputs and readout "
    "(the first 12 of 60 are shown). On the left it learned in the "
    "given coordinates and the change was turned afterwards; on the "
    "right it learned in the turned ones.",
    alt="Four heat maps. Gradient descent fills only the first four "
    "rows and columns, and both of its maps are alike. Adam in the "
    "given axes also spreads over the rest, most along the first rows "
    "and columns; Adam in turned axes is confined to the first four "
    "exactly, with other values.",
)

# %% [markdown]
# Gradient descent stays where the theorem for a start without structure
# puts it. Adam has {glue:text}`adam-leak:.0f` % of the norm of its change
# outside; with the axes turned, nothing ({numref}`fig-adam-axes`).
#
# ### Does what is outside do anything?
#
# Is Adam's change then not of low rank? We compare the optimisers at
# *equal loss*: each at the first step at which its loss is as low as all
# of them get. Beside the linear network we let a tanh network learn from
# a random start ($g = 0.6$). Then we cut each change in three ways: to
# the space $V$ (of $d = 4$ dimensions) of inputs and readout, to its own
# four leading singular directions, and to four random dimensions; and ask
# how much of what was learned is left.

# %%
for k in range(n_tries):
    problem = theory.random_problem(
        first_seed + k, n_units=60, g=0.6, nonlinearity="tanh"
    )
    space = np.linalg.qr(learning_vectors(problem))[0]
    runs = {
        name: let_learn(problem, n_steps, **options)
        for name, options in optimisers.items()
    }
    for name, step in theory.matched_steps(runs).items():
        outcome = theory.optimiser_outcome(
            problem, runs[name], step, space, seed=k
        )
        found = (np.nan, outcome, runs[name].change[step - 1].copy())
        examined.setdefault(("tanh", name), []).append(found)

for (kind, name), found in examined.items():
    outcomes = [outcome for _, outcome, _ in found]
    mean = {
        field: np.mean([getattr(one, field) for one in outcomes])
        for field in theory.OptimiserOutcome._fields
    }
    print(
        f"{kind:6} {name:16} rank {mean['rank']:4.1f}, outside own four "
        f"{100 * mean['outside_own']:4.1f} %; kept by own four "
        f"{100 * mean['kept_by_own']:5.1f} %, by V "
        f"{100 * mean['kept_by_space']:6.1f} %, by random "
        f"{100 * mean['kept_by_random']:4.1f} %"
    )

# %% tags=["remove-input"]


def kept(field, kind="linear", name="Adam"):
    """The share of the loss's fall that is left, for each network."""
    return [getattr(one, field) for _, one, _ in examined[kind, name]]


row = adam_tail.judge(
    {"kept": kept("kept_by_own")},
    {
        "cut to the space": {"kept": kept("kept_by_space")},
        "random dimensions": {"kept": kept("kept_by_random")},
    },
    {"tanh, random start": {"kept": kept("kept_by_own", "tanh")}},
)
adam_tail.prose_assumes(row, holds=True)
for label, kind in (("linear", "linear"), ("tanh", "tanh")):
    for field, short in (
        ("rank", "rank"),
        ("outside_own", "outside"),
        ("kept_by_own", "own"),
        ("kept_by_space", "space"),
    ):
        value = float(np.mean(kept(field, kind)))
        if field != "rank":
            value *= 100
        glue(f"adam-{label}-{short}", value, display=False)
glue(
    "descent-tanh-rank",
    float(np.mean(kept("rank", "tanh", "gradient descent"))),
    display=False,
)

# %% tags=["hide-input"]
panels = {
    title: {
        name: np.stack(
            [
                np.maximum(values / values[0], 1e-7)
                for *_, change in examined[kind, name]
                for values in [np.linalg.svd(change)[1][:30]]
            ]
        )
        for name in optimisers
    }
    for title, kind in (
        ("linear, from zero weights", "linear"),
        ("tanh, from a random start", "tanh"),
    )
}
charts.show(
    charts.curve_panels(
        panels,
        dict.fromkeys(panels, np.arange(1, 31)),
        x_title="component",
        y_title="singular value (share of the first)",
        y_scale={"type": "log", "domain": [1e-6, 1], "nice": False},
        clip=True,
        columns=2,
        width=220,
    ),
    name="adam-spectra",
    caption="Singular values of what three optimisers had written when "
    "they had reached the same loss (lines: mean over networks, bands: "
    "range).",
    alt="Two panels on a logarithmic axis. Left, linear: gradient "
    "descent and momentum end after four values; Adam drops after a few "
    "values and goes on as a slowly falling tail. Right, tanh: all have "
    "tails, gradient descent's falls steadily, Adam's is flat and "
    "highest.",
)

# %% [markdown]
# {numref}`fig-adam-spectra` has the answer. Adam writes a tail: of the
# linear networks' changes, {glue:text}`adam-linear-rank:.0f` singular
# values are above a hundredth of the largest, where gradient descent has
# at most four; of the tanh networks' {glue:text}`adam-tanh-rank:.0f`
# against {glue:text}`descent-tanh-rank:.0f`. But the tail holds only
# {glue:text}`adam-linear-outside:.1f` % of the squared norm
# ({glue:text}`adam-tanh-outside:.1f` % with tanh), and does nothing:
# without it, {glue:text}`adam-linear-own:.1f` % of the fall of the loss
# is left ({glue:text}`adam-tanh-own:.1f` % with tanh). It is the *tail
# without function* that we saw in [three tasks](03_three_tasks.py).
#
# The four leading directions, though, are not those that the bound names:
# cut to $V$, Adam's change keeps {glue:text}`adam-linear-space:.0f` %. It
# has tilted them. An element-wise optimiser so keeps the change close to
# low rank, and loses the reason for it: that low rank survives Adam in
# the networks of {cite:t}`schuessler2020` is a fact, of which these
# theorems are no proof.

# <<< B3

# >>> A4 The bound and networks that learned
# <<< A4

# >>> C Learning as a low-dimensional flow
# <<< C

# %% [markdown]
# ## What would have refuted it

# %% [markdown]
# ## Exercises

# >>> exercises A
# <<< exercises A

# >>> exercises B

# %% [markdown]
# ::::{exercise}
# :label: words-in-few-units
# {prf:ref}`thm-words` is for any number of units, but says nothing once
# the words span everything. How long may the words be in a network of 80
# units with two inputs and two outputs? And how many units are needed for
# words of four letters? Count first, then ask `theory.word_space`.
# ::::

# %% [markdown]
# ::::{solution-start} words-in-few-units
# :class: dropdown
# ::::

# %%
problem = theory.random_problem(seed, n_units=80, g=0.1)
start = problem.network.recurrent[0].numpy()
for length in range(5):
    counted = 4 * (2 ** (length + 1) - 1)
    try:
        vectors = learning_vectors(problem)
        found = theory.word_space(start, vectors, length).shape[1]
        print(f"{length} letters: {found}, counted {counted}")
    except ValueError as error:
        print(f"{length} letters: counted {counted}. {error}")

# %% [markdown]
# With 80 units three letters are the most; four letters span 124
# dimensions, so 125 units are the least that leave something outside.
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: adam-signs
# The first step of Adam is the sign of the gradient. Which rank has the
# sign of a matrix of rank one? And of one of rank two, or four, with 60
# rows? Find out by drawing random factors. Why does the number of units
# matter so little for rank one, and so much for the others?
# ::::

# %% [markdown]
# ::::{solution-start} adam-signs
# :class: dropdown
# ::::

# %%
rng = np.random.default_rng(seed)
for rank in (1, 2, 4):
    left, right = rng.standard_normal((2, 60, rank))
    signs = np.sign(left @ right.T)
    found = np.linalg.matrix_rank(signs)
    print(f"rank {rank}: the sign has rank {found}")

# %% [markdown]
# The sign of $a_i b_j$ is the sign of $a_i$ times that of $b_j$: rank one
# again. For rank two, row $i$ changes its sign where $\mathbf
# a_i\cdot\mathbf b_j$ does: each row cuts the plane of the $\mathbf b_j$
# along a line of its own direction, and no two rows need be alike.
# ::::{solution-end}
# ::::

# <<< exercises B

# >>> exercises C
# <<< exercises C
