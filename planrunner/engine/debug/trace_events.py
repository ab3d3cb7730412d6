"""What a trace tells: parts, steps and requests, as they happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.metrics.arrivals import Arrivals
from planrunner.protocols.base import Sent
from planrunner.values import dataclass

__all__ = [
    "MISSING",
    "Answer",
    "TraceEvent",
    "TraceSection",
    "TracedExpectation",
    "TracedRequest",
    "TracedStep",
]

MISSING: Final = object()
"""The value of a name that an extraction did not write."""


@dataclass(frozen=True, slots=True)
class TraceSection:
    """A part of the trace begins.

    Attributes:
        kind: `preflight`, `setup`, `user`, `on_start`, `task`, `on_stop`, `teardown`.
        skipped: Why it isn't run; empty when it is.
        phase: Of a user, the combination of a matrix that it is of; empty in a phase without.
    """

    kind: str
    name: str = ""
    skipped: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class TracedStep:
    """A step that is no request; of one with steps inside, that it begins.

    Attributes:
        depth: Steps around it.
        values: Names that it wrote.
        failed: What went wrong, in words.
        key: The same whenever this step runs, and for no other; 0 for what is no step.
        is_loop: Steps inside it may run again and again.
    """

    words: str
    depth: int = 0
    values: tuple[tuple[str, object], ...] = ()
    failed: str = ""
    key: int = 0
    is_loop: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, copied: its object is used again.

    Attributes:
        status_text: The status as people know it.
        arrivals: When its pieces came, by the clock that has `sent_ns`; None for a whole one.
    """

    status: int
    status_text: str
    head: bytes
    body: bytes
    received: int
    took_ns: int
    connect_ns: int
    retries: int
    failure: str
    detail: str
    sent_ns: int = 0
    arrivals: Arrivals | None = None


@dataclass(frozen=True, slots=True)
class TracedExpectation:
    """One expectation; `wrong` says what is, and is empty when it holds."""

    expected: str
    wrong: str = ""
    is_soft: bool = False


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """A request and all that came of it.

    Attributes:
        sent: What left, in order: redirects, tokens and further tries are messages too.
        answer: None when nothing could be sent.
        extracted: Names with their values, or `MISSING`; and what it recorded, by its measures.
        failed: Why it is a failure, in words; empty when it is none.
        cover: Takes tokens out of what is shown of it, and of what follows.
        key: The same whenever this step runs.
    """

    name: str
    depth: int
    sent: tuple[Sent, ...]
    answer: Answer | None
    verdicts: tuple[TracedExpectation, ...]
    extracted: tuple[tuple[str, object], ...]
    failed: str
    cover: Callable[[str], str] = str
    key: int = 0


TraceEvent = TraceSection | TracedStep | TracedRequest
