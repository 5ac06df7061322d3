"""The experiments of Schuessler et al. (2020): tasks learned from random connectivity.

One call of `learn` trains networks at one strength g of their random connectivity and measures what
the paper measures; `learn_over` does so for many tasks, strengths and sizes.
"""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from ltr_core.learned_change import (
    change_of,
    check_ranks,
    eigenvalues,
    learning_time,
    norms,
    shuffled_loss,
    singular_values,
    truncation_losses,
)
from ltr_core.rnn import mean_field_networks
from ltr_core.sweeps import Arrays, sweep
from ltr_core.tasks import ContextDecision, DelayedDiscrimination, FlipFlop, Task
from ltr_core.training import Optimiser, task_loss, train

TASKS: Mapping[str, Task] = {
    "flip-flop": FlipFlop(),
    "Mante": ContextDecision(),
    "Romo": DelayedDiscrimination(),
}
# Published sizes: epochs of each task, and the largest g, from 0 in steps of 0.3.
PUBLISHED_EPOCHS: Mapping[str, int] = {"flip-flop": 1000, "Mante": 2000, "Romo": 6000}
PUBLISHED_LARGEST_G: Mapping[str, float] = {"flip-flop": 2.1, "Mante": 2.7, "Romo": 3.0}
N_VALUES = 12  # singular values that are kept


class Learned(NamedTuple):
    """What networks learned from random connectivity of one strength, measured.

    Losses are shares of the first epoch's; the change is that of the recurrent weights at the best
    recent epoch; the last four are measured on trials that are the same for all networks.

    - `loss` (network, epoch); `time` (network,): first epoch below 0.05, infinite if there is none.
    - `gradient_norm`, `change_norm` (network, epoch): Frobenius norms of the gradient by the
      recurrent weights and of their change so far.
    - `recorded` (record,): numbers of updates. `change` (network, record, post, pre): recorded.
    - `spectrum_over_training` (network, record, value): its leading singular values.
    - `final_change` (network, post, pre); `norm`, `norm_start` (network,): Frobenius norms of it
      and of the initial weights; `values` (network, value): its leading singular values.
    - `eigenvalues_before`, `eigenvalues_after` (network, neuron, 2): real and imaginary parts.
    - `ranks` (rank,); `truncated`, `truncated_weights` (network, rank): losses with the change, or
      the weights themselves, cut to each rank.
    - `shuffled`, `after` (network,): loss with the initial weights permuted, and left in place.
    """

    loss: Float[np.ndarray, "network epoch"]
    time: Float[np.ndarray, " network"]
    gradient_norm: Float[np.ndarray, "network epoch"]
    change_norm: Float[np.ndarray, "network epoch"]
    recorded: Int[np.ndarray, " record"]
    change: Float[np.ndarray, "network record post pre"]
    spectrum_over_training: Float[np.ndarray, "network record value"]
    final_change: Float[np.ndarray, "network post pre"]
    norm: Float[np.ndarray, " network"]
    norm_start: Float[np.ndarray, " network"]
    values: Float[np.ndarray, "network value"]
    eigenvalues_before: Float[np.ndarray, "network neuron 2"]
    eigenvalues_after: Float[np.ndarray, "network neuron 2"]
    ranks: Int[np.ndarray, " rank"]
    truncated: Float[np.ndarray, "network rank"]
    truncated_weights: Float[np.ndarray, "network rank"]
    shuffled: Float[np.ndarray, " network"]
    after: Float[np.ndarray, " network"]

    def only(self, networks: Bool[np.ndarray, " network"]) -> "Learned":
        """Some of the networks, as those that learned: ``found.only(found.after < 0.05)``."""
        shared = ("recorded", "ranks")
        return Learned(
            *(
                value if name in shared else value[networks]
                for name, value in self._asdict().items()
            )
        )

    def eigenvalues(
        self, when: Literal["before", "after"]
    ) -> Complex[np.ndarray, "network neuron"]:
        """Those of the recurrent weights before or after learning, as complex numbers."""
        parts = self.eigenvalues_before if when == "before" else self.eigenvalues_after
        return parts @ np.array([1, 1j])

    def loss_left(
        self, rank: int, of: Literal["change", "weights"] = "change"
    ) -> Float[np.ndarray, " network"]:
        """The loss with the change, or the weights, cut to a rank, over that without any change.

        Raises ValueError for a rank that was not measured.
        """
        if rank not in self.ranks:
            raise ValueError(f"rank {rank} was not measured; there are {self.ranks.tolist()}.")
        losses = self.truncated if of == "change" else self.truncated_weights
        at = self.ranks.tolist().index(rank)
        return losses[:, at] / self.truncated[:, 0]


def learn(
    *,
    task: Task,
    g: float,
    n_networks: int,
    n_units: int,
    n_epochs: int,
    optimiser: Optimiser = "adam",
    learning_rate: float | None = None,
    n_records: int = 0,
    ranks: Sequence[int] = tuple(range(26)),
    n_test: int = 512,
    stop_below: float | None = None,
    seed: int = 0,
) -> Arrays:
    """Train networks of one strength of random connectivity and measure; fields of `Learned`.

    - `learning_rate`: 0.05 / N if it is not given, as published with Adam.
    - `n_records`: how often the change is recorded, evenly over the epochs, the end included.

    Raises what `train` does, and ValueError for ranks above `n_units`, before anything is trained.
    """
    check_ranks(ranks, n_units)
    networks = mean_field_networks(
        n_networks, n_units, task.n_inputs, task.n_outputs, g=g, seed=seed
    )
    record_at = np.linspace(0, n_epochs, n_records + 1)[1:].round().astype(int).tolist()
    training = train(
        networks,
        task,
        n_epochs=n_epochs,
        learning_rate=0.05 / n_units if learning_rate is None else learning_rate,
        optimiser=optimiser,
        record_at=sorted(set(record_at)),
        stop_below=stop_below,
        seed=seed,
    )
    trials = task.sample(n_test, np.random.default_rng([seed, 3]))
    first = training.loss[:, :1].double().numpy()
    final = change_of(training)
    spectra = singular_values(training.change, N_VALUES)
    found = Learned(
        loss=training.loss.double().numpy() / first,
        time=learning_time(training.loss),
        gradient_norm=training.gradient_norm.numpy(),
        change_norm=training.change_norm.numpy(),
        recorded=training.recorded.numpy(),
        change=training.change.numpy(),
        spectrum_over_training=spectra,
        final_change=final.numpy(),
        norm=norms(final),
        norm_start=norms(training.start.recurrent),
        values=singular_values(final, N_VALUES),
        eigenvalues_before=_parts(eigenvalues(training.start)),
        eigenvalues_after=_parts(eigenvalues(training.best)),
        ranks=np.asarray(ranks),
        truncated=truncation_losses(training, task, trials, ranks) / first,
        truncated_weights=truncation_losses(training, task, trials, ranks, of="weights") / first,
        shuffled=shuffled_loss(training, task, trials, seed=seed) / first[:, 0],
        after=task_loss(training.best, task, trials).double().numpy() / first[:, 0],
    )
    return found._asdict()


def learn_over(
    cells: Mapping[Hashable, Mapping[str, Any]],
    *,
    folder: Path | None = None,
    n_jobs: int | None = None,
) -> dict[Any, Learned]:
    """`learn` with the settings of each cell, under the cell's name; in parallel (see `sweep`).

    Examples
    --------
    >>> from ltr_core import FixedPoint
    >>> from ltr_core.interplay import learn_over
    >>> sizes = {"n_networks": 2, "n_units": 10, "n_epochs": 3, "ranks": (0, 1)}
    >>> cells = {g: {"task": FixedPoint(), "g": g, "n_test": 4, **sizes} for g in (0.0, 0.9)}
    >>> found = learn_over(cells, n_jobs=1)
    >>> found[0.9].loss.shape, found[0.9].truncated.shape
    ((2, 3), (2, 2))
    """
    found = sweep(learn, list(cells.values()), folder=folder, n_jobs=n_jobs)
    return {name: Learned(**arrays) for name, arrays in zip(cells, found, strict=True)}


def published_cells(seed: int = 0) -> dict[tuple[str, float], dict[str, Any]]:
    """The cells of the paper's own sweep, (task, g): N 256, five samples, all strengths.

    Hours on a few cores; chapters that ask for the same cells share what is kept of them.

    Examples
    --------
    >>> from ltr_core.interplay import published_cells
    >>> cells = published_cells()
    >>> len(cells), cells["flip-flop", 0.9]["n_units"], cells["flip-flop", 0.9]["n_epochs"]
    (29, 256, 1000)
    """
    sizes: dict[str, Any] = {"n_networks": 5, "n_units": 256, "n_records": 30, "seed": seed}
    return {
        (name, g): {"task": task, "g": g, "n_epochs": PUBLISHED_EPOCHS[name], **sizes}
        for name, task in TASKS.items()
        for g in np.arange(0, PUBLISHED_LARGEST_G[name] + 0.15, 0.3).round(1).tolist()
    }


def _parts(values: np.ndarray) -> Float[np.ndarray, "network neuron 2"]:
    return np.stack([values.real, values.imag], axis=-1)
