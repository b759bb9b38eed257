"""Each way in which people write numbers: recognised by column, read cell by cell."""

import numpy as np
import polars as pl
import pytest

from outlearn.data.columns.cells import numbers_of
from outlearn.data.infer import infer_schema
from outlearn.data.quantities import Notation, digits, recognise
from outlearn.data.schema import Kind, Schema

APART = {"no-break": "\u00a0", "narrow": "\u202f", "thin": "\u2009", "figure": "\u2007", "blank": " "}
GROUPED = {name: ([f"1{s}200", f"25{s}030,5", "7"], [1200, 25030.5, 7], None) for name, s in APART.items()}
WAYS = {
    "dollars": (["$1,200.50", "$12", "-$3.10", "$-4"], [1200.5, 12, -3.1, -4], "$"),
    "euros apart": (["€ 12", "€ 1,540.25", "€ 9"], [12, 1540.25, 9], "€"),
    "euros behind": (["1.540,25 €", "12,50 €", "9 €"], [1540.25, 12.5, 9], "€"),
    "prices in thousands": (["1.540 €", "2.100 €", "9.812 €"], [1540, 2100, 9812], "€"),
    "code before": (["EUR 5", "EUR 1,200", "EUR 7.5"], [5, 1200, 7.5], "EUR"),
    "code behind": (["1200 USD", "5 USD", "7.25 usd"], [1200, 5, 7.25], "USD"),
    "price dash": (["12,- €", "7,50 €", "1.200,– €"], [12, 7.5, 1200], "€"),
    "scaled money": (["$2.4M", "$300k", "$1.2bn", "$5"], [2.4e6, 3e5, 1.2e9, 5], "$"),
    "rupees": (["₹12,34,567", "₹1,50,000", "₹500"], [1234567, 150000, 500], "₹"),
    "percent": (["12 %", "-0.91%", "+1.5%", "0"], [12, -0.91, 1.5, 0], "%"),
    "weights": (["3 kg", "900 g", "1.2 kg", "2.5kg"], [3, 0.9, 1.2, 2.5], "kg"),
    "temperatures": (["21 °C", "20.5°C", "70 °F", "−3 °C"], [21, 20.5, 190 / 9, -3], "°C"),
    "bytes": (["1.5 GiB", "512 MiB", "300 MiB"], [1536, 512, 300], "MiB"),
    "decimal bytes": (["10 MB", "2 GB", "500 kB", "7 mb", "9 MB"], [10, 2000, 0.5, 7, 9], "MB"),
    "scales": (["12K", "900", "2.4M", "1.1 K"], [12000, 900, 2.4e6, 1100], None),
    "binary scales": (["512Mi", "2Gi", "100Mi"], [512, 2048, 100], "Mi"),
    "small letters": (["300k", "2.4m", "950k"], [3e5, 2.4e6, 9.5e5], None),
    "an unknown unit": (["72 bpm", "80 bpm", "101 bpm"], [72, 80, 101], "bpm"),
    "one or several": (["1 bed", "2 beds", "4 beds"], [1, 2, 4], "beds"),
    "parentheses": (["(12.50)", "18", "(1,200)"], [-12.5, 18, -1200], None),
    "money in parentheses": (["($12.50)", "$(7)", "$18"], [-12.5, -7, 18], "$"),
    "sign behind": (["12.50-", "18.00", "3-"], [-12.5, 18, -3], None),
    "apostrophes": (["1'200.5", "12’030", "7"], [1200.5, 12030, 7], None),
    "powers": (["1.2×10^5", "3 x 10^-2", "2·10⁴"], [1.2e5, 0.03, 2e4], None),
    "scientific": (["1.2E+05 m", "3e-2 m", "2e4 m"], [1.2e5, 0.03, 2e4], "m"),
    "fractions": (["1/2", "3 1/4", "¾", "5", "2½"], [0.5, 3.25, 0.75, 5, 2.5], None),
    "hexadecimal": (["0x1F", "0xff", "0x10", "-0x2"], [31, 255, 16, -2], None),
    "spans": (["00:48:11", "11:06:40", "26:00:00"], [2891, 40000, 93600], "s"),
    "laps": (["1:02.5", "0:59.25", "12:00.0"], [62.5, 59.25, 720], "s"),
    "minutes": (["48:11", "12:30", "75:00"], [2891, 750, 4500], "s"),
    "iso": (["PT1H30M", "P1DT2H", "PT45S", "P2W"], [5400, 93600, 45, 1209600], "s"),
    "words": (["1d 3h", "2h 5m", "45s", "1 hour and 2 minutes"], [97200, 7500, 45, 3720], "s"),
    "days before": (["0 days 00:10:00", "1 day, 3:00:00", "1-03:00:00"], [600, 97200, 97200], "s"),
    "times of day": (["08:15", "19:30", "12:00"], [29700, 70200, 43200], None),
    "half days": (["8:15 AM", "7:30 pm", "12 am"], [29700, 70200, 0], None),
    **GROUPED,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_writing_is_recognised_and_read_alone_as_in_a_batch(way):
    cells, wanted, unit = WAYS[way]
    cells, wanted = cells * 5, [np.nan if value is None else value for value in wanted] * 5
    found = recognise(pl.Series(cells), least=0.7)
    assert found.notation is not None and found.note
    notation = Notation.from_state(found.notation.to_state())
    assert notation == found.notation and (notation.plain_unit or None) == unit
    values = numbers_of(pl.Series([*cells, None, "n/a"]), notation).values
    np.testing.assert_allclose(values, [*wanted, np.nan, np.nan])
    alone = [float(numbers_of(pl.Series([cell]), notation).values[0]) for cell in cells[: len(wanted) // 5]]
    np.testing.assert_array_equal(alone, values[: len(alone)])


def test_the_quick_way_reads_as_the_thorough_one(monkeypatch):
    rng = np.random.default_rng(0)
    shapes = [
        "${:,.2f}",
        "-${:.1f}",
        "({:.0f})",
        "{:.3e} $",
        "${:.2f}M",
        "{:.2f}-",
        "5 {:.0f}",
        "$.{:.0f}",
        "€{:.2f}",
    ]
    cells = pl.Series(
        [
            shapes[i].format(x)
            for i, x in zip(rng.integers(9, size=600), rng.lognormal(7, 2, 600), strict=True)
        ]
    )
    for notation in (
        Notation(measure="money:USD", unit="$"),
        Notation(decimal=",", thousands=".", measure="money:USD"),
    ):
        slow = notation.read(cells)
        with monkeypatch.context() as patch:
            patch.setattr(digits, "_MANY", 0)
            assert notation.read(cells).equals(slow)
        assert 0 < slow.null_count() < 600


CODES = {
    "sizes": ["S", "M", "XL", "2XL"],
    "names": ["5G", "4G", "3G"],
    "flats": ["12A", "12B", "7C", "9"],
    "one letter": ["12A", "14A", "9A"],
    "companies": ["3M", "IBM", "SAP"],
    "codes": ["A12", "B7", "A3"],
    "versions": ["1.2.3", "1.10.0", "2.0.1"],
    "leading zeros": ["01067 m", "00123 m", "10115 m"],
    "ISO dates": ["2024-01-02", "2024-11-30", "2023-07-01"],
    "dates": ["31.12.2024", "01.02.2024", "7.7.2024"],
    "phones": ["+1 555 843 0222", "+1 555 149 0881"],
    "phones in groups": ["612 345 678", "611 222 333"],
    "addresses": ["10.0.0.1", "192.168.1.20", "172.16.0.9"],
    "devices": ["00:1b:44:11:3a:b7", "00:1b:44:11:22:33"],
    "pressures": ["120/80", "135/90", "110/70"],
    "ranges": ["10-20", "30-40", "5-7"],
    "quarters": ["2024 Q1", "2024 Q2", "2023 Q3"],
    "decades": ["1980s", "1990s", "2000s"],
}


@pytest.mark.parametrize("codes", CODES)
def test_codes_stay_codes(codes):
    cells = pl.Series("code", CODES[codes] * 20)
    assert recognise(cells).notation is None
    assert infer_schema(cells.to_frame())["code"].kind is not Kind.NUMERIC


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["$5", "€6"] * 20, ["'$' (20)", "'€' (20)"]),
        (["5 kg", "6 m", "7 kg"] * 20, ["'kg' (40)", "'m' (20)"]),
        (["250m", "2"] * 20, ["'m' (20)", "no unit (20)"]),
        (["12 %", "0.12", "15 %"] * 20, ["'%' (40)", "no unit (20)"]),
    ],
)
def test_what_is_no_one_number_is_none_and_that_is_said(cells, words):
    column = infer_schema(pl.DataFrame({"c": cells}))["c"]
    assert column.kind is Kind.TEXT and column.notation is None
    assert "mixes" in column.note and all(word in column.note for word in words)


def test_up_to_one_in_twenty_need_not_fit_and_is_counted():
    cells = [f"{i % 40}.5 kg" for i in range(95)]
    column = infer_schema(pl.DataFrame({"c": [*cells, *["?kg"] * 4, "heavy"]}))["c"]
    assert column.kind is Kind.NUMERIC and column.unit == "kg"
    assert (
        column.note
        == "'kg' read as numbers; 5 of 100 cells did not fit and are missing (such as '?kg', 'heavy')"
    )
    column = infer_schema(pl.DataFrame({"c": [*cells, *["?kg"] * 5, "heavy"]}))["c"]
    assert column.kind is not Kind.NUMERIC and column.notation is None


def test_rare_scales_and_signs_in_a_column_of_plain_numbers_are_read():
    column = infer_schema(pl.DataFrame({"c": [*map(str, range(900, 1099)), "2.4M"]}))["c"]
    assert column.notation is not None
    assert numbers_of(pl.Series(["2.4M", "950"]), column.notation).values.tolist() == [2.4e6, 950]


def test_digits_alone_are_in_the_unit_only_where_that_is_certain():
    def read(cells, digits):
        notation = recognise(pl.Series(cells)).notation
        return numbers_of(pl.Series(digits), notation).values.tolist()

    assert read(["3 kg", "2 kg"] * 9, ["7"]) == read(["3 kg", "2 kg"] * 9, [7.0]) == [7.0]
    assert np.isnan(read(["3 kg", "900 g"] * 9, ["7"])).all()
    assert np.isnan(read(["3 kg", "900 g"] * 9, [7.0])).all()
    assert read(["3 kg", "900 g"] * 9, ["0"]) == [0.0]


@pytest.mark.parametrize(
    ("name", "cells", "form"),
    [
        ("dur", ["11:52:30", "12:02:26"], "span of time"),
        ("start", ["00:12:30", "01:02:26"], "time of day"),
        ("x", ["11:52:30", "12:02:26"], "time of day"),
        ("x", ["00:12:30", "01:02:26"], "span of time"),
        ("start", ["11:52:30", "25:00:00"], "span of time"),
        ("x", ["0:12 am", "1:02 am"], "time of day"),
    ],
)
def test_times_of_day_and_spans_are_told_apart_by_name_and_size(name, cells, form):
    column = infer_schema(pl.DataFrame({name: cells * 10}))[name]
    assert column.kind is Kind.NUMERIC and column.notation is not None and column.notation.form == form


def test_ambiguous_decimals_follow_the_rest_of_the_file():
    frame = pl.DataFrame({"c": ["1.234 m", "2.500 m", "1.100 m"] * 5})
    for decimal, wanted in ((None, 1.234), (",", 1234.0)):
        notation = infer_schema(frame, decimal=decimal)["c"].notation
        assert numbers_of(pl.Series(["1.234 m"]), notation).values.tolist() == [wanted]


def test_hexadecimal_ids_are_no_numbers():
    values = [f"0x{i * 7919 % 1000:X}" for i in range(60)]
    assert infer_schema(pl.DataFrame({"reg": values}))["reg"].notation is not None
    assert infer_schema(pl.DataFrame({"can_id": values}))["can_id"].notation is None
    assert infer_schema(pl.DataFrame({"bus": values[:4] * 15}))["bus"].kind is Kind.CATEGORICAL


def test_the_schema_keeps_how_numbers_are_written_and_reads_what_earlier_versions_wrote():
    schema = infer_schema(pl.DataFrame({"a": ["3 kg", "4 kg"] * 5, "b": [1.5, 2.0] * 5}))
    state = schema.to_dict()
    assert Schema.from_dict(state) == schema and "notation" not in state["columns"][1]
