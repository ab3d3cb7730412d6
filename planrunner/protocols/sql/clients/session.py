"""One virtual user's connections, and the transaction that it is in.

| a statement is                    | begin            | end                                   |
|-----------------------------------|------------------|---------------------------------------|
| alone                             | none             | none: the database commits it         |
| alone, `commit: false`            | before it        | taken back after it                   |
| read piece by piece (PostgreSQL)  | before it        | committed after it                    |
| in a transaction, the first there | before it        | by the group around it                |
| in a transaction, a later one     | none             | by the group around it                |
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from planrunner.language.expressions.expression import EvaluationError
from planrunner.protocols.base import FailureKind, Redirect, Reply, Scope, Sent
from planrunner.protocols.sql.clients.connections import OpenDatabase, SqlConnection
from planrunner.protocols.sql.clients.execution import (
    COMMIT,
    ROLLBACK,
    SqlRequest,
    StatementResult,
    execute,
    finish,
    forgive,
)
from planrunner.protocols.sql.clients.faults import map_error
from planrunner.protocols.sql.clients.shown import result_table, sent_statement
from planrunner.protocols.sql.operation import SqlSettings, TransactionStep
from planrunner.protocols.sql.reply import SqlReply, rows_as_text
from planrunner.protocols.sql.sqlstates import status_text
from planrunner.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

__all__ = ["SqlSession", "TappedSqlSession"]

_TAKING_BACK_S: Final = 2.0
"""For a transaction to be taken back; then its connection ends, which does the same."""


class SqlRoom(Protocol):
    """What the sessions of a client share."""

    settings: SqlSettings
    now: Callable[[], int]
    told: Callable[[Sent | Redirect], None] | None

    def database(self, position: int, scope: Scope) -> OpenDatabase: ...
    def note_queue(self, queued_ns: int, latency_ns: int) -> None: ...
    def end_later(self, ending: Coroutine[Any, Any, None]) -> None: ...


class SqlSession:
    """One user's statements, one at a time."""

    __slots__ = ("_held", "_in_transaction", "_lanes", "_last", "_now", "_reply", "_room")

    def __init__(self, room: SqlRoom) -> None:
        self._room = room
        self._now = room.now
        self._reply = SqlReply()
        self._held: dict[OpenDatabase, SqlConnection] = {}
        self._in_transaction = False
        self._lanes: list[SqlSession] = [self]
        self._last: tuple[SqlRequest | None, Mapping[str, object]] = None, {}

    async def send(self, request: SqlRequest | TransactionStep, scope: Scope) -> Reply:
        if isinstance(request, TransactionStep):
            return await self._transact(request)
        values = request.values(scope)
        reply, asked_ns = self._reply, self._now()
        reply.begin(asked_ns)
        self._last = request, values
        try:
            database = self._room.database(request.operation.database, scope)
        except EvaluationError:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: any driver's, such as lost keys
            failure = map_error(error, connects=True)
            self._fail(failure.kind, failure.status, failure.words)
            return reply
        try:
            async with asyncio.timeout(request.timeout_ns / NS_PER_S):
                connection = self._held.get(database) or await self._take(database, reply)
                await self._execute(request, values, database, connection)
        except CancelledError:
            self._drop(database)
            raise
        except TimeoutError:
            self._drop(database)
            words = f"no result within {format_duration(request.timeout_ns)}"
            self._fail(FailureKind.TIMEOUT, 0, words)
            reply.ended_ns = min(reply.ended_ns, asked_ns + request.timeout_ns)
        except Exception as error:  # noqa: BLE001 - the boundary: any driver's errors
            await self._failed(request, database, error)
        if not self._in_transaction:
            self._give_back(database)
        return reply

    async def _take(self, database: OpenDatabase, reply: SqlReply) -> SqlConnection:
        """Return a connection that is the session's until it gives it back."""
        connection: SqlConnection | None = None
        if database.leave is not None:
            await database.leave.acquire()
            reply.pool_wait_ns = self._now() - reply.asked_ns
            connection = database.free.pop() if database.free else None
        if connection is None:
            connection = await self._connect(database, reply)
        self._held[database] = connection
        return connection

    async def _connect(self, database: OpenDatabase, reply: SqlReply) -> SqlConnection:
        began_ns = self._now()
        try:
            connection = await database.connect()
        except BaseException:
            if database.leave is not None:
                database.leave.release()
            raise
        finally:
            reply.connect_ns = self._now() - began_ns
        reply.connects = 1
        return connection

    async def _execute(
        self,
        request: SqlRequest,
        values: Mapping[str, object],
        database: OpenDatabase,
        connection: SqlConnection,
    ) -> None:
        is_alone = not self._in_transaction
        begins = not connection.is_begun and (
            not is_alone
            or not request.operation.commits
            or (request.is_streamed and database.dialect.reads_in_transaction)
        )
        reply = self._reply
        reply.sent_ns = self._now()  # until it is known better
        connection.is_begun = connection.is_begun or begins
        job = partial(execute, request, values, database, self._now, begins, is_alone)
        try:
            result = await connection.run(job)
        finally:
            self._note_thread(connection)
        connection.is_begun = not is_alone
        self._keep(request, result)
        if result.is_left:
            self._drop(database)

    def _note_thread(self, connection: SqlConnection) -> None:
        reply, waited_ns = self._reply, connection.waited_ns
        if waited_ns is not None:
            reply.thread_wait_ns = waited_ns
            self._room.note_queue(waited_ns, self._now() - reply.asked_ns)

    def _keep(self, request: SqlRequest, result: StatementResult) -> None:
        reply = self._reply
        reply.sent_ns, reply.first_byte_ns, reply.ended_ns = result[:3]
        reply.has_rows = result.columns is not None
        reply.columns = result.columns or ()
        reply.rows, reply.count, reply.facts = result.rows, result.number, result.facts
        if request.operation.needs_body:
            reply.body = rows_as_text(reply)

    async def _failed(self, request: SqlRequest, database: OpenDatabase, error: Exception) -> None:
        """Say why there is no result; the connection goes on if it can."""
        connection, reply = self._held.get(database), self._reply
        failure = map_error(error, connects=connection is None)
        self._fail(failure.kind, failure.status, failure.words)
        is_accepted = connection is not None and 0 < failure.status in request.accept
        if is_accepted:
            reply.failure, reply.first_byte_ns = None, reply.ended_ns
        if failure.ends_connection:
            self._drop(database)
        elif connection is not None and connection.is_begun:
            if not self._in_transaction:
                await self._end_on(database, connection, ROLLBACK, _TAKING_BACK_S)
            elif is_accepted and database.dialect.savepoint:
                await self._forgive(database, connection)

    async def _forgive(self, database: OpenDatabase, connection: SqlConnection) -> None:
        """Go on in the transaction; without that, it would be taken back in silence."""
        try:
            async with asyncio.timeout(_TAKING_BACK_S):
                await connection.run(partial(forgive, database.dialect))
        except CancelledError:
            self._drop(database)
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: any driver's errors
            self._drop(database)
            failure = map_error(error, connects=False)
            self._fail(failure.kind, failure.status, failure.words)

    def _fail(self, kind: FailureKind, status: int, words: str) -> None:
        reply = self._reply
        reply.failure, reply.status, reply.detail = kind, status, words
        reply.ended_ns = self._now()
        reply.first_byte_ns = 0

    def _drop(self, database: OpenDatabase) -> None:
        """End a connection of which nobody knows what it is doing."""
        connection = self._held.pop(database, None)
        if connection is not None:
            self._room.end_later(connection.drop())
            if database.leave is not None:
                database.leave.release()

    def _give_back(self, database: OpenDatabase) -> None:
        if database.leave is not None and database in self._held:
            database.give_back(self._held.pop(database))

    async def _transact(self, step: TransactionStep) -> Reply:
        reply = self._reply
        reply.begin(self._now())
        if step is TransactionStep.BEGIN:  # in the database, with the first statement
            self._in_transaction = True
        elif step is TransactionStep.COMMIT:
            await self._end_transaction(COMMIT, self._room.settings.timeout_ns / NS_PER_S)
        else:
            await self._end_transaction(ROLLBACK, _TAKING_BACK_S)
        reply.ended_ns = self._now()
        return reply

    async def _end_transaction(self, how: str, within_s: float) -> None:
        """Commit, or take back, what is begun; what can't be ends with its connection."""
        self._in_transaction = False
        for database, connection in [*self._held.items()]:
            if connection.is_begun:
                await self._end_on(database, connection, how, within_s)
            self._give_back(database)

    async def _end_on(
        self, database: OpenDatabase, connection: SqlConnection, how: str, within_s: float
    ) -> None:
        try:
            async with asyncio.timeout(within_s):
                await connection.run(partial(finish, how, database.dialect))
            connection.is_begun = False
        except CancelledError:
            self._drop(database)
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: any driver's errors
            self._drop(database)
            if how == COMMIT:
                failure = map_error(error, connects=False)
                self._fail(failure.kind, failure.status, failure.words)

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: `header` is about HTTP."""

    def renew(self) -> None:
        """Do nothing: a connection says nothing of a visitor."""

    def recall(self) -> tuple[str, str]:
        request, values = self._last
        if request is None:
            return "", ""
        reply = self._reply
        came = reply.detail or result_table(reply)
        return sent_statement(request.operation.statement.text, values), came

    def lanes(self, count: int) -> Sequence[SqlSession]:
        settings = self._room.settings
        most = settings.shared or settings.per_user
        while len(self._lanes) < min(count, most):
            self._lanes.append(type(self)(self._room))
        return self._lanes[:count]

    async def close(self) -> None:
        for lane in self._lanes[1:]:
            await lane.close()
        if any(connection.is_begun for connection in self._held.values()):
            await self._end_transaction(ROLLBACK, _TAKING_BACK_S)
        for database, connection in self._held.items():
            if database.leave is not None:
                database.give_back(connection)
            else:
                await connection.close()
        self._held.clear()


class TappedSqlSession(SqlSession):
    """Reports each statement, and shows its rows, for debugging a plan."""

    __slots__ = ()

    async def send(self, request: SqlRequest | TransactionStep, scope: Scope) -> Reply:
        reply, tell = await super().send(request, scope), self._room.told
        if isinstance(request, TransactionStep) or tell is None:
            return reply
        operation, result, (_, values) = request.operation, self._reply, self._last
        where = self._room.settings.databases[operation.database]
        headers = tuple((f":{name}", _shown(value)) for name, value in values.items())
        tell(Sent("query", where.shown, headers, operation.statement.text.encode()))
        if reply.failure is None:
            reply.head = f"{status_text(reply.status)}, {_counted(result)}".encode()
            reply.body = reply.body or (reply.detail or result_table(result)).encode()
        return reply


def _counted(reply: SqlReply) -> str:
    done = "" if reply.has_rows else " changed"
    return f"{reply.count:,} {'row' if reply.count == 1 else 'rows'}{done}"


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
