"""Every command takes a column of an odd name as it takes one of a plain name."""

import csv

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.data.named import literal
from tests.data.test_named import HOSTILE

ROWS, ODD = 60, 17
ONE, TWO = (
    "the first of three",
    "the second of three",
)  # longer than any odd name, or shorter: encoded in one order
RNG = np.random.default_rng(0)
A = RNG.normal(size=ROWS)
B = np.where(np.arange(ROWS) == ODD, 9.0, 2 * A + 0.1 * RNG.normal(size=ROWS))
KINDS = np.where(np.arange(ROWS) % 12 == 5, "scan", np.where(np.arange(ROWS) % 12 == 7, "flood", "normal"))
HOURS = [f"2024-01-{1 + i // 24:02d}T{i % 24:02d}:00:00" for i in range(ROWS)]
SINE = np.sin(np.arange(240) / 5) * (np.abs(np.arange(240) - 120) > 6)
HOSTS = [f"10.0.0.{i % 5}" for i in range(ROWS)]


def _run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def _csv(path, **columns):
    """Write columns by name; polars would be a reader and a writer too many here."""
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


def _scores(path):
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    ours = max((name for name in table.columns if name.endswith("anomaly_score")), key=len)
    return table.columns, table.get_column(ours).to_list()


def feature(folder, name):
    table = _csv(folder / "t.csv", **{ONE: A, TWO: KINDS, name: B})
    model, out, schema = folder / "m.outlearn", folder / "o.parquet", folder / "s.toml"
    _run("schema", table, "--out", schema)
    _run("detect", table, "--schema", schema, "--out", out)
    columns, scores = _scores(out)
    assert columns[:3] == [ONE, TWO, name]
    _run("fit", table, "--out", model, "--detector", "ecod")
    assert name in _run("explain", model, table, "--row", ODD)
    _run("score", model, out, "--out", folder / "again.csv")
    return scores, _scores(folder / "again.csv")[1]


def label(folder, name):
    table = _csv(folder / "t.csv", **{ONE: A, TWO: B, name: (KINDS != "normal").astype(int)})
    _run("detect", table, "--label-column", name, "--out", folder / "o.csv", "--detector", "protonet")
    return _scores(folder / "o.csv")[1]


def left_out(folder, name):
    table = _csv(folder / "t.csv", **{ONE: A, TWO: KINDS, name: B})
    _run("detect", table, "--ignore", name, "--out", folder / "o.csv", "--detector", "ecod")
    return _scores(folder / "o.csv")[1]


def families(folder, name):
    table = _csv(folder / "t.csv", **{ONE: np.tile(A, 3), TWO: np.arange(180) % 7.1, name: np.tile(KINDS, 3)})
    words = ("--protocol", "zero-day", "--splits", 1, "--detector", "ecod")
    return (
        _run("evaluate", table, "--family-column", name, *words)
        .replace(literal(name), name)
        .replace(name, "")
    )


def time(folder, name):
    table = _csv(folder / "t.csv", **{ONE: A, TWO: B, name: HOURS})
    words = ("--time-column", name, "--budget", "1/day", "--kind", "table", "--out", folder / "o.csv")
    _run("detect", table, *words)
    return _scores(folder / "o.csv")[1]


def entity(folder, name):
    table = _csv(folder / "t.csv", **{ONE: A, TWO: B, name: KINDS})
    alerts = folder / "a.jsonl"
    _run("detect", table, "--entity", name, "--alerts", alerts, "--detector", "ecod")
    return sum(any(f'"{kind}"' in line for kind in KINDS) for line in alerts.read_text().splitlines())


def known_good(folder, name):
    table, good = _csv(folder / "t.csv", **{ONE: A, TWO: KINDS, name: B}), folder / "good.jsonl"
    _run("suppress", good, "--where", f"{name} >= 8.5", "--reason", "a test", "--by", "me")
    return "1 flagged row was suppressed" in _run("detect", table, "--suppress", good)


def verdicts(folder, name):
    table, model = _csv(folder / "t.csv", **{ONE: A, TWO: B}), folder / "m.outlearn"
    said = ["anomaly" if row == ODD else "normal" if row in (3, 4) else "" for row in range(ROWS)]
    _run("fit", table, "--out", model)
    judged = _csv(folder / "v.csv", **{ONE: A, TWO: B, name: said})
    return "1 anomaly" in _run("label", model, judged, "--label-column", name, "--out", model, "--by", "me")


def cases(folder, name):
    table = _csv(folder / "t.csv", **{ONE: A, TWO: KINDS, name: B})
    like = _csv(folder / "c.csv", **{ONE: A[[ODD]], TWO: KINDS[[ODD]], name: B[[ODD]]})
    _run("hunt", table, "--like", like, "--out", folder / "o.csv")
    return _scores(folder / "o.csv")[1]


def channel(folder, name):
    table = _csv(folder / "t.csv", t=np.arange(240), z=np.cos(np.arange(240) / 7), **{name: SINE})
    _run("detect", table, "--kind", "series", "--time-column", "t", "--out", folder / "o.csv", "--top", 3)
    return _scores(folder / "o.csv")[1]


def machines(folder, name):
    table = _csv(folder / "t.csv", x=np.tile(SINE, 2), **{name: ["a"] * 240 + ["b"] * 240})
    _run("detect", table, "--kind", "series", "--series-column", name, "--out", folder / "o.csv")
    return _scores(folder / "o.csv")[1]


def beside_flows(folder, name):
    flows = {"src_ip": HOSTS, "dst_ip": ["192.0.2.1"] * ROWS, "proto": ["udp"] * ROWS, "bytes": range(ROWS)}
    table = _csv(folder / "t.csv", **flows, **{name: B})
    _run("detect", table, "--out", folder / "o.csv", "--alerts", folder / "a.cef", "--detector", "ecod")
    return _scores(folder / "o.csv")[1]


def beside_frames(folder, name):
    frames = {
        "ts": np.arange(ROWS) / 100,
        "can_id": ["0x123"] * ROWS,
        "payload": ["00FF", "01FF"] * (ROWS // 2),
    }
    table = _csv(folder / "t.csv", **frames, **{name: B})
    _run("detect", table, "--out", folder / "o.csv", "--detector", "ecod")
    return _scores(folder / "o.csv")[1]


SCENES = (
    feature, label, left_out, time, entity, known_good, verdicts, cases, channel, machines,
    beside_flows, beside_frames,
)  # fmt: skip
#: What a table cannot be given as a name here: no text, a sign that ends a condition, a word of our own.
ELSEWHERE = {"\0row", "\0key", "\x01", "#a", "=", "nan"}


def _same(tmp_path, scene, name):
    plain = "k" * len(literal(name))
    for folder in ("odd", "plain"):
        (tmp_path / folder).mkdir()
    assert scene(tmp_path / "odd", name) == scene(tmp_path / "plain", plain)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_pattern_is_a_name_like_any_other(tmp_path, scene):
    _same(tmp_path, scene, "^q$")


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in ELSEWHERE])
@pytest.mark.parametrize("scene", (*SCENES, families), ids=lambda scene: scene.__name__)
def test_so_is_any_odd_name(tmp_path, scene, name):
    _same(tmp_path, scene, name)
