"""A detector as a file: whole or not at all, and what is refused when it is read."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from outlearn.data.infer import infer_schema
from outlearn.detectors import BaseDetector, ClassicalDetector, Detector
from outlearn.detectors.model_file import FORMAT
from outlearn.errors import OutputError, ReadError

X = np.random.default_rng(0).normal(size=(50, 3))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.outlearn"
    ClassicalDetector("knn", random_state=0).fit(X).save(path)
    return path


def rewritten(path, **changes):
    """Write the model anew with other entries in its header, None takes one out; return the path."""
    with safe_open(path, framework="np") as file:
        state = json.loads(file.metadata()["outlearn"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    state = {k: v for k, v in {**state, **changes}.items() if v is not None}
    save_file(arrays, path, metadata={"outlearn": json.dumps(state)})
    return path


@pytest.mark.parametrize("load", [BaseDetector.load, Detector.load, ClassicalDetector.load])
def test_any_class_loads_any_detector(load, model):
    assert isinstance(load(str(model)), ClassicalDetector)


def test_parameters_come_back_as_plain_values(tmp_path):
    path = tmp_path / "model.outlearn"
    params = {"k": np.int64(7)}
    detector = ClassicalDetector(
        "knn", params=params, contamination=np.float32(0.25), max_support=np.int32(40), random_state=3
    )
    detector.fit(X).save(path)
    again = BaseDetector.load(path)
    assert again.get_params() == {**detector.get_params(), "params": {"k": 7}, "contamination": 0.25}
    assert again.seed_ == detector.seed_ and again.n_features_in_ == 3
    assert not hasattr(again, "feature_names_in_")


def test_a_generator_is_not_kept_but_its_seed_is(tmp_path):
    path = tmp_path / "model.outlearn"
    detector = ClassicalDetector("iforest", random_state=np.random.default_rng(0)).fit(X)
    detector.save(path)
    again = BaseDetector.load(path)
    assert again.random_state is None and np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))


def test_the_fitted_schema_stands_for_the_one_given(tmp_path):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    detector = ClassicalDetector("knn", schema=infer_schema(frame, ignore=["b"])).fit(frame)
    detector.save(tmp_path / "model")
    again = BaseDetector.load(tmp_path / "model")
    assert again.schema is None and again.schema_ == detector.schema_
    assert np.array_equal(again.anomaly_score(frame.assign(b=99.0)), detector.anomaly_score(frame))


def test_a_checkpoint_is_kept_by_its_path(tmp_path):
    from outlearn.weights.checkpoint import shipped

    detector = Detector(weights=shipped("profiles"), random_state=0).fit(X)
    detector.save(tmp_path / "model")
    again = BaseDetector.load(tmp_path / "model")
    assert again.weights == str(shipped("profiles"))
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(pickle.dumps({"a": 1})),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: save_file({"support": X}, path),
        lambda path: save_file({"support": X}, path, metadata={"outlearn": "{"}),
        lambda path: save_file({"support": X}, path, metadata={"outlearn": "[]"}),
        lambda path: rewritten(path, seed=None),
        lambda path: rewritten(path, format="one"),
        lambda path: rewritten(path, params={"nope": 1}),
        lambda path: rewritten(path, params={"algorithm": "nope"}),
        lambda path: rewritten(path, encoder={}),
        lambda path: rewritten(path, calibrator={"centre": 0.0, "scale": -1.0}),
        lambda path: rewritten(path, **{"class": "Path"}),
    ],
)
def test_what_is_no_model_is_refused_with_its_name(damage, model):
    damage(model)
    with pytest.raises(ReadError, match=r"model\.outlearn"):
        BaseDetector.load(model)


def test_a_model_of_a_learner_whose_weights_are_gone_says_so(tmp_path):
    path = tmp_path / "model.outlearn"
    Detector("protonet", random_state=0).fit(X).save(path)
    rewritten(path, params={"learner": "reptile"})
    with pytest.raises(ReadError, match=r"cannot be used by this version: the learner 'reptile' ships no"):
        BaseDetector.load(path)


def test_a_damaged_table_of_cells_is_refused(model):
    with safe_open(model, framework="np") as file:
        header, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    arrays["cells"] = arrays["cells"][: len(arrays["cells"]) // 2].copy()
    save_file(arrays, model, metadata=header)
    with pytest.raises(ReadError, match=r"model\.outlearn"):
        BaseDetector.load(model)


def test_a_later_format_is_refused_with_what_to_do(model):
    rewritten(model, format=FORMAT + 1, version="99.0")
    with pytest.raises(ReadError, match=r"written by outlearn 99\.0.*upgrade"):
        BaseDetector.load(model)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ReadError, match="no model at"):
        BaseDetector.load(tmp_path)


@pytest.mark.parametrize("where", ["absent/model", "folder"])
def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(where, tmp_path):
    (tmp_path / "folder").mkdir()
    detector = ClassicalDetector("knn").fit(X)
    with pytest.raises(OutputError, match=f"cannot write the model to .*{where}"):
        detector.save(tmp_path / where)
    assert [file.name for file in tmp_path.rglob("*")] == ["folder"]


def test_a_model_is_replaced_whole(model, monkeypatch):
    before = model.read_bytes()

    def broken(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError, match="No space left on device"):
        ClassicalDetector("lof").fit(X).save(model)
    assert model.read_bytes() == before and len(list(model.parent.iterdir())) == 1


class Derived(ClassicalDetector):
    """A class that no file can name."""


def test_a_class_of_your_own_is_refused_when_saved(tmp_path):
    with pytest.raises(OutputError, match="Derived"):
        Derived("knn").fit(X).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
