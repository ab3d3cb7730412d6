"""Idle users of the open model: given an arrival while their tasks stay asleep."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from unittest.mock import patch

from planrunner.clock import Wakeable
from planrunner.engine.load_models.blocks import once_timeline
from planrunner.engine.scheduling.arrival_queue import ArrivalQueue, Seat
from planrunner.engine.scheduling.dealing import Dealing
from planrunner.engine.scheduling.driving import driven
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.lateness import Punctuality


def test_an_arrival_does_not_wake_the_task_of_its_user() -> None:
    async def run() -> None:
        loop, queue, seat = asyncio.get_running_loop(), ArrivalQueue(), Seat()
        given: list[int] = []
        context = copy_context()

        async def user() -> None:
            while due_ns := await queue.next(seat):
                given.append(due_ns)

        task = loop.create_task(driven(user, context), context=context)
        await asyncio.sleep(0)
        made = 0
        make = loop.create_future

        def counted() -> asyncio.Future[None]:
            nonlocal made
            made += 1
            return make()

        loop.create_future = counted  # type: ignore[method-assign]
        for due_ns in range(1, 6):
            assert queue.give(due_ns)
            assert not queue.give(9)  # nobody is idle
            await asyncio.sleep(0)
        queue.close()
        await task
        assert (given, made) == ([1, 2, 3, 4, 5], 0)

    asyncio.run(run())


def test_what_a_user_was_given_before_it_was_cancelled_is_known() -> None:
    async def run(*, first: int) -> bool:
        queue, seat = ArrivalQueue(), Seat()
        context = copy_context()
        task = asyncio.get_running_loop().create_task(
            driven(lambda: queue.next(seat), context), context=context
        )
        await asyncio.sleep(0)
        assert not first or queue.give(first)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert not queue.give(9)
        return seat.was_given

    assert asyncio.run(run(first=5))
    assert not asyncio.run(run(first=0))


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time_ns, self.due_ns = 1_000, 0
        self.waiter: Wakeable | None = None

    def now_ns(self) -> int:
        return self.time_ns

    def wake(self, waiter: Wakeable, due_ns: int) -> None:
        self.waiter, self.due_ns = waiter, due_ns

    async def sleep_until(self, due_ns: int) -> None:
        raise NotImplementedError

    def ring(self) -> None:
        """Wake who waits, a little late."""
        self.time_ns = self.due_ns + 7
        assert self.waiter is not None
        self.waiter.set_result(None)


async def _given_by_a_timer() -> tuple[list[int], list[int]]:
    """Give arrivals to one user while the loop does nothing; returns theirs and how late."""
    loop, queue, seat, clock = asyncio.get_running_loop(), ArrivalQueue(), Seat(), HandClock()
    given: list[int] = []
    context = copy_context()

    async def user() -> None:
        while due_ns := await queue.next(seat):
            given.append(due_ns)

    task = loop.create_task(driven(user, context), context=context)
    await asyncio.sleep(0)
    punctual = Punctuality(once_timeline("main", 0))
    dealing = Dealing(
        ((due_ns, 0) for due_ns in (2_000, 3_000, 4_000)),
        clock=clock,
        sleeper=InterruptibleSleep(clock),
        queues=[queue],
        starts=lambda _position, _due_ns: False,
        punctual=punctual,
    )
    dealing.go_on()
    rung = loop.create_future()

    def ring() -> None:
        with patch.object(loop, "call_soon"), patch.object(loop, "create_future"):
            while not dealing.is_over:
                clock.ring()
        rung.set_result(None)

    loop.call_soon(ring)
    await rung
    queue.close()
    await task
    return given, punctual.lateness_ns


def test_an_idle_user_has_its_arrival_in_the_call_of_the_timer() -> None:
    """No turn of the loop, no future, no task: each would make it late, and dear."""
    assert asyncio.run(_given_by_a_timer()) == ([2_000, 3_000, 4_000], [7, 7, 7])
