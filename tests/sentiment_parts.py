"""A tiny archive in the data set's structure, and a language that an LSTM learns in seconds."""

import io
import tarfile

import numpy as np

from ltr_core.sentiment import Reviews
from ltr_core.sentiment.data import INNER, OUTER

FILLERS = ("film", "plot", "actor", "scene", "ending")


def packed(name: str, content: bytes) -> bytes:
    """A compressed archive of one file, and another that nobody asks for."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as opened:
        for member, held in {"_README_.txt": b"read me", name: content}.items():
            info = tarfile.TarInfo(member)
            info.size = len(held)
            opened.addfile(info, io.BytesIO(held))
    return archive.getvalue()


def data_file(path, text: str | bytes):
    """A file in the data set's structure with this list of sentences."""
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(packed(OUTER, packed(INNER, content)))
    return path


def toy_reviews(n_sentences: int, seed: int = 0) -> Reviews:
    """Sentences whose sign is that of one word, turned round where it follows upon "not"."""
    rng = np.random.default_rng(seed)
    sentences, ratings = [], []
    for k in range(n_sentences):
        good, negated = k % 2 == 0, rng.random() < 0.5
        said = "good" if good != negated else "bad"
        words = [*rng.choice(FILLERS, rng.integers(2, 6)), *["not"] * negated, said]
        sentences.append(" ".join([*words, *rng.choice(FILLERS, rng.integers(1, 4))]))
        ratings.append(2.0 if good else -2.0)
    return Reviews(tuple(sentences), np.array(ratings))
