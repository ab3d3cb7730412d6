"""Calls a function of the plan as a step: what it raises is a failure of its task."""

from __future__ import annotations

import asyncio
import traceback
from typing import Final

from planrunner.engine.steps.functions.places import FunctionPlace
from planrunner.engine.steps.functions.user import EVENTS, CallOver, FunctionUser, TaskFailed
from planrunner.engine.steps.step_failures import StepFailures
from planrunner.engine.users.user_context import Actor, Step
from planrunner.errors import PlanrunnerError
from planrunner.graph.function_steps import FunctionNode
from planrunner.protocols.base import CUT, FailureKind

__all__ = ["bind_function"]

_ERROR: Final = FailureKind.ERROR
_OVER: Final = CallOver()


def bind_function(node: FunctionNode, place: FunctionPlace, failures: StepFailures) -> Step:
    function, name = node.function, node.name

    async def call(user: Actor) -> None:
        given = FunctionUser(user, place)
        began_ns = user.clock.now_ns()
        failed, is_cut = "", False
        try:
            await given.drive(function(given))
        except BaseException as error:  # the boundary: it is code of the plan's author
            if is_cut := _is_cut(error):
                raise
            failed = _words(name, error, function)
        finally:
            if given.asked or given.lanes or given.patience:
                await given.finish(cut=is_cut)
            event, given.event = given.event, _OVER
        if event is not None:
            raise event
        if not failed and given.asked != given.begun:
            count = given.asked - given.begun
            failed = f"`{name}` did not await {count} of its requests, so they were not sent"
        if failed:
            raise failures.failed(user, failed, kind=_ERROR, began_ns=began_ns)
        user.moment_ns = user.clock.now_ns()

    return call


def _is_cut(error: BaseException) -> bool:
    """Say whether somebody ends the user, and it is not the function that fails."""
    if isinstance(error, asyncio.CancelledError):  # which is raised of a cancelled future as well
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0 or CUT in error.args
    return isinstance(error, GeneratorExit | KeyboardInterrupt)


def _words(name: str, error: BaseException, function: object) -> str:
    """Return what went wrong in a function, and on which of its lines."""
    while isinstance(error, BaseExceptionGroup):  # the first of them says enough
        error = error.exceptions[0]
    if isinstance(error, EVENTS):
        return ""
    if isinstance(error, TaskFailed):
        return str(error)
    if isinstance(error, PlanrunnerError):
        said = f"{error.message}; {error.hint}" if error.hint else error.message
        return f"`{name}`{_line(error, function)}: {said}"
    return f"`{name}` raised {_told(error)}{_line(error, function)}"


def _told(error: BaseException) -> str:
    try:
        said = str(error)
        return f"{type(error).__name__}: {said}" if said else type(error).__name__
    except Exception:  # noqa: BLE001 - its own `__str__` is code of the plan's author too
        return type(error).__name__


def _line(error: BaseException, function: object) -> str:
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f" (line {lines[-1]})" if lines else ""
