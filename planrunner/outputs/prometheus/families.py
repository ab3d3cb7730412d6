"""A run so far → the families of metrics on its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.engine.recording.generator_health import Health
from planrunner.metrics.judging.verdict import Verdict
from planrunner.outputs.labelled import LabelTexts
from planrunner.outputs.prometheus.tally import Durations
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["BOUND", "Family", "RunSoFar", "families_of", "numbers"]

BOUND: Final = "<bound>"
"""Stands for the bound of each bucket."""


@dataclass(frozen=True, slots=True)
class RunSoFar:
    """What the page shows; a new one each second.

    Attributes:
        info: The labels of the run itself.
        started_s: In seconds since 1970.
        requests: Counters by the values of `request_names`; the others likewise.
        users: By user class.
        dropped: Arrivals, by phase.
        verdicts: By threshold.
    """

    info: Mapping[str, str]
    started_s: float
    request_names: tuple[str, ...]
    error_names: tuple[str, ...]
    duration_names: tuple[str, ...]
    buckets_ns: tuple[int, ...]
    requests: Mapping[LabelTexts, int]
    errors: Mapping[LabelTexts, int]
    durations: Mapping[LabelTexts, Durations]
    users: Mapping[str, int]
    dropped: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    health: Health | None


@dataclass(frozen=True, slots=True)
class Family:
    """The series of one metric.

    Attributes:
        name: Without the prefix.
        kind: As Prometheus calls it: `counter`, `gauge` or `histogram`.
        names: Of the labels, in the order of their values.
        series: What each has, by the values of its labels.
        bounds: Of a histogram's buckets, in seconds.
    """

    name: str
    kind: str
    documentation: str
    names: tuple[str, ...]
    series: Mapping[LabelTexts, float | Durations]
    bounds: tuple[float, ...] = ()

    @property
    def rows(self) -> Sequence[tuple[str, Mapping[str, str]]]:
        """What is added to the name, and the labels beside its own, of each line of a series.

        Those of all buckets are one row, whose bound is `BOUND`. `numbers` gives what stands on
        the lines.
        """
        if self.kind != "histogram":
            return [("", {})]
        return [("_bucket", {"le": BOUND}), ("_count", {}), ("_sum", {})]


def numbers(found: float | Durations) -> Sequence[float]:
    """Return the numbers of a series, in the order of `Family.rows`."""
    if not isinstance(found, Durations):
        return (found,)
    return (*found.at_most, found.count, found.count, found.total_ns / NS_PER_S)


def families_of(run: RunSoFar) -> Iterator[Family]:
    """Yield what is on the page, in its order."""
    plan = run.info["plan"]

    def gauge(name: str, documentation: str, value: float) -> Family:
        return Family(name, "gauge", documentation, ("plan",), {(plan,): value})

    yield Family(
        *("run_info", "gauge", "The run and its labels."),
        tuple(run.info),
        {tuple(run.info.values()): 1},
    )
    yield gauge("run_start_timestamp_seconds", "When the load began.", run.started_s)
    yield Family(
        *("requests_total", "counter", "Requests that were answered or failed."),
        run.request_names,
        run.requests,
    )
    yield Family(
        *("errors_total", "counter", "Requests without an acceptable reply, by kind of failure."),
        run.error_names,
        run.errors,
    )
    yield Family(
        *("request_duration_seconds", "histogram", "Latency of requests."),
        run.duration_names,
        run.durations,
        tuple(bound / NS_PER_S for bound in run.buckets_ns),
    )
    yield Family(
        *("users", "gauge", "Virtual users alive, by user class."),
        ("plan", "user"),
        {(plan, user): count for user, count in run.users.items()},
    )
    yield Family(
        *("dropped_total", "counter", "Arrivals that found all users busy."),
        ("plan", "phase"),
        {(plan, phase): count for phase, count in run.dropped.items()},
    )
    yield Family(
        *("threshold", "gauge", "1 for the verdict that a threshold has so far, 0 for others."),
        ("plan", "threshold", "verdict"),
        {
            (plan, threshold, verdict.value): verdict is found
            for threshold, found in run.verdicts.items()
            for verdict in Verdict
        },
    )
    if run.health is not None:
        lag_s = run.health.loop_lag_ns / NS_PER_S
        yield gauge("generator_loop_lag_seconds", "How late the generator was at most.", lag_s)
        cpu_share = run.health.cpu_share
        yield gauge("generator_cpu_ratio", "What it took of one processor.", cpu_share)
