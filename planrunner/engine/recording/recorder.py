"""Where samples go: series by stage, status and failure, opened when the first sample needs them.

The fast path of a request is in `steps`; it reads `Table.by_status` and appends to a `Series`.
Everything here runs once per series, per stage or per failure.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.engine.recording.failure_samples import FailingRequests
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.measures import Measure
from planrunner.metrics.series import Labels, Series, Tags, merge_tags
from planrunner.protocols.base import Exchange, Reply, Scope
from planrunner.results.files.samples import (
    SampleWriter,
    pack_measures,
    pack_row,
    pack_stream,
    pack_values,
)

__all__ = [
    "PhaseRecorder",
    "Site",
    "SpanRecorder",
    "StageSeries",
    "StatusKey",
    "record",
    "record_measured",
]

_NO_STATUSES: Final = frozenset[int]()


StatusKey = int | tuple[int, str]
"""A status, and what was spoken where that isn't usual."""


class StageSeries:
    """The series of one place in the plan during one window of its phase.

    Attributes:
        begin_ns: Samples that start from here …
        end_ns: … to here, exclusive, belong to the window.
        by_status: Of accepted replies only, so that a hit means success; of those over what the
            protocol usually speaks by the status alone.
        by_failure: Of iterations and groups, which have no status.
        is_in_time: Whether its samples are results, unless they are aborted.
    """

    __slots__ = (
        "_by_outcome",
        "_measures",
        "_status_text",
        "begin_ns",
        "by_failure",
        "by_status",
        "end_ns",
        "is_in_time",
        "labels",
    )

    def __init__(
        self,
        labels: Labels,
        begin_ns: int,
        end_ns: int,
        *,
        status_text: Callable[[int], str] = str,
        measures: Sequence[Measure] = (),
    ) -> None:
        self.labels = labels
        self.is_in_time = labels.is_in_time
        self._measures = measures
        self._status_text = status_text
        self.begin_ns = begin_ns
        self.end_ns = end_ns
        self.by_status: dict[StatusKey, Series] = {}
        self.by_failure: dict[str, Series] = {}
        self._by_outcome: dict[tuple[int, str, Tags, bool, bool, str], Series] = {}

    def series(  # noqa: PLR0913 - all that tells one from another
        self,
        book: SeriesBook,
        status: int,
        failure: str,
        tags: Tags,
        *,
        answered: bool,
        judged: bool,
        spoken: str = "",
    ) -> Series:
        outcome = (status, failure, tags, answered, judged, spoken)
        series = self._by_outcome.get(outcome)
        if series is None:
            labels = replace(self.labels, status=status, failure=failure, spoken=spoken)
            if not judged:
                labels = replace(labels, expectations=0)
            if answered and (name := self._status_text(status)) != str(status):
                labels = replace(labels, status_name=name)
            if tags:
                labels = replace(labels, tags=merge_tags(labels.tags, tags))
            series = self._by_outcome[outcome] = book.series(labels, self._measures)
        return series


class PhaseRecorder:
    """What the sites of one phase share.

    Attributes:
        mask: Takes secrets out of words about what went wrong.
        look_at: Told whose words these will be, for the secrets that this user has.
        seek: Told which reply they are about, for those that it holds.
        origin_ns: The start of the run, from which sample rows count.
        failing: Keeps the first requests that fail; None where they are not wanted.
        measures: By protocol, what requests record beside latency and service time.
        is_warmup: Whether nothing of it is a result: these are iterations of warm-up.
    """

    __slots__ = (
        "book",
        "failing",
        "is_warmup",
        "look_at",
        "mask",
        "measures",
        "origin_ns",
        "phase",
        "samples",
        "seek",
        "timeline",
    )

    def __init__(  # noqa: PLR0913 - all that they share
        self,
        phase: str,
        *,
        timeline: Timeline,
        book: SeriesBook,
        samples: SampleWriter | None,
        origin_ns: int,
        mask: Callable[[str], str] = str,
        look_at: Callable[[Scope], None] = lambda _: None,
        seek: Callable[[Exchange, Reply, Scope], None] = lambda *_: None,
        failing: FailingRequests | None = None,
        measures: Mapping[str, Sequence[Measure]] | None = None,
        is_warmup: bool = False,
    ) -> None:
        self.phase = phase
        self.is_warmup = is_warmup
        self.measures = measures or {}
        self.mask = mask
        self.look_at = look_at
        self.seek = seek
        self.failing = failing
        self.timeline = timeline
        self.book = book
        self.samples = samples
        self.origin_ns = origin_ns


Record = Callable[[Series, Reply, int], None]
"""Writes a reply into a series, given when its request was due."""


def record(series: Series, reply: Reply, due_ns: int) -> None:
    """Write a reply into its series; the hot path has this inline."""
    latency_ns = reply.ended_ns - due_ns
    service_ns = reply.ended_ns - reply.sent_ns
    if latency_ns == service_ns:
        series.same_ns.append(latency_ns)
    else:
        series.latency_ns.append(latency_ns)
        series.service_ns.append(service_ns)
    series.received += reply.received
    series.sent += reply.sent
    series.connects += reply.connects
    series.retries += reply.retries


def record_measured(series: Series, reply: Reply, due_ns: int) -> None:
    """Write a reply into its series, with what it has of the measures that are asked for."""
    record(series, reply, due_ns)
    for write, values in series.writers:
        write(reply, values)


class Site:
    """One place of the plan whose samples share everything but stage, status and failure.

    Attributes:
        measures: What its samples have beside latency and service time, if somebody asks.
        record: Writes a reply into its series.
        stated_status: What the plan says of the status, in words; empty if it says nothing.
        kept: The measures that its raw samples need rows for, each with its number there.
        ends_iterations: Its iteration ends with it unless it does what it should.
    """

    __slots__ = (
        "_latest",
        "_tables",
        "accept",
        "ends_iterations",
        "kept",
        "labels",
        "measures",
        "record",
        "recorder",
        "stated_status",
        "status_text",
    )

    def __init__(  # noqa: PLR0913 - all that it knows of its place
        self,
        recorder: PhaseRecorder,
        labels: Labels,
        accept: Container[int] = _NO_STATUSES,
        *,
        status_text: Callable[[int], str] = str,
        stated_status: str = "",
        measures: Sequence[Measure] = (),
        ends_iterations: bool = False,
    ) -> None:
        self.recorder = recorder
        self.stated_status = stated_status
        self.ends_iterations = ends_iterations
        self.measures = measures
        self.record: Record = record_measured if measures else record
        self.kept = _kept(recorder.samples, measures)
        self._tables: dict[int, StageSeries] = {}
        self._latest: StageSeries | None = None
        self.labels = labels
        self.accept = accept
        self.status_text = status_text
        recorder.timeline.on_cut(self._forget)

    def _forget(self) -> None:
        self._latest = None

    def table_at(self, moment_ns: int) -> StageSeries:
        """The table for samples that start at `moment_ns`."""
        latest = self._latest
        if latest is not None and latest.begin_ns <= moment_ns < latest.end_ns:
            return latest
        window = self.recorder.timeline.at(moment_ns)
        table = self._tables.get(window.number)
        if table is None:
            warmup = window.warmup or self.recorder.is_warmup
            labels = replace(self.labels, stage=window.stage, warmup=warmup, after=window.after)
            # The first window also takes what is earlier: nothing is, by the clock of the phase.
            begin_ns = window.begin_ns if window.number else 0
            table = self._tables[window.number] = StageSeries(
                labels,
                begin_ns,
                window.end_ns,
                status_text=self.status_text,
                measures=self.measures,
            )
        table.end_ns = window.end_ns  # of a phase that was cut, earlier than planned
        self._latest = table
        return table

    def series(  # noqa: PLR0913 - all that tells one from another
        self,
        table: StageSeries,
        *,
        status: int,
        failure: str,
        tags: Tags = (),
        answered: bool = True,
        judged: bool = True,
        spoken: str | None = None,
    ) -> Series:
        """Return the series of an outcome.

        Args:
            table: Of the moment when it began.
            status: 0 where no reply came.
            failure: The failure kind; empty for a success.
            tags: Those that came with the reply.
            answered: Whether the status is one, so that it may have a name.
            judged: Whether a complete reply came, so that expectations were asked of it.
            spoken: What went over the wire, where that isn't usual.
        """
        return table.series(
            self.recorder.book,
            status,
            failure,
            tags,
            answered=answered,
            judged=judged and answered,
            spoken=spoken or "",
        )

    def accepted(self, table: StageSeries, reply: Reply) -> Series | None:
        """Return the series for a reply with an accepted status; None for any other reply."""
        if reply.failure is not None or reply.status not in self.accept:
            return None
        spoken = reply.spoken
        key: StatusKey = reply.status if spoken is None else (reply.status, spoken)
        series = table.by_status.get(key)
        if series is None:
            series = self.series(table, status=reply.status, failure="", spoken=spoken)
            table.by_status[key] = series
        return series

    def row(self, series: Series, *, start_ns: int, took_ns: int, words: str) -> None:
        """Append the raw sample of a request that has no reply."""
        recorder = self.recorder
        if (samples := recorder.samples) is not None:
            start_ns -= recorder.origin_ns
            message = samples.message(words)
            samples.append(pack_row(series.index, start_ns, took_ns, took_ns, 0, 0, 0, message))

    def reply_row(
        self,
        series: Series,
        reply: Reply,
        start_ns: int,
        words: str,
        values: Sequence[tuple[int, bool]] = (),
    ) -> None:
        """Append the raw sample of a reply; the hot path has this inline."""
        recorder = self.recorder
        if (samples := recorder.samples) is not None:
            first_ns = reply.first_byte_ns
            start_ns -= recorder.origin_ns
            latency_ns = reply.ended_ns - recorder.origin_ns - start_ns
            row = pack_row(
                series.index,
                start_ns,
                latency_ns,
                reply.ended_ns - reply.sent_ns,
                first_ns - reply.sent_ns if first_ns else 0,
                reply.connect_ns,
                reply.received,
                samples.message(words),
            )
            if (arrivals := reply.arrivals) is not None and samples.has_streams:
                first_ns = arrivals.first_ns - reply.sent_ns if arrivals.count else 0
                facts = first_ns, arrivals.count, arrivals.longest_gap_ns
                row += pack_stream(series.index, start_ns, latency_ns, facts)
            if self.kept:
                measured = _measured(reply, self.kept)
                row += pack_measures(series.index, start_ns, latency_ns, measured)
            if values:
                row += pack_values(series.index, start_ns, latency_ns, values)
            samples.append(row)


def _kept(
    samples: SampleWriter | None, measures: Sequence[Measure]
) -> tuple[tuple[int, Measure], ...]:
    if samples is None:
        return ()
    return tuple((samples.measure(one.word), one) for one in measures if one.needs_rows)


def _measured(reply: Reply, kept: Iterable[tuple[int, Measure]]) -> Iterator[tuple[int, list[int]]]:
    for number, measure in kept:
        values = measure.no_list()
        assert measure.write is not None
        measure.write(reply, values)
        yield number, values


class SpanRecorder:
    """Records the iterations or a group of a place.

    Attributes:
        append: Takes how long a success took that began from `begin_ns` …
        end_ns: … to here, exclusive.
    """

    __slots__ = ("_site", "append", "begin_ns", "end_ns")

    def __init__(self, site: Site) -> None:
        self._site = site
        self.begin_ns = self.end_ns = 0
        self.append: Callable[[int], None]
        site.recorder.timeline.on_cut(self._forget)

    def _forget(self) -> None:
        self.end_ns = 0

    def record(self, began_ns: int, took_ns: int, failure: str) -> None:
        """Record one; of successes the hot path has this inline."""
        if failure or not self.begin_ns <= began_ns < self.end_ns:
            site = self._site
            table = site.table_at(began_ns)
            series = table.by_failure.get(failure)
            if series is None:
                series = site.series(table, status=0, failure=failure)
                table.by_failure[failure] = series
            series.same_ns.append(took_ns)
            if not failure:
                self.append = series.same_ns.append
                self.begin_ns, self.end_ns = table.begin_ns, table.end_ns
        else:
            self.append(took_ns)
