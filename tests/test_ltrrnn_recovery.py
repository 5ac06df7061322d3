"""Fits to activity alone find what was planted, and do not where nothing can be found."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from ltr_core.dynamics import subspace_angles
from ltr_core.held_out import held_out_blocks
from ltr_core.ltrrnn import LtrRNN, Simulated, Truth, simulate_ltrrnn
from ltr_core.recordings import Recording
from ltr_core.scores import score


@pytest.fixture(scope="module")
def planted() -> Simulated:
    """75 trials of a network of rank 2."""
    return simulate_ltrrnn(
        n_trials=(25, 25, 25), n_neurons=40, rank=2, n_conditions=4, dt=0.2, seed=2
    )


class Recovery:
    """A fit compared with the truth in the neurons' space, where both act on the true rates."""

    def __init__(self, model: LtrRNN, truth: Truth) -> None:
        rates = truth.rates.reshape(-1, truth.rates.shape[2]).astype(np.float64)
        values, vectors = np.linalg.eigh(rates.T @ rates / len(rates))
        felt = vectors * np.sqrt(np.maximum(values, 0))  # rows count as far as rates feel them
        columns, rows = model.in_neurons()
        self.factors = model.trial_factors_, truth.trial_factors
        self.columns = columns, truth.readout @ truth.columns
        self.rows = felt.T @ rows, felt.T @ truth.readout @ truth.rows

    @property
    def angles(self) -> tuple[float, float]:
        """Largest angle between the subspaces of column factors, and of row factors; degrees."""
        return tuple(float(subspace_angles(*pair).max()) for pair in (self.columns, self.rows))

    @property
    def components(self) -> np.ndarray:
        """Correlation of trial factors and cosine of columns, of components matched one to one."""
        rank = self.columns[1].shape[1]
        trial = np.corrcoef(*(f.T for f in self.factors))[: -rank or None, -rank:]
        unit = [c / np.linalg.norm(c, axis=0) for c in self.columns]
        column = np.abs(unit[0].T @ unit[1])
        first, second = linear_sum_assignment(-column)
        return np.stack([trial[first, second], column[first, second]])

    @property
    def weight_changes(self) -> float:
        """Correlation of weights less their mean over trials, as the rates feel them."""
        changes = []
        for factors, columns, rows in zip(self.factors, self.columns, self.rows, strict=True):
            weights = np.einsum("kr,nr,mr->knm", factors, columns, rows)
            changes.append((weights - weights.mean(0)).ravel())
        return float(changes[0] @ changes[1] / np.prod([np.linalg.norm(c) for c in changes]))


@pytest.mark.parametrize("readout", ["identity", "orthonormal"])
def test_planted_factors_are_recovered(planted: Simulated, readout: str) -> None:
    """Subspaces, single components, trial factors and weight changes, from activity alone."""
    model = LtrRNN(rank=2, readout=readout, n_steps=100, substeps=2).fit(planted.recording)
    found = Recovery(model, planted.truth)
    columns, rows = found.angles
    assert columns < 8
    assert rows < 12
    assert found.components.min() > 0.93
    assert found.weight_changes > 0.93
    truth = planted.truth.rates
    off = score(truth, model.predict(), np.ones(truth.shape, bool), "nmse")
    assert off < 0.01  # of the noise-free rates: better than the recording itself


def test_shuffled_trials_are_not(planted: Simulated) -> None:
    """The control: trials shuffled within their condition leave its mean, but no learning."""
    recording = planted.recording
    order = np.arange(recording.n_trials)
    rng = np.random.default_rng(0)
    for condition in recording.conditions:
        here = np.flatnonzero(recording.condition == condition)
        order[here] = rng.permutation(here)
    shuffled = recording.with_activity(recording.activity[order])
    found = Recovery(LtrRNN(rank=2, readout="identity", n_steps=60).fit(shuffled), planted.truth)
    assert found.components[0].max() < 0.6
    assert found.weight_changes < 0.6


def test_learning_is_seen_in_the_held_out_score(planted: Simulated) -> None:
    """Held-out entries of a changing network are better predicted with trial factors."""
    held = held_out_blocks(planted.recording, share=0.15, seed=0)
    scores = {}
    for kind in ("smooth", "constant"):
        model = LtrRNN(rank=2, trial_factors=kind, n_steps=60, substeps=2).fit(
            planted.recording, held.train
        )
        scores[kind] = model.score(planted.recording, held.test, "nmse")
    assert scores["smooth"] < 0.04
    assert scores["constant"] > 2 * scores["smooth"]


@pytest.mark.filterwarnings("ignore::ltr_core.ltrrnn.DegenerateWarning")
def test_poisson_beats_gaussian_on_low_counts() -> None:
    """Expected counts nearer to the true ones, where there is one spike in three bins."""
    recording, truth = simulate_ltrrnn(
        n_trials=(30, 30, 30),
        n_neurons=30,
        rank=2,
        n_conditions=4,
        dt=0.2,
        counts=True,
        mean_count=0.35,
        seed=3,
    )
    as_rates = Recording(recording.activity, time=recording.time, condition=recording.condition,
                         epoch=recording.epoch)  # fmt: skip
    poisson = LtrRNN(rank=2, likelihood="poisson", n_steps=60).fit(recording)
    gaussian = LtrRNN(rank=2, readout_bias=True, n_steps=60).fit(as_rates)
    every = np.ones(truth.rates.shape, bool)
    off = {
        name: score(truth.rates, model.predict(), every, "nmse")
        for name, model in {"poisson": poisson, "gaussian": gaussian}.items()
    }
    assert off["poisson"] < 0.9 * off["gaussian"]
    assert off["poisson"] < 0.5
    # in likelihood as well, of new counts from the same network
    fresh = np.random.default_rng(0).poisson(truth.rates).astype(np.float32)
    bits = [
        score(fresh, np.maximum(model.predict(), 1e-3), every, "bits_per_spike")
        for model in (poisson, gaussian)
    ]
    assert bits[0] > max(bits[1], 0)


def test_batches_of_trials_fit_as_well(planted: Simulated) -> None:
    """A third of the trials in each step: nearly the loss of all, with every trial fitted."""
    whole, some = (
        LtrRNN(rank=2, n_steps=60, learning_rate=0.03, batch_trials=size).fit(planted.recording)
        for size in (None, 30)
    )
    every = np.ones(planted.truth.rates.shape, bool)
    off = [score(planted.truth.rates, m.predict(), every, "nmse") for m in (whole, some)]
    assert off[0] < 0.02
    assert off[1] < 0.04
