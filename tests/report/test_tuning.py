"""The page of a search."""

import math
from dataclasses import replace

import pytest

from outlearn.errors import OutputError
from outlearn.report.tuning import Tried, TuningFindings, render_tuning, write_tuning_report

NAMES = [f"lof neighbours={k}" for k in (20, 5, 50)]
FOUND = TuningFindings(
    source="data.csv",
    strategy="maml",
    why="so it was",
    seconds=2.0,
    names=NAMES,
    expected=[0.01, -0.02, 0.05],
    members=[2],
    default=0,
    trials=[Tried(2, 0.81, 0.4, 0.5), Tried(1, None, None, 1.0, "ValueError: <no>")],
    notes=("a note",),
)


def test_the_page_tells_what_was_chosen_beside_the_default_and_how():
    page = render_tuning(FOUND)
    assert "One configuration of lof" in page and "So it was." in page
    assert "default, not chosen" in page and "+0.050" in page and "+0.010" in page
    assert "2 tried, 1 worked, in 1.5 s." in page and ">0.81<" in page and ">0.40<" in page
    assert "failed: ValueError: &lt;no&gt;" in page and "a note" in page
    assert "<script" not in page and "{{" not in page


def test_many_members_unknown_gains_and_no_trial():
    page = render_tuning(replace(FOUND, members=[0, 1], expected=[math.nan] * 3, trials=[], notes=()))
    assert "2 configurations, ranks averaged" in page
    assert "The search as it went" not in page and "Notes" not in page
    assert "nan" not in page and "not chosen" not in page


def test_the_page_is_written_whole_or_not(tmp_path):
    write_tuning_report(FOUND, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == render_tuning(FOUND)
    with pytest.raises(OutputError, match="report cannot be written"):
        write_tuning_report(FOUND, tmp_path / "none" / "page.html")
