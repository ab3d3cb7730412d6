"""The URL of a database, looked at without SQLAlchemy: a plan is checked in a fraction of its time.

| dialect          | taken without a driver | port |
|------------------|------------------------|------|
| postgresql       | asyncpg                | 5432 |
| sqlite           | aiosqlite              | none |
| mysql, mariadb   | asyncmy                | 3306 |
| mssql            | pyodbc, in threads     | 1433 |
| oracle           | oracledb, in threads   | 1521 |
| others           | SQLAlchemy's default   | none |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from planrunner.errors import PackageMissing, UsageError
from planrunner.extras import install_hint, is_found, look_for
from planrunner.language.diagnostics import suggest
from planrunner.values import dataclass

__all__ = ["DatabaseUrl", "driver_problem", "read_url"]

_SCHEME: Final = re.compile(r"(?P<dialect>[a-z0-9_]+)(?:\+(?P<driver>[a-z0-9_]+))?://.*", re.DOTALL)
_DRIVERS: Final[Mapping[str, str]] = {
    "postgresql": "asyncpg",
    "sqlite": "aiosqlite",
    "mysql": "asyncmy",
    "mariadb": "asyncmy",
    "mssql": "pyodbc",
    "oracle": "oracledb",
}
_OF_MYSQL: Final = ("asyncmy", "aiomysql", "pymysql", "mysqldb", "mysqlconnector", "pyodbc")
_KNOWN_DRIVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgresql": ("asyncpg", "psycopg", "psycopg_async", "psycopg2", "pg8000"),
    "sqlite": ("aiosqlite", "pysqlite"),
    "mysql": _OF_MYSQL,
    "mariadb": _OF_MYSQL,
    "mssql": ("pyodbc", "aioodbc", "pymssql"),
    "oracle": ("oracledb",),
}
_BUILT_IN: Final = tuple(_KNOWN_DRIVERS)
_OTHER_WORDS: Final[Mapping[str, str]] = {"postgres": "postgresql"}
_PORTS: Final[Mapping[str, int]] = {
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mssql": 1433,
    "oracle": 1521,
}
_MODULES: Final[Mapping[str, tuple[str, str]]] = {
    "aiosqlite": ("aiosqlite", "aiosqlite"),
    "asyncpg": ("asyncpg", "asyncpg"),
    "psycopg": ("psycopg", "psycopg[binary]"),
    "psycopg_async": ("psycopg", "psycopg[binary]"),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "asyncmy": ("asyncmy", "asyncmy"),
    "aiomysql": ("aiomysql", "aiomysql"),
    "pymysql": ("pymysql", "pymysql"),
    "mysqldb": ("MySQLdb", "mysqlclient"),
    "pyodbc": ("pyodbc", "pyodbc"),
    "aioodbc": ("aioodbc", "aioodbc"),
    "oracledb": ("oracledb", "oracledb"),
    "pg8000": ("pg8000", "pg8000"),
    "pymssql": ("pymssql", "pymssql"),
    "mysqlconnector": ("mysql.connector", "mysql-connector-python"),
    "pysqlite": ("sqlite3", "python"),
}
"""What to import of a driver, and the package that has it."""


_FILES: Final = frozenset({"sqlite", "duckdb"})
_KEEPS_IT: Final = frozenset({"service", "odbc_connect", "dsn"})
"""Names something outside of the plan that says where the database is."""

_BROUGHT: Final[Mapping[str, str]] = {
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "duckdb": "duckdb-engine",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
}
"""Dialects that are known to come with a package of their own."""


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """What is known of a database before anything connects to it.

    Attributes:
        driver: Empty where SQLAlchemy's default is taken.
        host: Empty for a file and for a Unix socket.
        port: 0 where the database has no usual one.
        hosts: All that its driver may connect to; an empty one is known to the driver alone.
    """

    dialect: str
    driver: str
    host: str
    port: int
    hosts: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        return f"{self.dialect}+{self.driver}" if self.driver else self.dialect

    @property
    def shown(self) -> str:
        """The database without its user and password."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme} on {self.host}{port}" if self.host else self.scheme

    def completed(self, text: str) -> str:
        """Return a URL of this dialect with its driver."""
        return f"{self.scheme}://{text.partition('://')[2]}"


def read_url(text: str) -> DatabaseUrl:
    """Read a URL.

    Raises:
        UsageError: It is none.
    """
    found = _SCHEME.fullmatch(text)
    if found is None:
        raise UsageError(
            "this is not the URL of a database",
            hint="write one such as `postgresql+asyncpg://me@localhost/shop` or "
            "`sqlite:///${run.dir}/shop.db`",
        )
    dialect = _OTHER_WORDS.get(found["dialect"], found["dialect"])
    try:
        parts = urlsplit(text)
        host, port = unquote(parts.hostname or ""), parts.port
        query = parse_qs(parts.query)
    except ValueError as error:
        raise UsageError(f"this is not the URL of a database: {error}") from error
    if dialect not in _PORTS and port is None:
        host = ""  # a file, or the name of a project or an account
    driver = found["driver"] or _DRIVERS.get(dialect, "")
    hosts = tuple(_hosts(dialect, host, query))
    host = host or next((name for name in hosts if name and dialect in _PORTS), "")
    port = port or (_PORTS.get(dialect, 0) if host else 0)
    return DatabaseUrl(dialect, driver, host, port, hosts)


def _hosts(dialect: str, host: str, query: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield where a driver may go: its URL may name hosts in its query, or what has their names."""
    if host:
        yield host
    for key in ("host", "hostaddr"):
        for name in ",".join(query.get(key, ())).split(","):
            if name and not name.startswith(("/", "@")):  # sockets of this machine
                yield name.partition(":")[0] if name.count(":") == 1 else name
    if dialect == "bigquery":
        yield "bigquery.googleapis.com"
    elif not _KEEPS_IT.isdisjoint(query) or not (host or dialect in _PORTS or dialect in _FILES):
        yield ""


def driver_problem(url: DatabaseUrl) -> PackageMissing | UsageError | None:
    """Return why this machine can't talk to such a database; None if it can.

    Modules are looked for, not imported.
    """
    try:
        look_for("sqlalchemy", "`sql`")
    except PackageMissing as missing:
        return missing
    if (unknown := _unknown_driver(url)) is not None:
        return unknown
    module, package = _MODULES.get(url.driver, ("", ""))
    if module and not is_found(module.partition(".")[0]):
        message = f"`{url.scheme}` needs the package {package.partition('[')[0]}"
        hint = install_hint("sql") if module == "aiosqlite" else f"pip install '{package}'"
        return PackageMissing(message, hint=hint)
    known = [*_BUILT_IN, *({} if url.dialect in _BUILT_IN else _other_dialects())]
    if url.dialect in known:
        return None
    if url.dialect in _BROUGHT:
        package = _BROUGHT[url.dialect]
        message = f"`{url.dialect}` needs the package {package}"
        return PackageMissing(message, hint=f"pip install '{package}'")
    hint = suggest(url.dialect, known) or "install the package that brings it, or write one of " + (
        ", ".join(known)
    )
    return UsageError(f"SQLAlchemy has no dialect `{url.dialect}`", hint=hint)


def _unknown_driver(url: DatabaseUrl) -> UsageError | None:
    """Return what is wrong with the driver of a dialect that comes with SQLAlchemy."""
    known = _KNOWN_DRIVERS.get(url.dialect, ())
    if not known or url.driver in known:
        return None
    hint = suggest(url.driver, known) or f"write `{url.dialect}+{_DRIVERS[url.dialect]}`"
    return UsageError(f"`{url.driver}` is not a driver of `{url.dialect}`", hint=hint)


def _other_dialects() -> list[str]:
    """Return the dialects that installed packages bring."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - seldom needed

    found = entry_points(group="sqlalchemy.dialects")
    return sorted({entry.name.partition(".")[0] for entry in found})
