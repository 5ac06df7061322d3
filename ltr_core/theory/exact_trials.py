"""The exact bound put to the test: linear networks of many sizes, and spaces that are wrong."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ltr_core.decomposition import mode_ranks
from ltr_core.theory.problems import Problem, learn_problem, random_problem, varied_rates
from ltr_core.theory.runs import LOSSES
from ltr_core.theory.structureless import Departure, departure, subspace_bound

N_STEPS = 12


class Size(NamedTuple):
    """The sizes of a problem that count for the exact bound, as `random_problem` takes them.

    Examples
    --------
    >>> from ltr_core import theory
    >>> theory.SIZES[0], len(theory.SIZES)
    (Size(n_units=20, n_inputs=1, n_outputs=1, initial_rank=0, start_rank=0), 108)
    """

    n_units: int
    n_inputs: int
    n_outputs: int
    initial_rank: int
    start_rank: int


SIZES = tuple(Size(*each) for each in product((20, 80), (1, 2, 3), (1, 2, 3), (0, 2), (0, 1, 2)))
"""A grid of 108 sizes."""


class ExactTrials(NamedTuple):
    """How far runs leave the space of the theorem, and `wrong` spaces or runs, by name.

    Each as columns: "leak" and "over" of one `Departure` for each run.

    Examples
    --------
    >>> from ltr_core import theory
    >>> trials = theory.exact_trials(theory.SIZES[:2])
    >>> max(trials.found["leak"]) < 1e-8, max(trials.found["over"]) <= 0
    (True, True)
    >>> {name: min(columns["leak"]) > 1e-6 for name, columns in trials.wrong.items()}
    {'one dimension less': True, 'the start forgotten': True, 'tanh': True, 'Adam': True}
    """

    found: dict[str, tuple[float, ...]]
    wrong: dict[str, dict[str, tuple[float, ...]]]


def exact_trials(sizes: Sequence[Size] = SIZES, seed: int = 0) -> ExactTrials:
    """Let one network of each size learn, and see whether it stays in its space.

    Networks have a start of 0 or 0.5 times the identity, and a part of low rank if their size says
    so; each learns by one of 16 settings of loss, step sizes and momentum, in turn.

    Of wrong spaces there are those of one dimension less, and those that forget the start's part of
    low rank; of runs that should leave the right one, tanh networks and Adam (every sixth size).

    Raises ValueError for sizes without one that has a start.

    Examples
    --------
    >>> from ltr_core import theory
    >>> found = theory.exact_trials(theory.SIZES[:2]).found
    >>> len(found["leak"]), max(found["leak"]) < 1e-8
    (2, True)
    """
    if not any(size.start_rank for size in sizes):
        raise ValueError("No size has a start of rank 1 or more: there is none to be forgotten.")
    found, less, forgotten = [], [], []
    trainings = _trainings(seed)
    for place, size in enumerate(sizes):
        problem = _problem(size, place, seed)
        training = trainings[(5 * place) % len(trainings)]
        run = learn_problem(problem, n_steps=N_STEPS, **training)
        space = _space(problem)
        found.append(departure(run, space))
        less.append(departure(run, space[:, :-1]))
        if size.start_rank:
            network = problem.network
            blank = network._replace(recurrent=0 * network.recurrent)
            forgotten.append(departure(run, _space(problem._replace(network=blank))))
    wrong = {"one dimension less": less, "the start forgotten": forgotten}
    adam = {"learning_rate": 0.01, "optimiser": "adam"}
    for name, nonlinearity, training in (
        ("tanh", "tanh", {"learning_rate": 0.1}),
        ("Adam", "identity", adam),
    ):
        wrong[name] = []
        for place in range(0, len(sizes), 6):
            problem = _problem(sizes[place], place, seed, nonlinearity=nonlinearity)
            run = learn_problem(problem, n_steps=N_STEPS, **training)
            wrong[name].append(departure(run, _space(_problem(sizes[place], place, seed))))
    return ExactTrials(_columns(found), {name: _columns(rows) for name, rows in wrong.items()})


def missing_ranks(
    n_inputs: int, n_outputs: int, number: int, *, more: int = 0, seed: int = 0
) -> Int[np.ndarray, "problem mode"]:
    """Bounds less mode ranks (at 1e-12), for several problems without a start: 0 where it is full.

    Networks of 20 units learn for 60 steps of `varied_rates`. `more`: dimensions that the bound
    allows wrongly.

    Examples
    --------
    >>> from ltr_core import theory
    >>> theory.missing_ranks(1, 1, 2)  # one input, one output: 3 over steps, not 4
    array([[1, 0, 0],
           [1, 0, 0]])
    """
    d = n_inputs + n_outputs + more
    rates = varied_rates(60, seed)
    rows = []
    for k in range(number):
        problem = random_problem(
            _drawn(seed, k), n_units=20, n_inputs=n_inputs, n_outputs=n_outputs
        )
        run = learn_problem(problem, n_steps=60, learning_rate=rates, momentum=0.5)
        rows.append(np.subtract((d**2, d, d), mode_ranks(run.change, 1e-12)))
    return np.array(rows)


def _problem(size: Size, place: int, seed: int, **settings: Any) -> Problem:
    alpha = [0.0, 0.5][place % 2]
    return random_problem(_drawn(seed, place), **size._asdict(), alpha=alpha, n_time=10, **settings)


def _drawn(seed: int, place: int) -> int:
    """The seed of one problem of many."""
    return int(np.random.default_rng([seed, place]).integers(1_000_000))


def _space(problem: Problem) -> Float[np.ndarray, "neuron direction"]:
    return subspace_bound(problem.network, problem.initial, n_steps=N_STEPS).basis


def _trainings(seed: int) -> list[dict[str, Any]]:
    varied = [0.4 * rate for rate in varied_rates(N_STEPS, seed)]
    return [
        {"loss": loss, "learning_rate": rate, "momentum": momentum}
        for loss in LOSSES
        for rate in (0.1, varied)
        for momentum in (0.0, 0.9)
    ]


def _columns(rows: Iterable[Departure]) -> dict[str, tuple[float, ...]]:
    return dict(zip(Departure._fields, zip(*rows, strict=True), strict=True))
