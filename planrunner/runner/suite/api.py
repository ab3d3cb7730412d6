"""Runs the plans of a suite for any caller; as `runner.api` does, it prints nothing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

from planrunner import __version__
from planrunner.clock import MonotonicClock
from planrunner.engine.stop import Stop, StopLevel
from planrunner.errors import CannotRun, Interrupted, PlanrunnerError
from planrunner.outputs.base import Output
from planrunner.report.findings import verdict_word
from planrunner.report.suites.files import write_suite
from planrunner.results.exit_codes import WHOLE, ExitCode, code_of_error, worst
from planrunner.results.files.directory import make_run_directory
from planrunner.results.model import RunResult, ValidityLevel, Verdict
from planrunner.results.suites.model import SuitePlan, SuiteResult, SuiteRun
from planrunner.results.suites.repeats import (
    FiguresOfRun,
    exit_code_of,
    figures_of,
    judged,
    spreads,
)
from planrunner.runner.api import ResultLost, run
from planrunner.runner.report_files import written_files
from planrunner.runner.request import PreparedRun, prepare
from planrunner.runner.suite.request import PreparedSuite, SuiteEntry
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["NOT_RUN", "RunPlace", "SuiteFace", "run_suite"]

NOT_RUN: Final = "not run"

_WORDS: Final = {
    ExitCode.PLAN_INVALID: "invalid plan",
    ExitCode.CANNOT_RUN: "could not run",
    ExitCode.ABORTED_BY_THRESHOLD: "aborted",
    ExitCode.NOT_VALID: "not valid",
    ExitCode.INTERNAL_ERROR: "internal error",
    ExitCode.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Which run of a suite it is; numbers count from 1."""

    plan: int
    plans: int
    run: int
    runs: int


class SuiteFace(Protocol):
    """Whoever shows a suite while it lasts."""

    async def begins(self, run: PreparedRun, place: RunPlace) -> Sequence[Output]:
        """Show that a run begins; return what receives it."""

    def ended(self, run: SuiteRun, entry: SuiteEntry) -> None:
        """Show what came of it."""

    def has_bug(self, error: Exception, entry: SuiteEntry) -> None:
        """Show an error that nobody foresaw."""

    def notes(self, notice: str, entry: SuiteEntry) -> None:
        """Show what the user should know."""


async def run_suite(suite: PreparedSuite, face: SuiteFace) -> SuiteResult:
    """Run the plans to their end, one after the other, and write the suite's reports.

    They are written after each plan, so that they are there whatever ends the process. Nothing
    that a plan comes to is an error: it is in the result, as is the exit code for it all.

    Raises:
        CannotRun: The directory is not ready, or a report can't be written.
    """
    make_run_directory(suite.directory)
    return await _Suite(suite, face).result()


class _Suite:
    def __init__(self, suite: PreparedSuite, face: SuiteFace) -> None:
        self._suite = suite
        self._face = face
        self._stop = suite.request.stop or Stop()
        self._started = datetime.now(UTC)
        self._clock = MonotonicClock()
        self._began_ns = self._clock.now_ns()
        self._plans: list[SuitePlan] = []

    async def result(self) -> SuiteResult:
        for number, entry in enumerate(self._suite.entries, 1):
            if reason := self._why_not():
                self._plans.append(self._left_out(entry, reason))
                continue
            await self._keep("not ended")
            plan = _PlanInSuite(self, entry, number, self._suite.request.repeat)
            self._plans.append(await plan.outcome())
        skipped = any(plan.exit_code is None for plan in self._plans)
        interrupted = any(plan.exit_code == ExitCode.INTERRUPTED for plan in self._plans)
        if interrupted or (skipped and self._is_stopped):
            return await self._keep(self._stop.reason or "interrupted")
        failed = next((plan for plan in self._plans if plan.exit_code), None)
        if skipped and failed is not None:
            return await self._keep(
                f"`{failed.plan}` came to {failed.verdict}; --keep-going runs the others too"
            )
        return await self._keep("finished")

    @property
    def _is_stopped(self) -> bool:
        return self._stop.level is not StopLevel.RUNNING

    def _why_not(self) -> str:
        """Return why no further plan runs; empty while one may."""
        if self._is_stopped:
            return self._stop.reason
        failed = next((plan for plan in self._plans if plan.exit_code), None)
        if failed is None or self._suite.request.keep_going:
            return ""
        return f"`{failed.plan}` before it came to {failed.verdict}"

    def _left_out(self, entry: SuiteEntry, reason: str) -> SuitePlan:
        return SuitePlan(
            plan=entry.plan,
            path=entry.path,
            profile=entry.profile,
            directory=entry.directory,
            exit_code=None,
            verdict=NOT_RUN,
            reason=reason,
            wanted=self._suite.request.repeat,
        )

    async def _keep(self, ended_because: str) -> SuiteResult:
        """Write what there is so far, plans to come as not run."""
        rest = self._suite.entries[len(self._plans) :]
        plans = (*self._plans, *(self._left_out(entry, "") for entry in rest))
        codes = [plan.exit_code for plan in plans if plan.exit_code is not None]
        if rest or (len(codes) < len(plans) and self._is_stopped):
            codes.append(ExitCode.INTERRUPTED)
        result = SuiteResult(
            started=self._started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            duration_seconds=(self._clock.now_ns() - self._began_ns) / NS_PER_S,
            seed=self._suite.seed,
            exit_code=worst(codes),
            ended_because=ended_because,
            planrunner=__version__,
            plans=plans,
            labels=self._suite.request.runs[0].labels,
        )
        write = partial(write_suite, result, self._suite.directory)
        if rest:  # it is tried once more
            with suppress(CannotRun):
                await asyncio.to_thread(write)
        else:
            await asyncio.to_thread(self._stop.settle, result.exit_code, write)
        return result

    async def run_once(self, entry: SuiteEntry, directory: str, place: RunPlace) -> _FinishedRun:
        """Run a plan once, whatever comes of it."""
        try:
            result, reports = await self._run(entry, directory, place)
            ended = _FinishedRun(_suite_run(result, directory, reports), result)
        except ResultLost as lost:
            ended = _FinishedRun(_suite_run(lost.result, directory, (), reason=lost.message))
        except PlanrunnerError as error:
            ended = _FinishedRun(_failed(directory, code_of_error(error), error.message))
        except Exception as error:  # noqa: BLE001 - the other plans have a result all the same
            self._face.has_bug(error, entry)
            reason = f"a bug in planrunner: {type(error).__name__}"
            ended = _FinishedRun(_failed(directory, ExitCode.INTERNAL_ERROR, reason))
        self._face.ended(ended.run, entry)
        gc.collect()  # or what is left of a run is looked through while the next one sends
        return ended

    async def _run(
        self, entry: SuiteEntry, directory: str, place: RunPlace
    ) -> tuple[RunResult, tuple[str, ...]]:
        stop = Stop()
        forget = self._stop.listen(lambda: stop.request(self._stop.reason), each=True)
        try:
            if self._is_stopped:
                raise Interrupted(self._stop.reason)
            path = self._suite.directory / directory
            # Once more: ports that were free when the suite began may be taken by now.
            # People are told of the plan, and not of each run.
            wanted = replace(entry.request, directory=path, stop=stop, notify=False)
            prepared = prepare(wanted)
            result = await run(prepared, await self._face.begins(prepared, place))
        finally:
            forget()
        files = written_files(prepared.graph, path)
        return result, tuple(file.relative_to(path).as_posix() for file in files)

    async def tell(self, entry: SuiteEntry, plan: SuitePlan, only: RunResult | None) -> None:
        """Tell those whom a plan names what came of it."""
        if not entry.recipients.nodes:
            return
        from planrunner.runner.notify.telling import tell_plan  # noqa: PLC0415 - few plans tell anybody

        for notice in await tell_plan(entry.recipients, plan, only, self._suite.directory):
            self._face.notes(notice, entry)

    @property
    def stopped_because(self) -> str:
        return self._stop.reason if self._is_stopped else ""

    def place(self, plan: int, run: int) -> RunPlace:
        suite = self._suite
        return RunPlace(plan, len(suite.entries), run, suite.request.repeat)


@dataclass(frozen=True, slots=True)
class _FinishedRun:
    """A run that has ended; its result is known if it had one that is kept."""

    run: SuiteRun
    result: RunResult | None = None


class _PlanInSuite:
    """One plan of a suite, and its runs so far."""

    def __init__(self, suite: _Suite, entry: SuiteEntry, number: int, wanted: int) -> None:
        self._suite = suite
        self._entry = entry
        self._number = number
        self._wanted = wanted
        self._runs: list[SuiteRun] = []
        self._figures: list[FiguresOfRun] = []

    async def outcome(self) -> SuitePlan:
        suite, wanted = self._suite, self._wanted
        for number in range(1, wanted + 1):
            if self._runs and suite.stopped_because:
                break
            place = suite.place(self._number, number)
            ended = await suite.run_once(self._entry, self._directory(number), place)
            self._runs.append(ended.run)
            if ended.run.exit_code not in WHOLE:
                break
            if ended.result is not None and wanted > 1:
                self._figures.append(figures_of(ended.result))
        plan = self._repeated() if wanted > 1 else self._single()
        await suite.tell(self._entry, plan, ended.result if wanted == 1 else None)
        return plan

    def _directory(self, number: int) -> str:
        name = self._entry.directory
        return f"{name}/{number:0{len(str(self._wanted))}}" if self._wanted > 1 else name

    def _single(self) -> SuitePlan:
        [only] = self._runs
        return replace(
            self._begun(), exit_code=only.exit_code, verdict=only.verdict, reason=only.reason
        )

    def _repeated(self) -> SuitePlan:
        whole = [one for one in self._runs if one.exit_code in WHOLE]
        judgements = judged([one.judgements for one in whole])
        codes = [one.exit_code for one in self._runs]
        missing = self._wanted - len(self._runs)
        if missing and self._suite.stopped_because:
            codes.append(ExitCode.INTERRUPTED)
        code = exit_code_of(codes, judgements)
        warned = any(one.verdict is Verdict.WARN for one in judgements)
        word = _WORDS.get(ExitCode(code), "fail" if code else "warn" if warned else "pass")
        return replace(
            self._begun(),
            exit_code=code,
            verdict=word,
            reason="; ".join(self._reasons(missing)),
            figures=spreads(self._figures) if self._figures else (),
            judgements=judgements,
        )

    def _reasons(self, missing: int) -> Iterator[str]:
        last = self._runs[-1]
        if last.exit_code not in WHOLE and last.reason:
            yield last.reason
        invalid = sum(one.validity == ValidityLevel.INVALID for one in self._runs)
        if invalid:
            yield f"the numbers of {invalid} of {len(self._runs)} runs are invalid"
        if missing:
            yield f"{missing} of {self._wanted} runs not made"

    def _begun(self) -> SuitePlan:
        entry = self._entry
        return SuitePlan(
            plan=entry.plan,
            path=entry.path,
            profile=entry.profile,
            directory=entry.directory,
            exit_code=None,
            verdict="",
            wanted=self._wanted,
            runs=tuple(self._runs),
        )


def _suite_run(
    result: RunResult, directory: str, reports: tuple[str, ...], *, reason: str = ""
) -> SuiteRun:
    if not reason and result.ended_because != "finished":
        reason = result.ended_because
    return SuiteRun(
        directory=directory,
        run_id=result.run_id,
        exit_code=result.exit_code,
        verdict=verdict_word(result),
        reason=reason,
        started=result.started,
        duration_seconds=result.duration_seconds,
        totals=result.totals,
        validity=result.validity.level.value,
        reports=reports,
        judgements=result.judgements,
    )


def _failed(directory: str, code: ExitCode, reason: str) -> SuiteRun:
    return SuiteRun(directory, "", code, _WORDS[code], reason)
