"""New rows of files: those that grow are read on, others as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from outlearn.data.kinds.names import TABLE
from outlearn.data.readers import Source, open_source
from outlearn.errors import ReadError, SchemaError
from outlearn.serving.sources.batch import Place, SourceBatch, bounded, runs_of
from outlearn.serving.sources.content import HEAD, TAIL, Content, Mark
from outlearn.serving.sources.folder import listed
from outlearn.serving.sources.forms import WHOLE, FileForm, form_of
from outlearn.serving.sources.look import Look, rows_within
from outlearn.serving.sources.segments import read_segment, segments
from outlearn.serving.sources.tracking import Position, Tracked, content_of, part_of, track

__all__ = ["batches_of", "file_batches"]

QUIET = 2.0  # seconds for which a file that is read as a whole was left alone
ENDED = 600.0  # seconds after which a last line without an end is taken for whole
_DAY = 86_400.0
_BLOCK = 4 << 20


def file_batches(look: Look, root: Path, pattern: str) -> Iterator[SourceBatch]:
    """Yield the rows of files that nobody judged yet, oldest file first.

    A file that cannot be read is told of and left for the next look; others go on.
    """
    known = {
        part: Position.from_state(state) for part, state in look.positions.items() if part.startswith("file ")
    }
    tracked = track(root, listed(root, pattern, look.tell), known, look.tell)
    moves = _moves(tracked)
    for one in tracked:
        if look.window is not None and one.present.modified / 1e9 < look.window[0] - _DAY:
            continue  # a row is written after it happened, whatever the time zone
        for batch in batches_of(look, root, one):
            advance, moves = {**moves, **batch.advance}, {}
            yield replace(batch, advance=advance)


def batches_of(look: Look, root: Path, tracked: Tracked) -> Iterator[SourceBatch]:
    """Yield the rows of one file from where it was read to; where it cannot be read on, that is told."""
    try:
        yield from _of_file(look, root, tracked)
    except (ReadError, SchemaError) as error:
        name = tracked.present.path
        look.tell(f"{name}: {str(error).removeprefix(f'{name}: ')}; left for the next look")


def _moves(tracked: list[Tracked]) -> dict[str, dict[str, Any] | None]:
    """Return what becomes of the positions of files that are called otherwise now."""
    moves: dict[str, dict[str, Any] | None] = {one.moved: None for one in tracked if one.moved is not None}
    for one in tracked:
        if one.moved is not None and one.position is not None:
            moves[part_of(one.present.path)] = one.position.to_state()
    return moves


def _of_file(look: Look, root: Path, tracked: Tracked) -> Iterator[SourceBatch]:
    position = tracked.position
    with (
        TemporaryDirectory(prefix="outlearn-rows-") as name,
        content_of(root, tracked.present) as content,
    ):
        folder = Path(name)
        age = abs(look.now - content.modified / 1e9)  # clocks of other machines may be ahead
        ended = content.packed is not None or age > ENDED
        if position is None:
            form = form_of(content, folder, look.options, known=look.used, ended=ended)
        else:
            form = position.form
        if form is None or (form.name == WHOLE and age < QUIET):
            return
        reader = _File(look, tracked, content, folder, form)
        yield from reader.whole() if form.name == WHOLE else reader.grown(ended=ended)


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is read. folder : for files that are made on the way."""

    look: Look
    tracked: Tracked
    content: Content
    folder: Path
    form: FileForm

    @property
    def name(self) -> str:
        return self.tracked.present.path

    def grown(self, *, ended: bool) -> Iterator[SourceBatch]:
        """Yield what was added to a text."""
        position, form, most = self.tracked.position, self.form, self.look.settings.batch_rows
        start = form.above if position is None else position.mark.offset
        row = 0 if position is None else position.rows
        unended = position is not None and position.unended
        above = self.content.read(0, form.above)
        for segment in segments(self.content, start, form, most, ended=ended, unended=unended):
            if segment.rest:
                self.look.tell(
                    f"{self.name}: row {row - 1} was read before its line had an end; more of it came"
                )
            source = read_segment(self.look, form, self.name, self.folder, above, segment)
            if source is None:
                continue
            count = source.rows or 0
            after = self._position(segment.mark, row + count, done=segment.last, unended=not segment.ended)
            batch = self._batch(source, row, after)
            row += count
            if batch is not None:
                yield batch

    def whole(self) -> Iterator[SourceBatch]:
        """Yield the rows of a file that is read as a whole, without those that were read before it grew."""
        suffixes = "".join(suffix for suffix in Path(self.name).suffixes[-2:] if len(suffix) < 10)
        path = self.folder / f"whole{suffixes}"
        self.content.copy(path)
        done = 0 if self.tracked.position is None else self.tracked.position.rows
        try:
            source = self.look.lazily(self.name, lambda options: open_source(str(path), options=options))
            mark, row = _mark_of_all(self.content), 0
            for frame, last in _with_last(source.chunks(self.look.settings.batch_rows)):
                new = frame.slice(max(0, done - row))
                if new.height:
                    first = row + frame.height - new.height
                    after = self._position(mark, row + frame.height, done=last)
                    batch = self._batch(bounded(new, self.name, source), first, after)
                    if batch is not None:
                        yield batch
                row += frame.height
        except ReadError as error:
            raise ReadError(str(error).replace(str(path), self.name)) from error

    def _position(self, mark: Mark, rows: int, *, done: bool, unended: bool = False) -> Position:
        present, content = self.tracked.present, self.content
        return Position(
            path=self.name,
            identity=present.identity,
            size=content.size,
            modified=content.modified,
            done=done,
            mark=mark,
            rows=rows,
            form=self.form,
            unended=unended,
        )

    def _batch(self, source: Source, first: int, after: Position) -> SourceBatch | None:
        """Return rows as a batch; None where a window wants none of them."""
        advance = {part_of(self.name): after.to_state()}
        window = self.look.window
        if window is None:
            return SourceBatch(source, (Place(self.name, first, source.rows or 0),), advance)
        if source.kind == TABLE and self.look.spec.table.time_column is None:
            inside = window[0] <= self.content.modified / 1e9 < window[1]
            return (
                SourceBatch(source, (Place(self.name, first, source.rows or 0),), advance) if inside else None
            )
        frame = source.read()
        rows = rows_within(source, frame, self.look.spec.table.time_column, window)
        if not len(rows):
            return None
        places = runs_of(self.name, (np.asarray(rows) + first).tolist())
        return SourceBatch(bounded(frame[rows], self.name, source), places, advance)


def _mark_of_all(content: Content) -> Mark:
    """Return the mark of the whole unpacked content."""
    head, tail, size = content.read(0, HEAD), b"", 0
    while piece := content.read(size, _BLOCK):
        size, tail = size + len(piece), (tail + piece)[-TAIL:]
    return Mark.made(size, head, tail)


def _with_last(frames: Iterator[pl.DataFrame]) -> Iterator[tuple[pl.DataFrame, bool]]:
    """Yield frames, each with whether it is the last one."""
    before: pl.DataFrame | None = None
    for frame in frames:
        if before is not None:
            yield before, False
        before = frame
    if before is not None:
        yield before, True
