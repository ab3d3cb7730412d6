"""The page as an output: what a run says, second by second → messages to the page's process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Final, Protocol

from planrunner.engine.coordinator.events import Insight
from planrunner.errors import CannotRun
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.outputs.base import RunEvent, RunInfo, Second
from planrunner.results.model import RunResult
from planrunner.results.record import FailingSample
from planrunner.web.feed.messages import ARRIVAL_WORDS, RunJudged, SecondSeen
from planrunner.web.feed.result_facts import result_facts

__all__ = ["LiveOutput", "PageFeed"]


class PageFeed(Protocol):
    """The way to the page's process."""

    def send(self, message: object) -> None:
        """Send a message; one that can't arrive any more is dropped."""

    async def flush(self) -> None:
        """Return when the other side has taken most of what was sent.

        Raises:
            OSError: It is gone.
        """


class LiveOutput:
    """Sends what is new each second; what is shown of it is computed where it is shown."""

    name: Final = "ui"

    def __init__(self, feed: PageFeed) -> None:
        self._feed = feed
        self._insight: Callable[[], Insight] = Insight
        self._shown: dict[int, FailingSample] = {}
        self._came: Counter[str] = Counter()
        self._gauges: dict[str, int] = {}

    def use_insight(self, insight: Callable[[], Insight]) -> None:
        self._insight = insight

    async def start(self, run: RunInfo) -> None:
        """The page was opened before the run."""

    async def hear(self, event: RunEvent) -> None:
        await self._say(event)

    async def add(self, second: Second) -> None:
        insight = self._insight()
        await self._say(
            SecondSeen(
                second,
                tuple(insight.standings()),
                tuple(insight.doubts()),
                tuple(self._new(insight.failing())),
                tuple(insight.workers()),
                self._arrived(insight.arrivals),
                dict(self._measured(insight.gauges)),
            )
        )

    def _new(self, failing: Sequence[FailingSample]) -> Iterator[FailingSample]:
        for sample in failing:  # those of several workers are put in order as they come
            if id(sample) not in self._shown:
                self._shown[id(sample)] = sample
                yield sample

    def _arrived(self, arrivals: Mapping[str, ArrivalCounts]) -> dict[str, int]:
        """Return what became of those that had a due time since the last second."""
        before, self._came = self._came, Counter()
        for counts in arrivals.values():
            for word in ARRIVAL_WORDS:
                self._came[word] += getattr(counts, word)
        return {word: count - before[word] for word, count in self._came.items()}

    def _measured(self, gauges: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, float]:
        """Return the last value of each gauge that has a new one."""
        found = {}
        for name, points in gauges.items():
            if len(points) > self._gauges.get(name, 0) and isfinite(points[-1][1]):
                self._gauges[name] = len(points)
                found[name] = points[-1][1]
        return found

    async def take_result(self, result: RunResult) -> None:
        await self._say(RunJudged(result_facts(result)))

    async def stop(self) -> None:
        """The page goes on showing what it has."""

    async def _say(self, message: object) -> None:
        """Send it.

        Raises:
            CannotRun: Nobody takes it any more.
        """
        self._feed.send(message)
        try:
            await self._feed.flush()
        except OSError as error:
            raise CannotRun("the process of the page has ended") from error
