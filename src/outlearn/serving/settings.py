"""Settings of a service: where its store is, what its jobs may read, and how much they may take.

A TOML file holds them::

    store = "postgresql://outlearn@localhost/outlearn"
    workers = 2

    [roots]                     # the only folders that jobs may read
    landing = "/srv/landing"

    [databases]                 # the only databases that jobs may query; passwords are never shown
    shop = "postgresql://reader:…@db/shop"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from outlearn.errors import ParameterError
from outlearn.masked import masked
from outlearn.serving.spans import parse_bytes, parse_seconds
from outlearn.serving.store.database import DEFAULT
from outlearn.small_files import read_toml

__all__ = ["Settings"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a service runs.

    store : URL of its database. host, port : where it listens; address : the public URL, None: as it listens.
    workers : processes that do the work of jobs, each with at most `worker_memory` bytes and `run_seconds`
    seconds for a run. roots : folders that jobs may read, by name. databases : URLs of databases that they
    may query, by name; they hold passwords, so neither `repr` nor a message shows them.
    largest_upload : bytes that come in at once, and largest_push_rows : rows. batch_rows : rows that are
    judged and kept at once. session_hours : that a person stays logged in. lease_seconds : after which the
    work of a worker that fell silent is given to another; poll_seconds : between two looks for work.
    """

    store: str = field(default=DEFAULT, repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    address: str | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict, repr=False)
    worker_memory: int = 4 << 30
    run_seconds: float = 3600.0
    largest_upload: int = 256 << 20
    largest_push_rows: int = 100_000
    batch_rows: int = 50_000
    session_hours: float = 12.0
    lease_seconds: float = 60.0
    poll_seconds: float = 0.5

    def __post_init__(self) -> None:
        for name, convert in _CONVERTED.items():
            object.__setattr__(self, name, convert(getattr(self, name), name))
        if self.port > 65_535:
            raise ParameterError(f"port is {self.port}; wanted one from 0 to 65535")

    @classmethod
    def read(cls, path: Path | None = None, **overrides: Any) -> Self:
        """Return the settings of a TOML file, or those by default; paths in it are as from its folder.

        overrides : settings by name that come before those of the file; None has no say.

        Raises
        ------
        ReadError
            When there is no such file, or it is no TOML.
        ParameterError
            For a setting that there is not, and a value out of its range.
        """
        given = {} if path is None else read_toml(path, "the settings")
        known = [entry.name for entry in fields(cls)]
        for name in given:
            if name not in known:
                close = get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
                raise ParameterError(f"{path}: {name} is no setting; {hint}")
        if path is not None and isinstance(given.get("roots"), Mapping):
            given["roots"] = {
                name: path.parent / place if isinstance(place, str) else place
                for name, place in given["roots"].items()
            }
        given |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)
        except ParameterError as error:
            if path is None:
                raise
            raise ParameterError(f"{path}: {error}") from error

    @property
    def url(self) -> str:
        """The address that links name."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.address or f"http://{host}:{self.port}").rstrip("/")

    def root(self, name: str | None) -> Path:
        """Return the folder of a name.

        Raises
        ------
        ParameterError
            When the operator named no such folder.
        """
        if name is None or name not in self.roots:
            raise ParameterError(_unnamed("root", name, self.roots, 'landing = "/srv/landing"'))
        return self.roots[name]

    def database(self, name: str | None) -> str:
        """Return the URL of a database, which holds its password.

        Raises
        ------
        ParameterError
            When the operator named no such database.
        """
        if name is None or name not in self.databases:
            raise ParameterError(_unnamed("database", name, self.databases, 'shop = "postgresql://…"'))
        return self.databases[name]

    def shown(self) -> dict[str, Any]:
        """Return the settings as plain values that may be shown: addresses without their secrets."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        values["store"] = masked(self.store)
        values["roots"] = {name: str(place) for name, place in self.roots.items()}
        values["databases"] = {name: masked(url) for name, url in self.databases.items()}
        return values


def _unnamed(what: str, name: str | None, known: Mapping[str, object], example: str) -> str:
    there = f"there are {', '.join(sorted(known))}" if known else "the settings name none"
    return f"there is no {what} {name!r}: {there}; an operator names one under [{what}s], as {example}"


def _count(value: Any, name: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise ParameterError(f"{name} is {value!r}; wanted a whole number from 0 on")
    return value


def _positive(value: Any, name: str) -> int:
    if not _count(value, name):
        raise ParameterError(f"{name} is 0; wanted at least 1")
    return int(value)


def _hours(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 8784:
        raise ParameterError(f"{name} is {value!r}; wanted hours above 0, at most those of a year")
    return float(value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ParameterError(f"{name} is {value!r}; wanted a text")
    return value


def _address(value: Any, name: str) -> str | None:
    if value is not None and not (isinstance(value, str) and re.match(r"https?://[^/\s]+", value)):
        raise ParameterError(f"{name} is {value!r}; wanted a URL such as https://outlearn.example")
    return value


def _named(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterError(f"{name} is {value!r}; wanted a table of names, as [{name}] begins one")
    for key in value:
        if not isinstance(key, str) or not _NAME.fullmatch(key):
            raise ParameterError(f"{key!r} of {name} is no name; wanted small letters, digits, - and _")
    return dict(value)


def _roots(value: Any, name: str) -> Mapping[str, Path]:
    roots = _named(value, name)
    for key, place in roots.items():
        if not isinstance(place, str | Path) or not Path(place).is_dir():
            raise ParameterError(f"the root {key} is {str(place)!r}; wanted a folder that exists")
    return {key: Path(place).resolve() for key, place in roots.items()}


def _databases(value: Any, name: str) -> Mapping[str, str]:
    databases = _named(value, name)
    for key, url in databases.items():
        if not isinstance(url, str) or "://" not in url:
            raise ParameterError(f"the database {key} has no URL; wanted DIALECT://USER:PASSWORD@HOST/NAME")
    return databases


_CONVERTED: Mapping[str, Callable[[Any, str], Any]] = MappingProxyType(
    {
        "store": _text,
        "host": _text,
        "port": _count,
        "workers": _count,
        "address": _address,
        "roots": _roots,
        "databases": _databases,
        "worker_memory": parse_bytes,
        "run_seconds": parse_seconds,
        "largest_upload": parse_bytes,
        "largest_push_rows": _positive,
        "batch_rows": _positive,
        "session_hours": _hours,
        "lease_seconds": parse_seconds,
        "poll_seconds": parse_seconds,
    }
)
