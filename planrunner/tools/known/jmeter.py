"""JMeter: every sample, from the JTL that it writes meanwhile: CSV, or XML if a user wants that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.command_lines import READS_SAMPLES, TAKES_SCRIPT
from planrunner.tools.reading.csv_rows import CsvRows
from planrunner.tools.reading.jtl_xml import JtlXml
from planrunner.units import NS_PER_MS, format_count

__all__ = ["TOOL", "JmeterSamples"]

_SETTINGS: Final = {
    "output_format": "csv",
    "print_field_names": "true",
    "timestamp_format": "ms",
    "default_delimiter": ",",
    "autoflush": "true",
    "assertion_results_failure_message": "true",
    **dict.fromkeys(
        (
            "bytes",
            "connect_time",
            "label",
            "latency",
            "response_code",
            "response_message",
            "sent_bytes",
            "successful",
            "thread_counts",
            "thread_name",
            "time",
            "timestamp",
        ),
        "true",
    ),
}

_TRANSACTION: Final = re.compile(r"Number of samples in transaction : \d+")
_THREAD: Final = re.compile(r"(.+?)\s+\d+-\d+(?:-.*)?")
_KINDS: Final = (
    ("timeout", re.compile(r"timed? ?out", re.IGNORECASE)),
    ("dns", re.compile(r"UnknownHost", re.IGNORECASE)),
    ("tls", re.compile(r"ssl|certificate", re.IGNORECASE)),
    ("reset", re.compile(r"reset|NoHttpResponse|closed", re.IGNORECASE)),
    ("connect", re.compile(r"refused|ConnectException|unreachable", re.IGNORECASE)),
)


def _failure(*, succeeded: bool, status: int, words: str) -> str:
    if succeeded:
        return ""
    if status:
        return "status" if status >= 400 else "expect"
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "error")


def _number(row: dict[str, str], column: str) -> int | None:
    """Return a number; None where the user has switched its column off."""
    return int(row[column]) if row.get(column) else None


class JmeterSamples(ToolReader):
    """Reads a JTL: CSV, whose first line names the columns, or XML."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = CsvRows()
        self._columns: list[str] = []
        self._xml: JtlXml | None = None
        self._has_begun = False
        self._transactions = 0

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        if not self._has_begun and data.strip():
            self._has_begun = True
            if data.lstrip().startswith(b"<"):
                self._xml = JtlXml()
        return self._taken(
            self._table(self._rows.feed(data)) if self._xml is None else self._xml.feed(data)
        )

    def _taken(self, rows: Iterable[dict[str, str]]) -> Sequence[ToolSample]:
        found: list[ToolSample] = []
        for row in rows:
            try:
                self._take(row, found)
            except (KeyError, ValueError):
                self.unread += 1
        return found

    def _table(self, rows: Iterable[list[str]]) -> Iterator[dict[str, str]]:
        for row in rows:
            if row[:1] == ["timeStamp"]:
                self._columns = row
            elif len(row) == len(self._columns):
                yield dict(zip(self._columns, row, strict=True))
            else:
                self.unread += bool(row)

    def end(self, printed: str) -> Sequence[ToolSample]:
        del printed
        if self._xml is not None:
            if not self.is_cut:  # then it has no end
                self._xml.end()
            self.unread += self._xml.unread
            return ()
        found = self._taken(self._table(self._rows.end()))
        self.unread += self._rows.unread
        return found

    def notices(self) -> Sequence[str]:
        if not self._transactions:
            return []
        many = format_count(self._transactions, "sample")
        if self._xml is not None:
            return [f"{many} of transactions are left out, because their requests count already"]
        return [
            f"{many} of transactions are left out, because their requests count already; if the "
            "test plan generates parent samples, they only do with "
            "`-Jjmeter.save.saveservice.output_format=xml` in `args`"
        ]

    def _take(self, row: dict[str, str], found: list[ToolSample]) -> None:
        message = row["responseMessage"]
        if _TRANSACTION.match(message):
            self._transactions += 1
            return
        self.users = int(row["allThreads"]) if row.get("allThreads") else self.users
        took_ns = int(row["elapsed"]) * NS_PER_MS
        connect_ns = int(row.get("Connect") or 0) * NS_PER_MS
        code = row["responseCode"]
        status = int(code) if code.isdecimal() else 0
        words = row.get("failureMessage") or f"{code} {message}".strip()
        failure = _failure(succeeded=row["success"] == "true", status=status, words=words)
        thread = _THREAD.fullmatch(row["threadName"])
        found.append(
            ToolSample(
                row["label"],
                start_ns=int(row["timeStamp"]) * NS_PER_MS,
                took_ns=took_ns,
                service_ns=max(took_ns - connect_ns, 0),
                status=status,
                failure=failure,
                words=words if failure else "",
                user=thread[1] if thread else row["threadName"],
                received=_number(row, "bytes"),
                sent=_number(row, "sentBytes"),
            )
        )


def _command(job: ToolJob) -> ToolCommand:
    samples = job.directory / "samples.jtl"
    script = () if job.script is None else ("-t", str(job.script))
    settings = (f"-Jjmeter.save.saveservice.{key}={value}" for key, value in _SETTINGS.items())
    log = job.directory / "jmeter.log"
    return ToolCommand(
        (job.program, "-n", *script, "-l", str(samples), "-j", str(log), *settings, *job.args),
        samples=samples,
    )


TOOL: Final = Tool(
    name="jmeter",
    programs=("jmeter", "jmeter.sh"),
    version=("--version",),
    script="a test plan, a JMX file of JMeter 5",
    needs_script=True,
    delivers="each sample with its start, latency, service time, status, error, sizes and thread "
    "group, in milliseconds; threads as users",
    lacks="methods, samples inside those of requests, and times of transactions",
    install="https://jmeter.apache.org/download_jmeter.cgi",
    command=_command,
    reader=lambda _: JmeterSamples(),
    stop_signal="TERM",
    step_ns=NS_PER_MS,
    reserved={
        "-l": READS_SAMPLES,
        "--logfile": READS_SAMPLES,
        "-t": TAKES_SCRIPT,
        "--testfile": TAKES_SCRIPT,
    },
)
