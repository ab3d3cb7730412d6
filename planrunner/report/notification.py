"""What a notification says: the verdict, what broke, three figures, where the report is.

Plain text, which every service shows as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Final

from planrunner.report.changes import cells_of
from planrunner.report.findings import (
    find,
    is_default,
    mark_of,
    tally,
    verdict_phrase,
    verdict_word,
)
from planrunner.report.plain import plain, shorten
from planrunner.report.suites.rows import amount_words, broken_in
from planrunner.results.changes import EarlierKind, EarlierRun
from planrunner.results.model import RunResult, ValidityLevel, Verdict
from planrunner.results.suites.model import FigureSpread, SuitePlan
from planrunner.units import format_count, format_duration, format_percent, format_rate
from planrunner.values import dataclass

__all__ = [
    "COULD_NOT_RUN",
    "Message",
    "MessageKind",
    "message_of_plan",
    "message_of_refusal",
    "message_of_run",
]

COULD_NOT_RUN: Final = "could not run"
"""The verdict of a run that has no result."""

_MOST_LINES: Final = 10
_LONGEST: Final = 300
_MENTION: Final = re.compile(r"(?<!\w)@(?=\w)")
"""What chats would call people by."""
_FIGURES: Final = ("typical_p95", "error_rate", "throughput")
_OF_SPREADS: Final = ("p95", "error_rate", "throughput")
_EARLIER: Final = {
    EarlierKind.BASELINE: "in the baseline",
    EarlierKind.PREVIOUS: "in the run before",
}


class MessageKind(StrEnum):
    """What services choose a colour by; the words are apprise's."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Message:
    """What is told of a run, or of several of one plan.

    Attributes:
        verdict: In a word, to be compared with that of the last run.
        exit_code: Of the run, or of all.
    """

    title: str
    body: str = field(repr=False)
    kind: MessageKind
    verdict: str
    exit_code: int


_KINDS: Final = {Verdict.PASS: MessageKind.SUCCESS, Verdict.WARN: MessageKind.WARNING}


def message_of_run(result: RunResult, *, report: str) -> Message:
    """Return what is told of a run.

    Args:
        result: With the run that it was compared with.
        report: Where its report is; empty for nowhere.
    """
    return Message(
        _line(f"{verdict_phrase(result)}: {result.plan}"),
        _body(
            _ending(result),
            _few(_broken(result)),
            _changes(result.earlier[0]) if result.earlier else _figures(result),
            _doubts(result),
            _facts(result),
            _where(report),
        ),
        _KINDS.get(mark_of(result), MessageKind.FAILURE),
        verdict_word(result),
        result.exit_code,
    )


def message_of_plan(plan: SuitePlan, *, report: str) -> Message:
    """Return what is told of a plan that ran several times, judged by medians."""
    warned = any(one.verdict is Verdict.WARN for one in plan.judgements)
    kind = MessageKind.WARNING if warned else MessageKind.SUCCESS
    made = len(plan.runs)
    return Message(
        _line(f"{plan.verdict}: {plan.plan}"),
        _body(
            [plan.reason],
            _few(f"{word}: {words}" for word, words in broken_in(plan)),
            _medians(plan.figures),
            [f"medians of {format_count(made, 'run')}" if made > 1 else ""],
            _where(report),
        ),
        MessageKind.FAILURE if plan.exit_code else kind,
        plan.verdict,
        plan.exit_code or 0,
    )


def message_of_refusal(plan: str, reason: str, exit_code: int) -> Message:
    """Return what is told of a run that could not begin."""
    title = _line(f"{COULD_NOT_RUN}: {plan}")
    return Message(title, _body([reason]), MessageKind.FAILURE, COULD_NOT_RUN, exit_code)


def _line(text: str) -> str:
    return _MENTION.sub("@\N{ZERO WIDTH SPACE}", shorten(plain(text), _LONGEST))


def _body(*parts: Iterable[str]) -> str:
    """Return paragraphs; what is empty is left out."""
    paragraphs = ("\n".join(_line(line) for line in part if line) for part in parts)
    return "\n\n".join(filter(None, paragraphs))


def _ending(result: RunResult) -> Iterator[str]:
    if result.ended_because != "finished":
        yield f"ended early: {result.ended_because}"


def _doubts(result: RunResult) -> Iterator[str]:
    if result.validity.level is not ValidityLevel.VALID:
        yield f"the numbers are {result.validity.level.value}: {'; '.join(result.validity.reasons)}"


def _broken(result: RunResult) -> Iterator[str]:
    findings = find(result.judgements)
    yield ", ".join(tally((each.pair, each.verdict) for each in result.judgements).words)
    for one in findings:
        if not one.is_fine:
            limits = " / ".join(one.limits)
            words = (one.observed, f"limit {limits}" if limits else "", one.reason)
            yield f"{one.word}: {one.threshold}: {', '.join(filter(None, words))}"
    if is_default(result.judgements):
        yield "the plan has no thresholds, so this one was applied"


def _few(lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    yield from found[:_MOST_LINES]
    if len(found) > _MOST_LINES:
        yield f"and {len(found) - _MOST_LINES} more"


def _changes(earlier: EarlierRun) -> Iterator[str]:
    """Yield three figures beside those of the run that this one was compared with."""
    together = {one.figure: one for one in earlier.comparison.changes if not one.request}
    for cells in cells_of([together[name] for name in _FIGURES if name in together]):
        where = _EARLIER[earlier.kind]
        yield (
            f"{cells['figure']} {cells['after']}, {cells['before']} {where}: "
            f"{cells['change']}, {cells['outcome']}"
        )


def _figures(result: RunResult) -> Iterator[str]:
    totals = result.totals
    if totals.has_latency:
        yield f"p95 {format_duration(round(totals.p95_response_time * 1e9))}"
    if totals.total_requests:
        yield f"error rate {format_percent(totals.error_rate / 100)}"
        yield f"throughput {format_rate(totals.requests_per_second)}"


def _medians(figures: Sequence[FigureSpread]) -> Iterator[str]:
    together = {one.figure: one for one in figures if not one.request}
    for name in _OF_SPREADS:
        if one := together.get(name):
            amounts = (amount_words(one, each) for each in (one.median, one.minimum, one.maximum))
            yield "{} {}, from {} to {}".format(name.replace("_", " "), *amounts)


def _facts(result: RunResult) -> Iterator[str]:
    took_ns = round(result.duration_seconds * 1e9)
    facts = [
        f"{format_count(result.totals.total_requests, 'request')} in {format_duration(took_ns)}",
        f"profile {result.profile}" if result.profile else "",
        *(f"{name}={value}" for name, value in result.labels.items()),
    ]
    yield ", ".join(filter(None, facts))


def _where(report: str) -> Iterator[str]:
    if report:
        yield f"report: {report}"
