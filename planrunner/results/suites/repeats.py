"""One plan, several runs: the median and the spread of each figure, and what thresholds make of it.

The spread is given as minimum and maximum, and as the median absolute deviation (MAD): of three or
five runs the range is what one looks at, and of many one outlier must not be all that it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final

from planrunner.metrics.amounts import Unit, distinct_amount, format_amount
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.thresholds import Operator
from planrunner.results.exit_codes import ExitCode, worst
from planrunner.results.model import Judgement, Row, RunResult
from planrunner.results.record import checks_held, read_series
from planrunner.results.suites.model import FigureSpread, JudgedMedian
from planrunner.units import NS_PER_S

__all__ = ["FiguresOfRun", "exit_code_of", "figures_of", "judged", "spreads"]


_PERCENTILES: Final = ("p50", "p90", "p95", "p99")

FiguresOfRun = Mapping[tuple[str, str], float]
"""Each figure of a run by request and name; no request means all of them."""

_UNITS: Final[Mapping[str, Unit]] = {
    "requests": Unit.NUMBER,
    "throughput": Unit.RATE,
    "error_rate": Unit.PERCENT,
    "checks": Unit.PERCENT,
    **dict.fromkeys(("avg", *_PERCENTILES, "max"), Unit.DURATION),
}


def figures_of(result: RunResult) -> FiguresOfRun:
    """Return the figures of a run in the units of `FigureSpread`."""
    totals = result.totals
    found: dict[tuple[str, str], float] = {
        ("", "requests"): totals.total_requests,
        ("", "throughput"): totals.requests_per_second,
    }
    if totals.total_requests:
        found["", "error_rate"] = totals.error_rate / 100
    if (checks := checks_held(result.series)) is not None:
        found["", "checks"] = checks
    if totals.has_latency:
        found["", "avg"] = totals.average_response_time * NS_PER_S
        found |= {("", name): value for name, value in _latencies(result)}
    for row in result.rows:
        if row.by == "request" and not row.phase:
            found |= {(row.name, name): value for name, value in _of_row(row)}
    return found


def _latencies(result: RunResult) -> Iterator[tuple[str, float]]:
    """Yield those of all requests together."""
    whole = Histogram()
    for labels, delta in read_series(result.series).items():
        if labels.is_timed_request:
            whole.merge(delta.latency)
    if whole.count:
        ranks = [float(name[1:]) for name in _PERCENTILES]
        yield from zip(_PERCENTILES, whole.percentiles(ranks), strict=True)
        yield "max", whole.max


def _of_row(row: Row) -> Iterator[tuple[str, float]]:
    yield "requests", row.count
    yield "throughput", row.requests_per_second
    if row.count:
        yield "error_rate", row.failed / row.count
    if row.has_latency:
        for name in ("avg", *_PERCENTILES, "max"):
            yield name, row.latency_ns[name]


def spreads(runs: Sequence[FiguresOfRun]) -> tuple[FigureSpread, ...]:
    """Return the spread of each figure that any of the runs has."""
    keys = dict.fromkeys(key for run in runs for key in run)
    return tuple(_spread(request, figure, runs) for request, figure in keys)


def _spread(request: str, figure: str, runs: Sequence[FiguresOfRun]) -> FigureSpread:
    found = (run.get((request, figure)) for run in runs)
    values = [None if value is None else float(value) for value in found]
    known = [value for value in values if value is not None]
    middle = median(known)
    return FigureSpread(
        request=request,
        figure=figure,
        unit=_UNITS[figure].value,
        values=tuple(values),
        median=middle,
        minimum=min(known),
        maximum=max(known),
        mad=float(median(abs(value - middle) for value in known)),
    )


def judged(runs: Sequence[Sequence[Judgement]]) -> tuple[JudgedMedian, ...]:
    """Judge each threshold of a plan by the median of what its runs observed."""
    return tuple(_judged(one) for one in zip(*runs, strict=False))


def _judged(found: Sequence[Judgement]) -> JudgedMedian:
    first = found[0]
    amounts = [one.amount for one in found]
    known = [amount for amount in amounts if amount is not None]
    middle = median(known) if known else None
    verdict = _verdict(found, middle)
    missing = sum(one.verdict is Verdict.NO_DATA for one in found)
    return JudgedMedian(
        threshold=first.threshold,
        verdict=verdict,
        observed=_words(known, first.limit_amount, first.unit) or first.observed,
        limit=first.limit,
        place=first.place,
        reason=f"{missing} of {len(found)} runs had no data" if missing else "",
        level=first.level,
        pair=first.pair,
        verdicts=tuple(one.verdict for one in found),
        amounts=tuple(amounts),
        median=middle,
        limit_amount=first.limit_amount,
        operator=first.operator,
        unit=first.unit,
    )


def _verdict(found: Sequence[Judgement], middle: float | None) -> Verdict:
    """Return what the median means; where runs agree, it is what each of them said."""
    verdicts = {one.verdict for one in found}
    if len(verdicts) == 1:
        return found[0].verdict
    if Verdict.NO_DATA in verdicts:  # no median makes up for what was not measured
        return Verdict.NO_DATA
    limit = next((one.limit_amount for one in found if one.limit_amount is not None), None)
    if middle is None or limit is None or Operator(found[0].operator).holds(middle, limit):
        return Verdict.PASS
    return Verdict.WARN if found[0].level == "warn" else Verdict.FAIL


def _words(amounts: Sequence[float], limit: float | None, unit: str) -> str:
    """Return the median, with digits that distinguish it from its limit, and the range."""
    if not amounts or not unit:
        return ""
    middle = _whole(median(amounts))
    shown, least, most = (
        format_amount(amount, Unit(unit)) for amount in (middle, min(amounts), max(amounts))
    )
    if limit is not None and shown == format_amount(_whole(limit), Unit(unit)):
        shown = distinct_amount(middle, limit, Unit(unit))
    return shown if least == most else f"{shown} ({least} … {most})"


def _whole(amount: float) -> float:
    """Return a whole number as one, so that it is shown as such."""
    return int(amount) if amount == int(amount) else amount


def exit_code_of(codes: Iterable[int], judgements: Iterable[JudgedMedian]) -> int:
    """Return the exit code of a repeated plan.

    Thresholds count by their medians; what a run came to alone counts where it wasn't whole, and
    where `--strict` found its numbers invalid.
    """
    given = list(codes)
    if any(code != ExitCode.THRESHOLD_FAILED for code in given if code):
        return worst(code for code in given if code != ExitCode.THRESHOLD_FAILED)
    broken = any(one.verdict.fails_the_run for one in judgements)
    return ExitCode.THRESHOLD_FAILED if broken else ExitCode.OK
