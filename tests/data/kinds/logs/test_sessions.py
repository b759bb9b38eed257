"""Lines that name the same thing are one row, wherever they stand and in whatever pieces they are read."""

import polars as pl
import pytest

from outlearn.data.kinds.logs import session_view, session_words
from outlearn.data.kinds.logs.forms import form_id
from outlearn.data.readers import ReadOptions, open_source
from outlearn.data.schema import Kind
from outlearn.errors import ParameterError, ReadError
from outlearn.pipeline.learn import Reading, open_table

PATTERN = r"job_\d+"


def written(tmp_path, lines, name="a.log"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return open_source(path, options=ReadOptions(kind="logs"))


def log(jobs=6):
    """Return lines of jobs whose lines are mixed with one another's."""
    said = ["INFO app: start job_{}", "INFO app: read 15 rows for job_{}", "ERROR disk: job_{} failed"]
    return [
        f"2026-01-01 00:00:{10 * step + job:02d} {said[step].format(job)}"
        for step in range(3)
        for job in range(jobs)
    ]


def words(forms):
    return [form.partition("#")[0] for form in forms.split()]


def test_a_session_is_a_row_of_its_forms_and_times(tmp_path):
    view, aside = session_view(written(tmp_path, ["no session here", *log()]), PATTERN)
    frame = view.read()
    assert aside == ("session", "time") and view.rows == 6 == frame.height
    assert frame["session"].to_list() == [f"job_{job}" for job in range(6)]
    row = frame.row(2, named=True)
    assert words(row["forms"]) == ["INFO_app_start", "INFO_app_read_rows_for", "ERROR_disk_failed"]
    assert row["forms"] == frame["forms"][3]
    assert (row["lines"], row["seconds"], row["longest gap in seconds"]) == (3, 20, 10)
    assert (row["share of grave lines"], row["processes"]) == (pytest.approx(1 / 3), 2)
    assert view.notes[-1].endswith("6 sessions; 1 line belongs to none and is left out")
    assert session_words(row) == "session job_2 (3 lines)"


def test_the_first_group_names_the_session(tmp_path):
    frame = session_view(written(tmp_path, log()), r"(?:start|for) (job_\d)|(\d) failed")[0].read()
    assert frame["session"].to_list() == [f"job_{job}" for job in range(6)]
    assert frame["lines"].to_list() == [2.0] * 6


def test_the_name_of_a_session_is_no_part_of_its_forms(tmp_path):
    lines = [f"opened for {user}" for user in ("alice", "robert")]
    forms = session_view(written(tmp_path, lines), r"for (\w+)")[0].read()["forms"]
    assert forms[0] == forms[1] and words(forms[0]) == ["opened_for"]


def test_pieces_make_no_difference(tmp_path, monkeypatch):
    source = written(tmp_path, log())
    whole = session_view(source, PATTERN)[0].read()
    monkeypatch.setattr("outlearn.data.kinds.logs.grouping.BLOCK", 4)
    monkeypatch.setattr("outlearn.data.kinds.logs.sessions.KEPT", 0)  # read anew by each walk
    view = session_view(source, PATTERN)[0]
    assert view.read().equals(whole) and view.read().equals(whole)


def test_too_many_open_sessions_are_closed_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr("outlearn.data.kinds.logs.grouping.BLOCK", 1)
    monkeypatch.setattr("outlearn.data.kinds.logs.grouping.OPEN", 3)
    view, _ = session_view(written(tmp_path, log()), PATTERN)
    frame = view.read()
    assert frame.height == view.rows > 6 and frame["lines"].sum() == 18
    assert "were closed before the end" in view.notes[-1]


def test_forms_of_a_session_are_bounded_but_lines_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("outlearn.data.kinds.logs.grouping.MOST_FORMS", 2)
    row = session_view(written(tmp_path, log()), PATTERN)[0].read().row(0, named=True)
    assert len(row["forms"].split()) == 2 and row["lines"] == 3


def test_a_log_without_times_has_sessions_all_the_same(tmp_path):
    frame = session_view(written(tmp_path, ["a 1", "b 1", "a 2"]), r"\d")[0].read()
    assert frame["seconds"].null_count() == 2 == frame["time"].null_count()
    assert frame["lines"].to_list() == [2, 1]


def test_ids_of_forms_name_them_and_do_not_change():
    assert form_id("disk <*> failed") == "disk_failed#b93613"
    assert form_id("<*>").startswith("line#") and " " not in form_id("a\u2003b c")
    assert form_id("disk <*> <*> failed") != form_id("disk <*> failed")


@pytest.mark.parametrize("pattern", ["(", "(?=a)", "x{1000000}"])
def test_a_bad_pattern_is_refused_before_any_work(pattern):
    with pytest.raises(ParameterError, match="no regular expression"):
        ReadOptions(session=pattern)


def test_other_kinds_have_no_sessions():
    assert ReadOptions(session="a").kind == "logs"
    with pytest.raises(ParameterError, match="only logs have sessions"):
        ReadOptions(session="a", kind="flows")


def test_no_session_at_all_is_an_error(tmp_path):
    for pattern in ("nothing", "x*"):
        with pytest.raises(ReadError, match="no line matches"):
            session_view(written(tmp_path, log()), pattern)


def test_forms_are_a_sequence_even_where_all_sessions_are_alike(tmp_path):
    written(tmp_path, log())
    source, reading = open_table(tmp_path / "a.log", Reading(options=ReadOptions(session=PATTERN)))
    schema = reading.schema_of(source.read(), source)
    assert schema["forms"].kind is Kind.SEQUENCE and schema["forms"].used
    assert not schema["session"].used and isinstance(source.read(), pl.DataFrame)
