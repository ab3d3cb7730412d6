"""Statements are cut at their values, and written for each driver, without a database."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.errors import PackageMissing, UsageError
from planrunner.protocols.sql.clients.faults import map_error
from planrunner.protocols.sql.database_url import driver_problem, read_url
from planrunner.protocols.sql.sqlstates import of_mysql, of_sqlite, of_sqlstate, status_text
from planrunner.protocols.sql.statement import first_line, read_statement
from tests.support.missing import hidden

QUOTED = st.sampled_from(
    ["'it''s :a'", '":a"', "`:a`", "/* :a\n */", "-- :a\n", "$t$ :a $t$", "E'\\':a'", "::text"]
)
PLAIN = st.text("abx =(),%\n12", max_size=6)
NAME = st.sampled_from(["a", "b_1", "Long"])


@given(st.lists(st.tuples(PLAIN, QUOTED, NAME), max_size=6))
def test_only_names_outside_of_quotes_are_values(pieces: list[tuple[str, str, str]]) -> None:
    """What is between them comes through unchanged, in every style."""
    text = "".join(f"{plain} {quoted} :{name} " for plain, quoted, name in pieces)
    names = [name for _, _, name in pieces]
    statement = read_statement(text)

    assert [one.name for one in statement.placeholders] == names
    assert [text[one.offset : one.offset + 1] for one in statement.placeholders] == [":"] * len(
        names
    )
    assert statement.written_for("qmark") == (
        "".join(f"{plain} {quoted} ? " for plain, quoted, _ in pieces),
        tuple(names),
    )
    dollars, order = statement.written_for("numeric_dollar")
    assert order == tuple(dict.fromkeys(names))
    assert dollars == "".join(
        f"{plain} {quoted} ${order.index(name) + 1} " for plain, quoted, name in pieces
    )
    escaped, by_name = statement.written_for("pyformat")
    assert by_name is None
    assert escaped % {name: f":{name}" for name in names} == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("select ':12:30', a[1:2], x::int, y:=1 where b=:b", ("b",)),
        ("select 'open :a", ("a",)),
        ("values (:x, :x)", ("x",)),
        ("", ()),
    ],
)
def test_what_looks_like_a_value(text: str, names: tuple[str, ...]) -> None:
    """Casts, slices and assignments are none; a name that comes twice is one value."""
    assert read_statement(text).names == names


@pytest.mark.parametrize(
    ("text", "only_reads"),
    [
        ("  -- all\n(SELECT 1)", True),
        ("with t as (select 1) select * from t", True),
        ("with t as (delete from x returning *) select * from t", False),
        ("select 'delete'", True),
        ("insert into x values (1) returning id", False),
    ],
)
def test_what_only_reads_may_be_read_piece_by_piece(text: str, only_reads) -> None:
    """A cursor that isn't read to its end must not leave a change half done."""
    assert read_statement(text).only_reads is only_reads


def test_the_first_line_that_says_something_names_a_statement() -> None:
    """As written, without the space around it."""
    assert first_line("\n  select 1\n  from x") == "select 1"
    assert first_line("") == ""


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=5, max_size=5))
def test_an_sqlstate_comes_back_as_it_was(code: str) -> None:
    """They are kept as numbers; that of success is `OK`."""
    assert status_text(of_sqlstate(code)) == ("OK" if code == "00000" else code)


def test_codes_of_databases_without_sqlstates() -> None:
    """SQLite's have names, MySQL's have numbers."""
    assert status_text(of_sqlite(5)) == "SQLITE_BUSY"
    assert status_text(of_sqlite(2067)) == "SQLITE_CONSTRAINT_UNIQUE"
    assert status_text(of_sqlite(200)) == "SQLITE_200"
    assert status_text(of_sqlite(5 + (99 << 8))) == "SQLITE_BUSY"
    assert status_text(of_mysql(1062)) == "ERROR_1062"
    assert of_sqlstate("nothing") == 0


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port"),
    [
        ("postgres://me:a%40b@db.example/x", "postgresql+asyncpg", "db.example", 5432),
        ("postgresql+psycopg://me@[::1]:6000/x", "postgresql+psycopg", "::1", 6000),
        ("sqlite:////tmp/a b.db", "sqlite+aiosqlite", "", 0),
        ("mysql://h/x", "mysql+asyncmy", "h", 3306),
        ("bigquery://project/set", "bigquery", "", 0),
        ("postgresql:///x?host=/run/pg", "postgresql+asyncpg", "", 0),
    ],
)
def test_a_url_says_where_a_database_is(text: str, scheme: str, host: str, port: int) -> None:
    """The asynchronous driver is taken where none is written; nothing secret is shown."""
    url = read_url(text)

    assert (url.scheme, url.host, url.port) == (scheme, host, port)
    assert "a%40b" not in url.shown
    assert url.completed(text).partition("://") == (scheme, "://", text.partition("://")[2])


@pytest.mark.parametrize("text", ["shop.db", "://x", "postgresql://h:port/x", "postgresql:x"])
def test_what_is_no_url_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a database"):
        read_url(text)


def test_a_driver_that_is_missing_is_named_with_its_package() -> None:
    """Found without importing anything, so that plans are checked fast."""
    for module, text, words in (
        ("sqlalchemy", "sqlite:///x", "`sql` needs the package sqlalchemy"),
        ("asyncpg", "postgresql://h/x", "`postgresql+asyncpg` needs the package asyncpg"),
    ):
        with hidden(module):
            problem = driver_problem(read_url(text))
        assert isinstance(problem, PackageMissing)
        assert problem.message == words
        assert "pip install" in problem.hint
    assert driver_problem(read_url("sqlite:///x")) is None


@pytest.mark.parametrize(
    ("url", "words", "hint"),
    [
        ("mysql+psycopg://h/x", "`psycopg` is not a driver of `mysql`", "write `mysql+asyncmy`"),
        (
            "sqlite+asyncpg:///x",
            "`asyncpg` is not a driver of `sqlite`",
            "write `sqlite+aiosqlite`",
        ),
        ("oracle://h/x", "`oracle+oracledb` needs the package oracledb", "pip install 'oracledb'"),
    ],
)
def test_a_driver_belongs_to_its_database(url: str, words: str, hint: str) -> None:
    """Else a run would find out."""
    problem = driver_problem(read_url(url))

    assert problem is not None
    assert (problem.message, problem.hint) == (words, hint)


class _MySqlError(Exception):
    __module__ = "asyncmy.errors"

    def __init__(self, number: int | str, words: str = "", sqlstate: str = "") -> None:
        super().__init__(number, words)
        self.sqlstate = sqlstate or None


@pytest.mark.parametrize(
    ("error", "connects", "kind", "words"),
    [
        (
            _MySqlError(1045, "Access denied for user"),
            True,
            "permission",
            "ERROR_1045: Access denied",
        ),
        (_MySqlError(2003, "Can't connect to MySQL"), True, "connect", "ERROR_2003: Can't connect"),
        (_MySqlError(2013, "Lost connection"), False, "reset", "ERROR_2013: Lost connection"),
        (_MySqlError(1062, "Duplicate entry"), False, "status", "ERROR_1062: Duplicate entry"),
        (_MySqlError(1062, "Duplicate", "23000"), False, "status", "23000: Duplicate"),
        (_MySqlError(1205, "Lock wait", "HY000"), False, "status", "ERROR_1205: Lock wait"),
        (_MySqlError(1227, "You need SUPER", "42000"), False, "permission", "42000: You need"),
        (
            _MySqlError(2003, "Can't connect ([Errno -2] Name or service not known)"),
            True,
            "dns",
            "",
        ),
        (_MySqlError("Packet sequence number wrong - got 80 expected 0"), True, "protocol", ""),
        (ConnectionError('server at "a:1" rejected SSL upgrade'), True, "tls", "server at"),
        (OSError("received invalid response to SSL negotiation: H"), True, "protocol", ""),
        (sqlite3.OperationalError("unable"), True, "connect", "unable"),
        (ConnectionResetError(104, "reset by peer"), False, "reset", "reset by peer"),
        (ValueError("no such value\nmore"), False, "error", "no such value"),
    ],
)
def test_errors_of_drivers_have_kinds(error: Exception, connects, kind: str, words: str) -> None:
    """Those of databases that aren't at hand for tests, by what their drivers raise."""
    failure = map_error(error, connects=connects)

    assert failure.kind.value == kind
    assert failure.words.startswith(words)
