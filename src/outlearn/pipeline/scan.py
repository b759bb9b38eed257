"""Every row of a source scored and decided upon, a piece at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns import ConstantEncoder, Repairs
from outlearn.data.columns.dates import moments_of
from outlearn.data.columns.moment import MomentEncoder
from outlearn.data.empty import EMPTY_REASON, empty_note, empty_rows
from outlearn.data.matrix import Matrix
from outlearn.data.missing import cells_by
from outlearn.data.readers import Source
from outlearn.data.rows import row_hash
from outlearn.data.schema import Role, check_columns
from outlearn.decisions.budget import Budget
from outlearn.decisions.conformal import p_values
from outlearn.decisions.decide import decide
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import OwnRule, Rule
from outlearn.detectors.base import BaseDetector
from outlearn.errors import ParameterError
from outlearn.execute import Executor, Threads
from outlearn.explain.explanation import Explanation
from outlearn.pipeline.rows import chunks_of
from outlearn.pipeline.stages import Stages

__all__ = ["Scan", "beside_normals", "check_rule", "decide_rows", "own_rule", "score_rows", "top_rows"]

_ELSEWHEN = 0.1  # share of rows from which on a column counts as elsewhen
_REPLACED = 0.9  # share of rows with another value, from which on a column of one is another one
_DISTINCT = 0.8  # share of distinct rows up to which copies are scored once
_ABOUT_NORMAL_ROWS = ("false-alarm rate", "false-discovery rate")


@dataclass(frozen=True, slots=True)
class Scan:
    """Anomaly scores (n,), the time of each row (n,) where a time column is known, and what was repaired.

    empty : (n,) rows whose cells are all missing: they score 0, and no rule flags them.
    elsewhen : columns of date-times that in over a tenth of the rows lie outside those of the support.
    changed : columns that held one value in all rows learnt from, and another in over a tenth of these, with
    the share of rows that hold another.
    """

    scores: NDArray[np.float64]
    times: NDArray[np.datetime64] | None
    empty: NDArray[np.bool_]
    notes: tuple[str, ...]
    elsewhen: tuple[str, ...] = ()
    changed: tuple[tuple[str, float], ...] = ()

    def top(
        self, count: int, *, flagged: NDArray[np.bool_], suppressed: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return the numbers of the top rows that are not empty: flagged ones first; see `top_rows`.

        suppressed : (n,) rows where it is not 0 are passed over.
        """
        aside = self.empty.astype(np.int64)
        without = aside if suppressed is None else aside + suppressed
        return top_rows(self.scores, count, first=flagged, without=without)

    def reasons(self, explanations: Sequence[Explanation]) -> dict[int, tuple[int | None, str]]:
        """Return rank and reason of the top rows, and of empty ones, which have no rank, by row number."""
        unranked: tuple[int | None, str] = (None, EMPTY_REASON)
        reasons = dict.fromkeys(np.flatnonzero(self.empty).tolist(), unranked)
        for rank, why in enumerate(explanations, start=1):
            reasons[why.row] = (rank, why.sentence)
        return reasons


@dataclass(frozen=True, slots=True)
class _Piece:
    """Scores and times of some rows (m,), which of them are empty, and what was repaired in the others.

    outside : columns of date-times, with how many rows lie outside those of the support. changed : columns
    that held one value, with how many rows hold another.
    notes : on columns. repairs : of cells, for each encoder.
    """

    scores: NDArray[np.float64]
    times: NDArray[np.datetime64] | None
    empty: NDArray[np.bool_]
    outside: Counter[str]
    changed: Counter[str]
    notes: tuple[str, ...]
    repairs: tuple[Repairs, ...]


def score_rows(
    detector: BaseDetector,
    source: Source,
    stages: Stages,
    executor: Executor | None = None,
    *,
    learnt_from: bool = False,
) -> Scan:
    """Score all rows; only the scores and times of all of them are kept.

    executor : where pieces of the source are scored; on threads of this process by default.
    learnt_from : whether these are the rows that the detector learnt from.
    """
    check_columns(detector.schema_, source.columns, where=source.name)
    scores: list[NDArray[np.float64]] = []
    times: list[NDArray[np.datetime64]] = []
    empty: list[NDArray[np.bool_]] = []
    outside, changed = Counter[str](), Counter[str]()
    done = 0
    notes: dict[str, None] = {}
    repairs: tuple[Repairs, ...] = tuple(Repairs() for _ in detector.encoder_.encoders)
    score = partial(_score_chunk, detector=detector, clock=_clock(detector))
    with stages.stage("scoring", source.rows) as tick:
        for piece in (executor or Threads()).map(score, chunks_of(source)):
            notes |= dict.fromkeys(piece.notes)
            repairs = tuple(a + b for a, b in zip(repairs, piece.repairs, strict=True))
            scores.append(piece.scores)
            empty.append(piece.empty)
            if piece.times is not None:
                times.append(piece.times)
            outside, changed = outside + piece.outside, changed + piece.changed
            done += len(piece.scores)
            tick(done)
    elsewhen = tuple(name for name, rows in outside.items() if rows > _ELSEWHEN * done)
    differing = tuple((name, rows / done) for name, rows in changed.items() if rows > _ELSEWHEN * done)
    nothing = np.concatenate(empty)
    sentences = [*notes, *detector.encoder_.sentences(repairs, said=learnt_from)]
    if nothing.any():
        unlearnt = "nothing is learnt from them, " if learnt_from else ""
        sentences.append(f"{empty_note(int(nothing.sum()))}; {unlearnt}they score 0 and come last")
    stamps = np.concatenate(times) if times else None
    return Scan(np.concatenate(scores), stamps, nothing, tuple(sentences), elsewhen, differing)


def _score_chunk(chunk: pl.DataFrame, *, detector: BaseDetector, clock: MomentEncoder | None) -> _Piece:
    moments = None
    if clock is not None and clock.name in chunk.columns:
        moments = moments_of(chunk[clock.name], clock.form, clock.zone)[0].to_numpy()
    empty = empty_rows(chunk, detector.schema_)
    filled = chunk.filter(~empty) if empty.any() else chunk
    scores = np.zeros(chunk.height)
    if not filled.height:
        nothing = tuple(Repairs() for _ in detector.encoder_.encoders)
        return _Piece(scores, moments, empty, Counter(), Counter(), (), nothing)
    matrix, notes, repairs = detector.encoder_.repaired(filled)
    scores[~empty] = _scored(detector, matrix.values)
    outside, changed = _outside(detector, filled), _changed(detector, matrix)
    return _Piece(scores, moments, empty, outside, changed, notes, repairs)


def _scored(detector: BaseDetector, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the scores of encoded rows; where many are copies, each is scored once: it scores the same
    anywhere."""
    _, first, place = np.unique(row_hash(values), return_index=True, return_inverse=True)
    if len(first) > _DISTINCT * len(values):
        return detector.score_encoded(values)
    return np.asarray(detector.score_encoded(values[first])[place])


def _outside(detector: BaseDetector, chunk: pl.DataFrame) -> Counter[str]:
    """Count, for each column of date-times, the rows before or after all rows of the support."""
    moments = [e for e in detector.encoder_.encoders if isinstance(e, MomentEncoder)]
    cells = cells_by(detector.schema_, chunk, [encoder.name for encoder in moments])
    counted = Counter[str]()
    for encoder in moments:
        # The first of its matrix columns counts days, see `MomentEncoder`.
        known = detector.support_[:, detector.encoder_.sources.index(encoder.name)]
        days = encoder.encode(cells[encoder.name])[0][:, 0]
        counted[encoder.name] = int(((days < known.min()) | (days > known.max())).sum())
    return counted


def _changed(detector: BaseDetector, matrix: Matrix) -> Counter[str]:
    """Count, for each column that held one value in all rows learnt from, the rows that hold another."""
    fixed = {e.name for e in detector.encoder_.encoders if isinstance(e, ConstantEncoder)}
    places = (i for i in detector.counted_.places.tolist() if matrix.sources[i] in fixed)
    return Counter({matrix.sources[i]: int(matrix.values[:, i].sum()) for i in places})


def check_rule(detector: BaseDetector, rule: Rule | None) -> None:
    """Refuse, before any row is scored, a budget with a period where the time of rows is not known.

    Raises
    ------
    ParameterError
        When that is so.
    """
    if rule is not None and isinstance(rule.value, Budget) and rule.value.period and _clock(detector) is None:
        raise ParameterError(
            f"a budget of {rule.value} needs the time of each row; name a column of date-times as the time "
            "column, or give a budget for all rows such as 20"
        )


def _clock(detector: BaseDetector) -> MomentEncoder | None:
    """Return how the time column is read, if there is one and it holds date-times."""
    timed = {column.name for column in detector.schema_.columns if column.role is Role.TIME}
    encoders = (e for e in detector.encoder_.encoders if e.name in timed and isinstance(e, MomentEncoder))
    return next(encoders, None)


def decide_rows(detector: BaseDetector, scan: Scan, rule: Rule | None) -> Decision:
    """Decide by `rule`, or where there is none as the detector itself would; an empty row is not flagged."""
    held_out = detector.calibration_scores_ if len(detector.calibration_scores_) else None
    rule = rule if rule is not None else detector.rule_
    if rule is not None:
        decision = decide(
            scan.scores,
            rule=rule,
            support_scores=detector.support_scores_,
            reference_scores=held_out,
            known_normal=beside_normals(detector),
            times=scan.times,
        )
        decision = replace(decision, flagged=decision.flagged & ~scan.empty)
        return _without_false_promise(decision, scan) if rule.kind in _ABOUT_NORMAL_ROWS else decision
    needed = "" if beside_normals(detector) else "; it takes a reference of normal rows"
    return Decision(
        flagged=(scan.scores >= detector.threshold_) & ~scan.empty,
        threshold=float(detector.threshold_),
        rule=own_rule(detector),
        promise=Promise(False, f"no rate of false alarms was asked for{needed}"),
        p_values=None if held_out is None else p_values(scan.scores, held_out),
    )


def beside_normals(detector: BaseDetector) -> bool:
    """Tell whether a detector compares with rows that are known to be normal, as those of a reference are."""
    y = detector.support_y_
    return bool((y != -1).all() and (y == 0).any())


def own_rule(detector: BaseDetector) -> OwnRule:
    """Return the rule of a detector that was given none."""
    if not detector.probabilistic:
        return OwnRule("bulk", detector.contamination_)
    if detector.threshold_ == 0.5:
        return OwnRule("even odds")
    return OwnRule("expected F1", detector.least_flagged_)


def _without_false_promise(decision: Decision, scan: Scan) -> Decision:
    """Take the promise back where one column alone tells the rows from the reference."""
    # Attacks may be most of the rows and leave the promise about normal ones alone; nearly all rows may not.
    replaced = tuple(name for name, share in scan.changed if share > _REPLACED)
    if not (decision.promise.holds and (scan.elsewhen or replaced)):
        return decision
    names = ", ".join(f"'{name}'" for name in scan.elsewhen or replaced)
    how = (
        f"the dates in {names} lie outside those of the reference"
        if scan.elsewhen
        else f"nearly all rows hold another value in {names} than all rows of the reference"
    )
    text = (
        f"no promise: {how}, which makes rows odd by itself, so they are not from the same source; leave "
        "the column out (--ignore) to compare the rest"
    )
    return replace(decision, promise=Promise(False, text))


def top_rows(
    scores: NDArray[np.float64],
    count: int,
    *,
    first: NDArray[np.bool_] | None = None,
    without: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the row numbers of the `count` highest scores, highest first; ties in row order.

    first : (n,) rows that come before all others. without : (n,) rows where it is not 0 are passed over.

    >>> top_rows(np.array([0.1, 0.9, 0.9, 0.5]), 3).tolist()
    [1, 2, 3]
    >>> top_rows(np.array([0.1, 0.9, 0.9, 0.5]), 3, first=np.array([True, False, False, False])).tolist()
    [0, 1, 2]
    """
    if without is not None:
        left = np.flatnonzero(without == 0)
        ahead = None if first is None else first[left]
        return np.asarray(left[top_rows(scores[left], count, first=ahead)])
    if first is not None:
        groups = (np.flatnonzero(first), np.flatnonzero(~first))
        return np.concatenate([group[top_rows(scores[group], count)] for group in groups])[:count]
    count = min(count, len(scores))
    if not count:
        return np.empty(0, dtype=np.int64)
    bound = np.partition(scores, len(scores) - count)[len(scores) - count]
    candidates = np.flatnonzero(scores >= bound)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:count].astype(np.int64)
