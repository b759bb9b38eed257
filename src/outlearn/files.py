"""Files that appear under their name whole or not at all, and together or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from outlearn.drafts import Draft, sweep
from outlearn.errors import OutputError
from outlearn.interrupts import uninterrupted

__all__ = ["together", "whole", "writing"]

_REFUSAL = "cannot write to"
Errors = tuple[type[Exception], ...]
_OWN: Errors = (OSError, ValueError)  # ValueError: a path with a null character


@dataclass(frozen=True, slots=True)
class _Made:
    """A draft that is whole, for its place. refusal, over : as in `whole`."""

    draft: Draft
    refusal: str
    over: bool = True

    @property
    def path(self) -> Path:
        return self.draft.target


_waiting: ContextVar[list[_Made] | None] = ContextVar("waiting", default=None)


@contextmanager
def whole(
    path: Path,
    *,
    errors: Errors = (OSError,),
    refusal: str = _REFUSAL,
    parents: bool = False,
    over: bool = True,
) -> Iterator[Path]:
    """Give a new file beside `path`, which takes the place of `path` when the block ends without error.

    It has the suffix of `path` and a name of its own, so two writers never meet: the last to end wins. On any
    error, Ctrl-C included, it is removed and `path` stays as it was. `path` does so too when the process is
    killed; the next writer removes what is left then. Within `together` all files take their places at once.

    Parameters
    ----------
    errors : what a failed write in the block raises; every other error of the block passes unchanged.
    refusal : how the message begins, up to the path.
    parents : make the folders that are missing. over : whether a file that is there may be written over.

    Raises
    ------
    OutputError
        When the file cannot be made, written or renamed; also when `path` is a folder or a device.
    FileExistsError
        When `path` is there and not to be written over.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "a.txt"
    >>> with whole(path) as draft:
    ...     written, there = draft.write_text("all of it"), path.exists()
    >>> path.read_text(), there
    ('all of it', False)
    >>> folder.cleanup()
    """
    draft = Draft(path)
    try:
        with writing(path, errors=_OWN, refusal=refusal):
            _check(path, parents=parents)
        if not over and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "it is there", str(path))
        with writing(path, errors=_OWN, refusal=refusal):
            sweep(path)
            draft.create()
        with writing(path, errors=errors, refusal=refusal):
            yield draft.path
        made, waiting = _Made(draft, refusal, over), _waiting.get()
        if waiting is None:
            _settle([made])
        else:
            waiting.append(made)
    except BaseException:
        with uninterrupted():
            draft.discard()
        raise  # the first error, whether or not the draft could be removed


@contextmanager
def together() -> Iterator[None]:
    """Let what `whole` makes in the block appear when it ends without error, all of it or nothing.

    A block within another waits for that one; other threads go on alone. Where a file cannot take its place
    after others have, those are put back as they were.

    Raises
    ------
    OutputError
        When a file cannot be renamed.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> paths = [Path(folder.name) / name for name in ("a.txt", "b.txt")]
    >>> with together():
    ...     for path in paths:
    ...         with whole(path) as draft:
    ...             written = draft.write_text("all of it")
    ...     there = paths[0].exists()
    >>> there, [path.exists() for path in paths]
    (False, [True, True])
    >>> folder.cleanup()
    """
    if _waiting.get() is not None:
        yield
        return
    made: list[_Made] = []
    before = _waiting.set(made)
    try:
        try:
            yield
        finally:
            _waiting.reset(before)
        _settle(made)
    except BaseException:
        with uninterrupted():
            for one in made:
                one.draft.discard()
        raise


@contextmanager
def writing(path: Path, *, errors: Errors = (OSError,), refusal: str = _REFUSAL) -> Iterator[None]:
    """Turn `errors` of the block into an `OutputError` that names `path` and says what to do.

    >>> with writing(Path("a.txt")):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    outlearn.errors.OutputError: cannot write to a.txt: No space left on device; name a file in a folder \
that exists, has room and that you may write to
    """
    try:
        yield
    except errors as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        name = str(path) if str(path).isprintable() else repr(str(path))
        raise OutputError(
            f"{refusal} {name}: {reason}; "
            "name a file in a folder that exists, has room and that you may write to"
        ) from error


def _check(path: Path, *, parents: bool) -> None:
    """Refuse what is no place for a file."""
    if parents:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(mode):  # renaming would put a file in the place of /dev/null
        raise OSError(errno.EINVAL, "it is a device, not a file")


def _settle(made: Sequence[_Made]) -> None:
    """Give drafts their places: all of them, or none."""
    for one in made:
        with writing(one.path, errors=_OWN, refusal=one.refusal):
            _flush(one.draft.path)
    places = [_Place(one) for one in made]
    with uninterrupted():
        try:
            for place in places:
                place.take(alone=len(places) == 1)
        except BaseException:
            for place in reversed(places):
                place.restore()
            raise
        finally:
            for place in places:
                place.former.discard()
                place.made.draft.release()


class _Place:
    """The place that a draft takes, and what was there before, to be put back."""

    def __init__(self, made: _Made) -> None:
        self.made, self.former = made, Draft(made.path)
        self._was: bool | None = None  # whether a file was there; None until it is looked at
        self._kept = False

    def take(self, *, alone: bool) -> None:
        """Rename the draft. alone : a single rename is whole or nothing by itself."""
        path, draft = self.made.path, self.made.draft.path
        self._was = os.path.lexists(path)
        self._kept = self._was and not alone and self.former.keep()
        if self.made.over or not _linked(draft, path):
            with writing(path, errors=_OWN, refusal=self.made.refusal):
                draft.replace(path)

    def restore(self) -> None:
        """Put back what was there, where that can be and the draft has taken its place."""
        if self._was is None or self.made.draft.path.exists():
            return
        with suppress(OSError):  # the error that led here is the one to raise
            if self._kept:
                self.former.path.replace(self.made.path)
            elif not self._was:
                self.made.path.unlink(missing_ok=True)


def _linked(draft: Path, path: Path) -> bool:
    """Give a draft a name that must not be there yet; return whether that was possible in one step.

    Raises
    ------
    FileExistsError
        When the name is there by now.
    """
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        return False
    draft.unlink()
    return True


def _flush(draft: Path) -> None:
    """Wait until the content is on the disk: a rename may overtake it when the power fails."""
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())
