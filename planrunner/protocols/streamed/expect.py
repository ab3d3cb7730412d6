"""What `expect:` may say of a reply that is read piece by piece, and its checks.

A protocol with such replies has these fields in the model of its `expect` and notes
`Reply.arrivals`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Protocol, TypeAlias

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.deferred import Deferred
from planrunner.language.fields.mapping import Fault, PlanMapping
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import Count, TextField
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.rules import compile_limit, count_bounds, rule_words

__all__ = [
    "STREAM_EXPECTATIONS",
    "EventCount",
    "EventsField",
    "FirstEventField",
    "GapField",
    "compile_stream_checks",
]

STREAM_EXPECTATIONS: Final = ("first_event", "gap", "events")
"""The keys of `expect` that this is about."""

_LIMIT: Final = {
    "pattern": r"^<=?\s*(\d.*|\$\{.*)$",
    "patternErrorMessage": "write a limit such as `< 500ms`",
}


class EventCount(PlanMapping):
    """Bounds of a number of events."""

    min: Count | None = Field(None, description="The smallest accepted number.", examples=["1"])
    max: Count | None = Field(None, description="The largest accepted number.", examples=["1000"])

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if not data:
            yield Fault(
                Code.INVALID_VALUE,
                "this accepts any number of events",
                "write `{min: 1}`, or a number",
            )


def _shape(value: object) -> str:
    return "<mapping>" if isinstance(value, Mapping | PlanMapping) else "<scalar>"


FirstEventField: TypeAlias = Annotated[
    TextField | None,
    Field(
        description="The accepted time to the first event, line or message, such as `< 500ms`.",
        json_schema_extra=_LIMIT,
        examples=["< 500ms"],
    ),
]
GapField: TypeAlias = Annotated[
    TextField | None,
    Field(
        description="The accepted time between two events that follow each other: the longest one "
        "is judged.",
        json_schema_extra=_LIMIT,
        examples=["< 2s"],
    ),
]
EventsField: TypeAlias = Annotated[
    Annotated[
        Annotated[Count, Tag("<scalar>")] | Annotated[EventCount, Tag("<mapping>")],
        Discriminator(_shape),
    ]
    | None,
    Field(
        description="How many events, lines or messages have to come: exactly, or `{min, max}`.",
        examples=["{min: 1}"],
    ),
]


class StreamExpect(Protocol):
    """A model with these fields."""

    @property
    def first_event(self) -> Text | None: ...
    @property
    def gap(self) -> Text | None: ...
    @property
    def events(self) -> int | Deferred | EventCount | None: ...


def compile_stream_checks(
    expect: StreamExpect, lowering: Lowering
) -> Iterator[tuple[str, str, Check]]:
    """Yield each check with its key and what it expects, in words."""
    if expect.first_event is not None and (check := _first_event(expect.first_event, lowering)):
        yield "first_event", f"first_event {expect.first_event.source}", check
    if expect.gap is not None and (check := _gap(expect.gap, lowering)):
        yield "gap", f"gap {expect.gap.source}", check
    if expect.events is not None:
        yield "events", f"events{rule_words(expect.events)}", _events(expect.events, lowering)


def _first_event(limit: Text, lowering: Lowering) -> Check | None:
    words = "the first event came after {}"
    in_time = compile_limit(limit, lowering, ("expect", "first_event"), _first_ns, words)
    if in_time is None:
        return None
    missing = f"no event came, expected the first {limit.source}"

    def check(reply: Reply, scope: Scope) -> str | None:
        return in_time(reply, scope) if _count(reply) else missing

    return check


def _gap(limit: Text, lowering: Lowering) -> Check | None:
    return compile_limit(limit, lowering, ("expect", "gap"), _longest_gap_ns, "a gap of {}")


def _events(expected: int | Deferred | EventCount, lowering: Lowering) -> Check:
    path: SpecPath = ("expect", "events")
    least, most = count_bounds(expected, lowering, path)
    if most is None:
        shown = f"at least {least}"
    else:
        shown = str(least) if least == most else f"{least} to {most}"

    def check(reply: Reply, _: Scope) -> str | None:
        count = _count(reply)
        if count >= least and (most is None or count <= most):
            return None
        return f"{count} events came, expected {shown}"

    return check


def _count(reply: Reply) -> int:
    return 0 if reply.arrivals is None else reply.arrivals.count


def _first_ns(reply: Reply) -> int:
    return 0 if reply.arrivals is None else reply.arrivals.first_ns - reply.sent_ns


def _longest_gap_ns(reply: Reply) -> int:
    return 0 if reply.arrivals is None else reply.arrivals.longest_gap_ns
