"""Checking plans while they are typed: a little after the last key, away from the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final, Generic, TypeVar

from planrunner.compiler.checked import Examined
from planrunner.language.pausing import asked_by_computation
from planrunner.values import dataclass

__all__ = ["Checking", "OutdatedCheck", "PlanCheck", "TypedPlan"]

PlanCheck = Callable[[Path, str], Examined]
"""Says what is wrong with a text that a file would have; runs nothing of it."""

_PAUSE_S: Final = 0.05
_MOST_WAITING_S: Final = 0.2
"""How long a check waits for questions, in all: then it takes turns with them."""

T = TypeVar("T")


class OutdatedCheck(Exception):  # noqa: N818 - nobody's fault
    """There is a newer text."""


@dataclass(frozen=True, slots=True)
class TypedPlan:
    """What an editor has of a plan at one moment."""

    uri: str
    path: Path
    text: str
    version: int | None = None


class Checking(Generic[T]):
    """Checks the newest text of each plan; what was found in an older one is dropped.

    Args:
        check: What checks a text, in a thread.
        tell: Called on the event loop with what was found.
        fail: Called with an error that no plan should cause.
    """

    def __init__(
        self,
        check: Callable[[TypedPlan], T],
        tell: Callable[[TypedPlan, T], None],
        fail: Callable[[TypedPlan, Exception], None],
    ) -> None:
        self._check, self._tell, self._fail = check, tell, fail
        self._thread = ThreadPoolExecutor(1, "check")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._newest: dict[str, TypedPlan] = {}
        self._questions = 0
        self._has_none = Event()
        self._has_none.set()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let checks wait while a question is answered in a block of the event loop."""
        self._questions += 1
        self._has_none.clear()
        try:
            yield
        finally:
            self._questions -= 1
            if not self._questions:
                self._has_none.set()

    def submit(self, work: Callable[[], object]) -> Future[object]:
        """Do something in the thread of checks, before those that begin later."""
        return self._thread.submit(work)

    def begin(self, plan: TypedPlan, *, pause_s: float = _PAUSE_S) -> None:
        """Check a text when the typing has paused."""
        self.drop(plan.uri)
        self._newest[plan.uri] = plan
        task = asyncio.get_running_loop().create_task(self._run(plan, pause_s))
        self._tasks[plan.uri] = task

    def drop(self, uri: str) -> None:
        """Forget the check of a plan, whether it has begun or not."""
        self._newest.pop(uri, None)
        if task := self._tasks.pop(uri, None):
            task.cancel()

    def close(self) -> None:
        """Begin nothing more."""
        self._newest.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, plan: TypedPlan, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        loop = asyncio.get_running_loop()

        try:
            found = await loop.run_in_executor(self._thread, self._checked, plan)
        except OutdatedCheck:
            return
        except Exception as error:  # noqa: BLE001 - the server goes on, whatever a text causes
            self._fail(plan, error)
        else:
            self._tell(plan, found)

    def _checked(self, plan: TypedPlan) -> T:
        """Check a text, unless there is a newer one, and while there is no question."""
        until = time.monotonic() + _MOST_WAITING_S

        def answer() -> None:
            if self._newest.get(plan.uri) is not plan:
                raise OutdatedCheck
            if not self._has_none.is_set():
                self._has_none.wait(max(0.0, until - time.monotonic()))

        with asked_by_computation(answer):
            return self._check(plan)
