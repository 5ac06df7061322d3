"""Small random problems: what theorems about learning are tried on."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.counts import check_counts
from ltr_core.rnn import RNN
from ltr_core.rollout import Nonlinearity
from ltr_core.theory.runs import ObservedRun, descend


class Problem(NamedTuple):
    """One network, and trials for it with random targets that nothing makes reachable.

    - `network`: a batch of one. `dt` in units of its time constant, which is 1.
    - `inputs` (trial, time, input), `targets` (trial, time, output), `initial` (trial, neuron).

    The fields are named as functions of the theory take them: ``krylov_tail(**problem._asdict())``.

    Examples
    --------
    >>> from ltr_core import theory
    >>> network, inputs, targets, initial, dt = theory.random_problem(n_trials=3, n_time=10)
    >>> network.n_units, inputs.shape, initial.shape
    (40, torch.Size([3, 10, 2]), torch.Size([3, 40]))
    """

    network: RNN
    inputs: Float[Tensor, "trial time input"]
    targets: Float[Tensor, "trial time output"]
    initial: Float[Tensor, "trial neuron"]
    dt: float


def random_problem(
    seed: int = 0,
    *,
    n_units: int = 40,
    n_inputs: int = 2,
    n_outputs: int = 2,
    initial_rank: int = 0,
    start_rank: int = 0,
    alpha: float = 0.0,
    g: float = 0.0,
    input_scale: float = 1.0,
    n_trials: int = 6,
    n_time: int = 20,
    dt: float = 0.2,
    nonlinearity: Nonlinearity = "identity",
) -> Problem:
    """A network W_0 = alpha 1 + (random of rank `start_rank`) + (random of strength g).

    - Columns of the input weights and rows of the readout have norm near 1, the random part of W_0
      has variance g^2 / N, its part of low rank singular values near 1/2.
    - Inputs are white noise of sd `input_scale`, targets constant random numbers for each trial,
      initial states random in a space of `initial_rank` dimensions (zero for 0).

    Different parts are drawn independently: changing one size leaves the other parts alone.
    Raises ValueError for sizes out of range.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(seed=1, n_units=12, g=0.8, nonlinearity="tanh")
    >>> problem.network.recurrent.shape, problem.targets.shape
    (torch.Size([1, 12, 12]), torch.Size([6, 20, 2]))
    """
    check_counts(
        n_units=n_units, n_inputs=n_inputs, n_outputs=n_outputs, n_trials=n_trials, n_time=n_time
    )
    _check_ranks(n_units, initial_rank=initial_rank, start_rank=start_rank)

    def normal(part: int, *shape: int) -> np.ndarray:
        return np.random.default_rng([seed, part]).standard_normal(shape)

    unit = n_units**-0.5
    low = normal(1, n_units, start_rank) @ normal(2, start_rank, n_units) * unit**2 / 2
    recurrent = alpha * np.eye(n_units) + low + g * unit * normal(0, n_units, n_units)
    states = normal(5, n_trials, initial_rank) @ normal(6, initial_rank, n_units) * unit
    targets = np.repeat(normal(8, n_trials, 1, n_outputs), n_time, axis=1)
    arrays = (
        recurrent,
        unit * normal(3, n_units, n_inputs),
        unit * normal(4, n_outputs, n_units),
        input_scale * normal(7, n_trials, n_time, n_inputs),
        targets,
        states,
    )
    w, b, c, inputs, wanted, initial = (torch.from_numpy(np.ascontiguousarray(a)) for a in arrays)
    network = RNN(w[None], b[None], c[None], 1.0, nonlinearity)
    return Problem(network, inputs, wanted, initial, dt)


def _check_ranks(n_units: int, **ranks: int) -> None:
    for name, rank in ranks.items():
        if not 0 <= rank <= n_units:
            raise ValueError(f"{name} is {rank}: a rank lies between 0 and {n_units}, the units.")


def varied_problems(number: int, seed: int = 0) -> Iterator[tuple[Problem, np.random.Generator]]:
    """Problems that differ in every size, some with a single column in the factors.

    Linear and tanh networks, with and without random connections, in turn; every tenth has one
    trial of one step. Each comes with the generator that drew its sizes, to draw more from.

    Examples
    --------
    >>> from ltr_core import theory
    >>> [problem.network.nonlinearity for problem, _ in theory.varied_problems(4)]
    ['tanh', 'tanh', 'identity', 'identity']
    """
    for k in range(number):
        rng = np.random.default_rng([seed, k])
        small = {"n_trials": 1, "n_time": 1, "initial_rank": 1}
        problem = random_problem(
            int(rng.integers(1_000_000)),
            n_units=int(rng.integers(4, 40)),
            n_inputs=int(rng.integers(1, 4)),
            n_outputs=int(rng.integers(1, 4)),
            g=[0.0, 0.8][k % 2],
            nonlinearity="identity" if k // 2 % 2 else "tanh",
            **(small if k % 10 == 0 else {"n_time": 12}),
        )
        yield problem, rng


def varied_rates(n_steps: int, seed: int = 0) -> list[float]:
    """Step sizes that differ from step to step, between 0.05 and 0.5.

    Examples
    --------
    >>> from ltr_core import theory
    >>> rates = theory.varied_rates(12)
    >>> len(rates), 0.05 < min(rates) < max(rates) < 0.5
    (12, True)
    """
    rng = np.random.default_rng([seed, n_steps])
    return [float(rate) for rate in rng.uniform(0.05, 0.5, n_steps)]


def learn_problem(
    problem: Problem,
    *,
    n_steps: int = 30,
    learning_rate: float | Sequence[float] = 1.0,
    **options: Any,
) -> ObservedRun:
    """`descend` on a problem, with these and other of its options.

    Examples
    --------
    >>> from ltr_core import theory
    >>> run = theory.learn_problem(theory.random_problem(n_units=10), n_steps=5, momentum=0.5)
    >>> run.change.shape, bool(run.loss[-1] < run.loss[0])
    ((5, 10, 10), True)
    """
    return descend(**problem._asdict(), n_steps=n_steps, learning_rate=learning_rate, **options)
