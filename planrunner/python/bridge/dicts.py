"""What the classes of the bridge return: plain dictionaries, typed; times are in milliseconds."""

from __future__ import annotations

from typing import TypedDict

from planrunner.python.results.figures import Figures

__all__ = [
    "CollectedMetrics",
    "LoadTestAnswer",
    "LoadTestComparison",
    "ResponseTimes",
    "StressTestAnswer",
    "StressTestStep",
    "metrics_of",
]


class ResponseTimes(TypedDict):
    """Latencies in milliseconds; 0 where nothing was measured."""

    avg: float
    min: float
    max: float
    median: float
    p95: float
    p99: float


class CollectedMetrics(TypedDict):
    """What requests came to; `error_rate` is in percent, `duration` in seconds."""

    total_requests: int
    successful_requests: int
    failed_requests: int
    error_rate: float
    throughput: float
    response_times: ResponseTimes
    error_types: dict[str, int]
    duration: float


class LoadTestAnswer(TypedDict):
    """What a load test came to.

    `output` is the summary in words, `errors` what failed, and `directory` has the reports; both
    are None where there are none.
    """

    tool: str
    target_url: str
    users: int
    duration: float
    success: bool
    results: CollectedMetrics
    output: str
    errors: str | None
    directory: str | None


class StressTestStep(TypedDict):
    """One number of users that a stress test tried."""

    users: int
    result: LoadTestAnswer


class StressTestAnswer(TypedDict):
    """What a stress test came to; `break_point` is None when nothing broke."""

    stress_test: bool
    tool: str
    target_url: str
    steps: list[StressTestStep]
    max_users_reached: int
    break_point: int | None
    output: str
    errors: str | None
    directory: str | None


class LoadTestComparison(TypedDict):
    """Load tests of one URL with several numbers of users, in the order of their configurations."""

    target_url: str
    total_tests: int
    successful_tests: int
    failed_tests: int
    results: list[LoadTestAnswer]


def metrics_of(figures: Figures | None, seconds: float) -> CollectedMetrics:
    """Return figures as the bridge has them; None is for no request at all."""
    count, failed = (figures.count, figures.failed) if figures else (0, 0)
    return {
        "total_requests": count,
        "successful_requests": count - failed,
        "failed_requests": failed,
        "error_rate": figures.error_rate if figures else 0.0,
        "throughput": round(figures.per_second, 3) if figures else 0.0,
        "response_times": {
            "avg": _ms(figures, "mean"),
            "min": _ms(figures, "min"),
            "max": _ms(figures, "max"),
            "median": _ms(figures, "p50"),
            "p95": _ms(figures, "p95"),
            "p99": _ms(figures, "p99"),
        },
        "error_types": dict(figures.failures) if figures else {},
        "duration": round(seconds, 3),
    }


def _ms(figures: Figures | None, name: str) -> float:
    """Return a latency in milliseconds, to the microsecond."""
    return round(getattr(figures, name).ms, 3) if figures else 0.0
