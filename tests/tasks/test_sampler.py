"""The stream of synthetic episodes: addressable, as asked, finite, neither trivial nor hopeless."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from outlearn.errors import ParameterError
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler


def test_an_episode_depends_on_its_number_alone():
    sampler = SyntheticSampler(SamplerConfig(seed=3))
    streamed = list(sampler.episodes(0, 4))
    again = SyntheticSampler(SamplerConfig(seed=3)).episode(3)
    assert np.array_equal(streamed[3].support_x, again.support_x)
    assert np.array_equal(streamed[3].support_y, again.support_y)
    assert streamed[3].origin == again.origin
    other = SyntheticSampler(SamplerConfig(seed=4)).episode(3)
    assert other.support_x.shape != again.support_x.shape or not np.array_equal(
        other.support_x, again.support_x
    )


@pytest.mark.parametrize("situation", ["normal", "contaminated", "clean", "labelled"])
def test_what_is_told_fits_the_situation(situation):
    config = SamplerConfig(
        seed=1, query_rows=40, contamination=(0.1, 0.2), labels=(3, 3), situations={situation: 1}
    )
    for episode in SyntheticSampler(config).episodes(0, 12):
        told, truth, n = episode.support_y, episode.support_truth, len(episode.support_y)
        assert 50 <= n <= 1000 and 2 <= episode.support_x.shape[1] <= 60
        assert episode.origin["n"] == n and episode.origin["d"] == episode.support_x.shape[1]
        assert episode.origin["contamination"] == truth.mean()
        if situation in ("normal", "clean"):
            assert truth.sum() == 0 and (told == (0 if situation == "normal" else -1)).all()
        else:
            assert 0.1 - 1 / n <= truth.mean() <= 0.2 + 1 / n
        if situation == "contaminated":
            assert (told == -1).all()
        if situation == "labelled":
            assert (told == 1).sum() == 3 and (truth[told >= 0] == told[told >= 0]).all()


def test_values_are_finite_float32_and_the_query_is_mixed():
    config = SamplerConfig(seed=2, query_rows=64, query_anomalies=(0.25, 0.5))
    for episode in SyntheticSampler(config).episodes(0, 40):
        for x in (episode.support_x, episode.query_x):
            assert x.dtype == np.float32 and np.isfinite(x).all()
        assert episode.query_y.dtype == np.int8 and 16 <= episode.query_y.sum() <= 32


def test_mixed_stream_has_every_prior_kind_and_situation():
    origins = [
        e.origin for e in SyntheticSampler(SamplerConfig(seed=5, support_rows=(50, 80))).episodes(0, 120)
    ]
    assert {o["prior"] for o in origins} == {"mixture", "causal", "copula", "discrete"}
    assert {o["situation"] for o in origins} == {"normal", "contaminated", "clean", "labelled"}
    assert len({kind for o in origins for kind in o["kinds"]}) == 8


def test_neighbours_neither_solve_nor_miss_the_clean_tasks():
    config = SamplerConfig(seed=6, support_rows=(100, 400), situations={"clean": 1})
    found = [_knn(episode) for episode in SyntheticSampler(config).episodes(0, 60)]
    low, middle, high = np.quantile(found, (0.1, 0.5, 0.9))
    assert 0.45 < low < 0.75 and 0.72 < middle < 0.93 and high > 0.93
    assert np.mean(np.array(found) > 0.995) < 0.25


def _knn(episode):
    centre, scale = episode.support_x.mean(axis=0), episode.support_x.std(axis=0)
    scale[scale == 0] = 1
    index = NearestNeighbors(n_neighbors=5).fit((episode.support_x - centre) / scale)
    distance = index.kneighbors((episode.query_x - centre) / scale)[0].mean(axis=1)
    return roc_auc_score(episode.query_y, distance)


@pytest.mark.parametrize(
    "bad",
    [
        {"support_rows": (10, 5)},
        {"columns": (1, 5)},
        {"contamination": (0, 0.8)},
        {"priors": {"moon": 1}},
        {"kinds": {"local": 0}},
        {"situations": {"clean": -1}},
        {"tries": 0},
    ],
)
def test_a_bad_configuration_is_refused(bad):
    with pytest.raises(ParameterError, match=next(iter(bad))):
        SamplerConfig(**bad)


def test_hidden_tasks_are_labelled_ones_that_neighbours_need_not_see():
    """Anomalies of labelled tasks are then seen less; tasks of other situations are the same."""
    mean = {}
    for hidden in (0.0, 1.0):
        config = SamplerConfig(seed=2, support_rows=(60, 120), query_rows=64, columns=(2, 8), hidden=hidden)
        sampler = SyntheticSampler(config)
        seen = []
        for index in range(60):
            episode = sampler.episode(index)
            if episode.origin["situation"] == "labelled":
                near = NearestNeighbors(n_neighbors=5).fit(episode.support_x[episode.support_truth == 0])
                seen.append(roc_auc_score(episode.query_y, near.kneighbors(episode.query_x)[0].mean(axis=1)))
            elif hidden:
                plain = SyntheticSampler(replace(config, hidden=0.0)).episode(index)
                assert np.array_equal(plain.query_x, episode.query_x)
        mean[hidden] = np.mean(seen)
    assert mean[1.0] < mean[0.0] - 0.03
