import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import Rule
from outlearn.explain import Contribution, LabelEffect
from outlearn.report import render_text
from outlearn.report.summary import direction_words, effects_sentence, rule_sentence


def text_of(findings, width=80, top=10, encoding="utf-8", **options):
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding) as file:
        render_text(findings, console=Console(file=file, width=width, **options), top=top)
        file.flush()
        return raw.getvalue().decode(encoding)


def test_text_tells_the_answer_first_and_every_note_and_limit(make_findings):
    findings = make_findings()
    text = text_of(findings)
    assert text.startswith("3 of 40 rows flagged")
    for words in ("Promise: Promise amount.", *findings.notes, *findings.limits, "1 set aside"):
        assert words in text
    assert text.count("amount is odd") == 5
    assert text_of(findings, top=2).count("amount is odd") == 2
    assert text_of(findings, top=0).count("amount is odd") == 0


def test_plain_where_there_is_no_terminal(make_findings):
    assert "\x1b" not in text_of(make_findings())
    assert "─" not in text_of(make_findings())
    assert "\x1b[" in text_of(make_findings(), force_terminal=True, color_system="standard")


@pytest.mark.parametrize("width", [80, 120])
def test_reasons_are_not_squeezed(make_findings, width):
    findings = make_findings(
        n=10_000_000 // 100, word="a reason of many plain words", cell="and a value " * 8
    )
    lines = text_of(findings, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert max(len(line.rstrip()) for line in lines if "a reason" in line) > width * 0.75


def test_foreign_text_is_neither_markup_nor_control(make_findings):
    text = text_of(make_findings(word="[red]x[/red]\x1b[2J[/]", cell="\x07\r\n[link=http://x]"))
    assert "[red]x[/red]" in text
    assert not set("\x1b\x07\r") & set(text)


def test_ascii_terminal_is_served(make_findings):
    assert "? is odd" in text_of(make_findings(word="é"), encoding="ascii")


def test_promise_that_cannot_be_made_and_no_flags(make_findings):
    findings = make_findings(flagged=0)
    decision = Decision(
        findings.decision.flagged, 1.0, Rule.budget(5), Promise(False, "no promise: few rows")
    )
    text = text_of(make_findings(flagged=0, decision=decision))
    assert "0 of 40 rows flagged" in text
    assert "No promise can be made: No promise: few rows." in text


def test_what_may_make_the_findings_wrong_is_told_before_them(make_findings):
    lines = text_of(make_findings(cautions=("column 'y' looks like the answer", "two"))).splitlines()
    assert lines[1:3] == [
        "Look at this first: Column 'y' looks like the answer.",
        "Look at this first: Two.",
    ]


def test_a_doubt_is_told_with_the_answer(make_findings):
    assert "I can't tell" not in text_of(make_findings())
    lines = text_of(make_findings(doubt="there are only 3 rows")).splitlines()
    assert lines[1] == "I can't tell: There are only 3 rows."


def test_the_effects_of_labels_are_put_into_words(make_findings):
    told = make_findings().explanations[0]
    assert effects_sentence(told) == ""
    labels = (LabelEffect(7, 1, 1.24), LabelEffect(-1, 0, -0.5))
    assert effects_sentence(replace(told, labels=labels)) == (
        "Labels that moved the raw score most: row 7 (anomaly) raised it by 1.2, a row labelled later "
        "(normal) lowered it by 0.5."
    )


SCORES = np.array([0.1, 0.5, 0.5, 0.5, 0.5, 0.9])


@pytest.mark.parametrize(
    ("flagged", "threshold", "suppressed", "words"),
    [
        ([5], 0.9, 0, "17 % of the rows score 0.900 or more"),
        ([5], 0.5 + 1e-9, 0, "17 % of the rows score more than 0.500"),
        ([5], 0.50004, 0, "17 % of the rows score 0.50004 or more"),
        ([], np.nextafter(0.9, 1), 0, "no row scores more than 0.900"),
        ([], np.inf, 0, "no row is flagged"),
        (
            [1, 5],
            0.5,
            0,
            "2 rows are flagged, with scores of 0.500 or more; 3 other rows score as much, beyond",
        ),
        (
            [1, 2, 3, 4],
            0.5,
            1,
            "67 % of the rows are flagged for a score of 0.500 or more; 1 more row is suppr",
        ),
        ([0, 1, 2, 3, 4, 5], 0.1, 0, "100 % of the rows score 0.100 or more"),
    ],
)
def test_the_rule_is_told_as_it_was_used(make_findings, flagged, threshold, suppressed, words):
    flags = np.isin(np.arange(6), flagged)
    decision = Decision(flags, float(threshold), Rule.contamination(0.1), Promise(False, "none"))
    findings = make_findings(scores=SCORES, decision=decision, suppressed=suppressed)
    assert rule_sentence(findings).startswith(words)
    assert rule_sentence(findings).endswith("(rule: contamination 0.1)")


def test_columns_in_combination_name_one_another():
    one = Contribution("items", 12, "1 to 12", "in combination", 0.5, ("amount",))
    assert direction_words(one) == "in combination with amount"
    assert direction_words(replace(one, direction="high")) == "high"
