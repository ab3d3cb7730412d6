"""Driven coroutines: to what runs in them there is no difference to a task of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar, copy_context
from types import coroutine
from typing import Any

import pytest

from planrunner.engine.scheduling.driving import AS_TASK, InPlace, driven
from planrunner.wire_wait import WireWait, outcome_of

_named: ContextVar[str] = ContextVar("named")

Work = Callable[[], Coroutine[Any, Any, Any]]


def start(work: Work, *, is_driven: bool) -> asyncio.Task[Any]:
    context = copy_context()

    async def run() -> Any:
        return await (driven(work, context) if is_driven else work())

    return asyncio.get_running_loop().create_task(run(), context=context)


async def turns(count: int = 4) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def check(scenario: Callable[[Callable[[Work], asyncio.Task[Any]]], Awaitable[None]]) -> None:
    """Run it with a driven coroutine, and with a plain task, of which the same is true."""
    for is_driven in (True, False):

        async def run(is_driven: bool = is_driven) -> None:  # noqa: FBT001 - of the loop
            await scenario(lambda work: start(work, is_driven=is_driven))

        asyncio.run(run())


def test_a_driven_coroutine_goes_on_before_the_wait_s_end_returns() -> None:
    """That is what driving is for: no turn of the loop between the bytes and the next request."""
    heard: list[int] = []

    async def run() -> None:
        wait: WireWait[int] = WireWait()

        async def work() -> None:
            for _ in range(3):
                wait.begin()
                heard.append(await outcome_of(wait))

        task = start(work, is_driven=True)
        await turns()
        for number in range(3):
            asyncio.get_running_loop().call_soon(wait.end, number)
            await asyncio.sleep(0)
            assert heard == list(range(number + 1))
        await task

    asyncio.run(run())


def test_what_ends_before_it_is_awaited_is_not_waited_for() -> None:
    """A reply may come while its request is still being written."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        wait: WireWait[str] = WireWait()

        async def work() -> str:
            wait.begin()
            wait.end("early")
            return await outcome_of(wait)

        assert await begin(work) == "early"

    check(scenario)


def test_the_task_and_its_context_are_there_in_every_step() -> None:
    """`asyncio.timeout`, task groups and context variables need them."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        wait: WireWait[None] = WireWait()
        seen: list[object] = []

        async def work() -> None:
            token = _named.set("first")
            wait.begin()
            await outcome_of(wait)
            seen.extend((asyncio.current_task(), _named.get()))
            _named.reset(token)
            await asyncio.sleep(0)
            seen.extend((asyncio.current_task(), _named.get("none")))

        task = begin(work)
        await turns()
        asyncio.get_running_loop().call_soon(wait.end, None)
        await task
        assert seen == [task, "first", task, "none"]

    check(scenario)


def test_a_wait_that_a_task_ends_goes_on_in_the_loop_s_next_turn() -> None:
    """A sweep for deadlines is a task: it is not interrupted by what its failures go on to."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        wait: WireWait[str] = WireWait()
        seen: list[str] = []

        async def work() -> None:
            wait.begin()
            seen.append(await outcome_of(wait))

        task = begin(work)
        await turns()
        wait.end("late")
        assert seen == []
        await task
        assert seen == ["late"]

    check(scenario)


@pytest.mark.parametrize("ends_first", [False, True], ids=["cancelled", "ended in the same turn"])
def test_a_cancelled_wait_raises_and_its_object_serves_the_next(ends_first: bool) -> None:  # noqa: FBT001
    """A cancellation that comes before the wait's end wins, in the same turn of the loop too."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        wait: WireWait[int] = WireWait()
        seen: list[object] = []

        async def work() -> int:
            wait.begin()
            try:
                seen.append(await outcome_of(wait))
            except asyncio.CancelledError:
                seen.append("cut")
            wait.begin()
            return await outcome_of(wait)

        task = begin(work)
        await turns()
        task.cancel()
        if ends_first and wait.is_pending:
            wait.end(1)
        await turns()
        assert seen == ["cut"]
        assert wait.is_pending
        asyncio.get_running_loop().call_soon(wait.end, 2)
        assert await task == 2

    check(scenario)


def test_a_timeout_ends_what_a_driven_coroutine_waits_for() -> None:
    """A wait, and a future to which it has gone on from a wait."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        wait: WireWait[None] = WireWait()

        async def work() -> str:
            wait.begin()
            with suppress(TimeoutError):
                async with asyncio.timeout(0):
                    await outcome_of(wait)
            wait.begin()
            await outcome_of(wait)
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
            return "never"

        task = begin(work)
        await turns(8)
        asyncio.get_running_loop().call_soon(wait.end, None)
        with pytest.raises(TimeoutError):
            await task
        assert not task.cancelling()

    check(scenario)


def test_what_a_waking_coroutine_waits_for_is_cancelled_with_it() -> None:
    """Between its step and the task's next one, a cancellation reaches the inner task."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        loop = asyncio.get_running_loop()
        wait: WireWait[None] = WireWait()
        inner = loop.create_task(asyncio.sleep(3600))

        async def work() -> None:
            wait.begin()
            await outcome_of(wait)
            await inner

        task = begin(work)
        await turns()

        def end_and_cancel() -> None:
            wait.end(None)
            loop.call_soon(task.cancel)

        loop.call_soon(end_and_cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert inner.cancelled()

    check(scenario)


def test_an_error_in_a_step_is_the_task_s() -> None:
    """Nothing of it gets into the callback that brought the bytes."""

    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        wait: WireWait[None] = WireWait()

        async def work() -> None:
            wait.begin()
            await outcome_of(wait)
            raise LookupError("ours")

        task = begin(work)
        await turns()
        asyncio.get_running_loop().call_soon(wait.end, None)
        with pytest.raises(LookupError, match="ours"):
            await task

    check(scenario)


class _Sender:
    """A session that returns its wait for what it has sent."""

    def __init__(self) -> None:
        self.wait: WireWait[str | None] = WireWait(self, "plain")
        self.left = 0

    def go_on(self, outcome: str) -> Awaitable[str] | None:
        return None if outcome == "at once" else self._more(outcome)

    async def _more(self, outcome: str) -> str:
        await asyncio.sleep(0)
        return f"more: {outcome}"

    def let_go(self) -> None:
        self.left += 1


@pytest.mark.parametrize(
    ("outcome", "reply"), [(None, "plain"), ("at once", "plain"), ("late", "more: late")]
)
def test_a_wait_that_is_awaited_gives_the_reply_of_its_sender(
    outcome: str | None, reply: str
) -> None:
    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        sender = _Sender()

        async def work() -> object:
            sender.wait.begin()
            return await sender.wait

        task = begin(work)
        await turns()
        asyncio.get_running_loop().call_soon(sender.wait.end, outcome)
        assert await task == reply
        assert sender.left == 0

    check(scenario)


def test_the_sender_of_a_wait_lets_go_of_it_when_its_waiter_is_cancelled() -> None:
    async def scenario(begin: Callable[[Work], asyncio.Task[Any]]) -> None:
        sender = _Sender()

        async def work() -> object:
            sender.wait.begin()
            return await sender.wait

        task = begin(work)
        await turns()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert (sender.left, sender.wait.is_pending) == (1, False)

    check(scenario)


def _in_place() -> tuple[InPlace, WireWait[None]]:
    user, wait = InPlace(), WireWait[None]()
    user.wait = wait
    return user, wait


def test_who_waits_in_place_is_the_task_only_when_it_asks_for_that() -> None:
    """In the context it is all the time; what is awaited needs the task."""
    seen: list[object] = []

    async def run() -> None:
        user, wait = _in_place()

        @coroutine
        def work() -> Generator[Any, None, str]:
            token = _named.set("ours")
            for _ in range(2):
                wait.begin()
                yield user
                seen.extend((asyncio.current_task(), _named.get()))
                yield AS_TASK
                seen.append(asyncio.current_task())
                yield from asyncio.wait_for(asyncio.sleep(0), 1).__await__()
            _named.reset(token)
            return "over"

        task = start(work, is_driven=True)
        for _ in range(2):
            await turns()
            asyncio.get_running_loop().call_soon(wait.end, None)
        assert await task == "over"
        assert seen == [None, "ours", task] * 2

    asyncio.run(run())


@pytest.mark.parametrize("ends_first", [False, True], ids=["cancelled", "ended in the same turn"])
def test_who_waits_in_place_is_cancelled_once_and_can_wait_again(ends_first: bool) -> None:  # noqa: FBT001
    async def run() -> None:
        user, wait = _in_place()
        seen: list[str] = []

        @coroutine
        def work() -> Generator[Any, None, None]:
            wait.begin()
            try:
                yield user
                seen.append("went on")
            except asyncio.CancelledError:
                seen.append("cut")
            wait.begin()
            yield user

        task = start(work, is_driven=True)
        await turns()
        task.cancel()
        if ends_first:
            asyncio.get_running_loop().call_soon(wait.end, None)
        await turns()
        assert seen == ["cut"]
        asyncio.get_running_loop().call_soon(wait.end, None)
        await task

    asyncio.run(run())


def test_a_step_in_place_that_cancels_its_own_task_ends_with_the_next_wait() -> None:
    async def run() -> None:
        user, wait = _in_place()

        @coroutine
        def work() -> Generator[Any, None, None]:
            wait.begin()
            yield user
            task.cancel()
            wait.begin()
            yield user

        task = start(work, is_driven=True)
        await turns()
        asyncio.get_running_loop().call_soon(wait.end, None)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_an_error_of_who_waits_in_place_is_the_task_s() -> None:
    async def run() -> None:
        user, wait = _in_place()

        @coroutine
        def work() -> Generator[Any, None, None]:
            wait.begin()
            yield user
            raise LookupError("ours")

        task = start(work, is_driven=True)
        await turns()
        asyncio.get_running_loop().call_soon(wait.end, None)
        with pytest.raises(LookupError, match="ours"):
            await task

    asyncio.run(run())
