"""Findings as JSON and back: a document with its format and the kind of findings.

A document is ``{"format": 1, "kind": "table", "findings": {…}}`` and strict JSON: numbers that it
lacks are the texts "NaN", "Infinity" and "-Infinity", a moment is an ISO text. A cell of a table that
JSON has no type for is an object of one key, such as ``{"$date": "2026-01-31"}``; see `cell_out`.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from outlearn.decisions.budget import Budget
from outlearn.decisions.rule import OwnRule, Rule
from outlearn.errors import ReadError
from outlearn.findings.cells import cell_in, cell_out
from outlearn.findings.series import SeriesFindings
from outlearn.findings.table import Findings
from outlearn.findings.tuning import TuningFindings

__all__ = ["FORMAT", "AnyFindings", "dumps", "from_document", "loads", "plain", "to_document"]

FORMAT = 1  # a reader of it reads documents of every earlier one
AnyFindings = Findings | SeriesFindings | TuningFindings
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
KINDS: dict[str, type[AnyFindings]] = {
    "table": Findings,
    "series": SeriesFindings,
    "tuning": TuningFindings,
}


def to_document(findings: AnyFindings) -> dict[str, Any]:
    """Return findings as values that JSON has types for; `from_document` reads them back.

    >>> from outlearn.findings.tuning import TuningFindings
    >>> from outlearn.findings.table import Origin
    >>> findings = TuningFindings(Origin("a.csv", 9), "maml", "", 1.0, ("lof",), (0.1,), (0,), 0, (), ())
    >>> to_document(findings)["kind"], from_document(to_document(findings)) == findings
    ('tuning', True)
    """
    kind = next(name for name, of in KINDS.items() if type(findings) is of)
    return {"format": FORMAT, "kind": kind, "findings": plain(findings)}


def from_document(document: Any) -> AnyFindings:
    """Return the findings of a document.

    Raises
    ------
    ReadError
        When it is none, or was written by a later version.
    """
    from cattrs import transform_error

    if not isinstance(document, dict) or not {"format", "kind", "findings"} <= document.keys():
        raise ReadError("no findings: wanted an object of the keys format, kind and findings")
    form, kind = document["format"], document["kind"]
    if not isinstance(form, int) or form > FORMAT:
        raise ReadError(f"findings of format {form!r}; this version reads those up to {FORMAT}: upgrade")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ReadError(f"findings of kind {kind!r}; wanted one of {', '.join(KINDS)}")
    try:
        findings: AnyFindings = _converter().structure(document["findings"], KINDS[kind])
    except Exception as error:  # cattrs gathers faults of all fields, of whatever kind they are
        raise ReadError(f"no findings of kind {kind}: {'; '.join(transform_error(error)[:3])}") from error
    return findings


def dumps(findings: AnyFindings) -> str:
    """Return findings as a JSON text."""
    return json.dumps(to_document(findings), allow_nan=False)


def loads(text: str | bytes) -> AnyFindings:
    """Return the findings of a JSON text; see `from_document`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"no JSON: {error}") from error
    return from_document(document)


def plain(value: Any) -> Any:
    """Return any value that findings are made of as values that JSON has types for."""
    return _converter().unstructure(value)


@cache
def _converter() -> Any:
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook(float, _float_out)
    converter.register_structure_hook(float, lambda value, _: _float_in(value))
    converter.register_structure_hook_func(lambda of: of in (bool, int, str), _exactly)
    converter.register_structure_hook(float | Budget, lambda value, _: _amount(converter, value))
    converter.register_structure_hook(Rule | OwnRule, lambda value, _: _rule(converter, value))
    converter.register_structure_hook(float | str | None, lambda value, _: _value(value))
    converter.register_unstructure_hook_func(_is_cell, cell_out)
    converter.register_structure_hook_func(_is_cell, lambda value, _: cell_in(value))
    converter.register_unstructure_hook_func(_is_array, _array_out)
    converter.register_structure_hook_func(_is_array, _array_in)
    converter.register_unstructure_hook(np.datetime64, _moment_out)
    converter.register_structure_hook(np.datetime64, lambda value, _: np.datetime64(value, "us"))
    return converter


def _is_cell(of: Any) -> bool:
    return of is Any or of is object


def _is_array(of: Any) -> bool:
    return of is np.ndarray or get_origin(of) is np.ndarray


def _array_out(values: np.ndarray) -> list[Any]:
    if values.dtype.kind == "M":
        moments: list[str] = np.datetime_as_string(values.astype("datetime64[us]")).tolist()
        return moments
    if values.dtype.kind == "f":
        return _nested(values.tolist()) if not np.isfinite(values).all() else values.tolist()
    listed: list[Any] = values.tolist()
    return listed


def _nested(values: list[Any]) -> list[Any]:
    return [_nested(value) if isinstance(value, list) else _float_out(value) for value in values]


def _array_in(values: Any, of: Any) -> np.ndarray:
    (scalar,) = get_args(get_args(of)[1])
    if scalar is np.datetime64:
        return np.array(values, dtype="datetime64[us]")
    if issubclass(scalar, np.floating):
        return np.array(_floats_in(values), dtype=scalar)
    array = np.array(values, dtype=None if values else scalar)
    if array.dtype.kind != np.dtype(scalar).kind:
        raise ValueError(f"wanted a list of {np.dtype(scalar).name}")
    return array.astype(scalar)


def _floats_in(values: Any) -> list[Any]:
    return [_floats_in(value) if isinstance(value, list) else _float_in(value) for value in values]


def _float_out(value: float) -> float | str:
    """Return a number that JSON has, or the word for it.

    >>> _float_out(1.5), _float_out(math.nan), _float_out(-math.inf)
    (1.5, 'NaN', '-Infinity')
    """
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _float_in(value: Any) -> float:
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"wanted a number, got {value!r:.40}")
    return float(value)


def _rule(converter: Any, value: Any) -> Rule | OwnRule:
    own = isinstance(value, dict) and value.get("kind") in get_args(get_type_hints(OwnRule)["kind"])
    rule: Rule | OwnRule = converter.structure(value, OwnRule if own else Rule)
    return rule


def _amount(converter: Any, value: Any) -> float | Budget:
    """Read the value of a rule: a budget is an object."""
    if not isinstance(value, dict):
        return _float_in(value)
    budget: Budget = converter.structure(value, Budget)
    return budget


def _value(value: Any) -> float | str | None:
    """Read the value of a bin: texts are categories, for its numbers are finite."""
    return value if value is None or isinstance(value, str) else _float_in(value)


def _exactly(value: Any, of: type) -> Any:
    """Return a value of just that type: True is no whole number, and 1 no text."""
    if type(value) is not of:
        raise ValueError(f"wanted {of.__name__}, got {value!r:.40}")
    return value


def _moment_out(value: np.datetime64) -> str:
    return str(np.datetime_as_string(value.astype("datetime64[us]")))
