"""Artillery: every HTTP request, from a plugin that is given to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.json_lines import JsonLines
from planrunner.tools.reading.request_names import RequestNames
from planrunner.units import NS_PER_MS

__all__ = ["TOOL", "ArtillerySamples"]

_PLUGIN: Final = Path(__file__).with_name("artillery_plugin.js")
_OVERRIDES: Final = json.dumps({"config": {"plugins": {"planrunner": {}}}})

_KINDS: Final = {
    "ECONNREFUSED": "connect",
    "ECONNRESET": "reset",
    "EHOSTUNREACH": "connect",
    "ENOTFOUND": "dns",
    "EPIPE": "reset",
    "ETIMEDOUT": "timeout",
}

_VERDICTS: Final = {
    1: "checks of its plugin `ensure` failed",
    21: "expectations of its plugin `expect` failed",
}


class ArtillerySamples(ToolReader):
    """Reads what the plugin writes."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = JsonLines()
        self._names = RequestNames()
        self._has_sent = False

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        return self._taken(self._lines.feed(data))

    def _taken(self, lines: Iterable[object]) -> Sequence[ToolSample]:
        found: list[ToolSample] = []
        for line in lines:
            try:
                found.append(self._sample(line))
            except (OverflowError, ValueError):
                self.unread += 1
        self._has_sent = self._has_sent or bool(found)
        return found

    def end(self, printed: str) -> Sequence[ToolSample]:
        del printed
        found = self._taken(self._lines.end())
        self.unread += self._lines.unread
        return found

    def verdict(self, code: int) -> str:
        # It ends with code 1 when it can't read its script, too.
        return _VERDICTS.get(code, "") if self._has_sent else ""

    def _sample(self, line: object) -> ToolSample:
        match line:
            case [
                int(end_ms),
                int() | float() | None as took_ms,
                str(method),
                str(url),
                str(name),
                int(status),
                int(received),
                str(words),
            ]:
                took_ns = None if took_ms is None else round(took_ms * NS_PER_MS)
                return ToolSample(
                    name or self._names.of(method, url),
                    start_ns=end_ms * NS_PER_MS - (took_ns or 0),
                    took_ns=took_ns,
                    method=method,
                    status=status,
                    failure=_failure(status, words),
                    words=words,
                    received=received,
                )
            case ["check", int(at_ms), str(kind), bool(held)]:
                return ToolSample(
                    kind, at_ms * NS_PER_MS, failure="" if held else "expect", kind="check"
                )
            case _:
                raise ValueError(line)


def _failure(status: int, words: str) -> str:
    if words:
        return _KINDS.get(words, "error")
    return "status" if status >= 400 else ""


def _command(job: ToolJob) -> ToolCommand:
    samples = job.directory / "samples.jsonl"
    plugin = job.directory / "artillery-plugin-planrunner" / "index.js"
    script = () if job.script is None else (str(job.script),)
    least = ("--solo",) if job.once else ()
    return ToolCommand(
        (job.program, "run", "--overrides", _OVERRIDES, *job.args, *least, *script),
        env={
            "ARTILLERY_DISABLE_TELEMETRY": "true",
            "ARTILLERY_PLUGIN_PATH": str(job.directory),
            "PLANRUNNER_SAMPLES": str(samples),
        },
        samples=samples,
        files={plugin: _PLUGIN.read_text(encoding="utf-8")},
    )


TOOL: Final = Tool(
    name="artillery",
    programs=("artillery",),
    version=("--version",),
    script="a script in YAML or JSON",
    needs_script=True,
    delivers="each HTTP request with its end in milliseconds, latency, status and error; "
    "expectations of its plugin `expect` as checks",
    lacks="virtual users, custom metrics, and requests of engines other than HTTP",
    install="npm install --global artillery",
    command=_command,
    reader=lambda _: ArtillerySamples(),
    once="one virtual user",
    stop_signal="TERM",
    reserved={"--overrides": "write it in the script: planrunner's plugin is set with it"},
)
