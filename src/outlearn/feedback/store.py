"""Where verdicts are kept: a protocol that a database can fill, and a file of JSON lines.

Nothing is ever changed or deleted. A later verdict on a row stands before an earlier one (`verdict.current`);
both are kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from outlearn.errors import ReadError
from outlearn.feedback.verdict import Verdict
from outlearn.ledger import Lines, appending, read_lines
from outlearn.shown import clean

__all__ = ["Recorded", "VerdictFile", "VerdictStore"]

LINE_VERSION = 1  # of a line


@dataclass(frozen=True, slots=True)
class Recorded:
    """All verdicts of a store, in the order they were added, and sentences on what could not be read."""

    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()


class VerdictStore(Protocol):
    """Keeps verdicts; several may add at once."""

    @property
    def name(self) -> str:
        """The store in words, such as a path."""
        ...

    def append(self, verdicts: Sequence[Verdict]) -> None:
        """Add verdicts; when this returns they are kept, whatever happens next.

        Raises
        ------
        OutputError
            When they cannot be kept.
        """
        ...

    def read(self) -> Recorded:
        """Return all verdicts; none where nothing was ever added.

        Raises
        ------
        ReadError
            When the store is damaged.
        """
        ...


@dataclass(frozen=True, slots=True)
class VerdictFile:
    """Verdicts in a file of JSON lines, one a verdict, that is only ever added to.

    The next writer marks a line that was cut off, as when power fails, and `read` has a note on it.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = VerdictFile(Path(folder.name) / "verdicts.jsonl")
    >>> store.read().verdicts
    ()
    >>> folder.cleanup()
    """

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def append(self, verdicts: Sequence[Verdict]) -> None:
        if not verdicts:
            return
        with appending(self.path) as ledger:
            for verdict in verdicts:
                ledger.append(json.dumps({"v": LINE_VERSION, **verdict.to_dict()}))

    def read(self) -> Recorded:
        if not self.path.exists():
            return Recorded()
        return _recorded(read_lines(self.path, "the verdicts"), self.path)


def _recorded(lines: Lines, path: Path) -> Recorded:
    verdicts: dict[str, Verdict] = {}
    for number, text in lines.whole:
        try:
            verdict = _verdict(text)
            if verdict.id in verdicts:
                raise ValueError(f"the id {verdict.id} comes twice")
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            why = f"there is no field {error}" if isinstance(error, KeyError) else error
            raise ReadError(
                f"{path}, line {number}: no verdict, or a damaged one ({clean(why, 200)}); mend or restore "
                "the file, or name another: nothing is learnt from half of it"
            ) from error
        verdicts[verdict.id] = verdict
    notes = tuple(
        f"{path}, line {number} was cut off while it was written: that verdict is lost, give it again"
        for number in lines.torn
    )
    return Recorded(tuple(verdicts.values()), notes)


def _verdict(text: str) -> Verdict:
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise TypeError("it is no object")
    version = fields["v"]
    if type(version) is not int or version != LINE_VERSION:
        raise ValueError(f"it is of version {clean(version)}, this reads {LINE_VERSION}: upgrade outlearn")
    return Verdict.from_dict(fields)
