"""Learns how to detect anomalies.

>>> from outlearn import Detector
>>> Detector(contamination=0.02).get_params()["contamination"]
0.02
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outlearn.detectors.classical_detector import ClassicalDetector
    from outlearn.detectors.detector import Detector
    from outlearn.detectors.series import SeriesDetector
    from outlearn.feedback.policy import Inquiry
    from outlearn.pipeline import Monitor, detect
    from outlearn.tuning.tuner import MetaTuner

__all__ = [
    "ClassicalDetector",
    "Detector",
    "Inquiry",
    "MetaTuner",
    "Monitor",
    "SeriesDetector",
    "__version__",
    "detect",
]

__version__ = "0.1.0"

# Loaded when first asked for: `import outlearn` alone brings in neither torch nor scikit-learn.
_HOMES = {
    "ClassicalDetector": "outlearn.detectors.classical_detector",
    "Detector": "outlearn.detectors.detector",
    "Inquiry": "outlearn.feedback.policy",
    "MetaTuner": "outlearn.tuning.tuner",
    "Monitor": "outlearn.pipeline",
    "SeriesDetector": "outlearn.detectors.series",
    "detect": "outlearn.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'outlearn' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
