"""Awaiting what a function returned, and seeing how long it holds the event loop at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from types import coroutine
from typing import Any, Final

from planrunner.units import NS_PER_MS

__all__ = ["SHORT_NS", "watched"]

SHORT_NS: Final = 5 * NS_PER_MS
"""What a call in the loop may take before others notice."""


@coroutine
def watched(
    work: Awaitable[object], now: Callable[[], int], note: Callable[[int], None]
) -> Generator[Any, Any, object]:
    """Await something; `note` gets each time between two waits that others would notice."""
    steps: Any = work.__await__()
    step: Callable[..., Any] = steps.__next__
    given: tuple[Any, ...] = ()
    while True:
        began_ns = now()
        try:
            waited = step(*given)
        except StopIteration as end:
            return end.value
        finally:
            took_ns = now() - began_ns
            if took_ns > SHORT_NS:
                note(took_ns)
        try:
            step, given = steps.send, ((yield waited),)
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:  # noqa: BLE001 - a cancellation is the function's
            step, given = steps.throw, (error,)
