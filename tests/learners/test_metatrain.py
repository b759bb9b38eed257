"""The recipe, end to end, on tasks small enough for a test."""

from functools import partial
from pathlib import Path

import pytest

from outlearn.errors import OutputError, ParameterError
from outlearn.learners import metatrain as module
from outlearn.learners.incontext import ARCHITECTURE
from outlearn.learners.metatrain import CORPUS, metatrain
from outlearn.learners.pretrained import load_incontext
from outlearn.tasks.sampler import SamplerConfig
from outlearn.weights import read_checkpoint


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch):
    small = partial(SamplerConfig, support_rows=(30, 50), query_rows=24, columns=(2, 5), visibility=(0, 0))
    monkeypatch.setattr(module, "SamplerConfig", small)


def run(place: Path, **options) -> tuple[bytes, dict[str, float]]:
    notes = metatrain(place / "w.safetensors", episodes=12, epochs=2, seed=3, **options)
    return (place / "w.safetensors").read_bytes(), notes


def test_one_call_gives_a_checkpoint_and_the_same_one_each_time(tmp_path, sampler):
    stages: dict[str, list[tuple[int, int]]] = {}

    def tell(stage: str, done: int, total: int, loss: float) -> None:
        stages.setdefault(stage, []).append((done, total))

    written, notes = run(tmp_path / "one", progress=tell)
    assert run(tmp_path / "other") == (written, notes)
    assert stages == {"profiling episodes": [(12, 12)], "training": [(1, 2), (2, 2)]}
    assert set(notes) == {"held-out AUROC before", "held-out AUROC", "episodes"}

    path = tmp_path / "one" / "w.safetensors"
    _, header = read_checkpoint(path, ARCHITECTURE)
    assert (header.corpus, header.seed, header.notes) == (CORPUS, 3, notes)
    assert header.command == "outlearn metatrain --episodes 12 --epochs 2 --seed 3 --out w.safetensors"
    episode = sampler.episode(0)
    scores = load_incontext(path).adapt(episode.support_x, episode.support_y).score(episode.query_x)
    assert scores.shape == episode.query_y.shape


def test_an_interrupted_run_goes_on_to_the_same_checkpoint(tmp_path):
    whole, _ = run(tmp_path / "whole")

    def stop(stage: str, done: int, total: int, loss: float) -> None:
        if stage == "training":
            raise KeyboardInterrupt

    cut, stages = tmp_path / "cut", []
    with pytest.raises(KeyboardInterrupt):
        run(cut, folder=tmp_path / "state", progress=stop)
    assert not (cut / "w.safetensors").exists()
    resumed, _ = run(cut, folder=tmp_path / "state", progress=lambda stage, *_: stages.append(stage))
    assert resumed == whole
    assert stages == ["training", "training"]  # episodes were not profiled again


def test_too_few_episodes_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="8 episodes are too few"):
        metatrain(tmp_path / "w.safetensors", episodes=8)


def test_a_place_that_cannot_be_written_is_found_out_first(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot keep the training state"):
        metatrain(tmp_path / "file" / "w.safetensors", episodes=12)
