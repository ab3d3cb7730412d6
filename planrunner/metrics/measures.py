"""Measures: the numbers that a sample has, of which a threshold may name one.

Latency and service time are of every sample and have histograms of their own. The others are
recorded where a plan asks for them. A protocol says which it has, and may bring more; work and
metrics of a plan's own are what its requests record by expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final, Protocol

from planrunner.metrics.amounts import Unit
from planrunner.metrics.arrivals import Arrivals, PooledValues
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import MILLIONTHS, RecordedValues
from planrunner.values import dataclass

__all__ = [
    "CALLS",
    "CONNECT",
    "EVENTS",
    "FIRST_EVENT",
    "GAP",
    "LATENCY",
    "MEASURES",
    "OWN_PREFIX",
    "SERVICE_TIME",
    "SIZE",
    "STREAMED",
    "TTFB",
    "WORK",
    "Measure",
    "MeasuredReply",
    "RawSample",
    "own_measure",
]

OWN_PREFIX: Final = "metric."
"""What the word of a metric of the plan's own begins with."""


CALLS: Final = "calls"
"""The word of the measure that says how often a sample did its work, where that isn't once."""


class MeasuredReply(Protocol):
    """What the measures of this module read of a reply; see `protocols.base.Reply`."""

    @property
    def sent_ns(self) -> int: ...
    @property
    def first_byte_ns(self) -> int: ...
    @property
    def connect_ns(self) -> int: ...
    @property
    def connects(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def arrivals(self) -> Arrivals | None: ...


class RawSample(Protocol):
    """What they read of a raw sample on disk; see `results.files.samples.SampleRow`."""

    @property
    def ttfb_ns(self) -> int: ...
    @property
    def connect_ns(self) -> int: ...
    @property
    def body_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a sample, or several. The word is its identity.

    Values are whole numbers from 0: nanoseconds, bytes, or a count.

    Attributes:
        word: In the plan, after an aggregation.
        meaning: For the reference, as what follows the word and a colon.
        noun: What `explain` calls it, behind `the`.
        unit: Of its values and of limits on them: a duration, a size or a number.
        example: A whole threshold.
        write: Appends what a reply has of it to the values of its series (`no_list`): nothing where
            the reply has none. None for latency and service time, which every sample has.
        of_row: Reads it from a raw sample, None where the sample has none; None as a whole where
            the row of a sample doesn't hold it.
        of_stream: Reads it from how a reply came, given the time to the first piece and the number
            of pieces; as `of_row`.
        is_pooled: A sample may have several values, and all of them count.
        synonyms: What other tools call it.
        scale: How many of what is kept make 1 of the unit; more than 1 where an expression of the
            plan gives the values.
    """

    word: str
    meaning: str = field(compare=False)
    noun: str = field(compare=False)
    unit: Unit = field(compare=False)
    example: str = field(compare=False)
    write: Callable[[Any, Any], None] | None = field(default=None, compare=False)
    of_row: Callable[[RawSample], int | None] | None = field(default=None, compare=False)
    of_stream: Callable[[int, int], int | None] | None = field(default=None, compare=False)
    is_pooled: bool = field(default=False, compare=False)
    synonyms: tuple[str, ...] = field(default=(), compare=False)
    is_standing: bool = field(default=False, compare=False)
    scale: int = field(default=1, compare=False)

    @property
    def is_own(self) -> bool:
        """Whether it is a metric of the plan's own."""
        return self.word.startswith(OWN_PREFIX)

    @property
    def is_recorded(self) -> bool:
        """Whether expressions of requests give its values, and not their replies."""
        return self.scale > 1

    @property
    def needs_rows(self) -> bool:
        """Whether raw samples need rows of their own for its values.

        Who reads them knows only the measures of this module.
        """
        shared = MEASURES.get(self.word)
        is_read = shared is not None and (shared.of_row or shared.of_stream)
        return self.write is not None and not is_read

    def no_list(self) -> list[int]:
        """Return an empty list for what `write` appends to."""
        return PooledValues() if self.is_pooled else []

    def no_values(self) -> Histogram:
        """Return an empty histogram for its values."""
        return RecordedValues() if self.is_recorded else Histogram()

    def __repr__(self) -> str:
        # Workers compare what they compiled by `repr`: no address of a function may stand in it.
        return f"<Measure {self.word}>"


def _write_ttfb(reply: MeasuredReply, values: list[int]) -> None:
    if reply.first_byte_ns:
        values.append(reply.first_byte_ns - reply.sent_ns)


def _ttfb_of_row(row: RawSample) -> int | None:
    return row.ttfb_ns or None


def _write_connect(reply: MeasuredReply, values: list[int]) -> None:
    if reply.connects:
        values.append(reply.connect_ns)


def _connect_of_row(row: RawSample) -> int | None:
    # A row has the time of an attempt that failed too, so only a reply shows that one succeeded.
    return row.connect_ns or None if row.ttfb_ns else None


def _write_size(reply: MeasuredReply, values: list[int]) -> None:
    if reply.first_byte_ns:
        values.append(reply.received)


def _size_of_row(row: RawSample) -> int | None:
    return row.body_bytes if row.ttfb_ns else None


def _write_first_event(reply: MeasuredReply, values: list[int]) -> None:
    if (arrivals := reply.arrivals) is not None and arrivals.count:
        values.append(arrivals.first_ns - reply.sent_ns)


def _first_of_stream(first_ns: int, events: int) -> int | None:
    return first_ns if events else None


def _events_of_stream(_: int, events: int) -> int | None:
    return events


def _write_gaps(reply: MeasuredReply, values: PooledValues) -> None:
    if (arrivals := reply.arrivals) is not None:
        values += arrivals.gaps_ns
        if arrivals.earlier is not None:
            values.counted.merge(arrivals.earlier)


def _write_events(reply: MeasuredReply, values: list[int]) -> None:
    if (arrivals := reply.arrivals) is not None:
        values.append(arrivals.count)


LATENCY: Final = Measure(
    "latency",
    meaning="the time that a user waits: from when the request was due, or else asked for, to the "
    "last byte received; of iterations and groups how long they take; meant where no measure is "
    "named",
    noun="latency",
    unit=Unit.DURATION,
    example='p95 of "GET /items" < 500ms',
)

SERVICE_TIME: Final = Measure(
    "service_time",
    meaning="from the first byte written to the last byte received",
    noun="service time",
    unit=Unit.DURATION,
    example="avg service_time of task:checkout < 1s",
    synonyms=("servicetime", "sampling_time"),
)

TTFB: Final = Measure(
    "ttfb",
    meaning="from the first byte written to the first byte received; a sample without a reply has "
    "none",
    noun="time to the first byte",
    unit=Unit.DURATION,
    example='p95 ttfb of "GET /items" < 200ms',
    write=_write_ttfb,
    of_row=_ttfb_of_row,
    synonyms=("time_to_first_byte", "first_byte", "waiting", "http_req_waiting"),
)

CONNECT: Final = Measure(
    "connect",
    meaning="the time that DNS, TCP and TLS took; only a sample that opened a connection has one",
    noun="time to connect",
    unit=Unit.DURATION,
    example="p95 connect < 50ms",
    write=_write_connect,
    of_row=_connect_of_row,
    synonyms=("connect_time", "connecting", "connection_time", "http_req_connecting"),
)

SIZE: Final = Measure(
    "size",
    meaning="bytes of the reply's body as received, before decompression; a sample without a "
    "reply has none",
    noun="size of the reply",
    unit=Unit.SIZE,
    example='max size of "GET /items" < 100KB',
    write=_write_size,
    of_row=_size_of_row,
    synonyms=("bytes", "body_size", "response_size", "received"),
)

FIRST_EVENT: Final = Measure(
    "first_event",
    meaning="from the first byte written to the first event, line or message of a streamed reply; "
    "a sample to which none came has none",
    noun="time to the first event",
    unit=Unit.DURATION,
    example='p95 first_event of "POST /chat" < 800ms',
    write=_write_first_event,
    of_stream=_first_of_stream,
    synonyms=("ttft", "time_to_first_token", "time_to_first_event", "first_token", "first_message"),
)

GAP: Final = Measure(
    "gap",
    meaning="between two events, lines or messages of a streamed reply that followed each other; "
    "all gaps of all samples are pooled",
    noun="gaps between events",
    unit=Unit.DURATION,
    example='p99 gap of "POST /chat" < 200ms',
    write=_write_gaps,
    is_pooled=True,
    synonyms=("itl", "inter_token_latency", "inter_event_time", "token_gap"),
)

EVENTS: Final = Measure(
    "events",
    meaning="how many events, lines or messages a streamed reply had",
    noun="number of events",
    unit=Unit.NUMBER,
    example='avg events of "POST /chat" > 10',
    write=_write_events,
    of_stream=_events_of_stream,
    synonyms=("messages", "chunks", "event_count"),
)

STREAMED: Final = (FIRST_EVENT, GAP, EVENTS)
"""What a reply has that is read piece by piece; its client notes `Reply.arrivals`."""

WORK: Final = Measure(
    "work",
    meaning="how much a sample did, in the plan's own unit: what `work:` of its request gives",
    noun="work",
    unit=Unit.NUMBER,
    example='sum work of "POST /import" > 10000',
    scale=MILLIONTHS,
)

MEASURES: Final[Mapping[str, Measure]] = {
    measure.word: measure
    for measure in (LATENCY, SERVICE_TIME, TTFB, CONNECT, SIZE, *STREAMED, WORK)
}
"""Those that protocols have in common, by word, in the order of the reference."""


def own_measure(word: str) -> Measure:
    """Return the measure of a metric of the plan's own, given its word: `metric.tokens`."""
    return Measure(
        word,
        meaning="a value that requests of the plan record",
        noun=f"`{word}`",
        unit=Unit.NUMBER,
        example=f"avg of {word} < 100",
        scale=MILLIONTHS,
    )
