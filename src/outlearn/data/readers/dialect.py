"""How a delimited text is written: encoding, separator, what names its columns."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from outlearn.data.readers.detect import FileBytes, utf16_order
from outlearn.data.readers.header import holds_names, is_number
from outlearn.data.readers.limits import check_columns_of_rows
from outlearn.data.readers.source import FIXED, WHITESPACE, ReadOptions, unique_names
from outlearn.data.readers.spaced import Field, tokens
from outlearn.data.readers.split import SIGNS, Head, SplitRows, split_head
from outlearn.data.readers.titles import lines_above
from outlearn.data.readers.unit_line import holds_units, on_units
from outlearn.errors import ParameterError, ReadError

__all__ = ["Dialect", "Naming", "encodings", "head_lines", "named", "sniff"]

_DETECTED = {
    ",": "",
    ";": "separator ';' detected",
    "\t": "separator tab detected",
    "|": "separator '|' detected",
    WHITESPACE: "fields are split at blanks (--separator says otherwise)",
    FIXED: "fields of fixed width are split where all lines are blank (--separator says otherwise)",
}
_COMMENT = "#"
_ROW_NAMES = "row"  # the column that programs leave without a name, where they write names of rows


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of a text, as its head shows.

    separator : one character, or a word of `ReadOptions`.
    skip : lines before the first row. header : how many of the first rows are none of data: their names, and
        the units of these.
    fields : where they stand in a line of fixed width.
    """

    separator: str
    columns: tuple[str, ...]
    skip: int
    header: int
    notes: tuple[str, ...]
    fields: tuple[Field, ...] | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of columns.

    first : whether the first row holds them. units : whether the one below holds units.
    note : on a choice that may be wrong.
    """

    names: Sequence[str]
    first: bool
    note: str = ""
    units: bool = False

    @property
    def rows(self) -> int:
        """How many of the first rows are none of data."""
        return self.first + self.units


def encodings(content: FileBytes, wanted: str | None) -> tuple[str, ...]:
    """Return the codecs to try in turn: the one wanted or marked, else UTF-8 and two that always fit.

    Raises
    ------
    ParameterError
        When the wanted codec is unknown.
    """
    if wanted is not None:
        try:
            name = codecs.lookup(wanted).name
            "".encode(name)
        except (LookupError, ValueError) as error:
            raise ParameterError(
                f"encoding {wanted!r} is unknown; wanted one such as utf-8 or cp1252"
            ) from error
        return ("utf-8" if name in ("utf-8-sig", "ascii") else name,)
    if content.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    unmarked = utf16_order(content.head[:65_536])
    return (unmarked,) if unmarked else ("utf-8", "cp1252", "latin-1")


def head_lines(content: FileBytes, encoding: str) -> list[str]:
    """Return the lines of the head of a text, with their ends; `UnicodeError` when it does not decode."""
    text = codecs.getincrementaldecoder(encoding)().decode(content.head, final=content.whole)
    return io.StringIO(text.removeprefix("\ufeff"), newline="").readlines()


def sniff(content: FileBytes, encoding: str, options: ReadOptions) -> Dialect:
    """Find separator and header in the head of the text, as far as the options leave them open.

    Raises
    ------
    ReadError
        When the head does not decode or has no row.
    """
    lines = head_lines(content, encoding)
    blank = next((i for i, line in enumerate(lines) if line.strip("\r\n")), len(lines))
    comments = list(takewhile(_is_aside, lines[blank:])) if any(map(_is_row, lines[blank:])) else []
    above = blank + len(comments)
    titles = lines_above(lines[above:], options.separator or SIGNS) if _may_have_titles(options) else 0
    above += titles
    head = Head(content, encoding, lines[above:], above)
    split = split_head(head, options.separator)
    if not split.rows:
        raise ReadError(f"{content.path}: no row could be made out in the first {len(content.head):,} bytes")
    caption = _caption(comments, split) if options.header is None and not titles else None
    naming = named(split, options.header) if caption is None else Naming(caption, False)
    check_columns_of_rows(content.path, len(naming.names))
    names, notes = unique_names(naming.names)
    detected = _DETECTED[split.separator] if options.separator is None and split.width > 1 else ""
    said = (detected, _on_comments(comments, caption is not None), _on_titles(titles), naming.note)
    skip, header = head.skip, naming.rows
    if split.spaced and header:  # whose lines are split one by one
        skip, header = skip + head.header_lines + head.lines_of(naming.units), 0
    return Dialect(split.separator, names, skip, header, (*filter(None, said), *notes), split.fields)


def _may_have_titles(options: ReadOptions) -> bool:
    return options.header is not False and options.separator not in (WHITESPACE, FIXED)


def _on_titles(count: int) -> str:
    if not count:
        return ""
    lines = "1 line above the table was" if count == 1 else f"{count} lines above the table were"
    return f"{lines} passed over"


def _is_aside(line: str) -> bool:
    return line.startswith(_COMMENT) or not line.strip()


def _is_row(line: str) -> bool:
    return not _is_aside(line)


def _on_comments(comments: Sequence[str], named: bool) -> str:
    count = sum(map(bool, map(str.strip, comments)))
    if not count:
        return ""
    use = "the last one names the columns" if named else "passed over"
    return f"lines at the top that begin with {_COMMENT}: {count}; {use}"


def _caption(comments: Sequence[str], split: SplitRows) -> list[str] | None:
    """Return the names of columns in the last of the comments above the rows; None where it holds none."""
    written = [line for line in comments if line.strip()]
    if not written:
        return None
    last = written[-1].strip()
    # One such line above fields with a separator has always been a header, whose first name begins so.
    bare = last if len(written) == 1 and not split.spaced else last.lstrip(f"{_COMMENT} \t")
    if split.spaced:
        names = tokens(bare)
    else:
        try:
            names = next(csv.reader(io.StringIO(bare), delimiter=split.separator), [])
        except csv.Error:  # a field longer than any name
            return None
    return names if len(names) == split.width and not all(map(is_number, names)) else None


def named(split: SplitRows, wanted: bool | None) -> Naming:
    """Return what the columns are called. wanted : whether the first row names them; None: as it looks."""
    first, *below = split.rows
    if (
        wanted is not False
        and len(below) > 1
        and not any(map(is_number, first))
        and holds_units(below[0], below[1:])
    ):
        naming = _named(replace(split, rows=[first, *below[1:]]), wanted)
        if naming.first:
            note = "; ".join(filter(None, [naming.note, on_units(below[0])]))
            return replace(naming, note=note, units=True)
    return _named(split, wanted)


def _named(split: SplitRows, wanted: bool | None) -> Naming:
    first, width = split.rows[0], split.width
    even = len(first) == width
    header = wanted if wanted is not None else not even or holds_names(first, split.rows[1:])
    numbered = [f"column_{i + 1}" for i in range(width)]
    if not header:
        note = (
            "no header: the first row holds values like the rows below and was read as data; the columns "
            "were numbered, column_1 and so on (--header takes it for names)"
        )
        return Naming(numbered, False, note if wanted is None else "")
    if even:
        note = "the first row holds numbers that name the columns (--no-header takes it for data)"
        return Naming(first, True, note if wanted is None and all(map(is_number, first)) else "")
    if len(first) == width - 1:
        return Naming(
            [_ROW_NAMES, *first],
            True,
            f"the first column has no name in the header, and was called {_ROW_NAMES}",
        )
    note = (
        f"the first line has {len(first)} fields and the rows have {width}, so it was passed over and the "
        "columns were numbered"
    )
    return Naming(numbered, True, note)
