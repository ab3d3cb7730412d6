"""A run so far → metrics as the SDK of OpenTelemetry hands them to an exporter.

Sums and histograms are cumulative: each export says everything again that changed, so that one that
failed costs nothing but time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final, TypeVar, cast

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from planrunner.engine.recording.generator_health import Health
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.outputs.labelled import LabelTexts
from planrunner.outputs.otlp.moment import Moment
from planrunner.outputs.slices import paced
from planrunner.units import NS_PER_S

__all__ = ["metrics_data", "run_resource"]

_MOST_POINTS: Final = 300
"""In a message. Over gRPC, receivers take 4 MB, which are ten times as many; putting it together
holds the interpreter for 1 ms, in which the load waits."""

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE

Attributes = Mapping[str, str]

T = TypeVar("T", NumberDataPoint, HistogramDataPoint)


def run_resource(attributes: Attributes, version: str) -> Resource:
    """Return who sends the metrics: planrunner, unless the environment says otherwise."""
    known = Resource({"service.name": "planrunner", "service.version": version})
    return known.merge(OTELResourceDetector().detect()).merge(Resource(dict(attributes)))


def metrics_data(moment: Moment, resource: Resource, version: str) -> Iterator[MetricsData]:
    """Yield everything that an export sends, in messages of a bounded size.

    Points are made when the message with them is wanted.
    """
    scope = InstrumentationScope("planrunner", version)
    waiting, count = list[Metric](), 0
    for metric, size in (part for one in _Metrics(moment).all() for part in _parts(one)):
        waiting.append(metric)
        count += size
        if count >= _MOST_POINTS:
            yield _message(resource, scope, waiting)
            waiting, count = [], 0
    if waiting:
        yield _message(resource, scope, waiting)


def _message(
    resource: Resource, scope: InstrumentationScope, metrics: Sequence[Metric]
) -> MetricsData:
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, "")], "")])


def _parts(metric: Metric) -> Iterator[tuple[Metric, int]]:
    """Yield a metric with so many of its points that a message has room for, and how many."""
    points = iter(paced(metric.data.data_points))
    while few := list(islice(points, _MOST_POINTS)):
        data = replace(metric.data, data_points=few)  # type: ignore[arg-type]  # of its own kind
        yield replace(metric, data=data), len(few)


class _Metrics:
    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._plan = {"plan": moment.plan}
        self._requests = [
            (self._attributes(values), found) for values, found in moment.requests.items()
        ]

    def _attributes(self, values: LabelTexts) -> Attributes:
        named = zip(self._moment.names, values, strict=True)
        return {**self._plan, **{name: value for name, value in named if value}}

    def all(self) -> Iterator[Metric]:
        moment = self._moment
        yield _gauge("perf_test.run.info", "The run and its labels.", [self._number(moment.run, 1)])
        yield _counter("perf_test.requests", "Requests that ended.", "{request}", self._counts())
        yield _counter("perf_test.errors", "Requests that failed.", "{request}", self._errors())
        yield _histogram(
            "perf_test.request.duration",
            "Latency: last byte received less due time, or less send without one.",
            "s",
            self._durations(),
        )
        yield _histogram("perf_test.metric", "Values that the plan records.", "", self._recorded())
        users = [self._number({**self._plan, "user": user}, n) for user, n in moment.users.items()]
        yield _gauge("perf_test.users", "Virtual users alive, by user class.", users)
        yield _counter(
            "perf_test.dropped",
            "Arrivals that found all users busy.",
            "{iteration}",
            (self._number({**self._plan, "phase": p}, n) for p, n in moment.dropped.items()),
        )
        yield _gauge(
            "perf_test.threshold",
            "1 for the verdict that a threshold has so far, 0 for the others.",
            [*self._verdicts()],
        )
        if moment.health is not None:
            yield from self._generator(moment.health)

    def _generator(self, health: Health) -> Iterator[Metric]:
        yield _gauge(
            "perf_test.generator.loop_lag",
            "The latest that a timer of the generator fired in the last second.",
            [self._number(self._plan, health.loop_lag_ns / NS_PER_S)],
            unit="s",
        )
        yield _gauge(
            "perf_test.generator.cpu",
            "Share of one processor that the generator took in the last second.",
            [self._number(self._plan, health.cpu_share)],
            unit="1",
        )

    def _number(self, attributes: Attributes, value: float) -> NumberDataPoint:
        return NumberDataPoint(attributes, self._moment.began_ns, self._moment.at_ns, value)

    def _counts(self) -> Iterator[NumberDataPoint]:
        return (self._number(attributes, found.count) for attributes, found in self._requests)

    def _errors(self) -> Iterator[NumberDataPoint]:
        for attributes, found in self._requests:
            for kind, count in found.failures.items():
                yield self._number({**attributes, "kind": kind}, count)

    def _durations(self) -> Iterator[HistogramDataPoint]:
        bounds_ns = self._moment.buckets_ns
        bounds_s = tuple(bound / NS_PER_S for bound in bounds_ns)
        for attributes, found in self._requests:
            if found.latency.count:
                yield self._distribution(attributes, found.latency, NS_PER_S, bounds_ns, bounds_s)

    def _recorded(self) -> Iterator[HistogramDataPoint]:
        for attributes, found in self._requests:
            for word, values in found.recorded.items():
                named = {**attributes, "metric": word}
                yield self._distribution(named, values, MILLIONTHS, (), ())

    def _distribution(
        self,
        attributes: Attributes,
        values: Histogram,
        scale: int,
        bounds: Sequence[int],
        written_bounds: Sequence[float],
    ) -> HistogramDataPoint:
        at_most = (0, *values.counts_at_most(bounds), values.count)
        return HistogramDataPoint(
            attributes=attributes,
            start_time_unix_nano=self._moment.began_ns,
            time_unix_nano=self._moment.at_ns,
            count=values.count,
            sum=values.total / scale,
            bucket_counts=[upper - lower for lower, upper in pairwise(at_most)],
            explicit_bounds=written_bounds,
            min=values.min / scale,
            max=values.max / scale,
        )

    def _verdicts(self) -> Iterator[NumberDataPoint]:
        for threshold, found in self._moment.verdicts.items():
            for verdict in Verdict:
                about = {**self._plan, "threshold": threshold, "verdict": verdict.value}
                yield self._number(about, int(verdict is found))


def _gauge(
    name: str, description: str, points: Sequence[NumberDataPoint], *, unit: str = ""
) -> Metric:
    return Metric(name, description, unit, Gauge(points))


def _counter(name: str, description: str, unit: str, points: Iterable[NumberDataPoint]) -> Metric:
    return Metric(name, description, unit, Sum(_made_later(points), _CUMULATIVE, is_monotonic=True))


def _histogram(
    name: str, description: str, unit: str, points: Iterable[HistogramDataPoint]
) -> Metric:
    return Metric(name, description, unit, HistogramData(_made_later(points), _CUMULATIVE))


def _made_later(points: Iterable[T]) -> Sequence[T]:
    """Have points made when they are sent: `_parts` only iterates over them."""
    return cast("Sequence[T]", points)
