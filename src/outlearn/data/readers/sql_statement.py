"""Whether an SQL text is one statement that reads, told without asking a database.

Quoted text and comments are understood as the dialect has them; where versions of it differ each way is
tried, and a text passes only if it is one statement in all of them. It is a first check: what holds a query
to reading is the connection (`sql_reading`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from outlearn.errors import ReadError

__all__ = ["Syntax", "check_statement"]

READING = ("select", "with", "values", "table", "from", "show", "describe", "desc", "explain", "pragma")
_CHANGING = (
    "insert|update|delete|merge|upsert|into|create|alter|drop|truncate|rename|grant|revoke|call|exec|execute"
    "|attach|detach|copy|unload|load|install|set|use|commit|begin|lock|vacuum|backup|restore|kill|shutdown"
    "|optimize|refresh|export|import|put|remove|undrop"
)
_CHANGES = re.compile(rf"\b(?:{_CHANGING})\b", re.IGNORECASE)
_TO_FILE = re.compile(r"\binto\s+(?:outfile|dumpfile)\b", re.IGNORECASE)
_FIRST = re.compile(r"[\s(]*([a-z]+)", re.IGNORECASE)
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$")


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a dialect writes what is no code.

    escapes : a backslash keeps the next sign of a string from ending it; None: it depends on settings.
    hashes : # begins a comment. dollars : $tag$ quotes. nested : comments hold comments. brackets : [ ] are
    quotes.
    """

    escapes: bool | None = None
    hashes: bool = False
    dollars: bool = False
    nested: bool = False
    brackets: bool = False

    @property
    def ways(self) -> Iterator[Syntax]:
        """The ways in which a text may be read."""
        for escapes in (False, True) if self.escapes is None else (self.escapes,):
            yield replace(self, escapes=escapes)


def check_statement(query: str, syntax: Syntax, *, trusted: bool) -> None:
    """Refuse a text that is not one statement, or begins with a word that reads nothing.

    trusted : whether the connection holds it to reading; else each word that changes something is refused.

    Raises
    ------
    ReadError
        With what to do instead.

    >>> check_statement("select ';' -- one; two", Syntax(), trusted=True)
    >>> check_statement("select 1; drop table t", Syntax(), trusted=True)
    Traceback (most recent call last):
    outlearn.errors.ReadError: the query holds several statements; give one, without a semicolon within it
    """
    for way in syntax.ways:
        code = _code(query, way).strip()
        if ";" in code.rstrip("; \t\r\n"):
            raise ReadError("the query holds several statements; give one, without a semicolon within it")
        first = _FIRST.match(code)
        if first is None or first[1].lower() not in READING:
            came = f"begins with {first[1][:20]!r}" if first else "has no first word"
            raise ReadError(
                f"the query {came}, which would change something or not return rows; wanted one that reads, "
                "such as SELECT … or WITH … SELECT …"
            )
        if _TO_FILE.search(code):
            raise ReadError("the query writes a file (INTO OUTFILE, DUMPFILE); wanted one that only reads")
        changing = None if trusted else _CHANGES.search(code)
        if changing is not None:
            raise ReadError(
                f"the query holds the word {changing[0]!r}, and nothing holds a connection to this database "
                "to reading; quote it where it names a column, or read from a view"
            )


def _code(query: str, way: Syntax) -> str:
    """Return a text with a blank in the place of each comment and quoted part."""
    parts: list[str] = []
    place = 0
    while place < len(query):
        end = _end_of_quoted(query, place, way)
        parts.append(query[place] if end is None else " ")
        place = place + 1 if end is None else end
    return "".join(parts)


def _end_of_quoted(query: str, place: int, way: Syntax) -> int | None:
    """Return where what begins at a place ends, if it is a comment or quoted; None for code."""
    sign, two = query[place], query[place : place + 2]
    if two == "--" or (sign == "#" and way.hashes):
        end = query.find("\n", place)
        return len(query) if end < 0 else end
    if two == "/*":
        executed = re.match(r"/\*M?!\d*", query[place:])  # a comment to others, and code to MySQL
        return place + executed.end() if executed else _end_of_comment(query, place, way)
    if sign in "'\"`":
        # E'…' of PostgreSQL has escapes, whatever the settings are.
        marked = sign == "'" and query[max(place - 1, 0) : place] in ("e", "E") and way.dollars
        return _end_of_string(query, place, sign, escapes=bool(way.escapes or marked) and sign != "`")
    if sign == "[" and way.brackets:
        return _end_of_string(query, place, "]", escapes=False)
    if sign == "$" and way.dollars and (tag := _DOLLAR.match(query, place)):
        end = query.find(tag[0], tag.end())
        return len(query) if end < 0 else end + len(tag[0])
    return None


def _end_of_string(query: str, place: int, mark: str, *, escapes: bool) -> int:
    place += 1
    while place < len(query):
        if escapes and query[place] == "\\":
            place += 2
        elif query[place] != mark:
            place += 1
        elif query[place + 1 : place + 2] == mark:  # doubled: the sign itself
            place += 2
        else:
            return place + 1
    return len(query)


def _end_of_comment(query: str, place: int, way: Syntax) -> int:
    depth = 0
    for match in re.finditer(r"/\*|\*/", query[place:]):
        depth += 1 if match[0] == "/*" and (way.nested or not depth) else -1 if match[0] == "*/" else 0
        if not depth:
            return place + match.end()
    return len(query)
