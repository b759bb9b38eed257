"""Detectors: the estimators that users touch, and the classical detectors behind one of them.

Encode → adapt → score → decide. `base` holds the contract, `detector` the learnt detector, `pooled` the
classical ones by name, `committee` several together; `pool` is their dictionary, `pyod` the doors to PyOD.
"""

from outlearn.detectors.base import BaseDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.detector import Detector
from outlearn.detectors.named import LEARNERS, make_detector
from outlearn.detectors.pool import POOL
from outlearn.detectors.pooled import ClassicalDetector

__all__ = [
    "LEARNERS",
    "POOL",
    "BaseDetector",
    "ClassicalDetector",
    "Committee",
    "Detector",
    "make_detector",
]
