"""Eigenvalues of the weights over trials, and angles between subspaces."""

import numpy as np
import scipy.linalg
from jaxtyping import Complex, Float
from scipy.optimize import linear_sum_assignment


def spectrum(
    columns: Float[np.ndarray, "unit rank"],
    rows: Float[np.ndarray, "unit rank"],
    trial_factors: Float[np.ndarray, "trial rank"],
    gain: Float[np.ndarray, " unit"] | None = None,
) -> Complex[np.ndarray, "trial rank"]:
    """The eigenvalues of W_k = columns diag(trial_factors[k]) rows^T that can differ from 0.

    They are those of the small matrix diag(trial_factors[k]) rows^T columns (the nonzero
    eigenvalues of XY and YX are the same), so no unit by unit matrix is formed. In the first
    trial they fall in real part. In each later one they are ordered so that each continues one of
    the trial before: the eigenvectors are as nearly parallel, and the eigenvalues as near, as an
    assignment can make them, so that two that pass each other keep their places. At x = 0 without
    bias a mode of W_k grows if its eigenvalue's real part exceeds 1. With `gain`, the units'
    slopes tanh'(x), they are those of W_k diag(gain), which play this part at x.

    Raises ValueError for shapes that do not fit or values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> columns = np.eye(6)[:, :2]  # two components in six units
    >>> rows = columns
    >>> trial_factors = np.array([[1.5, 0.5], [1.0, 0.5], [0.25, 0.5]])  # three trials
    >>> dynamics.spectrum(columns, rows, trial_factors).real.round(3).tolist()
    [[1.5, 0.5], [1.0, 0.5], [0.25, 0.5]]
    """
    _check_factors(columns, rows, trial_factors, gain)
    seen = columns if gain is None else columns * gain[:, None]
    small = rows.T.astype(np.float64) @ seen.astype(np.float64)
    values, small_vectors = np.linalg.eig(trial_factors[:, :, None] * small)
    values, vectors = values.astype(np.complex128), columns @ small_vectors
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    order = np.lexsort((-values[0].imag, -values[0].real))
    for trial in range(len(values)):
        if trial:
            order = _continued(values[trial - 1], values[trial], vectors[trial - 1], vectors[trial])
        values[trial], vectors[trial] = values[trial, order], vectors[trial][:, order]
    return values


def _continued(
    before: np.ndarray, now: np.ndarray, vectors_before: np.ndarray, vectors_now: np.ndarray
) -> np.ndarray:
    """The order of eigenvalues in which each continues its counterpart."""
    turned = 1 - np.abs(vectors_before.conj().T @ vectors_now) ** 2
    moved = np.abs(before[:, None] - now[None, :])
    size = max(float(np.abs(np.concatenate([before, now])).max()), 1e-300)
    return linear_sum_assignment(turned + moved / size)[1]


def subspace_angles(
    first: Float[np.ndarray, "unit first"], second: Float[np.ndarray, "unit second"]
) -> Float[np.ndarray, " angle"]:
    """Principal angles between the spans of two sets of columns, in degrees, largest first.

    There are as many as the smaller set has columns; 0 means a shared direction, 90 that a
    direction of the smaller span is at right angles to all of the larger.

    Raises ValueError for different numbers of units, more columns than units (the transpose is
    then meant), columns that depend on each other, or values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import dynamics
    >>> plane = np.eye(4)[:, :2]
    >>> leaning = np.array([[1.0, 0], [0, 1], [0, 1], [0, 0]])  # shares one direction with it
    >>> (dynamics.subspace_angles(plane, leaning).round(1) + 0).tolist()
    [45.0, 0.0]
    """
    if first.shape[0] != second.shape[0]:
        raise ValueError(
            f"first has {first.shape[0]} units and second {second.shape[0]}: both are "
            "(unit, column), with the same units."
        )
    for name, basis in {"first": first, "second": second}.items():
        _check_basis(name, basis)
    radians = scipy.linalg.subspace_angles(first.astype(np.float64), second.astype(np.float64))
    return np.degrees(radians)


def random_subspace_angles(
    n: int, dims: tuple[int, int], *, seed: int = 0, n_draws: int = 200
) -> Float[np.ndarray, "draw angle"]:
    """What `subspace_angles` gives for unrelated subspaces: the control for measured angles.

    Pairs of subspaces of R^n of the dimensions `dims`, drawn evenly over all orientations; in
    degrees, each draw's largest angle first.

    Raises ValueError for dimensions below 1 or above n, or fewer than one draw.

    Examples
    --------
    >>> from ltr_core import dynamics
    >>> angles = dynamics.random_subspace_angles(50, (2, 3), n_draws=20)
    >>> angles.shape, bool(angles.min() > 30)  # of unrelated planes few are near each other
    ((20, 2), True)
    """
    if min(dims) < 1 or max(dims) > n:
        raise ValueError(f"dims are {dims} and n is {n}: each dimension lies between 1 and n.")
    if n_draws < 1:
        raise ValueError(f"n_draws is {n_draws}: at least one draw is needed.")
    rng = np.random.default_rng(seed)
    # Against evenly oriented subspaces any one subspace is as good: the first axes of R^n.
    drawn = np.linalg.qr(rng.standard_normal((n_draws, n, max(dims))))[0]
    return np.stack([subspace_angles(np.eye(n)[:, : min(dims)], basis) for basis in drawn])


def _check_factors(
    columns: np.ndarray, rows: np.ndarray, trial_factors: np.ndarray, gain: np.ndarray | None
) -> None:
    if columns.shape != rows.shape or trial_factors.shape[1:] != columns.shape[1:]:
        raise ValueError(
            f"columns have shape {columns.shape}, rows {rows.shape} and trial_factors "
            f"{trial_factors.shape}; expected are (unit, rank), (unit, rank) and (trial, rank). "
            "Columns that carry inputs alone are to be left out."
        )
    if gain is not None and gain.shape != columns.shape[:1]:
        raise ValueError(f"gain has shape {gain.shape}, expected is (unit,): {columns.shape[:1]}.")
    given = {"columns": columns, "rows": rows, "trial_factors": trial_factors, "gain": gain}
    for name, values in given.items():
        if values is not None and not np.isfinite(values).all():
            raise ValueError(f"{name} holds NaN or infinity.")


def _check_basis(name: str, basis: np.ndarray) -> None:
    if not np.isfinite(basis).all():
        raise ValueError(f"{name} holds NaN or infinity.")
    if basis.shape[1] > basis.shape[0] or basis.shape[1] == 0:
        raise ValueError(
            f"{name} has shape {basis.shape}, expected is (unit, column) with 1 to "
            f"{basis.shape[0]} columns" + (": give its transpose." if basis.shape[1] else ".")
        )
    rank = int(np.linalg.matrix_rank(basis))
    if rank < basis.shape[1]:
        raise ValueError(
            f"The {basis.shape[1]} columns of {name} span only {rank} dimensions: leave out those "
            "that depend on others (a component may have been lost)."
        )
