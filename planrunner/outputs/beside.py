"""What blocks, beside the event loop of the load."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, TypeVar

__all__ = ["beside", "paced"]

T = TypeVar("T")

_SLICE: Final = 20
"""Items in one go, which take whoever encodes them 0.3 ms: as long as the load may wait."""

_PAUSE_S: Final = 20e-6
"""A thread that only works has the interpreter 5 ms long; one that sleeps gives it away."""


async def beside(call: Callable[[], T]) -> T:
    """Return what a call returns that blocks; raise what it raises.

    Its thread is one that nothing waits for, so that neither a cancelled run nor the end of the
    process hangs with it.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():  # cancelled
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # it is a T if there is no error

    def work() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the call is awaited
            failure = error
        with suppress(RuntimeError):  # the loop has gone
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="planrunner-output", daemon=True).start()
    return await answer


def paced(items: Iterable[T], each: int = _SLICE) -> Iterator[T]:
    """Yield items in a thread, a few at a time, so that the load need not wait long for it."""
    for number, item in enumerate(items, 1):
        yield item
        if number % each == 0:
            time.sleep(_PAUSE_S)
