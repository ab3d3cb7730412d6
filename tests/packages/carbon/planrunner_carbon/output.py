"""Sends lines such as `load.GET__products.count 57 1777896000` over a connection."""

import asyncio
import re
from contextlib import suppress

from planrunner.outputs import SendingOutput, Unreachable
from planrunner.outputs.totals import is_warmup, totals_by


class CarbonOutput(SendingOutput):
    def __init__(self, *, address, prefix="load", every=1_000_000_000, labels=()):
        super().__init__("carbon", every_ns=every)
        self._host, _, self._port = address.rpartition(":")
        self._prefix = prefix
        self._writer = None

    async def open(self, run):
        try:
            _, self._writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            where = f"{self._host}:{self._port}"
            raise Unreachable(f"no Carbon at `{where}`", hint="start it") from error

    async def send(self, batch):
        totals = await totals_by(lambda labels: (labels.request, is_warmup(labels)), batch.snapshot)
        now = int(batch.ended.timestamp())
        lines = []
        for (request, is_warm), each in totals.items():
            if not is_warm:
                path = f"{self._prefix}.{re.sub('[^A-Za-z0-9_-]', '_', request)}"
                lines += (
                    f"{path}.count {each.count} {now}\n",
                    f"{path}.failed {each.failed} {now}\n",
                )
        try:
            if self._writer is None or self._writer.is_closing():
                await self.open(None)
            self._writer.write("".join(lines).encode())
            await self._writer.drain()
        except OSError as error:
            self._writer = None
            raise Unreachable(f"the connection ended: {error}") from error

    async def close(self):
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
