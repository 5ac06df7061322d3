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
# # Your own data
#
# You have a file with the activity of some neurons in a session in which
# something was learned, and you want to know what the model of
# {cite:t}`pellegrino2023` makes of it. This chapter is the way from the
# file to a fit that you can judge. It looks at the data and says what it
# found, chooses the rank, fits, asks whether the fit is better than what
# knows nothing of learning, draws it, and leaves a folder with a report
# and the model.
#
# The book has no file of yours. On these pages `path` is empty, and the
# chapter makes an **example file** by simulation: counts of spikes from a
# network whose weights change in three planted patterns, with trials left
# out and entries missing. As the truth is known there, the example also
# puts a small part of claim **P4** to the test: does a fit with the
# settings that you would get find what was planted?
#
# ## How to run it
#
# *In the browser.* Once the book has a public address, the buttons at the
# top of this page open it in Binder. There, upload your file with the
# arrow above the list of files, set `path` in the cell below to its name
# with `../` before it, and choose *Run All Cells*. The folder with the
# report appears beside your file; download it before you leave, since
# Binder keeps nothing. (No such button? Use a shell.)
#
# *From a shell*, in the project's folder. The first two lines set up what
# is needed and are enough; the book need not be built.
#
# ```sh
# make .venv/.installed TORCH=cpu
# source .venv/bin/activate
# jupytext --to ipynb --output mine.ipynb book/11_your_own_data.py
# papermill mine.ipynb fitted.ipynb -p path session.nwb
# ```
#
# (`TORCH=cpu` spares you CUDA.) The report is then beside your file, in
# `session-ltrrnn/report.html`.
#
# Each parameter of the cell below can be given with `-p`; a list or a
# dictionary with `-y`, as in `-y "rank: [1, 2, 3]"`.
#
# These files are read:
#
# - `.nwb`, Neurodata Without Borders, with tables `units` (spike times)
#   and `trials`;
# - `.mat`, TrialData, the struct array of trials of the Miller lab;
# - `.npz`, with the arrays `activity` (trial, time, neuron) and `time`
#   (s; 0 is the go cue) and, if they are known, `condition`, `epoch`,
#   `trial_id` (one value for each trial) and `counts` (True if `activity`
#   holds numbers of spikes);
# - `.nc`, as `Recording.to_netcdf` writes them.
#
# Anything else: make arrays of it in Python, and
# `numpy.savez("session.npz", activity=..., time=...)`. Missing entries
# are NaN.

# %% tags=["parameters"]
scale = "book"  # "smoke" for a quick trial, "paper" for long fits
seed = 0
path = ""  # your file; "" makes an example
rank = [1, 2, 3, 4]  # of the weights over trials; several to choose from
likelihood = "auto"  # "poisson" for counts, "gaussian" for rates
bin = 0.0  # s; 0: as in the file, or 0.05 s for spike times
smooth = 0.0  # s, standard deviation of a Gaussian; 0: not at all
min_rate = 0.0  # leave out neurons below it; Hz, for counts
# The next three name columns of the file's trials (.nwb, .mat).
align = ""  # the time that becomes 0, such as the go cue
condition = ""  # each trial's condition, such as the target
epoch = ""  # its epoch: baseline, adaptation, ...
load_options = {}  # other options of the loader, {"before": 1.0}
fit_options = {}  # other settings of LtrRNN, {"tau": 0.1}
folder = ""  # of the report; "": beside your file

# %% tags=["hide-input"]
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from myst_nb import glue

from ltr_core import Chapter, charts
from ltr_core.comparisons import ConditionMean, EpochMean, FixedWeights
from ltr_core.examination import examine
from ltr_core.fit_duration import estimate_seconds, in_words
from ltr_core.fit_overview import overview_parts
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.recovery import (
    fitted_factors,
    recovery,
    true_factors,
    visited_span,
)
from ltr_core.model_selection import (
    cross_validate,
    grid_search,
    one_standard_error,
)
from ltr_core.preparation import blocks_beyond, prepared, suited_settings
from ltr_core.reports import (
    MODEL,
    Figure,
    free_folder,
    verdict,
    write_report,
)
from ltr_core.surrogates import shuffle_trials

chapter = Chapter("11_your_own_data", scale=scale, seed=seed)
ranks = rank if isinstance(rank, list) else [rank]
n_folds = chapter.at_scale(smoke=2, book=2, paper=5)
n_steps = chapter.at_scale(smoke=4, book=300 if path else 100, paper=600)
# Components that are much alike: said in the prose, not by a warning.
warnings.filterwarnings("ignore", category=DegenerateWarning)
print("your file" if path else "no file given: an example is made")

# %% [markdown]
# ## What the example is to show
#
# With a file of your own, nothing is known to hold the result against,
# and this claim is not run.

# %% tags=["remove-input"]
claim = chapter.claim(
    "P4.own-data",
    statement="With this chapter's own settings, a fit to an example "
    "file of spike counts finds how the planted weights changed.",
    source="Pellegrino, Cayco-Gajic & Chadwick 2023, abstract; files, "
    "measure and threshold are ours",
    criterion="In each of three example files the change of the weights "
    "(from their mean over trials; all entries, acting on visited rates) "
    "of a fit with the planted rank correlates with the true one by at "
    "least 0.5. Fits to the same files with the trials shuffled within "
    "their conditions must not pass. (Thresholds were set on pilot files "
    "of seeds from 1000 on.)",
    expression="min(change) >= 0.5",
)

# %% [markdown]
# ## The example file
#
# `example` is what an experiment might have left: three epochs, four
# targets, and about ten spikes a second from each of 60 neurons. Every
# ninth trial was not rewarded and is not in the file, some trials ended
# early, and a few neurons were lost in the last third.

# %%
sizes = chapter.at_scale(
    smoke={"n_neurons": 16, "n_trials": (8, 10, 10)},
    book={"n_neurons": 60, "n_trials": (30, 40, 40)},
    paper={"n_neurons": 120, "n_trials": (50, 100, 100)},
)
planted_rank = 3


def example(number):
    """A recording of spike counts, with the truth it was made from."""
    made, truth = simulate_ltrrnn(
        **sizes,
        rank=planted_rank,
        n_conditions=4,
        before=1.0,
        after=1.0,
        counts=True,
        mean_count=1.0,
        seed=100 * seed + number,
    )
    rng = np.random.default_rng(100 * seed + number)
    activity = made.activity.copy()
    cut_short = rng.random(made.n_trials) < 0.1
    activity[cut_short, -4:] = np.nan
    lost = rng.permutation(made.n_neurons)[:3]
    activity[2 * made.n_trials // 3 :, :, lost] = np.nan
    rewarded = np.arange(made.n_trials) % 9 != 4
    recorded = made.with_activity(activity).select(trials=rewarded)
    return recorded, truth._replace(
        trial_factors=truth.trial_factors[rewarded],
        rates=truth.rates[rewarded],
    )


scratch = tempfile.TemporaryDirectory(prefix="ltr-example-")
if path:
    file = Path(path).expanduser()
else:
    file = Path(scratch.name) / "example.nc"
    example(0)[0].to_netcdf(file)
target = free_folder(folder or file.with_name(f"{file.stem}-ltrrnn"))

# %% [markdown]
# ## Load it and look
#
# Loading is one call; the suffix tells how. What the file does not have,
# or names otherwise, is said in the error, with what is there.

# %%
loaded_with = {
    "width": bin,
    "sd": smooth,
    "min_rate": min_rate,
    "align": align,
    "condition": condition,
    "epoch": epoch,
    **load_options,
}
recording = prepared(file, **loaded_with)
print(recording)

# %% [markdown]
# Before any model: what is in it? Read every line, and see whether it is
# what you know of the experiment. Conditions that are taken from the
# wrong column, or bins in the wrong unit, show here first.

# %%
examination = examine(recording)
print(examination)

# %% tags=["hide-input"]
groups = {
    name: np.flatnonzero(recording.epoch == name)
    for name in recording.epochs[:3]
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", RuntimeWarning)  # nothing observed
    means = {
        f"{name}, {len(trials)} trials": np.nanmean(
            recording.activity[trials], axis=0
        )
        for name, trials in groups.items()
    }
unit = "spikes in a bin" if recording.counts else "rate"
figures = [
    Figure(
        charts.population_panels(means, recording.time, value_title=unit),
        name="epoch-means",
        caption="Mean activity in each epoch (the first three), over "
        "all trials and conditions. Neurons are sorted by the time of "
        "their peak in the first panel, in all of them.",
        alt="Heat maps of neurons by time, one for each epoch, with the "
        "mean activity of each neuron as colour.",
    )
]
charts.show(**figures[-1]._asdict())

# %% [markdown]
# {numref}`fig-epoch-means` should look like your neurons. A row that is
# dark throughout is a neuron that does not fire. One trap: the diagonal
# of the first panel comes with the sorting, even of noise. What the other
# panels share with it is real.
#
# ## What the model is told, and how long it takes
#
# The likelihood follows from the data: Poisson for counts, Gaussian for
# rates. The strengths of the components may jump where an epoch begins.
# All else is the default, among it two settings worth a thought. `tau`,
# the units' time constant, is a quarter of the trial. And inputs act
# before time 0 only, if a trial has such times (`input_period`): what
# comes later is left to the network. If your animals see or feel
# something new after time 0, that is wrong, and
# `fit_options = {"input_period": "both"}` allows for it. It asks more of
# the data.

# %%
settings = {
    "n_steps": n_steps,
    "seed": seed,
    **suited_settings(recording, likelihood),
    **fit_options,
}
blocks = [
    blocks_beyond(recording, smooth, seed=seed + fold)
    for fold in range(n_folds)
]
longest = LtrRNN(rank=max(ranks), **settings)
if path:  # the book's pages are the same at every build
    one = estimate_seconds(longest, recording).total
    n_fits = n_folds * (len(ranks) + 1) + 1 + 4
    print(
        f"{n_fits} fits, those of the first exercise included: "
        f"{in_words(n_fits * one)} in all"
    )
else:
    print("how long the fits will take is said for a file of yours")

# %% [markdown]
# ## Which rank?
#
# Each rank is fitted to one part of the activity and scored on blocks
# that were held out, as in [the ltrRNN, step by step](07_ltrrnn.py). The
# rule takes the smallest rank that is within a standard error of the
# best. If the largest is taken, try larger ones; if the curve is flat,
# the data do not say. With a single `rank` nothing is chosen.

# %%
by_rank = grid_search(
    LtrRNN(**settings), recording, {"rank": ranks}, folds=blocks
)
chosen = ranks[0]
if len(ranks) > 1:
    chosen = one_standard_error(by_rank, over="rank")
print("rank", chosen)

# %% tags=["hide-input"]
metric = by_rank["metric"].iloc[0].replace("_", " ")
figures.append(
    Figure(
        charts.scores(
            by_rank,
            chosen=chosen,
            x_title="rank (number of components)",
            y_title=f"held-out score ({metric})",
        ),
        name="own-rank",
        caption="Held-out score against rank: each set of blocks "
        "(dots), mean and standard error. The dashed rule is the rank "
        "that is taken.",
        alt="Held-out scores against the rank of the model, with a "
        "dashed rule at the rank that was chosen.",
    )
)
charts.show(**figures[-1]._asdict())

# %% [markdown]
# A word on {numref}`fig-own-rank`: sets of blocks differ, and with two of
# them the standard error is rough. `scale = "paper"` takes five.
#
# ## Is it better than no learning?
#
# Three models know the same training entries and nothing of gradual
# learning: the mean of each condition, the mean of each condition in each
# epoch, and a network with the same inputs whose weights stay. If the fit
# is not better than all of them, stop here: its factors then describe
# nothing that simpler models miss. For counts a score of 0 is that of
# each neuron's mean count, and a mean over few trials can do worse.

# %%
settings["rank"] = chosen
rivals = {
    "condition mean": ConditionMean(),
    "condition × epoch mean": EpochMean(),
    "fixed weights": FixedWeights(**settings),
}
tables = [by_rank[by_rank["rank"] == chosen].assign(model=MODEL)]
for name, rival in rivals.items():
    table = cross_validate(rival, recording, folds=blocks)
    tables.append(table.assign(model=name))
scores = pd.concat(tables)[["model", "fold", "score", "metric"]]
print(verdict(scores, steps=settings["n_steps"]))

# %% tags=["hide-input"]
figures.append(
    Figure(
        charts.compared(
            {
                str(name): group["score"].tolist()
                for name, group in scores.groupby("model", sort=False)
            },
            score_title=f"held-out score ({metric})",
        ),
        name="own-compared",
        caption="Held-out scores of the model and of what it must beat: "
        "each set of blocks (small dots), their mean and standard error. "
        "More is better.",
        alt="Held-out scores of four models in rows: the ltrRNN, two "
        "means and the network with fixed weights.",
    )
)
charts.show(**figures[-1]._asdict())

# %% [markdown]
# The rank was chosen with the same blocks as are scored in
# {numref}`fig-own-compared`, which favours the ltrRNN a little. And a
# good score does not say that it is the *weights* that learn: a model
# whose inputs change from trial to trial can score as well or better
# ([it did](07_ltrrnn.py), in networks that learned to reach). That the
# inputs are the same in all trials of a condition is what you assume.
#
# ## The fit
#
# One more fit, to everything that was observed. It can be interrupted
# (the square button, or Ctrl-C): what follows then reads what there is.

# %%
model = LtrRNN(**settings).fit(recording)
print(
    f"loss {model.history_['train'].iloc[0]:.4f} at the start, "
    f"{model.history_['train'].iloc[-1]:.4f} at the end"
)

# %% tags=["hide-input"]
figures.append(
    Figure(
        charts.overview(overview_parts(model, recording)),
        name="own-overview",
        caption="The whole fit. Activity of one condition, recorded and "
        "modelled, in the last epoch, and single neurons in each epoch. "
        "Inputs and initial states of the conditions. Trial factors "
        "(strengths of the components over trials) with 95 % intervals "
        "that hold all else as fitted. Activity along the column factors "
        "in each epoch. Eigenvalues of the weights in all trials (large: "
        "in the one that is named). Loss of the fit.",
        alt="Parts of the fit in a column: maps of activity, four single "
        "neurons, inputs, trial factors with bands, latent activity, "
        "eigenvalues in the complex plane, and the loss.",
    )
)
charts.show(**figures[-1]._asdict())

# %% [markdown]
# How to read {numref}`fig-own-overview`, from the top:
#
# - **Activity.** Does the model look like the data? If not, look no
#   further.
# - **Inputs, initial states.** What comes from outside; only differences
#   between conditions mean something.
# - **Trial factors.** What the model calls learning: how strong each
#   pattern of weights is, trial by trial. Look for changes that are
#   larger than the bands. The bands are too narrow, since they take
#   everything else as known.
# - **Activity along the column factors.** Where the epochs part, learning
#   moved the activity.
# - **Eigenvalues.** To the right of the line, the resting state is
#   unstable.
# - **Loss.** It should have come to rest; if it still falls, raise
#   `n_steps` in `fit_options`.
#
# Single components can often be mixed without loss, so do not build on
# one of them before several seeds agree.
#
# ## What of this can be trusted?
#
# In the example the truth is known. Three such files are fitted with the
# planted rank, and, as a control, the same files with the trials shuffled
# within their conditions.

# %%
changes = {"in order": [], "shuffled": []}
worst_factor = []
for number in range(0 if path else 3):
    made, truth = example(number)
    drives = np.log(truth.rates) - truth.readout_bias
    visited = visited_span(drives, 0.95)
    orders = {
        "in order": made,
        "shuffled": shuffle_trials(made, seed=seed + number),
    }
    for name, ordered in orders.items():
        told = settings | suited_settings(made) | {"rank": planted_rank}
        found = recovery(
            fitted_factors(LtrRNN(**told).fit(ordered)),
            true_factors(truth),
            visited=visited,
        )
        changes[name].append(found.visited_change_correlation)
        if name == "in order":
            worst_factor.append(found.factor_correlations.min())

# %% tags=["remove-input"]
if path:
    claim.not_run("this run is of a file whose truth is not known")
else:
    row = claim.judge(
        {"change": changes["in order"]},
        {"trials shuffled": {"change": changes["shuffled"]}},
    )
    claim.prose_assumes(row, holds=False)
nothing = [float("nan")]
for name, values in {
    "change": changes["in order"] or nothing,
    "shuffled": changes["shuffled"] or nothing,
    "factor": worst_factor or nothing,
}.items():
    glue(f"{name}-least", float(np.min(values)), display=False)
    glue(f"{name}-most", float(np.max(values)), display=False)

# %% [markdown]
# (With a file of your own this section is empty; what follows is about
# the example.) The claim does **not** hold. The change of the weights is
# found with a correlation of {glue:text}`change-least:.2f` to
# {glue:text}`change-most:.2f`, where we had asked for 0.5 in each file.
# In six pilot files it had been 0.64 at least: too few to set a threshold
# for the worst of three. What is left of it is the distance from the
# control, which comes to {glue:text}`shuffled-least:.2f` to
# {glue:text}`shuffled-most:.2f`: the order of the trials does tell what
# was planted, in every file, though not to the degree that we had
# promised.
#
# Single components fare worse. The worst trial factor of each file
# correlates with its true counterpart by {glue:text}`factor-least:.2f` to
# {glue:text}`factor-most:.2f`: it may be wrong altogether. With this much
# data (about a hundred trials, 60 neurons, ten spikes a second) read what
# the weights do together, not each component.
#
# Two more reservations. The example comes from the model itself, with
# inputs only before time 0, as the fit assumes; no animal is obliged to.
# And of [networks that learned to reach](08_recovery.py) less was
# recovered.
#
# ## The report
#
# Everything above goes to one folder: `report.html`, which opens anywhere
# without a network, the fitted model, the scores and the settings. It is
# written at one stroke, and a folder that holds anything else is not
# touched. The example's is in a temporary place, and goes when the kernel
# ends.

# %%
report = write_report(
    target,
    title=f"Low tensor rank fit of {file.name}",
    examination=examination,
    model=model,
    scores=scores,
    ranks=by_rank,
    figures=figures,
    source=file,
    loaded_with=loaded_with,
)
print("in", report if path else "a temporary folder:")
for part in sorted(report.iterdir()):
    print("  ", part.name)

# %% [markdown]
# ## Exercises
#
# ::::{exercise}
# :label: does-the-order-matter
# If learning is gradual, the order of the trials should matter. Shuffle
# the trials within their conditions, and fit the ltrRNN and the network
# with fixed weights again. Is the lead of the ltrRNN smaller than in the
# true order? What would that say, and what not?
# ::::

# %% [markdown]
# ::::{solution-start} does-the-order-matter
# :class: dropdown
# ::::

# %%
shuffled = shuffle_trials(recording, seed=seed)
for name, ordered in (("in order", recording), ("shuffled", shuffled)):
    learning, fixed = (
        cross_validate(kind(**settings), ordered, folds=blocks[:1])
        for kind in (LtrRNN, FixedWeights)
    )
    lead = learning["score"].iloc[0] - fixed["score"].iloc[0]
    print(f"{name}: the ltrRNN leads by {lead:.4f}")

# %% [markdown]
# Compare the leads, not the scores: shuffling puts other activity into
# the blocks, and some is easier to predict. A larger lead in the true
# order says that trials near each other are alike, as learning would have
# them; so would a slow drift of the recording, or an animal that tires.
# No difference says little: a model that sees the rest of a trial may not
# need its neighbours.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: read-the-model-back
# Read the model from the report's folder, and tell the largest eigenvalue
# of the weights (its real part) in the first trial and in the last.
# ::::

# %% [markdown]
# ::::{solution-start} read-the-model-back
# :class: dropdown
# ::::

# %%
again = LtrRNN.load(report / "model.safetensors")
for name, trial in (("first", 0), ("last", -1)):
    eigenvalues = np.linalg.eigvals(again.weights_[trial])
    print(f"{name} trial: {eigenvalues.real.max():.2f}")

# %% [markdown]
# Above 1, the resting state of the network is unstable without input, and
# activity can keep itself up. Of a matrix of low rank, at most as many
# eigenvalues as its rank are not 0. So 0.00 can be one of the rest; then
# none lies to its right. The weights are made when they are asked for;
# the file holds only their factors.
#
# ::::{solution-end}
# ::::
