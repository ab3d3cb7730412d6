"""Idle users of the open model: given an arrival while their tasks stay asleep."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context

from planrunner.engine.scheduling.arrival_queue import ArrivalQueue, Seat
from planrunner.engine.scheduling.driving import driven


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
