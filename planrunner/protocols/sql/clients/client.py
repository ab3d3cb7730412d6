"""The client of one worker: databases, shared connections, threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from planrunner.clock import Clock
from planrunner.errors import CannotRun
from planrunner.extras import need
from planrunner.protocols.base import Exchange, Redirect, Scope, Sent
from planrunner.protocols.sql.clients.connections import OpenDatabase
from planrunner.protocols.sql.clients.execution import SqlRequest
from planrunner.protocols.sql.clients.session import SqlSession, TappedSqlSession
from planrunner.protocols.sql.operation import SqlSettings, TransactionStep
from planrunner.protocols.telling_clients import ClientAccount
from planrunner.protocols.threads import Threads

__all__ = ["SqlClient", "open"]

_MOST_THREADS: Final = 64
"""For drivers without asyncio: a statement that finds all of them busy waits, and tells so."""


class SqlClient:
    """Sends statements.

    Attributes:
        now: The clock.
        told: Gets what leaves; None under load.
    """

    def __init__(self, settings: SqlSettings, clock: Clock, *, is_dry: bool = False) -> None:
        self.settings = settings
        self._is_dry = is_dry
        self.now = clock.now_ns
        self.told: Callable[[Sent | Redirect], None] | None = None
        self._threads = Threads(_MOST_THREADS)
        self._open: dict[int, OpenDatabase] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._queued_ns = self._latency_ns = 0

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        self.told = told

    def bind(self, exchange: Exchange) -> SqlRequest | TransactionStep:
        operation = exchange.operation
        if isinstance(operation, TransactionStep):
            return operation
        keeps_rows = self.told is not None
        return SqlRequest(operation, exchange.timeout_ns, exchange.accept, keeps_rows=keeps_rows)

    def database(self, position: int, scope: Scope) -> OpenDatabase:
        """Return a database; the first to ask for it reads its URL."""
        found = self._open.get(position)
        if found is None:
            found = self._open[position] = OpenDatabase(
                self.settings.databases[position].url_for(scope),
                self.settings,
                threads=self._threads,
                now=self.now,
                is_dry=self._is_dry,
            )
        return found

    def session(self) -> SqlSession:
        return SqlSession(self) if self.told is None else TappedSqlSession(self)

    def sweep(self, now_ns: int) -> None:
        """Do nothing: deadlines are asyncio's."""

    def account(self) -> ClientAccount:
        return ClientAccount(queued_ns=self._queued_ns, latency_ns=self._latency_ns)

    def note_queue(self, queued_ns: int, latency_ns: int) -> None:
        """Count how long a statement waited for a thread, and what it took in all."""
        self._queued_ns += queued_ns
        self._latency_ns += latency_ns

    def end_later(self, ending: Coroutine[Any, Any, None]) -> None:
        """End something that no user waits for."""
        task = asyncio.ensure_future(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        if self._ending:
            await asyncio.wait(self._ending)
        for database in self._open.values():
            await database.close()
        self._threads.close()


def open(  # noqa: A001 - the registry's name
    settings: SqlSettings, clock: Clock, *, is_dry: bool = False
) -> SqlClient:
    """Import the drivers, before any statement waits for it, and open the client.

    Args:
        settings: The databases.
        clock: The clock.
        is_dry: Statements are looked at and not executed, where a database can do that.

    Raises:
        PackageMissing: SQLAlchemy is not installed.
        CannotRun: It can't load a driver.
    """
    need("sqlalchemy", "`sql`")
    need("sqlalchemy.ext.asyncio", "`sql`")
    from sqlalchemy import make_url  # noqa: PLC0415 - only now it is known to be there

    for database in settings.databases:
        try:
            make_url(f"{database.url.scheme}://").get_dialect().import_dbapi()
        except Exception as error:
            message = f"the driver of `{database.url.scheme}` can't be loaded: {error}"
            raise CannotRun(message, hint="install it, or write another one") from error
    return SqlClient(settings, clock, is_dry=is_dry)
