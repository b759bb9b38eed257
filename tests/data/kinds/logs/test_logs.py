"""Lines of one form are one, times of usual kinds are read, and what is rare there and then stands out."""

import polars as pl
import pytest

from outlearn.data.kinds.logs import LOG_FEATURES, log_view, log_words
from outlearn.data.kinds.logs.forms import parts_of, time_form
from outlearn.data.kinds.registry import kind_named
from outlearn.data.readers import ReadOptions, open_source


def forms(*lines):
    series = pl.Series(lines)
    return parts_of(series, time_form(series))["form"].to_list()


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        (["took 15 ms", "took 2,011 ms"], "took <*> ms"),
        (["from 10.0.0.1:443 to /var/log/a.txt", "from 192.0.2.7:80 to /etc/b"], "from <*> to <*>"),
        (["user=root uid=0 failed", "user=bob uid=77 failed"], "user=<*> uid=<*> failed"),
        (['get "a b" 200', 'get "c" 404'], "get <*>"),
        (["id deadbeefcafe done", "id 0123456789ab done"], "id <*> done"),
    ],
)
def test_what_differs_within_a_form_is_a_hole(lines, form):
    assert forms(*lines) == [form] * 2


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("2026-01-02 03:04:05,123 INFO a", 1767323045.0),
        ("2026-01-02T03:04:05Z INFO a", 1767323045.0),
        ("1767323045 2026.01.02 R02 INFO a", 1767323045.0),
        ("[Fri Jan 02 03:04:05 2026] [notice] a", 1767323045.0),
        ("260102 030405 35 INFO a", 1767323045.0),
        ("26/01/02 03:04:05 INFO a", 1767323045.0),
        ('10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /"', 1767323045.0),
        ("Jan  2 03:04:05 host sshd[7]: a", 946782245.0),
    ],
)
def test_times_are_read(line, seconds):
    lines = pl.Series([line] * 3)
    assert parts_of(lines, time_form(lines))["time"].to_list() == [seconds] * 3


def test_level_and_process_are_read():
    lines = pl.Series(
        ["Jan  2 03:04:05 host sshd[7]: error: no such user", "Jan  2 03:04:06 host cron: done"]
    )
    parts = parts_of(lines, time_form(lines))
    assert parts["process"].to_list() == ["sshd", "cron"]
    assert parts["level"].to_list() == ["error", None]


def written(tmp_path, lines):
    path = tmp_path / "a.log"
    path.write_text("\n".join(lines) + "\n")
    return open_source(path, options=ReadOptions(kind="logs"))


def log():
    start = "2026-01-01 00:{:02d}:{:02d} INFO "
    lines = [
        start.format(i // 10, 6 * (i % 10)) + ("open file 1" if i % 2 == 0 else "close file 1")
        for i in range(300)
    ]
    lines[151] = start.format(15, 6) + "segfault at 0xdeadbeef"
    return lines


def test_a_line_is_told_by_itself_and_those_around_it(tmp_path):
    view, aside = log_view(written(tmp_path, log()))
    assert aside == ("line", "time")
    frame = view.read()
    assert kind_named("logs").made(frame.columns) and frame.height == 300 == view.rows
    odd = frame.row(151, named=True)
    assert odd["form after the one before"] == f"{frame['form'][150]} > {odd['form']}"
    assert "segfault at <*>" in odd["form"]
    assert odd["lines of the form in the minute"] == 1
    usual = frame.row(100, named=True)
    assert (usual["lines in the minute"], usual["lines of the form in the minute"]) == (10, 5)
    assert usual["seconds since the line before"] == 6.0
    first, second = frame.row(0, named=True), frame.row(1, named=True)
    assert first["seconds since the line before"] == 6.0, "it follows none: the step to the second is told"
    assert first["form after the one before"] == second["form after the one before"]


def test_what_is_told_of_a_line_does_not_depend_on_the_rest_of_its_file(tmp_path):
    whole = log_view(written(tmp_path, log()))[0].read()
    part = log_view(written(tmp_path, log()[100:200]))[0].read()
    assert part[1:].equals(whole[101:200])


def test_pieces_make_no_difference_to_what_is_seen_across_them(tmp_path, monkeypatch):
    source = written(tmp_path, log())
    whole = log_view(source)[0].read()
    monkeypatch.setattr("outlearn.data.kinds.logs.view.BLOCK", 70)  # a whole number of minutes
    assert log_view(source)[0].read().equals(whole)


def test_a_log_without_times_is_read_all_the_same(tmp_path):
    frame = log_view(written(tmp_path, ["a b", "a b", "c d"]))[0].read()
    assert frame["time"].null_count() == 3 == frame["lines in the minute"].null_count()
    assert frame["form"].to_list() == ["a b", "a b", "c d"]
    assert set(LOG_FEATURES) < set(frame.columns)


def test_a_long_line_names_its_row_in_short():
    assert len(log_words({"line": "x" * 999})) == 160
