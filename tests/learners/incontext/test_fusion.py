"""Late fusion: order and absence of modalities, agreement with its parts, training that resumes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from outlearn.errors import WeightsError
from outlearn.learners.incontext.fusion import (
    ABOUT,
    VOICES,
    Fused,
    Modality,
    load_fusion,
    save_fusion,
    see,
)
from outlearn.learners.pretrained import load_incontext
from outlearn.learners.training.fusion import hear, train_fusion
from outlearn.nets.fusion import FusionConfig, FusionNet
from outlearn.tasks.mixed import draw_mixed
from outlearn.weights import shipped

PARTS = (Modality("a", (0, 1, 2)), Modality("b", (3, 4, 5, 6), 7))


def records(n=60, odd=(), seed=0):
    """Rows of two modalities; `odd` ones are so in the second, missing where the last column is 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8)).astype(np.float32)
    X[:, 7] = rng.random(n) < 0.2
    X[list(odd), 3:7] += 6
    X[list(odd), 7] = 0
    X[X[:, 7] > 0.5, 3:7] = 0
    return X


@pytest.fixture(scope="module")
def fused():
    return Fused(load_incontext(), load_fusion(shipped("fusion")), PARTS)


@pytest.fixture(scope="module")
def scorer(fused):
    return fused.adapt(records(), np.zeros(60, dtype=np.int8))


def test_a_row_scores_the_same_alone_in_a_batch_and_after_a_shuffle(fused, scorer):
    X, y = records(), np.zeros(60, dtype=np.int8)
    new = records(9, odd=(2,), seed=1)
    scores = scorer.score(new)
    np.testing.assert_allclose(scorer.score(new[4:5]), scores[4:5], atol=1e-5)
    order = np.random.default_rng(0).permutation(60)
    again = fused.adapt(X[order], y)
    np.testing.assert_array_equal(again.score(new), scores)
    np.testing.assert_allclose(again.support_scores, scorer.support_scores[order], atol=1e-6)
    assert scores.argmax() == 2


def test_a_missing_modality_has_no_say(scorer):
    row = records(1, seed=3)
    row[0, 7] = 1
    other = row.copy()
    other[0, 3:7] = 99  # what stands in a missing part is never read
    np.testing.assert_array_equal(scorer.score(row), scorer.score(other))
    present = other.copy()
    present[0, 7] = 0
    assert scorer.score(present)[0] > scorer.score(row)[0]


def test_a_modality_of_too_few_rows_is_left_out(fused):
    X = records()
    X[5:, 7] = 1
    scorer = fused.adapt(X, np.zeros(60, dtype=np.int8))
    assert scorer._sights[1] is None and np.isfinite(scorer.score(X)).all()
    assert see(load_incontext(), X[:5], np.zeros(5, dtype=np.int8)) is None


def test_labels_raise_what_resembles_them_and_their_effect_is_told(fused):
    X = records(odd=(7, 8, 9))
    y = np.full(60, -1, dtype=np.int8)
    blind = fused.adapt(X, y)
    y[7] = 1
    told = fused.adapt(X, y)
    assert told.score(X[8:9])[0] > blind.score(X[8:9])[0]
    effects = told.label_effects(X[[8, 20]], X[[7]])
    assert effects.shape == (2, 1) and effects[0, 0] > max(0, effects[1, 0])
    assert 0 < told.contamination <= 0.5 and 0 <= told.uncertainty <= 1


def test_the_order_of_modalities_makes_no_difference():
    torch.manual_seed(0)
    net = FusionNet(FusionConfig(len(VOICES), len(ABOUT)))
    voices, about = torch.randn(2, 7, 3, len(VOICES)), torch.randn(2, 3, len(ABOUT))
    gone, absent = torch.rand(2, 7, 3) < 0.3, torch.tensor([[False, False, True], [False] * 3])
    turned = [2, 0, 1]
    same = net(voices[:, :, turned], about[:, turned], gone[:, :, turned], absent[:, turned])
    torch.testing.assert_close(net(voices, about, gone, absent), same)
    voices[0, :, 2] = 1e3  # absent: whatever it says
    torch.testing.assert_close(net(voices, about, gone, absent)[0], same[0])


def test_a_stream_of_tasks_is_addressable_and_holds_what_it_says():
    task, again = draw_mixed(5, 11), draw_mixed(5, 11)
    np.testing.assert_array_equal(task.episode.query_x, again.episode.query_x)
    assert not np.array_equal(task.episode.query_x[:5, :2], draw_mixed(5, 12).episode.query_x[:5, :2])
    for index in range(8):
        task = draw_mixed(0, index)
        parts = list(task.parts)
        assert parts[-1].stop == task.episode.support_x.shape[1]
        assert not task.query_gone.all(axis=1).any()
        for place, part in enumerate(parts):
            assert not task.episode.query_x[task.query_gone[:, place], part].any()


@pytest.mark.long
def test_training_resumes_and_writes_what_it_learnt(tmp_path, monkeypatch, few_trees):
    monkeypatch.setattr("outlearn.tasks.mixed.ROWS", (40, 60))
    monkeypatch.setattr("outlearn.learners.training.fusion.TOGETHER", 3)
    first = train_fusion(tmp_path / "a.safetensors", tasks=4, steps=6, held_out=2)
    asked = []
    monkeypatch.setattr(
        "outlearn.learners.training.fusion.hear", lambda *a, **k: asked.append(a) or hear(*a, **k)
    )

    def stop(stage, done, total, loss=None):
        if stage == "records" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_fusion(tmp_path / "b.safetensors", tasks=4, steps=6, held_out=2, progress=stop)
    asked.clear()
    second = train_fusion(tmp_path / "b.safetensors", tasks=4, steps=6, held_out=2)
    assert len(asked) == 3  # the first three were kept
    for name, value in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[name], value)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.md",
        "a.safetensors",
        "b.md",
        "b.safetensors",
    ]
    loaded = load_fusion(tmp_path / "b.safetensors")
    torch.testing.assert_close(loaded.state_dict()["weigh.head.weight"], second.weigh.head.weight.data)
    assert "| trained |" in (tmp_path / "b.md").read_text()


def test_weights_of_other_numbers_are_refused(tmp_path, monkeypatch):
    net = FusionNet(FusionConfig(len(VOICES), len(ABOUT)))
    monkeypatch.setattr("outlearn.learners.incontext.fusion.ABOUT", ABOUT[::-1])
    save_fusion(tmp_path / "x.safetensors", net, corpus="", seed=0, command="")
    monkeypatch.undo()
    with pytest.raises(WeightsError, match="other features"):
        load_fusion(tmp_path / "x.safetensors")
