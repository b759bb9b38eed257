"""Patterns of known-good rows, as conditions on columns."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import date

import polars as pl

from outlearn.errors import ParameterError

__all__ = ["Condition", "Pattern", "parse_condition"]

_SIGNS = re.compile(r"(?P<column>.*?\S)\s*(?P<sign>>=|<=|=)\s*(?P<value>.*)", re.DOTALL)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, one of "=", ">=" and "<=", and a value; see `parse_condition`."""

    column: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{self.value}"

    def holds(self, cells: pl.Series) -> pl.Series:
        """Return (n,) whether the condition holds for the cells of its column; it never does where one is
        missing."""
        return self._test(cells).fill_null(value=False)

    def _test(self, cells: pl.Series) -> pl.Series:
        if cells.dtype.is_nested() or cells.dtype == pl.Binary:
            raise ParameterError(
                f"the condition {str(self)!r} is on a column of {cells.dtype}; wanted plain cells"
            )
        if self.sign != "=":
            numbers, bound = cells.cast(pl.Float64, strict=False), float(self.value)
            return numbers >= bound if self.sign == ">=" else numbers <= bound
        text = cells.cast(pl.String, strict=False)
        network = _network(self.value)
        if network is not None:
            inside = [address for address in text.unique().drop_nulls() if _inside(address, network)]
            return text.is_in(inside)
        if "*" in self.value:
            parts = (re.escape(piece) for piece in self.value.split("*"))
            return text.str.contains(rf"(?s)\A{'.*'.join(parts)}\z")
        same = text == self.value
        number = _number(self.value)
        # 443 is 443.0 where a column holds numbers; in a column of text it is what it says.
        return same if number is None or not cells.dtype.is_numeric() else same | (cells == number)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows known to be good: those for which all conditions hold.

    id : its number in its file. where : the conditions. why, by, when : the reason, who gave it, and when.
    until : the last day on which it holds, None: for good. revoked : by whom, when and why it was taken back,
    "" while it was not.
    """

    id: int
    where: tuple[Condition, ...]
    why: str
    by: str
    when: str
    until: date | None = None
    revoked: str = ""

    def idle(self, today: date) -> str:
        """Return why it does nothing on a day, in words; "" where it holds."""
        if self.revoked:
            return f"revoked {self.revoked}"
        return f"expired after {self.until}" if self.until is not None and today > self.until else ""

    def words(self) -> str:
        """Return its reason, who gave it, and till when it holds."""
        return f"{self.why}, by {self.by}, {'for good' if self.until is None else f'until {self.until}'}"


def parse_condition(text: str) -> Condition:
    """Read a condition: ``COLUMN=VALUE``, ``COLUMN>=NUMBER`` or ``COLUMN<=NUMBER``.

    In a VALUE `*` stands for any characters; addresses with a mask, such as 10.0.0.0/24, for all of the
    network. Capitals count.

    Raises
    ------
    ParameterError
        When it is none of these.

    >>> parse_condition("src_ip = 10.0.0.0/24")
    Condition(column='src_ip', sign='=', value='10.0.0.0/24')
    >>> parse_condition("bytes>=1000").holds(pl.Series([10, None, 1000])).to_list()
    [False, False, True]
    """
    match = _SIGNS.fullmatch(text.strip())
    if match is None or not match["value"]:
        raise ParameterError(
            f"the condition is {text!r}; wanted COLUMN=VALUE, COLUMN>=NUMBER or COLUMN<=NUMBER, e.g. "
            "'src_ip=10.0.0.0/24'"
        )
    column, sign, value = match["column"], match["sign"], match["value"]
    if sign != "=" and _number(value) is None:
        raise ParameterError(f"the condition {text!r} compares with {value!r}; wanted a number after {sign}")
    address, slash, mask = value.partition("/")
    if sign == "=" and slash and mask.isdecimal() and _is_address(address) and _network(value) is None:
        raise ParameterError(
            f"the condition {text!r} has the mask /{mask}; wanted a network such as 10.0.0.0/24"
        )
    return Condition(column, sign, value)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number else None


def _network(text: str) -> Network | None:
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _inside(text: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:
        return False
