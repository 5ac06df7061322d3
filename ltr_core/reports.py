"""A fit as a folder to keep: a page that says what was found, the model, its scores, its settings.

The page needs nothing but itself: no network, no script, no other file.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ltr_core.estimators import NotFitted
from ltr_core.examination import Examination
from ltr_core.ltrrnn.model import LtrRNN
from ltr_core.report_page import Figure, page

FORMAT = "ltr_core report 1"
FILES = ("report.html", "model.safetensors", "scores.csv", "ranks.csv", "settings.json")
MODEL = "ltrRNN"  # its name among the compared models
FEW_STEPS = 20  # of a fit; fewer are a test of the way from file to report
PACKAGES = ("ltr-core", "torch", "numpy", "scipy")

__all__ = ["FILES", "MODEL", "Figure", "free_folder", "verdict", "write_report"]


def write_report(
    folder: str | Path,
    *,
    title: str,
    examination: Examination,
    model: LtrRNN,
    scores: pd.DataFrame,
    figures: Sequence[Figure] = (),
    ranks: pd.DataFrame | None = None,
    source: str | Path | None = None,
    loaded_with: Mapping[str, Any] | None = None,
) -> Path:
    """Write a fit to a folder in one stroke: all of it, or nothing.

    - ``report.html``: what was examined and found, in words and pictures.
    - ``model.safetensors``: the fitted model, for `LtrRNN.load`.
    - ``scores.csv``: `scores`, held-out scores by model (columns model, fold, score, metric);
      ``ranks.csv``: `ranks`, those of every rank that was tried, as `grid_search` gives them.
    - ``settings.json``: settings of the fit, `loaded_with` (how the file was read), name and
      SHA-256 of the file that is the `source`, versions.

    A folder that an earlier report was written to is replaced. Returns the folder's path.

    Raises FileExistsError for a folder that holds anything else, which is left as it is;
    NotFitted; ValueError for scores without the columns above.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from ltr_core import LtrRNN, simulate_ltrrnn
    >>> from ltr_core.examination import examine
    >>> from ltr_core.reports import write_report
    >>> recording, _ = simulate_ltrrnn(n_trials=(4, 4), n_neurons=10, rank=1, dt=0.4)
    >>> parts = {"model": LtrRNN(rank=1, n_steps=2, substeps=1).fit(recording)}
    >>> parts |= {"scores": pd.DataFrame({"model": ["ltrRNN"], "score": [0.6], "metric": ["r2"]})}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(folder, title="A toy", examination=examine(recording), **parts)
    ...     sorted(file.name for file in path.iterdir())
    ['model.safetensors', 'report.html', 'scores.csv', 'settings.json']
    """
    target = free_folder(folder)
    for name in ("model", "score", "metric"):
        if name not in scores:
            raise ValueError(f"scores has no column '{name}', only {list(scores.columns)}.")
    if not hasattr(model, "history_"):
        raise NotFitted("The model is not fitted: call fit(recording) first.")
    facts = _facts(model, source, dict(loaded_with or {}))
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh = beside / "new"
        fresh.mkdir()
        model.save(fresh / "model.safetensors")
        scores.to_csv(fresh / "scores.csv", index=False)
        if ranks is not None:
            ranks.to_csv(fresh / "ranks.csv", index=False)
        text = page(
            title,
            examination,
            verdict=verdict(scores, steps=model.n_steps),
            scores=scores,
            figures=figures,
            facts=facts,
        )
        (fresh / "report.html").write_text(text, encoding="utf-8")
        settings = json.dumps(facts, indent=1, default=_plain, ensure_ascii=False)
        (fresh / "settings.json").write_text(settings + "\n", encoding="utf-8")
        _exchange(fresh, target, beside / "old")
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def free_folder(folder: str | Path) -> Path:
    """The path of a folder that a report may be written to; ask before a long fit.

    It may be missing, empty, or an earlier report. Raises FileExistsError for anything else.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ltr_core.reports import free_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(free_folder(Path(folder) / "report").name)
    report
    """
    target = Path(folder).expanduser().absolute()
    if not target.exists() and not target.is_symlink():
        return target
    if not target.is_dir() or target.is_symlink():
        raise FileExistsError(f"{target} is there and is no folder: name another one.")
    names = sorted(path.name for path in target.iterdir())
    others = [name for name in names if name not in FILES]
    if others or (names and not _is_report(target)):
        listed = ", ".join((others or names)[:5])
        raise FileExistsError(
            f"{target} holds what no report has written ({listed}), and would be replaced: name "
            "another folder, or move that away."
        )
    return target


def verdict(scores: pd.DataFrame, *, steps: int | None = None) -> str:
    """In words, how the model's mean held-out score stands beside those of the others.

    `scores` as `write_report` takes them; a fold in which it is better is one of the column `fold`.
    `steps`: how many each fit took; after very few there is no verdict.

    Examples
    --------
    >>> import pandas as pd
    >>> from ltr_core.reports import verdict
    >>> scores = pd.DataFrame({"model": ["ltrRNN", "fixed weights"], "score": [0.62, 0.55]})
    >>> print(verdict(scores.assign(fold=0, metric="r2"))[:63])
    On activity that was held out, the ltrRNN reaches 0.620 of the
    """
    if steps is not None and steps < FEW_STEPS:
        return (
            f"Each fit took {steps} {'step' if steps == 1 else 'steps'} only: this is a test of "
            "the way from the file to the report, and no verdict. The scores say nothing of the "
            "model or the data."
        )
    known = scores.dropna(subset="score")
    means = known.groupby("model", sort=False)["score"].mean()
    metric = scores["metric"].iloc[0]
    unit, falls = METRICS.get(metric, (metric, False))
    if MODEL not in means:
        return f"There is no held-out score of the {MODEL}."
    own = f"{means[MODEL]:.3f}"
    others = means.drop(MODEL)
    text = f"On activity that was held out, the {MODEL} reaches {own} {unit}"
    if others.empty:
        return f"{text}; there is nothing to compare it with."
    best = others.idxmin() if falls else others.idxmax()
    text += f"; the best of the models that it must beat, {best}, {others[best]:.3f}. "
    folds = known.pivot_table("score", "fold" if "fold" in known else None, "model")
    lead = (folds[MODEL] - folds[best]).dropna() * (-1 if falls else 1)
    if len(lead) and (lead > 0).all():
        return text + (
            f"The {MODEL} is better in every set of blocks ({len(lead)}), by {lead.min():.3g} at "
            "least. That weights change describes this activity better than these alternatives; "
            "it is not the only way to describe it."
        )
    if lead.mean() > 0:
        return text + (
            f"The {MODEL} is better on average, but not in every set of blocks: in "
            f"{int((lead > 0).sum())} of {len(lead)}. That is weak evidence. Score more sets of "
            "blocks before you read its factors."
        )
    return text + (
        f"The {MODEL} is not better: what it says about learning rests on no evidence here. Do not "
        "read its factors. More trials or neurons, other bins or another rank may help."
    )


#: What the scores are called, and whether low ones are good.
METRICS = {
    "bits_per_spike": ("bits per spike", False),
    "r2": ("of the variance (R²)", False),
    "pseudo_r2": ("of the deviance (pseudo-R²)", False),
    "nmse": ("of the variance left", True),
}


def _is_report(folder: Path) -> bool:
    try:
        facts = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and facts.get("format") == FORMAT


def _exchange(fresh: Path, target: Path, old: Path) -> None:
    """Put the new folder where the old one was; the old one comes back if that fails."""
    if not target.exists():
        os.replace(fresh, target)
        return
    os.replace(target, old)
    try:
        os.replace(fresh, target)
    except BaseException:
        os.replace(old, target)
        raise


def _facts(model: LtrRNN, source: str | Path | None, loaded_with: dict[str, Any]) -> dict[str, Any]:
    """What settings.json holds, without anything of the machine it was made on."""
    file = None
    if source is not None:
        with Path(source).expanduser().open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        file = {"name": Path(source).name, "sha256": digest}
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "format": FORMAT,
        "file": file,
        "loaded_with": loaded_with,
        "model": model.get_params(),
        "fitted": {
            "tau": model.tau_,
            "steps": int(model.history_["step"].max()) if len(model.history_) else 0,
            "interrupted": model.interrupted_,
        },
        "versions": {"python": platform.python_version(), **versions},
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
