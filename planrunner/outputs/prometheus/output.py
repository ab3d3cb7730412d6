"""The output itself: what of a run goes onto its page of metrics, and how long the page stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from planrunner.engine.coordinator.events import Insight
from planrunner.engine.recording.generator_health import Health
from planrunner.errors import CannotRun
from planrunner.metrics.judging.verdict import Verdict, worst_verdicts
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.beside import beside
from planrunner.outputs.buckets import USUAL_BUCKETS_NS, ascending
from planrunner.outputs.labelled import written
from planrunner.outputs.prometheus.families import Family, RunSoFar, families_of
from planrunner.outputs.prometheus.server import MetricsServer
from planrunner.outputs.prometheus.tally import RequestTally, free_names
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S, format_duration

__all__ = ["PrometheusOutput"]

_PORT: Final = 9464  # where exporters of OpenTelemetry are looked for


class PrometheusOutput:
    """Serves a run to Prometheus."""

    name: Final = "prometheus"

    def __init__(  # noqa: PLR0913 - its settings
        self,
        *,
        port: int | str = _PORT,
        host: str = "127.0.0.1",
        prefix: str = "perf_test",
        linger: int = 10 * NS_PER_S,
        buckets: Sequence[int] = USUAL_BUCKETS_NS,
        labels: Sequence[str] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._address = host, 0 if port == "auto" else int(port)
        self._prefix = prefix
        self.linger_s = linger / NS_PER_S
        self._buckets_ns = ascending(buckets)
        self._tags = tuple(labels)
        self._now = now
        self._insight: Callable[[], Insight] = Insight
        self._edition = 0
        self._health: Health | None = None
        self._served = asyncio.Event()
        self._was_asked = False
        self._server: MetricsServer | None = None
        self._prepared = 0

    def use_insight(self, insight: Callable[[], Insight]) -> None:
        self._insight = insight

    async def start(self, run: RunInfo) -> None:
        """Serve the page from now on, with nothing but the run on it.

        Raises:
            CannotRun: Nobody can listen there.
        """
        own = {"run": run.run_id, "plan": run.plan, "seed": str(run.seed)}
        if run.profile:
            own["profile"] = run.profile
        theirs = free_names(run.labels, taken=own, prefix="label_")
        named = {**own, **{label: run.labels[name] for label, name in theirs.items()}}
        self._info = {label: written(run.mask(text)) for label, text in named.items()}
        self._started_s = self._now().timestamp()
        self._tally = RequestTally(
            self._info["plan"], tags=self._tags, buckets_ns=self._buckets_ns, mask=run.mask
        )
        self._show({}, {}, {})
        loop = asyncio.get_running_loop()

        def served(edition: int) -> None:
            with suppress(RuntimeError):  # the loop has gone
                loop.call_soon_threadsafe(self._note_served, edition)

        server = MetricsServer(self._prefix, self._look, served=served)
        host, port = self._address
        try:
            port = await asyncio.to_thread(server.open, host, port)
        except OSError as error:
            raise CannotRun(
                f"cannot listen on `{host}:{port}`: {error.strerror or error}",
                hint="choose another port, or `port: auto` for a free one",
            ) from error
        self._server, self._tell = server, run.tell
        run.tell(f"metrics: http://{f'[{host}]' if ':' in host else host}:{port}/metrics")

    async def add(self, second: Second) -> None:
        await self._tally.add(second.snapshot)
        self._health = second.health or self._health
        insight = self._insight()
        verdicts = worst_verdicts((one.threshold, one.verdict) for one in insight.standings())
        self._show(second.snapshot.users, _dropped(insight), verdicts)
        if self._server is not None and self._tally.size != self._prepared:
            self._prepared = self._tally.size
            await beside(partial(self._server.prepare, [*families_of(self._shown)]))

    async def take_result(self, result: RunResult) -> None:
        verdicts = ((one.threshold, Verdict(one.verdict)) for one in result.judgements)
        self._show({}, _dropped(self._insight()), worst_verdicts(verdicts))

    async def linger(self) -> None:
        """Wait until the page was scraped as it is now, if anybody ever scraped it."""
        if self._was_asked:
            self._served.clear()
            most = format_duration(self.linger_s * NS_PER_S)
            self._tell(f"waiting for a last scrape of the metrics, {most} at most; Ctrl-C ends it")
            await self._served.wait()

    async def stop(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.close)

    def _look(self) -> tuple[int, Iterable[Family]]:
        self._was_asked = True
        edition = self._edition  # first: what comes between is newer, and never called older
        return edition, families_of(self._shown)

    def _note_served(self, edition: int) -> None:
        if edition == self._edition:
            self._served.set()

    def _show(
        self,
        users: Mapping[str, int],
        dropped: Mapping[str, int],
        verdicts: Mapping[str, Verdict],
    ) -> None:
        """Make what scrapes see from now on; threads read it, so nothing of it ever changes."""
        tally = self._tally
        self._shown = RunSoFar(
            info=self._info,
            started_s=self._started_s,
            request_names=tally.request_names,
            error_names=tally.error_names,
            duration_names=tally.duration_names,
            buckets_ns=self._buckets_ns,
            requests=dict(tally.requests),
            errors=dict(tally.errors),
            durations=dict(tally.durations),
            users={written(user): count for user, count in users.items()},
            dropped={written(phase): count for phase, count in dropped.items()},
            verdicts={written(threshold): found for threshold, found in verdicts.items()},
            health=self._health,
        )
        self._edition += 1


def _dropped(insight: Insight) -> dict[str, int]:
    return {phase: counts.dropped for phase, counts in insight.arrivals.items()}
