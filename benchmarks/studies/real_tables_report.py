"""Results of `real_tables` → Markdown tables and the figure of the learning curve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import spearmanr, wilcoxon

from outlearn.evaluate.compare import markdown

Row = dict[str, Any]

#: Peers, in the order of the columns.
LABEL_FREE = ("knn5", "knn50", "iforest", "cleaned_knn", "mcd")
LABELLED = ("catboost", "bagged_trees", "siamese", "nearest case")
ALL = "all"
COUNTS = ((1, 1), (2, 3), (5, 5), (10, 20))


def report(rows: Sequence[Row]) -> str:
    """Say what all rows amount to, in Markdown."""
    groups = [*sorted({row["group"] for row in rows}), ALL]
    parts = []
    for use in ("reference", "unlabelled"):
        parts.append(
            f"## {use}\n\nAUROC / average precision, and points over each peer (p, Wilcoxon over tables)."
        )
        parts.append(
            markdown(
                ["", "tables", "ours", "untrained", *LABEL_FREE], [_against(rows, use, g) for g in groups]
            )
        )
    parts.append("## With labels\n\nMean average precision, then points over each peer (p).")
    head = [
        "",
        "cases",
        "tables",
        "ours",
        "below no labels, by two points, of tables",
        "no labels",
        "untrained",
        *LABELLED,
    ]
    body = []
    for use in ("cases", "reference and cases"):
        body += [_labelled(rows, use, low, high) for low, high in COUNTS]
    body += [_labelled(rows, "verdicts", low, high) for low, high in ((0, 0), (1, 2), (3, 40))]
    parts.append(markdown(head, [line for line in body if line]))
    parts.append("## Flags and doubt\n\n" + _level(rows))
    return "\n\n".join(parts)


def gain(pairs: Iterable[tuple[list[float], list[float] | None]], which: int) -> str:
    """Return the mean gain of the first over the second in points, with p, of AUROC (0) or precision (1)."""
    gains = np.array([100 * (ours[which] - theirs[which]) for ours, theirs in pairs if theirs is not None])
    if len(gains) < 5:
        return "–"
    p = wilcoxon(gains).pvalue if gains.any() else 1.0
    return f"{gains.mean():+.1f} ({p:.2g})"


def _against(rows: Sequence[Row], use: str, group: str) -> list[str]:
    there = [row for row in rows if row["use"] == use and group in (row["group"], ALL)]
    ours = np.mean([row["ours"] for row in there], axis=0)
    cells = [group, str(len(there)), f"{ours[0]:.3f} / {ours[1]:.3f}"]
    others: list[Callable[[Row], list[float] | None]] = [lambda row: row["start"]]
    others += [partial(_peer, name) for name in LABEL_FREE]
    for other in others:
        both = [(row["ours"], other(row)) for row in there]
        cells.append(f"{gain(both, 0)} / {gain(both, 1)}")
    return cells


def _peer(name: str, row: Row) -> list[float] | None:
    reached: list[float] | None = row.get("peers", {}).get(name)
    return reached


def _labelled(rows: Sequence[Row], use: str, low: int, high: int) -> list[str]:
    there = [row for row in rows if row["use"] == use and low <= row["cases"] <= high]
    if not there:
        return []
    ours = np.mean([row["ours"][1] for row in there])
    lost = np.array([row["no labels"][1] - row["ours"][1] for row in there])
    others: list[Callable[[Row], list[float] | None]] = [
        lambda row: row["no labels"],
        lambda row: row["start"],
    ]
    others += [partial(_peer, name) for name in LABELLED]
    gains = [gain([(row["ours"], other(row)) for row in there], 1) for other in others]
    return [
        use,
        f"{low}" if low == high else f"{low} to {high}",
        str(len(there)),
        f"{ours:.3f}",
        f"{np.mean(lost > 1e-3):.0%}, {np.mean(lost > 0.02):.0%}",
        *gains,
    ]


def _level(rows: Sequence[Row]) -> str:
    lines = []
    for use in ("unlabelled", "cases", "verdicts", "clean"):
        there = [row for row in rows if row["use"] == use]
        low, middle, high = np.quantile([row["flagged"] for row in there], (0.05, 0.5, 0.95))
        line = f"* {use}: flags {middle:.1%} of the rows (5 to 95 % of the tables: {low:.1%} to {high:.1%})"
        pairs = [(row["f1"], row["f1 at the share"]) for row in there if "f1" in row]
        if pairs:
            ours, best = np.mean(pairs, axis=0)
            line += f"; F1 {ours:.3f}, at the true share {best:.3f}, so {ours / best:.2f} of it"
        lines.append(line)
    for use in ("reference", "unlabelled", "cases", "reference and cases", "verdicts"):
        there = [row for row in rows if row["use"] == use]
        rank = spearmanr([row["reach"] for row in there], [row["ours"][0] for row in there]).statistic
        lines.append(f"* {use}: rank correlation of the AUROC expected with the one reached {rank:.2f}")
    return "\n".join(lines)


def curve_text(rows: Sequence[Row]) -> str:
    """Return mean AUROC / average precision by the number of tables learnt from, over all folds."""
    uses = sorted({row["use"] for row in rows})
    body = []
    for asked in sorted({row["asked"] for row in rows}):
        there = [row for row in rows if row["asked"] == asked]
        means = [np.mean([row["ours"] for row in there if row["use"] == use], axis=0) for use in uses]
        body.append(
            [f"{np.mean([row['tables'] for row in there]):.0f}", *(f"{a:.3f} / {p:.3f}" for a, p in means)]
        )
    return markdown(["tables", *uses], body)


def curve_figure(rows: Sequence[Row]) -> dict[str, Any]:
    """Return a Vega-Lite figure: average precision against the number of tables learnt from, a line a use."""
    import altair as alt
    import polars as pl

    frame = pl.DataFrame(
        [{"asked": r["asked"], "tables": r["tables"], "support": r["use"], "ap": r["ours"][1]} for r in rows]
    )
    means = frame.group_by("asked", "support").agg(pl.col("tables").mean(), pl.col("ap").mean()).sort("asked")
    chart = (
        alt.Chart(alt.Data(values=means.to_dicts()))
        .mark_line(point=True)
        .encode(
            x=alt.X("tables:Q", scale=alt.Scale(type="log"), title="real tables learnt from"),
            y=alt.Y("ap:Q", scale=alt.Scale(zero=False), title="mean average precision, owners left out"),
            color=alt.Color("support:N", title=None),
        )
        .properties(width=420, height=280, background="white")
    )
    figure: dict[str, Any] = chart.to_dict()
    return figure
