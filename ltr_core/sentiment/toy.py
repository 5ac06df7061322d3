"""A made language in which the order of words matters, and an LSTM learns it in seconds."""

import numpy as np

from ltr_core.sentiment.data import Reviews

FILLERS = ("film", "plot", "actor", "scene", "ending")


def toy_reviews(n_sentences: int, seed: int = 0) -> Reviews:
    """Sentences whose sign is that of one word, turned round where it follows upon "not".

    "good" and "bad", each with and without "not", stand among words that mean nothing. That a
    sentence holds one of the three tells nothing of its sign.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> reviews = sentiment.toy_reviews(100)
    >>> sentence = reviews.sentences[0].split()
    >>> reviews.rating[:2].tolist(), ("not" in sentence) == ("bad" in sentence)
    ([2.0, -2.0], True)
    """
    rng = np.random.default_rng(seed)
    sentences, ratings = [], []
    for k in range(n_sentences):
        good, negated = k % 2 == 0, rng.random() < 0.5
        said = "good" if good != negated else "bad"
        words = [*rng.choice(FILLERS, rng.integers(2, 6)), *["not"] * negated, said]
        sentences.append(" ".join([*words, *rng.choice(FILLERS, rng.integers(1, 4))]))
        ratings.append(2.0 if good else -2.0)
    return Reviews(tuple(sentences), np.array(ratings))
