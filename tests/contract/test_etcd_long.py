"""A million operations: the error rate stays, and so does the memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest

from planrunner.protocols.etcd.clients.grpc_aio import GrpcClient
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.etcd.stubs import load_stubs
from tests.support.etcd_steps import exchange, judged, with_client

OPERATIONS = 1_000_000


@pytest.mark.slow
def test_a_million_operations_leave_nothing_behind() -> None:
    """The server is simulated: what is measured is what planrunner keeps of each reply."""
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
        failed = 0

        async def send(count: int) -> None:
            nonlocal failed
            for number in range(count):
                reply = await session.send(bound, {"n": number})
                failed += judged(step, reply, {}) is not None

        await send(1_000)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        await send(OPERATIONS // 10)
        traced = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        await send(OPERATIONS - OPERATIONS // 10)
        assert failed == 0
        assert traced < 50_000

    with_client(EtcdSettings(("127.0.0.1:1",)), use, asyncio.run)
