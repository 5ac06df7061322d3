"""A tanh network that starts from zero weights: directions of the change, by powers of the input.

From W_0 = 0 the state is x = B z, with z the filtered input, of few dimensions. tanh is nearly an
odd polynomial, and products of k entries of z span only so many dimensions.
"""

from collections.abc import Iterable
from itertools import combinations_with_replacement
from math import comb

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import zeta
from torch import Tensor

from ltr_core.rnn import RNN, simulate
from ltr_core.theory.runs import Loss, LossName
from ltr_core.theory.subspaces import basis_of
from ltr_core.theory.tails import FirstGradient, Remainders, driven

POLE = np.pi / 2
"""The poles of tanh nearest to 0 are at i and -i times this."""


def monomial_count(n_variables: int, degrees: Iterable[int]) -> int:
    """How many monomials of these degrees there are: C(n + k - 1, k) of degree k.

    Raises ValueError for a negative number or degree.

    Examples
    --------
    >>> from ltr_core import theory
    >>> theory.monomial_count(2, [1, 3])  # x, y, xxx, xxy, xyy, yyy
    6
    """
    degrees = list(degrees)
    if n_variables < 0 or any(degree < 0 for degree in degrees):
        raise ValueError(f"n_variables is {n_variables}, degrees {degrees}: none is negative.")
    return sum(comb(n_variables + degree - 1, degree) if degree else 1 for degree in degrees)


def tanh_remainder(
    degree: int, reach: Float[np.ndarray, "..."] | float, *, best: bool = True
) -> Float[np.ndarray, "..."]:
    """How far tanh may be from an odd polynomial of this degree m on [-Y, Y], Y the reach.

    Its Taylor polynomial is within `|c_{m+2}| Y^(m+2)`, the size of the next term; beyond pi / 2,
    where the series diverges, that is true as well, but higher degrees do not help. The `best`
    polynomial is within rho^(1-m) (Y - tanh Y) / 2, with rho = c + sqrt(1 + c^2) and
    c = pi / (2 Y), which goes to 0 for every Y. (Both follow from the partial fractions of tanh.)

    Raises ValueError for a degree that is not odd, or a reach that is not finite or negative.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> reach = np.array([1.0, 3.0])
    >>> theory.tanh_remainder(3, reach).round(3)
    array([0.01 , 0.367])
    >>> theory.tanh_remainder(3, reach, best=False).round(3)  # Taylor
    array([ 0.133, 32.4  ])
    """
    reach = _checked(degree, reach, parity=1)
    if not best:
        return np.asarray(_coefficient(degree + 2) * reach ** (degree + 2))
    # for a small reach the difference would be lost to rounding: there, by its leading term
    first = np.where(reach > 1e-3, (reach - np.tanh(reach)) / 2, reach**3 / 6)
    return np.asarray(first * _ellipse(POLE, reach) ** (1.0 - degree))


def slope_remainder(
    degree: int, reach: Float[np.ndarray, "..."] | float, *, best: bool = True
) -> Float[np.ndarray, "..."]:
    """The same for the slope of tanh, 1 - tanh^2, and even polynomials.

    Taylor: `(m + 3) |c_{m+3}| Y^(m+2)`. The `best`: the Chebyshev series in the largest useful
    ellipse in which the slope is bounded, 2 M rho^-(m+2) / (1 - rho^-2) with M = 1 / cos^2 theta,
    rho = c + sqrt(1 + c^2), c = theta / Y, for the theta in (0, pi / 2) at which it is least.

    Raises ValueError for a degree that is not even, or a reach that is not finite or negative.

    Examples
    --------
    >>> from ltr_core import theory
    >>> [bool(theory.slope_remainder(degree, 1.0) < 0.1) for degree in (0, 4, 8)]
    [False, True, True]
    """
    reach = _checked(degree, reach, parity=0)
    if not best:
        return np.asarray((degree + 3) * _coefficient(degree + 3) * reach ** (degree + 2))
    theta = np.linspace(0, POLE, 202)[1:-1]
    rho = _ellipse(theta, reach[..., None])
    bounds = 2 * rho ** -(degree + 2.0) / (1 - rho**-2.0) / np.cos(theta) ** 2
    return np.asarray(bounds.min(-1))


def product_space(
    vectors: Float[np.ndarray, "neuron vector"], degree: int
) -> Float[np.ndarray, "neuron direction"]:
    """An orthonormal basis of all elementwise products of 1, 3, ..., `degree` vectors of a space.

    The space is that of the given d columns: at most C(d + k - 1, k) dimensions for k factors.

    Raises ValueError for a degree that is not odd, or where the products span everything: whatever
    was learned lies in their space, which then says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> vectors = np.random.default_rng(0).standard_normal((30, 2))
    >>> theory.product_space(vectors, 3).shape  # at most 2 + 4 directions
    (30, 6)
    """
    _checked(degree, 0.0, parity=1)
    space = basis_of(vectors)
    products = [
        np.prod(factors, axis=0)
        for n_factors in range(1, degree + 1, 2)
        for factors in combinations_with_replacement(space.T, n_factors)
    ]
    basis = basis_of(np.stack(products, axis=1)) if products else space
    if basis.shape[1] >= len(vectors):
        raise ValueError(
            f"Products of up to {degree} of {space.shape[1]} directions span all {len(vectors)} "
            "dimensions, and say nothing: ask for a lower degree or more units."
        )
    return basis


def monomial_tail(
    network: RNN,
    inputs: Float[Tensor, "trial time input"],
    targets: Float[Tensor, "trial time output"],
    *,
    dt: float,
    best: bool = True,
    highest: int = 41,
    loss: LossName | Loss = "squared",
    initial: Float[Tensor, "trial neuron"] | None = None,
) -> FirstGradient:
    """How fast the tails of the two factors of the first gradient must fall, from W_0 = 0.

    Every unit i may have a polynomial of its own, on its own reach, its largest `|x_i|` ever.

    - Row i of Phi is within sqrt(n columns) times `tanh_remainder` of a matrix whose rank is
      C(p + k - 1, k) summed over odd k up to m, for m = 1, 3, ..., `highest`.
    - Row i of Lambda is within `|row i of C^T E|_F / h` times `slope_remainder` of a matrix whose
      rank is q times the same sum over even k, for m = 0, 2, ..., `highest` - 1; E holds the
      errors dL/dy.

    p counts initial states in, too.

    Raises ValueError for a network that is linear or does not start from zero weights, and as
    `factors_of_gradient` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> problem = theory.random_problem(n_inputs=1, nonlinearity="tanh")
    >>> bound = theory.monomial_tail(*problem[:3], dt=problem.dt).rates
    >>> bound.rank[:3]
    array([1, 2, 3])
    >>> factors = theory.factors_of_gradient(*problem[:3], dt=problem.dt)
    >>> bound.broken_by(factors.rates) < 1e-9
    True
    """
    if network.nonlinearity != "tanh":
        raise ValueError(
            f"The network's nonlinearity is '{network.nonlinearity}', and the bound assumes tanh; "
            "`subspace_bound` and `krylov_tail` are for linear networks."
        )
    if network.recurrent.any():
        raise ValueError(
            "The network's recurrent weights are not zero, and the bound assumes W_0 = 0, so that "
            "states lie in the range of the input weights and initial states before any learning."
        )
    given = driven(network, inputs, targets, dt=dt, loss=loss, initial=initial)
    reach = _reach(network, inputs, dt, initial)
    h, n_time = dt / network.tau, inputs.shape[1]
    longest = (1 - (1 - h) ** n_time) / h  # what an error weighs, summed over the times before it
    errors = np.tensordot(given.outward, given.errors, (1, 1))
    entering = longest * np.linalg.norm(errors, axis=(1, 2))
    n_columns = given.factors.rates.shape[1]
    p, q = given.inward.shape[1], given.outward.shape[1]
    odd, even = range(1, highest + 1, 2), range(0, highest, 2)
    return FirstGradient(
        Remainders(
            np.array([monomial_count(p, range(1, m + 1, 2)) for m in odd]),
            np.sqrt(n_columns) * _norms(tanh_remainder(m, reach, best=best) for m in odd),
        ),
        Remainders(
            np.array([q * monomial_count(p, range(0, m + 1, 2)) for m in even]),
            _norms(entering * slope_remainder(m, reach, best=best) for m in even),
        ),
    )


def _reach(
    network: RNN, inputs: Tensor, dt: float, initial: Tensor | None
) -> Float[np.ndarray, " neuron"]:
    """The largest `|x|` of every unit before learning: the states of a linear network."""
    plain = network.doubled()._replace(nonlinearity="identity")
    states = inputs.new_zeros(len(inputs), network.n_units) if initial is None else initial
    reached = simulate(plain, inputs.double()[None], dt, states.double()[None]).activity
    return torch.maximum(reached[0].abs().amax((0, 1)), states.double().abs().amax(0)).numpy()


def _norms(rows: Iterable[Float[np.ndarray, " neuron"]]) -> Float[np.ndarray, " degree"]:
    return np.linalg.norm(np.stack(list(rows)), axis=1)


def _coefficient(degree: int) -> float:
    """The size of the coefficient of y^degree (odd) in the Taylor series of tanh."""
    return float(2 * POLE ** -(degree + 1.0) * (1 - 2.0 ** -(degree + 1)) * zeta(degree + 1))


def _ellipse(
    height: Float[np.ndarray, "*#shape"] | float, reach: Float[np.ndarray, "*#shape"]
) -> Float[np.ndarray, "*shape"]:
    """rho of the ellipse with foci -reach and reach, and this height: the larger, the flatter f."""
    ratio = height / np.maximum(reach, 1e-30)  # a reach of 0: a remainder of 0, but for rounding
    return np.asarray(ratio + np.sqrt(1 + ratio**2))


def _checked(
    degree: int, reach: Float[np.ndarray, "*shape"] | float, parity: int
) -> Float[np.ndarray, "*shape"]:
    """The reach as an array."""
    if degree < parity or degree % 2 != parity:
        raise ValueError(
            f"degree is {degree}: give an {'odd' if parity else 'even'} one, {parity} or more."
        )
    reach = np.asarray(reach, dtype=float)
    if not (np.isfinite(reach) & (reach >= 0)).all():
        raise ValueError(f"reach is {reach}: it must be finite and not negative.")
    return reach
