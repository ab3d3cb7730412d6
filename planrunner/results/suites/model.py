"""SuiteResult: everything the reports of a suite say; a value, made once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planrunner.metrics.judging.verdict import Verdict
from planrunner.results.model import Judgement, Totals
from planrunner.values import dataclass

__all__ = ["NO_TOTALS", "FigureSpread", "JudgedMedian", "SuitePlan", "SuiteResult", "SuiteRun"]

NO_TOTALS = Totals(0, 0, 0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class FigureSpread:
    """A figure of a plan that was repeated: its median, and how far apart the runs were.

    Attributes:
        request: Empty for all requests together.
        figure: `requests`, `throughput`, `error_rate`, `avg`, `p50`, `p90`, `p95`, `p99`, `max`.
        unit: `duration` in ns, `rate` in a second, `percentage` as a fraction, or `number`.
        values: Of each run that was whole, in their order; null where it had none.
        median: Of the runs that have the figure, as are the others.
        mad: The median of the absolute deviations from the median.
    """

    request: str
    figure: str
    unit: str
    values: tuple[float | None, ...]
    median: float
    minimum: float
    maximum: float
    mad: float


@dataclass(frozen=True, slots=True)
class JudgedMedian:
    """A threshold judged by the median of what several runs observed.

    Attributes:
        threshold: As the plan wrote it.
        observed: The median, and from where to where the runs were, with their unit.
        limit: With its unit.
        place: `file:line:column` of the threshold; empty for the default one.
        level: `warn` or `fail`: what breaking it means.
        pair: As a judgement has it.
        verdicts: Of each run alone.
        amounts: Of each run; null where it had no data.
        median: Null without data in any run, as is the limit.
    """

    threshold: str
    verdict: Verdict
    observed: str
    limit: str
    place: str
    reason: str
    level: str
    pair: int
    verdicts: tuple[Verdict, ...]
    amounts: tuple[float | None, ...]
    median: float | None
    limit_amount: float | None
    operator: str
    unit: str


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One run of a plan.

    Attributes:
        directory: Relative to the suite's.
        run_id: Empty if it could not run.
        verdict: In a word.
        reason: Why it could not run, or ended early.
        totals: All zeros if it could not run.
        validity: `valid`, `biased` or `invalid`; empty if it could not run.
        reports: Names of the files in its directory.
    """

    directory: str
    run_id: str
    exit_code: int
    verdict: str
    reason: str = ""
    started: str = ""
    duration_seconds: float = 0.0
    totals: Totals = NO_TOTALS
    validity: str = ""
    reports: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """What came of a plan.

    Attributes:
        path: As the caller gave it.
        profile: The one that ran; empty when the plan has none.
        directory: Relative to the suite's; with several runs it has a directory for each.
        exit_code: Of several runs, by the medians; null if it was not run.
        verdict: In a word; `not run` is one.
        reason: Why it was not run, could not, or ended before all of its runs.
        wanted: How many runs there should be.
        figures: Of a plan that was repeated.
        judgements: Of a plan that was repeated, by the medians of its runs.
    """

    plan: str
    path: str
    profile: str
    directory: str
    exit_code: int | None
    verdict: str
    reason: str = ""
    wanted: int = 1
    runs: tuple[SuiteRun, ...] = ()
    figures: tuple[FigureSpread, ...] = ()
    judgements: tuple[JudgedMedian, ...] = ()

    @property
    def is_repeated(self) -> bool:
        return self.wanted > 1


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """Several plans that ran one after the other.

    Attributes:
        started: ISO 8601, UTC.
        seed: Of every plan that has none of its own.
        exit_code: The worst of all plans.
        ended_because: `finished`, or why it ended early; `not ended` while it lasts.
    """

    started: str
    duration_seconds: float
    seed: int
    exit_code: int
    ended_because: str
    planrunner: str
    plans: tuple[SuitePlan, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
