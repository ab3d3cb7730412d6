"""SQL steps from YAML words to what a client is given, and sessions to send them with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import Exchange, Reply, Scope
from planrunner.protocols.plugin import CompiledRequest, CompiledSettings
from planrunner.protocols.sql.clients.client import SqlClient
from planrunner.protocols.sql.clients.client import open as open_client
from planrunner.protocols.sql.clients.session import SqlSession
from planrunner.protocols.sql.compile import SqlDefaults, compile_query, compile_settings
from planrunner.protocols.sql.operation import SqlSettings, TransactionStep
from planrunner.protocols.sql.reply import SqlReply
from planrunner.protocols.sql.spec import SqlModel, SqlQuery
from tests.support.etcd_steps import NoFiles, judged

__all__ = ["Statements", "compiled", "settings_of", "sql_settings", "with_statements"]


def sql_settings(**keys: Any) -> CompiledSettings:
    model = SqlModel.model_validate(keys)
    return compile_settings(model, constants={}, files=NoFiles())


def settings_of(**keys: Any) -> SqlSettings:
    """Compile settings that have no fault."""
    result = sql_settings(**{"timeout": "5s", **keys})
    assert not result.faults, result.faults
    return result.settings


def compiled(
    step: object,
    *,
    settings: SqlSettings | None = None,
    constants: Mapping[str, object] | None = None,
) -> CompiledRequest:
    return compile_query(
        SqlQuery.model_validate(step),
        constants=constants or {},
        defaults=SqlDefaults(settings or SqlSettings()),
        files=NoFiles(),
    )


class Statements:
    """Sends steps as one user, each bound anew."""

    def __init__(self, client: SqlClient, session: SqlSession | None = None) -> None:
        self.client = client
        self.session = session or client.session()
        self.scope: Scope = {"run": {"dir": ""}}

    async def send(self, step: object, **keys: object) -> tuple[SqlReply, str | None]:
        """Return the reply, and what the step's expectations and extractions say against it."""
        exchange = self.exchange(step, **keys)
        reply = await self.session.send(self.client.bind(exchange), self.scope)
        assert isinstance(reply, SqlReply)
        assert reply.ended_ns >= reply.sent_ns >= reply.asked_ns
        return reply, None if reply.failure else judged(exchange, reply, self.scope)

    async def done(self, step: object, **keys: object) -> SqlReply:
        """Send a step that has to succeed."""
        reply, wrong = await self.send(step, **keys)
        assert (reply.failure, wrong) == (None, None), reply.detail
        return reply

    async def failed(self, step: object, **keys: object) -> tuple[str, int, str]:
        """Send a step that has to fail; returns kind, status and words."""
        reply, _ = await self.send(step, **keys)
        assert reply.failure is not None
        return reply.failure.value, reply.status, reply.detail

    async def transact(self, step: TransactionStep) -> Reply:
        return await self.session.send(step, self.scope)

    def exchange(self, step: object, **keys: object) -> Exchange:
        given = {"statement": step, **keys} if isinstance(step, str) else step
        result = compiled(given, settings=self.client.settings)
        assert not result.faults, result.faults
        return result.exchange


def with_statements(
    settings: SqlSettings, use: Callable[[Statements], Coroutine[Any, Any, None]]
) -> None:
    """Open a client in an event loop, use it as one user, and close it."""

    async def main() -> None:
        client = open_client(settings, MonotonicClock())
        statements = Statements(client)
        try:
            await use(statements)
        finally:
            await statements.session.close()
            await client.close()

    asyncio.run(main())
