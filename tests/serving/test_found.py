"""What is found in a batch: incidents with reasons, rows near them, and what patterns hide."""

import numpy as np
import pytest

from outlearn.alerts.patterns import Pattern, parse_condition
from outlearn.data.readers import open_source
from outlearn.errors import SchemaError
from outlearn.findings.cells import cell_in
from outlearn.pipeline.suppression import Suppression
from outlearn.serving.found import Grouping, judge
from outlearn.serving.models import Models
from tests.serving.watched import OTTO, Watched, fitted, payments


@pytest.fixture(scope="module")
def monitor(tmp_path_factory):
    from outlearn.pipeline.monitor import Monitor

    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    path.write_bytes(fitted().content)
    return Monitor.load(path)


def test_planted_rows_are_the_gravest_incidents_with_their_reason_and_cells(monitor):
    frame = payments(300, 1, odd=3)
    found = judge(monitor, open_source(frame))
    assert {incident.rows[0].row for incident in found.incidents[:3]} == {0, 1, 2}
    first = found.incidents[0]
    assert first.pattern == "amount: high"
    reason = first.finding["reasons"][0]
    assert reason["column"] == "amount"
    assert reason["strip"] == sorted(reason["strip"])
    assert max(reason["strip"]) < reason["value"]
    cells = {name: cell_in(cell) for name, cell in first.rows[0].cells.items()}
    assert cells == frame.row(first.rows[0].row, named=True)
    assert len(first.finding["nearest"]) == 3
    assert found.flagged == sum(incident.incident.count for incident in found.incidents)
    assert sum(found.histogram) == found.rows == 300


def test_a_row_is_judged_alike_alone_and_beside_others(monitor):
    frame = payments(300, 1, odd=3)
    whole = judge(monitor, open_source(frame))
    flagged = {row.row for incident in whole.incidents for row in incident.rows}
    for row in (0, 2, 17, 250):
        alone = judge(monitor, open_source(frame[[row]]))
        assert (alone.flagged == 1) == (row in flagged)
        assert alone.threshold == whole.threshold


def test_rows_near_the_threshold_are_kept_and_not_flagged(monitor):
    found = judge(monitor, open_source(payments(300, 1, odd=3)))
    scores = [row.score for row in found.near]
    assert scores == sorted(scores, reverse=True)
    assert 0 < len(scores) <= 25
    assert max(scores) < found.threshold


def test_an_entity_groups_rows_and_without_one_each_is_alone(monitor):
    import polars as pl

    frame = payments(300, 1, odd=6).with_columns(
        card=pl.when(pl.int_range(300) < 6).then(pl.lit("thief")).otherwise("card")
    )
    grouped = judge(monitor, open_source(frame), Grouping("card"))
    thief = next(incident for incident in grouped.incidents if incident.incident.entity == "thief")
    assert {row.row for row in thief.rows} == set(range(6))
    single = judge(monitor, open_source(frame))
    assert all(incident.incident.count == 1 for incident in single.incidents)


def test_what_a_pattern_hides_is_counted_and_no_incident(monitor):
    frame = payments(300, 1, odd=3)
    limit = float(np.sort(frame["amount"].to_numpy())[-3])
    pattern = Pattern(7, (parse_condition(f"amount>={limit}"),), "rent", "ana", "2026-01-01")
    found = judge(monitor, open_source(frame), patterns=Suppression((pattern,)))
    assert found.hidden == {7: 3}
    assert not {0, 1, 2} & {row.row for incident in found.incidents for row in incident.rows}


def test_rows_without_a_column_of_the_model_are_refused(monitor):
    with pytest.raises(SchemaError, match="amount"):
        judge(monitor, open_source(payments(20, 2).drop("amount")))


def test_a_model_comes_back_from_the_store_as_it_was(database):
    watched = Watched.of(database)
    frame = payments(200, 3, odd=2)
    afresh = Models(database)  # with nothing in memory
    scores = [m.load(watched.live).detector.anomaly_score(frame) for m in (watched.models, afresh)]
    np.testing.assert_array_equal(*scores)
    assert watched.live.provenance["rows"] == 600
    assert watched.live.who == OTTO.name
