"""A search as a page and as lines."""

import math
from dataclasses import replace

from outlearn.findings import Origin
from outlearn.findings.tuning import Tried, TuningFindings
from outlearn.report.tuning import render_tuning, tuning_text

NAMES = tuple(f"lof neighbours={k}" for k in (20, 5, 50))
FOUND = TuningFindings(
    source=Origin("data.csv", 50),
    strategy="maml",
    why="so it was",
    seconds=2.0,
    names=NAMES,
    expected=(0.01, -0.02, 0.05),
    members=(2,),
    default=0,
    trials=(Tried(2, 0.81, 0.4, 0.5), Tried(1, None, None, 1.0, "ValueError: <no>")),
    notes=("a note",),
)


def test_the_page_tells_what_was_chosen_beside_the_default_and_how():
    page = render_tuning(FOUND)
    assert "One configuration of lof" in page and "So it was." in page
    assert "default, not chosen" in page and "+0.050" in page and "+0.010" in page
    assert "2 tried, of which 1 worked, in 1.5 s." in page and ">0.81<" in page and ">0.40<" in page
    assert "failed: ValueError: &lt;no&gt;" in page and "a note" in page
    assert "<script" not in page and "{{" not in page
    assert (
        'aria-label="average precision on labels: from 0.40 to 0.40 over 2 trials"' in page and "<svg" in page
    )


def test_what_the_default_shows_is_told_beside():
    beside = Tried(0, 0.5, 0.25, 0.1)
    found = replace(FOUND, beside=beside)
    page, text = render_tuning(found), tuning_text(found)
    for told in (page, text):
        assert "agrees with outlearn 0.50, average precision on the labelled rows 0.25" in told
    assert "the default 0.25" in page and "average precision on labels: from 0.40 to 0.40" in page
    failed = replace(FOUND, beside=Tried(0, None, None, 0.1, "ValueError: no"))
    assert "it failed when tried: ValueError: no" in tuning_text(failed)
    render_tuning(failed)
    render_tuning(replace(FOUND, trials=[Tried(1, None, None, 1.0, "ValueError: no")]))  # nothing to draw


def test_many_members_unknown_gains_and_no_trial():
    page = render_tuning(replace(FOUND, members=[0, 1], expected=[math.nan] * 3, trials=[], notes=()))
    assert "2 configurations, ranks averaged" in page
    assert "The search as it went" not in page and "Notes" not in page
    assert "nan" not in page and "not chosen" not in page


def test_one_configuration_and_the_default_beside_it_in_lines():
    lines = tuning_text(replace(FOUND, trials=[], notes=())).splitlines()
    assert lines == [
        "maml: one configuration, in 2.0 s; so it was",
        "   lof neighbours=50 (expected gain +0.050)",
        "the default: lof neighbours=20 (expected gain +0.010)",
    ]


def test_many_are_cut_and_an_unknown_gain_is_not_told():
    many = replace(FOUND, names=NAMES * 3, members=list(range(7)), expected=[math.nan] * 9, trials=[])
    text = tuning_text(many)
    assert "7 configurations, ranks averaged" in text and "and 2 more" in text
    assert "expected" not in text and "default" not in text


def test_trials_labels_faults_and_notes_are_told():
    better = [Tried(0, 0.2, 0.9, 0.5), *FOUND.trials]
    text = tuning_text(replace(FOUND, trials=better))
    assert "3 tried, of which 2 worked, in 2.0 s" in text
    assert "best on the labelled rows: lof neighbours=20 (average precision 0.90)" in text
    assert "failed: lof neighbours=5: ValueError: <no>" in text and text.endswith(" - a note")
