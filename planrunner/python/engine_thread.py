"""The thread that a run has to itself: its event loop is nobody else's, and it gets no signal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import cached_property
from os import fspath
from typing import Final

from planrunner.engine.stop import Stop
from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.outputs.base import Output
from planrunner.process_limits import open_files
from planrunner.python.arguments import load_plan, own_outputs, request_of
from planrunner.python.faults import named_as_arguments
from planrunner.python.keywords import RunKeywords
from planrunner.python.notebook import notebook_outputs
from planrunner.python.plans import AnyPlan, Plan
from planrunner.python.results.result import Result
from planrunner.results.model import RunResult
from planrunner.runner.api import run
from planrunner.runner.event_loop import OWN_DESCRIPTORS, run_on_fast_loop
from planrunner.runner.request import PreparedRun, prepare

__all__ = ["EngineThread"]

_LEFT_S: Final = 1
_PATIENCE: Final = 3
"""Interrupts: the first ends the run gracefully, the second at once, the third its caller."""

_LOOK_S: Final = 0.5
"""Between two looks for a signal: one that comes just before a thread waits doesn't wake it."""


class EngineThread:
    """One run, from reading its plan to writing its reports; it begins at once.

    The thread doesn't keep a process alive that wants to end.

    Args:
        plan: The file of a plan, or a `Plan`.
        keywords: Those of the call.
        outputs: What receives the run; None for progress if this is a notebook.

    Attributes:
        ended: Its result, or why there is none.
    """

    def __init__(
        self, plan: AnyPlan, keywords: RunKeywords, outputs: Sequence[Output] | None = None
    ) -> None:
        self._plan = plan
        self._keywords = keywords
        watching = notebook_outputs() if outputs is None else outputs
        self._outputs = (*watching, *own_outputs(keywords))
        self._stop = Stop()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ended: Future[Result] = Future()
        self.ended.set_running_or_notify_cancel()
        self._thread.start()

    @cached_property
    def _thread(self) -> threading.Thread:
        return threading.Thread(target=self._work, name="planrunner", daemon=True)

    def ask_to_stop(self, reason: str) -> None:
        """Ask the run to end; gracefully at first, at once when it was asked before.

        Any thread may call it.
        """
        loop = self._loop
        if loop is None:  # it has not begun
            self._stop.request(reason)
            return
        with suppress(RuntimeError):  # the loop has closed, as all is over
            loop.call_soon_threadsafe(self._stop.request, reason)

    def result(self) -> Result:
        """Wait for the end, and return the result.

        Raises:
            KeyboardInterrupt: When the run has ended because of it.
            PlanrunnerError: There is no result.
        """
        interrupts: list[KeyboardInterrupt] = []
        while len(interrupts) < _PATIENCE:
            try:
                while not self.ended.done():
                    wait([self.ended], timeout=_LOOK_S)
                result = self.ended.result()
            except KeyboardInterrupt as interrupt:
                interrupts.append(interrupt)
                self.ask_to_stop("interrupted")
            except PlanrunnerError:
                if interrupts:
                    raise interrupts[0] from None
                raise
            else:
                if not interrupts:
                    return result
                interrupts[0].add_note(f"the run was ended; its reports are in {result.directory}")
                break
        raise interrupts[0]

    def _work(self) -> None:
        try:
            result = run_on_fast_loop(self._run())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            if not self.ended.done():
                self.ended.set_exception(error)
        else:
            if not self.ended.done():
                self.ended.set_result(result)

    async def _run(self) -> Result:
        self._loop = asyncio.get_running_loop()
        with named_as_arguments():
            prepared = self._prepared()
            _need_descriptors(prepared)
            found: RunResult = await run(prepared, self._outputs)
        result = Result(found, prepared.directory.absolute())
        if await _has_endless():
            self.ended.set_result(result)  # as the loop will never close
        return result

    def _prepared(self) -> PreparedRun:
        plan, keywords = self._plan, self._keywords
        if not isinstance(plan, Plan):
            checked = load_plan(fspath(plan), keywords, need_secrets=True)
            return prepare(request_of(checked, keywords, self._stop))
        with plan.source.named():
            checked = plan.source.checked(keywords, need_secrets=True)
            return prepare(request_of(checked, keywords, self._stop))


async def _has_endless() -> bool:
    """Cancel what functions of the plan have left behind; say whether some of it goes on."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    return bool(others and (await asyncio.wait(others, timeout=_LEFT_S))[1])


def _need_descriptors(prepared: PreparedRun) -> None:
    """Refuse more users than the process may have connections; the limit is the caller's to raise.

    Raises:
        CannotRun: There are.
    """
    users = prepared.compiled.most_connections
    wanted, (soft, _) = users + OWN_DESCRIPTORS, open_files()
    if soft and wanted > soft:
        raise CannotRun(
            f"{users:,} users need {wanted:,} open files, but this process may open {soft:,}",
            hint=f"raise the limit with `resource.setrlimit(resource.RLIMIT_NOFILE, ({wanted}, "
            f"{wanted}))` or `ulimit -n {wanted}`, or run fewer users",
        )
