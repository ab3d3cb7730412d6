"""Steps that send requests: one, several at a time, the same one again and again."""

from __future__ import annotations

from typing import ClassVar

from planrunner.graph.described_step import DescribedStep, Nested
from planrunner.language.expressions.values import Evaluate
from planrunner.load.pauses import Pause
from planrunner.protocols.base import Exchange
from planrunner.units import format_count, write_duration
from planrunner.values import dataclass

__all__ = ["ParallelNode", "PollNode", "RequestNode", "ThinkNode"]


@dataclass(frozen=True, slots=True)
class ThinkNode(DescribedStep):
    action: ClassVar[str] = "think"

    pause: Pause
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.pause.words


@dataclass(frozen=True, slots=True)
class RequestNode(DescribedStep):
    """One request; `name` is the series name.

    Attributes:
        tags: Static tags, sorted.
        reply_tags: Tags whose value comes from the reply: (key, expression over reply names).
        reads_reply: True when an expression needs json, body, headers or status afterwards.
        pause: Think time after it.
        untagged: Tags of its class or task that it doesn't have.
        inherited: Keys of `expect` and `tags` that it takes from settings around it.
        settings: What it starts from, where that isn't what its client opens with; opaque.
    """

    action: ClassVar[str] = "request"

    name: str
    exchange: Exchange
    tags: tuple[tuple[str, str], ...] = ()
    reply_tags: tuple[tuple[str, Evaluate], ...] = ()
    measured: bool = True
    when: Evaluate | None = None
    reads_reply: bool = False
    pause: ThinkNode | None = None
    untagged: frozenset[str] = frozenset()
    inherited: tuple[str, ...] = ()
    settings: object = None

    @property
    def subject(self) -> str:
        return self.name

    @property
    def summary(self) -> str:
        return self.name + ("" if self.measured else " (not measured)")

    @property
    def inherited_words(self) -> str:
        """What it takes from settings around it, and how long its user pauses then."""
        pause = () if self.pause is None else (f"pause {self.pause.pause.words}",)
        return ", ".join((*self.inherited, *pause))


@dataclass(frozen=True, slots=True)
class PollNode(DescribedStep):
    """Send the request until `until` is true of its reply.

    Attributes:
        every_ns: Pause after each reply.
        timeout_ns: For all attempts and pauses together.
    """

    action: ClassVar[str] = "poll"

    request: RequestNode
    until: Evaluate
    shown: str
    every_ns: int
    timeout_ns: int
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.request.name

    @property
    def summary(self) -> str:
        every, limit = write_duration(self.every_ns), write_duration(self.timeout_ns)
        return f"poll until {self.shown}, every {every} for at most {limit}"

    @property
    def nested(self) -> Nested:
        return (("poll", (self.request,)),)


@dataclass(frozen=True, slots=True)
class ParallelNode(DescribedStep):
    action: ClassVar[str] = "parallel"

    requests: tuple[RequestNode, ...]
    when: Evaluate | None = None
    pause: ThinkNode | None = None

    @property
    def subject(self) -> str:
        return format_count(len(self.requests), "request")

    @property
    def summary(self) -> str:
        pause = "" if self.pause is None else f" (pause {self.pause.pause.words})"
        return f"{self.action} {self.subject}{pause}"

    @property
    def nested(self) -> Nested:
        return (("parallel", self.requests),)
