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
# <<< exercises C
