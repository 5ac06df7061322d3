"""The start of a fit: close to the truth, and sound where the decomposition it rests on is not."""

import numpy as np
import pytest

from ltr_core import LtrRNN, held_out_blocks, simulate_ltrrnn
from ltr_core.decomposition import cp
from ltr_core.ltrrnn import dynamics_start


def test_the_start_alone_explains_most_of_the_activity():
    recording, truth = simulate_ltrrnn(
        n_trials=(20, 30), n_neurons=40, n_conditions=4, rank=3, rotated=True, seed=1
    )
    blocks = held_out_blocks(recording)
    started = LtrRNN(rank=3, n_steps=0).fit(recording, blocks.train)
    assert started.score(recording, blocks.test) > 0.8
    assert np.isfinite(truth.trial_factors).all()


def test_a_degenerate_decomposition_gives_way(monkeypatch):
    # two components that cancel each other, of a norm a hundred times that of their sum
    recording, _ = simulate_ltrrnn(n_trials=(10, 15), n_neurons=20, n_conditions=3, rank=2, seed=0)
    blocks = held_out_blocks(recording, test=(1, 1, 0), train=(2, 2, 0))
    found = []

    def watched(tensor, rank, seed):
        found.append((tensor, cp(tensor, rank, seed=seed)))
        return found[-1][1]

    monkeypatch.setattr(dynamics_start, "cp", watched)
    model = LtrRNN(rank=2).fit(recording, blocks.train)
    tensor, decomposition = found[0]
    cancelled = np.square(decomposition.weights).sum() / np.square(tensor).sum()
    assert cancelled > dynamics_start.CANCELLED, "the case no longer tests what it should"
    assert model.score(recording, blocks.test) > 0.95
    assert np.abs(model.trial_factors_).max() < 30


@pytest.mark.parametrize("rank", [1, 6])
def test_other_ranks_start_as_well(rank):
    recording, _ = simulate_ltrrnn(n_trials=(10, 15), n_neurons=20, n_conditions=3, rank=2, seed=1)
    model = LtrRNN(rank=rank, n_steps=0).fit(recording)
    assert model.trial_factors_.shape == (25, rank)
    assert np.isfinite(model.predict()).all()
