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
# directions: no term of the loss, no constraint on the weights. Yet the
# networks that [learned to reach](02_relearning_to_reach.py) and [three
# other tasks](03_three_tasks.py) did. Is that an accident of our tasks,
# or must it be so?
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
# it.
#
# You need matrices, their singular values and the chain rule. Each
# statement comes with a proof, a check by computer, and a control: a
# statement that is *slightly wrong* and must be caught by the same check.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
from itertools import product

import numpy as np
from myst_nb import glue

import ltr_core as ltr
from ltr_core import Chapter, charts, theory
from ltr_core.decomposition import mode_ranks, mode_spectra
from ltr_core.learned_change import scaling_exponents

chapter = Chapter("06_bounds", scale=scale, seed=seed)
print(f"{scale} scale, seed {seed}")

# %% [markdown]
# ## The claims, before the results
#
# Theorems need no luck, but their checks can fail: a wrong statement, or
# a wrong program, would show. All criteria were committed before their
# results at this seed were known. Pilots with other seeds shaped four of
# them. P5.tight asks of fewer kinds of problems than at first, and
# P5.decay and P5.monomials of smaller $g$ and smaller inputs: statements
# about a limit can be read off near it only. (For the last two, step
# sizes and this range were changed once more after a first run at this
# seed, which had stopped at a network that diverged, before any of its
# verdicts was read.) And of P5.explains pilots had told us that one of
# the four tasks would fail it; it is stated all the same, because it is
# what the claim, as we read it, says. (Its control was added after the
# first run.)
#
# The claims use words that are explained where they are needed. For now:
# the *activity* is what the units do and the *adjoint* is the error that
# is sent back to them, each a matrix with a column for every moment; a
# *start* is the weights before learning, and $g$ the strength of random
# ones; a *tail* is what the best $r$ directions leave out; a *word* is a
# product of copies of the first weights and of their transpose.

# %% tags=["remove-input"]
OURS = "the companion's own statement, in the spirit of the paper"


# %% tags=["remove-input"]
bound_gradient = chapter.claim(
    "P5.factorisation",
    statement="No singular value of a gradient is above the bound that "
    "the singular values of adjoint and activity give.",
    source=OURS,
    criterion="In 60 random problems (linear and tanh, with and without "
    "random connections), for every k, the k-th singular value is at "
    "most its bound, with columns as they are and balanced; excess as a "
    "share of the first singular value. Half of the bound, and the bound "
    "of the next k, must not pass.",
    expression="max(excess) <= 1e-9",
)

# %% tags=["remove-input"]
bound_tensor = chapter.claim(
    "P5.tensor",
    statement="Over all of learning, no rank leaves out more than the "
    "bound that adjoint and activity of all steps give.",
    source=OURS,
    criterion="In 60 random runs (linear and tanh; four losses, with and "
    "without momentum and weight decay), for both sides and every rank "
    "r, the share of the squared norm outside the best r directions is "
    "at most its bound. Half of the bound, and the bound of the next "
    "rank, must not pass.",
    expression="max(excess) <= 1e-9",
)

# %% tags=["remove-input"]
bound_exact = chapter.claim(
    "P5.exact",
    statement="A linear network that starts without structure never "
    "leaves the space of its inputs, outputs and initial states; one "
    "with a start of rank r, a space of 2 r dimensions more.",
    source=OURS + "; also our stronger form, with a start of low rank",
    criterion="For N of 20 and 80, 1 to 3 inputs, 1 to 3 outputs, "
    "initial states of rank 0 and 2, a start of rank 0, 1 and 2 (108 "
    "problems, each with one of 16 settings of loss, step sizes and "
    "momentum, in turn): the change outside the space is at most 1e-8 of "
    "it, and no mode rank (at 1e-8) is above its bound. A space of one "
    "dimension less, one that forgets the start, tanh networks, and "
    "Adam, must not pass.",
    expression="max(leak) <= 1e-8 and max(over) <= 0",
)

# %% tags=["remove-input"]
bound_tight = chapter.claim(
    "P5.tight",
    statement="The exact bound is no larger than it has to be: random "
    "problems fill it.",
    source=OURS,
    criterion="In 12 problems without a start, with 3 or 4 inputs and "
    "outputs together, after 60 steps of different sizes, the three mode "
    "ranks equal their bounds (at 1e-12). The bound for one "
    "more output must not pass.",
    expression="max(missing) <= 0 and min(missing) >= 0",
)

# %% tags=["remove-input"]
bound_real = chapter.claim(
    "P5.real-runs",
    statement="The bound holds where networks learned to reach, and the "
    "three tasks: at every rank, on both sides.",
    source=OURS,
    criterion="In all runs the share outside the best r directions is at "
    "most the bound, for every r. The same bound for weights that walk "
    "at random, with steps of the same size, must not pass.",
    expression="max(excess) <= 1e-9",
)

# %% tags=["remove-input"]
bound_explains = chapter.claim(
    "P5.explains",
    statement="Low-dimensional activity and errors by themselves, that "
    "is the bound, make low rank certain in all four tasks.",
    source="Pellegrino et al. 2023, abstract, as we read it; "
    "the threshold is ours",
    criterion="In every run, the bound guarantees 90 % of the squared "
    "norm within half as many directions as there are units, on both "
    "sides. Errors, or activity, of the same size, spread evenly over "
    "all directions, must not pass.",
    expression="max(guaranteed) <= 0.5",
)


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
    "strength g is, but for a share of order g^(m+1), made of words of "
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
    "of scale e is, but for a share of order "
    "e^(m+1), made of products of up to m vectors out of "
    "inputs and readout.",
    source=OURS,
    criterion="In every network, for m = 1 and 3, the share of the "
    "change that lies outside grows with the scale with an exponent "
    "(scale 0.01 to 0.03) within 0.2 of m + 1. At m = 3, products of the "
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


# %% [markdown]
# ## The setting
#
# The network is the rate model of [the reaching
# chapter](02_relearning_to_reach.py), in steps of time as it is
# simulated. With $h = \mathrm dt/\tau$, one time step over the units'
# time constant,
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
# with the states $\mathbf x_t$ of $N$ units, their rates
# $\phi(\mathbf x_t)$, $p$ inputs $\mathbf u_t$ that enter through the
# columns of $B$, and $q$ outputs $\mathbf y_t$ that the rows of $C$ read
# out; $\phi$ is $\tanh$, or the identity (a *linear* network). The loss
# $L$ may be *any* differentiable function of the outputs at all times
# of all trials. It is descended by changing $W$; the step sizes may vary,
# and there may be momentum:
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
# receiving units × sending units (short: step, post and pre, for the
# units after and before a synapse).
#
# Two matrices will appear everywhere. The **activity**
# $\Phi = [\dots, \phi(\mathbf x_t), \dots]$ has one column for each time
# of each trial. The **adjoint** $\Lambda = [\dots,
# \boldsymbol\lambda_{t+1}, \dots]$ has one, too: $\boldsymbol\lambda_t =
# \partial L / \partial \mathbf x_t$ says how the loss would change if the
# state at time $t$ were pushed a little, later states following. It is
# the *back-propagated error*, and it is computed from the end of a trial,
# $t = T$, to its start. With
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


# %% [markdown]
# ## An update is as simple as the activity or the error
#
# Begin with one gradient.
#
# ```{prf:theorem} Factorisation
# :label: thm-factorisation
# For every differentiable loss, $G = h\,\Lambda\Phi^\top$. Hence the rank
# of $G$ is at most that of $\Lambda$ and that of $\Phi$, and for all
# $i, j \ge 1$
#
# $$\sigma_{i+j-1}(G) \le h\,\sigma_i(\Lambda)\,\sigma_j(\Phi) ,$$
#
# where $\sigma_k$ is the $k$-th singular value, the largest first, and
# zero beyond the last.
# ```
#
# ```{prf:proof}
# The weights enter the state at time $t+1$ by the term
# $h\,W\phi(\mathbf x_t)$ and by nothing else. A small change
# $\mathrm dW$ therefore pushes each $\mathbf x_{t+1}$ by
# $h\,\mathrm dW\,\phi(\mathbf x_t)$, beside what earlier pushes have
# caused. The adjoint $\boldsymbol\lambda_{t+1}$ counts all
# that a push at time $t+1$ causes from then on, so the pushes add up:
# $\mathrm dL = \sum_t \boldsymbol\lambda_{t+1}^\top\, h\,\mathrm dW\,
# \phi(\mathbf x_t)$. The matrix that multiplies $\mathrm dW$ entry by
# entry is $h\sum_t \boldsymbol\lambda_{t+1}\phi(\mathbf x_t)^\top =
# h\,\Lambda\Phi^\top$; trials are further terms of the sum.
#
# For the inequality we need one fact (Eckart and Young):
# $\sigma_{k+1}(A)$ is the least spectral norm $\lVert A - B\rVert$ that
# any $B$ of rank at most $k$ leaves. Let $\Lambda'$ be the best
# approximation to $\Lambda$ of rank $i-1$, and $\Phi'$ that to $\Phi$
# of rank $j-1$. Then
#
# $$\Lambda\Phi^\top = \bigl[\Lambda'\Phi^\top
# + (\Lambda-\Lambda')\Phi'^\top\bigr]
# + (\Lambda-\Lambda')(\Phi-\Phi')^\top .$$
#
# The bracket has at most rank $(i-1)+(j-1)$. The rest has at most norm
# $\sigma_i(\Lambda)\,\sigma_j(\Phi)$. So a matrix of rank $i+j-2$
# comes as close to $\Lambda\Phi^\top$ as that, and
# $\sigma_{i+j-1}(\Lambda\Phi^\top)$ is no larger.
# ```
#
# The *bound* on $\sigma_k(G)$ is the least of the right sides with
# $i + j - 1 = k$.
#
# One freedom costs nothing. Multiply a column of $\Lambda$ by any
# positive number, divide the same column of $\Phi$ by it: $G$ stays,
# the bound moves. A natural choice makes both columns equally long
# (where one is zero, both are left out); we call the factors *balanced*.


# %% tags=["hide-input"]
n_random = chapter.at_scale(smoke=20, book=60, paper=200)
spectra = [
    theory.gradient_bounds(problem)
    for problem, _ in theory.varied_problems(n_random, seed)
]

# %% tags=["remove-input"]
WRONG = {
    "half of the bound": lambda bound: bound / 2,
    "the next bound": lambda bound: np.append(bound[1:], 0.0),
}
row = bound_gradient.judge(
    {"excess": [one.excess() for one in spectra]},
    {
        name: {"excess": [one.excess(wrong) for one in spectra]}
        for name, wrong in WRONG.items()
    },
)
bound_gradient.prose_assumes(row, holds=True)
first = np.array([[b[0] / v[0] for b in bs] for v, *bs in spectra])
glue("factorisation-plain", float(np.median(first[:, 0])), display=False)
glue(
    "factorisation-balanced", float(np.median(first[:, 1])), display=False
)
glue(
    "factorisation-lower",
    float(100 * np.mean(first[:, 1] <= first[:, 0] * (1 + 1e-9))),
    display=False,
)
found = theory.gradient_bounds(
    theory.random_problem(seed, g=0.8, nonlinearity="tanh")
)

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        {
            name: np.maximum(part[None, :16] / found.values[0], 1e-12)
            for name, part in zip(
                ("gradient", "bound", "bound, balanced"),
                found,
                strict=True,
            )
        },
        np.arange(1, 17),
        x_title="k",
        y_title="k-th singular value (share of the first)",
        y_scale={"type": "log"},
    ),
    name="factorisation-bound",
    caption="The singular values of one gradient (a tanh network of 40 "
    "units with random connections, two inputs and two outputs), and the "
    "bounds that the singular values of adjoint and activity give.",
    alt="Three falling lines on a logarithmic axis against k from 1 to "
    "16. The gradient's singular values fall fastest. Both bounds lie "
    "above and fall as well; the balanced one begins below the plain "
    "one, and from k = 4 on the two nearly coincide.",
)

# %% [markdown]
# In {numref}`fig-factorisation-bound` the bound falls because both
# factors do, and the gradient lies below it, the further the larger $k$.
# How far at $k = 1$? Over the random
# problems the bound on the first singular value is, in the median,
# {glue:text}`factorisation-plain:.1f` times the value itself, and
# {glue:text}`factorisation-balanced:.1f` times with balanced columns.
# Balancing lowers it in {glue:text}`factorisation-lower:.0f` % of
# them (no theorem says that it must). In general the bound cannot be made
# smaller: with one column in each factor it is an equality, and there
# half of it is sure to be caught.


# %% [markdown]
# ## All of learning
#
# One update of low rank is no news, and a thousand of them could point in
# a thousand directions. The tensor is low rank if they share them. We
# need two sums over steps: of the spaces, and of the squares.
#
# ```{prf:theorem} Tensor
# :label: thm-tensor
# Let $W_s = k_s W_0 - \sum_{s'} c_{ss'}G_{s'}$ for $s = 1, \dots, S$
# ($k_s = 1$ without weight decay), and let $\Delta_s = W_s - k_s W_0$
# be stacked to a tensor.
#
# 1. Its mode ranks are bounded by
#    $R_{\mathrm{post}} \le \dim \sum_s \operatorname{range}\Lambda_s$,
#    $R_{\mathrm{pre}} \le \dim \sum_s \operatorname{range}\Phi_s$ and
#    $R_{\mathrm{step}} \le \min(S, R_{\mathrm{post}} R_{\mathrm{pre}})$,
#    and its CP rank is at most the least product of two of the three
#    ($\sum_s$ of spaces: what all of them span together).
# 2. Let $b_s > 0$ be any numbers, $a_s = \sum_{s'} |c_{ss'}|\,b_{s'}$,
#    $w_{s'} = \sum_s a_s |c_{ss'}| / b_{s'}$, and
#    $K = h^2\sum_{s'} w_{s'} \lVert\Phi_{s'}\rVert^2
#    \Lambda_{s'}\Lambda_{s'}^\top$, with eigenvalues
#    $\kappa_1 \ge \dots \ge \kappa_N$. With $\sigma_k$ the singular
#    values of the unfolding whose rows are receiving units,
#
#    $$\sum_{k>r}\sigma_k^2 \le \sum_{k>r}\kappa_k
#    \qquad\text{for every } r,$$
#
#    and likewise for sending units with $\Lambda$ and $\Phi$ exchanged.
# ```
#
# ```{prf:proof}
# *Ranks.* Each $G_{s'} = h\Lambda_{s'}\Phi_{s'}^\top$ has its columns
# in the range of $\Lambda_{s'}$ and its rows in that of $\Phi_{s'}$, so
# all $\Delta_s$ have theirs in the sums of these spaces. The step
# unfolding has $S$ rows, each a matrix in a space of dimension
# $R_{\mathrm{post}}R_{\mathrm{pre}}$. Any tensor is, in bases of its
# three modes, a small one of the size of its mode ranks; written as a
# sum over two of its three axes, that has as many terms of rank one as
# the product of these two.
#
# *Tails.* Let $P$ project onto the first $r$ eigenvectors of $K$, and
# $Q = 1 - P$. By the triangle inequality, and since a product's Frobenius
# norm is at most the Frobenius norm of one factor times the spectral norm
# of the other,
#
# $$\lVert Q\Delta_s\rVert_F \le
# \sum_{s'} |c_{ss'}|\,\lVert QG_{s'}\rVert_F \le
# h\sum_{s'} |c_{ss'}|\,\lVert\Phi_{s'}\rVert\,
# \lVert Q\Lambda_{s'}\rVert_F .$$
#
# Write $|c_{ss'}| = \sqrt{|c_{ss'}|\,b_{s'}}\sqrt{|c_{ss'}|/b_{s'}}$.
# Cauchy and Schwarz say that the square of the sum is at most
# $a_s \sum_{s'} |c_{ss'}|\,\lVert\Phi_{s'}\rVert^2
# \lVert Q\Lambda_{s'}\rVert_F^2 / b_{s'}$. Sum over $s$: the
# factors of $\lVert Q\Lambda_{s'}\rVert_F^2 = \operatorname{tr}
# Q\Lambda_{s'}\Lambda_{s'}^\top Q$ collect to $w_{s'}$, and
# $\sum_s\lVert Q\Delta_s\rVert_F^2 \le \operatorname{tr} QKQ =
# \sum_{k>r}\kappa_k$. The left side is what the unfolding leaves outside
# a space of $r$ dimensions; the best such space, by Eckart and Young,
# leaves $\sum_{k>r}\sigma_k^2$.
# ```
#
# The numbers $b_s$ are ours to choose. We take
# $b_s = \lVert\Lambda_s\rVert_F\lVert\Phi_s\rVert$ (a step where this is
# zero has no gradient and drops out), and for sending units the same
# with the two exchanged. Then the inequality of Cauchy and Schwarz loses
# nothing at $r = 0$, however much the gradients differ in size over
# learning; with all $b_s = 1$ it would. Divided by
# $\sum_s\lVert\Delta_s\rVert_F^2$, both sides become shares.
#
# What does the theorem say? That the change is of low rank if the
# *adjoint of all steps together* has a short list of directions, and the
# same for activity: beside the step sizes, only the Gram matrices
# $\Lambda_s\Lambda_s^\top$ and $\Phi_s\Phi_s^\top$ enter. And what does
# it need? That the change *is* a sum of gradients. That of Adam, an
# optimiser which divides each entry of the gradient by a running size of
# its own, is not, and asking is refused:

# %% tags=["hide-input"]
TRAININGS = [
    {"loss": loss, "momentum": momentum, "weight_decay": decay}
    for loss in theory.LOSSES
    for momentum in (0.0, 0.9)
    for decay in (0.0, 0.1)
]


random_tails = [
    side
    for k, (problem, rng) in enumerate(
        theory.varied_problems(n_random, seed)
    )
    for side in theory.tail_bounds(
        theory.learn_problem(
            problem,
            n_steps=int(rng.integers(1, 20)),
            learning_rate=0.05,
            **TRAININGS[k % len(TRAININGS)],
        )
    )
]

# %%
try:
    theory.tail_bounds(
        theory.learn_problem(
            theory.random_problem(seed),
            n_steps=3,
            learning_rate=0.01,
            optimiser="adam",
        )
    )
except ValueError as error:
    print(error)


# %% tags=["remove-input"]
row = bound_tensor.judge(
    {"excess": [side.excess() for side in random_tails]},
    {
        name: {"excess": [side.excess(wrong) for side in random_tails]}
        for name, wrong in WRONG.items()
    },
)
bound_tensor.prose_assumes(row, holds=True)

# %% tags=["hide-input"]
examples = {
    name: theory.tail_bounds(
        theory.learn_problem(
            theory.random_problem(seed, g=g, nonlinearity=nonlinearity),
            n_steps=60,
            learning_rate=1.0,
        )
    )
    for name, g, nonlinearity in (
        ("linear, g = 0.3", 0.3, "identity"),
        ("tanh, g = 0.8", 0.8, "tanh"),
    )
}
charts.show(
    charts.tail_panels(
        {
            name: {
                "receiving units": tuple(sides.post),
                "sending units": tuple(sides.pre),
            }
            for name, sides in examples.items()
        },
        most=20,
    ),
    name="tensor-tails",
    caption="What r directions leave out of all that was learned in 60 "
    "steps, as a share of its squared norm: the best directions, "
    "measured (solid), and the bound (dashed), for a linear and a tanh "
    "network of 40 units with random connections of strength g. A solid "
    "line that crosses the dashed one of its colour would refute the "
    "theorem. Dotted rules: at 1, above which a bound says nothing, and "
    "at a tenth.",
    alt="Two panels with a logarithmic axis against rank from 0 to 20. "
    "In each, two solid lines that nearly coincide fall steeply and two "
    "dashed lines fall later, always above them; all reach further right "
    "in the tanh network.",
)

# %% [markdown]
# ```{margin}
# The repository's tests let a program *search* for a violation, over
# sizes, losses, step sizes, momentum and weight decay. It finds none, and
# finds one at once when it is given half of the bound, or the bound of
# the next rank.
# ```
#
# No random run violates the bound, and {numref}`fig-tensor-tails` shows
# two more.


# %% [markdown]
# ## A start without structure
#
# The theorem so far bounds one measured thing by another. When can we say
# *beforehand* that activity and adjoint have few dimensions? When nothing
# in the network leads out of a small space. The clearest case is a *start
# without structure*: $W_0$ is zero, or a multiple $\alpha 1$ of the
# identity $1$.
#
# ```{prf:theorem} The smallest invariant space
# :label: thm-structureless
# Let the network be linear. Let $U$ be the smallest space that contains
# the columns of $B$, the rows of $C$ and the initial states, and that
# $W_0$ and $W_0^\top$ map into itself, with an orthonormal basis $P$ and
# dimension $d$. Then for every loss, all data, all step sizes, momentum
# and weight decay, and any number $S$ of steps,
#
# $$W_s - k_s W_0 = P M_s P^\top$$
#
# with matrices $M_s$ of size $d \times d$. The mode ranks (step, post,
# pre) are at most $\min(S, d^2)$, $d$ and $d$, and the CP rank at most
# $d^2$.
#
# With $p$ inputs, $q$ outputs and initial states of rank $n_0$: if
# $W_0 = \alpha 1$ (zero included), $d \le p + q + n_0$. If $W_0$ is
# $\alpha 1$ plus a matrix of rank $r$, $d \le p + q + n_0 + 2r$, and
# $p + q + n_0 + r$ if that matrix is symmetric.
# ```
#
# ```{prf:proof}
# By induction over the steps of learning. Suppose $W_s$ is $k_s W_0$
# plus a matrix of the form $PMP^\top$ (at $s=0$ it is). Then $W_s$ and
# $W_s^\top$ map $U$ into itself.
#
# *Forward in time.* The initial state is in $U$; if $\mathbf x_t$ is, so
# are $W_s\mathbf x_t$ and $B\mathbf u_t$, and $\mathbf x_{t+1}$, a sum of
# multiples of these three.
# *Backward in time.* $\boldsymbol\lambda_{T+1} = 0$ is in $U$; if
# $\boldsymbol\lambda_{t+1}$ is, so are $W_s^\top\boldsymbol\lambda_{t+1}$
# and $C^\top\partial L/\partial\mathbf y_t$, and
# $\boldsymbol\lambda_t$ by {eq}`bounds-adjoint` with $D_t = 1$.
#
# So the columns of $\Lambda$ and $\Phi$ lie in $U$, and
# $G_s = h\Lambda\Phi^\top = P(P^\top G_s P)P^\top$. Momentum adds such
# matrices, and weight decay multiples of $W_s$, which are of the form
# $k W_0 + PMP^\top$ themselves: so is $W_{s+1}$.
# Nothing was said about the loss, the inputs or the targets: noise in
# them changes nothing. If $B$ and $C$ learn too, their gradients
# $h\sum_t\boldsymbol\lambda_{t+1}\mathbf u_t^\top$ and
# $\sum_t (\partial L/\partial\mathbf y_t)\,\mathbf x_t^\top$ keep their
# columns, and their rows, in $U$.
#
# The ranks follow as in {prf:ref}`thm-tensor`. For the dimensions: every
# space is invariant under $\alpha 1$. If $W_0 = \alpha 1 + EF^\top$ with
# $r$ independent columns in each of $E$ and $F$, then $W_0$ adds to a
# vector only columns of $E$, and $W_0^\top$ only columns of $F$. The span
# of the $p + q + n_0$ vectors and of both sets of columns is therefore
# invariant under both, and contains $U$, the smallest such space. If
# $EF^\top$ is symmetric, $E$ and $F$ span the same space, its range.
# ```
#
# No activity was measured here: the bound counts wires. Its numbers can
# be read off the sliders:


# %% tags=["hide-input"]
wires = range(1, chapter.at_scale(smoke=2, book=4, paper=4) + 1)
shown, allowed = {}, {}
for p, q, r in product(wires, wires, [wire - 1 for wire in wires]):
    problem = theory.random_problem(
        seed, n_inputs=p, n_outputs=q, start_rank=r
    )
    run = theory.learn_problem(
        problem,
        n_steps=40,
        learning_rate=theory.varied_rates(40, seed),
        momentum=0.5,
    )
    shown[p, q, r] = mode_spectra(run.change)
    allowed[p, q, r] = theory.subspace_bound(
        problem.network, n_steps=40
    ).mode_ranks

# %% tags=["hide-input"]
charts.show(
    charts.bound_explorer(shown, allowed),
    name="structureless-explorer",
    caption="Linear networks of 40 units learn random targets for 40 "
    "steps, from $W_0$ of rank 0 to 3. Dots: singular values of the "
    "three unfoldings, as shares of the first, in powers of ten. "
    "Orange line: the bound of the theorem. The sliders choose the "
    "numbers of inputs and outputs and the rank of the start. Dotted: "
    "1e-8, where the check below draws the line; values near 1e-16 are "
    "rounding.",
    alt="Three panels of singular values against their number. With two "
    "inputs, two outputs and no start, the orange lines stand at 16, 4 "
    "and 4; right of them all dots lie near 1e-16 or below, left of "
    "them above 1e-4 for the units, and down to 1e-11 over steps.",
)

# %% [markdown]
# Where the theorem says, the values drop to rounding
# ({numref}`fig-structureless-explorer`): for receiving and sending units
# by more than ten orders of magnitude. Over steps they have become small
# before. $d^2$ directions are many for a smooth course of learning, and
# most of them are used very little; at 1e-8 the bound over steps is not
# put to a hard test.
#
# Now the grid, with the same question asked of spaces that are *wrong*:
# one dimension short, or made without the start; of tanh networks, and
# of Adam.

# %% tags=["hide-input"]
every = chapter.at_scale(smoke=7, book=1, paper=1)
found, wrong = theory.exact_trials(theory.SIZES[::every], seed)

# %% tags=["remove-input"]
row = bound_exact.judge(found, wrong)
bound_exact.prose_assumes(row, holds=True)
glue(
    "structureless-leak",
    f"{max(found['leak']):.0e}",
    display=False,
)
for name, columns in wrong.items():
    glue(
        f"structureless-least-{name.split()[-1].lower()}",
        f"{min(columns['leak']):.0e}",
        display=False,
    )

# %% [markdown]
# Out of the right space leaks at most {glue:text}`structureless-leak`
# of the norm of the largest change: rounding. With one dimension less,
# the least leak of any problem is
# {glue:text}`structureless-least-less`; with the start forgotten,
# {glue:text}`structureless-least-forgotten`; with tanh
# {glue:text}`structureless-least-tanh`, and with Adam
# {glue:text}`structureless-least-adam`.
#
# Is the bound also as small as it can be? Random problems with three or
# four inputs and outputs fill it. There is an exception that we did not
# expect.


# %% tags=["hide-input"]
kinds = ((1, 2), (2, 1), (2, 2))
missing, one_more = (
    np.ravel(
        [theory.missing_ranks(*pq, 4, more=k, seed=seed) for pq in kinds]
    )
    for k in (0, 1)
)
row = bound_tight.judge(
    {"missing": missing}, {"one more output": {"missing": one_more}}
)
bound_tight.prose_assumes(row, holds=True)
n_single = chapter.at_scale(smoke=2, book=8, paper=8)
single = theory.missing_ranks(1, 1, n_single, seed=seed)[:, 0]
glue("structureless-single", 4 - int(min(single)), display=False)

# %% [markdown]
# Where one input meets one output, the course of learning has only
# {glue:text}`structureless-single` directions, not $d^2 = 4$. There is a
# reason.
#
# ```{prf:proposition} One input, one output
# :label: prop-structureless-mirror
# With $p = q = 1$, $W_0 = \alpha 1$ and no initial states, the rank over
# steps is at most 3, and the CP rank at most 3.
# ```
#
# ```{prf:proof}
# $B$ and $C^\top$ are single vectors. Let $R$ be the reflection
# (symmetric, $R^2 = 1$) that swaps their directions:
# $C^\top = \kappa R B$ with a number $\kappa > 0$. It maps $U$ into
# itself. We show that $R\,(W_s - k_s W_0)$ is symmetric at every step.
# Since $RW_0 = \alpha R$ is, too, this says that $RW_s$ is symmetric, or
# $W_s^\top = R W_s R$. It is so at the start. If it is so at step $s$,
# then also for $A = (1-h)1 + hW_s$: $A^\top = RAR$.
#
# Write $e_t = \partial L/\partial y_t$. Without initial states,
# $\mathbf x_t = h\sum_{j\ge0} A^j B\,u_{t-1-j}$ and
# $\boldsymbol\lambda_{t+1} = \sum_{i\ge0} (A^\top)^i C^\top e_{t+1+i}$
# (inputs and errors outside the trial are zero), so the gradient has the
# terms $(A^\top)^i C^\top B^\top (A^\top)^j$, each times
# $h^2\sum_t e_{t+1+i}\,u_{t-1-j}$. This number depends on $i + j$ alone:
# only the *whole* way from input to output counts. Since
# $(A^\top)^i = R A^i R$, such a term is
# $\kappa R\,A^i B B^\top (A^\top)^j$, and $R$ times the
# sum over all $i + j = n$ is symmetric, as exchanging $i$ and $j$
# transposes it. So $RG_s$ is symmetric, and a step, with momentum and
# weight decay, adds only multiples of such matrices: it is so at $s+1$.
#
# On $U$, of at most two dimensions, symmetric matrices have three free
# entries, and are sums of multiples of three fixed ones of rank one.
# Times $R$, three fixed matrices of rank one make up every step.
# ```
#
# Time can be run backwards here: input and readout change places, and the
# network is the same. An exercise below takes this symmetry away.


# %% [markdown]
# ## From a random start
#
# No network of the chapters before started from zero. Let $W_0 =
# \alpha\,1 + gJ$, with $J$ random: independent numbers of mean 0 and
# variance $1/N$, and $g$ its *strength*. But for the zero space, the only
# one that such a matrix and its transpose both map into itself is the
# whole space (with probability one). So the exact bound says nothing, and
# rightly so: in exact numbers the change comes to have full rank in
# general. But its singular values fall. Why?
#
# Begin with the first gradient. In a linear network the input enters by
# $B$ and is sent on by $W_0$, again and again. Each time it has passed
# through $J$ it has got another factor $g$.
#
# ```{prf:theorem} First gradient, linear network
# :label: thm-krylov
#
# Let $\phi$ be the identity, $\mathbf x_0 = 0$ and $K = W_0 -
# \alpha\,1$ (above, $gJ$). Filter the inputs again and again: with
# $\mathbf z^{(-1)} = \mathbf u$ and all other $\mathbf z^{(k)}_0 = 0$,
#
# $$
# \mathbf z^{(k)}_{t+1} = (1 - h + h\alpha)\,\mathbf z^{(k)}_t
# + h\,\mathbf z^{(k-1)}_t , \qquad k = 0, 1, \dots,
# $$
#
# and let $Z^{(k)}$ hold $\mathbf z^{(k)}_t$, of all times and trials, as
# its columns. Then, for every $m$, $\Phi$ differs from a matrix of rank
# at most $pm$ by at most
#
# $$
# \sum_{k \ge m} \lVert K^k B \rVert_2 \, \lVert Z^{(k)} \rVert_F
# $$
#
# in the Frobenius norm, so that
# $\bigl(\sum_{i > pm} \sigma_i(\Phi)^2\bigr)^{1/2}$ is no larger.
# $\Lambda$ obeys the same with $K^\top$ for $K$, $C^\top$ for $B$, $q$
# for $p$, and for the inputs the outputs' errors $\mathbf e_t =
# \partial L/\partial\mathbf y_t$, filtered backwards in time (in the
# first filter $\mathbf e_t$ is added as it is, while inputs come with
# the factor $h$ and one step late).
# ```
#
# ```{prf:proof}
# Insert $\mathbf x_t = \sum_k K^k B\,\mathbf z^{(k)}_t$ into
# $\mathbf x_{t+1} = (1-h+h\alpha)\,\mathbf x_t + hK\mathbf x_t +
# hB\mathbf u_t$. The terms with $K^k B$ on both sides are equal if
# $\mathbf z^{(k)}$ is the filtered $\mathbf z^{(k-1)}$, and both sides
# begin with zero. So $\Phi = \sum_k K^k B Z^{(k)}$; the sum ends, as
# $\mathbf z^{(k)}_t = 0$ for $t \le k$. The first $m$ terms have their
# columns in the *Krylov space* spanned by $B, KB, \dots, K^{m-1}B$, of at
# most $pm$ dimensions; the rest is no larger than the sum of its terms'
# norms. By Eckart and Young no matrix of rank $pm$ is nearer, in the
# Frobenius norm, than the tail of the singular values. Initial states
# other than zero are further inputs, at time 0, and $p$ counts their
# dimensions, too. The adjoint's recursion {eq}`bounds-adjoint` with
# $D_t = 1$ is the same with $W^\top$ and the errors, and time reversed.
# ```
#
# For $0 \le \alpha < 1$ and $h \le 1$ the weights of each filter sum to
# at most $1/(1-\alpha)$, so for $\alpha = 0$ filtering does not make the
# input grow. And for every fixed $k$, and $\mathbf b$ that does not
# depend on $J$, $\lVert J^k\mathbf b\rVert$ tends to
# $\lVert\mathbf b\rVert$ with growing $N$. So, for $\alpha = 0$,
# **the terms fall at least about like $g^k$**, each brings $p$ more
# dimensions, and the number of units appears nowhere.

# %%
n_tries = chapter.at_scale(smoke=1, book=5, paper=10)
first_seed = 100 * seed
strengths = (0.1, 0.3, 0.6, 0.9)
random_starts = {}
for g, k in product(strengths, range(n_tries)):
    problem = theory.random_problem(first_seed + k, n_units=80, g=g)
    random_starts[g, k] = (
        theory.factors_of_gradient(**problem._asdict()),
        theory.krylov_tail(**problem._asdict()),
    )

# %% tags=["remove-input"]
row = krylov_bound.judge(
    {"excess": [b.broken_by(f) for f, b in random_starts.values()]},
    {
        name: {
            "excess": [
                b.broken_by(f, WRONG[wrong])
                for f, b in random_starts.values()
            ]
        }
        for name, wrong in (
            ("a term too few", "the next bound"),
            ("half", "half of the bound"),
        )
    },
)
krylov_bound.prose_assumes(row, holds=True)
for name, g in (("weak", 0.1), ("strong", 0.9)):
    room = [
        bounds.rates.remainder[4]
        / theory.singular_tails(factors.rates)[bounds.rates.rank[4]]
        for (at, _), (factors, bounds) in random_starts.items()
        if at == g
    ]
    glue(f"random-start-room-{name}", float(np.mean(room)), display=False)

# %% tags=["hide-input"]
drawn = {"g = 0.1": 0.1, "g = 0.3": 0.3, "g = 0.9": 0.9}
panels = {}
for title, g in drawn.items():
    pairs = [random_starts[g, k] for k in range(n_tries)]
    ranks, panels[title] = theory.relative_tails(
        [factors.rates for factors, _ in pairs],
        {"bound": [bounds.rates for _, bounds in pairs]},
        9,
    )
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
    "(dots: the ranks 0, 2, 4, ...; lines: mean over networks, bands: "
    "their range, often too narrow to see). A measured line above its "
    "bound would refute the theorem.",
    alt="Three panels for g of 0.1, 0.3 and 0.9, on a logarithmic axis. "
    "Measured tail and bound fall with rank, steeply at g = 0.1, slowly "
    "at g = 0.9; the bound is always above, and falls less steeply.",
)

# %% [markdown]
# In {numref}`fig-random-start-first-gradient` the bound falls with
# each power, as what is measured does, but less steeply. After four
# powers it is {glue:text}`random-start-room-weak:.0f` times what is
# measured at $g=0.1$, and {glue:text}`random-start-room-strong:.0f` times
# at $g=0.9$, and the gap grows. Two things are given away: the norms of
# the terms are added as if all pointed the same way; and the Krylov space
# need not be the best of its dimension. As the filtered
# $\mathbf z^{(k)}$ are much alike, a few directions can serve several
# powers at once.
#
# ### All of learning: words
#
# A first guess for the whole of learning is that the change lives in
# these two Krylov spaces, of $W_0$ on inputs and of $W_0^\top$ on the
# readout. It is wrong after the first step. The first update writes the
# readout's rows into the range of $W$; from then on, activity has a part
# along $C^\top$, and $W_0$ acts on *that*. And so on: the change is made
# of *words*. A word is a product such as $J J^\top J$, of letters $J$ and
# $J^\top$ (or of none), applied to a vector of
# $V = \operatorname{range}[B, C^\top, X_0]$, where the columns of $X_0$
# are the initial states. From here on $d$ is the dimension of $V$.
#
# ```{margin}
# It was our own first guess, too.
# ```
#
# ```{prf:theorem} All of learning, linear network
# :label: thm-words
#
# Let $\phi$ be the identity, $W_0 = \alpha\,1 + gJ$ with $J$ fixed, and
# let $P_m$ project onto the space $U_m$ that all words of at most $m$
# letters applied to $V$ span. For every loss with a continuous gradient,
# fixed data, step sizes, momentum, and number of steps,
#
# $$
# \lVert \Delta W_s - P_m\,\Delta W_s\,P_m \rVert_F = O(g^{m+1})
# \quad\text{as } g \to 0,
# $$
#
# and $\dim U_m \le d\,(2^{m+1} - 1)$.
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
# claim holds for $\mathbf x_t$, it holds for $\alpha\mathbf x_t$, for
# $\Delta W_s\mathbf x_t$ and, since $J$ maps $U_{m-1}$ into $U_m$,
# for $gJ\mathbf x_t$:
#
# $$
# Q_m\, gJ\mathbf x_t = g\,Q_m J\,(P_{m-1} + Q_{m-1})\,\mathbf x_t
# = g\,Q_m J\, Q_{m-1}\mathbf x_t = g\cdot O(g^m),
# $$
#
# hence for $\mathbf x_{t+1}$ (for $m=0$ the factor $g$ is enough).
# *Backwards in time* the same with $J^\top$, $\Delta W_s^\top$ and
# $C^\top$. Then $G_s = h\Lambda\Phi^\top$ has $Q_m G_s = h(Q_m\Lambda)
# \Phi^\top = O(g^{m+1})$, likewise $G_s Q_m$, and so has the sum of
# gradients $\Delta W_{s+1}$. Finally $\Delta W - P_m\Delta W P_m = Q_m
# \Delta W + P_m\Delta W\,Q_m$. Words of exactly $k$ letters are $2^k$, of
# at most $m$ together $2^{m+1}-1$, each applied to $d$ vectors.
# ```
#
# If $W_0$ has a part of low rank beside, its left and right singular
# vectors count as vectors of $V$.
#
# Again the dimensions do not depend on $N$, and what $O(g^{m+1})$ hides
# depends on $J$ through its spectral norm only, which tends to 2 as $N$
# grows. A random start of strength $g$ learns a change of some
# *effective* rank that depends on $g$ and the task, plus a tail. To try
# it, we let networks learn and measure which share of the change lies
# outside $U_m$ (at $g = 0$ the change is not zero, so the share is of
# the same order). Against $g$, on
# logarithmic axes, it must follow a line of slope at least $m+1$, and
# just $m+1$ unless the leading term happens to vanish. Two spaces that
# should not do are put beside it.

# %%
n_points = chapter.at_scale(smoke=2, book=4, paper=6)
weak = np.geomspace(1e-3, 0.01, n_points)
leaks = theory.leaks_outside(
    theory.word_spaces,
    [
        [
            theory.random_problem(first_seed + k, n_units=60, g=g)
            for g in weak
        ]
        for k in range(n_tries)
    ],
    seed,
)

# %% tags=["remove-input"]
slopes = {
    name: scaling_exponents(part, weak) for name, part in leaks.items()
}
off = [np.abs(slopes[f"m = {m}"] - (m + 1)) for m in (0, 1, 2)]
row = word_decay.judge(
    {"off": np.concatenate(off)},
    {
        name: {"off": np.abs(slopes[name] - 2)}
        for name in ("not mixed", "random")
    },
)
word_decay.prose_assumes(row, holds=True)
for name, part in (
    ("0", "m = 0"),
    ("1", "m = 1"),
    ("2", "m = 2"),
    ("unmixed", "not mixed"),
):
    slope = float(slopes[part].mean())
    glue(f"words-slope-{name}", slope, display=False)

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
    "networks, bands: range). The theorem asks for slopes of at least "
    "1, 2 and 3. Not mixed: words of up to one letter, J on the inputs "
    "and its transpose on the readout only (8 dimensions, where m = 1 "
    "has 12). Random: as many random dimensions as for m = 1.",
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
tolerances = [1e-2, 1e-3, 1e-8]
ranks = {}
for n in network_sizes:
    found = [
        [
            np.linalg.matrix_rank(
                theory.learn_problem(
                    theory.random_problem(first_seed + k, n_units=n, g=g),
                    n_steps=20,
                    learning_rate=2.0,
                ).change[-1],
                rtol=tolerances,
            )
            for g in strong
        ]
        for k in range(min(n_tries, 2))
    ]
    ranks[f"{n} units"] = np.array(found, dtype=float)

# %% tags=["hide-input"]
titles = ("above 1e-2", "above 1e-3", "above 1e-8")
charts.show(
    charts.curve_panels(
        {
            title: {size: found[..., i] for size, found in ranks.items()}
            for i, title in enumerate(titles)
        },
        dict.fromkeys(titles, np.array(strong)),
        x_title="strength g",
        y_title="singular values",
        y_scale={"type": "log"},
    ),
    name="random-start-ranks",
    caption="How many singular values of the change are above a "
    "hundredth, a thousandth and 1e-8 of the largest, after 20 steps "
    "from random starts, for networks of several sizes (lines: mean of "
    "two networks, bands: both; logarithmic axes). At g = 0 there can "
    "be 4 at most.",
    alt="Three panels against g from 0 to 0.9. At g = 0 there are 3 to 4 "
    "in each. The numbers rise with g, most at 1e-8. Lines of all sizes "
    "lie nearly on each other.",
)

# %% tags=["remove-input"]
for i, name in enumerate(("coarse", "fine", "exact")):
    for which, n in (
        ("small", network_sizes[0]),
        ("large", network_sizes[-1]),
    ):
        glue(
            f"random-start-rank-{name}-{which}",
            float(ranks[f"{n} units"][:, -1, i].mean()),
            display=False,
        )
longer = theory.learn_problem(
    theory.random_problem(first_seed, n_units=network_sizes[0], g=0.9),
    n_steps=150,
    learning_rate=2.0,
)
coarse, exact = np.linalg.matrix_rank(
    longer.change[-1], rtol=[1e-2, 1e-8]
)
glue("random-start-longer-coarse", int(coarse), display=False)
glue("random-start-longer-exact", int(exact), display=False)

# %% [markdown]
# {numref}`fig-random-start-ranks`: at $g = 0.9$ and a hundredth of the
# largest, the smallest networks have
# {glue:text}`random-start-rank-coarse-small:.1f` singular values and the
# largest, five times their size,
# {glue:text}`random-start-rank-coarse-large:.1f`; at a thousandth
# {glue:text}`random-start-rank-fine-small:.1f` and
# {glue:text}`random-start-rank-fine-large:.1f`. The number of units
# hardly matters, as the theorem makes one expect. At $10^{-8}$, where 80
# is all that the smallest can have, it is
# {glue:text}`random-start-rank-exact-small:.1f` and
# {glue:text}`random-start-rank-exact-large:.1f`. Learning for longer
# raises the numbers, since longer words get their weight: after 150
# steps, not 20, the first network of the smallest has
# {glue:text}`random-start-longer-coarse` singular values above a
# hundredth, and {glue:text}`random-start-longer-exact` above $10^{-8}$.


# %% [markdown]
# ## When units are not linear
#
# With $\phi = \tanh$ activity is bent: where states $\mathbf x_t$ move
# in a plane, the rates $\tanh\mathbf x_t$ in general leave every plane.
# How far do they get out? Begin again with zero weights and the first
# gradient. There $\mathbf x_t = B\mathbf z_t$, where $\mathbf z_t$ is
# the filtered input ($\mathbf z^{(0)}_t$ of {prf:ref}`thm-krylov`, with
# $\alpha = 0$), of only $p$ dimensions. (Initial states count as
# inputs.)
#
# If $\tanh$ were a polynomial of degree $m$, nothing more would be
# needed: $x_i^k = (\sum_a B_{ia} z_a)^k$ is a sum of *monomials* like
# $z_1^2 z_2$ with coefficients that depend on the unit, and there are
# $\binom{p+k-1}{k}$ monomials of degree $k$. The activity of all units
# would then be a combination of as many time courses as there are
# monomials. So the question is how near $\tanh$ is to a polynomial.
#
# ```{prf:lemma} Polynomials near tanh
# :label: lem-tanh
#
# Let $m$ be odd, and $c_k$ the coefficient of $y^k$ in the Taylor series
# of $\tanh$. (a) The Taylor polynomial of degree $m$ errs by at most
# the size of the next term, $|c_{m+2}|\,|y|^{m+2}$, *for every real*
# $y$. (b) For every $Y > 0$ there is an odd polynomial of degree $m$
# with
#
# $$
# |\tanh y - p(y)| \;\le\; \tfrac12\,(Y - \tanh Y)\,\rho^{\,1-m}
# \quad\text{for } |y| \le Y,
# $$
#
# where $\rho = c + \sqrt{1 + c^2}$ and $c = \pi/(2Y)$.
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
# (a) Let $m = 2J - 1$. Summing a geometric series, $\frac1{b+y^2} =
# \frac1b\sum_{j<J} (-y^2/b)^j + (-y^2/b)^J\frac1{b+y^2}$. The sums over
# $k$ of the first part are the Taylor terms up to degree $m$ (so that
# $|c_{2j+1}| = 2\sum_k b_k^{-j-1}$); the rest is at most
# $2|y|^{2J+1}\sum_k b_k^{-J-1} = |c_{2J+1}|\,|y|^{2J+1}$.
#
# (b) As a function of $y^2 \in [0, Y^2]$, each $\frac1{b+y^2}$ is
# $\frac{2}{Y^2}\frac{1}{a-x}$ with $x = 1 - 2y^2/Y^2 \in [-1, 1]$ and
# $a = 1 + 2b/Y^2$. Let $n = (m-1)/2$. Put $r = 1/(a + \sqrt{a^2-1})$,
# $x = \cos\theta$, $v = e^{i\theta}$, and
#
# $$
# e(x) = \frac{r^n}{a^2-1}\,\operatorname{Re}
# \left[v^n\,\frac{v - r}{1 - rv}\right] .
# $$
#
# The fraction in brackets has modulus 1, so $|e| \le r^n/(a^2-1)$.
# Since $a = (r + 1/r)/2$, the fraction is $(v-r)(1-r/v)$ over
# $(1-rv)(1-r/v) = 2r(a - x)$, and the real part of the numerator,
# $\operatorname{Re}[v^{n+1} - 2rv^n + r^2v^{n-1}]$, is a polynomial in
# $x$ of degree $n+1$: with $x = (v + 1/v)/2$, $\operatorname{Re} v^k$ is
# $(v^k + v^{-k})/2$, a polynomial in $x$. At $x = a$, that is $v = 1/r$,
# it is $\frac12 r^{-n-1}(1-r^2)^2$. With $a^2 - 1 = (1-r^2)^2/(4r^2)$,
# $e(x)\,(a-x)$ is therefore 1 at $x = a$. So $1 - e(x)\,(a-x)$, of
# degree $n+1$, can be divided by $a-x$, and $1/(a-x) - e(x)$ is a
# polynomial of degree $n$ (Chebyshev's best one). Times $2y\cdot 2/Y^2$
# it is odd of degree $m = 2n+1$, and errs by at most
# $\frac{4}{Y}\frac{r^n}{a^2-1} = r^n\,\frac{Y^3}{b(b+Y^2)}$. Now sum over
# $k$. The largest of the $r$ is that of $b_1$, where it is $\rho^{-2}$;
# and $\sum_k \frac{Y^3}{b_k(b_k+Y^2)} = Y\sum_k\bigl( \frac1{b_k} -
# \frac1{b_k+Y^2}\bigr) = Y\bigl(\frac12 - \frac{\tanh Y}{2Y}\bigr)$.
# ```
#
# Beyond $Y = \pi/2$ the Taylor series diverges. (a) still holds there,
# but higher degrees in the end make it worse; (b) tends to zero for every
# $Y$. For the slope $1-\tanh^2$, which the adjoint needs, let $m$ be
# even. (a) becomes $(m+3)\,|c_{m+3}|\,|y|^{m+2}$: in the rest that the
# Taylor polynomial of degree $m+1 = 2J-1$ leaves, the derivative of
# $y^{2J+1}/(b+y^2)$ lies between 0 and $(2J+1)\,y^{2J}/b$. In the place
# of (b) we take the Chebyshev series on $[-Y, Y]$ up to degree $m$. It
# errs by at most $2M\rho^{-(m+2)}/(1-\rho^{-2})$ with $M =
# 1/\cos^2\vartheta$, $\rho = c + \sqrt{1+c^2}$, $c = \vartheta/Y$, for
# every $\vartheta \in (0, \pi/2)$, of which we take the best. For $M$
# bounds the slope where imaginary parts are at most $\vartheta$, and so
# in the ellipse with foci $\pm Y$ of that height. Its Chebyshev
# coefficients are then (Bernstein) at most $2M\rho^{-k}$, those of odd
# $k$ are zero, and what is left out is a geometric series.
#
# ```{prf:theorem} First gradient, tanh network from zero weights
# :label: thm-monomials
#
# Let $\phi = \tanh$, $W_0 = 0$, $h \le 1$, and $Y_i$ be the largest
# $|x_i|$ over all times and trials. Then $\Phi$ differs from a matrix of
# rank at most $\sum_{k \le m,\,\text{odd}} \binom{p+k-1}{k}$ by at most
# $\sqrt{n}\,\bigl(\sum_i E_m(Y_i)^2\bigr)^{1/2}$ in the Frobenius norm,
# with $n$ the number of columns of $\Phi$ and $E_m(Y)$ the bound (a), at
# $|y| = Y$, or (b) of {prf:ref}`lem-tanh`. The same
# holds for $\Lambda$ with rank $q\sum_{k\le m,\,\text{even}}
# \binom{p+k-1}{k}$ and remainder $\frac1h\bigl(\sum_i E'_m(Y_i)^2\,
# \lVert (C^\top E)_i \rVert^2\bigr)^{1/2}$ for even $m$, where $E'_m$ is
# the bound for the slope, row $i$ of a matrix has index $i$, and the
# columns of $E$ are the errors $\mathbf e_t = \partial L/\partial
# \mathbf y_t$.
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
# columns only, which raises no rank, and multiplies no row's norm by more
# than $\sum_j (1-h)^j \le 1/h$.
# ```
#
# That each unit may have its own polynomial is worth a lot: most units
# are driven much less than the most driven one.

# %%
scales = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
zero_starts = {}
for scale_of_input, k in product(scales, range(n_tries)):
    problem = theory.random_problem(
        first_seed + k,
        n_units=80,
        input_scale=scale_of_input,
        nonlinearity="tanh",
    )._asdict()
    zero_starts[scale_of_input, k] = (
        theory.factors_of_gradient(**problem),
        theory.monomial_tail(**problem),
        theory.monomial_tail(**problem, best=False),
    )

# %% tags=["remove-input"]
both_forms = [
    (factors, bound)
    for factors, *bounds in zero_starts.values()
    for bound in bounds
]
row = polynomial_bound.judge(
    {"excess": [bound.broken_by(f) for f, bound in both_forms]},
    {
        "the next degree's": {
            "excess": [
                bound.broken_by(f, WRONG["the next bound"])
                for f, bound in both_forms
            ]
        }
    },
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
    factors, best, taylor = zip(*found, strict=True)
    ranks, panels[title] = theory.relative_tails(
        [one.rates for one in factors],
        {
            "best polynomials": [bound.rates for bound in best],
            "Taylor": [bound.rates for bound in taylor],
        },
        7,
    )
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
    "rank leaves, and the bounds by best polynomials and by Taylor's "
    "(dots: at the numbers of monomials of odd degrees up to 1, 3, 5, "
    "... of two inputs; lines: mean over networks, bands: range). A "
    "measured line above one of the others would refute the theorem.",
    alt="Three panels with three lines each, on a logarithmic axis. "
    "Measured is lowest, best polynomials above it, Taylor on top. All "
    "fall with rank, slower for larger inputs, but for Taylor at inputs "
    "of scale 10, which rises out of the picture.",
)

# %% [markdown]
# {numref}`fig-monomials-first-gradient` shows the bounds with room to
# spare. What they say on ranks is better than it looks: for inputs of
# scale 3 (not drawn) the activity of the first network has
# {glue:text}`monomials-measured` singular values above a hundredth of the
# largest. Best polynomials promise at most {glue:text}`monomials-best`,
# Taylor's {glue:text}`monomials-taylor`.
#
# ### All of learning: products
#
# In the whole of learning, not only the inputs are bent and multiplied,
# but also what has been written. Scale inputs and initial states by
# $\varepsilon$, and let $A_k$ be the space that all elementwise products
# of $k$ vectors of $V$ span ($A_1$ is $V$).
#
# ```{prf:theorem} All of learning, tanh network from zero weights
# :label: thm-products
#
# Let $\phi = \tanh$, $W_0 = 0$, $m$ odd, and $P_m$ project onto $A_1 +
# A_3 + \dots + A_m$. For every loss with a continuous gradient, fixed
# data, step sizes, momentum, and number of steps,
#
# $$
# \lVert \Delta W_s - P_m\,\Delta W_s\,P_m \rVert_F =
# O(\varepsilon^{m+2}) \quad\text{as } \varepsilon \to 0,
# $$
#
# while $\Delta W_s$ itself is $O(\varepsilon)$; and $\dim A_k \le
# \binom{d+k-1}{k}$.
# ```
#
# ```{prf:proof}
# Call a vector *graded from* $j$ if for every odd $m$ it is a sum of
# vectors in $A_k$ of size $O(\varepsilon^{k+j})$ over odd $k \le m$ and a
# rest of size $O(\varepsilon^{m+2+j})$. If $\mathbf x$ is graded from 0,
# so is $\tanh\mathbf x$: break the Taylor series off with an error
# $O(\varepsilon^{m+2})$; an odd power of a sum of terms multiplies an odd
# number of them, the product of terms in $A_k$ and $A_l$ is in
# $A_{k+l}$, and its size is at most of the order of the product of their
# sizes. In the same way
# the slopes are 1 and terms in $A_2, A_4, \dots$ of size
# $O(\varepsilon^k)$. We claim that, at all times and steps, $\mathbf
# x_t$ is graded from 0, $\boldsymbol\lambda_t$ from $-1$, and $\Delta
# W_s$ a sum of matrices $\mathbf a\mathbf b^\top$ with $\mathbf a$
# graded from $-1$ and $\mathbf b$ from 0. It is true of $\Delta W_0 =
# 0$. If it is true of $\Delta W_s$: *forwards*, $\mathbf x_0$ and
# $B\mathbf u_t$ are in $A_1$ and of size $\varepsilon$, and
# $\mathbf a\,(\mathbf b^\top\phi(\mathbf x_t))$ is $\mathbf a$ times a
# number of size $O(\varepsilon^2)$, graded from 1 and so from 0.
# *Backwards*, $C^\top\mathbf e_t$, with the errors $\mathbf e_t$, is in
# $A_1$ and $O(1)$, $\mathbf b\,(\mathbf a^\top\boldsymbol\lambda)$ is
# $\mathbf b$ times a number $O(1)$, graded from 0 and so from $-1$, and
# products with slopes keep the grading. Then
# $G_s = h\sum\boldsymbol\lambda\,\phi(\mathbf x)^\top$ is of the claimed
# form, and so is $\Delta W_{s+1}$. Of $\mathbf a\mathbf b^\top$, what is
# outside $P_m$ is of size $\varepsilon^{m+1}\cdot\varepsilon$ on the left
# side and $1\cdot\varepsilon^{m+2}$ on the right, at most. The products
# of $k$ vectors of a basis of $V$ span $A_k$, and there are
# $\binom{d+k-1}{k}$ of them.
# ```
#
# So the *share* outside falls with $\varepsilon^{m+1}$ or faster, if the
# change is not smaller than of order $\varepsilon$: the slopes must be 2
# and 4, or more where a leading term vanishes. As before, spaces that
# should not do stand beside.

# %%
small_scales = np.geomspace(0.01, 0.03, n_points)
shares = theory.leaks_outside(
    theory.product_spaces,
    [
        [
            theory.random_problem(
                first_seed + k,
                n_units=60,
                input_scale=float(scale_of_input),
                nonlinearity="tanh",
            )
            for scale_of_input in small_scales
        ]
        for k in range(n_tries)
    ],
    seed,
)

# %% tags=["remove-input"]
slopes = {
    name: scaling_exponents(part, small_scales)
    for name, part in shares.items()
}
off = [np.abs(slopes[f"m = {m}"] - (m + 1)) for m in (1, 3)]
row = product_decay.judge(
    {"off": np.concatenate(off)},
    {
        name: {"off": np.abs(slopes[name] - 4)}
        for name in ("inputs alone", "random")
    },
)
product_decay.prose_assumes(row, holds=True)
for name, part in (
    ("1", "m = 1"),
    ("3", "m = 3"),
    ("alone", "inputs alone"),
):
    slope = float(slopes[part].mean())
    glue(f"products-slope-{name}", slope, display=False)

# %% tags=["hide-input"]
charts.show(
    charts.curves(
        shares,
        small_scales,
        x_title="scale of the inputs",
        y_title="share of the change outside",
        x_scale={"type": "log", "nice": False, "domain": [0.01, 0.03]},
        y_scale={"type": "log"},
    ),
    name="products-decay",
    caption="What tanh networks learn from zero weights: the share of "
    "the change that lies outside the space of products of up to m "
    "vectors, against the scale of the inputs (0.01 to 0.03), both on "
    "logarithmic axes (lines: mean over networks, bands: range). The "
    "theorem asks for slopes of at least 2 and 4. Inputs alone: "
    "products of the inputs, and the readout unmultiplied. Random: as "
    "many random dimensions as for m = 3.",
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
largest = {}
for scale_of_input in scales[:5]:
    ranks, falls = [], []
    for k in range(min(n_tries, 3)):
        problem = theory.random_problem(
            first_seed + k,
            n_units=80,
            input_scale=scale_of_input,
            nonlinearity="tanh",
        )
        run = theory.learn_problem(
            problem, n_steps=100, learning_rate=2.0
        )
        ranks.append(
            np.linalg.matrix_rank(run.change[-1], rtol=[0.01, 0.001])
        )
        falls.append(1 - run.loss[-1] / run.loss[0])
    coarse, fine = (tuple(each) for each in np.transpose(ranks).tolist())
    largest[scale_of_input] = str(max(coarse))
    print(
        f"inputs of scale {scale_of_input:4}: above 1e-2 {coarse}, above "
        f"1e-3 {fine}; the loss fell by {100 * np.mean(falls):.0f} %"
    )

# %% tags=["remove-input"]
glue("products-ranks-small", largest[0.1], display=False)
glue("products-ranks-large", largest[3.0], display=False)

# %% [markdown]
# With inputs of scale 0.1 the change of no network (there is one number
# for each in the brackets) has more than
# {glue:text}`products-ranks-small` singular values above a hundredth of
# the largest; with inputs of scale 3, up to
# {glue:text}`products-ranks-large`. Such a number belongs to the time of
# looking, too: after the same 100 steps the loss has fallen further where
# inputs are larger, so that scale is not all that differs.


# %% [markdown]
# ## What Adam does
#
# The three tasks of [an earlier chapter](03_three_tasks.py) were learned
# with Adam, and all the statements above are for gradient descent. Adam
# divides every entry of the gradient by a running measure of its own
# size. Its first step is, up to the small constant in the denominator,
# $-\eta\operatorname{sign}(G)$, entry by entry, with $\eta$ the learning
# rate. The sign of a matrix of rank one is again of rank one; but that of
# a sum of a few such matrices can be of nearly full rank.
#
# There is a plain reason why the theorems above do not carry over to
# Adam. They speak of spaces, and know no axes.
#
# ```{prf:proposition} Gradient descent knows no axes, Adam does
# :label: prop-axes
#
# Describe a linear network in other coordinates: with $Q$ orthogonal, $W'
# = Q^\top WQ$, $B' = Q^\top B$, $C' = CQ$, $\mathbf x' = Q^\top\mathbf
# x$. Outputs and loss are the same. Gradient descent then learns the
# same, $\Delta W' = Q^\top\Delta W\,Q$. Adam in general does not; and if
# $W_0 = \alpha\,1$ and the first $d$ coordinates span $V$ (inputs,
# readout and initial states, as above), Adam without weight decay changes
# nothing but the first $d \times d$ entries, exactly.
# ```
#
# ```{prf:proof}
# As $W = QW'Q^\top$, the chain rule gives $G' = Q^\top GQ$, and sums of
# gradients are turned alike; step by step, so are the weights. In the
# special coordinates, activity and adjoint have only their first $d$
# entries as long as $\Delta W$ is zero outside the first $d \times d$; so
# is $G$ then, and Adam moves an entry whose gradient has always been zero
# by $0/(0+\epsilon) = 0$. That it does not learn the same in all
# coordinates is shown by the example that follows.
# ```
#
# To compare, we take the same problem, the same loss and the same
# optimiser, and only turn the axes.

# %%
n_steps = chapter.at_scale(smoke=40, book=200, paper=200)
optimisers = {
    "gradient descent": {"learning_rate": 1.0},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "Adam": {"learning_rate": 0.002, "optimiser": "adam"},
}
turned_leaks, examined, seen = [], {}, {}
for k in range(n_tries):
    problem = theory.random_problem(first_seed + k, n_units=60)
    vectors = theory.learning_vectors(problem.network).numpy()
    space = np.linalg.qr(vectors)[0]
    runs = {
        name: theory.learn_problem(problem, n_steps=n_steps, **options)
        for name, options in optimisers.items()
    }
    compared = theory.compare_runs(problem, runs, space, seed=k)
    for name, found in compared.items():
        examined.setdefault(("linear", name), []).append(found)
    axes = theory.completed_basis(space)
    leaked = []
    for turn in (axes, theory.random_space(60, 60, [seed, k])):
        there = theory.turned(problem, turn)
        run = theory.learn_problem(
            there, n_steps=n_steps, **optimisers["Adam"]
        )
        leaked.append(theory.leak(run, turn.T @ space))
    turned_leaks.append(leaked)
    if k == 0:
        there = theory.turned(problem, axes)
        for name in ("gradient descent", "Adam"):
            run = theory.learn_problem(
                there, n_steps=n_steps, **optimisers[name]
            )
            given = axes.T @ runs[name].change[-1] @ axes
            seen[f"{name}, given axes"] = given
            seen[f"{name}, axes turned"] = run.change[-1]

# %% tags=["remove-input"]
aligned, at_random = np.array(turned_leaks).T
descent_leak, adam_leak = (
    np.array([one.leak for one in examined["linear", name]])
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
    "(the first 12 of 60 are shown; rows receive, columns send; each "
    "map as a share of its own largest entry). On the left it learned "
    "in the given coordinates and the change was turned afterwards; on "
    "the right it learned in the turned ones.",
    alt="Four heat maps. Gradient descent fills only the first four "
    "rows and columns, and both of its maps are alike. Adam in the "
    "given axes also spreads over the rest, most along the first rows "
    "and columns; Adam in turned axes is confined to the first four "
    "exactly, with other values.",
)

# %% [markdown]
# Gradient descent stays where {prf:ref}`thm-structureless` puts it. Adam
# has {glue:text}`adam-leak:.0f` % of the norm of its change
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
    vectors = theory.learning_vectors(problem.network).numpy()
    runs = {
        name: theory.learn_problem(problem, n_steps=n_steps, **options)
        for name, options in optimisers.items()
    }
    compared = theory.compare_runs(
        problem, runs, np.linalg.qr(vectors)[0], seed=k
    )
    for name, found in compared.items():
        examined.setdefault(("tanh", name), []).append(found)

outcomes = {
    setting: {
        field: [getattr(one.outcome, field) for one in found]
        for field in theory.OptimiserOutcome._fields
    }
    for setting, found in examined.items()
}
for (kind, name), found in outcomes.items():
    mean = {field: np.mean(values) for field, values in found.items()}
    print(
        f"{kind}, {name}: rank {mean['rank']:.1f}, outside own four "
        f"{100 * mean['outside_own']:.1f} %;\n"
        f"  kept by own four {100 * mean['kept_by_own']:.1f} %, "
        f"by V {100 * mean['kept_by_space']:.1f} %, "
        f"by random {100 * mean['kept_by_random']:.1f} %"
    )

# %% tags=["remove-input"]
linear, tanh = outcomes["linear", "Adam"], outcomes["tanh", "Adam"]
row = adam_tail.judge(
    {"kept": linear["kept_by_own"]},
    {
        "cut to the space": {"kept": linear["kept_by_space"]},
        "random dimensions": {"kept": linear["kept_by_random"]},
    },
    {"tanh, random start": {"kept": tanh["kept_by_own"]}},
)
adam_tail.prose_assumes(row, holds=True)
for kind, found in (("linear", linear), ("tanh", tanh)):
    for field, short, unit in (
        ("rank", "rank", 1),
        ("outside_own", "outside", 100),
        ("kept_by_own", "own", 100),
        ("kept_by_space", "space", 100),
    ):
        value = unit * float(np.mean(found[field]))
        glue(f"adam-{kind}-{short}", value, display=False)
descent = outcomes["tanh", "gradient descent"]["rank"]
glue("descent-tanh-rank", float(np.mean(descent)), display=False)

# %% tags=["hide-input"]
panels = {}
for title, kind in (
    ("linear, from zero weights", "linear"),
    ("tanh, from a random start", "tanh"),
):
    panels[title] = {}
    for name in optimisers:
        changes = np.stack([one.change for one in examined[kind, name]])
        values = np.linalg.svd(changes)[1][:, :30]
        shares = np.maximum(values / values[:, :1], 1e-7)
        panels[title][name] = shares
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
    "range). Values below 1e-6 of the first are not drawn. On the left "
    "gradient descent and momentum lie on each other.",
    alt="Two panels on a logarithmic axis. Left, linear: gradient "
    "descent and momentum end after four values; Adam drops after a few "
    "values and goes on as a slowly falling tail. Right, tanh: all have "
    "tails, gradient descent's falls steadily, Adam's is flat and "
    "highest.",
)

# %% [markdown]
# {numref}`fig-adam-spectra` has the answer. Adam writes a tail: of the
# linear networks' changes, on average
# {glue:text}`adam-linear-rank:.0f` singular values are above a hundredth
# of the largest, where gradient descent has at most four; of the tanh
# networks' {glue:text}`adam-tanh-rank:.0f` against
# {glue:text}`descent-tanh-rank:.0f`. But the tail holds only
# {glue:text}`adam-linear-outside:.1f` % of the squared norm
# ({glue:text}`adam-tanh-outside:.1f` % with tanh), and does next to
# nothing: without it, {glue:text}`adam-linear-own:.1f` % of the fall of
# the loss is left ({glue:text}`adam-tanh-own:.1f` % with tanh). It was a
# tail like this, of little use, that Adam left in [three
# tasks](03_three_tasks.py).
#
# The four leading directions, though, are not those that the bound names:
# cut to $V$, Adam's change keeps {glue:text}`adam-linear-space:.0f` %
# of the fall on average. It has tilted them. (With tanh it keeps
# {glue:text}`adam-tanh-space:.0f` %, but there gradient descent leaves
# $V$, too.) So here Adam keeps the change close to low rank, and loses
# the reason that the theorems give for it: that low rank survives Adam in
# the networks of {cite:t}`schuessler2020` is a fact, of which these
# theorems are no proof.


# %% [markdown]
# ## The bound and networks that learned
#
# Toys keep theorems honest; but does the bound explain the networks of
# this book? We let networks learn again with everything observed: the
# [reach in a curl field](02_relearning_to_reach.py), one trial a step,
# and the [three tasks](03_three_tasks.py), here all with plain gradient
# descent. From the Gram matrices of all steps the theorem makes a
# guarantee, which no measurement of the weights has entered but their
# squared norm, to make it a share.

# %% tags=["hide-input"]
n_units, n_epochs, trials, n_pretraining, proficiency = chapter.at_scale(
    smoke=(16, 6, (3, 4, 4), 3, 5.0),
    book=(128, 200, (30, 80, 80), 800, 0.2),
    paper=(128, 200, (30, 80, 80), 1500, 0.1),
)
TASKS = {
    "flip-flop": ltr.FlipFlop(),
    "Romo": ltr.DelayedDiscrimination(),
    "Mante": ltr.ContextDecision(),
}
n_runs = chapter.at_scale(smoke=1, book=2, paper=5)
seeds = [10 * seed + k for k in range(n_runs)]
real = {"reaching": []} | {name: [] for name in TASKS}
for k in seeds:
    run = theory.observe_field(
        n_units=n_units,
        n_pretraining=n_pretraining,
        proficiency=proficiency,
        trials=trials,
        seed=k,
    )
    real["reaching"].append(theory.run_tails(run, k))
    for name, task in TASKS.items():
        run = theory.observe_task(
            task, n_units=n_units, n_epochs=n_epochs, seed=k
        )
        real[name].append(theory.run_tails(run, k))
every_run = [one for runs in real.values() for one in runs]

# %% tags=["hide-input"]
SIDES = {"post": "receiving units", "pre": "sending units"}
charts.show(
    charts.tail_panels(
        {
            name: {
                title: tuple(getattr(runs[0].tails, side))
                for side, title in SIDES.items()
            }
            for name, runs in real.items()
        }
    ),
    name="real-runs-tails",
    caption="What the best r directions leave out of the change, as a "
    "share of its squared norm: measured (solid) and at most, by the "
    "theorem (dashed), for receiving (blue) and sending units (orange). "
    "One network of each kind, 128 units. A bound "
    "above the upper rule (1) says nothing; where it crosses the lower "
    "rule (a tenth), that rank is guaranteed to hold 90 %.",
    alt="Four panels, reaching, flip-flop, Romo and Mante, against rank "
    "from 0 to 128 with a logarithmic axis. Solid lines fall below 1e-4 "
    "within about ten to forty-five ranks. Dashed lines begin far above "
    "1 and fall more slowly: below a tenth soonest for Romo, then for "
    "the flip-flop, later for reaching, and for Mante only near the last "
    "ranks.",
)

# %% tags=["remove-input"]
row = bound_real.judge(
    {
        "excess": [
            side.excess() for one in every_run for side in one.tails
        ]
    },
    {
        "random walks": {
            "excess": [
                side.excess() for one in every_run for side in one.walk
            ]
        }
    },
)
bound_real.prose_assumes(row, holds=True)

# %% tags=["remove-input"]
guaranteed, spread = (
    {
        name: [getattr(one, of).guaranteed(0.9) / n_units for one in runs]
        for name, runs in real.items()
    }
    for of in ("tails", "spread")
)
row = bound_explains.judge(
    {"guaranteed": np.concatenate(list(guaranteed.values()))},
    {
        "spread evenly": {
            "guaranteed": np.concatenate(list(spread.values()))
        }
    },
    {name: {"guaranteed": ranks} for name, ranks in guaranteed.items()},
)
bound_explains.prose_assumes(row, holds=False)
for name, runs in real.items():
    for side in SIDES:
        ranks = [getattr(one.tails, side).ranks(0.9) for one in runs]
        measured, sure = np.array(ranks).max(0)
        glue(f"real-runs-{name}-{side}", int(sure), display=False)
        glue(
            f"real-runs-{name}-{side}-measured",
            int(measured),
            display=False,
        )
    if name != "reaching":
        glue(
            f"real-runs-{name}-loss",
            float(100 * np.mean([one.loss for one in runs])),
            display=False,
        )
glue("real-runs-units", n_units, display=False)
broken = [max(s.excess() for s in one.walk) > 1e-9 for one in every_run]
glue("real-runs-broken", sum(broken), display=False)
glue("real-runs-number", len(every_run), display=False)

# %% [markdown]
# The bound holds in every run and at every rank. It is no empty promise:
# weights that walk at random, with steps of the same size, break it in
# {glue:text}`real-runs-broken` of {glue:text}`real-runs-number` runs.
# Here is the rank that holds 90 % of the squared norm, of
# {glue:text}`real-runs-units` (the larger of the two networks' of each
# task; losses are means of the last ten steps against the first ten):
#
# - Romo: guaranteed
#   {glue:text}`real-runs-Romo-post` (receiving units) and
#   {glue:text}`real-runs-Romo-pre` (sending);
#   measured {glue:text}`real-runs-Romo-post-measured` and
#   {glue:text}`real-runs-Romo-pre-measured`. The loss fell to
#   {glue:text}`real-runs-Romo-loss:.0f` % of the first.
# - flip-flop: guaranteed
#   {glue:text}`real-runs-flip-flop-post` (receiving units) and
#   {glue:text}`real-runs-flip-flop-pre` (sending);
#   measured {glue:text}`real-runs-flip-flop-post-measured` and
#   {glue:text}`real-runs-flip-flop-pre-measured`. The loss fell to
#   {glue:text}`real-runs-flip-flop-loss:.0f` % of the first.
# - reaching: guaranteed
#   {glue:text}`real-runs-reaching-post` (receiving units) and
#   {glue:text}`real-runs-reaching-pre` (sending);
#   measured {glue:text}`real-runs-reaching-post-measured` and
#   {glue:text}`real-runs-reaching-pre-measured`.
# - Mante: guaranteed
#   {glue:text}`real-runs-Mante-post` (receiving units) and
#   {glue:text}`real-runs-Mante-pre` (sending);
#   measured {glue:text}`real-runs-Mante-post-measured` and
#   {glue:text}`real-runs-Mante-pre-measured`. The loss fell to
#   {glue:text}`real-runs-Mante-loss:.0f` % of the first.
#
# (In reaching the error ends where it began, as the field comes and
# goes. Of the others Romo, where the bound is best, is learned least.)
#
# So low-dimensional activity and errors make low rank *certain* for Romo,
# with about a tenth of the directions, and for the flip-flop, with about
# a fifth. For reaching they say less, and for Mante next to nothing:
# {numref}`fig-real-runs-tails`. Claim P5.explains, which asks for 90 %
# within half of the directions in all four, does not hold, for Mante's
# sake. And everywhere the measured ranks are lower still, by far. Where
# does the bound lose?

# %% tags=["hide-input"]
charts.show(
    charts.ladder_points(
        {
            name: {
                rung: float(np.mean([one.ladder[rung] for one in runs]))
                for rung in theory.RUNGS
            }
            for name, runs in real.items()
        },
        x_title=f"share left out at rank {n_units // 16}",
    ),
    name="real-runs-ladder",
    caption="From the measured tail to the bound, one step of the proof "
    "at a time, for sending units at a sixteenth of all ranks (mean over "
    "networks). No point is smaller than the one above it, and the "
    "distance is what this step gives away. Right of the dotted rule "
    "(1) nothing is said.",
    alt="Four panels of five points on a logarithmic axis, from the "
    "measured tail to the bound. The largest gap is that of alignment "
    "within a step, except in reaching, where it is cancellation over "
    "steps. The last gap cannot be seen.",
)

# %% tags=["remove-input"]
shares = {
    name: np.mean([list(one.ladder.values()) for one in runs], 0)
    for name, runs in real.items()
}
lost = {name: part[1:] / part[:-1] for name, part in shares.items()}
for name, part in (
    ("least", min(part[0] for part in lost.values())),
    ("most", max(part[0] for part in lost.values())),
    ("cancellation", lost["reaching"][1]),
    ("reaching", lost["reaching"][2]),
    ("flip-flop", lost["flip-flop"][2]),
    ("Romo", lost["Romo"][2]),
    ("Mante", lost["Mante"][2]),
    ("average", max(part[3] for part in lost.values())),
):
    glue(f"real-runs-lost-{name}", float(part), display=False)

# %% [markdown]
# {numref}`fig-real-runs-ladder` takes the proof apart: each step of it is
# taken by itself, and the factor is by how much it raises the share.
#
# - *Directions.* The factors' leading directions are not the best ones
#   for what is learned: from {glue:text}`real-runs-lost-least:.0f` to
#   {glue:text}`real-runs-lost-most:.0f` times as much is left out.
# - *Cancellation over steps.* Gradients of successive steps partly undo
#   one another; the triangle inequality adds them up. In reaching, where
#   each step sees a single reach to one of eight targets, this costs a
#   factor of {glue:text}`real-runs-lost-cancellation:.0f`.
# - *Alignment within a step.* The product $\Lambda\Phi^\top$ is smaller
#   than its factors' norms allow: where the activity is large it meets
#   errors of both signs, over times and trials, that is how we read it.
#   The bound takes sizes alone and cannot know. This is the largest loss
#   for Romo
#   ({glue:text}`real-runs-lost-Romo:.0f` times), the flip-flop
#   ({glue:text}`real-runs-lost-flip-flop:.0f` times) and above all
#   Mante ({glue:text}`real-runs-lost-Mante:.0f` times), whose inputs
#   are mostly noise, against
#   {glue:text}`real-runs-lost-reaching:.0f` times in reaching.
# - *One average over steps.* Nearly free, by our choice of $b_s$:
#   at most a factor of {glue:text}`real-runs-lost-average:.2f`.
#
# So the honest reading of P5 has two halves. *Low-dimensional activity
# and adjoint imply low tensor rank*: proved, and of use in three of four
# tasks, of these in reaching the least. *The low rank that is seen
# follows from them*: only in part. Much of it is what the bound cannot
# see: in our reading, errors that average out over trials and steps, so
# that few directions keep their sign.


# %% [markdown]
# ## What would have refuted it
#
# Theorems: one gradient with a singular value above its bound; one run
# whose tail crosses the dashed line; one linear network that leaks out of
# its space by more than rounding; a slope of one less than is asked. The
# claim: a task of few inputs and outputs that is learned by plain
# gradient descent with a change of *high* rank. We have seen none here,
# and where to look for one is the question of [where low rank
# ends](12_where_low_rank_ends.py).
#
# What is proved, and what is not:
#
# - *Any network that descends its gradient*: the rank of an update, and
#   of all of learning, is at most that of the activity and of the adjoint
#   of all steps, over receiving and sending units
#   ({prf:ref}`thm-factorisation`, {prf:ref}`thm-tensor`). Both have to
#   be measured.
# - *Linear, a start without structure*: the rank over units is at most
#   the number of inputs, outputs and dimensions of initial states
#   together, and over steps its square, whatever is learned
#   ({prf:ref}`thm-structureless`). It is enough to count wires.
# - *Linear, a random start*: the rank is full; what lies outside of words
#   of $m$ letters is of order $g^{m+1}$ ({prf:ref}`thm-words`), which
#   tells much for small $g$ only.
# - *Tanh, from zero weights*: what lies outside of products of $m$
#   vectors is of order $m+1$ in the size of the inputs
#   ({prf:ref}`thm-products`), which tells much for small inputs only.
# - *Tanh, a random start*: beforehand nothing is certain.
# - *Adam*: nothing is.
#
# The networks of this book, and brains even more, stand in the last two
# lines. There low tensor rank is an observation, and the first line
# bounds it where descent is plain. Of networks that can be [told by their
# overlaps](14_overlaps.py) one can say more; the next chapter does.

# %% [markdown]
# ## Exercises


# %% [markdown]
# ::::{exercise}
# :label: structureless-mirror
# By {prf:ref}`prop-structureless-mirror` a network with one input and one
# output, started from zero, has at most rank 3 over steps. Name two ways
# to take the symmetry away, say what the rank becomes, and try
# (`theory.random_problem` takes `initial_rank` and `start_rank`).
# ::::

# %% [markdown]
# ::::{solution-start} structureless-mirror
# :class: dropdown
# ::::

# %%
for name, settings in {
    "as it is": {},
    "an initial state": {"initial_rank": 1},
    "a start of rank 1": {"start_rank": 1},
}.items():
    problem = theory.random_problem(
        seed, n_units=20, n_inputs=1, n_outputs=1, **settings
    )
    rates = theory.varied_rates(60, seed)
    run = theory.learn_problem(
        problem, n_steps=60, learning_rate=rates, momentum=0.5
    )
    d = theory.subspace_bound(
        problem.network, problem.initial, n_steps=60
    ).dimension
    ranks = mode_ranks(run.change, 1e-12)
    print(f"{name}: d = {d}, mode ranks {ranks}, d² = {d**2}")
    values = mode_spectra(run.change)[0]
    last, beyond = values[[d**2 - 1, d**2]] / values[0]
    print(
        "  singular values over steps, as shares of the first: "
        f"number {d**2} is {last:.0e}, the next {beyond:.0e}"
    )

# %% [markdown]
# An initial state enters like a second input, and a start that is not
# symmetric under the reflection breaks $W_0^\top = RW_0R$. Both give back
# $d^2$. With a start of rank 1 that is 16, though the count prints 12:
# the last four are below 1e-12, where it stops, but the sixteenth still
# stands clear of the next, which is rounding (as the fourth is in the
# network as it is). More and larger steps lift them.
#
# ::::{solution-end}
# ::::

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
        vectors = theory.learning_vectors(problem.network).numpy()
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
# again, whatever the number of units: all rows are alike but for their
# sign. For rank two, entry $i, j$ changes its sign where $\mathbf
# a_i\cdot\mathbf b_j$ does: row $i$ cuts the plane of the $\mathbf b_j$
# along a line of its own direction. Two rows are alike (but for their
# sign) only if no $\mathbf b_j$ lies between their lines, so with more
# units there are more patterns, and the rank grows. In four dimensions
# there are so many ways to cut that nearly all rows differ.
# ::::{solution-end}
# ::::
