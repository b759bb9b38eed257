from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from outlearn.data.columns.cells import numbers_of
from outlearn.data.infer import infer_schema
from outlearn.data.readers import open_source
from outlearn.errors import OutputError
from outlearn.pipeline import monitor
from outlearn.pipeline.alerting import AlertOptions
from outlearn.pipeline.output import FORMATS, check_output, scored_file


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_file_leaves_nothing_and_spares_the_old_one(tmp_path, suffix, error):
    path = tmp_path / f"rows{suffix}"
    path.write_text("old")
    with pytest.raises(error), scored_file(path) as write:
        write(pl.DataFrame({"a": [1]}))
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("rows", [1, 100_000])  # found out on closing, on writing
def test_a_full_disk_is_an_output_error(suffix, rows):
    with pytest.raises(OutputError, match="No space left"), scored_file(_full_disk(suffix)) as write:
        write(pl.DataFrame({"a": list(range(rows))}))


class _Full(type(Path())):
    """A file whose content goes to a device without room."""

    def open(self, *args, **options):
        return Path("/dev/full").open(*args, **options)


def _full_disk(suffix):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    return _Full(f"rows{suffix}")


@pytest.mark.parametrize("suffix", FORMATS)
def test_lists_and_lengths_of_time_are_written_so_that_they_can_be_read(tmp_path, suffix):
    ran = [timedelta(hours=26, minutes=i) for i in range(30)]
    with scored_file(tmp_path / f"rows{suffix}") as write:
        write(pl.DataFrame({"ran": ran, "l": [[1.0, None, 2.5]] * 30}))
    frame = open_source(tmp_path / f"rows{suffix}").read()
    seconds = numbers_of(frame["ran"], infer_schema(frame)["ran"].notation)
    assert seconds.values.tolist() == [duration.total_seconds() for duration in ran]
    assert frame.get_column("l").to_list()[0] in ([1.0, None, 2.5], "[1.0, null, 2.5]")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OutputError, match="it is a folder"):
        check_output(tmp_path)


def test_scored_rows_and_alerts_appear_together_or_not_at_all(tmp_path, monkeypatch):
    rows = pl.DataFrame({"a": [float(number % 7) for number in range(30)]})
    judge = monitor.Monitor.fit(rows, detector="knn")
    out, alerts = tmp_path / "out.csv", AlertOptions(tmp_path / "a.cef")

    def full(*arguments):
        assert not out.exists()
        raise OutputError("No space left")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="No space"):
        patch.setattr(monitor, "write_alerts", full)
        judge.detect(rows, out=out, alerts=alerts)
    assert not list(tmp_path.iterdir())
    judge.detect(rows, out=out, alerts=alerts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.cef", "out.csv"]
