"""The exception tree.

::

    OutlearnError
    ├── InputError (also ValueError)    the user can mend it: exit code 2, HTTP 400
    │   ├── ReadError                   a source cannot be read
    │   │   └── ModelError              a model file is damaged, made up or of another version
    │   ├── SchemaError                 columns are not what was wanted
    │   ├── LabelError                  labels outside the allowed values
    │   ├── ParameterError              an argument outside its range
    │   ├── OutputError                 a result cannot be written
    │   ├── AccessError                 a role that may not do that: HTTP 403
    │   ├── AbsentError                 no job, incident, model, … of that name: HTTP 404
    │   ├── ConflictError               it changed meanwhile, or is there already: HTTP 409
    │   └── RateError                   tried too often: HTTP 429
    ├── StoreError                      the database of the service does not answer, or is damaged: HTTP 503
    ├── MissingExtraError (ImportError) an optional dependency is not installed
    └── WeightsError                    a checkpoint is absent, damaged or of another architecture

Every message says what came, what was wanted and what to do. It has a line for each argument of the error,
and no more, whatever names of files and columns are in it.
"""

from outlearn.shown import unbroken

__all__ = [
    "AbsentError",
    "AccessError",
    "ConflictError",
    "InputError",
    "LabelError",
    "MissingExtraError",
    "ModelError",
    "OutlearnError",
    "OutputError",
    "ParameterError",
    "RateError",
    "ReadError",
    "SchemaError",
    "StoreError",
    "WeightsError",
]


class OutlearnError(Exception):
    """Root of all errors raised on purpose by outlearn; each argument is a line of its message.

    >>> print(OutlearnError("no column a\\nerror: b", "- c"))
    no column a error: b
    - c
    """

    def __str__(self) -> str:
        return "\n".join(unbroken(str(line)) for line in self.args)


class InputError(OutlearnError, ValueError):
    """Something the user gave is not usable and the user can mend it."""


class ReadError(InputError):
    """A source of rows cannot be read."""


class ModelError(ReadError):
    """A model file is absent, damaged, made up, or of another version."""


class SchemaError(InputError):
    """Columns are not the ones that were wanted."""


class LabelError(InputError):
    """Labels outside the allowed values."""


class ParameterError(InputError):
    """An argument outside its allowed range."""


class OutputError(InputError):
    """A result cannot be written where it was asked for."""


class AccessError(InputError):
    """Somebody tried what their role may not do."""


class AbsentError(InputError):
    """There is no such job, run, incident, model, user or key."""


class ConflictError(InputError):
    """Something changed since it was read, or is there already."""


class RateError(InputError):
    """Something was tried too often. seconds : to wait before the next try."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class StoreError(OutlearnError):
    """The database of the service does not answer, is damaged, or was made by a later version."""


class MissingExtraError(OutlearnError, ImportError):
    """An optional dependency is not installed."""


class WeightsError(OutlearnError):
    """A checkpoint is absent, damaged or belongs to another architecture."""
