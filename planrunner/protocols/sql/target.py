"""What statements are aimed at: what a run says and checks beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from planrunner.protocols.base import Exchange
from planrunner.protocols.plugin import ClientChoice, Reach, TargetHost
from planrunner.protocols.sql.operation import SqlOperation, SqlSettings

__all__ = ["choose_client", "describe_transport", "hosts", "reach"]


def choose_client(settings: SqlSettings) -> ClientChoice:
    """Say which databases there are, and how many connections there will be."""
    if settings.shared:
        number = f"{settings.shared} connections for all users of a worker"
    else:
        number = f"{settings.per_user} connections" if settings.per_user > 1 else "a connection"
        number += " for each user"
    where = "; ".join(database.shown for database in settings.databases)
    return ClientChoice("sqlalchemy", f"{where}; {number}" if where else number)


def hosts(exchange: Exchange, settings: SqlSettings) -> Iterator[TargetHost]:
    """Yield the host of a statement's database; a file has none."""
    operation = exchange.operation
    if isinstance(operation, SqlOperation) and operation.database < len(settings.databases):
        for host in settings.databases[operation.database].url.hosts:
            yield TargetHost(host, host)


def reach(settings: SqlSettings) -> Iterator[Reach]:
    """Yield each database that a connection can be tried to."""
    for database in settings.databases:
        url = database.url
        if url.host and url.port:
            key = f"sql.databases.{database.name}" if database.name else "sql.url"
            yield Reach(
                addresses=((url.host, url.port),),
                shown=f"`{url.host}:{url.port}`",
                nobody=f"no {url.dialect}",
                hint=f"start it, or correct `{key}`; nothing was sent",
            )


def describe_transport() -> str:
    """Name SQLAlchemy with its version."""
    return f"SQLAlchemy {version('sqlalchemy')}"
