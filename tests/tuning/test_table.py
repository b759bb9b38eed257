"""The performance table, and the portfolio found on it."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from outlearn.errors import InputError, ReadError
from outlearn.tasks.corpus import Entry
from outlearn.tuning import table as module
from outlearn.tuning.source import SYNTHETIC, TaskSource, usable
from outlearn.tuning.space import configurations, default
from outlearn.tuning.strategies.portfolio import average_precisions, greedy
from outlearn.tuning.table import build_table, fingerprint, read_table, same_table
from outlearn.tuning.trials.candidate import fitted, scores

SMALL = replace(SYNTHETIC, support_rows=(60, 80), query_rows=60, columns=(2, 4))
CONFIGS = [*configurations("lof", 2), *configurations("kmeans", 2)]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "blob.npz"
    rng = np.random.default_rng(0)
    y = (np.arange(150) < 15).astype(int)
    np.savez(path, X=rng.normal(size=(150, 3)) + 4 * y[:, None], y=y)
    return TaskSource((Entry("blob", path, "", "blobs"),), synthetic=2, sampler=SMALL)


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    return build_table(folder, source, len(source), CONFIGS, about=source.about())


def test_entries_are_those_of_a_plain_fit(source, built):
    assert (built.tasks[0], built.families[0]) == ("blob", "blobs")
    assert built.auroc.shape == built.precision.shape == built.failed.shape == (3, 4)
    assert not built.failed.any() and (built.seconds > 0).all() and np.isfinite(built.measures).all()
    for t, c in ((0, 0), (2, 3)):
        episode = source(t)
        row_scores = scores(fitted(CONFIGS[c], episode.support_x), episode.query_x)
        assert built.auroc[t, c] == pytest.approx(roc_auc_score(episode.query_y, row_scores))
        assert built.precision[t, c] == pytest.approx(average_precision_score(episode.query_y, row_scores))
        kept = built.ranks[t][c]
        assert (built.truths[t] == episode.query_y).all()
        assert roc_auc_score(episode.query_y, kept) == pytest.approx(built.auroc[t, c], abs=1e-3)


def test_an_interrupted_table_goes_on_and_is_the_same(source, built, tmp_path):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_table(tmp_path, source, 3, CONFIGS, about=source.about(), progress=stop)
    assert len(list(tmp_path.glob("*.parquet"))) == 2
    calls = []

    def watched(index):
        calls.append(index)
        return source(index)

    again = build_table(tmp_path, watched, 3, CONFIGS, about=source.about())
    assert calls == [2]
    assert np.array_equal(again.precision, built.precision)
    assert np.array_equal(again.measures, built.measures)
    assert len(read_table(tmp_path, 2).tasks) == 2


def test_a_failing_configuration_is_an_entry(source, monkeypatch, tmp_path):
    def broken(config, X, **how):
        if config["detector"] == "lof":
            raise RuntimeError("no neighbours today")
        return fitted(config, X, **how)

    monkeypatch.setattr(module, "fitted", broken)
    table = build_table(tmp_path, source, 1, CONFIGS, about=source.about())
    assert table.failed.tolist() == [[True, True, False, False]]
    assert table.auroc[0, :2].tolist() == [0.5, 0.5]
    assert np.isnan(table.measures[0, :2]).all()


def test_another_table_and_a_damaged_one_are_refused(source, tmp_path):
    build_table(tmp_path, source, 1, CONFIGS[:1], about=source.about())
    with pytest.raises(InputError, match="configs"):
        build_table(tmp_path, source, 1, CONFIGS[:2], about=source.about())
    with pytest.raises(ReadError, match="no performance table"):
        read_table(tmp_path / "nowhere")
    (tmp_path / "00000.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ReadError, match="compute it anew"):
        read_table(tmp_path)


def test_a_table_of_another_version_is_told(source, tmp_path):
    build_table(tmp_path, source, 1, CONFIGS[:1], about=source.about())
    about = json.loads((tmp_path / "about.json").read_text())
    (tmp_path / "about.json").write_text(json.dumps({**about, "version": 1}))
    with pytest.raises(ReadError, match="version 1"):
        read_table(tmp_path)


def test_parts_of_a_table(built):
    subset = built.of([2, 0]).among([3, 1])
    assert subset.tasks == [built.tasks[2], built.tasks[0]]
    assert subset.configs == [CONFIGS[3], CONFIGS[1]]
    assert np.array_equal(subset.precision, built.precision[[2, 0]][:, [3, 1]])
    assert np.array_equal(subset.ranks[0], built.ranks[2][[3, 1]])


def test_a_table_is_known_again_by_a_sample_of_its_rows():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.exponential(size=4000), rng.normal(size=4000) * 1e4, rng.integers(0, 3, 4000)])
    half, rest = (fingerprint(subset.astype(np.float32)) for subset in (X[:2000], X[2000:]))
    assert same_table(half, rest)
    other = X.copy()
    other[:, 0] = rng.normal(size=4000)
    assert not same_table(half, fingerprint(other.astype(np.float32)))
    assert not same_table(half, fingerprint(X[:, :2].astype(np.float32)))
    assert not same_table(*(fingerprint(np.zeros((5, 2), np.float32)),) * 2)  # nothing is known of it


def test_a_source_goes_to_another_process(source):
    plain = replace(source, sampler=None)
    assert pickle.loads(pickle.dumps(plain)) == plain
    assert plain.about() != source.about()


def test_sets_with_too_few_anomalies_are_left_out(tmp_path):
    for name, odd in (("many", 8), ("few", 5)):
        np.savez(tmp_path / f"{name}.npz", X=np.arange(40.0)[:, None], y=np.arange(40) < odd)
    entries = [Entry(name, tmp_path / f"{name}.npz", "", name) for name in ("many", "few")]
    assert [entry.name for entry in usable(entries)] == ["many"]


def test_average_precisions_are_scikit_learns():
    rng = np.random.default_rng(0)
    truth, row_scores = (rng.random(50) < 0.2).astype(np.int8), rng.normal(size=(6, 50))
    plain = [average_precision_score(truth, line) for line in row_scores]
    np.testing.assert_allclose(average_precisions(truth, row_scores), plain)


def test_the_portfolio_is_that_of_a_plain_search(built):
    chosen = greedy(built, 3)
    assert chosen[0] == built.precision.mean(axis=0).argmax()

    def value(members):
        mixed = [ranks[members].astype(float).sum(axis=0) for ranks in built.ranks]
        return np.mean([average_precision_score(y, m) for y, m in zip(built.truths, mixed, strict=True)])

    for size in range(2, len(chosen) + 1):
        rest = [c for c in range(4) if c not in chosen[: size - 1]]
        best = max(value([*chosen[: size - 1], c]) for c in rest)
        assert value(chosen[:size]) == pytest.approx(best)
    assert all(value(chosen) >= value(chosen[:size]) for size in range(1, len(chosen)))


def test_weights_of_tasks_choose_the_portfolio(built):
    for t in range(3):
        first = greedy(built, 1, weights=np.eye(3)[t])[0]
        assert built.precision[t, first] == pytest.approx(built.precision[t].max(), abs=0.02)


def test_the_default_is_among_the_configurations(built):
    assert built.configs[0] == default("lof")
