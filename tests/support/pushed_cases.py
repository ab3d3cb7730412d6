"""Places for the outputs that push: doubles of servers, which decode what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.support.http_servers import Request, Respond, Wire, closed_port, reply, serve
from tests.support.metric_receivers import Received
from tests.support.output_places import SECRET, Fault, Place

__all__ = ["influxdb", "otlp", "statsd"]

_BUSY: Final = reply(503, b"busy", ("Retry-After", "0"))
_REFUSED: Final = reply(401, f"no such token: {SECRET}".encode())


def _failing(take: Respond, fault: Fault | None, at_start: int) -> Respond:
    """Return what answers: `at_start` requests belong to the start of the output."""
    came = 0

    async def respond(request: Request, wire: Wire) -> None:
        nonlocal came
        came += 1
        if fault is Fault.REFUSING:
            await wire.send(_REFUSED)
        elif fault is Fault.FLAKY and at_start < came <= at_start + 2:
            await wire.send(_BUSY)
        elif fault is Fault.DEAF and came > at_start:
            await wire.hang()
        else:
            await take(request, wire)

    return respond


@asynccontextmanager
async def influxdb(folder: Path, fault: Fault | None) -> AsyncIterator[Place]:
    del folder
    found: dict[str, int] = {}

    async def take(request: Request, wire: Wire) -> None:
        for line in request.body.decode().splitlines():
            if line.startswith("perf_test_requests,"):
                tags, fields = line.split(" count=")
                name = tags.partition(",request=")[2].partition(",run=")[0]
                found[name] = found.get(name, 0) + int(fields.partition("i")[0])
        await wire.send(reply(204))

    if fault is Fault.ABSENT:
        yield Place({"url": f"http://me:{SECRET}@127.0.0.1:{closed_port()}/k6"})
        return
    async with serve(_failing(take, fault, at_start=2)) as server:
        address = f"127.0.0.1:{server.origin.port}"
        yield Place({"url": f"http://me:{SECRET}@{address}/k6"}, lambda: found)


@asynccontextmanager
async def otlp(folder: Path, fault: Fault | None) -> AsyncIterator[Place]:
    del folder
    receiver = Received()

    def counts() -> dict[str, int]:
        names = {dict(key)["request"] for metric, key in receiver.numbers if "requests" in metric}
        return {name: receiver.total("perf_test.requests", request=name) for name in names}

    settings = {"headers": {"authorization": f"Bearer {SECRET}"}, "timeout_s": 5.0}
    if fault is Fault.ABSENT:
        yield Place({"endpoint": f"http://127.0.0.1:{closed_port()}", **settings})
        return
    async with serve(_failing(receiver.respond, fault, at_start=1)) as server:
        yield Place({"endpoint": server.url, **settings}, counts)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, address: object) -> None:
        del address
        for line in data.decode().split("\n"):
            self._take(line)


@asynccontextmanager
async def statsd(folder: Path, fault: Fault | None) -> AsyncIterator[Place]:
    del folder
    found: dict[str, int] = {}

    def take(line: str) -> None:
        name, _, value = line.partition(":")
        if name == "perf_test.requests":
            request = line.partition(",request:")[2].partition(",status:")[0]
            found[request] = found.get(request, 0) + int(value.partition("|")[0])

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(take), local_addr=("127.0.0.1", 0)
    )
    try:
        port = transport.get_extra_info("sockname")[1]
        if fault is Fault.ABSENT:
            transport.close()
            await asyncio.sleep(0)
        yield Place({"address": f"127.0.0.1:{port}"}, lambda: found)
    finally:
        transport.close()
