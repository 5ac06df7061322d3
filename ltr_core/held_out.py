"""Held-out blocks: which entries of a recording test a model, and which it is fitted to.

Activity is smooth in time and from trial to trial, so single entries left out at random could be
filled in from their neighbours. As Pellegrino et al. (2023) do, blocks of trials x times x neurons
are held out, and a larger block around each of them is taken out of the training entries.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ltr_core.recording_validation import AXES, Index, as_index
from ltr_core.recordings import Recording

Mask = Bool[np.ndarray, "trial time neuron"]
HalfSize = tuple[int, int, int]
Centres = Int[np.ndarray, "3 block"]

PAINTED_AT_ONCE = 2_000_000  # entries; bounds the memory of the indices


class HeldOut(NamedTuple):
    """The entries that test a model and those that train it; the others belong to neither.

    Each is a mask (trial, time, neuron). `observed`: the recording's observed entries (None: all
    are). Test and train are among them.

    Examples
    --------
    >>> from ltr_core import held_out_blocks, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(15, 15), n_neurons=12, rank=2, dt=0.2)
    >>> masks = held_out_blocks(recording)
    >>> shares = masks.coverage
    >>> round(shares["test"] + shares["train"] + shares["neither"], 6)
    1.0
    """

    test: Mask
    train: Mask
    observed: Mask | None = None

    @property
    def coverage(self) -> dict[str, float]:
        """Shares of the observed entries in `test`, `train` and `neither`, which add to 1.

        Also how many trials and neurons were observed but have no training entry.
        """
        observed = np.ones_like(self.test) if self.observed is None else self.observed
        n_observed = int(observed.sum())
        test, train = (int(part.sum()) / n_observed for part in (self.test, self.train))
        trials, neurons = _without_entries(observed, self.train)
        return {
            "test": test,
            "train": train,
            "neither": 1 - test - train,
            "trials_without_training": trials.size,
            "neurons_without_training": neurons.size,
        }


def held_out_blocks(
    recording: Recording,
    *,
    share: float = 0.2,
    test: HalfSize = (2, 2, 0),
    train: HalfSize = (5, 5, 0),
    seed: int = 0,
    times: Index | None = None,
) -> HeldOut:
    """Draw blocks until `share` of the observed entries is in them (Pellegrino et al. 2023).

    - `test`, `train`: half-sizes of the block that tests and of the larger one around it that is
      taken out of the training, in (trial, time, neuron). A half-size of 2 is a block of 5; 0 for
      neurons makes each block one neuron's.
    - `times`: where in the trial test entries may lie (slice, indices or boolean mask; all if not
      given); `share` is then a share of the entries there.

    A block that would leave a trial or a neuron without any training entry is not used. The share
    is exceeded by less than one block. The same seed gives the same masks.

    Raises ValueError for a share outside (0, 1), for half-sizes that are negative or larger for
    test than for train, and if the share cannot be reached.

    Examples
    --------
    >>> from ltr_core import comparisons, held_out_blocks, simulate_ltrrnn
    >>> recording, _ = simulate_ltrrnn(n_trials=(15, 15), n_neurons=12, rank=2, dt=0.2)
    >>> masks = held_out_blocks(recording, share=0.1, seed=1)
    >>> bool((masks.test & masks.train).any()), bool(0.1 <= masks.test.mean() < 0.12)
    (False, True)
    >>> model = comparisons.PCAModel(n_components=2).fit(recording, masks.train)
    >>> bool(model.score(recording, masks.test) > 0.5)
    True
    """
    _check(share, test, train)
    free = recording.observed.copy()  # where a block may still be centred
    allowed = np.zeros(recording.n_time, dtype=bool)
    allowed[as_index(times, recording.n_time, "times")] = True
    free[:, ~allowed] = False
    n_free = int(np.count_nonzero(free))
    if n_free == 0:
        raise ValueError("Nothing was observed at the given times: there is nothing to hold out.")
    tested, trained = np.zeros_like(free), recording.observed.copy()
    volume = int(np.prod([2 * half + 1 for half in test]))
    rng = np.random.default_rng(seed)
    n_tested = 0
    while n_tested < share * n_free:
        # Never more blocks than fill the rest, so that the last one alone can exceed it.
        n_blocks = max(1, int((share * n_free - n_tested) // volume))
        centres = _draw(free, n_blocks, rng)
        if centres.size == 0:
            raise ValueError(
                f"Only {n_tested / n_free:.3g} of the entries can be held out before a trial or a "
                f"neuron has nothing left to train on: lower share (now {share}) or the "
                f"half-sizes in train (now {train})."
            )
        free[tuple(centres)] = False
        centres, trained = _harmless(centres, trained, recording.observed, train)
        _paint(tested, centres, test, True)
        tested[:, ~allowed] = False
        tested &= recording.observed
        free &= ~tested
        n_tested = int(np.count_nonzero(tested))
    return HeldOut(tested, trained, recording.observed)


def check_train(recording: Recording, train: np.ndarray | None) -> Mask:
    """The entries to fit a model to: the observed ones, or those of them in `train`.

    Raises ValueError for a mask that is not bool or of another shape, and for one that leaves
    nothing of a trial or of a neuron that was observed.
    """
    chosen = observed_in(recording, train)
    for name, empty in zip(
        ("trial", "neuron"), _without_entries(recording.observed, chosen), strict=True
    ):
        if empty.size:
            raise ValueError(
                f"train leaves nothing of {name} {listed(empty)} ({empty.size} in all): a model "
                "cannot be fitted to it. Leave some entries in, or select the recording without "
                f"that {name}."
            )
    return chosen


def observed_in(recording: Recording, train: np.ndarray | None) -> Mask:
    """The observed entries, or those of them in `train`.

    Raises ValueError for a mask that is not bool or of another shape.
    """
    if train is None:
        return recording.observed
    if train.shape != recording.activity.shape or train.dtype != np.bool_:
        raise ValueError(
            f"train has shape {train.shape} and holds {train.dtype}: it must be bool and of the "
            f"recording's shape {recording.activity.shape}; {AXES}."
        )
    return recording.observed & train


def listed(places: Int[np.ndarray, " place"], at_most: int = 5) -> str:
    """The first of some places as text: ``1, 4, ...``."""
    return ", ".join(map(str, places[:at_most].tolist())) + (
        ", ..." if len(places) > at_most else ""
    )


def _check(share: float, test: HalfSize, train: HalfSize) -> None:
    if not 0 < share < 1:
        raise ValueError(f"share is {share}: it must lie between 0 and 1.")
    for axis, inner, outer in zip(("trial", "time", "neuron"), test, train, strict=True):
        if not 0 <= inner <= outer:
            raise ValueError(
                f"Half-sizes along {axis} are {inner} (test) and {outer} (train): they must not be "
                "negative, and the block taken out of training must hold the block that tests."
            )


def _draw(free: Mask, n_blocks: int, rng: np.random.Generator) -> Centres:
    """Up to n_blocks random entries that are free; none only if there is none."""
    flat = free.reshape(-1)
    drawn = rng.integers(0, flat.size, max(2 * n_blocks, 64))
    drawn = drawn[flat[drawn]]
    if drawn.size == 0:  # few are left
        left = np.flatnonzero(flat)
        drawn = rng.permutation(left)
    return np.stack(np.unravel_index(drawn[:n_blocks], free.shape))


def _harmless(
    centres: Centres, trained: Mask, observed: Mask, half: HalfSize
) -> tuple[Int[np.ndarray, "3 harmless"], Mask]:
    """The centres that leave every trial and neuron something to train on, and what they leave."""
    left = trained.copy()
    _paint(left, centres, half, False)
    harmed = np.zeros(centres.shape[1], dtype=bool)
    for axis, empty in zip((0, 2), _without_entries(observed, left), strict=True):
        near = np.zeros(observed.shape[axis], dtype=bool)
        for place in empty.tolist():
            near[max(place - half[axis], 0) : place + half[axis] + 1] = True
        harmed |= near[centres[axis]]
    if not harmed.any():
        return centres, left
    left = trained.copy()
    _paint(left, centres[:, ~harmed], half, False)
    return centres[:, ~harmed], left


def _paint(mask: Mask, centres: Centres, half: HalfSize, value: bool) -> None:
    """Set the blocks of a half-size around centres, cut off at the edges of the mask."""
    reach = [min(h, size - 1) for h, size in zip(half, mask.shape, strict=True)]
    volume = int(np.prod([2 * h + 1 for h in reach]))
    step = max(1, PAINTED_AT_ONCE // volume)
    for first in range(0, centres.shape[1], step):
        trial, time, neuron = (
            np.clip(centre[first : first + step, None] + np.arange(-h, h + 1), 0, size - 1)
            for centre, h, size in zip(centres, reach, mask.shape, strict=True)
        )
        mask[trial[:, :, None, None], time[:, None, :, None], neuron[:, None, None, :]] = value


def _without_entries(
    observed: Mask, chosen: Mask
) -> tuple[Int[np.ndarray, " emptied"], Int[np.ndarray, " bare"]]:
    """The trials and the neurons that were observed, though no entry of theirs was chosen."""
    trials = observed.any((1, 2)) & ~chosen.any((1, 2))
    neurons = observed.any((0, 1)) & ~chosen.any((0, 1))
    return np.flatnonzero(trials), np.flatnonzero(neurons)
