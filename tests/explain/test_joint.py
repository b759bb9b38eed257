"""Values that are odd beside one another: which they are, and what is usual there."""

import datetime as dt

import numpy as np
import pytest

from outlearn.explain import Cell, RowContribution, joint_oddities, known_cells

RNG = np.random.default_rng(0)
N = 400
ITEMS = RNG.integers(1, 13, N)
TABLE = {
    "items": ("numeric", ITEMS),
    "amount": ("numeric", np.round(ITEMS * RNG.uniform(3.3, 7.5, N), 2)),
    "till": ("numeric", RNG.integers(1, 7, N)),
    "season": ("categorical", RNG.choice(["summer", "winter"], N)),
}
SUMMER = TABLE["season"][1] == "summer"
TABLE["warm"] = ("boolean", SUMMER ^ (RNG.random(N) < 0.01))
TABLE["temp"] = ("numeric", np.where(SUMMER, 22, 2) + RNG.normal(0, 3, N))
JULY, JANUARY = dt.datetime(2024, 7, 1, 12), dt.datetime(2024, 1, 15, 12)
DAYS = [(JULY if hot else JANUARY) + dt.timedelta(days=i % 14) for i, hot in enumerate(SUMMER)]
TABLE["day"] = ("datetime", DAYS)
TABLE["parity"] = ("categorical", np.where((ITEMS > 6) == SUMMER, "on", "off"))
TABLE["note"] = ("text", [f"note {i}" for i in range(N)])


def oddities(drops, known=TABLE, **values):
    """Return what is told of a row by column; `drops` are those of its columns, strongest first."""
    names = list(known)
    cells = [
        Cell(name, values.get(name, cells[0]), known_cells(kind, list(cells)))
        for name, (kind, cells) in known.items()
    ]
    rest = [name for name in names if name not in drops]
    why = RowContribution(
        score=1.0,
        columns=np.array([names.index(name) for name in (*drops, *rest)]),
        drops=np.array([*drops.values(), *np.zeros(len(rest))]),
        together=(),
        neighbours=np.arange(3),
        excess=1.0,
        tried_together=1,
    )
    joint = joint_oddities(why, cells, np.ones(len(next(iter(known.values()))[1]), bool))
    return {names[column]: (found.usual, [names[i] for i in found.beside]) for column, found in joint.items()}


@pytest.mark.parametrize("drops", [{"amount": 1.0, "items": 0.8}, {"items": 1.0, "amount": 0.3}])
def test_a_number_is_odd_beside_another(drops):
    told = oddities(drops, items=12, amount=3.1)
    usual, beside = told["amount"]
    low, high = (float(end) for end in usual.removesuffix(" where items is 12").split(" to "))
    assert 38 < low < 50 and 78 < high < 91 and beside == ["items"]
    assert told["items"] == ("", ["amount"])


def test_a_number_that_is_between_the_known_ones_is_compared_with_the_near_ones():
    told = oddities({"temp": 1.0, "amount": 0.9}, items=11.5, amount=4.0, temp=2.0, season="winter")
    assert told["amount"][0].endswith("where items is near 11.5")


def test_a_number_is_odd_beside_a_category_or_a_time():
    assert oddities({"temp": 1.0, "season": 0.7}, temp=21.0, season="winter")["temp"][0].endswith(
        "where season is 'winter'"
    )
    told = oddities(
        {"temp": 1.0, "day": 0.7}, temp=21.0, day=dt.datetime(2024, 1, 15, 12), season="summer", warm=True
    )
    assert told["temp"][0].endswith("where day is near 2024-01-15")


def test_two_categories_that_never_meet():
    known = {name: TABLE[name] for name in ("season", "warm", "till")}
    told = oddities({"warm": 1.0, "season": 1.0}, known, season="winter", warm=True)
    assert told["warm"][0].startswith("False ") and told["warm"][0].endswith("where season is 'winter'")


def test_three_columns_of_which_no_two_are_odd():
    known = {name: TABLE[name] for name in ("items", "season", "parity", "till")}
    told = oddities(
        {"parity": 1.0, "items": 0.9, "season": 0.8}, known, items=9, season="summer", parity="off"
    )
    (target,) = [name for name, (usual, _) in told.items() if usual]
    assert set(told) == {"parity", "items", "season"} and " and " in told[target][0]


def test_columns_that_have_nothing_to_do_with_one_another_are_not_paired():
    """Of rows that are usual in all, hardly one is said to be odd beside a column."""
    known = {name: TABLE[name] for name in ("till", "amount", "temp", "season")}
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(60):
        place, other = rng.integers(N, size=2)
        row = {name: known[name][1][place] for name in ("amount", "temp", "season")}
        drops = dict(
            zip(rng.permutation(["till", "amount", "temp", "season"]), (1, 0.9, 0.5, 0.4), strict=True)
        )
        found += bool(oddities(drops, known, **row, till=known["till"][1][other]))
    assert found <= 2


def test_what_is_far_off_by_itself_or_unknown_is_not_told_beside_others():
    assert oddities({"amount": 1.0, "items": 0.9}, items=1, amount=900.0) == {}
    assert oddities({"season": 1.0, "temp": 0.9}, season="monsoon", temp=3.0) == {}
    assert oddities({"note": 1.0, "till": 0.9}, note="new") == {}
    drops = {"amount": 1.0, "temp": 0.9, "day": 0.8}
    for hostile in (10**400, "1,5", np.inf, np.nan, None, b"\x00"):
        assert oddities(drops, amount=hostile, temp=hostile, day=hostile) == {}
    assert oddities({"amount": -1.0, "items": -2.0}) == {}
    few = {name: (kind, cells[:7]) for name, (kind, cells) in TABLE.items()}
    assert oddities({"amount": 1.0, "items": 0.9}, few, items=12, amount=3.1) == {}


@pytest.mark.parametrize("cells", [[], [None, np.nan], ["soon", None]])
def test_columns_without_numbers_are_compared_with_nothing(cells):
    assert known_cells("numeric", cells) is None
    assert known_cells("datetime", cells) is None


def test_a_missing_cell_is_what_others_are_odd_beside():
    known = {
        "paid": ("numeric", [None] * 200 + [5.0] * 200),
        "state": ("categorical", ["open"] * 200 + ["closed"] * 200),
    }
    told = oddities({"state": 1.0, "paid": 0.9}, known, paid=None, state="closed")
    assert told["state"][0] == "open 100 % where paid is missing"
