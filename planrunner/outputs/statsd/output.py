"""The output itself: datagrams, which nobody confirms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from planrunner.outputs.base import RunInfo
from planrunner.outputs.labelled import SampleLabels
from planrunner.outputs.sending import Batch, Refused, SendingOutput
from planrunner.outputs.slices import in_slices
from planrunner.outputs.statsd.lines import StatsdLines, packed
from planrunner.outputs.totals import totals_by
from planrunner.units import NS_PER_S

__all__ = ["StatsdOutput"]

_USUAL_PORT: Final = "8125"
_GREATEST_PORT: Final = 65_535

_ECHO_S: Final = 0.05
"""How long the start waits for the news that nobody listens, which comes only from near."""


class StatsdOutput(SendingOutput):
    """Sends an interval of a run as a burst of datagrams.

    Args:
        address: `host:port`.
        tags: Whether labels are DogStatsD's tags, or parts of names.
        every: Nanoseconds that a gauge is about.
        labels: The tags of the plan that become tags.
    """

    def __init__(
        self,
        *,
        address: str,
        prefix: str = "perf_test",
        tags: bool = True,
        every: int = NS_PER_S,
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__("statsd", every_ns=every)
        self._address = address
        self._prefix = prefix
        self._has_tags = tags
        self._tags = labels
        self._transport: asyncio.DatagramTransport | None = None
        self._heard = _Heard()

    async def open(self, run: RunInfo) -> None:
        """Send a first line, to hear whether nobody listens on a machine that would say so."""
        self._labels = SampleLabels(self._tags, run.mask)
        about = {"plan": run.mask(run.plan), "run": run.run_id}
        self._lines = StatsdLines(self._prefix, self._labels.names, about, has_tags=self._has_tags)
        host, port = _host_and_port(self._address)
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self._heard, remote_addr=(host, port)
            )
        except OSError as error:
            why = error.strerror or error
            raise Refused(f"`{self._address}` can't be reached: {why}") from error
        self._transport.sendto(self._lines.run_began().encode())
        await asyncio.sleep(_ECHO_S)
        self._look()

    async def send(self, batch: Batch) -> None:
        totals = await totals_by(self._labels.of, batch.snapshot)
        lines = [*self._lines.users(batch.snapshot.users)]
        async for labels, found in in_slices(totals.items()):
            lines += self._lines.requests(labels, found)
        assert self._transport is not None
        async for datagram in in_slices(packed(lines)):
            self._transport.sendto(datagram)
        self._look()

    def _look(self) -> None:
        """Look whether one of the datagrams came back.

        Raises:
            Refused: It did; what of the others arrived nobody knows.
        """
        error, self._heard.error = self._heard.error, None
        if error is not None:
            raise Refused(f"no server takes datagrams at `{self._address}`: {error.strerror}")

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _host_and_port(address: str) -> tuple[str, int]:
    """Return the parts of an address.

    Raises:
        Refused: It has none.
    """
    host, _, port = address.rpartition(":") if ":" in address else (address, "", _USUAL_PORT)
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) <= _GREATEST_PORT):
        raise Refused(
            f"`{address}` is not a host with a port", hint="write one such as `localhost:8125`"
        )
    return host.strip("[]"), int(port)


class _Heard(asyncio.DatagramProtocol):
    """Keeps what the system says of datagrams that could not be delivered."""

    def __init__(self) -> None:
        self.error: OSError | None = None

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self.error = exc
