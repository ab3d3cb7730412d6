"""Locust: every request, from a listener that is given to it beside the user's file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.command_lines import TAKES_SCRIPT
from planrunner.tools.reading.json_lines import JsonLines
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["TOOL", "LocustSamples"]

_LISTENER: Final = Path(__file__).with_name("locust_listener.py")

# What requests, urllib3 and geventhttpclient call what went wrong.
_KINDS: Final = (
    ("timeout", re.compile(r"timeout|timed out", re.IGNORECASE)),
    ("dns", re.compile(r"gaierror|name or service not known|NameResolution", re.IGNORECASE)),
    ("tls", re.compile(r"ssl|certificate", re.IGNORECASE)),
    ("reset", re.compile(r"reset|RemoteDisconnected|IncompleteRead|aborted", re.IGNORECASE)),
    ("connect", re.compile(r"refused|unreachable|NewConnectionError", re.IGNORECASE)),
)


def _failure(words: str, status: int) -> str:
    """Return the failure kind of a request; empty where Locust says that nothing is wrong."""
    if not words:
        return ""
    if status:
        return "status" if status >= 400 else "expect"
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "error")


class LocustSamples(ToolReader):
    """Reads what the listener writes."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = JsonLines()
        self._is_over = False

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        return self._taken(self._lines.feed(data))

    def _taken(self, lines: Iterable[object]) -> Sequence[ToolSample]:
        found: list[ToolSample] = []
        for line in lines:
            try:
                self._take(line, found)
            except (OverflowError, TypeError, ValueError):
                self.unread += 1
        return found

    def end(self, printed: str) -> Sequence[ToolSample]:
        del printed
        found = self._taken(self._lines.end())
        self.unread += self._lines.unread
        return found

    def notices(self) -> Sequence[str]:
        if self._is_over or self.is_cut:
            return ()
        return ["its samples end before it did, so requests may be missing"]

    def verdict(self, code: int) -> str:
        # The listener writes a last line when Locust ends by itself, whatever it then says.
        del code
        return "as its script says" if self._is_over else ""

    def _take(self, line: object, found: list[ToolSample]) -> None:
        match line:
            case ["users", int(number)]:
                self.users = number
            case ["code", _]:
                self._is_over = True
            case [start, took, str(method), str(name), int(status), int(received), str(words)]:
                found.append(
                    ToolSample(
                        f"{method} {name}" if method else name,
                        start_ns=_ns(start, NS_PER_S) or 0,
                        took_ns=_ns(took, NS_PER_MS),
                        method=method,
                        status=status,
                        failure=_failure(words, status),
                        words=words,
                        received=received,
                    )
                )
            case _:
                raise ValueError(line)


def _ns(number: object, unit_ns: int) -> int | None:
    if number is None:
        return None
    if not isinstance(number, int | float):
        raise TypeError(number)
    return round(number * unit_ns)


def _command(job: ToolJob) -> ToolCommand:
    samples = job.directory / "samples.jsonl"
    files = ",".join(str(file) for file in (job.script, _LISTENER) if file is not None)
    least = ("--users", "1", "--spawn-rate", "1", "--run-time", "3s") if job.once else ()
    return ToolCommand(
        (
            job.program,
            "--headless",
            "--only-summary",
            "--exit-code-on-error=0",
            "-f",
            files,
            *job.args,
            *least,
        ),
        env={"PLANRUNNER_SAMPLES": str(samples)},
        samples=samples,
    )


TOOL: Final = Tool(
    name="locust",
    programs=("locust",),
    version=("--version",),
    script="a file of Python with user classes",
    needs_script=True,
    delivers="each request with its start, latency, status, error and size; users",
    lacks="which user class and task sent it, and service times; of `--master` with workers on "
    "other hosts nothing",
    install="pipx install locust",
    command=_command,
    reader=lambda _: LocustSamples(),
    once="one user for three seconds",
    stop_signal="TERM",
    reserved={"-f": TAKES_SCRIPT, "--locustfile": TAKES_SCRIPT},
)
