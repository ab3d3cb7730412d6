"""A quarter of a million operations: the error rate stays as it is, and so does the memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import grpc
import psutil
import pytest

from planrunner.clock import Clock, MonotonicClock
from planrunner.engine.coordinator.coordinator import run
from planrunner.engine.coordinator.outcome import RunOutcome
from planrunner.protocols.etcd.clients.grpc_aio import EtcdSession, GrpcClient
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.etcd.stubs import load_stubs
from tests.support.etcd_steps import exchange, judged, with_client
from tests.support.plans import compiled

OPERATIONS = 250_000
USERS = 20
FAILING = 50
"""One operation in so many fails."""

PLAN = f"""
etcd: {{endpoints: ["127.0.0.1:1"]}}
users:
  Writer:
    tasks:
      - {{etcd.put: {{key: "/k/${{iteration}}", value: v}}, weight: 3}}
      - {{etcd.get: {{key: "/k/${{iteration}}", expect: {{found: true}}}}}}
phases: [{{users: {USERS}, iterations: {OPERATIONS}, max_duration: 1h}}]
"""


class _Simulated(GrpcClient):
    """A client whose calls are answered at once, in this process.

    Attributes:
        rss: Resident bytes after each tenth of the operations.
    """

    def __init__(self, settings: EtcdSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        stubs = load_stubs()
        self.rss: list[int] = []
        self._done = 0
        self._process = psutil.Process()
        pair = {"key": b"/k", "value": b"v"}
        self._answers = {
            "put": stubs.PutResponse(),
            "get": stubs.RangeResponse(kvs=[pair], count=1),
        }

    def session(self) -> EtcdSession:
        session = super().session()
        line = session._lines.current
        line.is_open = True
        for method in self._answers:
            line.calls[method] = self._call(method)
        return session

    def _call(self, method: str) -> Any:
        answer = self._answers[method]

        async def call(_: object, *, timeout: float, metadata: object) -> object:  # noqa: ASYNC109
            self._done += 1
            if self._done % (OPERATIONS // 10) == 0:
                self.rss.append(self._process.memory_info().rss)
            if self._done % 100 == 0:
                await asyncio.sleep(0)  # others must have their turn, as with a real connection
            if self._done % FAILING == 0:
                raise _refusal()
            return answer

        return call


def _refusal() -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    words = "etcdserver: mvcc: database space exceeded"
    return grpc.aio.AioRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, nothing, nothing, words)


@pytest.mark.slow
def test_a_quarter_of_a_million_operations_change_nothing() -> None:
    """Second by second one in fifty fails, no more, and the last tenth takes no memory."""
    opened: list[_Simulated] = []

    def open_client(settings: EtcdSettings, clock: Clock) -> _Simulated:
        opened.append(_Simulated(settings, clock))
        return opened[-1]

    graph = compiled(PLAN)

    outcome: RunOutcome = asyncio.run(
        run(graph, clients={"etcd": open_client}, clock=MonotonicClock())
    )

    points = outcome.history.points()
    assert sum(point.requests for point in points) == OPERATIONS
    assert sum(point.failed for point in points) == OPERATIONS // FAILING
    # What each of the users does at the end of a second may count in the next.
    off = [point.failed - point.requests / FAILING for point in points]
    assert max(map(abs, off)) <= USERS, off
    rss = opened[0].rss
    assert len(rss) == 10
    assert rss[-1] < rss[1] * 1.05, rss


@pytest.mark.slow
def test_a_session_keeps_nothing_of_its_replies() -> None:
    """Counted by the byte, where resident memory would hide a small leak."""
    stubs = load_stubs()
    pair = {"key": b"/a", "value": b"1"}
    answer = stubs.RangeResponse(kvs=[pair], count=1)

    async def simulated(request: object, *, timeout: float, metadata: object) -> object:  # noqa: ASYNC109
        return answer

    async def use(client: GrpcClient) -> None:
        session = client.session()
        line = session._lines.current
        line.calls["get"] = simulated
        line.is_open = True
        step = exchange("get", key="/${n}", reads_body=False, expect={"found": True})
        bound = client.bind(step)

        async def send(count: int) -> None:
            for number in range(count):
                reply = await session.send(bound, {"n": number})
                assert judged(step, reply, {}) is None

        await send(1_000)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        await send(50_000)
        gc.collect()
        traced = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert traced < 10_000

    with_client(EtcdSettings(("127.0.0.1:1",)), use, asyncio.run)
