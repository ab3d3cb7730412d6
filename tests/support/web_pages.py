"""The live page's server on loopback, and runs for it to show."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from planrunner.engine.recording.generator_health import Health
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.base import Second
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.web.feed.messages import SecondSeen, StopAsked
from planrunner.web.live.hub import LiveHub
from planrunner.web.live.live_run import LiveRun, RunSays
from planrunner.web.page_main import OneRun
from planrunner.web.server.access import PageAccess
from planrunner.web.server.application import application
from planrunner.web.server.serving import bound, serving

__all__ = ["ServedPage", "facts", "second", "served_page"]

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def facts(**changes: Any) -> dict[str, Any]:
    """Return what is known of a run: a phase of 10 users, and a threshold on latency."""
    return {
        "id": "r1",
        "plan": "shop",
        "planned_s": 60.0,
        "default_threshold": False,
        "gauges": [],
        "phases": [
            {
                "name": "main",
                "model": "closed",
                "words": ["closed model, at most 10 users"],
                "planned_s": 60.0,
                "unit": "users",
                "warmup_s": 0.0,
                "stages": [
                    {"name": "ramp", "planned_s": 10.0},
                    {"name": "hold", "planned_s": 50.0},
                ],
                "levels": [(0.0, 0.0), (10.0, 10), (60.0, 10)],
            }
        ],
        "thresholds": [{"text": "p95 < 1s", "unit": "duration", "level": "fail", "pair": 0}],
        **changes,
    }


def second(number: int, latencies_ms: dict[str, list[int]], **more: Any) -> SecondSeen:
    """Return a second with these requests, all of them successes of one class."""
    deltas = {}
    for name, values in latencies_ms.items():
        latency = Histogram([value * NS_PER_MS for value in values])
        labels = Labels(name, "GET", "main", "hold", "Buyer", "", status=200, protocol="http")
        deltas[labels] = SeriesDelta(latency, latency)
    snapshot = Snapshot((number - 1) * NS_PER_S, number * NS_PER_S, {"Buyer": 10}, deltas)
    seen = Second(number, STARTED, ("main",), snapshot, Health(NS_PER_MS, 0.5))
    return SecondSeen(seen, **{"standings": (), **more})


@dataclass
class ServedPage:
    """A server in a thread of its own.

    Attributes:
        asked: What viewers asked of the run.
    """

    access: PageAccess
    hub: LiveHub
    loop: asyncio.AbstractEventLoop
    asked: list[StopAsked] = field(default_factory=list)

    def take(self, said: RunSays) -> None:
        """Let the run say something."""
        done: Future[None] = Future()

        def tell() -> None:
            self.hub.take(said)
            done.set_result(None)

        self.loop.call_soon_threadsafe(tell)
        done.result(10)

    def pass_second(self, latencies_ms: dict[str, list[int]]) -> None:
        """Let another second be over."""
        self.take(second(self.hub.run.second + 1, latencies_ms))

    def url(self, path: str = "") -> str:
        return f"{self.access.origin}{self.access.base}{path}"

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Have a client that has opened the page."""
        with httpx.Client(timeout=10, trust_env=False) as client:
            page = client.get(self.access.url)
            assert page.status_code == 200
            assert f'url={self.access.base}"' in page.text
            yield client


@contextmanager
def served_page() -> Iterator[ServedPage]:
    """Serve a run that is about to begin."""
    ready: Future[ServedPage] = Future()
    ended = asyncio.Event()

    async def serve() -> None:
        listening = bound("127.0.0.1", 0)
        access = PageAccess("127.0.0.1", listening.getsockname()[1])
        page = ServedPage(access, LiveHub(LiveRun(facts())), asyncio.get_running_loop())
        app = application(access, OneRun(page.hub, page.asked.append))
        async with serving(listening, app):
            ready.set_result(page)
            await ended.wait()

    thread = threading.Thread(target=_run, args=(serve, ready))
    thread.start()
    page = ready.result(10)
    try:
        yield page
    finally:
        page.loop.call_soon_threadsafe(ended.set)
        thread.join(10)


def _run(serve: Callable[[], Any], ready: Future[ServedPage]) -> None:
    try:
        asyncio.run(serve())
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise
