"""What tables say of each plan of a suite, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from planrunner.metrics.amounts import Unit, format_amount
from planrunner.report.plain import plain
from planrunner.results.exit_codes import WHOLE
from planrunner.results.model import Judgement, ValidityLevel, Verdict
from planrunner.results.suites.model import (
    FigureSpread,
    JudgedMedian,
    SuitePlan,
    SuiteResult,
    SuiteRun,
)
from planrunner.units import format_count, format_duration, format_percent, format_rate
from planrunner.values import dataclass

__all__ = [
    "SuiteRow",
    "amount_words",
    "broken_in",
    "mark_of_word",
    "report_of",
    "rows_of",
    "run_row",
    "suite_words",
    "titles_of",
]

_REPORT: Final = "report.html"
_NONE: Final = "–"
_MARKS: Final = {
    "pass": Verdict.PASS,
    "warn": Verdict.WARN,
    "not run": Verdict.NOT_APPLICABLE,
}

_TITLES: Final[Sequence[Callable[[SuitePlan], str]]] = (
    lambda plan: f"{plan.plan} ({plan.profile})" if plan.profile else plan.plan,
    lambda plan: f"{plan.plan} ({plan.path})",
    lambda plan: f"{plan.plan} ({plan.directory})",
)
"""Longer and longer ones; no two plans have the same directory."""


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """A plan, or one of its runs, as tables show it; of several runs figures are medians."""

    name: str
    profile: str
    verdict: str
    mark: Verdict
    took: str
    requests: str = _NONE
    per_second: str = _NONE
    failed: str = _NONE
    average: str = _NONE
    p95: str = _NONE


def mark_of_word(word: str) -> Verdict:
    """Return the verdict that colours stand for."""
    return _MARKS.get(word, Verdict.FAIL)


def titles_of(suite: SuiteResult) -> list[str]:
    """Return what each plan is called: its name, with what else it takes to know it from others."""
    titles = [plan.plan for plan in suite.plans]
    for more in _TITLES:
        counts = Counter(titles)
        titles = [
            title if counts[title] == 1 else more(plan)
            for title, plan in zip(titles, suite.plans, strict=True)
        ]
    return titles


def rows_of(suite: SuiteResult) -> list[SuiteRow]:
    """Return a row for each plan, in their order."""
    titles = titles_of(suite)
    return [_plan_row(plan, title) for plan, title in zip(suite.plans, titles, strict=True)]


def _plan_row(plan: SuitePlan, title: str) -> SuiteRow:
    took_ns = round(sum(one.duration_seconds for one in plan.runs) * 1e9)
    took = format_duration(took_ns) if took_ns else _NONE
    if not plan.is_repeated and plan.runs:
        return run_row(plan.runs[0], title, plan.profile)
    spread = {one.figure: one for one in plan.figures if not one.request}
    shown = {name: amount_words(one, one.median) for name, one in spread.items()}
    return SuiteRow(
        name=title,
        profile=plan.profile,
        verdict=plan.verdict,
        mark=mark_of_word(plan.verdict),
        took=took,
        requests=shown.get("requests", _NONE),
        per_second=shown.get("throughput", _NONE),
        failed=shown.get("error_rate", _NONE),
        average=shown.get("avg", _NONE),
        p95=shown.get("p95", _NONE),
    )


def run_row(run: SuiteRun, name: str, profile: str = "") -> SuiteRow:
    """Return the row of one run."""
    totals = run.totals
    took_ns = round(run.duration_seconds * 1e9)
    mark, word = mark_of_word(run.verdict), run.verdict
    if run.validity == ValidityLevel.INVALID and run.exit_code in WHOLE:
        # No run with invalid numbers is green.
        mark, word = Verdict.WARN if mark is Verdict.PASS else mark, f"{word}, invalid"
    row = SuiteRow(
        name=name,
        profile=profile,
        verdict=word,
        mark=mark,
        took=format_duration(took_ns) if took_ns else _NONE,
    )
    if not run.run_id:
        return row
    latency = totals.has_latency
    return SuiteRow(
        name=row.name,
        profile=row.profile,
        verdict=row.verdict,
        mark=row.mark,
        took=row.took,
        requests=f"{totals.total_requests:,}",
        per_second=format_rate(totals.requests_per_second),
        failed=format_percent(totals.error_rate / 100) if totals.total_requests else _NONE,
        average=format_duration(round(totals.average_response_time * 1e9)) if latency else _NONE,
        p95=format_duration(round(totals.p95_response_time * 1e9)) if latency else _NONE,
    )


def amount_words(spread: FigureSpread, amount: float) -> str:
    """Return an amount of a figure with its unit."""
    whole = int(amount) if amount == int(amount) else amount
    return format_amount(whole, Unit(spread.unit))


def report_of(run: SuiteRun) -> str:
    """Return the best file of a run to open, relative to the suite; empty if it has none."""
    if not run.reports:
        return ""
    file = _REPORT if _REPORT in run.reports else run.reports[0]
    return f"{run.directory}/{file}"


def broken_in(plan: SuitePlan) -> Iterator[tuple[str, str]]:
    """Yield each threshold of a plan that is not fine: its verdict, and what there is to say."""
    found: tuple[Judgement, ...] | tuple[JudgedMedian, ...] = plan.judgements
    if not plan.is_repeated:
        found = plan.runs[0].judgements if plan.runs else ()
    for one in found:
        if one.verdict in (Verdict.FAIL, Verdict.WARN, Verdict.NO_DATA):
            observed = one.observed or "nothing"
            more = f"; {one.reason}" if one.reason else ""
            words = f"{one.threshold}: observed {observed}, limit {one.limit}{more}"
            yield one.verdict.value.replace("_", " "), plain(words)


def suite_words(suite: SuiteResult) -> str:
    """Return how many plans came to what."""
    counts: dict[str, int] = {}
    for plan in suite.plans:
        counts[plan.verdict] = counts.get(plan.verdict, 0) + 1
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f"{format_count(len(suite.plans), 'plan')}: {words}"
