"""Load for one URL without a plan: a level that is held, or steps until something breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from planrunner.errors import UsageError
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.plan.schema.quick_plan import QuickLoad, QuickRequest, quick_plan
from planrunner.python.arguments import check_keywords, rate_text, texts_of
from planrunner.python.calls import awaited
from planrunner.python.engine_thread import EngineThread
from planrunner.python.keywords import NameOrNames, RequestKeywords, RunKeywords, TimeLike
from planrunner.python.plans import Plan
from planrunner.python.results.elapsed import nanoseconds
from planrunner.python.results.result import Result
from planrunner.results.model import RunResult
from planrunner.results.record import SearchStep
from planrunner.units import write_duration

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["StressResult", "load_test", "request_test", "stress_test"]

_THRESHOLDS: Final = ("error_rate < 1%",)
_LIMITS: Final = ("error_rate < 5%", "p95 < 5s")
_KEY: Final = re.compile(r"phases\[0\]\.(?:search\.)?(\w+)")
_QUOTED: Final = re.compile(r"`(\w+)`")
_REQUEST: Final = ("method", "headers", "data", "json")


class StressResult(Result):
    """The result of `stress_test`, with the number of users at which the target broke.

    Attributes:
        levels: Each number of users that was tried, with what it came to.
        max_users_reached: The most users that were tried.
        breaking_point: The fewest users at which a threshold broke; None when nothing broke.
        broken_by: What broke there, such as `p95`; empty when nothing did.
    """

    def __init__(self, raw: RunResult, directory: Path) -> None:
        super().__init__(raw, directory)
        found = next((one for one in raw.sustainable if one.is_reached), None)
        self.levels: tuple[SearchStep, ...] = raw.search
        self.max_users_reached: int = int(max((step.level for step in raw.search), default=0))
        self.breaking_point: int | None = None if found is None else int(found.broken_at)
        self.broken_by: str = "" if found is None else found.broken_by


async def load_test(
    url: str,
    *,
    users: int | None = None,
    rate: float | str | None = None,
    duration: TimeLike = 30,
    ramp_up: TimeLike = 0,
    thresholds: NameOrNames = _THRESHOLDS,
    **keywords: Unpack[RequestKeywords],
) -> Result:
    """Send one request over and over from a number of users, or at a rate.

    Args:
        url: Where to; http or https.
        users: How many users, each of which waits for its reply; 10 without a rate.
        rate: Arrivals that wait for no reply, in place of users: a number per second, or `"50/s"`.
        duration: How long the load is held, after the ramp.
        ramp_up: How long the users take to start.
        thresholds: What must hold for `Result.passed`, as plans write it.
        **keywords: The request's method, headers and body, and how the run is made.

    Raises:
        UsageError: An argument can't be.
        PlanError: A threshold or another argument is invalid.
        CannotRun: The target or the report directory is not ready.

    Example:
        >>> url = "http://127.0.0.1:8000/products"
        >>> asyncio.run(planrunner.load_test(url, rate=20, duration=1)).passed
        True
    """
    check_keywords("load_test", keywords, RequestKeywords)
    if users is not None and rate is not None:
        hint = "users wait for each other's replies, a rate does not: keep one of them"
        raise UsageError("users and rate can't be combined", hint=hint)
    level = {"users": 10 if users is None else users} if rate is None else {"rate": rate_text(rate)}
    phase = {"name": "main", **level, "hold": _time(duration, "duration")}
    if nanoseconds(ramp_up, "ramp_up"):
        phase["ramp_up"] = _time(ramp_up, "ramp_up")
    with _named({"hold": "duration"}):
        return await awaited(_begun(url, phase, keywords, thresholds=thresholds))


async def stress_test(
    url: str,
    *,
    start_users: int = 10,
    max_users: int = 200,
    step_users: int = 10,
    step_duration: TimeLike = 30,
    thresholds: NameOrNames = _LIMITS,
    **keywords: Unpack[RequestKeywords],
) -> StressResult:
    """Send one request over and over from more and more users, until a threshold breaks.

    Args:
        url: Where to; http or https.
        start_users: The first number of users.
        max_users: The last one to try.
        step_users: How many more users each step has.
        step_duration: How long each step lasts.
        thresholds: What each step must hold, as plans write it.
        **keywords: The request's method, headers and body, and how the run is made.

    Raises:
        UsageError: An argument can't be.
        PlanError: A threshold or another argument is invalid.
        CannotRun: The target or the report directory is not ready.

    Example:
        >>> url = "http://127.0.0.1:8000/products"
        >>> stress = planrunner.stress_test(url, start_users=1, max_users=1, step_duration=1)
        >>> result = asyncio.run(stress)
        >>> result.max_users_reached, result.breaking_point
        (1, None)
    """
    check_keywords("stress_test", keywords, RequestKeywords)
    search = {
        "vary": "users",
        "from": start_users,
        "to": max_users,
        "step": step_users,
        "hold": _time(step_duration, "step_duration"),
        "slo": [*texts_of(thresholds)],
    }
    names = {"from": "start_users", "to": "max_users", "step": "step_users"}
    with _named({**names, "hold": "step_duration", "slo": "thresholds"}):
        result = await awaited(_begun(url, {"name": "stress", "search": search}, keywords))
    return StressResult(result.raw, result.directory)


async def request_test(url: str, *, requests: int, **keywords: Unpack[RequestKeywords]) -> Result:
    """Send one request a number of times, one after the other.

    Raises:
        UsageError: An argument can't be.
        PlanError: The number is invalid.
        CannotRun: The target or the report directory is not ready.
    """
    phase = {"name": "main", "users": 1, "iterations": requests}
    with _named({"iterations": "requests"}):
        return await awaited(_begun(url, phase, keywords))


def _begun(
    url: str,
    phase: Mapping[str, object],
    keywords: RequestKeywords,
    *,
    thresholds: NameOrNames = (),
) -> EngineThread:
    text = quick_plan(_request(url, keywords), QuickLoad())
    limits = [*texts_of(thresholds)]
    plan = Plan.from_yaml(text).replace(phases=[phase], thresholds=limits or None)
    plan.source = replace(plan.source, is_written_here=True)  # nobody knows its lines
    own = {name: value for name, value in keywords.items() if name not in _REQUEST}
    return EngineThread(plan, cast("RunKeywords", own))


def _request(url: str, keywords: RequestKeywords) -> QuickRequest:
    data = keywords.get("data", "")
    if "json" in keywords:
        if data:
            raise UsageError("data and json can't be combined", hint="keep one of them")
        data = json.dumps(keywords["json"], ensure_ascii=False)
    headers = tuple(f"{name}: {value}" for name, value in keywords.get("headers", {}).items())
    if "json" in keywords and not any(one.lower().startswith("content-type:") for one in headers):
        headers = (*headers, "Content-Type: application/json")
    return QuickRequest(url, keywords.get("method", ""), headers, data)


@contextmanager
def _named(names: Mapping[str, str]) -> Iterator[None]:
    """Let faults name arguments of the call where they would name keys of the phase.

    Args:
        names: Of arguments, by the keys that they become; others have the same name.
    """
    try:
        yield
    except PlanError as error:
        raise PlanError([_in_call(fault, names) for fault in error.diagnostics]) from None


def _in_call(fault: Diagnostic, names: Mapping[str, str]) -> Diagnostic:
    place = _KEY.match(fault.argument)
    if place is None:
        return fault
    hint = _QUOTED.sub(lambda key: f"`{names.get(key[1], key[1])}`", fault.hint)
    argument = names.get(place[1], place[1]) + fault.argument[place.end() :]
    return replace(fault, argument=argument, hint=hint)


def _time(value: TimeLike, argument: str) -> str:
    return write_duration(nanoseconds(value, argument))
