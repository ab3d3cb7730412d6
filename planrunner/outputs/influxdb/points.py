"""A stretch of a run as points of InfluxDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.outputs.base import RunInfo
from planrunner.outputs.influxdb.line_protocol import FieldValue, line, tags_text
from planrunner.outputs.labelled import LabelTexts, SampleLabels
from planrunner.outputs.totals import RequestTotals
from planrunner.units import NS_PER_S

__all__ = ["RunPoints"]

_PERCENTS: Final = (50.0, 90.0, 95.0, 99.0)
_PERCENTILES: Final = ("p50", "p90", "p95", "p99")

_REQUESTS: Final = "perf_test_requests"
_ERRORS: Final = "perf_test_errors"
_USERS: Final = "perf_test_users"
_METRICS: Final = "perf_test_metrics"
_RUNS: Final = "perf_test_runs"


class RunPoints:
    """Writes the points of one run, which all have its id: several share a database."""

    def __init__(self, run: RunInfo, labels: SampleLabels) -> None:
        self._names = labels.names
        self._run = {"run": run.run_id, "plan": run.mask(run.plan)}
        self._facts: Mapping[str, FieldValue] = {
            "seed": run.seed,
            "profile": run.mask(run.profile),
            "labels": ", ".join(f"{name}={value}" for name, value in run.labels.items()),
        }
        self._users: dict[str, int] = {}
        self._written: dict[tuple[object, ...], str] = {}

    def run_began(self, at_ns: int) -> str:
        return self._of_run({"event": "started", **self._facts}, at_ns)

    def run_ended(self, at_ns: int, exit_code: int) -> str:
        return self._of_run({"event": "ended", "exit_code": exit_code, **self._facts}, at_ns)

    def _of_run(self, fields: Mapping[str, FieldValue], at_ns: int) -> str:
        return line(_RUNS, tags_text(self._run), fields, at_ns)

    def users(self, users: Mapping[str, int], at_ns: int) -> Iterator[str]:
        """Yield how many there are of each class; of one that has gone, 0."""
        self._users = {**dict.fromkeys(self._users, 0), **users}
        for name, count in self._users.items():
            yield line(_USERS, tags_text({**self._run, "user": name}), {"count": count}, at_ns)

    def requests(self, values: LabelTexts, found: RequestTotals, at_ns: int) -> Iterator[str]:
        """Yield what the requests with these labels came to in an interval."""
        yield line(_REQUESTS, self._tags(values), _request_fields(found), at_ns)
        for kind, count in found.failures.items():
            yield line(_ERRORS, self._tags(values, kind=kind), {"count": count}, at_ns)
        for word, recorded in found.recorded.items():
            metric = self._tags(values, metric=word)
            yield line(_METRICS, metric, _metric_fields(recorded), at_ns)

    def _tags(self, values: LabelTexts, **more: str) -> str:
        key = (values, *more.items())
        written = self._written.get(key)
        if written is None:
            named = dict(zip(self._names, values, strict=True))
            written = self._written[key] = tags_text({**named, **self._run, **more})
        return written


def _request_fields(found: RequestTotals) -> dict[str, FieldValue]:
    sizes = {"bytes_received": found.received, "bytes_sent": found.sent}
    return {
        "count": found.count,
        "failed": found.failed,
        **{name: size for name, size in sizes.items() if size is not None},
        **_figures(found.latency, NS_PER_S),
    }


def _metric_fields(values: Histogram) -> dict[str, FieldValue]:
    known = {"count": values.count, "sum": values.total / MILLIONTHS}
    return {**known, **_figures(values, MILLIONTHS)}


def _figures(values: Histogram, scale: int) -> dict[str, FieldValue]:
    """Return average, percentiles and maximum in whole units; nothing where there is no value."""
    if not values.count:
        return {}
    percentiles = zip(_PERCENTILES, values.percentiles(_PERCENTS), strict=True)
    return {
        **{name: value / scale for name, value in percentiles},
        "max": values.max / scale,
        "avg": values.mean / scale,
    }
