"""How transactions are begun and ended, and isolation is set, in the SQL of a database.

Drivers never begin a transaction by themselves here, where that can be had: a statement alone is
one message to the database and not three. Other databases get what every driver can do: it begins,
and `commit` ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from planrunner.protocols.sql.reply import BIGQUERY
from planrunner.values import dataclass

__all__ = ["Dialect", "dialect_of"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between databases.

    Attributes:
        begin: Begins a transaction; empty where the driver does.
        isolate: Returns what gives a connection's transactions an isolation; None where
            SQLAlchemy does.
        reads_in_transaction: Rows can be read piece by piece only in a transaction.
        sends_all: A result that has begun is sent to its end, whether somebody reads it or not, and
            nothing else can be sent before that.
        savepoint: Where an error ends the transaction: what is said before a statement whose error
            the plan accepts; empty where none is needed.
        facts: Returns what the database says of a statement beside its rows, given the cursor.
        query: What a URL says unless it says otherwise.
        dry_run: What a URL says so that statements are looked at and not executed; empty where
            that can't be had.
        warning: What its driver needn't say, as a regular expression; empty for nothing.
    """

    begin: str = ""
    isolate: Callable[[str], str] | None = None
    reads_in_transaction: bool = False
    sends_all: bool = False
    savepoint: str = ""
    facts: Callable[[Any], Mapping[str, float]] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    dry_run: Mapping[str, str] = field(default_factory=dict)
    warning: str = ""


def _sqlite(isolation: str) -> str:
    return f"PRAGMA read_uncommitted = {int(isolation == 'READ UNCOMMITTED')}"


def _bigquery(cursor: Any) -> Mapping[str, float]:  # noqa: ANN401 - of its own package
    # A message of its own, whose time is no part of the sample.
    job = cursor.query_job
    if job is None:  # it was only looked at
        return {}
    return {name: getattr(job, attribute) or 0 for name, attribute in BIGQUERY.items()}


_MYSQL: Final = Dialect(
    "BEGIN", "SET SESSION TRANSACTION ISOLATION LEVEL {}".format, sends_all=True
)
_DIALECTS: Final[Mapping[str, Dialect]] = {
    "postgresql": Dialect(
        "BEGIN",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {}".format,
        reads_in_transaction=True,
        savepoint="SAVEPOINT planrunner",
    ),
    "sqlite": Dialect("BEGIN", _sqlite),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    # A reply from the cache says nothing of the work that a statement is.
    "bigquery": Dialect(
        facts=_bigquery,
        query={"use_query_cache": "false"},
        dry_run={"dry_run": "true"},
        warning="Cannot create BigQuery Storage client",  # REST serves as well
    ),
}


def dialect_of(name: str) -> Dialect:
    """Return what is known of a dialect by its name."""
    return _DIALECTS.get(name, Dialect())
