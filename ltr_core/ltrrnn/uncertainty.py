"""How sure trial factors are: intervals by Laplace's approximation, and by fits from other seeds.

Laplace's holds everything but the trial factors as fitted (see `trial_factor_intervals`), and seeds
see the same data, so both alone are too narrow. Of intervals meant to hold the truth 95 % of the
time, on five simulated recordings (100 trials, 80 neurons, rank 3, the true rank; 300 steps, jumps
between epochs), Laplace's held it 41 % (22 to 56), those of three seeds 84 % (67 to 96), and those
of three seeds with Laplace's within them 88 % (72 to 98): use the last, and measure `coverage` on
recordings like yours.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy.stats import norm, t

from ltr_core.ltrrnn.kernel import covariance
from ltr_core.ltrrnn.matching import match_factors
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.ltrrnn.recovery import fitted_factors
from ltr_core.ltrrnn.sensitivity import information
from ltr_core.ltrrnn.weight_changes import Factors
from ltr_core.recordings import Recording

LARGEST = 3000  # trials x rank that are treated jointly

PerTrial = Float[np.ndarray, "trial rank"]


class Intervals(NamedTuple):
    """An interval for every trial factor.

    `lower`, `upper`: its ends. `sd`: the standard deviation. Each is (trial, rank).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import uncertainty
    >>> factors = np.ones((12, 2))
    >>> intervals = uncertainty.Intervals(factors - 0.2, factors + 0.2, 0.1 * factors)
    >>> intervals.centre.shape, intervals.centre[0].tolist()
    ((12, 2), [1.0, 1.0])
    """

    lower: PerTrial
    upper: PerTrial
    sd: PerTrial

    @property
    def centre(self) -> PerTrial:
        """The middle of each interval."""
        return (self.lower + self.upper) / 2


class Coverage(NamedTuple):
    """How often intervals hold the truth.

    - `share`: over all trials and components. `by_component` (rank,): in the truth's order; 0
      for a component that the fit lacks.
    - `spread`: root mean square of (truth - centre) / sd, 1 if the intervals are right.
    - `scale` (rank,): what each true trial factor was multiplied by.

    Examples
    --------
    >>> from ltr_core import uncertainty
    >>> uncertainty.Coverage._fields
    ('share', 'by_component', 'spread', 'scale')
    """

    share: float
    by_component: Float[np.ndarray, " rank"]
    spread: float
    scale: Float[np.ndarray, " rank"]


def trial_factor_intervals(model: LtrRNN, recording: Recording, level: float = 0.95) -> Intervals:
    """Intervals of the trial factors by Laplace's approximation, everything else held as fitted.

    The precision of a trial's c_k, jointly over components, is its Gauss-Newton information: from
    the sensitivity of each fitted entry to c_k, and `noise_variance_` (for counts, Poisson
    noise). Smooth trial factors have the prior's precision over trials as well, about a mean that
    is itself uncertain (flat). All trials are treated jointly up to 3,000 trial factors; beyond
    that in overlapping windows of as many, outside of which trials count as unknown.

    The intervals lie around `trial_factors_`, in their order and signs. Columns, rows, inputs and
    readout are taken as known, so the intervals are too narrow where those are not, the more so
    as their errors are alike in all trials.

    Raises NotFitted; ValueError for a recording that was not the one fitted (by its shape), a
    level outside (0, 1), and trials that the data do not determine (independent trial factors).

    Examples
    --------
    >>> from ltr_core import LtrRNN, simulate_ltrrnn, uncertainty
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> model = LtrRNN(rank=2, n_steps=5, substeps=1).fit(recording)
    >>> intervals = uncertainty.trial_factor_intervals(model, recording)
    >>> inside = (intervals.lower < model.trial_factors_) & (model.trial_factors_ < intervals.upper)
    >>> intervals.sd.shape, bool(inside.all())
    ((12, 2), True)
    """
    _check_level(level)
    fitted = model.trial_factors_
    if recording.activity.shape != model.train_.shape:
        raise ValueError(
            f"The recording's shape {recording.activity.shape} is not that of the one that was "
            f"fitted, {model.train_.shape}."
        )
    known = information(model, recording)
    if model.trial_factors == "smooth":
        sd = _smooth_sd(known, _prior_precision(model, recording))
    elif model.trial_factors == "constant":
        sd = np.broadcast_to(_own_sd(known.sum(0, keepdims=True)), fitted.shape)
    else:
        sd = _own_sd(known)
    half = norm.ppf((1 + level) / 2) * sd
    return Intervals(fitted - half, fitted + half, sd)


def ensemble_intervals(
    models: Sequence[LtrRNN], level: float = 0.95, within: Sequence[Intervals] | None = None
) -> Intervals:
    """Intervals from fits to one recording with other seeds, around their mean.

    Components are matched to the first model's (columns and rows in the neurons' space), turned
    to its signs and brought to its scale (each c_r by least squares). `within`: each model's own
    intervals, whose variance is added to that between models; alone, seeds tell how far the fit
    depends on its start, not what other data would have given. The share between models has
    Student's t for its few degrees of freedom.

    Raises ValueError for fewer than two models, models of different ranks or recordings, and
    `within` of another number.

    Examples
    --------
    >>> from ltr_core import LtrRNN, simulate_ltrrnn, uncertainty
    >>> recording, _ = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> models = [
    ...     LtrRNN(rank=2, n_steps=5, substeps=1, seed=seed).fit(recording) for seed in range(2)
    ... ]
    >>> within = [uncertainty.trial_factor_intervals(model, recording) for model in models]
    >>> intervals = uncertainty.ensemble_intervals(models, within=within)
    >>> intervals.centre.shape, bool((intervals.lower < intervals.upper).all())
    ((12, 2), True)
    """
    _check_level(level)
    if len(models) < 2:
        raise ValueError(f"An ensemble of {len(models)} models says nothing: fit at least two.")
    first, *others = (fitted_factors(model) for model in models)
    shapes = [part.trial_factors.shape for part in (first, *others)]
    if len(set(shapes)) > 1:
        raise ValueError(f"Trial factors have shapes {shapes}: all models need the same.")
    if within is not None and len(within) != len(models):
        raise ValueError(f"within holds {len(within)} intervals for {len(models)} models.")
    courses, sds = [first.trial_factors], [np.zeros(shapes[0]) if within is None else within[0].sd]
    for number, factors in enumerate(others, start=1):
        order, scale = _onto(factors, first)
        courses.append(factors.trial_factors[:, order] * scale)
        own = 0.0 if within is None else within[number].sd[:, order] * np.abs(scale)
        sds.append(np.broadcast_to(own, shapes[0]))
    own_variance = np.mean(np.square(sds), axis=0)
    between = np.var(courses, axis=0, ddof=1) * (1 + 1 / len(models))
    z, student = norm.ppf((1 + level) / 2), t.ppf((1 + level) / 2, len(models) - 1)
    half = np.sqrt(z**2 * own_variance + student**2 * between)
    centre = np.mean(courses, axis=0)
    return Intervals(centre - half, centre + half, np.sqrt(own_variance + between))


def coverage(intervals: Intervals, factors: Factors, truth: Factors) -> Coverage:
    """How often the intervals of a fit with these factors hold the true trial factors.

    Components are matched. Each true trial factor is brought to the scale of the fit's first: the
    norm of b_r, and so the scale of c_r, is not determined by activity (see `recovery`).

    Raises ValueError if shapes do not fit together.

    Examples
    --------
    >>> from ltr_core import recovery, simulate_ltrrnn, uncertainty
    >>> _, truth = simulate_ltrrnn(n_trials=(6, 6), n_neurons=10, rank=2, dt=0.4)
    >>> true = recovery.true_factors(truth)
    >>> centre, sd = true.trial_factors + 0.1, 0 * true.trial_factors + 0.1  # one sd too high
    >>> intervals = uncertainty.Intervals(centre - 2 * sd, centre + 2 * sd, sd)
    >>> found = uncertainty.coverage(intervals, true, true)
    >>> found.share, found.by_component.tolist(), round(found.spread, 2)
    (1.0, [1.0, 1.0], 1.0)
    """
    if not intervals.lower.shape == factors.trial_factors.shape:
        raise ValueError(
            f"intervals have shape {intervals.lower.shape}, trial factors "
            f"{factors.trial_factors.shape}: both are (trial, rank) of one fit."
        )
    matched = match_factors(factors, truth)
    n_trials, rank = truth.trial_factors.shape
    held, away = np.zeros((n_trials, rank), bool), np.zeros((n_trials, rank))
    scale = np.zeros(rank)
    for component, place in enumerate(matched.order):
        if place < 0:
            continue
        true, fitted = truth.trial_factors[:, component], factors.trial_factors[:, place]
        scale[component] = (true @ fitted) / (true @ true)
        scaled = true * scale[component]
        lower, upper, sd = (part[:, place] for part in intervals)
        held[:, component] = (lower <= scaled) & (scaled <= upper)
        away[:, component] = (scaled - (lower + upper) / 2) / sd
    spread = float(np.sqrt(np.square(away[:, matched.order >= 0]).mean()))
    return Coverage(float(held.mean()), held.mean(0), spread, scale)


def _onto(factors: Factors, first: Factors) -> tuple[np.ndarray, np.ndarray]:
    """The order and factors that bring trial factors onto those of the first model."""
    order = match_factors(factors, first).order
    courses = factors.trial_factors[:, order]
    crossed = (courses * first.trial_factors).sum(0)
    return order, crossed / np.maximum(np.square(courses).sum(0), 1e-300)


def _prior_precision(model: LtrRNN, recording: Recording) -> Float[np.ndarray, "trial trial"]:
    """Of one trial factor over trials, its mean unknown."""
    over_trials = covariance(model.smoothness, recording.trial_id, recording.epoch_index)
    precision = scipy.linalg.inv(over_trials)
    along = precision.sum(1)
    return precision - np.outer(along, along) / along.sum()


def _smooth_sd(
    known: Float[np.ndarray, "trial rank rank"], prior: Float[np.ndarray, "trial trial"]
) -> PerTrial:
    n_trials, rank = known.shape[:2]
    sd = np.empty((n_trials, rank))
    for window, kept in _windows(n_trials, max(LARGEST // rank, 4)):
        size = len(known[window])
        whole = np.zeros((size, rank, size, rank))
        for component in range(rank):
            whole[:, component, :, component] = prior[window, window]
        places = np.arange(size)
        whole[places, :, places, :] += known[window]
        inverse = scipy.linalg.inv(whole.reshape(size * rank, -1), overwrite_a=True)
        found = np.sqrt(np.diagonal(inverse)).reshape(size, rank)
        sd[kept] = found[kept.start - window.start : kept.stop - window.start]
    return sd


def _windows(n_trials: int, size: int) -> Iterator[tuple[slice, slice]]:
    """Overlapping windows of `size` trials, and which trials are taken from each."""
    if n_trials <= size:
        yield slice(0, n_trials), slice(0, n_trials)
        return
    middle = size // 2
    for start in range(0, n_trials, middle):
        first = min(max(start - size // 4, 0), n_trials - size)
        yield slice(first, first + size), slice(start, min(start + middle, n_trials))


def _own_sd(known: Float[np.ndarray, "trial rank rank"]) -> PerTrial:
    """Of trial factors without a prior."""
    conditions = np.linalg.cond(known)
    poor = np.flatnonzero(~(conditions < 1e12)).tolist()
    if poor:
        raise ValueError(
            f"The fitted entries of trials {poor[:10]} ({len(poor)} in all) do not determine their "
            "trial factors: lower rank, or use smooth trial factors."
        )
    return np.sqrt(np.diagonal(np.linalg.inv(known), axis1=1, axis2=2))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: it must lie between 0 and 1.")
