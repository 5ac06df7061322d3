"""What tasks made of phases share: whole steps, a time axis, and the check of their settings."""

from dataclasses import fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

ROUNDING = 1e-9
"""In steps: what floating point may take from a whole number of them (0.3 / 0.1 = 2.999...)."""


def whole_steps(duration: float, dt: float) -> int:
    """Steps of `dt` that fit into `duration`: rounded down."""
    return int(duration / dt + ROUNDING)


def time_axis(n_steps: int, dt: float) -> Float[Tensor, " time"]:
    """When each step begins: 0, dt, 2 dt, ..."""
    return torch.arange(n_steps, dtype=torch.float64) * dt


def check_settings(task: Any, phases: tuple[str, ...]) -> None:
    """Refuse numbers that are negative or not finite, and named phases shorter than one step."""
    for field in fields(task):
        value = getattr(task, field.name)
        if not (np.isfinite(value).all() and (np.asarray(value) >= 0).all()):
            raise ValueError(f"{field.name} is {value}: it must be finite and not negative.")
    if task.dt == 0:
        raise ValueError("dt is 0: a step takes a positive time.")
    for name in phases:
        if whole_steps(getattr(task, name), task.dt) < 1:
            raise ValueError(
                f"{name} is {getattr(task, name)}, shorter than one step of dt = {task.dt}: "
                "lengthen it or shorten dt."
            )


def check_range(name: str, ends: tuple[float, float]) -> None:
    """Refuse a pair that is not a lower and an upper end."""
    if len(ends) != 2 or ends[0] > ends[1]:
        raise ValueError(f"{name} is {ends}: give a lower end and an upper end that is no less.")
