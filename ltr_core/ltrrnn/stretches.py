"""Whether one subspace serves all of learning: fits to each epoch alone, and changes of weights."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Shaped

from ltr_core.comparisons.shared_subspace import Shares, shared_subspace
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.recordings import Recording


def fit_epochs(
    model: LtrRNN,
    recording: Recording,
    train: Bool[np.ndarray, "trial time neuron"] | None = None,
) -> list[LtrRNN]:
    """A fit of a model with these settings to each epoch's trials alone, in their order.

    `train`: the entries to fit; all that were observed if not given.

    Examples
    --------
    >>> from ltr_core import LtrRNN, simulate_ltrrnn
    >>> from ltr_core.ltrrnn.stretches import fit_epochs
    >>> recording, _ = simulate_ltrrnn(n_trials=(4, 6), n_neurons=10, rank=1, dt=0.4)
    >>> models = fit_epochs(LtrRNN(rank=1, n_steps=2, substeps=1), recording)  # far too few steps
    >>> [model.trial_factors_.shape for model in models]
    [(4, 1), (6, 1)]
    """
    chosen = [recording.epoch == epoch for epoch in recording.epochs]
    return [
        model.with_params().fit(
            recording.select(trials=trials), None if train is None else train[trials]
        )
        for trials in chosen
    ]


def shares_between_fits(
    models: Sequence[LtrRNN], visited: Float[np.ndarray, "neuron direction"]
) -> list[Shares]:
    """For each of several fits, how much of its weights lies in the subspace of the others'.

    `visited`: orthonormal directions of the visited rates, on which rows are projected, as the
    rest of them is left to chance. One `Shares` for each model, with its trials (see
    `shared_subspace`).

    Raises ValueError for fewer than two models and a linear readout.

    Examples
    --------
    >>> from ltr_core import LtrRNN, recovery, simulate_ltrrnn
    >>> from ltr_core.ltrrnn.stretches import fit_epochs, shares_between_fits
    >>> recording, _ = simulate_ltrrnn(n_trials=(4, 6), n_neurons=10, rank=1, dt=0.4)
    >>> models = fit_epochs(LtrRNN(rank=1, n_steps=2, substeps=1), recording)  # far too few steps
    >>> shares = shares_between_fits(models, recovery.visited_span(recording.activity, 0.95))
    >>> [each.both.shape for each in shares]
    [(4,), (6,)]
    """
    columns, rows, which = [], [], []
    for number, model in enumerate(models):
        a, b = model.in_neurons()
        columns.append(model.trial_factors_[:, None, :] * a)
        rows.append(np.broadcast_to(visited @ (visited.T @ b), columns[-1].shape))
        which.append(np.full(len(columns[-1]), number))
    label = np.concatenate(which)
    shares = shared_subspace(np.concatenate(columns), np.concatenate(rows), label)
    return [Shares(*(part[label == number] for part in shares)) for number in range(len(models))]


def shares_of_change(
    change: Float[np.ndarray, "trial post pre"],
    stretch: Shaped[np.ndarray, " trial"],
    dimension: int,
) -> Shares:
    """For each trial's change of the weights, the share in the subspace of other stretches'.

    Raises what `shared_subspace` raises.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.ltrrnn.stretches import shares_of_change
    >>> pattern = np.outer([1.0, 2.0, 0.0], [0.0, 1.0, 1.0])
    >>> change = np.arange(1.0, 7.0)[:, None, None] * pattern  # along one direction throughout
    >>> shares_of_change(change, np.repeat([0, 1], 3), dimension=1).both.round(2).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    left, sizes, right = np.linalg.svd(change.astype(np.float64), full_matrices=False)
    columns, rows = left * sizes[:, None, :], np.ascontiguousarray(right.transpose(0, 2, 1))
    return shared_subspace(columns, rows, stretch, dimension)
