"""One virtual user of one HTTP client, as the contract suite and unit tests drive it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import Client, ClientFactory, Exchange, Reply, Scope, Session
from planrunner.protocols.http.operation import (
    Header,
    HttpOperation,
    HttpSettings,
    TextParts,
    UrlParts,
)
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from tests.support.http_servers import HttpServer, Respond, serve

__all__ = ["HttpUnderTest", "TestUser", "answered", "converse", "exchange"]

T = TypeVar("T")


def exchange(
    origin: Origin | None,
    target: str | TextParts = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | tuple[Header, ...] = (),
    timeout_s: float = 5,
    **more: Any,
) -> Exchange:
    """Build an exchange as the compiler would."""
    parts = (target,) if isinstance(target, str) else target
    if isinstance(headers, Mapping):
        headers = tuple(Header(name, (value,)) for name, value in headers.items())
    operation = HttpOperation(method, UrlParts(origin, parts), headers=headers, **more)
    return Exchange("http", operation, method, range(200, 400), (), (), int(timeout_s * NS_PER_S))


@dataclass(slots=True)
class TestUser:
    """A session, and the client it came from."""

    __test__ = False
    client: Client
    session: Session
    scope: Scope

    async def send(
        self, origin: Origin | None, target: str | TextParts = "/", **more: Any
    ) -> Reply:
        """Send once; what comes back is a copy, since a session may reuse its reply."""
        bound = self.client.bind(exchange(origin, target, **more))
        return copy.copy(await self.session.send(bound, self.scope))

    async def get(self, origin: Origin | None, target: str | TextParts = "/", **more: Any) -> Reply:
        return await self.send(origin, target, needs_body=True, needs_head=True, **more)


@dataclass(frozen=True, slots=True)
class HttpUnderTest:
    """A client by its factory, and the event loop it runs on."""

    name: str
    open: ClientFactory
    run_loop: Callable[[Any], Any]

    def run(self, scenario: Callable[[], Awaitable[T]]) -> T:
        result: T = self.run_loop(scenario())
        return result

    version: str = "1.1"

    def sent(self, text: int) -> int | None:
        """Return how many bytes a request of that much text takes; None where frames say."""
        return None if self.version == "2" else text

    @asynccontextmanager
    async def user(self, settings: HttpSettings | None = None) -> AsyncIterator[TestUser]:
        """Open the client and one session; sweep as the engine does, only more often."""
        settings = replace(settings or HttpSettings(), version=self.version)
        client = self.open(settings, MonotonicClock())
        sweeping = asyncio.ensure_future(_sweep(client))
        session = client.session()
        try:
            yield TestUser(client, session, {})
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await session.close()
            await client.close()


def answered(http: HttpUnderTest, respond: Respond, target: str = "/", **more: Any) -> Reply:
    """Send one GET to a server that answers as told, and return the reply."""

    async def scenario() -> Reply:
        async with serve(respond) as server, http.user() as user:
            return await user.get(server.origin, target, **more)

    return http.run(scenario)


def converse(
    http: HttpUnderTest,
    respond: Respond,
    scenario: Callable[[TestUser, HttpServer], Awaitable[None]],
    settings: HttpSettings | None = None,
) -> None:
    """Run a scenario of one user and one server that answers as told."""

    async def run() -> None:
        async with serve(respond) as server, http.user(settings) as user:
            await scenario(user, server)

    http.run(run)


async def _sweep(client: Client) -> None:
    clock = MonotonicClock()
    while True:
        await asyncio.sleep(0.01)
        client.sweep(clock.now_ns())
