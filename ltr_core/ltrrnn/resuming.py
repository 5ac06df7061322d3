"""The checkpoint of a fit: everything that it needs to go on as if it had not been interrupted."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ltr_core import checkpoints

if TYPE_CHECKING:
    from ltr_core.ltrrnn.fitting import Fit


def fingerprint(fit: "Fit") -> str:
    """A digest of everything that decides what a fit comes to."""
    data = fit.data
    grid = data.grid._asdict()
    tensors = {k: v for k, v in (data._asdict() | grid).items() if isinstance(v, Tensor)}
    facts = {k: v for k, v in grid.items() if k not in tensors}
    facts |= {"trial_id": data.trial_id.tolist(), "epoch": data.epoch_index.tolist()}
    return checkpoints.fingerprint(fit.settings.get_params() | facts, tensors)


def save(fit: "Fit", path: Path, made_with: str) -> None:
    """Write where a fit stands, in one stroke."""
    now = asdict(fit.progress)
    history = torch.tensor(now.pop("history"), dtype=torch.float64).reshape(-1, 3)
    moments = {
        f"adam.{i}.{name}": value
        for i, state in fit.optimiser.state_dict()["state"].items()
        for name, value in state.items()
    }
    kept = {f"kept.{name}": value for name, value in fit.kept.items()}
    extra = {} if fit.readout.moment is None else {"moment": fit.readout.moment}
    checkpoints.save(
        path,
        fit.state()
        | kept
        | moments
        | extra
        | {"history": history, "generator": fit.generator.get_state()}
        | {f"now.{k}": torch.tensor(v, dtype=torch.float64) for k, v in now.items()},
        made_with,
    )


def resume(fit: "Fit", path: Path, made_with: str) -> None:
    """Set a fit to where an earlier one stood, if there is a file.

    Raises ValueError for a file that was made with other settings or data.
    """
    saved = checkpoints.load(path, made_with)
    if saved is None:
        return
    fit.restore(saved)
    device = fit.data.activity.device
    fit.kept = {k[5:]: v.to(device) for k, v in saved.items() if k.startswith("kept.")}
    if "moment" in saved:
        fit.readout.moment = saved["moment"].to(device)
    fit.generator.set_state(saved["generator"])
    whole = fit.optimiser.state_dict()
    for name, value in saved.items():
        if name.startswith("adam."):
            _, index, part = name.split(".")
            whole["state"].setdefault(int(index), {})[part] = value
    fit.optimiser.load_state_dict(whole)
    now = fit.progress
    for name in ("step", "halvings", "stale"):
        setattr(now, name, int(saved[f"now.{name}"]))
    for name in ("best", "lowest", "variance"):
        setattr(now, name, float(saved[f"now.{name}"]))
    now.history = [(int(s), float(t), float(v)) for s, t, v in saved["history"]]
