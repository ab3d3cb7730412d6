"""The output itself: opens a database or bucket, and writes what each interval was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from planrunner.outputs.base import RunInfo
from planrunner.outputs.http_sender import HttpSender
from planrunner.outputs.influxdb.destination import Destination, destination_of
from planrunner.outputs.influxdb.points import RunPoints
from planrunner.outputs.labelled import SampleLabels, ns_since_1970
from planrunner.outputs.sending import Batch, Refused, SendingOutput
from planrunner.outputs.slices import in_slices
from planrunner.outputs.totals import totals_by
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S

__all__ = ["InfluxdbOutput", "make_output"]


def make_output(*, labels: Sequence[str], every: int = NS_PER_S, **address: str) -> InfluxdbOutput:
    """Return an output with the settings of a plan."""
    return InfluxdbOutput(destination_of(**address), every=every, labels=labels)


class InfluxdbOutput(SendingOutput):
    """Writes a run to InfluxDB: points that are written twice are the same points.

    Args:
        every: Nanoseconds that a point is about.
        labels: The tags of the plan that become tags of points.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        every: int = NS_PER_S,
        labels: Sequence[str] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("influxdb", every_ns=every)
        self._destination = destination
        self._tags = labels
        self._now = now
        self._sender: HttpSender | None = None
        self._ended_ns = 0

    async def open(self, run: RunInfo) -> None:
        """Create the database, and write that the run begins, which shows whether it can be."""
        self._labels = SampleLabels(self._tags, run.mask)
        self._points = RunPoints(run, self._labels)
        self._sender = HttpSender(self._destination.url, self._destination.headers)
        if self._destination.database:
            await self._create_database(self._destination.database)
        await self._write([_encoded(self._points.run_began(ns_since_1970(self._now())))])

    async def _create_database(self, name: str) -> None:
        """Create it unless it is there; who may only write finds out by writing."""
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        with suppress(Refused):
            await self._request("/query", {"q": f'CREATE DATABASE "{quoted}"'})

    async def send(self, batch: Batch) -> None:
        self._ended_ns = at_ns = ns_since_1970(batch.ended)
        lines = [*map(_encoded, self._points.users(batch.snapshot.users, at_ns))]
        totals = await totals_by(self._labels.of, batch.snapshot)
        async for labels, found in in_slices(totals.items()):
            lines += map(_encoded, self._points.requests(labels, found, at_ns))
        await self._write(lines)

    async def take_result(self, result: RunResult) -> None:
        """Write that the run has ended, and how, unless points before that have not arrived."""
        if not self.lost_seconds:
            ended = self._points.run_ended(self._ended_ns, int(result.exit_code))
            await self._write([_encoded(ended)])

    async def _write(self, lines: Sequence[bytes]) -> None:
        await self._request(
            self._destination.write_path, self._destination.params, b"\n".join(lines)
        )

    async def _request(self, path: str, params: Mapping[str, str], content: bytes = b"") -> None:
        assert self._sender is not None
        url = self._destination.url + path
        await self._sender.send("POST", url, content=content, params=params)

    async def close(self) -> None:
        if self._sender is not None:
            await self._sender.close()


def _encoded(line: str) -> bytes:
    return line.encode("utf-8", "replace")
