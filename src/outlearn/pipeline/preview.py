"""The top rows in full, and a bounded sample of the rest for the map and the column profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.empty import EMPTY_REASON, empty_rows
from outlearn.data.named import written
from outlearn.data.readers import Source
from outlearn.decisions.decision import Decision
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.reasons import readable_cells
from outlearn.explain.explanation import Explanation
from outlearn.findings.profiles import column_profiles
from outlearn.findings.projection import map_sample
from outlearn.findings.table import ColumnProfile, MapSample
from outlearn.pipeline.rows import pick_rows
from outlearn.pipeline.scan import Scan
from outlearn.rng import derive

__all__ = ["Picture", "explain_top", "take_picture"]

_USUAL, _FLAGGED = 5_000, 1_000  # rows at most in the sample, fewer of a wide table
_CELLS = 2_000_000  # of such rows, at most


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows `top` as a frame in their order, a map and the column profiles."""

    top: pl.DataFrame
    map: MapSample
    profiles: tuple[ColumnProfile, ...]

    @property
    def values(self) -> tuple[dict[str, Any], ...]:
        names = tuple(map(written, self.top.columns))
        return tuple(dict(zip(names, row, strict=True)) for row in self.top.iter_rows())


def take_picture(
    detector: BaseDetector,
    source: Source,
    scan: Scan,
    decision: Decision,
    top: NDArray[np.int64],
) -> Picture:
    """Read the top rows and a random sample of usual and flagged ones that are not empty, in one pass."""
    rng = derive(detector.seed_, 1)
    width = max(len(source.columns), 1)

    def some(rows: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
        limit = int(np.clip(_CELLS // width, 50, limit))
        return rows if len(rows) <= limit else np.sort(rng.choice(rows, limit, replace=False))

    usual = some(np.flatnonzero(~decision.flagged & ~scan.empty), _USUAL)
    flagged = some(np.flatnonzero(decision.flagged), _FLAGGED)
    rows = np.concatenate([top, usual, flagged])
    frame = pick_rows(source, rows)
    shown, first = np.unique(rows, return_index=True)
    sample = readable_cells(detector.encoder_, frame[len(top) :])
    return Picture(
        top=frame[: len(top)],
        map=map_sample(
            detector.encoder_.transform(frame[first]).values,
            shown,
            scan.scores[shown],
            decision.flagged[shown],
            random_state=rng,
        ),
        profiles=column_profiles(sample[: len(usual)], sample[len(usual) :], detector.schema_),
    )


def explain_top(
    detector: BaseDetector,
    frame: pl.DataFrame,
    rows: NDArray[np.int64],
    support_rows: NDArray[np.int64] | None,
    columns: int = 5,
) -> tuple[Explanation, ...]:
    """Explain every row of `frame`, whose row numbers in the source are `rows`; of an empty one, that it is.

    support_rows : the row number of each support row in the source it was chosen from, -1 where it came from
        elsewhere; None leaves neighbours and labelled rows as positions in the support.
    """
    if not len(rows):
        return ()

    empty = empty_rows(frame, detector.schema_)

    def placed(explanation: Explanation) -> Explanation:
        row = int(rows[explanation.row])
        if empty[explanation.row]:
            return Explanation(row, 0.0, (), (), EMPTY_REASON)
        explanation = replace(explanation, row=row)
        if support_rows is None:
            return explanation
        known = support_rows
        return replace(
            explanation,
            neighbours=tuple(int(known[n]) for n in explanation.neighbours if known[n] >= 0),
            labels=tuple(replace(label, position=int(known[label.position])) for label in explanation.labels),
            of_source=True,
        )

    return tuple(map(placed, detector.explain(frame, np.arange(len(rows)), columns=columns)))
