"""SQL as a protocol: statements and transactions, over the drivers of SQLAlchemy."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.plugin import Action, GroupAction, Plugin, Settings, lazily
from planrunner.protocols.sql.reply import MEASURES
from planrunner.protocols.sql.sqlstates import STATUSES, status_text

__all__ = ["PLUGIN"]

_SPEC: Final = "planrunner.protocols.sql.spec"

PLUGIN: Final = Plugin(
    name="sql",
    title="SQL",
    actions={
        "sql.query": Action(
            f"{_SPEC}:SqlQuery",
            "SQL: send a statement, its values bound apart from its text.",
            "{statement: 'select id from orders where customer = :c', params: {c: 7}}",
        ),
    },
    groups={
        "sql.transaction": GroupAction(
            "SQL: a group of steps in one transaction: committed at its end, taken back when a "
            "step fails, or when it is stopped or cut.",
            "{do: [{sql.query: 'update orders set amount = 0'}]}",
            lazily("planrunner.protocols.sql.compile:compile_transaction"),
        ),
    },
    settings=Settings(
        model=f"{_SPEC}:SqlModel",
        description="The databases, for `sql.*` steps.",
        example="{url: 'sqlite:///shop.db', timeout: 5s}",
        class_description="The databases for this class; they override the plan's.",
        missing="the plan does not say where the database is",
        missing_hint="add `sql: {url: 'postgresql+asyncpg://me@localhost/shop'}`",
    ),
    compile_settings=lazily("planrunner.protocols.sql.compile:compile_settings"),
    compile_request=lazily("planrunner.protocols.sql.compile:compile_query"),
    clients={"sqlalchemy": "planrunner.protocols.sql.clients.client:open"},
    choose_client=lazily("planrunner.protocols.sql.target:choose_client"),
    hosts=lazily("planrunner.protocols.sql.target:hosts"),
    reach=lazily("planrunner.protocols.sql.target:reach"),
    try_out=lazily("planrunner.protocols.sql.clients.dry_run:try_out"),
    transport=lazily("planrunner.protocols.sql.target:describe_transport"),
    status_text=status_text,
    statuses=STATUSES,
    failures={
        FailureKind.DNS: "the database's name doesn't resolve",
        FailureKind.CONNECT: "the database refuses the connection, or can't be opened",
        FailureKind.TLS: "the handshake failed, or the certificate isn't trusted",
        FailureKind.PERMISSION: "authentication failed, or the user may not do this",
        FailureKind.TIMEOUT: "no result within the timeout, the database's own included",
        FailureKind.RESET: "the connection broke: the database was stopped, or ended it",
        FailureKind.PROTOCOL: "the file is not a database",
        FailureKind.STATUS: "the database refused the statement; the status is its SQLSTATE",
        FailureKind.ERROR: "the driver refused a value, such as text for a number",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "there is no such row or column, or a value is missing",
    },
    measures={measure.word: measure for measure in MEASURES},
)
