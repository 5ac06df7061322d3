"""Choosing a setting from the table of a grid."""

from typing import Any, Literal

import numpy as np
import pandas as pd

#: What may differ between the scores of one value of a setting.
REPEATS = ("fold", "seed", "score", "metric", "seconds", "error")


def one_standard_error(
    results: pd.DataFrame, over: str = "rank", best: Literal["max", "min"] | None = None
) -> Any:
    """The smallest value whose mean score is within one standard error of the best mean.

    The standard error is that of the best value's mean. Where a table has several folds, the
    seeds of a fold are averaged first, since they share its data; with one fold the scores of
    the seeds are the repeats. Fits that failed (their score is NaN) do not count.

    - `results`: the table of `grid_search`, with a column `over`.
    - `best`: whether high or low scores are good; by the metric if not given.

    Raises ValueError where a column is missing, settings other than `over` vary too, metrics are
    mixed, or a value has a single score, which leaves the standard error undefined.

    Source: Hastie, Tibshirani & Friedman, Elements of Statistical Learning, sec. 7.10.

    Examples
    --------
    >>> import pandas as pd
    >>> from ltr_core import one_standard_error
    >>> table = pd.DataFrame(
    ...     {
    ...         "rank": [1, 1, 2, 2, 3, 3],
    ...         "fold": [0, 1, 0, 1, 0, 1],
    ...         "score": [0.10, 0.20, 0.58, 0.62, 0.56, 0.68],  # means 0.15, 0.60, 0.62
    ...     }
    ... )
    >>> one_standard_error(table)
    2
    """
    _check(results, over)
    scored = results[results["score"].notna()]
    if scored.empty:
        raise ValueError("No fit in the table has a score: its column error says why.")
    falls = (best or _direction(scored)) == "min"
    groups = [over, "fold"] if "fold" in scored and scored["fold"].nunique() > 1 else None
    repeats = scored if groups is None else scored.groupby(groups, as_index=False)["score"].mean()
    scores = repeats.groupby(over, sort=True)["score"]
    alone = scores.size().loc[lambda sizes: sizes < 2].index.tolist()
    if alone:
        raise ValueError(
            f"{over} {alone} has a single score, which leaves the standard error undefined: use "
            "more folds or seeds."
        )
    means = -scores.mean() if falls else scores.mean()
    top = means.idxmax()
    chosen = means.index[means >= means[top] - scores.sem()[top]].min()
    return chosen.item() if isinstance(chosen, np.generic) else chosen


def _check(results: pd.DataFrame, over: str) -> None:
    for name in (over, "score"):
        if name not in results:
            raise ValueError(f"The table has no column '{name}', only {list(results.columns)}.")
    for name in results.columns.difference([over, *REPEATS]):
        values = results[name].map(repr).unique()
        if len(values) > 1:
            raise ValueError(
                f"'{name}' varies too ({', '.join(values[:3])}): choose the rows of one value of "
                f"it, or drop the column, before choosing over '{over}'."
            )


def _direction(results: pd.DataFrame) -> Literal["max", "min"]:
    metrics = results["metric"].unique().tolist() if "metric" in results else []
    if len(metrics) > 1:
        raise ValueError(f"The table mixes metrics {metrics}: choose the rows of one.")
    return "min" if metrics == ["nmse"] else "max"
