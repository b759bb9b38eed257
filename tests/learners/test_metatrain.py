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

STAGES = [("profiling episodes", 12, 12), ("training", 1, 2), ("training", 2, 2)]
Run = tuple[bytes, dict[str, float], list[tuple[str, int, int]]]


@pytest.fixture(autouse=True)
def _small_tasks(few_trees, monkeypatch):
    small = partial(SamplerConfig, support_rows=(30, 50), query_rows=24, columns=(2, 5), visibility=(0, 0))
    monkeypatch.setattr(module, "SamplerConfig", small)


def run(place: Path, *, stop: bool = False, **options) -> Run:
    told = []

    def tell(stage: str, done: int, total: int, loss: float) -> None:
        told.append((stage, done, total))
        if stop and stage == "training":
            raise KeyboardInterrupt

    notes = metatrain(place / "w.safetensors", episodes=12, epochs=2, seed=3, progress=tell, **options)
    return (place / "w.safetensors").read_bytes(), notes, told


def test_one_call_gives_a_checkpoint_interrupted_or_not(tmp_path, sampler):
    written, notes, told = run(tmp_path)
    assert told == STAGES
    assert set(notes) == {"held-out AUROC before", "held-out AUROC", "episodes"}

    path = tmp_path / "w.safetensors"
    _, header = read_checkpoint(path, ARCHITECTURE)
    assert (header.corpus, header.seed, header.notes) == (CORPUS, 3, notes)
    assert header.command == "outlearn metatrain --episodes 12 --epochs 2 --seed 3 --out w.safetensors"
    episode = sampler.episode(0)
    scores = load_incontext(path).adapt(episode.support_x, episode.support_y).score(episode.query_x)
    assert scores.shape == episode.query_y.shape

    cut, state = tmp_path / "cut", tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        run(cut, folder=state, stop=True)
    assert not cut.exists()
    # Episodes are not profiled again, and the bytes are the same.
    assert run(cut, folder=state) == (written, notes, STAGES[1:])


def test_too_few_episodes_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="8 episodes are too few"):
        metatrain(tmp_path / "w.safetensors", episodes=8)


def test_a_place_that_cannot_be_written_is_found_out_first(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot keep the training state"):
        metatrain(tmp_path / "file" / "w.safetensors", episodes=12)
