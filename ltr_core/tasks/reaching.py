"""Centre-out reaching."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ltr_core.tasks.trials import Trials, check_n_trials


@dataclass(frozen=True)
class Reaching:
    """Centre-out reaching: a target is shown, a go cue falls, the hand goes to the target.

    The inputs are the target's direction (cosine, sine), shown throughout, and a hold signal
    that falls from 1 to 0 at the go cue. The wanted path rests at the centre, then follows a
    minimum-jerk profile (Flash & Hogan 1985) and rests at the target.

    - `n_targets`: on a circle of radius `distance` (m).
    - `preparation`, `movement`, `hold`: durations in s; the go cue ends the preparation.
    - `go_jitter`: the go cue of each trial falls up to this much (s) earlier or later.
    - `dt`: time step in s.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import Reaching
    >>> rng = np.random.default_rng(0)
    >>> task = Reaching(n_targets=4)
    >>> trials = task.sample(8, rng)
    >>> tuple(trials.inputs.shape), tuple(trials.targets.shape)
    ((8, 50, 3), (8, 50, 2))
    >>> sorted(trials.condition.tolist())
    [0, 0, 1, 1, 2, 2, 3, 3]
    """

    n_targets: int = 8
    distance: float = 0.1
    preparation: float = 0.3
    movement: float = 0.5
    hold: float = 0.2
    go_jitter: float = 0.0
    dt: float = 0.02

    n_inputs = 3
    n_outputs = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not np.isfinite(value) or value < 0:
                raise ValueError(f"{field.name} is {value}: it must be finite and not negative.")
        if self.n_targets < 1:
            raise ValueError("n_targets is 0: an empty task; give at least one target.")
        for name in ("distance", "movement", "dt"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name} is 0: it must be positive.")
        if self.go_jitter > min(self.preparation, self.hold):
            raise ValueError(
                f"go_jitter ({self.go_jitter} s) is longer than the preparation "
                f"({self.preparation} s) or the hold ({self.hold} s) that must take it up."
            )

    @property
    def time(self) -> Float[Tensor, " time"]:
        """Seconds from the (unjittered) go cue, at the end of each step."""
        duration = self.preparation + self.movement + self.hold
        steps = torch.arange(1, round(duration / self.dt) + 1, dtype=torch.float64)
        return steps * self.dt - self.preparation

    @property
    def target_positions(self) -> Float[Tensor, "condition 2"]:
        """Where the targets are, in metres from the centre."""
        angle = torch.arange(self.n_targets, dtype=torch.float64) * (2 * np.pi / self.n_targets)
        return self.distance * torch.stack([angle.cos(), angle.sin()], dim=-1)

    def sample(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Trials in blocks of all targets, each block in an order of its own."""
        check_n_trials(n_trials)
        n_blocks = -(-n_trials // self.n_targets)
        order = np.concatenate([rng.permutation(self.n_targets) for _ in range(n_blocks)])
        jitter = rng.uniform(-self.go_jitter, self.go_jitter, n_trials)
        return self.trials(torch.from_numpy(order[:n_trials]), torch.from_numpy(jitter))

    def trials(
        self,
        condition: Int[Tensor, " trial"],
        go_shift: Float[Tensor, " trial"] | None = None,
    ) -> Trials:
        """Trials to the given targets, with each go cue shifted by `go_shift` seconds."""
        if len(condition) == 0:
            raise ValueError("condition is empty: give the target of at least one trial.")
        if condition.min() < 0 or condition.max() >= self.n_targets:
            raise ValueError(f"condition must lie in 0..{self.n_targets - 1} (n_targets).")
        if go_shift is None:
            go_shift = torch.zeros(len(condition), dtype=torch.float64)
        since_go = self.time - go_shift[:, None]
        goal = self.target_positions[condition]
        cue = (goal / self.distance)[:, None].expand(-1, len(self.time), -1)
        holding = (since_go <= self.dt / 2).double()[..., None]
        progress = (since_go / self.movement).clamp(0, 1)
        profile = 10 * progress**3 - 15 * progress**4 + 6 * progress**5
        return Trials(
            inputs=torch.cat([cue, holding], dim=-1),
            targets=profile[..., None] * goal[:, None],
            mask=torch.ones_like(progress),
            condition=condition,
        )


def lateral_deviation(
    path: Float[Tensor, "*batch time 2"], goal: Float[Tensor, "*batch 2"]
) -> Float[Tensor, "*batch"]:
    """Largest signed distance (m) of a path from the straight line to its goal.

    Positive to the left of the line, as seen from the start.
    """
    unit = goal / goal.norm(dim=-1, keepdim=True)
    left = torch.stack([-unit[..., 1], unit[..., 0]], dim=-1)
    aside = (path * left[..., None, :]).sum(-1)
    largest = aside.abs().argmax(dim=-1, keepdim=True)
    return aside.gather(-1, largest).squeeze(-1)
