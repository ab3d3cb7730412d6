"""ApacheBench: the times of all requests, and a summary of what failed, when it is done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.command_lines import READS_SAMPLES, before_url, url_in, value_of
from planrunner.tools.reading.csv_rows import CsvRows
from planrunner.tools.reading.request_names import RequestNames
from planrunner.tools.reading.spread import spread
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["TOOL", "AbSamples"]

_COLUMNS: Final = 6
_LASTED: Final = re.compile(r"^Time taken for tests:\s+(\d{1,9}\.\d+) seconds", re.MULTILINE)
_OTHERS: Final = re.compile(r"^Non-2xx responses:\s+(\d{1,18})", re.MULTILINE)
_KEPT: Final = re.compile(r"^Keep-Alive requests:\s+(\d{1,18})", re.MULTILINE)
_IN_VAIN: Final = "apr_pollset_poll: The timeout specified has expired"
_CAUSES: Final = re.compile(
    r"\(Connect: (\d{1,18}), Receive: (\d{1,18}), Length: (\d{1,18}), Exceptions: (\d{1,18})\)"
)


def _method(args: Sequence[str]) -> str:
    """Return the method that options of ab stand for."""
    if named := value_of(args, "-m"):
        return named
    for option, method in (("-i", "HEAD"), ("-p", "POST"), ("-u", "PUT")):
        if any(word.startswith(option) for word in args):
            return method
    return "GET"


class AbSamples(ToolReader):
    """Reads the file of `-g`, whose rows have times, and what ab prints, which has the rest.

    Rows don't say which requests failed. Where some did, as many are taken for them, spread evenly.
    """

    def __init__(self, args: Sequence[str] = ()) -> None:
        super().__init__()
        self._method = _method(args)
        self._name = RequestNames().of(self._method, url_in(args))
        self._rows = CsvRows("\t")
        self._times: Counter[int] = Counter()
        self._notices: list[str] = []

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        self._take(self._rows.feed(data))
        return ()

    def _take(self, rows: Iterable[list[str]]) -> None:
        for row in rows:
            if row and row[0] == "starttime":
                continue
            try:
                if len(row) != _COLUMNS:
                    raise ValueError(row)
                self._times[int(row[4])] += 1
            except ValueError:
                self.unread += 1

    def end(self, printed: str) -> Iterator[ToolSample]:
        self._take(self._rows.end())
        self.unread += self._rows.unread
        lasted = _LASTED.search(printed)
        self.lasted_ns = round(float(lasted[1]) * NS_PER_S) if lasted else 0
        causes = _CAUSES.search(printed)
        connect, receive, length, exceptions = map(int, causes.groups()) if causes else (0,) * 4
        others = _OTHERS.search(printed)
        failures = {"status": int(others[1]) if others else 0, "reset": receive + exceptions}
        if length:
            self._notices.append(
                f"{length:,} replies have another length than the first one, which is a failure "
                "only for ab itself"
            )
        self._note_connections(printed)
        yield from self._answered(failures)
        if connect:
            yield ToolSample(self._name, method=self._method, failure="connect", count=connect)

    def notices(self) -> Sequence[str]:
        return self._notices

    def _note_connections(self, printed: str) -> None:
        kept, total = _KEPT.search(printed), self._times.total()
        if kept and int(kept[1]) * 10 < total * 9:
            self._notices.append(
                f"the target kept its connection after {int(kept[1]):,} of {total:,} requests"
            )
        if _IN_VAIN in printed:
            self._notices.append(
                "it waited in vain for a reply to end: it speaks HTTP/1.0, in which a target that "
                "keeps a connection has to say so"
            )

    def _answered(self, failures: Mapping[str, int]) -> Iterator[ToolSample]:
        left, total = dict(self._times), self._times.total()
        for failure, wanted in failures.items():
            left, taken = spread(left, wanted)
            if 0 < wanted < total:
                self._notices.append(
                    f"which {wanted:,} of {total:,} requests failed is not reported, so their "
                    "times are spread evenly among all"
                )
            yield from self._alike(taken, failure)
        yield from self._alike(left, "")

    def _alike(self, times: Mapping[int, int], failure: str) -> Iterator[ToolSample]:
        for took_ms, count in times.items():
            yield ToolSample(
                self._name,
                took_ns=took_ms * NS_PER_MS,
                method=self._method,
                status=None,
                failure=failure,
                words="a status other than 2xx" if failure == "status" else "",
                count=count,
            )


def _command(job: ToolJob) -> ToolCommand:
    samples = job.directory / "samples.tsv"
    args = before_url(job.args, ("-n", "1", "-c", "1")) if job.once else job.args
    return ToolCommand((job.program, "-g", str(samples), *args), samples=samples)


TOOL: Final = Tool(
    name="ab",
    programs=("ab",),
    version=("-V",),
    delivers="the latency of each request in whole milliseconds, how many failed, and how long the "
    "load lasted, when it is over",
    lacks="statuses, which requests failed, when each began, and sizes",
    install="apt-get install apache2-utils",
    command=_command,
    reader=lambda job: AbSamples(job.args),
    once="one request",
    step_ns=NS_PER_MS,
    reserved={"-g": READS_SAMPLES},
)
