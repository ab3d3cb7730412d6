"""A collector: a program makes its own load and records what it measured, as a run."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Self, TypeVar

from planrunner.errors import UsageError
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import WORK
from planrunner.metrics.recorded_values import MILLIONTHS, MOST, RecordedValues
from planrunner.metrics.series import ABORTED, Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.metrics.thresholds import Threshold, ThresholdSyntaxError, parse_threshold
from planrunner.python.arguments import texts_of
from planrunner.python.collecting.collected_run import CollectedRun
from planrunner.python.collecting.measuring import Measuring
from planrunner.python.faults import named_as_arguments
from planrunner.python.keywords import AnyPath, NameOrNames
from planrunner.python.results.elapsed import Elapsed
from planrunner.python.results.figures import Figures
from planrunner.python.results.result import Result
from planrunner.results.record import FailingSample
from planrunner.units import NS_PER_S

__all__ = ["Collector"]

ValueT = TypeVar("ValueT")

_LONGEST_S: Final = 1e9
_OFTEN_S: Final = 0.1
"""How often what was recorded goes into histograms: at a million records a second, lists are 1 MB
long, and no longer however long the run lasts."""

_MOST_SERIES: Final = 500
_MOST_SAMPLES: Final = 3
"""Failing samples of each name and kind."""

_EXAMPLES: Final = {"name": "query", "kind": "timeout", "unit": "rows"}


class Collector:
    """Collects durations and errors that a program measured, and writes them as a run.

    `report`, `compare`, `baseline`, `history` and `planrunner.load` take its directory as that of
    any run. Use it as a context manager, or call `close`; a program that ends without either
    writes the run as it ends. Any thread may record, which takes less than a microsecond.

    Args:
        name: What the plan of a run is: runs of the same name are compared with each other.
        out: The run's directory; None for a new one below `reports`.
        labels: What reports call this run, by name.
        formats: The reports to write besides metrics.json, of those that need no raw samples.
        thresholds: What must hold for `Result.passed`, as plans write it.

    Raises:
        CannotRun: The directory can't be made, or has files of an earlier run.
        UsageError: A threshold or report can't be.

    Example:
        >>> with planrunner.Collector("nightly") as c:
        ...     c.record("query", seconds=0.15, work=1000, unit="rows")
        ...     with c.measure("load"):
        ...         rows = [*range(1000)]
        >>> c.close().requests["query"].count
        1
    """

    def __init__(
        self,
        name: str,
        out: AnyPath | None = None,
        *,
        labels: Mapping[str, object] | None = None,
        formats: NameOrNames = "report.html",
        thresholds: NameOrNames = (),
    ) -> None:
        _check_text("name", name)
        limits = [_threshold(text, index) for index, text in enumerate(texts_of(thresholds))]
        with named_as_arguments():
            self._run = CollectedRun(
                name,
                out=None if out is None else Path(out),
                labels=labels or {},
                formats=texts_of(formats),
                thresholds=limits,
            )
        self._appends: dict[str, Callable[[float], None]] = {}
        self._failures: dict[tuple[str, str, bool], list[float]] = {}
        self._recorded: dict[Labels, list[float]] = {}
        self._work_appends: dict[tuple[str, str], Callable[[tuple[float, float]], None]] = {}
        self._worked: dict[Labels, list[tuple[float, float]]] = {}
        self._samples: list[FailingSample] = []
        self._kept: dict[tuple[str, str], int] = {}
        self._opening = Lock()
        self._draining = Lock()
        self._drained: dict[Labels, Histogram] = {}
        self._work_done: dict[Labels, RecordedValues] = {}
        self._ended = Event()
        self._result: Result | None = None
        self._began_ns = time.monotonic_ns()
        self._since_ns = 0
        self._book = SeriesBook()
        self._thread = Thread(target=self._drain_often, name="planrunner collector", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def directory(self) -> Path:
        """Where the run's files are or will be."""
        return self._run.directory

    @property
    def total(self) -> Figures:
        """What everything together has come to; more may be recorded afterwards."""
        with self._opening:
            if self._result is not None:
                return self._result.total
            with self._draining:
                self._drain()
                return Figures(self._run.whole(self._emit()))

    @property
    def duration(self) -> Elapsed:
        """How long the collector has been open, or was."""
        if self._result is not None:
            return self._result.duration
        return Elapsed(time.monotonic_ns() - self._began_ns)

    def record(
        self, name: str, seconds: float, work: float | None = None, *, unit: str = ""
    ) -> None:
        """Record that something succeeded, how long it took, and how much it did.

        Args:
            name: What it was; at most 500 names have figures of their own.
            seconds: How long it took, in seconds.
            work: How much it did, such as a number of rows: `work_rate` and `sum work` are of it.
            unit: What the work is counted in, such as `rows`.

        Raises:
            UsageError: The time or the work is negative or not a number, or the collector is
                closed.
        """
        if not 0 <= seconds < _LONGEST_S:
            raise UsageError(f"seconds: `{seconds}` is not a duration", hint="give seconds from 0")
        if work is not None:
            self._record_work((name, unit), seconds, work)
            return
        try:
            append = self._appends[name]
        except KeyError:
            append = self._opened(name)
        append(seconds)

    def error(
        self, name: str, kind: str = "error", *, seconds: float | None = None, reason: str = ""
    ) -> None:
        """Record that something failed.

        Args:
            name: What it was.
            kind: How it failed, in a word such as `timeout`.
            seconds: How long it took; without it, and for the kind `error`, the failure has no
                part in latencies.
            reason: What reports show of the first ones.

        Raises:
            UsageError: The time is negative or not a number, or the collector is closed.
        """
        if seconds is not None and not 0 <= seconds < _LONGEST_S:
            raise UsageError(f"seconds: `{seconds}` is not a duration", hint="give seconds from 0")
        key = (name, kind, seconds is not None)
        failures = self._failures.get(key)
        if failures is None:
            failures = self._failed(key)
        failures.append(seconds or 0.0)
        if self._kept.get((name, kind), 0) < _MOST_SAMPLES and len(self._kept) < _MOST_SERIES:
            self._keep_sample(name, kind, reason, seconds or 0.0)

    def measure(self, name: str, *, work: float | None = None, unit: str = "") -> Measuring:
        """Record how long a block takes: `with c.measure("load"):`.

        `@c.measure("load")` measures each call of a function, `async def` or not, until it is
        through; one that is a generator is refused. An exception is recorded as a failure of kind
        `error`, and goes on.

        Args:
            name: What it is.
            work: How much each block or call does.
            unit: What the work is counted in.
        """
        return Measuring(self, name, work, unit)

    def close(self) -> Result:
        """Write the run, and return its result; calling it again returns the same.

        Raises:
            CannotRun: It can't be written.
        """
        with self._opening:
            if self._result is None:
                self._appends.clear()
                self._work_appends.clear()
                self._failures.clear()
                self._ended.set()
                self._thread.join()
                self._drain()
                end_ns = self._emit()
                notices = []
                if self._book.overflowed:
                    notices = [f"more than {_MOST_SERIES} names: the others are `__overflow__`"]
                with named_as_arguments():
                    raw = self._run.finish(end_ns, self._samples, notices=notices)
                self._result = Result(raw, self._run.directory)
                atexit.unregister(self.close)
        return self._result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self, name: str) -> Callable[[float], None]:
        with self._opening:
            _check_text("name", name)
            append = self._list_of(_labels(name)).append
            if len(self._appends) < 2 * _MOST_SERIES:
                self._appends[name] = append
            return append

    def _record_work(self, key: tuple[str, str], seconds: float, work: float) -> None:
        if not 0 <= work <= MOST:
            raise UsageError(f"work: `{work}` is not an amount", hint="give a number from 0 on")
        append = self._work_appends.get(key)
        if append is None:
            name, unit = key
            _check_text("name", name)
            _check_text("unit", unit or "work")
            with self._opening:
                labels = self._open(_labels(name, work_unit=unit))
                append = self._worked.setdefault(labels, []).append
                if len(self._work_appends) < 2 * _MOST_SERIES:
                    self._work_appends[key] = append
        append((seconds, work))

    def _failed(self, key: tuple[str, str, bool]) -> list[float]:
        name, kind, timed = key
        _check_text("name", name)
        _check_text("kind", kind)
        if kind == ABORTED:
            raise UsageError(
                f"kind: `{kind}` is not a kind of failure", hint='give a word: "timeout"'
            )
        with self._opening:
            kinds = {one for _, one, _ in self._failures}
            if kind not in kinds and len(kinds) >= _MOST_SERIES // 10:
                kind = "other"
            failures = self._list_of(_labels(name, kind, timed=timed))
            if len(self._failures) < 4 * _MOST_SERIES:
                self._failures[key] = failures
            return failures

    def _list_of(self, labels: Labels) -> list[float]:
        return self._recorded.setdefault(self._open(labels), [])

    def _open(self, labels: Labels) -> Labels:
        """Return the labels that samples get: there are at most so many names.

        Raises:
            UsageError: The collector is closed.
        """
        if self._result is not None:
            raise UsageError("the collector is closed", hint="open another one")
        return self._book.series(labels).labels

    def _keep_sample(self, name: str, kind: str, reason: str, seconds: float) -> None:
        self._kept[name, kind] = self._kept.get((name, kind), 0) + 1
        second = (time.monotonic_ns() - self._began_ns) / NS_PER_S
        took_ns = round(seconds * NS_PER_S)
        said = str(reason) or kind  # an exception is often what is at hand
        sample = FailingSample(name, "main", kind, said, "", 0, second, took_ns)
        self._samples.append(sample)

    def _drain_often(self) -> None:
        next_ns = NS_PER_S
        while not self._ended.wait(_OFTEN_S):
            with self._draining:
                self._drain()
                if time.monotonic_ns() - self._began_ns >= next_ns:
                    next_ns = self._emit() // NS_PER_S * NS_PER_S + NS_PER_S

    def _drain(self) -> None:
        for labels, values in tuple(self._recorded.items()):
            if taken := _take(values):
                self._add(labels, taken)
        now_ns = time.monotonic_ns() - self._began_ns
        for labels, pairs in tuple(self._worked.items()):
            if both := _take(pairs):
                self._add(labels, [seconds for seconds, _ in both])
                done = [round(work * MILLIONTHS) for _, work in both]
                values_done = RecordedValues(done, last_ns=now_ns)
                self._work_done.setdefault(labels, RecordedValues()).merge(values_done)

    def _add(self, labels: Labels, seconds: list[float]) -> None:
        found = self._drained.setdefault(labels, Histogram())
        found.record_many([round(one * NS_PER_S) for one in seconds])

    def _emit(self) -> int:
        """Give what was drained to the run, as the interval that ends now; return its end."""
        drained, self._drained = self._drained, {}
        done, self._work_done = self._work_done, {}
        end_ns = max(time.monotonic_ns() - self._began_ns, self._since_ns + 1)
        deltas = {
            labels: SeriesDelta(
                found, found, measures={WORK.word: done[labels]} if labels in done else {}
            )
            for labels, found in drained.items()
        }
        self._run.add(Snapshot(self._since_ns, end_ns, {}, deltas))
        self._since_ns = end_ns
        return end_ns


def _labels(
    name: str, failure: str = "", *, timed: bool = True, work_unit: str | None = None
) -> Labels:
    return Labels(
        request=name,
        method="",
        phase="main",
        stage="hold",
        user="Collector",
        task="",
        failure=failure,
        timed=timed,
        records=() if work_unit is None else (WORK.word,),
        work_unit=work_unit or "",
    )


def _check_text(argument: str, text: object) -> None:
    """Refuse now what couldn't be written at the end, with all that was recorded.

    Raises:
        UsageError: It is no text, or an empty one.
    """
    if not isinstance(text, str) or not text.strip():
        hint = f'give a text, such as `{argument}="{_EXAMPLES[argument]}"`'
        raise UsageError(f"{argument}: `{text}` says nothing", hint=hint)


def _take(values: list[ValueT]) -> list[ValueT]:
    """Take away what a list has: in place, so that nothing added meanwhile is lost."""
    taken = values[:]
    del values[: len(taken)]
    return taken


def _threshold(text: str, index: int) -> Threshold:
    try:
        return parse_threshold(text)
    except ThresholdSyntaxError as error:
        raise UsageError(f"thresholds[{index}]: {error.message}", hint=error.hint) from error
