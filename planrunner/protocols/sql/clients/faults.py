"""Errors of drivers in the words of planrunner."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any, Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.sql.sqlstates import (
    OK,
    of_http,
    of_mysql,
    of_sqlite,
    of_sqlstate,
    status_text,
)
from planrunner.values import dataclass

__all__ = ["SqlFailure", "map_error"]

_KINDS: Final = {
    **dict.fromkeys(("401", "403"), FailureKind.PERMISSION),  # of HTTP
    "57014": FailureKind.TIMEOUT,  # query_canceled, as by statement_timeout
    "25P03": FailureKind.RESET,  # idle_in_transaction_session_timeout
    "57P01": FailureKind.RESET,  # admin_shutdown
    "57P02": FailureKind.RESET,  # crash_shutdown
    "57P03": FailureKind.CONNECT,  # cannot_connect_now
    "57P05": FailureKind.RESET,  # idle_session_timeout
    "53300": FailureKind.CONNECT,  # too_many_connections
    "42501": FailureKind.PERMISSION,  # insufficient_privilege
    "SQLITE_PERM": FailureKind.PERMISSION,
    "SQLITE_AUTH": FailureKind.PERMISSION,
    "SQLITE_READONLY": FailureKind.PERMISSION,
    "SQLITE_CANTOPEN": FailureKind.CONNECT,
    "SQLITE_NOTADB": FailureKind.PROTOCOL,
    "SQLITE_CORRUPT": FailureKind.PROTOCOL,
    **dict.fromkeys(
        ("ERROR_1044", "ERROR_1045", "ERROR_1142", "ERROR_1143", "ERROR_1227", "ERROR_1370"),
        FailureKind.PERMISSION,
    ),
    **dict.fromkeys(("ERROR_1040", "ERROR_1203"), FailureKind.CONNECT),
    **dict.fromkeys(("ERROR_2006", "ERROR_2013", "ERROR_1053", "ERROR_1927"), FailureKind.RESET),
    **dict.fromkeys(("ERROR_3024", "ERROR_1969"), FailureKind.TIMEOUT),  # MySQL's, MariaDB's
}
_CLASSES: Final = {"08": FailureKind.RESET, "28": FailureKind.PERMISSION}

_GENERAL: Final = "HY000"
"""The SQLSTATE of all errors of MySQL that have none: their numbers say which."""

_OF_MYSQL: Final = ("aiomysql", "asyncmy", "mysql", "pymysql", "MySQLdb")
"""Packages whose errors have a number first."""

# psycopg has no SQLSTATE for what happens before a session; only the words say more.
_WORDS: Final = (
    (("authentication failed", "no password supplied", "access denied"), FailureKind.PERMISSION),
    (("could not translate host name", "name or service", "getaddrinfo"), FailureKind.DNS),
    (("invalid response to ssl", "packet sequence number wrong"), FailureKind.PROTOCOL),
    (("ssl", "certificate"), FailureKind.TLS),
    (("timeout expired", "timed out"), FailureKind.TIMEOUT),
    (("connection refused", "could not connect", "connection failed"), FailureKind.CONNECT),
    (
        ("closed the connection", "connection is closed", "connection was closed", "lost",
         "terminating connection", "consuming input failed", "connection is lost", "broken pipe"),
        FailureKind.RESET,
    ),
)  # fmt: skip


_OF_GOOGLE_AUTH: Final = ("DefaultCredentialsError", "RefreshError")
"""There is nobody to log in as, or not any more."""

_NO_TLS: Final = "rejected ssl upgrade"


@dataclass(frozen=True, slots=True)
class SqlFailure:
    """Why a statement has no result.

    Attributes:
        ends_connection: The connection can't be used any more.
    """

    kind: FailureKind
    status: int
    words: str
    ends_connection: bool


def map_error(error: BaseException, *, connects: bool) -> SqlFailure:
    """Return a failed statement's kind, its status, and a message for people.

    Args:
        error: Of SQLAlchemy, a driver or the system.
        connects: It came up before there was a connection.
    """
    chain = [*_chain(error)]
    status = next((found for one in reversed(chain) if (found := _status(one))), OK)
    words = _briefly(chain)
    kind = _kind(chain, status, words.lower(), connects=connects)
    shown = f"{status_text(status)}: {words}" if status else words
    is_lost = any(getattr(one, "connection_invalidated", False) for one in chain)
    return SqlFailure(kind, status, shown, connects or is_lost or kind is FailureKind.RESET)


def _chain(error: BaseException) -> Iterator[Any]:
    """Yield an error of SQLAlchemy, that of its driver, and what these were made of."""
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop(0)
        if one is not None and not any(one is known for known in seen):
            seen.append(one)
            yield one
            inner = (argument for argument in one.args if isinstance(argument, BaseException))
            left += (getattr(one, "orig", None), one.__cause__, *inner)


def _status(error: Any) -> int:  # noqa: ANN401 - each driver has its own
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(code, str) and code != _GENERAL:
        return of_sqlstate(code)
    if isinstance(number := getattr(error, "sqlite_errorcode", None), int):
        return of_sqlite(number)
    package = type(error).__module__
    if package.startswith("google.api_core") and isinstance(getattr(error, "code", None), int):
        return of_http(int(error.code))
    return _number_of_mysql(error)


def _number_of_mysql(error: Any) -> int:  # noqa: ANN401 - as above
    """Return the status of an error by its number, which says more than its SQLSTATE."""
    is_mysql = type(error).__module__.partition(".")[0] in _OF_MYSQL
    first = error.args[0] if is_mysql and error.args else None
    return of_mysql(first) if isinstance(first, int) else OK


def _briefly(chain: list[Any]) -> str:
    """Return what the driver says, without what Python and SQLAlchemy add to it."""
    if any(isinstance(one, ConnectionRefusedError) for one in chain):
        return "connection refused"
    told = [one for one in reversed(chain) if str(one).strip()]
    error = next(filter(_status, told), told[0] if told else chain[0])
    text = str(error).strip() or type(error).__name__
    if len(error.args) == 2 and isinstance(error.args[0], int):
        text = str(error.args[1])  # MySQL's, and the system's
    return text.splitlines()[0]


def _kind(chain: list[Any], status: int, words: str, *, connects: bool) -> FailureKind:
    if connects and _NO_TLS in words:  # as a `ConnectionError`
        return FailureKind.TLS
    if any(type(one).__name__ in _OF_GOOGLE_AUTH for one in chain):
        return FailureKind.PERMISSION
    codes = [code for code in (*map(_number_of_mysql, chain), status) if code]
    kinds = (_of_system(chain), *(_of_status(status_text(code)) for code in codes))
    found = next((kind for kind in kinds if kind is not None), None)
    if found is None and (connects or not status):
        found = next((kind for signs, kind in _WORDS if any(sign in words for sign in signs)), None)
    if connects:
        return FailureKind.CONNECT if found in (None, FailureKind.RESET) else found
    if found is not None:
        return found
    if any(getattr(one, "connection_invalidated", False) for one in chain):
        return FailureKind.RESET
    return FailureKind.STATUS if status else FailureKind.ERROR


def _of_system(chain: list[Any]) -> FailureKind | None:
    for one in chain:
        match one:
            case socket.gaierror():
                return FailureKind.DNS
            case ssl.SSLError():
                return FailureKind.TLS
            case TimeoutError():
                return FailureKind.TIMEOUT
            case ConnectionRefusedError():
                return FailureKind.CONNECT
            case ConnectionError():
                return FailureKind.RESET
            case _:
                pass
    return None


def _of_status(name: str) -> FailureKind | None:
    """Return the kind of a status, by itself or by its class: SQLite's are `SQLITE_BUSY_…`."""
    if name.startswith("SQLITE_"):
        name = "_".join(name.split("_")[:2])
    return _KINDS.get(name) or _CLASSES.get(name[:2])
