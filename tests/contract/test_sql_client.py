"""What SQL must do with every driver, against a real SQLite and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from planrunner.protocols.base import read_json
from planrunner.protocols.sql.operation import SqlSettings, TransactionStep
from planrunner.protocols.sql.sqlstates import status_text
from tests.support.etcd_servers import free_ports
from tests.support.postgres_servers import PostgresServer, needs_postgres, postgres
from tests.support.sql_steps import Statements, settings_of, with_statements

pytestmark = [pytest.mark.slow, needs_postgres]

MIB = 1 << 20
BEGIN, COMMIT, ROLLBACK = TransactionStep
COUNT = "select count(*) as n from orders"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as started:
        yield started


DRIVERS = ("asyncpg", "psycopg", "aiosqlite", "pysqlite")
every_driver = pytest.mark.parametrize("driver", DRIVERS)


def settings(server: PostgresServer, driver: str, directory: Path, **more: object) -> SqlSettings:
    is_file = driver.endswith("sqlite")
    url = f"sqlite+{driver}:///{directory}/a b.db" if is_file else server.url(driver)
    return settings_of(url=url, **more)


@pytest.fixture
def stopped(server: PostgresServer) -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    yield server
    if server.process is None:
        server.start()


async def new_table(statements: Statements, rows: int = 3) -> None:
    await statements.done("drop table if exists orders")
    await statements.done("create table orders (id integer primary key, word text, amount numeric)")
    for number in range(rows):
        await statements.done(
            "insert into orders values (:id, :word, :amount)",
            params={"id": number, "word": f"a'%s:x{number}", "amount": 10 * number},
        )


@every_driver
def test_values_are_bound_and_rows_are_read(server, driver: str, tmp_path: Path) -> None:
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
        assert (reply.thread_wait_ns is not None) is (driver == "pysqlite")
        _, wrong = await statements.send(COUNT, expect={"rows": 2})
        assert wrong == "rows is 1, expected 2"
        _, wrong = await statements.send("select 1 as one", extract={"x": "ones"})
        assert wrong == "`x`: the result has no column `ones`; did you mean `one`?"
        _, wrong = await statements.send("select 1 as one where 1 = 0", extract={"x": "one"})
        assert wrong == "`x`: no row came back"

    with_statements(settings(server, driver, tmp_path), use)


@every_driver
def test_a_transaction_is_kept_or_taken_back(server, driver: str, tmp_path: Path) -> None:
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

    with_statements(settings(server, driver, tmp_path), use)


@every_driver
def test_what_a_database_refuses_has_its_status(server, driver: str, tmp_path: Path) -> None:
    """The connection goes on, in a transaction too, until that is taken back."""
    is_file = driver.endswith("sqlite")
    twice, typo = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_ERROR") if is_file else (
        "23505", "42P01"
    )  # fmt: skip

    async def use(statements: Statements) -> None:
        await new_table(statements)
        insert = "insert into orders (id) values (1)"
        for step in (None, BEGIN, ROLLBACK):
            if step is not None:
                await statements.transact(step)
            if step is not BEGIN:
                kind, status, words = await statements.failed("select * from nowhere")
                assert (kind, status_text(status)) == ("status", typo)
                assert "nowhere" in words
            kind, status, words = await statements.failed(insert)
            assert (kind, status_text(status)) == ("status", twice)
            assert words.startswith(f"{twice}: ")
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

    with_statements(settings(server, driver, tmp_path), use)


@every_driver
def test_an_error_that_the_plan_accepts_is_a_success(server, driver: str, tmp_path: Path) -> None:
    """The transaction around it goes on, in PostgreSQL too, and keeps what it did before."""
    twice = "SQLITE_CONSTRAINT*" if driver.endswith("sqlite") else "23505"

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

    with_statements(settings(server, driver, tmp_path), use)


@every_driver
def test_most_of_a_large_result_is_never_read(server, driver: str, tmp_path: Path) -> None:
    """Ten million rows take no memory with `fetch: first`; what comes after is not disturbed."""
    numbers = "select generate_series(1, 10000000) as n"
    if driver.endswith("sqlite"):
        numbers = (
            "with recursive t(n) as (select 1 union all select n + 1 from t where n < 10000000) "
            "select n from t"
        )

    async def use(statements: Statements) -> None:
        await statements.done("select 1")
        before = psutil.Process().memory_info().rss
        for fetch, count in (("first", 1), ("none", 0), ("first", 1)):
            reply = await statements.done(numbers, fetch=fetch)
            assert reply.count == count
        await statements.transact(BEGIN)
        await statements.done(numbers, fetch="first", extract={"n": "n"})
        assert statements.scope["n"] == 1
        await statements.transact(COMMIT)
        assert (await statements.done("select 1 as n")).count == 1
        assert psutil.Process().memory_info().rss - before < 30 * MIB

    with_statements(settings(server, driver, tmp_path, timeout="20s"), use)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_database_that_restarts_is_connected_to_again(
    stopped: PostgresServer, driver: str
) -> None:
    """The statement that it cuts is `reset`, what finds nobody is `connect`, then all is well."""

    async def use(statements: Statements) -> None:
        await statements.done("select 1")
        running = asyncio.create_task(statements.failed("select pg_sleep(20)"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(stopped.stop, signal.SIGINT)
        kind, status, words = await running
        assert (kind, status_text(status)) == ("reset", "57P01"), words
        kind, _, words = await statements.failed("select 1")
        assert (kind, "refused" in words.lower()) == ("connect", True), words
        await asyncio.to_thread(stopped.start)
        assert (await statements.done("select 1")).connects == 1
        # And one that finds out later that its connection has ended:
        await asyncio.to_thread(stopped.stop, signal.SIGINT)
        await asyncio.to_thread(stopped.start)
        assert (await statements.failed("select 1"))[0] == "reset"
        assert (await statements.done("select 1")).connects == 1

    with_statements(settings_of(url=stopped.url(driver)), use)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_who_is_not_let_in_is_told_why(server, driver: str) -> None:
    """A refused connection, a wrong password and a missing database are different things."""
    (port,) = free_ports(1)
    wrong = server.url(driver, password="pw-of-nobody")
    urls = {
        f"postgresql+{driver}://me@127.0.0.1:{port}/x": ("connect", "OK"),
        f"postgresql+{driver}://me@no-such-host.invalid/x": ("dns", "OK"),
        wrong: ("permission", "28P01" if driver == "asyncpg" else "OK"),
        server.url(driver).replace("/postgres", "/nothing"): (
            "connect", "3D000" if driver == "asyncpg" else "OK",
        ),
    }  # fmt: skip
    for url, (kind, status) in urls.items():

        async def use(statements: Statements, kind=kind, status=status) -> None:
            found, code, words = await statements.failed("select 1")
            assert (found, status_text(code)) == (kind, status), words
            assert "pw-of" not in words

        with_statements(settings_of(url=url), use)


@every_driver
def test_a_statement_that_takes_too_long_is_given_up(server, driver: str, tmp_path: Path) -> None:
    """The next one has a connection of its own, and a thread."""
    slow = "select pg_sleep(20)"
    if driver.endswith("sqlite"):
        slow = (
            "with recursive t(n) as (select 1 union all select n + 1 from t where n < 40000000) "
            "select count(*) from t"
        )

    async def use(statements: Statements) -> None:
        await statements.done("select 1")
        kind, _, words = await statements.failed(slow, timeout="100ms")
        assert (kind, words) == ("timeout", "no result within 100 ms")
        assert (await statements.done("select 1")).connects == 1

    with_statements(settings(server, driver, tmp_path), use)


@every_driver
def test_shared_connections_are_waited_for(server, driver: str, tmp_path: Path) -> None:
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

    with_statements(settings(server, driver, tmp_path, pool={"shared": 1}), use)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_isolation_holds_in_every_transaction(server, driver: str) -> None:
    """Also in that of a statement alone."""

    async def use(statements: Statements) -> None:
        for _ in range(2):
            await statements.done(
                "show transaction_isolation",
                expect={"json": {"$[0].transaction_isolation": "repeatable read"}},
            )
            await statements.transact(BEGIN)

    with_statements(settings_of(url=server.url(driver), isolation="REPEATABLE_READ"), use)
