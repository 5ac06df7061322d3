"""The rated sentences: read whole or refused, and divided without leaks."""

import numpy as np
import pytest
import torch
from sentiment_parts import data_file, packed

from ltr_core.registry import available, fetch
from ltr_core.sentiment import Reviews, read_reviews, split, tokenise, toy_reviews
from ltr_core.sentiment.data import INNER, OUTER, PADDING, UNKNOWN

TEXT = (
    "1\t2.26666666667\tThe ''Rock'' isn't   dull.\r\n"
    "2\t-0.6\tLilo &amp; Stitch: caf\u00e9...\r\n"
    "3\t0.1\tIt\u2019s a film"
)


def words_of(examples, vocabulary):
    return [
        [vocabulary[k] for k in row[:n]]
        for row, n in zip(examples.words, examples.length.tolist(), strict=True)
    ]


def test_sentences_and_ratings_are_those_of_the_file(tmp_path):
    reviews = read_reviews(data_file(tmp_path / "data.tar.gz", TEXT))
    assert reviews.sentences == (
        "The ''Rock'' isn't   dull.",
        "Lilo &amp; Stitch: caf\u00e9...",
        "It\u2019s a film",
    )
    np.testing.assert_allclose(reviews.rating, [2.26666666667, -0.6, 0.1])
    assert [path.name for path in tmp_path.iterdir()] == ["data.tar.gz"]  # nothing was extracted
    assert [tokenise(sentence) for sentence in reviews.sentences] == [
        ["the", "''", "rock", "''", "isn't", "dull", "."],
        ["lilo", "&", "stitch", ":", "caf\u00e9", "..."],
        ["it's", "a", "film"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t2.0\tfine\n2\tgood\n", "line 2 is damaged: expected are number, rating and sentence"),
        ("1\t2.0\tfine\n2\t1.0\t \n", "line 2 is damaged: expected are number, rating"),
        ("1\thigh\tfine\n", "line 1 is damaged: the rating is 'high'"),
        ("1\tnan\tfine\n", "line 1 is damaged: the rating is 'nan'"),
        ("1\t4.5\tfine\n", "the rating is '4.5', not a number from -4 to 4"),
        ("", "is damaged: it is empty"),
        (b"1\t2.0\tfin\xe9\n", "is not UTF-8"),
    ],
)
def test_damaged_lists_are_refused_by_line(tmp_path, text, message):
    path = data_file(tmp_path / "data.tar.gz", text)
    with pytest.raises(ValueError, match=message) as raised:
        read_reviews(path)
    assert str(path) in str(raised.value)
    assert "fetch 'hutto2014' anew" in str(raised.value)


def test_damaged_archives_are_refused(tmp_path):
    path = data_file(tmp_path / "data.tar.gz", TEXT)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-6] ^= 1  # in the checksum
    inner = packed(INNER, TEXT.encode())
    for content, message in (
        (whole[:-20], "no whole archive"),
        (whole[:100], "no whole archive"),
        (bytes(flipped), "no whole archive"),
        (b"<html>", "no whole archive"),
        (b"", "no whole archive"),
        (packed("other", inner), f"does not hold {OUTER}"),
        (packed(OUTER, inner[:-20]), f"{OUTER} is damaged: it is no whole archive"),
        (packed(OUTER, packed("other", b"")), f"does not hold {INNER}"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_reviews(path)
    with pytest.raises(FileNotFoundError):
        read_reviews(tmp_path / "none.tar.gz")


def test_a_split_is_balanced_disjoint_and_repeatable():
    rating = np.where(np.arange(200) < 140, 1.0, -1.0)  # 70 % positive, sorted as in the file
    # numbers spelt digit by digit, so that no word of a validation sentence is unknown
    reviews = Reviews(tuple(" ".join(f"{k:03d}") for k in range(200)), rating)
    signs = dict(zip(reviews.sentences, (rating > 0).tolist(), strict=True))
    held = []
    for n_validation, n_train, seed in ((50, None, 3), (20, 40, 3), (10, 190, 3), (50, None, 4)):
        settings = {"n_validation": n_validation, "n_train": n_train, "seed": seed}
        train, validation, vocabulary = split(reviews, **settings)
        assert len(vocabulary) == 12
        found = [[" ".join(w) for w in words_of(x, vocabulary)] for x in (train, validation)]
        assert [len(part) for part in found] == [n_train or 150, n_validation]
        assert len({*found[0], *found[1]}) == len(found[0]) + len(found[1])
        for part, sentences in zip((train, validation), found, strict=True):
            assert part.positive.tolist() == [signs[sentence] for sentence in sentences]
            assert part.positive.float().mean().item() == pytest.approx(
                0.7, abs=1.5 / len(sentences)
            )
        again = split(reviews, **settings)
        assert torch.equal(again.train.words, train.words)
        held.append(found[1])
    assert held[0] != held[3]  # another seed


def test_the_vocabulary_is_that_of_the_training_sentences():
    reviews = toy_reviews(60)
    parts = split(reviews, n_validation=20, seed=0)
    every = words_of(parts.train, parts.vocabulary)
    counts = [sum(row.count(word) for row in every) for word in parts.vocabulary[2:]]
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= 2
    assert parts.vocabulary[:2] == (PADDING, UNKNOWN)
    lone = Reviews(
        (*reviews.sentences, *(f"only here{k}" for k in range(40))),
        np.concatenate([reviews.rating, np.tile([1.0, -1.0], 20)]),
    )
    held = split(lone, n_validation=20, min_count=1, seed=0)
    unknown = [words for words in words_of(held.validation, held.vocabulary) if UNKNOWN in words]
    assert unknown  # a word of a validation sentence alone
    assert all(words == ["only", UNKNOWN] for words in unknown)
    assert not any(UNKNOWN in words for words in words_of(held.train, held.vocabulary))
    rare = split(lone, n_validation=20, min_count=2, seed=0)
    assert not any(word.startswith("here") for word in rare.vocabulary)


def test_what_is_left_out():
    sentences = ("fine one", "Fine  one", "so so", "poor one", "b b", "c c", "...", "d " * 50)
    rating = np.array([1.0, 1.5, 0.4, -0.5, 2.0, -2.0, 0.0, -3.0])
    parts = split(Reviews(sentences, rating), n_validation=2, min_count=1, max_words=7)
    assert len(parts.train.length) == 3  # of fine, poor, b, c, d: once each
    assert max(parts.train.length.max(), parts.validation.length.max()) == 7
    for part in (parts.train, parts.validation):
        for words, length in zip(part.words, part.length.tolist(), strict=True):
            assert (words[:length] > 0).all()
            assert (words[length:] == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_validation": 1}, "n_validation is 1: it must be at least 2"),
        ({"n_train": 1}, "n_train is 1"),
        ({"min_count": 0}, "min_count is 0"),
        ({"max_words": 0}, "max_words is 0"),
        ({"min_rating": 0.0}, "min_rating is 0.0"),
        ({"n_validation": 60}, "60 sentences for validation and 2 for training .* of 60"),
        ({"n_validation": 30, "n_train": 31}, "30 .* and 31 for training .* of 60"),
        ({"min_rating": 2.5}, "of 0 that are rated 2.5"),
    ],
)
def test_settings_that_do_not_fit(settings, message):
    reviews = toy_reviews(400)
    distinct = dict(zip(reviews.sentences, reviews.rating.tolist(), strict=True))
    sixty = [*distinct.items()][:60]
    reviews = Reviews(tuple(k for k, _ in sixty), np.array([v for _, v in sixty]))
    with pytest.raises(ValueError, match=message):
        split(reviews, **({"n_validation": 20} | settings))


def test_the_real_data_set():
    if not available("hutto2014"):
        pytest.skip("the data set hutto2014 is not at hand")
    reviews = read_reviews(fetch("hutto2014"))
    assert len(reviews.sentences) == 10_605
    assert (abs(reviews.rating) >= 0.5).sum() == 10_072
    parts = split(reviews)
    assert len(parts.train.length) + len(parts.validation.length) == 10_070  # two are repetitions
    assert parts.train.positive.float().mean().item() == pytest.approx(0.496, abs=0.001)
    assert parts.train.length.float().mean().item() == pytest.approx(20.9, abs=0.5)
