"""The gRPC client: raw messages over grpc.aio, any kind of call, one in flight for each user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import cycle

from planrunner.clock import Clock
from planrunner.errors import CannotRun
from planrunner.protocols.base import Exchange, Redirect, Sent
from planrunner.protocols.grpc.clients.bound import BoundGrpcCall
from planrunner.protocols.grpc.clients.lines import GrpcLine, LineOpener
from planrunner.protocols.grpc.clients.reflection import reflect
from planrunner.protocols.grpc.clients.sessions import GrpcSession, TappedGrpcSession
from planrunner.protocols.grpc.compile.prepare import PreparedCall, prepare_call
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.grpc.schema.methods import GrpcSchema
from planrunner.protocols.lowering import SpecFault

__all__ = ["GrpcCaller", "open_caller"]


class GrpcCaller:
    """The gRPC `Client` of one worker."""

    def __init__(self, settings: GrpcSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.schema: GrpcSchema | None = settings.schema
        self._opener = LineOpener(settings)
        self._shared = [self._opener.open() for _ in range(settings.channels)]
        self._next = cycle(self._shared)
        self._own: set[GrpcLine] = set()
        self._services: set[str] = set()
        self._asked: frozenset[str] = frozenset()
        self._learning = asyncio.Lock()
        self._told: Callable[[Sent | Redirect], None] | None = None

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        self._told = told

    def bind(self, exchange: Exchange) -> BoundGrpcCall:
        prepared, faults = None, list[SpecFault]()
        if self.schema is not None:
            prepared = prepare_call(self.schema, exchange.operation, faults)
        usable = None if faults else prepared
        bound = BoundGrpcCall(exchange, self.settings.metadata, usable)
        self._services.add(bound.service)
        return bound

    async def prepare(self, bound: BoundGrpcCall, line: GrpcLine, timeout_s: float) -> PreparedCall:
        """Return a call that could not be prepared when it was bound: the server is asked now.

        Raises:
            CannotRun: It doesn't describe its services, or not as the plan has them.
        """
        async with self._learning:
            if self.settings.reflects and bound.service not in self._asked:
                asked = frozenset(self._services)
                target, metadata = self.settings.target, self.settings.metadata
                self.schema = await reflect(line, target, asked, metadata, timeout_s)
                self._asked = asked
        if bound.prepared is None:
            assert self.schema is not None
            faults: list[SpecFault] = []
            prepared = prepare_call(self.schema, bound.operation, faults)
            if prepared is None or faults:
                raise CannotRun(faults[0].message, hint=faults[0].hint)
            bound.prepared = prepared
        return bound.prepared

    def session(self) -> GrpcSession:
        if self._shared:
            return self.session_on(next(self._next), owns=False)
        line = self._opener.open()
        self._own.add(line)
        return self.session_on(line, owns=True)

    def session_on(self, line: GrpcLine, *, owns: bool) -> GrpcSession:
        if self._told is not None:
            return TappedGrpcSession(self, line, owns=owns, told=self._told)
        return GrpcSession(self, line, owns=owns)

    def sweep(self, now_ns: int) -> None:
        """Do nothing: each call carries its deadline, which the server sees too."""

    async def release(self, line: GrpcLine) -> None:
        self._own.discard(line)
        await line.close()

    async def close(self) -> None:
        lines: Sequence[GrpcLine] = (*self._shared, *self._own)
        self._own.clear()
        for line in lines:
            await line.close()


def open_caller(settings: GrpcSettings, clock: Clock) -> GrpcCaller:
    """Open the client: a `ClientFactory`."""
    return GrpcCaller(settings, clock)
