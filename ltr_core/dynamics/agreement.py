"""A flow against another of the same neurons: velocities, and fixed points.

All comparisons are in the space of the neurons' rates. Latent coordinates of two fits differ by
any linear map, and a known network has none.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from ltr_core.dynamics.fixed_points import FixedPoints
from ltr_core.dynamics.interface import NeuralFlow, rms_spread

States = Float[np.ndarray, "state dimension"]


class VelocityAgreement(NamedTuple):
    """How like two velocities of the rates are, at the same states.

    - `cosine` (state,): of the angle between them; 0 where one stands still.
    - `mean_cosine`: its mean.
    - `relative_error`: root of the summed squared differences over the reference's summed
      squares: 0 if they are equal, 1 for a velocity of nought.
    - `speed_ratio`: root mean square speed over the reference's.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> still = dynamics.NetworkFlow(np.zeros((2, 2)))
    >>> agreement = dynamics.flow_agreement(still, still, np.eye(2))
    >>> agreement.cosine.shape, round(agreement.relative_error, 3)
    ((2,), 0.0)
    """

    cosine: Float[np.ndarray, " state"]
    mean_cosine: float
    relative_error: float
    speed_ratio: float


class FixedPointMatch(NamedTuple):
    """Which fixed points of two flows correspond.

    - `pairs` (pair, 2): indices into the first and the second flow's points, nearest pair first.
    - `distance` (pair,): between their rates, in spreads of activity (the root mean square
      distance of the visited rates from their mean).
    - `same_stability` (pair,): both are stable, or neither.
    - `only_first`, `only_second`: indices of points without a counterpart within the limit.
    - `nearest` (point of the second,): distance to the nearest point of the first, matched or
      not; empty if there are none.
    - `by_chance`: the control: the same distance for visited states in place of the second's
      fixed points, median; infinite if the first has no fixed points.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> flow, states = dynamics.NetworkFlow(np.zeros((2, 2))), np.eye(2)
    >>> found = dynamics.fixed_points(flow, states)
    >>> match = dynamics.match_fixed_points(found, found, (flow, flow), states)
    >>> match.pairs.tolist(), match.same_stability.tolist(), len(match.only_first)
    ([[0, 0]], [True], 0)
    """

    pairs: Int[np.ndarray, "pair 2"]
    distance: Float[np.ndarray, " pair"]
    same_stability: Bool[np.ndarray, " pair"]
    only_first: Int[np.ndarray, " first"]
    only_second: Int[np.ndarray, " second"]
    nearest: Float[np.ndarray, " point"]
    by_chance: float


def flow_agreement(
    inferred: NeuralFlow,
    truth: NeuralFlow,
    true_states: Float[np.ndarray, "state true"],
    inferred_states: Float[np.ndarray, "state inferred"] | None = None,
    neurons: Int[np.ndarray, " neuron"] | None = None,
) -> VelocityAgreement:
    """Inferred velocities of the rates against the true ones, at the same states.

    - `true_states`: states of the true network, such as those it visits.
    - `inferred_states`: the fitted latents of the same trials and times; if not given, the states
      whose rates come nearest to the true rates.
    - `neurons`: which of the true network's neurons the fit was made to; all if not given.

    Where the fit sees some neurons only, or the truth has inputs the fit lacks, the two can
    differ though the fit is good: compare with the same measure for a fit that must fail.

    Raises ValueError if states or neurons do not fit, or if the truth stands still at all states.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> flow = dynamics.LatentFlow(column, column, np.array([2.0]), tau=0.1)
    >>> network = dynamics.NetworkFlow(2.0 * column @ column.T, tau=0.1)  # the same, all units
    >>> states = np.linspace(-2, 2, 10)[:, None] @ column.T
    >>> agreement = dynamics.flow_agreement(flow, network, states)
    >>> round(agreement.mean_cosine, 3), round(agreement.speed_ratio, 3)
    (1.0, 1.0)
    """
    states = _paired(inferred, truth, true_states, inferred_states, neurons)
    reference = _observed(truth.rate_velocity(true_states), neurons)
    return _agreement(inferred.rate_velocity(states), reference)


def change_agreement(
    inferred: tuple[NeuralFlow, NeuralFlow],
    truth: tuple[NeuralFlow, NeuralFlow],
    true_states: Float[np.ndarray, "state true"],
    inferred_states: Float[np.ndarray, "state inferred"] | None = None,
    neurons: Int[np.ndarray, " neuron"] | None = None,
) -> VelocityAgreement:
    """What learning changed in the velocities, inferred against true; flows (before, after).

    A sterner comparison than `flow_agreement`: two flows agree in large part through what both
    epochs share, such as the decay, and this cancels here. Arguments are as there.

    Raises ValueError if states or neurons do not fit, or if nothing changed in the truth.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> before, after, other = (
    ...     dynamics.LatentFlow(column, column, np.array([factor])) for factor in (1.0, 2.0, 3.0)
    ... )
    >>> states = np.linspace(-2, 2, 10)[:, None]
    >>> agreement = dynamics.change_agreement((before, other), (before, after), states)
    >>> round(agreement.mean_cosine, 3), round(agreement.speed_ratio, 3)  # the same, twice as large
    (1.0, 2.0)
    """
    states = _paired(inferred[0], truth[0], true_states, inferred_states, neurons)
    fitted = inferred[1].rate_velocity(states) - inferred[0].rate_velocity(states)
    changed = truth[1].rate_velocity(true_states) - truth[0].rate_velocity(true_states)
    return _agreement(fitted, _observed(changed, neurons))


def match_fixed_points(
    first: FixedPoints,
    second: FixedPoints,
    flows: tuple[NeuralFlow, NeuralFlow],
    states: States,
    *,
    neurons: Int[np.ndarray, " neuron"] | None = None,
    limit: float = 0.5,
) -> FixedPointMatch:
    """Pairs fixed points of two flows, each with one at most, so that their rates are nearest.

    - `first`, `second`: fixed points of the two flows; inferred and true, or before and after.
    - `states`: visited states of the second flow; the spread of their rates is the unit.
    - `neurons`: those of the second flow's neurons that the first has; all if not given.
    - `limit`: points further apart than this, in spreads, do not correspond.

    Raises ValueError for numbers of neurons that differ, states that do not vary, or a limit
    that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> flows = tuple(
    ...     dynamics.LatentFlow(column, column, np.array([factor])) for factor in (2.0, 0.5)
    ... )
    >>> states = np.linspace(-4, 4, 20)[:, None]
    >>> two_attractors, one_attractor = (dynamics.fixed_points(flow, states) for flow in flows)
    >>> match = dynamics.match_fixed_points(two_attractors, one_attractor, flows, states)
    >>> match.pairs.shape, match.same_stability.tolist()  # the origin is in both, but stable in one
    ((1, 2), [False])
    >>> len(match.only_first)
    2
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}: it must be positive.")
    visited = _observed(flows[1].rates(states), neurons)
    unit = rms_spread(visited)
    if unit <= 1e-12 * np.abs(visited).max():
        raise ValueError("The rates at states do not vary: distances would have no unit.")
    points = flows[0].rates(first.points)
    others = _observed(flows[1].rates(second.points), neurons)
    _check_neurons(points.shape[1], others.shape[1])
    apart = cdist(points, others) / unit
    pairs = np.stack(linear_sum_assignment(np.minimum(apart, limit)), axis=1)
    distance = apart[pairs[:, 0], pairs[:, 1]]
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] <= limit]
    pairs, distance = pairs[order].astype(np.int64), distance[order]
    found = len(first.points) > 0
    return FixedPointMatch(
        pairs,
        distance,
        first.stable[pairs[:, 0]] == second.stable[pairs[:, 1]],
        np.setdiff1d(np.arange(len(points)), pairs[:, 0]),
        np.setdiff1d(np.arange(len(others)), pairs[:, 1]),
        apart.min(0) if found else np.empty(0),
        float(np.median(cdist(visited, points).min(1)) / unit) if found else np.inf,
    )


def _paired(
    inferred: NeuralFlow,
    truth: NeuralFlow,
    true_states: np.ndarray,
    inferred_states: np.ndarray | None,
    neurons: np.ndarray | None,
) -> np.ndarray:
    rates = _observed(truth.rates(true_states), neurons)
    if inferred_states is None:
        return inferred.state_of(rates)
    if len(inferred_states) != len(true_states):
        raise ValueError(
            f"There are {len(inferred_states)} inferred and {len(true_states)} true states: they "
            "are compared one by one."
        )
    _check_neurons(inferred.rates(inferred_states).shape[1], rates.shape[1])
    return inferred_states


def _observed(
    values: Float[np.ndarray, "state neuron"], neurons: np.ndarray | None
) -> Float[np.ndarray, "state observed"]:
    if neurons is None:
        return values
    if len(neurons) == 0 or neurons.min() < 0 or neurons.max() >= values.shape[1]:
        raise ValueError(
            f"neurons must be indices from 0 to {values.shape[1] - 1}, at least one of them."
        )
    return values[:, neurons]


def _check_neurons(first: int, second: int) -> None:
    if first != second:
        raise ValueError(
            f"One flow has {first} neurons and the other {second}: give neurons, the indices of "
            "those observed."
        )


def _agreement(
    velocity: Float[np.ndarray, "state neuron"], reference: Float[np.ndarray, "state neuron"]
) -> VelocityAgreement:
    _check_neurons(velocity.shape[1], reference.shape[1])
    speeds, expected = (np.linalg.norm(part, axis=1) for part in (velocity, reference))
    total = np.sqrt(np.sum(expected**2))
    if total == 0:
        raise ValueError("The reference is 0 at every state: there is nothing to compare with.")
    scale = speeds * expected
    cosine = np.sum(velocity * reference, axis=1) / np.where(scale > 0, scale, 1.0)
    return VelocityAgreement(
        cosine,
        float(cosine.mean()),
        float(np.linalg.norm(velocity - reference) / total),
        float(np.sqrt(np.sum(speeds**2)) / total),
    )
