"""Files that appear under their name whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from outlearn.errors import OutputError

__all__ = ["whole", "writing"]

_REFUSAL = "cannot write to"
Errors = tuple[type[Exception], ...]


@contextmanager
def whole(
    path: Path, *, errors: Errors = (OSError,), refusal: str = _REFUSAL, parents: bool = False
) -> Iterator[Path]:
    """Give a new file beside `path`, which takes the place of `path` when the block ends without error.

    It has the suffix of `path` and a name of its own, so two writers never meet: the last to end wins. On any
    error, Ctrl-C included, it is removed and `path` stays as it was.

    Parameters
    ----------
    errors : what a failed write in the block raises; every other error of the block passes unchanged.
    refusal : how the message begins, up to the path.
    parents : make the folders that are missing.

    Raises
    ------
    OutputError
        When the file cannot be made, written or renamed; also when `path` is a folder or a device.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "a.txt"
    >>> with whole(path) as draft:
    ...     written, there = draft.write_text("all of it"), path.exists()
    >>> path.read_text(), there
    ('all of it', False)
    >>> folder.cleanup()
    """
    own: Errors = (OSError, ValueError)  # ValueError: a path with a null character
    with writing(path, errors=own, refusal=refusal):
        draft = _beside(path, parents=parents)
    try:
        with writing(path, errors=errors, refusal=refusal):
            yield draft
        with writing(path, errors=own, refusal=refusal):
            _flush(draft)
            draft.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to raise
            draft.unlink(missing_ok=True)
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


def _beside(path: Path, *, parents: bool) -> Path:
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
    draft = path.parent / f".{path.stem}-part-{secrets.token_hex(8)}{path.suffix}"
    draft.touch(exist_ok=False)  # with the mode that any new file gets; a closed folder is found out here
    return draft


def _flush(draft: Path) -> None:
    """Wait until the content is on the disk: a rename may overtake it when the power fails."""
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())
