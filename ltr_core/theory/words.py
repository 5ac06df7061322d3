"""A linear network that starts at random: directions of the change, by how many weights they take.

With W_0 = alpha 1 + g J, activity is made of J^k applied to inputs and the adjoint of (J^T)^k
applied to the readout, each power with another factor g. Learning mixes the two: after the first
steps the change is made of *words* in J and J^T, and words of m letters weigh g^m.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ltr_core.rnn import RNN
from ltr_core.theory.runs import Loss, LossName
from ltr_core.theory.subspaces import basis_of
from ltr_core.theory.tails import FirstGradient, Remainders, driven

Letters = Literal["both", "forward", "backward"]


def word_space(
    recurrent: Float[np.ndarray, "post pre"],
    vectors: Float[np.ndarray, "neuron vector"],
    length: int,
    letters: Letters = "both",
) -> Float[np.ndarray, "neuron direction"]:
    """An orthonormal basis of all words of up to `length` letters applied to the vectors.

    The letters are W and W^T ("both"), W alone ("forward") or W^T alone ("backward", as the words
    of the other two a Krylov space). For d vectors there are at most d (2^(length + 1) - 1)
    directions, or d (length + 1) with one letter. A part alpha 1 of W changes nothing.

    Raises ValueError where sizes do not fit, for unknown letters, a negative length, or where the
    words span everything: whatever was learned lies in their space, which then says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_inputs=1, g=0.5)
    >>> weights, vectors = (part[0].numpy() for part in problem.network[:2])
    >>> [theory.word_space(weights, vectors, length).shape[1] for length in (0, 1, 2)]
    [1, 3, 7]
    """
    _check(recurrent, vectors, length, letters)
    sent = {"both": [recurrent, recurrent.T], "forward": [recurrent], "backward": [recurrent.T]}
    basis = basis_of(vectors)
    for _ in range(length):
        basis = basis_of(np.hstack([basis, *(weights @ basis for weights in sent[letters])]))
    if basis.shape[1] >= len(recurrent):
        raise ValueError(
            f"Words of up to {length} letters on {vectors.shape[1]} vectors span all "
            f"{len(recurrent)} dimensions, and say nothing: ask for shorter words or more units."
        )
    return basis


def krylov_tail(
    network: RNN,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    alpha: float = 0.0,
    loss: LossName | Loss = "squared",
    initial: Float[Tensor, "trial neuron"] | None = None,
) -> FirstGradient:
    """How fast the tails of the two factors of the first gradient must fall.

    With K = W_0 - alpha 1, the activity is x_t = sum_k K^k B z_t^(k), where z^(k) is the input
    filtered k + 1 times, so that Phi is within `sum_{k >= m} |K^k B|_2 |Z^(k)|_F` of rank p m, and
    Lambda likewise with K^T on C^T. (Initial states count as inputs.) Ranks 0, p, 2 p, ...

    Raises ValueError for a network that is not linear, or as `factors_of_gradient` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_inputs=2, g=0.3)
    >>> bound = theory.krylov_tail(*problem[:3], dt=problem.dt).rates
    >>> factors = theory.factors_of_gradient(*problem[:3], dt=problem.dt)
    >>> bound.rank[:4], bound.broken_by(factors.rates) < 1e-9
    (array([0, 2, 4, 6]), True)
    """
    if network.nonlinearity != "identity":
        raise ValueError(
            f"The network's nonlinearity is '{network.nonlinearity}', and the bound assumes a "
            'linear network, nonlinearity="identity"; `monomial_tail` is for tanh.'
        )
    given = driven(network, inputs, targets, dt=dt, loss=loss, initial=initial)
    n_units, h = network.n_units, dt / network.tau
    powers = network.recurrent[0].double().numpy() - alpha * np.eye(n_units)
    kept = 1 - h * (1 - alpha)
    forwards = _filtered(h * given.inputs[:-1], given.initial, kept, h)
    backwards = _filtered(given.errors[-2::-1], given.errors[-1], kept, h)
    return FirstGradient(
        _tail(powers, given.inward, forwards), _tail(powers.T, given.outward, backwards)
    )


def _filtered(
    shown: Float[np.ndarray, "time direction trial"],
    first: Float[np.ndarray, "direction trial"],
    kept: float,
    h: float,
) -> Float[np.ndarray, " power"]:
    """`|Z^(k)|_F` for all k, of z^(k)_{t+1} = kept z^(k)_t + h z^(k-1)_t; z^(-1) is shown."""
    n_time = len(shown) + 1
    z = np.zeros((n_time, *first.shape))
    z[0] = first
    squares = (z**2).sum((1, 2))
    for now in shown:
        z[1:] = kept * z[1:] + h * z[:-1]
        z[0] = kept * z[0] + now
        squares += (z**2).sum((1, 2))
    return np.sqrt(squares)


def _tail(
    weights: Float[np.ndarray, "post pre"],
    vectors: Float[np.ndarray, "neuron direction"],
    sizes: Float[np.ndarray, " power"],
) -> Remainders:
    terms = np.zeros(len(sizes) + 1)
    sent = vectors
    for power, size in enumerate(sizes):
        terms[power] = np.linalg.norm(sent, 2) * size
        sent = weights @ sent
    ranks = vectors.shape[1] * np.arange(len(terms))
    return Remainders(ranks, np.cumsum(terms[::-1])[::-1].copy())


def _check(recurrent: np.ndarray, vectors: np.ndarray, length: int, letters: str) -> None:
    n_units = len(vectors)
    if recurrent.shape != (n_units, n_units):
        raise ValueError(
            f"recurrent has shape {recurrent.shape}, the vectors have {n_units} entries: give one "
            "network's weights (post, pre), of as many units."
        )
    if letters not in get_args(Letters):
        raise ValueError(f"letters is '{letters}': give one of {', '.join(get_args(Letters))}.")
    if length < 0:
        raise ValueError(f"length is {length}: it must be at least 0.")
