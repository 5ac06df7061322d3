"""CP decomposition: `ltr_core.cp` against `tensorly.decomposition.parafac` as it comes.

The tensor: 250 steps x 200 x 200 neurons, rank 5, Gaussian post and pre factors. Its step factors
are either collinear (every two at cosine 0.98) or Gaussian. Noise: Gaussian, with 1 % or 25 % of
the signal's norm.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from tensorly.cp_tensor import cp_to_tensor
from tensorly.decomposition import parafac
from tensorly.metrics import congruence_coefficient

from benchmarks.result import Criterion, Result, Row
from ltr_core.decomposition import CP, cp, synthetic

FULL = (250, 200, 200)
RANK = 5
COSINE = 0.98
NOISES = (0.01, 0.25)
SEEDS = (0, 1, 2, 3, 4)
REPEATS = 5
# At the first seed, and only for collinear factors, these are judged.
NEEDED = {"TensorLy default": 40.0, "TensorLy random start": 25.0}
NEEDED_MATCH = 0.999
# Fits that differ by less are equal.
EQUAL_FIT = 1e-6

Factors = list[np.ndarray]
Method = Callable[[np.ndarray], Factors]


class Case(NamedTuple):
    """A tensor and the factors that it was made of."""

    kind: str
    noise: float
    seed: int
    tensor: np.ndarray
    factors: Factors


class Times(NamedTuple):
    """Seconds on the clock, and of the processor: the latter hardly depend on other load."""

    wall: float
    cpu: float


def ours(tensor: np.ndarray) -> Factors:
    """With every default: compression, five restarts, checks of the input included."""
    solution = cp(tensor, RANK)
    return [solution.step * solution.weights, solution.post, solution.pre]


PEERS: dict[str, Method] = {
    "TensorLy default": lambda tensor: list(parafac(tensor, RANK)[1]),
    "TensorLy random start": lambda tensor: list(
        parafac(tensor, RANK, init="random", random_state=0)[1]
    ),
}


def measure(quick: bool = False) -> Result:
    """Times all methods on all cases, one after the other."""
    shape, repeats, seeds = (FULL, REPEATS, SEEDS) if not quick else ((30, 20, 20), 1, SEEDS[:2])
    rows: list[Row] = []
    criteria: list[Criterion] = []
    for kind in ("collinear", "generic"):
        for noise in NOISES:
            compared = compare(planted(shape, kind, noise, seeds[0]), repeats)
            rows += compared
            if kind == "collinear":
                criteria += judge(compared, noise, quick)
            rows += [_alone(planted(shape, kind, noise, s), repeats) for s in seeds[1:]]
    return Result("CP decomposition", rows, criteria)


def compare(case: Case, repeats: int) -> list[Row]:
    """Ours before and after each peer, so that a change of the machine's load shows up in both."""
    ours(case.tensor)  # the first call pays for imports and memory
    times, factors = _timed(ours, case.tensor, repeats)
    rows = []
    for name, method in PEERS.items():
        peer_times, peer_factors = _timed(method, case.tensor, 1)
        rows.append(_row(case, name, peer_factors, peer_times))
        times += _timed(ours, case.tensor, repeats)[0]
    own = _row(case, "ltr_core.cp", factors, times)
    for row in rows:
        row["ratio"] = row["seconds"] / own["seconds"]
        row["cpu ratio"] = row["cpu seconds"] / own["cpu seconds"]
    return [own, *rows]


def judge(compared: list[Row], noise: float, quick: bool) -> list[Criterion]:
    """The criteria: times faster, at equal or better fit, and the match to the truth."""
    own, *peers = compared
    found = []
    for row in peers:
        needed = NEEDED[str(row["method"])]
        words = f"at {noise:.0%} noise, {needed:g} times faster than {row['method']}"
        found.append((words, row["ratio"], row["ratio"] >= needed))
        words = f"at {noise:.0%} noise, a fit no lower than that of {row['method']}"
        gain = own["fit"] - row["fit"]
        found.append((words, gain, gain >= -EQUAL_FIT))
    words = f"at {noise:.0%} noise, a factor match to the truth of at least {NEEDED_MATCH}"
    found.append((words, own["match"], own["match"] >= NEEDED_MATCH))
    return [Criterion(w, float(m), None if quick else bool(h)) for w, m, h in found]


def planted(shape: tuple[int, int, int], kind: str, noise: float, seed: int) -> Case:
    """A tensor of known factors with noise."""
    rng = np.random.default_rng(seed)
    if kind == "collinear":
        truth = synthetic.planted(rng, shape, RANK, COSINE)
    else:
        truth = CP.of(*(rng.standard_normal((size, RANK)) for size in shape))
    tensor = synthetic.with_noise(truth.reconstruct(), rng, noise)
    return Case(kind, noise, seed, tensor, list(truth.factors))


def _timed(method: Method, tensor: np.ndarray, repeats: int) -> tuple[list[Times], Factors]:
    times = []
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        factors = method(tensor)
        times.append(Times(time.perf_counter() - start, time.process_time() - cpu_start))
    return times, factors


def _row(case: Case, method: str, factors: Factors, times: list[Times]) -> Row:
    residual = case.tensor - cp_to_tensor((None, factors))
    error = np.vdot(residual, residual) / np.vdot(case.tensor, case.tensor)
    return {
        "step factors": case.kind,
        "noise": case.noise,
        "data seed": case.seed,
        "method": method,
        "seconds": float(np.median([t.wall for t in times])),
        "cpu seconds": float(np.median([t.cpu for t in times])),
        "slowest": max(t.wall for t in times),
        "runs": len(times),
        "fit": float(1 - error),
        "match": float(congruence_coefficient(case.factors, factors)[0]),
        "ratio": None,
        "cpu ratio": None,
    }


def _alone(case: Case, repeats: int) -> Row:
    times, factors = _timed(ours, case.tensor, repeats)
    return _row(case, "ltr_core.cp", factors, times)
