"""One compiled call: what `compile` makes and the client binds; and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import Measure
from planrunner.protocols.base import NOT_JSON, Evaluate, Reply, read_json
from planrunner.values import dataclass

__all__ = ["COLLECTIONS", "RETURNED", "STATUSES", "PythonOperation", "PythonReply", "status_text"]

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
    """

    function: str
    arguments: tuple[tuple[str, Evaluate], ...]
    target: str = ""
    hooks: Path | None = None
    modules: tuple[Path, ...] = ()
    is_inline: bool = False


class PythonReply(Reply):
    """What a call came to.

    Attributes:
        value: What it returned.
        collections: Garbage collections while it ran.
    """

    __slots__ = ("collections", "value")

    def __init__(self) -> None:
        super().__init__()
        self.collections = 0
        self.value: Any = NOT_JSON

    def parsed(self, parse: Callable[[Reply], T]) -> T:
        """Return what `parse` makes of it: what was returned is the `json` of a call."""
        return cast("T", self.value) if parse is read_json else super().parsed(parse)


def _write_collections(reply: PythonReply, values: list[int]) -> None:
    values.append(reply.collections)


COLLECTIONS: Final = Measure(
    "collections",
    meaning="garbage collections of the process while a function ran",
    noun="garbage collections",
    unit=Unit.NUMBER,
    example="max collections of ingest < 10",
    write=_write_collections,
)
