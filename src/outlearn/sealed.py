"""Files of arrays and text in the format of safetensors, with a SHA-256 over every byte of theirs.

The digest stands at a fixed place of the header, as its entry ``sha256``, and is taken over the whole file
with zeros at that place: header and arrays, so that no bit of it can turn without being noticed. It tells
damage, not who wrote a file. Any reader of safetensors reads such files; files without the entry, as earlier
versions wrote them, are read here as well, and say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.files import whole

__all__ = ["DIGEST", "Contents", "entries_of", "read_sealed", "write_sealed"]

Arrays = Mapping[str, NDArray[Any]]
DIGEST = "sha256"
"""Name of the entry that holds the digest."""
_SIZE = 8  # bytes before the header, which say how long it is
_OPENING = b'{"__metadata__":{"sha256":"'
_BLANK = b"0" * 64
_PLACE = slice(_SIZE + len(_OPENING), _SIZE + len(_OPENING) + len(_BLANK))
_LONGEST = 100_000_000  # bytes of a header, as safetensors has it
_LARGEST_EMPTY = 2**24  # rows or columns of an array that holds no value


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a file holds. entries : texts by name. sealed : whether it carries a digest, which then fits."""

    entries: Mapping[str, str]
    arrays: Arrays
    sealed: bool


def write_sealed(
    path: Path,
    arrays: Arrays,
    entries: Mapping[str, str],
    *,
    refusal: str = "cannot write to",
    parents: bool = False,
) -> None:
    """Write arrays and texts, whole or not at all; equal ones give equal bytes.

    Raises
    ------
    OutputError
        When the file cannot be written; its message begins with `refusal`. See `files.whole`.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    with whole(path, errors=(OSError, SafetensorError), parents=parents, refusal=refusal) as draft:
        plain = save({name: np.asarray(values, order="C") for name, values in arrays.items()})
        start = _SIZE + int.from_bytes(plain[:_SIZE], "little")
        places = json.loads(plain[_SIZE:start])
        head = {"__metadata__": {DIGEST: _BLANK.decode(), **entries}, **places}
        header = json.dumps(head, separators=(",", ":")).encode()
        header += b" " * (-len(header) % _SIZE)
        content = bytearray(len(header).to_bytes(_SIZE, "little") + header) + memoryview(plain)[start:]
        content[_PLACE] = _digest(content).encode()
        draft.write_bytes(content)


def read_sealed(path: Path, wanted: Collection[str]) -> Contents:
    """Read a file that has one of the `wanted` entries, and no other beside its digest.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it is no such file, or not as it was written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    entries = entries_of(path)
    if not any(name in entries for name in wanted):
        raise ValueError(f"its header has no entry {' or '.join(wanted)}")
    strange = sorted(set(entries) - {*wanted, DIGEST})
    if strange:
        raise ValueError(f"its header has an entry {strange[0][:40]!r}, which nobody writes: it is damaged")
    content = path.read_bytes()
    digest = entries.get(DIGEST)
    if digest is not None and (
        content[_SIZE : _PLACE.start] != _OPENING
        or content[_PLACE] != digest.encode("utf-8", "replace")
        or digest != _digest(content)
    ):
        raise ValueError("it is damaged: its content does not match the SHA-256 that it carries")
    try:
        arrays = dict(sorted(load(content).items()))  # it gives them in an order of chance
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"its arrays cannot be read: {error}") from error
    for name, values in arrays.items():
        if not values.size and max(values.shape, default=0) > _LARGEST_EMPTY:
            raise ValueError(f"its array {name[:40]!r} has the shape {values.shape} and no value")
    return Contents(entries, arrays, sealed=digest is not None)


def entries_of(path: Path) -> Mapping[str, str]:
    """Return the entries in the header of a file, by name; nothing else of it is read.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it is not in the format of safetensors.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(_SIZE), "little")
        header = file.read(size) if size <= min(_LONGEST, path.stat().st_size - _SIZE) else b""
    try:
        head = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not in the format of safetensors, or cut short") from error
    entries = head.get("__metadata__", {}) if isinstance(head, dict) else None
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise ValueError("its header is not one of safetensors")
    return entries


def _digest(content: bytes | bytearray) -> str:
    """Return the SHA-256 of a whole file, with zeros for the digest that it holds."""
    view = memoryview(content)
    total = hashlib.sha256(view[: _PLACE.start])
    total.update(_BLANK)
    total.update(view[_PLACE.stop :])
    return total.hexdigest()
