"""Which files were read how far, whatever they are called now.

A file is known by its number on the disk and by what it begins with. One that was rotated, copied away,
packed or written anew with more rows is read on from where it ended; one that was truncated is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from outlearn.errors import ReadError
from outlearn.serving.sources.content import HEAD, Content, Mark
from outlearn.serving.sources.folder import Present, Tell, opened
from outlearn.serving.sources.forms import FileForm

__all__ = ["Position", "Tracked", "content_of", "part_of", "track"]

_LONGEST = 480  # characters of the name of a part, which the store bounds


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read.

    identity, size, modified : of the file when it was. done : whether nothing was left of it then.
    mark : of the bytes before the next row. rows : before it. unended : whether the last of them had no end
    of line yet.
    """

    path: str
    identity: tuple[int, int]
    size: int
    modified: int
    done: bool
    mark: Mark
    rows: int
    form: FileForm
    unended: bool = False

    def is_of(self, present: Present) -> bool:
        """Tell whether a file is as it was when all of it was read."""
        now = (present.identity, present.size, present.modified)
        return self.done and now == (self.identity, self.size, self.modified)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls(
            path=str(state["path"]),
            identity=(int(state["identity"][0]), int(state["identity"][1])),
            size=int(state["size"]),
            modified=int(state["modified"]),
            done=bool(state["done"]),
            mark=Mark.from_state(state["mark"]),
            rows=int(state["rows"]),
            form=FileForm.from_state(state["form"]),
            unended=bool(state["unended"]),
        )

    def to_state(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "identity": list(self.identity),
            "size": self.size,
            "modified": self.modified,
            "done": self.done,
            "mark": self.mark.to_state(),
            "rows": self.rows,
            "form": self.form.to_state(),
            "unended": self.unended,
        }


@dataclass(frozen=True, slots=True)
class Tracked:
    """A file, and how far it was read, if it was. moved : the part under which that is kept, if another."""

    present: Present
    position: Position | None = None
    moved: str | None = None


def part_of(path: str) -> str:
    """Return the name under which the position of a file is kept."""
    if len(path) <= _LONGEST:
        return f"file {path}"
    return f"file {path[: _LONGEST - 70]} {sha256(path.encode()).hexdigest()}"


@contextmanager
def content_of(root: Path, present: Present) -> Iterator[Content]:
    """Open the content of a file.

    Raises
    ------
    ReadError
        See `folder.opened`.
    """
    with opened(root, present) as file:
        yield Content(present.path, file)


def track(root: Path, files: Sequence[Present], known: Mapping[str, Position], tell: Tell) -> list[Tracked]:
    """Return the files of which something may be new, in their order, each with its position.

    known : positions by part.
    """
    return _Tracking(root, dict(known), tell).of(files)


@dataclass(slots=True)
class _Tracking:
    """One look at a folder. free : positions that no file has yet. held : files that have one, by number."""

    root: Path
    free: dict[str, Position]
    tell: Tell
    held: dict[tuple[int, int], tuple[Present, Position]] = field(default_factory=dict)

    def of(self, files: Sequence[Present]) -> list[Tracked]:
        found: dict[str, Tracked] = {}
        for step in (self._same_name, partial(self._same_number, self._by_number())):
            for present in files:
                if present.path not in found and (tracked := _tried(step, present)):
                    found[present.path] = tracked
        by_head = _by_head(self.free)
        held_by_head = _by_head({str(number): position for number, (_, position) in self.held.items()})
        for present in files:
            if present.path in found or not present.size:
                continue
            try:
                tracked = self._same_content(present, by_head)
                if tracked is None and self._is_copy(present, held_by_head):
                    continue
            except ReadError as error:
                self.tell(f"{error}; left for the next look")
                continue
            if tracked is None and part_of(present.path) in self.free:
                self.tell(f"{present.path} was truncated or written anew, and is read from its beginning")
            found[present.path] = tracked or Tracked(present)
        return [
            found[file.path]
            for file in files
            if file.path in found and not self._is_settled(found[file.path])
        ]

    @staticmethod
    def _is_settled(tracked: Tracked) -> bool:
        position = tracked.position
        return position is not None and tracked.moved is None and position.is_of(tracked.present)

    def _by_number(self) -> dict[tuple[int, int], list[str]]:
        parts: dict[tuple[int, int], list[str]] = defaultdict(list)
        for part, position in self.free.items():
            parts[position.identity].append(part)
        return parts

    def _same_name(self, present: Present) -> Tracked | None:
        part = part_of(present.path)
        position = self.free.get(part)
        if position is None or position.identity != present.identity:
            return None
        if not position.is_of(present) and not self._fits(present, position):
            return None
        return self._take(present, part, position)

    def _same_number(
        self, by_number: Mapping[tuple[int, int], Sequence[str]], present: Present
    ) -> Tracked | None:
        for part in self._longest_first(by_number.get(present.identity, ())):
            if self._fits(present, self.free[part]):
                return self._take(present, part, self.free[part])
        return None

    def _same_content(self, present: Present, by_head: _Heads) -> Tracked | None:
        with content_of(self.root, present) as content:
            for part in self._longest_first(_alike(content, by_head)):
                if self.free[part].mark.fits(content):
                    return self._take(present, part, self.free[part])
        return None

    def _longest_first(self, parts: Iterable[str]) -> list[str]:
        there = [part for part in parts if part in self.free]
        return sorted(there, key=lambda part: -self.free[part].mark.offset)

    def _is_copy(self, present: Present, by_head: _Heads) -> bool:
        """Tell whether a file is a copy, so far, of one that is there and was read."""
        held = {str(number): pair for number, pair in self.held.items()}
        with content_of(self.root, present) as content:
            for name in _alike(content, by_head):
                other, position = held[name]
                with content_of(self.root, other) as original:
                    same = position.mark.fits(content) if content.packed else content.alike(original)
                if same:
                    self.tell(f"{present.path} is a copy of {other.path}, so far, and is not read again")
                    return True
        return False

    def _fits(self, present: Present, position: Position) -> bool:
        with content_of(self.root, present) as content:
            return position.mark.fits(content)

    def _take(self, present: Present, part: str, position: Position) -> Tracked:
        del self.free[part]
        self.held[present.identity] = (present, position)
        moved = None if part == part_of(present.path) else part
        return Tracked(present, replace(position, path=present.path), moved)


def _tried(step: Callable[[Present], Tracked | None], present: Present) -> Tracked | None:
    try:
        return step(present)
    except ReadError:  # which is told where the file is opened again
        return None


_Heads = dict[int, dict[str, list[str]]]  # length of a head → its digest → parts


def _by_head(positions: Mapping[str, Position]) -> _Heads:
    heads: _Heads = defaultdict(lambda: defaultdict(list))
    for part, position in positions.items():
        heads[min(HEAD, position.mark.offset)][position.mark.head].append(part)
    return heads


def _alike(content: Content, by_head: _Heads) -> Iterable[str]:
    """Return the parts whose files began as a content does."""
    head = content.read(0, HEAD)
    parts: list[str] = []
    for length, digests in by_head.items():
        if length <= len(head):
            parts += digests.get(sha256(head[:length]).hexdigest()[:32], [])
    return parts
