"""Services, checks and monitors around a run: what `execute` wires to the system under test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from planrunner.clock import Clock
from planrunner.engine import Background, Ending, Stop
from planrunner.engine.workers.local import protocols_of, requests_of
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.language.secrets import Masker
from planrunner.plan.yaml.document import Document, KeyOrValue
from planrunner.protocols import registry
from planrunner.protocols.base import Client, Exchange, Reply, Scope
from planrunner.protocols.received import NOT_JSON, read_json
from planrunner.runner.tool_runs import need_tools
from planrunner.target import (
    RunningService,
    ServiceContext,
    check_own,
    check_reachable,
    start_services,
)
from planrunner.units import NS_PER_S

__all__ = ["around_load", "check_targets", "examine_requests", "transport_notices"]


class _Fetcher:
    """Sends single requests that are no load: readiness probes and Prometheus queries."""

    def __init__(self, graph: RunGraph, clock: Clock) -> None:
        self._graph = graph
        self._clock = clock
        self._client: Client | None = None

    async def reply(self, exchange: Exchange, use: Callable[[Reply], Any]) -> Any:  # noqa: ANN401
        """Send a request and return what `use` makes of its reply.

        Raises:
            TimeoutError: There is none in the request's time.
        """
        if self._client is None:
            factory = registry.client_factory(exchange.protocol)
            self._client = factory(self._graph.settings[exchange.protocol], self._clock)
        session = self._client.session()
        try:
            async with asyncio.timeout(exchange.timeout_ns / NS_PER_S):
                return use(await session.send(self._client.bind(exchange), {}))
        finally:
            await session.close()

    async def fetch(self, exchange: Exchange) -> str | None:
        """Return what is wrong with the reply, None when nothing is."""

        def judge(reply: Reply) -> str | None:
            if reply.failure is not None:
                return reply.detail or reply.failure.value
            if reply.status not in exchange.accept:
                return f"status {reply.status}"
            faults = (check(reply, {}) for check in exchange.checks)
            return next((words for words in faults if words is not None), None)

        try:
            found: str | None = await self.reply(exchange, judge)
        except TimeoutError:
            return "no answer"
        return found

    async def ask(self, exchange: Exchange) -> object:
        """Return the JSON of the reply, None when there is none."""
        try:
            data = await self.reply(exchange, lambda reply: reply.parsed(read_json))
        except TimeoutError:
            return None
        return None if data is NOT_JSON else data

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


@asynccontextmanager
async def around_load(  # noqa: PLR0913 - all that a run is surrounded by
    graph: RunGraph,
    *,
    directory: Path,
    run_id: str,
    environ: Mapping[str, str],
    clock: Clock,
    stop: Stop,
    mask: Masker,
) -> AsyncIterator[Background]:
    """Run the plan's services around the block; gives what goes on beside the load.

    Raises:
        CannotRun: A service can't be started, or isn't ready in time; or this machine lacks an
            address that the plan connects from, or a tool that it runs.
    """
    for address, place in graph.sources:
        check_own(address, place)
    need_tools(graph, environ)
    fetcher = _Fetcher(graph, clock)
    scope = _scope(graph, directory, run_id)
    around = ServiceContext(directory, scope, environ, fetcher.fetch, mask)
    try:
        async with start_services(graph.services, around) as running:
            ends = [_end_with(service, stop) for service in running]
            if graph.monitors or any(node.monitor for node in graph.services):
                yield _watched(graph, running, fetcher, clock, ends)
            else:
                yield Background(ends)
    finally:
        await fetcher.close()


def _watched(
    graph: RunGraph,
    running: Sequence[RunningService],
    fetcher: _Fetcher,
    clock: Clock,
    watches: Sequence[Callable[[], Coroutine[Any, Any, None]]],
) -> Background:
    from planrunner.target.monitor import Monitors  # noqa: PLC0415 - many plans have none

    monitors = Monitors(running, graph.monitors, ask=fetcher.ask, clock=clock)
    return Background(
        watches=[*monitors.watches(), *watches],
        gauges=monitors.gauges,
        notices=lambda: monitors.notices,
    )


def _scope(graph: RunGraph, directory: Path, run_id: str) -> Scope:
    # Services run in directories of their own, so it takes the whole path.
    return {"run": {"id": run_id, "dir": str(directory.absolute()), "seed": graph.seed}}


def _end_with(service: RunningService, stop: Stop) -> Callable[[], Coroutine[Any, Any, None]]:
    async def watch() -> None:
        stop.request(await service.until_it_ends(), ending=Ending.CANNOT_RUN)

    return watch


async def check_targets(graph: RunGraph) -> None:
    """Connect once to what load is aimed at.

    Raises:
        CannotRun: Nothing accepts a connection there.
    """
    channels = protocols_of(graph)
    # Classes with settings of their own have them mostly for the same target.
    aims = [(channel, graph.settings[channel]) for channel in channels]
    aims += [
        (request.exchange.protocol, request.settings)
        for request in requests_of(graph)
        if request.settings is not None
    ]
    places = {
        reach: None
        for channel, settings in aims
        for reach in registry.channel_plugin(channel).reach(settings)
    }
    for reach in places:
        await check_reachable(reach)


async def examine_requests(graph: RunGraph, document: Document, *, tries_out: bool = False) -> None:
    """Ask targets what only they know of the plan's requests.

    Args:
        graph: The plan.
        document: Its text.
        tries_out: Ask what `validate --online` asks too.

    Raises:
        PlanError: A request doesn't fit its target.
        CannotRun: A target doesn't answer.
    """
    found: dict[Diagnostic, None] = {}
    for channel in protocols_of(graph):
        plugin = registry.channel_plugin(channel)
        asking = [one for one in (plugin.examine, plugin.try_out if tries_out else None) if one]
        requests = [one for one in requests_of(graph) if one.exchange.protocol == channel]
        paths = {id(one.exchange): one.path for one in requests}
        exchanges = [one.exchange for one in requests]
        answers = [await ask(graph.settings[channel], exchanges) for ask in asking]
        for exchange, fault in (one for found_by in answers for one in found_by):
            place = document.nearest((*paths[id(exchange)], *fault.path))
            part: KeyOrValue = "key" if fault.is_key else "value"
            diagnostic = document.diagnostic(
                place, fault.code, fault.message, hint=fault.hint, part=part
            )
            found[diagnostic] = None
    if found:
        raise PlanError(list(found))


def transport_notices(graph: RunGraph) -> tuple[str, ...]:
    """Say what sends the requests of protocols whose speed depends on it."""
    notices: dict[str, str] = {}
    for channel in protocols_of(graph):
        plugin = registry.channel_plugin(channel)
        if plugin.transport is not None and plugin.name not in notices:
            sender = f"{plugin.transport()}; {graph.clients[channel][1]}"
            notices[plugin.name] = f"{plugin.name} requests go through {sender}"
    return tuple(notices.values())
