"""Steps that send requests: one, several at a time, the same one again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import ClassVar

from planrunner.graph.described_step import DescribedStep, Nested
from planrunner.language.expressions.values import Evaluate, Scope
from planrunner.metrics.limited_words import MOST_NAMES_OF_A_TEMPLATE
from planrunner.metrics.measures import WORK
from planrunner.protocols import registry
from planrunner.protocols.base import Exchange, Reply
from planrunner.schedule.pauses import Pause
from planrunner.units import format_count, write_duration
from planrunner.values import dataclass

__all__ = ["Naming", "ParallelNode", "PollNode", "RecordedNode", "RequestNode", "ThinkNode"]


@dataclass(frozen=True, slots=True)
class ThinkNode(DescribedStep):
    action: ClassVar[str] = "think"

    pause: Pause
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.pause.words


@dataclass(frozen=True, slots=True)
class Naming:
    """A name that is known when the request is sent.

    Attributes:
        fixed: What of it is always the same: before the first expression, between them, after.
    """

    evaluate: Evaluate
    fixed: tuple[str, ...]

    def can_give(self, name: str) -> bool:
        """Say whether some values come to this name."""
        first, *between, last = self.fixed
        if len(first) + len(last) > len(name):
            return False
        if not name.startswith(first) or not name.endswith(last):
            return False
        rest = name[len(first) : len(name) - len(last)]
        for piece in between:
            at = rest.find(piece)
            if at < 0:
                return False
            rest = rest[at + len(piece) :]
        return True

    def may_fit(self, glob: str) -> bool:
        """Say whether some values may come to a name that fits a glob, by what it begins with."""
        first, *_, last = glob.split("*")
        return _agree(first, self.fixed[0]) and _agree(last[::-1], self.fixed[-1][::-1])


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


@dataclass(frozen=True, slots=True)
class RecordedNode:
    """A value that a request records when it has succeeded.

    Attributes:
        word: Of its measure: `work`, `metric.tokens`.
        written: The expression, as the plan has it; what its protocol counts otherwise.
        evaluate: Gives the value; None where the protocol does.
        of_reply: Gives it then.
    """

    word: str
    written: str
    evaluate: Evaluate | None = None
    of_reply: Callable[[Reply], float] | None = None

    def value(self, reply: Reply, scope: Scope) -> object:
        """Return the value, given the names of the user after the reply."""
        if self.evaluate is not None:
            return self.evaluate(scope)
        assert self.of_reply is not None
        return self.of_reply(reply)


@dataclass(frozen=True, slots=True)
class RequestNode(DescribedStep):
    """One request.

    Attributes:
        name: The series name; of a computed one the name as it is written.
        template: The name as the plan writes it, where that has expressions; else empty.
        naming: Gives the name, where only a user can.
        tags: Static tags, sorted.
        reply_tags: Tags whose value comes from the reply: (key, expression over reply names).
        reads_reply: True when an expression needs json, body, headers or status afterwards.
        pause: Think time after it.
        untagged: Tags of its class or task that it doesn't have.
        inherited: Keys of `expect` and `tags` that it takes from settings around it.
        settings: What it starts from, where that isn't what its client opens with; opaque.
        records: What it records, its work first.
        work_unit: What its work is counted in; empty where the plan doesn't say.
        path: Where what it says stands in the plan.
    """

    action: ClassVar[str] = "request"

    name: str
    exchange: Exchange
    tags: tuple[tuple[str, str], ...] = ()
    reply_tags: tuple[tuple[str, Evaluate], ...] = ()
    measured: bool = True
    when: Evaluate | None = None
    reads_reply: bool = False
    template: str = ""
    naming: Naming | None = None
    pause: ThinkNode | None = None
    untagged: frozenset[str] = frozenset()
    inherited: tuple[str, ...] = ()
    settings: object = None
    records: tuple[RecordedNode, ...] = ()
    work_unit: str = ""
    path: tuple[str | int, ...] = field(default=(), compare=False, repr=False)

    @property
    def subject(self) -> str:
        return self.name

    @property
    def is_silent(self) -> bool:
        """Whether it is a step that does something here and isn't measured, and so no request."""
        return self.exchange.is_step and not self.measured

    @property
    def runs_here(self) -> bool:
        """Whether it is such a step, and sends nothing either."""
        return self.is_silent and registry.is_component(self.exchange.protocol)

    @property
    def target(self) -> str:
        """The name that gets its result; empty when none does."""
        return next(iter(self.exchange.extracted), "") if self.exchange.is_step else ""

    @property
    def label(self) -> str:
        return self.name

    @property
    def summary(self) -> str:
        if self.is_silent and not self.runs_here:
            return self.name
        if self.is_silent:
            target = f" as {self.target}" if self.target else ""
            return f"{self.exchange.method} {self.name}{target}"
        unmeasured = () if self.measured else ("not measured",)
        streamed = ("read piece by piece",) if self.exchange.is_streamed else ()
        words = ", ".join((*unmeasured, *streamed, *self._recording_words, *self._pause_words))
        return f"{self.name} ({words})" if words else self.name

    @property
    def _recording_words(self) -> tuple[str, ...]:
        unit = f" in {self.work_unit}" if self.work_unit else ""
        units = {WORK.word: unit}
        named = [f"{one.word}{units.get(one.word, '')}" for one in self.records]
        return (f"records {', '.join(named)}",) if named else ()

    @property
    def _pause_words(self) -> tuple[str, ...]:
        return () if self.pause is None else (f"pause {self.pause.pause.words}",)

    @property
    def written(self) -> str:
        """The name as the plan writes it."""
        return self.template or self.name

    @property
    def inherited_words(self) -> str:
        """What it takes from settings around it, and how long its user pauses then."""
        return ", ".join((*self.inherited, *self._pause_words))

    @property
    def name_words(self) -> str:
        """The name; of a computed one how many there may be."""
        most = f"at most {MOST_NAMES_OF_A_TEMPLATE} names"
        return self.name if self.naming is None else f"{self.name} ({most})"


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
