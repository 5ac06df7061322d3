"""How long a fit will take, from a few of its steps."""

import time
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from ltr_core.ltrrnn.data import prepare
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.recordings import Recording

TIMED_STEPS = 3


class Estimate(NamedTuple):
    """How long a fit takes, in s: its `start` (before the first step), and in `total`."""

    start: float
    total: float


def estimate_seconds(
    model: LtrRNN, recording: Recording, train: Bool[np.ndarray, "trial time neuron"] | None = None
) -> Estimate:
    """How long `model.fit` would take here, from its start and a few of its steps.

    The model is left as it is. A fit that stops early, or one of several side by side, differs.

    Raises ValueError as the fit does.

    Examples
    --------
    >>> from ltr_core import LtrRNN, simulate_ltrrnn
    >>> from ltr_core.fit_duration import estimate_seconds
    >>> recording, _ = simulate_ltrrnn(n_trials=(4, 4), n_neurons=10, rank=1, dt=0.4)
    >>> expected = estimate_seconds(LtrRNN(rank=1, n_steps=1000, substeps=1), recording)
    >>> 0 < expected.start < expected.total
    True
    """
    tried = model.with_params(n_steps=min(TIMED_STEPS, model.n_steps))
    Fit(tried, prepare(tried, recording, train))  # the first in a session takes longer
    begun = time.perf_counter()
    fit = Fit(tried, prepare(tried, recording, train))
    start = time.perf_counter() - begun
    if not tried.n_steps:
        return Estimate(start, start)
    fit.run()
    steps = time.perf_counter() - begun - start
    return Estimate(start, start + steps * model.n_steps / tried.n_steps)


def in_words(seconds: float) -> str:
    """A duration as people say it: "about 40 seconds", "about 3 hours".

    Examples
    --------
    >>> from ltr_core.fit_duration import in_words
    >>> in_words(47.0), in_words(2000.0)
    ('about 50 seconds', 'about 30 minutes')
    """
    if seconds < 10:
        return "less than 10 seconds"
    for unit, size in (("seconds", 1), ("minutes", 60), ("hours", 3600)):
        if seconds < 100 * size or unit == "hours":
            number = seconds / size
            return f"about {round(number, -1) if number > 20 else number:.0f} {unit}"
    raise AssertionError
