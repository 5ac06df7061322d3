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
# # Reverse-engineering what learning changed
#
# A recurrent network computes by moving: from where it is, its weights
# and its input push its state somewhere else. The arrows of that push,
# one for every state, are the **vector field**. Where the arrow has no
# length is a **fixed point**: activity can rest there if the point is
# stable, and is driven away from it if it is not. To say what a network
# does is to draw this picture. To say what it *learned* is to draw it
# twice.
#
# {cite:t}`pellegrino2023` claim that this can be done from recordings of
# activity alone: fit the low-tensor-rank network, [the
# ltrRNN](07_ltrrnn.py), to the activity, and read off the fit how
# learning changed the dynamics. This is claim **P6**, and this chapter
# checks it where the truth is known: on recordings made by the model
# itself, and on networks that [learned to
# reach](02_relearning_to_reach.py) by gradient descent on full weight
# matrices, which never heard of low rank.
#
# *What is theirs and what is ours.* The model, and the idea to read
# vector fields, fixed points and eigenvalues off it, are the paper's. It
# shows them for data whose truth is unknown; holding them against the
# dynamics of known networks, all criteria, and the controls are ours.

# %% tags=["parameters"]
scale = "book"
seed = 0

# %% tags=["hide-input"]
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from myst_nb import glue

from ltr_core import Chapter, charts, dynamics
from ltr_core.dynamics.conditions import Learned, against_truth
from ltr_core.experiments import relearn_to_reach
from ltr_core.ltrrnn import DegenerateWarning, LtrRNN, simulate_ltrrnn
from ltr_core.recordings import Recording
from ltr_core.surrogates import shuffle_trials

# We read no single component here, so it does not matter whether two of
# them can be told apart.
warnings.simplefilter("ignore", DegenerateWarning)

chapter = Chapter("09_reverse_engineering", scale=scale, seed=seed)
sizes = chapter.at_scale(
    smoke={"sets": 1, "networks": 1, "units": 24, "rank": 4},
    book={"sets": 3, "networks": 3, "units": 100, "rank": 8},
    paper={"sets": 10, "networks": 10, "units": 100, "rank": 8},
)
sizes |= chapter.at_scale(
    smoke={"steps": 20, "reach_steps": 20},
    book={"steps": 200, "reach_steps": 400},
    paper={"steps": 400, "reach_steps": 400},
)
trials = chapter.at_scale(
    smoke=(16, 16, 16), book=(50, 100, 100), paper=(50, 100, 100)
)
print(
    f"{scale} scale, seed {seed}: {sizes['sets']} generated recordings, "
    f"{sizes['networks']} networks of {sizes['units']} units"
)

# %% [markdown]
# ## The claims, before the results
#
# Some words first.
#
# - **Epochs** are the three parts of an experiment: the *baseline*; the
#   *perturbed* epoch, in which [a curl
#   field](02_relearning_to_reach.py) pushes the hand aside; and the
#   *washout*, in which the field is off again. Recordings made by the
#   model have no hand. There an epoch's beginning is only where the
#   weights may jump. (The data label their middle epoch "adaptation"; we
#   call it perturbed too.)
# - A **condition** is what sets one kind of trial apart from others: the
#   target, where there is a hand.
# - A **state** is the vector $\mathbf x$ of the units' activations;
#   their *rates* are $\tanh(\mathbf x)$. The *visited* states are those
#   that occurred in trials.
# - The **velocity** at a state is how fast each neuron's rate changes
#   there. Velocities are compared by the *cosine* of the angle between
#   them, one value for each state, and averaged: 1 is the same direction,
#   0 a right angle, −1 the opposite direction.
# - The **leading eigenvalue** of a matrix is the one with the largest
#   real part.
# - A **spread** is the root mean square distance of the rates under one
#   condition from their mean. It is the unit of distances.
# - **Shuffled trials**: each condition's trials change places at random.
#   The same activity is there, but no course of learning.
#
# A claim **holds** if its criterion is true of what we measure and false
# of every control. Settings and thresholds were chosen on other
# recordings and networks (seeds from 1000 on), and committed before this
# chapter was run at its own seed. It was run twice; what the first run
# said stands with the results.

# %% tags=["remove-input"]
P = "Pellegrino, Cayco-Gajic & Chadwick 2023, abstract"
OURS = "; the criterion is ours"
spectrum_claim = chapter.claim(
    "P6.spectrum",
    statement="On recordings made by the model, the fit finds how the "
    "leading eigenvalue of the weights changes over trials.",
    source=P + OURS,
    criterion="In every recording the leading eigenvalues' real parts, "
    "of the weights at the mean slopes of the units where activity was, "
    "correlate over trials with the true ones by at least 0.9, and "
    "differ from them (root mean square) by at most half their standard "
    "deviation over trials. The fit to shuffled trials must not pass.",
    expression="min(correlation) >= 0.9 and max(error) <= 0.5",
)

# %% tags=["remove-input"]
velocity_claim = chapter.claim(
    "P6.velocity",
    statement="From the activity of a network that learned to reach, the "
    "fit finds the network's velocities, also under inputs "
    "that were never seen at these states.",
    source=P + OURS,
    criterion="The inferred and the true velocities, under one "
    "target's input and at the states visited on the way to the other "
    "targets, have a mean cosine (median over targets) of at least "
    "0.5 on average, and of at least 0.3 in every network. The fit with "
    "its recurrent weights off, and the fit under the opposite target's "
    "input, must not pass.",
    expression="mean(cosine) >= 0.5 and min(cosine) >= 0.3",
)

# %% tags=["remove-input"]
change_claim = chapter.claim(
    "P6.change",
    statement="The fit finds what learning changed in the velocities.",
    source=P + OURS,
    criterion="In every network, the inferred and the true change of "
    "velocities from the baseline to the end of the perturbed trials, at "
    "visited states, have a mean cosine of at least 0.3 (median over "
    "targets). The fit to shuffled trials, and the fit's own change "
    "from perturbed to washout, must not pass.",
    expression="min(cosine) >= 0.3",
)

# %% tags=["remove-input"]
points_claim = chapter.claim(
    "P6.fixed-points",
    statement="The fit finds the network's fixed points.",
    source=P + OURS,
    criterion="In every network, the fixed point that activity is drawn "
    "to under a target's input is nearer to one of the fit's than three "
    "quarters of its distance to a visited state (medians, over targets "
    "and over states). The fit's fixed points under the opposite "
    "target's input must not pass.",
    expression="max(distance / by_chance) <= 0.75",
)

# %% tags=["remove-input"]
moved_claim = chapter.claim(
    "P6.moved",
    statement="The fit finds where learning moved the fixed points.",
    source=P + OURS,
    criterion="In every network, the inferred and the true move of the "
    "fixed point from baseline to the end of the perturbed trials have "
    "a cosine of at least 0.3 (median over targets). The fit to shuffled "
    "trials, and the fit's own move from perturbed to washout, "
    "must not pass.",
    expression="min(cosine) >= 0.3",
)

# %% [markdown]
# ## First, a network that the model fits exactly
#
# The recordings here are made by a low-tensor-rank network of rank 3,
# with noise. With three components there are enough ways to behave: a
# rotation that keeps itself going, and, where a real eigenvalue crosses
# 1, a pair of fixed points that is born from the origin, $\mathbf x = 0$.
# The fit is told the rank and the time constant; everything else it must
# find. (It would warn where two components are too alike to be told
# apart; no single component is read in this chapter, so we let that
# pass.)
#
# ```{margin}
# In the networks of rank 2 and 4 that we tried, the origin was the only
# fixed point.
# ```

# %%
generated, fits, control_fits = [], [], []
for k in range(sizes["sets"]):
    made = simulate_ltrrnn(
        n_trials=trials, n_neurons=80, rank=3, dt=0.2, seed=seed + k
    )
    model = LtrRNN(
        rank=3, readout="identity", tau=1.0, n_steps=sizes["steps"]
    )
    generated.append(made)
    fits.append(model.fit(made.recording))
    control_fits.append(
        replace(model).fit(shuffle_trials(made.recording, seed + k))
    )

# %% [markdown]
# ### Eigenvalues, and at which slope
#
# The rates are $\tanh(\mathbf x)$, so near a state $\mathbf x$ the
# network of trial $k$ is a linear one with weights
# $W_k\,\mathrm{diag}(\mathbf g)$, where $g_i = 1-\tanh^2(x_i)$ are the
# slopes of the units. At rest in $\mathbf x=0$ all slopes are 1, and the
# eigenvalues are those of $W_k$ itself. But the activity is not there.
# Where it is, units are partly saturated and slopes below 1. We compute
# both: the eigenvalues at each unit's mean slope over all trials and
# times, which the claim is about, and those at slope 1.


# %%
def leading(columns, rows, factors, rates=None):
    """Largest real part of each trial's eigenvalues."""
    gain = None
    if rates is not None:
        gain = 1 - np.mean(rates**2, axis=(0, 1), dtype=float)
    return dynamics.spectrum(columns, rows, factors, gain).real.max(1)


def of_truth(made, slopes=True):
    truth = made.truth
    parts = truth.columns, truth.rows, truth.trial_factors
    return leading(*parts, truth.rates if slopes else None)


def of_fit(model, slopes=True):
    parts = *model.in_neurons(), model.trial_factors_
    return leading(*parts, model.predict() if slopes else None)


def compare_leading(models, slopes=True):
    """Correlation over trials, and error in standard deviations."""
    pairs = [
        (of_fit(model, slopes), of_truth(made, slopes))
        for model, made in zip(models, generated, strict=True)
    ]
    return {
        "correlation": [np.corrcoef(a, b)[0, 1] for a, b in pairs],
        "error": [
            np.sqrt(np.mean((a - b) ** 2)) / np.std(b) for a, b in pairs
        ],
    }


# %% tags=["hide-input"]
def renamed(name):
    """One word for the middle epoch, whatever a recording calls it."""
    return name.replace("adaptation", "perturbed")


epochs = [renamed(name) for name in generated[0].recording.epoch]
charts.show(
    charts.curves(
        {
            "true": of_truth(generated[0])[None],
            "inferred": of_fit(fits[0])[None],
            "shuffled trials": of_fit(control_fits[0])[None],
        },
        np.arange(1, len(epochs) + 1),
        x_title="trial",
        y_title="leading eigenvalue (real part)",
        y_scale={"zero": False},
        epochs=epochs,
        height=220,
    ),
    name="leading-eigenvalue",
    caption="The leading eigenvalue of the weights, at the mean slopes "
    "of the units, over the trials of a generated recording: the truth "
    "(solid), what is inferred from activity (dashed), and what is "
    "inferred if each condition's trials are shuffled (finely dashed). "
    "Above 1 a disturbance grows, below it decays. Dotted rules: where "
    "epochs begin.",
    alt="Real part of the leading eigenvalue against trial: the inferred "
    "curve follows the true one through its slow drifts and most of its "
    "jumps between epochs; that of shuffled trials does not.",
)

# %% tags=["remove-input"]
row = spectrum_claim.judge(
    compare_leading(fits),
    {"shuffled trials": compare_leading(control_fits)},
    {
        "eigenvalues at slope 1 (of W itself)": compare_leading(
            fits, False
        )
    },
)
spectrum_claim.prose_assumes(row, holds=True)
at_slopes = row["measured"]
at_one = row["comparison"]["eigenvalues at slope 1 (of W itself)"]
glue("slopes-error", at_slopes["error"]["mean"], display=False)
glue("one-error", at_one["error"]["mean"], display=False)
glue(
    "one-correlation", min(at_one["correlation"]["values"]), display=False
)

# %% [markdown]
# The inferred eigenvalues follow the true ones
# ({numref}`fig-leading-eigenvalue`): the error is
# {glue:text}`slopes-error:.2f` standard deviations, on average over the
# recordings. For the eigenvalues of $W_k$ itself (on the card's line
# "Beside it") it is {glue:text}`one-error:.2f`, and their correlation
# with the truth is as low as {glue:text}`one-correlation:.2f` in one
# recording. That is not bad luck in fitting: the eigenvalues of $W_k$
# describe the dynamics at $\mathbf x = 0$, where the activity hardly ever
# was. An eigenspectrum of inferred weights is an
# extrapolation unless it is taken where the recording was.
#
# ### Vector fields and fixed points
#
# A *flow* is the rule that gives the velocity at every state, for weights
# and an input that stand still. `latent_flow` makes one from a fit, with
# the weights of an epoch's mean trial factors; here it is without input.
# `fixed_points` looks for states at which a flow stands still. It needs
# initial states to look from, and `starts_from` makes them: visited
# states with noise around them. From each initial state it searches
# twice: from that state itself, and from where the flow has carried it
# after 30 time constants. The first search can find unstable points too;
# the second finds where activity is drawn to.
#
# A fit describes its states by *latents*, the coordinates along its
# columns. Those of two fits differ by a linear map, so both are brought
# back to the units' $\mathbf x$ before they are drawn or compared.


# %%
def epoch_flows(made, model):
    """The true and the inferred flow of each epoch, without input."""
    truth, recording = made.truth, made.recording
    flows = {}
    for name in recording.epochs:
        chosen = np.flatnonzero(recording.epoch == name)
        flows[f"true, {name}"] = dynamics.LatentFlow(
            truth.columns,
            truth.rows,
            truth.trial_factors[chosen].mean(0),
            tau=truth.tau,
        )
        flows[f"inferred, {name}"] = dynamics.latent_flow(model, chosen)
    return flows


def rest_of(flow, columns, plane, starts):
    """Field on a plane of x, and fixed points in x, of a latent flow."""
    back = np.linalg.pinv(columns).T
    field = dynamics.vector_field(
        flow, plane.origin @ back, plane.axes @ back, plane.extent
    )
    found = dynamics.fixed_points(flow, starts @ back)
    return field, found._replace(points=found.points @ columns.T)


shown, model = generated[0], fits[0]
flows = epoch_flows(shown, model)
visited = shown.truth.latents.reshape(-1, 3) @ shown.truth.columns.T
plane = dynamics.principal_plane(visited)
starts = dynamics.starts_from(visited, 30, seed=seed)
drawn = {
    renamed(name): rest_of(
        flow,
        shown.truth.columns
        if name.startswith("true")
        else model.columns_,
        plane,
        starts,
    )
    for name, flow in flows.items()
}

# %% tags=["hide-input"]
charts.show(
    charts.flow_fields(
        {name: field for name, (field, _) in drawn.items()},
        fixed_points={name: found for name, (_, found) in drawn.items()},
        plane=(plane.origin, plane.axes),
        x_title="first principal axis of x",
        y_title="second principal axis of x",
    ),
    name="generated-fields",
    caption="Vector fields of a generated recording in each epoch, true "
    "(left) and inferred from activity (right), on the plane of the two "
    "principal axes of all its states, without input. Axes are measured "
    "from the mean state, so the origin x = 0 is not at (0, 0). The "
    "length of an arrow grows with the square root of the speed in the "
    "plane; it is fainter where more of the velocity leaves the plane. "
    "Filled circles: stable fixed points; open diamonds: unstable ones; "
    "both are projected on the plane.",
    alt="Three rows of two vector fields each, one row for each epoch. "
    "True and inferred arrows look alike in every row. The fixed points "
    "near the middle, where arrows are short, differ in number.",
)


# %% tags=["remove-input"]
def numbers_agree(made, model):
    """In how many epochs the fit has as many (stable) fixed points."""
    agree = 0
    states = made.truth.latents.reshape(-1, 3) @ made.truth.columns.T
    places = dynamics.starts_from(states, 30, seed=seed)
    around = dynamics.principal_plane(states)
    counts = {}
    for name, flow in epoch_flows(made, model).items():
        true = name.startswith("true")
        columns = made.truth.columns if true else model.columns_
        _, found = rest_of(flow, columns, around, places)
        counts[name] = len(found.points), int(found.stable.sum())
    for name in made.recording.epochs:
        agree += counts[f"true, {name}"] == counts[f"inferred, {name}"]
    return agree


agreeing = sum(
    numbers_agree(made, model)
    for made, model in zip(generated, fits, strict=True)
)
by_control = sum(
    numbers_agree(made, model)
    for made, model in zip(generated, control_fits, strict=True)
)
n_epochs = 3 * sizes["sets"]
glue("agreeing", f"{agreeing} of {n_epochs}", display=False)
glue("by-control", f"{by_control} of {n_epochs}", display=False)

# %% [markdown]
# The arrows of {numref}`fig-generated-fields` can hardly be told apart.
# The fixed points can. The origin $\mathbf x=0$ is always one, as there
# is no input. In each epoch of this recording it is unstable in the truth
# and has a pair of stable points beside it; in the fit it is stable and
# alone. In all generated recordings together, the fit has as many fixed
# points as the truth, and as many stable ones, in {glue:text}`agreeing`
# epochs (with shuffled trials in {glue:text}`by-control`), which is poor.
# The reason is the one above. The pair is born where an eigenvalue *at
# the origin* crosses 1, and of that the fit knows least: around there the
# arrows are short, and whether they point a little inwards or a little
# outwards decides how many points there are.
# Velocities change smoothly when a fit is slightly wrong; the number of
# fixed points jumps. (Where points are born or vanish, dynamics have a
# *bifurcation*.) Where nothing but the number differs, we would not
# report it.
#
# ## Second, networks that learned to reach
#
# Now a truth that is not of the model's kind. The networks learn to
# reach as in [the chapter on
# re-learning](02_relearning_to_reach.py), but from small initial weights:
# their weights then change by several per cent or more in the perturbed
# epoch (the numbers are below), and the change shows in their activity.
# (Unlike there, they still improve in the baseline. With that chapter's
# settings learning hardly shows in the activity, and there is little to
# infer.) The fit sees the activity of all units, the target of each
# trial, and the time constant. It is of rank {glue:text}`rank`, with
# three more directions for inputs.

# %%
learned = relearn_to_reach(
    sizes["networks"],
    sizes["units"],
    g=0.5,
    input_scale=0.5,
    output_scale=0.1,
    learning_rate=0.2,
    trials=trials,
    pretraining_steps=chapter.at_scale(smoke=20, book=1500, paper=1500),
    proficiency=chapter.at_scale(smoke=5.0, book=0.2, paper=0.2),
    seed=seed,
    checkpoint=chapter.checkpoint("pretrained"),
)
record = learned.record
settings = LtrRNN(
    rank=sizes["rank"],
    readout="identity",
    input_columns=3,
    input_period="both",
    n_bumps=15,
    tau=0.1,
    scheme="euler",
    substeps=1,
    n_steps=sizes["reach_steps"],
    learning_rate=0.045,
)
recordings = [
    Recording.from_learning(record, i) for i in range(sizes["networks"])
]
reach_fits = [replace(settings).fit(each) for each in recordings]
shuffled_fits = [
    replace(settings).fit(shuffle_trials(each, seed + i))
    for i, each in enumerate(recordings)
]

# %% [markdown]
# The network takes Euler steps of 0.02 s, a fifth of its time constant;
# so does the fit (`scheme="euler"`), because otherwise a difference of
# the two integrations would pass for one of the dynamics.
#
# A flow needs weights and an input that stand still. For the weights we
# take the mean over the last trials of an epoch
# ({glue:text}`late-trials` of them); for the input that of the reach,
# from the go cue on: constant in the network, and in the fit the mean of
# what it inferred over that time. *Before learning* is then the end of
# the baseline, and *after learning* the end of the perturbed epoch.
#
# `Learned` holds the flows under each target's input, before and after
# learning, with the states that were visited in those trials;
# `against_truth` compares two of them. It is asked of the fit and of four
# things that should fail:
#
# - *shuffled trials*: the fit to activity without a course of learning;
# - *its own other epoch*: the fit, but what it says of the change from
#   perturbed to washout is held against the true change from baseline to
#   perturbed;
# - *opposite target*: the fit, under the input of the opposite target;
# - *weights off*: the fit without its recurrent weights.

# %%
n_late = chapter.at_scale(smoke=16, book=25, paper=25)
reaching = np.flatnonzero(recordings[0].time > 0.01)


def late(i, epoch):
    return np.flatnonzero(recordings[i].epoch == epoch)[-n_late:]


def late_trials(i, target, epochs):
    """The last trials of epochs that went to a target."""
    chosen = np.concatenate([late(i, epoch) for epoch in epochs])
    return chosen[recordings[i].condition[chosen] == target]


def truth_of(i, epochs=("baseline", "perturbed")):
    """The network's own flows under the input of each target."""
    flows = []
    for epoch in epochs:
        weights = record.weights[i, late(i, epoch)].mean(0).numpy()
        flows.append([])
        for target in recordings[i].conditions:
            trial = late_trials(i, target, ("baseline", "perturbed"))[0]
            push = (
                learned.networks.inward[i] @ record.inputs[i, trial, -1]
            )
            flows[-1].append(
                dynamics.NetworkFlow(weights, push.numpy(), 0.1)
            )
    states = [
        flows[0][0].state_of(
            recordings[i]
            .activity[late_trials(i, target, ("baseline", "perturbed"))][
                :, reaching
            ]
            .reshape(-1, sizes["units"])
        )
        for target in recordings[i].conditions
    ]
    return Learned(*flows, states)


def moved_to(i):
    """Where `shuffle_trials` put each trial of a network's recording."""
    numbers = np.arange(float(recordings[i].n_trials))[:, None, None]
    numbered = recordings[i].with_activity(
        np.broadcast_to(numbers, recordings[i].activity.shape)
    )
    return shuffle_trials(numbered, seed + i).activity[:, 0, 0].argsort()


def fit_of(
    i, model, epochs=("baseline", "perturbed"), places=None, turn=0
):
    """The fit's flows; `turn`: under the input of so many targets on."""
    latents = model.transform().astype(float)
    if places is not None:
        latents = latents[places]  # of the original trials
    targets = recordings[i].conditions
    flows = [
        [
            dynamics.latent_flow(
                model,
                late(i, epoch),
                condition=int((target + turn) % len(targets)),
                times=reaching,
            )
            for target in targets
        ]
        for epoch in epochs
    ]
    states = [
        latents[late_trials(i, target, ("baseline", "perturbed"))][
            :, reaching
        ].reshape(-1, latents.shape[-1])
        for target in targets
    ]
    return Learned(*flows, states)


def weights_off(flows):
    """The same flows without their recurrent weights."""
    silent = [
        [
            replace(flow, trial_factors=0 * flow.trial_factors)
            for flow in epoch
        ]
        for epoch in (flows.before, flows.after)
    ]
    return Learned(*silent, flows.states)


networks = range(sizes["networks"])
truths = [truth_of(i) for i in networks]
inferred = [fit_of(i, reach_fits[i]) for i in networks]
tables = {
    "the fit": [
        against_truth(inferred[i], truths[i], seed=seed) for i in networks
    ],
    "shuffled trials": [
        against_truth(
            fit_of(i, shuffled_fits[i], places=moved_to(i)),
            truths[i],
            seed=seed,
        )
        for i in networks
    ],
    "its own other epoch": [
        against_truth(
            fit_of(i, reach_fits[i], ("perturbed", "washout")),
            truths[i],
            seed=seed,
        )
        for i in networks
    ],
    "opposite target": [
        against_truth(
            fit_of(i, reach_fits[i], turn=4), truths[i], seed=seed
        )
        for i in networks
    ],
    "weights off": [
        against_truth(weights_off(inferred[i]), truths[i], seed=seed)
        for i in networks
    ],
}


def medians(name, column):
    """The median over targets, for each network."""
    return [table[column].median() for table in tables[name]]


# %% tags=["remove-input"]
def unexplained(i, predicted):
    """Share of the activity's variance that a prediction misses."""
    activity = recordings[i].activity
    spread = activity - activity.mean(axis=(0, 1))
    return np.sum((predicted - activity) ** 2) / np.sum(spread**2)


missed = [unexplained(i, reach_fits[i].predict()) for i in networks]
change_of_weights = [
    np.linalg.norm(after - before) / np.linalg.norm(before)
    for before, after in (
        (
            record.weights[i, late(i, "baseline")].mean(0),
            record.weights[i, late(i, "perturbed")].mean(0),
        )
        for i in networks
    )
]
glue("missed-least", float(100 * min(missed)), display=False)
glue("missed-most", float(100 * max(missed)), display=False)
glue("weights-least", float(100 * min(change_of_weights)), display=False)
glue("weights-most", float(100 * max(change_of_weights)), display=False)
glue("rank", sizes["rank"], display=False)
glue("dimensions", inferred[0].before[0].dimension, display=False)
glue("units", sizes["units"], display=False)
glue("late-trials", n_late, display=False)


def judge_learning(claim, column, **glued):
    """Judge a claim about learning; glue means of the fit's columns."""
    row = claim.judge(
        {"cosine": medians("the fit", column)},
        {
            name: {"cosine": medians(name, column)}
            for name in ("shuffled trials", "its own other epoch")
        },
    )
    claim.prose_assumes(row, holds=True)
    for name, source in glued.items():
        mean = float(np.mean(medians("the fit", source)))
        glue(name.replace("_", "-"), mean, display=False)


# %% [markdown]
# The fits leave {glue:text}`missed-least:.1f` to
# {glue:text}`missed-most:.1f` % of the activity's variance unexplained,
# and the weights differ between the ends of the baseline and of the
# perturbed epoch by {glue:text}`weights-least:.0f` to
# {glue:text}`weights-most:.0f` % of their norm.
#
# ### What the picture looks like

# %% tags=["hide-input"]
network, target = min(1, sizes["networks"] - 1), 0
true, fitted = truths[network], inferred[network]
lift = reach_fits[network].columns_.astype(float)
plane = dynamics.principal_plane(true.states[target])
back = np.linalg.pinv(lift).T
pairs = {
    "true, baseline": true.before[target],
    "inferred, baseline": fitted.before[target],
    "true, perturbed": true.after[target],
    "inferred, perturbed": fitted.after[target],
}
fields, points, paths = {}, {}, {}
for name, flow in pairs.items():
    whole = name.startswith("true")
    turned = np.eye(len(lift)) if whole else back
    states = (true if whole else fitted).states[target]
    fields[name] = dynamics.vector_field(
        flow, plane.origin @ turned, plane.axes @ turned, plane.extent
    )
    found = dynamics.fixed_points(
        flow, dynamics.starts_from(states, 15, seed=seed)
    )
    onto = np.eye(len(lift)) if whole else lift.T
    points[name] = found._replace(points=found.points @ onto)
    last = (states @ onto).reshape(-1, len(reaching), len(lift))
    split = len(late_trials(network, target, ["baseline"]))
    paths[name] = last[:split] if "baseline" in name else last[split:]
charts.show(
    charts.flow_fields(
        fields,
        fixed_points=points,
        trajectories=paths,
        plane=(plane.origin, plane.axes),
        x_title="first principal axis of x",
        y_title="second principal axis of x",
    ),
    name="reaching-fields",
    caption="One network that learned to reach: vector fields during the "
    "reach to one target, at the end of the baseline (top) and at the "
    "end of the perturbed epoch (bottom); true (left) and inferred from "
    "activity (right). Axes are measured from the mean of the true "
    "states. The length of an arrow grows with the square root of the "
    "speed in the plane; it is fainter where more of the velocity leaves "
    "the plane. Lines: states in the last trials of the epoch (on the "
    "right the fit's own), from the small dots on. Filled circles: "
    "stable fixed points; an unstable one would be an open diamond. "
    "Lines and points are projected on the plane.",
    alt="Four vector fields with trajectories. True and inferred arrows "
    "agree where the trajectories run, less so away from them. After "
    "learning the fixed point lies further to the left and higher, both "
    "in the true and in the inferred field.",
)

# %% [markdown]
# {numref}`fig-reaching-fields` shows one target of the second network (in
# the first, learning changed less), on the plane in which its states vary
# most. Learning bends the paths and moves the fixed point, and the fit
# has that. It has the place itself less well, and likewise the arrows
# away from the paths. The network has {glue:text}`units` dimensions and
# the fit {glue:text}`dimensions` (one for each component and each
# direction of input), and a plane shows two. What follows measures in
# all of them.

# %% [markdown]
# ### Velocities
#
# *Along* the way that activity took, velocities can be estimated without
# a model, from differences of neighbouring times (an exercise below does
# so). So the claim asks for velocities **elsewhere**: under this target's
# input, at the states visited on the way to the others, a combination
# that was never recorded.

# %% tags=["remove-input"]
row = velocity_claim.judge(
    {"cosine": medians("the fit", "elsewhere")},
    {
        name: {"cosine": medians(name, "elsewhere")}
        for name in ("weights off", "opposite target")
    },
    {
        "along the visited states": {
            "cosine": medians("the fit", "along")
        },
        "shuffled trials": {
            "cosine": medians("shuffled trials", "elsewhere")
        },
    },
)
velocity_claim.prose_assumes(row, holds=True)

# %% [markdown]
# ```{margin}
# In one network the opposite target's input does rather well too,
# presumably because there the recurrent weights count for more than the
# input.
# ```
#
# The claim holds: even under an input that was never seen at these
# states, the fit has part of the direction in which the network would go,
# and has it from the recurrent weights. But look at the card's lines
# "Beside it". The fit to **shuffled trials**, to which learning is noise,
# is better in one network, and would pass. Agreement of velocities shows
# that a network's dynamics were found. It says nothing about learning.
#
# ### What learning changed
#
# Most of a velocity is the same before and after: the decay, the input,
# the weights that learning left alone. A fit that knows nothing of
# learning gets those right as well. What learning *did* is the
# **difference** of the two vector fields at the same states, and there
# everything shared cancels.

# %% tags=["remove-input"]
judge_learning(
    change_claim,
    "change",
    change_mean="change",
    change_error="change_error",
    change_ratio="change_ratio",
)
glue(
    "change-shuffled",
    float(np.mean(medians("shuffled trials", "change"))),
    display=False,
)

# %% tags=["hide-input"]
everywhere = {
    f"{what}: {name}": medians(name, column)
    for what, column, names in (
        (
            "velocity",
            "elsewhere",
            ("the fit", "shuffled trials", "weights off"),
        ),
        (
            "change",
            "change",
            ("the fit", "shuffled trials", "its own other epoch"),
        ),
        (
            "move",
            "moved",
            ("the fit", "shuffled trials", "its own other epoch"),
        ),
    )
    for name in names
}
charts.show(
    charts.compared(
        everywhere, score_title="cosine with the truth", width=300
    ),
    name="cosines",
    caption="Cosine between what is inferred and the truth. *Velocity*: "
    "at states visited under other targets' inputs; *change*: of "
    "velocities through learning; *move*: of the fixed point through "
    "learning. A small grey dot is a network (median over targets), a "
    "large dot the mean over networks, a bar its standard error on "
    "either side. Velocities are found without any course of learning; "
    "changes and moves are not.",
    alt="Rows of dots. The fit is well above zero in all three measures. "
    "With shuffled trials the velocities overlap those of the fit; their "
    "change and the move of the fixed point are near or below zero.",
)

# %% [markdown]
# The claim holds: the mean cosine is {glue:text}`change-mean:.2f`, and
# with shuffled trials {glue:text}`change-shuffled:.2f`
# ({numref}`fig-cosines`). (The fit's own other epoch points the other
# way: part of what was learned in the perturbed epoch is taken back in
# the washout.)
#
# This is the second verdict, and the reader should know the first. When
# the chapter was first run at this seed, with the same settings and
# criteria, P6.change and P6.moved *failed* in one network, the first
# (cosines 0.25 and 0.02). Then the library's fit was revised, for other
# reasons than this chapter: the values that its parameters have before
# the first step, and the rule by which it goes back to an earlier, better
# step. Nothing in the chapter was. A claim that passes at the second look
# has passed a weaker test, and what a fit says of small changes plainly
# depends on how it was made. The last exercise makes that fit once more,
# from another seed.
#
# The table has a column for each network. *Changed* is how large the
# change through learning is, in % of the size before; for velocities
# that turn it can be more than 100. An *error* is how large the
# difference between fit and truth is, in % of the true size: of the
# velocities before learning, and of their change. The cosines are those
# between fit and truth. All but the weights are medians over targets. The
# last two rows are about fixed points, to which we come next.

# %% tags=["hide-input"]
turned_by = [
    np.median(
        [
            dynamics.flow_agreement(after, before, states).relative_error
            for before, after, states in zip(*truths[i], strict=True)
        ]
    )
    for i in networks
]
pd.DataFrame(
    {
        "weights changed (%)": 100 * np.array(change_of_weights),
        "velocities changed (%)": 100 * np.array(turned_by),
        "error, velocities (%)": 100
        * np.array(medians("the fit", "along_error")),
        "error, their change (%)": 100
        * np.array(medians("the fit", "change_error")),
        "cosine, their change": medians("the fit", "change"),
        "fixed point moved (spreads)": medians("the fit", "moved_by"),
        "cosine, its move": medians("the fit", "moved"),
    },
    index=[f"network {i + 1}" for i in networks],
).round(2).T

# %% [markdown]
# In the first network learning changed the velocities by a small part of
# their size, less than the error of the fit's own velocities. The fit
# finds the direction of the change nonetheless, because much of its error
# is the same before and after, and cancels in the difference. Nor should
# the other networks' changes be read as exact.
# A cosine is about direction: the relative error of the change is
# {glue:text}`change-error:.2f` on average (1 is what no change at all
# would score), and its size {glue:text}`change-ratio:.2f` times the true
# one. What can be read off such a fit is *which way* learning turned the
# velocities, not by how much in each neuron.
#
# ### Fixed points
#
# Where would activity rest, if the reach went on for ever? For each
# target we look for the fixed points of the network and of the fit, from
# initial states around the visited ones. Where there are several, "the"
# fixed point, of which the claims speak as the one that activity is drawn
# to, is in the code the one that most of the initial states lead to. It
# need not be stable. Distances are in spreads. On the card, `distance`
# is that of the network's point to the nearest of the fit's, and
# `by_chance` that to a visited state.

# %% tags=["remove-input"]
row = points_claim.judge(
    {
        "distance": medians("the fit", "distance"),
        "by_chance": medians("the fit", "by_chance"),
    },
    {
        "opposite target": {
            "distance": medians("opposite target", "distance"),
            "by_chance": medians("opposite target", "by_chance"),
        }
    },
    {
        "shuffled trials": {
            "distance": medians("shuffled trials", "distance"),
            "by_chance": medians("shuffled trials", "by_chance"),
        },
        "nearest visited state": {
            "distance": medians("the fit", "by_nearest"),
            "by_chance": medians("the fit", "by_chance"),
        },
    },
)
points_claim.prose_assumes(row, holds=False)
glue("distance", row["measured"]["distance"]["mean"], display=False)
worst = int(np.argmax(row["measured"]["distance"]["values"]))
for name, value in row["measured"].items():
    glue(f"worst-{name[:2]}", value["values"][worst], display=False)
glue("worst", worst + 1, display=False)
glue("guess", row["measured"]["by_chance"]["mean"], display=False)
nearest = row["comparison"]["nearest visited state"]["distance"]["mean"]
glue("nearest", nearest, display=False)
kinds = [
    (table[f"stable_{epoch}"] == table[f"fit_stable_{epoch}"]).sum()
    for table in tables["the fit"]
    for epoch in ("before", "after")
]
resting = [
    table[f"stable_{epoch}"].sum()
    for table in tables["the fit"]
    for epoch in ("before", "after")
]
n_kinds = 2 * sum(len(table) for table in tables["the fit"])
n_first = 2 * len(tables["the fit"][0])
unstable = f"{n_first - sum(resting[:2])} of {n_first}"
glue("unstable-first", unstable, display=False)
glue("kinds", f"{sum(kinds)} of {n_kinds}", display=False)
glue("resting", f"{sum(resting)} of {n_kinds}", display=False)

# %% tags=["remove-input"]
judge_learning(
    moved_claim,
    "moved",
    moved_mean="moved",
    moved_by="moved_by",
    fit_moved_by="fit_moved_by",
)

# %% [markdown]
# The network's fixed points are {glue:text}`distance:.2f` spreads from
# the fit's on average, against {glue:text}`guess:.2f` for a visited
# state. But in network {glue:text}`worst` it is
# {glue:text}`worst-di:.2f` against {glue:text}`worst-by:.2f`, and the
# claim does not hold.
#
# It held when the chapter was first run, with the same seed, settings and
# criterion. Then the loop that simulates the networks was rewritten: the
# same equations, with other rounding in the last digits. Training
# amplifies that: the networks that are fitted are slightly other ones,
# and so are the fits. A verdict that hangs on this is no finding in
# either direction. What a fit says of fixed points should
# be asked of several fits.
#
# Does it say more than one could without a model? Where a network comes
# to rest within the trial, no: the place is recorded, and the nearest
# visited state is nearer than the fit's point (on average over all
# networks, {glue:text}`nearest:.2f` spreads; see the card). But only
# {glue:text}`resting` of these fixed points (two epochs, all targets, all
# networks) are stable. Of those of the first network,
# {glue:text}`unstable-first` are unstable: activity is driven away from
# them, and no visited state is near. There the nearest visited state (the
# last line of the card) is farthest off, and the fit's distance is
# smallest. The fit has the right kind, stable or not, in
# {glue:text}`kinds` cases.
#
# Where learning *moved* the fixed points, the fit finds too: the moves
# have a mean cosine of {glue:text}`moved-mean:.2f` with the true ones,
# and a mean length of {glue:text}`fit-moved-by:.2f` spreads, against
# {glue:text}`moved-by:.2f` in the truth. That P6.moved holds is a second
# look as well. As with the velocities, part of what is wrong with the fit
# is wrong in both epochs alike, and cancels.
#
# ### In words
#
# `compare_flows` says all this for one pair of flows, as one would report
# it: here for the baseline and the perturbed epoch and the target of
# {numref}`fig-reaching-fields`, first of the network, then as inferred
# from its activity.
#
# - The first sentence is about velocities at the visited states: the
#   angle by which they turned (that of the mean cosine), how large the
#   difference is in % of their size before, and by what factor the
#   speed grew.
# - The second counts fixed points. One *before* and one *after* are taken
#   for the same point if they are at most 3 spreads apart (`limit`);
#   what has no partner *vanished* or *appeared*.
# - Then there is a sentence for each such pair. Points are numbered from
#   0, those that most of the initial states lead to first. The move is
#   in spreads. The leading eigenvalue is not one of the weights, as
#   above, but of the flow's Jacobian matrix at the point, in 1/s. Here
#   the bound is 0, not 1: a disturbance decays if the real part is
#   negative, the faster the larger it is in size. An imaginary part
#   (after the sign ±) says that it oscillates meanwhile.

# %% tags=["hide-input"]
for name, side in (("True", true), ("Inferred", fitted)):
    report = dynamics.compare_flows(
        side.before[target],
        side.after[target],
        side.states[target],
        n_starts=15,
        seed=seed,
        limit=3.0,
    )
    sentences = report.describe().replace("\n", " ")
    display(Markdown(f"**{name}.** {sentences}"))

# %% [markdown]
# `epoch_changes` puts the whole course of learning into a table, here of
# the fit and the same target: a column for each pair of epochs, *before*
# being the first of the two and *after* the second. The rows say the same
# as the sentences:
#
# - velocities at the visited states, after against before: mean cosine,
#   relative change (the size of the difference over the size before) and
#   ratio of the speeds, all without unit;
# - how many fixed points are stable and how many are not, before and
#   after, and how many are the same point in both (*kept*);
# - how far those kept moved (mean, in spreads), and the largest real part
#   of their *leading* eigenvalues before and after, in 1/s.

# %% tags=["hide-input"]
course = dynamics.epoch_changes(
    {
        epoch: dynamics.latent_flow(
            reach_fits[network],
            late(network, epoch),
            condition=target,
            times=reaching,
        )
        for epoch in recordings[network].epochs
    },
    fitted.states[target],
    n_starts=15,
    seed=seed,
    limit=3.0,
)
course.index = course["before"] + " to " + course["after"]
plain = {
    "mean_cosine": "mean cosine",
    "relative_change": "relative change",
    "speed_ratio": "speed ratio",
    "stable_before": "stable before",
    "stable_after": "stable after",
    "unstable_before": "not stable before",
    "unstable_after": "not stable after",
    "kept": "kept",
    "moved": "moved",
    "leading_before": "leading before",
    "leading_after": "leading after",
}
course[list(plain)].rename(columns=plain).round(2).astype(object).T

# %% [markdown]
# The first column is what the sentences above say of the fit. In the
# second the point moves on by less than in the first, and the third tells
# that this was hardly a way back: after the washout the point is nearly
# as far from where it was in the baseline as it was before the washout.
#
# ## What we have, and what it does not show
#
# - Part of a network's dynamics can be read off recordings. Where the
#   model is right, these are the eigenvalues, if they are taken at the
#   slopes of the states that were visited. In networks of full rank, not
#   of the model's kind, they are the velocities, roughly, also under
#   inputs that were not recorded at these states; and whether fixed
#   points are stable. Where these are is found in some networks, and not
#   dependably.
# - What *learning changed* is found in direction, less well in size, and
#   from the course of learning: with trials shuffled it is gone. Where
#   the change is small it depends on the fit, as the first run of this
#   chapter showed. A control tells that a change was found; we know of
#   nothing in a recording that would tell that one was missed.
# - Some things are easily over-read: eigenvalues of $W_k$ itself, the
#   number of fixed points near a bifurcation, and agreement of vector
#   fields as evidence about learning.
# - All units were recorded, without noise, and the fit knew the time
#   constant and the steps of the integration. The networks and the
#   generated recordings are few. With fewer neurons and with noise it
#   will be worse; [the recovery chapter](08_recovery.py) looks at that
#   for the weights.
#
# ## Exercises
#
# ::::{exercise}
# :label: without-a-model
# Velocities along the visited states can be had without any model, as
# differences of neighbouring times. How well do those agree with the
# truth, and what can they not tell?
# ::::

# %% [markdown]
# ::::{solution-start} without-a-model
# :class: dropdown
# ::::

# %%
rates = true.before[target].rates(true.states[target])
rates = rates.reshape(-1, len(reaching), sizes["units"])
trials_before = rates[: len(late_trials(network, target, ["baseline"]))]
steps = (np.diff(trials_before, axis=1) / 0.02).reshape(
    -1, sizes["units"]
)
at = true.before[target].state_of(
    trials_before[:, :-1].reshape(-1, sizes["units"])
)
reference = true.before[target].rate_velocity(at)
cosine = np.sum(steps * reference, 1) / (
    np.linalg.norm(steps, axis=1) * np.linalg.norm(reference, axis=1)
)
print(f"differences: cosine {np.mean(cosine):.2f}")
along = tables["the fit"][network]["along"][target]
print(f"the fit:     cosine {along:.2f}")

# %% [markdown]
# Along the way and without noise, differences beat the fit for this
# target (though the fit's value also counts the states of the perturbed
# trials). They are not exact either: a difference spans a whole step, and
# each trial had weights of its own, while the truth here is that of the
# trials' mean weights. And they say nothing of any other state, nothing
# of another input at the same state, and so nothing of fixed points that
# are not visited, of stability, or of what one and the same state would
# do before and after learning. For all of these one needs a rule that
# goes beyond the recorded states, and that is what the fit adds.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: washout-flow
# Does the washout take the fixed points back to where they were? Compare
# the change from baseline to washout, inferred and true.
# ::::

# %% [markdown]
# ::::{solution-start} washout-flow
# :class: dropdown
# ::::

# %%
ends = ("baseline", "washout")
after_all = [
    against_truth(
        fit_of(i, reach_fits[i], ends), truth_of(i, ends), seed=seed
    )
    for i in networks
]
pd.DataFrame(
    {
        "before washout, true": medians("the fit", "moved_by"),
        "after washout, true": [
            t["moved_by"].median() for t in after_all
        ],
        "after washout, the fit": [
            t["fit_moved_by"].median() for t in after_all
        ],
        "cosine of the last two": [
            t["moved"].median() for t in after_all
        ],
    },
    index=[f"network {i + 1}" for i in networks],
).round(2).T

# %% [markdown]
# The table says how far the fixed point is from its place in the
# baseline, in spreads (medians over targets): in the perturbed epoch's
# last trials (*before washout*) and in those of the washout (*after*);
# and the cosine between the true move and the fit's. The answer is no:
# after the washout the point is, in every network, more than half as far
# from its first place as it was before. The error of the hand [falls
# again in the washout](02_relearning_to_reach.py); the dynamics that make
# the movement need not return with it, for there are many networks that
# make the same one.
#
# ::::{solution-end}
# ::::

# %% [markdown]
# ::::{exercise}
# :label: another-start
# Fit the first network once more, from another seed. Do the verdicts on
# what learning changed stand?
# ::::

# %% [markdown]
# ::::{solution-start} another-start
# :class: dropdown
# ::::

# %%
again = replace(settings, seed=seed + 1).fit(recordings[0])
both = {
    "first fit": tables["the fit"][0],
    "another seed": against_truth(fit_of(0, again), truths[0], seed=seed),
}
pd.DataFrame(
    {
        "cosine, change": [t["change"].median() for t in both.values()],
        "cosine, move": [t["moved"].median() for t in both.values()],
    },
    index=list(both),
).round(2)

# %% [markdown]
# They do: two fits of the library as it is agree with each other. In the
# version of the first run the same network failed, so agreement of two
# seeds is no proof either. Fits by more than one procedure are a better
# one.
#
# ::::{solution-end}
# ::::
