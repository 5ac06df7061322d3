"""Packages that only some of the project needs, imported when they are used."""

from importlib import import_module
from typing import Any


def data_package(name: str) -> Any:
    """A package of the extra `data`; raises ImportError that says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"This needs {name}, which cannot be imported ({error}): pip install ltr-core[data]"
        ) from error
