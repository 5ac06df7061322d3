"""Which ranks of the learned change, or of the weights, a trained LSTM needs.

As in the supplement of Schuessler et al. (2020): the recurrent weights of one layer, W, are
replaced by W0 plus the leading singular components of the change W - W0, or by the leading
components of W itself; all other weights stay as learned.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ltr_core.learned_change import truncated
from ltr_core.sentiment.data import Examples
from ltr_core.sentiment.lstm import SentimentTraining, sentiment_accuracy


class SentimentTruncation(NamedTuple):
    """Accuracies of a trained network with other recurrent weights in one layer.

    - `ranks` (rank,). `change` (rank,): with W0 + the change truncated to a rank (rank 0 is W0).
      `rest` (rank,): with W0 + what this truncation leaves out (rank 0 is W).
      `weights` (rank,): with W truncated to it (rank 0 is no recurrence).
    - `shuffled` (shuffle,): with the entries of W0 permuted and the change kept whole.
    - `full`: of the network as trained.
    - `change_values`, `initial_values`, `final_values` (value,): singular values of W - W0, of W0
      and of W.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import sentiment
    >>> shares, values = np.array([0.5, 0.8, 0.9]), np.array([1.0, 0.5])
    >>> truncation = sentiment.SentimentTruncation(
    ...     np.arange(3), shares, shares[::-1], shares, shares[:1], 0.9, values, values, values
    ... )
    >>> truncation.lost.round(2).tolist(), truncation.restoring_rank(margin=0.15)
    ([0.4, 0.1, 0.0], 1)
    """

    ranks: Int[np.ndarray, " rank"]
    change: Float[np.ndarray, " rank"]
    rest: Float[np.ndarray, " rank"]
    weights: Float[np.ndarray, " rank"]
    shuffled: Float[np.ndarray, " shuffle"]
    full: float
    change_values: Float[np.ndarray, " value"]
    initial_values: Float[np.ndarray, " value"]
    final_values: Float[np.ndarray, " value"]

    @property
    def lost(self) -> Float[np.ndarray, " rank"]:
        """What the accuracy falls short of the full one, with the change truncated."""
        return self.full - self.change

    def restoring_rank(self, margin: float = 0.01) -> int:
        """The least rank from which on the truncated change loses at most `margin` of accuracy.

        Raises ValueError if even the largest rank tried loses more.
        """
        short = np.flatnonzero(self.lost > margin)
        at = int(short[-1]) + 1 if short.size else 0
        if at == len(self.ranks):
            raise ValueError(
                f"At rank {self.ranks[-1]} accuracy is {self.change[-1]:.3f}, {margin} or more "
                f"below {self.full:.3f}: try larger ranks."
            )
        return int(self.ranks[at])


def truncate_sentiment(
    training: SentimentTraining,
    examples: Examples,
    ranks: Sequence[int],
    *,
    layer: int = -1,
    n_shuffles: int = 3,
    seed: int = 0,
) -> SentimentTruncation:
    """Accuracy with the change, and with the weights, truncated to each rank; and the shuffle.

    The network is that of the best epoch. As in the supplement of Schuessler et al. (2020).

    - `ranks`: from 0 to the number of units.
    - `layer`: whose recurrent weights are replaced; the last if not given.
    - `n_shuffles`: how often the entries of W0 are permuted.

    Raises ValueError for a layer that there is not, no ranks, or a rank not from 0 to full.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> settings = {"n_units": 4, "n_layers": 1, "n_embedding": 4}
    >>> training = sentiment.train_sentiment(parts, n_epochs=2, **settings)
    >>> truncation = sentiment.truncate_sentiment(training, parts.validation, [0, 1, 4])
    >>> truncation.change.shape, bool(truncation.change[-1] == truncation.full)  # 4 is full rank
    ((3,), True)
    """
    network = training.network
    if not -len(training.best) <= layer < len(training.best):
        raise ValueError(f"layer is {layer}: the network has {len(training.best)}, from 0.")
    initial, best = training.initial[layer].double(), training.best[layer].double()
    change = best - initial
    changes, weights = truncated(torch.stack([change, best]), ranks).unbind(1)

    def accuracy(recurrent: Tensor) -> float:
        return sentiment_accuracy(network.with_recurrent(recurrent.float(), layer), examples)

    rng = np.random.default_rng(seed)
    orders = [torch.from_numpy(rng.permutation(initial.numel())) for _ in range(n_shuffles)]
    return SentimentTruncation(
        ranks=np.array(ranks),
        change=np.array([accuracy(initial + cut) for cut in changes]),
        rest=np.array([accuracy(best - cut) for cut in changes]),
        weights=np.array([accuracy(cut) for cut in weights]),
        shuffled=np.array(
            [accuracy(initial.flatten()[order].view_as(initial) + change) for order in orders]
        ),
        full=sentiment_accuracy(network, examples),
        change_values=torch.linalg.svdvals(change).numpy(),
        initial_values=torch.linalg.svdvals(initial).numpy(),
        final_values=torch.linalg.svdvals(best).numpy(),
    )
