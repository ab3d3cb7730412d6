"""What is measured of a stream, beside what the demo assistant says it did."""

from __future__ import annotations

import asyncio
import json
from statistics import median

import pytest

from planrunner.demo import HttpServer
from planrunner.demo.assistant.completions import SentTokens
from planrunner.demo.assistant.routes import assistant
from planrunner.language.expressions.expression import parse
from planrunner.protocols.base import Reply
from planrunner.protocols.http.operation import StaticBody, StreamPlan
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_MS
from tests.support.http_users import HttpUnderTest

ASKED = StaticBody(
    json.dumps(
        {
            "model": "demo",
            "stream": True,
            "max_tokens": 4,
            "messages": [{"role": "user", "content": "say it"}],
        }
    ).encode(),
    "application/json",
)
READ = StreamPlan("events", parse("event.data == '[DONE]'").lower().evaluate, keeps_json=True)
STREAMS = 12


async def read_streams(http: HttpUnderTest) -> list[tuple[Reply, SentTokens]]:
    """Read answers side by side; each with what the server knows of it."""
    router = assistant(seed=3)
    server = HttpServer(router)
    origin = Origin("http", "127.0.0.1", await server.start())

    async def read() -> Reply:
        async with http.user() as user:
            return await user.send(
                origin, "/v1/chat/completions", method="POST", body=ASKED, stream=READ
            )

    try:
        replies = await asyncio.gather(*(read() for _ in range(STREAMS)))
        async with http.user() as user:
            log = json.loads((await user.get(origin, "/log")).body or b"[]")
    finally:
        await server.stop()
    sent = {one["id"]: SentTokens(one["id"], one["asked_ns"], one["sent_ns"]) for one in log}
    return [(reply, sent[json.loads(reply.body or b"")["id"]]) for reply in replies]


@pytest.mark.http1  # which is what the demo speaks
def test_events_are_timed_to_when_they_came(http: HttpUnderTest) -> None:
    """First event, gaps and number are those of the server; only the way is added."""
    answers = http.run(lambda: read_streams(http))

    off_ns = []
    for reply, sent in answers:
        arrivals = reply.arrivals
        assert arrivals is not None
        assert (reply.failure, arrivals.count) == (None, len(sent.sent_ns) + 2)
        assert reply.sent_ns <= sent.asked_ns <= sent.sent_ns[0] <= arrivals.first_ns
        came_ns = arrivals.first_ns
        for sent_ns, gap_ns in zip(sent.sent_ns, (0, *arrivals.gaps_ns), strict=False):
            came_ns += gap_ns
            assert came_ns >= sent_ns
            off_ns.append(came_ns - sent_ns)
        assert came_ns <= arrivals.last_ns == reply.ended_ns
    assert len(off_ns) == 4 * STREAMS
    assert median(off_ns) < 50 * NS_PER_MS  # a busy machine; `benchmarks` says how exact it is
