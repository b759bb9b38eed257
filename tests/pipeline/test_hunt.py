"""Hunting: what resembles a case comes first, and where nothing does, it is said."""

import json

import numpy as np
import polars as pl
import pytest

from outlearn.data.kinds.flows import flow_view
from outlearn.data.readers import open_source
from outlearn.errors import InputError, OutlearnError, ParameterError
from outlearn.findings.lines import json_lines
from outlearn.pipeline.hunt import hunt
from outlearn.report.summary import rule_sentence


def table(n=400, odd=20, seed=0):
    """Return rows of which the last `odd` are of another kind, in what they hold and in a word."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n + odd, 3))
    values[n:, 0] += 7
    words = np.r_[rng.choice(["get", "put"], n), np.repeat("drop", odd)]
    return pl.DataFrame({"a": values[:, 0], "b": values[:, 1], "c": values[:, 2], "verb": words})


def test_what_resembles_the_case_comes_first_and_is_flagged():
    found = hunt(table(), table(seed=1)[-1:], top=15)
    assert (found.top >= 400).all()
    assert found.decision.flagged[400:].any() and not found.decision.flagged[:400].any()
    assert any(why.sentence.startswith("like the case; ") for why in found.explanations)
    assert "ranked by the learner incontext, the default" in found.notes


def test_copies_of_a_case_come_first_whatever_the_learner_thinks_of_them():
    rows = table(odd=4)
    found = hunt(pl.concat([rows, rows[7:8], rows[7:8]]), pl.concat([rows[7:8], rows[-1:]]), top=30)
    copies = found.top[:4].tolist()
    assert copies == [7, 403, 404, 405]  # of usual rows, and the odd case itself
    assert (found.scores[copies] == 1.0).all() and found.decision.flagged[copies].all()
    assert all(why.sentence.startswith("the same as case ") for why in found.explanations[:4])
    # The list shows the flagged ones, and no score decides which these are.
    flagged = found.decision.flagged[found.top]
    assert flagged.sum() == found.decision.flagged.sum() and (np.diff(flagged.astype(int)) <= 0).all()
    assert np.isnan(found.decision.threshold)
    count = int(flagged.sum())
    assert rule_sentence(found).startswith(
        f"{count} rows are flagged, whatever the score (rule: as near to a"
    )
    assert "copies of a case have the score 1" in " ".join(found.notes)
    summary = json.loads(next(json_lines(found)))
    assert summary["threshold"] is None and summary["flagged"] == count


def test_where_nothing_is_alike_it_is_said():
    found = hunt(table(odd=0), table(seed=1)[-2:], top=3)
    assert not found.decision.flagged.any()
    assert found.doubt.startswith("nothing alike here: the row that is nearest to a case, row ")


def test_the_default_is_the_same_learner_with_many_cases_as_with_one():
    rows, cases, normal = table(150, 12), table(seed=1)[-3:], table(100, 0, seed=2)
    found = hunt(rows, cases, top=3, reference=normal)
    named = hunt(rows, cases, top=3, reference=normal, learner="incontext")
    assert "ranked by the learner incontext, the default" in found.notes
    assert found.scores.tolist() == named.scores.tolist()
    assert found.top[0] >= 150


def test_what_is_seen_of_flows_without_their_names_is_a_table_like_any_other():
    rng = np.random.default_rng(0)
    flows = pl.DataFrame(
        {
            "src_ip": [f"10.0.0.{i}" for i in rng.integers(1, 30, 200)],
            "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 5, 200)],
            "proto": "tcp",
            "bytes": np.r_[rng.integers(200, 900, 180), rng.integers(60_000, 70_000, 20)],
        }
    )
    view, names = flow_view(open_source(flows))
    seen = view.read().drop(names)
    found = hunt(seen[:-1], seen[-1:], top=10)
    assert (found.top >= 180).all() and found.hosts == ()


def test_a_learner_can_be_named_and_the_same_seed_gives_the_same():
    one, two = (hunt(table(), table(seed=1)[-1:], learner="siamese", random_state=3) for _ in range(2))
    assert one.scores.tolist() == two.scores.tolist()
    assert "siamese, as asked for" in " ".join(one.notes)


def test_cases_of_a_log_are_seen_among_its_flows(tmp_path):
    rng = np.random.default_rng(0)
    hosts = [f"10.0.0.{i}" for i in rng.integers(1, 30, 600)]
    flows = pl.DataFrame(
        {
            "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3000, 600)),
            "src_ip": hosts[:560] + ["10.0.0.99"] * 40,
            "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 5, 560)]
            + [f"198.51.100.{i}" for i in range(40)],
            "dst_port": [443] * 560 + list(range(40)),
            "proto": "tcp",
            "bytes": np.r_[rng.integers(200, 900, 560), np.full(40, 60)],
        }
    ).with_columns(
        ts=pl.when(pl.arange(600) >= 560).then(1.7e9 + 1230.0 + pl.arange(600) / 100).otherwise("ts")
    )
    found = hunt(flows, flows[570:571], top=30)
    assert (found.top >= 560).mean() > 0.9
    assert found.explanations[0].sentence.startswith("10.0.0.99 to 198.51.100.")
    away = hunt(flows, flows[570:571].with_columns(src_ip=pl.lit("10.9.9.9")), top=3)
    assert "1 of the cases are not in the table" in " ".join(away.notes)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"learner": "kmeans"}, ParameterError, "wanted auto or one of"),
        ({"like": table()[:2].drop("b")}, OutlearnError, "no column"),
        ({"like": table(1100)}, InputError, "wanted 1,000 at most"),
        ({"source": table(5, 2)}, InputError, "wanted 20 or more"),
    ],
)
def test_what_cannot_be_done_is_refused(change, error, words):
    asked = {"source": table(), "like": table()[-1:], **change}
    with pytest.raises(error, match=words):
        hunt(asked.pop("source"), asked.pop("like"), **asked)


def test_what_looks_like_the_answer_helps_no_hunt_and_more_cases_than_rows_are_fine():
    plain, likes = table(60, 5), table(0, 80, seed=1)
    said, asked = ({"learner": "protonet", "top": 0}, pl.lit(0).alias("is_fraud"))
    found = hunt(plain.with_columns(asked), likes.with_columns(asked + 1), **said)
    assert (found.scores == hunt(plain, likes, **said).scores).all()
    assert "'is_fraud' looks like the answer" in found.cautions[0]
