"""planrunner as one of the tools: a process of its own, whose samples are read from results.csv."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from planrunner.spawn import command_of
from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.csv_rows import CsvRows
from planrunner.units import NS_PER_S, NS_PER_US, format_count

__all__ = ["PLANRUNNER", "OwnSamples"]

_RESULTS_CSV: Final = "results.csv"
_METRICS: Final = "metrics.json"
_FAILED: Final = 1
_ABORTED_BY_THRESHOLD: Final = 4
_ABORTED: Final = "aborted"


class OwnSamples(ToolReader):
    """Reads results.csv, which is there when the run is over.

    Args:
        directory: Of the run.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._rows = CsvRows()
        self._columns: list[str] = []
        self._requests = self._connects = 0
        self._was_aborted = False

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        found: list[ToolSample] = []
        for row in self._rows.feed(data):
            if not self._columns:
                self._columns = row
            elif (sample := self._sample(dict(zip(self._columns, row, strict=False)))) is not None:
                found.append(sample)
        return found

    def notices(self) -> Sequence[str]:
        found = []
        if self._was_aborted:
            found.append("a threshold of the plan ended the run early")
        if self._connects and self._connects * 10 >= self._requests:
            many = format_count(self._connects, "connection")
            found.append(f"it opened {many} for {format_count(self._requests, 'request')}")
        return [*found, *self._doubts()]

    def _doubts(self) -> Iterator[str]:
        """Yield what planrunner itself says of its numbers."""
        with suppress(OSError, ValueError, LookupError, TypeError):
            validity = json.loads((self._directory / _METRICS).read_text("utf-8"))["validity"]
            for reason in validity["reasons"]:
                yield f"its numbers are {validity['level']}: {reason}"

    def verdict(self, code: int) -> str:
        self._was_aborted = code == _ABORTED_BY_THRESHOLD
        return "thresholds of the plan failed" if code in (_FAILED, _ABORTED_BY_THRESHOLD) else ""

    def _sample(self, row: dict[str, str]) -> ToolSample | None:
        if row["kind"] == _ABORTED:
            return None
        self._requests += 1
        self._connects += float(row["connect"] or 0) > 0
        return ToolSample(
            row["endpoint"],
            start_ns=_unix_ns(row["timestamp"]),
            took_ns=round(float(row["response_time"]) * NS_PER_S),
            failure="" if row["success"] == "true" else row["kind"] or "error",
        )


def _unix_ns(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * NS_PER_S + at.microsecond * NS_PER_US


def _run_directory(job: ToolJob) -> Path:
    return job.directory / "run"


def _command(job: ToolJob) -> ToolCommand:
    out = _run_directory(job)
    return ToolCommand(
        (
            *command_of("planrunner.cli.main"),
            "execute",
            *job.args,
            *("--out", str(out), "--formats", _RESULTS_CSV, "--output", "none"),
            *("--quiet", "--no-notify"),
        ),
        samples=out / _RESULTS_CSV,
    )


PLANRUNNER: Final = Tool(
    name="planrunner",
    programs=(sys.executable,),
    version=(),
    delivers="each request with its start, latency and failure, when the load is over",
    lacks="",
    install="",
    command=_command,
    reader=lambda job: OwnSamples(_run_directory(job)),
)
