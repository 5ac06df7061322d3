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
# directions. The chapters before this one found that it does; this one
# asks why it must.

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
