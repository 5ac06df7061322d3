"""Sentences of film reviews with people's ratings, as numbers that a network can read.

The data set "hutto2014" of `ltr_core.registry` is the source distribution of vaderSentiment 3.3.2
(Hutto & Gilbert 2014). It holds 10,605 sentences of reviews on rotten.tomatoes.com, collected by
Pang and Lee, each with the mean of at least 20 ratings from -4 (negative) to 4 (positive).
"""

import gzip
import html
import io
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# The sentences are in an archive inside the archive.
OUTER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
INNER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
PADDING, UNKNOWN = "<padding>", "<unknown>"
_TOKEN = re.compile(r"\w+(?:'\w+)*|[^\w\s]+")  # don't is one word; '' and ... are one each


class Reviews(NamedTuple):
    """Sentences and the mean `rating` (sentence,) of each, from -4 (negative) to 4 (positive).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import sentiment
    >>> reviews = sentiment.Reviews(("a fine film", "dull"), np.array([2.5, -1.5]))
    >>> [sentence for sentence, rating in zip(*reviews) if rating > 0]
    ['a fine film']
    """

    sentences: tuple[str, ...]
    rating: Float[np.ndarray, " sentence"]


class Examples(NamedTuple):
    """Sentences as numbers.

    - `words` (sentence, word): places in the vocabulary; 0 after a sentence's end.
    - `length` (sentence,): words of each.
    - `positive` (sentence,): whether the rating is positive.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> examples = parts.validation
    >>> examples.length.shape, examples.positive.sum().item()
    (torch.Size([20]), 10)
    >>> bool((examples.words[0, examples.length[0] :] == 0).all())
    True
    """

    words: Int[Tensor, "sentence word"]
    length: Int[Tensor, " sentence"]
    positive: Bool[Tensor, " sentence"]


class Split(NamedTuple):
    """What a network learns from, what it is tested on, and the words that it knows.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> len(parts.train.length), len(parts.validation.length), parts.vocabulary[:2]
    (60, 20, ('<padding>', '<unknown>'))
    """

    train: Examples
    validation: Examples
    vocabulary: tuple[str, ...]


def read_reviews(path: str | Path) -> Reviews:
    """The rated sentences in the data set's file, as `fetch("hutto2014")` gives it.

    Nothing is extracted to the disk. Raises ValueError for a file that cannot be read whole.

    Examples
    --------
    >>> from ltr_core import fetch, sentiment
    >>> from ltr_core.registry import available
    >>> if available("hutto2014"):  # otherwise it would be fetched here
    ...     reviews = sentiment.read_reviews(fetch("hutto2014"))
    ... else:
    ...     reviews = sentiment.toy_reviews(20)
    >>> len(reviews.sentences) == len(reviews.rating), bool(abs(reviews.rating).max() <= 4)
    (True, True)
    """
    path = Path(path)
    inner = _member(path.read_bytes(), OUTER, str(path))
    text = _member(inner, INNER, f"{path}: {OUTER}")
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise _damaged(f"{path}: {INNER}", f"it is not UTF-8 text ({error})") from error
    rated = [_rated(line, f"{path}: {INNER}, line {k}") for k, line in enumerate(lines, 1)]
    if not rated:
        raise _damaged(f"{path}: {INNER}", "it is empty")
    sentences, ratings = zip(*rated, strict=True)
    return Reviews(sentences, np.array(ratings))


def tokenise(sentence: str) -> list[str]:
    """Words and punctuation marks of a sentence, in lower case, HTML entities undone.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> sentiment.tokenise("It isn't bad ... it&#39;s GOOD!")
    ['it', "isn't", 'bad', '...', "it's", 'good', '!']
    """
    return _TOKEN.findall(html.unescape(sentence).lower().replace("’", "'"))


def split(
    reviews: Reviews,
    *,
    n_validation: int = 1000,
    n_train: int | None = None,
    min_rating: float = 0.5,
    min_count: int = 2,
    max_words: int = 40,
    seed: int = 0,
) -> Split:
    """Divide the clearly rated sentences at random, and number their words.

    Left out are sentences rated within `min_rating` of neutral and repetitions of a sentence.
    Both parts have as many positive ones, in proportion, as all; `n_train` of None takes all that
    are left. The vocabulary is that of the training sentences: words seen `min_count` times,
    the most frequent first, after the places 0 (padding) and 1 (any other word). Of a sentence
    the first `max_words` count.

    Raises ValueError for settings that are out of range or ask for more sentences than there are.

    Examples
    --------
    >>> from ltr_core import sentiment
    >>> parts = sentiment.split(sentiment.toy_reviews(600), n_validation=20, n_train=60)
    >>> len(parts.train.length), len(parts.validation.length)
    (60, 20)
    >>> sorted({"good", "bad", "not", "film"} & set(parts.vocabulary))
    ['bad', 'film', 'good', 'not']
    """
    for name, least, value in (
        ("n_validation", 2, n_validation),
        ("n_train", 2, 2 if n_train is None else n_train),
        ("min_count", 1, min_count),
        ("max_words", 1, max_words),
    ):
        if value < least:
            raise ValueError(f"{name} is {value}: it must be at least {least}.")
    if not 0 < min_rating <= 4:
        raise ValueError(f"min_rating is {min_rating}: it lies above 0 and not above 4.")
    words, positive = _clear(reviews, min_rating)
    n_train = len(words) - n_validation if n_train is None else n_train
    if n_train < 2 or n_train + n_validation > len(words):
        raise ValueError(
            f"{n_validation} sentences for validation and {max(n_train, 2)} for training are "
            f"asked for, of {len(words)} that are rated {min_rating} or more from neutral: ask "
            "for fewer, or lower min_rating."
        )
    order = _balanced(positive, np.random.default_rng(seed))
    held, learned = order[:n_validation], order[n_validation : n_validation + n_train]
    vocabulary = _vocabulary([words[i] for i in learned], min_count)
    places = {word: place for place, word in enumerate(vocabulary)}
    train, validation = (
        _numbered([words[i][:max_words] for i in part], positive[part], places)
        for part in (learned, held)
    )
    return Split(train, validation, vocabulary)


def _member(archive: bytes, name: str, where: str) -> bytes:
    """Content of one file in a compressed archive."""
    try:
        # All of it, so that its checksum is compared: tarfile would stop at what it looks for.
        whole = io.BytesIO(gzip.decompress(archive))
        with tarfile.open(fileobj=whole, mode="r:") as opened:
            file = opened.extractfile(name)
            if file is None:
                raise _damaged(where, f"{name} in it is not a file")
            return file.read()
    except KeyError as error:
        raise _damaged(where, f"it does not hold {name}") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _damaged(where, f"it is no whole archive ({error})") from error


def _rated(line: str, where: str) -> tuple[str, float]:
    """Sentence and rating of one line: number, rating, sentence, with tabs between."""
    fields = line.split("\t")
    if len(fields) != 3 or not fields[2].strip():
        raise _damaged(where, f"expected are number, rating and sentence, it is {line[:60]!r}")
    try:
        rating = float(fields[1])
    except ValueError:
        rating = np.nan
    if not abs(rating) <= 4:
        raise _damaged(where, f"the rating is {fields[1]!r}, not a number from -4 to 4")
    return fields[2].strip(), rating


def _damaged(where: str, what: str) -> ValueError:
    return ValueError(f"{where} is damaged: {what}. Take it away and fetch 'hutto2014' anew.")


def _clear(
    reviews: Reviews, min_rating: float
) -> tuple[list[list[str]], Bool[np.ndarray, " sentence"]]:
    """Words of the clearly rated sentences, each sentence once, and whether they are positive."""
    kept: dict[tuple[str, ...], bool] = {}
    for sentence, rating in zip(*reviews, strict=True):
        words = tuple(tokenise(sentence))
        if words and abs(rating) >= min_rating:
            kept.setdefault(words, bool(rating > 0))
    return [list(words) for words in kept], np.array(list(kept.values()), bool)


def _balanced(
    positive: Bool[np.ndarray, " sentence"], rng: np.random.Generator
) -> Int[np.ndarray, " sentence"]:
    """The sentences in random order, positive ones evenly spread: any stretch has its share."""
    place = np.empty(len(positive))
    for group in (positive, ~positive):
        n = int(group.sum())
        place[group] = (rng.permutation(n) + rng.random()) / max(n, 1)
    return np.argsort(place)


def _vocabulary(sentences: Sequence[list[str]], min_count: int) -> tuple[str, ...]:
    counts = Counter(word for words in sentences for word in words)
    known = sorted((-n, word) for word, n in counts.items() if n >= min_count)
    return (PADDING, UNKNOWN, *(word for _, word in known))


def _numbered(
    sentences: Sequence[list[str]],
    positive: Bool[np.ndarray, " sentence"],
    places: dict[str, int],
) -> Examples:
    length = torch.tensor([len(words) for words in sentences])
    numbers = torch.zeros(len(sentences), int(length.max()), dtype=torch.long)
    for row, words in zip(numbers, sentences, strict=True):
        row[: len(words)] = torch.tensor([places.get(word, 1) for word in words])
    return Examples(numbers, length, torch.from_numpy(positive))
