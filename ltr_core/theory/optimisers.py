"""Adam beside gradient descent: the same problem in other coordinates, and what a change is for.

Gradient descent commutes with rotations of the space of a linear network's units. Adam, which
divides every entry of the gradient by its own size, does not: what it learns depends on the axes.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from ltr_core.theory.problems import Problem
from ltr_core.theory.runs import ObservedRun, factors_of_gradient
from ltr_core.theory.structureless import leak
from ltr_core.theory.subspaces import random_space


class OptimiserOutcome(NamedTuple):
    """What one optimiser wrote by the step at which it is looked at, dW.

    - `step`: how many updates; `loss`: after them.
    - `outside_space`: the share of dW's norm outside P P^T dW P P^T, of a given space of d
      dimensions; `outside_own`: the share of its *squared* norm outside its d leading singular
      directions. `rank`: its singular values above a hundredth of the largest.
    - `kept_by_space`, `kept_by_own`, `kept_by_random`: the share of the loss's fall that is left if
      dW is cut to that space, to its own d leading directions, or to d random dimensions.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem()
    >>> space = theory.subspace_bound(problem.network, n_steps=5).basis
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> outcome = theory.optimiser_outcome(problem, run, 5, space)
    >>> outcome.step, round(outcome.outside_space, 6), round(outcome.kept_by_space, 6)
    (5, 0.0, 1.0)
    """

    step: int
    loss: float
    outside_space: float
    outside_own: float
    rank: int
    kept_by_space: float
    kept_by_own: float
    kept_by_random: float


class ComparedRun(NamedTuple):
    """One of several runs that are looked at as soon as all are at the same loss.

    - `leak`: of the whole run out of the given space, see `leak`. `outcome`: at that step.
    - `change` (post, pre): what had been written by then.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=12)
    >>> space = theory.subspace_bound(problem.network, n_steps=5).basis
    >>> runs = {"plain": theory.learn_problem(problem, n_steps=5)}
    >>> found = theory.compare_runs(problem, runs, space)["plain"]
    >>> found.leak < 1e-10, found.outcome.step, found.change.shape
    (True, 4, (12, 12))
    """

    leak: float
    outcome: OptimiserOutcome
    change: Float[np.ndarray, "post pre"]


def turned(problem: Problem, directions: Float[np.ndarray, "neuron neuron"]) -> Problem:
    """The same problem with other coordinates: the columns become the units.

    Entries that are rounding (below 1e-14 of the largest) become zeros.
    Raises ValueError for a network that is not linear, or columns that are not orthonormal.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> axes = np.linalg.qr(np.random.default_rng(0).standard_normal((10, 10)))[0]
    >>> there, start = theory.turned(problem, axes), np.zeros((10, 10))
    >>> bool(np.isclose(theory.loss_with(there, start), theory.loss_with(problem, start)))
    True
    """
    if problem.network.nonlinearity != "identity":
        raise ValueError(
            "The network is not linear: with other coordinates tanh is another function, and the "
            "problem another problem."
        )
    axes = torch.from_numpy(directions)
    if not torch.allclose(axes.T @ axes, torch.eye(len(axes)).double(), atol=1e-10):
        raise ValueError("directions are not orthonormal: give an orthogonal matrix.")
    recurrent, inward, outward = (part.double() for part in problem.network[:3])
    parts = (axes.T @ recurrent @ axes, axes.T @ inward, outward @ axes, problem.initial @ axes)
    clean = [torch.where(part.abs() > 1e-14 * part.abs().max(), part, 0.0) for part in parts]
    network = problem.network._replace(recurrent=clean[0], inward=clean[1], outward=clean[2])
    return problem._replace(network=network, initial=clean[3])


def completed_basis(
    basis: Float[np.ndarray, "neuron direction"],
) -> Float[np.ndarray, "neuron neuron"]:
    """An orthogonal matrix whose first columns are the given orthonormal ones.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> axes = theory.completed_basis(np.eye(5)[:, :2])
    >>> axes.shape, np.allclose(axes.T @ axes, np.eye(5))
    ((5, 5), True)
    """
    rest = np.linalg.svd(basis, full_matrices=True)[0][:, basis.shape[1] :]
    return np.hstack([basis, rest])


def loss_with(problem: Problem, change: Float[np.ndarray, "post pre"]) -> float:
    """The loss (squared, as `descend` takes it) of W_0 + change.

    Raises ValueError as `factors_of_gradient` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> run = theory.descend(*problem[:3], dt=problem.dt, n_steps=5, learning_rate=0.5)
    >>> bool(theory.loss_with(problem, run.change[-1]) < run.loss[0])
    True
    """
    start = problem.network
    network = start._replace(recurrent=start.recurrent + torch.from_numpy(change)[None])
    return factors_of_gradient(**problem._replace(network=network)._asdict()).loss


def matched_steps(runs: Mapping[str, ObservedRun]) -> dict[str, int]:
    """The first step after which each is at a loss that all of them reach.

    Raises ValueError where one of them never gets below its first loss.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=10)
    >>> given = {"dt": problem.dt, "n_steps": 12}
    >>> rates = {"slow": 0.1, "fast": 0.3}
    >>> runs = {k: theory.descend(*problem[:3], learning_rate=v, **given) for k, v in rates.items()}
    >>> theory.matched_steps(runs)
    {'slow': 11, 'fast': 4}
    """
    reached = {name: run.loss.min() for name, run in runs.items()}
    level = max(reached.values())
    steps = {name: int(np.argmax(run.loss <= level)) for name, run in runs.items()}
    if not all(steps.values()):
        raise ValueError(f"The least losses are {reached}: not all are below the first.")
    return steps


def optimiser_outcome(
    problem: Problem,
    run: ObservedRun,
    step: int,
    basis: Float[np.ndarray, "neuron direction"],
    seed: int = 0,
) -> OptimiserOutcome:
    """What the run had written after `step` updates, and what it is for; see `OptimiserOutcome`.

    `basis`: of the space that it is held against, orthonormal; `seed`: of the random dimensions.

    Raises ValueError for a step that was not made, or if the loss did not fall.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem()
    >>> space = theory.subspace_bound(problem.network, n_steps=5).basis
    >>> given = {"dt": problem.dt, "n_steps": 5, "learning_rate": 0.01, "optimiser": "adam"}
    >>> run = theory.descend(*problem[:3], **given)
    >>> outcome = theory.optimiser_outcome(problem, run, 5, space)
    >>> outcome.outside_space > 0.1  # Adam leaves the space
    True
    """
    if not 1 <= step <= len(run.change):
        raise ValueError(f"step is {step}: the run has steps 1 to {len(run.change)}.")
    change = run.change[step - 1]
    n_units, d = basis.shape
    left, sizes, right = np.linalg.svd(change)
    own = (left[:, :d] * sizes[:d]) @ right[:d]
    random = random_space(n_units, d, seed)
    before, after = float(run.loss[0]), loss_with(problem, change)
    if after >= before:
        raise ValueError(f"The loss went from {before:.3g} to {after:.3g}: nothing was learned.")
    cut = (_within(change, basis), own, _within(change, random))
    kept = [(before - loss_with(problem, part)) / (before - after) for part in cut]
    return OptimiserOutcome(
        step,
        after,
        float(np.linalg.norm(change - cut[0]) / np.linalg.norm(change)),
        float((sizes[d:] ** 2).sum() / (sizes**2).sum()),
        int((sizes > 0.01 * sizes[0]).sum()),
        *kept,
    )


def compare_runs(
    problem: Problem,
    runs: Mapping[str, ObservedRun],
    basis: Float[np.ndarray, "neuron direction"],
    seed: int = 0,
) -> dict[str, ComparedRun]:
    """Runs on one problem at equal loss: each at its own of `matched_steps`.

    `basis`, `seed`: see `optimiser_outcome`. Raises ValueError as that and `matched_steps` do.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_units=20)
    >>> space = theory.subspace_bound(problem.network, n_steps=30).basis
    >>> runs = {
    ...     "plain": theory.learn_problem(problem, n_steps=30),
    ...     "Adam": theory.learn_problem(problem, learning_rate=0.01, optimiser="adam"),
    ... }
    >>> found = theory.compare_runs(problem, runs, space)
    >>> {name: bool(one.leak > 0.1) for name, one in found.items()}
    {'plain': False, 'Adam': True}
    """
    found = {}
    for name, step in matched_steps(runs).items():
        outcome = optimiser_outcome(problem, runs[name], step, basis, seed)
        change = runs[name].change[step - 1].copy()
        found[name] = ComparedRun(leak(runs[name], basis), outcome, change)
    return found


def _within(
    change: Float[np.ndarray, "post pre"], basis: Float[np.ndarray, "neuron direction"]
) -> Float[np.ndarray, "post pre"]:
    return basis @ (basis.T @ change @ basis) @ basis.T
