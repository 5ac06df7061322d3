"""A tiny archive in the data set's structure."""

import io
import tarfile

from ltr_core.sentiment.data import INNER, OUTER


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
