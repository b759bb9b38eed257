"""A fleet: what tells of a fault on some machines is known on the next one."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn import SeriesDetector
from outlearn.cli.app import app
from outlearn.data.series import Series
from outlearn.errors import InputError, ParameterError, WeightsError
from outlearn.learners.series.fleet import train_fleet

MACHINES, POINTS = 8, 900


def machine(seed):
    """Two channels: the first is odd now and then and means nothing, a dip of the second is a fault."""
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(POINTS)[:, None] / 9 + np.arange(2)) + 0.05 * rng.normal(size=(POINTS, 2))
    labels = np.zeros(POINTS, dtype=np.int8)
    for start in rng.choice(np.arange(100, 800, 100), 4, replace=False):
        values[start : start + 50, 0] += rng.normal(0, 3, size=50)
    for start in rng.choice(np.arange(150, 850, 100), 2, replace=False):
        values[start : start + 40, 1] *= 0.3
        labels[start : start + 40] = 1
    return values, labels


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("fleet") / "fleet.safetensors"
    parts = [machine(seed) for seed in range(MACHINES)]
    found = train_fleet([(Series.of_array(values), labels) for values, labels in parts], out, steps=100)
    return out, found


def test_what_means_nothing_on_other_machines_is_not_odd_on_the_next(trained):
    out, found = trained
    assert found.machines >= 1
    assert found.learnt > found.plain + 0.1
    values, labels = machine(99)
    learnt = SeriesDetector("reptile", weights=out, random_state=0).fit(values)
    plain = SeriesDetector(random_state=0).fit(values)
    ours, theirs = (each.anomaly_score(values) for each in (learnt, plain))
    assert ours[labels == 1].mean() > ours[labels == 0].mean()
    from sklearn.metrics import average_precision_score

    assert average_precision_score(labels, ours) > average_precision_score(labels, theirs) + 0.1
    told = np.where(np.arange(POINTS) < POINTS // 2, labels, -1)
    adapted = SeriesDetector("reptile", weights=out, random_state=0).fit(values, told)
    assert adapted.segments(values)


def test_the_card_says_whether_it_pays(trained):
    out, found = trained
    card = out.with_suffix(".md").read_text()
    assert found.sentence in card
    assert "it pays" in found.sentence
    assert "outlearn.SeriesDetector" in card


def test_the_same_series_and_seed_give_the_same_learner(tmp_path):
    paths = [tmp_path / name for name in ("one.safetensors", "two.safetensors")]
    parts = [machine(seed) for seed in range(5)]
    for path in paths:
        train_fleet([(Series.of_array(values), labels) for values, labels in parts], path, steps=10)
    values, _ = machine(50)
    first, second = (SeriesDetector("reptile", weights=path).fit(values) for path in paths)
    assert first.anomaly_score(values) == pytest.approx(second.anomaly_score(values))


def test_a_fleet_that_cannot_be_learnt_from_is_refused(tmp_path):
    values, labels = machine(0)
    few = [(Series.of_array(values), labels)] * 3 + [(Series.of_array(values), 0 * labels)] * 3
    with pytest.raises(InputError, match="3 series hold 4 anomalous"):
        train_fleet(few, tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_a_learner_of_other_channels_or_without_weights_is_refused(trained):
    values, _ = machine(1)
    with pytest.raises(WeightsError, match="series of 2 channels, these have 3"):
        SeriesDetector("reptile", weights=trained[0]).fit(np.column_stack([values, values[:, 0]]))
    with pytest.raises(ParameterError, match="outlearn learn-fleet"):
        SeriesDetector("maml").fit(values)


def test_beside_a_normal_past_few_normal_points_are_flagged(trained):
    rng = np.random.default_rng(3)
    usual = np.sin(np.arange(2000)[:, None] / 9 + np.arange(2)) + 0.05 * rng.normal(size=(2000, 2))
    detector = SeriesDetector("reptile", weights=trained[0], random_state=0).fit(usual[:1200], np.zeros(1200))
    assert (detector.anomaly_score(usual[1200:]) >= detector.threshold_).mean() < 0.1
    values, labels = machine(98)
    scores = detector.anomaly_score(values)
    assert scores[labels == 1].mean() > scores[labels == 0].mean()


def test_short_faults_are_learnt_from_and_no_folder_is_left(tmp_path):
    parts = []
    for seed in range(5):
        values, labels = machine(seed)
        labels[:] = 0
        for start in (203, 500):
            values[start : start + 5, 1] += 3
            labels[start : start + 5] = 1
        parts.append((Series.of_array(values), labels))
    parts.append((parts[0][0], np.where(np.arange(POINTS) == 203, 1, 0).astype(np.int8)))  # hardly a fault
    out = tmp_path / "short.safetensors"
    train_fleet(parts, out, steps=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["short.md", "short.safetensors"]


def test_from_the_command_line(tmp_path):
    parts = []
    for seed in range(5):
        values, labels = machine(seed)
        frame = pl.DataFrame({"a": values[:, 0], "b": values[:, 1], "fault": labels})
        parts.append(frame.with_columns(host=pl.lit(f"h{seed}")))
    pl.concat(parts).write_parquet(tmp_path / "fleet.parquet")
    parts[0].drop("host", "fault").write_parquet(tmp_path / "new.parquet")
    out, runner = tmp_path / "own.safetensors", CliRunner()
    words = ["--label-column", "fault", "--steps", "5", "--out", str(out)]
    done = runner.invoke(
        app, ["learn-fleet", str(tmp_path / "fleet.parquet"), "--series-column", "host", *words]
    )
    assert done.exit_code == 0, done.output
    assert "machines that took no part" in done.output
    used = ["--kind", "series", "--detector", "reptile", "--weights", str(out)]
    found = runner.invoke(app, ["detect", str(tmp_path / "new.parquet"), *used])
    assert found.exit_code == 0, found.output
    assert "of 900 points flagged" in found.output
    each = [str(tmp_path / f"h{seed}.parquet") for seed in range(5)]
    for part, path in zip(parts, each, strict=True):
        part.drop("host").write_parquet(path)
    again = runner.invoke(app, ["learn-fleet", *each, *words[:-1], str(tmp_path / "again.safetensors")])
    assert again.exit_code == 0, again.output
    alone = runner.invoke(app, ["learn-fleet", each[0], *words])
    assert alone.exit_code == 2
    assert "no series column" in alone.output
