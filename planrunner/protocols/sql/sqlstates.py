"""How statements end, as whole numbers: SQLSTATEs, and the codes of databases without them.

| status                   | stands for                         | shown as            |
|--------------------------|------------------------------------|---------------------|
| 0                        | success, or no reply               | `OK`                |
| below 36⁵                | an SQLSTATE, read in base 36       | `23505`             |
| from 100,000,000         | a result code of SQLite            | `SQLITE_BUSY`       |
| from 200,000,000         | an error number of MySQL           | `ERROR_1062`        |
| from 300,000,000         | the HTTP status of BigQuery        | `403`               |
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from planrunner.late_pattern import late_pattern

__all__ = ["OK", "STATUSES", "of_http", "of_mysql", "of_sqlite", "of_sqlstate", "status_text"]

OK: Final = 0

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SQLSTATE: Final = late_pattern(r"[0-9A-Z]{5}")
_SQLITE: Final = 100_000_000
_MYSQL: Final = 200_000_000
_HTTP: Final = 300_000_000
_SQLITE_NAMES: Final = (
    "OK", "ERROR", "INTERNAL", "PERM", "ABORT", "BUSY", "LOCKED", "NOMEM", "READONLY",
    "INTERRUPT", "IOERR", "CORRUPT", "NOTFOUND", "FULL", "CANTOPEN", "PROTOCOL", "EMPTY",
    "SCHEMA", "TOOBIG", "CONSTRAINT", "MISMATCH", "MISUSE", "NOLFS", "AUTH", "FORMAT", "RANGE",
    "NOTADB", "NOTICE", "WARNING",
)  # fmt: skip
"""SQLite's primary result codes, by number. Source: sqlite.org/rescode.html"""

_CONSTRAINTS: Final = ("CHECK", "FOREIGNKEY", "NOTNULL", "PRIMARYKEY", "UNIQUE")

STATUSES: Final = (
    "OK",
    *(f"SQLITE_{name}" for name in _SQLITE_NAMES[1:]),
    *(f"SQLITE_CONSTRAINT_{name}" for name in _CONSTRAINTS),
    *("SQLITE_BUSY_SNAPSHOT", "ERROR_*", "F0*", "HV*", "HY*", "P0*", "XX*"),
)
"""Names that don't begin with a digit, as most SQLSTATEs do; `*` is any text."""


def of_sqlstate(code: str) -> int:
    """Return the status of an SQLSTATE; 0 for what is none."""
    return int(code, 36) if _SQLSTATE.fullmatch(code) else OK


def of_sqlite(code: int) -> int:
    """Return the status of a result code of SQLite, primary or extended."""
    return _SQLITE + code


def of_mysql(number: int) -> int:
    """Return the status of an error number of MySQL."""
    return _MYSQL + number


def of_http(status: int) -> int:
    """Return the status of a reply over HTTP."""
    return _HTTP + status


def status_text(status: int) -> str:
    """Return a status as people know it."""
    if status == OK:
        return "OK"
    if status >= _HTTP:
        return str(status - _HTTP)
    if status >= _MYSQL:
        return f"ERROR_{status - _MYSQL}"
    if status >= _SQLITE:
        return _sqlite_name(status - _SQLITE)
    text = ""
    while status > 0:
        status, digit = divmod(status, 36)
        text = _DIGITS[digit] + text
    return text.rjust(5, "0")


def _sqlite_name(code: int) -> str:
    if code > 255 and code in (names := _extended_names()):
        return names[code]
    primary = code & 255
    known = primary < len(_SQLITE_NAMES)
    return f"SQLITE_{_SQLITE_NAMES[primary]}" if known else f"SQLITE_{code}"


@cache
def _extended_names() -> Mapping[int, str]:
    import sqlite3  # noqa: PLC0415 - only where SQLite has failed

    primary = tuple(f"SQLITE_{name}_" for name in _SQLITE_NAMES)
    found = ((name, getattr(sqlite3, name)) for name in dir(sqlite3) if name.startswith(primary))
    return {code: name for name, code in found if isinstance(code, int) and code > 255}
