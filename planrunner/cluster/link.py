"""The coordinator's end of the conversation with one agent.

| what happens            | is noticed   | and then                                              |
|-------------------------|--------------|-------------------------------------------------------|
| a call fails            | at once      | it is made again: first at once, as what waits to be  |
|                         |              | delivered may be when a phase begins                  |
| a call isn't answered   | after 3 s    | the same                                              |
| the agent's process     | at once      | its workers have ended                                |
| ends                    |              |                                                       |
| no beat is answered     | after 10 s   | its workers have ended: by themselves 15 s after the  |
| for 10 s                |              | last beat, if they can't hear it                      |
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from planrunner.cluster.agent import AgentCalls
from planrunner.cluster.clock_offsets import (
    EXCHANGE_EVERY_NS,
    FIRST_EXCHANGES,
    ClockEstimate,
    ClockExchange,
)
from planrunner.cluster.host_facts import HostFacts
from planrunner.cluster.parcels import Inbox, Outbox, Parcel
from planrunner.engine.scheduling.timeline import FOREVER_NS
from planrunner.engine.workers.codec import MessageCodec
from planrunner.engine.workers.messages import Shift, Start, StillHere
from planrunner.engine.workers.worker_state import ClockFacts
from planrunner.errors import CannotRun
from planrunner.units import NS_PER_S

__all__ = ["HostLost", "Link", "LinkTransport", "ended", "link_to"]

T = TypeVar("T")

_BEAT_S: Final = EXCHANGE_EVERY_NS / NS_PER_S
_CALL_S: Final = 3.0
_SILENT_S: Final = 10.0
_PAUSE_S: Final = 0.2
_FIRST_PAUSE_S: Final = 0.01
_MOST_WAITING: Final = 64 << 20
_MOST_BUNDLED: Final = 4 << 20


class HostLost(Exception):  # noqa: N818 - what became of it
    """The process of an agent has ended, and with it whatever it had."""


class LinkTransport:
    """One worker's messages over the link of its host, as a `Transport`.

    Attributes:
        folder: Where the worker writes its samples; empty for where everybody does.
    """

    def __init__(self, worker: int, post: Callable[[Parcel], None]) -> None:
        self.folder = ""
        self._worker = worker
        self._post = post
        self._codec = MessageCodec()
        self._heard: asyncio.Queue[Parcel] = asyncio.Queue()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def send(self, message: object) -> None:
        if self._ended.done():
            return
        if isinstance(message, Start) and message.samples is not None and self.folder:
            path = Path(self.folder, message.samples.path.name)
            message = replace(message, samples=replace(message.samples, path=path))
        self._post(Parcel(self._worker, self._codec.dumps(message)))

    async def receive(self) -> object:
        parcel = await self._heard.get()
        if parcel.data is None:
            self._heard.put_nowait(parcel)  # for whoever asks again
            raise EOFError
        return self._codec.loads(parcel.data)

    def heard(self, parcel: Parcel) -> None:
        """Take what the worker said, or that it has ended."""
        if self._ended.done():
            return
        if parcel.data is None:
            self._ended.set_result(parcel.fate)
        self._heard.put_nowait(parcel)

    async def fate(self) -> str:
        """Return how the worker ended, when it has."""
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Nothing is its own."""


class Link:
    """Calls one agent: hands over what is posted, takes what comes, and keeps it alive.

    Attributes:
        facts: Of the host.
        clock: What is known of its clock; None where it is the coordinator's own.
        heard_ns: When it last answered (clock time).
        shortest_ns: The shortest round trip so far.
        lost: Why nothing can be heard of it any more; empty while it can.
    """

    def __init__(
        self, agent: AgentCalls, facts: HostFacts, *, here: HostFacts, now_ns: Callable[[], int]
    ) -> None:
        self.agent = agent
        self.facts = facts
        self.clock = None if facts.has_clock_of(here) else ClockEstimate()
        self.heard_ns = now_ns()
        self.shortest_ns = FOREVER_NS
        self.lost = ""
        self._now_ns = now_ns
        self._outbox = Outbox(_MOST_WAITING)
        self._inbox = Inbox()
        self._transports: dict[int, LinkTransport] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Find out about its clock, and begin to talk.

        Raises:
            CannotRun: It can't be reached.
        """
        for _ in range(FIRST_EXCHANGES):
            await self._again(self._beat)
        loop = asyncio.get_running_loop()
        self._tasks = {
            loop.create_task(self._until_lost(work))
            for work in (self._send, self._collect, self._beats)
        }

    def transport(self, worker: int) -> LinkTransport:
        """Return a worker's end of the conversation."""
        if worker not in self._transports:
            made = self._transports[worker] = LinkTransport(worker, self._outbox.put)
            if self.lost:
                made.heard(Parcel(worker, None, self.lost))
        return self._transports[worker]

    @property
    def offset_ns(self) -> int | None:
        """What the host's workers have to add to their clock; None for nothing."""
        return None if self.clock is None else self.clock.offset_ns

    @property
    def clock_facts(self) -> ClockFacts:
        return ClockFacts() if self.clock is None else self.clock.facts(self._now_ns())

    async def call(
        self, ask: Callable[..., Awaitable[T]], *arguments: object, seconds: float = _CALL_S
    ) -> T:
        """Call the agent, and wait for the answer, not too long.

        Raises:
            OSError: It failed, or took too long; it may be made again.
            HostLost: It never will have an answer.
        """
        if self.lost:
            raise HostLost(self.lost)
        async with asyncio.timeout(seconds):
            return await ask(*arguments)

    async def asked(
        self, ask: Callable[..., Awaitable[T]], *arguments: object, seconds: float = _CALL_S
    ) -> T:
        """Call the agent, again and again for a while if it fails.

        Raises:
            CannotRun: There was no answer.
        """
        return await self._again(lambda: self.call(ask, *arguments, seconds=seconds))

    def kill(self, worker: int) -> None:
        """Have a worker ended at once."""
        task = asyncio.get_running_loop().create_task(self._kill(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kill(self, worker: int) -> None:
        with suppress(CannotRun):  # then it ends with its host
            await self.asked(self.agent.kill, worker)

    async def close(self) -> None:
        """End its workers; whoever waits for a word of them hears that they have ended."""
        try:
            await ended(*self._tasks)
            with suppress(OSError, TimeoutError, HostLost, CannotRun):
                await self.call(self.agent.close)
        finally:
            self._lose("was ended with the run")

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        return await _again(work, f"on {self.facts.name}", self._now_ns)

    async def _until_lost(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something again and again until the host is gone."""
        failures = 0
        while not self.lost:
            try:
                await work()
                failures = 0
            except (HostLost, CannotRun) as error:
                self._lose(str(error))
            except (OSError, TimeoutError):
                if self._now_ns() - self.heard_ns > _SILENT_S * NS_PER_S:
                    self._lose(f"could not be reached for {_SILENT_S:.0f} s")
                await _pause(failures)
                failures += 1
            except Exception as error:  # noqa: BLE001 - or nobody would ever hear of it
                self._lose(f"failed: {type(error).__name__}: {error} (a bug in planrunner)")

    def _lose(self, why: str) -> None:
        if not self.lost:
            self.lost = why
            for worker, transport in self._transports.items():
                transport.heard(Parcel(worker, None, why))

    async def _send(self) -> None:
        await self._outbox.filled(_CALL_S)
        bundled = self._outbox.bundled(_MOST_BUNDLED)
        if bundled[1]:
            self._outbox.arrived(await self.call(self.agent.deliver, bundled))

    async def _collect(self) -> None:
        for parcel in self._inbox.new(await self.call(self.agent.collect, self._inbox.taken)):
            self.transport(parcel.worker).heard(parcel)

    async def _beats(self) -> None:
        """Learn about the clock, and tell the workers what was learnt."""
        await asyncio.sleep(_BEAT_S)
        told_ns = self.offset_ns
        await self._beat()
        if (offset_ns := self.offset_ns) is not None and offset_ns != told_ns:
            self._tell_all(Shift(offset_ns))
        else:
            self._tell_all(StillHere())

    def _tell_all(self, message: object) -> None:
        for transport in self._transports.values():
            transport.send(message)

    async def _beat(self) -> None:
        sent_ns = self._now_ns()
        there_ns = await self.call(self.agent.beat)
        self.heard_ns = received_ns = self._now_ns()
        self.shortest_ns = min(self.shortest_ns, received_ns - sent_ns)
        if self.clock is not None:
            self.clock.add(ClockExchange(sent_ns, there_ns, received_ns))


async def link_to(
    agent: AgentCalls, address: str, *, here: HostFacts, now_ns: Callable[[], int]
) -> Link:
    """Find out where an agent is; return its link, which is not open yet.

    Raises:
        CannotRun: There was no answer.
    """

    async def ask() -> HostFacts:
        async with asyncio.timeout(_CALL_S):
            return await agent.facts()

    return Link(agent, await _again(ask, address, now_ns), here=here, now_ns=now_ns)


async def _again(work: Callable[[], Awaitable[T]], where: str, now_ns: Callable[[], int]) -> T:
    """Do something, again and again for a while if it fails.

    Args:
        work: What may fail.
        where: Says which Dask worker answers.
        now_ns: The coordinator's clock.

    Raises:
        CannotRun: It failed each time, or for good.
    """
    failures, until_ns = 0, now_ns() + int(_SILENT_S * NS_PER_S)
    while True:
        try:
            return await work()
        except (OSError, TimeoutError, HostLost) as error:
            if isinstance(error, HostLost) or now_ns() > until_ns:
                words = str(error) or "it does not answer"
                raise CannotRun(f"the Dask worker {where} can't be reached: {words}") from error
        await _pause(failures)
        failures += 1


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and return when they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pause(failures: int) -> None:
    """Wait before a call is made again, longer each time."""
    await asyncio.sleep(min(_FIRST_PAUSE_S * 2 ** min(failures, 9), _PAUSE_S))
