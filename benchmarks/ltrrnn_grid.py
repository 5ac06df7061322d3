"""A grid of 4 ranks x 3 seeds on two processes, against single fits in sequence."""

import numpy as np

from benchmarks import ltrrnn_cases as cases
from benchmarks.ltrrnn_cases import Case
from benchmarks.measuring import timed
from benchmarks.result import Criterion, Result, Row
from ltr_core.held_out import HeldOut
from ltr_core.ltrrnn import LtrRNN
from ltr_core.model_selection import grid_search

RANKS, SEEDS = (3, 4, 5, 6), (0, 1, 2)
PROCESSES = 2
MOST = 7.0  # single fits' time


def measure(quick: bool = False) -> Result:
    """Single fits before and after; the grid with processes to be started, then running ones."""
    case = cases.standard(quick)
    cases.fitted(cases.standard(quick=True), n_steps=2)  # the first call pays for imports
    settings = {"n_steps": 2} if quick else {}
    ranks, seeds = (RANKS, SEEDS) if not quick else ((1, 2), (0,))
    single = [timed(lambda: cases.fitted(case, **settings))[0].wall for _ in range(2)]
    grids = [_grid(case, ranks, seeds, settings, what) for what in ("cold", "warm")]
    single.append(timed(lambda: cases.fitted(case, **settings))[0].wall)
    usual = float(np.median(single))
    name = {"data": case.name}
    rows: list[Row] = [
        name | {"what": f"single fit, rank {case.rank}", "seconds": usual, "fits": 1}
    ]
    rows += [name | row | {"single fits": row["seconds"] / usual} for row in grids]
    criteria = [
        Criterion(
            f"a grid of {row['fits']} fits on {PROCESSES} {what} processes in at most {MOST:g} "
            "single fits' time",
            row["single fits"],
            None if quick else row["single fits"] <= MOST,
        )
        for what, row in zip(("cold", "warm"), rows[1:], strict=True)
    ]
    return Result("ltrRNN, grid", rows, criteria)


def _grid(
    case: Case, ranks: tuple[int, ...], seeds: tuple[int, ...], settings: dict, what: str
) -> Row:
    def search() -> float:
        found = grid_search(
            LtrRNN(**settings),
            case.recording,
            {"rank": ranks, "seed": seeds},
            folds=[HeldOut(test=case.test, train=case.train)],
            metric="nmse",
            n_jobs=PROCESSES,
        )
        if found["error"].notna().any():
            raise RuntimeError(f"A fit of the grid failed: {found['error'].dropna().iloc[0]}")
        return float(found.groupby("rank")["score"].mean().min())

    spent, best = timed(search)
    return {
        "what": f"grid, {what} processes",
        "seconds": spent.wall,
        "fits": len(ranks) * len(seeds),
        "best rank's nmse": best,
    }
