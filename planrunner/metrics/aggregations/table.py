"""Every aggregation. A new one is a record here; `make schema` then writes its documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from planrunner.metrics.aggregations.computation import (
    ArrivalTotals,
    Distribution,
    OfAmounts,
    OfArrivals,
    OfCounts,
    OfExpectations,
    OfGrowth,
    OfSearches,
    OfSizes,
    OfSuccesses,
    OfTaskMix,
    OfValues,
    SampleCounts,
    TaskShare,
)
from planrunner.metrics.aggregations.own_metrics import per_second
from planrunner.metrics.aggregations.record import (
    Aggregation,
    ArgumentKind,
    SelectorUse,
    WindowUse,
)
from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import WORK

__all__ = ["AGGREGATIONS", "USUAL_OF_A_GAUGE"]


def _average(values: Distribution, _: float) -> float:
    return values.mean


def _smallest(values: Distribution, _: float) -> float:
    return values.min


def _greatest(values: Distribution, _: float) -> float:
    return values.max


def _sum(values: Distribution, _: float) -> float:
    return values.total


def _last(values: Distribution, _: float) -> float:
    return values.last


def _standard_deviation(values: Distribution, _: float) -> float:
    return values.stddev


def _median(values: Distribution, _: float) -> float:
    return values.percentile(50)


def _fifty(_: float) -> float:
    return 50


def _itself(percent: float) -> float:
    return percent


def _percentile(values: Distribution, percent: float) -> float:
    return values.percentile(percent)


def _apdex(succeeded: Sequence[Distribution], count: int, target_ns: float) -> float:
    """(satisfied + tolerating / 2) / all; a failure satisfies nobody.

    Source: Apdex Technical Specification 1.1: satisfied up to T, tolerating up to 4 T.
    """
    target = int(target_ns)
    score = 0.0
    for values in succeeded:
        score += (values.count_at_most(target) + values.count_at_most(4 * target)) / 2
    return score / count


def _count(samples: SampleCounts) -> float:
    return samples.count


def _errors(samples: SampleCounts) -> float:
    return samples.failed


def _error_rate(samples: SampleCounts) -> float | None:
    return samples.failed / samples.count if samples.count else None


def _share(samples: SampleCounts) -> float | None:
    return samples.count / samples.among if samples.among else None


def _checks(asked: int, broken: int) -> float | None:
    return (asked - broken) / asked if asked else None


def _throughput(samples: SampleCounts) -> float | None:
    return samples.count / samples.seconds if samples.seconds else None


def _achieved_rate(arrivals: ArrivalTotals, unit: Unit) -> float | None:
    whole = arrivals.seconds if unit is Unit.RATE else arrivals.due
    return arrivals.started / whole if whole else None


def _dropped(arrivals: ArrivalTotals, unit: Unit) -> float | None:
    return _of_due(arrivals.dropped, arrivals, unit)


def _late(arrivals: ArrivalTotals, unit: Unit) -> float | None:
    return _of_due(arrivals.late, arrivals, unit)


def _of_due(number: float, arrivals: ArrivalTotals, unit: Unit) -> float | None:
    """Return a number of arrivals, or its share of those that were due."""
    if unit is not Unit.PERCENT:
        return number
    return number / arrivals.due if arrivals.due else None


def _mix_error(tasks: Sequence[TaskShare]) -> float:
    return sum(abs(task.achieved - task.declared) for task in tasks) / 2


def _weakest(levels: Sequence[float]) -> float:
    # Of several searches the limit must hold for each, so the weakest speaks.
    return min(levels)


_RECORDS: Final = (
    Aggregation(
        "avg",
        meaning="the arithmetic mean, exactly",
        computation=OfValues(_average),
        phrase="the average of {of}",
        examples=("avg < 200ms", "avg of service.api.cpu < 80%"),
        synonyms=(
            "average", "mean", "response_time", "latency", "avg_response_time",
            "average_response_time", "http_req_duration", "avg-rt", "rt", "mean_response_time",
            "total_avg_response_time", "meanResTime", "Average", "http.response_time",
            "response_times", "responseTime",
        ),
    ),
    Aggregation(
        "min",
        meaning="the smallest value, exactly",
        computation=OfValues(_smallest),
        phrase="the smallest value of {of}",
        examples=('min of "GET /items" > 1ms',),
        synonyms=("minimum", "p0", "min_response_time", "minResTime", "min-rt"),
    ),
    Aggregation(
        "max",
        meaning="the greatest value, exactly",
        computation=OfValues(_greatest),
        phrase="the greatest value of {of}",
        examples=("max < 5s", "max of monitor.db.connections < 42"),
        synonyms=("maximum", "p100", "max_response_time", "maxResTime", "max-rt"),
    ),
    Aggregation(
        "med",
        meaning="the median: the same as `p50`",
        computation=OfValues(_median, percent=_fifty),
        phrase="the median of {of}",
        examples=("med of user:Buyer < 100ms",),
        synonyms=("median", "median_response_time", "medianResTime", "p50_response_time"),
    ),
    Aggregation(
        "p",
        meaning="the percentile that the number says, between 0 and 100, by nearest rank: of "
        "latencies within 0.4 %, of a gauge exactly",
        computation=OfValues(_percentile, percent=_itself),
        phrase="the {argument} percentile of {of}",
        examples=("p95 < 500ms", 'p99.9 of "GET /items" in phase peak < 2s'),
        argument=ArgumentKind.PERCENT,
    ),
    Aggregation(
        "stddev",
        meaning="the standard deviation of all values: of latencies within 0.4 % of their "
        "quadratic mean, of a gauge exactly",
        computation=OfValues(_standard_deviation),
        phrase="the standard deviation of {of}",
        examples=('stddev of "GET /items" < 50ms',),
        synonyms=(
            "std", "sd", "stdev", "std_dev", "standard_deviation", "deviation", "stdev-rt",
        ),
    ),
    Aggregation(
        "sum",
        meaning="all values added up, exactly",
        computation=OfValues(_sum),
        phrase="the sum of {of}",
        examples=('sum size of "GET /items" < 1GB', "sum of metric.tokens < 100000"),
        of_gauges=False,
        synonyms=("total_of", "sum_of", "summed"),
    ),
    Aggregation(
        "last",
        meaning="the latest value, exactly: of a gauge, or of a metric of the plan's own",
        computation=OfValues(_last),
        phrase="the latest value of {of}",
        examples=("last of monitor.queue < 5", "last of metric.queue == 0"),
        of_latencies=False,
    ),
    Aggregation(
        "work_rate",
        meaning="the work of what the selector picks, per second of measured time: the sum of what "
        "`work:` gave, divided by the time as `throughput` has it. In a phase that counts "
        "iterations only the time of these samples counts, because what users do between them is "
        "preparation, and at most that of the phase, because users work side by side",
        computation=OfAmounts(per_second, is_of_work=True),
        units=(Unit.RATE,),
        phrase="{of} per second",
        examples=("work_rate of ingest > 1000/s", "work_rate of ingest in phase large > 5000/s"),
        missing="no values of work",
        always_of=WORK,
        synonyms=(
            "workrate", "work_per_second", "rows_per_second", "items_per_second",
            "records_per_second", "bytes_per_second", "tokens_per_second", "docs_per_second",
        ),
        other_units={Unit.NUMBER: "write a rate such as `1000/s`"},
    ),
    Aggregation(
        "count",
        meaning="how many there are",
        computation=OfCounts(_count),
        units=(Unit.NUMBER,),
        phrase="the number of {of}",
        examples=("count of iteration:Buyer > 1000",),
        synonyms=(
            "requests", "total", "samples", "num_requests", "request_count", "hits", "sampleCount",
            "total_requests", "http.requests",
        ),
        other_units={Unit.PERCENT: "write `rate of SELECTOR` for a percentage"},
    ),
    Aggregation(
        "rate",
        meaning="the share of what the selector picks among everything of its kind",
        computation=OfCounts(_share, is_share=True),
        units=(Unit.PERCENT,),
        phrase="the share of {of} among {all}",
        examples=("rate of status:5xx < 1%",),
        selector=SelectorUse.REQUIRED,
        other_units={Unit.RATE: "write `throughput of SELECTOR` for requests a second"},
        without_selector="write `rate of status:5xx < 1%`, or `throughput` for requests a second",
    ),
    Aggregation(
        "share",
        meaning="how much of what `among` picks `of` picks too; among everything of its kind, as "
        "`rate` does, where `among` is left out",
        computation=OfCounts(_share, is_share=True),
        units=(Unit.PERCENT,),
        phrase="the share of {of} among {all}",
        examples=(
            'share of status:5xx among "POST /order" < 1%',
            "share of task:buy among user:Buyer > 20%",
        ),
        selector=SelectorUse.REQUIRED,
        other_units={Unit.NUMBER: "write `count of SELECTOR` for a number"},
        without_selector="write `share of status:5xx < 1%`",
        takes_among=True,
        synonyms=("proportion", "percentage", "fraction", "portion", "ratio_of"),
    ),
    Aggregation(
        "error_rate",
        meaning="the share of failures",
        computation=OfCounts(_error_rate, none_is_an_answer=False),
        units=(Unit.PERCENT,),
        phrase="the share of failures among {of}",
        examples=("error_rate < 1%", "error_rate of task:checkout over 10s < 25%, abort after 1m"),
        delay_proof=True,
        synonyms=(
            "failure_rate", "fail_rate", "failed_rate", "http_req_failed", "error", "fail-rate",
            "fail_ratio", "failure_ratio", "error_ratio", "failed_ratio", "errorPct", "error_pct",
            "error_percent", "error_percentage", "maxErrorRate", "max_error_rate", "fail-ratio",
            "failRatio", "errorRate",
        ),
        other_units={Unit.RATE: "write a percentage such as `1%`"},
    ),
    Aggregation(
        "errors",
        meaning="how many failed",
        computation=OfCounts(_errors),
        units=(Unit.NUMBER,),
        phrase="the number of failures among {of}",
        examples=("errors == 0",),
        delay_proof=True,
        synonyms=(
            "failures", "failed", "fail", "num_failures", "failed_requests", "errorCount",
            "error_count", "vusers.failed", "failedRequests",
        ),
        other_units={Unit.PERCENT: "write `error_rate` for a percentage"},
    ),
    Aggregation(
        "checks",
        meaning="the share of expectations that held, hard and soft ones, each expectation of each "
        "complete reply counted once",
        computation=OfExpectations(_checks),
        units=(Unit.PERCENT,),
        phrase="the share of expectations that held among those of {of}",
        examples=("checks > 95%", 'checks of "GET /items" in phase peak over 10s > 99%'),
        missing="no expectations",
        synonyms=(
            "check", "check_rate", "checks_rate", "checks_succeeded", "check_success_rate",
            "assertions", "expectations", "expect",
        ),
        other_units={
            Unit.RATE: "write a percentage such as `95%`",
        },
    ),
    Aggregation(
        "throughput",
        meaning="how many finished, divided by the measured time",
        computation=OfCounts(_throughput),
        units=(Unit.RATE,),
        phrase="the number of {of} that finished, divided by the measured time,",
        examples=("throughput > 100/s", "throughput of iteration > 30/m"),
        synonyms=(
            "rps", "qps", "rate_per_second", "requests_per_second", "http_reqs", "total_rps",
            "current_rps", "http.request_rate", "request_rate", "hits_per_second",
            "requestsPerSec",
        ),
    ),
    Aggregation(
        "achieved_rate",
        meaning="how many of the arrivals that were due began: as a share of them, or by the time",
        computation=OfArrivals(_achieved_rate),
        units=(Unit.PERCENT, Unit.RATE),
        phrase="the share of due arrivals that were started",
        phrase_in={Unit.RATE: "the rate of arrivals that were started"},
        examples=("achieved_rate > 99%", "achieved_rate in phase peak > 95/s"),
        selector=SelectorUse.NEVER,
        missing="no arrivals",
    ),
    Aggregation(
        "dropped",
        meaning="how many arrivals found all users busy: a number, or the share of those due",
        computation=OfArrivals(_dropped),
        units=(Unit.NUMBER, Unit.PERCENT),
        phrase="the number of arrivals that found all users busy",
        phrase_in={Unit.PERCENT: "the share of due arrivals that found all users busy"},
        examples=("dropped in phase peak == 0", "dropped < 0.1%"),
        selector=SelectorUse.NEVER,
        missing="no arrivals",
        synonyms=("dropped_iterations",),
    ),
    Aggregation(
        "late",
        meaning="how many arrivals began over 5 ms after they were due: a number, or the share of "
        "those due",
        computation=OfArrivals(_late),
        units=(Unit.NUMBER, Unit.PERCENT),
        phrase="the number of arrivals started over 5 ms late",
        phrase_in={Unit.PERCENT: "the share of due arrivals that were started over 5 ms late"},
        examples=("late < 1%", "late < 10"),
        selector=SelectorUse.NEVER,
        missing="no arrivals",
    ),
    Aggregation(
        "mix_error",
        meaning="how far the tasks that ran are from their weights among those that `needs` left "
        "open: half the sum of the differences between declared and achieved shares; of several "
        "classes the largest",
        computation=OfTaskMix(_mix_error),
        units=(Unit.PERCENT,),
        phrase="the difference between declared and achieved task mix of {user}",
        examples=("mix_error of user:Buyer in phase peak < 5%",),
        selector=SelectorUse.USER_CLASS,
        window=WindowUse.NEVER,
        missing="no task ran",
    ),
    Aggregation(
        "max_sustainable",
        meaning="the highest level that a search found to hold; of several searches the lowest",
        computation=OfSearches(_weakest),
        units=(Unit.RATE, Unit.NUMBER),
        phrase="the highest level that the search found to hold",
        examples=("max_sustainable in phase find-limit >= 150/s", "max_sustainable >= 200"),
        selector=SelectorUse.NEVER,
        window=WindowUse.NEVER,
        missing="no search with a result",
    ),
    Aggregation(
        "growth",
        meaning="the median of the last tenth of the time less that of the first; with `over`, "
        "the largest over any stretch of that length",
        computation=OfGrowth(),
        phrase="the growth of {of} from the first to the last tenth of the time",
        examples=("growth of service.api.rss over 10m < 100MB", "growth in phase soak < 50ms"),
        window=WindowUse.SINGLE,
        missing="too short to show growth",
    ),
    Aggregation(
        "scalability",
        meaning="how time grows against a size that the `matrix` of a phase varies: of "
        "neighbouring sizes the ratio of their medians, divided by that of the sizes, the worst. "
        "1 is linear. `over` names the param, `users` or `rate`; each combination of the other "
        "axes is judged by itself",
        computation=OfSizes(),
        units=(Unit.NUMBER,),
        phrase="the growth of {of} against {size}, where 1 is linear,",
        examples=(
            "scalability of ingest in phase ingestion over rows < 1.3",
            "scalability over users < 1.5",
        ),
        window=WindowUse.NEVER,
        missing="no sizes",
        synonyms=("scaling",),
    ),
    Aggregation(
        "apdex",
        meaning="the Apdex score, from 0 to 1: successes within the target time count fully, "
        "those within four times as long half, failures not at all",
        computation=OfSuccesses(_apdex),
        units=(Unit.NUMBER,),
        phrase="the apdex of {of} (target {argument})",
        examples=("apdex(500ms) > 0.9",),
        argument=ArgumentKind.TARGET,
        greatest=1,
    ),
)  # fmt: skip

AGGREGATIONS: Final[Mapping[str, Aggregation]] = {record.word: record for record in _RECORDS}
"""By word, in the order of the reference."""

USUAL_OF_A_GAUGE: Final = AGGREGATIONS["avg"]
"""What a gauge without an aggregation is judged by."""
