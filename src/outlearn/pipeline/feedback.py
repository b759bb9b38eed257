"""Questions about the rows of a table one after another, and learning from the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.named import without, written
from outlearn.data.readers import ReadOptions, Source
from outlearn.execute import Executor
from outlearn.explain.explanation import Explanation
from outlearn.feedback.policy import Inquiry
from outlearn.feedback.store import VerdictStore
from outlearn.feedback.verdict import Answer, Channel, Verdict, current, make_verdict
from outlearn.pipeline.labelled import (
    Effect,
    effects_of,
    identities_of,
    learn_answers,
    limits_of_labels,
    open_for,
)
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.preview import explain_top
from outlearn.pipeline.rows import Spec, pick_rows
from outlearn.pipeline.scan import score_rows, top_rows
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.verdict import written_columns
from outlearn.progress import Progress
from outlearn.rng import derive

__all__ = ["Feedback", "Question"]

MOST_ROWS = 50_000  # that can be asked about: of more, half the oddest and half drawn at random


@dataclass(frozen=True, slots=True)
class Question:
    """A row to show.

    row : its number in the source, from 0. cells : by column, without those that we wrote beside them.
    score : in [0, 1]. why : the reason, with a sentence.
    """

    row: int
    cells: dict[str, Any]
    score: float
    why: Explanation


class Feedback:
    """Asks about rows of a source, records each answer, and gives a monitor that has learnt from them.

    Rows that the store has a verdict on already are not asked about; they are learnt from as well.

    Parameters
    ----------
    monitor : judges the rows; it stays as it is.
    source : as in `Monitor.fit`.
    store : each verdict is there before `tell` returns.
    by : who answers. origin : where. model : name of the model, for the record.
    executor : where rows are scored; on threads of this process by default.

    Raises
    ------
    InputError
        When the source cannot be read, lacks columns that the detector reads, or has under ten rows.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from outlearn.feedback.store import VerdictFile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = VerdictFile(Path(folder.name) / "verdicts.jsonl")
    >>> monitor = Monitor.fit("dataset:wine", detector="knn")
    >>> feedback = Feedback(monitor, "dataset:wine", store, by="ana")
    >>> question = feedback.ask()
    >>> feedback.tell(question.row, "normal").answer.value, len(store.read().verdicts)
    ('normal', 1)
    >>> feedback.updated() is monitor
    False
    >>> folder.cleanup()
    """

    def __init__(
        self,
        monitor: Monitor,
        source: Spec,
        store: VerdictStore,
        *,
        by: str,
        origin: Channel = Channel.API,
        model: str | None = None,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.monitor, self._store = monitor, store
        self._by, self._origin, self._model = by, origin, model
        stages = Stages(progress)
        with stages.stage("reading"):
            self._source = open_for(monitor, source, options)
            recorded = store.read()
        scan = score_rows(monitor.detector, self._source, stages, executor)
        scores, filled = scan.scores, np.flatnonzero(~scan.empty)
        rows = filled[_asked_about(scores[filled], monitor.detector.seed_)]
        with stages.stage("learning what to ask"):
            self._known = _Rows.of(monitor, self._source, rows, scores[rows])
            encoded = monitor.detector.encoder_.transform(self._known.frame).values
            self._blank = Inquiry(encoded, random_state=monitor.detector.seed_)
        there = set(self._known.identities)
        self._answers = {
            identity: verdict.answer
            for identity, verdict in current(recorded.verdicts).items()
            if identity in there
        }
        self._given: dict[str, Answer] = {}
        self._inquiry = self._follow()
        self.notes = (
            *monitor.file_notes,
            *self._source.notes,
            *_drawn(len(rows), len(filled)),
            *limits_of_labels(monitor.detector),
            *recorded.notes,
        )

    def ask(self) -> Question:
        """Return the row to show next; it stays the same until an answer comes.

        Raises
        ------
        InputError
            When nothing is left to ask about.
        """
        place = self._inquiry.ask()
        row = int(self._known.rows[place])
        frame = self._known.frame[[place]]
        why = explain_top(self.monitor.detector, frame, np.array([row]), self.monitor.support_rows)[0]
        shown = without(frame, written_columns(frame.columns))
        cells = dict(zip(map(written, shown.columns), shown.row(0), strict=True))
        return Question(row, cells, float(self._known.scores[place]), why)

    def tell(self, row: int, answer: Answer | str, *, note: str = "") -> Verdict:
        """Record an answer on a row of the source, asked about or not, and learn from it.

        A row that has an answer already takes the new one; both stay on record.

        Raises
        ------
        InputError
            When there is no such row or answer, or the verdict cannot be kept.
        """
        answer = Answer.parse(answer)
        place = self._place(row)
        identity = self._known.identities[place]
        verdict = make_verdict(
            answer,
            by=self._by,
            source=self._source.name,
            row=row,
            identity=identity,
            origin=self._origin,
            note=note,
            score=float(self._known.scores[place]),
            model=self._model,
        )
        self._store.append([verdict])
        afresh = identity in self._answers
        self._answers[identity] = self._given[identity] = answer
        if afresh:
            self._inquiry = self._follow()
        else:
            self._answer(self._inquiry, identity, answer)
        return verdict

    def updated(self) -> Monitor:
        """Return a monitor that has also learnt from every verdict on these rows; without any, the same."""
        places, answers = self._placed(self._answers)
        labels = np.array([answer.label for answer in answers], dtype=np.int8)
        return learn_answers(self.monitor, self._source.name, self._known.frame[places], labels)

    def effects(self, updated: Monitor) -> tuple[Effect, ...]:
        """Return how learning moved the scores of the rows that were answered here."""
        places, answers = self._placed(self._given)
        rows = self._known.rows[places].tolist()
        return effects_of(self.monitor, updated, self._known.frame[places], rows, answers)

    @property
    def answers(self) -> dict[int, Answer]:
        """The answers that hold, given here or before, by row number."""
        places, answers = self._placed(self._answers)
        return dict(zip(self._known.rows[places].tolist(), answers, strict=True))

    def _placed(self, answers: dict[str, Answer]) -> tuple[list[int], list[Answer]]:
        return [self._known.places[identity][0] for identity in answers], list(answers.values())

    def _place(self, row: int) -> int:
        """Return the place of a row among the known ones, which it joins where it is not there."""
        there = np.flatnonzero(self._known.rows == row)
        if not len(there):
            rows = np.array([row], dtype=np.int64)
            self._known = self._known.and_also(_Rows.of(self.monitor, self._source, rows, None))
            return len(self._known.rows) - 1
        return int(there[0])

    def _follow(self) -> Inquiry:
        """Return an inquiry that has learnt all answers, in their order."""
        inquiry = self._blank.afresh()
        for identity, answer in self._answers.items():
            self._answer(inquiry, identity, answer)
        return inquiry

    def _answer(self, inquiry: Inquiry, identity: str, answer: Answer) -> None:
        """Give the inquiry the answer once, and skip all copies of the row."""
        places = [place for place in self._known.places[identity] if place in inquiry]
        if places and answer.label >= 0:
            inquiry.tell(places[0], answer.label)
        for place in places:
            inquiry.skip(place)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows (k, …) with their numbers (k,), scores (k,) and identities, and the places of each identity."""

    rows: NDArray[np.int64]
    frame: pl.DataFrame
    scores: NDArray[np.float64]
    identities: list[str]
    places: dict[str, list[int]]

    @classmethod
    def of(
        cls, monitor: Monitor, source: Source, rows: NDArray[np.int64], scores: NDArray[np.float64] | None
    ) -> _Rows:
        frame = pick_rows(source, rows)
        known = monitor.detector.anomaly_score(frame) if scores is None else scores
        identities = identities_of(frame, monitor.detector.schema_)
        return cls(rows, frame, known, identities, _places(identities))

    def and_also(self, other: _Rows) -> _Rows:
        identities = [*self.identities, *other.identities]
        return _Rows(
            np.concatenate([self.rows, other.rows]),
            pl.concat([self.frame, other.frame]),
            np.concatenate([self.scores, other.scores]),
            identities,
            _places(identities),
        )


def _places(identities: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, identity in enumerate(identities):
        places.setdefault(identity, []).append(place)
    return places


def _asked_about(scores: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return the row numbers that can be asked about, ascending."""
    if len(scores) <= MOST_ROWS:
        return np.arange(len(scores), dtype=np.int64)
    odd = top_rows(scores, MOST_ROWS // 2)
    others = np.setdiff1d(np.arange(len(scores), dtype=np.int64), odd)
    drawn = derive(seed, 0xA5).choice(others, MOST_ROWS - len(odd), replace=False)
    return np.sort(np.concatenate([odd, drawn]))


def _drawn(rows: int, total: int) -> tuple[str, ...]:
    if rows == total:
        return ()
    return (f"{rows:,} of {total:,} rows can be asked about: the oddest, and others drawn at random",)
