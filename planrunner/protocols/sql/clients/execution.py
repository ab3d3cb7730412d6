"""One statement on one connection: sent, read, and where its time went."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planrunner.language.expressions.values import Scope
from planrunner.protocols.sql.accepted import AcceptedStatuses
from planrunner.protocols.sql.clients.connections import OpenDatabase
from planrunner.protocols.sql.clients.dialects import Dialect
from planrunner.protocols.sql.operation import FetchRows, SqlOperation

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

__all__ = ["COMMIT", "ROLLBACK", "SqlRequest", "StatementResult", "execute", "finish", "forgive"]

COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

_READ_ON: Final = 1_000
"""Rows: about what a new connection costs."""

_NO_FACTS: Final[Mapping[str, float]] = {}
_PIECE_BY_PIECE: Final = {"stream_results": True}

SqlValues = Mapping[str, object] | tuple[object, ...]
"""What is bound into a statement, by name or in order."""


class StatementResult(NamedTuple):
    """What came of a statement.

    Attributes:
        sent_ns: When it left.
        began_ns: When its result began.
        ended_ns: When all was done.
        columns: None where a statement has no rows.
        rows: Those that were read, if somebody reads what is in them.
        number: How many were read, or changed.
        facts: What the database says of it beside these.
        is_left: Rows are left that nobody wants: the connection is of no use any more.
    """

    sent_ns: int
    began_ns: int
    ended_ns: int
    columns: Sequence[str] | None
    rows: Sequence[Sequence[Any]]
    number: int
    facts: Mapping[str, float]
    is_left: bool


class SqlRequest:
    """A statement, ready to send; how it is written is known when its database is.

    Attributes:
        is_streamed: Its rows are read piece by piece, and most of them may never be.
        keeps_rows: Somebody reads what is in them.
        accept: The statuses that are no failure.
        may_err: Errors are among them.
    """

    __slots__ = (
        "_order",
        "_text",
        "accept",
        "is_streamed",
        "keeps_rows",
        "may_err",
        "operation",
        "timeout_ns",
    )

    def __init__(
        self, operation: SqlOperation, timeout_ns: int, accept: Container[int], *, keeps_rows: bool
    ) -> None:
        self.accept = accept
        self.may_err = isinstance(accept, AcceptedStatuses) and accept.has_errors
        self.operation = operation
        self.timeout_ns = timeout_ns
        self.keeps_rows = keeps_rows or operation.needs_rows
        self.is_streamed = operation.fetch is not FetchRows.ALL and operation.statement.only_reads
        self._text = ""
        self._order: tuple[str, ...] | None = None

    def text_for(self, paramstyle: str) -> str:
        """Return the statement as its driver wants it."""
        if not self._text:
            self._text, self._order = self.operation.statement.written_for(paramstyle)
        return self._text

    def values(self, scope: Scope) -> dict[str, object]:
        """Return the values to bind, by name.

        Raises:
            EvaluationError: One of them has none.
        """
        return {name: evaluate(scope) for name, evaluate in self.operation.params}

    def bound(self, values: Mapping[str, object]) -> SqlValues:
        """Return the values as the driver wants them."""
        order = self._order
        return values if order is None else tuple([values[name] for name in order])


def execute(  # noqa: PLR0913, PLR0917 - all that a statement needs, in one call to the driver's side
    request: SqlRequest,
    values: Mapping[str, object],
    database: OpenDatabase,
    now: Callable[[], int],
    begins: bool,  # noqa: FBT001 - bound with `partial`
    is_alone: bool,  # noqa: FBT001
    connection: Connection,
) -> StatementResult:
    """Send a statement and read its rows.

    Args:
        request: The statement.
        values: Those of its names.
        database: Where it goes.
        now: The clock.
        begins: A transaction begins before it.
        is_alone: Nothing after it is in the same transaction.
        connection: The connection of SQLAlchemy.
    """
    dialect = database.dialect
    text = request.text_for(database.paramstyle)
    sent_ns = now()
    if begins and dialect.begin:
        connection.exec_driver_sql(dialect.begin)
    if request.may_err and not is_alone and dialect.savepoint:
        connection.exec_driver_sql(dialect.savepoint)
        sent_ns = now()
    options = _PIECE_BY_PIECE if request.is_streamed else None
    result = connection.exec_driver_sql(text, request.bound(values) or None, options)
    began_ns = now()
    facts, asked_ns = _NO_FACTS, 0
    if dialect.facts is not None:  # a result has a cursor only until it is read
        facts = dialect.facts(result.cursor)
        asked_ns = now() - began_ns
    columns, rows, number = _read(result, request)
    is_left = False
    if dialect.sends_all and request.is_streamed and columns is not None:
        read_ns = now()
        is_left = _leave(result, is_alone=is_alone)
        asked_ns += now() - read_ns
    if is_left:
        connection.invalidate()  # at once: some drivers read a result to its end that is deleted
    else:
        result.close()
        if is_alone and (begins or not dialect.begin):
            finish(COMMIT if request.operation.commits else ROLLBACK, dialect, connection)
    ended_ns = now() - asked_ns
    return StatementResult(sent_ns, began_ns, ended_ns, columns, rows, number, facts, is_left)


def _read(
    result: CursorResult[Any], request: SqlRequest
) -> tuple[Sequence[str] | None, Sequence[Sequence[Any]], int]:
    if not result.returns_rows:
        return None, (), max(result.rowcount, 0)
    columns = tuple(result.keys()) if request.keeps_rows else ()
    match request.operation.fetch:
        case FetchRows.ALL:
            rows: Sequence[Sequence[Any]] = result.fetchall()
        case FetchRows.FIRST:
            row = result.fetchone()
            rows = () if row is None else (row,)
        case FetchRows.NONE:
            rows = ()
    return columns, (rows if request.keeps_rows else ()), len(rows)


def _leave(result: CursorResult[Any], *, is_alone: bool) -> bool:
    """Read on behind what was wanted; true if too much is left for that.

    In a transaction all is read, as the transaction ends with its connection.
    """
    while len(result.fetchmany(_READ_ON)) == _READ_ON:
        if is_alone:
            return True
    return False


def forgive(dialect: Dialect, connection: Connection) -> None:
    """Let a transaction go on after an error that the plan accepts."""
    connection.exec_driver_sql(f"ROLLBACK TO {dialect.savepoint}")


def finish(how: str, dialect: Dialect, connection: Connection) -> None:
    """Commit a transaction, or take it back."""
    if dialect.begin:
        connection.exec_driver_sql(how)
    elif how == COMMIT:
        connection.commit()
    else:
        connection.rollback()
