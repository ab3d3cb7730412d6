"""The lines of the file where each is a sample."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from planrunner.metrics.measures import OWN_PREFIX, SERVICE_TIME, WORK
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.metrics.series import Labels
from planrunner.protocols.registry import spoken
from planrunner.results.files.sample_tail import TailedSample
from planrunner.results.files.sample_values import StreamFacts
from planrunner.units import NS_PER_S, NS_PER_US
from planrunner.values import dataclass

__all__ = ["SampleLines", "SampleRecord"]


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """One sample: a request that ended.

    Attributes:
        run: The id of the run.
        time: When it was due, or else asked for, in UTC.
        protocol: What went over the wire, as results.csv has it: `http/1.1`, `http/2`, `grpc`.
        worker: Which one sent it, from 1.
        warmup: It began in the warm-up, or when the measured time was over.
        after: It began when the measured time was over.
        status: In words, where its protocol has words; 0 without a reply.
        failure: The failure kind; empty for a success, `aborted` if the end of a phase cut it.
        message: What the failure says.
        latency: In seconds, as the three that follow it.
        ttfb: 0 when no byte of a reply came.
        connect: 0 on an open connection.
        bytes_received: Of the reply's body; null, as `service_time`, `ttfb` and `connect`, where
            another tool sent the request and doesn't tell.
        first_event: Of a reply that is read piece by piece: the time to its first one, in seconds.
        events: How many pieces came; null, as `first_event`, for any other reply.
        work: What it did, in the plan's own unit; null without `work:`.
        metrics: Of the plan's own; a boolean is 1 or 0.
    """

    run: str
    time: str
    request: str
    method: str
    protocol: str
    phase: str
    stage: str
    user: str
    task: str
    tags: Mapping[str, str]
    warmup: bool
    status: str
    failure: str
    message: str
    latency: float
    service_time: float | None
    ttfb: float | None
    connect: float | None
    bytes_received: int | None
    worker: int
    after: bool
    first_event: float | None = None
    events: int | None = None
    work: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


_NULL: Final = "null%.0s"
"""For a number that nobody knows."""


class SampleLines:
    """Makes lines of samples; what those of a series share is made text once.

    Args:
        run_id: Of the run.
        mask: Takes secrets out of names and messages.
    """

    def __init__(self, run_id: str, mask: Callable[[str], str]) -> None:
        self._run = _text(run_id)
        self._mask = mask
        self._shared: dict[tuple[str, int], str] = {}
        self._second, self._moment = -1, ""

    def line(self, sample: TailedSample) -> str:
        """Return the line of a sample, with its end; empty for one that is no result."""
        labels, row = sample.labels, sample.row
        if not labels.measured or labels.kind != "request":
            return ""
        shared = self._shared.get(sample.key)
        if shared is None:
            shared = self._shared[sample.key] = _shared(labels, sample.worker, self._mask)
        message = _text(self._mask(sample.message)) if sample.message else '""'
        numbers = _numbers(labels) % (
            *(value / NS_PER_S for value in (row[2], row[3], row[4], row[5])),
            row[6],
        )
        head = f'{{"run":{self._run},"time":"{self._time(sample.started_unix_ns + row[1])}"'
        recorded = _recorded(sample) if sample.values else ',"work":null,"metrics":{}'
        streamed = _streamed(sample.stream)
        return f'{head},{shared},"message":{message},{numbers}{streamed}{recorded}}}\n'

    def _time(self, unix_ns: int) -> str:
        second, fraction = divmod(unix_ns, NS_PER_S)
        if second != self._second:  # the date changes once in thousands of samples
            self._second = second
            self._moment = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._moment}.{fraction // NS_PER_US:06d}Z"


@lru_cache(maxsize=10_000)
def _numbers(labels: Labels) -> str:
    """Return the form of a sample's numbers; another tool's `connects` are its times, too."""
    unknown = labels.unknown
    time = _NULL if "connects" in unknown else "%.9f"
    service = _NULL if SERVICE_TIME.word in unknown else "%.9f"
    received = _NULL if "received" in unknown else "%d"
    return (
        f'"latency":%.9f,"service_time":{service},"ttfb":{time},"connect":{time},'
        f'"bytes_received":{received}'
    )


def _shared(labels: Labels, worker: int, mask: Callable[[str], str]) -> str:
    """Return what all samples of a series have in common, without braces."""
    data = {
        "request": mask(labels.request),
        "method": labels.method,
        "protocol": labels.spoken or spoken(labels.protocol),
        "phase": labels.phase,
        "stage": labels.stage,
        "user": labels.user,
        "task": mask(labels.task),
        "tags": {key: mask(value) or "true" for key, value in labels.tags},
        "worker": worker,
        "warmup": labels.warmup or labels.after,
        "after": labels.after,
        "status": labels.status_text,
        "failure": labels.failure,
    }
    return _text(data)[1:-1]


def _streamed(stream: StreamFacts) -> str:
    if not stream:
        return ',"first_event":null,"events":null'
    first_ns, events = stream
    first = "%.9f" % (first_ns / NS_PER_S) if events else "null"
    return f',"first_event":{first},"events":{events}'


def _recorded(sample: TailedSample) -> str:
    named = dict(zip(sample.labels.records, sample.values, strict=False))
    work = named.pop(WORK.word, None)
    metrics = {
        word.removeprefix(OWN_PREFIX): value / MILLIONTHS for word, (value, _) in named.items()
    }
    done = "null" if work is None else _text(work[0] / MILLIONTHS)
    return f',"work":{done},"metrics":{_text(metrics)}'


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
