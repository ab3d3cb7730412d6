"""Connections to a database: awaited ones, and those of drivers that need a thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import warnings
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, CancelledError, Future
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from planrunner.protocols.sql.clients.dialects import Dialect, dialect_of
from planrunner.protocols.sql.operation import SqlSettings
from planrunner.protocols.threads import Threads

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

__all__ = ["OpenDatabase", "SqlConnection"]

T = TypeVar("T")

_CLOSING_S: Final = 2.0
"""For a connection to end as its database likes it; then it just ends."""


class SqlConnection(ABC):
    """One connection.

    Attributes:
        waited_ns: How long its last job waited for a thread; None where it needs none.
        is_begun: A transaction is open on it.
        is_usable: Nothing has happened to it that makes it useless.
    """

    __slots__ = ("is_begun", "is_usable", "waited_ns")

    def __init__(self) -> None:
        self.waited_ns: int | None = None
        self.is_begun = False
        self.is_usable = True

    @abstractmethod
    async def run(self, job: Callable[[Connection], T]) -> T:
        """Do something with the connection of SQLAlchemy."""

    @abstractmethod
    async def close(self) -> None:
        """End it; never fails."""

    @abstractmethod
    async def drop(self) -> None:
        """End it, whatever it is doing; never fails."""


class _AwaitedConnection(SqlConnection):
    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__()
        self._connection = connection

    async def run(self, job: Callable[[Connection], T]) -> T:
        return await self._connection.run_sync(job)

    async def close(self) -> None:
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING_S):
                await self._connection.close()

    async def drop(self) -> None:
        self.is_usable = False
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING_S):
                await self._connection.invalidate()
                await self._connection.close()


def _interrupt(connection: Any, *_: object) -> None:  # noqa: ANN401 - of any driver
    """End a statement that nobody waits for: until then its thread can do nothing else."""
    driver = getattr(connection, "driver_connection", connection)
    interrupting = getattr(driver, "interrupt", lambda: None)()  # SQLite's
    if asyncio.iscoroutine(interrupting):
        asyncio.ensure_future(interrupting)  # noqa: RUF006 - it is done before the connection ends
    if isinstance(channel := getattr(driver, "_sock", None), socket.socket):  # PyMySQL's
        with suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)  # `close` would wait until a read has ended
        if (result := getattr(driver, "_result", None)) is not None:
            result.unbuffered_active = False  # or it would be read to its end when it is deleted


class _ThreadedConnection(SqlConnection):
    __slots__ = ("_connection", "_now", "_threads")

    def __init__(self, connection: Connection, threads: Threads, now: Callable[[], int]) -> None:
        super().__init__()
        self._connection = connection
        self._threads = threads
        self._now = now

    async def run(self, job: Callable[[Connection], T]) -> T:
        call = _ThreadedWork(partial(job, self._connection), self._now)
        try:
            done: T = await call.done_by(self._threads)
            return done
        finally:
            self.waited_ns = call.waited_ns

    async def close(self) -> None:
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING_S):
                await _ThreadedWork(self._connection.close, self._now).done_by(self._threads)

    async def drop(self) -> None:
        self.is_usable = False
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING_S):
                await _ThreadedWork(self._end, self._now).done_by(self._threads)

    def _end(self) -> None:
        with suppress(Exception):
            self._connection.invalidate()
        self._connection.close()


class _ThreadedWork:
    """Something to do in a thread.

    Attributes:
        waited_ns: How long it waited for one.
    """

    __slots__ = ("_asked_ns", "_has_ended", "_job", "_loop", "_now", "_told", "waited_ns")

    def __init__(self, job: Callable[[], Any], now: Callable[[], int]) -> None:
        self._job, self._now = job, now
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._told: Future[Any] = self._loop.create_future()
        self._has_ended = False
        self._asked_ns = now()
        self.waited_ns = 0

    async def done_by(self, threads: Threads) -> Any:  # noqa: ANN401 - what the job returns
        threads.run(self)
        try:
            return await self._told
        except CancelledError:
            if not self._has_ended:
                threads.lost()  # it can't be stopped: another thread takes its place
            raise

    def __call__(self) -> None:
        self.waited_ns = self._now() - self._asked_ns
        tell: Callable[[], object]
        try:
            tell = partial(self._tell, self._job(), None)
        except BaseException as error:  # noqa: BLE001 - the boundary: no driver ends the thread
            tell = partial(self._tell, None, error)
        self._has_ended = True
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(tell)

    def _tell(self, value: object, error: BaseException | None) -> None:
        if self._told.done():
            return
        if error is None:
            self._told.set_result(value)
        else:
            self._told.set_exception(error)


class OpenDatabase:
    """One database, as a worker sees it.

    Attributes:
        paramstyle: How its driver wants values marked.
        free: Shared connections that nobody uses.
        leave: Lets so many have one at a time; None where users have their own.
    """

    def __init__(
        self,
        url: str,
        settings: SqlSettings,
        *,
        threads: Threads,
        now: Callable[[], int],
        is_dry: bool = False,
    ) -> None:
        from sqlalchemy import event, make_url  # noqa: PLC0415 - only plans with databases need it

        parsed = make_url(url)
        self.dialect: Dialect = dialect_of(parsed.get_backend_name())
        if self.dialect.warning:
            warnings.filterwarnings("ignore", self.dialect.warning)
        # What a driver logs of statements would be printed, unmasked, where nobody handles it.
        logging.getLogger(parsed.get_dialect().driver).addHandler(logging.NullHandler())
        query = {**self.dialect.query, **parsed.query, **(self.dialect.dry_run if is_dry else {})}
        parsed = parsed.update_query_dict(query)
        self._isolation = settings.isolation
        self._threads, self._now = threads, now
        options = self._options()
        self._engine: AsyncEngine | None = None
        self._plain: Engine | None = None
        if parsed.get_dialect().get_async_dialect_cls(parsed).is_async:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

            self._engine = create_async_engine(parsed, **options)
            self.paramstyle: str = self._engine.dialect.paramstyle
        else:
            from sqlalchemy import create_engine  # noqa: PLC0415

            self._plain = create_engine(parsed, **options)
            self.paramstyle = self._plain.dialect.paramstyle
        engine = self._plain if self._engine is None else self._engine.sync_engine
        event.listen(engine, "invalidate", _interrupt)
        self.free: list[SqlConnection] = []
        self.leave = asyncio.Semaphore(settings.shared) if settings.shared else None

    def _options(self) -> dict[str, Any]:
        from sqlalchemy.pool import NullPool  # noqa: PLC0415

        options: dict[str, Any] = {"poolclass": NullPool}
        if self.dialect.begin:
            options["isolation_level"] = "AUTOCOMMIT"
        elif self._isolation:
            options["isolation_level"] = self._isolation
        return options

    async def connect(self) -> SqlConnection:
        """Open a connection.

        Raises:
            Exception: Whatever SQLAlchemy, a driver or the system have for it.
        """
        connection = await self._opened()
        if self._isolation and self.dialect.isolate is not None:
            await connection.run(partial(_say, self.dialect.isolate(self._isolation)))
        return connection

    def _opened(self) -> Coroutine[Any, Any, SqlConnection]:
        return self._awaited() if self._engine is not None else self._threaded()

    async def _awaited(self) -> SqlConnection:
        assert self._engine is not None
        return _AwaitedConnection(await self._engine.connect())

    async def _threaded(self) -> SqlConnection:
        assert self._plain is not None
        opened = await _ThreadedWork(self._plain.connect, self._now).done_by(self._threads)
        return _ThreadedConnection(opened, self._threads, self._now)

    def give_back(self, connection: SqlConnection) -> None:
        """Let others have a shared connection, unless it has become useless."""
        assert self.leave is not None
        if connection.is_usable:
            self.free.append(connection)
        self.leave.release()

    async def close(self) -> None:
        for connection in self.free:
            await connection.close()
        self.free.clear()


def _say(text: str, connection: Connection) -> None:
    connection.exec_driver_sql(text)
