"""wrk: how many requests took which time, from a script that prints it when wrk is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.command_lines import TAKES_SCRIPT, before_url, url_in, value_of
from planrunner.tools.reading.request_names import RequestNames
from planrunner.tools.reading.spread import spread

__all__ = ["TOOL", "WrkSamples", "without_back_fill"]

_NS_PER_US: Final = 1_000
_CONNECTIONS: Final = 10
"""How many wrk opens by default."""

_SCRIPT: Final = """\
-- Runs the user's script, and prints all latencies when wrk is done.
local path = os.getenv("PLANRUNNER_SCRIPT")
if path and path ~= "" then dofile(path) end
local theirs = done
function done(summary, latency, requests)
  if theirs then theirs(summary, latency, requests) end
  local errors = summary.errors
  io.write(string.format("planrunner summary %d %d %d %d %d %d %d\\n", summary.requests,
    summary.duration, errors.connect, errors.read, errors.write, errors.status, errors.timeout))
  for place = 1, #latency do
    local value, count = latency(place)
    io.write(string.format("planrunner latency %d %d\\n", value, count))
  end
end
"""

_SUMMARY: Final = re.compile(r"planrunner summary (\d{1,18}(?: \d{1,18}){6})")
_LATENCY: Final = re.compile(r"planrunner latency (\d{1,11}) (\d{1,18})")
_OURS: Final = "planrunner "


def without_back_fill(counts: dict[int, int], expected_us: int) -> dict[int, int]:
    """Return how often each latency was measured.

    wrk adds made-up samples for what it would have sent while it waited: for each of at least
    twice the interval that it expects, one for each interval less, down to that interval. From the
    greatest down, what each added is known exactly.
    """
    measured = dict(counts)
    for value in sorted(counts, reverse=True):
        added = measured.get(value, 0)
        if value < 2 * expected_us or expected_us <= 0 or added <= 0:
            continue
        less = value - expected_us
        while less > expected_us:
            measured[less] = measured.get(less, 0) - added
            less -= expected_us
    return {value: count for value, count in measured.items() if count}


class WrkSamples(ToolReader):
    """Reads what the script prints."""

    def __init__(self, args: Sequence[str] = ()) -> None:
        super().__init__()
        self._name = RequestNames().of("", url_in(args))
        connections = value_of(args, "-c", "--connections")
        self._connections = int(connections) if connections.isdecimal() else _CONNECTIONS
        self._notices: list[str] = []

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        del data  # there is nothing before the end
        return ()

    def end(self, printed: str) -> Iterator[ToolSample]:
        counts: dict[int, int] = {}
        summary: list[int] = []
        for line in printed.splitlines():
            if found := _LATENCY.fullmatch(line):
                counts[int(found[1])] = int(found[2])
            elif found := _SUMMARY.fullmatch(line):
                summary = [int(word) for word in found[1].split()]
            else:
                self.unread += line.startswith(_OURS)
        if summary:
            yield from self._samples(summary, counts)

    def notices(self) -> Sequence[str]:
        return self._notices

    def _samples(self, summary: list[int], counts: dict[int, int]) -> Iterator[ToolSample]:
        requests, lasted_us, connect, read, write, status, timeout = summary
        self.lasted_ns = lasted_us * _NS_PER_US
        rounds = requests // self._connections
        measured = without_back_fill(counts, lasted_us // rounds) if rounds else counts
        in_time = requests - timeout  # a reply after wrk's timeout is in no latency
        if sum(measured.values()) != in_time or min(measured.values(), default=0) < 0:
            self._notices.append(
                "its latencies can't be separated from those that it adds for requests that it did "
                "not send, so none of them are in the results"
            )
            measured = {}
        timed = sum(measured.values())
        left, failed = spread(measured, status)
        if 0 < status < timed:
            self._notices.append(
                f"which {status:,} of {timed:,} requests failed is not reported, so their times "
                "are spread evenly among all"
            )
        yield from self._alike(left, "")
        yield from self._alike(failed, "status")
        untimed_failed = min(status - sum(failed.values()), in_time - timed)
        for failure, count in (
            ("", in_time - timed - untimed_failed),
            ("status", untimed_failed),
            ("timeout", timeout),
            ("connect", connect),
            ("reset", read + write),
        ):
            if count:
                is_told = failure not in ("", "status")
                yield ToolSample(
                    self._name, status=0 if is_told else None, failure=failure, count=count
                )

    def _alike(self, times: Mapping[int, int], failure: str) -> Iterator[ToolSample]:
        for took_us, count in times.items():
            yield ToolSample(
                self._name,
                took_ns=took_us * _NS_PER_US,
                status=None,
                failure=failure,
                words="status 400 or above" if failure else "",
                count=count,
            )


def _args(job: ToolJob) -> tuple[str, ...]:
    least = ("-t", "1", "-c", "1", "-d", "1s") if job.once else ()
    return before_url(job.args, least)


def _command(job: ToolJob) -> ToolCommand:
    script = job.directory / "planrunner.lua"
    return ToolCommand(
        (job.program, *before_url(_args(job), ("-s", str(script)))),
        env={"PLANRUNNER_SCRIPT": "" if job.script is None else str(job.script)},
        files={script: _SCRIPT},
    )


TOOL: Final = Tool(
    name="wrk",
    programs=("wrk",),
    version=("--version",),
    script="a script in Lua for wrk's `-s`",
    delivers="how many requests took how long, in microseconds, how many failed in which way, and "
    "how long the load lasted, when it is over",
    lacks="statuses, which requests failed, when each began, methods and sizes",
    install="apt-get install wrk",
    command=_command,
    reader=lambda job: WrkSamples(_args(job)),
    once="one connection for a second",
    reserved={"-s": TAKES_SCRIPT, "--script": TAKES_SCRIPT},
)
