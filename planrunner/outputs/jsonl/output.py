"""Writes a line for each second of a run, or for each sample."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from planrunner.errors import CannotRun
from planrunner.metrics.series import Labels
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.jsonl.line_file import LineFile
from planrunner.outputs.jsonl.records import (
    RequestKey,
    line_of,
    request_record,
    second_record,
    text_of,
)
from planrunner.outputs.jsonl.samples import SampleLines
from planrunner.outputs.slices import in_slices
from planrunner.outputs.totals import is_warmup, tag_labels, totals_by
from planrunner.results.files.sample_tail import SampleTail, TailedSample

__all__ = ["JsonLinesOutput"]

_SAMPLES_IN_A_WRITE: Final = 5_000


class JsonLinesOutput:
    """Appends to a file.

    What the disk has no room for is lost and counted; later seconds may find room again.

    Args:
        file: Its path, as the plan has it.
        samples: Whether each sample has a line, and not each second.
        labels: Tags that tell requests apart; samples have all of theirs.

    Attributes:
        lost_seconds: See `WithLosses`.
        loss: See `WithLosses`.
        wants_samples: See `WithSamples`.
    """

    name = "jsonl"

    def __init__(self, *, file: str, samples: bool = False, labels: tuple[str, ...] = ()) -> None:
        self._path = file
        self._labels = labels
        self._run: RunInfo | None = None
        self._lines: LineFile | None = None
        self._tail: SampleTail | None = None
        self._sample_lines = SampleLines("", str)
        self.wants_samples = samples
        self.lost_seconds = 0
        self.loss = ""

    async def start(self, run: RunInfo) -> None:
        """Open the file.

        Raises:
            CannotRun: It can't be written, or there are no samples to write.
        """
        self._run = run
        path = run.locate(self._path)
        if self.wants_samples:
            if run.samples is None:
                hint = "write `samples: all` under `report`, or leave out `samples: true` here"
                raise CannotRun("the plan keeps no samples", hint=hint)
            self._tail = SampleTail(run.samples)
            self._sample_lines = SampleLines(run.run_id, run.mask)
        try:
            self._lines = await asyncio.to_thread(LineFile, path)
        except OSError as error:
            raise CannotRun(f"cannot write `{path}`: {error.strerror}") from error

    async def add(self, second: Second) -> None:
        self.lost_seconds += 1
        if self._tail is None:
            is_written = await self._append(await self._line(second))
        else:
            is_written = await self._append_samples(
                await asyncio.to_thread(list, self._tail.read())
            )
        self.lost_seconds -= is_written

    async def _line(self, second: Second) -> str:
        assert self._run is not None
        totals = await totals_by(self._key, second.snapshot)
        requests = [
            text_of(request_record(key, each)) async for key, each in in_slices(totals.items())
        ]
        return line_of(second_record(self._run, second), requests)

    async def _append_samples(self, samples: Iterable[TailedSample]) -> bool:
        lines: list[str] = []
        is_written = True
        async for sample in in_slices(samples):
            lines.append(self._sample_lines.line(sample))
            if len(lines) >= _SAMPLES_IN_A_WRITE:
                is_written &= await self._append("".join(lines))
                lines.clear()
        return is_written & await self._append("".join(lines))

    async def _append(self, lines: str) -> bool:
        """Append whole lines; say whether they are in the file."""
        assert self._lines is not None
        try:
            await asyncio.to_thread(self._lines.append, lines)
        except OSError as error:
            self.loss = f"cannot write `{self._path}`: {error.strerror}"
            return False
        return True

    async def stop(self) -> None:
        if self._lines is None:
            return
        if self._tail is not None:
            rest = await asyncio.to_thread(list, self._tail.rest())
            self.lost_seconds += not await self._append_samples(rest)
            self._tail.close()
        await asyncio.to_thread(self._lines.close)

    def _key(self, labels: Labels) -> RequestKey:
        assert self._run is not None
        mask = self._run.mask
        tags = tuple((key, mask(value)) for key, value in tag_labels(labels, self._labels))
        return RequestKey(labels.phase, mask(labels.request), is_warmup(labels), tags)
