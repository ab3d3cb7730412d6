"""The live page's server on loopback, and runs for it to show."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp

from planrunner.engine.recording.generator_health import Health
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.base import Second
from planrunner.spawn import command_of
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.web.feed.messages import PageAsks, SecondSeen
from planrunner.web.folder.past import PastRunsOfFolder
from planrunner.web.folder.plans import PlansOfFolder
from planrunner.web.folder.routes import FolderRoutes
from planrunner.web.folder.runs import FolderRuns
from planrunner.web.live.hub import LiveHub
from planrunner.web.live.live_run import LiveRun, RunSays
from planrunner.web.page_main import OneRun
from planrunner.web.server.access import PageAccess
from planrunner.web.server.application import application
from planrunner.web.server.serving import bound, serving

__all__ = ["ServedFolder", "ServedPage", "facts", "second", "served_folder", "served_page"]

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
                "planned_begin_s": 0.0,
                "planned_s": 60.0,
                "unit": "users",
                "can_change": True,
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


class Served:
    """A server in a thread of its own.

    Args:
        access: Who may use it.
    """

    def __init__(self, access: PageAccess) -> None:
        self.access = access
        self.loop = asyncio.get_running_loop()

    def url(self, path: str = "") -> str:
        return f"{self.access.origin}{self.access.base}{path}"

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Have a client that has opened the page."""
        with httpx.Client(timeout=20, trust_env=False) as client:
            page = client.get(self.access.url)
            assert page.status_code == 200
            assert f'url={self.access.base}"' in page.text
            client.headers["origin"] = self.access.origin
            yield client


class ServedPage(Served):
    """The page of one run.

    Attributes:
        asked: What viewers asked of the run.
    """

    def __init__(self, access: PageAccess) -> None:
        super().__init__(access)
        self.hub = LiveHub(LiveRun(facts()))
        self.asked: list[PageAsks] = []

    def app(self) -> ASGIApp:
        return application(self.access, OneRun(self.hub, self.asked.append))

    async def close(self) -> None:
        """There is nothing to end."""

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


class ServedFolder(Served):
    """The page of a folder."""

    def __init__(self, access: PageAccess, folder: Path, *, no_exec: bool) -> None:
        super().__init__(access)
        self._plans = PlansOfFolder(folder, os.environ, no_exec=no_exec)
        self._past = PastRunsOfFolder(self._plans.reports)
        command = partial(command_of, "planrunner.cli.live.run_main")
        self._runs = FolderRuns(self._plans, self._past, command)

    def app(self) -> ASGIApp:
        routes = FolderRoutes(self._plans, self._past, self._runs).routes()
        return application(self.access, self._runs, routes)

    async def close(self) -> None:
        """End what runs."""
        await self._runs.close(at_once=True)


AnyServed = TypeVar("AnyServed", ServedPage, ServedFolder)


def served_page() -> AbstractContextManager[ServedPage]:
    """Serve a run that is about to begin."""
    return _served(ServedPage)


def served_folder(folder: Path, *, no_exec: bool = False) -> AbstractContextManager[ServedFolder]:
    """Serve the plans of a folder."""
    return _served(lambda access: ServedFolder(access, folder, no_exec=no_exec))


@contextmanager
def _served(make: Callable[[PageAccess], AnyServed]) -> Iterator[AnyServed]:
    ready: Future[AnyServed] = Future()
    ended = asyncio.Event()

    async def serve() -> None:
        listening = bound("127.0.0.1", 0)
        page = make(PageAccess("127.0.0.1", listening.getsockname()[1]))
        async with serving(listening, page.app()):
            ready.set_result(page)
            await ended.wait()
            await page.close()

    thread = threading.Thread(target=_run, args=(serve, ready))
    thread.start()
    page = ready.result(20)
    try:
        yield page
    finally:
        page.loop.call_soon_threadsafe(ended.set)
        thread.join(20)


def _run(serve: Callable[[], Any], ready: Future[Any]) -> None:
    try:
        asyncio.run(serve())
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise
