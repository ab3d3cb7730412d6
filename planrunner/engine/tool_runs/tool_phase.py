"""A phase that another tool runs: whoever starts it is given, and its samples are recorded here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from planrunner.clock import Clock
from planrunner.engine.recording.recorder import PhaseRecorder, Site
from planrunner.engine.stop import Stop, StopLevel
from planrunner.graph.loads import ToolLoad
from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.measures import SERVICE_TIME, SIZE
from planrunner.metrics.series import CHECK, Labels, Series, Tags
from planrunner.protocols.base import Reply
from planrunner.results.files.samples import pack_row
from planrunner.tools.contract import ToolSample
from planrunner.tools.tool_run import ToolEnd

__all__ = ["RunningTool", "StartTool", "ToolPhase"]

_HTTP: Final = "http"


class RunningTool(Protocol):
    """A tool that runs once.

    Attributes:
        users: How many it says it has now; None where it doesn't.
        lasted_ns: How long it says that its load lasted; 0 where it doesn't, or hasn't yet.
    """

    @property
    def users(self) -> int | None: ...
    @property
    def lasted_ns(self) -> int: ...

    async def run(self, take: Callable[[Sequence[ToolSample]], None]) -> ToolEnd:
        """Run it to its end, and have its samples taken as they come."""

    def wall_ns(self) -> int:
        """Return the time on the clock that its samples go by: ns since 1970."""

    def stop(self) -> None:
        """Ask it to end its load."""

    def kill(self) -> None: ...


StartTool = Callable[[PhaseNode], RunningTool]
"""Makes the run that a phase asks for."""

_ToolPlace = tuple[str, str, str, Tags, bool, tuple[str, ...], str]


class ToolPhase:
    """One run of a tool.

    Args:
        alive: Users now, by class; those of the tool count under its name.
    """

    def __init__(
        self,
        phase: PhaseNode,
        recorder: PhaseRecorder,
        run: RunningTool,
        *,
        clock: Clock,
        alive: Counter[str],
    ) -> None:
        assert isinstance(phase.load, ToolLoad)
        self._load = phase.load
        self._phase = phase
        self._recorder = recorder
        self._run = run
        self._clock = clock
        self._alive = alive
        self._sites: dict[_ToolPlace, Site] = {}
        self._requests = 0
        self._last_ns = 0
        # Tools say when by the clock on the wall.
        self._wall_ns = run.wall_ns() - clock.now_ns()

    async def run(self, stop: Stop) -> ToolEnd:
        """Run it to its end."""

        def heed() -> None:
            if stop.level is StopLevel.AT_ONCE:
                self._run.kill()
            elif stop.level is StopLevel.GRACEFUL:
                self._run.stop()

        tool, timeline = self._load.tool, self._recorder.timeline
        users_before = self._alive[tool]
        forget = stop.listen(heed)
        heed()
        try:
            return await self._run.run(self._take)
        finally:
            forget()
            self._alive[tool] = users_before
            timeline.cut(self._last_ns or self._clock.now_ns())

    def notices(self, ended: ToolEnd) -> Iterator[str]:
        """Yield what the tool has to say, and what is to be said of it."""
        if ended.verdict:
            yield self._of_phase(f"{ended.verdict}; the thresholds of the plan decide")
        yield from map(self._of_phase, ended.notices)

    def fault(self, ended: ToolEnd) -> str:
        """Return why it did not do what it was to do; empty if it did."""
        return self._of_phase(ended.failed)

    def doubts(self, ended: ToolEnd) -> Iterator[str]:
        """Yield what makes the numbers say something else than the plan asks for."""
        if ended.failed:
            yield self._of_phase(ended.all_that_failed)
        elif not self._requests:
            yield self._of_phase(f"{self._load.tool} reported no request")

    def _of_phase(self, words: str) -> str:
        return self._recorder.mask(f"phase `{self._phase.name}`: {words}") if words else ""

    def _take(self, samples: Sequence[ToolSample]) -> None:
        for sample in samples:
            if sample.kind == CHECK:
                self._record_check(sample)
            else:
                self._record(sample)
        users = self._run.users
        if users is not None:
            self._alive[self._load.tool] = users

    def _record(self, sample: ToolSample) -> None:
        timeline, took_ns = self._recorder.timeline, sample.took_ns or 0
        start_ns = sample.start_ns - self._wall_ns
        if not sample.start_ns:
            start_ns = self._clock.now_ns() - self._run.lasted_ns
            self._last_ns = self._clock.now_ns()
        start_ns = max(start_ns, timeline.started_ns)
        # Measured time takes in the last request, also one that took no time.
        self._last_ns = max(self._last_ns, start_ns + took_ns + 1)
        timeline.count_from(max(start_ns, timeline.started_ns + self._phase.warmup_ns))
        self._requests += sample.count
        site = self._site(sample)
        failure = sample.failure
        series = site.series(
            site.table_at(start_ns),
            status=sample.status or 0,
            failure=failure,
            answered=bool(sample.status),
            judged=False,
            spoken=site.labels.protocol,  # of which version, nobody says
        )
        service_ns = took_ns if sample.service_ns is None else sample.service_ns
        if service_ns == took_ns:
            series.same_ns.extend([took_ns] * sample.count)
        else:
            series.latency_ns.extend([took_ns] * sample.count)
            series.service_ns.extend([service_ns] * sample.count)
        if sample.received is not None:
            series.received += sample.received * sample.count
            if SIZE.word in series.measures and sample.status:
                series.measures[SIZE.word].extend([sample.received] * sample.count)
        series.sent += (sample.sent or 0) * sample.count
        words = self._words(sample) if failure else ""
        if failure:
            self._keep_failing(site, sample, words, start_ns)
        self._write_row(series, sample, start_ns, words)

    def _record_check(self, sample: ToolSample) -> None:
        """Count a check of the script, which says nothing of when requests began or ended."""
        moment_ns = sample.start_ns - self._wall_ns if sample.start_ns else self._clock.now_ns()
        site = self._site(sample)
        table = site.table_at(max(moment_ns, self._recorder.timeline.started_ns))
        series = site.series(table, status=0, failure="")
        series.same_ns.extend([0] * sample.count)
        if sample.failure:
            key = site.labels.request, True
            series.broken[key] = series.broken.get(key, 0) + sample.count

    def _site(self, sample: ToolSample) -> Site:
        unknown = _unknown(sample)
        request = self._recorder.book.admitted_name(sample.request)
        place = (
            *(request, sample.method, sample.user, sample.tags, sample.took_ns is None),
            unknown,
            sample.kind,
        )
        site = self._sites.get(place)
        if site is None:
            book = self._recorder.book
            tags = {key: book.tag_value(key, value) for key, value in sample.tags}
            labels = Labels(
                request,
                sample.method,
                self._phase.name,
                "",
                sample.user,
                "",
                tags=tuple(sorted({**tags, "tool": self._load.tool}.items())),
                kind=sample.kind,
                protocol=_HTTP if sample.kind == "request" else "",
                timed=sample.took_ns is not None,
                expectations=1 if sample.kind == CHECK else 0,
                unknown=unknown,
            )
            measures = self._recorder.measures.get(_HTTP, ())
            site = self._sites[place] = Site(self._recorder, labels, measures=measures)
        return site

    def _words(self, sample: ToolSample) -> str:
        words = sample.words or (f"status {sample.status}" if sample.status else sample.failure)
        return self._recorder.mask(words)

    def _keep_failing(self, site: Site, sample: ToolSample, words: str, start_ns: int) -> None:
        reply = Reply()
        reply.status = sample.status or 0
        assert self._recorder.failing is not None
        self._recorder.failing.add(
            site.labels,
            None,
            reply,
            kind=sample.failure,
            words=words,
            after_ns=start_ns - self._recorder.origin_ns,
            took_ns=sample.took_ns or 0,
        )

    def _write_row(self, series: Series, sample: ToolSample, start_ns: int, words: str) -> None:
        samples, took_ns = self._recorder.samples, sample.took_ns or 0
        if samples is None:
            return
        service_ns = took_ns if sample.service_ns is None else sample.service_ns
        row = pack_row(
            series.index,
            start_ns - self._recorder.origin_ns,
            took_ns,
            service_ns,
            0,
            0,
            sample.received or 0,
            samples.message(words),
        )
        for _ in range(sample.count):
            samples.append(row)


def _unknown(sample: ToolSample) -> tuple[str, ...]:
    """Return what its tool doesn't tell of a sample, as `Labels.unknown` has it."""
    told = {
        "connects": False,
        "received": sample.received is not None,
        "sent": sample.sent is not None,
        SERVICE_TIME.word: sample.service_ns is not None or sample.took_ns is None,
        "status": sample.status is not None,
    }
    return tuple(sorted(word for word, is_told in told.items() if not is_told))
