"""index.html of a suite: each plan with its verdict, its figures, and links to its reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO
from urllib.parse import quote

from planrunner.report.formats.page import write_page
from planrunner.report.suites.rows import (
    SuiteRow,
    amount_words,
    broken_in,
    mark_of_word,
    report_of,
    rows_of,
    run_row,
    suite_words,
)
from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import Verdict
from planrunner.results.suites.model import SuitePlan, SuiteResult, SuiteRun
from planrunner.values import dataclass

__all__ = ["write_suite_html"]

_CLASSES: Mapping[Verdict, str] = {
    Verdict.PASS: "pass",
    Verdict.WARN: "warn",
    Verdict.NOT_APPLICABLE: "na",
}


@dataclass(frozen=True, slots=True)
class _LinkedRun:
    """A run with the address of its report, relative to the page."""

    run: SuiteRun
    row: SuiteRow
    link: str
    style: str


@dataclass(frozen=True, slots=True)
class _PlanSection:
    """A plan with what the page says about it; `anchor` is where."""

    anchor: str
    plan: SuitePlan
    row: SuiteRow
    style: str
    runs: tuple[_LinkedRun, ...]
    broken: tuple[tuple[str, str, str], ...]
    spreads: tuple[tuple[str, ...], ...]

    @property
    def link(self) -> str:
        """The report of its only run."""
        return self.runs[0].link if len(self.runs) == 1 else ""


def write_suite_html(suite: SuiteResult, out: TextIO) -> None:
    """Write the page; the same suite gives the same bytes."""
    rows = rows_of(suite)
    sections = [
        _section(f"plan-{number}", plan, rows[number - 1])
        for number, plan in enumerate(suite.plans, 1)
    ]
    has_failed = suite.exit_code != ExitCode.OK
    has_warned = any(section.style == "warn" for section in sections)
    write_page(
        out,
        "suite.html",
        bundle="",
        charts=(),
        suite=suite,
        sections=sections,
        words=suite_words(suite),
        verdict="fail" if has_failed else "warn" if has_warned else "pass",
        is_repeated=any(plan.is_repeated for plan in suite.plans),
    )


def _style(verdict: Verdict) -> str:
    return _CLASSES.get(verdict, "fail")


def _section(anchor: str, plan: SuitePlan, row: SuiteRow) -> _PlanSection:
    broken = [(_style(mark_of_word(word)), word, words) for word, words in broken_in(plan)]
    return _PlanSection(
        anchor=anchor,
        plan=plan,
        row=row,
        style=_style(row.mark),
        runs=tuple(map(_linked, plan.runs)),
        broken=tuple(broken),
        spreads=tuple(_spreads(plan)),
    )


def _linked(run: SuiteRun) -> _LinkedRun:
    row = run_row(run, run.directory)
    return _LinkedRun(run, row, quote(report_of(run)), _style(row.mark))


def _spreads(plan: SuitePlan) -> Iterator[tuple[str, ...]]:
    for one in plan.figures:
        amounts = (one.median, one.minimum, one.maximum, one.mad)
        words = (amount_words(one, amount) for amount in amounts)
        yield one.request or "all requests", one.figure.replace("_", " "), *words
