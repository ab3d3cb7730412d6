"""What was measured of one request, phase, task …: numbers as Python programs compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from planrunner.language.diagnostics import suggest
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta
from planrunner.python.results.elapsed import Elapsed
from planrunner.results.loads import PhaseLoad
from planrunner.results.model import Row
from planrunner.results.record import OwnFigures, SeriesRecord, labels_of, read_series

__all__ = ["Figures", "FiguresByName", "PhaseFigures", "SeriesFigures", "series_of"]

_SHOWN: Final = ("p50", "p95", "p99", "max")


class Figures:
    """One line of a table: a request, a phase, a task, a user class.

    Latencies are 0 where nothing was measured; `count` says so.

    Attributes:
        name: What it is about, such as `GET /products/:id`.
        phase: The phase it is narrowed to; empty for the whole run.
        count: Requests that are results.
        failed: Those of them that failed.
        failures: Failed requests by failure kind; kinds that did not occur are left out.
        statuses: Requests by status code; `"0"` where no reply came.
        received_bytes: Of all replies.
        sent_bytes: Of all requests.
        work: How much they did, by `work:` of the plan; None where none says so.
        work_rate: The same per second, as a threshold on `work_rate` has it.
        work_unit: What is counted, such as `rows`; empty where the plan doesn't say.
        metrics: The metrics of the plan's own, by name: `metrics["tokens"].avg`.
    """

    def __init__(self, row: Row) -> None:
        self._row = row
        self.name = row.name
        self.phase = row.phase
        self.count = row.count
        self.failed = row.failed
        self.failures: Mapping[str, int] = MappingProxyType(dict(row.failures))
        self.statuses: Mapping[str, int] = MappingProxyType(dict(row.statuses))
        self.received_bytes = row.received_bytes
        self.sent_bytes = row.sent_bytes
        self.work = row.work
        self.work_rate = row.work_per_second
        self.work_unit = row.work_unit
        self.metrics: Mapping[str, OwnFigures] = MappingProxyType(dict(row.metrics))

    @property
    def error_rate(self) -> float:
        """Failed requests in percent of all, as in metrics.json: 1.5 is 1.5 %."""
        return 100 * self.failed / self.count if self.count else 0.0

    @property
    def per_second(self) -> float:
        """Requests per second of measured time."""
        return self._row.requests_per_second

    @property
    def min(self) -> Elapsed:
        """The shortest latency."""
        return self._latency("min")

    @property
    def mean(self) -> Elapsed:
        """The average latency."""
        return self._latency("avg")

    @property
    def p50(self) -> Elapsed:
        """The median latency."""
        return self._latency("p50")

    @property
    def p90(self) -> Elapsed:
        """The 90th percentile of latency."""
        return self._latency("p90")

    @property
    def p95(self) -> Elapsed:
        """The 95th percentile of latency."""
        return self._latency("p95")

    @property
    def p99(self) -> Elapsed:
        """The 99th percentile of latency."""
        return self._latency("p99")

    @property
    def p999(self) -> Elapsed:
        """The 99.9th percentile of latency."""
        return self._latency("p99.9")

    @property
    def max(self) -> Elapsed:
        """The longest latency."""
        return self._latency("max")

    def _latency(self, name: str) -> Elapsed:
        return Elapsed(self._row.latency_ns.get(name, 0))

    def __repr__(self) -> str:
        shown = " ".join(f"{name}={getattr(self, name)}" for name in _SHOWN)
        name = self.name or "all requests"
        return f"<{name}: {self.count:,} requests, {self.failed:,} failed, {shown}>"


class PhaseFigures(Figures):
    """A phase, with what its requests came to.

    Attributes:
        requests: Each request in this phase, by its name.
        load: What was asked for and achieved; None for a phase that never began.
    """

    def __init__(self, row: Row, requests: Iterable[Row], load: PhaseLoad | None) -> None:
        super().__init__(row)
        self.requests = FiguresByName("request", map(Figures, requests))
        self.load = load


FiguresT = TypeVar("FiguresT", bound=Figures)


class FiguresByName(Mapping[str, FiguresT]):
    """Figures by name, in the order of the reports; an unknown name says which there are."""

    def __init__(self, kind: str, figures: Iterable[FiguresT]) -> None:
        self._kind = kind
        self._figures = {one.name: one for one in figures}

    def __getitem__(self, name: str) -> FiguresT:
        try:
            return self._figures[name]
        except KeyError:
            raise KeyError(self._unknown(name)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._figures

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        return f"<{len(self)} of kind {self._kind}: {', '.join(self)}>"

    def _unknown(self, name: object) -> str:
        names = list(self._figures)
        there = f"there is {', '.join(f'`{one}`' for one in names[:12])}" if names else "none ran"
        guess = suggest(str(name), names)
        return f"no {self._kind} `{name}`: {guess or there}"


class SeriesFigures:
    """All samples that share every label, with their whole distribution.

    Attributes:
        labels: What they have in common: request, phase, stage, user, task, tags, status, failure.
        count: How many there are.
        first_second: From the start of the run, the end of the first interval with one of them.
        last_second: The same of the last one.
    """

    def __init__(
        self, labels: Labels, delta: SeriesDelta, first_second: float, last_second: float
    ) -> None:
        self.labels = labels
        self.count = delta.count
        self.first_second = first_second
        self.last_second = last_second
        self._latency: Histogram = delta.latency

    @property
    def min(self) -> Elapsed:
        """The shortest latency."""
        return Elapsed(self._latency.min)

    @property
    def mean(self) -> Elapsed:
        """The average latency."""
        return Elapsed(round(self._latency.mean))

    @property
    def max(self) -> Elapsed:
        """The longest latency."""
        return Elapsed(self._latency.max)

    def percentile(self, percent: float) -> Elapsed:
        """Return any percentile of latency, within 0.4 %; 0 without samples.

        Raises:
            ValueError: `percent` is not between 0 and 100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"`{percent}` is not between 0 and 100")
        return Elapsed(self._latency.percentile(percent) if self.count else 0)

    def __repr__(self) -> str:
        labels = self.labels
        what = f"{labels.request} in {labels.phase}" if labels.phase else labels.request
        failure = f" {labels.failure}" if labels.failure else ""
        return f"<{what}{failure}: {self.count:,} samples>"


def series_of(records: Sequence[SeriesRecord]) -> tuple[SeriesFigures, ...]:
    """Return every series of a result.

    Raises:
        UsageError: metrics.json is broken.
    """
    deltas = read_series(records)
    return tuple(
        SeriesFigures(labels, deltas[labels], record.first_second, record.last_second)
        for record, labels in ((record, labels_of(record)) for record in records)
    )
