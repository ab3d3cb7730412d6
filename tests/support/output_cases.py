"""Every output that a plan can name, with a place that takes what it sends, and how that can fail.

A new output adds its case to `CASES`; tests/contract/test_output_contract.py does the rest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from planrunner.outputs.base import Output
from planrunner.plan.output_kinds.registry import named_kind
from planrunner.protocols.plugin import resolve
from tests.support.echo_servers import CARBON
from tests.support.http_servers import Wire, closed_port, serve_raw
from tests.support.output_places import SECRET, Fault, Place
from tests.support.pushed_cases import influxdb, otlp, statsd
from tests.support.scraped_case import scraped

__all__ = ["CASES", "SECRET", "Fault", "OutputCase", "Place"]


@dataclass(frozen=True, slots=True)
class OutputCase:
    """One output.

    Attributes:
        name: Its kind.
        open: Opens a place for it that has this fault, or none.
        faults: Those that its place can have.
        at_start: Those of them that its start finds out.
        packages: Folders of packages that bring it.
    """

    name: str
    open: Callable[[Path, Fault | None], AbstractAsyncContextManager[Place]]
    faults: frozenset[Fault]
    at_start: frozenset[Fault] = frozenset()
    packages: tuple[Path, ...] = field(default=())

    def __str__(self) -> str:
        return self.name

    def make(self, place: Place, labels: tuple[str, ...] = ()) -> Output:
        """Return the output, as the runner makes it."""
        output: Output = resolve(named_kind(self.name).make)(**place.settings, labels=labels)
        return output


@asynccontextmanager
async def jsonl(folder: Path, fault: Fault | None) -> AsyncIterator[Place]:
    path = folder / "seconds.jsonl"
    if fault is Fault.FULL:
        path = Path("/dev/full")
    elif fault is Fault.ABSENT:
        path = folder / "file" / "seconds.jsonl"
        (folder / "file").write_text("is no folder")

    def counts() -> dict[str, int]:
        found: dict[str, int] = {}
        for line in path.read_text("utf-8").splitlines():
            for each in json.loads(line)["requests"]:
                found[each["request"]] = found.get(each["request"], 0) + each["count"]
        return found

    yield Place({"file": str(path)}, counts)


@asynccontextmanager
async def carbon(folder: Path, fault: Fault | None) -> AsyncIterator[Place]:
    del folder
    received = bytearray()

    async def take(wire: Wire, connection: int) -> None:
        del connection
        while data := await wire.reader.read(65536):
            received.extend(data)

    def counts() -> dict[str, int]:
        found: dict[str, int] = {}
        for line in received.decode().splitlines():
            path, value, _ = line.split()
            _, name, figure = path.split(".")
            if figure == "count":
                found[name] = found.get(name, 0) + int(value)
        return found

    if fault is Fault.ABSENT:
        yield Place({"address": f"127.0.0.1:{closed_port()}"})
        return
    async with serve_raw(take) as server:
        yield Place({"address": f"127.0.0.1:{server.origin.port}"}, counts)


_OF_SERVERS: Final = frozenset({Fault.ABSENT, Fault.REFUSING, Fault.DEAF, Fault.FLAKY})
_REFUSED: Final = frozenset({Fault.ABSENT, Fault.REFUSING})

CASES: Final = (
    OutputCase(
        "jsonl",
        jsonl,
        frozenset({Fault.ABSENT, Fault.FULL} if sys.platform == "linux" else {Fault.ABSENT}),
        frozenset({Fault.ABSENT}),
    ),
    OutputCase("influxdb", influxdb, _OF_SERVERS, _REFUSED),
    OutputCase("otlp", otlp, _OF_SERVERS, _REFUSED),
    OutputCase("prometheus", scraped, frozenset({Fault.ABSENT}), frozenset({Fault.ABSENT})),
    OutputCase("statsd", statsd, frozenset({Fault.ABSENT}), frozenset({Fault.ABSENT})),
    OutputCase(
        "carbon", carbon, frozenset({Fault.ABSENT}), frozenset({Fault.ABSENT}), packages=(CARBON,)
    ),
)
