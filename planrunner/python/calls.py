"""Running a plan from Python: `run` waits for the end, `run_async` awaits it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from planrunner.python.arguments import check_keywords
from planrunner.python.engine_thread import EngineThread
from planrunner.python.keywords import RunKeywords
from planrunner.python.plans import AnyPlan
from planrunner.python.results.result import Result

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["awaited", "run", "run_async"]


def run(plan: AnyPlan, **keywords: Unpack[RunKeywords]) -> Result:
    """Run a plan to its end, write its reports, and return its result.

    A failed threshold is not an exception: see `Result.passed`.
    It also works inside a running event loop, which stands still meanwhile; `run_async` does not
    hold it up. The run has a thread of its own, prints nothing and handles no signal.

    Ctrl-C ends the run gracefully, its reports are written, and `KeyboardInterrupt` goes on from
    here; the second one cuts running iterations, and the third one doesn't wait for anything.

    Args:
        plan: The file of a plan, or a `Plan`.
        **keywords: As for `planrunner execute`.

    Raises:
        PlanError: The plan or a value for it is invalid; `diagnostics` has every fault.
        UsageError: An argument can't be.
        PackageMissing: The plan needs an extra that is not installed.
        CannotRun: The target, a service or the report directory is not ready.
        ResultLost: The run has ended, and its result can't be written.

    Example:
        >>> result = planrunner.run("shop.yaml", params={"users": 5})
        >>> result.passed, result.requests["GET /products"].count
        (True, 60)
    """
    check_keywords("run", keywords, RunKeywords)
    return EngineThread(plan, keywords).result()


async def run_async(plan: AnyPlan, **keywords: Unpack[RunKeywords]) -> Result:
    """Run a plan as `run` does, without holding up the event loop.

    The run has an event loop in a thread of its own, so neither disturbs the other's tasks.
    When the call is cancelled, or its timeout is over, the run ends gracefully and writes its
    reports before the cancellation goes on; a second one cuts running iterations.

    Args:
        plan: The file of a plan, or a `Plan`.
        **keywords: As for `planrunner execute`.

    Raises:
        PlanError: As `run`, and so for all that follow.
        UsageError: An argument can't be.
        PackageMissing: The plan needs an extra that is not installed.
        CannotRun: The target, a service or the report directory is not ready.
        ResultLost: The run has ended, and its result can't be written.

    Example:
        >>> asyncio.run(planrunner.run_async("shop.yaml", seed=3)).total.count
        60
    """
    check_keywords("run_async", keywords, RunKeywords)
    return await awaited(EngineThread(plan, keywords))


async def awaited(thread: EngineThread) -> Result:
    """Return the result of a run when it is there; end the run when the caller is cancelled."""
    ended = asyncio.wrap_future(thread.ended)
    cancelled: asyncio.CancelledError | None = None
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
            thread.ask_to_stop("the caller was cancelled")
    if cancelled is not None:
        ended.exception()  # it was asked for, so that nobody hears of it
        raise cancelled
    return ended.result()
