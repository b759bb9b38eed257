"""The exception tree.

::

    OutlearnError
    ├── InputError (also ValueError)    the user can mend it: exit code 2, HTTP 400
    │   ├── ReadError                   a source cannot be read
    │   │   └── ModelError              a model file is damaged, made up or of another version
    │   ├── SchemaError                 columns are not what was wanted
    │   ├── LabelError                  labels outside the allowed values
    │   ├── ParameterError              an argument outside its range
    │   └── OutputError                 a result cannot be written
    ├── MissingExtraError (ImportError) an optional dependency is not installed
    └── WeightsError                    a checkpoint is absent, damaged or of another architecture

Every message says what came, what was wanted and what to do.
"""

__all__ = [
    "InputError",
    "LabelError",
    "MissingExtraError",
    "ModelError",
    "OutlearnError",
    "OutputError",
    "ParameterError",
    "ReadError",
    "SchemaError",
    "WeightsError",
]


class OutlearnError(Exception):
    """Root of all errors raised on purpose by outlearn."""


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


class MissingExtraError(OutlearnError, ImportError):
    """An optional dependency is not installed."""


class WeightsError(OutlearnError):
    """A checkpoint is absent, damaged or belongs to another architecture."""
