"""Trained learners to and from checkpoints."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from outlearn.errors import WeightsError
from outlearn.learners.incontext import ARCHITECTURE, InContext, InContextLearned
from outlearn.learners.pretrained import FEATURES, load_incontext, save_incontext
from outlearn.weights import Header, read_checkpoint, write_checkpoint

PROVENANCE = {"corpus": "made up", "seed": 4, "command": "by hand", "notes": {"held-out AUROC": 0.9}}


@pytest.fixture(scope="module")
def learned() -> InContextLearned:
    net = InContext(seed=4, width=16, latents=4, blocks=1).network().eval()
    for parameter in net.parameters():
        parameter.data += 0.05
    return InContextLearned(net)


def test_a_learner_scores_the_same_after_a_round_trip(learned, tmp_path, sampler):
    path, episode = tmp_path / "w.safetensors", sampler.episode(0)
    save_incontext(path, learned, **PROVENANCE)
    again = load_incontext(path)
    assert not again.net.training
    scores = [
        one.adapt(episode.support_x, episode.support_y).score(episode.query_x) for one in (learned, again)
    ]
    assert np.array_equal(*scores)


def test_a_checkpoint_says_where_it_comes_from(learned, tmp_path):
    path = tmp_path / "w.safetensors"
    save_incontext(path, learned, **PROVENANCE)
    _, header = read_checkpoint(path, ARCHITECTURE)
    assert header == Header(
        ARCHITECTURE, asdict(learned.net.config), features=FEATURES, sha256=header.sha256, **PROVENANCE
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture": "incontext-0"}, "incontext-0"),
        ({"features": FEATURES[1:]}, "other row statistics"),
        ({"config": {"statistics": 3}}, "do not fit the network"),
        ({"config": {"statistics": 3, "labels": 2, "width": 8}}, "do not fit the network"),
    ],
    ids=["architecture", "features", "half-a-config", "another-config"],
)
def test_a_checkpoint_that_does_not_fit_is_refused(learned, tmp_path, change, told):
    path = tmp_path / "w.safetensors"
    header = Header(ARCHITECTURE, asdict(learned.net.config), features=FEATURES, **PROVENANCE)
    write_checkpoint(path, learned.net.state_dict(), replace(header, **change))
    with pytest.raises(WeightsError, match=told):
        load_incontext(path)


def test_an_absent_checkpoint_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no checkpoint at .*none\.safetensors"):
        load_incontext(tmp_path / "none.safetensors")


def test_a_checkpoint_that_was_written_anew_is_read_anew(learned, tmp_path):
    path = tmp_path / "w.safetensors"
    save_incontext(path, learned, **PROVENANCE)
    assert load_incontext(path).net.config.width == 16
    other = InContextLearned(InContext(width=32, latents=4, blocks=1).network().eval())
    save_incontext(path, other, **PROVENANCE)
    assert load_incontext(path).net.config.width == 32


def test_the_shipped_learner_is_read_once():
    assert load_incontext() is load_incontext()
