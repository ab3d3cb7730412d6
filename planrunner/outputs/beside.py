"""What blocks, beside the event loop of the load."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["beside"]

T = TypeVar("T")


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
