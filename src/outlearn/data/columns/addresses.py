"""Addresses of networks and devices: most are seen once, their networks again and again."""

from __future__ import annotations

import polars as pl

__all__ = ["COARSEST", "WHOLE", "holds_addresses", "level_of", "networks_of"]

WHOLE = 0  # the level at which an address stands for itself
_SHARE = 0.95  # of the filled cells, that must be addresses
_PROBED, _LUCK = 200, 0.05  # cells that are looked at first, and by how much these may be unluckier
_REPEATED = 0.5  # most distinct values a row, for values to be categories
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
_V4 = rf"^{_OCTET}(?:\.{_OCTET}){{3}}(?::[0-9]{{1,5}})?(?:/[0-9]{{1,2}})?$"
_V6 = r"(?i)^(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%[a-z0-9]+)?(?:/[0-9]{1,3})?$"
_MAC = r"(?i)^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$"
# At each level, from fine to coarse: of IPv4, of IPv6 (a group may be empty), and the maker of a device.
_PARTS = {
    1: (r"^((?:[0-9]+\.){3})", "0/24", r"(?i)^((?:[0-9a-f]*:){3}[0-9a-f]*)", "::/64"),
    2: (r"^((?:[0-9]+\.){2})", "0.0/16", r"(?i)^((?:[0-9a-f]*:){2}[0-9a-f]*)", "::/48"),
    3: (r"^((?:[0-9]+\.){1})", "0.0.0/8", r"(?i)^([0-9a-f]*:[0-9a-f]*)", "::/32"),
}
COARSEST = max(_PARTS)


def holds_addresses(filled: pl.Series) -> bool:
    """Tell whether cells are addresses: IPv4, IPv6 or MAC.

    >>> holds_addresses(pl.Series(["10.0.0.1", "fe80::1"])), holds_addresses(pl.Series(["1.2.3", "12:30:00"]))
    (True, False)
    """
    probe = filled.gather_every(max(1, filled.len() // _PROBED))
    return _share_of_addresses(probe) >= _SHARE - _LUCK and _share_of_addresses(filled) >= _SHARE


def _share_of_addresses(filled: pl.Series) -> float:
    shapes = filled.str.contains(_V4) | filled.str.contains(_MAC)
    # Eight groups, or fewer around an empty one: 12:30:00 is none.
    groups = filled.str.contains("::", literal=True) | (filled.str.count_matches(":") == 7)
    shapes |= filled.str.contains(_V6) & groups
    return int(shapes.sum()) / max(filled.len(), 1)


def level_of(text: pl.Series) -> int:
    """Return the finest level at which addresses repeat; `WHOLE` where they do themselves, or are none.

    >>> level_of(pl.Series([f"10.0.{i}.{j}" for i in range(3) for j in range(9)]))
    1
    """
    filled = text.drop_nulls()
    if filled.n_unique() <= _REPEATED * filled.len() or not holds_addresses(filled):
        return WHOLE
    most = _REPEATED * filled.len()
    repeated = (level for level in _PARTS if networks_of(filled, level).n_unique() <= most)
    return next(repeated, COARSEST)


def networks_of(text: pl.Series, level: int) -> pl.Series:
    """Return the network of each address, or the maker of a device; other cells stay as they are.

    >>> networks_of(pl.Series(["10.0.3.4", "2001:db8::1", "00:1B:44:11:3A:B7", "?"]), 2).to_list()
    ['10.0.0.0/16', '2001:db8::/48', '00:1B:44', '?']
    """
    if level == WHOLE:
        return text
    four, rest, six, tail = _PARTS[level]
    cell = pl.col("cell")
    prefix = cell.str.extract(six, 1).str.strip_chars_end(":")
    network = (
        pl.when(cell.str.contains(_MAC))
        .then(cell.str.slice(0, 8))
        .when(cell.str.contains(_V4))
        .then(cell.str.extract(four, 1) + rest)
        .when(cell.str.contains(_V6))
        .then(prefix + tail)
        .otherwise(cell)
    )
    return text.to_frame("cell").select(network.alias(text.name)).to_series()
