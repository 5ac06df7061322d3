"""How a step's time grows with trials, time points, neurons and rank, each alone.

An orthonormal readout with as many units as neurons costs products of neurons x units, so that a
step is quadratic in neurons there, and the Procrustes step (every third) is cubic. What grows
linearly is measured apart: the integration with its gradient, a step without a readout
(readout='identity'), and a step with a fixed number of units.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from benchmarks import ltrrnn_cases as cases
from benchmarks.measuring import Timed, timed
from benchmarks.result import Criterion, Result, Row
from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn
from ltr_core.ltrrnn.data import prepare
from ltr_core.ltrrnn.fitting import Fit
from ltr_core.recordings import Recording

MOST = 1.15  # exponent of the time at the large end: fitted to the largest sizes, this many
LARGE_END = 3
STEPS, REPEATS = 9, 5  # of each size; three Procrustes steps are among them
UNITS = 100

Measure = Callable[[Recording, int], Timed]


class Sizes(NamedTuple):
    """Sizes of a recording, and the rank that is fitted."""

    trials: int = 250
    times: int = 41
    neurons: int = 200
    rank: int = 5


TINY = Sizes(9, 11, UNITS, 2)
QUICK = {"trials": (9, 12), "times": (11, 15), "rank": (2, 3), "neurons": (UNITS, UNITS + 10)}


class Curve(NamedTuple):
    """The size that grows, its values, what is timed, and whether it must be linear."""

    over: str
    values: tuple[int, ...]
    what: str
    measure: Measure
    judged: bool = True


def whole_step(**settings: object) -> Measure:
    """A step of the optimiser, of a fit with some settings."""

    def of(recording: Recording, rank: int) -> Timed:
        model = LtrRNN(rank=rank, n_steps=STEPS).with_params(**settings)
        fit = Fit(model, prepare(model, recording, None))
        return _per(STEPS, fit.run)

    return of


def integration(recording: Recording, rank: int) -> Timed:
    """Integration and its gradient."""
    model = LtrRNN(rank=rank, readout="identity", n_steps=0)
    network = Fit(model, prepare(model, recording, None)).network
    upstream: list[torch.Tensor] = []

    def once() -> None:
        rates = network.rollout(network.system()).rates
        if not upstream:
            upstream.append(torch.randn_like(rates))
        rates.backward(upstream[0])

    def several() -> None:
        for _ in range(STEPS):
            once()

    once()
    return _per(STEPS, several)


CURVES = (
    Curve("trials", (125, 250, 500, 1000), "step", whole_step()),
    Curve("times", (21, 41, 81, 161), "step", whole_step()),
    Curve("rank", (4, 8, 16, 32), "step", whole_step()),
    Curve("neurons", (100, 200, 400, 800), "step", whole_step(), judged=False),
    Curve("neurons", (100, 200, 400, 800), "integration and gradient", integration),
    Curve("neurons", (100, 200, 400, 800), "step, no readout", whole_step(readout="identity")),
    Curve("neurons", (100, 200, 400, 800), f"step, {UNITS} units", whole_step(n_units=UNITS)),
)


def measure(quick: bool = False) -> Result:
    """The curves, with the exponent from each size to the next and at the large end."""
    rows: list[Row] = []
    criteria: list[Criterion] = []
    cases.fitted(cases.standard(quick=True), n_steps=2)  # the first call pays for imports
    for curve in CURVES[::2] if quick else CURVES:
        found = _measured(curve, quick)
        rows += found
        exponent = _exponent(curve.over, found[-LARGE_END:])
        words = f"{curve.what}: time grows with {curve.over} to a power of at most {MOST}"
        if curve.judged:
            criteria.append(Criterion(words, exponent, None if quick else exponent <= MOST))
    return Result("ltrRNN, growth of a step's time", rows, criteria)


def _measured(curve: Curve, quick: bool) -> list[Row]:
    values, base = (QUICK[curve.over], TINY) if quick else (curve.values, Sizes())
    rows: list[Row] = []
    for value in values:
        sizes = base._replace(**{curve.over: value})
        recording = _recording(sizes)
        times = [curve.measure(recording, sizes.rank) for _ in range(1 if quick else REPEATS)]
        row: Row = {"over": curve.over, "what": curve.what, **sizes._asdict()}
        row |= {"seconds": min(t.wall for t in times), "cpu seconds": min(t.cpu for t in times)}
        if rows:
            row["exponent"] = _exponent(curve.over, [rows[-1], row])
        rows.append(row)
    return rows


def _exponent(over: str, rows: list[Row]) -> float:
    """Least squares of log time on log size; time of the processor, less changed by other load."""
    sizes, times = (np.log([row[name] for row in rows]) for name in (over, "cpu seconds"))
    return float(np.polyfit(sizes, times, 1)[0])


def _recording(sizes: Sizes) -> Recording:
    """Of rank 4: a larger one is fitted to it for its cost alone."""
    step = 4 / (sizes.times - 1)
    return simulate_ltrrnn(
        n_trials=(sizes.trials,),
        n_neurons=sizes.neurons,
        rank=min(4, sizes.rank),
        before=2.0,
        after=2.0,
        dt=step,
        # so that a step of the integration is one of the recording
        tau=max(1.0, step * 10),
        noise=0.2,
        seed=0,
    ).recording


def _per(n_steps: int, work: Callable[[], object]) -> Timed:
    spent, _ = timed(work)
    return Timed(spent.wall / n_steps, spent.cpu / n_steps)
