"""What one request costs, counted in calls; seconds are a matter of `make bench`."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from planrunner.compiler import compile_plan
from planrunner.engine import Stop, run
from planrunner.plan.loader import load
from planrunner.protocols.http.clients.http1 import client as wire
from planrunner.protocols.http.clients.http1.connection import WireConnection
from planrunner.protocols.http.clients.http1.opening import HttpConnector
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from tests.support.own_code import is_own
from tests.support.virtual_time import VirtualClock, run_virtual

PLANS = Path(__file__).parents[3] / "benchmarks" / "plans"
BODY = b'{"key":"k","value":"0123456789abcdef","cached":false}'
REPLY = b"HTTP/1.1 200 OK\r\n%%bDate: now\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)

Lines = Callable[[int], bytes]
"""The lines of a head that differ, by the number of its reply."""

WARM_UP = 1_000
MEASURED = 2_000


class TickingClock(VirtualClock):
    """Moves by a nanosecond whenever it is read; nobody waits, so no timer ever fires."""

    def __init__(self) -> None:
        # A C function, like the real one's, so that reading it is no call of ours.
        self.now_ns = itertools.count(1_000 * NS_PER_S).__next__  # type: ignore[method-assign]


@dataclass
class Ends:
    """Calls back at the first and after the last of the requests that count."""

    began: Callable[[], None]
    ended: Callable[[], None]
    seen: int = 0

    def note_request(self) -> None:
        self.seen += 1
        if self.seen == WARM_UP:
            self.began()
        if self.seen == WARM_UP + MEASURED:
            self.ended()


@dataclass
class NullServer:
    """Answers all requests of one turn of the event loop in the next one."""

    ends: Ends
    lines: Lines
    waiting: list[WireConnection] = field(default_factory=list)

    async def open(
        self, _origin: Origin, make: Callable[[], WireConnection], _number: int
    ) -> WireConnection:
        connection = make()
        connection.connection_made(NullTransport(self, connection))
        return connection

    def answer(self) -> None:
        waiting, self.waiting = self.waiting, []
        for connection in waiting:
            connection.data_received(REPLY % self.lines(self.ends.seen))


class NullTransport(asyncio.Transport):
    def __init__(self, server: NullServer, connection: WireConnection) -> None:
        self.server = server
        self.connection = connection

    def write(self, data: Any) -> None:
        server = self.server
        server.ends.note_request()
        if not server.waiting:
            asyncio.get_running_loop().call_soon(server.answer)
        server.waiting.append(self.connection)

    def close(self) -> None:
        pass


def _same_head(_: int) -> bytes:
    return b""


def _identified(number: int) -> bytes:
    return b"X-Request-Id: %d\r\n" % number


def _with_cookie(number: int) -> bytes:
    return b"Set-Cookie: sid=%d; Path=/\r\n" % number


def _run(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lines: Lines = _same_head,
    began: Callable[[], None],
    ended: Callable[[], None],
) -> None:
    """Run a plan of benchmarks/plans; calls back around the requests that count."""
    plan = load(PLANS / name, overrides={"hold": "1h", "users": "8"}, environ={})
    stop = Stop()

    def finish() -> None:
        ended()
        stop.request("enough requests")

    server = NullServer(Ends(began, finish), lines)
    monkeypatch.setattr(HttpConnector, "open", lambda _, *args: server.open(*args))
    graph = compile_plan(plan, seed=1)
    run_virtual(run(graph, clients={"http": wire.open}, clock=TickingClock(), stop=stop))


def _calls(
    name: str, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> tuple[Counter[str], Counter[str]]:
    """Return the calls of Python functions of ours and of C functions, by name.

    Going on with a coroutine after it waited counts as a call, as it costs one.
    """
    ours: Counter[str] = Counter()
    others: Counter[str] = Counter()

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if not is_own(frame):
            return
        if event == "call":
            ours[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            others[argument.__name__] += 1

    begin = partial(sys.setprofile, profile)
    _run(name, monkeypatch, lines=lines, began=begin, ended=_stop_profile)
    return ours, others


def _stop_profile() -> None:
    sys.setprofile(None)


def _table(calls: Counter[str]) -> str:
    return "\n".join(f"{times / MEASURED:6.2f} {name}" for name, times in calls.most_common())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "lines", "most", "most_in_c"),
    [
        ("throughput.yaml", _same_head, 11.5, 16.0),
        ("throughput.yaml", _identified, 13.5, 18.6),
        ("throughput.yaml", _with_cookie, 19.5, 33.6),
        ("rich.yaml", _same_head, 31.1, 24.1),
    ],
)
def test_a_request_costs_no_more_calls_than_it_did(
    plan: str, lines: Lines, most: int, most_in_c: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call is a twentieth of a microsecond, and a microsecond is a tenth of the whole.

    Heads that differ are read by their shape, and cookies replace those before them.
    """
    ours, others = _calls(plan, monkeypatch, lines)

    assert ours.total() / MEASURED <= most, _table(ours)
    assert others.total() / MEASURED <= most_in_c, _table(others)


def test_a_request_leaves_nothing_behind_but_its_latencies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two numbers, of the request and of its iteration, until they are counted."""
    sizes: list[int] = []

    def began() -> None:
        tracemalloc.start()
        sizes.append(tracemalloc.get_traced_memory()[0])

    def ended() -> None:
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()

    _run("throughput.yaml", monkeypatch, began=began, ended=ended)

    assert (sizes[1] - sizes[0]) / MEASURED <= 2 * (32 + 9)


def _traced_bytes(users: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return what is held while so many users think, each with its connection open."""
    plan = load(PLANS / "memory.yaml", overrides={"hold": "1h", "users": f"{users}"}, environ={})
    graph, stop, held = compile_plan(plan, seed=1), Stop(), []
    server = NullServer(Ends(_stop_profile, _stop_profile), _same_head)
    monkeypatch.setattr(HttpConnector, "open", lambda _, *args: server.open(*args))

    async def look() -> None:
        await asyncio.sleep(6.0005)  # all have come, and between two of their requests
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
        stop.request("seen")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(look())
            await run(graph, clients={"http": wire.open}, clock=VirtualClock(), stop=stop)

    tracemalloc.start()
    run_virtual(main())
    tracemalloc.stop()
    return int(held[0])


def test_a_thinking_user_takes_no_more_memory_than_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of Python's objects, a fifth of which is the state of its random numbers."""
    _traced_bytes(5, monkeypatch)  # what is made once
    few, many = (_traced_bytes(users, monkeypatch) for users in (50, 250))

    assert (many - few) / 200 <= 12_800
