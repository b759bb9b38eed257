"""Episodes as profiles on disk."""

import numpy as np
import pytest

from outlearn.execute import Processes
from outlearn.learners.profiles import bank as module
from outlearn.learners.profiles.bank import EpisodeProfiles, build_bank, profile_episode, situation
from outlearn.nets.incontext import LOG_COLUMNS, SITUATION
from outlearn.tasks.episode import Episode

COUNT = 5


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD", 2)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def equal(one: EpisodeProfiles, other: EpisodeProfiles) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) and getattr(one, name).dtype == dtype
        for name, dtype in (
            ("support", np.float16),
            ("support_y", np.int8),
            ("query", np.float16),
            ("query_y", np.int8),
            ("situation", np.float32),
            ("share", np.float32),
        )
    )


@pytest.mark.usefixtures("few_trees")
def test_a_bank_holds_the_profiles_of_its_episodes_in_order(tmp_path, sampler):
    told = []
    bank = build_bank(
        tmp_path,
        sampler.episode,
        COUNT,
        kind=EpisodeProfiles,
        read=profile_episode,
        progress=lambda *now: told.append(now),
    )
    assert [equal(p, profile_episode(sampler.episode(i))) for i, p in enumerate(bank)] == [True] * COUNT
    assert list(contents(tmp_path)) == [
        "0000000-0000002.npz",
        "0000002-0000004.npz",
        "0000004-0000005.npz",
    ]
    assert told == [(2, COUNT), (4, COUNT), (5, COUNT)]


@pytest.mark.usefixtures("few_trees")
def test_an_interrupted_build_makes_only_what_is_missing(tmp_path, sampler):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    build_bank(whole, sampler.episode, COUNT, kind=EpisodeProfiles, read=profile_episode)
    asked: list[int] = []

    def episode(index: int) -> Episode:
        asked.append(index)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return sampler.episode(index)

    with pytest.raises(KeyboardInterrupt):
        build_bank(cut, episode, COUNT, kind=EpisodeProfiles, read=profile_episode)
    assert list(contents(cut)) == ["0000000-0000002.npz"]
    build_bank(cut, episode, COUNT, kind=EpisodeProfiles, read=profile_episode)
    assert asked == [0, 1, 2, 3, 2, 3, 4]
    assert contents(cut) == contents(whole)
    build_bank(cut, episode, COUNT, kind=EpisodeProfiles, read=profile_episode)
    assert len(asked) == 7


def test_another_process_makes_the_same_bytes(tmp_path, sampler, shipped_forests):
    episodes = [sampler.episode(i) for i in range(COUNT)]
    build_bank(tmp_path / "here", episodes.__getitem__, COUNT, kind=EpisodeProfiles, read=profile_episode)
    with Processes(1) as pool:
        build_bank(
            tmp_path / "there",
            episodes.__getitem__,
            COUNT,
            kind=EpisodeProfiles,
            read=profile_episode,
            executor=pool,
        )
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


@pytest.mark.usefixtures("few_trees")
def test_the_order_of_the_support_does_not_matter(sampler):
    episode = sampler.episode(3)
    order = np.random.default_rng(0).permutation(len(episode.support_x))
    turned = Episode(
        episode.support_x[order],
        episode.support_y[order],
        episode.query_x,
        episode.query_y,
        episode.support_truth[order],
    )
    assert equal(profile_episode(episode), profile_episode(turned))


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize(("odd", "share"), [(0, 0.05), (1, 0.025), (8, 0.2), (30, 0.5)])
def test_the_share_is_that_of_the_support_within_bounds(odd, share):
    X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    truth = (np.arange(40) < odd).astype(np.int8)
    unknown = np.full(40, -1, dtype=np.int8)
    profiles = profile_episode(Episode(X, unknown, X[:2], truth[:2], truth))
    assert profiles.share == np.float32(share)


def test_a_situation_tells_size_and_labels():
    X = np.zeros((50, 8), dtype=np.float32)
    y = np.r_[np.zeros(10), np.ones(3), np.full(37, -1)].astype(np.int8)
    expected = [np.log(50) / 7, np.log(8) / 4, 0.2, np.log(4) / 3, 1]
    assert np.allclose(situation(X, y), expected)
    assert np.allclose(situation(X, np.zeros(50, dtype=np.int8))[2:], [1, 0, 0])


@pytest.mark.parametrize("columns", [1, 7, 500])
def test_the_network_reads_the_width_of_a_table_from_its_situation(columns):
    about = situation(np.zeros((10, columns), dtype=np.float32), np.full(10, -1, dtype=np.int8))
    assert len(about) == SITUATION
    assert np.exp(about[1] * LOG_COLUMNS) == pytest.approx(columns, rel=1e-4)
