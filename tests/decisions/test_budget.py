import numpy as np
import pytest

from outlearn.decisions.budget import Budget, parse_budget
from outlearn.errors import InputError, ParameterError


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("20", Budget(20)),
        (" 20 / day ", Budget(20, "day")),
        ("5/hours", Budget(5, "hour")),
        ("5 per hour", Budget(5, "hour")),
        ("3 a Week", Budget(3, "week")),
        ("1_000/month", Budget(1000, "month")),
    ],
)
def test_budgets_are_read(text, budget):
    assert parse_budget(text) == budget
    assert parse_budget(str(budget)) == budget


@pytest.mark.parametrize(
    "text", ["", "many", "20/fortnight", "0", "-3", "2.5", "20//day", "20 day", "1" * 100 + "x"]
)
def test_what_is_not_a_budget_is_refused_in_one_line(text):
    with pytest.raises(ParameterError, match="budget") as caught:
        parse_budget(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def naive_flags(scores, keys, k):
    flagged = [False] * len(scores)
    for key in set(keys):
        rows = sorted((i for i in range(len(scores)) if keys[i] == key), key=lambda i: (-scores[i], i))
        for row in rows[:k]:
            flagged[row] = True
    return flagged


@pytest.mark.parametrize(
    ("period", "key"),
    [
        ("minute", lambda t: t.strftime("%Y-%m-%d %H:%M")),
        ("hour", lambda t: t.strftime("%Y-%m-%d %H")),
        ("day", lambda t: t.strftime("%Y-%m-%d")),
        ("week", lambda t: t.isocalendar()[:2]),
        ("month", lambda t: t.strftime("%Y-%m")),
    ],
)
def test_each_period_has_its_own_budget(period, key):
    rng = np.random.default_rng(0)
    span = {"minute": 600, "hour": 36_000}.get(period, 86_400 * 40)
    times = np.datetime64("2023-12-20T22:30:00") + rng.integers(0, span, 300).astype("timedelta64[s]")
    scores = rng.integers(0, 20, 300) / 20
    flagged, threshold = Budget(3, period).flag(scores, times)
    assert flagged.tolist() == naive_flags(scores, [key(t) for t in times.tolist()], 3)
    assert threshold == scores[flagged].min()


def test_weeks_begin_on_monday():
    sunday_monday = np.array(["2024-01-07", "2024-01-08"], dtype="datetime64[D]")
    assert Budget(1, "week").flag([0.2, 0.1], sunday_monday)[0].all()


@pytest.mark.parametrize("period", ["day", "week"])
def test_rows_without_a_time_share_one_budget(period):
    times = np.array(["NaT", "2024-01-01", "NaT", "NaT"], dtype="datetime64[us]")
    assert Budget(1, period).flag([0.1, 0.2, 0.9, 0.3], times)[0].tolist() == [False, True, True, False]


def test_times_must_be_there_and_be_times():
    with pytest.raises(ParameterError, match="needs the time of each row"):
        Budget(1, "day").flag([0.1])
    with pytest.raises(InputError, match="datetime64"):
        Budget(1, "day").flag([0.1], ["monday"])
    with pytest.raises(InputError, match="one a row"):
        Budget(1, "day").flag([0.1], np.array(["2024-01-01"] * 2, dtype="datetime64[D]"))
    assert Budget(1, "day").flag([], np.array([], dtype="datetime64[s]"))[0].shape == (0,)
