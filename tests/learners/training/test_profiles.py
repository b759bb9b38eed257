"""Meta-training of the learner on row profiles, end to end, on tables small enough for a test."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from outlearn import Detector
from outlearn.errors import ParameterError
from outlearn.learners.training import real
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig
from outlearn.learners.training.metatrain import metatrain
from outlearn.weights import read_checkpoint


@pytest.fixture(autouse=True)
def _small(monkeypatch, few_trees):
    monkeypatch.setattr(real, "PLAIN", 2)
    monkeypatch.setattr(real, "UNLABELLED_ROWS", 60)
    monkeypatch.setattr(real, "REFERENCE_ROWS", 60)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Five small sets of three owners, and one that has no task in it."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [("file", "licence", "source")]
    for name, load in (("wine", load_wine), ("iris", load_iris), ("cancer", load_breast_cancer)):
        X, classes = load(return_X_y=True)
        for odd in np.unique(classes)[: 1 if name == "cancer" else 2]:
            kept = np.r_[np.flatnonzero(classes != odd)[:60], np.flatnonzero(classes == odd)[:8]]
            np.savez(folder / f"{name}{odd}.npz", X=X[kept, :4], y=classes[kept] == odd)
            lines.append((f"{name}{odd}.npz", "CC-BY-4.0", name))
    np.savez(folder / "none.npz", X=np.zeros((5, 2)), y=np.zeros(5))
    lines.append(("none.npz", "", "nobody"))
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return folder


def config(corpus: Path | None, **tasks) -> MetatrainConfig:
    return MetatrainConfig(
        learner="profiles",
        seed=3,
        tasks=TaskConfig(corpus=corpus, held_out=0.34, **tasks),
        training=TrainingConfig(steps=3, every=2),
    )


class Stop:
    def __init__(self, stage: str, done: int) -> None:
        self.at = stage, done

    def __call__(self, stage: str, done: int, total: int | None, loss: float | None = None, /) -> None:
        if (stage, done) == self.at:
            raise KeyboardInterrupt


def test_a_run_ends_the_same_interrupted_or_not_and_its_result_detects(tmp_path, corpus):
    whole = metatrain(config(corpus), tmp_path / "w.safetensors")
    written = whole.checkpoint.read_bytes()
    assert whole.held_out and {figure.group for figure in whole.figures["after training"]} >= {
        "all",
        "unlabelled, no known anomalies",
    }

    cut, state = tmp_path / "cut" / "w.safetensors", tmp_path / "state"
    for stop in (Stop("profiling tables", 25), Stop("training: reference", 2), Stop("training: level", 2)):
        with pytest.raises(KeyboardInterrupt):
            metatrain(config(corpus), cut, folder=state, progress=stop)
        assert not cut.exists()
    assert metatrain(config(corpus), cut, folder=state).checkpoint.read_bytes() == written

    _, header = read_checkpoint(whole.checkpoint, "profiles-3")
    assert header.command == "outlearn metatrain --config settings.toml --out w.safetensors"
    assert "held_out = 0.34" in header.notes["settings"]

    assert "CC-BY-4.0" in header.corpus and "labelled real tables" in whole.card.read_text()
    X = np.vstack([np.random.default_rng(0).normal(size=(60, 3)), np.full((1, 3), 9.0)])
    assert np.isfinite(Detector(weights=whole.checkpoint, random_state=0).fit(X).anomaly_score(X)).all()


def test_what_it_cannot_learn_from_is_named(tmp_path, corpus):
    out = tmp_path / "w.safetensors"
    with pytest.raises(ParameterError, match="there is no corpus to learn from"):
        metatrain(config(None), out)
    with pytest.raises(ParameterError, match=r"no set of .* matches"):
        metatrain(config(corpus, pattern="moon*"), out)
    with pytest.raises(ParameterError, match="are of one family"):
        metatrain(config(corpus, pattern="iris*"), out)
    with pytest.raises(ParameterError, match="none of 1 sets has 20 normal rows and 2 anomalies"):
        metatrain(config(corpus, pattern="none*"), out)


@pytest.mark.parametrize(
    "given", [{"widths": (8,)}, {"options": {"width": 8}}, {"training": TrainingConfig(epochs=3)}]
)
def test_settings_that_would_go_unread_are_refused(given):
    with pytest.raises(ParameterError, match="not for the learner 'profiles'"):
        MetatrainConfig(learner="profiles", **given)
