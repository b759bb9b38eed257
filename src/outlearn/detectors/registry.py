"""Any detector by its name, as the command line names them."""

from __future__ import annotations

from typing import Any

from outlearn.detectors.base import BaseDetector
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.detector import Detector
from outlearn.detectors.pool import POOL
from outlearn.errors import ParameterError
from outlearn.learners.catalogue import CATALOGUE

__all__ = ["COMMITTEE", "LEARNERS", "make_detector"]

LEARNERS = tuple(CATALOGUE)
COMMITTEE = "committee"


def make_detector(name: str = "profiles", **params: Any) -> BaseDetector:
    """Return an unfitted detector: a learner, an algorithm of the classical pool, or the committee.

    >>> type(make_detector("lof")).__name__
    'ClassicalDetector'
    """
    if name in LEARNERS:
        return Detector(name, **params)
    if name in POOL:
        return ClassicalDetector(name, **params)
    if name == COMMITTEE:
        return Committee(**params)
    known = ", ".join([*LEARNERS, COMMITTEE, *sorted(POOL)])
    raise ParameterError(f"no detector is called {name!r}; there are {known}")
