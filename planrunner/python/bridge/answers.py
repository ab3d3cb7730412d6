"""Results of load and stress tests → the dictionaries of the bridge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.errors import CannotRun
from planrunner.python.bridge.dicts import (
    LoadTestAnswer,
    StressTestAnswer,
    StressTestStep,
    metrics_of,
)
from planrunner.python.quick import StressResult
from planrunner.python.results.figures import Figures
from planrunner.python.results.result import Result
from planrunner.units import NS_PER_S, format_count

__all__ = ["TOOL", "AskedLoad", "stress_answer", "unstressed"]

TOOL: Final = "planrunner"


class AskedLoad:
    """A load test that was asked for, and what to answer."""

    def __init__(self, url: str, users: int, duration: float, *, tool: str = TOOL) -> None:
        self._tool = tool
        self.url = url
        self.users = users
        self._duration = duration

    def answered(self, result: Result) -> LoadTestAnswer:
        return self._answer(
            success=result.passed,
            figures=result.total,
            seconds=result.duration.s,
            output=result.explain(),
            errors=_errors(result),
            directory=str(result.directory),
        )

    def unanswered(self, error: CannotRun) -> LoadTestAnswer:
        """Return the answer for a target that was not ready."""
        return self._answer(success=False, errors=str(error))

    def step(
        self, *, held: bool, figures: Figures | None, seconds: float, broken_by: str
    ) -> LoadTestAnswer:
        """Return the answer for one step of a stress test."""
        return self._answer(
            success=held, figures=figures, seconds=seconds, errors=broken_by or None
        )

    def _answer(
        self,
        *,
        success: bool,
        figures: Figures | None = None,
        seconds: float = 0.0,
        output: str = "",
        errors: str | None,
        directory: str | None = None,
    ) -> LoadTestAnswer:
        return {
            "tool": self._tool,
            "target_url": self.url,
            "users": self.users,
            "duration": self._duration,
            "success": success,
            "results": metrics_of(figures, seconds),
            "output": output,
            "errors": errors,
            "directory": directory,
        }


def stress_answer(url: str, result: StressResult) -> StressTestAnswer:
    """Return what a stress test came to; `errors` has steps that did not hold too, and why."""
    steps = list(_steps(url, result))
    broken = [
        f"{format_count(one['users'], 'user')}: {one['result']['errors']}"
        for one in steps
        if not one["result"]["success"]
    ]
    return {
        "stress_test": True,
        "tool": TOOL,
        "target_url": url,
        "steps": steps,
        "max_users_reached": result.max_users_reached,
        "break_point": result.breaking_point,
        "output": result.explain(),
        "errors": "\n".join([*broken, *filter(None, [_errors(result)])]) or None,
        "directory": str(result.directory),
    }


def unstressed(asked: AskedLoad, error: CannotRun) -> StressTestAnswer:
    """Return the answer for a target that was not ready: its first step is where it broke."""
    failed = asked.unanswered(error)
    return {
        "stress_test": True,
        "tool": TOOL,
        "target_url": asked.url,
        "steps": [{"users": asked.users, "result": failed}],
        "max_users_reached": 0,
        "break_point": asked.users,
        "output": "",
        "errors": failed["errors"],
        "directory": None,
    }


def _steps(url: str, result: StressResult) -> Iterator[StressTestStep]:
    """Yield each number of users that was judged; its stage in the run is in the same order."""
    raw = result.raw
    by_stage = {row.name: Figures(row) for row in raw.rows if row.by == "stage"}
    for level, stretch in zip(result.levels, raw.measured, strict=False):  # the last may be cut
        seconds = (stretch.end_ns - stretch.start_ns) / NS_PER_S
        users = int(level.level)
        step = AskedLoad(url, users, round(seconds, 3)).step(
            held=level.held,
            figures=by_stage.get(stretch.stage),
            seconds=seconds,
            broken_by="" if level.held else level.reason,
        )
        yield {"users": users, "result": step}


def _errors(result: Result) -> str | None:
    """Return what failed, a line for each request and kind; None when nothing did."""
    lines = [
        f"{one.request}: {one.count:,} × {one.kind}{f' ({one.reason})' if one.reason else ''}"
        for one in result.failures
    ]
    return "\n".join(lines) or None
