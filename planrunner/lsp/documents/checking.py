"""Checking plans while they are typed: a little after the last key, away from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from planrunner.compiler.checked import Examined
from planrunner.values import dataclass

__all__ = ["Checking", "PlanCheck", "TypedPlan"]

PlanCheck = Callable[[Path, str], Examined]
"""Says what is wrong with a text that a file would have; runs nothing of it."""

_PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class TypedPlan:
    """What an editor has of a plan at one moment."""

    uri: str
    path: Path
    text: str
    version: int | None = None


TellFound = Callable[[TypedPlan, Examined], None]


class Checking:
    """Checks the newest text of each plan; what was found in an older one is dropped.

    Args:
        check: What checks a text.
        tell: Called on the event loop with what was found.
        fail: Called with an error that no plan should cause.
    """

    def __init__(
        self, check: PlanCheck, tell: TellFound, fail: Callable[[TypedPlan, Exception], None]
    ) -> None:
        self._check, self._tell, self._fail = check, tell, fail
        self._thread = ThreadPoolExecutor(1, "check")
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, plan: TypedPlan, *, pause_s: float = _PAUSE_S) -> None:
        """Check a text when the typing has paused."""
        self.drop(plan.uri)
        task = asyncio.get_running_loop().create_task(self._run(plan, pause_s))
        self._tasks[plan.uri] = task

    def drop(self, uri: str) -> None:
        """Forget the check of a plan, whether it has begun or not."""
        if task := self._tasks.pop(uri, None):
            task.cancel()

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, plan: TypedPlan, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        loop = asyncio.get_running_loop()
        try:
            checked = await loop.run_in_executor(self._thread, self._check, plan.path, plan.text)
        except Exception as error:  # noqa: BLE001 - the server goes on, whatever a text causes
            self._fail(plan, error)
        else:
            self._tell(plan, checked)
