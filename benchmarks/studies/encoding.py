"""What two choices of the encoding of columns rest on: values never seen, and the columns of a category.

    python -m benchmarks run encoding TABLES --out encoding.json

TABLES as for `real_tables`; every `--every`-th table is taken, and of each owner one.

*never seen*: beside 60, 300 and 1,000 known normal rows, the share of other normal rows and of anomalies that
hold another value in a column that held one in all of these (what `detectors.counted.NEVER_SEEN` rests on).

*columns* of a category: whole-number columns of 3 to 15 values are read as words, beside columns of numbers.
*as before* gives each value in 1 % of the rows a column, and the rarity of all; *ships* none to a value far
less common than the commonest, and no rarity to one in a twentieth of the rows. AUROC and average precision
of the in-context learner, which no real table taught, without labels and beside normal rows; p over tables
(Wilcoxon).

*far number*: made rows, of which one is nine deviations out in one of four columns of numbers, beside a
category or a missing cell in a share of the others: the mean number of these rows before it, by the default.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from outlearn.data.columns import categorical
from outlearn.detectors import counted
from outlearn.detectors.detector import Detector
from outlearn.evaluate.compare import markdown
from outlearn.rng import derive
from outlearn.tasks.corpus import Corpus
from outlearn.tasks.sets import read_set

KNOWN = (60, 300, 1000)
NORMALS, ANOMALIES = 500, 60
SHIPS, BEFORE = "ships", "as before"
WAYS = (BEFORE, SHIPS)
MADE, DRAWS = 400, 5
SHARES = (0.01, 0.05, 0.1)
_STREAM = 0x3C0D

Cells = NDArray[np.float32]
Truth = NDArray[np.int8]


def _encoded(way: str) -> AbstractContextManager[object]:
    """Let categories and missing cells be encoded as `way` says."""
    stack = ExitStack()
    if way == BEFORE:
        stack.enter_context(patch.object(categorical, "_BESIDE", 0.0))
        stack.enter_context(patch.object(counted, "MARKED", ()))
        fit = categorical.CategoricalEncoder.fit.__func__  # type: ignore[attr-defined]

        def before(cls: type, name: str, cells: pl.Series) -> categorical.CategoricalEncoder:
            state = {**fit(cls, name, cells).to_state(), "ordinary": 1.0}
            return categorical.CategoricalEncoder.from_state(state)

        stack.enter_context(patch.object(categorical.CategoricalEncoder, "fit", classmethod(before)))
    return stack


def never_seen(X: Cells, truth: Truth, rng: np.random.Generator) -> list[rowfile.Row]:
    """Return the shares of other rows that hold a value never seen, for each count of known normal rows."""
    normal, odd = rng.permutation(np.flatnonzero(truth == 0)), np.flatnonzero(truth == 1)
    rows: list[rowfile.Row] = []
    for known in KNOWN:
        if len(normal) < known + 50 or len(odd) < 3:
            continue
        reference = X[normal[:known]]
        fixed = (reference == reference[0]).all(axis=0)
        if fixed.any():
            others = (X[some][:, fixed] != reference[0, fixed] for some in (normal[known:], odd))
            shares = [round(float(differs.any(axis=1).mean()), 4) for differs in others]
            rows.append({"question": "never seen", "known": known, "shares": shares})
    return rows


def _as_words(X: Cells) -> pl.DataFrame | None:
    """Return a table whose columns of few whole numbers are words; None without words, or numbers."""
    values = [np.unique(column) for column in X.T]
    worded = [3 <= len(own) <= 15 and bool((own == np.floor(own)).all()) for own in values]
    if not any(worded) or not any(len(own) > 30 for own in values) or X.shape[1] > 40:
        return None
    columns = (
        pl.Series(f"c{i}", [f"v{value:g}" for value in column] if word else column)
        for i, (column, word) in enumerate(zip(X.T, worded, strict=True))
    )
    return pl.DataFrame(list(columns))


def columns_of_categories(X: Cells, truth: Truth, rng: np.random.Generator) -> list[rowfile.Row]:
    """Return what the in-context learner reaches by each way of encoding categories."""
    table = _as_words(X)
    normal, odd = (rng.permutation(np.flatnonzero(truth == y)) for y in (0, 1))
    normal, odd = normal[:NORMALS], odd[:ANOMALIES]
    if table is None or len(normal) < 150 or len(odd) < 5:
        return []
    rows: list[rowfile.Row] = []
    half = len(normal) // 2
    mixed, new = np.concatenate([odd, normal]), np.concatenate([odd, normal[half:]])
    for way in WAYS:
        with _encoded(way):
            alone = Detector("incontext", random_state=0).fit(table[mixed]).anomaly_score(table[mixed])
            beside = Detector("incontext", random_state=0).fit(table[normal[:half]], np.zeros(half))
            scores = beside.anomaly_score(table[new])
        judged = [
            round(float(measure(truth[some], own)), 4)
            for some, own in ((mixed, alone), (new, scores))
            for measure in (roc_auc_score, average_precision_score)
        ]
        rows.append({"question": "columns", "way": way, "reached": judged})
    return rows


def far_number(seed: int) -> list[rowfile.Row]:
    """Return how many made rows come before one that is nine deviations out, by what they hold."""
    rows: list[rowfile.Row] = []
    for share in SHARES:
        for holds in ("category", "missing"):
            for way in WAYS:
                before = []
                for draw in range(DRAWS):
                    rng = derive(seed, _STREAM, draw)
                    X = rng.normal(size=(MADE, 4))
                    X[0, 1] = 9.0
                    some = rng.permutation(np.arange(1, MADE))[: int(share * MADE)]
                    chosen = np.isin(np.arange(MADE), some)
                    table = pl.DataFrame(X, schema=list("abcd"))
                    if holds == "missing":
                        table = table.with_columns(a=pl.when(pl.Series(chosen)).then(None).otherwise("a"))
                    else:
                        land = np.where(chosen, "FR", rng.choice(["DE", "AT"], p=[0.6, 0.4], size=MADE))
                        table = table.with_columns(land=pl.Series(land.tolist()))
                    with _encoded(way):
                        scores = Detector(random_state=0).fit(table).anomaly_score(table)
                    before.append(int((scores[chosen] > scores[0]).sum()))
                rows.append(
                    {"question": "far number", "holds": holds, "share": share, "way": way, "before": before}
                )
    return rows


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table for each question."""
    return "\n\n".join((_report_never_seen(rows), _report_columns(rows), _report_far(rows)))


def _report_never_seen(rows: Sequence[rowfile.Row]) -> str:
    body = []
    for known in KNOWN:
        shares = np.array(
            [r["shares"] for r in rows if r["question"] == "never seen" and r["known"] == known]
        )
        if len(shares):
            body.append([f"{known:,}", str(len(shares)), *(f"{mean:.3f}" for mean in shares.mean(axis=0))])
    return markdown(["known normal rows", "tables", "normal rows", "anomalies"], body)


def _report_columns(rows: Sequence[rowfile.Row]) -> str:
    reached = {
        way: np.array([r["reached"] for r in rows if r["question"] == "columns" and r["way"] == way])
        for way in WAYS
    }
    head = [
        "columns of categories",
        "AUROC, no labels",
        "AP, no labels",
        "AUROC, normal rows",
        "AP, normal rows",
    ]
    body = [[way, *(f"{mean:.3f}" for mean in values.mean(axis=0))] for way, values in reached.items()]
    apart = (reached[SHIPS] - reached[BEFORE]).T
    body.append(["p", *(f"{wilcoxon(own).pvalue:.2g}" if own.any() else "1" for own in apart)])
    return f"{len(reached[SHIPS])} tables\n\n{markdown(head, body)}"


def _report_far(rows: Sequence[rowfile.Row]) -> str:
    made = [row for row in rows if row["question"] == "far number"]
    body = [
        [holds, f"{share:.0%} ({int(share * MADE)})"]
        + [
            f"{np.mean(row['before']):.1f}"
            for way in WAYS
            for row in made
            if (row["holds"], row["share"], row["way"]) == (holds, share, way)
        ]
        for holds, share in dict.fromkeys((row["holds"], row["share"]) for row in made)
    ]
    return markdown(["rows that hold", f"of {MADE} rows", *(f"before it, {way}" for way in WAYS)], body)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tables", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"every": options.every, "seed": options.seed}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {row.get("set") for row in rows}
    if "made" not in done:
        rows += [{"set": "made", **row} for row in far_number(options.seed)]
    by_owner = {entry.family: entry for entry in reversed(list(Corpus.read(options.tables)))}
    for number, entry in enumerate(sorted(by_owner.values(), key=lambda entry: entry.name)):
        if number % options.every or entry.name in done:
            continue
        X, truth = read_set(entry.path)
        rng = derive(options.seed, _STREAM, number)
        fresh = [*never_seen(X, truth, rng), *columns_of_categories(X, truth, rng)]
        rows += [{"set": entry.name, **row} for row in fresh] or [{"set": entry.name, "question": "none"}]
        rowfile.write(options.out, call.settings, rows, command=call.command)
    print(report(rows))


STUDY = Study("encoding", __doc__, arguments, conduct, settings, on_rows(report))
