"""How the fit of a CP decomposition grows with its rank, and how stable its components are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int
from tqdm import tqdm

from ltr_core.decomposition.cp_decomposition import CP, compress_for, decompose
from ltr_core.decomposition.matching import factor_match
from ltr_core.decomposition.validation import AnyTensor, as_nonzero_tensor, check_rank


@dataclass(frozen=True)
class RankCurve:
    """CP decompositions of one tensor, for several ranks and seeds."""

    ranks: Int[np.ndarray, " rank"]
    seeds: Int[np.ndarray, " seed"]
    #: Fraction of the squared norm explained.
    fit: Float[np.ndarray, "rank seed"]
    #: Factor match score of every pair of seeds, in the order of itertools.combinations.
    match: Float[np.ndarray, "rank pair"]
    #: Where components cancel one another.
    degenerate: Bool[np.ndarray, "rank seed"]
    #: The decompositions themselves: `decompositions[i][j]` has rank `ranks[i]`, seed `seeds[j]`.
    decompositions: tuple[tuple[CP, ...], ...]

    @property
    def best_fit(self) -> Float[np.ndarray, " rank"]:
        """The best fit over the seeds at each rank."""
        return self.fit.max(axis=1)

    def rank_holding(self, fraction: float) -> int | None:
        """The first rank whose best fit is at least this fraction; None if no rank's is."""
        enough = self.best_fit >= fraction
        return int(self.ranks[enough.argmax()]) if enough.any() else None

    def best(self, rank: int) -> CP:
        """The decomposition of this rank that fits best over the seeds."""
        matching = np.flatnonzero(self.ranks == rank)
        if len(matching) == 0:
            raise ValueError(f"rank {rank} is not on the curve; it has {self.ranks.tolist()}")
        row = int(matching[0])
        return self.decompositions[row][int(np.argmax(self.fit[row]))]


def rank_curve(
    tensor: AnyTensor,
    ranks: Sequence[int],
    seeds: Sequence[int] = (0, 1, 2),
    *,
    n_restarts: int = 5,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
    progress: bool = False,
) -> RankCurve:
    """CP decompositions over ranks and seeds; the tensor is compressed once.

    All starts are random here, unlike in `cp`, so that agreement between seeds is evidence.

    - `tensor`: (step, post, pre).
    - `ranks`: the ranks to fit, each at least 1 and at most what the tensor's shape allows.
    - `seeds`: one decomposition of each rank for each.
    - `n_restarts`: starts within each decomposition, of which the best is kept.
    - `max_iterations`: as for `cp`.
    - `tolerance`: as for `cp`.
    - `progress`: shows a progress bar.

    Raises
    ------
    ValueError
        As `cp`, for any of the ranks before the first is fitted; or without any rank
        or seed.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import rank_curve, synthetic
    >>> change = synthetic.planted(np.random.default_rng(0), (12, 10, 10), rank=2).reconstruct()
    >>> curve = rank_curve(change, ranks=[1, 2, 3], seeds=[0, 1])
    >>> curve.fit.shape, bool((curve.fit[1:] > 0.9999).all()), bool((curve.fit[0] < 0.9).all())
    ((3, 2), True, True)
    >>> curve.best(2).rank, curve.rank_holding(0.99)
    (2, 2)
    """
    array = as_nonzero_tensor(tensor)
    for name, values in (("rank", ranks), ("seed", seeds)):
        if len(values) == 0 or len(set(values)) < len(values):
            raise ValueError(f"{name}s are {list(values)}; expected one or more, all different")
    for rank in ranks:
        check_rank(rank, array.shape)
    compression = compress_for(array, max(ranks))
    decompositions = tuple(
        tuple(
            decompose(
                compression,
                rank,
                n_restarts=n_restarts,
                seed=seed,
                max_iterations=max_iterations,
                tolerance=tolerance,
                may_refine=True,
                hosvd_start=False,
            )
            for seed in seeds
        )
        for rank in tqdm(ranks, desc="CP ranks", unit="rank", disable=not progress)
    )
    return RankCurve(
        ranks=np.array(ranks, dtype=np.int64),
        seeds=np.array(seeds, dtype=np.int64),
        fit=np.array([[d.fit for d in row] for row in decompositions]),
        match=np.array(
            [[factor_match(a, b) for a, b in combinations(row, 2)] for row in decompositions]
        ),
        degenerate=np.array([[d.degenerate for d in row] for row in decompositions]),
        decompositions=decompositions,
    )
