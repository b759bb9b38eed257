"""Detectors: the estimators that users touch, and the classical detectors behind one of them.

Encode → adapt → score → decide. `base` holds the contract, `detector` the learnt detector,
`classical_detector` the classical ones by name, `committee` several together; `pool` is their dictionary,
`registry` makes any of them by name, `pyod` holds the doors to PyOD.
"""

from outlearn.detectors.base import BaseDetector
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.detector import Detector
from outlearn.detectors.pool import POOL
from outlearn.detectors.registry import LEARNERS, make_detector

__all__ = [
    "LEARNERS",
    "POOL",
    "BaseDetector",
    "ClassicalDetector",
    "Committee",
    "Detector",
    "make_detector",
]
