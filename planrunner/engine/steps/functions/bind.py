"""Calls a function of the plan as a step: what it raises is a failure of its task."""

from __future__ import annotations

import asyncio
import traceback
from typing import Final

from planrunner.engine.steps.functions.places import FunctionPlace
from planrunner.engine.steps.functions.user import EVENTS, FunctionUser, TaskFailed
from planrunner.engine.steps.step_failures import StepFailures
from planrunner.engine.users.user_context import Actor, Step
from planrunner.errors import PlanrunnerError
from planrunner.graph.function_steps import FunctionNode
from planrunner.protocols.base import FailureKind

__all__ = ["bind_function"]

_ERROR: Final = FailureKind.ERROR


def bind_function(node: FunctionNode, place: FunctionPlace, failures: StepFailures) -> Step:
    function, name = node.function, node.name

    async def call(user: Actor) -> None:
        given = FunctionUser(user, place)
        now = user.clock.now_ns
        began_ns = now()
        failed = ""
        is_cut = True
        try:
            await given.drive(function(given))
            is_cut = False
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: it is code of the plan's author
            is_cut = False
            failed = _words(name, error, function)
        finally:
            if given.asked != given.begun or given.lanes is not None:
                await given.finish(cut=is_cut)
        if given.event is not None:
            raise given.event
        if not failed and given.asked != given.begun:
            count = given.asked - given.begun
            failed = f"`{name}` did not await {count} of its requests, so they were not sent"
        if failed:
            raise failures.failed(user, failed, kind=_ERROR, began_ns=began_ns)
        user.moment_ns = now()

    return call


def _words(name: str, error: Exception, function: object) -> str:
    """Return what went wrong in a function, and on which of its lines."""
    if isinstance(error, EVENTS):
        return ""
    if isinstance(error, TaskFailed):
        return str(error)
    if isinstance(error, PlanrunnerError):
        said = f"{error.message}; {error.hint}" if error.hint else error.message
        return f"`{name}`{_line(error, function)}: {said}"
    return f"`{name}` raised {_told(error)}{_line(error, function)}"


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its own `__str__` is code of the plan's author too
        return type(error).__name__


def _line(error: Exception, function: object) -> str:
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f" (line {lines[-1]})" if lines else ""
