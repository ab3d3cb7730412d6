"""What the hot path writes: one `Series` for all samples that share every label.

Counting is left to the control plane: a request appends integers to lists bound before it was
sent, and `drain` turns them into histograms a few times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from planrunner.metrics.measures import Measure
from planrunner.metrics.recorded_values import RecordingList
from planrunner.values import dataclass

__all__ = [
    "ABORTED",
    "CHECK",
    "ExpectationKey",
    "Labels",
    "Series",
    "Tags",
    "merge_tags",
    "same_labels",
]

ABORTED = "aborted"
"""The failure kind of what the end of a phase cut: apart from successes and failures."""

CHECK = "check"
"""The kind of samples that are a condition of another tool's script, and not a request."""

_STATUS = "status"

_BROKEN = frozenset({"extract", "error"})
"""The failure kinds that end an iteration: a value was missing, or a step went wrong."""

_UNCONNECTED = frozenset({"dns", "connect", "tls"})
"""The failure kinds of requests that came to no connection."""

Tags = tuple[tuple[str, str], ...]
"""Tags with their values, sorted by name."""

ExpectationKey = tuple[str, bool]
"""What is expected of a reply, in words, and whether that is soft."""


def merge_tags(around: Tags, own: Tags) -> Tags:
    """Return both, sorted; of a key that both have, the value of `own`."""
    return tuple(sorted({**dict(around), **dict(own)}.items()))


class _HashedOnce:
    """Keeps its hash, which is that of two dozen fields, and asked for with every series."""

    __slots__ = ("_hash",)

    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash(_all_fields(self)))
            return self._hash


@dataclass(frozen=True, slots=True)
class Labels(_HashedOnce):
    """What the samples of a series have in common; selectors and tables look at nothing else.

    Attributes:
        request: The series name: `GET /kv/:key`; without a `name:` the URL isn't rendered.
        method: `GET`, `put`, or `` for iterations and groups.
        protocol: What sent them: `http`, `etcd`; empty for iterations and groups.
        kind: `request`, `iteration`, `group` or `check`; only requests count in totals.
        phase: The phase's name.
        stage: The stage's name: `ramp`, `hold`, the plan's own, or its number from 1.
        warmup: True for samples that started inside the warm-up: kept raw, never judged.
        after: True for samples that started when the measured time was over, in the graceful
            stop or after a level of a search: kept raw, never judged.
        user: The user class.
        task: The task; empty for a class with `steps`.
        groups: The groups around the step, outermost first.
        tags: Sorted (key, value) pairs; the value is empty for a plain tag.
        status: The status code, 0 when no reply arrived.
        template: The name as the plan writes it, where that has expressions; else empty.
        status_name: The status in words, when its protocol has words: `NOT_FOUND`; else empty.
        failure: The failure kind's word, empty for a success.
        measured: False for traffic that is no result (`measure: false`, on_start, setup …).
        timed: False for failures of unknown duration.
        expectations: How many expectations each of these samples was asked, hard and soft ones;
            0 where no complete reply came.
        records: The measures that expressions of the plan give each of these that succeeds:
            `work`, `metric.tokens`.
        work_unit: What their work is counted in, by the plan's own word; else empty.
        spoken: What went over the wire, where that isn't what their protocol usually speaks:
            `http/2`.
        unknown: What another tool does not tell of its requests, in alphabetical order: words of
            measures, `connects`, `received`, `sent`, `status`.
    """

    request: str
    method: str
    phase: str
    stage: str
    user: str
    task: str
    kind: str = "request"
    warmup: bool = False
    after: bool = False
    groups: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    status: int = 0
    failure: str = ""
    measured: bool = True
    protocol: str = ""
    status_name: str = ""
    timed: bool = True
    template: str = ""
    expectations: int = 0
    records: tuple[str, ...] = ()
    work_unit: str = ""
    spoken: str = ""
    unknown: tuple[str, ...] = ()

    __hash__ = _HashedOnce.__hash__  # an own `__eq__` would take it away

    def __reduce__(self) -> tuple[Callable[..., Labels], tuple[object, ...]]:
        return same_labels, _all_fields(self)

    def plus_told(self, what: str, total: int | None, amount: int) -> int | None:
        """Return a sum with what these samples add to it; as it is where their tool tells none."""
        return total if what in self.unknown else (total or 0) + amount

    @property
    def written(self) -> str:
        """The name as the plan writes it."""
        return self.template or self.request

    @property
    def status_text(self) -> str:
        """The status as people know it: by its name where it has one, empty where nobody does."""
        if _STATUS in self.unknown:
            return ""
        return self.status_name or str(self.status)

    @property
    def failure_text(self) -> str:
        """Why they failed: the status where that is the failure, else the failure kind."""
        return self.status_text or _STATUS if self.failure == _STATUS else self.failure

    @property
    def action(self) -> str:
        """The action of a protocol that sent them: `etcd.put`."""
        return f"{self.protocol}.{self.method}"

    @property
    def is_result(self) -> bool:
        """Whether tables and thresholds see these samples: in time, and not aborted."""
        return self.is_in_time and self.failure != ABORTED

    @property
    def is_told_over_time(self) -> bool:
        """Whether these samples are results, or would be if they were not of the warm-up."""
        return self.measured and not self.after and self.failure != ABORTED

    @property
    def ended_iteration(self) -> bool:
        """Whether their iterations ended with them, early: a value was missing, or a step broke."""
        return self.failure in _BROKEN

    @property
    def has_connected(self) -> bool:
        """Whether they came to a connection, so that something was spoken."""
        return self.failure not in _UNCONNECTED

    @property
    def has_latency(self) -> bool:
        """Whether how long they took says anything: not of what failed before it did its work."""
        if not self.timed:
            return False
        return not self.ended_iteration or bool(self.status or self.status_name)

    @property
    def is_timed_request(self) -> bool:
        """Whether these are requests that are results and whose latency says anything."""
        return self.kind == "request" and self.is_result and self.has_latency

    @property
    def is_in_time(self) -> bool:
        """Whether these samples are measured and started in the time that is measured."""
        return self.measured and not self.warmup and not self.after


_all_fields = attrgetter(*(field.name for field in fields(Labels)))


@lru_cache(maxsize=10_000)
def same_labels(*fields: Any) -> Labels:  # noqa: ANN401 - each has its own type
    """Return the labels that another worker, or the second before, has sent too."""
    return Labels(*fields)


class Series:
    """The samples of one label set since the last drain; the hot path touches only these fields.

    Attributes:
        index: Position in the book that made it; what a packed sample row refers to.
        same_ns: Latencies of samples whose service time equals their latency (the usual case).
        latency_ns: Latencies of the other samples …
        service_ns: … and their service times, in step with `latency_ns`.
        received: Body bytes received since the last drain.
        sent: Bytes sent since the last drain.
        connects: Connections opened since the last drain.
        retries: Requests sent again since the last drain.
        broken: How often each expectation did not hold since the last drain; those that always
            held are left out.
        measures: The values of each further measure that is asked for, by its word.
        recorded: Those that expressions of the plan give, by the measure's word.
        writers: What appends those of a reply, each with the list that it appends to.
    """

    __slots__ = (
        "broken",
        "connects",
        "index",
        "labels",
        "latency_ns",
        "measures",
        "received",
        "recorded",
        "retries",
        "same_ns",
        "sent",
        "service_ns",
        "writers",
    )

    def __init__(self, index: int, labels: Labels, measures: Sequence[Measure] = ()) -> None:
        self.index = index
        self.labels = labels
        self.same_ns: list[int] = []
        self.latency_ns: list[int] = []
        self.service_ns: list[int] = []
        self.received = 0
        self.sent = 0
        self.connects = 0
        self.retries = 0
        self.broken: dict[ExpectationKey, int] = {}
        self.measures: dict[str, list[int]] = {
            measure.word: measure.no_list() for measure in measures
        }
        self.writers: tuple[tuple[Callable[[Any, Any], None], list[int]], ...] = tuple(
            (measure.write, self.measures[measure.word])
            for measure in measures
            if measure.write is not None
        )
        self.recorded = {word: RecordingList() for word in labels.records}

    def note_broken(self, expectations: Iterable[ExpectationKey]) -> None:
        """Count expectations that did not hold of one of the samples."""
        for one in expectations:
            self.broken[one] = self.broken.get(one, 0) + 1
