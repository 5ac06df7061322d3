"""An LSTM that learns whether a sentence is positive, as in the supplement of Schuessler et al.

Layers of `torch.nn.LSTM` read a sentence word by word; a linear readout of the last layer's state
after the last word gives the log odds that it is positive. The recurrent weights of a layer are
(gate_unit, unit), acting as ``W @ h``: the rows are the input, forget, cell and output gates, one
after the other.
"""

import copy
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm import tqdm

from ltr_core.counts import check_counts
from ltr_core.learning import Diverged
from ltr_core.sentiment.data import Examples, Split

_EVALUATED_AT_ONCE = 512  # sentences; bounds the memory


class SentimentLSTM(torch.nn.Module):
    """Embedding, LSTM layers and readout; weights are drawn from torch's global generator.

    - `embedding_scale`: standard deviation of a word's initial `n_embedding` numbers, which
      stay as they are unless `learned_embedding`.
    - `dropout`: the share of the embedding's, each layer's and the last state's values that is
      set to 0 in training.

    Raises ValueError for sizes below 1, or a dropout below 0 or not below 1.

    Examples
    --------
    >>> import torch
    >>> from ltr_core import sentiment
    >>> network = sentiment.SentimentLSTM(50, n_units=4, n_layers=2, n_embedding=3)
    >>> network.recurrent.shape
    torch.Size([2, 16, 4])
    >>> words, length = torch.tensor([[3, 7, 0], [5, 2, 9]]), torch.tensor([2, 3])
    >>> network(words, length).shape
    torch.Size([2])
    >>> silent = network.with_recurrent(torch.zeros(16, 4))  # the last layer forgets
    >>> silent.recurrent[1].abs().max().item()
    0.0
    """

    def __init__(
        self,
        n_words: int,
        *,
        n_units: int = 128,
        n_layers: int = 2,
        n_embedding: int = 100,
        embedding_scale: float = 1.0,
        learned_embedding: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_counts(n_words=n_words, n_units=n_units, n_layers=n_layers, n_embedding=n_embedding)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}: a share, from 0 and below 1.")
        self.embedding = torch.nn.Embedding(n_words, n_embedding)
        with torch.no_grad():
            self.embedding.weight *= embedding_scale
        self.embedding.weight.requires_grad_(learned_embedding)
        self.lstm = torch.nn.LSTM(
            n_embedding,
            n_units,
            n_layers,
            batch_first=True,
            dropout=dropout if n_layers > 1 else 0.0,  # torch applies it between layers
        )
        self.dropout = torch.nn.Dropout(dropout)
        self.readout = torch.nn.Linear(n_units, 1)

    @property
    def recurrent(self) -> Float[Tensor, "layer gate_unit unit"]:
        """A copy of each layer's recurrent weights."""
        layers = [self._layer(k) for k in range(self.lstm.num_layers)]
        return torch.stack([layer.detach().clone() for layer in layers])

    def with_recurrent(
        self, weights: Float[Tensor, "gate_unit unit"], layer: int = -1
    ) -> "SentimentLSTM":
        """A copy with other recurrent weights in one layer.

        Raises ValueError for a layer that there is not, or weights of another shape.
        """
        n_layers = self.lstm.num_layers
        if not -n_layers <= layer < n_layers:
            raise ValueError(f"layer is {layer}: the network has {n_layers}, counted from 0.")
        changed = copy.deepcopy(self)
        place = changed._layer(layer % n_layers)
        if place.shape != weights.shape:
            raise ValueError(
                f"weights have shape {tuple(weights.shape)}, the layer's are {tuple(place.shape)}."
            )
        with torch.no_grad():
            place.copy_(weights)
        return changed

    def forward(
        self, words: Int[Tensor, "sentence word"], length: Int[Tensor, " sentence"]
    ) -> Float[Tensor, " sentence"]:
        """Log odds that each sentence is positive."""
        # The state after the last word knows nothing of the padding behind it: this is what
        # packed sequences give, in half of their time.
        states, _ = self.lstm(self.dropout(self.embedding(words)))
        last = states[torch.arange(len(words)), length - 1]
        return self.readout(self.dropout(last)).squeeze(-1)

    def _layer(self, layer: int) -> Tensor:
        weights = getattr(self.lstm, f"weight_hh_l{layer}")
        assert isinstance(weights, Tensor)
        return weights


class SentimentTraining(NamedTuple):
    """How a network learned.

    - `network`: with the weights of the epoch of the highest validation accuracy, `best_epoch`
      (counted from 0; the first of several).
    - `initial`, `best`, `final` (layer, gate_unit, unit): recurrent weights before learning, of
      that epoch, and of the last.
    - `loss`, `validation_loss`, `accuracy` (epoch,): mean cross-entropy in nats on the training
      sentences while learning (with dropout), and on the validation sentences after the epoch;
      share of validation sentences judged rightly.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> settings = {"n_units": 4, "n_layers": 1, "n_embedding": 4}
    >>> training = sentiment.train_sentiment(parts, n_epochs=2, **settings)
    >>> training.initial.shape, training.accuracy.shape, training.best_epoch in (0, 1)
    (torch.Size([1, 16, 4]), torch.Size([2]), True)
    """

    network: SentimentLSTM
    initial: Float[Tensor, "layer gate_unit unit"]
    best: Float[Tensor, "layer gate_unit unit"]
    final: Float[Tensor, "layer gate_unit unit"]
    loss: Float[Tensor, " epoch"]
    validation_loss: Float[Tensor, " epoch"]
    accuracy: Float[Tensor, " epoch"]
    best_epoch: int


def train_sentiment(
    split: Split,
    *,
    n_units: int = 128,
    n_layers: int = 2,
    n_embedding: int = 100,
    embedding_scale: float = 1.0,
    learned_embedding: bool = False,
    dropout: float = 0.5,
    learning_rate: float = 2e-3,
    batch_size: int = 64,
    n_epochs: int = 20,
    seed: int = 0,
) -> SentimentTraining:
    """Train an LSTM with Adam on sentences in batches of about equal length.

    As in the supplement of Schuessler et al. (2020). Settings from `n_units` to `dropout` are those
    of `SentimentLSTM`; a batch holds `batch_size` sentences, and an epoch each sentence once.

    Raises `Diverged` if the loss becomes NaN or infinite, and ValueError for settings out of range.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> settings = {"n_units": 4, "n_layers": 1, "n_embedding": 4}
    >>> settings |= {"dropout": 0.0, "learning_rate": 0.03}
    >>> training = sentiment.train_sentiment(parts, n_epochs=10, **settings)
    >>> training.loss.shape, bool(training.loss[-1] < training.loss[0])
    (torch.Size([10]), True)
    >>> bool((training.network.recurrent == training.best).all())
    True
    """
    if not learning_rate > 0:
        raise ValueError(f"learning_rate is {learning_rate}: it must be positive.")
    check_counts(batch_size=batch_size, n_epochs=n_epochs)
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(seed)
        network = SentimentLSTM(
            len(split.vocabulary),
            n_units=n_units,
            n_layers=n_layers,
            n_embedding=n_embedding,
            embedding_scale=embedding_scale,
            learned_embedding=learned_embedding,
            dropout=dropout,
        )
        initial = network.recurrent
        learned = [weights for weights in network.parameters() if weights.requires_grad]
        adam = torch.optim.Adam(learned, learning_rate)
        course: list[tuple[Tensor, Tensor, Tensor]] = []
        best, best_epoch = network, -1
        for epoch in tqdm(range(n_epochs), desc="learning", leave=False):
            loss = _learn(network, adam, split.train, batch_size)
            logits = _log_odds(network, split.validation)
            held = binary_cross_entropy_with_logits(logits, split.validation.positive.float())
            if not torch.isfinite(torch.stack([loss, held])).all():
                raise Diverged(
                    f"The loss became {loss.item()} (validation: {held.item()}) in epoch {epoch}: "
                    f"lower learning_rate (now {learning_rate})."
                )
            right = _share_right(logits, split.validation)
            if all(right > earlier for _, _, earlier in course):
                best, best_epoch = copy.deepcopy(network), epoch
            course.append((loss, held, right))
    losses, held_losses, accuracies = (torch.stack(column) for column in zip(*course, strict=True))
    return SentimentTraining(
        best,
        initial,
        best.recurrent,
        network.recurrent,
        losses,
        held_losses,
        accuracies,
        best_epoch,
    )


def sentiment_accuracy(network: SentimentLSTM, examples: Examples) -> float:
    """Share of sentences whose sign a network judges rightly, without dropout.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> network = sentiment.SentimentLSTM(len(parts.vocabulary), n_units=4, n_embedding=3)
    >>> 0 <= sentiment.sentiment_accuracy(network, parts.validation) <= 1  # untrained
    True
    """
    return _share_right(_log_odds(network, examples), examples).item()


def _learn(
    network: SentimentLSTM, adam: torch.optim.Adam, examples: Examples, batch_size: int
) -> Tensor:
    """One pass through all sentences; the mean loss met on the way."""
    network.train()
    n_sentences = len(examples.length)
    # By length, ties at random, so that a batch needs no padding to speak of.
    order = torch.argsort(examples.length + torch.rand(n_sentences))
    batches = order.split(batch_size)
    total = torch.zeros(())
    for k in torch.randperm(len(batches)).tolist():
        chosen = batches[k]
        length = examples.length[chosen]
        logits = network(examples.words[chosen, : int(length.max())], length)
        loss = binary_cross_entropy_with_logits(logits, examples.positive[chosen].float())
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += loss.detach() * len(chosen)
    return total / n_sentences


@torch.no_grad()
def _log_odds(network: SentimentLSTM, examples: Examples) -> Float[Tensor, " sentence"]:
    network.eval()
    order = torch.argsort(examples.length)
    found = torch.empty(len(order))
    for chosen in order.split(_EVALUATED_AT_ONCE):
        length = examples.length[chosen]
        found[chosen] = network(examples.words[chosen, : int(length.max())], length)
    return found


def _share_right(logits: Float[Tensor, " sentence"], examples: Examples) -> Float[Tensor, ""]:
    return ((logits > 0) == examples.positive).float().mean()
