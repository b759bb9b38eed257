"""Numbers as people write them, from a file to its reasons, by a model that is kept."""

import numpy as np
import polars as pl
import pytest

from outlearn.data.series import SeriesReader
from outlearn.errors import SchemaError
from outlearn.pipeline import Monitor, detect
from outlearn.pipeline.learn import Reading, open_table, read_as_learnt
from outlearn.pipeline.schema import read_schema
from outlearn.pipeline.series_table import holds_series

N, ODD = 120, 77


def numbers(usual, spread, odd, seed=0):
    values = np.random.default_rng(seed).normal(usual, spread, N)
    values[ODD] = odd
    return values


def continental(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


COLUMNS = {
    "eur": (lambda v: f"{continental(v)} €", numbers(1500, 200, 1600.0).round(2)),
    "weight": (
        lambda v: f"{1000 * v:.0f} g" if v < 1 else f"{v:.3f} kg".replace(".", ","),
        numbers(1.5, 0.5, 9.9, 1).round(3),
    ),
    "change": (lambda v: f"{v:+.1f} %".replace(".", ","), numbers(0, 1, 0.5, 2).round(1)),
    "acct": (lambda v: f"({continental(-v)})" if v < 0 else continental(v), numbers(0, 30, 1.0, 3).round(2)),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return a table of a German bank, as a file."""
    rows = {name: [write(v) for v in values.tolist()] for name, (write, values) in COLUMNS.items()}
    path = tmp_path_factory.mktemp("bank") / "bank.csv"
    pl.DataFrame(rows).write_csv(path, separator=";")
    return path


@pytest.fixture(scope="module")
def monitor(file):
    return Monitor.fit(file, detector="knn")


def test_written_numbers_are_judged_as_plain_ones_and_told_with_their_units(file):
    plain = pl.DataFrame({name: values for name, (_, values) in COLUMNS.items()})
    found, wanted = detect(file, detector="knn", top=1), detect(plain, detector="knn", top=1)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)
    assert found.top.tolist() == [ODD]
    assert found.explanations[0].sentence.startswith("weight is 9.9 kg, above the usual ")
    assert found.top_values[0]["weight"] == "9,900 kg"
    notes = "\n".join(found.notes)
    assert "column 'eur': '€' with decimal commas and thousands dots read as numbers" in notes
    assert "column 'weight': 'kg' with decimal commas read as numbers, 'g' converted" in notes
    assert "column 'acct': decimal commas" in notes and "stays text" not in notes


def test_a_row_alone_is_read_by_a_saved_model_as_in_the_file_it_learnt_from(file, monitor, tmp_path):
    monitor.save(tmp_path / "m")
    loaded = Monitor.load(tmp_path / "m")
    # By itself each of these cells would be read otherwise: 1.600 as 1.6, 12 as a whole number.
    one = tmp_path / "one.csv"
    one.write_text("eur;weight;change;acct\n1.600;9,900 kg;+0,5 %;1,00\n")
    assert loaded.detect(one).scores[0] == pytest.approx(loaded.detect(file).scores[ODD])


def test_scored_rows_are_read_by_the_model_as_before_they_were_scored(tmp_path):
    # Of the thousands with a dot only the comma beside them tells.
    cells = [f"{v:,.1f}".translate(str.maketrans(",.", ".,")) for v in numbers(5000, 900, 19_500.0)]
    path, scored = tmp_path / "t.csv", tmp_path / "scored.csv"
    pl.DataFrame({"umsatz": cells, "kg": [f"{i % 9},5 kg" for i in range(N)]}).write_csv(path, separator=";")
    monitor = Monitor.fit(path, detector="knn")
    findings = monitor.detect(path, out=scored)
    assert findings.top[0] == ODD
    assert pl.read_csv(scored)["umsatz"].dtype == pl.Float64
    np.testing.assert_array_equal(monitor.detect(scored).scores, findings.scores)
    one = tmp_path / "one.csv"
    one.write_text("umsatz;kg\n19.500;5,5 kg\n")
    assert "umsatz is 19,500, above" in monitor.detect(one).explanations[0].sentence


def test_what_is_of_another_unit_is_missing_and_counted(monitor, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("eur;weight;change;acct\n$5;1 m;0,5;1,00\n")
    notes = monitor.detect(other).notes
    for name in ("eur", "weight", "change"):
        assert f"{name}: 1 value is not of the column's kind and read as missing" in notes


def test_the_table_is_read_as_its_reference_is(file, tmp_path):
    new = tmp_path / "new.csv"
    new.write_text("eur;weight;change;acct\n1.500;1,5 kg;0,1 %;1,00\n9.800;1,5 kg;0,1 %;2,00\n")
    findings = detect(new, reference=file, detector="knn", top=2)
    assert findings.top.tolist() == [1, 0]
    assert "eur is €9,800, above" in findings.explanations[0].sentence


def test_cases_of_a_hunt_are_read_as_the_table_that_they_are_hunted_in(file, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text("eur;weight;change;acct\n1.600;9,900 kg;+0,5 %;1,00\n")
    opened, reading = open_table(file, Reading())
    options = read_as_learnt(reading.options, reading.schema_of(opened.read(), opened))
    assert open_table(cases, Reading(options=options))[0].read()["eur"].to_list() == ["1.600"]
    assert open_table(cases, Reading())[0].read()["eur"].to_list() != ["1.600"]


def test_shifts_around_midnight_are_near_one_another(tmp_path):
    seconds = numbers(0, 4000, 43_200).round() % 86_400
    cells = [f"{int(s) // 3600:02d}:{int(s) % 3600 // 60:02d}" for s in seconds]
    findings = detect(pl.DataFrame({"clock_in": cells}), detector="knn", top=1)
    assert findings.top.tolist() == [ODD]
    assert findings.explanations[0].sentence.startswith("clock_in is 12:00, ")
    assert " the usual 2" in findings.explanations[0].sentence
    assert {profile.scale for profile in findings.profiles} <= {"clock"}


def test_an_address_of_another_network_is_told():
    rng = np.random.default_rng(0)
    addresses = [f"10.0.{a}.{b}" for a, b in rng.integers(0, 250, (N, 2))]
    addresses[ODD] = "185.220.101.4"
    findings = detect(pl.DataFrame({"ip": addresses, "x": numbers(0, 1, 0.0)}), detector="knn", top=1)
    assert findings.top.tolist() == [ODD]
    assert findings.explanations[0].sentence.startswith("ip '185.220.0.0/16' is rare (usual: 10.0.0.0/16 99")


def test_overrides_count_what_they_cannot_read(tmp_path):
    path, table = tmp_path / "columns.toml", tmp_path / "t.csv"
    table.write_text(
        "a,b,c\n" + "\n".join(f"{'abc'[i % 3]},{i}.5 kg,{'yes' if i % 3 else i}" for i in range(30))
    )
    path.write_text('[columns.c]\nkind = "boolean"\n')
    schema, _ = read_schema(table, schema=path)
    assert schema["c"].note.endswith("; 9 of 30 cells cannot be read so and are missing")
    path.write_text('[columns.c]\nkind = "numeric"\n[columns.b]\nkind = "categorical"\n')
    schema, _ = read_schema(table, schema=path)
    assert schema["c"].note.endswith("; 20 of 30 cells cannot be read so and are missing")
    assert schema["b"].notation is None and schema["b"].unit is None
    path.write_text('[columns.a]\nkind = "numeric"\n')
    with pytest.raises(
        SchemaError, match=r"column 'a' to numeric, but none of its 30 filled cells .*'a', 'b', 'c'"
    ):
        read_schema(table, schema=path)


def test_a_table_of_measurements_with_units_is_a_series():
    minutes = [f"2024-01-01 {i // 60:02d}:{i % 60:02d}" for i in range(N)]
    rows = pl.DataFrame({"t": minutes, "temp": [f"{20 + i % 3}.5 °C" for i in range(N)]})
    assert holds_series(rows, Reading(time_column="t"))
    assert not holds_series(rows.with_columns(k=pl.lit("x")), Reading(time_column="t"))


def test_channels_of_series_have_units():
    frame = pl.DataFrame({"temp": [f"{20 + i % 3}.5 °C" for i in range(40)], "name": ["x", "y"] * 20})
    reader, notes = SeriesReader.fit(frame)
    assert reader.channels == ("temp",) and "column 'temp': '°C' read as numbers" in notes
    again = SeriesReader.from_state(reader.to_state())
    (series,), _ = again.read(frame)
    assert series.values[:3, 0].tolist() == [20.5, 21.5, 22.5]
    state = {key: value for key, value in reader.to_state().items() if key != "notations"}
    assert SeriesReader.from_state(state).notations == {}  # as earlier versions wrote it
