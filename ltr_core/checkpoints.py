"""Files that long work leaves behind, so that it can go on where it was interrupted.

A checkpoint is one safetensors file, written beside its place and renamed into it, so that there
is never half a file. It carries the fingerprint of the settings it was made with.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


def fingerprint(settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """A digest of named settings (by their repr) and of the tensors' exact content."""
    digest = hashlib.sha256(json.dumps({k: repr(v) for k, v in sorted(settings.items())}).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save(path: Path, tensors: Mapping[str, Tensor], made_with: str) -> None:
    """Write tensors to `path` in one stroke; an older file stays until the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        save_file(whole, partial, metadata={"made_with": made_with})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path, made_with: str) -> dict[str, Tensor] | None:
    """The tensors of a checkpoint, or None where there is no file.

    Raises ValueError if the file is not a checkpoint or was made with other settings: it is
    left as it is, since it may hold hours of somebody's work.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            found = (file.metadata() or {}).get("made_with")
            tensors = {name: torch.clone(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} is not a readable checkpoint ({error}): move it away to start afresh."
        ) from error
    if found != made_with:
        raise ValueError(
            f"{path} was made with other settings, weights or tasks: give another path, "
            "or move the file away to start afresh."
        )
    return tensors
