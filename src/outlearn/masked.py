"""Addresses without their secrets, for whatever is shown or written.

>>> masked("cannot reach postgresql://ann:pass@word@db.example/shop?sslmode=require&sslpassword=x")
'cannot reach postgresql://ann:***@db.example/shop?sslmode=require&sslpassword=***'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import quote, quote_plus, unquote_plus

__all__ = ["masked", "secrets_of"]

HIDDEN = "***"
_FEWEST = 4  # characters of a secret that is also looked for outside of the address it came from
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:/+)(\S+)")  # one taken for a path has a single slash
# Names of settings whose values are secrets, in addresses and in the settings of drivers.
_SECRET = re.compile(
    r"pass(word|wd|phrase|code)?|pwd|secret|token|api_?key|key|credential|sas|sig(nature)?|auth|cookie"
    r"|connect|dsn",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"timeout|connect_args|authenticator|integrated_?security|keyspace|keep_?alive", re.IGNORECASE
)
_SETTING = re.compile(r"([\w. -]*\w)(\s*[=:]\s*)(\{(?:[^}]|\}\})*\}|'[^']*'|\"[^\"]*\"|[^;&,\s'\")]+)")
_QUOTES = "'\"`)>]},;"


def masked(text: str, secrets: Collection[str] = ()) -> str:
    """Return text with the passwords of the addresses in it, and known secrets, as ``***``.

    secrets : of an address that is known, see `secrets_of`; a driver may repeat them in other ways.

    >>> masked("mssql://u@h/d?odbc_connect=DRIVER%3Dx%3BPWD%3Dtop"), masked("time 12:30 at a@b.example")
    ('mssql://u@h/d?odbc_connect=***', 'time 12:30 at a@b.example')
    >>> masked("login failed (pwd=hush)", ["hush"])
    'login failed (pwd=***)'
    """
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return _URL.sub(lambda match: _address(match[0]), text)


def secrets_of(url: str) -> frozenset[str]:
    """Return the passwords and other secrets that an address holds, as they are and as they are written.

    >>> sorted(secrets_of("mysql://u:p%40ss1@h/d?token=abcd"))
    ['abcd', 'p%40ss1', 'p@ss1']
    """
    match = _URL.search(url)
    return frozenset(part for part in _secrets_in(match[0]) if len(part) >= _FEWEST) if match else frozenset()


def _secrets_in(url: str) -> Iterator[str]:
    _, password, _, settings = _parts(url)
    values = [password, *(value for _, name, _, value in _settings(settings) if _is_secret(name))]
    for value in values:
        plain = unquote_plus(value)
        yield from (value, plain, *re.split("[@/?#:]", value))  # a driver may part it elsewhere
        yield from (found[3].strip("{}'\"") for found in _SETTING.finditer(plain) if _is_secret(found[1]))


def _forms(secret: str) -> tuple[str, ...]:
    return (secret, quote(secret, safe=""), quote_plus(secret)) if secret else ()


def _address(url: str) -> str:
    end = url[len(url.rstrip(_QUOTES)) :]  # what closes a sentence or a quotation is not of the address
    front, password, middle, settings = _parts(url.removesuffix(end) if end else url)
    shown = "".join(
        f"{sign}{name}{equals}{HIDDEN if value and _is_secret(name) else value}"
        for sign, name, equals, value in _settings(settings)
    )
    return f"{front}{HIDDEN if password else ''}{middle}{shown}{end}"


def _parts(url: str) -> tuple[str, str, str, str]:
    """Return what comes before the password, the password, what follows to the settings, and these.

    The last @ before them ends a password, for one may hold the others unescaped, and / too.
    """
    parts = _URL.match(url)
    scheme, rest = parts.groups() if parts else ("", url)
    place, mark, settings = rest.partition("?")
    if "@" not in place and "@" in settings:  # the password holds the question mark
        held, _, after = rest.rpartition("@")
        place, mark, settings = (
            f"{held}@{part}" if not i else part for i, part in enumerate(after.partition("?"))
        )
    account, at, host = place.rpartition("@")
    user, colon, password = account.partition(":")
    return f"{scheme}{user}{colon}", password, f"{at}{host}", f"{mark}{settings}"


def _settings(settings: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield sign, name, equals sign and value of each setting: "?a=1&b" has two."""
    for sign, setting in re.findall(r"([?&;]|^)([^?&;]*)", settings):
        if sign or setting:
            name, equals, value = setting.partition("=")
            yield sign, name, equals, value


def _is_secret(name: str) -> bool:
    name = unquote_plus(name)
    return bool(_SECRET.search(name)) and not _HARMLESS.search(name)
