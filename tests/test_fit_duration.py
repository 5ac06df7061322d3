"""How long a fit is said to take, before it is made."""

import time
from dataclasses import replace

import pytest
from ltrrnn_parts import SETTINGS

from ltr_core.fit_duration import Estimate, estimate_seconds, in_words
from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.recordings import Recording


def test_the_estimate_is_near_the_time_that_the_fit_takes() -> None:
    recording = simulate_ltrrnn(n_trials=(40, 40), n_neurons=60, rank=3, seed=2).recording
    model = LtrRNN(rank=3, n_steps=40)
    expected = estimate_seconds(model, recording)
    begun = time.perf_counter()
    model.fit(recording)
    took = time.perf_counter() - begun
    assert took / 4 < expected.total < 4 * took
    assert 0 < expected.start < expected.total


def test_the_estimate_leaves_the_model_alone_and_grows_with_the_steps(tiny: Recording) -> None:
    model = LtrRNN(**SETTINGS | {"n_steps": 3000})
    before = replace(model)
    many = estimate_seconds(model, tiny)
    assert model == before
    assert not hasattr(model, "history_")
    assert many.total > 5 * estimate_seconds(model.with_params(n_steps=30), tiny).total
    none = estimate_seconds(model.with_params(n_steps=0), tiny)
    assert none == Estimate(none.start, none.start)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "less than 10 seconds"),
        (12, "about 12 seconds"),
        (47, "about 50 seconds"),
        (130, "about 2 minutes"),
        (2000, "about 30 minutes"),
        (7300, "about 2 hours"),
        (400_000, "about 110 hours"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(float(seconds)) == words
