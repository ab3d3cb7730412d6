"""One run → its viewers, however many there are and however slowly they read.

An update is written once for all. Viewers are places in a list of the last updates: one that reads
nothing holds up nobody and keeps nothing in memory, and one that falls off the list starts anew.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from planrunner.web.live.live_run import LiveRun, RunSays

__all__ = ["LiveHub"]

_KEPT: Final = 90
"""Updates, nearly all of one second: as long as a tab may sleep without starting anew."""


class LiveHub:
    """The live run and whoever looks at it.

    Attributes:
        seq: The number of the last update.
    """

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.seq = 0
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=_KEPT)
        self._news = asyncio.Event()
        self._viewers = 0
        self._left = asyncio.Event()

    @property
    def viewers(self) -> int:
        """How many look at it now."""
        return self._viewers

    @contextmanager
    def viewing(self) -> Iterator[None]:
        """Count a viewer for as long as the block lasts."""
        self._viewers += 1
        try:
            yield
        finally:
            self._viewers -= 1
            self._left.set()

    async def until_nobody_looks(self, seconds: float) -> None:
        """Return when there was no viewer for so long: one that reloads the page comes back."""
        while self._viewers:
            self._left.clear()
            await self._left.wait()
            await asyncio.sleep(seconds)

    def state(self) -> bytes:
        """Return the whole past as JSON."""
        return _json({"seq": self.seq, **self.run.state()})

    def take(self, said: RunSays) -> None:
        """Take in what the run says, and tell the viewers."""
        changed = self.run.take(said)
        self.seq += 1
        if changed is None:
            self._frames.clear()
        else:
            data = _json({"seq": self.seq, **changed})
            frame = b"event: update\nid: %d\ndata: %s\n\n" % (self.seq, data)
            self._frames.append((self.seq, frame))
        self._news.set()
        self._news = asyncio.Event()

    def since(self, seq: int) -> bytes | None:
        """Return what a viewer who has seen up to `seq` has missed; None if it must start anew."""
        first = self._frames[0][0] if self._frames else self.seq + 1
        if not first - 1 <= seq <= self.seq:
            return None
        return b"".join(frame for number, frame in self._frames if number > seq)

    async def news(self, seconds: float) -> bool:
        """Return when there is an update, and True; False when so much time has passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._news.wait()
        return False


def _json(data: dict[str, Any]) -> bytes:
    # Data is a line of a stream of events: JSON has no raw line breaks.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
