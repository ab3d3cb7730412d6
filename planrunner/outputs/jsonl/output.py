"""Writes a line for each second of a run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import cast

from planrunner.errors import CannotRun
from planrunner.metrics.series import Labels
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.jsonl.line_file import LineFile
from planrunner.outputs.jsonl.records import RequestKey, request_record, second_record
from planrunner.outputs.slices import in_slices
from planrunner.outputs.totals import is_warmup, tag_labels, totals_by
from planrunner.results.files.codec import encode

__all__ = ["JsonLinesOutput"]


class JsonLinesOutput:
    """Appends to a file.

    What the disk has no room for is lost and counted; later seconds may find room again.

    Args:
        file: Its path, as the plan has it.
        labels: Tags that tell requests apart.

    Attributes:
        lost_seconds: See `WithLosses`.
        loss: See `WithLosses`.
    """

    name = "jsonl"

    def __init__(self, *, file: str, labels: tuple[str, ...] = ()) -> None:
        self._path = file
        self._labels = labels
        self._run: RunInfo | None = None
        self._lines: LineFile | None = None
        self.lost_seconds = 0
        self.loss = ""

    async def start(self, run: RunInfo) -> None:
        """Open the file.

        Raises:
            CannotRun: It can't be written.
        """
        self._run = run
        path = run.locate(self._path)
        try:
            self._lines = await asyncio.to_thread(LineFile, Path(path))
        except OSError as error:
            raise CannotRun(f"cannot write `{path}`: {error.strerror}") from error

    async def add(self, second: Second) -> None:
        assert self._run is not None
        assert self._lines is not None
        self.lost_seconds += 1
        totals = await totals_by(self._key, second.snapshot)
        requests = [
            encode(request_record(key, each)) async for key, each in in_slices(totals.items())
        ]
        record = cast("dict[str, object]", encode(second_record(self._run, second, ())))
        record["requests"] = requests
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        try:
            await asyncio.to_thread(self._lines.append, f"{line}\n")
        except OSError as error:
            self.loss = f"cannot write `{self._path}`: {error.strerror}"
        else:
            self.lost_seconds -= 1

    async def stop(self) -> None:
        if self._lines is not None:
            await asyncio.to_thread(self._lines.close)

    def _key(self, labels: Labels) -> RequestKey:
        tags = tag_labels(labels, self._labels)
        return RequestKey(labels.phase, labels.request, is_warmup(labels), tags)
