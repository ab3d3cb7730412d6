"""How long a function may go on after it was cancelled: to clean up, and no longer."""

from __future__ import annotations

import asyncio
from typing import Any, Final

__all__ = ["Patience"]

_SECONDS: Final = 1


class Patience:
    """From the first cancellation of a function on.

    A timeout within the function cancels it too, and takes that back when it has been noticed.
    """

    __slots__ = ("_has_run_out", "_task", "_timer")

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # it runs
        self._task: asyncio.Task[Any] = task
        self._timer: asyncio.TimerHandle | None = None
        self._has_run_out = False

    def is_over(self) -> bool:
        """Say so at each cancellation."""
        if self._has_run_out:
            return True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._run_out)
        return False

    def end(self) -> None:
        """The function has ended by itself."""
        if self._timer is not None:
            self._timer.cancel()
        if self._has_run_out:
            self._task.uncancel()

    def _run_out(self) -> None:
        self._timer = None
        if self._task.cancelling():
            self._has_run_out = True
            self._task.cancel()
