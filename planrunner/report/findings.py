"""What a result comes to: the verdict in a word, thresholds and requests with the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from planrunner.metrics.histogram import n_too_small
from planrunner.metrics.series import ABORTED
from planrunner.report.plain import shorten
from planrunner.results.loads import BY_HAND
from planrunner.results.model import Judgement, Row, RunResult, ValidityLevel, Verdict
from planrunner.results.record import ExpectationCount, checks_held
from planrunner.units import format_count, format_percent
from planrunner.values import dataclass

__all__ = [
    "EXPECT",
    "ROUGH_NOTE",
    "ResultFinding",
    "ThresholdTally",
    "broken_first",
    "checks_words",
    "count_failures",
    "expectation_words",
    "failed_expectations",
    "find",
    "is_default",
    "is_doubtful",
    "is_rough",
    "mark_of",
    "most_first",
    "phases_of",
    "place_of",
    "requests_of",
    "shown_failures",
    "tally",
    "verdict_of",
    "verdict_phrase",
    "verdict_word",
    "worst_first",
]

EXPECT: Final = "expect"
"""The failure kind of replies that are not as expected."""

_MOST_EXPECTED: Final = 3
_MOST_WORDS: Final = 60

ROUGH_NOTE: Final = "n too small: p95 needs 20 requests, p99 needs 100"
"""What tables say below percentiles that are marked as `is_rough`."""

_SEVERITY: Final = (
    Verdict.FAIL,
    Verdict.NO_DATA,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)

# What the exit code says beyond the thresholds; docs/reference/exit-codes.md has them all.
_ENDINGS: Final[Mapping[int, str]] = {
    3: "could not run",
    4: "aborted",
    5: "not valid",
    130: "interrupted",
}


@dataclass(frozen=True, slots=True)
class ResultFinding:
    """A judged threshold as reports show it; a pair of warn and fail is one.

    Attributes:
        threshold: The sentence behind the verdict.
        limits: One, or those of warn and fail.
    """

    verdict: Verdict
    threshold: str
    observed: str
    limits: tuple[str, ...]
    place: str
    reason: str

    @property
    def word(self) -> str:
        return self.verdict.value.replace("_", " ")

    @property
    def is_fine(self) -> bool:
        return self.verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE}


def verdict_of(result: RunResult) -> Verdict:
    """Return pass, warn or fail: the worst verdict, and fail for any exit code but 0."""
    worst = min((j.verdict for j in result.judgements), key=_SEVERITY.index, default=Verdict.PASS)
    if result.exit_code or worst is Verdict.NO_DATA:
        return Verdict.FAIL
    return Verdict.PASS if worst is Verdict.NOT_APPLICABLE else worst


def verdict_word(result: RunResult) -> str:
    """Return what stands in front of the report: the verdict, or how the run ended instead."""
    return _ENDINGS.get(result.exit_code, verdict_of(result).value)


def verdict_phrase(result: RunResult) -> str:
    """Return the verdict, and beside it what takes from it: a changed load, invalid numbers."""
    changed = f", {BY_HAND}" if result.changes else ""
    doubtful = ", but the numbers are invalid" if is_doubtful(result) else ""
    return f"{verdict_word(result)}{changed}{doubtful}"


def is_doubtful(result: RunResult) -> bool:
    """Whether a whole run was judged by invalid numbers; `--strict` makes that a failure."""
    is_judged = result.exit_code not in _ENDINGS
    return is_judged and result.validity.level is ValidityLevel.INVALID


def mark_of(result: RunResult) -> Verdict:
    """Return the verdict that colours and marks stand for: no run with invalid numbers is green."""
    verdict = verdict_of(result)
    return Verdict.WARN if verdict is Verdict.PASS and is_doubtful(result) else verdict


def find(judgements: Sequence[Judgement]) -> list[ResultFinding]:
    """Return what to show of the thresholds, worst first, then as the plan has them."""
    findings = []
    for pair, group in groupby(judgements, key=lambda judgement: judgement.pair):
        members = list(group)
        # Two metrics can stand in a pair too; a single row couldn't show what each came to.
        if pair and len({member.observed for member in members}) == 1:
            findings.append(_finding(members))
        else:
            findings += [_finding([member]) for member in members]
    return sorted(findings, key=lambda finding: _SEVERITY.index(finding.verdict))


def is_default(judgements: Sequence[Judgement]) -> bool:
    """Whether the plan has no thresholds, so that the default one was applied."""
    return len(judgements) == 1 and not judgements[0].place


def is_rough(figure: str, count: int) -> bool:
    """Whether a figure of a row, such as `p99`, is a percentile that `count` values are few for."""
    return figure.startswith("p") and n_too_small(float(figure[1:]), count)


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """Return rows with the most failures first, then those with the slowest p95."""
    return sorted(rows, key=lambda row: (-row.failed, -row.latency_ns.get("p95", 0), row.name))


def broken_first(counts: Iterable[ExpectationCount]) -> list[ExpectationCount]:
    """Return expectations with those that broke most often first, others as the plan has them."""
    return sorted(counts, key=lambda one: -one.broken)


FailureWords = Mapping[tuple[str, str | None], Mapping[str, int]]
"""What requests failed by, by phase and name; an empty phase is the whole run, no name all."""


def failure_words(result: RunResult) -> FailureWords:
    """Count failed requests by status where that is what was wrong, else by failure kind."""
    found: dict[tuple[str, str | None], Counter[str]] = {}
    for one in result.series:
        is_result = one.measured and not one.warmup and not one.after
        if one.kind != "request" or not is_result or one.failure in ("", ABORTED):
            continue
        by_status = one.failure == "status" and (one.status_name or one.status)
        word = str(by_status or one.failure)
        for key in {(phase, name) for phase in ("", one.phase) for name in (None, one.request)}:
            found.setdefault(key, Counter())[word] += sum(one.latency.buckets[1::2])
    for row in result.rows:  # a result of an older version has no series
        if row.by == "request" and row.failures and (row.phase, row.name) not in found:
            found[row.phase, row.name] = Counter(row.failures)
            if not result.series:
                found.setdefault((row.phase, None), Counter()).update(row.failures)
    return found


def failed_expectations(result: RunResult) -> FailureWords:
    """Count what broke of the replies that failed by an expectation; one may have broken several.

    Where another failure came first, such as a status, it is that failure's business.
    """
    found: dict[tuple[str, str | None], Counter[str]] = {}
    for one in result.series:
        is_result = one.measured and not one.warmup and not one.after
        if not is_result or one.failure != EXPECT:
            continue
        for key in {(phase, name) for phase in ("", one.phase) for name in (None, one.request)}:
            counts = found.setdefault(key, Counter())
            counts.update({each.expected: each.times for each in one.broken if not each.is_soft})
    return found


def shown_failures(
    counts: Mapping[str, int], most: int = 0, *, expected: Mapping[str, int] | None = None
) -> list[str]:
    """Return how many requests failed by what, the most frequent first: `3 × 500,`, `1 × reset`.

    `expected` is what broke of those that failed by an expectation.
    """
    which = expectation_words(expected or {})
    shown = [
        f"{count:,} × {word} ({which})" if which and word == EXPECT else f"{count:,} × {word}"
        for word, count in most_first(counts)
    ]
    if most and len(shown) > most:
        shown[most:] = [f"+{len(shown) - most} more kinds"]
    return [*(f"{one}," for one in shown[:-1]), *shown[-1:]]


def expectation_words(counts: Mapping[str, int]) -> str:
    """Return how often which expectations broke, the most frequent first: `2 time < 500 ms`."""
    shown = [
        f"{count:,} {shorten(expected, _MOST_WORDS)}" for expected, count in most_first(counts)
    ]
    if len(shown) > _MOST_EXPECTED:
        shown[_MOST_EXPECTED:] = [f"+{len(shown) - _MOST_EXPECTED} more"]
    return ", ".join(shown)


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return what occurred, the most frequent first."""
    return sorted(
        ((name, count) for name, count in counts.items() if count),
        key=lambda item: (-item[1], item[0]),
    )


def checks_words(result: RunResult) -> str:
    """Return the share of a run's expectations that held; empty where it has none."""
    held = checks_held(result.series)
    return "" if held is None else format_percent(held)


def count_failures(result: RunResult) -> dict[str, int]:
    """Return the failed requests of the whole run by kind."""
    counts: Counter[str] = Counter()
    for row in result.rows:
        if row.by == "request" and not row.phase:
            counts.update(row.failures)
    return dict(counts)


def requests_of(result: RunResult, phase: str = "") -> list[Row]:
    """Return the requests of a phase or of the whole run, worst first."""
    return worst_first(row for row in result.rows if row.by == "request" and row.phase == phase)


def phases_of(result: RunResult) -> list[Row]:
    """Return the phases that sent requests, in their order."""
    return [row for row in result.rows if row.by == "phase"]


@dataclass(frozen=True, slots=True)
class ThresholdTally:
    """Thresholds as the plan counts them: a pair of warn and fail is one."""

    total: int
    broken: int
    warned: int
    without_data: int
    not_applicable: int

    @property
    def words(self) -> list[str]:
        """How many there are, then how many of each kind there is any of."""
        held = self.total - self.broken - self.warned - self.without_data - self.not_applicable
        counts = {
            "broken": self.broken,
            "without data": self.without_data,
            "warned": self.warned,
            "held": held,
            "not applicable": self.not_applicable,
        }
        return [
            format_count(self.total, "threshold"),
            *(f"{count:,} {word}" for word, count in counts.items() if count),
        ]


def tally(verdicts: Iterable[tuple[int, Verdict]]) -> ThresholdTally:
    """Count thresholds, each given with the number of its pair; 0 for a single one."""
    worst: dict[int, Verdict] = {}
    for n, (pair, verdict) in enumerate(verdicts):
        key = -pair or n + 1
        worst[key] = min(worst.get(key, verdict), verdict, key=_SEVERITY.index)
    counts = Counter(worst.values())
    return ThresholdTally(
        len(worst),
        counts[Verdict.FAIL],
        counts[Verdict.WARN],
        counts[Verdict.NO_DATA],
        counts[Verdict.NOT_APPLICABLE],
    )


def place_of(judgement: Judgement) -> tuple[str, int, int] | None:
    """Return file, line and column of a threshold; None for the default one."""
    file, _, rest = judgement.place.rpartition(":")
    file, _, line = file.rpartition(":")
    if not file or not line.isdecimal() or not rest.isdecimal():
        return None
    return file, int(line), int(rest)


def _finding(members: Sequence[Judgement]) -> ResultFinding:
    by_level = sorted(members, key=lambda member: member.level == "fail")
    worst = min(by_level, key=lambda member: _SEVERITY.index(member.verdict))
    return ResultFinding(
        verdict=worst.verdict,
        threshold=worst.threshold,
        observed=worst.observed,
        limits=tuple(dict.fromkeys(member.limit for member in by_level if member.limit)),
        place=worst.place,
        reason=worst.reason,
    )
