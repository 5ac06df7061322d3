"""Checks of what the decompositions are given, before any work is done."""

import math
from collections.abc import Sequence
from itertools import combinations
from numbers import Integral

import numpy as np
import torch
from jaxtyping import Float, Num

AXES = ("step", "post", "pre")

#: What the public functions accept: a NumPy array or torch tensor. That it has the axes
#: (step, post, pre) is checked by `as_tensor`, which explains what is wrong.
AnyTensor = Num[np.ndarray, "..."] | Num[torch.Tensor, "..."]


def as_array(tensor: AnyTensor) -> Float[np.ndarray, "..."]:
    """The tensor as a NumPy array of float64, without a copy where it is one already."""
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.detach().cpu().numpy()
    array = np.asarray(tensor)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"the tensor has dtype {array.dtype}; give real numbers")
    return np.ascontiguousarray(array, dtype=np.float64)


def as_tensor(tensor: AnyTensor) -> Float[np.ndarray, "step post pre"]:
    """The tensor as float64 with three axes, none empty, all entries finite.

    Raises
    ------
    ValueError
        Naming the first offending axis or entry.
    """
    array = as_array(tensor)
    if array.ndim != 3:
        raise ValueError(
            f"the tensor has {array.ndim} axes, shape {array.shape}; expected three, "
            "(step, post, pre): stack the weights of all steps along the first axis"
        )
    for name, size in zip(AXES, array.shape, strict=True):
        if size == 0:
            raise ValueError(f"the tensor of shape {array.shape} has an empty axis '{name}'")
    # A finite squared norm means finite entries, in one pass and without a temporary.
    if not math.isfinite(squared_norm(array)):
        _explain_overflow(array)
    return array


def as_nonzero_tensor(tensor: AnyTensor) -> Float[np.ndarray, "step post pre"]:
    """As `as_tensor`; a tensor whose squared norm is zero is an error too.

    Raises
    ------
    ValueError
        Where there is nothing to decompose.
    """
    array = as_tensor(tensor)
    if squared_norm(array) == 0.0:
        if np.any(array):
            raise ValueError(
                f"the tensor's largest entry is {np.abs(array).max():.2g}, so small that its "
                "squared norm is zero in double precision; rescale it"
            )
        raise ValueError(
            "all entries of the tensor are zero: there is nothing to decompose. "
            "Did learning change the weights?"
        )
    return array


def squared_norm(array: Float[np.ndarray, "..."]) -> float:
    """The sum of the squared entries; not finite if any entry is not."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.vdot(array, array))


def check_rank(rank: int, shape: tuple[int, ...]) -> None:
    """Raises ValueError for a CP rank that no tensor of this shape needs.

    A tensor is a sum of at most as many rank-one terms as the smallest product of two of its
    three sizes (Kruskal 1989).
    """
    check_count(rank, "rank")
    bound = min(a * b for a, b in combinations(shape, 2))
    if rank > bound:
        raise ValueError(
            f"rank is {rank}, but the CP rank of a tensor of shape {shape} is at most {bound} "
            f"(the smallest product of two of its sizes); choose a rank of 1 to {bound}"
        )


def check_ranks(ranks: Sequence[int], shape: tuple[int, ...]) -> None:
    """Raises ValueError unless `ranks` holds a size of 1 to the axis' own for every axis."""
    if len(ranks) != len(shape):
        raise ValueError(f"{len(ranks)} ranks were given, expected one for each axis of {AXES}")
    for name, rank, size in zip(AXES, ranks, shape, strict=True):
        check_count(rank, f"the rank of axis '{name}'", size)


def check_count(value: int, name: str, largest: int | None = None) -> None:
    """Raises ValueError unless `value` is a whole number of 1 to `largest`."""
    allowed = "at least 1" if largest is None else f"1 to {largest}"
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < 1 or (largest is not None and value > largest):
        raise ValueError(f"{name} is {value!r}; expected a whole number of {allowed}")


def _explain_overflow(array: Float[np.ndarray, "step post pre"]) -> None:
    bad = ~np.isfinite(array)
    if not bad.any():
        raise ValueError(
            f"the tensor's largest entry is {np.abs(array).max():.2g}, so large that its squared "
            "norm overflows double precision; rescale it"
        )
    step, post, pre = (int(i) for i in np.argwhere(bad)[0])
    raise ValueError(
        f"the tensor has {int(bad.sum())} entries that are not finite, the first at "
        f"(step {step}, post {post}, pre {pre}): {array[step, post, pre]}. "
        "Did learning diverge? Lower its step size or leave these steps out"
    )
