"""What learning changed in the dynamics, from one epoch to another, in words and numbers."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Complex, Float, Int

from ltr_core.dynamics.agreement import (
    FixedPointMatch,
    VelocityAgreement,
    flow_agreement,
    match_fixed_points,
)
from ltr_core.dynamics.fixed_points import FixedPoints, fixed_points, starts_from
from ltr_core.dynamics.flows import LatentFlow
from ltr_core.dynamics.interface import NeuralFlow


@runtime_checkable
class LowRankModel(Protocol):
    """What `latent_flow` reads of a fitted model; `ltr_core.ltrrnn.LtrRNN` has it."""

    columns_: Float[np.ndarray, "unit latent"]
    row_factors_: Float[np.ndarray, "unit rank"]
    trial_factors_: Float[np.ndarray, "trial rank"]
    bias_: Float[np.ndarray, " unit"]
    inputs_: Float[np.ndarray, "condition time latent"]
    readout_: Float[np.ndarray, "neuron unit"]
    readout_bias_: Float[np.ndarray, " neuron"]
    tau_: float


def latent_flow(
    model: LowRankModel,
    trials: Int[np.ndarray, " chosen"] | Bool[np.ndarray, " trial"] | slice | int,
    *,
    condition: int | None = None,
    times: Int[np.ndarray, " moment"] | Bool[np.ndarray, " time"] | slice | int | None = None,
) -> LatentFlow:
    """The flow of a fitted model in some trials, such as those of an epoch.

    The weights are those of the mean trial factors. Without a condition there is no input; with
    one, the input is its mean over `times` (indices), so that the flow stands for that stretch
    of the trial. Rates are the model's readout; for a model of counts, they are its argument
    before the link.

    Raises ValueError if no trial or time is chosen, or for a condition without times or times
    without a condition.

    Examples
    --------
    >>> from ltr_core import LtrRNN, dynamics, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = LtrRNN(rank=2, tau=1.0, n_steps=5, substeps=1).fit(recording)
    >>> late = dynamics.latent_flow(model, recording.epoch == "adaptation")
    >>> late.dimension, late.tau
    (2, 1.0)
    >>> prepared = dynamics.latent_flow(model, slice(6), condition=0, times=recording.time < 0)
    >>> prepared.inputs.shape
    (2,)
    """
    factors = np.atleast_2d(model.trial_factors_[trials])
    if len(factors) == 0:
        raise ValueError("trials chooses none of the model's trials.")
    if (condition is None) != (times is None):
        raise ValueError(
            "Give condition and times together: the input of a condition differs over time."
        )
    inputs = None
    if condition is not None:
        chosen = np.atleast_2d(model.inputs_[condition][times])
        if len(chosen) == 0:
            raise ValueError("times chooses none of the model's times.")
        inputs = chosen.mean(0)
    return LatentFlow(
        model.columns_,
        model.row_factors_,
        factors.mean(0),
        model.bias_,
        inputs,
        float(model.tau_),
        model.readout_,
        model.readout_bias_,
    )


class EpochChange(NamedTuple):
    """What differs between the flows before and after.

    - `velocity`: after against before, at the states that both visit.
    - `before`, `after`: their fixed points.
    - `match`: which of these correspond (first: before, second: after) and how far they moved, in
      spreads of activity.
    - `leading` (pair, 2): eigenvalue with the largest real part, in 1/s, of each matched point
      before and after.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> flow = dynamics.LatentFlow(column, column, np.array([0.5]))
    >>> states = np.linspace(-4, 4, 20)[:, None]
    >>> change = dynamics.compare_flows(flow, flow, states, n_starts=5)  # nothing changes
    >>> change.velocity.relative_error, change.leading.shape
    (0.0, (1, 2))
    """

    velocity: VelocityAgreement
    before: FixedPoints
    after: FixedPoints
    match: FixedPointMatch
    leading: Complex[np.ndarray, "pair 2"]

    def describe(self) -> str:
        """The change in a few sentences."""
        angle = np.degrees(np.arccos(np.clip(self.velocity.mean_cosine, -1, 1)))
        lines = [
            f"Where activity was, velocities turned by {angle:.0f} degrees (from the mean cosine, "
            f"{self.velocity.mean_cosine:.2f}) and changed by "
            f"{100 * self.velocity.relative_error:.0f} % of their size; speed is "
            f"{self.velocity.speed_ratio:.2f} times what it was.",
            f"Fixed points: {_count(self.before)} before, {_count(self.after)} after; "
            f"{len(self.match.pairs)} in both, {len(self.match.only_first)} vanished, "
            f"{len(self.match.only_second)} appeared.",
        ]
        pairs, leading = self.match.pairs.tolist(), self.leading.tolist()
        rows = zip(pairs, self.match.distance, leading, strict=True)
        for (first, second), distance, (then, now) in rows:
            lines.append(
                f"Point {first} ({_kind(self.before, first)}) moved by {distance:.2f} spreads of "
                f"activity to point {second} ({_kind(self.after, second)}); its leading "
                f"eigenvalue went from {_number(then)} to {_number(now)} per second."
            )
        return "\n".join(lines)


def compare_flows(
    before: NeuralFlow,
    after: NeuralFlow,
    states: Float[np.ndarray, "state dimension"],
    *,
    n_starts: int = 100,
    seed: int = 0,
    limit: float = 0.5,
) -> EpochChange:
    """What changed from one flow to another in the same state space, around visited states.

    Fixed points are sought from `n_starts` starts around `states` (see `starts_from`), the same
    for both, and matched if their rates are at most `limit` spreads of activity apart.

    Raises ValueError for flows of different dimension, or states that do not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> before, after = (
    ...     dynamics.LatentFlow(column, column, np.array([factor])) for factor in (0.5, 2.5)
    ... )
    >>> states = np.linspace(-5, 5, 20)[:, None]
    >>> change = dynamics.compare_flows(before, after, states, n_starts=20)
    >>> len(change.before.points), len(change.after.points)  # a pitchfork bifurcation
    (1, 3)
    >>> print(change.describe().splitlines()[1])
    Fixed points: 1 stable and 0 unstable before, 2 stable and 1 unstable after; 1 in both, ...
    """
    if before.dimension != after.dimension:
        raise ValueError(
            f"The flows have {before.dimension} and {after.dimension} dimensions: compare epochs "
            "of one model, or use flow_agreement and match_fixed_points."
        )
    starts = starts_from(states, n_starts, seed=seed)
    points = fixed_points(before, starts), fixed_points(after, starts)
    return _change((before, after), points, states, limit)


def epoch_changes(
    flows: Mapping[str, NeuralFlow],
    states: Float[np.ndarray, "state dimension"],
    *,
    n_starts: int = 100,
    seed: int = 0,
    limit: float = 0.5,
) -> pd.DataFrame:
    """A row for each change from one epoch to the next, and from the first to the last.

    `flows` holds the epochs in order. Columns: before, after (names), mean_cosine,
    relative_change and speed_ratio of the velocities at `states`; stable_before, stable_after,
    unstable_before, unstable_after (numbers of fixed points); kept, vanished, appeared; moved
    (mean distance of those kept, in spreads of activity; missing if none is) and leading_before,
    leading_after (largest real part over the fixed points kept, in 1/s; missing likewise).

    Raises ValueError for fewer than two epochs, and as `compare_flows`.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> column = np.full((4, 1), 0.5)  # one component, of norm 1, in four units
    >>> flows = {
    ...     name: dynamics.LatentFlow(column, column, np.array([factor]))
    ...     for name, factor in {"baseline": 0.5, "perturbed": 2.5, "washout": 0.5}.items()
    ... }
    >>> table = dynamics.epoch_changes(flows, np.linspace(-5, 5, 20)[:, None], n_starts=20)
    >>> print(table[["before", "after", "stable_before", "stable_after"]].to_string(index=False))
       before     after  stable_before  stable_after
     baseline perturbed              1             2
    perturbed   washout              2             1
     baseline   washout              1             1
    """
    if len(flows) < 2:
        raise ValueError(f"There is {len(flows)} epoch: a change needs two at least.")
    if len({flow.dimension for flow in flows.values()}) > 1:
        raise ValueError("The flows differ in dimension: give epochs of one model.")
    starts = starts_from(states, n_starts, seed=seed)
    points = {name: fixed_points(flow, starts) for name, flow in flows.items()}
    names = list(flows)
    wanted = [*pairwise(names), *([(names[0], names[-1])] if len(names) > 2 else [])]
    rows = []
    for first, second in wanted:
        pair = flows[first], flows[second]
        change = _change(pair, (points[first], points[second]), states, limit)
        rows.append({"before": first, "after": second, **_summary(change)})
    return pd.DataFrame(rows)


def _change(
    flows: tuple[NeuralFlow, NeuralFlow],
    points: tuple[FixedPoints, FixedPoints],
    states: np.ndarray,
    limit: float,
) -> EpochChange:
    velocity = flow_agreement(flows[1], flows[0], states, states)
    match = match_fixed_points(*points, flows, states, limit=limit)
    leading = [found.eigenvalues[match.pairs[:, i], 0] for i, found in enumerate(points)]
    return EpochChange(velocity, *points, match, np.stack(leading, axis=1))


def _summary(change: EpochChange) -> dict[str, float | int | None]:
    kept = len(change.match.pairs)
    leading = change.leading.real.max(0) if kept else (None, None)
    return {
        "mean_cosine": change.velocity.mean_cosine,
        "relative_change": change.velocity.relative_error,
        "speed_ratio": change.velocity.speed_ratio,
        "stable_before": int(change.before.stable.sum()),
        "stable_after": int(change.after.stable.sum()),
        "unstable_before": int((~change.before.stable).sum()),
        "unstable_after": int((~change.after.stable).sum()),
        "kept": kept,
        "vanished": len(change.match.only_first),
        "appeared": len(change.match.only_second),
        "moved": float(change.match.distance.mean()) if kept else None,
        "leading_before": leading[0],
        "leading_after": leading[1],
    }


def _count(found: FixedPoints) -> str:
    return f"{found.stable.sum()} stable and {(~found.stable).sum()} unstable"


def _kind(found: FixedPoints, index: int) -> str:
    unstable = found.n_unstable[index]
    plural = "" if unstable == 1 else "s"
    return "stable" if unstable == 0 else f"unstable in {unstable} direction{plural}"


def _number(value: complex) -> str:
    return f"{value.real:.2f}" + (f" ± {abs(value.imag):.2f}i" if value.imag else "")
