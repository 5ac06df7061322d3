"""Struct arrays of MATLAB files, of version 5 to 7 (scipy) and of 7.3, which is HDF5 (h5py)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io

from ltr_core.extras import data_package
from ltr_core.loaders.listing import there_is

HDF5 = b"\x89HDF\r\n\x1a\n"

Value = str | np.ndarray


class StructArray(NamedTuple):
    """A struct array: its fields, its length, and what reads a field of some elements.

    Text is a str; numbers are an array in MATLAB's orientation.
    """

    fields: tuple[str, ...]
    size: int
    read: Callable[[str, Sequence[int]], list[Value]]

    def __call__(self, field: str, elements: Sequence[int] | None = None) -> list[Value]:
        """A field of some elements, all if not given; raises ValueError if there is none."""
        if field not in self.fields:
            raise ValueError(f"There is no field {field!r}. {there_is(field, self.fields)}")
        return self.read(field, range(self.size) if elements is None else elements)


@contextmanager
def open_structs(path: Path, name: str | None) -> Iterator[StructArray]:
    """A struct array of a file: the one of that name, or the only one.

    Raises ValueError for a file that is no MATLAB file or is damaged, and if it is not clear
    which variable is meant.
    """
    with path.open("rb") as file:
        # MATLAB writes HDF5 behind a header of 512 bytes.
        is_hdf5 = HDF5 in (file.read(len(HDF5)), file.read(512)[-len(HDF5) :])
    with _v73(path, name) if is_hdf5 else _v5(path, name) as structs:
        yield structs


@contextmanager
def _v5(path: Path, name: str | None) -> Iterator[StructArray]:
    try:
        variables = {found: kind for found, _, kind in scipy.io.whosmat(path)}
    except Exception as error:  # of many kinds, whatever the damage
        raise _unreadable(path, error) from error
    chosen = _choice(path, name, variables)
    try:
        content = scipy.io.loadmat(path, variable_names=[chosen])[chosen].ravel()
    except Exception as error:
        raise _unreadable(path, error) from error

    def read(field: str, elements: Sequence[int]) -> list[Value]:
        return [_from_v5(content[field][element]) for element in elements]

    yield StructArray(tuple(content.dtype.names or ()), len(content), read)


@contextmanager
def _v73(path: Path, name: str | None) -> Iterator[StructArray]:
    h5py = data_package("h5py")
    try:
        with h5py.File(path, "r") as file:
            variables = {key: _kind(file[key]) for key in file if not key.startswith("#")}
            yield _structs_v73(h5py, file, file[_choice(path, name, variables)])
    except (OSError, KeyError, RuntimeError) as error:
        raise _unreadable(path, error) from error


def _structs_v73(h5py: Any, file: Any, group: Any) -> StructArray:
    def is_of_array(field: str) -> bool:
        # A struct array has references for every field; a single struct the values themselves.
        dataset = group[field]
        return hasattr(dataset, "dtype") and dataset.dtype == h5py.ref_dtype and not _kind(dataset)

    fields = tuple(group)
    sizes = {group[field].size if is_of_array(field) else 1 for field in fields}
    if len(sizes) > 1:
        raise ValueError(f"The fields of {group.name} have different lengths: {sorted(sizes)}.")

    def read(field: str, elements: Sequence[int]) -> list[Value]:
        if not is_of_array(field):
            return [_from_v73(group[field]) for _ in elements]
        references = group[field][()].ravel()
        return [_from_v73(file[references[element]]) for element in elements]

    return StructArray(fields, sizes.pop() if sizes else 0, read)


def _choice(path: Path, name: str | None, variables: Mapping[str, str]) -> str:
    """The variable of that name, or the only struct array."""
    structs = [variable for variable, kind in variables.items() if kind == "struct"]
    if name is None and len(structs) == 1:
        return structs[0]
    if name is None and structs:
        raise ValueError(f"{path} has several struct arrays: pass name. {there_is('', structs)}")
    if name is None:
        raise ValueError(f"{path} has no struct array. Of variables: {there_is('', variables)}")
    if name not in structs:
        what = "is no struct array" if name in variables else "is not there"
        raise ValueError(f"{path}: {name!r} {what}. Of struct arrays: {there_is(name, structs)}")
    return name


def _kind(item: Any) -> str:
    """MATLAB's class of an HDF5 item; empty where it has none."""
    kind = item.attrs.get("MATLAB_class", b"")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def _from_v5(value: Any) -> Value:
    array = np.asarray(value)
    return "".join(array.ravel().tolist()) if array.dtype.kind == "U" else array


def _from_v73(item: Any) -> Value:
    if not hasattr(item, "dtype"):
        raise ValueError(f"{item.name} holds a struct or a sparse matrix: it must hold numbers.")
    is_text = _kind(item) == "char"
    if item.attrs.get("MATLAB_empty", 0):  # then the numbers are the lengths of the axes
        return "" if is_text else np.empty(item[()].astype(int).ravel())
    if is_text:
        return "".join(map(chr, item[()].T.ravel(order="F").tolist()))
    return np.asarray(item[()]).T


def _unreadable(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is not a readable MATLAB file, or is damaged: {error}.")
