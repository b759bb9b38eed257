"""Many result rows → one table: who is better, by how much, and is it more than luck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError

__all__ = ["Comparison", "Standing", "compare", "markdown"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One detector among others.

    mean, median : over the sets it finished; `sets` counts them.
    common : mean over the sets that every detector finished, the fair column where some failed; detectors
        that finished no set are left out of the table and of this.
    rank : mean rank over all sets, 1 the best; a detector that failed on a set shares the last ranks there.
    wins : sets on which it is best; ties share the win.
    p_value : two-sided paired Wilcoxon signed-rank test against the chosen detector on the sets both
        finished, not corrected for the number of comparisons; None for the chosen one itself, and for fewer
        than two sets.

    `rank` and `wins` are None for the oracle, which is no competitor.
    """

    detector: str
    sets: int
    mean: float
    median: float
    common: float
    rank: float | None
    wins: float | None
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Standings in falling order of the mean, for one metric."""

    metric: str
    against: str
    sets: int
    common_sets: int
    standings: tuple[Standing, ...]

    def to_markdown(self) -> str:
        """Return a Markdown table with a line below it that says what was compared."""
        head = (
            "detector",
            "sets",
            "mean",
            "median",
            "mean, common",
            "mean rank",
            "wins",
            f"p vs {self.against}",
        )
        body = [
            (
                standing.detector,
                str(standing.sets),
                f"{standing.mean:.3f}",
                f"{standing.median:.3f}",
                _number(standing.common, ".3f"),
                _number(standing.rank, ".2f"),
                _number(standing.wins, ".1f"),
                _number(standing.p_value, ".2g"),
            )
            for standing in self.standings
        ]
        note = f"{self.metric}, higher is better; {self.sets} sets, {self.common_sets} finished by all."
        return f"{markdown(head, body)}\n\n{note}"


def compare(
    rows: Iterable[Mapping[str, Any]],
    metric: str,
    *,
    against: str,
    unit: str = "set",
    oracle_of: Sequence[str] = (),
) -> Comparison:
    """Join result rows into standings.

    Parameters
    ----------
    rows : one mapping a run with the keys `unit`, "detector" and `metric`; a run whose metric is missing,
        None, empty or not a number has failed. Runs of one detector on one set (seeds) are averaged first.
    against : the detector that others are tested against.
    unit : "set", or another key such as "family" to let sets of one source count once.
    oracle_of : detectors among which an oracle picks the best on each set; adds a row "oracle". Empty: none.

    Raises
    ------
    InputError
        When no run finished, or `against` or a detector of `oracle_of` is not among the rows.

    >>> runs = [{"set": s, "detector": d, "auroc": v} for s, d, v in
    ...         [("a", "x", 0.9), ("a", "y", 0.8), ("b", "x", 0.7), ("b", "y", 0.6)]]
    >>> [(s.detector, s.mean, s.wins) for s in compare(runs, "auroc", against="y").standings]
    [('x', 0.8, 2.0), ('y', 0.7, 0.0)]
    """
    names, values = _table(rows, metric, unit)
    wanted = {against, *oracle_of}
    if not wanted <= set(names):
        raise InputError(f"no rows of {sorted(wanted - set(names))}; there are rows of {names}")
    chosen = values[names.index(against)]
    ranks, wins = _ranks(values), _wins(values)
    finished = np.isfinite(values)
    common = np.logical_and.reduce(finished[finished.any(axis=1)], axis=0)
    standings = [
        _standing(
            name,
            values[i],
            common,
            float(ranks[i]),
            float(wins[i]),
            None if name == against else _p(values[i], chosen),
        )
        for i, name in enumerate(names)
        if finished[i].any()
    ]
    if oracle_of:
        pool = values[[names.index(name) for name in oracle_of]]
        best = np.where(np.isfinite(pool), pool, -np.inf).max(axis=0)
        best[np.isneginf(best)] = np.nan
        standings.append(_standing("oracle", best, common, None, None, _p(best, chosen)))
    standings.sort(key=lambda standing: -standing.mean)
    return Comparison(metric, against, values.shape[1], int(common.sum()), tuple(standings))


def markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up, the first to the left and the others to the right.

    >>> print(markdown(("name", "n"), [("a", "12")]))
    | name |  n |
    |:-----|---:|
    | a    | 12 |
    """
    lines = [tuple(head), *(tuple(row) for row in body)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = "|".join(":" + "-" * (w + 1) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths))
    drawn = [
        "| " + " | ".join(f"{cell:{'<' if i == 0 else '>'}{widths[i]}}" for i, cell in enumerate(line)) + " |"
        for line in lines
    ]
    return "\n".join([drawn[0], f"|{rule}|", *drawn[1:]])


def _table(
    rows: Iterable[Mapping[str, Any]], metric: str, unit: str
) -> tuple[list[str], NDArray[np.float64]]:
    """Return detector names (a,) in order of appearance and their values (a, s), nan where runs failed."""
    runs: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        value = row.get(metric)
        number = float("nan") if value is None or value == "" else float(value)
        finished = runs.setdefault((str(row["detector"]), str(row[unit])), [])
        if np.isfinite(number):
            finished.append(number)
    names, units = (list(dict.fromkeys(key[i] for key in runs)) for i in (0, 1))
    values = np.array([[_mean_or_nan(runs.get((name, entry), [])) for entry in units] for name in names])
    if not np.isfinite(values).any():
        raise InputError(f"none of the rows has a finished {metric}")
    return names, values


def _mean_or_nan(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _standing(
    name: str,
    values: NDArray[np.float64],
    common: NDArray[np.bool_],
    rank: float | None,
    wins: float | None,
    p_value: float | None,
) -> Standing:
    finished = values[np.isfinite(values)]
    return Standing(
        detector=name,
        sets=finished.size,
        mean=float(finished.mean()),
        median=float(np.median(finished)),
        common=_mean_or_nan(values[common].tolist()),
        rank=rank,
        wins=wins,
        p_value=p_value,
    )


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean ranks (a,); failed runs count as worst."""
    from scipy.stats import rankdata  # half a second to import: only when a table is asked for

    filled = np.where(np.isfinite(values), values, -np.inf)
    ranks: NDArray[np.float64] = rankdata(-filled, axis=0)
    mean: NDArray[np.float64] = ranks.mean(axis=1)
    return mean


def _wins(values: NDArray[np.float64]) -> NDArray[np.float64]:
    filled = np.where(np.isfinite(values), values, -np.inf)
    best = np.isfinite(values) & (filled == filled.max(axis=0))
    wins: NDArray[np.float64] = (best / np.maximum(best.sum(axis=0), 1)).sum(axis=1)
    return wins


def _p(values: NDArray[np.float64], chosen: NDArray[np.float64]) -> float | None:
    both = np.isfinite(values) & np.isfinite(chosen)
    if both.sum() < 2:
        return None
    difference = values[both] - chosen[both]
    if not difference.any():
        return 1.0
    from scipy.stats import wilcoxon

    return float(wilcoxon(difference, zero_method="zsplit").pvalue)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None or not np.isfinite(value) else format(value, form)
