"""A fitted detector as one file: arrays in safetensors, the rest as JSON in its header; no pickle.

What is kept is the support, its labels, the encoder and the decision; on loading, the detector adapts to that
support again, which with the same seed gives the same scores. The support holds rows of the user's table:
treat the file with the care that the table needs.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.data.encode import Encoder
from outlearn.decisions.calibrate import Calibrator
from outlearn.errors import OutputError, ParameterError, ReadError
from outlearn.files import whole

if TYPE_CHECKING:
    from outlearn.detectors.base import BaseDetector

__all__ = ["Provenance", "load", "save"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the support of a detector comes from.

    learnt_from : what it was fitted to, in words. total : rows of that, if known. notes : sentences on what
    was set aside, repaired or sampled. support_rows : (s,) row numbers, in what it was fitted to, of the
    support; -1 for rows that were added later; None where nobody knows.
    """

    learnt_from: str
    total: int | None = None
    notes: tuple[str, ...] = ()
    support_rows: NDArray[np.int64] | None = None


def save(detector: BaseDetector, path: Path, provenance: Provenance | None = None) -> None:
    """Write the detector, whole or not at all, with what is known of its support."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    if type(detector) not in _classes().values():
        raise OutputError(
            f"cannot write a {type(detector).__name__} to {path}: a file names {' or '.join(_classes())} only"
        )
    params = detector.get_params(deep=False)
    for key, value in params.items():
        if isinstance(value, Path):
            params[key] = str(value)
    params["schema"] = None  # the fitted schema is kept instead
    params["random_state"] = params["random_state"] if isinstance(params["random_state"], int) else None
    state = {
        "format": FORMAT,
        "version": __version__,
        "class": type(detector).__name__,
        "params": params,
        "encoder": detector.encoder_.to_state(),
        "features": list(map(str, getattr(detector, "feature_names_in_", []))),
        "n_features": detector.n_features_in_,
        "seed": detector.seed_,
        "calibrator": detector.calibrator_.to_dict(),
        "contamination": detector.contamination_,
    }
    arrays = {
        "support": detector.support_,
        "support_y": detector.support_y_,
        "calibration": detector.calibration_,
    }
    if provenance is not None:
        state["provenance"] = {
            "learnt_from": provenance.learnt_from,
            "total": provenance.total,
            "notes": provenance.notes,
        }
        if provenance.support_rows is not None:
            arrays["support_rows"] = provenance.support_rows
    buffer = io.BytesIO()
    detector.support_cells_.write_ipc(buffer)
    arrays["cells"] = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
    with whole(path, errors=(OSError, SafetensorError), refusal="cannot write the model to") as part:
        save_file(
            {k: np.ascontiguousarray(v) for k, v in arrays.items()},
            part,
            metadata={"outlearn": json.dumps(state, default=_plain)},
        )


def _plain(value: Any) -> Any:
    """Return a NumPy number as a Python one, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be kept in a model file")


def load(path: Path) -> tuple[BaseDetector, Provenance | None]:
    """Read what `save` wrote; nothing is known of the support of files without provenance.

    Raises
    ------
    ReadError
        When the file is absent, no model, or written by a later version.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ReadError(f"no model at {path}")
    try:
        with safe_open(path, framework="np") as file:
            state = json.loads((file.metadata() or {})["outlearn"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if state["format"] > FORMAT:
            raise ReadError(
                f"{path} was written by outlearn {state['version']}; this is {__version__}: upgrade"
            )
        return _restore(state, arrays), _provenance(state, arrays)
    except (SafetensorError, pl.exceptions.PolarsError, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ReadError):
            raise
        if isinstance(error, ParameterError):  # a model it is, of what this version does not have
            raise ReadError(f"{path} cannot be used by this version: {error}") from error
        raise ReadError(
            f"{path} is not a model written by `outlearn fit` or `detector.save`: {error}"
        ) from error


def _classes() -> dict[str, type[BaseDetector]]:
    from outlearn.detectors.classical_detector import ClassicalDetector
    from outlearn.detectors.committee import Committee
    from outlearn.detectors.detector import Detector

    return {"Detector": Detector, "ClassicalDetector": ClassicalDetector, "Committee": Committee}


def _provenance(state: dict[str, Any], arrays: dict[str, np.ndarray]) -> Provenance | None:
    known, rows = state.get("provenance"), arrays.get("support_rows")
    if known is None:
        return None
    if rows is not None and rows.shape != arrays["support_y"].shape:
        raise ValueError(f"{len(rows)} row numbers for a support of {len(arrays['support_y'])} rows")
    return Provenance(str(known["learnt_from"]), known["total"], tuple(known["notes"]), rows)


def _restore(state: dict[str, Any], arrays: dict[str, np.ndarray]) -> BaseDetector:
    detector = _classes()[state["class"]](**state["params"])
    detector.n_features_in_ = state["n_features"]
    if state["features"]:
        detector.feature_names_in_ = np.asarray(state["features"], dtype=object)
    detector.encoder_ = Encoder.from_state(state["encoder"])
    detector.schema_ = detector.encoder_.schema
    detector.seed_ = state["seed"]
    detector.calibrator_ = Calibrator.from_dict(state["calibrator"])
    detector.contamination_ = state["contamination"]
    cells = pl.read_ipc(io.BytesIO(arrays["cells"].tobytes()))
    detector._set_support(arrays["support"], arrays["support_y"], cells)
    detector._set_calibration(arrays["calibration"])
    return detector
