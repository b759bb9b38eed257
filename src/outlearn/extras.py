"""Optional dependencies, imported when first needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from outlearn.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, *, extra: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Raises
    ------
    MissingExtraError
        When the module is not installed.

    >>> require("math", extra="none").sqrt(4.0)
    2.0
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{module} is not installed; it comes with: pip install 'outlearn[{extra}]'"
        ) from error
