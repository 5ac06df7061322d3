"""The linear network that learns an input-driven fixed point: closed forms.

A linear network with recurrent weights W, one constant input vector m and one readout vector w
settles at the output z = w^T (1 - W)^-1 m. Gradient descent on the loss L = (z* - z)^2 / 2 moves
W alone, in continuous time tau = learning rate x epoch:

    dW/dtau = (z* - z) b a^T,        a = (1 - W)^-1 m,        b = (1 - W)^-T w.

`expansion` solves this to third order for a large network with independent Gaussian weights of
variance g^2 / N, `|m| = sqrt(N)` and `|w| = 1 / sqrt(N)` (Schuessler et al. 2020). Everything but
the target z* then depends on g through beta = 1 / (1 - g^2) alone, and on time through
t = beta^2 tau.

Arguments may be numbers or arrays that broadcast; times are in the units of tau unless they are
called t. Every function of g raises ValueError unless 0 <= g < 1: from 1 on the network is
unstable before it learns, and has no fixed point to settle at.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real

Values = int | float | Real[np.ndarray, "..."]


class Expansion(NamedTuple):
    """What theory says about learning, at each time.

    - `output`: z; `loss`: L = (z* - z)^2 / 2.
    - `first_singular_value`, `second_singular_value`: of the change W - W0.

    Examples
    --------
    >>> from ltr_core import theory
    >>> said = theory.expansion(g=0.5, target=0.5, tau=0.1)
    >>> print(said.output.round(2), said.loss.round(2), said.first_singular_value.round(2))
    0.08 0.09 0.06
    """

    output: Float[np.ndarray, "..."]
    loss: Float[np.ndarray, "..."]
    first_singular_value: Float[np.ndarray, "..."]
    second_singular_value: Float[np.ndarray, "..."]


def amplification(g: Values) -> Float[np.ndarray, "..."]:
    """beta = 1 / (1 - g^2), the factor by which W0 amplifies squared lengths.

    Raises ValueError for g outside [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.amplification(np.array([0.0, 0.6, 0.9])).round(2)
    array([1.  , 1.56, 5.26])
    """
    strength = np.asarray(g, dtype=np.float64)
    outside = strength[~((strength >= 0) & (strength < 1))]
    if outside.size:
        raise ValueError(
            f"g is {outside.flat[0]}: the linear network is stable for 0 <= g < 1 only; "
            "from 1 on it has no fixed point to settle at."
        )
    return np.asarray(1 / (1 - strength**2))


def scaled_time(g: Values, tau: Values) -> Float[np.ndarray, "..."]:
    """t = tau / (1 - g^2)^2: in this time networks of all g begin to learn at one speed.

    Raises ValueError for g outside [0, 1), or a time that is negative or not finite.

    Examples
    --------
    >>> from ltr_core import theory
    >>> print(theory.scaled_time(g=0.6, tau=0.1).round(3))
    0.244
    """
    return np.asarray(amplification(g) ** 2 * _times(tau))


def expansion(g: Values, target: Values, tau: Values, *, freeze: bool = True) -> Expansion:
    """Output, loss and two singular values to third order in t (Schuessler et al. 2020).

    With `freeze`, as in the paper, theory is held from the time on at which the output reaches
    the target: there learning ends, and the series would go on to grow. `valid_until` tells how
    far to trust it. The second singular value has its leading term only, z*^3 t^3 / 12: the next
    is -3t/2 times as large, so that it is too large long before the others are.

    Raises ValueError for g outside [0, 1), a target that is 0 or not finite, a negative time.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> epochs = np.array([0, 10, 20])
    >>> theory.expansion(g=0.5, target=0.5, tau=0.01 * epochs).output.round(3)
    array([0.   , 0.083, 0.16 ])
    """
    beta, aim, t = amplification(g), _target(target), scaled_time(g, tau)
    curvature = 1 + 8 * aim**2 * beta
    if freeze:
        t = np.minimum(t, _crossing(curvature, 1.0))
    rising = t - t**2 / 2
    output = aim * (rising + curvature * t**3 / 6)
    size = np.abs(aim)
    first = size / beta * (rising + (1 + 3.5 * aim**2 * beta) * t**3 / 6)
    second = size**3 * t**3 / 12
    return _expansion(aim, output, first, second)


def small_target_expansion(g: Values, target: Values, tau: Values) -> Expansion:
    """The limit of a small target, at all times: z = z* (1 - e^-t), and a change of rank one.

    Raises ValueError as `expansion` does.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> said = theory.small_target_expansion(g=0.5, target=0.1, tau=np.array([0.0, 0.5, 5.0]))
    >>> (said.output / 0.1).round(3)
    array([0.   , 0.589, 1.   ])
    """
    beta, aim, t = amplification(g), _target(target), scaled_time(g, tau)
    output = aim * -np.expm1(-t)
    first = np.abs(output) / beta
    return _expansion(aim, output, first, np.zeros_like(first))


def learning_time(g: Values, target: Values, threshold: float = 0.05) -> Float[np.ndarray, "..."]:
    """The tau at which the third-order loss has fallen to `threshold` of the first.

    It is the root of the cubic z(t) = z* (1 - sqrt(threshold)), times (1 - g^2)^2: for a small
    target the time scales as (1 - g^2)^2 exactly. At the usual threshold the root lies beyond the
    series' range (`valid_until`): it tells how times compare across g, not their values.

    Raises ValueError as `expansion` does, and for a threshold outside (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> times = theory.learning_time(np.array([0.0, 0.5]), target=0.1)
    >>> print((times[1] / times[0]).round(2))  # (1 - 0.5^2)^2, nearly
    0.56
    """
    beta, aim, share = amplification(g), _target(target), _learned(threshold)
    return np.asarray(_crossing(1 + 8 * aim**2 * beta, share) / beta**2)


def small_target_learning_time(g: Values, threshold: float = 0.05) -> Float[np.ndarray, "..."]:
    """The same in the limit of a small target: -(1 - g^2)^2 ln(threshold) / 2.

    Raises ValueError for g outside [0, 1) or a threshold outside (0, 1).

    Examples
    --------
    >>> from ltr_core import theory
    >>> print(theory.small_target_learning_time(g=0.5).round(3))
    0.843
    """
    return np.asarray(-np.log1p(-_learned(threshold)) / amplification(g) ** 2)


def valid_until(g: Values, target: Values, error: float = 0.1) -> Float[np.ndarray, "..."]:
    """The t at which the first term that the output's series leaves out is `error` of its first.

    The next term is -z* (t^4 / 24) (1 + 56 z*^2 beta) (derived here from the same equations, not
    from simulations), so that t = (24 error / (1 + 56 z*^2 beta))^(1/3).

    Raises ValueError as `expansion` does, and for an error that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.valid_until(g=0.5, target=np.array([0.1, 0.5, 2.0])).round(2)
    array([1.11, 0.5 , 0.2 ])
    """
    if not (np.isfinite(error) and error > 0):
        raise ValueError(f"error is {error}: it must be finite and positive.")
    fourth = 1 + 56 * _target(target) ** 2 * amplification(g)
    return np.asarray(np.cbrt(24 * error / fourth))


def spread(g: Values, target: Values, n_units: int) -> Float[np.ndarray, "..."]:
    """How much the t^2 term of the output differs between networks of N units, as a share of it.

    The large-N forms drop a0^T (1 - W0)^-1 b0, which has mean 0 over networks and standard
    deviation beta^(9/2) / sqrt(N). It changes the output's second-order term by a share of
    standard deviation 4 z* beta^(5/2) / sqrt(N), which is returned: where it is not small, a
    single network does not follow the theory, however short the time. (Derived here.)

    Raises ValueError as `expansion` does, and for fewer than one unit.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.spread(g=np.array([0.0, 0.8]), target=0.5, n_units=1024).round(2)
    array([0.06, 0.8 ])
    """
    size = np.abs(_target(target))
    return np.asarray(4 * size * amplification(g) ** 2.5 / np.sqrt(units(n_units)))


def shuffled_loss(g: Values) -> Float[np.ndarray, "..."]:
    """The loss after learning, W0's entries then permuted, as a share of the first loss.

    g^4 (2 - g^2)^2, for a small target: the change sends the input straight to the output, and
    only the share (1 - g^2)^2 of it does not pass through W0 (Schuessler et al. 2020).

    Raises ValueError for g outside [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import theory
    >>> theory.shuffled_loss(np.array([0.0, 0.6, 0.9])).round(2)
    array([0.  , 0.35, 0.93])
    """
    return np.asarray((1 - amplification(g) ** -2) ** 2)


def _expansion(target: Values, output: Values, first: Values, second: Values) -> Expansion:
    loss = (target - output) ** 2 / 2
    parts = np.broadcast_arrays(output, loss, first, second)
    return Expansion(*(np.array(part) for part in parts))


def _crossing(curvature: Values, level: Values) -> np.ndarray:
    """The t at which t - t^2/2 + curvature t^3/6 is `level`; it rises throughout."""
    # t = s + 1 / curvature gives s^3 + p s + q = 0 with p > 0 (curvature >= 1): one real root.
    p = 6 / curvature - 3 / curvature**2
    q = 6 / curvature**2 - 2 / curvature**3 - 6 * level / curvature
    angle = np.arcsinh(1.5 * q / p * np.sqrt(3 / p)) / 3
    return np.asarray(1 / curvature - 2 * np.sqrt(p / 3) * np.sinh(angle))


def _learned(threshold: float) -> np.ndarray:
    """The share of the target that the output has reached when the loss is at `threshold`."""
    if not 0 < threshold < 1:
        raise ValueError(f"threshold is {threshold}: a share of the first loss, between 0 and 1.")
    return np.asarray(1 - np.sqrt(threshold))


def _target(target: Values) -> np.ndarray:
    aim = np.asarray(target, dtype=np.float64)
    if not (np.isfinite(aim) & (aim != 0)).all():
        raise ValueError(f"target is {target}: it must be finite, and not 0 (nothing to learn).")
    return aim


def _times(tau: Values) -> np.ndarray:
    times = np.asarray(tau, dtype=np.float64)
    if not (np.isfinite(times) & (times >= 0)).all():
        raise ValueError(
            "tau holds a value that is negative or not finite: it is learning rate x epoch."
        )
    return times


def units(n_units: int) -> int:
    """The number of units; raises ValueError unless there is at least one."""
    if n_units < 1:
        raise ValueError(f"n_units is {n_units}: a network has at least one unit.")
    return n_units
