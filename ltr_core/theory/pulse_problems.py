"""What networks of rank one and two may be asked to make of a pulse."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ltr_core.theory.overlaps import LowRankNetwork, Overlaps, overlaps


class PulseProblem(NamedTuple):
    """Overlaps to start from, and one trial; times in time constants.

    - `inputs`, `targets` (1, time, 1): a pulse at the first step, and what the answer is to be.
    - `time` (time,): at which the answer is given.

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1, duration=8.0, dt=0.2)
    >>> one.start.rank, one.inputs.shape, one.time.shape
    (1, torch.Size([1, 40, 1]), (40,))
    """

    start: Overlaps
    inputs: Float[Tensor, "trial time input"]
    targets: Float[Tensor, "trial time output"]
    time: Float[np.ndarray, " time"]
    dt: float


def pulse_problem(
    rank: int, *, gain: float = 0.4, duration: float = 8.0, dt: float = 0.2, seed: int = 0
) -> PulseProblem:
    """A start drawn at random, and a pulse that a network of rank one or two is to answer.

    Left alone, the network forgets the pulse as exp(-t).

    - Rank 1 is to hold it for longer: exp(-t / 4) - exp(-t). This takes n·m near 3/4.
    - Rank 2 is to oscillate: exp(-t / 4) sin(2 pi t / 5), which no network of rank 1 can.
    - The overlaps are those of normal random vectors of 20 units, but for n·b and c·m, which are
      `gain`, and c·b, which is 0: the answer is heard, so that learning begins at once, and all of
      it goes through the loop. b·b and c·c are 1.

    Raises ValueError for another rank, and for a gain, duration or time step out of range.

    Examples
    --------
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1, gain=0.4)
    >>> round(one.start.block("right", "inward").item(), 6), one.inputs[0, 0].item()
    (0.4, 5.0)
    """
    if rank not in (1, 2):
        raise ValueError(f"rank is {rank}: there is a problem for rank 1 and one for rank 2.")
    if not (0 < dt <= 1 and dt <= duration < np.inf):
        raise ValueError(f"dt is {dt} and duration {duration}: 0 < dt <= 1, dt <= duration.")
    if not (np.isfinite(gain) and gain > 0):
        raise ValueError(f"gain is {gain}: it must be finite and above 0.")
    start = overlaps(_heard(np.random.default_rng([seed, rank]), rank, gain))
    n_steps = round(duration / dt)
    time = dt * np.arange(1, n_steps + 1)
    slow = np.exp(-time / 4)
    answer = slow - np.exp(-time) if rank == 1 else slow * np.sin(2 * np.pi * time / 5)
    inputs = torch.zeros(1, n_steps, 1, dtype=torch.float64)
    inputs[0, 0] = 1 / dt
    return PulseProblem(start, inputs, torch.from_numpy(answer)[None, :, None], time, dt)


def _heard(rng: np.random.Generator, rank: int, gain: float) -> LowRankNetwork:
    """Random vectors of 20 units, with these overlaps of n and b and of m and c."""
    left, right, ends = (rng.standard_normal((20, n)) for n in (rank, rank, 2))
    inward, outward = 20**0.5 * np.linalg.qr(ends)[0].T.copy()  # of length sqrt(20), and orthogonal
    left += np.outer(outward, gain - outward @ left / 20)
    right += np.outer(inward, gain - inward @ right / 20)
    m, n, b, c = (torch.from_numpy(part) for part in (left, right, inward, outward))
    return LowRankNetwork(m, n, b[:, None], c[None])
