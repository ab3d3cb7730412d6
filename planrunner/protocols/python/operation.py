"""One compiled call: what `compile` makes and the client binds; and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import CALLS, Measure
from planrunner.protocols.base import Evaluate, Reply
from planrunner.protocols.received import NOT_JSON, read_json
from planrunner.values import dataclass

__all__ = ["MEASURES", "RETURNED", "STATUSES", "PythonOperation", "PythonReply", "status_text"]

T = TypeVar("T")

RETURNED: Final = 1
"""The status of a call that returned; a call that didn't has none."""

STATUSES: Final = ("OK",)


def status_text(status: int) -> str:
    """Return the status by its name."""
    return "OK" if status == RETURNED else str(status)


@dataclass(frozen=True, slots=True)
class PythonOperation:
    """A function to call with keyword arguments.

    Attributes:
        function: As the plan names it: `sign` of its hooks file, or `package.module:function`.
        arguments: By name.
        target: Gets what it returns, unless empty.
        hooks: The plan's own Python file.
        modules: Where other Python files of its author may lie.
        is_inline: A plain function is called in the loop.
        is_isolated: It is called in a process of its user's own.
        calls: How many make a sample; None for as many as make a millisecond.
        keeps_value: Somebody reads what it returns.
    """

    function: str
    arguments: tuple[tuple[str, Evaluate], ...]
    target: str = ""
    hooks: Path | None = None
    modules: tuple[Path, ...] = ()
    is_inline: bool = False
    is_isolated: bool = False
    calls: int | None = 1
    keeps_value: bool = False

    def without_arguments(self) -> PythonOperation:
        """Return what another process needs to find the function."""
        return replace(self, arguments=())


class PythonReply(Reply):
    """What a call came to.

    Attributes:
        value: What it returned.
        collections: Garbage collections while it ran.
        calls: How many there were; None where a sample is one call.
        cpu_ns: What a call used of a processor, in a process of its own; else None.
        peak_rss: The most memory that the process had meanwhile; likewise.
    """

    __slots__ = ("calls", "collections", "cpu_ns", "peak_rss", "value")

    def __init__(self) -> None:
        super().__init__()
        self.collections = 0
        self.calls: int | None = None
        self.cpu_ns: int | None = None
        self.peak_rss: int | None = None
        self.value: Any = NOT_JSON

    @property
    def times(self) -> int:
        return self.calls or 1

    def parsed(self, parse: Callable[[Reply], T]) -> T:
        """Return what `parse` makes of it: what was returned is the `json` of a call."""
        return cast("T", self.value) if parse is read_json else super().parsed(parse)


def _write_collections(reply: PythonReply, values: list[int]) -> None:
    values.append(reply.collections)


def _write_calls(reply: PythonReply, values: list[int]) -> None:
    if reply.calls is not None:
        values.append(reply.calls)


def _write_cpu(reply: PythonReply, values: list[int]) -> None:
    if reply.cpu_ns is not None:
        values.append(reply.cpu_ns)


def _write_peak_rss(reply: PythonReply, values: list[int]) -> None:
    if reply.peak_rss is not None:
        values.append(reply.peak_rss)


MEASURES: Final = (
    Measure(
        "collections",
        meaning="garbage collections of the process while a function ran",
        noun="garbage collections",
        unit=Unit.NUMBER,
        example="max collections of ingest < 10",
        write=_write_collections,
        is_standing=True,
    ),
    Measure(
        CALLS,
        meaning="calls in a sample of a step with `batch`; others have none",
        noun="calls",
        unit=Unit.NUMBER,
        example="min calls of parse > 100",
        write=_write_calls,
        is_standing=True,
    ),
    Measure(
        "cpu",
        meaning="the processor time of a call with `isolate: process`; others have none",
        noun="processor time",
        unit=Unit.DURATION,
        example="p95 cpu of ingest < 2s",
        write=_write_cpu,
        is_standing=True,
    ),
    Measure(
        "peak_rss",
        meaning="the most memory that the process had during a call with `isolate: process`; on "
        "systems other than Linux, since it began; others have none",
        noun="peak of memory",
        unit=Unit.SIZE,
        example="max peak_rss of ingest < 200MB",
        write=_write_peak_rss,
        is_standing=True,
    ),
)
"""What calls have beside latency and service time."""
