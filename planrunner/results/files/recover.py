"""A run that was killed: what its directory still says, as a result that says what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.measures import MEASURES, OWN_PREFIX, WORK, Measure
from planrunner.metrics.recorded_values import RecordingList
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.results.aggregate import count_excluded, make_rows, make_totals
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.sample_values import MeasuredValues, SampleValues, StreamFacts
from planrunner.results.files.samples import SampleRow
from planrunner.results.matrices.tables import make_scaling
from planrunner.results.model import RunResult, Validity, ValidityLevel
from planrunner.results.record import RecordedMeasure, make_series, make_stretches
from planrunner.results.request_history import RunSums
from planrunner.units import NS_PER_S

__all__ = ["recover"]

_REASON: Final = "the run was killed: metrics.json was never written"
_MISSING: Final = (
    "rebuilt from the raw samples: thresholds were not judged, and users over time, the task "
    "mix, groups, iterations, bytes sent%s and how often expectations held are missing"
)


def recover(unfinished: RunResult, reader: SampleReader) -> RunResult:
    """Return what the samples of a killed run say, beside what was known when it started."""
    loss = reader.loss(is_over=False)
    counted = {part.phase for part in unfinished.measured if part.is_counted}
    gathered = _Gathered(unfinished.measures, counted)
    gathered.read(reader)
    sums, measured = gathered.sums, gathered.measured()
    total = sums.total
    excluded = count_excluded(total)
    rows = make_rows(total, measured)
    return replace(
        unfinished,
        duration_seconds=gathered.last_ns / NS_PER_S,
        ended_because=_REASON,
        totals=make_totals(total, measured),
        aborted=excluded.aborted,
        unmeasured=excluded.unmeasured,
        warmup=excluded.warmup,
        after=excluded.after,
        rows=rows,
        scaling=make_scaling(rows, unfinished.combinations),
        points=sums.history.points(),
        request_points=sums.requests.points(),
        progress=sums.running.progress(),
        measured=make_stretches(measured, started_ns=0),
        series=make_series(total.totals, started_ns=0),
        validity=Validity(ValidityLevel.INVALID, (_REASON,)),
        notices=(
            *unfinished.notices,
            _missing(unfinished, reader),
            *((str(loss),) if loss else ()),
        ),
    )


def _missing(unfinished: RunResult, reader: SampleReader) -> str:
    """Say what the raw samples don't hold: those of older versions have no gaps of streams."""
    lost = [one.name for one in unfinished.measures if not _is_kept(one.name, reader)]
    return _MISSING % "".join(f", `{name}`" for name in lost)


def _is_kept(name: str, reader: SampleReader) -> bool:
    if name == WORK.word or name.startswith(OWN_PREFIX) or name in reader.measures:
        return True
    found = MEASURES.get(name)
    return found is not None and not found.needs_rows


class _Gathered:
    """Sums over the samples, a second at a time."""

    def __init__(self, measures: Sequence[RecordedMeasure], counted: Collection[str]) -> None:
        self._measures = measures
        self._counted = counted
        self.sums = RunSums(0)
        self.last_ns = 0
        self._labels: list[Labels] = []
        self._extents: dict[tuple[str, str], tuple[int, int]] = {}

    def read(self, reader: SampleReader) -> None:
        second = 0
        times: dict[int, _Times] = defaultdict(_Times)
        numbers = self._number(reader)
        measures = {index: self._of(labels) for index, labels in reader.labels.items()}
        for row, values, stream, kept in reader.with_values():
            index, start_ns, latency_ns, service_ns, _, connect_ns, size, _ = row
            end_ns = start_ns + latency_ns
            # Rows stand in the order in which samples ended, but for those of the last flush.
            if end_ns // NS_PER_S > second:
                self._add(second, times)
                second, times = end_ns // NS_PER_S, defaultdict(_Times)
            found = times[numbers[index]]
            found.add(start_ns, latency_ns, service_ns, size=size, connected=connect_ns > 0)
            if measures[index]:
                found.measure(SampleRow._make(row), measures[index])
                found.measure_stream(stream, measures[index])
            found.keep(kept)
            if values:
                found.record(reader.labels[index].records, values, end_ns)
            self.last_ns = max(self.last_ns, end_ns)
        self._add(second, times)

    def _number(self, reader: SampleReader) -> Mapping[int, int]:
        """Number the label sets, and return the number of that of each series.

        Workers have a series each for the same labels. Raw samples don't say which expectations
        held, so none counts as asked.
        """
        known: dict[Labels, int] = {}
        numbers = {
            index: known.setdefault(replace(labels, expectations=0), len(known))
            for index, labels in reader.labels.items()
        }
        self._labels = list(known)
        return numbers

    def _of(self, labels: Labels) -> tuple[Measure, ...]:
        """Return what the samples of a series have, as far as raw samples hold it."""
        if not labels.measured:
            return ()
        return tuple(
            MEASURES[one.name]
            for one in self._measures
            if labels.protocol in one.protocols and one.name in MEASURES
        )

    def measured(self) -> tuple[MeasuredTime, ...]:
        """Return from when to when each stage had samples that count."""
        return tuple(
            MeasuredTime(phase, stage, begin_ns, end_ns, phase in self._counted)
            for (phase, stage), (begin_ns, end_ns) in sorted(
                self._extents.items(), key=lambda item: item[1]
            )
        )

    def _add(self, second: int, times: Mapping[int, _Times]) -> None:
        deltas = {self._labels[number]: found.delta() for number, found in times.items()}
        snapshot = Snapshot(second * NS_PER_S, (second + 1) * NS_PER_S, {}, deltas)
        self.sums.add(snapshot)
        for number, found in times.items():
            labels = self._labels[number]
            if labels.is_result:
                self._widen(labels, found)

    def _widen(self, labels: Labels, found: _Times) -> None:
        key = (labels.phase, labels.stage)
        begin_ns, end_ns = self._extents.get(key, (found.first_ns, found.last_ns))
        self._extents[key] = (min(begin_ns, found.first_ns), max(end_ns, found.last_ns))


class _Times:
    """The samples of one series in one second."""

    __slots__ = (
        "connects",
        "first_ns",
        "histograms",
        "last_ns",
        "latency_ns",
        "measures",
        "received",
        "recorded",
        "service_ns",
    )

    def __init__(self) -> None:
        self.recorded: dict[str, RecordingList] = defaultdict(RecordingList)
        self.latency_ns: list[int] = []
        self.service_ns: list[int] = []
        self.measures: dict[str, list[int]] = {}
        self.histograms: dict[str, Histogram] = defaultdict(Histogram)
        self.received = self.connects = self.last_ns = 0
        self.first_ns = 1 << 62

    def add(
        self, start_ns: int, latency_ns: int, service_ns: int, *, size: int, connected: bool
    ) -> None:
        self.latency_ns.append(latency_ns)
        self.service_ns.append(service_ns)
        self.received += size
        self.connects += connected
        self.first_ns = min(self.first_ns, start_ns)
        self.last_ns = max(self.last_ns, start_ns + latency_ns)

    def measure(self, row: SampleRow, measures: Iterable[Measure]) -> None:
        for one in measures:
            if one.of_row is not None and (value := one.of_row(row)) is not None:
                self.measures.setdefault(one.word, []).append(value)

    def measure_stream(self, stream: StreamFacts, measures: Iterable[Measure]) -> None:
        """Take what a raw sample says of its stream."""
        if not stream:
            return
        first_ns, events = stream
        for one in measures:
            if one.of_stream is not None and (value := one.of_stream(first_ns, events)) is not None:
                self.measures.setdefault(one.word, []).append(value)

    def keep(self, measured: MeasuredValues) -> None:
        """Take what a raw sample has of measures beside its row."""
        for word, value in measured:
            if isinstance(value, Histogram):
                self.histograms[word].merge(value)
            else:
                self.measures.setdefault(word, []).append(value)

    def record(self, words: Sequence[str], values: SampleValues, at_ns: int) -> None:
        for word, (value, is_boolean) in zip(words, values, strict=False):
            self.recorded[word].append(value, at_ns, is_boolean=is_boolean)

    def _measured(self) -> dict[str, Histogram]:
        found = {word: Histogram(_natural(values)) for word, values in self.measures.items()}
        for word, histogram in self.histograms.items():
            found.setdefault(word, Histogram()).merge(histogram)
        return found

    def delta(self) -> SeriesDelta:
        latency = Histogram(_natural(self.latency_ns))
        same = self.service_ns == self.latency_ns
        service = latency if same else Histogram(_natural(self.service_ns))
        return SeriesDelta(
            latency,
            service,
            self.received,
            connects=self.connects,
            measures={
                **self._measured(),
                **{word: values.drain() for word, values in self.recorded.items()},
            },
        )


def _natural(values_ns: Iterable[int]) -> list[int]:
    return [max(value, 0) for value in values_ns]  # a damaged file must not end the reading
