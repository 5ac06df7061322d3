"""Struct arrays written as MATLAB does: version 5 by scipy, 7.3 in HDF5 by hand."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

Trials = list[dict[str, Any]]


def write_v5(path: Path, variables: dict[str, Any]) -> Path:
    """Lists of dicts become struct arrays (1, n)."""
    content = {}
    for name, value in variables.items():
        if isinstance(value, list):
            array = np.empty((1, len(value)), dtype=[(field, object) for field in value[0]])
            for element, fields in enumerate(value):
                array[0, element] = tuple(fields.values())
            content[name] = array
        else:
            content[name] = value
    scipy.io.savemat(path, content)
    return path


def write_v73(path: Path, variables: dict[str, Any]) -> Path:
    """Lists of dicts become groups: of references for a struct array, of values for one struct."""
    with h5py.File(path, "w", userblock_size=512) as file:
        references = file.create_group("#refs#")
        for name, value in variables.items():
            if not isinstance(value, list):
                _put(file, name, value)
                continue
            group = file.create_group(name)
            group.attrs["MATLAB_class"] = np.bytes_("struct")
            for field in value[0]:
                if len(value) == 1:
                    _put(group, field, value[0][field])
                    continue
                column = group.create_dataset(field, (len(value), 1), h5py.ref_dtype)
                for element, fields in enumerate(value):
                    item = _put(references, f"{name}{field}{element}", fields[field])
                    column[element, 0] = item.ref
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path


def _put(group: h5py.Group, name: str, value: Any) -> h5py.Dataset:
    """A matrix, transposed as MATLAB's are; text as codes; the lengths of what is empty."""
    is_text = isinstance(value, str)
    array = np.array([[ord(letter) for letter in value]], np.uint16) if is_text else value
    array = np.atleast_2d(array)
    if array.size == 0:
        item = group.create_dataset(name, data=np.array(array.shape, np.uint64))
        item.attrs["MATLAB_empty"] = np.uint8(1)
    else:
        item = group.create_dataset(name, data=array.T)
    item.attrs["MATLAB_class"] = np.bytes_("char" if is_text else str(array.dtype))
    return item
