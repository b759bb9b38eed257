"""Any detector by its name, as the command line names them, and from any model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlearn.detectors.base import BaseDetector
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.detector import Detector
from outlearn.detectors.model_file import read_model, reading
from outlearn.detectors.pool import POOL
from outlearn.detectors.provenance import Provenance
from outlearn.detectors.saved import restore
from outlearn.errors import ParameterError
from outlearn.learners.catalogue import CATALOGUE

if TYPE_CHECKING:
    from outlearn.detectors.series import SeriesDetector

__all__ = ["COMMITTEE", "LEARNERS", "load", "make_detector"]

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


def load(path: str | Path) -> tuple[BaseDetector | SeriesDetector, Provenance | None]:
    """Read any model file: the detector of rows or of series, and what is known of its support.

    Raises
    ------
    ModelError
        When the file is absent, no model, damaged, or written by a later version.
    """
    # Here, for it brings what trains learners along; it lets model files name itself.
    from outlearn.detectors.series import SeriesDetector

    model = read_model(Path(path))
    with reading(Path(path)):
        detector = restore(model)
        if not isinstance(detector, BaseDetector | SeriesDetector):
            raise TypeError(f"it holds a {type(detector).__name__}, which is no detector")
        return detector, Provenance.from_model(model)
