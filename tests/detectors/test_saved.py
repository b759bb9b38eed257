"""A fitted detector is a value: it becomes plain values and back, and nothing moves while it is shared."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from outlearn import Detector, SeriesDetector
from outlearn.detectors import BaseDetector, ClassicalDetector, Committee, saved
from outlearn.detectors.model_file import ENTRIES, kind_of, read_model
from outlearn.detectors.provenance import Provenance
from outlearn.detectors.registry import load
from outlearn.errors import ReadError

TIMES = pd.date_range("2026-01-01", periods=700, freq="min")


def rows():
    """A table with a column of each of the plain kinds, and labels of a few rows."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    y = np.full(60, -1)
    y[:2], y[2:5] = 1, 0
    return table.assign(shop=np.resize(["A", "B"], 60)), y


def points():
    """A series with a range that is known to be anomalous."""
    x = np.sin(np.arange(700) / 5)
    x[400:430] = 0.0
    y = np.full(700, -1)
    y[400:430] = 1
    return pd.DataFrame({"time": TIMES, "x": x}), y


ESTIMATORS = {
    "profiles": (Detector(random_state=3), rows),
    "incontext": (Detector("incontext", contamination=0.1, random_state=3), rows),
    "protonet": (Detector("protonet", random_state=3), rows),
    "knn": (ClassicalDetector("knn", params={"k": np.int64(3)}, contamination=np.float32(0.25)), rows),
    "committee": (Committee(("knn", "protonet"), random_state=3), rows),
    "distances": (SeriesDetector(time_column="time", random_state=3), points),
    "subpca": (SeriesDetector("subpca", time_column="time", contamination=0.1), points),
}


@pytest.fixture(params=ESTIMATORS, scope="module")
def case(request):
    """A fitted detector with what it was fitted to."""
    estimator, data = ESTIMATORS[request.param]
    X, y = data()
    return estimator.fit(X, y), X, y


def test_each_class_that_a_file_may_name_is_held_to_this():
    assert set(saved.CLASSES.values()) == {type(estimator) for estimator, _ in ESTIMATORS.values()}


def test_a_detector_comes_back_from_its_values_and_arrays(case):
    detector, X, _ = case
    state, arrays = detector.to_state()
    plain = json.loads(json.dumps(state))
    again = type(detector).from_state(plain, arrays)
    assert type(again) is type(detector)
    assert again.anomaly_score(X).tobytes() == detector.anomaly_score(X).tobytes()
    assert (again.threshold_, again.promise_) == (detector.threshold_, detector.promise_)
    twice, same = again.to_state()
    assert json.dumps(twice) == json.dumps(plain)
    assert list(same) == list(arrays)
    assert all(np.array_equal(same[name], arrays[name]) for name in arrays)


def test_any_file_is_loaded_as_what_it_holds(case, tmp_path):
    detector, X, _ = case
    path = tmp_path / "model.outlearn"
    detector.save(path)
    again, known = load(path)
    assert type(again) is type(detector) and known is None
    assert again.anomaly_score(X).tobytes() == detector.anomaly_score(X).tobytes()
    assert kind_of(path) == detector.model_kind
    base, other = (BaseDetector, SeriesDetector)[:: -1 if kind_of(path) == "series" else 1]
    assert type(base.load(path)) is type(detector)
    with pytest.raises(ReadError, match=r"model\.outlearn is a model of \w+, not of \w+"):
        other.load(path)


def test_two_threads_score_as_before_while_a_third_updates(case):
    detector, X, y = case
    before, threshold = detector.anomaly_score(X).tobytes(), detector.threshold_
    fitted = dict(vars(detector))
    flipped = np.where(y == 1, 0, y)
    flipped[-3:] = 1
    with ThreadPoolExecutor(3) as pool:
        updates = [pool.submit(detector.update, X, labels) for labels in (flipped, y)]
        scores = [pool.submit(detector.anomaly_score, X) for _ in range(4)]
        assert {score.result().tobytes() for score in scores} == {before}
        updated = updates[0].result()
    assert detector.anomaly_score(X).tobytes() == before
    assert detector.threshold_ == threshold
    assert {name: value for name, value in vars(detector).items() if value is not fitted[name]} == {}
    assert type(updated) is type(detector)
    again = detector.update(X, flipped)
    assert again.anomaly_score(X).tobytes() == updated.anomaly_score(X).tobytes()


# ---- the layout of files, which earlier versions wrote and later ones read


def header_and_arrays(path, entry):
    with safe_open(path, framework="np") as file:
        return json.loads(file.metadata()[entry]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_a_file_of_rows_keeps_its_layout(tmp_path):
    path = tmp_path / "model.outlearn"
    known = Provenance("x.csv", 90, ("a note",), np.arange(60))
    X, y = rows()
    ClassicalDetector("knn", random_state=0).fit(X, y).save(path, known)
    state, arrays = header_and_arrays(path, "outlearn")
    assert list(state) == [
        "format", "version", "class", "params", "encoder", "features",
        "n_features", "seed", "calibrator", "contamination", "provenance",
    ]  # fmt: skip
    assert sorted(arrays) == ["calibration", "cells", "support", "support_rows", "support_y"]
    assert (state["format"], state["class"]) == (1, "ClassicalDetector")
    _, again = load(path)
    assert (again.learnt_from, again.total, again.notes) == ("x.csv", 90, ("a note",))
    assert again.support_rows.tolist() == list(range(60))


def test_a_file_of_series_keeps_its_layout_and_is_read_without_a_class(tmp_path):
    path = tmp_path / "model.outlearn"
    X, y = points()
    detector = SeriesDetector(time_column="time", random_state=0).fit(X, y)
    detector.save(path)
    state, arrays = header_and_arrays(path, "outlearn-series")
    assert sorted(arrays) == [
        f"known.0.{name}" for name in ("labels", "places", "rows", "starts", "times", "values")
    ]
    assert state.pop("class") == "SeriesDetector"
    assert list(state) == [
        "format", "version", "params", "reader", "features",
        "n_features", "seed", "normal", "notes", "known", "calibration",
    ]  # fmt: skip
    save_file(arrays, path, metadata={"outlearn-series": json.dumps(state)})  # as versions before wrote it
    for again in (SeriesDetector.load(path), load(path)[0]):
        assert again.anomaly_score(X).tobytes() == detector.anomaly_score(X).tobytes()


def test_row_numbers_that_are_not_those_of_the_support_are_refused(tmp_path):
    path = tmp_path / "model.outlearn"
    X, _ = rows()
    ClassicalDetector("knn").fit(X).save(path, Provenance("x.csv", support_rows=np.arange(3)))
    with pytest.raises(ReadError, match="3 row numbers for a support of 60 rows"):
        load(path)


def test_a_file_of_neither_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": np.zeros(2)}, path, metadata={"other": "{}"})
    assert kind_of(path) is None and kind_of(tmp_path) is None
    with pytest.raises(ReadError, match="no entry outlearn or outlearn-series"):
        read_model(path)
    assert list(ENTRIES) == ["rows", "series"]
