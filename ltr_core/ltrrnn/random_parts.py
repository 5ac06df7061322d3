"""The random parts of a simulated recording: factors, trial factors, conditions, inputs."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

EPOCHS = ("baseline", "adaptation", "washout")
MEAN_FACTOR = 2.0  # trial factors lie around it: the eigenvalues of W then exceed 1
FACTOR_JUMP = 0.5  # largest change of log trial factors from the first epoch to another
FACTOR_DRIFT = 0.15  # sd of log trial factors within an epoch
# Norm of a row factor's projection on span(a). A latent that does not turn with another one has
# less, or it would outgrow them all.
OVERLAP_TURNING, OVERLAP_ALONE = 0.95, 0.6


def random_factors(
    n_neurons: int, rank: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "unit rank"], Float[np.ndarray, "unit rank"]]:
    """Columns and rows whose overlap B^T A turns pairs of latents, at speeds of their own."""
    columns = orthonormal(n_neurons, rank, rng)
    overlap = np.eye(rank)
    for first in range(0, rank - 1, 2):
        angle = rng.uniform(0.7, 1.1)
        cos, sin = np.cos(angle), np.sin(angle)
        overlap[first : first + 2, first : first + 2] = [[cos, -sin], [sin, cos]]
    overlap += rng.normal(0, 0.2 / np.sqrt(rank), (rank, rank))
    size = np.full(rank, OVERLAP_TURNING)
    if rank % 2:
        size[-1] = OVERLAP_ALONE
    overlap *= (size / np.linalg.norm(overlap, axis=1))[:, None]
    outside = rng.normal(size=(n_neurons, rank))
    outside -= columns @ (columns.T @ outside)
    outside *= np.sqrt(1 - size**2) / np.linalg.norm(outside, axis=0)
    return columns, columns @ overlap.T + outside


def orthonormal(
    n_rows: int, n_columns: int, rng: np.random.Generator
) -> Float[np.ndarray, "row column"]:
    """A random matrix with orthonormal columns."""
    return np.linalg.qr(rng.normal(size=(n_rows, n_columns)))[0]


def random_trial_factors(
    n_trials: Sequence[int], rank: int, length: float, rng: np.random.Generator
) -> Float[np.ndarray, "trial rank"]:
    """Smooth within each epoch, with a jump between epochs; positive through the exponential."""
    parts = []
    for epoch, n in enumerate(n_trials):
        distance = np.subtract.outer(np.arange(n), np.arange(n)) / length
        kernel = 1 / (1 + distance**2 / 2) + 1e-6 * np.eye(n)  # rational quadratic, alpha 1
        drift = FACTOR_DRIFT * np.linalg.cholesky(kernel) @ rng.normal(size=(n, rank))
        jump = rng.uniform(-FACTOR_JUMP, FACTOR_JUMP, rank) if epoch else np.zeros(rank)
        parts.append(MEAN_FACTOR * np.exp(jump + drift))
    return np.concatenate(parts)


def shuffled_conditions(
    n_trials: int, n_conditions: int, rng: np.random.Generator
) -> Int[np.ndarray, " trial"]:
    """Every condition once in each round, in random order."""
    n_rounds = -(-n_trials // n_conditions)
    rounds = [rng.permutation(n_conditions) for _ in range(n_rounds)]
    return np.concatenate(rounds)[:n_trials]


def epoch_labels(n_trials: Sequence[int]) -> list[str]:
    """The name of each trial's epoch."""
    known = len(n_trials) <= len(EPOCHS)
    names = EPOCHS if known else [f"epoch {k + 1}" for k in range(len(n_trials))]
    return [name for name, n in zip(names, n_trials, strict=False) for _ in range(n)]


def input_directions(
    n_conditions: int, rank: int, rng: np.random.Generator
) -> Float[np.ndarray, "condition bump rank"]:
    """Where each condition's two bumps of input push: neighbours in angle are pushed alike."""
    angle = 2 * np.pi * np.arange(n_conditions)[:, None] / n_conditions
    harmonics = np.concatenate([f(m * angle) for m in (1, 2) for f in (np.cos, np.sin)], 1)
    shared = harmonics @ rng.normal(size=(4, 2 * rank)) / np.sqrt(2)
    own = rng.normal(size=(n_conditions, 2 * rank))
    pushed = (0.8 * shared + 0.6 * own).reshape(n_conditions, 2, rank)
    return pushed / np.linalg.norm(pushed, axis=(1, 2), keepdims=True)
