"""hey: every request that was answered, from the CSV that it prints when it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.command_lines import READS_SAMPLES, before_url, url_in, value_of
from planrunner.tools.reading.csv_rows import CsvRows
from planrunner.tools.reading.request_names import RequestNames
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["TOOL", "HeySamples"]

_COLUMNS: Final = 8
_MOST_ROWS: Final = 1_000_000


class HeySamples(ToolReader):
    """Reads what hey prints with `-o csv`."""

    def __init__(self, args: Sequence[str] = ()) -> None:
        super().__init__()
        self._method = value_of(args, "-m") or "GET"
        self._name = RequestNames().of(self._method, url_in(args))
        self._sent = _sent(args)
        self._rows = CsvRows()
        self._count = 0

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        return self._taken(self._rows.feed(data))

    def _taken(self, rows: Iterable[list[str]]) -> Sequence[ToolSample]:
        found = []
        for row in rows:
            if row and row[0] == "response-time":
                continue
            try:
                found.append(self._sample(row))
            except (OverflowError, ValueError):
                self.unread += bool(row)
        self._count += len(found)
        return found

    def end(self, printed: str) -> Iterator[ToolSample]:
        del printed
        yield from self._taken(self._rows.end())
        self.unread += self._rows.unread
        lacking = self._sent - self._count
        if self._sent and not self.is_cut and lacking > 0 and self._count < _MOST_ROWS:
            yield ToolSample(
                self._name, method=self._method, failure="error", words="no reply", count=lacking
            )

    def notices(self) -> Sequence[str]:
        if self._count >= _MOST_ROWS:
            return ["its CSV has a million requests at most, so others may be missing"]
        if self._sent and not self.is_cut:
            return []
        return ["how many requests got no reply is not known, because its CSV leaves them out"]

    def _sample(self, row: Sequence[str]) -> ToolSample:
        if len(row) != _COLUMNS:
            raise ValueError(row)
        took_ns, connect_ns, offset_ns = (
            round(float(row[place]) * NS_PER_S) for place in (0, 1, 7)
        )
        status = int(row[6])
        return ToolSample(
            self._name,
            start_ns=self.began_ns + offset_ns,
            took_ns=took_ns,
            service_ns=max(took_ns - connect_ns, 0),
            method=self._method,
            status=status,
            failure="status" if status >= 400 else "",
        )


def _sent(args: Sequence[str]) -> int:
    """Return how many requests hey sends, each worker the same number; 0 where a time limits it."""
    number, workers = value_of(args, "-n") or "200", value_of(args, "-c") or "50"
    if value_of(args, "-z") or not (number.isdecimal() and workers.isdecimal()):
        return 0
    return int(number) // max(int(workers), 1) * int(workers)


def _args(job: ToolJob) -> tuple[str, ...]:
    if not job.once:
        return job.args
    timed = ("-z", "1s") if value_of(job.args, "-z") else ()
    return before_url(job.args, ("-n", "1", "-c", "1", *timed))


def _command(job: ToolJob) -> ToolCommand:
    return ToolCommand((job.program, "-o", "csv", *_args(job)))


TOOL: Final = Tool(
    name="hey",
    programs=("hey",),
    version=(),
    delivers="each answered request with its start, latency, service time and status, in steps of "
    "0.1 ms, when the load is over",
    lacks="why a request got no reply (with `-z` not even how many got none), sizes, and what "
    "comes after the first million",
    install="apt-get install hey",
    command=_command,
    reader=lambda job: HeySamples(_args(job)),
    once="one request, or one worker for a second where `-z` sets a time",
    step_ns=NS_PER_MS // 10,
    reserved={"-o": READS_SAMPLES},
)
