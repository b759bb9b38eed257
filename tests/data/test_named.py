"""What polars takes for a pattern, and that no name of ours is one."""

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outlearn.data.named import (
    by_name,
    is_pattern,
    literal,
    only,
    renamed,
    with_literal_names,
    without,
    written,
)
from outlearn.data.readers.source import Source

PATTERNS = ("*", "^q$", "^.*$", "^$", "^(q|w)$", "^[$")
#: Names that mean something to polars, a regular expression, a format or us, and others that are odd.
HOSTILE = (
    *PATTERNS, "^", "$", "a|b", "(", "[x]", "{}", ".", "a.b", '"', 'a"b', "'", "a\nb", "a\tb", "a,b", "a;b",
    "\x01", "\u202eabc", "x" * 300, "__index__", "index", "row", "case", "score", "key", "len", "count",
    "literal", "value", "time", "source", "rank", "reason", "flagged", "anomaly_score", "verdict", "%s", "$1",
    "\\", "\0row", "\0key", "__outlearn_row__", "column_0", "field_0", "=", "--", "#a", "None", "nan",
)  # fmt: skip


@given(st.text(max_size=8))
@example("*")
@example("^q$")
@example("\0row")
@example("^ $")
def test_a_name_comes_back_as_it_went_in(name):
    assert written(literal(name)) == name.replace("\0", "\ufffd") or name.endswith(" ")
    assert literal(literal(name)) == literal(name)
    assert not is_pattern(literal(name))


def _calls(frame, name):
    """Yield what several calls of polars make of a column, whose cells are 3, 3, 5."""
    yield frame.select(name)[name].to_list()
    yield frame.select(pl.col(name))[name].to_list()
    yield frame.select([name, "w"])[name].to_list()
    yield frame.drop("w")[name].to_list()
    yield frame.sort(name)[name].to_list()
    yield frame.filter(pl.col(name) > 0)[name].to_list()
    yield frame.with_columns(pl.col(name))[name].to_list()
    yield frame.join(frame.unique(name), on=name, maintain_order="left")[name].to_list()
    yield frame.select(pl.struct(name).struct.field(name))[name].to_list()
    yield frame.select(pl.col(name).first().over(name))[name].to_list()
    yield frame.to_struct("s").struct.field(name).to_list()
    yield frame[name].abs().to_list()
    yield frame[name].fill_null(0).to_list()
    yield frame.cast({name: pl.Float64})[name].to_list()
    yield pl.concat([frame[:2], frame[2:].cast(pl.Float64)], how="vertical_relaxed")[name].to_list()


@pytest.mark.parametrize("name", HOSTILE)
def test_polars_takes_every_name_of_ours_as_it_is(name):
    called = literal(name)
    frame = pl.DataFrame({"w": [1, 2, 3], called: [3, 3, 5], "q": [7, 8, 9]})
    for cells in _calls(frame, called):
        assert cells == [3, 3, 5]


@pytest.mark.parametrize("name", PATTERNS)
def test_polars_takes_a_pattern_as_it_is_here_alone(name):
    frame = pl.DataFrame({"w": [1], name: [2]})
    assert frame.select(by_name(name) + 1).rows() == [(3,)]
    assert only(frame, [name, "w"]).columns == [name, "w"]
    assert without(frame, {name}).columns == ["w"]
    assert renamed(frame, {name: "a"}).rows() == [(2,)]
    assert with_literal_names(frame).columns == ["w", f"{name} "]


def test_a_reader_that_lets_a_pattern_in_is_a_fault():
    with pytest.raises(ValueError, match="literal"):
        Source("a", ("b", "^q$"), lambda rows: [])
