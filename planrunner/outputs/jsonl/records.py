"""The lines of the file, as values: schema/seconds.schema.json is made from these."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import OWN_PREFIX, WORK
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.jsonl.samples import SampleRecord
from planrunner.outputs.totals import RequestTotals
from planrunner.results.files.codec import schema_of
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "RequestKey",
    "RequestRecord",
    "SecondRecord",
    "ValuesRecord",
    "line_of",
    "request_record",
    "second_record",
    "seconds_schema",
    "text_of",
]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCHEMA_ID: Final = "urn:planrunner:schema:seconds:1"


@dataclass(frozen=True, slots=True)
class ValuesRecord:
    """Values that a plan's expressions recorded."""

    count: int
    sum: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What one request came to in a second, in one phase.

    Attributes:
        warmup: They began in the warm-up, or when the measured time was over.
        tags: Those that the output's `labels` name; a plain tag is `true`, none is empty.
        count: How many ended; aborted ones are not among them.
        latency: avg, p50, p90, p95, p99 and max, in seconds; empty where no latency says anything.
        bytes_received: Of replies; null, as `bytes_sent`, where another tool doesn't tell.
        work: The sum of what they did, in the plan's own unit; null without `work:`.
        metrics: Of the plan's own.
    """

    request: str
    phase: str
    warmup: bool
    tags: Mapping[str, str]
    count: int
    failed: int
    aborted: int
    statuses: Mapping[str, int]
    failures: Mapping[str, int]
    latency: Mapping[str, float]
    bytes_received: int | None
    bytes_sent: int | None
    work: float | None = None
    metrics: Mapping[str, ValuesRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecondRecord:
    """One second of a run.

    Attributes:
        run: The id of the run.
        second: It ended so many seconds after the start of the load.
        time: When it ended, in UTC.
        phases: Those that ran at its end.
        users: Virtual users alive at its end, by user class.
        is_last: The rest of the run after its last whole second.
    """

    run: str
    plan: str
    second: int
    time: str
    phases: tuple[str, ...]
    users: Mapping[str, int]
    is_last: bool
    requests: tuple[RequestRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What tells the records of a second apart."""

    phase: str
    request: str
    warmup: bool
    tags: tuple[tuple[str, str], ...]


def second_record(run: RunInfo, second: Second) -> SecondRecord:
    """Return the record of a second, without its requests."""
    return SecondRecord(
        run.run_id,
        run.plan,
        second.number,
        second.ended.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        second.phases,
        dict(second.snapshot.users),
        second.is_last,
    )


def request_record(key: RequestKey, totals: RequestTotals) -> RequestRecord:
    """Return the record of a request in one second."""
    work = totals.recorded.get(WORK.word)
    return RequestRecord(
        request=key.request,
        phase=key.phase,
        warmup=key.warmup,
        tags=dict(key.tags),
        count=totals.count,
        failed=totals.failed,
        aborted=totals.aborted,
        statuses=dict(totals.statuses),
        failures=dict(totals.failures),
        latency=_latency(totals.latency),
        bytes_received=totals.received,
        bytes_sent=totals.sent,
        work=None if work is None else work.total / MILLIONTHS,
        metrics={
            word.removeprefix(OWN_PREFIX): _values(values)
            for word, values in totals.recorded.items()
            if word.startswith(OWN_PREFIX)
        },
    )


_PERCENTS: Final = (50, 90, 95, 99)


def _latency(latency: Histogram) -> Mapping[str, float]:
    if not latency.count:
        return {}
    percentiles = zip(_PERCENTS, latency.percentiles(_PERCENTS), strict=True)
    named = {f"p{percent}": value for percent, value in percentiles}
    found = {"avg": latency.mean, **named, "max": latency.max}
    return {name: round(value / NS_PER_S, 9) for name, value in found.items()}


def _values(values: Histogram) -> ValuesRecord:
    amounts = (values.total, values.min, values.max)
    return ValuesRecord(values.count, *(amount / MILLIONTHS for amount in amounts))


def line_of(second: SecondRecord, requests: Iterable[str]) -> str:
    """Return the line of a second, given the texts of its requests."""
    head = text_of(second).removesuffix("]}")  # where its requests stand, last
    return f"{head}{','.join(requests)}]}}\n"


def text_of(record: SecondRecord | RequestRecord) -> str:
    """Return a record as JSON: six times as fast as `encode`, which looks at each type."""
    return json.dumps(record, default=_fields, ensure_ascii=False, separators=(",", ":"))


def _fields(record: Any) -> dict[str, object]:  # noqa: ANN401 - any record
    return {name: getattr(record, name) for name in record.__slots__}


def seconds_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of the file (draft 2020-12)."""
    lines = [schema_of(SecondRecord), schema_of(SampleRecord)]
    return {"$schema": _DIALECT, "$id": _SCHEMA_ID, "anyOf": lines}
