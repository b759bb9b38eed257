import numpy as np
import pytest

from outlearn.decisions import Budget, Rule, decide
from outlearn.errors import ParameterError

RULES = [
    Rule.contamination(0.1),
    Rule.false_alarm_rate(0.05),
    Rule.budget(12),
    Rule.false_discovery_rate(0.1),
    Rule.false_discovery_rate(0.1, tail_model=True),
]


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    return {
        "new": np.r_[rng.normal(size=190), rng.normal(8, 1, 10)],
        "support": rng.normal(size=300),
        "held": rng.normal(size=999),
    }


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_flags_are_the_rows_from_the_threshold_on(scores, rule, held):
    reference = scores["held"] if held else None
    decision = decide(scores["new"], rule=rule, support_scores=scores["support"], reference_scores=reference)
    np.testing.assert_array_equal(decision.flagged, scores["new"] >= decision.threshold)
    assert decision.flagged[190:].all()
    assert decision.rule == rule
    assert (decision.p_values is not None) == held


@pytest.mark.parametrize(
    ("rule", "with_reference", "without"),
    list(zip(RULES, [False, True, True, True, False], [False, False, True, False, False], strict=True)),
    ids=lambda value: str(value),
)
def test_a_promise_is_made_only_where_it_can_be_kept(scores, rule, with_reference, without):
    def promise(reference):
        return decide(
            scores["new"], rule=rule, support_scores=scores["support"], reference_scores=reference
        ).promise

    assert promise(scores["held"]).holds is with_reference
    assert promise(None).holds is without
    for text in (promise(None).text, promise(scores["held"]).text):
        assert "\n" not in text
        assert text
    if not without:
        assert promise(None).text.startswith("no ")


def test_no_discovery_says_how_much_reference_is_missing(scores):
    decision = decide(
        scores["new"],
        rule=Rule.false_discovery_rate(0.1),
        support_scores=scores["support"],
        reference_scores=scores["held"][:150],
    )
    assert not decision.flagged.any()
    assert decision.threshold > scores["new"].max()
    assert "1,999 reference rows" in decision.promise.text
    assert "at least 14 of the 200 rows" in decision.promise.text
    modelled = decide(
        scores["new"],
        rule=Rule.false_discovery_rate(0.1, tail_model=True),
        support_scores=scores["support"],
        reference_scores=scores["held"][:150],
    )
    assert modelled.flagged[190:].sum() >= 8


def test_a_budget_a_day_needs_times(scores):
    rule = Rule.budget("3/day")
    with pytest.raises(ParameterError, match="needs the time"):
        decide(scores["new"], rule=rule, support_scores=scores["support"])
    times = np.datetime64("2024-01-01") + np.arange(200) // 100
    decision = decide(scores["new"], rule=rule, support_scores=scores["support"], times=times)
    assert [decision.flagged[:100].sum(), decision.flagged[100:].sum()] == [3, 3]
    assert "never more than 3 rows are flagged in each day" in decision.promise.text


def test_rules_check_their_values():
    assert Rule.budget(Budget(4)) == Rule.budget("4") == Rule.budget(4)
    for make in (Rule.contamination, Rule.false_alarm_rate, Rule.false_discovery_rate):
        for bad in (0.0, 1.0, -0.1, float("nan"), "0.1", True):
            with pytest.raises(ParameterError, match="between 0 and 1"):
                make(bad)


def test_an_empty_batch_is_decided(scores):
    for rule in RULES:
        decision = decide([], rule=rule, support_scores=scores["support"], reference_scores=scores["held"])
        assert decision.flagged.shape == (0,)


@pytest.mark.parametrize(
    ("support", "share", "words"),
    [
        (np.arange(100.0), 0.05, "the threshold flags about 5 % of rows like those"),
        (
            [0.1] * 60 + [0.9] * 40,
            0.05,
            "5 % were asked for, and the threshold flags 0 % of the rows that the ",
        ),
        (
            [0.1] * 60 + [0.5] * 38 + [0.9, 1.0],
            0.05,
            "the threshold flags 2 % of the rows that the detector lea",
        ),
        ([0.1, 0.2, 0.3, 0.9], 0.05, "5 % of the 4 rows that the detector learnt from are less than one"),
    ],
)
def test_a_share_that_ties_or_few_rows_forbid_is_not_said_to_be_flagged(support, share, words):
    decision = decide(support, rule=Rule.contamination(share), support_scores=support)
    assert words in decision.promise.text and not decision.promise.holds
