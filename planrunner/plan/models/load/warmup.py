"""The first part of a phase as a plan writes it: a time, or a number of iterations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, get_args

from planrunner.language.diagnostics import Code
from planrunner.language.fields.deferred import Deferred
from planrunner.language.fields.mapping import Fault
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import Duration
from planrunner.values import dataclass

__all__ = ["WarmIterations", "WarmupField", "warmup_faults"]


@dataclass(frozen=True, slots=True)
class WarmIterations:
    """A warm-up of iterations: the first of the phase, or of each user; at least 1."""

    count: int


_DURATION: Final[ReadBy] = get_args(Duration)[1]


def _is_number(data: object) -> bool:
    return isinstance(data, int) and not isinstance(data, bool) and data > 0


def _read(data: object) -> object:
    return (
        WarmIterations(data) if isinstance(data, int) and _is_number(data) else _DURATION.read(data)
    )


WarmupField = Annotated[
    int | Deferred | WarmIterations,
    ReadBy(
        _read,
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                _DURATION.__get_pydantic_json_schema__(None, None),
            ]
        },
    ),
]
"""ns, or iterations; an expression gives a time."""


def warmup_faults(phase: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a fault where a number of iterations stands in a phase that counts none."""
    number = phase.get("warmup")
    if _is_number(number) and phase.keys() & {"hold", "stages", "rate"}:
        yield Fault(
            Code.INVALID_UNIT,
            f"`warmup: {number}` is a number of iterations, and this phase has a time",
            f"write it with its unit: `{number}s`",
            "warmup",
        )
