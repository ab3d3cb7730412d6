"""What a statement came to: its rows, and where its time went."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import CONNECT, OWN_PREFIX, WORK, Measure
from planrunner.protocols.base import Reply
from planrunner.protocols.received import read_json

__all__ = ["BIGQUERY", "MEASURES", "SqlReply", "counts_of", "plain_value", "rows_as_text"]

T = TypeVar("T")


class SqlReply(Reply):
    """A result.

    Attributes:
        has_rows: It has columns, and rows unless there are none.
        columns: Their names; empty where nobody reads what is in rows.
        rows: Those that were read.
        count: How many were read, or changed.
        facts: What its database says of it beside rows, by the names of its driver.
        pool_wait_ns: How long it waited for a shared connection; None where users have their own.
        thread_wait_ns: How long it waited for a thread; None where the driver needs none.
    """

    __slots__ = (
        "_mappings",
        "columns",
        "count",
        "facts",
        "has_rows",
        "pool_wait_ns",
        "rows",
        "thread_wait_ns",
    )

    has_rows: bool
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int
    pool_wait_ns: int | None
    thread_wait_ns: int | None

    def __init__(self) -> None:
        super().__init__()
        self.begin(0)

    def begin(self, asked_ns: int) -> None:
        """Forget the statement before."""
        self.asked_ns = self.sent_ns = asked_ns
        self.failure = self.body = None
        self.detail = ""
        self.head = b""
        self.status = self.first_byte_ns = self.ended_ns = 0
        self.connect_ns = self.connects = self.retries = self.received = self.sent = 0
        self.columns = self.rows = ()
        self.count = 0
        self.has_rows = False
        self.pool_wait_ns = self.thread_wait_ns = None
        self.facts: Mapping[str, float] = {}
        self._mappings: list[dict[str, Any]] | None = None

    def parsed(self, parse: Callable[[Reply], T]) -> T:
        """Return what `parse` makes of it: the `json` of a result are its rows as mappings."""
        return cast("T", self.mappings()) if parse is read_json else super().parsed(parse)

    def mappings(self) -> list[dict[str, Any]]:
        """Return the rows by the names of their columns, their values as JSON has them."""
        if self._mappings is None:
            names, rows = self.columns, self.rows
            self._mappings = [dict(zip(names, map(plain_value, row), strict=True)) for row in rows]
        return self._mappings


BIGQUERY: Final[Mapping[str, str]] = {
    "bytes_processed": "total_bytes_processed",
    "slot_ms": "slot_millis",
    "cache_hit": "cache_hit",
}
"""What BigQuery says of a statement, and what its Python package calls that."""

_SqlCounts = tuple[tuple[str, str, Callable[[Any], float]], ...]


def counts_of(dialect: str) -> _SqlCounts:
    """Return what a result of a dialect records by itself: its rows as work, and its facts."""
    facts = BIGQUERY if dialect == "bigquery" else ()
    return (
        (WORK.word, "rows", lambda reply: reply.count),
        *((f"{OWN_PREFIX}{name}", name, partial(_fact, name)) for name in facts),
    )


def _fact(name: str, reply: SqlReply) -> float:
    return reply.facts[name]


def rows_as_text(reply: SqlReply) -> bytes:
    """Return the rows as JSON."""
    return json.dumps(reply.mappings(), ensure_ascii=False).encode()


def plain_value(value: Any) -> Any:  # noqa: ANN401 - whatever a driver makes of a column
    """Return a value of a column as JSON and expressions have it.

    Decimals become numbers, times ISO 8601, bytes base64, and what nothing is known of its text.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
        return int(value) if is_whole else float(value)
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    return _in_words(value)


def _in_words(value: Any) -> str | float:  # noqa: ANN401
    match value:
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case UUID():
            return str(value)
        case _:
            return str(value)


def _write_execute(reply: SqlReply, values: list[int]) -> None:
    if reply.first_byte_ns:
        values.append(reply.first_byte_ns - reply.sent_ns)


def _write_fetch(reply: SqlReply, values: list[int]) -> None:
    if reply.first_byte_ns and reply.has_rows:
        values.append(reply.ended_ns - reply.first_byte_ns)


def _write_pool_wait(reply: SqlReply, values: list[int]) -> None:
    if reply.pool_wait_ns is not None:
        values.append(reply.pool_wait_ns)


def _write_thread_wait(reply: SqlReply, values: list[int]) -> None:
    if reply.thread_wait_ns is not None:
        values.append(reply.thread_wait_ns)


MEASURES: Final = (
    CONNECT,
    Measure(
        "execute",
        meaning="from when a statement was sent until its result began; drivers that hand over "
        "whole results, such as asyncpg with `fetch: all`, have all rows by then",
        noun="time to execute",
        unit=Unit.DURATION,
        example='p95 execute of "orders of a customer" < 20ms',
        write=_write_execute,
        is_standing=True,
    ),
    Measure(
        "fetch",
        meaning="from when a result began until its last row was read; a statement without rows "
        "has none",
        noun="time to fetch",
        unit=Unit.DURATION,
        example='p95 fetch of "all orders" < 200ms',
        write=_write_fetch,
        is_standing=True,
    ),
    Measure(
        "pool_wait",
        meaning="how long a statement waited for one of the connections that users share; with "
        "connections of their own they have none",
        noun="wait for a connection",
        unit=Unit.DURATION,
        example="p95 pool_wait < 5ms",
        write=_write_pool_wait,
        is_standing=True,
    ),
    Measure(
        "thread_wait",
        meaning="how long a statement of a driver without asyncio waited for a thread; others "
        "have none",
        noun="wait for a thread",
        unit=Unit.DURATION,
        example="p95 thread_wait < 5ms",
        write=_write_thread_wait,
        is_standing=True,
    ),
)
"""What statements have beside latency and service time."""
