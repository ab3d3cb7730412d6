"""What expressions read of a reply that came piece by piece, and what `stream:` compiles to."""

from __future__ import annotations

from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.values import UNDEFINED
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.http.operation import StreamPlan
from planrunner.protocols.http.spec import RequestKeys
from planrunner.protocols.lowering import Lowering
from planrunner.protocols.rules import shorten
from planrunner.units import NS_PER_S, format_count

__all__ = [
    "compile_stream",
    "compile_until",
    "count_events",
    "is_stream",
    "last_event",
    "seconds_to_first",
    "seconds_to_last",
]

_NOT_YET: Final = ("body", "headers", "first_event", "last_event")


def is_stream(spec: RequestKeys) -> bool:
    """Whether the reply is read piece by piece."""
    return spec.stream is not None


def count_events(reply: Reply) -> object:
    return UNDEFINED if reply.arrivals is None else reply.arrivals.count


def last_event(reply: Reply) -> object:
    arrivals = reply.arrivals
    return UNDEFINED if arrivals is None or arrivals.last is None else arrivals.last


def seconds_to_first(reply: Reply) -> object:
    arrivals = reply.arrivals
    if arrivals is None or not arrivals.count:
        return UNDEFINED
    return (arrivals.first_ns - reply.sent_ns) / NS_PER_S


def seconds_to_last(reply: Reply) -> object:
    arrivals = reply.arrivals
    if arrivals is None or not arrivals.count:
        return UNDEFINED
    return (arrivals.last_ns - reply.sent_ns) / NS_PER_S


def compile_stream(spec: RequestKeys, lowering: Lowering, *, keeps_json: bool) -> StreamPlan | None:
    """Compile `stream:` and what stands beside it; None for a reply that is taken as a whole."""
    if spec.stream is None:
        return None
    reconnects = lowering.number(spec.reconnect, ("reconnect",), 0)
    if spec.until is None:
        return StreamPlan(spec.stream, keeps_json=keeps_json, reconnects=reconnects)
    reads = {reference.root for reference in spec.until.references}
    for name in _NOT_YET:
        if name in reads:
            words = f"`{name}` is not known while the stream is read"
            hint = "`until` may read `event`, `line`, `json`, `events` and `status`"
            lowering.fault(("until",), Code.NOT_ALLOWED, words, hint)
    return StreamPlan(
        spec.stream,
        lowering.expression(spec.until, ("until",)).evaluate,
        reads_json="json" in reads,
        keeps_json=keeps_json,
        reconnects=reconnects,
    )


def compile_until(spec: RequestKeys) -> tuple[tuple[str, Check], ...]:
    """Return the expectation that what a stream was read for came, with its words."""
    if spec.until is None or spec.stream is None:
        return ()
    words, shown = f"until {shorten(spec.until.source, 80)}", shorten(spec.until.source, 60)

    def check(reply: Reply, _: Scope) -> str | None:
        arrivals = reply.arrivals
        if arrivals is not None and arrivals.is_met:
            return None
        ended = f"the stream ended before `{shown}`"
        if arrivals is None:
            return ended
        last = f"; of the last, {arrivals.last_words}" if arrivals.last_words else ""
        return f"{ended}, after {format_count(arrivals.count, 'event')}{last}"

    return ((words, check),)
