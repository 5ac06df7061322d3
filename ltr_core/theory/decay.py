"""How fast what a space leaves out of learning falls, as a start or the inputs become weak.

A theorem names a power; beside its own spaces stand some that should not do.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from ltr_core.theory.monomials import product_space
from ltr_core.theory.problems import Problem, learn_problem
from ltr_core.theory.structureless import leak
from ltr_core.theory.subspaces import learning_vectors, random_space
from ltr_core.theory.words import word_space

Spaces = dict[str, Float[np.ndarray, "neuron direction"]]


def word_spaces(problem: Problem, seed: int | Sequence[int] = 0) -> Spaces:
    """Spaces of words of up to m letters, m = 0, 1 and 2, and two that should not do for m = 1.

    "not mixed": W on the inputs and W^T on the readout only; "random": as many random dimensions.
    Initial states are left out. Raises ValueError as `word_space` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> spaces = theory.word_spaces(theory.random_problem(g=0.1))
    >>> {name: basis.shape[1] for name, basis in spaces.items()}
    {'m = 0': 4, 'm = 1': 12, 'm = 2': 28, 'not mixed': 8, 'random': 12}
    """
    start = problem.network.recurrent[0].numpy()
    vectors = learning_vectors(problem.network).numpy()
    p = problem.inputs.shape[-1]
    spaces = {f"m = {m}": word_space(start, vectors, m) for m in (0, 1, 2)}
    apart = (
        word_space(start, vectors[:, :p], 1, "forward"),
        word_space(start, vectors[:, p:], 1, "backward"),
    )
    spaces["not mixed"] = np.linalg.qr(np.hstack(apart))[0]
    spaces["random"] = random_space(len(vectors), spaces["m = 1"].shape[1], seed)
    return spaces


def product_spaces(problem: Problem, seed: int | Sequence[int] = 0) -> Spaces:
    """Spaces of products of up to m vectors, m = 1 and 3, and two that should not do for m = 3.

    "inputs alone": products of the inputs, and the readout unmultiplied; "random": as many random
    dimensions. Initial states are left out. Raises ValueError as `product_space` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> spaces = theory.product_spaces(theory.random_problem(nonlinearity="tanh"))
    >>> {name: basis.shape[1] for name, basis in spaces.items()}
    {'m = 1': 4, 'm = 3': 24, 'inputs alone': 8, 'random': 24}
    """
    vectors = learning_vectors(problem.network).numpy()
    p = problem.inputs.shape[-1]
    spaces = {f"m = {m}": product_space(vectors, m) for m in (1, 3)}
    alone = product_space(vectors[:, :p], 3)
    beside = np.hstack([spaces["m = 1"], alone])
    n_directions = beside.shape[1] - p  # both have the inputs
    spaces["inputs alone"] = np.linalg.svd(beside)[0][:, :n_directions]
    spaces["random"] = random_space(len(vectors), spaces["m = 3"].shape[1], seed)
    return spaces


def leaks_outside(
    spaces: Callable[[Problem, Sequence[int]], Spaces],
    problems: Sequence[Sequence[Problem]],
    seed: int = 0,
) -> dict[str, Float[np.ndarray, "network setting"]]:
    """The share of what is learned that lies outside of each space, see `leak`.

    `problems`: for each network in each setting, all learned as `learn_problem` does without
    further options. `spaces`: `word_spaces`, `product_spaces` or alike; it is given the seed and
    the number of the network.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problems = [[theory.random_problem(n_units=30, g=g) for g in (0.001, 0.01)]]
    >>> leaks = theory.leaks_outside(theory.word_spaces, problems)
    >>> leaks["m = 1"].shape, bool((leaks["m = 1"] < leaks["m = 0"]).all())
    ((1, 2), True)
    """
    found: dict[str, list[list[float]]] = {}
    for k, settings in enumerate(problems):
        runs = [learn_problem(problem) for problem in settings]
        each = [spaces(problem, [seed, k]) for problem in settings]
        for name in each[0]:
            row = [leak(run, bases[name]) for run, bases in zip(runs, each, strict=True)]
            found.setdefault(name, []).append(row)
    return {name: np.array(rows) for name, rows in found.items()}
