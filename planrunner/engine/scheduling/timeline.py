"""Which stage of its phase a moment belongs to, and whether it counts: exact, without timers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from planrunner.graph.loads import BY_HAND
from planrunner.graph.run_graph import PhaseNode, SearchLoad
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.values import dataclass

__all__ = ["FOREVER_NS", "SearchTimeline", "StageSpan", "Timeline", "timeline_of"]

FOREVER_NS: Final = 1 << 62
"""Later than anything; 146 years after the clock's zero."""


@dataclass(frozen=True, slots=True)
class StageSpan:
    """A piece of a phase in which every sample has the same stage and counts or doesn't.

    Attributes:
        number: Position in the timeline.
        end_ns: Exclusive; `FOREVER_NS` for the last.
        after: It is the time after the last stage, in which running iterations finish.
    """

    number: int
    begin_ns: int
    end_ns: int
    stage: str
    warmup: bool
    after: bool = False


class Timeline:
    """The windows of one phase that started at `started_ns`.

    Attributes:
        warmup_ends_ns: When measured time begins; later than anything while nobody knows.
        counts_ns: When the first iteration after those of the warm-up began; 0 until then.
        steered_ns: From when somebody changed its load by hand; later than anything until then.
        ends_ns: When the last stage ends, or ended if the phase was cut short: the end of what
            counts as measured time.
    """

    def __init__(self, phase: PhaseNode, started_ns: int) -> None:
        self.phase = phase.name
        self._is_counted = phase.load.is_counted
        self.started_ns = started_ns
        self.counts_ns = 0
        warm_until_ns = started_ns + phase.warmup_ns
        # Of iterations, and of a tool that takes its time to start, only the run shows the moment.
        is_unknown = bool(phase.warmup_iterations) or phase.load.is_foreign
        self.warmup_ends_ns = FOREVER_NS if is_unknown else warm_until_ns
        self.steered_ns = FOREVER_NS
        self._stages = tuple(_stages(phase, started_ns))
        self.ends_ns = self._stages[-1][2]
        windows = tuple(_windows(self._stages, warm_until_ns))
        self._windows = _with_after(windows) if windows else (self._empty(),)
        self._forget: list[Callable[[], None]] = []

    def _empty(self) -> StageSpan:
        """The window of a phase whose stages take no time at all."""
        return StageSpan(0, self.started_ns, FOREVER_NS, self._stages[-1][0], warmup=False)

    def on_cut(self, forget: Callable[[], None]) -> None:
        """Have `forget` called when windows end earlier than planned, for those that keep one."""
        self._forget.append(forget)

    def _forgotten(self) -> None:
        for forget in self._forget:
            forget()

    def at(self, moment_ns: int) -> StageSpan:
        """The window of `moment_ns`; the first one for anything earlier."""
        for window in self._windows:
            if moment_ns < window.end_ns:
                return window
        return self._windows[-1]

    def count_from(self, moment_ns: int) -> None:
        """Begin measured time: an iteration or request begins that is none of the warm-up.

        Of several users that come to theirs, and of several workers, the first counts.
        """
        if not self.counts_ns or moment_ns < self.counts_ns:
            self.counts_ns = self.warmup_ends_ns = moment_ns

    def cut(self, now_ns: int) -> None:
        """End the phase early: what starts from now on comes after its measured time."""
        if now_ns < self.ends_ns:
            self.ends_ns = now_ns
            *_, after = self._windows
            before = self._until(now_ns)
            self._windows = (*before, replace(after, begin_ns=now_ns, stage=before[-1].stage))
            self._forgotten()

    def steer(self, begin_ns: int) -> None:
        """Let the rest of the phase be by hand: no result of what the plan asks for."""
        if begin_ns < min(self.steered_ns, self.ends_ns):
            self.steered_ns = begin_ns
            number = self._windows[-1].number + 1
            rest = StageSpan(number, begin_ns, self.ends_ns, BY_HAND, warmup=True)
            after = StageSpan(
                number + 1, self.ends_ns, FOREVER_NS, BY_HAND, warmup=False, after=True
            )
            self._windows = (*self._until(begin_ns), rest, after)
            self._forgotten()

    def _until(self, moment_ns: int) -> tuple[StageSpan, ...]:
        """Return the windows before a moment; the last one ends there."""
        last = self.at(moment_ns)
        before = self._windows[: self._windows.index(last)]
        return (*before, replace(last, end_ns=moment_ns))

    def measured(self, now_ns: int) -> Iterator[MeasuredTime]:
        """What of each stage counts so far: all but warm-up and graceful stop."""
        for stage, begin_ns, end_ns in self.stages():
            counts_ns = max(begin_ns, self.warmup_ends_ns)
            until_ns = min(end_ns, now_ns, self.steered_ns)
            if counts_ns < until_ns:
                yield MeasuredTime(self.phase, stage, counts_ns, until_ns, self._is_counted)

    def stages(self) -> Iterator[tuple[str, int, int]]:
        """Name, begin and end of every stage that took any time, cut where the phase was."""
        for name, begin_ns, end_ns in self._stages:
            if begin_ns < (cut_ns := min(end_ns, self.ends_ns, self.steered_ns)):
                yield name, begin_ns, cut_ns
        if self.steered_ns < self.ends_ns:
            yield BY_HAND, self.steered_ns, self.ends_ns


class SearchTimeline(Timeline):
    """The windows of a search: each level is a stage, opened when the search comes to it.

    Of each level the first part, in which the target settles, is labelled as warm-up. What still
    happens between a level's end and the next one's begin comes after the level's measured time.
    """

    def __init__(self, phase: PhaseNode, load: SearchLoad, started_ns: int) -> None:
        super().__init__(phase, started_ns)
        self._settle_ns, self._hold_ns = load.settle_ns, load.hold_ns
        self._stages = ()
        self._windows = ()
        self._settled: list[tuple[int, int]] = []
        self.ends_ns = started_ns

    def open_level(self, name: str, begin_ns: int) -> None:
        """Begin a level."""
        number = self._windows[-1].number + 1 if self._windows else 0
        judged_ns, end_ns = begin_ns + self._settle_ns, begin_ns + self._hold_ns
        if self._settle_ns:
            self._windows += (StageSpan(number, begin_ns, judged_ns, name, warmup=True),)
            number += 1
        self._windows += (
            StageSpan(number, judged_ns, end_ns, name, warmup=False),
            # Until the next level; see `at`.
            StageSpan(number + 1, end_ns, end_ns, name, warmup=False, after=True),
        )
        self._stages += ((name, begin_ns, end_ns),)
        self._settled.append((judged_ns, end_ns))
        self.ends_ns = end_ns

    def at(self, moment_ns: int) -> StageSpan:
        """The window of `moment_ns`.

        When the time between two levels ends isn't known while it lasts, so its window never ends
        later than a moment that was asked about: a caller that keeps a window must ask again.
        """
        for window in reversed(self._windows):
            if window.begin_ns <= moment_ns < window.end_ns:
                return window
            if window.after and window.begin_ns <= moment_ns:
                return replace(window, end_ns=moment_ns + 1)
        return self._windows[0]

    def cut(self, now_ns: int) -> None:
        """End the level early."""
        if now_ns < self.ends_ns:
            self.ends_ns = now_ns
            self._windows = tuple(_ended_by(self._windows, now_ns))
            self._forgotten()

    def measured(self, now_ns: int) -> Iterator[MeasuredTime]:
        """What of each level counts: all but the time to settle."""
        for (stage, _, end_ns), (judged_ns, _) in zip(self._stages, self._settled, strict=True):
            until_ns = min(end_ns, now_ns, self.ends_ns)
            if judged_ns < until_ns:
                yield MeasuredTime(self.phase, stage, judged_ns, until_ns)


def timeline_of(phase: PhaseNode, started_ns: int) -> Timeline:
    """Return the windows of a phase; those of a search come with its levels."""
    if isinstance(phase.load, SearchLoad):
        return SearchTimeline(phase, phase.load, started_ns)
    return Timeline(phase, started_ns)


def _stages(phase: PhaseNode, started_ns: int) -> Iterator[tuple[str, int, int]]:
    begin_ns = started_ns
    for name, duration_ns in phase.load.spans:
        end_ns = begin_ns + duration_ns
        yield name, begin_ns, end_ns
        begin_ns = end_ns


def _windows(stages: tuple[tuple[str, int, int], ...], warmup_ends_ns: int) -> Iterator[StageSpan]:
    number = 0
    for name, begin_ns, end_ns in stages:
        edges = [begin_ns, end_ns]
        if begin_ns < warmup_ends_ns < end_ns:
            edges.insert(1, warmup_ends_ns)
        for begin, end in pairwise(edges):
            if begin < end:
                yield StageSpan(number, begin, end, name, warmup=begin < warmup_ends_ns)
                number += 1


def _with_after(windows: tuple[StageSpan, ...]) -> tuple[StageSpan, ...]:
    last = windows[-1]
    after = StageSpan(len(windows), last.end_ns, FOREVER_NS, last.stage, warmup=False, after=True)
    return (*windows, after)


def _ended_by(windows: tuple[StageSpan, ...], now_ns: int) -> Iterator[StageSpan]:
    for window in windows:
        if window.begin_ns < now_ns or window.after:
            begin_ns, end_ns = min(window.begin_ns, now_ns), min(window.end_ns, now_ns)
            yield replace(window, begin_ns=begin_ns, end_ns=end_ns)
