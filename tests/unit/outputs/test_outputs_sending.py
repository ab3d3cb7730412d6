"""What outputs have in common that send to a server: batches, pauses between attempts, losses."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs import (
    Batch,
    HttpSender,
    Refused,
    RunInfo,
    Second,
    SendingOutput,
    Unreachable,
)
from planrunner.units import NS_PER_S
from tests.support.http_servers import Request, Wire, closed_port, serve
from tests.support.virtual_time import run_virtual
from tests.unit.outputs.test_outputs_fan_out import NOON, RUN, feed

GET = Labels("GET /", "GET", "main", "hold", "User", "task")


class Server(SendingOutput):
    """An output whose server does what a script says, one entry an attempt, and then takes all."""

    def __init__(self, *script: PlanrunnerError | None, every_s: int = 1) -> None:
        super().__init__("server", every_ns=every_s * NS_PER_S)
        self.script = [*script]
        self.batches: list[tuple[int, int]] = []
        self.attempts_s: list[float] = []
        self.is_closed = False

    async def open(self, run: RunInfo) -> None:
        await self._next()

    async def send(self, batch: Batch) -> None:
        self.attempts_s.append(asyncio.get_running_loop().time())
        await self._next()
        count = sum(delta.count for delta in batch.snapshot.deltas.values())
        self.batches.append((batch.number, count))

    async def _next(self) -> None:
        if self.script and (error := self.script.pop(0)) is not None:
            raise error

    async def close(self) -> None:
        self.is_closed = True


def second(number: int, *, is_last: bool = False) -> Second:
    latency = Histogram([number])
    snapshot = Snapshot(
        (number - 1) * NS_PER_S, number * NS_PER_S, {}, {GET: SeriesDelta(latency, latency)}
    )
    return Second(number, NOON, (), snapshot, is_last=is_last)


def give(server: Server, seconds: int) -> None:
    async def main() -> None:
        await server.start(RUN)
        for number in range(1, seconds + 1):
            await server.add(second(number, is_last=number == seconds))
        await server.stop()

    run_virtual(main())


@pytest.mark.parametrize(
    ("every_s", "batches"),
    [(1, [(1, 1), (2, 1), (3, 1), (4, 1)]), (3, [(3, 3), (4, 1)]), (9, [(4, 4)])],
)
def test_seconds_are_sent_together(every_s: int, batches: list[tuple[int, int]]) -> None:
    """As many as asked for; the last of the run takes along what is left."""
    server = Server(every_s=every_s)

    give(server, 4)

    assert server.batches == batches
    assert server.lost_seconds == 0
    assert server.is_closed


def test_what_did_not_arrive_is_sent_again_after_longer_and_longer_pauses() -> None:
    """Up to ten seconds, or as long as the server asks for."""
    down = [Unreachable("503") for _ in range(6)]
    server = Server(None, *down, Unreachable("429", after_s=3), None)

    give(server, 1)

    pauses = [after - before for before, after in pairwise(server.attempts_s)]
    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 10, 10])
    assert server.batches == [(1, 1)]
    assert server.lost_seconds == 0


def test_a_server_is_left_alone_as_long_as_it_asks_for() -> None:
    """And no longer than ten seconds: the run may be over."""
    server = Server(None, Unreachable("429", after_s=3), None, Unreachable("429", after_s=600))

    give(server, 2)

    pauses = [after - before for before, after in pairwise(server.attempts_s)]
    assert pauses == pytest.approx([3, 0, 10])


def test_what_is_refused_is_lost_and_the_next_is_sent() -> None:
    """It would be refused again; whatever is wrong may be put right while the run lasts."""
    server = Server(None, Refused("401"), None, Refused("400"))

    give(server, 4)

    assert server.batches == [(2, 1), (4, 1)]
    assert (server.lost_seconds, server.loss) == (2, "400")


@pytest.mark.parametrize("error", [Unreachable("nobody", hint="start it"), Refused("no", hint="x")])
def test_nothing_is_sent_when_the_server_is_not_there_at_the_start(error: PlanrunnerError) -> None:
    """The run is told, and what was opened is closed."""
    server = Server(error)

    with pytest.raises(CannotRun, match=error.message):
        give(server, 1)

    assert server.is_closed


def test_the_end_of_a_run_counts_what_is_on_its_way() -> None:
    """Seconds before the output are counted there, and those that it holds here."""
    server = Server(None, *[Unreachable("503 Service Unavailable") for _ in range(99)], every_s=2)

    seen = feed(server, seconds=6)

    assert seen.end_s <= 5
    assert seen.notices == (
        "the output `server` did not end within 5 s and was abandoned; "
        "4 seconds of the run did not reach it",
        "the output `server` could not deliver 2 seconds of the run: 503 Service Unavailable",
    )


class TestHttp:
    def test_a_token_that_is_no_header_is_not_shown(self) -> None:
        async def respond(_: Request, wire: Wire) -> None:
            await wire.hang()

        async def main() -> None:
            async with serve(respond) as server:
                sender = HttpSender(server.url, {"Authorization": "Token sword\nfish"})
                with pytest.raises(Refused) as failed:
                    await sender.send("POST", server.url)
                await sender.close()
                assert "sword" not in failed.value.message

        asyncio.run(main())

    @pytest.mark.parametrize(
        ("status", "headers", "kind", "after_s"),
        [
            (500, "", Unreachable, 0),
            (503, "Retry-After: 7\r\n", Unreachable, 7),
            (429, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", Unreachable, 0),
            (408, "", Unreachable, 0),
            (400, "", Refused, None),
            (401, "", Refused, None),
            (404, "", Refused, None),
            (302, "Location: /elsewhere\r\n", Refused, None),
        ],
    )
    def test_replies_say_whether_to_try_again(
        self, status: int, headers: str, kind: type[PlanrunnerError], after_s: float | None
    ) -> None:
        """The message has the status and the beginning of the body, and no credentials."""

        async def respond(request: Request, wire: Wire) -> None:
            body = b"no\nroom " * 100
            head = f"HTTP/1.1 {status} Nope\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
            await wire.send(head.encode() + body)

        async def main() -> tuple[PlanrunnerError, str]:
            async with serve(respond) as server:
                url = f"http://me:swordfish@127.0.0.1:{server.origin.port}"
                sender = HttpSender(url)
                with pytest.raises(kind) as failed:
                    await sender.send("POST", f"{url}/write", content=b"x")
                await sender.close()
                return failed.value, server.requests[0].headers["authorization"]

        error, authorization = asyncio.run(main())

        assert f"answered {status} Nope: no room no room" in error.message
        assert "swordfish" not in error.message + error.hint
        assert len(error.message) < 300
        assert authorization.startswith("Basic ")
        if after_s is not None:
            assert error.after_s == after_s

    def test_a_server_that_is_not_there_may_come(self) -> None:
        """The message says where it should be."""

        async def main() -> None:
            sender = HttpSender(f"http://127.0.0.1:{port}")
            with pytest.raises(Unreachable, match=f"no answer from `http://127.0.0.1:{port}`"):
                await sender.send("POST", f"http://127.0.0.1:{port}/write")
            await sender.close()

        port = closed_port()

        asyncio.run(main())

    @pytest.mark.parametrize("url", ["localhost:8086", "ftp://x/", "http://", "http://[::1"])
    def test_what_is_no_url_is_refused(self, url: str) -> None:
        """Before anything is sent."""
        with pytest.raises(Refused, match="is not a URL"):
            HttpSender(url)
