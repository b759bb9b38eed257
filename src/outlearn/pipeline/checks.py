"""What is refused of a request before anything is read."""

from __future__ import annotations

from pathlib import Path

from outlearn.errors import ParameterError
from outlearn.paths import check_apart, named_paths
from outlearn.pipeline.alerting import check_alerts
from outlearn.pipeline.output import FORMATS, check_output
from outlearn.pipeline.request import DetectRequest, HuntRequest
from outlearn.pipeline.suppression import Suppression

__all__ = ["check_request"]


def check_request(request: DetectRequest | HuntRequest) -> Suppression:
    """Refuse, before any row is read, outputs that cannot be written; return the known-good patterns."""
    outputs = request.outputs
    check_apart(named_paths(request))
    if outputs.top < 0:
        raise ParameterError(f"top is {outputs.top}; wanted 0 or more rows")
    if outputs.out is not None:
        check_output(Path(outputs.out), suffixes=FORMATS)
    return check_alerts(outputs.alerts)
