"""A fitted detector of series as one file: arrays in safetensors, the rest as JSON in its header; no pickle.

What is kept is the series that it learnt from, with what is known of their points; on loading it learns from
them again, which with the same seed gives the same scores. Treat the file with the care that the series need.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.data.series import Series, SeriesReader
from outlearn.detectors.labelled_series import Known
from outlearn.detectors.series import SeriesDetector
from outlearn.errors import OutlearnError, ReadError
from outlearn.files import whole

__all__ = ["holds_series_model", "load_series", "save_series"]

FORMAT = 1
ENTRY = "outlearn-series"  # of the header
Arrays = dict[str, NDArray[Any]]


def save_series(detector: SeriesDetector, path: Path) -> None:
    """Write the detector, whole or not at all.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    params = detector.get_params(deep=False)
    params["weights"] = None if params["weights"] is None else str(Path(params["weights"]).resolve())
    params["ignore"] = list(params["ignore"])
    params["random_state"] = params["random_state"] if isinstance(params["random_state"], int) else None
    state = {
        "format": FORMAT,
        "version": __version__,
        "params": params,
        "reader": detector.reader_.to_state(),
        "features": list(map(str, getattr(detector, "feature_names_in_", []))),
        "n_features": detector.n_features_in_,
        "seed": detector.seed_,
        "normal": detector.normal_,
        "notes": list(detector.notes_),
        "known": [each.series.key for each in detector.known_],
        "calibration": [each.series.key for each in detector.calibration_],
    }
    arrays = {**_packed("known", detector.known_), **_packed("calibration", detector.calibration_)}
    with whole(path, errors=(OSError, SafetensorError), refusal="cannot write the model to") as part:
        save_file(arrays, part, metadata={ENTRY: json.dumps(state)})


def holds_series_model(path: Path) -> bool:
    """Tell whether a file is a model of series; False where it is another or cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return ENTRY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def load_series(path: Path) -> SeriesDetector:
    """Read a detector written by `save_series`.

    Raises
    ------
    ReadError
        When the file is absent, no model of series, or written by a later version.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ReadError(f"no model at {path}")
    try:
        with safe_open(path, framework="np") as file:
            state = json.loads((file.metadata() or {})[ENTRY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if state["format"] > FORMAT:
            raise ReadError(
                f"{path} was written by outlearn {state['version']}; this is {__version__}: upgrade"
            )
        return _restored(state, arrays)
    except OutlearnError:
        raise
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ReadError(f"{path} is not a model written by `SeriesDetector.save`: {error}") from error


def _restored(state: Mapping[str, Any], arrays: Arrays) -> SeriesDetector:
    detector = SeriesDetector(**state["params"])
    detector.reader_ = SeriesReader.from_state(state["reader"])
    detector.n_features_in_ = state["n_features"]
    if state["features"]:
        detector.feature_names_in_ = np.asarray(state["features"], dtype=object)
    detector.seed_, detector.normal_ = state["seed"], state["normal"]
    detector.notes_ = tuple(state["notes"])
    names = detector.reader_.channels
    detector.calibration_ = _unpacked("calibration", state["calibration"], arrays, names)
    detector.learn(_unpacked("known", state["known"], arrays, names))
    return detector


def _packed(kind: str, known: Sequence[Known]) -> Arrays:
    found: Arrays = {}
    for i, each in enumerate(known):
        series, first = each.series, f"{kind}.{i}."
        found[f"{first}labels"] = each.labels
        for name in ("values", "starts", "rows", "places"):
            found[first + name] = np.ascontiguousarray(getattr(series, name))
        if series.times is not None:
            found[f"{first}times"] = series.times.astype("datetime64[us]").astype(np.int64)
    return found


def _unpacked(kind: str, keys: Sequence[str], arrays: Arrays, names: tuple[str, ...]) -> list[Known]:
    found = []
    for i, key in enumerate(keys):
        told = {name: arrays[f"{kind}.{i}.{name}"] for name in ("values", "starts", "rows", "places")}
        times = arrays.get(f"{kind}.{i}.times")
        moments = None if times is None else times.astype("datetime64[us]")
        series = Series(**told, names=names, times=moments, key=key)
        found.append(Known(series, arrays[f"{kind}.{i}.labels"]))
    return found
