"""What SQL must do with every driver, against a real SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from planrunner.protocols.received import read_json
from planrunner.protocols.sql.operation import SqlSettings, TransactionStep
from planrunner.protocols.sql.sqlstates import status_text
from tests.support.database_servers import (
    DatabaseServer,
    MariaServer,
    PostgresServer,
    needs_mariadb,
    needs_postgres,
    serving,
)
from tests.support.etcd_servers import free_ports
from tests.support.sql_steps import Statements, settings_of, with_statements

pytestmark = [pytest.mark.slow, needs_postgres, needs_mariadb]

MIB = 1 << 20
BEGIN, COMMIT, ROLLBACK = TransactionStep
COUNT = "select count(*) as n from orders"


DRIVERS = {
    "asyncpg": PostgresServer,
    "psycopg": PostgresServer,
    "asyncmy": MariaServer,
    "pymysql": MariaServer,
    "aiosqlite": None,
    "pysqlite": None,
}
every_driver = pytest.mark.parametrize("driver", DRIVERS)
every_server = pytest.mark.parametrize("driver", [name for name, kind in DRIVERS.items() if kind])


@dataclass(frozen=True)
class Words:
    """What a database says in its own way.

    Attributes:
        numbers: Selects ten million rows.
        slow: Takes far too long.
        twice: The status of a key that is there already.
        typo: That of a table that isn't.
    """

    numbers: str
    slow: str
    twice: str
    typo: str


_COUNTING = "with recursive t(n) as (select 1 union all select n + 1 from t where n < {}) select "
WORDS = {
    PostgresServer: Words(
        "select generate_series(1, 10000000) as n", "select pg_sleep(20)", "23505", "42P01"
    ),
    MariaServer: Words(
        "select seq as n from seq_1_to_10000000", "select sleep(20)", "23000", "42S02"
    ),
    None: Words(
        _COUNTING.format(10_000_000) + "n from t",
        _COUNTING.format(40_000_000) + "count(*) from t",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_ERROR",
    ),
}


CUT = {PostgresServer: "57P01", MariaServer: "ERROR_2013"}
"""The status of a statement whose server ends."""

REFUSALS = {
    "asyncpg": ("OK", "28P01", ("connect", "3D000")),
    "psycopg": ("OK", "OK", ("connect", "OK")),
    "asyncmy": ("ERROR_2003", "28000", ("permission", "42000")),
    "pymysql": ("ERROR_2003", "28000", ("permission", "42000")),
}
"""Statuses where nobody listens and with a wrong password; what comes of a missing database."""


@dataclass
class Servers:
    """Servers that are started when a test is the first to ask for one."""

    stack: ExitStack
    started: dict[type[DatabaseServer], DatabaseServer]

    def of(self, driver: str) -> DatabaseServer:
        kind = DRIVERS[driver]
        assert kind is not None
        if kind not in self.started:
            self.started[kind] = self.stack.enter_context(serving(kind))
        if self.started[kind].process is None:  # a test may stop it
            self.started[kind].start()
        return self.started[kind]

    def url(self, driver: str) -> str:
        return self.of(driver).url(driver)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack, {})


def settings(servers: Servers, driver: str, directory: Path, **more: object) -> SqlSettings:
    is_file = DRIVERS[driver] is None
    url = f"sqlite+{driver}:///{directory}/a b.db" if is_file else servers.url(driver)
    return settings_of(url=url, **more)


async def new_table(statements: Statements, rows: int = 3) -> None:
    await statements.done("drop table if exists orders")
    await statements.done("create table orders (id integer primary key, word text, amount numeric)")
    for number in range(rows):
        await statements.done(
            "insert into orders values (:id, :word, :amount)",
            params={"id": number, "word": f"a'%s:x{number}", "amount": 10 * number},
        )


@every_driver
def test_values_are_bound_and_rows_are_read(servers, driver: str, tmp_path: Path) -> None:
    """Whatever is in a value stays a value; text in quotes has no names in it."""

    async def use(statements: Statements) -> None:
        await new_table(statements)
        first = await statements.done("update orders set word = 'at 12:30 %' where id = 1")
        assert (first.count, first.has_rows, first.rows) == (1, False, ())
        statements.scope["rand"] = random.Random(1)
        reply = await statements.done(
            "select id, word, amount as total from orders where id >= :least and id >= :least "
            "order by id -- :not",
            params={"least": 0},
            expect={"rows": {"min": 3, "max": 3}, "json": {"$[2].id": 2}, "time": "< 5s"},
            extract={
                "first": "id",
                "last": {"column": "total", "row": "last"},
                "any": {"column": "id", "row": "random"},
                "words": {"column": "word", "row": "all"},
            },
        )
        scope = statements.scope
        assert (scope["first"], scope["last"], scope["any"] in (0, 1, 2)) == (0, 20, True)
        assert scope["words"] == ["a'%s:x0", "at 12:30 %", "a'%s:x2"]
        assert reply.parsed(read_json)[1] == {"id": 1, "word": "at 12:30 %", "total": 10}
        assert reply.ended_ns >= reply.first_byte_ns >= reply.sent_ns
        assert (reply.pool_wait_ns, reply.connects) == (None, 0)
        assert (reply.thread_wait_ns is not None) is (driver in ("pysqlite", "pymysql"))
        _, wrong = await statements.send(COUNT, expect={"rows": 2})
        assert wrong == "rows is 1, expected 2"
        _, wrong = await statements.send("select 1 as one", extract={"x": "ones"})
        assert wrong == "`x`: the result has no column `ones`; did you mean `one`?"
        _, wrong = await statements.send("select 1 as one where 1 = 0", extract={"x": "one"})
        assert wrong == "`x`: no row came back"

    with_statements(settings(servers, driver, tmp_path), use)


@every_driver
def test_a_transaction_is_kept_or_taken_back(servers, driver: str, tmp_path: Path) -> None:
    """As a whole; and a session that ends takes back what it has begun."""

    async def use(statements: Statements) -> None:
        other = Statements(statements.client)
        await new_table(statements, rows=0)
        for end, kept in ((ROLLBACK, 0), (COMMIT, 2)):
            await statements.transact(BEGIN)
            for number in range(2):
                await statements.done("insert into orders (id) values (:n)", params={"n": number})
            await statements.done(COUNT, expect={"json": {"$[0].n": 2}})
            reply = await statements.transact(end)
            assert reply.failure is None
            assert (await other.done(COUNT, extract={"n": "n"})).count == 1
            assert other.scope["n"] == kept
        await statements.done("delete from orders", commit=False)
        await statements.transact(BEGIN)
        await statements.done("delete from orders")
        await statements.session.close()
        await other.done(COUNT, expect={"json": {"$[0].n": 2}})
        await other.session.close()

    with_statements(settings(servers, driver, tmp_path), use)


@every_driver
def test_what_a_database_refuses_has_its_status(servers, driver: str, tmp_path: Path) -> None:
    """The connection goes on, in a transaction too, until that is taken back."""
    says = WORDS[DRIVERS[driver]]

    async def use(statements: Statements) -> None:
        await new_table(statements)
        insert = "insert into orders (id) values (1)"
        for step in (None, BEGIN, ROLLBACK):
            if step is not None:
                await statements.transact(step)
            if step is not BEGIN:
                kind, status, words = await statements.failed("select * from nowhere")
                assert (kind, status_text(status)) == ("status", says.typo)
                assert "nowhere" in words
            kind, status, words = await statements.failed(insert)
            assert (kind, status_text(status)) == ("status", says.twice)
            assert words.startswith(f"{says.twice}: ")
            assert "\n" not in words
        await statements.failed(insert, commit=False)
        await statements.failed("select nothing from orders", fetch="first")
        assert (await statements.done(COUNT)).connects == 0
        if driver == "asyncpg":
            kind, status, words = await statements.failed(
                "select * from orders where id = :id", params={"id": "one"}
            )
            assert (kind, status_text(status)) == ("status", "22000")
            assert "invalid input" in words

    with_statements(settings(servers, driver, tmp_path), use)


@every_driver
def test_an_error_that_the_plan_accepts_is_a_success(servers, driver: str, tmp_path: Path) -> None:
    """The transaction around it goes on, in PostgreSQL too, and keeps what it did before."""
    twice = WORDS[DRIVERS[driver]].twice.replace("_PRIMARYKEY", "*")

    async def use(statements: Statements) -> None:
        await new_table(statements)
        insert = "insert into orders (id) values (:id)"
        either = {"status": ["OK", twice]}
        await statements.transact(BEGIN)
        for number, failed in ((7, False), (1, True), (8, False)):
            reply = await statements.done(insert, params={"id": number}, expect=either)
            assert bool(reply.status) is failed
            assert reply.detail.startswith(twice[:5] if failed else "")
        assert (await statements.transact(COMMIT)).failure is None
        await statements.done(COUNT, expect={"json": {"$[0].n": 5}})
        await statements.done(insert, params={"id": 1}, expect={"status": twice})
        kind, status, _ = await statements.failed("select * from nowhere", expect=either)
        assert (kind, status > 0) == ("status", True)
        fine = statements.exchange(COUNT, expect={"status": twice})
        assert 0 not in fine.accept
        assert fine.expected == (f"status {twice}",)

    with_statements(settings(servers, driver, tmp_path), use)


@every_driver
def test_most_of_a_large_result_is_never_read(servers, driver: str, tmp_path: Path) -> None:
    """Ten million rows take no memory with `fetch: first`; what comes after is not disturbed."""
    numbers = WORDS[DRIVERS[driver]].numbers

    async def use(statements: Statements) -> None:
        await statements.done("select 1")
        before = psutil.Process().memory_info().rss
        for fetch, count in (("first", 1), ("none", 0), ("first", 1)):
            reply = await statements.done(numbers, fetch=fetch)
            assert reply.count == count
        await statements.transact(BEGIN)
        # MySQL sends all of it in a transaction too, which must not end.
        fewer = "seq_1_to_10000000", "seq_1_to_5000"
        await statements.done(numbers.replace(*fewer), fetch="first", extract={"n": "n"})
        assert statements.scope["n"] == 1
        await statements.transact(COMMIT)
        assert (await statements.done("select 1 as n")).count == 1
        assert psutil.Process().memory_info().rss - before < 30 * MIB

    with_statements(settings(servers, driver, tmp_path, timeout="20s"), use)


@every_server
def test_a_database_that_restarts_is_connected_to_again(servers, driver: str) -> None:
    """The statement that it cuts is `reset`, what finds nobody is `connect`, then all is well."""
    server = servers.of(driver)

    async def use(statements: Statements) -> None:
        await statements.done("select 1")
        running = asyncio.create_task(statements.failed(WORDS[DRIVERS[driver]].slow))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.stop)
        kind, status, words = await running
        assert (kind, status_text(status)) == ("reset", CUT[DRIVERS[driver]]), words
        kind, _, words = await statements.failed("select 1")
        assert (kind, "refused" in words.lower()) == ("connect", True), words
        await asyncio.to_thread(server.start)
        assert (await statements.done("select 1")).connects == 1
        # And one that finds out later that its connection has ended:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        assert (await statements.failed("select 1"))[0] == "reset"
        assert (await statements.done("select 1")).connects == 1

    with_statements(settings_of(url=server.url(driver)), use)


@every_server
def test_who_is_not_let_in_is_told_why(servers, driver: str) -> None:
    """A refused connection, a wrong password and a missing database are different things."""
    (port,) = free_ports(1)
    server = servers.of(driver)
    right = server.url(driver)
    refused, wrong, missing = REFUSALS[driver]
    urls = {
        right.replace(f":{server.port}/", f":{port}/"): ("connect", refused),
        right.replace("@127.0.0.1", "@no-such-host.invalid"): ("dns", refused),
        server.url(driver, password="pw-of-nobody"): ("permission", wrong),
        right.replace(f"/{server.database}", "/nothing"): missing,
    }
    for url, (kind, status) in urls.items():

        async def use(statements: Statements, kind=kind, status=status) -> None:
            found, code, words = await statements.failed("select 1")
            assert (found, status_text(code)) == (kind, status), words
            assert "pw-of" not in words

        with_statements(settings_of(url=url), use)


@every_driver
def test_a_statement_that_takes_too_long_is_given_up(servers, driver: str, tmp_path: Path) -> None:
    """The next one has a connection of its own, and a thread."""
    slow = WORDS[DRIVERS[driver]].slow

    async def use(statements: Statements) -> None:
        await statements.done("select 1")
        kind, _, words = await statements.failed(slow, timeout="100ms")
        assert (kind, words) == ("timeout", "no result within 100 ms")
        assert (await statements.done("select 1")).connects == 1

    with_statements(settings(servers, driver, tmp_path), use)


@every_driver
def test_shared_connections_are_waited_for(servers, driver: str, tmp_path: Path) -> None:
    """How long is a measure; a transaction keeps its connection, a failure gives it back."""

    async def use(statements: Statements) -> None:
        await new_table(statements)
        other = Statements(statements.client)
        await statements.transact(BEGIN)
        await statements.done(COUNT)
        waiting = asyncio.create_task(other.done(COUNT))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        await statements.failed("select * from nowhere")
        await statements.transact(ROLLBACK)
        reply = await waiting
        assert reply.pool_wait_ns
        assert reply.connects == 0
        await other.failed("select * from nowhere")
        assert (await statements.done(COUNT)).connects == 0
        assert len(statements.session.lanes(3)) == 1
        await other.session.close()

    with_statements(settings(servers, driver, tmp_path, pool={"shared": 1}), use)


@every_server
def test_isolation_holds_in_every_transaction(servers, driver: str) -> None:
    """Also in that of a statement alone."""
    is_postgres = DRIVERS[driver] is PostgresServer
    setting = "current_setting('transaction_isolation')" if is_postgres else "@@tx_isolation"

    async def use(statements: Statements) -> None:
        for _ in range(2):
            await statements.done(f"select {setting} as shown", extract={"level": "shown"})
            assert statements.scope["level"].lower().replace("-", " ") == "read uncommitted"
            await statements.transact(BEGIN)

    with_statements(settings_of(url=servers.url(driver), isolation="READ_UNCOMMITTED"), use)
