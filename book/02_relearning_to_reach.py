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
# # A network re-learns to reach

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% [markdown]
# ## The claims, before the results

# %%
from ltr_core.claims import Chapter

chapter = Chapter("02_relearning_to_reach", scale=scale, seed=seed)
P = "Pellegrino, Cayco-Gajic & Chadwick 2023, abstract"
OURS = "the companion's own check"

# %%
learning = chapter.claim(
    "P3.learning",
    statement="The networks adapt to a curl field as a motor system does: the error jumps, decays, "
    "and returns with the opposite sign when the field is switched off.",
    source=OURS + " that the networks learn what the paper's learned",
    criterion="In every network the first 8 trials in the field have at least 1.5 times the error "
    "of the last 8 before it, the last 8 in the field at most 0.6 times that of the first 8, and "
    "the path bends by more than 1 cm to one side in the first 8 and to the other in the first 8 "
    "without it. A network whose weights are held still must not pass.",
    expression="min(early / baseline) >= 1.5 and max(late / early) <= 0.6 "
    "and min(early_side) > 1 and max(after_side) < -1",
)

# %%
low_rank = chapter.claim(
    "P3.fit",
    statement="The weights of a network that re-learns to reach are low tensor rank over learning.",
    source=P,
    criterion="In every network a CP decomposition of rank 5 explains at least 90 % of the squared "
    "norm of the weight change (initial weights subtracted). A random walk with steps of the same "
    "size, and the same steps each turned into a random direction, must not pass.",
    expression="min(fit) >= 0.9",
)

# %%
not_growth = chapter.claim(
    "P3.not-growth",
    statement="Perturbation and washout are more than a change that grows and shrinks along "
    "itself, which would be low rank over trials for free.",
    source=OURS + " (the matrix-rank null)",
    criterion="In every network, one profile over trials times one matrix of any rank holds less "
    "than 90 % of the change's squared norm. The final change, scaled to the norm of the change "
    "after each trial, must not pass.",
    expression="max(one_profile) < 0.9",
)

# %%
one_subspace = chapter.claim(
    "P3.subspace",
    statement="The change after every trial lies in one fixed low-dimensional subspace.",
    source=OURS + " (the matrix-rank null)",
    criterion="In every network, five directions of the receiving and five of the sending units, "
    "fixed over learning, hold at least 95 % of what five directions chosen anew for each trial "
    "hold. The random walk and the turned steps must not pass.",
    expression="min(fixed / free) >= 0.95",
)

# %%
rotation = chapter.claim(
    "P3.rotation",
    statement="The same holds when the perturbation is a rotation of what is seen.",
    source=OURS,
    criterion="As P3.fit, for a visuomotor rotation of 30 degrees.",
    expression="min(fit) >= 0.9",
)

# %%
function = chapter.claim(
    "P3.function",
    statement="The low-tensor-rank part of the weights is what the behaviour needs.",
    source=OURS,
    criterion="In every network, weights rebuilt from the start and five components make an error "
    "on each trial that differs from the network's own by at most 10 % of the mean error "
    "(root mean squared distance from the wanted path; mean absolute difference over trials). "
    "Weights that stay at the start must not pass.",
    expression="max(difference) <= 0.1",
)
