"""The output itself: when something is exported, and what did not arrive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from planrunner.engine.coordinator.events import Insight
from planrunner.engine.recording.generator_health import Health
from planrunner.errors import CannotRun, PackageMissing
from planrunner.extras import need
from planrunner.metrics.judging.verdict import Verdict, worst_verdicts
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.beside import beside
from planrunner.outputs.buckets import USUAL_BUCKETS_NS, ascending
from planrunner.outputs.labelled import LabelTexts, SampleLabels, ns_since_1970, written
from planrunner.outputs.otlp.moment import Moment
from planrunner.outputs.slices import in_slices
from planrunner.outputs.totals import RequestTotals, is_shown
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S

if TYPE_CHECKING:
    from planrunner.outputs.otlp.sender import Exporting, MetricSender

__all__ = ["OtlpOutput"]

_TIMEOUT_S: Final = 4.0
"""For an export with its repetitions: less than a run waits for its outputs at the end."""

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of one; source: RFC 9110, 5.6.2."""


class OtlpOutput:
    """Exports a run every few seconds.

    Args:
        protocol: `grpc`, or else `http/protobuf`.
        every: Nanoseconds between two exports.
        buckets: Bounds of the histogram of durations, in nanoseconds.
        labels: The tags that become attributes.
    """

    name: Final = "otlp"

    def __init__(  # noqa: PLR0913 - its settings
        self,
        *,
        endpoint: str,
        protocol: str = "http/protobuf",
        headers: Mapping[str, str] | None = None,
        every: int = 5 * NS_PER_S,
        buckets: Sequence[int] = USUAL_BUCKETS_NS,
        labels: Sequence[str] = (),
        timeout_s: float = _TIMEOUT_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._endpoint = endpoint
        self._protocol = protocol
        self._headers = dict(headers or {})
        self._every_s = max(1, every // NS_PER_S)
        self._buckets_ns = ascending(buckets)
        self._tags = labels
        self._timeout_s = timeout_s
        self._now = now
        self._insight: Callable[[], Insight] = Insight
        self._sender: MetricSender | None = None
        self._requests: dict[LabelTexts, RequestTotals] = {}
        self._unsent: set[LabelTexts] = set()
        self._users: dict[str, int] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._health: Health | None = None
        self._seconds = self._arrived = 0
        self.loss = ""
        self._is_sending = False

    def use_insight(self, insight: Callable[[], Insight]) -> None:
        self._insight = insight

    @property
    def lost_seconds(self) -> int:
        """Those that came after the last export that arrived; it has all that was before."""
        return self._seconds - self._arrived

    async def start(self, run: RunInfo) -> None:
        """Send the run's own attributes, which shows whether the receiver takes anything.

        Raises:
            CannotRun: It does not, or a header is none.
        """
        self._check_headers()
        self._mask = run.mask
        self._began = self._last = self._now()
        self._labels = SampleLabels(self._tags, run.mask)
        self._plan = written(run.mask(run.plan))
        self._run = {
            "run": run.run_id,
            "plan": self._plan,
            "profile": run.mask(run.profile),
            "seed": str(run.seed),
            "started": self._began.isoformat(),
            **{f"label.{name}": run.mask(value) for name, value in run.labels.items()},
        }
        try:
            self._sender = await beside(self._opened)
        except PackageMissing as error:
            raise CannotRun(error.message, hint=error.hint) from error
        await self._export(self._began)
        if self.loss:
            self._sender.close()
            raise CannotRun(
                f"the receiver takes no metrics: {self.loss}",
                hint="check `endpoint`, `protocol` and `headers`, or write `optional: true`",
            )

    def _check_headers(self) -> None:
        """Look at what HTTP and gRPC would refuse, each in words of its own."""
        for name, text in self._headers.items():
            is_text = text.isascii() and text.isprintable() and text == text.strip()
            if not (_HEADER.fullmatch(name) and is_text):
                raise CannotRun(
                    f"the header `{name}` can't be sent",
                    hint="names are letters, digits and `-`; values are ASCII without line breaks",
                )

    def _opened(self) -> MetricSender:
        # The SDK takes 0.4 s to import.
        from planrunner.outputs.otlp.sender import MetricSender  # noqa: PLC0415 - an extra

        return MetricSender(self._exporting(), run={"service.instance.id": self._run["run"]})

    def _exporting(self) -> Exporting:
        if self._protocol == "grpc":
            need("opentelemetry.exporter.otlp.proto.grpc", "`protocol: grpc`")
            from planrunner.outputs.otlp.over_grpc import GrpcExporting  # noqa: PLC0415 - as above

            return GrpcExporting(self._endpoint, self._headers, timeout_s=self._timeout_s)
        from planrunner.outputs.otlp.over_http import HttpExporting  # noqa: PLC0415 - as above

        return HttpExporting(self._endpoint, self._headers, timeout_s=self._timeout_s)

    async def add(self, second: Second) -> None:
        self._seconds += 1
        async for labels, delta in in_slices(second.snapshot.deltas.items()):
            if is_shown(labels):
                values = self._labels.of(labels)
                self._requests.setdefault(values, RequestTotals()).add(labels, delta)
                self._unsent.add(values)
        self._users = {**dict.fromkeys(self._users, 0), **second.snapshot.users}
        self._last, self._health = second.ended, second.health or self._health
        if second.number % self._every_s == 0 and not second.is_last:
            standings = self._insight().standings()
            self._verdicts = worst_verdicts((one.threshold, one.verdict) for one in standings)
            await self._export(second.ended)

    async def take_result(self, result: RunResult) -> None:
        found = ((one.threshold, Verdict(one.verdict)) for one in result.judgements)
        self._verdicts = worst_verdicts(found)
        self._run["exit_code"] = str(int(result.exit_code))

    async def stop(self) -> None:
        """Export everything once more, with the end of the run."""
        if self._sender is None:
            return
        try:
            if not self._is_sending:  # or it was cancelled, as nothing came back
                self._run["ended"] = self._last.isoformat()
                self._unsent = {*self._requests}
                await self._export(self._last)
        finally:
            self._sender.close()

    async def _export(self, at: datetime) -> None:
        """Send what changed since the last export that arrived; nothing else runs meanwhile."""
        if self._sender is None:
            return
        moment = Moment(
            began_ns=ns_since_1970(self._began),
            at_ns=ns_since_1970(at),
            plan=self._plan,
            run={name: written(value) for name, value in self._run.items() if value},
            buckets_ns=self._buckets_ns,
            names=self._labels.names,
            requests={values: self._requests[values] for values in self._unsent},
            users={written(name): count for name, count in self._users.items()},
            dropped={written(name): one.dropped for name, one in self._insight().arrivals.items()},
            verdicts={written(name): found for name, found in self._verdicts.items()},
            health=self._health,
        )
        self._is_sending = True
        failure = await beside(partial(self._sender.send, moment))
        self._is_sending = False
        self.loss = self._mask(failure)
        if not failure:
            self._unsent.clear()
            self._arrived = self._seconds
