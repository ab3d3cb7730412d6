"""Statements that their database looks at and doesn't execute: BigQuery's dry run."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from planrunner.clock import MonotonicClock
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.language.expressions.values import EvaluationError, Scope
from planrunner.protocols.base import Exchange
from planrunner.protocols.lowering import SpecFault
from planrunner.protocols.sql.clients.client import open as open_client
from planrunner.protocols.sql.clients.dialects import dialect_of
from planrunner.protocols.sql.operation import SqlOperation, SqlSettings

__all__ = ["try_out"]


async def try_out(
    settings: SqlSettings, exchanges: Sequence[Exchange]
) -> list[tuple[Exchange, SpecFault]]:
    """Return each statement that is refused, and why.

    One whose values are known only in a run is left out.
    """
    asked = [one for one in exchanges if _can_be_asked(one.operation, settings)]
    if not asked:
        return []
    client = open_client(settings, MonotonicClock(), is_dry=True)
    session, scope, found = client.session(), _scope(), []
    try:
        for exchange in asked:
            try:
                reply = await session.send(client.bind(exchange), scope)
            except EvaluationError:
                continue
            if reply.failure is not None:
                words = f"the database refuses the statement: {reply.detail}"
                fault = SpecFault(("statement",), Code.INVALID_VALUE, words)
                found.append((exchange, fault))
    finally:
        await session.close()
        await client.close()
    return found


def _can_be_asked(operation: object, settings: SqlSettings) -> bool:
    if not isinstance(operation, SqlOperation):
        return False
    return bool(dialect_of(settings.databases[operation.database].url.dialect).dry_run)


def _scope() -> Scope:
    run = {"id": "run", "dir": "", "seed": 0}
    return {"rand": Rand(Random(0)), "run": run, "iteration": 0, "user": {"id": 0, "iteration": 0}}
