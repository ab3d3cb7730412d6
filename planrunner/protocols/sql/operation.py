"""One compiled statement and the settings: what `compile` makes and the client binds."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Final

from planrunner.language.expressions.values import Scope, to_text
from planrunner.protocols.base import Evaluate
from planrunner.protocols.sql.database_url import DatabaseUrl
from planrunner.protocols.sql.statement import Statement
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["FetchRows", "SqlDatabase", "SqlOperation", "SqlSettings", "TransactionStep"]


class FetchRows(StrEnum):
    """Which rows of a result are read."""

    ALL = "all"
    FIRST = "first"
    NONE = "none"


class TransactionStep(StrEnum):
    """What a group does around its statements."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class SqlDatabase:
    """One database.

    Attributes:
        name: What statements call it; empty for the only one.
        url: What is known of it; of a URL that has names of the run in it, as if it had begun.
        text: Its URL, when the run has begun.
    """

    name: str
    url: DatabaseUrl
    text: Evaluate = field(compare=False, repr=False)

    @property
    def shown(self) -> str:
        """It, without its user and password."""
        return f"{self.name}: {self.url.shown}" if self.name else self.url.shown

    def url_for(self, scope: Scope) -> str:
        """Return the URL to connect to, with a driver."""
        return self.url.completed(to_text(self.text(scope)))


@dataclass(frozen=True, slots=True)
class SqlSettings:
    """How to reach the databases.

    Attributes:
        per_user: Connections of a user.
        shared: Connections of all users of a worker; 0 where each has its own.
        isolation: Of transactions, as SQL writes it; empty for the database's own.
    """

    databases: tuple[SqlDatabase, ...] = ()
    per_user: int = 1
    shared: int = 0
    isolation: str = ""
    timeout_ns: int = 30 * NS_PER_S

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(database.name for database in self.databases)


@dataclass(frozen=True, slots=True)
class SqlOperation:
    """One statement.

    Attributes:
        database: Its place in the settings.
        params: The values of the statement's names.
        commits: What it changes is kept, where it is in no transaction.
        needs_rows: Somebody reads what is in them.
        needs_body: Somebody reads them as text.
    """

    statement: Statement
    database: int
    params: tuple[tuple[str, Evaluate], ...] = ()
    fetch: FetchRows = FetchRows.ALL
    commits: bool = True
    needs_rows: bool = False
    needs_body: bool = False


OPEN_AT_ONCE: Final = 10_000
"""Connections that can be shared at most: each takes a file, and memory of the database."""
